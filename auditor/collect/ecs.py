"""ECS: network interfaces, instances, security groups with their rules, prefix lists and port lists."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from auditor.collect.answers import CloudError
from auditor.collect.attributes import add_attributes
from auditor.collect.caller import Caller, Listing, id_parameters
from auditor.collect.fields import Item, Rows, Text, Value, flag, known, lower, number, text
from auditor.collect.operations import OPERATIONS

INTERFACES = "ecs:DescribeNetworkInterfaces"
INSTANCES = "ecs:DescribeInstances"
GROUPS = "ecs:DescribeSecurityGroups"
GROUP_RULES = "ecs:DescribeSecurityGroupAttribute"
PREFIX_LIST = "ecs:DescribePrefixListAttributes"
PORT_LIST = "ecs:DescribePortRangeListEntries"

# ---------------------------------------------------------------------------------------------------------- fetch


def fetch(caller: Caller, region: str, operation: str, ids: Sequence[str]) -> Listing:
    """The list of an operation for a batch of ids, as many as the operation takes."""
    return caller.list(operation, region, id_parameters(OPERATIONS[operation], ids))


def fetch_interfaces_of_vpc(caller: Caller, region: str, vpc_id: str) -> Listing:
    """Every ENI of one VPC."""
    return caller.list(INTERFACES, region, {"VpcId": vpc_id})


def fetch_instances(caller: Caller, region: str, ids: Sequence[str]) -> Listing:
    """Instances by id.

    Without permission ECS answers an empty list instead of an error, so an empty list is believed only if a dry run
    says that the call is allowed.
    """
    listing = fetch(caller, region, INSTANCES, ids)
    if listing.complete and not listing.items:
        refusal = caller.probe(INSTANCES, region, id_parameters(OPERATIONS[INSTANCES], ids))
        if refusal is not None:
            listing.error = _no_permission(refusal)
    return listing


def _no_permission(refusal: CloudError) -> CloudError:
    own = refusal.code if refusal.code.startswith(("Plaudit.Deadline", "Plaudit.Interrupted")) else None
    return CloudError(
        own or "Plaudit.NoPermission",
        f"an empty list, and the dry run says {refusal.code}: {refusal.message}",
        request_id=refusal.request_id,
    )


# ----------------------------------------------------------------------------------------------------------- rows


def interface_rows(items: Iterable[Item], target: str | None) -> Rows:
    """`network_interfaces`, `eni_addresses` and `eni_security_groups`.

    `target` is the VPC that was asked for, None where ENIs were asked for by id: then each is its own target.
    """
    rows = Rows()
    for item in items:
        eni, vpc = text(item, "NetworkInterfaceId"), text(item, "VpcId")
        if target is not None and known(vpc) and vpc != target:
            continue
        place = target or known(eni) or None
        instance = text(item, "InstanceId")
        if instance is None:
            instance = text(item, "Attachment", "InstanceId")
        rows.add(
            "network_interfaces",
            place,
            eni_id=eni,
            eni_name=text(item, "NetworkInterfaceName"),
            private_ip=text(item, "PrivateIpAddress"),
            vpc_id=vpc,
            vswitch_id=text(item, "VSwitchId"),
            zone_id=text(item, "ZoneId"),
            status=text(item, "Status"),
            eni_type=text(item, "Type"),
            instance_id=instance,
            service_managed=flag(item, "ServiceManaged"),
        )
        for outer, inner, name in (
            ("PrivateIpSets", "PrivateIpSet", "PrivateIpAddress"),
            ("Ipv6Sets", "Ipv6Set", "Ipv6Address"),
            ("Ipv4PrefixSets", "Ipv4PrefixSet", "Ipv4Prefix"),
            ("Ipv6PrefixSets", "Ipv6PrefixSet", "Ipv6Prefix"),
        ):
            for entry in rows.objects("eni_addresses", place, item, outer, inner):
                rows.add("eni_addresses", place, eni_id=eni, vpc_id=vpc, address=text(entry, name))
        for group in rows.texts("eni_security_groups", place, item, "SecurityGroupIds", "SecurityGroupId"):
            rows.add("eni_security_groups", place, eni_id=eni, vpc_id=vpc, security_group_id=group)
    return rows


def instance_rows(items: Iterable[Item], asked: Sequence[str]) -> Rows:
    """`instances` and `instance_security_groups` of the instances that were asked for."""
    rows = Rows()
    for item in items:
        instance = text(item, "InstanceId")
        if known(instance) and instance not in asked:
            continue
        place = known(instance) or None
        rows.add(
            "instances",
            place,
            instance_id=instance,
            instance_name=text(item, "InstanceName"),
            status=text(item, "Status"),
            vpc_id=text(item, "VpcAttributes", "VpcId"),
            vswitch_id=text(item, "VpcAttributes", "VSwitchId"),
            zone_id=text(item, "ZoneId"),
            instance_region_id=text(item, "RegionId"),
            private_ip=_first_address(item),
        )
        for group in rows.texts("instance_security_groups", place, item, "SecurityGroupIds", "SecurityGroupId"):
            rows.add("instance_security_groups", place, instance_id=instance, security_group_id=group)
    return rows


def _first_address(item: Item) -> Value:
    """First private address of an instance: empty if it has none, NULL where the list is absent (classic network)."""
    rows = Rows()
    found = rows.texts("instances", None, item, "VpcAttributes", "PrivateIpAddress", "IpAddress")
    return found[0] if found else (None if rows.flaws else "")


def group_rows(items: Iterable[Item], asked: Sequence[str]) -> Rows:
    """`security_groups` of the groups that were asked for."""
    rows = Rows()
    for item in items:
        group = text(item, "SecurityGroupId")
        if known(group) and group not in asked:
            continue
        rows.add(
            "security_groups",
            known(group) or None,
            security_group_id=group,
            security_group_name=text(item, "SecurityGroupName"),
            security_group_type=text(item, "SecurityGroupType"),
            vpc_id=text(item, "VpcId"),
            service_managed=flag(item, "ServiceManaged"),
            rule_count=number(item, "RuleCount"),
        )
        add_attributes(rows, "security_groups", "security_groups", group, item)
    return rows


def rule_rows(answers: Sequence[Item], items: Iterable[Item], group_id: str) -> Rows:
    """`security_group_policies` and `security_group_rules` of one group."""
    rows = Rows()
    for answer in answers[:1]:
        policy = text(answer, "InnerAccessPolicy")
        rows.add("security_group_policies", group_id, security_group_id=group_id, inner_access_policy=policy)
    for item in items:
        protocol = text(item, "IpProtocol")
        rows.add(
            "security_group_rules",
            group_id,
            security_group_id=group_id,
            rule_id=text(item, "SecurityGroupRuleId"),
            direction=lower(item, "Direction"),
            policy=_capitalised(text(item, "Policy")),
            priority=number(item, "Priority"),
            protocol=protocol.upper() if isinstance(protocol, str) else protocol,
            port_range=text(item, "PortRange"),
            port_list_id=text(item, "PortRangeListId"),
            source_cidr=text(item, "SourceCidrIp"),
            ipv6_source_cidr=text(item, "Ipv6SourceCidrIp"),
            source_group_id=text(item, "SourceGroupId"),
            source_group_owner=text(item, "SourceGroupOwnerAccount"),
            source_prefix_list_id=text(item, "SourcePrefixListId"),
            source_port_range=text(item, "SourcePortRange"),
            dest_cidr=text(item, "DestCidrIp"),
            ipv6_dest_cidr=text(item, "Ipv6DestCidrIp"),
            dest_group_id=text(item, "DestGroupId"),
            dest_prefix_list_id=text(item, "DestPrefixListId"),
            description=text(item, "Description"),
        )
    return rows


def _capitalised(value: Text) -> Text:
    return value.capitalize() if isinstance(value, str) else value


def prefix_list_rows(answer: Item, items: Iterable[Item], prefix_list_id: str) -> Rows:
    """`prefix_lists` and `prefix_list_entries` of one prefix list."""
    rows = Rows()
    rows.add(
        "prefix_lists",
        prefix_list_id,
        prefix_list_id=prefix_list_id,
        address_family=text(answer, "AddressFamily"),
        max_entries=number(answer, "MaxEntries"),
    )
    for item in items:
        rows.add("prefix_list_entries", prefix_list_id, prefix_list_id=prefix_list_id, cidr=text(item, "Cidr"))
    return rows


def port_list_rows(items: Iterable[Item], port_list_id: str) -> Rows:
    """`port_list_entries` of one port list."""
    rows = Rows()
    for item in items:
        rows.add("port_list_entries", port_list_id, port_list_id=port_list_id, port_range=text(item, "PortRange"))
    return rows
