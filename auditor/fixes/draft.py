"""A copy of an inventory in which single rows can be changed; what nobody touches is shared with the original."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auditor.inventory.normalize import table_frame
from auditor.inventory.schema import TABLES
from auditor.inventory.snapshot import Snapshot

Row = dict[str, Any]


class Unforeseen(Exception):
    """What an operation would do cannot be told from this inventory; the message says why, without a period."""


class Draft:
    """The tables of a snapshot as rows, to be changed.  The snapshot itself stays as it is."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._rows: dict[str, list[Row]] = {}
        self._changed: set[str] = set()

    def snapshot(self) -> Snapshot:
        """The changed inventory, with the coverage and the time of the original."""
        made = {name: table_frame(name, self._rows[name]) for name in self._changed}
        return Snapshot({**self._snapshot.tables, **made}, self._snapshot.coverage, self._snapshot.meta)

    def rows(self, table: str, **match: object) -> list[Row]:
        """The rows that have these values; to be read, not to be changed."""
        if table not in self._rows:
            frame = self._snapshot.tables.get(table)
            if frame is None:
                self._rows[table] = []
            else:
                plain = frame.astype(object).where(frame.notna(), None)
                self._rows[table] = [
                    {str(name): value for name, value in row.items()} for row in plain.to_dict("records")
                ]
        return [row for row in self._rows[table] if _fits(row, match)]

    def one(self, table: str, **match: object) -> Row:
        """The first row that has these values.  Raises Unforeseen if the inventory holds none."""
        found = self.rows(table, **match)
        if not found:
            what = ", ".join(str(value) for value in match.values())
            raise Unforeseen(f"the inventory does not hold {what} among its {table}")
        return found[0]

    def change(self, table: str, match: Mapping[str, object], **values: object) -> list[Row]:
        """Sets columns of the rows that have the values of `match`, and returns these rows."""
        found = self.rows(table, **match)
        for row in found:
            row.update(values)
        if found:
            self._changed.add(table)
        return found

    def add(self, table: str, row: Row) -> None:
        """Adds a row, unless one with the same key is there; columns left out are not known."""
        key = {name: row.get(name) for name in ("account_id", *TABLES[table].key)}
        # Without a full key (a rule id that the cloud gives) every row is one of its own.
        if None in key.values() or not self.rows(table, **key):
            self.rows(table)
            self._rows[table].append(row)
            self._changed.add(table)

    def remove(self, table: str, **match: object) -> list[Row]:
        """Removes the rows that have these values, and returns them."""
        found = self.rows(table, **match)
        if found:
            self._rows[table] = [row for row in self._rows[table] if not _fits(row, match)]
            self._changed.add(table)
        return found


def _fits(row: Row, match: Mapping[str, object]) -> bool:
    return all(row.get(name) == value for name, value in match.items())
