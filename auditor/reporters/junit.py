"""JUnit XML, the form Jenkins, GitLab, Azure and CircleCI read: a suite per account and region, a case per outcome."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from html import escape

from auditor.findings import Finding, Outcome, Report
from auditor.reporters.events import milliseconds
from auditor.reporters.severities import DIALECTS
from auditor.reporters.summary import summarize
from auditor.reporters.text import inert, inert_lines
from auditor.reporters.wording import details, joined, remediation

# What XML 1.0 does not allow even as a reference, and half characters.
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(report: Report, *, junit_all: bool = False) -> str:
    """The whole document; passing and not applicable cases only with `junit_all` or a report of all outcomes.

    A failure of severity info turns no test red: it is a property of its suite, and its case passes.
    """
    return "".join(_document(report, junit_all=junit_all))


def _document(report: Report, *, junit_all: bool) -> Iterator[str]:
    summary = summarize(report)
    suites: dict[tuple[str, str], list[Finding]] = {}
    for finding in summary.findings if junit_all else summary.shown:
        place = (finding.resource.account_id or "unknown account", finding.resource.region_id or "all regions")
        suites.setdefault(place, []).append(finding)
    cases = [finding for findings in suites.values() for finding in findings]
    run = report.scan
    seconds = (milliseconds(run.finished_at) - milliseconds(run.started_at)) / 1000 if run.finished_at else None
    yield '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="plaudit"'
    yield _attribute("tests", str(len(cases)))
    yield _attribute("failures", str(sum(map(_is_failure, cases))))
    yield _attribute("errors", str(sum(map(_is_error, cases))))
    if seconds is not None and 0 <= seconds < 1_000_000:
        yield _attribute("time", f"{seconds:.1f}")
    yield ">\n"
    stamp = datetime.fromtimestamp(milliseconds(run.started_at) // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    for (account, region), findings in sorted(suites.items()):
        yield from _suite(f"{account}/{region}", findings, stamp)
    yield "</testsuites>\n"


def _suite(name: str, findings: list[Finding], stamp: str) -> Iterator[str]:
    skipped = sum(f.waived or f.outcome is Outcome.NOT_APPLICABLE for f in findings)
    yield "<testsuite" + _attribute("name", name) + _attribute("tests", str(len(findings)))
    yield _attribute("failures", str(sum(map(_is_failure, findings))))
    yield _attribute("errors", str(sum(map(_is_error, findings))))
    yield _attribute("skipped", str(skipped)) + _attribute("timestamp", stamp) + ">\n"
    quiet = [f for f in findings if f.outcome is Outcome.FAIL and not f.waived and not _is_failure(f)]
    if quiet:
        yield "<properties>\n"
        for finding in quiet:
            said = joined(details(finding)) or finding.title
            yield f"<property{_attribute('name', f'info:{finding.id}')}{_attribute('value', said)}/>\n"
        yield "</properties>\n"
    for finding in findings:
        yield from _case(finding)
    yield "</testsuite>\n"


def _is_failure(finding: Finding) -> bool:
    return finding.outcome is Outcome.FAIL and not finding.waived and DIALECTS[finding.severity].junit_failure


def _is_error(finding: Finding) -> bool:
    return finding.outcome is Outcome.UNKNOWN


def _case(finding: Finding) -> Iterator[str]:
    part = f" [{finding.part}]" if finding.part else ""
    name = f"{finding.resource.id}{part}: {finding.title}"
    yield f'<testcase{_attribute("classname", finding.rule_id)}{_attribute("name", name)} time="0">'
    said = joined(details(finding)) or finding.title
    if finding.waived and finding.waiver is not None:
        waiver = finding.waiver
        yield f"<skipped{_attribute('message', f'waived until {waiver.expires}: {waiver.ticket or waiver.reason}')}/>"
    elif _is_failure(finding):
        text = _text(f"{remediation(finding)}\n{finding.id}")
        yield f"<failure{_attribute('type', finding.severity.value)}{_attribute('message', said)}>{text}</failure>"
    elif _is_error(finding):
        yield f'<error type="unknown"{_attribute("message", said)}>{_text(finding.id)}</error>'
    elif finding.outcome is Outcome.NOT_APPLICABLE:
        yield f"<skipped{_attribute('message', f'not applicable: {said}')}/>"
    elif finding.outcome is Outcome.FAIL:
        yield f"<system-out>{_text(f'{said}{chr(10)}{finding.id}')}</system-out>"
    yield "</testcase>\n"


def _attribute(name: str, value: str) -> str:
    return f' {name}="{escape(_ILLEGAL.sub("", inert(value)), quote=True)}"'


def _text(value: str) -> str:
    return escape(_ILLEGAL.sub("", inert_lines(value)), quote=False)
