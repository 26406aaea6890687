"""Snapshot files: writing and reading one million security-group rules, with the memory it takes on top."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from auditor.inventory.archive import load_snapshot, write_snapshot
from auditor.inventory.coverage import coverage_frame
from auditor.inventory.normalize import empty_tables
from auditor.inventory.schema import TABLES
from auditor.inventory.snapshot import Snapshot

ROWS = 1_000_000
#: Distinct values of the columns a rule of an endpoint's group fills; every other one is NULL.
DISTINCT = {
    "account_id": 500, "region_id": 20, "security_group_id": 10_000, "rule_id": ROWS, "direction": 1, "policy": 2,
    "protocol": 3, "port_range": 200, "source_cidr": 65_025, "description": 50,
}  # fmt: skip


def example() -> Snapshot:
    """A snapshot whose rules look like real ones."""
    random = np.random.default_rng(1)
    columns = {}
    for column in TABLES["security_group_rules"].columns:
        if column.type == "int":
            columns[column.name] = pd.array(random.integers(1, 101, ROWS), dtype="Int64")
        elif column.name in DISTINCT:
            number = DISTINCT[column.name]
            values = np.array(
                [f"{column.name}-{value:x}" for value in random.integers(1 << 60, size=number)], dtype=object
            )
            picked = values if number == ROWS else values[random.integers(0, number, ROWS)]
            columns[column.name] = pd.array(picked, dtype="string")
        else:
            columns[column.name] = pd.array(np.full(ROWS, pd.NA, dtype=object), dtype="string")
    tables = empty_tables() | {"security_group_rules": pd.DataFrame(columns)}
    return Snapshot(tables, coverage_frame([]), {"started_at": "2026-01-01T00:00:00Z"})


def peak() -> float:
    """High-water mark of this process in MiB, 0 where the platform does not tell."""
    status = Path("/proc/self/status")
    if not status.exists():
        return 0.0
    return int(status.read_text().split("VmHWM:")[1].split()[0]) / 1024


def main() -> int:
    """Prints the figures beside their budgets."""
    snapshot = example()
    if Path("/proc/self/clear_refs").exists():
        Path("/proc/self/clear_refs").write_text("5")
    before = peak()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.snapshot"
        began = time.process_time()
        write_snapshot(snapshot, path)
        written = time.process_time() - began
        extra = peak() - before
        began = time.process_time()
        load_snapshot(path)
        read = time.process_time() - began
        size = path.stat().st_size / 1e6
    print(f"{ROWS} rows, CPU seconds: write {written:.2f} (2.5), read {read:.2f} (0.5)")
    print(f"file {size:.1f} MB (40), {extra:.0f} MiB of memory on top (120)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
