"""The HTML report as text: self-contained, the same bytes for the same report, small enough."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import time
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

from auditor.findings import PathVerdict
from auditor.reporters import diagram, html
from auditor.reporters.text import inert
from tests.hostile import HOSTILE
from tests.reporters import fixture
from tests.reporters.golden import compare

#: Elements and attributes our own template writes; anything else in a page came from a tenant.
TAGS = re.compile(
    "a|article|b|body|br|caption|circle|code|dd|details|div|dl|dt|figcaption|figure|footer|form|g|h1|h2|h3|head|header|html|input|kbd|label|li|"
    "link|main|meta|meter|nav|noscript|ol|option|p|path|polyline|pre|rect|script|section|select|span|strong|style|summary|svg|table|tbody|td|"
    "text|th|thead|time|title|tr|ul|button"
)
EMPTY = {"br", "input", "link", "meta"}


class Outline(HTMLParser):
    """Collects the elements of a page and checks that they are closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.shown: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("script", "style"):
            self.shown.append(data)


@pytest.fixture(autouse=True)
def _version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html, "__version__", "0.0.0")


def data_of(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="text/plain" id="data">([A-Za-z0-9+/=]+)</script>', page)
    assert found
    document = json.loads(gzip.decompress(base64.b64decode(found.group(1))))
    assert isinstance(document, dict)
    return document


def test_golden() -> None:
    page = html.render_dir(fixture.report())["index.html"].decode()
    compare("report.html", page)  # the frame: style, script and data have their own tests


@pytest.mark.parametrize(
    "report",
    [
        fixture.report(),
        fixture.report(all_outcomes=True),
        fixture.clean_report(),
        fixture.hostile_report(),
        fixture.report(findings=(), reads=(), paths=()),
    ],
    ids=["usual", "all outcomes", "clean", "hostile", "empty"],
)
def test_only_our_own_elements_and_no_address(report: Any) -> None:
    for page in (html.render(report), html.render_dir(report)["index.html"].decode()):
        page.encode()
        outline = Outline(page)
        assert [tag for tag, _ in outline.elements if not TAGS.fullmatch(tag)] == []
        for tag, attributes in outline.elements:
            assert not [name for name in attributes if name.startswith("on") or name == "style"], tag
            if "href" in attributes and tag == "a":
                assert (attributes["href"] or "").startswith(("#", "https://"))
        assert (
            not re.search(r"url\(|@import|<img|<iframe", page.replace(inert(HOSTILE["xml"]), "")) or "hostile" in page
        )


def test_the_policy_names_style_and_script_by_their_hash() -> None:
    page = html.render(fixture.report())
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page)
    style, scripts = re.search(r"<style>(.*?)</style>", page, re.S), re.findall(r"<script>(.*?)</script>", page, re.S)
    assert policy and style and len(scripts) == 2
    rules = dict(rule.split(" ", 1) for rule in policy.group(1).replace("&#39;", "'").split("; "))
    assert rules["default-src"] == "'none'"
    assert (rules["base-uri"], rules["form-action"]) == ("'none'", "'none'")
    for name, bodies in (("style-src", [style.group(1)]), ("script-src", scripts)):
        digests = [base64.b64encode(hashlib.sha256(body.encode()).digest()).decode() for body in bodies]
        assert rules[name] == " ".join(f"'sha256-{digest}'" for digest in digests)


def test_same_report_same_bytes() -> None:
    report = fixture.report()
    turned = replace(report, findings=report.findings[::-1], reads=report.reads[::-1], paths=report.paths[::-1])
    assert html.render(turned) == html.render(report)
    assert html.render_dir(turned) == html.render_dir(report)


def test_the_data_holds_every_listed_finding() -> None:
    assert len(data_of(html.render(fixture.report()))["rows"]) == 9
    document = data_of(html.render(fixture.report(all_outcomes=True)))
    assert len(document["rows"]) == len(fixture.FINDINGS)
    assert {"plf1-" + row[0] for row in document["rows"]} == {finding.id for finding in fixture.FINDINGS}


def test_hostile_text_is_inert_in_page_and_data() -> None:
    page = html.render(fixture.hostile_report())
    acting = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029\ud800-\udfff]")
    assert not acting.search(page)
    assert not acting.search(json.dumps(data_of(page), ensure_ascii=False))
    shown = "".join(Outline(page).shown)
    assert [what for what, text in HOSTILE.items() if inert(text) not in shown] == []


def test_the_words_that_must_not_need_a_script() -> None:
    shown = " ".join(" ".join(Outline(html.render(fixture.report())).shown).split())
    for said in (
        "Of 4 connections, 2 are broken, 2 need a fix.",
        "5 failed, 3 unknown, 1 waived, 5 passed, 1 not applicable.",
        "2 of 8 reads were incomplete",
        "75.0 %",
        "Forbidden.RAM",
        "Plaudit.Timeout",
        "W-2026-014",
        "not audited",
        "aliyun privatelink RemoveZoneFromVpcEndpoint",
        "alicloud_privatelink_vpc_endpoint_zone",
        "Exit 3",
    ):
        assert said in shown, said


def test_many_findings_stay_small_and_quick() -> None:
    report = fixture.big_report(50_000)
    start = time.process_time()
    page = html.render(report)
    took = time.process_time() - start
    assert len(page.encode()) < 6_000_000
    assert took < 9, took  # 4.6 s of processor time where it was measured, with what three languages share
    assert page.count('<details class="finding"') == 200
    assert page.count("<article") == 300


def test_more_than_a_page_carries_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html, "CARRIED", 5)
    page = html.render(fixture.report())
    assert len(data_of(page)["rows"]) == 5
    assert "carries the worst 5 findings; 4 more are in the JSON report" in page


def test_diagram_has_fixed_columns_and_marks_what_is_broken() -> None:
    path = fixture.PATHS[0]
    assert [diagram.verdict_of(hops) for hops in diagram.columns_of(path)] == [
        *("ok", "ok", "blocked", "ok", "ok", "blocked", "unknown")
    ]
    picture = diagram.svg(path)
    Outline(picture)
    assert "<title>ep-gw8shop to epsrv-m5e0orders, tcp port 80, zone eu-central-1b: blocked" in picture
    assert "stroke-dasharray" in picture and ">?</text>" in picture
    assert len(picture) < 6000


def test_a_column_nobody_judged_is_unknown_and_a_strange_kind_stays_where_it_was() -> None:
    path = PathVerdict("ep-1", None, "r", None, None, None, None, "unknown", fixture.hops()[:1])
    assert [diagram.verdict_of(hops) for hops in diagram.columns_of(path)] == ["ok", *["unknown"] * 6]
    assert diagram.svg(path).count("not judged") == 6
    strange = replace(fixture.hops()[2], kind="something_new")
    path = replace(path, hops=(*fixture.hops()[:3], strange))
    assert len(diagram.columns_of(path)[1]) == 3
