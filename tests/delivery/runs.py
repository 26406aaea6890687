"""Runs to deliver: small reports whose findings, reads and times a test chooses, and a clock that never waits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from auditor.delivery.feed import Delivered, Target, deliver
from auditor.delivery.patience import Clock
from auditor.delivery.records import Form
from auditor.delivery.replies import Sink
from auditor.findings import (
    Basis,
    Finding,
    Outcome,
    Read,
    Remediation,
    Report,
    ResourceRef,
    ScanInfo,
    Severity,
    Side,
    Source,
    finding_id,
)
from auditor.reporters.events import Mode

ACCOUNT = "1234567890123456"
REGION = "eu-central-1"
READ = "privatelink:ListVpcEndpoints"
START = datetime(2026, 1, 1, 3, 17, tzinfo=UTC)
RULES = ("CONN-001", "ZONE-001", "TAG-001")


def finding(number: int, rule: str = "CONN-001", outcome: str = "fail", **more: Any) -> Finding:
    resource = ResourceRef("endpoints", f"ep-{number:06d}", ACCOUNT, REGION, more.pop("name", f"shop-{number}"))
    severity = Severity(more.pop("severity", "high"))
    return Finding(
        id=finding_id(rule, ACCOUNT, REGION, resource.id),
        rule_id=rule,
        title="Endpoints are connected",
        severity=severity,
        basis=Basis.DOCUMENTED,
        outcome=Outcome(outcome),
        resource=resource,
        side=Side.CONSUMER,
        remediation=Remediation("Accept the connection."),
        sources=(Source("Manage endpoints", "https://www.alibabacloud.com/help/en/privatelink/endpoints"),),
        **more,
    )


def report(
    night: int, findings: Iterable[Finding], *, complete: bool = True, exit_code: int = 3, run: str = ""
) -> Report:
    started = START + timedelta(days=night)
    stamp = started.strftime("%Y-%m-%dT%H:%M:%SZ")
    read = Read(ACCOUNT, REGION, READ, "", complete, None if complete else "Throttling.User", None, None)
    return Report(
        scan=ScanInfo(
            run or f"run-{night:04d}", stamp, stamp, ({"account_id": ACCOUNT, "profile": "consumer"},), (REGION,)
        ),
        findings=tuple(findings),
        reads=(read,),
        exit_code=exit_code,
    )


@dataclass
class Time:
    """Time that passes only when somebody sleeps."""

    seconds: float = 0.0
    slept: list[float] = field(default_factory=list)
    start: datetime = START
    luck: float = 0.5

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds

    @property
    def clock(self) -> Clock:
        return Clock(
            monotonic=lambda: self.seconds,
            sleep=self.sleep,
            now=lambda: self.start + timedelta(seconds=self.seconds),
            chance=lambda: self.luck,
        )


def delivered(
    folder: Path,
    sink: Sink,
    run: Report | None,
    *,
    time: Time | None = None,
    form: Form = Form.OCSF,
    mode: Mode = Mode.CHANGES,
    timeout: float = 60.0,
    name: str = "siem",
) -> Delivered:
    """One run to one sink."""
    clock = (time or Time()).clock
    (result,) = deliver(
        folder,
        [Target(name, sink, form)],
        run,
        mode=mode,
        judged_rules=RULES,
        timeout=timeout,
        clock=clock,
    )
    return result


def open_set(events: Mapping[str, dict[str, Any]]) -> dict[str, tuple[str, str]]:
    """What a SIEM shows as open after ECS documents in order of arrival: finding id → (severity, outcome).

    Fails if a finding is created while it is open, or updated or closed while it is not.
    """
    found: dict[str, tuple[str, str]] = {}
    for document in events.values():
        own = document["plaudit"]
        if "finding" not in own:
            continue
        identity, action = own["finding"]["id"], document["event"]["action"]
        assert (action == "create") == (identity not in found), f"{action} of {identity} out of order"
        if action == "close":
            del found[identity]
        else:
            found[identity] = (own["severity"], own["outcome"])
    return found
