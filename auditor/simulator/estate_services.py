"""The provider's half of a random deployment: servers, load balancers of every kind, services on them."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from auditor.simulator.objects import (
    Backend,
    BalancerServer,
    Clb,
    EndpointService,
    Instance,
    Listener,
    NetworkAclEntry,
    Rule,
    ServerGroup,
    Vpc,
    VSwitch,
)
from auditor.simulator.scenarios import HOSTILE_TEXTS
from auditor.simulator.world import World

#: Blocks of VPCs on both sides, so that they overlap or are the same now and then; each has room for the vSwitches.
BLOCKS = ("10.0.0.0/8", "10.10.0.0/16", "10.10.0.0/18", "172.16.0.0/12", "192.168.0.0/16", "192.168.0.0/18")

#: Addresses and a port that no client and no listener has: rules about them change nothing.
STRANGERS = ("203.0.113.0/24", "198.51.100.7/32", "2001:db8:bad::/48")
SSH = 22

_CLB_RANGE = "100.64.0.0/10"


@dataclass
class Draw:
    """The source of chance and the world that is being filled."""

    random: Random
    world: World

    def chance(self, percent: int) -> bool:
        """True in so many cases of a hundred."""
        return self.random.randrange(100) < percent

    def name(self) -> str:
        """A harmless or a hostile name."""
        return self.random.choice(HOSTILE_TEXTS) if self.chance(60) else f"name-{self.random.randrange(1000)}"

    def tags(self) -> dict[str, str]:
        """Up to two tags with any text in them."""
        return {self.name() or "owner": self.name() for _ in range(self.random.randrange(3))}

    def some(self, items: list[str], least: int) -> list[str]:
        """At least so many of the items, in any order."""
        return self.random.sample(items, self.random.randint(least, len(items)))


@dataclass
class Site:
    """A VPC with a vSwitch in each of its zones."""

    vpc: Vpc
    vswitches: dict[str, VSwitch] = field(default_factory=dict)

    @property
    def blocks(self) -> list[str]:
        """All address blocks of the VPC."""
        return [self.vpc.cidr_block, *self.vpc.secondary_cidrs]


def subnet(block: str, number: int) -> str:
    """The /24 with this number inside the block."""
    first, second, third, _ = block.split("/", 1)[0].split(".")
    return f"{first}.{second}.{int(third) + number}.0/24"


def add_site(draw: Draw, account_id: str, region_id: str, zones: list[str]) -> Site:
    """A VPC of any block with a vSwitch per zone."""
    world = draw.world
    site = Site(world.add_vpc(account_id, draw.random.choice(BLOCKS), region_id=region_id, name=draw.name()))
    for number, zone_id in enumerate(zones, 1):
        block = subnet(site.vpc.cidr_block, number)
        site.vswitches[zone_id] = world.add_vswitch(site.vpc, zone_id, block, name=draw.name())
    return site


@dataclass
class Published:
    """A service as its consumers see it: the transport protocols and ports that its load balancers listen on."""

    service: EndpointService
    ports: set[tuple[str, int]]


class Provider:
    """Publishes services of any kind from one VPC."""

    def __init__(self, draw: Draw, account_id: str, region_id: str) -> None:
        self._draw, self._account_id, self._region_id = draw, account_id, region_id
        self._zones = draw.some(list(draw.world.regions[region_id].zones), 2)
        self._site = add_site(draw, account_id, region_id, self._zones)
        self._group_ids = [self._server_group() for _ in range(draw.random.randint(1, 2))]
        self._servers = [self._server(zone) for zone in (*self._zones, *draw.some(self._zones, 0))]
        if draw.chance(30):
            self._fence()

    def publish(self, users: list[str], regions: list[str]) -> Published:
        """One more service for these accounts, open to these further regions."""
        draw = self._draw
        kind = draw.random.choices(("slb", "nlb", "alb", "gwlb"), (60, 20, 14, 6))[0]
        fields: dict[str, str] = {}
        if kind == "gwlb":
            fields["service_type"] = "GatewayLoadBalancer"
        if kind == "nlb" and draw.chance(30):
            fields["address_ip_version"] = "DualStack"
        service = draw.world.add_service(
            self._account_id,
            region_id=self._region_id,
            users=[user for user in users if user != self._account_id and draw.chance(70)],
            supported_regions=[(region, "Available", "Normal") for region in regions],
            resource_type=kind,
            description=draw.name(),
            tags=draw.tags(),
            auto_accept=draw.chance(20),
            zone_affinity=draw.chance(50),
            payer=draw.random.choice(("Endpoint", "EndpointService")),
            connect_bandwidth=draw.random.choice((100, 1024, 3072, 10240)),
            **fields,
        )
        service.arns = [f"acs:ram:*:{user}:*" for user in users if user not in service.users]
        ports = self._clbs(service) if kind == "slb" else self._balancer(service, kind)
        return Published(service, ports)

    # ------------------------------------------------------------------------------------------------------ servers
    def _server_group(self) -> str:
        """Groups may say nothing about the CLB's addresses, admit them, or admit them before they drop the rest."""
        draw = self._draw
        ports = Rule(protocol=draw.random.choice(("TCP", "tcp", "ALL")), cidr=self._site.vpc.cidr_block)
        ports.ports = "-1/-1" if ports.protocol == "ALL" else "1/65535"
        rules = draw.random.choice(
            (
                [],
                [ports],
                [ports, Rule(policy="Drop", protocol="ALL", cidr=draw.random.choice(STRANGERS[:2]))],
                [
                    ports,
                    Rule(protocol="ALL", cidr=_CLB_RANGE, priority=5),
                    Rule(policy="Drop", protocol="ALL", cidr="0.0.0.0/0", priority=draw.random.choice((6, 100))),
                ],
            )
        )
        return draw.world.add_security_group(self._site.vpc, rules, name=draw.name()).security_group_id

    def _server(self, zone_id: str) -> Instance:
        return self._draw.world.add_instance(
            self._site.vswitches[zone_id],
            self._draw.some(self._group_ids, 1),
            name=self._draw.name(),
        )

    def _fence(self) -> None:
        """A network ACL that lets the load balancers through and little else."""
        entries = [
            NetworkAclEntry("drop", "all", "-1/-1", STRANGERS[0]),
            NetworkAclEntry("accept", "all", "-1/-1", _CLB_RANGE),
            NetworkAclEntry("accept", "all", "-1/-1", self._site.vpc.cidr_block),
            NetworkAclEntry("drop", "all", "-1/-1", "0.0.0.0/0", entry_type="system"),
        ]
        vswitches = self._draw.some(list(self._site.vswitches), 1)
        self._draw.world.add_network_acl(
            self._site.vpc, [self._site.vswitches[zone] for zone in vswitches], entries, list(entries)
        )

    # --------------------------------------------------------------------------------------------------------- CLBs
    def _clbs(self, service: EndpointService) -> set[tuple[str, int]]:
        """A CLB per zone, all with the same listeners on groups of their own."""
        draw = self._draw
        zones = draw.some(self._zones, 2)
        shapes = self._shapes()
        for position, zone_id in enumerate(zones):
            clb = draw.world.add_clb(
                self._site.vswitches[zone_id],
                secondary_zone_id=zones[position - 1],
                name=draw.name(),
                tags=draw.tags(),
                spec=draw.random.choice(("slb.lcu.elastic", "slb.s1.small")),
                instance_charge_type=draw.random.choice(("PayByCLCU", "PayBySpec")),
            )
            clb.default_group = self._backends(0) if any(shape == "default" for _, _, shape in shapes) else []
            for protocol, port, shape in shapes:
                self._guard(self._listener(clb, protocol, port, shape))
            draw.world.attach_resource(service, clb)
        return {("udp" if protocol == "udp" else "tcp", port) for protocol, port, _ in shapes}

    def _shapes(self) -> list[tuple[str, int, str]]:
        """Protocol, port and kind of server group of the listeners; an HTTP listener may only redirect."""
        draw = self._draw
        ports = iter(draw.random.sample(range(1000, 40000), 6))
        shapes = [
            draw.random.choice(
                (
                    ("tcp", next(ports), "default"),
                    ("tcp", next(ports), "vserver"),
                    ("tcp", next(ports), "pair"),
                    ("udp", next(ports), "vserver"),
                    ("udp", next(ports), "pair"),
                )
            )
        ]
        if draw.chance(40):
            shapes.append(("udp", shapes[0][1], "vserver") if shapes[0][0] == "tcp" else ("tcp", 53, "default"))
        if draw.chance(50):
            shapes += [("https", 443, draw.random.choice(("vserver", "rules"))), ("http", 80, "redirect")]
        elif draw.chance(50):
            shapes.append(("http", 80, draw.random.choice(("default", "vserver", "rules"))))
        return shapes

    def _listener(self, clb: Clb, protocol: str, port: int, shape: str) -> Listener:
        world, draw = self._draw.world, self._draw
        group: ServerGroup | None = None
        if shape == "redirect":
            return world.add_listener(clb, port, protocol=protocol, forward="on", forward_port=443)
        if shape in ("vserver", "rules"):
            group = world.add_vserver_group(clb, self._backends(8080), name=draw.name())
        if shape == "pair":
            first, second = draw.random.sample(self._servers, 2)
            group = world.add_primary_secondary_group(clb, world.backend(first, 8080), world.backend(second, 8080))
        listener = world.add_listener(clb, port, protocol=protocol, group=group, description=draw.name())
        for number in range(draw.random.randint(1, 3) if shape == "rules" else 0):
            further = world.add_vserver_group(clb, self._backends(8080), name=draw.name())
            world.add_forwarding_rule(listener, further, name=draw.name(), domain=f"h{number}.example", url="/a")
        self._spare(listener, group.servers if group else clb.default_group)
        return listener

    def _backends(self, port: int) -> list[Backend]:
        """Servers in two zones at least, some of them by ENI or with a small weight, now and then a spare one."""
        draw = self._draw
        servers = [self._servers[0], self._servers[1], *draw.random.sample(self._servers[2:], len(self._servers) // 3)]
        backends = [
            Backend(server.eni_id, server.private_ip, port, 50, "eni")
            if draw.chance(20)
            else draw.world.backend(server, port, draw.random.choice((1, 50, 100)))
            for server in servers
        ]
        if draw.chance(30):
            backends.append(draw.world.backend(self._server(draw.random.choice(self._zones)), port, 0))
        return backends

    def _spare(self, listener: Listener, servers: list[Backend]) -> None:
        """What a server of weight 0 does is its own business."""
        for server in servers:
            if server.weight == 0 and not server.role and self._draw.chance(50):
                listener.health[server.server_id] = "abnormal"
                self._draw.world.instances[server.server_id].status = "Stopped"

    def _guard(self, listener: Listener) -> None:
        """A white list of everything or a black list of strangers."""
        draw = self._draw
        if not draw.chance(25):
            return
        white = draw.chance(50)
        entries = ["0.0.0.0/0", STRANGERS[0]] if white else [STRANGERS[0], STRANGERS[1]]
        acl = draw.world.add_acl(self._account_id, entries, region_id=self._region_id, name=draw.name())
        listener.acl_status, listener.acl_type = "on", "white" if white else "black"
        listener.acl_ids = [acl.acl_id]

    # ------------------------------------------------------------------------------------------ NLB, ALB and GWLB
    def _balancer(self, service: EndpointService, kind: str) -> set[tuple[str, int]]:
        """One load balancer in several zones, attached for each of them."""
        draw = self._draw
        zones = draw.some(self._zones, 2)
        balancer = draw.world.add_balancer(
            kind,
            [self._site.vswitches[zone] for zone in zones],
            name=draw.name(),
            tags=draw.tags(),
            address_type=draw.random.choice(("Intranet", "Internet")) if kind != "gwlb" else "Intranet",
            address_ip_version="DualStack" if service.address_ip_version == "DualStack" else "Ipv4",
        )
        offered = {"nlb": ["TCP", "UDP"], "alb": ["HTTP", "HTTPS", "QUIC"], "gwlb": [""]}[kind]
        protocols = draw.some(offered, 1)
        if kind == "nlb" and draw.chance(20):
            protocols.append("TCPSSL")  # out of reach through an endpoint, and harmless beside others
        ports = set()
        for protocol in protocols:
            port = draw.random.randrange(1000, 40000) if protocol else 0
            servers = [BalancerServer(s.instance_id, s.private_ip, 8080, zone_id=s.zone_id) for s in self._servers]
            group = draw.world.add_balancer_group(balancer, servers, protocol=protocol or "GENEVE", name=draw.name())
            draw.world.add_balancer_listener(balancer, protocol, port, group)
            if protocol:
                ports.add(("udp" if protocol in ("UDP", "QUIC") else "tcp", port))
        for zone in zones:
            draw.world.attach_resource(service, balancer, zone)
        return ports
