"""Exit codes: a pure function of what was found, what was read and what the user asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from auditor.batches import opened, tally
from auditor.findings import Finding, Outcome, Severity

CLEAN = 0
BROKEN = 1
USAGE = 2
FINDINGS = 3
NOT_JUDGED = 4
NOTHING_READ = 5
NOT_DELIVERED = 6
LOCKED = 75


@dataclass(frozen=True, slots=True)
class Gate:
    """What the user asked of the gate.

    `fail_on` is a severity or `none`.  `min_coverage` is the percentage of complete reads that is enough, None for all.
    With both, `allow_unknown` holds only while that much was read.  With a `baseline`, failures whose ids are in it do
    not count; unknowns do.
    """

    fail_on: str = "high"
    allow_unknown: bool = False
    min_coverage: float | None = None
    baseline: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The code of the run, the others that apply too, and why, in sentences without a period."""

    code: int
    also: tuple[int, ...] = ()
    reasons: tuple[str, ...] = ()
    #: What would have been code 4 and was let through with --allow-unknown.
    allowed: tuple[str, ...] = ()


def decide(
    findings: Sequence[Finding],
    gate: Gate,
    *,
    complete: bool,
    percent: float,
    rules_selected: int,
    undelivered: Sequence[str] = (),
) -> Verdict:
    """The verdict over findings of every outcome.

    `complete` and `percent` say how many reads were complete, `undelivered` names outputs that could not be written.
    3 comes before 4 before 6.  An empty inventory, zero rules and a severity nobody knows are 4 whatever is allowed.
    """
    ranks = {severity.value: severity.rank for severity in Severity}
    threshold = ranks.get(gate.fail_on, -1)
    failed = unknown = judged = 0
    strange: set[str] = set()
    for (_, severity, outcome), number in tally(findings).items():
        if outcome != Outcome.NOT_APPLICABLE:
            judged += number
            strange.update(() if severity in ranks else (str(severity),))
    for finding in opened(findings):
        rank = ranks.get(finding.severity)
        if rank is None:
            continue
        if finding.outcome is Outcome.FAIL and rank <= threshold:
            failed += not finding.waived and (gate.baseline is None or finding.id not in gate.baseline)
        elif finding.outcome is Outcome.UNKNOWN and (rank <= threshold or gate.fail_on == "none"):
            unknown += 1

    hard: list[str] = []
    if gate.fail_on != "none" and gate.fail_on not in ranks:
        hard.append(f"{gate.fail_on!r} is not a severity")
    if strange:
        hard.append(f"findings have a severity nobody knows: {', '.join(sorted(strange))}")
    if rules_selected <= 0:
        hard.append("no rule was selected")
    elif not judged:
        hard.append("nothing was found to judge")

    soft: list[str] = []
    if unknown:
        level = "" if gate.fail_on == "none" else f" at or above {gate.fail_on}"
        soft.append(f"{_count(unknown, 'outcome')}{level} could not be judged")
    enough = complete if gate.min_coverage is None else percent >= gate.min_coverage
    if not enough:
        least = "" if gate.min_coverage is None else f", {gate.min_coverage:g} % are asked for"
        soft.append(f"coverage is incomplete: {percent:g} % of the reads were complete{least}")
    allowed = gate.allow_unknown and (enough or gate.min_coverage is None)

    codes: list[int] = []
    reasons: list[str] = []
    if failed:
        codes.append(FINDINGS)
        new = "new " if gate.baseline is not None else ""
        reasons.append(f"{_count(failed, new + 'finding')} at or above {gate.fail_on} failed")
    if hard or (soft and not allowed):
        codes.append(NOT_JUDGED)
        reasons += [*hard, *([] if allowed else soft)]
    if undelivered:
        codes.append(NOT_DELIVERED)
        reasons += [f"not written: {name}" for name in undelivered]
    return Verdict(
        codes[0] if codes else CLEAN, tuple(codes[1:]), tuple(reasons), tuple(soft) if allowed and not hard else ()
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
