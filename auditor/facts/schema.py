"""The declared fact tables: what SQL should not compute.

A fact row carries its own verdict: a NULL verdict comes with a `reason`.  `sources` are the inventory tables a fact is
computed from; whoever selects a rule that reads the fact collects these.
"""

from __future__ import annotations

from dataclasses import dataclass

from auditor.inventory.schema import Column, ColumnType


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact table."""

    name: str
    sentence: str
    sources: tuple[str, ...]
    columns: tuple[Column, ...]


def _c(name: str, type_: ColumnType, sentence: str) -> Column:
    return Column(name, type_, "", sentence)


_LISTENER_SOURCES = ("endpoints", "service_resources", "listeners")
_ACCESS_SOURCES = (
    *_LISTENER_SOURCES,
    "endpoint_zones",
    "endpoint_security_groups",
    "security_groups",
    "security_group_policies",
    "security_group_rules",
    "prefix_list_entries",
    "port_list_entries",
    "network_interfaces",
    "eni_addresses",
    "eni_security_groups",
    "vpc_cidrs",
)

_FACTS = (
    Fact(
        "service_principals",
        "Whitelist entries, understood: whom each one admits.",
        ("service_users",),
        (
            _c("service_id", "text", "Endpoint service id."),
            _c("entry", "text", "The entry as the API gives it."),
            _c("account_id", "text", "Account id it admits; NULL if it admits everybody or was not understood."),
            _c("everyone", "bool", "It admits every account; NULL if it was not understood."),
            _c("owner_account_id", "text", "Account that owns the service (whose credentials read the whitelist)."),
        ),
    ),
    Fact(
        "endpoint_ports",
        "Ports on which the clients of an endpoint are to be served: declared ones, else the running listeners.",
        _LISTENER_SOURCES,
        (
            _c("endpoint_id", "text", "Endpoint id."),
            _c("service_id", "text", "Endpoint service id."),
            _c("protocol", "text", "Transport protocol, tcp or udp; NULL where the ports are not known."),
            _c("port", "int", "Port; NULL where the ports are not known."),
            _c("declared", "bool", "The specification names the port."),
            _c("reason", "text", "Why the ports are not known."),
        ),
    ),
    Fact(
        "endpoint_clients",
        "Clients of an endpoint: declared ones, else the IPv4 blocks of its VPC.",
        ("endpoints", "endpoint_zones", "vpc_cidrs", "network_interfaces", "eni_addresses", "eni_security_groups"),
        (
            _c("endpoint_id", "text", "Endpoint id."),
            _c("client", "text", "CIDR block, instance id or security group id; NULL where none is known."),
            _c("declared", "bool", "The specification names the client."),
            _c("addresses", "text", "Its address blocks, separated by commas; NULL if not known."),
            _c("reason", "text", "Why the client or its addresses are not known."),
        ),
    ),
    Fact(
        "endpoint_access",
        "Which clients the security groups of an endpoint admit, per endpoint ENI, port and client.",
        _ACCESS_SOURCES,
        (
            _c("endpoint_id", "text", "Endpoint id."),
            _c("zone_id", "text", "Endpoint zone."),
            _c("eni_id", "text", "Endpoint ENI."),
            _c("eni_ip", "text", "Address of the endpoint ENI."),
            _c("protocol", "text", "tcp or udp."),
            _c("port", "int", "Port."),
            _c("client", "text", "The client as in endpoint_clients."),
            _c("declared", "bool", "The specification names the client."),
            _c("verdict", "text", "all, part or none of the client is admitted; NULL if that is not decided."),
            _c("admitted", "text", "Admitted address blocks."),
            _c("denied", "text", "Denied address blocks."),
            _c("undecided", "text", "Address blocks that could not be decided."),
            _c("decided_by", "text", "Rule ids that decided, separated by commas; 'intra-group' and 'default' too."),
            _c("intra_group_only", "bool", "Everything admitted is admitted by the intra-group policy alone."),
            _c("shadowed", "bool", "Some client packet matches an Accept behind a Drop; NULL if not decided."),
            _c("shadowed_by", "text", "The Drop and the Accept rule, as '<drop> before <accept>'."),
            _c("reason", "text", "Why it is not decided."),
        ),
    ),
    Fact(
        "endpoint_exposure",
        "Whether a listener port of an endpoint is open to 0.0.0.0/0 or ::/0 by an effective rule.",
        _ACCESS_SOURCES,
        (
            _c("endpoint_id", "text", "Endpoint id."),
            _c("eni_id", "text", "Endpoint ENI."),
            _c("protocol", "text", "tcp or udp."),
            _c("port", "int", "Port."),
            _c("open", "bool", "An Accept from everywhere decides for some address; NULL if not decided."),
            _c("rules", "text", "Ids of those rules."),
            _c("reason", "text", "Why it is not decided."),
        ),
    ),
    Fact(
        "client_egress",
        "Whether the security groups of a client ENI let it reach an endpoint ENI.",
        _ACCESS_SOURCES,
        (
            _c("endpoint_id", "text", "Endpoint id."),
            _c("client_eni_id", "text", "ENI of the client."),
            _c("instance_id", "text", "Instance of the client, if any."),
            _c("declared", "bool", "The specification names the client."),
            _c("eni_id", "text", "Endpoint ENI."),
            _c("protocol", "text", "tcp or udp."),
            _c("port", "int", "Port."),
            _c("allowed", "bool", "Egress is allowed; NULL if not decided."),
            _c("decided_by", "text", "Rule id, 'intra-group' or 'default'."),
            _c("reason", "text", "Why it is not decided."),
        ),
    ),
    Fact(
        "endpoint_acl_access",
        "Which clients the network ACL of an endpoint ENI lets through, request and reply, per port and client.",
        (
            *_LISTENER_SOURCES,
            "endpoint_zones",
            "vswitches",
            "network_acl_entries",
            "prefix_list_entries",
            "network_interfaces",
            "eni_addresses",
            "eni_security_groups",
            "vpc_cidrs",
        ),
        (
            _c("endpoint_id", "text", "Endpoint id."),
            _c("zone_id", "text", "Endpoint zone."),
            _c("eni_id", "text", "Endpoint ENI."),
            _c("vswitch_id", "text", "vSwitch of the ENI."),
            _c("network_acl_id", "text", "Its network ACL, empty for none."),
            _c("protocol", "text", "tcp or udp."),
            _c("port", "int", "Port."),
            _c("client", "text", "The client as in endpoint_clients."),
            _c("declared", "bool", "The specification names the client."),
            _c("verdict", "text", "all, part or none of the client gets through; NULL if that is not decided."),
            _c("admitted", "text", "Address blocks that get through."),
            _c("denied", "text", "Address blocks that do not."),
            _c("undecided", "text", "Address blocks that could not be decided."),
            _c("decided_by", "text", "Entries that decided, separated by commas; 'default' too."),
            _c("reason", "text", "Why it is not decided."),
        ),
    ),
    Fact(
        "client_acl_access",
        "Whether the network ACL of a client's vSwitch lets the exchange with an endpoint ENI through.",
        (
            *_LISTENER_SOURCES,
            "endpoint_zones",
            "vswitches",
            "network_acl_entries",
            "prefix_list_entries",
            "network_interfaces",
            "eni_addresses",
            "eni_security_groups",
            "vpc_cidrs",
        ),
        (
            _c("endpoint_id", "text", "Endpoint id."),
            _c("zone_id", "text", "Endpoint zone."),
            _c("eni_id", "text", "Endpoint ENI."),
            _c("vswitch_id", "text", "vSwitch that holds clients; NULL where the vSwitches are not known."),
            _c("network_acl_id", "text", "Its network ACL, empty for none."),
            _c("declared", "bool", "The specification names the clients."),
            _c("protocol", "text", "tcp or udp."),
            _c("port", "int", "Port."),
            _c("allowed", "bool", "Request and reply pass; NULL if not decided."),
            _c("decided_by", "text", "Entries that decided, separated by commas; 'default' too."),
            _c("reason", "text", "Why it is not decided."),
        ),
    ),
    Fact(
        "backend_access",
        "What the security groups and the network ACL of a backend do to the load balancer's range 100.64.0.0/10.",
        (
            "listeners",
            "forwarding_rules",
            "server_groups",
            "backends",
            "health_status",
            "instances",
            "instance_security_groups",
            "network_interfaces",
            "eni_addresses",
            "eni_security_groups",
            "security_groups",
            "security_group_policies",
            "security_group_rules",
            "prefix_list_entries",
            "port_list_entries",
            "vswitches",
            "network_acl_entries",
            "vpc_cidrs",
        ),
        (
            _c("load_balancer_id", "text", "Load balancer id."),
            _c("protocol", "text", "Protocol of the listener."),
            _c("listener_port", "int", "Port of the listener."),
            _c("server_id", "text", "Backend server; NULL where the servers are not known."),
            _c("port", "int", "Backend port, or health check port."),
            _c("groups_drop", "bool", "An explicit Drop rule matches a part of the range; NULL if not decided."),
            _c("groups_by", "text", "Ids of those rules."),
            _c("groups_reason", "text", "Why it is not decided."),
            _c("vswitch_id", "text", "vSwitch of the backend."),
            _c("network_acl_id", "text", "Its network ACL, empty for none."),
            _c("acl_drops", "bool", "The ACL drops a part of the range or of the replies; NULL if not decided."),
            _c("acl_by", "text", "Entries that decided."),
            _c("acl_reason", "text", "Why it is not decided."),
        ),
    ),
    Fact(
        "group_references",
        "Lists and groups that rules of endpoint security groups name, and whether they resolve.",
        (
            "endpoints",
            "endpoint_security_groups",
            "security_group_rules",
            "security_groups",
            "prefix_list_entries",
            "port_list_entries",
            "prefix_lists",
        ),
        (
            _c("endpoint_id", "text", "Endpoint id."),
            _c("security_group_id", "text", "Group whose rule names it."),
            _c("rule_id", "text", "That rule."),
            _c("reference_type", "text", "prefix_list, port_list or security_group; NULL if the rules are not known."),
            _c("reference_id", "text", "What is named."),
            _c("state", "text", "resolved, missing or empty; NULL if it could not be read."),
            _c("reason", "text", "Why it could not be read."),
        ),
    ),
    Fact(
        "listener_groups",
        "Server groups that receive the requests of a CLB listener: the effective one, and those of forwarding rules.",
        ("listeners", "forwarding_rules"),
        (
            _c("load_balancer_id", "text", "Load balancer id."),
            _c("protocol", "text", "Protocol of the listener."),
            _c("port", "int", "Port of the listener."),
            _c("server_group_id", "text", "Server group id; NULL if it could not be told which one."),
            _c("group_type", "text", "default, vserver, primary_secondary, nlb or alb."),
            _c("origin", "text", "listener or forwarding_rule."),
            _c("rule_id", "text", "Forwarding rule, if it is one."),
            _c("reason", "text", "Why the group is not known."),
        ),
    ),
    Fact(
        "listener_backends",
        "Backend servers of those groups with weight, role and health as this listener sees them.",
        ("listeners", "forwarding_rules", "server_groups", "backends", "health_status"),
        (
            _c("load_balancer_id", "text", "Load balancer id."),
            _c("protocol", "text", "Protocol of the listener."),
            _c("listener_port", "int", "Port of the listener."),
            _c("server_group_id", "text", "Server group id."),
            _c("origin", "text", "listener or forwarding_rule."),
            _c("server_id", "text", "Backend server id."),
            _c("server_type", "text", "ecs, eni, eci or ip."),
            _c("server_ip", "text", "Address, where known."),
            _c("backend_port", "int", "Port on the backend server."),
            _c("weight", "int", "0 to 100; NULL if not read."),
            _c("role", "text", "Master, Slave or empty."),
            _c("serving", "bool", "Weight above 0; NULL if the weight was not read."),
            _c("health_status", "text", "normal, abnormal, unavailable; NULL if no row names this server."),
            _c("reason", "text", "Why the group, its servers or the health are not known; server_id may be NULL then."),
        ),
    ),
    Fact(
        "listener_access_lists",
        "What the access control lists of a CLB listener hold; listeners that have them switched off are left out.",
        (
            "listeners",
            "listener_acls",
            "acl_entries",
            "service_resources",
            "connections",
            "endpoints",
            "endpoint_zones",
            "vpc_cidrs",
            "network_interfaces",
            "eni_addresses",
            "eni_security_groups",
        ),
        (
            _c("load_balancer_id", "text", "Load balancer id."),
            _c("protocol", "text", "Protocol of the listener."),
            _c("port", "int", "Port of the listener."),
            _c("acl_ids", "text", "Ids of the lists, separated by commas."),
            _c("entries", "int", "Number of entries; NULL if not all lists were read."),
            _c("everything", "bool", "The entries together hold every IPv4 address; NULL if that is not decided."),
            _c("touches_known", "bool", "An entry meets 100.64.0.0/10 or clients of the service; NULL if not decided."),
            _c("reason", "text", "Why it is not decided."),
        ),
    ),
    Fact(
        "endpoint_eni_places",
        "Whether the address of an endpoint ENI lies in its vSwitch; zones whose vSwitch does not exist are left out.",
        ("endpoint_zones", "vswitches"),
        (
            _c("endpoint_id", "text", "Endpoint id."),
            _c("zone_id", "text", "Endpoint zone."),
            _c("eni_id", "text", "Endpoint ENI."),
            _c("eni_ip", "text", "Its address."),
            _c("vswitch_id", "text", "Its vSwitch."),
            _c("cidr", "text", "IPv4 block of the vSwitch."),
            _c("inside", "bool", "The address lies in the block; NULL if not known."),
            _c("reserved", "bool", "It is the first or one of the last three addresses; NULL if not known."),
            _c("reason", "text", "Why it is not known."),
        ),
    ),
)

#: Every fact table by name.
FACTS: dict[str, Fact] = {fact.name: fact for fact in _FACTS}
