"""A run as a process: signals, closed pipes, full disks, terminals."""

from __future__ import annotations

import contextlib
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from auditor.cli.terminal import Terminal
from auditor.inventory.archive import load_snapshot
from auditor.simulator.faults import Fault
from tests.cli.conftest import Cloud

Start = Callable[..., Cloud]
FAST = ("--select", "RES")


def _start(arguments: Sequence[str], **settings: object) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "auditor", *arguments]
    environment = {**os.environ, **settings.pop("env", {})}  # type: ignore[dict-item]
    settings = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "preexec_fn": _heeding, **settings}
    return subprocess.Popen(command, env=environment, **settings)  # type: ignore[call-overload,no-any-return]


def _heeding() -> None:
    """Tests that run in the background inherit that SIGINT is ignored; a user's terminal does not."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_keeps_what_it_has(cloud: Start, number: signal.Signals, code: int) -> None:
    running = cloud(faults=[Fault("slb:*", "timeout", seconds=20)])
    Path("r.json").write_text("before", encoding="utf-8")
    process = _start(["scan", *running.all, "--format", "json=r.json", "--save", "part.snapshot", "--timeout", "60"])
    requests = running.simulator.statistics.requests
    _until(lambda: any("slb:" in key[2] for key in list(requests)))
    began = time.monotonic()
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == code, err
    assert time.monotonic() - began < 10
    assert out == b""
    assert b"Traceback" not in err
    assert b"what was read until then is in part.snapshot" in err
    assert sorted(path.name for path in Path().iterdir()) == ["part.snapshot", "r.json"]
    assert Path("r.json").read_text(encoding="utf-8") == "before"
    part = load_snapshot("part.snapshot")
    assert len(part.accounts) == 2
    assert not part.coverage["complete"].all()
    assert "Plaudit.Interrupted" in set(part.coverage["error_code"])


def test_a_partial_snapshot_is_judged_as_one(cloud: Start) -> None:
    running = cloud(faults=[Fault("slb:*", "timeout", seconds=20)])
    process = _start(["collect", *running.all, "-o", "part.snapshot", "--timeout", "60"])
    requests = running.simulator.statistics.requests
    _until(lambda: any("slb:" in key[2] for key in list(requests)))
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 143
    process.communicate()
    judged = _start(["scan", "--from", "part.snapshot"])
    out, _ = judged.communicate(timeout=60)
    assert judged.returncode == 4, out


def test_simulate_says_how_to_scan_it() -> None:
    process = _start(["simulate", "broken"])
    assert process.stdout is not None
    lines = dict(process.stdout.readline().decode().rstrip("\n").split(":", 1) for _ in range(3))
    command = lines["scan"].split()
    assert command[:2] == ["plaudit", "scan"]
    assert lines["url"].strip() in command
    scan = _start([*command[1:], "-q", *FAST])
    scan.communicate(timeout=60)
    assert scan.returncode == 3
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130
    assert not Path(lines["config"].strip()).exists()


def test_a_reader_that_has_seen_enough(cloud: Start) -> None:
    running = cloud("broken")
    for arguments, code in ((["scan", *running.all, "--format", "json"], 3), (["--help"], 0), (["rules", "list"], 0)):
        reading, writing = os.pipe()
        os.close(reading)
        process = _start(arguments, stdout=writing)
        os.close(writing)
        _, err = process.communicate(timeout=60)
        assert process.returncode == code, err
        assert b"Traceback" not in err
        assert b"BrokenPipe" not in err


def test_a_full_disk_behind_standard_output(cloud: Start) -> None:
    running = cloud()
    with Path("/dev/full").open("wb") as full:
        process = _start(["scan", *running.all, *FAST], stdout=full)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 6, err
    assert b"not written: table to standard output (standard output: No space left on device)" in err
    assert b"Traceback" not in err


def test_no_standard_streams_at_all(cloud: Start) -> None:
    running = cloud()
    arguments = " ".join(["scan", *running.all, *FAST])
    process = subprocess.run(
        ["sh", "-c", f"exec {sys.executable} -m auditor {arguments} >&- 2>&-"],
        check=False,
    )
    assert process.returncode == 6


@pytest.mark.parametrize("locale", [{"LC_ALL": "C"}, {"PYTHONIOENCODING": "ascii"}, {"PYTHONIOENCODING": "latin-1"}])
def test_any_locale(cloud: Start, locale: dict[str, str]) -> None:
    process = _start(["scan", *cloud("hostile-names").all, "--format", "json"], env=locale)
    out, err = process.communicate(timeout=60)
    assert process.returncode in (0, 3, 4), err
    out.decode("utf-8")


def _in_a_terminal(arguments: Sequence[str], **environment: str) -> tuple[int, str]:
    """Runs with standard error and output on a terminal of 100 columns; returns the code and what was shown."""
    master, slave = pty.openpty()
    process = _start(arguments, stdout=slave, stderr=slave, env={"TERM": "xterm", "COLUMNS": "100", **environment})
    os.close(slave)
    shown = b""
    with contextlib.suppress(OSError):
        while chunk := os.read(master, 65536):
            shown += chunk
    os.close(master)
    return process.wait(timeout=60), shown.decode("utf-8", "replace")


def test_progress_and_colours_only_where_somebody_watches(cloud: Start) -> None:
    running = cloud("broken", latency=0.02)
    code, shown = _in_a_terminal(["scan", *running.all, *FAST])
    assert code == 3
    assert "6543210987654321" in shown
    assert "\x1b[1;31m" in shown
    assert "\x1b[?25l" in shown  # the cursor is hidden while bars are drawn
    code, shown = _in_a_terminal(["scan", *running.all, *FAST, "--color", "never"], CI="1")
    assert code == 3
    assert "\x1b" not in shown


@pytest.mark.parametrize(
    ("watched", "environment", "bars", "paint"),
    [
        (True, {}, True, True),
        (True, {"NO_COLOR": "1"}, True, False),
        (True, {"TERM": "dumb"}, False, False),
        (True, {"CI": "true"}, False, True),
        (False, {}, False, False),
    ],
)
def test_who_watches(
    watched: bool, environment: dict[str, str], bars: bool, paint: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("auditor.cli.terminal._is_terminal", lambda _stream: watched)
    terminal = Terminal()
    assert (terminal.shows_progress, terminal.paints) == (bars, paint)
    terminal.color = "always"
    assert terminal.paints
    terminal.color = "never"
    assert not terminal.paints
    for setting in ("quiet", "progress"):
        terminal = Terminal()
        setattr(terminal, setting, setting == "quiet")
        assert not terminal.shows_progress
