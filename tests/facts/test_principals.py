"""Whom whitelist entries admit."""

from __future__ import annotations

import pytest

from auditor.facts.principals import understand

from .scene import CONSUMER, facts

ACCOUNT = "1234567890123456"


@pytest.mark.parametrize(
    "entry",
    [
        ACCOUNT,
        f"acs:ram:*:{ACCOUNT}:*",
        f"acs:ram::{ACCOUNT}:root",
        f"acs:ram:*:{ACCOUNT}:user/alice",
        f"acs:ram:*:{ACCOUNT}:role/audit/reader",
        f"acs:ram:cn-hangzhou:{ACCOUNT}:group/ops",
    ],
)
def test_entries_that_admit_one_account(entry: str) -> None:
    assert understand(entry) == (ACCOUNT, False)


@pytest.mark.parametrize("entry", ["*", "acs:ram:*:*:*", "acs:ram::*:root"])
def test_entries_that_admit_everyone(entry: str) -> None:
    assert understand(entry) == (None, True)


@pytest.mark.parametrize(
    "entry",
    [
        "",
        "alice",
        "**",
        "１２３",
        f"{ACCOUNT}\n",
        "acs:ram:*:*:user/alice",
        "acs:ram:*::*",
        "acs:ram:*:1234*:*",
        f"acs:oss:*:{ACCOUNT}:*",
        f"acs:ram:*:{ACCOUNT}",
        f"acs:ram:*:{ACCOUNT}:",
        f"acs:ram:*:{ACCOUNT}:user/",
        f"acs:ram:*:{ACCOUNT}:bucket/x",
    ],
)
def test_entries_that_are_not_understood(entry: str) -> None:
    assert understand(entry) == (None, None)


def test_rows_name_the_owner() -> None:
    entries = [{"service_id": "epsrv-1", "entry": entry, "entry_type": "arn"} for entry in (ACCOUNT, "*", "?", "*")]
    assert facts("service_principals", {"service_users": entries}) == [
        {
            "service_id": "epsrv-1",
            "entry": entry,
            "account_id": account,
            "everyone": everyone,
            "owner_account_id": CONSUMER,
        }
        for entry, account, everyone in ((ACCOUNT, ACCOUNT, False), ("*", None, True), ("?", None, None))
    ]
