"""The wheel holds the package, the rules and the templates, and nothing else; from the tree and from an sdist alike."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

import auditor

ROOT = Path(__file__).resolve().parents[2]


def _build(source: Path, target: Path, what: str) -> Path:
    code = f"import hatchling.build as b; print(b.build_{what}({str(target)!r}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return target / done.stdout.split()[-1]


def _content(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist() if ".dist-info/" not in name}


def _tree() -> dict[str, bytes]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "auditor", "rules", "reports/templates"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode == 0:
        paths = [Path(line) for line in listed.stdout.splitlines() if (ROOT / line).is_file()]
    else:  # no checkout, but an unpacked sdist
        folders = ("auditor", "rules", "reports/templates")
        paths = [
            path.relative_to(ROOT)
            for folder in folders
            for path in (ROOT / folder).rglob("*")
            if path.is_file() and path.suffix != ".pyc"
        ]
    tree = {}
    for path in paths:
        if path.suffix in (".po", ".pot"):  # the source of the catalogues; the compiled ones are in the wheel
            continue
        name = path.as_posix()
        name = re.sub(r"^rules/", "auditor/_rules/", name)
        name = re.sub(r"^reports/templates/", "auditor/_templates/", name)
        tree[name] = (ROOT / path).read_bytes()
    return tree


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("dist")
    wheel = _build(ROOT, folder, "wheel")
    source = _build(ROOT, folder, "sdist")
    return wheel, source


def test_the_wheel_holds_what_the_tree_holds(built: tuple[Path, Path]) -> None:
    wheel = _content(built[0])
    tree = _tree()
    assert sorted(wheel) == sorted(tree)
    assert wheel == tree
    assert {f"auditor/locale/{code}/LC_MESSAGES/plaudit.mo" for code in ("ja", "zh")} <= set(wheel)


def test_the_wheel_of_an_sdist_is_the_same(built: tuple[Path, Path], tmp_path: Path) -> None:
    with tarfile.open(built[1]) as archive:
        archive.extractall(tmp_path, filter="data")
    (unpacked,) = tmp_path.iterdir()
    again = _build(unpacked, tmp_path, "wheel")
    assert again.read_bytes() == built[0].read_bytes()


def test_an_installed_wheel_finds_its_rules(built: tuple[Path, Path], tmp_path: Path) -> None:
    with zipfile.ZipFile(built[0]) as archive:
        archive.extractall(tmp_path)
    code = (
        "from auditor.resources import rules_folder; from auditor.engine import load_rules; "
        "print(rules_folder()); print(len(load_rules()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env={"PYTHONPATH": str(tmp_path), "PATH": ""},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    folder, number = done.stdout.splitlines()
    assert folder == str(tmp_path / "auditor" / "_rules")
    assert int(number) == len(list((ROOT / "rules").glob("*/*-*.yaml")))


def test_the_version_stands_in_one_place(built: tuple[Path, Path]) -> None:
    assert built[0].name == f"plaudit-{auditor.__version__}-py3-none-any.whl"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert "version" not in project
    assert f"## {auditor.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_command_and_the_licence_are_in_the_metadata(built: tuple[Path, Path]) -> None:
    with zipfile.ZipFile(built[0]) as archive:
        names = archive.namelist()
        entry_points = next(name for name in names if name.endswith("entry_points.txt"))
        assert "plaudit = auditor.cli.main:main" in archive.read(entry_points).decode()
        assert any(name.endswith("licenses/LICENSE") for name in names)
