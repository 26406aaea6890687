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
from auditor.languages import ENGLISH, Language
from auditor.reporters.summary import Summary, refused_reads
from auditor.reporters.text import inert
from auditor.reporters.vocabulary import conjoined
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


def item_line(item: Item, language: Language = ENGLISH) -> str:
    """A finding in one line: severity, rule, resource, whose fix it is, and its id."""
    name = f" ({shortened(inert(item.resource_name), _NAME)})" if item.resource_name else ""
    owners = [shortened(inert(owner), 20) for owner in item.owners[:3]]
    side = " ".join([language.text(item.side), *owners])
    fix = language.text("; fix: {owner}", owner=side) if item.side else ""
    title = f" {shortened(inert(language.text(item.title)), 100)}" if item.title else ""
    # The parts are cut and not the line, so that the id at its end is always whole.
    resource = shortened(inert(item.resource_id), 80)
    return f"{language.text(item.severity).upper()} {inert(item.rule_id)}{title}: {resource}{name}{fix} [{item.id}]"


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
    language: Language = ENGLISH,
) -> Message:
    """The message about a run that was judged; `missed` names runs that ended badly and nobody was told of.

    Its document stays English: programs read it.
    """
    code, text = report.exit_code, language.text
    new, fixed = len(changed.new), len(changed.fixed)
    parts = [text("{n} new", n=new) if new else "", text("{n} fixed", n=fixed) if fixed else ""]
    parts += [text("not everything could be judged") if "coverage" in why else ""]
    parts += [text("not everything was written or delivered") if "output" in why else ""]
    said = language.listed(part for part in parts if part) or text("nothing changed")
    sections = [_run_section(report, summary, language)]
    headings = (
        text("New at or above {severity}: {n}", severity=text(severity.value), n=new),
        text("Fixed: {n}", n=fixed),
    )
    for heading, items in zip(headings, (changed.new, changed.fixed), strict=True):
        if items:
            lines = [item_line(item, language) for item in items[:TOP]]
            sections.append(Section(heading, (*lines, *_more(len(items), language))))
    if not summary.coverage.complete:
        sections.append(_coverage_section(summary, language))
    sections += _missed(missed, language)
    return Message(
        id=message_id(name, report.scan.id),
        title=_title(said, code, language),
        tone=_tone(changed, why),
        sections=tuple(sections),
        document=_document(name, report, summary, changed, why, severity, link, missed),
        link=link,
    )


def failure_message(
    name: str, run: str, at: str, code: int, what: str, details: Sequence[str], *, link: str = "",
    missed: Sequence[str] = (), language: Language = ENGLISH,
) -> Message:  # fmt: skip
    """The message about a run that broke off; `details` are sentences about the reason."""
    told = (line(language.said(detail)) for detail in details[:TOP])
    sections = [Section("", (language.text("Run of {time}.", time=at), *told)), *_missed(missed, language)]
    document = _head(name, run, ["failed"], link, missed) | {
        "scan": {"id": run, "started_at": at},
        "exit": {"code": code, "also": []},
        "reasons": [what, *map(line, details[:TOP])],
    }
    return Message(
        message_id(name, run), _title(language.said(what), code, language), CRITICAL, tuple(sections), document, link
    )  # fmt: skip


def trial_message(name: str, at: str, link: str = "", language: Language = ENGLISH) -> Message:
    """The message with which somebody tries a channel."""
    told = language.text(
        "Sent at {time}. This channel is called {name}; messages about scans will look like this.", time=at, name=name
    )
    sections = (Section("", (told,)),)
    document = _head(name, f"test-{at}", ["test"], link, ())
    title = f"plaudit: {language.text('a test message')}"
    return Message(message_id(name, f"test-{at}"), title, QUIET, sections, document, link)


def message_id(name: str, run: str) -> str:
    """An id of 32 hex digits that is the same for every attempt to tell a channel about a run."""
    return hashlib.sha256(f"{name}\x1f{run}".encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _title(said: str, code: int, language: Language) -> str:
    return f"plaudit: {language.text('{what} (exit {code})', what=said, code=code)}"


def _missed(missed: Sequence[str], language: Language) -> list[Section]:
    lines = tuple(line(language.said(one)) for one in missed)
    return [Section(language.text("Nobody was told before"), lines)] if missed else []


def _more(number: int, language: Language) -> tuple[str, ...]:
    return (language.text("and {n} more", n=number - TOP),) if number > TOP else ()


def _run_section(report: Report, summary: Summary, language: Language) -> Section:
    text = language.text
    accounts = conjoined([str(account.get("account_id") or "?") for account in report.scan.accounts[:4]], language)
    more = len(report.scan.accounts) - 4
    counts = summary.counts
    failing = language.listed(
        f"{summary.by_severity[severity]['fail']} {text(severity.value)}"
        for severity in Severity
        if summary.by_severity[severity]["fail"]
    )
    lines = [
        text(
            "Scan of {time}: {accounts}",
            time=report.scan.started_at,
            accounts=text("{items} and {n} more", items=accounts, n=more) if more > 0 else accounts,
        ),
        text(
            "Failing: {failing}. Unknown: {unknown}. Waived: {waived}.",
            failing=failing or text("nothing"),
            unknown=counts["unknown"],
            waived=counts["waived"],
        ),
        summary.headline_in(language),
        *(language.said(f"{reason}.") for reason in report.exit_reasons[:TOP]),
    ]
    return Section("", tuple(map(line, lines)))


def _coverage_section(summary: Summary, language: Language) -> Section:
    reads = summary.coverage
    refused = refused_reads(reads)
    lines = [
        f"{read.first.account_id or read.first.profile or language.text('an account')} {read.first.region_id or ''} "
        f"{read.first.operation}: {read.first.error_code or language.text('not read')}"
        for read in refused[:TOP]
    ]
    heading = language.text(
        "Coverage: {percent} % of {total} reads were complete, {n} were not",
        percent=f"{reads.percent:g}",
        total=reads.total,
        n=len(reads.incomplete),
    )
    return Section(heading, (*map(line, lines), *_more(len(refused), language)))


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
