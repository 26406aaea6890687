"""The printed changes, made to a simulated cloud and scanned again, do what the preview said: no more and no less."""

from __future__ import annotations

from functools import cache

import pytest

from auditor.engine import load_rules
from auditor.findings import Finding, Outcome
from auditor.fixes.plan import FixKind, kind_of
from auditor.simulator.objects import Rule
from auditor.simulator.paths import CLIENTS, CONSUMER, allow
from tests.end_to_end.ground import Fault, Ground
from tests.fixes.bench import FAULTS, Trial, failing, planted, trial

AUTOMATIC = [rule.id for rule in load_rules() if kind_of(rule.remediation) is FixKind.AUTOMATIC]
#: Faults of rules that have an automatic fix, though not every case of such a rule can be mended.
MENDED = [fault for fault in FAULTS if fault.world == "shared" and any(rule in AUTOMATIC for rule, _ in fault.fails)]


def _more(ground: Ground) -> None:
    """What the table of faults does not have: the other spelling of a change that a rule can make."""
    world = ground.world
    clb = ground.clb("more")
    world.add_listener(
        clb, 53, protocol="udp", group=world.add_vserver_group(clb, ground.backends(53))
    ).health_check = "off"
    drained = world.add_vserver_group(clb, ground.backends())
    world.add_listener(clb, 81, group=drained)
    for server in drained.servers:
        server.weight = 0
    # The account is connected through a wildcard only: taking it away must not cut the account off.
    service, endpoint = ground.used_service("wild")
    service.users.remove(CONSUMER)
    service.arns.append("acs:ram:*:*:*")
    endpoint.security_groups["sg-wild-out"] = "Attached"
    rules = [allow(80, CLIENTS), Rule("egress", ports="80/80", group_id="sg-never-was")]
    ground.group("wild-out", rules)
    # The narrow rule is there already.
    ground.endpoint("wide", rules=[allow(80, CLIENTS), allow(80, "0.0.0.0/0")])


@cache
def _trial() -> Trial:
    """All of them at once: each is on objects of its own."""
    ground = planted(MENDED)
    _more(ground)
    return trial(ground)


def _mended(found: Trial) -> list[Finding]:
    return [fix.finding for fix in found.fixes if fix.kind is FixKind.AUTOMATIC]


@pytest.mark.parametrize("rule_id", AUTOMATIC)
def test_the_printed_change_closes_the_finding(rule_id: str) -> None:
    findings = [finding for finding in _mended(_trial()) if finding.rule_id == rule_id]
    assert findings != [], f"no fault shows that {rule_id} can be mended"
    for finding in findings:
        assert _trial().mended(finding), finding.resource.id
        assert finding in _trial().foretold.closes, finding.resource.id


def test_nothing_opens_as_foretold() -> None:
    found = _trial()
    assert found.foretold.reason is None
    assert (found.foretold.opens, found.foretold.stays) == ((), ())
    assert failing(found.after.findings).keys() - failing(found.before.findings).keys() == set()


def test_exactly_what_was_foretold_comes_true() -> None:
    check(_trial())


def check(found: Trial) -> None:
    """Every outcome and every path afterwards is the one that was foretold, or was said to be open."""
    before, after = failing(found.before.findings), failing(found.after.findings)
    left_open = {finding.id for finding in found.foretold.unforeseen}
    foretold = (before.keys() - {f.id for f in found.foretold.closes}) | {f.id for f in found.foretold.opens}
    assert after.keys() - left_open == foretold - left_open
    unknown_before = {f.id for f in found.before.findings if f.outcome is Outcome.UNKNOWN}
    unknown = {f.id for f in found.after.findings if f.outcome is Outcome.UNKNOWN}
    settled = {f.id for f in found.foretold.settles}
    assert unknown - unknown_before <= left_open
    assert settled & unknown == set()
    verdicts = {(p.endpoint_id, p.zone_id, p.protocol, p.port): p.verdict for p in found.after.paths}
    old = {(p.endpoint_id, p.zone_id, p.protocol, p.port): p.verdict for p in found.before.paths}
    changes = {(p.endpoint_id, p.zone_id, p.protocol, p.port): p.after for p in found.foretold.paths}
    sure = {key for key in {*verdicts, *old} if changes.get(key) != "unknown"}
    assert {key: verdicts.get(key) for key in sure} == {key: changes.get(key, old.get(key)) for key in sure}


def test_what_only_the_cloud_knows_is_left_open() -> None:
    """A listener that starts, a CLB that starts, a weight, a server: their health comes with the next checks."""
    found = _trial()
    left_open = {(finding.rule_id, finding.resource.id) for finding in found.foretold.unforeseen}
    for balancer in ("lb-paused", "lb-stopped", "lb-drained"):
        assert ("BE-003", f"{balancer}:tcp:80") in left_open
    # Others are as sure as before.
    assert {resource.split(":")[0] for _, resource in left_open if resource.startswith("lb-")} == {
        "lb-paused", "lb-stopped", "lb-drained", "lb-wanted-a", "lb-unchecked", "lb-off", "lb-more",
    }  # fmt: skip


def test_one_listener_says_nothing_about_another() -> None:
    left_open = {(f.rule_id, f.resource.id) for f in _trial().foretold.unforeseen}
    assert ("BE-003", "lb-more:tcp:81") in left_open
    assert ("BE-003", "lb-more:tcp:80") not in left_open


def test_a_connected_account_is_not_cut_off_with_the_wildcard() -> None:
    commands = [
        step.command
        for fix in _trial().fixes
        for step in fix.steps
        if (fix.finding.rule_id, fix.finding.resource.id) == ("ALLOW-002", "epsrv-wild:acs:ram:*:*:*")
    ]
    assert [command.split()[2] for command in commands] == [
        "AddUserToVpcEndpointService",
        "RemoveUserFromVpcEndpointService",
    ]
    assert CONSUMER in commands[0]


def test_a_change_that_takes_the_last_resource_opens_another_finding() -> None:
    ground = Ground()
    ground.service("hollow", letters="b")
    del ground.world.clbs["lb-hollow-b"]
    found = trial(ground, [("RES-006", "lb-hollow-b")], rules=("RES",))
    assert ("RES-006", "lb-hollow-b") in {(f.rule_id, f.resource.id) for f in found.foretold.closes}
    assert ("RES-001", "epsrv-hollow") in {(f.rule_id, f.resource.id) for f in found.foretold.opens}
    check(found)


def test_a_change_that_is_not_enough_stays_open() -> None:
    ground = Ground()
    servers = [ground.server("resting"), ground.server("vanished")]
    ground.clb("half", servers=servers)
    servers[0].status = "Stopped"
    del ground.world.instances["i-vanished"]
    found = trial(ground, [("BE-005", "lb-half:tcp:80")], rules=("BE",))
    assert [(f.rule_id, f.resource.id) for f in found.foretold.stays] == [("BE-005", "lb-half:tcp:80")]
    check(found)


@pytest.mark.slow
@pytest.mark.parametrize("fault", MENDED, ids=lambda fault: fault.name)
def test_each_on_its_own(fault: Fault) -> None:
    """The same one by one, so that no two changes can hide each other."""
    for verdict in sorted(fault.fails):
        found = trial(planted([fault]), [verdict])
        check(found)
        if any(fix.kind is FixKind.AUTOMATIC for fix in found.fixes):
            assert found.foretold.opens == ()
            assert failing(found.after.findings).keys() <= failing(found.before.findings).keys()
            assert all(found.mended(finding) for finding in _mended(found))
