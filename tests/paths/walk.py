"""A second opinion on paths: packets of every client address, one by one, through a small random deployment.

It knows the deployment as it was drawn, not the tables, and shares no code with `auditor.facts`.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.paths.deployment import PROVIDER, ZONE, Rows, deployment, eni, entry, rule

ENI = "10.0.0.9"
VPC = "10.0.0.0/28"
#: The vSwitches of the VPC: one with clients only, one with the endpoint ENI, one address block in none.
VSWITCHES = {"vsw-c": "10.0.0.0/30", "vsw-d": "10.0.0.4/30", "vsw-e": "10.0.0.8/30"}
BLOCKS = (
    "0.0.0.0/0", "10.0.0.0/28", "10.0.0.0/29", "10.0.0.8/29", "10.0.0.0/30", "10.0.0.4/30", "10.0.0.8/30",
    "10.0.0.5/32", "10.0.0.9/32", "10.0.0.2/31", "192.0.2.0/24",
)  # fmt: skip
PORTS = ("1/65535", "80/80", "1024/65535", "1024/32767", "32768/65535", "443/443")
#: Tables whose rows are all drawn.
_DRAWN = (
    "network_interfaces", "eni_addresses", "eni_security_groups", "security_group_rules", "network_acl_entries",
    "backends", "health_status", "instances", "instance_security_groups",
)  # fmt: skip
EPHEMERAL = (1024, 32767, 32768, 65535)

Rule = tuple[str, int, str, str]
Entry = tuple[str, str, str]


@dataclass
class Small:
    """A drawn deployment."""

    groups: dict[str, dict[str, Any]] = field(default_factory=dict)
    enis: dict[str, tuple[str, bool]] = field(default_factory=dict)
    acls: dict[str, dict[str, list[Entry]]] = field(default_factory=dict)
    clients: tuple[str, ...] | None = None
    zone: str = "Connected"
    connection: str = "Connected"
    endpoint: str = "Active"
    service: str = "Active"
    locked: tuple[str, str] = ("Normal", "Normal")
    whitelisted: bool = True
    resource: str = "there"
    balancer: str = "active"
    listener: str = "running"
    health_check: str = "on"
    servers: list[tuple[int, str, str]] = field(default_factory=list)


def draw(random: Random) -> Small:
    """A deployment; every part is sound more often than not, so that faults meet in all combinations."""

    def mostly(good: Any, *bad: Any, often: float = 0.88) -> Any:
        return good if random.random() < often else random.choice(bad)

    def rules(count: int) -> list[Rule]:
        return [
            (random.choice(("Accept", "Drop")), random.randint(1, 3), random.choice(BLOCKS), random.choice(PORTS))
            for _ in range(count)
        ]

    small = Small()
    for name in ("sg-e", "sg-c", "sg-d"):
        small.groups[name] = {
            "kind": mostly("normal", "enterprise"), "inner": random.choice(("Accept", "Drop")),
            "ingress": rules(random.randint(0, 3)), "egress": rules(random.choice((0, 0, 1, 2))),
        }  # fmt: skip
    if random.random() < 0.6:
        small.groups["sg-e"]["ingress"].append(("Accept", 2, random.choice(("10.0.0.0/28", "0.0.0.0/0")), "80/80"))
    for address in random.sample(["10.0.0.1", "10.0.0.2", "10.0.0.5", "10.0.0.6", "10.0.0.10"], random.randint(0, 3)):
        small.enis[address] = random.choice(("sg-c", "sg-d", "sg-e")), random.random() < 0.15
    for vswitch in VSWITCHES:
        if random.random() < 0.4:
            small.acls[vswitch] = {
                way: [
                    (mostly("accept", "drop", often=0.6), random.choice(BLOCKS), random.choice(PORTS))
                    for _ in range(random.randint(0, 2))
                ] + [("accept", "0.0.0.0/0", "-1/-1")] * mostly(1, 0, often=0.7)
                for way in ("ingress", "egress")
            }  # fmt: skip
    if random.random() < 0.5:
        some = [
            "10.0.0.0/30",
            "10.0.0.4/30",
            "10.0.0.5/32",
            "10.0.0.2/31",
            "10.0.0.8/30",
            "10.0.0.12/30",
            "10.0.0.0/28",
        ]
        small.clients = tuple(random.sample(some, random.randint(1, 2)))
    small.zone = mostly("Connected", "Disconnected", "Connecting", "Migrated")
    small.connection = mostly("Connected", "Disconnected", "Connecting")
    small.endpoint = mostly("Active", "Deleting", "Pending", often=0.95)
    small.service = mostly("Active", "Deleting", "Pending", often=0.95)
    small.locked = mostly("Normal", "FinancialLocked", often=0.95), mostly("Normal", "FinancialLocked", often=0.95)
    small.whitelisted = random.random() < 0.8
    small.resource = mostly("there", "none", "elsewhere", "unused", often=0.92)
    small.balancer = mostly("active", "inactive", "locked", "", often=0.95)
    small.listener = mostly("running", "stopped", "missing", "starting", often=0.92)
    small.health_check = mostly("on", "off", often=0.95)
    small.servers = [
        (mostly(100, 0), mostly("normal", "abnormal", "unavailable"), mostly("Running", "Stopped", "Starting"))
        for _ in range(random.choice((0, 1, 1, 2, 2, 2, 3)))
    ]
    return small


def rows_of(small: Small) -> Rows:
    """The deployment as the inventory tells it."""
    rows = deployment()
    for table in _DRAWN:
        rows[table] = []
    provider_group = [row for row in rows["security_groups"] if row["security_group_id"] == "sg-b"]
    provider_policy = [row for row in rows["security_group_policies"] if row["security_group_id"] == "sg-b"]
    rows["security_groups"], rows["security_group_policies"] = provider_group, provider_policy
    for name, group in small.groups.items():
        rows["security_groups"].append(
            {"security_group_id": name, "security_group_type": group["kind"], "vpc_id": "vpc-c"}
        )
        rows["security_group_policies"].append({"security_group_id": name, "inner_access_policy": group["inner"]})
        for direction in ("ingress", "egress"):
            for number, (policy, priority, cidr, ports) in enumerate(group[direction]):
                more = {"priority": priority, "port_range": ports, "rule_id": f"{name}{direction}{number}"}
                rows["security_group_rules"].append(rule(name, direction, policy, cidr, **more))
    eni(rows, "eni-ep", ENI, "sg-e", "vpc-c", service_managed=True)
    for number, (address, (group, managed)) in enumerate(small.enis.items()):
        eni(rows, f"eni-{number}", address, group, "vpc-c", service_managed=managed)
    rows["vpc_cidrs"] = [{"vpc_id": "vpc-c", "cidr": VPC}]
    rows["vswitches"] = [row for row in rows["vswitches"] if row["vswitch_id"] == "vsw-b"]
    for vswitch, cidr in VSWITCHES.items():
        acl = f"nacl-{vswitch}" if vswitch in small.acls else ""
        rows["vswitches"].append({"vswitch_id": vswitch, "vpc_id": "vpc-c", "zone_id": ZONE, "cidr_block": cidr,
                                  "ipv6_cidr_block": "", "network_acl_id": acl})  # fmt: skip
        for way, entries in small.acls.get(vswitch, {}).items():
            for number, (policy, block, ports) in enumerate(entries):
                rows["network_acl_entries"].append(entry(acl, way, number, policy, block, ports))
    rows["endpoint_zones"][0] |= {"eni_ip": ENI, "zone_status": small.zone}
    rows["connection_zones"][0]["zone_status"] = small.zone
    rows["endpoints"][0] |= {"endpoint_status": small.endpoint, "connection_status": small.connection,
                             "endpoint_business_status": small.locked[0]}  # fmt: skip
    rows["connections"][0]["connection_status"] = small.connection
    rows["endpoint_services"][0] |= {"service_status": small.service, "service_business_status": small.locked[1]}
    if not small.whitelisted:
        rows["service_users"] = [{"service_id": "epsrv-1", "entry": PROVIDER, "entry_type": "account"}]
    match small.resource:
        case "none":
            rows["service_resources"] = []
        case "elsewhere":
            rows["service_resources"][0]["zone_id"] = "eu-central-1b"
        case "unused":
            rows["connection_zones"][0]["resource_id"] = ""
    rows["load_balancers"][0]["load_balancer_status"] = small.balancer
    rows["listeners"][0] |= {"status": small.listener, "health_check": small.health_check}
    if small.listener == "missing":
        rows["listeners"][0] |= {"port": 81, "status": "running"}
    for number, (weight, health, status) in enumerate(small.servers):
        name = f"i-{number}"
        rows["backends"].append({"server_group_id": "rsp-1", "server_id": name, "server_type": "ecs",
                                 "server_ip": "192.168.1.7", "port": 8080, "weight": weight, "role": ""})  # fmt: skip
        rows["health_status"].append(
            {"load_balancer_id": "lb-1", "protocol": "tcp", "listener_port": rows["listeners"][0]["port"],
             "server_id": name, "server_ip": "192.168.1.7", "port": 8080, "health_status": health}
        )  # fmt: skip
        rows["instances"].append({"instance_id": name, "status": status, "vpc_id": "vpc-p", "vswitch_id": "vsw-b",
                                  "zone_id": ZONE, "instance_region_id": "eu-central-1"})  # fmt: skip
        rows["instance_security_groups"].append({"instance_id": name, "security_group_id": "sg-b"})
    return rows


# -------------------------------------------------------------------------------------------------------- the walk
def _in(address: str, block: str) -> bool:
    return ipaddress.ip_address(address) in ipaddress.ip_network(block)


def _port_in(port: int, ports: str) -> bool:
    low, high = ports.split("/")
    return ports == "-1/-1" or int(low) <= port <= int(high)


def _by_rules(rules: list[Rule], peer: str, port: int) -> str | None:
    hits = [(priority, policy == "Accept", policy) for policy, priority, cidr, ports in rules
            if _in(peer, cidr) and _port_in(port, ports)]  # fmt: skip
    return min(hits)[2] if hits else None


def sends(small: Small, address: str) -> bool:
    """Whether whoever sits at an address may send to the ENI; nobody sits there: nothing keeps it."""
    if address not in small.enis:
        return True
    name, _ = small.enis[address]
    group = small.groups[name]
    if name == "sg-e" and group["kind"] == "normal" and group["inner"] == "Accept":
        return True
    decided = _by_rules(group["egress"], ENI, 80)
    return group["kind"] == "normal" if decided is None else decided == "Accept"


def admitted(small: Small, address: str) -> bool:
    """Whether the group of the ENI admits an address."""
    group = small.groups["sg-e"]
    if small.enis.get(address, ("", False))[0] == "sg-e" and group["kind"] == "normal" and group["inner"] == "Accept":
        return True
    return _by_rules(group["ingress"], address, 80) == "Accept"


def _entry(entries: list[Entry], peer: str, port: int) -> bool:
    for policy, cidr, ports in entries:
        if _in(peer, cidr) and _port_in(port, ports):
            return policy == "accept"
    return False


def exchange(small: Small, vswitch: str, peer: str, there: str, back: str) -> bool | None:
    """Request and reply through the ACL of a vSwitch; None if the reply passes to some ephemeral ports only."""
    acl = small.acls.get(vswitch)
    if acl is None:
        return True
    replies = {_entry(acl[back], peer, port) for port in EPHEMERAL}
    if not _entry(acl[there], peer, 80) or replies == {False}:
        return False
    return True if replies == {True} else None


def home(address: str) -> str | None:
    """The vSwitch of an address."""
    return next((name for name, block in VSWITCHES.items() if _in(address, block)), None)


def from_home(small: Small, address: str) -> bool | None:
    """Whether the exchange passes the ACL of the client's vSwitch."""
    vswitch = home(address)
    return True if vswitch in (None, "vsw-e") else exchange(small, vswitch, ENI, "egress", "ingress")


def at_endpoint(small: Small, address: str) -> bool | None:
    """Whether the exchange passes the ACL of the ENI's vSwitch."""
    return True if home(address) == "vsw-e" else exchange(small, "vsw-e", address, "ingress", "egress")


def _all(verdicts: list[bool | None]) -> bool | None:
    return False if False in verdicts else None if None in verdicts else True


def _any(verdicts: list[bool | None]) -> bool | None:
    return True if True in verdicts else None if None in verdicts else False


def _whole(verdicts: list[bool | None]) -> bool | None:
    """Of a declared client: admitted and denied parts make a failure; denied and undecided ones are not decided."""
    found = set(verdicts)
    if found == {True}:
        return True
    return False if found == {False} or found >= {True, False} else None


def clients_pass(small: Small) -> bool | None:
    """Whether the clients get to the ENI, address by address."""
    everywhere = [str(address) for address in ipaddress.ip_network(VPC)]
    if small.clients is not None:
        parts = []
        for client in small.clients:
            every = [a for a in everywhere if _in(a, client)]
            own = [a for a in every if a != ENI] or every
            parts.append(_whole([admitted(small, a) for a in own]))
            parts.append(_whole([at_endpoint(small, a) for a in every]))
            parts.extend(from_home(small, a) for a in every)
            parts.extend(sends(small, a) for a in every if a in small.enis and not small.enis[a][1])
        return _all(parts)
    possible = [a for a in everywhere if home(a) and a != ENI and not small.enis.get(a, ("", False))[1]]
    together = [
        _all([sends(small, a), from_home(small, a), at_endpoint(small, a), admitted(small, a)]) for a in possible
    ]
    there = [sends(small, a) for a, (_, managed) in small.enis.items() if not managed]
    return False if there and not any(there) else _any(together)


def rest_passes(small: Small) -> bool | None:
    """Whether what reaches the ENI gets to a server that answers."""
    up = {"Connected": True, "Migrated": True, "Disconnected": False}
    checks: list[bool | None] = [
        {"Active": True, "Deleting": False}.get(small.endpoint),
        {"Active": True, "Deleting": False}.get(small.service),
        {"Connected": True, "Disconnected": False}.get(small.connection),
        "FinancialLocked" not in small.locked,
        {"active": True, "inactive": False, "locked": False}.get(small.balancer),
        {"running": True, "stopped": False, "missing": False}.get(small.listener),
    ]
    zone = up.get(small.zone)
    checks.append(None if zone is False and small.connection == "Connecting" else zone)
    if small.connection != "Connected":
        checks.append(small.whitelisted)
    if small.resource in ("none", "elsewhere"):
        checks.append(False)
    elif small.resource == "unused":
        checks.append(False if small.zone == "Connected" else None)
    if small.listener != "missing":
        checks.append(bool(small.servers))
        if small.servers:
            failed = any(health == "abnormal" and weight for weight, health, _ in small.servers)
            checks.append(_any([_server(small, server, failed) for server in small.servers]))
    return _all(checks)


def _server(small: Small, server: tuple[int, str, str], failed: bool) -> bool | None:
    weight, health, status = server
    healthy = {"normal": True, "abnormal": False}.get(health)
    if healthy is None and failed:
        healthy = False
    return _all([
        weight > 0,
        healthy if small.health_check == "on" else None,
        {"Running": True, "Stopped": False}.get(status),
    ])  # fmt: skip


def walk(small: Small) -> str:
    """The verdict of the walk."""
    return {True: "reachable", False: "blocked", None: "unknown"}[_all([clients_pass(small), rest_passes(small)])]
