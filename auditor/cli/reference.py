"""Writes the generated pages: commands, tables, rules, permissions.  `--check` only says whether they are current.

`python -m auditor.cli.reference [--check]`, from a checkout.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from auditor.cli.main import COMMANDS, cli
from auditor.inventory.schema import COVERAGE_COLUMNS, TABLES, Column

_NOTE = "<!-- written by `python -m auditor.cli.reference`; do not edit -->"


def commands_page() -> str:
    """Every command with its help text, as the program prints it."""
    parts = [_NOTE, "", "# Commands", ""]
    top = cli.make_context("plaudit", [], resilient_parsing=True, terminal_width=100, max_content_width=100)
    with top:
        parts += _help("plaudit", cli, top, 2)
        for name in COMMANDS:
            command = cli.get_command(top, name)
            assert command is not None  # noqa: S101 - the list and the group are the same thing
            parts += _command(f"plaudit {name}", name, command, top)
    parts += [
        "",
        "Every option can also stand under `options:` in `plaudit.yaml`, without its dashes, or in an environment",
        "variable `PLAUDIT_<OPTION>`; an option comes before the variable, the variable before the file.",
    ]
    return "\n".join(parts) + "\n"


def _command(title: str, name: str, command: click.Command, parent: click.Context) -> Iterator[str]:
    with click.Context(command, parent=parent, info_name=name, terminal_width=100, max_content_width=100) as ctx:
        yield from _help(title, command, ctx, 2)
        if isinstance(command, click.Group):
            for sub, child in command.commands.items():
                yield from _command(f"{title} {sub}", sub, child, ctx)


def _help(title: str, command: click.Command, ctx: click.Context, level: int) -> Iterator[str]:
    yield f"{'#' * level} {title}"
    yield ""
    yield "```text"
    yield command.get_help(ctx)
    yield "```"
    yield ""


def tables_page() -> str:
    """Every inventory and fact table with its columns."""
    from auditor.facts.schema import FACTS

    parts = [_NOTE, "", "# Tables", ""]
    parts += ["What `plaudit query` and rules can read. NULL means that it was not read.", "", "## Inventory", ""]
    for name, table in TABLES.items():
        parts += [f"### {name}", "", table.sentence, ""]
        parts += [f"Key: {', '.join(table.key)}. Read with {', '.join(table.operations)}.", ""]
        parts += _columns(table.columns, fields=True)
    parts += ["### coverage", "", "What was asked for, and whether it was read completely.", ""]
    parts += _columns(COVERAGE_COLUMNS, fields=True)
    parts += ["## Facts", "", "Computed from the inventory.", ""]
    for name, fact in FACTS.items():
        parts += [f"### {name}", "", fact.sentence, "", f"Computed from {', '.join(fact.sources)}.", ""]
        parts += _columns(fact.columns, fields=False)
    return "\n".join(parts).rstrip() + "\n"


def _columns(columns: Sequence[Column], *, fields: bool) -> Iterator[str]:
    yield "| column | type | what it is |" + (" API field |" if fields else "")
    yield "| --- | --- | --- |" + (" --- |" if fields else "")
    for column in columns:
        field = f" {_cell(f'`{column.field}`' if column.field else '')} |" if fields else ""
        yield f"| {column.name} | {column.type} | {_cell(column.sentence)} |{field}"
    yield ""


def rules_page() -> str:
    """The rule catalogue."""
    from auditor.drift.rules import DRIFT_RULES
    from auditor.engine import load_rules

    rules = sorted([*load_rules(), *DRIFT_RULES], key=lambda rule: rule.id)
    parts = [
        _NOTE,
        "",
        "# Rules",
        "",
        f"{len(rules)} rules. `plaudit rules show ID` shows one with fix and examples.",
        "",
    ]
    parts += ["| rule | severity | basis | side | what holds when it passes |", "| --- | --- | --- | --- | --- |"]
    parts += [
        f"| [{rule.id}](#{rule.id.lower()}) | {rule.severity} | {rule.basis} | {rule.side} | {_cell(rule.title)} |"
        for rule in rules
    ]
    for rule in rules:
        parts += [
            "",
            f"## {rule.id}",
            "",
            f"**{rule.title}**",
            "",
            rule.rationale,
            "",
            f"Fix: {rule.remediation.summary}",
        ]
        if rule.only_if_declared is not None:
            parts += ["", f"Read and judged only where the specification declares `{rule.only_if_declared}`."]
        parts += [""] if rule.sources else []
        parts += [f"* [{source.title}]({source.url})" for source in rule.sources]
    return "\n".join(parts) + "\n"


_PERMISSIONS = """\
plaudit only reads. Every read is one operation of the API, and every operation needs one RAM action. All of them
list, get, describe or check; there is no write among them, and an operation that is not on this page cannot be
called.

    plaudit policy --side provider              the least RAM policy, ready to paste
    plaudit policy --side consumer --select SG  for some rules only
    plaudit doctor --profiles provider,consumer what is still missing, and which rules that costs

What a rule reads only where the specification declares it (GOV-005: `require.flow_logs`) is granted, tried and read
only then, so give `plaudit policy` and `plaudit doctor` the same `--spec` as `plaudit scan`.

`--side` says what the account owns: endpoint services (provider), endpoints (consumer), or both. Attach the policy
to the RAM user or the role of the profile. `sts:GetCallerIdentity`, with which plaudit finds out whose account a
profile opens, needs no grant.

## What doctor says

* It reads what a scan of the same rules reads, once, and changes nothing. What fails for it, fails for a scan.
* `ok` means that every answer of the operation in that account and region was whole. Grants on single resources are
  seen too: one object that is refused makes the operation incomplete, as it does in a scan.
* A read that nothing led to (no NLB, no prefix list, ...) is not called, not listed, and named on standard error.
* `rules` are the selected rules with an outcome that is unknown because of that read. Where several reads failed at
  once, a rule whose verdict rests on a computed fact is named at each of them it rests on, and so is a rule that was
  unknown before without naming a read: rather one too many than one too few.
* `error_code` is the API's code, or plaudit's own: `Plaudit.NoPermission` (an empty list, which a dry run shows to
  be a refusal), `Plaudit.ParentUnread` (not tried, because the read that names what to ask for failed), and those of
  `plaudit scan`.
* `account_id` is null where a profile could not tell its account; `region_id` is empty for operations without a
  region.
* Exit codes: 0 everything could be read, 4 something is missing, 5 nothing could be read.
"""


def permissions_page() -> str:
    """Every operation with the permission it needs, the side that is asked, and the rules that rest on it."""
    from auditor.collect.operations import OPERATIONS
    from auditor.engine import load_rules
    from auditor.permissions import CALLED, operations_needed, rule_operations

    rules = [rule for rule in load_rules() if not rule.deprecated]
    resting = {rule.id: rule_operations(rule) for rule in rules}
    sides = {side: operations_needed(TABLES, side) for side in ("provider", "consumer")}
    parts = [_NOTE, "", "# Permissions", "", _PERMISSIONS, "## Operations", ""]
    parts += [
        "The rules are those that rest on the read, directly or because it names what to ask for. Instances are read",
        "on the consumer side too where `plaudit.yaml` names some as clients. `plaudit collect` without `--select`",
        "reads everything; what no rule rests on is in no policy of `plaudit policy`.",
        "",
        "| operation | RAM action | asked of | rules |",
        "| --- | --- | --- | --- |",
    ]
    for key, operation in OPERATIONS.items():
        if key not in CALLED:
            continue
        ids = [rule_id for rule_id, needs in resting.items() if key in needs]
        named = "all" if len(ids) == len(rules) else ", ".join(ids) or "none"
        asked = " and ".join(side for side, needed in sides.items() if key in needed)
        action = f"`{operation.ram_action}`" if operation.ram_action else "none needed"
        parts.append(f"| {operation.product} {operation.name} | {action} | {asked} | {named} |")
    return "\n".join(parts) + "\n"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


#: Page by file name in `docs/`.
PAGES: dict[str, Any] = {
    "commands.md": commands_page,
    "tables.md": tables_page,
    "rules.md": rules_page,
    "permissions.md": permissions_page,
}


def main(arguments: Sequence[str]) -> int:
    """Writes the pages, or with `--check` returns 1 and names those that are not current."""
    folder = Path(__file__).resolve().parents[2] / "docs"
    stale = []
    for name, page in PAGES.items():
        path, text = folder / name, page()
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(name)
        if "--check" not in arguments:
            folder.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
    if "--check" in arguments and stale:
        sys.stderr.write(f"not current: {', '.join(stale)}; run `python -m auditor.cli.reference` and commit\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
