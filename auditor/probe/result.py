"""The result of a probe: what one host saw of names, of connections and of the sessions on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NameSeen:
    """One question about one name, and what came back; addresses with their time to live in seconds."""

    endpoint_id: str
    zone_id: str
    domain: str
    resolver: str
    record_type: str
    status: str
    addresses: tuple[tuple[str, int | None], ...]
    chain: tuple[str, ...]
    seconds: float
    at: str
    error: str | None = None


@dataclass(frozen=True, slots=True)
class TlsSeen:
    """The last TLS handshake; `handshake_p50` in seconds."""

    outcome: str
    server_name: str | None
    handshake_p50: float | None
    version: str | None
    protocol: str | None
    names: tuple[str, ...]
    issuer: str | None
    not_before: str | None
    not_after: str | None
    name_matches: bool | None
    in_time: bool | None
    trusted: bool | None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class HttpSeen:
    """The worst answer to the requests: one that was not as expected, else the last."""

    outcome: str
    status: int | None
    as_expected: bool | None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class ConnectionSeen:
    """All tries at one address and port.  `times`: min, p50, p95, max of those that connected, in seconds."""

    endpoint_id: str
    zone_id: str
    address: str
    protocol: str
    port: int
    source_address: str | None
    tries: int
    connected: int
    outcome: str
    times: Mapping[str, float] | None
    at: str
    error: str | None = None
    tls: TlsSeen | None = None
    http: HttpSeen | None = None


@dataclass(frozen=True, slots=True)
class Foreign:
    """An address that a name resolved to and that nobody named as one of the endpoint: reported, not contacted."""

    endpoint_id: str
    domain: str
    address: str


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """What one host saw.

    `host` is its name, `instance_id` its instance, where somebody said so.  `unfinished`: endpoints the deadline or an
    interruption left undone; `ended`: None, deadline or interrupted.
    """

    host: str
    instance_id: str | None
    started_at: str
    finished_at: str
    endpoint_ids: tuple[str, ...]
    names: tuple[NameSeen, ...]
    connections: tuple[ConnectionSeen, ...]
    foreign: tuple[Foreign, ...] = ()
    unfinished: tuple[str, ...] = ()
    ended: str | None = None
    resolvers: tuple[str, ...] = ()
    trust: str = "system"
    path: str = ""

    @property
    def vantage(self) -> str:
        """The instance where it is known, else the name of the host."""
        return self.instance_id or self.host
