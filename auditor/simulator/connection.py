"""Requests and replies on an HTTP/1.1 connection, with the ways in which a reply can go wrong."""

from __future__ import annotations

import socket
import struct
from http import HTTPStatus
from io import BufferedReader

from auditor.simulator.faults import Reply
from auditor.simulator.signature import Request

_MAX_LINE = 1 << 20


def read_request(stream: BufferedReader) -> Request | None:
    """The next request of a connection, None at its end; ValueError for what is not HTTP/1.1."""
    readline = stream.readline
    first = readline(_MAX_LINE)
    if not first:
        return None
    method, target, _ = first.decode("latin-1").split(" ", 2)
    headers: dict[str, str] = {}
    while (line := readline(_MAX_LINE).decode("utf-8", "replace").rstrip("\r\n")) != "":
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    length = int(headers.get("content-length") or 0)
    body = stream.read(length) if length else b""
    return Request(method, target, headers, body)


def send_reply(connection: socket.socket, reply: Reply, *, keep: bool) -> bool:
    """Send the reply in one write; False if the connection must be closed."""
    if reply.transport == "reset":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False
    if reply.transport in ("close", "timeout"):
        return False
    lines = [
        f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}",
        f"content-type: {reply.content_type}",
        f"content-length: {len(reply.body)}",
        f"connection: {'keep-alive' if keep else 'close'}",
        *(f"{name}: {value}" for name, value in reply.headers.items()),
    ]
    body = reply.body if reply.transport != "short" else reply.body[: len(reply.body) // 2]
    connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
    return reply.transport != "short"
