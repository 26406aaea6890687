"""A loaded inventory: tables, scopes, declarations and coverage in one database, and whose account knows what."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from auditor.engine.completeness import PREPARE
from auditor.engine.rule import Rule
from auditor.engine.scopes import KINDS, LIST_GAPS, SCOPE_SQL, UNNAMED, Kind
from auditor.engine.sql import Database
from auditor.facts.schema import FACTS
from auditor.findings import Gap, ResourceRef
from auditor.inventory.coverage import ANY_TARGET, gap_of
from auditor.inventory.schema import COVERAGE_COLUMNS, TABLES, Column, ColumnType
from auditor.spec import Spec

if TYPE_CHECKING:
    import pandas as pd

    from auditor.facts.workshop import Workshop
    from auditor.inventory.snapshot import Snapshot


def _columns(words: str) -> tuple[Column, ...]:
    kinds: dict[str, ColumnType] = {"": "text", "int": "int", "bool": "bool"}
    made = []
    for word in words.split():
        name, _, type_ = word.partition(":")
        made.append(Column(name, kinds[type_], "", ""))
    return tuple(made)


#: What the specification declares, one row per id that the inventory or the specification knows; NULL: not declared.
DECLARED: dict[str, tuple[Column, ...]] = {
    "declared_services": _columns(
        "service_id public:bool auto_accept:bool zone_affinity:bool has_accounts:bool has_ports:bool has_vpcs:bool"
    ),
    "declared_service_accounts": _columns("service_id account_id"),
    "declared_service_ports": _columns("service_id protocol port:int"),
    "declared_service_vpcs": _columns("service_id vpc_id"),
    "declared_endpoints": _columns("endpoint_id service_id payer min_bandwidth:int has_clients:bool"),
    "declared_endpoint_clients": _columns("endpoint_id client"),
    "declared_requirements": _columns("flow_logs:bool accept_within_hours:int has_tags:bool"),
    "declared_tags": _columns("tag_key"),
}

#: Scope tables a kind's own is built from.
_BUILT_FROM: dict[str, tuple[str, ...]] = {
    "account": (),
    "endpoint_service": ("endpoint",),
    "endpoint": ("endpoint_service",),
    "vpc": ("endpoint_service", "endpoint"),
    "service_user": ("endpoint_service",),
    "load_balancer": ("endpoint_service",),
    "listener": ("endpoint_service", "load_balancer"),
    "taggable": ("endpoint_service", "endpoint", "load_balancer"),
}


@dataclass(frozen=True, slots=True)
class Member:
    """One resource of a kind: its reference and the values of its scope columns."""

    ref: ResourceRef
    values: Mapping[str, Any]

    @property
    def given(self) -> bool:
        return bool(self.values["given"])


@dataclass(frozen=True, slots=True)
class ListGap:
    """A known parent whose list of members was not read, and why."""

    parent: ResourceRef
    gaps: tuple[Gap, ...]


def tables_needed(rules: Iterable[Rule], spec: Spec | None = None) -> frozenset[str]:
    """Inventory tables the rules need: their evidence, what facts are computed from, and what scopes are built from.

    The evidence of a rule that depends on a declaration counts only where `spec` declares it; None: whatever may be
    declared.
    """
    needed = {"accounts"}
    for rule in rules:
        needed.update(KINDS[rule.resource].tables)
        if spec is None or rule.is_called_for(spec):
            needed.update(rule_tables(rule))
    return frozenset(needed)


def rule_tables(rule: Rule) -> frozenset[str]:
    """Inventory tables of the rule's evidence, those behind its facts included."""
    tables: set[str] = set()
    for item in rule.evidence:
        if item.table is not None:
            tables.add(item.table)
        if item.fact is not None:
            tables.update(FACTS[item.fact].sources)
    return frozenset(tables)


class Session:
    """Loads snapshots into one database, one after the other; `load` replaces everything."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._filled: dict[str, int] = {}
        #: What is loaded, so that the same frame or the same declarations are not loaded again.
        self._frames: dict[str, pd.DataFrame | None] = {}
        self._declared: dict[str, list[dict[str, object]]] = {}
        self._built: set[str] = set()
        for name, table in TABLES.items():
            database.create(name, table.columns)
        for name, fact in FACTS.items():
            database.create(name, fact.columns)
        for name, columns in DECLARED.items():
            database.create(name, columns)
        database.create("coverage", COVERAGE_COLUMNS)
        database.run("create table scan (started_at timestamp)")
        self._members: dict[str, dict[int, Member]] = {}
        self._unread: dict[tuple[str, str], list[Gap]] = {}
        self._absent: dict[tuple[str, str | None, str | None], tuple[Gap, ...]] = {}
        self.identity: tuple[Gap, ...] = ()
        self.failed_profiles: dict[str, Gap] = {}
        self.profiles: dict[str, str | None] = {}
        self.owners: dict[str, ResourceRef] = {}
        self.owned: frozenset[str] = frozenset()
        self.wildcards = False
        #: The specification that is loaded.
        self.spec = Spec()

    # ------------------------------------------------------------------------------------------------ loading

    def load(self, snapshot: Snapshot, rules: Collection[Rule], spec: Spec, workshop: Workshop | None = None) -> None:
        """Loads what the rules need.  Computes the facts they name."""
        tables = tables_needed(rules)
        asked = [self._frames.get(name) for name in ("coverage", "accounts")]
        for name in TABLES:
            frame = snapshot.tables.get(name) if name in tables else None
            self._fill(name, TABLES[name].columns, frame)
        self._fill("coverage", COVERAGE_COLUMNS, snapshot.coverage)
        same = all(
            old is self._frames[name] is not None for old, name in zip(asked, ("coverage", "accounts"), strict=True)
        )
        started = snapshot.meta.get("started_at")
        self.database.run("delete from scan")
        self.database.run("insert into scan values (try_cast(? as timestamp))", [started])
        # What is prepared rests on these two tables alone.
        for statement in () if same else PREPARE:
            self.database.run(statement)
        kinds = sorted({rule.resource for rule in rules})
        self._built.clear()
        for name in SCOPE_SQL:
            if name in kinds or any(name in _BUILT_FROM[kind] for kind in kinds):
                self.build_scope(name)
        self._read_coverage()
        self._read_owners()
        self._declare(spec)
        self.spec = spec
        facts = sorted({item.fact for rule in rules for item in rule.evidence if item.fact is not None})
        frames: Mapping[str, pd.DataFrame] = {}
        if facts:
            from auditor.facts import compute_facts

            frames = compute_facts(snapshot, spec, facts, workshop)
        for name in FACTS:
            self._fill(name, FACTS[name].columns, frames.get(name))

    def build_empty(self) -> None:
        """Builds every scope from empty tables, so that SQL can be bound before any data is seen."""
        for statement in PREPARE:
            self.database.run(statement)
        for name in SCOPE_SQL:
            self.build_scope(name)

    def build_scope(self, name: str) -> None:
        """Builds the scope table of a kind from what is loaded; `_id` counts in the order of findings."""
        kind = KINDS[name]
        order = ["coalesce(account_id, '')", "coalesce(region_id, '')"]
        order += [] if kind.resource_type else ["resource_type"]
        order.append(" || ':' || ".join(f"{key}::varchar" for key in kind.key))
        self.database.run(
            f"create or replace table _{name} as "
            f"select (row_number() over (order by {', '.join(order)}))::integer as _id, * from ({SCOPE_SQL[name]})"
        )
        self._built.add(f"_{name}")

    def _fill(self, name: str, columns: tuple[Column, ...], frame: pd.DataFrame | None) -> None:
        if frame is not None and frame is self._frames.get(name):
            return
        self._frames[name] = frame
        rows = 0 if frame is None else len(frame)
        if frame is not None and (rows or self._filled.get(name)):
            self.database.fill(name, columns, frame)
        elif self._filled.get(name):
            self.database.run(f'delete from "{name}"')
        self._filled[name] = rows

    def _declare(self, spec: Spec) -> None:
        from auditor.inventory.normalize import typed_frame

        rows: dict[str, list[dict[str, object]]] = {name: [] for name in DECLARED}
        for service_id in sorted(self._known("_endpoint_service", "service_id") | (set(spec.services) - {"*"})):
            service = spec.service(service_id)
            rows["declared_services"].append(
                {
                    "service_id": service_id,
                    "public": service.public,
                    "auto_accept": service.auto_accept,
                    "zone_affinity": service.zone_affinity,
                    "has_accounts": service.accounts is not None,
                    "has_ports": service.ports is not None,
                    "has_vpcs": service.vpcs is not None,
                }
            )
            for account_id in service.accounts or ():
                rows["declared_service_accounts"].append({"service_id": service_id, "account_id": account_id})
            for port in service.ports or ():
                rows["declared_service_ports"].append(
                    {"service_id": service_id, "protocol": port.protocol, "port": port.port}
                )
            for vpc_id in service.vpcs or ():
                rows["declared_service_vpcs"].append({"service_id": service_id, "vpc_id": vpc_id})
        for endpoint_id in sorted(self._known("_endpoint", "endpoint_id") | (set(spec.endpoints) - {"*"})):
            endpoint = spec.endpoint(endpoint_id)
            rows["declared_endpoints"].append(
                {
                    "endpoint_id": endpoint_id,
                    "service_id": endpoint.service,
                    "payer": endpoint.payer,
                    "min_bandwidth": endpoint.min_bandwidth,
                    "has_clients": endpoint.clients is not None,
                }
            )
            for client in endpoint.clients or ():
                rows["declared_endpoint_clients"].append({"endpoint_id": endpoint_id, "client": client})
        require = spec.require
        rows["declared_requirements"].append(
            {
                "flow_logs": require.flow_logs,
                "accept_within_hours": require.accept_within_hours,
                "has_tags": require.tags is not None,
            }
        )
        rows["declared_tags"].extend({"tag_key": tag} for tag in require.tags or ())
        for name, columns in DECLARED.items():
            if rows[name] != self._declared.get(name, []):
                self._fill(name, columns, typed_frame(columns, rows[name]))
                self._declared[name] = rows[name]

    def _known(self, table: str, column: str) -> set[str]:
        if table not in self._built:
            return set()
        return {row[0] for row in self.database.run(f"select {column} from {table}")}

    # ------------------------------------------------------------------------------------------------ coverage

    def _read_coverage(self) -> None:
        names = [column.name for column in COVERAGE_COLUMNS]
        self._unread, self._absent, self._members = {}, {}, {}
        self.failed_profiles = {}
        for row in self.database.run(f"select {', '.join(names)} from _unread order by all"):
            record = dict(zip(names, row, strict=True))
            gap = gap_of(record)
            self._unread.setdefault((record["table_name"], record["target"]), []).append(gap)
            if record["account_id"] is None:
                self.failed_profiles.setdefault(record["profile"] or "", gap)
        self.identity = tuple(self.failed_profiles.values())
        self.wildcards = bool(self.database.run("select 1 from coverage where target = ? limit 1", [ANY_TARGET]))
        self.profiles = dict(self.database.run("select account_id, profile from accounts order by all"))

    def _read_owners(self) -> None:
        self.owners = {}
        given = set()
        for name in ("endpoint_service", "endpoint", "load_balancer"):
            if f"_{name}" not in self._built:
                continue
            kind = KINDS[name]
            rows = self.database.run(f"select {kind.key[0]}, account_id, region_id, name, given from _{name}")
            for id_, account_id, region_id, label, is_given in rows:
                self.owners[id_] = ResourceRef(kind.resource_type, id_, account_id, region_id, label)
                if is_given:
                    given.add(id_)
        self.owned = frozenset(given)

    def gaps(
        self, table: str, target: str | None, asked: str | None, owner: str | None, region: str | None = None
    ) -> tuple[Gap, ...]:
        """Why a list was not read: what `asked` (an account) was answered, else anybody, else why nobody asked.

        `target` is empty for the list of a region and None where nobody knows what to ask for; `owner` is the account
        that could answer, None if nobody knows it.
        """
        if target is not None:
            for wanted in (target, ANY_TARGET):
                found = self._unread.get((table, wanted), [])
                own = tuple(gap for gap in found if gap.account_id == asked)
                if region is not None and not target:
                    own = tuple(gap for gap in own if gap.region_id in (region, "", None))
                if own or (found and target):
                    return own or tuple(found[:1])
        key = (table, target, owner)
        if key not in self._absent:
            self._absent[key] = self._nobody_asked(table, target, owner)
        return self._absent[key]

    def _nobody_asked(self, table: str, target: str | None, owner: str | None) -> tuple[Gap, ...]:
        what = f"{table} of {target}" if target else table
        if owner is not None and owner in self.profiles:
            message = (
                f"this snapshot does not hold {what}" if target is not None else f"nothing says whose {table} to read"
            )
            return (Gap("not_collected", owner, None, None, table, target or "", None, message),)
        if owner is None:
            # The account may be one of those whose own lists were refused.
            hidden = self._hiding_lists(table)
            if hidden:
                return hidden
        if self.identity:
            return self.identity
        if owner is not None:
            message = f"no profile of account {owner} was given"
        else:
            message = f"no profile of the account that owns {target} was given" if target else "no profile was given"
        return (Gap("not_given", owner, None, None, table, target or "", None, message),)

    def _hiding_lists(self, table: str) -> tuple[Gap, ...]:
        lists = ("endpoints",) if table in ("endpoints", "endpoint_zones", "endpoint_security_groups") else ()
        lists = lists or ("endpoint_services",)
        return tuple(gap for name in lists for gap in self._unread.get((name, ""), ()) if gap.account_id is not None)

    def row_gap(self, table: str, id_: str, account_id: str | None, region_id: str | None) -> tuple[Gap, ...]:
        """Why the own row of a known object is not there; empty where its list was read and does not show it."""
        if account_id is None or account_id not in self.profiles:
            return self.gaps(table, id_, None, account_id)
        return tuple(
            gap
            for gap in self._unread.get((table, ""), ())
            if gap.account_id == account_id and (region_id is None or gap.region_id in (region_id, "", None))
        )

    # ------------------------------------------------------------------------------------------------ scopes

    def members(self, kind: Kind) -> dict[int, Member]:
        """The resources of a kind by row number."""
        if kind.name not in self._members:
            names = kind.column_names
            made = {}
            columns = ", ".join(f'"{name}"' for name in names)
            for row in self.database.run(f"select _id, {columns} from _{kind.name}"):
                values = dict(zip(names, row[1:], strict=True))
                id_ = ":".join(str(values[key]) for key in kind.key)
                type_ = kind.resource_type or str(values["resource_type"])
                ref = ResourceRef(type_, id_, values["account_id"], values["region_id"], values["name"])
                made[row[0]] = Member(ref, values)
            self._members[kind.name] = made
        return self._members[kind.name]

    def list_gaps(self, kind: Kind) -> list[ListGap]:
        """Known parents whose list of this kind's members was not read; profiles that could not tell their account."""
        parents: dict[tuple[str, str], tuple[ResourceRef, list[Gap]]] = {}
        for profile, gap in sorted(self.failed_profiles.items()):
            ref = ResourceRef("accounts", f"profile:{profile}", None, None, profile)
            parents["accounts", ref.id] = (ref, [gap])
        if kind.name in UNNAMED:
            column, words = UNNAMED[kind.name]
            for (id_,) in self.database.run(
                f"select endpoint_id from _endpoint where given and {column} is null order by all"
            ):
                gap = Gap(
                    "malformed", None, None, None, "endpoints", id_, None, f"the answer names no {words} of {id_}"
                )
                parents["endpoints", id_] = (self.owners[id_], [gap])
        for name in kind.lists:
            for type_, id_, account_id, region_id, table, target in self.database.run(
                f"select distinct * from ({LIST_GAPS[name]}) order by all"
            ):
                gaps = self.gaps(table, target, account_id, account_id, region_id)
                if type_ == "accounts":
                    ref = ResourceRef(type_, id_, account_id, None, self.profiles.get(id_))
                else:
                    ref = self.owners[id_]
                parents.setdefault((type_, id_), (ref, []))[1].extend(gaps)
        return [ListGap(ref, tuple(dict.fromkeys(gaps))) for _, (ref, gaps) in sorted(parents.items())]
