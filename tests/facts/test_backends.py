"""Server groups of listeners and their backend servers."""

from __future__ import annotations

from typing import Any

import pytest

from .scene import facts

Row = dict[str, Any]


def listener(**columns: Any) -> Row:
    given = {"load_balancer_id": "lb-1", "protocol": "tcp", "port": 80, "status": "running"}
    return {**given, "vserver_group_id": "", "primary_secondary_group_id": "", **columns}


def groups(*listeners: Row, forwarding: list[Row] | None = None, **options: Any) -> list[tuple[Any, ...]]:
    rows = {"listeners": list(listeners), "forwarding_rules": forwarding or []}
    found = facts("listener_groups", rows, **options)
    assert all((row["server_group_id"] is None) is (row["reason"] is not None) for row in found)
    return [(row["server_group_id"], row["group_type"], row["origin"], row["rule_id"]) for row in found]


def forwarding_rule(rule_id: str, group: str | None, port: int = 80) -> Row:
    key = f"lb-1:http:{port}"
    where = {"listener_key": key, "load_balancer_id": "lb-1", "protocol": "http", "port": port}
    return {**where, "rule_id": rule_id, "vserver_group_id": group}


@pytest.mark.parametrize(
    ("columns", "group", "kind"),
    [
        ({"vserver_group_id": "rsp-v"}, "rsp-v", "vserver"),
        ({"vserver_group_id": "rsp-v", "primary_secondary_group_id": "rsp-m"}, "rsp-v", "vserver"),
        ({"primary_secondary_group_id": "rsp-m", "backend_server_port": 8080}, "rsp-m", "primary_secondary"),
        ({"backend_server_port": 8080}, "lb-1:default", "default"),
        ({"vserver_group_id": None}, None, None),
        ({"primary_secondary_group_id": None}, None, None),
        ({"load_balancer_id": "nlb-1", "server_group_id": "sgp-1"}, "sgp-1", "nlb"),
        ({"load_balancer_id": "alb-1", "server_group_id": "sgp-2"}, "sgp-2", "alb"),
        ({"load_balancer_id": "nlb-1", "server_group_id": None}, None, "nlb"),
    ],
)
def test_the_effective_group_of_a_listener(columns: Row, group: str | None, kind: str | None) -> None:
    assert groups(listener(**columns)) == [(group, kind, "listener", None)]


def test_forwarding_rules_of_http_listeners_add_groups() -> None:
    forwarding = [
        forwarding_rule("rule-1", "rsp-a"),
        forwarding_rule("rule-2", None),
        forwarding_rule("rule-3", "x", 81),
    ]
    assert groups(listener(protocol="http", vserver_group_id="rsp-v"), forwarding=forwarding) == [
        ("rsp-v", "vserver", "listener", None),
        ("rsp-a", "vserver", "forwarding_rule", "rule-1"),
        (None, "vserver", "forwarding_rule", "rule-2"),
    ]


def test_forwarding_rules_that_were_not_read_leave_a_row() -> None:
    found = groups(listener(protocol="http"), unread=["forwarding_rules:lb-1:http:80"])
    assert found == [("lb-1:default", "default", "listener", None), (None, "vserver", "forwarding_rule", None)]
    assert len(groups(listener(), unread=["forwarding_rules:lb-1:tcp:80"])) == 1


def server(server_id: str = "i-1", **columns: Any) -> Row:
    given = {"server_group_id": "rsp-v", "server_id": server_id, "server_type": "ecs", "server_ip": "10.1.0.1"}
    return {**given, "port": 8080, "weight": 100, "role": "", **columns}


def health(status: str | None = "normal", **columns: Any) -> Row:
    given = {"load_balancer_id": "lb-1", "protocol": "tcp", "listener_port": 80, "server_id": "i-1", "port": 8080}
    return {**given, "server_ip": "10.1.0.1", "health_status": status, **columns}


def backends(servers: list[Row], healths: list[Row], *listeners: Row, **options: Any) -> list[Row]:
    rows = {
        "listeners": list(listeners) or [listener(vserver_group_id="rsp-v")],
        "backends": servers,
        "health_status": healths,
    }
    return facts("listener_backends", rows, **options)


def test_servers_carry_weight_role_and_health() -> None:
    (row,) = backends([server(weight=0, role="Master")], [health("abnormal")])
    assert row["server_id"] == "i-1"
    assert (row["backend_port"], row["weight"], row["role"], row["serving"]) == (8080, 0, "Master", False)
    assert (row["health_status"], row["reason"]) == ("abnormal", None)


def test_weight_decides_whether_a_server_serves() -> None:
    assert [row["serving"] for row in backends([server(weight=w) for w in (100, 0, None)], [])] == [True, False, None]


@pytest.mark.parametrize(
    "columns",
    [
        {"protocol": "udp"},
        {"listener_port": 81},
        {"server_id": "i-2"},
        {"port": 9090},
        {"load_balancer_id": "lb-2"},
        {"server_ip": "10.1.0.9"},
    ],
)
def test_health_of_something_else_is_no_health(columns: Row) -> None:
    (row,) = backends([server()], [health(**columns)])
    assert (row["health_status"], row["reason"]) == (None, None)


def test_health_without_a_port_is_that_of_the_server() -> None:
    assert backends([server()], [health(port=None)])[0]["health_status"] == "normal"


def test_the_default_group_takes_the_port_of_the_listener() -> None:
    default = server(server_group_id="lb-1:default", port=None)
    (row,) = backends([default], [health("unavailable"), health(port=1)], listener(backend_server_port=8080))
    assert (row["backend_port"], row["health_status"]) == (8080, "unavailable")


def test_contradicting_health_is_not_known() -> None:
    (row,) = backends([server(port=None)], [health(), health("abnormal", port=1)])
    assert (row["health_status"], row["reason"]) == (None, "health entries of the server differ")


def test_health_that_was_not_read_has_a_reason() -> None:
    (row,) = backends([server()], [], unread=["health_status:lb-1"])
    assert (row["server_id"], row["health_status"]) == ("i-1", None)
    assert "health_status of lb-1" in row["reason"]
    (row,) = backends([server()], [health()], unread=["health_status:lb-1"])
    assert (row["health_status"], row["reason"]) == ("normal", None)


def test_servers_that_were_not_read_leave_a_row() -> None:
    known, missing = backends([server()], [], unread=["backends:rsp-v"])
    assert known["server_id"] == "i-1"
    assert (missing["server_id"], missing["serving"]) == (None, None)
    assert "backends of rsp-v" in missing["reason"]


def test_a_group_that_is_not_known_leaves_a_row() -> None:
    (row,) = backends([], [], listener(vserver_group_id=None))
    assert (row["server_group_id"], row["server_id"]) == (None, None)
    assert row["reason"]


def test_an_empty_group_leaves_no_row() -> None:
    assert backends([], []) == []


def test_a_group_of_several_forwarding_rules_counts_once() -> None:
    rows = {
        "listeners": [listener(protocol="http")],
        "forwarding_rules": [forwarding_rule("rule-1", "rsp-v"), forwarding_rule("rule-2", "rsp-v")],
        "backends": [server()],
    }
    assert [row["origin"] for row in facts("listener_backends", rows)] == ["forwarding_rule"]
