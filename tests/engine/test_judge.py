"""The decision table, cell by cell, and what an unknown says."""

from __future__ import annotations

import itertools

import pytest

from auditor.engine import judge
from auditor.engine.rule import RemediationTemplate, Rule, Sql
from auditor.errors import UsageError
from auditor.findings import Finding, Outcome, finding_id
from auditor.spec import EndpointSpec, Port, ServiceSpec, Spec
from tests.engine.scene import CONSUMER, PROVIDER, REGION, outcomes, read, rule, snapshot, table

ENDPOINT = {"endpoints": [{"endpoint_id": "ep-1", "service_id": "epsrv-1", "vpc_id": "vpc-1"}]}
LISTED = [read("endpoints"), read("endpoint_services"), read("connections", "epsrv-1")]
BOTH = {CONSUMER: "consumer", PROVIDER: "provider"}


def _one(made: Rule, *coverage: dict[str, object], one_sided: bool = False) -> Finding:
    findings = judge(snapshot(ENDPOINT, [*LISTED, *coverage]), [made], Spec(), one_sided=one_sided)
    assert len(findings) == 1
    return findings[0]


_WORDS = {True: "true", False: "false", None: "null"}
_PROVES = [(), (Outcome.PASS,), (Outcome.FAIL,), (Outcome.PASS, Outcome.FAIL)]


def _expected(applies: bool | None, compliant: bool | None, read_: bool, proves: tuple[Outcome, ...]) -> Outcome:
    if applies is False:
        return Outcome.NOT_APPLICABLE
    if applies is None or compliant is None:
        return Outcome.UNKNOWN
    claim = Outcome.PASS if compliant else Outcome.FAIL
    return claim if read_ or claim in proves else Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("applies", "compliant", "read_", "proves"),
    list(itertools.product([True, False, None], [True, False, None], [True, False], _PROVES)),
)
def test_the_decision_table(
    applies: bool | None, compliant: bool | None, read_: bool, proves: tuple[Outcome, ...]
) -> None:
    made = rule(
        f"select endpoint_id, {_WORDS[compliant]}::boolean as compliant from scope",
        table("endpoint_zones", of="endpoint_id", partial_proves=frozenset(proves)),
        applies=Sql(_WORDS[applies] + "::boolean", 1),
    )
    found = _one(made, read("endpoint_zones", "ep-1", code=None if read_ else "Forbidden.RAM"))
    assert found.outcome is _expected(applies, compliant, read_, proves)
    assert (found.reason is not None) == (found.outcome is Outcome.UNKNOWN)


@pytest.mark.parametrize("none", list(Outcome))
@pytest.mark.parametrize("read_", [True, False])
@pytest.mark.parametrize("proves", _PROVES)
def test_resources_the_query_does_not_mention(none: Outcome, read_: bool, proves: tuple[Outcome, ...]) -> None:
    made = rule(
        "select endpoint_id, true as compliant from scope where false",
        table("endpoint_zones", of="endpoint_id", partial_proves=frozenset(proves)),
        none_found=none,
    )
    found = _one(made, read("endpoint_zones", "ep-1", code=None if read_ else "Forbidden.RAM"))
    assert found.outcome is (none if read_ else Outcome.UNKNOWN)


def test_no_coverage_row_is_not_complete() -> None:
    made = rule("select endpoint_id, true as compliant from scope", table("endpoint_zones", of="endpoint_id"))
    found = _one(made)
    assert (found.outcome, [gap.kind for gap in found.gaps]) == (Outcome.UNKNOWN, ["not_collected"])


def test_a_refusal_is_named() -> None:
    made = rule("select endpoint_id, true as compliant from scope", table("endpoint_zones", of="endpoint_id"))
    found = _one(made, read("endpoint_zones", "ep-1", code="Forbidden.RAM", request_id="R-1"))
    assert found.reason == (
        "Reading endpoint_zones of ep-1 ended with Forbidden.RAM "
        f"(privatelink:ListVpcEndpointZones in account {CONSUMER} (consumer), {REGION})."
    )
    gap = found.gaps[0]
    assert (gap.kind, gap.account_id, gap.error_code, gap.request_id) == ("refused", CONSUMER, "Forbidden.RAM", "R-1")


def test_the_querys_own_reason_comes_first() -> None:
    made = rule(
        "select endpoint_id, null as compliant, 'the endpoint is Pending' as reason from scope",
        table("endpoint_zones", of="endpoint_id"),
    )
    found = _one(made, read("endpoint_zones", "ep-1", code="Forbidden.RAM"))
    assert found.reason == "the endpoint is Pending"
    assert [gap.kind for gap in found.gaps] == ["refused"]


def test_not_applicable_may_not_rest_on_an_unread_list() -> None:
    applies = Sql("exists (select 1 from endpoint_zones z where z.endpoint_id = r.endpoint_id)", 1)
    made = rule(
        "select endpoint_id, true as compliant from scope", table("endpoint_zones", of="endpoint_id"), applies=applies
    )
    assert _one(made, read("endpoint_zones", "ep-1")).outcome is Outcome.NOT_APPLICABLE
    assert _one(made, read("endpoint_zones", "ep-1", code="Forbidden.RAM")).outcome is Outcome.UNKNOWN


def test_several_rows_for_one_part_decide_nothing() -> None:
    made = rule("select endpoint_id, true as compliant from scope union all select endpoint_id, true from scope")
    found = judge(snapshot(ENDPOINT, LISTED), [made], Spec())
    assert {finding.outcome for finding in found} == {Outcome.UNKNOWN}
    assert "several rows" in str(found[0].reason)


def test_a_query_that_breaks_decides_nothing() -> None:
    made = rule("select endpoint_id, vpc_id::integer = 1 as compliant from scope")
    found = _one(made)
    assert found.outcome is Outcome.UNKNOWN
    assert str(found.reason).startswith("The rule could not be evaluated: Conversion Error")


def test_an_unknown_severity_is_an_error() -> None:
    made = rule("select endpoint_id, false as compliant, 'bad' as severity from scope")
    with pytest.raises(UsageError, match="gave the severity 'bad'"):
        _one(made)


def test_severity_part_observed_and_related() -> None:
    made = rule(
        "select endpoint_id, part, compliant, 'low' as severity, 'seen ' || part as observed, vpc_id, "
        "['listeners:lb-1:tcp:80', 'nonsense:x'] as related "
        "from scope, (values ('a', true), ('b', false)) t(part, compliant)",
    )
    first, second = judge(snapshot(ENDPOINT, LISTED), [made], Spec())
    assert (first.part, first.outcome, first.severity, first.observed) == ("a", Outcome.PASS, "low", "seen a")
    assert second.id == finding_id("TEST-001", CONSUMER, REGION, "ep-1", "b") != first.id
    assert [(ref.type, ref.id) for ref in second.related] == [
        ("endpoint_services", "epsrv-1"),
        ("listeners", "lb-1:tcp:80"),
        ("vpcs", "vpc-1"),
    ]


def test_ids_depend_on_ids_only() -> None:
    rows = {"endpoints": [{"endpoint_id": "ep-1", "endpoint_name": "a"}]}
    made = rule("select endpoint_id, true as compliant from scope")
    one = judge(snapshot(rows, LISTED), [made], Spec())[0]
    rows["endpoints"][0]["endpoint_name"] = "<b>b</b>"
    other = judge(snapshot(rows, LISTED), [made], Spec())[0]
    assert one.id == other.id == finding_id("TEST-001", CONSUMER, REGION, "ep-1")
    assert other.resource.name == "<b>b</b>"


def test_the_order_is_fixed() -> None:
    rows = {
        "endpoints": [{"endpoint_id": f"ep-{n}", "region_id": region} for n in (3, 1, 2) for region in ("b", "a")][:5]
    }
    made = [rule("select endpoint_id, true as compliant from scope", id=id_) for id_ in ("TEST-002", "TEST-001")]
    found = judge(snapshot(rows, LISTED), made, Spec())
    keys = [(f.rule_id, f.resource.region_id or "", f.resource.id) for f in found]
    assert keys == sorted(keys) and len(keys) == 6


def test_region_wide_lists_belong_to_account_and_region() -> None:
    made = rule("select endpoint_id, true as compliant from scope", table("vswitches"))
    assert _one(made, read("vswitches")).outcome is Outcome.PASS
    assert _one(made, read("vswitches", region="cn-hangzhou")).outcome is Outcome.UNKNOWN
    assert _one(made, read("vswitches", account=PROVIDER)).outcome is Outcome.UNKNOWN
    assert _one(made, read("vswitches", region="")).outcome is Outcome.PASS
    assert _one(made, read("vswitches"), read("vswitches", region="", code="Forbidden")).outcome is Outcome.UNKNOWN


def test_what_an_account_sees_is_its_own() -> None:
    """Another account that may see the service proves nothing for this one."""
    made = rule("select endpoint_id, true as compliant from scope", table("visible_services", of="service_id"))
    assert _one(made, read("visible_services", "epsrv-1", account=PROVIDER)).outcome is Outcome.UNKNOWN
    assert _one(made, read("visible_services", "epsrv-1")).outcome is Outcome.PASS


def test_the_own_read_counts_before_anybody_elses() -> None:
    made = rule("select endpoint_id, true as compliant from scope", table("service_resources", of="service_id"))
    theirs = read("service_resources", "epsrv-1", account=PROVIDER)
    own = read("service_resources", "epsrv-1", code="Forbidden.RAM")
    assert _one(made, theirs).outcome is Outcome.PASS
    assert _one(made, theirs, own).outcome is Outcome.UNKNOWN


def test_calls_that_fill_one_table_together_all_count() -> None:
    made = rule("select endpoint_id, true as compliant from scope", table("resource_tags", of="endpoint_id"))
    first = read("resource_tags", "ep-1")
    second = read("resource_tags", "ep-1", code="Throttling", operation="other:Call")
    assert _one(made, first).outcome is Outcome.PASS
    assert _one(made, first, second).outcome is Outcome.UNKNOWN
    assert _one(made, first, read("resource_tags", "ep-1", code="Throttling")).outcome is Outcome.PASS  # tried again


def test_an_unknown_target_is_not_complete_and_an_empty_one_is() -> None:
    rows = {
        "endpoints": [
            {"endpoint_id": "ep-1"},
            {"endpoint_id": "ep-2", "service_id": ""},
            {"endpoint_id": "ep-3", "service_id": "epsrv-3"},
        ]
    }
    made = rule("select endpoint_id, true as compliant from scope", table("service_resources", of="service_id"))
    found = judge(snapshot(rows, [*LISTED, read("service_resources", "epsrv-3")]), [made], Spec())
    assert outcomes(found) == {"ep-1": Outcome.UNKNOWN, "ep-2": Outcome.PASS, "ep-3": Outcome.PASS}


def test_evidence_by_way_of_a_table_and_by_sql() -> None:
    rows = {
        **ENDPOINT,
        "endpoint_security_groups": [{"endpoint_id": "ep-1", "security_group_id": f"sg-{n}"} for n in "12"],
    }
    groups = [read("endpoint_security_groups", "ep-1"), read("security_group_rules", "sg-1")]
    query = "select endpoint_id, true as compliant from scope"
    sql = Sql(
        "select r.endpoint_id, g.security_group_id from scope r join endpoint_security_groups g using (endpoint_id)", 1
    )
    for way in (
        table("security_group_rules", of="security_group_id", via="endpoint_security_groups"),
        table("security_group_rules", targets=sql),
    ):
        made = rule(query, table("endpoint_security_groups", of="endpoint_id"), way)
        first = judge(snapshot(rows, [*LISTED, *groups]), [made], Spec())[0]
        assert first.outcome is Outcome.UNKNOWN and first.gaps[0].target == "sg-2"
        done = judge(snapshot(rows, [*LISTED, *groups, read("security_group_rules", "sg-2")]), [made], Spec())[0]
        assert done.outcome is Outcome.PASS


def test_lists_of_another_account_by_sql() -> None:
    rows = {**ENDPOINT, "endpoint_services": [{"service_id": "epsrv-1", "account_id": PROVIDER}]}
    sql = Sql("select r.endpoint_id, r.service_account_id, r.service_region_id from scope r", 1)
    made = rule("select endpoint_id, true as compliant from scope", table("vswitches", targets=sql))
    asked = [read("endpoint_services", account=PROVIDER), read("endpoints", account=PROVIDER)]
    first = judge(snapshot(rows, [*LISTED, *asked], BOTH), [made], Spec())[0]
    assert first.outcome is Outcome.UNKNOWN and first.gaps[0].account_id == PROVIDER
    done = judge(snapshot(rows, [*LISTED, *asked, read("vswitches", account=PROVIDER)], BOTH), [made], Spec())[0]
    assert done.outcome is Outcome.PASS


def test_declarations_are_resolved_per_object() -> None:
    spec = Spec(
        services={"*": ServiceSpec(public=False), "epsrv-1": ServiceSpec(ports=(Port("tcp", 80),))},
        endpoints={"ep-9": EndpointSpec(clients=("10.0.0.0/8",))},
    )
    made = rule(
        "select endpoint_id, d.public = false and d.has_ports and not d.has_vpcs and e.has_clients = false "
        "and p.port = 80 and (select count(*) from declared_endpoint_clients) = 1 as compliant "
        "from scope join declared_services d using (service_id) join declared_endpoints e using (endpoint_id) "
        "join declared_service_ports p using (service_id)"
    )
    assert judge(snapshot(ENDPOINT, LISTED), [made], spec)[0].outcome is Outcome.PASS


def test_the_time_of_the_scan() -> None:
    made = rule("select endpoint_id, scan.started_at = timestamp '2026-01-01 00:00:00' as compliant from scope, scan")
    assert _one(made).outcome is Outcome.PASS


def test_remediation_is_filled_in_for_those_who_need_it() -> None:
    template = RemediationTemplate("Repair {endpoint_id}.", cli=("aliyun x --Id {endpoint_id} --Name {name}",))
    made = rule("select endpoint_id, false as compliant from scope", remediation=template)
    assert _one(made).remediation.cli == ("aliyun x --Id ep-1 --Name '<name>'",)
    good = rule("select endpoint_id, true as compliant from scope", remediation=template)
    assert _one(good).remediation.cli == ()
