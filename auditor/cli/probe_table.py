"""What a probe saw, and plans of probes, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from auditor.cli.terminal import Terminal
from auditor.probe.judgement import connection_outcomes, name_outcomes
from auditor.probe.plan import Assignment
from auditor.probe.result import ConnectionSeen, NameSeen, ProbeResult
from auditor.probe.targets import Target
from auditor.reporters.text import inert, pad

_STYLES = {True: "32", False: "1;31", None: "33"}
_SIGNS = {True: "ok", False: "NO", None: "??"}


def table(
    result: ProbeResult,
    targets: Sequence[Target],
    verdicts: Mapping[tuple[str, str, str, int], str],
    terminal: Terminal,
) -> str:
    """The result, endpoint by endpoint.

    `verdicts`: (endpoint id, address or zone id, transport, port) → what the configuration says.
    """
    return "".join(f"{line.rstrip()}\n" for line in _lines(result, targets, verdicts, terminal.paints))


def _lines(
    result: ProbeResult, targets: Sequence[Target], verdicts: Mapping[tuple[str, str, str, int], str], color: bool
) -> Iterator[str]:
    for number, target in enumerate(targets):
        if number:
            yield ""
        yield inert(target.endpoint_id or "endpoint")
        groups: dict[tuple[str, str], list[NameSeen]] = {}
        for name in result.names:
            if name.endpoint_id == target.endpoint_id:
                groups.setdefault((name.domain, name.resolver), []).append(name)
        for seen in groups.values():
            yield from _name_lines(seen, target, color)
        for connection in result.connections:
            if connection.endpoint_id == target.endpoint_id:
                yield from _connection_lines(connection, verdicts, color)
        for foreign in result.foreign:
            contacted = any(
                one.address == foreign.address and one.endpoint_id == foreign.endpoint_id for one in result.connections
            )
            if foreign.endpoint_id == target.endpoint_id and not contacted:
                yield f"      {foreign.address} was not contacted: nobody named it (--allow-foreign)"


def _sign(verdict: bool | None, color: bool) -> str:
    word = _SIGNS[verdict]
    return f"\x1b[{_STYLES[verdict]}m{word}\x1b[0m" if color else word


def _worst(verdicts: Sequence[bool | None]) -> bool | None:
    return False if False in verdicts else None if None in verdicts else True


def _name_lines(seen: Sequence[NameSeen], target: Target, color: bool) -> Iterator[str]:
    outcomes = list(name_outcomes(seen, target))
    told = [
        address + (f" (ttl {ttl} s)" if ttl is not None else "") for name in seen for address, ttl in name.addresses
    ]
    first = seen[0]
    words = ", ".join(told) or first.status.replace("_", " ")
    yield f"  {_sign(_worst([verdict for verdict, _ in outcomes]), color)}  {inert(first.domain)}  {first.resolver}"
    yield f"      {words}"
    chain = next((name.chain for name in seen if name.chain), ())
    if chain:
        yield f"      by way of {inert(', '.join(chain))}"
    for _, sentence in outcomes:
        yield f"      {inert(sentence)}"


def _connection_lines(
    seen: ConnectionSeen, verdicts: Mapping[tuple[str, str, str, int], str], color: bool
) -> Iterator[str]:
    outcomes = list(connection_outcomes(seen))
    place = f"{pad(f'{seen.protocol}/{seen.port}', 9)} {seen.address}" + (f" {seen.zone_id}" if seen.zone_id else "")
    words = seen.outcome.replace("_", " ")
    if seen.times is not None:
        words += f" {seen.connected} of {seen.tries}, " + ", ".join(
            f"{key} {value * 1000:.3g}" for key, value in seen.times.items()
        )
        words += " ms"
    elif seen.error:
        words += f" ({seen.error})"
    source = f" from {seen.source_address}" if seen.source_address else ""
    yield f"  {_sign(_worst([verdict for verdict, _ in outcomes]), color)}  {inert(place)}{source}"
    yield f"      {inert(words)}"
    if seen.tls is not None and seen.tls.outcome == "ok":
        tls = seen.tls
        names = ", ".join(tls.names[:3]) + (", …" if len(tls.names) > 3 else "")
        yield f"      {inert(f'{tls.version}, certificate for {names} until {tls.not_after}, issued by {tls.issuer}')}"
    if seen.http is not None and seen.http.status is not None:
        yield f"      HTTP status {seen.http.status}"
    for _, sentence in outcomes:
        yield f"      {inert(sentence)}"
    for key in (seen.address, seen.zone_id):
        verdict = verdicts.get((seen.endpoint_id, key, seen.protocol, seen.port))
        if verdict is not None:
            yield f"      the configuration says: {inert(verdict)}"
            break


def plan_table(plan: Sequence[Assignment]) -> str:
    """The plan, endpoint by endpoint."""
    lines = []
    for assignment in plan:
        services = ", ".join(map(str, assignment.target.services)) or "no port known"
        lines.append(f"{inert(assignment.target.endpoint_id)}  {services}")
        for host in assignment.hosts:
            which = "declared client" if assignment.declared else "client"
            lines.append(f"  {inert(f'{host.instance_id}  {host.address}  {host.zone_id}')}  {which}")
        if assignment.reason is not None:
            lines.append(f"  {inert(assignment.reason)}")
    return "".join(f"{line}\n" for line in lines)
