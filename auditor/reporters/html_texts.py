"""The texts of the HTML report in every language: what its switch draws from, without asking anybody.

A text that is the same in all languages is a string.  Every other one is a list: the number of its form, and the values
of the places in that form, which is one text per language.  Thousands of findings share a few hundred forms.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Sequence
from html import unescape

from auditor.languages import CODES, Language
from auditor.reporters.text import inert
from auditor.reporters.translation import console_path
from auditor.reporters.vocabulary import WORDS

#: A text of the page's data: as it is, or the number of a form and its values.
Encoded = str | list[int | str]

#: The places of a form are private characters, which no text of a report holds: `inert` writes them out.
_FIRST_PLACE = 0xE000
_RUN, _DIGIT = re.compile(r"[!-~]+"), re.compile("[0-9]")
_NOT_VALUE = ",;:.()'\""
_PIECE = re.compile(r"<(/?[a-zA-Z!][^>]*)>([^<]*)")
_ATTRIBUTE = re.compile(r'\s(aria-label|placeholder)="([^"]*)"')
_UNSEEN = re.compile(r"<(script|style|noscript)\b.*?</\1>", re.DOTALL)
_SCRIPT_CALL = re.compile(r"""\b(?:t|tn)\(\s*("(?:[^"\\]|\\.)*")(?:\s*,\s*("(?:[^"\\]|\\.)*"))?""")


def script_texts(script: str) -> Iterator[tuple[str, str | None]]:
    """What a script asks for: each `t("one")`, and `tn("one", "many")` with its plural."""
    for match in _SCRIPT_CALL.finditer(script):
        yield ast.literal_eval(match[1]), ast.literal_eval(match[2]) if match[2] else None


class Texts:
    """The texts of one page in all languages, in the order of CODES."""

    def __init__(self) -> None:
        self.languages = tuple(map(Language, CODES))
        self._forms: dict[tuple[str, ...], int] = {}
        self._known: dict[tuple[str, str], Encoded] = {}

    @property
    def forms(self) -> list[tuple[str, ...]]:
        """The forms by number, each one text per language."""
        return list(self._forms)

    def word(self, english: str) -> Encoded:
        """A text of ours that the catalogue holds."""
        return self._encoded("word", english, lambda language: language.text(english))

    def said(self, english: str) -> Encoded:
        """A sentence that was put together elsewhere."""
        return self._encoded("said", english, lambda language: language.said(english))

    def console(self, path: str) -> Encoded:
        """A way through the console."""
        return self._encoded("console", path, lambda language: console_path(path, language))

    def _encoded(self, kind: str, english: str, say: Callable[[Language], str]) -> Encoded:
        if (kind, english) not in self._known:
            self._known[kind, english] = self.encoded([inert(say(language)) for language in self.languages])
        return self._known[kind, english]

    def encoded(self, texts: Sequence[str]) -> Encoded:
        """One text, given in every language and inert."""
        first = texts[0]
        if all(text == first for text in texts):
            return first
        found = dict.fromkeys(run.strip(_NOT_VALUE) for run in _RUN.findall(first) if _DIGIT.search(run))
        values = [value for value in found if value and all(value in text for text in texts)][:64]
        form = list(texts)
        # the longest first: a short one may be a part of it, and is then a value that no place asks for
        for place, value in sorted(enumerate(values), key=lambda pair: -len(pair[1])):
            form = [text.replace(value, chr(_FIRST_PLACE + place)) for text in form]
        return [self._forms.setdefault(tuple(form), len(self._forms)), *values]

    def script(self, script: str) -> dict[str, list[str]]:
        """What the script says itself, and words it looks up: English → the other languages, if they differ."""
        found = {}
        for one, many in (*script_texts(script), *((word, None) for word in WORDS)):
            texts = [
                language.plural_message(one, many, 2) if many else language.text(one) for language in self.languages
            ]
            if any(text != texts[0] for text in texts[1:]):
                found[one] = texts[1:]
        return dict(sorted(found.items()))

    def frame(self, pages: Sequence[str]) -> list[list[int | Encoded]]:
        """What differs between the same page in all languages: the distance to the text before it, and the text.

        A page's texts are numbered as they stand: of each element the attributes that people read, then what follows
        it, without what is blank.  The script numbers them the same way.
        """
        rows: list[list[int | Encoded]] = []
        every = [list(_visible(page)) for page in pages]
        last = 0
        for number, texts in enumerate(zip(*every, strict=True)):
            if any(text != texts[0] for text in texts):
                rows.append([number - last, self.encoded([unescape(text) for text in texts])])
                last = number
        return rows


def _visible(page: str) -> Iterator[str]:
    """Every text of a page of ours, still escaped.  No value in it holds `<` or `>`: the template escapes them."""
    for tag, text in _PIECE.findall(_UNSEEN.sub("<br>", page)):
        for _attribute, value in _ATTRIBUTE.findall(tag):
            yield value
        if text.strip(" \t\r\n\f"):
            yield text
