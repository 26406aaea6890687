"""Client ENIs and what their security groups let them send: hop `client_egress`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from auditor.facts.addresses import NOTHING, AddressSet, parse_addresses, union
from auditor.facts.decision import decide, verdict
from auditor.facts.endpoints import Endpoint, EndpointEni
from auditor.facts.hops.checks import Check
from auditor.facts.hops.ways import Way
from auditor.facts.membership import Interface
from auditor.facts.security_groups import BASIC, GroupSet, Peer

if TYPE_CHECKING:
    from auditor.facts.workshop import Workshop

_Key = tuple[GroupSet, AddressSet | None]


@dataclass(slots=True)
class Crowd:
    """Client ENIs that get one answer: same groups, and same addresses where a rule depends on them."""

    names: list[str] = field(default_factory=list)
    parts: list[AddressSet] = field(default_factory=list)
    addresses: AddressSet = NOTHING


@dataclass(slots=True)
class Cast:
    """The client ENIs of an endpoint or a VPC; `vague` are addresses that may be a client's, `gaps` say why."""

    crowds: dict[_Key, Crowd] = field(default_factory=dict)
    vague: AddressSet = NOTHING
    gaps: list[str] = field(default_factory=list)
    everything_vague: bool = False


class Senders:
    """Judges what the groups of client ENIs let them send to an endpoint ENI."""

    def __init__(self, workshop: Workshop) -> None:
        self._endpoints = workshop.endpoints
        self._groups = workshop.groups
        self._membership = workshop.groups.membership
        self._spec = workshop.spec
        self._casts: dict[str, Cast] = {}
        self._keys: dict[str, _Key] = {}
        self._without_rules: dict[GroupSet, bool] = {}
        self._free: dict[tuple[str, AddressSet, bool], Way] = {}

    def way(
        self, endpoint: Endpoint, eni: EndpointEni, peer_groups: GroupSet, protocol: str, port: int,
        domain: AddressSet, declared: bool,
    ) -> Way:  # fmt: skip
        """The hop for one endpoint ENI and port.  An address without an ENI has no groups: nothing cuts it here."""
        cast = self._cast(endpoint, declared)
        target = AddressSet(v4=eni.addresses.v4) if eni.addresses is not None else None
        denied, vague = NOTHING, cast.vague
        verdicts: list[bool | None] = [None] * len(cast.gaps)
        reasons: list[str | None] = list(cast.gaps)
        cut: list[str] = []
        for (groups, own), crowd in cast.crowds.items():
            answer: bool | None
            reason: str | None
            if not target:
                answer, reason = None, "the address of the endpoint ENI was not read"
            elif not groups.attached:
                answer, reason = None, f"the security groups of {crowd.names[0]} were not read"
            elif self._unbound(groups):
                answer, reason = True, None
            else:
                answer, reason = self._answer(groups, own, Peer(target, peer_groups), protocol, port)
            verdicts.append(answer)
            reasons.append(reason)
            if answer is False:
                cut.extend(crowd.names)
                denied = denied | crowd.addresses
            elif answer is None:
                vague = vague | crowd.addresses
        if not cut and None not in verdicts and not vague:
            return self._free_way(endpoint, domain, bool(verdicts))
        id_ = _some(cut) or endpoint.vpc_id or endpoint.endpoint_id
        known = union(crowd.addresses for crowd in cast.crowds.values()) if cast.everything_vague else domain
        # Where somebody else has the same address, nobody can tell who is meant.
        admitted = (domain & known) - denied - vague
        found = Way.of("SG-002", verdicts, declared, admitted, denied - vague, id_, reasons, domain, tell=False)
        if found.check.verdict is False:
            return found.with_detail(f"the groups of {_some(cut)} do not let them send to {eni.eni_ip}")
        return found.with_detail(f"not from {_some(cut)}") if found.check.verdict is True and cut else found

    def _free_way(self, endpoint: Endpoint, domain: AddressSet, anybody: bool) -> Way:
        """Nothing keeps anybody from sending."""
        key = (endpoint.vpc_id or endpoint.endpoint_id, domain, anybody)
        if key not in self._free:
            said = None if anybody else "no client ENI is known"
            self._free[key] = Way(domain, NOTHING, Check("SG-002", True, said), key[0], True)
        return self._free[key]

    def _unbound(self, groups: GroupSet) -> bool:
        """Basic groups without egress rules allow everything to everybody: the usual case, and no question of peers."""
        if groups not in self._without_rules:
            self._without_rules[groups] = groups.gap is None and all(
                self._groups.gap(group) is None
                and self._groups.group_type(group) == BASIC
                and not self._groups.rules.of(group, "egress")
                for group in groups.attached
            )
        return self._without_rules[groups]

    def _answer(
        self, groups: GroupSet, own: AddressSet | None, peer: Peer, protocol: str, port: int
    ) -> tuple[bool | None, str | None]:
        items = self._groups.egress_items(groups, protocol, port, own, peer)
        v4, v6 = decide(items, peer.addresses)
        (piece,) = (*v4, *v6)
        allowed = verdict(piece, items)
        mark = piece.drop_mark if items[piece.decider].accept else piece.accept_mark
        return allowed, items[mark].why if allowed is None and mark is not None else None

    # ---------------------------------------------------------------------------------------------------- who sends
    def _cast(self, endpoint: Endpoint, declared: bool) -> Cast:
        key = endpoint.endpoint_id if declared else endpoint.vpc_id or ""
        if key not in self._casts:
            cast = self._declared(endpoint) if declared else self._everybody(endpoint)
            for crowd in cast.crowds.values():
                crowd.addresses = union(crowd.parts)
            self._casts[key] = cast
        return self._casts[key]

    def _everybody(self, endpoint: Endpoint) -> Cast:
        cast = Cast()
        if not endpoint.vpc_id:
            cast.gaps.append("the VPC of the endpoint was not read")
            cast.everything_vague = True
            return cast
        self._add(cast, [one for one in self._others(endpoint) if not one.service_managed])
        unread = self._membership.incomplete(endpoint.vpc_id)
        if unread is not None:
            cast.gaps.append(unread)
            cast.everything_vague = True
        return cast

    def _others(self, endpoint: Endpoint) -> list[Interface]:
        own, _ = self._endpoints.endpoint_enis_of(endpoint.vpc_id or "")
        return [one for one in self._membership.by_vpc.get(endpoint.vpc_id or "", ()) if one.eni_id not in own]

    def _declared(self, endpoint: Endpoint) -> Cast:
        cast = Cast()
        if not endpoint.vpc_id:
            cast.gaps.append("the VPC of the endpoint was not read")
            return cast
        unread = self._membership.incomplete(endpoint.vpc_id)
        for client in dict.fromkeys(self._spec.endpoint(endpoint.endpoint_id).clients or ()):
            if client.startswith(("i-", "sg-")):
                enis, reason = self._endpoints.client_enis(endpoint, client, self._membership)
                self._add(cast, enis, named=True)
                if reason is not None:
                    cast.gaps.append(reason)
                continue
            block = parse_addresses(client)
            if block is None:
                cast.gaps.append(f"{client} is not an address block or id")
                continue
            inside = [one for one in self._others(endpoint) if one.addresses and one.addresses.overlaps(block)]
            self._add(cast, [one for one in inside if not one.service_managed])
            blocks = self._membership.vpc_blocks(endpoint.vpc_id)
            if unread is not None and (blocks is None or block.v6 or blocks.overlaps(block)):
                cast.gaps.append(unread)
        return cast

    def _add(self, cast: Cast, interfaces: Sequence[Interface], named: bool = False) -> None:
        """Adds ENIs; one that another product may run is a client only if it is named."""
        for one in interfaces:
            if one.service_managed is None and not named:
                cast.gaps.append(f"whether {one.eni_id} is run by another product was not read")
                cast.vague = cast.vague | (one.addresses or NOTHING)
                continue
            if one.eni_id not in self._keys:
                groups = GroupSet(
                    one.vpc_id, tuple(sorted(one.groups)), gap=self._membership.incomplete(one.vpc_id or "")
                )
                depends = self._groups.depends_on_own_address(groups, "egress")
                self._keys[one.eni_id] = groups, one.addresses if depends else None
            crowd = cast.crowds.setdefault(self._keys[one.eni_id], Crowd())
            if one.eni_id not in crowd.names:
                crowd.names.append(one.eni_id)
                crowd.parts.append(one.addresses or NOTHING)


def _some(names: Sequence[str], limit: int = 3) -> str:
    if len(names) <= limit:
        return ", ".join(names)
    return f"{', '.join(names[:limit])} and {len(names) - limit} more"
