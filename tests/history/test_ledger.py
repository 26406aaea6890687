"""The ledger: what is new, what is closed, what a killed or unreadable run does to it."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from auditor.errors import FileError
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

ACCOUNT, REGION = "1234567890123456", "eu-central-1"


def finding(resource: str, outcome: Outcome = Outcome.FAIL, rule: str = "EP-005") -> Finding:
    return Finding(
        id=finding_id(rule, ACCOUNT, REGION, resource),
        rule_id=rule,
        title="Endpoint has an attached security group",
        severity=Severity.HIGH,
        basis=Basis.DOCUMENTED,
        outcome=outcome,
        resource=ResourceRef("endpoints", resource, ACCOUNT, REGION, None),
        side=Side.CONSUMER,
        remediation=Remediation("Attach a group."),
    )


def report(run: int, findings: Sequence[Finding], *, complete: bool = True) -> Report:
    when = f"2026-01-{run:02d}T03:17:00Z"
    read = Read(ACCOUNT, REGION, "privatelink:ListVpcEndpoints", "", complete, None, None, None)
    return Report(ScanInfo(f"run-{run}", when, when, (), (REGION,)), tuple(findings), (read,))


def test_new_is_what_was_not_open_at_the_end_of_the_last_run(tmp_path: Path) -> None:
    with Ledger(tmp_path / "history.sqlite") as ledger:
        ledger.record(report(1, [finding("ep-1")]), ["EP-005"])
        ledger.record(report(2, [finding("ep-1"), finding("ep-2")]), ["EP-005"])
        assert [entry.resource_id for entry in ledger.new_since_last()] == ["ep-2"]
        annotated = ledger.annotate([finding("ep-1"), finding("ep-3")], "2026-01-03T03:17:00Z")
    assert [(item.first_seen, item.is_new) for item in annotated] == [
        ("2026-01-01T03:17:00Z", False),
        ("2026-01-03T03:17:00Z", True),
    ]


def test_an_unknown_keeps_a_finding_open_and_a_pass_closes_it(tmp_path: Path) -> None:
    with Ledger(tmp_path / "h") as ledger:
        ledger.record(report(1, [finding("ep-1")]), ["EP-005"])
        ledger.record(report(2, [finding("ep-1", Outcome.UNKNOWN)], complete=False), ["EP-005"])
        assert [entry.outcome for entry in ledger.open_findings()] == ["unknown"]
        ledger.record(report(3, [finding("ep-1", Outcome.PASS)]), ["EP-005"])
        assert ledger.open_findings() == []
        assert [entry.resource_id for entry in ledger.closed_by("run-3")] == ["ep-1"]


def test_an_object_that_is_gone_closes_only_after_a_complete_read(tmp_path: Path) -> None:
    with Ledger(tmp_path / "h") as ledger:
        ledger.record(report(1, [finding("ep-1")]), ["EP-005"])
        ledger.record(report(2, [], complete=False), ["EP-005"])
        assert len(ledger.open_findings()) == 1
        ledger.record(report(3, []), ["CONN-001"])  # the rule was not judged in this run
        assert len(ledger.open_findings()) == 1
        ledger.record(report(4, []), ["EP-005"])
        assert ledger.open_findings() == []


def test_a_finding_that_comes_back_is_new_again_and_keeps_its_first_date(tmp_path: Path) -> None:
    with Ledger(tmp_path / "h") as ledger:
        ledger.record(report(1, [finding("ep-1")]), ["EP-005"])
        ledger.record(report(2, [finding("ep-1", Outcome.PASS)]), ["EP-005"])
        assert ledger.annotate([finding("ep-1")], "2026-01-03T00:00:00Z")[0].is_new is True
        ledger.record(report(3, [finding("ep-1")]), ["EP-005"])
        (entry,) = ledger.new_since_last()
    assert (entry.first_seen, entry.times_seen) == ("2026-01-01T03:17:00Z", 2)


def test_runs_carry_counts_and_trend(tmp_path: Path) -> None:
    with Ledger(tmp_path / "h") as ledger:
        ledger.record(report(1, [finding("ep-1"), finding("ep-2", Outcome.PASS)]), ["EP-005"])
        ledger.record(report(2, [finding("ep-2", Outcome.PASS)]), ["EP-005"])
        first, second = ledger.runs()
        assert (first.counts["fail"], first.counts["pass"], first.failures["high"], first.opened) == (1, 1, 1, 1)
        assert (second.counts["fail"], second.closed, second.complete) == (0, 1, True)
        assert [run.run_id for run in ledger.runs(last=1)] == ["run-2"]


def test_old_runs_are_forgotten_and_open_findings_are_not(tmp_path: Path) -> None:
    with Ledger(tmp_path / "h") as ledger:
        ledger.record(report(1, [finding("ep-1"), finding("ep-2")]), ["EP-005"])
        ledger.record(report(2, [finding("ep-1"), finding("ep-2", Outcome.PASS)]), ["EP-005"])
        late = report(3, [finding("ep-1")])
        late = Report(
            ScanInfo("late", "2027-12-01T00:00:00Z", "2027-12-01T00:00:00Z", (), ()), late.findings, late.reads
        )
        ledger.record(late, ["EP-005"])
        assert [run.run_id for run in ledger.runs()] == ["late"]
        assert [entry.resource_id for entry in ledger.open_findings()] == ["ep-1"]
        ledger.vacuum()
        assert len(ledger.open_findings()) == 1


@pytest.mark.parametrize(
    "content", [b"not a database at all, but long enough to be one" * 40, b"SQLite format 3\0junk"]
)
def test_a_damaged_file_says_what_to_do(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "history.sqlite"
    path.write_bytes(content)
    with pytest.raises(FileError, match="move it away"):
        Ledger(path)


def test_a_newer_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite"
    with Ledger(path):
        pass
    connection = sqlite3.connect(path)
    connection.execute("pragma user_version = 99")
    connection.close()
    with pytest.raises(FileError, match="newer plaudit"):
        Ledger(path)


def test_killed_at_any_moment_the_ledger_holds_whole_runs(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite"
    here = Path(__file__).resolve().parent
    program = textwrap.dedent(
        f"""
        import sys
        sys.path[:0] = [{str(here.parent.parent)!r}, {str(here)!r}]
        from dataclasses import replace
        from pathlib import Path
        from test_ledger import Ledger, finding, report
        whole = report(1, [finding(f"ep-{{n}}") for n in range(50)])
        with Ledger(Path({str(path)!r})) as ledger:
            print("go", flush=True)
            for run in range(1, 10_000):
                scan = replace(whole.scan, id=f"run-{{sys.argv[1]}}-{{run}}")
                ledger.record(replace(whole, scan=scan), ["EP-005"])
        """
    )
    for attempt in range(6):
        process = subprocess.Popen(
            [sys.executable, "-c", program, str(attempt)], stdout=subprocess.PIPE, text=True, env=dict(os.environ)
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "go\n"
        time.sleep(0.02 + 0.037 * attempt)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        with Ledger(path) as ledger:
            runs = ledger.runs()
            assert all(run.counts["fail"] == 50 for run in runs)
            assert len(ledger.open_findings()) in (0, 50)
            assert all(entry.times_seen == len(runs) for entry in ledger.open_findings())
