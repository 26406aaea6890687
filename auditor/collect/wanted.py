"""Wanted: the tables somebody asked for, and those that must be read to get at them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from auditor.inventory.schema import TABLES

# What must be read to get at a table.
PREREQUISITES: dict[str, tuple[str, ...]] = {
    "service_resources": ("endpoint_services",),
    "service_users": ("endpoint_services",),
    "service_supported_regions": ("endpoint_services",),
    "connections": ("endpoint_services",),
    "connection_zones": ("connections",),
    "privatelink_zones": ("endpoint_services",),
    "product_activations": ("endpoint_services", "endpoints"),
    "endpoint_attributes": ("endpoints",),
    "endpoint_zones": ("endpoints",),
    "endpoint_security_groups": ("endpoints",),
    "visible_services": ("endpoints",),
    "visible_service_zones": ("visible_services",),
    "load_balancers": ("service_resources",),
    "load_balancer_zones": ("service_resources",),
    "eip_addresses": ("service_resources",),
    "listeners": ("service_resources",),
    "listener_acls": ("listeners",),
    "forwarding_rules": ("listeners",),
    "server_groups": ("listeners", "forwarding_rules"),
    "backends": ("listeners", "forwarding_rules"),
    "health_status": ("service_resources",),
    "acl_entries": ("listener_acls",),
    "vpc_cidrs": ("vpcs",),
    "network_acls": ("vswitches",),
    "network_acl_entries": ("network_acls",),
    "network_interfaces": ("endpoints",),
    "eni_addresses": ("network_interfaces",),
    "eni_security_groups": ("network_interfaces",),
    "instances": ("backends", "server_groups"),
    "instance_security_groups": ("instances",),
    "security_groups": ("endpoint_security_groups",),
    "security_group_policies": ("endpoint_security_groups",),
    "security_group_rules": ("endpoint_security_groups",),
    "prefix_lists": ("security_group_rules",),
    "prefix_list_entries": ("security_group_rules",),
    "port_list_entries": ("security_group_rules",),
    "resource_attributes": ("endpoint_services", "endpoints", "listeners", "vpcs", "security_groups", "server_groups"),
    "resource_tags": ("endpoint_services", "endpoints", "service_resources"),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """The tables somebody asked for, and those that must be read to get at them."""

    tables: frozenset[str]
    #: As asked for: some lists are only widened on request (rules of client groups, of backend groups).
    asked: frozenset[str]
    clients: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def any(self, *tables: str) -> bool:
        return not self.tables.isdisjoint(tables)

    def clients_of(self, endpoint_id: str) -> tuple[str, ...]:
        """Declared clients of an endpoint: its own, else those of `*`."""
        return self.clients.get(endpoint_id, self.clients.get("*", ()))


def wanted_tables(tables: Collection[str] | None, clients: Mapping[str, tuple[str, ...]] | None = None) -> Wanted:
    """The tables asked for and everything that must be read to get at them; None asks for all.

    Tables that only a user can give are left out.  Raises KeyError for a table that is not declared.
    """
    named = frozenset(TABLES if tables is None else tables)
    asked = frozenset(table for table in named if not TABLES[table].given)
    closed = {*asked, "accounts", "endpoints", "endpoint_services"}
    queue = list(asked)
    while queue:
        for needed in PREREQUISITES.get(queue.pop(), ()):
            if needed not in closed:
                closed.add(needed)
                queue.append(needed)
    return Wanted(frozenset(closed), asked, dict(clients or {}))
