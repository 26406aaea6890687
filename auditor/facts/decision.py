"""First match over ordered address sets, three-valued: who decides for each address, and who might.

An item that may or may not match leaves a mark on the addresses it may match.  Where a later item decides otherwise
than a mark, the address is undecided; where they agree, it does not matter whether the marked item matches.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from auditor.facts.addresses import NOTHING, AddressSet, Intervals, difference

#: Undecided pieces from which on painting over sorted boundaries is cheaper than keeping a list of intervals.
PAINT_ABOVE = 64


@dataclass(slots=True)  # not frozen: freezing triples the time to make one, and there are millions
class Item:
    """One entry of an ordered list: it matches `sure`, may match the rest of `possible`, and matches nothing else.

    kind: `rule`, `intra-group`, `default`, or `gap` for what was not read.
    `why` says why it is not known whether it matches; `wide` whether its source is 0.0.0.0/0 or ::/0 (None: unknown).
    """

    accept: bool
    sure: AddressSet
    possible: AddressSet
    label: str
    kind: str = "rule"
    why: str | None = None
    wide: bool | None = False


class Piece(NamedTuple):
    """Addresses low to high, all treated alike; `accept_mark`, `drop_mark`: first item that may match before."""

    low: int
    high: int
    decider: int
    accept_mark: int | None
    drop_mark: int | None


def verdict(piece: Piece, items: Sequence[Item]) -> bool | None:
    """True: admitted, False: denied, None: undecided."""
    if items[piece.decider].accept:
        return True if piece.drop_mark is None else None
    return False if piece.accept_mark is None else None


def decide(
    items: Sequence[Item], source: AddressSet, paint_above: int = PAINT_ABOVE
) -> tuple[list[Piece], list[Piece]]:
    """IPv4 and IPv6 pieces of `source`, sorted, adjacent equal ones merged.  The last item has to match everything."""
    v4 = [_Match(item.accept, item.sure.v4, _rest(item).v4) for item in items] if source.v4 else []
    v6 = [_Match(item.accept, item.sure.v6, _rest(item).v6) for item in items] if source.v6 else []
    return _decide(v4, source.v4, paint_above), _decide(v6, source.v6, paint_above)


class _Match(NamedTuple):
    accept: bool
    sure: Intervals
    possible: Intervals


def _rest(item: Item) -> AddressSet:
    """What the item may match; nothing if that is what it matches anyway."""
    return NOTHING if item.possible is item.sure else item.possible


def _decide(matches: Sequence[_Match], source: Intervals, paint_above: int) -> list[Piece]:
    if not source:
        return []
    undecided = _Undecided(source)
    pieces: list[Piece] = []
    for index, match in enumerate(matches):
        if len(undecided.lows) > paint_above:
            pieces.extend(_paint(undecided, matches, index))
            break
        for low, high in match.sure:
            undecided.settle(low, high, index, pieces)
        for low, high in match.possible:
            undecided.mark(low, high, index, match.accept)
        if not undecided.lows:
            break
    return _merged(pieces)


def _merged(pieces: list[Piece]) -> list[Piece]:
    """Sorted; neighbours with the same history become one."""
    pieces.sort()
    result: list[Piece] = []
    for piece in pieces:
        if result and result[-1].high + 1 == piece.low and result[-1][2:] == piece[2:]:
            result[-1] = piece._replace(low=result[-1].low)
        else:
            result.append(piece)
    return result


class _Undecided:
    """Disjoint sorted intervals of undecided addresses with their marks, as parallel lists."""

    def __init__(self, source: Intervals) -> None:
        self.lows = [low for low, _ in source]
        self.highs = [high for _, high in source]
        self.marks: list[tuple[int | None, int | None]] = [(None, None)] * len(source)

    def _span(self, low: int, high: int) -> tuple[int, int]:
        """Indexes of the intervals that overlap low to high, half open."""
        start = bisect_left(self.highs, low)
        return start, bisect_right(self.lows, high, start)

    def _replace(self, start: int, end: int, parts: list[tuple[int, int, tuple[int | None, int | None]]]) -> None:
        self.lows[start:end] = [part[0] for part in parts]
        self.highs[start:end] = [part[1] for part in parts]
        self.marks[start:end] = [part[2] for part in parts]

    def settle(self, low: int, high: int, index: int, pieces: list[Piece]) -> None:
        """Takes low to high out, as pieces decided by item `index`."""
        start, end = self._span(low, high)
        if start >= end:
            return
        parts = []
        for i in range(start, end):
            first, last, marks = self.lows[i], self.highs[i], self.marks[i]
            if first < low:
                parts.append((first, low - 1, marks))
            pieces.append(Piece(max(first, low), min(last, high), index, *marks))
            if last > high:
                parts.append((high + 1, last, marks))
        self._replace(start, end, parts)

    def mark(self, low: int, high: int, index: int, accept: bool) -> None:
        """Notes that item `index` may match low to high, where no item with the same policy is noted yet."""
        start, end = self._span(low, high)
        if start >= end:
            return
        parts = []
        for i in range(start, end):
            first, last, marks = self.lows[i], self.highs[i], self.marks[i]
            if marks[0 if accept else 1] is not None:
                parts.append((first, last, marks))
                continue
            noted = (index, marks[1]) if accept else (marks[0], index)
            if first < low:
                parts.append((first, low - 1, marks))
            parts.append((max(first, low), min(last, high), noted))
            if last > high:
                parts.append((high + 1, last, marks))
        self._replace(start, end, parts)


class _Free:
    """Union-find over segments: the next one from an index on that was not taken yet."""

    def __init__(self, size: int) -> None:
        self.next = list(range(size + 1))

    def find(self, index: int) -> int:
        following = self.next
        while following[index] != index:
            following[index] = following[following[index]]
            index = following[index]
        return index

    def take(self, index: int) -> None:
        self.next[index] = index + 1


def _paint(undecided: _Undecided, matches: Sequence[_Match], start: int) -> list[Piece]:
    """The pieces that the items from `start` on make of what is undecided; every segment is coloured once."""
    first, last = undecided.lows[0], undecided.highs[-1]
    bounds = {*undecided.lows, *(high + 1 for high in undecided.highs)}
    clipped: list[tuple[int, bool, int, int]] = []
    for item, match in enumerate(matches[start:], start):
        for sure, intervals in ((True, match.sure), (False, match.possible)):
            for low, high in intervals:
                if low <= last and high >= first:
                    low, end = max(low, first), min(high, last) + 1
                    clipped.append((item, sure, low, end))
                    bounds.add(low)
                    bounds.add(end)
    points = sorted(bounds)
    place = dict(zip(points, range(len(points)), strict=True))
    size = len(points) - 1
    decider: list[int | None] = [None] * size
    marks: tuple[list[int | None], list[int | None]] = ([None] * size, [None] * size)
    free, unmarked = _Free(size), (_Free(size), _Free(size))
    position = 0
    for low, high, noted in zip(undecided.lows, undecided.highs, undecided.marks, strict=True):
        for index in range(position, place[low]):
            free.take(index)
        position = place[high + 1]
        if noted != (None, None):
            for index in range(place[low], position):
                for policy in (0, 1):
                    if noted[policy] is not None:
                        marks[policy][index] = noted[policy]
                        unmarked[policy].take(index)
    for item, sure, low, end in clipped:
        stop = place[end]
        if sure:
            index = free.find(place[low])
            while index < stop:
                decider[index] = item
                free.take(index)
                index = free.find(index + 1)
            continue
        policy = 0 if matches[item].accept else 1
        index = unmarked[policy].find(place[low])
        while index < stop:
            unmarked[policy].take(index)
            # A segment that is settled already is out of reach of this item.
            if decider[index] is None:
                marks[policy][index] = item
            index = unmarked[policy].find(index + 1)
    return [
        Piece(points[i], points[i + 1] - 1, item, marks[0][i], marks[1][i])
        for i, item in enumerate(decider)
        if item is not None
    ]


def first_shadow(
    items: Sequence[Item], source: AddressSet, ignored: AddressSet = NOTHING, *, possible: bool = False
) -> tuple[int, int] | None:
    """The first Drop item and the first Accept item behind it that match one address of `source`; None if none do.

    `ignored` addresses are left out of the source.  With `possible` whatever may match counts as matching.
    """
    reaches = [
        (i, item.accept, item.possible if possible else item.sure)
        for i, item in enumerate(items)
        if item.kind == "rule"
    ]
    first_drop = next((index for index, accept, _ in reaches if not accept), len(items))
    if not any(accept and index > first_drop for index, accept, _ in reaches):
        return None
    drops: list[int] = []
    accepts: list[int] = []
    sets: dict[int, AddressSet] = {}
    for index, accept, reach in reaches:
        if index >= first_drop and (inside := reach & source) and not ignored.covers(inside):
            sets[index] = inside
            (accepts if accept else drops).append(index)
    if not drops or not accepts or drops[0] > accepts[-1]:
        return None
    first = _first_shadowing(drops, accepts, sets, ignored)
    if first is None:
        return None
    return first, next(accept for accept in accepts if accept > first and _overlap(sets[first], sets[accept], ignored))


def _overlap(one: AddressSet, other: AddressSet, ignored: AddressSet) -> bool:
    return not ignored.covers(one & other)


def _first_shadowing(
    drops: list[int], accepts: list[int], sets: dict[int, AddressSet], ignored: AddressSet
) -> int | None:
    if len(drops) * len(accepts) <= PAINT_ABOVE**2:
        for drop in drops:
            if any(accept > drop and _overlap(sets[drop], sets[accept], ignored) for accept in accepts):
                return drop
        return None
    painted = (
        _painted_shadow(drops, accepts, {index: difference(one.v4, ignored.v4) for index, one in sets.items()}),
        _painted_shadow(drops, accepts, {index: difference(one.v6, ignored.v6) for index, one in sets.items()}),
    )
    return min((found for found in painted if found is not None), default=None)


def _painted_shadow(drops: list[int], accepts: list[int], sets: dict[int, Intervals]) -> int | None:
    """The first Drop with an Accept behind it: paint the earliest Drop and the latest Accept of every address."""
    points = sorted({point for intervals in sets.values() for low, high in intervals for point in (low, high + 1)})
    place = {point: index for index, point in enumerate(points)}
    painted: list[dict[int, int]] = []
    for order in (drops, list(reversed(accepts))):
        free, colour = _Free(len(points)), {}
        for item in order:
            for low, high in sets[item]:
                stop = place[high + 1]
                index = free.find(place[low])
                while index < stop:
                    colour[index] = item
                    free.take(index)
                    index = free.find(index + 1)
        painted.append(colour)
    earliest, latest = painted
    return min((drop for index, drop in earliest.items() if drop < latest.get(index, -1)), default=None)
