"""The report as a folder: on a server without and with the policy Jenkins puts on artifacts, and as files."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from auditor.reporters import html
from auditor.reporters.summary import summarize
from tests.browser.chromium import Visit, address
from tests.browser.conftest import Pages

#: What Jenkins sends with artifacts unless an administrator says otherwise, and the least that lets scripts run.
DEFAULT = "sandbox; default-src 'none'; img-src 'self'; style-src 'self';"
SCRIPTS = "sandbox allow-scripts; default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self';"

FILES = {"index.html", "report.css", "early.js", "report.js", "data.js"}


@pytest.fixture(scope="module")
def site(pages: Pages) -> Iterator[str]:
    """The folder on loopback: below `/plain/`, `/default/` and `/scripts/` with those policies."""
    files = html.render_dir(pages.report("broken"))
    whole = html.render(pages.report("broken")).encode()
    policies = {"default": DEFAULT, "scripts": SCRIPTS}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            _, place, name = self.path.split("/")
            body = whole if name == "whole.html" else files.get(name)
            self.send_response(404 if body is None else 200)
            kinds = {".html": "text/html; charset=utf-8", ".css": "text/css", ".js": "text/javascript"}
            self.send_header("Content-Type", kinds.get(Path(name).suffix, "text/plain"))
            self.send_header("X-Content-Type-Options", "nosniff")
            if place in policies:
                self.send_header("Content-Security-Policy", policies[place])
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def names(made: Visit) -> set[str]:
    return {url.rsplit("/", 1)[1].split("#")[0] for url in made.requested} - {"favicon.ico"}


@pytest.mark.parametrize("place", ["plain", "scripts"])
def test_the_folder_works_where_scripts_may_run(browser: Browser, site: str, pages: Pages, place: str) -> None:
    shown = summarize(pages.report("broken")).shown
    with Visit(browser, f"{site}/{place}/index.html#{shown[3].id}") as made:
        made.ready()
        page = made.page
        assert made.value("document.activeElement.item.id") == shown[3].id  # a deep link
        critical = [finding.id for finding in shown if finding.severity.value == "critical"]
        assert made.filter("sev:critical") == critical
        assert f"#q=sev%3Acritical&f={shown[3].id}" == made.value("location.hash")
        page.locator("#theme").select_option("dark")
        assert made.value("getComputedStyle(document.body).backgroundColor") == "rgb(15, 19, 23)"
        page.locator(".todos .fix button").first.click()
        made.until("/Copied|Selected/.test(document.querySelector('.todos .fix button').textContent)")
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        assert made.said == []
        assert names(made) == FILES


def test_the_folder_is_readable_where_scripts_are_refused(browser: Browser, site: str, pages: Pages) -> None:
    with Visit(browser, f"{site}/default/index.html") as made:
        page = made.page
        report = summarize(pages.report("broken"))
        assert page.locator("h1").inner_text() == report.headline
        assert made.value("getComputedStyle(document.querySelector('.card')).borderLeftWidth") == "6px"  # dressed
        assert page.locator("svg.overview").is_visible()
        assert page.locator("#static details.finding").count() == len(report.shown)
        page.locator("#static summary").first.click()
        assert page.locator("#static pre").first.is_visible()
        assert not page.locator("#live").is_visible()
        page.locator(".todos a").first.click()  # a link to a finding goes to the plain one
        assert page.locator(".finding:target").is_visible()
        # the only thing said is that scripts were refused
        assert [line for line in made.said if "script" not in line.lower()] == []


def test_the_one_file_is_not_dressed_there(browser: Browser, site: str) -> None:
    """Why there is a folder at all."""
    with Visit(browser, f"{site}/default/whole.html") as made:
        assert made.value("getComputedStyle(document.querySelector('.card')).borderLeftWidth") == "0px"


def test_the_folder_works_as_files(browser: Browser, pages: Pages, tmp_path: Path) -> None:
    for name, content in html.render_dir(pages.report("broken")).items():
        (tmp_path / name).write_bytes(content)
    with Visit(browser, address(tmp_path / "index.html")) as made:
        made.ready()
        assert made.said == []
        assert names(made) == FILES


def test_the_folder_says_what_it_lacks(browser: Browser, pages: Pages, tmp_path: Path) -> None:
    for name, content in html.render_dir(pages.report("broken")).items():
        if name != "data.js":
            (tmp_path / name).write_bytes(content)
    with Visit(browser, address(tmp_path / "index.html")) as made:
        made.until("document.querySelector('#unserved').hidden === false")
        assert "need the file data.js" in made.page.locator("#unserved").inner_text()
        assert made.page.locator("#static").is_visible()


def test_the_names_of_the_files_are_those_of_the_folder(pages: Pages) -> None:
    assert set(html.render_dir(pages.report("usual"))) == set(html.FOLDER_FILES) == FILES
