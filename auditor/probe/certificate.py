"""The certificate of a server: what it says of itself, for whom it is, and whether somebody trusted vouches for it.

It was written by a stranger: texts are bounded, and what cannot be understood is None and not guessed.
"""

from __future__ import annotations

import ipaddress
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

_MOST_NAMES = 100
_MOST_TEXT = 253


@dataclass(frozen=True)
class Trust:
    """Whom the probe trusts: the store of the system, or the certificates of a file (PEM)."""

    authorities: str | None = None

    @property
    def words(self) -> str:
        """`system` or `file`."""
        return "system" if self.authorities is None else "file"

    def context(self, protocols: tuple[str, ...], *, verify: bool) -> ssl.SSLContext:
        """A context that checks the chain but not the name (unless `verify` is False, then neither)."""
        return _context(self.authorities, protocols, verify)


@lru_cache(maxsize=16)
def _context(authorities: str | None, protocols: tuple[str, ...], verify: bool) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_alpn_protocols(list(protocols))
    context.check_hostname = False
    if not verify:
        context.verify_mode = ssl.CERT_NONE
    elif authorities is None:
        context.load_default_certs()
    else:
        context.load_verify_locations(cadata=authorities)
    return context


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate as the probe saw it; times are RFC 3339, UTC.

    `trusted` is None where the chain was refused although only the time is wrong: nobody knows then.
    """

    names: tuple[str, ...]
    issuer: str | None
    not_before: str
    not_after: str
    name_matches: bool | None
    in_time: bool
    trusted: bool | None

    @classmethod
    def read(cls, der: bytes | None, wanted: str, *, trusted: bool) -> Certificate | None:
        """From its DER bytes; None if there is none or it cannot be understood."""
        from cryptography import x509
        from cryptography.exceptions import UnsupportedAlgorithm

        if not der:
            return None
        try:
            found = x509.load_der_x509_certificate(der)
            begin, end = found.not_valid_before_utc, found.not_valid_after_utc
            names = _names(found)
            issuer = found.issuer.rfc4514_string()[:_MOST_TEXT]
        except (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion):
            return None
        in_time = begin <= datetime.now(UTC) <= end
        return cls(
            tuple(name[:_MOST_TEXT] for name in names[:_MOST_NAMES]),
            issuer or None,
            _text(begin),
            _text(end),
            any(matches(name, wanted) for name in names[:_MOST_NAMES]),
            in_time,
            True if trusted else None if not in_time else False,
        )


def _names(found: object) -> list[str]:
    from cryptography import x509

    assert isinstance(found, x509.Certificate)  # noqa: S101 - typed as object to keep the import late
    try:
        extension = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []  # the common name has not counted for years
    names = [str(name) for name in extension.get_values_for_type(x509.DNSName)]
    return names + [str(address) for address in extension.get_values_for_type(x509.IPAddress)]


def matches(name: str, wanted: str) -> bool:
    """Whether a name of a certificate is that of a server, as RFC 6125 says: `*` stands for one whole first label."""
    try:
        address = ipaddress.ip_address(wanted)
    except ValueError:
        address = None
    if address is not None:
        try:
            return ipaddress.ip_address(name) == address
        except ValueError:
            return False
    pattern, host = name.lower().rstrip("."), wanted.lower().rstrip(".")
    if pattern.startswith("*."):
        first, _, rest = host.partition(".")
        return bool(first) and rest == pattern[2:] and "." in rest
    return pattern == host


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
