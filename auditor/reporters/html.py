"""The HTML report: one file that asks nobody for anything, readable without script and style, quick with them.

The frame and the worst findings are plain HTML; all findings lie beside it as compressed data, and a small script of
our own draws the rows that are looked at.  What tenants wrote is made inert before it reaches template or data.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cache
from types import CodeType
from typing import TYPE_CHECKING, Any

from auditor import __version__
from auditor.findings import Finding, Outcome, Report, Severity
from auditor.languages import CODES, ENGLISH, TAGS, Language
from auditor.reporters import diagram, trend
from auditor.reporters.connections import STATUS_LABELS, Group, given_name, is_open, noun, order
from auditor.reporters.html_data import gap_words, page_data
from auditor.reporters.html_texts import Texts
from auditor.reporters.overview import Overview, overview
from auditor.reporters.summary import COUNTED, Summary, counted_as, refused_reads, summarize
from auditor.reporters.text import clip, inert, inert_lines
from auditor.reporters.translation import Words
from auditor.reporters.vocabulary import conjoined, hop_kind, side_and_account
from auditor.resources import templates_folder

if TYPE_CHECKING:
    import jinja2

#: How many findings are plain HTML, how many connections are cards, how many paths are drawn, and how many findings
#: one page carries at all.
PLAIN_FINDINGS, CARDS, DRAWN_PATHS, CARRIED = 200, 300, 300, 100_000

#: Rows of the list that stand in the page before the script unpacks the data, and open findings of one card: the first
#: has its fix with it, cards far down have only that one.
FIRST_ROWS, TODOS, FULL_CARDS = 30, 4, 60

#: Waived findings and kinds of gaps that have a row of their own.
WAIVED, REFUSED = 200, 500

#: The files of the report as a folder.
FOLDER_FILES = ("index.html", "early.js", "report.css", "report.js", "data.js")

_SEVERITIES = tuple(Severity)


def render(report: Report, *, lang: str = "en") -> str:
    """The report as one file, which opens in one language and holds the others for its switch."""
    style, early, script = _asset("report.css"), _asset("early.js"), _asset("report.js")
    policy = (
        f"default-src 'none'; script-src {_hash(early)} {_hash(script)}; style-src {_hash(style)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    page, data = _page_and_data(report, lang, policy=policy, style=style, early=early, script=script)
    # no text of the report holds a quotation mark that is not escaped: this place is the template's
    return page.replace(_PLACE, f'id="data">{data}</script>', 1)


def page(template: str, values: Mapping[str, Any], language: Language = ENGLISH) -> str:
    """A page of another template in the same dress: our style, no script, nothing loaded."""
    from markupsafe import Markup

    style = _asset("report.css")
    policy = f"default-src 'none'; style-src {_hash(style)}; img-src data:; base-uri 'none'; form-action 'none'"
    # the style is a file of ours; everything else is escaped
    dressed = {**values, "policy": policy, "style": Markup(style)}  # noqa: S704
    return _template(template, language).render(dressed)


def render_dir(report: Report, *, lang: str = "en") -> dict[str, bytes]:
    """The report as a folder, for servers that refuse style and script inside a page: file name → content."""
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'none'"
    )
    page, data = _page_and_data(report, lang, policy=policy)
    return {
        "index.html": page.encode(),
        "early.js": _asset("early.js").encode(),
        "report.css": _asset("report.css").encode(),
        "report.js": _asset("report.js").encode(),
        # a script and not a file to fetch: works where only scripts are let through, and without any server
        "data.js": f'document.getElementById("data").textContent = "{data}";\n'.encode(),
    }


_PLACE = 'id="data"></script>'


def _page_and_data(report: Report, lang: str, **assets: str) -> tuple[str, str]:
    """The page in its first language, and its data with what differs from it in the other languages."""
    summary = summarize(report)
    pages = {code: _page(report, summary, Language(code), **assets) for code in CODES}
    texts = Texts()
    switch = {
        "lang": CODES.index(lang),
        "tags": [TAGS[code] for code in CODES],
        "frame": texts.frame(list(pages.values())),
        "script": texts.script(_asset("report.js")),
    }
    return pages[lang], page_data(report, summary, CARRIED, texts, switch)


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
    environment.filters.update(
        noun=lambda table: noun(table, language),
        given_name=given_name,
        hop_kind=lambda kind: hop_kind(kind, language),
        holders=lambda owners: conjoined(
            [side_and_account(owner.side, owner.account_id, language) for owner in owners], language
        ),
    )
    template_texts.install(environment, language)
    return environment


def _template(name: str, language: Language) -> jinja2.Template:
    """The template of a file, with the texts of a language."""
    from jinja2 import Template

    environment = _environment(language)
    return Template.from_code(environment, _compiled(name), environment.make_globals(None))


@cache
def _compiled(name: str) -> CodeType:
    # once for all languages: what a text says is looked up when it is drawn
    return _environment(ENGLISH).compile(_asset(name), name, name)


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
    style: str | None = None,
    early: str | None = None,
    script: str | None = None,
) -> str:
    from markupsafe import Markup

    words = Words(language)
    drawn = _Drawn(Markup, words)
    groups = [group for group in summary.groups if group.kind != "account"]
    cards = [_card(group, drawn, summary, number) for number, group in enumerate(groups[:CARDS])]
    anchors = {card["group"].key: card["anchor"] for card in cards if card["group"].kind == "connection"}
    picture = overview(groups, anchors, language)
    plain = [_plain(finding, summary, words) for finding in summary.shown[:PLAIN_FINDINGS]]
    waived = [finding for finding in summary.shown if finding.waived]
    refused = refused_reads(summary.coverage)
    return _template(
        "report.html.j2", language
    ).render(
        report=report,
        summary=summary,
        version=__version__,
        policy=policy,
        # these are files of ours; everything else is escaped
        style=Markup(style) if style is not None else None,  # noqa: S704
        early=Markup(early) if early is not None else None,  # noqa: S704
        script=Markup(script) if script is not None else None,  # noqa: S704
        notices=list(map(language.said, report.notices)),
        exit_reasons=list(map(language.said, summary.exit_reasons)),
        counted=COUNTED,
        severities=_SEVERITIES,
        labels=STATUS_LABELS,
        cards=cards,
        more_cards=max(len(groups) - CARDS, 0),
        more_paths=drawn.left_out,
        picture=_picture(picture, Markup),
        plain=plain,
        first_rows=FIRST_ROWS,
        turns={account.account_id: _query("turn", [account.account_id]) for account in summary.accounts},
        left_open=_left_open(summary),
        fresh=sum(1 for finding in summary.shown if finding.is_new and is_open(finding)),
        since=_since(report, language),
        expired=_expired(report),
        more_findings=max(len(summary.shown) - PLAIN_FINDINGS, 0),
        left_out=max(len(summary.shown) - CARRIED, 0),
        carried=CARRIED,
        refused=[replace(item, first=words.read(item.first)) for item in refused[:REFUSED]],
        refused_number=len(refused),
        waived=list(map(words.finding, waived[:WAIVED])),
        waived_number=len(waived),
        trend=_trend(report, summary, Markup, language),
    )


def _picture(picture: Overview | None, markup: Callable[[str], str]) -> dict[str, Any] | None:
    if picture is None:
        return None
    return {
        "svg": markup(picture.svg),
        "lines": picture.lines,
        "collapsed": picture.collapsed,
        "left_out": picture.left_out,
    }


def _left_open(summary: Summary) -> list[tuple[str, int]]:
    """The rules that are undecided somewhere because something was not read, and at how many resources."""
    found = Counter(f.rule_id for f in summary.findings if f.outcome is Outcome.UNKNOWN and f.gaps)
    return sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))


def _since(report: Report, language: Language) -> str:
    """What "new" is counted from: the last scan of the history, or the baseline."""
    baseline = report.extra.get("baseline")
    if isinstance(baseline, Mapping):
        return language.text("the baseline of {when}", when=baseline.get("written"))
    runs = trend.points(report.extra)
    return language.text("the scan of {when}", when=runs[-1]["at"]) if runs else language.text("the last scan")


def _expired(report: Report) -> list[str]:
    """Names of waivers whose last day is over."""
    waivers = report.extra.get("waivers")
    return [str(label) for label in waivers.get("expired", ())] if isinstance(waivers, Mapping) else []


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

    def __init__(self, markup: Callable[[str], str], words: Words) -> None:
        self._markup = markup
        self.words = words
        self._language = words.language
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
            path = self.words.path(path)
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


def _card(group: Group, drawn: _Drawn, summary: Summary, number: int) -> dict[str, Any]:
    keys = [group.key]
    todo = sorted(filter(is_open, (*group.findings, *group.shared)), key=order)[: TODOS if number < FULL_CARDS else 1]
    if group.shared and group.service:
        keys.append(group.service.id)
    return {
        "group": group,
        "anchor": f"c{number + 1}",
        "open": [
            {
                "finding": drawn.words.finding(finding),
                "owners": summary.owners(finding),
                "commands": finding.remediation.cli if place == 0 and finding.outcome is Outcome.FAIL else None,
            }
            for place, finding in enumerate(todo)
        ],
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


def _plain(finding: Finding, summary: Summary, words: Words) -> dict[str, Any]:
    said = words.finding(finding)
    return {
        "finding": said,
        "counted": counted_as(finding),
        "observed": clip(said.observed or "", 160),
        "owners": summary.owners(finding),
        "gaps": list(dict.fromkeys(gap_words(gap) for gap in said.gaps)),
        "terraform": _Lines(inert_lines(finding.remediation.terraform or "")),
    }
