"""Progress on standard error: one line per account or for a probe, the total is what was planned so far."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
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
        _print(self._progress, line)


class Line:
    """One bar for everything.  Called from the thread that shows it."""

    def __init__(self, progress: Progress, label: str) -> None:
        self._progress = progress
        self._task = progress.add_task(safe_lines(label), total=None, operation="")

    def counted(self, done: int, planned: int) -> None:
        """How many of the steps planned so far are over."""
        self._progress.update(self._task, completed=done, total=planned)

    def say(self, line: str) -> None:
        _print(self._progress, line)


def _print(progress: Progress, line: str) -> None:
    progress.console.print(line, markup=False, highlight=False, soft_wrap=True)


@contextlib.contextmanager
def shown(terminal: Terminal) -> Iterator[Silence]:
    """A progress display while the block runs, where somebody watches."""
    if not terminal.shows_progress:
        yield Silence()
        return
    with _display() as progress:
        bars = Bars(progress)
        terminal.live = bars
        try:
            yield bars
        finally:
            terminal.live = None


@contextlib.contextmanager
def counted(terminal: Terminal, label: str) -> Iterator[Callable[[int, int], None] | None]:
    """The same for steps without accounts: a function that is told how many of how many are over."""
    if not terminal.shows_progress:
        yield None
        return
    with _display() as progress:
        line = Line(progress, label)
        terminal.live = line
        try:
            yield line.counted
        finally:
            terminal.live = None


def _display() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[operation]}", markup=False, style="dim"),
    )
    return Progress(*columns, console=Console(stderr=True), transient=True)
