"""Many small inventories in one: each world gets ids, accounts and regions of its own, so that one run judges all.

Rules join by id, account and region only, hence worlds do not see each other; the untouched world of every example
is compared with the example judged alone, which proves it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from auditor.engine.completeness import SEEN_BY_ALL
from auditor.engine.examples import DEFAULT_TIME, example_regions, example_rows
from auditor.engine.rule import Example, Rule
from auditor.engine.session import tables_needed
from auditor.inventory.coverage import coverage_frame
from auditor.inventory.normalize import empty_tables, table_frame
from auditor.inventory.schema import TABLES, Table
from auditor.inventory.snapshot import Snapshot
from auditor.spec import Spec

Rows = dict[str, list[dict[str, Any]]]
_ID_NAMES = ("_id", "_key")
_PREFIXES = {
    "endpoint_id": ("ep-",),
    "service_id": ("epsrv-",),
    "load_balancer_id": ("lb-", "nlb-", "alb-", "gwlb-"),
    "security_group_id": ("sg-",),
    "vpc_id": ("vpc-", "eni-"),
    "resource_type": ("slb", "alb", "nlb", "gwlb"),
}
_RESOURCE_TYPES = ("slb", "alb", "nlb", "gwlb")


@dataclass
class World:
    """One variant of one example: its rows, and per table how it was read (complete, refused, half or absent)."""

    label: str
    example: Example
    rows: Rows
    reads: Mapping[str, str]
    number: int = 0


@dataclass
class Batch:
    """Worlds that share the time of the scan and the declared requirements."""

    worlds: list[World] = field(default_factory=list)
    rows: Rows = field(default_factory=dict)
    coverage: list[dict[str, Any]] = field(default_factory=list)
    services: dict[str, Any] = field(default_factory=dict)
    endpoints: dict[str, Any] = field(default_factory=dict)
    spec: Spec = field(default_factory=Spec)
    now: str = DEFAULT_TIME

    def snapshot(self) -> Snapshot:
        tables = {**empty_tables(), **{name: table_frame(name, rows) for name, rows in self.rows.items()}}
        accounts = [{"account_id": row["account_id"], "profile": None} for row in self.rows["accounts"]]
        meta = {"started_at": self.now, "finished_at": self.now, "accounts": accounts, "regions": []}
        return Snapshot(tables, coverage_frame(self.coverage), meta)

    def specification(self) -> Spec:
        return replace(self.spec, services=self.services, endpoints=self.endpoints)


def batches(rule: Rule, worlds: Iterable[World]) -> list[Batch]:
    """The worlds, renamed and put together; each world gets its number."""
    made: dict[tuple[object, ...], Batch] = {}
    tables = tables_needed([rule])
    for world in worlds:
        spec = world.example.declared
        now = world.example.now or DEFAULT_TIME
        # One answer for everybody cannot differ from world to world within one inventory.
        shared = tuple(world.reads.get(table, "complete") for table in sorted(SEEN_BY_ALL & tables))
        # A vSwitch of nobody knows which VPC may be one of every VPC: all paths of one inventory are open then.
        stray = any(row.get("vpc_id") is None for row in world.rows.get("vswitches", ()))
        batch = made.setdefault((now, spec.require, shared, stray), Batch(spec=Spec(require=spec.require), now=now))
        world.number = len(batch.worlds)
        batch.worlds.append(world)
        _add(batch, world, spec, tables)
    return list(made.values())


def _add(batch: Batch, world: World, spec: Spec, tables: frozenset[str]) -> None:
    whole = example_rows(world.example)
    rename = Renaming(world.number, whole, spec)
    for table, rows in world.rows.items():
        batch.rows.setdefault(table, []).extend({k: rename(v) for k, v in row.items()} for row in rows)
    ids = _values(whole, "service_id") | (set(spec.services) - {"*"})
    for id_ in ids:
        batch.services[rename(id_)] = _renamed(spec.service(id_), rename)
    for id_ in _values(whole, "endpoint_id") | (set(spec.endpoints) - {"*"}):
        batch.endpoints[rename(id_)] = _renamed(spec.endpoint(id_), rename)
    targets = sorted(_targets(whole))
    for table in tables:
        how = world.reads.get(table, "complete")
        if how == "absent":
            continue
        declared = TABLES[table]
        for account in whole["accounts"]:
            for region_id in example_regions(whole):
                for target in _asked(declared, targets):
                    batch.coverage.append(
                        {
                            "account_id": rename(account["account_id"]),
                            "region_id": rename(region_id),
                            "operation": declared.operations[0],
                            "table_name": table,
                            "target": rename(target),
                            "complete": how == "complete",
                            "error_code": None if how == "complete" else "Forbidden.RAM",
                            "message": None if how == "complete" else "refused",
                        }
                    )


def _asked(table: Table, targets: list[str]) -> list[str]:
    """The targets that fit a table; all of them where its ids have no prefix of their own."""
    column = table.parent or (table.key[0] if table.by_id else None)
    if column is None:
        return [""]
    fitting = [target for target in targets if target.startswith(_PREFIXES.get(column, ("",)))]
    return fitting or targets


def _values(rows: Rows, column: str) -> set[str]:
    return {row[column] for table in rows.values() for row in table if row.get(column)}


def _targets(rows: Rows) -> set[str]:
    """Everything a list may have been asked for: ids, listener keys, default groups, types of resources."""
    found = set(_RESOURCE_TYPES)
    for table in rows.values():
        for row in table:
            found.update(str(v) for k, v in row.items() if k.endswith(_ID_NAMES) and v)
            if row.get("load_balancer_id"):
                found.add(f"{row['load_balancer_id']}:default")
                if "protocol" in row and "port" in row:
                    found.add(f"{row['load_balancer_id']}:{row['protocol']}:{row['port']}")
    return found


def _renamed(entry: Any, rename: Renaming) -> Any:
    changes = {}
    for name in type(entry).__slots__:
        value = getattr(entry, name)
        if isinstance(value, tuple):
            value = tuple(rename(item) for item in value)
        changes[name] = rename(value)
    return replace(entry, **changes)


class Renaming:
    """Gives ids, account ids and regions of a world its number; `back` takes it away."""

    def __init__(self, number: int, rows: Rows, spec: Spec) -> None:
        self.number = number
        tokens: dict[str, str] = {}
        accounts: set[str] = set()
        for table in rows.values():
            for row in table:
                for name, value in row.items():
                    if not isinstance(value, str):
                        continue
                    accounts.update(re.findall(r"(?<!\d)\d{16}(?!\d)", value))
                    if name.endswith("_id") and not name.endswith(("region_id", "zone_id", "account_id")):
                        tokens |= {value: f"{value}-w{number}"} if _like_an_id(value) else {}
        for entry in (*spec.services.values(), *spec.endpoints.values()):
            for name in type(entry).__slots__:
                value = getattr(entry, name)
                for item in value if isinstance(value, tuple) else (value,):
                    if isinstance(item, str):
                        accounts.update(re.findall(r"(?<!\d)\d{16}(?!\d)", item))
                        tokens |= {item: f"{item}-w{number}"} if _like_an_id(item) else {}
        for index, account in enumerate(sorted(accounts)):
            tokens[account] = f"9{number:09d}{index:06d}"
        regions = {region: f"{region}-w{number}" for region in example_regions(rows)}
        self.words = {**tokens, **regions}
        ends = dict.fromkeys(tokens, r"(?![A-Za-z0-9_-])") | dict.fromkeys(regions, "(?!-)")
        ordered = sorted(ends, key=len, reverse=True)
        self.pattern = re.compile("|".join(f"(?<![A-Za-z0-9_-]){re.escape(t)}{ends[t]}" for t in ordered))
        self.accounts = {tokens[account]: account for account in accounts}

    def __call__(self, value: Any) -> Any:
        return self.pattern.sub(lambda match: self.words[match[0]], value) if isinstance(value, str) else value

    def back(self, text: str) -> str:
        plain = text.replace(f"-w{self.number}", "")
        return re.sub(r"9\d{15}", lambda match: self.accounts.get(match[0], match[0]), plain)


def _like_an_id(value: str) -> bool:
    return re.fullmatch(r"[a-z]+-[A-Za-z0-9._-]+", value) is not None


def world_number(text: str) -> int | None:
    """The number of the world an id belongs to."""
    match = re.search(r"-w(\d+)", text) or re.search(r"(?<!\d)9(\d{9})\d{6}(?!\d)", text)
    return int(match[1]) if match else None
