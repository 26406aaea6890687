"""The report for a terminal: worst first, by connection, with the fix and the account that holds it.

Frames and signs are ASCII, because the width of arrows and check marks depends on the terminal; colour never carries
a meaning that a word does not carry too.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator

from auditor.findings import Finding, Outcome, Report, ResourceRef, Severity
from auditor.reporters.connections import STATUS_LABELS, Group, Owner, given_name, noun
from auditor.reporters.summary import Summary, refused_reads, summarize
from auditor.reporters.text import clip, inert, pad, width, wrap

_STYLES = {
    "critical": "1;31",
    "high": "31",
    "medium": "33",
    "low": "36",
    "info": "34",
    "broken": "1;31",
    "attention": "33",
    "unknown": "35",
    "clean": "32",
    "waived": "2",
    "bold": "1",
    "dim": "2",
}

_LEFT = 11  # columns of the severity
_TEXT = 2 + _LEFT  # where the text of a finding begins


def render(report: Report, *, width: int, color: bool) -> str:
    """The report in lines of at most `width` columns (never less than 40); `color` adds ANSI colours."""
    lines = _Page(report, max(width, 40), color).lines()
    return "".join(line.rstrip() + "\n" for line in lines)


class _Page:
    def __init__(self, report: Report, columns: int, color: bool) -> None:
        self.report = report
        self.summary: Summary = summarize(report)
        self.columns = columns
        self.color = color

    def paint(self, value: str, style: str) -> str:
        return f"\x1b[{_STYLES[style]}m{value}\x1b[0m" if self.color and value.strip() else value

    def block(self, value: str, indent: int, first: str = "", style: str | None = None) -> Iterator[str]:
        """Wrapped lines behind `indent` columns; `first` stands in the margin of the first line."""
        for number, line in enumerate(wrap(inert(value), self.columns - indent)):
            margin = first if number == 0 and first else " " * indent
            yield margin + (self.paint(line, style) if style else line)

    def lines(self) -> Iterator[str]:
        yield from self.head()
        for group in self.summary.groups:
            yield from self.group(group)
        yield from self.gaps()
        yield from self.notices()
        yield from self.foot()

    def head(self) -> Iterator[str]:
        scan = self.report.scan
        yield from self.block(self.summary.headline, 0, style="bold")
        for account in self.summary.accounts:
            what = " and ".join(account.sides) or "no connection seen"
            profile = f", profile {account.profile}" if account.profile else "" if account.audited else ", not audited"
            yield from self.block(f"{account.account_id} ({what}{profile})", 9, "Account  ")
        regions = ", ".join(sorted(scan.regions)) or "no region"
        yield from self.block(f"{scan.started_at}, {regions}", 9, "Scanned  ")

    def group(self, group: Group) -> Iterator[str]:
        accepted = [f for f in group.findings if f.waived]
        failed = [f for f in group.findings if f.outcome is Outcome.FAIL and not f.waived]
        unknown = [f for f in group.findings if f.outcome is Outcome.UNKNOWN]
        if not group.findings and group.kind != "connection":
            return
        yield ""
        yield from self.title(group)
        for finding in failed:
            yield from self.failure(finding)
        yield from self.unknowns(unknown)
        for finding in accepted:
            yield from self.accepted(finding)
        for finding in group.findings:
            if finding.outcome in (Outcome.PASS, Outcome.NOT_APPLICABLE):
                yield from self.decided(finding)
        if group.shared and group.service:
            number = len(group.shared)
            text = f"{number} more of endpoint service {group.service.id}, which has its own entry"
            yield from self.block(text, _TEXT, "  " + pad("+", _LEFT))

    def title(self, group: Group) -> Iterator[str]:
        label = STATUS_LABELS[group.status].upper()
        if group.kind == "connection":
            ends = [_named(group.endpoint), _named(group.service) if group.service else "endpoint service not known"]
            accounts = (
                f"consumer {group.consumer_account_id or 'not known'} -> "
                f"provider {group.provider_account_id or 'not known'}, {group.region_id or 'region not known'}"
            )
            line = f"{ends[0]} -> {ends[1]}"
        elif group.kind == "service":
            line = f"Endpoint service {_named(group.service) if group.service else group.key}"
            shared = f"{group.connections} connections" if group.connections else "no connection seen"
            accounts = f"provider {group.provider_account_id or 'not known'}, {shared}"
        else:
            line = f"Account {group.key}" if group.key else "No account known"
            accounts = "what belongs to no single connection"
        first, *rest = wrap(inert(line), self.columns - len(label) - 2)
        space = " " * max(self.columns - width(first) - len(label), 1)
        yield self.paint(first, "bold") + space + self.paint(label, group.status)
        for more in rest:
            yield self.paint(more, "bold")
        yield from self.block(accounts, 0, style="dim")
        for path in group.paths:
            if path.verdict == "reachable":
                continue
            where = "/".join(str(part) for part in (path.zone_id, path.protocol, path.port) if part is not None)
            hops = [
                f"{hop.kind.replace('_', ' ')} {hop.id}: {hop.detail or hop.verdict}"
                for hop in path.hops
                if hop.verdict != "ok"
            ]
            text = f"path {where or 'unknown port'} {path.verdict}: {'; '.join(hops) or 'no hop known'}"
            yield from self.block(text, 4, "  * ", "broken" if path.verdict == "blocked" else "unknown")

    def failure(self, finding: Finding) -> Iterator[str]:
        severity = finding.severity.value
        margin = "  " + self.paint(pad(severity.upper(), _LEFT), severity)
        yield from self.block(f"{finding.rule_id}  {finding.title}{_fresh(finding)}", _TEXT, margin)
        yield from self.detail(finding)
        if finding.observed:
            yield from self.block(f"seen: {finding.observed}", _TEXT)
        fix = finding.remediation
        owners = " and ".join(_owner(owner) for owner in self.summary.owners(finding))
        yield from self.block(f"fix, {owners}: {fix.summary}", _TEXT)
        for command in fix.cli:
            yield from self.command(inert(command))

    def command(self, command: str) -> Iterator[str]:
        """A command, continued by backslashes where that leaves it the same command."""
        room = self.columns - _TEXT - 4
        splits = _plain_words(command) and all(width(word) <= room for word in command.split())
        lines = wrap(command, room)
        for number, line in enumerate(lines):
            more = " \\" if splits and number < len(lines) - 1 else ""
            yield " " * _TEXT + self.paint(("$ " if number == 0 else "  ") + line + more, "dim")

    def detail(self, finding: Finding) -> Iterator[str]:
        resource = finding.resource
        if resource.type not in ("endpoints", "accounts"):
            yield from self.block(f"{noun(resource.type)}: {_named(resource)}", _TEXT)

    def unknowns(self, findings: Iterable[Finding]) -> Iterator[str]:
        by_reason: dict[str, list[Finding]] = {}
        for finding in findings:
            by_reason.setdefault(_why(finding), []).append(finding)
        for reason, found in by_reason.items():
            for finding in found:
                margin = "  " + self.paint(pad("? " + finding.severity.value, _LEFT), "unknown")
                yield from self.block(f"{finding.rule_id}  {finding.title}{_fresh(finding)}", _TEXT, margin)
                yield from self.detail(finding)
            yield from self.block(f"not known: {reason}", _TEXT, style="unknown")

    def accepted(self, finding: Finding) -> Iterator[str]:
        waiver = finding.waiver
        if waiver is None:  # `waived` says there is one
            return
        margin = "  " + self.paint(pad("waived", _LEFT), "waived")
        yield from self.block(f"{finding.rule_id}  {finding.title} ({finding.severity.value})", _TEXT, margin)
        yield from self.detail(finding)
        name = f"{waiver.id}: " if waiver.id else ""
        yield from self.block(f"{name}{waiver.reason} ({waiver.owner}, until {waiver.expires})", _TEXT)

    def decided(self, finding: Finding) -> Iterator[str]:
        """A pass, or a rule that does not apply; listed with `--all-outcomes` only."""
        word = "pass" if finding.outcome is Outcome.PASS else "n/a"
        margin = "  " + self.paint(pad(word, _LEFT), "clean" if word == "pass" else "dim")
        yield from self.block(f"{finding.rule_id}  {finding.title}", _TEXT, margin)
        yield from self.detail(finding)
        said = finding.observed if word == "pass" else finding.reason
        if said:
            yield from self.block(said, _TEXT)

    def gaps(self) -> Iterator[str]:
        coverage = self.summary.coverage
        if coverage.complete:
            return
        yield ""
        yield self.paint("Not read completely", "bold")
        if not coverage.total:
            yield "  Nothing was read at all."
        for refused in refused_reads(coverage):
            read = refused.first
            place = " ".join(part for part in (read.account_id, read.region_id) if part)
            yield from self.block(f"{read.operation}  {place}", 2, "  ")
            if refused.targets:
                more = len(refused.targets) - 3
                named = ", ".join(refused.targets[:3]) + (f" and {more} more" if more > 0 else "")
                yield from self.block(f"of {named}", 4)
            error = ": ".join(part for part in (read.error_code, read.message) if part)
            yield from self.block(error or "not read completely", 4, style="unknown")

    def notices(self) -> Iterator[str]:
        if self.report.notices:
            yield ""
        for notice in self.report.notices:
            yield from self.block(notice, 6, "note  ")

    def foot(self) -> Iterator[str]:
        summary, counts = self.summary, self.summary.counts
        yield ""
        worst = [
            f"{summary.by_severity[severity]['fail']} {severity.value}"
            for severity in Severity
            if summary.by_severity[severity]["fail"]
        ]
        listed = f" ({', '.join(worst)})" if worst else ""
        text = (
            f"{counts['fail']} failed{listed}, {counts['unknown']} unknown, {counts['waived']} waived, "
            f"{counts['pass']} passed, {counts['not_applicable']} not applicable."
        )
        style = "broken" if counts["fail"] else "unknown" if counts["unknown"] or not counts.total else "clean"
        yield from self.block(text, 0, style=style)
        coverage = summary.coverage
        if coverage.complete:
            yield from self.block(f"Read: all of {coverage.total} reads complete.", 0)
        else:
            missing = len(coverage.incomplete)
            yield from self.block(
                f"Read: {coverage.percent} %, {missing} of {coverage.total} reads incomplete.", 0, style="unknown"
            )
        also = f" (also {', '.join(map(str, summary.exit_also))})" if summary.exit_also else ""
        reasons = f": {'; '.join(summary.exit_reasons)}" if summary.exit_reasons else ""
        yield from self.block(f"Exit {summary.exit_code}{also}, gate {self.report.fail_on}{reasons}", 0)


def _named(ref: ResourceRef | None) -> str:
    if ref is None:
        return "not known"
    name = given_name(ref)
    return f"{ref.id} ({clip(inert(name), 40)})" if name else ref.id


def _owner(owner: Owner) -> str:
    return f"{owner.side} {owner.account_id}" if owner.account_id else f"{owner.side} (account not known)"


def _fresh(finding: Finding) -> str:
    return "  (new)" if finding.is_new else ""


def _why(finding: Finding) -> str:
    """The reason of an unknown, and the calls that would have told it."""
    calls = []
    for gap in finding.gaps:
        place = " ".join(part for part in (gap.account_id, gap.region_id) if part)
        call = " ".join(part for part in (gap.operation, place, gap.error_code or gap.kind) if part)
        if call not in calls:
            calls.append(call)
    more = f" and {len(calls) - 3} more" if len(calls) > 3 else ""
    told = f" [{'; '.join(calls[:3])}{more}]" if calls else ""
    return (finding.reason or (finding.gaps[0].message if finding.gaps else "no reason was given")) + told


def _plain_words(command: str) -> bool:
    """True if a shell reads the words between the spaces as they stand, so that a line may end at each space."""
    try:
        return "\\" not in command and len(shlex.split(command)) == len(command.split())
    except ValueError:  # a quote is open
        return False
