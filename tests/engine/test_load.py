"""The strict loader: every refusal names file and line and says what to write."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.engine.load import check_ids, load_folder, load_rules, select_rules
from auditor.engine.rule import Rule
from auditor.engine.session import tables_needed
from auditor.errors import FileError, UsageError
from tests.engine.scene import FOLDER, fixture_text, load_text

TEXT = fixture_text("ZONE-901")


def _line(text: str, words: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if words in line)


def test_a_rule_file_becomes_a_rule(tmp_path: Path) -> None:
    rule = load_text(tmp_path, TEXT)
    assert (rule.id, rule.resource, rule.severity, rule.side) == ("ZONE-901", "endpoint", "critical", "consumer")
    assert [item.table for item in rule.evidence] == ["endpoint_zones", "service_resources"]
    assert rule.source == str(tmp_path / "zones" / "ZONE-901.yaml")
    assert tables_needed([rule]) >= {"endpoint_zones", "service_resources", "endpoints", "accounts"}


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("severity: critical", "severity: severe", "expected one of critical, high, medium, low, info"),
        ("severity: critical", "serverity: critical", "unknown key `serverity`, did you mean severity?"),
        ("resource: endpoint\n", "resource: endpiont\n", "did you mean endpoint?"),
        ("resource: endpoint\n", "resource: endpoint\nonly_if_declared: flow_logs\n", "require.flow_logs"),
        ("id: ZONE-901", "id: ZONE-902", "has to be named ZONE-902.yaml"),
        ("id: ZONE-901", "id: zone-901", "an id like ZONE-001"),
        ("title: Endpoint", "title: Ensure endpoint", "leave out 'Ensure'"),
        ("title: Endpoint", "title: Check endpoint", "leave out 'Check'"),
        ("title: Endpoint", "title: endpoint", "capital letter"),
        ("zones of the service\nsev", "zones of the service.\nsev", "no period"),
        ("has a service resource.\nsources", "has a service resource\nsources", "end the sentence with a period"),
        ("from the endpoint.\n  cli", "from the endpoint\n  cli", "end the sentence with a period"),
        ("    expect: pass", "    expect: passes", "expected one of"),
        ("    expect: fail", "    expect: pass", "no example expects `fail`"),
        ("table: endpoint_zones,", "table: endpoint_zone,", "did you mean endpoint_zones?"),
        ("of: endpoint_id}", "of: endpoint}", "expected one of"),
        ("endpoint_zones, of: endpoint_id}", "endpoint_zones}", "write `of: endpoint_id`"),
        ("table: endpoint_zones, of: endpoint_id", "table: vswitches, of: endpoint_id", "leave `of` out"),
        ("table: endpoint_zones,", "table: endpoint_zones, fact: endpoint_access,", "either a table or a fact"),
        ("of: service_id}", "of: zone_id, via: connection_zones}", "name connection_zones under evidence too"),
        ("of: service_id}", "via: endpoint_zones}", "needs `of`"),
        ("of: service_id}", "of: service_id, partial_proves: unknown}", "expected one of pass, fail"),
        ("tags: [seed, zones]", "tags: [Seed]", "found `Seed`"),
        ("tags: [seed, zones]", "deprecated: yes", "write true or false"),
        ("tags: [seed, zones]", "aliases: [ZONE-901]", "already used"),
        ("basis: documented", "basis: guessed", "expected one of documented, inferred, policy"),
        (
            'sources:\n  - {title: Endpoints, url: "https://www.alibabacloud.com/help/en/privatelink/"}\n',
            "",
            "names its pages",
        ),
        ('url: "https', 'url: "http', "begins with https"),
        ("endpoint_type: Reverse", "endpoint_typ: Reverse", "unknown column of endpoints: endpoint_typ"),
        ("endpoint_type: Reverse", "endpoint_type: on", 'quote it: "on"'),
        ("endpoint_type: Reverse", "same_account: no", "write true or false"),
        ("endpoint_type: Reverse", "bandwidth: '12'", "without quotes"),
        ("endpoint_type: Reverse", "endpoint_name: 2026-01-01", "ambiguous"),
        (
            "endpoint_id: ep-1, service_id: epsrv-1, endpoint_type: Reverse",
            "service_id: epsrv-1",
            "needs `endpoint_id`",
        ),
        ("[service_resources]\n    given:\n", "[service_resorces]\n    given:\n", "did you mean service_resources?"),
        ("name: a reverse endpoint is none", "name: both zones are served", "two examples are named"),
        ("basis: documented", "basis: inferred\nnone_found: none", "expected one of"),
    ],
)
def test_refusals(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert old in TEXT
    with pytest.raises(FileError) as caught:
        load_text(tmp_path, TEXT.replace(old, new, 1))
    assert words in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path / "zones" / "ZONE-901.yaml") + ":")
    assert caught.value.line is not None


@pytest.mark.parametrize(
    ("old", "new", "marker"),
    [
        ("severity: critical", "severity: severe", "severity:"),
        ("table: endpoint_zones,", "table: endpoint_zone,", "table: endpoint_zone,"),
        ("endpoint_type: Reverse", "endpoint_typ: Reverse", "endpoint_typ:"),
        ("    expect: pass", "    expect: passes", "expect: passes"),
        ("  console:", "  consol:", "consol:"),
    ],
)
def test_the_line_is_the_one_to_change(tmp_path: Path, old: str, new: str, marker: str) -> None:
    text = TEXT.replace(old, new, 1)
    with pytest.raises(FileError) as caught:
        load_text(tmp_path, text)
    assert caught.value.line == _line(text, marker)


def test_only_documented_rules_speak_for_the_documentation(tmp_path: Path) -> None:
    text = TEXT.replace("basis: documented", "basis: inferred").replace(
        "An endpoint zone can", "The documentation requires that an endpoint zone can"
    )
    with pytest.raises(FileError, match="never says that the documentation requires"):
        load_text(tmp_path, text)


def test_stray_files_are_refused(tmp_path: Path) -> None:
    load_text(tmp_path, TEXT)
    stray = tmp_path / "zones" / "notes.txt"
    stray.write_text("x")
    with pytest.raises(FileError, match=r"notes\.txt: is no rule file"):
        load_folder(tmp_path, builtin=False)
    stray.rename(tmp_path / "zones" / "ZONE-902.yml")
    with pytest.raises(FileError, match="is no rule file"):
        load_folder(tmp_path, builtin=False)
    (tmp_path / "zones" / "ZONE-902.yml").rename(tmp_path / "ZONE-902.txt")
    with pytest.raises(FileError, match="is no rule file"):
        load_folder(tmp_path, builtin=False)
    (tmp_path / "ZONE-902.txt").unlink()
    (tmp_path / "README.md").write_text("# Rules")
    (tmp_path / "frameworks").mkdir()
    (tmp_path / "frameworks" / "cis.yaml").write_text("x: 1")
    assert len(load_folder(tmp_path, builtin=False)) == 1


def test_a_folder_that_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auditor.engine.load.rules_folder", lambda: FOLDER)
    with pytest.raises(FileError, match="is not a folder"):
        load_rules([tmp_path / "none"])


def test_ids_are_used_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auditor.engine.load.rules_folder", lambda: FOLDER)
    (tmp_path / "ZONE-901.yaml").write_text(TEXT)
    with pytest.raises(FileError, match=r"ZONE-901\.yaml:1: the id ZONE-901 is already used in"):
        load_rules([tmp_path])
    (tmp_path / "ZONE-901.yaml").rename(tmp_path / "ZONE-999.yaml")
    text = TEXT.replace("id: ZONE-901", "id: ZONE-999\naliases: [ALLOW-902]")
    (tmp_path / "ZONE-999.yaml").write_text(text)
    with pytest.raises(FileError, match=r"ZONE-999\.yaml:2: the id ALLOW-902 is already used"):
        load_rules([tmp_path])
    (tmp_path / "ZONE-999.yaml").write_text(text.replace("ALLOW-902", "ALLOW-999"))
    rules = load_rules([tmp_path])
    assert [rule.id for rule in rules] == ["ALLOW-902", "CLB-903", "ZONE-901", "ZONE-999"]
    assert [rule.source for rule in rules][2:] == ["builtin", str(tmp_path / "ZONE-999.yaml")]
    check_ids(rules)


def _rules() -> list[Rule]:
    return load_folder(FOLDER, builtin=True)


def test_selection() -> None:
    from dataclasses import replace

    rules = _rules()
    old = replace(rules[0], id="CLB-001", aliases=("LB-001",), deprecated=True)
    rules = [*rules, old]

    def ids(select: list[str], exclude: list[str]) -> list[str]:
        return [rule.id for rule in select_rules(rules, select, exclude)]

    assert ids([], []) == ["CLB-903", "ALLOW-902", "ZONE-901"]
    assert ids(["ZONE"], []) == ["ZONE-901"]
    assert ids(["zones"], []) == ["ZONE-901"]
    assert ids(["ALLOW-902", "ZONE-901"], ["seed"]) == ["ALLOW-902"]
    assert ids(["CLB"], []) == ["CLB-903"]
    assert ids(["LB-001"], []) == ["CLB-001"]
    with pytest.raises(UsageError, match="no rule is selected"):
        ids(["ZONE"], ["ZONE-901"])
    with pytest.raises(UsageError, match="did you mean ZONE-901"):
        ids(["ZONE-91"], [])
    with pytest.raises(UsageError, match="--exclude 'nothing' names no rule"):
        ids([], ["nothing"])
