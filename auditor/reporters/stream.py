"""Lines of JSON: one reused encoder, sorted keys, and the two limits collectors put on an event.

A line is ASCII, so nothing in it acts on a terminal, and its characters are its bytes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

#: Bytes of one event, its line end included: Splunk cuts a line at 10 000 bytes by default.
MAX_BYTES = 8_000

#: Values of one event that are neither object nor list: Wazuh takes 256 by default.
MAX_LEAVES = 200

_NOT_ASCII = re.compile("[^\x00-\x7e]+")
_encode = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, allow_nan=False, sort_keys=True, separators=(",", ":")
).encode
# 41 is what an id of a finding takes with its quotes and more: ids survive every step.
_STEPS = (2_000, 1_000, 500, 250, 120, 60, 42)


def _escape(match: re.Match[str]) -> str:
    # half a character becomes U+FFFD: as an escape it makes the line unreadable for strict parsers
    text = match.group().encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return json.dumps(text)[1:-1].replace("\x7f", "\\u007f")


def encode(value: object) -> str:
    """One compact line of ASCII JSON with sorted keys, without its line end."""
    text = _encode(value)
    return text if text.isascii() and "\x7f" not in text else _NOT_ASCII.sub(_escape, text)


def pruned(value: Any) -> Any:
    """The value without nulls, empty lists and empty objects: a key is left out where there is nothing to say."""
    if isinstance(value, dict):
        kept = {key: pruned(item) for key, item in value.items()}
        return {key: item for key, item in kept.items() if item is not None and item != [] and item != {}}
    if isinstance(value, (list, tuple)):
        return [pruned(item) for item in value if item is not None]
    return value


def leaves(value: object) -> int:
    """How many values that are neither object nor list an event holds."""
    if isinstance(value, dict):
        return sum(map(leaves, value.values()))
    if isinstance(value, (list, tuple)):
        return sum(map(leaves, value))
    return 1


def _cut(text: str, limit: int) -> str:
    """`text`, cut until its encoding takes at most `limit` bytes."""
    size = len(encode(text))
    while size > limit:
        text = text[: min(len(text) - 2, max(0, len(text) * (limit - 8) // size))] + "…"
        size = len(encode(text))
    return text


def _shorter(value: Any, limit: int) -> Any:
    if isinstance(value, str):
        return value if len(value) * 12 + 2 <= limit else _cut(value, limit)
    if isinstance(value, dict):
        return {key: _shorter(item, limit) for key, item in value.items()}
    if isinstance(value, list):
        return [_shorter(item, limit) for item in value]
    return value


def _drop(event: dict[str, Any], path: str) -> None:
    keys = path.split(".")
    for key in keys[:-1]:
        inner = event.get(key)
        if not isinstance(inner, dict):
            return
        event = inner
    event.pop(keys[-1], None)


def bounded(
    event: dict[str, Any],
    droppable: Sequence[str],
    mark: Callable[[dict[str, Any], int], None],
    *,
    cut: bool = False,
) -> str:
    """The line of an event, at most MAX_BYTES long with its line end.

    Where it is longer, the members named in `droppable` (dotted paths) are left out one after the other, then texts
    are shortened, the longest first.  `mark` writes into the event that this happened, and how long it was; with `cut`
    it is called in any case, because the caller left something out already.
    """
    line = encode(event)
    size = len(line) + 1
    if size <= MAX_BYTES and not cut:
        return line
    mark(event, size)
    line = encode(event)
    for path in droppable:
        if len(line) < MAX_BYTES:
            return line
        _drop(event, path)
        line = encode(event)
    for step in _STEPS:
        if len(line) < MAX_BYTES:
            break
        line = encode(_shorter(event, step))
    return line


def document(lines: Iterable[str]) -> str:
    """All lines in one text, the last one terminated."""
    return "".join(terminated(lines))


def terminated(lines: Iterable[str]) -> Iterator[str]:
    """Each line with its end."""
    for line in lines:
        yield line + "\n"
