"""The consumer's half of a random deployment: clients, security groups in every style, endpoints."""

from __future__ import annotations

import ipaddress
from typing import Any

from auditor.simulator.estate_services import SSH, STRANGERS, Draw, Published, Site, add_site, subnet
from auditor.simulator.objects import Endpoint, NetworkAclEntry, Rule, SecurityGroup
from auditor.simulator.world import World

_PROTOCOLS = {"tcp": ("TCP", "tcp", "Tcp", "6"), "udp": ("UDP", "udp", "17")}


class Consumer:
    """Connects endpoints of one VPC to services."""

    def __init__(self, draw: Draw, account_id: str, region_id: str) -> None:
        self._draw, self._account_id, self._region_id = draw, account_id, region_id
        self._zones = list(draw.world.regions[region_id].zones)
        self._site = add_site(draw, account_id, region_id, self._zones)
        if draw.chance(30):
            self._site.vpc.secondary_cidrs.append("172.31.0.0/16")
        self._client_group = self._clients()
        if draw.chance(35):
            self._fence()

    @property
    def region_id(self) -> str:
        """Where the VPC is."""
        return self._region_id

    @property
    def account_id(self) -> str:
        """Whose the VPC is."""
        return self._account_id

    def connect(self, published: Published) -> Endpoint:
        """One more endpoint, in two zones or more."""
        draw, service = self._draw, published.service
        crossing = service.region_id != self._region_id
        zones = draw.some(self._zones if crossing else service.zones, 2)
        fields: dict[str, Any] = {"bandwidth": draw.random.choice((100, 3072, 10240))}
        if crossing:
            fields["cross_region_bandwidth"] = draw.random.choice((100, 1000))
        if service.address_ip_version == "DualStack" and draw.chance(60):
            fields["address_ip_version"] = "DualStack"
        gateway = service.service_type == "GatewayLoadBalancer"
        endpoint = draw.world.add_endpoint(
            self._site.vpc,
            service,
            [self._site.vswitches[zone] for zone in zones],
            [] if gateway else self._groups(published.ports),
            accepted=True,
            name=draw.name(),
            description=draw.name(),
            tags=draw.tags(),
            zone_affinity=draw.chance(50),
            **fields,
        )
        for position, zone in enumerate(endpoint.zones):
            if crossing:
                zone.resource_id = service.resources[position % len(service.resources)].resource_id
            if endpoint.address_ip_version == "DualStack":
                self._site.vswitches[zone.zone_id].ipv6_cidr_block = "2001:db8:1:2::/64"
                zone.ipv6_address = f"2001:db8:1:2::{position + 10:x}"
        if draw.chance(15):
            zone = draw.random.choice(endpoint.zones)
            zone.status, zone.replaced_eni_id = draw.random.choice(("Migrating", "Migrated")), "eni-replaced"
        return endpoint

    # ------------------------------------------------------------------------------------------------------ clients
    def _clients(self) -> SecurityGroup:
        """Instances whose groups let them send: basic ones without a rule, or with one before a drop, advanced ones."""
        draw, world = self._draw, self._draw.world
        style = draw.random.choice(("silent", "ordered", "advanced"))
        rules = []
        if style != "silent":
            rules.append(Rule("egress", protocol="ALL", cidr="0.0.0.0/0", priority=draw.random.choice((1, 50))))
            rules.append(Rule("egress", "Drop", protocol="ALL", cidr="0.0.0.0/0", priority=100))
        group = world.add_security_group(self._site.vpc, rules, name=draw.name())
        if style == "advanced":
            group.group_type, group.inner_access_policy = "enterprise", "Drop"
        for zone_id in draw.some(self._zones, 1):
            world.add_instance(self._site.vswitches[zone_id], [group.security_group_id], name=draw.name())
        return group

    def _fence(self) -> None:
        """A network ACL on some vSwitches that admits the VPC in both directions and little else."""
        draw = self._draw
        entries = [NetworkAclEntry("drop", "all", "-1/-1", STRANGERS[0])]
        for block in self._site.blocks:
            if draw.chance(50):
                entries.append(NetworkAclEntry("accept", "all", "-1/-1", block))
            else:
                entries += [NetworkAclEntry("accept", protocol, "1/65535", block) for protocol in ("tcp", "udp")]
        entries.append(NetworkAclEntry("drop", "all", "-1/-1", "0.0.0.0/0", entry_type="system"))
        chosen = [self._site.vswitches[zone] for zone in draw.some(self._zones, 1)]
        draw.world.add_network_acl(self._site.vpc, chosen, entries, list(entries))

    # ---------------------------------------------------------------------------------------------- security groups
    def _groups(self, ports: set[tuple[str, int]]) -> list[SecurityGroup]:
        """One to four groups of one type that together admit clients on every port, with drops that stop nobody."""
        draw, world = self._draw, self._draw.world
        advanced = draw.chance(25)
        groups = [
            world.add_security_group(self._site.vpc, name=draw.name(), description=draw.name())
            for _ in range(draw.random.randint(1, 4))
        ]
        for group in groups:
            if advanced:
                group.group_type, group.inner_access_policy = "enterprise", "Drop"
            else:
                group.inner_access_policy = draw.random.choice(("Accept", "Drop"))
            if draw.chance(50):
                group.rules.append(self._harmless_drop())
        rules = AcceptRules(draw, self._site, self._client_group, advanced)
        for protocol, port in sorted(ports):
            for rule in rules.admit(protocol, port):
                draw.random.choice(groups).rules.append(rule)
        if draw.chance(40):
            last = Rule(policy="Drop", protocol="ALL", cidr="0.0.0.0/0", priority=100)
            draw.random.choice(groups).rules.append(last)
        for group in groups:
            draw.random.shuffle(group.rules)
        return groups

    def _harmless_drop(self) -> Rule:
        """A drop of strangers, of a port nobody serves, of IPv6, or of what leaves."""
        draw = self._draw
        return draw.random.choice(
            (
                Rule(policy="Drop", protocol="ALL", cidr=STRANGERS[0], priority=1),
                Rule(policy="Drop", ports=f"{SSH}/{SSH}", cidr="0.0.0.0/0", priority=1),
                Rule(policy="Drop", protocol="ICMP", cidr="0.0.0.0/0", priority=1),
                Rule(policy="Drop", protocol="ALL", ipv6_cidr=STRANGERS[2], priority=1),
                Rule("egress", "Drop", protocol="ALL", cidr=STRANGERS[1], priority=1),
            )
        )


class AcceptRules:
    """Rules of one endpoint that admit clients on a port, in any of the ways that a security group offers."""

    def __init__(self, draw: Draw, site: Site, client_group: SecurityGroup, advanced: bool) -> None:
        self._draw, self._site = draw, site
        self._styles = ["port", "range", "all", "prefix list", "port list", "halves", "two priorities", "five-tuple"]
        if not advanced and client_group.group_type == "normal":
            self._styles.append("source group")
        self._client_group = client_group

    @property
    def _world(self) -> World:
        return self._draw.world

    def admit(self, protocol: str, port: int) -> list[Rule]:
        """Rules that admit all clients or a part of them."""
        draw, block = self._draw, self._site.vpc.cidr_block
        style = draw.random.choice(self._styles)
        name, priority = draw.random.choice(_PROTOCOLS[protocol]), draw.random.randint(2, 90)
        base = Rule(protocol=name, ports=f"{port}/{port}", cidr=block, priority=priority, description=draw.name())
        if style == "range":
            base.ports = f"{max(port - draw.random.randrange(50), 1)}/{port + draw.random.randrange(50)}"
        elif style == "all":
            base.protocol, base.ports = "ALL", "-1/-1"
        elif style == "prefix list":
            base.cidr, base.prefix_list_id = "", self._prefix_list(block)
        elif style == "port list":
            base.port_list_id = self._port_list(port)
        elif style == "source group":
            base.cidr, base.group_id = "", self._client_group.security_group_id
        elif style == "five-tuple":
            base.dest_cidr, base.source_ports = block, draw.random.choice(("1/65535", "-1/-1"))
        elif style == "halves":
            first, second = ipaddress.ip_network(block).subnets()
            return [self._of(base, str(first), priority), self._of(base, str(second), priority + 1)]
        elif style == "two priorities":
            narrow = subnet(block, 1)
            return [base, self._of(base, narrow, priority - 1)]
        return [base]

    def _of(self, rule: Rule, cidr: str, priority: int) -> Rule:
        return Rule(protocol=rule.protocol, ports=rule.ports, cidr=cidr, priority=priority)

    def _prefix_list(self, block: str) -> str:
        made = self._world.add_prefix_list(
            self._site.vpc.account_id,
            [block, STRANGERS[0]],
            region_id=self._site.vpc.region_id,
            name=self._draw.name(),
        )
        return made.prefix_list_id

    def _port_list(self, port: int) -> str:
        made = self._world.add_port_list(
            self._site.vpc.account_id,
            [f"{port}/{port}", "9000/9010"],
            region_id=self._site.vpc.region_id,
            name=self._draw.name(),
        )
        return made.port_list_id
