"""What a result means to whoever ran the probe: what did not get through or does not match, and what is undecided."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from auditor.probe.result import ConnectionSeen, NameSeen, ProbeResult
from auditor.probe.targets import Target

_THROUGH = {"connected": True, "no_answer": None, "error": None, "not_tried": None}


@dataclass(frozen=True, slots=True)
class Judgement:
    """Sentences without a period."""

    wrong: tuple[str, ...]
    undecided: tuple[str, ...]

    @property
    def code(self) -> int:
        """3 before 4 before 0."""
        return 3 if self.wrong else 4 if self.undecided else 0


def judge_result(result: ProbeResult, targets: Sequence[Target]) -> Judgement:
    """Compares names with the named addresses, and says what did not get through."""
    wrong: list[str] = []
    undecided: list[str] = []
    known = {target.endpoint_id: target for target in targets}
    groups: dict[tuple[str, str, str], list[NameSeen]] = defaultdict(list)
    for name in result.names:
        groups[name.endpoint_id, name.domain, name.resolver].append(name)
    for (endpoint_id, _, _), seen in groups.items():
        for verdict, words in name_outcomes(seen, known[endpoint_id]):
            (undecided if verdict is None else wrong).append(words)
    for connection in result.connections:
        for verdict, words in connection_outcomes(connection):
            (undecided if verdict is None else wrong).append(words)
    if result.ended is not None:
        undecided.append(f"the probe was not finished ({result.ended})")
    for target in targets:
        if not (target.places and target.services):
            what = "address" if not target.places else "port"
            undecided.append(f"{target.endpoint_id or 'the endpoint'}: no {what} to contact is known")
    if not result.names and not result.connections:
        undecided.append("there was nothing to probe")
    return Judgement(tuple(dict.fromkeys(wrong)), tuple(dict.fromkeys(undecided)))


def name_outcomes(seen: Sequence[NameSeen], target: Target) -> Iterator[tuple[bool | None, str]]:
    """What is wrong (False) or open (None) about what one resolver said of one name."""
    first = seen[0]
    place = f"{first.domain} at {first.resolver}"
    zones = {one.address: one.zone_id for one in target.places}
    found = {address for name in seen for address, _ in name.addresses}
    for name in seen:
        if name.status not in ("ok", "no_name", "no_address"):
            yield None, f"{place}, {name.record_type}: {name.error or name.status}"
    if not found and all(name.status in ("no_name", "no_address") for name in seen):
        yield False, f"{place}: {'no such name' if any(n.status == 'no_name' for n in seen) else 'no address'}"
    if found and not zones:
        yield None, f"{place}: {', '.join(sorted(found))}, and no address is known to compare with"
        return
    for address in sorted(found):
        if address not in zones:
            yield False, f"{place}: {address} is no address of the endpoint"
        elif first.zone_id and zones[address] and zones[address] != first.zone_id:
            yield False, f"{place}: {address} is the address in {zones[address]}"


def connection_outcomes(seen: ConnectionSeen) -> Iterator[tuple[bool | None, str]]:
    """What is wrong or open about one connection."""
    place = f"{seen.protocol}/{seen.port} of {seen.address}"
    through = _THROUGH.get(seen.outcome, False)
    if through is not True:
        yield through, f"{place}: {seen.outcome.replace('_', ' ')}"
    elif seen.connected < seen.tries:
        yield False, f"{place}: only {seen.connected} of {seen.tries} tries got through"
    tls, http = seen.tls, seen.http
    if tls is not None:
        if tls.outcome != "ok":
            yield False, f"{place}: no TLS session ({tls.error or tls.outcome})"
        elif tls.in_time is False:
            yield False, f"{place}: the certificate is out of date ({tls.not_before} to {tls.not_after})"
        elif tls.name_matches is False:
            yield (
                False,
                f"{place}: the certificate is for {', '.join(tls.names[:3]) or 'no name'}, not {tls.server_name}",
            )
        elif tls.name_matches is None or tls.trusted is not True:
            yield None, f"{place}: the issuer of the certificate is not trusted here; see --ca-file"
    if http is not None and http.as_expected is not True:
        status = f"status {http.status}" if http.status is not None else f"no answer ({http.error or http.outcome})"
        yield False, f"{place}: {status}"
