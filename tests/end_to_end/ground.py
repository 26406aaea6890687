"""A faultless deployment in two zones on both sides, on which the tests of the catalogue plant faults."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from auditor.simulator.objects import (
    Backend,
    Balancer,
    BalancerServer,
    Clb,
    Endpoint,
    EndpointService,
    Instance,
    Rule,
    SecurityGroup,
    VSwitch,
)
from auditor.simulator.paths import CLIENTS, CONSUMER, PROVIDER, allow
from auditor.simulator.world import World
from auditor.spec import Spec
from auditor.spec_file import spec_from_mapping

REGION = "eu-central-1"


def hours_ago(hours: int) -> str:
    """A time as the connection list shows it."""
    return (datetime.now(UTC) - timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")


class Ground:
    """A world with a service `epsrv-front` in zones a, b and c that endpoints can use, and builders of sound objects.

    Ids are the kind and the name: `ep-<name>` with its group `sg-<name>`, `lb-<name>`, `epsrv-<name>` with its CLBs
    `lb-<name>-a` and `lb-<name>-b`, `i-<name>`.  Zone d has no load balancer.
    """

    def __init__(self) -> None:
        world = self.world = World()
        self.services: dict[str, Any] = {}
        self.endpoints: dict[str, Any] = {}
        self.require: dict[str, Any] = {}
        self.profiles = ["provider", "consumer"]
        world.add_account(PROVIDER, "provider")
        world.add_account(CONSUMER, "consumer")
        for letter in "cd":
            world.regions[REGION].zones[f"{REGION}{letter}"] = f"Frankfurt Zone {letter.upper()}"
        self.consumer_vpc = world.add_vpc(CONSUMER, CLIENTS, id="vpc-consumer", name="VPC 1")
        self.provider_vpc = world.add_vpc(PROVIDER, "192.168.0.0/16", id="vpc-provider", name="VPC 2")
        self.near = {
            letter: world.add_vswitch(
                self.consumer_vpc, f"{REGION}{letter}", f"10.10.{number}.0/24", id=f"vsw-near-{letter}"
            )
            for number, letter in enumerate("abcd", 1)
        }
        self.far = {
            letter: world.add_vswitch(
                self.provider_vpc, f"{REGION}{letter}", f"192.168.{number}.0/24", id=f"vsw-far-{letter}"
            )
            for number, letter in enumerate("abcd", 1)
        }
        self._blocks = iter(range(100, 250))
        self.clients = world.add_security_group(self.consumer_vpc, id="sg-clients", name="clients")
        self.client = world.add_instance(self.near["b"], ["sg-clients"], id="i-client", name="client")
        self.servers = world.add_security_group(
            self.provider_vpc, [allow(80, "192.168.0.0/16")], id="sg-servers", name="servers"
        )
        self.instances = [self.server(f"server-{letter}", letter) for letter in "ab"]
        self.front = world.add_service(PROVIDER, users=[CONSUMER], id="epsrv-front", description="front")
        for letter, other in ("ab", "ba", "ca"):
            self.clb(f"front-{letter}", letter, other, service=self.front)
        # One endpoint uses it whatever is planted, or its whitelist would have an unused entry.
        self.endpoint("front")
        #: A service that nobody may use: what is wrong with its load balancers concerns no endpoint.
        self.parts = self.service("parts")

    # ------------------------------------------------------------------------------------------------ declarations
    @property
    def spec(self) -> Spec:
        """What the faults declared."""
        return spec_from_mapping(
            {"version": 1, "services": self.services, "endpoints": self.endpoints, "require": self.require},
            "plaudit.yaml",
        )

    # ------------------------------------------------------------------------------------------------ provider side
    def server(
        self, name: str, letter: str = "b", *, groups: Sequence[str] = ("sg-servers",), vswitch: VSwitch | None = None
    ) -> Instance:
        """An instance that can be a backend."""
        return self.world.add_instance(vswitch or self.far[letter], list(groups), id=f"i-{name}", name=name)

    def clb(
        self,
        name: str,
        letter: str = "b",
        other: str = "a",
        *,
        service: EndpointService | None = None,
        servers: Iterable[Instance] = (),
        listeners: bool = True,
        zone_id: str = "",
        vswitch: VSwitch | None = None,
        **fields: Any,
    ) -> Clb:
        """A CLB with its primary zone and listener tcp/80, attached to a service; more servers join the usual two."""
        clb = self.world.add_clb(
            vswitch or self.far[letter],
            secondary_zone_id=f"{REGION}{other}" if other else "",
            id=f"lb-{name}",
            name=name,
            **fields,
        )
        clb.default_group = [self.world.backend(instance) for instance in (*self.instances, *servers)]
        if listeners:
            self.world.add_listener(clb, 80)
        self.world.attach_resource(service or self.parts, clb, zone_id)
        return clb

    def backends(self, port: int = 80) -> list[Backend]:
        """The usual two servers for a vServer group."""
        return [self.world.backend(instance, port) for instance in self.instances]

    def service(self, name: str, *, users: Sequence[str] = (), letters: str = "ab", **fields: Any) -> EndpointService:
        """A service with a CLB in each zone, without any user but its owner."""
        service = self.world.add_service(PROVIDER, users=users, id=f"epsrv-{name}", description=name, **fields)
        for letter in letters:
            self.clb(f"{name}-{letter}", letter, "a" if letter != "a" else "b", service=service)
        return service

    def used_service(self, name: str, **fields: Any) -> tuple[EndpointService, Endpoint]:
        """A service of its own with one endpoint of the consumer."""
        service = self.service(name, users=[CONSUMER], **fields)
        return service, self.endpoint(name, service)

    def balancer_service(
        self, kind: str, name: str, *, protocol: str = "TCP", users: Sequence[str] = (), **fields: Any
    ) -> tuple[Balancer, EndpointService]:
        """A service on one NLB, ALB or GWLB in zones a and b, `<kind>-<name>`."""
        world = self.world
        balancer = world.add_balancer(kind, [self.far["a"], self.far["b"]], id=f"{kind}-{name}", name=name)
        servers = [BalancerServer(i.instance_id, i.private_ip, 80, zone_id=i.zone_id) for i in self.instances]
        group = world.add_balancer_group(balancer, servers, protocol="GENEVE" if kind == "gwlb" else protocol)
        gwlb = kind == "gwlb"
        world.add_balancer_listener(balancer, "" if gwlb else protocol, 0 if gwlb else 80, group)
        fields.setdefault("service_type", "GatewayLoadBalancer" if gwlb else "Interface")
        service = world.add_service(PROVIDER, users=users, id=f"epsrv-{name}", resource_type=kind, **fields)
        for letter in "ab":
            world.attach_resource(service, balancer, f"{REGION}{letter}")
        return balancer, service

    # ------------------------------------------------------------------------------------------------ consumer side
    def endpoint(
        self,
        name: str,
        service: EndpointService | None = None,
        *,
        letters: str = "ab",
        vswitches: Sequence[VSwitch] = (),
        rules: Iterable[Rule] | None = None,
        groups: Sequence[SecurityGroup | str] | None = None,
        **fields: Any,
    ) -> Endpoint:
        """A connected endpoint of `epsrv-front` or another service with a group of its own that admits tcp/80."""
        if groups is None:
            groups = [self.group(name, [allow(80, CLIENTS)] if rules is None else rules)]
        return self.world.add_endpoint(
            self.consumer_vpc,
            service or self.front,
            vswitches or [self.near[letter] for letter in letters],
            groups,
            id=f"ep-{name}",
            accepted=True,
            **{"name": name, **fields},
        )

    def group(self, name: str, rules: Iterable[Rule] = (), **fields: Any) -> SecurityGroup:
        """A security group of the endpoints' VPC."""
        return self.world.add_security_group(self.consumer_vpc, rules, id=f"sg-{name}", name=name, **fields)

    def near_vswitch(self, name: str, letter: str = "b", **fields: Any) -> VSwitch:
        """One more vSwitch of the endpoints' VPC."""
        return self.world.add_vswitch(
            self.consumer_vpc, f"{REGION}{letter}", f"10.10.{next(self._blocks)}.0/24", id=f"vsw-{name}", **fields
        )

    def far_vswitch(self, name: str, letter: str = "b", **fields: Any) -> VSwitch:
        """One more vSwitch of the load balancers' VPC."""
        return self.world.add_vswitch(
            self.provider_vpc, f"{REGION}{letter}", f"192.168.{next(self._blocks)}.0/24", id=f"vsw-{name}", **fields
        )

    def remote_endpoint(
        self, name: str, service: EndpointService, region_id: str = "ap-southeast-1", **fields: Any
    ) -> Endpoint:
        """A cross-region endpoint with 100 Mbit/s, served in both its zones."""
        world = self.world
        vpc = world.add_vpc(CONSUMER, CLIENTS, region_id=region_id, id=f"vpc-{name}")
        vswitches = [
            world.add_vswitch(vpc, zone_id, f"10.10.{number}.0/24", id=f"vsw-{name}-{number}")
            for number, zone_id in enumerate(list(world.regions[region_id].zones)[:2], 1)
        ]
        group = world.add_security_group(vpc, [allow(80, CLIENTS)], id=f"sg-{name}")
        endpoint = world.add_endpoint(
            vpc,
            service,
            vswitches,
            [group],
            id=f"ep-{name}",
            accepted=True,
            **{"cross_region_bandwidth": 100, **fields},
        )
        for zone, resource in zip(endpoint.zones, service.resources, strict=False):
            zone.resource_id = resource.resource_id
        return endpoint


Verdict = tuple[str, str]
Plant = Callable[[Ground], None]


@dataclass(frozen=True)
class Fault:
    """A planted fault: what must fail, what must fail with it and why, and what must be reported as a risk.

    `world` names the world it is planted in; faults of one world are collected and judged together.
    """

    name: str
    plant: Plant
    fails: frozenset[Verdict]
    companions: Mapping[Verdict, str]
    risks: frozenset[Verdict]
    world: str

    @property
    def expected(self) -> frozenset[Verdict]:
        """Everything that must fail."""
        return self.fails | frozenset(self.companions)


def verdicts(*texts: str) -> frozenset[Verdict]:
    """`"RES-002 lb-x"` as (rule id, resource id)."""
    return frozenset((text.split(" ", 1)[0], text.split(" ", 1)[1]) for text in texts)


@dataclass
class Table:
    """The faults of one module, in order."""

    faults: list[Fault] = field(default_factory=list)

    def fault(
        self, *fails: str, companions: Mapping[str, str] | None = None, risks: Sequence[str] = (), world: str = "shared"
    ) -> Callable[[Plant], Plant]:
        """Register a function that plants a fault."""

        def register(plant: Plant) -> Plant:
            reasons = {next(iter(verdicts(text))): why for text, why in (companions or {}).items()}
            self.faults.append(Fault(plant.__name__, plant, verdicts(*fails), reasons, verdicts(*risks), world))
            return plant

        return register
