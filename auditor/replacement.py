"""A file written beside another one that takes its place whole, or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from types import TracebackType


class Replacement:
    """Opens a temporary file beside `path`; `commit` renames it over `path`, `discard` removes it.

    Made early it proves that the place can be written to.  As a context manager it commits when the block ends well.
    Every method raises OSError.
    """

    def __init__(self, path: Path, mode: int | None = None) -> None:
        """`mode` are the permissions of the file; None keeps those of the file that is replaced."""
        self.path = path
        self._target = path.resolve()
        if self._target.is_dir():
            raise IsADirectoryError(21, "is a folder", str(path))
        prefix = f".{self._target.name[:100]}."
        descriptor, name = tempfile.mkstemp(prefix=prefix, suffix=".part", dir=self._target.parent)
        self._beside: Path | None = Path(name)
        self.file = os.fdopen(descriptor, "w+b")
        self._beside.chmod(_mode(self._target) if mode is None else mode)

    def commit(self) -> None:
        """Makes the content durable and gives it the name it was written for."""
        if self._beside is None:
            return
        self.file.flush()
        os.fsync(self.file.fileno())
        self.file.close()
        self._beside.replace(self._target)
        self._beside = None
        _sync_folder(self._target.parent)

    def discard(self) -> None:
        """Leaves nothing behind; what stood at `path` before still stands there."""
        if self._beside is None:
            return
        with contextlib.suppress(OSError):  # a full disk refuses the last flush
            self.file.close()
        self._beside.unlink(missing_ok=True)
        self._beside = None

    def __enter__(self) -> Replacement:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.discard()
            return
        try:
            self.commit()
        except BaseException:
            self.discard()
            raise


def _mode(target: Path) -> int:
    """The permissions of the file that is replaced; a new one gets what the umask leaves."""
    with contextlib.suppress(OSError):
        return target.stat().st_mode & 0o777
    mask = os.umask(0o077)
    os.umask(mask)
    return 0o666 & ~mask


def _sync_folder(folder: Path) -> None:
    if os.name == "posix":
        with contextlib.suppress(OSError):
            descriptor = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
