"""Whoever cannot see, or not well: axe finds nothing serious, in light and dark, whatever is in the report."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.conftest import Open
from tests.browser.test_page import OPEN_ALL


def grave(found: dict) -> list[str]:
    """What axe calls serious or critical: rule, and the first elements."""
    return [
        f"{item['id']}: {item['help']}: "
        + " | ".join(node["html"][:150] + " " + node["failureSummary"][:200] for node in item["nodes"][:4])
        for item in found["violations"]
        if item["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["broken", "usual", "clean", "empty"])
def test_axe_finds_nothing_grave(visit: Open, name: str, scheme: str) -> None:
    made = visit(name, color_scheme=scheme)
    if name in ("broken", "usual"):
        for row in range(3):
            made.page.locator("tr.row").nth(row).click()
    made.value("document.querySelectorAll('details').forEach((node) => { node.open = true; })")
    found = Axe().run(made.page).response
    assert found["testEngine"]["name"] == "axe-core"
    assert grave(found) == []


def test_axe_without_script_and_on_a_phone(visit: Open) -> None:
    made = visit("broken", viewport={"width": 360, "height": 740})
    assert grave(Axe().run(made.page).response) == []


def test_axe_would_find_something(visit: Open) -> None:
    made = visit("empty")
    made.value("document.querySelector('main').append(document.createElement('button'))")
    assert any(found.startswith("button-name") for found in grave(Axe().run(made.page).response))


def test_parts_have_names(visit: Open) -> None:
    made = visit("usual")
    made.value(OPEN_ALL)
    assert made.value("['header', 'nav', 'main', 'footer'].map((n) => document.querySelectorAll(n).length)") == [1] * 4
    ids = made.value("[...document.querySelectorAll('[id]')].map((node) => node.id)")
    assert len(ids) == len(set(ids))
    assert made.value("[...document.querySelectorAll('svg.path > title')].every((t) => t.textContent.length > 20)")
    for section in ("Overview", "Connections", "Findings", "What was read", "Whose turn it is"):
        assert made.page.get_by_role("region", name=section, exact=True).count() == 1
