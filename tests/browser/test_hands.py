"""What hands do: keys, links to findings, buttons that copy."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from auditor.reporters.summary import summarize
from tests.browser.chromium import Visit
from tests.browser.conftest import Open, Pages
from tests.reporters import fixture

FOCUS = "document.activeElement"


def test_everything_by_keyboard(visit: Open, pages: Pages) -> None:
    made = visit("broken")
    keys = made.page.keyboard
    shown = summarize(pages.report("broken")).shown
    keys.press("Tab")
    assert made.value(f"{FOCUS}.textContent") == "Skip to the findings"
    assert made.value(f"{FOCUS}.getBoundingClientRect().left") >= 0  # seen once it has the focus
    keys.press("j")
    keys.press("j")
    assert made.value(f"{FOCUS}.item.id") == shown[1].id
    keys.press("Enter")
    assert made.value(f"{FOCUS}.getAttribute('aria-expanded')") == "true"
    assert made.value("location.hash") == f"#{shown[1].id}"
    keys.press("Tab")  # into what was unfolded
    assert made.value(f"{FOCUS}.closest('tr').className") == "more"
    keys.press("Shift+Tab")
    keys.press("Enter")
    assert made.page.locator("tr.more").count() == 0
    keys.press("ArrowDown")
    assert made.value(f"{FOCUS}.item.id") == shown[2].id
    keys.press("ArrowUp")
    keys.press("k")
    keys.press("k")
    assert made.value(f"{FOCUS}.item.id") == shown[0].id  # the first stays the first
    assert made.page.locator('#rows [tabindex="0"]').count() == 1
    keys.press("/")
    keys.type("rule:no-such")
    made.until("document.querySelector('#count').textContent.startsWith('0 of')")
    keys.press("Control+a")
    keys.type("sev:critical")
    made.until("document.querySelectorAll('tr.row').length > 0")
    keys.press("Escape")  # out of the filter, onto the first row
    assert made.value(f"{FOCUS}.className") == "row"
    assert made.value(f"{FOCUS}.getAttribute('aria-rowindex')") == "2"
    outline = made.value(f"getComputedStyle({FOCUS}).outlineStyle")
    assert outline == "solid"


def test_every_control_is_reached_with_tab(visit: Open) -> None:
    made = visit("usual")
    reached = set()
    for _ in range(150):
        made.page.keyboard.press("Tab")
        reached.add(made.value("[...document.querySelectorAll('*')].indexOf(document.activeElement)"))
    missing = made.page.evaluate(
        """(reached) => { const all = [...document.querySelectorAll('*')];
          return [...document.querySelectorAll('a, button, select, input, summary')]
            .filter((node) => node.checkVisibility() && !reached.includes(all.indexOf(node)))
            .map((node) => node.outerHTML.slice(0, 100)); }""",
        list(reached),
    )
    assert missing == []


@pytest.mark.parametrize("form", ["#{id}", "#f={id}"])
def test_a_deep_link_opens_its_finding(visit: Open, form: str) -> None:
    made = visit("usual", form.format(id=fixture.ZONE.id))
    assert made.page.locator("tr.more").count() == 1
    assert "RemoveZoneFromVpcEndpoint" in made.page.locator("tr.more").inner_text()
    assert made.value(f"{FOCUS}.item.id") == fixture.ZONE.id
    box = made.page.locator("tr.row[aria-expanded=true]").bounding_box()
    assert box and 0 <= box["y"] <= 900


def test_a_deep_link_may_carry_a_filter(visit: Open) -> None:
    made = visit("usual", f"#q=out%3Afail%20zone&f={fixture.ZONE.id}")
    assert made.page.locator("tr.row").count() == 1
    assert made.page.locator("tr.more").count() == 1


def test_a_deep_link_to_the_last_of_many(visit: Open, pages: Pages) -> None:
    last = summarize(pages.report("big")).shown[3_000]
    made = visit("big", f"#{last.id}")
    assert made.value(f"{FOCUS}.item.id") == last.id
    assert made.page.locator("tr.row[aria-expanded=true]").is_visible()


def test_a_link_to_nothing_does_no_harm(visit: Open) -> None:
    for hash in ("#plf1-ffffffffffffffffffffffffffffffff", "#f=%22%3E%3Cimg", "#q=%E0%A4%A", "#q=" + "a" * 3000):
        made = visit("usual", hash)
        assert made.page.locator("tr.more").count() == 0


def test_links_inside_the_page_open_findings_and_cards(visit: Open, pages: Pages) -> None:
    made = visit("broken")
    link = made.page.locator(".todos a").first
    target = link.get_attribute("href")
    link.click()
    made.until("document.querySelectorAll('tr.more').length === 1")
    assert made.value("location.hash") == target
    made.page.go_back()
    made.page.locator("svg.overview a").first.click()
    card = made.page.locator(made.value("location.hash"))
    assert "card" in (card.get_attribute("class") or "")


def test_what_is_copied(browser: Browser, pages: Pages) -> None:
    url = f"{pages['broken']}#{summarize(pages.report('broken')).shown[0].id}"
    finding = summarize(pages.report("broken")).shown[0]
    with Visit(browser, url, permissions=["clipboard-read", "clipboard-write"]) as made:
        made.ready()
        clip = "navigator.clipboard.readText()"
        unfolded = made.page.locator("tr.more")
        unfolded.get_by_role("button", name="Copy command").first.click()
        unfolded.get_by_text("Copied").first.wait_for()
        assert made.value(clip) == finding.remediation.cli[0]
        unfolded.get_by_role("button", name="Copy link").click()
        made.page.wait_for_timeout(50)
        assert made.value(clip) == url
        unfolded.get_by_role("button", name="Copy waiver").click()
        made.page.wait_for_timeout(50)
        waiver = made.value(clip)
        assert f'rule: "{finding.rule_id}"' in waiver
        assert f'resource: "{finding.resource.id}"' in waiver
        made.page.locator(".todos .fix button").first.click()  # one of those that came with the page
        made.page.locator(".todos .fix button", has_text="Copied").wait_for()
        assert made.value(clip) == made.page.locator(".todos .fix pre").first.inner_text()
        made.page.locator(".todos .fix button", has_text="Copied").wait_for(state="detached")
        assert made.said == []


def test_copying_without_the_clipboard(browser: Browser, pages: Pages) -> None:
    """Where the clipboard is refused the text is copied the old way, or selected for the keyboard."""
    with Visit(browser, pages["broken"]) as made:
        made.ready()
        made.value("void (navigator.clipboard.writeText = () => Promise.reject(new Error('refused')))")
        button = made.page.locator(".todos .fix button").first
        button.click()
        made.until("/Copied|Selected/.test(document.querySelector('.todos .fix button').textContent)")
        assert made.value("getSelection().toString()") == made.page.locator(".todos .fix pre").first.inner_text()
        made.value("void (document.execCommand = () => false)")
        other = made.page.locator(".todos .fix button").nth(1)
        other.click()
        made.until("document.querySelectorAll('.todos .fix button')[1].textContent === 'Selected'")
        assert made.value("getSelection().toString()") == made.page.locator(".todos .fix pre").nth(1).inner_text()
        assert made.said == []
