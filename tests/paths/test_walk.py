"""Paths agree with packets: random deployments, walked address by address."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditor.facts.paths import compute_paths
from auditor.spec import EndpointSpec, Port, ServiceSpec, Spec
from tests.paths.deployment import Rows, declared, follow, snapshot
from tests.paths.walk import Small, draw, rows_of, walk

_SHARED = ("account_id", "region_id", "zone_id", "owner_id")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**32 - 1))
def test_paths_agree_with_the_walk(seed: int) -> None:
    small = draw(Random(seed))
    (path,) = follow(rows_of(small), declared(*(small.clients or ())))
    assert path.verdict == walk(small), (small, [hop for hop in path.hops if hop.verdict != "ok"])


def test_thousands_of_deployments() -> None:
    verdicts = agree(range(3000))
    assert min(verdicts[name] for name in ("reachable", "blocked", "unknown")) > 100


@pytest.mark.slow
def test_a_hundred_thousand_deployments() -> None:
    for start in range(0, 100_000, 1000):
        agree(range(start, start + 1000))


def agree(seeds: Iterable[int]) -> Counter[str]:
    """The verdicts of both on the deployments of some seeds, all of them in one snapshot."""
    drawn = {f"ep-1-{seed}": draw(Random(seed)) for seed in seeds}
    every: Rows = {}
    for endpoint_id, small in drawn.items():
        add_renamed(every, rows_of(small), endpoint_id.removeprefix("ep-1"))
    every["accounts"] = every["accounts"][:2]
    paths = compute_paths(snapshot(every), _specification(drawn), [])
    verdicts = {path.endpoint_id: path.verdict for path in paths}
    expected = {endpoint_id: walk(small) for endpoint_id, small in drawn.items()}
    different = [(key, verdicts.get(key), found) for key, found in expected.items() if verdicts.get(key) != found]
    assert not different, (different[0], drawn[different[0][0]])
    return Counter(expected.values())


def add_renamed(every: Rows, rows: Rows, suffix: str) -> None:
    """Adds the rows with ids of their own."""

    def named(column: str, value: Any) -> Any:
        own = column.endswith("_id") and not column.endswith(_SHARED) and isinstance(value, str) and value
        return f"{value}{suffix}" if own else value

    for table, own_rows in rows.items():
        renamed = [{column: named(column, value) for column, value in row.items()} for row in own_rows]
        every.setdefault(table, []).extend(renamed)


def _specification(drawn: dict[str, Small]) -> Spec:
    return Spec(
        services={"*": ServiceSpec(ports=(Port("tcp", 80),))},
        endpoints={key: EndpointSpec(clients=small.clients) for key, small in drawn.items()},
    )
