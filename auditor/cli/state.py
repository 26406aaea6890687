"""The state directory: the last scan, and the lock that keeps two runs apart."""

from __future__ import annotations

import contextlib
import datetime
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

from auditor.errors import LockedError, UsageError

LAST_SCAN = "last.snapshot"
HISTORY = "history.sqlite"


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
def locked(wait: float = 0.0, say: Callable[[str], None] | None = None) -> Iterator[Path | None]:
    """The state directory, held for this run alone; None where it cannot be created or written to.

    `wait` is how many seconds another run may go on holding it, and `say` is told once that somebody does.
    Raises LockedError if another run still holds it then.  The lock dies with the process, however it ends.
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
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            if wait <= 0:
                raise
            if say is not None:
                say(f"another run holds {folder}{_owner(owner)}; waiting up to {wait:g} s")
            lock.acquire(timeout=wait, poll_interval=min(0.25, wait))
    except filelock.Timeout:
        waited = f" after {wait:g} s" if wait > 0 else ""
        raise LockedError(
            f"another run holds {folder}{_owner(owner)}{waited}; wait with --lock-wait 10m, or set PLAUDIT_STATE_DIR "
            "to another folder"
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
