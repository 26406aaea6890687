"""Reports of simulated deployments, made as `plaudit scan` makes them."""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path

from auditor.cli.judging import judged, tables_for
from auditor.cli.reporting import build_report
from auditor.engine import load_rules
from auditor.findings import Outcome, Report
from auditor.simulator import Simulator
from auditor.simulator.scenarios import SCENARIOS
from auditor.simulator.world import World
from auditor.spec import Spec
from tests.end_to_end.deployment import take


def of_scenario(name: str) -> Report:
    """The report of one scenario; its first two failures count as new."""
    world = SCENARIOS[name]()
    if name in ("three-accounts", "hostile-names"):
        _break(world)
    with Simulator(world) as simulator, tempfile.TemporaryDirectory() as folder:
        profiles = simulator.write_config(Path(folder) / "config.json")
    rules = load_rules()
    snapshot = take(world, profiles=profiles, tables=tables_for(rules, Spec(), paths=True))
    findings, paths = judged(snapshot, rules, Spec(), one_sided=False)
    failed = [finding.id for finding in findings if finding.outcome is Outcome.FAIL][:2]
    return build_report(
        snapshot,
        [dataclasses.replace(finding, is_new=finding.id in failed) for finding in findings],
        fail_on="high",
        all_outcomes=False,
        rules_selected=len(rules),
        paths=paths,
    )


def _break(world: World) -> None:
    """A fault on each side: the listener of the first CLB is stopped, the last endpoint has lost its groups."""
    next(iter(world.clbs.values())).listeners[0].status = "stopped"
    list(world.endpoints.values())[-1].security_groups.clear()
