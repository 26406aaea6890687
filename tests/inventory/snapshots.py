"""Snapshots for tests: small, with every type of value and every kind of NULL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from auditor.inventory.coverage import coverage_frame
from auditor.inventory.normalize import empty_tables, table_frame
from auditor.inventory.snapshot import Snapshot

PROVIDER, CONSUMER = "6543210987654321", "1234567890123456"
REGION = "eu-central-1"


def read(account: str | None, table: str, operation: str = "privatelink:X", **values: Any) -> dict[str, Any]:
    """A coverage row, complete if nothing else is said."""
    return {
        "account_id": account, "profile": "p", "region_id": REGION, "operation": operation, "table_name": table,
        "target": "", "complete": True, **values,
    }  # fmt: skip


def snapshot(
    tables: Mapping[str, Sequence[Mapping[str, Any]]],
    coverage: Sequence[dict[str, Any]],
    started_at: str = "2026-11-01T10:00:00Z",
    **meta: Any,
) -> Snapshot:
    """A snapshot with these rows; every other table is empty."""
    frames = empty_tables() | {name: table_frame(name, rows) for name, rows in tables.items()}
    given = {"started_at": started_at, "finished_at": started_at, "accounts": [], "regions": [REGION], **meta}
    return Snapshot(frames, coverage_frame(coverage), given)


def same(one: Snapshot, other: Snapshot) -> None:
    """Raises AssertionError unless both hold the same rows, whatever their order."""
    for name, frame in one.tables.items():
        pd.testing.assert_frame_equal(_sorted(frame), _sorted(other.tables[name]), obj=name)
    pd.testing.assert_frame_equal(_sorted(one.coverage), _sorted(other.coverage), obj="coverage")


def _sorted(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.sort_values(list(frame.columns), ignore_index=True)
