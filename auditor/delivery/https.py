"""Generic HTTPS: newline-delimited JSON, compressed, with a bearer token or a signature.

The signature, for receivers that want to check it: `X-Plaudit-Timestamp` is the time of sending in seconds since the
epoch, `X-Plaudit-Signature` is `v1=` and the hexadecimal HMAC-SHA256 of `v1:<timestamp>:` and the body as sent, that is
compressed.  A receiver refuses timestamps that are more than five minutes away.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Sequence
from datetime import datetime

from auditor.delivery.records import Record
from auditor.delivery.replies import Prepared, Reply
from auditor.delivery.secrets import Secret, pieces
from auditor.delivery.transport import Transport
from auditor.delivery.web import Exchange, accepted, squeezed


def signature(key: str, timestamp: int, body: bytes) -> str:
    """The value of `X-Plaudit-Signature`."""
    text = f"v1:{timestamp}:".encode() + body
    return "v1=" + hmac.new(key.encode(), text, hashlib.sha256).hexdigest()


class HttpsSink:
    """POST of NDJSON; every 2xx accepts the batch."""

    def __init__(
        self,
        transport: Transport,
        url: Secret,
        *,
        now: Callable[[], datetime],
        token: Secret | None = None,
        hmac_key: Secret | None = None,
    ) -> None:
        self._token = token
        self._key = hmac_key
        self._now = now
        self._target = transport.path + (f"?{transport.query}" if transport.query else "")
        secrets = [secret.reveal() for secret in (token, hmac_key) if secret is not None]
        self._exchange = Exchange(transport, [*secrets, *pieces(url.reveal())], now)

    def encode(self, record: Record) -> bytes:
        return record.document.encode() + b"\n"

    def send(self, batch: Sequence[Prepared], timeout: float) -> Reply:
        body = squeezed(b"".join(item.payload for item in batch))
        headers = {"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip"}
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token.reveal()}"
        if self._key is not None:
            timestamp = int(self._now().timestamp())
            headers["X-Plaudit-Timestamp"] = str(timestamp)
            headers["X-Plaudit-Signature"] = signature(self._key.reveal(), timestamp, body)
        return self._exchange.reply(batch, self._target, body, headers, timeout, accepted)

    def close(self) -> None:
        self._exchange.transport.close()
