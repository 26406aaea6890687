"""Budget: how many calls of one operation may start, and when, per account and region.

At most half of the documented rate is used, because console, Terraform and every user of the account share it.
"""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from auditor.collect.answers import CloudError
from auditor.collect.operations import Operation

Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Clock:
    """Time, replaceable in tests: seconds of a monotonic clock, of the wall clock, a random number from 0 to 1.

    `sleep` waits for seconds, or until the event is set.
    """

    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    random: Callable[[], float] = random.random
    sleep: Callable[[float, threading.Event], object] = lambda seconds, stop: stop.wait(seconds)


@dataclass(slots=True)
class _Line:
    allowed: int
    started: deque[float] = field(default_factory=deque)
    closed_until: float = 0.0
    given_up: CloudError | None = None


class Budget:
    """Sliding windows, one per account, region and operation."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._lines: dict[Key, _Line] = {}

    def _line(self, key: Key, operation: Operation) -> _Line:
        line = self._lines.get(key)
        if line is None:
            line = self._lines[key] = _Line(max(1, operation.calls // 2))
        return line

    def delay(self, key: Key, operation: Operation) -> float:
        """0 if a call may start now, which then counts as started; else the seconds until it is worth asking again.

        Raises CloudError where the operation was throttled to the end of its retries before.
        """
        with self._lock:
            line = self._line(key, operation)
            if line.given_up is not None:
                raise line.given_up
            now = self._clock.monotonic()
            if line.closed_until > now:
                return line.closed_until - now
            while line.started and line.started[0] <= now - operation.seconds:
                line.started.popleft()
            if len(line.started) < line.allowed:
                line.started.append(now)
                return 0.0
            return line.started[0] + operation.seconds - now

    def close(self, key: Key, operation: Operation, seconds: float) -> None:
        """After a throttled answer: nobody starts this operation for `seconds`, and its budget is halved."""
        with self._lock:
            line = self._line(key, operation)
            now = self._clock.monotonic()
            # Answers to calls that were under way together are one refusal, not several.
            if line.closed_until <= now:
                line.allowed = max(1, line.allowed // 2)
            line.closed_until = max(line.closed_until, now + seconds)

    def give_up(self, key: Key, operation: Operation, error: CloudError) -> None:
        """The operation stays refused: later calls end at once with the same gap instead of waiting as long again."""
        with self._lock:
            line = self._line(key, operation)
            if line.given_up is None:
                line.given_up = CloudError(
                    error.code, f"{error.message} (not asked again in this run)", status=error.status
                )

    def minute_edge(self) -> float:
        """Seconds until the next minute starts, plus up to a second so that not everybody starts together."""
        return 60.0 - self._clock.wall() % 60.0 + self._clock.random()
