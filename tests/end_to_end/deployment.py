"""Scans of simulated deployments through the real SDK, for the end-to-end tests."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Collection, Sequence
from pathlib import Path

from auditor.collect.accounts import load_profiles
from auditor.collect.budget import Clock
from auditor.collect.crawl import collect
from auditor.engine import Rule, judge, load_rules, tables_needed
from auditor.findings import Finding, Outcome
from auditor.inventory.snapshot import Snapshot
from auditor.simulator import Simulator
from auditor.simulator.faults import Fault
from auditor.simulator.world import World
from auditor.spec import Spec


class _FakeTime:
    """Time that passes only when somebody sleeps, so that a retry costs a test nothing."""

    def __init__(self) -> None:
        self.now = 30.0
        self._lock = threading.Lock()

    def sleep(self, seconds: float, _stop: threading.Event) -> None:
        with self._lock:
            self.now += seconds


PROVIDER, CONSUMER = "6543210987654321", "1234567890123456"
PROFILES = ("provider", "consumer")


def take(
    world: World,
    *,
    faults: Sequence[Fault] = (),
    profiles: Sequence[str] = PROFILES,
    tables: Collection[str] | None = None,
    spec: Spec | None = None,
    timeout: float = 10.0,
) -> Snapshot:
    """A snapshot of a world, collected over HTTP."""
    with tempfile.TemporaryDirectory() as folder, Simulator(world, faults=list(faults)) as simulator:
        config = Path(folder) / "config.json"
        simulator.write_config(config)
        time = _FakeTime()
        return collect(
            load_profiles(config, list(profiles)),
            endpoint_url=simulator.url,
            tables=None if tables is None else frozenset(tables),
            spec=spec,
            timeout=timeout,
            clock=Clock(lambda: time.now, lambda: time.now, lambda: 0.5, time.sleep),
        )


def judged(snapshot: Snapshot, rules: Sequence[Rule] | None = None, spec: Spec | None = None) -> list[Finding]:
    """All outcomes of all rules."""
    return judge(snapshot, rules if rules is not None else load_rules(), spec or Spec())


def scan(
    world: World, *, faults: Sequence[Fault] = (), spec: Spec | None = None, timeout: float = 10.0
) -> list[Finding]:
    """Collect what the built-in rules need, and judge."""
    rules = load_rules()
    return judged(take(world, faults=faults, tables=tables_needed(rules), spec=spec, timeout=timeout), rules, spec)


def outcomes(findings: Collection[Finding]) -> dict[str, Outcome]:
    """Outcome by finding id."""
    return {finding.id: finding.outcome for finding in findings}


def failures(findings: Collection[Finding], worst: str = "info") -> set[tuple[str, str]]:
    """(rule id, resource id) of the failures at or above a severity."""
    ranks = ["critical", "high", "medium", "low", "info"]
    return {
        (finding.rule_id, finding.resource.id)
        for finding in findings
        if finding.outcome is Outcome.FAIL and finding.severity.rank <= ranks.index(worst)
    }
