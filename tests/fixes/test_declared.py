"""Findings of the DRIFT rules: the way back to what a state declares, tried on a simulated cloud."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from auditor.inventory.archive import write_snapshot
from auditor.simulator.scenarios import SCENARIOS
from auditor.simulator.world import World
from tests.cli.conftest import Answer
from tests.drift.rendering import state
from tests.end_to_end.deployment import take
from tests.fixes.console import Console

Plaudit = Callable[..., Answer]


@pytest.fixture
def drifted(tmp_path: Path) -> World:
    """The tutorial after somebody has worked on it by hand; its state is beside it."""
    world = SCENARIOS["tutorial"]()
    (tmp_path / "terraform.tfstate").write_text(state(world), encoding="utf-8")
    (service,) = world.services.values()
    (endpoint,) = world.endpoints.values()
    service.users.append("9999999999999999")
    service.auto_accept = True
    service.connect_bandwidth = 200
    endpoint.bandwidth = 500
    next(iter(world.clbs.values())).delete_protection = "off"
    endpoint.name = "renamed by hand"
    write_snapshot(take(world), tmp_path / "s")
    return world


def _fix(plaudit: Plaudit, folder: Path, *words: str) -> Answer:
    return plaudit(
        "fix", *words, "--terraform", str(folder / "terraform.tfstate"), "--from", str(folder / "s"), "--format", "json"
    )


def _failing(plaudit: Plaudit, folder: Path, name: str) -> set[tuple[str, str]]:
    answer = plaudit(
        "drift", "--terraform", str(folder / "terraform.tfstate"), str(folder / name), "--format", "ndjson"
    )
    lines = [json.loads(line) for line in answer.out.splitlines()]
    return {
        (line["rule_id"], line["resource"]["id"])
        for line in lines
        if line.get("rule_id", "").startswith("DRIFT") and line.get("outcome") == "fail"
    }


def test_the_way_back_to_the_declaration_comes_true(plaudit: Plaudit, tmp_path: Path, drifted: World) -> None:
    before = _failing(plaudit, tmp_path, "s")
    answer = _fix(plaudit, tmp_path, "DRIFT-001", "DRIFT-003", "--what-if")
    body = json.loads(answer.out)
    kinds = {item["resource"]["id"]: item["kind"] for item in body["fixes"]}
    (service,), (endpoint,) = drifted.services, drifted.endpoints
    assert kinds[service] == kinds[f"{service}:9999999999999999"] == "automatic"
    assert kinds[endpoint] == "choice"  # a name is nobody's command
    assert answer.code == 4
    console = Console(drifted)
    for command in body["commands"]:
        console.run(command["command"], command["account_id"])
    write_snapshot(take(drifted), tmp_path / "after")
    closed = {
        (item["rule_id"], item["resource"]["id"])
        for item in body["what_if"]["closes"]
        if item["rule_id"].startswith("DRIFT")
    }
    assert len(closed) >= 4
    assert _failing(plaudit, tmp_path, "after") == before - closed
    assert body["what_if"]["opens"] == body["what_if"]["stays"] == []


def test_without_states_there_are_no_drift_findings(plaudit: Plaudit, tmp_path: Path, drifted: World) -> None:
    assert drifted
    answer = plaudit("fix", "DRIFT-001", "--from", str(tmp_path / "s"))
    assert answer.code == 2
