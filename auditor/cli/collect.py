"""`plaudit collect`: collect only, into a snapshot file."""

from __future__ import annotations

from pathlib import Path

import click

from auditor.cli.options import PathText, cloud_options, option, redact_option, rule_options, spec_option, talk_options
from auditor.cli.terminal import Terminal
from auditor.errors import DeliveryError, NothingReadError
from auditor.spec import Spec


@click.command()
@click.option(
    "-o",
    "--output",
    "target",
    required=True,
    type=PathText(),
    metavar="SNAPSHOT",
    help="The file to write.",
)
@spec_option
@cloud_options
@rule_options
@option(
    "--min-coverage",
    type=click.FloatRange(0, 100),
    metavar="PERCENT",
    help="How many reads have to be complete for exit 0; default: all.",
)
@option("--allow-unknown", is_flag=True, help="Exit 0 although something could not be read.")
@redact_option
@talk_options
@click.pass_context
def collect(
    ctx: click.Context,
    *,
    target: Path,
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
    min_coverage: float | None,
    allow_unknown: bool,
    redact: str | None,
) -> int:
    """Collect only; the snapshot can be judged elsewhere, merged, kept.

    \b
    plaudit collect --profiles provider -o provider.snapshot
    plaudit scan --from provider.snapshot --from consumer.snapshot

    Everything is read unless --select, --exclude or --rules name the rules it is for; flow logs and alarms only where
    the specification requires them (require.flow_logs).
    Exit codes: 0 everything was read; 4 something was not, the snapshot says what; 5 nothing could be read.
    """  # fmt: skip
    from auditor.cli import gathering, output, reporting
    from auditor.cli.judging import selected_rules, tables_for, tables_of_everything
    from auditor.cli.redacting import Redactor
    from auditor.reporters.summary import coverage_summary

    terminal = ctx.ensure_object(Terminal)
    redactor = Redactor.opened(redact, terminal)
    narrowed = bool(rule_folders or select or exclude)
    rules = selected_rules(rule_folders, select, exclude)
    tables = tables_for(rules, spec) if narrowed else tables_of_everything(rules, spec)
    cloud = gathering.Cloud(profiles, config_path, regions, endpoint_url, concurrency, timeout, deadline)
    accounts = cloud.accounts()
    with output.opened((), target) as outputs:
        assert outputs.save is not None  # noqa: S101 - a target was given
        snapshot = gathering.collect_snapshot(
            cloud, accounts, terminal, tables=tables, spec=spec, save=outputs.save, redactor=redactor
        )
        if redactor is not None:
            snapshot = redactor.snapshot(snapshot)
        reads = reporting.reads_of(snapshot.coverage)
        if not reporting.anything_read(reads):
            raise NothingReadError(reporting.nothing_read(reads))
        try:
            gathering.store(snapshot, outputs.save)
        except OSError as error:
            raise DeliveryError(f"{target}: cannot be written: {error.strerror}") from None
    coverage = coverage_summary(reads)
    rows = sum(len(frame) for frame in snapshot.tables.values())
    terminal.say(f"{rows} rows from {coverage.total} reads, {coverage.percent:g} % of them complete, are in {target}")
    enough = coverage.complete if min_coverage is None else coverage.percent >= min_coverage
    if enough or (allow_unknown and min_coverage is None):
        return 0
    for read in coverage.incomplete[:5]:
        where = "/".join(part for part in (read.account_id or read.profile, read.region_id) if part)
        terminal.error(f"not read: {where} {read.operation} {read.target}: {read.error_code}: {read.message}")
    terminal.error(f"exit 4: {len(coverage.incomplete)} reads were not complete")
    return 4
