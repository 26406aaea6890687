"""Endpoints with what their verdicts rest on: ENIs, ports, clients, security groups, or why these are not known."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from auditor.facts.addresses import NOTHING, AddressSet, Intervals, parse_addresses, union
from auditor.facts.membership import Interface, Membership
from auditor.facts.rows import gap_sentence, rows
from auditor.facts.security_groups import GroupSet

if TYPE_CHECKING:
    from auditor.inventory.coverage import Coverage
    from auditor.inventory.snapshot import Snapshot
    from auditor.spec import Spec

_TRANSPORT = {"tcp": "tcp", "http": "tcp", "https": "tcp", "tcpssl": "tcp", "udp": "udp", "quic": "udp"}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An interface endpoint of the inventory."""

    endpoint_id: str
    vpc_id: str | None
    service_id: str | None
    address_ip_version: str | None


@dataclass(frozen=True, slots=True)
class EndpointEni:
    """An endpoint ENI, or (with a reason) that it is not known."""

    zone_id: str | None = None
    eni_id: str | None = None
    eni_ip: str | None = None
    addresses: AddressSet | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class EndpointPort:
    """A port to be served, or (with a reason) that it is not known."""

    protocol: str | None
    port: int | None
    declared: bool
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class EndpointClient:
    """A client, or (with a reason) that it or its addresses are not known."""

    client: str | None
    declared: bool
    addresses: AddressSet | None
    reason: str | None = None


class Endpoints:
    """The interface endpoints of a snapshot; endpoints of other types have no clients, ports and groups."""

    def __init__(self, snapshot: Snapshot, spec: Spec, coverage: Coverage) -> None:
        self._spec = spec
        self._coverage = coverage
        self.every: dict[str, Endpoint] = {}
        for endpoint_id, kind, *rest in rows(
            snapshot["endpoints"], "endpoint_id", "endpoint_type", "vpc_id", "service_id", "address_ip_version"
        ):
            if kind is None or kind.lower() == "interface":
                self.every.setdefault(endpoint_id, Endpoint(endpoint_id, *rest))
        self._zones: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
        for row in rows(snapshot["endpoint_zones"], "endpoint_id", "zone_id", "eni_id", "eni_ip", "zone_ipv6_address"):
            if row not in self._zones[row[0]]:
                self._zones[row[0]].append(row)
        self._groups: dict[str, dict[str, str | None]] = defaultdict(dict)
        for endpoint_id, group, status in rows(
            snapshot["endpoint_security_groups"], "endpoint_id", "security_group_id", "security_group_status"
        ):
            self._groups[endpoint_id][group] = status
        self._resources: dict[str, list[str]] = defaultdict(list)
        for service_id, resource in dict.fromkeys(rows(snapshot["service_resources"], "service_id", "resource_id")):
            self._resources[service_id].append(resource)
        self._listeners: dict[str, list[tuple[str, int, str | None]]] = defaultdict(list)
        for lb_id, *listener in rows(snapshot["listeners"], "load_balancer_id", "protocol", "port", "status"):
            self._listeners[lb_id].append((listener[0], listener[1], listener[2]))
        self._service_ports: dict[str, list[EndpointPort]] = {}
        self._enis: dict[str, list[EndpointEni]] = {}
        self._own: dict[str, tuple[set[str], AddressSet]] | None = None

    # -------------------------------------------------------------------------------------------------------- ENIs
    def enis(self, endpoint: Endpoint) -> list[EndpointEni]:
        """The ENIs of an endpoint by zone; an entry with a reason where they are not (all) known."""
        if endpoint.endpoint_id not in self._enis:
            self._enis[endpoint.endpoint_id] = self._find_enis(endpoint)
        return self._enis[endpoint.endpoint_id]

    def _find_enis(self, endpoint: Endpoint) -> list[EndpointEni]:
        found = []
        for _, zone_id, eni_id, eni_ip, v6 in self._zones.get(endpoint.endpoint_id, []):
            known = _own_addresses(eni_ip, v6)
            found.append(EndpointEni(zone_id, eni_id, eni_ip, known))
        if not self._coverage.complete("endpoint_zones", endpoint.endpoint_id):
            found.append(EndpointEni(reason=gap_sentence(self._coverage, "endpoint_zones", endpoint.endpoint_id)))
        elif not found:
            found.append(EndpointEni(reason="the endpoint has no zones"))
        return found

    def endpoint_enis_of(self, vpc_id: str) -> tuple[set[str], AddressSet]:
        """Ids and addresses of all endpoint ENIs of a VPC: no clients of anything."""
        if self._own is None:
            self._own = {}
            parts: dict[str, list[EndpointEni]] = defaultdict(list)
            for endpoint in self.every.values():
                if endpoint.vpc_id:
                    parts[endpoint.vpc_id].extend(self.enis(endpoint))
            for vpc, enis in parts.items():
                ids = {eni.eni_id for eni in enis if eni.eni_id}
                self._own[vpc] = ids, union(eni.addresses for eni in enis if eni.addresses is not None)
        return self._own.get(vpc_id, (set(), NOTHING))

    def group_set(self, endpoint: Endpoint) -> GroupSet:
        """The security groups of an endpoint; those on their way in or out apart."""
        found = self._groups.get(endpoint.endpoint_id, {})
        attached = tuple(sorted(group for group, status in found.items() if (status or "").lower() == "attached"))
        transitional = tuple(
            sorted((group, status or "of unknown status") for group, status in found.items() if group not in attached)
        )
        gap = None
        if not self._coverage.complete("endpoint_security_groups", endpoint.endpoint_id):
            gap = gap_sentence(self._coverage, "endpoint_security_groups", endpoint.endpoint_id)
        return GroupSet(endpoint.vpc_id, attached, transitional, gap)

    # ------------------------------------------------------------------------------------------------------- ports
    def ports(self, endpoint: Endpoint) -> list[EndpointPort]:
        """Declared ports of the endpoint's service, else its running listeners; never empty."""
        # Without a service only what is declared of every service is known to hold.
        declared = self._spec.service(endpoint.service_id or "").ports
        if declared is not None:
            found = [
                EndpointPort(transport, port.port, True)
                for port in dict.fromkeys(declared)
                if (transport := _TRANSPORT.get(port.protocol.lower())) is not None
            ]
            return found or [EndpointPort(None, None, True, "the specification names no TCP or UDP port")]
        if not endpoint.service_id:
            return [EndpointPort(None, None, False, "the service of the endpoint was not read")]
        if endpoint.service_id not in self._service_ports:
            self._service_ports[endpoint.service_id] = self._running(endpoint.service_id)
        return self._service_ports[endpoint.service_id]

    def _running(self, service_id: str) -> list[EndpointPort]:
        found: set[tuple[str, int]] = set()
        reasons = []
        if not self._coverage.complete("service_resources", service_id):
            reasons.append(gap_sentence(self._coverage, "service_resources", service_id))
        for lb_id in self._resources.get(service_id, []):
            if not self._coverage.complete("listeners", lb_id):
                reasons.append(gap_sentence(self._coverage, "listeners", lb_id))
            for protocol, port, status in self._listeners.get(lb_id, []):
                state = status.lower() if status is not None else None
                transport = _TRANSPORT.get(protocol.lower())
                if state == "stopped":
                    continue
                if state != "running":
                    reasons.append(f"listener {lb_id}:{protocol}:{port} is {status or 'of unknown status'}")
                elif transport is None:
                    reasons.append(f"protocol of listener {lb_id}:{protocol}:{port} not understood")
                else:
                    found.add((transport, port))
        ports = [EndpointPort(protocol, port, False) for protocol, port in sorted(found)]
        ports.extend(EndpointPort(None, None, False, reason) for reason in dict.fromkeys(reasons))
        return ports or [EndpointPort(None, None, False, "no listener of the service is running")]

    # ----------------------------------------------------------------------------------------------------- clients
    def clients(self, endpoint: Endpoint, membership: Membership) -> list[EndpointClient]:
        """Declared clients of an endpoint, else the IPv4 blocks of its VPC; never empty."""
        declared = self._spec.endpoint(endpoint.endpoint_id).clients
        if declared is None:
            return self._vpc_clients(endpoint, membership)
        found = []
        for client in dict.fromkeys(declared):
            if client.startswith(("i-", "sg-")):
                enis, reason = self.client_enis(endpoint, client, membership)
                addresses, unread = _addresses_of(enis, endpoint)
                reason = reason or unread
                found.append(EndpointClient(client, True, None if reason else addresses, reason))
            else:
                block = parse_addresses(client)
                found.append(EndpointClient(client, True, block, None if block else "not an address block or id"))
        return found or [EndpointClient(None, True, None, "the specification names no client")]

    def _vpc_clients(self, endpoint: Endpoint, membership: Membership) -> list[EndpointClient]:
        if not endpoint.vpc_id:
            return [EndpointClient(None, False, None, "the VPC of the endpoint was not read")]
        found = [
            EndpointClient(cidr, False, block, None if block else "not an address block")
            for cidr, block in membership.blocks.get(endpoint.vpc_id, [])
        ]
        if not self._coverage.complete("vpc_cidrs", endpoint.vpc_id):
            reason = gap_sentence(self._coverage, "vpc_cidrs", endpoint.vpc_id)
            found.append(EndpointClient(None, False, None, reason))
        return found or [EndpointClient(None, False, None, f"no address block of {endpoint.vpc_id} is known")]

    def client_enis(
        self, endpoint: Endpoint, client: str, membership: Membership
    ) -> tuple[list[Interface], str | None]:
        """ENIs of a declared instance or security group, and why they are not known.

        A group has members in its own VPC only; the ENIs of an instance all lie in one VPC.
        """
        vpc_id = endpoint.vpc_id
        if not vpc_id:
            return [], "the VPC of the endpoint was not read"
        own, _ = self.endpoint_enis_of(vpc_id)
        unread = membership.incomplete(vpc_id)
        if client.startswith("sg-"):
            enis = [one for one in membership.by_vpc.get(vpc_id, []) if client in one.groups and one.eni_id not in own]
            return enis, unread or (None if enis else f"no ENI of {vpc_id} is in {client}")
        enis = membership.by_instance.get(client, [])
        homes = {one.vpc_id for one in enis}
        if len(homes) == 1 and (home := next(iter(homes))):
            return enis, membership.incomplete(home)
        return [], unread or f"no ENI of {client} was found"


def _own_addresses(v4: str | None, v6: str | None) -> AddressSet | None:
    """The one IPv4 and the one IPv6 address of an endpoint ENI; None if a text is no such address or there is none."""
    found = AddressSet()
    for text, family in ((v4, "v4"), (v6, "v6")):
        if not text:
            continue
        block = parse_addresses(text)
        bounds: Intervals = getattr(block, family, ())
        if block is None or not bounds or bounds[0][0] != bounds[0][1]:
            return None
        found |= block
    return found or None


def _addresses_of(enis: list[Interface], endpoint: Endpoint) -> tuple[AddressSet, str | None]:
    """Addresses from which these ENIs can use the endpoint: IPv6 ones only where it has IPv6."""
    found = union(one.addresses or NOTHING for one in enis)
    version = (endpoint.address_ip_version or "").lower()
    if version == "dualstack" or not found.v6:
        return found, None
    if not version:
        return found, "whether the endpoint has IPv6 was not read"
    return AddressSet(v4=found.v4), None
