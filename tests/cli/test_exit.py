"""Exit codes: the truth table of section 2 of the interface."""

from __future__ import annotations

import itertools
from typing import Any, cast

import pytest

from auditor.cli.exit import Gate, decide
from auditor.findings import (
    Basis,
    Finding,
    Outcome,
    Remediation,
    ResourceRef,
    Severity,
    Side,
    Waiver,
    finding_id,
)

WAIVER = Waiver(None, "because", "me", "2099-01-01")


def finding(outcome: Outcome, severity: Severity = Severity.HIGH, **more: Any) -> Finding:
    return Finding(
        id=finding_id("X-001", "1", "r", "ep-1"),
        rule_id="X-001",
        title="t",
        severity=severity,
        basis=Basis.DOCUMENTED,
        outcome=outcome,
        resource=ResourceRef("endpoints", "ep-1", "1", "r"),
        side=Side.CONSUMER,
        remediation=Remediation("s"),
        **more,
    )


def code(findings: list[Finding], gate: Gate | None = None, **more: Any) -> tuple[int, tuple[int, ...]]:
    given = {"complete": True, "percent": 100.0, "rules_selected": 5, **more}
    verdict = decide(findings, gate or Gate(), **given)
    assert bool(verdict.reasons) == bool(verdict.code)
    return verdict.code, verdict.also


GOOD, BAD, DARK = finding(Outcome.PASS), finding(Outcome.FAIL), finding(Outcome.UNKNOWN)
PARTIAL = {"complete": False, "percent": 90.0}


def test_the_simple_rows() -> None:
    assert code([GOOD]) == (0, ())
    assert code([GOOD, BAD]) == (3, ())
    assert code([GOOD, DARK]) == (4, ())
    assert code([GOOD], **PARTIAL) == (4, ())
    assert code([GOOD], undelivered=["json"]) == (6, ())


@pytest.mark.parametrize(("failed", "unknown", "partial", "lost"), list(itertools.product([False, True], repeat=4)))
def test_three_before_four_before_six(failed: bool, unknown: bool, partial: bool, lost: bool) -> None:
    findings = [GOOD] + [BAD] * failed + [DARK] * unknown
    coverage = PARTIAL if partial else {}
    expected = [3] * failed + [4] * (unknown or partial) + [6] * lost or [0]
    assert code(findings, **coverage, undelivered=["x"] * lost) == (expected[0], tuple(expected[1:]))


@pytest.mark.parametrize("threshold", list(Severity))
@pytest.mark.parametrize("severity", list(Severity))
def test_the_threshold(threshold: Severity, severity: Severity) -> None:
    counts = severity.rank <= threshold.rank
    assert code([GOOD, finding(Outcome.FAIL, severity)], Gate(threshold.value))[0] == (3 if counts else 0)
    assert code([GOOD, finding(Outcome.UNKNOWN, severity)], Gate(threshold.value))[0] == (4 if counts else 0)


def test_none_silences_three_and_never_four() -> None:
    assert code([BAD], Gate("none")) == (0, ())
    assert code([BAD, finding(Outcome.UNKNOWN, Severity.INFO)], Gate("none")) == (4, ())
    assert code([BAD], Gate("none"), **PARTIAL) == (4, ())
    assert code([], Gate("none")) == (4, ())


def test_waived_and_known_failures_do_not_count() -> None:
    assert code([finding(Outcome.FAIL, waiver=WAIVER)]) == (0, ())
    # What the history knows already still counts; only a baseline lets it pass.
    assert code([finding(Outcome.FAIL, is_new=False)]) == (3, ())
    assert code([BAD], Gate(baseline=frozenset({BAD.id}))) == (0, ())
    assert code([BAD], Gate(baseline=frozenset())) == (3, ())
    assert code([DARK], Gate(baseline=frozenset({DARK.id}))) == (4, ())
    assert code([finding(Outcome.UNKNOWN, waiver=WAIVER)]) == (4, ())


def test_allow_unknown() -> None:
    gate = Gate(allow_unknown=True)
    assert code([GOOD, DARK], gate) == (0, ())
    assert code([GOOD], gate, **PARTIAL) == (0, ())
    assert code([BAD, DARK], gate) == (3, ())
    assert code([GOOD, DARK], gate, undelivered=["json"]) == (6, ())
    verdict = decide([GOOD, DARK], gate, complete=False, percent=90.0, rules_selected=1)
    assert verdict.allowed == (
        "1 outcome at or above high could not be judged",
        "coverage is incomplete: 90 % of the reads were complete",
    )


def test_min_coverage() -> None:
    assert code([GOOD], Gate(min_coverage=90), **PARTIAL) == (0, ())
    assert code([GOOD], Gate(min_coverage=90.1), **PARTIAL) == (4, ())
    assert code([GOOD, DARK], Gate(min_coverage=90), **PARTIAL) == (4, ())
    assert code([GOOD, DARK], Gate(min_coverage=90, allow_unknown=True), **PARTIAL) == (0, ())
    assert code([GOOD, DARK], Gate(min_coverage=95, allow_unknown=True), **PARTIAL) == (4, ())


@pytest.mark.parametrize("gate", [Gate(), Gate("none"), Gate(allow_unknown=True), Gate("none", True, 0.0)])
def test_nothing_is_never_good(gate: Gate) -> None:
    assert code([], gate)[0] == 4
    assert code([finding(Outcome.NOT_APPLICABLE)], gate)[0] == 4
    assert code([GOOD], gate, rules_selected=0)[0] == 4
    strange = finding(Outcome.PASS, cast(Severity, "catastrophic"))
    assert code([GOOD, strange], gate)[0] == 4
    assert code([GOOD], Gate("hihg", gate.allow_unknown, gate.min_coverage))[0] == 4


def test_an_unknown_severity_does_not_hide_a_failure() -> None:
    strange = finding(Outcome.FAIL, cast(Severity, "catastrophic"))
    assert code([BAD, strange]) == (3, (4,))
