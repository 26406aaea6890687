"""The reports every format is tried on, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from auditor.findings import Finding, Report, Severity
from tests.reporters.fixture import FINDINGS, SCAN, big_report, clean_report, hostile_report, report


def all_outcomes() -> Report:
    """The small report with passing and not applicable outcomes."""
    return report(all_outcomes=True)


def nothing() -> Report:
    """A run that found nothing to judge."""
    return report(findings=(), reads=(), paths=(), exit_code=4, exit_also=(), rules_selected=0)


def quiet() -> Report:
    """Failures of severity info, which must not turn a pipeline red."""
    changed = tuple(replace(finding, severity=Severity.INFO) for finding in FINDINGS)
    return report(findings=changed)


def unfinished() -> Report:
    """A run whose end nobody wrote down."""
    return report(scan=replace(SCAN, finished_at=""), exit_code=1)


REPORTS: dict[str, Callable[[], Report]] = {
    "small": report,
    "all outcomes": all_outcomes,
    "clean": clean_report,
    "nothing": nothing,
    "quiet": quiet,
    "unfinished": unfinished,
    "hostile": hostile_report,
    "big": lambda: big_report(300),
}


def by_id(shown: Report) -> dict[str, Finding]:
    """The findings of a report by their ids."""
    return {finding.id: finding for finding in shown.findings}
