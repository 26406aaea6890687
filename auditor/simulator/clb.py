"""Operations of product slb (CLB), version 2014-05-15."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.simulator.objects import AccessControlList, Backend, Clb, Listener, ServerGroup
from auditor.simulator.regions import describe_regions
from auditor.simulator.wire import Answer, ApiError, Call, Row, invalid, not_found, tags_match, with_token

_GROUP = "rg-acfmdefaultgrp1"
_CREATED = "2024-03-04T15:31:00Z"
_STAMP = 1709565631000


def _tags(clb: Clb) -> Row:
    return {"Tag": [{"TagKey": key, "TagValue": value} for key, value in clb.tags.items()]}


def _common(clb: Clb) -> Row:
    return {
        "Address": clb.address,
        "AddressIPVersion": clb.address_ip_version,
        "AddressType": clb.address_type,
        "Bandwidth": 5120,
        "CreateTime": clb.created,
        "CreateTimeStamp": _STAMP,
        "DeleteProtection": clb.delete_protection,
        "InstanceChargeType": clb.instance_charge_type,
        "LoadBalancerId": clb.load_balancer_id,
        "LoadBalancerName": clb.name,
        "LoadBalancerSpec": clb.spec,
        "LoadBalancerStatus": clb.status,
        "MasterZoneId": clb.primary_zone_id,
        "ModificationProtectionReason": "",
        "ModificationProtectionStatus": clb.modification_protection,
        "NetworkType": clb.network_type,
        "PayType": clb.pay_type,
        "RegionId": clb.region_id,
        "RegionIdAlias": clb.region_id,
        "ResourceGroupId": _GROUP,
        "SlaveZoneId": clb.secondary_zone_id,
        "Tags": _tags(clb),
        "VSwitchId": clb.vswitch_id,
        "VpcId": clb.vpc_id,
    }


def describe_load_balancers(call: Call) -> Row:
    """All CLBs of the region, or up to 10 named in comma text; PageSize counts only together with PageNumber."""
    ids = call.commas("LoadBalancerId", 10)
    wanted = call.tag_filter()
    clbs = [
        clb
        for clb in call.own(call.world.clbs, ids or None)
        if call.matches(
            LoadBalancerName=clb.name,
            LoadBalancerStatus=clb.status,
            AddressType=clb.address_type,
            Address=clb.address,
            PayType=clb.pay_type,
            NetworkType=clb.network_type,
            MasterZoneId=clb.primary_zone_id,
            SlaveZoneId=clb.secondary_zone_id,
            VpcId=clb.vpc_id,
            VSwitchId=clb.vswitch_id,
        )
        and tags_match(clb.tags, wanted)
    ]
    if not call.text("PageNumber") and call.text("PageSize"):
        raise invalid("PageSize", "PageNumber is missing")
    page, number, size = call.numbered_page(clbs, default=50, maximum=100)
    rows = [
        call.view(
            clb.load_balancer_id, {**_common(clb), "InternetChargeType": "4", "InternetChargeTypeAlias": "paybytraffic"}
        )
        for clb in page
    ]
    return {"LoadBalancers": {"LoadBalancer": rows}, "PageNumber": number, "PageSize": size, "TotalCount": len(clbs)}


def _clb(call: Call) -> Clb:
    return call.get(call.world.clbs, call.required("LoadBalancerId"), "InvalidLoadBalancerId.NotFound")


def describe_load_balancer_attribute(call: Call) -> Row:
    clb = _clb(call)
    servers = [
        {
            "Description": "",
            "ServerId": server.server_id,
            "ServerIp": server.server_ip,
            "Type": server.server_type,
            "Weight": server.weight,
        }
        for server in clb.default_group
    ]
    ports = [
        {
            "Description": listener.description,
            "ListenerForward": listener.forward,
            "ListenerPort": listener.port,
            "ListenerProtocol": listener.protocol,
        }
        for listener in clb.listeners
    ]
    misspelt = [{"ListenerPort": item.port, "ListenerProtocal": item.protocol} for item in clb.listeners]
    row = {
        **_common(clb),
        "BackendServers": {"BackendServer": servers},
        "EndTime": "2999-09-08T16:00:00Z",
        "EndTimeStamp": 32493801600000,
        "InternetChargeType": "paybytraffic",
        "ListenerPorts": {"ListenerPort": [listener.port for listener in clb.listeners]},
        "ListenerPortsAndProtocal": {"ListenerPortAndProtocal": misspelt},
        "ListenerPortsAndProtocol": {"ListenerPortAndProtocol": ports},
    }
    return call.view(clb.load_balancer_id, row)


def _config(call: Call, listener: Listener) -> tuple[str, Row]:
    """Key and content of the one *ListenerConfig object of a listener."""
    config: Row = {"HealthCheck": listener.health_check}
    if listener.health_check == "on":
        config |= {"HealthCheckInterval": 2, "HealthyThreshold": 3, "UnhealthyThreshold": 3}
        if listener.health_check_port:
            config["HealthCheckConnectPort"] = listener.health_check_port
    protocol = listener.protocol
    if protocol in ("tcp", "udp"):
        config |= {"ConnectionDrain": "off", "ProxyProtocolV2Enabled": "false"}
        if listener.health_check == "on":
            config["HealthCheckConnectTimeout"] = 5
        group = call.world.server_groups.get(listener.group_id)
        if group is not None and group.kind == "primary_secondary":
            config["MasterSlaveServerGroupId"] = group.group_id
        if protocol == "tcp":
            config |= {"EstablishedTimeout": 900, "HealthCheckType": "tcp", "PersistenceTimeout": 0}
        return f"{protocol.upper()}ListenerConfig", config
    config |= {"Gzip": "on", "IdleTimeout": 15, "RequestTimeout": 60, "StickySession": "off", "XForwardedFor": "on"}
    if listener.health_check == "on":
        config |= {"HealthCheckType": protocol, "HealthCheckTimeout": 5, "HealthCheckURI": "/"}
    if protocol == "http":
        config["ListenerForward"] = listener.forward
        if listener.forward == "on":
            config["ForwardPort"] = listener.forward_port
    else:
        config |= {
            "EnableHttp2": "on",
            "ServerCertificateId": "cert-simulated",
            "TLSCipherPolicy": "tls_cipher_policy_1_2",
        }
    return f"{protocol.upper()}ListenerConfig", config


def _listener_row(call: Call, clb: Clb, listener: Listener) -> Row:
    key, config = _config(call, listener)
    row: Row = {
        "AclIds": list(listener.acl_ids),
        "AclStatus": listener.acl_status,
        "Bandwidth": -1,
        "Description": listener.description,
        "ListenerPort": listener.port,
        "ListenerProtocol": listener.protocol,
        "LoadBalancerId": clb.load_balancer_id,
        "Scheduler": listener.scheduler,
        "Status": listener.status,
        key: config,
        "Tags": [{"TagKey": name, "TagValue": value} for name, value in listener.tags.items()],
    }
    if listener.acl_status == "on":
        row["AclType"] = listener.acl_type
    if listener.acl_ids:
        row["AclId"] = listener.acl_ids[0]
    group = call.world.server_groups.get(listener.group_id)
    if not listener.group_id and listener.backend_port:
        row["BackendServerPort"] = listener.backend_port
    elif listener.group_id and (group is None or group.kind == "vserver"):
        row["VServerGroupId"] = listener.group_id
    return call.view(f"{clb.load_balancer_id}:{listener.protocol}:{listener.port}", row)


def describe_load_balancer_listeners(call: Call) -> Row:
    """Listeners of up to 10 CLBs, or of the whole region without ids."""
    ids = call.array("LoadBalancerId", 10)
    clbs = call.own(call.world.clbs, ids or None)
    hidden = call.world.hidden.get(call.operation, set())
    pairs = [
        (clb, listener)
        for clb in clbs
        for listener in clb.listeners
        if call.matches(ListenerProtocol=listener.protocol, ListenerPort=str(listener.port))
        and f"{clb.load_balancer_id}:{listener.protocol}:{listener.port}" not in hidden
    ]
    page, token, size = call.token_page(pairs, default=20, maximum=100)
    rows = [_listener_row(call, clb, listener) for clb, listener in page]
    return with_token({"Listeners": rows, "MaxResults": size, "TotalCount": len(pairs)}, token)


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
    clb = _clb(call)
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
        for group in call.world.server_groups.values()
        if group.load_balancer_id == clb.load_balancer_id and group.kind == kind
    ]


def describe_vserver_groups(call: Call) -> Row:
    clb = _clb(call)
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
    clb = _clb(call)
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
    clb = _clb(call)
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
        "ResourceGroupId": _GROUP,
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


def describe_zones(call: Call) -> Row:
    zones = call.world.regions[call.region()].zones
    rows = [
        {
            "LocalName": name,
            "SlaveZones": {
                "SlaveZone": [
                    {"LocalName": other, "ZoneId": other_id} for other_id, other in zones.items() if other_id != zone_id
                ]
            },
            "ZoneId": zone_id,
        }
        for zone_id, name in zones.items()
    ]
    return {"Zones": {"Zone": rows}}


def list_tag_resources(call: Call) -> Row:
    """Tags of CLBs ("instance") and listeners ("listener", ids `<lb>_<protocol>_<port>`)."""
    kind = call.required("ResourceType").lower()
    ids, wanted = call.array("ResourceId", 20), call.tag_filter()
    if not ids and not wanted:
        raise ApiError(400, "MissingParameter", "Either ResourceId or Tag is needed.")
    clbs = call.own(call.world.clbs)
    if kind == "instance":
        tagged = [(clb.load_balancer_id, clb.tags) for clb in clbs]
    else:
        tagged = [
            (f"{clb.load_balancer_id}_{item.protocol}_{item.port}", item.tags) for clb in clbs for item in clb.listeners
        ]
    rows = [
        {"ResourceId": object_id, "ResourceType": kind, "TagKey": key, "TagValue": value}
        for object_id, tags in tagged
        if (not ids or object_id in ids) and tags_match(tags, wanted)
        for key, value in tags.items()
    ]
    page, token, _ = call.token_page(rows, default=50, maximum=50)
    return with_token({"TagResources": {"TagResource": list(page)}}, token)


def describe_tags(call: Call) -> Row:
    """Distinct tags of the CLBs of the region, or of one CLB."""
    chosen = call.commas("LoadBalancerId", 10)
    counts: dict[tuple[str, str], int] = {}
    for clb in call.own(call.world.clbs, chosen or None):
        for pair in clb.tags.items():
            counts[pair] = counts.get(pair, 0) + 1
    rows = [{"InstanceCount": count, "TagKey": key, "TagValue": value} for (key, value), count in counts.items()]
    page, number, size = call.numbered_page(rows, default=50, maximum=50)
    return {"PageNumber": number, "PageSize": size, "TagSets": {"TagSet": list(page)}, "TotalCount": len(rows)}


OPERATIONS: dict[str, Answer] = {
    "DescribeLoadBalancers": describe_load_balancers,
    "DescribeLoadBalancerAttribute": describe_load_balancer_attribute,
    "DescribeLoadBalancerListeners": describe_load_balancer_listeners,
    "DescribeHealthStatus": describe_health_status,
    "DescribeVServerGroups": describe_vserver_groups,
    "DescribeVServerGroupAttribute": describe_vserver_group_attribute,
    "DescribeMasterSlaveServerGroups": describe_primary_secondary_groups,
    "DescribeMasterSlaveServerGroupAttribute": describe_primary_secondary_group_attribute,
    "DescribeRules": describe_rules,
    "DescribeAccessControlLists": describe_access_control_lists,
    "DescribeAccessControlListAttribute": describe_access_control_list_attribute,
    "DescribeZones": describe_zones,
    "DescribeRegions": describe_regions,
    "ListTagResources": list_tag_resources,
    "DescribeTags": describe_tags,
}
