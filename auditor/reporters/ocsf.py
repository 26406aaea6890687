"""OCSF 1.8.0: Compliance Finding (2003) per finding, Scan Activity (6007) for the run, one JSON object per line.

Classes, enumerations and required attributes: https://schema.ocsf.io/1.8.0/classes/compliance_finding and
https://schema.ocsf.io/1.8.0/classes/scan_activity.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from auditor import __version__
from auditor.findings import Finding, Outcome, Report, ResourceRef, Severity
from auditor.reporters.cloud_names import resource_name, resource_type
from auditor.reporters.events import (
    Activity,
    Event,
    FindingEvent,
    Known,
    Mode,
    RunActivity,
    RunEvent,
    events,
    last_known,
    milliseconds,
)
from auditor.reporters.severities import DIALECTS
from auditor.reporters.stream import bounded, document
from auditor.reporters.text import inert
from auditor.reporters.wording import details, sentence

VERSION = "1.8.0"
STANDARD = "plaudit 1"

#: Related resources, details and references of one event; more would pass the limit of leaf fields.
_RELATED, _DETAILS, _REFERENCES = 14, 10, 5

_PRODUCT = {"name": "plaudit", "vendor_name": "plaudit", "version": __version__}
_ACTIVITIES = {Activity.CREATE: (1, "Create"), Activity.UPDATE: (2, "Update"), Activity.CLOSE: (3, "Close")}
_RUN_ACTIVITIES = {
    RunActivity.STARTED: (1, "Started"),
    RunActivity.COMPLETED: (2, "Completed"),
    RunActivity.ERROR: (6, "Error"),
}
_COMPLIANCE = {Outcome.PASS: (1, "Pass"), Outcome.FAIL: (3, "Fail"), Outcome.UNKNOWN: (0, "Unknown")}
_GONE = (99, "Resource gone")
_DROPPABLE = ("unmapped", "remediation.references", "finding_info.desc")


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
    """The same line by line, without line ends, for writers that do not want all of it in memory."""
    names = {str(account.get("account_id")): account.get("profile") for account in report.scan.accounts}
    for event in events(report, previous, mode=mode, judged_rules=judged_rules):
        yield line(event, names)


def line(event: Event, account_names: Mapping[str, str | None]) -> str:
    """One event; `account_names` are the names of the profiles by account id."""
    if isinstance(event, RunEvent):
        return bounded(_scan_activity(event), (), _mark)
    body, cut = _compliance_finding(event, account_names)
    return bounded(body, _DROPPABLE, _mark, cut=cut)


def _mark(event: dict[str, Any], size: int) -> None:
    event["metadata"] |= {"is_truncated": True, "untruncated_size": size}


def _compliance_finding(event: FindingEvent, account_names: Mapping[str, str | None]) -> tuple[dict[str, Any], bool]:
    finding = event.finding
    activity_id, activity = _ACTIVITIES[event.activity]
    time = milliseconds(event.time)
    info: dict[str, Any] = {"uid": event.finding_id, "types": ["misconfiguration"], "last_seen_time": time}
    cut = False
    if finding is not None:
        rule_id, title, severity, resource = finding.rule_id, finding.title, finding.severity, finding.resource
        status_id, status = _COMPLIANCE[finding.outcome]
        found = details(finding)
        message = sentence(finding, found)
        cut = len(found) > _DETAILS or len(finding.related) > _RELATED or len(finding.sources) > _REFERENCES
        if finding.first_seen:
            info["first_seen_time"] = milliseconds(finding.first_seen)
        if finding.rationale:
            info["desc"] = inert(finding.rationale)
    else:
        known, resource = last_known(event)
        rule_id, title, severity = known.rule_id, known.title, known.severity
        status_id, status = _GONE
        message = f"{inert(resource.id)} is gone; {rule_id} ({inert(title)}) has nothing left to judge"
        found = ["The list it was in was read completely and does not hold it."]
    dialect = DIALECTS[severity]
    info["title"] = inert(title)
    info["analytic"] = {"name": rule_id, "uid": rule_id, "type_id": 1, "type": "Rule", "version": "1"}
    compliance: dict[str, Any] = {
        "control": rule_id,
        "standards": [STANDARD],
        "status_id": status_id,
        "status": status,
    }
    if found:
        compliance["status_details"] = found[:_DETAILS]
    finding_status = _finding_status(event)
    body: dict[str, Any] = {
        "activity_id": activity_id,
        "activity_name": activity,
        "category_name": "Findings",
        "category_uid": 2,
        "class_name": "Compliance Finding",
        "class_uid": 2003,
        "type_uid": 200300 + activity_id,
        "type_name": f"Compliance Finding: {activity}",
        "time": time,
        "time_dt": event.time,
        "severity_id": dialect.ocsf_id,
        "severity": dialect.ocsf,
        "status_id": finding_status[0],
        "status": finding_status[1],
        "message": message,
        "metadata": {
            "version": VERSION,
            "profiles": ["cloud", "datetime"],
            "product": _PRODUCT,
            "uid": event.uid,
            "event_code": rule_id,
            "log_name": "plaudit",
            "correlation_uid": event.run_id,
        },
        "finding_info": info,
        "compliance": compliance,
        "cloud": _cloud(resource, account_names),
        "resources": [_resource(resource, 3, "Affected")],
    }
    if finding is not None:
        body["resources"].extend(_resource(other, 4, "Related") for other in finding.related[:_RELATED])
        if finding.remediation.summary:
            body["remediation"] = {"desc": inert(finding.remediation.summary)}
            urls = [inert(page.url) for page in finding.sources if page.url.startswith("https://")]
            if urls:
                body["remediation"]["references"] = urls[:_REFERENCES]
        body["unmapped"] = _unmapped(finding)
    return body, cut


def _finding_status(event: FindingEvent) -> tuple[int, str]:
    if event.activity is Activity.CLOSE:
        return 4, "Resolved"
    if event.finding is not None and event.finding.waived:
        return 3, "Suppressed"
    return 1, "New"


def _cloud(resource: ResourceRef, account_names: Mapping[str, str | None]) -> dict[str, Any]:
    cloud: dict[str, Any] = {"provider": "Alibaba Cloud"}
    if resource.region_id:
        cloud["region"] = inert(resource.region_id)
    if resource.account_id:
        account = {"uid": inert(resource.account_id), "type_id": 99, "type": "Alibaba Cloud Account"}
        name = account_names.get(resource.account_id)
        cloud["account"] = account | {"name": inert(name)} if name else account
    return cloud


def _resource(resource: ResourceRef, role_id: int, role: str) -> dict[str, Any]:
    shown = {
        "uid": inert(resource_name(resource)),
        "type": resource_type(resource),
        "role_id": role_id,
        "role": role,
    }
    if resource.name:
        shown["name"] = inert(resource.name)
    if resource.region_id:
        shown["region"] = inert(resource.region_id)
    return shown


def _unmapped(finding: Finding) -> dict[str, Any]:
    unmapped: dict[str, Any] = {
        "basis": finding.basis.value,
        "fix_side": finding.side.value,
        "resource_id": inert(finding.resource.id),
        "resource_table": finding.resource.type,
    }
    if finding.part:
        unmapped["part"] = inert(finding.part)
    if finding.remediation.cli:
        unmapped["fix_command"] = "\n".join(map(inert, finding.remediation.cli))
    if finding.waived and finding.waiver is not None:
        waiver = finding.waiver
        unmapped["waiver"] = {
            key: inert(value)
            for key, value in (
                ("expires", waiver.expires),
                ("id", waiver.id),
                ("owner", waiver.owner),
                ("reason", waiver.reason),
                ("ticket", waiver.ticket),
            )
            if value
        }
    return unmapped


def _scan_activity(event: RunEvent) -> dict[str, Any]:
    activity_id, activity = _RUN_ACTIVITIES[event.activity]
    failed = event.activity is RunActivity.ERROR
    dialect = DIALECTS[Severity.HIGH if failed else Severity.INFO]
    body: dict[str, Any] = {
        "activity_id": activity_id,
        "activity_name": activity,
        "category_name": "Application Activity",
        "category_uid": 6,
        "class_name": "Scan Activity",
        "class_uid": 6007,
        "type_uid": 600700 + activity_id,
        "type_name": f"Scan Activity: {activity}",
        "time": milliseconds(event.time),
        "time_dt": event.time,
        "severity_id": dialect.ocsf_id,
        "severity": dialect.ocsf,
        "message": _run_message(event),
        "metadata": {
            "version": VERSION,
            "profiles": ["datetime"],
            "product": _PRODUCT,
            "uid": event.uid,
            "event_code": f"run-{event.activity.value}",
            "log_name": "plaudit",
            "correlation_uid": event.run_id,
        },
        # nobody tells whether a person or a schedule started the run
        "scan": {"uid": event.run_id, "name": "plaudit scan", "type_id": 0, "type": "Unknown"},
        "start_time": milliseconds(event.started_at),
        "start_time_dt": event.started_at,
    }
    if event.activity is not RunActivity.STARTED:
        body |= {"status_id": 2, "status": "Failure"} if failed else {"status_id": 1, "status": "Success"}
    if event.finished_at is not None:
        body["end_time"] = milliseconds(event.finished_at)
        body["end_time_dt"] = event.finished_at
        body["duration"] = body["end_time"] - body["start_time"]
    numbers = {
        "num_detections": event.detections,
        "num_resolutions": event.resolutions,
        "num_skipped_items": event.skipped,
        "total": event.total,
    }
    body |= {key: number for key, number in numbers.items() if number is not None}
    if event.exit_code is not None:
        body["unmapped"] = {"exit_code": event.exit_code}
    return body


def _run_message(event: RunEvent) -> str:
    if event.activity is RunActivity.STARTED:
        return f"Run {event.run_id} started"
    return (
        f"Run {event.run_id} {event.activity.value}: {event.detections} failed, {event.resolutions} resolved, "
        f"{event.skipped} reads incomplete, {event.total} outcomes"
    )
