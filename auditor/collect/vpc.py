"""VPC: networks, vSwitches, network ACLs, elastic IP addresses and flow logs of a region."""

from __future__ import annotations

from collections.abc import Iterable

from auditor.collect.attributes import add_attributes
from auditor.collect.caller import Caller, Listing
from auditor.collect.fields import Item, Rows, known, lower, number, text

VPCS = "vpc:DescribeVpcs"
VSWITCHES = "vpc:DescribeVSwitches"
NETWORK_ACLS = "vpc:DescribeNetworkAcls"
EIP_ADDRESSES = "vpc:DescribeEipAddresses"
FLOW_LOGS = "vpc:DescribeFlowLogs"

# ---------------------------------------------------------------------------------------------------------- fetch


def fetch(caller: Caller, region: str, operation: str) -> Listing:
    """Every page of a list of the region."""
    parameters = {"AssociatedInstanceType": "SlbInstance"} if operation == EIP_ADDRESSES else {}
    return caller.list(operation, region, parameters)


# ----------------------------------------------------------------------------------------------------------- rows


def vpc_rows(items: Iterable[Item]) -> Rows:
    """`vpcs` and `vpc_cidrs`."""
    rows = Rows()
    for item in items:
        vpc = text(item, "VpcId")
        rows.add(
            "vpcs",
            "",
            vpc_id=vpc,
            vpc_name=text(item, "VpcName"),
            cidr_block=text(item, "CidrBlock"),
            ipv6_cidr_block=text(item, "Ipv6CidrBlock"),
            status=text(item, "Status"),
            owner_id=text(item, "OwnerId"),
        )
        if not known(vpc):
            continue
        add_attributes(rows, "vpcs", "vpcs", vpc, item)
        rows.add("vpc_cidrs", known(vpc), vpc_id=vpc, cidr=text(item, "CidrBlock"))
        secondary = rows.texts("vpc_cidrs", known(vpc), item, "SecondaryCidrBlocks", "SecondaryCidrBlock")
        for cidr in dict.fromkeys(secondary):
            if cidr != text(item, "CidrBlock"):
                rows.add("vpc_cidrs", known(vpc), vpc_id=vpc, cidr=cidr)
    return rows


def vswitch_rows(items: Iterable[Item]) -> Rows:
    """`vswitches`."""
    rows = Rows()
    for item in items:
        rows.add(
            "vswitches",
            "",
            vswitch_id=text(item, "VSwitchId"),
            vswitch_name=text(item, "VSwitchName"),
            vpc_id=text(item, "VpcId"),
            zone_id=text(item, "ZoneId"),
            cidr_block=text(item, "CidrBlock"),
            ipv6_cidr_block=text(item, "Ipv6CidrBlock"),
            network_acl_id=text(item, "NetworkAclId"),
            available_ip_address_count=number(item, "AvailableIpAddressCount"),
            status=text(item, "Status"),
            share_type=text(item, "ShareType"),
            owner_id=text(item, "OwnerId"),
        )
        add_attributes(rows, "vswitches", "vswitches", text(item, "VSwitchId"), item)
    return rows


def network_acl_rows(items: Iterable[Item]) -> Rows:
    """`network_acls` and `network_acl_entries`; the place in the list is the order of evaluation."""
    rows = Rows()
    for item in items:
        acl = text(item, "NetworkAclId")
        rows.add(
            "network_acls",
            "",
            network_acl_id=acl,
            network_acl_name=text(item, "NetworkAclName"),
            vpc_id=text(item, "VpcId"),
            status=text(item, "Status"),
        )
        if not known(acl):
            continue
        for direction, outer, inner, cidr in (
            ("ingress", "IngressAclEntries", "IngressAclEntry", "SourceCidrIp"),
            ("egress", "EgressAclEntries", "EgressAclEntry", "DestinationCidrIp"),
        ):
            entries = rows.objects("network_acl_entries", known(acl), item, outer, inner)
            for position, entry in enumerate(entries, start=1):
                rows.add(
                    "network_acl_entries",
                    known(acl),
                    network_acl_id=acl,
                    direction=direction,
                    position=position,
                    entry_id=text(entry, "NetworkAclEntryId"),
                    policy=lower(entry, "Policy"),
                    protocol=lower(entry, "Protocol"),
                    port=text(entry, "Port"),
                    cidr=text(entry, cidr),
                    ip_version=text(entry, "IpVersion"),
                    entry_type=text(entry, "EntryType"),
                )
    return rows


def eip_rows(items: Iterable[Item]) -> Rows:
    """`eip_addresses`."""
    rows = Rows()
    for item in items:
        rows.add(
            "eip_addresses",
            "",
            allocation_id=text(item, "AllocationId"),
            ip_address=text(item, "IpAddress"),
            instance_type=text(item, "InstanceType"),
            instance_id=text(item, "InstanceId"),
        )
    return rows


def flow_log_rows(items: Iterable[Item]) -> Rows:
    """`flow_logs`."""
    rows = Rows()
    for item in items:
        rows.add(
            "flow_logs",
            "",
            flow_log_id=text(item, "FlowLogId"),
            resource_type=text(item, "ResourceType"),
            resource_id=text(item, "ResourceId"),
            status=text(item, "Status"),
        )
    return rows
