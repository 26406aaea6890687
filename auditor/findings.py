"""Findings: the nouns the engine produces and every reporter reads, and the recipe of a finding's id."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Outcome(StrEnum):
    """What the engine decided for one rule and one resource."""

    PASS = "pass"  # noqa: S105 - an outcome, not a password
    FAIL = "fail"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not_applicable"


class Severity(StrEnum):
    """How bad a failure is; says nothing about certainty."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for critical to 4 for info."""
        return list(Severity).index(self)


class Basis(StrEnum):
    """Why plaudit may claim a rule."""

    DOCUMENTED = "documented"
    INFERRED = "inferred"
    POLICY = "policy"


class Side(StrEnum):
    """Whose account holds the fix."""

    PROVIDER = "provider"
    CONSUMER = "consumer"
    BOTH = "both"


def finding_id(rule_id: str, account_id: str, region_id: str, resource_id: str, part: str = "") -> str:
    """The stable id of a finding: `plf1-` and 32 hex digits.

    It depends on the canonical rule id and on cloud ids only, never on names, severities, languages, order or time.
    """
    text = "\x1f".join(("1", rule_id, account_id, region_id, resource_id, part))
    return "plf1-" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class ResourceRef:
    """A cloud object: `type` is the inventory table, `id` holds every key part whole."""

    type: str
    id: str
    account_id: str | None
    region_id: str | None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """A page that states a fact."""

    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Remediation:
    """A suggested fix, as text only: plaudit changes nothing."""

    summary: str
    cli: tuple[str, ...] = ()
    terraform: str | None = None
    console: str | None = None


@dataclass(frozen=True, slots=True)
class Waiver:
    """An accepted finding: who, why, until when (last day, UTC, ISO date)."""

    id: str | None
    reason: str
    owner: str
    expires: str
    ticket: str | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """One thing that was not read completely; `kind` tells what a user can do about it.

    kinds: `refused`, `throttled`, `unreachable`, `malformed`, `truncated`, `vanished`, `credentials`, `deadline`,
    `interrupted`, `not_given` (no profile of the account that knows it), `not_collected` (left out of this snapshot),
    `stale` (a probe from another time).
    """

    kind: str
    account_id: str | None
    region_id: str | None
    operation: str | None
    table: str | None
    target: str
    error_code: str | None
    message: str
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One outcome of one rule for one resource."""

    id: str
    rule_id: str
    title: str
    severity: Severity
    basis: Basis
    outcome: Outcome
    resource: ResourceRef
    side: Side
    remediation: Remediation
    related: tuple[ResourceRef, ...] = ()
    observed: str | None = None
    reason: str | None = None
    gaps: tuple[Gap, ...] = ()
    sources: tuple[Source, ...] = ()
    part: str = ""
    rationale: str = ""
    tags: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    first_seen: str | None = None
    is_new: bool | None = None
    waiver: Waiver | None = None

    @property
    def waived(self) -> bool:
        """True for an accepted failure; nothing else can be waived."""
        return self.waiver is not None and self.outcome is Outcome.FAIL


@dataclass(frozen=True, slots=True)
class Hop:
    """One step of a path."""

    kind: str
    id: str
    account_id: str | None
    verdict: str
    rule_ids: tuple[str, ...] = ()
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Probed:
    """What a host saw that tried a path: `outcome` as in the table probe_connections, `seconds` the median connect."""

    vantage: str
    source_address: str | None
    address: str
    outcome: str
    tries: int | None
    connected: int | None
    seconds: float | None
    at: str


@dataclass(frozen=True, slots=True)
class PathVerdict:
    """The way from the clients of an endpoint to the backends, per endpoint, zone and port.

    `probes`: what hosts saw that tried it; they say nothing about other hosts and never change the verdict.
    """

    endpoint_id: str
    service_id: str | None
    region_id: str
    consumer_account_id: str | None
    provider_account_id: str | None
    protocol: str | None
    port: int | None
    verdict: str
    hops: tuple[Hop, ...] = ()
    zone_id: str | None = None
    probes: tuple[Probed, ...] = ()


@dataclass(frozen=True, slots=True)
class Read:
    """Coverage as reports show it: one row per operation and target that was not read completely."""

    account_id: str | None
    region_id: str | None
    operation: str
    target: str
    complete: bool
    error_code: str | None
    message: str | None
    request_id: str | None
    profile: str | None = None


@dataclass(frozen=True, slots=True)
class ScanInfo:
    """When, by what and over what a scan ran."""

    id: str
    started_at: str
    finished_at: str
    accounts: tuple[Mapping[str, str | None], ...]
    regions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """Everything a reporter may use: findings of all outcomes, coverage and the scan itself.

    `reads` holds every read, complete or not; `findings` every outcome, so that all formats count the same things.
    Of a scan they are `auditor.batches.Findings`: whoever only counts, or looks at failures and unknowns, asks the
    functions of that module and leaves the rest unmade.
    """

    scan: ScanInfo
    findings: Sequence[Finding]
    reads: tuple[Read, ...]
    paths: tuple[PathVerdict, ...] = ()
    all_outcomes: bool = False
    fail_on: str = "high"
    exit_code: int = 0
    exit_also: tuple[int, ...] = ()
    exit_reasons: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    rules_selected: int = 0
    extra: Mapping[str, object] = field(default_factory=dict)
