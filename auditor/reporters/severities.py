"""Severities in every dialect: one table, so that no two formats disagree about how bad a failure is."""

from __future__ import annotations

from dataclasses import dataclass

from auditor.findings import Severity


@dataclass(frozen=True, slots=True)
class Dialect:
    """How the formats spell one severity.

    `sarif_score` is GitHub's `security-severity` (text, over 9.0 critical, 7.0 high, 4.0 medium; None: no security
    severity).  `ecs` is `event.severity`, `syslog` RFC 5424's severity, `annotation` GitHub's workflow command.
    `junit_failure` is False where a failure must not turn a test red.
    """

    ocsf_id: int
    ocsf: str
    sarif_level: str
    sarif_score: str | None
    gitlab: str
    syslog: int
    cef: int
    ecs: int
    annotation: str
    junit_failure: bool = True


#: plaudit's severity → every dialect.
DIALECTS: dict[Severity, Dialect] = {
    Severity.CRITICAL: Dialect(5, "Critical", "error", "9.5", "blocker", 2, 10, 99, "error"),
    Severity.HIGH: Dialect(4, "High", "error", "8.0", "critical", 3, 8, 73, "error"),
    Severity.MEDIUM: Dialect(3, "Medium", "warning", "5.5", "major", 4, 5, 47, "warning"),
    Severity.LOW: Dialect(2, "Low", "note", "3.0", "minor", 5, 3, 21, "notice"),
    Severity.INFO: Dialect(1, "Informational", "note", None, "info", 6, 1, 1, "notice", junit_failure=False),
}

#: Syslog severity of an outcome that is unknown, whatever its rule's severity.
SYSLOG_UNKNOWN = 4
