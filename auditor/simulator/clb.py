"""Operations of product slb (CLB), version 2014-05-15."""

from __future__ import annotations

from auditor.simulator import server_groups
from auditor.simulator.answers import RESOURCE_GROUP, describe_regions, find_clb
from auditor.simulator.objects import Clb, Listener
from auditor.simulator.wire import Answer, ApiError, Call, Row, invalid, tags_match, with_token

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
        "ResourceGroupId": RESOURCE_GROUP,
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


def describe_load_balancer_attribute(call: Call) -> Row:
    clb = find_clb(call)
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
    **server_groups.OPERATIONS,
    "DescribeLoadBalancers": describe_load_balancers,
    "DescribeLoadBalancerAttribute": describe_load_balancer_attribute,
    "DescribeLoadBalancerListeners": describe_load_balancer_listeners,
    "DescribeZones": describe_zones,
    "DescribeRegions": describe_regions,
    "ListTagResources": list_tag_resources,
    "DescribeTags": describe_tags,
}
