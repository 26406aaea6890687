"""From a judged snapshot to a `Report`, and from a report to its documents."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auditor.cli.exit import Gate, Verdict, decide
from auditor.cli.formats import format_named
from auditor.cli.output import Output, whole
from auditor.cli.terminal import Terminal
from auditor.errors import DeliveryError
from auditor.findings import Finding, Read, Report, ScanInfo

if TYPE_CHECKING:
    import pandas as pd

    from auditor.inventory.snapshot import Snapshot
    from auditor.spec import Spec

#: The identity of an account is known without any permission: alone it is nothing read.
_IDENTITY = "sts:GetCallerIdentity"


def reads_of(coverage: pd.DataFrame) -> tuple[Read, ...]:
    """The coverage as reports show it, one `Read` per row."""

    def text(value: Any) -> str | None:
        return value if isinstance(value, str) else None

    columns = ("account_id", "region_id", "operation", "target", "complete", "error_code", "message", "request_id")
    lists = [coverage[name].astype(object).tolist() for name in (*columns, "profile")]
    return tuple(
        Read(
            text(account), text(region), str(operation), str(target), complete is True or complete == True,  # noqa: E712
            text(code), text(message), text(request), text(profile),
        )
        for account, region, operation, target, complete, code, message, request, profile in zip(*lists, strict=True)
    )  # fmt: skip


def anything_read(reads: Sequence[Read]) -> bool:
    """Whether any list was read completely, the identity of the accounts aside."""
    return any(read.complete and read.operation != _IDENTITY for read in reads)


def nothing_read(reads: Sequence[Read]) -> str:
    """Why nothing could be read, account by account."""
    lines: dict[str, str] = {}
    for read in reads:
        if not read.complete:
            who = read.account_id or read.profile or "an account"
            lines.setdefault(who, f"{who}: {read.operation}: {read.error_code or 'not read'}: {read.message or ''}")
    return "nothing could be read" + "".join(f"\n  {line}" for line in lines.values())


def scan_info(meta: Mapping[str, object]) -> ScanInfo:
    """When, by what and over what the scan of a snapshot ran."""

    def items(key: str) -> list[Any]:
        value = meta.get(key)
        return list(value) if isinstance(value, (list, tuple)) else []

    return ScanInfo(
        id=str(meta.get("scan_id") or ""),
        started_at=str(meta.get("started_at") or ""),
        finished_at=str(meta.get("finished_at") or ""),
        accounts=tuple(
            {"account_id": account.get("account_id"), "profile": account.get("profile")}
            for account in items("accounts")
        ),
        regions=tuple(str(region) for region in items("regions")),
    )


def with_verdict(report: Report, gate: Gate, undelivered: Sequence[str] = ()) -> tuple[Report, Verdict]:
    """The report with its exit code."""
    from auditor.reporters.summary import coverage_summary

    coverage = coverage_summary(report.reads)
    verdict = decide(
        report.findings,
        gate,
        complete=coverage.complete,
        percent=coverage.percent,
        rules_selected=report.rules_selected,
        undelivered=undelivered,
    )
    notices = tuple(notice for notice in report.notices if not notice.startswith(_ALLOWED))
    if verdict.allowed:
        notices += (_ALLOWED + "; ".join(verdict.allowed),)
    changed = dataclasses.replace(
        report, exit_code=verdict.code, exit_also=verdict.also, exit_reasons=verdict.reasons, notices=notices
    )
    return changed, verdict


def _step_summary(report: Report, terminal: Terminal) -> list[str]:
    """Appends the job summary where GitHub wants it; outside of GitHub there is no such place."""
    place = os.environ.get("GITHUB_STEP_SUMMARY")
    if not place:
        terminal.say("no job summary: GITHUB_STEP_SUMMARY is not set")
        return []
    from auditor.reporters.github import MAX_SUMMARY, step_summary

    path = Path(place)
    try:
        # Other commands of the same step write there too, and above the limit GitHub shows none of it.
        taken = path.stat().st_size if path.exists() else 0
        document = step_summary(report, max_bytes=max(MAX_SUMMARY - taken, 0)).encode("utf-8", "backslashreplace")
        if taken + len(document) > MAX_SUMMARY:
            return [f"the job summary (the step has written {taken} bytes there already)"]
        with path.open("ab") as file:
            file.write(document)
    except OSError as error:
        return [f"the job summary ({error.strerror or type(error).__name__})"]
    terminal.say("job summary written")
    return []


_ALLOWED = "let through by --allow-unknown: "


def build_report(
    snapshot: Snapshot,
    findings: Sequence[Finding],
    *,
    fail_on: str,
    all_outcomes: bool,
    rules_selected: int,
    notices: Sequence[str] = (),
    paths: Sequence[Any] = (),
    extra: Mapping[str, object] | None = None,
) -> Report:
    """Everything a reporter may use, but for the exit code."""
    return Report(
        scan=scan_info(snapshot.meta),
        findings=findings,
        reads=reads_of(snapshot.coverage),
        paths=tuple(paths),
        all_outcomes=all_outcomes,
        fail_on=fail_on,
        notices=tuple(notices),
        rules_selected=rules_selected,
        extra=extra or {},
    )


def view_of(snapshot: Snapshot, side: tuple[str, tuple[str, ...]] | None) -> Callable[[Report], Report] | None:
    """What --side makes of a report; None for the whole.  Raises UsageError if it is not clear whose page it is."""
    if side is None:
        return None
    from auditor.findings import Side
    from auditor.reporters.sides import Reader, for_side, readers

    reader = Reader(Side(side[0]), side[1])
    readers(snapshot, reader)
    return lambda report: for_side(report, snapshot, reader)


def probe_targets(snapshot: Snapshot, spec: Spec) -> Mapping[str, object]:
    """What a JSON report says for `plaudit probe --report`: names, addresses and ports of the endpoints."""
    from auditor.probe.inventory import targets_of

    return {"endpoints": [target.row() for target in targets_of(snapshot, spec)]}


def write_documents(
    report: Report,
    documents: Sequence[Output],
    terminal: Terminal,
    gate: Gate,
    *,
    settings: Sequence[tuple[str, str, bool | str]] = (),
    undelivered: Sequence[str] = (),
    tell: Callable[[Report], Sequence[str]] | None = None,
    view: Callable[[Report], Report] | None = None,
) -> Verdict:
    """Renders and writes every document; one that cannot be written does not keep the others from being written.

    `settings` are (format, parameter of its renderer, value); a later one of the same comes before an earlier one.
    `undelivered` names what could not be written before.  `tell` notifies people, after the documents but before those
    that say what was not delivered, and returns what went wrong.  `view` makes of the report what its readers may have;
    the verdict is that of the whole report.
    """
    undelivered = list(undelivered)
    report, verdict = with_verdict(report, gate, undelivered)
    ordered = sorted(documents, key=lambda output: format_named(output.name).last)
    for output in [*ordered, None]:
        if tell is not None and (output is None or format_named(output.name).last):
            report, verdict = with_verdict(report, gate, undelivered)
            undelivered += tell(report)
            tell = None
        if output is None:
            break
        if undelivered:
            report, verdict = with_verdict(report, gate, undelivered)
        given: dict[str, Any] = {
            "width": terminal.columns if output.path is None else 120,
            "color": terminal.paints if output.path is None else False,
            "links": terminal.links if output.path is None else False,
            "lang": terminal.language.code,
            **{parameter: value for form, parameter, value in settings if form == output.name},
        }
        shown = report if view is None else view(report)
        data = format_named(output.name).render(shown, given)
        if output.name == "github" and given.get("summary"):
            undelivered += _step_summary(shown, terminal)
        place = str(output.path) if output.path is not None else "standard output"
        try:
            if output.sink is None:
                terminal.write(whole(data))
            else:
                output.sink.write(data)
                terminal.say(f"{output.name} written to {place}")
        except (OSError, DeliveryError) as error:
            words = error.strerror if isinstance(error, OSError) else str(error)
            undelivered.append(f"{output.name} to {place} ({words or type(error).__name__})")
    if undelivered:
        _, verdict = with_verdict(report, gate, undelivered)
    return verdict
