"""What mends a finding: steps per side where nobody has to choose anything, and the reason why not elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from auditor.engine.changes import ChangeReader, Step
from auditor.engine.rule import RemediationTemplate, Rule
from auditor.findings import Finding, Outcome, Side
from auditor.languages import marked

if TYPE_CHECKING:
    from auditor.facts.workshop import Workshop
    from auditor.inventory.snapshot import Snapshot
    from auditor.spec import Spec


class FixKind(StrEnum):
    """How a finding is mended."""

    AUTOMATIC = "automatic"
    CHOICE = "choice"
    REPLACEMENT = "replacement"
    OUTSIDE = "outside"
    NOT_KNOWN = "not_known"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Fix:
    """The fix of one finding.

    `steps` are there for `automatic` only, and for `not_known`, where values are missing in them.  `reason` says for
    every other kind what somebody has to choose, what is replaced and changes with it, or what is to be done elsewhere.
    """

    finding: Finding
    kind: FixKind
    steps: tuple[Step, ...] = ()
    reason: str | None = None

    def on(self, side: Side | None) -> tuple[Step, ...]:
        """The steps of one side, or all."""
        return tuple(step for step in self.steps if side is None or step.side in (side, Side.BOTH))


class Planner:
    """Plans the fixes of findings of one snapshot.  A context manager."""

    def __init__(self, snapshot: Snapshot, rules: Sequence[Rule], spec: Spec, workshop: Workshop | None = None) -> None:
        self._rules = {rule.id: rule for rule in rules}
        self._reader = ChangeReader(snapshot, rules, spec, workshop)

    def __enter__(self) -> Planner:
        return self

    def __exit__(self, *error: object) -> None:
        self._reader.__exit__(*error)

    def fix(self, finding: Finding) -> Fix:
        """The fix of a finding of the same snapshot and rules."""
        if finding.outcome is not Outcome.FAIL:
            return Fix(finding, FixKind.NONE, reason=NO_FAILURE[finding.outcome])
        template = self._rules[finding.rule_id].remediation
        steps = tuple(self._reader.steps(finding))
        missing = sorted({name for step in steps for name in step.missing})
        if missing:
            reason = f"Not everything that the change needs is known: {', '.join(missing)}."
            return Fix(finding, FixKind.NOT_KNOWN, steps, reason)
        if steps:
            return Fix(finding, FixKind.AUTOMATIC, steps)
        return Fix(finding, *_by_hand(template))


#: Why there is nothing to mend, by outcome.
NO_FAILURE = {
    Outcome.PASS: marked("The rule passes; there is nothing to mend."),
    Outcome.NOT_APPLICABLE: marked("The rule does not apply; there is nothing to mend."),
    Outcome.UNKNOWN: marked("It could not be judged; read what is missing first."),
}


def kind_of(template: RemediationTemplate) -> FixKind | None:
    """The class of a rule: how it is mended as a rule; None if its file says nothing, or says several things."""
    if template.change:
        return FixKind.AUTOMATIC
    named = [kind for kind, text in _manual(template) if text is not None]
    return named[0] if len(named) == 1 else None


def _manual(template: RemediationTemplate) -> Iterator[tuple[FixKind, str | None]]:
    yield FixKind.CHOICE, template.choice
    yield FixKind.REPLACEMENT, template.replaces
    yield FixKind.OUTSIDE, template.outside


def _by_hand(template: RemediationTemplate) -> tuple[FixKind, tuple[Step, ...], str]:
    for kind, text in _manual(template):
        if text is not None:
            return kind, (), text
    return (
        FixKind.CHOICE,
        (),
        marked("The rule names no change that is sure to be right here; its summary says what to do."),
    )


def in_order(fixes: Iterable[Fix]) -> list[Fix]:
    """Fixes in the order in which they are made: the provider's first, the worst first."""
    return sorted(fixes, key=lambda fix: (_rank(fix), fix.finding.severity.rank, fix.finding.rule_id, fix.finding.id))


def _rank(fix: Fix) -> int:
    return min((_SIDES[step.side] for step in fix.steps), default=len(_SIDES))


_SIDES = {Side.PROVIDER: 0, Side.BOTH: 1, Side.CONSUMER: 2}


def steps_of(fixes: Iterable[Fix], side: Side | None = None) -> list[Step]:
    """The steps of fixes as one plan, each once: the provider's before the consumer's, else in their order."""
    unique: dict[object, Step] = {}
    for fix in fixes:
        for step in fix.on(side):
            unique.setdefault(step.identity, step)
    return sorted(unique.values(), key=lambda step: _SIDES[step.side])
