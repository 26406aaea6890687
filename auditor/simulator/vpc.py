"""Operations of product vpc, version 2016-04-28, and of cms (CloudMonitor), version 2019-01-01."""

from __future__ import annotations

import ipaddress

from auditor.simulator import monitoring
from auditor.simulator.answers import RESOURCE_GROUP, describe_regions, describe_zones
from auditor.simulator.objects import NetworkAcl, NetworkAclEntry, PrefixList, Vpc, VSwitch
from auditor.simulator.wire import Answer, ApiError, Call, Row, tags_match, with_token


def _tags(tags: dict[str, str]) -> Row:
    return {"Tag": [{"Key": key, "Value": value} for key, value in tags.items()]}


def _route_table(vpc_id: str) -> str:
    return "vtb-" + vpc_id.removeprefix("vpc-")


def _vpc_row(call: Call, vpc: Vpc) -> Row:
    vswitches = [vswitch.vswitch_id for vswitch in list(call.world.vswitches.values()) if vswitch.vpc_id == vpc.vpc_id]
    row: Row = {
        "CenStatus": "Detached",
        "CidrBlock": vpc.cidr_block,
        "CreationTime": "2024-03-01T08:00:00Z",
        "Description": vpc.description,
        "DhcpOptionsSetId": "",
        "DhcpOptionsSetStatus": "Available",
        "DnsHostnameStatus": "DISABLED",
        "EnabledIpv6": bool(vpc.ipv6_cidr_block),
        "Ipv6CidrBlock": vpc.ipv6_cidr_block,
        "Ipv6CidrBlocks": {"Ipv6CidrBlock": []},
        "IsDefault": False,
        "NatGatewayIds": {"NatGatewayIds": []},
        "OwnerId": int(vpc.account_id),
        "RegionId": vpc.region_id,
        "ResourceGroupId": RESOURCE_GROUP,
        "RouterTableIds": {"RouterTableIds": [_route_table(vpc.vpc_id)]},
        "SecondaryCidrBlocks": {"SecondaryCidrBlock": list(vpc.secondary_cidrs)},
        "Status": vpc.status,
        "Tags": _tags(vpc.tags),
        "UserCidrs": {"UserCidr": []},
        "VRouterId": "vrt-" + vpc.vpc_id.removeprefix("vpc-"),
        "VSwitchIds": {"VSwitchId": vswitches[-300:]},
        "VpcId": vpc.vpc_id,
        "VpcName": vpc.name,
    }
    return call.view(vpc.vpc_id, row)


def describe_vpcs(call: Call) -> Row:
    """VPCs of the region, or up to 20 named in comma text."""
    ids = call.commas("VpcId", 20)
    call.region()
    call.dry_run()
    wanted = call.tag_filter()
    vpcs = [
        vpc
        for vpc in call.own(call.world.vpcs, ids or None)
        if call.matches(VpcName=vpc.name) and tags_match(vpc.tags, wanted)
    ]
    page, number, size = call.numbered_page(vpcs, default=10, maximum=50)
    rows = [_vpc_row(call, vpc) for vpc in page]
    return {"PageNumber": number, "PageSize": size, "TotalCount": len(vpcs), "Vpcs": {"Vpc": rows}}


def _vswitch_row(call: Call, vswitch: VSwitch) -> Row:
    share = ""
    if vswitch.shared_with:
        share = "Sharing" if vswitch.account_id == call.account.account_id else "Shared"
    free = ipaddress.ip_network(vswitch.cidr_block).num_addresses - 4 - len(vswitch.taken)
    row: Row = {
        "AvailableIpAddressCount": max(free, 0),
        "CidrBlock": vswitch.cidr_block,
        "CreationTime": "2024-03-01T08:02:00Z",
        "Description": vswitch.description,
        "EnabledIpv6": bool(vswitch.ipv6_cidr_block),
        "Ipv6CidrBlock": vswitch.ipv6_cidr_block,
        "IsDefault": False,
        "NetworkAclId": vswitch.network_acl_id,
        "OwnerId": int(vswitch.account_id),
        "ResourceGroupId": RESOURCE_GROUP,
        "RouteTable": {"RouteTableId": _route_table(vswitch.vpc_id), "RouteTableType": "System"},
        "ShareType": share,
        "Status": vswitch.status,
        "Tags": _tags(vswitch.tags),
        "VSwitchId": vswitch.vswitch_id,
        "VSwitchName": vswitch.name,
        "VpcId": vswitch.vpc_id,
        "ZoneId": vswitch.zone_id,
    }
    return call.view(vswitch.vswitch_id, row)


def _vswitches(call: Call) -> list[VSwitch]:
    """Own vSwitches of the region, and those another account shares with the caller."""
    region = call.region()
    shared = [
        vswitch
        for vswitch in list(call.world.vswitches.values())
        if call.account.account_id in vswitch.shared_with and vswitch.region_id == region
    ]
    return call.own(call.world.vswitches) + shared


def describe_vswitches(call: Call) -> Row:
    if not call.region_id and not call.text("VpcId"):
        raise ApiError(400, "MissingParameter", "RegionId or VpcId is needed.")
    if not call.region_id and call.text("VpcId") in call.world.vpcs:
        call.region_id = call.world.vpcs[call.text("VpcId")].region_id
    call.region()
    call.dry_run()
    wanted = call.tag_filter()
    vswitches = [
        vswitch
        for vswitch in _vswitches(call)
        if call.matches(
            VSwitchId=vswitch.vswitch_id, VpcId=vswitch.vpc_id, ZoneId=vswitch.zone_id, VSwitchName=vswitch.name
        )
        and tags_match(vswitch.tags, wanted)
    ]
    page, number, size = call.numbered_page(vswitches, default=10, maximum=50)
    rows = [_vswitch_row(call, vswitch) for vswitch in page]
    return {"PageNumber": number, "PageSize": size, "TotalCount": len(vswitches), "VSwitches": {"VSwitch": rows}}


def describe_vswitch_attributes(call: Call) -> Row:
    """One vSwitch, own or shared."""
    wanted = call.required("VSwitchId")
    for vswitch in _vswitches(call):
        if vswitch.vswitch_id == wanted:
            return _vswitch_row(call, vswitch)
    raise ApiError(404, "InvalidVSwitchId.NotFound", "The vSwitch does not exist.")


def _entry(direction: str, position: int, entry: NetworkAclEntry) -> Row:
    return {
        "Description": entry.description,
        "EntryType": entry.entry_type,
        "IpVersion": "IPV6" if ":" in entry.cidr else "IPV4",
        "NetworkAclEntryId": f"nae-gw8{direction}{position}",
        "NetworkAclEntryName": "",
        "Policy": entry.policy,
        "Port": entry.port,
        "Protocol": entry.protocol,
        "SourceCidrIp" if direction == "ingress" else "DestinationCidrIp": entry.cidr,
    }


def _network_acl_row(call: Call, acl: NetworkAcl) -> Row:
    resources = [
        {"ResourceId": vswitch.vswitch_id, "ResourceType": "VSwitch", "Status": "BINDED"}
        for vswitch in list(call.world.vswitches.values())
        if vswitch.network_acl_id == acl.network_acl_id
    ]
    egress = [_entry("egress", position, entry) for position, entry in enumerate(acl.egress, 1)]
    ingress = [_entry("ingress", position, entry) for position, entry in enumerate(acl.ingress, 1)]
    row: Row = {
        "CreationTime": "2024-03-02T12:00:00Z",
        "Description": "",
        "EgressAclEntries": {"EgressAclEntry": egress},
        "IngressAclEntries": {"IngressAclEntry": ingress},
        "NetworkAclId": acl.network_acl_id,
        "NetworkAclName": acl.name,
        "OwnerId": int(acl.account_id),
        "RegionId": acl.region_id,
        "Resources": {"Resource": resources},
        "Status": acl.status,
        "Tags": {"Tag": []},
        "VpcId": acl.vpc_id,
    }
    return call.view(acl.network_acl_id, row)


def describe_network_acls(call: Call) -> Row:
    """Network ACLs with their entries inline; the paging numbers are text."""
    acls = [
        acl
        for acl in call.own(call.world.network_acls)
        if call.matches(NetworkAclId=acl.network_acl_id, NetworkAclName=acl.name, VpcId=acl.vpc_id)
    ]
    page, number, size = call.numbered_page(acls, default=10, maximum=50)
    return {
        "NetworkAcls": {"NetworkAcl": [_network_acl_row(call, acl) for acl in page]},
        "PageNumber": str(number),
        "PageSize": str(size),
        "TotalCount": str(len(acls)),
    }


def describe_network_acl_attributes(call: Call) -> Row:
    acl = call.get(call.world.network_acls, call.required("NetworkAclId"), "InvalidNetworkAcl.NotFound")
    return {"NetworkAclAttribute": _network_acl_row(call, acl)}


def _prefix_list_row(prefix_list: PrefixList) -> Row:
    return {
        "CidrBlocks": list(prefix_list.entries),
        "CreationTime": "2024-03-02T11:00:00Z",
        "IpVersion": prefix_list.address_family.upper(),
        "MaxEntries": prefix_list.max_entries,
        "OwnerId": prefix_list.account_id,
        "PrefixListDescription": "",
        "PrefixListId": prefix_list.prefix_list_id,
        "PrefixListName": prefix_list.name,
        "PrefixListStatus": "Created",
        "PrefixListType": "Custom",
        "RegionId": prefix_list.region_id,
        "ResourceGroupId": RESOURCE_GROUP,
        "ShareType": "",
        "Status": "Created",
        "Tags": [],
    }


def list_prefix_lists(call: Call) -> Row:
    ids = call.array("PrefixListIds", 100)
    lists = [item for item in call.own(call.world.prefix_lists, ids or None) if call.matches(PrefixListName=item.name)]
    page, token, size = call.token_page(lists, default=20, maximum=100)
    rows = [_prefix_list_row(item) for item in page]
    return with_token({"MaxResults": size, "PrefixLists": rows, "TotalCount": len(lists)}, token)


def get_vpc_prefix_list_entries(call: Call) -> Row:
    prefix_list = call.get(call.world.prefix_lists, call.required("PrefixListId"), "ResourceNotFound.PrefixList")
    page, token, _ = call.token_page(prefix_list.entries, default=20, maximum=100)
    rows = [
        {
            "Cidr": cidr,
            "Description": "",
            "PrefixListId": prefix_list.prefix_list_id,
            "RegionId": prefix_list.region_id,
        }
        for cidr in page
    ]
    return with_token({"Count": len(rows), "PrefixListEntry": rows, "TotalCount": len(prefix_list.entries)}, token)


def list_tag_resources(call: Call) -> Row:
    """Tags of VPCs and vSwitches; the resource type is upper case."""
    kind = call.required("ResourceType").upper()
    ids, wanted = call.array("ResourceId", 20), call.tag_filter()
    if kind == "VPC":
        tagged = [(vpc.vpc_id, vpc.tags) for vpc in call.own(call.world.vpcs)]
    elif kind == "VSWITCH":
        tagged = [(vswitch.vswitch_id, vswitch.tags) for vswitch in call.own(call.world.vswitches)]
    else:
        tagged = []
    rows = [
        {"ResourceId": object_id, "ResourceType": kind, "TagKey": key, "TagValue": value}
        for object_id, tags in tagged
        if (not ids or object_id in ids) and tags_match(tags, wanted)
        for key, value in tags.items()
    ]
    page, token, _ = call.token_page(rows, default=50, maximum=50)
    return with_token({"TagResources": {"TagResource": list(page)}}, token)


OPERATIONS: dict[str, Answer] = {
    **monitoring.OPERATIONS,
    "DescribeVpcs": describe_vpcs,
    "DescribeVSwitches": describe_vswitches,
    "DescribeVSwitchAttributes": describe_vswitch_attributes,
    "DescribeNetworkAcls": describe_network_acls,
    "DescribeNetworkAclAttributes": describe_network_acl_attributes,
    "ListPrefixLists": list_prefix_lists,
    "GetVpcPrefixListEntries": get_vpc_prefix_list_entries,
    "DescribeRegions": describe_regions,
    "DescribeZones": describe_zones,
    "ListTagResources": list_tag_resources,
}
