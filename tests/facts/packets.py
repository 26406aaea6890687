"""A second opinion on security groups: packet by packet, world by world, sharing no code with the evaluator.

A scenario is a small deployment in which some things may not have been read.  Each unknown thing is a question with
two answers, asked anew at every place where it matters; a world is one way to answer all of them.  The verdicts of all
worlds together are what the evaluator has to find: {True}, {False}, or both, which is "undecided".
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import product
from random import Random
from typing import Any

from auditor.facts.group_rules import RULE_COLUMNS
from auditor.facts.security_groups import GroupSet, SecurityGroups
from auditor.inventory.schema import TABLES

VPC, OWN = ipaddress.ip_network("10.0.0.0/28"), "10.0.0.14"
INSIDE = [str(address) for address in VPC if str(address) != OWN]
OUTSIDE = ["10.0.1.0", "10.0.1.3"]
V6 = ["fd00::", "fd00::2", "fd00::3", "fd00::5", "fd00::8"]
CLIENTS = [*INSIDE, *OUTSIDE, *V6]
PACKETS = [("tcp", 80), ("tcp", 81), ("udp", 80)]

SOURCES = [
    "0.0.0.0/0", "10.0.0.0/28", "10.0.0.0/29", "10.0.0.4/30", "10.0.0.7", "10.0.0.8/29", "10.0.1.0/30", "10.0.0.0/23",
    "::/0", "fd00::/125", "fd00::2/127", "fd00::5", "rubbish",
]  # fmt: skip
PROTOCOLS = ["TCP", "tcp", "UDP", "ALL", "all", "6", "17", "icmp", "ICMPv6", "gre", "sctp?"]
PORTS = ["80/80", "1/65535", "-1/-1", "81/90", "443/443", "79/80", "broken"]


@dataclass
class Scenario:
    """One endpoint ENI in one VPC."""

    types: dict[str, str | None] = field(default_factory=dict)
    inner: dict[str, str | None] = field(default_factory=dict)
    status: dict[str, str] = field(default_factory=dict)
    rules: list[dict[str, Any]] = field(default_factory=list)
    enis: dict[str, set[str]] = field(default_factory=dict)
    prefix_lists: dict[str, list[str]] = field(default_factory=dict)
    port_lists: dict[str, list[str]] = field(default_factory=dict)
    unread: set[tuple[str, str]] = field(default_factory=set)


def make(random: Random, unknowns: float = 0.15) -> Scenario:
    """A scenario; `unknowns` is the share of things that were not read."""

    def unknown() -> bool:
        return random.random() < unknowns

    scenario = Scenario()
    for group in ("sg-a", "sg-b", "sg-c")[: random.randint(1, 3)]:
        scenario.types[group] = random.choice(["normal", "normal", "normal", "enterprise"])
        scenario.inner[group] = random.choice(["Accept", "Drop"])
        scenario.status[group] = "Attaching" if unknown() else "Attached"
        if unknown() and unknown():
            random.choice([lambda g: scenario.types.update({g: None}), lambda g: scenario.inner.update({g: None}),
                           lambda g: scenario.unread.add(("security_group_rules", g))])(group)  # fmt: skip
    # Groups that only rules name: known, advanced, not found, of another account.
    scenario.types |= {"sg-src": "normal", "sg-adv": "enterprise"}
    named = ["sg-src", "sg-adv", "sg-gone", "sg-foreign", *scenario.status]
    for address in random.sample([*INSIDE, *V6], random.randint(0, 5)):
        scenario.enis[address] = set(random.sample([*scenario.status, "sg-src"], random.randint(0, 2)))
    if unknown():
        scenario.unread.add(("network_interfaces", "vpc-1"))
    for number in range(random.randint(0, 7)):
        scenario.rules.append(_rule(random, scenario, f"r{number}", named, unknown))
    return scenario


def _rule(
    random: Random, scenario: Scenario, rule_id: str, named: list[str], unknown: Callable[[], bool]
) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(RULE_COLUMNS, "") | {
        "account_id": "1",
        "security_group_id": random.choice(list(scenario.status)),
        "rule_id": rule_id,
        "direction": random.choice(["ingress", "ingress", "ingress", "INGRESS", "egress"]),
        "policy": random.choice(["Accept", "Accept", "Drop", "drop"]),
        "priority": random.choice([1, 1, 2, 3, 100, 110]),
        "protocol": random.choice(PROTOCOLS[: 4 if random.random() < 0.6 else None]),
        "port_range": random.choice(PORTS[: 3 if random.random() < 0.6 else None]),
    }
    if random.random() < 0.2:
        row["port_range"] = "" if random.random() < 0.8 else row["port_range"]
        row["port_list_id"] = f"prl-{rule_id}"
        scenario.port_lists[f"prl-{rule_id}"] = random.sample(["80/80", "81/85", "443/443"], random.randint(0, 2))
        if unknown():
            scenario.unread.add(("port_list_entries", f"prl-{rule_id}"))
    kind = random.choice(["block", "block", "block", "group", "list", "mixed"])
    if kind in ("block", "mixed"):
        source = random.choice(SOURCES)
        row["ipv6_source_cidr" if ":" in source else "source_cidr"] = source
    if kind in ("group", "mixed"):
        row["source_group_id"] = random.choice(named)
        row["source_group_owner"] = "2" if row["source_group_id"] == "sg-foreign" else random.choice(["", "1"])
    if kind in ("list", "mixed"):
        row["source_prefix_list_id"] = f"pl-{rule_id}"
        scenario.prefix_lists[f"pl-{rule_id}"] = random.sample(SOURCES[:-1], random.randint(0, 3))
        if unknown():
            scenario.unread.add(("prefix_list_entries", f"pl-{rule_id}"))
    if random.random() < 0.1:
        row["source_port_range"] = random.choice(["1/65535", "-1/-1", "1024/65535"])
    if random.random() < 0.1:
        row["dest_cidr"] = random.choice([OWN, "10.0.0.8/29", "10.0.0.0/29"])
    if unknown() and unknown():
        row[random.choice(NULLABLE)] = None
    return row


NULLABLE = ["protocol", "port_range", "port_list_id", "source_cidr", "ipv6_source_cidr", "source_group_id",
            "source_prefix_list_id", "source_port_range", "dest_cidr"]  # fmt: skip


# ---------------------------------------------------------------------------------------------------- second opinion
_Answer = Callable[[Any], bool]


def verdicts(scenario: Scenario, address: str, protocol: str, port: int) -> set[bool]:
    """What becomes of a packet in any world."""
    return {admitted for admitted, _ in outcomes(scenario, address, protocol, port)}


def outcomes(scenario: Scenario, address: str, protocol: str, port: int) -> set[tuple[bool, str]]:
    """Verdict and decider of a packet, of all worlds."""
    questions: list[Any] = []

    def note(question: Any) -> bool:
        if question not in questions:
            questions.append(question)
        return False

    # All places where something unknown may matter, whatever the answers to other questions.
    for group in scenario.status:
        _attached(scenario, group, note, "intra")
        _member(scenario, address, group, note, ("intra", group))
        if _unreadable(scenario, group):
            note(("anything", group))
    for rule in scenario.rules:
        _attached(scenario, rule["security_group_id"], note, rule["rule_id"])
        _matches(scenario, rule, address, protocol, port, note)
    found = set()
    for answers in product((False, True), repeat=len(questions)):
        world = dict(zip(questions, answers, strict=True))
        found.add(_first_match(scenario, address, protocol, port, world.__getitem__))
        if len(found) > 1 and len({admitted for admitted, _ in found}) > 1:
            break
    return found


def _first_match(scenario: Scenario, address: str, protocol: str, port: int, answer: _Answer) -> tuple[bool, str]:
    late = False
    for group in scenario.status:
        if not _attached(scenario, group, answer, "intra"):
            continue
        if scenario.types[group] == "normal" and scenario.inner[group] == "Accept":
            known = _certain_member(scenario, address, group)
            if known or (
                scenario.status[group] != "Attached" and _member(scenario, address, group, answer, ("intra", group))
            ):
                return True, "intra-group"
            late = late or _member(scenario, address, group, answer, ("intra", group))
    for group in scenario.status:
        if _unreadable(scenario, group):
            return answer(("anything", group)), "not read"
    rules = [r for r in scenario.rules if _attached(scenario, r["security_group_id"], answer, r["rule_id"])]
    rules.sort(key=lambda rule: (rule["priority"], rule["policy"].lower() == "accept"))
    for rule in rules:
        if _matches(scenario, rule, address, protocol, port, answer):
            return rule["policy"].lower() == "accept", rule["rule_id"]
    return late, "intra-group" if late else "default"


def _attached(scenario: Scenario, group: str, answer: _Answer, place: str) -> bool:
    return scenario.status[group] == "Attached" or answer(("attached", group, place))


def _unreadable(scenario: Scenario, group: str) -> bool:
    kind = scenario.types[group]
    return (
        kind is None
        or ("security_group_rules", group) in scenario.unread
        or (kind == "normal" and scenario.inner[group] is None)
    )


def _certain_member(scenario: Scenario, address: str, group: str) -> bool:
    return group in scenario.enis.get(address, set())


def _member(scenario: Scenario, address: str, group: str, answer: _Answer, question: Any) -> bool:
    """Membership in a group of the endpoint's VPC."""
    if _certain_member(scenario, address, group):
        return True
    if ("network_interfaces", "vpc-1") not in scenario.unread or address in OUTSIDE:
        return False
    return answer(question)


@cache
def _in_block(address: str, block: str) -> bool | None:
    try:
        network = ipaddress.ip_network(block)
    except ValueError:
        return None
    return ipaddress.ip_address(address) in network


def _matches(scenario: Scenario, rule: dict[str, Any], address: str, protocol: str, port: int, answer: _Answer) -> bool:
    parts = [
        rule["direction"].lower() == "ingress",
        _protocol_matches(rule["protocol"], protocol),
        _port_matches(scenario, rule, port),
        _source_matches(scenario, rule, address, answer),
        _own_matches(rule, address),
        None if rule["source_port_range"] not in ("", "-1/-1", "1/65535") else True,
    ]
    if False in parts:
        return False
    return True if None not in parts else answer(("rule", rule["rule_id"]))


def _protocol_matches(text: str | None, protocol: str) -> bool | None:
    if text is None or text == "sctp?":
        return None
    return text.lower() in (protocol, "all", {"tcp": "6", "udp": "17"}[protocol])


def _port_matches(scenario: Scenario, rule: dict[str, Any], port: int) -> bool | None:
    text, listed = rule["port_range"], rule["port_list_id"]
    if text == "broken" or text is None:
        return None
    if text:
        return text == "-1/-1" or port in _ports(text)
    if not listed:
        return None
    if any(port in _ports(entry) for entry in scenario.port_lists[listed]):
        return True
    return None if ("port_list_entries", listed) in scenario.unread else False


def _ports(text: str) -> range:
    low, high = map(int, text.split("/"))
    return range(low, high + 1)


def _source_matches(scenario: Scenario, rule: dict[str, Any], address: str, answer: _Answer) -> bool | None:
    v4, v6 = rule["source_cidr"], rule["ipv6_source_cidr"]
    group, listed = rule["source_group_id"], rule["source_prefix_list_id"]
    if v4 or v6:
        found = [_in_block(address, text) for text in (v4, v6) if text]
        if None in found:
            return None
        if True in found:
            return True
        return None if (v6 if ":" in address else v4) is None else False
    if v4 is None or v6 is None:
        return None
    if group:
        return _source_group_matches(scenario, group, rule["source_group_owner"], address, answer, rule["rule_id"])
    if group is None:
        return None
    if not listed:
        return None
    if any(_in_block(address, entry) for entry in scenario.prefix_lists[listed]):
        return True
    return None if ("prefix_list_entries", listed) in scenario.unread else False


def _source_group_matches(
    scenario: Scenario, group: str, owner: str, address: str, answer: _Answer, rule_id: str
) -> bool | None:
    if group == "sg-gone" or scenario.types.get(group, "") == "enterprise":
        return False
    if group == "sg-foreign":
        enis_read = ("network_interfaces", "vpc-1") not in scenario.unread
        return False if enis_read and (address in INSIDE or address in scenario.enis) else None
    missing = object()
    member: Any = missing

    def ask(question: Any) -> bool:
        nonlocal member
        member = None
        return False

    if _member(scenario, address, group, ask, None):
        member = True
    elif member is missing:
        member = False
    # A group of unknown type may be an advanced one, which is no source.
    return None if member and scenario.types[group] is None else member


def _own_matches(rule: dict[str, Any], address: str) -> bool | None:
    if ":" in address:
        return True
    if rule["dest_cidr"] is None:
        return None
    return not rule["dest_cidr"] or bool(_in_block(OWN, rule["dest_cidr"]))


# ----------------------------------------------------------------------------------------------- for the evaluator
class _Columns:
    """As much of a frame as the facts read; frames are slow to make a hundred thousand times."""

    def __init__(self, names: tuple[str, ...], rows: list[dict[str, Any]]) -> None:
        self._lists = {name: [row.get(name) for row in rows] for name in names}

    def __getitem__(self, name: str) -> _Columns:
        column = _Columns((), [])
        column._lists = {"": self._lists[name]}
        return column

    def to_numpy(self, **_: Any) -> _Columns:
        return self

    def tolist(self) -> list[Any]:
        return self._lists[""]


class _Tables(dict[str, _Columns]):
    def __missing__(self, table: str) -> _Columns:
        return _Columns(TABLES[table].column_names, [])


class _Gap:
    kind, error_code, message = "refused", "Forbidden.RAM", "no"


class _Coverage:
    def __init__(self, unread: set[tuple[str, str]]) -> None:
        self._unread = unread
        self.frame = _Columns(("table_name", "account_id", "target", "complete"), [])

    def complete(self, table: str, target: str) -> bool:
        return (table, target) not in self._unread

    def gap(self, table: str, target: str) -> _Gap:
        return _Gap()


def security_groups(scenario: Scenario) -> tuple[SecurityGroups, GroupSet]:
    """The scenario as the evaluator takes it."""
    tables: dict[str, list[dict[str, Any]]] = {
        "security_groups": [
            {"security_group_id": group, "security_group_type": kind, "vpc_id": "vpc-1"}
            for group, kind in scenario.types.items()
        ],
        "security_group_policies": [
            {"security_group_id": group, "inner_access_policy": inner} for group, inner in scenario.inner.items()
        ],
        "security_group_rules": scenario.rules,
        "network_interfaces": [
            {"eni_id": f"eni-{address}", "vpc_id": "vpc-1", "private_ip": address} for address in scenario.enis
        ],
        "eni_security_groups": [
            {"eni_id": f"eni-{address}", "vpc_id": "vpc-1", "security_group_id": group}
            for address, groups in scenario.enis.items()
            for group in sorted(groups)
        ],
        "vpc_cidrs": [{"vpc_id": "vpc-1", "cidr": str(VPC)}],
        "prefix_list_entries": [
            {"prefix_list_id": one, "cidr": cidr} for one, entries in scenario.prefix_lists.items() for cidr in entries
        ],
        "port_list_entries": [
            {"port_list_id": one, "port_range": text} for one, listed in scenario.port_lists.items() for text in listed
        ],
    }  # fmt: skip
    columns = _Tables({name: _Columns(TABLES[name].column_names, rows) for name, rows in tables.items()})
    coverage: Any = _Coverage(scenario.unread)
    snapshot: Any = columns
    attached = tuple(sorted(group for group, status in scenario.status.items() if status == "Attached"))
    moving = tuple(sorted((group, status) for group, status in scenario.status.items() if status != "Attached"))
    return SecurityGroups(snapshot, coverage), GroupSet("vpc-1", attached, moving)


def blanked(scenario: Scenario, random: Random) -> Iterator[tuple[str, Scenario]]:
    """The scenario with one thing less read, once for every kind of thing there is."""
    for group in scenario.status:
        yield f"rules of {group}", replace(scenario, unread=scenario.unread | {("security_group_rules", group)})
        yield f"inner policy of {group}", replace(scenario, inner={**scenario.inner, group: None})
    for group in scenario.types:
        yield f"type of {group}", replace(scenario, types={**scenario.types, group: None})
    for name in scenario.prefix_lists:
        yield name, replace(scenario, unread=scenario.unread | {("prefix_list_entries", name)})
    for name in scenario.port_lists:
        yield name, replace(scenario, unread=scenario.unread | {("port_list_entries", name)})
    yield "ENIs", replace(scenario, unread=scenario.unread | {("network_interfaces", "vpc-1")})
    if scenario.rules:
        index, column = random.randrange(len(scenario.rules)), random.choice(NULLABLE)
        changed = [{**rule, column: None} if i == index else rule for i, rule in enumerate(scenario.rules)]
        yield f"{column} of {scenario.rules[index]['rule_id']}", replace(scenario, rules=changed)
