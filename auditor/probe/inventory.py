"""Targets from a snapshot: the names, ENI addresses and ports of its interface endpoints."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from auditor.facts.endpoints import Endpoints
from auditor.facts.rows import rows
from auditor.probe.targets import LAYERS, Name, Place, Service, Target, parse_address, parse_domain

if TYPE_CHECKING:
    from auditor.inventory.snapshot import Snapshot
    from auditor.spec import Spec

#: Zones whose ENI takes traffic, and those of which that is not known: the others are not worth a try.
_TRIED = frozenset({"Connected", "Migrated", "Migrating", "Connecting"})
#: How far to go on a port, by the protocol of its listeners.
_LAYERS = {"tcp": "tcp", "udp": "udp", "http": "tcp", "https": "tls", "tcpssl": "tls"}


def targets_of(snapshot: Snapshot, spec: Spec) -> list[Target]:
    """Every interface endpoint, by id; one whose addresses or ports are not known has none of them.

    Ports are those a scan judges: declared ones, else the running listeners.  Where a listener ends TLS, the probe
    makes a handshake.
    """
    endpoints = Endpoints(snapshot, spec, snapshot.completeness())
    layers = _listener_layers(snapshot)
    domains = dict(rows(snapshot["endpoints"], "endpoint_id", "endpoint_domain"))
    names: dict[str, list[Name]] = defaultdict(list)
    places: dict[str, list[Place]] = defaultdict(list)
    for endpoint_id, zone_id, status, domain, *addresses in rows(
        snapshot["endpoint_zones"],
        "endpoint_id",
        "zone_id",
        "zone_status",
        "zone_domain",
        "eni_ip",
        "zone_ipv6_address",
    ):
        if status is not None and status not in _TRIED:
            continue
        names[endpoint_id] += _names(domain, zone_id)
        for text in addresses:
            places[endpoint_id] += _places(text, zone_id)
    made = []
    for endpoint_id, endpoint in sorted(endpoints.every.items()):
        services = {
            Service(layers.get((endpoint.service_id, port.protocol, port.port), port.protocol), port.port)
            for port in endpoints.ports(endpoint)
            if port.protocol in LAYERS and port.port
        }
        made.append(
            Target(
                endpoint_id,
                tuple(dict.fromkeys([*_names(domains.get(endpoint_id), ""), *sorted(names[endpoint_id])])),
                tuple(dict.fromkeys(sorted(places[endpoint_id], key=lambda one: (one.zone_id, one.address)))),
                tuple(sorted(services)),
            )
        )
    return made


def _names(domain: str | None, zone_id: str) -> list[Name]:
    """A name of the inventory; one that is no domain name cannot be asked for."""
    try:
        return [Name(parse_domain(domain), zone_id)] if domain else []
    except ValueError:
        return []


def _places(text: str | None, zone_id: str) -> list[Place]:
    try:
        return [Place(parse_address(text), zone_id)] if text else []
    except ValueError:
        return []


def _listener_layers(snapshot: Snapshot) -> dict[tuple[str | None, str, int], str]:
    """(service id, transport, port) → how far to go, from the protocols of the listeners behind a service."""
    services: dict[str, set[str]] = defaultdict(set)
    for service_id, resource_id in rows(snapshot["service_resources"], "service_id", "resource_id"):
        services[resource_id].add(service_id)
    found: dict[tuple[str | None, str, int], str] = {}
    for balancer, protocol, port in rows(snapshot["listeners"], "load_balancer_id", "protocol", "port"):
        layer = _LAYERS.get(protocol)
        if layer is None:
            continue
        for service_id in services.get(balancer, ()):
            found.setdefault((service_id, "udp" if layer == "udp" else "tcp", port), layer)
    return found
