"""On paper: every finding is printed, light on white, and nothing that needs a mouse."""

from __future__ import annotations

import re

import pytest

from auditor.reporters.summary import summarize
from tests.browser.conftest import Open, Pages


def number_of_pages(document: bytes) -> int:
    return len(re.findall(rb"/Type\s*/Page\b", document))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_findings_are_printed(visit: Open, pages: Pages, scheme: str) -> None:
    made = visit("broken", color_scheme=scheme)
    made.page.emulate_media(media="print")
    shown = summarize(pages.report("broken")).shown
    made.value("window.dispatchEvent(new Event('beforeprint'))")
    text = made.page.locator("main").inner_text()
    assert [finding.id for finding in shown if finding.id not in text] == []
    assert [f.rule_id for f in shown if f.remediation.cli and f.remediation.cli[0][:40] not in text] == []
    for hidden in ("#q", "#theme", "nav", "button", ".skip", "#live"):
        assert not any(node.is_visible() for node in made.page.locator(hidden).all()), hidden
    assert made.value("getComputedStyle(document.querySelector('.card')).backgroundColor") == "rgb(255, 255, 255)"
    made.value("window.dispatchEvent(new Event('afterprint'))")
    document = made.page.pdf(format="A4")
    assert document.startswith(b"%PDF-")
    assert number_of_pages(document) >= 4
    assert made.page.locator("#static details[open]").count() == 0  # as it was


def test_a_filtered_list_prints_what_it_lists(visit: Open) -> None:
    made = visit("broken", "#q=sev%3Acritical")
    whole = made.page.locator("tr.row").count()
    made.page.emulate_media(media="print")
    assert made.page.locator("#live").is_visible()
    assert not made.page.locator("#static").is_visible()
    assert sum(row.is_visible() for row in made.page.locator("tr.row").all()) == whole


def test_nothing_is_cut_off_on_paper(visit: Open) -> None:
    made = visit("broken", viewport={"width": 718, "height": 1000})  # A4 between its margins
    made.page.emulate_media(media="print")
    assert (
        made.value("""[...document.querySelectorAll('main *')].filter((node) => node.checkVisibility() &&
      node.getBoundingClientRect().right > 719 && !node.closest('.hops .ok'))
      .map((node) => node.outerHTML.slice(0, 120))""")
        == []
    )
