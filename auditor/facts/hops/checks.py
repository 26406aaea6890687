"""Checks and how they make a hop: broken if one is, open if one is, in order only if all are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from auditor.facts.rows import joined
from auditor.findings import Hop

OK, BLOCKED, UNKNOWN = "ok", "blocked", "unknown"
_WORDS = {True: OK, False: BLOCKED, None: UNKNOWN}


class Check(NamedTuple):
    """One question about a hop.

    `verdict`: True in order, False broken, None not known.  `rule_id` is the rule that asks the same, where one does;
    `account_id` the account that can mend it, where that is not the owner of the hop.
    """

    rule_id: str | None
    verdict: bool | None
    detail: str | None = None
    account_id: str | None = None


def all_of(verdicts: Iterable[bool | None]) -> bool | None:
    """False if one is, else None if one is, else True."""
    found = set(verdicts)
    return False if False in found else None if None in found else True


def any_of(verdicts: Iterable[bool | None]) -> bool | None:
    """True if one is, else None if one is, else False."""
    found = set(verdicts)
    return True if True in found else None if None in found else False


def make_hop(kind: str, id_: str, account_id: str | None, checks: Sequence[Check], ok_detail: str | None = None) -> Hop:
    """The hop these checks make: it names the rules and details of those that decide.

    `ok_detail` is what is said of a hop in order, besides the details of its checks.
    """
    if len(checks) == 1:
        (check,) = checks
        owner = account_id if check.verdict is True or check.account_id is None else check.account_id
        told = check.detail if check.verdict is not True or ok_detail is None else joined_two(ok_detail, check.detail)
        rule_ids = () if check.rule_id is None else (check.rule_id,)
        return Hop(kind, id_, owner, _WORDS[check.verdict], rule_ids, told)
    verdict = all_of([check.verdict for check in checks])
    deciding = [check for check in checks if check.verdict is verdict]
    rules = dict.fromkeys(check.rule_id for check in deciding if check.rule_id is not None)
    details = [check.detail for check in deciding if check.detail is not None]
    if verdict is True and ok_detail is not None:
        details.insert(0, ok_detail)
    mender = next((check.account_id for check in deciding if check.account_id is not None), None)
    owner = mender if verdict is not True and mender is not None else account_id
    return Hop(kind, id_, owner, _WORDS[verdict], tuple(rules), joined(details))


def joined_two(one: str, other: str | None) -> str:
    """Two details as one."""
    return one if other is None else f"{one}; {other}"


def one_of(hops: Sequence[Hop]) -> Hop:
    """The hop that stands for several, of which nobody knows which one the traffic takes (at least one)."""
    if len(hops) == 1:
        return hops[0]
    verdicts = {hop.verdict for hop in hops}
    verdict = next(iter(verdicts)) if len(verdicts) == 1 else UNKNOWN
    told = [hop for hop in hops if hop.verdict == verdict] or [hop for hop in hops if hop.verdict != OK]
    ids = ", ".join(dict.fromkeys(hop.id for hop in hops))
    rules = tuple(dict.fromkeys(rule for hop in told for rule in hop.rule_ids))
    details = [f"{hop.id}: {hop.detail}" for hop in told if hop.detail]
    return Hop(hops[0].kind, ids, hops[0].account_id, verdict, rules, joined(details))


def named_first(hop: Hop, failed: Collection[tuple[str, str]]) -> Hop:
    """The hop with those rules first whose finding about it failed; `failed` holds (rule id, resource id)."""
    if len(hop.rule_ids) < 2:
        return hop
    ids = hop.id.split(", ")
    ordered = sorted(hop.rule_ids, key=lambda rule: not any((rule, id_) in failed for id_ in ids))
    return (
        hop
        if ordered == list(hop.rule_ids)
        else Hop(hop.kind, hop.id, hop.account_id, hop.verdict, tuple(ordered), hop.detail)
    )
