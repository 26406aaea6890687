"""Drift between two snapshots: objects and attributes that were added, removed or changed, and findings that turned.

An object is *removed* only where its list was read completely in the new snapshot, and *added* only where it was read
completely in the old one.  An object that merely came into view, because something else began to name it, is neither.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from auditor.findings import Finding, Outcome, ResourceRef
from auditor.inventory.coverage import Coverage
from auditor.inventory.schema import TABLES, Table
from auditor.inventory.snapshot import Snapshot

#: Tables that describe the cloud or the neighbours of a deployment, not the deployment: their changes are no drift.
#: (The ENIs of a busy VPC come and go all day; those of an endpoint stand in endpoint_zones.)
CONTEXT_TABLES = frozenset(
    {
        "accounts",
        "eni_addresses",
        "eni_security_groups",
        "network_interfaces",
        "privatelink_regions",
        "privatelink_zones",
    }
)

_NAMES = {
    "endpoints": "endpoint_name",
    "endpoint_services": "service_description",
    "load_balancers": "load_balancer_name",
    "security_groups": "security_group_name",
    "vpcs": "vpc_name",
    "vswitches": "vswitch_name",
    "instances": "instance_name",
    "network_acls": "network_acl_name",
    "server_groups": "server_group_name",
}

_Key = tuple[Any, ...]
_Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class AttributeChange:
    """One attribute with its old and new value."""

    name: str
    old: str | int | bool
    new: str | int | bool


@dataclass(frozen=True, slots=True)
class Changed:
    """An object that is in both snapshots and not the same."""

    resource: ResourceRef
    attributes: tuple[AttributeChange, ...]


@dataclass(frozen=True, slots=True, order=True)
class Unreadable:
    """A list that one of the two snapshots does not hold completely; empty texts where nothing is known."""

    account_id: str
    region_id: str
    table: str
    operation: str
    error_code: str


@dataclass(frozen=True, slots=True)
class ResourceDrift:
    """Differences between the objects of two snapshots; every list is sorted."""

    added: tuple[ResourceRef, ...]
    removed: tuple[ResourceRef, ...]
    changed: tuple[Changed, ...]
    unreadable: tuple[Unreadable, ...]
    compared: int

    @property
    def differs(self) -> bool:
        return bool(self.added or self.removed or self.changed)


@dataclass(frozen=True, slots=True)
class FindingDrift:
    """Findings that turned; `new` and `now_unknown` as they are now, `fixed` as they were."""

    new: tuple[Finding, ...]
    fixed: tuple[Finding, ...]
    now_unknown: tuple[Finding, ...]
    unchanged: int

    @property
    def differs(self) -> bool:
        return bool(self.new or self.fixed or self.now_unknown)


def diff_resources(old: Snapshot, new: Snapshot) -> ResourceDrift:
    """The objects and attributes that differ.  The order of rows, of pages and of lists never shows."""
    before, after = _View(old), _View(new)
    added: list[ResourceRef] = []
    removed: list[ResourceRef] = []
    changed: list[Changed] = []
    compared = 0
    appeared: set[tuple[str, str]] = set()
    vanished: set[tuple[str, str]] = set()
    for table in _parents_first():
        left, right = before.rows(table), after.rows(table)
        compared += len(right)
        if table.name == "network_acl_entries":
            _rank_common(left, right)
        if left == right:
            continue
        for key in sorted(right.keys() - left.keys(), key=repr):
            if before.knew(table, right[key], appeared):
                added.append(reference(table, right[key]))
                appeared.update(_identities(table, right[key]))
        for key in sorted(left.keys() - right.keys(), key=repr):
            if after.knew(table, left[key], vanished):
                removed.append(reference(table, left[key]))
                vanished.update(_identities(table, left[key]))
        for key in left.keys() & right.keys():
            attributes = _attribute_changes(table, left[key], right[key])
            if attributes:
                changed.append(Changed(reference(table, right[key]), attributes))
    return ResourceDrift(
        tuple(sorted(added, key=_order)),
        tuple(sorted(removed, key=_order)),
        tuple(sorted(changed, key=lambda item: _order(item.resource))),
        tuple(sorted({*before.unreadable(), *after.unreadable()})),
        compared,
    )


def diff_findings(old: Iterable[Finding], new: Iterable[Finding], removed: Sequence[ResourceRef] = ()) -> FindingDrift:
    """The findings that turned.

    A failure whose object is provably gone (`removed`) is fixed; one whose object is merely not judged any more is
    now unknown, as it was, because nobody can say that it is repaired.
    """
    before = {finding.id: finding for finding in old}
    after = {finding.id: finding for finding in new}
    gone = {(reference.account_id, reference.id) for reference in removed}
    opened: list[Finding] = []
    fixed: list[Finding] = []
    blurred: list[Finding] = []
    unchanged = 0
    for identity, now in after.items():
        was = before.get(identity)
        if was is not None and was.outcome is now.outcome:
            unchanged += 1
        elif now.outcome is Outcome.FAIL:
            opened.append(now)
        elif now.outcome is Outcome.UNKNOWN and was is not None and was.outcome in (Outcome.PASS, Outcome.FAIL):
            blurred.append(now)
        elif was is not None and was.outcome is Outcome.FAIL:
            fixed.append(was)
    for identity, was in before.items():
        if identity not in after and was.outcome is Outcome.FAIL:
            if (was.resource.account_id, was.resource.id) in gone:
                fixed.append(was)
            else:
                blurred.append(was)
    by_place = lambda finding: (finding.severity.rank, finding.rule_id, finding.resource.id, finding.id)  # noqa: E731
    return FindingDrift(
        tuple(sorted(opened, key=by_place)),
        tuple(sorted(fixed, key=by_place)),
        tuple(sorted(blurred, key=by_place)),
        unchanged,
    )


class _View:
    """One snapshot, ready to be compared."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.coverage: Coverage = snapshot.completeness()
        self._regions: dict[tuple[str, str, str], bool] = {}
        self._asked: set[tuple[str, str]] = set()
        self._gaps: list[Unreadable] = []
        for row in snapshot.coverage.to_dict("records"):
            account, region = _text(row["account_id"]), _text(row["region_id"])
            table, target = str(row["table_name"]), str(row["target"])
            self._asked.add((table, target))
            complete = bool(row["complete"])
            if not target:
                key = (table, account, region)
                self._regions[key] = complete or self._regions.get(key, False)
            if not complete and table not in CONTEXT_TABLES:
                self._gaps.append(Unreadable(account, region, table, str(row["operation"]), _text(row["error_code"])))

    def unreadable(self) -> list[Unreadable]:
        return self._gaps

    def rows(self, table: Table) -> dict[_Key, _Row]:
        """The rows by identity, without volatile columns."""
        frame = self.snapshot.tables.get(table.name)
        if frame is None or frame.empty:
            return {}
        steady = [c.name for c in table.columns if not c.volatile]
        rows: dict[_Key, _Row] = {}
        for row in _records(frame, steady):
            rows[_key(table, row)] = row
        return rows

    def knew(self, table: Table, row: _Row, moved: set[tuple[str, str]]) -> bool:
        """True if this snapshot would hold the row if it had been there.

        `moved` are the (parent column, id) pairs that were themselves added or removed: what belongs to them moved
        along, although nobody could have been asked about it.
        """
        target = str(row[table.parent] if table.parent else row[table.key[0]])
        if table.parent is None and not table.by_id:
            return self._regions.get((table.name, str(row["account_id"]), str(row["region_id"])), False)
        if self.coverage.complete(table.name, target):
            return True
        if (table.name, target) in self._asked:
            return False
        column = table.parent or table.key[0]
        return (column, target) in moved


def _parents_first() -> Iterator[Table]:
    compared = [table for table in TABLES.values() if table.name not in CONTEXT_TABLES]
    yield from (table for table in compared if table.parent is None and not table.by_id)
    yield from (table for table in compared if table.by_id)
    # Connections stand above their zones, and both hang on a service.
    yield from (table for table in compared if table.name == "connections")
    yield from (table for table in compared if table.parent is not None and table.name != "connections")


def _identities(table: Table, row: _Row) -> Iterator[tuple[str, str]]:
    """The names under which other tables may call this object their parent."""
    if table.parent is None:
        yield table.key[0], str(row[table.key[0]])
    elif table.name == "connections":
        yield "endpoint_id", str(row["endpoint_id"])
    if table.name in ("endpoints", "endpoint_services"):
        yield "resource_id", str(row[table.key[0]])


def rows_of(snapshot: Snapshot, table: Table) -> Iterator[_Row]:
    """The rows of one table, volatile columns too; NULL is None."""
    frame = snapshot.tables.get(table.name)
    return iter(()) if frame is None else _records(frame, table.column_names)


def _records(frame: pd.DataFrame, columns: Sequence[str]) -> Iterator[_Row]:
    present = [name for name in columns if name in frame.columns]
    plain = frame[present].astype(object)
    plain = plain.where(plain.notna(), None)
    for values in plain.itertuples(index=False, name=None):
        row = dict(zip(present, values, strict=True))
        for name in columns:
            row.setdefault(name, None)
        yield row


def _key(table: Table, row: _Row) -> _Key:
    key: _Key = (row["account_id"], row["region_id"])
    if table.name == "network_acl_entries":
        # The place in the list moves when a neighbour comes or goes; the entry's own id does not.
        identity = row["entry_id"] or repr(sorted((k, v) for k, v in row.items() if k != "position"))
        return (*key, row["network_acl_id"], row["direction"], identity)
    values = tuple(row[name] for name in table.key)
    if table.name == "security_group_rules" and row["rule_id"] is None:
        return (*key, row["security_group_id"], repr(sorted((k, str(v)) for k, v in row.items())))
    return key + values


def _rank_common(left: dict[_Key, _Row], right: dict[_Key, _Row]) -> None:
    """Numbers the network ACL entries that both sides hold: a new neighbour does not move them, a swap does."""
    common = left.keys() & right.keys()
    for rows in (left, right):
        lists: dict[_Key, int] = {}
        for key in sorted(common, key=lambda key: rows[key]["position"]):
            lists[key[:4]] = lists.get(key[:4], 0) + 1
            rows[key]["position"] = lists[key[:4]]


def _attribute_changes(table: Table, left: _Row, right: _Row) -> tuple[AttributeChange, ...]:
    changes = []
    for column in table.columns:
        in_key = column.name in table.key and column.name != "position"
        if column.volatile or in_key or column.name in ("account_id", "region_id"):
            continue
        old, new = left[column.name], right[column.name]
        # NULL is "not read": nothing can be said about it.
        if old is None or new is None or _same(column.name, old, new):
            continue
        changes.append(AttributeChange(column.name, old, new))
    return tuple(changes)


def _same(name: str, old: Any, new: Any) -> bool:
    if old == new:
        return True
    if name == "policy_document":
        return bool(_parsed(old) == _parsed(new))
    return False


def _parsed(text: str) -> Any:
    import json

    try:
        return json.loads(text)
    except ValueError:
        return text


def reference(table: Table, row: Mapping[str, Any]) -> ResourceRef:
    """The object a row stands for."""
    name = row.get(_NAMES.get(table.name, ""))
    return ResourceRef(
        table.name, resource_id(table, row), str(row["account_id"]), str(row["region_id"]), _text(name) or None
    )


def resource_id(table: Table, row: Mapping[str, Any]) -> str:
    """Every key part, joined by colons; an ARN entry of a whitelist has an empty account part before it."""
    if table.name == "service_users":
        separator = "::" if row["entry_type"] == "arn" else ":"
        return f"{row['service_id']}{separator}{row['entry']}"
    return ":".join(_text(row[name]) for name in table.key)


def _order(reference: ResourceRef) -> tuple[str, ...]:
    return (reference.type, reference.id, reference.account_id or "", reference.region_id or "")


def _text(value: Any) -> str:
    return "" if value is None or value is pd.NA or value != value else str(value)
