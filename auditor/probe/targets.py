"""Targets: what a probe is to resolve and to contact, from a file of targets, a JSON report or arguments.

A file of targets is what `plaudit probe plan --format json` prints, and a JSON report holds the same list under
`endpoints`; both are read strictly, because whoever writes them decides what is contacted.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from auditor.errors import FileError, UsageError
from auditor.probe.reading import Reader, read_json

FORMAT = "plaudit-probe-targets"
FORMAT_VERSION = 1

#: How far a probe goes on a port: the transport, a TLS handshake, a request.
LAYERS = ("tcp", "udp", "tls", "http", "https")
_MAX_ENDPOINTS = 10_000
_MAX_ITEMS = 200
_PORT = re.compile(r"(?:([a-z]+)/)?([0-9]{1,5})\Z")
_INSTANCE = re.compile(r"i-[A-Za-z0-9]{1,62}\Z")
_DOMAIN = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*\.?\Z")  # fmt: skip  # noqa: E501


@dataclass(frozen=True, slots=True, order=True)
class Name:
    """A domain name; `zone_id` is empty for that of the whole endpoint."""

    domain: str
    zone_id: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """An address of an endpoint ENI, spelled as Python spells addresses; `zone_id` is empty where nobody said."""

    address: str
    zone_id: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Service:
    """A port, and how far to go on it (one of LAYERS)."""

    layer: str
    port: int

    @property
    def transport(self) -> str:
        """tcp or udp."""
        return "udp" if self.layer == "udp" else "tcp"

    def __str__(self) -> str:
        return f"{self.layer}/{self.port}"


@dataclass(frozen=True, slots=True)
class Target:
    """One endpoint; `endpoint_id` is empty for names and addresses given by hand."""

    endpoint_id: str
    names: tuple[Name, ...] = ()
    places: tuple[Place, ...] = ()
    services: tuple[Service, ...] = ()

    def row(self) -> dict[str, Any]:
        """The element of `endpoints` in a file of targets."""
        return {
            "endpoint_id": self.endpoint_id,
            "names": [{"domain": name.domain, "zone_id": name.zone_id} for name in self.names],
            "addresses": [{"address": place.address, "zone_id": place.zone_id} for place in self.places],
            "services": [str(service) for service in self.services],
        }


def is_instance_id(text: str | None) -> bool:
    """Whether a text has the form of an instance id."""
    return text is not None and _INSTANCE.match(text) is not None


def parse_service(text: str) -> Service:
    """`443`, `tcp/80`, `udp/53`, `tls/443`, `http/80`, `https/443`.  Raises ValueError."""
    match = _PORT.fullmatch(text.strip().lower())
    layer = (match[1] or "tcp") if match else ""
    if match is None or layer not in LAYERS or not 1 <= int(match[2]) <= 65535:
        raise ValueError(f"{text!r} is not a port; write 443, tcp/80, udp/53, tls/443, http/80 or https/443")
    return Service(layer, int(match[2]))


def parse_domain(text: str) -> str:
    """A domain name without the dot at its end.  Raises ValueError."""
    if _DOMAIN.fullmatch(text) is None:
        raise ValueError(f"{text!r} is not a domain name")
    return text.removesuffix(".").lower()


def parse_address(text: str) -> str:
    """One IPv4 or IPv6 address in its usual spelling.  Raises ValueError."""
    try:
        address = ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        raise ValueError(f"{text!r} is not an IPv4 or IPv6 address") from None
    if address.is_multicast or address.is_unspecified:
        raise ValueError(f"{text!r} is no address of a host")
    return str(address)


def from_arguments(
    domains: Sequence[str], zone_domains: Sequence[str], addresses: Sequence[str], ports: Sequence[str]
) -> Target:
    """One endpoint given by hand.  A zone domain or an address can begin with `ZONE=`.  Raises UsageError."""
    try:
        names = [Name(parse_domain(text)) for text in domains]
        for text in zone_domains:
            zone, _, domain = text.rpartition("=")
            names.append(Name(parse_domain(domain), zone))
        places = []
        for text in addresses:
            zone, _, address = text.rpartition("=")
            places.append(Place(parse_address(address), zone))
        services = [parse_service(text) for text in ports]
    except ValueError as error:
        raise UsageError(str(error)) from None
    return Target("", _distinct(names), _distinct(places), _distinct(services))


def _distinct(items: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(dict.fromkeys(items))


# ------------------------------------------------------------------------------------------------------------- files


def targets_document(targets: Iterable[Target], hosts: Iterable[Mapping[str, Any]] = ()) -> str:
    """A file of targets as JSON text, one line per endpoint and host; ASCII."""

    def listed(rows: Iterable[Mapping[str, Any]]) -> str:
        return "[" + ",".join(f"\n{json.dumps(row)}" for row in rows) + "\n]"

    head = f'{{"format": "{FORMAT}", "version": {FORMAT_VERSION}, "endpoints": '
    told = list(hosts)
    tail = f', "hosts": {listed(told)}' if told else ""
    return f"{head}{listed(target.row() for target in targets)}{tail}}}\n"


@dataclass(frozen=True, slots=True)
class Given:
    """What a file says: targets; for which hosts they are (instance id → endpoint ids); what the configuration says.

    `verdicts`: (endpoint id, zone id, transport, port) → reachable, blocked or unknown, from a report.
    """

    targets: tuple[Target, ...]
    hosts: Mapping[str, tuple[str, ...]]
    verdicts: Mapping[tuple[str, str, str, int], str]


def read_targets(path: Path | str, content: str | bytes | None = None) -> Given:
    """The targets of a file of targets or of a JSON report; `content` is that of the file where it was already read.

    Raises FileError.
    """
    data = read_json(path, content)
    if isinstance(data, list):
        raise FileError(path, "is a list; expected a JSON report of plaudit, or what `plaudit probe plan` prints")
    reader = Reader(path)
    verdicts: dict[tuple[str, str, str, int], str] = {}
    hosts: dict[str, tuple[str, ...]] = {}
    if data.get("format") == FORMAT:
        document = reader.mapping(data, "the file", required=("format", "version", "endpoints"), optional=("hosts",))
        if document["version"] != FORMAT_VERSION:
            raise FileError(path, f"has version {document['version']!r}; this plaudit reads {FORMAT_VERSION}")
        for item in reader.items(document.get("hosts", []), "hosts", _MAX_ENDPOINTS):
            host = reader.mapping(item, "a host", required=("instance_id", "region_id", "zone_id", "endpoint_ids"))
            ids = reader.items(host["endpoint_ids"], "endpoint_ids", _MAX_ENDPOINTS)
            hosts[reader.text(host["instance_id"], "instance_id", 64)] = tuple(
                reader.text(one, "endpoint_ids", 128) for one in ids
            )
    elif "endpoints" not in data or "schema_version" not in data:
        raise FileError(
            path, "names no endpoints to probe; expected a JSON report of this version, or what `probe plan` prints"
        )
    else:
        for path_ in reader.items(data.get("paths", []), "paths", 1_000_000):
            if isinstance(path_, dict) and isinstance(path_.get("port"), int):
                key = (str(path_.get("endpoint_id")), str(path_.get("zone_id") or ""), str(path_.get("protocol")))
                verdicts[*key, path_["port"]] = reader.word(
                    path_.get("verdict"), "verdict", ("reachable", "blocked", "unknown")
                )
    found = tuple(_target(reader, item) for item in reader.items(data["endpoints"], "endpoints", _MAX_ENDPOINTS))
    return Given(found, hosts, verdicts)


def _target(reader: Reader, item: object) -> Target:
    row = reader.mapping(item, "an endpoint", required=("endpoint_id", "names", "addresses", "services"))
    endpoint_id = reader.text(row["endpoint_id"], "endpoint_id", 128)

    def parts(key: str, inner: str) -> list[Mapping[str, Any]]:
        return [
            reader.mapping(one, key, required=(inner, "zone_id")) for one in reader.items(row[key], key, _MAX_ITEMS)
        ]

    try:
        return Target(
            endpoint_id,
            _distinct(
                Name(parse_domain(reader.text(one["domain"], "domain", 254)), reader.text(one["zone_id"], "zone", 64))
                for one in parts("names", "domain")
            ),
            _distinct(
                Place(
                    parse_address(reader.text(one["address"], "address", 64)), reader.text(one["zone_id"], "zone", 64)
                )
                for one in parts("addresses", "address")
            ),
            _distinct(
                parse_service(reader.text(one, "a service", 16))
                for one in reader.items(row["services"], "services", _MAX_ITEMS)
            ),
        )
    except ValueError as error:
        raise FileError(reader.path, f"{endpoint_id or 'an endpoint'}: {error}") from None


def chosen(targets: Sequence[Target], wanted: Sequence[str]) -> list[Target]:
    """The targets of these endpoints, all without any.  Raises UsageError for one that is not there."""
    known = {target.endpoint_id for target in targets}
    for endpoint_id in wanted:
        if endpoint_id not in known:
            raise UsageError(f"{endpoint_id}: no interface endpoint of this name in what was given")
    return [target for target in targets if not wanted or target.endpoint_id in wanted]
