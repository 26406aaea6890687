"""`plaudit query`: read-only SQL over the tables of a snapshot or the last scan."""

from __future__ import annotations

import re
from pathlib import Path

import click

from auditor.cli.options import PathText, Seconds, option, spec_option, talk_options
from auditor.cli.terminal import Terminal
from auditor.spec import Spec

_WORD = re.compile(r"[a-z_][a-z0-9_]*")


@click.command()
@click.argument("sql")
@spec_option
@option(
    "--from",
    "snapshots",
    multiple=True,
    type=PathText(),
    metavar="SNAPSHOT",
    help="Saved snapshots; default: the last scan.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "json"]),
    default="table",
    show_default=True,
    help="How the answer is written.",
)
@option("--timeout", type=Seconds(), default=60.0, show_default=True, metavar="S", help="Bound on the query.")
@talk_options
@click.pass_context
def query(ctx: click.Context, *, sql: str, spec: Spec, snapshots: tuple[Path, ...], form: str, timeout: float) -> int:
    """Read-only SQL: one SELECT over the inventory tables, the fact tables and `coverage`.

    \b
    plaudit query "select endpoint_id, connection_status from endpoints"
    plaudit query --format csv "select * from security_group_rules where policy = 'Drop'"
    plaudit query "select table_name from information_schema.tables order by all"

    NULL means that it was not read.  Nothing can be changed, and no file or network can be reached.
    """  # fmt: skip
    from auditor.cli import gathering, grid, state
    from auditor.engine import query as ask
    from auditor.facts import compute_facts
    from auditor.facts.schema import FACTS

    terminal = ctx.ensure_object(Terminal)
    snapshot, _ = gathering.load_snapshots(snapshots or (state.last_scan(),), terminal)
    wanted = {word for word in _WORD.findall(sql.lower()) if word in FACTS}
    result = ask(snapshot, compute_facts(snapshot, spec, wanted) if wanted else {}, sql, timeout=timeout)
    if form == "json":
        terminal.write(grid.json_text(result.columns, result.rows))
    elif form == "csv":
        terminal.write(grid.csv_text(result.columns, result.rows))
    else:
        terminal.write(grid.grid(result.columns, result.rows, terminal.columns))
    return 0
