"""The way from clients to backends as an SVG picture with fixed columns; no layout engine, no script, no style."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from auditor.findings import Hop, PathVerdict
from auditor.languages import ENGLISH, Language, marked
from auditor.reporters.text import inert, middle
from auditor.reporters.vocabulary import hop_kind

#: Heading of a column, and the kinds of hops that stand in it.  An unlisted kind stands where the hop before it does.
COLUMNS: tuple[tuple[str, frozenset[str]], ...] = (
    (
        marked("Clients"),
        frozenset({"clients", "client", "client_egress", "client_network_acl", "vpc", "vpcs"}),
    ),
    (
        marked("Admission"),
        frozenset({"network_acl", "network_acls", "security_groups", "security_group", "endpoint_access"}),
    ),
    (marked("Endpoint zone"), frozenset({"endpoint", "endpoints", "endpoint_zone", "endpoint_zones", "eni"})),
    (marked("Connection"), frozenset({"connection", "connections", "connection_zones"})),
    (marked("Endpoint service"), frozenset({"endpoint_service", "endpoint_services", "service", "service_users"})),
    (
        marked("Load balancer"),
        frozenset(
            {"service_resource", "service_resources", "load_balancer", "load_balancers", "listener", "listeners"}
        ),
    ),
    (marked("Backends"), frozenset({"server_group", "server_groups", "backend", "backends", "health_status"})),
)

#: What a hop is called in its box, where its heading does not say it.
_SHORT = {
    "client": marked("clients"),
    "client_egress": marked("egress rules"),
    "client_network_acl": marked("network ACL"),
    "network_acl": marked("network ACL"),
    "security_groups": marked("security group"),
    "endpoint_zone": marked("zone"),
    "service_resource": marked("resource in zone"),
    "load_balancer": marked("load balancer"),
    "server_group": marked("server group"),
    "backend": marked("servers"),
    "backends": marked("servers"),
}

#: Columns of the consumer; the provider has the rest.
CONSUMER_COLUMNS = 4

_BOX, _GAP, _ROW, _TOP = 140, 20, 32, 44
_SIGNS = {
    "ok": '<path class="ok" d="M0 4l3 3 5-7"/>',
    "blocked": '<path class="blocked" d="M0 0l7 7M7 0l-7 7" stroke-width="2"/>',
    "unknown": '<text class="unknown" y="8" fill="currentColor" stroke="none" font-weight="700">?</text>',
}
_WORST = ("blocked", "unknown", "ok")


def columns_of(path: PathVerdict) -> list[list[Hop]]:
    """The hops of a path, one list per column of COLUMNS; a column nobody judged is empty."""
    found: list[list[Hop]] = [[] for _ in COLUMNS]
    here = 0
    for hop in path.hops:
        here = next((number for number, (_, kinds) in enumerate(COLUMNS) if hop.kind in kinds), here)
        found[here].append(hop)
    return found


def verdict_of(hops: Sequence[Hop]) -> str:
    """`blocked`, `unknown` or `ok`; a column without hops is unknown, because nobody judged it."""
    verdicts = {hop.verdict if hop.verdict in _WORST else "unknown" for hop in hops}
    return next((verdict for verdict in _WORST if verdict in verdicts), "unknown")


def sentence(path: PathVerdict, language: Language = ENGLISH) -> str:
    """What the picture shows, in one sentence, with everything hostile made visible."""
    text = language.text
    bad = [f"{hop_kind(hop.kind, language)} {hop.id}" for hop in path.hops if hop.verdict == "blocked"]
    open_ = [f"{hop_kind(hop.kind, language)} {hop.id}" for hop in path.hops if hop.verdict not in ("ok", "blocked")]
    said = [text("broken at {hops}", hops=language.listed(bad))] if bad else []
    said += [text("not decided at {hops}", hops=language.listed(open_))] if open_ else []
    where = text(
        "{endpoint} to {service}, {protocol} port {port}{zone}: {verdict}",
        endpoint=path.endpoint_id,
        service=path.service_id or text("an unknown endpoint service"),
        protocol=path.protocol or text("any protocol"),
        port=path.port if path.port is not None else text("not known"),
        zone=text(", zone {zone}", zone=path.zone_id) if path.zone_id else "",
        verdict=text(path.verdict),
    )
    return inert(language.listed([where, language.sentences(said)]) if said else where)


def svg(path: PathVerdict, language: Language = ENGLISH) -> str:
    """The picture of one path.  Every text of a tenant in it is inert and escaped."""
    columns = columns_of(path)
    tallest = max(1, *(len(hops) for hops in columns))
    box_height = tallest * _ROW + 8
    total = len(COLUMNS) * (_BOX + _GAP) - _GAP
    height = _TOP + box_height + 4
    parts = [
        f'<svg class="path" viewBox="0 0 {total + 4} {height}" width="{total + 4}" height="{height}" role="img" '
        'fill="none" stroke="currentColor" font-family="ui-monospace,monospace" font-size="11">',
        f"<title>{escape(sentence(path, language))}</title>",
    ]
    parts.append(_band("Consumer", path.consumer_account_id, 0, CONSUMER_COLUMNS, language))
    parts.append(_band("Provider", path.provider_account_id, CONSUMER_COLUMNS, len(COLUMNS), language))
    for number, ((heading, _), hops) in enumerate(zip(COLUMNS, columns, strict=True)):
        left = 2 + number * (_BOX + _GAP)
        verdict = verdict_of(hops)
        if number:
            reached = all(verdict_of(before) != "blocked" for before in columns[:number])
            parts.append(_line(left, verdict, _TOP + box_height // 2, reached=reached))
        parts.append(_box(heading, hops, verdict, left, box_height, language))
    parts.append("</svg>")
    return "".join(parts)


def _band(side: str, account_id: str | None, first: int, behind: int, language: Language) -> str:
    left, right = 2 + first * (_BOX + _GAP), behind * (_BOX + _GAP) - _GAP + 2
    name = escape(middle(inert(account_id or language.text("account not known")), 40))
    return (
        f'<g class="band"><path d="M{left} 22v-4h{right - left}v4" opacity=".5"/>'
        f'<text x="{left}" y="12" fill="currentColor" stroke="none">{escape(language.text(side))} {name}</text></g>'
    )


def _line(left: int, verdict: str, y: int, *, reached: bool) -> str:
    """The way into a column: crossed out where it is blocked, faint where nothing gets through before it."""
    x = left - _GAP
    if verdict == "blocked":
        cross = f"M{x} {y}h{_GAP}M{x + 5} {y - 5}l10 10m0-10l-10 10"
        return f'<g class="blocked"><path d="{cross}" stroke-width="2.4"/></g>'
    if not reached:
        return f'<g class="after"><path d="M{x} {y}h{_GAP}" stroke-dasharray="2 4"/></g>'
    dash = ' stroke-dasharray="3 3"' if verdict == "unknown" else ""
    return f'<g class="{verdict}"><path d="M{x} {y}h{_GAP}"{dash}/><path d="M{left - 5} {y - 3}l4 3-4 3"/></g>'


def _box(heading: str, hops: Sequence[Hop], verdict: str, left: int, box_height: int, language: Language) -> str:
    dash = {"ok": "", "blocked": ' stroke-width="2"', "unknown": ' stroke-dasharray="5 3"'}[verdict]
    parts = [
        f'<g class="{verdict}"><text x="{left}" y="38" fill="currentColor" stroke="none" '
        f'font-family="system-ui,sans-serif" font-weight="600">{escape(language.text(heading))}</text>'
        f'<rect class="box" x="{left}" y="{_TOP}" width="{_BOX}" height="{box_height}" rx="6"{dash}/></g>'
    ]
    y = _TOP + 8
    if not hops:
        parts.append(
            f'<g transform="translate({left + 8} {y})">{_SIGNS["unknown"]}{_text(language.text("not judged"))}</g>'
        )
    for hop in hops:
        own = hop.verdict if hop.verdict in _SIGNS else "unknown"
        said = ": ".join(part for part in (f"{hop_kind(hop.kind, language)} {hop.id}", hop.detail) if part)
        parts.append(
            f'<g transform="translate({left + 8} {y})"><title>{escape(inert(said))}</title>{_SIGNS[own]}'
            f"{_kind(hop.kind, language)}{_text(middle(inert(hop.id), 17), 21)}</g>"
        )
        y += _ROW
    return "".join(parts)


def _kind(kind: str, language: Language) -> str:
    known = _SHORT.get(kind)
    word = language.text(known) if known else hop_kind(kind, language)
    return (
        '<text class="kind" x="13" y="8" fill="currentColor" stroke="none" font-family="system-ui,sans-serif">'
        f"{escape(middle(inert(word), 20))}</text>"
    )


def _text(value: str, y: int = 8) -> str:
    return f'<text x="13" y="{y}" fill="currentColor" stroke="none">{escape(value)}</text>'
