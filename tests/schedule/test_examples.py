"""The examples of docs/schedule.md: each is taken by the program it is for, and its command lines by plaudit."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import os
import re
import shlex
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import jsonschema
import pytest
import yaml

from auditor.cli.main import cli
from auditor.cli.report_names import check_name
from auditor.cli.terminal import Terminal
from tests.schedule.conftest import EXAMPLES, ROOT

SCHEDULE = EXAMPLES / "schedule"
PAGE = ROOT / "docs" / "schedule.md"


def schema(name: str) -> Any:
    """One of the schemas beside the tests."""
    return json.loads((ROOT / "tests" / "schemas" / name).read_text(encoding="utf-8"))


# ------------------------------------------------------------------------------------------------- command lines


def _fenced(text: str) -> Iterator[str]:
    for block in re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        yield from block.replace("\\\n", " ").splitlines()


def _command_lines() -> Iterator[tuple[str, list[str]]]:
    """Every command line of plaudit in examples and page."""
    lines = [("crontab", line) for line in (SCHEDULE / "crontab").read_text(encoding="utf-8").splitlines()]
    lines += [("plaudit.service", line) for line in (SCHEDULE / "plaudit.service").read_text().splitlines()]
    lines += [("schedule.md", line) for line in _fenced(PAGE.read_text(encoding="utf-8"))]
    for place, line in lines:
        found = (
            None
            if line.startswith("#")
            else re.search(r"(?:^|[\s/=])plaudit ((?:scan|history|doctor|policy|completion|feed) .*)", line)
        )
        if found:
            yield place, shlex.split(re.split(r" [|>] ", found[1])[0])
    for document in yaml.safe_load_all((SCHEDULE / "cronjob.yaml").read_text(encoding="utf-8")):
        if document["kind"] == "CronJob":
            for container in document["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]:
                yield "cronjob.yaml", container["args"]
    workflow = yaml.safe_load((EXAMPLES / "ci" / "github.yml").read_text(encoding="utf-8"))
    for step in workflow["jobs"]["audit"]["steps"]:
        if "plaudit@" in step.get("uses", ""):
            yield "github.yml", ["scan", *shlex.split(step["with"]["args"])]


def _parse(arguments: list[str]) -> None:
    """Parses as the program does, files aside.  Raises click.UsageError."""
    group: click.Command = cli
    with cli.make_context("plaudit", [], resilient_parsing=True) as parent:
        while isinstance(group, click.Group):
            name, *arguments = arguments
            found = group.get_command(parent, name)
            if found is None:
                raise click.UsageError(f"no command {name}")
            group = found
    with click.Context(group, obj=Terminal(), **cli.context_settings) as ctx:
        # The specification of an example is not there; everything else is parsed, and every value converted.
        parser = group.make_parser(ctx)
        values, rest, _ = parser.parse_args(list(arguments))
        if rest and not any(isinstance(parameter, click.Argument) for parameter in group.params):
            raise click.UsageError(f"too many words: {rest}")
        for parameter in group.params:
            if parameter.name in values and parameter.name != "spec":
                parameter.type_cast_value(ctx, values[parameter.name])


def test_every_command_line_is_one_plaudit_takes() -> None:
    lines = list(_command_lines())
    assert {place for place, _ in lines} == {"crontab", "plaudit.service", "schedule.md", "cronjob.yaml", "github.yml"}
    for place, arguments in lines:
        try:
            _parse(arguments)
        except click.UsageError as error:
            pytest.fail(f"{place}: {shlex.join(arguments)}: {error.message}")


@pytest.mark.parametrize(
    "arguments",
    [
        ["scan", "--nightly"],
        ["scan", "--keep-reports", "some"],
        ["scan", "--fail-on", "bad"],
        ["scna"],
        ["scan", "word"],
    ],
)
def test_a_wrong_line_would_be_seen(arguments: list[str]) -> None:
    with pytest.raises(click.UsageError):
        _parse(arguments)


def test_every_variable_of_an_example_is_one_plaudit_reads() -> None:
    known = {"PLAUDIT_STATE_DIR", "PLAUDIT_PYTHON", "PLAUDIT_CODE"}
    scan = cli.get_command(click.Context(cli), "scan")
    assert scan is not None
    known |= {str(name) for option in scan.params for name in option.envvar or ()}
    used: dict[str, set[str]] = {}
    for path in [
        *EXAMPLES.rglob("*"),
        ROOT / "Containerfile",
        ROOT / "action.yml",
        ROOT / "templates" / "plaudit.yml",
        PAGE,
    ]:
        if path.is_file():
            used[path.name] = set(re.findall(r"\bPLAUDIT_[A-Z_]+\b(?!<)", path.read_text(encoding="utf-8")))
    for name, variables in used.items():
        assert variables - {"PLAUDIT_"} <= known, name
    assert used["s.yaml"]


def test_every_example_is_named_on_the_page() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for path in EXAMPLES.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            assert f"({path.relative_to(ROOT / 'docs').as_posix()})" in page, path
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page):
        assert (ROOT / "docs" / target).exists(), target


# ------------------------------------------------------------------------------------------------- by their readers


def test_cron_takes_the_crontab(program: Callable[..., str], tmp_path: Path) -> None:
    crontab = program("crontab")

    def rc(path: Path) -> int:
        # -n of Debian 12 is -T of others.
        codes = [subprocess.run([crontab, flag, path], capture_output=True, check=False) for flag in ("-n", "-T")]
        return min(done.returncode for done in codes)

    assert rc(SCHEDULE / "crontab") == 0
    broken = tmp_path / "crontab"
    broken.write_text("61 3 * * * true\n", encoding="utf-8")
    assert rc(broken) != 0
    text = (SCHEDULE / "crontab").read_text(encoding="utf-8")
    assert "%" not in text, "cron makes a line end of a per cent sign"


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units with a plaudit that is there."""
    folder = tmp_path / "units"
    folder.mkdir()
    command = tmp_path / "plaudit"
    command.write_text("#!/bin/sh\n", encoding="utf-8")
    command.chmod(0o755)
    for name in ("plaudit.service", "plaudit.timer"):
        text = (SCHEDULE / name).read_text(encoding="utf-8").replace("/opt/plaudit/bin/plaudit", str(command))
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_systemd_takes_the_units(program: Callable[..., str], units: Path) -> None:
    analyze = program("systemd-analyze")
    done = subprocess.run(
        [analyze, "verify", "--man=no", units / "plaudit.service", units / "plaudit.timer"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    about_us = [line for line in done.stderr.splitlines() if "plaudit" in line]
    assert (done.returncode, about_us) == (0, []), done.stderr
    (units / "plaudit.timer").write_text("[Timer]\nOnCalendar=never ever\n", encoding="utf-8")
    done = subprocess.run([analyze, "verify", "--man=no", units / "plaudit.timer"], capture_output=True, check=False)
    assert done.returncode != 0 or b"OnCalendar" in done.stderr


def test_systemd_finds_the_service_well_locked_up(program: Callable[..., str], units: Path) -> None:
    command = [program("systemd-analyze"), "security", "--no-pager", "--offline=true", "--threshold=15"]
    done = subprocess.run([*command, units / "plaudit.service"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_python_and_duckdb_need_no_memory_that_is_written_and_run(tmp_path: Path, clean: dict[str, str]) -> None:
    # What MemoryDenyWriteExecute= does, asked of the kernel itself (Linux 6.3); an older one says EINVAL.
    code = (
        "import ctypes, errno, os, sys\nlibc = ctypes.CDLL(None, use_errno=True)\n"
        "denied = libc.prctl(65, 1, 0, 0, 0) == 0\n"
        "assert denied or ctypes.get_errno() == errno.EINVAL\n"
        "os.execv(sys.executable, [sys.executable, '-m', 'auditor', 'demo', '-q', '--output', sys.argv[1]])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "demo"], env=clean, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "demo" / "broken.html").exists()


def test_the_manifests_are_kubernetes(tmp_path: Path) -> None:
    validator = jsonschema.Draft202012Validator(schema("kubernetes-1.37.json"))
    documents = list(yaml.safe_load_all((SCHEDULE / "cronjob.yaml").read_text(encoding="utf-8")))
    assert [document["kind"] for document in documents] == ["ServiceAccount", "PersistentVolumeClaim", "CronJob"]
    for document in documents:
        validator.validate(document)
    job = documents[-1]
    spec = job["spec"]["jobTemplate"]["spec"]
    pod, (container,) = spec["template"]["spec"], spec["template"]["spec"]["containers"]
    assert job["spec"]["concurrencyPolicy"] == "Forbid"
    assert spec["backoffLimit"] == 0
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    # Everything plaudit writes lies on a volume that can be written to.
    writable = [mount["mountPath"] for mount in container["volumeMounts"] if not mount.get("readOnly")]
    assert writable == ["/var/lib/plaudit", "/tmp"]
    for argument in container["args"]:
        _, _, path = argument.partition("=/")
        assert not path or f"/{path}".startswith("/var/lib/plaudit/")
    # 0440: YAML reads an octal number, and 440 would be something else.
    assert pod["volumes"][0]["secret"]["defaultMode"] == 0o440
    # The pod lives longer than the deadline of the collection.
    assert spec["activeDeadlineSeconds"] > 30 * 60
    job["spec"]["concurencyPolicy"] = "Forbid"
    with pytest.raises(jsonschema.ValidationError):
        validator.validate(job)


def test_the_function_is_one(tmp_path: Path) -> None:
    document = yaml.safe_load((SCHEDULE / "function-compute" / "s.yaml").read_text(encoding="utf-8"))
    assert document["edition"] == "3.0.0"
    props = document["resources"]["plaudit"]["props"]
    jsonschema.Draft7Validator(schema("fc3-function.json")).validate(props)
    assert props["handler"] == "handler.handler"
    (trigger,) = props["triggers"]
    assert len(trigger["triggerConfig"]["cronExpression"].split()) == 6
    assert props["timeout"] > 30 * 60
    for text in props["environmentVariables"]["PLAUDIT_FORMAT"].split(","):
        check_name(Path(text.partition("=")[2]))
        assert text.partition("=")[2].startswith(props["nasConfig"]["mountPoints"][0]["mountDir"])


@pytest.mark.parametrize(("scenario", "code"), [("tutorial", 0), ("broken", 3)])
def test_the_function_scans(
    cloud: Callable[..., Any],
    clean: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    scenario: str,
    code: int,
) -> None:
    simulator, config, _ = cloud(scenario)
    credentials = simulator.world.credentials
    for key, credential in list(credentials.items()):
        credentials[key] = dataclasses.replace(credential, security_token="token")
    for name in [*os.environ]:
        monkeypatch.delenv(name)
    for name, value in clean.items():
        monkeypatch.setenv(name, value)
    keys = json.loads(config.read_text(encoding="utf-8"))["profiles"][0]
    monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", keys["access_key_id"])
    monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", keys["access_key_secret"])
    monkeypatch.setenv("ALIBABA_CLOUD_SECURITY_TOKEN", "token")
    monkeypatch.setenv("PLAUDIT_ENDPOINT_URL", simulator.url)
    monkeypatch.setenv("PLAUDIT_ONE_SIDED", "true")
    monkeypatch.setenv("PLAUDIT_FORMAT", f"json={tmp_path}/r-{{date}}.json,html={tmp_path}/r-{{date}}.html")
    monkeypatch.setenv("PLAUDIT_SELECT", "RES,CLB,ALLOW")
    place = importlib.util.spec_from_file_location("handler", SCHEDULE / "function-compute" / "handler.py")
    assert place is not None
    assert place.loader is not None
    module = importlib.util.module_from_spec(place)
    place.loader.exec_module(module)
    context = SimpleNamespace(region="eu-central-1")
    assert json.loads(module.handler(b"{}", context)) == {"exit_code": code}
    assert (tmp_path / "r-latest.json").exists()
    assert (tmp_path / "r-latest.html").exists()
    monkeypatch.setenv("PLAUDIT_FAIL_ON", "nonsense")
    with pytest.raises(RuntimeError, match="exit code 2"):
        module.handler(b"{}", context)


def test_prometheus_takes_the_alerts(program: Callable[..., str]) -> None:
    done = subprocess.run(
        [program("promtool"), "check", "rules", SCHEDULE / "alerts.yml"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    metrics = (ROOT / "auditor" / "reporters" / "prometheus.py").read_text(encoding="utf-8")
    named = set(re.findall(r"\bplaudit_(\w+?)(?:\{|\b)", (SCHEDULE / "alerts.yml").read_text(encoding="utf-8")))
    assert named
    for name in named:
        assert f'_metric("{name}"' in metrics


def test_no_example_is_open_to_others() -> None:
    for path in EXAMPLES.rglob("*"):
        if path.is_file():
            assert not path.stat().st_mode & (stat.S_IXUSR | stat.S_IWOTH), path
