"""A file or a folder written beside another one that takes its place whole, or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Collection, Mapping
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


class FolderReplacement:
    """Makes a folder beside `path`; `commit` fills it and gives it the name, `discard` removes it.

    A system has no call that every Python knows to exchange two folders: between two renames there is no `path`, and
    if the second one fails the first is taken back.  Every method raises OSError.
    """

    def __init__(self, path: Path, names: Collection[str]) -> None:
        """`names` are the files such a folder has; one with anything else in it is not ours to replace."""
        self._target = path.resolve()
        if self._target.exists() and not self._target.is_dir():
            raise NotADirectoryError(20, "is no folder", str(path))
        if os.path.ismount(self._target):
            raise OSError(16, "is a mount point, which cannot be replaced; name a folder in it", str(path))
        there = sorted(self._target.iterdir()) if self._target.exists() else []
        strange = [entry.name for entry in there if entry.name not in names or entry.is_dir()]
        if strange:
            words = f"has files that plaudit did not write ({strange[0]}); name a new or an empty folder"
            raise FileExistsError(17, words, str(path))
        self._beside: Path | None = self._made("part")
        self._beside.chmod(_mode(self._target, 0o777))

    def _made(self, what: str) -> Path:
        prefix = f".{self._target.name[:100]}."
        return Path(tempfile.mkdtemp(prefix=prefix, suffix=f".{what}", dir=self._target.parent))

    def commit(self, files: Mapping[str, bytes]) -> None:
        """Writes the files (name → content), makes them durable and gives the folder its name."""
        if self._beside is None:
            return
        mode = _mode(self._beside / "new")
        for name, content in files.items():
            with (self._beside / name).open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            (self._beside / name).chmod(mode)
        _sync_folder(self._beside)
        if self._target.exists():
            old = self._made("old")
            old.rmdir()
            self._target.rename(old)
            try:
                self._beside.rename(self._target)
            except OSError:
                old.rename(self._target)
                raise
            shutil.rmtree(old, ignore_errors=True)
        else:
            self._beside.rename(self._target)
        self._beside = None
        _sync_folder(self._target.parent)

    def discard(self) -> None:
        """Leaves nothing behind; what stood at `path` before still stands there."""
        if self._beside is None:
            return
        shutil.rmtree(self._beside, ignore_errors=True)
        self._beside = None


def _mode(target: Path, new: int = 0o666) -> int:
    """The permissions of the file that is replaced; a new one gets what the umask leaves."""
    with contextlib.suppress(OSError):
        return target.stat().st_mode & 0o777
    mask = os.umask(0o077)
    os.umask(mask)
    return new & ~mask


def _sync_folder(folder: Path) -> None:
    if os.name == "posix":
        with contextlib.suppress(OSError):
            descriptor = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
