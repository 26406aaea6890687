"""Runs the examples of a rule: a snapshot from `given`, judged, compared with what the example expects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import pandas as pd

from auditor.engine.rule import Example, Rule
from auditor.engine.run import judge_loaded
from auditor.engine.session import Session
from auditor.engine.sql import Database, QueryError
from auditor.errors import PlauditError
from auditor.findings import Finding
from auditor.inventory.coverage import ANY_TARGET, coverage_frame
from auditor.inventory.normalize import empty_tables, table_frame
from auditor.inventory.schema import TABLES
from auditor.inventory.snapshot import Snapshot

DEFAULT_ACCOUNT = "1000000000000001"
DEFAULT_REGION = "eu-central-1"
DEFAULT_TIME = "2026-01-01T00:00:00Z"


def run_examples(*rules: Rule) -> list[str]:
    """Sentences about the examples that do not hold, each with file and line; empty if all do."""
    with Database(threads=1) as database:
        # One database for all of them: making it takes longer than judging.
        session = Session(database)
        return [s for rule in rules for example in rule.examples for s in _check(session, rule, example)]


def _check(session: Session, rule: Rule, example: Example) -> Iterator[str]:
    place = f"{rule.path}:{example.line}: example {example.name!r}"
    try:
        findings: Sequence[Finding] = judge_example(session, rule, example)
    except (QueryError, PlauditError) as error:
        yield f"{place}: {error}"
        return
    if example.resource is not None:
        findings = [finding for finding in findings if finding.resource.id == example.resource]
    if len(findings) != 1:
        found = ", ".join(f"{f.resource.id}{'/' + f.part if f.part else ''} {f.outcome}" for f in findings) or "none"
        yield (
            f"{place} gives {len(findings)} outcomes instead of one ({found}); "
            "name the one that is meant with `resource: <id>`, or give the object"
        )
        return
    finding = findings[0]
    if finding.outcome is not example.expect:
        why = (
            f" ({finding.reason})" if finding.reason else f" (observed: {finding.observed})" if finding.observed else ""
        )
        yield f"{place} expects {example.expect}, got {finding.outcome}{why}"
    if example.observed is not None and finding.observed != example.observed:
        yield f"{place} expects to observe {example.observed!r}, got {finding.observed!r}"


def judge_example(session: Session, rule: Rule, example: Example) -> Sequence[Finding]:
    """All findings of a rule over its example."""
    session.load(example_snapshot(example), [rule], example.declared)
    return judge_loaded(session, [rule])


def example_rows(example: Example) -> dict[str, list[dict[str, Any]]]:
    """The rows an example gives, completed: account and region where left out, and a row per account id used."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for table, given in example.given.items():
        names = TABLES[table].column_names
        defaults = {"account_id": DEFAULT_ACCOUNT, "region_id": DEFAULT_REGION}
        own = {name: value for name, value in defaults.items() if name in names}
        rows[table] = [{**own, **{name: value for name, value in row.items() if value is not None}} for row in given]
    accounts = {row["account_id"]: row for row in rows.get("accounts", [])}
    for table_rows in rows.values():
        for row in table_rows:
            accounts.setdefault(row["account_id"], {"account_id": row["account_id"]})
    rows["accounts"] = list(accounts.values()) or [{"account_id": DEFAULT_ACCOUNT}]
    return rows


def example_regions(rows: Mapping[str, list[dict[str, Any]]]) -> list[str]:
    """Every region an example names."""
    regions = {DEFAULT_REGION}
    for row in (row for table_rows in rows.values() for row in table_rows):
        regions.update(row[name] for name in row if name.endswith("region_id") and row[name])
    return sorted(regions)


def example_snapshot(example: Example) -> Snapshot:
    """The inventory an example gives; every table but `missing` and `half_read` ones has complete coverage."""
    rows = example_rows(example)
    regions = example_regions(rows)
    accounts = sorted(row["account_id"] for row in rows["accounts"])
    return Snapshot(
        tables={
            **_empty_tables(),
            **{name: table_frame(name, rows[name]) for name in rows},
            **({} if "accounts" in example.given else {"accounts": _accounts(tuple(accounts))}),
        },
        coverage=_coverage(example.missing, example.half_read, tuple(accounts), tuple(regions)),
        meta={
            "started_at": example.now or DEFAULT_TIME,
            "finished_at": example.now or DEFAULT_TIME,
            "accounts": [{"account_id": account_id, "profile": None} for account_id in accounts],
            "regions": regions,
        },
    )


@cache
def _accounts(accounts: tuple[str, ...]) -> pd.DataFrame:
    return table_frame("accounts", [{"account_id": account_id} for account_id in accounts])


@cache
def _empty_tables() -> dict[str, pd.DataFrame]:
    return empty_tables()


@cache
def _coverage(
    missing: tuple[str, ...], half_read: tuple[str, ...], accounts: tuple[str, ...], regions: tuple[str, ...]
) -> pd.DataFrame:
    """Most examples have one account and one region and miss nothing: their coverage is made and loaded once."""
    return coverage_frame(_coverage_rows(missing, half_read, accounts, regions))


def _coverage_rows(
    missing: tuple[str, ...], half_read: tuple[str, ...], accounts: tuple[str, ...], regions: tuple[str, ...]
) -> Iterator[dict[str, Any]]:
    for name, table in TABLES.items():
        if name in missing:
            continue
        complete = name not in half_read
        for account_id in accounts:
            for region_id in regions:
                yield {
                    "account_id": account_id,
                    "region_id": region_id,
                    "operation": table.operations[0],
                    "table_name": name,
                    "target": "" if table.parent is None and not table.by_id else ANY_TARGET,
                    "complete": complete,
                    "error_code": None if complete else "Plaudit.Truncated",
                    "message": None if complete else "the answer ended early",
                }
