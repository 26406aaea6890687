"""What changed since the last run, as the ledger knows it: failures that are new, and failures that are gone."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from auditor.findings import Finding, Outcome, Report, Severity
from auditor.history import Entry, Ledger
from auditor.reporters.summary import Summary


@dataclass(frozen=True, slots=True)
class Item:
    """One finding as a message names it; texts are as the cloud gave them.

    `owners` are accounts that hold the fix, as far as an audited account told them.
    """

    id: str
    rule_id: str
    title: str
    severity: str
    resource_type: str
    resource_id: str
    resource_name: str
    account_id: str
    region_id: str
    side: str
    owners: tuple[str, ...]

    @property
    def rank(self) -> tuple[int, str, str]:
        """Worst first, then by rule and resource."""
        return (_rank(self.severity), self.rule_id, self.resource_id)


@dataclass(frozen=True, slots=True)
class Changes:
    """Failures at or above a severity that were not failing before, and those that fail no longer, worst first."""

    new: tuple[Item, ...] = ()
    fixed: tuple[Item, ...] = ()


def changes(
    report: Report,
    summary: Summary,
    ledger: Ledger | None,
    rule_ids: Sequence[str],
    severity: Severity,
    *,
    new_too: Collection[str] = (),
    fixed_too: Iterable[Item] = (),
) -> Changes:
    """Compares a run that is not recorded yet with the ledger; waived failures count as not failing.

    A failure that was unknown, waived or less severe before is new.  Fixed is only what the run closes: what could not
    be read, is unknown now or was waived is not.  Without a ledger every failure is new.  `new_too` are ids, and
    `fixed_too` items, of changes nobody was told of; those that do not hold any more are dropped.
    """
    failing = {f.id: f for f in report.findings if f.outcome is Outcome.FAIL and not f.waived and _counts(f, severity)}
    before = {entry.id: entry for entry in ledger.open_findings()} if ledger is not None else {}
    known = {key for key, entry in before.items() if _failed(entry, severity)}
    new = [f for key, f in failing.items() if key not in known or key in new_too]
    closed = set(ledger.closing(report, rule_ids)) if ledger is not None else set()
    passed = {f.id: f for f in report.findings if f.id in closed}
    fixed = {key: _gone(before[key], passed.get(key), summary) for key in known & closed}
    still_open = {f.id for f in report.findings if f.outcome in (Outcome.FAIL, Outcome.UNKNOWN)}
    for item in fixed_too:
        if item.id not in still_open:
            fixed.setdefault(item.id, item)
    return Changes(
        tuple(sorted((_item(f, summary) for f in new), key=lambda item: item.rank)),
        tuple(sorted(fixed.values(), key=lambda item: item.rank)),
    )


def _rank(severity: str) -> int:
    return [each.value for each in Severity].index(severity)


def _counts(finding: Finding, severity: Severity) -> bool:
    return finding.severity.rank <= severity.rank


def _failed(entry: Entry, severity: Severity) -> bool:
    return entry.outcome == Outcome.FAIL.value and not entry.waived and _rank(entry.severity) <= severity.rank


def _item(finding: Finding, summary: Summary) -> Item:
    resource = finding.resource
    return Item(
        finding.id,
        finding.rule_id,
        finding.title,
        finding.severity.value,
        resource.type,
        resource.id,
        resource.name or "",
        resource.account_id or "",
        resource.region_id or "",
        finding.side.value,
        tuple(owner.account_id for owner in summary.owners(finding) if owner.account_id),
    )


def _gone(entry: Entry, finding: Finding | None, summary: Summary) -> Item:
    """A closed entry; what the ledger does not hold comes from the finding, if it is still judged."""
    return Item(
        entry.id,
        entry.rule_id,
        summary.titles.get(entry.rule_id, ""),
        entry.severity,
        entry.resource_type,
        entry.resource_id,
        (finding.resource.name or "") if finding is not None else "",
        entry.account_id or "",
        entry.region_id or "",
        finding.side.value if finding is not None else "",
        (),
    )
