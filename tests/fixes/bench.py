"""Worlds with faults, what plaudit would do about them, and what comes of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from auditor.engine import Rule, load_rules, select_rules, tables_needed
from auditor.facts.paths import PATH_TABLES
from auditor.findings import Finding, Outcome
from auditor.fixes.plan import Fix, FixKind, Planner, in_order, steps_of
from auditor.fixes.preview import Judgement, Preview, foretell, judgement
from auditor.inventory.snapshot import Snapshot
from tests.end_to_end import faults_consumer, faults_provider
from tests.end_to_end.deployment import take
from tests.end_to_end.ground import Fault, Ground
from tests.fixes.console import Console

FAULTS = [*faults_provider.TABLE.faults, *faults_consumer.TABLE.faults]


@dataclass(frozen=True)
class Trial:
    """A world before its repair, the fixes, what was foretold, and the world afterwards."""

    before: Judgement
    fixes: Sequence[Fix]
    foretold: Preview
    after: Judgement

    def mended(self, finding: Finding) -> bool:
        """Whether a finding that failed does not fail any more."""
        return finding.id not in failing(self.after.findings)


def failing(findings: Iterable[Finding]) -> dict[str, Finding]:
    """Failures by id."""
    return {finding.id: finding for finding in findings if finding.outcome is Outcome.FAIL}


def planted(faults: Iterable[Fault]) -> Ground:
    """A ground with faults."""
    ground = Ground()
    for fault in faults:
        fault.plant(ground)
    return ground


def snapshot_of(ground: Ground, rules: Sequence[Rule]) -> Snapshot:
    """What a scan of a ground reads."""
    tables = tables_needed(rules) | PATH_TABLES
    return take(ground.world, profiles=ground.profiles, tables=tables, spec=ground.spec)


def trial(ground: Ground, only: Iterable[tuple[str, str]] | None = None, *, rules: Sequence[str] = ()) -> Trial:
    """Scans, makes every automatic fix (or those of `only`: rule and resource) through the console, scans again.

    `rules`: ids or prefixes, all if empty.
    """
    return _trial(ground, only, select_rules(load_rules(), rules, ()))


def _trial(ground: Ground, only: Iterable[tuple[str, str]] | None, rules: Sequence[Rule]) -> Trial:
    spec = ground.spec
    snapshot = snapshot_of(ground, rules)
    before = judgement(snapshot, rules, spec)
    wanted = None if only is None else set(only)
    with Planner(snapshot, rules, spec) as planner:
        fixes = [
            planner.fix(finding)
            for finding in before.findings
            if finding.outcome is Outcome.FAIL and (wanted is None or (finding.rule_id, finding.resource.id) in wanted)
        ]
    automatic = in_order(fix for fix in fixes if fix.kind is FixKind.AUTOMATIC)
    steps = steps_of(automatic)
    foretold = foretell(snapshot, before, steps, [fix.finding for fix in automatic], rules, spec)
    console = Console(ground.world)
    for step in steps:
        console.run(step.command, step.account_id)
    return Trial(before, fixes, foretold, judgement(snapshot_of(ground, rules), rules, spec))
