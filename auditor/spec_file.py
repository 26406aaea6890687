"""The specification file (`plaudit.yaml`) → `Spec`: strict, every error with file and line."""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from auditor.findings import Severity
from auditor.languages import CODES
from auditor.spec import EndpointSpec, Port, Requirements, ServiceSpec, Spec
from auditor.yaml_reader import Node, did_you_mean, read_yaml

#: Read if it lies in the current folder and no other file is named.
DEFAULT_FILE = "plaudit.yaml"

OptionKind = Literal["texts", "text", "flag", "integer", "seconds", "percent", "choice", "keep", "count"]

#: What may stand under `options:`: the long options of the commands, without the dashes.
OPTIONS: dict[str, OptionKind] = {
    "profiles": "texts",
    "config-path": "text",
    "regions": "texts",
    "endpoint-url": "text",
    "one-sided": "flag",
    "from": "texts",
    "save": "text",
    "probe": "texts",
    "probe-max-age": "seconds",
    "rules": "texts",
    "select": "texts",
    "exclude": "texts",
    "format": "texts",
    "format-option": "texts",
    "html-dir": "text",
    "fail-on": "choice",
    "baseline": "text",
    "waivers": "text",
    "waivers-strict": "flag",
    "no-history": "flag",
    "lock-wait": "seconds",
    "keep-reports": "keep",
    "all-outcomes": "flag",
    "side": "text",
    "redact": "text",
    "allow-unknown": "flag",
    "min-coverage": "percent",
    "concurrency": "integer",
    "timeout": "seconds",
    "deadline": "seconds",
    "lang": "choice",
    "deliver": "texts",
    "to": "texts",
    "sinks": "text",
    "deliver-mode": "choice",
    "deliver-timeout": "seconds",
    "notify": "texts",
    "quiet": "flag",
    "verbose": "count",
    "no-progress": "flag",
    "color": "choice",
}

#: The words an option of kind `choice` takes.
CHOICES: dict[str, tuple[str, ...]] = {
    "fail-on": (*(severity.value for severity in Severity), "none"),
    "lang": CODES,
    "deliver-mode": ("changes", "all"),
    "color": ("auto", "always", "never"),
}

#: Other names of the same option.
_ALIASES = {"profile": "profiles", "region": "regions"}

_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(s|m|h)?\Z")
#: How many dated reports stay (`30`), or for how many days (`30d`).
KEEP_REPORTS = re.compile(r"([1-9][0-9]{0,4})(d?)\Z")
_PORT = re.compile(r"(tcp|udp)/([1-9][0-9]{0,4})\Z")
_CLIENT_ID = re.compile(r"(i|sg)-[0-9A-Za-z]+\Z")


def load_spec(path: Path | None = None) -> Spec:
    """The specification in `path`; without a path that in `plaudit.yaml`, if the current folder has one.

    Raises FileError with the line for anything that is not understood.
    """
    if path is None:
        path = Path(DEFAULT_FILE)
        if not path.exists():
            return Spec()
    return spec_from_node(read_yaml(path))


def spec_from_mapping(mapping: Mapping[str, Any], path: Path | str) -> Spec:
    """The specification in a plain mapping; errors name `path`.  Raises FileError like `load_spec`."""
    return spec_from_node(_node(mapping, str(path)))


def spec_from_node(root: Node) -> Spec:
    """The specification below a node of a file.  Raises FileError."""
    if root.kind == "null":
        return Spec(path=root.path)
    found = root.mapping(optional=("version", "services", "endpoints", "require", "options"))
    if "version" in found and found["version"].integer() != 1:
        raise found["version"].error("this plaudit reads version 1 only; write `version: 1`")
    return Spec(
        services=MappingProxyType(_entries(found.get("services"), "epsrv-", "an endpoint service id", _service)),
        endpoints=MappingProxyType(_entries(found.get("endpoints"), "ep-", "an endpoint id", _endpoint)),
        require=_requirements(found["require"]) if "require" in found else Requirements(),
        options=MappingProxyType(_options(found["options"]) if "options" in found else {}),
        path=root.path,
    )


def seconds_of(text: str) -> float:
    """Seconds of `90`, `90s`, `1.5m` or `2h`.  Raises ValueError for anything else, zero included."""
    match = _DURATION.match(text.strip())
    value = float(match[1]) * {"s": 1, "m": 60, "h": 3600}[match[2] or "s"] if match else 0.0
    if value <= 0 or not math.isfinite(value):
        raise ValueError(f"{text!r} is not a duration above zero; write seconds, or 90s, 30m, 2h")
    return value


def _entries(node: Node | None, prefix: str, what: str, read: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in node.entries() if node is not None else ():
        if key.raw != "*" and re.fullmatch(rf"{prefix}[0-9A-Za-z-]+", key.raw) is None:
            raise key.error(f'expected {what} ({prefix}…) or "*", found `{key.raw}`')
        found[key.raw] = read(value)
    return found


def _service(node: Node) -> ServiceSpec:
    if node.kind == "null":
        return ServiceSpec()
    found = node.mapping(optional=("accounts", "public", "auto_accept", "ports", "zone_affinity", "vpcs"))
    return ServiceSpec(
        accounts=tuple(item.account_id() for item in found["accounts"].items()) if "accounts" in found else None,
        public=_flag(found, "public"),
        auto_accept=_flag(found, "auto_accept"),
        ports=tuple(_port(item) for item in found["ports"].items()) if "ports" in found else None,
        zone_affinity=_flag(found, "zone_affinity"),
        vpcs=tuple(_vpc(item) for item in found["vpcs"].items()) if "vpcs" in found else None,
    )


def _endpoint(node: Node) -> EndpointSpec:
    if node.kind == "null":
        return EndpointSpec()
    found = node.mapping(optional=("service", "clients", "payer", "min_bandwidth"))
    service = found.get("service")
    return EndpointSpec(
        service=service.text(pattern=r"epsrv-[0-9A-Za-z-]+", meaning="an endpoint service id (epsrv-…)")
        if service is not None
        else None,
        clients=tuple(_client(item) for item in found["clients"].items()) if "clients" in found else None,
        payer=found["payer"].text(choices=("Endpoint", "EndpointService")) if "payer" in found else None,
        min_bandwidth=found["min_bandwidth"].integer(minimum=1) if "min_bandwidth" in found else None,
    )


def _requirements(node: Node) -> Requirements:
    found = node.mapping(optional=("tags", "flow_logs", "accept_within_hours"))
    return Requirements(
        tags=found["tags"].texts() if "tags" in found else None,
        flow_logs=_flag(found, "flow_logs"),
        accept_within_hours=found["accept_within_hours"].integer(minimum=1) if "accept_within_hours" in found else None,
    )


def _flag(found: Mapping[str, Node], key: str) -> bool | None:
    return found[key].boolean() if key in found else None


def _port(node: Node) -> Port:
    text = node.text(meaning='a port like "tcp/80"')
    match = _PORT.match(text)
    if match is None or int(match[2]) > 65535:
        raise node.error(f'expected a port like "tcp/80" (tcp or udp, 1 to 65535), found `{text}`')
    return Port(match[1], int(match[2]))


def _vpc(node: Node) -> str:
    return node.text(pattern=r"vpc-[0-9A-Za-z]+", meaning="a VPC id (vpc-…)")


def _client(node: Node) -> str:
    """A CIDR block in its canonical spelling, an instance id or a security group id."""
    text = node.text(meaning="a CIDR block, an instance id or a security group id")
    if _CLIENT_ID.match(text):
        return text
    try:
        network = ipaddress.ip_network(text)
    except ValueError:
        try:
            loose = ipaddress.ip_network(text, strict=False)
        except ValueError:
            raise node.error(
                "expected a CIDR block (10.0.0.0/8), an instance id (i-…) or a security group id (sg-…), "
                f"found `{text}`"
            ) from None
        raise node.error(f"`{text}` has bits beside the network; write {loose}") from None
    if "/" not in text:
        raise node.error(f"`{text}` has no prefix length; write {network}")
    return str(network)


def _options(node: Node) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in node.entries():
        name = key.raw.replace("_", "-")
        name = _ALIASES.get(name, name)
        if name in ("spec", "help", "version"):
            raise key.error(f"`{key.raw}` cannot stand in the file; give it on the command line")
        if name not in OPTIONS:
            hint = did_you_mean(name, OPTIONS)
            raise key.error(f"unknown option `{key.raw}`{hint or '; known are ' + ', '.join(OPTIONS)}")
        if name in found:
            raise key.error(f"`{key.raw}` is given twice")
        if value.kind != "null":
            found[name] = _option(name, value)
    return found


def _option(name: str, node: Node) -> Any:
    kind = OPTIONS[name]
    if kind == "flag":
        return node.boolean()
    if kind == "count":
        return int(node.boolean()) if node.kind == "boolean" else node.integer(minimum=1)
    if kind == "integer":
        return node.integer(minimum=1)
    if kind == "choice":
        return node.text(choices=CHOICES[name])
    if kind == "text":
        return node.text()
    if kind == "texts":
        return list(node.texts()) if node.kind == "list" else [node.text()]
    if kind == "keep":
        if node.kind in ("mapping", "list") or KEEP_REPORTS.match(node.raw) is None:
            raise node.error(f"expected a number of reports (30) or of days (30d), found `{node.raw}`")
        return node.raw
    if kind == "percent":
        try:
            percent = float(node.raw.removesuffix("%"))
        except ValueError:
            percent = -1.0
        if node.kind in ("mapping", "list") or not 0 <= percent <= 100:
            raise node.error(f"expected 0 to 100 percent, found `{node.raw}`")
        return percent
    try:
        return seconds_of(node.raw)
    except ValueError as error:
        raise node.error(str(error)) from None


def _node(value: Any, path: str) -> Node:
    """A node that looks as if the value had stood in line 1 of a file."""
    if isinstance(value, Mapping):
        return Node(path, 1, "mapping", [(_node(str(key), path), _node(item, path)) for key, item in value.items()])
    if isinstance(value, (list, tuple)):
        return Node(path, 1, "list", [_node(item, path) for item in value])
    if value is None:
        return Node(path, 1, "null", None, "null")
    if isinstance(value, bool):
        return Node(path, 1, "boolean", value, "true" if value else "false")
    if isinstance(value, int):
        return Node(path, 1, "integer", value, str(value))
    if isinstance(value, float):
        return Node(path, 1, "number", value, str(value))
    return Node(path, 1, "text", str(value), str(value), quoted=True)
