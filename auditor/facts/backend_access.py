"""What stands between a load balancer and its backends: fact `backend_access`.

A CLB forwards requests of layer 7 and checks health from 100.64.0.0/10.  No rule has to admit that range, but an
explicit Drop, or a network ACL that does not let it through, cuts the backend off (keys C5, E2 and V1 of the
catalogue).  Firewalls on the host are not visible.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from auditor.facts.acl_access import NetworkAcls
from auditor.facts.addresses import AddressSet, parse_addresses
from auditor.facts.decision import Item, Piece, decide
from auditor.facts.rows import gap_sentence, joined, rows
from auditor.facts.security_groups import GroupSet, SecurityGroups

if TYPE_CHECKING:
    from auditor.inventory.coverage import Coverage
    from auditor.inventory.snapshot import Snapshot

_RANGE = "100.64.0.0/10"
_UDP = frozenset({"udp", "quic"})


@dataclass(frozen=True, slots=True)
class Server:
    """Where a backend server is attached to the network; `reason` where that is not known."""

    vpc_id: str | None = None
    vswitch_id: str | None = None
    groups: tuple[str, ...] | None = None
    reason: str | None = None


class Servers:
    """Backend servers that are instances or ENIs of the inventory."""

    def __init__(self, snapshot: Snapshot, coverage: Coverage) -> None:
        self._coverage = coverage
        self._places: dict[str, tuple[str | None, str | None]] = {}
        self._groups: dict[str, set[str]] = defaultdict(set)
        for table, key, groups in (
            ("instances", "instance_id", "instance_security_groups"),
            ("network_interfaces", "eni_id", "eni_security_groups"),
        ):
            for server_id, vpc_id, vswitch_id in rows(snapshot[table], key, "vpc_id", "vswitch_id"):
                self._places.setdefault(server_id, (vpc_id, vswitch_id))
            for server_id, group in rows(snapshot[groups], key, "security_group_id"):
                self._groups[server_id].add(group)

    def find(self, server_id: str) -> Server:
        """The server; one that cannot be looked up (a container, an address) has a reason."""
        if server_id not in self._places:
            table = {"i-": "instances", "eni-": "network_interfaces"}.get(server_id.split("-")[0] + "-")
            if table is None:
                return Server(reason=f"{server_id} is neither an instance nor an ENI")
            if self._coverage.complete(table, server_id):
                return Server(reason=f"{server_id} does not exist")
            return Server(reason=gap_sentence(self._coverage, table, server_id))
        groups = self._groups.get(server_id)
        vpc_id, vswitch_id = self._places[server_id]
        if not groups:
            # Every ENI is in a group: none means that they were not read.
            return Server(vpc_id, vswitch_id, None, f"the security groups of {server_id} were not read")
        return Server(vpc_id, vswitch_id, tuple(sorted(groups)), None)


def backend_access(
    backends: Iterable[Mapping[str, Any]],
    health_ports: Mapping[tuple[str, str, int], int | None],
    servers: Servers,
    groups: SecurityGroups,
    acls: NetworkAcls,
) -> Iterator[dict[str, Any]]:
    """Rows of `backend_access`.

    `backends` are rows of `listener_backends`; `health_ports` the health check port of a (load balancer, protocol,
    port), 0 where it is the backend port.
    """
    found = parse_addresses(_RANGE)
    source = found if found is not None else AddressSet()
    answers: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in backends:
        place = (row["load_balancer_id"], row["protocol"], row["listener_port"])
        base = dict(zip(("load_balancer_id", "protocol", "listener_port"), place, strict=True))
        server_id = row.get("server_id")
        if server_id is None:
            reason = row.get("reason") or "the backends were not read"
            yield {**base, "groups_reason": reason, "acl_reason": reason}
            continue
        transport = "udp" if str(row["protocol"]).lower() in _UDP else "tcp"
        health = health_ports.get(place)
        ports = [row.get("backend_port")]
        if health and health > 0 and health not in ports:
            ports.append(health)
        for port in ports:
            key = (server_id, transport, port)
            if key not in answers:
                server = servers.find(server_id)
                answers[key] = {
                    **_by_groups(groups, server, transport, port, source),
                    **_by_acl(acls, server, transport, port, source),
                }
            yield {**base, "server_id": server_id, "port": port, **answers[key]}


def _by_groups(
    groups: SecurityGroups, server: Server, transport: str, port: int | None, source: AddressSet
) -> dict[str, Any]:
    if server.groups is None or port is None:
        return {"groups_reason": server.reason or "the backend port was not read"}
    own = GroupSet(server.vpc_id, server.groups)
    items = groups.ingress_items(own, transport, port, None)
    pieces = [piece for part in decide(items, source) for piece in part]
    dropped = sorted({items[piece.decider].label for piece in pieces if _surely_dropped(piece, items)})
    if dropped:
        return {"groups_drop": True, "groups_by": ", ".join(dropped)}
    doubts = [_doubt(piece, items) for piece in pieces]
    vague = [text for text in doubts if text is not None]
    return {"groups_reason": joined(vague)} if vague else {"groups_drop": False, "groups_by": ""}


def _surely_dropped(piece: Piece, items: list[Item]) -> bool:
    decider = items[piece.decider]
    return decider.kind == "rule" and not decider.accept and piece.accept_mark is None


def _doubt(piece: Piece, items: list[Item]) -> str | None:
    """Why a piece may be explicitly dropped; None if it is not.  That nothing matches is no explicit Drop."""
    decider = items[piece.decider]
    if decider.kind == "rule" and not decider.accept:
        mark = items[piece.accept_mark] if piece.accept_mark is not None else decider
        return mark.why or f"{decider.label} may drop a part of {_RANGE}"
    if piece.drop_mark is not None:
        mark = items[piece.drop_mark]
        return mark.why or f"{mark.label} may drop a part of {_RANGE}"
    return None


def _by_acl(acls: NetworkAcls, server: Server, transport: str, port: int | None, source: AddressSet) -> dict[str, Any]:
    if server.vswitch_id is None:
        return {"acl_reason": server.reason or "the vSwitch of the backend was not read"}
    place = {"vswitch_id": server.vswitch_id}
    gap = acls.gap(server.vswitch_id)
    if gap is not None:
        return {**place, "acl_reason": gap}
    acl_id = acls.acl_of(server.vswitch_id)
    place["network_acl_id"] = acl_id
    if not acl_id:
        return {**place, "acl_drops": False, "acl_by": ""}
    if port is None:
        return {**place, "acl_reason": "the backend port was not read"}
    found = acls.at_server(acl_id, transport, source, port)
    if found.denied:
        return {**place, "acl_drops": True, "acl_by": ", ".join(found.decided_by)}
    if found.undecided:
        why = (
            "only some of the reply ports 1024 to 65535 pass" if found.partial_reply else "an entry was not understood"
        )
        return {**place, "acl_reason": f"{why} in {acl_id}"}
    return {**place, "acl_drops": False, "acl_by": ", ".join(found.decided_by)}
