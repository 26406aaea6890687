"""The page of one company holds nothing of the other that the connection does not show, in any format."""

from __future__ import annotations

import dataclasses
from functools import cache

import pytest

from auditor.cli import reporting
from auditor.cli.formats import FORMATS
from auditor.cli.judging import judged, selected_rules
from auditor.errors import UsageError
from auditor.findings import Outcome, Report, Side, Waiver
from auditor.inventory.snapshot import Snapshot
from auditor.reporters.diagram import CONSUMER_COLUMNS, columns_of
from auditor.reporters.sides import ASK, WITHHELD, Reader, accounts_of, for_side
from auditor.simulator.faults import Fault
from auditor.simulator.scenarios import SCENARIOS, THIRD
from auditor.spec import Spec
from tests.end_to_end.deployment import CONSUMER, PROVIDER, take
from tests.end_to_end.planted import everything_in, plant, standing_in, values

NAMES = ("tutorial", "broken", "three-accounts", "cross-region", "nlb", "hostile-names", "same-account")


@cache
def scanned(name: str, *, unread: bool = False) -> tuple[Snapshot, Report]:
    world = SCENARIOS[name]()
    if name != "hostile-names":
        plant(world)
    faults = [Fault(operation="slb:DescribeLoadBalancers", kind="forbidden", account_id=PROVIDER),
              Fault(operation="vpc:DescribeVSwitches", kind="forbidden", account_id=CONSUMER)]  # fmt: skip
    profiles = [credential.profile for credential in world.credentials.values()]
    snapshot = take(world, profiles=profiles, faults=faults if unread else ())
    rules = selected_rules(())
    findings, paths = judged(snapshot, rules, Spec(), one_sided=False)
    report = reporting.build_report(
        snapshot, findings, fail_on="high", all_outcomes=True, rules_selected=len(rules), paths=paths,
        notices=("a notice of the whole scan",),
    )  # fmt: skip
    return snapshot, report


def pages() -> list[tuple[str, str, str, bool]]:
    found = [(name, side, account, False) for name in NAMES for side, account in
             (("provider", PROVIDER), ("consumer", CONSUMER))]  # fmt: skip
    found += [("broken", "provider", PROVIDER, True), ("broken", "consumer", CONSUMER, True)]
    return [*found, ("three-accounts", "consumer", THIRD, False)]


@pytest.mark.parametrize(("name", "side", "account", "unread"), pages())
def test_no_format_holds_anything_of_the_other_side(name: str, side: str, account: str, unread: bool) -> None:
    snapshot, whole = scanned(name, unread=unread)
    report = for_side(whole, snapshot, Reader(Side(side), (account,)))
    mine = values(snapshot, [account])
    theirs = values(snapshot, [account], others=True) - mine
    partners = {PROVIDER, CONSUMER, THIRD} if account == PROVIDER else {PROVIDER, account}
    shared = {service for service in snapshot["endpoint_services"]["service_id"] if service in mine}
    theirs -= partners | shared | {"0.0.0.0/0", "100.64.0.0/10"}
    assert theirs or name == "same-account"
    for form, renderer in FORMATS.items():
        data = renderer.render(report, {"width": 200, "color": False, "lang": "en"})
        text = everything_in(data if isinstance(data, str) else data.decode())
        assert not standing_in(text, theirs), form
        for other in {PROVIDER, CONSUMER, THIRD} - {account}:
            assert f"planted{other}" not in text, form
            assert other in partners or other not in text, form


@pytest.mark.parametrize(("name", "side", "account", "unread"), pages())
def test_own_objects_are_whole_and_the_other_side_is_one_line(name: str, side: str, account: str, unread: bool) -> None:
    snapshot, whole = scanned(name, unread=unread)
    report = for_side(whole, snapshot, Reader(Side(side), (account,)))
    before = {finding.id: finding for finding in whole.findings}
    asked = [finding for finding in report.findings if finding.remediation.summary == ASK]
    for finding in report.findings:
        if finding in asked:
            assert finding.outcome in (Outcome.FAIL, Outcome.UNKNOWN)
            assert not (finding.observed or finding.reason or finding.gaps or finding.remediation.cli)
            assert finding.resource.type in ("endpoints", "endpoint_services")
            assert finding.resource.name is None
            continue
        old = before[finding.id]
        assert (finding.outcome, finding.severity, finding.rule_id) == (old.outcome, old.severity, old.rule_id)
        if not unread:
            assert finding.observed == old.observed != WITHHELD
            assert finding.remediation == old.remediation
    assert all(read.account_id == account for read in report.reads)
    assert [a["account_id"] for a in report.scan.accounts] == [account]
    assert not report.exit_reasons
    assert not report.extra
    mine = 0 if side == "consumer" else CONSUMER_COLUMNS
    for path in report.paths:
        for number, column in enumerate(columns_of(path)):
            others = (number < CONSUMER_COLUMNS) != (mine == 0) and path.consumer_account_id != path.provider_account_id
            if others and not any(hop.kind == "connection" for hop in column):
                assert len(column) == 1
                assert not column[0].rule_ids
                assert column[0].id in (path.endpoint_id, path.service_id)


def test_what_the_other_side_has_to_do_is_told_once() -> None:
    snapshot, whole = scanned("broken")
    report = for_side(whole, snapshot, Reader(Side.CONSUMER))
    asked = {(f.rule_id, f.resource.id) for f in report.findings if f.remediation.summary == ASK}
    assert {("BE-002", "epsrv-gw8audit"), ("RES-003", "epsrv-gw8search"), ("CONN-001", "ep-gw8reports")} <= asked
    assert not [rule for rule, key in asked if key in ("epsrv-gw8drafts",)], "a service without a connection"
    assert {(f.rule_id, f.resource.id) for f in report.findings} >= {("SG-001", "ep-gw8media")}
    assert [p.verdict for p in report.paths] == [p.verdict for p in whole.paths]


def test_two_consumers_have_to_be_told_apart() -> None:
    snapshot, whole = scanned("three-accounts")
    assert accounts_of(snapshot, Side.CONSUMER) == {CONSUMER, THIRD}
    with pytest.raises(UsageError, match=rf"2 audited accounts are a consumer .*--side consumer:{CONSUMER}"):
        for_side(whole, snapshot, Reader(Side.CONSUMER))
    with pytest.raises(UsageError, match=rf"no audited account {PROVIDER} is a consumer"):
        for_side(whole, snapshot, Reader(Side.CONSUMER, (PROVIDER,)))
    both = for_side(whole, snapshot, Reader(Side.CONSUMER, (CONSUMER, THIRD)))
    assert len(both.paths) == len(whole.paths)


def test_the_search_finds_what_is_there() -> None:
    """The whole report holds much of the other side: the test above looks for something."""
    for name, account in (("broken", PROVIDER), ("three-accounts", CONSUMER), ("cross-region", PROVIDER)):
        snapshot, whole = scanned(name)
        theirs = values(snapshot, [account], others=True) - values(snapshot, [account])
        for form in ("json", "html", "csv", "ndjson"):
            data = FORMATS[form].render(whole, {})
            text = everything_in(data if isinstance(data, str) else data.decode())
            assert len(standing_in(text, theirs)) > 5, (name, form)
            assert "planted" in text


@pytest.mark.parametrize("place", ["observed", "reason", "part", "summary", "cli", "terraform", "console", "waiver"])
@pytest.mark.parametrize("what", ["name", "id", "address", "block", "piece", "account"])
def test_what_slips_into_a_text_of_the_own_side_is_withheld(place: str, what: str) -> None:
    snapshot, whole = scanned("three-accounts")
    secret = {
        "name": next(iter(snapshot["load_balancers"]["load_balancer_name"])),
        "id": next(iter(snapshot["backends"]["server_id"])),
        "address": next(iter(snapshot["backends"]["server_ip"])),
        "block": next(v for v in snapshot["vswitches"]["cidr_block"] if v.startswith("192.")),
        "piece": next(v for v in snapshot["backends"]["server_ip"]).rsplit(".", 1)[0] + ".128/25",
        "account": THIRD,
    }[what]
    text = f"before {secret}, behind"
    own = next(f for f in whole.findings if f.resource.account_id == CONSUMER and f.side is Side.CONSUMER)
    fix = own.remediation
    changed = {
        "observed": {"observed": text},
        "reason": {"reason": text},
        "part": {"part": text},
        "summary": {"remediation": dataclasses.replace(fix, summary=text)},
        "cli": {"remediation": dataclasses.replace(fix, cli=(text,))},
        "terraform": {"remediation": dataclasses.replace(fix, terraform=text)},
        "console": {"remediation": dataclasses.replace(fix, console=text)},
        "waiver": {"waiver": Waiver(text, text, text, "2027-01-01", text), "outcome": Outcome.FAIL},
    }[place]
    told = dataclasses.replace(own, **changed)  # type: ignore[arg-type]
    page = for_side(
        dataclasses.replace(whole, findings=(told,), paths=()), snapshot, Reader(Side.CONSUMER, (CONSUMER,))
    )
    assert len(page.findings) == 1
    assert secret not in repr(page)


def test_names_that_are_words_of_plaudit_withhold_nothing() -> None:
    """Somebody calls a security group "endpoint": that is no reason to take the word from every sentence."""
    world = SCENARIOS["broken"]()
    for group in world.security_groups.values():
        group.name = "endpoint"
    for clb in world.clbs.values():
        clb.name = "zone"
    snapshot = take(world)
    findings, paths = judged(snapshot, selected_rules(()), Spec(), one_sided=False)
    whole = reporting.build_report(snapshot, findings, fail_on="high", all_outcomes=True, rules_selected=1, paths=paths)
    report = for_side(whole, snapshot, Reader(Side.CONSUMER))
    assert WITHHELD not in repr(report)
