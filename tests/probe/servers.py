"""Servers a probe talks to: TCP that answers or is slow, TLS with a certificate of the test, DNS, UDP."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Server:
    """Listens in a thread until it is closed.  `heard` counts connections or datagrams."""

    def __init__(self, listener: socket.socket, serve: Callable[[socket.socket], None]) -> None:
        self.socket = listener
        self.address, self.port = listener.getsockname()[:2]
        self.heard = 0
        self._serve = serve
        self._stop = False
        listener.settimeout(0.05)
        self._thread = threading.Thread(target=self._loop, daemon=True)
        self._thread.start()

    def _loop(self) -> None:
        while not self._stop:
            with contextlib.suppress(TimeoutError, OSError):
                self._serve(self.socket)
                self.heard += 1

    def close(self) -> None:
        self._stop = True
        self._thread.join(5)
        self.socket.close()


def _bound(address: str, port: int, kind: socket.SocketKind) -> socket.socket:
    made = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((address, port))
    return made


def tcp(
    address: str,
    port: int = 0,
    *,
    answer: bytes = b"",
    delay: float = 0.0,
    context: ssl.SSLContext | None = None,
) -> Server:
    """Accepts, waits, makes a TLS session if it has a context, reads a request if it has an answer, and closes."""

    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(2)
            time.sleep(delay)
            try:
                wrapped = context.wrap_socket(connection, server_side=True) if context is not None else connection
                with wrapped:
                    if answer:
                        wrapped.recv(4096)
                        wrapped.sendall(answer)
                    else:
                        wrapped.recv(1)
            except OSError:
                pass  # whoever called has gone

    listener = _bound(address, port, socket.SOCK_STREAM)
    listener.listen(16)
    return Server(listener, serve)


def resetting(address: str, port: int = 0) -> Server:
    """Accepts and breaks the connection off."""

    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        connection.close()

    listener = _bound(address, port, socket.SOCK_STREAM)
    listener.listen(16)
    return Server(listener, serve)


def udp(address: str, port: int = 0, *, answer: bytes | None = b"pong") -> Server:
    """Answers every datagram with the same, or (None) not at all."""

    def serve(listener: socket.socket) -> None:
        _, sender = listener.recvfrom(4096)
        if answer is not None:
            listener.sendto(answer, sender)

    return Server(_bound(address, port, socket.SOCK_DGRAM), serve)


#: (name, record type) → addresses; a name that is not there does not exist.  A word is a failure.
Zone = Mapping[str, Mapping[str, Sequence[str]] | str]


def name_server(address: str, zone: Zone, port: int = 0) -> Server:
    """A DNS server.  A name is a mapping of record types, or servfail, refused, silent, malformed."""

    def serve(listener: socket.socket) -> None:
        data, sender = listener.recvfrom(4096)
        question = dns.message.from_wire(data)
        reply = reply_to(question, zone)
        if reply is not None:
            listener.sendto(reply, sender)

    return Server(_bound(address, port, socket.SOCK_DGRAM), serve)


def reply_to(question: dns.message.Message, zone: Zone) -> bytes | None:
    """The answer as bytes; None for silence."""
    reply = dns.message.make_response(question)
    asked = question.question[0]
    name, record_type = str(asked.name).rstrip("."), asked.rdtype.name
    found = zone.get(name)
    if found == "silent":
        return None
    if found == "malformed":
        return reply.to_wire()[:7]
    if isinstance(found, str):
        reply.set_rcode(dns.rcode.SERVFAIL if found == "servfail" else dns.rcode.REFUSED)
        return reply.to_wire()
    if found is None:
        reply.set_rcode(dns.rcode.NXDOMAIN)
        return reply.to_wire()
    owner = asked.name
    if "CNAME" in found:
        (target,) = found["CNAME"]
        reply.answer.append(dns.rrset.from_text(owner, 30, "IN", "CNAME", f"{target}."))
        owner = dns.name.from_text(f"{target}.")
    if found.get(record_type):
        reply.answer.append(dns.rrset.from_text(owner, 60, "IN", record_type, *found[record_type]))
    return reply.to_wire()


@dataclass(frozen=True)
class Authority:
    """A certificate authority of one test."""

    folder: Path
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def file(self) -> Path:
        return self.folder / "authority.pem"

    def context(self, *names: str, days: int = 30, old: int = 0) -> ssl.SSLContext:
        """A server's context with a certificate for these names, that began `old` days ago and lasts `days`."""
        key = ec.generate_private_key(ec.SECP256R1())
        begin = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=old, minutes=5)
        alternatives: list[x509.GeneralName] = []
        for name in names:
            try:
                alternatives.append(x509.IPAddress(ipaddress.ip_address(name)))
            except ValueError:
                alternatives.append(x509.DNSName(name))
        certificate = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "server")]))
            .issuer_name(self.certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(begin + datetime.timedelta(days=days))
            .add_extension(x509.SubjectAlternativeName(alternatives), False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), False)
            .sign(self.key, hashes.SHA256())
        )
        path = self.folder / f"server-{certificate.serial_number}.pem"
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context


def authority(folder: Path) -> Authority:
    """A fresh authority; its certificate is in `file`."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test authority")])
    now = datetime.datetime.now(datetime.UTC)
    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=400))
        .not_valid_after(now + datetime.timedelta(days=400))
        .add_extension(x509.BasicConstraints(True, None), True)
        .add_extension(usage, True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .sign(key, hashes.SHA256())
    )
    made = Authority(folder, key, certificate)
    made.file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return made


@contextlib.contextmanager
def serving(*servers: Server) -> Iterator[tuple[Server, ...]]:
    """Closes the servers at the end."""
    try:
        yield servers
    finally:
        for server in servers:
            server.close()
