"""Markdown for merge requests and job summaries: the numbers, the gaps and a table of findings, worst first.

Everything a tenant wrote is text: characters that could become markup, HTML, a link or a mention are written as
entities, which Markdown never takes for structure: https://spec.commonmark.org/0.31.2/#entity-and-numeric-character-references.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote

from auditor.findings import Finding, Outcome, Report, Severity
from auditor.languages import Language, marked
from auditor.reporters.summary import COUNTED, Summary, counted_as, refused_reads, summarize
from auditor.reporters.text import inert
from auditor.reporters.translation import in_language
from auditor.reporters.wording import details, joined, shortened

_MARKUP = re.compile(r"[\\`*_\[\]<>#|~&$]|:(?=//)|(?<=www)\.|@", re.IGNORECASE)
_GAPS, _CELL = 50, 300
_HEADERS = {
    "pass": marked("Pass"),
    "fail": marked("Fail"),
    "unknown": marked("Unknown"),
    "not_applicable": "n/a",
    "waived": marked("Waived"),
}


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


def render(report: Report, *, max_bytes: int | None = None, lang: str = "en") -> str:
    """The whole document; with `max_bytes` the last findings are left out, and their number is said."""
    language = Language(lang)
    report = in_language(report, language)
    summary = summarize(report)
    head = "\n".join(_head(report, summary, language)) + "\n"
    rows = _rows(summary, language)
    if max_bytes is None:
        return head + "".join(rows)
    room = max_bytes - len(head.encode()) - 100
    kept: list[str] = []
    for row in rows:
        room -= len(row.encode())
        if room < 0:
            left = len(summary.shown) - max(len(kept) - 1, 0)
            kept.append("\n" + language.text("{n} more findings are not shown here.", n=left) + "\n")
            break
        kept.append(row)
    return head + "".join(kept)


def _table(headers: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    names = list(headers)
    yield "| " + " | ".join(names) + " |"
    yield "|" + " --- |" * len(names)
    for row in rows:
        yield "| " + " | ".join(row) + " |"


def _head(report: Report, summary: Summary, language: Language) -> Iterator[str]:
    text = language.text
    yield "# " + text("plaudit report")
    yield ""
    yield summary.headline_in(language)
    yield ""
    rows = [
        [text(severity.value), *(str(summary.by_severity[severity][name]) for name in COUNTED)]
        for severity in Severity
        if summary.by_severity[severity].total
    ]
    rows.append([f"**{text('all')}**", *(f"**{summary.counts[name]}**" for name in COUNTED)])
    yield from _table([text("Severity"), *(text(_HEADERS[name]) for name in COUNTED)], rows)
    yield ""
    coverage = summary.coverage
    yield text(
        "Coverage: {percent} % of {total} reads. Exit code: {code}.",
        percent=f"{coverage.percent:g}",
        total=coverage.total,
        code=summary.exit_code,
    )
    yield text("Scan {id}, started {time}.", id=prose(report.scan.id), time=prose(report.scan.started_at))
    if summary.exit_reasons:
        yield from ("", text("Why:"), "", *(f"* {prose(reason)}" for reason in summary.exit_reasons))
    if report.notices:
        yield from ("", text("Notices:"), "")
        yield from (f"* {text('Note: {notice}', notice=prose(notice))}" for notice in report.notices)
    if coverage.incomplete:
        yield ""
        yield "## " + text("Not read")
        yield ""
        gaps = refused_reads(coverage)
        heads = (text("Account"), text("Region"), text("Operation"), text("Targets"), text("Error"), text("Message"))
        yield from _table(
            heads,
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
            yield text("{n} more are not shown here.", n=len(gaps) - _GAPS)


def _rows(summary: Summary, language: Language) -> Iterator[str]:
    if not summary.shown:
        return
    text = language.text
    headers = (
        *(text("Severity"), text("Outcome"), text("Rule"), text("Resource")),
        *(text("Account"), text("Region"), text("Seen"), text("Fix")),
    )
    head = "\n".join(_table(headers, ()))
    yield f"\n## {text('Findings')}\n\n{head}\n"
    for finding in summary.shown:
        yield "| " + " | ".join(_cells(finding, language)) + " |\n"


def _cells(finding: Finding, language: Language) -> Iterator[str]:
    yield language.text(finding.severity.value)
    yield language.text("unknown" if finding.outcome is Outcome.UNKNOWN else _HEADERS[counted_as(finding)].lower())
    page = next((page.url for page in finding.sources if page.url.startswith("https://")), "")
    yield link(finding.rule_id, page) + " " + prose(finding.title)
    name = f" ({prose(finding.resource.name)})" if finding.resource.name else ""
    yield prose(finding.resource.id) + name
    yield prose(finding.resource.account_id or "")
    yield prose(finding.resource.region_id or "")
    seen = details(finding)
    if finding.waived and finding.waiver:
        seen.append(language.text("until {day}: {reason}", day=finding.waiver.expires, reason=finding.waiver.reason))
    yield prose(joined(seen))
    yield prose(finding.remediation.summary)
