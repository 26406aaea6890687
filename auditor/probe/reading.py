"""Strict reading of JSON that another host wrote: sizes, types and keys are checked before anything is used."""

from __future__ import annotations

import gzip
import json
import math
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from auditor.errors import FileError

#: Bound on a file, before and after unpacking.
MAX_BYTES = 32 * 1024**2


def read_json(path: Path | str, content: str | bytes | None = None) -> Any:
    """The document in a file, which may be packed with gzip.  Raises FileError."""
    try:
        data = _bounded(path) if content is None else content.encode() if isinstance(content, str) else content
        if data[:2] == b"\x1f\x8b":
            data = _unpacked(data)
    except OSError as error:
        raise FileError(path, f"cannot be read: {error.strerror or type(error).__name__}") from None
    except (zlib.error, EOFError, gzip.BadGzipFile):
        raise FileError(path, "is damaged or cut off") from None
    if len(data) > MAX_BYTES:
        raise FileError(path, f"is larger than {MAX_BYTES // 1024**2} MiB and is not read")
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        raise FileError(path, "is not JSON") from None
    if not isinstance(found, (dict, list)):
        raise FileError(path, "is not a JSON object")
    return found


def _bounded(path: Path | str) -> bytes:
    with Path(path).open("rb") as file:
        return file.read(MAX_BYTES + 1)


def _unpacked(data: bytes) -> bytes:
    machine = zlib.decompressobj(wbits=31)
    found = machine.decompress(data, MAX_BYTES + 1)
    if not machine.eof and len(found) <= MAX_BYTES:
        raise EOFError
    return found


class Reader:
    """Takes a document apart; whatever is missing, unknown or of another type raises FileError."""

    def __init__(self, path: Path | str) -> None:
        self.path = path

    def wrong(self, what: str, expected: str) -> FileError:
        return FileError(self.path, f"{what}: expected {expected}")

    def mapping(
        self, value: object, what: str, *, required: Sequence[str], optional: Sequence[str] = ()
    ) -> Mapping[str, Any]:
        """An object with these keys and no others."""
        if not isinstance(value, dict):
            raise self.wrong(what, "an object")
        for key in required:
            if key not in value:
                raise FileError(self.path, f"{what} has no {key}")
        for key in value:
            if key not in required and key not in optional:
                raise FileError(self.path, f"{what}: unknown key {key[:40]!r}")
        return value

    def items(self, value: object, what: str, most: int) -> list[Any]:
        """A list of at most `most` items."""
        if not isinstance(value, list):
            raise self.wrong(what, "a list")
        if len(value) > most:
            raise FileError(self.path, f"{what}: more than {most} items")
        return value

    def text(self, value: object, what: str, most: int = 512) -> str:
        """A text of at most `most` characters."""
        if not isinstance(value, str):
            raise self.wrong(what, "a text")
        if len(value) > most:
            raise FileError(self.path, f"{what}: longer than {most} characters")
        return value

    def text_or_none(self, value: object, what: str, most: int = 512) -> str | None:
        """A text or null."""
        return None if value is None else self.text(value, what, most)

    def word(self, value: object, what: str, choices: Sequence[str]) -> str:
        """One of these words."""
        if not isinstance(value, str) or value not in choices:
            raise self.wrong(what, "one of " + ", ".join(choices))
        return value

    def flag(self, value: object, what: str) -> bool:
        """true or false."""
        if not isinstance(value, bool):
            raise self.wrong(what, "true or false")
        return value

    def flag_or_none(self, value: object, what: str) -> bool | None:
        """true, false or null."""
        return None if value is None else self.flag(value, what)

    def integer(self, value: object, what: str, least: int, most: int) -> int:
        """A whole number in bounds."""
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise self.wrong(what, f"a whole number from {least} to {most}")
        return value

    def seconds(self, value: object, what: str) -> float:
        """A duration in seconds, an hour at most."""
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise self.wrong(what, "a number of seconds")
        if not 0 <= value <= 3600:
            raise self.wrong(what, "0 to 3600 seconds")
        return float(value)
