"""The doctor against what a scan of the same deployment reports, read by read."""

from __future__ import annotations

from functools import cache

import pytest

from auditor.doctor import Trial, trials
from auditor.engine import Rule, load_rules, select_rules, tables_needed
from auditor.engine.run import judge_loaded
from auditor.engine.session import Session
from auditor.engine.sql import Database
from auditor.findings import Finding, Outcome
from auditor.inventory.snapshot import Snapshot
from auditor.permissions import operations_needed, policy_document, rule_operations
from auditor.simulator.faults import Fault
from auditor.spec import Spec
from tests.collect.rich import CONSUMER, POOR, PROVIDER
from tests.doctor.deployment import everything, take

IDENTITY = "sts:GetCallerIdentity"
#: Rules of every topic that reads say much about, for the tests that name rules.
SOME = ("SG-001", "SG-002", "BE-001", "NET-007", "CONN-001")


@cache
def _rules(select: tuple[str, ...]) -> tuple[Rule, ...]:
    return tuple(select_rules(load_rules(), select, []))


@cache
def _session() -> Session:
    """One database for all tests: making it takes longer than judging."""
    return Session(Database(threads=1))


@cache
def _sample() -> tuple[str, ...]:
    """Few rules that together need every read; judging all rules for every read is the long run."""
    rules = _rules(())
    left = set(operations_needed(tables_needed(rules)))
    chosen: list[str] = []
    while left:
        best = max(rules, key=lambda rule: len(left & rule_operations(rule)))
        if not left & rule_operations(best):
            break
        left -= rule_operations(best)
        chosen.append(best.id)
    return tuple(sorted(chosen))


def _trials(
    select: tuple[str, ...], *faults: Fault, gateways: bool = False
) -> tuple[Snapshot, list[Finding], list[Trial]]:
    rules = _rules(select)
    snapshot, _ = take(everything(gateways=gateways), tables_needed(rules), faults)
    session = _session()
    session.load(snapshot, rules, Spec())
    findings = judge_loaded(session, rules)
    return snapshot, findings, trials(snapshot, rules, findings, Spec())


def _unknown(findings: list[Finding]) -> set[str]:
    return {finding.rule_id for finding in findings if finding.outcome is Outcome.UNKNOWN}


@cache
def _before(select: tuple[str, ...]) -> frozenset[str]:
    _, findings, made = _trials(select)
    assert all(trial.ok and trial.error_code is None and trial.rules == () for trial in made)
    return frozenset(_unknown(findings))


def _agrees(select: tuple[str, ...], operation: str) -> None:
    """One read refused everywhere: the doctor names it, as the scan does, with the rules it costs."""
    snapshot, findings, made = _trials(select, Fault(operation=operation, kind="forbidden"))
    gaps = snapshot.coverage[~snapshot.coverage["complete"].astype(bool)]
    failed = [trial for trial in made if not trial.ok]
    assert {(trial.account_id, trial.operation) for trial in failed} == set(
        zip(gaps["account_id"], gaps["operation"], strict=True)
    ), operation
    assert {trial.operation for trial in failed if trial.grantable} == {operation}
    for trial in failed:
        if trial.operation == operation:
            assert (trial.error_code, trial.ram_action) == ("Forbidden.RAM", operation)
        else:
            assert trial.error_code == "Plaudit.ParentUnread", operation
    costs = {rule_id for trial in failed if trial.operation == operation for rule_id in trial.rules}
    # A rule that is unknown anyway and does not say for want of which read may be named too.
    assert costs - _before(select) == _unknown(findings) - _before(select), operation
    assert costs <= {rule.id for rule in _rules(select) if operation in rule_operations(rule)}, operation


def _actions(select: tuple[str, ...]) -> list[str]:
    """Everything a policy grants that this deployment asks for."""
    nowhere = {"gwlb:ListLoadBalancers"}
    actions: list[str] = policy_document(tables_needed(_rules(select)))["Statement"][0]["Action"]
    return [action for action in actions if action not in nowhere]


@pytest.mark.parametrize("product", ["privatelink", "slb", "nlb", "alb", "vpc", "ecs", "cms"])
def test_each_refused_read_is_named_with_the_rules_it_costs(product: str) -> None:
    assert len(_sample()) < 15
    assert _actions(_sample()) == _actions(())
    for operation in _actions(_sample()):
        if operation.startswith(f"{product}:"):
            _agrees(_sample(), operation)


@pytest.mark.slow
def test_each_refused_read_over_all_rules() -> None:
    for operation in _actions(()):
        _agrees((), operation)


def test_a_read_refused_in_one_account_is_missing_there_only() -> None:
    both = "vpc:DescribeVSwitches"
    _, _, made = _trials(SOME, Fault(operation=both, kind="forbidden", account_id=CONSUMER))
    assert {(trial.account_id, trial.ok) for trial in made if trial.operation == both} == {
        (PROVIDER, True),
        (CONSUMER, False),
    }


def test_several_refused_reads_cost_at_least_what_each_costs() -> None:
    pair = ("ecs:DescribeSecurityGroupAttribute", "slb:DescribeLoadBalancerListeners")
    _, findings, made = _trials(SOME, *(Fault(operation=key, kind="forbidden") for key in pair))
    failed = {(trial.operation, rule_id) for trial in made for rule_id in trial.rules if trial.operation in pair}
    assert {(pair[0], "SG-001"), (pair[1], "SG-001"), (pair[0], "SG-002"), (pair[1], "BE-001")} <= failed
    assert {rule_id for trial in made for rule_id in trial.rules} == _unknown(findings)


def test_an_account_that_cannot_be_told_is_named_by_its_profile() -> None:
    snapshot, findings, made = _trials(SOME, Fault(operation=IDENTITY, kind="forbidden", account_id=CONSUMER))
    (failed,) = [trial for trial in made if not trial.ok]
    assert (failed.account_id, failed.profile, failed.operation) == (None, "consumer", IDENTITY)
    assert failed.ram_action is None
    assert not failed.grantable
    assert set(failed.rules) == _unknown(findings)
    assert {trial.account_id for trial in made if trial.ok} == {PROVIDER, POOR}
    assert len(snapshot.tables["accounts"]) == 2


def test_a_gateway_load_balancer_is_no_gap() -> None:
    _, findings, made = _trials(SOME, gateways=True)
    assert [trial for trial in made if not trial.ok] == []
    assert _unknown(findings) == set()


def test_a_refused_list_of_addresses_costs_one_rule() -> None:
    fault = Fault("vpc:DescribeEipAddresses", "forbidden")
    _, findings, made = _trials((), fault)
    (failed,) = [trial for trial in made if not trial.ok]
    assert (failed.account_id, failed.operation, failed.rules) == (PROVIDER, fault.operation, ("CLB-004",))
    assert failed.grantable
    lost = [finding for finding in findings if finding.outcome is Outcome.UNKNOWN and finding.rule_id == "CLB-004"]
    assert {finding.severity.value for finding in lost} == {"medium"}
    assert _unknown(findings) - _before(()) == {"CLB-004"}


def test_an_empty_list_without_permission_is_not_believed() -> None:
    fault = Fault(operation="ecs:DescribeInstances", kind="silent_empty", account_id=PROVIDER)
    _, _, made = _trials(SOME, fault)
    (failed,) = [trial for trial in made if not trial.ok]
    assert (failed.account_id, failed.operation, failed.error_code) == (
        PROVIDER, "ecs:DescribeInstances", "Plaudit.NoPermission",
    )  # fmt: skip
    assert failed.grantable
