"""Builders for tests of the engine: rules from text, snapshots from rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from auditor.engine.load import load_folder
from auditor.engine.rule import Evidence, RemediationTemplate, Rule, Sql
from auditor.findings import Basis, Finding, Outcome, Severity, Side
from auditor.inventory.coverage import coverage_frame
from auditor.inventory.normalize import empty_tables, table_frame
from auditor.inventory.schema import TABLES
from auditor.inventory.snapshot import Snapshot

PROVIDER, CONSUMER = "6543210987654321", "1234567890123456"
REGION = "eu-central-1"
FOLDER = Path(__file__).parent / "rules"


def fixture_text(id_: str) -> str:
    return next(FOLDER.rglob(f"{id_}.yaml")).read_text("utf-8")


def load_text(folder: Path, text: str, name: str = "ZONE-901.yaml") -> Rule:
    """Loads one rule file through the strict loader and the lint."""
    topic = folder / "zones"
    topic.mkdir(exist_ok=True)
    topic.joinpath(name).write_text(text, "utf-8")
    return load_folder(folder, builtin=False)[0]


def rule(query: str, *evidence: Evidence, resource: str = "endpoint", **changes: Any) -> Rule:
    """A rule made in place; the loader never saw it."""
    values: dict[str, Any] = {
        "id": "TEST-001",
        "title": "Something holds",
        "severity": Severity.HIGH,
        "basis": Basis.POLICY,
        "side": Side.CONSUMER,
        "rationale": "It should.",
        "remediation": RemediationTemplate("Repair it."),
        "examples": (),
        "path": "TEST-001.yaml",
        "builtin": False,
    }
    values.update(changes)
    return Rule(resource=resource, query=Sql(query, 1), evidence=evidence, **values)


def table(name: str, **changes: Any) -> Evidence:
    return Evidence(name, None, 1, **changes)


def read(
    name: str,
    target: str = "",
    *,
    account: str | None = CONSUMER,
    region: str = REGION,
    code: str | None = None,
    **more: Any,
) -> dict[str, Any]:
    """A coverage row; with `code`, of a call that failed."""
    return {
        "account_id": account,
        "region_id": region,
        "operation": TABLES[name].operations[0],
        "table_name": name,
        "target": target,
        "complete": code is None,
        "error_code": code,
        "message": code and "it failed",
        **more,
    }


def snapshot(
    rows: Mapping[str, Iterable[Mapping[str, Any]]],
    coverage: Iterable[Mapping[str, Any]],
    accounts: Mapping[str, str] | None = None,
) -> Snapshot:
    """A snapshot; rows belong to the consumer in REGION where they do not say otherwise."""
    named = accounts if accounts is not None else {CONSUMER: "consumer"}
    own = {"account_id": CONSUMER, "region_id": REGION}
    tables = {name: [{**own, **row} for row in given] for name, given in rows.items()}
    tables["accounts"] = [{"account_id": id_, "profile": profile} for id_, profile in named.items()]
    frames = {**empty_tables(), **{name: table_frame(name, given) for name, given in tables.items()}}
    meta = {"started_at": "2026-01-01T00:00:00Z", "finished_at": "2026-01-01T00:01:00Z", "regions": [REGION]}
    return Snapshot(frames, coverage_frame(dict(row) for row in coverage), meta)


def outcomes(findings: Iterable[Finding]) -> dict[str, Outcome]:
    return {f"{f.resource.id}{'/' + f.part if f.part else ''}": f.outcome for f in findings}
