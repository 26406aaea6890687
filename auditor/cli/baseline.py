"""`plaudit baseline`: the list of findings of the day the gate was introduced."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from auditor.cli.options import PathText, option, rule_options, spec_option, talk_options
from auditor.cli.terminal import Terminal
from auditor.findings import Finding, Outcome
from auditor.spec import Spec

from_option = option(
    "--from",
    "snapshots",
    multiple=True,
    type=PathText(),
    metavar="SNAPSHOT",
    help="Judge these saved snapshots; default: the last scan.",
)


@click.group()
def baseline() -> None:
    """The failures that were there on the day a gate was introduced."""


def judge_saved(
    snapshots: Sequence[Path],
    spec: Spec,
    folders: Sequence[Path],
    select: Sequence[str],
    exclude: Sequence[str],
    terminal: Terminal,
) -> tuple[Sequence[Finding], bool, list[str]]:
    """All outcomes of saved snapshots or of the last scan, whether everything was read, and the rules judged."""
    from auditor.cli import gathering, state
    from auditor.cli.judging import judged, selected_rules

    rules = selected_rules(folders, select, exclude)
    snapshot, _ = gathering.load_snapshots(snapshots or (state.last_scan(),), terminal)
    findings, _paths = judged(snapshot, rules, spec, one_sided=False, paths=False)
    complete = len(snapshot.coverage) > 0 and bool(snapshot.coverage["complete"].all())
    return findings, complete, [rule.id for rule in rules]


@baseline.command()
@click.option(
    "-o",
    "--output",
    "target",
    type=PathText(),
    default=Path("plaudit-baseline.txt"),
    show_default=True,
    metavar="FILE",
    help="The file to write.",
)
@spec_option
@from_option
@rule_options
@option("--waivers", type=PathText(), metavar="FILE", help="Leave out what is waived in this file.")
@talk_options
@click.pass_context
def write(
    ctx: click.Context,
    *,
    target: Path,
    spec: Spec,
    snapshots: tuple[Path, ...],
    rule_folders: tuple[Path, ...],
    select: tuple[str, ...],
    exclude: tuple[str, ...],
    waivers: Path | None,
) -> int:
    """Write the failures of a scan as a baseline.

    \b
    plaudit baseline write -o baseline.txt
    plaudit scan --baseline baseline.txt

    It carries no reasons: waivers are for decisions.  Unknowns are never part of it.
    """  # fmt: skip
    from auditor.baseline import baseline_text
    from auditor.cli import gathering, state
    from auditor.cli.acceptance import known_rules, tags_of, today
    from auditor.cli.output import write_file
    from auditor.waivers import apply_waivers, load_waivers

    terminal = ctx.ensure_object(Terminal)
    entries = load_waivers(waivers, known_rules(rule_folders), today()) if waivers is not None else []
    findings, complete, _rules = judge_saved(snapshots, spec, rule_folders, select, exclude, terminal)
    if entries:
        snapshot, _ = gathering.load_snapshots(snapshots or (state.last_scan(),), terminal)
        findings = apply_waivers(entries, findings, today(), tags_of(snapshot), complete=False).findings
    text = baseline_text(findings, today())
    write_file(target, text)
    terminal.say(f"{text.count(chr(10)) - 1} failures are in {target}")
    unknown = sum(finding.outcome is Outcome.UNKNOWN for finding in findings)
    if unknown or not complete:
        terminal.warn(f"{unknown} outcomes could not be judged and are not in it: they may turn into failures later")
    return 0


@baseline.command()
@click.argument("file", type=PathText(), metavar="FILE")
@spec_option
@from_option
@rule_options
@talk_options
@click.pass_context
def prune(
    ctx: click.Context,
    *,
    file: Path,
    spec: Spec,
    snapshots: tuple[Path, ...],
    rule_folders: tuple[Path, ...],
    select: tuple[str, ...],
    exclude: tuple[str, ...],
) -> int:
    """Remove from FILE what is repaired or gone.  What could not be judged this time stays."""
    from auditor.baseline import load_baseline, pruned_text
    from auditor.cli.output import write_file

    terminal = ctx.ensure_object(Terminal)
    held = load_baseline(file)
    narrowed = bool(select or exclude)
    findings, complete, _rules = judge_saved(snapshots, spec, rule_folders, select, exclude, terminal)
    text = pruned_text(held, findings, complete=complete and not narrowed)
    write_file(file, text)
    kept = text.count("\n") - 1
    terminal.say(f"{len(held.ids) - kept} removed, {kept} left in {file}")
    return 0
