"""Coverage: the record of what was read completely, and the reason where it was not.

Every list that was asked for leaves one row per inventory table it fills and per target.  The target is the id of the
parent object for tables with a `parent`, the object's own id for `by_id` tables, and empty for a list of a whole
region.  A row that is not there is not complete either: nobody asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from auditor.findings import Gap
from auditor.inventory.schema import COVERAGE_COLUMNS

#: Target of a coverage row that stands for every target; only examples in rule files use it.
ANY_TARGET = "*"


class Coverage:
    """Answers whether a list was read completely.  Built from the coverage frame of a snapshot."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self.frame = frame
        self._complete: set[tuple[str, str]] = set()
        self._gaps: dict[tuple[str, str], Gap] = {}
        self._wild: set[str] = set()
        # By columns: a large scan has hundreds of thousands of complete rows and few gaps.
        read = frame["complete"].fillna(False).astype(bool)
        done = frame[read]
        self._complete.update(zip(done["table_name"].tolist(), done["target"].tolist(), strict=True))
        self._wild.update(table for table, target in self._complete if target == ANY_TARGET)
        for row in frame[~read].to_dict("records"):
            self._gaps.setdefault((str(row["table_name"]), str(row["target"])), gap_of(row))

    def complete(self, table: str, target: str) -> bool:
        """True if the list of `table` that belongs to `target` was read to the end by at least one account."""
        return (table, target) in self._complete or table in self._wild

    def gap(self, table: str, target: str) -> Gap:
        """Why the list is not complete; `not_given` if no audited account was asked for it."""
        found = self._gaps.get((table, target))
        if found is not None:
            return found
        what = f"{table} of {target}" if target else table
        return Gap("not_given", None, None, None, table, target, None, f"no audited account could be asked for {what}")


def _text_or_none(value: Any) -> str | None:
    return None if value is None or pd.isna(value) else str(value)


def gap_of(row: Mapping[Any, Any]) -> Gap:
    """The gap a coverage row that is not complete stands for; `error_code` gives its kind."""
    code = _text_or_none(row.get("error_code"))
    return Gap(
        kind_of(code),
        _text_or_none(row.get("account_id")),
        _text_or_none(row.get("region_id")),
        _text_or_none(row.get("operation")),
        _text_or_none(row.get("table_name")),
        str(row.get("target") or ""),
        code,
        _text_or_none(row.get("message")) or "not read completely",
        _text_or_none(row.get("request_id")),
    )


#: plaudit's own codes, beside those of the API.
OWN_CODES = {
    "Plaudit.Timeout": "unreachable",
    "Plaudit.Unreachable": "unreachable",
    "Plaudit.Malformed": "malformed",
    "Plaudit.Truncated": "truncated",
    "Plaudit.EndlessPages": "truncated",
    "Plaudit.IncompleteRow": "malformed",
    "Plaudit.Vanished": "vanished",
    "Plaudit.NoPermission": "refused",
    "Plaudit.Credentials": "credentials",
    "Plaudit.Deadline": "deadline",
    "Plaudit.Interrupted": "interrupted",
    "Plaudit.NotCollected": "not_collected",
    "Plaudit.ParentUnread": "refused",
    "Plaudit.Stale": "stale",
}


def kind_of(code: str | None) -> str:
    """The kind of gap an error code stands for."""
    if code is None:
        return "malformed"
    if code in OWN_CODES:
        return OWN_CODES[code]
    if "Throttling" in code or code == "QPS Limit Exceeded":
        return "throttled"
    if code.startswith(("InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidSecurityToken", "IncompleteSignature")):
        return "credentials"
    if code.startswith(("ServiceUnavailable", "InternalError", "5")):
        return "unreachable"
    return "refused"


def coverage_frame(rows: Iterable[dict[str, Any]]) -> pd.DataFrame:
    """A coverage frame with the declared columns and nullable types."""
    from auditor.inventory.normalize import typed_frame

    return typed_frame(COVERAGE_COLUMNS, rows)
