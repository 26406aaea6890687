"""What the security groups of an endpoint admit: facts `endpoint_access` and `endpoint_exposure`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from auditor.facts.addresses import (
    ALL_V4,
    ALL_V6,
    NOTHING,
    AddressSet,
    Intervals,
    difference,
    normalized,
    spanning,
)
from auditor.facts.decision import Item, Piece, decide, first_shadow, verdict
from auditor.facts.endpoints import Endpoint, EndpointClient, EndpointEni, EndpointPort, Endpoints
from auditor.facts.rows import joined
from auditor.facts.security_groups import GroupSet, SecurityGroups


@dataclass(frozen=True, slots=True)
class Admission:
    """The verdict on one client: the columns `verdict` to `reason` of `endpoint_access`."""

    verdict: str | None
    admitted: str
    denied: str
    undecided: str
    decided_by: str
    intra_group_only: bool | None
    shadowed: bool | None
    shadowed_by: str | None
    reason: str | None


_NOT_KNOWN = {
    "verdict": None,
    "admitted": None,
    "denied": None,
    "undecided": None,
    "decided_by": None,
    "intra_group_only": None,
    "shadowed": None,
    "shadowed_by": None,
}


class Access:
    """Answers who may reach an endpoint; equal questions are answered once."""

    def __init__(self, endpoints: Endpoints, groups: SecurityGroups) -> None:
        self._endpoints = endpoints
        self._groups = groups
        self._items: dict[tuple[Any, ...], list[Item]] = {}
        self._items_of: GroupSet | None = None
        self._admissions: dict[tuple[Any, ...], Admission] = {}
        self._exposures: dict[tuple[Any, ...], tuple[bool | None, str | None, str | None]] = {}
        self._by_address: dict[GroupSet, bool] = {}

    def endpoint_access(self) -> Iterator[dict[str, Any]]:
        """Rows of `endpoint_access`: ENIs x ports x clients; what is not known of these has one row with a reason."""
        for endpoint in self._endpoints.every.values():
            groups = self._endpoints.group_set(endpoint)
            enis = self._endpoints.enis(endpoint)
            ports = self._endpoints.ports(endpoint)
            clients = self._endpoints.clients(endpoint, self._groups.membership)
            for eni in enis:
                for port in ports:
                    for client in clients:
                        yield self._access_row(endpoint, groups, eni, port, client)

    def _access_row(
        self, endpoint: Endpoint, groups: GroupSet, eni: EndpointEni, port: EndpointPort, client: EndpointClient
    ) -> dict[str, Any]:
        row: dict[str, Any] = {
            "endpoint_id": endpoint.endpoint_id,
            "zone_id": eni.zone_id,
            "eni_id": eni.eni_id,
            "eni_ip": eni.eni_ip,
            "protocol": port.protocol,
            "port": port.port,
            "client": client.client,
            "declared": client.declared,
        }
        reason = joined([text for text in (eni.reason, port.reason, client.reason) if text])
        if reason is not None or port.protocol is None or port.port is None or client.addresses is None:
            return {**row, **_NOT_KNOWN, "reason": reason}
        found = self.admission(groups, client.addresses, port.protocol, port.port, eni.addresses)
        return {**row, **{name: getattr(found, name) for name in Admission.__slots__}}

    def _own(self, groups: GroupSet, own: AddressSet | None) -> AddressSet | None:
        """The ENI's own addresses where a rule depends on them; else None, so that all ENIs share one answer."""
        if groups not in self._by_address:
            self._by_address[groups] = self._groups.depends_on_own_address(groups, "ingress")
        return own if self._by_address[groups] else None

    def items(self, groups: GroupSet, protocol: str, port: int, own: AddressSet | None) -> list[Item]:
        """What decides in order; kept for the groups asked last only, for they come endpoint by endpoint."""
        if groups != self._items_of:
            self._items.clear()
            self._items_of = groups
        key = (protocol, port, own)
        if key not in self._items:
            self._items[key] = self._groups.ingress_items(groups, protocol, port, own)
            # Asked next, and cheaper to answer now than to make the items again.
            self._exposures[groups, *key] = exposure(self._items[key])
        return self._items[key]

    def admission(
        self, groups: GroupSet, source: AddressSet, protocol: str, port: int, own: AddressSet | None
    ) -> Admission:
        """The verdict on packets from `source` to an ENI with these groups."""
        own = self._own(groups, own)
        key = (groups, source, protocol, port, own)
        if key not in self._admissions:
            _, ignored = self._endpoints.endpoint_enis_of(groups.vpc_id or "")
            items = self.items(groups, protocol, port, own)
            self._admissions[key] = admission(items, source, ignored)
        return self._admissions[key]

    def endpoint_exposure(self) -> Iterator[dict[str, Any]]:
        """Rows of `endpoint_exposure`: ENIs x ports."""
        for endpoint in self._endpoints.every.values():
            groups = self._endpoints.group_set(endpoint)
            for eni in self._endpoints.enis(endpoint):
                for port in self._endpoints.ports(endpoint):
                    row = {
                        "endpoint_id": endpoint.endpoint_id,
                        "eni_id": eni.eni_id,
                        "protocol": port.protocol,
                        "port": port.port,
                    }
                    reason = joined([text for text in (eni.reason, port.reason) if text])
                    if reason is not None or port.protocol is None or port.port is None:
                        yield {**row, "open": None, "rules": None, "reason": reason}
                        continue
                    own = self._own(groups, eni.addresses)
                    key = (groups, port.protocol, port.port, own)
                    if key not in self._exposures:
                        self.items(groups, port.protocol, port.port, own)
                    is_open, rules, reason = self._exposures[key]
                    yield {**row, "open": is_open, "rules": rules, "reason": reason}


def admission(items: Sequence[Item], source: AddressSet, ignored: AddressSet) -> Admission:
    """The verdict of ordered items on a source.

    `ignored` addresses (those of endpoint ENIs, which are nobody's clients) count for nothing; in the texts they go
    with their neighbours, so that a block stays a block.
    """
    if ignored.covers(source):
        ignored = NOTHING
    # The ignored ones are taken out of the answer instead of the source: a hundred holes make a hundred pieces.
    pieces_v4, pieces_v6 = decide(items, source)
    parts = _Parts(items, pieces_v4, ignored.v4), _Parts(items, pieces_v6, ignored.v6)
    verdicts = {one for part in parts for one in part.verdicts}
    texts = {
        one: AddressSet(parts[0].bounds(one), parts[1].bounds(one)).text() if one in verdicts else ""
        for one in (True, False, None)
    }
    deciders = sorted({index for part in parts for index in part.deciders})
    shadow = first_shadow(items, source, ignored)
    shadowed = True if shadow is not None else _not_shadowed(items, source, ignored)
    return Admission(
        verdict=_verdict(verdicts),
        admitted=texts[True],
        denied=texts[False],
        undecided=texts[None],
        decided_by=", ".join(dict.fromkeys(items[index].label for index in deciders)),
        intra_group_only=_intra_group_only(items, parts, verdicts, ignored),
        shadowed=shadowed,
        shadowed_by=f"{items[shadow[0]].label} before {items[shadow[1]].label}" if shadow is not None else None,
        reason=_reason(items, parts, shadowed) if None in verdicts or shadowed is None else None,
    )


def _verdict(verdicts: set[bool | None]) -> str | None:
    if {True, False} <= verdicts:
        return "part"
    if verdicts == {True}:
        return "all"
    return "none" if verdicts == {False} else None


class _Parts:
    """Pieces of one address family with their verdicts, without those that are ignored.

    Ignored addresses inside a piece go with it.  Those at its ends are cut off and kept in `beside`.
    """

    def __init__(self, items: Sequence[Item], pieces: Sequence[Piece], ignored: Intervals) -> None:
        self.beside: Intervals = ()
        self.pieces = _cut(pieces, ignored) if ignored else pieces
        if ignored:
            inner = normalized((piece.low, piece.high) for piece in self.pieces)
            self.beside = difference(normalized((piece.low, piece.high) for piece in pieces), inner)
        self.verdicts = [verdict(piece, items) for piece in self.pieces]

    @property
    def deciders(self) -> set[int]:
        """Items that decided."""
        return {piece.decider for piece, one in zip(self.pieces, self.verdicts, strict=True) if one is not None}

    def inside(self, wanted: bool | None) -> Intervals:
        """Intervals with one verdict."""
        return normalized(
            (piece.low, piece.high) for piece, one in zip(self.pieces, self.verdicts, strict=True) if one is wanted
        )

    def bounds(self, wanted: bool | None) -> Intervals:
        """Intervals with one verdict, and the ignored addresses next to them: those go with what stands before."""
        found = self.inside(wanted)
        if not self.beside or not found:
            return found
        ends = {piece.high for piece in self.pieces}
        highs, lows = {high for _, high in found}, {low for low, _ in found}
        return normalized(
            (
                *found,
                *(
                    (low, high)
                    for low, high in self.beside
                    if low - 1 in highs or (low - 1 not in ends and high + 1 in lows)
                ),
            )
        )


def _cut(pieces: Sequence[Piece], ignored: Intervals) -> list[Piece]:
    """The pieces without the ignored addresses at their ends, and without those that hold nothing else."""
    found = []
    for piece in pieces:
        low, high = piece.low, piece.high
        first, last = spanning(ignored, low), spanning(ignored, high)
        if first is not None and first == last:
            continue
        if first is not None:
            low = first[1] + 1
        if last is not None:
            high = last[0] - 1
        found.append(piece if (low, high) == (piece.low, piece.high) else piece._replace(low=low, high=high))
    return found


def _intra_group_only(
    items: Sequence[Item], parts: tuple[_Parts, _Parts], verdicts: set[bool | None], ignored: AddressSet
) -> bool | None:
    """Nothing that is admitted would be without the intra-group policy; None if that is not decided."""
    if True not in verdicts:
        return None if None in verdicts else False
    if not any(items[i].kind == "intra-group" and items[i].accept for part in parts for i in part.deciders):
        return False
    admitted = AddressSet(parts[0].inside(True), parts[1].inside(True))
    rest = [item for item in items if item.kind != "intra-group"]
    v4, v6 = decide(rest, admitted)
    without = {*_Parts(rest, v4, ignored.v4).verdicts, *_Parts(rest, v6, ignored.v6).verdicts}
    if True in without:
        return False
    return None if None in verdicts | without else True


def _not_shadowed(items: Sequence[Item], source: AddressSet, ignored: AddressSet) -> bool | None:
    """False if no Accept can stand behind a Drop for any packet; None if one may."""
    if any(item.kind == "gap" for item in items):
        return None
    if all(item.possible is item.sure for item in items):
        return False
    return None if first_shadow(items, source, ignored, possible=True) is not None else False


def _reason(items: Sequence[Item], parts: tuple[_Parts, _Parts], shadowed: bool | None) -> str | None:
    """What made pieces undecided; else what keeps the shadowing undecided."""
    marks = set()
    for part in parts:
        for piece, one in zip(part.pieces, part.verdicts, strict=True):
            if one is None:
                marks.add(piece.drop_mark if items[piece.decider].accept else piece.accept_mark)
    found = [items[index].why for index in sorted(mark for mark in marks if mark is not None)]
    if not found and shadowed is None:
        found = [item.why for item in items]
    return joined([why for why in found if why is not None])


def exposure(items: Sequence[Item]) -> tuple[bool | None, str | None, str | None]:
    """Columns `open`, `rules`, `reason` of `endpoint_exposure`."""
    gaps = [item.why for item in items if item.kind == "gap" and item.why]
    if gaps:
        return None, None, joined(gaps)
    if not any(item.accept and item.wide is not False for item in items):
        return False, None, None
    labels: list[str] = []
    doubts: list[str] = []
    for family, everywhere in (("v4", ALL_V4), ("v6", ALL_V6)):
        _expose([item for item in items if item.kind == "rule"], family, everywhere, labels, doubts)
    if labels:
        return True, ", ".join(dict.fromkeys(labels)), None
    return (None, None, joined(doubts)) if doubts else (False, None, None)


def _expose(rules: Sequence[Item], family: str, everywhere: Intervals, labels: list[str], doubts: list[str]) -> None:
    """Adds the Accept rules from everywhere that decide for some address of a family, and why one might."""
    certain_before: list[tuple[int, int]] = []
    possible_before: list[tuple[int, int]] = []
    for rule in rules:
        certain: Intervals = getattr(rule.sure, family)
        possible: Intervals = getattr(rule.possible, family)
        if rule.accept and rule.wide is not False and possible == everywhere:
            if certain == everywhere and difference(everywhere, normalized(possible_before)):
                labels.append(rule.label)
            elif difference(everywhere, normalized(certain_before)):
                doubts.append(rule.why or f"what stands before rule {rule.label} may or may not match")
        if certain == everywhere:
            return
        certain_before.extend(certain)
        possible_before.extend(possible)
