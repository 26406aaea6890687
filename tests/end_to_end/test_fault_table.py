"""At least one fault per rule of the catalogue, planted in a simulated deployment: exactly its findings are reported.

The faults of one world are independent of each other, each on objects of its own, and are collected and judged
together: whatever a fault causes beyond its own findings would be one too many.
"""

from __future__ import annotations

from functools import cache

import pytest

from auditor.engine import load_rules, tables_needed
from auditor.findings import Finding, Outcome
from tests.end_to_end import faults_consumer, faults_provider
from tests.end_to_end.deployment import failures, judged, take
from tests.end_to_end.ground import Fault, Ground, Verdict

FAULTS = [*faults_provider.TABLE.faults, *faults_consumer.TABLE.faults]

#: Where a fault needs hundreds of objects, only these tables are read; all rules are judged all the same.
_TABLES = {
    "many services": {"endpoint_services"},
    "many resources": {"endpoint_services", "service_resources", "privatelink_zones"},
    "many endpoints": {"endpoints"},
}


@cache
def _findings(world: str) -> tuple[Finding, ...]:
    """All outcomes of a world with all faults planted in it; the world "" has none."""
    ground = Ground()
    for fault in FAULTS:
        if fault.world == world:
            fault.plant(ground)
    rules = load_rules()
    tables = _TABLES.get(world, tables_needed(rules))
    snapshot = take(ground.world, profiles=ground.profiles, tables=tables, spec=ground.spec)
    return tuple(judged(snapshot, rules, ground.spec))


def _unknown(world: str) -> set[Verdict]:
    return {(f.rule_id, f.resource.id) for f in _findings(world) if f.outcome is Outcome.UNKNOWN}


def test_the_ground_is_without_fault() -> None:
    assert failures(_findings("")) == set()
    assert _unknown("") == set()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_planted_fault_is_found(fault: Fault) -> None:
    assert fault.expected - failures(_findings(fault.world)) == set()
    assert fault.risks - _unknown(fault.world) == set()


@pytest.mark.parametrize("world", sorted({fault.world for fault in FAULTS}))
def test_exactly_the_planted_faults_are_found(world: str) -> None:
    expected = {verdict for fault in FAULTS if fault.world == world for verdict in fault.expected}
    assert failures(_findings(world)) == expected


# What rests on probes is planted where there is a network: in tests/probe.
@pytest.mark.parametrize("rule_id", [rule.id for rule in load_rules() if "probe" not in rule.tags])
def test_every_rule_has_a_fault(rule_id: str) -> None:
    assert [f.name for f in FAULTS if rule_id in {rule for rule, _ in f.fails | f.risks}] != []


def test_every_name_in_the_table_is_used_once() -> None:
    names = [fault.name for fault in FAULTS]
    assert len(names) == len(set(names))
