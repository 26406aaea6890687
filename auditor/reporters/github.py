"""GitHub annotations for steps without SARIF, and the Markdown of the job summary.

GitHub shows ten errors, warnings and notices per step and drops the rest without a word, hence at most nine and a line
that says how many there are.  Commands: https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions.
"""

from __future__ import annotations

from auditor.findings import Finding, Outcome, Report
from auditor.reporters import markdown
from auditor.reporters.sarif import ANCHOR, anchor_uri
from auditor.reporters.severities import DIALECTS
from auditor.reporters.summary import summarize
from auditor.reporters.text import inert
from auditor.reporters.wording import sentence, shortened

#: Annotations of findings; one more says the numbers.
MAX_ANNOTATIONS = 9
#: GitHub refuses a summary above 1 MiB per step.
MAX_SUMMARY = 1_000_000
_MAX_MESSAGE = 4_000


def render(report: Report, *, anchor: str = ANCHOR) -> str:
    """Workflow commands for standard output: the worst findings and one line of numbers."""
    anchor_uri(anchor)
    summary = summarize(report)
    listed = [f for f in summary.shown if f.outcome in (Outcome.FAIL, Outcome.UNKNOWN) and not f.waived]
    lines = [_annotation(finding, anchor) for finding in listed[:MAX_ANNOTATIONS]]
    counts = summary.counts
    numbers = (
        f"{counts['fail']} failed, {counts['unknown']} unknown, {counts['waived']} waived, {counts['pass']} passed"
    )
    more = len(listed) - MAX_ANNOTATIONS
    rest = f"; {more} more are in the report" if more > 0 else ""
    lines.append(f"::notice title=plaudit::{message(numbers + rest)}")
    return "\n".join(lines) + "\n"


def step_summary(report: Report, *, max_bytes: int = MAX_SUMMARY) -> str:
    """Markdown to be appended to `$GITHUB_STEP_SUMMARY`."""
    return markdown.render(report, max_bytes=max_bytes)


def message(text: str) -> str:
    """The text of an annotation: one line, whatever is in it."""
    return shortened(inert(text), _MAX_MESSAGE).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def value(text: str) -> str:
    """A property of an annotation."""
    return message(text).replace(":", "%3A").replace(",", "%2C")


def _annotation(finding: Finding, anchor: str) -> str:
    command = "warning" if finding.outcome is Outcome.UNKNOWN else DIALECTS[finding.severity].annotation
    return f"::{command} title={value(finding.rule_id)},file={value(anchor)},line=1::{message(sentence(finding))}"
