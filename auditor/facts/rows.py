"""Frames read as plain rows: Python values, None for NULL."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from auditor.inventory.coverage import Coverage


def rows(frame: pd.DataFrame, *columns: str) -> Iterator[tuple[Any, ...]]:
    """Tuples of the named columns, in their order; NULL is None.

    Column by column, because row-wise access to a frame costs a hundred times as much.
    """
    # `Any`: the stubs do not know None as a value for NULL.
    series: list[Any] = [frame[column] for column in columns]
    return zip(*(one.to_numpy(dtype=object, na_value=None).tolist() for one in series), strict=True)


def gap_sentence(coverage: Coverage, table: str, target: str) -> str:
    """Why a list of the inventory is not complete, in a few words, for the `reason` of a fact."""
    gap = coverage.gap(table, target)
    if gap.kind == "not_given":
        return gap.message
    what = f"{table} of {target}" if target else table
    return f"{what} not read ({gap.error_code or gap.kind})"


def joined(reasons: list[str], limit: int = 3) -> str | None:
    """Distinct reasons as one text, the first few of them; None if there is none."""
    distinct = list(dict.fromkeys(reasons))
    if not distinct:
        return None
    text = "; ".join(distinct[:limit])
    return text if len(distinct) <= limit else f"{text}; and {len(distinct) - limit} more"
