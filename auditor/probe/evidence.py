"""Results of probes as evidence: rows and coverage of a snapshot, where they are of its time and of its endpoints."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from auditor.facts.rows import rows
from auditor.inventory.coverage import coverage_frame
from auditor.inventory.normalize import table_frame
from auditor.inventory.schema import TABLES
from auditor.probe.result import ConnectionSeen, NameSeen, ProbeResult
from auditor.probe.targets import parse_address

if TYPE_CHECKING:
    import pandas as pd

    from auditor.inventory.snapshot import Snapshot

PROBE_TABLES = ("probe_names", "probe_connections")
DAY = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """The snapshot with what probes saw, and what a user should know about it."""

    snapshot: Snapshot
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Owner:
    account_id: str
    region_id: str


def add_probes(snapshot: Snapshot, results: Sequence[ProbeResult], *, max_age: float = DAY) -> Evidence:
    """Adds what probes saw of the endpoints of the snapshot.

    A probe more than `max_age` seconds before or after the snapshot is no evidence about it: its endpoints get a gap
    instead of rows, unless another result is of the right time.  Where the same host tried the same thing twice, the
    later result counts.
    """
    if not results:
        return Evidence(snapshot)
    index = _Index(snapshot)
    taken = _time(snapshot.meta.get("started_at"))
    notices: list[str] = []
    found: dict[str, dict[tuple[Any, ...], dict[str, Any]]] = {name: {} for name in PROBE_TABLES}
    covered: dict[str, set[str]] = {name: set() for name in PROBE_TABLES}
    gaps: dict[tuple[str, str], tuple[str, str]] = {}
    for result in sorted(results, key=lambda one: (one.started_at, one.path)):
        ids = index.endpoints_of(result)
        strangers = sorted({i for i in result.endpoint_ids if i and i not in index.owners})
        if strangers:
            notices.append(f"{result.path}: not in the snapshot and left out: {', '.join(strangers[:5])}")
        if not ids:
            notices.append(f"{result.path}: says nothing about an endpoint of the snapshot")
        apart = _apart(taken, _time(result.started_at))
        for endpoint_id in sorted(ids):
            for table in PROBE_TABLES:
                if apart is None or apart > max_age:
                    gaps[table, endpoint_id] = "Plaudit.Stale", _stale(result, apart, max_age)
                elif endpoint_id in result.unfinished:
                    code = "Plaudit.Deadline" if result.ended == "deadline" else "Plaudit.Interrupted"
                    gaps[table, endpoint_id] = code, f"the probe from {result.vantage} was not finished"
                else:
                    covered[table].add(endpoint_id)
        if apart is None or apart > max_age:
            notices.append(f"{result.path}: {_stale(result, apart, max_age)}")
            continue
        for name in result.names:
            owner_id = index.endpoint_of_name(name)
            if owner_id is not None:
                for row in _name_rows(name, owner_id, index, result):
                    found["probe_names"][_key("probe_names", row)] = row
        for connection in result.connections:
            owner_id = index.endpoint_of_connection(connection)
            if owner_id is not None:
                row = _connection_row(connection, owner_id, index, result)
                found["probe_connections"][_key("probe_connections", row)] = row
    coverage = [
        _coverage(index, table, endpoint_id, None, None) for table in PROBE_TABLES for endpoint_id in covered[table]
    ]
    coverage += [
        _coverage(index, table, endpoint_id, code, message)
        for (table, endpoint_id), (code, message) in gaps.items()
        if endpoint_id not in covered[table]
    ]
    tables = dict(snapshot.tables)
    for table in PROBE_TABLES:
        tables[table] = _stacked([tables[table], table_frame(table, found[table].values())])
    return Evidence(
        dataclasses.replace(
            _plain(snapshot), tables=tables, coverage=_stacked([snapshot.coverage, coverage_frame(coverage)])
        ),
        tuple(notices),
    )


def _plain(snapshot: Snapshot) -> Snapshot:
    from auditor.inventory.snapshot import Snapshot

    return Snapshot(snapshot.tables, snapshot.coverage, snapshot.meta)


def _stacked(frames: Iterable[pd.DataFrame]) -> pd.DataFrame:
    import pandas as pd

    filled = [frame for frame in frames if len(frame)]
    return pd.concat(filled, ignore_index=True) if filled else next(iter(frames))


def _time(value: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _apart(one: datetime | None, other: datetime | None) -> float | None:
    return None if one is None or other is None else abs((one - other).total_seconds())


def _stale(result: ProbeResult, apart: float | None, most: float) -> str:
    if apart is None:
        return f"the probe from {result.vantage} cannot be placed in time"
    return (
        f"the probe from {result.vantage} and the snapshot are {apart / 3600:.1f} h apart, "
        f"more than {most / 3600:g} h; probe again"
    )


def _key(table: str, row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in TABLES[table].key)


def _coverage(index: _Index, table: str, endpoint_id: str, code: str | None, message: str | None) -> dict[str, Any]:
    owner = index.owners[endpoint_id]
    return {
        "account_id": owner.account_id,
        "region_id": owner.region_id,
        "operation": TABLES[table].operations[0],
        "table_name": table,
        "target": endpoint_id,
        "complete": code is None,
        "error_code": code,
        "message": message,
    }


def _name_rows(name: NameSeen, endpoint_id: str, index: _Index, result: ProbeResult) -> list[dict[str, Any]]:
    row = {
        **dataclasses.asdict(index.owners[endpoint_id]),
        "endpoint_id": endpoint_id,
        "zone_id": index.zone_of_domain(endpoint_id, name.domain, name.zone_id),
        "domain": name.domain,
        "vantage": result.vantage,
        "resolver": name.resolver,
        "record_type": name.record_type,
        "status": name.status,
        "chain": ", ".join(name.chain),
        "at": name.at,
    }
    return [{**row, "address": address, "ttl": ttl} for address, ttl in name.addresses or (("", None),)]


def _connection_row(seen: ConnectionSeen, endpoint_id: str, index: _Index, result: ProbeResult) -> dict[str, Any]:
    micro = {key: round(value * 1e6) for key, value in (seen.times or {}).items()}
    tls, http = seen.tls, seen.http
    return {
        **dataclasses.asdict(index.owners[endpoint_id]),
        "endpoint_id": endpoint_id,
        "zone_id": index.zones_of(endpoint_id).get(seen.address) or seen.zone_id,
        "address": seen.address,
        "protocol": seen.protocol,
        "port": seen.port,
        "vantage": result.vantage,
        "source_address": seen.source_address,
        "tries": seen.tries,
        "connected": seen.connected,
        "outcome": seen.outcome,
        **{f"connect_{key}_us": micro.get(key) for key in ("min", "p50", "p95", "max")},
        "tls_outcome": tls.outcome if tls else None,
        "tls_server_name": tls.server_name if tls else None,
        "tls_names": ", ".join(tls.names) if tls else None,
        "tls_issuer": tls.issuer if tls else None,
        "tls_not_after": tls.not_after if tls else None,
        "tls_name_matches": tls.name_matches if tls else None,
        "tls_in_time": tls.in_time if tls else None,
        "tls_trusted": tls.trusted if tls else None,
        "http_outcome": http.outcome if http else None,
        "http_status": http.status if http else None,
        "http_as_expected": http.as_expected if http else None,
        "at": seen.at,
    }


class _Index:
    """Whose an endpoint is, and which endpoint has a name or an address."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.owners: dict[str, _Owner] = {}
        self._domains: dict[str, set[tuple[str, str]]] = defaultdict(set)
        self._addresses: dict[str, set[str]] = defaultdict(set)
        self._zones: dict[str, dict[str, str]] = defaultdict(dict)
        for endpoint_id, account_id, region_id, domain in rows(
            snapshot["endpoints"], "endpoint_id", "account_id", "region_id", "endpoint_domain"
        ):
            self.owners.setdefault(endpoint_id, _Owner(account_id, region_id))
            if domain:
                self._domains[domain.lower().rstrip(".")].add((endpoint_id, ""))
        for endpoint_id, account_id, region_id in rows(
            snapshot["connections"], "endpoint_id", "endpoint_owner_id", "endpoint_region_id"
        ):
            if account_id and region_id:
                self.owners.setdefault(endpoint_id, _Owner(account_id, region_id))
        for endpoint_id, zone_id, domain, *addresses in rows(
            snapshot["endpoint_zones"], "endpoint_id", "zone_id", "zone_domain", "eni_ip", "zone_ipv6_address"
        ):
            if domain:
                self._domains[domain.lower().rstrip(".")].add((endpoint_id, zone_id))
            for text in addresses:
                address = _address(text)
                if address is not None:
                    self._addresses[address].add(endpoint_id)
                    self._zones[endpoint_id][address] = zone_id

    def zones_of(self, endpoint_id: str) -> Mapping[str, str]:
        """Zone by address of the endpoint's ENIs."""
        return self._zones.get(endpoint_id, {})

    def zone_of_domain(self, endpoint_id: str, domain: str, said: str) -> str:
        """The zone whose domain it is: what the inventory says, before what the probe was told."""
        zones = {zone for one, zone in self._domains.get(domain.lower().rstrip("."), ()) if one == endpoint_id}
        return next(iter(zones)) if len(zones) == 1 else said

    def endpoint_of_name(self, name: NameSeen) -> str | None:
        """The endpoint a name belongs to: as the probe was told, else the only one that has it."""
        if name.endpoint_id:
            return name.endpoint_id if name.endpoint_id in self.owners else None
        found = {one for one, _ in self._domains.get(name.domain.lower().rstrip("."), ())}
        return next(iter(found)) if len(found) == 1 else None

    def endpoint_of_connection(self, seen: ConnectionSeen) -> str | None:
        """The endpoint an address belongs to, likewise (two VPCs may use the same addresses)."""
        if seen.endpoint_id:
            return seen.endpoint_id if seen.endpoint_id in self.owners else None
        found = self._addresses.get(seen.address, set())
        return next(iter(found)) if len(found) == 1 else None

    def endpoints_of(self, result: ProbeResult) -> set[str]:
        """The endpoints of the snapshot a result speaks of."""
        found = {one for one in result.endpoint_ids if one in self.owners}
        found |= {one for name in result.names if (one := self.endpoint_of_name(name)) is not None}
        found |= {one for seen in result.connections if (one := self.endpoint_of_connection(seen)) is not None}
        return found


def _address(text: str | None) -> str | None:
    try:
        return parse_address(text) if text else None
    except ValueError:
        return None
