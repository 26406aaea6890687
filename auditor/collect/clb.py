"""CLB: load balancers, listeners, forwarding rules, server groups, health and access control lists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from auditor.collect.attributes import add_attributes
from auditor.collect.caller import Caller, Listing, id_parameters
from auditor.collect.fields import Item, Rows, Value, flag, known, lower, number, text
from auditor.collect.operations import OPERATIONS

LOAD_BALANCERS = "slb:DescribeLoadBalancers"
LISTENERS = "slb:DescribeLoadBalancerListeners"
HEALTH = "slb:DescribeHealthStatus"
ATTRIBUTE = "slb:DescribeLoadBalancerAttribute"
VSERVER_GROUP = "slb:DescribeVServerGroupAttribute"
PRIMARY_SECONDARY_GROUP = "slb:DescribeMasterSlaveServerGroupAttribute"
RULES = "slb:DescribeRules"
ACL = "slb:DescribeAccessControlListAttribute"

_CONFIGS = {
    "tcp": "TCPListenerConfig",
    "udp": "UDPListenerConfig",
    "http": "HTTPListenerConfig",
    "https": "HTTPSListenerConfig",
}

# ---------------------------------------------------------------------------------------------------------- fetch


def fetch(caller: Caller, region: str, operation: str, ids: Sequence[str]) -> Listing:
    """The list of an operation for a batch of ids, as many as the operation takes."""
    return caller.list(operation, region, id_parameters(OPERATIONS[operation], ids))


def fetch_rules(caller: Caller, region: str, load_balancer_id: str, protocol: str, port: int) -> Listing:
    """Forwarding rules of one HTTP or HTTPS listener."""
    return caller.list(
        RULES,
        region,
        {"LoadBalancerId": load_balancer_id, "ListenerProtocol": protocol, "ListenerPort": port},
    )


# ----------------------------------------------------------------------------------------------------------- rows


def load_balancer_rows(items: Iterable[Item], asked: Sequence[str]) -> Rows:
    """`load_balancers` and `resource_tags` of the CLBs that were asked for; others are left out."""
    rows = Rows()
    for item in items:
        clb = text(item, "LoadBalancerId")
        if known(clb) and clb not in asked:
            continue
        rows.add(
            "load_balancers",
            known(clb) or None,
            load_balancer_id=clb,
            load_balancer_type="slb",
            load_balancer_name=text(item, "LoadBalancerName"),
            load_balancer_status=text(item, "LoadBalancerStatus"),
            address=text(item, "Address"),
            address_type=text(item, "AddressType"),
            address_ip_version=text(item, "AddressIPVersion"),
            pay_type=text(item, "PayType"),
            instance_charge_type=text(item, "InstanceChargeType"),
            network_type=text(item, "NetworkType"),
            primary_zone_id=text(item, "MasterZoneId"),
            secondary_zone_id=text(item, "SlaveZoneId"),
            vpc_id=text(item, "VpcId"),
            vswitch_id=text(item, "VSwitchId"),
            load_balancer_spec=text(item, "LoadBalancerSpec"),
            delete_protection=text(item, "DeleteProtection"),
            modification_protection_status=text(item, "ModificationProtectionStatus"),
            support_private_link=flag(item, "SupportPrivateLink"),
        )
        if not known(clb):
            continue
        for tag in rows.objects("resource_tags", known(clb), item, "Tags", "Tag"):
            rows.add(
                "resource_tags",
                known(clb),
                resource_id=clb,
                tag_key=text(tag, "TagKey"),
                tag_value=text(tag, "TagValue"),
            )
        add_attributes(rows, "clb", "load_balancers", clb, item)
    return rows


def listener_rows(items: Iterable[Item], asked: Sequence[str]) -> Rows:
    """`listeners` and `listener_acls` of the CLBs that were asked for.

    The API leaves out what does not apply: which group a listener uses follows from what is there (see `_groups`).
    """
    rows = Rows()
    for item in items:
        clb, protocol, port = (
            text(item, "LoadBalancerId"),
            lower(item, "ListenerProtocol"),
            number(item, "ListenerPort"),
        )
        if known(clb) and clb not in asked:
            continue
        config = item.get(_CONFIGS.get(known(protocol), ""))
        config = config if isinstance(config, Mapping) else None
        vserver, primary_secondary = _groups(item, known(protocol), config)
        forward, forward_port = _forwarding(known(protocol), config)
        row = rows.add(
            "listeners",
            known(clb) or None,
            load_balancer_id=clb,
            protocol=protocol,
            port=port,
            description=text(item, "Description"),
            status=text(item, "Status"),
            backend_server_port=number(item, "BackendServerPort"),
            vserver_group_id=vserver,
            primary_secondary_group_id=primary_secondary,
            acl_status=text(item, "AclStatus"),
            acl_type=text(item, "AclType"),
            health_check=text(config, "HealthCheck"),
            health_check_port=number(config, "HealthCheckConnectPort"),
            listener_forward=forward,
            forward_port=forward_port,
        )
        if row is None:
            # Which lists are bound to a listener that was not understood is not known either.
            rows.flaw("listener_acls", known(clb) or None, "Plaudit.IncompleteRow", "a listener was not understood")
            continue
        add_attributes(rows, "clb_listeners", "listeners", f"{known(clb)}:{known(protocol)}:{port}", item)
        if item.get("AclIds") is None and row["acl_status"] == "off":
            continue
        for acl in rows.texts("listener_acls", known(clb), item, "AclIds"):
            rows.add("listener_acls", known(clb), load_balancer_id=clb, protocol=protocol, port=port, acl_id=acl)
    return rows


def _groups(item: Item, protocol: str, config: Item | None) -> tuple[Value, Value]:
    """(vserver_group_id, primary_secondary_group_id); empty text only where something shows that none is used."""
    vserver = text(item, "VServerGroupId")
    primary_secondary = text(config, "MasterSlaveServerGroupId")
    if primary_secondary is None and (protocol in ("http", "https") or config is not None):
        primary_secondary = ""
    if vserver is None and (number(item, "BackendServerPort") is not None or known(primary_secondary)):
        vserver = ""
    return vserver, primary_secondary


def _forwarding(protocol: str, config: Item | None) -> tuple[Value, Value]:
    """(listener_forward, forward_port); only HTTP listeners can redirect."""
    if protocol == "http":
        return text(config, "ListenerForward"), number(config, "ForwardPort")
    return ("", None) if protocol in _CONFIGS else (None, None)


def rule_rows(items: Iterable[Item], load_balancer_id: str, protocol: str, port: int) -> Rows:
    """`forwarding_rules` of one listener."""
    rows = Rows()
    key = listener_key(load_balancer_id, protocol, port)
    for item in items:
        rows.add(
            "forwarding_rules",
            key,
            listener_key=key,
            load_balancer_id=load_balancer_id,
            protocol=protocol,
            port=port,
            rule_id=text(item, "RuleId"),
            domain=text(item, "Domain"),
            url=text(item, "Url"),
            vserver_group_id=text(item, "VServerGroupId"),
        )
    return rows


def listener_key(load_balancer_id: str, protocol: str, port: int) -> str:
    """`<load balancer>:<protocol>:<port>`, the coverage target of forwarding rules."""
    return f"{load_balancer_id}:{protocol}:{port}"


def default_group_id(load_balancer_id: str) -> str:
    """Id by which the default server group of a CLB is known; the API gives it none."""
    return f"{load_balancer_id}:default"


def group_rows(answer: Item, items: Iterable[Item], operation: str, asked: str) -> Rows:
    """`server_groups` and `backends` of one group; `asked` is the group id, for the default group the CLB's."""
    rows = Rows()
    if operation == ATTRIBUTE:
        group_id, kind, name = default_group_id(asked), "default", None
        load_balancer: Value = asked
    else:
        group_id, kind = asked, "vserver" if operation == VSERVER_GROUP else "primary_secondary"
        name = "VServerGroupName" if kind == "vserver" else "MasterSlaveServerGroupName"
        load_balancer = text(answer, "LoadBalancerId")
    rows.add(
        "server_groups",
        group_id,
        server_group_id=group_id,
        load_balancer_id=load_balancer,
        group_type=kind,
        server_group_name=text(answer, name) if name else None,
    )
    if kind != "default":
        add_attributes(rows, "vserver_groups", "server_groups", group_id, answer)
    for item in items:
        rows.add(
            "backends",
            group_id,
            server_group_id=group_id,
            server_id=text(item, "ServerId"),
            server_type=lower(item, "Type"),
            server_ip=text(item, "ServerIp"),
            port=None if kind == "default" else number(item, "Port"),
            weight=number(item, "Weight"),
            role=text(item, "ServerType") if kind == "primary_secondary" else "",
        )
        port = "" if kind == "default" else number(item, "Port")
        add_attributes(rows, "clb_backends", "backends", f"{group_id}:{known(text(item, 'ServerId'))}:{port}", item)
    return rows


def health_rows(items: Iterable[Item], load_balancer_id: str) -> Rows:
    """`health_status` of one CLB: all its listeners and servers."""
    rows = Rows()
    for item in items:
        rows.add(
            "health_status",
            load_balancer_id,
            load_balancer_id=load_balancer_id,
            protocol=lower(item, "Protocol"),
            listener_port=number(item, "ListenerPort"),
            server_id=text(item, "ServerId"),
            server_ip=text(item, "ServerIp"),
            port=number(item, "Port"),
            health_status=text(item, "ServerHealthStatus"),
        )
    return rows


def acl_rows(items: Iterable[Item], acl_id: str) -> Rows:
    """`acl_entries` of one access control list."""
    rows = Rows()
    for item in items:
        rows.add(
            "acl_entries",
            acl_id,
            acl_id=acl_id,
            entry=text(item, "AclEntryIP"),
            comment=text(item, "AclEntryComment"),
        )
    return rows
