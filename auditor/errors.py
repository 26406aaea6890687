"""The errors plaudit raises, as one tree; every message ends in the next step.

PlauditError
├── UsageError            exit 2: options, configuration, specification, waivers, baseline, rule or snapshot file
│   └── FileError         the same, with file and line
├── NothingReadError      exit 5: every account refused or unreachable
├── DeliveryError         exit 6: a requested output could not be written or delivered
├── LockedError           exit 75: another run holds the lock of the state directory
└── Interrupted           exit 130 or 143
"""

from __future__ import annotations

from pathlib import Path


class PlauditError(Exception):
    """Base of all errors that end in a sentence instead of a traceback."""

    exit_code = 1


class UsageError(PlauditError):
    """Something the user wrote cannot be used."""

    exit_code = 2


class FileError(UsageError):
    """A file the user named cannot be used; the message starts with file and line."""

    def __init__(self, path: Path | str, message: str, line: int | None = None) -> None:
        self.path = str(path)
        self.line = line
        place = f"{self.path}:{line}" if line is not None else self.path
        super().__init__(f"{place}: {message}")


class NothingReadError(PlauditError):
    """No account could be read at all."""

    exit_code = 5


class DeliveryError(PlauditError):
    """A requested output could not be written or delivered."""

    exit_code = 6


class LockedError(PlauditError):
    """Another run holds the lock of the state directory."""

    exit_code = 75


class Interrupted(PlauditError):
    """The run was interrupted (130) or terminated (143)."""

    def __init__(self, signal_number: int) -> None:
        self.exit_code = 128 + signal_number
        super().__init__("interrupted" if signal_number == 2 else "terminated")
