"""Ports and clients of endpoints, and the rows that say why they are not known."""

from __future__ import annotations

from typing import Any

import pytest

from .scene import access, base, eni, facts, rule, together


def ports(rows: Any, **options: Any) -> list[tuple[str | None, int | None]]:
    return [(row["protocol"], row["port"]) for row in facts("endpoint_ports", rows, **options)]


def listening(*listeners: tuple[str, int, str | None]) -> Any:
    rows = base()
    rows["listeners"] = [
        {"load_balancer_id": "lb-1", "protocol": protocol, "port": port, "status": status}
        for protocol, port, status in listeners
    ]
    return rows


def test_declared_ports_need_no_provider() -> None:
    found = facts("endpoint_ports", base(), ports=["tcp/443", "udp/53"], unread=["service_resources", "listeners"])
    assert [(row["protocol"], row["port"], row["declared"]) for row in found] == [("tcp", 443, True), ("udp", 53, True)]


@pytest.mark.parametrize(
    ("protocol", "transport"),
    [("tcp", "tcp"), ("http", "tcp"), ("https", "tcp"), ("tcpssl", "tcp"), ("udp", "udp"), ("quic", "udp")],
)
def test_running_listeners_are_the_ports(protocol: str, transport: str) -> None:
    assert ports(listening((protocol, 8, "running"))) == [(transport, 8)]


def test_listeners_of_all_products_and_load_balancers_count_once() -> None:
    rows = listening(("tcp", 80, "running"), ("tcp", 81, "stopped"))
    rows["service_resources"].append({"service_id": "epsrv-1", "resource_id": "nlb-1", "zone_id": "zone-b"})
    for protocol, port in (("tcp", 80), ("tcpssl", 443)):
        rows["listeners"].append({"load_balancer_id": "nlb-1", "protocol": protocol, "port": port, "status": "Running"})
    assert ports(rows) == [("tcp", 80), ("tcp", 443)]


@pytest.mark.parametrize(
    ("gap", "words"),
    [("service_resources:epsrv-1", "service_resources of epsrv-1"), ("listeners:lb-1", "listeners of lb-1")],
)
def test_a_provider_that_was_not_read_leaves_the_ports_unknown(gap: str, words: str) -> None:
    rows = base()
    del rows["listeners"]
    (row,) = facts("endpoint_ports", rows, unread=[gap])
    assert (row["protocol"], row["port"]) == (None, None)
    assert words in row["reason"]


def test_half_a_provider_leaves_a_row_for_what_is_missing() -> None:
    assert ports(base(), unread=["listeners:lb-1"]) == [("tcp", 80), (None, None)]


def test_a_provider_nobody_gave_is_named() -> None:
    rows = {**base(), "service_resources": []}
    (row,) = facts("endpoint_ports", rows, unread=["service_resources"])
    assert row["reason"] == "no audited account could be asked for service_resources of epsrv-1"


@pytest.mark.parametrize("status", [None, "Configuring"])
def test_a_listener_that_is_neither_running_nor_stopped_leaves_a_row(status: str | None) -> None:
    assert ports(listening(("tcp", 80, "running"), ("tcp", 81, status))) == [("tcp", 80), (None, None)]


def test_no_running_listener_leaves_a_row_with_a_reason() -> None:
    (row,) = facts("endpoint_ports", listening(("tcp", 80, "stopped")))
    assert (row["port"], row["reason"]) == (None, "no listener of the service is running")


def test_an_unknown_service_leaves_the_ports_unknown() -> None:
    rows = base()
    rows["endpoints"][0]["service_id"] = None
    assert ports(rows) == [(None, None)]


@pytest.mark.parametrize("kind", ["GatewayLoadBalancer", "Reverse"])
def test_other_endpoint_types_have_no_rows(kind: str) -> None:
    rows = base()
    rows["endpoints"][0]["endpoint_type"] = kind
    for name in ("endpoint_ports", "endpoint_clients", "endpoint_access", "endpoint_exposure", "client_egress"):
        assert facts(name, rows) == []


def test_unknown_ports_and_zones_leave_one_row_with_all_reasons() -> None:
    rows = base()
    rows["endpoint_zones"] = []
    found = access(
        rows, unread=["endpoint_zones:ep-1", "service_resources:epsrv-1", "listeners:lb-1"], ports=["tcp/80"]
    )
    assert (found["verdict"], found["admitted"], found["eni_id"], found["port"]) == (None, None, None, 80)
    assert "endpoint_zones of ep-1" in found["reason"]
    assert access(rows)["reason"] == "the endpoint has no zones"
    (row,) = facts("endpoint_exposure", rows)
    assert (row["open"], row["reason"]) == (None, "the endpoint has no zones")


# -------------------------------------------------------------------------------------------------------------- clients
def clients(rows: Any, *declared: str, **options: Any) -> list[tuple[str | None, str | None]]:
    found = facts("endpoint_clients", rows, clients=declared or None, **options)
    assert all(row["declared"] is bool(declared) for row in found)
    assert all((row["addresses"] is None) is (row["reason"] is not None) for row in found)
    return [(row["client"], row["addresses"]) for row in found]


def test_undeclared_clients_are_the_blocks_of_the_vpc() -> None:
    rows = base()
    rows["vpc_cidrs"].append({"vpc_id": "vpc-1", "cidr": "172.16.0.0/16"})
    assert clients(rows) == [("10.0.0.0/24", "10.0.0.0/24"), ("172.16.0.0/16", "172.16.0.0/16")]


def test_blocks_that_were_not_read_leave_a_row() -> None:
    assert clients(base(), unread=["vpc_cidrs:vpc-1"]) == [("10.0.0.0/24", "10.0.0.0/24"), (None, None)]
    rows = base()
    rows["endpoints"][0]["vpc_id"] = None
    assert clients(rows) == [(None, None)]


def test_declared_blocks_and_addresses() -> None:
    assert clients(base(), "10.0.0.0/28", "192.168.0.9", "2001:db8::/64") == [
        ("10.0.0.0/28", "10.0.0.0/28"),
        ("192.168.0.9", "192.168.0.9/32"),
        ("2001:db8::/64", "2001:db8::/64"),
    ]


def test_a_declared_instance_has_the_addresses_of_its_enis() -> None:
    rows = together(base(), eni("eni-1", "10.0.0.7", instance_id="i-1"), eni("eni-2", "10.0.0.8", instance_id="i-1"))
    assert clients(rows, "i-1") == [("i-1", "10.0.0.7/32, 10.0.0.8/32")]
    assert clients(rows, "i-1", unread=["eni_addresses:vpc-1"]) == [("i-1", None)]
    assert clients(rows, "i-2") == [("i-2", None)]


def test_a_declared_instance_of_another_vpc_is_found_there() -> None:
    rows = together(base(), eni("eni-1", "192.168.0.7", vpc_id="vpc-2", instance_id="i-1"))
    assert clients(rows, "i-1") == [("i-1", "192.168.0.7/32")]
    assert clients(rows, "i-1", unread=["network_interfaces:vpc-2"]) == [("i-1", None)]


def test_a_declared_group_has_the_addresses_of_its_enis_in_the_vpc() -> None:
    rows = together(
        base(),
        eni("eni-1", "10.0.0.7", ["sg-c"]),
        eni("eni-2", "10.0.0.8", ["sg-c"]),
        eni("eni-3", "10.0.0.9", ["sg-d"]),
    )
    assert clients(rows, "sg-c") == [("sg-c", "10.0.0.7/32, 10.0.0.8/32")]
    assert clients(rows, "sg-c", unread=["eni_security_groups:vpc-1"]) == [("sg-c", None)]
    assert clients(rows, "sg-none") == [("sg-none", None)]


def test_the_endpoint_is_no_client_of_itself() -> None:
    assert clients(together(base(), eni("eni-1", "10.0.0.7", ["sg-e"])), "sg-e") == [("sg-e", "10.0.0.7/32")]


def test_ipv6_addresses_of_an_instance_count_where_the_endpoint_has_ipv6() -> None:
    rows = together(base(), eni("eni-1", "10.0.0.7", instance_id="i-1"))
    rows["eni_addresses"].append({"eni_id": "eni-1", "vpc_id": "vpc-1", "address": "2001:db8::7"})
    for version, addresses in (("IPv4", "10.0.0.7/32"), ("DualStack", "10.0.0.7/32, 2001:db8::7/128"), (None, None)):
        rows["endpoints"][0]["address_ip_version"] = version
        assert clients(rows, "i-1") == [("i-1", addresses)]


def test_a_client_that_is_not_understood_is_unknown() -> None:
    assert clients(base(), "10.0.0.0/40") == [("10.0.0.0/40", None)]


def test_a_client_that_is_not_known_leaves_a_row_of_access() -> None:
    found = access(base([rule("a", "Accept", "0.0.0.0/0")]), "i-9")
    assert (found["client"], found["verdict"], found["reason"]) == ("i-9", None, "no ENI of i-9 was found")
