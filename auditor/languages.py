"""Languages: what people read, in English, Japanese or Chinese; machine formats and ids know English only.

English is the key of the catalogues.  A text without a translation stays English, sentence by sentence.  The compiled
catalogues lie beside this module (`locale/<code>/LC_MESSAGES/plaudit.mo`) and are opened when a text is first wanted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gettext import NullTranslations

    from auditor.sentences import Sentences

#: The languages, the first of which is that of the texts in the source.
CODES = ("en", "ja", "zh")

#: How documents name their language (BCP 47); the catalogue of Chinese is written in simplified characters.
TAGS: Mapping[str, str] = {"en": "en", "ja": "ja", "zh": "zh-CN"}

DOMAIN = "plaudit"
LOCALE = Path(__file__).resolve().parent / "locale"

_PLACEHOLDER = re.compile(r"\{([a-z_][a-z0-9_]*)\}")


class Language:
    """One language: `text` for what plaudit says itself, `said` for sentences that were put together elsewhere."""

    def __init__(self, code: str) -> None:
        if code not in CODES:
            raise ValueError(f"{code!r} is none of {', '.join(CODES)}")
        self.code = code

    def __repr__(self) -> str:
        return f"Language({self.code!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Language) and other.code == self.code

    def __hash__(self) -> int:
        return hash(self.code)

    @property
    def english(self) -> bool:
        """Whether nothing is translated."""
        return self.code == CODES[0]

    @property
    def tag(self) -> str:
        """The name of the language in documents."""
        return TAGS[self.code]

    @cached_property
    def _catalogue(self) -> NullTranslations:
        return _catalogue(self.code)

    @cached_property
    def _sentences(self) -> Sentences:
        from auditor.sentences import Sentences

        return Sentences(self._catalogue.gettext, self.code)

    def text(self, message: str, /, **values: object) -> str:
        """The message in this language, with each `{name}` replaced by its value.

        Values are neither translated nor looked into; without values braces are text.  Raises KeyError for a
        placeholder without a value.
        """
        if not self.english:
            message = self._catalogue.gettext(message) if message else message
        return fill(message, values) if values else message

    def plural(self, one: str, many: str, n: int, /, **values: object) -> str:
        """`text` for a number of things, which is `{n}` in both messages."""
        return fill(self.plural_message(one, many, n), {"n": n, **values})

    def plural_message(self, one: str, many: str, n: int) -> str:
        """The message for a number of things, with its places empty."""
        return (one if n == 1 else many) if self.english else self._catalogue.ngettext(one, many, n)

    def said(self, sentence: str) -> str:
        """A sentence that a rule, a fact or an error put together, matched with the patterns it can come from.

        What is in its places is carried over as it is.  A sentence of which a part is not known stays English whole.
        """
        return sentence if self.english or not sentence else self._sentences.translated(sentence)

    def listed(self, parts: Iterable[str]) -> str:
        """Words in a row, as they stand in a sentence: `a, b`."""
        return (", " if self.english else "、").join(parts)

    def sentences(self, parts: Iterable[str]) -> str:
        """Sentences without periods in a row: `one; two`."""
        return ("; " if self.english else "；").join(parts)


ENGLISH = Language("en")


def marked(message: str) -> str:
    """The message itself: says to the catalogue that somebody will ask for its translation later."""
    return message


def fill(message: str, values: Mapping[str, Any]) -> str:
    """The message with each `{name}` replaced, in one pass: what looks like a placeholder in a value stays as it is."""
    return _PLACEHOLDER.sub(lambda match: str(values[match[1]]), message)


def placeholders(message: str) -> frozenset[str]:
    """The names in braces."""
    return frozenset(_PLACEHOLDER.findall(message))


def of_environment(environ: Mapping[str, str]) -> str:
    """The code for the locale of a process: LC_ALL, then LC_MESSAGES, then LANG; English for every other language.

    Traditional Chinese is another written language than that of the catalogue: it gets English.
    """
    value = next((environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environ.get(name)), "")
    words = re.split(r"[_.@-]", value.lower())
    if words[0] == "zh":
        return "en" if {"tw", "hk", "mo", "hant"} & set(words) else "zh"
    return words[0] if words[0] in CODES else CODES[0]


@cache
def _catalogue(code: str) -> NullTranslations:
    import gettext

    if code == CODES[0]:
        return gettext.NullTranslations()
    try:
        with (LOCALE / code / "LC_MESSAGES" / f"{DOMAIN}.mo").open("rb") as file:
            return gettext.GNUTranslations(file)
    except OSError:  # a damaged installation still reports, in English
        return gettext.NullTranslations()
