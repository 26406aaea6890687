"""Splunk HTTP Event Collector: envelopes one after the other, and indexer acknowledgement where it is asked for.

Facts: https://docs.splunk.com/Documentation/Splunk/latest/Data/FormateventsforHTTPEventCollector,
.../Data/TroubleshootHTTPEventCollector (codes) and .../Data/AboutHECIDXAck.
"""

from __future__ import annotations

import json
import socket
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from auditor.delivery.records import Record
from auditor.delivery.replies import Blocked, Prepared, Refused, Reply, Taken, all_again
from auditor.delivery.secrets import Secret, pieces
from auditor.delivery.transport import Answer, Transport
from auditor.delivery.web import Exchange, squeezed
from auditor.reporters.stream import encode

_EVENT = "/services/collector/event"
_ACK = "/services/collector/ack"

#: Codes about the token, the index or the channel: the events stay where they are.
_SENDER = {
    1: "the token is disabled",
    2: "a token is required",
    3: "the authorization is malformed",
    4: "the token is not valid",
    7: "the index is not allowed for this token",
    10: "this token needs indexer acknowledgement; write `ack: true`",
    11: "the channel is not valid",
    14: "acknowledgement is disabled for this token; leave out `ack`",
}
#: The server is busy or failed; the same again.
_BUSY = frozenset({8, 9, 18, 19, 20, 23, 26, 27})


@dataclass(frozen=True, slots=True)
class Envelope:
    """What every event is wrapped in beside itself."""

    sourcetype: str
    source: str = "plaudit"
    host: str = ""
    index: str | None = None


class SplunkSink:
    """POST to /services/collector/event; with `ack` a batch counts once the indexer has it."""

    def __init__(
        self,
        transport: Transport,
        url: Secret,
        token: Secret,
        envelope: Envelope,
        *,
        now: Callable[[], datetime],
        ack: bool = False,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        base = transport.path
        for ending in ("/event", "/services/collector"):
            base = base.removesuffix(ending)
        self._base = base
        self._token = token
        self._envelope = envelope
        self._host = envelope.host or socket.gethostname()
        self._channel = str(uuid.uuid4()) if ack else None
        self._sleep, self._monotonic = sleep, monotonic
        self._exchange = Exchange(transport, [token.reveal(), *pieces(url.reveal())], now)

    def encode(self, record: Record) -> bytes:
        fields = {"event_uid": record.uid, "activity": record.activity, "run_id": record.run_id}
        for key, value in (
            ("finding_uid", record.finding_id),
            ("rule_id", record.rule_id),
            ("account_id", record.account_id),
        ):
            if value:
                fields[key] = value
        envelope: dict[str, Any] = {
            "time": record.time / 1000,
            "host": self._host,
            "source": self._envelope.source,
            "sourcetype": self._envelope.sourcetype,
            "event": json.loads(record.document),
            "fields": fields,
        }
        if self._envelope.index:
            envelope["index"] = self._envelope.index
        return encode(envelope).encode() + b"\n"

    def _headers(self) -> dict[str, str]:
        headers = {"Authorization": f"Splunk {self._token.reveal()}", "Content-Type": "application/json"}
        if self._channel:
            headers["X-Splunk-Request-Channel"] = self._channel
        return headers

    def send(self, batch: Sequence[Prepared], timeout: float) -> Reply:
        end = self._monotonic() + timeout
        body = squeezed(b"".join(item.payload for item in batch))
        headers = self._headers() | {"Content-Encoding": "gzip"}
        answer = self._exchange.ask(batch, self._base + _EVENT, body, headers, timeout)
        if not isinstance(answer, Answer):
            return answer
        said = _said(answer)
        code = said.get("code")
        if isinstance(code, int) and code in _BUSY:
            return all_again(batch, f"code {code}")
        if isinstance(code, int) and code in _SENDER:
            return Blocked(f"code {code}: {_SENDER[code]}")
        if answer.status >= 300:
            refusal = self._exchange.refusal(answer)
            return Refused(f"{refusal.why}, code {code}", refusal.answer) if isinstance(code, int) else refusal
        if code != 0:
            return Blocked("what answers is not an HTTP Event Collector; check the address")
        if self._channel is None:
            return Taken()
        ack_id = said.get("ackId")
        if not isinstance(ack_id, int):
            return Blocked("no acknowledgement id in the answer; leave out `ack`, or enable it for this token")
        return self._acknowledged(batch, ack_id, end)

    def _acknowledged(self, batch: Sequence[Prepared], ack_id: int, end: float) -> Reply:
        target = f"{self._base}{_ACK}?channel={self._channel}"
        body = encode({"acks": [ack_id]}).encode()
        pause = 0.1
        while True:
            left = end - self._monotonic()
            answer = self._exchange.ask(batch, target, body, self._headers(), max(1.0, left))
            if isinstance(answer, Answer):
                acks = _said(answer).get("acks")
                if answer.status == 200 and isinstance(acks, dict) and acks.get(str(ack_id)) is True:
                    return Taken()
            if left <= pause:
                return all_again(batch, "not acknowledged in time")
            self._sleep(pause)
            pause = min(5.0, pause * 2)

    def close(self) -> None:
        self._exchange.transport.close()


def _said(answer: Answer) -> dict[str, Any]:
    try:
        body = json.loads(answer.text)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}
