"""Progress of a probe: on standard error, only where somebody watches, and gone when it is over."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.probe.servers import serving, tcp

HERE = "127.0.0.1"
ROOT = Path(__file__).resolve().parents[2]


def _watched(*options: str) -> tuple[str, str]:
    """Standard output and standard error of a probe whose standard error is a terminal."""
    environment = {name: value for name, value in os.environ.items() if name not in ("CI", "NO_COLOR")}
    environment |= {"TERM": "xterm", "PYTHONPATH": str(ROOT), "COLUMNS": "100"}
    with serving(tcp(HERE)) as (server,):
        words = ("probe", "--address", HERE, "--port", str(server.port), "--interval", "0.01")
        far, near = pty.openpty()
        try:
            done = subprocess.run(
                [sys.executable, "-m", "auditor", *words, *options], stdout=subprocess.PIPE, stderr=near,
                env=environment, check=False, timeout=60,
            )  # fmt: skip
        finally:
            os.close(near)
        told = b""
        try:
            while part := os.read(far, 65536):
                told += part
        except OSError:
            pass  # the end of a terminal that nobody writes to any more
        finally:
            os.close(far)
    assert done.returncode == 0, told
    return done.stdout.decode(), told.decode()


def test_a_terminal_sees_how_far_it_is() -> None:
    out, err = _watched()
    assert "connected 3 of 3" in out and "look-ups" not in out
    assert "look-ups and connections" in err and "1/1" in err


@pytest.mark.parametrize("option", ["--no-progress", "-q"])
def test_who_does_not_want_to_see_it_does_not(option: str) -> None:
    assert _watched(option)[1] == ""
