"""Sentences that were put together from parts and values, matched back to their patterns and said in another language.

Rules (in SQL), facts and errors compose English sentences with ids inside; these are what machine formats carry.  Each
of their patterns is a line of `locale/sentences.txt`; its places match by their names:

`{n}` a number, `{list}` words with commas between them, `{any}` whatever stands there (free text, paths, messages),
`{said}` a sentence of its own, each also with a digit behind it; every other name one word without spaces.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache, lru_cache
from typing import NamedTuple

_PLACE = re.compile(r"\{([a-z_][a-z0-9_]*)\}")
_KINDS = (
    (re.compile(r"n\d*\Z"), r"-?[0-9][0-9.,]*"),
    (re.compile(r"list\d*\Z"), r"\S+?(?:, \S+?)*(?: and [0-9]+ more)?"),
    (re.compile(r"(?:any|said)\d*\Z"), r".+?"),
)
_WORD = r"\S+?"
#: Words that are data: ids, addresses, numbers, names of states and operations.
_DATUM = re.compile(r"[^\s;]+\Z")
_MORE = re.compile(r"(.+?) and ([0-9]+) more\Z", re.DOTALL)
#: What sentences are joined with, and what takes its place.
_JOINTS = (("; ", "；"), (". ", "。"), (", ", "、"))
#: Longer texts are lists of ids or messages of strangers; matching takes time that grows with the square of this.
_LIMIT = 2000


class Pattern(NamedTuple):
    """One pattern: its English, what it matches, and the longest text that every match holds."""

    english: str
    regex: re.Pattern[str]
    anchor: str
    weight: int


def lines() -> list[str]:
    """The patterns of the catalogue of sentences, as they stand in the file."""
    from auditor.languages import LOCALE

    text = (LOCALE / "sentences.txt").read_text(encoding="utf-8")
    return [line for line in text.split("\n") if line and not line.startswith("#")]


def compiled(english: str) -> Pattern:
    """The pattern of one line."""
    parts = _PLACE.split(english)
    literals = parts[::2]
    names = parts[1::2]
    regex = "".join(
        re.escape(part) if number % 2 == 0 else f"(?P<{part}>{_kind(part)})" for number, part in enumerate(parts)
    )
    greedy = sum(name.startswith(("any", "said")) for name in names)
    # A number says more than a word does: of two patterns with the same letters the one with numbers comes first.
    numbers = sum(bool(_KINDS[0][0].match(name)) for name in names)
    weight = sum(map(len, literals)) * 8 - 20 * greedy + 2 * numbers
    return Pattern(english, re.compile(regex, re.DOTALL), max(literals, key=len), weight)


def _kind(name: str) -> str:
    return next((regex for names, regex in _KINDS if names.match(name)), _WORD)


@cache
def _patterns() -> tuple[dict[str, str], tuple[Pattern, ...]]:
    """Sentences without places, and the patterns, those that say most first."""
    every = lines()
    plain = {line: line for line in every if not _PLACE.search(line)}
    found = sorted((compiled(line) for line in every if line not in plain), key=lambda pattern: -pattern.weight)
    return plain, tuple(found)


@lru_cache(maxsize=1 << 16)
def _matches(text: str) -> tuple[tuple[str, Mapping[str, str]], ...]:
    """The patterns a sentence can come from, those that say most first, with what is in their places.

    The languages of a page ask for the same sentences one after the other.
    """
    found = ((pattern, pattern.regex.fullmatch(text)) for pattern in _patterns()[1] if pattern.anchor in text)
    return tuple((pattern.english, match.groupdict()) for pattern, match in found if match)


class Sentences:
    """The translator of one language.  Remembers what it was asked: findings repeat each other."""

    def __init__(self, translate: Callable[[str], str], code: str) -> None:
        self._translate = translate
        self._plain, _ = _patterns()
        self._full_stop = "。" if code in ("ja", "zh") else "."
        self._known: dict[str, str | None] = {}

    def translated(self, sentence: str) -> str:
        """The sentence in the language; as it is where a part of it has no translation."""
        return self._said(sentence) or sentence

    def _said(self, text: str) -> str | None:
        if len(text) > _LIMIT:
            return None
        if text not in self._known:
            self._known[text] = None  # a sentence within itself is not known
            self._known[text] = next(filter(None, self._ways(text)), None)
        return self._known[text]

    def _ways(self, text: str) -> Iterator[str | None]:
        yield self._matched(text)
        if text.endswith("."):
            for plain in (text[:-1], text[0].lower() + text[1:-1]):
                said = self._said(plain)
                yield said + self._full_stop if said and said != plain else None
        if _DATUM.match(text):
            yield text
        for joint, mark in _JOINTS:
            if joint in text:
                yield self._in_parts(text, joint, mark)
        more = _MORE.match(text)
        if more:
            said = self._said(more[1])
            rest = self._translate("{said} and {n} more")
            yield rest.replace("{said}", said).replace("{n}", more[2]) if said else None

    def _in_parts(self, text: str, joint: str, mark: str) -> str | None:
        parts = text.split(joint)
        said = [self._said(part) for part in parts]
        if any(part is None for part in said):
            return None
        if said == parts:  # a row of ids stays what it is
            return text
        return mark.join(part.rstrip("。") if mark == "。" and part is not said[-1] else part for part in said if part)

    def _matched(self, text: str) -> str | None:
        if text in self._plain:
            said = self._translate(text)
            return said if said != text else None
        return next(filter(None, (self._filled(*match) for match in _matches(text))), None)

    def _filled(self, english: str, match: Mapping[str, str]) -> str | None:
        translation = self._translate(english)
        if translation == english and any(char.isalpha() for char in _PLACE.sub("", english)):
            return None
        values: dict[str, str] = {}
        for name, value in match.items():
            said = self._said(value) if name.startswith("said") else value
            if said is None:
                return None
            values[name] = said
        return _PLACE.sub(lambda place: values[place[1]], translation)
