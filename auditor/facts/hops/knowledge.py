"""Who was audited and what was read: why something about a path is not known, with the account that knows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.facts.rows import rows
from auditor.inventory.coverage import ANY_TARGET

if TYPE_CHECKING:
    from auditor.inventory.coverage import Coverage
    from auditor.inventory.snapshot import Snapshot


class Knowledge:
    """Audited accounts and the lists they were asked for."""

    def __init__(self, snapshot: Snapshot, coverage: Coverage) -> None:
        self._coverage = coverage
        self.audited = {account for (account,) in rows(snapshot["accounts"], "account_id")}
        self._lists: dict[tuple[str, str | None, str | None], bool] = {}
        self._everywhere: set[str] = set()
        self._refused: dict[tuple[str, str | None], str] = {}
        self.failed_profile: str | None = None
        columns = ("table_name", "target", "account_id", "region_id", "complete", "error_code", "profile")
        for table, target, account, region, complete, code, profile in rows(snapshot.coverage, *columns):
            if not account and not complete and self.failed_profile is None:
                self.failed_profile = f"profile {profile or '?'} could not be used ({code or 'not read'})"
            if target not in ("", ANY_TARGET):
                continue
            if target == ANY_TARGET and complete:
                self._everywhere.add(table)
            key = (table, account, region)
            self._lists[key] = self._lists.get(key, True) and bool(complete)
            if not complete:
                self._refused.setdefault((table, account), code or "not read")

    def list_complete(self, table: str, account_id: str | None, region_id: str | None) -> bool:
        """Whether the list of a whole region was read to the end in this account."""
        if account_id is None or region_id is None:
            return False
        return table in self._everywhere or self._lists.get((table, account_id, region_id), False)

    def stranger(self, account_id: str | None, of: str) -> str | None:
        """Why nothing is known of what belongs to the owner of `of`: its account was not audited; None if it was."""
        if account_id is not None and account_id in self.audited:
            return None
        if self.failed_profile is not None:
            return self.failed_profile
        if account_id is None:
            return f"no profile of the account that owns {of} was given"
        return f"no profile of account {account_id} was given"

    def gap(self, table: str, target: str, account_id: str | None, of: str | None = None) -> str:
        """Why the list `table` of `target` is not known; `account_id` is the account that could tell.

        `of` names the object whose owner that is, where it is not the target.
        """
        found = self._coverage.gap(table, target)
        what = f"{table} of {target}" if target else table
        if found.kind != "not_given":
            return f"{what} not read ({found.error_code or found.kind})"
        refused = self._refused.get((table, account_id)) if not target else None
        if refused is not None:
            return f"{what} not read ({refused})"
        return self.stranger(account_id, of or target) or f"{what} is not in this snapshot"
