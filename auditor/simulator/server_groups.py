"""Server groups, health, forwarding rules and access control lists of CLBs."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.simulator.answers import RESOURCE_GROUP, find_clb
from auditor.simulator.objects import AccessControlList, Backend, Clb, Listener, ServerGroup
from auditor.simulator.wire import Answer, ApiError, Call, Row, not_found

_CREATED = "2024-03-04T15:31:00Z"


def _servers(call: Call, clb: Clb, listener: Listener) -> Iterator[tuple[Backend, int]]:
    """Servers of the group a listener uses, with the backend port."""
    if not listener.group_id:
        for server in clb.default_group:
            yield server, listener.backend_port
        return
    group = call.world.server_groups.get(listener.group_id)
    for server in group.servers if group else ():
        yield server, server.port


def _health(listener: Listener, server: Backend) -> str:
    if listener.status != "running" or listener.health_check != "on" or server.role == "Slave":
        return "unavailable"
    return listener.health.get(server.server_id, "normal")


def describe_health_status(call: Call) -> Row:
    """Health of every listener and server of one CLB; of one listener with ListenerPort."""
    clb = find_clb(call)
    rows = [
        call.view(
            f"{clb.load_balancer_id}:{listener.protocol}:{listener.port}:{server.server_id}:{port}",
            {
                "ListenerPort": listener.port,
                "Port": port,
                "Protocol": listener.protocol,
                "ServerHealthStatus": _health(listener, server),
                "ServerId": server.server_id,
                "ServerIp": server.server_ip,
            },
        )
        for listener in clb.listeners
        if call.matches(ListenerPort=str(listener.port), ListenerProtocol=listener.protocol)
        for server, port in _servers(call, clb, listener)
    ]
    return {"BackendServers": {"BackendServer": rows}}


def _users(clb: Clb, group_id: str) -> tuple[list[Row], list[Row]]:
    listeners = [{"Port": item.port, "Protocol": item.protocol} for item in clb.listeners if item.group_id == group_id]
    rules = [
        {"Domain": rule.domain, "RuleId": rule.rule_id, "RuleName": rule.name, "Url": rule.url}
        for item in clb.listeners
        for rule in item.rules
        if rule.vserver_group_id == group_id
    ]
    return listeners, rules


def _groups(call: Call, clb: Clb, kind: str) -> list[ServerGroup]:
    return [
        group
        for group in list(call.world.server_groups.values())
        if group.load_balancer_id == clb.load_balancer_id and group.kind == kind
    ]


def describe_vserver_groups(call: Call) -> Row:
    clb = find_clb(call)
    rows = []
    for group in _groups(call, clb, "vserver"):
        listeners, rules = _users(clb, group.group_id)
        rows.append(
            {
                "AssociatedObjects": {
                    "Listeners": {"Listener": listeners if call.flag("IncludeListener") else []},
                    "Rules": {"Rule": rules if call.flag("IncludeRule") else []},
                },
                "CreateTime": _CREATED,
                "ServerCount": len(group.servers),
                "Tags": {"Tag": []},
                "VServerGroupId": group.group_id,
                "VServerGroupName": group.name,
            }
        )
    return {"VServerGroups": {"VServerGroup": rows}}


def _group(call: Call, name: str, kind: str, code: str) -> ServerGroup:
    group_id = call.required(name)
    group = call.world.server_groups.get(group_id)
    if group is None or group.kind != kind or not call.own(call.world.clbs, [group.load_balancer_id]):
        raise not_found(code, group_id)
    return group


def describe_vserver_group_attribute(call: Call) -> Row:
    group = _group(call, "VServerGroupId", "vserver", "InvalidVServerGroupId.NotFound")
    servers = [
        {
            "Description": "",
            "Port": server.port,
            "ServerId": server.server_id,
            "ServerIp": server.server_ip,
            "Type": server.server_type,
            "Weight": server.weight,
        }
        for server in group.servers
    ]
    row: Row = {
        "BackendServers": {"BackendServer": servers},
        "CreateTime": _CREATED,
        "LoadBalancerId": group.load_balancer_id,
        "Tags": {"Tag": []},
        "VServerGroupId": group.group_id,
        "VServerGroupName": group.name,
    }
    return call.view(group.group_id, row)


def describe_primary_secondary_groups(call: Call) -> Row:
    clb = find_clb(call)
    rows = []
    for group in _groups(call, clb, "primary_secondary"):
        listeners, _ = _users(clb, group.group_id)
        rows.append(
            {
                "AssociatedObjects": {"Listeners": {"Listener": listeners if call.flag("IncludeListener") else []}},
                "CreateTime": _CREATED,
                "MasterSlaveServerGroupId": group.group_id,
                "MasterSlaveServerGroupName": group.name,
                "Tags": {"Tag": []},
            }
        )
    return {"MasterSlaveServerGroups": {"MasterSlaveServerGroup": rows}}


def describe_primary_secondary_group_attribute(call: Call) -> Row:
    group = _group(call, "MasterSlaveServerGroupId", "primary_secondary", "MasterSlaveServerGroupId.NotFound")
    servers = [
        {
            "Description": "",
            "Port": server.port,
            "ServerId": server.server_id,
            "ServerType": server.role,
            "Type": server.server_type,
            "Weight": server.weight,
        }
        for server in group.servers
    ]
    row: Row = {
        "CreateTime": _CREATED,
        "LoadBalancerId": group.load_balancer_id,
        "MasterSlaveBackendServers": {"MasterSlaveBackendServer": servers},
        "MasterSlaveServerGroupId": group.group_id,
        "MasterSlaveServerGroupName": group.name,
        "Tags": {"Tag": []},
    }
    return call.view(group.group_id, row)


def describe_rules(call: Call) -> Row:
    """Forwarding rules of one listener; ListenerProtocol is needed where two protocols share the port."""
    clb = find_clb(call)
    port = call.required("ListenerPort")
    listeners = [
        item
        for item in clb.listeners
        if str(item.port) == port and call.matches(ListenerProtocol=item.protocol) and item.protocol.startswith("http")
    ]
    if not listeners:
        raise ApiError(400, "ListenerNotFound", "The listener does not exist.")
    rules = [
        {
            "Domain": rule.domain,
            "ListenerSync": "on",
            "RuleId": rule.rule_id,
            "RuleName": rule.name,
            "Url": rule.url,
            "VServerGroupId": rule.vserver_group_id,
        }
        for rule in listeners[0].rules
    ]
    return {"Rules": {"Rule": rules}}


def _acl_row(acl: AccessControlList) -> Row:
    return {
        "AclId": acl.acl_id,
        "AclName": acl.name,
        "AddressIPVersion": acl.address_ip_version,
        "CreateTime": "2024-03-04T15:45:00Z",
        "ResourceGroupId": RESOURCE_GROUP,
        "Tags": {"Tag": []},
    }


def describe_access_control_lists(call: Call) -> Row:
    acls = [acl for acl in call.own(call.world.acls) if call.matches(AclName=acl.name)]
    page, number, size = call.numbered_page(acls, default=10, maximum=50)
    return {
        "Acls": {"Acl": [_acl_row(acl) for acl in page]},
        "Count": len(page),
        "PageNumber": number,
        "PageSize": size,
        "TotalCount": len(acls),
    }


def describe_access_control_list_attribute(call: Call) -> Row:
    """One list with a page of its entries; the page parameter is called `Page`."""
    acl = call.get(call.world.acls, call.required("AclId"), "AclNotExist")
    page, _, _ = call.numbered_page(acl.entries, default=10, maximum=50, name="Page")
    related = [
        {
            "AclType": listener.acl_type,
            "ListenerPort": listener.port,
            "LoadBalancerId": clb.load_balancer_id,
            "Protocol": listener.protocol,
        }
        for clb in call.own(call.world.clbs)
        for listener in clb.listeners
        if acl.acl_id in listener.acl_ids
    ]
    row = {
        **_acl_row(acl),
        "AclEntrys": {"AclEntry": [{"AclEntryComment": comment, "AclEntryIP": block} for block, comment in page]},
        "RelatedListeners": {"RelatedListener": related},
        "TotalAclEntry": len(acl.entries),
    }
    return call.view(acl.acl_id, row)


OPERATIONS: dict[str, Answer] = {
    "DescribeHealthStatus": describe_health_status,
    "DescribeVServerGroups": describe_vserver_groups,
    "DescribeVServerGroupAttribute": describe_vserver_group_attribute,
    "DescribeMasterSlaveServerGroups": describe_primary_secondary_groups,
    "DescribeMasterSlaveServerGroupAttribute": describe_primary_secondary_group_attribute,
    "DescribeRules": describe_rules,
    "DescribeAccessControlLists": describe_access_control_lists,
    "DescribeAccessControlListAttribute": describe_access_control_list_attribute,
}
