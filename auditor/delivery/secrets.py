"""Secrets of sinks: tokens and addresses that are shown to nobody, and the texts they are taken out of."""

from __future__ import annotations

import base64
import os
import stat
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from auditor.errors import FileError, UsageError

#: How much of an answer is kept beside what it refused.
ANSWER_LIMIT = 500

REMOVED = "(removed)"

_LONGEST = 8192
# A shorter piece of an address is a word that stands in every text.
_SHORTEST = 6


class Secret:
    """A text that neither `repr`, `str`, a traceback nor a log shows; `reveal` is the only way to it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The text itself, for the one place that sends it."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__

    def __reduce__(self) -> str:
        raise TypeError("a secret is not written anywhere")


def from_environment(variable: str) -> Secret | None:
    """The secret in an environment variable, None where it is unset or empty.  Raises UsageError."""
    value = os.environ.get(variable, "").strip()
    return _checked(value, f"the environment variable {variable}") if value else None


def from_file(path: Path) -> tuple[Secret, str | None]:
    """The secret in a file, and a warning where others may read that file.  Raises FileError and UsageError."""
    try:
        with path.open("rb") as file:
            content = file.read(_LONGEST + 1)
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
    except OSError as error:
        raise FileError(path, f"cannot be read: {error.strerror or type(error).__name__}") from None
    secret = _checked(content.decode("utf-8", "replace").strip(), str(path))
    open_to_others = os.name == "posix" and mode & 0o077
    warning = f"{path} can be read by others (mode {mode:04o}); run: chmod 600 {path}" if open_to_others else None
    return secret, warning


def _checked(value: str, place: str) -> Secret:
    if not value:
        raise UsageError(f"{place} is empty; write the secret into it, on one line")
    if len(value) > _LONGEST or not value.isascii() or not value.isprintable() or " " in value:
        # A line break would end the header it is sent in.
        raise UsageError(f"{place} holds no secret: one line of visible ASCII characters is expected")
    return Secret(value)


def pieces(address: str) -> list[str]:
    """What of an address gives it away: the whole, host, user, password, the path and query, and each part of them."""
    parts = urlsplit(address)
    found = [address, address.rstrip("/"), parts.netloc, parts.hostname or "", parts.path.strip("/"), parts.query]
    found += [parts.username or "", parts.password or "", *parts.path.split("/")]
    found += [word for pair in parse_qsl(parts.query, keep_blank_values=True) for word in pair]
    return [piece for piece in dict.fromkeys(found) if len(piece) >= _SHORTEST]


def cleaned(text: str, secrets: Iterable[str]) -> str:
    """The first 500 characters of an answer on one line, without any spelling of the secrets."""
    for secret in sorted({s for s in secrets if len(s) >= 4}, key=len, reverse=True):
        spellings = {secret, quote(secret, safe=""), unquote(secret), base64.b64encode(secret.encode()).decode()}
        for spelling in sorted(spellings, key=len, reverse=True):
            text = text.replace(spelling, REMOVED)
    shown = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(shown.split())[:ANSWER_LIMIT]
