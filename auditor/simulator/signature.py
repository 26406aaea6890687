"""The ACS3-HMAC-SHA256 signature of a request."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlsplit

from auditor.simulator.wire import ApiError


@dataclass(slots=True)
class Request:
    """An HTTP request: header names in lower case, `params` from the query and a form body."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    def query(self) -> list[tuple[str, str]]:
        return parse_qsl(urlsplit(self.target).query, keep_blank_values=True)

    def params(self) -> dict[str, str]:
        values = dict(self.query())
        if self.body and "x-www-form-urlencoded" in self.headers.get("content-type", ""):
            values.update(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))
        return values


def authorization(request: Request) -> dict[str, str]:
    """Credential, SignedHeaders and Signature of the Authorization header; IncompleteSignature if one is missing."""
    scheme, _, rest = request.headers.get("authorization", "").partition(" ")
    parts = dict(part.strip().partition("=")[::2] for part in rest.split(","))
    if scheme != "ACS3-HMAC-SHA256" or not {"Credential", "SignedHeaders", "Signature"} <= parts.keys():
        raise ApiError(400, "IncompleteSignature", "The Authorization header is missing or incomplete.")
    return parts


def signature(request: Request, signed_headers: str, secret: str) -> str:
    """ACS3-HMAC-SHA256 of the request (hex): canonical query, the signed headers, and the hash of the body."""
    query = "&".join(f"{quote(name, safe='~')}={quote(value, safe='~')}" for name, value in sorted(request.query()))
    lines = [request.method, urlsplit(request.target).path or "/", query]
    headers = "".join(f"{name}:{request.headers.get(name, '').strip()}\n" for name in signed_headers.split(";"))
    lines += [headers, signed_headers, hashlib.sha256(request.body).hexdigest()]
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    return hmac.new(secret.encode(), f"ACS3-HMAC-SHA256\n{digest}".encode(), hashlib.sha256).hexdigest()
