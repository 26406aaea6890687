"""Every operation with every fault: a gap that names account and operation, never a crash, never an invented row."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from auditor.collect.accounts import load_profiles
from auditor.collect.caller import Caller, Run, Settings
from auditor.collect.crawl import collect
from auditor.collect.endpoints import parse_endpoint
from auditor.collect.operations import OPERATIONS
from auditor.collect.wanted import wanted_tables
from auditor.inventory.coverage import kind_of
from auditor.inventory.schema import TABLES
from auditor.inventory.snapshot import Snapshot
from auditor.simulator import Simulator
from auditor.simulator.faults import Fault
from tests.collect.conftest import FakeTime, Scan
from tests.collect.rich import CONSUMER, POOR, PROVIDER, rich

#: Kind of fault → kinds of gap it may end as.
KINDS: dict[str, set[str]] = {
    "forbidden": {"refused"},
    "throttle_forever": {"throttled"},
    "unavailable_html": {"unreachable"},
    "close": {"unreachable"},
    "timeout": {"unreachable"},
    "short_body": {"malformed"},
    "truncated_json": {"malformed"},
    "html_200": {"malformed"},
    "null_body": {"malformed"},
    "error_object_200": {"malformed"},
    "mistyped_list": {"malformed"},
    "missing_list_key": {"malformed"},
    "list_with_null": {"malformed"},
    "repeated_token": {"truncated"},
}
# Answers that are one object have no list to spoil, and lists without pages no token to repeat.
_OF_LISTS = {"mistyped_list", "missing_list_key", "list_with_null", "repeated_token"}


Rows = dict[str, set[tuple[str, ...]]]


@dataclass(frozen=True)
class Rich:
    """The rich world as it is read without a fault."""

    snapshot: Snapshot
    operations: set[str]
    rows: Rows


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Rich:
    """The rich world read without a fault: the snapshot, and the operations it took."""
    path = tmp_path_factory.mktemp("whole") / "config.json"
    with Simulator(rich()) as sim:
        names = sim.write_config(path)
        snapshot = collect(load_profiles(path, names), endpoint_url=sim.url)
        rows = {name: _rows(frame) for name, frame in snapshot.tables.items()}
        return Rich(snapshot, set(sim.statistics.operations()), rows)


def test_the_world_calls_every_operation_and_fills_every_table(whole: Rich) -> None:
    snapshot, called = whole.snapshot, whole.operations
    assert set(OPERATIONS) == called
    assert snapshot.coverage["complete"].all()
    assert [name for name, frame in snapshot.tables.items() if frame.empty and not TABLES[name].given] == []


def _rows(frame: pd.DataFrame) -> set[tuple[str, ...]]:
    # The simulator counts some times of change back from now.
    frame = frame.drop(columns="modified_at", errors="ignore")
    return {tuple(str(value) for value in row) for row in frame.itertuples(index=False)}


def _codes(snapshot: Snapshot) -> set[str]:
    return set(snapshot.coverage[~snapshot.coverage["complete"]]["error_code"])


def _check(operation: str, kind: str, snapshot: Snapshot, expected: Rows) -> None:
    left = snapshot.coverage[~snapshot.coverage["complete"]]
    of_operation = left[left["operation"] == operation]
    assert not of_operation.empty, f"{operation} failed and no gap says so"
    assert {kind_of(code) for code in of_operation["error_code"]} <= KINDS[kind]
    assert of_operation["account_id"].notna().all() or operation == "sts:GetCallerIdentity"
    assert of_operation["message"].str.len().gt(3).all()
    # Whatever else is incomplete follows from it.
    others = left[left["operation"] != operation]
    assert set(others["error_code"]) <= {"Plaudit.ParentUnread"}
    filled = {name for name, table in TABLES.items() if operation in table.operations}
    if "load_balancers" in filled:
        filled.add("resource_tags")
    for name in TABLES:
        if name == "product_activations":
            continue  # asked wherever no endpoint and no service is known
        assert _rows(snapshot[name]) <= expected[name], f"{name} has rows that are not there"
        if name not in filled and operation not in _FIRST and not _depends(name, filled):
            assert _rows(snapshot[name]) == expected[name], name


#: Operations on whose answer nearly everything depends.
_FIRST = {
    "sts:GetCallerIdentity",
    "privatelink:DescribeRegions",
    "privatelink:ListVpcEndpoints",
    "privatelink:ListVpcEndpointServices",
}


def _depends(name: str, filled: set[str]) -> bool:
    # Lists of groups and instances grow with what other tables name.
    named = {
        "resource_attributes",
        "security_groups",
        "security_group_rules",
        "security_group_policies",
        "prefix_lists",
        "prefix_list_entries",
        "port_list_entries",
        "instances",
        "instance_security_groups",
        "network_interfaces",
        "eni_addresses",
        "eni_security_groups",
    }
    return bool(wanted_tables({name}).tables & filled) or name in named


def _fits(operation: str, kind: str) -> bool:
    listed = OPERATIONS[operation]
    if kind == "repeated_token":
        return listed.paging != "none"
    if kind in _OF_LISTS and listed.name == "GetLoadBalancerAttribute":
        return False  # the simulator spoils a list that is not read
    return kind not in _OF_LISTS or bool(listed.items)


def _crawled() -> list[tuple[str, str]]:
    """Every operation once, with kinds of fault that take turns; the test below has all kinds for all operations."""
    found = []
    for number, operation in enumerate(OPERATIONS):
        turns = [kind for kind in KINDS if _fits(operation, kind)]
        found.append((operation, turns[number % len(turns)]))
    return found


CRAWLED = _crawled()


@pytest.mark.parametrize(("operation", "kind"), CRAWLED, ids=str)
def test_a_crawl_with_a_fault(scan: Scan, whole: Rich, operation: str, kind: str) -> None:
    account = PROVIDER if operation == "sts:GetCallerIdentity" else None
    with Simulator(rich(), faults=[_fault(operation, kind, account)]) as sim:
        snapshot = scan(sim, timeout=0.2 if kind == "timeout" else 5.0)
    _check(operation, kind, snapshot, whole.rows)


def _fault(operation: str, kind: Any, account: str | None = None) -> Fault:
    return Fault(operation, kind, account_id=account, seconds=1.0 if kind == "timeout" else None)


@pytest.mark.parametrize("kind", KINDS)
def test_a_list_with_a_fault(tmp_path: Path, kind: Any) -> None:
    """The same, for every operation, one call each."""
    world = rich()
    with Simulator(world, faults=[_fault("*", kind)], verify_signature=False) as sim:
        timeout = 0.02 if kind == "timeout" else 5.0
        run = Run(Settings(parse_endpoint(sim.url, "x"), 4, timeout), FakeTime().clock)
        sim.write_config(tmp_path / "c.json")
        key = json.loads((tmp_path / "c.json").read_text(encoding="utf-8"))["profiles"][0]["access_key_id"]
        keys = SimpleNamespace(access_key_id=key, access_key_secret="s", security_token=None, provider_name=None)
        caller = Caller(run, "p", SimpleNamespace(get_credential=lambda: keys))
        for operation in OPERATIONS.values():
            if not _fits(operation.key, kind):
                continue
            listing = caller.list(
                operation.key, "eu-central-1", {operation.id_parameter: "x"} if operation.id_parameter else {}
            )
            assert listing.error is not None, operation.key
            if listing.error.status not in (400, 404):
                # (Made-up ids: some operations answer that before the fault can change a body.)
                assert kind_of(listing.error.code) in KINDS[kind], (operation.key, listing.error)


@pytest.mark.parametrize("kind", ["extra_token", "duplicate_row"])
def test_harmless_oddities_change_nothing(scan: Scan, whole: Rich, kind: Any) -> None:
    with Simulator(rich(), faults=[Fault("*", kind)]) as sim:
        snapshot = scan(sim)
    assert _codes(snapshot) == set()
    for name in TABLES:
        assert _rows(snapshot[name]) == whole.rows[name]


@pytest.mark.parametrize("kind", ["throttle", "internal_error", "unavailable", "reset", "close", "truncated_json"])
def test_faults_that_pass_leave_no_gap(scan: Scan, whole: Rich, kind: Any) -> None:
    with Simulator(rich(), faults=[Fault("*", kind, count=1)]) as sim:
        snapshot = scan(sim)
    assert _codes(snapshot) == set()
    for name in TABLES:
        assert _rows(snapshot[name]) == whole.rows[name]


@pytest.mark.parametrize("kind", ["forbidden", "mistyped_list", "list_with_null", "error_object_200", "html_200"])
def test_everything_at_once(scan: Scan, kind: Any) -> None:
    """Only the identity is understood: two accounts, no rows, gaps for what was asked."""
    faults = [Fault(f"{product}:*", kind) for product in ("privatelink", "slb", "vpc", "ecs", "cms")]
    with Simulator(rich(), faults=faults) as sim:
        snapshot = scan(sim, regions=["eu-central-1"])
    left = snapshot.coverage[~snapshot.coverage["complete"]]
    assert {"endpoints", "endpoint_services", "vpcs", "vswitches"} <= set(left["table_name"])
    assert set(left["account_id"]) == {PROVIDER, CONSUMER, POOR}
    if kind != "list_with_null":
        # (CheckProductOpen has no list to spoil.)
        kept = {name for name, frame in snapshot.tables.items() if not frame.empty}
        assert kept <= {"accounts", "product_activations"}
