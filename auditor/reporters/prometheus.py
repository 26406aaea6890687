"""Prometheus text for the textfile collector of node_exporter: counts, coverage and the end of the last run.

Format: https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format.  Write it to a file that ends in
`.prom`; an alert on `plaudit_last_success_timestamp_seconds` notices runs that stopped, and runs that no longer can
judge everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from auditor import __version__
from auditor.findings import Report, Severity
from auditor.reporters.events import milliseconds
from auditor.reporters.summary import COUNTED, Counts, coverage_summary
from auditor.reporters.text import inert

Sample = tuple[dict[str, str], str]


def render(report: Report) -> str:
    """The whole file."""
    return "".join(_document(report))


def _document(report: Report) -> Iterator[str]:
    scan, coverage = report.scan, coverage_summary(report.reads)
    yield from _metric("build_info", "Version of plaudit; always 1.", [({"version": __version__}, "1")])
    yield from _metric("findings", "Outcomes of the last run; waived failures count as waived only.", _findings(report))
    yield from _metric("coverage_percent", "Reads that were complete, in per cent.", [({}, f"{coverage.percent:g}")])
    yield from _metric("incomplete_reads", "Reads that were not complete.", [({}, str(len(coverage.incomplete)))])
    yield from _metric("rules_selected", "Rules the last run judged.", [({}, str(report.rules_selected))])
    yield from _metric("exit_code", "Exit code of the last run.", [({}, str(report.exit_code))])
    if scan.finished_at:
        end, start = milliseconds(scan.finished_at), milliseconds(scan.started_at)
        yield from _metric("last_run_timestamp_seconds", "End of the last run.", [({}, f"{end / 1000:.3f}")])
        success = _last_success(report)
        if success:
            sentence = "End of the last run that judged everything, whatever it found."
            value = f"{milliseconds(success) / 1000:.3f}"
            yield from _metric("last_success_timestamp_seconds", sentence, [({}, value)])
        yield from _metric("run_duration_seconds", "Duration of the last run.", [({}, f"{(end - start) / 1000:.3f}")])


def _last_success(report: Report) -> str | None:
    """Exit 0, or 3 with nothing left unjudged; else the time that the history remembers, None without one."""
    if report.exit_code == 0 or (report.exit_code == 3 and 4 not in report.exit_also):
        return report.scan.finished_at
    remembered = report.extra.get("last_success")
    return remembered if isinstance(remembered, str) else None


def _findings(report: Report) -> Iterator[Sample]:
    """One sample per account, severity and outcome; audited accounts have all of them, so that none appears late."""
    counts: dict[tuple[str, Severity], Counts] = {}
    for account in report.scan.accounts:
        if account.get("account_id"):
            counts.update({(str(account["account_id"]), severity): Counts() for severity in Severity})
    for finding in report.findings:
        counts.setdefault((finding.resource.account_id or "", finding.severity), Counts()).add(finding)
    for (account_id, severity), numbers in sorted(counts.items(), key=lambda item: (item[0][0], item[0][1].rank)):
        for outcome in COUNTED:
            labels = {"account_id": account_id, "severity": severity.value, "outcome": outcome}
            yield labels, str(numbers[outcome])


def label(text: str) -> str:
    """The value of a label, escaped as the format asks."""
    return inert(text).replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _metric(name: str, sentence: str, samples: Iterable[Sample]) -> Iterator[str]:
    yield f"# HELP plaudit_{name} {sentence}\n# TYPE plaudit_{name} gauge\n"
    for labels, number in samples:
        shown = ",".join(f'{key}="{label(text)}"' for key, text in labels.items())
        yield f"plaudit_{name}{{{shown}}} {number}\n" if shown else f"plaudit_{name} {number}\n"
