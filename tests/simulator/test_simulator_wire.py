"""Signature, routing, credentials and the HTTP connection."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from alibabacloud_tea_openapi.exceptions import ClientException

from auditor.simulator import Simulator, World, serve
from auditor.simulator.scenarios import SCENARIOS

PROVIDER, CONSUMER = "6543210987654321", "1234567890123456"


def signed(
    simulator: Simulator,
    account_id: str,
    version: str,
    action: str,
    params: dict[str, str],
    *,
    method: str = "POST",
    form: bool = False,
    secret: str | None = None,
) -> tuple[int, Any]:
    """A hand-made signed request, independent of the SDK and of the simulator's own code."""
    credential = next(c for c in simulator.world.credentials.values() if c.account_id == account_id)
    text = "&".join(f"{quote(k, safe='~')}={quote(v, safe='~')}" for k, v in sorted(params.items()))
    query, body = ("", text.encode()) if form else (text, b"")
    headers = {
        "host": simulator.url.removeprefix("http://"),
        "x-acs-version": version,
        "x-acs-action": action,
        "x-acs-date": "2026-11-23T15:38:09Z",
        "x-acs-content-sha256": hashlib.sha256(body).hexdigest(),
    }
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    canonical = f"{method}\n/\n{query}\n{lines}\n{names}\n{headers['x-acs-content-sha256']}"
    to_sign = f"ACS3-HMAC-SHA256\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = (secret or credential.access_key_secret).encode()
    headers["Authorization"] = (
        f"ACS3-HMAC-SHA256 Credential={credential.access_key_id},SignedHeaders={names},"
        f"Signature={hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()}"
    )
    if form:
        headers["content-type"] = "application/x-www-form-urlencoded"
    connection = http.client.HTTPConnection("127.0.0.1", simulator.port, timeout=5)
    try:
        connection.request(method, "/?" + query if query else "/", body=body, headers=headers)
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


@pytest.fixture
def tutorial(serve: Callable[..., Simulator]) -> Simulator:
    return serve(SCENARIOS["tutorial"]())


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_hand_signed_request_is_accepted(tutorial: Simulator, method: str) -> None:
    status, body = signed(
        tutorial, CONSUMER, "2020-04-15", "ListVpcEndpoints", {"RegionId": "eu-central-1"}, method=method
    )
    assert (status, body["TotalCount"]) == (200, 1)


def test_form_body_is_read_and_signed(serve: Callable[..., Simulator]) -> None:
    simulator = serve(SCENARIOS["nlb"]())
    gwlb = next(b for b in simulator.world.balancers.values() if b.balancer_type == "gwlb")
    params = {"LoadBalancerIds.1": gwlb.load_balancer_id, "MaxResults": "20"}
    status, body = signed(simulator, PROVIDER, "2024-04-15", "ListLoadBalancers", params, form=True)
    assert status == 200
    assert [row["LoadBalancerId"] for row in body["LoadBalancers"]] == [gwlb.load_balancer_id]


def test_wrong_secret_is_refused(tutorial: Simulator) -> None:
    status, body = signed(
        tutorial, CONSUMER, "2020-04-15", "ListVpcEndpoints", {"RegionId": "eu-central-1"}, secret="other"
    )
    assert (status, body["Code"]) == (400, "SignatureDoesNotMatch")
    assert {"RequestId", "HostId", "Code", "Message", "Recommend"} <= body.keys()


def test_sdk_signature_with_difficult_values(tutorial: Simulator, ask: Callable[..., Any]) -> None:
    value = "a b*~/ü+&=%2F"
    wire = {"RegionId": "eu-central-1", "Tag": [{"Key": value, "Value": value}], "AutoAcceptEnabled": True}
    assert ask(tutorial, PROVIDER, "privatelink:ListVpcEndpointServices", wire=wire)["TotalCount"] == 0
    service = next(iter(tutorial.world.services.values()))
    service.tags[value], service.auto_accept = value, True
    assert ask(tutorial, PROVIDER, "privatelink:ListVpcEndpointServices", wire=wire)["TotalCount"] == 1


def test_security_token(serve: Callable[..., Simulator], client: Callable[..., Any], ask: Callable[..., Any]) -> None:
    simulator = serve(SCENARIOS["three-accounts"]())
    account_id = "2233445566778899"
    identity = ask(simulator, account_id, "sts:GetCallerIdentity")
    assert (identity["AccountId"], identity["IdentityType"]) == (account_id, "AssumedRoleUser")
    with pytest.raises(ClientException) as caught:
        client(simulator, "sts", account_id, security_token="stolen").get_caller_identity()
    assert caught.value.code == "InvalidSecurityToken.Malformed"
    with pytest.raises(ClientException) as caught:
        client(simulator, "sts", account_id, access_key_secret="other").get_caller_identity()
    assert caught.value.code == "SignatureDoesNotMatch"


def test_unknown_key_action_version_and_region(
    tutorial: Simulator, client: Callable[..., Any], ask: Callable[..., Any]
) -> None:
    with pytest.raises(ClientException) as caught:
        client(tutorial, "sts", CONSUMER, access_key_id="LTAIunknown").get_caller_identity()
    assert (caught.value.status_code, caught.value.code) == (404, "InvalidAccessKeyId.NotFound")
    for version, action in (("2020-04-15", "DeleteVpcEndpoint"), ("1999-01-01", "ListVpcEndpoints")):
        status, body = signed(tutorial, CONSUMER, version, action, {"RegionId": "eu-central-1"})
        assert (status, body["Code"]) == (404, "InvalidAction.NotFound")
    with pytest.raises(ClientException) as caught:
        ask(tutorial, CONSUMER, "privatelink:ListVpcEndpoints", region_id="mars-1")
    assert caught.value.code == "InvalidRegionId"


def test_one_action_name_in_two_products(tutorial: Simulator) -> None:
    name = "ListVpcEndpointServicesByEndUser"
    assert signed(tutorial, CONSUMER, "2020-04-15", name, {"RegionId": "eu-central-1"})[0] == 200
    assert signed(tutorial, CONSUMER, "2016-04-28", name, {"RegionId": "eu-central-1"})[0] == 404


@pytest.mark.parametrize(
    ("version", "action", "params", "code"),
    [
        ("2020-04-15", "ListVpcEndpoints", {}, "MissingRegionId"),
        ("2020-04-15", "ListVpcEndpointZones", {"RegionId": "eu-central-1"}, "MissingParameter"),
        ("2014-05-15", "DescribeHealthStatus", {"RegionId": "eu-central-1"}, "MissingParameter"),
        ("2016-04-28", "DescribeVSwitches", {}, "MissingParameter"),
        ("2014-05-26", "DescribeInstances", {}, "MissingParameter"),
    ],
)
def test_missing_parameter(tutorial: Simulator, version: str, action: str, params: dict[str, str], code: str) -> None:
    status, body = signed(tutorial, CONSUMER, version, action, params)
    assert (status, body["Code"]) == (400, code)


def test_clb_without_region_falls_back_to_the_home_region(tutorial: Simulator) -> None:
    _, body = signed(tutorial, PROVIDER, "2014-05-15", "DescribeLoadBalancers", {})
    assert body["TotalCount"] == 0


def test_views_belong_to_accounts(tutorial: Simulator, ask: Callable[..., Any]) -> None:
    connection = ask(tutorial, PROVIDER, "privatelink:ListVpcEndpointConnections")["Connections"][0]
    endpoint = ask(tutorial, CONSUMER, "privatelink:ListVpcEndpoints")["Endpoints"][0]
    assert connection["ConnectionStatus"] == endpoint["ConnectionStatus"] == "Connected"
    assert connection["EndpointOwnerId"] == int(CONSUMER)
    assert ask(tutorial, CONSUMER, "privatelink:ListVpcEndpointConnections")["Connections"] == []
    assert ask(tutorial, CONSUMER, "slb:DescribeLoadBalancers")["LoadBalancers"] == {"LoadBalancer": []}
    visible = ask(tutorial, CONSUMER, "privatelink:ListVpcEndpointServicesByEndUser", service_id=endpoint["ServiceId"])
    assert visible["TotalCount"] == "1"
    enis = ask(tutorial, CONSUMER, "ecs:DescribeNetworkInterfaces", max_results=100)["NetworkInterfaceSets"]
    managed = [row for row in enis["NetworkInterfaceSet"] if row["ServiceManaged"]]
    assert [row["PrivateIpAddress"] for row in managed] == ["10.10.2.35", "10.10.1.35"]
    assert managed[0]["SecurityGroupIds"] == {"SecurityGroupId": ["sg-gw8endpointsgaaaaaaa"]}


def test_override_makes_the_views_differ(tutorial: Simulator, ask: Callable[..., Any]) -> None:
    endpoint_id = "ep-gw8plauditendpoint1bb"
    tutorial.world.override("privatelink:ListVpcEndpointConnections", endpoint_id, ConnectionStatus="Disconnected")
    connection = ask(tutorial, PROVIDER, "privatelink:ListVpcEndpointConnections")["Connections"][0]
    endpoint = ask(tutorial, CONSUMER, "privatelink:ListVpcEndpoints")["Endpoints"][0]
    assert (connection["ConnectionStatus"], endpoint["ConnectionStatus"]) == ("Disconnected", "Connected")
    tutorial.world.hide("privatelink:ListVpcEndpointConnections", endpoint_id)
    assert ask(tutorial, PROVIDER, "privatelink:ListVpcEndpointConnections")["Connections"] == []


def test_statistics_count_requests_and_reuse_connections(tutorial: Simulator, client: Callable[..., Any]) -> None:
    one = client(tutorial, "sts", CONSUMER)
    for _ in range(20):
        one.get_caller_identity()
    assert tutorial.statistics.requests[CONSUMER, "", "sts:GetCallerIdentity"] == 20
    assert tutorial.statistics.connections == 1
    assert tutorial.statistics.in_flight_max == 1


def test_many_callers_at_once(serve: Callable[..., Simulator]) -> None:
    simulator = serve(SCENARIOS["tutorial"](), latency=0.1)
    with ThreadPoolExecutor(16) as pool:
        answers = list(
            pool.map(lambda _: signed(simulator, CONSUMER, "2015-04-01", "GetCallerIdentity", {})[0], range(32))
        )
    assert answers == [200] * 32
    assert 8 <= simulator.statistics.in_flight_max <= 16
    assert simulator.statistics.in_flight == 0


def test_configuration_file(tutorial: Simulator, tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    assert tutorial.write_config(path) == ["provider", "consumer"]
    assert path.stat().st_mode & 0o777 == 0o600
    profiles = json.loads(path.read_text())["profiles"]
    assert [profile["mode"] for profile in profiles] == ["AK", "AK"]


def test_serve_stops_by_itself(tmp_path: Path) -> None:
    seen: list[int] = []

    def look(simulator: Simulator) -> None:
        seen.append(signed(simulator, CONSUMER, "2015-04-01", "GetCallerIdentity", {})[0])

    statistics = serve("tutorial", 0, tmp_path / "config.json", seconds=0.05, on_start=look)
    assert seen == [200]
    assert sum(statistics.requests.values()) == 1


def test_stop_frees_the_port(serve: Callable[..., Simulator]) -> None:
    simulator = serve(World())
    port = simulator.port
    simulator.stop()
    with Simulator(World(), port=port) as again:
        assert again.port == port
