"""A redacted snapshot is judged as the original: every outcome of every rule and every path, and the ids lead back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest

from auditor.cli.judging import judged, selected_rules
from auditor.findings import Finding, PathVerdict, finding_id
from auditor.inventory.pseudonyms import Pseudonyms
from auditor.inventory.redacted import redacted_snapshot, redacted_spec
from auditor.inventory.snapshot import Snapshot
from auditor.simulator.estates import PROFILES, random_estate
from auditor.simulator.faults import Fault
from auditor.simulator.scenarios import SCENARIOS
from auditor.simulator.world import World
from auditor.spec import EndpointSpec, Requirements, ServiceSpec, Spec
from tests.end_to_end.deployment import PROVIDER, take

KEY = b"a key of thirty-two bytes or so."
DECLARED = Spec(
    services={"*": ServiceSpec(accounts=("1234567890123456", "acs:ram::1234567890123456:root"), vpcs=("vpc-1",))},
    endpoints={"*": EndpointSpec(clients=("10.10.0.0/16", "10.0.0.0/9", "fd00::/8"))},
    require=Requirements(tags=("env", "owner"), flow_logs=True),
)


def _outcomes(findings: Sequence[Finding]) -> Counter[tuple[object, ...]]:
    return Counter((f.rule_id, f.outcome, f.severity, f.resource.type, f.resource.region_id) for f in findings)


def _ways(paths: Sequence[PathVerdict]) -> Counter[tuple[object, ...]]:
    return Counter(
        (p.verdict, p.zone_id, p.protocol, p.port, tuple((hop.kind, hop.verdict, hop.rule_ids) for hop in p.hops))
        for p in paths
    )


def _compare(snapshot: Snapshot, spec: Spec) -> None:
    rules = selected_rules(())
    names = Pseudonyms(KEY)
    findings, paths = judged(snapshot, rules, spec, one_sided=False)
    after, ways = judged(redacted_snapshot(snapshot, names), rules, redacted_spec(spec, names), one_sided=False)
    assert _outcomes(after) == _outcomes(findings)
    assert _ways(ways) == _ways(paths)
    ids = {
        finding_id(
            f.rule_id, names.restored(f.resource.account_id or ""), f.resource.region_id or "",
            names.restored(f.resource.id), names.restored(f.part),
        )
        for f in after
    }  # fmt: skip
    assert ids == {f.id for f in findings}
    assert not ids & {f.id for f in after if f.resource.account_id}


@pytest.mark.parametrize("name", [name for name in SCENARIOS if name != "one-consumer-many-services"])
def test_a_redacted_scenario_is_judged_as_the_original(name: str) -> None:
    world = SCENARIOS[name]()
    profiles = [credential.profile for credential in world.credentials.values()]
    faults = [Fault(operation="slb:DescribeHealthStatus", kind="forbidden", account_id=PROVIDER)]
    _compare(take(world, profiles=profiles, faults=faults if name == "tutorial" else ()), DECLARED)


def test_redacted_random_estates_are_judged_as_the_originals() -> None:
    world = World()
    for seed in range(40, 45):
        random_estate(seed, world)
    _compare(take(world, profiles=list(PROFILES)), Spec())
