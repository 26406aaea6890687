"""SARIF: the standard's schema, GitHub's demands, and what a hostile name must not become."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from auditor.errors import UsageError
from auditor.findings import Report
from auditor.reporters import sarif
from auditor.reporters.summary import summarize
from tests.reporters import golden
from tests.reporters.fixture import ZONE, big_report, report
from tests.reporters.formats.reports import REPORTS
from tests.reporters.formats.schemas import check


def run_of(shown: Report, **options: Any) -> dict[str, Any]:
    """The run of a document that passed both schemas."""
    text = sarif.render(shown, **options)
    document = json.loads(text)
    check("sarif-schema-2.1.0.json", document)
    check("github-code-scanning.schema.json", document)
    (run,) = document["runs"]
    rules = run["tool"]["driver"]["rules"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    found: dict[str, Any] = run
    return found


def _notes(run: dict[str, Any]) -> list[str]:
    return [note["message"]["text"] for note in run["invocations"][0].get("toolExecutionNotifications", ())]


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize("options", [{}, {"waived": True}, {"github": False, "waived": True}], ids=str)
def test_every_document_is_valid(name: str, options: dict[str, Any]) -> None:
    run_of(REPORTS[name](), **options)


def test_the_document_looks_as_it_did() -> None:
    golden.compare("report.sarif", sarif.render(report()))


def test_only_failures_nobody_waived_are_results_and_the_rest_is_counted() -> None:
    run = run_of(REPORTS["all outcomes"]())
    counts = summarize(report()).counts
    assert len(run["results"]) == counts["fail"]
    assert _notes(run) == [
        "3 outcomes are unknown and not in this file.",
        "1 failures are waived and not in this file.",
        "2 of 8 reads were not complete.",
    ]


def test_waived_failures_are_suppressed_results_on_request() -> None:
    (result,) = (r for r in run_of(report(), waived=True)["results"] if "suppressions" in r)
    assert result["ruleId"] == "SVC-003"
    assert result["suppressions"][0]["status"] == "accepted"


def test_consumers_that_know_kinds_get_every_outcome() -> None:
    run = run_of(REPORTS["all outcomes"](), github=False, waived=True)
    kinds = [result.get("kind", "fail") for result in run["results"]]
    counts = summarize(report()).counts
    assert {kind: kinds.count(kind) for kind in kinds} == {
        "fail": counts["fail"] + counts["waived"],
        "open": counts["unknown"],
        "pass": counts["pass"],
        "notApplicable": counts["not_applicable"],
    }
    assert all("level" not in result for result in run["results"] if "kind" in result)


def test_results_lie_at_the_anchor_or_at_the_file_of_their_finding() -> None:
    run = run_of(report(), anchor="./audit/plaudit.yaml", anchors={ZONE.id: "infra/main zone.tf"})
    uris = {r["ruleId"]: r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for r in run["results"]}
    assert uris["ZONE-001"] == "infra/main%20zone.tf"
    assert uris["BE-003"] == "audit/plaudit.yaml"


@pytest.mark.parametrize("anchor", ["", "/etc/passwd", "../x", "a/../../x", "C:\\x", "a//b", "."])
def test_an_anchor_outside_the_repository_is_refused(anchor: str) -> None:
    with pytest.raises(UsageError, match="relative to its root"):
        sarif.render(report(), anchor=anchor)


def test_an_anchor_that_looks_like_a_scheme_stays_a_path() -> None:
    assert sarif.anchor_uri("javascript:alert(1)") == "javascript%3Aalert%281%29"


def test_above_the_limit_the_worst_are_kept_and_it_is_said() -> None:
    (run,) = json.loads(sarif.render(big_report(7_000)))["runs"]  # the schemas take a minute for this one
    assert len(run["results"]) == sarif.MAX_RESULTS
    assert _notes(run)[0] == "Only the worst 5000 of 6000 results are in this file."
    severities = [result["properties"]["severity"] for result in run["results"]]
    assert severities.count("critical") == 1200 and "info" not in severities[:4000]


def test_fingerprints_are_the_ids() -> None:
    run = run_of(big_report(500))
    ids = [result["fingerprints"]["plauditFinding/v1"] for result in run["results"]]
    lines = [result["partialFingerprints"]["primaryLocationLineHash"] for result in run["results"]]
    assert len(set(ids)) == len(ids) == len(set(lines))
    assert [f"plf1-{line[:-2]}" for line in lines] == ids


def test_nothing_a_tenant_wrote_is_a_link_or_a_placeholder() -> None:
    run = run_of(REPORTS["hostile"](), github=False, waived=True)
    for result in run["results"]:
        assert "](" not in result["message"]["text"]
        assert not re.search(r"\{\d+\}", result["message"]["text"])
    for rule in run["tool"]["driver"]["rules"]:
        assert rule.get("helpUri", "https://").startswith("https://")
        assert not re.search(r"\]\((?!<https://)|(?<!\\)<(?!https://)", rule["help"]["markdown"])


def test_texts_of_rules_are_cut_to_what_github_takes() -> None:
    long = replace(ZONE, title="Long " * 400, rationale="x" * 5_000, tags=("t", *map(str, range(50))))
    (rule,) = run_of(report(findings=(long,)))["tool"]["driver"]["rules"]
    assert len(rule["fullDescription"]["text"]) == 1_024 and len(rule["properties"]["tags"]) == 20
