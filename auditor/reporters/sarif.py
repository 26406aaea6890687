"""SARIF 2.1.0 as GitHub code scanning takes it: every result is anchored at a file of the repository.

GitHub refuses a whole file if one result has no physical location, shows suppressed and open results as failures, and
takes only one fingerprint: https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning.
What it would misread (waived, unknown and passing outcomes) is left out and counted in a notification.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from auditor import __version__
from auditor.errors import UsageError
from auditor.findings import Basis, Finding, Outcome, Report
from auditor.reporters.cloud_names import resource_name
from auditor.reporters.events import rfc3339
from auditor.reporters.severities import DIALECTS
from auditor.reporters.stream import pruned
from auditor.reporters.summary import Summary, summarize
from auditor.reporters.text import inert
from auditor.reporters.wording import remediation, sentence, shortened

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
#: Where the anchor is if nobody names one: the specification of the audit.
ANCHOR = "plaudit.yaml"
#: GitHub takes 25 000 results and shows 5 000.
MAX_RESULTS = 5_000
_MAX_TEXT, _MAX_NAME, _MAX_TAGS = 1_024, 255, 20

_PRECISION = {Basis.DOCUMENTED: "very-high", Basis.INFERRED: "high", Basis.POLICY: "very-high"}
_KINDS = {Outcome.PASS: "pass", Outcome.UNKNOWN: "open", Outcome.NOT_APPLICABLE: "notApplicable"}
_PLACEHOLDER = re.compile(r"\{(?=\d+\})")
_MARKUP = re.compile(r"([\\`*_\[\]()<>#|~!&])")


def render(
    report: Report,
    *,
    anchor: str = ANCHOR,
    anchors: Mapping[str, str] | None = None,
    waived: bool = False,
    github: bool = True,
    category: str = "scan",
) -> str:
    """One run in one document.

    `anchor` is a committed file, relative to the root of the repository; `anchors` names another one per finding id
    (the Terraform file that declares the resource).  `waived` adds accepted failures as suppressed results.  With
    `github` False the consumer knows `kind`: unknown results, and with all outcomes every other one, are written too.
    `category` tells uploads of several audits apart.  UsageError for an anchor that is no relative path.
    """
    summary = summarize(report)
    chosen = [finding for finding in summary.shown if _is_result(finding, waived=waived, github=github)]
    kept = chosen[:MAX_RESULTS]
    default = anchor_uri(anchor)
    uris = {key: anchor_uri(path) for key, path in (anchors or {}).items()}
    rules = _first_of_rules(kept)
    index = {rule_id: number for number, rule_id in enumerate(rules)}
    run = {
        "tool": {
            "driver": {
                "name": "plaudit",
                "semanticVersion": __version__,
                "rules": [_rule(finding) for finding in rules.values()],
            }
        },
        "automationDetails": {"id": f"plaudit/{quote(category, safe='')}/"},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(report, summary, chosen, waived=waived, github=github)],
        "results": [_result(finding, index[finding.rule_id], uris.get(finding.id, default)) for finding in kept],
        "properties": {"runId": inert(report.scan.id)},
    }
    document = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(document, indent=1, allow_nan=False) + "\n"


def anchor_uri(path: str) -> str:
    """The path of a file as relative URI reference."""
    parts = path.removeprefix("./").split("/")
    if not path or path.startswith("/") or "\\" in path or {"", ".", ".."} & set(parts):
        raise UsageError(f"{path!r} is no file inside the repository; name one relative to its root, like {ANCHOR}")
    return quote("/".join(parts))


def _is_result(finding: Finding, *, waived: bool, github: bool) -> bool:
    if finding.waived:
        return waived
    return finding.outcome is Outcome.FAIL or not github


def _first_of_rules(findings: Iterable[Finding]) -> dict[str, Finding]:
    rules: dict[str, Finding] = {}
    for finding in findings:
        rules.setdefault(finding.rule_id, finding)
    return dict(sorted(rules.items()))


def _plain(text: str) -> str:
    """Text of a message that is neither a link nor a placeholder, whatever a tenant wrote."""
    return _PLACEHOLDER.sub("{ ", inert(text).replace("](", "] ("))


def _name(title: str) -> str:
    words = re.findall(r"[A-Za-z0-9]+", title)
    return "".join(word[0].upper() + word[1:] for word in words)[:_MAX_NAME]


def _rule(finding: Finding) -> dict[str, Any]:
    title = _plain(finding.title).rstrip(".") + "."
    rationale = _plain(finding.rationale) or title
    pages = [page for page in finding.sources if page.url.startswith("https://")]
    dialect = DIALECTS[finding.severity]
    sources = "".join(f"\n{_plain(page.title)}: {_plain(page.url)}" for page in pages)
    links = "".join(f"\n* [{_markdown(page.title)}](<{_url(page.url)}>)" for page in pages)
    shown: dict[str, Any] = pruned(
        {
            "id": finding.rule_id,
            "name": _name(finding.title) or None,
            "shortDescription": {"text": shortened(title, _MAX_TEXT)},
            "fullDescription": {"text": shortened(rationale, _MAX_TEXT)},
            "help": {"text": rationale + sources, "markdown": _markdown(finding.rationale or title) + "\n" + links},
            "helpUri": _url(pages[0].url) if pages else None,
            "defaultConfiguration": {"level": dialect.sarif_level},
            "properties": {
                "tags": list(dict.fromkeys(["security", "privatelink", *(inert(tag) for tag in finding.tags if tag)]))[
                    :_MAX_TAGS
                ],
                "precision": _PRECISION[finding.basis],
                "security-severity": dialect.sarif_score,
            },
        }
    )
    return shown


def _markdown(text: str) -> str:
    return _MARKUP.sub(r"\\\1", inert(text))


def _url(url: str) -> str:
    return quote(inert(url), safe=":/?#@!$&'*+,;=%-._~")


def _result(finding: Finding, rule_index: int, uri: str) -> dict[str, Any]:
    dialect = DIALECTS[finding.severity]
    fix = remediation(finding)
    name = inert(resource_name(finding.resource))
    result: dict[str, Any] = {
        "ruleId": finding.rule_id,
        "ruleIndex": rule_index,
        "message": {
            "text": _plain(sentence(finding)) + ("\n" + "\n".join(map(_plain, fix.split("\n"))) if fix else "")
        },
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": uri},
                    "region": {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 2},
                },
                "logicalLocations": [
                    {"name": inert(finding.resource.id), "kind": "resource", "fullyQualifiedName": name}
                ],
            }
        ],
        "fingerprints": {"plauditFinding/v1": finding.id},
        "partialFingerprints": {"primaryLocationLineHash": finding.id.removeprefix("plf1-") + ":1"},
        "properties": {"severity": finding.severity.value, "basis": finding.basis.value, "side": finding.side.value},
    }
    if finding.outcome is Outcome.FAIL:
        result["level"] = dialect.sarif_level
    else:
        # the standard forbids a level beside any kind but `fail`: 3.27.10
        result["kind"] = _KINDS[finding.outcome]
    if finding.waived and finding.waiver is not None:
        until = f"{inert(finding.waiver.reason)} ({inert(finding.waiver.owner)}, until {inert(finding.waiver.expires)})"
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": until}]
    return result


def _invocation(
    report: Report, summary: Summary, chosen: list[Finding], *, waived: bool, github: bool
) -> dict[str, Any]:
    counts = summary.counts
    notes: list[tuple[str, str]] = []
    if len(chosen) > MAX_RESULTS:
        text = f"Only the worst {MAX_RESULTS} of {len(chosen)} results are in this file."
        notes.append(("warning", text))
    if github and counts["unknown"]:
        notes.append(("warning", f"{counts['unknown']} outcomes are unknown and not in this file."))
    if not waived and counts["waived"]:
        notes.append(("note", f"{counts['waived']} failures are waived and not in this file."))
    if not summary.coverage.complete:
        reads = summary.coverage
        notes.append(("warning", f"{len(reads.incomplete)} of {reads.total} reads were not complete."))
    moments = {"startTimeUtc": report.scan.started_at, "endTimeUtc": report.scan.finished_at}
    return {
        "executionSuccessful": report.exit_code in (0, 3, 4, 6),
        "exitCode": report.exit_code,
        **{key: rfc3339(moment) for key, moment in moments.items() if moment},
        **({"toolExecutionNotifications": [{"level": a, "message": {"text": b}} for a, b in notes]} if notes else {}),
    }
