"""What the rules would say after a change: the steps are made to a copy of the inventory, which is judged again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.engine import judge
from auditor.engine.changes import Step
from auditor.engine.rule import Rule
from auditor.facts.paths import compute_paths
from auditor.facts.workshop import Workshop
from auditor.findings import Finding, Outcome, PathVerdict
from auditor.fixes.draft import Draft, Unforeseen
from auditor.fixes.operations import apply

if TYPE_CHECKING:
    from auditor.inventory.snapshot import Snapshot
    from auditor.spec import Spec


@dataclass(frozen=True, slots=True)
class Judgement:
    """The findings and paths of one snapshot."""

    findings: Sequence[Finding]
    paths: Sequence[PathVerdict]


@dataclass(frozen=True, slots=True)
class PathChange:
    """A path whose verdict changes, or that leads over what was to be mended.

    None where the path is not there before, or not there afterwards.  `broken` names the hops, kind and id, at which it
    is still blocked.
    """

    endpoint_id: str
    zone_id: str | None
    protocol: str | None
    port: int | None
    before: str | None
    after: str | None
    broken: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Preview:
    """The difference that a change makes.

    `closes`: fails now, and not afterwards.  `opens`: fails afterwards, and not now.  `stays`: of the findings that
    were to be mended, those that fail afterwards too.  `unforeseen`: afterwards nobody knows, and now it is known.
    `settles`: not known now, and passes afterwards.  `reason`: why nothing at all can be foretold.
    """

    closes: tuple[Finding, ...] = ()
    opens: tuple[Finding, ...] = ()
    stays: tuple[Finding, ...] = ()
    unforeseen: tuple[Finding, ...] = ()
    settles: tuple[Finding, ...] = ()
    paths: tuple[PathChange, ...] = ()
    reason: str | None = None

    @property
    def foretold(self) -> bool:
        """Whether every outcome is as sure as it was before."""
        return self.reason is None and not self.unforeseen


def judgement(snapshot: Snapshot, rules: Sequence[Rule], spec: Spec, *, workshop: Workshop | None = None) -> Judgement:
    """Every outcome of every rule, and the way behind every endpoint."""
    shop = workshop or Workshop(snapshot, spec)
    findings = judge(snapshot, rules, spec, workshop=shop)
    return Judgement(findings, compute_paths(snapshot, spec, findings, workshop=shop))


def changed(snapshot: Snapshot, steps: Sequence[Step]) -> Snapshot:
    """The inventory after the steps.  Raises Unforeseen where one of them cannot be followed."""
    draft = Draft(snapshot)
    for step in steps:
        apply(draft, step)
    return draft.snapshot()


def foretell(
    snapshot: Snapshot,
    before: Judgement,
    steps: Sequence[Step],
    meant: Sequence[Finding],
    rules: Sequence[Rule],
    spec: Spec,
    *,
    beside: Callable[[Snapshot], Sequence[Finding]] | None = None,
) -> Preview:
    """What the steps do to the findings of `snapshot`; `meant` are those that they are to mend.

    Rules, specification and the time of the scan are those of `before`.  `beside` gives the findings of a snapshot that
    no rule file gives; those of `snapshot` are in `before`.
    """
    try:
        copy = changed(snapshot, steps)
    except Unforeseen as reason:
        return Preview(reason=str(reason))
    after = judgement(copy, rules, spec)
    old = {finding.id: finding for finding in before.findings}
    new = {finding.id: finding for finding in (*after.findings, *(beside(copy) if beside is not None else ()))}
    failed = {id_ for id_, finding in old.items() if finding.outcome is Outcome.FAIL}
    fails = {id_ for id_, finding in new.items() if finding.outcome is Outcome.FAIL}
    unknown = {id_ for id_, finding in new.items() if finding.outcome is Outcome.UNKNOWN}
    open_before = {id_ for id_, finding in old.items() if finding.outcome is Outcome.UNKNOWN}
    return Preview(
        closes=_worst_first(old[id_] for id_ in failed - fails - unknown),
        opens=_worst_first(new[id_] for id_ in fails - failed),
        stays=_worst_first(new[finding.id] for finding in meant if finding.id in fails),
        unforeseen=_worst_first(new[id_] for id_ in unknown - open_before),
        settles=_worst_first(
            new[id_] for id_ in open_before & new.keys() if new[id_].outcome in (Outcome.PASS, Outcome.NOT_APPLICABLE)
        ),
        paths=_path_changes(before.paths, after.paths, meant),
    )


def _worst_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda finding: (finding.severity.rank, finding.rule_id, finding.id)))


def _path_changes(
    before: Sequence[PathVerdict], after: Sequence[PathVerdict], meant: Sequence[Finding]
) -> tuple[PathChange, ...]:
    """Every path that changes; of those that do not, the ones over an object that was to be mended."""
    verdicts = [{_path_key(path): path.verdict for path in paths} for paths in (before, after)]
    mended = {finding.resource.id for finding in meant}
    touched = {
        _path_key(path)
        for path in (*before, *after)
        if mended & {path.endpoint_id, path.service_id, *(hop.id for hop in path.hops)}
    }
    keys = sorted({*verdicts[0], *verdicts[1]}, key=lambda key: tuple(str(part) for part in key))
    broken = {
        _path_key(path): tuple(
            f"{hop.kind.replace('_', ' ')} {hop.id}" for hop in path.hops if hop.verdict == "blocked"
        )
        for path in after
    }
    changes = [
        (key, PathChange(*key, verdicts[0].get(key), verdicts[1].get(key), broken=broken.get(key, ()))) for key in keys
    ]
    return tuple(change for key, change in changes if change.before != change.after or key in touched)


def _path_key(path: PathVerdict) -> tuple[str, str | None, str | None, int | None]:
    return path.endpoint_id, path.zone_id, path.protocol, path.port
