"""`plaudit policy`: the least RAM policy for the selected rules, per side."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from auditor.cli.options import rule_options, spec_option, talk_options
from auditor.cli.terminal import Terminal
from auditor.spec import Spec

if TYPE_CHECKING:
    from auditor.permissions import AccountSide


@click.command()
@click.option(
    "--side",
    type=click.Choice(["provider", "consumer", "both"]),
    default="both",
    show_default=True,
    help="What the account owns: endpoint services, endpoints, or both.",
)
@spec_option
@rule_options
@talk_options
@click.pass_context
def policy(
    ctx: click.Context,
    *,
    side: AccountSide,
    spec: Spec,
    rule_folders: tuple[Path, ...],
    select: tuple[str, ...],
    exclude: tuple[str, ...],
) -> int:
    """Print the least RAM policy for the selected rules, ready to paste.

    \b
    plaudit policy --side provider
    plaudit policy --side consumer --select SG,ZONE > plaudit-consumer.json

    It grants reads only.  GetCallerIdentity needs no grant and is not in it.
    """  # fmt: skip
    from auditor.cli.judging import selected_rules, tables_for
    from auditor.permissions import policy_document

    terminal = ctx.ensure_object(Terminal)
    # As a scan of the same selection: paths too, where all rules are meant.
    tables = tables_for(selected_rules(rule_folders, select, exclude), spec, paths=not select)
    document = policy_document(tables, side, spec)
    terminal.write(json.dumps(document, indent=2) + "\n")
    return 0
