"""Merging snapshots: two halves are the whole, and of two answers the newer one counts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from auditor.collect.accounts import load_profiles
from auditor.collect.crawl import collect
from auditor.inventory.archive import load_snapshot, write_snapshot
from auditor.inventory.merge import merge_snapshots
from auditor.inventory.snapshot import Snapshot
from auditor.simulator import Simulator
from auditor.simulator.scenarios import SCENARIOS
from tests.inventory.snapshots import CONSUMER, PROVIDER, REGION, read, same, snapshot


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    path = tmp_path_factory.mktemp("cloud") / "config.json"
    with Simulator(SCENARIOS["broken"]()) as simulator:
        simulator.write_config(path)
        yield simulator.url, path


def _collect(cloud: tuple[str, Path], *names: str) -> Snapshot:
    url, path = cloud
    return collect(load_profiles(path, names), endpoint_url=url, concurrency=8)


def test_two_halves_are_one_live_run(cloud: tuple[str, Path], tmp_path: Path) -> None:
    halves = []
    for name in ("consumer", "provider"):
        write_snapshot(_collect(cloud, name), tmp_path / name)
        halves.append(load_snapshot(tmp_path / name))
    merged = merge_snapshots(halves)
    live = _collect(cloud, "provider", "consumer")
    same(_without_request_ids(merged.snapshot), _without_request_ids(live))
    assert merged.snapshot.meta["regions"] == live.meta["regions"]

    def accounts(snapshot: Snapshot) -> list[Any]:
        found: Any = snapshot.meta["accounts"]
        return sorted(map(dict, found), key=lambda account: str(account["account_id"]))

    assert accounts(merged.snapshot) == accounts(live)
    assert not merged.notices or "different times" in merged.notices[0]
    same(merge_snapshots(halves[::-1]).snapshot, merged.snapshot)


def _without_request_ids(snapshot: Snapshot) -> Snapshot:
    return Snapshot(snapshot.tables, snapshot.coverage.assign(request_id=pd.NA), snapshot.meta)


def _service(account: str, number: int, **values: Any) -> dict[str, Any]:
    return {"account_id": account, "region_id": REGION, "service_id": f"epsrv-{number}", **values}


def test_the_newer_answer_counts_with_its_gaps() -> None:
    old = snapshot(
        {"endpoint_services": [_service(PROVIDER, 1), _service(PROVIDER, 2)]},
        [read(PROVIDER, "endpoint_services"), read(PROVIDER, "endpoints")],
        "2026-11-01T10:00:00Z",
    )
    refused = read(PROVIDER, "endpoint_services", complete=False, error_code="Forbidden.RAM")
    new = snapshot({}, [refused], "2026-11-02T10:00:00Z")
    for order in ([old, new], [new, old]):
        merged = merge_snapshots(order)
        assert len(merged.snapshot["endpoint_services"]) == 0
        completeness = merged.snapshot.completeness()
        assert not completeness.complete("endpoint_services", "")
        assert completeness.complete("endpoints", "")  # only the old one asked
        assert f"several snapshots hold account {PROVIDER}" in merged.notices[0]
        assert merged.snapshot.meta["started_at"] == "2026-11-02T10:00:00Z"


def test_the_other_account_and_the_other_region_stay() -> None:
    one = snapshot({"endpoint_services": [_service(PROVIDER, 1)]}, [read(PROVIDER, "endpoint_services")])
    two = snapshot(
        {"endpoint_services": [_service(CONSUMER, 2), {**_service(PROVIDER, 3), "region_id": "cn-hangzhou"}]},
        [read(CONSUMER, "endpoint_services"), read(PROVIDER, "endpoint_services", region_id="cn-hangzhou")],
        "2026-11-01T10:20:00Z",
    )
    merged = merge_snapshots([one, two])
    assert sorted(merged.snapshot["endpoint_services"]["service_id"]) == ["epsrv-1", "epsrv-2", "epsrv-3"]
    assert len(merged.snapshot.coverage) == 3
    assert merged.notices == ()


def test_a_failed_identity_stays_a_gap() -> None:
    failed = read(None, "accounts", complete=False, error_code="InvalidAccessKeyId.NotFound", region_id="")
    merged = merge_snapshots(
        [snapshot({}, [failed]), snapshot({}, [read(PROVIDER, "endpoints")], "2026-11-01T11:00:00Z")]
    )
    assert len(merged.snapshot.coverage) == 2


def test_one_is_itself_and_none_is_an_error() -> None:
    one = snapshot({}, [])
    assert merge_snapshots([one]).snapshot is one
    with pytest.raises(ValueError, match="nothing to merge"):
        merge_snapshots([])


def test_merging_twice_the_same_changes_nothing() -> None:
    one = snapshot({"endpoint_services": [_service(PROVIDER, 1)]}, [read(PROVIDER, "endpoint_services")])
    same(merge_snapshots([one, one]).snapshot, one)
