"""What network ACLs do to the traffic of an endpoint: facts `endpoint_acl_access` and `client_acl_access`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from auditor.facts.addresses import NOTHING, AddressSet, parse_addresses, union
from auditor.facts.endpoints import Endpoint, Endpoints
from auditor.facts.membership import Membership
from auditor.facts.network_acls import AclEntry, Passage, entries_of, passage
from auditor.facts.rows import gap_sentence, joined, rows
from auditor.inventory.coverage import ANY_TARGET

if TYPE_CHECKING:
    from auditor.inventory.coverage import Coverage
    from auditor.inventory.snapshot import Snapshot

_ENTRY = ("network_acl_id", "direction", "position", "entry_id", "policy", "protocol", "port", "cidr")


@dataclass(frozen=True, slots=True)
class VSwitch:
    """A vSwitch with its blocks and its network ACL ("" for none, None where it was not read)."""

    vswitch_id: str
    vpc_id: str | None
    network_acl_id: str | None
    block: AddressSet | None
    home: tuple[str | None, str | None]


class NetworkAcls:
    """The vSwitches and network ACLs of a snapshot, ready to be asked."""

    def __init__(self, snapshot: Snapshot, coverage: Coverage) -> None:
        self._coverage = coverage
        self.vswitches: dict[str, VSwitch] = {}
        for vswitch_id, vpc_id, acl, v4, v6, *home in rows(
            snapshot["vswitches"],
            *("vswitch_id", "vpc_id", "network_acl_id", "cidr_block", "ipv6_cidr_block", "account_id", "region_id"),
        ):
            blocks = [parse_addresses(text) for text in (v4, v6) if text]
            known = None if not blocks or None in blocks else union(one for one in blocks if one is not None)
            self.vswitches.setdefault(vswitch_id, VSwitch(vswitch_id, vpc_id, acl, known, (home[0], home[1])))
        self.by_vpc: dict[str, list[VSwitch]] = defaultdict(list)
        self.homeless: list[VSwitch] = []
        for vswitch in self.vswitches.values():
            if vswitch.vpc_id:
                self.by_vpc[vswitch.vpc_id].append(vswitch)
            else:
                self.homeless.append(vswitch)
        self._listed: dict[tuple[str | None, str | None], bool] = {}
        for table, target, complete, account, region in rows(
            snapshot.coverage, "table_name", "target", "complete", "account_id", "region_id"
        ):
            if table == "vswitches" and target in ("", ANY_TARGET):
                key = (account, region)
                self._listed[key] = self._listed.get(key, False) or bool(complete)
        self._homes: dict[str, tuple[str | None, str | None]] = {
            endpoint_id: (account, region)
            for endpoint_id, account, region in rows(snapshot["endpoints"], "endpoint_id", "account_id", "region_id")
        }
        lists: dict[str, list[AddressSet | None]] = defaultdict(list)
        for list_id, cidr in rows(snapshot["prefix_list_entries"], "prefix_list_id", "cidr"):
            lists[list_id].append(parse_addresses(cidr))
        self._prefix_lists = lists
        self._rows: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
        for values in rows(snapshot["network_acl_entries"], *_ENTRY):
            row = dict(zip(_ENTRY, values, strict=True))
            self._rows[row["network_acl_id"], row["direction"]].append(row)
        self._entries: dict[tuple[str, str], list[AclEntry]] = {}

    def _prefix_list(self, list_id: str) -> AddressSet | None:
        if not self._coverage.complete("prefix_list_entries", list_id):
            return None
        parts = self._prefix_lists.get(list_id, [])
        return None if None in parts else union(one for one in parts if one is not None)

    def near(self, endpoint: Endpoint) -> list[VSwitch]:
        """The vSwitches of the endpoint's VPC, and those of its account and region whose VPC was not read."""
        home = self._homes.get(endpoint.endpoint_id)
        found = [*self.by_vpc.get(endpoint.vpc_id or "", ()), *(one for one in self.homeless if one.home == home)]
        return sorted(found, key=lambda one: one.vswitch_id)

    def lists_vswitches(self, endpoint_id: str) -> bool:
        """True if the vSwitches of the endpoint's account and region were read completely."""
        return self._listed.get(self._homes.get(endpoint_id, (None, None)), False)

    def entries(self, acl_id: str, direction: str) -> list[AclEntry]:
        """The entries of an ACL in one direction, in the order in which they are taken."""
        key = (acl_id, direction)
        if key not in self._entries:
            self._entries[key] = entries_of(self._rows.get(key, ()), self._prefix_list)
        return self._entries[key]

    def gap(self, vswitch_id: str | None) -> str | None:
        """Why it is not known what the ACL of a vSwitch does; None if it is known."""
        vswitch = self.vswitches.get(vswitch_id or "")
        if vswitch is None:
            return f"vSwitch {vswitch_id} was not read" if vswitch_id else "the vSwitch was not read"
        if vswitch.network_acl_id is None:
            return f"the network ACL of {vswitch_id} was not read"
        acl = vswitch.network_acl_id
        if acl and not self._coverage.complete("network_acl_entries", acl):
            return gap_sentence(self._coverage, "network_acl_entries", acl)
        return None

    def acl_of(self, vswitch_id: str) -> str:
        """The ACL of a vSwitch for which `gap` is None; empty for none."""
        return self.vswitches[vswitch_id].network_acl_id or ""

    def at_server(self, acl_id: str, protocol: str, clients: AddressSet, port: int) -> Passage:
        """The exchange of clients with a server behind the ACL: request in, reply out."""
        return self._pass(acl_id, "ingress", "egress", protocol, clients, port)

    def at_client(self, acl_id: str, protocol: str, server: AddressSet, port: int) -> Passage:
        """The exchange of a client behind the ACL with a server: request out, reply in."""
        return self._pass(acl_id, "egress", "ingress", protocol, server, port)

    def _pass(self, acl_id: str, there: str, back: str, protocol: str, others: AddressSet, port: int) -> Passage:
        if not acl_id:
            return Passage(others, NOTHING, NOTHING, NOTHING, ())
        return passage(self.entries(acl_id, there), self.entries(acl_id, back), protocol, others, port)


def extent(whole: AddressSet, admitted: AddressSet, denied: AddressSet) -> str | None:
    """all, part or none of `whole`; None if the undecided rest matters (part is sure once something is admitted)."""
    if not whole - admitted:
        return "all"
    if not whole - denied:
        return "none"
    return "part" if admitted and denied else None


def endpoint_acl_access(
    endpoints: Endpoints, acls: NetworkAcls, membership: Membership, vswitch_of: Mapping[tuple[str, str], str | None]
) -> Iterator[dict[str, Any]]:
    """Rows of `endpoint_acl_access`: endpoint ENIs x ports x clients.

    `vswitch_of` gives the vSwitch of an (endpoint id, zone id).  Clients in the ENI's own vSwitch do not pass the ACL.
    """
    for endpoint in endpoints.every.values():
        for eni in endpoints.enis(endpoint):
            vswitch_id = vswitch_of.get((endpoint.endpoint_id, eni.zone_id or ""))
            acl_gap = eni.reason or acls.gap(vswitch_id)
            for port in endpoints.ports(endpoint):
                for client in endpoints.clients(endpoint, membership):
                    base = {
                        "endpoint_id": endpoint.endpoint_id,
                        "zone_id": eni.zone_id,
                        "eni_id": eni.eni_id,
                        "vswitch_id": vswitch_id,
                        "protocol": port.protocol,
                        "port": port.port,
                        "client": client.client,
                        "declared": client.declared,
                    }
                    unbound = acl_gap is None and vswitch_id is not None and not acls.acl_of(vswitch_id)
                    if unbound and vswitch_id is not None:
                        # Without an ACL everything passes, whoever the clients are and whatever the ports.
                        yield {**base, "network_acl_id": "", "verdict": "all"}
                        continue
                    reason = joined([text for text in (acl_gap, port.reason, client.reason) if text])
                    if (
                        reason
                        or vswitch_id is None
                        or port.protocol is None
                        or port.port is None
                        or client.addresses is None
                    ):
                        yield {**base, "reason": reason or "not read"}
                        continue

                    yield {**base, **_server_side(acls, vswitch_id, port.protocol, port.port, client.addresses)}


def _server_side(acls: NetworkAcls, vswitch_id: str, protocol: str, port: int, clients: AddressSet) -> dict[str, Any]:
    acl_id = acls.acl_of(vswitch_id)
    own = acls.vswitches[vswitch_id].block
    if own is None:
        return {"network_acl_id": acl_id, "reason": f"the address block of {vswitch_id} was not read"}
    outside = clients - own
    found = acls.at_server(acl_id, protocol, outside, port)
    admitted = found.admitted | (clients & own)
    return {
        "network_acl_id": acl_id,
        "verdict": extent(clients, admitted, found.denied),
        **_told(admitted, found),
    }


def _told(admitted: AddressSet, found: Passage) -> dict[str, Any]:
    reason = None
    if found.partial_reply:
        reason = f"replies to {found.partial_reply.text()} pass only to some of the ports 1024 to 65535"
    elif found.undecided:
        reason = f"what the network ACL does to {found.undecided.text()} could not be told"
    return {
        "admitted": admitted.text(),
        "denied": found.denied.text(),
        "undecided": found.undecided.text(),
        "decided_by": ", ".join(found.decided_by),
        "reason": reason,
    }


def client_acl_access(
    endpoints: Endpoints, acls: NetworkAcls, membership: Membership, vswitch_of: Mapping[tuple[str, str], str | None]
) -> Iterator[dict[str, Any]]:
    """Rows of `client_acl_access`: client vSwitches x endpoint ENIs x ports.

    Client vSwitches are those of the endpoint's VPC that hold a client address.  Traffic inside one vSwitch passes no
    ACL, so clients in the ENI's own vSwitch are allowed.  Clients elsewhere have no row: their vSwitch is not known.
    """
    for endpoint in endpoints.every.values():
        clients = endpoints.clients(endpoint, membership)
        for eni in endpoints.enis(endpoint):
            own = vswitch_of.get((endpoint.endpoint_id, eni.zone_id or ""))
            for port in endpoints.ports(endpoint):
                base = {
                    "endpoint_id": endpoint.endpoint_id,
                    "zone_id": eni.zone_id,
                    "eni_id": eni.eni_id,
                    "protocol": port.protocol,
                    "port": port.port,
                }
                yield from _client_side(endpoint, acls, clients, own, base, eni, port)


def _client_side(
    endpoint: Endpoint, acls: NetworkAcls, clients: Any, own: str | None, base: dict[str, Any], eni: Any, port: Any
) -> Iterator[dict[str, Any]]:
    declared = any(client.declared for client in clients)
    if not acls.lists_vswitches(endpoint.endpoint_id):
        yield {**base, "declared": declared, "reason": "the vSwitches were not read completely"}
    if not endpoint.vpc_id:
        yield {**base, "declared": declared, "reason": "the VPC of the endpoint was not read"}
    for vswitch in acls.near(endpoint):
        row = {**base, "declared": declared, "vswitch_id": vswitch.vswitch_id}
        inside = [
            client
            for client in clients
            if client.addresses is None or vswitch.block is None or client.addresses.overlaps(vswitch.block)
        ]
        if not inside:
            continue
        if vswitch.vswitch_id == own:
            # Inside one vSwitch no ACL acts.
            if vswitch.block is not None and all(client.addresses is not None for client in inside):
                yield {**row, "network_acl_id": "", "allowed": True, "decided_by": "same vSwitch"}
            else:
                yield {**row, "reason": f"whether {vswitch.vswitch_id} holds clients was not read"}
            continue
        gap = acls.gap(vswitch.vswitch_id)
        sure = own is not None and vswitch.vpc_id is not None
        if gap is None and sure and not acls.acl_of(vswitch.vswitch_id):
            yield {**row, "network_acl_id": "", "allowed": True}
            continue
        vague = [client.reason for client in inside if client.reason]
        if vswitch.block is None:
            vague.append(f"the address block of {vswitch.vswitch_id} was not read")
        if vswitch.vpc_id is None:
            vague.append(f"the VPC of {vswitch.vswitch_id} was not read")
        if own is None:
            vague.append("the vSwitch of the endpoint ENI was not read")
        reason = joined([text for text in (gap, eni.reason, port.reason, *vague) if text])
        if reason or eni.addresses is None or port.protocol is None or port.port is None:
            yield {**row, "reason": reason or "the address of the endpoint ENI was not read"}
            continue
        acl_id = acls.acl_of(vswitch.vswitch_id)
        target = AddressSet(v4=eni.addresses.v4) if eni.addresses.v4 else eni.addresses
        found = acls.at_client(acl_id, port.protocol, target, port.port)
        verdict = extent(target, found.admitted, found.denied)
        yield {
            **row,
            "network_acl_id": acl_id,
            "allowed": {"all": True, "none": False}.get(verdict or ""),
            "decided_by": ", ".join(found.decided_by),
            "reason": _told(found.admitted, found)["reason"],
        }


def vswitches_of_zones(snapshot: Snapshot) -> dict[tuple[str, str], str | None]:
    """The vSwitch of every (endpoint id, zone id)."""
    return {
        (endpoint_id, zone_id): vswitch_id
        for endpoint_id, zone_id, vswitch_id in rows(snapshot["endpoint_zones"], "endpoint_id", "zone_id", "vswitch_id")
    }
