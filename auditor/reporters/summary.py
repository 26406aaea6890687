"""The numbers every format shares, computed once: outcomes, coverage, exit codes and the connections."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from auditor.batches import opened, tally, titles
from auditor.findings import Finding, Outcome, Read, Report, Severity
from auditor.languages import ENGLISH, Language
from auditor.reporters.connections import STATUSES, Connections, Group, Owner, order

#: The names under which a finding is counted; an accepted failure counts as `waived` and not as `fail`.
COUNTED = ("pass", "fail", "unknown", "not_applicable", "waived")


@dataclass(slots=True)
class Counts:
    """How many findings have which outcome; the five numbers add up to all of them."""

    numbers: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTED, 0))

    def add(self, finding: Finding) -> None:
        self.numbers[counted_as(finding)] += 1

    def __getitem__(self, name: str) -> int:
        return self.numbers[name]

    @property
    def total(self) -> int:
        return sum(self.numbers.values())


@dataclass(frozen=True, slots=True)
class OperationCoverage:
    """How many reads of one operation were complete."""

    operation: str
    complete: int
    incomplete: int


@dataclass(frozen=True, slots=True)
class CoverageSummary:
    """What was read.  A read that fills several tables counts once and is complete only if it was for all of them."""

    complete: bool
    percent: float
    total: int
    incomplete: tuple[Read, ...]
    operations: tuple[OperationCoverage, ...]


@dataclass(frozen=True, slots=True)
class RefusedReads:
    """Incomplete reads of one operation with the same error in one account and region."""

    first: Read
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AccountSummary:
    """One account: what it is in this report, and what waits for it."""

    account_id: str
    profile: str | None
    audited: bool
    sides: tuple[str, ...]
    fixes: int
    critical: int
    incomplete: int


@dataclass(frozen=True, slots=True)
class Summary:
    """Everything a reporter says in numbers.  `shown` are the findings to list, worst first."""

    counts: Counts
    by_severity: Mapping[Severity, Counts]
    by_rule: Mapping[str, Counts]
    titles: Mapping[str, str]
    coverage: CoverageSummary
    exit_code: int
    exit_also: tuple[int, ...]
    exit_reasons: tuple[str, ...]
    shown: tuple[Finding, ...]
    groups: tuple[Group, ...]
    accounts: tuple[AccountSummary, ...]
    statuses: Mapping[str, int]
    _all: Sequence[Finding]
    _connections: Connections

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All findings of the report, worst first."""
        return tuple(sorted(self._all, key=order))

    def owners(self, finding: Finding) -> tuple[Owner, ...]:
        """The accounts that hold the fix of a finding."""
        return self._connections.owners(finding)

    @property
    def connections(self) -> int:
        """Number of connections seen."""
        return sum(self.statuses.values())

    @property
    def headline(self) -> str:
        """How the connections stand, in one English sentence."""
        return self.headline_in(ENGLISH)

    def headline_in(self, language: Language) -> str:
        """How the connections stand, in one sentence."""
        if not self.connections:
            return language.text("No connection was found to judge.")
        numbers = self.statuses
        parts = (
            language.plural("{n} is broken", "{n} are broken", numbers["broken"]),
            language.plural("{n} needs a fix", "{n} need a fix", numbers["attention"]),
            language.plural("{n} is not decided", "{n} are not decided", numbers["unknown"]),
            language.plural("{n} shows no fault", "{n} show no fault", numbers["clean"]),
        )
        told = language.listed(part for part, key in zip(parts, STATUSES, strict=True) if numbers[key])
        return language.plural(
            "Of {n} connection, {parts}.", "Of {n} connections, {parts}.", self.connections, parts=told
        )


def counted(findings: Sequence[Finding]) -> tuple[Counts, dict[Severity, Counts], dict[str, Counts]]:
    """The numbers of all findings, by severity and by rule."""
    counts, by_rule = Counts(), defaultdict[str, Counts](Counts)
    by_severity = {severity: Counts() for severity in Severity}
    for (rule_id, severity, name), number in tally(findings).items():
        for one in (counts, by_severity[severity], by_rule[rule_id]):
            one.numbers[name] += number
    return counts, by_severity, dict(by_rule)


def counted_as(finding: Finding) -> str:
    """The name of COUNTED under which a finding counts."""
    return "waived" if finding.waived else finding.outcome.value


def summarize(report: Report) -> Summary:
    """The summary of a report; every reporter takes its numbers from here."""
    counts, by_severity, by_rule = counted(report.findings)
    # What passed or does not apply is read only where it is listed.
    listed = report.findings if report.all_outcomes else opened(report.findings)
    shown = tuple(sorted(listed, key=order))
    connections = Connections(report, shown)
    states = Counter(group.status for group in connections.groups if group.kind == "connection")
    coverage = coverage_summary(report.reads)
    return Summary(
        counts=counts,
        by_severity=by_severity,
        by_rule=dict(sorted(by_rule.items())),
        titles=titles(report.findings),
        coverage=coverage,
        exit_code=report.exit_code,
        exit_also=report.exit_also,
        exit_reasons=report.exit_reasons,
        shown=shown,
        groups=connections.groups,
        accounts=_accounts(report, connections, coverage, shown),
        statuses={status: states[status] for status in STATUSES},
        _all=report.findings,
        _connections=connections,
    )


def _read_key(read: Read) -> tuple[str, str, str, str]:
    return (read.account_id or "", read.region_id or "", read.operation, read.target)


def coverage_summary(reads: Iterable[Read]) -> CoverageSummary:
    """The coverage in numbers; the exit code and every report take theirs from here."""
    merged: dict[tuple[str, str, str, str], Read] = {}
    for read in sorted(reads, key=lambda r: (*_read_key(r), r.complete, r.error_code or "", r.message or "")):
        merged.setdefault(_read_key(read), read)  # the incomplete one sorts first
    done, undone = Counter[str](), Counter[str]()
    for read in merged.values():
        (done if read.complete else undone)[read.operation] += 1
    complete, total = done.total(), len(merged)
    return CoverageSummary(
        complete=bool(total) and complete == total,
        # rounded down: 100 is said only if nothing is missing
        percent=(complete * 1000 // total) / 10 if total else 0.0,
        total=total,
        incomplete=tuple(read for read in merged.values() if not read.complete),
        operations=tuple(OperationCoverage(name, done[name], undone[name]) for name in sorted({*done, *undone})),
    )


def refused_reads(coverage: CoverageSummary) -> tuple[RefusedReads, ...]:
    """Incomplete reads put together by account, region, operation and error, in this order."""
    grouped: dict[tuple[str, ...], list[Read]] = {}
    for read in coverage.incomplete:
        key = (read.account_id or "", read.region_id or "", read.operation, read.error_code or "", read.message or "")
        grouped.setdefault(key, []).append(read)
    return tuple(
        RefusedReads(found[0], tuple(read.target for read in found if read.target))
        for _, found in sorted(grouped.items())
    )


def _accounts(
    report: Report, connections: Connections, coverage: CoverageSummary, findings: Iterable[Finding]
) -> tuple[AccountSummary, ...]:
    profiles = {account["account_id"] or "": account.get("profile") for account in report.scan.accounts}
    sides: dict[str, set[str]] = {account: set() for account in profiles}
    for group in connections.groups:
        for side, account in (("consumer", group.consumer_account_id), ("provider", group.provider_account_id)):
            if account:
                sides.setdefault(account, set()).add(side)
    fixes, critical = Counter[str](), Counter[str]()
    for finding in findings:
        if finding.outcome is Outcome.FAIL and not finding.waived:
            for owner in connections.owners(finding):
                if owner.account_id:
                    fixes[owner.account_id] += 1
                    critical[owner.account_id] += finding.severity is Severity.CRITICAL
                    sides.setdefault(owner.account_id, set())
    incomplete = Counter(read.account_id for read in coverage.incomplete)
    return tuple(
        AccountSummary(
            account_id=account,
            profile=profiles.get(account),
            audited=account in profiles,
            sides=tuple(sorted(sides[account])),
            fixes=fixes[account],
            critical=critical[account],
            incomplete=incomplete[account],
        )
        for account in sorted(sides, key=lambda name: (-critical[name], -fixes[name], name))
        if account
    )
