"""Section 13 of the catalogue, line by line: what looks odd and is no fault stays silent.

Every line is planted on objects of its own in one deployment, which is collected and judged once and must be without
any failure; per line the rules that touch it are named with the outcome they have to give.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import pytest

from auditor.engine import load_rules, tables_needed
from auditor.findings import Finding, Outcome
from auditor.simulator.objects import NetworkAclEntry, Rule
from auditor.simulator.paths import CLIENTS, CONSUMER, PROVIDER, allow
from tests.end_to_end.deployment import failures, judged, take
from tests.end_to_end.ground import REGION, Ground


@dataclass(frozen=True)
class Line:
    """One line of section 13: `silent` holds "RULE id" texts with the outcome that each must have."""

    name: str
    plant: Callable[[Ground], None]
    silent: dict[str, str]


LINES: list[Line] = []


def line(**silent: str) -> Callable[[Callable[[Ground], None]], Callable[[Ground], None]]:
    """Register a line; keywords are outcomes, values the "RULE id" texts, separated by commas."""

    def register(plant: Callable[[Ground], None]) -> Callable[[Ground], None]:
        expected = {text.strip(): outcome for outcome, texts in silent.items() for text in texts.split(",")}
        LINES.append(Line(plant.__name__, plant, expected))
        return plant

    return register


@line(passed="SG-001 ep-overlap, NET-006 ep-overlap, BE-006 lb-overlap:tcp:80, NET-001 ep-overlap")
def overlapping_blocks_of_both_vpcs(ground: Ground) -> None:
    world = ground.world
    vpc = world.add_vpc(PROVIDER, CLIENTS, id="vpc-overlap")
    service = world.add_service(PROVIDER, users=[CONSUMER], id="epsrv-overlap")
    group = world.add_security_group(vpc, [allow(80, CLIENTS)])
    vswitches = [world.add_vswitch(vpc, f"{REGION}{z}", f"10.10.{n}.0/24") for n, z in enumerate("ab", 1)]
    servers = [world.add_instance(vswitch, [group.security_group_id]) for vswitch in vswitches]
    for vswitch, id_ in zip(vswitches, ("lb-overlap", "lb-overlap-b"), strict=True):
        other = f"{REGION}b" if vswitch.zone_id == f"{REGION}a" else f"{REGION}a"
        clb = world.add_clb(vswitch, secondary_zone_id=other, id=id_)
        clb.default_group = [world.backend(server) for server in servers]
        world.add_listener(clb, 80)
        world.attach_resource(service, clb)
    ground.endpoint("overlap", service)


@line(passed="RES-002 lb-spec, RES-002 lb-elastic, RES-003 lb-spec")
def any_specification_and_metering(ground: Ground) -> None:
    ground.clb("spec", spec="slb.s1.small", instance_charge_type="PayBySpec")
    ground.clb("elastic", spec="slb.lcu.elastic", instance_charge_type="PayByCLCU")
    for operation in ("DescribeLoadBalancers", "DescribeLoadBalancerAttribute"):
        ground.world.override(f"slb:{operation}", "lb-spec", InternetChargeType="paybybandwidth", Bandwidth=1)


@line(
    not_applicable="RES-003 nlb-plain, RES-003 alb-plain, RES-003 gwlb-plain, ZONE-003 nlb-plain, HA-003 nlb-plain, "
    "CLB-003 alb-plain, LSN-001 gwlb-plain, HA-004 epsrv-plain-nlb",
    passed="RES-010 nlb-plain, RES-010 alb-plain, HA-001 epsrv-plain-nlb, CONN-007 ep-plain-gwlb",
)
def clb_rules_on_other_load_balancers(ground: Ground) -> None:
    for kind, protocol in (("nlb", "TCP"), ("alb", "HTTP"), ("gwlb", "")):
        balancer, service = ground.balancer_service(kind, f"plain-{kind}", protocol=protocol, users=[CONSUMER])
        del ground.world.balancers[balancer.load_balancer_id]
        balancer.load_balancer_id = f"{kind}-plain"
        ground.world.balancers[f"{kind}-plain"] = balancer
        balancer.address_type = "Internet" if kind != "gwlb" else "Intranet"
        for resource in service.resources:
            resource.resource_id = f"{kind}-plain"
        groups = [] if kind == "gwlb" else None
        ground.endpoint(f"plain-{kind}", service, groups=groups)


@line(passed="BE-008 lb-closed:tcp:80, BE-003 lb-closed:tcp:80")
def backend_groups_without_a_rule_for_the_clb(ground: Ground) -> None:
    ground.world.add_security_group(ground.provider_vpc, [], id="sg-closed")
    ground.clb("closed", servers=[ground.server("closed", groups=["sg-closed"])])


@line(passed="BE-008 lb-selective:tcp:80, SG-001 ep-selective")
def backend_groups_not_open_to_the_consumer(ground: Ground) -> None:
    rules = [allow(80, "192.168.0.0/16"), Rule(policy="Drop", protocol="ALL", cidr=CLIENTS, priority=100)]
    ground.world.add_security_group(ground.provider_vpc, rules, id="sg-selective")
    server = ground.server("selective", groups=["sg-selective"])
    service, _ = ground.used_service("selective")
    ground.clb("selective", service=service, servers=[server])


@line(unknown="LSN-005 lb-white:tcp:80", passed="LSN-005 lb-white-all:tcp:80")
def white_list_without_the_consumer(ground: Ground) -> None:
    for name, block in (("white", "203.0.113.0/24"), ("white-all", "0.0.0.0/0")):
        listener = ground.clb(name).listener(80)
        listener.acl_status, listener.acl_type = "on", "white"
        listener.acl_ids = [ground.world.add_acl(PROVIDER, [block]).acl_id]


@line(passed="NET-007 lb-behind-acl:tcp:80, CLB-001 lb-behind-acl")
def network_acl_of_the_clb_vswitch(ground: Ground) -> None:
    vswitch = ground.far_vswitch("behind-acl")
    ground.world.add_network_acl(ground.provider_vpc, [vswitch], [NetworkAclEntry("drop")], [NetworkAclEntry("drop")])
    ground.clb("behind-acl", vswitch=vswitch)


@line(passed="CONN-001 ep-manual, CONN-002 ep-manual, GOV-002 epsrv-manual, GOV-002 epsrv-automatic")
def manual_acceptance_and_declared_automatic_one(ground: Ground) -> None:
    ground.used_service("manual", auto_accept=False)
    ground.used_service("automatic", auto_accept=True)
    ground.services["epsrv-automatic"] = {"auto_accept": True}


@line(passed="ZONE-001 ep-fewer, ZONE-004 ep-fewer, HA-002 ep-fewer, RES-001 epsrv-unused, ZONE-007 epsrv-unused")
def fewer_endpoint_zones_than_service_zones(ground: Ground) -> None:
    ground.endpoint("fewer", letters="bc")
    ground.service("unused", letters="abc")


@line(passed=f"ALLOW-004 epsrv-owned:{PROVIDER}, ALLOW-002 epsrv-owned:{PROVIDER}")
def whitelist_with_the_owner(ground: Ground) -> None:
    assert PROVIDER in ground.service("owned").users


@line(passed="CONN-004 ep-crossing, CONN-001 ep-crossing, ALLOW-001 ep-crossing")
def resource_owner_false(ground: Ground) -> None:
    ground.endpoint("crossing")
    for operation in ("ListVpcEndpoints", "GetVpcEndpointAttribute", "ListVpcEndpointConnections"):
        ground.world.override(f"privatelink:{operation}", "ep-crossing", ResourceOwner=False)


@line(not_applicable="ZONE-006 ep-spread", passed="CONN-001 ep-spread")
def zone_affinity_off(ground: Ground) -> None:
    ground.used_service("spread", zone_affinity=False)[1].zone_affinity = False


@line(passed="BE-002 lb-spare:tcp:80, BE-003 lb-spare:tcp:80, BE-004 lb-spare:tcp:80, HA-005 lb-spare:tcp:80")
def weightless_backend_beside_others(ground: Ground) -> None:
    clb = ground.clb("spare", servers=[ground.server("spare")])
    clb.default_group[-1].weight = 0
    assert clb.listener(80).health == {}  # the spare one is reported normal


@line(
    passed="BE-001 lb-grouped:tcp:81, BE-001 lb-grouped:udp:82, BE-001 lb-grouped:https:83, BE-002 lb-grouped:tcp:81, "
    "BE-007 lb-grouped:udp:82",
    not_applicable="BE-007 lb-grouped:tcp:81, HA-005 lb-grouped:udp:82",
)
def default_group_empty_beside_other_groups(ground: Ground) -> None:
    world = ground.world
    clb = ground.clb("grouped", listeners=False)
    clb.default_group.clear()
    world.add_listener(clb, 81, group=world.add_vserver_group(clb, ground.backends()))
    world.add_listener(clb, 82, protocol="udp", group=world.add_primary_secondary_group(clb, *ground.backends()))
    world.add_listener(clb, 83, protocol="https", group=world.add_vserver_group(clb, ground.backends()))


@line(passed="BE-003 lb-pair:tcp:81, BE-007 lb-pair:tcp:81, BE-004 lb-pair:tcp:81")
def health_of_the_secondary_server(ground: Ground) -> None:
    clb = ground.clb("pair")
    group = ground.world.add_primary_secondary_group(clb, *ground.backends())
    ground.world.add_listener(clb, 81, group=group)
    secondary = f"lb-pair:tcp:81:{group.servers[1].server_id}:80"
    ground.world.override("slb:DescribeHealthStatus", secondary, ServerHealthStatus="abnormal")


@line(
    passed="ZONE-005 ep-migrated, HA-002 ep-migrated, ZONE-004 ep-migrated, HA-002 ep-migrating, CONN-004 ep-migrated"
)
def zones_in_a_smooth_replacement(ground: Ground) -> None:
    for status in ("Migrating", "Migrated"):
        zone = ground.endpoint(status.lower()).zone(f"{REGION}b")
        zone.status, zone.replaced_eni_id, zone.replaced_resource_id = status, "eni-old", "lb-old"


@line(
    unknown="CONN-001 ep-on-its-way, EP-002 ep-creating, ZONE-005 ep-zone-on-its-way, EP-005 ep-attaching, "
    "CONN-005 ep-service-pending",
)
def states_on_their_way(ground: Ground) -> None:
    ground.endpoint("on-its-way").connection_status = "Connecting"
    ground.endpoint("creating").status = "Creating"
    ground.endpoint("zone-on-its-way", letters="abc").zone(f"{REGION}c").status = "Connecting"
    ground.endpoint("attaching").security_groups["sg-attaching"] = "Attaching"
    ground.used_service("service-pending", status="Pending")


@line(
    passed="LSN-003 lb-declared-a:tcp:80, LSN-002 lb-declared-a, LSN-002 lb-declared-b, SG-001 ep-declared",
    not_applicable="LSN-003 lb-declared-a:tcp:9000",
)
def undeclared_ports_stopped_or_missing(ground: Ground) -> None:
    ground.used_service("declared")
    ground.world.add_listener(ground.world.clbs["lb-declared-a"], 9000, status="stopped", backend_port=80)
    ground.services["epsrv-declared"] = {"ports": ["tcp/80"]}


@line(passed="EP-007 ep-advanced, SG-001 ep-advanced, EP-007 ep-several, SG-001 ep-several, QUOTA-003 ep-several")
def advanced_or_several_groups(ground: Ground) -> None:
    ground.endpoint(
        "advanced",
        groups=[
            ground.group(f"advanced-{n}", [allow(80, CLIENTS)], group_type="enterprise", inner_access_policy="Drop")
            for n in range(2)
        ],
    )
    ground.endpoint("several", groups=[ground.group(f"several-{n}", [allow(80, f"10.10.{n}.0/24")]) for n in range(5)])


@line(passed="RES-005 lb-four, EP-008 ep-four, SG-002 ep-four")
def no_ipv6_and_no_egress_rule_in_a_basic_group(ground: Ground) -> None:
    service, _ = ground.used_service("four")
    ground.clb("four", service=service, address_ip_version="ipv4")
    assert [rule for rule in ground.clients.rules if rule.direction == "egress"] == []
    ground.endpoints["ep-four"] = {"clients": ["i-client"]}


@line(passed="CONN-007 ep-wide, CONN-007 ep-old")
def bandwidth_above_the_need_or_unlike_the_default(ground: Ground) -> None:
    ground.endpoint("wide", bandwidth=10240)
    ground.endpoints["ep-wide"] = {"min_bandwidth": 200}
    ground.used_service("old", connect_bandwidth=1000)[1].bandwidth = 3072


@line(passed="DNS-001 ep-named")
def endpoint_domain_that_resolves_in_public(ground: Ground) -> None:
    assert ground.endpoint("named").domain.endswith(".privatelink.aliyuncs.com")


@line(passed="SG-001 ep-ancient, SG-004 ep-ancient")
def priority_110(ground: Ground) -> None:
    ground.endpoint("ancient", rules=[allow(80, CLIENTS, priority=110)])


@cache
def _findings() -> tuple[Finding, ...]:
    ground = Ground()
    for one in LINES:
        one.plant(ground)
    rules = load_rules()
    snapshot = take(ground.world, tables=tables_needed(rules), spec=ground.spec)
    return tuple(judged(snapshot, rules, ground.spec))


def test_nothing_of_section_13_is_a_failure() -> None:
    assert failures(_findings()) == set()


@pytest.mark.parametrize("one", LINES, ids=lambda one: one.name)
def test_the_rules_that_touch_a_line_are_silent(one: Line) -> None:
    outcome = {f"{f.rule_id} {f.resource.id}": f.outcome for f in _findings()}
    expected = {text: Outcome("pass" if name == "passed" else name) for text, name in one.silent.items()}
    assert {text: outcome.get(text) for text in expected} == expected


def test_only_the_lines_about_what_is_undecided_are_unknown() -> None:
    """Everything else is decided: silence must not come from not knowing."""
    undecided = ("on-its-way", "creating", "attaching", "pending", "white")
    assert [
        f"{f.rule_id} {f.resource.id}: {f.reason}"
        for f in _findings()
        if f.outcome is Outcome.UNKNOWN and not any(word in f.resource.id for word in undecided)
    ] == []


def test_every_line_has_a_test() -> None:
    assert len(LINES) == 23  # as many as the section has
