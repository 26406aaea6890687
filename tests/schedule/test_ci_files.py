"""The GitHub action and the GitLab component: valid, free of injection, and run step by step."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from auditor.simulator.faults import Fault
from tests.schedule.conftest import EXAMPLES, ROOT
from tests.schedule.test_examples import schema

ACTION = ROOT / "action.yml"
COMPONENT = ROOT / "templates" / "plaudit.yml"
WORKFLOW = EXAMPLES / "ci" / "github.yml"
PIPELINE = EXAMPLES / "ci" / "gitlab.yml"


class _Loader(yaml.SafeLoader):
    """YAML 1.2 as GitHub and GitLab read it: `on` is a word."""


_Loader.yaml_implicit_resolvers = {
    letter: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))


def _load(path: Path) -> list[Any]:
    return list(yaml.load_all(path.read_text(encoding="utf-8"), Loader=_Loader))


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (ACTION, "github-action.json"),
        (WORKFLOW, "github-workflow.json"),
        (COMPONENT, "gitlab-ci.json"),
        (PIPELINE, "gitlab-ci.json"),
    ],
)
def test_a_file_follows_its_schema(path: Path, name: str) -> None:
    rules = schema(name)
    validator = jsonschema.validators.validator_for(rules)(rules)
    for document in _load(path):
        errors = [error.message for error in validator.iter_errors(document)]
        assert not errors


def _scripts() -> Iterator[tuple[str, str, str]]:
    """Name, shell and text of every script."""
    for step in _load(ACTION)[0]["runs"]["steps"]:
        if "run" in step:
            yield f"action.yml {step['name']}", step["shell"], step["run"]
    for step in _load(WORKFLOW)[0]["jobs"]["audit"]["steps"]:
        if "run" in step:
            yield f"github.yml {step['name']}", step["shell"], step["run"]
    for path, document in ((COMPONENT, _load(COMPONENT)[1]), (PIPELINE, _load(PIPELINE)[0])):
        job = document["plaudit"]
        yield path.name, "sh", "\n".join([*job["before_script"], *job.get("script", [])])


def test_no_script_has_an_input_in_its_text() -> None:
    scripts = list(_scripts())
    assert len(scripts) == 6
    for name, _, text in scripts:
        assert "${{" not in text, name
        assert "$[[" not in text, name
        assert "eval" not in text, name


def test_shellcheck_finds_nothing(program: Callable[..., str]) -> None:
    shellcheck = program("shellcheck")
    for name, shell, text in _scripts():
        done = subprocess.run(
            [shellcheck, "--shell", shell, "--enable", "quote-safe-variables", "-"],
            input=text, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{name}\n{done.stdout}"


def test_the_workflow_asks_for_no_more_than_it_needs() -> None:
    workflow = _load(WORKFLOW)[0]
    assert workflow["permissions"] == {}
    job = workflow["jobs"]["audit"]
    assert job["permissions"] == {"contents": "read", "id-token": "write", "security-events": "write"}
    assert job["timeout-minutes"] < 60
    inputs = _load(ACTION)[0]["inputs"]
    (step,) = [step for step in job["steps"] if "plaudit@" in step.get("uses", "")]
    assert set(step["with"]) <= set(inputs)
    given = _load(PIPELINE)[0]["include"][0]["inputs"]
    assert set(given) <= set(_load(COMPONENT)[0]["spec"]["inputs"])


def test_every_input_is_used_and_documented() -> None:
    for path, document, used in (
        (ACTION, _load(ACTION)[0], r"inputs\.([a-z-]+)"),
        (COMPONENT, _load(COMPONENT)[0]["spec"], r"\$\[\[ inputs\.([a-z_]+) \]\]"),
    ):
        names = set(document["inputs"])
        assert set(re.findall(used, path.read_text(encoding="utf-8"))) == names
        assert all(entry["description"] for entry in document["inputs"].values())


# --------------------------------------------------------------------------------------------- the action, step by step


@dataclass
class Ran:
    """What the steps of one run of the action did."""

    code: int
    outputs: dict[str, str]
    summary: str
    shown: str


@pytest.fixture
def action(clean: dict[str, str], tmp_path: Path) -> Callable[..., Ran]:
    """Runs the scan and the gate as GitHub would: inputs as variables, files for outputs and summary."""
    document = _load(ACTION)[0]
    work = tmp_path / "work space"
    work.mkdir()
    (tmp_path / "temp").mkdir()

    def run(**inputs: str) -> Ran:
        values = {name: str(entry.get("default", "")) for name, entry in document["inputs"].items()}
        values.update({name.replace("_", "-"): value for name, value in inputs.items()})
        output, summary = tmp_path / "output", tmp_path / "summary"
        output.write_text("", encoding="utf-8")
        summary.write_text("", encoding="utf-8")
        code, shown, outputs = 0, "", {}
        for step in document["runs"]["steps"]:
            if step.get("name") not in ("Scan", "Gate"):
                continue
            if step["name"] == "Gate" and not outputs.get("exit-code"):
                continue
            variables = {}
            for name, text in step["env"].items():
                (origin,) = re.findall(r"^\$\{\{ (?:inputs|steps\.scan\.outputs)\.([a-z-]+) \}\}$", text)
                variables[name] = (values if " inputs." in text else outputs).get(origin, "")
            done = subprocess.run(
                ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", step["run"]],
                env={
                    **clean, **variables, "GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(summary),
                    "RUNNER_TEMP": str(tmp_path / "temp"), "PLAUDIT_PYTHON": sys.executable,
                },
                cwd=work, capture_output=True, text=True, check=False,
            )  # fmt: skip
            shown += done.stdout + done.stderr
            outputs = dict(line.split("=", 1) for line in output.read_text(encoding="utf-8").splitlines())
            code = code or done.returncode
        return Ran(code, outputs, summary.read_text(encoding="utf-8"), shown)

    return run


def _arguments(simulator: Any, more: str = "") -> str:
    return f"--endpoint-url {simulator.url} --select RES,CLB {more}"


def test_a_gate_that_holds_leaves_its_files(
    action: Callable[..., Ran], cloud: Callable[..., Any], tmp_path: Path
) -> None:
    simulator, config, names = cloud("broken")
    ran = action(
        profiles=",".join(names), config_path=str(config), args=_arguments(simulator), sarif="my plaudit.sarif"
    )
    assert ran.code == 3, ran.shown
    assert ran.outputs["exit-code"] == "3"
    report = json.loads(Path(ran.outputs["json"]).read_text(encoding="utf-8"))
    assert int(ran.outputs["findings"]) == report["summary"]["fail"] > 0
    assert int(ran.outputs["gaps"]) == report["summary"]["unknown"]
    sarif = json.loads((tmp_path / "work space" / ran.outputs["sarif"]).read_text(encoding="utf-8"))
    assert sarif["version"] == "2.1.0"
    assert sarif["runs"][0]["results"]
    assert "RES-001" in ran.summary


def test_a_clean_run_and_one_that_could_not_judge(action: Callable[..., Ran], cloud: Callable[..., Any]) -> None:
    simulator, config, names = cloud("tutorial")
    settings = {"profiles": ",".join(names), "config_path": str(config), "args": _arguments(simulator)}
    assert action(**settings).code == 0
    simulator.set_faults([Fault("slb:DescribeLoadBalancers", "forbidden")])
    ran = action(**settings)
    assert (ran.code, ran.outputs["exit-code"]) == (4, "4")
    assert int(ran.outputs["gaps"]) > 0
    ran = action(**settings, unknown="warn")
    assert (ran.code, ran.outputs["exit-code"]) == (0, "4")
    assert "::warning title=plaudit::" in ran.shown
    assert action(**settings, unknown="perhaps").code == 2


def test_a_run_without_a_report_has_no_old_one(action: Callable[..., Ran], cloud: Callable[..., Any]) -> None:
    simulator, config, names = cloud("tutorial")
    assert action(profiles=",".join(names), config_path=str(config), args=_arguments(simulator)).code == 0
    ran = action(profiles="nobody", config_path=str(config), args=_arguments(simulator))
    assert ran.code == 2
    assert ran.outputs == {"exit-code": "2"}
    assert ran.summary == ""


@pytest.mark.parametrize(
    "hostile",
    ["$(touch owned)", "`touch owned`", "; touch owned", "a\ntouch owned", "' \" touch owned", "${IFS}&touch owned"],
)
def test_no_input_is_run(action: Callable[..., Ran], hostile: str, tmp_path: Path) -> None:
    for name in ("profiles", "config_path", "fail_on", "args", "sarif", "unknown"):
        ran = action(**{"config_path": str(tmp_path / "none.json"), name: hostile})
        assert ran.code != 0
    assert not list(tmp_path.rglob("owned"))


def test_the_action_installs_what_it_stands_for(clean: dict[str, str], tmp_path: Path) -> None:
    (step,) = [step for step in _load(ACTION)[0]["runs"]["steps"] if step.get("name") == "Install plaudit"]
    # Dependencies and the build back end are those of this interpreter: a test has no network.
    settings = {"PIP_NO_DEPS": "1", "PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_NO_INPUT": "1"}
    environment = {
        **clean, **settings, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{clean['PATH']}",
        "PYTHONPATH": sysconfig.get_paths()["purelib"], "RUNNER_TEMP": str(tmp_path),
        "GITHUB_ACTION_PATH": str(ROOT), "GITHUB_ENV": str(tmp_path / "env"),
    }  # fmt: skip
    done = subprocess.run(
        ["bash", "-e", "-c", step["run"]], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    name, _, interpreter = (tmp_path / "env").read_text(encoding="utf-8").strip().partition("=")
    assert name == "PLAUDIT_PYTHON"
    code = "import auditor, pathlib; print(pathlib.Path(auditor.__file__).parent)"
    where = subprocess.run(
        [interpreter, "-P", "-c", code], env={**clean, "PYTHONPATH": ""}, capture_output=True, text=True, check=True
    )
    assert Path(where.stdout.strip()).is_relative_to(tmp_path / "plaudit")


# ----------------------------------------------------------------------------------------------------- the component


@pytest.mark.parametrize(
    ("scenario", "unknown", "faults", "code"),
    [
        ("broken", "fail", (), 3),
        ("tutorial", "fail", (), 0),
        ("tutorial", "fail", (Fault("slb:DescribeLoadBalancers", "forbidden"),), 4),
        ("tutorial", "warn", (Fault("slb:DescribeLoadBalancers", "forbidden"),), 40),
    ],
)
def test_the_job_of_the_component(
    cloud: Callable[..., Any],
    clean: dict[str, str],
    tmp_path: Path,
    scenario: str,
    unknown: str,
    faults: tuple[Fault, ...],
    code: int,
) -> None:
    simulator, config, names = cloud(scenario, *faults)
    job = _load(COMPONENT)[1]["plaudit"]
    work = tmp_path / "work"
    (work / ".plaudit" / "bin").mkdir(parents=True)
    (work / ".plaudit" / "bin" / "python").symlink_to(sys.executable)
    variables = {
        "INPUT_PROFILES": ",".join(names), "INPUT_CONFIG_PATH": str(config), "INPUT_FAIL_ON": "high",
        "INPUT_UNKNOWN": unknown, "PLAUDIT_ENDPOINT_URL": simulator.url, "PLAUDIT_SELECT": "RES,CLB",
        "PYTHONPATH": f"{ROOT}{os.pathsep}{sysconfig.get_paths()['purelib']}",
    }  # fmt: skip
    assert set(variables) | {"INPUT_PACKAGE"} >= set(job["variables"])
    (script,) = job["script"]
    done = subprocess.run(
        ["sh", "-c", script], cwd=work, env={**clean, **variables}, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stderr
    assert job["allow_failure"]["exit_codes"] == [40]
    assert job["artifacts"]["when"] == "always"
    for name in [*job["artifacts"]["paths"], *job["artifacts"]["reports"].values()]:
        assert (work / name).exists(), name
