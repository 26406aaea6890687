"""A tiny loopback cloud for tests: answers each operation with a body, and counts requests and connections."""

from __future__ import annotations

import json
import ssl
import threading
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

Reply = tuple[int, dict[str, str], bytes]
Handler = Callable[[str, dict[str, str]], Any]


class LoopbackCloud:
    """Serves `bodies[action]`: a body, a Reply, or a function of (access key id, parameters) that gives one."""

    def __init__(self, bodies: dict[str, Any], certificate: Path | None = None) -> None:
        self.bodies = bodies
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.headers: list[dict[str, str]] = []
        self.counts: Counter[str] = Counter()
        self.connections = 0
        self._lock = threading.Lock()
        cloud = self

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 256

            def get_request(self) -> Any:
                with cloud._lock:
                    cloud.connections += 1
                return super().get_request()

            def handle_error(self, request: Any, client_address: Any) -> None:
                """A client that went away is part of some tests."""

        class OneRequest(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                cloud._serve(self)

            def log_message(self, format: str, *args: Any) -> None:
                """Nothing on standard error."""

        self._server = Server(("127.0.0.1", 0), OneRequest)
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            # Handshakes belong into the thread of the connection, not into the one that accepts.
            self._server.socket = context.wrap_socket(self._server.socket, True, do_handshake_on_connect=False)
        self.url = f"http{'s' if certificate else ''}://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> LoopbackCloud:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        size = int(handler.headers.get("content-length") or 0)
        form = handler.rfile.read(size).decode() if size else ""
        parameters = dict(parse_qsl(urlsplit(handler.path).query + "&" + form, keep_blank_values=True))
        action = handler.headers["x-acs-action"]
        authorization = handler.headers.get("Authorization", "")
        key_id = authorization.partition("Credential=")[2].partition(",")[0]
        with self._lock:
            self.requests.append((key_id, action, parameters))
            self.headers.append({name.lower(): value for name, value in handler.headers.items()})
            self.counts[action] += 1
        answer = self.bodies.get(action)
        if callable(answer):
            answer = answer(key_id, parameters)
        if answer is None:
            error = {"Code": "InvalidAction.NotFound", "Message": "no such action", "RequestId": "R-0"}
            answer = (404, {}, json.dumps(error).encode())
        if isinstance(answer, dict):
            answer = (200, {}, json.dumps({"RequestId": f"R-{action}", **answer}).encode())
        status, headers, data = answer
        lines = [f"HTTP/1.1 {status} X", "content-type: application/json;charset=utf-8"]
        if "content-length" not in headers:
            lines.append(f"content-length: {len(data)}")
        lines += [f"{name}: {value}" for name, value in headers.items()]
        handler.wfile.write("\r\n".join([*lines, "", ""]).encode() + data)


def error(status: int, code: str, message: str = "refused", **headers: str) -> Reply:
    """An error answer."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return status, named, json.dumps({"Code": code, "Message": message, "RequestId": "R-error"}).encode()
