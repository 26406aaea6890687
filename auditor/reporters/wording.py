"""Wording: the one English sentence machine formats say about a finding, so that all of them say the same."""

from __future__ import annotations

from auditor.findings import Finding, Outcome
from auditor.reporters.text import inert

ELLIPSIS = "…"


def shortened(text: str, limit: int) -> str:
    """`text`, cut to `limit` characters of which the last is an ellipsis where something was cut."""
    return text if len(text) <= limit else text[: limit - 1] + ELLIPSIS


def details(finding: Finding) -> list[str]:
    """What was seen, or why the outcome is not known: texts without control characters, most telling first."""
    found = [text for text in (finding.observed, finding.reason) if text]
    if finding.outcome is Outcome.UNKNOWN:
        found.extend(gap.message for gap in finding.gaps if gap.message)
    return [inert(text) for text in dict.fromkeys(found)]


def joined(texts: list[str]) -> str:
    """Several details as one text."""
    return "; ".join([*(text.rstrip(".") for text in texts[:-1]), *texts[-1:]])


def sentence(finding: Finding, seen: list[str] | None = None) -> str:
    """What the outcome says, in one line: resource, rule, title and what was seen (`details`, if at hand).

    Example: `ep-1 fails ZONE-001 (Endpoint zones are zones of the service): eu-central-1b`.
    """
    resource = inert(finding.resource.id)
    rule = f"{finding.rule_id} ({inert(finding.title)})"
    match finding.outcome:
        case Outcome.FAIL:
            text = f"{resource} fails {rule}"
        case Outcome.UNKNOWN:
            text = f"{resource} could not be judged by {rule}"
        case Outcome.PASS:
            text = f"{resource} passes {rule}"
        case Outcome.NOT_APPLICABLE:
            text = f"{rule} does not apply to {resource}"
    seen = details(finding) if seen is None else seen
    if seen:
        text += ": " + joined(seen)
    if finding.waived and finding.waiver is not None:
        text += f" [waived until {inert(finding.waiver.expires)}: {inert(finding.waiver.reason)}]"
    return text


def remediation(finding: Finding) -> str:
    """Summary and commands of the suggested fix, one per line."""
    return "\n".join(inert(line) for line in (finding.remediation.summary, *finding.remediation.cli) if line)
