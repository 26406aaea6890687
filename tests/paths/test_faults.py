"""Every broken hop is reported, alone and beside any other."""

from __future__ import annotations

from itertools import combinations

import pytest

from auditor.engine import judge, load_rules
from auditor.facts.paths import HOP_KINDS
from auditor.findings import Outcome
from tests.paths.deployment import broken, declared, deployment, follow, hop, snapshot
from tests.paths.faults import FAULTS, HIDES, Planted

RULES = load_rules()
#: All of them have to get through, whatever others may.
CLIENTS = declared("10.0.1.0/24")


def test_sound_deployment_is_reachable() -> None:
    (path,) = follow(deployment())
    assert [one.verdict for one in path.hops] == ["ok"] * len(HOP_KINDS)
    assert tuple(one.kind for one in path.hops) == HOP_KINDS
    assert path.verdict == "reachable"
    assert hop(path, "client").detail == "10.0.1.0/24, 10.0.2.0/24 of 10.0.0.0/16"


@pytest.mark.parametrize("name", FAULTS)
def test_fault_breaks_its_hop_and_no_other(name: str) -> None:
    fault = FAULTS[name]
    rows = broken(fault.plant)
    (path,) = follow(rows, CLIENTS)
    assert path.verdict == "blocked"
    found = hop(path, fault.kind)
    assert (found.verdict, found.account_id) == ("blocked", fault.account_id), found
    assert fault.rule_id in found.rule_ids
    assert found.detail
    assert [one.kind for one in path.hops if one.verdict == "blocked"] == [fault.kind]


@pytest.mark.parametrize("name", [name for name, fault in FAULTS.items() if fault.rule_id in {r.id for r in RULES}])
def test_rule_of_the_broken_hop_fails_too(name: str) -> None:
    fault = FAULTS[name]
    rows = broken(fault.plant)
    snap = snapshot(rows)
    findings = judge(snap, [rule for rule in RULES if rule.id == fault.rule_id], CLIENTS)
    failed = {finding.rule_id for finding in findings if finding.outcome is Outcome.FAIL}
    # A load balancer that is attached to nothing is no resource of the rules.
    assert failed == {fault.rule_id}


PAIRS = [
    (one, other)
    for one, other in combinations(FAULTS, 2)
    if FAULTS[one].kind != FAULTS[other].kind
    and not HIDES & {(one, FAULTS[other].kind), (other, FAULTS[one].kind), (one, other), (other, one)}
]


def test_any_two_faults_are_both_reported() -> None:
    assert len(PAIRS) > 400
    for names in PAIRS:
        faults = [FAULTS[name] for name in names]
        (path,) = follow(broken(*(fault.plant for fault in faults)), CLIENTS)
        assert path.verdict == "blocked"
        for fault in faults:
            found = hop(path, fault.kind)
            assert found.verdict == "blocked", (names, found)
            assert _rule(fault, names) in found.rule_ids, (names, found)


def _rule(fault: Planted, names: tuple[str, str]) -> str:
    # A zone that is down with the whole connection is put down to that.
    return "CONN-001" if set(names) == {"zone-cut", "disconnected"} else fault.rule_id


def test_a_listener_that_is_not_there_leaves_its_servers_open() -> None:
    (path,) = follow(broken(FAULTS["other-port"].plant, FAULTS["weights"].plant), CLIENTS)
    assert hop(path, "listener").verdict == "blocked"
    assert hop(path, "backend").verdict == "unknown"
