"""CSV after RFC 4180 for people with a spreadsheet: one header, one row per finding, no cell that is a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from auditor.findings import Finding, Report
from auditor.reporters.summary import counted_as, summarize
from auditor.reporters.text import inert

COLUMNS = (
    "id",
    "rule_id",
    "title",
    "severity",
    "basis",
    "outcome",
    "waived",
    "account_id",
    "region_id",
    "resource_type",
    "resource_id",
    "resource_name",
    "part",
    "side",
    "fix_account_ids",
    "observed",
    "reason",
    "related",
    "remediation",
    "cli",
    "sources",
    "first_seen",
    "waiver_reason",
    "waiver_owner",
    "waiver_expires",
)

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def cell(value: str | None) -> str:
    """The text of a cell; what a spreadsheet would run gets an apostrophe in front, what was not read is empty."""
    if value is None:
        return ""
    text = inert(value)
    return "'" + text if value.startswith(_FORMULA) or text.startswith(_FORMULA) else text


def render(report: Report) -> str:
    """The whole table, lines ended by CR LF."""
    return "".join(lines(report))


def lines(report: Report) -> Iterator[str]:
    """The same row by row."""
    summary = summarize(report)
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    for finding in summary.shown:
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
        accounts = " ".join(owner.account_id for owner in summary.owners(finding) if owner.account_id)
        writer.writerow([cell(value) for value in _row(finding, accounts)])
    yield buffer.getvalue()


def _row(finding: Finding, fix_account_ids: str) -> tuple[str | None, ...]:
    resource, waiver = finding.resource, finding.waiver if finding.waived else None
    return (
        finding.id,
        finding.rule_id,
        finding.title,
        finding.severity.value,
        finding.basis.value,
        finding.outcome.value,
        "true" if counted_as(finding) == "waived" else "false",
        resource.account_id,
        resource.region_id,
        resource.type,
        resource.id,
        resource.name,
        finding.part,
        finding.side.value,
        fix_account_ids,
        finding.observed,
        finding.reason,
        " ".join(f"{other.type}:{other.id}" for other in finding.related),
        finding.remediation.summary,
        " && ".join(finding.remediation.cli),
        " ".join(page.url for page in finding.sources),
        finding.first_seen,
        waiver.reason if waiver else None,
        waiver.owner if waiver else None,
        waiver.expires if waiver else None,
    )
