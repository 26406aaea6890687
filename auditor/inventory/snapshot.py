"""A snapshot: the inventory of one moment with its coverage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from auditor.inventory.coverage import Coverage


@dataclass(frozen=True)
class Snapshot:
    """Typed tables, the coverage frame, and what the collecting run said about itself.

    `tables` holds every declared table (possibly empty); `coverage` the declared coverage columns.
    `meta`: started_at, finished_at (RFC 3339, UTC), accounts ([{account_id, profile}]), regions, tool_version.
    """

    tables: Mapping[str, pd.DataFrame]
    coverage: pd.DataFrame
    meta: Mapping[str, object] = field(default_factory=dict)

    def __getitem__(self, table: str) -> pd.DataFrame:
        return self.tables[table]

    def completeness(self) -> Coverage:
        """The coverage, ready to be asked."""
        return Coverage(self.coverage)
