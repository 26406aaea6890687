"""Security groups with their rules, prefix lists and port lists of product ecs."""

from __future__ import annotations

from auditor.simulator.answers import ecs_page, ecs_tags
from auditor.simulator.objects import Rule, SecurityGroup
from auditor.simulator.wire import Answer, ApiError, Call, Row, tags_match, with_token


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
    page, paging = ecs_page(call, groups, maximum=100)
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
                "Tags": ecs_tags(group.tags),
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
            for user in list(call.world.security_groups.values())
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


OPERATIONS: dict[str, Answer] = {
    "DescribeSecurityGroups": describe_security_groups,
    "DescribeSecurityGroupAttribute": describe_security_group_attribute,
    "DescribeSecurityGroupReferences": describe_security_group_references,
    "DescribePrefixLists": describe_prefix_lists,
    "DescribePrefixListAttributes": describe_prefix_list_attributes,
    "DescribePortRangeLists": describe_port_range_lists,
    "DescribePortRangeListEntries": describe_port_range_list_entries,
}
