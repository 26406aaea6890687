"""What a result means to whoever ran the probe: what did not get through or does not match, and what is undecided."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from auditor.languages import ENGLISH, Language, marked
from auditor.probe.resolve import SYSTEM
from auditor.probe.result import ConnectionSeen, NameSeen, ProbeResult, TlsSeen
from auditor.probe.targets import Target

_THROUGH = {"connected": True, "no_answer": None, "error": None, "not_tried": None}
#: How a try ended, and what became of a question, in words.
_OUTCOMES = {
    "connected": marked("connected"),
    "refused": marked("refused"),
    "timeout": marked("timeout"),
    "unreachable": marked("unreachable"),
    "reset": marked("reset"),
    "denied": marked("denied"),
    "no_answer": marked("no answer"),
    "error": marked("error"),
    "not_tried": marked("not tried"),
    "no_name": marked("no such name"),
    "no_address": marked("no address"),
    "server_failure": marked("the server failed"),
    "closed": marked("closed"),
    "malformed": marked("malformed"),
}


def outcome_word(outcome: str, language: Language = ENGLISH) -> str:
    """An outcome of a try, a session or a question as it stands in a sentence."""
    return language.text(_OUTCOMES.get(outcome, outcome))


@dataclass(frozen=True, slots=True)
class Judgement:
    """Sentences without a period, in the language of the reader."""

    wrong: tuple[str, ...]
    undecided: tuple[str, ...]

    @property
    def code(self) -> int:
        """3 before 4 before 0."""
        return 3 if self.wrong else 4 if self.undecided else 0


def judge_result(result: ProbeResult, targets: Sequence[Target], language: Language = ENGLISH) -> Judgement:
    """Compares names with the named addresses, and says what did not get through."""
    wrong: list[str] = []
    undecided: list[str] = []
    known = {target.endpoint_id: target for target in targets}
    groups: dict[tuple[str, str, str], list[NameSeen]] = defaultdict(list)
    for name in result.names:
        groups[name.endpoint_id, name.domain, name.resolver].append(name)
    for (endpoint_id, _, _), seen in groups.items():
        for verdict, words in name_outcomes(seen, known[endpoint_id], language):
            (undecided if verdict is None else wrong).append(words)
    for connection in result.connections:
        for verdict, words in connection_outcomes(connection, language):
            (undecided if verdict is None else wrong).append(words)
    if result.ended is not None:
        undecided.append(
            language.text("the probe was interrupted and not finished")
            if result.ended == "interrupted"
            else language.text("the probe was not finished before --deadline")
        )
    for target in targets:
        who = target.endpoint_id or language.text("the endpoint")
        if not target.places:
            undecided.append(language.text("{endpoint}: no address to contact is known", endpoint=who))
        elif not target.services:
            undecided.append(language.text("{endpoint}: no port to contact is known", endpoint=who))
    if not result.names and not result.connections:
        undecided.append(language.text("there was nothing to probe"))
    return Judgement(tuple(dict.fromkeys(wrong)), tuple(dict.fromkeys(undecided)))


def name_outcomes(
    seen: Sequence[NameSeen], target: Target, language: Language = ENGLISH
) -> Iterator[tuple[bool | None, str]]:
    """What is wrong (False) or open (None) about what one resolver said of one name."""
    first = seen[0]
    place = language.text("{domain} at {resolver}", domain=first.domain, resolver=resolver_word(first, language))
    zones = {one.address: one.zone_id for one in target.places}
    found = {address for name in seen for address, _ in name.addresses}
    for name in seen:
        if name.status not in ("ok", "no_name", "no_address"):
            why = language.said(name.error) if name.error else outcome_word(name.status, language)
            yield None, language.text("{place}, {type}: {why}", place=place, type=name.record_type, why=why)
    if not found and all(name.status in ("no_name", "no_address") for name in seen):
        status = "no_name" if any(name.status == "no_name" for name in seen) else "no_address"
        yield False, language.text("{place}: {why}", place=place, why=outcome_word(status, language))
    if found and not zones:
        yield (
            None,
            language.text(
                "{place}: {addresses}, and no address is known to compare with",
                place=place,
                addresses=", ".join(sorted(found)),
            ),
        )
        return
    for address in sorted(found):
        if address not in zones:
            yield False, language.text("{place}: {address} is no address of the endpoint", place=place, address=address)
        elif first.zone_id and zones[address] and zones[address] != first.zone_id:
            yield (
                False,
                language.text(
                    "{place}: {address} is the address in {zone}", place=place, address=address, zone=zones[address]
                ),
            )


def resolver_word(seen: NameSeen, language: Language = ENGLISH) -> str:
    """Who was asked: an address with a port, or the host itself."""
    return language.text("system") if seen.resolver == SYSTEM else seen.resolver


def connection_outcomes(seen: ConnectionSeen, language: Language = ENGLISH) -> Iterator[tuple[bool | None, str]]:
    """What is wrong or open about one connection."""
    place = language.text("{port} of {address}", port=f"{seen.protocol}/{seen.port}", address=seen.address)
    through = _THROUGH.get(seen.outcome, False)
    if through is not True:
        yield through, language.text("{place}: {why}", place=place, why=outcome_word(seen.outcome, language))
    elif seen.connected < seen.tries:
        yield (
            False,
            language.text(
                "{place}: only {connected} of {tries} tries got through",
                place=place,
                connected=seen.connected,
                tries=seen.tries,
            ),
        )
    if seen.tls is not None:
        for verdict, words in _tls_outcomes(seen.tls, language):
            yield verdict, language.text("{place}: {why}", place=place, why=words)
    http = seen.http
    if http is not None and http.as_expected is not True:
        why = (
            language.text("status {status}", status=http.status)
            if http.status is not None
            else language.text(
                "no answer ({why})",
                why=language.said(http.error) if http.error else outcome_word(http.outcome, language),
            )
        )
        yield False, language.text("{place}: {why}", place=place, why=why)


def _tls_outcomes(tls: TlsSeen, language: Language) -> Iterator[tuple[bool | None, str]]:
    if tls.outcome != "ok":
        why = language.said(tls.error) if tls.error else outcome_word(tls.outcome, language)
        yield False, language.text("no TLS session ({why})", why=why)
    elif tls.in_time is False:
        yield (
            False,
            language.text("the certificate is out of date ({begin} to {end})", begin=tls.not_before, end=tls.not_after),
        )
    elif tls.name_matches is False:
        names = ", ".join(tls.names[:3]) or language.text("no name")
        yield False, language.text("the certificate is for {names}, not {wanted}", names=names, wanted=tls.server_name)
    elif tls.name_matches is None or tls.trusted is not True:
        yield None, language.text("the issuer of the certificate is not trusted here; see --ca-file")
