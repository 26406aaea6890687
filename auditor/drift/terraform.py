"""Drift between a snapshot and what Terraform declares: managed, changed, missing, unmanaged, and what cannot be told.

The scope is what the states claim: declared objects, and the children of declared parents.  Other teams' top-level
objects are never unmanaged.  The owner's own whitelist entry is implied.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from auditor.differences import AttributeChange, Declared, TerraformDrift, Undecided, Unreadable
from auditor.drift.declarations import Declaration
from auditor.drift.expectations import SENSITIVE, Expected, expectations
from auditor.drift.snapshots import reference, resource_id, rows_of
from auditor.drift.spellings import block, folded, number
from auditor.drift.terraform_types import ALWAYS_TOLD
from auditor.findings import Gap, ResourceRef
from auditor.inventory.coverage import Coverage
from auditor.inventory.schema import TABLES, Table
from auditor.inventory.snapshot import Snapshot

#: Child tables and the column that holds the declared parent: members that nobody declared are unmanaged.
CHILDREN = {
    "service_users": "service_id",
    "service_resources": "service_id",
    "endpoint_zones": "endpoint_id",
    "security_group_rules": "security_group_id",
    "listeners": "load_balancer_id",
    "backends": "server_group_id",
    "acl_entries": "acl_id",
}

_TRANSITIONAL = {
    "connections": ("connection_status", frozenset({"Pending", "Connecting"})),
    "endpoint_zones": ("zone_status", frozenset({"Creating", "Deleting", "Connecting", "Disconnecting"})),
    "endpoints": ("endpoint_status", frozenset({"Creating", "Deleting"})),
    "endpoint_services": ("service_status", frozenset({"Creating", "Deleting"})),
}

_Row = Mapping[str, Any]


def compare(declarations: Iterable[Declaration], snapshot: Snapshot) -> TerraformDrift:
    """Compares all declarations of all states with a snapshot.  Two states that declare one object count once each."""
    return _Comparison(snapshot).run([item for declaration in declarations for item in expectations(declaration)])


class _Comparison:
    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.coverage: Coverage = snapshot.completeness()
        self.rows: dict[str, list[_Row]] = {}
        self.by_first: dict[str, dict[Any, list[_Row]]] = {}
        self.claimed: dict[str, set[int]] = {}
        self.managed: list[Declared] = []
        self.changed: list[Declared] = []
        self.missing: list[Declared] = []
        self.undecided: list[Undecided] = []
        self.unreadable: set[Unreadable] = set()
        self.children: list[ResourceRef] = []
        self.unlisted: list[tuple[ResourceRef, str]] = []
        self._attributes: dict[tuple[str, str, str], str] | None = None
        told = snapshot.coverage["table_name"] == "resource_attributes"
        self.tells_attributes = bool((told & snapshot.coverage["complete"].astype(bool)).any())

    def run(self, expected: Sequence[Expected]) -> TerraformDrift:
        for item in expected:
            self.one(item)
        unmanaged = sorted(self.unmanaged(expected), key=lambda item: (item.type, item.id, item.account_id or ""))
        by_place = lambda item: (item.resource.type, item.resource.id, item.address)  # noqa: E731
        return TerraformDrift(
            tuple(sorted(self.managed, key=by_place)),
            tuple(sorted(self.changed, key=by_place)),
            tuple(sorted(self.missing, key=by_place)),
            tuple(unmanaged),
            tuple(sorted(self.undecided, key=by_place)),
            tuple(sorted(self.unreadable)),
            tuple(sorted(self.children, key=lambda item: (item.type, item.id, item.account_id or ""))),
            tuple(sorted(self.unlisted, key=lambda item: (item[0].type, item[0].id, item[1]))),
        )

    # ------------------------------------------------------------------------------------------------ one object

    def one(self, item: Expected) -> None:
        table = TABLES[item.table]
        row = self.find(item)
        if row is None:
            self.absent(item, table)
            return
        self.claimed.setdefault(item.table, set()).add(id(row))
        place = reference(table, row)
        column, states = _TRANSITIONAL.get(item.table, ("", frozenset()))
        if column and row.get(column) in states:
            self.undecided.append(Undecided(place, item.address, f"{column} is {row[column]}", seen=True))
            return
        attributes = tuple(sorted(self.differences(item, row), key=lambda change: change.name))
        unread = sorted(
            attribute.spellings[0]
            for attribute, _declared in item.compared
            if attribute.column in ALWAYS_TOLD and row.get(attribute.column) is None
        )
        if attributes:
            self.changed.append(Declared(place, item.address, attributes))
        elif unread:
            reason = f"{', '.join(unread)} could not be read"
            self.undecided.append(Undecided(place, item.address, reason, seen=True))
        else:
            self.managed.append(Declared(place, item.address))

    def candidates(self, table: str, first: Any) -> list[_Row]:
        if table not in self.rows:
            self.rows[table] = list(rows_of(self.snapshot, TABLES[table]))
            index: dict[Any, list[_Row]] = {}
            for row in self.rows[table]:
                index.setdefault(row[TABLES[table].key[0]], []).append(row)
            self.by_first[table] = index
        return self.by_first[table].get(first, [])

    def find(self, item: Expected) -> _Row | None:
        rows = self.candidates(item.table, item.key[0])
        if item.table == "security_group_rules":
            return self.find_rule(item, rows)
        names = TABLES[item.table].key
        for row in rows:
            if all(
                want is None or _same_key(name, want, row[name]) for name, want in zip(names, item.key, strict=False)
            ):
                return row
        return None

    def find_rule(self, item: Expected, rows: Sequence[_Row]) -> _Row | None:
        claimed = self.claimed.get(item.table, set())
        for row in rows:
            if item.key[1] is not None and row["rule_id"] == item.key[1]:
                return row
        for row in rows:
            if id(row) not in claimed and observed_rule(row) == dict(item.content):
                return row
        return None

    def absent(self, item: Expected, table: Table) -> None:
        place = self.place(item, table)
        gap = self.gap(table, item)
        if gap is None:
            self.missing.append(Declared(place, item.address))
            return
        self.unreadable.add(gap)
        self.undecided.append(Undecided(place, item.address, f"{item.table} could not be read completely"))

    def place(self, item: Expected, table: Table) -> ResourceRef:
        """An object that is not there: its key, and account and region of its parent where that is there."""
        key = [None if part is None else str(part) for part in item.key]
        if table.name == "security_group_rules" and key[1] is None:
            content = item.content
            peer = content["cidr"] or content["ipv6"] or content["group"] or content["prefix_list"]
            words = (content["direction"], content["protocol"], content["ports"], content["policy"], peer)
            key[1] = "/".join(str(word) for word in (*words, content["priority"]))
        identity = ":".join(part or "" for part in key)
        if table.name == "service_users" and not str(key[1]).isdigit():
            identity = f"{key[0]}::{key[1]}"
        if table.name == "service_resources":
            identity = ":".join(part for part in key if part)
        parent = self.parent(table, str(item.key[0]))
        if parent is None:
            return ResourceRef(item.table, identity, None, None)
        return ResourceRef(item.table, identity, str(parent["account_id"]), str(parent["region_id"]))

    def parent(self, table: Table, identity: str) -> _Row | None:
        """The row of the object whose member an object of this table is."""
        column = CHILDREN.get(table.name) or (table.key[0] if len(table.key) > 1 else "")
        for other in TABLES.values():
            if other.key == (column,):
                for row in self.candidates(other.name, identity):
                    return row
        return None

    def gap(self, table: Table, item: Expected) -> Unreadable | None:
        """None if the object is proven absent."""
        if table.parent is not None or table.by_id:
            target = str(item.key[table.key.index(table.parent)] if table.parent in table.key else item.key[0])
            if self.coverage.complete(table.name, target):
                return None
            if table.parent is not None and self.parent_is_gone(table.parent, target):
                return None
            return _unreadable(self.coverage.gap(table.name, target), table)
        frame = self.snapshot.coverage
        rows = frame[(frame["table_name"] == table.name) & (frame["target"] == "")].to_dict("records")
        bad = [row for row in rows if not bool(row["complete"])]
        if rows and not bad:
            return None
        row = bad[0] if bad else {}
        return Unreadable(
            str(row.get("account_id") or ""),
            str(row.get("region_id") or ""),
            table.name,
            str(row.get("operation") or table.operations[0]),
            str(row.get("error_code") or "Plaudit.NotCollected"),
        )

    def parent_is_gone(self, column: str, target: str) -> bool:
        """True if the parent is one of the objects that are listed for a region, and is proven absent."""
        for table in TABLES.values():
            if table.parent is None and not table.by_id and table.key == (column,):
                return (
                    not self.candidates(table.name, target)
                    and self.gap(table, Expected(table.name, (target,), "")) is None
                )
        return False

    # ------------------------------------------------------------------------------------------------ attributes

    def differences(self, item: Expected, row: _Row) -> Iterator[AttributeChange]:
        for attribute, declared in item.compared:
            observed = (
                self.attribute(item.table, row, attribute.column[1:])
                if attribute.column.startswith("@")
                else row.get(attribute.column)
            )
            want = attribute.by(declared)
            if observed is None or want is None:
                continue  # the API does not say it, or the declaration does not: nothing can be compared
            have = attribute.by(observed)
            if want != have:
                hidden = bool(item.sensitive.intersection(attribute.spellings))
                yield AttributeChange(
                    attribute.spellings[0], SENSITIVE if hidden else want, SENSITIVE if hidden else have
                )
        for name, members in item.sets:
            observed_members = self.members(name, item, row)
            if observed_members is not None and observed_members != members:
                hidden = name in item.sensitive
                yield AttributeChange(
                    name,
                    SENSITIVE if hidden else ", ".join(sorted(members)),
                    SENSITIVE if hidden else ", ".join(sorted(observed_members)),
                )
        for change in self.special(item, row):
            yield AttributeChange(change.name, SENSITIVE, SENSITIVE) if item.sensitive else change

    def attribute(self, table: str, row: _Row, name: str) -> str | None:
        """What `resource_attributes` holds; a list that was not read for it is noted."""
        if self._attributes is None:
            frame = self.snapshot.tables["resource_attributes"]
            columns = [frame[column].tolist() for column in ("resource_type", "resource_id", "name", "value")]
            self._attributes = {(kind, one, what): value for kind, one, what, value in zip(*columns, strict=True)}
        identity = resource_id(TABLES[table], row)
        if table == "backends":
            identity = ":".join("" if row[part] is None else str(row[part]) for part in TABLES[table].key[:3])
        found = self._attributes.get((table, identity, name))
        if found is None:
            gap = self.coverage.gap("resource_attributes", str(row[TABLES[table].key[0]]))
            if not self.tells_attributes:
                self.unreadable.add(
                    Unreadable(
                        str(row["account_id"]),
                        str(row["region_id"]),
                        "resource_attributes",
                        TABLES[table].operations[0],
                        "Plaudit.NotCollected",
                    )
                )
            elif gap.error_code is not None and not self.coverage.complete("resource_attributes", gap.target):
                self.unreadable.add(_unreadable(gap, TABLES["resource_attributes"]))
        return found

    def special(self, item: Expected, row: _Row) -> Iterator[AttributeChange]:
        if item.table == "connections" and row["connection_status"] not in (None, "Connected"):
            yield AttributeChange("connection_status", "Connected", str(row["connection_status"]))
        if item.table == "backends":
            for name, by in (("weight", number), ("server_type", folded)):
                want, have = item.content.get(name), row[name]
                if want is not None and have is not None and by(want) != by(have):
                    yield AttributeChange("type" if name == "server_type" else name, by(want), by(have))
        if item.table == "security_groups" and "inner_access_policy" in item.content:
            for policy in self.candidates("security_group_policies", row["security_group_id"]):
                observed = folded(policy["inner_access_policy"])
                if observed is not None and observed != item.content["inner_access_policy"]:
                    yield AttributeChange("inner_access_policy", item.content["inner_access_policy"], observed)
        if item.table == "security_group_rules":
            observed_content = observed_rule(row)
            for name, want in item.content.items():
                have = observed_content[name]
                if have is not None and want is not None and have != want:
                    yield AttributeChange(name, want, have)

    def members(self, name: str, item: Expected, row: _Row) -> frozenset[str] | None:
        """The observed members of a set; None where they were not read completely."""
        identity = str(item.key[0])
        if name == "tags" and item.table in ("security_groups", "server_groups"):
            told = self.attribute(item.table, row, "tags")
            pairs = json.loads(told).items() if told is not None else ()
            if told is None:
                return None
            return frozenset(f"{key}={value}" for key, value in pairs if not key.startswith("acs:"))
        if name == "tags":
            if not self.coverage.complete("resource_tags", identity):
                return None
            tags = self.candidates("resource_tags", identity)
            # Tags the cloud sets by itself are not anybody's declaration.
            return frozenset(
                f"{tag['tag_key']}={tag['tag_value']}" for tag in tags if not str(tag["tag_key"]).startswith("acs:")
            )
        if name == "security_group_ids":
            return self.values("endpoint_security_groups", identity, "security_group_id")
        if name == "supported_region_list":
            regions = self.values("service_supported_regions", identity, "supported_region_id")
            # The service's own region is in the answer without being declared.
            own = {str(row["region_id"])} - dict(item.sets)[name]
            return None if regions is None else regions - own
        if name == "acl_ids":
            if not self.coverage.complete("listener_acls", identity):
                return None
            rows = self.candidates("listener_acls", identity)
            return frozenset(
                str(acl["acl_id"]) for acl in rows if (acl["protocol"], acl["port"]) == (item.key[1], item.key[2])
            )
        if name == "zone_mappings":
            if not self.coverage.complete("load_balancer_zones", identity):
                return None
            zones = self.candidates("load_balancer_zones", identity)
            return frozenset(f"{zone['zone_id']} {zone['vswitch_id']}" for zone in zones)
        return None

    def values(self, table: str, parent: str, column: str) -> frozenset[str] | None:
        if not self.coverage.complete(table, parent):
            return None
        return frozenset(str(row[column]) for row in self.candidates(table, parent))

    # ------------------------------------------------------------------------------------------------ unmanaged

    def unmanaged(self, expected: Sequence[Expected]) -> Iterator[ResourceRef]:
        parents: dict[str, set[str]] = {column: set() for column in CHILDREN.values()}
        for item in expected:
            table = TABLES[item.table]
            if len(table.key) == 1 and table.key[0] in parents:
                parents[table.key[0]].add(str(item.key[0]))
            elif item.table in CHILDREN:
                # A state that declares one member claims the list, even where another state declares the parent.
                parents[CHILDREN[item.table]].add(str(item.key[0]))
        # The default server group of a CLB is a child of the CLB, where it was looked at.
        asked = set(self.snapshot.coverage.loc[self.snapshot.coverage["table_name"] == "backends", "target"])
        defaults = {f"{load_balancer}:default" for load_balancer in parents["load_balancer_id"]}
        parents["server_group_id"] |= defaults & asked
        for name, column in CHILDREN.items():
            claimed = self.claimed.get(name, set())
            for parent in sorted(parents[column]):
                held = self.parent(TABLES[name], parent)
                if not self.coverage.complete(name, parent) and not self.parent_is_gone(column, parent):
                    gap = self.coverage.gap(name, parent)
                    self.unreadable.add(_unreadable(gap, TABLES[name]))
                    owner = held if held is not None else {"account_id": gap.account_id, "region_id": gap.region_id}
                    kind = next((t.name for t in TABLES.values() if t.key == (column,)), name)
                    place = ResourceRef(kind, parent, owner["account_id"], owner["region_id"])
                    self.unlisted.append((place, name))
                for row in self.candidates(name, parent):
                    if _implied(name, row):
                        continue
                    if id(row) in claimed:
                        self.children.append(reference(TABLES[name], row))
                    else:
                        yield reference(TABLES[name], row)


def _unreadable(gap: Gap, table: Table) -> Unreadable:
    return Unreadable(
        gap.account_id or "",
        gap.region_id or "",
        table.name,
        gap.operation or table.operations[0],
        gap.error_code or "Plaudit.NotCollected",
    )


def _implied(table: str, row: _Row) -> bool:
    return table == "service_users" and row["entry"] == row["account_id"]


def _same_key(name: str, want: Any, have: Any) -> bool:
    if have is None:
        return False
    if name == "entry":
        return bool(block(want) == block(have))
    return str(want) == str(have)


def observed_rule(row: _Row) -> dict[str, Any]:
    """A security-group rule of the inventory in the shape of a declared one; None where a value was not read."""
    egress = folded(row["direction"]) == "egress"
    side = "dest" if egress else "source"

    def text(name: str) -> Any:
        return row[name]

    def cidr(name: str) -> Any:
        value = row[name]
        return None if value is None else (block(value) if value else "")

    return {
        "direction": folded(row["direction"]),
        "protocol": folded(row["protocol"]),
        "ports": row["port_range"],
        "policy": folded(row["policy"]),
        "priority": row["priority"],
        "cidr": cidr(f"{side}_cidr"),
        "ipv6": cidr(f"ipv6_{side}_cidr"),
        "group": text(f"{side}_group_id"),
        "prefix_list": text(f"{side}_prefix_list_id"),
        "egress": egress,
    }
