"""Signals: SIGTERM and SIGINT end a run in order, as an exception in the main thread."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

from auditor.errors import Interrupted


def _raise(number: int, _frame: FrameType | None) -> None:
    # One is enough: a second one must not break the clean-up that the first one began.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if number != signal.SIGINT:
        raise Interrupted(number)
    raise KeyboardInterrupt


@contextlib.contextmanager
def raising() -> Iterator[None]:
    """While the block runs, SIGTERM raises `Interrupted` and SIGINT KeyboardInterrupt."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _raise)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
