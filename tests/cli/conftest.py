"""A command line to run in this process, simulated clouds, and a clean environment."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from auditor.cli.main import run
from auditor.engine import Rule, load_rules
from auditor.simulator import Simulator
from auditor.simulator.faults import Fault
from auditor.simulator.scenarios import SCENARIOS
from auditor.simulator.world import World


@dataclass(frozen=True)
class Answer:
    """What one run did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Cloud:
    """A simulated cloud and the options that lead to it."""

    def __init__(self, simulator: Simulator, config: Path) -> None:
        self.simulator = simulator
        self.config = config
        self.profiles = simulator.write_config(config)
        self.options = ("--endpoint-url", simulator.url, "--config-path", str(config))

    @property
    def all(self) -> tuple[str, ...]:
        return (*self.options, "--profiles", ",".join(self.profiles))

    @property
    def secrets(self) -> list[str]:
        entries = json.loads(self.config.read_text(encoding="utf-8"))["profiles"]
        keys = ("access_key_id", "access_key_secret", "sts_token")
        return [entry[key] for entry in entries for key in keys if entry.get(key)]


@functools.cache
def _builtin_rules() -> tuple[Rule, ...]:
    return tuple(load_rules())


@pytest.fixture(autouse=True)
def _rules_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading the built-in rules takes half a second, and every test here needs them."""

    def read(folders: Sequence[Path] = (), **settings: bool) -> list[Rule]:
        return load_rules(folders, **settings) if folders or settings else list(_builtin_rules())

    monkeypatch.setattr("auditor.engine.load_rules", read)


@pytest.fixture(autouse=True)
def _clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [*os.environ]:
        if name.startswith(("PLAUDIT_", "ALIBABA", "ALICLOUD_")) or name in ("NO_COLOR", "FORCE_COLOR", "CI"):
            monkeypatch.delenv(name)
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PLAUDIT_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[2]))  # for runs in a process of their own


@pytest.fixture
def plaudit(capsysbinary: pytest.CaptureFixture[bytes]) -> Callable[..., Answer]:
    """Runs a command line in this process."""

    def call(*arguments: str | Path) -> Answer:
        capsysbinary.readouterr()
        code = run([str(argument) for argument in arguments])
        out, err = capsysbinary.readouterr()
        return Answer(code, out.decode("utf-8"), err.decode("utf-8"))

    return call


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Callable[..., Cloud]]:
    """Starts a simulated cloud by the name of its scenario, or around a world."""
    running: list[Simulator] = []

    def start(scenario: str | World = "tutorial", *, faults: Sequence[Fault] = (), latency: float = 0.0) -> Cloud:
        world = SCENARIOS[scenario]() if isinstance(scenario, str) else scenario
        simulator = Simulator(world, faults=faults, latency=latency)
        running.append(simulator.__enter__())
        return Cloud(simulator, tmp_path / f"config-{len(running)}.json")

    yield start
    for simulator in running:
        simulator.__exit__(None, None, None)
