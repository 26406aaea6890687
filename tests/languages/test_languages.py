"""Languages: which one is chosen, how texts are filled, and that English costs nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from auditor.cli.main import cli
from auditor.languages import CODES, Language, fill, of_environment
from tests.hostile import HOSTILE


@pytest.mark.parametrize(
    ("environ", "code"),
    [
        ({}, "en"),
        ({"LANG": "ja_JP.UTF-8"}, "ja"),
        ({"LANG": "zh_CN.GB18030"}, "zh"),
        ({"LANG": "zh_TW.UTF-8"}, "en"),
        ({"LANG": "zh_Hant_HK"}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "ja_JP.UTF-8", "LC_MESSAGES": "zh_SG"}, "zh"),
        ({"LANG": "ja_JP.UTF-8", "LC_MESSAGES": "zh_SG", "LC_ALL": "C"}, "en"),
        ({"LANG": "ja_JP.UTF-8", "LC_ALL": ""}, "ja"),
        ({"LANG": "../../ja"}, "en"),
        ({"LANG": "japanese"}, "en"),
    ],
)
def test_the_locale_of_the_process_names_the_language(environ: dict[str, str], code: str) -> None:
    assert of_environment(environ) == code


def test_a_language_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="none of en, ja, zh"):
        Language("de")


@pytest.mark.parametrize("value", [*HOSTILE, "{0}", "%s", "{name}", "%(name)s", "{", "}}", "{name.__class__}"])
@pytest.mark.parametrize("code", CODES)
def test_a_value_is_neither_translated_nor_looked_into(value: str, code: str) -> None:
    assert Language(code).text("profile {name}", name=value).count(value) >= 1
    assert fill("{a}|{b}", {"a": "{b}", "b": value}) == "{b}|" + value


@pytest.mark.parametrize("word", ["critical", "no security group", "Findings"])
def test_a_name_that_is_a_word_of_ours_stays_what_it_is(word: str) -> None:
    for code in CODES:
        assert word in Language(code).text("profile {name}", name=word)


def test_without_values_braces_are_text() -> None:
    assert Language("en").text("{not} a place") == "{not} a place"


def test_a_missing_value_is_a_bug() -> None:
    with pytest.raises(KeyError):
        Language("en").text("profile {name}", other="x")


def test_numbers_choose_the_form() -> None:
    english = Language("en")
    assert english.plural("{n} is broken", "{n} are broken", 1) == "1 is broken"
    assert english.plural("{n} is broken", "{n} are broken", 0) == "0 are broken"


def test_what_has_no_translation_stays_english() -> None:
    for code in CODES:
        assert Language(code).text("Nobody ever wrote this sentence.") == "Nobody ever wrote this sentence."


def test_a_damaged_installation_speaks_english(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from auditor import languages

    monkeypatch.setattr(languages, "LOCALE", tmp_path)
    languages._catalogue.cache_clear()
    try:
        assert Language("ja").text("Findings") == "Findings"
    finally:
        languages._catalogue.cache_clear()


def test_gettext_is_loaded_only_when_a_text_is_translated() -> None:
    # argparse and click load it where they are: ask for what our own modules do
    code = (
        "import sys; from auditor.languages import Language; Language('en').text('x'); Language('en').said('y'); "
        "from auditor.reporters import table; "
        "raise SystemExit('gettext' in sys.modules or 'auditor.sentences' in sys.modules)"
    )
    assert (
        subprocess.run([sys.executable, "-S", "-c", code], check=False, cwd=Path(__file__).parents[2]).returncode == 0
    )


@pytest.mark.parametrize(
    ("arguments", "environ"),
    [(["--lang", "de"], {}), ([], {"PLAUDIT_LANG": "de"}), (["--lang", ""], {}), ([], {"PLAUDIT_LANG": "zh_CN"})],
)
def test_an_unknown_language_is_wrong_usage(arguments: list[str], environ: dict[str, str]) -> None:
    result = CliRunner().invoke(cli, ["rules", "show", "ZONE-001", *arguments], env=environ, prog_name="plaudit")
    assert result.exit_code == 2
    assert "en" in result.stderr and "ja" in result.stderr
