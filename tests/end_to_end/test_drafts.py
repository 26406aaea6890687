"""Findings that are made late are those that would have been made at once, and the numbers are theirs."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from auditor import batches
from auditor.batches import OPEN, Batch, Findings
from auditor.engine import Rule, judge, load_rules, select_rules, tables_needed
from auditor.findings import Finding, Outcome, Waiver
from auditor.inventory.snapshot import Snapshot
from auditor.simulator.estates import PROFILES, random_estate
from auditor.simulator.world import World
from auditor.spec import Spec
from tests.end_to_end.deployment import take

LOST = 0.05
RULES = load_rules()
FEW = select_rules(RULES, ["CLB", "SG"], [])


@cache
def whole() -> Snapshot:
    """A few random deployments, collected."""
    world = World()
    for seed in range(3):
        random_estate(seed, world)
    # Something has to fail.
    for clb in list(world.clbs.values())[:2]:
        clb.status = "inactive"
    return take(world, profiles=list(PROFILES), tables=tables_needed(RULES))


def partly_read() -> Snapshot:
    """The same, but some answers were refused."""
    snapshot, draw = whole(), random.Random(1)
    coverage = snapshot.coverage.copy()
    lost = [draw.random() < LOST for _ in range(len(coverage))]
    coverage.loc[lost, "complete"] = False
    coverage.loc[lost, "error_code"] = "Forbidden.RAM"
    coverage.loc[lost, "message"] = "no"
    return replace(snapshot, coverage=coverage)


def judged(snapshot: Callable[[], Snapshot], one_sided: bool = False, rules: Sequence[Rule] = FEW) -> Findings:
    return judge(snapshot(), rules, Spec(), one_sided=one_sided)


def at_once(findings: Findings) -> list[Finding]:
    """Every finding made from its draft there and then, into a plain list, without what `Findings` remembers."""
    return [
        entry if isinstance(entry, Finding) else batch.make(entry)
        for batch in findings.batches
        for entry in batch.entries
    ]


CASES = [(whole, False), (partly_read, False), (partly_read, True)]


@pytest.mark.parametrize(("made", "one_sided"), CASES)
def test_late_findings_are_those_made_at_once(made: Callable[[], Snapshot], one_sided: bool) -> None:
    findings = judged(made, one_sided, RULES)
    plain = at_once(findings)
    # Before anything was made: numbers, open findings and rules.
    expected = Counter((f.rule_id, f.severity, f.outcome.value) for f in plain)
    assert findings.tally() == batches.tally(plain) == expected
    assert {Outcome.PASS, Outcome.NOT_APPLICABLE} <= {Outcome(outcome) for _, _, outcome in expected}
    assert list(findings.opened()) == list(batches.opened(plain)) == [f for f in plain if f.outcome in OPEN]
    assert batches.titles(findings) == batches.titles(plain)
    assert len(findings) == len(plain)
    draw = random.Random(1)
    for place in (0, -1, *(draw.randrange(-len(plain), len(plain)) for _ in range(50))):
        assert findings[place] == plain[place]
    assert findings[5:900:7] == plain[5:900:7]
    assert findings == plain
    assert list(findings) == plain
    assert findings.tally() == expected
    assert len({finding.id for finding in findings}) == len(plain)
    places = [(f.rule_id, f.resource.account_id or "", f.resource.region_id or "") for f in findings]
    assert places == sorted(places)


def test_open_findings_are_changed_and_nothing_else_is() -> None:
    findings = judged(partly_read)
    plain = at_once(findings)
    change: Callable[[Finding], Finding] = lambda finding: replace(finding, first_seen="2026-01-01T00:00:00Z")  # noqa: E731
    assert findings.changed(change) == batches.changed(plain, change)
    assert findings == plain
    assert all((f.first_seen is not None) == (f.outcome in OPEN) for f in findings.changed(change))


def test_an_accepted_failure_counts_as_waived() -> None:
    findings = judged(whole)
    waiver = Waiver(None, "known", "me", "2027-01-01")
    waived = findings.changed(lambda finding: replace(finding, waiver=waiver))
    failures = sum(finding.outcome is Outcome.FAIL for finding in findings)
    assert failures > 0
    assert sum(number for (_, _, word), number in waived.tally().items() if word == "waived") == failures
    assert waived.tally() == batches.tally(list(waived))


def test_a_late_finding_is_made_once() -> None:
    made: list[object] = []
    plain = at_once(judged(whole))
    passed = next(finding for finding in plain if finding.outcome is Outcome.PASS)

    def make(draft: tuple[object, ...]) -> Finding:
        made.append(draft)
        return passed

    def no_refs(draft: tuple[object, ...]) -> Any:
        raise AssertionError(draft)

    settled = Counter({(passed.severity, passed.outcome): 2})
    findings = Findings([Batch(passed.rule_id, passed.title, [(1,), (2,)], [], settled, make, no_refs)])
    assert findings.tally().total() == len(findings) == 2
    assert made == []
    assert [*findings, *findings, findings[0]] == [passed] * 5
    assert made == [(1,), (2,)]
    with pytest.raises(IndexError):
        findings[2]
    assert findings != [passed]
