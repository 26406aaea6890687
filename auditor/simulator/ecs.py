"""Operations of product ecs, version 2014-05-26, and of sts, version 2015-04-01."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from auditor.simulator.objects import Instance, NetworkInterface, Rule, SecurityGroup
from auditor.simulator.regions import describe_regions, describe_zones
from auditor.simulator.wire import Answer, ApiError, Call, Row, not_found, tags_match, with_token

T = TypeVar("T")
_FOUND = "2024-03-01T08:10Z"
_MAC = "00:16:3e:0a:10:01"


def _page(
    call: Call, rows: Sequence[T], *, maximum: int, minimum: int = 1, clamp: bool = False
) -> tuple[Sequence[T], Row]:
    """A page in either style: without MaxResults and NextToken the old one with 10 rows, which alone has a count."""
    if call.text("MaxResults") or call.text("NextToken"):
        page, token, size = call.token_page(rows, default=minimum, minimum=minimum, maximum=maximum, clamp=clamp)
        return page, with_token({"PageNumber": 1, "PageSize": size, "TotalCount": 0}, token)
    page, number, size = call.numbered_page(rows, default=10, maximum=maximum, clamp=clamp)
    return page, {"PageNumber": number, "PageSize": size, "TotalCount": len(rows)}


def _groups_of(call: Call, eni: NetworkInterface) -> list[str]:
    """Groups of an ENI; those of an endpoint ENI are the endpoint's attached ones."""
    endpoint = call.world.endpoints.get(eni.endpoint_id)
    if endpoint is None:
        return list(eni.security_groups)
    return [group for group, status in endpoint.security_groups.items() if status == "Attached"]


def _tags(tags: dict[str, str]) -> Row:
    return {"Tag": [{"TagKey": key, "TagValue": value} for key, value in tags.items()]}


def _addresses(eni: NetworkInterface) -> list[Row]:
    return [
        {"AssociatedPublicIp": {}, "Primary": position == 0, "PrivateIpAddress": address}
        for position, address in enumerate([eni.private_ip, *eni.secondary_ips])
    ]


def _eni_row(call: Call, eni: NetworkInterface) -> Row:
    row: Row = {
        "AssociatedPublicIp": {},
        "CreationTime": "2024-03-05T09:55:10Z",
        "DeleteOnRelease": bool(eni.instance_id),
        "Description": eni.description,
        "Ipv4PrefixSets": {"Ipv4PrefixSet": []},
        "Ipv6PrefixSets": {"Ipv6PrefixSet": []},
        "Ipv6Sets": {"Ipv6Set": [{"Ipv6Address": address} for address in eni.ipv6_addresses]},
        "MacAddress": _MAC,
        "NetworkInterfaceId": eni.eni_id,
        "NetworkInterfaceName": eni.name,
        "NetworkInterfaceTrafficMode": "Standard",
        "OwnerId": eni.account_id,
        "PrivateIpAddress": eni.private_ip,
        "PrivateIpSets": {"PrivateIpSet": _addresses(eni)},
        "ResourceGroupId": "",
        "SecurityGroupIds": {"SecurityGroupId": _groups_of(call, eni)},
        "ServiceManaged": eni.service_managed,
        "SourceDestCheck": False,
        "Status": eni.status,
        "Tags": {"Tag": []},
        "Type": eni.eni_type,
        "VSwitchId": eni.vswitch_id,
        "VpcId": eni.vpc_id,
        "ZoneId": eni.zone_id,
    }
    if eni.service_managed:
        row["ServiceID"] = 1478852365412589
    if eni.instance_id:
        row["InstanceId"] = eni.instance_id
        row["QueueNumber"] = 2
        row["Attachment"] = {
            "DeviceIndex": 0,
            "InstanceId": eni.instance_id,
            "NetworkCardIndex": 0,
            "TrunkNetworkInterfaceId": "",
        }
    return call.view(eni.eni_id, row)


def describe_network_interfaces(call: Call) -> Row:
    """ENIs of the region, of a VPC, vSwitch, group or instance, or up to 100 by id."""
    ids = call.array("NetworkInterfaceId", 100)
    addresses = call.array("PrivateIpAddress", 100)
    group_id, managed = call.text("SecurityGroupId"), call.flag("ServiceManaged")
    enis = [
        eni
        for eni in call.own(call.world.enis, ids or None)
        if call.matches(
            VpcId=eni.vpc_id,
            VSwitchId=eni.vswitch_id,
            InstanceId=eni.instance_id,
            Status=eni.status,
            Type=eni.eni_type,
            NetworkInterfaceName=eni.name,
            PrimaryIpAddress=eni.private_ip,
        )
        and (not group_id or group_id in _groups_of(call, eni))
        and (managed is None or eni.service_managed is managed)
        and (not addresses or eni.private_ip in addresses)
    ]
    page, paging = _page(call, enis, maximum=500, minimum=10, clamp=True)
    return {"NetworkInterfaceSets": {"NetworkInterfaceSet": [_eni_row(call, eni) for eni in page]}, **paging}


def describe_security_groups(call: Call) -> Row:
    """Groups without rules, of the region or up to 100 named in JSON text."""
    ids = call.json_list("SecurityGroupIds", 100)
    if call.text("SecurityGroupId"):
        ids = [call.text("SecurityGroupId")]
    call.region()
    call.dry_run()
    wanted = call.tag_filter()
    groups = [
        group
        for group in call.own(call.world.security_groups, ids)
        if call.matches(VpcId=group.vpc_id, SecurityGroupName=group.name, SecurityGroupType=group.group_type)
        and tags_match(group.tags, wanted)
    ]
    page, paging = _page(call, groups, maximum=100)
    rows = [
        call.view(
            group.security_group_id,
            {
                "CreationTime": "2024-03-05T09:40:00Z",
                "Description": group.description,
                "GroupToGroupRuleCount": sum(bool(rule.group_id) for rule in group.rules),
                "ResourceGroupId": "",
                "RuleCount": len(group.rules),
                "SecurityGroupId": group.security_group_id,
                "SecurityGroupName": group.name,
                "SecurityGroupType": group.group_type,
                "ServiceManaged": group.service_managed,
                "Tags": _tags(group.tags),
                "VpcId": group.vpc_id,
            },
        )
        for group in page
    ]
    return {"RegionId": call.region(), "SecurityGroups": {"SecurityGroup": rows}, **paging}


def _rule_row(call: Call, group: SecurityGroup, position: int, rule: Rule) -> Row:
    """One rule: not-applicable fields are "", as the real operation answers them."""
    ingress = rule.direction == "ingress"
    near, far = ("Source", "Dest") if ingress else ("Dest", "Source")
    peer = call.world.security_groups.get(rule.group_id)
    listed = call.world.prefix_lists.get(rule.prefix_list_id)
    ports = call.world.port_lists.get(rule.port_list_id)
    row: Row = {
        "CreateTime": "2024-03-05T09:41:01Z",
        "Description": rule.description,
        "Direction": rule.direction,
        "IpProtocol": rule.protocol,
        "NicType": "intranet",
        "Policy": rule.policy,
        "PortRange": "" if rule.port_list_id else rule.ports,
        "PortRangeListId": rule.port_list_id,
        "PortRangeListName": ports.name if ports else "",
        "Priority": str(rule.priority),
        "SecurityGroupRuleId": rule.rule_id or f"sgr-{group.security_group_id.removeprefix('sg-')}-{position:04d}",
        "SourcePortRange": rule.source_ports,
        f"{near}CidrIp": rule.cidr,
        f"{near}GroupId": rule.group_id,
        f"{near}GroupName": peer.name if peer else "",
        f"{near}GroupOwnerAccount": (rule.group_owner or group.account_id) if rule.group_id else "",
        f"{near}PrefixListId": rule.prefix_list_id,
        f"{near}PrefixListName": listed.name if listed else "",
        f"Ipv6{near}CidrIp": rule.ipv6_cidr,
        f"{far}CidrIp": rule.dest_cidr if ingress else "",
        f"{far}GroupId": "",
        f"{far}GroupName": "",
        f"{far}GroupOwnerAccount": "",
        f"{far}PrefixListId": "",
        f"{far}PrefixListName": "",
        f"Ipv6{far}CidrIp": "",
    }
    return call.view(f"{group.security_group_id}:{row['SecurityGroupRuleId']}", row)


def describe_security_group_attribute(call: Call) -> Row:
    """Rules of one group: 500 by default, at most 1000 on a page; Direction ingress, egress or all."""
    call.region()
    group = call.get(call.world.security_groups, call.required("SecurityGroupId"), "InvalidSecurityGroupId.NotFound")
    direction = call.text("Direction").lower() or "all"
    rules = [(position, rule) for position, rule in enumerate(group.rules, 1) if direction in ("all", rule.direction)]
    page, token, _ = call.token_page(rules, default=500, minimum=10, maximum=1000)
    row: Row = {
        "Description": group.description,
        "InnerAccessPolicy": group.inner_access_policy,
        "Permissions": {"Permission": [_rule_row(call, group, position, rule) for position, rule in page]},
        "RegionId": group.region_id,
        "SecurityGroupId": group.security_group_id,
        "SecurityGroupName": group.name,
        "SnapshotPolicyIds": {"SnapshotPolicyId": []},
        "VpcId": group.vpc_id,
    }
    return with_token(call.view(group.security_group_id, row), token)


def describe_security_group_references(call: Call) -> Row:
    """Groups whose rules name up to 10 groups; groups that nobody names are left out."""
    ids = call.array("SecurityGroupId", 10)
    if not ids:
        raise ApiError(400, "MissingParameter", "The parameter SecurityGroupId is missing.")
    rows = []
    for group in call.own(call.world.security_groups, ids):
        users = [
            {"AliUid": user.account_id, "SecurityGroupId": user.security_group_id}
            for user in call.world.security_groups.values()
            if any(rule.group_id == group.security_group_id for rule in user.rules)
        ]
        if users:
            rows.append(
                {
                    "ReferencingSecurityGroups": {"ReferencingSecurityGroup": users},
                    "SecurityGroupId": group.security_group_id,
                }
            )
    return {"SecurityGroupReferences": {"SecurityGroupReference": rows}}


def _instance_row(call: Call, instance: Instance) -> Row:
    eni = call.world.enis[instance.eni_id]
    interface = {
        "Ipv4PrefixSets": {"Ipv4PrefixSet": []},
        "Ipv6PrefixSets": {"Ipv6PrefixSet": []},
        "Ipv6Sets": {"Ipv6Set": []},
        "MacAddress": _MAC,
        "NetworkInterfaceId": eni.eni_id,
        "PrimaryIpAddress": eni.private_ip,
        "PrivateIpSets": {"PrivateIpSet": [{"Primary": True, "PrivateIpAddress": eni.private_ip}]},
        "Type": "Primary",
    }
    row: Row = {
        "Cpu": 2,
        "CreationTime": _FOUND,
        "DeletionProtection": False,
        "DeploymentSetId": "",
        "Description": "",
        "DeviceAvailable": True,
        "EipAddress": {"AllocationId": "", "InternetChargeType": "", "IpAddress": ""},
        "ExpiredTime": "2099-12-31T15:59Z",
        "GPUAmount": 0,
        "GPUSpec": "",
        "HostName": instance.instance_id,
        "ISP": "",
        "ImageId": "aliyun_3_x64_20G_alibase_20240528.vhd",
        "InnerIpAddress": {"IpAddress": []},
        "InstanceChargeType": "PostPaid",
        "InstanceId": instance.instance_id,
        "InstanceName": instance.name,
        "InstanceNetworkType": "vpc",
        "InstanceType": "ecs.g7.large",
        "InstanceTypeFamily": "ecs.g7",
        "InternetChargeType": "PayByTraffic",
        "InternetMaxBandwidthIn": 0,
        "InternetMaxBandwidthOut": 0,
        "IoOptimized": True,
        "Memory": 8192,
        "MetadataOptions": {"HttpEndpoint": "enabled", "HttpPutResponseHopLimit": 1, "HttpTokens": "optional"},
        "NetworkInterfaces": {"NetworkInterface": [interface]},
        "OSName": "Alibaba Cloud Linux 3.2104 LTS 64-bit",
        "OSNameEn": "Alibaba Cloud Linux 3.2104 LTS 64 bit",
        "OSType": "linux",
        "OperationLocks": {"LockReason": []},
        "PublicIpAddress": {"IpAddress": []},
        "RdmaIpAddress": {"IpAddress": []},
        "Recyclable": False,
        "RegionId": instance.region_id,
        "ResourceGroupId": "",
        "SaleCycle": "",
        "SecurityGroupIds": {"SecurityGroupId": list(instance.security_groups)},
        "SerialNumber": "0a1b2c3d-0000-4000-8000-000000000000",
        "SpotPriceLimit": 0.0,
        "SpotStrategy": "NoSpot",
        "StartTime": "2024-03-01T08:11Z",
        "Status": instance.status,
        "StoppedMode": "KeepCharging" if instance.status == "Stopped" else "Not-applicable",
        "Tags": _tags(instance.tags),
        "VlanId": "",
        "VpcAttributes": {
            "NatIpAddress": "",
            "PrivateIpAddress": {"IpAddress": [instance.private_ip]},
            "VSwitchId": instance.vswitch_id,
            "VpcId": instance.vpc_id,
        },
        "ZoneId": instance.zone_id,
    }
    return call.view(instance.instance_id, row)


def describe_instances(call: Call) -> Row:
    """Instances of the region, or up to 100 named in JSON text (by id or private address)."""
    ids = call.json_list("InstanceIds", 100)
    addresses = call.json_list("PrivateIpAddresses", 100)
    call.region()
    call.dry_run()
    wanted = call.tag_filter()
    group_id = call.text("SecurityGroupId")
    instances = [
        instance
        for instance in call.own(call.world.instances, ids)
        if call.matches(
            VpcId=instance.vpc_id,
            VSwitchId=instance.vswitch_id,
            ZoneId=instance.zone_id,
            Status=instance.status,
            InstanceName=instance.name,
        )
        and (addresses is None or instance.private_ip in addresses)
        and (not group_id or group_id in instance.security_groups)
        and tags_match(instance.tags, wanted)
    ]
    page, paging = _page(call, instances, maximum=100, minimum=10, clamp=True)
    return {"Instances": {"Instance": [_instance_row(call, instance) for instance in page]}, **paging}


def describe_prefix_lists(call: Call) -> Row:
    """Prefix lists without entries; NextToken is "" on the last page."""
    ids = call.array("PrefixListId", 100)
    lists = [
        item
        for item in call.own(call.world.prefix_lists, ids or None)
        if call.matches(PrefixListName=item.name, AddressFamily=item.address_family)
    ]
    page, token, _ = call.token_page(lists, default=10, maximum=100)
    rows = [
        {
            "AddressFamily": item.address_family,
            "AssociationCount": 1,
            "CreationTime": "2024-03-02T11:00Z",
            "Description": "",
            "MaxEntries": item.max_entries,
            "PrefixListId": item.prefix_list_id,
            "PrefixListName": item.name,
            "ResourceGroupId": "",
            "Tags": {"Tag": []},
        }
        for item in page
    ]
    return with_token({"PrefixLists": {"PrefixList": rows}}, token, empty=True)


def describe_prefix_list_attributes(call: Call) -> Row:
    call.region()
    item = call.get(call.world.prefix_lists, call.required("PrefixListId"), "InvalidPrefixListId.NotFound")
    row: Row = {
        "AddressFamily": item.address_family,
        "CreationTime": "2024-03-02T11:00Z",
        "Description": "",
        "Entries": {"Entry": [{"Cidr": cidr, "Description": ""} for cidr in item.entries]},
        "MaxEntries": item.max_entries,
        "PrefixListId": item.prefix_list_id,
        "PrefixListName": item.name,
    }
    return call.view(item.prefix_list_id, row)


def describe_port_range_lists(call: Call) -> Row:
    """Port lists without entries; NextToken is "" on the last page."""
    ids = call.array("PortRangeListId", 100)
    lists = [item for item in call.own(call.world.port_lists, ids or None) if call.matches(PortRangeListName=item.name)]
    page, token, _ = call.token_page(lists, default=10, maximum=100)
    rows = [
        {
            "AssociationCount": 1,
            "CreationTime": "2024-03-02T11:05Z",
            "Description": "",
            "MaxEntries": item.max_entries,
            "PortRangeListId": item.port_list_id,
            "PortRangeListName": item.name,
            "ResourceGroupId": "",
            "Tags": [],
        }
        for item in page
    ]
    return with_token({"PortRangeLists": rows}, token, empty=True)


def describe_port_range_list_entries(call: Call) -> Row:
    call.region()
    item = call.get(call.world.port_lists, call.required("PortRangeListId"), "InvalidPortRangeListId.NotFound")
    return call.view(
        item.port_list_id, {"Entries": [{"Description": "", "PortRange": ports} for ports in item.entries]}
    )


def list_tag_resources(call: Call) -> Row:
    """Tags of instances and security groups; NextToken is "" on the last page."""
    kind = call.required("ResourceType").lower()
    ids, wanted = call.array("ResourceId", 50), call.tag_filter()
    if kind == "instance":
        tagged = [(instance.instance_id, instance.tags) for instance in call.own(call.world.instances)]
    elif kind == "securitygroup":
        tagged = [(group.security_group_id, group.tags) for group in call.own(call.world.security_groups)]
    elif kind == "eni":
        tagged = []
    else:
        raise not_found("InvalidResourceType.NotFound", kind)
    rows = [
        {"ResourceId": object_id, "ResourceType": kind, "TagKey": key, "TagValue": value}
        for object_id, tags in tagged
        if (not ids or object_id in ids) and tags_match(tags, wanted)
        for key, value in tags.items()
    ]
    page, token, _ = call.token_page(rows, default=50, maximum=50)
    return with_token({"TagResources": {"TagResource": list(page)}}, token, empty=True)


def get_caller_identity(call: Call) -> Row:
    """Who the credentials belong to; an assumed role has a RoleId, a user a UserId."""
    account_id = call.account.account_id
    kind = call.account.identity_type
    row: Row = {"AccountId": account_id, "IdentityType": kind}
    if kind == "AssumedRoleUser":
        row |= {
            "Arn": f"acs:ram::{account_id}:assumed-role/plaudit-readonly/plaudit",
            "PrincipalId": "300000000000000001:plaudit",
            "RoleId": "300000000000000001",
        }
    elif kind == "RAMUser":
        row |= {
            "Arn": f"acs:ram::{account_id}:user/plaudit",
            "PrincipalId": "200000000000000001",
            "UserId": "200000000000000001",
        }
    else:
        row |= {"Arn": f"acs:ram::{account_id}:root", "PrincipalId": account_id, "UserId": account_id}
    return call.view(account_id, row)


OPERATIONS: dict[str, Answer] = {
    "DescribeNetworkInterfaces": describe_network_interfaces,
    "DescribeSecurityGroups": describe_security_groups,
    "DescribeSecurityGroupAttribute": describe_security_group_attribute,
    "DescribeSecurityGroupReferences": describe_security_group_references,
    "DescribeInstances": describe_instances,
    "DescribePrefixLists": describe_prefix_lists,
    "DescribePrefixListAttributes": describe_prefix_list_attributes,
    "DescribePortRangeLists": describe_port_range_lists,
    "DescribePortRangeListEntries": describe_port_range_list_entries,
    "DescribeRegions": describe_regions,
    "DescribeZones": describe_zones,
    "ListTagResources": list_tag_resources,
}

STS_OPERATIONS: dict[str, Answer] = {"GetCallerIdentity": get_caller_identity}
