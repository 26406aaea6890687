"""Markup made harmless: characters that mean something to a chat client, replaced by their full-width twins.

Neither DingTalk nor Slack can show every character of their markup as itself, so that escaping is not possible; a twin
looks the same and means nothing.
"""

from __future__ import annotations

import re

#: An underscore within a word is no markup, and ids are full of them.
_LONE_UNDERSCORE = re.compile(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_FULL_WIDTH = 0xFEE0


def twins(text: str, characters: str) -> str:
    """The text with `characters` (ASCII), lone underscores and the sign of an address (`://`) as full-width twins."""
    table = {ord(character): chr(ord(character) + _FULL_WIDTH) for character in characters}
    text = text.translate(table).replace("://", chr(ord(":") + _FULL_WIDTH) + "//")
    return _LONE_UNDERSCORE.sub(chr(ord("_") + _FULL_WIDTH), text)
