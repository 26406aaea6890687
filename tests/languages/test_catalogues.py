"""The catalogues: written from the source as it is, compiled from what is translated, with every place in its place."""

from __future__ import annotations

import gettext
import io
import re
from functools import cache
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from auditor.cli import catalogues
from auditor.languages import CODES

TRANSLATED = CODES[1:]
_PLACES = re.compile(r"\{[a-z_][a-z0-9_]*\}|%\([a-z_]+\)s|%%")


@cache
def _pairs(code: str) -> tuple[tuple[str, str], ...]:
    """English and translation of every text that has one."""
    found = []
    for message in catalogues.translated(code):
        ids = (message.id,) if isinstance(message.id, str) else message.id
        string: Any = message.string if isinstance(message.string, str) else message.string[0]
        found += [(ids[-1], string)] if ids[0] and string else []
    return tuple(found)


def test_the_files_are_what_the_source_asks_for() -> None:
    for path, content in catalogues.files().items():
        assert path.read_bytes() == content, f"{path.name} is not current: run python -m auditor.cli.catalogues"


@pytest.mark.parametrize("code", TRANSLATED)
def test_the_compiled_catalogue_is_that_of_the_text(code: str) -> None:
    path = catalogues.po_path(code)
    with path.open("rb") as file:
        assert path.with_suffix(".mo").read_bytes() == catalogues.mo_bytes(read_po(file, locale=code))


@pytest.mark.parametrize("code", TRANSLATED)
def test_every_place_of_the_english_is_in_the_translation(code: str) -> None:
    for english, said in _pairs(code):
        assert sorted(set(_PLACES.findall(said))) == sorted(set(_PLACES.findall(english))), (english, said)


@pytest.mark.parametrize("code", TRANSLATED)
def test_a_translation_holds_no_markup_and_no_strange_characters(code: str) -> None:
    for english, said in _pairs(code):
        assert "<" not in said.replace("<name>", ""), said
        assert all(char.isprintable() for char in said), (english, said)
        assert (english[0].isspace(), english[-1].isspace()) == (said[0].isspace(), said[-1].isspace()) or english in (
            " and ",
            " (also {codes})",
        ), (english, said)


@pytest.mark.parametrize("code", TRANSLATED)
def test_a_sentence_ends_as_the_english_one_does(code: str) -> None:
    for english, said in _pairs(code):
        assert said.endswith("。") == english.endswith("."), (english, said)
        assert not said.endswith("."), (english, said)


@pytest.mark.parametrize("code", TRANSLATED)
def test_no_text_is_dubious(code: str) -> None:
    with catalogues.po_path(code).open("rb") as file:
        assert not [message.id for message in read_po(file, locale=code) if message.id and message.fuzzy]


def test_a_plural_without_translation_stays_english() -> None:
    catalog = Catalog(locale="zh")
    catalog.add(("{n} thing", "{n} things"), ("",))
    catalog.add(("{n} other", "{n} others"), ("{n}个",))
    said = gettext.GNUTranslations(io.BytesIO(catalogues.mo_bytes(catalog)))
    assert [said.ngettext("{n} thing", "{n} things", n) for n in (1, 2)] == ["{n} thing", "{n} things"]
    assert said.ngettext("{n} other", "{n} others", 2) == "{n}个"
    assert len(list(catalog)) == 3


def test_a_check_names_what_is_stale(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    every = catalogues.files()
    path = next(iter(every))
    monkeypatch.setattr(catalogues, "files", lambda: {**every, path: b"other"})
    assert catalogues.main(["--check"]) == 1
    assert "plaudit.pot" in capsys.readouterr().err
