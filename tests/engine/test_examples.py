"""Examples: what they complete, and how a wrong one is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from auditor.engine import run_examples
from auditor.engine.examples import DEFAULT_ACCOUNT, example_snapshot
from auditor.errors import FileError
from auditor.findings import Outcome
from tests.engine.scene import fixture_text, load_text
from tests.rules.catalogue import BUILT_IN, FIXTURES

TEXT = fixture_text("ZONE-901")


@pytest.mark.parametrize("rule", [*FIXTURES, *BUILT_IN], ids=lambda rule: rule.id)
def test_examples_hold(rule) -> None:  # type: ignore[no-untyped-def] # the catalogue gives rules
    assert run_examples(rule) == []


def test_a_wrong_outcome_is_told_with_its_line(tmp_path: Path) -> None:
    text = TEXT.replace("observed: b", "observed: c").replace(
        "zone_id: b}]\n      service_resources: [{service_id: epsrv-1, resource_id: lb-1, zone_id: a}]",
        "zone_id: b}]\n      service_resources: [{service_id: epsrv-1, resource_id: lb-1, zone_id: b}]",
    )
    rule = load_text(tmp_path, text)
    (sentence,) = run_examples(rule)
    line = next(number for number, line in enumerate(text.splitlines(), 1) if "zone b has no service resource" in line)
    assert sentence == (f"{rule.path}:{line}: example 'zone b has no service resource' expects to observe 'c', got 'a'")
    rule = load_text(tmp_path, TEXT.replace("expect: not_applicable", "expect: pass"))
    (sentence,) = run_examples(rule)
    assert sentence.endswith("example 'a reverse endpoint is none' expects pass, got not_applicable")


def test_an_example_has_one_outcome(tmp_path: Path) -> None:
    two = TEXT.replace(
        "endpoints: [{endpoint_id: ep-1, service_id: epsrv-1, endpoint_type: Reverse}]",
        "endpoints:\n        - {endpoint_id: ep-1, service_id: epsrv-1, endpoint_type: Reverse}\n"
        "        - {endpoint_id: ep-2, service_id: epsrv-1, endpoint_type: Reverse}",
    )
    (sentence,) = run_examples(load_text(tmp_path, two))
    assert "gives 2 outcomes instead of one (ep-1 not_applicable, ep-2 not_applicable)" in sentence
    named = two.replace("expect: not_applicable\n", "expect: not_applicable\n    resource: ep-2\n")
    assert run_examples(load_text(tmp_path, named)) == []
    none = TEXT.replace(
        "endpoints: [{endpoint_id: ep-1, service_id: epsrv-1, endpoint_type: Reverse}]", "endpoints: []"
    )
    (sentence,) = run_examples(load_text(tmp_path, none))
    assert "gives 0 outcomes instead of one (none)" in sentence


def test_what_an_example_completes() -> None:
    example = FIXTURES[-1].examples[0]
    given = example_snapshot(example)
    assert list(given["accounts"]["account_id"]) == [DEFAULT_ACCOUNT]
    assert set(given["endpoint_zones"]["region_id"]) == {"eu-central-1"}
    assert given.completeness().complete("service_users", "epsrv-1")
    without = example_snapshot(replace(example, missing=("service_users",), half_read=("listeners",)))
    assert not without.completeness().complete("service_users", "epsrv-1")
    assert without.completeness().gap("service_users", "epsrv-1").kind == "not_given"
    assert not without.completeness().complete("listeners", "lb-1")


def test_a_malformed_declaration_is_told(tmp_path: Path) -> None:
    text = TEXT.replace(
        "expect: not_applicable\n", "expect: not_applicable\n    declared: {endpoints: {ep-1: {payr: Endpoint}}}\n"
    )
    with pytest.raises(FileError) as caught:
        load_text(tmp_path, text)
    assert "unknown key `payr`, did you mean payer?" in str(caught.value)
    assert caught.value.line == next(n for n, line in enumerate(text.splitlines(), 1) if "payr" in line)


def test_the_expected_outcomes_are_all_there() -> None:
    for rule in FIXTURES:
        assert {example.expect for example in rule.examples} >= {Outcome.PASS, Outcome.FAIL, Outcome.UNKNOWN}
