"""Network ACLs, exactly: stateless, in the order of the list, over address and port sets.

An ACL acts on the ENIs of the vSwitches bound to it, in both directions, and not between ENIs of one vSwitch; what no
entry matches is dropped (inferred; ruling 10 of the catalogue).  The port of an entry is the destination port, so a
reply is matched by the client's ephemeral port.  Source: VPC network ACL page, key V1 of the catalogue.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from auditor.facts.addresses import (
    ALL_PORTS,
    ALL_V4,
    ALL_V6,
    V4_MAX,
    V6_MAX,
    AddressSet,
    Intervals,
    difference,
    intersection,
    normalized,
    parse_addresses,
    parse_ports,
    union,
)

#: Ports a client may use for its end of a connection; operating systems use a part of them.
EPHEMERAL_PORTS: Intervals = ((1024, 65535),)

#: Who decides where no entry matches.
DEFAULT = "default"

_PROTOCOL_NUMBERS = {"6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6", "47": "gre"}


@dataclass(frozen=True, slots=True)
class AclEntry:
    """One entry; None where it was not read or not understood: then it may or may not match."""

    name: str
    accept: bool | None
    protocol: str | None
    ports: Intervals | None
    addresses: AddressSet | None

    def matches_protocol(self, protocol: str) -> bool | None:
        """Whether it is about this protocol (lower case); None if that is not known."""
        return None if self.protocol is None else self.protocol in ("all", protocol)


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of the addresses that the ACL treats alike: which ports it admits, denies, and cannot tell."""

    addresses: AddressSet
    admitted: Intervals
    denied: Intervals
    undecided: Intervals
    decided_by: tuple[str, ...]


def entries_of(rows: Iterable[Mapping[str, Any]], prefix_list: Callable[[str], AddressSet | None]) -> list[AclEntry]:
    """The entries of one ACL and direction, in order.

    `rows` are rows of network_acl_entries (NULL as None); `prefix_list` gives the addresses of a prefix list, or None
    if it was not read.
    """
    entries = []
    for row in sorted(rows, key=lambda row: int(row["position"])):
        policy, protocol = row["policy"], row["protocol"]
        accept = {"accept": True, "drop": False}.get(policy.lower()) if policy is not None else None
        if protocol is not None:
            protocol = _PROTOCOL_NUMBERS.get(protocol, protocol.lower())
        entries.append(
            AclEntry(
                row["entry_id"] or f"entry {row['position']}",
                accept,
                protocol,
                parse_ports(row["port"]) if row["port"] is not None else None,
                _addresses(row["cidr"], prefix_list),
            )
        )
    return entries


def _addresses(cidr: str | None, prefix_list: Callable[[str], AddressSet | None]) -> AddressSet | None:
    if cidr is None:
        return None
    if cidr.startswith("pl-"):
        return prefix_list(cidr)
    return parse_addresses(cidr)


def evaluate(entries: Sequence[AclEntry], protocol: str, addresses: AddressSet, ports: Intervals) -> list[Piece]:
    """What the entries do to packets of `protocol` between the ACL's vSwitch and `addresses`, to the `ports`.

    The pieces are disjoint, cover `addresses`, and their three port sets are disjoint and cover `ports`.
    """
    pieces = []
    for family, everything, top in (("v4", ALL_V4, V4_MAX), ("v6", ALL_V6, V6_MAX)):
        wanted: Intervals = getattr(addresses, family)
        matching = [
            (entry, everything if entry.addresses is None else getattr(entry.addresses, family)) for entry in entries
        ]
        matching = [(entry, where) for entry, where in matching if entry.matches_protocol(protocol) is not False]
        cuts = sorted(
            {low for _e, where in matching for low, _h in where} | {h + 1 for _e, w in matching for _l, h in w}
        )
        for low, high in _cut(wanted, [cut for cut in cuts if cut <= top]):
            applying = [entry for entry, where in matching if intersection(where, ((low, low),))]
            admitted, denied, undecided, names = _ports(applying, protocol, ports)
            segment = AddressSet(**{family: ((low, high),)})
            pieces.append(Piece(segment, admitted, denied, undecided, names))
    return _merged(pieces)


def _cut(wanted: Intervals, cuts: Sequence[int]) -> list[tuple[int, int]]:
    segments = []
    for low, high in wanted:
        inside = [cut for cut in cuts if low < cut <= high]
        for start, end in zip([low, *inside], [*(cut - 1 for cut in inside), high], strict=True):
            segments.append((start, end))
    return segments


def _ports(
    entries: Sequence[AclEntry], protocol: str, ports: Intervals
) -> tuple[Intervals, Intervals, Intervals, tuple[str, ...]]:
    """First match over a port set.  A part that may have matched carries its possible answers along to the end."""
    open_parts: list[tuple[Intervals, frozenset[bool], tuple[str, ...]]] = [(ports, frozenset(), ())]
    done: list[tuple[Intervals, frozenset[bool], tuple[str, ...]]] = []
    for entry in entries:
        sure = entry.ports is not None and entry.addresses is not None and entry.matches_protocol(protocol) is True
        answers = frozenset((True, False)) if entry.accept is None else frozenset((entry.accept,))
        where = ALL_PORTS if entry.ports is None else entry.ports
        rest: list[tuple[Intervals, frozenset[bool], tuple[str, ...]]] = []
        for part, possible, names in open_parts:
            hit = intersection(part, where)
            if hit:
                (done if sure else rest).append((hit, possible | answers, (*names, entry.name)))
            missed = difference(part, where)
            if missed:
                rest.append((missed, possible, names))
        open_parts = rest
    done.extend((part, possible | {False}, (*names, DEFAULT)) for part, possible, names in open_parts)
    by_answer: dict[frozenset[bool], list[tuple[int, int]]] = {}
    deciders: dict[str, None] = {}
    for part, possible, names in done:
        by_answer.setdefault(possible, []).extend(part)
        deciders.update(dict.fromkeys(names))
    admitted, denied, undecided = (
        normalized(by_answer.get(answer, ()))
        for answer in (frozenset((True,)), frozenset((False,)), frozenset((True, False)))
    )
    return admitted, denied, undecided, tuple(deciders)


def _merged(pieces: Sequence[Piece]) -> list[Piece]:
    alike: dict[tuple[Any, ...], list[AddressSet]] = {}
    for piece in pieces:
        alike.setdefault((piece.admitted, piece.denied, piece.undecided, piece.decided_by), []).append(piece.addresses)
    return [Piece(union(sets), *key) for key, sets in alike.items()]


@dataclass(frozen=True, slots=True)
class Passage:
    """What an ACL does to a whole exchange: request and reply.

    `partial_reply` are addresses whose request passes but whose reply passes to a part of the ephemeral ports only;
    they stand in `undecided` too, because nobody knows which ports a client uses.
    """

    admitted: AddressSet
    denied: AddressSet
    undecided: AddressSet
    partial_reply: AddressSet
    decided_by: tuple[str, ...]


def passage(
    request: Sequence[AclEntry], reply: Sequence[AclEntry], protocol: str, addresses: AddressSet, port: int
) -> Passage:
    """Whether an exchange on `port` passes an ACL, on the server's side or on the client's.

    `addresses` are those of the other end.  On the server's side the request comes in to `port` and the reply goes out
    to the client's ephemeral port; on the client's side the request goes out to `port` and the reply comes in to the
    client's own ephemeral port.  Either way `request` and `reply` are the entries of the direction the packet takes.
    """
    first = evaluate(request, protocol, addresses, ((port, port),))
    second = evaluate(reply, protocol, addresses, EPHEMERAL_PORTS)
    goes = union(piece.addresses for piece in first if piece.admitted)
    stopped = union(piece.addresses for piece in first if piece.denied)
    returns = union(piece.addresses for piece in second if piece.admitted == EPHEMERAL_PORTS)
    cut = union(piece.addresses for piece in second if piece.denied == EPHEMERAL_PORTS)
    partial = union(piece.addresses for piece in second if piece.admitted and piece.admitted != EPHEMERAL_PORTS)
    admitted = goes & returns
    denied = stopped | cut
    undecided = addresses - admitted - denied
    names: dict[str, None] = {}
    for piece in (*first, *second):
        names.update(dict.fromkeys(piece.decided_by))
    return Passage(admitted, denied, undecided, (goes & partial) - denied, tuple(names))
