"""The page about own rules: its rule is a rule, its commands run in its order, and its tables are those of the code."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from auditor.cli.main import COMMANDS
from auditor.engine.load import read_rule
from auditor.engine.scopes import KINDS
from auditor.permissions import CALLED
from tests.cli.conftest import Answer

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "own-rules.md").read_text(encoding="utf-8")
URL = "http://127.0.0.1:8731"
Plaudit = Callable[..., Answer]


def _blocks() -> list[tuple[str, str]]:
    return re.findall(r"^```(yaml|sh|text)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def simulated() -> Iterator[Callable[[list[str]], str]]:
    """Starts `plaudit simulate` in a process of its own, on a free port, and gives its URL."""
    running: list[subprocess.Popen[str]] = []

    def start(words: list[str]) -> str:
        assert "8731" in words
        words = ["0" if word == "8731" else word for word in words]
        process = subprocess.Popen(
            [sys.executable, "-m", "auditor", *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        running.append(process)
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(3)]
        return next(line.split()[1] for line in lines if line.startswith("url:"))

    yield start
    for process in running:
        process.terminate()
        process.wait(60)
        assert process.stdout is not None
        process.stdout.close()


def test_the_page_does_what_it_says(plaudit: Plaudit, simulated: Callable[[list[str]], str]) -> None:
    folder = Path("my-rules")
    folder.mkdir()
    url, said, ran = "", "", 0
    for kind, text in _blocks():
        if kind == "yaml":
            (folder / "OWN-001.yaml").write_text(text, encoding="utf-8")
        elif kind == "sh":
            said = ""
            for line in text.splitlines():
                program, *words = shlex.split(line)
                assert program == "plaudit"
                assert words[0] in COMMANDS
                ran += 1
                if words[0] == "simulate":
                    url = simulated(words)
                    continue
                answer = plaudit(*(word.replace(URL, url) for word in words))
                assert answer.code == 0, f"{line}\n{answer.err}"
                said += answer.out + answer.err
        else:
            # How wide the terminal is, and so where lines break, is not what the page tells.
            shown = " ".join(said.split())
            for line in text.splitlines():
                assert " ".join(line.split()) in shown, f"{line!r} is not in\n{said}"
    assert ran == 8
    assert {path.name for path in Path().iterdir()} >= {"my-rules", "demo-config.json", "demo.snapshot"}


def test_what_the_page_says_about_wrong_rules(plaudit: Plaudit) -> None:
    (text,) = [text for kind, text in _blocks() if kind == "yaml"]
    Path("my-rules").mkdir()
    path = Path("my-rules/OWN-001.yaml")
    for old, new, code, words in (
        ("observed: orders\n", "observed: Orders\n", 3, "expects to observe 'Orders', got 'orders'"),
        ("rationale:", "rational:", 2, "did you mean rationale?"),
        ("{table: endpoints}", "{table: endpoint}", 2, "did you mean endpoints?"),
        ("regexp_matches(endpoint_name", "coalesce(true) and regexp_matches(endpoint_name", 2, "coalesce"),
        ("id: OWN-001", "id: ZONE-001", 2, "has to be named ZONE-001.yaml"),
    ):  # fmt: skip
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")
        answer = plaudit("rules", "test", "my-rules")
        assert answer.code == code
        assert words in answer.out + answer.err
        assert "my-rules/OWN-001.yaml:" in answer.out + answer.err


def test_the_tables_of_the_page_are_whole(tmp_path: Path) -> None:
    kinds = {}
    for name, keys in re.findall(r"^\| `([a-z_]+)` \| ((?:`[a-z_]+`(?:, )?)+) \|$", PAGE, re.MULTILINE):
        kinds[name] = tuple(re.findall(r"`([a-z_]+)`", keys))
    assert kinds == {name: kind.key for name, kind in KINDS.items()}
    (text,) = [text for kind, text in _blocks() if kind == "yaml"]
    path = tmp_path / "OWN-001.yaml"
    path.write_text(text, encoding="utf-8")
    used = set(read_rule(path, builtin=False).lines)
    described = set(re.findall(r"^\| `([a-z_]+)` \|", PAGE.split("## What the keys mean")[1], re.MULTILINE))
    assert used | {"applies", "none_found", "sources"} <= described


def test_the_page_about_permissions_names_every_operation() -> None:
    page = (DOCS / "permissions.md").read_text(encoding="utf-8")
    named = {":".join(pair) for pair in re.findall(r"^\| ([a-z]+) ([A-Z]\w+) \|", page, re.MULTILINE)}
    assert named == CALLED
