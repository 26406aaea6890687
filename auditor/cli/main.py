"""The command group: commands are loaded when they are used, errors end in one sentence and an exit code."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

import click

from auditor._version import __version__
from auditor.cli import failure, signals
from auditor.cli.terminal import Terminal


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a command is defined, and what the list of commands says about it."""

    module: str
    attribute: str
    summary: str


COMMANDS = {
    "scan": Entry("auditor.cli.scan", "scan", "Collect from every account, judge, report."),
    "demo": Entry("auditor.cli.demo", "demo", "Scan a simulated two-account deployment: no account, no network."),
    "collect": Entry("auditor.cli.collect", "collect", "Collect only, into a snapshot file."),
    "paths": Entry("auditor.cli.paths", "paths", "End-to-end verdict per endpoint, zone and port, hop by hop."),
    "probe": Entry("auditor.cli.probe", "probe", "From a client host: resolve, connect, compare with the verdict."),
    "fix": Entry("auditor.cli.fix", "fix", "What mends a finding, and what it would close and open."),
    "drift": Entry("auditor.cli.drift", "drift", "What changed between snapshots, or against Terraform states."),
    "history": Entry("auditor.cli.history", "history", "Past scans, trend, what is new."),
    "baseline": Entry("auditor.cli.baseline", "baseline", "The failures on the day a gate was introduced."),
    "waivers": Entry("auditor.cli.waivers", "waivers", "Accepted findings: check the file."),
    "spec": Entry("auditor.cli.spec", "spec", "The audit specification: write one from what is there now."),
    "feed": Entry("auditor.cli.feed", "feed", "Deliver a result to a SIEM, with spool and retry."),
    "notify": Entry("auditor.cli.notify", "notify", "Send a test message to the channels of `scan --notify`."),
    "query": Entry("auditor.cli.query", "query", "Read-only SQL over a snapshot or the last scan."),
    "rules": Entry("auditor.cli.rules", "rules", "The rule catalogue: list, show, test."),
    "doctor": Entry(
        "auditor.cli.doctor", "doctor", "Try each read; say which permission is missing and what it costs."
    ),
    "policy": Entry("auditor.cli.policy", "policy", "Print the least RAM policy for the selected rules."),
    "completion": Entry("auditor.cli.completion", "completion", "Print the completion script of a shell."),
    "simulate": Entry("auditor.cli.simulate", "simulate", "Serve a simulated cloud on loopback."),
}


class LazyGroup(click.Group):
    """Loads a command's module when the command is called; the list of commands needs none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        command: click.Command = getattr(importlib.import_module(entry.module), entry.attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        word = args[0]
        if not word.startswith("-") and word not in COMMANDS:
            import difflib

            close = difflib.get_close_matches(word, COMMANDS, n=1)
            ctx.fail(f"No such command {word!r}." + (f" Did you mean {close[0]!r}?" if close else ""))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="plaudit", message="%(prog)s %(version)s")
def cli() -> None:
    """Audit PrivateLink connections between Alibaba Cloud accounts.

    \b
    plaudit demo                            see it work, without any account
    plaudit scan --profiles provider,consumer
    plaudit rules list

    Exit codes: 0 judged and nothing failed, 3 findings, 4 not everything could be judged, 5 nothing could be read,
    2 wrong usage, 1 plaudit itself failed.
    """


def run(arguments: Sequence[str] | None = None) -> int:
    """Runs one command line and returns its exit code.  Nothing but `KeyboardInterrupt` during clean-up escapes."""
    terminal = Terminal()
    try:
        with signals.raising():
            result = cli.main(arguments, prog_name="plaudit", standalone_mode=False, obj=terminal)
            code = terminal.finish(result if isinstance(result, int) else 0)
    except BaseException as error:  # noqa: BLE001 - the outermost frame: everything becomes a sentence and a code
        code = failure.code_for(error, terminal)
    terminal.release(code)
    return code


def main() -> NoReturn:
    """The console script."""
    code = run()
    # What is still running (a call nobody waits for any more) must not keep an interrupted command alive.
    if code in (130, 143):
        os._exit(code)
    sys.exit(code)
