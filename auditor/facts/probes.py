"""What probes saw, beside what the inventory says: the facts `probed_names` and `probed_connections`.

A probe proves only what its host saw.  It is therefore compared with what the configuration says about exactly that
host: the paths are followed with the address the probe was sent from as the only client, and its ports declared.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from auditor.facts.addresses import parse_addresses
from auditor.facts.rows import gap_sentence, rows
from auditor.inventory.coverage import ANY_TARGET
from auditor.spec import Port, Spec

if TYPE_CHECKING:
    from auditor.facts.workshop import Workshop
    from auditor.findings import PathVerdict

#: Zones whose ENI takes traffic; what is neither here nor there is on its way.
_LIVE = frozenset({"Connected", "Migrated"})
_DEAD = frozenset({"Wait", "Disconnecting", "Disconnected", "Deleting"})
#: What a resolver said for sure.
_ANSWERED = frozenset({"ok", "no_name", "no_address"})
_WORDS = {
    "no_name": "no such name",
    "no_address": "no address",
    "timeout": "no answer in time",
    "server_failure": "the server failed",
    "refused": "the server refused",
    "error": "no answer that could be understood",
}
#: A TCP handshake that takes a second has lost its first packet: that is when it is sent again.
SLOW_US = 1_000_000


def _unread(workshop: Workshop, table: str) -> Iterator[tuple[str, str]]:
    """Endpoints of which a probe was given that cannot be used, and why."""
    frame = workshop.coverage.frame
    mine = frame[frame["table_name"] == table]
    for target in sorted({target for (target,) in rows(mine, "target")}):
        if target == ANY_TARGET:
            if not workshop.coverage.complete(table, target):
                for endpoint_id in workshop.endpoints.every:
                    yield endpoint_id, workshop.coverage.gap(table, target).message
        elif not workshop.coverage.complete(table, target):
            yield target, workshop.coverage.gap(table, target).message


# --------------------------------------------------------------------------------------------------------------- names


def probed_names(workshop: Workshop) -> Iterator[dict[str, Any]]:
    """Rows of the fact `probed_names`."""
    for endpoint_id, message in _unread(workshop, "probe_names"):
        yield {"endpoint_id": endpoint_id, "reason": message}
    columns = ("endpoint_id", "zone_id", "domain", "vantage", "resolver", "record_type", "status", "address")
    questions: dict[tuple[Any, ...], list[tuple[Any, ...]]] = defaultdict(list)
    for endpoint_id, *key, record_type, status, address in rows(workshop.snapshot["probe_names"], *columns):
        questions[endpoint_id, *key].append((record_type, status, address))
    zones = _Zones(workshop)
    for (endpoint_id, zone_id, domain, vantage, resolver), answers in sorted(questions.items(), key=str):
        head = {"endpoint_id": endpoint_id, "zone_id": zone_id, "domain": domain, "vantage": vantage}
        place = f"{domain} at {resolver or 'an unnamed resolver'} from {vantage}"
        found = [address for _, status, address in answers if status == "ok" and address]
        if zone_id is None:
            yield {**head, "reason": f"whose domain {domain} is was not told"}
            continue
        live_zone = zones.state(endpoint_id, zone_id) if zone_id else True
        if live_zone is False:
            continue  # the name of a zone that takes no traffic
        for address in found:
            live, reason = zones.judge(endpoint_id, zone_id, address)
            told = f"{place}: {address}" + ("" if live is not False else zones.words(endpoint_id, zone_id, address))
            yield {**head, "address": address, "live": live, "told": told, "reason": reason}
        for record_type, status, _ in answers:
            if status not in _ANSWERED:
                word = _WORDS.get(status or "", "no status was read")
                yield {**head, "told": None, "reason": f"{place}, {record_type}: {word}"}
        if not found and all(status in _ANSWERED and status != "ok" for _, status, _ in answers):
            absent = "no_name" if any(status == "no_name" for _, status, _ in answers) else "no_address"
            types = {record_type for record_type, _, _ in answers}
            if live_zone is None:
                yield {**head, "reason": f"{zone_id} of {endpoint_id} is between two states"}
            elif absent == "no_name" or "A" in types:
                yield {**head, "live": False, "told": f"{place}: {_WORDS[absent]}", "reason": None}
            else:
                yield {**head, "reason": f"{place}: only IPv6 was asked for"}


class _Zones:
    """The ENI addresses of endpoints, and whether their zones take traffic."""

    def __init__(self, workshop: Workshop) -> None:
        self._coverage = workshop.coverage
        self._states: dict[str, dict[str, bool | None]] = defaultdict(dict)
        self._places: dict[str, dict[str, str]] = defaultdict(dict)
        self._nameless: dict[str, str] = {}
        columns = ("endpoint_id", "zone_id", "zone_status", "eni_ip", "zone_ipv6_address")
        for endpoint_id, zone_id, status, v4, v6 in rows(workshop.snapshot["endpoint_zones"], *columns):
            state = True if status in _LIVE else False if status in _DEAD else None
            self._states[endpoint_id][zone_id] = state
            for text in (v4, v6):
                if text:
                    self._places[endpoint_id][_spelled(text)] = zone_id
            if v4 is None or v6 is None:
                self._nameless[endpoint_id] = f"the addresses of {zone_id} were not read"

    def state(self, endpoint_id: str, zone_id: str) -> bool | None:
        """Whether the zone takes traffic; None if that is not known."""
        return self._states[endpoint_id].get(zone_id)

    def zone_of(self, endpoint_id: str, address: str) -> tuple[str | None, str | None]:
        """The zone of an address of the endpoint; or None, and why that is not certain (None: it is foreign)."""
        zone = self._places[endpoint_id].get(_spelled(address))
        if zone is not None:
            return zone, None
        if not self._coverage.complete("endpoint_zones", endpoint_id):
            return None, gap_sentence(self._coverage, "endpoint_zones", endpoint_id)
        return None, self._nameless.get(endpoint_id)

    def judge(self, endpoint_id: str, zone_id: str, address: str) -> tuple[bool | None, str | None]:
        """Whether a name of the endpoint (of the zone, if any) may resolve to the address; and why that is open."""
        zone, reason = self.zone_of(endpoint_id, address)
        if zone is None:
            return (None, reason) if reason else (False, None)
        if zone_id and zone != zone_id:
            return False, None
        state = self.state(endpoint_id, zone)
        return state, None if state is not None else f"{zone} of {endpoint_id} is between two states"

    def words(self, endpoint_id: str, zone_id: str, address: str) -> str:
        """Why an address is not one the name may resolve to."""
        zone, _ = self.zone_of(endpoint_id, address)
        if zone is None:
            return " is no address of the endpoint"
        if zone_id and zone != zone_id:
            return f" is the address in {zone}"
        return f" is in {zone}, which takes no traffic"


def _spelled(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        return text


# --------------------------------------------------------------------------------------------------------- connections

_CONNECTION = (
    "endpoint_id", "zone_id", "address", "protocol", "port", "vantage", "source_address", "tries", "connected",
    "outcome", "connect_p50_us", "connect_p95_us", "tls_outcome", "tls_server_name", "tls_names", "tls_not_after",
    "tls_name_matches", "tls_in_time", "tls_trusted", "http_outcome", "http_status", "http_as_expected",
)  # fmt: skip


def probed_connections(workshop: Workshop) -> Iterator[dict[str, Any]]:
    """Rows of the fact `probed_connections`; addresses that are provably none of the endpoint are left out."""
    for endpoint_id, message in _unread(workshop, "probe_connections"):
        yield {"endpoint_id": endpoint_id, "reason": message}
    table = workshop.snapshot["probe_connections"]
    if not len(table):
        return
    seen = [dict(zip(_CONNECTION, row, strict=True)) for row in rows(table, *_CONNECTION)]
    zones = _Zones(workshop)
    verdicts = _Verdicts(workshop, seen)
    for one in seen:
        zone, reason = zones.zone_of(one["endpoint_id"], one["address"])
        if zone is None and reason is None:
            continue
        path = None if zone is None else verdicts.path(one, zone)
        if path is None and reason is None:
            reason = verdicts.lacking(one)
        yield {
            "endpoint_id": one["endpoint_id"],
            "zone_id": zone,
            "address": one["address"],
            "protocol": one["protocol"],
            "port": one["port"],
            "vantage": one["vantage"],
            "declared": verdicts.declared(one),
            "configured": path.verdict if path is not None else None,
            "broken": _broken(path) if path is not None else None,
            "through": _through(one["outcome"]),
            "lossless": _lossless(one),
            "told": _told(one, zone, verdicts.declared(one)),
            "tls_tried": one["tls_outcome"] is not None,
            "certificate_fits": _certificate(one)[0],
            "certificate": _certificate(one)[1],
            "http_tried": one["http_outcome"] is not None,
            "http_fits": one["http_as_expected"] if one["http_outcome"] in ("ok", None) else False,
            "http": _http(one),
            "reason": reason,
        }


class _Verdicts:
    """What the configuration says about each host that probed: its paths, with the host as the only client."""

    def __init__(self, workshop: Workshop, seen: list[dict[str, Any]]) -> None:
        self._workshop = workshop
        self._paths: dict[tuple[Any, ...], PathVerdict] = {}
        groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for one in seen:
            if one["source_address"] and _client(one["source_address"]):
                groups[one["source_address"]].append(one)
        for source, tried in groups.items():
            self._follow(source, tried)

    def _follow(self, source: str, tried: list[dict[str, Any]]) -> None:
        from auditor.facts.paths import compute_paths

        every = self._workshop.endpoints.every
        ids = {one["endpoint_id"] for one in tried}
        ports: dict[str, dict[Port, None]] = defaultdict(dict)
        for one in tried:
            endpoint = every.get(one["endpoint_id"])
            if endpoint is not None and endpoint.service_id:
                ports[endpoint.service_id][Port(one["protocol"], one["port"])] = None
        spec = _asking(self._workshop.spec, _client(source), ids, {key: tuple(value) for key, value in ports.items()})
        for path in compute_paths(self._workshop.snapshot, spec, (), endpoints=ids):
            self._paths[source, path.endpoint_id, path.zone_id, path.protocol, path.port] = path

    def path(self, one: Mapping[str, Any], zone_id: str) -> PathVerdict | None:
        """The path a probe took."""
        key = (one["source_address"], one["endpoint_id"], zone_id, one["protocol"], one["port"])
        return self._paths.get(key)

    def lacking(self, one: Mapping[str, Any]) -> str:
        """Why there is no path to compare with."""
        if not one["source_address"]:
            return f"the probe from {one['vantage']} does not say from which address it was sent"
        return f"the configuration gives no path of {one['endpoint_id']} to {one['protocol']}/{one['port']}"

    def declared(self, one: Mapping[str, Any]) -> bool | None:
        """Whether the host is a declared client; None where nobody declared any, or that is not known."""
        spec = self._workshop.spec.endpoint(one["endpoint_id"])
        endpoint = self._workshop.endpoints.every.get(one["endpoint_id"])
        if spec.clients is None or endpoint is None or not one["source_address"]:
            return None
        host = parse_addresses(_client(one["source_address"]))
        found = self._workshop.endpoints.clients(endpoint, self._workshop.groups.membership)
        if host is None:
            return None
        if any(client.addresses is not None and not host - client.addresses for client in found):
            return True
        return False if all(client.addresses is not None for client in found) else None


def _client(source: str) -> str:
    return f"{source}/128" if ":" in source else f"{source}/32"


def _asking(spec: Spec, client: str, endpoints: set[str], ports: Mapping[str, tuple[Port, ...]]) -> Spec:
    """The specification with one host as the client of these endpoints, and these ports of their services."""
    services = {
        **spec.services,
        **{one: dataclasses.replace(spec.service(one), ports=found) for one, found in ports.items()},
    }
    changed = {
        **spec.endpoints,
        **{one: dataclasses.replace(spec.endpoint(one), clients=(client,)) for one in endpoints},
    }
    return dataclasses.replace(spec, services=MappingProxyType(services), endpoints=MappingProxyType(changed))


def _through(outcome: str | None) -> bool | None:
    if outcome == "connected":
        return True
    return False if outcome in ("refused", "timeout", "unreachable", "reset", "denied") else None


def _lossless(one: Mapping[str, Any]) -> bool | None:
    """Whether every try got through, and none as slowly as one whose first packet was lost; NULL if none did."""
    tries, connected, slowest = one["tries"], one["connected"], one["connect_p95_us"]
    if tries is None or connected is None or slowest is None or one["outcome"] != "connected":
        return None
    return bool(tries == connected and slowest < SLOW_US)


def _broken(path: PathVerdict) -> str | None:
    hops = [hop for hop in path.hops if hop.verdict == "blocked"]
    return ", ".join(f"{hop.kind} {hop.id}" + (f" ({hop.rule_ids[0]})" if hop.rule_ids else "") for hop in hops) or None


def _told(one: Mapping[str, Any], zone: str | None, declared: bool | None) -> str:
    place = f"{one['protocol']}/{one['port']} of {one['address']}" + (f" in {zone}" if zone else "")
    host = one["vantage"] + (f" at {one['source_address']}" if one["source_address"] else "")
    host += " (no declared client)" if declared is False else ""
    return f"from {host}: {place} {outcome_words(one)}"


def outcome_words(one: Mapping[str, Any]) -> str:
    """`connected in 3 ms`, `timeout`, `connected in 3 ms, 2 of 3 tries`: how the tries of a probe ended."""
    outcome = str(one["outcome"] or "unknown").replace("_", " ")
    if outcome != "connected":
        return outcome
    median, tries, connected = one["connect_p50_us"], one["tries"], one["connected"]
    words = outcome + (f" in {median / 1000:.3g} ms" if median is not None else "")
    return words if tries is None or tries == connected else f"{words}, {connected} of {tries} tries"


def _certificate(one: Mapping[str, Any]) -> tuple[bool | None, str | None]:
    """Whether the certificate is for the name and in time; NULL where the handshake or the chain is in doubt."""
    if one["tls_outcome"] is None:
        return None, None
    name = one["tls_server_name"] or "an unnamed server"
    if one["tls_outcome"] != "ok":
        return False, f"no TLS session as {name} ({one['tls_outcome']})"
    names = (one["tls_names"] or "")[:100] or "no name"
    if one["tls_in_time"] is False:
        return False, f"the certificate is out of date (valid until {one['tls_not_after'] or 'an unknown day'})"
    if one["tls_name_matches"] is False:
        return False, f"the certificate is for {names}, asked for as {name}"
    if one["tls_in_time"] is None or one["tls_name_matches"] is None:
        return None, "the certificate was not understood"
    if one["tls_trusted"] is not True:
        return None, "the issuer is not in the trust store the probe used; probe with --ca-file"
    return True, f"for {name} until {one['tls_not_after'] or 'an unknown day'}"


def _http(one: Mapping[str, Any]) -> str | None:
    if one["http_outcome"] is None:
        return None
    return f"status {one['http_status']}" if one["http_outcome"] == "ok" else f"no answer ({one['http_outcome']})"
