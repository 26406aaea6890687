"""Whether the ENIs of clients may send to an endpoint ENI: fact `client_egress`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from auditor.facts.addresses import AddressSet, parse_addresses
from auditor.facts.decision import decide, verdict
from auditor.facts.endpoints import Endpoint, EndpointEni, Endpoints
from auditor.facts.membership import Interface
from auditor.facts.rows import joined
from auditor.facts.security_groups import GroupSet, Peer, SecurityGroups

if TYPE_CHECKING:
    from auditor.spec import Spec

_Verdict = tuple[bool | None, str | None, str | None]


class Egress:
    """Answers whether client ENIs may reach endpoint ENIs."""

    def __init__(self, endpoints: Endpoints, groups: SecurityGroups, spec: Spec) -> None:
        self._endpoints = endpoints
        self._groups = groups
        self._spec = spec
        self._of_client: dict[str, tuple[GroupSet, AddressSet | None]] = {}

    def client_egress(self) -> Iterator[dict[str, Any]]:
        """Rows of `client_egress`: client ENIs x endpoint ENIs x ports.

        Clients are the ENIs of what is declared, else those of the endpoint's VPC.  No endpoint ENI is a client, nor
        is an ENI that another product runs, unless it is declared by instance or group.  Where all ENIs are known
        and none is a client there is no row.
        """
        for endpoint in self._endpoints.every.values():
            clients, gaps = self._clients(endpoint)
            peer_groups = self._endpoints.group_set(endpoint)
            ports = self._endpoints.ports(endpoint)
            for eni in self._endpoints.enis(endpoint):
                for port in ports:
                    base = {
                        "endpoint_id": endpoint.endpoint_id,
                        "eni_id": eni.eni_id,
                        "protocol": port.protocol,
                        "port": port.port,
                    }
                    unknown = joined([text for text in (eni.reason, port.reason) if text])
                    # Clients with the same groups get the same answer.
                    answers: dict[Any, _Verdict] = {}
                    for client, declared, vague in clients:
                        reason = unknown or vague
                        if reason is not None or port.protocol is None or port.port is None:
                            found: _Verdict = None, None, reason
                        else:
                            asked = self._asked(client)
                            if asked not in answers:
                                answers[asked] = self._answer(asked, eni, peer_groups, port.protocol, port.port)
                            found = answers[asked]
                        yield {
                            **base,
                            "client_eni_id": client.eni_id,
                            "instance_id": client.instance_id or None,
                            "declared": declared,
                            "allowed": found[0],
                            "decided_by": found[1],
                            "reason": found[2],
                        }
                    for instance_id, declared, reason in gaps:
                        yield {**base, "instance_id": instance_id, "declared": declared, "reason": reason}

    def _clients(
        self, endpoint: Endpoint
    ) -> tuple[list[tuple[Interface, bool, str | None]], list[tuple[str | None, bool, str]]]:
        """Client ENIs (declared, why it is not sure that they are clients), and clients whose ENIs are not known."""
        declared = self._spec.endpoint(endpoint.endpoint_id).clients
        if not endpoint.vpc_id:
            return [], [(None, declared is not None, "the VPC of the endpoint was not read")]
        membership = self._groups.membership
        unread = membership.incomplete(endpoint.vpc_id)
        own, _ = self._endpoints.endpoint_enis_of(endpoint.vpc_id)
        others = [one for one in membership.by_vpc.get(endpoint.vpc_id, []) if one.eni_id not in own]
        if declared is None:
            clients = [(one, False, _vague(one)) for one in others if not one.service_managed]
            return clients, [(None, False, unread)] if unread else []
        found: dict[str, tuple[Interface, bool, str | None]] = {}
        gaps: list[tuple[str | None, bool, str]] = []
        for client in dict.fromkeys(declared):
            if client.startswith(("i-", "sg-")):
                enis, reason = self._endpoints.client_enis(endpoint, client, membership)
                found.update((one.eni_id, (one, True, None)) for one in enis)
                if reason is not None:
                    gaps.append((client if client.startswith("i-") else None, True, reason))
                continue
            block = parse_addresses(client)
            if block is None:
                gaps.append((None, True, f"{client} is not an address block or id"))
                continue
            for one in others:
                if not one.service_managed and one.addresses is not None and one.addresses.overlaps(block):
                    found.setdefault(one.eni_id, (one, True, _vague(one)))
            blocks = membership.vpc_blocks(endpoint.vpc_id)
            if unread and (blocks is None or block.v6 or blocks.overlaps(block)):
                gaps.append((None, True, unread))
        return list(found.values()), gaps

    def _asked(self, client: Interface) -> tuple[GroupSet, AddressSet | None]:
        """The groups of a client ENI, and its addresses where a rule depends on them."""
        if client.eni_id not in self._of_client:
            names = tuple(sorted(client.groups))
            groups = GroupSet(client.vpc_id, names, gap=self._groups.membership.incomplete(client.vpc_id or ""))
            by_address = self._groups.depends_on_own_address(groups, "egress")
            self._of_client[client.eni_id] = groups, client.addresses if by_address else None
        return self._of_client[client.eni_id]

    def _answer(
        self,
        asked: tuple[GroupSet, AddressSet | None],
        eni: EndpointEni,
        peer_groups: GroupSet,
        protocol: str,
        port: int,
    ) -> _Verdict:
        groups, own = asked
        # The address in eni_ip, not the IPv6 one beside it.
        target = AddressSet(v4=eni.addresses.v4) if eni.addresses is not None else None
        if not target:
            return None, None, "the address of the endpoint ENI was not read"
        if not groups.attached:
            return None, None, "the security groups of the client ENI were not read"
        return self._decide(groups, own, Peer(target, peer_groups), protocol, port)

    def _decide(self, groups: GroupSet, own: AddressSet | None, peer: Peer, protocol: str, port: int) -> _Verdict:
        items = self._groups.egress_items(groups, protocol, port, own, peer)
        v4, v6 = decide(items, peer.addresses)
        (piece,) = (*v4, *v6)
        allowed = verdict(piece, items)
        if allowed is not None:
            return allowed, items[piece.decider].label, None
        mark = piece.drop_mark if items[piece.decider].accept else piece.accept_mark
        return None, None, items[mark].why if mark is not None else None


def _vague(interface: Interface) -> str | None:
    if interface.service_managed is None:
        return f"whether {interface.eni_id} is run by another product was not read"
    return None
