"""`plaudit spec`: write a specification from what is there now."""

from __future__ import annotations

from pathlib import Path

import click

from auditor.cli.baseline import from_option
from auditor.cli.options import PathText, talk_options
from auditor.cli.terminal import Terminal
from auditor.errors import UsageError
from auditor.spec_file import DEFAULT_FILE


@click.group()
def spec() -> None:
    """The audit specification: what is meant to be."""


@spec.command()
@from_option
@click.option(
    "-o",
    "--output",
    "target",
    type=PathText(),
    default=Path(DEFAULT_FILE),
    show_default=True,
    metavar="FILE",
    help="The file to write; - is standard output.",
)
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@talk_options
@click.pass_context
def init(ctx: click.Context, *, snapshots: tuple[Path, ...], target: Path, force: bool) -> int:
    """Write a specification from a snapshot or the last scan, commented, ready for review.

    \b
    plaudit spec init --from today.snapshot
    plaudit scan --spec plaudit.yaml

    It declares what was read completely; the rest is a comment.
    """  # fmt: skip
    from auditor.cli import gathering, state
    from auditor.cli.output import write_file
    from auditor.spec_draft import draft

    terminal = ctx.ensure_object(Terminal)
    standard = str(target) == "-"
    if not standard and target.exists() and not force:
        raise UsageError(f"{target} is there already; name another file with -o, or replace it with --force")
    snapshot, _ = gathering.load_snapshots(snapshots or (state.last_scan(),), terminal)
    text = draft(snapshot)
    if standard:
        terminal.write(text)
        return 0
    write_file(target, text)
    terminal.say(f"{target} written; read it, strike what is not intended, and scan with it")
    return 0
