"""Drift between two snapshots: objects and attributes that were added, removed or changed, and findings that turned.

An object is *removed* only where its list was read completely in the new snapshot, and *added* only where it was read
completely in the old one.  An object that merely came into view, because something else began to name it, is neither.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from auditor.differences import AttributeChange, Changed, FindingDrift, ResourceDrift, Unreadable
from auditor.findings import Finding, Outcome, ResourceRef
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
        # What a probe saw is evidence about a deployment, no part of it.
        "probe_connections",
        "probe_names",
    }
)

#: Attributes are compared where both sides hold them, and shown with the object they belong to.
ATTRIBUTES = "resource_attributes"

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


def diff_resources(old: Snapshot, new: Snapshot) -> ResourceDrift:
    """The objects and attributes that differ.  The order of rows, of pages and of lists never shows."""
    before, after = _View(old), _View(new)
    added: list[ResourceRef] = []
    removed: list[ResourceRef] = []
    changed: dict[tuple[str, ...], Changed] = {}
    compared = 0
    appeared: set[tuple[str, str]] = set()
    vanished: set[tuple[str, str]] = set()
    for table in _parents_first():
        left, right, same = _rows_that_differ(before, after, table)
        if table.name == "network_acl_entries":
            _rank_common(left, right)
        # That an account has activated the product is no object of a deployment.
        compared += 0 if table.name == "product_activations" else same + len(left.keys() & right.keys())
        for key in right.keys() - left.keys():
            if before.knew(table, right[key], appeared):
                added.append(reference(table, right[key]))
                appeared.update(_identities(table, right[key]))
        for key in left.keys() - right.keys():
            if after.knew(table, left[key], vanished):
                removed.append(reference(table, left[key]))
                vanished.update(_identities(table, left[key]))
        for key in left.keys() & right.keys():
            attributes = _attribute_changes(table, left[key], right[key])
            if attributes:
                place = reference(table, right[key])
                changed[_order(place)] = Changed(place, attributes)
    for place, attribute in _attributes_that_differ(before, after):
        known = changed.get(_order(place))
        earlier = known.attributes if known is not None else ()
        changed[_order(place)] = Changed(known.resource if known is not None else place, (*earlier, attribute))
    return ResourceDrift(
        tuple(sorted(added, key=_order)),
        tuple(sorted(removed, key=_order)),
        tuple(changed[key] for key in sorted(changed)),
        tuple(sorted({*before.unreadable(), *after.unreadable(), *_unasked(before, after), *_unasked(after, before)})),
        compared,
    )


def diff_findings(old: Iterable[Finding], new: Iterable[Finding], removed: Sequence[ResourceRef] = ()) -> FindingDrift:
    """The findings that turned.

    A failure whose object is provably gone (`removed`) is fixed; one whose object is merely not judged any more is
    now unknown, as it was, because nobody can say that it is repaired.
    """
    before = {finding.id: finding for finding in old}
    after = {finding.id: finding for finding in new}
    # A whitelist entry is named service:entry by the rules; an ARN has an empty account part in a reference.
    gone = {
        (place.account_id, identity) for place in removed for identity in (place.id, place.id.replace("::", ":", 1))
    }
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
        self.places: dict[tuple[str, str, str], bool] = {}
        self.asked: dict[tuple[str, str], bool] = {}
        self.operations: dict[tuple[str, str], tuple[str, str, str]] = {}
        self._gaps: set[Unreadable] = set()
        names = ("account_id", "region_id", "table_name", "target", "operation", "complete", "error_code")
        frame = snapshot.coverage
        lists = [frame[name].astype(object).where(frame[name].notna(), None).tolist() for name in names]
        for account, region, table, target, operation, done, code in zip(*lists, strict=True):
            account, region, complete = account or "", region or "", bool(done)
            self.asked[table, target] = complete or self.asked.get((table, target), False)
            self.operations.setdefault((table, target), (account, region, operation))
            if not target:
                key = (table, account, region)
                self.places[key] = complete or self.places.get(key, False)
            if not complete and table not in CONTEXT_TABLES and table != ATTRIBUTES:
                self._gaps.add(Unreadable(account, region, table, operation, code or ""))

    def unreadable(self) -> set[Unreadable]:
        return self._gaps

    def values(self, table: str, column: str) -> set[str]:
        """The values of one column."""
        frame = self.snapshot.tables.get(table)
        return set() if frame is None or frame.empty else set(frame[column].dropna())

    def tuples(self, table: Table, columns: Sequence[str]) -> list[tuple[Any, ...]]:
        """The rows as tuples of `columns`; NULL, and what an older file does not have, is None."""
        frame = self.snapshot.tables.get(table.name)
        return [] if frame is None else list(_plain(frame, columns))

    def knew(self, table: Table, row: _Row, moved: set[tuple[str, str]]) -> bool:
        """True if this snapshot would hold the row if it had been there.

        `moved` are the (parent column, id) pairs that were themselves added or removed: what belongs to them moved
        along, although nobody could have been asked about it.
        """
        target = str(row[table.parent] if table.parent else row[table.key[0]])
        if table.parent is None and not table.by_id:
            return self.places.get((table.name, str(row["account_id"]), str(row["region_id"])), False)
        if (table.name, target) in self.asked:
            return self.asked[table.name, target]
        return (table.parent or table.key[0], target) in moved


def _rows_that_differ(before: _View, after: _View, table: Table) -> tuple[dict[_Key, _Row], dict[_Key, _Row], int]:
    """The rows of both sides that are not the same on the other, by identity, and how many are the same."""
    columns = [column.name for column in table.columns if not column.volatile]
    old, new = before.snapshot.tables.get(table.name), after.snapshot.tables.get(table.name)
    # Collected tables are sorted: an unchanged one is seen without looking at its rows.
    if old is not None and new is not None and _equal(old, new, columns):
        return {}, {}, len(old)
    left, right = before.tuples(table, columns), after.tuples(table, columns)
    common = set(left) & set(right)
    if table.name == "network_acl_entries":
        common = set()  # their order among each other counts
    sides: list[dict[_Key, _Row]] = []
    for rows in (left, right):
        differing = (dict(zip(columns, row, strict=True)) for row in rows if row not in common)
        sides.append({_key(table, row): row for row in differing})
    return sides[0], sides[1], len(common)


def _equal(old: pd.DataFrame, new: pd.DataFrame, columns: Sequence[str]) -> bool:
    if len(old) != len(new) or not {*columns} <= {*old.columns} & {*new.columns}:
        return False
    return bool(old[columns].reset_index(drop=True).equals(new[columns].reset_index(drop=True)))


def _attributes_that_differ(before: _View, after: _View) -> Iterator[tuple[ResourceRef, AttributeChange]]:
    """Attributes that both sides hold with another value.  One that only one side holds was perhaps not said."""
    left, right, _same_rows = _rows_that_differ(before, after, TABLES[ATTRIBUTES])
    for key in sorted(left.keys() & right.keys(), key=repr):
        row = right[key]
        place = ResourceRef(row["resource_type"], row["resource_id"], row["account_id"], row["region_id"])
        yield place, AttributeChange(row["name"], left[key]["value"], row["value"])


#: Lists that follow from another table's column: where that names an object, the list should have been asked for.
_FOLLOWS = {
    **dict.fromkeys(("service_users", "service_resources", "connections"), ("endpoint_services", "service_id")),
    **dict.fromkeys(
        ("endpoint_zones", "endpoint_security_groups", "endpoint_attributes"), ("endpoints", "endpoint_id")
    ),
    **dict.fromkeys(("load_balancers", "listeners"), ("service_resources", "resource_id")),
    **dict.fromkeys(
        ("security_groups", "security_group_policies", "security_group_rules"),
        ("endpoint_security_groups", "security_group_id"),
    ),
}

#: Lists of a region that are asked for wherever an account is read, and those only where it owns something in one of
#: these lists.  That no rule needed the latter, and so nobody asked for any of them, is no gap.
_FIRST_LISTS = ("endpoints", "endpoint_services")
_REGION_LISTS = {"vpcs": _FIRST_LISTS, "vswitches": _FIRST_LISTS, "flow_logs": ("endpoints",)}


def _unasked(view: _View, other: _View) -> Iterator[Unreadable]:
    """Lists that `view` should hold, because the other side asked for them, and does not: a narrower collection."""
    collected = {table for table, _target in view.asked}
    for table, account, region in other.places.keys() - view.places.keys():
        owning = _REGION_LISTS.get(table, ())
        wanted = table in collected and region in _active_regions(view, account, owning)
        if table in _FIRST_LISTS or wanted:
            yield Unreadable(account, region, table, TABLES[table].operations[0], "Plaudit.NotCollected")
    missing = other.asked.keys() - view.asked.keys()
    named = {source: view.values(*source) for source in {_FOLLOWS[table] for table, _ in missing if table in _FOLLOWS}}
    for table, target in missing:
        if table in _FOLLOWS and target in named[_FOLLOWS[table]]:
            account, region, operation = other.operations[table, target]
            yield Unreadable(account, region, table, operation, "Plaudit.NotCollected")


def _active_regions(view: _View, account: str, lists: Iterable[str]) -> set[str]:
    """The regions in which an account owns something in one of the lists."""
    found: set[str] = set()
    for first in lists:
        frame = view.snapshot.tables.get(first)
        if frame is not None and not frame.empty:
            found.update(frame.loc[frame["account_id"] == account, "region_id"].dropna())
    return found


def _parents_first() -> Iterator[Table]:
    compared = [table for table in TABLES.values() if table.name not in CONTEXT_TABLES and table.name != ATTRIBUTES]
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


def _plain(frame: pd.DataFrame, columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    lists: list[Any] = []
    for name in columns:
        if name in frame.columns:
            column = frame[name].astype(object)
            lists.append(column.where(column.notna(), None).tolist())
        else:
            lists.append([None] * len(frame))
    return zip(*lists, strict=True)


def _records(frame: pd.DataFrame, columns: Sequence[str]) -> Iterator[_Row]:
    for values in _plain(frame, columns):
        yield dict(zip(columns, values, strict=True))


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
