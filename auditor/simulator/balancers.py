"""Read operations of nlb (2022-04-30), alb (2020-06-16) and gwlb (2024-04-15).

alb and gwlb requests carry no region; a single server cannot know which regional host was meant, so these calls see the
load balancers of all regions of the caller.
"""

from __future__ import annotations

from auditor.simulator.objects import Balancer, BalancerGroup, BalancerListener, BalancerServer, BalancerZone
from auditor.simulator.wire import Answer, Call, Row, not_found, tags_match, with_token

_GROUP = "rg-acfmdefaultgrp1"
_CREATED = "2024-03-05T08:00:00Z"


def _own(call: Call) -> list[Balancer]:
    if call.product == "nlb":
        candidates = call.own(call.world.balancers)
    else:
        hidden = call.world.hidden.get(call.operation, set())
        candidates = [
            balancer
            for balancer in list(call.world.balancers.values())
            if balancer.account_id == call.account.account_id and balancer.load_balancer_id not in hidden
        ]
    return [balancer for balancer in candidates if balancer.balancer_type == call.product]


def _groups(call: Call) -> list[BalancerGroup]:
    region = call.region() if call.product == "nlb" else ""
    return [
        group
        for group in list(call.world.balancer_groups.values())
        if group.account_id == call.account.account_id
        and group.balancer_type == call.product
        and (not region or group.region_id == region)
    ]


def _zone(product: str, zone: BalancerZone) -> Row:
    address: Row
    if product == "nlb":
        address = {"EniId": zone.eni_id, "PrivateIPv4Address": zone.address, "PrivateIPv4HcStatus": zone.health}
    elif product == "alb":
        address = {
            "Address": zone.address,
            "IntranetAddress": zone.address,
            "IntranetAddressHcStatus": zone.health,
            "Ipv4LocalAddresses": [],
            "Ipv6LocalAddresses": [],
        }
    else:
        address = {"EniId": zone.eni_id, "PrivateIpv4Address": zone.address}
    row: Row = {"LoadBalancerAddresses": [address], "VSwitchId": zone.vswitch_id, "ZoneId": zone.zone_id}
    if product != "gwlb":
        row["Status"] = "Active"
    return row


def _balancer_row(call: Call, balancer: Balancer, *, attribute: bool) -> Row:
    product = call.product
    tag_prefix = "Tag" if product == "nlb" and attribute else ""
    row: Row = {
        "AddressIpVersion": balancer.address_ip_version,
        "CreateTime": _CREATED,
        "LoadBalancerId": balancer.load_balancer_id,
        "LoadBalancerName": balancer.name,
        "LoadBalancerStatus": balancer.status,
        "ResourceGroupId": _GROUP,
        "Tags": [{f"{tag_prefix}Key": key, f"{tag_prefix}Value": value} for key, value in balancer.tags.items()],
        "VpcId": balancer.vpc_id,
    }
    business = "LoadBalancerBussinessStatus" if product == "alb" else "LoadBalancerBusinessStatus"
    row[business] = "Normal"
    if product != "gwlb":
        row |= {
            "AddressType": balancer.address_type,
            "DNSName": f"{balancer.load_balancer_id}.{balancer.region_id}.{product}.aliyuncsslb.com",
            "DeletionProtectionConfig": {"Enabled": balancer.delete_protection},
            "LoadBalancerBillingConfig": {"PayType": "PostPay"},
            "ModificationProtectionConfig": {"Reason": "", "Status": "NonProtection"},
            "SecurityGroupIds": list(balancer.security_groups),
        }
    if product == "nlb":
        row |= {
            "CrossZoneEnabled": True,
            "LoadBalancerType": "Network",
            "OperationLocks": [],
            "RegionId": balancer.region_id,
        }
        if attribute:
            row["Cps"] = 0
    if product == "alb":
        row |= {"AddressAllocatedMode": "Fixed", "LoadBalancerEdition": "Standard", "LoadBalancerOperationLocks": []}
        if attribute:
            row["RegionId"] = balancer.region_id
    if product == "gwlb" and attribute:
        row["TrafficMode"] = "LoadBalance"
    if product != "alb" or attribute:
        zones = [_zone(product, zone) for zone in balancer.zones]
        if product in ("nlb", "alb") and attribute:
            for zone in zones:
                zone["LoadBalancerAddresses"][0] |= {"Ipv4LocalAddresses": [], "Ipv6LocalAddresses": []}
        row["ZoneMappings"] = zones
    return call.view(balancer.load_balancer_id, row)


def list_load_balancers(call: Call) -> Row:
    ids, vpcs = call.array("LoadBalancerIds", 20), call.array("VpcIds", 10)
    wanted = call.tag_filter()
    balancers = [
        balancer
        for balancer in _own(call)
        if (not ids or balancer.load_balancer_id in ids)
        and (not vpcs or balancer.vpc_id in vpcs)
        and tags_match(balancer.tags, wanted)
    ]
    page, token, size = call.token_page(balancers, default=20, maximum=1000 if call.product == "gwlb" else 100)
    rows = [_balancer_row(call, balancer, attribute=False) for balancer in page]
    return with_token({"LoadBalancers": rows, "MaxResults": size, "TotalCount": len(balancers)}, token)


def get_load_balancer_attribute(call: Call) -> Row:
    wanted = call.required("LoadBalancerId")
    for balancer in _own(call):
        if balancer.load_balancer_id == wanted:
            return _balancer_row(call, balancer, attribute=True)
    raise not_found("ResourceNotFound.loadbalancer", wanted)


def _listener_row(call: Call, balancer: Balancer, listener: BalancerListener) -> Row:
    row: Row = {
        "ListenerDescription": listener.description,
        "ListenerId": listener.listener_id,
        "ListenerStatus": listener.status,
        "LoadBalancerId": balancer.load_balancer_id,
        "Tags": [],
    }
    if call.product == "gwlb":
        row["ServerGroupId"] = listener.server_group_id
        return call.view(listener.listener_id, row)
    row |= {"IdleTimeout": 900 if call.product == "nlb" else 15, "ListenerPort": listener.port}
    row["ListenerProtocol"] = listener.protocol
    if call.product == "nlb":
        row |= {
            "AlpnEnabled": False,
            "CaCertificateIds": [],
            "CaEnabled": False,
            "CertificateIds": [],
            "Cps": 0,
            "Mss": 0,
            "ProxyProtocolEnabled": False,
            "RegionId": balancer.region_id,
            "SecSensorEnabled": False,
            "ServerGroupId": listener.server_group_id,
        }
    else:
        row["DefaultActions"] = [
            {
                "ForwardGroupConfig": {"ServerGroupTuples": [{"ServerGroupId": listener.server_group_id}]},
                "Type": "ForwardGroup",
            }
        ]
        row |= {"GzipEnabled": True, "Http2Enabled": True, "RequestTimeout": 60}
    return call.view(listener.listener_id, row)


def list_listeners(call: Call) -> Row:
    ids, listener_ids = call.array("LoadBalancerIds", 20), call.array("ListenerIds", 20)
    pairs = [
        (balancer, listener)
        for balancer in _own(call)
        if not ids or balancer.load_balancer_id in ids
        for listener in balancer.listeners
        if (not listener_ids or listener.listener_id in listener_ids)
        and call.matches(ListenerProtocol=listener.protocol)
    ]
    page, token, size = call.token_page(pairs, default=20, maximum=100)
    rows = [_listener_row(call, balancer, listener) for balancer, listener in page]
    return with_token({"Listeners": rows, "MaxResults": size, "TotalCount": len(pairs)}, token)


def _users(call: Call, group: BalancerGroup) -> list[str]:
    return [
        balancer.load_balancer_id
        for balancer in list(call.world.balancers.values())
        if any(listener.server_group_id == group.server_group_id for listener in balancer.listeners)
    ]


def _group_row(call: Call, group: BalancerGroup) -> Row:
    check: Row = {
        "HealthCheckConnectPort": 0,
        "HealthCheckEnabled": group.health_check_enabled,
        "HealthCheckInterval": 10,
        "HealthyThreshold": 2,
        "UnhealthyThreshold": 2,
    }
    row: Row = {
        "Protocol": group.protocol,
        "RelatedLoadBalancerIds": _users(call, group),
        "ResourceGroupId": _GROUP,
        "Scheduler": "Wrr",
        "ServerCount": len(group.servers),
        "ServerGroupId": group.server_group_id,
        "ServerGroupName": group.name,
        "ServerGroupStatus": "Available",
        "ServerGroupType": "Instance",
        "Tags": [],
        "VpcId": group.vpc_id,
    }
    if call.product == "nlb":
        row["HealthCheck"] = {**check, "HealthCheckHttpCode": [], "HealthCheckType": "TCP"}
        row |= {"AddressIPVersion": "Ipv4", "AliUid": int(group.account_id), "RegionId": group.region_id}
    else:
        codes = "HealthCheckCodes" if call.product == "alb" else "HealthCheckHttpCode"
        row["HealthCheckConfig"] = {**check, codes: [], "HealthCheckProtocol": "TCP"}
        row["CreateTime"] = _CREATED
    return call.view(group.server_group_id, row)


def list_server_groups(call: Call) -> Row:
    ids = call.array("ServerGroupIds", 20)
    groups = [
        group
        for group in _groups(call)
        if (not ids or group.server_group_id in ids) and call.matches(VpcId=group.vpc_id)
    ]
    page, token, size = call.token_page(groups, default=20, maximum=100)
    rows = [_group_row(call, group) for group in page]
    return with_token({"MaxResults": size, "ServerGroups": rows, "TotalCount": len(groups)}, token)


def _server_row(call: Call, group: BalancerGroup, server: BalancerServer) -> Row:
    row: Row = {
        "Port": server.port,
        "ServerGroupId": group.server_group_id,
        "ServerId": server.server_id,
        "ServerIp": server.server_ip,
        "ServerType": server.server_type,
        "Status": server.status,
    }
    if call.product != "gwlb":
        row |= {"Description": "", "Weight": server.weight}
    if call.product == "nlb":
        row["ZoneId"] = server.zone_id
    if call.product == "alb":
        row["RemoteIpEnabled"] = False
    return row


def list_server_group_servers(call: Call) -> Row:
    """Servers of one group, or of all groups of the caller without an id."""
    wanted = call.text("ServerGroupId")
    groups = [group for group in _groups(call) if not wanted or group.server_group_id == wanted]
    if wanted and not groups:
        raise not_found("ResourceNotFound.serverGroup", wanted)
    pairs = [(group, server) for group in groups for server in group.servers]
    page, token, size = call.token_page(pairs, default=20, maximum=1000 if call.product == "gwlb" else 100)
    rows = [_server_row(call, group, server) for group, server in page]
    return with_token({"MaxResults": size, "Servers": rows, "TotalCount": len(pairs)}, token)


def _health_row(server: BalancerServer) -> Row:
    row: Row = {
        "Port": server.port,
        "ServerId": server.server_id,
        "ServerIp": server.server_ip,
        "Status": server.health,
    }
    if server.health != "Normal":
        row["Reason"] = {"ReasonCode": "CONNECT_TIMEOUT"}
    return row


def get_listener_health_status(call: Call) -> Row:
    """Health behind one listener: nlb and alb list only servers that are not normal, gwlb lists all."""
    wanted = call.required("ListenerId")
    found = [(b, item) for b in _own(call) for item in b.listeners if item.listener_id == wanted]
    if not found:
        raise not_found("ResourceNotFound.listener", wanted)
    listener = found[0][1]
    group = call.world.balancer_groups.get(listener.server_group_id)
    servers = group.servers if group else []
    enabled = group.health_check_enabled if group else False
    info: Row = {"ServerGroupId": listener.server_group_id}
    if call.product == "gwlb":
        info |= {"HealthCheckEnabled": enabled, "Servers": [_health_row(server) for server in servers]}
    else:
        info["NonNormalServers"] = [_health_row(server) for server in servers if server.health != "Normal"]
    if call.product == "nlb":
        info["HeathCheckEnabled"] = enabled
    if call.product == "alb":
        info |= {
            "ActionType": "ForwardGroup",
            "HealthCheckEnabled": "on" if enabled else "off",
            "ServerCount": len(servers),
        }
    status: Row = {"ListenerId": listener.listener_id, "ServerGroupInfos": [info]}
    if call.product != "gwlb":
        status |= {"ListenerPort": listener.port, "ListenerProtocol": listener.protocol}
    answer: Row = {"ListenerHealthStatus": [call.view(listener.listener_id, status)]}
    if call.product == "alb":
        return {**answer, "RuleHealthStatus": []}
    return {**answer, "MaxResults": 20, "TotalCount": 1}


OPERATIONS: dict[str, Answer] = {
    "ListLoadBalancers": list_load_balancers,
    "GetLoadBalancerAttribute": get_load_balancer_attribute,
    "ListListeners": list_listeners,
    "ListServerGroups": list_server_groups,
    "ListServerGroupServers": list_server_group_servers,
    "GetListenerHealthStatus": get_listener_health_status,
}
