"""Paths and findings agree on every scenario of the simulator, both ways."""

from __future__ import annotations

from collections import defaultdict
from functools import cache

import pytest

from auditor.engine import judge, load_rules
from auditor.facts.paths import HOP_KINDS, PATH_TABLES, compute_paths
from auditor.facts.workshop import Workshop
from auditor.findings import Finding, Outcome, PathVerdict
from auditor.simulator.broken import EXPECTED
from auditor.simulator.scenarios import SCENARIOS
from auditor.spec import Spec
from tests.end_to_end.deployment import take

RULES = load_rules()

#: Rules of which one failure cuts a path, by the kind of hop they break.
CUTTING = {
    "client_egress": {"SG-002"},
    "client_network_acl": {"NET-008"},
    "network_acl": {"NET-006"},
    "security_groups": {"SG-001", "EP-005"},
    "endpoint_zone": {"ZONE-005", "EP-003", "EP-002"},
    "connection": {"CONN-001", "CONN-003", "CONN-005", "CONN-006"},
    "service_resource": {"RES-001", "ZONE-001", "ZONE-004"},
    "load_balancer": {"CLB-001", "RES-002", "RES-003", "RES-004", "RES-005", "RES-006", "RES-010"},
    "listener": {"LSN-001", "LSN-002", "LSN-003", "LSN-006"},
    "server_group": {"BE-001"},
    "backend": {"BE-002", "BE-003"},
}
#: One bad server among others does not cut a path; a whitelist does only where nobody is connected yet.
NOT_ALONE = {"BE-005", "BE-008", "NET-007", "ALLOW-001"}


@cache
def judged(name: str, profiles: tuple[str, ...] = ()) -> tuple[list[Finding], list[PathVerdict]]:
    """Findings of all rules and paths of a scenario."""
    world = SCENARIOS[name]()
    everybody = ("provider", "consumer", "second-consumer") if name == "three-accounts" else ("provider", "consumer")
    snapshot, spec = take(world, profiles=profiles or everybody), Spec()
    workshop = Workshop(snapshot, spec)
    findings = judge(snapshot, RULES, spec, workshop=workshop)
    return findings, compute_paths(snapshot, spec, findings, workshop=workshop)


def _places(path: PathVerdict) -> set[str]:
    """Resources a path leads over."""
    hops = {hop.kind: hop.id for hop in path.hops}
    places = {path.endpoint_id, path.service_id or "", *hops.values()}
    return places | {id_ for value in hops.values() for id_ in value.split(", ")}


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_broken_hop_has_a_failure(name: str) -> None:
    findings, paths = judged(name)
    failed = defaultdict(set)
    for finding in findings:
        if finding.outcome is Outcome.FAIL:
            failed[finding.rule_id].add(finding.resource.id)
    for path in paths:
        places = _places(path)
        for hop in path.hops:
            assert hop.kind in HOP_KINDS
            if hop.verdict == "blocked" and hop.rule_ids:
                assert any(failed[rule] & places for rule in hop.rule_ids), (path.endpoint_id, hop)
                assert hop.account_id, hop


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_failure_breaks_its_hop(name: str) -> None:
    findings, paths = judged(name)
    kinds = {rule: kind for kind, rules in CUTTING.items() for rule in rules}
    for finding in findings:
        if finding.outcome is not Outcome.FAIL or finding.rule_id not in kinds:
            continue
        over = [path for path in paths if finding.resource.id in _places(path)]
        if not over:
            # Nobody comes this way: a service without endpoints, a listener on a port that nobody declared.
            continue
        hops = [hop for path in over for hop in path.hops if hop.kind == kinds[finding.rule_id]]
        assert any(hop.verdict == "blocked" and finding.rule_id in hop.rule_ids for hop in hops), finding


def test_known_rules() -> None:
    every = set().union(*CUTTING.values()) | NOT_ALONE
    written = {rule.id for rule in RULES}
    named = {rule for name in SCENARIOS for path in judged(name)[1] for hop in path.hops for rule in hop.rule_ids}
    assert named <= every | {"CONN-004", "LSN-005", "NET-001", "NET-002"}
    assert "SG-001" in written & named


def test_faults_of_the_broken_estate() -> None:
    """Every fault that cuts a path is on it."""
    _, paths = judged("broken")
    kinds = {rule: kind for kind, rules in CUTTING.items() for rule in rules}
    expected = {pair for pairs in EXPECTED.values() for pair in pairs if pair[0] in kinds}
    found = {
        (rule, place)
        for path in paths
        for hop in path.hops
        if hop.verdict == "blocked"
        for rule in hop.rule_ids
        for place in _places(path)
    }
    # Nobody uses "drafts".
    assert expected - found == {("RES-001", "epsrv-gw8drafts")}
    assert {path.verdict for path in paths} == {"reachable", "blocked"}


@pytest.mark.parametrize("name", ["tutorial", "cross-region", "same-account", "three-accounts"])
def test_sound_scenarios_are_reachable(name: str) -> None:
    _, paths = judged(name)
    assert {path.verdict for path in paths} == {"reachable"}


def test_one_consumer_with_many_services() -> None:
    _, paths = judged("one-consumer-many-services")
    assert len({path.service_id for path in paths}) == 12
    assert {path.verdict for path in paths} == {"reachable"}


def test_gateway_endpoints_have_no_path() -> None:
    _, paths = judged("nlb")
    assert len({path.endpoint_id for path in paths}) == 3


def test_one_sided() -> None:
    consumer, provider = "1234567890123456", "6543210987654321"
    _, (path,) = judged("one-zone", ("consumer",))
    assert (path.verdict, path.protocol, path.port, path.consumer_account_id) == ("unknown", None, None, consumer)
    for hop in path.hops[7:]:
        assert hop.verdict == "unknown"
        assert hop.detail == "no profile of the account that owns epsrv-gw8plauditservice1b was given"
    _, (path,) = judged("one-zone", ("provider",))
    assert (path.verdict, path.protocol, path.port) == ("unknown", "tcp", 80)
    assert (path.consumer_account_id, path.provider_account_id) == (consumer, provider)
    for hop in path.hops[:6]:
        assert (hop.verdict, hop.account_id) == ("unknown", consumer)
        assert hop.detail == f"no profile of account {consumer} was given"
    assert [hop.verdict for hop in path.hops[7:]] == ["ok"] * 6


def test_tables_are_those_that_paths_rest_on() -> None:
    """Collecting what paths need gives the paths of collecting everything."""
    snapshot = take(SCENARIOS["broken"](), tables=PATH_TABLES)
    paths = compute_paths(snapshot, Spec(), [])
    assert [path.verdict for path in paths] == [path.verdict for path in judged("broken")[1]]
