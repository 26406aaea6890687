"""The make targets and the CI entry are what the documentation says they are."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from auditor.cli import reference

ROOT = Path(__file__).resolve().parents[2]


def _make(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    return subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=ROOT, capture_output=True, text=True, check=False, env=environment,
    )  # fmt: skip


@pytest.mark.parametrize("target", ["demo", "test", "check", "bench"])
def test_every_target_sets_itself_up(target: str, tmp_path: Path) -> None:
    planned = _make("--dry-run", target, f"VENV={tmp_path / 'venv'}")
    assert planned.returncode == 0, planned.stderr
    assert "-m venv" in planned.stdout
    assert "-c constraints.txt -e '.[dev]'" in planned.stdout


def test_an_interpreter_that_is_too_old_is_named(tmp_path: Path) -> None:
    old = tmp_path / "python3.9"
    old.write_text('#!/bin/sh\nif [ "$1" = --version ]; then echo Python 3.9.1; exit 0; fi\nexit 1\n')
    old.chmod(0o755)
    done = _make("install", f"VENV={tmp_path / 'venv'}", f"PYTHON={old}")
    assert done.returncode != 0
    assert "plaudit needs Python 3.11 or newer; found Python 3.9.1" in done.stderr


@pytest.mark.parametrize("name", reference.PAGES)
def test_generated_pages_are_current(name: str) -> None:
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == reference.PAGES[name]()


def test_the_ci_entry_is_a_correct_script() -> None:
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    subprocess.run(["bash", "-n", ".ci/run"], cwd=ROOT, check=True)
