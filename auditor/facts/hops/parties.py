"""Who the clients of an endpoint are, and where they can be."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from auditor.facts.addresses import NOTHING, AddressSet, union
from auditor.facts.endpoints import Endpoint, EndpointClient
from auditor.facts.hops.ways import told

if TYPE_CHECKING:
    from auditor.facts.workshop import Workshop


class Party(NamedTuple):
    """The clients of an endpoint: each with its addresses, all together, and those that count for what passes."""

    key: str
    clients: tuple[EndpointClient, ...]
    declared: bool
    addresses: AddressSet
    domain: AddressSet
    beside: AddressSet
    reasons: tuple[str, ...]
    outside: tuple[str, ...]

    @property
    def id(self) -> str:
        """The clients by name."""
        return ", ".join(client.client for client in self.clients if client.client)


class Parties:
    """The clients of every endpoint; endpoints of a VPC that declare none share theirs."""

    def __init__(self, workshop: Workshop) -> None:
        self._spec = workshop.spec
        self._endpoints = workshop.endpoints
        self._membership = workshop.groups.membership
        self._acls = workshop.acls
        self._stray = any(not vswitch.vpc_id for vswitch in workshop.acls.vswitches.values())
        self._parties: dict[tuple[str, bool], Party] = {}

    def party(self, endpoint: Endpoint) -> Party:
        """The clients of an endpoint."""
        declared = self._spec.endpoint(endpoint.endpoint_id).clients is not None
        key = (endpoint.endpoint_id if declared else endpoint.vpc_id or "", self.lists_vswitches(endpoint))
        if key not in self._parties:
            self._parties[key] = self._party(endpoint, declared, f"{key[0]} {key[1]}")
        return self._parties[key]

    def _party(self, endpoint: Endpoint, declared: bool, key: str) -> Party:
        clients = tuple(self._endpoints.clients(endpoint, self._membership))
        addresses = union(client.addresses for client in clients if client.addresses is not None)
        reasons = tuple(client.reason for client in clients if client.reason is not None)
        if not declared:
            beside = self._nobody(endpoint.vpc_id or "")
            return Party(key, clients, False, addresses, self._domain(endpoint, addresses, beside), beside, reasons, ())
        outside = tuple(text for client in clients if (text := self._outside(endpoint, client)) is not None)
        return Party(key, clients, True, addresses, addresses, NOTHING, reasons, outside)

    def lists_vswitches(self, endpoint: Endpoint) -> bool:
        """Whether all vSwitches of the endpoint's VPC are known; one of an unknown VPC may be one of them."""
        return self._acls.lists_vswitches(endpoint.endpoint_id) and not self._stray

    def _nobody(self, vpc_id: str) -> AddressSet:
        """Addresses of a VPC that are nobody's clients: those of endpoint ENIs and of what other products run."""
        _, ignored = self._endpoints.endpoint_enis_of(vpc_id)
        interfaces = self._membership.by_vpc.get(vpc_id, ())
        return ignored | union(one.addresses for one in interfaces if one.service_managed and one.addresses is not None)

    def _domain(self, endpoint: Endpoint, addresses: AddressSet, nobody: AddressSet) -> AddressSet:
        """Addresses at which an undeclared client can be: those in a vSwitch that are not taken by nobody's ENIs."""
        found = addresses - nobody
        vswitches = self._acls.by_vpc.get(endpoint.vpc_id or "", ())
        blocks = [vswitch.block for vswitch in vswitches if vswitch.block is not None]
        if self.lists_vswitches(endpoint) and vswitches and len(blocks) == len(vswitches):
            found = found & union(blocks)
        return found or addresses

    def _outside(self, endpoint: Endpoint, client: EndpointClient) -> str | None:
        """Why the way of a declared client to the endpoint's VPC is not known; None if it starts there."""
        if client.addresses is None or client.client is None or not endpoint.vpc_id:
            return None
        if client.client.startswith(("i-", "sg-")):
            enis, _ = self._endpoints.client_enis(endpoint, client.client, self._membership)
            if all(one.vpc_id == endpoint.vpc_id for one in enis):
                return None
            return f"{client.client} is in another VPC: its way to {endpoint.vpc_id} is not part of the inventory"
        blocks = self._membership.vpc_blocks(endpoint.vpc_id)
        if blocks is None:
            return f"the address blocks of {endpoint.vpc_id} were not read"
        beyond = client.addresses - blocks
        if not beyond:
            return None
        return f"{told(beyond)} is not in {endpoint.vpc_id}: its way there is not part of the inventory"
