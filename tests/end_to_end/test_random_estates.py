"""Random deployments without a fault give no finding of weight, and nothing of weight stays undecided."""

from __future__ import annotations

from collections import Counter
from functools import cache

import pytest

from auditor.engine import load_rules, select_rules, tables_needed
from auditor.facts.paths import PATH_TABLES, compute_paths
from auditor.findings import Finding, Outcome, PathVerdict
from auditor.inventory.snapshot import Snapshot
from auditor.simulator.estates import PROFILES, random_estate
from auditor.simulator.world import World
from auditor.spec import Spec
from tests.end_to_end.deployment import failures, judged, take

#: Seeds of one world each; every world is collected and judged once.
BATCHES = [range(13), range(13, 26)]


def weighty(findings: list[Finding]) -> list[str]:
    """Failures of medium weight or more, and unknowns of high weight or more, as text."""
    limits = {Outcome.FAIL: "medium", Outcome.UNKNOWN: "high"}
    ranks = {"critical": 0, "high": 1, "medium": 2, "low": 3, "info": 4}
    return [
        f"{f.outcome.value} {f.rule_id} {f.resource.id}: {f.observed or f.reason}"
        for f in findings
        if f.outcome in limits and f.severity.rank <= ranks[limits[f.outcome]]
    ]


def merged(seeds: range) -> World:
    """Several deployments in one world, which is cheaper to collect than each on its own."""
    world = World()
    for seed in seeds:
        random_estate(seed, world)
    return world


def broken_hops(paths: list[PathVerdict]) -> list[str]:
    """Hops of blocked paths, without TCPSSL listeners of an NLB: no endpoint reaches them, and none has to."""
    return [
        f"{path.endpoint_id} {hop.kind} {hop.id}: {hop.detail}"
        for path in paths
        for hop in path.hops
        if hop.verdict == "blocked" and ":tcpssl:" not in hop.id
    ]


@cache
def snapshot(seeds: range) -> Snapshot:
    """What a scan and the paths need of a batch."""
    return take(merged(seeds), profiles=list(PROFILES), tables=tables_needed(load_rules()) | PATH_TABLES)


@pytest.mark.parametrize("seeds", BATCHES, ids=str)
def test_no_path_of_random_deployments_is_broken(seeds: range) -> None:
    paths = compute_paths(snapshot(seeds), Spec(), [])
    assert broken_hops(paths) == []
    reached = {path.endpoint_id for path in paths if path.verdict == "reachable"}
    assert len(reached) > len(seeds)


@pytest.mark.parametrize("seeds", BATCHES, ids=str)
def test_random_deployments_are_silent(seeds: range) -> None:
    findings = judged(snapshot(seeds))
    assert weighty(findings) == []
    assert Counter(f.outcome for f in findings)[Outcome.PASS] > 100 * len(seeds)


def test_a_fault_in_random_deployments_is_found() -> None:
    """Silence is worth something only where a fault would break it."""
    world = merged(range(6))
    for group in world.security_groups.values():
        group.rules = [rule for rule in group.rules if rule.direction == "egress"]
    for clb in world.clbs.values():
        clb.status = "inactive"
    rules = select_rules(load_rules(), ["SG-001", "CLB-001"], [])
    findings = judged(take(world, profiles=list(PROFILES), tables=tables_needed(rules)), rules)
    guarded = {("SG-001", endpoint.endpoint_id) for endpoint in world.endpoints.values() if endpoint.security_groups}
    assert failures(findings) == guarded | {("CLB-001", clb_id) for clb_id in world.clbs}


def test_the_same_seed_gives_the_same_deployment() -> None:
    assert random_estate(7) == random_estate(7)
    assert random_estate(7) != random_estate(8)


def test_the_generator_is_diverse() -> None:
    world = merged(range(26))
    listeners = [listener for clb in world.clbs.values() for listener in clb.listeners]
    rules = [rule for group in world.security_groups.values() for rule in group.rules]
    kinds = {group.kind for group in world.server_groups.values()}
    assert {service.resource_type for service in world.services.values()} == {"slb", "nlb", "alb", "gwlb"}
    assert {listener.protocol for listener in listeners} == {"tcp", "udp", "http", "https"}
    assert {listener.acl_type for listener in listeners} >= {"white", "black"}
    assert any(listener.forward == "on" for listener in listeners)
    assert any(listener.rules for listener in listeners)
    assert any(clb.default_group for clb in world.clbs.values())
    assert kinds == {"vserver", "primary_secondary"}
    assert any(server.weight == 0 for group in world.server_groups.values() for server in group.servers)
    assert {rule.policy for rule in rules} == {"Accept", "Drop"}
    assert any(rule.prefix_list_id for rule in rules)
    assert any(rule.port_list_id for rule in rules)
    assert any(rule.group_id for rule in rules)
    assert {group.group_type for group in world.security_groups.values()} == {"normal", "enterprise"}
    assert max(len(endpoint.security_groups) for endpoint in world.endpoints.values()) > 2
    assert world.network_acls != {}
    endpoints = list(world.endpoints.values())
    assert any(endpoint.region_id != endpoint.service_region_id for endpoint in endpoints)
    assert any(endpoint.account_id == endpoint.service_account_id for endpoint in endpoints)
    assert len({endpoint.account_id for endpoint in endpoints}) == 3
    blocks = {world.vpcs[endpoint.vpc_id].cidr_block for endpoint in endpoints}
    assert blocks & {world.vpcs[clb.vpc_id].cidr_block for clb in world.clbs.values()} != set()
    assert any("<script>" in endpoint.name for endpoint in endpoints)
    assert any(not endpoint.name.isascii() for endpoint in endpoints)
