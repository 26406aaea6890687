"""The Containerfile: linted, and its steps done without an engine, as another user in a tree nobody can write to."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from auditor._version import __version__
from auditor.simulator.faults import Fault
from tests.schedule.conftest import ROOT

FILE = ROOT / "Containerfile"
USER = 65532


def _instructions() -> list[tuple[str, str]]:
    text = re.sub(r"^#.*\n", "", FILE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    return [(line.split(" ", 1)[0], line.split(" ", 1)[1]) for line in lines if line]


def _only(name: str) -> list[str]:
    return [value for instruction, value in _instructions() if instruction == name]


def test_hadolint_finds_nothing(program: Callable[..., str], tmp_path: Path) -> None:
    beside = Path(sys.executable).parent / "hadolint"
    hadolint = str(beside) if beside.exists() else program("hadolint")
    done = subprocess.run([hadolint, FILE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    bad = tmp_path / "Containerfile"
    bad.write_text("FROM debian:latest\nRUN cd /tmp\n", encoding="utf-8")
    assert subprocess.run([hadolint, bad], capture_output=True, check=False).returncode == 1


def test_what_the_image_promises() -> None:
    last_stage = [index for index, (name, _) in enumerate(_instructions()) if name == "FROM"][-1]
    final = _instructions()[last_stage:]
    assert len(_only("FROM")) == 2
    assert re.fullmatch(r"[0-9.]+-slim-[a-z]+", _only("ARG")[0].partition("=")[2]), "a tag that says what it is"
    assert [value for name, value in final if name == "USER"] == [f"{USER}:{USER}"]
    assert json.loads(_only("ENTRYPOINT")[0]) == ["plaudit"]
    assert _only("STOPSIGNAL") == ["SIGTERM"]
    assert f"VERSION={__version__}" in _only("ARG")
    assert "org.opencontainers.image.licenses" in _only("LABEL")[0]
    assert "pip install" not in " ".join(value for _, value in final)
    assert "PIP_CONSTRAINT=/src/constraints.txt" in _only("ENV")[0]
    # What the build stage copies is what .containerignore lets through, and is there.
    let_through = {line[1:] for line in (ROOT / ".containerignore").read_text().splitlines() if line.startswith("!")}
    first = [value for name, value in _instructions()[:last_stage] if name == "COPY"]
    copied = {word for value in first for word in value.split()[:-1]}
    assert copied == let_through
    assert all((ROOT / name).exists() for name in copied)


class Image:
    """A tree as the build stage makes it: plaudit installed and compiled, owned by root, not writable."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.library = folder / "opt" / "lib"
        self.state = folder / "state"
        self.tmp = folder / "tmp"

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-P", "-m", "auditor", *arguments]

    def environment(self, clean: dict[str, str]) -> dict[str, str]:
        given = dict(word.split("=", 1) for word in _only("ENV")[-1].split())
        paths = {name: str(self.state) for name in ("HOME", "PLAUDIT_STATE_DIR") if given[name] == "/var/lib/plaudit"}
        kept = {name: given[name] for name in ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED")}
        libraries = f"{self.library}{os.pathsep}{sysconfig.get_paths()['purelib']}"
        return {**clean, **kept, **paths, "PYTHONPATH": libraries, "TMPDIR": str(self.tmp)}


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    image = Image(tmp_path_factory.mktemp("image"))
    source = image.folder / "src"
    source.mkdir()
    for instruction, value in _instructions():
        if instruction == "COPY" and not value.startswith("--from"):
            *names, _ = value.split()
            for name in names:
                origin, target = ROOT / name, source / name
                target.parent.mkdir(parents=True, exist_ok=True)
                if origin.is_dir():
                    shutil.copytree(origin, target, ignore=shutil.ignore_patterns("__pycache__"))
                else:
                    shutil.copy2(origin, target)
    (build, _) = _only("RUN")
    assert "--no-compile" in build
    # As the file says, but for what needs the network: the dependencies are those of this interpreter.
    subprocess.run(
        [
            sys.executable, "-m", "pip", "install", "--quiet", "--no-compile", "--no-deps", "--no-index",
            "--no-build-isolation", "--disable-pip-version-check", "--root-user-action=ignore", "--target",
            str(image.library), str(source),
        ],
        check=True,
    )  # fmt: skip
    (flags,) = re.findall(r"-m (compileall .*?) /opt/plaudit/lib", build)
    subprocess.run([sys.executable, "-m", *flags.split(), str(image.library)], check=True)
    for path in [image.library, *image.library.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    for path in (image.state, image.tmp):
        path.mkdir()
        path.chmod(0o777)
    return image


def test_everything_is_compiled(image: Image) -> None:
    sources = list(image.library.rglob("*.py"))
    assert len(sources) > 100
    for path in sources:
        assert list((path.parent / "__pycache__").glob(f"{path.stem}.cpython-*.pyc")), path


@pytest.fixture
def as_user(program: Callable[..., str], image: Image) -> list[str]:
    """What starts a command as the user of the image; as nobody else where the tests are not run by root."""
    if os.geteuid() != 0:
        if os.environ.get("PLAUDIT_REQUIRE_ALL"):
            pytest.fail("another user can only be tried by root")
        pytest.skip("another user can only be tried by root")
    # Every folder above has to be passable for that user; pytest and its workers make their own private.
    for folder in (image.folder, *image.folder.parents):
        if folder.stat().st_mode & 0o001 == 0 and folder.name.startswith(("pytest-", "popen-")):
            folder.chmod(0o711)
    image.folder.chmod(0o711)
    return [program("setpriv"), f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--no-new-privs"]


def _read_only(program: Callable[..., str], *writable: Path) -> list[str]:
    """A mount namespace whose root is read-only but for some folders, as --read-only makes it."""
    script = 'for f in "$1" "$2"; do mount --bind "$f" "$f"; done; mount -o remount,ro,bind / && shift 2 && exec "$@"'
    return [
        program("unshare"), "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", script, "sh",
        *map(str, writable),
    ]  # fmt: skip


def test_it_runs_as_that_user_in_a_root_nobody_can_write_to(
    program: Callable[..., str],
    image: Image,
    as_user: list[str],
    clean: dict[str, str],
    cloud: Callable[..., Any],
    tmp_path: Path,
) -> None:
    simulator, config, names = cloud("broken")
    settings = image.tmp / "config.json"
    shutil.copy(config, settings)
    os.chown(settings, USER, USER)
    arguments = [
        "scan", "-q", "--endpoint-url", simulator.url, "--config-path", str(settings), "--profiles", ",".join(names),
        "--format", f"html={image.state}/plaudit-{{date}}.html", "--format", f"json={image.state}/r.json",
    ]  # fmt: skip
    done = subprocess.run(
        [*_read_only(program, image.state, image.tmp), *_reaching(as_user), *image.command(*arguments)],
        env=image.environment(clean), cwd="/", capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
    assert "Traceback" not in done.stderr
    for name in ("plaudit-latest.html", "r.json", "history.sqlite"):
        assert (image.state / name).stat().st_uid == USER
    refused = subprocess.run(
        [*_read_only(program, image.state, image.tmp), "touch", str(image.library / "x")],
        capture_output=True,
        check=False,
    )
    assert refused.returncode != 0, "the tree can be written to, so the test shows nothing"


def _reaching(as_user: list[str]) -> list[str]:
    """As that user; where root's home holds the interpreter, with root's right to read and to pass, and no other."""
    done = subprocess.run([*as_user, sys.executable, "-c", "import click"], capture_output=True, check=False)
    if done.returncode == 0:
        return as_user
    right = "+dac_read_search"
    return [*as_user[:-1], f"--inh-caps=-all,{right}", f"--ambient-caps=-all,{right}", f"--bounding-set=-all,{right}"]


def _heeding() -> None:
    """Tests that run in the background inherit that SIGINT is ignored; a container's first process does not."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_as_process_one_it_ends_in_order(
    program: Callable[..., str],
    image: Image,
    as_user: list[str],
    clean: dict[str, str],
    cloud: Callable[..., Any],
    number: signal.Signals,
    code: int,
) -> None:
    simulator, config, names = cloud("tutorial", Fault("slb:*", "timeout", seconds=60))
    report = image.state / f"{code}.json"
    arguments = [
        "scan", "--endpoint-url", simulator.url, "--config-path", str(config), "--profiles", ",".join(names),
        "--timeout", "60", "--format", f"json={report}", "--save", str(image.state / f"{code}.snapshot"),
    ]  # fmt: skip
    namespace = [program("unshare"), "--pid", "--fork", "--kill-child"]
    environment = {**image.environment(clean), "PLAUDIT_STATE_DIR": str(image.state / str(code))}
    # unshare ends as its child does: with the code of process 1 in the new namespace.
    process = subprocess.Popen(
        [*namespace, *image.command(*arguments)], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        preexec_fn=_heeding,
    )  # fmt: skip
    requests = simulator.statistics.requests
    end = time.monotonic() + 60
    while not any("slb:" in key[2] for key in list(requests)):
        assert time.monotonic() < end
        time.sleep(0.02)
    (child,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="utf-8").split()
    assert re.search(r"^NSpid:\s+\d+\s+(?:\d+\s+)*1$", Path(f"/proc/{child}/status").read_text(), re.MULTILINE)
    os.kill(int(child), number)
    _, err = process.communicate(timeout=30)
    assert process.returncode == code, err
    assert b"Traceback" not in err
    assert (image.state / f"{code}.snapshot").exists()
    assert not report.exists()
