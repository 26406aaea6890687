"""One whole deployment in memory, from clients to backends, with everything read; tests break it hop by hop."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

from auditor.facts.paths import compute_paths
from auditor.findings import Finding, Hop, PathVerdict
from auditor.inventory.coverage import ANY_TARGET, coverage_frame
from auditor.inventory.normalize import table_frame
from auditor.inventory.schema import TABLES
from auditor.inventory.snapshot import Snapshot
from auditor.spec import EndpointSpec, Port, ServiceSpec, Spec

CONSUMER, PROVIDER, REGION = "1000000000000001", "2000000000000002", "eu-central-1"
ZONE, OTHER_ZONE = "eu-central-1a", "eu-central-1b"
NOW = "2026-01-01T00:00:00Z"

Rows = dict[str, list[dict[str, Any]]]

#: Tables whose rows belong to the provider; the others are the consumer's unless a row says otherwise.
_PROVIDERS = frozenset({
    "endpoint_services", "service_resources", "service_users", "connections", "connection_zones", "load_balancers",
    "listeners", "listener_acls", "acl_entries", "server_groups", "backends", "health_status", "instances",
    "instance_security_groups",
})  # fmt: skip

#: Lists by parent that only the owner of the parent can read.
_PROVIDERS_OWN = _PROVIDERS - {"instances", "instance_security_groups"}
_CONSUMERS_OWN = frozenset({"endpoint_zones", "endpoint_security_groups"})

_CONDITIONS = dict.fromkeys(
    (
        "port_list_id", "source_cidr", "ipv6_source_cidr", "source_group_id", "source_group_owner",
        "source_prefix_list_id", "source_port_range", "dest_cidr", "ipv6_dest_cidr", "dest_group_id",
        "dest_prefix_list_id",
    ),
    "",
)  # fmt: skip


def rule(group: str, direction: str, policy: str, cidr: str, **columns: Any) -> dict[str, Any]:
    """A security group rule for tcp/80 and priority 1 unless the columns say otherwise."""
    side = "source_cidr" if direction == "ingress" else "dest_cidr"
    return {
        "security_group_id": group, "rule_id": f"sgr-{group}-{direction}-{policy}-{cidr}", "direction": direction,
        "policy": policy, "priority": 1, "protocol": "TCP", "port_range": "80/80", **_CONDITIONS, side: cidr, **columns,
    }  # fmt: skip


def entry(acl: str, direction: str, position: int, policy: str, cidr: str, port: str = "-1/-1") -> dict[str, Any]:
    """A network ACL entry for all protocols."""
    return {
        "network_acl_id": acl, "direction": direction, "position": position,
        "entry_id": f"nae-{acl}-{direction}-{position}", "policy": policy,
        "protocol": "all", "port": port, "cidr": cidr,
    }  # fmt: skip


def eni(rows: Rows, eni_id: str, address: str, group: str, vpc: str, **columns: Any) -> None:
    """Adds an ENI to the three tables that know it."""
    place = {"eni_id": eni_id, "vpc_id": vpc}
    row = {**place, "private_ip": address, "instance_id": "", "service_managed": False, **columns}
    rows.setdefault("network_interfaces", []).append(row)
    rows.setdefault("eni_addresses", []).append({**place, "address": address})
    rows.setdefault("eni_security_groups", []).append({**place, "security_group_id": group})


def deployment() -> Rows:
    """ep-1 of VPC vpc-c (clients in 10.0.1.0/24, ENI in 10.0.2.0/24) to epsrv-1 on lb-1 with two instances."""
    rows: Rows = {
        "accounts": [{"account_id": CONSUMER, "profile": "consumer"}, {"account_id": PROVIDER, "profile": "provider"}],
        "endpoints": [{
            "endpoint_id": "ep-1", "endpoint_name": "orders", "endpoint_status": "Active",
            "connection_status": "Connected", "endpoint_business_status": "Normal", "endpoint_type": "Interface",
            "vpc_id": "vpc-c", "service_id": "epsrv-1", "service_region_id": REGION, "same_account": False,
            "address_ip_version": "IPv4",
        }],
        "endpoint_zones": [{
            "endpoint_id": "ep-1", "zone_id": ZONE, "zone_status": "Connected", "eni_id": "eni-ep",
            "eni_ip": "10.0.2.9", "vswitch_id": "vsw-e",
        }],
        "endpoint_security_groups": [
            {"endpoint_id": "ep-1", "security_group_id": "sg-e", "security_group_status": "Attached"}
        ],
        "security_groups": [
            {"security_group_id": "sg-e", "security_group_type": "normal", "vpc_id": "vpc-c"},
            {"security_group_id": "sg-c", "security_group_type": "normal", "vpc_id": "vpc-c"},
            {"security_group_id": "sg-b", "security_group_type": "normal", "vpc_id": "vpc-p", "account_id": PROVIDER},
        ],
        "security_group_policies": [
            {"security_group_id": "sg-e", "inner_access_policy": "Accept"},
            {"security_group_id": "sg-c", "inner_access_policy": "Accept"},
            {"security_group_id": "sg-b", "inner_access_policy": "Accept", "account_id": PROVIDER},
        ],
        "security_group_rules": [rule("sg-e", "ingress", "Accept", "10.0.0.0/16")],
        "vpc_cidrs": [{"vpc_id": "vpc-c", "cidr": "10.0.0.0/16"}],
        "vswitches": [
            {"vswitch_id": "vsw-c", "vpc_id": "vpc-c", "zone_id": ZONE, "cidr_block": "10.0.1.0/24",
             "ipv6_cidr_block": "", "network_acl_id": ""},
            {"vswitch_id": "vsw-e", "vpc_id": "vpc-c", "zone_id": ZONE, "cidr_block": "10.0.2.0/24",
             "ipv6_cidr_block": "", "network_acl_id": ""},
            {"vswitch_id": "vsw-b", "vpc_id": "vpc-p", "zone_id": ZONE, "cidr_block": "192.168.1.0/24",
             "ipv6_cidr_block": "", "network_acl_id": "", "account_id": PROVIDER},
        ],
        "endpoint_services": [{
            "service_id": "epsrv-1", "service_status": "Active", "service_business_status": "Normal",
            "service_resource_type": "slb", "service_type": "Interface", "address_ip_version": "IPv4",
        }],
        "service_resources": [{
            "service_id": "epsrv-1", "resource_id": "lb-1", "resource_type": "slb", "zone_id": ZONE,
            "vpc_id": "vpc-p", "vswitch_id": "vsw-b", "resource_region_id": REGION,
        }],
        "service_users": [{"service_id": "epsrv-1", "entry": CONSUMER, "entry_type": "account"}],
        "connections": [{
            "service_id": "epsrv-1", "endpoint_id": "ep-1", "connection_status": "Connected",
            "endpoint_owner_id": CONSUMER, "endpoint_vpc_id": "vpc-c", "endpoint_region_id": REGION,
            "service_region_id": REGION, "same_account": False,
        }],
        "connection_zones": [{
            "service_id": "epsrv-1", "endpoint_id": "ep-1", "zone_id": ZONE, "zone_status": "Connected",
            "resource_id": "lb-1", "eni_id": "eni-ep", "vswitch_id": "vsw-e",
        }],
        "load_balancers": [{
            "load_balancer_id": "lb-1", "load_balancer_type": "slb", "load_balancer_status": "active",
            "address_type": "intranet", "address_ip_version": "ipv4", "pay_type": "PayOnDemand",
            "network_type": "vpc", "vpc_id": "vpc-p", "vswitch_id": "vsw-b", "primary_zone_id": ZONE,
            "secondary_zone_id": OTHER_ZONE,
        }],
        "listeners": [{
            "load_balancer_id": "lb-1", "protocol": "tcp", "port": 80, "status": "running", "vserver_group_id": "rsp-1",
            "primary_secondary_group_id": "", "acl_status": "off", "health_check": "on", "listener_forward": "",
            "health_check_port": 0,
        }],
        "server_groups": [{"server_group_id": "rsp-1", "load_balancer_id": "lb-1", "group_type": "vserver"}],
        "backends": [],
        "health_status": [],
        "instances": [],
        "instance_security_groups": [],
    }  # fmt: skip
    for number in (1, 2):
        name = f"i-{number}"
        rows["backends"].append({
            "server_group_id": "rsp-1", "server_id": name, "server_type": "ecs", "server_ip": f"192.168.1.{number}",
            "port": 8080, "weight": 100, "role": "",
        })  # fmt: skip
        rows["health_status"].append({
            "load_balancer_id": "lb-1", "protocol": "tcp", "listener_port": 80, "server_id": name,
            "server_ip": f"192.168.1.{number}", "port": 8080, "health_status": "normal",
        })  # fmt: skip
        rows["instances"].append({
            "instance_id": name, "status": "Running", "vpc_id": "vpc-p", "vswitch_id": "vsw-b", "zone_id": ZONE,
            "instance_region_id": REGION,
        })  # fmt: skip
        rows["instance_security_groups"].append({"instance_id": name, "security_group_id": "sg-b"})
    eni(rows, "eni-ep", "10.0.2.9", "sg-e", "vpc-c", service_managed=True)
    eni(rows, "eni-c", "10.0.1.7", "sg-c", "vpc-c", instance_id="i-client")
    return rows


def broken(*faults: Callable[[Rows], None]) -> Rows:
    """The deployment with faults in it."""
    rows = copy.deepcopy(deployment())
    for fault in faults:
        fault(rows)
    return rows


def _frames() -> Callable[[str, list[dict[str, Any]]], Any]:
    """Frames by their rows: most tables of most tests are those of the sound deployment."""
    known: dict[str, list[tuple[list[dict[str, Any]], Any]]] = {}

    def frame(name: str, rows: list[dict[str, Any]]) -> Any:
        ours = known.setdefault(name, [])
        found = next((made for before, made in ours if before == rows), None)
        if found is None:
            found = table_frame(name, rows)
            ours[3:] = [(copy.deepcopy(rows), found)]
        return found

    return frame


_frame = _frames()


@cache
def _coverage(unread: frozenset[str], audited: frozenset[str], asked: tuple[tuple[str, str], ...]) -> Any:
    """Coverage of every table in the audited accounts: everything was asked, or only what `asked` owns."""
    coverage: list[dict[str, Any]] = []
    for name, table in TABLES.items():
        for account in sorted(audited):
            targets = {ANY_TARGET}
            if len(audited) == 1:
                other = _CONSUMERS_OWN if account == PROVIDER else _PROVIDERS_OWN
                whole = not (table.parent or table.by_id)
                targets = (
                    {""} if whole else set() if name in other else {id_ for owner, id_ in asked if owner == account}
                )
            read = {"complete": True} if name not in unread else {
                "complete": False, "error_code": "Forbidden.RAM", "message": "refused",
            }  # fmt: skip
            where = {"account_id": account, "region_id": REGION, "operation": "test:Test", "table_name": name}
            coverage.extend({**where, **read, "target": target} for target in sorted(targets))
    return coverage_frame(coverage)


def snapshot(
    rows: Mapping[str, list[dict[str, Any]]],
    *,
    unread: Iterable[str] = (),
    audited: Iterable[str] = (CONSUMER, PROVIDER),
) -> Snapshot:
    """A snapshot in which every list was read, but for the tables `unread`, by the accounts `audited`."""
    given = frozenset(audited)
    tables = {}
    asked: set[tuple[str, str]] = set()
    for name in TABLES:
        owner = PROVIDER if name in _PROVIDERS else CONSUMER
        own = {"account_id": owner} if name == "accounts" else {"account_id": owner, "region_id": REGION}
        placed = [{**own, **row} for row in rows.get(name, [])]
        placed = [row for row in placed if row["account_id"] in given]
        tables[name] = _frame(name, placed)
        if len(given) == 1:
            asked |= {
                (row["account_id"], value)
                for row in placed
                for column, value in row.items()
                if column.endswith("_id") and isinstance(value, str)
            }
    meta = {"started_at": NOW, "finished_at": NOW, "accounts": [], "regions": [REGION]}
    return Snapshot(tables, _coverage(frozenset(unread), given, tuple(sorted(asked))), meta)


def declared(*clients: str, ports: Iterable[str] = ("tcp/80",)) -> Spec:
    """A specification with the port tcp/80 and these clients (none: not declared)."""
    pairs = [port.split("/") for port in ports]
    return Spec(
        services={"epsrv-1": ServiceSpec(ports=tuple(Port(protocol, int(port)) for protocol, port in pairs))},
        endpoints={"ep-1": EndpointSpec(clients=clients or None)},
    )


def follow(rows: Rows, spec: Spec | None = None, findings: Iterable[Finding] = (), **options: Any) -> list[PathVerdict]:
    """The paths of these rows."""
    return compute_paths(snapshot(rows, **options), spec or declared(), findings)


def hop(path: PathVerdict, kind: str) -> Hop:
    """The hop of a kind."""
    (found,) = [hop for hop in path.hops if hop.kind == kind]
    return found
