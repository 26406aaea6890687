"""Strict YAML: what scalars mean, what is refused, and on which line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from auditor.errors import FileError
from auditor.yaml_reader import MAX_ALIASES, Node, parse_yaml, read_yaml


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("12", 12),
        ("-3", -3),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("on", "on"),
        ("no", "no"),
        ("True", "True"),
        ("22:22", "22:22"),
        ("2026-01-01", "2026-01-01"),
        ("007", "007"),
        ("1_000", "1_000"),
        ("0x10", "0x10"),
        (".inf", ".inf"),
        ("1.2.3", "1.2.3"),
        ("'12'", "12"),
        ('"true"', "true"),
        ("1234567890123456", 1234567890123456),
    ],
)
def test_scalars(written: str, value: object) -> None:
    found = parse_yaml(f"key: {written}", "f.yaml").plain()["key"]
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: 1\nb: 2\na: 3", 3, "duplicate key `a`, already given in line 1"),
        ("a: !!python/object:os.system x", 1, "tags"),
        ("a:\n  - !ref x", 2, "tags"),
        ("a: !!str 1", 1, "tags"),
        ("a: &x [1]\nb: &y [*x]", 2, "holds an alias"),
        ("a: &x [*x]", 1, "names no anchor"),
        ("a: *x", 1, "names no anchor"),
        ("a: 1\n---\nb: 1", 2, "one document per file"),
        ("a: [1", 2, "not valid YAML"),
        ("a: 1\n\tb: 2", 2, "not valid YAML"),
        ("a: \x01", 1, "not valid YAML"),
        ("? [a]\n: 1", 1, "a key has to be plain text"),
        ("[" * 30, 1, "nested deeper"),
        ("a: &x 1\nb: [" + ", ".join(["*x"] * (MAX_ALIASES + 1)) + "]", 2, "aliases"),
    ],
)
def test_refused(text: str, line: int, words: str) -> None:
    with pytest.raises(FileError) as caught:
        parse_yaml(text, "f.yaml")
    assert caught.value.line == line
    assert words in str(caught.value)


def test_a_few_aliases_are_fine() -> None:
    assert parse_yaml("a: &x [1]\nb: *x", "f.yaml").plain() == {"a": [1], "b": [1]}


def test_lines_are_kept() -> None:
    root = parse_yaml("a: 1\n\n# a word\nb:\n  - c: |\n      x\n      y\n", "f.yaml")
    block = root.mapping(required=["a", "b"])["b"].items()[0].mapping(required=["c"])["c"]
    assert (block.line, block.text_line, block.text()) == (5, 6, "x\ny\n")


@pytest.mark.parametrize(
    ("text", "reader", "words"),
    [
        ("on", lambda n: n.boolean(), "expected a boolean, found `on`; write true or false"),
        ("'true'", lambda n: n.boolean(), "write true or false, without quotes"),
        ("Yes", lambda n: n.boolean(), "write true or false"),
        (
            "{serverity: x}",
            lambda n: n.mapping(required=["severity"]),
            "unknown key `serverity`, did you mean severity?",
        ),
        ("{zzz: x}", lambda n: n.mapping(optional=["a", "b"]), "unknown key `zzz`; known are a, b"),
        ("{a: 1}", lambda n: n.mapping(required=["a", "b"]), "missing key `b`"),
        ("[1]", lambda n: n.mapping(), "expected a mapping"),
        ("x", lambda n: n.items(), "expected a list"),
        ("12", lambda n: n.text(), 'expected text, found `12`; quote it: "12"'),
        ("hihg", lambda n: n.text(choices=["high", "low"]), "did you mean high?"),
        ("' '", lambda n: n.text(), "which is empty"),
        ("on", lambda n: n.data_text(), 'ambiguous; quote it: "on"'),
        ("NO", lambda n: n.data_text(), 'ambiguous; quote it: "NO"'),
        ("2026-01-01T00:00:00Z", lambda n: n.data_text(), "ambiguous"),
        ("22:22", lambda n: n.data_text(), "ambiguous"),
        ("12", lambda n: n.data_text(), "quote it"),
        ("12", lambda n: n.account_id(), "sixteen digits"),
        ("x", lambda n: n.integer(), "expected an integer"),
        ("'5'", lambda n: n.integer(), "without quotes"),
        ("5", lambda n: n.integer(minimum=6), "from 6"),
        ("5", lambda n: n.integer(maximum=4), "up to 4"),
        ("5", lambda n: n.integer(minimum=6, maximum=9), "6 to 9"),
    ],
)
def test_what_to_write_instead(text: str, reader: Callable[[Node], Any], words: str) -> None:
    with pytest.raises(FileError) as caught:
        reader(parse_yaml(text, "f.yaml"))
    assert str(caught.value).startswith("f.yaml:1: ")
    assert words in str(caught.value)


def test_account_ids_need_no_quotes() -> None:
    for written in ("1234567890123456", "'1234567890123456'"):
        assert parse_yaml(written, "f.yaml").account_id() == "1234567890123456"


def test_quoted_data_is_text() -> None:
    assert parse_yaml("'on'", "f.yaml").data_text() == "on"
    assert parse_yaml("''", "f.yaml").data_text() == ""


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="cannot be read"):
        read_yaml(tmp_path / "none.yaml")
    path = tmp_path / "latin.yaml"
    path.write_bytes(b"a: 1\nb: \xe4\n")
    with pytest.raises(FileError, match=r"latin\.yaml:2: is not UTF-8"):
        read_yaml(path)
    path.write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert read_yaml(path).plain() == {"a": 1}


def test_hostile_words_are_shown_safely() -> None:
    with pytest.raises(FileError) as caught:
        parse_yaml('{"\\e[31m": 1}', "f.yaml").mapping(optional=["a"])
    assert "\x1b" not in str(caught.value)
