"""The README in three languages: the same sections, code and links, and commands that the command line takes."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from auditor.cli.main import cli

ROOT = Path(__file__).resolve().parent.parent
NAMES = {"en": "README.md", "ja": "README.ja.md", "zh": "README.zh.md"}
TEXTS = {code: (ROOT / name).read_text(encoding="utf-8") for code, name in NAMES.items()}
TRANSLATED = ("ja", "zh")
_SPAN = re.compile(r"`([^`]+)`")


def sections(text: str) -> list[tuple[str, str]]:
    """The level of each heading (`##`), and what stands below it."""
    parts = re.split(r"^(#+) .*$", text, flags=re.MULTILINE)
    return list(zip(parts[1::2], parts[2::2], strict=True))


def blocks(text: str) -> list[str]:
    """The code blocks: lines between fences, or behind four spaces."""
    return re.findall(r"^```.*?^```$|(?:^ {4}\S[^\n]*\n)+", text, flags=re.MULTILINE | re.DOTALL)


def prose(text: str) -> str:
    for block in blocks(text):
        text = text.replace(block, "")
    return " ".join(text.split())


@pytest.mark.parametrize("code", TRANSLATED)
def test_the_sections_are_the_same(code: str) -> None:
    assert [level for level, _ in sections(TEXTS[code])] == [level for level, _ in sections(TEXTS["en"])]


@pytest.mark.parametrize("code", TRANSLATED)
def test_what_no_language_translates_is_the_same_in_every_section(code: str) -> None:
    for number, ((_, english), (_, other)) in enumerate(zip(sections(TEXTS["en"]), sections(TEXTS[code]), strict=True)):
        where = f"{NAMES[code]}, section {number}: {prose(english)[:60]}"
        assert blocks(other) == blocks(english), where
        assert Counter(_SPAN.findall(prose(other))) == Counter(_SPAN.findall(prose(english))), where
        for marks in (r"^\* ", r"^\| ?[0-9]", r"^\d+\. "):
            assert len(re.findall(marks, other, re.M)) == len(re.findall(marks, english, re.M)), where
        if number:  # the first one links the other languages
            links = r"\]\(([^)]+)\)"
            assert re.findall(links, other) == re.findall(links, english), where


@pytest.mark.parametrize("code", NAMES)
def test_the_top_links_the_other_languages(code: str) -> None:
    line = TEXTS[code].split("\n")[2]
    assert re.findall(r"\]\(([^)]+)\)", line) == [name for other, name in NAMES.items() if other != code]


@pytest.mark.parametrize("code", NAMES)
def test_linked_files_are_there(code: str) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", TEXTS[code]):
        assert (ROOT / target).is_file(), target


@pytest.mark.parametrize("code", TRANSLATED)
def test_it_is_translated(code: str) -> None:
    script = {"ja": re.compile("[\u3040-\u30ff]"), "zh": re.compile("[\u4e00-\u9fff]")}[code]
    for level, body in sections(TEXTS[code]):
        assert script.search(body), (level, body[:80])
    assert all(len(line) <= 120 for line in TEXTS[code].split("\n"))


def commands() -> Iterator[str]:
    """Every `plaudit …` of a code block, and those in sentences that have options."""
    for text in TEXTS.values():
        for block in blocks(text):
            yield from (
                line.split("#")[0].strip() for line in block.splitlines() if line.strip().startswith("plaudit ")
            )
        yield from (span for span in _SPAN.findall(prose(text)) if span.startswith("plaudit "))


@pytest.mark.parametrize("line", sorted(set(commands())))
def test_a_command_is_one_of_the_command_line(line: str) -> None:
    _, *words = shlex.split(line)
    command: click.Command = cli
    context = click.Context(cli, info_name="plaudit", **cli.context_settings)
    while isinstance(command, click.Group) and words:
        name, *words = words
        found = command.get_command(context, name)
        assert found is not None, name
        command, context = found, click.Context(found, context, name)
    if words:
        command.make_context(context.info_name, words, parent=context.parent)
