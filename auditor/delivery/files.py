"""Files and standard output: one line per event, each in one write, for an agent that tails them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from auditor.delivery.records import Record
from auditor.delivery.replies import Blocked, Prepared, Reply, Taken
from auditor.errors import UsageError


class FileSink:
    """Appends to a file.  It is opened anew for every batch, so a rotation in between is followed.

    Raises UsageError, when it is made, if the file cannot be written to.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            os.close(self._opened())
        except OSError as error:
            raise UsageError(f"{path}: cannot be written: {error.strerror or type(error).__name__}") from None
        except ValueError:  # a null byte
            raise UsageError(f"{str(path)!r} is not a file name") from None

    def _opened(self) -> int:
        return os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o640)

    def encode(self, record: Record) -> bytes:
        return record.document.encode() + b"\n"

    def send(self, batch: Sequence[Prepared], timeout: float) -> Reply:
        try:
            descriptor = self._opened()
            try:
                _end_line(descriptor)
                for item in batch:
                    _append(descriptor, item.payload)
                with contextlib.suppress(OSError):  # a pipe or a device knows no sync
                    os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            return Blocked(error.strerror or type(error).__name__)
        return Taken()

    def close(self) -> None:
        """Every batch closes the file."""


def _end_line(descriptor: int) -> None:
    """Ends what a crash of somebody left unfinished, so that our first event does not hang on to it."""
    with contextlib.suppress(OSError):  # a pipe or a device has no end to look at
        size = os.fstat(descriptor).st_size
        if size and _tail(descriptor, 1) != b"\n":
            _append(descriptor, b"\n")


def _tail(descriptor: int, count: int) -> bytes:
    os.lseek(descriptor, -count, os.SEEK_END)
    return os.read(descriptor, count)


def _append(descriptor: int, line: bytes) -> None:
    written = os.write(descriptor, line)
    if written == len(line):
        return
    # The disk is full: no half line stays behind, unless somebody else has written after it.
    with contextlib.suppress(OSError):
        if written and _tail(descriptor, written) == line[:written]:
            os.ftruncate(descriptor, os.fstat(descriptor).st_size - written)
    raise OSError(28, "no space left on the device")


class StreamSink:
    """Writes to a stream the caller holds, as standard output; `write` takes bytes and raises OSError."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write = write

    def encode(self, record: Record) -> bytes:
        return record.document.encode() + b"\n"

    def send(self, batch: Sequence[Prepared], timeout: float) -> Reply:
        try:
            for item in batch:
                self._write(item.payload)
        except (OSError, ValueError) as error:
            return Blocked((error.strerror if isinstance(error, OSError) else None) or "nobody reads it")
        return Taken()

    def close(self) -> None:
        """The stream stays open; it is not ours."""
