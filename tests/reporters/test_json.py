"""The JSON report keeps its promise: keys, order, bytes."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from auditor.findings import Report
from auditor.reporters import json as reporter
from tests.hostile import HOSTILE
from tests.reporters import fixture
from tests.reporters.golden import compare

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "report.schema.json").read_text(encoding="utf-8"))


@pytest.fixture(autouse=True)
def _version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reporter, "__version__", "0.0.0")


def parsed(report: Report) -> dict[str, Any]:
    text = reporter.render(report)
    document = json.loads(text)
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    assert isinstance(document, dict)
    return document


def test_golden() -> None:
    compare("report.json", reporter.render(fixture.report()))


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize(
    "report",
    [
        fixture.report(),
        fixture.report(all_outcomes=True),
        fixture.clean_report(),
        fixture.report(findings=(), reads=(), paths=()),
    ],
    ids=["default", "all outcomes", "clean", "empty"],
)
def test_valid_by_the_schema_and_keys_in_order(report: Report) -> None:
    document = parsed(report)
    assert list(document) == ["schema_version", "tool", "scan", "summary", "coverage", "paths", "findings"]
    assert document["schema_version"] == "1.0"
    assert list(document["summary"]) == [
        *("pass", "fail", "unknown", "not_applicable", "waived", "by_severity", "by_rule", "exit")
    ]
    assert list(document["summary"]["by_severity"]) == ["critical", "high", "medium", "low", "info"]


def test_the_keys_of_a_finding() -> None:
    document = parsed(fixture.report())
    promised = [
        *("id", "rule_id", "title", "severity", "basis", "outcome", "resource", "related", "side", "observed"),
        *("reason", "remediation", "sources", "first_seen", "waiver"),
    ]
    assert all(list(finding)[: len(promised)] == promised for finding in document["findings"])
    assert all(isinstance(finding["resource"]["account_id"], str) for finding in document["findings"])


def test_findings_are_failures_and_unknowns_unless_asked() -> None:
    assert {f["outcome"] for f in parsed(fixture.report())["findings"]} == {"fail", "unknown"}
    assert {f["outcome"] for f in parsed(fixture.report(all_outcomes=True))["findings"]} == {
        *("fail", "unknown", "pass", "not_applicable")
    }
    assert [f["rule_id"] for f in parsed(fixture.report())["findings"] if f["waiver"]] == ["SVC-003"]


def test_exit_and_coverage() -> None:
    document = parsed(fixture.report())
    assert document["summary"]["exit"] == {"code": 3, "also": [4]}
    assert {read["complete"] for read in document["coverage"]["reads"]} == {False}
    operations = document["coverage"]["operations"]
    assert sum(row["complete"] + row["incomplete"] for row in operations) == 8
    assert sum(row["incomplete"] for row in operations) == len(document["coverage"]["reads"])


def test_the_order_of_the_input_does_not_matter() -> None:
    report = fixture.report()
    scan = replace(report.scan, accounts=report.scan.accounts[::-1])
    turned = replace(
        report, scan=scan, findings=report.findings[::-1], reads=report.reads[::-1], paths=report.paths[::-1]
    )
    assert reporter.render(turned) == reporter.render(report)


def test_one_finding_per_line() -> None:
    lines = reporter.render(fixture.report()).splitlines()
    rows = [json.loads(line.rstrip(",")) for line in lines if line.startswith('{"id": ')]
    assert len(rows) == 9


def test_hostile_text_comes_through_and_stays_ascii() -> None:
    report = fixture.hostile_report()
    text = reporter.render(report)
    assert text.isascii() and not set(text) & {chr(code) for code in (*range(10), *range(11, 32), 127)}
    names = {finding["resource"]["name"] for finding in json.loads(text)["findings"]}
    whole = {name for name in HOSTILE.values() if not any("\ud800" <= char <= "\udfff" for char in name)}
    assert whole <= names
    assert "high \\ud83d low \\ude00 end" in names


def test_paths_alone() -> None:
    assert json.loads(reporter.paths_array(fixture.PATHS)) == parsed(fixture.report())["paths"]
    assert json.loads(reporter.paths_array(())) == []


def test_many_findings_take_little_time() -> None:
    report = fixture.big_report(10_000)
    start = time.process_time()
    document = reporter.render(report)
    assert time.process_time() - start < 3
    assert document.count('{"id": "plf1-') == 10_000
