"""Events: what is told about a finding from one run to the next, and what is never told."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID, uuid5

import pytest

from auditor.findings import Finding, Gap, Outcome, Read, Report, ResourceRef, Severity, Waiver
from auditor.reporters.events import (
    NAMESPACE,
    Activity,
    FindingEvent,
    Known,
    Mode,
    RunActivity,
    RunEvent,
    event_uid,
    events,
    evidence_hash,
    finding_events,
    known,
    last_known,
    milliseconds,
    next_state,
    rfc3339,
)
from tests.reporters.fixture import CONSUMER, PROVIDER, REFUSED, REGION, SHOP, ZONE, report

OTHER = replace(ZONE, id="plf1-" + "1" * 32, resource=replace(SHOP, id="ep-other"), outcome=Outcome.PASS, related=())
LISTED = Read(CONSUMER, REGION, "privatelink:ListVpcEndpoints", "", True, None, None, None)


def told(
    findings: tuple[Finding, ...],
    before: dict[str, Known],
    *,
    reads: tuple[Read, ...] = (LISTED,),
    mode: Mode = Mode.CHANGES,
    judged_rules: tuple[str, ...] | None = None,
) -> list[tuple[str, str]]:
    run = report(findings=findings, reads=reads)
    return [
        (event.finding_id, event.activity.value)
        for event in finding_events(run, before, mode=mode, judged_rules=judged_rules)
    ]


def state(finding: Finding) -> dict[str, Known]:
    return {finding.id: known(finding)}


def as_outcome(outcome: Outcome) -> Finding:
    return replace(ZONE, outcome=outcome)


OPEN = [Outcome.FAIL, Outcome.UNKNOWN]
UNKNOWN = as_outcome(Outcome.UNKNOWN)


@pytest.mark.parametrize("outcome", OPEN)
def test_a_finding_is_created_once(outcome: Outcome) -> None:
    finding = as_outcome(outcome)
    assert told((finding,), {}) == [(finding.id, "create")]
    assert told((finding,), state(finding)) == []


@pytest.mark.parametrize("outcome", OPEN)
def test_a_pass_closes_what_was_open(outcome: Outcome) -> None:
    assert told((as_outcome(Outcome.PASS),), state(as_outcome(outcome))) == [(ZONE.id, "close")]


def test_a_pass_nobody_heard_of_is_no_event() -> None:
    assert told((as_outcome(Outcome.PASS),), {}) == []
    assert told((as_outcome(Outcome.PASS),), state(as_outcome(Outcome.PASS))) == []


@pytest.mark.parametrize("before", OPEN)
@pytest.mark.parametrize("outcome", [Outcome.UNKNOWN, Outcome.NOT_APPLICABLE])
def test_what_is_not_judged_never_closes(before: Outcome, outcome: Outcome) -> None:
    assert (ZONE.id, "close") not in told((as_outcome(outcome),), state(as_outcome(before)))


def test_a_failure_that_became_unknown_is_an_update() -> None:
    assert told((UNKNOWN,), state(ZONE)) == [(ZONE.id, "update")]


@pytest.mark.parametrize(
    "changed",
    [
        replace(ZONE, severity=Severity.LOW),
        replace(ZONE, observed="something else"),
        replace(ZONE, waiver=Waiver("W", "reason", "owner", "2027-01-01")),
        replace(ZONE, related=()),
    ],
    ids=["severity", "observed", "waiver", "related"],
)
def test_a_change_is_an_update(changed: Finding) -> None:
    assert told((changed,), state(ZONE)) == [(ZONE.id, "update")]


def test_a_longer_waiver_is_an_update() -> None:
    waived = replace(ZONE, waiver=Waiver("W", "reason", "owner", "2027-01-01"))
    longer = replace(ZONE, waiver=Waiver("W", "reason", "owner", "2027-02-01"))
    assert told((longer,), state(waived)) == [(ZONE.id, "update")]


def test_what_changes_without_a_change_is_no_update() -> None:
    before = replace(UNKNOWN, gaps=(REFUSED,), reason="request 1")
    again = replace(
        before, gaps=(replace(REFUSED, request_id="other", message="other"),), reason="request 2", title="Renamed",
        evidence=("read at another time",), resource=replace(SHOP, name="renamed"),
    )  # fmt: skip
    assert evidence_hash(before) == evidence_hash(again)
    assert told((again,), state(before)) == []
    other_gap = Gap("throttled", CONSUMER, REGION, None, None, "", None, "")
    assert told((replace(before, gaps=(other_gap,)),), state(before)) == [(ZONE.id, "update")]


def test_a_reopened_finding_is_created_again() -> None:
    assert told((ZONE,), state(as_outcome(Outcome.PASS))) == [(ZONE.id, "create")]


def test_all_tells_what_did_not_change_too() -> None:
    assert told((ZONE, OTHER), state(ZONE), mode=Mode.ALL) == [(ZONE.id, "update")]
    shown = replace(report(findings=(OTHER,)), all_outcomes=True)
    assert [event.activity for event in finding_events(shown, mode=Mode.ALL)] == [Activity.CLOSE]


# ------------------------------------------------------------------------------------------------------------ absence


def test_a_resource_that_left_a_completely_read_list_is_closed() -> None:
    run = report(findings=(OTHER,), reads=(LISTED,))
    (event,) = finding_events(run, state(ZONE))
    assert (event.finding_id, event.activity, event.finding) == (ZONE.id, Activity.CLOSE, None)
    assert last_known(event) == (known(ZONE), SHOP)
    assert next_state(run, state(ZONE)) == {}


GONE_NOT_PROVEN = {
    "nothing was read": ((OTHER,), ()),
    "the list broke off": ((OTHER,), (replace(LISTED, complete=False),)),
    "one of two answers broke off": ((OTHER,), (LISTED, replace(LISTED, complete=False))),
    "another account was read": ((OTHER,), (replace(LISTED, account_id=PROVIDER),)),
    "another region was read": ((OTHER,), (replace(LISTED, region_id="cn-hangzhou"),)),
    "another list was read": ((OTHER,), (replace(LISTED, operation="privatelink:ListVpcEndpointServices"),)),
    "the rule was not judged": ((replace(OTHER, rule_id="SG-001"),), (LISTED,)),
    "another rule still sees the resource": ((OTHER, replace(ZONE, id="x", rule_id="SG-001")), (LISTED,)),
    "it is related to something": ((replace(OTHER, related=(SHOP,)),), (LISTED,)),
}


@pytest.mark.parametrize("case", GONE_NOT_PROVEN)
def test_a_resource_nobody_proved_gone_stays_open(case: str) -> None:
    findings, reads = GONE_NOT_PROVEN[case]
    run = report(findings=findings, reads=reads)
    assert ZONE.id not in [event.finding_id for event in finding_events(run, state(ZONE))]
    assert next_state(run, state(ZONE))[ZONE.id] == known(ZONE)


def test_the_last_resource_of_its_kind_is_closed_if_its_rule_is_named() -> None:
    assert told((), state(ZONE)) == []
    assert told((), state(ZONE), judged_rules=(ZONE.rule_id,)) == [(ZONE.id, "close")]


def test_without_its_resource_nothing_is_proven() -> None:
    bare = {ZONE.id: replace(known(ZONE), resource=None)}
    assert told((OTHER,), bare) == []


def _about(resource: ResourceRef) -> dict[str, Known]:
    return {"plf1-x": replace(known(ZONE), resource=resource)}


def _read(operation: str, target: str, *, complete: bool = True) -> Read:
    return Read(PROVIDER, REGION, operation, target, complete, None, None, None)


ENTRY = ResourceRef("service_users", "epsrv-1:acs:ram:*:1:*", PROVIDER, REGION)
USERS = "privatelink:ListVpcEndpointServiceUsers"
SERVICES = "privatelink:ListVpcEndpointServices"


@pytest.mark.parametrize(
    ("reads", "closed"),
    [
        ((_read(USERS, "epsrv-1"),), True),
        ((_read(USERS, "epsrv-2"),), False),
        ((_read(USERS, "epsrv-1", complete=False),), False),
        ((_read(USERS, "epsrv-1", complete=False), _read(SERVICES, "")), False),
        ((_read(SERVICES, ""),), True),
        ((_read(SERVICES, "", complete=False),), False),
    ],
)
def test_a_child_is_gone_from_its_own_list_or_with_its_parent(reads: tuple[Read, ...], closed: bool) -> None:
    assert told((OTHER,), _about(ENTRY), reads=reads) == ([("plf1-x", "close")] if closed else [])


def test_a_child_whose_parent_is_still_there_is_not_gone_with_it() -> None:
    service = ResourceRef("endpoint_services", "epsrv-1", PROVIDER, REGION)
    assert told((replace(OTHER, related=(service,)),), _about(ENTRY), reads=(_read(SERVICES, ""),)) == []


def test_a_load_balancer_read_by_its_id_is_gone() -> None:
    balancer = ResourceRef("load_balancers", "lb-1", PROVIDER, REGION)
    reads = (_read("slb:DescribeLoadBalancers", "lb-1"),)
    assert told((OTHER,), _about(balancer), reads=reads) == [("plf1-x", "close")]


def test_an_object_of_no_table_is_never_gone() -> None:
    assert told((OTHER,), _about(ResourceRef("things", "x", PROVIDER, REGION)), reads=(_read("", ""),)) == []


# ---------------------------------------------------------------------------------------------------------------- run


def test_a_run_starts_first_and_ends_last_with_its_numbers() -> None:
    first, *middle, last = events(report(), mode=Mode.ALL)
    assert isinstance(first, RunEvent) and first.activity is RunActivity.STARTED and first.total is None
    assert all(isinstance(event, FindingEvent) for event in middle)
    assert isinstance(last, RunEvent) and last.activity is RunActivity.COMPLETED
    assert (last.detections, last.resolutions, last.skipped, last.total) == (5, 0, 2, 15)


def test_resolutions_are_what_this_run_closed() -> None:
    before = state(ZONE) | {OTHER.id: replace(known(OTHER), outcome=Outcome.FAIL)}
    *_, last = events(report(findings=(OTHER,), reads=(LISTED,)), before)
    assert isinstance(last, RunEvent) and last.resolutions == 2


@pytest.mark.parametrize(
    ("exit_code", "end"),
    [
        (0, RunActivity.COMPLETED),
        (3, RunActivity.COMPLETED),
        (4, RunActivity.COMPLETED),
        (6, RunActivity.COMPLETED),
        (1, RunActivity.ERROR),
        (5, RunActivity.ERROR),
        (130, RunActivity.ERROR),
    ],
)
def test_a_run_that_was_not_judged_ends_in_an_error(exit_code: int, end: RunActivity) -> None:
    *_, last = events(report(exit_code=exit_code))
    assert last.activity is end


def test_ids_of_events_depend_on_finding_run_and_activity_only() -> None:
    assert event_uid(ZONE.id, "run-1", Activity.CREATE) == "419cc8ba-dbdc-5846-b162-dc049c4977bd"
    assert UUID(event_uid(ZONE.id, "run-1", Activity.CREATE)).version == 5
    parts = {
        event_uid(finding, run, activity)
        for finding in (ZONE.id, OTHER.id, "")
        for run in ("run-1", "run-2")
        for activity in (*Activity, *RunActivity)
    }
    assert len(parts) == 36


def _ids(run: Report) -> list[str]:
    return [event.uid for event in events(run, mode=Mode.ALL)]


def test_order_and_names_change_neither_events_nor_their_order() -> None:
    run = report()
    turned = tuple(
        replace(finding, title="Anders", resource=replace(finding.resource, name="other"))
        for finding in reversed(run.findings)
    )
    assert _ids(run) == _ids(replace(run, findings=turned))


def test_moments_are_milliseconds_and_rfc3339() -> None:
    assert milliseconds("2026-11-23T15:00:00Z") == 1_795_446_000_000
    assert milliseconds("2026-11-23") == 1_795_392_000_000
    assert milliseconds("2026-11-23T16:00:00.25+01:00") == 1_795_446_000_250
    assert rfc3339("2026-11-23T16:00:00.25+01:00") == "2026-11-23T15:00:00.250Z"


def test_an_event_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="what was known"):
        last_known(FindingEvent("u", Activity.CLOSE, "f", "r", "t", None))


def test_event_ids_are_uuids_of_version_5() -> None:
    for number in range(300):
        for activity in Activity:
            text = f"plf1-{number:032x}|run-{number}|{activity.value}"
            assert event_uid(f"plf1-{number:032x}", f"run-{number}", activity) == str(uuid5(NAMESPACE, text))
