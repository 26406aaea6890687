"""A snapshot and a specification with pseudonyms in the place of everything that says whose they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from auditor.inventory.privacy import COVERAGE, Kind, is_free_attribute, kind_of, text_columns
from auditor.inventory.pseudonyms import Pseudonyms
from auditor.inventory.snapshot import Snapshot
from auditor.spec import EndpointSpec, ServiceSpec, Spec

#: What a snapshot says about itself that is nobody's secret.
_META = ("started_at", "finished_at", "scan_id", "regions", "tool_version", "schema_version")


def redacted_snapshot(snapshot: Snapshot, pseudonyms: Pseudonyms) -> Snapshot:
    """The snapshot, every text column treated as it is classified; numbers, truth values, regions and times stay."""
    pseudonyms.places |= _places(snapshot)
    tables = {name: _frame(name, frame, pseudonyms) for name, frame in snapshot.tables.items()}
    coverage = _frame(COVERAGE, snapshot.coverage, pseudonyms)
    return replace(snapshot, tables=tables, coverage=coverage, meta=_meta(snapshot.meta, pseudonyms))


def _places(snapshot: Snapshot) -> set[str]:
    """The regions and zones in the snapshot."""
    found: set[str] = set()
    for frame in snapshot.tables.values():
        for column in frame.columns:
            if column.endswith(("region_id", "zone_id")):
                found.update(value for value in frame[column].dropna().unique().tolist() if value)
    return found


def _frame(table: str, frame: pd.DataFrame, pseudonyms: Pseudonyms) -> pd.DataFrame:
    changed = {}
    for column in text_columns(table):
        kind = kind_of(table, column)
        if kind is Kind.WORD or column not in frame.columns:
            continue
        if (table, column) == ("resource_attributes", "value"):
            changed[column] = _attributes(frame, pseudonyms)
            continue
        found = {value: pseudonyms.of(kind, value) for value in frame[column].dropna().unique().tolist()}
        changed[column] = _column([found.get(value) for value in _texts(frame[column])], frame)
    return frame.assign(**changed)


def _attributes(frame: pd.DataFrame, pseudonyms: Pseudonyms) -> pd.Series[Any]:
    pairs = zip(_texts(frame["name"]), _texts(frame["value"]), strict=True)
    return _column(
        [
            None if value is None else pseudonyms.document(value, free=is_free_attribute(name or ""))
            for name, value in pairs
        ],
        frame,
    )


def _texts(column: pd.Series[Any]) -> list[str | None]:
    return [value if isinstance(value, str) else None for value in column.astype(object).tolist()]


def _column(values: list[str | None], frame: pd.DataFrame) -> pd.Series[Any]:
    return pd.Series(values, index=frame.index, dtype="string")


def _meta(meta: Mapping[str, object], pseudonyms: Pseudonyms) -> dict[str, object]:
    kept = {key: meta[key] for key in _META if key in meta}
    accounts = meta.get("accounts")
    if isinstance(accounts, (list, tuple)):
        kept["accounts"] = [
            {
                "account_id": pseudonyms.account(account["account_id"]) if account.get("account_id") else None,
                "profile": pseudonyms.name(account["profile"]) if account.get("profile") else None,
            }
            for account in accounts
        ]
    return kept


def redacted_spec(spec: Spec, pseudonyms: Pseudonyms) -> Spec:
    """The specification in the words of the redacted snapshot."""
    tags = spec.require.tags
    return replace(
        spec,
        services={pseudonyms.id(key): _service(entry, pseudonyms) for key, entry in spec.services.items()},
        endpoints={pseudonyms.id(key): _endpoint(entry, pseudonyms) for key, entry in spec.endpoints.items()},
        require=replace(spec.require, tags=tags if tags is None else tuple(map(pseudonyms.name, tags))),
    )


def _service(entry: ServiceSpec, pseudonyms: Pseudonyms) -> ServiceSpec:
    accounts, vpcs = entry.accounts, entry.vpcs
    return replace(
        entry,
        accounts=accounts if accounts is None else tuple(map(pseudonyms.arn, accounts)),
        vpcs=vpcs if vpcs is None else tuple(map(pseudonyms.id, vpcs)),
    )


def _endpoint(entry: EndpointSpec, pseudonyms: Pseudonyms) -> EndpointSpec:
    clients, service = entry.clients, entry.service
    return replace(
        entry,
        service=service if service is None else pseudonyms.id(service),
        clients=clients if clients is None else tuple(map(pseudonyms.address, clients)),
    )
