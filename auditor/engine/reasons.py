"""Sentences that say why an outcome is unknown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from auditor.findings import Gap

#: How many gaps a sentence names before it counts the rest.
_NAMED = 3


def gap_sentence(gap: Gap, profiles: Mapping[str, str | None]) -> str:
    """One gap in a sentence without its period: what, where, which operation, which code."""
    if gap.operation is None:
        return gap.message
    what = gap.table or "the list"
    if gap.target and gap.target != "*":
        what += f" of {gap.target}"
    place = [account_words(gap.account_id, profiles)] if gap.account_id else []
    place += [gap.region_id] if gap.region_id else []
    where = f" in {', '.join(place)}" if place else ""
    code = gap.error_code or "an incomplete answer"
    return f"reading {what} ended with {code} ({gap.operation}{where})"


def gaps_sentence(gaps: Sequence[Gap], profiles: Mapping[str, str | None]) -> str:
    """The first gaps as sentences."""
    texts = list(dict.fromkeys(gap_sentence(gap, profiles) for gap in gaps))
    text = "; ".join(texts[:_NAMED])
    if len(texts) > _NAMED:
        text += f"; and {len(texts) - _NAMED} more"
    return f"{text[0].upper()}{text[1:]}." if text else ""


def account_words(account_id: str, profiles: Mapping[str, str | None]) -> str:
    """`account 1234567890123456 (consumer)`: the profile in brackets where it is known."""
    profile = profiles.get(account_id)
    return f"account {account_id} ({profile})" if profile else f"account {account_id}"
