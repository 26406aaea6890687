"""Elastic Common Schema 9.4: one document per line, ready for the data streams `logs-plaudit.finding-*` and `.run-*`.

`event.id` is the `_id` to create a document with.  `resource.*`, `result.*` and `rule.remediation` are what Elastic's
posture integrations share; what is plaudit's own lies below `plaudit`.
Fields: https://www.elastic.co/docs/reference/ecs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from auditor import __version__
from auditor.findings import Finding, Outcome, Report, ResourceRef
from auditor.reporters.cloud_names import cloud_type, resource_name, resource_type
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
)
from auditor.reporters.severities import DIALECTS
from auditor.reporters.stream import bounded, document, pruned
from auditor.reporters.text import inert
from auditor.reporters.wording import details, remediation, sentence

ECS_VERSION = "9.4.0"

_OBSERVER = {"vendor": "plaudit", "product": "plaudit", "version": __version__, "type": "auditor"}
_OUTCOMES = {
    Outcome.PASS: ("success", "passed"),
    Outcome.FAIL: ("failure", "failed"),
    Outcome.UNKNOWN: ("unknown", "unknown"),
}
_TYPES = {Activity.CREATE: ["info", "creation"], Activity.UPDATE: ["info", "change"], Activity.CLOSE: ["info"]}
_RELATED, _DETAILS = 14, 10
_DROPPABLE = ("rule.remediation", "rule.description", "plaudit.waiver", "related", "result.evidence")


def render(
    report: Report,
    *,
    previous: Mapping[str, Known] | None = None,
    mode: Mode = Mode.ALL,
    judged_rules: Collection[str] | None = None,
) -> str:
    """All documents, one per line; without `previous` every open finding is created."""
    return document(lines(report, previous=previous, mode=mode, judged_rules=judged_rules))


def lines(
    report: Report,
    *,
    previous: Mapping[str, Known] | None = None,
    mode: Mode = Mode.ALL,
    judged_rules: Collection[str] | None = None,
) -> Iterator[str]:
    """The same line by line, without line ends."""
    names = {str(account.get("account_id")): account.get("profile") for account in report.scan.accounts}
    for event in events(report, previous, mode=mode, judged_rules=judged_rules):
        yield line(event, names)


def line(event: Event, account_names: Mapping[str, str | None]) -> str:
    """One event; `account_names` are the names of the profiles by account id."""
    if isinstance(event, RunEvent):
        return bounded(_run(event), (), _mark)
    finding = event.finding
    cut = finding is not None and (len(finding.related) > _RELATED or len(details(finding)) > _DETAILS)
    return bounded(_document(event, account_names), _DROPPABLE, _mark, cut=cut)


def _mark(event: dict[str, Any], size: int) -> None:
    event["plaudit"] |= {"is_truncated": True, "untruncated_size": size}


def _envelope(event: Event, dataset: str) -> dict[str, Any]:
    return {
        "@timestamp": event.time,
        "ecs": {"version": ECS_VERSION},
        "data_stream": {"type": "logs", "dataset": dataset},
        "observer": _OBSERVER,
    }


def _document(event: FindingEvent, account_names: Mapping[str, str | None]) -> dict[str, Any]:
    finding = event.finding
    common: dict[str, Any] = {"id": event.uid, "dataset": "plaudit.finding", "module": "plaudit", "kind": "state"}
    common |= {"category": ["configuration"], "type": _TYPES[event.activity], "action": event.activity.value}
    if finding is not None:
        rule, severity, resource = _rule(finding), finding.severity, finding.resource
        outcome, evaluation = _OUTCOMES[finding.outcome]
        seen = details(finding)
        message = sentence(finding, seen)
        result = {"evaluation": evaluation, "evidence": {"details": seen[:_DETAILS]}}
        own = _own(finding)
    else:
        known, resource = last_known(event)
        rule = {"id": known.rule_id, "name": inert(known.title), "ruleset": "plaudit"}
        severity = known.severity
        outcome, result = "unknown", {"evaluation": "unknown"}
        message = f"{inert(resource.id)} is gone; {known.rule_id} ({inert(known.title)}) has nothing left to judge"
        own = {"outcome": "gone", "resource": {"id": inert(resource.id), "table": resource.type}}
    own |= {"finding": {"id": event.finding_id}, "run": {"id": event.run_id}}
    body = _envelope(event, "plaudit.finding") | {
        "message": message,
        "event": common | {"outcome": outcome, "code": str(rule["id"]), "severity": DIALECTS[severity].ecs},
        "rule": rule,
        "cloud": _cloud(resource, account_names),
        "resource": {
            "id": inert(resource_name(resource)),
            "name": inert(resource.name or resource.id),
            "type": resource_type(resource),
            "sub_type": resource.type,
            "region": inert(resource.region_id) if resource.region_id else None,
        },
        "result": result,
        "plaudit": own | {"severity": severity.value},
    }
    if finding is not None and finding.related:
        body["related"] = {"entity": [inert(resource_name(other)) for other in finding.related[:_RELATED]]}
    shown: dict[str, Any] = pruned(body)
    return shown


def _rule(finding: Finding) -> dict[str, Any]:
    pages = [inert(page.url) for page in finding.sources if page.url.startswith("https://")]
    return {
        "id": finding.rule_id,
        "name": inert(finding.title),
        "description": inert(finding.rationale) or None,
        "ruleset": "plaudit",
        "reference": pages[0] if pages else None,
        "remediation": remediation(finding) or None,
    }


def _own(finding: Finding) -> dict[str, Any]:
    waiver = finding.waiver if finding.waived else None
    return {
        "outcome": "waived" if finding.waived else finding.outcome.value,
        "basis": finding.basis.value,
        "fix_side": finding.side.value,
        "part": inert(finding.part) or None,
        "first_seen": finding.first_seen,
        "resource": {"id": inert(finding.resource.id), "table": finding.resource.type},
        "waiver": waiver
        and {
            "id": waiver.id and inert(waiver.id),
            "reason": inert(waiver.reason),
            "owner": inert(waiver.owner),
            "expires": inert(waiver.expires),
            "ticket": waiver.ticket and inert(waiver.ticket),
        },
    }


def _cloud(resource: ResourceRef, account_names: Mapping[str, str | None]) -> dict[str, Any]:
    name = account_names.get(resource.account_id or "")
    # the account is mandatory for Kibana's findings page; empty says that no audited account told it
    return {
        "provider": "alibaba_cloud",
        "region": inert(resource.region_id) if resource.region_id else None,
        "account": {"id": inert(resource.account_id or ""), "name": inert(name) if name else None},
        "service": {"name": cloud_type(resource).product},
    }


def _run(event: RunEvent) -> dict[str, Any]:
    failed = event.activity is RunActivity.ERROR
    started = event.activity is RunActivity.STARTED
    body = _envelope(event, "plaudit.run") | {
        "message": f"Run {event.run_id} {event.activity.value}",
        "event": {
            "id": event.uid,
            "kind": "event",
            "category": ["process"],
            "type": ["start"] if started else ["error", "end"] if failed else ["end"],
            "outcome": "unknown" if started else "failure" if failed else "success",
            "dataset": "plaudit.run",
            "module": "plaudit",
            "action": f"run-{event.activity.value}",
            "start": event.started_at,
            "end": event.finished_at,
        },
        "plaudit": {
            "run": {
                "id": event.run_id,
                "detections": event.detections,
                "resolutions": event.resolutions,
                "skipped": event.skipped,
                "total": event.total,
                "exit_code": event.exit_code,
            }
        },
    }
    shown: dict[str, Any] = pruned(body)
    return shown
