"""Hops in front of the endpoint: `client`, `client_egress`, `client_network_acl`, `network_acl`, `security_groups`.

Each of the last four admits a set of client addresses.  Declared clients have to be in all of them; of undeclared ones
a part has to be in all of them at once: what one hop admits and another cuts does not get through.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from auditor.facts.addresses import NOTHING, AddressSet, parse_addresses, union
from auditor.facts.endpoints import Endpoint, EndpointEni, EndpointPort
from auditor.facts.hops.acls import Acls
from auditor.facts.hops.checks import Check, make_hop
from auditor.facts.hops.links import Link
from auditor.facts.hops.parties import Parties, Party
from auditor.facts.hops.senders import Senders
from auditor.facts.hops.ways import Way, shortened, stands, told
from auditor.findings import Hop

if TYPE_CHECKING:
    from auditor.facts.hops.knowledge import Knowledge
    from auditor.facts.security_groups import GroupSet
    from auditor.facts.workshop import Workshop

KINDS = ("client", "client_egress", "client_network_acl", "network_acl", "security_groups")


class Clients:
    """Judges which clients get to an endpoint ENI."""

    def __init__(self, workshop: Workshop, knowledge: Knowledge) -> None:
        self._workshop = workshop
        self._knowledge = knowledge
        self._endpoints = workshop.endpoints
        self._parties = Parties(workshop)
        self._acls = Acls(workshop, self._parties)
        self._senders = Senders(workshop)
        self._admissions: dict[tuple[Any, ...], tuple[Way, Any]] = {}
        self._made: dict[tuple[str, int, str | None], tuple[Any, Hop]] = {}
        self._passing: dict[AddressSet, str] = {}

    def party(self, endpoint: Endpoint) -> Party:
        """The clients of an endpoint."""
        return self._parties.party(endpoint)

    def hops(
        self,
        link: Link,
        endpoint: Endpoint,
        party: Party,
        groups: GroupSet,
        eni: EndpointEni,
        port: EndpointPort,
    ) -> tuple[Hop, ...]:
        """The five hops of the clients to one endpoint ENI and port; party and groups are those of the endpoint."""
        own, consumer = link.own, link.consumer
        if own is None or own.endpoint_type is None:
            reason = self._knowledge.gap("endpoints", "", consumer, link.endpoint_id)
            if own is not None:
                reason = f"the type of {link.endpoint_id} was not read"
            id_ = link.vpc_id or link.endpoint_id
            return tuple(make_hop(kind, id_, consumer, [Check(None, None, reason)]) for kind in KINDS)
        known = eni.reason is None and not party.reasons
        if eni.reason is None and port.protocol is not None and port.port is not None:
            egress = self._senders.way(endpoint, eni, groups, port.protocol, port.port, party.domain, party.declared)
            admits = self._security(party, groups, eni, port.protocol, port.port)
        else:
            known = False
            reason = eni.reason or port.reason or "the port is not known"
            egress = Way(NOTHING, NOTHING, Check("SG-002", None, reason), endpoint.endpoint_id)
            admits = Way(NOTHING, NOTHING, Check("SG-001", None, reason), endpoint.endpoint_id)
        vswitch_id = self._workshop.vswitches.get((endpoint.endpoint_id, eni.zone_id or ""))
        client_acl = self._acls.at_clients(endpoint, party, vswitch_id, eni, port)
        acl = self._acls.at_endpoint(party, vswitch_id, eni, port)
        name = party.id if party.declared else endpoint.vpc_id or endpoint.endpoint_id
        return (
            make_hop("client", name, consumer, self._joint(party, (egress, client_acl, acl, admits), known)),
            self._hop("client_egress", egress, consumer),
            self._hop("client_network_acl", client_acl, consumer),
            self._hop("network_acl", acl, consumer),
            self._group_hop(endpoint, groups, admits, consumer),
        )

    def _group_hop(self, endpoint: Endpoint, groups: GroupSet, admits: Way, consumer: str | None) -> Hop:
        key = (endpoint.endpoint_id, id(admits), consumer)
        found = self._made.get(key)
        if found is None:
            id_ = ", ".join(groups.attached) or endpoint.endpoint_id
            found = self._made[key] = admits, make_hop("security_groups", id_, consumer, _group_checks(groups, admits))
        return found[1]

    def _hop(self, kind: str, way: Way, consumer: str | None) -> Hop:
        """The hop of a way; many endpoints share a way, and then the hop."""
        key = (kind, id(way), consumer)
        found = self._made.get(key)
        if found is None:
            # With the way, so that its number stays its own.
            found = self._made[key] = way, make_hop(kind, way.id, consumer, [way.check])
        return found[1]

    def _joint(self, party: Party, ways: tuple[Way, ...], known: bool) -> list[Check]:
        """Whether clients get through all hops at once; a hop that cuts all of them speaks for itself."""
        checks = [Check(None, None, reason) for reason in (*party.reasons, *party.outside)]
        verdicts = [way.check.verdict for way in ways]
        name = party.id
        if party.declared:
            return [*checks, Check(None, True, f"all of {name}" if all(verdicts) else name)]
        if not known:
            return checks or [Check(None, True, name)]
        passing, possible = party.domain, party.domain
        for way in ways:
            if not way.whole:
                passing = passing & way.admitted
                possible = possible - way.denied if way.denied else possible
        if passing:
            return [*checks, Check(None, True, f"{self._told(passing, party)} of {name}")]
        if possible or False in verdicts:
            if None in verdicts or False in verdicts:
                return [*checks, Check(None, True, name)]
            return [*checks, Check(None, None, f"whether a part of {name} passes every hop is not decided")]
        passed = "; ".join(f"{way.id} admits {told(way.admitted & party.domain) or 'nothing'}" for way in ways)
        return [*checks, Check(None, False, f"no address of {name} passes every hop: {passed}")]

    def _told(self, passing: AddressSet, party: Party) -> str:
        if passing != party.domain:
            return told(passing, party.beside)
        if passing not in self._passing:
            self._passing[passing] = told(passing, party.beside)
        return self._passing[passing]

    def _security(self, party: Party, groups: GroupSet, eni: EndpointEni, protocol: str, port: int) -> Way:
        """What the security groups of the endpoint admit."""
        access = self._workshop.access
        found = [
            (client, access.admission(groups, client.addresses, protocol, port, eni.addresses))
            for client in party.clients
            if client.addresses is not None
        ]
        key = (party.key, groups.attached, *(id(one) for _, one in found))
        if key not in self._admissions:
            self._admissions[key] = self._admitted(party, groups, found), found
        return self._admissions[key][0]

    def _admitted(self, party: Party, groups: GroupSet, found: list[tuple[Any, Any]]) -> Way:
        admitted, denied = NOTHING, NOTHING
        verdicts: list[bool | None] = [None] * (len(party.clients) - len(found))
        _, ignored = self._endpoints.endpoint_enis_of(groups.vpc_id or "")
        for client, one in found:
            if one.verdict == "all":
                admitted = admitted | client.addresses
                verdicts.append(True)
            elif one.verdict == "none":
                denied = denied | client.addresses
                verdicts.append(False)
            else:
                judged = client.addresses - ignored or client.addresses
                yes = _parsed(one.admitted) & judged
                no = judged - yes
                if one.undecided:
                    no = no - _parsed(one.undecided)
                admitted, denied = admitted | yes, denied | no
                verdicts.append(stands(one.verdict, party.declared, bool(yes)))
        texts = {
            True: [one.admitted for _, one in found if one.admitted],
            False: [one.denied for _, one in found if one.denied],
        }
        reasons = [one.reason for _, one in found]
        id_ = ", ".join(groups.attached)
        way = Way.of("SG-001", verdicts, party.declared, admitted, denied, id_, reasons, party.addresses, tell=False)
        verdict = way.check.verdict
        if verdict is None:
            return way
        words = "admits" if verdict else "cuts off"
        return way.with_detail(f"{words} {shortened(', '.join(texts[verdict]))}" if texts[verdict] else None)


def _group_checks(groups: GroupSet, admits: Way) -> list[Check]:
    attached = _attached(groups)
    # Without any group nobody is admitted: one fault, not two.
    return [attached] if attached.verdict is False else [attached, admits.check]


def _attached(groups: GroupSet) -> Check:
    if groups.attached:
        return Check("EP-005", True)
    if groups.gap is not None:
        return Check("EP-005", None, groups.gap)
    if groups.transitional:
        told_ = ", ".join(f"{group} is {status}" for group, status in groups.transitional)
        return Check("EP-005", None, told_)
    return Check("EP-005", False, "no security group is attached")


@lru_cache(maxsize=65536)
def _parsed(text: str) -> AddressSet:
    """Address blocks as facts write them."""
    blocks = [parse_addresses(part) for part in text.split(", ")] if text else []
    return union(block for block in blocks if block is not None)
