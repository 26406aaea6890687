"""Address sets and port sets."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.facts.addresses import (
    ALL_PORTS,
    EVERYTHING,
    NOTHING,
    AddressSet,
    contains,
    difference,
    intersection,
    is_wide,
    normalized,
    overlaps,
    parse_addresses,
    parse_ports,
    union,
)

BOUNDS = st.tuples(st.integers(0, 60), st.integers(0, 12)).map(lambda pair: (pair[0], pair[0] + pair[1]))
SETS = st.lists(BOUNDS, max_size=5).map(normalized)


def members(intervals: tuple[tuple[int, int], ...]) -> set[int]:
    return {number for low, high in intervals for number in range(low, high + 1)}


@given(SETS, SETS)
def test_interval_arithmetic_is_set_arithmetic(one: tuple[tuple[int, int], ...], other: tuple[tuple[int, int], ...]):
    assert members(intersection(one, other)) == members(one) & members(other)
    assert members(difference(one, other)) == members(one) - members(other)
    assert members(normalized(one + other)) == members(one) | members(other)
    assert overlaps(one, other) is bool(members(one) & members(other))
    assert all(contains(one, number) is (number in members(one)) for number in range(75))
    for result in (intersection(one, other), difference(one, other)):
        assert result == normalized(result)


@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 5000)), min_size=1, max_size=4))
def test_text_is_the_fewest_blocks(pairs: list[tuple[int, int]]) -> None:
    found = AddressSet(v4=normalized((low, min(low + size, 2**32 - 1)) for low, size in pairs))
    expected = [
        str(block)
        for low, high in found.v4
        for block in ipaddress.summarize_address_range(ipaddress.IPv4Address(low), ipaddress.IPv4Address(high))
    ]
    assert found.text().split(", ") == expected
    assert union(one for text in expected if (one := parse_addresses(text)) is not None) == found


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("10.0.0.7", "10.0.0.7/32"),
        ("10.0.0.7/24", "10.0.0.0/24"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("::/0", "::/0"),
        ("2001:db8::1", "2001:db8::1/128"),
        ("2001:DB8::ff/120", "2001:db8::/120"),
    ],
)
def test_blocks_and_bare_addresses_are_understood(text: str, blocks: str) -> None:
    found = parse_addresses(text)
    assert found is not None
    assert found.text() == blocks


@pytest.mark.parametrize(
    "text",
    ["", "10.0.0", "10.0.0.0/33", "10.0.0.0/", "10.0.0.256", "010.0.0.1", "10.0.0.0/255.0.0.0", " 10.0.0.1",
     "fe80::1%eth0", "::/129", "::/x", ":", "pl-1", "10.0.0.0/-1", "10.0.0.١", "/8", "1.2.3.4.5"],
)  # fmt: skip
def test_malformed_addresses_are_unknown_and_not_empty(text: str) -> None:
    assert parse_addresses(text) is None


def test_ports_are_a_range_or_all_of_them() -> None:
    assert parse_ports("80/443") == ((80, 443),)
    assert parse_ports("-1/-1") == ALL_PORTS == parse_ports("1/65535")


@pytest.mark.parametrize("text", ["", "80", "443/80", "0/80", "80/65536", "-1/80", "a/b", "80/80/80", "80-90", "08/80"])
def test_malformed_ports_are_unknown(text: str) -> None:
    assert parse_ports(text) is None


def test_families_do_not_mix() -> None:
    v4, v6 = parse_addresses("0.0.0.0/0"), parse_addresses("::/0")
    assert v4 is not None and v6 is not None
    assert not v4.overlaps(v6)
    assert not v4 & v6
    assert v4 | v6 == EVERYTHING
    assert EVERYTHING - v4 == v6
    assert is_wide(v4) and is_wide(v6) and not is_wide(NOTHING)
    assert EVERYTHING.covers(v4) and not v4.covers(EVERYTHING)
    assert (v4 | v6).text() == "0.0.0.0/0, ::/0"
