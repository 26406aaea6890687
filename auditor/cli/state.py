"""The state directory: the last scan, and the lock that keeps two runs apart."""

from __future__ import annotations

import contextlib
import datetime
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from auditor.errors import LockedError, UsageError

LAST_SCAN = "last.snapshot"


def state_folder() -> Path:
    """PLAUDIT_STATE_DIR, else where the platform keeps the state of programs."""
    chosen = os.environ.get("PLAUDIT_STATE_DIR")
    if chosen:
        return Path(chosen)
    import platformdirs

    return Path(platformdirs.user_state_dir("plaudit", appauthor=False))


def last_scan() -> Path:
    """The snapshot of the last scan.  Raises UsageError if there is none."""
    path = state_folder() / LAST_SCAN
    if not path.exists():
        raise UsageError(f"there is no last scan in {path.parent}; run `plaudit scan`, or name a snapshot with --from")
    return path


@contextlib.contextmanager
def locked() -> Iterator[Path | None]:
    """The state directory, held for this run alone; None where it cannot be created or written to.

    Raises LockedError if another run holds it.  The lock dies with the process, however it ends.
    """
    folder = state_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        owner = folder / "plaudit.lock.owner"
        probe = os.access(folder, os.W_OK)
    except OSError:
        probe = False
    if not probe:
        yield None
        return
    import filelock

    lock = filelock.FileLock(folder / "plaudit.lock")
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        raise LockedError(
            f"another run holds {folder}{_owner(owner)}; wait for it, or set PLAUDIT_STATE_DIR to another folder"
        ) from None
    except OSError:
        yield None
        return
    try:
        now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        with contextlib.suppress(OSError):
            owner.write_text(f"process {os.getpid()} on {socket.gethostname()} since {now}", encoding="utf-8")
        yield folder
    finally:
        with contextlib.suppress(OSError):
            owner.unlink()
        lock.release()


def _owner(path: Path) -> str:
    try:
        return f" ({path.read_text(encoding='utf-8')[:200]})"
    except (OSError, UnicodeDecodeError):
        return ""
