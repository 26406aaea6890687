"""DingTalk custom robots: Markdown, signed in the query; a refusal comes with status 200 and an `errcode`.

https://open.dingtalk.com/document/robots/custom-robot-access and .../customize-robot-security-settings.  The signature
is the HMAC-SHA256 of `<milliseconds>\\n<secret>` under the secret, Base64, percent-encoded.  20 messages a minute, then
none for ten minutes (130101, 410100); 20 000 bytes.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from urllib.parse import quote

from auditor.delivery.notify.answers import ONE, Hook, answered_object, encoded, refusal
from auditor.delivery.notify.markup import twins
from auditor.delivery.notify.message import Message, fitted
from auditor.delivery.replies import Blocked, Refused, Reply, Taken, all_again
from auditor.delivery.secrets import Secret
from auditor.delivery.transport import Answer

MAX_BYTES = 20_000
_MARKUP = "\\`*[]<>!|~@#"
_TOO_FAST = (130101, 410100)
_BUSY = -1
_MEANING = {
    300001: "no such robot",
    300005: "no such robot",
    310000: "it does not accept the signature, the address we send from, or a message without its keyword",
    460101: "the message is too long",
}


def signature(secret: str, milliseconds: int) -> str:
    """The value of `sign`, percent-encoded."""
    text = f"{milliseconds}\n{secret}".encode()
    return quote(base64.b64encode(hmac.new(secret.encode(), text, hashlib.sha256).digest()), safe="")


class DingTalk:
    """One robot in one group."""

    def __init__(self, hook: Hook, secret: Secret | None = None) -> None:
        self._hook = hook
        self._secret = secret

    def send(self, message: Message, timeout: float) -> Reply:
        body = encoded(_body(fitted(message, lambda shown: len(encoded(_body(shown))), MAX_BYTES)))
        query = ""
        if self._secret is not None:
            stamp = int(self._hook.now().timestamp() * 1000)
            query = f"timestamp={stamp}&sign={signature(self._secret.reveal(), stamp)}"
        return self._hook.post(body, timeout, self._verdict, query=query)

    def close(self) -> None:
        self._hook.close()

    @staticmethod
    def _verdict(answer: Answer) -> Reply:
        body = answered_object(answer)
        if isinstance(body, Refused):
            return body
        code = body.get("errcode")
        if code == 0 and not isinstance(code, bool):
            return Taken()
        if code == _BUSY:
            return all_again(ONE, "the robot is busy (errcode -1)")
        if code in _TOO_FAST:
            return Blocked(f"too many messages a minute (errcode {code}); it is closed for ten minutes")
        return refusal("errcode", code, _MEANING)


def _body(message: Message) -> dict[str, object]:
    parts = [f"### {_shown(message.title)}"]
    for section in message.sections:
        if section.heading:
            parts.append(f"**{_shown(section.heading)}**")
        parts.append("\n".join(f"- {_shown(line)}" for line in section.lines))
    if message.link:
        parts.append(f"[Report]({quote(message.link, safe=':/?#@!$&*+,;=%-._~')})")
    return {
        "msgtype": "markdown",
        "markdown": {"title": message.title, "text": "\n\n".join(parts)},
        "at": {"isAtAll": False},
    }


def _shown(text: str) -> str:
    return twins(text, _MARKUP)
