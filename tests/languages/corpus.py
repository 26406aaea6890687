"""Every sentence the built-in rules, facts and scenarios put together, as far as examples and scenarios reach."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache

from auditor.cli.exit import Gate, decide
from auditor.cli.judging import judged
from auditor.cli.reporting import reads_of
from auditor.engine import load_rules
from auditor.engine.examples import judge_example
from auditor.engine.session import Session
from auditor.engine.sql import Database
from auditor.findings import Finding, PathVerdict
from auditor.inventory.snapshot import Snapshot
from auditor.simulator.faults import Fault
from auditor.simulator.scenarios import SCENARIOS
from auditor.spec import Spec
from tests.end_to_end.deployment import take

#: Scenarios that say what no example says; every other one repeats these and the examples.
WHOLE = ("broken", "nlb", "three-accounts")

#: Scenarios with reads that fail, each in its own way.
BROKEN_READS = (
    ("tutorial", "privatelink:ListVpcEndpointZones", "forbidden"),
    ("tutorial", "privatelink:ListVpcEndpoints", "forbidden"),
    ("tutorial", "ecs:DescribeNetworkInterfaces", "missing_list_key"),
    ("tutorial", "vpc:DescribeVpcs", "truncated_json"),
)


def of_findings(findings: Iterable[Finding]) -> Iterator[str]:
    for finding in findings:
        yield from (text for text in (finding.observed, finding.reason) if text)
        yield from (gap.message for gap in finding.gaps)


def of_paths(paths: Iterable[PathVerdict]) -> Iterator[str]:
    for path in paths:
        yield from (hop.detail for hop in path.hops if hop.detail)


@cache
def of_examples() -> dict[str, str]:
    """Sentence → the rule whose example says it."""
    found: dict[str, str] = {}
    with Database(threads=1) as database:
        session = Session(database)
        for rule in load_rules():
            for example in rule.examples:
                for text in of_findings(judge_example(session, rule, example)):
                    found.setdefault(text, f"{rule.id} {example.name}")
    return found


@cache
def snapshots() -> dict[str, Snapshot]:
    """The scenarios, whole and with reads that fail."""
    found = {name: take(SCENARIOS[name]()) for name in WHOLE}
    for name, operation, kind in BROKEN_READS:
        found[f"{name} without {operation}"] = take(SCENARIOS[name](), faults=[Fault(operation=operation, kind=kind)])
    return found


@cache
def of_scenarios() -> dict[str, str]:
    """Sentence → the scenario that says it."""
    rules = load_rules()
    found: dict[str, str] = {}
    for name, snapshot in snapshots().items():
        findings, paths = judged(snapshot, rules, Spec(), one_sided=False)
        reads = reads_of(snapshot.coverage)
        verdict = decide(findings, Gate(), complete=False, percent=90.0, rules_selected=len(rules), undelivered=["x"])
        every = (
            *of_findings(findings),
            *of_paths(paths),
            *(read.message for read in reads if read.message),
            *verdict.reasons,
        )
        for text in every:
            found.setdefault(text, name)
    return found
