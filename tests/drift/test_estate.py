"""Drift of simulated deployments, collected through the real client: exactly what was changed, and nothing else."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from auditor.collect.accounts import load_profiles
from auditor.collect.crawl import collect
from auditor.differences import Comparison, Moment, TerraformDrift
from auditor.drift.declarations import read_declarations
from auditor.drift.rules import drift_findings
from auditor.drift.snapshots import diff_findings, diff_resources
from auditor.drift.terraform import compare
from auditor.engine import Rule, load_rules, select_rules
from auditor.findings import Finding, Outcome, Severity
from auditor.inventory.snapshot import Snapshot
from auditor.reporters.drift import render_json
from auditor.simulator import Simulator
from auditor.simulator.faults import Fault
from auditor.simulator.objects import Rule as GroupRule
from auditor.simulator.scenarios import SCENARIOS
from auditor.simulator.world import World
from tests.drift.rendering import state
from tests.end_to_end.deployment import PROFILES, judged, take

USERS = "privatelink:ListVpcEndpointServiceUsers"


@cache
def tutorial() -> Snapshot:
    return take(SCENARIOS["tutorial"]())


@cache
def whitelist_rules() -> tuple[Rule, ...]:
    return tuple(select_rules(load_rules(), ["ALLOW"], []))


def findings_of(snapshot: Snapshot) -> list[Finding]:
    return judged(snapshot, whitelist_rules())


def shuffled(world: World, shuffler: random.Random) -> World:
    """The same world with every dict and every list in another order (but for those whose order means something)."""

    def mixed(values: list[Any]) -> list[Any]:
        return shuffler.sample(values, len(values))

    def visit(value: Any, seen: set[int]) -> None:
        if id(value) in seen or isinstance(value, (str, int, bool, float, type(None))):
            return
        seen.add(id(value))
        if isinstance(value, dict):
            items = mixed(list(value.items()))
            value.clear()
            value.update(items)
            for item in list(value.values()):
                visit(item, seen)
        elif isinstance(value, list):
            value[:] = mixed(value)
            for item in value:
                visit(item, seen)
        elif dataclasses.is_dataclass(value):
            for field in dataclasses.fields(value):
                if field.name not in ("cursor", "ingress", "egress"):
                    visit(getattr(value, field.name), seen)

    visit(world, set())
    return world


def document(old: Snapshot, new: Snapshot) -> str:
    """The JSON of a drift without the two moments."""
    text = render_json(
        Comparison(
            Moment(("old",)),
            Moment(("new",)),
            resources=diff_resources(old, new),
            findings=diff_findings([], []),
        )
    )
    return text[text.index('"resources"') :]


def test_a_hundred_shuffled_rescans_differ_in_not_one_byte(tmp_path: Path) -> None:
    shuffler = random.Random(4)
    with Simulator(SCENARIOS["tutorial"]()) as simulator:
        simulator.write_config(tmp_path / "config.json")
        profiles = load_profiles(tmp_path / "config.json", list(PROFILES))

        def rescan() -> Snapshot:
            return collect(profiles, endpoint_url=simulator.url, regions=["eu-central-1"])

        old = rescan()
        before = findings_of(old)
        expected = document(old, old)
        assert '"added": [],\n"removed": [],\n"changed": [],\n"unreadable": []' in expected
        for run in range(100):
            shuffled(simulator.world, shuffler)
            new = rescan()
            assert document(old, new) == expected, run
            if run % 50 == 0:
                assert not diff_findings(before, findings_of(new)).differs


def test_a_whitelist_entry_added_by_hand_is_one_addition_and_nothing_else() -> None:
    world = SCENARIOS["tutorial"]()
    service = next(iter(world.services.values()))
    service.users.append("9999999999999999")
    new = take(world)
    drift = diff_resources(tutorial(), new)
    assert [(item.type, item.id) for item in drift.added] == [
        ("service_users", f"{service.service_id}:9999999999999999")
    ]
    assert (drift.removed, drift.changed, drift.unreadable) == ((), (), ())
    turned = diff_findings(findings_of(tutorial()), findings_of(new), drift.removed)
    assert {finding.rule_id for finding in turned.new} == {"ALLOW-004"}
    assert (turned.fixed, turned.now_unknown) == ((), ())


def test_a_whitelist_unreadable_the_second_time_removes_nothing_and_its_findings_are_now_unknown() -> None:
    new = take(SCENARIOS["tutorial"](), faults=[Fault(USERS, "forbidden")])
    drift = diff_resources(tutorial(), new)
    assert (drift.added, drift.removed, drift.changed) == ((), (), ())
    assert {(gap.table, gap.operation) for gap in drift.unreadable} == {("service_users", USERS)}
    turned = diff_findings(findings_of(tutorial()), findings_of(new), drift.removed)
    assert (turned.new, turned.fixed) == ((), ())
    assert {finding.rule_id for finding in turned.now_unknown} >= {"ALLOW-001"}
    assert all(finding.outcome is Outcome.UNKNOWN for finding in turned.now_unknown)


# ---------------------------------------------------------------------------------------------------------- Terraform


def against_state(tmp_path: Path, world: World, snapshot: Snapshot) -> TerraformDrift:
    path = tmp_path / "terraform.tfstate"
    path.write_text(state(world), encoding="utf-8")
    return compare(read_declarations(str(path)), snapshot)


def failed(drift: TerraformDrift) -> list[Finding]:
    return [finding for finding in drift_findings(drift) if finding.outcome is not Outcome.PASS]


@pytest.mark.parametrize("name", ["tutorial", "nlb", "three-accounts", "cross-region", "hostile-names"])
def test_a_state_that_matches_the_cloud_shows_no_drift(tmp_path: Path, name: str) -> None:
    world = SCENARIOS[name]()
    profiles = ("provider", "consumer", "second-consumer") if name == "three-accounts" else ("provider", "consumer")
    drift = against_state(tmp_path, world, take(world, profiles=profiles))
    wrong = [
        (finding.rule_id, finding.resource.id, finding.observed or finding.reason)
        for finding in failed(drift)
        # The listeners of a GWLB are never read, so nobody can say that there are no others.
        if not finding.resource.id.startswith("gwlb-")
    ]
    assert wrong == []
    assert drift.declared > 15


def with_rule_ids(world: World) -> World:
    """Rules with ids of their own, as current providers keep them in the state."""
    for group in world.security_groups.values():
        for number, rule in enumerate(group.rules):
            rule.rule_id = f"sgr-{group.security_group_id}-{number}"
    return world


def test_a_rule_without_id_in_the_state_that_was_edited_is_missing_and_its_new_form_unmanaged(tmp_path: Path) -> None:
    world = SCENARIOS["tutorial"]()
    _edit_rule(world)
    drift = against_state(tmp_path, SCENARIOS["tutorial"](), take(world))
    assert [(finding.rule_id, finding.resource.type) for finding in failed(drift)] == [
        ("DRIFT-002", "security_group_rules"),
        ("DRIFT-003", "security_group_rules"),
    ]


def _open_service(world: World) -> None:
    next(iter(world.services.values())).auto_accept = True


def _add_user(world: World) -> None:
    next(iter(world.services.values())).users.append("9999999999999999")


def _add_rule(world: World) -> None:
    used = next(iter(world.endpoints.values())).security_groups
    group = world.security_groups[next(iter(used))]
    group.rules.append(GroupRule(ports="22/22", cidr="0.0.0.0/0", rule_id="sgr-by-hand"))


def _edit_rule(world: World) -> None:
    used = next(iter(world.endpoints.values())).security_groups
    world.security_groups[next(iter(used))].rules[0].cidr = "0.0.0.0/0"


def _change_scheduler(world: World) -> None:
    next(iter(world.clbs.values())).listeners[0].scheduler = "rr"


def _weigh(world: World) -> None:
    next(iter(world.clbs.values())).default_group[0].weight = 0


def _remove_listener(world: World) -> None:
    next(iter(world.clbs.values())).listeners.clear()


def _disconnect(world: World) -> None:
    next(iter(world.endpoints.values())).connection_status = "Disconnected"


@pytest.mark.parametrize(
    ("by_hand", "expected"),
    [
        (_open_service, [("DRIFT-001", "endpoint_services", Severity.HIGH)]),
        (_add_user, [("DRIFT-003", "service_users", Severity.HIGH)]),
        (_add_rule, [("DRIFT-003", "security_group_rules", Severity.HIGH)]),
        (_edit_rule, [("DRIFT-001", "security_group_rules", Severity.HIGH)]),
        (_change_scheduler, [("DRIFT-001", "listeners", Severity.MEDIUM)]),
        (_weigh, [("DRIFT-001", "backends", Severity.MEDIUM)]),
        (_disconnect, [("DRIFT-001", "connections", Severity.HIGH)]),
    ],
)
def test_what_was_changed_by_hand_is_found_and_nothing_else(
    tmp_path: Path, by_hand: Callable[[World], None], expected: list[tuple[str, str, Severity]]
) -> None:
    world, declared = with_rule_ids(SCENARIOS["tutorial"]()), with_rule_ids(SCENARIOS["tutorial"]())
    by_hand(world)
    drift = against_state(tmp_path, declared, take(world))
    found = [(finding.rule_id, finding.resource.type, finding.severity) for finding in failed(drift)]
    assert found == expected
    (finding,) = failed(drift)
    assert finding.observed
    assert finding.remediation.summary.endswith(".")
    assert finding.sources


def test_a_listener_deleted_by_hand_is_missing_and_what_hung_on_it_is_unknown(tmp_path: Path) -> None:
    world = SCENARIOS["tutorial"]()
    _remove_listener(world)
    drift = against_state(tmp_path, SCENARIOS["tutorial"](), take(world))
    gone = [finding for finding in failed(drift) if finding.outcome is Outcome.FAIL]
    assert [(finding.rule_id, finding.resource.type) for finding in gone] == [("DRIFT-002", "listeners")]
    assert gone[0].resource.account_id == "6543210987654321"
    # Server groups are read through the listeners that use them: nobody asked for the default group any more.
    rest = [finding for finding in failed(drift) if finding.outcome is Outcome.UNKNOWN]
    assert {finding.resource.type for finding in rest} <= {"backends", "server_groups"}


def test_a_whitelist_that_could_not_be_read_is_unknown_and_neither_missing_nor_clean(tmp_path: Path) -> None:
    world = SCENARIOS["tutorial"]()
    drift = against_state(tmp_path, world, take(world, faults=[Fault(USERS, "forbidden")]))
    found = failed(drift)
    assert {finding.outcome for finding in found} == {Outcome.UNKNOWN}
    assert {finding.rule_id for finding in found} == {"DRIFT-002", "DRIFT-003"}
    assert all(finding.gaps and finding.gaps[0].operation == USERS for finding in found)
