"""Members known only by reference, unread lists of members, and accounts that were not given."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.engine import judge, tables_needed
from auditor.engine.rule import RemediationTemplate
from auditor.engine.scopes import KINDS
from auditor.engine.session import Session
from auditor.engine.sql import Database
from auditor.findings import Finding, Outcome
from auditor.spec import Requirements, Spec
from tests.engine.scene import CONSUMER, PROVIDER, REGION, outcomes, read, rule, snapshot, table

BOTH = {CONSUMER: "consumer", PROVIDER: "provider"}
ENDPOINT = {"endpoint_id": "ep-1", "service_id": "epsrv-1", "vpc_id": "vpc-1", "endpoint_type": "Interface"}
SERVICE = {"service_id": "epsrv-1", "account_id": PROVIDER, "service_resource_type": "slb", "service_status": "Active"}
LINK = {
    "service_id": "epsrv-1",
    "endpoint_id": "ep-1",
    "account_id": PROVIDER,
    "connection_status": "Connected",
    "endpoint_owner_id": CONSUMER,
    "endpoint_vpc_id": "vpc-1",
    "endpoint_region_id": REGION,
    "service_region_id": REGION,
}
RESOURCE = {
    "service_id": "epsrv-1",
    "resource_id": "lb-1",
    "resource_type": "slb",
    "zone_id": "a",
    "account_id": PROVIDER,
}
BALANCER = {
    "load_balancer_id": "lb-1",
    "load_balancer_type": "slb",
    "load_balancer_name": "web",
    "account_id": PROVIDER,
}
LISTENER = {"load_balancer_id": "lb-1", "protocol": "tcp", "port": 80, "status": "running", "account_id": PROVIDER}
USER = {"service_id": "epsrv-1", "entry": f"acs:ram:*:{CONSUMER}:*", "entry_type": "arn", "account_id": PROVIDER}

WHOLE: dict[str, list[dict[str, Any]]] = {
    "endpoints": [ENDPOINT],
    "endpoint_services": [SERVICE],
    "connections": [LINK],
    "service_resources": [RESOURCE],
    "load_balancers": [BALANCER],
    "listeners": [LISTENER],
    "service_users": [USER],
}
OWN = [read(name) for name in ("endpoints", "endpoint_services")]
THEIRS = [read(name, account=PROVIDER) for name in ("endpoints", "endpoint_services")]
CHILDREN = [
    read("connections", "epsrv-1", account=PROVIDER),
    read("service_resources", "epsrv-1", account=PROVIDER),
    read("service_users", "epsrv-1", account=PROVIDER),
    read("load_balancers", "lb-1", account=PROVIDER),
    read("listeners", "lb-1", account=PROVIDER),
]
COMPLETE = [*OWN, *THEIRS, *CHILDREN]


def _scope(kind: str, rows: dict[str, list[dict[str, Any]]], accounts: dict[str, str] = BOTH) -> list[dict[str, Any]]:
    with Database(threads=1) as database:
        session = Session(database)
        session.load(snapshot(rows, COMPLETE, accounts), [rule("", resource=kind)], Spec())
        return [dict(member.values) for member in session.members(KINDS[kind]).values()]


def _passing(kind: str, *evidence: Any) -> Any:
    keys = ", ".join(KINDS[kind].key)
    return rule(f"select {keys}, true as compliant from scope", *evidence, resource=kind)


@pytest.mark.parametrize(
    ("kind", "type_", "id_", "account"),
    [
        ("account", "accounts", CONSUMER, CONSUMER),
        ("vpc", "vpcs", "vpc-1", CONSUMER),
        ("endpoint", "endpoints", "ep-1", CONSUMER),
        ("endpoint_service", "endpoint_services", "epsrv-1", PROVIDER),
        ("service_user", "service_users", f"epsrv-1:acs:ram:*:{CONSUMER}:*", PROVIDER),
        ("load_balancer", "load_balancers", "lb-1", PROVIDER),
        ("listener", "listeners", "lb-1:tcp:80", PROVIDER),
    ],
)
def test_every_kind_has_its_resource(kind: str, type_: str, id_: str, account: str) -> None:
    found = judge(snapshot(WHOLE, COMPLETE, BOTH), [_passing(kind)], Spec())
    wanted = next(f for f in found if f.resource.id == id_)
    assert (wanted.resource.type, wanted.resource.account_id, wanted.outcome) == (type_, account, Outcome.PASS)
    assert all(f.outcome is Outcome.PASS for f in found)


def test_taggable_is_the_union_of_three() -> None:
    found = judge(snapshot(WHOLE, COMPLETE, BOTH), [_passing("taggable")], Spec())
    assert sorted((f.resource.type, f.resource.id) for f in found) == [
        ("endpoint_services", "epsrv-1"),
        ("endpoints", "ep-1"),
        ("load_balancers", "lb-1"),
    ]


def test_an_endpoint_seen_by_both() -> None:
    (row,) = _scope("endpoint", WHOLE)
    assert row == {
        "account_id": CONSUMER,
        "region_id": REGION,
        "name": None,
        "given": True,
        "endpoint_id": "ep-1",
        "service_id": "epsrv-1",
        "service_region_id": REGION,
        "vpc_id": "vpc-1",
        "endpoint_type": "Interface",
        "endpoint_status": None,
        "connection_status": "Connected",
        "service_account_id": PROVIDER,
        "service_resource_type": "slb",
        "consumer_given": True,
        "provider_given": True,
    }


def test_an_endpoint_only_the_provider_shows() -> None:
    (row,) = _scope("endpoint", {**WHOLE, "endpoints": []}, {PROVIDER: "provider"})
    assert (row["given"], row["account_id"], row["region_id"], row["vpc_id"]) == (False, CONSUMER, REGION, "vpc-1")
    assert (row["endpoint_type"], row["consumer_given"], row["provider_given"]) == (None, False, True)


def test_a_service_only_an_endpoint_names() -> None:
    (row,) = _scope("endpoint_service", {"endpoints": [ENDPOINT]})
    assert (row["given"], row["account_id"], row["service_status"]) == (False, None, None)
    (row,) = _scope("endpoint_service", {"endpoints": [{**ENDPOINT, "same_account": True}]})
    assert row["account_id"] == CONSUMER
    (row,) = _scope("endpoint", {"endpoints": [ENDPOINT]})
    assert (row["service_account_id"], row["provider_given"]) == (None, None)


def test_what_an_account_owns() -> None:
    def owns(*coverage: dict[str, Any]) -> tuple[Any, Any]:
        with Database(threads=1) as database:
            session = Session(database)
            given = snapshot({"endpoints": [ENDPOINT]}, coverage)
            session.load(given, [rule("", resource="account")], Spec())
            (member,) = session.members(KINDS["account"]).values()
            return member.values["owns_endpoints"], member.values["owns_services"]

    assert owns(*OWN) == (True, False)
    assert owns(read("endpoints")) == (True, None)
    assert owns(read("endpoints"), read("endpoint_services", code="Forbidden")) == (True, None)
    assert owns(*OWN, read("endpoint_services", region="cn-hangzhou", code="Forbidden")) == (True, None)
    assert owns() == (True, None)


# ------------------------------------------------------------------------------------------------ unread lists


def _without(*tables: str) -> list[dict[str, Any]]:
    return [row for row in COMPLETE if row["table_name"] not in tables]


@pytest.mark.parametrize(
    ("kind", "unread", "parent"),
    [
        ("load_balancer", read("service_resources", "epsrv-1", account=PROVIDER, code="Forbidden.RAM"), "epsrv-1"),
        ("listener", read("service_resources", "epsrv-1", account=PROVIDER, code="Forbidden.RAM"), "epsrv-1"),
        ("taggable", read("service_resources", "epsrv-1", account=PROVIDER, code="Forbidden.RAM"), "epsrv-1"),
        ("listener", read("listeners", "lb-1", account=PROVIDER, code="Forbidden.RAM"), "lb-1"),
        ("service_user", read("service_users", "epsrv-1", account=PROVIDER, code="Forbidden.RAM"), "epsrv-1"),
        ("endpoint", read("connections", "epsrv-1", account=PROVIDER, code="Forbidden.RAM"), "epsrv-1"),
        ("endpoint", read("endpoints", account=CONSUMER, code="Forbidden.RAM"), CONSUMER),
        ("endpoint_service", read("endpoint_services", account=PROVIDER, code="Forbidden.RAM"), PROVIDER),
        ("load_balancer", read("endpoint_services", account=PROVIDER, code="Forbidden.RAM"), PROVIDER),
        ("vpc", read("endpoints", account=CONSUMER, code="Forbidden.RAM"), CONSUMER),
    ],
)
def test_an_unread_list_is_an_unknown_of_its_parent(kind: str, unread: dict[str, Any], parent: str) -> None:
    def same(row: dict[str, Any]) -> bool:
        return all(row[name] == unread[name] for name in ("table_name", "target", "account_id"))

    coverage = [row for row in COMPLETE if not same(row)] + [unread]
    found = judge(snapshot(WHOLE, coverage, BOTH), [_passing(kind)], Spec())
    hidden = [f for f in found if f.part == "members"]
    assert [(f.resource.id, f.outcome) for f in hidden] == [(parent, Outcome.UNKNOWN)]
    assert [gap.error_code for gap in hidden[0].gaps] == ["Forbidden.RAM"]
    assert "Forbidden.RAM" in str(hidden[0].reason)
    assert len({f.id for f in found}) == len(found)


def test_a_list_nobody_asked_for_is_unread_too() -> None:
    found = judge(snapshot(WHOLE, _without("listeners"), BOTH), [_passing("listener")], Spec())
    assert outcomes(found)["lb-1/members"] is Outcome.UNKNOWN
    found = judge(snapshot({}, [], BOTH), [_passing("endpoint")], Spec())
    assert outcomes(found) == {f"{CONSUMER}/members": Outcome.UNKNOWN, f"{PROVIDER}/members": Outcome.UNKNOWN}


def test_a_failed_region_wide_call_without_known_services() -> None:
    failed = read("connections", "", account=PROVIDER, code="Throttling")
    found = judge(snapshot({}, [*OWN, *THEIRS, failed], BOTH), [_passing("endpoint")], Spec())
    assert outcomes(found) == {f"{PROVIDER}/members": Outcome.UNKNOWN}
    assert found[0].gaps[0].kind == "throttled"


def test_connections_of_a_strangers_service_are_nobodys_gap() -> None:
    found = judge(snapshot({"endpoints": [ENDPOINT]}, OWN), [_passing("endpoint")], Spec())
    assert outcomes(found) == {"ep-1": Outcome.PASS}


def test_an_endpoint_that_names_no_vpc_may_hide_one() -> None:
    found = judge(snapshot({"endpoints": [{**ENDPOINT, "vpc_id": None}]}, OWN), [_passing("vpc")], Spec())
    assert outcomes(found) == {"ep-1/members": Outcome.UNKNOWN}
    assert found[0].reason == "The answer names no VPC of ep-1."


# ------------------------------------------------------------------------------------------------ not given


def _not_given(one_sided: bool) -> list[Finding]:
    made = [
        _passing("load_balancer"),
        rule(
            "select endpoint_id, true as compliant from scope",
            table("service_resources", of="service_id"),
            id="TEST-002",
        ),
        rule(
            "select endpoint_id, true as compliant from scope", table("endpoint_zones", of="endpoint_id"), id="TEST-003"
        ),
    ]
    coverage = [*OWN, read("endpoint_zones", "ep-1", code="Forbidden.RAM")]
    return judge(snapshot({"endpoints": [ENDPOINT]}, coverage), made, Spec(), one_sided=one_sided)


def test_an_account_that_was_not_given() -> None:
    hidden, resources, zones = _not_given(one_sided=False)
    assert (hidden.resource.id, hidden.part, hidden.outcome) == ("epsrv-1", "members", Outcome.UNKNOWN)
    assert hidden.reason == "No profile of the account that owns epsrv-1 was given."
    assert (resources.outcome, resources.gaps[0].kind) == (Outcome.UNKNOWN, "not_given")
    assert (zones.outcome, zones.gaps[0].kind) == (Outcome.UNKNOWN, "refused")


def test_one_sided_leaves_out_what_was_not_given_and_nothing_else() -> None:
    hidden, resources, zones = _not_given(one_sided=True)
    assert (hidden.outcome, resources.outcome, zones.outcome) == (
        Outcome.NOT_APPLICABLE,
        Outcome.NOT_APPLICABLE,
        Outcome.UNKNOWN,
    )
    assert resources.reason == "No profile of the account that owns epsrv-1 was given."


def test_the_account_is_named_where_it_is_known() -> None:
    rows = {**WHOLE, "endpoints": []}
    made = _passing("endpoint", table("endpoint_zones", of="endpoint_id"))
    (found,) = judge(snapshot(rows, [*THEIRS, *CHILDREN], {PROVIDER: "provider"}), [made], Spec())
    assert (found.outcome, found.gaps[0].kind, found.gaps[0].account_id) == (Outcome.UNKNOWN, "not_given", CONSUMER)
    assert found.reason == f"No profile of account {CONSUMER} was given."


def test_values_of_an_account_that_was_not_given() -> None:
    """No evidence is lacking, but the scope row has NULL where the provider's account would have told."""
    made = rule("select endpoint_id, service_resource_type = 'slb' as compliant from scope")
    given = snapshot({"endpoints": [ENDPOINT]}, OWN)
    (found,) = judge(given, [made], Spec())
    assert (found.outcome, found.reason) == (Outcome.UNKNOWN, "No profile of the account that owns epsrv-1 was given.")
    (found,) = judge(given, [made], Spec(), one_sided=True)
    assert found.outcome is Outcome.NOT_APPLICABLE
    own = rule("select endpoint_id, endpoint_status = 'Active' as compliant from scope")
    (found,) = judge(given, [own], Spec(), one_sided=True)
    assert (found.outcome, found.reason) == (Outcome.UNKNOWN, "A value the rule needs was not in the answer.")


def test_only_the_side_a_rule_rests_on_is_blamed() -> None:
    """The provider alone shows the endpoint; what is NULL is the provider's own."""
    rows = {**WHOLE, "endpoints": []}
    given = snapshot(rows, [*THEIRS, *CHILDREN], {PROVIDER: "provider"})
    connections = table("connections", of="service_id")
    made = rule("select endpoint_id, modified_at < 'z' as compliant from connections", connections)
    (found,) = judge(given, [made], Spec(), one_sided=True)
    assert (found.outcome, found.reason) == (Outcome.UNKNOWN, "A value the rule needs was not in the answer.")
    made = rule("select endpoint_id, endpoint_status = 'Active' as compliant from scope", connections)
    (found,) = judge(given, [made], Spec(), one_sided=True)
    assert found.outcome is Outcome.NOT_APPLICABLE


def test_a_refused_list_is_no_missing_account() -> None:
    """The owner of the service is not known because its own list was refused: never n/a."""
    coverage = [
        *OWN,
        read("endpoints", account=PROVIDER),
        read("endpoint_services", account=PROVIDER, code="Forbidden.RAM"),
    ]
    made = rule("select endpoint_id, true as compliant from scope", table("service_resources", of="service_id"))
    for one_sided in (False, True):
        (found,) = judge(snapshot({"endpoints": [ENDPOINT]}, coverage, BOTH), [made], Spec(), one_sided=one_sided)
        assert (found.outcome, found.gaps[0].kind) == (Outcome.UNKNOWN, "refused")


def test_a_profile_that_failed_is_the_gap() -> None:
    failed = read("accounts", account=None, region="", code="InvalidAccessKeyId.NotFound", profile="provider")
    made = rule("select endpoint_id, true as compliant from scope", table("service_resources", of="service_id"))
    for one_sided in (False, True):
        given = snapshot({"endpoints": [ENDPOINT]}, [*OWN, failed])
        found = judge(given, [made], Spec(), one_sided=one_sided)
        assert outcomes(found) == {"profile:provider/members": Outcome.UNKNOWN, "ep-1": Outcome.UNKNOWN}
        assert {gap.kind for finding in found for gap in finding.gaps} == {"credentials"}


def test_tables_needed_name_what_scopes_and_facts_rest_on() -> None:
    from auditor.engine.rule import Evidence

    needed = tables_needed([rule("", Evidence(None, "listener_groups", 1), resource="listener")])
    assert needed >= {"accounts", "endpoint_services", "service_resources", "listeners", "forwarding_rules"}
    assert "service_users" not in needed


def test_a_load_balancer_attached_from_elsewhere_is_in_its_own_region() -> None:
    elsewhere = {**RESOURCE, "resource_region_id": "cn-hangzhou"}
    found = judge(
        snapshot({**WHOLE, "service_resources": [elsewhere]}, [*OWN, *THEIRS, *CHILDREN], BOTH),
        [
            rule(
                "select load_balancer_id, false as compliant from scope",
                resource="load_balancer",
                remediation=RemediationTemplate("Repair it.", ("aliyun slb Repair --RegionId {region_id}",)),
            ),
            rule("select load_balancer_id, protocol, port, false as compliant from scope", resource="listener"),
        ],
        Spec(),
    )
    failed = [finding for finding in found if finding.outcome is Outcome.FAIL]
    assert [(f.resource.type, f.resource.region_id) for f in failed] == [
        ("load_balancers", "cn-hangzhou"),
        ("listeners", "cn-hangzhou"),
    ]
    assert failed[0].remediation.cli == ("aliyun slb Repair --RegionId cn-hangzhou",)


def test_a_rule_that_depends_on_a_declaration() -> None:
    """Without it nothing is needed for the rule, and nothing is unknown, not even where the members are hidden."""
    logged = rule(
        "select endpoint_id, true as compliant from scope", table("flow_logs"), only_if_declared="require.flow_logs"
    )
    declared, refused = Spec(require=Requirements(flow_logs=True)), Spec(require=Requirements(flow_logs=False))
    assert "flow_logs" in tables_needed([logged], declared) & tables_needed([logged])
    for spec in (Spec(), refused):
        assert "flow_logs" not in tables_needed([logged], spec)
        assert "endpoints" in tables_needed([logged], spec)
    whole = snapshot(WHOLE, [*OWN, *THEIRS, *CHILDREN], BOTH)
    hidden = snapshot({}, [read("endpoints", code="Forbidden.RAM"), read("endpoint_services")], BOTH)
    for taken in (whole, hidden):
        assert {f.outcome for f in judge(taken, [logged], declared)} == {Outcome.UNKNOWN}
        for spec in (Spec(), refused):
            found = judge(taken, [logged], spec)
            assert {f.outcome for f in found} == {Outcome.NOT_APPLICABLE}
            assert {f.reason for f in found} == {"The specification does not declare require.flow_logs."}
