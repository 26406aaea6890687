"""GitLab Code Quality: a bare array, shown in merge requests of every tier.

The report knows neither waivers nor outcomes that are unknown: both are left out, and the exit code tells of the
second.  Format: https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format.
"""

from __future__ import annotations

from auditor.findings import Outcome, Report
from auditor.reporters.sarif import ANCHOR, anchor_uri
from auditor.reporters.severities import DIALECTS
from auditor.reporters.stream import encode
from auditor.reporters.summary import summarize
from auditor.reporters.wording import sentence


def render(report: Report, *, anchor: str = ANCHOR) -> str:
    """The array, one element per line; `anchor` is a committed file, relative to the root of the repository."""
    anchor_uri(anchor)
    path = anchor.removeprefix("./")
    rows = [
        encode(
            {
                "description": sentence(finding),
                "check_name": f"plaudit/{finding.rule_id}",
                "fingerprint": finding.id,
                "severity": DIALECTS[finding.severity].gitlab,
                "location": {"path": path, "lines": {"begin": 1}},
            }
        )
        for finding in summarize(report).shown
        if finding.outcome is Outcome.FAIL and not finding.waived
    ]
    return "[\n" + ",\n".join(rows) + "\n]\n" if rows else "[]\n"
