"""Hops in front of the endpoint: `client`, `client_egress`, `client_network_acl`, `network_acl`, `security_groups`.

Each of the last four admits a set of client addresses.  Declared clients have to be in all of them; of undeclared ones
a part has to be in all of them at once: what one hop admits and another cuts does not get through.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from auditor.facts.acl_access import extent
from auditor.facts.addresses import NOTHING, AddressSet, parse_addresses, union
from auditor.facts.endpoints import Endpoint, EndpointClient, EndpointEni, EndpointPort
from auditor.facts.hops.checks import Check, make_hop
from auditor.facts.hops.links import Link
from auditor.facts.hops.senders import Senders
from auditor.facts.hops.ways import Way, told
from auditor.findings import Hop

if TYPE_CHECKING:
    from auditor.facts.hops.knowledge import Knowledge
    from auditor.facts.network_acls import Passage
    from auditor.facts.security_groups import GroupSet
    from auditor.facts.workshop import Workshop

KINDS = ("client", "client_egress", "client_network_acl", "network_acl", "security_groups")


class Party(NamedTuple):
    """The clients of an endpoint: each with its addresses, all together, and those that count for what passes."""

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


class Clients:
    """Judges which clients get to an endpoint ENI."""

    def __init__(self, workshop: Workshop, knowledge: Knowledge) -> None:
        self._workshop = workshop
        self._knowledge = knowledge
        self._endpoints = workshop.endpoints
        self._groups = workshop.groups
        self._membership = workshop.groups.membership
        self._acls = workshop.acls
        self._stray = any(not vswitch.vpc_id for vswitch in workshop.acls.vswitches.values())
        self._senders = Senders(workshop)
        self._parties: dict[tuple[str, bool], Party] = {}
        self._passages: dict[tuple[Any, ...], Passage] = {}

    # -------------------------------------------------------------------------------------------------- who they are
    def party(self, endpoint: Endpoint) -> Party:
        """The clients of an endpoint."""
        declared = self._workshop.spec.endpoint(endpoint.endpoint_id).clients is not None
        if declared:
            return self._party(endpoint, True)
        key = (endpoint.vpc_id or "", self._listed(endpoint))
        if key not in self._parties:
            self._parties[key] = self._party(endpoint, False)
        return self._parties[key]

    def _party(self, endpoint: Endpoint, declared: bool) -> Party:
        clients = tuple(self._endpoints.clients(endpoint, self._membership))
        addresses = union(client.addresses for client in clients if client.addresses is not None)
        reasons = tuple(client.reason for client in clients if client.reason is not None)
        if not declared:
            beside = self._nobody(endpoint.vpc_id or "")
            return Party(clients, False, addresses, self._domain(endpoint, addresses, beside), beside, reasons, ())
        outside = tuple(text for client in clients if (text := self._outside(endpoint, client)) is not None)
        return Party(clients, True, addresses, addresses, NOTHING, reasons, outside)

    def _listed(self, endpoint: Endpoint) -> bool:
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
        if self._listed(endpoint) and vswitches and len(blocks) == len(vswitches):
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

    # -------------------------------------------------------------------------------------------------------- hops
    def hops(self, link: Link, endpoint: Endpoint, eni: EndpointEni, port: EndpointPort) -> tuple[Hop, ...]:
        """The five hops of the clients to one endpoint ENI and port."""
        own = link.own
        if own is None or own.endpoint_type is None:
            reason = self._knowledge.gap("endpoints", "", link.consumer, link.endpoint_id)
            if own is not None:
                reason = f"the type of {link.endpoint_id} was not read"
            id_ = link.vpc_id or link.endpoint_id
            return tuple(make_hop(kind, id_, link.consumer, [Check(None, None, reason)]) for kind in KINDS)
        party = self.party(endpoint)
        unknown = [text for text in (eni.reason, port.reason, *party.reasons) if text]
        whole = Way(NOTHING, NOTHING, Check(None, None, unknown[0] if unknown else None), endpoint.endpoint_id)
        groups = self._workshop.endpoints.group_set(endpoint)
        vswitch_id = self._workshop.vswitches.get((endpoint.endpoint_id, eni.zone_id or ""))
        answered = eni.reason is None and port.protocol is not None and port.port is not None
        if answered and port.protocol is not None and port.port is not None:
            egress = self._senders.way(endpoint, eni, groups, port.protocol, port.port, party.domain, party.declared)
            admits = self._security(party, groups, eni, port.protocol, port.port)
        else:
            egress = admits = whole
        client_acl = self._client_acl(endpoint, party, vswitch_id, eni, port)
        acl = self._acl(party, vswitch_id, eni, port)
        ways = (egress, client_acl, acl, admits)
        attached = ", ".join(groups.attached) or endpoint.endpoint_id
        consumer = link.consumer
        return (
            make_hop("client", party.id if party.declared else endpoint.vpc_id or endpoint.endpoint_id, consumer,
                     self._joint(party, ways, bool(unknown))),
            make_hop("client_egress", egress.id, consumer, [egress.check._replace(rule_id="SG-002")]),
            make_hop("client_network_acl", client_acl.id, consumer, [client_acl.check._replace(rule_id="NET-008")]),
            make_hop("network_acl", acl.id, consumer, [acl.check._replace(rule_id="NET-006")]),
            make_hop("security_groups", attached, consumer, _group_checks(groups, admits)),
        )  # fmt: skip

    def _joint(self, party: Party, ways: tuple[Way, ...], unknown: bool) -> list[Check]:
        """Whether clients get through all hops at once; a hop that cuts all of them speaks for itself."""
        checks = [Check(None, None, reason) for reason in (*party.reasons, *party.outside)]
        verdicts = [way.check.verdict for way in ways]
        name = party.id
        if party.declared:
            return [*checks, Check(None, True, f"all of {name}" if all(verdicts) else name)]
        if unknown:
            return checks or [Check(None, True, name)]
        passing, possible = party.domain, party.domain
        for way in ways:
            passing = passing & way.admitted
            possible = possible - way.denied
        if passing:
            return [*checks, Check(None, True, f"{told(passing, party.beside)} of {name}")]
        if possible or not party.domain:
            verdict = None if all(verdicts) else True
            return [
                *checks,
                Check(
                    None,
                    verdict,
                    f"whether a part of {name} passes every hop is not decided" if verdict is None else name,
                ),
            ]
        if False in verdicts:
            return [*checks, Check(None, True, name)]
        passed = "; ".join(f"{way.id} admits {told(way.admitted & party.domain) or 'nothing'}" for way in ways)
        return [*checks, Check(None, False, f"no address of {name} passes every hop: {passed}")]

    # ------------------------------------------------------------------------------------------- endpoint's own hops
    def _security(self, party: Party, groups: GroupSet, eni: EndpointEni, protocol: str, port: int) -> Way:
        admitted, denied, undecided = NOTHING, NOTHING, NOTHING
        verdicts: list[bool | None] = []
        reasons = []
        _, ignored = self._endpoints.endpoint_enis_of(groups.vpc_id or "")
        for client in party.clients:
            if client.addresses is None:
                verdicts.append(None)
                reasons.append(client.reason)
                continue
            found = self._workshop.access.admission(groups, client.addresses, protocol, port, eni.addresses)
            judged = client.addresses - ignored or client.addresses
            yes = _parsed(found.admitted) & judged
            admitted, denied = admitted | yes, denied | (_parsed(found.denied) & judged)
            undecided = undecided | _parsed(found.undecided)
            verdicts.append(_stands(found.verdict, party.declared, bool(yes)))
            reasons.append(found.reason)
        return Way.of(verdicts, party.declared, admitted, denied, ", ".join(groups.attached), reasons, party.beside)

    def _acl(self, party: Party, vswitch_id: str | None, eni: EndpointEni, port: EndpointPort) -> Way:
        """The network ACL of the endpoint ENI's vSwitch; traffic inside the vSwitch does not pass it."""
        id_ = vswitch_id or eni.eni_id or "vswitch"
        gap = eni.reason or self._acls.gap(vswitch_id)
        if gap is not None or vswitch_id is None:
            return Way(NOTHING, NOTHING, Check(None, None, gap), id_)
        acl_id = self._acls.acl_of(vswitch_id)
        if not acl_id:
            return Way(party.addresses, NOTHING, Check(None, True, "no network ACL"), id_)
        own = self._acls.vswitches[vswitch_id].block
        reason = port.reason or (f"the address block of {vswitch_id} was not read" if own is None else None)
        if reason is not None or own is None or port.protocol is None or port.port is None:
            return Way(NOTHING, NOTHING, Check(None, None, reason), acl_id)
        admitted, denied = NOTHING, NOTHING
        verdicts: list[bool | None] = []
        reasons: list[str | None] = []
        for client in party.clients:
            if client.addresses is None:
                verdicts.append(None)
                reasons.append(client.reason)
                continue
            outside = client.addresses - own
            found = self._at_server(acl_id, port.protocol, outside, port.port)
            yes = found.admitted | (client.addresses & own)
            admitted, denied = admitted | yes, denied | found.denied
            verdicts.append(_stands(extent(client.addresses, yes, found.denied), party.declared, bool(yes)))
            if found.undecided:
                reasons.append(f"replies to {told(found.undecided)} pass in part, or an entry was not read")
        return Way.of(verdicts, party.declared, admitted, denied, acl_id, reasons)

    def _at_server(self, acl_id: str, protocol: str, clients: AddressSet, port: int) -> Passage:
        key = (acl_id, protocol, clients, port)
        if key not in self._passages:
            self._passages[key] = self._acls.at_server(acl_id, protocol, clients, port)
        return self._passages[key]

    # ------------------------------------------------------------------------------------------------ client vSwitches
    def _client_acl(
        self, endpoint: Endpoint, party: Party, own: str | None, eni: EndpointEni, port: EndpointPort
    ) -> Way:
        """The network ACLs of the vSwitches that hold clients, but for the endpoint ENI's own."""
        admitted = NOTHING
        denied: list[AddressSet] = []
        verdicts: list[bool | None] = []
        reasons: list[str | None] = []
        ids: list[str] = []
        rest = party.addresses
        for vswitch in sorted(self._acls.by_vpc.get(endpoint.vpc_id or "", ()), key=lambda one: one.vswitch_id):
            held = rest if vswitch.block is None else party.addresses & vswitch.block
            if not held:
                continue
            if vswitch.block is not None:
                rest = rest - vswitch.block
            if vswitch.vswitch_id == own:
                verdict: bool | None = True if vswitch.block is not None else None
                reason = None
            else:
                verdict, reason = self._from(vswitch.vswitch_id, vswitch.block is None, eni, port)
                ids.append(self._acls.acl_of(vswitch.vswitch_id) if self._acls.gap(vswitch.vswitch_id) is None else "")
            verdicts.append(verdict)
            reasons.append(reason)
            if vswitch.block is not None and verdict is True:
                admitted = admitted | held
            elif vswitch.block is not None and verdict is False:
                denied.append(held)
        if not self._listed(endpoint):
            verdicts.append(None)
            reasons.append("the vSwitches were not read completely")
        elif not any(vswitch.block is None for vswitch in self._acls.by_vpc.get(endpoint.vpc_id or "", ())):
            admitted = admitted | rest
        names = ", ".join(dict.fromkeys(name for name in ids if name)) or endpoint.vpc_id or endpoint.endpoint_id
        if not verdicts:
            return Way(admitted, NOTHING, Check(None, True, "no vSwitch of the VPC holds clients"), names)
        return Way.of(verdicts, party.declared, admitted, union(denied), names, reasons)

    def _from(
        self, vswitch_id: str, blind: bool, eni: EndpointEni, port: EndpointPort
    ) -> tuple[bool | None, str | None]:
        gap = self._acls.gap(vswitch_id)
        if gap is None and not self._acls.acl_of(vswitch_id):
            return True, None
        reason = gap or eni.reason or port.reason or (f"the block of {vswitch_id} was not read" if blind else None)
        if reason is not None or eni.addresses is None or port.protocol is None or port.port is None:
            return None, reason or "the address of the endpoint ENI was not read"
        target = AddressSet(v4=eni.addresses.v4) if eni.addresses.v4 else eni.addresses
        key = (vswitch_id, port.protocol, target, port.port)
        if key not in self._passages:
            acl_id = self._acls.acl_of(vswitch_id)
            self._passages[key] = self._acls.at_client(acl_id, port.protocol, target, port.port)
        found = self._passages[key]
        verdict = {"all": True, "none": False}.get(extent(target, found.admitted, found.denied) or "")
        return verdict, None if verdict is not None else "replies pass in part, or an entry was not read"


def _stands(verdict: str | None, declared: bool, some: bool) -> bool | None:
    """What "all", "part" or "none" means: the whole of a declared client counts, of another a part is enough."""
    if declared:
        return {"all": True, "part": False, "none": False}.get(verdict or "")
    return True if some else False if verdict == "none" else None


def _group_checks(groups: GroupSet, admits: Way) -> list[Check]:
    attached = _attached(groups)
    # Without any group nobody is admitted: one fault, not two.
    return [attached] if attached.verdict is False else [attached, admits.check._replace(rule_id="SG-001")]


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
