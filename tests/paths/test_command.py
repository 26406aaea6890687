"""`plaudit paths`: chains for people, the array for programs, exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from auditor.cli.main import run
from auditor.inventory.archive import write_snapshot
from auditor.reporters import paths as chains
from auditor.reporters.text import width
from tests.hostile import HOSTILE
from tests.paths.deployment import CONSUMER, Rows, broken, declared, deployment, follow, snapshot
from tests.paths.faults import FAULTS

Saved = Any


@pytest.fixture
def saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Saved:
    """Writes rows as a snapshot; returns the arguments that name it."""
    monkeypatch.setenv("PLAUDIT_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)

    def save(rows: Rows, **options: Any) -> list[str]:
        path = tmp_path / "saved.snapshot"
        write_snapshot(snapshot(rows, **options), path)
        return ["--from", str(path)]

    return save


def test_reachable(saved: Saved, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["paths", *saved(deployment())]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith("ep-1  eu-central-1a  tcp/80") and out[0].endswith("REACHABLE")
    assert out[-1] == "1 path: 1 reachable, 0 blocked, 0 unknown"


def test_blocked(saved: Saved, capsys: pytest.CaptureFixture[str]) -> None:
    rows = broken(FAULTS["no-rule"].plant, FAULTS["unhealthy"].plant)
    assert run(["paths", *saved(rows)]) == 3
    captured = capsys.readouterr()
    assert "BLOCKED" in captured.out
    lines = " ".join(captured.out.split())
    assert f"✗ security groups sg-e SG-001, consumer {CONSUMER}: cuts off 10.0.0.0/16" in lines
    assert "BE-003, provider 2000000000000002" in lines
    assert max(map(width, captured.out.splitlines())) <= 80
    assert "exit 3: 1 of 1 paths are blocked" in captured.err


def test_unknown(saved: Saved, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["paths", *saved(deployment(), audited=[CONSUMER])]) == 4
    captured = capsys.readouterr()
    assert "port not known" in captured.out
    assert "no profile of the account that owns epsrv-1 was given" in " ".join(captured.out.split())
    assert "exit 4" in captured.err


def test_nothing_to_judge(saved: Saved) -> None:
    assert run(["paths", *saved({"accounts": deployment()["accounts"]})]) == 4


def test_one_endpoint(saved: Saved, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = saved(deployment())
    assert run(["paths", "ep-1", *arguments]) == 0
    out = capsys.readouterr().out
    assert all(label in out for label in chains.LABELS.values())
    assert run(["paths", "ep-2", *arguments]) == 4
    assert "ep-2: no interface endpoint of this name" in capsys.readouterr().err


def test_json(saved: Saved, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "paths.json"
    assert run(["paths", "--format", "json", "--output", str(target), *saved(deployment())]) == 0
    assert capsys.readouterr().out == ""
    (path,) = json.loads(target.read_text("utf-8"))
    assert list(path)[:9] == [
        "endpoint_id", "service_id", "region_id", "consumer_account_id", "provider_account_id", "protocol", "port",
        "verdict", "hops",
    ]  # fmt: skip
    assert all(list(hop) == ["kind", "id", "account_id", "verdict", "rule_ids", "detail"] for hop in path["hops"])


def test_scan_reports_paths(saved: Saved, capsys: pytest.CaptureFixture[str]) -> None:
    run(["scan", "--format", "json", *saved(broken(FAULTS["weights"].plant))])
    report = json.loads(capsys.readouterr().out)
    assert [path["verdict"] for path in report["paths"]] == ["blocked"]
    named = {
        rule
        for path in report["paths"]
        for hop in path["hops"]
        for rule in hop["rule_ids"]
        if hop["verdict"] == "blocked"
    }
    assert "BE-002" in named & {finding["rule_id"] for finding in report["findings"]}


def test_output_that_cannot_be_written(saved: Saved, tmp_path: Path) -> None:
    assert run(["paths", "--output", str(tmp_path / "none" / "file"), *saved(deployment())]) == 2


def test_cloud_options_beside_a_snapshot(saved: Saved) -> None:
    assert run(["paths", "--profiles", "a", *saved(deployment())]) == 2


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("signs", [chains.UNICODE, chains.ASCII])
def test_hostile_ids_are_inert(text: str, signs: chains.Signs) -> None:
    rows = deployment()
    for table in ("endpoint_security_groups", "eni_security_groups"):
        rows[table][0]["security_group_id"] = text
    shown = chains.render(follow(rows), columns=80, color=False, signs=signs, every_hop=True)
    assert max(map(width, shown.splitlines())) <= 80
    assert all(char == "\n" or char.isprintable() for char in shown)
    if signs is chains.ASCII and text.isascii():
        assert shown.isascii()


@pytest.mark.parametrize("columns", [20, 40, 79, 200])
def test_width(columns: int) -> None:
    (path,) = follow(broken(FAULTS["no-group"].plant, FAULTS["disconnected"].plant), declared("10.0.1.0/24"))
    shown = chains.render([path], columns=columns, color=False, signs=chains.UNICODE, every_hop=False)
    assert max(map(width, shown.splitlines())) <= min(max(columns, 50), 80)
