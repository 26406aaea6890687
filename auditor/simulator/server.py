"""The simulated cloud on loopback: one port for all products, accounts and regions."""

from __future__ import annotations

import contextlib
import hmac
import json
import os
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from auditor.simulator import balancers, clb, ecs, monitoring, privatelink, vpc
from auditor.simulator.connection import read_request, send_reply
from auditor.simulator.faults import Fault, FaultScript, Reply, change_body, change_reply, changed_params, error_of
from auditor.simulator.limits import RateLimits
from auditor.simulator.signature import Request, authorization, signature
from auditor.simulator.wire import Answer, ApiError, Call, Row
from auditor.simulator.world import World

#: Product and operations by the version a request names.
PRODUCTS: dict[str, tuple[str, dict[str, Answer]]] = {
    "2020-04-15": ("privatelink", privatelink.OPERATIONS),
    "2014-05-15": ("slb", clb.OPERATIONS),
    "2016-04-28": ("vpc", vpc.OPERATIONS),
    "2014-05-26": ("ecs", ecs.OPERATIONS),
    "2015-04-01": ("sts", ecs.STS_OPERATIONS),
    "2022-04-30": ("nlb", balancers.OPERATIONS),
    "2020-06-16": ("alb", balancers.OPERATIONS),
    "2024-04-15": ("gwlb", balancers.OPERATIONS),
    "2019-01-01": ("cms", monitoring.CMS_OPERATIONS),
}


@dataclass
class Statistics:
    """What the server saw: `requests` by (account id, region id, "product:Operation"), the region "" where not sent."""

    requests: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    connections: int = 0
    in_flight: int = 0
    in_flight_max: int = 0
    throttled: int = 0
    refused: Counter[str] = field(default_factory=Counter)

    def operations(self) -> Counter[str]:
        """Requests per operation over all accounts and regions."""
        total: Counter[str] = Counter()
        for (_, _, operation), count in self.requests.items():
            total[operation] += count
        return total


class Simulator:
    """Context manager: serves a world on 127.0.0.1 until it is left.

    `port` 0 takes a free one.  `latency` (seconds) is added to every answer.  `enforce_limits` refuses calls above the
    documented rates, with windows shortened by `limit_scale`.  The world may be changed at any time; `faults` too,
    through `set_faults`.
    """

    def __init__(
        self,
        world: World,
        *,
        faults: Sequence[Fault] = (),
        latency: float = 0.0,
        enforce_limits: bool = False,
        limit_scale: float = 1.0,
        verify_signature: bool = True,
        port: int = 0,
    ) -> None:
        self.world = world
        self.latency = latency
        self.statistics = Statistics()
        self._port = port
        self._verify = verify_signature
        self._limits = RateLimits(limit_scale) if enforce_limits else None
        self._script = FaultScript(faults)
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._listener: socket.socket | None = None
        self._connections: dict[socket.socket, threading.Thread] = {}
        self._acceptor: threading.Thread | None = None
        self._serial = 0

    # --------------------------------------------------------------------------------------------- life time
    def __enter__(self) -> Simulator:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Listen and serve in background threads; OSError if the port is taken."""
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", self._port))
            listener.listen(1024)
        except OSError:
            listener.close()
            raise
        self._port = listener.getsockname()[1]
        self._stopping.clear()
        self._listener = listener
        self._acceptor = threading.Thread(target=self._accept, args=(listener,), name="simulator", daemon=True)
        self._acceptor.start()

    def stop(self) -> None:
        """Close everything and wait for the threads."""
        self._stopping.set()
        if self._listener is not None:
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        if self._acceptor is not None:
            self._acceptor.join()
        with self._lock:
            open_connections = list(self._connections.items())
        for connection, _ in open_connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for _, thread in open_connections:
            thread.join(timeout=5)

    @property
    def port(self) -> int:
        return self._port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def set_faults(self, faults: Sequence[Fault]) -> None:
        """Replace the script; the numbers of the calls start again."""
        self._script = FaultScript(faults)

    def write_config(self, path: Path) -> list[str]:
        """Write a configuration file of the Alibaba Cloud CLI (mode 0600) and return the names of its profiles."""
        profiles: list[Row] = []
        for credential in self.world.credentials.values():
            profile = {
                "name": credential.profile,
                "mode": "StsToken" if credential.security_token else "AK",
                "access_key_id": credential.access_key_id,
                "access_key_secret": credential.access_key_secret,
                "region_id": "eu-central-1",
                "output_format": "json",
                "language": "en",
            }
            if credential.security_token:
                profile["sts_token"] = credential.security_token
            profiles.append(profile)
        current = profiles[0]["name"] if profiles else ""
        text = json.dumps({"current": current, "profiles": profiles, "meta_path": ""}, indent=2)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text + "\n")
        return [profile["name"] for profile in profiles]

    # -------------------------------------------------------------------------------------------- connections
    def _accept(self, listener: socket.socket) -> None:
        while not self._stopping.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            thread = threading.Thread(target=self._serve, args=(connection,), name="simulator-connection", daemon=True)
            with self._lock:
                self.statistics.connections += 1
                self._connections[connection] = thread
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection, connection.makefile("rb") as stream:
                while not self._stopping.is_set():
                    request = read_request(stream)
                    if request is None:
                        return
                    with self._in_flight():
                        reply = self._answer(request)
                        delay = self.latency + reply.delay
                        if delay and self._stopping.wait(delay):
                            return
                    keep = request.headers.get("connection", "").lower() != "close"
                    if not send_reply(connection, reply, keep=keep) or not keep:
                        return
        except (OSError, ValueError):
            return
        finally:
            with self._lock:
                self._connections.pop(connection, None)

    @contextlib.contextmanager
    def _in_flight(self) -> Iterator[None]:
        statistics = self.statistics
        with self._lock:
            statistics.in_flight += 1
            statistics.in_flight_max = max(statistics.in_flight_max, statistics.in_flight)
        try:
            yield
        finally:
            with self._lock:
                statistics.in_flight -= 1

    # ------------------------------------------------------------------------------------------------ answers
    def _request_id(self) -> str:
        with self._lock:
            self._serial += 1
            return f"7C1E0A00-5B2D-4E6F-9A10-{self._serial:012X}"

    def _answer(self, request: Request) -> Reply:
        request_id = self._request_id()
        product, operations = PRODUCTS.get(request.headers.get("x-acs-version", ""), ("unknown", {}))
        host = f"{product}.eu-central-1.aliyuncs.com"
        try:
            if request.method not in ("POST", "GET"):
                raise ApiError(405, "UnsupportedHTTPMethod", "Only POST and GET are supported.")
            account_id = self._authenticate(request)
            return self._dispatch(request, request_id, product, operations, account_id)
        except ApiError as error:
            return self._error(error, request_id, host)

    def _error(self, error: ApiError, request_id: str, host: str) -> Reply:
        with self._lock:
            self.statistics.refused[error.code] += 1
            if error.code.startswith("Throttling"):
                self.statistics.throttled += 1
        return Reply(error.status, _encode(error.body(request_id, host)), dict(error.headers))

    def _authenticate(self, request: Request) -> str:
        """Account id behind the access key; ApiError for unknown keys, wrong tokens and wrong signatures."""
        parts = authorization(request)
        credential = self.world.credentials.get(parts["Credential"])
        if credential is None:
            raise ApiError(404, "InvalidAccessKeyId.NotFound", "The access key does not exist.")
        if request.headers.get("x-acs-security-token", "") != credential.security_token:
            raise ApiError(400, "InvalidSecurityToken.Malformed", "The security token does not belong to the key.")
        if self._verify:
            expected = signature(request, parts["SignedHeaders"], credential.access_key_secret)
            if not hmac.compare_digest(expected.encode(), parts["Signature"].encode()):
                raise ApiError(400, "SignatureDoesNotMatch", "The signature does not match.")
        return credential.account_id

    def _dispatch(
        self, request: Request, request_id: str, product: str, operations: dict[str, Answer], account_id: str
    ) -> Reply:
        action = request.headers.get("x-acs-action", "")
        answer = operations.get(action)
        if answer is None:
            raise ApiError(404, "InvalidAction.NotFound", "The operation does not exist.")
        params = request.params()
        region_id = params.get("RegionId", "")
        operation = f"{product}:{action}"
        with self._lock:
            self.statistics.requests[account_id, region_id, operation] += 1
        if self._limits is not None:
            self._limits.check(account_id, region_id, operation)
        faults = self._script.active(operation, account_id, region_id, params)
        params, used = changed_params(faults, params)
        for fault in faults:
            if fault.kind == "other_account":
                account_id = str(fault.value)
        call = Call(self.world, self.world.accounts[account_id], product, action, region_id, params)
        for fault in faults:
            error = error_of(fault, call)
            if error is not None:
                raise error
        body = answer(call)
        for fault in faults:
            body = change_body(fault, body, used)
        reply = Reply(200, _encode({**body, "RequestId": request_id}))
        for fault in faults:
            reply = change_reply(fault, reply)
        return reply


def _encode(body: Row) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def serve(
    scenario: str,
    port: int,
    config_path: Path,
    faults: Sequence[Fault] = (),
    latency: float = 0.0,
    *,
    seconds: float | None = None,
    enforce_limits: bool = False,
    stop: threading.Event | None = None,
    on_start: Callable[[Simulator], None] | None = None,
) -> Statistics:
    """Serve a scenario until `stop` is set, KeyboardInterrupt comes or `seconds` have passed.

    Writes the profiles to `config_path` first, then calls `on_start` with the running simulator (for its url).
    Returns what the server saw.  KeyError for an unknown scenario, OSError for a port that is taken or a file that
    cannot be written.
    """
    from auditor.simulator.scenarios import SCENARIOS

    stop = stop or threading.Event()
    end = None if seconds is None else time.monotonic() + seconds
    with Simulator(
        SCENARIOS[scenario](), faults=faults, latency=latency, enforce_limits=enforce_limits, port=port
    ) as simulator:
        simulator.write_config(config_path)
        if on_start is not None:
            on_start(simulator)
        with contextlib.suppress(KeyboardInterrupt):
            stop.wait(None if end is None else max(end - time.monotonic(), 0))
    return simulator.statistics
