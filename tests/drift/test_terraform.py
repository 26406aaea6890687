"""Terraform drift: every type of the table, both spellings, three file formats, and no false change."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from auditor.differences import TerraformDrift
from auditor.drift.declarations import read_declarations
from auditor.drift.terraform import compare
from auditor.drift.terraform_types import TYPES
from auditor.errors import FileError
from auditor.inventory.schema import TABLES
from auditor.inventory.snapshot import Snapshot
from tests.drift.test_snapshots import ACCOUNT, read, row, snapshot

Resource = tuple[str, str, dict[str, Any]]

#: One resource of every type that is compared, as a current provider writes it.
DECLARED: list[Resource] = [
    (
        "alicloud_privatelink_vpc_endpoint_service",
        "svc",
        {
            "id": "epsrv-1",
            "auto_accept_connection": False,
            "payer": "Endpoint",
            "service_resource_type": "slb",
            "zone_affinity_enabled": True,
            "address_ip_version": "IPv4",
            "service_description": "orders",
            "service_support_ipv6": False,
            "resource_group_id": "rg-1",
            "connect_bandwidth": 3072,
            "supported_region_list": None,
            "tags": {"env": "prod"},
            "status": "Active",
            "resource": [{"resource_id": "lb-1", "resource_type": "slb", "zone_id": ""}],
        },
    ),
    (
        "alicloud_privatelink_vpc_endpoint_service_resource",
        "nlb",
        {
            "id": "epsrv-1:nlb-1:z-b",
            "service_id": "epsrv-1",
            "resource_id": "nlb-1",
            "resource_type": "nlb",
            "zone_id": "z-b",
        },
    ),
    (
        "alicloud_privatelink_vpc_endpoint_service_user",
        "consumer",
        {"id": "epsrv-1:1234567890123456", "service_id": "epsrv-1", "user_id": "1234567890123456", "user_arn": None},
    ),
    (
        "alicloud_privatelink_vpc_endpoint_service_user",
        "arn",
        {"id": "x", "service_id": "epsrv-1", "user_id": "", "user_arn": "acs:ram:*:1234567890123456:*"},
    ),
    (
        "alicloud_privatelink_vpc_endpoint_connection",
        "c",
        {"id": "epsrv-1:ep-1", "service_id": "epsrv-1", "endpoint_id": "ep-1", "bandwidth": 3072},
    ),
    (
        "alicloud_privatelink_vpc_endpoint",
        "ep",
        {
            "id": "ep-1",
            "service_id": "epsrv-1",
            "vpc_id": "vpc-1",
            "endpoint_type": "Interface",
            "vpc_endpoint_name": "orders",
            "security_group_ids": ["sg-1"],
            "policy_document": '{"Version": "1", "Statement": []}',
            "protected_enabled": False,
            "zone_private_ip_address_count": 1,
            "resource_group_id": "rg-1",
        },
    ),
    (
        "alicloud_privatelink_vpc_endpoint_zone",
        "z",
        {"id": "ep-1:z-b", "endpoint_id": "ep-1", "zone_id": "z-b", "vswitch_id": "vsw-1", "eni_ip": "10.10.2.35"},
    ),
    (
        "alicloud_slb_load_balancer",
        "lb",
        {
            "id": "lb-1",
            "address_type": "intranet",
            "load_balancer_name": "orders-clb",
            "master_zone_id": "z-b",
            "slave_zone_id": "z-a",
            "delete_protection": "on",
            "load_balancer_spec": "slb.s1.small",
            "instance_charge_type": "PayByCLCU",
            "payment_type": "PayAsYouGo",
            "status": "active",
            "internet_charge_type": "PayByTraffic",
            "bandwidth": 5120,
            "resource_group_id": "rg-1",
        },
    ),
    (
        "alicloud_slb_listener",
        "tls",
        {
            "id": "lb-1:443",
            "load_balancer_id": "lb-1",
            "protocol": "https",
            "frontend_port": 443,
            "server_group_id": "rsp-1",
            "scheduler": "wrr",
            "bandwidth": -1,
            "acl_status": "off",
            "sticky_session": "on",
            "sticky_session_type": "insert",
            "cookie": "not sent with insert",
            "cookie_timeout": 500,
            "idle_timeout": 15,
            "request_timeout": 60,
            "gzip": True,
            "x_forwarded_for": [{"retrive_client_ip": True, "retrive_slb_id": False}],
            "server_certificate_id": "cert-1",
            "tls_cipher_policy": "tls_cipher_policy_1_2",
            "enable_http2": "on",
            "health_check": "on",
            "health_check_uri": "/health",
            "health_check_http_code": "http_3xx,http_2xx",
            "health_check_timeout": 5,
            "healthy_threshold": 3,
            "unhealthy_threshold": 3,
            "health_check_interval": 2,
            "persistence_timeout": 77,
        },
    ),
    (
        "alicloud_slb_listener",
        "redirect",
        {
            "id": "lb-1:http:80",
            "load_balancer_id": "lb-1",
            "protocol": "http",
            "frontend_port": 80,
            "listener_forward": "on",
            "forward_port": 443,
            "bandwidth": 5,
            "gzip": False,
            "sticky_session": "on",
        },
    ),
    (
        "alicloud_slb_listener",
        "tcp",
        {
            "id": "lb-1:tcp:80",
            "load_balancer_id": "lb-1",
            "protocol": "tcp",
            "frontend_port": 80,
            "backend_port": 80,
            "server_group_id": "",
            "acl_status": "off",
            "gzip": True,
            "health_check": "on",
            "health_check_connect_port": 8080,
            "listener_forward": "off",
            "health_check_type": "tcp",
            "health_check_uri": "counts over http only",
            "health_check_timeout": 5,
            "established_timeout": 900,
            "persistence_timeout": 0,
            "proxy_protocol_v2_enabled": False,
            "sticky_session": "on",
            "idle_timeout": 99,
        },
    ),
    (
        "alicloud_slb_server_group",
        "vg",
        {
            "id": "rsp-1",
            "load_balancer_id": "lb-1",
            "name": "orders",
            "servers": [{"server_ids": ["i-1"], "port": 8080, "weight": 100, "type": "ecs"}],
        },
    ),
    (
        "alicloud_slb_server_group_server_attachment",
        "a",
        {
            "id": "rsp-1:i-2:8080",
            "server_group_id": "rsp-1",
            "server_id": "i-2",
            "port": 8080,
            "weight": 50,
            "type": "ecs",
            "description": "second",
        },
    ),
    (
        "alicloud_slb_backend_server",
        "d",
        {
            "id": "lb-1",
            "load_balancer_id": "lb-1",
            "backend_servers": [{"server_id": "i-1", "weight": 100, "type": "ecs"}],
        },
    ),
    (
        "alicloud_slb_attachment",
        "d2",
        {"id": "lb-1", "load_balancer_id": "lb-1", "instance_ids": ["i-2"], "weight": 100},
    ),
    (
        "alicloud_slb_master_slave_server_group",
        "ms",
        {
            "id": "rsp-2",
            "load_balancer_id": "lb-1",
            "name": "ms",
            "servers": [{"server_id": "i-1", "port": 9000, "weight": 100, "server_type": "Master"}],
        },
    ),
    ("alicloud_slb_acl", "acl", {"id": "acl-1", "name": "a", "entry_list": [{"entry": "10.1.2.3/16", "comment": "c"}]}),
    (
        "alicloud_slb_acl_entry_attachment",
        "acle",
        {"id": "acl-1:10.9.0.0/16", "acl_id": "acl-1", "entry": "10.9.0.0/16"},
    ),
    (
        "alicloud_security_group",
        "sg",
        {
            "id": "sg-1",
            "security_group_name": "endpoint-sg",
            "vpc_id": "vpc-1",
            "security_group_type": "normal",
            "inner_access_policy": "Accept",
            "tags": {"team": "net"},
        },
    ),
    (
        "alicloud_security_group_rule",
        "in",
        {
            "id": "sg-1:ingress:tcp:80/80:intranet:10.10.2.0/24:accept:1",
            "security_group_rule_id": "sgr-1",
            "security_group_id": "sg-1",
            "type": "ingress",
            "ip_protocol": "tcp",
            "port_range": "80/80",
            "nic_type": "internet",
            "policy": "accept",
            "priority": 1,
            "cidr_ip": "10.10.2.5/24",
            "description": "clients",
        },
    ),
    (
        "alicloud_security_group_rule",
        "out",
        {
            "id": "x",
            "security_group_id": "sg-1",
            "type": "egress",
            "ip_protocol": "all",
            "port_range": "-1/-1",
            "policy": "drop",
            "priority": 100,
            "ipv6_cidr_ip": "::/0",
        },
    ),
    (
        "alicloud_nlb_load_balancer",
        "nlb",
        {
            "id": "nlb-1",
            "address_type": "Intranet",
            "vpc_id": "vpc-2",
            "cross_zone_enabled": True,
            "security_group_ids": ["sg-b", "sg-a"],
            "deletion_protection_enabled": True,
            "zone_mappings": [{"zone_id": "z-a", "vswitch_id": "vsw-2"}, {"zone_id": "z-b", "vswitch_id": "vsw-3"}],
        },
    ),
    (
        "alicloud_alb_load_balancer",
        "alb",
        {
            "id": "alb-1",
            "address_type": "Intranet",
            "vpc_id": "vpc-2",
            "load_balancer_edition": "Standard",
            "address_allocated_mode": "Fixed",
        },
    ),
    (
        "alicloud_nlb_listener",
        "nl",
        {
            "id": "lsn-1",
            "load_balancer_id": "nlb-1",
            "listener_protocol": "TCP",
            "listener_port": 443,
            "server_group_id": "sgp-1",
            "status": "Running",
            "certificate_ids": [],
            "proxy_protocol_enabled": True,
            "proxy_protocol_config": [
                {
                    "proxy_protocol_config_private_link_ep_id_enabled": True,
                    "proxy_protocol_config_private_link_eps_id_enabled": False,
                    "proxy_protocol_config_vpc_id_enabled": False,
                }
            ],
        },
    ),
    (
        "alicloud_alb_listener",
        "al",
        {
            "id": "lsn-2",
            "load_balancer_id": "alb-1",
            "listener_protocol": "HTTP",
            "listener_port": 80,
            "default_actions": [
                {
                    "forward_group_config": [{"server_group_tuples": [{"server_group_id": "sgp-2"}]}],
                    "type": "ForwardGroup",
                }
            ],
            "status": "Running",
        },
    ),
    ("alicloud_vpc", "v", {"id": "vpc-1", "cidr_block": "10.10.0.0/16", "vpc_name": "VPC1"}),
    (
        "alicloud_vswitch",
        "vs",
        {"id": "vsw-1", "cidr_block": "10.10.2.0/24", "vpc_id": "vpc-1", "zone_id": "z-b", "vswitch_name": "VSwitch1"},
    ),
]

NOTHING = dict.fromkeys(
    (
        "ipv6_source_cidr",
        "source_cidr",
        "source_group_id",
        "source_prefix_list_id",
        "dest_cidr",
        "ipv6_dest_cidr",
        "dest_group_id",
        "dest_prefix_list_id",
    ),
    "",
)


def told(type_: str, identity: str, **values: str) -> list[dict[str, Any]]:
    """Rows of resource_attributes."""
    return [
        row(resource_type=type_, resource_id=identity, name=name, value=value) for name, value in sorted(values.items())
    ]


#: The same deployment as the inventory holds it.
TABLES_OBSERVED: dict[str, list[dict[str, Any]]] = {
    "endpoint_services": [
        row(
            service_id="epsrv-1",
            auto_accept_enabled=False,
            payer="Endpoint",
            service_resource_type="slb",
            zone_affinity_enabled=True,
            address_ip_version="IPv4",
            service_description="orders",
            connect_bandwidth=3072,
            service_status="Active",
        )
    ],
    "service_resources": [
        row(service_id="epsrv-1", resource_id="lb-1", resource_type="slb", zone_id="z-b"),
        row(service_id="epsrv-1", resource_id="nlb-1", resource_type="nlb", zone_id="z-b"),
    ],
    "service_users": [
        row(service_id="epsrv-1", entry=ACCOUNT, entry_type="account"),
        row(service_id="epsrv-1", entry="1234567890123456", entry_type="account"),
        row(service_id="epsrv-1", entry="acs:ram:*:1234567890123456:*", entry_type="arn"),
    ],
    "connections": [row(service_id="epsrv-1", endpoint_id="ep-1", connection_status="Connected", bandwidth=3072)],
    "endpoints": [
        row(
            endpoint_id="ep-1",
            service_id="epsrv-1",
            vpc_id="vpc-1",
            endpoint_type="Interface",
            endpoint_name="orders",
            policy_document='{"Statement":[],"Version":"1"}',
            endpoint_status="Active",
        )
    ],
    "endpoint_security_groups": [row(endpoint_id="ep-1", security_group_id="sg-1", security_group_status="Attached")],
    "endpoint_zones": [
        row(endpoint_id="ep-1", zone_id="z-b", zone_status="Connected", vswitch_id="vsw-1", eni_ip="10.10.2.35")
    ],
    "load_balancers": [
        row(
            load_balancer_id="lb-1",
            load_balancer_type="slb",
            address_type="intranet",
            load_balancer_name="orders-clb",
            primary_zone_id="z-b",
            secondary_zone_id="z-a",
            delete_protection="on",
            load_balancer_spec="slb.lcu.elastic",
            pay_type="PayOnDemand",
            load_balancer_status="active",
        ),
        row(
            load_balancer_id="nlb-1",
            load_balancer_type="nlb",
            address_type="Intranet",
            vpc_id="vpc-2",
            delete_protection="on",
        ),
        row(load_balancer_id="alb-1", load_balancer_type="alb", address_type="Intranet", vpc_id="vpc-2"),
    ],
    "load_balancer_zones": [
        row(load_balancer_id="nlb-1", zone_id="z-b", vswitch_id="vsw-3"),
        row(load_balancer_id="nlb-1", zone_id="z-a", vswitch_id="vsw-2"),
    ],
    "listeners": [
        row(
            load_balancer_id="lb-1",
            protocol="tcp",
            port=80,
            backend_server_port=80,
            vserver_group_id="",
            acl_status="off",
            health_check="on",
            health_check_port=8080,
            status="running",
        ),
        row(load_balancer_id="nlb-1", protocol="tcp", port=443, server_group_id="sgp-1", status="Running"),
        row(load_balancer_id="alb-1", protocol="http", port=80, status="Running", server_group_id="sgp-2"),
        row(
            load_balancer_id="lb-1",
            protocol="https",
            port=443,
            vserver_group_id="rsp-1",
            acl_status="off",
            health_check="on",
            status="running",
        ),
        row(
            load_balancer_id="lb-1",
            protocol="http",
            port=80,
            acl_status="off",
            listener_forward="on",
            forward_port=443,
            status="running",
        ),
    ],
    "server_groups": [
        row(server_group_id="rsp-1", load_balancer_id="lb-1", group_type="vserver", server_group_name="orders"),
        row(server_group_id="rsp-2", load_balancer_id="lb-1", group_type="primary_secondary", server_group_name="ms"),
    ],
    "backends": [
        row(server_group_id="rsp-1", server_id="i-1", port=8080, weight=100, server_type="ecs", role=""),
        row(server_group_id="rsp-1", server_id="i-2", port=8080, weight=50, server_type="ecs", role=""),
        row(server_group_id="rsp-2", server_id="i-1", port=9000, weight=100, server_type="ecs", role="Master"),
        row(server_group_id="lb-1:default", server_id="i-1", weight=100, server_type="ecs", role=""),
        row(server_group_id="lb-1:default", server_id="i-2", weight=100, server_type="ecs", role=""),
    ],
    "acl_entries": [row(acl_id="acl-1", entry="10.1.0.0/16"), row(acl_id="acl-1", entry="10.9.0.0/16")],
    "security_groups": [
        row(security_group_id="sg-1", security_group_name="endpoint-sg", vpc_id="vpc-1", security_group_type="normal")
    ],
    "security_group_policies": [row(security_group_id="sg-1", inner_access_policy="Accept")],
    "security_group_rules": [
        row(
            security_group_id="sg-1",
            rule_id="sgr-1",
            direction="ingress",
            protocol="TCP",
            port_range="80/80",
            policy="Accept",
            priority=1,
            description="clients",
            **{**NOTHING, "source_cidr": "10.10.2.0/24"},
        ),
        row(
            security_group_id="sg-1",
            rule_id="sgr-2",
            direction="egress",
            protocol="ALL",
            port_range="-1/-1",
            policy="Drop",
            priority=100,
            description="",
            **{**NOTHING, "ipv6_dest_cidr": "::/0"},
        ),
    ],
    "vpcs": [row(vpc_id="vpc-1", cidr_block="10.10.0.0/16", vpc_name="VPC1")],
    "vswitches": [
        row(vswitch_id="vsw-1", cidr_block="10.10.2.0/24", vpc_id="vpc-1", zone_id="z-b", vswitch_name="VSwitch1")
    ],
    "resource_attributes": [
        *told("endpoint_services", "epsrv-1", service_support_ipv6="false", resource_group_id="rg-1"),
        *told("endpoints", "ep-1", zone_private_ip_address_count="1", resource_group_id="rg-1"),
        *told("load_balancers", "lb-1", resource_group_id="rg-1", bandwidth="1", internet_charge_type="paybytraffic"),
        *told(
            "listeners",
            "lb-1:https:443",
            scheduler="wrr",
            bandwidth="-1",
            sticky_session="on",
            sticky_session_type="insert",
            cookie_timeout="500",
            idle_timeout="15",
            request_timeout="60",
            gzip="on",
            x_forwarded_for="on",
            server_certificate_id="cert-1",
            tls_cipher_policy="tls_cipher_policy_1_2",
            enable_http2="on",
            health_check_uri="/health",
            health_check_http_code="http_2xx,http_3xx",
            health_check_timeout="5",
            healthy_threshold="3",
            unhealthy_threshold="3",
            health_check_interval="2",
        ),
        *told("listeners", "lb-1:http:80", bandwidth="-1", gzip="on", sticky_session="off"),
        *told(
            "listeners",
            "lb-1:tcp:80",
            health_check_type="tcp",
            health_check_timeout="5",
            established_timeout="900",
            persistence_timeout="0",
            proxy_protocol_v2_enabled="false",
            scheduler="wrr",
        ),
        *told("load_balancers", "nlb-1", cross_zone_enabled="true", security_group_ids='["sg-a", "sg-b"]'),
        *told("load_balancers", "alb-1", load_balancer_edition="Standard", address_allocated_mode="Fixed"),
        *told(
            "listeners",
            "nlb-1:tcp:443",
            certificate_ids="[]",
            proxy_protocol_enabled="true",
            proxy_protocol_config='{"Ppv2PrivateLinkEpIdEnabled": true, "Ppv2PrivateLinkEpsIdEnabled": false}',
        ),
        *told("security_groups", "sg-1", tags='{"team": "net"}'),
        *told("backends", "rsp-1:i-2:8080", description="second"),
    ],
    "resource_tags": [
        row(resource_id="epsrv-1", tag_key="env", tag_value="prod"),
        row(resource_id="epsrv-1", tag_key="acs:rm:rgId", tag_value="x"),
    ],
}


def observed(
    changes: Mapping[str, Sequence[Mapping[str, Any]]] | None = None, *, unread: Sequence[str] = ()
) -> Snapshot:
    """The deployment with some tables replaced; `unread` tables were refused and have no rows."""
    tables = {**TABLES_OBSERVED, **(changes or {})}
    coverage = []
    for name, table in TABLES.items():
        if table.parent is None and not table.by_id:
            targets = {""}
        else:
            targets = {str(item[table.parent or table.key[0]]) for item in TABLES_OBSERVED.get(name, ())}
        coverage.extend(read(name, target, complete=name not in unread) for target in sorted(targets))
    return snapshot({name: rows for name, rows in tables.items() if name not in unread}, coverage)


def state(resources: Sequence[Resource]) -> str:
    return json.dumps(
        {
            "version": 4,
            "terraform_version": "1.9.5",
            "resources": [
                {
                    "mode": "managed",
                    "type": type_,
                    "name": name,
                    "provider": 'provider["registry.terraform.io/aliyun/alicloud"]',
                    "instances": [{"schema_version": 0, "attributes": attributes, "sensitive_attributes": []}],
                }
                for type_, name, attributes in resources
            ],
        }
    )


def drift(tmp_path: Path, resources: Sequence[Resource] = DECLARED, cloud: Snapshot | None = None) -> TerraformDrift:
    path = tmp_path / "terraform.tfstate"
    path.write_text(state(resources), encoding="utf-8")
    return compare(read_declarations(str(path)), cloud or observed())


def changes(found: TerraformDrift) -> list[tuple[str, str, Any, Any]]:
    return [
        (item.address, attribute.name, attribute.old, attribute.new)
        for item in found.changed
        for attribute in item.attributes
    ]


def replaced(name: str, index: int, **values: Any) -> dict[str, list[dict[str, Any]]]:
    rows = [dict(item) for item in TABLES_OBSERVED[name]]
    rows[index].update(values)
    return {name: rows}


def attribute(identity: str, name: str, value: str) -> dict[str, list[dict[str, Any]]]:
    rows = [dict(item) for item in TABLES_OBSERVED["resource_attributes"]]
    (found,) = [item for item in rows if (item["resource_id"], item["name"]) == (identity, name)]
    found["value"] = value
    return {"resource_attributes": rows}


def test_the_sample_covers_every_type() -> None:
    # The listeners of a GWLB are not read.
    assert {type_ for type_, _name, _attributes in DECLARED} == set(TYPES) - {"alicloud_gwlb_listener"}


def test_what_is_declared_of_a_list_that_is_never_read_stays_undecided(tmp_path: Path) -> None:
    found = drift(tmp_path, [("alicloud_gwlb_listener", "g", {"id": "lsn-9", "load_balancer_id": "gwlb-1"})])
    assert (found.missing, found.managed) == ((), ())
    assert [item.address for item in found.undecided] == ["alicloud_gwlb_listener.g"]


def test_a_state_that_matches_the_cloud_has_no_drift(tmp_path: Path) -> None:
    found = drift(tmp_path)
    assert (changes(found), found.missing, found.unmanaged, found.undecided, found.unreadable) == ([], (), (), (), ())
    assert found.declared == len(found.managed) > len(DECLARED)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (replaced("endpoint_services", 0, auto_accept_enabled=True), ("svc", "auto_accept_connection", False, True)),
        (replaced("endpoint_services", 0, connect_bandwidth=1024), ("svc", "connect_bandwidth", 3072, 1024)),
        (
            replaced("connections", 0, connection_status="Disconnected"),
            ("c", "connection_status", "Connected", "Disconnected"),
        ),
        (
            replaced("endpoints", 0, policy_document=""),
            ("ep", "policy_document", '{"Statement": [], "Version": "1"}', ""),
        ),
        (
            replaced("endpoint_security_groups", 0, security_group_id="sg-9"),
            ("ep", "security_group_ids", "sg-1", "sg-9"),
        ),
        (replaced("endpoint_zones", 0, eni_ip="10.10.2.36"), ("z", "eni_ip", "10.10.2.35", "10.10.2.36")),
        (replaced("load_balancers", 0, delete_protection="off"), ("lb", "delete_protection", "on", "off")),
        (replaced("load_balancers", 0, pay_type="PrePay"), ("lb", "payment_type", "payasyougo", "subscription")),
        (
            replaced("load_balancer_zones", 0, vswitch_id="vsw-9"),
            ("nlb", "zone_mappings", "z-a vsw-2, z-b vsw-3", "z-a vsw-2, z-b vsw-9"),
        ),
        (replaced("listeners", 0, backend_server_port=81), ("tcp", "backend_port", 80, 81)),
        (replaced("listeners", 0, acl_status="on"), ("tcp", "acl_status", "off", "on")),
        (replaced("backends", 1, weight=0), ("a", "weight", 50, 0)),
        (replaced("backends", 3, weight=0), ("d", "weight", 100, 0)),
        (
            replaced("security_group_policies", 0, inner_access_policy="Drop"),
            ("sg", "inner_access_policy", "accept", "drop"),
        ),
        (replaced("security_group_rules", 0, source_cidr="0.0.0.0/0"), ("in", "cidr", "10.10.2.0/24", "0.0.0.0/0")),
        (replaced("vswitches", 0, zone_id="z-a"), ("vs", "zone_id", "z-b", "z-a")),
        (attribute("lb-1:https:443", "scheduler", "rr"), ("tls", "scheduler", "wrr", "rr")),
        (attribute("lb-1:https:443", "cookie_timeout", "1"), ("tls", "cookie_timeout", 500, 1)),
        (attribute("lb-1:https:443", "gzip", "off"), ("tls", "gzip", "on", "off")),
        (attribute("lb-1:https:443", "x_forwarded_for", "off"), ("tls", "x_forwarded_for", "on", "off")),
        (attribute("lb-1:https:443", "health_check_uri", "/"), ("tls", "health_check_uri", "/health", "/")),
        (attribute("lb-1:https:443", "server_certificate_id", "c"), ("tls", "server_certificate_id", "cert-1", "c")),
        (attribute("lb-1:tcp:80", "established_timeout", "10"), ("tcp", "established_timeout", 900, 10)),
        (attribute("ep-1", "zone_private_ip_address_count", "2"), ("ep", "zone_private_ip_address_count", 1, 2)),
        (attribute("nlb-1", "security_group_ids", "[]"), ("nlb", "security_group_ids", "sg-a, sg-b", "")),
        (attribute("nlb-1:tcp:443", "proxy_protocol_config", "{}"), ("nl", "proxy_protocol_config", "endpoint", "")),
        (attribute("sg-1", "tags", "{}"), ("sg", "tags", "team=net", "")),
        (attribute("rsp-1:i-2:8080", "description", ""), ("a", "description", "second", "")),
        (replaced("listeners", 2, server_group_id="sgp-9"), ("al", "default_actions", "sgp-2", "sgp-9")),
        (replaced("backends", 0, server_type="eni"), ("vg", "type", "ecs", "eni")),
        (replaced("resource_tags", 0, tag_value="test"), ("svc", "tags", "env=prod", "env=test")),
    ],
)
def test_one_attribute_changed_by_hand_is_one_change(tmp_path: Path, change: Any, expected: tuple[str, ...]) -> None:
    found = drift(tmp_path, cloud=observed(change))
    assert [(address.split(".")[1], *rest) for address, *rest in changes(found)] == [expected]
    assert (found.missing, found.unmanaged, found.undecided) == ((), (), ())


@pytest.mark.parametrize(
    ("table", "addition", "identity"),
    [
        (
            "service_users",
            row(service_id="epsrv-1", entry="9999999999999999", entry_type="account"),
            "epsrv-1:9999999999999999",
        ),
        ("service_users", row(service_id="epsrv-1", entry="acs:ram:*:*:*", entry_type="arn"), "epsrv-1::acs:ram:*:*:*"),
        (
            "security_group_rules",
            row(security_group_id="sg-1", rule_id="sgr-9", direction="ingress", policy="Accept", priority=1),
            "sg-1:sgr-9",
        ),
        ("service_resources", row(service_id="epsrv-1", resource_id="lb-9", zone_id="z-a"), "epsrv-1:lb-9:z-a"),
        ("endpoint_zones", row(endpoint_id="ep-1", zone_id="z-a"), "ep-1:z-a"),
        ("listeners", row(load_balancer_id="lb-1", protocol="tcp", port=22), "lb-1:tcp:22"),
        ("backends", row(server_group_id="rsp-1", server_id="i-9", port=8080, role=""), "rsp-1:i-9:8080:"),
        ("backends", row(server_group_id="lb-1:default", server_id="i-9", role=""), "lb-1:default:i-9::"),
        ("acl_entries", row(acl_id="acl-1", entry="0.0.0.0/0"), "acl-1:0.0.0.0/0"),
    ],
)
def test_what_was_added_by_hand_below_a_declared_parent_is_unmanaged(
    tmp_path: Path, table: str, addition: dict[str, Any], identity: str
) -> None:
    found = drift(tmp_path, cloud=observed({table: [*TABLES_OBSERVED[table], addition]}))
    assert [(item.type, item.id) for item in found.unmanaged] == [(table, identity)]
    assert (changes(found), found.missing) == ([], ())


def test_top_level_objects_of_others_are_never_unmanaged(tmp_path: Path) -> None:
    others = {
        "endpoint_services": [*TABLES_OBSERVED["endpoint_services"], row(service_id="epsrv-other")],
        "service_users": [
            *TABLES_OBSERVED["service_users"],
            row(service_id="epsrv-other", entry="1", entry_type="account"),
        ],
        "endpoints": [*TABLES_OBSERVED["endpoints"], row(endpoint_id="ep-other")],
        "connections": [*TABLES_OBSERVED["connections"], row(service_id="epsrv-1", endpoint_id="ep-other")],
    }
    assert not drift(tmp_path, cloud=observed(others)).differs


@pytest.mark.parametrize(
    ("table", "names"),
    [
        ("endpoint_services", {"svc"}),
        ("endpoints", {"ep"}),
        ("service_users", {"consumer", "arn"}),
        ("connections", {"c"}),
        ("endpoint_zones", {"z"}),
        ("security_group_rules", {"in", "out"}),
        ("vpcs", {"v"}),
        ("load_balancers", {"lb", "nlb", "alb"}),
    ],
)
def test_gone_is_missing_after_a_complete_read_and_undecided_after_a_refused_one(
    tmp_path: Path, table: str, names: set[str]
) -> None:
    gone = drift(tmp_path, cloud=observed({table: []}))
    assert {item.address.split(".")[1] for item in gone.missing} >= names
    blind = drift(tmp_path, cloud=observed(unread=[table]))
    assert {item.address.split(".")[1] for item in blind.undecided} >= names
    assert blind.missing == ()
    assert table in {gap.table for gap in blind.unreadable}


@pytest.mark.parametrize("status", ["Pending", "Connecting"])
def test_a_connection_on_its_way_is_neither_changed_nor_missing(tmp_path: Path, status: str) -> None:
    found = drift(tmp_path, cloud=observed(replaced("connections", 0, connection_status=status)))
    assert not found.differs
    assert [item.reason for item in found.undecided] == [f"connection_status is {status}"]


def test_old_spellings_are_understood(tmp_path: Path) -> None:
    old: list[Resource] = [
        ("alicloud_slb_load_balancer", "lb", {"id": "lb-1", "name": "orders-clb", "specification": "slb.lcu.elastic"}),
        ("alicloud_security_group", "sg", {"id": "sg-1", "name": "endpoint-sg", "inner_access": True}),
        ("alicloud_vswitch", "vs", {"id": "vsw-1", "name": "VSwitch1", "availability_zone": "z-a"}),
        ("alicloud_vpc", "v", {"id": "vpc-1", "name": "names are not compared"}),
        (
            "alicloud_slb_listener",
            "tls",
            {"load_balancer_id": "lb-1", "protocol": "https", "frontend_port": 443, "ssl_certificate_id": "other"},
        ),
        ("alicloud_nlb_load_balancer", "nlb", {"id": "nlb-1", "deletion_protection_config": [{"enabled": False}]}),
    ]
    assert [(change[0].split(".")[1], *change[1:]) for change in changes(drift(tmp_path, old))] == [
        ("tls", "server_certificate_id", "other", "cert-1"),
        ("nlb", "deletion_protection_enabled", "off", "on"),
        ("vs", "zone_id", "z-a", "z-b"),
    ]


def test_a_value_the_state_marks_is_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "s"
    document = json.loads(state([("alicloud_vpc", "v", {"id": "vpc-1", "cidr_block": "very-secret"})]))
    document["resources"][0]["instances"][0]["sensitive_attributes"] = [[{"type": "get_attr", "value": "cidr_block"}]]
    path.write_text(json.dumps(document), encoding="utf-8")
    (item,) = compare(read_declarations(str(path)), observed()).changed
    assert (item.attributes[0].old, item.attributes[0].new) == ("(sensitive)", "(sensitive)")


def test_secrets_of_the_state_do_not_survive_the_parsing(tmp_path: Path) -> None:
    path = tmp_path / "s"
    resources = [
        ("alicloud_ram_access_key", "k", {"id": "LTAI-secret", "secret": "very-secret"}),
        (
            "alicloud_vpc",
            "v",
            {"id": "vpc-1", "tags": {"a": "b"}, "password": "very-secret", "env": {"X": "very-secret"}},
        ),
    ]
    path.write_text(state(resources), encoding="utf-8")
    (declaration,) = read_declarations(str(path))
    assert dict(declaration.attributes) == {"id": "vpc-1", "tags": {"a": "b"}}
    assert "very-secret" not in repr(declaration)


def test_show_of_a_state_and_of_a_plan_and_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def resource(type_: str, name: str, values: dict[str, Any], module: str = "") -> dict[str, Any]:
        return {
            "address": f"{module}{type_}.{name}",
            "mode": "managed",
            "type": type_,
            "name": name,
            "provider_name": "registry.terraform.io/aliyun/alicloud",
            "values": values,
            "sensitive_values": {},
        }

    inside = [resource(type_, name, values, "module.a.") for type_, name, values in DECLARED[1:]]
    root = {
        "resources": [resource(*DECLARED[0]), {**resource(*DECLARED[0]), "mode": "data"}],
        "child_modules": [{"address": "module.a", "resources": inside}],
    }
    for key in ("values", "planned_values"):
        document = {"format_version": "1.2", "terraform_version": "1.9.5", key: {"root_module": root}}
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(json.dumps(document).encode())))
        found = compare(read_declarations("-"), observed())
        assert not found.differs
        assert found.declared == drift(tmp_path).declared
        assert {item.address for item in found.managed} >= {"module.a.alicloud_vpc.v"}


def test_tainted_deposed_and_indexed_instances(tmp_path: Path) -> None:
    document = json.loads(state([("alicloud_vpc", "v", {"id": "vpc-1"})]))
    document["resources"][0]["module"] = "module.net"
    document["resources"][0]["instances"] = [
        {"index_key": "a", "attributes": {"id": "vpc-1"}},
        {"index_key": 1, "attributes": {"id": "vpc-1"}, "status": "tainted"},
        {"index_key": 2, "attributes": {"id": "vpc-1"}, "deposed": "abc"},
    ]
    path = tmp_path / "s"
    path.write_text(json.dumps(document), encoding="utf-8")
    assert [item.address for item in read_declarations(str(path))] == ['module.net.alicloud_vpc.v["a"]']


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not JSON"),
        (b"[]", "is not a Terraform state"),
        (b"{}", "neither a state of version 4 nor"),
        (b'{"version": 3, "modules": []}', "version 3 or older"),
        (b'{"encrypted_data": "x", "version": 4}', "encrypted OpenTofu state"),
        (b'{"format_version": "2.0", "values": {}}', "this plaudit reads 1.x"),
        (b'{"version": 4,\n "resources": [', "s:2: is not JSON"),
        (b"\xff\xfe", "is not UTF-8"),
        (b"[" * 200_000, "nested too deeply"),
    ],
)
def test_a_file_that_is_no_state_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "s"
    path.write_bytes(content)
    with pytest.raises(FileError) as caught:
        read_declarations(str(path))
    assert message in str(caught.value)
