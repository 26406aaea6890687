"""`plaudit rules`: the catalogue, one rule in full, and the examples in rule files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from auditor.cli.completing import deferred
from auditor.cli.options import PathText, option, rule_options, talk_options
from auditor.cli.terminal import Terminal
from auditor.errors import UsageError
from auditor.languages import ENGLISH, Language, marked
from auditor.reporters.translation import console_path

if TYPE_CHECKING:
    from auditor.engine.rule import Rule


@click.group()
def rules() -> None:
    """The rule catalogue: what is checked, why, and how to fix it."""


@rules.command("list")
@rule_options
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="How the list is written.",
)
@talk_options
@click.pass_context
def list_rules(
    ctx: click.Context,
    *,
    rule_folders: tuple[Path, ...],
    select: tuple[str, ...],
    exclude: tuple[str, ...],
    form: str,
) -> int:
    """List the rules."""
    from auditor.drift.rules import DRIFT_RULES
    from auditor.engine import load_rules, select_rules

    terminal = ctx.ensure_object(Terminal)
    for folder in rule_folders:
        if not folder.is_dir():
            raise UsageError(f"{folder}: there is no such folder of rules")
    every = sorted([*load_rules(rule_folders), *DRIFT_RULES], key=lambda rule: rule.id)
    found = select_rules(every, select, exclude)
    if form == "json":
        terminal.write(json.dumps([catalogue_entry(rule) for rule in found], ensure_ascii=False, indent=2) + "\n")
        return 0
    from auditor.cli.grid import grid

    text = terminal.language.text
    rows = [
        (rule.id, text(rule.severity.value), text(rule.basis.value), text(rule.side.value), text(rule.title))
        for rule in found
    ]
    heads = (text("rule"), text("severity"), text("basis"), text("side"), text("title"))
    terminal.write(grid(heads, rows, terminal.columns))
    return 0


def catalogue_entry(rule: Rule) -> dict[str, object]:
    """One rule as `rules list --format json` shows it; the keys are part of the interface."""
    return {
        "id": rule.id,
        "title": rule.title,
        "severity": rule.severity.value,
        "basis": rule.basis.value,
        "resource": rule.resource,
        "side": rule.side.value,
        "tags": list(rule.tags),
        "deprecated": rule.deprecated,
        "source": rule.source,
    }


@rules.command()
@click.argument("rule_id", metavar="ID", shell_complete=deferred("rule_ids"))
@option("--rules", "rule_folders", multiple=True, type=PathText(), metavar="DIR", help="Extra folder of rules.")
@talk_options
@click.pass_context
def show(ctx: click.Context, *, rule_id: str, rule_folders: tuple[Path, ...]) -> int:
    """Show one rule: what it claims, why, how to fix it, its sources and examples."""
    from auditor.drift.rules import DRIFT_RULES
    from auditor.engine import load_rules
    from auditor.reporters.text import inert_lines

    terminal = ctx.ensure_object(Terminal)
    catalogue = [*load_rules(rule_folders), *DRIFT_RULES]
    found = [rule for rule in catalogue if rule_id in (rule.id, *rule.aliases)]
    if not found:
        from auditor.yaml_reader import did_you_mean

        hint = did_you_mean(rule_id.upper(), [rule.id for rule in catalogue])
        raise UsageError(f"there is no rule {rule_id!r}{hint or '; `plaudit rules list` lists them'}")
    terminal.write(inert_lines(page(found[0], terminal.language)))
    return 0


def page(rule: Rule, language: Language = ENGLISH) -> str:
    """A rule as text for a terminal.  Commands, snippets and the names of examples are the same in every language."""
    text = language.text
    lines = [f"{rule.id}  {text(rule.title)}", ""]
    about = text(
        "{severity}, {basis}; one outcome per {resource}; the fix is on the {side} side",
        severity=text(rule.severity.value),
        basis=text(rule.basis.value),
        resource=rule.resource,
        side=text(_SIDES[rule.side.value]),
    )
    lines += [about]
    if rule.deprecated:
        lines += [text("This rule is deprecated and only runs if it is named.")]
    if rule.aliases:
        lines += [text("Also known as {names}", names=", ".join(rule.aliases))]
    if rule.tags:
        lines += [text("Tags: {tags}", tags=", ".join(rule.tags))]
    lines += ["", text("Why"), f"  {text(rule.rationale)}", "", text("Fix"), f"  {text(rule.remediation.summary)}"]
    lines += [f"  $ {command}" for command in rule.remediation.cli]
    if rule.remediation.console:
        lines += ["  " + text("Console: {path}", path=console_path(rule.remediation.console, language))]
    if rule.remediation.terraform:
        lines += ["  Terraform:"]
        lines += [f"    {line}" for line in rule.remediation.terraform.rstrip().split("\n")]
    if rule.evidence:
        tables = ", ".join(dict.fromkeys(item.name for item in rule.evidence))
        lines += ["", text("Evidence: {tables}", tables=tables)]
    if rule.sources:
        lines += ["", text("Sources")]
        lines += [f"  {text(source.title)}\n    {source.url}" for source in rule.sources]
    lines += ["", text("Examples")] if rule.examples else []
    lines += [f"  {example.expect.value:<14}  {example.name}" for example in rule.examples]
    lines += ["", text("Defined in {place}", place=rule.source)]
    return "\n".join(lines) + "\n"


_SIDES = {
    "provider": marked("provider's"),
    "consumer": marked("consumer's"),
    "both": marked("provider's or the consumer's"),
}


@rules.command()
@click.argument("folders", nargs=-1, type=PathText(), metavar="[DIR]...")
@talk_options
@click.pass_context
def test(ctx: click.Context, *, folders: tuple[Path, ...]) -> int:
    """Run the examples in the rule files of DIR; without one, in the built-in rules.

    Exit codes: 0 all examples hold, 3 some do not, 2 a rule file is wrong.
    """
    from auditor.engine import load_rules, run_examples
    from auditor.engine.load import load_folder
    from auditor.reporters.text import inert

    terminal = ctx.ensure_object(Terminal)
    for folder in folders:
        if not folder.is_dir():
            raise UsageError(f"{folder}: there is no such folder of rules")
    found = (
        [rule for folder in folders for rule in load_folder(folder, builtin=False)]
        if folders
        else load_rules(lint_builtin=True)
    )
    if not found:
        raise UsageError(f"there is no rule file in {', '.join(map(str, folders)) or 'the installation'}")
    sentences = run_examples(*found)
    for sentence in sentences:
        terminal.write(inert(sentence) + "\n")
    wrong = len(sentences)
    examples = sum(len(rule.examples) for rule in found)
    terminal.say(f"{examples} examples of {len(found)} rules, {wrong} of them do not hold" if wrong else
                 f"{examples} examples of {len(found)} rules hold")  # fmt: skip
    return 3 if wrong else 0
