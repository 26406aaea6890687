"""Waivers and baselines: exact, dated, and never quiet about what they no longer do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from auditor.baseline import baseline_text, load_baseline, pruned_text
from auditor.errors import FileError
from auditor.findings import Basis, Finding, Outcome, Remediation, ResourceRef, Severity, Side, finding_id
from auditor.waivers import WaiverEntry, apply_waivers, load_waivers

ACCOUNT, REGION = "1234567890123456", "eu-central-1"
RULES = {"CLB-002": "CLB-002", "GOV-002": "GOV-002", "OLD-001": "GOV-002"}
TODAY = date(2026, 11, 24)

ENTRY = """\
version: 1
waivers:
  - id: W-1
    rule: CLB-002
    account: "1234567890123456"
    resource: lb-1
    reason: Lab, rebuilt every night.
    owner: net@example.com
    granted: 2026-11-01
    expires: 2026-12-31
"""


def finding(resource: str, outcome: Outcome = Outcome.FAIL, rule: str = "CLB-002", account: str = ACCOUNT) -> Finding:
    return Finding(
        id=finding_id(rule, account, REGION, resource),
        rule_id=rule,
        title="CLB has deletion protection",
        severity=Severity.MEDIUM,
        basis=Basis.DOCUMENTED,
        outcome=outcome,
        resource=ResourceRef("load_balancers", resource, account, REGION, None),
        side=Side.PROVIDER,
        remediation=Remediation("Turn it on."),
    )


def load(tmp_path: Path, text: str) -> list[WaiverEntry]:
    path = tmp_path / "waivers.yaml"
    path.write_text(text, encoding="utf-8")
    return load_waivers(path, RULES, TODAY)


def waived(
    entries: Sequence[WaiverEntry], *findings: Finding, today: date = TODAY, **tags: list[tuple[str, str]]
) -> list[str]:
    state = apply_waivers(entries, findings, today, tags, complete=True)
    return [item.resource.id for item in state.findings if item.waived]


def test_one_exact_object_of_one_account(tmp_path: Path) -> None:
    entries = load(tmp_path, ENTRY)
    found = waived(entries, finding("lb-1"), finding("lb-10"), finding("lb-1", account="9999999999999999"))
    assert found == ["lb-1"]


def test_only_a_failure_can_be_waived(tmp_path: Path) -> None:
    state = apply_waivers(load(tmp_path, ENTRY), [finding("lb-1", Outcome.UNKNOWN)], TODAY, {}, complete=True)
    assert state.findings[0].waiver is None
    assert state.unused == ()


def test_the_last_day_still_holds_and_the_next_one_says_so(tmp_path: Path) -> None:
    entries = load(tmp_path, ENTRY)
    assert waived(entries, finding("lb-1"), today=date(2026, 12, 31)) == ["lb-1"]
    state = apply_waivers(entries, [finding("lb-1")], date(2027, 1, 1), {}, complete=True)
    assert not state.findings[0].waived
    assert state.notices == ("waiver W-1 expired on 2026-12-31: its findings are open again; owner net@example.com",)


def test_the_last_fortnight_is_announced(tmp_path: Path) -> None:
    state = apply_waivers(load(tmp_path, ENTRY), [finding("lb-1")], date(2026, 12, 17), {}, complete=True)
    assert [entry.label for entry in state.expiring] == ["W-1"]


def test_what_matches_nothing_is_reported_after_a_complete_scan_only(tmp_path: Path) -> None:
    entries = load(tmp_path, ENTRY)
    assert [e.label for e in apply_waivers(entries, [], TODAY, {}, complete=True).unused] == ["W-1"]
    assert apply_waivers(entries, [], TODAY, {}, complete=False).unused == ()


def test_tag_prefix_alias_and_list_of_accounts(tmp_path: Path) -> None:
    by_tag = ENTRY.replace("resource: lb-1", "match: {tag: {env: lab}}")
    assert waived(load(tmp_path, by_tag), finding("lb-1"), finding("lb-2"), **{"lb-2": [("env", "lab")]}) == ["lb-2"]
    by_prefix = ENTRY.replace("resource: lb-1", "match: {prefix: lb-lab-}")
    assert waived(load(tmp_path, by_prefix), finding("lb-lab-1"), finding("lb-prod")) == ["lb-lab-1"]
    alias = ENTRY.replace("CLB-002", "OLD-001").replace('"1234567890123456"', "[1234567890123456, 9999999999999999]")
    assert waived(load(tmp_path, alias), finding("lb-1", rule="GOV-002", account="9999999999999999")) == ["lb-1"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("rule: CLB-002", "rule: CLB-*", ":4: no rule CLB-*"),
        ("    reason: Lab, rebuilt every night.\n", "", ":3: missing key `reason`"),
        ("    owner: net@example.com\n", "", "missing key `owner`"),
        ("    expires: 2026-12-31\n", "", "missing key `expires`"),
        ("expires: 2026-12-31", "expires: 2027-12-31", ":10: lies more than 180 days after"),
        ("expires: 2026-12-31", "expires: 2026-10-31", "lies before `granted`"),
        ("expires: 2026-12-31", "expires: 2026-02-31", "there is no day 2026-02-31"),
        ("expires: 2026-12-31", "expires: soon", "expected a date"),
        ("resource: lb-1", "resource: lb-*", "matched exactly"),
        ("resource: lb-1", "match: {prefix: lb}", "at least four characters"),
        ("    resource: lb-1\n", "", "name the objects"),
        ('account: "1234567890123456"', "account: 12", "sixteen digits"),
        (
            'account: "1234567890123456"\n    resource: lb-1',
            'account: "*"\n    match: {prefix: lb-lab-}',
            "only together",
        ),
        ("reason:", "raeson:", "did you mean reason?"),
        ("version: 1", "version: 2", "version: 1"),
    ],
)
def test_a_file_that_is_not_exact_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in ENTRY
    with pytest.raises(FileError) as caught:
        load(tmp_path, ENTRY.replace(old, new))
    assert message in str(caught.value)


def test_two_entries_cannot_share_an_id(tmp_path: Path) -> None:
    second = ENTRY.split("waivers:\n")[1]
    with pytest.raises(FileError, match="used in line 3 already"):
        load(tmp_path, ENTRY + second)


def test_a_baseline_holds_failures_and_survives_the_way_to_disk(tmp_path: Path) -> None:
    path = tmp_path / "baseline"
    path.write_text(baseline_text([finding("lb-1"), finding("lb-2", Outcome.UNKNOWN)], TODAY), encoding="utf-8")
    baseline = load_baseline(path)
    assert baseline.ids == {finding("lb-1").id}
    assert baseline.age(date(2026, 12, 24)) == 30


def test_pruning_drops_what_is_repaired_and_keeps_what_is_unknown(tmp_path: Path) -> None:
    path = tmp_path / "baseline"
    all_three = [finding("lb-1"), finding("lb-2"), finding("lb-gone")]
    path.write_text(baseline_text(all_three, TODAY), encoding="utf-8")
    now = [replace(all_three[0], outcome=Outcome.PASS), replace(all_three[1], outcome=Outcome.UNKNOWN)]
    for complete, kept in ((False, {"lb-2", "lb-gone"}), (True, {"lb-2"})):
        other = tmp_path / f"pruned-{complete}"
        other.write_text(pruned_text(load_baseline(path), now, complete=complete), encoding="utf-8")
        assert load_baseline(other).ids == {finding(name).id for name in kept}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", ":1: does not begin"),
        ("# plaudit baseline 1, written yesterday\n", ":1: the first line"),
        ("# plaudit baseline 1, written 2026-11-24\nplf1-12\n", ":2: expected a finding id"),
    ],
)
def test_a_baseline_that_is_not_one_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "baseline"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FileError) as caught:
        load_baseline(path)
    assert message in str(caught.value)
