"""The tutorial's deployment, and more paths of the same make: CLBs, service, endpoint, security group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from auditor.simulator.objects import (
    Backend,
    Clb,
    Endpoint,
    EndpointService,
    Instance,
    Rule,
    SecurityGroup,
    Vpc,
    VSwitch,
)
from auditor.simulator.world import World

CONSUMER = "1234567890123456"
PROVIDER = "6543210987654321"
CLIENTS = "10.10.0.0/16"


def allow(port: int, cidr: str, **fields: str | int) -> Rule:
    """An ingress rule that accepts one TCP port from an address block."""
    return Rule(ports=f"{port}/{port}", cidr=cidr, **fields)  # type: ignore[arg-type]


@dataclass(frozen=True)
class ConsumerNetwork:
    """The consumer's side of the tutorial."""

    vpc: Vpc
    zone_a: VSwitch
    zone_b: VSwitch


@dataclass(frozen=True)
class ProviderNetwork:
    """The provider's side of the tutorial; `servers` is the security group of the backends."""

    vpc: Vpc
    zone_a: VSwitch
    zone_b: VSwitch
    servers: SecurityGroup


@dataclass(frozen=True)
class Path:
    """One deployment from client to backend; `instances` are the backends, in zones b and a in turn.

    `clb` has its primary zone in zone b, `other_clb` in zone a; both serve the same backends.
    """

    name: str
    instances: list[Instance]
    clb: Clb
    other_clb: Clb
    service: EndpointService
    group: SecurityGroup
    endpoint: Endpoint


def consumer_network(world: World) -> ConsumerNetwork:
    """VPC 1 of a world that starts from the tutorial."""
    return ConsumerNetwork(
        world.vpcs["vpc-gw8consumervpc1aaaaa"],
        world.vswitches["vsw-gw8consumervsw1aaaaa"],
        world.vswitches["vsw-gw8consumervsw1bbbbb"],
    )


def provider_network(world: World) -> ProviderNetwork:
    """VPC 2 of a world that starts from the tutorial."""
    return ProviderNetwork(
        world.vpcs["vpc-gw8providervpc2bbbbb"],
        world.vswitches["vsw-gw8providervsw2aaaaa"],
        world.vswitches["vsw-gw8providervsw2bbbbb"],
        world.security_groups["sg-gw8serversgbbbbbbbbb"],
    )


def tutorial() -> World:
    """The documented cross-account deployment in two zones, as the same documentation recommends.

    It is `one_zone` and a second CLB with its primary zone in zone a, attached there and serving the same two servers,
    and the endpoint in zone a too, with a vSwitch of its own.
    """
    world = one_zone()
    vpc1, zone_a = world.vpcs["vpc-gw8consumervpc1aaaaa"], world.vswitches["vsw-gw8providervsw2aaaaa"]
    first = world.clbs["lb-gw8internalclb1bbbbbb"]
    clb = world.add_clb(
        zone_a,
        secondary_zone_id="eu-central-1b",
        address="192.168.23.50",
        id="lb-gw8internalclb2aaaaaa",
        name="orders-clb-a",
        tags={"env": "prod"},
    )
    clb.default_group = [Backend(server.server_id, server.server_ip) for server in first.default_group]
    world.add_listener(clb, 80, description="nginx")
    world.attach_resource(world.services["epsrv-gw8plauditservice1b"], clb)
    clients_a = world.add_vswitch(
        vpc1, "eu-central-1a", "10.10.1.0/24", id="vsw-gw8consumervsw1aaaaa", name="VSwitch 1 a"
    )
    world.add_endpoint_zone(
        world.endpoints["ep-gw8plauditendpoint1bb"], clients_a, ip="10.10.1.35", eni_id="eni-gw8endpointzoneaaaa"
    )
    return world


def one_zone() -> World:
    """The documented deployment, step by step: ECS 1 in VPC 1 reaches NGINX on ECS 2 and ECS 3 in VPC 2.

    Its service and its endpoint are in one zone, which the same documentation advises against.
    """
    world = World()
    world.add_account(PROVIDER, "provider")
    world.add_account(CONSUMER, "consumer")

    vpc1 = world.add_vpc(CONSUMER, CLIENTS, id="vpc-gw8consumervpc1aaaaa", name="VPC 1")
    clients_b = world.add_vswitch(
        vpc1, "eu-central-1b", "10.10.2.0/24", id="vsw-gw8consumervsw1bbbbb", name="VSwitch 1"
    )
    clients = world.add_security_group(vpc1, id="sg-gw8clientsgaaaaaaaaa", name="clients")
    world.add_instance(
        clients_b,
        [clients.security_group_id],
        id="i-gw8clientecs1aaaaaa",
        eni_id="eni-gw8ecs1primaryaaaaa",
        ip="10.10.2.1",
        name="ECS 1",
    )

    vpc2 = world.add_vpc(PROVIDER, "192.168.0.0/16", id="vpc-gw8providervpc2bbbbb", name="VPC 2")
    zone_a = world.add_vswitch(
        vpc2, "eu-central-1a", "192.168.23.0/24", id="vsw-gw8providervsw2aaaaa", name="VSwitch 2 a"
    )
    zone_b = world.add_vswitch(
        vpc2, "eu-central-1b", "192.168.24.0/24", id="vsw-gw8providervsw2bbbbb", name="VSwitch 2 b"
    )
    servers = world.add_security_group(
        vpc2, [allow(80, "192.168.0.0/16")], id="sg-gw8serversgbbbbbbbbb", name="servers"
    )
    names = [servers.security_group_id]
    ecs2 = world.add_instance(zone_b, names, id="i-gw8backendecs2bbbbb", ip="192.168.24.11", name="ECS 2")
    ecs3 = world.add_instance(zone_a, names, id="i-gw8backendecs3bbbbb", ip="192.168.23.12", name="ECS 3")
    clb = world.add_clb(
        zone_b,
        secondary_zone_id="eu-central-1a",
        address="192.168.24.50",
        id="lb-gw8internalclb1bbbbbb",
        name="orders-clb",
        tags={"env": "prod"},
    )
    clb.default_group = [world.backend(ecs2), world.backend(ecs3)]
    world.add_listener(clb, 80, description="nginx")

    service = world.add_service(
        PROVIDER,
        users=[CONSUMER],
        id="epsrv-gw8plauditservice1b",
        description="orders api, provider side",
        tags={"env": "prod", "owner": "payments"},
    )
    world.attach_resource(service, clb)
    group = world.add_security_group(
        vpc1, [allow(80, CLIENTS, description="clients of VPC 1")], id="sg-gw8endpointsgaaaaaaa", name="endpoint"
    )
    endpoint = world.add_endpoint(
        vpc1,
        service,
        [clients_b],
        [group],
        id="ep-gw8plauditendpoint1bb",
        ips=["10.10.2.35"],
        eni_ids=["eni-gw8endpointzonebbbb"],
        name="orders-endpoint",
        description="orders api, consumer side",
        tags={"env": "prod", "owner": "payments"},
    )
    world.accept(endpoint)
    return world


def tutorial_path(world: World) -> Path:
    """The objects of the tutorial's own path."""
    return Path(
        "orders",
        [world.instances["i-gw8backendecs2bbbbb"], world.instances["i-gw8backendecs3bbbbb"]],
        world.clbs["lb-gw8internalclb1bbbbbb"],
        world.clbs["lb-gw8internalclb2aaaaaa"],
        world.services["epsrv-gw8plauditservice1b"],
        world.security_groups["sg-gw8endpointsgaaaaaaa"],
        world.endpoints["ep-gw8plauditendpoint1bb"],
    )


def add_path(
    world: World,
    consumer: ConsumerNetwork,
    provider: ProviderNetwork,
    name: str,
    ports: Sequence[int],
    *,
    backends: int = 2,
) -> Path:
    """One more faultless path: own backends, CLBs, service, security group and endpoint, named after `name`.

    Ids end in the name: `lb-gw8<name>`, `epsrv-gw8<name>`, `ep-gw8<name>`, `sg-gw8<name>`, `i-gw8<name>1`; the CLB of
    zone a is `lb-gw8<name>-a`.  The first port is served by the default group, every further one by a vServer group
    `rsp-gw8<name><port>`, on the CLB of zone a `rsp-gw8<name><port>-a`.
    """
    zones = (provider.zone_b, provider.zone_a)
    groups = [provider.servers.security_group_id]
    instances = [
        world.add_instance(zones[number % 2], groups, id=f"i-gw8{name}{number + 1}", name=f"{name} {number + 1}")
        for number in range(backends)
    ]
    service = world.add_service(PROVIDER, users=[CONSUMER], id=f"epsrv-gw8{name}", description=name)
    clb, other_clb = (
        _clb(world, service, (primary, secondary), (name, suffix), ports, instances)
        for primary, secondary, suffix in (
            (provider.zone_b, provider.zone_a, ""),
            (provider.zone_a, provider.zone_b, "-a"),
        )
    )
    rules = [allow(port, CLIENTS) for port in ports]
    group = world.add_security_group(consumer.vpc, rules, id=f"sg-gw8{name}", name=f"{name}-endpoint")
    endpoint = world.add_endpoint(
        consumer.vpc,
        service,
        [consumer.zone_b, consumer.zone_a],
        [group],
        id=f"ep-gw8{name}",
        accepted=True,
        name=f"{name}-endpoint",
    )
    return Path(name, instances, clb, other_clb, service, group, endpoint)


def _clb(
    world: World,
    service: EndpointService,
    zones: tuple[VSwitch, VSwitch],
    names: tuple[str, str],
    ports: Sequence[int],
    instances: Sequence[Instance],
) -> Clb:
    """A CLB with its primary and secondary zone, attached to the service for the primary one."""
    (primary, secondary), (name, suffix) = zones, names
    clb = world.add_clb(
        primary, secondary_zone_id=secondary.zone_id, id=f"lb-gw8{name}{suffix}", name=f"{name}-clb{suffix}"
    )
    clb.default_group = [world.backend(instance) for instance in instances]
    world.add_listener(clb, ports[0])
    for port in ports[1:]:
        servers = [world.backend(instance, port) for instance in instances]
        group = world.add_vserver_group(clb, servers, id=f"rsp-gw8{name}{port}{suffix}")
        world.add_listener(clb, port, group=group)
    world.attach_resource(service, clb)
    return clb
