"""Operations of product ecs, version 2014-05-26, and of sts, version 2015-04-01."""

from __future__ import annotations

from auditor.simulator import security_groups
from auditor.simulator.answers import describe_regions, describe_zones, ecs_page, ecs_tags
from auditor.simulator.objects import Instance, NetworkInterface
from auditor.simulator.wire import Answer, Call, Row, not_found, tags_match, with_token

_FOUND = "2024-03-01T08:10Z"


_MAC = "00:16:3e:0a:10:01"


def _groups_of(call: Call, eni: NetworkInterface) -> list[str]:
    """Groups of an ENI; those of an endpoint ENI are the endpoint's attached ones."""
    endpoint = call.world.endpoints.get(eni.endpoint_id)
    if endpoint is None:
        return list(eni.security_groups)
    return [group for group, status in endpoint.security_groups.items() if status == "Attached"]


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
    page, paging = ecs_page(call, enis, maximum=500, minimum=10, clamp=True)
    return {"NetworkInterfaceSets": {"NetworkInterfaceSet": [_eni_row(call, eni) for eni in page]}, **paging}


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
        "Tags": ecs_tags(instance.tags),
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
    page, paging = ecs_page(call, instances, maximum=100, minimum=10, clamp=True)
    return {"Instances": {"Instance": [_instance_row(call, instance) for instance in page]}, **paging}


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
    **security_groups.OPERATIONS,
    "DescribeNetworkInterfaces": describe_network_interfaces,
    "DescribeInstances": describe_instances,
    "DescribeRegions": describe_regions,
    "DescribeZones": describe_zones,
    "ListTagResources": list_tag_resources,
}


STS_OPERATIONS: dict[str, Answer] = {"GetCallerIdentity": get_caller_identity}
