"""Paths for a terminal: one chain of hops per path, broken hops with their rule and the account that owns them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from auditor.findings import Hop, PathVerdict
from auditor.languages import Language, marked
from auditor.reporters.text import inert, middle, pad, width, wrap
from auditor.reporters.translation import paths_in_language
from auditor.reporters.vocabulary import side_and_account

#: What a hop is called, in its place in the chain.
LABELS = {
    "client": marked("clients"),
    "client_egress": marked("client egress"),
    "client_network_acl": marked("client network ACL"),
    "network_acl": marked("network ACL"),
    "security_groups": marked("security groups"),
    "endpoint_zone": marked("endpoint zone"),
    "connection": marked("connection"),
    "service": marked("endpoint service"),
    "service_resource": marked("service resource"),
    "load_balancer": marked("load balancer"),
    "listener": marked("listener"),
    "server_group": marked("server group"),
    "backend": marked("backends"),
}
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


def render(
    paths: Sequence[PathVerdict], *, columns: int, color: bool, signs: Signs, every_hop: bool, lang: str = "en"
) -> str:
    """The paths in lines of at most `columns` (80 at most, 50 at least), those that do not work first.

    Paths that are reachable get one line, unless `every_hop`.
    """
    language = Language(lang)
    page = _Page(min(max(columns, 50), 80), color, signs, every_hop, language)
    return "".join(line.rstrip() + "\n" for line in page.lines(paths_in_language(paths, language)))


class _Page:
    def __init__(self, columns: int, color: bool, signs: Signs, every_hop: bool, language: Language) -> None:
        self.language = language
        self.left = max(width(language.text(label)) for label in LABELS.values())
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
        language = self.language
        verdict = language.text(path.verdict).upper()
        where = f"{path.zone_id or language.text('zone not known')}  {self.port(path)}"
        room = self.columns - width(verdict) - 2
        head = inert(path.endpoint_id)
        line = f"{self.short(head, max(room - width(where) - 2, 12))}  {inert(where)}"
        if width(line) > room:
            line = self.short(line, room)
        space = " " * (self.columns - width(line) - width(verdict))
        yield self.paint(line, "bold") + space + self.paint(verdict, path.verdict)
        if path.verdict == "reachable" and not self.every_hop:
            return
        ends = language.text(
            "consumer {consumer} {arrow} provider {provider}",
            consumer=path.consumer_account_id or language.text("not known"),
            arrow=self.signs.arrow,
            provider=path.provider_account_id or language.text("not known"),
        )
        yield from self.block(ends, 2, "dim")
        sound: list[str] = []
        for hop in path.hops:
            if hop.verdict == "ok" and not self.every_hop:
                sound.append(self.label(hop))
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
        left = f"  {self.signs.of(hop.verdict)} {pad(self.label(hop), self.left)}  "
        room = self.columns - width(left)
        shown = self.paint(left, hop.verdict) if hop.verdict != "ok" else left
        yield shown + self.short(inert(hop.id), room)
        if hop.verdict != "ok":
            rules = ", ".join(hop.rule_ids)
            whose = f"{rules}, {self.owner(path, hop)}" if rules else self.owner(path, hop)
            yield from self.block(f"{whose}: {hop.detail}" if hop.detail else whose, self.left + 6, hop.verdict)
        elif hop.detail and self.every_hop:
            yield from self.block(hop.detail, self.left + 6, "dim")

    def block(self, text: str, indent: int, style: str) -> Iterator[str]:
        for line in wrap(inert(text), self.columns - indent):
            yield " " * indent + self.paint(line, style)

    def total(self, paths: Iterable[PathVerdict]) -> str:
        language = self.language
        verdicts = [path.verdict for path in paths]
        parts = [f"{verdicts.count(name)} {language.text(name)}" for name in ("reachable", "blocked", "unknown")]
        return language.plural(
            "{n} path: {verdicts}", "{n} paths: {verdicts}", len(verdicts), verdicts=language.listed(parts)
        )

    def label(self, hop: Hop) -> str:
        label = LABELS.get(hop.kind)
        return self.language.text(label) if label else inert(hop.kind)

    def port(self, path: PathVerdict) -> str:
        return self.language.text("port not known") if path.port is None else f"{path.protocol}/{path.port}"

    def owner(self, path: PathVerdict, hop: Hop) -> str:
        if hop.account_id is None:
            return self.language.text("account not known")
        sides = {path.consumer_account_id: "consumer", path.provider_account_id: "provider"}
        same = path.consumer_account_id == path.provider_account_id
        return side_and_account(
            "account" if same else sides.get(hop.account_id, "account"), hop.account_id, self.language
        )


def _place(path: PathVerdict) -> tuple[str, str, str, str, int]:
    return path.region_id, path.endpoint_id, path.zone_id or "", path.protocol or "", path.port or 0
