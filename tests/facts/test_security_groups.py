"""Section by section: what the documentation says about security groups, one test per statement."""

from __future__ import annotations

from typing import Any

import pytest

from .scene import access, base, eni, facts, group, rule, together


def verdict(rules: list[dict[str, Any]], client: str = "10.0.0.7", **options: Any) -> str | None:
    found: str | None = access(base(rules), client, **options)["verdict"]
    return found


# ------------------------------------------------------------------------------------------- order and first match
def test_smaller_priority_number_wins() -> None:
    assert (
        verdict([rule("a", "Accept", "10.0.0.0/24", priority=2), rule("d", "Drop", "10.0.0.0/24", priority=5)]) == "all"
    )
    assert (
        verdict([rule("a", "Accept", "10.0.0.0/24", priority=5), rule("d", "Drop", "10.0.0.0/24", priority=2)])
        == "none"
    )


def test_drop_precedes_accept_at_equal_priority() -> None:
    found = access(base([rule("a", "Accept", "10.0.0.0/24"), rule("d", "Drop", "10.0.0.0/24")]))
    assert (found["verdict"], found["decided_by"]) == ("none", "d")


def test_priority_110_of_old_default_groups_is_a_priority() -> None:
    assert verdict([rule("a", "Accept", "10.0.0.0/24", priority=110)]) == "all"
    assert (
        verdict([rule("a", "Accept", "0.0.0.0/0", priority=110), rule("d", "Drop", "0.0.0.0/0", priority=100)])
        == "none"
    )


def test_rules_of_several_groups_are_merged_and_then_sorted() -> None:
    rows = together(
        base(
            [
                rule("a", "Accept", "10.0.0.0/24", priority=2),
                rule("d", "Drop", "10.0.0.0/25", priority=1, security_group_id="sg-f"),
            ],
            groups={"sg-e": "Attached", "sg-f": "Attached"},
        ),
        group("sg-f"),
    )
    assert access(rows)["verdict"] == "none"
    assert access(rows, "10.0.0.128/26")["verdict"] == "all"
    assert access(rows, None)["admitted"] == "10.0.0.128/25"


def test_what_no_rule_matches_is_denied_on_the_way_in() -> None:
    for kind in ("normal", "enterprise"):
        found = access(base(kind=kind))
        assert (found["verdict"], found["decided_by"]) == ("none", "default")


def test_egress_rules_say_nothing_about_ingress() -> None:
    assert verdict([rule("a", "Accept", "10.0.0.0/24", direction="egress")]) == "none"


def test_a_range_is_split_at_rule_boundaries() -> None:
    found = access(base([rule("a", "Accept", "10.0.0.0/26"), rule("d", "Drop", "10.0.0.16/30")]), "10.0.0.0/25")
    assert found["verdict"] == "part"
    assert found["admitted"] == "10.0.0.0/28, 10.0.0.20/30, 10.0.0.24/29, 10.0.0.32/27"
    assert found["denied"] == "10.0.0.16/30, 10.0.0.64/26"
    assert found["undecided"] == ""
    assert found["decided_by"] == "d, a, default"


# ----------------------------------------------------------------------------------------------- protocol and ports
@pytest.mark.parametrize("protocol", ["TCP", "tcp", "Tcp", "6", "ALL", "all"])
def test_protocol_names_numbers_and_all(protocol: str) -> None:
    assert verdict([rule("a", "Accept", "10.0.0.0/24", protocol=protocol)]) == "all"


@pytest.mark.parametrize("protocol", ["UDP", "17", "ICMP", "ICMPv6", "58", "GRE", "47", "255"])
def test_other_protocols_do_not_match(protocol: str) -> None:
    assert verdict([rule("a", "Accept", "10.0.0.0/24", protocol=protocol)]) == "none"


@pytest.mark.parametrize("protocol", [None, "sctp", "256", "-1", ""])
def test_a_protocol_that_is_not_understood_may_match(protocol: str | None) -> None:
    assert verdict([rule("a", "Accept", "10.0.0.0/24", protocol=protocol)]) is None


@pytest.mark.parametrize(
    ("ports", "expected"), [("80/80", "all"), ("1/65535", "all"), ("-1/-1", "all"), ("81/90", "none")]
)
def test_port_ranges(ports: str, expected: str) -> None:
    assert verdict([rule("a", "Accept", "10.0.0.0/24", port_range=ports)]) == expected


@pytest.mark.parametrize("ports", [None, "80", "90/80", "web"])
def test_a_port_range_that_is_not_understood_may_match(ports: str | None) -> None:
    assert verdict([rule("a", "Accept", "10.0.0.0/24", port_range=ports)]) is None


def port_list(*entries: str) -> dict[str, list[dict[str, Any]]]:
    listed = rule("a", "Accept", "10.0.0.0/24", port_range="", port_list_id="prl-1")
    entry_rows = [{"port_list_id": "prl-1", "port_range": entry} for entry in entries]
    return together(base([listed]), {"port_list_entries": entry_rows})


def test_a_port_list_holds_its_entries() -> None:
    assert access(port_list("443/443", "79/81"))["verdict"] == "all"
    assert access(port_list("443/443"))["verdict"] == "none"


def test_a_port_list_is_ignored_beside_a_port_range() -> None:
    assert (
        verdict([rule("a", "Accept", "10.0.0.0/24", port_list_id="prl-1")], unread=["port_list_entries:prl-1"]) == "all"
    )


def test_a_port_list_answered_without_entries_matches_nothing() -> None:
    assert access(port_list())["verdict"] == "none"


def test_a_port_list_that_was_not_read_may_match() -> None:
    found = access(port_list(), unread=["port_list_entries:prl-1"])
    assert found["verdict"] is None
    assert "prl-1" in found["reason"]
    assert access(port_list("80/80"), unread=["port_list_entries:prl-1"])["verdict"] == "all"


# ---------------------------------------------------------------------------------------------------------- sources
def test_a_bare_address_is_a_source() -> None:
    found = access(base([rule("a", "Accept", "10.0.0.7")]), "10.0.0.6/31")
    assert (found["admitted"], found["denied"]) == ("10.0.0.7/32", "10.0.0.6/32")


def test_ipv6_sources_match_ipv6_clients_only() -> None:
    rules = [rule("a", "Accept", "2001:db8::/32")]
    assert verdict(rules, "2001:db8::7") == "all"
    assert verdict(rules) == "none"
    assert verdict([rule("a", "Accept", "0.0.0.0/0")], "2001:db8::7") == "none"


def test_a_source_that_is_not_understood_may_match() -> None:
    assert verdict([rule("a", "Accept", "10.0.0.0/2f")]) is None
    assert verdict([rule("a", "Accept", "10.0.0.0/24"), rule("x", "Accept", "rubbish")]) == "all"


def test_a_cidr_block_wins_over_group_and_prefix_list() -> None:
    both = rule("a", "Accept", "10.0.0.0/25", source_group_id="sg-x", source_prefix_list_id="pl-1")
    unread = ["prefix_list_entries:pl-1", "security_groups:sg-x"]
    found = access(base([both]), None, unread=unread)
    assert (found["verdict"], found["admitted"], found["undecided"]) == ("part", "10.0.0.0/25", "")


def test_a_prefix_list_is_ignored_beside_a_group() -> None:
    both = rule("a", "Accept", source_group_id="sg-x", source_prefix_list_id="pl-1")
    rows = together(
        base([both]), {"prefix_list_entries": [{"prefix_list_id": "pl-1", "cidr": "10.0.0.0/24"}]}, group("sg-x")
    )
    assert access(rows)["verdict"] == "none"


def test_a_source_that_was_not_read_may_match() -> None:
    for column in ("source_cidr", "ipv6_source_cidr", "source_group_id", "source_prefix_list_id"):
        given = {"source_cidr": "", "source_prefix_list_id": "pl-1", column: None}
        found = access(base([rule("a", "Accept", **given)]))
        assert found["verdict"] is None, column


def prefix_list(*cidrs: str, policy: str = "Accept") -> dict[str, list[dict[str, Any]]]:
    listed = rule("p", policy, source_prefix_list_id="pl-1")
    rows = [{"prefix_list_id": "pl-1", "cidr": cidr} for cidr in cidrs]
    return together(base([listed, rule("a", "Accept", "10.0.0.0/26", priority=9)]), {"prefix_list_entries": rows})


def test_a_prefix_list_holds_its_entries() -> None:
    found = access(prefix_list("10.0.0.128/25", "192.168.0.0/16"), "10.0.0.0/24")
    assert found["admitted"] == "10.0.0.0/26, 10.0.0.128/25"


def test_a_prefix_list_answered_as_not_found_matches_nothing() -> None:
    assert access(prefix_list(), "10.0.0.64/26")["verdict"] == "none"


def test_an_unread_drop_list_makes_undecided_what_sorts_behind_it() -> None:
    found = access(prefix_list(policy="Drop"), "10.0.0.0/25", unread=["prefix_list_entries:pl-1"])
    assert (found["verdict"], found["undecided"], found["denied"]) == (None, "10.0.0.0/26", "10.0.0.64/26")
    assert "pl-1" in found["reason"] and "Forbidden.RAM" in found["reason"]


def test_an_unread_accept_list_does_not_turn_an_accept_around() -> None:
    found = access(prefix_list(), "10.0.0.0/25", unread=["prefix_list_entries:pl-1"])
    assert (found["admitted"], found["undecided"]) == ("10.0.0.0/26", "10.0.0.64/26")


def test_an_unread_list_behind_the_deciding_rule_changes_nothing() -> None:
    rules = [rule("a", "Accept", "10.0.0.0/24"), rule("p", "Drop", priority=2, source_prefix_list_id="pl-1")]
    assert verdict(rules, unread=["prefix_list_entries:pl-1"]) == "all"


def test_half_a_prefix_list_proves_what_it_holds() -> None:
    found = access(prefix_list("10.0.0.128/25"), "10.0.0.128/25", unread=["prefix_list_entries:pl-1"])
    assert found["verdict"] == "all"


# ----------------------------------------------------------------------------------------------------- source groups
def source_group(owner: str | None = "", *others: Any) -> dict[str, list[dict[str, Any]]]:
    named = rule("g", "Accept", source_group_id="sg-c", source_group_owner=owner)
    return together(base([named]), eni("eni-c", "10.0.0.7", ["sg-c"]), *others)


def test_a_source_group_matches_the_enis_in_it() -> None:
    rows = source_group("", group("sg-c"))
    assert access(rows)["verdict"] == "all"
    assert access(rows)["decided_by"] == "g"
    assert access(rows, "10.0.0.8")["verdict"] == "none"
    assert access(rows, None)["admitted"] == "10.0.0.7/32"


def test_an_address_without_an_eni_is_in_no_group_only_once_all_enis_were_read() -> None:
    rows = source_group("", group("sg-c"))
    for table in ("network_interfaces", "eni_addresses", "eni_security_groups"):
        assert access(rows, "10.0.0.8", unread=[f"{table}:vpc-1"])["verdict"] is None
        assert access(rows, "10.0.0.7", unread=[f"{table}:vpc-1"])["verdict"] == "all"
        assert access(rows, "192.168.0.1", unread=[f"{table}:vpc-1"])["verdict"] == "none"


def test_an_advanced_group_is_no_source() -> None:
    assert access(source_group("", group("sg-c", "enterprise")))["verdict"] == "none"


def test_a_source_group_of_unknown_type_may_be_an_advanced_one() -> None:
    assert access(source_group("", group("sg-c", None)))["verdict"] is None


def test_a_source_group_answered_as_not_found_matches_nothing() -> None:
    assert access(source_group(""))["verdict"] == "none"


def test_a_source_group_that_was_not_read_may_match() -> None:
    assert access(source_group(""), unread=["security_groups:sg-c"])["verdict"] is None


def test_members_of_another_accounts_group_are_known_only_among_the_enis_that_were_read() -> None:
    rows = source_group("3000000000000003")
    assert access(rows, "10.0.0.8")["verdict"] == "none"
    assert access(rows, "192.168.0.1")["verdict"] is None


def test_a_source_group_of_another_vpc_has_the_members_that_vpc_shows() -> None:
    away = eni("eni-x", "192.168.0.1", ["sg-x"], "vpc-2")
    rows = together(base([rule("g", "Accept", source_group_id="sg-x")]), group("sg-x", vpc_id="vpc-2"), away)
    assert access(rows, "192.168.0.1")["verdict"] == "all"
    assert access(rows, "192.168.0.2")["verdict"] == "none"
    assert access(rows, "192.168.0.2", unread=["network_interfaces:vpc-2"])["verdict"] is None


def test_an_eni_whose_address_was_not_read_leaves_the_groups_of_its_vpc_open() -> None:
    rows = together(source_group("", group("sg-c")), eni("eni-z", None, ["sg-c"]))
    assert access(rows, "10.0.0.8")["verdict"] is None


# --------------------------------------------------------------------------------------------------------- five-tuple
def test_a_destination_block_has_to_hold_the_address_of_the_eni() -> None:
    for dest, expected in (
        ("10.0.0.250", "all"),
        ("10.0.0.0/24", "all"),
        ("10.0.0.0/25", "none"),
        ("x", None),
        (None, None),
    ):
        assert verdict([rule("a", "Accept", "10.0.0.0/24", dest_cidr=dest)]) == expected


def test_a_destination_block_needs_the_address_of_the_eni() -> None:
    rows = base([rule("a", "Accept", "10.0.0.0/24", dest_cidr="10.0.0.250")])
    rows["endpoint_zones"][0]["eni_ip"] = None
    assert access(rows)["verdict"] is None


def test_a_destination_block_counts_per_eni() -> None:
    rows = base([rule("a", "Accept", "10.0.0.0/24", dest_cidr="10.0.0.250")])
    rows["endpoint_zones"].append(
        {"endpoint_id": "ep-1", "zone_id": "zone-b", "eni_id": "eni-b", "eni_ip": "10.0.0.251"}
    )
    found = facts("endpoint_access", rows, clients=["10.0.0.7"])
    assert [(row["zone_id"], row["verdict"]) for row in found] == [("zone-a", "all"), ("zone-b", "none")]


def test_a_narrow_source_port_range_decides_nothing() -> None:
    for ports, expected in (("1/65535", "all"), ("-1/-1", "all"), ("1024/65535", None), ("80/80", None), (None, None)):
        assert verdict([rule("a", "Accept", "10.0.0.0/24", source_port_range=ports)]) == expected
    rules = [
        rule("d", "Drop", "10.0.0.0/24", source_port_range="1/1023"),
        rule("a", "Accept", "10.0.0.0/24", priority=5),
    ]
    assert verdict(rules) is None


# --------------------------------------------------------------------------------------------------------- intra-group
def member(*rules: dict[str, Any], **options: Any) -> dict[str, list[dict[str, Any]]]:
    return together(base(rules, **options), eni("eni-c", "10.0.0.7", ["sg-e"]))


def test_intra_group_accept_admits_members() -> None:
    found = access(member(inner="Accept"))
    assert (found["verdict"], found["decided_by"], found["intra_group_only"]) == ("all", "intra-group", True)
    assert access(member(inner="Accept"), "10.0.0.8")["verdict"] == "none"


def test_intra_group_accept_overrides_a_drop() -> None:
    assert access(member(rule("d", "Drop", "0.0.0.0/0"), inner="Accept"))["verdict"] == "all"


def test_intra_group_drop_gives_way_to_an_accept() -> None:
    assert access(member(rule("a", "Accept", "10.0.0.0/24"), inner="Drop"))["verdict"] == "all"
    assert access(member(inner="Drop"))["verdict"] == "none"


def test_one_shared_group_with_accept_is_enough() -> None:
    rows = together(
        base(groups={"sg-e": "Attached", "sg-f": "Attached"}, inner="Drop"),
        group("sg-f", inner="Accept"),
        eni("eni-c", "10.0.0.7", ["sg-f", "sg-e"]),
    )
    assert access(rows)["verdict"] == "all"


def test_members_of_an_advanced_group_are_isolated() -> None:
    assert access(member(kind="enterprise", inner="Accept"))["verdict"] == "none"


def test_an_advanced_group_needs_no_intra_group_policy() -> None:
    assert access(base([rule("a", "Accept", "10.0.0.0/24")], kind="enterprise", inner=None))["verdict"] == "all"


def test_unknown_membership_leaves_the_default_undecided() -> None:
    found = access(base(inner="Accept"), unread=["network_interfaces:vpc-1"])
    assert found["verdict"] is None
    assert "members of sg-e" in found["reason"]
    assert access(base(inner="Drop"), unread=["network_interfaces:vpc-1"])["verdict"] == "none"
    assert access(base(inner="Accept"), "192.168.0.1", unread=["network_interfaces:vpc-1"])["verdict"] == "none"


def test_an_explicit_drop_decides_whatever_the_groups() -> None:
    rows = base([rule("d", "Drop", "10.0.0.0/24")], inner="Accept")
    assert access(rows, unread=["network_interfaces:vpc-1"])["verdict"] == "none"


def test_an_explicit_accept_decides_whatever_the_groups() -> None:
    rows = base([rule("a", "Accept", "10.0.0.0/24")], inner="Accept")
    assert access(rows, unread=["network_interfaces:vpc-1"])["verdict"] == "all"


def test_the_endpoints_own_eni_makes_no_noise() -> None:
    found = access(base(inner="Accept"), None)
    assert (found["verdict"], found["denied"], found["decided_by"]) == ("none", "10.0.0.0/24", "default")
    found = access(base([rule("a", "Accept", "10.0.0.0/24")], inner="Accept"), None)
    assert (found["verdict"], found["admitted"]) == ("all", "10.0.0.0/24")


def test_other_endpoints_of_the_vpc_make_no_noise() -> None:
    rows = base(inner="Accept")
    rows["endpoints"].append({**rows["endpoints"][0], "endpoint_id": "ep-2"})
    rows["endpoint_zones"].append({"endpoint_id": "ep-2", "zone_id": "a", "eni_id": "eni-2", "eni_ip": "10.0.0.9"})
    rows = together(rows, eni("eni-2", "10.0.0.9", ["sg-e"], service_managed=True))
    assert facts("endpoint_access", rows)[0]["denied"] == "10.0.0.0/24"


def test_access_hangs_on_the_policy_only_without_an_explicit_rule() -> None:
    assert access(member(rule("a", "Accept", "10.0.0.0/24"), inner="Accept"))["intra_group_only"] is False
    assert access(member(inner="Accept"), None)["intra_group_only"] is True
    assert access(member(inner="Drop"))["intra_group_only"] is False
    unread = rule("p", "Accept", source_prefix_list_id="pl-1")
    assert access(member(unread, inner="Accept"), unread=["prefix_list_entries:pl-1"])["intra_group_only"] is None


# ------------------------------------------------------------------------------------------------- groups not read
@pytest.mark.parametrize("table", ["security_group_rules", "security_groups", "security_group_policies"])
def test_a_group_that_was_not_read_leaves_everything_undecided(table: str) -> None:
    rows = base([rule("a", "Accept", "10.0.0.0/24")], inner="Drop")
    if table != "security_group_rules":
        rows[table] = []
    found = access(rows, unread=[f"{table}:sg-e"])
    assert found["verdict"] is None
    assert table in found["reason"]


def test_type_or_policy_left_out_leaves_everything_undecided() -> None:
    assert access(base([rule("a", "Accept", "10.0.0.0/24")], kind=None))["verdict"] is None
    assert access(base([rule("a", "Accept", "10.0.0.0/24")], inner=None))["verdict"] is None


def test_the_intra_group_policy_admits_even_if_another_group_was_not_read() -> None:
    rows = together(
        base(groups={"sg-e": "Attached", "sg-f": "Attached"}, inner="Accept"), eni("eni-c", "10.0.0.7", ["sg-e"])
    )
    found = access(rows, unread=["security_groups:sg-f", "security_group_rules:sg-f"])
    assert (found["verdict"], found["decided_by"]) == ("all", "intra-group")


def test_only_attached_groups_count() -> None:
    rules = [rule("a", "Accept", "10.0.0.0/25")]
    assert access(base(rules, groups={"sg-e": "Attached"}))["verdict"] == "all"
    for status in ("Attaching", "Detaching", None):
        found = access(base(rules, groups={"sg-e": status}))
        assert found["verdict"] is None
        assert access(base(rules, groups={"sg-e": status}), "10.0.0.128/25")["verdict"] == "none"


def test_a_group_on_its_way_does_not_matter_where_it_agrees() -> None:
    rows = together(
        base(
            [rule("a", "Accept", "10.0.0.0/24"), rule("b", "Accept", "10.0.0.0/24", security_group_id="sg-f")],
            groups={"sg-e": "Attached", "sg-f": "Attaching"},
        ),
        group("sg-f"),
    )
    assert access(rows)["verdict"] == "all"


def test_an_endpoint_without_attached_groups_admits_nobody() -> None:
    assert access(base(groups={}))["verdict"] == "none"


def test_groups_of_the_endpoint_that_were_not_read_leave_everything_undecided() -> None:
    found = access(base([rule("a", "Accept", "0.0.0.0/0")]), unread=["endpoint_security_groups:ep-1"])
    assert found["verdict"] is None


def test_part_is_certain_even_if_the_rest_is_not() -> None:
    rules = [
        rule("a", "Accept", "10.0.0.0/26"),
        rule("d", "Drop", "10.0.0.64/26"),
        rule("p", "Accept", priority=5, source_prefix_list_id="pl-1"),
    ]
    found = access(base(rules), None, unread=["prefix_list_entries:pl-1"])
    assert (found["verdict"], found["undecided"]) == ("part", "10.0.0.128/25")


# ----------------------------------------------------------------------------------------------------------- shadowing
def test_an_accept_behind_a_drop_is_shadowed() -> None:
    found = access(base([rule("d", "Drop", "10.0.0.0/28"), rule("a", "Accept", "10.0.0.0/24", priority=5)]))
    assert (found["shadowed"], found["shadowed_by"]) == (True, "d before a")


def test_an_accept_is_shadowed_although_an_earlier_one_admits_the_packet() -> None:
    rules = [rule("a", "Accept", "10.0.0.7"), rule("d", "Drop", "10.0.0.0/28", priority=2)]
    found = access(base([*rules, rule("b", "Accept", "10.0.0.0/24", priority=3)]))
    assert (found["verdict"], found["shadowed_by"]) == ("all", "d before b")


def test_a_drop_elsewhere_shadows_nothing() -> None:
    rules = [rule("d", "Drop", "10.0.0.128/25"), rule("a", "Accept", "10.0.0.0/24")]
    assert access(base(rules))["shadowed"] is False
    assert access(base([*rules, rule("x", "Drop", "10.0.0.0/24", priority=100)]))["shadowed"] is False


def test_shadowing_by_what_was_not_read_is_undecided() -> None:
    rules = [rule("p", "Drop", source_prefix_list_id="pl-1"), rule("a", "Accept", "10.0.0.0/24")]
    assert access(base(rules), unread=["prefix_list_entries:pl-1"])["shadowed"] is None
    assert access(base(rules[1:]), unread=["security_group_rules:sg-e"])["shadowed"] is None
    both = [*rules, rule("d", "Drop", "10.0.0.7")]
    assert access(base(both), unread=["prefix_list_entries:pl-1"])["shadowed"] is True


# ------------------------------------------------------------------------------------------------------------ exposure
def exposed(*rules: dict[str, Any], extra: Any = None, **options: Any) -> tuple[bool | None, str | None]:
    (row,) = facts("endpoint_exposure", together(base(rules), extra or {}), **options)
    return row["open"], row["rules"]


@pytest.mark.parametrize("source", ["0.0.0.0/0", "::/0"])
def test_an_accept_from_everywhere_exposes_the_port(source: str) -> None:
    assert exposed(rule("a", "Accept", source)) == (True, "a")
    assert exposed(rule("a", "Accept", source, port_range="-1/-1", protocol="ALL")) == (True, "a")
    assert exposed(rule("a", "Accept", source, port_range="443/443")) == (False, None)


def test_a_wide_accept_behind_a_wide_drop_exposes_nothing() -> None:
    assert exposed(rule("d", "Drop", "0.0.0.0/0"), rule("a", "Accept", "0.0.0.0/0", priority=9)) == (False, None)
    assert exposed(rule("d", "Drop", "0.0.0.0/1"), rule("a", "Accept", "0.0.0.0/0", priority=9)) == (True, "a")
    assert exposed(rule("d", "Drop", "0.0.0.0/0"), rule("a", "Accept", "::/0", priority=9)) == (True, "a")
    halves = [rule("d", "Drop", "0.0.0.0/1"), rule("e", "Drop", "128.0.0.0/1")]
    assert exposed(*halves, rule("a", "Accept", "0.0.0.0/0", priority=9)) == (False, None)


def test_a_large_block_is_not_everywhere() -> None:
    assert exposed(rule("a", "Accept", "10.0.0.0/8"), rule("b", "Accept", "0.0.0.0/1")) == (False, None)


def test_a_prefix_list_with_everything_in_it_exposes_the_port() -> None:
    listed = rule("p", "Accept", source_prefix_list_id="pl-1")
    entries = {"prefix_list_entries": [{"prefix_list_id": "pl-1", "cidr": "0.0.0.0/0"}]}
    assert exposed(listed, extra=entries) == (True, "p")
    assert exposed(listed) == (False, None)
    assert exposed(listed, unread=["prefix_list_entries:pl-1"]) == (None, None)


def test_exposure_behind_an_unread_list_is_undecided() -> None:
    drop, wide = rule("p", "Drop", source_prefix_list_id="pl-1"), rule("a", "Accept", "0.0.0.0/0", priority=5)
    assert exposed(drop, wide, unread=["prefix_list_entries:pl-1"]) == (None, None)
    assert exposed(wide, unread=["security_group_rules:sg-e"]) == (None, None)
    assert exposed(wide, rule("q", "Accept", priority=9, source_prefix_list_id="pl-1")) == (True, "a")


def test_unknown_members_of_a_source_group_are_not_everywhere() -> None:
    named = rule("g", "Accept", source_group_id="sg-x", source_group_owner="3")
    assert exposed(named, unread=["network_interfaces:vpc-1"]) == (False, None)
