"""`plaudit fix`: the change that mends a finding, and what the rules would say after it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from auditor.cli.options import PathText, option, spec_option, talk_options
from auditor.cli.terminal import Terminal
from auditor.errors import UsageError
from auditor.findings import Finding, Outcome, Side
from auditor.spec import Spec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.cli.fix_page import Page
    from auditor.fixes import Fix, Preview
    from auditor.inventory.snapshot import Snapshot

_ID = "plf1-"


@click.command()
@click.argument("names", nargs=-1, metavar="[FINDING]...")
@click.option("--all", "every", is_flag=True, help="Every failure that can be mended without a choice, as one plan.")
@click.option("--what-if", is_flag=True, help="Try the change on a copy of the inventory and judge that again.")
@click.option("--side", type=click.Choice(["provider", "consumer"]), help="Only what this side has to do.")
@spec_option
@option("--rules", "rule_folders", multiple=True, type=PathText(), metavar="DIR", help="Extra folder of rules.")
@option(
    "--from",
    "snapshots",
    multiple=True,
    type=PathText(),
    metavar="SNAPSHOT",
    help="Saved snapshots, several are merged; default: the last scan.",
)
@click.option(
    "--terraform",
    "states",
    multiple=True,
    metavar="FILE",
    help="Compare with this state too, for the findings of DRIFT rules; repeatable, patterns, `-`.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="How to print the change.",
)
@talk_options
@click.pass_context
def fix(
    ctx: click.Context,
    *,
    names: tuple[str, ...],
    every: bool,
    what_if: bool,
    side: str | None,
    spec: Spec,
    rule_folders: tuple[Path, ...],
    snapshots: tuple[Path, ...],
    states: tuple[str, ...],
    form: str,
) -> int:
    """What mends a finding, and what it would close and open.

    Text only: per side the `aliyun` commands, the console and Terraform.  Nothing is ever sent.

    \b
    plaudit fix plf1-0a1b2c
    plaudit fix SG-001/ep-gw8example --what-if
    plaudit fix --all --what-if --from both.snapshot

    FINDING is an id, the beginning of one, a rule, or RULE/RESOURCE.  Findings of DRIFT rules need --terraform.

    Exit codes: 0 shown, or with --what-if: the findings close and nothing opens; 3 one does not close, or another one
    opens; 4 it cannot be foretold, or nothing could be tried; 2 wrong usage.
    """  # fmt: skip
    from auditor.cli import fix_page, gathering, state
    from auditor.cli.judging import selected_rules
    from auditor.facts.workshop import Workshop
    from auditor.fixes import FixKind, Planner, foretell, steps_of
    from auditor.fixes.plan import in_order
    from auditor.fixes.preview import Judgement, judgement

    terminal = ctx.ensure_object(Terminal)
    if every == bool(names):
        raise UsageError("name findings, or write --all for every failure that can be mended")
    snapshot, _ = gathering.load_snapshots(snapshots or (state.last_scan(),), terminal)
    rules = selected_rules(rule_folders)
    workshop = Workshop(snapshot, spec)
    before = judgement(snapshot, rules, spec, workshop=workshop)
    declared = _Declared(states, snapshot) if states else None
    if declared is not None:
        before = Judgement([*before.findings, *declared.findings], before.paths)
    chosen = _failures(before.findings) if every else _chosen(names, before.findings)
    wanted = Side(side) if side else None
    with Planner(snapshot, rules, spec, workshop) as planner:
        fixes = in_order(
            declared.fix(finding) if declared is not None and finding in declared.findings else planner.fix(finding)
            for finding in chosen
        )
    left = [made for made in fixes if made.kind is not FixKind.AUTOMATIC]
    automatic = [made for made in fixes if made.kind is FixKind.AUTOMATIC]
    shown = [made for made in automatic if made.on(wanted)] if every else fixes
    steps = steps_of(automatic, wanted)
    found: Preview | None = None
    if what_if and steps:
        meant = [made.finding for made in automatic if made.on(wanted)]
        beside = declared.judged if declared is not None else None
        found = foretell(snapshot, before, steps, meant, rules, spec, beside=beside)
    if form == "json":
        terminal.write(fix_page.document(shown, steps, found, wanted, _scanned(snapshot.meta)))
    else:
        accounts = snapshot["accounts"]
        profiles = dict(zip(accounts["account_id"], accounts["profile"].fillna(""), strict=True))
        terminal.write(
            _text(fix_page.Page(terminal.columns, profiles, terminal.language), shown, wanted, found, len(steps))
        )
    if every:
        terminal.say(f"{len(automatic)} of {len(fixes)} failures can be mended without a choice")
    return _code(what_if, found, automatic, left if not every else [], terminal)


class _Declared:
    """Terraform states beside a snapshot: the findings of the DRIFT rules and what mends them."""

    def __init__(self, states: Sequence[str], snapshot: Snapshot) -> None:
        from auditor.cli.drift import against, state_files
        from auditor.drift.declarations import read_declarations

        self._declarations = [entry for file in state_files(states) for entry in read_declarations(file)]
        self._drift, self.findings = against(self._declarations, snapshot)

    def judged(self, snapshot: Snapshot) -> list[Finding]:
        """The outcomes of another snapshot."""
        from auditor.cli.drift import against

        return against(self._declarations, snapshot)[1]

    def fix(self, finding: Finding) -> Fix:
        """What mends one of the findings."""
        from auditor.fixes.declared import declared_fix

        return declared_fix(finding, self._drift)


def _scanned(meta: object) -> str | None:
    started = meta.get("started_at") if isinstance(meta, dict) else None
    return str(started) if started else None


def _failures(findings: Sequence[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.outcome is Outcome.FAIL]


def _chosen(names: Sequence[str], findings: Sequence[Finding]) -> list[Finding]:
    """The findings that are named, each once.  Raises UsageError for a name that fits none, or several ids."""
    chosen: dict[str, Finding] = {}
    for name in names:
        for finding in _named(name, findings):
            chosen.setdefault(finding.id, finding)
    return list(chosen.values())


def _named(name: str, findings: Sequence[Finding]) -> list[Finding]:
    if name.startswith(_ID):
        exact = [finding for finding in findings if finding.id == name]
        found = exact or [finding for finding in findings if finding.id.startswith(name)]
        if len(found) > 1:
            some = ", ".join(finding.id for finding in found[:3])
            raise UsageError(f"{name} is the beginning of {len(found)} findings ({some}, …); write more of it")
    else:
        rule_id, _, resource_id = name.partition("/")
        of_rule = [finding for finding in findings if finding.rule_id == rule_id]
        found = [finding for finding in of_rule if not resource_id or finding.resource.id == resource_id]
        # A whole rule means what is wrong with it; a resource that is named is meant whatever its outcome is.
        found = found if resource_id else _failures(found)
        if of_rule and not found and not resource_id:
            raise UsageError(f"no finding of {rule_id} failed in this scan; name a resource, as {rule_id}/RESOURCE")
    if not found:
        raise UsageError(f"{name!r} is no finding of this scan{_nearest(name, findings)}")
    return found


def _nearest(name: str, findings: Sequence[Finding]) -> str:
    import difflib

    failed = _failures(findings)
    if name.startswith(_ID):
        known = [finding.id for finding in failed]
    else:
        known = [f"{finding.rule_id}/{finding.resource.id}" for finding in failed]
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.3) or known[:3]
    return f"; the nearest that failed are {', '.join(close)}" if close else "; nothing failed in it"


def _text(page: Page, fixes: Sequence[Fix], side: Side | None, found: Preview | None, tried: int) -> str:
    parts = [list(page.fix(made, side)) for made in fixes]
    if found is not None:
        parts.append(list(page.preview(found, tried)))
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def _code(
    what_if: bool, found: Preview | None, automatic: Sequence[Fix], left: Sequence[Fix], terminal: Terminal
) -> int:
    """With --what-if 3 before 4 before 0; without it what was shown is all that was asked for."""
    if not what_if:
        return 0
    if found is None:
        terminal.error("exit 4: there is no command that could be tried")
        return 4
    if found.stays or found.opens:
        terminal.error(f"exit 3: {len(found.stays)} would stay open, {len(found.opens)} would open")
        return 3
    if not found.foretold:
        what = found.reason or f"{len(found.unforeseen)} outcomes cannot be foretold"
        terminal.error(f"exit 4: {what}")
        return 4
    if left:
        terminal.error(f"exit 4: {len(left)} of {len(left) + len(automatic)} findings could not be tried")
        return 4
    return 0
