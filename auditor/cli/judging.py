"""Choosing rules and judging a snapshot by them, as the commands need it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from auditor.batches import Findings
from auditor.errors import UsageError
from auditor.findings import PathVerdict
from auditor.spec import Spec

if TYPE_CHECKING:
    from auditor.engine.rule import Rule
    from auditor.inventory.snapshot import Snapshot


def selected_rules(folders: Sequence[Path], select: Sequence[str] = (), exclude: Sequence[str] = ()) -> list[Rule]:
    """Built-in rules and those of `folders`, chosen.  Raises FileError and UsageError."""
    from auditor.engine import load_rules, select_rules

    for folder in folders:
        if not folder.is_dir():
            raise UsageError(f"{folder}: there is no such folder of rules")
    return select_rules(load_rules(folders), select, exclude)


def tables_for(rules: Sequence[Rule], spec: Spec, *, paths: bool = False) -> frozenset[str]:
    """Inventory tables that have to be collected under a specification, those for paths too if they are wanted."""
    from auditor.engine import tables_needed

    needed = tables_needed(rules, spec)
    if paths:
        from auditor.facts.paths import PATH_TABLES

        needed |= PATH_TABLES
    return needed


def tables_of_everything(rules: Sequence[Rule], spec: Spec) -> frozenset[str]:
    """Every inventory table but those that only rules need which the specification does not call for."""
    from auditor.engine import tables_needed
    from auditor.inventory.schema import TABLES

    return frozenset(TABLES) - (tables_needed(rules) - tables_needed(rules, spec))


def paths_collected(snapshot: Snapshot) -> bool:
    """Whether a snapshot holds what paths rest on; one that was made with --select does not."""
    from auditor.facts.paths import paths_collected as collected

    return collected(snapshot)


def judged(
    snapshot: Snapshot, rules: Sequence[Rule], spec: Spec, *, one_sided: bool, paths: bool = True
) -> tuple[Findings, list[PathVerdict]]:
    """Every outcome of every rule, and (if `paths`) the way behind every endpoint."""
    from auditor.engine import judge

    if not paths:
        return judge(snapshot, rules, spec, one_sided=one_sided), []
    from auditor.facts.paths import compute_paths
    from auditor.facts.workshop import Workshop

    workshop = Workshop(snapshot, spec)
    findings = judge(snapshot, rules, spec, one_sided=one_sided, workshop=workshop)
    from auditor.probe.paths import with_probes

    return findings, with_probes(snapshot, compute_paths(snapshot, spec, findings, workshop=workshop))
