"""What is taken away never makes a path reachable, and never breaks one that is: silence proves nothing."""

from __future__ import annotations

import copy
from functools import cache
from random import Random

import pytest

from auditor.facts.paths import PATH_TABLES, compute_paths
from auditor.inventory.schema import TABLES
from auditor.spec import EndpointSpec, Port, ServiceSpec, Spec
from tests.paths.deployment import Rows, deployment, snapshot
from tests.paths.test_walk import add_renamed
from tests.paths.walk import draw, rows_of

_NUMBER = 40


@cache
def _drawn() -> tuple[Rows, Spec]:
    """Deployments of all kinds in one inventory, the sound one first."""
    every: Rows = {}
    add_renamed(every, deployment(), "-sound")
    endpoints = {}
    for seed in range(_NUMBER):
        small = draw(Random(seed))
        add_renamed(every, rows_of(small), f"-{seed}")
        endpoints[f"ep-1-{seed}"] = EndpointSpec(clients=small.clients)
    every["accounts"] = every["accounts"][:2]
    return every, Spec(services={"*": ServiceSpec(ports=(Port("tcp", 80),))}, endpoints=endpoints)


def _verdicts(rows: Rows, unread: tuple[str, ...] = ()) -> dict[str, str]:
    """The verdict of every endpoint: reachable or blocked if one of its paths is."""
    _, spec = _drawn()
    found: dict[str, str] = {}
    for path in compute_paths(snapshot(rows, unread=unread), spec, []):
        assert path.verdict in ("reachable", "blocked", "unknown")
        found[path.endpoint_id] = path.verdict
    return found


@cache
def _whole() -> dict[str, str]:
    return _verdicts(_drawn()[0])


def _allowed(verdicts: dict[str, str]) -> None:
    for endpoint, before in _whole().items():
        after = verdicts.get(endpoint, "unknown")
        assert after != "reachable" or before == "reachable", endpoint
        assert after != "blocked" or before == "blocked", endpoint


def test_kinds_of_deployments() -> None:
    assert set(_whole().values()) == {"reachable", "blocked", "unknown"}
    assert _whole()["ep-1-sound"] == "reachable"


@pytest.mark.parametrize("table", sorted(PATH_TABLES - {"accounts"}))
def test_unread_table(table: str) -> None:
    rows = dict(_drawn()[0])
    rows[table] = []
    verdicts = _verdicts(rows, (table,))
    _allowed(verdicts)


@pytest.mark.parametrize("table", sorted(PATH_TABLES - {"accounts"}))
def test_half_read_table(table: str) -> None:
    rows = dict(_drawn()[0])
    rows[table] = rows.get(table, [])[::2]
    _allowed(_verdicts(rows, (table,)))


@pytest.mark.parametrize("table", sorted(PATH_TABLES - {"accounts"}))
def test_missing_values(table: str) -> None:
    """Every column that may be NULL, one after the other."""
    for column in TABLES[table].columns:
        if column.required or not any(column.name in row for row in _drawn()[0].get(table, ())):
            continue
        rows = dict(_drawn()[0])
        rows[table] = [{**copy.copy(row), column.name: None} for row in rows[table]]
        verdicts = _verdicts(rows)
        try:
            _allowed(verdicts)
        except AssertionError as error:
            raise AssertionError(f"{table}.{column.name}: {error}") from None
