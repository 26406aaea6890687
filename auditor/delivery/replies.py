"""What a sink answered to a batch, as one of three cases nobody can mix up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Sized
from dataclasses import dataclass, field
from typing import Protocol

from auditor.delivery.records import Record


@dataclass(frozen=True, slots=True)
class Prepared:
    """A record and the bytes a sink sends for it."""

    record: Record
    payload: bytes


@dataclass(frozen=True, slots=True)
class Taken:
    """The batch was looked at event by event.

    `again` are positions to send once more (`why` in words, not before `after` seconds), `refused` positions refused
    for good with the answer; every other event was accepted.
    """

    again: tuple[int, ...] = ()
    refused: Mapping[int, str] = field(default_factory=dict)
    why: str = ""
    after: float | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """The batch was refused as a whole, for good.

    `about_sender`: the answer is about who asks or where (a token, a path), which one event of the batch may still have
    brought about, as filters between us and the sink do.
    """

    why: str
    answer: str
    about_sender: bool = False


@dataclass(frozen=True, slots=True)
class Blocked:
    """No event can be delivered before somebody puts something in order; sending again would not help."""

    why: str


Reply = Taken | Refused | Blocked


def all_again(batch: Sized, why: str, after: float | None = None) -> Taken:
    """Nothing was accepted, or nobody knows; the whole batch again."""
    return Taken(again=tuple(range(len(batch))), why=why, after=after)


class Sink(Protocol):
    """One place that takes events.  `why` and `answer` of its replies hold no token and no address."""

    def encode(self, record: Record) -> bytes:
        """What is sent for a record; batches are measured by it."""
        ...

    def send(self, batch: Sequence[Prepared], timeout: float) -> Reply:
        """Sends a batch in order, within about `timeout` seconds.  Never raises for what the other side does."""
        ...

    def close(self) -> None:
        """Gives connections back."""
        ...
