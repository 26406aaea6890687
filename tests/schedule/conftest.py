"""Where the examples are, programs that may be missing, and a clean environment with a simulated cloud."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from auditor.simulator import Simulator
from auditor.simulator.faults import Fault
from auditor.simulator.scenarios import SCENARIOS

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "docs" / "examples"


@pytest.fixture
def program() -> Callable[..., str]:
    """The path of a program; without it the test is left out, but not where everything has to be there."""

    def find(name: str) -> str:
        found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
        if found is None:
            if os.environ.get("PLAUDIT_REQUIRE_ALL"):
                pytest.fail(f"{name} is not installed")
            pytest.skip(f"{name} is not installed")
        return found

    return find


@pytest.fixture
def clean(tmp_path: Path) -> dict[str, str]:
    """An environment for a process of its own."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PLAUDIT_", "ALIBABA", "ALICLOUD_", "GITHUB_", "INPUT_", "PIP_", "CI_"))
    }
    return {
        **kept,
        "HOME": str(tmp_path),
        "PLAUDIT_STATE_DIR": str(tmp_path / "state"),
        "PYTHONPATH": str(ROOT),
    }


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Callable[..., tuple[Simulator, Path, list[str]]]]:
    """Starts a simulated cloud; returns it with its file of profiles and their names."""
    running: list[Simulator] = []

    def start(scenario: str, *faults: Fault) -> tuple[Simulator, Path, list[str]]:
        simulator = Simulator(SCENARIOS[scenario](), faults=list(faults))
        running.append(simulator.__enter__())
        path = tmp_path / "config.json"
        return simulator, path, simulator.write_config(path)

    yield start
    for simulator in running:
        simulator.__exit__(None, None, None)
