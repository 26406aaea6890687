"""Summaries: all tries at one address and port as one row, with the outcome that tells most."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from auditor.probe.connect import Attempt, Settings
from auditor.probe.result import ConnectionSeen, HttpSeen, TlsSeen
from auditor.probe.targets import Place, Service, Target

#: What a try that failed is called after when several failed in different ways: the one that tells most.
_TELLING = ("refused", "reset", "denied", "unreachable", "timeout", "no_answer", "error")


def connection_seen(
    target: Target, place: Place, service: Service, made: Sequence[Attempt], settings: Settings, at: str
) -> ConnectionSeen:
    """All tries at one address and port, put together."""
    through = [one for one in made if one.outcome == "connected"]
    failed = Counter(one.outcome for one in made if one.outcome != "connected")
    outcome = "connected" if through else next((word for word in _TELLING if failed[word]), "not_tried")
    error = next((one.error for one in made if one.outcome == outcome and one.error), None)
    if through and failed:
        error = ", ".join(f"{count} {word}" for word, count in sorted(failed.items()))
    times = [one.seconds for one in through if one.seconds is not None]
    sources = [one.source_address for one in made if one.source_address is not None]
    return ConnectionSeen(
        target.endpoint_id,
        place.zone_id,
        place.address,
        service.transport,
        service.port,
        sources[-1] if sources else None,
        len(made),
        len(through),
        outcome,
        quantiles(times) if times else None,
        at,
        error,
        _tls_seen(through),
        _http_seen(through, settings),
    )


def quantiles(values: Sequence[float]) -> dict[str, float]:
    """min, p50, p95 and max; a percentile is the smallest value that is not below so many of all."""
    ordered = sorted(values)

    def at(share: float) -> float:
        return ordered[max(0, -int(-share * len(ordered) // 1) - 1)]

    return {"min": ordered[0], "p50": at(0.5), "p95": at(0.95), "max": ordered[-1]}


def _tls_seen(through: Sequence[Attempt]) -> TlsSeen | None:
    sessions = [one.session for one in through if one.session is not None]
    if not sessions:
        return None
    # One handshake that failed counts for more than those that did not.
    told = next((one for one in sessions if one.outcome != "ok"), sessions[-1])
    found = told.certificate
    taken = [one.seconds for one in sessions if one.seconds is not None]
    return TlsSeen(
        told.outcome, told.server_name, round(quantiles(taken)["p50"], 6) if taken else None, told.version,
        told.protocol, found.names if found else (), found.issuer if found else None,
        found.not_before if found else None, found.not_after if found else None,
        found.name_matches if found else None, found.in_time if found else None, found.trusted if found else None,
        told.error,
    )  # fmt: skip


def _http_seen(through: Sequence[Attempt], settings: Settings) -> HttpSeen | None:
    replies = [one.reply for one in through if one.reply is not None]
    if not replies:
        return None

    def fits(status: int | None) -> bool | None:
        return None if status is None else settings.request.fits(status)

    told = next((one for one in replies if not fits(one.status)), replies[-1])
    return HttpSeen(told.outcome, told.status, fits(told.status), told.error)
