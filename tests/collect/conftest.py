"""Fixtures of the collector's tests: a clock that does not wait, and scans of the simulated cloud."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from auditor.collect.accounts import load_profiles
from auditor.collect.budget import Clock
from auditor.collect.crawl import collect
from auditor.inventory.snapshot import Snapshot
from auditor.simulator import Simulator


class FakeTime:
    """Time that passes only when somebody sleeps."""

    def __init__(self, now: float = 30.0) -> None:
        self.now = now
        self.slept: list[float] = []
        self._lock = threading.Lock()

    def sleep(self, seconds: float, _stop: threading.Event) -> None:
        with self._lock:
            self.slept.append(seconds)
            self.now += seconds

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self.now, lambda: self.now, lambda: 0.5, self.sleep)


@pytest.fixture
def fake_time() -> FakeTime:
    return FakeTime()


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name in ("DEBUG", "ALIBABACLOUD_PROFILE", "ALIBABA_CLOUD_PROFILE", "ALICLOUD_PROFILE"):
        monkeypatch.delenv(name, raising=False)


Scan = Callable[..., Snapshot]


@pytest.fixture
def scan(tmp_path: Path) -> Scan:
    """Collect all accounts of a running simulator (or the profiles named) with a clock that does not wait."""

    def run(sim: Simulator, names: list[str] | None = None, **options: Any) -> Snapshot:
        path = tmp_path / "config.json"
        written = sim.write_config(path)
        options.setdefault("clock", FakeTime().clock)
        options.setdefault("timeout", 5.0)
        return collect(load_profiles(path, names or written), endpoint_url=sim.url, **options)

    return run
