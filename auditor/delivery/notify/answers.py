"""What channels share: one attempt over HTTP, and the verdict of robots that say no with a status of 200."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from auditor.delivery.notify.message import Message
from auditor.delivery.replies import Refused, Reply
from auditor.delivery.secrets import Secret, pieces
from auditor.delivery.transport import Answer, Transport
from auditor.delivery.web import Exchange

#: One message is one thing to send; replies that mean `again` name its position.
ONE = ("message",)


class Channel(Protocol):
    """One place that tells people.  `why` and `answer` of its replies hold no token and no address."""

    def send(self, message: Message, timeout: float) -> Reply:
        """Sends within about `timeout` seconds.  Never raises for what the other side does."""
        ...

    def close(self) -> None:
        """Gives connections back."""
        ...


class Hook:
    """A webhook: the address is a secret, like everything else that is sent to prove who sends."""

    def __init__(
        self, transport: Transport, url: Secret, now: Callable[[], datetime], secrets: Sequence[Secret | None] = ()
    ) -> None:
        self.now = now
        self._target = transport.path + (f"?{transport.query}" if transport.query else "")
        known = [secret.reveal() for secret in secrets if secret is not None]
        self._exchange = Exchange(transport, [*known, *pieces(url.reveal())], now)

    def post(
        self,
        body: bytes,
        timeout: float,
        read: Callable[[Answer], Reply],
        *,
        headers: Mapping[str, str] | None = None,
        query: str = "",
    ) -> Reply:
        """Posts JSON; `read` decides about answers of 2xx.  `query` is added to that of the address."""
        joint = "&" if "?" in self._target else "?"
        target = self._target + (f"{joint}{query}" if query else "")
        sent = {"Content-Type": "application/json; charset=utf-8", **(headers or {})}
        return self._exchange.reply(ONE, target, body, sent, timeout, read)

    def close(self) -> None:
        """Closes the connection."""
        self._exchange.transport.close()


def encoded(body: object) -> bytes:
    """JSON in UTF-8: vendors count bytes, and an escape of a Chinese character takes twice as many."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def refusal(word: str, code: object, meanings: Mapping[int, str]) -> Refused:
    """A refusal with its code; what a robot says beside it is not repeated, for it may quote what was sent."""
    if not isinstance(code, int) or isinstance(code, bool):
        return Refused(f"the answer holds no {word}", "")
    meaning = meanings.get(code)
    return Refused(f"{word} {code}{f': {meaning}' if meaning else ''}", "")


def answered_object(answer: Answer) -> dict[str, Any] | Refused:
    """The JSON object of an answer; what is none (a login page, a proxy) is no success."""
    try:
        body = json.loads(answer.text)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        return Refused(f"HTTP {answer.status} with an answer that is none of this robot", "")
    return body
