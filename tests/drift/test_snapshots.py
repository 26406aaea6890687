"""Drift between snapshots: exact additions, no removal without a complete read, and no noise from order."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from auditor.drift.snapshots import diff_findings, diff_resources
from auditor.findings import Basis, Finding, Outcome, Remediation, ResourceRef, Severity, Side, finding_id
from auditor.inventory.coverage import coverage_frame
from auditor.inventory.normalize import empty_tables, table_frame
from auditor.inventory.snapshot import Snapshot

ACCOUNT, REGION = "6543210987654321", "eu-central-1"
USERS = "privatelink:ListVpcEndpointServiceUsers"


def row(**values: Any) -> dict[str, Any]:
    return {"account_id": ACCOUNT, "region_id": REGION, **values}


def read(table: str, target: str = "", *, complete: bool = True, operation: str = "x:Y") -> dict[str, Any]:
    return row(
        profile="p",
        operation=operation,
        table_name=table,
        target=target,
        complete=complete,
        error_code=None if complete else "Forbidden.RAM",
        message=None,
        request_id=None,
    )


def snapshot(tables: Mapping[str, Sequence[Mapping[str, Any]]], coverage: Sequence[Mapping[str, Any]]) -> Snapshot:
    frames = empty_tables()
    frames.update({name: table_frame(name, rows) for name, rows in tables.items()})
    return Snapshot(frames, coverage_frame([dict(item) for item in coverage]), {})


SERVICE = row(service_id="epsrv-1", service_status="Active", auto_accept_enabled=False)
OWNER = row(service_id="epsrv-1", entry=ACCOUNT, entry_type="account")
STRANGER = row(service_id="epsrv-1", entry="9999999999999999", entry_type="account")
ARN = row(service_id="epsrv-1", entry="acs:ram:*:9999999999999999:*", entry_type="arn")
READ = [read("endpoint_services"), read("service_users", "epsrv-1", operation=USERS)]
REFUSED = [read("endpoint_services"), read("service_users", "epsrv-1", operation=USERS, complete=False)]


def ids(references: Sequence[ResourceRef]) -> list[str]:
    return [reference.id for reference in references]


def test_a_whitelist_entry_added_by_hand_is_exactly_one_addition() -> None:
    old = snapshot({"endpoint_services": [SERVICE], "service_users": [OWNER]}, READ)
    new = snapshot({"endpoint_services": [SERVICE], "service_users": [OWNER, STRANGER, ARN]}, READ)
    drift = diff_resources(old, new)
    assert ids(drift.added) == ["epsrv-1:9999999999999999", "epsrv-1::acs:ram:*:9999999999999999:*"]
    assert (drift.removed, drift.changed, drift.unreadable) == ((), (), ())


def test_an_unreadable_list_removes_and_adds_nothing() -> None:
    full = snapshot({"endpoint_services": [SERVICE], "service_users": [OWNER, STRANGER]}, READ)
    blind = snapshot({"endpoint_services": [SERVICE]}, REFUSED)
    for old, new in ((full, blind), (blind, full)):
        drift = diff_resources(old, new)
        assert (drift.added, drift.removed, drift.changed) == ((), (), ())
        assert [(gap.table, gap.operation, gap.error_code) for gap in drift.unreadable] == [
            ("service_users", USERS, "Forbidden.RAM")
        ]


def test_a_region_that_was_not_listed_removes_nothing_and_a_listed_one_does() -> None:
    old = snapshot({"endpoint_services": [SERVICE]}, READ)
    assert ids(diff_resources(old, snapshot({}, [read("endpoint_services")])).removed) == ["epsrv-1"]
    assert diff_resources(old, snapshot({}, [read("endpoint_services", complete=False)])).removed == ()
    assert diff_resources(old, snapshot({}, [])).removed == ()


def test_what_belongs_to_a_new_object_came_with_it_and_what_came_into_view_did_not() -> None:
    group = row(security_group_id="sg-1", security_group_type="normal")
    attached = row(endpoint_id="ep-1", security_group_id="sg-1", security_group_status="Attached")
    endpoint = row(endpoint_id="ep-1", endpoint_status="Active")
    before = [read("endpoints"), read("endpoint_security_groups", "ep-1")]
    after = [*before, read("security_groups", "sg-1")]
    old = snapshot({"endpoints": [endpoint]}, before)
    new = snapshot({"endpoints": [endpoint], "endpoint_security_groups": [attached], "security_groups": [group]}, after)
    assert ids(diff_resources(old, new).added) == ["ep-1:sg-1"]
    fresh = snapshot({}, [read("endpoints")])
    assert ids(diff_resources(fresh, new).added) == ["ep-1:sg-1", "ep-1"]
    assert ids(diff_resources(new, fresh).removed) == ["ep-1:sg-1", "ep-1"]


def test_attributes_show_old_and_new_and_null_is_not_a_value() -> None:
    old = snapshot({"endpoint_services": [SERVICE]}, READ)
    new = snapshot({"endpoint_services": [{**SERVICE, "auto_accept_enabled": True, "payer": "Endpoint"}]}, READ)
    (changed,) = diff_resources(old, new).changed
    assert [(a.name, a.old, a.new) for a in changed.attributes] == [("auto_accept_enabled", False, True)]


def test_a_security_group_rule_with_the_same_id_and_other_content_is_changed() -> None:
    rule = row(
        security_group_id="sg-1",
        rule_id="sgr-1",
        direction="ingress",
        policy="Accept",
        priority=1,
        source_cidr="10.0.0.0/8",
    )
    coverage = [read("security_group_rules", "sg-1")]
    old = snapshot({"security_group_rules": [rule]}, coverage)
    new = snapshot({"security_group_rules": [{**rule, "source_cidr": "0.0.0.0/0"}]}, coverage)
    (changed,) = diff_resources(old, new).changed
    assert changed.attributes[0].name == "source_cidr"
    without_id = [{**rule, "rule_id": None}, {**rule, "rule_id": None, "priority": 2}]
    twin = snapshot({"security_group_rules": without_id}, coverage)
    assert not diff_resources(twin, snapshot({"security_group_rules": without_id[::-1]}, coverage)).differs


def test_a_new_network_acl_entry_does_not_move_its_neighbours_and_a_swap_does() -> None:
    def entry(name: str, position: int) -> dict[str, Any]:
        return row(network_acl_id="nacl-1", direction="ingress", position=position, entry_id=name, policy="accept")

    coverage = [read("network_acls"), read("network_acl_entries", "nacl-1")]
    old = snapshot({"network_acl_entries": [entry("a", 1), entry("b", 2)]}, coverage)
    grown = snapshot({"network_acl_entries": [entry("new", 1), entry("a", 2), entry("b", 3)]}, coverage)
    swapped = snapshot({"network_acl_entries": [entry("b", 1), entry("a", 2)]}, coverage)
    drift = diff_resources(old, grown)
    assert (len(drift.added), drift.changed) == (1, ())
    assert len(diff_resources(old, swapped).changed) == 2


def test_volatile_columns_and_equal_policies_are_no_drift() -> None:
    vswitch = row(vswitch_id="vsw-1", available_ip_address_count=10)
    endpoint = row(endpoint_id="ep-1", policy_document='{"a": 1, "b": 2}')
    coverage = [read("vswitches"), read("endpoints")]
    old = snapshot({"vswitches": [vswitch], "endpoints": [endpoint]}, coverage)
    new = snapshot(
        {
            "vswitches": [{**vswitch, "available_ip_address_count": 9}],
            "endpoints": [{**endpoint, "policy_document": '{"b":2,"a":1}'}],
        },
        coverage,
    )
    assert not diff_resources(old, new).differs


def test_order_never_shows() -> None:
    users = [row(service_id="epsrv-1", entry=f"{n:016d}", entry_type="account") for n in range(50)]
    old = snapshot({"endpoint_services": [SERVICE], "service_users": users}, READ)
    shuffler = random.Random(7)
    for _ in range(100):
        shuffled = users[:]
        shuffler.shuffle(shuffled)
        new = snapshot({"endpoint_services": [SERVICE], "service_users": shuffled}, READ[::-1])
        assert not diff_resources(old, new).differs


def finding(resource: str, outcome: Outcome) -> Finding:
    return Finding(
        id=finding_id("ALLOW-002", ACCOUNT, REGION, resource),
        rule_id="ALLOW-002",
        title="Whitelist is not open to every account",
        severity=Severity.MEDIUM,
        basis=Basis.DOCUMENTED,
        outcome=outcome,
        resource=ResourceRef("endpoint_services", resource, ACCOUNT, REGION),
        side=Side.PROVIDER,
        remediation=Remediation("Narrow it."),
    )


def test_every_turn_of_a_finding() -> None:
    p, f, u, n = Outcome.PASS, Outcome.FAIL, Outcome.UNKNOWN, Outcome.NOT_APPLICABLE
    expected = {
        (p, p): "same", (p, f): "new", (p, u): "unknown", (p, n): "-",
        (f, p): "fixed", (f, f): "same", (f, u): "unknown", (f, n): "fixed",
        (u, p): "-", (u, f): "new", (u, u): "same", (u, n): "-",
        (n, p): "-", (n, f): "new", (n, u): "-", (n, n): "same",
        (None, f): "new", (None, u): "-", (None, p): "-", (f, None): "unknown", (p, None): "-",
    }  # fmt: skip
    for (was, now), turn in expected.items():
        drift = diff_findings(
            [finding("epsrv-1", was)] if was is not None else [], [finding("epsrv-1", now)] if now is not None else []
        )
        shown = "new" * len(drift.new) + "fixed" * len(drift.fixed) + "unknown" * len(drift.now_unknown)
        assert shown + "same" * drift.unchanged == (turn if turn != "-" else ""), (was, now)


def test_a_failure_of_an_object_that_is_provably_gone_is_fixed() -> None:
    gone = [ResourceRef("endpoint_services", "epsrv-1", ACCOUNT, REGION)]
    drift = diff_findings([finding("epsrv-1", Outcome.FAIL)], [], gone)
    assert (len(drift.fixed), drift.now_unknown) == (1, ())


def test_a_snapshot_of_an_older_schema_shows_no_change() -> None:
    old = snapshot({"endpoint_services": [SERVICE]}, READ)
    frames = dict(old.tables)
    frames["endpoint_services"] = frames["endpoint_services"].drop(columns=["payer", "created_at"])
    assert isinstance(frames["endpoint_services"], pd.DataFrame)
    new = snapshot({"endpoint_services": [{**SERVICE, "payer": "Endpoint"}]}, READ)
    assert not diff_resources(Snapshot(frames, old.coverage, {}), new).differs
