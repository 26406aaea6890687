"""The ledger of past scans: one SQLite file with a row per finding id and a row per run.

One row per finding and not per finding and run, and no index: 20,000 findings over 30 runs stay below 5 MB, and all of
them are looked through in milliseconds.  WAL mode and one transaction per run: a process killed at any moment leaves
the previous run's ledger readable.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from auditor.batches import changed, of_rules, opened, tally
from auditor.errors import FileError
from auditor.findings import Finding, Outcome, Report

#: Layout of the file; a newer one is refused, an older one is brought up step by step.
LAYOUT = 1

#: How long a run stays in the ledger, in days; findings that are still open stay whatever their age.
KEEP_DAYS = 400

_SCHEMA = """
create table runs (
    sequence integer primary key,
    run_id text not null unique,
    started_at text not null,
    finished_at text not null,
    exit_code integer not null,
    complete integer not null,
    pass integer not null, fail integer not null, unknown integer not null,
    not_applicable integer not null, waived integer not null,
    critical integer not null, high integer not null, medium integer not null, low integer not null,
    info integer not null,
    opened integer not null, closed integer not null,
    accounts text not null, regions text not null
) strict;
create table findings (
    id text primary key,
    rule_id text not null,
    account_id text,
    region_id text,
    resource_type text not null,
    resource_id text not null,
    part text not null,
    severity text not null,
    outcome text not null,
    waived integer not null,
    first_run integer not null,
    last_run integer not null,
    first_seen text not null,
    last_seen text not null,
    times_seen integer not null,
    closed_run integer
) strict, without rowid;
"""


@dataclass(frozen=True, slots=True)
class Run:
    """One past scan, with counts per outcome and failures (unwaived) per severity."""

    run_id: str
    started_at: str
    finished_at: str
    exit_code: int
    complete: bool
    counts: Mapping[str, int]
    failures: Mapping[str, int]
    opened: int
    closed: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One finding as the ledger remembers it."""

    id: str
    rule_id: str
    account_id: str | None
    region_id: str | None
    resource_type: str
    resource_id: str
    severity: str
    outcome: str
    waived: bool
    first_seen: str
    last_seen: str
    times_seen: int
    closed: bool


_OPEN = "select id, rule_id, last_run from findings where closed_run is null"
_OUTCOMES = ("pass", "fail", "unknown", "not_applicable", "waived")
_SEVERITIES = ("critical", "high", "medium", "low", "info")
_ENTRY = (
    "id, rule_id, account_id, region_id, resource_type, resource_id, severity, outcome, waived, first_seen, last_seen,"
    " times_seen, closed_run is not null"
)


class Ledger:
    """The history file of a state directory; a context manager.

    Raises FileError if the file is not a ledger, is damaged, or was written by a newer plaudit.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path, isolation_level=None, timeout=30)
        try:
            self._open()
        except sqlite3.DatabaseError as error:
            self._connection.close()
            raise FileError(path, f"is not a readable history ({error}); move it away to start a new one") from None
        except FileError:
            self._connection.close()
            raise

    def _open(self) -> None:
        self._connection.execute("pragma journal_mode = wal")
        self._connection.execute("pragma synchronous = normal")
        layout = int(self._connection.execute("pragma user_version").fetchone()[0])
        if layout > LAYOUT:
            raise FileError(self.path, "was written by a newer plaudit; use that version, or move the file away")
        if layout == 0:
            with self._transaction():
                # Another process may have come first between the look and the lock.
                if int(self._connection.execute("pragma user_version").fetchone()[0]) == 0:
                    for statement in _SCHEMA.split(";\n"):
                        if statement.strip():
                            self._connection.execute(statement)
                    self._connection.execute(f"pragma user_version = {LAYOUT}")

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *exc: object) -> None:
        self._connection.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("begin immediate")
        try:
            yield
        except BaseException:
            self._connection.execute("rollback")
            raise
        self._connection.execute("commit")

    # ------------------------------------------------------------------------------------------------- writing

    def holds(self, run_id: str) -> bool:
        """Whether a scan was recorded."""
        return self._connection.execute("select 1 from runs where run_id = ?", (run_id,)).fetchone() is not None

    def annotate(self, findings: Sequence[Finding], now: str, run_id: str = "") -> Sequence[Finding]:
        """The findings with `first_seen` and `is_new`: new is what was not open at the end of the last run.

        `now` is the time of the scan, RFC 3339; it becomes the first-seen time of what was never seen.  Where the scan
        `run_id` itself is the last run, new is what it opened.
        """
        known = {
            str(row[0]): (str(row[1]), bool(row[2]))
            for row in self._connection.execute(
                "select id, first_seen, closed_run is not null"
                " or first_run = (select sequence from runs where run_id = ?) from findings",
                (run_id,),
            )
        }

        def annotated(finding: Finding) -> Finding:
            first_seen, closed = known.get(finding.id, (now, True))
            return replace(finding, first_seen=first_seen, is_new=finding.id not in known or closed)

        return changed(findings, annotated)

    def closing(self, report: Report, rule_ids: Sequence[str]) -> list[str]:
        """Ids of the findings that are open and that this run closes.

        `rule_ids` are the rules that were judged: findings of others are left as they are.  A finding is closed by an
        outcome of pass or not applicable; one whose object is not there any more is closed only if every read was
        complete, because what could not be read may still be there, and only if this run looked at every account and
        region that the run looked at which saw the finding last.
        """
        complete = all(read.complete for read in report.reads)
        accounts, regions = _looked_at(report)
        wide_enough = {
            int(row[0])
            for row in self._connection.execute("select sequence, accounts, regions from runs")
            if accounts.issuperset(row[1].split()) and regions.issuperset(row[2].split())
        }
        still_open = {finding.id for finding in opened(report.findings)}
        open_before = self._connection.execute(_OPEN).fetchall()
        # Only of rules with something to close: most findings were never open.
        in_doubt = {rule_id for identity, rule_id, _ in open_before if identity not in still_open}
        judged_good = {finding.id for finding in of_rules(report.findings, in_doubt)} - still_open
        judged = set(rule_ids)
        return [
            str(identity)
            for identity, rule_id, last_run in open_before
            if identity not in still_open
            and (identity in judged_good or (complete and rule_id in judged and last_run in wide_enough))
        ]

    def record(self, report: Report, rule_ids: Sequence[str]) -> None:
        """Writes one run; `rule_ids` are the rules that were judged, and `closing` says what it closes."""
        complete = all(read.complete for read in report.reads)
        accounts, regions = _looked_at(report)
        with self._transaction():
            sequence = 1 + int(self._connection.execute("select coalesce(max(sequence), 0) from runs").fetchone()[0])
            open_before = {str(row[0]) for row in self._connection.execute(_OPEN)}
            closed = self.closing(report, rule_ids)
            seen_at = report.scan.started_at
            rows = [_row(finding, sequence, seen_at) for finding in opened(report.findings)]
            still_open = {str(row[0]) for row in rows}
            self._connection.executemany(_UPSERT, rows)
            self._connection.executemany(
                "update findings set closed_run = ? where id = ?", [(sequence, identity) for identity in closed]
            )
            self._connection.execute(
                f"insert into runs values ({', '.join('?' * 20)})",  # noqa: S608 - only question marks
                (
                    sequence,
                    report.scan.id,
                    report.scan.started_at,
                    report.scan.finished_at,
                    report.exit_code,
                    int(complete),
                    *_counts(report),
                    len(still_open - open_before),
                    len(closed),
                    " ".join(sorted(accounts)),
                    " ".join(sorted(regions)),
                ),
            )
            self._forget(report.scan.started_at)

    def _forget(self, now: str) -> None:
        # A time SQLite cannot read gives NULL, which is smaller than nothing: then everything stays.
        limit = (now, f"-{KEEP_DAYS} days")
        self._connection.execute("delete from runs where datetime(started_at) < datetime(?, ?)", limit)
        self._connection.execute(
            "delete from findings where closed_run is not null and datetime(last_seen) < datetime(?, ?)", limit
        )

    def vacuum(self) -> None:
        """Gives freed space back to the disk."""
        self._connection.execute("pragma wal_checkpoint(truncate)")
        self._connection.execute("vacuum")

    # ------------------------------------------------------------------------------------------------- reading

    def runs(self, last: int | None = None) -> list[Run]:
        """Past runs, oldest first; the last `last` of them if given."""
        rows = self._connection.execute(
            "select * from (select * from runs order by sequence desc limit ?) order by sequence",
            (-1 if last is None else last,),
        )
        return [
            Run(
                run_id=row[1],
                started_at=row[2],
                finished_at=row[3],
                exit_code=row[4],
                complete=bool(row[5]),
                counts=dict(zip(_OUTCOMES, row[6:11], strict=True)),
                failures=dict(zip(_SEVERITIES, row[11:16], strict=True)),
                opened=row[16],
                closed=row[17],
            )
            for row in rows
        ]

    def last_success(self) -> str | None:
        """End of the last run that judged everything, whatever it found; None if there was none."""
        row = self._connection.execute(
            "select finished_at from runs where exit_code = 0 or (exit_code = 3 and complete) order by sequence desc"
        ).fetchone()
        return None if row is None else str(row[0])

    def new_since_last(self) -> list[Entry]:
        """Findings that the last run opened and no earlier run had open."""
        return self._entries("first_run = (select max(sequence) from runs) and closed_run is null")

    def closed_by(self, run_id: str) -> list[Entry]:
        """Findings that a run closed."""
        return self._entries("closed_run = (select sequence from runs where run_id = ?)", run_id)

    def opened_by(self, run_id: str) -> list[Entry]:
        """Findings that a run saw open for the first time, or again after they had been closed."""
        return self._entries("first_run = (select sequence from runs where run_id = ?)", run_id)

    def open_findings(self) -> list[Entry]:
        """Everything that is open now."""
        return self._entries("closed_run is null")

    def _entries(self, condition: str, *values: str) -> list[Entry]:
        rows = self._connection.execute(
            f"select {_ENTRY} from findings where {condition} order by rule_id, resource_id, id",  # noqa: S608 - ours
            values,
        )
        return [
            Entry(
                id=row[0],
                rule_id=row[1],
                account_id=row[2],
                region_id=row[3],
                resource_type=row[4],
                resource_id=row[5],
                severity=row[6],
                outcome=row[7],
                waived=bool(row[8]),
                first_seen=row[9],
                last_seen=row[10],
                times_seen=row[11],
                closed=bool(row[12]),
            )
            for row in rows
        ]


_UPSERT = """
insert into findings values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, null)
on conflict (id) do update set
    severity = excluded.severity, outcome = excluded.outcome, waived = excluded.waived,
    first_run = case when findings.closed_run is null then findings.first_run else excluded.first_run end,
    last_run = excluded.last_run, last_seen = excluded.last_seen, times_seen = findings.times_seen + 1,
    closed_run = null
"""


def _row(finding: Finding, sequence: int, seen_at: str) -> tuple[object, ...]:
    return (
        finding.id,
        finding.rule_id,
        finding.resource.account_id,
        finding.resource.region_id,
        finding.resource.type,
        finding.resource.id,
        finding.part,
        finding.severity.value,
        finding.outcome.value,
        int(finding.waived),
        sequence,
        sequence,
        finding.first_seen or seen_at,
        seen_at,
    )


def _looked_at(report: Report) -> tuple[set[str], set[str]]:
    """Accounts and regions a run asked for anything."""
    accounts = {read.account_id for read in report.reads if read.account_id}
    return accounts, {read.region_id for read in report.reads if read.region_id}


def _counts(report: Report) -> tuple[int, ...]:
    outcomes = dict.fromkeys(_OUTCOMES, 0)
    severities = dict.fromkeys(_SEVERITIES, 0)
    for (_, severity, outcome), number in tally(report.findings).items():
        outcomes[outcome] += number
        if outcome == Outcome.FAIL:
            severities[severity.value] += number
    return (*outcomes.values(), *severities.values())
