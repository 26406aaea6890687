"""`plaudit rules`: the catalogue as the interface promises it, one rule in full, and examples that are run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from auditor.drift.rules import DRIFT_RULES
from auditor.engine import load_rules
from tests.cli.conftest import Answer

Plaudit = Callable[..., Answer]

RULE = """\
id: MINE-001
title: Endpoint has a name
severity: low
basis: policy
resource: endpoint
side: consumer
tags: [mine]
rationale: A name helps.
evidence: [{table: endpoints}]
query: select endpoint_id, endpoint_name <> '' as compliant from endpoints
remediation:
  summary: Give it a name.
  cli: ["aliyun privatelink UpdateVpcEndpointAttribute --EndpointId {endpoint_id}"]
examples:
  - {name: named, expect: pass, given: {endpoints: [{endpoint_id: ep-1, endpoint_name: x}]}}
  - {name: nameless, expect: fail, given: {endpoints: [{endpoint_id: ep-1, endpoint_name: ""}]}}
  - {name: spaces, expect: pass, given: {endpoints: [{endpoint_id: ep-1, endpoint_name: " "}]}}
  - {name: not read, expect: unknown, given: {endpoints: [{endpoint_id: ep-1}]}}
"""


def test_list(plaudit: Plaudit) -> None:
    answer = plaudit("rules", "list", "--format", "json")
    assert answer.code == 0
    keys = {"id", "title", "severity", "basis", "resource", "side", "tags", "deprecated", "source"}
    assert all(set(entry) == keys for entry in answer.json)
    assert [entry["id"] for entry in answer.json] == [
        rule.id for rule in sorted([*load_rules(), *DRIFT_RULES], key=lambda rule: rule.id) if not rule.deprecated
    ]
    assert {entry["source"] for entry in answer.json} == {"builtin"}
    table = plaudit("rules", "list", "--select", "ZONE")
    assert table.out.splitlines()[0].split() == ["rule", "severity", "basis", "side", "title"]
    assert len(table.out.splitlines()) == 2 + sum(entry["id"].startswith("ZONE-") for entry in answer.json)


def test_show(plaudit: Plaudit) -> None:
    answer = plaudit("rules", "show", "ZONE-001")
    assert answer.code == 0
    for word in ("ZONE-001  ", "Why", "Fix", "Sources", "https://", "Examples", "  pass  ", "Defined in builtin"):
        assert word in answer.out
    answer = plaudit("rules", "show", "ZONE-01")
    assert answer.code == 2
    assert "did you mean ZONE-001?" in answer.err


def test_own_rules(plaudit: Plaudit) -> None:
    Path("mine").mkdir()
    path = Path("mine/MINE-001.yaml")
    path.write_text(RULE, encoding="utf-8")
    answer = plaudit("rules", "test", "mine")
    assert (answer.code, answer.out) == (0, "")
    assert answer.err == "4 examples of 1 rules hold\n"
    listed = plaudit("rules", "list", "--rules", "mine", "--select", "mine", "--format", "json")
    assert [(entry["id"], entry["source"]) for entry in listed.json] == [("MINE-001", str(path))]
    assert "Give it a name." in plaudit("rules", "show", "MINE-001", "--rules", "mine").out

    path.write_text(RULE.replace("name: spaces, expect: pass", "name: spaces, expect: fail"), encoding="utf-8")
    answer = plaudit("rules", "test", "mine")
    assert answer.code == 3
    assert answer.out.startswith(f"{path}:17: example 'spaces' expects fail, got pass")

    path.write_text(RULE.replace("title:", "titel:"), encoding="utf-8")
    answer = plaudit("rules", "test", "mine")
    assert answer.code == 2
    assert f"{path}:2: unknown key `titel`, did you mean title?" in answer.err
    assert plaudit("rules", "test", "absent").code == 2
    Path("empty").mkdir()
    assert plaudit("rules", "test", "empty").code == 2


def test_built_in_examples_hold(plaudit: Plaudit) -> None:
    answer = plaudit("rules", "test", Path(__file__).resolve().parents[2] / "rules" / "names")
    assert answer.code == 0, answer.out
    assert "hold" in answer.err
