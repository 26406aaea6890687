"""Completion, done by the shells themselves."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from auditor.resources import rules_folder
from auditor.simulator.scenarios import SCENARIOS
from tests.cli.conftest import Answer, Cloud

SECRET = "LTAI-not-to-be-seen"
Complete = Callable[[str], set[str]]


def _shell(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        if os.environ.get("PLAUDIT_REQUIRE_ALL"):
            pytest.fail(f"{name} is not installed")
        pytest.skip(f"{name} is not installed")
    return found


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `plaudit` on the path, and a file of profiles with good and bad names."""
    folder = tmp_path / "bin"
    folder.mkdir()
    command = folder / "plaudit"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m auditor "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    names = ["provider", "prod-2", "consumer", "a b", "$(touch owned)", "x;touch owned", "pro\nvider", "-q", "", "`id`"]
    entries = [{"name": name, "mode": "AK", "access_key_id": SECRET, "access_key_secret": SECRET} for name in names]
    path = tmp_path / ".aliyun" / "config.json"
    path.parent.mkdir()
    path.write_text(json.dumps({"current": "a", "profiles": [*entries, None, {"name": 1}, {}]}), encoding="utf-8")
    return Path.cwd()


def _script(shell: str, tmp_path: Path) -> Path:
    done = subprocess.run(["plaudit", "completion", shell], capture_output=True, check=True)
    assert done.stderr == b""
    path = tmp_path / f"completion.{shell}"
    path.write_bytes(done.stdout)
    return path


def _bash(script: Path, line: str) -> set[str]:
    code = """
        source "$1"; read -ra COMP_WORDS <<< "$2"
        [[ $2 == *' ' ]] && COMP_WORDS+=('')
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _plaudit_completion plaudit
        printf '%s\\n' "${COMPREPLY[@]}"
    """
    done = subprocess.run(
        [_shell("bash"), "--norc", "-c", code, "bash", str(script), line], capture_output=True, text=True, check=True
    )
    assert "Traceback" not in done.stderr
    return set(done.stdout.split("\n")) - {""}


def _fish(script: Path, line: str) -> set[str]:
    done = subprocess.run(
        [_shell("fish"), "--no-config", "-c", f"source {script}; complete --do-complete '{line}'"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return {item.split("\t")[0] for item in done.stdout.splitlines()}


def _ids(prefix: str) -> set[str]:
    found = {path.stem for path in rules_folder().rglob(f"{prefix}*.yaml")}
    assert found
    return found


COMPLETIONS = [
    ("plaudit sca", {"scan"}),
    ("plaudit scan --fail-on ", {"critical", "high", "medium", "low", "info", "none"}),
    ("plaudit scan --format pro", {"prometheus"}),
    ("plaudit scan --profiles ", {"provider", "prod-2", "consumer"}),
    ("plaudit scan --profiles provider,", {"provider,prod-2", "provider,consumer"}),
    ("plaudit scan --profiles provider,c", {"provider,consumer"}),
    ("plaudit scan --config-path nowhere.json --profiles ", set()),
    ("plaudit scan --select ZONE-00", _ids("ZONE-00")),
    ("plaudit scan --select SG,ALL", {"SG,ALLOW"} | {f"SG,{name}" for name in _ids("ALLOW-")}),
    ("plaudit rules show CLB-00", _ids("CLB-00")),
    ("plaudit simulate ", set(SCENARIOS)),
    ("plaudit completion ", {"bash", "zsh", "fish"}),
]


@pytest.mark.parametrize(("shell", "complete"), [("bash", _bash), ("fish", _fish)])
def test_a_shell_completes(shell: str, complete: Callable[[Path, str], set[str]], tmp_path: Path, here: Path) -> None:
    _shell(shell)
    script = _script(shell, tmp_path)
    for line, expected in COMPLETIONS:
        offered = complete(script, line)
        assert offered == expected, line
        assert not any(SECRET in word for word in offered)
    assert list(here.iterdir()) == []


def test_zsh_completes_what_is_typed(tmp_path: Path, here: Path) -> None:
    _shell("zsh")
    script = _script("zsh", tmp_path)
    setup = f"PS1='ready> '; autoload -Uz compinit; compinit -u -D; source {script}\n"
    with _terminal([_shell("zsh"), "-f", "-i"]) as (send, until):
        send(setup)
        send("print 'set''up'\n")
        until("setup")
        for typed, expected in (
            ("plaudit sca\t", "plaudit scan "),
            ("plaudit scan --fail-on crit\t", "--fail-on critical "),
            ("plaudit scan --profiles cons\t", "--profiles consumer "),
            ("plaudit rules show ALLOW-00\t6", "ALLOW-006"),
            ("plaudit simulate tut\t", "simulate tutorial "),
        ):
            send(typed)
            until(expected)
            send("\x15")  # forget the line
    assert list(here.iterdir()) == []


@contextlib.contextmanager
def _terminal(command: list[str]):  # type: ignore[no-untyped-def] # a pair of functions
    process, master = pty.fork()
    if process == 0:
        os.environ.update(TERM="dumb", COLUMNS="200")
        os.execv(command[0], command)
    shown = ""

    def send(text: str) -> None:
        nonlocal shown
        shown = ""
        os.write(master, text.encode())

    def until(text: str) -> None:
        nonlocal shown
        end = time.monotonic() + 30
        while text not in shown:
            assert time.monotonic() < end, shown
            if select.select([master], [], [], 0.2)[0]:
                shown += os.read(master, 4096).decode("utf-8", "replace")

    try:
        yield send, until
    finally:
        os.close(master)
        os.waitpid(process, 0)


def test_no_secret_and_no_noise_whatever_the_file_holds(tmp_path: Path) -> None:
    script = _script("bash", tmp_path)
    config = tmp_path / ".aliyun" / "config.json"
    for content in ("", "{", "[]", '{"profiles": {}}', '{"profiles": 3}', "[" * 100_000, "\x00"):
        config.write_text(content, encoding="utf-8")
        assert _bash(script, "plaudit scan --profiles ") == set()
    config.unlink()
    os.mkfifo(config)
    assert _bash(script, "plaudit scan --profiles ") == set()


def test_completion_is_light(tmp_path: Path) -> None:
    heavy = "alibabacloud_tea_openapi", "requests", "pandas", "duckdb", "jinja2", "rich", "yaml"
    code = (
        "import os, sys; os.environ.update(_PLAUDIT_COMPLETE='bash_complete', COMP_WORDS=sys.argv[1], COMP_CWORD='3')\n"
        "from auditor.cli.main import run\nrun([])\n"
        f"loaded = [name for name in {heavy} if name in sys.modules]\nassert not loaded, loaded\n"
    )
    for line in ("plaudit scan --profiles ", "plaudit scan --select S", "plaudit rules show "):
        done = subprocess.run([sys.executable, "-c", code, line], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert done.stdout


def test_another_shell_is_named(plaudit: Callable[..., Answer]) -> None:
    answer = plaudit("completion", "tcsh")
    assert answer.code == 2
    assert "'bash', 'zsh', 'fish'" in answer.err


def test_the_file_of_the_command_line_counts(cloud: Callable[..., Cloud], tmp_path: Path) -> None:
    running = cloud()
    script = _script("bash", tmp_path)
    offered = _bash(script, f"plaudit scan --config-path {running.config} --profiles ")
    assert offered == set(running.profiles)
