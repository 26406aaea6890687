"""Address sets and port sets, exactly: sorted disjoint intervals of integers, IPv4 and IPv6 apart."""

from __future__ import annotations

import ipaddress
import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

#: Inclusive bounds, sorted, disjoint and not adjacent.
Intervals = tuple[tuple[int, int], ...]

V4_MAX = 2**32 - 1
V6_MAX = 2**128 - 1
ALL_V4: Intervals = ((0, V4_MAX),)
ALL_V6: Intervals = ((0, V6_MAX),)
#: Ports 1 to 65535; port 0 cannot be named in a rule.
ALL_PORTS: Intervals = ((1, 65535),)


def normalized(intervals: Iterable[tuple[int, int]]) -> Intervals:
    """The same integers as sorted, disjoint and non-adjacent intervals."""
    intervals = tuple(intervals)
    if len(intervals) < 2:
        return intervals
    result: list[tuple[int, int]] = []
    for low, high in sorted(intervals):
        if result and low <= result[-1][1] + 1:
            if high > result[-1][1]:
                result[-1] = (result[-1][0], high)
        else:
            result.append((low, high))
    return tuple(result)


def intersection(one: Intervals, other: Intervals) -> Intervals:
    """Integers in both."""
    if not one or not other:
        return ()
    result = []
    i, j = _reach(one, other[0][0]), _reach(other, one[0][0])
    while i < len(one) and j < len(other):
        low, high = max(one[i][0], other[j][0]), min(one[i][1], other[j][1])
        if low <= high:
            result.append((low, high))
        if one[i][1] < other[j][1]:
            i += 1
        else:
            j += 1
    return tuple(result)


def difference(one: Intervals, other: Intervals) -> Intervals:
    """Integers of `one` that are not in `other`."""
    if not other or not one:
        return one
    result = []
    j = _reach(other, one[0][0])
    for start, end in one:
        low = start
        while j < len(other) and other[j][1] < low:
            j += 1
        k = j
        while k < len(other) and other[k][0] <= end:
            if other[k][0] > low:
                result.append((low, other[k][0] - 1))
            low = other[k][1] + 1
            k += 1
        if low <= end:
            result.append((low, end))
    return tuple(result)


def overlaps(one: Intervals, other: Intervals) -> bool:
    """True if some integer is in both."""
    if not one or not other:
        return False
    i, j = _reach(one, other[0][0]), _reach(other, one[0][0])
    while i < len(one) and j < len(other):
        if one[i][1] < other[j][0]:
            i += 1
        elif other[j][1] < one[i][0]:
            j += 1
        else:
            return True
    return False


def _reach(intervals: Intervals, number: int) -> int:
    """The index of the first interval that ends at the integer or behind it."""
    if len(intervals) < 8:
        return 0  # the callers walk on from there
    index = bisect_right(intervals, (number, V6_MAX)) - 1
    return index if index >= 0 and intervals[index][1] >= number else index + 1


def spanning(intervals: Intervals, number: int) -> tuple[int, int] | None:
    """The interval that holds the integer."""
    index = bisect_right(intervals, (number, V6_MAX)) - 1
    return intervals[index] if index >= 0 and intervals[index][1] >= number else None


def _within(one: Intervals, other: Intervals) -> bool:
    """True if every integer of `one` is in `other`: each interval then lies in a single one, for none are adjacent."""
    for low, high in one:
        found = spanning(other, low)
        if found is None or found[1] < high:
            return False
    return True


def contains(intervals: Intervals, number: int) -> bool:
    """True if the integer lies in one of the intervals."""
    if len(intervals) == 1:
        return intervals[0][0] <= number <= intervals[0][1]
    index = bisect_right(intervals, (number, V6_MAX)) - 1
    return index >= 0 and intervals[index][1] >= number


@dataclass(slots=True, unsafe_hash=True)  # never changed; freezing would triple the time to make one
class AddressSet:
    """A set of IPv4 and IPv6 addresses."""

    v4: Intervals = ()
    v6: Intervals = ()

    def __bool__(self) -> bool:
        return bool(self.v4 or self.v6)

    def __or__(self, other: AddressSet) -> AddressSet:
        return AddressSet(normalized(self.v4 + other.v4), normalized(self.v6 + other.v6))

    def __and__(self, other: AddressSet) -> AddressSet:
        return AddressSet(intersection(self.v4, other.v4), intersection(self.v6, other.v6))

    def __sub__(self, other: AddressSet) -> AddressSet:
        return AddressSet(difference(self.v4, other.v4), difference(self.v6, other.v6))

    def overlaps(self, other: AddressSet) -> bool:
        """True if the sets share an address."""
        return overlaps(self.v4, other.v4) or overlaps(self.v6, other.v6)

    def covers(self, other: AddressSet) -> bool:
        """True if every address of `other` is in this set."""
        return _within(other.v4, self.v4) and _within(other.v6, self.v6)

    def text(self) -> str:
        """The fewest CIDR blocks that are this set, separated by ", "; IPv4 first; empty for the empty set."""
        return ", ".join([*_blocks(self.v4, 32), *_blocks(self.v6, 128)])


NOTHING = AddressSet()
EVERYTHING = AddressSet(ALL_V4, ALL_V6)


def union(sets: Iterable[AddressSet]) -> AddressSet:
    """All addresses of all sets."""
    v4: list[tuple[int, int]] = []
    v6: list[tuple[int, int]] = []
    for one in sets:
        v4.extend(one.v4)
        v6.extend(one.v6)
    return AddressSet(normalized(v4), normalized(v6))


def is_wide(addresses: AddressSet) -> bool:
    """True if the set holds all of IPv4 or all of IPv6."""
    return addresses.v4 == ALL_V4 or addresses.v6 == ALL_V6


def _blocks(intervals: Intervals, bits: int) -> list[str]:
    texts = []
    for start, high in intervals:
        low = start
        while low <= high:
            size = (high - low + 1).bit_length() - 1
            if low:
                size = min(size, (low & -low).bit_length() - 1)
            texts.append(f"{_address_text(low, bits)}/{bits - size}")
            low += 1 << size
    return texts


def _address_text(number: int, bits: int) -> str:
    if bits == 32:
        return f"{number >> 24}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    return str(ipaddress.IPv6Address(number))


def parse_addresses(text: str) -> AddressSet | None:
    """The set named by a CIDR block or a bare address; None if the text is neither (unknown, never empty).

    Host bits are masked off, as the cloud does.  Netmasks, zone ids and surrounding space are not understood.
    """
    found = _parse_v4(text)
    if found is not None:
        return AddressSet(v4=(found,))
    address, slash, length = text.partition("/")
    if ":" not in address or "%" in address:
        return None
    try:
        number = int(ipaddress.IPv6Address(address))
    except ValueError:
        return None
    bits = _number(length, 128) if slash else 128
    if bits is None:
        return None
    mask = (1 << (128 - bits)) - 1
    return AddressSet(v6=((number & ~mask, number | mask),))


_OCTET = "(0|[1-9][0-9]{0,2})"
_V4 = re.compile(rf"{_OCTET}\.{_OCTET}\.{_OCTET}\.{_OCTET}(?:/(0|[1-9][0-9]?))?")


def _parse_v4(text: str) -> tuple[int, int] | None:
    # By hand: a snapshot holds a million of them, and `ipaddress` takes ten times as long.
    match = _V4.fullmatch(text)
    if match is None:
        return None
    first, second, third, fourth, length = match.groups()
    octets = int(first), int(second), int(third), int(fourth)
    bits = 32 if length is None else int(length)
    if bits > 32 or max(octets) > 255:
        return None
    number = octets[0] << 24 | octets[1] << 16 | octets[2] << 8 | octets[3]
    mask = (1 << (32 - bits)) - 1
    return number & ~mask, number | mask


def _number(text: str, most: int) -> int | None:
    """A plain decimal number without sign, leading zeros or digits of other scripts."""
    if not text.isascii() or not text.isdigit() or len(text) > 5 or (text[0] == "0" and text != "0"):
        return None
    number = int(text)
    return number if number <= most else None


def parse_ports(text: str) -> Intervals | None:
    """The ports named by "from/to" or "-1/-1" (all of them); None if the text is neither."""
    if text == "-1/-1":
        return ALL_PORTS
    low_text, slash, high_text = text.partition("/")
    low, high = _number(low_text, 65535), _number(high_text, 65535)
    if not slash or low is None or high is None or not 1 <= low <= high:
        return None
    return ((low, high),)
