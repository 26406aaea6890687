"""Markdown for merge requests and job summaries: the numbers, the gaps and a table of findings, worst first.

Everything a tenant wrote is text: characters that could become markup, HTML, a link or a mention are written as
entities, which Markdown never takes for structure: https://spec.commonmark.org/0.31.2/#entity-and-numeric-character-references.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote

from auditor.findings import Finding, Outcome, Report, Severity
from auditor.reporters.summary import COUNTED, Summary, counted_as, refused_reads, summarize
from auditor.reporters.text import inert
from auditor.reporters.wording import details, joined, shortened

_MARKUP = re.compile(r"[\\`*_\[\]<>#|~&$]|:(?=//)|(?<=www)\.|@", re.IGNORECASE)
_GAPS, _CELL = 50, 300
_HEADERS = {"pass": "Pass", "fail": "Fail", "unknown": "Unknown", "not_applicable": "n/a", "waived": "Waived"}


def prose(text: str) -> str:
    """Text without markup, in one line, cut to what fits into a cell."""
    return _MARKUP.sub(_entity, shortened(inert(text), _CELL))


def _entity(match: re.Match[str]) -> str:
    char = match.group()
    # a word joiner keeps the @ from calling somebody
    return "&#64;&#8288;" if char == "@" else f"&#{ord(char)};"


def link(text: str, url: str) -> str:
    """A link, or only its text where the address is not https."""
    if not url.startswith("https://"):
        return prose(text)
    return f"[{prose(text)}](<{quote(inert(url), safe=':/?#@!$&*+,;=%-._~')}>)"


def render(report: Report, *, max_bytes: int | None = None) -> str:
    """The whole document; with `max_bytes` the last findings are left out, and their number is said."""
    summary = summarize(report)
    head = "\n".join(_head(report, summary)) + "\n"
    rows = _rows(summary)
    if max_bytes is None:
        return head + "".join(rows)
    room = max_bytes - len(head.encode()) - 100
    kept: list[str] = []
    for row in rows:
        room -= len(row.encode())
        if room < 0:
            left = len(summary.shown) - max(len(kept) - 1, 0)
            kept.append(f"\n{left} more findings are not shown here.\n")
            break
        kept.append(row)
    return head + "".join(kept)


def _table(headers: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    names = list(headers)
    yield "| " + " | ".join(names) + " |"
    yield "|" + " --- |" * len(names)
    for row in rows:
        yield "| " + " | ".join(row) + " |"


def _head(report: Report, summary: Summary) -> Iterator[str]:
    yield "# plaudit report"
    yield ""
    yield summary.headline
    yield ""
    rows = [
        [severity.value, *(str(summary.by_severity[severity][name]) for name in COUNTED)]
        for severity in Severity
        if summary.by_severity[severity].total
    ]
    rows.append(["**all**", *(f"**{summary.counts[name]}**" for name in COUNTED)])
    yield from _table(["Severity", *(_HEADERS[name] for name in COUNTED)], rows)
    yield ""
    coverage = summary.coverage
    yield f"Coverage: {coverage.percent:g} % of {coverage.total} reads. Exit code: {summary.exit_code}."
    yield f"Scan {prose(report.scan.id)}, started {prose(report.scan.started_at)}."
    for heading, texts in (("Why", summary.exit_reasons), ("Notices", report.notices)):
        if texts:
            yield ""
            yield f"{heading}:"
            yield ""
            yield from (f"* Note: {prose(text)}" if heading == "Notices" else f"* {prose(text)}" for text in texts)
    if coverage.incomplete:
        yield ""
        yield "## Not read"
        yield ""
        gaps = refused_reads(coverage)
        yield from _table(
            ("Account", "Region", "Operation", "Targets", "Error", "Message"),
            (
                (
                    prose(gap.first.account_id or ""),
                    prose(gap.first.region_id or ""),
                    prose(gap.first.operation),
                    prose(", ".join(gap.targets)),
                    prose(gap.first.error_code or ""),
                    prose(gap.first.message or ""),
                )
                for gap in gaps[:_GAPS]
            ),
        )
        if len(gaps) > _GAPS:
            yield ""
            yield f"{len(gaps) - _GAPS} more are not shown here."


def _rows(summary: Summary) -> Iterator[str]:
    if not summary.shown:
        return
    headers = ("Severity", "Outcome", "Rule", "Resource", "Account", "Region", "Seen", "Fix")
    head = "\n".join(_table(headers, ()))
    yield f"\n## Findings\n\n{head}\n"
    for finding in summary.shown:
        yield "| " + " | ".join(_cells(finding)) + " |\n"


def _cells(finding: Finding) -> Iterator[str]:
    yield finding.severity.value
    yield "unknown" if finding.outcome is Outcome.UNKNOWN else _HEADERS[counted_as(finding)].lower()
    page = next((page.url for page in finding.sources if page.url.startswith("https://")), "")
    yield link(finding.rule_id, page) + " " + prose(finding.title)
    name = f" ({prose(finding.resource.name)})" if finding.resource.name else ""
    yield prose(finding.resource.id) + name
    yield prose(finding.resource.account_id or "")
    yield prose(finding.resource.region_id or "")
    until = [f"until {finding.waiver.expires}: {finding.waiver.reason}"] if finding.waived and finding.waiver else []
    yield prose(joined([*details(finding), *until]))
    yield prose(finding.remediation.summary)
