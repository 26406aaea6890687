"""The pictures of the documentation, taken of the demonstration's report.

    python docs/screenshots.py          docs/report.png and its siblings
    python docs/screenshots.py FOLDER   somewhere else

Needs Chromium and the `test` extra.  Each picture stays below 300 kB.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from playwright.sync_api import Browser, Page, sync_playwright

from auditor.cli.main import run
from tests.browser.chromium import READY, address, find_chromium, launched

BIGGEST = 300_000
PHONE = {"width": 390, "height": 844}


def opened(browser: Browser, url: str, size: dict[str, int], scheme: str = "light", scale: float = 1) -> Page:
    context = browser.new_context(
        viewport={"width": size["width"], "height": size["height"]},
        color_scheme="dark" if scheme == "dark" else "light",
        device_scale_factor=scale,
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto(url)
    while page.evaluate(READY) is not True:
        page.wait_for_timeout(20)
    return page


def taken(browser: Browser, url: str, folder: Path) -> None:
    page = opened(browser, url, {"width": 1280, "height": 955})
    page.screenshot(path=folder / "report.png")
    page.context.close()

    page = opened(browser, url, {"width": 1280, "height": 1000})
    page.locator(".card.broken").nth(1).screenshot(path=folder / "report-connection.png")
    page.context.close()

    page = opened(browser, url, {"width": 1280, "height": 985}, "dark")
    page.locator("#q").fill("sev:critical")
    page.locator("tr.row").first.click()
    page.evaluate("document.activeElement.blur()")
    page.locator("h2#findings").evaluate("(node) => node.scrollIntoView()")
    page.wait_for_timeout(200)
    page.screenshot(path=folder / "report-dark.png")
    page.context.close()

    page = opened(browser, url, PHONE, scale=2)
    page.screenshot(path=folder / "report-mobile.png")
    page.context.close()


def main() -> int:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    program = find_chromium()
    if program is None:
        print("no Chromium found; name one with PLAUDIT_CHROMIUM")
        return 2
    with tempfile.TemporaryDirectory() as made, sync_playwright() as playwright:
        code = run(["demo", "--output", made, "--quiet", "--no-progress", "--lang", "en"])
        if code:
            return code
        browser = launched(playwright, program)
        taken(browser, address(Path(made) / "broken.html"), folder)
        browser.close()
    sizes = {path.name: path.stat().st_size for path in sorted(folder.glob("report*.png"))}
    for name, size in sizes.items():
        print(f"{name} {size} bytes{'  TOO BIG' if size > BIGGEST else ''}")
    return int(max(sizes.values()) > BIGGEST)


if __name__ == "__main__":
    sys.exit(main())
