"""Records: one event as it lies in the spool – its document, and beside it what envelopes and recovery need."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from auditor.findings import Outcome, Report, ResourceRef, Severity
from auditor.reporters import ecs, ndjson, ocsf
from auditor.reporters.events import (
    Event,
    FindingEvent,
    Known,
    Mode,
    RunActivity,
    RunEvent,
    activity_of,
    event_uid,
    events,
    last_known,
    milliseconds,
)
from auditor.reporters.severities import DIALECTS, SYSLOG_UNKNOWN
from auditor.reporters.stream import encode
from auditor.reporters.summary import Summary, summarize


class Form(StrEnum):
    """The schema of the documents a sink gets."""

    OCSF = "ocsf"
    ECS = "ecs"
    NDJSON = "ndjson"


@dataclass(frozen=True, slots=True)
class Record:
    """One event.

    `document` is its JSON on one line of ASCII.  `time` is in milliseconds, `severity` as in syslog.  `finding_id` is
    empty for events of the run.  `before` is what the sink knew about the finding before this event, None if nothing;
    `dropped` is how many lost events this event tells of.
    """

    uid: str
    time: int
    activity: str
    run_id: str
    document: str
    severity: int
    finding_id: str = ""
    rule_id: str = ""
    account_id: str = ""
    before: Known | None = None
    dropped: int = 0

    @property
    def is_run(self) -> bool:
        """True for the event of the run, which holds no text of a tenant."""
        return not self.finding_id


def records(
    report: Report,
    known: Mapping[str, Known],
    *,
    form: Form,
    mode: Mode = Mode.CHANGES,
    judged_rules: Collection[str] | None = None,
    times_spooled: int = 0,
    dropped: int = 0,
) -> Iterator[Record]:
    """What a sink that knows `known` is told about a run: its findings, then one event of the run itself.

    `times_spooled` says how often events of this run were spooled before: what has changed since then gets ids of its
    own, else a sink would take a second change for a copy of the first.  `dropped` is told by the event of the run.
    """
    names = {str(account.get("account_id")): account.get("profile") for account in report.scan.accounts}
    summary = summarize(report) if form is Form.NDJSON else None
    changed = False
    for event in events(report, known, mode=mode, judged_rules=judged_rules):
        if isinstance(event, FindingEvent):
            before = known.get(event.finding_id)
            again = times_spooled > 0 and _is_change(event, before)
            changed = changed or again
            if again:
                event = replace(event, uid=_later_uid(event.finding_id, event, times_spooled))
            yield _finding_record(event, before, _document(event, form, names, summary))
        elif event.activity is not RunActivity.STARTED:  # one event of a run; when it began is in its end
            if changed:
                event = replace(event, uid=_later_uid("", event, times_spooled))
            yield _run_record(event, dropped, _with_dropped(_document(event, form, names, summary), form, dropped))


def _later_uid(finding_id: str, event: Event, times: int) -> str:
    return event_uid(finding_id, f"{event.run_id}#{times}", event.activity)


def _is_change(event: FindingEvent, before: Known | None) -> bool:
    return event.finding is None or activity_of(event.finding, before) is not None


def _document(event: Event, form: Form, names: Mapping[str, str | None], summary: Summary | None) -> str:
    if form is Form.ECS:
        return ecs.line(event, names)
    if summary is not None:
        return ndjson.line(event, summary)
    return ocsf.line(event, names)


def _with_dropped(document: str, form: Form, dropped: int) -> str:
    body = json.loads(document)
    match form:
        case Form.OCSF:
            body["unmapped"] = body.get("unmapped", {}) | {"dropped_events": dropped}
        case Form.ECS:
            body["plaudit"]["run"]["dropped_events"] = dropped
        case Form.NDJSON:
            body["dropped_events"] = dropped
    return encode(body)


def _finding_record(event: FindingEvent, before: Known | None, document: str) -> Record:
    resource: ResourceRef | None
    if event.finding is not None:
        rule_id, resource, severity = event.finding.rule_id, event.finding.resource, event.finding.severity
        unknown = event.finding.outcome is Outcome.UNKNOWN
    else:
        known, resource = last_known(event)
        rule_id, severity, unknown = known.rule_id, known.severity, False
    if event.activity.value == "close":
        level = DIALECTS[Severity.INFO].syslog
    else:
        level = SYSLOG_UNKNOWN if unknown else DIALECTS[severity].syslog
    return Record(
        uid=event.uid,
        time=milliseconds(event.time),
        activity=event.activity.value,
        run_id=event.run_id,
        document=document,
        severity=level,
        finding_id=event.finding_id,
        rule_id=rule_id,
        account_id=(resource.account_id if resource is not None else None) or "",
        before=before,
    )


def _run_record(event: RunEvent, dropped: int, document: str) -> Record:
    failed = event.activity is RunActivity.ERROR
    level = DIALECTS[Severity.HIGH if failed else Severity.INFO].syslog
    return Record(
        event.uid, milliseconds(event.time), event.activity.value, event.run_id, document, level, dropped=dropped
    )


# ------------------------------------------------------------------------------------------------- lines of the spool


#: The document is the last member and is not encoded twice.  Within a text its quotation marks would be escaped.
_SPLICE = ',"document":'


def to_line(record: Record) -> str:
    """One line of a spool file, without its end."""
    body: dict[str, Any] = {
        "uid": record.uid,
        "time": record.time,
        "activity": record.activity,
        "run_id": record.run_id,
        "severity": record.severity,
    }
    for key in ("finding_id", "rule_id", "account_id", "dropped"):
        value = getattr(record, key)
        if value:
            body[key] = value
    if record.before is not None:
        body["before"] = known_to_plain(record.before)
    return f"{encode(body)[:-1]}{_SPLICE}{record.document}}}"


def from_line(line: str) -> Record:
    """The record of a line.  Raises ValueError, KeyError or TypeError for a line that is none."""
    line = line.rstrip("\n")
    start = line.index(_SPLICE)
    body = json.loads(line[:start] + "}")
    before = body.get("before")
    return Record(
        uid=str(body["uid"]),
        time=int(body["time"]),
        activity=str(body["activity"]),
        run_id=str(body["run_id"]),
        document=line[start + len(_SPLICE) : -1],
        severity=int(body["severity"]),
        finding_id=str(body.get("finding_id", "")),
        rule_id=str(body.get("rule_id", "")),
        account_id=str(body.get("account_id", "")),
        before=known_from_plain(before) if before is not None else None,
        dropped=int(body.get("dropped", 0)),
    )


def known_to_plain(known: Known) -> list[Any]:
    """What is known about a finding, as a short JSON list."""
    resource = known.resource
    return [
        known.severity.value,
        known.outcome.value,
        known.waived,
        known.evidence_hash,
        known.rule_id,
        known.title,
        [resource.type, resource.id, resource.account_id, resource.region_id, resource.name] if resource else None,
    ]


def known_from_plain(plain: Any) -> Known:
    """The inverse.  Raises ValueError or TypeError for anything else."""
    severity, outcome, waived, evidence, rule_id, title, resource = plain
    return Known(
        Severity(severity),
        Outcome(outcome),
        bool(waived),
        str(evidence),
        str(rule_id),
        str(title),
        ResourceRef(*resource) if resource else None,
    )
