"""A report for one side: its own objects whole, and of the other side only what the connection itself shows.

Withholding comes before telling: a text in which something of the other side stands is left out whole.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from auditor.errors import UsageError
from auditor.findings import (
    Finding,
    Gap,
    Hop,
    Outcome,
    PathVerdict,
    Remediation,
    Report,
    ResourceRef,
    Side,
    Waiver,
    finding_id,
)
from auditor.inventory.snapshot import Snapshot
from auditor.languages import marked
from auditor.reporters.connections import Connections, Owner
from auditor.reporters.diagram import CONSUMER_COLUMNS, columns_of, verdict_of
from auditor.reporters.disclosure import Disclosure, vocabulary

WITHHELD = marked("Withheld: it names something of the other side.")
GAP = marked("Not read on the other side.")
ASK = marked("Something on the other side; ask the account that owns it.")
ABOUT = marked(
    "The page of one side: of the other side it shows verdicts only; the exit code is that of the whole scan."
)

_SHARED = ("endpoints", "endpoint_services")
_WORST = (Outcome.FAIL, Outcome.UNKNOWN)
#: The connection is what both sides see.
_BOTH_SEE = "connection"


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads: the side, and its accounts; without any the only audited account that is on that side."""

    side: Side
    account_ids: tuple[str, ...] = ()


def for_side(report: Report, snapshot: Snapshot, reader: Reader) -> Report:
    """The report for one side.  Raises UsageError if it is not clear whose it is."""
    return _Page(report, snapshot, reader).report()


def accounts_of(snapshot: Snapshot, side: Side) -> frozenset[str]:
    """The audited accounts that own endpoints (consumer) or endpoint services (provider)."""
    frame = snapshot["endpoints" if side is Side.CONSUMER else "endpoint_services"]
    return frozenset(map(str, frame["account_id"].dropna().unique()))


def readers(snapshot: Snapshot, reader: Reader) -> frozenset[str]:
    """The accounts a page is for.  Raises UsageError."""
    found = accounts_of(snapshot, reader.side)
    strange = [account for account in reader.account_ids if account not in found]
    known = ", ".join(sorted(found)) or "none"
    if strange:
        raise UsageError(f"--side: no audited account {strange[0]} is a {reader.side.value}; there are: {known}")
    if reader.account_ids:
        return frozenset(reader.account_ids)
    if len(found) != 1:
        example = f"--side {reader.side.value}:{min(found)}" if found else "scan an account that is"
        raise UsageError(f"--side: {len(found)} audited accounts are a {reader.side.value} ({known}); write {example}")
    return found


class _Page:
    def __init__(self, report: Report, snapshot: Snapshot, reader: Reader) -> None:
        self.whole = report
        self.own = readers(snapshot, reader)
        self.connections = Connections(report, tuple(report.findings))
        self.paths = [p for p in report.paths if {p.consumer_account_id, p.provider_account_id} & self.own]
        self.shared, partners = self._shared(snapshot)
        told = {text for finding in report.findings for text in (finding.title, finding.rationale)}
        self.disclosure = Disclosure(snapshot, self.own, partners, vocabulary(told))

    def _shared(self, snapshot: Snapshot) -> tuple[dict[tuple[str, str], ResourceRef], frozenset[str]]:
        """The endpoints and services that the reader's connections show, and the accounts at their other ends."""
        shared: dict[tuple[str, str], ResourceRef] = {}
        partners: set[str] = set()

        def learn(kind: str, key: object, account: object, region: object) -> None:
            if not isinstance(key, str) or not key:
                return
            account_id = account if isinstance(account, str) and account else None
            known = shared.get((kind, key))
            if known is None or (known.account_id is None and account_id):
                region_id = region if isinstance(region, str) else None
                shared[kind, key] = ResourceRef(kind, key, account_id, region_id)
            if account_id and account_id not in self.own:
                partners.add(account_id)

        def rows(table: str, *columns: str) -> Iterable[tuple[object, ...]]:
            frame = snapshot[table]
            frame = frame[frame["account_id"].isin(self.own)]
            return zip(*(frame[name].astype(object).tolist() for name in columns), strict=True)

        for endpoint, account, region, service, at in rows(
            "endpoints", "endpoint_id", "account_id", "region_id", "service_id", "service_region_id"
        ):
            learn("endpoints", endpoint, account, region)
            learn("endpoint_services", service, None, at)
        for service, account, region in rows("endpoint_services", "service_id", "account_id", "region_id"):
            learn("endpoint_services", service, account, region)
        for service, endpoint, owner, at in rows(
            "connections", "service_id", "endpoint_id", "endpoint_owner_id", "endpoint_region_id"
        ):
            learn("endpoints", endpoint, owner, at)
            learn("endpoint_services", service, None, None)
        for path in self.paths:
            learn("endpoints", path.endpoint_id, path.consumer_account_id, path.region_id)
            learn("endpoint_services", path.service_id, path.provider_account_id, None)
        # a connection that has no path (a service without ports) is known by its findings only
        services = snapshot["endpoint_services"]
        for service, account in zip(services["service_id"], services["account_id"], strict=True):
            if ("endpoint_services", service) in shared:
                learn("endpoint_services", service, account, None)
        return shared, frozenset(partners)

    def report(self) -> Report:
        findings: list[Finding] = []
        theirs: dict[str, Finding] = {}
        for finding in self.whole.findings:
            owners = self.connections.owners(finding)
            if self._is_own(finding, owners):
                findings.append(self._own(finding))
            elif finding.outcome in _WORST and not finding.waived:
                for line in self._lines(finding, owners):
                    before = theirs.get(line.id)
                    if before is None or _weight(line) < _weight(before):
                        theirs[line.id] = line
        scan = self.whole.scan
        reads = tuple(read for read in self.whole.reads if read.account_id in self.own)
        regions = {read.region_id for read in reads} | {f.resource.region_id for f in findings}
        return replace(
            self.whole,
            scan=replace(
                scan,
                accounts=tuple(account for account in scan.accounts if account["account_id"] in self.own),
                regions=tuple(region for region in scan.regions if region in regions),
            ),
            findings=(*findings, *theirs.values()),
            reads=reads,
            paths=tuple(map(self._path, self.paths)),
            exit_reasons=(),
            notices=(ABOUT,),
            extra={},
        )

    # ------------------------------------------------------------------------------------------------- own findings

    def _is_own(self, finding: Finding, owners: tuple[Owner, ...]) -> bool:
        accounts = {owner.account_id for owner in owners if owner.account_id}
        if accounts:
            return bool(accounts & self.own) and self._concerns(finding)
        return finding.resource.account_id in self.own

    def _concerns(self, finding: Finding) -> bool:
        """Whether the object is the reader's own, or one its connections show."""
        resource = finding.resource
        return resource.account_id in self.own or (resource.type, resource.id) in self.shared

    def _own(self, finding: Finding) -> Finding:
        open_gaps = all(gap.account_id in self.own for gap in finding.gaps)
        fix = finding.remediation
        return replace(
            finding,
            resource=self._ref(finding.resource),
            related=tuple(self._ref(ref) for ref in finding.related if self._may_name(ref)),
            remediation=Remediation(
                self._cleaned(fix.summary) or WITHHELD,
                tuple(command for command in fix.cli if self.disclosure.clear(command)),
                fix.terraform if self.disclosure.clear(fix.terraform) else None,
                fix.console if self.disclosure.clear(fix.console) else None,
            ),
            observed=self._cleaned(finding.observed),
            reason=self._cleaned(finding.reason) if open_gaps or not finding.reason else WITHHELD,
            gaps=tuple(dict.fromkeys(map(self._gap, finding.gaps))),
            part=finding.part if self.disclosure.clear(finding.part) else "",
            waiver=self._waiver(finding.waiver),
        )

    def _cleaned(self, text: str | None) -> str | None:
        return text if self.disclosure.clear(text) else WITHHELD

    def _may_name(self, ref: ResourceRef) -> bool:
        if ref.type == "accounts":
            return self.disclosure.knows_account(ref.id)
        return ref.account_id in self.own or (ref.type, ref.id) in self.shared

    def _ref(self, ref: ResourceRef) -> ResourceRef:
        if ref.account_id in self.own:
            return ref if self.disclosure.clear(ref.name) else replace(ref, name=None)
        return replace(ref, account_id=self._account(ref.account_id), name=None)

    def _account(self, account_id: str | None) -> str | None:
        return account_id if self.disclosure.knows_account(account_id) else None

    def _gap(self, gap: Gap) -> Gap:
        if gap.account_id in self.own:
            return replace(gap, message=self._cleaned(gap.message) or "")
        return Gap(gap.kind, self._account(gap.account_id), None, None, None, "", None, GAP)

    def _waiver(self, waiver: Waiver | None) -> Waiver | None:
        if waiver is None:
            return None
        clear = self.disclosure.clear
        return Waiver(
            waiver.id if clear(waiver.id) else None,
            self._cleaned(waiver.reason) or "",
            self._cleaned(waiver.owner) or "",
            waiver.expires,
            waiver.ticket if clear(waiver.ticket) else None,
        )

    # ---------------------------------------------------------------------------------------- the other side's findings

    def _lines(self, finding: Finding, owners: tuple[Owner, ...]) -> Iterable[Finding]:
        """One line per object of a shared connection; nothing if the finding is about somebody else's."""
        refs = {(ref.type, ref.id) for ref in (finding.resource, *finding.related) if ref.type in _SHARED}
        kind, ids = self.connections.places(finding)
        refs |= {("endpoints" if kind == "connection" else "endpoint_services", key) for key in ids}
        endpoints = {ref for ref in refs if ref[0] == "endpoints"}
        if endpoints and not endpoints & self.shared.keys():
            return  # a connection of somebody else, of whom the reader must not even know
        if finding.resource.type == "service_users":
            return  # who else is let in is the provider's; what the reader's own entry does shows in its connection
        account = next((owner.account_id for owner in owners if owner.account_id), None)
        chosen = sorted((endpoints or refs) & self.shared.keys())
        for key in chosen:
            resource = self.shared[key]
            side = finding.side if finding.side is not Side.BOTH else _side_of(resource)
            yield Finding(
                id=finding_id(finding.rule_id, resource.account_id or "", resource.region_id or "", resource.id, "ask"),
                rule_id=finding.rule_id,
                title=finding.title,
                severity=finding.severity,
                basis=finding.basis,
                outcome=finding.outcome,
                resource=resource,
                side=side,
                remediation=Remediation(ASK),
                related=self._other_end(finding, key, account),
                sources=finding.sources,
                rationale=finding.rationale,
                tags=finding.tags,
            )

    def _other_end(self, finding: Finding, key: tuple[str, str], account: str | None) -> tuple[ResourceRef, ...]:
        found = [ResourceRef("accounts", account, account, None)] if account and self._account(account) else []
        refs = {(ref.type, ref.id) for ref in (finding.resource, *finding.related)} & self.shared.keys()
        return (*found, *(self.shared[ref] for ref in sorted(refs - {key})))

    # ---------------------------------------------------------------------------------------------------------- paths

    def _path(self, path: PathVerdict) -> PathVerdict:
        """Own columns hop by hop; a column of the other side is one hop with one verdict."""
        consumer = path.consumer_account_id in self.own
        provider = path.provider_account_id in self.own
        hops: list[Hop] = []
        for number, column in enumerate(columns_of(path)):
            consumers = number < CONSUMER_COLUMNS
            if consumer if consumers else provider:
                hops += map(self._hop, column)
                continue
            seen = [hop for hop in column if hop.kind == _BOTH_SEE]
            rest = [hop for hop in column if hop.kind != _BOTH_SEE]
            if rest:
                account = path.consumer_account_id if consumers else path.provider_account_id
                ends = path.endpoint_id if consumers else path.service_id or path.endpoint_id
                hops.append(Hop(rest[-1].kind, ends, self._account(account), verdict_of(rest)))
            hops += map(self._hop, seen)
        zone = path.zone_id if consumer or self.disclosure.knows(path.zone_id) else None
        return replace(
            path,
            hops=tuple(hops),
            zone_id=zone,
            probes=path.probes if consumer else (),  # hosts that tried the path stand in the consumer's network
            consumer_account_id=self._account(path.consumer_account_id),
            provider_account_id=self._account(path.provider_account_id),
        )

    def _hop(self, hop: Hop) -> Hop:
        detail = hop.detail if self.disclosure.clear(hop.detail) else WITHHELD
        clear = self.disclosure.clear(hop.id)
        return replace(hop, id=hop.id if clear else "-", account_id=self._account(hop.account_id), detail=detail)


def _side_of(resource: ResourceRef) -> Side:
    return Side.CONSUMER if resource.type == "endpoints" else Side.PROVIDER


def _weight(finding: Finding) -> tuple[int, int]:
    return (_WORST.index(finding.outcome), finding.severity.rank)
