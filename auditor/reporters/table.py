"""The report for a terminal: worst first, by connection, with the fix and the account that holds it.

Frames and signs are ASCII, because the width of arrows and check marks depends on the terminal; colour never carries
a meaning that a word does not carry too.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator

from auditor.findings import Finding, Outcome, Report, ResourceRef, Severity
from auditor.languages import Language
from auditor.reporters.connections import STATUS_LABELS, Group, Owner, given_name, noun
from auditor.reporters.summary import Summary, refused_reads, summarize
from auditor.reporters.text import clip, inert, pad, width, wrap
from auditor.reporters.translation import in_language
from auditor.reporters.vocabulary import conjoined, hop_kind, side_and_account

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

#: An address that can stand in an escape sequence; anything else is shown nowhere but in the documents.
_URL = re.compile(r"https://[!-~]+", re.ASCII)

_LEFT = 11  # columns of the severity
_TEXT = 2 + _LEFT  # where the text of a finding begins


def render(report: Report, *, width: int, color: bool, links: bool = False, lang: str = "en") -> str:
    """The report in lines of at most `width` columns (never less than 40); `color` adds ANSI colours.

    `links` makes rule ids OSC 8 links to what the rule rests on.
    """
    lines = _Page(report, max(width, 40), color, links, Language(lang)).lines()
    return "".join(line.rstrip() + "\n" for line in lines)


class _Page:
    def __init__(self, report: Report, columns: int, color: bool, links: bool, language: Language) -> None:
        self.language = language
        self.report = in_language(report, language)
        self.summary: Summary = summarize(self.report)
        self.columns = columns
        self.color = color
        self.links = links

    def paint(self, value: str, style: str) -> str:
        return f"\x1b[{_STYLES[style]}m{value}\x1b[0m" if self.color and value.strip() else value

    def block(self, value: str, indent: int, first: str = "", style: str | None = None) -> Iterator[str]:
        """Wrapped lines behind `indent` columns; `first` stands in the margin of the first line."""
        for number, line in enumerate(wrap(inert(value), self.columns - indent)):
            margin = first if number == 0 and first else " " * indent
            yield margin + (self.paint(line, style) if style else line)

    def rule(self, finding: Finding, rest: str, margin: str) -> Iterator[str]:
        """Rule id and `rest` behind a margin; the id is a link to the first source of the rule."""
        url = next((source.url for source in finding.sources if _URL.fullmatch(source.url)), None)
        for number, line in enumerate(self.block(f"{finding.rule_id}  {rest}", _TEXT, margin)):
            if self.links and url and number == 0:
                head, text = line[: len(margin)], line[len(margin) :]
                line = head + text.replace(finding.rule_id, _link(url, finding.rule_id), 1)
            yield line

    def lines(self) -> Iterator[str]:
        yield from self.head()
        for group in self.summary.groups:
            yield from self.group(group)
        yield from self.gaps()
        yield from self.notices()
        yield from self.foot()

    def head(self) -> Iterator[str]:
        language, scan = self.language, self.report.scan
        yield from self.block(self.summary.headline_in(language), 0, style="bold")
        margins = [language.text("Account"), language.text("Scanned")]
        left = max(map(width, margins)) + 2
        for account in self.summary.accounts:
            sides = conjoined([language.text(side) for side in account.sides], language)
            parts = [sides or language.text("no connection seen")]
            if account.profile:
                parts.append(language.text("profile {name}", name=account.profile))
            elif not account.audited:
                parts.append(language.text("not audited"))
            yield from self.block(f"{account.account_id} ({language.listed(parts)})", left, pad(margins[0], left))
        regions = ", ".join(sorted(scan.regions)) or language.text("no region")
        yield from self.block(f"{scan.started_at}, {regions}", left, pad(margins[1], left))

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
            text = self.language.text(
                "{n} more of endpoint service {service}, which has its own entry",
                n=len(group.shared),
                service=group.service.id,
            )
            yield from self.block(text, _TEXT, "  " + pad("+", _LEFT))

    def title(self, group: Group) -> Iterator[str]:
        language = self.language
        label = language.text(STATUS_LABELS[group.status]).upper()
        unknown = language.text("not known")
        if group.kind == "connection":
            ends = [
                self.named(group.endpoint),
                self.named(group.service) if group.service else language.text("endpoint service not known"),
            ]
            accounts = language.text(
                "consumer {consumer} -> provider {provider}, {region}",
                consumer=group.consumer_account_id or unknown,
                provider=group.provider_account_id or unknown,
                region=group.region_id or language.text("region not known"),
            )
            line = f"{ends[0]} -> {ends[1]}"
        elif group.kind == "service":
            named = self.named(group.service) if group.service else group.key
            line = language.text("Endpoint service {service}", service=named)
            shared = (
                language.plural("{n} connection", "{n} connections", group.connections)
                if group.connections
                else language.text("no connection seen")
            )
            accounts = language.text(
                "provider {provider}, {connections}", provider=group.provider_account_id or unknown, connections=shared
            )
        else:
            line = (
                language.text("Account {account}", account=group.key)
                if group.key
                else language.text("No account known")
            )
            accounts = language.text("what belongs to no single connection")
        first, *rest = wrap(inert(line), self.columns - width(label) - 2)
        space = " " * max(self.columns - width(first) - width(label), 1)
        yield self.paint(first, "bold") + space + self.paint(label, group.status)
        for more in rest:
            yield self.paint(more, "bold")
        yield from self.block(accounts, 0, style="dim")
        for path in group.paths:
            if path.verdict == "reachable":
                continue
            where = "/".join(str(part) for part in (path.zone_id, path.protocol, path.port) if part is not None)
            hops = [
                f"{hop_kind(hop.kind, language)} {hop.id}: {hop.detail or language.text(hop.verdict)}"
                for hop in path.hops
                if hop.verdict != "ok"
            ]
            text = language.text(
                "path {port} {verdict}: {hops}",
                port=where or language.text("unknown port"),
                verdict=language.text(path.verdict),
                hops=language.sentences(hops) or language.text("no hop known"),
            )
            yield from self.block(text, 4, "  * ", "broken" if path.verdict == "blocked" else "unknown")

    def failure(self, finding: Finding) -> Iterator[str]:
        severity = finding.severity.value
        language = self.language
        margin = "  " + self.paint(pad(language.text(severity).upper(), _LEFT), severity)
        yield from self.rule(finding, finding.title + self.fresh(finding), margin)
        yield from self.detail(finding)
        if finding.observed:
            yield from self.block(language.text("seen: {observed}", observed=finding.observed), _TEXT)
        fix = finding.remediation
        owners = conjoined([self.owner(owner) for owner in self.summary.owners(finding)], language)
        yield from self.block(language.text("fix, {owners}: {summary}", owners=owners, summary=fix.summary), _TEXT)
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
            yield from self.block(f"{noun(resource.type, self.language)}: {self.named(resource)}", _TEXT)

    def unknowns(self, findings: Iterable[Finding]) -> Iterator[str]:
        by_reason: dict[str, list[Finding]] = {}
        for finding in findings:
            by_reason.setdefault(self.why(finding), []).append(finding)
        for reason, found in by_reason.items():
            for finding in found:
                margin = "  " + self.paint(pad("? " + self.language.text(finding.severity.value), _LEFT), "unknown")
                yield from self.rule(finding, finding.title + self.fresh(finding), margin)
                yield from self.detail(finding)
            yield from self.block(self.language.text("not known: {reason}", reason=reason), _TEXT, style="unknown")

    def accepted(self, finding: Finding) -> Iterator[str]:
        waiver = finding.waiver
        if waiver is None:  # `waived` says there is one
            return
        language = self.language
        margin = "  " + self.paint(pad(language.text("waived"), _LEFT), "waived")
        severity = language.text(finding.severity.value)
        yield from self.rule(finding, f"{finding.title} ({severity})", margin)
        yield from self.detail(finding)
        name = f"{waiver.id}: " if waiver.id else ""
        until = language.text(
            "{reason} ({owner}, until {day})", reason=waiver.reason, owner=waiver.owner, day=waiver.expires
        )
        yield from self.block(name + until, _TEXT)

    def decided(self, finding: Finding) -> Iterator[str]:
        """A pass, or a rule that does not apply; listed with `--all-outcomes` only."""
        passed = finding.outcome is Outcome.PASS
        word = self.language.text("pass" if passed else "n/a")
        margin = "  " + self.paint(pad(word, _LEFT), "clean" if passed else "dim")
        yield from self.rule(finding, finding.title, margin)
        yield from self.detail(finding)
        said = finding.observed if passed else finding.reason
        if said:
            yield from self.block(said, _TEXT)

    def gaps(self) -> Iterator[str]:
        coverage = self.summary.coverage
        if coverage.complete:
            return
        yield ""
        language = self.language
        yield self.paint(language.text("Not read completely"), "bold")
        if not coverage.total:
            yield "  " + language.text("Nothing was read at all.")
        for refused in refused_reads(coverage):
            read = refused.first
            place = " ".join(part for part in (read.account_id, read.region_id) if part)
            yield from self.block(f"{read.operation}  {place}", 2, "  ")
            if refused.targets:
                named = self.first(", ".join(refused.targets[:3]), len(refused.targets) - 3)
                yield from self.block(language.text("of {targets}", targets=named), 4)
            error = ": ".join(part for part in (read.error_code, read.message) if part)
            yield from self.block(error or language.text("not read completely"), 4, style="unknown")

    def notices(self) -> Iterator[str]:
        if self.report.notices:
            yield ""
        margin = self.language.text("note") + "  "
        for notice in self.report.notices:
            yield from self.block(notice, width(margin), margin)

    def foot(self) -> Iterator[str]:
        language, summary, counts = self.language, self.summary, self.summary.counts
        yield ""
        worst = [
            f"{summary.by_severity[severity]['fail']} {language.text(severity.value)}"
            for severity in Severity
            if summary.by_severity[severity]["fail"]
        ]
        listed = f" ({language.listed(worst)})" if worst else ""
        text = language.text(
            "{fail} failed{listed}, {unknown} unknown, {waived} waived, {passed} passed, {other} not applicable.",
            fail=counts["fail"],
            listed=listed,
            unknown=counts["unknown"],
            waived=counts["waived"],
            passed=counts["pass"],
            other=counts["not_applicable"],
        )
        style = "broken" if counts["fail"] else "unknown" if counts["unknown"] or not counts.total else "clean"
        yield from self.block(text, 0, style=style)
        coverage = summary.coverage
        if coverage.complete:
            yield from self.block(language.text("Read: all of {n} reads complete.", n=coverage.total), 0)
        else:
            text = language.text(
                "Read: {percent} %, {n} of {total} reads incomplete.",
                percent=coverage.percent,
                n=len(coverage.incomplete),
                total=coverage.total,
            )
            yield from self.block(text, 0, style="unknown")
        also = ", ".join(map(str, summary.exit_also))
        reasons = language.sentences(summary.exit_reasons)
        text = language.text(
            "Exit {code}{also}, gate {severity}",
            code=summary.exit_code,
            also=language.text(" (also {codes})", codes=also) if also else "",
            severity=language.text(self.report.fail_on),
        )
        yield from self.block(f"{text}: {reasons}" if reasons else text, 0)

    # ------------------------------------------------------------------------------------------------------- words

    def named(self, ref: ResourceRef | None) -> str:
        if ref is None:
            return self.language.text("not known")
        name = given_name(ref)
        return f"{ref.id} ({clip(inert(name), 40)})" if name else ref.id

    def owner(self, owner: Owner) -> str:
        return side_and_account(owner.side, owner.account_id, self.language)

    def fresh(self, finding: Finding) -> str:
        return "  " + self.language.text("(new)") if finding.is_new else ""

    def first(self, items: str, left: int) -> str:
        """The items, and how many are left."""
        return self.language.text("{items} and {n} more", items=items, n=left) if left > 0 else items

    def why(self, finding: Finding) -> str:
        """The reason of an unknown, and the calls that would have told it."""
        calls = []
        for gap in finding.gaps:
            place = " ".join(part for part in (gap.account_id, gap.region_id) if part)
            call = " ".join(part for part in (gap.operation, place, gap.error_code or gap.kind) if part)
            if call not in calls:
                calls.append(call)
        told = f" [{self.first('; '.join(calls[:3]), len(calls) - 3)}]" if calls else ""
        unsaid = finding.gaps[0].message if finding.gaps else self.language.text("no reason was given")
        return (finding.reason or unsaid) + told


def _link(url: str, text: str) -> str:
    return f"\x1b]8;;{url}\x1b\\{text}\x1b]8;;\x1b\\"


def _plain_words(command: str) -> bool:
    """True if a shell reads the words between the spaces as they stand, so that a line may end at each space."""
    try:
        return "\\" not in command and len(shlex.split(command)) == len(command.split())
    except ValueError:  # a quote is open
        return False
