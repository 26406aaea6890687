"""The page as it opens: nothing is asked for, nothing a tenant wrote acts, everything is readable everywhere."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from auditor.reporters.summary import summarize
from auditor.reporters.text import inert
from tests.browser.chromium import Visit
from tests.browser.conftest import Open, Pages
from tests.hostile import HOSTILE

ALL = ("tutorial", "broken", "three-accounts", "hostile-names", "usual", "hostile", "clean", "empty")


@pytest.mark.parametrize("name", ALL)
def test_the_page_is_silent_and_asks_for_nothing(visit: Open, pages: Pages, name: str) -> None:
    made = visit(name)
    summary = summarize(pages.report(name))
    assert made.page.locator("h1").inner_text() == summary.headline
    number = len(summary.shown)
    assert made.count().startswith(f"{number} finding")
    assert made.page.locator("tr.row").count() == min(number, 30)  # more when somebody looks further down


def test_the_scenarios_show_what_is_in_them(pages: Pages) -> None:
    summaries = {name: summarize(pages.report(name)) for name in ("tutorial", "broken", "three-accounts")}
    assert {name: summary.counts["fail"] for name, summary in summaries.items()}["tutorial"] == 0
    assert summaries["broken"].counts["fail"] > 20
    assert len(summaries["three-accounts"].accounts) == 3
    assert sum(bool(account.fixes) for account in summaries["three-accounts"].accounts) == 2


OPEN_ALL = """() => {
  for (const more = document.querySelector('#more'); !more.hidden;) more.click();
  for (const tr of document.querySelectorAll('tr.row')) tr.dispatchEvent(new MouseEvent('click', {bubbles: true}));
  return document.querySelectorAll('tr.more').length;
}"""

INJECTED = """[...document.querySelectorAll('*')].filter((node) =>
  node.id === 'injected' || /^(IMG|IFRAME|OBJECT|EMBED|BASE|LINK|VIDEO|AUDIO)$/.test(node.tagName) ||
  [...node.attributes].some((a) => a.name.startsWith('on') || a.name === 'style' || a.name === 'src') ||
  (node.tagName === 'A' && !/^(#|https:\\/\\/)/.test(node.getAttribute('href'))))
  .map((node) => node.outerHTML.slice(0, 200))"""


def test_hostile_names_are_text_and_nothing_else(visit: Open) -> None:
    made = visit("hostile")
    assert made.value("document.querySelectorAll('script, style').length") == 4
    assert made.value(OPEN_ALL) > 50
    assert made.value(INJECTED) == []
    assert made.page.title().startswith("PrivateLink audit")
    shown = made.value("document.querySelector('#live').textContent")
    assert [what for what, text in HOSTILE.items() if what != "very long" and inert(text) not in shown] == []
    made.value("document.querySelectorAll('#rows button').forEach((button) => button.click())")


def test_hostile_names_of_a_deployment(visit: Open) -> None:
    made = visit("hostile-names")
    made.value(OPEN_ALL)
    assert made.value(INJECTED) == []


def test_hostile_names_without_script(visit: Open) -> None:
    made = visit("hostile", java_script_enabled=False)
    assert made.value(INJECTED) == []
    shown = made.value("document.querySelector('#static').textContent")
    assert [what for what, text in HOSTILE.items() if inert(text) not in shown] == []


def test_the_policy_holds(browser: Browser, pages: Pages) -> None:
    with Visit(browser, pages["usual"]) as made:
        made.ready().value(
            "document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.owned = 1'}))"
        )
        assert made.value("window.owned") is None
        assert made.value("fetch('https://192.0.2.1/').then(() => 'sent', () => 'refused')") == "refused"
        assert "Content Security Policy" in " ".join(made.said)


def test_readable_without_script(visit: Open) -> None:
    shown = visit("usual", java_script_enabled=False).page.locator("body").inner_text()
    for said in ("Of 4 connections, 2 are broken", "ZONE-001", "Forbidden.RAM", "W-2026-014", "Their turn: 2 fixes"):
        assert said in shown


def test_every_failure_is_readable_without_script(visit: Open, pages: Pages) -> None:
    made = visit("broken", java_script_enabled=False)
    listed = made.page.locator("#static details.finding")
    assert listed.count() == len(summarize(pages.report("broken")).shown)
    listed.first.locator("summary").click()
    assert "aliyun " in listed.first.locator("pre").first.inner_text()
    assert not made.page.locator("#live").is_visible()
    assert not made.page.locator("#theme").is_visible()


HANGING = """[...document.querySelectorAll('main *')]
  .filter((node) => node.checkVisibility() && node.getBoundingClientRect().right > innerWidth + 1)
  .filter((node) => !node.closest('.scroll, .hops .ok, #heads'))
  .map((node) => node.outerHTML.slice(0, 120))"""


@pytest.mark.parametrize("scripts", [True, False], ids=["script", "no script"])
@pytest.mark.parametrize("name", ["broken", "three-accounts", "hostile", "hostile-names", "usual"])
def test_no_sideways_scrolling_on_a_phone(visit: Open, name: str, scripts: bool) -> None:
    made = visit(name, viewport={"width": 360, "height": 740}, java_script_enabled=scripts)
    assert made.value("document.scrollingElement.scrollWidth") <= 360
    if scripts:
        first = made.page.locator("tr.row").first
        first.click()
        assert made.value("document.scrollingElement.scrollWidth") <= 360
        assert made.value(HANGING) == []  # a phone pans what hangs over; only parts made for it may


def test_colours_follow_the_system_until_somebody_chooses(visit: Open) -> None:
    made = visit("usual", color_scheme="dark")
    page = made.page
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = made.value(ground)
    page.locator("#theme").select_option("light")
    light = made.value(ground)
    assert (dark, light) == ("rgb(15, 19, 23)", "rgb(244, 245, 247)")
    page.reload()
    made.ready()
    assert made.value(ground) == light  # kept
    assert page.locator("#theme").input_value() == "light"
    page.locator("#theme").select_option("dark")
    assert made.value(ground) == dark
    page.emulate_media(color_scheme="light")
    assert made.value(ground) == dark
    page.locator("#theme").select_option("")
    assert made.value(ground) == light


def test_many_findings_are_drawn_on_demand(visit: Open) -> None:
    made = visit("big")
    assert made.page.locator("tr.row").count() <= 200
    assert made.page.locator("#grid").get_attribute("aria-rowcount") == "20001"
    made.page.locator("#q").fill("sev:high shop-1999")
    made.until("document.querySelector('#count').textContent === '2 of 20,000 findings'")
    made.page.locator("#q").fill("")
    made.until("document.querySelector('#count').textContent.startsWith('20,000 findings')")
    made.page.locator("#more").scroll_into_view_if_needed()
    made.until("document.querySelectorAll('tr.row').length >= 200")
