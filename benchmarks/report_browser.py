"""How quickly the HTML report of many findings opens and filters in a real browser.

    python benchmarks/report_browser.py               50,000 findings, five times
    python benchmarks/report_browser.py 10000 2       that many findings, so many times

Three promises: the file stays small, the first row of the list can be read soon after somebody opens it (it is in the
page and painted), and a keystroke in the filter is answered at once.  A keystroke counts from the event to the drawn
list, style and layout included.  The machine may be busy with other things, so the best of several runs counts, and the
load is printed.  Ratios say the same on every machine: to opening an empty page, and to looking at every row once with
the plainest loop.  Fails (exit 1) above the budgets.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from playwright.sync_api import Browser, sync_playwright

from auditor.reporters import html
from tests.browser.chromium import READY, address, find_chromium, launched
from tests.reporters.fixture import big_report

NUMBER, RUNS = 50_000, 5

#: Bytes; milliseconds to the first row; milliseconds of the median keystroke and of the 95th percentile.
SIZE, FIRST_ROW, KEYSTROKE = 6_000_000, 1500.0, 100.0

#: What is typed, a letter at a time.
TYPED = ("sev:high shop-1999", "out:unknown", "10.17.", "rule:zone admitted", "account:1234 side:consumer", "zzz")

#: Told by the page itself: when it painted first, and when the first row of the list was there to be painted.
WATCH = """
window.plauditMarks = {};
new MutationObserver((_, self) => {
  if (!document.querySelector('#rows tr.row')) return;
  self.disconnect();
  requestAnimationFrame(() => { const channel = new MessageChannel();  // behind the paint of that frame
    channel.port1.onmessage = () => { window.plauditMarks.row = performance.now(); }; channel.port2.postMessage(0); });
}).observe(document, {childList: true, subtree: true});
"""

#: One filter typed into the box: milliseconds of every keystroke, and whether the list says what was typed.
TYPE = """(text) => {
  const box = document.querySelector('#q'), took = [];
  for (let end = 1; end <= text.length; end++) {
    const begun = performance.now();
    box.value = text.slice(0, end);
    box.dispatchEvent(new Event('input', {bubbles: true}));
    void document.body.offsetHeight;
    took.push(performance.now() - begun);
  }
  return [took, document.querySelector('#count').textContent];
}"""

#: The plainest search: every row as one text, looked through once; milliseconds, the best of five.
PLAIN = """async () => {
  const bytes = Uint8Array.from(atob(document.querySelector('#data').textContent.trim()), (char) => char.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  const texts = JSON.parse(await new Response(stream).text()).rows.map((row) => JSON.stringify(row).toLowerCase());
  const took = [];
  for (let run = 0; run < 5; run++) {
    const begun = performance.now();
    let found = 0;
    for (const text of texts) if (text.includes('shop-1999')) found++;
    took.push(performance.now() - begun);
  }
  return Math.min(...took);
}"""


def opened(browser: Browser, url: str) -> dict[str, Any]:
    """One visit: milliseconds to the first row and to everything, of every keystroke, of the plainest search."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    try:
        page = context.new_page()
        page.set_default_timeout(120_000)
        page.add_init_script(WATCH)
        page.goto(url)
        while page.evaluate(READY) is not True:
            page.wait_for_timeout(10)
        ready = page.evaluate("performance.now()")
        paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        row = page.evaluate("window.plauditMarks.row")
        keys, said = [], {}
        for text in TYPED:
            took, said[text] = page.evaluate(TYPE, text)
            keys += took
        assert len(set(said.values())) > 3, said
        return {"row": max(row, paint), "ready": ready, "keys": keys, "plain": page.evaluate(PLAIN)}
    finally:
        context.close()


def empty_page(browser: Browser, folder: Path) -> float:
    """Milliseconds to the first paint of a page with one word: what the browser itself takes."""
    path = folder / "empty.html"
    path.write_text("<!DOCTYPE html><title>x</title><p>word", encoding="utf-8")
    context = browser.new_context()
    try:
        page = context.new_page()
        page.goto(address(path))
        page.wait_for_timeout(200)
        found: float = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        return found
    finally:
        context.close()


def main() -> int:
    number = int(sys.argv[1]) if len(sys.argv) > 1 else NUMBER
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else RUNS
    program = find_chromium()
    if program is None:
        print("no Chromium found; name one with PLAUDIT_CHROMIUM")
        return 2
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        path = folder / "report.html"
        path.write_text(html.render(big_report(number)), encoding="utf-8")
        size = path.stat().st_size
        browser = launched(playwright, program)
        floor = min(empty_page(browser, folder) for _ in range(runs))
        visits = []
        for run in range(runs):
            visits.append(visit := opened(browser, address(path)))
            median, late = statistics.median(visit["keys"]), statistics.quantiles(visit["keys"], n=20)[-1]
            print(
                f"run {run + 1}: first row {visit['row']:5.0f} ms, all findings {visit['ready']:5.0f} ms, "
                f"keystroke median {median:5.1f} ms, p95 {late:5.1f} ms, load {os.getloadavg()[0]:.1f}"
            )
        browser.close()
    row = min(visit["row"] for visit in visits)
    ready = min(visit["ready"] for visit in visits)
    plain = min(visit["plain"] for visit in visits)
    median = min(statistics.median(visit["keys"]) for visit in visits)
    late = min(statistics.quantiles(visit["keys"], n=20)[-1] for visit in visits)
    over = size > SIZE or row > FIRST_ROW or late > KEYSTROKE
    print(f"{number} findings, {size / 1e6:.2f} MB, {size / number:.0f} bytes each")
    print(f"first row {row:.0f} ms, x {row / floor:.1f} of an empty page ({floor:.0f} ms); all findings {ready:.0f} ms")
    print(f"keystroke median {median:.1f} ms, p95 {late:.1f} ms, x {median / plain:.1f} of the plainest search")
    print(f"OVER {SIZE / 1e6:g} MB, {FIRST_ROW:g} ms, {KEYSTROKE:g} ms" if over else "ok")
    return int(over)


if __name__ == "__main__":
    sys.exit(main())
