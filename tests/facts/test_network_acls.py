"""Network ACLs against a packet-by-packet walk, and the documented semantics one by one."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.facts.addresses import AddressSet, Intervals, contains, parse_addresses
from auditor.facts.network_acls import (
    EPHEMERAL_PORTS,
    AclEntry,
    entries_of,
    evaluate,
    passage,
)

CLIENTS = parse_addresses("10.0.0.0/28")
assert CLIENTS is not None


def entry(
    position: int, policy: str | None, cidr: str | None, port: str | None = "-1/-1", protocol: str | None = "all"
) -> dict[str, Any]:
    return {
        "position": position,
        "entry_id": f"nae-{position}",
        "policy": policy,
        "protocol": protocol,
        "port": port,
        "cidr": cidr,
    }


def entries(*rows: dict[str, Any]) -> list[AclEntry]:
    return entries_of(rows, lambda _id: None)


OPEN = entries(entry(1, "accept", "0.0.0.0/0"))


def verdicts(request: list[AclEntry], reply: list[AclEntry] = OPEN, port: int = 80) -> tuple[str, str, str]:
    assert CLIENTS is not None
    found = passage(request, reply, "tcp", CLIENTS, port)
    return found.admitted.text(), found.denied.text(), found.undecided.text()


def test_the_first_match_decides_whatever_comes_later() -> None:
    assert verdicts(entries(entry(1, "drop", "10.0.0.0/29"), entry(2, "accept", "0.0.0.0/0"))) == (
        "10.0.0.8/29",
        "10.0.0.0/29",
        "",
    )


def test_the_place_in_the_list_counts_and_not_the_order_of_rows() -> None:
    assert verdicts(entries(entry(2, "drop", "0.0.0.0/0"), entry(1, "accept", "0.0.0.0/0")))[0] == "10.0.0.0/28"


def test_what_no_entry_matches_is_dropped() -> None:
    assert verdicts(entries(entry(1, "accept", "192.168.0.0/16"))) == ("", "10.0.0.0/28", "")
    assert verdicts([]) == ("", "10.0.0.0/28", "")


def test_a_reply_needs_its_own_entry() -> None:
    assert verdicts(OPEN, entries(entry(1, "accept", "10.0.0.0/28", "80/80", "tcp")))[1] == "10.0.0.0/28"
    assert verdicts(OPEN, entries(entry(1, "accept", "10.0.0.0/28", "1024/65535", "tcp")))[0] == "10.0.0.0/28"


def test_a_part_of_the_ephemeral_range_is_not_decided() -> None:
    assert CLIENTS is not None
    found = passage(OPEN, entries(entry(1, "accept", "0.0.0.0/0", "32768/60999", "tcp")), "tcp", CLIENTS, 80)
    assert (found.undecided, found.partial_reply) == (CLIENTS, CLIENTS)


def test_protocols_by_name_number_and_all() -> None:
    for protocol in ("tcp", "TCP", "6", "all"):
        assert verdicts(entries(entry(1, "accept", "0.0.0.0/0", "80/80", protocol)))[0] == "10.0.0.0/28"
    assert verdicts(entries(entry(1, "accept", "0.0.0.0/0", "80/80", "udp")))[1] == "10.0.0.0/28"


def test_what_was_not_read_leaves_open_only_what_it_could_decide() -> None:
    unread_list = entry(1, "drop", "pl-1")
    assert verdicts(entries(unread_list, entry(2, "accept", "0.0.0.0/0")))[2] == "10.0.0.0/28"
    assert verdicts(entries(unread_list, entry(2, "drop", "0.0.0.0/0")))[1] == "10.0.0.0/28"
    assert verdicts(entries(entry(1, "accept", "0.0.0.0/0"), entry(2, None, None)))[0] == "10.0.0.0/28"


def test_a_prefix_list_is_its_addresses() -> None:
    rows = [entry(1, "accept", "pl-1")]
    found = entries_of(rows, lambda name: parse_addresses("10.0.0.0/30") if name == "pl-1" else None)
    assert verdicts(found) == ("10.0.0.0/30", "10.0.0.4/30, 10.0.0.8/29", "")


def test_ipv6_entries_do_not_touch_ipv4() -> None:
    assert verdicts(entries(entry(1, "drop", "::/0"), entry(2, "accept", "0.0.0.0/0")))[0] == "10.0.0.0/28"


# ------------------------------------------------------------------------------------------------ packet by packet

_RANDOM_ENTRY = st.builds(
    lambda policy, low, bits, port, protocol: (policy, f"10.0.0.{low}/{bits}" if bits else None, port, protocol),
    st.sampled_from(["accept", "drop", "drop", "accept", None]),
    st.integers(0, 15),
    st.sampled_from([28, 29, 30, 31, 32, 32, 0]),
    st.sampled_from(["-1/-1", "80/80", "79/81", "1024/65535", "1024/1030", None]),
    st.sampled_from(["all", "tcp", "udp", None]),
)


def _possible(rows: list[tuple[Any, ...]], address: int, port: int, protocol: str) -> set[bool]:
    """All answers a packet may get, by walking the list once for every reading of what is not known."""
    answers: set[bool] = set()
    for policy, cidr, ports, proto in rows:
        where = parse_addresses(cidr) if cidr else None
        low, high = (1, 65535) if ports in (None, "-1/-1") else map(int, ports.split("/"))
        if (where is not None and not contains(where.v4, address)) or not low <= port <= high:
            continue
        if proto not in (None, "all", protocol):
            continue
        answers |= {True, False} if policy is None else {policy == "accept"}
        if None not in (cidr, ports, proto):
            return answers
    return answers | {False}


def _of(number: int, sets: tuple[Intervals, Intervals, Intervals]) -> int:
    (found,) = [index for index, where in enumerate(sets) if contains(where, number)]
    return found


@settings(max_examples=400, deadline=None)
@given(st.lists(_RANDOM_ENTRY, max_size=6), st.sampled_from(["tcp", "udp"]))
def test_the_evaluator_agrees_with_a_packet_by_packet_walk(rows: list[tuple[Any, ...]], protocol: str) -> None:
    assert CLIENTS is not None
    acl = entries(*(entry(n, policy, cidr, port, proto) for n, (policy, cidr, port, proto) in enumerate(rows, 1)))
    wanted = ((78, 82), (1024, 1032))
    pieces = evaluate(acl, protocol, CLIENTS, wanted)
    low, high = CLIENTS.v4[0]
    for address in range(low, high + 1):
        (piece,) = [piece for piece in pieces if contains(piece.addresses.v4, address)]
        for port in (78, 79, 80, 81, 82, 1024, 1030, 1031):
            answer = _possible(rows, address, port, protocol)
            expected = {frozenset({True}): 0, frozenset({False}): 1, frozenset({True, False}): 2}[frozenset(answer)]
            assert _of(port, (piece.admitted, piece.denied, piece.undecided)) == expected


@settings(max_examples=150, deadline=None)
@given(st.lists(_RANDOM_ENTRY, max_size=4), st.lists(_RANDOM_ENTRY, max_size=4))
def test_an_exchange_is_admitted_only_if_every_packet_of_it_is(there: list[Any], back: list[Any]) -> None:
    assert CLIENTS is not None
    acls = [entries(*(entry(n, *row) for n, row in enumerate(rows, 1))) for rows in (there, back)]
    found = passage(acls[0], acls[1], "tcp", CLIENTS, 80)
    low, high = CLIENTS.v4[0]
    assert AddressSet() == found.admitted & found.denied == found.admitted & found.undecided
    # Ports at which anything can change: the corners of the entries above.
    corners = [port for port in (1024, 1030, 1031, 65535) if contains(EPHEMERAL_PORTS, port)]
    for address in range(low, high + 1):
        request = _possible(there, address, 80, "tcp")
        replies = [_possible(back, address, port, "tcp") for port in corners]
        if contains(found.admitted.v4, address):
            assert request == {True} and all(reply == {True} for reply in replies)
        elif contains(found.denied.v4, address):
            assert request == {False} or all(reply == {False} for reply in replies)
        else:
            assert request != {False} and any(reply != {False} for reply in replies)
            assert request != {True} or any(reply != {True} for reply in replies)
