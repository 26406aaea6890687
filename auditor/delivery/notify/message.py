"""The message: a title, a few sections of plain lines, and the same as a JSON object for programs.

Titles and headings are ours.  Lines may hold what tenants wrote; every control and invisible character in them is
written out already, and markup is what each channel makes harmless in its own way.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from auditor import __version__
from auditor.delivery.notify.changes import Changes, Item
from auditor.findings import Report, Severity
from auditor.reporters.summary import Summary, refused_reads
from auditor.reporters.text import inert
from auditor.reporters.wording import shortened

#: How many findings of a kind, and how many gaps, a message names; the others are a number.
TOP = 5
_LINE, _NAME = 300, 60

#: How urgent a message is; channels with colours show it.
CRITICAL, TROUBLE, GOOD, QUIET = "critical", "trouble", "good", "quiet"


@dataclass(frozen=True, slots=True)
class Section:
    """A heading (may be empty) and lines below it."""

    heading: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Message:
    """What one channel is told about one run; `id` is the same however often it is sent."""

    id: str
    title: str
    tone: str
    sections: tuple[Section, ...]
    document: dict[str, Any]
    link: str = ""

    @property
    def text(self) -> str:
        """Everything as plain text, for channels without markup."""
        parts = [self.title]
        for section in self.sections:
            parts.append("\n".join([*([section.heading] if section.heading else []), *section.lines]))
        return "\n\n".join([*parts, *([self.link] if self.link else [])]) + "\n"


def fitted(message: Message, size: Callable[[Message], int], limit: int) -> Message:
    """The message without as many of its last lines as it takes for `size` to stay within `limit`."""
    while size(message) > limit and message.sections:
        *rest, last = message.sections
        kept = (*rest, replace(last, lines=last.lines[:-1])) if len(last.lines) > 1 else tuple(rest)
        message = replace(message, sections=kept)
    return message


def line(text: str) -> str:
    """One line of bounded length, with nothing in it that could act on a terminal or break the line."""
    return shortened(inert(text), _LINE)


def item_line(item: Item) -> str:
    """A finding in one line: severity, rule, resource, whose fix it is, and its id."""
    name = f" ({shortened(inert(item.resource_name), _NAME)})" if item.resource_name else ""
    owners = " ".join(shortened(inert(owner), 20) for owner in item.owners[:3])
    fix = f"; fix: {item.side}{' ' + owners if owners else ''}" if item.side else ""
    title = f" {shortened(inert(item.title), 100)}" if item.title else ""
    # The parts are cut and not the line, so that the id at its end is always whole.
    resource = shortened(inert(item.resource_id), 80)
    return f"{item.severity.upper()} {inert(item.rule_id)}{title}: {resource}{name}{fix} [{item.id}]"


def run_message(
    name: str,
    report: Report,
    summary: Summary,
    changed: Changes,
    why: Sequence[str],
    *,
    severity: Severity,
    link: str = "",
    missed: Sequence[str] = (),
) -> Message:
    """The message about a run that was judged; `missed` names runs that ended badly and nobody was told of."""
    code = report.exit_code
    parts = [f"{len(changed.new)} new" if changed.new else "", f"{len(changed.fixed)} fixed" if changed.fixed else ""]
    parts += ["not everything could be judged" if "coverage" in why else ""]
    parts += ["not everything was written or delivered" if "output" in why else ""]
    said = ", ".join(part for part in parts if part) or "nothing changed"
    sections = [_run_section(report, summary)]
    for heading, items in ((f"New at or above {severity}", changed.new), ("Fixed", changed.fixed)):
        if items:
            lines = [item_line(item) for item in items[:TOP]]
            lines += [f"and {len(items) - TOP} more"] if len(items) > TOP else []
            sections.append(Section(f"{heading}: {len(items)}", tuple(lines)))
    if not summary.coverage.complete:
        sections.append(_coverage_section(summary))
    if missed:
        sections.append(Section("Nobody was told before", tuple(map(line, missed))))
    return Message(
        id=message_id(name, report.scan.id),
        title=f"plaudit: {said} (exit {code})",
        tone=_tone(changed, why),
        sections=tuple(sections),
        document=_document(name, report, summary, changed, why, severity, link, missed),
        link=link,
    )


def failure_message(
    name: str, run: str, at: str, code: int, what: str, details: Sequence[str], *, link: str = "",
    missed: Sequence[str] = (),
) -> Message:  # fmt: skip
    """The message about a run that broke off; `details` are sentences about the reason."""
    sections = [Section("", (f"Run of {at}.", *map(line, details[:TOP])))]
    if missed:
        sections.append(Section("Nobody was told before", tuple(map(line, missed))))
    document = _head(name, run, ["failed"], link, missed) | {
        "scan": {"id": run, "started_at": at},
        "exit": {"code": code, "also": []},
        "reasons": [what, *map(line, details[:TOP])],
    }
    return Message(
        message_id(name, run), f"plaudit: {what} (exit {code})", CRITICAL, tuple(sections), document, link
    )  # fmt: skip


def trial_message(name: str, at: str, link: str = "") -> Message:
    """The message with which somebody tries a channel."""
    sections = (
        Section("", (f"Sent at {at}. This channel is called {name}; messages about scans will look like this.",)),
    )
    document = _head(name, f"test-{at}", ["test"], link, ())
    return Message(message_id(name, f"test-{at}"), "plaudit: a test message", QUIET, sections, document, link)


def message_id(name: str, run: str) -> str:
    """An id of 32 hex digits that is the same for every attempt to tell a channel about a run."""
    return hashlib.sha256(f"{name}\x1f{run}".encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _run_section(report: Report, summary: Summary) -> Section:
    accounts = " and ".join(str(account.get("account_id") or "?") for account in report.scan.accounts[:4])
    more = len(report.scan.accounts) - 4
    counts = summary.counts
    failing = ", ".join(
        f"{summary.by_severity[severity]['fail']} {severity}"
        for severity in Severity
        if summary.by_severity[severity]["fail"]
    )
    lines = [
        f"Scan of {report.scan.started_at}: {accounts}{f' and {more} more' if more > 0 else ''}",
        f"Failing: {failing or 'nothing'}. Unknown: {counts['unknown']}. Waived: {counts['waived']}.",
        summary.headline,
        *(f"{reason}." for reason in report.exit_reasons[:TOP]),
    ]
    return Section("", tuple(map(line, lines)))


def _coverage_section(summary: Summary) -> Section:
    reads = summary.coverage
    refused = refused_reads(reads)
    lines = [
        f"{read.first.account_id or read.first.profile or 'an account'} {read.first.region_id or ''} "
        f"{read.first.operation}: {read.first.error_code or 'not read'}"
        for read in refused[:TOP]
    ]
    lines += [f"and {len(refused) - TOP} more"] if len(refused) > TOP else []
    return Section(
        f"Coverage: {reads.percent:g} % of {reads.total} reads were complete, {len(reads.incomplete)} were not",
        tuple(map(line, lines)),
    )


def _tone(changed: Changes, why: Sequence[str]) -> str:
    if any(item.severity == Severity.CRITICAL.value for item in changed.new):
        return CRITICAL
    if changed.new or "coverage" in why or "output" in why or "missed" in why:
        return TROUBLE
    return GOOD if changed.fixed else QUIET


def _head(name: str, run: str, why: Sequence[str], link: str, missed: Sequence[str]) -> dict[str, Any]:
    return {
        "schema_version": "1.0",
        "type": "plaudit.notification",
        "id": message_id(name, run),
        "tool": {"name": "plaudit", "version": __version__},
        "why": list(why),
        "link": link or None,
        "missed": list(missed),
    }


def _document(
    name: str,
    report: Report,
    summary: Summary,
    changed: Changes,
    why: Sequence[str],
    severity: Severity,
    link: str,
    missed: Sequence[str],
) -> dict[str, Any]:
    coverage = summary.coverage
    return _head(name, report.scan.id, why, link, missed) | {
        "scan": {
            "id": report.scan.id,
            "started_at": report.scan.started_at,
            "finished_at": report.scan.finished_at,
            "accounts": [str(account.get("account_id") or "") for account in report.scan.accounts],
        },
        "exit": {"code": report.exit_code, "also": list(report.exit_also)},
        "reasons": list(map(line, report.exit_reasons)),
        "severity": severity.value,
        "summary": dict(summary.counts.numbers),
        "failing": {each.value: summary.by_severity[each]["fail"] for each in Severity},
        "new": _items(changed.new),
        "fixed": _items(changed.fixed),
        "coverage": {
            "complete": coverage.complete,
            "percent": coverage.percent,
            "reads": coverage.total,
            "incomplete": len(coverage.incomplete),
        },
    }


def _items(items: Sequence[Item]) -> dict[str, Any]:
    by_severity = Counter(item.severity for item in items)
    return {
        "total": len(items),
        "by_severity": {severity.value: by_severity[severity.value] for severity in Severity},
        "top": [
            {
                "id": item.id,
                "rule_id": item.rule_id,
                "title": item.title,
                "severity": item.severity,
                "resource": {
                    "type": item.resource_type,
                    "id": item.resource_id,
                    "name": item.resource_name or None,
                    "account_id": item.account_id or None,
                    "region_id": item.region_id or None,
                },
                "side": item.side or None,
                "owners": list(item.owners),
            }
            for item in items[:TOP]
        ],
    }
