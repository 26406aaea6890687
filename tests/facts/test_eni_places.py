"""Addresses of endpoint ENIs against the blocks of their vSwitches."""

from __future__ import annotations

import pytest

from auditor.facts.eni_places import _place


@pytest.mark.parametrize(
    ("address", "cidr", "inside", "reserved"),
    [
        ("10.0.0.9", "10.0.0.0/24", True, False),
        ("10.0.0.0", "10.0.0.0/24", True, True),
        ("10.0.0.1", "10.0.0.0/24", True, False),
        ("10.0.0.252", "10.0.0.0/24", True, False),
        ("10.0.0.253", "10.0.0.0/24", True, True),
        ("10.0.0.255", "10.0.0.0/24", True, True),
        ("10.0.1.0", "10.0.0.0/24", False, False),
        ("10.0.0.9", "10.0.0.77/24", True, False),
        ("", "10.0.0.0/24", None, None),
        ("10.0.0.9", None, None, None),
        ("2001:db8::1", "10.0.0.0/24", None, None),
        ("10.0.0.09", "10.0.0.0/24", None, None),
    ],
)
def test_place(address: str, cidr: str | None, inside: bool | None, reserved: bool | None) -> None:
    found = _place(address, cidr)
    assert (found["inside"], found["reserved"]) == (inside, reserved)
    assert (found["reason"] is None) is (inside is not None)
