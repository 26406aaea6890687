"""Slack incoming webhooks, and what speaks like them: blocks of mrkdwn, answered with the text `ok`.

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks and .../formatting-message-text: `&`, `<` and
`>` are escaped, nothing else can be; 3 000 characters a section, 150 a header, 50 blocks; about one message a second,
else 429 with `Retry-After`.
"""

from __future__ import annotations

import re
from urllib.parse import quote

from auditor.delivery.notify.answers import Hook, encoded
from auditor.delivery.notify.markup import twins
from auditor.delivery.notify.message import Message, Section
from auditor.delivery.replies import Refused, Reply, Taken
from auditor.delivery.transport import Answer
from auditor.reporters.wording import shortened

MAX_HEADER, MAX_SECTION, MAX_BLOCKS = 150, 3_000, 50
_MARKUP = "*`~"
_WORD = re.compile("[a-z]+(_[a-z]+)*")


class Slack:
    """One webhook into one channel."""

    def __init__(self, hook: Hook) -> None:
        self._hook = hook

    def send(self, message: Message, timeout: float) -> Reply:
        return self._hook.post(encoded(_body(message)), timeout, self._verdict)

    def close(self) -> None:
        self._hook.close()

    @staticmethod
    def _verdict(answer: Answer) -> Reply:
        if answer.text.strip() == "ok":
            return Taken()
        # Slack answers with one word (`invalid_blocks`); anything else may quote what was sent, and is not repeated.
        word = answer.text.strip()
        said = f" {word}" if _WORD.fullmatch(word) else " and not `ok`"
        return Refused(f"HTTP {answer.status}{said}", "")


def escaped(text: str) -> str:
    """Text that is neither a mention nor a link nor formatted."""
    return twins(text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"), _MARKUP)


def _mrkdwn(text: str) -> dict[str, object]:
    # `verbatim`: no address, channel or mention is made out of plain words.
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def _section(section: Section) -> dict[str, object]:
    text = f"*{escaped(section.heading)}*" if section.heading else ""
    for line in section.lines:
        more = f"{chr(10) if text else ''}{'• ' if section.heading else ''}{escaped(line)}"
        if len(text) + len(more) > MAX_SECTION - 2:
            text += "\n…"
            break
        text += more
    return _mrkdwn(text)


def _body(message: Message) -> dict[str, object]:
    header = {"type": "plain_text", "text": shortened(message.title, MAX_HEADER), "emoji": False}
    blocks: list[dict[str, object]] = [{"type": "header", "text": header}]
    blocks += [_section(section) for section in message.sections[: MAX_BLOCKS - 2]]
    if message.link:
        blocks.append(_mrkdwn(f"<{quote(message.link, safe=':/?#@!$*+,;=%-._~').replace('&', '&amp;')}|Report>"))
    return {"text": escaped(message.title), "blocks": blocks}
