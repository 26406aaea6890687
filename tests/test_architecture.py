"""The imports point one way, and the dangerous libraries have one door each: read from the source, not from memory."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "auditor"

#: layer → layers it may import; `""` stands for the modules directly in the package (the nouns everybody shares).
ALLOWED = {
    "": {""},
    "inventory": {"", "inventory"},
    "facts": {"", "inventory", "facts"},
    "collect": {"", "inventory", "collect"},
    "engine": {"", "inventory", "facts", "engine"},
    "drift": {"", "inventory", "facts", "engine", "drift"},
    "probe": {"", "inventory", "facts", "probe"},
    "fixes": {"", "inventory", "facts", "engine", "fixes"},
    "reporters": {"", "inventory", "reporters"},
    "delivery": {"", "reporters", "delivery"},
    "simulator": {"", "simulator"},
}

#: library → the only modules that may import it.
DOORS = {
    "duckdb": {"engine/sql.py"},
    "jinja2": {"reporters/html.py", "cli/catalogues.py"},
    "babel": {"cli/catalogues.py"},
    "alibabacloud_tea_openapi": {"collect/client.py"},
    "dns": {"probe/resolve.py"},
}


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} imports relatively"
            yield node.module or ""


def _layer(parts: tuple[str, ...]) -> str:
    return parts[0] if len(parts) > 1 or (PACKAGE / parts[0]).is_dir() else ""


MODULES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_one_way(path: Path) -> None:
    layer = _layer(path.relative_to(PACKAGE).parts)
    if layer not in ALLOWED:  # the command line wires everything together
        assert layer == "cli" or path.name == "probe.py", f"layer {layer} has no rule"
        return
    for name in _imports(path):
        if name.split(".")[0] != "auditor" or name == "auditor":
            continue
        target = _layer(tuple(name.split(".")[1:]))
        assert target in ALLOWED[layer] or path.parent == PACKAGE, f"{layer or 'auditor'} must not import {name}"


@pytest.mark.parametrize("library", DOORS)
def test_each_dangerous_library_has_one_door(library: str) -> None:
    users = {
        path.relative_to(PACKAGE).as_posix()
        for path in MODULES
        if any(name.split(".")[0] == library for name in _imports(path))
    }
    assert users <= DOORS[library]
