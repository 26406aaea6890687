"""`plaudit drift`: what changed between two snapshots, or between Terraform states and a snapshot."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from auditor.cli.exit import CLEAN, FINDINGS, NOT_DELIVERED, NOT_JUDGED
from auditor.cli.options import (
    PathText,
    acceptance_options,
    given_by_hand,
    option,
    rule_options,
    spec_option,
    talk_options,
)
from auditor.cli.terminal import Terminal
from auditor.differences import Comparison, Moment, TerraformDrift
from auditor.errors import DeliveryError, UsageError
from auditor.findings import Finding, Outcome, Severity, Side
from auditor.spec import Spec
from auditor.spec_file import CHOICES

if TYPE_CHECKING:
    from auditor.cli.acceptance import Acceptance
    from auditor.cli.output import Outputs
    from auditor.drift.declarations import Declaration
    from auditor.inventory.snapshot import Snapshot

#: Formats with a document of their own for differences; the others know findings only.
OWN_FORMATS = ("table", "json", "markdown", "html")


class DriftFormat(click.ParamType[tuple[str, Path | None]]):
    """`FORMAT` or `FORMAT=PATH`, as elsewhere."""

    name = "format[=path]"
    envvar_list_splitter = ","

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, Path | None]:
        from auditor.cli.options import FormatText

        if isinstance(value, str) and value.partition("=")[0].strip() in OWN_FORMATS:
            name, separator, path = value.partition("=")
            if separator and not path:
                self.fail(f"{value!r} names no path; write {name}=FILE", param, ctx)
            return name.strip(), Path(path) if path and path != "-" else None
        return FormatText().convert(value, param, ctx)


@click.command()
@spec_option
@click.argument("snapshots", nargs=-1, required=True, type=PathText(), metavar="[OLD] NEW")
@click.option(
    "--terraform",
    "states",
    multiple=True,
    metavar="FILE",
    help="Compare NEW with this state, or the output of `terraform show -json`; repeatable, patterns, `-`.",
)
@rule_options
@option("--one-sided", is_flag=True, help="Rules that need an account which was not given are not applicable.")
@click.option(
    "--fail-on",
    type=click.Choice(CHOICES["fail-on"]),
    default="info",
    show_default=True,
    envvar=[],
    help="With --terraform: exit 3 from this severity on.",
)
@acceptance_options
@click.option(
    "--format",
    "formats",
    multiple=True,
    type=DriftFormat(),
    metavar="F[=PATH]",
    help="table, json, markdown or html; with --terraform also the formats of findings. Default: table.",
)
@option("--all-outcomes", is_flag=True, help="With --terraform: list what is as declared too.")
@talk_options
@click.pass_context
def drift(
    ctx: click.Context,
    *,
    spec: Spec,
    snapshots: tuple[Path, ...],
    states: tuple[str, ...],
    rule_folders: tuple[Path, ...],
    select: tuple[str, ...],
    exclude: tuple[str, ...],
    one_sided: bool,
    fail_on: str,
    baseline: Path | None,
    waivers: Path | None,
    waivers_strict: bool,
    formats: tuple[tuple[str, Path | None], ...],
    all_outcomes: bool,
) -> int:
    """What changed between two snapshots, or between Terraform states and a snapshot.

    \b
    plaudit drift yesterday.snapshot today.snapshot
    plaudit drift --terraform terraform.tfstate today.snapshot
    terraform show -json | plaudit drift --terraform - --terraform 'other/*.tfstate' today.snapshot

    Exit codes: 0 nothing differs; 3 something does; 4 nothing differs, but something was unreadable or there was
    nothing to compare; 6 an output could not be written; 2 wrong usage.
    """  # fmt: skip
    from auditor.cli import dated, output
    from auditor.cli.acceptance import Acceptance

    terminal = ctx.ensure_object(Terminal)
    names = dated.names_of(formats or (("table", None),), None, judged_before=True)
    asked = names.formats
    _check_usage(ctx, snapshots, states, asked)
    accepted = Acceptance.read(baseline, waivers, strict=waivers_strict, folders=rule_folders)
    with output.opened(asked, latest=names.latest) as outputs:
        if states:
            comparison = _with_states(
                snapshots[0], states, accepted, terminal, fail_on=fail_on, all_outcomes=all_outcomes,
                select=select, exclude=exclude,
            )  # fmt: skip
        else:
            comparison = _between(
                snapshots, spec, accepted, terminal, folders=rule_folders, select=select, exclude=exclude,
                one_sided=one_sided,
            )  # fmt: skip
        undelivered = _write(comparison, outputs, terminal)
    code = comparison.exit_code or (NOT_DELIVERED if undelivered else CLEAN)
    if code:
        terminal.error(f"exit {code}: " + "; ".join((*comparison.exit_reasons, *undelivered)))
    return code


def _check_usage(
    ctx: click.Context,
    snapshots: Sequence[Path],
    states: Sequence[str],
    formats: Sequence[tuple[str, Path | None]],
) -> None:
    if states and len(snapshots) != 1:
        raise UsageError("with --terraform give one snapshot; without it two, the older one first")
    if not states and len(snapshots) != 2:
        raise UsageError("give two snapshots, the older one first; or --terraform FILE and one snapshot")
    if states:
        return
    strange = [name for name, _ in formats if name not in OWN_FORMATS]
    if strange:
        raise UsageError(f"between two snapshots the formats are {', '.join(OWN_FORMATS)}; not {strange[0]}")
    for name in ("fail_on", "all_outcomes"):
        if given_by_hand(ctx, name):
            raise UsageError(
                f"--{name.replace('_', '-')} belongs to --terraform; between snapshots every change counts"
            )


# ------------------------------------------------------------------------------------------------------ two snapshots


def _between(
    paths: Sequence[Path],
    spec: Spec,
    accepted: Acceptance,
    terminal: Terminal,
    *,
    folders: Sequence[Path],
    select: Sequence[str],
    exclude: Sequence[str],
    one_sided: bool,
) -> Comparison:
    from auditor.cli import reporting
    from auditor.cli.judging import judged, selected_rules
    from auditor.drift.snapshots import diff_findings, diff_resources
    from auditor.inventory.archive import load_snapshot

    rules = selected_rules(folders, select, exclude)
    sides: list[tuple[Snapshot, list[Finding]]] = []
    notices: tuple[str, ...] = ()
    for path in paths:
        snapshot = load_snapshot(path)
        findings, _paths = judged(snapshot, rules, spec, one_sided=one_sided, paths=False)
        report = reporting.build_report(
            snapshot, findings, fail_on="info", all_outcomes=False, rules_selected=len(rules)
        )
        if path is paths[-1]:
            report = accepted.applied(report, snapshot, [rule.id for rule in rules], terminal)
            accepted.insist(report)
            notices = report.notices
        sides.append((snapshot, list(report.findings)))
    (old, before), (new, after) = sides
    resources = diff_resources(old, new)
    findings_drift = diff_findings(before, after, resources.removed)
    differs = resources.differs or findings_drift.differs
    reasons: tuple[str, ...]
    if differs:
        code, reasons = FINDINGS, ("the snapshots differ",)
    elif resources.unreadable:
        code, reasons = NOT_JUDGED, (f"nothing differs, but {len(resources.unreadable)} lists were unreadable",)
    elif not resources.compared:
        code, reasons = NOT_JUDGED, ("there was nothing to compare",)
    else:
        code, reasons = CLEAN, ()
    return Comparison(
        old=Moment((str(paths[0]),), reporting.scan_info(old.meta)),
        new=Moment((str(paths[1]),), reporting.scan_info(new.meta)),
        resources=resources,
        findings=findings_drift,
        exit_code=code,
        exit_reasons=reasons,
        notices=notices,
    )


# ---------------------------------------------------------------------------------------------------------- Terraform


def _with_states(
    path: Path,
    states: Sequence[str],
    accepted: Acceptance,
    terminal: Terminal,
    *,
    fail_on: str,
    all_outcomes: bool,
    select: Sequence[str],
    exclude: Sequence[str],
) -> Comparison:
    from auditor.cli import reporting
    from auditor.drift.declarations import read_declarations
    from auditor.drift.rules import DRIFT_RULES
    from auditor.engine import select_rules
    from auditor.findings import Report
    from auditor.inventory.archive import load_snapshot

    chosen = {rule.id for rule in select_rules(DRIFT_RULES, select, exclude)}
    files = state_files(states)
    declarations = [declaration for file in files for declaration in read_declarations(file)]
    snapshot = load_snapshot(path)
    found, findings = against(declarations, snapshot)
    judged = [finding for finding in findings if finding.rule_id in chosen]
    scope = {gap.table for gap in found.unreadable}
    incomplete = snapshot.coverage[
        ~snapshot.coverage["complete"].astype(bool) & snapshot.coverage["table_name"].isin(scope)
    ]
    report = Report(
        scan=reporting.scan_info(snapshot.meta),
        findings=tuple(judged),
        reads=reporting.reads_of(incomplete),
    )
    report = accepted.applied(report, snapshot, chosen, terminal, complete=not found.unreadable)
    accepted.insist(report)
    code, reasons = _verdict(report.findings, fail_on, accepted.baseline_ids, found.declared, len(found.unreadable))
    return Comparison(
        old=Moment(tuple("standard input" if file == "-" else file for file in files)),
        new=Moment((str(path),), report.scan),
        terraform=found,
        judged=tuple(report.findings),
        reads=report.reads,
        all_outcomes=all_outcomes,
        exit_code=code,
        exit_reasons=reasons,
        notices=report.notices,
    )


def against(declarations: Sequence[Declaration], snapshot: Snapshot) -> tuple[TerraformDrift, list[Finding]]:
    """What differs from the declarations, and the outcomes of the DRIFT rules."""
    from auditor.drift.rules import drift_findings, sides_of
    from auditor.drift.terraform import compare

    found = compare(declarations, snapshot)
    owners = sides_of(
        (str(account), side)
        for table, side in (("endpoints", Side.CONSUMER), ("endpoint_services", Side.PROVIDER))
        for account in snapshot.tables[table]["account_id"].dropna().unique()
    )
    return found, drift_findings(found, owners)


def _verdict(
    findings: Sequence[Finding], fail_on: str, baseline: frozenset[str] | None, declared: int, unreadable: int
) -> tuple[int, tuple[str, ...]]:
    worst = Severity(fail_on).rank if fail_on != "none" else -1
    failed = [
        finding
        for finding in findings
        if finding.outcome is Outcome.FAIL
        and not finding.waived
        and finding.severity.rank <= worst
        and (baseline is None or finding.id not in baseline)
    ]
    if failed:
        return FINDINGS, (f"{len(failed)} difference{'s' * (len(failed) != 1)} at or above {fail_on}",)
    if not declared:
        return NOT_JUDGED, ("the states declare no resource that plaudit compares",)
    unknown = sum(finding.outcome is Outcome.UNKNOWN for finding in findings)
    if unreadable or unknown:
        return NOT_JUDGED, (f"{unknown} outcomes could not be judged, {unreadable} lists were unreadable",)
    return CLEAN, ()


def state_files(states: Sequence[str]) -> list[str]:
    """The files that patterns stand for, each once.  Raises UsageError for a pattern that matches nothing."""
    found: dict[str, None] = {}
    for text in states:
        if text == "-" or not glob.has_magic(text) or Path(text).exists():
            found[text] = None
            continue
        matches = sorted(name for name in glob.glob(text, recursive=True) if Path(name).is_file())  # noqa: PTH207
        if not matches:
            raise UsageError(f"--terraform {text}: no file matches this pattern")
        found.update(dict.fromkeys(matches))
    return list(found)


# ------------------------------------------------------------------------------------------------------------ outputs


def _write(comparison: Comparison, outputs: Outputs, terminal: Terminal) -> list[str]:
    """Every document; returns those that could not be written."""
    from auditor.cli.formats import FORMATS, Document
    from auditor.cli.output import whole
    from auditor.reporters.drift import RENDERERS, as_report

    undelivered = []
    for wanted in outputs.documents:
        data: Document
        if wanted.name == "table":
            here = wanted.path is None
            data = RENDERERS["table"](
                comparison,
                width=terminal.columns if here else 120,
                color=terminal.paints and here,
                lang=terminal.language.code,
            )
        elif wanted.name == "json":
            data = RENDERERS["json"](comparison)
        elif wanted.name in RENDERERS:
            data = RENDERERS[wanted.name](comparison, lang=terminal.language.code)
        else:
            data = FORMATS[wanted.name].render(
                as_report(comparison), {"width": 120, "color": False, "lang": terminal.language.code}
            )
        place = str(wanted.path) if wanted.path is not None else "standard output"
        try:
            if wanted.sink is None:
                terminal.write(whole(data))
            else:
                wanted.sink.write(data)
                terminal.say(f"{wanted.name} written to {place}")
        except (OSError, DeliveryError) as error:
            words = error.strerror if isinstance(error, OSError) else str(error)
            undelivered.append(f"not written: {wanted.name} to {place} ({words or type(error).__name__})")
    return undelivered
