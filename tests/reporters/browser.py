"""A Chromium to look at pages with, spoken to over a pipe: no driver, no port, standard library only."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def find_chromium() -> str | None:
    """Path of a Chromium: PLAUDIT_CHROMIUM, or the first known name in PATH."""
    named = os.environ.get("PLAUDIT_CHROMIUM")
    return named or next((path for name in NAMES if (path := shutil.which(name))), None)


class Browser:
    """One headless Chromium; a context manager."""

    def __init__(self, program: str) -> None:
        self._folder = tempfile.mkdtemp(prefix="chromium-")
        to_browser, self._write = os.pipe()
        self._read, from_browser = os.pipe()

        def as_three_and_four() -> None:
            high = [os.dup(to_browser), os.dup(from_browser)]
            while max(high) < 10:  # out of the way of the two numbers the browser expects
                high = [os.dup(fd) for fd in high]
            os.dup2(high[0], 3)
            os.dup2(high[1], 4)

        self._process = subprocess.Popen(
            [
                program,
                "--headless=new",
                "--remote-debugging-pipe",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--disable-background-networking",
                "--no-first-run",
                f"--user-data-dir={self._folder}",
                "about:blank",
            ],
            preexec_fn=as_three_and_four,
            close_fds=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_browser)
        os.close(from_browser)
        self._number = 0
        self._buffer = b""
        self._events: dict[str, list[dict[str, Any]]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._write)  # the browser ends when its pipe does
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)
        os.close(self._read)
        shutil.rmtree(self._folder, ignore_errors=True)

    def call(self, method: str, session: str | None = None, **params: Any) -> dict[str, Any]:
        """The answer to one command; events that come meanwhile are kept for their page."""
        self._number += 1
        number = self._number
        message: dict[str, Any] = {"id": number, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._write, data) :]
        end = time.monotonic() + 30
        while True:
            answer = self._next(end)
            if answer.get("id") == number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                result: dict[str, Any] = answer["result"]
                return result

    def pump(self, seconds: float) -> None:
        """Takes in events for a while."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if not (b"\0" in self._buffer or select.select([self._read], [], [], 0.02)[0]):
                continue
            self._next(end + 5)

    def _next(self, end: float) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._read], [], [], max(end - time.monotonic(), 0))
            assert ready, "the browser does not answer"
            chunk = os.read(self._read, 1 << 20)
            assert chunk, "the browser is gone"
            self._buffer += chunk
        text, self._buffer = self._buffer.split(b"\0", 1)
        message: dict[str, Any] = json.loads(text)
        if "method" in message and "sessionId" in message:
            self._events.setdefault(message["sessionId"], []).append(message)
        return message

    def events(self, session: str) -> list[dict[str, Any]]:
        """The events of a page so far."""
        return self._events.setdefault(session, [])


class Page:
    """One tab, with everything it said and asked for."""

    def __init__(self, browser: Browser, *, scripts: bool = True, dark: bool = False) -> None:
        self._browser = browser
        target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        if not scripts:
            self.call("Emulation.setScriptExecutionDisabled", value=True)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """One command to this page."""
        return self._browser.call(method, self.session, **params)

    def open(self, url: str) -> Self:
        """Goes to an address and waits until it is loaded."""
        self.call("Page.navigate", url=url)
        end = time.monotonic() + 30
        while not any(event["method"] == "Page.loadEventFired" for event in self._browser.events(self.session)):
            assert time.monotonic() < end, f"{url} does not load"
            self._browser.pump(0.05)
        return self

    def ready(self) -> Self:
        """Waits until the page's script has drawn its rows."""
        return self.until("document.documentElement.dataset.ready === 'yes'")

    def until(self, expression: str) -> Self:
        """Waits until an expression is true."""
        end = time.monotonic() + 20
        while self.value(expression) is not True:
            assert time.monotonic() < end, f"never true: {expression}"
            self._browser.pump(0.03)
        return self

    def value(self, expression: str) -> Any:
        """What an expression is in the page, as data."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def key(self, key: str) -> None:
        """Presses and releases a key."""
        text = {"Enter": "\r"}.get(key, key if len(key) == 1 else "")
        code = {"Enter": 13, "Escape": 27}.get(key, 0)
        down: dict[str, Any] = {"type": "keyDown", "key": key, "windowsVirtualKeyCode": code}
        self.call("Input.dispatchKeyEvent", **(down | ({"text": text} if text else {})))
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code)

    def type(self, text: str) -> None:
        """Types into whatever has the focus."""
        self.call("Input.insertText", text=text)

    def said(self) -> list[str]:
        """Console messages, log entries, exceptions and dialogs so far: a good page says nothing."""
        self._browser.pump(0.1)
        noisy = (
            "Runtime.consoleAPICalled",
            "Runtime.exceptionThrown",
            "Log.entryAdded",
            "Page.javascriptDialogOpening",
        )
        return [
            f"{event['method']} {json.dumps(event['params'])[:400]}"
            for event in self._browser.events(self.session)
            if event["method"] in noisy
        ]

    def requested(self) -> list[str]:
        """Addresses asked for so far."""
        self._browser.pump(0.1)
        return [
            event["params"]["request"]["url"]
            for event in self._browser.events(self.session)
            if event["method"] == "Network.requestWillBeSent"
        ]


def address(path: Path) -> str:
    """The file as an address."""
    return path.resolve().as_uri()
