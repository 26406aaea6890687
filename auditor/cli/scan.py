"""`plaudit scan`: collect from every account, judge, report."""

from __future__ import annotations

from pathlib import Path

import click

from auditor.cli.delivering import Delivery, delivery_options, sink_option
from auditor.cli.exit import Gate
from auditor.cli.notifying import Notifier, notify_option
from auditor.cli.options import (
    PathText,
    acceptance_options,
    cloud_options,
    given_by_hand,
    history_options,
    judge_options,
    option,
    probe_options,
    reader_options,
    redact_option,
    report_options,
    rule_options,
    spec_option,
    talk_options,
)
from auditor.cli.terminal import Terminal
from auditor.errors import NothingReadError, UsageError
from auditor.spec import Spec

_CLOUD = ("profiles", "config_path", "regions", "endpoint_url", "deadline")


@click.command()
@spec_option
@cloud_options
@option(
    "--from",
    "snapshots",
    multiple=True,
    type=PathText(),
    metavar="SNAPSHOT",
    help="Judge this saved snapshot instead of the cloud; several are merged.",
)
@option("--save", type=PathText(), metavar="SNAPSHOT", help="Keep the snapshot of this scan.")
@probe_options
@rule_options
@judge_options
@acceptance_options
@history_options
@report_options
@reader_options
@redact_option
@sink_option("--deliver", "Send events there too, any number")
@delivery_options
@notify_option
@talk_options
@click.pass_context
def scan(
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
    snapshots: tuple[Path, ...],
    save: Path | None,
    probes: tuple[Path, ...],
    probe_max_age: float,
    rule_folders: tuple[Path, ...],
    select: tuple[str, ...],
    exclude: tuple[str, ...],
    one_sided: bool,
    fail_on: str,
    allow_unknown: bool,
    min_coverage: float | None,
    baseline: Path | None,
    waivers: Path | None,
    waivers_strict: bool,
    no_history: bool,
    lock_wait: float | None,
    formats: tuple[tuple[str, Path | None], ...],
    format_settings: tuple[tuple[str, str, bool | str], ...],
    html_dir: Path | None,
    keep_reports: str | None,
    all_outcomes: bool,
    side: tuple[str, tuple[str, ...]] | None,
    redact: str | None,
    sinks: tuple[str, ...],
    sinks_file: Path | None,
    deliver_mode: str,
    deliver_timeout: float,
    channels: tuple[str, ...],
) -> int:
    """Collect from every account, judge, report.

    \b
    plaudit scan --profiles provider,consumer
    plaudit scan --format html=report.html --format json=report.json
    plaudit scan --from provider.snapshot --from consumer.snapshot
    plaudit scan --baseline baseline.txt --waivers waivers.yaml

    Exit codes: 0 everything was judged and nothing at or above --fail-on failed; 3 something did; 4 something could not
    be judged; 5 nothing could be read; 6 an output could not be written; 2 wrong usage; 75 another run is under way.
    """  # fmt: skip
    from auditor.cli import dated, gathering, history, judging, output, reporting, state
    from auditor.cli.acceptance import Acceptance
    from auditor.cli.judging import judged, selected_rules, tables_for
    from auditor.cli.redacting import Redactor

    terminal = ctx.ensure_object(Terminal)
    if snapshots:
        _refuse_both(ctx)
    redactor = Redactor.opened(redact, terminal)
    if redactor is not None and (sinks or sinks_file or channels):
        raise UsageError("--redact makes documents for others; --deliver and --notify go to your own: run them without")
    cloud = gathering.Cloud(profiles, config_path, regions, endpoint_url, concurrency, timeout, deadline)
    rules = selected_rules(rule_folders, select, exclude)
    accepted = Acceptance.read(baseline, waivers, strict=waivers_strict, folders=rule_folders)
    gate = Gate(fail_on, allow_unknown, min_coverage, accepted.baseline_ids)
    judged_rules = frozenset(rule.id for rule in rules)
    formats = formats or (("table", None),)
    seen = gathering.read_probes(probes)
    names = dated.names_of(formats, save, judged_before=bool(snapshots))
    delivery = Delivery(sinks, sinks_file, deliver_mode, deliver_timeout)
    targets = delivery.targets(terminal, standard_output_taken=any(path is None for _, path in formats))
    notifier = Notifier.opened(channels, deliver_timeout, terminal, no_history=no_history)
    # Who asks for a few rules does not ask for all that paths have to read.
    with_paths = bool(snapshots) or not select
    with (
        output.opened(names.formats, names.save, names.latest, html_dir) as outputs,
        state.locked(lock_wait or 0.0, terminal.say) as folder,
        notifier.failure_told(folder, terminal),
        delivery.failure_told(targets, folder, terminal),
    ):
        notices: tuple[str, ...] = ()
        if snapshots:
            snapshot, notices = gathering.load_snapshots(snapshots, None if redactor else terminal)
            if not judging.paths_collected(snapshot):
                with_paths, notices = False, (*notices, "paths were not collected: the scan was one of a few rules")
        else:
            accounts = cloud.accounts()
            snapshot = gathering.collect_snapshot(
                cloud,
                accounts,
                terminal,
                tables=tables_for(rules, spec, paths=with_paths),
                spec=spec,
                save=outputs.save,
                scan_id=names.moment.scan_id,
                redactor=redactor,
            )
        snapshot, told = gathering.with_probes(snapshot, seen, probe_max_age, None if redactor else terminal)
        notices += told
        original = snapshot
        if redactor is not None:
            snapshot, spec, side = redactor.snapshot(original), redactor.spec(spec), redactor.side(side)
            notices = redactor.notices(notices, terminal)
            accepted = redactor.acceptance(accepted)
        memory = folder if redactor is None else None  # what is remembered knows the objects by their ids
        undelivered = gathering.keep(snapshot, outputs.save, memory, terminal)
        reads = reporting.reads_of(snapshot.coverage)
        if not reporting.anything_read(reads):
            raise NothingReadError(reporting.nothing_read(reads))
        view = reporting.view_of(snapshot, side)
        findings, paths = judged(snapshot, rules, spec, one_sided=one_sided, paths=with_paths)
        report = reporting.build_report(
            snapshot,
            findings,
            fail_on=fail_on,
            all_outcomes=all_outcomes,
            rules_selected=len(rules),
            notices=notices,
            paths=paths,
            extra=reporting.probe_targets(snapshot, spec) if any(name == "json" for name, _ in formats) else None,
        )
        with history.opened(None if no_history else memory, terminal) as ledger:
            report = history.remembered(ledger, report)
            if redactor is None:
                report = accepted.applied(report, snapshot, [rule.id for rule in rules], terminal)
            else:
                report = redactor.accepted(report, original, accepted, [rule.id for rule in rules], terminal)
                gate = redactor.gate(gate, report)
            report, _ = reporting.with_verdict(report, gate)
            undelivered += delivery.run(targets, folder, report, judged_rules, terminal)
            rule_ids = [rule.id for rule in rules]
            verdict = reporting.write_documents(
                report,
                outputs.documents,
                terminal,
                gate,
                settings=format_settings,
                undelivered=undelivered,
                view=view,
                tell=lambda told: notifier.told(folder, told, ledger, rule_ids, terminal),
            )
            history.record(ledger, report, verdict, rule_ids, terminal)
        dated.retained(names, outputs, keep_reports, folder, terminal)
    notifier.close()
    for line in verdict.allowed:
        terminal.notice(f"let through by --allow-unknown: {line}")
    if verdict.code:
        terminal.error(f"exit {verdict.code}: " + "; ".join(verdict.reasons))
    accepted.insist(report)
    return verdict.code


def _refuse_both(ctx: click.Context) -> None:
    """Options that only make sense with the cloud, given by hand beside --from."""
    beside = [name for name in _CLOUD if given_by_hand(ctx, name)]
    if beside:
        raise UsageError(
            f"--from judges saved snapshots; leave out --{beside[0].replace('_', '-')}, or leave out --from"
        )
