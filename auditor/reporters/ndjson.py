"""NDJSON: the findings of the JSON report as events, one per line, between the start and the end of the run.

Every line has `type` (`run` or `finding`), `run_id`, `time` (milliseconds) and `time_dt` (RFC 3339).  A finding has the
members of the JSON report beside `activity` and `event_uid`; nulls and empty lists are left out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from auditor import __version__
from auditor.findings import Finding, Outcome, Report
from auditor.reporters.events import (
    Event,
    FindingEvent,
    Known,
    Mode,
    RunEvent,
    events,
    last_known,
    milliseconds,
    rfc3339,
)
from auditor.reporters.json import SCHEMA_VERSION, finding_object
from auditor.reporters.stream import bounded, document, pruned
from auditor.reporters.summary import Summary, summarize

#: Elements of lists in one event: together they stay below the limit of leaf fields.
_LIMITS = {"gaps": 8, "related": 12, "sources": 8, "evidence": 10, "fix_account_ids": 4}
_COMMANDS = 5
_DROPPABLE = ("remediation.terraform", "evidence", "sources", "remediation.cli", "related", "gaps")


def render(
    report: Report,
    *,
    previous: Mapping[str, Known] | None = None,
    mode: Mode = Mode.ALL,
    judged_rules: Collection[str] | None = None,
) -> str:
    """All events, one per line; without `previous` every open finding is created."""
    return document(lines(report, previous=previous, mode=mode, judged_rules=judged_rules))


def lines(
    report: Report,
    *,
    previous: Mapping[str, Known] | None = None,
    mode: Mode = Mode.ALL,
    judged_rules: Collection[str] | None = None,
) -> Iterator[str]:
    """The same line by line, without line ends.

    Outcomes that do not apply are no event; a report of all outcomes has them too, before the end of the run and
    without `activity`.
    """
    summary = summarize(report)
    for event in events(report, previous, mode=mode, judged_rules=judged_rules):
        if isinstance(event, RunEvent) and event.total is not None and report.all_outcomes:
            for finding in summary.findings:
                if finding.outcome is Outcome.NOT_APPLICABLE:
                    yield _line(_stamp(report.scan.id, rfc3339(report.scan.started_at)), finding, summary)
        yield line(event, summary)


def line(event: Event, summary: Summary) -> str:
    """One event."""
    stamp = _stamp(event.run_id, event.time) | {"activity": event.activity.value, "event_uid": event.uid}
    if isinstance(event, RunEvent):
        return bounded(pruned(stamp | _run(event)), (), _mark)
    if event.finding is None:
        return bounded(pruned(stamp | _gone(event)), (), _mark)
    return _line(stamp, event.finding, summary)


def _stamp(run_id: str, time: str) -> dict[str, Any]:
    return {"schema_version": SCHEMA_VERSION, "run_id": run_id, "time": milliseconds(time), "time_dt": time}


def _line(stamp: Mapping[str, Any], finding: Finding, summary: Summary) -> str:
    body = finding_object(finding, summary)
    cut = False
    for key, limit in _LIMITS.items():
        cut = cut or len(body[key]) > limit
        body[key] = body[key][:limit]
    commands = body["remediation"]["cli"]
    body["remediation"]["cli"] = commands[:_COMMANDS]
    body |= {**stamp, "type": "finding", "waived": finding.waived}
    return bounded(pruned(body), _DROPPABLE, _mark, cut=cut or len(commands) > _COMMANDS)


def _mark(event: dict[str, Any], size: int) -> None:
    event |= {"is_truncated": True, "untruncated_size": size}


def _gone(event: FindingEvent) -> dict[str, Any]:
    known, resource = last_known(event)
    return {
        "type": "finding",
        "id": event.finding_id,
        "rule_id": known.rule_id,
        "title": known.title,
        "severity": known.severity.value,
        "outcome": "gone",
        "waived": known.waived,
        "resource": {
            "type": resource.type,
            "id": resource.id,
            "name": resource.name,
            "account_id": resource.account_id,
            "region_id": resource.region_id,
        },
    }


def _run(event: RunEvent) -> dict[str, Any]:
    return {
        "type": "run",
        "tool": {"name": "plaudit", "version": __version__},
        "started_at": event.started_at,
        "finished_at": event.finished_at,
        "detections": event.detections,
        "resolutions": event.resolutions,
        "skipped": event.skipped,
        "total": event.total,
        "exit_code": event.exit_code,
    }
