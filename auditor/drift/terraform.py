"""Drift between a snapshot and what Terraform declares: managed, changed, missing, unmanaged, and what cannot be told.

The scope is what the states claim: declared objects, and the children of declared parents.  Other teams' top-level
objects are never unmanaged.  The owner's own whitelist entry is implied.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from auditor.drift.declarations import Declaration
from auditor.drift.expectations import SENSITIVE, Expected, expectations
from auditor.drift.snapshots import AttributeChange, Unreadable, reference, rows_of
from auditor.drift.terraform_types import block, folded
from auditor.findings import ResourceRef
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


@dataclass(frozen=True, slots=True)
class Declared:
    """A declared object with its Terraform address."""

    resource: ResourceRef
    address: str
    attributes: tuple[AttributeChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Undecided:
    """A declared object that could not be compared, and why."""

    resource: ResourceRef
    address: str
    reason: str


@dataclass(frozen=True, slots=True)
class TerraformDrift:
    """The result; every list is sorted.  In `changed`, old is what is declared and new what is observed."""

    managed: tuple[Declared, ...]
    changed: tuple[Declared, ...]
    missing: tuple[Declared, ...]
    unmanaged: tuple[ResourceRef, ...]
    undecided: tuple[Undecided, ...]
    unreadable: tuple[Unreadable, ...]

    @property
    def declared(self) -> int:
        """How many objects of ours the states declare."""
        return len(self.managed) + len(self.changed) + len(self.missing) + len(self.undecided)

    @property
    def differs(self) -> bool:
        return bool(self.changed or self.missing or self.unmanaged)


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
            self.undecided.append(Undecided(place, item.address, f"{column} is {row[column]}"))
            return
        attributes = tuple(sorted(self.differences(item, row), key=lambda change: change.name))
        target = self.changed if attributes else self.managed
        target.append(Declared(place, item.address, attributes))

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
        place = ResourceRef(item.table, ":".join(str(part) for part in item.key if part is not None), None, None)
        gap = self.gap(table, item)
        if gap is None:
            self.missing.append(Declared(place, item.address))
            return
        self.unreadable.add(gap)
        self.undecided.append(Undecided(place, item.address, f"{item.table} could not be read completely"))

    def gap(self, table: Table, item: Expected) -> Unreadable | None:
        """None if the object is proven absent."""
        if table.parent is not None or table.by_id:
            target = str(item.key[table.key.index(table.parent)] if table.parent in table.key else item.key[0])
            if self.coverage.complete(table.name, target):
                return None
            if table.parent is not None and self.parent_is_gone(table.parent, target):
                return None
            found = self.coverage.gap(table.name, target)
            return Unreadable(
                found.account_id or "",
                found.region_id or "",
                table.name,
                found.operation or table.operations[0],
                found.error_code or "Plaudit.NotCollected",
            )
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
            observed = row.get(attribute.column)
            if observed is None:
                continue  # not read: nothing can be said
            want, have = attribute.by(declared), attribute.by(observed)
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
        yield from self.special(item, row)

    def special(self, item: Expected, row: _Row) -> Iterator[AttributeChange]:
        if item.table == "connections" and row["connection_status"] not in (None, "Connected"):
            yield AttributeChange("connection_status", "Connected", str(row["connection_status"]))
        if item.table == "backends" and item.content.get("weight") is not None and row["weight"] is not None:
            declared = int(item.content["weight"])
            if declared != row["weight"]:
                yield AttributeChange("weight", declared, int(row["weight"]))
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
                if not self.coverage.complete(name, parent):
                    found = self.coverage.gap(name, parent)
                    self.unreadable.add(
                        Unreadable(
                            found.account_id or "",
                            found.region_id or "",
                            name,
                            found.operation or TABLES[name].operations[0],
                            found.error_code or "Plaudit.NotCollected",
                        )
                    )
                for row in self.candidates(name, parent):
                    if id(row) not in claimed and not _implied(name, row):
                        yield reference(TABLES[name], row)


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
