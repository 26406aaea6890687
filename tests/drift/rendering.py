"""A simulated world as the Terraform state that would have built it: written from the objects, not from the answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from auditor.simulator.objects import Clb, Endpoint, EndpointService, Listener, Rule, SecurityGroup
from auditor.simulator.world import World

Resource = tuple[str, str, dict[str, Any]]

GROUP = "rg-acfmdefaultgrp1"


def resources(world: World) -> Iterator[Resource]:
    """(type, name, attributes) of everything a state of this deployment declares."""
    for vpc in world.vpcs.values():
        yield (
            "alicloud_vpc",
            vpc.vpc_id,
            {"id": vpc.vpc_id, "cidr_block": vpc.cidr_block, "vpc_name": "other", "tags": {}},
        )
    for vswitch in world.vswitches.values():
        yield (
            "alicloud_vswitch",
            vswitch.vswitch_id,
            {
                "id": vswitch.vswitch_id,
                "cidr_block": vswitch.cidr_block,
                "vpc_id": vswitch.vpc_id,
                "zone_id": vswitch.zone_id,
                "enable_ipv6": False,
            },
        )
    for service in world.services.values():
        yield from _service(service)
    for endpoint in world.endpoints.values():
        yield from _endpoint(world, endpoint)
    for clb in world.clbs.values():
        yield from _clb(world, clb)
    yield from _balancers(world)
    used = {group for endpoint in world.endpoints.values() for group in endpoint.security_groups}
    for group in world.security_groups.values():
        if group.security_group_id in used:
            yield from _security_group(group)


def _service(service: EndpointService) -> Iterator[Resource]:
    identity = service.service_id
    elsewhere = [region for region, _status, _business in service.supported_regions if region != service.region_id]
    yield (
        "alicloud_privatelink_vpc_endpoint_service",
        identity,
        {
            "id": identity,
            "auto_accept_connection": service.auto_accept,
            "payer": service.payer,
            "service_resource_type": service.resource_type,
            "zone_affinity_enabled": service.zone_affinity,
            "service_support_ipv6": service.address_ip_version == "DualStack",
            "address_ip_version": service.address_ip_version,
            "supported_region_list": elsewhere or None,
            "service_description": service.description,
            "resource_group_id": GROUP,
            "connect_bandwidth": service.connect_bandwidth,
            "tags": service.tags or None,
            "status": service.status,
        },
    )
    for item in service.resources:
        yield (
            "alicloud_privatelink_vpc_endpoint_service_resource",
            f"{identity}-{item.resource_id}-{item.zone_id}",
            {
                "service_id": identity,
                "resource_id": item.resource_id,
                "resource_type": item.resource_type,
                "zone_id": None if item.resource_type == "slb" else item.zone_id,
            },
        )
    for user in service.users:
        if user != service.account_id:
            yield (
                "alicloud_privatelink_vpc_endpoint_service_user",
                f"{identity}-{user}",
                {"service_id": identity, "user_id": user, "user_arn": None},
            )
    for number, arn in enumerate(service.arns):
        yield (
            "alicloud_privatelink_vpc_endpoint_service_user",
            f"{identity}-arn{number}",
            {"service_id": identity, "user_id": "", "user_arn": arn},
        )


def _endpoint(world: World, endpoint: Endpoint) -> Iterator[Resource]:
    identity = endpoint.endpoint_id
    yield (
        "alicloud_privatelink_vpc_endpoint",
        identity,
        {
            "id": identity,
            "service_id": endpoint.service_id,
            "service_name": endpoint.service_name,
            "vpc_id": endpoint.vpc_id,
            "endpoint_type": endpoint.endpoint_type,
            "address_ip_version": endpoint.address_ip_version,
            "zone_private_ip_address_count": 1,
            "vpc_endpoint_name": endpoint.name,
            "endpoint_description": endpoint.description,
            "resource_group_id": GROUP,
            "policy_document": endpoint.policy_document,
            "security_group_ids": list(reversed(endpoint.security_groups)),
            "tags": endpoint.tags or None,
            "protected_enabled": endpoint.protected,
        },
    )
    for zone in endpoint.zones:
        yield (
            "alicloud_privatelink_vpc_endpoint_zone",
            f"{identity}-{zone.zone_id}",
            {
                "endpoint_id": identity,
                "zone_id": zone.zone_id,
                "vswitch_id": zone.vswitch_id,
                "eni_ip": zone.eni_ip,
            },
        )
    if endpoint.service_id in world.services:
        yield (
            "alicloud_privatelink_vpc_endpoint_connection",
            f"{endpoint.service_id}-{identity}",
            {"service_id": endpoint.service_id, "endpoint_id": identity, "bandwidth": endpoint.bandwidth},
        )


def _clb(world: World, clb: Clb) -> Iterator[Resource]:
    identity = clb.load_balancer_id
    yield (
        "alicloud_slb_load_balancer",
        identity,
        {
            "id": identity,
            "address_type": clb.address_type,
            "address_ip_version": clb.address_ip_version,
            "vswitch_id": clb.vswitch_id,
            "master_zone_id": clb.primary_zone_id,
            "slave_zone_id": clb.secondary_zone_id,
            "delete_protection": clb.delete_protection,
            "modification_protection_status": clb.modification_protection,
            "load_balancer_spec": "" if clb.instance_charge_type == "PayByCLCU" else clb.spec,
            "instance_charge_type": clb.instance_charge_type,
            "internet_charge_type": "PayByTraffic",
            "bandwidth": 5120,
            "payment_type": {"PayOnDemand": "PayAsYouGo", "PrePay": "Subscription"}[clb.pay_type],
            "status": clb.status,
            "load_balancer_name": clb.name,
            "resource_group_id": GROUP,
            "tags": clb.tags or None,
        },
    )
    for listener in clb.listeners:
        yield _listener(identity, listener)
    yield (
        "alicloud_slb_backend_server",
        identity,
        {
            "id": identity,
            "load_balancer_id": identity,
            "backend_servers": [
                {"server_id": server.server_id, "weight": server.weight, "type": server.server_type}
                for server in clb.default_group
            ],
        },
    )
    for group in world.server_groups.values():
        if group.load_balancer_id == identity and group.kind == "vserver":
            yield (
                "alicloud_slb_server_group",
                group.group_id,
                {"id": group.group_id, "load_balancer_id": identity, "name": group.name, "servers": []},
            )
            for server in group.servers:
                yield (
                    "alicloud_slb_server_group_server_attachment",
                    f"{group.group_id}-{server.server_id}-{server.port}",
                    {
                        "server_group_id": group.group_id,
                        "server_id": server.server_id,
                        "port": server.port,
                        "weight": server.weight,
                        "type": server.server_type,
                    },
                )


def _listener(identity: str, listener: Listener) -> Resource:
    """With the defaults of every protocol, as the provider writes them."""
    over_http = listener.protocol in ("http", "https")
    return (
        "alicloud_slb_listener",
        f"{identity}-{listener.protocol}-{listener.port}",
        {
            "id": f"{identity}:{listener.protocol}:{listener.port}",
            "load_balancer_id": identity,
            "protocol": listener.protocol,
            "frontend_port": listener.port,
            "backend_port": listener.backend_port or None,
            "server_group_id": listener.group_id,
            "bandwidth": -1,
            "scheduler": listener.scheduler,
            "description": listener.description,
            "acl_status": listener.acl_status,
            "acl_type": listener.acl_type or None,
            "acl_ids": sorted(listener.acl_ids) or None,
            "health_check": listener.health_check,
            "health_check_type": "tcp",
            "healthy_threshold": 3,
            "unhealthy_threshold": 3,
            "health_check_timeout": 5,
            "health_check_interval": 2,
            "health_check_uri": "/",
            "listener_forward": listener.forward,
            "forward_port": listener.forward_port or None,
            "gzip": True,
            "sticky_session": "off",
            "cookie_timeout": 0,
            "idle_timeout": 15,
            "request_timeout": 60,
            "x_forwarded_for": [{"retrive_client_ip": over_http, "retrive_slb_ip": False}],
            "enable_http2": "on",
            "tls_cipher_policy": "tls_cipher_policy_1_2" if listener.protocol == "https" else None,
            "persistence_timeout": 0,
            "established_timeout": 900,
            "proxy_protocol_v2_enabled": False,
        },
    )


def _balancers(world: World) -> Iterator[Resource]:
    for balancer in world.balancers.values():
        if balancer.balancer_type == "gwlb":
            continue
        kind = f"alicloud_{balancer.balancer_type}"
        attributes: dict[str, Any] = {
            "id": balancer.load_balancer_id,
            "address_type": balancer.address_type,
            "address_ip_version": balancer.address_ip_version,
            "vpc_id": balancer.vpc_id,
            "zone_mappings": [
                {"zone_id": zone.zone_id, "vswitch_id": zone.vswitch_id} for zone in reversed(balancer.zones)
            ],
        }
        if balancer.balancer_type == "nlb":
            attributes |= {
                "cross_zone_enabled": True,
                "security_group_ids": list(balancer.security_groups),
                "deletion_protection_enabled": balancer.delete_protection,
            }
        else:
            attributes |= {
                "load_balancer_edition": "Standard",
                "address_allocated_mode": "Fixed",
                "deletion_protection_config": [{"enabled": balancer.delete_protection}],
            }
        yield f"{kind}_load_balancer", balancer.load_balancer_id, attributes
        for listener in balancer.listeners:
            values: dict[str, Any] = {
                "id": listener.listener_id,
                "load_balancer_id": balancer.load_balancer_id,
                "listener_protocol": listener.protocol,
                "listener_port": listener.port,
                "status": listener.status,
            }
            if balancer.balancer_type == "nlb":
                values |= {"server_group_id": listener.server_group_id, "proxy_protocol_enabled": False}
            else:
                tuples = [{"server_group_id": listener.server_group_id}]
                forward = [{"server_group_tuples": tuples}]
                values["default_actions"] = [{"type": "ForwardGroup", "forward_group_config": forward}]
            yield f"{kind}_listener", listener.listener_id, values


def _security_group(group: SecurityGroup) -> Iterator[Resource]:
    identity = group.security_group_id
    yield (
        "alicloud_security_group",
        identity,
        {
            "id": identity,
            "security_group_name": group.name,
            "vpc_id": group.vpc_id,
            "security_group_type": group.group_type,
            "inner_access_policy": group.inner_access_policy,
            "tags": group.tags or None,
        },
    )
    for number, rule in enumerate(group.rules):
        yield "alicloud_security_group_rule", f"{identity}-{number}", _rule(identity, rule)


def _rule(identity: str, rule: Rule) -> dict[str, Any]:
    return {
        "id": "ids are never taken apart",
        "security_group_id": identity,
        "security_group_rule_id": rule.rule_id,
        "type": rule.direction,
        "ip_protocol": rule.protocol.lower(),
        "port_range": rule.ports,
        "nic_type": "internet",
        "policy": rule.policy.lower(),
        "priority": rule.priority,
        "cidr_ip": rule.cidr or None,
        "ipv6_cidr_ip": rule.ipv6_cidr or None,
        "source_security_group_id": rule.group_id or None,
        "prefix_list_id": rule.prefix_list_id or None,
        "description": rule.description,
    }


def state(world: World) -> str:
    """A state file of version 4."""
    return json.dumps(
        {
            "version": 4,
            "terraform_version": "1.9.5",
            "resources": [
                {
                    "mode": "managed",
                    "type": type_,
                    "name": name,
                    "instances": [{"schema_version": 0, "attributes": attributes, "sensitive_attributes": []}],
                }
                for type_, name, attributes in resources(world)
            ],
        }
    )
