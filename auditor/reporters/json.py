"""The JSON report: the keys and their order are a promise (docs/report.schema.json describes them).

One line per finding, path and read, so that it can be read as a stream and compared line by line.  The text is ASCII:
everything else is escaped, and so nothing in it acts on a terminal.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from auditor import __version__
from auditor.findings import Finding, Gap, PathVerdict, Probed, Read, Report, ResourceRef, Severity, Waiver
from auditor.reporters.summary import COUNTED, Counts, OperationCoverage, Summary, summarize

SCHEMA_VERSION = "1.0"

_NOT_ASCII = re.compile("[^\x00-\x7e]")
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(", ", ": ")).encode


def render(report: Report) -> str:
    """The whole document."""
    return "".join(lines(report))


def lines(report: Report) -> Iterator[str]:
    """The document piece by piece, for writers that do not want all of it in memory."""
    summary = summarize(report)
    coverage = summary.coverage
    yield "{\n"
    yield _member("schema_version", SCHEMA_VERSION)
    yield _member("tool", {"name": "plaudit", "version": __version__})
    yield _member("scan", _scan(report))
    yield _member("summary", _summary(summary))
    yield '"coverage": {\n'
    yield _member("complete", coverage.complete)
    yield _member("percent", coverage.percent)
    yield from _array("operations", map(_operation, coverage.operations))
    yield ",\n"
    yield from _array("reads", map(_read, coverage.incomplete))
    yield "\n},\n"
    yield from _array("paths", map(path_object, sorted(report.paths, key=_path_key)))
    yield ",\n"
    yield from _array("findings", (finding_object(finding, summary) for finding in summary.shown))
    endpoints = report.extra.get("endpoints")
    if isinstance(endpoints, (list, tuple)):
        # What a probe needs to know: names, addresses and ports.
        yield ",\n"
        yield from _array("endpoints", endpoints)
    yield "\n}\n"


def finding_object(finding: Finding, summary: Summary) -> dict[str, Any]:
    """One element of `findings`, as in the interface, and behind `waiver` what was added to it since."""
    resource, fix = finding.resource, finding.remediation
    return {
        "id": finding.id,
        "rule_id": finding.rule_id,
        "title": finding.title,
        "severity": finding.severity.value,
        "basis": finding.basis.value,
        "outcome": finding.outcome.value,
        "resource": {
            "type": resource.type,
            "id": resource.id,
            "name": resource.name,
            "account_id": resource.account_id,
            "region_id": resource.region_id,
        },
        "related": [_related(ref) for ref in finding.related],
        "side": finding.side.value,
        "observed": finding.observed,
        "reason": finding.reason,
        "remediation": {
            "summary": fix.summary,
            "cli": list(fix.cli),
            "terraform": fix.terraform,
            "console": fix.console,
        },
        "sources": [{"title": source.title, "url": source.url} for source in finding.sources],
        "first_seen": finding.first_seen,
        "waiver": _waiver(finding.waiver),
        "part": finding.part,
        "is_new": finding.is_new,
        "fix_account_ids": [owner.account_id for owner in summary.owners(finding) if owner.account_id],
        "gaps": [_gap(gap) for gap in finding.gaps],
        "evidence": list(finding.evidence),
    }


def path_object(path: PathVerdict) -> dict[str, Any]:
    """One element of `paths`; `plaudit paths` prints an array of them.  `probes` only where somebody tried the path."""
    made: dict[str, Any] = {
        "endpoint_id": path.endpoint_id,
        "service_id": path.service_id,
        "region_id": path.region_id,
        "consumer_account_id": path.consumer_account_id,
        "provider_account_id": path.provider_account_id,
        "protocol": path.protocol,
        "port": path.port,
        "verdict": path.verdict,
        "hops": [
            {
                "kind": hop.kind,
                "id": hop.id,
                "account_id": hop.account_id,
                "verdict": hop.verdict,
                "rule_ids": list(hop.rule_ids),
                "detail": hop.detail,
            }
            for hop in path.hops
        ],
        "zone_id": path.zone_id,
    }
    if path.probes:
        made["probes"] = [_probed(probe) for probe in path.probes]
    return made


def _probed(probe: Probed) -> dict[str, Any]:
    return {
        "vantage": probe.vantage,
        "source_address": probe.source_address,
        "address": probe.address,
        "outcome": probe.outcome,
        "tries": probe.tries,
        "connected": probe.connected,
        "seconds": probe.seconds,
        "at": probe.at,
    }


def paths_array(paths: Iterable[PathVerdict]) -> str:
    """The array of `plaudit paths --format json`, in the order of the report."""
    rows = [_dump(path_object(path)) for path in sorted(paths, key=_path_key)]
    return "[\n" + ",\n".join(rows) + "\n]\n" if rows else "[]\n"


def _path_key(path: PathVerdict) -> tuple[object, ...]:
    return (
        path.region_id,
        path.endpoint_id,
        path.service_id or "",
        path.zone_id or "",
        path.protocol or "",
        path.port if path.port is not None else -1,
    )


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code < 0x10000:
        # half a character becomes text: as an escape it makes the document unreadable for strict parsers
        return f"\\\\u{code:04x}" if 0xD800 <= code <= 0xDFFF else f"\\u{code:04x}"
    high, low = divmod(code - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"


def _dump(value: object) -> str:
    return _NOT_ASCII.sub(_escape, _encode(value))


def _member(key: str, value: object) -> str:
    return f'"{key}": {_dump(value)},\n'


def _array(key: str, rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    yield f'"{key}": ['
    between = "\n"
    for row in rows:
        yield between + _dump(row)
        between = ",\n"
    yield "]" if between == "\n" else "\n]"


def _scan(report: Report) -> dict[str, Any]:
    scan = report.scan
    accounts = [{"account_id": a["account_id"], "profile": a.get("profile")} for a in scan.accounts]
    return {
        "id": scan.id,
        "started_at": scan.started_at,
        "finished_at": scan.finished_at,
        "accounts": sorted(accounts, key=lambda a: (a["account_id"] or "", a["profile"] or "")),
        "regions": sorted(scan.regions),
    }


def _counts(counts: Counts) -> dict[str, int]:
    return {name: counts[name] for name in COUNTED}


def _summary(summary: Summary) -> dict[str, Any]:
    return {
        **_counts(summary.counts),
        "by_severity": {severity.value: _counts(summary.by_severity[severity]) for severity in Severity},
        "by_rule": [{"rule_id": rule_id, **_counts(counts)} for rule_id, counts in summary.by_rule.items()],
        "exit": {"code": summary.exit_code, "also": list(summary.exit_also)},
    }


def _operation(operation: OperationCoverage) -> dict[str, Any]:
    return {"operation": operation.operation, "complete": operation.complete, "incomplete": operation.incomplete}


def _read(read: Read) -> dict[str, Any]:
    return {
        "account_id": read.account_id,
        "region_id": read.region_id,
        "operation": read.operation,
        "target": read.target,
        "complete": read.complete,
        "error_code": read.error_code,
        "message": read.message,
        "request_id": read.request_id,
    }


def _related(ref: ResourceRef) -> dict[str, Any]:
    return {"type": ref.type, "id": ref.id, "account_id": ref.account_id, "region_id": ref.region_id}


def _gap(gap: Gap) -> dict[str, Any]:
    return {
        "kind": gap.kind,
        "account_id": gap.account_id,
        "region_id": gap.region_id,
        "operation": gap.operation,
        "table": gap.table,
        "target": gap.target,
        "error_code": gap.error_code,
        "message": gap.message,
        "request_id": gap.request_id,
    }


def _waiver(waiver: Waiver | None) -> dict[str, Any] | None:
    if waiver is None:
        return None
    return {
        "id": waiver.id,
        "reason": waiver.reason,
        "owner": waiver.owner,
        "expires": waiver.expires,
        "ticket": waiver.ticket,
    }
