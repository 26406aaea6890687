"""Delivery as the commands need it: the options, sinks opened before anything is read, and what is said afterwards."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from auditor.cli.options import PathText, Seconds, option
from auditor.cli.terminal import Terminal
from auditor.errors import NothingReadError, UsageError
from auditor.findings import Report, ScanInfo
from auditor.spec_file import CHOICES

if TYPE_CHECKING:
    from auditor.delivery.feed import Delivered, Target

F = TypeVar("F", bound=Callable[..., Any])

_SINK_HELP = "file=PATH, stdout, https, splunk, elastic, syslog=HOST:PORT, sls, or a name of --sinks"


def sink_option(name: str, help_text: str) -> Callable[[F], F]:
    """The repeatable option that names sinks: --deliver of scan, --to of feed."""
    return option(name, "sinks", multiple=True, metavar="SINK", help=f"{help_text}: {_SINK_HELP}.")


def delivery_options(function: F) -> F:
    """How to deliver, shared by scan and feed."""
    for decorate in (
        option("--deliver-timeout", type=Seconds(), default=60.0, show_default=True, metavar="S",
               help="How long a sink is tried without progress; the rest waits in the spool."),
        option("--deliver-mode", type=click.Choice(CHOICES["deliver-mode"]), default="changes", show_default=True,
               help="What changed since the last run this sink was told of, or every open finding."),
        option("--sinks", "sinks_file", type=PathText(), metavar="FILE",
               help="A file of sinks; all of them, if none is named."),
    ):  # fmt: skip
        function = decorate(function)
    return function


@dataclass(frozen=True, slots=True)
class Delivery:
    """What the delivery options say."""

    sinks: Sequence[str] = ()
    sinks_file: Path | None = None
    mode: str = "changes"
    timeout: float = 60.0

    def targets(self, terminal: Terminal, *, standard_output_taken: bool = False) -> list[Target]:
        """The sinks, opened: every address, token and file is looked at.  Raises UsageError and FileError."""
        if not self.sinks and self.sinks_file is None:
            return []
        from auditor.delivery import settings, sinks

        chosen = settings.chosen(self.sinks, self.sinks_file, terminal.warn)
        if standard_output_taken and any(sink.kind is settings.Kind.STDOUT for sink in chosen):
            raise UsageError(
                "standard output takes either events or a report; write --format table=FILE beside stdout as a sink"
            )
        return [sinks.target(sink, write=_write) for sink in chosen]

    def run(
        self,
        targets: Sequence[Target],
        folder: Path | None,
        report: Report | None,
        judged_rules: Collection[str] | None,
        terminal: Terminal,
    ) -> list[str]:
        """Delivers, tells what became of it, and returns what could not be delivered, one text per sink."""
        if not targets or folder is None:
            return []
        from auditor.delivery.feed import deliver
        from auditor.reporters.events import Mode

        delivered = deliver(
            folder,
            targets,
            report,
            mode=Mode(self.mode),
            judged_rules=judged_rules,
            timeout=self.timeout,
        )
        for target in targets:
            target.sink.close()
        return [trouble for each in delivered if (trouble := _told(each, terminal))]

    @contextmanager
    def failure_told(self, targets: Sequence[Target], folder: Path | None, terminal: Terminal) -> Iterator[None]:
        """Around a scan: a SIEM hears of a night in which nothing could be read; it opens and closes nothing.

        Raises UsageError, before anything is read, if there is no state directory to spool in.
        """
        if targets:
            needed(folder)
        started = _now()
        try:
            yield
        except NothingReadError as error:
            scan = ScanInfo(str(uuid.uuid4()), started, _now(), (), ())
            dark = Report(scan=scan, findings=(), reads=(), exit_code=error.exit_code)
            for line in self.run(targets, folder, dark, (), terminal):
                terminal.error(line)
            raise


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def needed(folder: Path | None) -> None:
    """Events are spooled before they are sent, so the state directory has to be there.  Raises UsageError."""
    if folder is None:
        from auditor.cli.state import state_folder

        raise UsageError(
            f"delivery needs a state directory, and {state_folder()} cannot be written to; set PLAUDIT_STATE_DIR"
        )


def _told(each: Delivered, terminal: Terminal) -> str:
    drained = each.drained
    if drained.sent:
        terminal.say(f"{drained.sent} events delivered to {each.name}")
    problems = []
    if drained.trouble:
        problems.append(f"{each.waiting} events wait in the spool ({drained.trouble})")
    if drained.refused:
        problems.append(f"{drained.refused} events were refused and lie with the answers in {each.rejected}")
    if drained.damaged:
        problems.append(f"{drained.damaged} spool files are damaged and lie in {each.rejected}")
    if each.dropped:
        problems.append(f"{each.dropped} events waited too long or were too many, and are dropped")
    return f"events to {each.name}: " + "; ".join(problems) if problems else ""


def _write(data: bytes) -> None:
    """One line on standard output.  Raises OSError, for a closed pipe too: an event nobody read stays in the spool."""
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
