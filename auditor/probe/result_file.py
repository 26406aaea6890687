"""The file of a result: versioned JSON, written one row per line, and read as strictly as it is bounded."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from auditor import __version__
from auditor.errors import FileError
from auditor.probe.connect import OUTCOMES, SESSION_OUTCOMES
from auditor.probe.reading import Reader, read_json
from auditor.probe.resolve import RECORD_TYPES, STATUSES
from auditor.probe.result import ConnectionSeen, Foreign, HttpSeen, NameSeen, ProbeResult, TlsSeen
from auditor.probe.targets import parse_address

FORMAT = "plaudit-probe"
FORMAT_VERSION = 1
_MOST_ROWS = 100_000
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z\Z")
_QUANTILES = ("min", "p50", "p95", "max")


# ------------------------------------------------------------------------------------------------------------ writing


def result_document(result: ProbeResult) -> str:
    """The file as text: ASCII, one row per line."""
    head = {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "tool": {"name": "plaudit", "version": __version__},
        "host": result.host,
        "instance_id": result.instance_id,
        "started_at": result.started_at,
        "finished_at": result.finished_at,
        "ended": result.ended,
        "resolvers": list(result.resolvers),
        "trust": result.trust,
    }
    parts = [json.dumps(head)[:-1]]
    lists: list[tuple[str, Iterable[object]]] = [
        ("endpoint_ids", result.endpoint_ids),
        ("unfinished", result.unfinished),
        ("names", map(_name_row, result.names)),
        ("connections", map(_connection_row, result.connections)),
        ("foreign", ({"endpoint_id": f.endpoint_id, "domain": f.domain, "address": f.address} for f in result.foreign)),
    ]
    for key, rows in lists:
        parts.append(f'"{key}": [' + ",".join(f"\n{json.dumps(row)}" for row in rows) + "]")
    return ",\n".join(parts) + "}\n"


def _name_row(name: NameSeen) -> dict[str, Any]:
    return {
        "endpoint_id": name.endpoint_id,
        "zone_id": name.zone_id,
        "domain": name.domain,
        "resolver": name.resolver,
        "record_type": name.record_type,
        "status": name.status,
        "addresses": [{"address": address, "ttl": ttl} for address, ttl in name.addresses],
        "chain": list(name.chain),
        "seconds": round(name.seconds, 6),
        "error": name.error,
        "at": name.at,
    }


def _connection_row(seen: ConnectionSeen) -> dict[str, Any]:
    tls, http = seen.tls, seen.http
    return {
        "endpoint_id": seen.endpoint_id,
        "zone_id": seen.zone_id,
        "address": seen.address,
        "protocol": seen.protocol,
        "port": seen.port,
        "source_address": seen.source_address,
        "tries": seen.tries,
        "connected": seen.connected,
        "outcome": seen.outcome,
        "error": seen.error,
        "times": None if seen.times is None else {key: round(value, 6) for key, value in seen.times.items()},
        "tls": None if tls is None else {
            "outcome": tls.outcome, "server_name": tls.server_name, "handshake_p50": tls.handshake_p50,
            "version": tls.version, "protocol": tls.protocol, "names": list(tls.names), "issuer": tls.issuer,
            "not_before": tls.not_before, "not_after": tls.not_after, "name_matches": tls.name_matches,
            "in_time": tls.in_time, "trusted": tls.trusted, "error": tls.error,
        },
        "http": None if http is None else {
            "outcome": http.outcome, "status": http.status, "as_expected": http.as_expected, "error": http.error,
        },
        "at": seen.at,
    }  # fmt: skip


# ------------------------------------------------------------------------------------------------------------ reading


def read_result(path: Path | str) -> ProbeResult:
    """Reads the file of a probe.  Raises FileError for anything that is not understood."""
    data = read_json(path)
    reader = Reader(path)
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise FileError(path, "is not the result of a probe; expected a file written by `plaudit probe -o`")
    if data.get("version") != FORMAT_VERSION:
        raise FileError(path, f"has version {data.get('version')!r}; this plaudit reads {FORMAT_VERSION}")
    keys = "format version tool host instance_id started_at finished_at ended resolvers trust endpoint_ids unfinished"
    document = reader.mapping(data, "the file", required=(*keys.split(), "names", "connections", "foreign"))
    ids = tuple(
        reader.text(one, "endpoint_ids", 128) for one in reader.items(document["endpoint_ids"], "endpoint_ids", 10_000)
    )
    rows = _Rows(reader, frozenset(ids))
    ended = document["ended"]
    return ProbeResult(
        host=reader.text(document["host"], "host", 253),
        instance_id=reader.text_or_none(document["instance_id"], "instance_id", 64),
        started_at=rows.time(document["started_at"], "started_at"),
        finished_at=rows.time(document["finished_at"], "finished_at"),
        endpoint_ids=ids,
        names=tuple(map(rows.name, reader.items(document["names"], "names", _MOST_ROWS))),
        connections=tuple(map(rows.connection, reader.items(document["connections"], "connections", _MOST_ROWS))),
        foreign=tuple(map(rows.foreign, reader.items(document["foreign"], "foreign", _MOST_ROWS))),
        unfinished=tuple(
            rows.endpoint_id(one) for one in reader.items(document["unfinished"], "unfinished", _MOST_ROWS)
        ),
        ended=None if ended is None else reader.word(ended, "ended", ("deadline", "interrupted")),
        resolvers=tuple(
            reader.text(one, "resolvers", 64) for one in reader.items(document["resolvers"], "resolvers", 16)
        ),
        trust=reader.word(document["trust"], "trust", ("system", "file")),
        path=str(path),
    )


class _Rows:
    def __init__(self, reader: Reader, ids: frozenset[str]) -> None:
        self.reader = reader
        self.ids = ids

    def time(self, value: object, what: str) -> str:
        text = self.reader.text(value, what, 20)
        if _TIME.match(text) is None:
            raise self.reader.wrong(what, "a time like 2026-01-01T00:00:00Z")
        return text

    def endpoint_id(self, value: object) -> str:
        text = self.reader.text(value, "endpoint_id", 128)
        if text not in self.ids:
            raise FileError(self.reader.path, f"{text!r} is not among endpoint_ids")
        return text

    def address(self, value: object, what: str) -> str:
        text = self.reader.text(value, what, 64)
        try:
            return parse_address(text)
        except ValueError:
            raise self.reader.wrong(what, "an address") from None

    def any_address(self, value: object) -> str:
        """An address in an answer, which may be one that no host has."""
        import ipaddress

        text = self.reader.text(value, "address", 64)
        try:
            return str(ipaddress.ip_address(text))
        except ValueError:
            raise self.reader.wrong("address", "an address") from None

    def texts(self, value: object, what: str, most: int) -> tuple[str, ...]:
        return tuple(self.reader.text(one, what) for one in self.reader.items(value, what, most))

    def name(self, value: object) -> NameSeen:
        keys = "endpoint_id zone_id domain resolver record_type status addresses chain seconds error at"
        read, row = self.reader, self.reader.mapping(value, "names", required=keys.split())
        addresses = []
        for one in read.items(row["addresses"], "addresses", 200):
            pair = read.mapping(one, "addresses", required=("address", "ttl"))
            ttl = None if pair["ttl"] is None else read.integer(pair["ttl"], "ttl", 0, 2**32 - 1)
            addresses.append((self.any_address(pair["address"]), ttl))
        status = read.word(row["status"], "status", STATUSES)
        if (status == "ok") != bool(addresses):
            raise FileError(read.path, f"names: status {status} with {len(addresses)} addresses")
        return NameSeen(
            self.endpoint_id(row["endpoint_id"]),
            read.text(row["zone_id"], "zone_id", 64),
            read.text(row["domain"], "domain", 253),
            read.text(row["resolver"], "resolver", 64),
            read.word(row["record_type"], "record_type", RECORD_TYPES),
            status,
            tuple(addresses),
            self.texts(row["chain"], "chain", 32),
            read.seconds(row["seconds"], "seconds"),
            self.time(row["at"], "at"),
            read.text_or_none(row["error"], "error"),
        )

    def connection(self, value: object) -> ConnectionSeen:
        keys = (
            "endpoint_id zone_id address protocol port source_address tries connected outcome error times tls http at"
        )
        read, row = self.reader, self.reader.mapping(value, "connections", required=keys.split())
        tries = read.integer(row["tries"], "tries", 0, 1000)
        connected = read.integer(row["connected"], "connected", 0, tries)
        outcome = read.word(row["outcome"], "outcome", OUTCOMES)
        if (outcome == "connected") != bool(connected):
            raise FileError(read.path, f"connections: outcome {outcome}, although {connected} tries got through")
        times = row["times"]
        if times is not None:
            pairs = read.mapping(times, "times", required=_QUANTILES)
            times = {key: read.seconds(pairs[key], "times") for key in _QUANTILES}
        source = row["source_address"]
        return ConnectionSeen(
            self.endpoint_id(row["endpoint_id"]),
            read.text(row["zone_id"], "zone_id", 64),
            self.address(row["address"], "address"),
            read.word(row["protocol"], "protocol", ("tcp", "udp")),
            read.integer(row["port"], "port", 1, 65535),
            None if source is None else self.address(source, "source_address"),
            tries,
            connected,
            outcome,
            times,
            self.time(row["at"], "at"),
            read.text_or_none(row["error"], "error"),
            None if row["tls"] is None else self.tls(row["tls"]),
            None if row["http"] is None else self.http(row["http"]),
        )

    def tls(self, value: object) -> TlsSeen:
        keys = (
            "outcome server_name handshake_p50 version protocol names issuer not_before not_after name_matches in_time "
            "trusted error"
        )
        read, row = self.reader, self.reader.mapping(value, "tls", required=keys.split())
        taken = row["handshake_p50"]
        begin, end = row["not_before"], row["not_after"]
        return TlsSeen(
            read.word(row["outcome"], "outcome", SESSION_OUTCOMES),
            read.text_or_none(row["server_name"], "server_name"),
            None if taken is None else read.seconds(taken, "handshake_p50"),
            read.text_or_none(row["version"], "version", 32),
            read.text_or_none(row["protocol"], "protocol", 32),
            self.texts(row["names"], "names", 100),
            read.text_or_none(row["issuer"], "issuer"),
            None if begin is None else self.time(begin, "not_before"),
            None if end is None else self.time(end, "not_after"),
            read.flag_or_none(row["name_matches"], "name_matches"),
            read.flag_or_none(row["in_time"], "in_time"),
            read.flag_or_none(row["trusted"], "trusted"),
            read.text_or_none(row["error"], "error"),
        )

    def http(self, value: object) -> HttpSeen:
        read = self.reader
        row = read.mapping(value, "http", required=("outcome", "status", "as_expected", "error"))
        status = row["status"]
        return HttpSeen(
            read.word(row["outcome"], "outcome", SESSION_OUTCOMES),
            None if status is None else read.integer(status, "status", 100, 599),
            read.flag_or_none(row["as_expected"], "as_expected"),
            read.text_or_none(row["error"], "error"),
        )

    def foreign(self, value: object) -> Foreign:
        row = self.reader.mapping(value, "foreign", required=("endpoint_id", "domain", "address"))
        return Foreign(
            self.endpoint_id(row["endpoint_id"]),
            self.reader.text(row["domain"], "domain", 253),
            self.any_address(row["address"]),
        )
