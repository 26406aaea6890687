"""What client ENIs may send to an endpoint ENI."""

from __future__ import annotations

from typing import Any

from .scene import base, egress, eni, facts, group, rule, together


def deployment(*rules: dict[str, Any], kind: str | None = "normal", inner: str = "Drop", **columns: Any) -> Any:
    client = eni("eni-c", "10.0.0.7", ["sg-c"], instance_id="i-1", **columns)
    return together(base(rules), group("sg-c", kind, inner), client)


def allowed(rows: Any, **options: Any) -> tuple[bool | None, str | None]:
    (row,) = facts("client_egress", rows, **options)
    assert (row["allowed"] is None) is (row["reason"] is not None)
    return row["allowed"], row["decided_by"]


def test_basic_groups_allow_egress_by_default() -> None:
    assert allowed(deployment()) == (True, "default")


def test_advanced_groups_deny_egress_by_default() -> None:
    assert allowed(deployment(kind="enterprise")) == (False, "default")
    assert allowed(deployment(egress("a", "Accept", "10.0.0.250"), kind="enterprise")) == (True, "a")


def test_groups_of_different_or_unknown_types_leave_the_default_undecided() -> None:
    rows = together(deployment(), group("sg-d", "enterprise"))
    rows["eni_security_groups"].append({"eni_id": "eni-c", "vpc_id": "vpc-1", "security_group_id": "sg-d"})
    assert allowed(rows) == (None, None)
    rows["security_group_rules"].append(egress("d", "Drop", "0.0.0.0/0"))
    assert allowed(rows) == (False, "d")
    assert allowed(deployment(kind=None)) == (None, None)


def test_rules_decide_in_order() -> None:
    drop, accept = egress("d", "Drop", "10.0.0.0/24"), egress("a", "Accept", "10.0.0.250", priority=2)
    assert allowed(deployment(drop, accept)) == (False, "d")
    assert allowed(deployment({**drop, "priority": 3}, accept)) == (True, "a")
    assert allowed(deployment({**drop, "port_range": "443/443"})) == (True, "default")
    assert allowed(deployment(egress("d", "Drop", "10.0.0.0/25"))) == (True, "default")


def test_ingress_rules_say_nothing_about_egress() -> None:
    assert allowed(deployment(rule("d", "Drop", "0.0.0.0/0", security_group_id="sg-c"))) == (True, "default")


def test_a_destination_group_is_a_group_of_the_endpoint() -> None:
    drop = egress("d", "Drop", dest_group_id="sg-e")
    assert allowed(deployment(drop)) == (False, "d")
    assert allowed(deployment({**drop, "dest_group_id": "sg-x"})) == (True, "default")
    rows = deployment(drop)
    rows["endpoint_security_groups"][0]["security_group_status"] = "Attaching"
    assert allowed(rows) == (None, None)


def test_a_destination_prefix_list() -> None:
    drop = egress("d", "Drop", dest_prefix_list_id="pl-1")
    listed = {"prefix_list_entries": [{"prefix_list_id": "pl-1", "cidr": "10.0.0.250/32"}]}
    assert allowed(together(deployment(drop), listed)) == (False, "d")
    assert allowed(deployment(drop)) == (True, "default")
    assert allowed(deployment(drop), unread=["prefix_list_entries:pl-1"]) == (None, None)


def test_a_source_block_of_a_five_tuple_rule_has_to_hold_the_client() -> None:
    drop = egress("d", "Drop", "10.0.0.250", source_cidr="10.0.0.0/29")
    assert allowed(deployment(drop)) == (False, "d")
    assert allowed(deployment({**drop, "source_cidr": "10.0.0.128/25"})) == (True, "default")
    rows = deployment({**drop, "source_cidr": "10.0.0.7"})
    rows["eni_addresses"].append({"eni_id": "eni-c", "vpc_id": "vpc-1", "address": "10.0.0.9"})
    assert allowed(rows) == (None, None)


def test_a_shared_group_with_intra_group_accept_overrides_a_drop() -> None:
    drop = egress("d", "Drop", "0.0.0.0/0", security_group_id="sg-e")
    client = eni("eni-c", "10.0.0.7", ["sg-e"])
    assert allowed(together(base([drop], inner="Accept"), client)) == (True, "intra-group")
    assert allowed(together(base([drop], inner="Drop"), client)) == (False, "d")
    # The lowest precedence: it takes nothing from the default.
    assert allowed(together(base(inner="Drop"), client)) == (True, "default")


def test_what_was_not_read_is_undecided() -> None:
    rows = deployment(kind="enterprise")
    for gap in ("security_group_rules:sg-c", "security_groups:sg-c"):
        cut = {**rows, "security_groups": rows["security_groups"][:1]} if gap.startswith("security_groups") else rows
        assert allowed(cut, unread=[gap])[0] is None
    rows["endpoint_zones"][0]["eni_ip"] = None
    assert allowed(rows) == (None, None)


def test_an_endpoint_eni_has_one_address() -> None:
    for address in ("10.0.0.0/24", "2001:db8::1", "rubbish", None):
        rows = deployment()
        rows["endpoint_zones"][0]["eni_ip"] = address
        assert allowed(rows) == (None, None)


def test_undeclared_clients_are_the_other_enis_of_the_vpc() -> None:
    rows = together(
        deployment(),
        eni("eni-d", "10.0.0.8", ["sg-c"]),
        eni("eni-nlb", "10.0.0.9", ["sg-c"], service_managed=True),
        eni("eni-x", "192.168.0.9", ["sg-c"], "vpc-2"),
    )
    found = facts("client_egress", rows)
    assert [(row["client_eni_id"], row["instance_id"], row["declared"]) for row in found] == [
        ("eni-c", "i-1", False),
        ("eni-d", None, False),
    ]


def test_an_eni_that_another_product_may_run_is_undecided() -> None:
    assert allowed(deployment(kind="enterprise", service_managed=None)) == (None, None)


def test_enis_that_were_not_read_leave_a_row() -> None:
    (row,) = facts("client_egress", base(), unread=["network_interfaces:vpc-1"])
    assert (row["client_eni_id"], row["allowed"], row["eni_id"]) == (None, None, "eni-ep")
    assert "network_interfaces of vpc-1" in row["reason"]


def test_nobody_to_judge_leaves_no_row() -> None:
    assert facts("client_egress", base()) == []
    assert facts("client_egress", base(), clients=["192.168.0.0/16"], unread=["network_interfaces:vpc-1"]) == []


def test_declared_clients_are_judged_by_their_enis() -> None:
    rows = together(deployment(), eni("eni-d", "10.0.0.99", ["sg-c"]))
    for client in ("10.0.0.0/28", "i-1"):
        (row,) = facts("client_egress", rows, clients=[client])
        assert (row["client_eni_id"], row["declared"], row["allowed"]) == ("eni-c", True, True)
    assert len(facts("client_egress", rows, clients=["sg-c", "10.0.0.7"])) == 2
    (row,) = facts("client_egress", rows, clients=["i-9"])
    assert (row["instance_id"], row["allowed"], row["reason"]) == ("i-9", None, "no ENI of i-9 was found")


def test_an_eni_without_groups_was_not_read_well() -> None:
    assert allowed(together(base(), eni("eni-c", "10.0.0.7"))) == (None, None)
