"""Connecting: one try to get through to one address and port, and every way in which it can end.

TCP connects and goes on as far as asked (TLS handshake, one HTTP request); UDP sends one datagram and waits for one.
No redirect is followed, no proxy is used, and no more is read than the head of an answer.
"""

from __future__ import annotations

import errno
import os
import re
import socket
import ssl
import time
from dataclasses import dataclass, field
from pathlib import Path

from auditor import __version__
from auditor.probe.certificate import Certificate, Trust
from auditor.probe.targets import Service

#: How a try ends.  Only `connected` got through; `no_answer` (UDP) and `not_tried` prove nothing; `denied`: a firewall
#: of the probing host itself.
OUTCOMES = ("connected", "refused", "timeout", "unreachable", "reset", "denied", "no_answer", "error", "not_tried")
#: How a TLS handshake or a request ends.
SESSION_OUTCOMES = ("ok", "timeout", "reset", "closed", "refused", "malformed", "error")
_UNREACHABLE = {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN, errno.EHOSTDOWN, errno.EADDRNOTAVAIL}
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})(?: |\r|\n|\Z)")
_MOST_HEAD = 64 * 1024


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request: GET or HEAD, and the statuses that are as expected (none: every status below 500)."""

    path: str = "/"
    host: str | None = None
    method: str = "GET"
    expected: tuple[int, ...] = ()

    def fits(self, status: int) -> bool:
        """Whether a status is as expected."""
        return status in self.expected if self.expected else status < 500


@dataclass(frozen=True, slots=True)
class Settings:
    """What all tries have in common.  Seconds."""

    timeout: float = 3.0
    server_name: str | None = None
    trust: Trust = field(default_factory=Trust)
    request: Request = field(default_factory=Request)
    payload: bytes | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """A TLS handshake.  `protocol`: what ALPN agreed on."""

    outcome: str
    server_name: str | None
    seconds: float | None = None
    version: str | None = None
    protocol: str | None = None
    certificate: Certificate | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a request."""

    outcome: str
    status: int | None = None
    seconds: float | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try.  `seconds`: the TCP handshake, or for UDP until the answer."""

    outcome: str
    seconds: float | None = None
    source_address: str | None = None
    error: str | None = None
    session: Session | None = None
    reply: Reply | None = None


def attempt(address: str, service: Service, settings: Settings, name: str | None = None) -> Attempt:
    """One try.  `name`: the domain by which a client gets to the address, for TLS and HTTP where no other was given."""
    if service.transport == "udp":
        return _datagram(address, service.port, settings)
    with socket.socket(_family(address), socket.SOCK_STREAM) as connection:
        started = time.perf_counter()
        try:
            connection.settimeout(settings.timeout)
            connection.connect((address, service.port))
        except OSError as error:
            return Attempt(outcome_of(error), None, source_towards(address), _words(error))
        seconds = time.perf_counter() - started
        source = _own(connection)
        wanted = settings.server_name or name
        host = settings.request.host or wanted or address
        if service.layer == "tcp":
            return Attempt("connected", seconds, source)
        if service.layer == "http":
            reply = _request(connection, host, service.port, 80, settings)
            return Attempt("connected", seconds, source, reply=reply)
        protocols = ("http/1.1",) if service.layer == "https" else ("h2", "http/1.1")
        session, secured = _handshake(connection, wanted or address, protocols, settings)
        if session.outcome == "untrusted":
            # The certificate is only shown to whoever accepts it: once more, to look at it and not to use it.
            return _accepting(address, service, settings, wanted or address, host, seconds, source, protocols)
        if secured is None:
            return Attempt("connected", seconds, source, session=session)
        with secured:
            answered = None
            if service.layer == "https":
                answered = _request(secured, host, service.port, 443, settings)
            return Attempt("connected", seconds, source, None, session, answered)


def _accepting(
    address: str, service: Service, settings: Settings, wanted: str, host: str, seconds: float, source: str | None,
    protocols: tuple[str, ...],
) -> Attempt:  # fmt: skip
    with socket.socket(_family(address), socket.SOCK_STREAM) as connection:
        try:
            connection.settimeout(settings.timeout)
            connection.connect((address, service.port))
        except OSError as error:
            session = Session(_session_outcome(error), wanted, error=_words(error))
            return Attempt("connected", seconds, source, session=session)
        session, secured = _handshake(connection, wanted, protocols, settings, verify=False)
        if secured is None:
            return Attempt("connected", seconds, source, session=session)
        with secured:
            reply = _request(secured, host, service.port, 443, settings) if service.layer == "https" else None
            return Attempt("connected", seconds, source, None, session, reply)


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def _own(connection: socket.socket) -> str | None:
    try:
        return str(connection.getsockname()[0])
    except OSError:
        return None


def source_towards(address: str) -> str | None:
    """The address this host would send from, from its routing table; nothing is sent."""
    try:
        with socket.socket(_family(address), socket.SOCK_DGRAM) as probe:
            probe.connect((address, 9))
            return _own(probe)
    except OSError:
        return None


def outcome_of(error: OSError) -> str:
    """The outcome an error of the system stands for."""
    if isinstance(error, TimeoutError) or error.errno == errno.ETIMEDOUT:
        return "timeout"
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    if isinstance(error, ConnectionResetError):
        return "reset"
    if error.errno in _UNREACHABLE:
        return "unreachable"
    if isinstance(error, PermissionError):
        return "denied"
    return "error"


def _words(error: OSError) -> str:
    """What the system says of an error, never what the other side wrote."""
    if isinstance(error, ssl.SSLError):
        return (error.reason or "handshake failed").lower().replace("_", " ")[:100]
    return (os.strerror(error.errno) if error.errno else "no answer in time")[:100]


def _session_outcome(error: OSError) -> str:
    if isinstance(error, ssl.SSLEOFError):
        return "closed"
    if isinstance(error, ssl.SSLError) and not isinstance(error, TimeoutError):
        return "malformed"
    outcome = outcome_of(error)
    if outcome in ("timeout", "reset", "refused"):
        return outcome
    return "closed" if isinstance(error, BrokenPipeError) else "error"


def _handshake(
    connection: socket.socket, name: str, protocols: tuple[str, ...], settings: Settings, *, verify: bool = True
) -> tuple[Session, ssl.SSLSocket | None]:
    context = settings.trust.context(protocols, verify=verify)
    started = time.perf_counter()
    try:
        # A connection that is already broken off must not get as far as wrap_socket, which would leave it open.
        connection.getpeername()
        secured = context.wrap_socket(connection, server_hostname=name, do_handshake_on_connect=False)
    except OSError as error:
        return Session("reset" if error.errno == errno.ENOTCONN else _session_outcome(error), name, error="reset"), None
    except ValueError:  # a name that cannot be sent
        return Session("error", name, error="the name cannot be asked for"), None
    try:
        secured.do_handshake()
    except ssl.SSLCertVerificationError:
        secured.close()
        return Session("untrusted", name), None
    except OSError as error:
        secured.close()
        return Session(_session_outcome(error), name, error=_words(error)), None
    seconds = time.perf_counter() - started
    found = Certificate.read(secured.getpeercert(binary_form=True), name, trusted=verify)
    version, protocol = secured.version(), secured.selected_alpn_protocol()
    return Session("ok", name, seconds, version, protocol, found), secured


def _request(connection: socket.socket, host: str, port: int, usual: int, settings: Settings) -> Reply:
    request = settings.request
    named = f"[{host}]" if ":" in host else host
    named = named if port == usual else f"{named}:{port}"
    text = (
        f"{request.method} {request.path} HTTP/1.1\r\nHost: {named}\r\nUser-Agent: plaudit/{__version__}\r\n"
        "Accept: */*\r\nConnection: close\r\n\r\n"
    )
    started = time.perf_counter()
    deadline = started + settings.timeout
    head = b""
    try:
        connection.sendall(text.encode("ascii"))
        while b"\n" not in head and len(head) < _MOST_HEAD:
            connection.settimeout(max(deadline - time.perf_counter(), 0.001))
            part = connection.recv(4096)
            if not part:
                break
            head += part
    except OSError as error:
        return Reply(_session_outcome(error), error=_words(error))
    seconds = time.perf_counter() - started
    match = _STATUS_LINE.match(head)
    if match is None:
        return Reply("malformed" if head else "closed", error="the answer is no HTTP" if head else "closed unanswered")
    return Reply("ok", int(match[1]), seconds)


def _datagram(address: str, port: int, settings: Settings) -> Attempt:
    with socket.socket(_family(address), socket.SOCK_DGRAM) as connection:
        started = time.perf_counter()
        source = None
        try:
            connection.settimeout(settings.timeout)
            connection.connect((address, port))
            source = _own(connection)
            connection.send(_payload(port, settings.payload))
            connection.recv(4096)
        except TimeoutError:
            return Attempt("no_answer", None, source, "no answer in time; UDP does not tell why")
        except OSError as error:
            return Attempt(outcome_of(error), None, source, _words(error))
        return Attempt("connected", time.perf_counter() - started, source)


def _payload(port: int, given: bytes | None) -> bytes:
    if given is not None:
        return given
    if port == 53:
        from auditor.probe.resolve import dns_datagram

        return dns_datagram()
    return b""


def parse_request(path: str, host: str | None, method: str, expected: tuple[int, ...]) -> Request:
    """A request from arguments.  Raises ValueError for what does not fit in a line of a request."""
    for what, text in (("--http-path", path), ("--http-host", host or "-")):
        if not text.isascii() or not text.isprintable() or " " in text or len(text) > 2048:
            raise ValueError(f"{what} {text!r} has characters that no request line can have; percent-encode them")
    if not path.startswith("/"):
        raise ValueError(f"--http-path {path!r} has to begin with /")
    for status in expected:
        if not 100 <= status <= 599:
            raise ValueError(f"{status} is not an HTTP status")
    return Request(path, host, method, expected)


def read_authorities(path: Path) -> str:
    """The PEM certificates of `--ca-file`.  Raises ValueError or OSError."""
    text = path.read_text(encoding="ascii", errors="replace")
    ssl.create_default_context().load_verify_locations(cadata=text)
    return text
