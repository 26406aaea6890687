"""All facts together: declared columns, and no surprise whatever was not read."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pandas as pd
import pytest

from auditor.facts import compute_facts
from auditor.facts.schema import FACTS
from auditor.inventory.schema import TABLES
from auditor.spec import EndpointSpec, Spec

from . import scene

CLIENTS = ("10.0.0.0/24", "i-1", "sg-c")


def deployment() -> dict[str, list[dict[str, Any]]]:
    """A little of everything that facts read."""
    rules = [
        scene.rule("r1", "Accept", "10.0.0.0/25"),
        scene.rule("r2", "Drop", "10.0.0.64/26", priority=5),
        scene.rule("r3", "Accept", priority=6, source_group_id="sg-c"),
        scene.rule("r4", "Accept", priority=7, source_prefix_list_id="pl-1", port_range="", port_list_id="prl-1"),
        scene.egress("r5", "Drop", "10.0.0.250", source_cidr="10.0.0.8"),
    ]
    server = {"server_group_id": "lb-1:default", "server_id": "i-b", "server_type": "ecs", "weight": 100, "role": ""}
    probe = {"endpoint_id": "ep-1", "vantage": "i-1", "address": "10.0.0.9", "at": "2026-01-01T00:00:00Z"}
    rows = scene.together(
        scene.base(rules, inner="Accept"),
        scene.group("sg-c"),
        scene.eni("eni-c", "10.0.0.200", ["sg-c"], instance_id="i-1"),
        {
            "prefix_lists": [{"prefix_list_id": "pl-1"}],
            "prefix_list_entries": [{"prefix_list_id": "pl-1", "cidr": "10.0.0.128/26"}],
            "port_list_entries": [{"port_list_id": "prl-1", "port_range": "80/80"}],
            "backends": [server],
            "health_status": [
                {"load_balancer_id": "lb-1", "protocol": "tcp", "listener_port": 80, "server_id": "i-b", "port": 8080}
            ],
            "vswitches": [
                {"vswitch_id": "vsw-1", "vpc_id": "vpc-1", "cidr_block": "10.0.0.0/25", "network_acl_id": "nacl-1"},
                {"vswitch_id": "vsw-2", "vpc_id": "vpc-1", "cidr_block": "10.0.0.128/25", "network_acl_id": ""},
            ],
            "network_acl_entries": [
                {"network_acl_id": "nacl-1", "direction": "ingress", "position": 1, "policy": "accept", "cidr": "pl-1"}
            ],
            "service_users": [{"service_id": "epsrv-1", "entry": scene.CONSUMER, "entry_type": "account"}],
            "probe_names": [{**probe, "zone_id": "", "domain": "ep-1.example", "record_type": "A", "status": "ok"}],
            "probe_connections": [{**probe, "zone_id": "", "protocol": "tcp", "port": 80, "outcome": "timeout"}],
        },
    )
    rows["listeners"][0] |= {"vserver_group_id": "", "primary_secondary_group_id": "", "backend_server_port": 8080}
    return rows


SPECS = [Spec(), Spec(endpoints={"*": EndpointSpec(clients=CLIENTS)})]


def check(frames: dict[str, pd.DataFrame]) -> None:
    assert list(frames) == list(FACTS)
    for name, frame in frames.items():
        assert tuple(frame.columns) == tuple(column.name for column in FACTS[name].columns)
        verdicts = {
            "endpoint_access": "verdict",
            "endpoint_exposure": "open",
            "client_egress": "allowed",
            "endpoint_acl_access": "verdict",
            "client_acl_access": "allowed",
        }
        if name in verdicts and len(frame):
            unexplained = frame[frame[verdicts[name]].isna() & frame["reason"].isna()]
            assert unexplained.empty, unexplained.to_dict("records")


@pytest.mark.parametrize("spec", SPECS)
def test_every_fact_has_its_declared_columns(spec: Spec) -> None:
    frames = compute_facts(scene.snapshot(deployment()), spec, FACTS)
    check(frames)
    assert all(len(frame) for frame in frames.values())
    check(compute_facts(scene.snapshot({}), spec, FACTS))
    check(compute_facts(scene.snapshot({}, unread=TABLES), spec, FACTS))


def test_only_wanted_facts_are_computed_and_unknown_ones_refused() -> None:
    assert list(compute_facts(scene.snapshot({}), Spec(), ["endpoint_ports"])) == ["endpoint_ports"]
    with pytest.raises(KeyError, match="no_such_fact"):
        compute_facts(scene.snapshot({}), Spec(), ["no_such_fact"])


def decided(frames: dict[str, pd.DataFrame]) -> dict[tuple[Any, ...], Any]:
    """What the facts claim to know, by what it is about."""
    keys = {
        "endpoint_access": (
            ["endpoint_id", "zone_id", "eni_id", "protocol", "port", "client"],
            ["verdict", "shadowed"],
        ),
        "endpoint_exposure": (["endpoint_id", "eni_id", "protocol", "port"], ["open"]),
        "client_egress": (["endpoint_id", "client_eni_id", "eni_id", "protocol", "port"], ["allowed"]),
        "group_references": (["endpoint_id", "security_group_id", "rule_id", "reference_id"], ["state"]),
        "listener_groups": (["load_balancer_id", "protocol", "port", "origin", "rule_id"], ["server_group_id"]),
    }
    found = {}
    for name, (key, values) in keys.items():
        for row in frames[name].astype(object).where(frames[name].notna(), None).to_dict("records"):
            for value in values:
                found[(name, value, *(row[column] for column in key))] = row[value]
    return found


#: Who a row is about; without it there is another row, not another verdict.
IDENTITIES = {"endpoint_id", "eni_id", "zone_id", "vpc_id", "service_id", "instance_id", "status", "rule_id", "eni_ip"}


@pytest.mark.parametrize("spec", SPECS)
def test_a_column_that_was_not_read_never_turns_a_verdict_around(spec: Spec) -> None:
    rows = deployment()
    whole = decided(compute_facts(scene.snapshot(rows), spec, FACTS))
    for table, own in rows.items():
        for column in TABLES[table].columns:
            if column.required or column.name in IDENTITIES or not own:
                continue
            less = {**rows, table: [{**row, column.name: None} for row in own]}
            frames = compute_facts(scene.snapshot(less), spec, FACTS)
            check(frames)
            for key, value in decided(frames).items():
                if value is not None and key in whole:
                    assert value == whole[key], (table, column.name, key)


@pytest.mark.parametrize("spec", SPECS)
def test_a_table_that_was_not_read_never_turns_a_verdict_around(spec: Spec) -> None:
    rows = deployment()
    whole = decided(compute_facts(scene.snapshot(rows), spec, FACTS))
    for table in rows:
        for less in ({**rows, table: []}, rows):
            frames = compute_facts(scene.snapshot(less, unread=[table]), spec, FACTS)
            check(frames)
            for key, value in decided(frames).items():
                if value is not None and key in whole:
                    assert value == whole[key], (table, key)


def test_importing_facts_is_light() -> None:
    code = "import sys, json, auditor.facts; print(json.dumps([m for m in ('pandas', 'duckdb') if m in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []
