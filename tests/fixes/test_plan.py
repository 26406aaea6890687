"""Plans: commands that a shell reads back as they were meant, in order, and nothing where something is not known."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable

import pytest

from auditor.engine import load_rules
from auditor.engine.changes import Step
from auditor.findings import Finding, Outcome, Side
from auditor.fixes.draft import Draft, Unforeseen
from auditor.fixes.operations import apply
from auditor.fixes.plan import Fix, FixKind, Planner, in_order, steps_of
from auditor.fixes.preview import foretell, judgement
from auditor.inventory.coverage import coverage_frame
from auditor.inventory.normalize import empty_tables, table_frame
from auditor.inventory.snapshot import Snapshot
from auditor.simulator.faults import Fault as Refusal
from auditor.spec import Spec
from tests.end_to_end.deployment import take
from tests.end_to_end.ground import Ground
from tests.fixes.bench import failing

RULES = load_rules()


def _fixes(ground: Ground, *rules: str, refuse: str = "") -> list[Fix]:
    refusals = [Refusal(operation=refuse, kind="forbidden")] if refuse else []
    chosen = [rule for rule in RULES if rule.id in rules]
    snapshot = take(ground.world, profiles=ground.profiles, spec=ground.spec, faults=refusals)
    found = judgement(snapshot, chosen, ground.spec)
    with Planner(snapshot, chosen, ground.spec) as planner:
        return [planner.fix(finding) for finding in failing(found.findings).values()]


@pytest.mark.parametrize(
    "entry",
    [
        "9000000000000009; rm -rf ~",
        "$(touch /tmp/x)",
        "`id`",
        "it's",
        'say "no"',
        "a b",
        "--profile",
        "-1/-1",
        "\\",
        "${HOME}",
        "*",
    ],
)
def test_a_command_holds_every_value_as_one_word(entry: str) -> None:
    step = Step(
        "privatelink:AddUserToVpcEndpointService", Side.PROVIDER, "1", {"ServiceId": "epsrv-1", "UserId": entry}
    )
    words = shlex.split(step.command)
    assert words[:3] == ["aliyun", "privatelink", "AddUserToVpcEndpointService"]
    if entry.startswith("-"):
        assert words[3:] == ["--ServiceId", "epsrv-1", f"--UserId={entry}"]
    else:
        assert words[3:] == ["--ServiceId", "epsrv-1", "--UserId", entry]


def test_a_value_with_control_characters_is_none() -> None:
    ground = Ground()
    ground.service("odd").arns.append("acs:ram:*:9000000000000009:user/\x1b[2Jx")
    (fix,) = _fixes(ground, "ALLOW-004")
    assert fix.kind is FixKind.NOT_KNOWN
    assert "\x1b" not in fix.steps[0].command
    assert "<entry>" in shlex.split(fix.steps[0].command)


def test_a_step_waits_for_the_lists_that_it_needs() -> None:
    """Without the connections nobody knows whom the wildcard lets in."""
    ground = Ground()
    ground.service("open").arns.append("acs:ram:*:*:*")
    (fix,) = _fixes(ground, "ALLOW-002", refuse="privatelink:ListVpcEndpointConnections")
    assert fix.kind is FixKind.NOT_KNOWN
    assert fix.reason == "Not everything that the change needs is known: connections of epsrv-open."


def test_a_request_takes_twenty_servers() -> None:
    ground = Ground()
    clb = ground.clb("large", servers=[ground.server(f"large-{number:02d}") for number in range(43)])
    for server in clb.default_group:
        server.weight = 0
    (fix,) = _fixes(ground, "BE-002")
    batches = [[item["ServerId"] for item in json.loads(step.parameters["BackendServers"])] for step in fix.steps]
    assert [len(batch) for batch in batches] == [20, 20, 5]
    assert len({name for batch in batches for name in batch}) == 45


def test_what_does_not_fail_needs_nothing() -> None:
    ground = Ground()
    rules = [rule for rule in RULES if rule.id == "CLB-002"]
    snapshot = take(ground.world, spec=ground.spec)
    found = judgement(snapshot, rules, ground.spec)
    with Planner(snapshot, rules, ground.spec) as planner:
        fixes = [planner.fix(finding) for finding in found.findings]
    assert {fix.finding.outcome for fix in fixes} == {Outcome.PASS}
    assert {fix.kind for fix in fixes} == {FixKind.NONE}


def _plan() -> list[Fix]:
    ground = Ground()
    ground.used_service("shut", zone_affinity=False)[1].zone_affinity = False
    ground.services["epsrv-shut"] = {"zone_affinity": True}
    ground.endpoint("shut-too", ground.world.services["epsrv-shut"])
    ground.endpoint("closed", rules=[])
    return in_order(_fixes(ground, "ZONE-006", "SG-001"))


def test_the_providers_steps_come_first_and_each_once() -> None:
    steps = steps_of(_plan())
    sides = [step.side for step in steps]
    assert sides == sorted(sides, key=[Side.PROVIDER, Side.CONSUMER].index)
    assert [step.operation for step in steps].count("privatelink:UpdateVpcEndpointServiceAttribute") == 1
    assert len({step.identity for step in steps}) == len(steps) == 3


def test_a_side_sees_its_own_steps() -> None:
    plan = _plan()
    both = steps_of(plan)
    for side in (Side.PROVIDER, Side.CONSUMER):
        assert steps_of(plan, side) == [step for step in both if step.side is side]


# -------------------------------------------------------------------------------------------------------- the draft


def _snapshot() -> Snapshot:
    tables = empty_tables()
    place = {"account_id": "1", "region_id": "r"}
    rows = [{**place, "service_id": f"epsrv-{n}", "connect_bandwidth": n} for n in (1, 2)]
    tables["endpoint_services"] = table_frame("endpoint_services", rows)
    return Snapshot(tables, coverage_frame([]), {"started_at": "2026-01-01T00:00:00Z"})


def test_a_draft_changes_the_copy_alone() -> None:
    original = _snapshot()
    draft = Draft(original)
    draft.change("endpoint_services", {"service_id": "epsrv-1"}, payer="Endpoint", connect_bandwidth=None)
    draft.remove("endpoint_services", service_id="epsrv-2")
    copy = draft.snapshot()
    assert list(original["endpoint_services"]["connect_bandwidth"]) == [1, 2]
    assert copy["endpoint_services"]["payer"].tolist() == ["Endpoint"]
    assert copy["endpoint_services"]["connect_bandwidth"].isna().tolist() == [True]
    assert copy["endpoint_services"].dtypes.equals(original["endpoint_services"].dtypes)
    assert copy.tables["endpoints"] is original.tables["endpoints"]
    assert copy.coverage is original.coverage


def test_a_row_is_added_once() -> None:
    draft = Draft(_snapshot())
    row = {"account_id": "1", "region_id": "r", "service_id": "epsrv-1", "entry": "2", "entry_type": "account"}
    draft.add("service_users", dict(row))
    draft.add("service_users", dict(row))
    assert len(draft.snapshot()["service_users"]) == 1


@pytest.mark.parametrize(
    ("operation", "parameters", "reason"),
    [
        ("privatelink:DeleteVpcEndpoint", {}, "what privatelink:DeleteVpcEndpoint does is not known here"),
        (
            "privatelink:AddUserToVpcEndpointService",
            {"ServiceId": "epsrv-9", "UserId": "1"},
            "the inventory does not hold epsrv-9 among its endpoint_services",
        ),
        (
            "privatelink:AttachResourceToVpcEndpointService",
            {"ServiceId": "epsrv-1", "ResourceId": "lb-1", "ResourceType": "slb", "ZoneId": "z"},
            "the inventory does not hold lb-1 among its load_balancers",
        ),
        ("privatelink:OpenPrivateLinkService", {}, "nobody knows which account would activate PrivateLink"),
        ("ecs:RevokeSecurityGroup", {"SecurityGroupId": "sg-1", "SecurityGroupRuleId.1": "sgr-1"}, "sg-1, sgr-1"),
    ],
)
def test_what_cannot_be_followed_is_not_foretold(operation: str, parameters: dict[str, str], reason: str) -> None:
    step = Step(operation, Side.PROVIDER, None, parameters)
    with pytest.raises(Unforeseen, match=reason):
        apply(Draft(_snapshot()), step)
    found = foretell(_snapshot(), judgement(_snapshot(), RULES[:1], Spec()), [step], [], RULES[:1], Spec())
    assert found.reason is not None
    assert reason in found.reason
    assert not found.foretold


def test_a_step_with_a_missing_value_is_not_tried() -> None:
    step = Step("slb:SetLoadBalancerStatus", Side.PROVIDER, None, {"LoadBalancerId": "<id>"}, missing=("id",))
    with pytest.raises(Unforeseen, match="id of slb:SetLoadBalancerStatus is not known"):
        apply(Draft(_snapshot()), step)


def test_a_preview_keeps_its_hands_off_the_snapshot() -> None:
    ground = Ground()
    ground.clb("bare", delete_protection="off")
    rules = [rule for rule in RULES if rule.id == "CLB-002"]
    snapshot = take(ground.world, spec=ground.spec)
    before = judgement(snapshot, rules, ground.spec)
    with Planner(snapshot, rules, ground.spec) as planner:
        (fix,) = [planner.fix(finding) for finding in failing(before.findings).values()]
    found = foretell(snapshot, before, fix.steps, [fix.finding], rules, ground.spec)
    assert [finding.id for finding in found.closes] == [fix.finding.id]
    again = judgement(snapshot, rules, ground.spec)
    assert _outcomes(again.findings) == _outcomes(before.findings)
    assert found.foretold


def _outcomes(findings: Iterable[Finding]) -> dict[str, Outcome]:
    return {finding.id: finding.outcome for finding in findings}
