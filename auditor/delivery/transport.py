"""HTTP to one sink: one pool, one connection, certificates verified, no redirects, no address in any error."""

from __future__ import annotations

import ipaddress
import logging
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auditor import __version__
from auditor.delivery.secrets import Secret
from auditor.errors import FileError, UsageError

if TYPE_CHECKING:
    import urllib3

#: Statuses after which the same batch is sent again; every 5xx is one too.
RETRIED = frozenset({408, 425, 429})

#: Statuses about who asks or where: credentials, path, method.  The events are not at fault and stay in the spool.
ABOUT_SENDER = frozenset({401, 403, 404, 405, 407})

_ANSWER_BYTES = 4_000_000
_LOGGERS = ("urllib3", "urllib3.connectionpool", "urllib3.connection", "urllib3.util.retry")


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that arrived whole; header names are in lower case."""

    status: int
    text: str
    headers: Mapping[str, str]


class Unanswered(Exception):
    """No whole answer: whether the batch was taken is not known.  The text names no address."""


class Untrusted(Exception):
    """The certificate of the other side does not hold; trying again would not change that."""


def is_loopback(host: str) -> bool:
    """Whether a host of an address is this machine."""
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def tls_context(
    ca_file: Path | None = None, certificate: Path | None = None, key: Path | None = None
) -> ssl.SSLContext:
    """Certificates and host names are verified, TLS 1.2 or newer.  Raises FileError for files that cannot be used."""
    try:
        context = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    except (OSError, ssl.SSLError) as error:
        raise FileError(ca_file or "", f"is no file of certificates: {_words(error)}") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if certificate is not None:
        try:
            context.load_cert_chain(certificate, key)
        except (OSError, ssl.SSLError) as error:
            raise FileError(certificate, f"is no client certificate with its key: {_words(error)}") from None
    return context


def _words(error: OSError) -> str:
    return error.strerror or type(error).__name__


class Transport:
    """POST requests to one origin.  Raises UsageError for an address that must not be used, without showing it."""

    def __init__(self, url: Secret, name: str, *, ca_file: Path | None = None, subdomain: str = "") -> None:
        import urllib3
        from urllib3.exceptions import LocationParseError
        from urllib3.util import Timeout, parse_url

        try:
            parts = parse_url(url.reveal())
        except LocationParseError:
            raise UsageError(f"the address of {name} is not a URL; write https://host/path") from None
        if parts.scheme not in ("http", "https") or not parts.host:
            raise UsageError(f"the address of {name} is not a URL; write https://host/path")
        if parts.auth or parts.fragment:
            raise UsageError(
                f"the address of {name} holds a user or a fragment; put credentials into the environment or a file"
            )
        if parts.scheme == "http" and not is_loopback(parts.host):
            raise UsageError(f"the address of {name} is plain http, which is for loopback only; write https://")
        self.path = (parts.path or "").rstrip("/")
        self.query = parts.query or ""
        host = parts.host.strip("[]")
        #: What `Host` says; an address that is a number has no subdomains, so the header alone tells them apart.
        self.host = f"{subdomain}.{host}" if subdomain else host
        if subdomain and not _is_number(host):
            host = self.host
        self._headers = {"User-Agent": f"plaudit/{__version__}"}
        self._pool: urllib3.HTTPConnectionPool
        wait = Timeout(connect=10, read=30)
        if parts.scheme == "https":
            self._pool = urllib3.HTTPSConnectionPool(
                host, parts.port or 443, maxsize=1, block=True, retries=False, timeout=wait,
                ssl_context=tls_context(ca_file),
            )  # fmt: skip
        else:
            self._pool = urllib3.HTTPConnectionPool(
                host, parts.port or 80, maxsize=1, block=True, retries=False, timeout=wait
            )

    def post(self, target: str, body: bytes, headers: Mapping[str, str], timeout: float) -> Answer:
        """One request to a path (with query) of the origin.  Raises Unanswered and Untrusted."""
        from urllib3 import exceptions
        from urllib3.util import Timeout

        patience = min(30.0, max(1.0, timeout))
        end = time.monotonic() + patience
        try:
            with _silenced():
                response = self._pool.urlopen(
                    "POST",
                    target or "/",
                    body=body,
                    headers={**self._headers, **headers},
                    redirect=False,
                    retries=False,
                    preload_content=False,
                    decode_content=False,
                    timeout=Timeout(connect=min(10.0, patience), read=patience),
                )
                try:
                    content = _whole(response, end)
                except BaseException:
                    response.close()
                    raise
                response.release_conn()
        except exceptions.SSLError as error:
            if "CERTIFICATE_VERIFY_FAILED" in str(error) or "Hostname mismatch" in str(error):
                raise Untrusted("its certificate is not trusted; name the authority with ca_file") from None
            raise Unanswered("TLS broke off") from None
        except exceptions.NewConnectionError:
            raise Unanswered("no connection") from None
        except exceptions.TimeoutError:
            raise Unanswered("no answer in time") from None
        except (exceptions.HTTPError, OSError):
            raise Unanswered("the connection broke off") from None
        return Answer(
            response.status,
            content.decode("utf-8", "replace"),
            {name.lower(): value for name, value in response.headers.items()},
        )

    def close(self) -> None:
        """Closes the connection."""
        self._pool.close()


def _whole(response: Any, end: float) -> bytes:
    content = bytearray()
    while chunk := response.read1(65_536):
        content += chunk
        if len(content) > _ANSWER_BYTES:
            raise Unanswered("the answer is too long")
        if time.monotonic() > end:
            raise Unanswered("no answer in time")
    missing = response.length_remaining
    if missing:
        raise Unanswered("the answer is truncated")
    return bytes(content)


@contextmanager
def _silenced() -> Iterator[None]:
    # urllib3 logs addresses, on a warning with the whole path; nobody but us speaks to a sink, so nobody misses them.
    filters = [(logging.getLogger(name), _Silence()) for name in _LOGGERS]
    for logger, silence in filters:
        logger.addFilter(silence)
    try:
        yield
    finally:
        for logger, silence in filters:
            logger.removeFilter(silence)


class _Silence(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        return False
