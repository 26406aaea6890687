"""The picture of all accounts as they connect: consumers on the left, providers on the right, one line per connection.

Drawn here, so that the page needs neither script nor layout engine.  Up to `ROWS` connections each has a line of its
own; above that endpoints of one account at one service share a line, and above that two accounts share one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from auditor.findings import Side
from auditor.languages import ENGLISH, Language
from auditor.reporters.connections import STATUS_LABELS, STATUSES, Group, given_name
from auditor.reporters.text import inert, middle

#: Lines one picture holds at most.
ROWS = 40

_WIDTH, _BOX, _ROW, _HEAD, _PAD, _SPACE = 1120, 400, 26, 30, 8, 16
_LEFT, _RIGHT = _BOX, _WIDTH - _BOX
_SIGNS = {
    "broken": '<path d="M-4 -4l8 8m0-8l-8 8" stroke-width="2.2"/>',
    "attention": '<path d="M0 -5v6M0 3.6v1.6" stroke-width="2.2"/>',
    "unknown": '<text y="4.5" text-anchor="middle" font-weight="700" font-size="13">?</text>',
    "clean": '<path d="M-4.5 0l3.2 3.5 5.6-7" stroke-width="2"/>',
}


@dataclass(frozen=True, slots=True)
class Line:
    """What one line of the picture stands for: ends with their accounts, and how many connections of each status.

    `key` tells services of the same name apart; `target` is the id of the connection's card in the page, `why`
    the worst open rule and whose turn it is.
    """

    consumer: str | None
    provider: str | None
    endpoint: str
    service: str
    key: str
    statuses: Mapping[str, int]
    target: str | None
    why: str = ""

    @property
    def status(self) -> str:
        """The worst status of its connections."""
        return next(status for status in STATUSES if self.statuses.get(status))

    def words(self, language: Language = ENGLISH) -> str:
        """How its connections stand: `broken, ZONE-001 (consumer)`, or `3 broken, 9 no fault found`."""
        labels = {status: language.text(STATUS_LABELS[status]).lower() for status in STATUSES}
        if sum(self.statuses.values()) == 1:
            return labels[self.status] + (f", {self.why}" if self.why else "")
        found = [(status, self.statuses.get(status, 0)) for status in STATUSES]
        return language.listed(f"{number} {labels[status]}" for status, number in found if number)


@dataclass(frozen=True, slots=True)
class Overview:
    """The picture and what it shows: `lines` worst first, `collapsed` says what shares a line, `left_out` how many."""

    svg: str
    lines: tuple[Line, ...]
    collapsed: str
    left_out: int


def overview(groups: Iterable[Group], targets: Mapping[str, str], language: Language = ENGLISH) -> Overview | None:
    """The overview of all connections; None without any.  `targets`: key of a group → id of its card in the page."""
    connections = [group for group in groups if group.kind == "connection"]
    if not connections:
        return None
    collapsed = ""
    lines = [_single(group, targets, language) for group in connections]
    if len(lines) > ROWS:
        collapsed = language.text("endpoints of one account at one endpoint service share a line")
        lines = _merged(
            connections, lambda group: (group.consumer_account_id, group.provider_account_id, _service(group)), language
        )
    if len(lines) > ROWS:
        collapsed = language.text("all connections between two accounts share a line")
        lines = _merged(
            connections, lambda group: (group.consumer_account_id, group.provider_account_id, None), language
        )
    lines.sort(key=lambda line: (STATUSES.index(line.status), -line.statuses.get(line.status, 0), *_place(line)))
    left_out = sum(sum(line.statuses.values()) for line in lines[ROWS:])
    lines = lines[:ROWS]
    return Overview(_svg(lines, language), tuple(lines), collapsed, left_out)


def _place(line: Line) -> tuple[str, ...]:
    return (line.consumer or "", line.provider or "", line.service, line.endpoint)


def _service(group: Group) -> str | None:
    return group.service.id if group.service else None


def _name(group: Group) -> str:
    return (given_name(group.endpoint) if group.endpoint else None) or group.key


def _service_name(group: Group, language: Language) -> str:
    if group.service is None:
        return language.text("endpoint service not known")
    return given_name(group.service) or group.service.id


def _single(group: Group, targets: Mapping[str, str], language: Language) -> Line:
    return Line(
        group.consumer_account_id,
        group.provider_account_id,
        _name(group),
        _service_name(group, language),
        _service(group) or "",
        {group.status: 1},
        targets.get(group.key),
        _why(group, language),
    )


def _why(group: Group, language: Language) -> str:
    worst = group.worst
    if worst is None:
        return ""
    side = language.text("both sides") if worst.side is Side.BOTH else language.text(worst.side.value)
    return f"{worst.rule_id} ({side})"


def _merged(groups: Sequence[Group], key: Callable[[Group], tuple[str | None, ...]], language: Language) -> list[Line]:
    found: dict[tuple[str | None, ...], list[Group]] = {}
    for group in groups:
        found.setdefault(key(group), []).append(group)
    lines = []
    for (consumer, provider, service), members in found.items():
        number = len(members)
        services = len({_service(member) for member in members})
        told = language.plural("{n} endpoint service", "{n} endpoint services", services)
        lines.append(
            Line(
                consumer,
                provider,
                _name(members[0]) if number == 1 else language.plural("{n} endpoint", "{n} endpoints", number),
                _service_name(members[0], language) if service or services == 1 else told,
                (_service(members[0]) or "") if service or services == 1 else told,
                Counter(member.status for member in members),
                None,
            )
        )
    return lines


# ------------------------------------------------------------------------------------------------------------ drawing


def _svg(lines: Sequence[Line], language: Language) -> str:
    ordered = sorted(lines, key=_place)
    left = _Side([(line.consumer, f"{number}") for number, line in enumerate(ordered)])
    names = {(line.provider, line.key): line.service for line in ordered}
    right = _Side(list(names))
    height = max(left.height, right.height)
    number_of = sum(sum(line.statuses.values()) for line in lines)
    title = language.plural("{n} connection, drawn", "{n} connections, drawn", number_of)
    parts = [
        f'<svg class="overview" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" role="group" '
        f'aria-label="{escape(title)}" fill="none" stroke="currentColor" font-size="13">'
    ]
    parts += left.boxes(0, "Consumer", height, language)
    parts += right.boxes(_RIGHT, "Provider", height, language)
    # the worst are drawn last, on top of the others
    for number, line in sorted(enumerate(ordered), key=lambda pair: -STATUSES.index(pair[1].status)):
        y1 = left.row((line.consumer, f"{number}"), height)
        y2 = right.row((line.provider, line.key), height)
        parts.append(_wire(line, y1, y2))
    for number, line in enumerate(ordered):
        parts.append(_row(line, language, left.row((line.consumer, f"{number}"), height)))
    for key in right.keys:
        y = right.row(key, height)
        name = inert(names[key])
        said = escape(name if key[1] in ("", names[key]) else f"{name} ({inert(key[1])})")
        parts.append(
            f'<text class="name" x="{_RIGHT + 16}" y="{y + 4.5:g}"><title>{said}</title>'
            f"{escape(middle(name, 46))}</text>"
        )
    parts.append("</svg>")
    return "".join(parts)


class _Side:
    """The boxes of one side, from the top: one per account, with its rows."""

    def __init__(self, keys: Sequence[tuple[str | None, str]]) -> None:
        accounts = list(dict.fromkeys(account for account, _ in keys))
        self.keys = [key for account in accounts for key in keys if key[0] == account]
        self._rows: dict[tuple[str | None, str], float] = {}
        self._boxes: list[tuple[str | None, int, int]] = []
        y = 1
        for account in accounts:
            own = [key for key in self.keys if key[0] == account]
            box = _HEAD + len(own) * _ROW + _PAD
            self._boxes.append((account, y, box))
            for number, key in enumerate(own):
                self._rows[key] = y + _HEAD + (number + 0.5) * _ROW
            y += box + _SPACE
        self.height = y - _SPACE + 1

    def _shift(self, height: int) -> float:
        return (height - self.height) // 2  # the shorter side stands in the middle

    def row(self, key: tuple[str | None, str], height: int) -> float:
        return self._rows[key] + self._shift(height)

    def boxes(self, x: int, side: str, height: int, language: Language) -> list[str]:
        shift = self._shift(height)
        return [
            f'<g class="account"><rect class="frame" x="{x + 1}" y="{y + shift:g}" width="{_BOX - 2}" height="{box}" '
            f'rx="8"/><text class="who" x="{x + 16}" y="{y + shift + 20:g}">'
            f"{escape(language.text(side))} {escape(middle(inert(account or language.text('account not known')), 40))}"
            "</text></g>"
            for account, y, box in self._boxes
        ]


def _row(line: Line, language: Language, y: float) -> str:
    name = escape(middle(inert(line.endpoint), 28))
    words = language.text(
        "{endpoint} to {service}: {state}", endpoint=line.endpoint, service=line.service, state=line.words(language)
    )
    said = escape(inert(words))
    mark = f'<g transform="translate(20 {y:g})">{_SIGNS[line.status]}</g>'
    inner = f'<title>{said}</title>{mark}<text class="name" x="34" y="{y + 4.5:g}">{name}</text>'
    number = sum(line.statuses.values())
    if number > 1:  # how many of them stand as badly as the sign says
        worst = f"{line.statuses[line.status]} {language.text(STATUS_LABELS[line.status]).lower()}"
        inner += (
            f'<text class="count" x="{_LEFT - 14}" y="{y + 4.5:g}" text-anchor="end" font-size="12">'
            f"{escape(worst)}</text>"
        )
    elif line.why:
        inner += (
            f'<text class="why" x="{_LEFT - 14}" y="{y + 4.5:g}" text-anchor="end">{escape(inert(line.why))}</text>'
        )
    if line.target is not None:
        # the whole row is the link, not only its letters
        inner += (
            f'<rect x="8" y="{y - _ROW / 2:g}" width="{_BOX - 16}" height="{_ROW}" stroke="none" pointer-events="all"/>'
        )
        inner = f'<a href="#{line.target}" aria-label="{said}">{inner}</a>'
    return f'<g class="{line.status}">{inner}</g>'


def _wire(line: Line, y1: float, y2: float) -> str:
    reach = (_RIGHT - _LEFT) // 2
    curve = f'<path class="wire" d="M{_LEFT} {y1:g}c{reach} 0 {reach} {y2 - y1:g} {2 * reach} {y2 - y1:g}"'
    dash = {"broken": ' stroke-dasharray="7 5"', "unknown": ' stroke-dasharray="2 4"'}.get(line.status, "")
    weight = {"broken": 2.4, "attention": 2, "unknown": 2}.get(line.status, 1.3)
    # the mark stands near the consumer's end, where the lines are still apart
    t = 0.16
    x = _LEFT + 3 * reach * t * (1 - t) ** 2 + 3 * reach * t**2 * (1 - t) + 2 * reach * t**3
    y = y1 + (y2 - y1) * (3 * t**2 * (1 - t) + t**3)
    disc = (
        f'<g transform="translate({x:.1f} {y:.1f})"><circle class="disc" r="9"/>{_SIGNS[line.status]}</g>'
        if line.status != "clean"
        else ""
    )
    return f'<g class="{line.status}">{curve}{dash} stroke-width="{weight}"/>{disc}</g>'
