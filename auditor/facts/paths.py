"""Paths: the way from the clients of an endpoint to a healthy backend, per endpoint, zone and port, hop by hop.

Every hop is judged on its own, so that all broken ones are known and not only the first.  A verdict comes from facts,
inventory and coverage; findings only say which rule to name first.  `reachable` needs every hop in order, one broken
hop is `blocked`, everything else is `unknown`.

Without zone affinity the clients of one zone are spread over all zones of the endpoint: the path of a zone is the way
of the traffic that enters there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from auditor.batches import opened
from auditor.facts.addresses import NOTHING
from auditor.facts.endpoints import Endpoint, EndpointEni, EndpointPort
from auditor.facts.hops.balancers import Balancers, Target
from auditor.facts.hops.checks import BLOCKED, OK, UNKNOWN, named_first
from auditor.facts.hops.clients import Clients
from auditor.facts.hops.connection import Connections, Serving
from auditor.facts.hops.knowledge import Knowledge
from auditor.facts.hops.links import Link, Links
from auditor.facts.hops.parties import Party
from auditor.facts.rows import joined
from auditor.facts.schema import PATH_TABLES as PATH_TABLES
from auditor.facts.workshop import Workshop
from auditor.findings import Finding, Hop, Outcome, PathVerdict

if TYPE_CHECKING:
    from auditor.inventory.snapshot import Snapshot
    from auditor.spec import Spec

#: Kinds of hops in their order.
HOP_KINDS = (
    "client",
    "client_egress",
    "client_network_acl",
    "network_acl",
    "security_groups",
    "endpoint_zone",
    "connection",
    "service",
    "service_resource",
    "load_balancer",
    "listener",
    "server_group",
    "backend",
)


#: Of these, what a collection for paths asks for wherever an account owns an endpoint, or an endpoint service.
_ALWAYS_ASKED = {
    "endpoints": frozenset(
        {"vswitches", "vpc_cidrs", "endpoint_zones", "endpoint_security_groups", "network_interfaces"}
    ),
    "endpoint_services": frozenset({"vswitches", "service_resources", "service_users", "connections"}),
}


def paths_collected(snapshot: Snapshot) -> bool:
    """Whether a snapshot was collected for paths; one of a few rules only lacks most of what they rest on."""
    asked = frozenset(snapshot.coverage["table_name"])
    return all(tables <= asked for owned, tables in _ALWAYS_ASKED.items() if len(snapshot.tables[owned]))


def compute_paths(
    snapshot: Snapshot,
    spec: Spec,
    findings: Iterable[Finding],
    *,
    endpoints: Collection[str] | None = None,
    workshop: Workshop | None = None,
) -> list[PathVerdict]:
    """The paths of every interface endpoint (or of `endpoints`), by endpoint, zone and port.

    A zone or a port that is not known makes one path with None in its place, which is never `reachable`.
    `findings` are those of the same snapshot: of the rules of a broken hop those that failed are named first.
    `workshop` is one of the same snapshot and specification.
    """
    from auditor.facts import collection_paused

    failed = {(finding.rule_id, finding.resource.id) for finding in opened(findings) if finding.outcome is Outcome.FAIL}
    with collection_paused():
        finder = _Finder(workshop or Workshop(snapshot, spec), failed)
        return [path for link in finder.links(endpoints) for path in finder.paths(link)]


class _Finder:
    def __init__(self, workshop: Workshop, failed: Collection[tuple[str, str]]) -> None:
        self._workshop = workshop
        self._failed = failed
        snapshot, coverage = workshop.snapshot, workshop.coverage
        self._knowledge = Knowledge(snapshot, coverage)
        self._clients = Clients(workshop, self._knowledge)
        self._connections = Connections(snapshot, coverage, self._knowledge)
        self._balancers = Balancers(workshop, self._knowledge)

    def links(self, wanted: Collection[str] | None) -> Iterator[Link]:
        """The endpoints that have paths."""
        for link in Links(self._workshop.snapshot):
            if wanted is None or link.endpoint_id in wanted:
                yield link

    def paths(self, link: Link) -> Iterator[PathVerdict]:
        """The paths of one endpoint."""
        endpoint = self._workshop.endpoints.every.get(link.endpoint_id)
        if endpoint is None:
            endpoint = Endpoint(link.endpoint_id, link.vpc_id, link.service_id, None)
        elif endpoint.service_id is None and link.service_id:
            endpoint = Endpoint(endpoint.endpoint_id, endpoint.vpc_id, link.service_id, endpoint.address_ip_version)
        ports = self._ports(link, endpoint)
        connection = self._ranked(self._connections.connection_hop(link))
        service = self._ranked(self._connections.service_hop(link))
        groups = self._workshop.endpoints.group_set(endpoint)
        party = self._clients.party(endpoint)
        behind: dict[tuple[Serving, int], tuple[Hop, ...]] = {}
        for eni in self._enis(link, endpoint):
            zone = self._ranked(self._connections.zone_hop(link, eni.zone_id, eni.reason))
            serving = self._connections.serving(link, eni.zone_id)
            resource = self._ranked(self._connections.resource_hop(link, eni.zone_id, serving))
            for number, port in enumerate(ports):
                if (serving, number) not in behind:
                    found = self._behind(link, party, port, serving)
                    behind[serving, number] = tuple(map(self._ranked, found))
                hops = (
                    *map(self._ranked, self._clients.hops(link, endpoint, party, groups, eni, port)),
                    zone,
                    connection,
                    service,
                    resource,
                    *behind[serving, number],
                )
                yield PathVerdict(
                    link.endpoint_id,
                    link.service_id,
                    link.region_id or "",
                    link.consumer,
                    link.provider,
                    port.protocol,
                    port.port,
                    _verdict(hops, eni.zone_id is not None and port.port is not None),
                    hops,
                    eni.zone_id,
                )

    def _ranked(self, hop: Hop) -> Hop:
        return named_first(hop, self._failed) if hop.verdict == BLOCKED else hop

    def _behind(self, link: Link, party: Party, port: EndpointPort, serving: Serving) -> tuple[Hop, ...]:
        service = link.service
        clients = party.addresses if link.own is not None else NOTHING
        return self._balancers.hops(
            serving,
            self._connections.resources.get(link.service_id or "", []),
            service.address_ip_version if service is not None else None,
            Target(port.protocol, port.port, port.declared, port.reason),
            link.provider,
            link.service_id or link.endpoint_id,
            clients,
        )

    def _ports(self, link: Link, endpoint: Endpoint) -> list[EndpointPort]:
        """The ports of the endpoint; all that is not known of them is one entry."""
        found = self._workshop.endpoints.ports(endpoint)
        known = [port for port in found if port.port is not None]
        reasons = [port.reason for port in found if port.port is None and port.reason is not None]
        if reasons:
            stranger = self._knowledge.stranger(link.provider, link.service_id or link.endpoint_id)
            declared = any(port.declared for port in found)
            unread = not known and not declared and stranger is not None and link.service is None
            known.append(EndpointPort(None, None, declared, stranger if unread else joined(reasons)))
        return known

    def _enis(self, link: Link, endpoint: Endpoint) -> Sequence[EndpointEni]:
        """The zones of the endpoint, as the provider sees them where nobody else told."""
        if link.own is not None:
            found = self._workshop.endpoints.enis(endpoint)
            if link.zones or not link.zones_seen:
                return found
            reason = self._knowledge.gap("endpoint_zones", link.endpoint_id, link.consumer)
        else:
            reason = self._knowledge.stranger(link.consumer, link.endpoint_id) or "the endpoint was not read"
        if not link.zones_seen:
            return [EndpointEni(reason=reason)]
        return [
            EndpointEni(zone_id, zone.eni_id, None, None, reason) for zone_id, zone in sorted(link.zones_seen.items())
        ]


def _verdict(hops: Sequence[Hop], known: bool) -> str:
    verdicts = {hop.verdict for hop in hops}
    if BLOCKED in verdicts:
        return BLOCKED
    return "reachable" if known and verdicts == {OK} else UNKNOWN
