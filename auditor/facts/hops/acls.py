"""Hops `network_acl` and `client_network_acl`: the network ACLs of the endpoint's vSwitch and of the clients' ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from auditor.facts.acl_access import extent
from auditor.facts.addresses import NOTHING, AddressSet, union
from auditor.facts.endpoints import Endpoint, EndpointEni, EndpointPort
from auditor.facts.hops.checks import Check
from auditor.facts.hops.parties import Parties, Party
from auditor.facts.hops.ways import Way, stands, told

if TYPE_CHECKING:
    from auditor.facts.network_acls import Passage
    from auditor.facts.workshop import Workshop


class Acls:
    """Judges network ACLs; where none is bound, ENI and port do not matter, and one answer serves all."""

    def __init__(self, workshop: Workshop, parties: Parties) -> None:
        self._acls = workshop.acls
        self._parties = parties
        self._passages: dict[tuple[Any, ...], Passage] = {}
        self._fixed: dict[tuple[Any, ...], Way] = {}
        self._free: dict[str, bool] = {}

    def at_endpoint(self, party: Party, vswitch_id: str | None, eni: EndpointEni, port: EndpointPort) -> Way:
        """The network ACL of the endpoint ENI's vSwitch; traffic inside the vSwitch does not pass it."""
        if vswitch_id is None or eni.reason is not None:
            gap = eni.reason or self._acls.gap(vswitch_id)
            return Way(NOTHING, NOTHING, Check("NET-006", None, gap), vswitch_id or eni.eni_id or "vswitch")
        key = (party.key, vswitch_id)
        if key not in self._fixed:
            gap = self._acls.gap(vswitch_id)
            if gap is not None:
                self._fixed[key] = Way(NOTHING, NOTHING, Check("NET-006", None, gap), vswitch_id)
            elif not self._acls.acl_of(vswitch_id):
                check = Check("NET-006", True, "no network ACL")
                self._fixed[key] = Way(party.addresses, NOTHING, check, vswitch_id, True)
            else:
                return self._bound(party, vswitch_id, port)
        return self._fixed[key]

    def _bound(self, party: Party, vswitch_id: str, port: EndpointPort) -> Way:
        acl_id = self._acls.acl_of(vswitch_id)
        own = self._acls.vswitches[vswitch_id].block
        reason = port.reason or (f"the address block of {vswitch_id} was not read" if own is None else None)
        if reason is not None or own is None or port.protocol is None or port.port is None:
            return Way(NOTHING, NOTHING, Check("NET-006", None, reason), acl_id)
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
            verdicts.append(stands(extent(client.addresses, yes, found.denied), party.declared, bool(yes)))
            if found.undecided:
                reasons.append(f"replies to {told(found.undecided)} pass in part, or an entry was not read")
        return Way.of("NET-006", verdicts, party.declared, admitted, denied, acl_id, reasons, party.addresses)

    def _at_server(self, acl_id: str, protocol: str, clients: AddressSet, port: int) -> Passage:
        key = (acl_id, protocol, clients, port)
        if key not in self._passages:
            self._passages[key] = self._acls.at_server(acl_id, protocol, clients, port)
        return self._passages[key]

    # ------------------------------------------------------------------------------------------------ client vSwitches
    def at_clients(
        self, endpoint: Endpoint, party: Party, own: str | None, eni: EndpointEni, port: EndpointPort
    ) -> Way:
        """The network ACLs of the vSwitches that hold clients, but for the endpoint ENI's own."""
        vpc_id = endpoint.vpc_id or ""
        if vpc_id not in self._free:
            known = [one.vswitch_id for one in self._acls.by_vpc.get(vpc_id, ())]
            self._free[vpc_id] = all(self._acls.gap(one) is not None or not self._acls.acl_of(one) for one in known)
        if not self._free[vpc_id]:
            return self._from_clients(endpoint, party, own, eni, port)
        key = (party.key, own, vpc_id)
        if key not in self._fixed:
            self._fixed[key] = self._from_clients(endpoint, party, own, eni, port)
        return self._fixed[key]

    def _from_clients(
        self, endpoint: Endpoint, party: Party, own: str | None, eni: EndpointEni, port: EndpointPort
    ) -> Way:
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
        if not self._parties.lists_vswitches(endpoint):
            verdicts.append(None)
            reasons.append("the vSwitches were not read completely")
        elif not any(vswitch.block is None for vswitch in self._acls.by_vpc.get(endpoint.vpc_id or "", ())):
            admitted = admitted | rest
        names = ", ".join(dict.fromkeys(name for name in ids if name)) or endpoint.vpc_id or endpoint.endpoint_id
        if not verdicts:
            check = Check("NET-008", True, "no vSwitch of the VPC holds clients")
            return Way(admitted, NOTHING, check, names, admitted == party.addresses)
        return Way.of("NET-008", verdicts, party.declared, admitted, union(denied), names, reasons, party.addresses)

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
