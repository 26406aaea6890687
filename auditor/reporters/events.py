"""Events: what changed between two runs, as one event per finding, and the events of the run itself.

Nothing here knows a format or a destination: encoders (`ocsf`, `ecs`, `ndjson`) and delivery both read these events.
An event id depends on finding, run and activity only, so that a retry repeats it and a collector can drop the copy.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from itertools import chain
from uuid import UUID

from auditor.batches import of_rules, opened
from auditor.findings import Finding, Outcome, Report, ResourceRef, Severity
from auditor.reporters.absence import Absence
from auditor.reporters.summary import counted, coverage_summary

#: Namespace of all event ids: UUIDv5 of the URL namespace and `urn:plaudit:events`. It never changes.
NAMESPACE = UUID("88761cce-ac9a-5b6d-bfc0-95c85123572e")
_PREFIX = NAMESPACE.bytes


#: Exit codes of runs that were judged, be it in part; with any other one a run ends in an error.
_JUDGED = frozenset({0, 3, 4, 6})


class Activity(StrEnum):
    """What happened to a finding since the previous run."""

    CREATE = "create"
    UPDATE = "update"
    CLOSE = "close"


class RunActivity(StrEnum):
    """What happened to the run."""

    STARTED = "started"
    COMPLETED = "completed"
    ERROR = "error"


class Mode(StrEnum):
    """`changes`: what differs from the previous state.  `all`: every finding that is reported, each time."""

    CHANGES = "changes"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Known:
    """What the previous run knew about one finding; `resource` is needed to prove later that it is gone."""

    severity: Severity
    outcome: Outcome
    waived: bool
    evidence_hash: str
    rule_id: str = ""
    title: str = ""
    resource: ResourceRef | None = None


@dataclass(frozen=True, slots=True)
class FindingEvent:
    """One event about one finding.

    `finding` is None where the resource is gone: then `known` is all there is, and the activity is `close`.
    `time` is RFC 3339, UTC.
    """

    uid: str
    activity: Activity
    finding_id: str
    run_id: str
    time: str
    finding: Finding | None
    known: Known | None = None


@dataclass(frozen=True, slots=True)
class RunEvent:
    """Start or end of a run; the numbers are None at the start, when nobody knows them yet.

    `detections` are failures nobody waived, `resolutions` findings closed by this run, `skipped` reads that are not
    complete, `total` outcomes of every kind.
    """

    uid: str
    activity: RunActivity
    run_id: str
    time: str
    started_at: str
    finished_at: str | None = None
    detections: int | None = None
    resolutions: int | None = None
    skipped: int | None = None
    total: int | None = None
    exit_code: int | None = None


Event = FindingEvent | RunEvent


def last_known(event: FindingEvent) -> tuple[Known, ResourceRef]:
    """What is left to say about a finding whose resource is gone; ValueError for an event made of nothing."""
    if event.known is None or event.known.resource is None:
        raise ValueError("an event without a finding needs what was known about it")
    return event.known, event.known.resource


def event_uid(finding_id: str, run_id: str, activity: Activity | RunActivity) -> str:
    """The id of an event; `finding_id` is empty for events of the run."""
    # What `uuid.uuid5` does (RFC 9562, 5.5), without an object per event: a feed has a hundred thousand of them.
    text = f"{finding_id}|{run_id}|{activity.value}".encode("utf-8", "surrogatepass")
    digest = hashlib.sha1(_PREFIX + text, usedforsecurity=False).digest()
    number = int.from_bytes(digest[:16]) & ~(0xF << 76 | 0x3 << 62) | 5 << 76 | 2 << 62
    digits = f"{number:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


@lru_cache(maxsize=1024)
def milliseconds(moment: str) -> int:
    """Milliseconds since the epoch of an RFC 3339 moment or an ISO date, which stands for its first moment in UTC."""
    value = datetime.fromisoformat(moment)
    if value.tzinfo is None:
        value = value.replace(tzinfo=UTC)
    return round(value.timestamp() * 1000)


def rfc3339(moment: str) -> str:
    """The same moment with milliseconds and `Z`."""
    value = datetime.fromtimestamp(milliseconds(moment) / 1000, UTC)
    return value.strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03d}Z"


def evidence_hash(finding: Finding) -> str:
    """A hash of what the outcome rests on: what was seen, related objects, gaps and waiver.

    Texts that change without a change (request ids, times, messages of the API) are left out, else every run would
    be an update.
    """
    parts = [finding.observed or "", finding.part]
    parts.extend(sorted(f"{other.type}:{other.id}" for other in finding.related))
    if finding.gaps:
        parts.extend(
            sorted(
                "|".join(
                    str(x) for x in (gap.kind, gap.account_id, gap.region_id, gap.operation, gap.table, gap.target)
                )
                for gap in finding.gaps
            )
        )
    else:
        parts.append(finding.reason or "")
    if finding.waiver is not None:
        parts.extend((finding.waiver.id or "", finding.waiver.expires, finding.waiver.reason, finding.waiver.owner))
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def known(finding: Finding) -> Known:
    """What the next run has to know about `finding`."""
    return Known(
        finding.severity,
        finding.outcome,
        finding.waived,
        evidence_hash(finding),
        finding.rule_id,
        finding.title,
        finding.resource,
    )


def is_open(outcome: Outcome) -> bool:
    """True for outcomes a SIEM keeps open."""
    return outcome in (Outcome.FAIL, Outcome.UNKNOWN)


def activity_of(finding: Finding, before: Known | None) -> Activity | None:
    """What happened to `finding` since `before`; None where nothing did or nothing may be said.

    An outcome that is unknown opens or updates, but never closes; one that does not apply says nothing at all.
    """
    was_open = before is not None and is_open(before.outcome)
    match finding.outcome:
        case Outcome.PASS:
            return Activity.CLOSE if was_open else None
        case Outcome.NOT_APPLICABLE:
            return None
        case Outcome.FAIL | Outcome.UNKNOWN:
            if before is None or not was_open:
                return Activity.CREATE
            now = (finding.severity, finding.outcome, finding.waived, evidence_hash(finding))
            return (
                None
                if now == (before.severity, before.outcome, before.waived, before.evidence_hash)
                else (Activity.UPDATE)
            )


def next_state(
    report: Report, previous: Mapping[str, Known] | None = None, judged_rules: Collection[str] | None = None
) -> dict[str, Known]:
    """The open findings after this run: those it saw, and those of `previous` it neither saw nor closed."""
    state = {finding.id: known(finding) for finding in opened(report.findings) if is_open(finding.outcome)}
    if previous:
        rules = {before.rule_id for before in previous.values()}
        passed = {f.id for f in of_rules(report.findings, rules) if f.outcome is Outcome.PASS}
        absence = Absence(report, judged_rules)
        for finding_id, before in previous.items():
            if finding_id in state or finding_id in passed or not is_open(before.outcome):
                continue
            if not absence.proven(before.rule_id, before.resource):
                state[finding_id] = before
    return state


def _by_rule(finding: Finding) -> tuple[str, ...]:
    resource = finding.resource
    place = (resource.account_id or "", resource.region_id or "", resource.id, finding.part, finding.id)
    return (finding.rule_id, *place)


def _worth_telling(report: Report, before: Mapping[str, Known], mode: Mode) -> Iterable[Finding]:
    """Without those that pass now and were never told of."""
    if mode is Mode.ALL and report.all_outcomes:
        return report.findings
    rules = {state.rule_id for state in before.values()}
    others = (finding for finding in opened(report.findings) if finding.rule_id not in rules)
    return chain(of_rules(report.findings, rules), others)


def finding_events(
    report: Report,
    previous: Mapping[str, Known] | None = None,
    *,
    mode: Mode = Mode.CHANGES,
    judged_rules: Collection[str] | None = None,
) -> Iterator[FindingEvent]:
    """Events of the findings of `report`, by rule and resource, then those of resources that are gone.

    With `mode` all, findings that did not change are told as updates (or as created where nothing is known), and,
    if the report shows all outcomes, those that pass as closed.  `judged_rules` are the rules this run judged; left
    out, they are those with at least one outcome.
    """
    before = previous or {}
    run_id, time = report.scan.id, rfc3339(report.scan.started_at)
    seen: set[str] = set()
    for finding in sorted(_worth_telling(report, before, mode), key=_by_rule):
        seen.add(finding.id)
        earlier = before.get(finding.id)
        activity = activity_of(finding, earlier)
        if activity is None and mode is Mode.ALL:
            if is_open(finding.outcome):
                activity = Activity.UPDATE
            elif finding.outcome is Outcome.PASS and report.all_outcomes:
                activity = Activity.CLOSE
        if activity is not None:
            uid = event_uid(finding.id, run_id, activity)
            yield FindingEvent(uid, activity, finding.id, run_id, time, finding, earlier)
    gone = sorted(id_ for id_, state in before.items() if id_ not in seen and is_open(state.outcome))
    if not gone:
        return
    absence = Absence(report, judged_rules)
    for finding_id in gone:
        earlier = before[finding_id]
        if absence.proven(earlier.rule_id, earlier.resource):
            uid = event_uid(finding_id, run_id, Activity.CLOSE)
            yield FindingEvent(uid, Activity.CLOSE, finding_id, run_id, time, None, earlier)


def events(
    report: Report,
    previous: Mapping[str, Known] | None = None,
    *,
    mode: Mode = Mode.CHANGES,
    judged_rules: Collection[str] | None = None,
) -> Iterator[Event]:
    """All events of a run, its start first and its end last, so that silence and partial scans can be alerted on."""
    run = report.scan
    started = rfc3339(run.started_at)
    finished = rfc3339(run.finished_at) if run.finished_at else None
    uid = event_uid("", run.id, RunActivity.STARTED)
    yield RunEvent(uid, RunActivity.STARTED, run.id, started, started)
    resolutions = 0
    for event in finding_events(report, previous, mode=mode, judged_rules=judged_rules):
        if event.activity is Activity.CLOSE and event.known is not None:
            resolutions += is_open(event.known.outcome)
        yield event
    counts = counted(report.findings)[0]
    end = RunActivity.COMPLETED if report.exit_code in _JUDGED else RunActivity.ERROR
    yield RunEvent(
        uid=event_uid("", run.id, end),
        activity=end,
        run_id=run.id,
        time=finished or started,
        started_at=started,
        finished_at=finished,
        detections=counts["fail"],
        resolutions=resolutions,
        skipped=len(coverage_summary(report.reads).incomplete),
        total=counts.total,
        exit_code=report.exit_code,
    )
