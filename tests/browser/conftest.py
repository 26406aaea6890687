"""One browser for all tests of the page, and the pages: reports of simulated deployments and of made findings."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from auditor.findings import Report
from auditor.reporters import html
from tests.browser.chromium import Visit, address, find_chromium, launched
from tests.browser.reports import of_scenario
from tests.reporters import fixture

Open = Callable[..., Visit]


# Of the folder and not of the session: while Playwright runs no other test may have an event loop of its own.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    program = find_chromium()
    if program is None:
        if os.environ.get("PLAUDIT_REQUIRE_ALL") == "1":
            pytest.fail("no Chromium found, and PLAUDIT_REQUIRE_ALL=1 asks for one")
        pytest.skip("no Chromium found")
    with sync_playwright() as playwright:
        running = launched(playwright, program)
        yield running
        running.close()


MADE: dict[str, Callable[[], Report]] = {
    "usual": fixture.report,
    "hostile": fixture.hostile_report,
    "clean": fixture.clean_report,
    "empty": lambda: fixture.report(findings=(), reads=(), paths=()),
    "big": lambda: fixture.big_report(20_000),
}


class Pages:
    """Reports and their pages by name, each made once: names of scenarios, or those of `MADE`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._reports: dict[str, Report] = {}

    def report(self, name: str) -> Report:
        if name not in self._reports:
            self._reports[name] = MADE[name]() if name in MADE else of_scenario(name)
        return self._reports[name]

    def __getitem__(self, name: str) -> str:
        path = self._folder / f"{name}.html"
        if not path.exists():
            path.write_text(html.render(self.report(name)), encoding="utf-8")
        return address(path)


@pytest.fixture(scope="package")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Pages:
    return Pages(tmp_path_factory.mktemp("pages"))


@pytest.fixture
def visit(browser: Browser, pages: Pages) -> Iterator[Open]:
    """Opens a page of `pages` (`hash` behind it); whatever it says or asks for besides itself fails the test."""
    visits: list[tuple[Visit, str]] = []

    def opened(name: str, hash: str = "", **settings: Any) -> Visit:
        made = Visit(browser, pages[name] + hash, **settings)
        visits.append((made, pages[name]))
        return made if settings.get("java_script_enabled") is False else made.ready()

    yield opened
    for made, url in visits:
        said, requested = made.said, {request.split("#")[0] for request in made.requested}
        made.context.close()
        assert said == []
        assert requested == {url}
