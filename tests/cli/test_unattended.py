"""Runs nobody watches: silent when all is well, ended by the deadline, never two at once."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from auditor.simulator.faults import Fault
from tests.cli.conftest import Answer, Cloud

Run = Callable[..., Answer]
Start = Callable[..., Cloud]
FAST = ("--select", "RES")


def _start(*arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "auditor", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def _until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


# ---------------------------------------------------------------------------------------------------------- silence


def test_silent_when_all_is_well(cloud: Start) -> None:
    running = cloud()
    running.config.chmod(0o644)  # worth a warning, but not one a night
    process = _start(
        "scan", *running.all, "--profiles", "provider", *FAST, "-q", "--format", "json=r-{date}.json",
        "--format", "prometheus=plaudit.prom", "--save", "s.snapshot", "--keep-reports", "7",
    )  # fmt: skip
    assert process.communicate(timeout=60) == (b"", b"")
    assert process.returncode == 0


def test_what_was_held_back_is_said_when_a_run_ends_badly(plaudit: Run, cloud: Start) -> None:
    running = cloud("broken")
    running.config.chmod(0o644)
    answer = plaudit("scan", *running.all, *FAST, "-q", "--format", "json=r.json")
    assert answer.code == 3
    assert answer.out == ""
    first, *rest = answer.err.splitlines()
    assert first.startswith("exit 3: ")
    assert any("can be read by others" in line for line in rest)


def test_an_unknown_that_was_let_through_is_no_mail(plaudit: Run, cloud: Start) -> None:
    running = cloud(faults=[Fault("slb:DescribeLoadBalancers", "forbidden")])
    command = ("scan", *running.all, *FAST, "--allow-unknown", "--format", "markdown=r.md")
    loud = plaudit(*command)
    assert loud.code == 0
    assert "let through by --allow-unknown" in loud.err
    quiet = plaudit(*command, "-q")
    assert (quiet.code, quiet.out, quiet.err) == (0, "", "")
    assert "let through" in Path("r.md").read_text(encoding="utf-8")


# --------------------------------------------------------------------------------------------------------- deadline


def test_at_the_deadline_the_rest_is_unknown_with_a_reason(cloud: Start) -> None:
    running = cloud(latency=0.4)
    process = _start("scan", *running.all, "-q", "--deadline", "2", "--timeout", "60", "--format", "json=r.json")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 4, err
    report = json.loads(Path("r.json").read_text(encoding="utf-8"))
    codes = {read["error_code"] for read in report["coverage"]["reads"]}
    assert codes <= {"Plaudit.Deadline", "Plaudit.ParentUnread"}
    assert "Plaudit.Deadline" in codes
    unknown = [finding for finding in report["findings"] if finding["outcome"] == "unknown"]
    assert unknown
    assert all(finding["reason"] for finding in unknown)
    assert report["summary"]["pass"], "what was read by then is judged"


def test_no_thread_keeps_a_run_alive_after_its_deadline(cloud: Start) -> None:
    running = cloud(faults=[Fault("slb:*", "timeout", seconds=120)])
    requests = running.simulator.statistics.requests
    process = _start(
        "scan", *running.all, *FAST, "-q", "--deadline", "3", "--timeout", "100", "--format", "json=r.json"
    )
    _until(lambda: any("slb:" in key[2] for key in list(requests)))
    asked = time.monotonic()
    _, err = process.communicate(timeout=60)
    assert process.returncode == 4, err
    # Three seconds, and what judging takes on a busy machine; the silent calls would go on for two minutes.
    assert time.monotonic() - asked < 20


# ------------------------------------------------------------------------------------------------------- two at once


def test_two_at_once_under_a_schedule(cloud: Start) -> None:
    running = cloud(faults=[Fault("slb:*", "slow", seconds=3)])
    requests = running.simulator.statistics.requests
    command = ("scan", *running.all, *FAST, "-q", "--format", "json=r.json")
    first = _start(*command)
    _until(lambda: any("slb:" in key[2] for key in list(requests)))
    second, patient = _start(*command), _start(*command, "--lock-wait", "1m")
    out, err = second.communicate(timeout=60)
    assert (second.returncode, out) == (75, b"")
    assert b"another run holds" in err
    assert first.communicate(timeout=60) == (b"", b"")
    assert patient.communicate(timeout=60) == (b"", b"")
    assert (first.returncode, patient.returncode) == (0, 0)
    history = _start("history", "--format", "json")
    runs = json.loads(history.communicate(timeout=60)[0])["runs"]
    assert len(runs) == 2, "both are in the history, one after the other"


# ------------------------------------------------------------------------------------------------------- prometheus


@pytest.fixture
def promtool() -> str:
    found = shutil.which("promtool")
    if found is None:
        if os.environ.get("PLAUDIT_REQUIRE_ALL"):
            pytest.fail("promtool is not installed")
        pytest.skip("promtool is not installed")
    return found


@pytest.mark.parametrize("scenario", ["tutorial", "broken", "hostile-names"])
def test_promtool_takes_the_metrics(plaudit: Run, cloud: Start, promtool: str, scenario: str) -> None:
    answer = plaudit("scan", *cloud(scenario).all, *FAST, "-q", "--format", "prometheus=plaudit.prom")
    assert answer.code in (0, 3, 4)
    content = Path("plaudit.prom").read_bytes()
    done = subprocess.run([promtool, "check", "metrics"], input=content, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_the_metrics_can_be_read_by_node_exporter(plaudit: Run, cloud: Start) -> None:
    before = os.umask(0o077)
    try:
        plaudit("scan", *cloud().all, *FAST, "-q", "--format", "prometheus=plaudit.prom", "--format", "json=r.json")
    finally:
        os.umask(before)
    assert stat.S_IMODE(Path("plaudit.prom").stat().st_mode) == 0o644
    assert stat.S_IMODE(Path("r.json").stat().st_mode) == 0o600


def test_the_last_success_is_remembered_over_a_run_that_could_not_judge(plaudit: Run, cloud: Start) -> None:
    def metric(name: str) -> float:
        lines = Path("plaudit.prom").read_text(encoding="utf-8").splitlines()
        (value,) = [line.split()[1] for line in lines if line.startswith(f"plaudit_{name} ")]
        return float(value)

    options = (*FAST, "-q", "--format", "prometheus=plaudit.prom")
    assert plaudit("scan", *cloud("broken").all, *options).code == 3
    success = metric("last_success_timestamp_seconds")
    assert success == metric("last_run_timestamp_seconds")
    time.sleep(1.1)  # the times of a scan are whole seconds
    denied = cloud(faults=[Fault("slb:DescribeLoadBalancers", "forbidden")])
    assert plaudit("scan", *denied.all, *options).code == 4
    assert metric("last_success_timestamp_seconds") == success < metric("last_run_timestamp_seconds")
    assert metric("coverage_percent") < 100
