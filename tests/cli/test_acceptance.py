"""Baseline and waivers in a scan: the truth table, what is said, and the commands that keep the files."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from auditor.cli.acceptance import Acceptance, today
from auditor.cli.exit import Gate, decide
from auditor.cli.terminal import Terminal
from auditor.findings import Finding, Outcome, Read, Report, ScanInfo
from auditor.inventory.archive import write_snapshot
from auditor.inventory.coverage import coverage_frame
from auditor.inventory.normalize import empty_tables
from auditor.inventory.snapshot import Snapshot
from auditor.simulator.scenarios import SCENARIOS
from tests.cli.conftest import Answer
from tests.end_to_end.deployment import take
from tests.waivers.test_waivers import finding

Plaudit = Callable[..., Answer]

FEW = ("--select", "CLB,ALLOW", "--fail-on", "info")


def waiver(rule: str, resource: str, *, days: int = 30, name: str = "W-1") -> str:
    granted = today() + timedelta(days=min(days, 0) - 10)
    return (
        f"version: 1\nwaivers:\n  - id: {name}\n    rule: {rule}\n    resource: {resource}\n    reason: A lab.\n"
        f"    owner: net@example.com\n    granted: {granted}\n    expires: {today() + timedelta(days=days)}\n"
    )


@pytest.mark.parametrize(
    ("outcome", "waived", "known", "complete"),
    list(itertools.product(Outcome, ("no", "yes", "expired"), (False, True), (False, True))),
)
def test_the_truth_table(tmp_path: Path, outcome: Outcome, waived: str, known: bool, complete: bool) -> None:
    """Only a failure is silenced, by a waiver that holds or by a baseline that knows it; an unknown never is."""
    one: Finding = finding("lb-1", outcome)
    baseline, waivers = None, None
    if known:
        baseline = tmp_path / "b"
        baseline.write_text(f"# plaudit baseline 1, written {today()}\n{one.id}\n", encoding="utf-8")
    if waived != "no":
        waivers = tmp_path / "w"
        waivers.write_text(waiver("CLB-002", "lb-1", days=30 if waived == "yes" else -1), encoding="utf-8")
    accepted = Acceptance.read(baseline, waivers, strict=False)
    read = Read("1", "r", "slb:X", "", complete, None, None, None)
    report = Report(ScanInfo("1", "", "", (), ()), (one, finding("lb-2", Outcome.PASS)), (read,))
    report = accepted.applied(report, Snapshot(empty_tables(), coverage_frame([])), ["CLB-002"], Terminal())
    verdict = decide(
        report.findings,
        Gate("info", baseline=accepted.baseline_ids),
        complete=complete,
        percent=100.0 if complete else 50.0,
        rules_selected=1,
    )
    fails = outcome is Outcome.FAIL and waived != "yes" and not known
    expected = 3 if fails else 4 if outcome is Outcome.UNKNOWN or not complete else 0
    assert verdict.code == expected
    assert report.findings[0].waived == (outcome is Outcome.FAIL and waived == "yes")
    text = "\n".join(report.notices)
    assert ("expired on" in text) == (waived == "expired")
    unused = complete and waived == "yes" and outcome in (Outcome.PASS, Outcome.NOT_APPLICABLE)
    assert ("matches no finding" in text) >= unused
    if not complete:
        assert "matches no finding" not in text


@pytest.fixture(scope="session")
def failing(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A snapshot with one unprotected CLB, and its id."""
    world = SCENARIOS["tutorial"]()
    clb = next(iter(world.clbs.values()))
    clb.delete_protection, clb.modification_protection = "off", "NonProtection"
    path = tmp_path_factory.mktemp("failing") / "s.snapshot"
    write_snapshot(take(world), path)
    return path, clb.load_balancer_id


def test_a_baseline_from_write_to_prune(plaudit: Plaudit, failing: tuple[Path, str], tmp_path: Path) -> None:
    snapshot, _clb = failing
    scan = ("scan", "--from", snapshot, *FEW, "--no-history")
    assert plaudit(*scan).code == 3
    answer = plaudit("baseline", "write", "--from", snapshot, "--select", "CLB,ALLOW", "-o", "b.txt")
    assert answer.code == 0
    first = Path("b.txt").read_text(encoding="utf-8")
    assert first.startswith("# plaudit baseline 1, written ")
    assert " # CLB-00" in first
    held = plaudit(*scan, "--baseline", "b.txt")
    assert held.code == 0
    assert "written today" in held.out
    document = plaudit(*scan, "--baseline", "b.txt", "--format", "json").json
    assert document["summary"]["fail"] >= 1  # never hidden
    assert {one["is_new"] for one in document["findings"]} == {False}
    good = tmp_path / "good.snapshot"
    write_snapshot(take(SCENARIOS["tutorial"]()), good)
    assert plaudit("baseline", "prune", "b.txt", "--from", good).code == 0
    assert Path("b.txt").read_text(encoding="utf-8").count("\n") == 1
    assert plaudit(*scan, "--baseline", "b.txt").code == 3
    assert plaudit(*scan, "--baseline", "none.txt").code == 2


def test_waivers_in_a_scan_and_check(plaudit: Plaudit, failing: tuple[Path, str]) -> None:
    snapshot, clb = failing
    scan = ("scan", "--from", snapshot, *FEW, "--no-history")
    rules = {one["rule_id"] for one in plaudit(*scan, "--format", "json").json["findings"]}
    assert len(rules) >= 1
    entries = [waiver(rule, clb, name=rule).split("waivers:\n")[1] for rule in sorted(rules)]
    Path("w.yaml").write_text("version: 1\nwaivers:\n" + "".join(entries), encoding="utf-8")
    held = plaudit(*scan, "--waivers", "w.yaml", "--format", "json")
    assert held.code == 0
    assert held.json["summary"]["waived"] == len(rules)
    assert plaudit(*scan, "--waivers", "w.yaml", "--waivers-strict").code == 0
    check = plaudit("waivers", "check", "w.yaml", "--from", snapshot)
    assert check.code == 0
    assert "holds" in check.out
    Path("w.yaml").write_text(waiver(sorted(rules)[0], clb, days=-1), encoding="utf-8")
    expired = plaudit(*scan, "--waivers", "w.yaml")
    assert expired.code == 3
    assert "expired on" in expired.err
    assert "expired on" in expired.out
    assert plaudit(*scan, "--waivers", "w.yaml", "--waivers-strict").code == 2
    assert plaudit("waivers", "check", "w.yaml", "--waivers-strict", "--from", snapshot).code == 2
    Path("w.yaml").write_text(waiver(sorted(rules)[0], "lb-nobody"), encoding="utf-8")
    unused = plaudit(*scan, "--waivers", "w.yaml", "--waivers-strict")
    assert unused.code == 2
    assert "match no finding" in unused.err
    Path("w.yaml").write_text("version: 1\nwaivers: [{rule: CLB-002}]\n", encoding="utf-8")
    broken = plaudit(*scan, "--waivers", "w.yaml")
    assert broken.code == 2
    assert "w.yaml:2" in broken.err
