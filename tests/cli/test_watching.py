"""What somebody sees who sits at a terminal of eighty columns, and what a pipe gets instead."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Sequence

import pytest

from auditor.reporters.text import width
from tests.cli.conftest import Cloud

Start = Callable[..., Cloud]

CONSUMER, PROVIDER = "1234567890123456", "6543210987654321"

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
LINK = re.compile(r"\x1b\]8;;[^\x1b]*\x1b\\")


def at_a_terminal(arguments: Sequence[str], *, together: bool = False, **environment: str) -> tuple[int, str, str]:
    """Runs with standard output on a terminal of 80 by 50; with `together` standard error too, else it is a pipe."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 80, 0, 0))
    inherited = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    process = subprocess.Popen(
        [sys.executable, "-m", "auditor", *arguments],
        stdout=slave,
        stderr=slave if together else subprocess.PIPE,
        env={**inherited, "TERM": "xterm-256color", **environment},
    )
    os.close(slave)
    shown = b""
    with contextlib.suppress(OSError):
        while chunk := os.read(master, 65536):
            shown += chunk
    os.close(master)
    _, err = process.communicate(timeout=60)
    return process.returncode, shown.decode("utf-8", "replace").replace("\r\n", "\n"), (err or b"").decode()


@pytest.mark.parametrize("scenario", ["broken", "hostile-names"])
def test_eighty_columns_are_enough(cloud: Start, scenario: str) -> None:
    _, shown, _ = at_a_terminal(["scan", *cloud(scenario).all, "--all-outcomes", "--select", "BE,ZONE,LSN,CONN"])
    lines = [LINK.sub("", COLOUR.sub("", line)) for line in shown.splitlines()]
    assert len(lines) > 60
    assert [line for line in lines if width(line) > 80] == []
    assert max(width(line) for line in lines) == 80  # and they are used
    assert "\x1b" not in "".join(lines)


def test_colours_say_what_words_say_too_and_links_lead_somewhere(cloud: Start) -> None:
    code, shown, err = at_a_terminal(["scan", *cloud("broken").all, "--select", "ZONE,BE"])
    assert code == 3
    assert "\x1b[1;31mBROKEN\x1b[0m" in shown
    assert "\x1b[1;31mCRITICAL" in shown
    assert re.search(r"\x1b\]8;;https://www\.alibabacloud\.com/[!-~]+\x1b\\ZONE-001\x1b\]8;;\x1b\\", shown)
    assert "\x1b" not in err  # a pipe


def test_no_color_is_honoured(cloud: Start) -> None:
    for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        code, shown, _ = at_a_terminal(["scan", *cloud("broken").all, "--select", "ZONE"], **environment)
        assert code == 3
        assert "BROKEN" in shown
        assert "\x1b" not in shown


def test_a_pipe_gets_colours_only_if_asked_and_links_never(cloud: Start) -> None:
    running = cloud("broken")
    for color, painted in (("auto", False), ("always", True)):
        command = [sys.executable, "-m", "auditor", "scan", *running.all, "--select", "ZONE", "--color", color]
        done = subprocess.run(
            command, capture_output=True, timeout=60, check=False, env={**os.environ, "TERM": "xterm"}
        )
        assert done.returncode == 3
        assert (b"\x1b[1;31mBROKEN" in done.stdout) is painted
        assert b"\x1b]8" not in done.stdout
        assert b"\x1b" not in done.stderr


def test_progress_counts_the_calls_of_each_account(cloud: Start) -> None:
    running = cloud("broken", latency=0.05)
    code, shown, _ = at_a_terminal(["scan", *running.all, "--select", "ZONE,BE"], together=True, NO_COLOR="1")
    assert code == 3
    counted: dict[str, list[tuple[int, int]]] = {CONSUMER: [], PROVIDER: []}
    for account, done, planned in re.findall(rf"({CONSUMER}|{PROVIDER})[^\n/]*?(\d+)/ *(\d+)", shown):
        counted[account].append((int(done), int(planned)))
    for account, pairs in counted.items():
        assert len(set(pairs)) > 2, account  # it moves
        assert all(done <= planned for done, planned in pairs)
        assert pairs[-1][0] == pairs[-1][1] > 5  # everything planned was done
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l")  # the cursor is back


def test_no_progress_where_nobody_watches(cloud: Start) -> None:
    running = cloud("tutorial", latency=0.02)
    _, shown, err = at_a_terminal(["scan", *running.all, "--select", "ZONE", "--no-progress"], together=True)
    assert "\x1b[?25l" not in shown
    assert "0/" not in shown
    _, shown, err = at_a_terminal(["scan", *running.all, "--select", "ZONE"])  # standard error is a pipe
    assert "\x1b[?25l" not in shown + err
    assert f"{PROVIDER} " not in err
