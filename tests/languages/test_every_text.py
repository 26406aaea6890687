"""Every text a report shows goes through the catalogue: seen in a made-up language, and in the page's own switch."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from auditor.delivery.notify.changes import changes
from auditor.delivery.notify.message import failure_message, run_message, trial_message
from auditor.findings import Outcome, Severity
from auditor.languages import CODES, TAGS, Language
from auditor.reporters import html, markdown, table
from auditor.reporters.summary import summarize
from auditor.reporters.text import width
from tests.languages import pseudo
from tests.reporters import fixture
from tests.reporters.browser import Browser, Page, address, find_chromium

DATA = pseudo.data_of_the_fixture()
REPORTS = {
    "usual": fixture.report(),
    "all outcomes": fixture.report(all_outcomes=True),
    "clean": fixture.clean_report(),
    "empty": fixture.report(findings=(), reads=(), paths=()),
    "waivers over": fixture.report(extra={"waivers": {"expired": ["W-1"]}, "baseline": {"written": "2026"}}),
    "history": fixture.report(
        extra={"trend": [{"at": "2026", "fail": 1, "unknown": 2, "critical": 1, "high": 0, "medium": 0}] * 2}
    ),
}
DATA |= {"W-1"}


class Shown(HTMLParser):
    """What people read in a page: its texts outside code, and what is read aloud."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.texts += [value for name, value in attrs if name in ("aria-label", "placeholder", "title") and value]
        if tag not in ("meta", "link", "br", "input"):
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip() and not {"script", "style", "code", "pre", "kbd", "time"} & set(self._open):
            self.texts.append(" ".join(data.split()))


@pytest.mark.parametrize("name", REPORTS)
def test_every_text_of_the_page_is_asked_for(name: str) -> None:
    with pseudo.spoken():
        page = html.render(REPORTS[name], lang="zh")
    texts = Shown(page).texts
    assert len(texts) > 60
    assert pseudo.untranslated(texts, DATA) == []


def test_every_text_of_a_notification_is_asked_for() -> None:
    report = replace(fixture.report(), exit_reasons=("one reason",))
    summary = summarize(report)
    changed = changes(report, summary, None, ["ZONE-001"], Severity.LOW)
    why = ("new", "fixed", "coverage", "output")
    with pseudo.spoken():
        language = Language("zh")
        found = [
            run_message(
                *("name", report, summary, replace(changed, fixed=changed.new), why),
                severity=Severity.LOW,
                missed=("before",),
                language=language,
            ),
            failure_message("name", "run", "2026", 1, "the run failed", ("why",), missed=("x",), language=language),
            trial_message("name", "2026", "", language),
        ]
    lines = "\n".join(message.text for message in found).splitlines()
    assert len(lines) > 20
    assert pseudo.untranslated(lines, DATA | {"plf1-"}) == []
    assert all(pseudo.OPEN not in repr(message.document) for message in found)


def test_the_test_sees_what_was_not_asked_for() -> None:
    assert pseudo.untranslated(["⟦Path ⟦x⟧⟧ blocked", "⟦a⟧ ep-gw8shop"], DATA) == ["⟦Path ⟦x⟧⟧ blocked"]


@pytest.mark.parametrize("name", REPORTS)
def test_every_text_of_the_terminal_is_asked_for(name: str) -> None:
    with pseudo.spoken():
        text = table.render(REPORTS[name], width=4000, color=False, lang="zh")
    commands = re.compile(r"^ +(aliyun|--|\$)")
    assert pseudo.untranslated((line for line in text.splitlines() if not commands.match(line)), DATA) == []


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("columns", [60, 80])
def test_lines_of_wide_characters_fit_and_keep_ids_whole(code: str, columns: int) -> None:
    report = fixture.report()
    lines = table.render(report, width=columns, color=False, lang=code).splitlines()
    assert max(map(width, lines)) <= columns
    listed = [finding for finding in report.findings if finding.outcome in (Outcome.FAIL, Outcome.UNKNOWN)]
    for name in {finding.resource.id for finding in listed} | {finding.rule_id for finding in listed}:
        assert any(name in line for line in lines), name
    # columns begin at the same place in every row
    counts = [line for line in lines if re.match(r"\S+( +[0-9]+){5}$", line.strip())]
    assert len({width(line) for line in counts}) <= 1


def test_every_text_of_the_markdown_is_asked_for() -> None:
    with pseudo.spoken():
        text = markdown.render(fixture.report(), lang="zh")
    assert pseudo.untranslated(re.sub(r"`[^`]*`|<[^>]+>", " ", text).splitlines(), DATA) == []


def test_a_page_has_as_many_texts_in_every_language() -> None:
    with pseudo.spoken():
        english, other = html.render(fixture.report()), html.render(fixture.report(), lang="zh")
    assert Shown(english).texts != Shown(other).texts
    assert len(Shown(english).texts) == len(Shown(other).texts)


# ------------------------------------------------------------------------------------------------------ in a browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = find_chromium()
    if program is None:
        if os.environ.get("PLAUDIT_REQUIRE_ALL") == "1":
            pytest.fail("no Chromium found, and PLAUDIT_REQUIRE_ALL=1 asks for one")
        pytest.skip("no Chromium found")
    with Browser(program) as running:
        yield running


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("pages")
    found = {}
    with pseudo.spoken():
        for code in CODES:
            path = folder / f"{code}.html"
            path.write_text(html.render(fixture.report(all_outcomes=True), lang=code), encoding="utf-8")
            found[code] = address(path)
        path = folder / "hostile.html"
        path.write_text(html.render(fixture.hostile_report()), encoding="utf-8")
        found["hostile"] = address(path)
    return found


CHOOSE = """(() => { const list = document.querySelector('#language');
  list.value = '%s'; list.dispatchEvent(new Event('change')); return list.hidden; })()"""
OPEN_ALL = """for (const tr of document.querySelectorAll('tr.row[aria-expanded=false]'))
  tr.dispatchEvent(new MouseEvent('click', {bubbles: true}));"""
TEXTS = """(() => { const found = [document.title];
  const walk = document.createTreeWalker(document.body, 5);
  for (let node = walk.currentNode; node; node = walk.nextNode()) {
    if (node.nodeType === 1) for (const name of ['aria-label', 'placeholder', 'title']) {
      if (node.getAttribute(name)) found.push(node.getAttribute(name)); }
    else if (node.data.trim() &&
      !node.parentElement.closest('script, style, noscript, code, pre, kbd, time, #language'))
      found.push(node.data.trim().replace(/\\s+/g, ' ')); }
  return found; })()"""


def test_what_the_script_draws_is_asked_for(browser: Browser, pages: dict[str, str]) -> None:
    page = Page(browser).open(pages["zh"]).ready()
    page.value(OPEN_ALL)
    texts = page.value(TEXTS)
    assert len(texts) > 300
    assert pseudo.untranslated(texts, DATA) == []
    assert page.said() == []


def test_the_switch_draws_everything_in_another_language(browser: Browser, pages: dict[str, str]) -> None:
    page = Page(browser).open(pages["en"]).ready()
    page.value(OPEN_ALL)
    before = page.value(TEXTS)
    assert page.value("document.documentElement.lang") == "en"
    assert page.value(CHOOSE % "zh") is False
    assert page.value("document.documentElement.lang") == TAGS["zh"]
    assert pseudo.untranslated(page.value(TEXTS), DATA) == []
    assert page.value("document.querySelectorAll('tr.more').length") > 10
    again = Page(browser).open(pages["zh"]).ready()
    again.value(OPEN_ALL)
    assert page.value(TEXTS) == again.value(TEXTS)
    page.value(CHOOSE % "en")
    assert page.value(TEXTS) == before
    assert page.requested() == [pages["en"]]
    assert page.said() == []


def test_a_choice_is_remembered(browser: Browser, pages: dict[str, str]) -> None:
    page = Page(browser).open(pages["en"]).ready()
    page.value(CHOOSE % "ja")
    later = Page(browser).open(pages["en"]).ready()
    assert later.value("document.documentElement.lang") == "ja"
    assert later.value("document.querySelector('#language').value") == "ja"
    assert pseudo.untranslated(later.value(TEXTS), DATA) == []
    later.value("localStorage.clear()")
    assert Page(browser).open(pages["en"]).ready().value("document.documentElement.lang") == "en"


def test_a_filter_finds_the_words_on_the_screen(browser: Browser, pages: dict[str, str]) -> None:
    page = Page(browser).open(pages["en"] + "#q=sev%3Acritical").ready()
    shown = page.value("document.querySelectorAll('tr.row').length")
    page.value(CHOOSE % "zh")
    assert page.value("location.hash") == "#q=sev%3Acritical"
    assert page.value("document.querySelectorAll('tr.row').length") == shown
    page.value("document.querySelector('#q').value = '⟦critical⟧'; document.querySelector('#heads button').click()")
    assert page.value("document.querySelectorAll('tr.row').length") == shown


def test_names_of_strangers_stay_what_they_are(browser: Browser, pages: dict[str, str]) -> None:
    page = Page(browser).open(pages["hostile"]).ready()
    names = "[...document.querySelectorAll('tr.row td:nth-child(4) div')].map((node) => node.textContent)"
    before = page.value(names)
    page.value(CHOOSE % "zh")
    assert page.value(names) == before
    assert page.value("document.querySelectorAll('#injected').length") == 0
    assert page.value("document.title").startswith(pseudo.OPEN)
    assert page.said() == []
