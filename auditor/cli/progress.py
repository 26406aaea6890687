"""Progress on standard error: one line per account, the total is what was planned so far."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

from auditor.cli.terminal import Terminal, safe_lines

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class Silence:
    """Progress nobody watches."""

    def planned(self, account: str, n: int) -> None:
        """`n` more parts of an account will be read."""

    def done(self, account: str, operation: str) -> None:
        """One list of an account was read."""


class Bars(Silence):
    """Progress on a terminal.  Called from many threads."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._lock = threading.Lock()
        self._tasks: dict[str, TaskID] = {}
        self._totals: dict[str, int] = {}

    def _task(self, account: str) -> TaskID:
        if account not in self._tasks:
            self._totals[account] = 0
            self._tasks[account] = self._progress.add_task(safe_lines(account), total=None, operation="")
        return self._tasks[account]

    def planned(self, account: str, n: int) -> None:
        with self._lock:
            task = self._task(account)
            self._totals[account] += n
            self._progress.update(task, total=self._totals[account])

    def done(self, account: str, operation: str) -> None:
        with self._lock:
            self._progress.update(self._task(account), advance=1, operation=safe_lines(operation))

    def say(self, line: str) -> None:
        self._progress.console.print(line, markup=False, highlight=False, soft_wrap=True)


@contextlib.contextmanager
def shown(terminal: Terminal) -> Iterator[Silence]:
    """A progress display while the block runs, where somebody watches."""
    if not terminal.shows_progress:
        yield Silence()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[operation]}", markup=False, style="dim"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bars = Bars(progress)
        terminal.live = bars
        try:
            yield bars
        finally:
            terminal.live = None
