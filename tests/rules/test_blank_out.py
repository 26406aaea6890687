"""The heart of the suite: with data taken away, nothing may become `pass`, and nothing wrong may be claimed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from auditor.engine.rule import Rule, Sql
from auditor.engine.session import Session
from auditor.findings import Outcome
from tests.rules.blank_out import blank_out, violations
from tests.rules.catalogue import BUILT_IN, FIXTURES


@pytest.mark.parametrize("rule", [*FIXTURES, *BUILT_IN], ids=lambda rule: rule.id)
def test_less_data_never_says_more(session: Session, rule: Rule) -> None:
    assert blank_out(session, rule) == []


def _fixture(id_: str) -> Rule:
    return next(rule for rule in FIXTURES if rule.id == id_)


def _blind(rule: Rule) -> Rule:
    """The rule with evidence that asks for nothing."""
    nothing = Sql("select service_id, '' as target from scope", 1)
    return replace(rule, evidence=tuple(replace(item, of=None, targets=nothing) for item in rule.evidence))


def test_a_rule_without_evidence_is_caught(session: Session) -> None:
    """Without evidence the engine believes whatever the query says of an empty table."""
    wrong = blank_out(session, _blind(_fixture("ALLOW-902")))
    assert any("service_users refused" in sentence and "passes, was fail" in sentence for sentence in wrong)


def test_a_partial_list_that_proves_nothing_is_caught(session: Session) -> None:
    rule = _fixture("ZONE-901")
    items = tuple(replace(item, partial_proves=frozenset({Outcome.FAIL})) for item in rule.evidence)
    wrong = blank_out(session, replace(rule, evidence=items))
    assert any("service_resources cut short" in sentence and "fails, passed before" in sentence for sentence in wrong)


def test_a_query_that_swallows_null_is_caught(session: Session) -> None:
    rule = _fixture("CLB-903")
    text = rule.query.text.replace("as fits", "is not false as fits")
    wrong = blank_out(session, replace(rule, query=Sql(text, 1)))
    assert any("primary_zone_id NULL" in sentence and "passes, was" in sentence for sentence in wrong)


def test_a_condition_on_an_unread_list_is_caught(session: Session) -> None:
    """The engine keeps n/a back where `applies` reads evidence; with the evidence gone the test has to notice."""
    rule = _fixture("ALLOW-902")
    applies = Sql("exists (select 1 from service_users u where u.service_id = r.service_id)", 1)
    wrong = blank_out(session, replace(_blind(rule), applies=applies))
    assert any(
        "service_users refused" in sentence and "is not applicable, failed before" in sentence for sentence in wrong
    )
    guarded = blank_out(session, replace(rule, applies=applies))
    assert not any("is not applicable" in sentence for sentence in guarded)


def test_a_resource_that_is_gone_needs_a_trace() -> None:
    before = {("lb-1", ""): Outcome.FAIL}
    assert list(violations(before, {})) == ["lb-1  is gone without a trace, was fail"]
    assert list(violations(before, {("epsrv-1", "members"): Outcome.UNKNOWN})) == []
    assert list(violations(before, {("epsrv-1", "members"): Outcome.NOT_APPLICABLE})) != []
