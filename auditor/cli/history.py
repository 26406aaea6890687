"""`plaudit history`: past scans and their trend, one of them, and housekeeping; and what a scan asks of the ledger."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from auditor.cli import state
from auditor.cli.options import Seconds, option, talk_options
from auditor.cli.terminal import Terminal
from auditor.errors import FileError, UsageError
from auditor.findings import Report

if TYPE_CHECKING:
    from auditor.cli.exit import Verdict
    from auditor.history import Entry, Ledger, Run

#: How many runs the plot of a report shows.
TREND_RUNS = 30


# -------------------------------------------------------------------------------------------------- around a scan


@contextlib.contextmanager
def opened(folder: Path | None, terminal: Terminal) -> Iterator[Ledger | None]:
    """The ledger of a state directory; None without one, or where it cannot be used: an audit does not depend on it."""
    if folder is None:
        yield None
        return
    from auditor.history import Ledger

    try:
        ledger = Ledger(folder / state.HISTORY)
    except (FileError, OSError, sqlite3.Error) as error:
        terminal.warn(f"this scan is not in the history: {error}")
        yield None
        return
    with ledger:
        yield ledger


def remembered(ledger: Ledger | None, report: Report) -> Report:
    """The report with first-seen times, what is new, and the trend of the last runs."""
    if ledger is None:
        return report
    findings = ledger.annotate(report.findings, report.scan.started_at, report.scan.id)
    trend = [
        {"at": run.started_at, "fail": run.counts["fail"], "unknown": run.counts["unknown"], **run.failures}
        for run in ledger.runs(last=TREND_RUNS)
        if run.run_id != report.scan.id
    ]
    extra = {**report.extra, "trend": trend, "last_success": ledger.last_success()}
    return dataclasses.replace(report, findings=findings, extra=extra)


def record(
    ledger: Ledger | None, report: Report, verdict: Verdict, rule_ids: Sequence[str], terminal: Terminal
) -> None:
    """Writes the run into the ledger.  A scan that is older than the last one, or already there, is left out."""
    if ledger is None:
        return
    last = ledger.runs(last=1)
    if ledger.holds(report.scan.id):
        terminal.say("this scan is in the history already")
        return
    if last and report.scan.started_at < last[0].started_at:
        terminal.say(f"not in the history: this scan is older than the last one there ({last[0].started_at})")
        return
    try:
        ledger.record(dataclasses.replace(report, exit_code=verdict.code), rule_ids)
    except (sqlite3.Error, OSError) as error:
        terminal.warn(f"this scan is not in the history: {error}")


# ---------------------------------------------------------------------------------------------------- the command


class _History(click.Group):
    """Options before a subcommand; without one the trend is shown."""


@click.group(cls=_History, invoke_without_command=True)
@option("--last", type=click.IntRange(1), default=30, show_default=True, metavar="N", help="Only the last N scans.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="How it is shown.",
)
@talk_options
@click.pass_context
def history(ctx: click.Context, *, last: int, form: str) -> int:
    """Past scans, the trend, and what is new since the last one.

    \b
    plaudit history
    plaudit history show last
    plaudit history vacuum
    """  # fmt: skip
    if ctx.invoked_subcommand is not None:
        return 0
    terminal = ctx.ensure_object(Terminal)
    with _ledger() as ledger:
        runs, new = ledger.runs(last=last), ledger.new_since_last()
    if form == "json":
        document = {"runs": [_run(run) for run in runs], "new": [_entry(entry) for entry in new]}
        terminal.write(json.dumps(document, indent=1) + "\n")
        return 0
    from auditor.cli.grid import grid

    text = terminal.language.text
    head = (
        *(text("run"), text("started"), text("exit"), text("fail"), text("critical"), text("high")),
        *(text("unknown"), text("waived"), text("new"), text("closed"), text("read")),
    )
    rows = [
        (
            run.run_id, run.started_at, run.exit_code, run.counts["fail"], run.failures["critical"],
            run.failures["high"], run.counts["unknown"], run.counts["waived"], run.opened, run.closed,
            text("all") if run.complete else text("with gaps"),
        )
        for run in runs
    ]  # fmt: skip
    terminal.write(grid(head, rows, terminal.columns))
    terminal.write(
        "\n" + text("{n} new since the scan before the last one", n=len(new)) + "\n"
        if runs
        else text("no scan yet") + "\n"
    )
    if new:
        terminal.write(_entries(new, terminal))
    return 0


@history.command()
@click.argument("run", metavar="RUN")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="How it is shown.",
)
@talk_options
@click.pass_context
def show(ctx: click.Context, *, run: str, form: str) -> int:
    """Show one scan: its numbers, what it opened and what it closed.  RUN is an id, its beginning, or `last`."""
    terminal = ctx.ensure_object(Terminal)
    with _ledger() as ledger:
        runs = ledger.runs()
        found = runs[-1:] if run == "last" else [one for one in runs if one.run_id.startswith(run)]
        if len(found) != 1:
            what = "there is no scan" if not found else "there are several scans"
            raise UsageError(f"{what} {run!r} in the history; `plaudit history` lists them")
        opened_now, closed = ledger.opened_by(found[0].run_id), ledger.closed_by(found[0].run_id)
    if form == "json":
        document = {
            **_run(found[0]),
            "opened_findings": [_entry(entry) for entry in opened_now],
            "closed_findings": [_entry(entry) for entry in closed],
        }
        terminal.write(json.dumps(document, indent=1) + "\n")
        return 0
    one = found[0]
    language = terminal.language
    counts = language.listed(f"{number} {language.text(name.replace('_', ' '))}" for name, number in one.counts.items())
    when = language.text(
        "{start} to {end}, exit {code}, {read}",
        start=one.started_at,
        end=one.finished_at,
        code=one.exit_code,
        read=language.text("everything was read") if one.complete else language.text("not everything was read"),
    )
    terminal.write("\n".join((language.text("Scan {id}", id=one.run_id), when, counts)) + "\n")
    for title, entries in ((language.text("Opened"), opened_now), (language.text("Closed"), closed)):
        terminal.write(f"\n{title}: {len(entries)}\n" + (_entries(entries, terminal) if entries else ""))
    return 0


@history.command()
@option("--lock-wait", type=Seconds(), metavar="S", help="Wait so long for another run; default: exit 75 at once.")
@talk_options
@click.pass_context
def vacuum(ctx: click.Context, *, lock_wait: float | None) -> int:
    """Give the space of forgotten scans back to the disk."""
    terminal = ctx.ensure_object(Terminal)
    with state.locked(lock_wait or 0.0, terminal.say), _ledger() as ledger:
        before = ledger.path.stat().st_size
        ledger.vacuum()
        after = ledger.path.stat().st_size
    terminal.say(f"{ledger.path}: {before} bytes before, {after} now")
    return 0


@contextlib.contextmanager
def _ledger() -> Iterator[Ledger]:
    from auditor.history import Ledger

    path = state.state_folder() / state.HISTORY
    if not path.exists():
        raise UsageError(f"there is no history in {path.parent} yet; run `plaudit scan` first")
    with Ledger(path) as ledger:
        yield ledger


def _run(run: Run) -> dict[str, Any]:
    return {
        "id": run.run_id,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "exit_code": run.exit_code,
        "complete": run.complete,
        **run.counts,
        "failures": dict(run.failures),
        "opened": run.opened,
        "closed": run.closed,
    }


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "rule_id": entry.rule_id,
        "severity": entry.severity,
        "outcome": entry.outcome,
        "waived": entry.waived,
        "resource": {
            "type": entry.resource_type,
            "id": entry.resource_id,
            "account_id": entry.account_id,
            "region_id": entry.region_id,
        },
        "first_seen": entry.first_seen,
        "last_seen": entry.last_seen,
        "times_seen": entry.times_seen,
    }


def _entries(entries: Sequence[Entry], terminal: Terminal) -> str:
    from auditor.cli.grid import grid

    text = terminal.language.text
    head = (text("severity"), text("rule"), text("outcome"), text("first seen"), text("resource"))
    rows = [
        (
            text(entry.severity),
            entry.rule_id,
            text("waived" if entry.waived else entry.outcome),
            entry.first_seen,
            entry.resource_id,
        )
        for entry in entries
    ]
    return grid(head, rows, terminal.columns)
