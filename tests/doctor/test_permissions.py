"""Permissions against what a collection asks for, and policies against a cloud that enforces them."""

from __future__ import annotations

import json
from functools import cache

import pytest

from auditor.collect.operations import OPERATIONS
from auditor.engine import Rule, load_rules, select_rules, tables_needed
from auditor.inventory.schema import TABLES
from auditor.permissions import CALLED, SIDES, AccountSide, operations_needed, policy_document, rule_operations
from auditor.spec import EndpointSpec, Requirements, Spec
from tests.collect.rich import CONSUMER, POOR, PROVIDER
from tests.doctor.deployment import SIDE_OF, everything, refuse_all_but, take

#: Asked of accounts that own nothing, and where a service uses a GWLB.
ELSEWHERE = {"privatelink:CheckProductOpen", "gwlb:ListLoadBalancers"}


@cache
def _rules() -> tuple[Rule, ...]:
    return tuple(load_rules())


def _actions(side: AccountSide, select: list[str], spec: Spec | None = None) -> list[str]:
    document = policy_document(tables_needed(select_rules(_rules(), select, [])), side, spec)
    (statement,) = document["Statement"]
    return list(statement["Action"])


def test_exactly_the_operations_that_are_named_are_asked_for() -> None:
    world = everything()
    selections = {tables_needed([rule]) for rule in _rules()} | {tables_needed(_rules()), frozenset(TABLES)}
    for tables in sorted(selections, key=sorted):
        _, asked = take(world, tables)
        for account_id, side in SIDE_OF.items():
            needed = operations_needed(tables, side)
            assert asked[account_id] - needed == set(), (side, sorted(tables))
            assert needed - asked[account_id] - ELSEWHERE == set(), (side, sorted(tables))
        assert asked[POOR] <= operations_needed(tables)


def test_the_rest_is_asked_for_where_it_is_said_to_be() -> None:
    _, asked = take(everything(gateways=True), tables_needed(_rules()))
    assert "gwlb:ListLoadBalancers" in asked[PROVIDER]
    assert "privatelink:CheckProductOpen" in take(everything(), {"product_activations"})[1][POOR]
    assert set(OPERATIONS) == CALLED


def test_a_side_is_part_of_both() -> None:
    for rule in _rules():
        both = rule_operations(rule)
        assert both == rule_operations(rule, "provider") | rule_operations(rule, "consumer")


def test_instances_of_consumers_are_read_where_the_specification_names_some() -> None:
    declared = Spec(endpoints={"*": EndpointSpec(clients=("10.0.0.0/8", "i-client"))})
    assert "ecs:DescribeInstances" not in _actions("consumer", ["BE"])
    assert "ecs:DescribeInstances" in _actions("consumer", ["BE"], declared)
    only_blocks = Spec(endpoints={"*": EndpointSpec(clients=("10.0.0.0/8",))})
    assert "ecs:DescribeInstances" not in _actions("consumer", ["BE"], only_blocks)


def test_what_nobody_declared_is_neither_granted_nor_read() -> None:
    reads = {"vpc:DescribeFlowLogs", "cms:DescribeMetricRuleList"}
    declared = Spec(require=Requirements(flow_logs=True))
    for spec, expected in ((Spec(), set()), (Spec(require=Requirements(flow_logs=False)), set()), (declared, reads)):
        tables = tables_needed(_rules(), spec)
        (statement,) = policy_document(tables, "consumer", spec)["Statement"]
        assert reads & set(statement["Action"]) == expected
        assert reads & operations_needed(tables, "provider", spec) == set()
        snapshot, asked = take(everything(), tables, spec=spec)
        assert reads & asked[CONSUMER] == expected
        assert reads & asked[PROVIDER] == set()
        assert (len(snapshot.tables["flow_logs"]) > 0) is bool(expected)


@pytest.mark.parametrize("side", SIDES)
def test_a_policy_document(side: AccountSide) -> None:
    document = policy_document(tables_needed(_rules()), side)
    assert set(document) == {"Version", "Statement"}
    assert document["Version"] == "1"
    (statement,) = document["Statement"]
    assert {**statement, "Action": None} == {"Effect": "Allow", "Action": None, "Resource": "*"}
    assert statement["Action"] == sorted(set(statement["Action"]))
    assert set(statement["Action"]) <= {operation.ram_action for operation in OPERATIONS.values()}
    assert not any(action.startswith("sts:") or "*" in action for action in statement["Action"])
    # A RAM policy holds 6,144 characters at most.
    assert len(json.dumps(document, indent=2)) < 6144


@pytest.mark.parametrize("select", [[], ["SG"], ["BE", "CLB"], ["ALLOW-001"]], ids=" ".join)
def test_what_the_policies_grant_is_enough(select: list[str]) -> None:
    rules = select_rules(_rules(), select, [])
    sides: dict[str, AccountSide] = {**SIDE_OF, POOR: "both"}
    faults = [fault for account, side in sides.items() for fault in refuse_all_but(_actions(side, select), account)]
    snapshot, asked = take(everything(gateways=False), tables_needed(rules), faults)
    gaps = snapshot.coverage[~snapshot.coverage["complete"].astype(bool)]
    assert gaps.empty, gaps[["account_id", "operation", "error_code"]]
    assert set(asked) == {PROVIDER, CONSUMER, POOR}
    assert len(snapshot.tables["endpoints"])
