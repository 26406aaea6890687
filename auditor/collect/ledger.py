"""Ledger: the rows and the coverage rows of one account and region while they are being collected."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from auditor.collect.answers import CloudError
from auditor.collect.attributes import TABLE as ATTRIBUTES_TABLE
from auditor.collect.attributes import TOLD
from auditor.collect.caller import Listing
from auditor.collect.fields import Flaw, Rows
from auditor.inventory.schema import TABLES


class Ledger:
    """Collects rows and, for every list that was asked for, one coverage row per table and target.

    Safe for threads.  `tables` and `coverage` are plain dicts and lists: they travel between processes.
    """

    def __init__(self, account_id: str | None, profile: str, region_id: str) -> None:
        self.account_id = account_id
        self.profile = profile
        self.region_id = region_id
        self.tables: dict[str, list[dict[str, Any]]] = {}
        self.coverage: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        self._closed = False

    def close(self) -> None:
        """Take nothing more: an answer that comes after an interruption must not change what is being written."""
        with self._lock:
            self._closed = True

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Rows of a table so far."""
        with self._lock:
            return list(self.tables.get(table, ()))

    def values(self, table: str, column: str) -> list[str]:
        """Distinct texts of a column so far, in order of appearance, without NULL and empty ones."""
        return list(dict.fromkeys(row[column] for row in self.rows(table) if row.get(column)))

    def complete(self, table: str, target: str = "") -> bool:
        """Whether a complete coverage row is there."""
        with self._lock:
            return any(
                row["complete"] for row in self.coverage if (row["table_name"], row["target"]) == (table, target)
            )

    def take(
        self,
        listing: Listing,
        made: Rows,
        targets: dict[str, Sequence[str]],
    ) -> None:
        """Keep what `made` of `listing`, and say for every table of `targets` what is complete for each target."""
        self.keep(made)
        for table, wanted in targets.items():
            self.cover(listing.operation, table, wanted, made, listing.error, listing.request_id)
        told = next((wanted for table, wanted in targets.items() if table in TOLD), None)
        if told is not None:
            self.cover(listing.operation, ATTRIBUTES_TABLE, told, made, listing.error, listing.request_id)

    def keep(self, made: Rows) -> None:
        """Keep rows; coverage is said separately."""
        with self._lock:
            if self._closed:
                return
            for table, rows in made.tables.items():
                kept = self.tables.setdefault(table, [])
                for row in rows:
                    kept.append({"account_id": self.account_id, "region_id": self.region_id, **row})

    def cover(
        self,
        operation: str,
        table: str,
        targets: Iterable[str],
        made: Rows | None = None,
        error: CloudError | None = None,
        request_id: str | None = None,
    ) -> None:
        """One coverage row of `table` per target; a flaw or `error` makes it incomplete.

        Targets of by-id tables that got no row are complete (the API knows no such object), unless a row came whose
        id could not be read: it may have been any of them.  In a list it may have been an element of any target.
        """
        flaws = [flaw for flaw in (made.flaws if made is not None else ()) if flaw.table == table]
        nameless = next((flaw for flaw in flaws if flaw.target is None), None)
        # The first flaw of a target speaks for it.
        named: dict[str, Flaw] = {}
        for flaw in flaws:
            if flaw.target is not None:
                named.setdefault(flaw.target, flaw)
        with_rows: Collection[str] = ()
        if nameless is not None and made is not None and TABLES[table].by_id:
            with_rows = {str(row.get(TABLES[table].key[0])) for row in made.tables.get(table, ())}
        lines = []
        asked = list(dict.fromkeys(targets))
        asked += [target for target in named if target not in asked]
        if nameless is not None and not asked:
            asked.append("")
        for target in asked:
            flaw_here = named.get(target)
            if flaw_here is None and nameless is not None and target not in with_rows:
                flaw_here = nameless
            if error is not None:
                code, message, request = error.code, error.message, error.request_id or request_id
            elif flaw_here is not None:
                code, message, request = flaw_here.code, flaw_here.message, request_id
            else:
                code, message, request = None, None, request_id
            lines.append(self._line(operation, table, target, code, message, request))
        with self._lock:
            if not self._closed:
                self.coverage.extend(lines)

    def gap(self, operation: str, table: str, targets: Iterable[str], code: str, message: str) -> None:
        """Coverage rows for lists that were not asked for, and why."""
        self.cover(operation, table, targets, error=CloudError(code, message))

    def absent(self, operation: str, table: str, targets: Iterable[str], error: CloudError) -> None:
        """The API says that the object does not exist: complete without rows, its code kept."""
        with self._lock:
            for target in targets if not self._closed else ():
                line = self._line(operation, table, target, error.code, error.message, error.request_id)
                self.coverage.append({**line, "complete": True})

    def _line(
        self, operation: str, table: str, target: str, code: str | None, message: str | None, request_id: str | None
    ) -> dict[str, Any]:
        return {
            "account_id": self.account_id,
            "profile": self.profile,
            "region_id": self.region_id,
            "operation": operation,
            "table_name": table,
            "target": target,
            "complete": code is None,
            "error_code": code,
            "message": message,
            "request_id": request_id,
        }
