"""The HTML report: one file that asks nobody for anything, readable without script and style, quick with them.

The frame and the worst findings are plain HTML; all findings lie beside it as compressed data, and a small script of
our own draws the rows that are looked at.  What tenants wrote is made inert before it reaches template or data.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from auditor import __version__
from auditor.findings import Finding, Gap, Report, ResourceRef, Severity
from auditor.languages import ENGLISH, Language
from auditor.reporters import diagram, trend
from auditor.reporters.connections import STATUS_LABELS, Group, Owner, given_name, noun
from auditor.reporters.summary import COUNTED, Summary, counted_as, refused_reads, summarize
from auditor.reporters.text import inert, inert_lines
from auditor.reporters.translation import in_language
from auditor.resources import templates_folder

if TYPE_CHECKING:
    import jinja2

#: How many findings are plain HTML, how many connections are cards, how many paths are drawn, and how many findings
#: one page carries at all.
PLAIN_FINDINGS, CARDS, DRAWN_PATHS, CARRIED = 200, 300, 300, 100_000

_SEVERITIES = tuple(Severity)
_OUTCOMES = ("fail", "unknown", "waived", "pass", "not_applicable")


def render(report: Report, *, lang: str = "en") -> str:
    """The report as one file, in one language."""
    language = Language(lang)
    report = in_language(report, language)
    style, script = _asset("report.css"), _asset("report.js")
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    summary = summarize(report)
    data = _data(report, summary, language)
    return _page(report, summary, language, policy=policy, style=style, script=script, data=data)


def page(template: str, values: Mapping[str, Any], language: Language = ENGLISH) -> str:
    """A page of another template in the same dress: our style, no script, nothing loaded."""
    from markupsafe import Markup

    style = _asset("report.css")
    policy = f"default-src 'none'; style-src {_hash(style)}; img-src data:; base-uri 'none'; form-action 'none'"
    # the style is a file of ours; everything else is escaped
    dressed = {**values, "policy": policy, "style": Markup(style)}  # noqa: S704
    return _environment(language).get_template(template).render(dressed)


def render_dir(report: Report, *, lang: str = "en") -> dict[str, bytes]:
    """The report as a folder, for servers that refuse style and script inside a page: file name → content."""
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    language = Language(lang)
    report = in_language(report, language)
    summary = summarize(report)
    return {
        "index.html": _page(report, summary, language, policy=policy, style=None, script=None, data=None).encode(),
        "report.css": _asset("report.css").encode(),
        "report.js": _asset("report.js").encode(),
        "data.json.gz.txt": _data(report, summary, language).encode(),
    }


def _asset(name: str) -> str:
    return (templates_folder() / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _environment(language: Language) -> jinja2.Environment:
    import jinja2

    from auditor.reporters import template_texts

    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_asset),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.filters.update(noun=lambda table: noun(table, language), given_name=given_name)
    template_texts.install(environment, language)
    return environment


def _finalize(value: object) -> object:
    """Every text the template shows is inert, whoever forgot to say so; our own markup passes."""
    if value is None:
        raise TypeError("the template shows a value that is not known")
    return inert(value) if type(value) is str else value


class _Lines(str):
    """Text that is inert and keeps its lines."""

    __slots__ = ()


def _page(
    report: Report,
    summary: Summary,
    language: Language,
    *,
    policy: str,
    style: str | None,
    script: str | None,
    data: str | None,
) -> str:
    from markupsafe import Markup

    drawn = _Drawn(Markup, language)
    cards = [_card(group, drawn) for group in summary.groups if group.kind != "account"]
    return (
        _environment(language)
        .get_template("report.html.j2")
        .render(
            report=report,
            summary=summary,
            version=__version__,
            policy=policy,
            # both are files of ours; everything else is escaped
            style=Markup(style) if style is not None else None,  # noqa: S704
            script=Markup(script) if script is not None else None,  # noqa: S704
            data=data,
            counted=COUNTED,
            severities=_SEVERITIES,
            labels=STATUS_LABELS,
            cards=cards[:CARDS],
            more_cards=max(len(cards) - CARDS, 0),
            more_paths=drawn.left_out,
            plain=[_plain(finding, summary) for finding in summary.shown[:PLAIN_FINDINGS]],
            more_findings=max(len(summary.shown) - PLAIN_FINDINGS, 0),
            left_out=max(len(summary.shown) - CARRIED, 0),
            carried=CARRIED,
            refused=refused_reads(summary.coverage),
            waived=[finding for finding in summary.shown if finding.waived],
            trend=_trend(report, summary, Markup, language),
        )
    )


def _trend(report: Report, summary: Summary, markup: Callable[[str], str], language: Language) -> dict[str, str] | None:
    """The plot of past scans with this one at its end; None without a history of at least two."""
    runs = trend.points(report.extra)
    failures = {severity.value: summary.by_severity[severity]["fail"] for severity in _SEVERITIES}
    now = {"at": report.scan.started_at, "fail": summary.counts["fail"], "unknown": summary.counts["unknown"]}
    runs = [*runs, {**now, **failures}]
    if len(runs) < 2:
        return None
    return {"svg": markup(trend.svg(runs, language)), "sentence": trend.sentence(runs, language)}


class _Drawn:
    """Draws the paths that need a look, as many as a page may hold."""

    def __init__(self, markup: Callable[[str], str], language: Language) -> None:
        self._markup = markup
        self._language = language
        self._number = 0
        self.left_out = 0

    def __call__(self, group: Group) -> list[dict[str, Any]]:
        found = []
        for path in sorted(group.paths, key=lambda p: (p.verdict != "blocked", p.zone_id or "", p.port or 0)):
            if path.verdict == "reachable":
                continue
            self._number += 1
            if self._number > DRAWN_PATHS:
                self.left_out += 1
                continue
            protocol = path.protocol or self._language.text("any protocol")
            port = f"{protocol}/{path.port if path.port is not None else '?'}"
            found.append(
                {
                    "svg": self._markup(diagram.svg(path, self._language)),
                    "verdict": path.verdict,
                    "sentence": diagram.sentence(path, self._language),
                    "where": ", ".join(part for part in (port, path.zone_id) if part),
                    "hops": path.hops,
                    "open": self._number <= 8,
                }
            )
        return found


def _card(group: Group, drawn: _Drawn) -> dict[str, Any]:
    keys = [group.key]
    if group.shared and group.service:
        keys.append(group.service.id)
    return {
        "group": group,
        "worst": group.worst,
        "turns": {
            side: {
                "fixes": sum(turn.fixes for turn in group.turns if turn.owner.side in (side, "both")),
                "undecided": sum(turn.undecided for turn in group.turns if turn.owner.side in (side, "both")),
            }
            for side in ("consumer", "provider")
        },
        "query": _query("in", keys),
        "paths": drawn(group),
    }


def _query(key: str, values: Iterable[str]) -> str:
    """A filter of the page as the hash of a link."""
    from urllib.parse import quote

    words = ",".join(inert(value) for value in values)
    word = '"' + words.replace('"', "") + '"' if any(char in words for char in ' "') else words
    return "#q=" + quote(f"{key}:{word}", safe="")


def _plain(finding: Finding, summary: Summary) -> dict[str, Any]:
    return {
        "finding": finding,
        "counted": counted_as(finding),
        "owners": summary.owners(finding),
        "gaps": list(dict.fromkeys(_gap(gap) for gap in finding.gaps)),
        "terraform": _Lines(inert_lines(finding.remediation.terraform or "")),
    }


def _gap(gap: Gap) -> str:
    place = " ".join(part for part in (gap.account_id, gap.region_id, gap.target) if part)
    code = f"{gap.error_code}: " if gap.error_code else ""
    return f"{gap.operation or gap.table or gap.kind} {place} - {code}{gap.message}"


class _Pool:
    """Texts that come again and again, each kept once and inert.  Number 0 is a text that is not known."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self.texts = [""]
        self._known: dict[str | None, int] = {None: 0}

    def __call__(self, text: str | None) -> int:
        """The number of a text."""
        number = self._known.get(text)
        if number is None:
            number = self._known[text] = len(self.texts)
            self.texts.append(inert(text or ""))
        return number

    def ref(self, ref: ResourceRef) -> list[int]:
        return [self(noun(ref.type, self.language)), self(ref.id)]


def _data(report: Report, summary: Summary, language: Language) -> str:
    """All listed findings for the script: JSON, gzip, base64.  report.js knows the same order of fields."""
    pool = _Pool(language)
    rules: dict[tuple[Any, ...], int] = {}
    places: dict[str, list[int]] = {}
    for group in summary.groups:
        for finding in group.findings:
            places.setdefault(finding.id, []).append(pool(group.key))
    gaps: dict[int, list[int]] = {}  # findings share the tuples of their gaps
    owners: dict[tuple[Owner, ...], list[list[Any]]] = {}
    ranks = {severity: rank for rank, severity in enumerate(_SEVERITIES)}
    rows = []
    for finding in summary.shown[:CARRIED]:
        rule = (
            finding.rule_id,
            finding.title,
            finding.rationale,
            finding.basis.value,
            finding.sources,
            finding.evidence,
        )
        resource, fix, waiver = finding.resource, finding.remediation, finding.waiver
        held = summary.owners(finding)
        if held not in owners:
            owners[held] = [[owner.side, pool(owner.account_id)] for owner in held]
        if id(finding.gaps) not in gaps:
            gaps[id(finding.gaps)] = list(dict.fromkeys(pool(_gap(gap)) for gap in finding.gaps))
        rows.append(
            [
                finding.id.removeprefix("plf1-"),
                rules.setdefault(rule, len(rules)),
                ranks[finding.severity],
                _OUTCOMES.index(counted_as(finding)),
                pool(noun(resource.type, language)),
                inert(resource.id),
                pool(given_name(resource)),
                pool(resource.account_id),
                pool(resource.region_id),
                owners[held],
                inert(finding.observed or ""),
                pool(finding.reason),
                pool(fix.summary),
                [inert(command) for command in fix.cli],
                inert_lines(fix.terraform or ""),
                inert(fix.console or ""),
                [pool.ref(ref) for ref in finding.related],
                gaps[id(finding.gaps)],
                pool(finding.first_seen),
                1 if finding.is_new else 0,
                [pool(text) for text in (waiver.id, waiver.reason, waiver.owner, waiver.expires, waiver.ticket)]
                if waiver
                else 0,
                places.get(finding.id, []),
            ]
        )
    document: Mapping[str, Any] = {
        "rules": [_rule(*rule) for rule in rules],
        "pool": pool.texts,
        "rows": rows,
        "scanned": [inert(report.scan.started_at), inert(report.scan.finished_at)],
    }
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return base64.b64encode(gzip.compress(text.encode(), 6, mtime=0)).decode()


def _rule(
    rule_id: str, title: str, rationale: str, basis: str, sources: Iterable[Any], evidence: Iterable[str]
) -> list[Any]:
    return [
        inert(rule_id),
        inert(title),
        inert(rationale),
        basis,
        [[inert(source.title), inert(source.url)] for source in sources],
        [inert(table) for table in evidence],
    ]
