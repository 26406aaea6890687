"""Dispatch: drains a spool into its sink in batches, oldest first, and leaves no event behind without saying so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from auditor.delivery.patience import Patience
from auditor.delivery.records import Record
from auditor.delivery.replies import Blocked, Prepared, Refused, Sink, Taken
from auditor.delivery.spool import Damaged, Spool

#: One batch at most.
BATCH_EVENTS = 500
BATCH_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Drained:
    """How many events were accepted, how many refused for good, and why draining stopped (empty: it is empty)."""

    sent: int
    refused: int
    damaged: int
    trouble: str


class _Stopped(Exception):
    pass


def batches(sink: Sink, records: Iterable[Record]) -> Iterator[list[Prepared]]:
    """Records in order, at most 500 and 1 MB a batch; one that is larger goes alone."""
    batch: list[Prepared] = []
    size = 0
    for record in records:
        payload = sink.encode(record)
        if batch and (len(batch) >= BATCH_EVENTS or size + len(payload) > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(Prepared(record, payload))
        size += len(payload)
    if batch:
        yield batch


class Dispatch:
    """One drain of one spool."""

    def __init__(self, spool: Spool, sink: Sink, patience: Patience) -> None:
        self._spool = spool
        self._sink = sink
        self._patience = patience
        self._sent = self._refused = self._damaged = 0
        self._offset = 0
        self._trouble = ""

    def drain(self) -> Drained:
        """Sends what is spooled until it is empty or there is trouble.  Raises OSError if the disk refuses."""
        try:
            self._patience.renew()
            for path in self._spool.files():
                self._drain_file(path)
        except _Stopped as stop:
            self._trouble = str(stop)
        return self.drained

    @property
    def drained(self) -> Drained:
        """What came of it until now."""
        return Drained(self._sent, self._refused, self._damaged, self._trouble)

    def _drain_file(self, path: Path) -> None:
        self._offset = self._spool.offset(path)
        try:
            for batch in batches(self._sink, self._spool.records(path)):
                self._settle(path, batch)
        except Damaged as error:
            self._spool.quarantine(path, str(error))
            self._damaged += 1
            return
        self._spool.finish(path)

    def _settle(self, path: Path, batch: Sequence[Prepared]) -> None:
        """Deals with every event of a batch, in order: accepted, or refused and kept.  Raises _Stopped."""
        outcome = self._insisted(batch)
        if isinstance(outcome, Refused):
            self._divide(path, batch, outcome)
            return
        for position, answer in sorted(outcome.items()):
            self._spool.reject(path, self._offset + position, [batch[position].record], answer)
        self._refused += len(outcome)
        self._sent += len(batch) - len(outcome)
        self._forward(path, len(batch))

    def _divide(self, path: Path, batch: Sequence[Prepared], refusal: Refused) -> None:
        """A refused batch: halves, until the events that are at fault stand alone."""
        if refusal.about_sender and not self._welcome(path):
            raise _Stopped(refusal.why)
        if len(batch) == 1:
            self._spool.reject(path, self._offset, [batch[0].record], f"{refusal.why}\n{refusal.answer}")
            self._refused += 1
            self._forward(path, 1)
            return
        middle = len(batch) // 2
        self._settle(path, batch[:middle])
        self._settle(path, batch[middle:])

    def _welcome(self, path: Path) -> bool:
        """Whether the sink takes the event of the run, which holds no text of a tenant.

        If it does, a filter refused some event and not us.  The event comes again in its turn, under the same id.
        """
        last = None
        for record in self._spool.records(path):
            last = record
        if last is None or not last.is_run:
            return False
        outcome = self._insisted([Prepared(last, self._sink.encode(last))])
        return not isinstance(outcome, Refused) and not outcome

    def _forward(self, path: Path, count: int) -> None:
        self._offset += count
        self._spool.advance(path, self._offset)
        self._patience.renew()

    def _insisted(self, batch: Sequence[Prepared]) -> dict[int, str] | Refused:
        """Sends until every event is accepted or refused; the refused ones by position.  Raises _Stopped."""
        positions = list(range(len(batch)))
        refused: dict[int, str] = {}
        while True:
            reply = self._sink.send([batch[position] for position in positions], self._patience.left)
            match reply:
                case Blocked(why):
                    raise _Stopped(why)
                case Refused():
                    if len(positions) == len(batch):
                        return reply
                    # Only what is left of the batch is refused, so the batch must not be divided: the rest is in.
                    raise _Stopped(reply.why)
                case Taken():
                    refused |= {positions[index]: answer for index, answer in reply.refused.items()}
                    positions = [positions[index] for index in reply.again]
                    if not positions:
                        return refused
                    if not self._patience.wait(reply.after):
                        raise _Stopped(reply.why)
