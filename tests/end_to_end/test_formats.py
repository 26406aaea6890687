"""Every scenario in every format in one run of the command: schemas, numbers, ids, and ids that never change."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from auditor.cli.main import run
from auditor.engine import Rule, judge, load_rules, select_rules
from auditor.findings import finding_id
from auditor.inventory.archive import write_snapshot
from auditor.inventory.snapshot import Snapshot
from auditor.simulator import Simulator
from auditor.simulator.scenarios import SCENARIOS
from auditor.spec import Spec
from tests.end_to_end.deployment import take
from tests.reporters.formats.schemas import check, check_junit

FILES = {
    "json": "r.json", "ndjson": "r.ndjson", "ocsf": "r.ocsf", "ecs": "r.ecs", "sarif": "r.sarif", "junit": "r.xml",
    "codequality": "r.cq", "csv": "r.csv", "markdown": "r.md", "github": "r.gh", "prometheus": "r.prom",
    "html": "r.html", "table": "r.txt",
}  # fmt: skip
_ID = re.compile("plf1-[0-9a-f]{32}")


@cache
def documents(name: str) -> dict[str, str]:
    """Everything one `plaudit scan` of a scenario writes."""
    with tempfile.TemporaryDirectory() as folder, Simulator(SCENARIOS[name]()) as simulator:
        config = Path(folder) / "config.json"
        profiles = ",".join(simulator.write_config(config))
        formats = [word for form, file in FILES.items() for word in ("--format", f"{form}={folder}/{file}")]
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PLAUDIT_STATE_DIR", f"{folder}/state")
            patch.chdir(folder)
            code = run(["scan", "--endpoint-url", simulator.url, "--config-path", str(config), "--profiles", profiles,
                        "--no-progress", "-q", *formats])  # fmt: skip
        found = {form: (Path(folder) / file).read_text(encoding="utf-8") for form, file in FILES.items()}
        assert json.loads(found["json"])["summary"]["exit"]["code"] == code
        return found


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_document_of_every_scenario_is_valid(name: str) -> None:
    found = documents(name)
    schema = json.loads((Path(__file__).resolve().parents[2] / "docs" / "report.schema.json").read_text())
    import jsonschema

    jsonschema.validators.validator_for(schema)(schema).validate(json.loads(found["json"]))
    for line in found["ocsf"].splitlines():
        event = json.loads(line)
        if event["class_uid"] == 2003:
            check("ocsf-1.8.0-compliance_finding.schema.json", event)
        assert len(line) <= 8_000
    for line in found["ecs"].splitlines():
        if '"finding"' in line:
            check("ecs-9.4-finding.schema.json", json.loads(line))
    for schema_name in ("sarif-schema-2.1.0.json", "github-code-scanning.schema.json"):
        check(schema_name, json.loads(found["sarif"]))
    check("gitlab-codequality.schema.json", json.loads(found["codequality"]))
    check_junit(found["junit"])


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_format_of_every_scenario_counts_the_same(name: str) -> None:
    found = documents(name)
    report = json.loads(found["json"])
    counts = {key: report["summary"][key] for key in ("pass", "fail", "unknown", "not_applicable", "waived")}
    listed = {item["id"]: item for item in report["findings"]}
    assert len(listed) == len(report["findings"]), "two findings share an id"
    outcomes = Counter(item["outcome"] for item in listed.values())
    assert (outcomes["fail"], outcomes["unknown"]) == (counts["fail"], counts["unknown"])
    failed = {key for key, item in listed.items() if item["outcome"] == "fail"}

    for form, path in (("ocsf", ("finding_info", "uid")), ("ecs", ("plaudit", "finding", "id")), ("ndjson", ("id",))):
        ids = [_at(json.loads(line), path) for line in found[form].splitlines()]
        assert sorted(key for key in ids if key) == sorted(listed), form
    last = json.loads(found["ocsf"].splitlines()[-1])
    assert (last["num_detections"], last["total"]) == (counts["fail"], sum(counts.values()))
    run_ = json.loads(found["sarif"])["runs"][0]
    assert {result["fingerprints"]["plauditFinding/v1"] for result in run_["results"]} == failed
    assert {row["fingerprint"] for row in json.loads(found["codequality"])} == failed
    root = ElementTree.fromstring(found["junit"])
    red = {key for key in failed if listed[key]["severity"] != "info"}
    assert (int(root.attrib["failures"]), int(root.attrib["errors"])) == (len(red), counts["unknown"])
    assert red <= set(_ID.findall(found["junit"]))
    assert set(_ID.findall(found["csv"])) == set(listed)
    assert f"{counts['fail']} failed, {counts['unknown']} unknown" in found["github"]
    samples = Counter[str]()
    for outcome, number in re.findall(r'outcome="([a-z_]+)"} (\d+)', found["prometheus"]):
        samples[outcome] += int(number)
    assert samples == Counter(counts)


def _at(document: Any, path: tuple[str, ...]) -> str:
    for key in path:
        document = document.get(key) if isinstance(document, dict) else None
    return str(document or "")


# --------------------------------------------------------------------------------------------------------------- ids


@cache
def _snapshot() -> Snapshot:
    return take(SCENARIOS["broken"]())


@cache
def _rules(*chosen: str) -> list[Rule]:
    return select_rules(load_rules(), list(chosen), [])


def _ids(snapshot: Snapshot, *chosen: str) -> list[tuple[str, str]]:
    rules = _rules(*chosen)
    return sorted((f.id, f.outcome.value) for f in judge(snapshot, rules, Spec()))


def _renamed(snapshot: Snapshot) -> Snapshot:
    """Every name and description a tenant can change, changed."""
    tables = {}
    for name, table in snapshot.tables.items():
        table = table.copy()
        for column in table.columns:
            if column == "name" or (column.endswith(("_name", "description")) and column != "service_name"):
                table[column] = table[column].map(lambda text: f"no longer {text}", na_action="ignore")
        tables[name] = table
    return dataclasses.replace(snapshot, tables=tables)


def _turned(snapshot: Snapshot) -> Snapshot:
    """Every list the other way round, as pages in another order would give it."""
    tables = {name: table.iloc[::-1].reset_index(drop=True) for name, table in snapshot.tables.items()}
    return dataclasses.replace(snapshot, tables=tables, coverage=snapshot.coverage.iloc[::-1].reset_index(drop=True))


def _other_profiles(snapshot: Snapshot) -> Snapshot:
    coverage = snapshot.coverage.copy()
    coverage["profile"] = coverage["profile"].map(lambda name: f"{name}-2", na_action="ignore")
    accounts = [{**account, "profile": f"{account['profile']}-2"} for account in snapshot.meta["accounts"]]
    return dataclasses.replace(snapshot, coverage=coverage, meta={**snapshot.meta, "accounts": accounts})


def test_names_profiles_and_order_change_no_id() -> None:
    before = _ids(_snapshot())
    assert len(before) > 100
    assert _ids(_renamed(_turned(_other_profiles(_snapshot())))) == before


def test_rescans_give_no_new_id() -> None:
    chosen = ("ZONE-001", "CONN-001")
    first = _ids(_snapshot(), *chosen)
    for _ in range(10):
        assert _ids(_snapshot(), *chosen) == first


@pytest.mark.slow
def test_a_hundred_rescans_of_every_rule() -> None:
    first = _ids(_snapshot())
    for number in range(100):
        again = _turned(_snapshot()) if number % 2 else _snapshot()
        assert _ids(again) == first


@pytest.mark.parametrize("language", ["zh_CN.UTF-8", "C"])
def test_the_language_of_the_machine_changes_no_id(language: str, tmp_path: Path) -> None:
    """In a process of its own, with what a machine of that language sets."""
    write_snapshot(_snapshot(), tmp_path / "s.snapshot")
    environment = {"PATH": os.environ["PATH"], "PLAUDIT_STATE_DIR": str(tmp_path / "state"), "HOME": str(tmp_path)}
    environment |= dict.fromkeys(("LANG", "LC_ALL", "LANGUAGE"), language)
    environment |= {"PYTHONPATH": str(Path(__file__).resolve().parents[2]), "TZ": "Asia/Shanghai"}
    command = [sys.executable, "-m", "auditor", "scan", "--from", "s.snapshot", "--select", "ZONE-001,CONN-001", "-q",
               "--format", "json", "--all-outcomes", "--no-history"]  # fmt: skip
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=False)
    found = json.loads(done.stdout)["findings"]
    assert sorted((item["id"], item["outcome"]) for item in found) == _ids(_snapshot(), "ZONE-001", "CONN-001")


def test_ids_are_one_each_over_ten_thousand() -> None:
    ids = {
        finding_id(rule, account, region, f"ep-{number:05d}", part)
        for rule in ("ZONE-001", "CONN-001")
        for account in ("1234567890123456", "6543210987654321")
        for region in ("eu-central-1", "cn-hangzhou")
        for number in range(700)
        for part in ("", "tcp:80")
    }
    assert len(ids) == 2 * 2 * 2 * 700 * 2 > 10_000
