"""Security groups of an ENI, evaluated exactly over address sets: who is admitted, denied, undecided, and by what.

The order of things, as documented for ECS:

1. A basic group with intra-group policy Accept admits its members, whatever the rules say.
2. The rules of all groups together, by priority, Drop before Accept at equal priority; the first match decides.
3. Nothing matches: ingress is denied; egress is allowed by basic groups and denied by advanced ones.

What was not read leaves its part undecided where it could decide otherwise, and only there.
Sources: https://www.alibabacloud.com/help/en/ecs/user-guide/overview-44 and …/security-group-rules
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from heapq import merge
from typing import TYPE_CHECKING

from auditor.facts.addresses import EVERYTHING, NOTHING, AddressSet, contains, is_wide
from auditor.facts.decision import Item
from auditor.facts.group_rules import ANY_PROTOCOL, PROTOCOL_NUMBERS, GroupRules, Rule
from auditor.facts.membership import Members, Membership
from auditor.facts.rows import gap_sentence, rows

if TYPE_CHECKING:
    from auditor.inventory.coverage import Coverage
    from auditor.inventory.snapshot import Snapshot

BASIC, ADVANCED = "normal", "enterprise"


@dataclass(frozen=True, slots=True)
class Group:
    """A security group as far as it was read: type, VPC, account, intra-group policy in lower case."""

    group_id: str
    group_type: str | None = None
    vpc_id: str | None = None
    inner_policy: str | None = None


@dataclass(frozen=True, slots=True)
class GroupSet:
    """The groups of one ENI of a VPC: those that hold, those that may (on their way in or out), and any gap."""

    vpc_id: str | None
    attached: tuple[str, ...]
    transitional: tuple[tuple[str, str], ...] = ()
    gap: str | None = None


@dataclass(frozen=True, slots=True)
class Peer:
    """The endpoint ENI as a client's egress rules see it: its addresses and its groups."""

    addresses: AddressSet
    groups: GroupSet


class SecurityGroups:
    """The security groups of a snapshot, ready to be asked for the ordered items of an ENI, direction and port."""

    def __init__(self, snapshot: Snapshot, coverage: Coverage) -> None:
        self._coverage = coverage
        self.membership = Membership(snapshot, coverage)
        self.rules = GroupRules(snapshot, coverage)
        policies = dict(rows(snapshot["security_group_policies"], "security_group_id", "inner_access_policy"))
        self.groups: dict[str, Group] = {}
        for group_id, group_type, vpc_id in rows(
            snapshot["security_groups"], "security_group_id", "security_group_type", "vpc_id"
        ):
            kind = group_type.lower() if group_type is not None else None
            self.groups[group_id] = Group(group_id, kind, vpc_id, None)
        self._policies = {group: policy.lower() for group, policy in policies.items() if policy is not None}
        self._gaps: dict[str, str] = {}

    # ------------------------------------------------------------------------------------------------- what is known
    def group_type(self, group_id: str) -> str | None:
        """`normal`, `enterprise`, or None if that was not read."""
        group = self.groups.get(group_id)
        return group.group_type if group is not None and group.group_type in (BASIC, ADVANCED) else None

    def admits_members(self, group_id: str) -> bool:
        """The group is known to be a basic one with intra-group policy Accept."""
        return self.group_type(group_id) == BASIC and self._policies.get(group_id) == "accept"

    def gap(self, group_id: str) -> str | None:
        """Why the group cannot be evaluated: its rules, type or intra-group policy were not read; None if it can."""
        if group_id not in self._gaps:
            self._gaps[group_id] = self._find_gap(group_id)
        return self._gaps[group_id] or None

    def _find_gap(self, group_id: str) -> str:
        if not self._coverage.complete("security_group_rules", group_id):
            return gap_sentence(self._coverage, "security_group_rules", group_id)
        kind = self.group_type(group_id)
        if kind is None:
            if group_id not in self.groups and not self._coverage.complete("security_groups", group_id):
                return gap_sentence(self._coverage, "security_groups", group_id)
            return f"type of {group_id} not read"
        # Members of an advanced group are always isolated, whatever the attribute says.
        if kind == BASIC and self._policies.get(group_id) not in ("accept", "drop"):
            if not self._coverage.complete("security_group_policies", group_id):
                return gap_sentence(self._coverage, "security_group_policies", group_id)
            return f"intra-group policy of {group_id} not read"
        return ""

    def absent(self, group_id: str, owner: str | None, reader: str) -> bool:
        """The group is known not to exist: asked for in its own account, completely, and not found."""
        if group_id in self.groups or owner is None:
            return False
        if owner in ("", reader):
            return self._coverage.complete("security_groups", group_id)
        return (owner, group_id) in self._asked_by

    @cached_property
    def _asked_by(self) -> set[tuple[str, str]]:
        """Accounts and the groups they were asked for completely."""
        frame = self._coverage.frame
        asked = rows(frame, "table_name", "account_id", "target", "complete")
        return {
            (account, group) for table, account, group, complete in asked if complete and table == "security_groups"
        }

    def members(self, vpc_id: str | None, rule: Rule) -> Members:
        """Addresses of the source group of a rule, as seen from a VPC."""
        group_id = rule.peer.group_id
        group = self.groups.get(group_id)
        kind = self.group_type(group_id)
        if kind == ADVANCED or self.absent(group_id, rule.peer.group_owner, rule.account_id):
            return Members(NOTHING, NOTHING)
        if group is None or not group.vpc_id or not vpc_id:
            found = self.membership.members(vpc_id, group_id, local=False)
        elif group.vpc_id == vpc_id:
            found = self.membership.members(vpc_id, group_id, local=True)
        else:
            found = self.membership.foreign_members(vpc_id, group_id, group.vpc_id)
        if kind is None:
            # It might be an advanced group, which is no source.
            return Members(NOTHING, found.possible, found.why or f"type of {group_id} not read")
        return found

    # ------------------------------------------------------------------------------------------------ ordered items
    def depends_on_own_address(self, groups: GroupSet, direction: str) -> bool:
        """Some rule is a five-tuple rule: the verdict may differ between the ENIs of one endpoint."""
        every = (*groups.attached, *(group for group, _ in groups.transitional))
        return any(rule.five_tuple for group in every for rule in self.rules.of(group, direction))

    def ingress_items(self, groups: GroupSet, protocol: str, port: int, own: AddressSet | None) -> list[Item]:
        """What decides, in order, about packets to an ENI with these groups and (where known) own addresses."""
        items: list[Item] = []
        late: list[Item] = []
        for group in filter(self.admits_members, groups.attached):
            found = self.membership.members(groups.vpc_id, group, local=True)
            items.append(Item(True, found.sure, found.sure, "intra-group", "intra-group"))
            if found.possible is not found.sure:
                # An explicit Drop decides whatever the groups of a client are that nobody knows: behind the rules.
                why = f"members of {group} not known: {found.why}"
                late.append(Item(True, NOTHING, found.possible, "intra-group", "intra-group", why))
        for group, status in groups.transitional:
            if self.admits_members(group):
                found = self.membership.members(groups.vpc_id, group, local=True)
                why = f"{group} is {status}"
                items.append(Item(True, NOTHING, found.possible, "intra-group", "intra-group", why))
        items.extend(self._gap_items(groups))
        items.extend(self._rule_items(groups, "ingress", protocol, port, own, None))
        return [*items, *late, Item(False, EVERYTHING, EVERYTHING, "default", "default")]

    def egress_items(
        self, groups: GroupSet, protocol: str, port: int, own: AddressSet | None, peer: Peer
    ) -> list[Item]:
        """What decides, in order, about packets from a client ENI with these groups to the endpoint ENI `peer`."""
        items: list[Item] = []
        moving = {group for group, _ in peer.groups.transitional}
        for group in filter(self.admits_members, groups.attached):
            if group in peer.groups.attached:
                items.append(Item(True, EVERYTHING, EVERYTHING, "intra-group", "intra-group"))
            elif group in moving or peer.groups.gap is not None:
                why = peer.groups.gap or f"{group} is being attached to the endpoint or detached from it"
                items.append(Item(True, NOTHING, EVERYTHING, "intra-group", "intra-group", why))
        items.extend(self._gap_items(groups))
        items.extend(self._rule_items(groups, "egress", protocol, port, own, peer))
        types = {self.group_type(group) for group in groups.attached}
        if types == {BASIC} or types == {ADVANCED}:
            return [*items, Item(types == {BASIC}, EVERYTHING, EVERYTHING, "default", "default")]
        why = "no group is known" if not types else "the groups are of different or unknown types"
        items.append(Item(True, NOTHING, EVERYTHING, "default", "gap", why))
        return [*items, Item(False, EVERYTHING, EVERYTHING, "default", "default")]

    def _gap_items(self, groups: GroupSet) -> Iterator[Item]:
        every = (*groups.attached, *(group for group, _ in groups.transitional))
        for why in (groups.gap, *map(self.gap, every)):
            if why is not None:
                yield Item(True, NOTHING, EVERYTHING, "not read", "gap", why, None)
                yield Item(False, NOTHING, EVERYTHING, "not read", "gap", why)

    def _rule_items(
        self, groups: GroupSet, direction: str, protocol: str, port: int, own: AddressSet | None, peer: Peer | None
    ) -> Iterator[Item]:
        lists: list[list[tuple[Rule, str | None]]] = []
        for group in groups.attached:
            lists.append([(rule, None) for rule in self.rules.of(group, direction)])
        for group, status in groups.transitional:
            lists.append([(rule, f"{group} is {status}") for rule in self.rules.of(group, direction)])
        pairs = lists[0] if len(lists) == 1 else merge(*lists, key=lambda pair: (pair[0].order, pair[0].label))
        number = PROTOCOL_NUMBERS[protocol]
        for rule, moves in pairs:
            item = self._item(rule, moves, number, port, groups.vpc_id, own, peer)
            if item is not None:
                yield item

    def _item(
        self,
        rule: Rule,
        moves: str | None,
        number: int,
        port: int,
        vpc_id: str | None,
        own: AddressSet | None,
        peer: Peer | None,
    ) -> Item | None:
        """The rule for one protocol and port, or None if it cannot match."""
        if rule.protocol not in (number, ANY_PROTOCOL, None) or not contains(rule.maybe_ports, port):
            return None
        if rule.item is not None and moves is None:
            return rule.item
        doubts = [doubt for doubt in (moves, rule.vague) if doubt]
        if rule.ports_why is not None and not contains(rule.ports, port):
            doubts.append(rule.ports_why)
        sure, possible, doubt = self._peer_sets(rule, vpc_id, peer)
        if doubt is not None and possible is not sure:
            doubts.append(doubt)
        certain = not (moves or rule.vague) and contains(rule.ports, port)
        if not certain:
            sure = NOTHING
        if rule.five_tuple or rule.own_unknown != (False, False):
            sure, possible, doubt = _restricted(rule, sure, possible, own)
            if doubt is not None:
                doubts.append(doubt)
        if not possible:
            return None
        wide: bool | None = False
        if rule.peer.wide is not False and is_wide(possible):
            wide = True if is_wide(sure) else None
        why = f"rule {rule.label}: {', '.join(doubts)}" if doubts else None
        return Item(rule.accept, sure, possible, rule.label, "rule", why, wide)

    def _peer_sets(
        self, rule: Rule, vpc_id: str | None, peer: Peer | None
    ) -> tuple[AddressSet, AddressSet, str | None]:
        found = rule.peer
        if not found.group_id:
            return found.sure, found.possible, found.why
        if peer is None:
            members = self.members(vpc_id, rule)
            return members.sure, members.possible, members.why
        if found.group_id in peer.groups.attached:
            kind = self.group_type(found.group_id)
            if kind is None:
                return NOTHING, EVERYTHING, f"type of {found.group_id} not read"
            return (EVERYTHING, EVERYTHING, None) if kind == BASIC else (NOTHING, NOTHING, None)
        if peer.groups.gap is not None:
            return NOTHING, EVERYTHING, peer.groups.gap
        if any(group == found.group_id for group, _ in peer.groups.transitional):
            return NOTHING, EVERYTHING, f"{found.group_id} is being attached to the endpoint or detached from it"
        return NOTHING, NOTHING, None


def _restricted(
    rule: Rule, sure: AddressSet, possible: AddressSet, own: AddressSet | None
) -> tuple[AddressSet, AddressSet, str | None]:
    """The sets under the condition a five-tuple rule makes for the ENI's own address, family by family."""
    sures, possibles, doubt = [], [], None
    for family, condition, unknown in (
        ("v4", rule.own_v4, rule.own_unknown[0]),
        ("v6", rule.own_v6, rule.own_unknown[1]),
    ):
        sure_part, possible_part = getattr(sure, family), getattr(possible, family)
        holds: bool | None = None if unknown else True
        if condition is not None:
            holds = _inside(getattr(own, family, ()), getattr(condition, family))
        if holds is not True:
            sure_part = ()
            if holds is False:
                possible_part = ()
            elif possible_part:
                doubt = "the address on the other side of it was not read or not understood"
        sures.append(sure_part)
        possibles.append(possible_part)
    restricted = AddressSet(*sures)
    return restricted, restricted if possibles == sures else AddressSet(*possibles), doubt


def _inside(own: tuple[tuple[int, int], ...], condition: tuple[tuple[int, int], ...]) -> bool | None:
    """All own addresses meet the condition, none does, or (None) some do or the address is not known."""
    if not own:
        return None
    one, all_of = AddressSet(own), AddressSet(condition)
    if all_of.covers(one):
        return True
    return None if all_of.overlaps(one) else False
