"""Strict receivers on loopback, written from the vendors' documentation, and the faults they can show."""

from __future__ import annotations

import base64
import contextlib
import gzip
import hashlib
import hmac
import http.server
import json
import socket
import ssl
import struct
import threading
import time
import zlib
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Fault:
    """What happens to one request: `status`, `reset`, `slow`, `truncated`; with `after` the receiver had taken it."""

    kind: str
    status: int = 503
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    after: bool = False
    seconds: float = 0.0


@dataclass(frozen=True)
class Request:
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Response:
    status: int
    body: str
    headers: Mapping[str, str] = field(default_factory=dict)


class Receiver:
    """An HTTP server in a thread; a subclass answers.  `events` holds what was taken, by uid, in order of arrival."""

    def __init__(self, *, tls: ssl.SSLContext | None = None) -> None:
        self.faults: deque[Fault] = deque()
        self.requests: list[Request] = []
        self.events: dict[str, dict[str, Any]] = {}
        self.copies = 0
        self.lock = threading.Lock()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                receiver._serve(self)

            def log_message(self, *_: object) -> None:
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                pass  # a client that went away is one of the faults

        self.server = Server(("127.0.0.1", 0), Handler)
        if tls is not None:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.port = int(self.server.server_address[1])
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})

    def __enter__(self) -> Any:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def _serve(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        parts = urlsplit(handler.path)
        headers = {name.lower(): value for name, value in handler.headers.items()}
        request = Request(parts.path, parse_qs(parts.query), headers, body)
        with self.lock:
            self.requests.append(request)
            fault = self.faults.popleft() if self.faults else None
            response = self.answer(request) if fault is None or fault.after or fault.kind == "slow" else None
        if fault is not None:
            if fault.kind == "slow":
                time.sleep(fault.seconds)
            elif fault.kind == "status":
                response = Response(fault.status, fault.body, fault.headers)
            elif fault.kind == "reset":
                handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                handler.connection.close()
                handler.close_connection = True
                return
        assert response is not None or fault is not None
        content = (response or Response(200, "{}" * 20)).body.encode()
        with contextlib.suppress(OSError):
            handler.send_response((response or Response(200, "")).status)
            for name, value in (response.headers if response else {}).items():
                handler.send_header(name, value)
            handler.send_header("Content-Length", str(len(content) + (9 if fault and fault.kind == "truncated" else 0)))
            handler.end_headers()
            handler.wfile.write(content)
            handler.wfile.flush()
            if fault is not None and fault.kind == "truncated":
                handler.close_connection = True

    def answer(self, request: Request) -> Response:
        raise AssertionError("a subclass answers")

    def take(self, uid: str, event: dict[str, Any]) -> bool:
        """Stores an event as an idempotent store does; False for a copy, which has to be the same."""
        if uid in self.events:
            assert self.events[uid] == event, f"two events share the id {uid}"
            self.copies += 1
            return False
        self.events[uid] = event
        return True


def unpacked(request: Request) -> bytes:
    assert request.headers.get("content-encoding") == "gzip"
    return gzip.decompress(request.body)


def ocsf_uid(event: dict[str, Any]) -> str:
    return str(event["metadata"]["uid"])


class Generic(Receiver):
    """Any collector of NDJSON; checks token or signature, and refuses batches with the word `poison` in them."""

    def __init__(self, *, token: str = "", key: str = "", poison: str = "", status: int = 400, **more: Any) -> None:
        super().__init__(**more)
        self.token, self.key, self.poison, self.status = token, key, poison, status

    def answer(self, request: Request) -> Response:
        if self.token and request.headers.get("authorization") != f"Bearer {self.token}":
            return Response(401, f"the token {request.headers.get('authorization')} is not known here")
        if self.key:
            timestamp = request.headers["x-plaudit-timestamp"]
            assert abs(time.time() - int(timestamp)) < 300
            text = b"v1:" + timestamp.encode() + b":" + request.body
            expected = "v1=" + hmac.new(self.key.encode(), text, hashlib.sha256).hexdigest()
            if not hmac.compare_digest(expected, request.headers.get("x-plaudit-signature", "")):
                return Response(401, "bad signature")
        body = unpacked(request)
        assert request.headers["content-type"] == "application/x-ndjson"
        assert body.endswith(b"\n") and len(body) <= 1_000_000
        lines = body[:-1].split(b"\n")
        assert len(lines) <= 500
        if self.poison and self.poison.encode() in body:
            return Response(self.status, "an event of this batch is not wanted" + "!" * 900)
        for line in lines:
            event = json.loads(line)
            self.take(ocsf_uid(event), event)
        return Response(200, "taken, thank you")


class Hec(Receiver):
    """Splunk's HTTP Event Collector as documented: codes 2, 4, 5, 6, 10, 12, 13, 15; events before a bad one are in."""

    def __init__(self, token: str, *, ack: bool = False, polls: int = 2, poison: str = "", **more: Any) -> None:
        super().__init__(**more)
        self.token, self.ack, self.polls, self.poison = token, ack, polls, poison
        self.pending: dict[int, int] = {}
        self.envelopes: list[dict[str, Any]] = []

    @staticmethod
    def said(status: int, code: int, text: str, **more: Any) -> Response:
        return Response(status, json.dumps({"text": text, "code": code, **more}))

    def answer(self, request: Request) -> Response:
        authorization = request.headers.get("authorization", "")
        if not authorization:
            return self.said(401, 2, "Token is required")
        if not authorization.startswith("Splunk "):
            return self.said(401, 3, "Invalid authorization")
        if authorization != f"Splunk {self.token}":
            return self.said(403, 4, f"Invalid token {authorization}")
        if request.path == "/services/collector/ack":
            return self._ack(request)
        if request.path != "/services/collector/event":
            return Response(404, '{"text":"The requested URL was not found on this server.","code":404}')
        if self.ack and "x-splunk-request-channel" not in request.headers:
            return self.said(400, 10, "Data channel is missing")
        text = unpacked(request).decode()
        if not text.strip():
            return self.said(400, 5, "No data")
        found = []
        rest, number = text.strip(), 0
        while rest:
            try:
                envelope, end = json.JSONDecoder().raw_decode(rest)
            except ValueError:
                return self.said(400, 6, "Invalid data format", **{"invalid-event-number": number})
            trouble = self._trouble(envelope)
            if trouble:
                self._index(found)
                return self.said(400, *trouble, **{"invalid-event-number": number})
            found.append(envelope)
            rest, number = rest[end:].strip(), number + 1
        assert len(found) <= 500
        self._index(found)
        if not self.ack:
            return self.said(200, 0, "Success")
        ack_id = len(self.pending)
        self.pending[ack_id] = self.polls
        return self.said(200, 0, "Success", ackId=ack_id)

    def _trouble(self, envelope: Any) -> tuple[int, str] | None:
        if not isinstance(envelope, dict):
            return 6, "Invalid data format"
        if "event" not in envelope:
            return 12, "Event field is required"
        if envelope["event"] in ("", None):
            return 13, "Event field cannot be blank"
        if any(isinstance(value, (dict, list)) for value in envelope.get("fields", {}).values()):
            return 15, "Error in handling indexed fields"
        assert set(envelope) <= {"time", "host", "source", "sourcetype", "index", "event", "fields"}
        assert isinstance(envelope["time"], (int, float)) and envelope["time"] < 1e11, "seconds, not milliseconds"
        if self.poison and self.poison in json.dumps(envelope):
            return 6, "Invalid data format"
        return None

    def _index(self, envelopes: list[dict[str, Any]]) -> None:
        for envelope in envelopes:
            self.envelopes.append(envelope)
            self.take(ocsf_uid(envelope["event"]), envelope)

    def _ack(self, request: Request) -> Response:
        assert request.query.get("channel") == [request.headers["x-splunk-request-channel"]]
        acks = {}
        for ack_id in json.loads(request.body)["acks"]:
            self.pending[ack_id] -= 1
            acks[str(ack_id)] = self.pending[ack_id] <= 0
        return Response(200, json.dumps({"acks": acks}))


class Elastic(Receiver):
    """`_bulk` of a data stream: newline rules, create only, 409, and per-item errors; `busy` items get 429 once."""

    def __init__(self, *, authorization: str = "", poison: str = "", busy: int = 0, **more: Any) -> None:
        super().__init__(**more)
        self.authorization, self.poison, self.busy = authorization, poison, busy
        self.streams: dict[str, str] = {}

    def answer(self, request: Request) -> Response:
        if self.authorization and request.headers.get("authorization") != self.authorization:
            reason = f"unable to authenticate with {request.headers.get('authorization')}"
            return Response(401, json.dumps({"error": {"type": "security_exception", "reason": reason}, "status": 401}))
        assert request.path == "/_bulk"
        assert request.headers["content-type"] == "application/x-ndjson"
        text = unpacked(request).decode()
        if not text.endswith("\n"):
            return Response(400, '{"error":{"type":"illegal_argument_exception","reason":"must end with newline"}}')
        lines = text[:-1].split("\n")
        assert len(lines) % 2 == 0 and len(lines) <= 1000 and all(lines)
        items = []
        for action_line, line in zip(lines[::2], lines[1::2], strict=True):
            action, document = json.loads(action_line), json.loads(line)
            assert list(action) == ["create"], "a data stream takes create only"
            assert set(action["create"]) == {"_index", "_id"}
            items.append({"create": self._item(action["create"]["_index"], action["create"]["_id"], document)})
        errors = any(item["create"]["status"] >= 300 for item in items)
        return Response(200, json.dumps({"took": 3, "errors": errors, "items": items}))

    def _item(self, stream: str, uid: str, document: dict[str, Any]) -> dict[str, Any]:
        item: dict[str, Any] = {"_index": f".ds-{stream}-000001", "_id": uid, "status": 201}
        assert stream.startswith("logs-")
        if self.busy > 0:
            self.busy -= 1
            return item | {"status": 429, "error": {"type": "es_rejected_execution_exception", "reason": "queue full"}}
        if "@timestamp" not in document or (self.poison and self.poison in json.dumps(document)):
            error = {"type": "document_parsing_exception", "reason": f"failed to parse {uid}"}
            return item | {"status": 400, "error": error}
        self.streams[uid] = stream
        if not self.take(uid, document):
            error = {"type": "version_conflict_engine_exception", "reason": f"[{uid}]: version conflict"}
            return item | {"status": 409, "error": error}
        return item


class Sls(Receiver):
    """PutLogs as documented: Content-MD5, signature, deflate, raw size, a log group decoded without our code."""

    def __init__(self, key_id: str, key: str, *, throttled: int = 0, **more: Any) -> None:
        super().__init__(**more)
        self.key_id, self.key, self.throttled = key_id, key, throttled
        self.logs: list[dict[str, str]] = []

    @staticmethod
    def error(status: int, code: str, message: str) -> Response:
        body = json.dumps({"errorCode": code, "errorMessage": message})
        return Response(status, body, {"x-log-requestid": "5B0E0000000000000000AAAA"})

    def answer(self, request: Request) -> Response:
        headers = request.headers
        md5 = hashlib.md5(request.body).hexdigest().upper()
        assert headers["content-md5"] == md5
        signed = "\n".join(
            f"{name}:{value}" for name, value in sorted(headers.items()) if name.startswith(("x-log-", "x-acs-"))
        )
        text = f"POST\n{md5}\napplication/x-protobuf\n{headers['date']}\n{signed}\n{request.path}"
        digest = base64.b64encode(hmac.new(self.key.encode(), text.encode(), hashlib.sha1).digest()).decode()
        if headers["authorization"] != f"LOG {self.key_id}:{digest}":
            return self.error(401, "SignatureNotMatch", f"signature {headers['authorization']} not matched")
        if self.throttled > 0:
            self.throttled -= 1
            return self.error(403, "WriteQuotaExceed", "write quota is exceed")
        if not headers["host"].startswith("audit-logs."):
            return self.error(404, "ProjectNotExist", "The project does not exist")
        if request.path != "/logstores/plaudit/shards/lb":
            return self.error(404, "LogStoreNotExist", "The log store does not exist")
        assert headers["x-log-compresstype"] == "deflate" and headers["x-log-apiversion"] == "0.6.0"
        raw = zlib.decompress(request.body)
        assert len(raw) == int(headers["x-log-bodyrawsize"]) <= 1_001_000
        for number, content in fields(raw):
            if number == 1:
                log = fields(content)
                assert log[0][0] == 1 and 1_000_000_000 < log[0][1] < 10_000_000_000
                pairs = [fields(pair) for kind, pair in log if kind == 2]
                contents = {pair[0][1].decode(): pair[1][1].decode() for pair in pairs}
                self.logs.append(contents)
                self.take(contents["event_uid"], contents)
        return Response(200, "", {"x-log-requestid": "5B0E0000000000000000AAAA"})


def fields(message: bytes) -> list[tuple[int, Any]]:
    """The fields of a protobuf message: (number, integer or bytes)."""
    found: list[tuple[int, Any]] = []
    at = 0

    def varint() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    while at < len(message):
        tag = varint()
        if tag & 7 == 0:
            found.append((tag >> 3, varint()))
        else:
            assert tag & 7 == 2
            size = varint()
            found.append((tag >> 3, message[at : at + size]))
            at += size
    assert at == len(message)
    return found
