"""The evaluator against a second opinion that looks at one packet at a time."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditor.facts.access import admission, exposure
from auditor.facts.addresses import NOTHING, AddressSet, parse_addresses, union
from auditor.facts.decision import Item, decide, first_shadow, verdict

from . import packets

UNIVERSE = union(found for text in packets.CLIENTS if (found := parse_addresses(text)) is not None)
OWN = parse_addresses(packets.OWN)


def answers(items: list[Item], paint_above: int = 64) -> dict[str, tuple[bool | None, str]]:
    """Verdict and decider per address of the universe."""
    pieces = [piece for part in decide(items, UNIVERSE, paint_above) for piece in part]
    found = {}
    for text in packets.CLIENTS:
        low = single(text)
        (piece,) = (one for one in pieces if one.low <= low <= one.high and (low > 2**32) == (one.low > 2**32))
        found[text] = verdict(piece, items), items[piece.decider].label
    return found


def single(text: str) -> int:
    found = parse_addresses(text)
    assert found is not None
    return (found.v4 or found.v6)[0][0]


def no(question: object) -> bool:
    return False


def check_agreement(scenario: packets.Scenario) -> None:
    groups, group_set = packets.security_groups(scenario)
    for protocol, port in packets.PACKETS:
        items = groups.ingress_items(group_set, protocol, port, OWN)
        found = answers(items)
        assert found == answers(items, paint_above=0), "painting and intervals disagree"
        for address, (admitted, label) in found.items():
            expected = packets.outcomes(scenario, address, protocol, port)
            verdicts = {one for one, _ in expected}
            assert verdicts == ({True, False} if admitted is None else {admitted}), (address, protocol, port)
            if len(expected) == 1:
                ((_, decider),) = expected
                ties = {rule["rule_id"] for rule in scenario.rules}
                assert label == decider or (label in ties and decider in ties), (address, label, decider)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.randoms(use_true_random=False))
def test_evaluator_agrees_with_the_second_opinion(random: Random) -> None:
    check_agreement(packets.make(random))


@pytest.mark.parametrize("block", range(4))
def test_evaluator_agrees_on_many_random_scenarios(block: int) -> None:
    for seed in range(block * 300, (block + 1) * 300):
        check_agreement(packets.make(Random(seed), unknowns=(0.0, 0.1, 0.3)[seed % 3]))


@pytest.mark.parametrize("block", range(2))
def test_taking_knowledge_away_never_turns_a_verdict_around(block: int) -> None:
    for seed in range(block * 150, (block + 1) * 150):
        random = Random(seed)
        scenario = packets.make(random, unknowns=(0.0, 0.15)[seed % 2])
        groups, group_set = packets.security_groups(scenario)
        for name, less in packets.blanked(scenario, random):
            fewer, fewer_set = packets.security_groups(less)
            for protocol, port in packets.PACKETS[:2]:
                before = answers(groups.ingress_items(group_set, protocol, port, OWN))
                after = answers(fewer.ingress_items(fewer_set, protocol, port, OWN))
                for address in packets.CLIENTS:
                    if after[address][0] is not None:
                        assert before[address][0] == after[address][0], (name, address)


def test_shadowing_is_found_packet_by_packet() -> None:
    for seed in range(200):
        scenario = packets.make(Random(seed), unknowns=0.0)
        groups, group_set = packets.security_groups(scenario)
        items = groups.ingress_items(group_set, "tcp", 80, OWN)
        expected = False
        for address in packets.CLIENTS:
            order = sorted(
                (rule for rule in scenario.rules if packets._matches(scenario, rule, address, "tcp", 80, no)),
                key=lambda rule: (rule["priority"], rule["policy"].lower() == "accept"),
            )
            kinds = [rule["policy"].lower() for rule in order]
            expected = expected or ("drop" in kinds and "accept" in kinds[kinds.index("drop") :])
        found = admission(items, UNIVERSE, NOTHING)
        doubtful = any(item.why is not None for item in items)
        assert found.shadowed is expected or (doubtful and found.shadowed is None and not expected), seed
        assert (found.shadowed_by is not None) is expected


def test_exposure_is_what_a_stranger_may_do() -> None:
    strangers = [*packets.CLIENTS, "203.0.113.9", "2001:db8::9"]
    for seed in range(200):
        scenario = packets.make(Random(seed), unknowns=0.0)
        groups, group_set = packets.security_groups(scenario)
        items = groups.ingress_items(group_set, "tcp", 80, OWN)
        is_open, rules, _ = exposure(items)
        if any(item.why is not None for item in items):
            continue
        deciders = {
            label
            for address in strangers
            for admitted, label in packets.outcomes(
                replace(scenario, inner=dict.fromkeys(scenario.inner, "Drop")), address, "tcp", 80
            )
            if admitted
        }
        wide = {item.label for item in items if item.accept and item.wide}
        assert is_open is bool(wide & deciders), seed
        assert is_open is (rules is not None)


def random_items(random: Random, count: int) -> list[Item]:
    """Ordered items over a space of 4096 addresses, many of them overlapping."""
    items = []
    for number in range(count):
        parts = []
        for _ in range(2):
            low = random.randrange(4096)
            parts.append((low, min(4095, low + random.choice([0, 0, 1, 7, 300]))))
        sure = AddressSet(v4=(parts[0],))
        possible = sure if random.random() < 0.7 else sure | AddressSet(v4=(parts[1],))
        if random.random() < 0.1:
            sure = NOTHING
        items.append(Item(random.random() < 0.4, sure, possible, f"r{number}", why="?"))
    everything = AddressSet(v4=((0, 2**32 - 1),))
    return [*items, Item(False, everything, everything, "default", "default")]


@pytest.mark.parametrize("seed", range(12))
def test_painting_and_intervals_agree_on_long_lists(seed: int) -> None:
    random = Random(seed)
    items = random_items(random, 400)
    source = AddressSet(v4=((5, 1000), (1100, 4000)))
    by_interval = decide(items, source, paint_above=10**9)
    assert by_interval == decide(items, source, paint_above=0) == decide(items, source)
    covered = union(AddressSet(v4=((piece.low, piece.high),)) for piece in by_interval[0])
    assert covered == source


@pytest.mark.parametrize("seed", range(6))
def test_shadows_of_long_lists_are_those_of_all_pairs(seed: int) -> None:
    items = random_items(Random(seed), 250)
    source = AddressSet(v4=((0, 3000),))
    drops = [i for i, item in enumerate(items) if item.kind == "rule" and not item.accept]
    accepts = [i for i, item in enumerate(items) if item.kind == "rule" and item.accept]
    pairs = [(d, a) for d in drops for a in accepts if a > d and (items[d].sure & source).overlaps(items[a].sure)]
    assert first_shadow(items, source) == min(pairs)
