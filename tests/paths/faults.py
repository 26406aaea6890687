"""Faults that break one hop each, and what has to be said of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tests.paths.deployment import CONSUMER, OTHER_ZONE, PROVIDER, Rows, entry, rule


class Planted(NamedTuple):
    """A fault: the hop it breaks, the rule to name, whose it is, and how to plant it."""

    kind: str
    rule_id: str
    account_id: str
    plant: Callable[[Rows], None]


def _set(table: str, column: str, value: object, number: int | None = None) -> Callable[[Rows], None]:
    def plant(rows: Rows) -> None:
        for row in rows[table] if number is None else rows[table][number : number + 1]:
            row[column] = value

    return plant


def _clear(table: str) -> Callable[[Rows], None]:
    def plant(rows: Rows) -> None:
        rows[table] = []

    return plant


def _group_rule(group: str, direction: str, policy: str, cidr: str, **columns: object) -> Callable[[Rows], None]:
    def plant(rows: Rows) -> None:
        rows["security_group_rules"].append(rule(group, direction, policy, cidr, **columns))

    return plant


def _acl(vswitch: str, acl: str, direction: str, cidr: str) -> Callable[[Rows], None]:
    """An ACL that drops `cidr` in one direction and admits the rest."""

    def plant(rows: Rows) -> None:
        (row,) = [row for row in rows["vswitches"] if row["vswitch_id"] == vswitch]
        row["network_acl_id"] = acl
        entries = rows.setdefault("network_acl_entries", [])
        entries.append(entry(acl, direction, 1, "drop", cidr))
        entries.extend(entry(acl, way, 2, "accept", "0.0.0.0/0") for way in ("ingress", "egress"))

    return plant


def _no_rule(rows: Rows) -> None:
    rows["security_group_rules"] = [row for row in rows["security_group_rules"] if row["security_group_id"] != "sg-e"]


def _service_status(status: str) -> Callable[[Rows], None]:
    return _set("endpoint_services", "service_status", status)


def _disconnected(rows: Rows) -> None:
    _set("endpoints", "connection_status", "Disconnected")(rows)
    _set("connections", "connection_status", "Disconnected")(rows)


def _black_list(rows: Rows) -> None:
    rows["listeners"][0] |= {"acl_status": "on", "acl_type": "black"}
    rows["listener_acls"] = [{"load_balancer_id": "lb-1", "protocol": "tcp", "port": 80, "acl_id": "acl-1",
                              "account_id": PROVIDER}]  # fmt: skip
    rows["acl_entries"] = [
        {"acl_id": "acl-1", "entry": block, "account_id": PROVIDER} for block in ("0.0.0.0/1", "128.0.0.0/1")
    ]


def _other_port(rows: Rows) -> None:
    for table, column in (("listeners", "port"), ("health_status", "listener_port")):
        for row in rows[table]:
            row[column] = 443


FAULTS: dict[str, Planted] = {
    "egress": Planted("client_egress", "SG-002", CONSUMER, _group_rule("sg-c", "egress", "Drop", "10.0.2.0/24")),
    "client-acl": Planted("client_network_acl", "NET-008", CONSUMER, _acl("vsw-c", "nacl-c", "egress", "10.0.2.9/32")),
    "client-acl-reply": Planted(
        "client_network_acl", "NET-008", CONSUMER, _acl("vsw-c", "nacl-c", "ingress", "10.0.2.9/32")
    ),
    "acl": Planted("network_acl", "NET-006", CONSUMER, _acl("vsw-e", "nacl-e", "ingress", "10.0.0.0/16")),
    "acl-reply": Planted("network_acl", "NET-006", CONSUMER, _acl("vsw-e", "nacl-e", "egress", "10.0.0.0/16")),
    "no-rule": Planted("security_groups", "SG-001", CONSUMER, _no_rule),
    "drop": Planted("security_groups", "SG-001", CONSUMER, _group_rule("sg-e", "ingress", "Drop", "0.0.0.0/0")),
    "no-group": Planted("security_groups", "EP-005", CONSUMER, _clear("endpoint_security_groups")),
    "no-address": Planted("endpoint_zone", "EP-003", CONSUMER, _set("endpoint_zones", "eni_ip", "")),
    "no-eni": Planted("endpoint_zone", "EP-003", CONSUMER, _set("endpoint_zones", "eni_id", "")),
    "zone-cut": Planted("endpoint_zone", "ZONE-005", CONSUMER, _set("endpoint_zones", "zone_status", "Disconnected")),
    "endpoint-going": Planted("endpoint_zone", "EP-002", CONSUMER, _set("endpoints", "endpoint_status", "Deleting")),
    "disconnected": Planted("connection", "CONN-001", PROVIDER, _disconnected),
    "service-going": Planted("connection", "CONN-005", PROVIDER, _service_status("Deleting")),
    "service-locked": Planted(
        "connection", "CONN-006", PROVIDER, _set("endpoint_services", "service_business_status", "FinancialLocked")
    ),
    "endpoint-locked": Planted(
        "connection", "CONN-006", CONSUMER, _set("endpoints", "endpoint_business_status", "FinancialLocked")
    ),
    "no-resource": Planted("service_resource", "RES-001", PROVIDER, _clear("service_resources")),
    "other-zone": Planted("service_resource", "ZONE-001", CONSUMER, _set("service_resources", "zone_id", OTHER_ZONE)),
    "nobody-serves": Planted("service_resource", "ZONE-004", PROVIDER, _set("connection_zones", "resource_id", "")),
    "inactive": Planted(
        "load_balancer", "CLB-001", PROVIDER, _set("load_balancers", "load_balancer_status", "inactive")
    ),
    "internet": Planted("load_balancer", "RES-003", PROVIDER, _set("load_balancers", "address_type", "internet")),
    "classic": Planted("load_balancer", "RES-004", PROVIDER, _set("load_balancers", "network_type", "classic")),
    "prepaid": Planted("load_balancer", "RES-002", PROVIDER, _set("load_balancers", "pay_type", "PrePay")),
    "ipv6": Planted("load_balancer", "RES-005", PROVIDER, _set("load_balancers", "address_ip_version", "ipv6")),
    "moved": Planted("load_balancer", "RES-006", PROVIDER, _set("load_balancers", "vpc_id", "vpc-else")),
    "stopped": Planted("listener", "LSN-003", PROVIDER, _set("listeners", "status", "stopped")),
    "black-list": Planted("listener", "LSN-006", PROVIDER, _black_list),
    "other-port": Planted("listener", "LSN-002", PROVIDER, _other_port),
    "empty-group": Planted("server_group", "BE-001", PROVIDER, _clear("backends")),
    "weights": Planted("backend", "BE-002", PROVIDER, _set("backends", "weight", 0)),
    "unhealthy": Planted("backend", "BE-003", PROVIDER, _set("health_status", "health_status", "abnormal")),
    "instances-off": Planted("backend", "BE-005", PROVIDER, _set("instances", "status", "Stopped")),
    "backend-drop": Planted(
        "backend", "BE-008", PROVIDER, _group_rule("sg-b", "ingress", "Drop", "100.64.0.0/10", port_range="8080/8080")
    ),
    "backend-acl": Planted("backend", "NET-007", PROVIDER, _acl("vsw-b", "nacl-b", "ingress", "100.64.0.0/10")),
}

#: Pairs of which the second cannot be seen because of the first: a listener that is not there leads to no servers, a
#: group without servers has none to judge, and what clients may send to an address is not known without the address,
#: nor for which VPC a load balancer was attached that is attached no more.
HIDES = {
    ("other-port", "server_group"),
    ("other-port", "backend"),
    ("empty-group", "backend"),
    ("no-address", "client_egress"),
    ("no-address", "client_network_acl"),
    ("no-resource", "moved"),
}
