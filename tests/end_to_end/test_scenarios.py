"""The two scenarios of the demo, through the real SDK: the tutorial is clean, and each planted fault is found."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

import pytest

from auditor.collect.accounts import load_profiles
from auditor.collect.crawl import collect
from auditor.engine import load_rules, select_rules, tables_needed
from auditor.findings import Finding, Outcome
from auditor.simulator import Simulator
from auditor.simulator.broken import EXPECTED, FAULTS, broken, sound_estate
from auditor.simulator.scenarios import SCENARIOS
from tests.end_to_end.deployment import failures, scan, take


@cache
def _broken() -> tuple[Finding, ...]:
    return tuple(scan(broken()))


def test_the_tutorial_passes_every_rule() -> None:
    findings = scan(SCENARIOS["tutorial"]())
    assert failures(findings) == set()
    assert [f"{f.rule_id}: {f.reason}" for f in findings if f.outcome is Outcome.UNKNOWN] == []
    assert {f.rule_id for f in findings if f.outcome is Outcome.PASS} >= {
        rule.id for rule in select_rules(load_rules(), ["seed"], [])
    } - {"RES-009", "LSN-002", "ZONE-006"}  # the flag is not in current answers; nothing is declared


def test_every_planted_fault_is_found_and_nothing_else() -> None:
    expected = set().union(*EXPECTED.values())
    assert failures(_broken()) == expected


def test_an_estate_without_faults_is_silent() -> None:
    assert failures(scan(sound_estate())) == set()


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_removing_one_fault_changes_exactly_its_findings(name: str) -> None:
    found = failures(_broken()) - failures(scan(broken(without=name)))
    assert found == EXPECTED[name]


def test_calls_for_the_tutorial_stay_within_the_formula() -> None:
    tables = tables_needed(select_rules(load_rules(), ["seed"], []))
    world = SCENARIOS["tutorial"]()
    with tempfile.TemporaryDirectory() as folder, Simulator(world) as simulator:
        config = Path(folder) / "config.json"
        names = simulator.write_config(config)
        collect(load_profiles(config, names), endpoint_url=simulator.url, tables=tables)
        calls = dict(simulator.statistics.requests)
    discovery = {"sts:GetCallerIdentity", "privatelink:DescribeRegions"}
    listed = {"privatelink:ListVpcEndpoints", "privatelink:ListVpcEndpointServices"}
    discovered = sum(
        count
        for (_account, region, operation), count in calls.items()
        if operation in discovery or (operation in listed and region != "eu-central-1")
    )
    services = endpoints = balancers = zones = 1
    groups = 2  # the endpoint's, and that of ECS 1
    formula = 2 * services + 2 * endpoints + balancers + groups + 2 * 1 + 1 + zones + 3 + 2 * 2
    empty_lists = 2  # each account's list of what only the other one has: part of the discovery
    detail = 2  # one default server group, one batch of backend instances
    own_view = 1  # the consumer's view of the service, on which ZONE-001 falls back
    zone_list = 1  # the zones of the region: where there is only one, HA-003 does not apply
    assert sum(calls.values()) - discovered <= formula + empty_lists + detail + own_view + zone_list, calls


def test_the_same_estate_gives_the_same_findings() -> None:
    assert [f.id for f in scan(SCENARIOS["tutorial"]())] == [f.id for f in scan(SCENARIOS["tutorial"]())]
    assert take(SCENARIOS["tutorial"]()).coverage["complete"].all()
