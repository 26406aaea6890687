"""Resolving: one question to one name server, its answer with everything a client would go by; and the host's own.

`ask` goes to the named server and nowhere else; `ask_system` asks as the programs of this host do, hosts file and
caches included, and contacts whatever the host is configured for.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from auditor.errors import FileError, UsageError
from auditor.probe.targets import parse_address

#: What became of a question.  `no_name`: NXDOMAIN; `no_address`: the name is there, without such a record.
STATUSES = ("ok", "no_name", "no_address", "timeout", "server_failure", "refused", "error")
SYSTEM = "system"
RECORD_TYPES = ("A", "AAAA")
_FAMILIES = {"A": socket.AF_INET, "AAAA": socket.AF_INET6}
#: More addresses or names than this are no answer about an endpoint.
_MOST = 100
RESOLV_CONF = Path("/etc/resolv.conf")


@dataclass(frozen=True, slots=True)
class Server:
    """A name server."""

    address: str
    port: int = 53

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What one resolver said to one question; addresses with their time to live in seconds (None: not told)."""

    resolver: str
    record_type: str
    status: str
    addresses: tuple[tuple[str, int | None], ...] = ()
    chain: tuple[str, ...] = ()
    seconds: float = 0.0
    error: str | None = None


def parse_server(text: str) -> Server:
    """`10.0.0.2`, `10.0.0.2:5353`, `2001:db8::2`, `[2001:db8::2]:53`.  Raises UsageError."""
    host, port = text, "53"
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        port = rest[1:] if rest.startswith(":") else "53" if not rest else "x"
    elif text.count(":") == 1:
        host, port = text.split(":")
    try:
        if not port.isdecimal() or not 1 <= int(port) <= 65535:
            raise ValueError(f"{port!r} is not a port")
        return Server(parse_address(host), int(port))
    except ValueError as error:
        raise UsageError(f"--resolver {text}: {error}; write an address, or address:port") from None


def system_servers(path: Path = RESOLV_CONF) -> tuple[Server, ...]:
    """The name servers this host is configured for.  Raises FileError; none is no error."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise FileError(path, f"cannot be read: {error.strerror}") from None
    found = []
    for line in text.splitlines():
        words = line.split()
        if len(words) >= 2 and words[0] == "nameserver":
            try:
                found.append(Server(parse_address(words[1])))
            except ValueError:
                continue  # an address with a scope, which asks nobody we could name
    return tuple(dict.fromkeys(found))[:3]  # as many as the resolver library of the system uses


def ask(server: Server, domain: str, record_type: str, timeout: float) -> Answer:
    """One question, over UDP and where the answer is cut over TCP."""
    import dns.exception
    import dns.message
    import dns.query
    import dns.rcode

    def made(status: str, **values: Any) -> Answer:
        return Answer(str(server), record_type, status, seconds=time.perf_counter() - started, **values)

    started = time.perf_counter()
    try:
        question = dns.message.make_query(domain + ".", record_type)
        answer, _ = dns.query.udp_with_fallback(question, server.address, timeout=timeout, port=server.port)
    except dns.exception.Timeout:
        return made("timeout", error=f"no answer in {timeout:g} s")
    except ConnectionRefusedError:
        return made("refused", error="the server does not listen")
    except OSError as error:
        return made("error", error=error.strerror or type(error).__name__)
    except (dns.exception.DNSException, ValueError, EOFError) as error:
        return made("error", error=f"the answer was not understood ({type(error).__name__})")
    code = answer.rcode()
    if code == dns.rcode.NXDOMAIN:
        return made("no_name", chain=_chain(answer))
    if code != dns.rcode.NOERROR:
        status = "refused" if code == dns.rcode.REFUSED else "server_failure"
        return made(status, error=dns.rcode.to_text(code))
    try:
        assert isinstance(answer, dns.message.QueryMessage)  # noqa: S101 - what answers a query is one
        result = answer.resolve_chaining()
    except (dns.exception.DNSException, ValueError) as error:
        return made("error", error=f"the answer was not understood ({type(error).__name__})")
    if result.answer is None:
        return made("no_address", chain=_chain(answer))
    found = sorted({_spelled(item.address) for item in list(result.answer)[:_MOST]})
    return made("ok", addresses=tuple((address, result.minimum_ttl) for address in found), chain=_chain(answer))


def _chain(answer: Any) -> tuple[str, ...]:
    import dns.rdatatype

    names = [
        str(item.target).rstrip(".") for rrset in answer.answer if rrset.rdtype == dns.rdatatype.CNAME for item in rrset
    ]
    return tuple(name[:253] for name in names[:16])


def ask_system(domain: str, timeout: float, lookup: Callable[..., Any] = socket.getaddrinfo) -> tuple[Answer, ...]:
    """What the programs of this host get for a name, one answer per record type.

    The system gives no way to end a look-up early: one that takes longer is left to itself.
    """
    return tuple(_system(domain, record_type, timeout, lookup) for record_type in RECORD_TYPES)


def _system(domain: str, record_type: str, timeout: float, lookup: Callable[..., Any]) -> Answer:
    found: list[Any] = []

    def run() -> None:
        try:
            found.append(lookup(domain, None, _FAMILIES[record_type], socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            found.append(error)

    started = time.perf_counter()
    thread = threading.Thread(target=run, name="look-up", daemon=True)
    thread.start()
    thread.join(timeout)
    seconds = time.perf_counter() - started

    def made(status: str, error: str | None = None, addresses: Sequence[str] = ()) -> Answer:
        return Answer(SYSTEM, record_type, status, tuple((one, None) for one in addresses), (), seconds, error)

    if not found:
        return made("timeout", f"no answer in {timeout:g} s")
    answer = found[0]
    if isinstance(answer, socket.gaierror):
        # The system does not tell an absent name from a name without such a record.
        if answer.errno in (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)):
            return made("no_address", answer.strerror)
        if answer.errno == getattr(socket, "EAI_ADDRFAMILY", None):
            return made("no_address", answer.strerror)
        return made("server_failure", answer.strerror)
    if isinstance(answer, Exception):
        return made("error", type(answer).__name__)
    addresses = sorted({str(entry[4][0]).partition("%")[0] for entry in answer})[:_MOST]
    return made("ok" if addresses else "no_address", None, [_spelled(one) for one in addresses])


def _spelled(text: str) -> str:
    """An address as Python spells it.  An answer may hold any address, 0.0.0.0 too."""
    return str(ipaddress.ip_address(text))


def dns_datagram() -> bytes:
    """A question every name server answers: the name servers of the root."""
    import dns.message

    return dns.message.make_query(".", "NS").to_wire()
