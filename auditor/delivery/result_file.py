"""A JSON report, read back into the `Report` it was written from, as far as it holds it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from auditor.errors import FileError
from auditor.findings import (
    Basis,
    Finding,
    Gap,
    Outcome,
    Read,
    Remediation,
    Report,
    ResourceRef,
    ScanInfo,
    Severity,
    Side,
    Source,
    Waiver,
)

_COUNTS = ("pass", "fail", "unknown", "not_applicable", "waived")


@dataclasses.dataclass(frozen=True, slots=True)
class Result:
    """What a file says.

    `judged_rules` are the rules of its summary.  `whole` is False where passed outcomes were left out of it: then
    nothing that is open can be closed by it.
    """

    report: Report
    judged_rules: frozenset[str]
    whole: bool


def is_result(path: Path) -> bool:
    """Whether a file begins like a JSON report; a snapshot does not.  Raises FileError if it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(64).lstrip().startswith(b"{")
    except OSError as error:
        raise FileError(path, f"cannot be read: {error.strerror or type(error).__name__}") from None


def load_result(path: Path) -> Result:
    """The report in a file.  Raises FileError for a file that is none."""
    try:
        body = json.loads(path.read_bytes())
    except OSError as error:
        raise FileError(path, f"cannot be read: {error.strerror or type(error).__name__}") from None
    except (ValueError, RecursionError) as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else None
        raise FileError(path, "is not a JSON report; write one with --format json=FILE", line) from None
    try:
        version = str(body["schema_version"])
        if version.partition(".")[0] != "1":
            raise FileError(path, "was written by another plaudit (schema_version); use that version")
        return _result(body)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise FileError(
            path, f"is not a whole JSON report ({type(error).__name__}); write one with --format json=FILE"
        ) from None


def _result(body: Mapping[str, Any]) -> Result:
    summary, coverage, scan = body["summary"], body["coverage"], body["scan"]
    findings = tuple(_finding(item) for item in body["findings"])
    whole = len(findings) == sum(int(summary[key]) for key in _COUNTS)
    for moment in (scan["started_at"], scan["finished_at"]):
        datetime.fromisoformat(moment)  # events need both
    info = ScanInfo(
        id=str(scan["id"]),
        started_at=str(scan["started_at"]),
        finished_at=str(scan["finished_at"]),
        accounts=tuple(dict(account) for account in scan["accounts"]),
        regions=tuple(map(str, scan["regions"])),
    )
    reads = [_read(item) for item in coverage["reads"]]
    if coverage["complete"] is True and not reads and whole:
        reads = _complete_reads(info, coverage["operations"])
    report = Report(
        scan=info,
        findings=findings,
        reads=tuple(reads),
        all_outcomes=whole,
        exit_code=int(summary["exit"]["code"]),
        exit_also=tuple(map(int, summary["exit"]["also"])),
        rules_selected=len(summary["by_rule"]),
    )
    return Result(report, frozenset(str(rule["rule_id"]) for rule in summary["by_rule"]), whole)


def _complete_reads(info: ScanInfo, operations: Any) -> list[Read]:
    """What a report without a single gap says of every account and region: each list it names was read."""
    return [
        Read(account.get("account_id"), region, str(item["operation"]), "", True, None, None, None)
        for account in info.accounts
        for region in info.regions
        for item in operations
    ]


def _finding(item: Mapping[str, Any]) -> Finding:
    resource, fix, waiver = item["resource"], item["remediation"], item["waiver"]
    return Finding(
        id=str(item["id"]),
        rule_id=str(item["rule_id"]),
        title=str(item["title"]),
        severity=Severity(item["severity"]),
        basis=Basis(item["basis"]),
        outcome=Outcome(item["outcome"]),
        resource=ResourceRef(
            resource["type"], resource["id"], resource["account_id"], resource["region_id"], resource["name"]
        ),
        side=Side(item["side"]),
        remediation=Remediation(fix["summary"], tuple(fix["cli"]), fix["terraform"], fix["console"]),
        related=tuple(
            ResourceRef(other["type"], other["id"], other["account_id"], other["region_id"])
            for other in item["related"]
        ),
        observed=item["observed"],
        reason=item["reason"],
        gaps=tuple(_gap(gap) for gap in item.get("gaps", ())),
        sources=tuple(Source(page["title"], page["url"]) for page in item["sources"]),
        part=str(item.get("part", "")),
        evidence=tuple(item.get("evidence", ())),
        first_seen=item["first_seen"],
        is_new=item.get("is_new"),
        waiver=Waiver(
            id=waiver.get("id"),
            reason=str(waiver["reason"]),
            owner=str(waiver["owner"]),
            expires=str(waiver["expires"]),
            ticket=waiver.get("ticket"),
        )
        if waiver
        else None,
    )


def _gap(gap: Mapping[str, Any]) -> Gap:
    return Gap(
        kind=gap["kind"],
        account_id=gap["account_id"],
        region_id=gap["region_id"],
        operation=gap["operation"],
        table=gap["table"],
        target=gap["target"],
        error_code=gap["error_code"],
        message=gap["message"],
        request_id=gap.get("request_id"),
    )


def _read(read: Mapping[str, Any]) -> Read:
    return Read(
        read["account_id"],
        read["region_id"],
        str(read["operation"]),
        str(read["target"]),
        read["complete"] is True,
        read["error_code"],
        read["message"],
        read["request_id"],
    )
