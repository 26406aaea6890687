"""Effects on security groups: rules that are added and taken away."""

from __future__ import annotations

from collections.abc import Mapping

from auditor.fixes.draft import Draft, Row

#: Columns of a rule by the request parameter that sets them; what a request leaves out is empty.
_COLUMNS = {
    "PortRange": "port_range",
    "SourceCidrIp": "source_cidr",
    "Ipv6SourceCidrIp": "ipv6_source_cidr",
    "SourceGroupId": "source_group_id",
    "SourcePrefixListId": "source_prefix_list_id",
    "SourcePortRange": "source_port_range",
    "DestCidrIp": "dest_cidr",
    "Ipv6DestCidrIp": "ipv6_dest_cidr",
    "DestGroupId": "dest_group_id",
    "DestPrefixListId": "dest_prefix_list_id",
    "Description": "description",
}


def authorize(draft: Draft, parameters: Mapping[str, str], _account: str | None) -> None:
    """Ingress rules come into a group; the cloud gives their ids."""
    _add(draft, parameters, "ingress")


def authorize_egress(draft: Draft, parameters: Mapping[str, str], _account: str | None) -> None:
    """Egress rules come into a group; the cloud gives their ids."""
    _add(draft, parameters, "egress")


def revoke(draft: Draft, parameters: Mapping[str, str], _account: str | None) -> None:
    """Rules leave a group by their ids."""
    group_id = parameters["SecurityGroupId"]
    for name, value in parameters.items():
        if name.startswith("SecurityGroupRuleId."):
            draft.one("security_group_rules", security_group_id=group_id, rule_id=value)
            draft.remove("security_group_rules", security_group_id=group_id, rule_id=value)
            _count(draft, group_id, -1)


def _add(draft: Draft, parameters: Mapping[str, str], direction: str) -> None:
    group = draft.one("security_groups", security_group_id=parameters["SecurityGroupId"])
    for number in sorted({name.split(".")[1] for name in parameters if name.startswith("Permissions.")}, key=int):
        given = {
            name.split(".")[2]: value for name, value in parameters.items() if name.startswith(f"Permissions.{number}.")
        }
        rule: Row = {
            "account_id": group["account_id"],
            "region_id": group["region_id"],
            "security_group_id": group["security_group_id"],
            "direction": direction,
            "policy": given["Policy"],
            "priority": int(given["Priority"]),
            "protocol": given["IpProtocol"].upper(),
            "port_list_id": "",
            "source_group_owner": "",
            **{column: given.get(name, "") for name, column in _COLUMNS.items()},
        }
        # A rule that is there already is not added a second time.
        same = {name: value for name, value in rule.items() if name != "description"}
        if not draft.rows("security_group_rules", **same):
            draft.add("security_group_rules", rule)
            _count(draft, group["security_group_id"], 1)


def _count(draft: Draft, group_id: str, more: int) -> None:
    for row in draft.rows("security_groups", security_group_id=group_id):
        if row["rule_count"] is not None:
            number = row["rule_count"] + more
            draft.change(
                "security_groups", {"security_group_id": group_id, "rule_count": number - more}, rule_count=number
            )
            break
