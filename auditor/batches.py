"""Findings of every outcome in a fixed order; those that need no attention are made when somebody asks for them.

A large deployment passes hundreds of thousands of times.  Most readers only count that, so that a draft, which is a row
of the engine's answer, stands for such a finding until it is read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, overload

from auditor.findings import Finding, Outcome, ResourceRef, Severity

#: Outcomes that somebody has to look at: these findings are always made.
OPEN = (Outcome.FAIL, Outcome.UNKNOWN)

_SETTLED = (Outcome.PASS, Outcome.NOT_APPLICABLE)

#: What one row of the engine's answer is, before a finding is made of it.
Draft = tuple[Any, ...]

#: Number of findings by rule id, severity and outcome; `waived` stands for the outcome of an accepted failure.
Tally = Counter[tuple[str, Severity, str]]


#: An object and the others that a verdict about it rests on.
Refs = tuple[ResourceRef, tuple[ResourceRef, ...]]


class Settled(NamedTuple):
    """So many findings of one outcome, passed or not applicable, about one object with the same related ones."""

    resource: ResourceRef
    related: tuple[ResourceRef, ...]
    outcome: Outcome
    number: int


@dataclass(slots=True)
class Batch:
    """The findings of one rule in their order.

    `entries` holds findings, and drafts in the place of those that passed or do not apply; `make` makes a finding of a
    draft, `refs` tells what it would be about.  `open` are the indexes of failures and unknowns, `settled` counts all
    others.
    """

    rule_id: str
    title: str
    entries: list[Finding | Draft]
    open: list[int]
    settled: Counter[tuple[Severity, Outcome]]
    make: Callable[[Draft], Finding]
    refs: Callable[[Draft], tuple[Refs, Severity, Outcome]]

    def __iter__(self) -> Iterator[Finding]:
        for index, entry in enumerate(self.entries):
            if not isinstance(entry, Finding):
                # Kept: who reads them all once reads them again.
                entry = self.entries[index] = self.make(entry)
            yield entry

    def at(self, index: int) -> Finding:
        """One of them."""
        entry = self.entries[index]
        if not isinstance(entry, Finding):
            entry = self.entries[index] = self.make(entry)
        return entry

    def opened(self) -> Iterator[Finding]:
        """Failures and unknowns."""
        return map(self.at, self.open)

    def places(self) -> dict[tuple[Severity, Outcome], list[Refs]]:
        """What all others are about, in their order."""
        found: dict[tuple[Severity, Outcome], list[Refs]] = {}
        for entry in self.entries:
            if not isinstance(entry, Finding):
                refs, severity, outcome = self.refs(entry)
            elif entry.outcome in OPEN:
                continue
            else:
                refs, severity, outcome = (entry.resource, entry.related), entry.severity, entry.outcome
            found.setdefault((severity, outcome), []).append(refs)
        return found


class Findings(Sequence[Finding]):
    """The findings of all rules, one batch after the other; equal to every sequence of equal findings."""

    def __init__(self, batches: Iterable[Batch]) -> None:
        self.batches = tuple(batch for batch in batches if batch.entries)
        self._size = sum(len(batch.entries) for batch in self.batches)

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Finding]:
        for batch in self.batches:
            yield from batch

    @overload
    def __getitem__(self, index: int) -> Finding: ...
    @overload
    def __getitem__(self, index: slice) -> list[Finding]: ...
    def __getitem__(self, index: int | slice) -> Finding | list[Finding]:
        if isinstance(index, slice):
            return [self._at(place) for place in range(*index.indices(self._size))]
        return self._at(index + self._size if index < 0 else index)

    def _at(self, index: int) -> Finding:
        for batch in self.batches:
            if 0 <= index < len(batch.entries):
                return batch.at(index)
            index -= len(batch.entries)
        raise IndexError("no such finding")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(mine == theirs for mine, theirs in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]  # as any sequence that may change its mind about what is made

    def __repr__(self) -> str:
        return f"Findings({list(self)!r})"

    def opened(self) -> Iterator[Finding]:
        """Failures and unknowns, in their order."""
        for batch in self.batches:
            yield from batch.opened()

    def changed(self, change: Callable[[Finding], Finding]) -> Findings:
        """The same with every failure and unknown changed; the change leaves rule, severity and outcome alone."""
        batches = []
        for batch in self.batches:
            entries = list(batch.entries)
            for index in batch.open:
                entries[index] = change(batch.at(index))
            batches.append(
                Batch(batch.rule_id, batch.title, entries, batch.open, batch.settled, batch.make, batch.refs)
            )
        return Findings(batches)

    def of_rules(self, rule_ids: Collection[str]) -> Iterator[Finding]:
        """The findings of some rules."""
        for batch in self.batches:
            if batch.rule_id in rule_ids:
                yield from batch

    def settled(self) -> list[Settled]:
        """What passed or does not apply: passes first, then by severity and rule."""
        lists = [
            ((_SETTLED.index(outcome), severity.rank, batch.rule_id), outcome, refs)
            for batch in self.batches
            for (severity, outcome), refs in batch.places().items()
        ]
        numbers: dict[tuple[int, int, Outcome], int] = {}
        first: dict[tuple[int, int, Outcome], Refs] = {}
        for _, outcome, refs in sorted(lists, key=lambda one: one[0]):
            for one in refs:
                # By identity: an object has one reference, and hashing hundreds of thousands takes long.
                key = (id(one[0]), id(one[1]), outcome)
                first.setdefault(key, one)
                numbers[key] = numbers.get(key, 0) + 1
        return [Settled(*first[key], key[2], number) for key, number in numbers.items()]

    def tally(self) -> Tally:
        """The numbers, without making anything."""
        counts = Tally()
        for batch in self.batches:
            for (severity, outcome), number in batch.settled.items():
                counts[batch.rule_id, severity, outcome.value] += number
            counts.update(map(_counted, batch.opened()))
        return counts


def opened(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Failures (accepted ones too) and unknowns among findings of every outcome, in their order."""
    if isinstance(findings, Findings):
        return findings.opened()
    return (finding for finding in findings if finding.outcome in OPEN)


def changed(findings: Sequence[Finding], change: Callable[[Finding], Finding]) -> Sequence[Finding]:
    """The findings with every failure and unknown changed; the change leaves rule, severity and outcome alone."""
    if isinstance(findings, Findings):
        return findings.changed(change)
    return tuple(change(finding) if finding.outcome in OPEN else finding for finding in findings)


def settled(findings: Iterable[Finding], order: Callable[[Finding], Any] | None = None) -> list[Settled]:
    """What passed or does not apply: passes first, then by severity and rule, as `order` has to have them too."""
    if isinstance(findings, Findings):
        return findings.settled()
    others = [finding for finding in findings if finding.outcome not in OPEN]
    if order is not None:
        others.sort(key=order)
    return [Settled(finding.resource, finding.related, finding.outcome, 1) for finding in others]


def of_rules(findings: Iterable[Finding], rule_ids: Collection[str]) -> Iterator[Finding]:
    """The findings of some rules, of every outcome."""
    if isinstance(findings, Findings):
        return findings.of_rules(rule_ids)
    return (finding for finding in findings if finding.rule_id in rule_ids)


def tally(findings: Iterable[Finding]) -> Tally:
    """How many findings there are by rule, severity and outcome, accepted failures as `waived`."""
    if isinstance(findings, Findings):
        return findings.tally()
    return Tally(map(_counted, findings))


def titles(findings: Iterable[Finding]) -> dict[str, str]:
    """The titles of the rules that have a finding, by rule id."""
    if isinstance(findings, Findings):
        return {batch.rule_id: batch.title for batch in findings.batches}
    return {finding.rule_id: finding.title for finding in findings}


def _counted(finding: Finding) -> tuple[str, Severity, str]:
    return finding.rule_id, finding.severity, "waived" if finding.waived else finding.outcome.value
