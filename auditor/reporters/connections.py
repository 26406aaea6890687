"""Findings by connection: which endpoint reaches which endpoint service, how it stands, and whose turn it is."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from auditor.batches import Settled, settled
from auditor.findings import Finding, Outcome, PathVerdict, Report, ResourceRef, Severity, Side
from auditor.languages import ENGLISH, Language, marked

#: Worst first.  `clean` is said only if something was judged and nothing failed or stayed unknown.
STATUSES = ("broken", "attention", "unknown", "clean")

STATUS_LABELS = {
    "broken": marked("Broken"),
    "attention": marked("Needs a fix"),
    "unknown": marked("Not decided"),
    "clean": marked("No fault found"),
}

_OUTCOMES = (Outcome.FAIL, Outcome.UNKNOWN, Outcome.PASS, Outcome.NOT_APPLICABLE)
_RANK = {outcome: rank for rank, outcome in enumerate(_OUTCOMES)}
_SEVERITY_RANK = {severity: rank for rank, severity in enumerate(Severity)}

#: Inventory tables whose rows are called otherwise than their name says.
_NOUNS = {"accounts": "account", "service_users": "whitelist entry", "vpcs": "VPC", "vswitches": "vSwitch"}

_PLURAL = re.compile(r"(ies|sses|status|s)$")
_SINGULAR = {"ies": "y", "sses": "ss", "status": "status", "s": ""}

_SERVICE_SIDE = ("load_balancers", "listeners", "server_groups", "backends")


@dataclass(frozen=True, slots=True)
class Owner:
    """The account that holds a fix; `account_id` is None if no audited account told it."""

    side: str
    account_id: str | None


@dataclass(frozen=True, slots=True)
class Turn:
    """What one account has to do for one group: `fixes` failed findings; as many as `undecided` are unknown."""

    owner: Owner
    fixes: int
    undecided: int


@dataclass(frozen=True, slots=True)
class Group:
    """Findings that are read together.

    `kind` is `connection` (endpoint and service), `service` (an endpoint service without, or shared by several
    connections) or `account` (what belongs to no connection).  `findings` are worst first and only those of this
    group; `shared` are those of the service group behind a connection.
    """

    kind: str
    key: str
    status: str
    region_id: str | None
    endpoint: ResourceRef | None
    service: ResourceRef | None
    consumer_account_id: str | None
    provider_account_id: str | None
    findings: tuple[Finding, ...]
    shared: tuple[Finding, ...]
    paths: tuple[PathVerdict, ...]
    counts: Counter[str]
    turns: tuple[Turn, ...]
    connections: int = 0

    @property
    def worst(self) -> Finding | None:
        """The first finding that failed or is unknown, of the group or of the service behind it."""
        first = (next(filter(is_open, findings), None) for findings in (self.findings, self.shared))
        return min((finding for finding in first if finding), key=order, default=None)


def noun(table: str, language: Language = ENGLISH) -> str:
    """What one row of an inventory table is called in a sentence."""
    return language.text(_NOUNS.get(table) or _PLURAL.sub(lambda end: _SINGULAR[end[0]], table).replace("_", " "))


def given_name(ref: ResourceRef) -> str | None:
    """The name somebody gave to an object; None if there is none, or if the name only repeats the id.

    The API makes up names of endpoint services: `com.aliyuncs.privatelink.<region>.<service id>`.
    """
    return None if not ref.name or ref.name.endswith(ref.id) else ref.name


def is_open(finding: Finding) -> bool:
    """True for what somebody has to look at: a failure that is not accepted, or an unknown."""
    return finding.outcome in (Outcome.FAIL, Outcome.UNKNOWN) and not finding.waived


def order(finding: Finding) -> tuple[object, ...]:
    """Sort key of findings, worst first: accepted and decided ones last, then severity, a failure before an unknown."""
    rank = _RANK[finding.outcome]
    resource = finding.resource
    return (
        0 if is_open(finding) else 1 + rank,
        _SEVERITY_RANK[finding.severity],
        rank,
        finding.rule_id,
        resource.account_id or "",
        resource.region_id or "",
        resource.id,
        finding.part,
        finding.id,
    )


@dataclass(slots=True)
class _Atlas:
    """What the findings and paths say about who belongs to whom."""

    endpoints: dict[str, ResourceRef] = field(default_factory=dict)
    services: dict[str, ResourceRef] = field(default_factory=dict)
    service_of: dict[str, str] = field(default_factory=dict)
    services_of_balancer: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    consumers: dict[str, str] = field(default_factory=dict)
    providers: dict[str, str] = field(default_factory=dict)

    def learn_ref(self, ref: ResourceRef) -> None:
        known = {"endpoints": self.endpoints, "endpoint_services": self.services}.get(ref.type)
        if known is None:
            return
        old = known.get(ref.id)
        if old is None or (old.name is None and ref.name is not None):
            known[ref.id] = ref
        accounts = self.consumers if ref.type == "endpoints" else self.providers
        if ref.account_id:
            accounts.setdefault(ref.id, ref.account_id)

    def learn_path(self, path: PathVerdict) -> None:
        self.learn_ref(ResourceRef("endpoints", path.endpoint_id, path.consumer_account_id, path.region_id))
        if path.service_id:
            self.service_of.setdefault(path.endpoint_id, path.service_id)
            self.learn_ref(ResourceRef("endpoint_services", path.service_id, path.provider_account_id, None))

    def learn_finding(self, finding: Finding | Settled) -> None:
        for ref in (finding.resource, *finding.related):
            self.learn_ref(ref)
        services = _ids(finding, "endpoint_services")
        if finding.resource.type == "endpoints" and len(services) == 1:
            self.service_of.setdefault(finding.resource.id, services[0])
        elif finding.resource.type in _SERVICE_SIDE:
            self.services_of_balancer[finding.resource.id.split(":")[0]].update(services)

    def places(self, finding: Finding | Settled) -> tuple[str, tuple[str, ...]]:
        """`connection` and endpoint ids, `service` and service ids, or `account` and nothing."""
        resource = finding.resource
        if resource.type == "endpoints":
            return "connection", (resource.id,)
        if resource.type == "endpoint_services":
            return "service", (resource.id,)
        if resource.type in ("service_users", "service_resources"):
            return "service", (resource.id.split(":")[0],)
        if resource.type in _SERVICE_SIDE:
            services = self.services_of_balancer.get(resource.id.split(":")[0])
            if services:
                return "service", tuple(sorted(services))
        for kind, table in (("connection", "endpoints"), ("service", "endpoint_services")):
            ids = _ids(finding, table)
            if len(ids) == 1:
                return kind, ids
        return "account", ()


@dataclass(slots=True)
class _Pile:
    """What is filed in one place: findings, the numbers of these and of others, and the first object spoken of."""

    findings: list[Finding] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    first: ResourceRef | None = None

    def add(self, one: Finding | Settled) -> None:
        self.first = self.first or one.resource
        if isinstance(one, Settled):
            self.counts[one.outcome.value] += one.number
        else:
            self.findings.append(one)
            self.counts["waived" if one.waived else one.outcome.value] += 1


def _ids(finding: Finding | Settled, table: str) -> tuple[str, ...]:
    refs = (finding.resource, *finding.related)
    return tuple(dict.fromkeys(ref.id for ref in refs if ref.type == table))


def _status(findings: Iterable[Finding], paths: Iterable[PathVerdict], passed: bool) -> str:
    failed = unknown = False
    for path in paths:
        if path.verdict == "blocked":
            return "broken"
        unknown = unknown or path.verdict != "reachable"
    for finding in findings:
        if finding.outcome is Outcome.UNKNOWN:
            unknown = True
        elif finding.outcome is Outcome.FAIL and not finding.waived:
            if finding.severity is Severity.CRITICAL:
                return "broken"
            failed = True
    if failed:
        return "attention"
    return "unknown" if unknown or not passed else "clean"


class Connections:
    """The groups of a report, worst first, and the owner of every fix."""

    def __init__(self, report: Report, findings: tuple[Finding, ...]) -> None:
        """`findings` are those to list, in their order; each lies in one group, or in one per service."""
        atlas = _Atlas()
        others: Sequence[Settled] = () if report.all_outcomes else settled(report.findings, order)
        for path in report.paths:
            atlas.learn_path(path)
        everything: list[Finding | Settled] = [*findings, *others]
        for finding in everything:
            atlas.learn_finding(finding)
        self._atlas = atlas
        self._owners: dict[str, tuple[Owner, ...]] = {}
        self._same: dict[tuple[str, str | None], Owner] = {}
        self._listed = tuple(Outcome) if report.all_outcomes else (Outcome.FAIL, Outcome.UNKNOWN)
        self.groups = tuple(sorted(self._build(report, everything), key=_group_order))

    def owners(self, finding: Finding) -> tuple[Owner, ...]:
        """The accounts that hold the fix of a finding: one, or two if both sides have to act."""
        known = self._owners.get(finding.id)
        if known is None:
            known = self._owners[finding.id] = self._find_owners(finding)
        return known

    def places(self, finding: Finding) -> tuple[str, tuple[str, ...]]:
        """`connection` and endpoint ids, `service` and service ids, or `account` and nothing: what a finding is of."""
        return self._atlas.places(finding)

    def _find_owners(self, finding: Finding) -> tuple[Owner, ...]:
        resource = finding.resource
        if finding.side is not Side.BOTH:
            return (self._owner(finding.side, self._account(finding, finding.side)),)
        if resource.type == "accounts":
            return (self._owner(Side.BOTH, resource.account_id or resource.id),)
        return tuple(self._owner(side, self._account(finding, side)) for side in (Side.CONSUMER, Side.PROVIDER))

    def _owner(self, side: Side, account_id: str | None) -> Owner:
        key = (side.value, account_id)
        return self._same.setdefault(key, Owner(*key))

    def _account(self, finding: Finding, side: Side) -> str | None:
        atlas, resource = self._atlas, finding.resource
        kind, ids = atlas.places(finding)
        if side is Side.CONSUMER:
            own, other, known = "endpoints", "endpoint_services", atlas.consumers
            keys: Iterable[str | None] = ids if kind == "connection" else _ids(finding, own)
        else:
            own, other, known = "endpoint_services", "endpoints", atlas.providers
            keys = ids if kind == "service" else _ids(finding, own)
            if kind == "connection":
                keys = [atlas.service_of.get(key) for key in ids]
        accounts = {known.get(key) for key in keys if key is not None}
        if len(accounts) == 1:
            (account,) = accounts
            if account:
                return account
        # an object that is neither end (a group, a VPC, a load balancer) lies in the account that has to act
        if finding.side is side and resource.type != other and (not accounts or resource.type != own):
            return resource.account_id
        return None

    def _turns(self, findings: Iterable[Finding]) -> tuple[Turn, ...]:
        fixes, undecided = Counter[Owner](), Counter[Owner]()
        for finding in findings:
            if is_open(finding):
                (fixes if finding.outcome is Outcome.FAIL else undecided).update(self.owners(finding))
        turns = [Turn(owner, fixes[owner], undecided[owner]) for owner in {*fixes, *undecided}]
        return tuple(sorted(turns, key=lambda t: (-t.fixes, -t.undecided, t.owner.side, t.owner.account_id or "")))

    def _build(self, report: Report, findings: Sequence[Finding | Settled]) -> Iterator[Group]:
        atlas = self._atlas
        filed: dict[tuple[str, str], _Pile] = defaultdict(_Pile)
        endpoints_of: dict[str, list[str]] = defaultdict(list)
        for endpoint in sorted(atlas.endpoints):
            if endpoint in atlas.service_of:
                endpoints_of[atlas.service_of[endpoint]].append(endpoint)
        for finding in findings:
            kind, ids = atlas.places(finding)
            if kind == "account":
                filed[kind, finding.resource.account_id or ""].add(finding)
            for key in ids:
                sole = endpoints_of[key] if kind == "service" else ()
                if len(sole) == 1:  # a service with one connection: one group for both sides
                    filed["connection", sole[0]].add(finding)
                else:
                    filed[kind, key].add(finding)
        paths: dict[str, list[PathVerdict]] = defaultdict(list)
        for path in report.paths:
            paths[path.endpoint_id].append(path)
        for endpoint, ref in atlas.endpoints.items():
            service = atlas.service_of.get(endpoint)
            shared = filed["service", service] if service and len(endpoints_of[service]) > 1 else _Pile()
            yield self._group("connection", endpoint, filed["connection", endpoint], shared, paths[endpoint], ref)
        for service, ref in atlas.services.items():
            number = len(endpoints_of[service])
            if number != 1:
                yield self._group("service", service, filed["service", service], _Pile(), [], ref, number)
        for (kind, key), own in sorted(filed.items(), key=lambda item: item[0]):
            if kind == "account":
                yield self._group(kind, key, own, _Pile(), [], None)
            elif key not in (atlas.endpoints if kind == "connection" else atlas.services) and own.first is not None:
                table = "endpoints" if kind == "connection" else "endpoint_services"
                first = own.first
                yield self._group(
                    kind, key, own, _Pile(), [], ResourceRef(table, key, first.account_id, first.region_id)
                )

    def _group(
        self,
        kind: str,
        key: str,
        own: _Pile,
        shared: _Pile,
        paths: list[PathVerdict],
        ref: ResourceRef | None,
        connections: int = 0,
    ) -> Group:
        atlas = self._atlas
        both = [*own.findings, *shared.findings]
        counts = own.counts + shared.counts
        service_id = atlas.service_of.get(key) if kind == "connection" else key if kind == "service" else None
        service = atlas.services.get(service_id) if service_id else None
        if service is None and service_id:
            service = ResourceRef("endpoint_services", service_id, None, None)
        return Group(
            kind=kind,
            key=key,
            status=_status(both, paths, passed=bool(counts["pass"])),
            region_id=ref.region_id if ref else None,
            endpoint=ref if kind == "connection" else None,
            service=service,
            consumer_account_id=atlas.consumers.get(key) if kind == "connection" else None,
            provider_account_id=atlas.providers.get(service_id) if service_id else None,
            findings=tuple(f for f in own.findings if f.outcome in self._listed),
            shared=tuple(f for f in shared.findings if f.outcome in self._listed),
            paths=tuple(paths),
            counts=counts,
            turns=self._turns(both),
            connections=connections,
        )


def _group_order(group: Group) -> tuple[object, ...]:
    worst = group.worst
    return (
        ("connection", "service", "account").index(group.kind) == 2,
        STATUSES.index(group.status),
        worst.severity.rank if worst else len(Severity),
        -group.counts["fail"],
        -group.counts["unknown"],
        group.kind,
        group.key,
    )
