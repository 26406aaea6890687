"""Alibaba Cloud SLS: `PutLogs` over HTTP, written here instead of with the vendor's SDK.

The SDK (21 packages) tries ten times by itself with pauses nobody can bound, sets the locale of the process, and its
exceptions hold addresses.  The request is a protobuf message of four fields and one HMAC.
Facts: https://www.alibabacloud.com/help/en/sls/developer-reference/api-sls-2020-12-30-putlogs,
.../developer-reference/request-signatures, .../developer-reference/log-encoding-protobuf and .../common-error-codes.
"""

from __future__ import annotations

import base64
import email.utils
import hashlib
import hmac
import json
import socket
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from auditor.delivery.records import Record
from auditor.delivery.replies import Blocked, Prepared, Refused, Reply, Taken, all_again
from auditor.delivery.secrets import Secret, pieces
from auditor.delivery.transport import Answer, Transport
from auditor.delivery.web import Exchange
from auditor.reporters.stream import encode

#: Error codes that ask for the same again, although their status is 403 or 400.
_THROTTLED = frozenset(
    {
        "WriteQuotaExceed",
        "ShardWriteQuotaExceed",
        "ProjectQuotaExceed",
        "ShardQuotaExceed",
        "ServerBusy",
        "InternalServerError",
        "RequestTimeout",
    }
)
#: Error codes about the events; every other one is about keys, project, log store or clock.
_EVENTS = frozenset(
    {
        "PostBodyInvalid",
        "PostBodyTooLarge",
        "InvalidLogSize",
        "LogSizeExceed",
        "InvalidKey",
        "InvalidTimestamp",
        "PostBodyUncompressError",
    }
)


def varint(number: int) -> bytes:
    """Protobuf's variable-length integer."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def member(field: int, content: bytes) -> bytes:
    """A length-delimited protobuf field."""
    return varint(field << 3 | 2) + varint(len(content)) + content


def log(seconds: int, contents: Iterable[tuple[str, str]]) -> bytes:
    """`Log { uint32 Time = 1; repeated Content { string Key = 1; string Value = 2 } Contents = 2 }`."""
    pairs = (member(2, member(1, key.encode()) + member(2, value.encode())) for key, value in contents)
    return b"\x08" + varint(seconds) + b"".join(pairs)


def flattened(record: Record) -> list[tuple[str, str]]:
    """A log is flat text: the top-level members, objects and lists as JSON, and the ids beside them."""
    found = {"event_uid": record.uid, "activity": record.activity}
    if record.finding_id:
        found["finding_uid"] = record.finding_id
    for key, value in json.loads(record.document).items():
        found[key] = value if isinstance(value, str) else encode(value)
    return sorted(found.items())


@dataclass(frozen=True, slots=True)
class Keys:
    """An access key of its own for the log store, never that of an audited account."""

    access_key_id: Secret
    access_key_secret: Secret
    security_token: Secret | None = None


def authorization(keys: Keys, resource: str, headers: dict[str, str]) -> str:
    """The value of `Authorization` for a POST, signature method hmac-sha1."""
    own = sorted((name, value) for name, value in headers.items() if name.startswith(("x-log-", "x-acs-")))
    text = "\n".join(
        [
            "POST",
            headers["Content-MD5"],
            headers["Content-Type"],
            headers["Date"],
            *(f"{name}:{value}" for name, value in own),
            resource,
        ]
    )
    secret = keys.access_key_secret.reveal().encode()
    signed = base64.b64encode(hmac.new(secret, text.encode(), hashlib.sha1).digest()).decode()
    return f"LOG {keys.access_key_id.reveal()}:{signed}"


class SlsSink:
    """POST to /logstores/<logstore>/shards/lb of a project."""

    def __init__(
        self,
        transport: Transport,
        url: Secret,
        keys: Keys,
        logstore: str,
        *,
        host: str,
        now: Callable[[], datetime],
        topic: str = "plaudit",
        source: str = "",
    ) -> None:
        self._keys = keys
        self._host = host
        self._resource = f"/logstores/{logstore}/shards/lb"
        self._now = now
        self._tail = member(3, topic.encode()) + member(4, (source or socket.gethostname()).encode())
        secrets = [keys.access_key_id, keys.access_key_secret, keys.security_token]
        known = [secret.reveal() for secret in secrets if secret is not None]
        self._exchange = Exchange(transport, [*known, *pieces(url.reveal())], now)

    def encode(self, record: Record) -> bytes:
        return member(1, log(record.time // 1000, flattened(record)))

    def send(self, batch: Sequence[Prepared], timeout: float) -> Reply:
        raw = b"".join(item.payload for item in batch) + self._tail
        body = zlib.compress(raw)
        date = email.utils.format_datetime(self._now(), usegmt=True)
        headers = {
            "Host": self._host,
            "Date": date,
            "Content-Type": "application/x-protobuf",
            # What the signature covers; the interface knows no other digest.
            "Content-MD5": hashlib.md5(body, usedforsecurity=False).hexdigest().upper(),
            "x-log-apiversion": "0.6.0",
            "x-log-bodyrawsize": str(len(raw)),
            "x-log-compresstype": "deflate",
            "x-log-signaturemethod": "hmac-sha1",
        }
        if self._keys.security_token is not None:
            headers["x-acs-security-token"] = self._keys.security_token.reveal()
        headers["Authorization"] = authorization(self._keys, self._resource, headers)
        answer = self._exchange.ask(batch, self._resource, body, headers, timeout)
        if not isinstance(answer, Answer):
            return answer
        if answer.status < 300:
            # Every answer of SLS names its request; a portal in between does not.
            return Taken() if "x-log-requestid" in answer.headers else Blocked("what answers is not SLS")
        code = _code(answer)
        if code in _THROTTLED:
            return all_again(batch, code)
        if code in _EVENTS or answer.status == 413:
            return Refused(code or "HTTP 413", self._exchange.clean(answer.text))
        if code:
            return Blocked(f"{code}: check access key, project, log store and clock")
        return self._exchange.refusal(answer)

    def close(self) -> None:
        self._exchange.transport.close()


def _code(answer: Answer) -> str:
    try:
        code = json.loads(answer.text)["errorCode"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    return code if isinstance(code, str) and code.isascii() and code.isalnum() and len(code) < 60 else ""
