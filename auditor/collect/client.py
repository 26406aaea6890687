"""The only cloud socket: the official clients, with their one public method `call_api` overridden.

The official packages give endpoints, credentials and the signature; the subclass sends the request over one pool of
kept connections with one TLS context, refuses whatever is not a listed read before anything is signed, and returns the
raw body.  Neither retries nor waits: that is `caller.py`.
"""

from __future__ import annotations

import importlib
import logging
import os
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

import urllib3

from auditor._version import __version__
from auditor.collect.answers import MAX_BODY_BYTES, Answer, CloudError, classify
from auditor.collect.endpoints import Endpoint, product_override, proxy_for
from auditor.collect.operations import PRODUCTS, Operation, host_of, operation_on_wire
from auditor.errors import PlauditError, UsageError

# More hosts than products times regions: a manager closes the pools it evicts, also those in use.
_MAX_HOSTS = 4096


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """What came over the wire: status, headers with lower-case names, body."""

    status: int
    headers: dict[str, str]
    data: bytes


def tls_context() -> ssl.SSLContext:
    """The one TLS context of a run; parsing the CA bundle costs more than the handshake.

    SSL_CERT_FILE and SSL_CERT_DIR are OpenSSL's own, REQUESTS_CA_BUNDLE is what the official client honours.
    """
    context = ssl.create_default_context(cafile=os.environ.get("REQUESTS_CA_BUNDLE") or None)
    if not context.get_ca_certs() and not os.environ.get("SSL_CERT_DIR"):
        import certifi  # comes with the official client; only for images without a system bundle

        context.load_verify_locations(certifi.where())
    return context


class Wire:
    """Sends one request and reads one answer.  Safe for threads; connections per host never exceed `connections`."""

    def __init__(self, connections: int) -> None:
        self._connections = connections
        self._lock = threading.Lock()
        self._managers: dict[str | None, urllib3.PoolManager] = {}
        self._pools: dict[Endpoint, urllib3.HTTPConnectionPool] = {}
        self._context: ssl.SSLContext | None = None

    def _pool(self, endpoint: Endpoint) -> urllib3.HTTPConnectionPool:
        """The kept connections to one server.  http goes to loopback only and https through a tunnel, so that the
        same relative request fits with and without a proxy."""
        pool = self._pools.get(endpoint)
        if pool is None:
            with self._lock:
                if endpoint.scheme == "https" and self._context is None:
                    self._context = tls_context()
                proxy = proxy_for(endpoint)
                # Loopback has a manager of its own, which never needs the context.
                key = proxy if endpoint.scheme == "https" else "loopback"
                manager = self._managers.get(key)
                if manager is None:
                    manager = self._managers[key] = self._new_manager(proxy)
                pool = manager.connection_from_url(f"{endpoint.scheme}://{endpoint.host}")
                pool = self._pools.setdefault(endpoint, pool)
        return pool

    def _new_manager(self, proxy: str | None) -> urllib3.PoolManager:
        options: dict[str, object] = {"maxsize": self._connections, "block": True, "retries": False}
        if self._context is not None:
            options["ssl_context"] = self._context
        if proxy is None:
            return urllib3.PoolManager(_MAX_HOSTS, **options)  # type: ignore[arg-type]  # one value type for all options
        parts = urlsplit(proxy)
        headers = None
        if parts.username is not None:
            headers = urllib3.make_headers(
                proxy_basic_auth=f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            )
        bare = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        return urllib3.ProxyManager(bare, _MAX_HOSTS, proxy_headers=headers, **options)  # type: ignore[arg-type]  # as above

    def send(
        self, endpoint: Endpoint, query: str, headers: dict[str, str], body: str | None, timeout: float
    ) -> RawAnswer:
        """POST once; a kept connection that breaks before any byte of the answer is replaced once, at once.

        `timeout` (seconds) bounds connecting, every read and the whole answer.  Raises CloudError.
        """
        try:
            try:
                return self._send(endpoint, query, headers, body, timeout)
            except _Broken:
                return self._send(endpoint, query, headers, body, timeout)
        except _Broken as error:
            raise CloudError("Plaudit.Unreachable", f"connection broken: {error}", once_more=True) from None

    def _send(
        self, endpoint: Endpoint, query: str, headers: dict[str, str], body: str | None, timeout: float
    ) -> RawAnswer:
        limit = time.monotonic() + timeout
        try:
            answer = self._pool(endpoint).urlopen(
                "POST",
                f"/?{query}" if query else "/",
                body=body,
                headers=headers,
                retries=False,
                redirect=False,
                assert_same_host=False,
                preload_content=False,
                timeout=urllib3.Timeout(connect=min(timeout, 5.0), read=timeout),
            )
        except urllib3.exceptions.HTTPError as error:
            raise _translated(error, endpoint) from None
        try:
            data = _read(answer, limit)
        except urllib3.exceptions.HTTPError as error:
            answer.close()
            raise _cut(error, endpoint) from None
        except CloudError:
            answer.close()
            raise
        finally:
            answer.release_conn()
        return RawAnswer(answer.status, {name.lower(): value for name, value in answer.headers.items()}, data)

    def close(self) -> None:
        """Close idle connections."""
        with self._lock:
            for manager in self._managers.values():
                manager.clear()


class _Broken(Exception):
    """The connection broke before any byte of the answer."""


def _read(answer: urllib3.BaseHTTPResponse, limit: float) -> bytes:
    read: Callable[..., bytes] = answer.read1 if hasattr(answer, "read1") else answer.read
    parts: list[bytes] = []
    size = 0
    while part := read(1 << 18):
        parts.append(part)
        size += len(part)
        if size > MAX_BODY_BYTES:
            raise CloudError("Plaudit.Malformed", f"an answer of more than {MAX_BODY_BYTES >> 20} MiB")
        if time.monotonic() > limit:
            raise CloudError("Plaudit.Timeout", "the answer did not end in time", once_more=True)
    return b"".join(parts)


def _translated(error: urllib3.exceptions.HTTPError, endpoint: Endpoint) -> Exception:
    """What an error before the answer means; texts of the library hold the signed URL and are not passed on."""
    if isinstance(error, urllib3.exceptions.ProxyError):
        return CloudError("Plaudit.Unreachable", "the proxy named in the environment refused the connection")
    if isinstance(error, urllib3.exceptions.SSLError):
        return CloudError("Plaudit.Unreachable", f"no trusted TLS connection to {endpoint.host}: {_reason(error)}")
    if isinstance(error, urllib3.exceptions.NameResolutionError):
        return CloudError("Plaudit.Unreachable", f"the name {endpoint.host} does not resolve", once_more=True)
    if isinstance(error, urllib3.exceptions.NewConnectionError):
        return CloudError("Plaudit.Unreachable", f"no connection to {endpoint.host}", once_more=True)
    if isinstance(error, urllib3.exceptions.TimeoutError):
        return CloudError("Plaudit.Timeout", f"no answer from {endpoint.host} in time", once_more=True)
    if isinstance(error, urllib3.exceptions.ProtocolError):
        return _Broken(f"{endpoint.host} closed it before answering")
    return CloudError("Plaudit.Unreachable", f"{type(error).__name__} on the way to {endpoint.host}")


def _cut(error: urllib3.exceptions.HTTPError, endpoint: Endpoint) -> CloudError:
    if isinstance(error, urllib3.exceptions.TimeoutError):
        return CloudError("Plaudit.Timeout", f"the answer from {endpoint.host} stopped half-way", once_more=True)
    if isinstance(error, urllib3.exceptions.DecodeError):
        return CloudError("Plaudit.Malformed", "an answer that cannot be decompressed", once_more=True)
    return CloudError("Plaudit.Malformed", f"the answer from {endpoint.host} broke off half-way", once_more=True)


def _reason(error: Exception) -> str:
    inner = error.args[0] if error.args else error
    reason = getattr(inner, "verify_message", None) or getattr(inner, "reason", None)
    return str(reason) if isinstance(reason, str) else type(inner).__name__


# ------------------------------------------------------------------------------------------- the official clients


class NotARead(PlauditError):
    """Something tried to call an operation that is not on the list of reads; nothing was signed or sent."""


def refuse_debug() -> None:
    """Raises UsageError if DEBUG=sdk is set: the official libraries would print tokens to standard error."""
    if "sdk" in os.environ.get("DEBUG", "").lower().split(","):
        raise UsageError("DEBUG=sdk makes the SDK print request headers with session tokens; unset DEBUG and run again")


def silence_loggers() -> None:
    """Take off the standard-error handlers that the official libraries attach when they are imported."""
    for name in ("darabonba-core", "credentials"):
        logger = logging.getLogger(name)
        for handler in list(logger.handlers):
            if type(handler) is logging.StreamHandler:
                logger.removeHandler(handler)
        # Their records can hold signed URLs, so they do not reach handlers of the application either.
        logger.propagate = False
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())


_CLASSES: dict[str, type[Any]] = {}
_CLASSES_LOCK = threading.Lock()


def client_class(product: str) -> type[Any]:
    """The official client class of a product behind `ReadOnly`, imported when first asked for."""
    with _CLASSES_LOCK:
        found = _CLASSES.get(product)
        if found is None:
            refuse_debug()
            package = PRODUCTS[product].package or "alibabacloud_tea_openapi"
            official = importlib.import_module(f"{package}.client").Client
            silence_loggers()
            found = _CLASSES[product] = type(f"{product.capitalize()}Client", (ReadOnly, official), {})
        return found


def official_client(
    product: str,
    region: str,
    credential: Any,
    wire: Wire,
    *,
    endpoint: Endpoint | None = None,
    timeout: float = 10.0,
) -> Any:
    """A client of one product in one region for one account.

    The server is `endpoint`, else the one of ALIBABA_CLOUD_ENDPOINT_<PRODUCT>, else the official one.
    """
    cls = client_class(product)
    from alibabacloud_tea_openapi.utils_models import Config

    chosen = endpoint or product_override(product)
    host = chosen.host if chosen is not None else None
    if host is None and not PRODUCTS[product].package:
        host = host_of(PRODUCTS[product], region)
    client = cls(
        Config(
            credential=credential,
            region_id=region,
            endpoint=host,
            protocol=chosen.scheme if chosen is not None else "https",
            user_agent=f"plaudit/{__version__}",
        )
    )
    client.plaudit_wire = wire
    client.plaudit_timeout = timeout
    return client


def call(client: Any, operation: Operation, parameters: Mapping[str, Any], timeout: float) -> Answer:
    """Call `operation` once.  `parameters` by their wire names; lists and None as the official clients take them.

    Raises CloudError, and NotARead for what is not on the list.
    """
    from alibabacloud_tea_openapi.utils import Utils
    from alibabacloud_tea_openapi.utils_models import OpenApiRequest, Params
    from darabonba.runtime import RuntimeOptions

    given = {name: parameters[name] for name in sorted(parameters) if parameters[name] is not None}
    request = OpenApiRequest(body=given) if operation.form else OpenApiRequest(query=Utils.query(given))
    params = Params(
        action=operation.name,
        version=operation.version,
        protocol="HTTPS",
        method="POST",
        pathname="/",
        auth_type="AK",
        style="RPC",
        req_body_type="formData",
        body_type="json",
    )
    result = client.call_api(params, request, RuntimeOptions(read_timeout=max(1, int(timeout * 1000))))
    answer: Answer = result["plaudit"]
    return answer


class ReadOnly:
    """Stands before an official client class; every operation of those ends in `call_api`."""

    plaudit_wire: Wire
    plaudit_timeout: float

    # Attributes of the official client.
    _endpoint: str
    _protocol: str
    _user_agent: str
    _credential: Any

    def call_api(self, params: Any, request: Any, runtime: Any) -> dict[str, Any]:
        """One attempt: {"body", "headers", "statusCode"} like the official method, and the Answer as "plaudit"."""
        operation = operation_on_wire(str(params.version), str(params.action))
        if operation is None or params.method != "POST" or params.pathname != "/":
            raise NotARead(f"{params.action} of API version {params.version} is not a listed read operation")
        headers, query, body = self.signed(params, request)
        timeout = runtime.read_timeout / 1000 if runtime.read_timeout else self.plaudit_timeout
        endpoint = Endpoint(str(self._protocol).lower(), self._endpoint)
        raw = self.plaudit_wire.send(endpoint, query, headers, body, timeout)
        answer = classify(operation, raw.status, raw.headers, raw.data)
        return {"body": answer.body, "headers": raw.headers, "statusCode": raw.status, "plaudit": answer}

    def signed(self, params: Any, request: Any) -> tuple[dict[str, str], str, str | None]:
        """Headers, query text and body of a request; the signature is the SDK's own."""
        from alibabacloud_tea_openapi.utils import Utils, get_canonical_query_string
        from darabonba.request import DaraRequest

        wired = DaraRequest()
        wired.method = params.method
        wired.pathname = params.pathname
        wired.query = dict(request.query or {})
        wired.headers = {
            "host": self._endpoint,
            "x-acs-version": params.version,
            "x-acs-action": params.action,
            "user-agent": Utils.get_user_agent(self._user_agent),
            "x-acs-date": Utils.get_timestamp(),
            "x-acs-signature-nonce": Utils.get_nonce(),
            "accept": "application/json",
        }
        algorithm = "ACS3-HMAC-SHA256"
        body: str | None = None
        if request.body is not None:
            body = Utils.to_form(request.body)
            wired.headers["content-type"] = "application/x-www-form-urlencoded"
        digest = Utils.hash((body or "").encode("utf-8"), algorithm).hex()
        wired.headers["x-acs-content-sha256"] = digest
        credential = self._credential.get_credential()
        if credential.provider_name is not None:
            wired.headers["x-acs-credentials-provider"] = credential.provider_name
        if credential.security_token:
            wired.headers["x-acs-accesskey-id"] = credential.access_key_id
            wired.headers["x-acs-security-token"] = credential.security_token
        wired.headers["Authorization"] = Utils.get_authorization(
            wired, algorithm, digest, credential.access_key_id, credential.access_key_secret
        )
        return wired.headers, get_canonical_query_string(wired.query), body

    def _no_way_around(self, *_: Any, **__: Any) -> Any:
        raise NotARead("plaudit sends requests through call_api only")

    # The other doors of the generic client; none of the listed reads goes through them.
    do_request = do_rpcrequest = do_roarequest = do_roarequest_with_form = execute = _no_way_around
    call_sseapi = call_api_async = do_request_async = do_rpcrequest_async = _no_way_around
    do_roarequest_async = do_roarequest_with_form_async = execute_async = call_sseapi_async = _no_way_around
