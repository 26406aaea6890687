"""`plaudit doctor` and `plaudit policy` as commands: answers, exit codes, and what is asked of the cloud."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from auditor.collect.operations import PRODUCTS
from auditor.simulator.faults import Fault
from tests.cli.conftest import Answer, Cloud
from tests.collect.rich import CONSUMER, PROVIDER

Plaudit = Callable[..., Answer]
Start = Callable[..., Cloud]
KEYS = ["account_id", "region_id", "operation", "ram_action", "ok", "error_code", "rules"]
GROUPS = "ecs:DescribeSecurityGroupAttribute"


def test_everything_answers(plaudit: Plaudit, cloud: Start) -> None:
    started = cloud()
    answer = plaudit("doctor", *started.all)
    assert (answer.code, answer.out) == (0, "")
    assert "all of them answered" in answer.err
    assert f"not tried in account {PROVIDER}: alb:GetListenerHealthStatus" in answer.err
    assert "grant" not in answer.err
    answer = plaudit("doctor", *started.all, "--format", "json", "-q")
    assert (answer.code, answer.err) == (0, "")
    assert [list(row) for row in answer.json] == [KEYS] * len(answer.json)
    assert all(row["ok"] and row["error_code"] is None and row["rules"] == [] for row in answer.json)
    places = [(row["account_id"], row["region_id"], row["operation"]) for row in answer.json]
    assert len(places) == len(set(places))
    assert (CONSUMER, "eu-central-1", GROUPS) in places
    assert (CONSUMER, "", "privatelink:DescribeRegions") in places
    assert {row["ram_action"] for row in answer.json if row["operation"] == "sts:GetCallerIdentity"} == {None}


@pytest.mark.parametrize("selection", [(), ("--select", "SG,BE"), ("--exclude", "SG,BE,CONN,HA,NET,EP,ALLOW")])
def test_it_asks_what_a_scan_asks(plaudit: Plaudit, cloud: Start, selection: tuple[str, ...]) -> None:
    counts = []
    for command in ("scan", "doctor"):
        started = cloud()
        plaudit(command, *started.all, *selection)
        counts.append(Counter(started.simulator.statistics.requests))
    assert counts[0] == counts[1] != Counter()


@pytest.mark.parametrize("operation", [GROUPS, "vpc:DescribeVSwitches", "privatelink:ListVpcEndpointServices"])
def test_it_agrees_with_a_scan(plaudit: Plaudit, cloud: Start, operation: str) -> None:
    started = cloud(faults=[Fault(operation=operation, kind="forbidden", account_id=CONSUMER)])
    scanned = plaudit("scan", *started.all, "--format", "json", "--fail-on", "none")
    answer = plaudit("doctor", *started.all, "--format", "json")
    assert (scanned.code, answer.code) == (4, 4)
    missing = [row for row in answer.json if not row["ok"]]
    reads = [read for read in scanned.json["coverage"]["reads"] if not read["complete"]]
    assert {(row["account_id"], row["operation"]) for row in missing} == {
        (read["account_id"], read["operation"]) for read in reads
    }
    named = {row["operation"]: row for row in missing}[operation]
    assert (named["account_id"], named["ram_action"], named["error_code"]) == (CONSUMER, operation, "Forbidden.RAM")
    assert {rule_id for row in missing for rule_id in row["rules"]} == {
        finding["rule_id"] for finding in scanned.json["findings"] if finding["outcome"] == "unknown"
    }


def test_the_table_names_all_rules_and_the_grants(plaudit: Plaudit, cloud: Start) -> None:
    started = cloud(faults=[Fault(operation=GROUPS, kind="forbidden", account_id=CONSUMER)])
    answer = plaudit("doctor", *started.all)
    assert answer.code == 4
    head, line, missing, *rules = answer.out.splitlines()
    assert head.split() == ["account", "region", "not", "read", "why"]
    assert set(line) == {"-", " "}
    assert missing.split() == [CONSUMER, "eu-central-1", GROUPS, "Forbidden.RAM"]
    assert all(text.startswith("    ") and len(text) <= 100 for text in rules)
    named = " ".join(rules).replace(",", " ").split()
    assert named[0] == "costs"
    listed = plaudit("doctor", *started.all, "--format", "json").json
    assert named[3:] == next(row["rules"] for row in listed if not row["ok"])
    assert f"grant in account {CONSUMER}: {GROUPS}" in answer.err


def test_nothing_readable(plaudit: Plaudit, cloud: Start) -> None:
    started = cloud(faults=[Fault(operation=f"{name}:*", kind="forbidden") for name in PRODUCTS if name != "sts"])
    answer = plaudit("doctor", *started.all, "--format", "json")
    assert answer.code == 5
    assert {row["ok"] for row in answer.json if row["operation"] != "sts:GetCallerIdentity"} == {False}
    assert "exit 5" in answer.err
    started = cloud(faults=[Fault(operation="sts:*", kind="forbidden")])
    answer = plaudit("doctor", *started.all, "--format", "json")
    assert (answer.code, answer.out) == (5, "")
    assert "no account could be read" in answer.err


def test_one_profile_without_identity(plaudit: Plaudit, cloud: Start) -> None:
    started = cloud(faults=[Fault(operation="sts:*", kind="forbidden", account_id=CONSUMER)])
    answer = plaudit("doctor", *started.all)
    assert answer.code == 4
    assert "profile consumer  -       sts:GetCallerIdentity  Forbidden.RAM" in answer.out
    missing = [row for row in plaudit("doctor", *started.all, "--format", "json").json if not row["ok"]]
    assert [(row["account_id"], row["operation"]) for row in missing] == [(None, "sts:GetCallerIdentity")]


def test_accounts_that_own_nothing(plaudit: Plaudit, cloud: Start) -> None:
    answer = plaudit("doctor", *cloud("empty").all)
    assert answer.code == 0
    assert f"not tried in account {PROVIDER}: " in answer.err
    assert "of which no region shows any" in answer.err


def test_a_policy(plaudit: Plaudit) -> None:
    sides = {side: plaudit("policy", "--side", side) for side in ("provider", "consumer", "both")}
    actions = {}
    for side, answer in sides.items():
        assert (answer.code, answer.err) == (0, "")
        assert list(answer.json) == ["Version", "Statement"]
        actions[side] = answer.json["Statement"][0]["Action"]
    assert plaudit("policy").out == sides["both"].out
    assert set(actions["both"]) == set(actions["provider"]) | set(actions["consumer"])
    assert GROUPS in actions["consumer"]
    assert "slb:DescribeRules" not in actions["consumer"]
    assert "privatelink:ListVpcEndpointZones" not in actions["provider"]
    narrow = plaudit("policy", "--side", "consumer", "--select", "ZONE-001").json["Statement"][0]["Action"]
    assert set(narrow) < set(actions["consumer"])
    assert GROUPS not in narrow
    assert plaudit("policy", "--side", "all").code == 2
    assert plaudit("policy", "--select", "NOPE").code == 2


def test_a_policy_of_a_specification(plaudit: Plaudit) -> None:
    without = plaudit("policy", "--side", "consumer")
    Path("plaudit.yaml").write_text('version: 1\nendpoints:\n  "*":\n    clients: ["i-gw8example"]\n', encoding="utf-8")
    with_clients = plaudit("policy", "--side", "consumer")
    assert "ecs:DescribeInstances" not in json.loads(without.out)["Statement"][0]["Action"]
    assert "ecs:DescribeInstances" in with_clients.json["Statement"][0]["Action"]
