"""`plaudit doctor`: tries each read the selected rules need, says what is missing and which rules that costs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from auditor.cli.options import cloud_options, rule_options, spec_option, talk_options
from auditor.cli.terminal import Terminal
from auditor.spec import Spec

if TYPE_CHECKING:
    from auditor.doctor import Trial, Untried
    from auditor.languages import Language


@click.command()
@spec_option
@cloud_options
@rule_options
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="How the answer is written: json lists every read, table those that are missing.",
)
@talk_options
@click.pass_context
def doctor(
    ctx: click.Context,
    *,
    spec: Spec,
    profiles: tuple[str, ...],
    config_path: Path | None,
    regions: tuple[str, ...],
    endpoint_url: str | None,
    concurrency: int,
    timeout: float,
    deadline: float | None,
    rule_folders: tuple[Path, ...],
    select: tuple[str, ...],
    exclude: tuple[str, ...],
    form: str,
) -> int:
    """Try each read the selected rules need in every account and region; say what is missing and which rules it costs.

    \b
    plaudit doctor --profiles provider,consumer
    plaudit doctor --select SG --format json

    It reads what a scan reads, changes nothing and keeps nothing.  `plaudit policy` prints the permissions it takes.
    Exit codes: 0 everything could be read; 4 something is missing; 5 nothing could be read; 2 wrong usage.
    """  # fmt: skip
    from auditor.cli import gathering, reporting
    from auditor.cli.judging import judged, selected_rules, tables_for
    from auditor.doctor import trials, untried

    terminal = ctx.ensure_object(Terminal)
    rules = selected_rules(rule_folders, select, exclude)
    cloud = gathering.Cloud(profiles, config_path, regions, endpoint_url, concurrency, timeout, deadline)
    # As a scan of the same selection: paths too, where all rules are meant.
    tables = tables_for(rules, spec, paths=not select)
    snapshot = gathering.collect_snapshot(cloud, cloud.accounts(), terminal, tables=tables, spec=spec)
    findings, _ = judged(snapshot, rules, spec, one_sided=False, paths=False)
    made = trials(snapshot, rules, findings, spec)
    missing = [trial for trial in made if not trial.ok]
    if form == "json":
        terminal.write(json.dumps([entry(trial) for trial in made], ensure_ascii=False, indent=2) + "\n")
    elif missing:
        terminal.write(_table(missing, terminal.columns, terminal.language))
    for left in untried(snapshot, tables, made, spec):
        terminal.say(_untried(left, any(trial.account_id == left.account_id for trial in missing), terminal.language))
    for account_id, actions in _grants(missing).items():
        text = terminal.language.text(
            "grant in account {account}: {actions}", account=account_id, actions=", ".join(actions)
        )
        terminal.say(text)
    tried = {"reads": len(made), "rules": len(rules), "failed": len(missing)}
    terminal.say(
        terminal.language.text("{reads} reads tried for {rules} rules, {failed} of them failed", **tried)
        if missing
        else terminal.language.text("{reads} reads tried for {rules} rules, all of them answered", **tried)
    )
    if not reporting.anything_read(reporting.reads_of(snapshot.coverage)):
        terminal.error("exit 5: nothing could be read")
        return 5
    return 4 if missing else 0


def entry(trial: Trial) -> dict[str, object]:
    """One read as `--format json` shows it; the keys are part of the interface."""
    return {
        "account_id": trial.account_id,
        "region_id": trial.region_id,
        "operation": trial.operation,
        "ram_action": trial.ram_action,
        "ok": trial.ok,
        "error_code": trial.error_code,
        "rules": list(trial.rules),
    }


def _table(missing: Sequence[Trial], room: int, language: Language) -> str:
    """What is missing, each with the rules it costs below it; the same in several regions is one line."""
    from auditor.cli.grid import grid
    from auditor.reporters.text import wrap

    lines: dict[tuple[str, str, str, tuple[str, ...]], list[str]] = {}
    for trial in missing:
        who = trial.account_id or language.text("profile {name}", name=trial.profile)
        why = trial.error_code or language.text("not read")
        lines.setdefault((who, trial.operation, why, trial.rules), []).append(trial.region_id)
    rows = [
        (who, ", ".join(filter(None, regions)) or "-", operation, code)
        for (who, operation, code, _), regions in lines.items()
    ]
    heads = (language.text("account"), language.text("region"), language.text("not read"), language.text("why"))
    head, rule, *body = grid(heads, rows, max(room, 200)).splitlines()
    text = [head, rule]
    for line, (_, _, _, rules) in zip(body, lines, strict=True):
        words = (
            language.plural("costs {n} rule: {rules}", "costs {n} rules: {rules}", len(rules), rules=", ".join(rules))
            if rules
            else language.text("costs no rule anything here")
        )
        text += [line, *("    " + part for part in wrap(words, max(room, 40) - 4))]
    return "\n".join(text) + "\n"


def _untried(left: Untried, failures: bool, language: Language) -> str:
    """What was not tried in an account, and why."""
    if not left.owns:
        return language.text(
            "not tried in account {account}: {n} reads about endpoints and endpoint services, of which no region shows "
            "any",
            account=left.account_id,
            n=len(left.operations),
        )
    return language.text(
        "not tried in account {account}: {operations}; {why}",
        account=left.account_id,
        operations=", ".join(left.operations),
        why=language.text("nothing was found to ask for, or only a read that failed would have named it")
        if failures
        else language.text("nothing was found to ask for"),
    )


def _grants(missing: Sequence[Trial]) -> dict[str, list[str]]:
    """Permissions that would help, per account."""
    found: dict[str, set[str]] = {}
    for trial in missing:
        if trial.grantable and trial.account_id is not None and trial.ram_action is not None:
            found.setdefault(trial.account_id, set()).add(trial.ram_action)
    return {account_id: sorted(actions) for account_id, actions in found.items()}
