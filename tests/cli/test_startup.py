"""What must be quick is quick: help, versions, completion and usage errors load nothing heavy.  Counted, not timed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from auditor.cli.main import COMMANDS, cli

HEAVY = (
    "alibabacloud_", "darabonba", "Tea", "requests", "urllib3", "aiohttp", "pandas", "numpy", "pyarrow", "duckdb",
    "jinja2",
    "rich", "cryptography", "http.server", "yaml", "platformdirs", "filelock",
)  # fmt: skip

_PROBE = """
import json, sys
from auditor.cli.main import run
code = run({arguments!r})
sys.stderr.write("\\n@@" + json.dumps([code, sorted(sys.modules)]))
"""


def _modules(arguments: list[str], **environment: str) -> tuple[int, str, list[str]]:
    done = subprocess.run(
        [sys.executable, "-c", _PROBE.format(arguments=arguments)],
        capture_output=True, text=True, check=False, env={**os.environ, **environment},
    )  # fmt: skip
    err, _, answer = done.stderr.rpartition("@@")
    code, modules = json.loads(answer)
    return code, done.stdout + err, modules


def _heavy(modules: list[str]) -> list[str]:
    return [name for name in modules if name.startswith(HEAVY)]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--help"], 0), (["--version"], 0), ([], 2), (["nonsense"], 2), (["--nonsense"], 2),
        (["scan", "--help"], 0), (["scan", "--nonsense"], 2), (["scan", "--fail-on", "x"], 2), (["query"], 2),
        (["rules", "--help"], 0), (["rules", "list", "--help"], 0), (["simulate", "--help"], 0), (["collect"], 2),
        (["demo", "--help"], 0),
    ],
)  # fmt: skip
def test_help_and_usage_errors_load_nothing_heavy(tmp_path: Path, arguments: list[str], code: int) -> None:
    found, said, modules = _modules(arguments)
    assert found == code
    assert said.strip()
    assert _heavy(modules) == []


@pytest.mark.parametrize(
    ("words", "number", "expected"),
    [
        ("plaudit sc", "1", "scan"),
        ("plaudit scan --fail-on m", "3", "medium"),
        ("plaudit scan --format j", "3", "json"),
    ],
)
def test_completion_loads_nothing_heavy(words: str, number: str, expected: str) -> None:
    code = (
        "import atexit, json, sys\n"
        "atexit.register(lambda: sys.stderr.write('@@' + json.dumps(sorted(sys.modules))))\n"
        "from auditor.cli.main import main\nmain()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False,
        env={**os.environ, "_PLAUDIT_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": number},
    )  # fmt: skip
    assert expected in done.stdout
    assert _heavy(json.loads(done.stderr.rpartition("@@")[2])) == []


@pytest.mark.parametrize(
    "module", ["auditor", "auditor.cli.main", "auditor.errors", "auditor.findings", "auditor.spec"]
)
def test_importing_the_nouns_loads_nothing_heavy(module: str) -> None:
    code = f"import {module}, json, sys; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert _heavy(json.loads(done.stdout)) == []


def test_rules_and_snapshots_need_no_cloud_library(tmp_path: Path) -> None:
    _, _, modules = _modules(["rules", "list"])
    assert not [name for name in modules if name.startswith(("alibabacloud_", "requests", "aiohttp", "jinja2"))]


def test_the_list_of_commands_says_what_the_commands_say() -> None:
    for name, entry in COMMANDS.items():
        command = cli.get_command(None, name)  # type: ignore[arg-type] # not looked at
        assert command is not None
        assert command.name == name
        assert command.help
        assert command.help.split(".")[0].split(":")[0].split()[0] == entry.summary.split()[0]


def test_python_m_is_the_command() -> None:
    done = subprocess.run([sys.executable, "-m", "auditor", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("plaudit ")
