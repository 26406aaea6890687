"""`plaudit feed`: delivers a result to SIEMs and files, with spool and retry."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from auditor.cli.delivering import Delivery, delivery_options, needed, sink_option
from auditor.cli.options import PathText, option, rule_options, spec_option, talk_options
from auditor.cli.terminal import Terminal
from auditor.errors import NothingReadError, UsageError
from auditor.findings import Report
from auditor.spec import Spec

if TYPE_CHECKING:
    from collections.abc import Sequence


@click.command()
@click.argument("result", required=False, type=PathText(), metavar="[RESULT.json|SNAPSHOT]")
@sink_option("--to", "Where the events go, any number")
@delivery_options
@spec_option
@rule_options
@option("--one-sided", is_flag=True, help="As for scan, where a snapshot is judged.")
@talk_options
@click.pass_context
def feed(
    ctx: click.Context,
    *,
    result: Path | None,
    sinks: tuple[str, ...],
    sinks_file: Path | None,
    deliver_mode: str,
    deliver_timeout: float,
    spec: Spec,
    rule_folders: tuple[Path, ...],
    select: tuple[str, ...],
    exclude: tuple[str, ...],
    one_sided: bool,
) -> int:
    """Deliver a result to a SIEM: spool first, send second.

    \b
    plaudit feed report.json --to file=/var/log/plaudit/events.ndjson
    plaudit feed last.snapshot --to splunk=https://siem.example:8088
    plaudit feed --sinks sinks.yaml              send what is still in the spool

    A report has to be written with --all-outcomes, else nothing can be closed by it; a snapshot is judged anew.
    Secrets come from the environment (PLAUDIT_SPLUNK_TOKEN, ...) or from files named in --sinks.

    Exit codes: 0 everything was delivered; 6 something waits in the spool or was refused; 2 wrong usage; 75 another run
    is under way.
    """  # fmt: skip
    from auditor.cli import state

    terminal = ctx.ensure_object(Terminal)
    delivery = Delivery(sinks, sinks_file, deliver_mode, deliver_timeout)
    targets = delivery.targets(terminal)
    if not targets:
        raise UsageError("nothing says where the events go; write --to SINK, or --sinks FILE")
    with state.locked() as folder:
        needed(folder)
        report: Report | None = None
        judged_rules: frozenset[str] | None = None
        if result is not None:
            report, judged_rules = _report(result, spec, rule_folders, select, exclude, one_sided, terminal)
        undelivered = delivery.run(targets, folder, report, judged_rules, terminal)
    for line in undelivered:
        terminal.error(line)
    if undelivered:
        terminal.error("exit 6: not everything was delivered; the next run goes on, or run `plaudit feed` again")
    return 6 if undelivered else 0


def _report(
    path: Path,
    spec: Spec,
    rule_folders: Sequence[Path],
    select: Sequence[str],
    exclude: Sequence[str],
    one_sided: bool,
    terminal: Terminal,
) -> tuple[Report, frozenset[str]]:
    from auditor.delivery.result_file import is_result, load_result

    if is_result(path):
        if select or exclude or rule_folders or one_sided:
            raise UsageError(f"{path} is judged already; leave out the options about rules, or hand over a snapshot")
        result = load_result(path)
        if not result.whole:
            terminal.warn(
                f"{path} was written without --all-outcomes: what passes now is not in it and stays open in the SIEM"
            )
        return result.report, result.judged_rules
    from auditor.cli import gathering, reporting
    from auditor.cli.exit import Gate
    from auditor.cli.judging import judged, selected_rules

    rules = selected_rules(rule_folders, select, exclude)
    snapshot, notices = gathering.load_snapshots((path,), terminal)
    reads = reporting.reads_of(snapshot.coverage)
    if not reporting.anything_read(reads):
        raise NothingReadError(reporting.nothing_read(reads))
    findings, paths = judged(snapshot, rules, spec, one_sided=one_sided)
    report = reporting.build_report(
        snapshot,
        findings,
        fail_on="high",
        all_outcomes=True,
        rules_selected=len(rules),
        notices=notices,
        paths=paths,
    )
    report, _ = reporting.with_verdict(report, Gate())
    return report, frozenset(rule.id for rule in rules)
