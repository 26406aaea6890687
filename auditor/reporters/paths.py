"""Paths for a terminal: one chain of hops per path, broken hops with their rule and the account that owns them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from auditor.findings import Hop, PathVerdict
from auditor.reporters.text import inert, middle, pad, width, wrap

#: What a hop is called, in its place in the chain.
LABELS = {
    "client": "clients",
    "client_egress": "client egress",
    "client_network_acl": "client network ACL",
    "network_acl": "network ACL",
    "security_groups": "security groups",
    "endpoint_zone": "endpoint zone",
    "connection": "connection",
    "service": "endpoint service",
    "service_resource": "service resource",
    "load_balancer": "load balancer",
    "listener": "listener",
    "server_group": "server group",
    "backend": "backends",
}
_LABEL = max(map(len, LABELS.values()))
_STYLES = {"ok": "32", "reachable": "32", "blocked": "1;31", "unknown": "33", "bold": "1", "dim": "2"}


@dataclass(frozen=True, slots=True)
class Signs:
    """The characters of a chain."""

    ok: str
    blocked: str
    unknown: str
    arrow: str
    gap: str

    def of(self, verdict: str) -> str:
        """The sign of a hop; a verdict nobody knows is unknown."""
        return {"ok": self.ok, "blocked": self.blocked}.get(verdict, self.unknown)


UNICODE = Signs("✓", "✗", "?", "→", "…")
ASCII = Signs("+", "X", "?", "->", "~")


def render(paths: Sequence[PathVerdict], *, columns: int, color: bool, signs: Signs, every_hop: bool) -> str:
    """The paths in lines of at most `columns` (80 at most, 50 at least), those that do not work first.

    Paths that are reachable get one line, unless `every_hop`.
    """
    page = _Page(min(max(columns, 50), 80), color, signs, every_hop)
    return "".join(line.rstrip() + "\n" for line in page.lines(paths))


class _Page:
    def __init__(self, columns: int, color: bool, signs: Signs, every_hop: bool) -> None:
        self.columns = columns
        self.color = color
        self.signs = signs
        self.every_hop = every_hop

    def paint(self, text: str, style: str) -> str:
        code = _STYLES.get(style, _STYLES["unknown"])
        return f"\x1b[{code}m{text}\x1b[0m" if self.color and text.strip() else text

    def short(self, text: str, columns: int) -> str:
        """The text with its middle left out where it is too long."""
        return text if width(text) <= columns else middle(text, columns).replace("…", self.signs.gap)

    def lines(self, paths: Sequence[PathVerdict]) -> Iterator[str]:
        order = {"blocked": 0, "unknown": 1, "reachable": 2}
        ordered = sorted(paths, key=lambda path: (order.get(path.verdict, 1), _place(path)))
        for number, path in enumerate(ordered):
            if number and (self.every_hop or path.verdict != "reachable" or ordered[number - 1].verdict != "reachable"):
                yield ""
            yield from self.path(path)
        if paths:
            yield ""
        yield self.total(paths)

    def path(self, path: PathVerdict) -> Iterator[str]:
        verdict = path.verdict.upper()
        where = f"{path.zone_id or 'zone not known'}  {_port(path)}"
        room = self.columns - len(verdict) - 2
        head = inert(path.endpoint_id)
        line = f"{self.short(head, max(room - width(where) - 2, 12))}  {inert(where)}"
        if width(line) > room:
            line = self.short(line, room)
        space = " " * (self.columns - width(line) - len(verdict))
        yield self.paint(line, "bold") + space + self.paint(verdict, path.verdict)
        if path.verdict == "reachable" and not self.every_hop:
            return
        ends = (
            f"consumer {path.consumer_account_id or 'not known'} {self.signs.arrow} "
            f"provider {path.provider_account_id or 'not known'}"
        )
        yield from self.block(ends, 2, "dim")
        sound: list[str] = []
        for hop in path.hops:
            if hop.verdict == "ok" and not self.every_hop:
                sound.append(LABELS.get(hop.kind, inert(hop.kind)))
                continue
            yield from self.chain(sound)
            sound.clear()
            yield from self.hop(path, hop)
        yield from self.chain(sound)

    def chain(self, sound: Sequence[str]) -> Iterator[str]:
        """Hops in order, one after the other."""
        text = f" {self.signs.arrow} ".join(label.replace(" ", "\0") for label in sound)
        for number, line in enumerate(wrap(text, self.columns - 4) if sound else ()):
            sign = self.signs.ok if number == 0 else " "
            yield self.paint(f"  {sign} {line}".replace("\0", " "), "ok")

    def hop(self, path: PathVerdict, hop: Hop) -> Iterator[str]:
        label = LABELS.get(hop.kind, inert(hop.kind))
        left = f"  {self.signs.of(hop.verdict)} {pad(label, _LABEL)}  "
        room = self.columns - width(left)
        shown = self.paint(left, hop.verdict) if hop.verdict != "ok" else left
        yield shown + self.short(inert(hop.id), room)
        if hop.verdict != "ok":
            rules = ", ".join(hop.rule_ids)
            whose = f"{rules}, {_owner(path, hop)}" if rules else _owner(path, hop)
            yield from self.block(f"{whose}: {hop.detail}" if hop.detail else whose, _LABEL + 6, hop.verdict)
        elif hop.detail and self.every_hop:
            yield from self.block(hop.detail, _LABEL + 6, "dim")

    def block(self, text: str, indent: int, style: str) -> Iterator[str]:
        for line in wrap(inert(text), self.columns - indent):
            yield " " * indent + self.paint(line, style)

    def total(self, paths: Iterable[PathVerdict]) -> str:
        verdicts = [path.verdict for path in paths]
        parts = [f"{verdicts.count(name)} {name}" for name in ("reachable", "blocked", "unknown")]
        return f"{len(verdicts)} path{'' if len(verdicts) == 1 else 's'}: {', '.join(parts)}"


def _port(path: PathVerdict) -> str:
    if path.port is None:
        return "port not known"
    return f"{path.protocol}/{path.port}"


def _owner(path: PathVerdict, hop: Hop) -> str:
    if hop.account_id is None:
        return "account not known"
    sides = {path.consumer_account_id: "consumer", path.provider_account_id: "provider"}
    if path.consumer_account_id == path.provider_account_id:
        return f"account {hop.account_id}"
    return f"{sides.get(hop.account_id, 'account')} {hop.account_id}"


def _place(path: PathVerdict) -> tuple[str, str, str, str, int]:
    return path.region_id, path.endpoint_id, path.zone_id or "", path.protocol or "", path.port or 0
