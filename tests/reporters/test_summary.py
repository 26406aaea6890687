"""The numbers: every finding counts once, and nothing that was not read looks like something that was."""

from __future__ import annotations

from dataclasses import replace

from auditor.findings import Outcome, Read, ResourceRef, Severity
from auditor.reporters.summary import COUNTED, summarize
from tests.reporters import fixture


def test_every_finding_counts_exactly_once() -> None:
    report = fixture.report()
    summary = summarize(report)
    assert summary.counts.numbers == {"pass": 5, "fail": 5, "unknown": 3, "not_applicable": 1, "waived": 1}
    assert summary.counts.total == len(report.findings)
    for name in COUNTED:
        assert sum(counts[name] for counts in summary.by_severity.values()) == summary.counts[name]
        assert sum(counts[name] for counts in summary.by_rule.values()) == summary.counts[name]
    assert set(summary.by_severity) == set(Severity)


def test_worst_first_and_in_any_order_the_same() -> None:
    report = fixture.report()
    summary = summarize(report)
    assert [f.rule_id for f in summary.shown] == [
        *("CONN-001", "RES-001", "ZONE-001", "GOV-001", "SG-001", "BE-003", "SG-003", "NAME-001", "SVC-003")
    ]
    turned = replace(report, findings=report.findings[::-1], reads=report.reads[::-1])
    assert summarize(turned).findings == summary.findings
    assert summarize(turned).coverage == summary.coverage
    assert [g.key for g in summarize(turned).groups] == [g.key for g in summary.groups]


def test_all_outcomes_shows_the_rest_and_counts_the_same() -> None:
    summary = summarize(fixture.report(all_outcomes=True))
    assert len(summary.shown) == len(fixture.FINDINGS)
    assert summary.counts.numbers == summarize(fixture.report()).counts.numbers


def test_a_read_for_several_tables_counts_once_and_only_whole() -> None:
    coverage = summarize(fixture.report()).coverage
    assert (coverage.complete, coverage.percent, coverage.total) == (False, 75.0, 8)
    assert {read.target for read in coverage.incomplete} == {"sg-gw8reporting", "lb-m5eorders2"}


def test_coverage_never_rounds_up_to_everything() -> None:
    reads = tuple(Read("1", "r", "p:O", str(n), n > 0, None if n else "E", None, None) for n in range(5000))
    coverage = summarize(fixture.report(reads=reads)).coverage
    assert not coverage.complete and coverage.percent == 99.9
    nothing = summarize(fixture.report(reads=())).coverage
    assert not nothing.complete and nothing.percent == 0.0


def test_connections_and_whose_turn_it_is() -> None:
    summary = summarize(fixture.report())
    groups = {group.key: group for group in summary.groups}
    shop = groups["ep-gw8shop"]
    assert (shop.status, shop.consumer_account_id, shop.provider_account_id) == (
        "broken",
        fixture.CONSUMER,
        fixture.PROVIDER,
    )
    assert shop.service is not None and shop.service.id == "epsrv-m5e0orders"
    assert [(turn.owner.account_id, turn.fixes, turn.undecided) for turn in shop.turns] == [
        (fixture.CONSUMER, 2, 0),
        (fixture.PROVIDER, 1, 0),
    ]
    reporting = groups["ep-gw8reporting"]
    assert [(turn.owner.side, turn.fixes, turn.undecided) for turn in reporting.turns] == [
        ("provider", 1, 0),
        ("consumer", 0, 2),
    ]
    assert [f.rule_id for f in shop.shared] == ["BE-003"]
    billing = groups["ep-gw8billing"]  # the only connection of its service: one group, the waived one included
    assert [f.rule_id for f in billing.findings] == ["CONN-001", "SVC-003"]
    assert [turn.owner.account_id for turn in billing.turns] == [fixture.PROVIDER]
    assert groups["epsrv-m5e0idle"].kind == "service"
    assert groups[fixture.CONSUMER].kind == "account"
    assert summary.statuses == {"broken": 2, "attention": 2, "unknown": 0, "clean": 0}
    assert summary.headline == "Of 4 connections, 2 are broken, 2 need a fix."


def test_every_listed_finding_lies_in_a_group() -> None:
    summary = summarize(fixture.report(all_outcomes=True))
    filed = {finding.id for group in summary.groups for finding in group.findings}
    assert filed == {finding.id for finding in summary.findings}


def test_nothing_passed_is_not_fine() -> None:
    only = tuple(f for f in fixture.FINDINGS if f.outcome is Outcome.NOT_APPLICABLE)
    summary = summarize(fixture.report(findings=only, paths=()))
    assert [group.status for group in summary.groups if group.kind == "connection"] == ["unknown"]
    assert summarize(fixture.report(findings=(), paths=())).headline == "No connection was found to judge."
    assert summarize(fixture.clean_report()).statuses["clean"] == 1


def test_an_unknown_path_keeps_a_connection_from_being_fine() -> None:
    passed = tuple(f for f in fixture.FINDINGS if f.outcome is Outcome.PASS and f.resource == fixture.REPORTING)
    summary = summarize(fixture.report(findings=passed, paths=fixture.PATHS[2:]))
    assert summary.statuses["unknown"] == 1


def test_the_fix_belongs_to_the_side_not_to_the_resource() -> None:
    summary = summarize(fixture.report())
    owners = {f.rule_id: summary.owners(f) for f in summary.shown}
    assert [(o.side, o.account_id) for o in owners["CONN-001"]] == [("provider", fixture.PROVIDER)]
    assert [(o.side, o.account_id) for o in owners["ZONE-001"]] == [("consumer", fixture.CONSUMER)]
    assert [(o.side, o.account_id) for o in owners["BE-003"]] == [("provider", fixture.PROVIDER)]
    stranger = ResourceRef("endpoints", "ep-lonely", fixture.CONSUMER, fixture.REGION)
    lonely = fixture.finding("CONN-001", "Connection is Connected", "critical", "fail", stranger)
    summary = summarize(fixture.report(findings=(lonely,), paths=()))
    assert [(o.side, o.account_id) for o in summary.owners(lonely)] == [("provider", None)]
