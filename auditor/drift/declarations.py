"""Terraform files → declarations: managed resources of the types plaudit compares, and nothing else of the file.

Read are state files of version 4 (Terraform and OpenTofu) and the output of `terraform show -json` for a state or a
plan.  Whatever is not one of the attributes of `terraform_types` is dropped while the file is parsed, so that no
secret of a state reaches memory, a report or the history.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from auditor.drift.terraform_types import KNOWN_NAMES, TYPES
from auditor.errors import FileError

#: Members of the formats themselves, beside attribute names.
_STRUCTURE = frozenset(
    {
        *("version", "terraform_version", "format_version", "encrypted_data", "modules", "resources"),
        *("mode", "type", "name", "module", "instances", "index_key", "index", "address", "status", "deposed"),
        *("attributes", "sensitive_attributes", "value", "values", "sensitive_values", "planned_values"),
        *("root_module", "child_modules", "tainted", "deposed_key"),
    }
)

#: A state above this size is not one of a PrivateLink deployment.
MAX_BYTES = 512 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Declaration:
    """One managed resource instance; attributes that are null or not compared are left out."""

    address: str
    type: str
    attributes: Mapping[str, Any]
    sensitive: frozenset[str] = field(default=frozenset())
    path: str = ""


def read_declarations(path: str) -> list[Declaration]:
    """The declarations of one file (`-` for standard input), in the order of the file.

    Raises FileError if the file is not a state of version 4, not the output of `terraform show -json`, encrypted, or
    damaged.
    """
    name = "standard input" if path == "-" else path
    content = _content(path, name)
    try:
        document = json.loads(content.decode("utf-8-sig"), object_pairs_hook=_known_only)
    except UnicodeDecodeError:
        raise FileError(name, "is not UTF-8 text") from None
    except RecursionError:
        raise FileError(name, "is nested too deeply to be a Terraform state") from None
    except json.JSONDecodeError as error:
        raise FileError(name, f"is not JSON ({error.msg})", error.lineno) from None
    if not isinstance(document, dict):
        raise FileError(name, "is not a Terraform state: expected an object")
    if "encrypted_data" in document:
        raise FileError(name, "is an encrypted OpenTofu state; give the output of `tofu show -json` instead")
    if "format_version" in document:
        return list(_shown(document, name))
    if document.get("version") == 4 and isinstance(document.get("resources"), list):
        return list(_state(document, name))
    if "modules" in document or document.get("version") in (1, 2, 3):
        raise FileError(
            name, "is a state of version 3 or older; run `terraform apply -refresh-only` with a current one"
        )
    raise FileError(name, "is neither a state of version 4 nor the output of `terraform show -json`")


def _content(path: str, name: str) -> bytes:
    try:
        if path == "-":
            content = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with Path(path).open("rb") as file:
                content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise FileError(name, f"cannot be read: {error.strerror or type(error).__name__}") from None
    if len(content) > MAX_BYTES:
        raise FileError(name, f"is larger than {MAX_BYTES} bytes")
    return content


class _Object(dict[str, Any]):
    """A parsed object without unknown members; `texts` keeps them until the parent tells whether they are tags."""

    texts: dict[str, str] | None = None


def _known_only(pairs: list[tuple[str, Any]]) -> _Object:
    """Keeps the members plaudit may look at.  Tags are the one object with free keys: their parent keeps them."""
    kept = _Object()
    for name, value in pairs:
        if name == "tags" and isinstance(value, _Object):
            kept[name] = value.texts or {}
        elif name in _STRUCTURE or name in KNOWN_NAMES:
            for item in value if isinstance(value, list) else (value,):
                if isinstance(item, _Object):
                    item.texts = None
            kept[name] = value
    if all(isinstance(value, str) for _name, value in pairs):
        kept.texts = dict(pairs)
    return kept


def _state(document: Mapping[str, Any], path: str) -> Iterator[Declaration]:
    for resource in document["resources"]:
        if not isinstance(resource, dict) or resource.get("mode") != "managed" or resource.get("type") not in TYPES:
            continue
        base = f"{resource['type']}.{resource.get('name', '')}"
        if resource.get("module"):
            base = f"{resource['module']}.{base}"
        for instance in _objects(resource.get("instances")):
            if instance.get("deposed") or instance.get("status") == "tainted":
                continue  # on its way out: not what anybody declares
            attributes = instance.get("attributes")
            if not isinstance(attributes, dict):
                continue
            yield _declaration(
                _indexed(base, instance.get("index_key")),
                str(resource["type"]),
                attributes,
                frozenset(_marked(instance.get("sensitive_attributes"))),
                path,
            )


def _marked(paths: Any) -> Iterator[str]:
    """Top-level attribute names of the paths in `sensitive_attributes`."""
    for steps in paths if isinstance(paths, list) else ():
        first = steps[0] if isinstance(steps, list) and steps else steps
        if isinstance(first, dict) and isinstance(first.get("value"), str):
            yield first["value"]


def _shown(document: Mapping[str, Any], path: str) -> Iterator[Declaration]:
    version = document["format_version"]
    if not isinstance(version, str) or not version.startswith("1."):
        raise FileError(path, f"has format version {version!r}; this plaudit reads 1.x")
    # A plan holds what shall be in planned_values; resource_changes are steps, not declarations.
    values = document.get("planned_values", document.get("values"))
    if not isinstance(values, dict):
        return
    modules = _objects([values.get("root_module")])
    while modules:
        module = modules.pop()
        modules.extend(reversed(_objects(module.get("child_modules"))))
        for resource in _objects(module.get("resources")):
            attributes = resource.get("values")
            if resource.get("mode") != "managed" or resource.get("type") not in TYPES:
                continue
            if resource.get("tainted") or resource.get("deposed_key") or not isinstance(attributes, dict):
                continue
            marks = resource.get("sensitive_values")
            sensitive = (
                frozenset(name for name, mark in marks.items() if mark) if isinstance(marks, dict) else frozenset()
            )
            yield _declaration(str(resource.get("address", "")), str(resource["type"]), attributes, sensitive, path)


def _objects(values: Any) -> list[dict[str, Any]]:
    return [value for value in values if isinstance(value, dict)] if isinstance(values, list) else []


def _declaration(
    address: str, type_: str, attributes: Mapping[str, Any], sensitive: frozenset[str], path: str
) -> Declaration:
    wanted = TYPES[type_].names
    kept = {name: value for name, value in attributes.items() if name in wanted and value is not None}
    return Declaration(address, type_, kept, sensitive & kept.keys(), path)


def _indexed(base: str, index: Any) -> str:
    if index is None:
        return base
    return f"{base}[{json.dumps(index) if isinstance(index, str) else index}]"
