"""`plaudit waivers`: whether a waivers file is understood, and what is expired, about to expire, or unused in it."""

from __future__ import annotations

from pathlib import Path

import click

from auditor.cli.baseline import from_option, judge_saved
from auditor.cli.options import PathText, option, rule_options, spec_option, talk_options
from auditor.cli.terminal import Terminal
from auditor.errors import UsageError
from auditor.languages import marked
from auditor.spec import Spec


@click.group()
def waivers() -> None:
    """Accepted findings, each with a reason, an owner and a last day."""


@waivers.command()
@click.argument("file", type=PathText(), metavar="FILE")
@spec_option
@from_option
@rule_options
@option("--waivers-strict", is_flag=True, help="Exit 2 if a waiver is expired or matches nothing.")
@talk_options
@click.pass_context
def check(
    ctx: click.Context,
    *,
    file: Path,
    spec: Spec,
    snapshots: tuple[Path, ...],
    rule_folders: tuple[Path, ...],
    select: tuple[str, ...],
    exclude: tuple[str, ...],
    waivers_strict: bool,
) -> int:
    """Read FILE strictly and say of every entry whether it holds.

    With --from, or after a scan, also which entries match no finding; that is said only of a complete scan.

    Exit codes: 0 the file is right; 2 it is not, or with --waivers-strict an entry is expired or unused.
    """
    from auditor.cli import gathering, state
    from auditor.cli.acceptance import known_rules, tags_of, today
    from auditor.cli.grid import grid
    from auditor.waivers import apply_waivers, load_waivers

    terminal = ctx.ensure_object(Terminal)
    day = today()
    entries = load_waivers(file, known_rules(rule_folders), day)
    last = state.state_folder() / state.LAST_SCAN
    sources = snapshots or ((last,) if last.exists() else ())
    held: dict[int, int] = {}
    unused: set[int] = set()
    if sources:
        findings, complete, judged = judge_saved(sources, spec, rule_folders, select, exclude, terminal)
        snapshot, _ = gathering.load_snapshots(sources, terminal)
        result = apply_waivers(entries, findings, day, tags_of(snapshot), complete=complete, judged=frozenset(judged))
        unused = {entry.line for entry in result.unused}
        for finding in result.findings:
            for entry in entries:
                if finding.waiver is entry.waiver:
                    held[entry.line] = held.get(entry.line, 0) + 1
    else:
        terminal.say("no scan to compare with: whether an entry is used is not known")
    text = terminal.language.text
    expired, idle, holds = marked("expired"), marked("unused"), marked("holds")
    rows = []
    for entry in entries:
        word = expired if entry.expires < day else idle if entry.line in unused else holds
        number = str(held.get(entry.line, 0)) if sources else text("not known")
        rows.append((entry.label, entry.rule_id, word, entry.expires.isoformat(), number, entry.waiver.owner))
    shown = [(label, rule_id, text(word), *others) for label, rule_id, word, *others in rows]
    heads = (text("waiver"), text("rule"), text("state"), text("last day"), text("findings"), text("owner"))
    terminal.write(grid(heads, shown, terminal.columns))
    wrong = [row[0] for row in rows if row[2] != holds]
    if waivers_strict and wrong:
        raise UsageError(f"{file}: {', '.join(wrong)}: renew or remove")
    return 0
