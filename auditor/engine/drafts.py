"""Findings of one rule, made of the rows of its answer; rows without a need for attention wait until they are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from auditor.batches import Refs
from auditor.engine.related import ID_COLUMNS, Known, references, scope_references
from auditor.engine.remediation import fill_in
from auditor.engine.rule import Rule
from auditor.engine.scopes import Kind
from auditor.engine.session import Member
from auditor.engine.sql import QueryError
from auditor.findings import Finding, Gap, Outcome, Remediation, ResourceRef, Severity, finding_id

#: Query columns the engine reads itself; every other one is a value for remediation.
ENGINE_COLUMNS = ("part", "compliant", "observed", "reason", "severity", "related")


class Answer(NamedTuple):
    """One row of judge.sql, without the columns that only remediation and `related` read."""

    id: int
    applies: bool | None
    number: int | None
    twice: bool | None
    incomplete: bool
    outcome: str
    part: str | None
    compliant: bool | None
    observed: str | None
    reason: str | None
    severity: str | None
    related: str | list[str] | None


#: Columns judge.sql gives, in the order of the fields of Answer.
FIXED = ("_id", "applies", "_n", "twice", "incomplete", "outcome", *ENGINE_COLUMNS)
_WIDTH = len(FIXED)
ID, OUTCOME, SEVERITY = (FIXED.index(name) for name in ("_id", "outcome", "severity"))
_NUMBER, _PART, _OBSERVED, _RELATED = (FIXED.index(name) for name in ("_n", "part", "observed", "related"))
OUTCOMES = {outcome.value: outcome for outcome in Outcome}


def answer_of(row: Sequence[Any]) -> Answer:
    """The row by names."""
    return Answer._make(row[:_WIDTH])


@dataclass(slots=True)
class Surroundings:
    """What all findings of a session have in common, and what was looked up for them already; not the database."""

    known: Known
    related: dict[tuple[str, int], tuple[ResourceRef, ...]] = field(default_factory=dict)


class Maker:
    """Makes the findings of one rule; `columns` are those of its rows behind the fixed ones."""

    def __init__(
        self,
        rule: Rule,
        kind: Kind,
        members: Mapping[int, Member],
        columns: Sequence[str],
        surroundings: Surroundings,
    ) -> None:
        self._rule = rule
        self._kind = kind
        self._members = members
        self._columns = columns
        self._named = [(name, place) for place, name in enumerate(columns, _WIDTH) if name in ID_COLUMNS]
        self._surroundings = surroundings
        #: What stands in findings that need no fix: one object for all of them.
        self._summary = Remediation(rule.remediation.summary)
        self._evidence = tuple(dict.fromkeys(item.name for item in rule.evidence))

    def severity(self, override: str | None) -> Severity:
        """The rule's severity, or the query's override.  Raises QueryError for a word that is none."""
        if override is None:
            return self._rule.severity
        try:
            return Severity(override)
        except ValueError:
            rule, words = self._rule, ", ".join(Severity)
            raise QueryError(
                f"{rule.path}: the query of {rule.id} gave the severity {override!r}; write {words}"
            ) from None

    def settled(self, row: Sequence[Any]) -> Finding:
        """The finding of a row that passed or does not apply."""
        return self.finding(row, OUTCOMES[row[OUTCOME]])

    def finding(
        self, row: Sequence[Any], outcome: Outcome, reason: str | None = None, gaps: tuple[Gap, ...] = ()
    ) -> Finding:
        """The finding of a row."""
        member = self._members[row[ID]]
        values = member.values
        if self._columns and outcome in (Outcome.FAIL, Outcome.UNKNOWN):
            values = {**values, **dict(zip(self._columns, row[_WIDTH:], strict=True))}
        return self.make(
            member.ref,
            outcome,
            reason=reason,
            values=values,
            gaps=gaps,
            part=row[_PART] or "",
            severity=self.severity(row[SEVERITY]),
            observed=row[_OBSERVED] or None,
            related=self._related(row, member),
        )

    def refs(self, row: Sequence[Any]) -> tuple[Refs, Severity, Outcome]:
        """What `settled` would be about, its severity and its outcome."""
        member = self._members[row[ID]]
        return (member.ref, self._related(row, member)), self.severity(row[SEVERITY]), OUTCOMES[row[OUTCOME]]

    def place(self, entry: Finding | Sequence[Any]) -> tuple[str, str, str, str, str]:
        """Where a finding, made or not, stands among those of its rule."""
        if isinstance(entry, Finding):
            ref, part = entry.resource, entry.part
        else:
            ref, part = self._members[entry[ID]].ref, entry[_PART] or ""
        return ref.account_id or "", ref.region_id or "", ref.type, ref.id, part

    def make(
        self,
        ref: ResourceRef,
        outcome: Outcome,
        *,
        reason: str | None,
        values: Mapping[str, Any],
        gaps: tuple[Gap, ...] = (),
        part: str = "",
        severity: Severity | None = None,
        observed: str | None = None,
        related: tuple[ResourceRef, ...] = (),
    ) -> Finding:
        """A finding about a resource; `values` fill the remediation."""
        rule = self._rule
        open_ = outcome in (Outcome.FAIL, Outcome.UNKNOWN)
        return Finding(
            id=finding_id(rule.id, ref.account_id or "", ref.region_id or "", ref.id, part),
            rule_id=rule.id,
            title=rule.title,
            severity=severity or rule.severity,
            basis=rule.basis,
            outcome=outcome,
            resource=ref,
            side=rule.side,
            remediation=fill_in(rule.remediation, values) if open_ else self._summary,
            related=related,
            observed=observed,
            reason=reason,
            gaps=gaps,
            sources=rule.sources,
            part=part,
            rationale=rule.rationale,
            tags=rule.tags,
            evidence=self._evidence,
        )

    def _related(self, row: Sequence[Any], member: Member) -> tuple[ResourceRef, ...]:
        found = self._surroundings.related
        key = (self._kind.name, row[ID])
        if key not in found:
            found[key] = scope_references(self._surroundings.known, member.ref, member.values)
        if row[_NUMBER] is None or not (row[_RELATED] or self._named):
            return found[key]
        ids = {name: row[place] for name, place in self._named}
        return references(self._surroundings.known, member.ref, ids, _texts(row[_RELATED]), found[key])


def _texts(related: str | list[str] | None) -> tuple[str, ...]:
    if related is None:
        return ()
    return (related,) if isinstance(related, str) else tuple(text for text in related if text is not None)
