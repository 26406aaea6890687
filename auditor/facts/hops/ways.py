"""What one hop does to client addresses: those it surely admits, those it surely cuts, and its verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from auditor.facts.addresses import NOTHING, AddressSet, Intervals, normalized
from auditor.facts.hops.checks import Check, all_of, any_of
from auditor.facts.rows import joined

#: Address blocks of a detail; a whitelist may have hundreds.
_BLOCKS = 4


@dataclass(frozen=True, slots=True)
class Way:
    """One hop over addresses.  Addresses in neither set are not decided."""

    admitted: AddressSet
    denied: AddressSet
    check: Check
    id: str

    @classmethod
    def of(
        cls,
        verdicts: Sequence[bool | None],
        declared: bool,
        admitted: AddressSet,
        denied: AddressSet,
        id_: str,
        reasons: Sequence[str | None],
        beside: AddressSet = NOTHING,
    ) -> Way:
        """From a verdict per client (or group of clients): every declared one counts, one of the others is enough."""
        verdict = all_of(verdicts) if declared else any_of(verdicts)
        if verdict is True:
            detail = f"admits {told(admitted, beside)}" if admitted else None
        elif verdict is False:
            detail = f"cuts off {told(denied, beside)}" if denied else None
        else:
            detail = joined([reason for reason in reasons if reason]) or "not decided for every client"
        return cls(admitted, denied, Check(None, verdict, detail), id_)


def told(addresses: AddressSet, beside: AddressSet = NOTHING) -> str:
    """The blocks of a set, the first few of them.

    Addresses `beside` it that count for nothing go with their neighbours, so that a block stays a block.
    """
    shown = AddressSet(_filled(addresses.v4, beside.v4), _filled(addresses.v6, beside.v6))
    blocks = shown.text().split(", ")
    if len(blocks) <= _BLOCKS:
        return ", ".join(blocks)
    return f"{', '.join(blocks[:_BLOCKS])} and {len(blocks) - _BLOCKS} more"


def _filled(intervals: Intervals, beside: Intervals) -> Intervals:
    if not beside or not intervals:
        return intervals
    found = list(intervals)
    highs, lows = {high for _, high in intervals}, {low for low, _ in intervals}
    found.extend((low, high) for low, high in beside if low - 1 in highs or high + 1 in lows)
    return normalized(found)
