"""Security group rules, read once into integers and address sets; what a rule may match is kept beside what it does.

Semantics: https://www.alibabacloud.com/help/en/ecs/user-guide/security-group-rules
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from auditor.facts.addresses import (
    ALL_PORTS,
    EVERYTHING,
    NOTHING,
    AddressSet,
    Intervals,
    is_wide,
    normalized,
    parse_addresses,
    parse_ports,
    union,
)
from auditor.facts.decision import Item
from auditor.facts.rows import gap_sentence, rows

if TYPE_CHECKING:
    from auditor.inventory.coverage import Coverage
    from auditor.inventory.snapshot import Snapshot

ANY_PROTOCOL = -1
_PROTOCOLS = {"ALL": ANY_PROTOCOL, "ICMP": 1, "TCP": 6, "UDP": 17, "GRE": 47, "ICMPV6": 58}
PROTOCOL_NUMBERS = {"tcp": 6, "udp": 17}

RULE_COLUMNS = (
    "account_id",
    "security_group_id",
    "rule_id",
    "direction",
    "policy",
    "priority",
    "protocol",
    "port_range",
    "port_list_id",
    "source_cidr",
    "ipv6_source_cidr",
    "source_group_id",
    "source_group_owner",
    "source_prefix_list_id",
    "source_port_range",
    "dest_cidr",
    "ipv6_dest_cidr",
    "dest_group_id",
    "dest_prefix_list_id",
)


@dataclass(slots=True)  # not frozen, as Rule below
class Peer:
    """The other side of a rule: blocks it names surely and blocks it may name, or a security group.

    `wide`: it is 0.0.0.0/0 or ::/0 (None: may be).
    """

    sure: AddressSet
    possible: AddressSet
    group_id: str = ""
    group_owner: str | None = ""
    why: str | None = None
    wide: bool | None = False


@dataclass(slots=True)  # not frozen: a million of these are made, and frozen ones take three times as long
class Rule:
    """One rule of one direction.

    order: twice the priority, plus one for Accept: Drop comes first at equal priority.
    protocol: number, ANY_PROTOCOL, or None if not understood.  `ports` match surely, `maybe_ports` may (a superset).
    own_v4, own_v6: addresses the audited ENI has to have (five-tuple rules); None: no such condition or not known,
    which `own_unknown` tells apart per family.  `vague` says why the rule as a whole may or may not match.
    `item` is what the rule comes to for its ports, where that depends on nothing else.
    """

    order: int
    accept: bool
    label: str
    account_id: str
    protocol: int | None
    ports: Intervals
    maybe_ports: Intervals
    ports_why: str | None
    peer: Peer
    own_v4: AddressSet | None
    own_v6: AddressSet | None
    own_unknown: tuple[bool, bool]
    vague: str | None
    item: Item | None = None

    @property
    def five_tuple(self) -> bool:
        """The rule depends on the address of the audited ENI."""
        return self.own_v4 is not None or self.own_v6 is not None


@dataclass(frozen=True, slots=True)
class _Shape:
    """What many rules have in common: everything but priority and addresses.  No policy: the other direction."""

    policies: tuple[bool, ...]
    protocol: int | None
    ports: Intervals
    maybe_ports: Intervals
    ports_why: str | None
    vague: str | None

    @property
    def certain(self) -> bool:
        """It is known what the rule matches, but for its addresses."""
        return self.vague is None and self.ports_why is None


def protocol_number(text: str | None) -> int | None:
    """TCP, UDP, ICMP, ICMPv6, GRE, ALL in any case, or 0 to 255; None if it is none of these."""
    if text is None:
        return None
    name = text.strip().upper()
    if name in _PROTOCOLS:
        return _PROTOCOLS[name]
    if name.isascii() and name.isdigit() and len(name) <= 3 and int(name) <= 255:
        return int(name)
    return None


class GroupRules:
    """The rules of all security groups of a snapshot by group and direction, each group sorted."""

    def __init__(self, snapshot: Snapshot, coverage: Coverage) -> None:
        self._coverage = coverage
        self._addresses: dict[str, AddressSet | None] = {}
        self._ports: dict[str, Intervals | None] = {}
        self._prefix_lists: dict[str, list[str]] = defaultdict(list)
        self._port_lists: dict[str, list[str]] = defaultdict(list)
        self._peers: dict[str | tuple[str | None, ...], Peer] = {}
        self._shapes: dict[tuple[Any, ...], _Shape] = {}
        for list_id, cidr in rows(snapshot["prefix_list_entries"], "prefix_list_id", "cidr"):
            self._prefix_lists[list_id].append(cidr)
        for list_id, ports in rows(snapshot["port_list_entries"], "port_list_id", "port_range"):
            self._port_lists[list_id].append(ports)
        self._raw: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
        for row in rows(snapshot["security_group_rules"], *RULE_COLUMNS):
            self._raw[row[1]].append(row)
        self._compiled: dict[tuple[str, str], tuple[Rule, ...]] = {}

    def raw(self, group_id: str) -> list[tuple[Any, ...]]:
        """The rows of one group, as RULE_COLUMNS."""
        return self._raw.get(group_id, [])

    def of(self, group_id: str, direction: str) -> tuple[Rule, ...]:
        """The rules of one group and direction (`ingress` or `egress`), as first match asks for them."""
        key = (group_id, direction)
        if key not in self._compiled:
            found = [rule for row in self.raw(group_id) for rule in self._compile(row, direction)]
            self._compiled[key] = tuple(sorted(found, key=lambda rule: (rule.order, rule.label)))
        return self._compiled[key]

    def _compile(self, row: tuple[Any, ...], direction: str) -> list[Rule]:
        account_id, group_id, rule_id, row_direction, policy, priority, protocol, port_range, port_list = row[:9]
        source_cidr, source_v6, source_group, group_owner, source_list, source_ports = row[9:15]
        dest_cidr, dest_v6, dest_group, dest_list = row[15:]
        key = (row_direction, direction, policy, protocol, port_range, port_list, source_ports)
        shape = self._shapes.get(key)
        if shape is None:
            shape = self._shapes[key] = self._shape(*key)
        if not shape.policies:
            return []
        if direction == "ingress":
            peer = self._peer(source_cidr, source_v6, source_group, group_owner, source_list)
            own, own_v6 = dest_cidr, dest_v6
        else:
            peer = self._peer(dest_cidr, dest_v6, dest_group, "", dest_list)
            own, own_v6 = source_cidr, source_v6
        condition, condition_v6, unknown = None, None, (False, False)
        if own != "" or own_v6 != "":
            condition, condition_v6 = self._own(own), self._own(own_v6)
            unknown = (condition is None and own != "", condition_v6 is None and own_v6 != "")
        label = rule_id or f"{group_id}/{direction}/{priority}/{policy}"
        found = []
        for accept in shape.policies:
            rule = Rule(
                2 * priority + accept,
                accept,
                label,
                account_id,
                shape.protocol,
                shape.ports,
                shape.maybe_ports,
                shape.ports_why,
                peer,
                condition,
                condition_v6,
                unknown,
                shape.vague,
            )
            if shape.certain and not peer.group_id and peer.possible is peer.sure and own == "" and own_v6 == "":
                rule.item = Item(accept, peer.sure, peer.sure, label, "rule", None, peer.wide)
            found.append(rule)
        return found

    def _shape(
        self,
        row_direction: str,
        direction: str,
        policy: str,
        protocol: str | None,
        port_range: str | None,
        port_list: str | None,
        source_ports: str | None,
    ) -> _Shape:
        vague = []
        if row_direction.lower() != direction:
            if row_direction.lower() in ("ingress", "egress"):
                return _Shape((), None, (), (), None, None)
            vague.append("direction not understood")
        policies = {"accept": (True,), "drop": (False,)}.get(policy.lower(), (False, True))
        if len(policies) == 2:
            vague.append("policy not understood")
        if (unsure := self._source_ports_unsure(source_ports)) is not None:
            vague.append(unsure)
        number = protocol_number(protocol)
        if number is None:
            vague.append("protocol not read or not understood")
        return _Shape(policies, number, *self._port_sets(port_range, port_list), ", ".join(vague) or None)

    def _blocks(self, text: str) -> AddressSet | None:
        if text not in self._addresses:
            self._addresses[text] = parse_addresses(text)
        return self._addresses[text]

    def _own(self, text: str | None) -> AddressSet | None:
        return self._blocks(text) if text else None

    def _port_range(self, text: str) -> Intervals | None:
        if text not in self._ports:
            self._ports[text] = parse_ports(text)
        return self._ports[text]

    def _source_ports_unsure(self, text: str | None) -> str | None:
        if text is None:
            return "source port range not read"
        if text == "" or self._port_range(text) == ALL_PORTS:
            return None
        return f"it holds for source ports {text} only"

    def _port_sets(self, port_range: str | None, port_list: str | None) -> tuple[Intervals, Intervals, str | None]:
        """Ports that match, ports that may, and why these differ; a port list counts only without a range."""
        if port_range:
            found = self._port_range(port_range)
            return (found, found, None) if found is not None else ((), ALL_PORTS, "port range not understood")
        if port_range is None or not port_list:
            return (), ALL_PORTS, "ports not read"
        sets = [self._port_range(text) for text in self._port_lists.get(port_list, [])]
        known = normalized(interval for one in sets if one is not None for interval in one)
        if not self._coverage.complete("port_list_entries", port_list):
            return known, ALL_PORTS, gap_sentence(self._coverage, "port_list_entries", port_list)
        if None in sets:
            return known, ALL_PORTS, f"an entry of {port_list} is not understood"
        return known, known, None

    def _peer(self, cidr: str | None, v6: str | None, group: str | None, owner: str | None, listed: str | None) -> Peer:
        # One block and nothing else matters: the common case.
        key = cidr if cidr and v6 == "" else (cidr, v6, group, owner, listed)
        found = self._peers.get(key)
        if found is None:
            found = self._peers[key] = self._read_peer(cidr, v6, group, owner, listed)
        return found

    def _read_peer(
        self, cidr: str | None, v6: str | None, group: str | None, owner: str | None, listed: str | None
    ) -> Peer:
        """CIDR blocks win over a group, and both over a prefix list."""
        if cidr or v6:
            return self._block_peer(cidr, v6)
        if cidr is None or v6 is None:
            # A block may be set after all, and would win over everything below.
            return Peer(NOTHING, EVERYTHING, why="address block not read", wide=None)
        if group:
            return Peer(NOTHING, NOTHING, group, owner)
        if group is None:
            return Peer(NOTHING, EVERYTHING, why="security group not read", wide=None)
        if listed:
            return self._list_peer(listed)
        return Peer(NOTHING, EVERYTHING, why="it names no address", wide=None)

    def _block_peer(self, cidr: str | None, v6: str | None) -> Peer:
        if cidr and v6 == "" and (block := self._blocks(cidr)) is not None:
            return Peer(block, block, wide=is_wide(block))
        sets = [self._blocks(text) for text in (cidr, v6) if text]
        if None in sets:
            return Peer(NOTHING, EVERYTHING, why="address block not understood", wide=None)
        sure = union(one for one in sets if one is not None)
        if cidr is None:
            return Peer(sure, AddressSet(EVERYTHING.v4, sure.v6), why="IPv4 block not read", wide=is_wide(sure) or None)
        if v6 is None:
            return Peer(sure, AddressSet(sure.v4, EVERYTHING.v6), why="IPv6 block not read", wide=is_wide(sure) or None)
        return Peer(sure, sure, wide=is_wide(sure))

    def _list_peer(self, list_id: str) -> Peer:
        sets = [self._blocks(cidr) for cidr in self._prefix_lists.get(list_id, [])]
        known = union(one for one in sets if one is not None)
        why = None
        if not self._coverage.complete("prefix_list_entries", list_id):
            why = gap_sentence(self._coverage, "prefix_list_entries", list_id)
        elif None in sets:
            why = f"an entry of {list_id} is not understood"
        if why is None:
            return Peer(known, known, wide=is_wide(known))
        return Peer(known, EVERYTHING, why=why, wide=is_wide(known) or None)
