"""Patience: how long and how often a batch is tried again, with clock, sleep and chance injected."""

from __future__ import annotations

import email.utils
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

#: Exponential backoff with full jitter: no longer than BASE * 2**attempt, never longer than CAP, in seconds.
BASE = 1.0
CAP = 30.0

#: Default of --deliver-timeout, in seconds.
TIMEOUT = 60.0


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Clock:
    """Time and chance; tests bring their own."""

    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], datetime] = _utc_now
    chance: Callable[[], float] = random.random


class Patience:
    """Bounds the time without progress: a batch that was dealt with starts it anew."""

    def __init__(self, seconds: float = TIMEOUT, clock: Clock | None = None) -> None:
        self.seconds = seconds
        self.clock = clock or Clock()
        self.renew()

    def renew(self) -> None:
        """Something was accepted or refused for good."""
        self._attempt = 0
        self._end = self.clock.monotonic() + self.seconds

    @property
    def left(self) -> float:
        """Seconds that are left."""
        return max(0.0, self._end - self.clock.monotonic())

    def wait(self, after: float | None = None) -> bool:
        """Sleeps before the next attempt, not shorter than `after`; False at once if there is no time for that."""
        pause = self.clock.chance() * min(CAP, BASE * 2.0 ** min(self._attempt, 16))
        pause = max(pause, after or 0.0)
        self._attempt += 1
        if pause >= self.left:
            return False
        self.clock.sleep(pause)
        return True


def retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds a `Retry-After` header asks for, as a number or as a date (RFC 9110, 10.2.3); None if it says nothing."""
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())
