"""Raw rows → pandas frames with the declared columns and nullable types."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from auditor.inventory.schema import TABLES, Column

# `Any`: the stubs have one overload per dtype, and none for a dtype chosen at run time.
_DTYPES: dict[str, Any] = {"text": "string", "int": "Int64", "bool": "boolean"}


def typed_frame(columns: Sequence[Column], rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """A frame of the declared columns, in their order; what a row does not have is NULL, extra keys are refused.

    Raises KeyError for a key that is not declared and TypeError for a value of another type than declared: rows come
    from our own `rows` functions, so both are bugs, not bad input.
    """
    names = [column.name for column in columns]
    known = set(names)
    lists: dict[str, list[Any]] = {name: [] for name in names}
    for row in rows:
        if not known.issuperset(row):
            raise KeyError(f"undeclared columns {sorted(set(row) - known)}")
        for name in names:
            lists[name].append(row.get(name))
    return pd.DataFrame(
        {column.name: pd.array(lists[column.name], dtype=_DTYPES[column.type]) for column in columns}, columns=names
    )


def table_frame(table: str, rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """`typed_frame` of a declared inventory table."""
    return typed_frame(TABLES[table].columns, rows)


def empty_tables() -> dict[str, pd.DataFrame]:
    """Every declared table without rows."""
    return {name: table_frame(name, ()) for name in TABLES}
