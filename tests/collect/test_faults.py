"""Every operation with every fault: a gap that names account and operation, never a crash, never an invented row."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from auditor.collect.accounts import load_profiles
from auditor.collect.operations import OPERATIONS
from auditor.inventory.coverage import kind_of
from auditor.inventory.schema import TABLES
from auditor.inventory.snapshot import Snapshot
from auditor.simulator import Simulator
from auditor.simulator.faults import Fault
from auditor.simulator.scenarios import SCENARIOS
from tests.collect.conftest import Scan

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
#: The scenario in which an operation is called; the richest two are enough for all.
_SCENARIOS = ("broken", "nlb", "empty", "hostile-names", "tutorial")
# Answers that are one object have no list to spoil, and lists without pages no token to repeat.
_OF_LISTS = {"mistyped_list", "missing_list_key", "list_with_null", "repeated_token"}


@pytest.fixture(scope="module")
def whole() -> dict[str, tuple[Snapshot, set[str]]]:
    """Each scenario read without a fault: the snapshot, and the operations it took."""
    import tempfile
    from pathlib import Path

    from auditor.collect.crawl import collect

    found = {}
    for scenario in _SCENARIOS:
        with Simulator(SCENARIOS[scenario]()) as sim, tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "config.json"
            names = sim.write_config(path)
            snapshot = collect(load_profiles(path, names), endpoint_url=sim.url)
            found[scenario] = (snapshot, set(sim.statistics.operations()))
    return found


def _scenario(operation: str, whole: dict[str, tuple[Snapshot, set[str]]]) -> str | None:
    return next((scenario for scenario in _SCENARIOS if operation in whole[scenario][1]), None)


def test_the_scenarios_call_every_operation(whole: dict[str, tuple[Snapshot, set[str]]]) -> None:
    called = set().union(*(operations for _, operations in whole.values()))
    # Listeners of a GWLB are not read.
    assert set(OPERATIONS) - called <= {"gwlb:ListListeners"}


def _rows(frame: pd.DataFrame) -> set[tuple[str, ...]]:
    return {tuple(str(value) for value in row) for row in frame.itertuples(index=False)}


def _check(
    operation: str,
    kind: str,
    snapshot: Snapshot,
    expected: Snapshot,
    allowed: set[str] = frozenset(),  # type: ignore[assignment]  # never changed
) -> None:
    left = snapshot.coverage[~snapshot.coverage["complete"]]
    of_operation = left[left["operation"] == operation]
    assert not of_operation.empty, f"{operation} failed and no gap says so"
    assert {kind_of(code) for code in of_operation["error_code"]} <= KINDS[kind] | allowed
    assert of_operation["account_id"].notna().all() or operation == "sts:GetCallerIdentity"
    assert of_operation["message"].str.len().gt(3).all()
    # Whatever else is incomplete follows from it.
    others = left[left["operation"] != operation]
    assert set(others["error_code"]) <= {"Plaudit.ParentUnread", "Plaudit.NotCollected"}
    filled = {name for name, table in TABLES.items() if operation in table.operations}
    for name in TABLES:
        assert _rows(snapshot[name]) <= _rows(expected[name]), f"{name} has rows that are not there"
        if name not in filled and operation not in _FIRST and not _depends(name, filled):
            assert _rows(snapshot[name]) == _rows(expected[name]), name


#: Operations on whose answer nearly everything depends.
_FIRST = {
    "sts:GetCallerIdentity",
    "privatelink:DescribeRegions",
    "privatelink:ListVpcEndpoints",
    "privatelink:ListVpcEndpointServices",
}


def _depends(name: str, filled: set[str]) -> bool:
    from auditor.collect.crawl import wanted_tables

    # Lists of groups and instances grow with what other tables name.
    named = {
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


CRAWLED = [(operation, "forbidden") for operation in OPERATIONS] + [
    (operation, list(KINDS)[number % len(KINDS)]) for number, operation in enumerate(OPERATIONS)
]


@pytest.mark.parametrize(("operation", "kind"), CRAWLED, ids=lambda value: str(value))
def test_a_crawl_with_a_fault(
    scan: Scan, whole: dict[str, tuple[Snapshot, set[str]]], operation: str, kind: str
) -> None:
    scenario = _scenario(operation, whole)
    if scenario is None or (kind in _OF_LISTS and not OPERATIONS[operation].items):
        return
    if kind == "repeated_token" and OPERATIONS[operation].paging == "none":
        return
    if operation == "sts:GetCallerIdentity":
        kind = "forbidden"
    account = "6543210987654321" if operation == "sts:GetCallerIdentity" else None
    with Simulator(SCENARIOS[scenario](), faults=[_fault(operation, kind, account)]) as sim:
        snapshot = scan(sim, timeout=0.1 if kind == "timeout" else 5.0)
    _check(operation, kind, snapshot, whole[scenario][0])


def _fault(operation: str, kind: Any, account: str | None = None) -> Fault:
    return Fault(operation, kind, account_id=account, seconds=1.0 if kind == "timeout" else None)


@pytest.mark.parametrize("kind", KINDS)
def test_a_list_with_a_fault(whole: dict[str, tuple[Snapshot, set[str]]], kind: str) -> None:
    """The same, for every operation, one call each."""
    from types import SimpleNamespace

    from auditor.collect.caller import Caller, Run, Settings
    from auditor.collect.endpoints import parse_endpoint
    from tests.collect.conftest import FakeTime

    world = SCENARIOS["tutorial"]()
    with Simulator(world, faults=[_fault("*", kind)], verify_signature=False) as sim:
        timeout = 0.02 if kind == "timeout" else 5.0
        run = Run(Settings(parse_endpoint(sim.url, "x"), 4, timeout), FakeTime().clock)
        import json
        import tempfile
        from pathlib import Path

        with tempfile.TemporaryDirectory() as folder:
            sim.write_config(Path(folder) / "c.json")
            key = json.loads((Path(folder) / "c.json").read_text(encoding="utf-8"))["profiles"][0]["access_key_id"]
        keys = SimpleNamespace(access_key_id=key, access_key_secret="s", security_token=None, provider_name=None)
        caller = Caller(run, "p", SimpleNamespace(get_credential=lambda: keys))
        for operation in OPERATIONS.values():
            if kind in _OF_LISTS and not operation.items:
                continue
            if kind == "repeated_token" and operation.paging == "none":
                continue
            listing = caller.list(
                operation.key, "eu-central-1", {operation.id_parameter: "x"} if operation.id_parameter else {}
            )
            assert listing.error is not None, operation.key
            if listing.error.status not in (400, 404):
                # (Made-up ids: some operations answer that before the fault can change a body.)
                assert kind_of(listing.error.code) in KINDS[kind], (operation.key, listing.error)


@pytest.mark.parametrize("kind", ["extra_token", "duplicate_row"])
def test_harmless_oddities_change_nothing(scan: Scan, whole: dict[str, tuple[Snapshot, set[str]]], kind: Any) -> None:
    with Simulator(SCENARIOS["broken"](), faults=[Fault("*", kind)]) as sim:
        snapshot = scan(sim)
    assert snapshot.coverage["complete"].all()
    for name in TABLES:
        assert _rows(snapshot[name]) == _rows(whole["broken"][0][name])


@pytest.mark.parametrize("kind", ["throttle", "internal_error", "unavailable", "reset", "close", "truncated_json"])
def test_faults_that_pass_leave_no_gap(scan: Scan, whole: dict[str, tuple[Snapshot, set[str]]], kind: Any) -> None:
    with Simulator(SCENARIOS["tutorial"](), faults=[Fault("*", kind, count=1)]) as sim:
        snapshot = scan(sim)
    assert snapshot.coverage["complete"].all()
    for name in TABLES:
        assert _rows(snapshot[name]) == _rows(whole["tutorial"][0][name])


@pytest.mark.parametrize("kind", ["forbidden", "mistyped_list", "list_with_null", "error_object_200", "html_200"])
def test_everything_at_once(scan: Scan, kind: Any) -> None:
    """Only the identity is understood: two accounts, no rows, gaps for what was asked."""
    faults = [Fault(f"{product}:*", kind) for product in ("privatelink", "slb", "vpc", "ecs", "cms")]
    with Simulator(SCENARIOS["tutorial"](), faults=faults) as sim:
        snapshot = scan(sim, regions=["eu-central-1"])
    left = snapshot.coverage[~snapshot.coverage["complete"]]
    assert {"endpoints", "endpoint_services", "vpcs", "vswitches"} <= set(left["table_name"])
    assert set(left["account_id"]) == {"6543210987654321", "1234567890123456"}
    if kind != "list_with_null":
        assert sum(len(frame) for name, frame in snapshot.tables.items() if name != "accounts") == 0
