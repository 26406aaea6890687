"""Hostile text made harmless, and text measured in terminal columns: what every reporter does to what tenants wrote."""

from __future__ import annotations

import re
import unicodedata

#: Controls, bidirectional overrides and other invisible characters, line separators, surrogates, private use and
#: noncharacters.  `tests/reporters/test_text.py` compares it with the Unicode database of the running Python.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ud800-\uf8ff\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"
    "\U000110bd\U000110cd\U00013430-\U0001345f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e00ff\U000f0000-\U0010ffff]"
)

_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
#: Chinese and Japanese characters: a line may end behind each, unless its neighbour must stay with it.
_WIDE = "\u2e80-\u2fff\u3040-\u9fff\uf900-\ufaff\uff61-\uff9f\U00020000-\U0003ffff"
_OPENING, _CLOSING = "（「『【〈《〔", "、。，．：；！？）」』】〉》〕ー々・"
#: Spaces, one wide character, or a run of others (a word, an id), with the marks that no line begins or ends with.
_WORDS = re.compile(
    rf"\s+|[{_OPENING}]*(?:[{_WIDE}]|[^\s{_WIDE}{_OPENING}{_CLOSING}]+)[{_CLOSING}]*|[{_OPENING}{_CLOSING}]+"
)


def _escape(match: re.Match[str]) -> str:
    char = match.group()
    code = ord(char)
    if char in _SHORT:
        return _SHORT[char]
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def inert(value: str) -> str:
    """The text with every character that could act instead of being seen written as a visible escape (`\\x1b`).

    One line goes in, one line comes out; what it returns can be encoded as UTF-8 and shown anywhere.
    """
    return value if value.isascii() and value.isprintable() else _UNSAFE.sub(_escape, value)


def inert_lines(value: str) -> str:
    """`inert` line by line, for text that is meant to have lines (Terraform snippets)."""
    flat = value.replace("\n", "")
    return value if flat.isascii() and flat.isprintable() else "\n".join(map(inert, value.split("\n")))


def _char_width(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1


def width(value: str) -> int:
    """Terminal columns the text takes: two for wide characters, none for combining ones, ambiguous ones count one."""
    return len(value) if value.isascii() else sum(map(_char_width, value))


def cut(value: str, columns: int) -> tuple[str, str]:
    """The text split behind what fits into `columns`; the head is empty only if not even one character fits."""
    if value.isascii():
        return value[:columns], value[columns:]
    used = 0
    for index, char in enumerate(value):
        used += _char_width(char)
        if used > columns:
            return value[:index], value[index:]
    return value, ""


def clip(value: str, columns: int) -> str:
    """The text, at most `columns` wide; what is left out is shown as `..`."""
    if width(value) <= columns:
        return value
    return cut(value, max(columns - 2, 0))[0] + ".."[: max(columns, 0)]


def middle(value: str, columns: int) -> str:
    """The text, at most `columns` wide, with the middle left out: both ends of a cloud id tell it apart."""
    if width(value) <= columns:
        return value
    head = (columns - 1) // 2
    room = columns - 1 - head
    start = len(value)
    while start and (room := room - _char_width(value[start - 1])) >= 0:
        start -= 1
    return f"{cut(value, head)[0]}…{value[start:]}"


def pad(value: str, columns: int) -> str:
    """The text filled with spaces on the right to `columns`."""
    return value + " " * max(columns - width(value), 0)


def wrap(value: str, columns: int) -> list[str]:
    """The text as lines of at most `columns`, broken at spaces and between Chinese or Japanese characters.

    Words and ids stay whole, also inside such text, unless one is longer than a line.
    """
    columns = max(columns, 2)
    if len(value) <= columns and value.isascii():
        return [value.rstrip()]  # nearly all of them
    lines: list[str] = []
    line = ""
    for word in _WORDS.findall(value):
        if width(line) + width(word) <= columns:
            line += word
            continue
        if word.isspace():
            continue
        if line.strip():
            lines.append(line.rstrip())
        while width(word) > columns:
            head, word = cut(word, columns)
            lines.append(head)
        line = word
    if line.strip():
        lines.append(line.rstrip())
    return lines or [""]
