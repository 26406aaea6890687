"""Addresses that count for nothing: taken out of the answer, as if they had been taken out of the question."""

from __future__ import annotations

from random import Random

import pytest

from auditor.facts.access import admission
from auditor.facts.addresses import EVERYTHING, NOTHING, AddressSet, difference, intersection, normalized, overlaps
from auditor.facts.decision import Item, decide, first_shadow, verdict

SIZE = 64


def some(random: Random, pieces: int) -> AddressSet:
    """A few intervals of a small address space, sometimes of both families."""

    def family() -> tuple[tuple[int, int], ...]:
        found = []
        for _ in range(random.randint(1, pieces)):
            low = random.randrange(SIZE)
            found.append((low, min(SIZE - 1, low + random.choice((0, 0, 1, 3, 9)))))
        return normalized(found)

    return AddressSet(family(), family() if random.random() < 0.3 else ())


def scene(random: Random) -> tuple[list[Item], AddressSet, AddressSet]:
    """Ordered items, a source and the addresses to leave out."""
    items = []
    for number in range(random.randint(1, 8)):
        sure = some(random, 3)
        possible = sure if random.random() < 0.7 else sure | some(random, 2)
        kind = "intra-group" if random.random() < 0.2 else "rule"
        why = None if possible is sure else f"why {number}"
        items.append(Item(kind == "intra-group" or random.random() < 0.5, sure, possible, f"r{number}", kind, why))
    items.append(Item(False, EVERYTHING, EVERYTHING, "default", "default"))
    source = AddressSet(v4=((0, SIZE - 1),)) if random.random() < 0.3 else some(random, 3)
    return items, source, some(random, random.choice((1, 4, 16)))


def one_by_one(items: list[Item], source: AddressSet, ignored: AddressSet) -> dict[str, object]:
    """The answer, one address after the other."""
    judged = source - ignored or source
    found: dict[str, object] = {}
    texts: dict[bool | None, AddressSet] = dict.fromkeys((True, False, None), NOTHING)
    deciders, seen = set(), set()
    for number, family in enumerate(("v4", "v6")):
        before: tuple[int, bool | None] | None = None
        waiting: list[int] = []
        for address in range(SIZE):
            point = ((address, address),)
            if not intersection(getattr(source, family), point):
                before, waiting = None, []
                continue
            alone = AddressSet(**{family: point})
            if intersection(getattr(judged, family), point):
                (piece,) = decide(items, alone)[number]
                answer = verdict(piece, items)
                seen.add(answer)
                if answer is not None:
                    deciders.add(piece.decider)
                for other in (address, *waiting):
                    texts[answer] |= AddressSet(**{family: ((other, other),)})
                before, waiting = (address, answer), []
            elif before is not None:
                texts[before[1]] |= alone
            else:
                waiting.append(address)
    found["admitted"], found["denied"], found["undecided"] = (texts[one].text() for one in (True, False, None))
    found["decided_by"] = ", ".join(items[index].label for index in sorted(deciders))
    found["verdict"] = (
        "part" if {True, False} <= seen else "all" if seen == {True} else "none" if seen == {False} else None
    )
    return found


@pytest.mark.parametrize("block", range(3))
def test_the_answer_is_that_of_the_source_without_them(block: int) -> None:
    for seed in range(block * 250, (block + 1) * 250):
        items, source, ignored = scene(Random(seed))
        fast = admission(items, source, ignored)
        expected = one_by_one(items, source, ignored)
        assert {name: getattr(fast, name) for name in expected} == expected, seed
        without = admission(items, source - ignored or source, NOTHING)
        for name in ("verdict", "decided_by", "intra_group_only", "shadowed", "shadowed_by", "reason"):
            assert getattr(fast, name) == getattr(without, name), (seed, name)


def test_shadows_are_those_of_the_source_without_them() -> None:
    for seed in range(400):
        items, source, ignored = scene(Random(seed))
        for possible in (False, True):
            expected = first_shadow(items, source - ignored, possible=possible)
            assert first_shadow(items, source, ignored, possible=possible) == expected, seed


def test_sets_of_many_intervals_are_sets_of_numbers() -> None:
    for seed in range(300):
        random = Random(seed)
        one, other = some(random, random.choice((2, 20))), some(random, random.choice((2, 20)))
        left = {n for low, high in one.v4 for n in range(low, high + 1)}
        right = {n for low, high in other.v4 for n in range(low, high + 1)}
        assert intersection(one.v4, other.v4) == normalized((n, n) for n in left & right)
        assert difference(one.v4, other.v4) == normalized((n, n) for n in left - right)
        assert overlaps(one.v4, other.v4) == bool(left & right)
        assert AddressSet(one.v4).covers(AddressSet(other.v4)) == (right <= left)
