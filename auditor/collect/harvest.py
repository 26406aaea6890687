"""Harvest: rows and coverage of many units as one, in an order that does not depend on the order of answers.  Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from auditor.inventory.schema import COVERAGE_COLUMNS, TABLES


def _order(row: Mapping[str, Any], names: Iterable[str]) -> tuple[tuple[bool, int, str], ...]:
    """Sort key of mixed columns: NULL last, numbers by value, texts by code point."""
    return tuple(
        (row.get(name) is None, value if isinstance(value := row.get(name), int) else 0, str(value)) for name in names
    )


def distinct_rows(table: str, rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows sorted by account, region and key, each key once; rows without a whole key only if they are equal."""
    declared = TABLES[table]
    names = list(dict.fromkeys(name for name in ("account_id", "region_id", *declared.key)))
    kept: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        key = tuple(row.get(name) for name in names if name in declared.column_names)
        whole = all(value is not None for value in key)
        kept[key if whole else (*key, *sorted((name, str(value)) for name, value in row.items()))] = row
    return sorted(kept.values(), key=lambda row: _order(row, [*names, *declared.column_names]))


_COVERAGE_KEY = ("account_id", "profile", "region_id", "operation", "table_name", "target")


def merged_coverage(lines: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """One coverage row per account, region, operation, table and target; of several the incomplete one counts."""
    kept: dict[tuple[Any, ...], dict[str, Any]] = {}
    for line in lines:
        key = tuple(line[name] for name in _COVERAGE_KEY)
        if key not in kept or (kept[key]["complete"] and not line["complete"]):
            kept[key] = line
    columns = [column.name for column in COVERAGE_COLUMNS]
    return sorted(kept.values(), key=lambda line: _order(line, [*_COVERAGE_KEY, *columns]))
