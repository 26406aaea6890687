"""How long the comparison of two large snapshots takes, and what the history of many findings costs.

    python benchmarks/drift.py                      20,000 endpoints; 20,000 findings over 30 runs
    python benchmarks/drift.py --endpoints 2000     a smaller deployment

Seconds are those of the processor, for a machine may be busy with other things.  Fails (exit 1) above the budgets.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from auditor.drift.snapshots import diff_findings, diff_resources
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
    finding_id,
)
from auditor.history import Ledger
from auditor.inventory.coverage import coverage_frame
from auditor.inventory.normalize import table_frame
from auditor.inventory.schema import TABLES
from auditor.inventory.snapshot import Snapshot

DRIFT_SECONDS, LEDGER_BYTES, NEW_MILLISECONDS = 10.0, 5_000_000, 50.0
ACCOUNT, REGION = "1234567890123456", "eu-central-1"


def snapshot(endpoints: int, moved: int) -> Snapshot:
    """Endpoints with two zones, a group with five rules and attributes, ten to a service; the first `moved` differ."""
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in TABLES}
    coverage: list[dict[str, Any]] = []

    def add(table: str, **columns: Any) -> None:
        rows[table].append({"account_id": ACCOUNT, "region_id": REGION, **columns})

    def read(table: str, target: str) -> None:
        coverage.append(
            {
                "account_id": ACCOUNT,
                "profile": "p",
                "region_id": REGION,
                "operation": TABLES[table].operations[0],
                "table_name": table,
                "target": target,
                "complete": True,
            }
        )

    for table in ("endpoints", "endpoint_services"):
        read(table, "")
    for number in range(endpoints):
        endpoint, group, service = f"ep-{number}", f"sg-{number}", f"epsrv-{number // 10}"
        if number % 10 == 0:
            add("endpoint_services", service_id=service, auto_accept_enabled=number < moved)
            for user in range(20 + (number < moved)):
                add("service_users", service_id=service, entry=f"{user:016d}", entry_type="account")
            read("service_users", service)
        add("endpoints", endpoint_id=endpoint, service_id=service, vpc_id="vpc-1", endpoint_name=f"name {number}")
        add("connections", service_id=service, endpoint_id=endpoint, connection_status="Connected", bandwidth=100)
        for zone in ("a", "b"):
            add("endpoint_zones", endpoint_id=endpoint, zone_id=zone, eni_ip=f"10.{zone == 'a':d}.1.1")
        add("endpoint_security_groups", endpoint_id=endpoint, security_group_id=group)
        add("security_groups", security_group_id=group, security_group_name=group)
        for position in range(5):
            source = "0.0.0.0/0" if number < moved and not position else f"10.0.{position}.0/24"
            add(
                "security_group_rules",
                security_group_id=group,
                rule_id=f"sgr-{number}-{position}",
                direction="ingress",
                policy="Accept",
                priority=1,
                source_cidr=source,
            )
        for name in ("resource_group_id", "zone_private_ip_address_count"):
            add("resource_attributes", resource_type="endpoints", resource_id=endpoint, name=name, value="1")
        for table in ("endpoint_zones", "endpoint_security_groups", "connections"):
            read(table, endpoint if table != "connections" else service)
        for table in ("security_groups", "security_group_rules"):
            read(table, group)
    tables = {name: table_frame(name, rows.pop(name)) for name in TABLES}
    return Snapshot(tables, coverage_frame(coverage))


def finding(number: int, outcome: Outcome = Outcome.FAIL) -> Finding:
    return Finding(
        id=finding_id("SG-001", ACCOUNT, REGION, f"ep-{number}"),
        rule_id="SG-001",
        title="Clients reach the endpoint",
        severity=Severity.CRITICAL,
        basis=Basis.DOCUMENTED,
        outcome=outcome,
        resource=ResourceRef("endpoints", f"ep-{number}", ACCOUNT, REGION),
        side=Side.CONSUMER,
        remediation=Remediation("Admit them."),
    )


def drift(endpoints: int) -> bool:
    """Two snapshots that differ here and there, with ten findings per endpoint."""
    old, new = snapshot(endpoints, 0), snapshot(endpoints, max(endpoints // 100, 1))
    before = [
        replace(finding(number), part=str(part), id=f"{number}-{part}")
        for number in range(endpoints)
        for part in range(10)
    ]
    began = time.process_time()
    resources = diff_resources(old, new)
    seconds = time.process_time() - began
    began = time.process_time()
    turned = diff_findings(before, before[1:])
    more = time.process_time() - began
    unchanged = time.process_time()
    assert not diff_resources(old, old).differs
    unchanged = time.process_time() - unchanged
    print(
        f"drift of {endpoints} endpoints: {seconds:.1f} s ({len(resources.added)} added, {len(resources.changed)} "
        f"changed), {len(before)} findings {more:.1f} s ({turned.unchanged} unchanged), unchanged {unchanged:.1f} s"
    )
    return seconds + more <= DRIFT_SECONDS


def ledger(findings: int, runs: int) -> bool:
    """The same findings over many runs, a hundred new ones each time."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "history.sqlite"
        read = Read(ACCOUNT, REGION, "privatelink:ListVpcEndpoints", "", True, None, None, None)
        with Ledger(path) as history:
            began = time.process_time()
            for run in range(runs):
                when = f"2026-01-{run % 28 + 1:02d}T03:17:{run:02d}Z"
                open_now = tuple(finding(number) for number in range(findings - (runs - 1 - run) * 100))
                report = Report(ScanInfo(f"run-{run}", when, when, (), (REGION,)), open_now, (read,))
                history.record(report, ["SG-001"])
            written = time.process_time() - began
            began = time.process_time()
            new = history.new_since_last()
            milliseconds = 1000 * (time.process_time() - began)
        size = sum(part.stat().st_size for part in Path(folder).iterdir())
    print(
        f"history of {findings} findings over {runs} runs: {size / 1e6:.1f} MB, written in {written:.1f} s, "
        f"{len(new)} new since the last one in {milliseconds:.1f} ms"
    )
    return size <= LEDGER_BYTES and milliseconds <= NEW_MILLISECONDS


def main() -> int:
    """Exit code 1 above a budget."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--endpoints", type=int, default=20_000)
    parser.add_argument("--findings", type=int, default=20_000)
    parser.add_argument("--runs", type=int, default=30)
    chosen = parser.parse_args()
    good = [drift(chosen.endpoints), ledger(chosen.findings, chosen.runs)]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
