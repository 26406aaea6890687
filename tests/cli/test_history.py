"""History of scans from the command line: what is new, the lock, and runs that are killed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import filelock
import pytest

from auditor.cli import state
from auditor.history import Ledger
from auditor.inventory.archive import load_snapshot
from tests.cli.conftest import Answer, Cloud

Plaudit = Callable[..., Answer]
Start = Callable[..., Cloud]

FEW = ("--select", "CLB,ALLOW", "--regions", "eu-central-1", "--fail-on", "info")


def _clb(running: Cloud) -> object:
    return next(iter(running.simulator.world.clbs.values()))


def test_first_seen_new_and_trend(plaudit: Plaudit, cloud: Start) -> None:
    running = cloud()
    scan = ("scan", *running.all, *FEW, "--format", "json")
    assert plaudit("history").code == 2  # nothing yet
    assert plaudit(*scan).json["findings"] == []
    _clb(running).delete_protection = "off"  # type: ignore[attr-defined]
    (first,) = plaudit(*scan).json["findings"]
    assert first["is_new"] is True
    time.sleep(1.1)
    again = plaudit(*scan)
    (second,) = again.json["findings"]
    assert again.code == 3  # known to the history is not accepted
    assert (second["is_new"], second["first_seen"]) == (False, first["first_seen"])
    document = plaudit("history", "--format", "json").json
    assert [run["fail"] for run in document["runs"]] == [0, 1, 1]
    assert [run["opened"] for run in document["runs"]] == [0, 1, 0]
    assert document["new"] == []
    show = plaudit("history", "show", document["runs"][1]["id"][:8], "--format", "json").json
    assert [entry["id"] for entry in show["opened_findings"]] == [first["id"]]
    assert plaudit("history", "show", "last").code == 0
    assert plaudit("history", "show", "nothing-like-it").code == 2
    assert plaudit("history", "vacuum").code == 0
    page = plaudit("scan", *running.all, *FEW, "--format", "html").out
    assert '<svg class="trend"' in page
    assert "over 4 scans" in page


def test_no_history_and_a_scan_that_was_recorded_before(plaudit: Plaudit, cloud: Start) -> None:
    running = cloud()
    assert plaudit("scan", *running.all, *FEW, "--no-history", "--save", "a.snapshot").code == 0
    assert plaudit("history").code == 2
    assert plaudit("scan", "--from", "a.snapshot", "--select", "CLB").code == 0
    again = plaudit("scan", "--from", "a.snapshot", "--select", "CLB")
    assert "in the history already" in again.err
    assert len(plaudit("history", "--format", "json").json["runs"]) == 1


def test_a_damaged_history_does_not_stop_a_scan(plaudit: Plaudit, cloud: Start) -> None:
    running = cloud()
    folder = Path(os.environ["PLAUDIT_STATE_DIR"])
    folder.mkdir(parents=True)
    (folder / state.HISTORY).write_bytes(b"no database" * 100)
    answer = plaudit("scan", *running.all, *FEW)
    assert answer.code == 0
    assert "not in the history" in answer.err
    assert plaudit("history").code == 2


def test_a_second_run_exits_75_or_waits(plaudit: Plaudit, cloud: Start) -> None:
    running = cloud()
    with state.locked() as folder:
        assert folder is not None
        refused = plaudit("scan", *running.all, *FEW)
        assert refused.code == 75
        assert f"process {os.getpid()} on " in refused.err
        assert " since 20" in refused.err
        began = time.monotonic()
        assert plaudit("scan", *running.all, *FEW, "--lock-wait", "0.3s").code == 75
        assert time.monotonic() - began >= 0.3
    lock = filelock.FileLock(folder / "plaudit.lock", thread_local=False)
    lock.acquire()
    import threading

    timer = threading.Timer(0.5, lock.release)
    timer.start()
    waited = plaudit("scan", *running.all, *FEW, "--lock-wait", "1m")
    timer.join()
    assert waited.code == 0
    assert "waiting up to 60 s" in waited.err


def test_killed_at_any_moment_the_files_are_readable_and_the_next_run_goes_on(plaudit: Plaudit, cloud: Start) -> None:
    running = cloud()
    folder = Path(os.environ["PLAUDIT_STATE_DIR"])
    assert plaudit("scan", *running.all, *FEW, "--format", "json=r.json").code == 0
    chance = random.Random(7)
    command = [sys.executable, "-m", "auditor", "scan", *running.all, *FEW, "--format", "json=r.json"]
    killed = 0
    for _attempt in range(6):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(timeout=chance.uniform(0.3, 2.5))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            killed += 1
        with Ledger(folder / state.HISTORY) as ledger:
            assert all(run.exit_code == 0 for run in ledger.runs())
        assert len(load_snapshot(folder / state.LAST_SCAN).accounts) == 2
        assert Path("r.json").read_text(encoding="utf-8").endswith("}\n")
    assert killed
    assert plaudit("scan", *running.all, *FEW).code == 0
    assert plaudit("history").code == 0


def test_options_in_the_specification(plaudit: Plaudit, cloud: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    running = cloud()
    Path("plaudit.yaml").write_text("options:\n  no-history: true\n  lock-wait: 1s\n", encoding="utf-8")
    assert plaudit("scan", *running.all, *FEW).code == 0
    assert plaudit("history").code == 2
    monkeypatch.setenv("PLAUDIT_BASELINE", "none.txt")
    assert plaudit("scan", *running.all, *FEW).code == 2
