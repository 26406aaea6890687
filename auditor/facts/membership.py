"""Network interfaces of VPCs: which addresses belong to which security group, and which may."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from auditor.facts.addresses import ALL_V4, ALL_V6, EVERYTHING, NOTHING, AddressSet, parse_addresses, union
from auditor.facts.rows import gap_sentence, rows

if TYPE_CHECKING:
    from auditor.inventory.coverage import Coverage
    from auditor.inventory.snapshot import Snapshot

_TABLES = ("network_interfaces", "eni_addresses", "eni_security_groups")


@dataclass(slots=True)
class Interface:
    """An ENI; `addresses` is None if one of them was not read or not understood."""

    eni_id: str
    vpc_id: str | None = None
    instance_id: str | None = None
    service_managed: bool | None = None
    addresses: AddressSet | None = None
    groups: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Members:
    """Addresses that belong to a group, those that may (a superset), and why that is not exact."""

    sure: AddressSet
    possible: AddressSet
    why: str | None = None


class Membership:
    """The ENIs of a snapshot by VPC, instance and group."""

    def __init__(self, snapshot: Snapshot, coverage: Coverage) -> None:
        self._coverage = coverage
        self.interfaces: dict[str, Interface] = {}
        self.by_vpc: dict[str, list[Interface]] = defaultdict(list)
        self.by_instance: dict[str, list[Interface]] = defaultdict(list)
        self.blocks: dict[str, list[tuple[str, AddressSet | None]]] = defaultdict(list)
        self._by_group: dict[str, list[Interface]] = defaultdict(list)
        self._members: dict[tuple[str, str, bool], Members] = {}
        self._states: dict[str, str] = {}
        self._known_regions: dict[str, AddressSet] = {}
        self._load(snapshot)

    def _load(self, snapshot: Snapshot) -> None:
        def interface(eni_id: str, vpc_id: str | None) -> Interface:
            found = self.interfaces.setdefault(eni_id, Interface(eni_id))
            if vpc_id:
                found.vpc_id = vpc_id
            return found

        texts: dict[str, set[str]] = defaultdict(set)
        columns = ("eni_id", "vpc_id", "private_ip", "instance_id", "service_managed")
        for eni_id, vpc_id, private_ip, instance_id, managed in rows(snapshot["network_interfaces"], *columns):
            found = interface(eni_id, vpc_id)
            found.instance_id, found.service_managed = instance_id, managed
            if private_ip:
                texts[eni_id].add(private_ip)
        for eni_id, vpc_id, address in rows(snapshot["eni_addresses"], "eni_id", "vpc_id", "address"):
            interface(eni_id, vpc_id)
            texts[eni_id].add(address)
        for eni_id, vpc_id, group in rows(snapshot["eni_security_groups"], "eni_id", "vpc_id", "security_group_id"):
            interface(eni_id, vpc_id).groups.add(group)
        for vpc_id, cidr in dict.fromkeys(rows(snapshot["vpc_cidrs"], "vpc_id", "cidr")):
            self.blocks[vpc_id].append((cidr, parse_addresses(cidr)))
        self._stray = False
        self._vague: set[str] = set()
        for found in self.interfaces.values():
            sets = [parse_addresses(text) for text in sorted(texts[found.eni_id])]
            if sets and None not in sets:
                found.addresses = union(one for one in sets if one is not None)
            elif found.vpc_id:
                self._vague.add(found.vpc_id)
            if found.vpc_id:
                self.by_vpc[found.vpc_id].append(found)
            else:
                self._stray = True
            if found.instance_id:
                self.by_instance[found.instance_id].append(found)
            for group in found.groups:
                self._by_group[group].append(found)

    def incomplete(self, vpc_id: str) -> str | None:
        """Why the ENIs of a VPC are not all known with VPC, addresses and groups; None if they are."""
        if vpc_id not in self._states:
            self._states[vpc_id] = self._incomplete(vpc_id)
        return self._states[vpc_id] or None

    def _incomplete(self, vpc_id: str) -> str:
        for table in _TABLES:
            if not self._coverage.complete(table, vpc_id):
                return gap_sentence(self._coverage, table, vpc_id)
        if self._stray:
            return "the VPC of some ENI was not read"
        return f"the addresses of some ENI of {vpc_id} were not read" if vpc_id in self._vague else ""

    def vpc_blocks(self, vpc_id: str) -> AddressSet | None:
        """The IPv4 blocks of a VPC as one set; None if they are not all known."""
        blocks = self.blocks.get(vpc_id, [])
        sets = [block for _, block in blocks if block is not None]
        if not sets or len(sets) < len(blocks) or not self._coverage.complete("vpc_cidrs", vpc_id):
            return None
        return union(sets)

    def _known_region(self, vpc_id: str) -> AddressSet:
        """Addresses that, seen as a source in the VPC, can only be those of its own ENIs."""
        if vpc_id not in self._known_regions:
            own = union(one.addresses for one in self.by_vpc.get(vpc_id, []) if one.addresses is not None)
            self._known_regions[vpc_id] = own | (self.vpc_blocks(vpc_id) or NOTHING)
        return self._known_regions[vpc_id]

    def members(self, vpc_id: str | None, group_id: str, *, local: bool) -> Members:
        """Addresses of a group, as seen by an ENI of `vpc_id`.

        `local`: the group is one of that VPC, so that nothing outside belongs to it.  An address of the VPC is in the
        groups of its ENI, and in none without an ENI, once the ENIs were read completely; before, that is not known.
        """
        key = (vpc_id or "", group_id, local)
        if key not in self._members:
            self._members[key] = self._find_members(vpc_id, group_id, local)
        return self._members[key]

    def _find_members(self, vpc_id: str | None, group_id: str, local: bool) -> Members:
        if not vpc_id:
            return Members(NOTHING, EVERYTHING, "the VPC of the endpoint was not read")
        enis = [one for one in self._by_group.get(group_id, []) if one.addresses is not None]
        sure = union(one.addresses or NOTHING for one in enis if one.vpc_id == vpc_id)
        why = self.incomplete(vpc_id)
        if local:
            if why is None:
                return Members(sure, sure)
            blocks = self.vpc_blocks(vpc_id)
            region = AddressSet(ALL_V4 if blocks is None else blocks.v4, ALL_V6)
            return Members(sure, region | sure, why)
        if why is not None:
            return Members(sure, EVERYTHING, why)
        known = self._known_region(vpc_id)
        outside = union(one.addresses or NOTHING for one in enis if one.vpc_id != vpc_id) - known
        return Members(sure | outside, EVERYTHING - known | sure | outside, f"members of {group_id} are not all known")

    def foreign_members(self, vpc_id: str, group_id: str, home: str) -> Members:
        """Addresses of a group of another VPC `home`, as seen by an ENI of `vpc_id`; exact if both were read."""
        found = self.members(vpc_id, group_id, local=False)
        if self.incomplete(vpc_id) is None and self.incomplete(home) is None:
            return Members(found.sure, found.sure)
        return found
