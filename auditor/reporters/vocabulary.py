"""The words of plaudit that stand alone in reports: severities, outcomes, sides, verdicts and kinds of objects."""

from __future__ import annotations

import re

from auditor.languages import Language, marked

#: Marked for the catalogue; looked up by value.
WORDS = (
    *(marked("critical"), marked("high"), marked("medium"), marked("low"), marked("info")),
    *(marked("pass"), marked("fail"), marked("unknown"), marked("n/a"), marked("waived"), marked("not applicable")),
    *(marked("consumer"), marked("provider"), marked("both"), marked("Consumer"), marked("Provider")),
    *(marked("reachable"), marked("blocked"), marked("ok")),
    *(marked("documented"), marked("inferred"), marked("policy")),
    *(marked("account"), marked("whitelist entry"), marked("VPC"), marked("vSwitch")),
    *(marked("client"), marked("client egress"), marked("client network ACL"), marked("network ACL")),
    *(marked("security groups"), marked("endpoint zone"), marked("connection"), marked("service")),
    *(marked("service resource"), marked("load balancer"), marked("listener"), marked("server group")),
    *(marked("backend"), marked("clients"), marked("endpoint service"), marked("backends")),
)

_ACRONYM = re.compile(r"\bacl\b")


def hop_kind(kind: str, language: Language) -> str:
    """What a hop of a path is called."""
    return language.text(_ACRONYM.sub("ACL", kind.replace("_", " ")))


def side_and_account(side: str, account_id: str | None, language: Language) -> str:
    """Who holds a fix: `consumer 1234567890123456`."""
    if account_id is None:
        return language.text("{side} (account not known)", side=language.text(side))
    return language.text("{side} {account}", side=language.text(side), account=account_id)


def conjoined(parts: list[str], language: Language) -> str:
    """`a and b`."""
    return language.text(" and ").join(parts)
