"""Every rule says how it is mended, in operations and parameters that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from auditor.engine import Rule, load_rules
from auditor.engine.load import load_rules as load_linted
from auditor.engine.rule import ChangeTemplate
from auditor.errors import FileError
from auditor.fixes.operations import OPERATIONS
from auditor.fixes.plan import FixKind, kind_of
from tests.engine.scene import fixture_text, load_text
from tests.fixes.console import read, request_fields

RULES = load_rules()
STEPS = [
    pytest.param(rule, step, id=f"{rule.id} {step.operation}") for rule in RULES for step in rule.remediation.change
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_rule_says_in_one_way_how_it_is_mended(rule: Rule) -> None:
    fix = rule.remediation
    manual = [text for text in (fix.choice, fix.replaces, fix.outside) if text is not None]
    assert kind_of(fix) is not None
    assert len(manual) <= 1
    assert fix.change or manual


def test_most_of_what_needs_no_choice_is_automatic() -> None:
    kinds = [kind_of(rule.remediation) for rule in RULES]
    assert kinds.count(FixKind.AUTOMATIC) >= 37
    assert {FixKind.CHOICE, FixKind.REPLACEMENT, FixKind.OUTSIDE} <= set(kinds)


@pytest.mark.parametrize(("rule", "step"), STEPS)
def test_a_change_names_operations_and_parameters_of_the_sdk(rule: Rule, step: ChangeTemplate) -> None:
    assert step.operation in OPERATIONS
    known = request_fields(step.operation)
    for name in step.parameters:
        field = re.sub(r"\.[0-9]+", ".N", name)
        assert field in known or (name == "region" and "RegionId" not in known), name
    assert ("RegionId" in step.parameters) == ("RegionId" in known)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_has_an_effect_with_a_source(operation: str) -> None:
    entry = OPERATIONS[operation]
    assert entry.effect.__doc__
    assert entry.source.url.startswith("https://www.alibabacloud.com/help/en/")
    assert entry.source.url.endswith(operation.partition(":")[2].lower())
    assert request_fields(operation) is not None


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.remediation.replaces], ids=lambda rule: rule.id)
def test_a_replacement_names_what_is_replaced_and_what_changes_with_it(rule: Rule) -> None:
    text = rule.remediation.replaces or ""
    assert text.startswith(("The endpoint", "The CLB", "The zone of the endpoint", "The load balancer", "The primary/"))
    assert re.search(r"address|id\b", text)


def test_commands_of_rules_without_own_text_are_made_from_their_change() -> None:
    (rule,) = [rule for rule in RULES if rule.id == "CLB-002"]
    assert rule.remediation.cli == (
        "aliyun slb SetLoadBalancerDeleteProtection --RegionId {region_id} --LoadBalancerId {load_balancer_id} "
        "--DeleteProtection on",
    )


def test_the_console_of_the_tests_refuses_parameters_that_do_not_exist() -> None:
    with pytest.raises(AssertionError):
        read("aliyun slb SetLoadBalancerStatus --Status active")


# ------------------------------------------------------------------------------------------------------- rule files

_TEXT = fixture_text("ZONE-901")
_CHANGE = """  change:
    - operation: privatelink:RemoveZoneFromVpcEndpoint
      side: consumer
      parameters: {RegionId: "{region_id}", EndpointId: "{endpoint_id}", ZoneId: "{gone_zone_id}"}
      each: |
        select z.zone_id as gone_zone_id from scope r join endpoint_zones z using (endpoint_id)
"""


def _load(folder: Path, change: str) -> Rule:
    start = _TEXT.index("remediation:\n") + len("remediation:\n")
    end = _TEXT.index("examples:")
    return load_text(folder, _TEXT[:start] + "  summary: Remove the zone.\n" + change + _TEXT[end:])


def test_a_rule_of_ones_own_may_have_a_change(tmp_path: Path) -> None:
    (step,) = _load(tmp_path, _CHANGE).remediation.change
    assert step.operation == "privatelink:RemoveZoneFromVpcEndpoint"
    assert list(step.parameters) == ["RegionId", "EndpointId", "ZoneId"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("{gone_zone_id}", "{gone_zone}", "unknown placeholder {gone_zone}"),
        ("privatelink:RemoveZoneFromVpcEndpoint", "privatelink:ListVpcEndpoints", "a write operation"),
        ("privatelink:RemoveZoneFromVpcEndpoint", "ram:CreateUser", "a write operation"),
        ("side: consumer", "side: nobody", "nobody"),
        ("join endpoint_zones z", "join read_csv('/etc/passwd') z", "read_csv"),
        ("ZoneId:", "zone_id:", "a request parameter"),
        ("      each", "      when: now\n      each", "when"),
    ],
)
def test_what_is_wrong_with_a_change_is_said_with_its_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(FileError) as error:
        _load(tmp_path, _CHANGE.replace(old, new))
    assert message in str(error.value)
    assert error.value.line is not None


def test_commands_and_change_may_not_differ(tmp_path: Path) -> None:
    other = "  cli:\n    - aliyun privatelink RemoveZoneFromVpcEndpoint --RegionId {region_id} --DryRun true\n"
    with pytest.raises(FileError, match="DryRun"):
        _load(tmp_path, other + _CHANGE)
    with pytest.raises(FileError, match="shows none of the operations"):
        _load(tmp_path, "  cli:\n    - aliyun privatelink ListVpcEndpoints\n" + _CHANGE)


def test_the_built_in_rules_pass_the_lint() -> None:
    assert load_linted(lint_builtin=True)
