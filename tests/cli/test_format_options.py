"""Settings of formats on the command line, and docs/formats.md: every setting, every format, every snippet."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from auditor.cli.formats import FORMATS, setting_names
from tests.cli.conftest import Answer, Cloud
from tests.reporters.fixture import report

Plaudit = Callable[..., Answer]
Start = Callable[..., Cloud]

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "formats.md").read_text(encoding="utf-8")


@pytest.fixture
def scan(plaudit: Plaudit, cloud: Start) -> Iterator[Callable[..., Answer]]:
    """Judges a saved scan of the broken estate."""
    assert plaudit("collect", *cloud("broken").all, "--select", "RES-001,ZONE-001", "-o", "broken.snapshot").code == 0

    def call(*arguments: str) -> Answer:
        return plaudit("scan", "--from", "broken.snapshot", "--select", "RES-001,ZONE-001", *arguments)

    yield call


def sarif(path: str = "out") -> dict[str, Any]:
    run: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))["runs"][0]
    return run


def test_settings_of_sarif(scan: Callable[..., Answer]) -> None:
    assert scan("--format", "sarif=out").code == 3
    plain = sarif()
    waived = plain["results"][0]
    granted, expires = (datetime.now(UTC).date() + timedelta(days=days) for days in (-4, 60))
    Path("w.yaml").write_text(
        "version: 1\nwaivers:\n  - id: W-1\n    rule: "
        + waived["ruleId"]
        + f"\n    account: '*'\n    resource: {waived['locations'][0]['logicalLocations'][0]['name']}"
        + f"\n    reason: known\n    owner: me@example.com\n    granted: {granted}\n    expires: {expires}\n"
    )
    options = ["anchor=infra/main.tf", "waived=yes", "github=no", "category=prod eu"]
    words = [part for word in options for part in ("--format-option", f"sarif.{word}")]
    scan("--format", "sarif=out", "--all-outcomes", "--waivers", "w.yaml", *words)
    full = sarif()
    assert {r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for r in full["results"]} == {
        "infra/main.tf"
    }
    assert full["automationDetails"]["id"] == "plaudit/prod%20eu/" != plain["automationDetails"]["id"]
    assert {r.get("kind", "fail") for r in full["results"]} >= {"fail", "pass"}
    assert [r["suppressions"][0]["status"] for r in full["results"] if "suppressions" in r]
    assert {r["fingerprints"]["plauditFinding/v1"] for r in plain["results"]} < {
        r["fingerprints"]["plauditFinding/v1"] for r in full["results"]
    }


def test_settings_of_the_others(scan: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch) -> None:
    scan("--format", "junit=some.xml")
    monkeypatch.setenv("PLAUDIT_FORMAT_OPTION", "junit.all=yes,codequality.anchor=a.tf")
    Path("plaudit.yaml").write_text("options:\n  format-option: [github.anchor=b.tf]\n")
    scan("--format", "junit=all.xml", "--format", "codequality=cq.json")
    cases = [len(ElementTree.parse(name).findall(".//testcase")) for name in ("some.xml", "all.xml")]
    assert 0 < cases[0] < cases[1]
    assert {row["location"]["path"] for row in json.loads(Path("cq.json").read_text())} == {"a.tf"}
    monkeypatch.delenv("PLAUDIT_FORMAT_OPTION")
    assert "file=b.tf" in scan("--format", "github").out
    assert "file=c.tf" in scan("--format", "github", "--format-option", "github.anchor=c.tf").out


def test_the_job_summary(scan: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ask = ("--format", "github", "--format-option", "github.summary=yes")
    answer = scan(*ask)
    assert answer.code == 3 and "GITHUB_STEP_SUMMARY is not set" in answer.err
    place = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(place))
    place.write_text("# earlier\n")
    assert scan("--format", "github").code == 3 and place.read_text() == "# earlier\n", "nobody asked"
    first = scan(*ask)
    assert first.out.startswith("::error ") and place.read_text().startswith("# earlier\n")
    assert "| critical |" in place.read_text()
    place.write_text("x" * 999_990)
    answer = scan(*ask, "--fail-on", "none")
    assert answer.code == 6 and "the job summary" in answer.err and place.stat().st_size == 999_990
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))
    assert scan(*ask, "--fail-on", "none").code == 6


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("sarif.anchr=x", "did you mean sarif.anchor"),
        ("srif.anchor=x", "did you mean sarif.anchor"),
        ("what=x", "known are sarif.anchor"),
        ("sarif.anchor", "write sarif.anchor=FILE"),
        ("junit.all=true", "is yes or no"),
        ("sarif.category=", "is empty"),
        ("sarif.anchor=/etc/passwd", "relative to its root"),
        ("codequality.anchor=../x", "relative to its root"),
    ],
)
def test_wrong_settings_are_said_before_anything_is_read(plaudit: Plaudit, word: str, said: str) -> None:
    answer = plaudit("scan", "--from", "missing.snapshot", "--format-option", word)
    assert answer.code == 2 and said in answer.err


# --------------------------------------------------------------------------------------------------------- the page


def test_every_format_and_setting_is_on_the_page() -> None:
    for name in FORMATS:
        assert f"| `{name}` |" in PAGE, name
    rows = re.findall(r"^\| `([a-z]+\.[a-z]+)` \|", PAGE, re.M)
    assert rows == setting_names()


def test_versions_on_the_page_are_those_of_the_documents() -> None:
    from auditor.reporters import ecs, ocsf

    shown = report()
    assert f"OCSF {json.loads(next(iter(ocsf.lines(shown))))['metadata']['version']}" in PAGE
    version = json.loads(next(iter(ecs.lines(shown))))["ecs"]["version"]
    assert f"ECS {version.removesuffix('.0')}" in PAGE


def _within(part: Any, whole: Any) -> bool:
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(key in whole and _within(part[key], whole[key]) for key in part)
    return bool(part == whole)


def _objects(name: str, text: str) -> list[Any]:
    if name in ("ndjson", "ocsf", "ecs"):
        return [json.loads(line) for line in text.splitlines()]
    document = json.loads(text)
    return {"json": lambda: document["findings"], "sarif": lambda: document["runs"][0]["results"]}.get(
        name, lambda: document
    )()


SNIPPETS = re.findall(r"```(\w+) (\w+)\n(.*?)\n```", PAGE, re.S)


@pytest.mark.parametrize(("language", "name", "text"), SNIPPETS, ids=[name for _, name, _ in SNIPPETS])
def test_snippets_are_what_the_program_writes(language: str, name: str, text: str) -> None:
    written = FORMATS[name].render(report(), {})
    assert isinstance(written, str)
    if language == "json":
        assert sum(_within(json.loads(text), each) for each in _objects(name, written)) == 1
    else:
        assert text in written


def test_there_is_a_snippet_of_every_machine_format() -> None:
    assert {name for _, name, _ in SNIPPETS} == set(FORMATS) - {"table", "html", "csv"}
