"""The HTML report in a real browser: nothing is asked for, nothing a tenant wrote acts, everything is reachable."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from auditor.reporters import html
from auditor.reporters.text import inert
from tests.hostile import HOSTILE
from tests.reporters import fixture
from tests.reporters.browser import Browser, Page, address, find_chromium


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
    reports = {
        "usual": fixture.report(),
        "hostile": fixture.hostile_report(),
        "clean": fixture.clean_report(),
        "empty": fixture.report(findings=(), reads=(), paths=()),
        "big": fixture.big_report(20_000),
    }
    found = {}
    for name, report in reports.items():
        path = folder / f"{name}.html"
        path.write_text(html.render(report), encoding="utf-8")
        found[name] = address(path)
    return found


@pytest.mark.parametrize("name", ["usual", "hostile", "clean", "empty"])
def test_the_page_is_silent_and_asks_for_nothing(browser: Browser, pages: dict[str, str], name: str) -> None:
    page = Page(browser).open(pages[name]).ready()
    assert page.said() == []
    assert page.requested() == [pages[name]]


OPEN_ALL = """(() => {
  for (const more = document.querySelector('#more'); !more.hidden;) more.click();
  for (const tr of document.querySelectorAll('tr.row')) tr.dispatchEvent(new MouseEvent('click', {bubbles: true}));
  return document.querySelectorAll('tr.more').length;
})()"""

INJECTED = """[...document.querySelectorAll('*')].filter((node) =>
  node.id === 'injected' || /^(IMG|IFRAME|OBJECT|EMBED|BASE|LINK|VIDEO|AUDIO)$/.test(node.tagName) ||
  [...node.attributes].some((a) => a.name.startsWith('on') || a.name === 'style' || a.name === 'src') ||
  (node.tagName === 'A' && !/^(#|https:\\/\\/)/.test(node.getAttribute('href'))))
  .map((node) => node.outerHTML.slice(0, 200))"""


def test_hostile_names_are_text_and_nothing_else(browser: Browser, pages: dict[str, str]) -> None:
    page = Page(browser).open(pages["hostile"]).ready()
    assert page.value("document.querySelectorAll('script, style').length") == 4
    assert page.value(OPEN_ALL) > 50
    assert page.value(INJECTED) == []
    assert page.value("document.title").startswith("PrivateLink audit")
    shown = page.value("document.querySelector('#live').textContent")
    missing = [what for what, text in HOSTILE.items() if what != "very long" and inert(text) not in shown]
    assert missing == []
    page.value("document.querySelectorAll('#rows button').forEach((button) => button.click())")
    assert page.said() == []
    assert page.requested() == [pages["hostile"]]


def test_hostile_names_without_script(browser: Browser, pages: dict[str, str]) -> None:
    page = Page(browser, scripts=False).open(pages["hostile"])
    assert page.value(INJECTED) == []
    shown = page.value("document.querySelector('#static').textContent")
    assert [what for what, text in HOSTILE.items() if inert(text) not in shown] == []
    assert page.said() == []


def test_the_policy_holds(browser: Browser, pages: dict[str, str]) -> None:
    page = Page(browser).open(pages["usual"]).ready()
    page.value(
        "document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.owned = 1'}))"
    )
    assert page.value("window.owned") is None
    assert page.value("fetch('https://192.0.2.1/').then(() => 'sent', () => 'refused')") == "refused"
    assert "Content Security Policy" in " ".join(page.said())


def test_readable_without_script(browser: Browser, pages: dict[str, str]) -> None:
    page = Page(browser, scripts=False).open(pages["usual"])
    shown = page.value("document.body.innerText")
    for said in ("Of 4 connections, 2 are broken", "ZONE-001", "Forbidden.RAM", "W-2026-014", "Their turn: 2 fixes"):
        assert said in shown
    assert page.value("document.querySelector('#live').offsetParent === null") is True


def test_filter_chips_and_links_share_the_hash(browser: Browser, pages: dict[str, str]) -> None:
    page = Page(browser).open(pages["usual"]).ready()
    assert page.value("document.querySelectorAll('tr.row').length") == 9
    page.key("/")
    page.type("sev:critical no-such-word")
    page.until("document.querySelector('#count').textContent === '0 of 9 findings'")
    page.value("document.querySelector('#q').value = ''")
    page.value("document.querySelector('button[data-value=unknown]').click()")
    page.until("document.querySelector('#count').textContent === '3 of 9 findings'")
    assert page.value("location.hash") == "#q=out%3Aunknown"
    assert page.value("document.querySelector('button[data-value=unknown]').getAttribute('aria-pressed')") == "true"
    page.value("document.querySelector('button[data-value=unknown]').click()")
    assert page.value("location.hash") == ""
    page.value("document.querySelector('.sums a').click()")
    page.until("document.querySelector('#count').textContent === '3 of 9 findings'")
    assert page.said() == []


def test_a_deep_link_opens_its_finding(browser: Browser, pages: dict[str, str]) -> None:
    page = Page(browser).open(f"{pages['usual']}#f={fixture.ZONE.id}").ready()
    assert page.value("document.querySelectorAll('tr.more').length") == 1
    assert "RemoveZoneFromVpcEndpoint" in page.value("document.querySelector('tr.more').textContent")
    assert page.value("document.activeElement.item.id") == fixture.ZONE.id
    both = Page(browser).open(f"{pages['usual']}#q=out%3Afail%20zone&f={fixture.ZONE.id}").ready()
    assert both.value("document.querySelectorAll('tr.row').length") == 1
    assert both.value("document.querySelectorAll('tr.more').length") == 1


def test_everything_by_keyboard(browser: Browser, pages: dict[str, str]) -> None:
    page = Page(browser).open(pages["usual"]).ready()
    page.key("j")
    page.key("j")
    assert page.value("document.activeElement.getAttribute('aria-rowindex')") == "3"
    page.key("Enter")
    assert page.value("document.activeElement.getAttribute('aria-expanded')") == "true"
    page.key("k")
    assert page.value("document.activeElement.getAttribute('aria-rowindex')") == "2"
    page.key("/")
    assert page.value("document.activeElement.id") == "q"
    page.key("Escape")
    assert page.value("document.activeElement.className") == "row"
    assert page.value("document.querySelectorAll('#rows [tabindex=\"0\"]').length") == 1


def test_columns_sort(browser: Browser, pages: dict[str, str]) -> None:
    page = Page(browser).open(pages["usual"]).ready()
    page.value("document.querySelectorAll('#heads button')[2].click()")
    rules = "[...document.querySelectorAll('tr.row b')].map((b) => b.textContent)"
    assert page.value(rules) == sorted(page.value(rules))
    assert page.value("document.querySelectorAll('#heads th')[2].getAttribute('aria-sort')") == "ascending"


def test_many_findings_are_drawn_on_demand(browser: Browser, pages: dict[str, str]) -> None:
    page = Page(browser).open(pages["big"]).ready()
    assert page.value("document.querySelectorAll('tr.row').length") <= 200
    assert page.value("document.querySelector('#grid').getAttribute('aria-rowcount')") == "20001"
    took = page.value(
        "(() => { const q = document.querySelector('#q'); q.value = 'sev:high shop-1999'; const t = performance.now();"
        "document.querySelector('#heads button').click(); return performance.now() - t; })()"
    )
    assert took < 1000
    assert page.value("document.querySelector('#count').textContent") == "2 of 20,000 findings"
    assert page.said() == []


CONTRAST = """(() => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgb = (color) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
    return canvas.getImageData(0, 0, 1, 1).data; };
  const light = ([r, g, b]) => { const [x, y, z] = [r, g, b].map((v) => { v /= 255;
    return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; }); return .2126 * x + .7152 * y + .0722 * z; };
  const behind = (node) => { for (; node; node = node.parentElement) {
    const color = getComputedStyle(node).backgroundColor; if (rgb(color)[3] === 255) return color; } return 'white'; };
  const bad = new Set();
  for (const node of document.querySelectorAll('body *:not(script):not(svg *):not(noscript):not(noscript *)')) {
    if (![...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim()))
      continue;
    if (!node.offsetParent) continue;
    const style = getComputedStyle(node), [a, b] = [light(rgb(style.color)), light(rgb(behind(node)))];
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) bad.add(`${node.tagName}.${node.className} ${ratio.toFixed(2)}`);
  }
  return [...bad];
})()"""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_text_has_contrast(browser: Browser, pages: dict[str, str], dark: bool) -> None:
    page = Page(browser, dark=dark).open(f"{pages['usual']}#f={fixture.ZONE.id}").ready()
    assert page.value(CONTRAST) == []


def test_parts_have_names(browser: Browser, pages: dict[str, str]) -> None:
    page = Page(browser).open(pages["usual"]).ready()
    page.value(OPEN_ALL)
    nameless = """[...document.querySelectorAll('button, a, input, select, svg, section, table[role=grid]')]
      .filter((node) => !node.textContent.trim() && !node.labels?.length)
      .filter((node) => !node.getAttribute('aria-label') && !node.getAttribute('aria-labelledby'))
      .map((node) => node.outerHTML.slice(0, 120))"""
    assert page.value(nameless) == []
    assert page.value("['header', 'nav', 'main', 'footer'].map((n) => document.querySelectorAll(n).length)") == [1] * 4
    ids = page.value("[...document.querySelectorAll('[id]')].map((node) => node.id)")
    assert len(ids) == len(set(ids))
    assert page.value("[...document.querySelectorAll('svg.path > title')].every((t) => t.textContent.length > 20)")


def test_no_sideways_scrolling_on_a_phone(browser: Browser, pages: dict[str, str]) -> None:
    for name in ("usual", "hostile"):
        page = Page(browser)
        page.call("Emulation.setDeviceMetricsOverride", width=390, height=800, deviceScaleFactor=1, mobile=False)
        page.open(pages[name]).ready()
        assert page.value("document.scrollingElement.scrollWidth") <= 390


JENKINS = "sandbox; default-src 'none'; img-src 'self'; style-src 'self';"


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """The folder variant on loopback: `/` as it is, `/jenkins/` with the policy Jenkins puts on artifacts."""
    files = html.render_dir(fixture.report())

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = Path(self.path).name or "index.html"
            body = files.get(name)
            self.send_response(404 if body is None else 200)
            kinds = {".html": "text/html; charset=utf-8", ".css": "text/css", ".js": "text/javascript"}
            self.send_header("Content-Type", kinds.get(Path(name).suffix, "text/plain"))
            if self.path.startswith("/jenkins/"):
                self.send_header("Content-Security-Policy", JENKINS)
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


def test_the_folder_works_on_a_server(browser: Browser, site: str) -> None:
    page = Page(browser).open(f"{site}/index.html").ready()
    assert page.value("document.querySelectorAll('tr.row').length") == 9
    assert page.said() == []
    names = {url.rsplit("/", 1)[1] for url in page.requested()}
    assert names == {"index.html", "report.css", "early.js", "report.js", "data.json.gz.txt"}


def test_the_folder_is_readable_where_scripts_are_refused(browser: Browser, site: str) -> None:
    page = Page(browser).open(f"{site}/jenkins/index.html")
    assert "Of 4 connections, 2 are broken" in page.value("document.body.innerText")
    assert page.value("getComputedStyle(document.querySelector('.card')).borderLeftWidth") == "6px"


def test_the_folder_says_what_it_lacks_when_opened_as_a_file(browser: Browser, tmp_path: Path) -> None:
    for name, content in html.render_dir(fixture.report()).items():
        (tmp_path / name).write_bytes(content)
    page = Page(browser).open(address(tmp_path / "index.html"))
    page.until("document.querySelector('#unserved').hidden === false")
    assert page.value("document.querySelector('#static').offsetParent !== null") is True
    assert page.said() == []
