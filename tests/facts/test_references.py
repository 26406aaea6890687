"""Lists and groups that rules name."""

from __future__ import annotations

from typing import Any

import pytest

from .scene import CONSUMER, base, facts, group, rule, together


def state(named: dict[str, Any], *parts: Any, **options: Any) -> tuple[str | None, str | None, str | None]:
    (row,) = facts("group_references", together(base([named]), *parts), **options)
    assert (row["state"] is None) is (row["reason"] is not None)
    assert (row["endpoint_id"], row["security_group_id"], row["rule_id"]) == ("ep-1", "sg-e", "r")
    return row["reference_type"], row["reference_id"], row["state"]


PREFIX = rule("r", "Accept", source_prefix_list_id="pl-1")
PORTS = rule("r", "Accept", "10.0.0.0/24", port_range="", port_list_id="prl-1")
GROUP = rule("r", "Accept", source_group_id="sg-c")
LISTED = {"prefix_lists": [{"prefix_list_id": "pl-1"}]}


def test_prefix_lists_resolve_are_empty_or_missing() -> None:
    entries = {"prefix_list_entries": [{"prefix_list_id": "pl-1", "cidr": "10.0.0.0/8"}]}
    assert state(PREFIX, LISTED, entries) == ("prefix_list", "pl-1", "resolved")
    assert state(PREFIX, LISTED) == ("prefix_list", "pl-1", "empty")
    assert state(PREFIX) == ("prefix_list", "pl-1", "missing")
    assert state(PREFIX, unread=["prefix_list_entries:pl-1"])[2] is None


def test_port_lists_resolve_or_are_empty() -> None:
    entries = {"port_list_entries": [{"port_list_id": "prl-1", "port_range": "80/80"}]}
    assert state(PORTS, entries) == ("port_list", "prl-1", "resolved")
    assert state(PORTS) == ("port_list", "prl-1", "empty")
    assert state(PORTS, unread=["port_list_entries:prl-1"])[2] is None


def test_groups_resolve_or_are_missing() -> None:
    assert state(GROUP, group("sg-c")) == ("security_group", "sg-c", "resolved")
    assert state(GROUP) == ("security_group", "sg-c", "missing")
    assert state({**GROUP, "source_group_owner": CONSUMER})[2] == "missing"
    assert state(GROUP, unread=["security_groups:sg-c"])[2] is None


@pytest.mark.parametrize("owner", ["3000000000000003", None])
def test_a_group_of_another_account_is_not_missing_because_it_is_not_shown(owner: str | None) -> None:
    assert state({**GROUP, "source_group_owner": owner})[2] is None


def test_references_without_effect_and_of_the_other_direction_are_left_out() -> None:
    both = rule(
        "r", "Accept", "10.0.0.0/24", source_group_id="sg-c", source_prefix_list_id="pl-1", port_list_id="prl-1"
    )
    assert facts("group_references", base([both])) == []
    assert facts("group_references", base([{**GROUP, "direction": "egress"}])) == []


def test_rules_or_groups_that_were_not_read_leave_a_row() -> None:
    for gap in ("security_group_rules:sg-e", "endpoint_security_groups:ep-1"):
        (row,) = facts("group_references", base(), unread=[gap])
        assert (row["reference_type"], row["state"]) == (None, None)
        assert gap.partition(":")[0] in row["reason"]
