"""The Chromium of this machine, looked at through Playwright: what a page says, asks for and offers."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from playwright.sync_api import Browser, Page, Playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")

READY = "document.documentElement.dataset.ready === 'yes'"


def find_chromium() -> str | None:
    """Path of a Chromium: PLAUDIT_CHROMIUM, or the first known name in PATH."""
    named = os.environ.get("PLAUDIT_CHROMIUM")
    return named or next((path for name in NAMES if (path := shutil.which(name))), None)


def launched(playwright: Playwright, program: str) -> Browser:
    """One headless browser that asks nobody for updates."""
    flags = [
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--disable-component-update",
    ]
    return playwright.chromium.launch(executable_path=program, args=flags, chromium_sandbox=False)


def address(path: Path) -> str:
    """The file as an address."""
    return path.resolve().as_uri()


class Visit:
    """One page in a browser profile of its own, and everything it said and asked for.

    `settings` are those of a Playwright context: viewport, color_scheme, java_script_enabled, permissions.
    """

    def __init__(self, browser: Browser, url: str, **settings: Any) -> None:
        self.context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **settings})
        self.context.set_default_timeout(20_000)
        self.said: list[str] = []
        self.requested: list[str] = []
        self.context.on("request", lambda request: self.requested.append(request.url))
        self.page: Page = self.context.new_page()
        self.page.on("console", lambda message: self.said.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.said.append(f"error: {error}"))
        self.page.on("dialog", self._dialog)
        self.page.goto(url)

    def _dialog(self, dialog: Any) -> None:
        self.said.append(f"{dialog.type}: {dialog.message}")
        dialog.dismiss()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.context.close()

    def ready(self) -> Self:
        """Waits until the page's script has drawn its rows."""
        return self.until(READY)

    def value(self, expression: str) -> Any:
        """What an expression is in the page, as data."""
        return self.page.evaluate(expression)

    def until(self, expression: str) -> Self:
        """Waits until an expression is true.  Playwright's own way is `eval`, which the policy of the page refuses."""
        end = time.monotonic() + 20
        while self.page.evaluate(expression) is not True:
            assert time.monotonic() < end, f"never true: {expression}"
            self.page.wait_for_timeout(15)
        return self

    def count(self) -> str:
        """What the page says it lists."""
        return self.page.locator("#count").inner_text()

    def filter(self, text: str) -> list[str]:
        """Types into the filter as a person does; the ids of the findings that are listed then."""
        self.page.locator("#q").fill(text)
        self.until(
            f"new URLSearchParams(location.hash.slice(1)).get('q') === {text.strip() or None!r}".replace("None", "null")
        )
        self.value("() => { for (const more = document.querySelector('#more'); !more.hidden;) more.click(); }")
        found: list[str] = self.value("[...document.querySelectorAll('tr.row')].map((tr) => tr.item.id)")
        return found
