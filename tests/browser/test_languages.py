"""The switch of languages in the page: everything changes, in place, and the choice is remembered."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from auditor.languages import CODES, TAGS
from auditor.reporters import html
from tests.browser.chromium import Visit, address
from tests.languages import pseudo
from tests.reporters import fixture

DATA = pseudo.data_of_the_fixture()


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Pages in a made-up language that brackets every text it was asked for."""
    folder = tmp_path_factory.mktemp("spoken")
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


def test_what_the_script_draws_is_asked_for(browser: Browser, spoken: dict[str, str]) -> None:
    with Visit(browser, spoken["zh"]) as page:
        page.ready()
        page.value(OPEN_ALL)
        texts = page.value(TEXTS)
        assert len(texts) > 300
        assert pseudo.untranslated(texts, DATA) == []
        assert page.said == []


def test_the_switch_draws_everything_in_another_language(browser: Browser, spoken: dict[str, str]) -> None:
    with Visit(browser, spoken["en"]) as page:
        page.ready()
        page.value(OPEN_ALL)
        before = page.value(TEXTS)
        assert page.value("document.documentElement.lang") == "en"
        assert page.value(CHOOSE % "zh") is False
        assert page.value("document.documentElement.lang") == TAGS["zh"]
        assert pseudo.untranslated(page.value(TEXTS), DATA) == []
        assert page.value("document.querySelectorAll('tr.more').length") > 10
        with Visit(browser, spoken["zh"]) as again:
            again.ready()
            again.value(OPEN_ALL)
            assert page.value(TEXTS) == again.value(TEXTS)
        page.value(CHOOSE % "en")
        assert page.value(TEXTS) == before
        assert page.requested == [spoken["en"]]
        assert page.said == []


def test_a_choice_is_remembered(browser: Browser, spoken: dict[str, str]) -> None:
    with Visit(browser, spoken["en"]) as page:
        page.ready()
        page.value(CHOOSE % "ja")
        page.page.reload()
        page.ready()
        assert page.value("document.documentElement.lang") == "ja"
        assert page.value("document.querySelector('#language').value") == "ja"
        assert pseudo.untranslated(page.value(TEXTS), DATA) == []
        page.value("localStorage.clear()")
        page.page.reload()
        assert page.ready().value("document.documentElement.lang") == "en"


def test_a_filter_finds_the_words_on_the_screen(browser: Browser, spoken: dict[str, str]) -> None:
    with Visit(browser, spoken["en"] + "#q=sev%3Acritical") as page:
        page.ready()
        shown = page.value("document.querySelectorAll('tr.row').length")
        page.value(CHOOSE % "zh")
        assert page.value("location.hash") == "#q=sev%3Acritical"
        assert page.value("document.querySelectorAll('tr.row').length") == shown
        page.value("document.querySelector('#q').value = '⟦critical⟧'; document.querySelector('#heads button').click()")
        assert page.value("document.querySelectorAll('tr.row').length") == shown


def test_names_of_strangers_stay_what_they_are(browser: Browser, spoken: dict[str, str]) -> None:
    with Visit(browser, spoken["hostile"]) as page:
        page.ready()
        names = "[...document.querySelectorAll('tr.row td:nth-child(4) div')].map((node) => node.textContent)"
        before = page.value(names)
        page.value(CHOOSE % "zh")
        assert len(before) > 20
        assert page.value(names)[: len(before)] == before  # the list may go on further by now
        assert page.value("document.querySelectorAll('#injected').length") == 0
        assert page.value("document.title").startswith(pseudo.OPEN)
        assert page.said == []
