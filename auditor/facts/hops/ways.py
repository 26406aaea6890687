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
    #: It admits every client address: nothing to take away.
    whole: bool = False

    @classmethod
    def of(
        cls,
        rule_id: str,
        verdicts: Sequence[bool | None],
        declared: bool,
        admitted: AddressSet,
        denied: AddressSet,
        id_: str,
        reasons: Sequence[str | None],
        everyone: AddressSet,
        *,
        tell: bool = True,
    ) -> Way:
        """From a verdict per client (or group of clients): every declared one counts, one of the others is enough.

        `everyone` are the addresses of all clients; without `tell` only what is not decided has a detail.
        """
        verdict = all_of(verdicts) if declared else any_of(verdicts)
        detail = None
        if verdict is None:
            detail = joined([reason for reason in reasons if reason]) or "not decided for every client"
        elif tell and verdict and admitted:
            detail = f"admits {told(admitted)}"
        elif tell and denied:
            detail = f"cuts off {told(denied)}"
        whole = not denied and admitted == everyone
        return cls(admitted, denied, Check(rule_id, verdict, detail), id_, whole)

    def with_detail(self, detail: str | None) -> Way:
        """The same with another detail."""
        return Way(self.admitted, self.denied, self.check._replace(detail=detail), self.id, self.whole)


def stands(verdict: str | None, declared: bool, some: bool) -> bool | None:
    """What "all", "part" or "none" means: the whole of a declared client counts, of another a part is enough."""
    if declared:
        return {"all": True, "part": False, "none": False}.get(verdict or "")
    return True if some else False if verdict == "none" else None


def told(addresses: AddressSet, beside: AddressSet = NOTHING) -> str:
    """The blocks of a set, the first few of them.

    Addresses `beside` it that count for nothing go with their neighbours, so that a block stays a block.
    """
    shown = AddressSet(_filled(addresses.v4, beside.v4), _filled(addresses.v6, beside.v6))
    return shortened(shown.text())


def shortened(text: str) -> str:
    """The first few of several address blocks."""
    blocks = text.split(", ")
    if len(blocks) <= _BLOCKS:
        return text
    return f"{', '.join(blocks[:_BLOCKS])} and {len(blocks) - _BLOCKS} more"


def _filled(intervals: Intervals, beside: Intervals) -> Intervals:
    if not beside or not intervals:
        return intervals
    found = list(intervals)
    highs, lows = {high for _, high in intervals}, {low for low, _ in intervals}
    found.extend((low, high) for low, high in beside if low - 1 in highs or high + 1 in lows)
    return normalized(found)
