"""The client: signature, connections, proxies, and what never leaves it."""

from __future__ import annotations

import json
import logging
import socket
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from auditor.collect import client as client_module
from auditor.collect.answers import CloudError
from auditor.collect.client import Wire, call, client_class, official_client, refuse_debug, tls_context
from auditor.collect.endpoints import Endpoint, parse_endpoint, product_override, proxy_for
from auditor.collect.operations import OPERATIONS
from auditor.errors import UsageError
from tests.collect.cloud import LoopbackCloud

SECRET, TOKEN = "s3cretS3cretS3cret", "CAIStokentokentokentoken"
REGIONS = {"Regions": {"Region": []}}


class Keys:
    def __init__(self, token: str | None = None) -> None:
        self.token = token

    def get_credential(self) -> Any:
        return SimpleNamespace(
            access_key_id="LTAI_TEST",
            access_key_secret=SECRET,
            security_token=self.token,
            provider_name="static_sts" if self.token else "static_ak",
            type="sts" if self.token else "access_key",
        )


def _client(url: str, product: str = "privatelink", token: str | None = None, timeout: float = 2.0) -> Any:
    endpoint = parse_endpoint(url, "test")
    return official_client(product, "eu-central-1", Keys(token), Wire(4), endpoint=endpoint, timeout=timeout)


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize("token", [None, TOKEN])
def test_the_request_is_byte_for_byte_that_of_the_sdk(monkeypatch: pytest.MonkeyPatch, token: str | None) -> None:
    from alibabacloud_privatelink20200415.client import Client
    from alibabacloud_tea_openapi.utils import Utils
    from alibabacloud_tea_openapi.utils_models import Config, OpenApiRequest, Params
    from darabonba.runtime import RuntimeOptions

    monkeypatch.setattr(Utils, "get_nonce", staticmethod(lambda: "nonce"))
    monkeypatch.setattr(Utils, "get_timestamp", staticmethod(lambda: "2026-01-01T00:00:00Z"))
    query = {"RegionId": "eu-central-1", "MaxResults": 50, "ServiceName": "a b/ü*~+%", "AutoAcceptEnabled": True}
    query["Tag"] = [{"Key": "env", "Value": "net/ops"}]
    paths: list[str] = []
    original = LoopbackCloud._serve

    def noted(cloud: LoopbackCloud, handler: Any) -> None:
        paths.append(handler.path)
        original(cloud, handler)

    monkeypatch.setattr(LoopbackCloud, "_serve", noted)
    with LoopbackCloud({"ListVpcEndpointServices": {"Services": []}}) as cloud:
        host = cloud.url.removeprefix("http://")
        official = Client(
            Config(
                credential=Keys(token),
                region_id="eu-central-1",
                endpoint=host,
                protocol="http",
                user_agent=f"plaudit/{client_module.__version__}",
            )
        )
        params = Params(
            action="ListVpcEndpointServices",
            version="2020-04-15",
            protocol="HTTPS",
            method="POST",
            pathname="/",
            auth_type="AK",
            style="RPC",
            req_body_type="formData",
            body_type="json",
        )
        official.call_api(params, OpenApiRequest(query=Utils.query(query)), RuntimeOptions())
        call(_client(cloud.url, token=token), OPERATIONS["privatelink:ListVpcEndpointServices"], query, 5)
        theirs, ours = cloud.headers
        assert theirs["authorization"] == ours["authorization"]
        assert theirs == ours
        assert cloud.requests[0] == cloud.requests[1]
        assert ("x-acs-security-token" in ours) is bool(token)


def test_form_parameters_travel_signed_in_the_body(monkeypatch: pytest.MonkeyPatch) -> None:
    with LoopbackCloud({"ListServerGroups": {"ServerGroups": []}}) as cloud:
        client = _client(cloud.url, "nlb")
        call(client, OPERATIONS["nlb:ListServerGroups"], {"ServerGroupIds": ["sgp-1", "sgp-2"], "MaxResults": 5}, 5)
        assert cloud.requests[0][2] == {"ServerGroupIds.1": "sgp-1", "ServerGroupIds.2": "sgp-2", "MaxResults": "5"}
        assert cloud.headers[0]["content-type"] == "application/x-www-form-urlencoded"
        import hashlib

        body = "MaxResults=5&ServerGroupIds.1=sgp-1&ServerGroupIds.2=sgp-2"
        assert cloud.headers[0]["x-acs-content-sha256"] == hashlib.sha256(body.encode()).hexdigest()


def test_connections_are_kept_and_never_more_than_allowed() -> None:
    with LoopbackCloud({"DescribeRegions": REGIONS}) as cloud:
        client = _client(cloud.url)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: call(client, OPERATIONS["privatelink:DescribeRegions"], {}, 5), range(80)))
        assert cloud.counts["DescribeRegions"] == 80
        assert cloud.connections <= 4


def test_one_tls_context_for_all_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[ssl.SSLContext] = []

    def counted() -> ssl.SSLContext:
        made.append(tls_context())
        return made[-1]

    monkeypatch.setattr(client_module, "tls_context", counted)
    wire = Wire(4)
    pools = [wire._pool(Endpoint("https", f"ecs.region-{number}.aliyuncs.com")) for number in range(20)]
    wire._pool(Endpoint("http", "127.0.0.1:1"))
    assert (len(made), len(set(map(id, pools)))) == (1, 20)
    assert len(wire._managers) == 2
    assert made[0].verify_mode is ssl.CERT_REQUIRED
    assert made[0].check_hostname


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for 127.0.0.1 with its key, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(True, None), True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    path = tmp_path / "certificate.pem"
    path.write_bytes(
        built.public_bytes(pem)
        + key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


def test_tls_is_verified_and_its_connections_are_kept(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with LoopbackCloud({"DescribeRegions": REGIONS}, certificate=certificate) as cloud:
        with pytest.raises(CloudError) as caught:
            call(_client(cloud.url), OPERATIONS["privatelink:DescribeRegions"], {}, 2)
        assert caught.value.code == "Plaudit.Unreachable"
        assert "TLS" in caught.value.message
        assert not cloud.requests
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
        client, before = _client(cloud.url), cloud.connections
        for _ in range(3):
            assert call(client, OPERATIONS["privatelink:DescribeRegions"], {}, 2).request_id
        assert cloud.connections == before + 1


class _Socket:
    """A server that does one thing with each connection."""

    def __init__(self, *scripts: list[bytes | None]) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.requests = 0
        self._scripts = list(scripts)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        for script in self._scripts:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                for answer in script:
                    if not connection.recv(65536):
                        break
                    self.requests += 1
                    if answer is None:
                        break
                    connection.sendall(answer)

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(2)


def _http(body: bytes, length: int | None = None) -> bytes:
    return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (length or len(body), body)


GOOD = json.dumps({"RequestId": "R", **REGIONS}).encode()


def test_a_kept_connection_that_breaks_is_replaced_once() -> None:
    server = _Socket([_http(GOOD), None], [_http(GOOD)])
    try:
        client = _client(server.url)
        for _ in range(2):
            assert call(client, OPERATIONS["privatelink:DescribeRegions"], {}, 2).request_id == "R"
        assert server.requests == 3
    finally:
        server.close()


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ([_http(GOOD[:-3])], "Plaudit.Malformed"),
        ([_http(GOOD[:-3], len(GOOD))], "Plaudit.Malformed"),
        ([_http(b"<html>")], "Plaudit.Malformed"),
        ([b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n"], "Plaudit.Malformed"),
        ([b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\ncontent-encoding: gzip\r\n\r\n0123456789"], "Plaudit.Malformed"),
        ([b"garbage\r\n\r\n"], "Plaudit.Unreachable"),
    ],
)
def test_broken_answers(script: list[bytes | None], code: str) -> None:
    server = _Socket(script, script)
    try:
        with pytest.raises(CloudError) as caught:
            call(_client(server.url), OPERATIONS["privatelink:DescribeRegions"], {}, 2)
        assert caught.value.code == code
    finally:
        server.close()


def test_timeouts_and_refused_connections_never_show_the_signed_url() -> None:
    silent = socket.create_server(("127.0.0.1", 0))
    try:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(CloudError) as caught:
            call(_client(url, token=TOKEN), OPERATIONS["privatelink:DescribeRegions"], {}, 0.1)
        assert caught.value.code == "Plaudit.Timeout"
    finally:
        silent.close()
    with pytest.raises(CloudError) as refused:
        call(_client(url, token=TOKEN), OPERATIONS["privatelink:DescribeRegions"], {}, 1)
    assert refused.value.code == "Plaudit.Unreachable"
    for error in (caught.value, refused.value):
        text = f"{error!r} {error} {error.__cause__!r}"
        assert error.__suppress_context__
        for secret in (SECRET, TOKEN, "Signature", "LTAI_TEST"):
            assert secret not in text


def test_a_dripping_answer_ends_with_the_timeout() -> None:
    server = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def drip() -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
            while not stop.wait(0.02):
                try:
                    connection.sendall(b" ")
                except OSError:
                    return

    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    try:
        with pytest.raises(CloudError) as caught:
            call(
                _client(f"http://127.0.0.1:{server.getsockname()[1]}"),
                OPERATIONS["privatelink:DescribeRegions"],
                {},
                0.3,
            )
        assert caught.value.code == "Plaudit.Timeout"
    finally:
        stop.set()
        server.close()
        thread.join(2)


# ---------------------------------------------------------------------------------------- endpoints and proxies


@pytest.mark.parametrize(
    ("text", "scheme", "host"),
    [
        ("http://127.0.0.1:8080", "http", "127.0.0.1:8080"),
        ("http://localhost:1/", "http", "localhost:1"),
        ("http://[::1]:9", "http", "[::1]:9"),
        ("https://api.example", "https", "api.example"),
        ("api.example:8443", "https", "api.example:8443"),
    ],
)
def test_endpoint_urls(text: str, scheme: str, host: str) -> None:
    assert parse_endpoint(text, "x") == Endpoint(scheme, host)


@pytest.mark.parametrize(
    "text",
    [
        "http://api.example",
        "http://127.0.0.1.evil.example",
        "ftp://localhost",
        "https://",
        "https://a/b",
        "https://u:pw@host",
        "https://a?b=c",
        "https://a:99999",
        "https://[::1",
        "http://10.0.0.1",
        "a b",
    ],
)
def test_endpoint_urls_that_are_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_endpoint(text, "--endpoint-url")
    assert "--endpoint-url" in str(caught.value)
    assert "pw" not in str(caught.value)


def test_variables_of_the_terraform_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALIBABA_CLOUD_ENDPOINT_ECS", "ecs.private.example")
    assert product_override("ecs") == Endpoint("https", "ecs.private.example")
    assert official_client("ecs", "eu-central-1", None, Wire(1))._endpoint == "ecs.private.example"
    given = Endpoint("http", "127.0.0.1:1")
    assert official_client("ecs", "eu-central-1", None, Wire(1), endpoint=given)._endpoint == "127.0.0.1:1"
    monkeypatch.setenv("ALIBABA_CLOUD_ENDPOINT_ECS", "http://ecs.private.example")
    with pytest.raises(UsageError, match="ALIBABA_CLOUD_ENDPOINT_ECS"):
        product_override("ecs")


def test_proxies_are_honoured_except_for_loopback_and_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    far = Endpoint("https", "ecs.eu-central-1.aliyuncs.com")
    assert proxy_for(far) is None
    monkeypatch.setenv("HTTPS_PROXY", "http://user:pw@proxy.example:3128")
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    assert proxy_for(far) == "http://user:pw@proxy.example:3128"
    for host in ("127.0.0.1:80", "localhost", "[::1]:80"):
        assert proxy_for(Endpoint("http", host)) is None
    monkeypatch.setenv("NO_PROXY", ".aliyuncs.com")
    assert proxy_for(far) is None
    monkeypatch.delenv("NO_PROXY")
    monkeypatch.setenv("HTTPS_PROXY", "socks5://user:pw@proxy.example")
    with pytest.raises(UsageError) as caught:
        proxy_for(far)
    assert "pw" not in str(caught.value)


def test_a_loopback_call_ignores_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with LoopbackCloud({"DescribeRegions": REGIONS}) as cloud:
        call(_client(cloud.url), OPERATIONS["privatelink:DescribeRegions"], {}, 2)
        assert cloud.counts["DescribeRegions"] == 1


def test_a_call_over_a_proxy_that_is_not_there_ends_as_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://user:pa55word@127.0.0.1:1")
    client = official_client("privatelink", "eu-central-1", Keys(TOKEN), Wire(1), timeout=1.0)
    with pytest.raises(CloudError) as caught:
        call(client, OPERATIONS["privatelink:DescribeRegions"], {}, 1)
    assert caught.value.code == "Plaudit.Unreachable"
    assert "pa55word" not in repr(caught.value)


# --------------------------------------------------------------------------------------------- what is not shown


@pytest.mark.parametrize("value", ["sdk", "SDK", "app,sdk"])
def test_debug_output_of_the_sdk_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("DEBUG", value)
    with pytest.raises(UsageError, match="DEBUG"):
        refuse_debug()


def test_the_libraries_do_not_write_to_standard_error() -> None:
    client_class("privatelink")
    for name in ("darabonba-core", "credentials"):
        handlers = logging.getLogger(name).handlers
        assert not [handler for handler in handlers if type(handler) is logging.StreamHandler]
        assert not logging.getLogger(name).propagate
