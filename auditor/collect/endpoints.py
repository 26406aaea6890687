"""Endpoints and proxies: where a product is called, and over which way; `http` only for loopback."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass
from urllib import request as urllib_request
from urllib.parse import urlsplit

from auditor.collect.redaction import redact
from auditor.errors import UsageError


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Scheme and `host` or `host:port` of an API server."""

    scheme: str
    host: str


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine; names other than localhost are not looked up."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def parse_endpoint(text: str, source: str) -> Endpoint:
    """`https://host[:port]` or a bare host.  Raises UsageError that names `source`."""
    given = text.strip()
    shown = redact(given.rpartition("@")[2])
    try:
        parts = urlsplit(given if "://" in given else f"https://{given}")
        host, port = parts.hostname, parts.port
    except ValueError:
        raise UsageError(f"{source}: {shown!r} is not a URL; write https://host or https://host:port") from None
    if not host or any(character.isspace() for character in given):
        raise UsageError(f"{source}: {shown!r} names no host; write https://host or https://host:port")
    if parts.username or parts.password:
        raise UsageError(f"{source}: no user name or password belongs into the URL of an API server")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise UsageError(f"{source}: {shown!r} has more than scheme, host and port; write https://host:port")
    if parts.scheme not in ("http", "https"):
        raise UsageError(f"{source}: scheme {parts.scheme!r} cannot be used; write https://{host}")
    if parts.scheme == "http" and not is_loopback(host):
        raise UsageError(f"{source}: http is allowed for loopback hosts only; write https://{host}")
    name = f"[{host}]" if ":" in host else host
    return Endpoint(parts.scheme, name if port is None else f"{name}:{port}")


def product_override(product: str) -> Endpoint | None:
    """The server named by `ALIBABA_CLOUD_ENDPOINT_<PRODUCT>`, the variables of the Terraform provider."""
    name = f"ALIBABA_CLOUD_ENDPOINT_{product.upper()}"
    value = os.environ.get(name, "").strip()
    return parse_endpoint(value, name) if value else None


def proxy_for(endpoint: Endpoint) -> str | None:
    """URL of the proxy the environment names for `endpoint`; never one for loopback or for a NO_PROXY host."""
    host = urlsplit(f"//{endpoint.host}").hostname or ""
    if is_loopback(host):
        return None
    proxies = urllib_request.getproxies_environment()
    url = proxies.get(endpoint.scheme) or proxies.get("all")
    # Not in the stubs, but what every HTTP library of Python uses for NO_PROXY.
    if not url or urllib_request.proxy_bypass_environment(host):  # type: ignore[attr-defined]
        return None
    if "://" not in url:
        url = f"http://{url}"
    scheme = urlsplit(url).scheme.lower()
    if scheme not in ("http", "https"):
        raise UsageError(
            f"the {scheme} proxy of the environment cannot be used; name an http or https proxy, or NO_PROXY"
        )
    return url
