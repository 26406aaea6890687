"""Several snapshots → one: what two of them hold about the same account, region and table, the newer one says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import pandas as pd

from auditor.inventory.schema import TABLES
from auditor.inventory.snapshot import Snapshot

#: Account and region of a row; both may be empty.
Place = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Merged:
    """The merged snapshot, and what a user should know about it."""

    snapshot: Snapshot
    notices: tuple[str, ...] = ()


def merge_snapshots(snapshots: Sequence[Snapshot]) -> Merged:
    """One snapshot out of several; the order in which they are given does not matter.

    Raises ValueError without any snapshot.  Per account, region and table the newest snapshot that asked counts, with
    its rows, its coverage and its gaps.  The scan time is that of the newest: a rule about ages must not see an object
    younger than it is.
    """
    if not snapshots:
        raise ValueError("nothing to merge")
    if len(snapshots) == 1:
        return Merged(snapshots[0])
    ordered = sorted(snapshots, key=lambda snapshot: _time(snapshot, "started_at"))
    owners, doubled = _owners(ordered)
    tables = {
        name: _stacked([_kept(snapshot.tables[name], owners, number, name) for number, snapshot in enumerate(ordered)])
        for name in TABLES
    }
    coverage = _stacked(
        [_kept(snapshot.coverage, owners, number, None) for number, snapshot in enumerate(ordered)]
    ).drop_duplicates(ignore_index=True)
    return Merged(Snapshot(tables, coverage, _meta(ordered)), _notices(ordered, doubled))


def _time(snapshot: Snapshot, key: str) -> str:
    return str(snapshot.meta.get(key) or "")


def _places(frame: pd.DataFrame) -> pd.DataFrame:
    """Account and region of every row, NULL as empty text: calls without a region leave rows with an empty one."""
    region = frame["region_id"] if "region_id" in frame.columns else pd.Series("", index=frame.index, dtype="string")
    return pd.DataFrame({"account": frame["account_id"].fillna(""), "region": region.fillna("")})


def _owners(ordered: Sequence[Snapshot]) -> tuple[dict[tuple[str, str, str], int], set[Place]]:
    """Which snapshot speaks for (account, region, table), and the places about which two of them speak."""
    owners: dict[tuple[str, str, str], int] = {}
    doubled: set[Place] = set()
    for number, snapshot in enumerate(ordered):
        asked = _places(snapshot.coverage).assign(table=snapshot.coverage["table_name"]).drop_duplicates()
        spoken = set(asked.itertuples(index=False, name=None))
        for name in TABLES:
            for place in _places(snapshot.tables[name]).drop_duplicates().itertuples(index=False, name=None):
                spoken.add((*place, name))
        for account, region, table in spoken:
            if (account, region, table) in owners and account:
                doubled.add((account, region))
            owners[account, region, table] = number
    return owners, doubled


def _kept(
    frame: pd.DataFrame, owners: Mapping[tuple[str, str, str], int], number: int, table: str | None
) -> pd.DataFrame:
    """The rows of snapshot `number` that count.  Rows without an account (nobody knows whose) all count."""
    if not len(frame):
        return frame
    places = _places(frame)
    places["table"] = frame["table_name"] if table is None else table
    groups = places.groupby(["account", "region", "table"], sort=False)
    keep = pd.Series(True, index=frame.index)
    for key, index in groups.indices.items():
        account, region, name = (str(part) for part in cast(tuple[object, ...], key))
        if account and owners[account, region, name] != number:
            keep.iloc[index] = False
    return frame[keep]


def _stacked(frames: list[pd.DataFrame]) -> pd.DataFrame:
    filled = [frame for frame in frames if len(frame)]
    return pd.concat(filled, ignore_index=True) if filled else frames[0]


def _meta(ordered: Sequence[Snapshot]) -> dict[str, object]:
    newest = ordered[-1]
    accounts: dict[str, Any] = {}
    regions: set[str] = set()
    for snapshot in ordered:
        for account in _list(snapshot.meta.get("accounts")):
            accounts[str(account.get("account_id") or account.get("profile"))] = account
        regions.update(str(region) for region in _list(snapshot.meta.get("regions")))
    return {
        **newest.meta,
        "started_at": _time(newest, "started_at"),
        "finished_at": max(_time(snapshot, "finished_at") for snapshot in ordered),
        "accounts": [accounts[key] for key in sorted(accounts)],
        "regions": sorted(regions),
    }


def _list(value: object) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else []


def _notices(ordered: Sequence[Snapshot], doubled: set[Place]) -> tuple[str, ...]:
    notices = []
    times = [_time(snapshot, "started_at") for snapshot in ordered]
    accounts = sorted({account for account, _region in doubled})
    if accounts:
        notices.append(
            f"several snapshots hold account {', '.join(accounts)}; where they overlap the newest counts ({times[-1]})"
        )
    if times[0][:13] != times[-1][:13]:
        notices.append(f"the snapshots were taken at different times, from {times[0]} to {times[-1]}")
    return tuple(notices)
