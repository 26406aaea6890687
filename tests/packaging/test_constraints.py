"""The constraints pin everything the packages ask for, by name and version only."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]


def _pins() -> dict[str, str]:
    pins = {}
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            match = re.fullmatch(r"([a-z0-9][a-z0-9-]*)==([0-9][0-9A-Za-z.]*)", line)
            assert match, f"{line!r} is not name==version"
            pins[match[1]] = match[2]
    return pins


def _declared() -> list[str]:
    content = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project = content["project"]
    extras = [item for name in ("test", "dev") for item in project["optional-dependencies"][name]]
    return [*project["dependencies"], *extras, *content["build-system"]["requires"]]


def _closure(requirements: list[str], interpreter: dict[str, str]) -> Iterator[str]:
    queue = [Requirement(text) for text in requirements]
    seen: set[tuple[str, tuple[str, ...]]] = set()
    while queue:
        requirement = queue.pop()
        name = canonicalize_name(requirement.name)
        extras = tuple(sorted(requirement.extras))
        if (name, extras) in seen or name == "plaudit":
            continue
        seen.add((name, extras))
        yield name
        try:
            wanted = distribution(name).requires or []
        except PackageNotFoundError:  # a build tool that lives in the build environment only
            continue
        for text in wanted:
            further = Requirement(text)
            environments = [{"extra": extra, **interpreter} for extra in ("", *extras)]
            if further.marker is None or any(map(further.marker.evaluate, environments)):
                queue.append(further)


def test_every_package_is_pinned_and_no_other() -> None:
    oldest = {"python_version": "3.11", "python_full_version": "3.11.0"}
    assert set(_closure(_declared(), oldest)) == set(_pins())
    assert set(_closure(_declared(), {})) <= set(_pins())


def test_the_pins_satisfy_what_is_declared() -> None:
    pins = _pins()
    for text in _declared():
        requirement = Requirement(text)
        if canonicalize_name(requirement.name) != "plaudit":
            assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)]), text


def test_the_pins_are_sorted() -> None:
    # By the whole line, as `sort` does it.
    lines = [
        line for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines() if line and line[0] != "#"
    ]
    assert lines == sorted(lines)
