"""What access control lists hold, taken together, and what is not known of them."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.facts.access_lists import _content
from auditor.facts.addresses import NOTHING, parse_addresses

CONSUMER = parse_addresses("10.0.0.0/16") or NOTHING


@pytest.mark.parametrize(
    ("entries", "everything", "touches"),
    [
        (["203.0.113.0/24"], False, False),
        (["0.0.0.0/0"], True, True),
        (["0.0.0.0/1", "128.0.0.0/1"], True, True),
        (["0.0.0.0/1", "128.0.0.0/2"], False, True),
        (["100.127.255.255"], False, True),
        (["10.0.255.0/24"], False, True),
        (["::/0"], False, False),
        ([], False, False),
        (["10.0.0.0/33"], None, None),
        (["0.0.0.0/0", "nonsense"], True, True),
    ],
)
def test_entries_are_taken_together(entries: list[str], everything: bool | None, touches: bool | None) -> None:
    found: dict[str, Any] = _content(entries, [], CONSUMER, [])
    assert (found["entries"], found["everything"], found["touches_known"]) == (len(entries), everything, touches)


def test_a_list_that_was_not_read_decides_nothing_it_does_not_show() -> None:
    found = _content(["203.0.113.0/24"], ["acl_entries of acl-1 not read"], CONSUMER, [])
    assert (found["entries"], found["everything"], found["touches_known"]) == (None, None, None)
    assert found["reason"] == "acl_entries of acl-1 not read"
    assert _content(["0.0.0.0/0"], ["not read"], CONSUMER, [])["everything"] is True


def test_unknown_clients_leave_open_whom_an_entry_meets() -> None:
    assert _content(["203.0.113.0/24"], [], NOTHING, ["a client"])["touches_known"] is None
    assert _content([], [], NOTHING, ["a client"])["touches_known"] is False
