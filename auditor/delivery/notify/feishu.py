"""Feishu and Lark custom bots: a card of plain text, signed in the body; a refusal comes with 200 and a `code`.

https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot: the signature is the HMAC-SHA256 of nothing under the
key `<seconds>\\n<secret>`, Base64; at most 20 kB a request, 100 requests a minute and 5 a second.  Around full and half
hours the service asks to come again (11232).
"""

from __future__ import annotations

import base64
import hashlib
import hmac

from auditor.delivery.notify import message as messages
from auditor.delivery.notify.answers import ONE, Hook, answered_object, encoded, refusal
from auditor.delivery.notify.message import Message, fitted
from auditor.delivery.replies import Refused, Reply, Taken, all_again
from auditor.delivery.secrets import Secret
from auditor.delivery.transport import Answer

MAX_BYTES = 20_000
_AGAIN = 11232
_COLOURS = {messages.CRITICAL: "red", messages.TROUBLE: "orange", messages.GOOD: "green", messages.QUIET: "blue"}
_MEANING = {
    9499: "the request is not understood",
    19001: "no such bot",
    19021: "the signature does not match, or the clock is an hour off",
    19022: "the address we send from is not allowed",
    19024: "the keyword it asks for is not in the message",
}


def signature(secret: str, seconds: int) -> str:
    """The value of `sign`."""
    key = f"{seconds}\n{secret}".encode()
    return base64.b64encode(hmac.new(key, b"", hashlib.sha256).digest()).decode()


class Feishu:
    """One bot in one group."""

    def __init__(self, hook: Hook, secret: Secret | None = None) -> None:
        self._hook = hook
        self._secret = secret

    def send(self, message: Message, timeout: float) -> Reply:
        signed: dict[str, object] = {}
        if self._secret is not None:
            stamp = int(self._hook.now().timestamp())
            signed = {"timestamp": str(stamp), "sign": signature(self._secret.reveal(), stamp)}
        fit = fitted(message, lambda shown: len(encoded(signed | _body(shown))), MAX_BYTES)
        return self._hook.post(encoded(signed | _body(fit)), timeout, self._verdict)

    def close(self) -> None:
        self._hook.close()

    @staticmethod
    def _verdict(answer: Answer) -> Reply:
        body = answered_object(answer)
        if isinstance(body, Refused):
            return body
        code = body["code"] if "code" in body else body.get("StatusCode")
        if code == 0 and not isinstance(code, bool):
            return Taken()
        if code == _AGAIN:
            return all_again(ONE, f"the service is overloaded (code {code})", 5.0)
        return refusal("code", code, _MEANING)


def _plain(text: str) -> dict[str, str]:
    # Elements of this kind know no markup: neither `<at id=all>` nor a link can come out of what tenants wrote.
    return {"tag": "plain_text", "content": text}


def _body(message: Message) -> dict[str, object]:
    elements: list[dict[str, object]] = []
    for section in message.sections:
        lines = [*([section.heading] if section.heading else []), *section.lines]
        elements.append({"tag": "div", "text": _plain("\n".join(lines))})
    if message.link:
        button = {"tag": "button", "text": _plain("Report"), "url": message.link, "type": "default"}
        elements.append({"tag": "action", "actions": [button]})
    return {
        "msg_type": "interactive",
        "card": {
            "config": {"wide_screen_mode": True},
            "header": {"template": _COLOURS[message.tone], "title": _plain(message.title)},
            "elements": elements,
        },
    }
