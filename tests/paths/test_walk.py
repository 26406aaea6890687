"""Paths agree with packets: random deployments, walked address by address."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.paths.deployment import declared, follow
from tests.paths.walk import draw, rows_of, walk


def agree(seed: int) -> str:
    """The verdict of both on the deployment of a seed."""
    small = draw(Random(seed))
    (path,) = follow(rows_of(small), declared(*(small.clients or ())))
    expected = walk(small)
    assert path.verdict == expected, (
        seed, small, [hop for hop in path.hops if hop.verdict != "ok"],
    )  # fmt: skip
    return expected


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**32 - 1))
def test_paths_agree_with_the_walk(seed: int) -> None:
    agree(seed)


def test_many_deployments() -> None:
    verdicts = Counter(agree(seed) for seed in range(250))
    assert min(verdicts[name] for name in ("reachable", "blocked", "unknown")) > 5


@pytest.mark.slow
def test_a_hundred_thousand_deployments() -> None:
    for seed in range(100_000):
        agree(seed)
