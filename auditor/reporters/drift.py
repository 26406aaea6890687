"""Differences as documents: for a terminal, as JSON, as Markdown for a merge request, and as one HTML page.

The keys of the JSON are a promise.  What tenants wrote is inert in all four.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from auditor import __version__
from auditor.differences import AttributeChange, Comparison, Declared, Moment, Unreadable, Value
from auditor.findings import Finding, Outcome, Report, ResourceRef, ScanInfo
from auditor.languages import ENGLISH, Language, marked
from auditor.reporters import html
from auditor.reporters.connections import given_name, noun
from auditor.reporters.json import _dump, finding_object
from auditor.reporters.summary import summarize
from auditor.reporters.text import inert, wrap
from auditor.reporters.translation import findings_in_language

SCHEMA_VERSION = "1.0"

_HEADS = (marked("what"), marked("id"), marked("where"), marked("detail"))
_STYLES = {"+": "32", "-": "31", "~": "33", "?": "35", "!": "31"}


def as_report(comparison: Comparison) -> Report:
    """The outcomes of the DRIFT rules as a report, for the formats that know findings only."""
    return Report(
        scan=comparison.new.scan or ScanInfo("", "", "", (), ()),
        findings=comparison.judged,
        reads=comparison.reads,
        all_outcomes=comparison.all_outcomes,
        exit_code=comparison.exit_code,
        exit_reasons=comparison.exit_reasons,
        notices=comparison.notices,
    )


# -------------------------------------------------------------------------------------------------------------- JSON


def render_json(comparison: Comparison) -> str:
    """The document of section "Other JSON answers" of the interface."""
    old, new = comparison.old, comparison.new
    head = {"schema_version": SCHEMA_VERSION, "old": _moment(old), "new": _moment(new)}
    members = [f'"{key}": {_dump(value)}' for key, value in head.items()]
    if comparison.terraform is not None:
        drift = comparison.terraform
        resources: dict[str, Any] = {
            "managed": len(drift.managed),
            "changed": [_declared(item) for item in drift.changed],
            "missing": [{**_reference(item.resource), "address": item.address} for item in drift.missing],
            "unmanaged": [_reference(item) for item in drift.unmanaged],
            "unreadable": [_unreadable(item) for item in drift.unreadable],
        }
        report = as_report(comparison)
        summary = summarize(report)
        findings: Any = [finding_object(finding, summary) for finding in summary.shown]
    else:
        assert comparison.resources is not None and comparison.findings is not None  # noqa: S101 - one of the two
        found, turned = comparison.resources, comparison.findings
        resources = {
            "added": [_reference(item) for item in found.added],
            "removed": [_reference(item) for item in found.removed],
            "changed": [
                {**_reference(item.resource), "attributes": [_attribute(change) for change in item.attributes]}
                for item in found.changed
            ],
            "unreadable": [_unreadable(item) for item in found.unreadable],
        }
        findings = {
            "new": [finding.id for finding in turned.new],
            "fixed": [finding.id for finding in turned.fixed],
            "now_unknown": [finding.id for finding in turned.now_unknown],
            "unchanged": turned.unchanged,
        }
    members += [_lines("resources", resources), _lines("findings", findings)]
    return "{\n" + ",\n".join(members) + "\n}\n"


def _lines(key: str, value: Any) -> str:
    """One line per element, so that two documents can be compared line by line."""
    if isinstance(value, list):
        return f'"{key}": ' + _array(value)
    members = (
        f'"{name}": ' + (_array(items) if isinstance(items, list) else _dump(items)) for name, items in value.items()
    )
    return f'"{key}": {{\n' + ",\n".join(members) + "\n}"


def _array(items: Sequence[Any]) -> str:
    return "[\n" + ",\n".join(_dump(item) for item in items) + "\n]" if items else "[]"


def _moment(moment: Moment) -> dict[str, Any]:
    scan = moment.scan
    if scan is None:
        return {"terraform": list(moment.paths)}
    return {
        "id": scan.id,
        "started_at": scan.started_at,
        "finished_at": scan.finished_at,
        "accounts": sorted(str(account["account_id"]) for account in scan.accounts if account.get("account_id")),
        "regions": sorted(scan.regions),
    }


def _reference(ref: ResourceRef) -> dict[str, Any]:
    return {
        "type": ref.type,
        "id": ref.id,
        "account_id": ref.account_id,
        "region_id": ref.region_id,
        "name": ref.name,
    }


def _attribute(change: AttributeChange) -> dict[str, Value]:
    return {"name": change.name, "old": change.old, "new": change.new}


def _declared(item: Declared) -> dict[str, Any]:
    return {
        **_reference(item.resource),
        "address": item.address,
        "attributes": [_attribute(change) for change in item.attributes],
    }


def _unreadable(item: Unreadable) -> dict[str, str | None]:
    return {
        "account_id": item.account_id or None,
        "region_id": item.region_id or None,
        "table": item.table,
        "operation": item.operation,
        "error_code": item.error_code or None,
    }


# ------------------------------------------------------------------------------------------------ rows of all others


def sections(comparison: Comparison, language: Language = ENGLISH) -> list[dict[str, Any]]:
    """What the formats for people show: sections with a title, and rows of (sign, kind, id, where, detail)."""
    found: list[dict[str, Any]] = []
    text, rows = language.text, _Rows(language)

    def section(title: str, content: Iterable[tuple[str, str, str, str, str]], *, warn: bool = False) -> None:
        lines = list(content)
        if lines:
            found.append({"title": title, "rows": lines, "warn": warn})

    drift, resources, findings = comparison.terraform, comparison.resources, comparison.findings
    if drift is not None:
        changed = (rows.row("~", item.resource, rows.changes(item.attributes, item.address)) for item in drift.changed)
        section(text("Changed"), changed)
        missing = (
            rows.row("-", item.resource, text("declared in {address}", address=item.address)) for item in drift.missing
        )
        section(text("Missing"), missing)
        section(
            text("Unmanaged"), (rows.row("+", item, text("there, and declared nowhere")) for item in drift.unmanaged)
        )
        undecided = (
            rows.row("?", item.resource, f"{language.said(item.reason or '')} ({item.address})")
            for item in drift.undecided
        )
        section(text("Not decided"), undecided)
        waived = [finding for finding in comparison.judged if finding.waived]
        section(text("Waived"), rows.findings("!", waived))
        section(text("Not read"), map(rows.gap, drift.unreadable), warn=True)
    if resources is not None:
        section(text("Added"), (rows.row("+", item) for item in resources.added))
        section(text("Removed"), (rows.row("-", item) for item in resources.removed))
        section(
            text("Changed"), (rows.row("~", item.resource, rows.changes(item.attributes)) for item in resources.changed)
        )
    if findings is not None:
        section(text("New findings"), rows.findings("!", findings.new))
        section(text("Fixed findings"), rows.findings("-", findings.fixed))
        section(text("Now unknown"), rows.findings("?", findings.now_unknown))
    if resources is not None:
        section(text("Not read"), map(rows.gap, resources.unreadable), warn=True)
    return found


def headline(comparison: Comparison, language: Language = ENGLISH) -> str:
    """The result in one sentence."""
    drift, resources, findings = comparison.terraform, comparison.resources, comparison.findings
    if drift is not None:
        if not drift.declared:
            return language.text("The states declare no resource that plaudit compares.")
        return language.text(
            "Of {total} declared objects: {managed} as declared, {changed} changed, {missing} missing, "
            "{unmanaged} unmanaged, {undecided} not decided ({share} % managed).",
            total=drift.declared,
            managed=len(drift.managed),
            changed=len(drift.changed),
            missing=len(drift.missing),
            unmanaged=len(drift.unmanaged),
            undecided=len(drift.undecided),
            share=100 * len(drift.managed) // drift.declared,
        )
    assert resources is not None and findings is not None  # noqa: S101 - one of the two
    if not resources.differs and not findings.differs:
        if not resources.compared:
            return language.text("There was nothing to compare.")
        return language.plural(
            "No difference: {n} object is the same, {unchanged} outcomes are unchanged.",
            "No difference: {n} objects are the same, {unchanged} outcomes are unchanged.",
            resources.compared,
            unchanged=findings.unchanged,
        )
    return language.text(
        "{added} added, {removed} removed, {changed} changed; findings: {new} new, {fixed} fixed, "
        "{unknown} now unknown, {unchanged} unchanged.",
        added=len(resources.added),
        removed=len(resources.removed),
        changed=len(resources.changed),
        new=len(findings.new),
        fixed=len(findings.fixed),
        unknown=len(findings.now_unknown),
        unchanged=findings.unchanged,
    )


class _Rows:
    """Rows of (sign, kind, id, where, detail) in one language."""

    def __init__(self, language: Language) -> None:
        self.language = language

    def row(self, sign: str, ref: ResourceRef, detail: str = "") -> tuple[str, str, str, str, str]:
        name = given_name(ref)
        shown = f"{ref.id} ({name})" if name else ref.id
        where = " ".join(part for part in (ref.account_id, ref.region_id) if part)
        return sign, noun(ref.type, self.language), shown, where, detail

    def findings(self, sign: str, findings: Iterable[Finding]) -> list[tuple[str, str, str, str, str]]:
        return [self.finding(sign, finding) for finding in findings_in_language(findings, self.language)]

    def finding(self, sign: str, finding: Finding) -> tuple[str, str, str, str, str]:
        what = f"{self.language.text(finding.severity.value)} {finding.rule_id}"
        detail = f"{finding.title}{': ' + finding.observed if finding.observed else ''}"
        if finding.outcome is Outcome.UNKNOWN and finding.reason:
            detail = f"{finding.title}: {finding.reason}"
        waiver = finding.waiver
        if waiver is not None and finding.waived:
            waived = self.language.text(
                "waived by {owner} until {day}: {reason}", owner=waiver.owner, day=waiver.expires, reason=waiver.reason
            )
            detail = self.language.sentences([detail, waived])
        where = " ".join(part for part in (finding.resource.account_id, finding.resource.region_id) if part)
        return sign, what, finding.resource.id, where, detail

    def gap(self, gap: Unreadable) -> tuple[str, str, str, str, str]:
        where = " ".join(part for part in (gap.account_id, gap.region_id) if part)
        return "?", gap.table, gap.operation, where, gap.error_code or self.language.text("not read")

    def changes(self, changes: Iterable[AttributeChange], address: str = "") -> str:
        text = "; ".join(f"{change.name}: {self.shown(change.old)} -> {self.shown(change.new)}" for change in changes)
        return f"{text} ({address})" if address else text

    def shown(self, value: Value) -> str:
        if isinstance(value, bool):
            return "true" if value else "false"
        return self.language.text("(nothing)") if value in (None, "") else str(value)


def _between(comparison: Comparison, language: Language) -> str:
    return language.text("{old} against {new}", old=_when(comparison.old), new=_when(comparison.new))


def _when(moment: Moment) -> str:
    names = ", ".join(moment.paths)
    return f"{names} ({moment.scan.started_at})" if moment.scan is not None else names


# -------------------------------------------------------------------------------------------------- table and others


def render_table(comparison: Comparison, *, width: int = 100, color: bool = False, lang: str = "en") -> str:
    """Text of at most `width` columns; `color` adds ANSI colours, which never carry a meaning alone."""
    columns = max(width, 40)
    language = Language(lang)

    def block(text: str, indent: int, first: str = "") -> Iterator[str]:
        for number, line in enumerate(wrap(inert(text), columns - indent)):
            yield (first if number == 0 and first else " " * indent) + line

    lines = [*block(headline(comparison, language), 0), *block(_between(comparison, language), 0)]
    for section in sections(comparison, language):
        lines += ["", section["title"]]
        for sign, kind, identity, where, detail in section["rows"]:
            mark = f"\x1b[{_STYLES[sign]}m{sign}\x1b[0m" if color else sign
            place = f" [{where}]" if where else ""
            lines += block(f"{kind} {identity}{place}", 4, f"  {mark} ")
            if detail:
                lines += block(detail, 6)
    if comparison.notices:
        lines += ["", language.text("Notices")]
        for notice in comparison.notices:
            lines += block(language.said(notice), 4, "  - ")
    return "".join(line.rstrip() + "\n" for line in lines)


_MARKUP = re.compile(r"[\\`*_\[\]()<>#|~!&{}$\"'^@]|:(?=//)|(?<=www)\.", re.IGNORECASE)


def _prose(text: str) -> str:
    """Text in one line in which nothing is markup, a link or a mention."""
    return _MARKUP.sub(lambda match: f"&#{ord(match.group())};", inert(text))


def render_markdown(comparison: Comparison, *, lang: str = "en") -> str:
    """A section for a merge request or a job summary."""
    language = Language(lang)
    heads = [language.text(word) for word in _HEADS]
    lines = ["## plaudit drift", "", _prose(headline(comparison, language)), "", _prose(_between(comparison, language))]
    for section in sections(comparison, language):
        lines += [
            "",
            f"### {section['title']}",
            "",
            f"|  | {' | '.join(heads)} |",
            "| --- | --- | --- | --- | --- |",
        ]
        for row in section["rows"]:
            lines.append("| " + " | ".join(_prose(cell) for cell in row) + " |")
    for notice in comparison.notices:
        lines += ["", f"* {_prose(language.said(notice))}"]
    return "\n".join(lines) + "\n"


def render_html(comparison: Comparison, *, lang: str = "en") -> str:
    """One page without script: nothing is loaded, nothing acts."""
    language = Language(lang)
    return html.page(
        "drift.html.j2",
        {
            "headline": headline(comparison, language),
            "between": _between(comparison, language),
            "sections": sections(comparison, language),
            "notices": tuple(map(language.said, comparison.notices)),
            "version": __version__,
        },
        language,
    )


#: The formats of `plaudit drift` by name; `table` takes width and color.
RENDERERS: Mapping[str, Callable[..., str]] = {
    "table": render_table,
    "json": render_json,
    "markdown": render_markdown,
    "html": render_html,
}
