"""Paths with what hosts saw that tried them: a word at the hop, `probes` at the path, and verdicts as they were."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from auditor.facts.probes import outcome_words
from auditor.facts.rows import rows
from auditor.findings import Hop, PathVerdict, Probed

if TYPE_CHECKING:
    from auditor.inventory.snapshot import Snapshot

_COLUMNS = (
    "endpoint_id", "zone_id", "protocol", "port", "vantage", "source_address", "address", "outcome", "tries",
    "connected", "connect_p50_us", "at",
)  # fmt: skip
_NAMED = 3


def with_probes(snapshot: Snapshot, paths: Sequence[PathVerdict]) -> list[PathVerdict]:
    """The paths, those that were tried with their probes."""
    table = snapshot.tables.get("probe_connections")
    if table is None or not len(table):
        return list(paths)
    seen: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    for row in rows(table, *_COLUMNS):
        one = dict(zip(_COLUMNS, row, strict=True))
        seen[one["endpoint_id"], one["zone_id"], one["protocol"], one["port"]].append(one)
    return [
        _told(path, found)
        if (found := seen.get((path.endpoint_id, path.zone_id or "", path.protocol, path.port)))
        else path
        for path in paths
    ]


def _told(path: PathVerdict, seen: list[dict[str, Any]]) -> PathVerdict:
    seen = sorted(seen, key=lambda one: (one["vantage"], one["address"]))
    words = [f"{outcome_words(one)} from {one['vantage']}" for one in seen[:_NAMED]]
    if len(seen) > _NAMED:
        words.append(f"and {len(seen) - _NAMED} more")
    told = "probed: " + "; ".join(words)
    hops = tuple(_with_detail(hop, told) if hop.kind == "endpoint_zone" else hop for hop in path.hops)
    return dataclasses.replace(path, hops=hops, probes=tuple(map(_probed, seen)))


def _with_detail(hop: Hop, told: str) -> Hop:
    return dataclasses.replace(hop, detail=told if hop.detail is None else f"{hop.detail}; {told}")


def _probed(one: dict[str, Any]) -> Probed:
    median = one["connect_p50_us"]
    return Probed(
        one["vantage"],
        one["source_address"],
        one["address"],
        one["outcome"] or "unknown",
        one["tries"],
        one["connected"],
        None if median is None else median / 1e6,
        one["at"],
    )
