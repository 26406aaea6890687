"""Which Terraform types and attributes are compared, and with which column of the inventory.

The list is explicit: what does not stand here is never compared (provider aliyun/alicloud, source of August 2026).
Several spellings of one attribute, old and new, stand in one row; whichever is declared counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from auditor.drift.spellings import (
    PROXY_KEYS,
    address_type,
    block,
    codes,
    default_group,
    document,
    enabled,
    folded,
    forwarded,
    number,
    payment,
    proxy_ids,
    switch,
)

Attributes = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Compared:
    """One attribute: its spellings, the inventory column, what makes both sides comparable, and when it counts.

    A column that begins with `@` is a name of `resource_attributes`.
    """

    spellings: tuple[str, ...]
    column: str
    by: Callable[[Any], Any]
    when: Callable[[Attributes], bool]


@dataclass(frozen=True, slots=True)
class TerraformType:
    """One Terraform type: the inventory table of its objects and the attributes that are compared, tags too.

    `also` are further attributes that are needed: identities, and sets that become objects of their own.
    """

    table: str
    compared: tuple[Compared, ...]
    also: tuple[str, ...] = ()
    names: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        spellings = {name for attribute in self.compared for name in attribute.spellings}
        object.__setattr__(self, "names", frozenset({"id", "tags", *self.also, *spellings}))


def _as_it_is(value: Any) -> Any:
    return value


def _always(attributes: Attributes) -> bool:
    return True


def _c(
    spellings: str,
    column: str | None = None,
    by: Callable[[Any], Any] = _as_it_is,
    when: Callable[[Attributes], bool] = _always,
) -> Compared:
    names = tuple(spellings.split("|"))
    return Compared(names, column or names[0], by, when)


def _protocol_is(*protocols: str) -> Callable[[Attributes], bool]:
    return lambda attributes: str(attributes.get("protocol", "")).lower() in protocols and not _forwards(attributes)


def _forwards(attributes: Attributes) -> bool:
    return bool(switch(attributes.get("listener_forward", "off")) == "on")


def _checks(*, over_http: bool = False) -> Callable[[Attributes], bool]:
    """True where health values count: the check is on, and with `over_http` it asks over HTTP."""

    def holds(attributes: Attributes) -> bool:
        if _forwards(attributes) or switch(attributes.get("health_check", "on")) != "on":
            return False
        http = "http" in (folded(attributes.get("protocol", "")), folded(attributes.get("health_check_type", "")))
        return not over_http or http or folded(attributes.get("protocol", "")) == "https"

    return holds


def _sticks(attributes: Attributes) -> bool:
    on = switch(attributes.get("sticky_session", "off")) == "on"
    return on and _protocol_is("http", "https")(attributes)


TYPES: dict[str, TerraformType] = {
    "alicloud_privatelink_vpc_endpoint_service": TerraformType(
        "endpoint_services",
        (
            _c("auto_accept_connection", "auto_accept_enabled"),
            _c("payer"),
            _c("service_resource_type", by=folded),
            _c("zone_affinity_enabled"),
            _c("address_ip_version", by=folded),
            _c("service_description"),
            _c("service_support_ipv6", "@service_support_ipv6", by=switch),
            _c("resource_group_id", "@resource_group_id"),
            # The bandwidth is not returned for the other types.
            _c("connect_bandwidth", by=number, when=lambda a: a.get("service_resource_type", "slb") == "slb"),
        ),
        also=("resource", "supported_region_list", "resource_id", "resource_type", "zone_id"),
    ),
    "alicloud_privatelink_vpc_endpoint_service_resource": TerraformType(
        "service_resources", (_c("resource_type", by=folded),), also=("service_id", "resource_id", "zone_id")
    ),
    "alicloud_privatelink_vpc_endpoint_service_user": TerraformType(
        "service_users", (), also=("service_id", "user_id", "user_arn")
    ),
    "alicloud_privatelink_vpc_endpoint_connection": TerraformType(
        "connections", (_c("bandwidth", by=number),), also=("service_id", "endpoint_id")
    ),
    "alicloud_privatelink_vpc_endpoint": TerraformType(
        "endpoints",
        (
            _c("service_id"),
            _c("service_name"),
            _c("service_region_id"),
            _c("vpc_id"),
            _c("endpoint_type", by=folded),
            _c("address_ip_version", by=folded),
            _c("cross_region_bandwidth", by=number),
            _c("zone_private_ip_address_count", "@zone_private_ip_address_count", by=number),
            _c("resource_group_id", "@resource_group_id"),
            _c("vpc_endpoint_name", "endpoint_name"),
            _c("endpoint_description"),
            _c("policy_document", by=document),
        ),
        also=("security_group_ids",),
    ),
    "alicloud_privatelink_vpc_endpoint_zone": TerraformType(
        "endpoint_zones", (_c("vswitch_id"), _c("eni_ip")), also=("endpoint_id", "zone_id")
    ),
    "alicloud_slb_load_balancer": TerraformType(
        "load_balancers",
        (
            _c("address_type|internet", "address_type", by=address_type),
            _c("address_ip_version", by=folded),
            _c("vswitch_id"),
            _c("resource_group_id", "@resource_group_id"),
            _c(
                "bandwidth",
                "@bandwidth",
                by=number,
                when=lambda a: folded(a.get("internet_charge_type", "")) == "paybybandwidth",
            ),
            _c("master_zone_id", "primary_zone_id"),
            _c("slave_zone_id", "secondary_zone_id"),
            _c("delete_protection", by=switch),
            _c("modification_protection_status"),
            _c(
                "load_balancer_spec|specification",
                "load_balancer_spec",
                when=lambda a: str(a.get("instance_charge_type", "")) != "PayByCLCU",
            ),
            _c("status", "load_balancer_status"),
            _c("load_balancer_name|name", "load_balancer_name"),
            _c("payment_type", "pay_type", by=payment),
        ),
        also=("instance_charge_type", "internet_charge_type"),
    ),
    "alicloud_slb_listener": TerraformType(
        "listeners",
        (
            _c("backend_port", "backend_server_port", by=number, when=lambda a: not _forwards(a)),
            _c("server_group_id", "vserver_group_id", when=lambda a: not _forwards(a)),
            _c("acl_status", by=switch, when=lambda a: not _forwards(a)),
            _c("acl_type", when=lambda a: switch(a.get("acl_status", "off")) == "on" and not _forwards(a)),
            _c("description"),
            _c("listener_forward", by=switch, when=lambda a: str(a.get("protocol", "")).lower() == "http"),
            _c("forward_port", by=number, when=_forwards),
            *(
                _c(name, f"@{name}", by=by, when=lambda a: not _forwards(a))
                for name, by in (("bandwidth", number), ("scheduler", folded))
            ),
            _c("health_check", by=switch, when=_protocol_is("http", "https")),
            _c("health_check_connect_port", "health_check_port", by=number, when=_checks()),
            _c("health_check_type", "@health_check_type", by=folded, when=_protocol_is("tcp")),
            *(
                _c(name, f"@{name}", by=number, when=_checks())
                for name in (
                    "healthy_threshold",
                    "unhealthy_threshold",
                    "health_check_timeout",
                    "health_check_interval",
                )
            ),
            *(
                _c(name, f"@{name}", by=by, when=_checks(over_http=True))
                for name, by in (
                    ("health_check_uri", _as_it_is),
                    ("health_check_domain", _as_it_is),
                    ("health_check_http_code", codes),
                    ("health_check_method", folded),
                )
            ),
            _c("sticky_session", "@sticky_session", by=switch, when=_protocol_is("http", "https")),
            *(
                _c(name, f"@{name}", by=by, when=_sticks)
                for name, by in (("sticky_session_type", folded), ("cookie", _as_it_is), ("cookie_timeout", number))
            ),
            *(
                _c(name, f"@{name}", by=by, when=_protocol_is("http", "https"))
                for name, by in (
                    ("idle_timeout", number),
                    ("request_timeout", number),
                    ("gzip", switch),
                    ("x_forwarded_for", forwarded),
                )
            ),
            _c("server_certificate_id|ssl_certificate_id", "@server_certificate_id", when=_protocol_is("https")),
            *(
                _c(name, f"@{name}", by=by, when=_protocol_is("https"))
                for name, by in (
                    ("ca_certificate_id", _as_it_is),
                    ("tls_cipher_policy", _as_it_is),
                    ("enable_http2", switch),
                )
            ),
            _c("persistence_timeout", "@persistence_timeout", by=number, when=_protocol_is("tcp", "udp")),
            _c("proxy_protocol_v2_enabled", "@proxy_protocol_v2_enabled", by=switch, when=_protocol_is("tcp", "udp")),
            _c("established_timeout", "@established_timeout", by=number, when=_protocol_is("tcp")),
            _c("master_slave_server_group_id", "primary_secondary_group_id", when=_protocol_is("tcp", "udp")),
        ),
        also=("load_balancer_id", "protocol", "frontend_port", "acl_ids", "acl_id", "retrive_client_ip"),
    ),
    "alicloud_slb_server_group": TerraformType(
        "server_groups",
        (_c("load_balancer_id"), _c("name", "server_group_name")),
        also=("servers", "server_ids", "server_id", "port", "weight", "type"),
    ),
    "alicloud_slb_server_group_server_attachment": TerraformType(
        "backends",
        (
            _c("weight", by=number),
            _c("type", "server_type", by=folded),
            _c("description", "@description"),
        ),
        also=("server_group_id", "server_id", "port"),
    ),
    "alicloud_slb_backend_server": TerraformType(
        "backends", (), also=("load_balancer_id", "backend_servers", "server_id", "weight", "type", "server_ip")
    ),
    "alicloud_slb_attachment": TerraformType("backends", (), also=("load_balancer_id", "instance_ids", "weight")),
    "alicloud_slb_master_slave_server_group": TerraformType(
        "server_groups",
        (_c("load_balancer_id"), _c("name", "server_group_name")),
        also=("servers", "server_id", "port", "weight", "server_type", "type"),
    ),
    "alicloud_slb_acl": TerraformType("acl_entries", (), also=("entry_list", "entry", "comment")),
    "alicloud_slb_acl_entry_attachment": TerraformType("acl_entries", (), also=("acl_id", "entry", "comment")),
    "alicloud_security_group": TerraformType(
        "security_groups",
        (
            _c("security_group_type", by=folded),
            _c("vpc_id"),
            _c("security_group_name|name", "security_group_name"),
        ),
        also=("inner_access_policy", "inner_access"),
    ),
    "alicloud_security_group_rule": TerraformType(
        "security_group_rules",
        (_c("description"),),
        also=(
            "security_group_id",
            "security_group_rule_id",
            "type",
            "ip_protocol",
            "port_range",
            "nic_type",
            "policy",
            "priority",
            "cidr_ip",
            "ipv6_cidr_ip",
            "source_security_group_id",
            "prefix_list_id",
        ),
    ),
    "alicloud_nlb_load_balancer": TerraformType(
        "load_balancers",
        (
            _c("address_type", by=folded),
            _c("address_ip_version", by=folded),
            _c("vpc_id"),
            _c("cross_zone_enabled", "@cross_zone_enabled", by=switch),
            _c("security_group_ids", "@security_group_ids", by=codes),
            _c("deletion_protection_enabled|deletion_protection_config", "delete_protection", by=enabled),
        ),
        also=("zone_mappings", "zone_id", "vswitch_id", "enabled"),
    ),
    "alicloud_alb_load_balancer": TerraformType(
        "load_balancers",
        (
            _c("address_type", by=folded),
            _c("address_ip_version", by=folded),
            _c("vpc_id"),
            _c("load_balancer_edition", "@load_balancer_edition", by=folded),
            _c("address_allocated_mode", "@address_allocated_mode", by=folded),
            _c("deletion_protection_enabled|deletion_protection_config", "delete_protection", by=enabled),
        ),
        also=("zone_mappings", "zone_id", "vswitch_id", "enabled"),
    ),
    "alicloud_nlb_listener": TerraformType(
        "listeners",
        (
            _c("server_group_id"),
            _c("status", by=folded),
            _c("security_policy_id", "@security_policy_id"),
            _c("certificate_ids", "@certificate_ids", by=codes),
            _c("ca_certificate_ids", "@ca_certificate_ids", by=codes),
            _c("proxy_protocol_enabled", "@proxy_protocol_enabled", by=switch),
            _c("proxy_protocol_config", "@proxy_protocol_config", by=proxy_ids),
        ),
        also=("load_balancer_id", "listener_protocol", "listener_port", *PROXY_KEYS),
    ),
    "alicloud_alb_listener": TerraformType(
        "listeners",
        (
            _c("default_actions", "server_group_id", by=default_group),
            _c("status", by=folded),
            _c("security_policy_id", "@security_policy_id"),
        ),
        also=(
            *("load_balancer_id", "listener_protocol", "listener_port"),
            *("forward_group_config", "server_group_tuples", "server_group_id"),
        ),
    ),
    # The listeners of a GWLB take every port and are not read: what is declared of them stays undecided.
    "alicloud_gwlb_listener": TerraformType("listeners", (), also=("load_balancer_id",)),
    "alicloud_vpc": TerraformType("vpcs", (_c("cidr_block", by=block), _c("enable_ipv6", "@enable_ipv6", by=switch))),
    "alicloud_vswitch": TerraformType(
        "vswitches",
        (
            _c("cidr_block", by=block),
            _c("vpc_id"),
            _c("zone_id|availability_zone", "zone_id"),
            _c("enable_ipv6", "@enable_ipv6", by=switch),
        ),
    ),
}

#: Columns the API never leaves out: if one of them was not read, nothing is said about the object.
ALWAYS_TOLD = frozenset(
    {
        *("auto_accept_enabled", "zone_affinity_enabled", "payer", "service_id", "vpc_id", "acl_status"),
        *("delete_protection", "security_group_type"),
    }
)

#: Every attribute name anywhere in the list: what may survive the parsing of a file.
KNOWN_NAMES: frozenset[str] = frozenset().union(*(type_.names for type_ in TYPES.values()))
