"""What a probe saw, and plans of probes, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from auditor.cli.terminal import Terminal
from auditor.languages import Language
from auditor.probe.judgement import connection_outcomes, name_outcomes, outcome_word, resolver_word
from auditor.probe.plan import Assignment
from auditor.probe.result import ConnectionSeen, NameSeen, ProbeResult, TlsSeen
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
    return "".join(
        f"{line.rstrip()}\n" for line in _lines(result, targets, verdicts, terminal.paints, terminal.language)
    )


def _lines(
    result: ProbeResult,
    targets: Sequence[Target],
    verdicts: Mapping[tuple[str, str, str, int], str],
    color: bool,
    language: Language,
) -> Iterator[str]:
    for number, target in enumerate(targets):
        if number:
            yield ""
        yield inert(target.endpoint_id or language.text("endpoint"))
        groups: dict[tuple[str, str], list[NameSeen]] = {}
        for name in result.names:
            if name.endpoint_id == target.endpoint_id:
                groups.setdefault((name.domain, name.resolver), []).append(name)
        for seen in groups.values():
            yield from _name_lines(seen, target, color, language)
        for connection in result.connections:
            if connection.endpoint_id == target.endpoint_id:
                yield from _connection_lines(connection, verdicts, color, language)
        for foreign in result.foreign:
            contacted = any(
                one.address == foreign.address and one.endpoint_id == foreign.endpoint_id for one in result.connections
            )
            if foreign.endpoint_id == target.endpoint_id and not contacted:
                words = language.text(
                    "{address} was not contacted: nobody named it (--allow-foreign)", address=foreign.address
                )
                yield f"      {words}"


def _sign(verdict: bool | None, color: bool) -> str:
    word = _SIGNS[verdict]
    return f"\x1b[{_STYLES[verdict]}m{word}\x1b[0m" if color else word


def _worst(verdicts: Sequence[bool | None]) -> bool | None:
    return False if False in verdicts else None if None in verdicts else True


def _name_lines(seen: Sequence[NameSeen], target: Target, color: bool, language: Language) -> Iterator[str]:
    outcomes = list(name_outcomes(seen, target, language))
    told = [
        address if ttl is None else language.text("{address} (ttl {n} s)", address=address, n=ttl)
        for name in seen
        for address, ttl in name.addresses
    ]
    first = seen[0]
    words = ", ".join(told) or outcome_word(first.status, language)
    sign = _sign(_worst([verdict for verdict, _ in outcomes]), color)
    yield f"  {sign}  {inert(first.domain)}  {resolver_word(first, language)}"
    yield f"      {words}"
    chain = next((name.chain for name in seen if name.chain), ())
    if chain:
        yield "      " + language.text("by way of {names}", names=inert(", ".join(chain)))
    for _, sentence in outcomes:
        yield f"      {inert(sentence)}"


def _connection_lines(
    seen: ConnectionSeen, verdicts: Mapping[tuple[str, str, str, int], str], color: bool, language: Language
) -> Iterator[str]:
    outcomes = list(connection_outcomes(seen, language))
    place = f"{pad(f'{seen.protocol}/{seen.port}', 9)} {seen.address}" + (f" {seen.zone_id}" if seen.zone_id else "")
    if seen.source_address:
        place = language.text("{place} from {source}", place=place, source=seen.source_address)
    yield f"  {_sign(_worst([verdict for verdict, _ in outcomes]), color)}  {inert(place)}"
    yield f"      {inert(_tries(seen, language))}"
    if seen.tls is not None and seen.tls.outcome == "ok":
        yield f"      {inert(_certificate(seen.tls, language))}"
    if seen.http is not None and seen.http.status is not None:
        yield "      " + language.text("HTTP status {status}", status=seen.http.status)
    for _, sentence in outcomes:
        yield f"      {inert(sentence)}"
    for key in (seen.address, seen.zone_id):
        verdict = verdicts.get((seen.endpoint_id, key, seen.protocol, seen.port))
        if verdict is not None:
            yield f"      {inert(language.text('the configuration says: {verdict}', verdict=verdict))}"
            break


def _tries(seen: ConnectionSeen, language: Language) -> str:
    """How the tries ended, with the times of those that got through."""
    word = outcome_word(seen.outcome, language)
    if seen.times is not None:
        return language.text(
            "{outcome} {connected} of {tries}, {times} ms",
            outcome=word,
            connected=seen.connected,
            tries=seen.tries,
            times=", ".join(f"{key} {value * 1000:.3g}" for key, value in seen.times.items()),
        )
    return f"{word} ({language.said(seen.error)})" if seen.error else word


def _certificate(tls: TlsSeen, language: Language) -> str:
    names = ", ".join(tls.names[:3]) + (", …" if len(tls.names) > 3 else "")
    return language.text(
        "{version}, certificate for {names} until {end}, issued by {issuer}",
        version=tls.version,
        names=names,
        end=tls.not_after,
        issuer=tls.issuer,
    )


def plan_table(plan: Sequence[Assignment], language: Language) -> str:
    """The plan, endpoint by endpoint."""
    lines = []
    for assignment in plan:
        services = ", ".join(map(str, assignment.target.services)) or language.text("no port known")
        lines.append(f"{inert(assignment.target.endpoint_id)}  {services}")
        for host in assignment.hosts:
            which = language.text("declared client") if assignment.declared else language.text("client")
            lines.append(f"  {inert(f'{host.instance_id}  {host.address}  {host.zone_id}')}  {which}")
        if assignment.reason is not None:
            lines.append(f"  {inert(language.said(assignment.reason))}")
    return "".join(f"{line}\n" for line in lines)
