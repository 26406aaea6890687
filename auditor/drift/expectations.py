"""Declarations → expectations: one cloud object each, named by the key of its inventory table.

A Terraform resource may declare several objects (a service with `resource` blocks, a group with `servers`), and several
resources may declare one object.  Objects are found by attributes, never by taking Terraform ids apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from auditor.drift.declarations import Declaration
from auditor.drift.spellings import block, folded, number, switch
from auditor.drift.terraform_types import TYPES, Compared

#: Shown in place of a value that the state marks as sensitive.
SENSITIVE = "(sensitive)"


@dataclass(frozen=True, slots=True)
class Expected:
    """One declared object.

    `key` are the values of the table's key columns; None stands for "any" (a CLB has no zone in a state).
    `compared` are (attribute, declared value) pairs; `sets` are (set name, declared members) pairs.
    """

    table: str
    key: tuple[Any, ...]
    address: str
    compared: tuple[tuple[Compared, Any], ...] = ()
    sets: tuple[tuple[str, frozenset[str]], ...] = ()
    sensitive: frozenset[str] = frozenset()
    content: Mapping[str, Any] = field(default_factory=dict)


def expectations(declaration: Declaration) -> Iterator[Expected]:
    """The objects a Terraform resource declares; none if it lacks what names them."""
    attributes = declaration.attributes
    for table, key, sets, content in _BUILDERS[declaration.type](attributes):
        main = table == TYPES[declaration.type].table
        yield Expected(
            table,
            key,
            declaration.address,
            tuple(_compared(declaration)) if main else (),
            tuple(sets.items()),
            declaration.sensitive,
            content,
        )


def _compared(declaration: Declaration) -> Iterator[tuple[Compared, Any]]:
    for attribute in TYPES[declaration.type].compared:
        if not attribute.when(declaration.attributes):
            continue
        for spelling in attribute.spellings:
            if spelling in declaration.attributes:
                yield attribute, declaration.attributes[spelling]
                break


_Object = tuple[str, tuple[Any, ...], dict[str, frozenset[str]], Mapping[str, Any]]
_Attributes = Mapping[str, Any]


def _has(attributes: _Attributes, *names: str) -> bool:
    return all(attributes.get(name) not in (None, "") for name in names)


def _blocks(attributes: _Attributes, name: str) -> list[_Attributes]:
    value = attributes.get(name)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _set(attributes: _Attributes, name: str) -> frozenset[str]:
    value = attributes.get(name)
    return frozenset(str(item) for item in value) if isinstance(value, list) else frozenset()


def _tags(attributes: _Attributes) -> dict[str, frozenset[str]]:
    tags = attributes.get("tags")
    if not isinstance(tags, dict):
        return {}
    return {"tags": frozenset(f"{key}={value}" for key, value in tags.items())}


def _service(attributes: _Attributes) -> Iterator[_Object]:
    if not _has(attributes, "id"):
        return
    sets = _tags(attributes)
    if _set(attributes, "supported_region_list"):
        sets["supported_region_list"] = _set(attributes, "supported_region_list")
    yield "endpoint_services", (attributes["id"],), sets, {}
    for item in _blocks(attributes, "resource"):
        if _has(item, "resource_id"):
            yield "service_resources", (attributes["id"], item["resource_id"], item.get("zone_id") or None), {}, {}


def _service_resource(attributes: _Attributes) -> Iterator[_Object]:
    if _has(attributes, "service_id", "resource_id"):
        key = (attributes["service_id"], attributes["resource_id"], attributes.get("zone_id") or None)
        yield "service_resources", key, {}, {}


def _service_user(attributes: _Attributes) -> Iterator[_Object]:
    for name in ("user_id", "user_arn"):
        if _has(attributes, "service_id", name):
            yield "service_users", (attributes["service_id"], str(attributes[name])), {}, {}


def _simple(table: str, *names: str) -> Callable[[_Attributes], Iterator[_Object]]:
    def build(attributes: _Attributes) -> Iterator[_Object]:
        if _has(attributes, *names):
            yield table, tuple(attributes[name] for name in names), _tags(attributes), {}

    return build


def _plain(table: str, *names: str) -> Callable[[_Attributes], Iterator[_Object]]:
    """As `_simple`, for types whose tags are not compared."""

    def build(attributes: _Attributes) -> Iterator[_Object]:
        if _has(attributes, *names):
            yield table, tuple(attributes[name] for name in names), {}, {}

    return build


def _endpoint(attributes: _Attributes) -> Iterator[_Object]:
    if _has(attributes, "id"):
        sets = _tags(attributes)
        if "security_group_ids" in attributes:
            sets["security_group_ids"] = _set(attributes, "security_group_ids")
        yield "endpoints", (attributes["id"],), sets, {}


def _listener(attributes: _Attributes) -> Iterator[_Object]:
    if not _has(attributes, "load_balancer_id", "protocol", "frontend_port"):
        return
    sets: dict[str, frozenset[str]] = {}
    if switch(attributes.get("acl_status", "off")) == "on":
        old = frozenset({str(attributes["acl_id"])}) if _has(attributes, "acl_id") else frozenset()
        sets["acl_ids"] = _set(attributes, "acl_ids") or old
    key = (attributes["load_balancer_id"], folded(attributes["protocol"]), number(attributes["frontend_port"]))
    yield "listeners", key, sets, {}


def _cross_listener(attributes: _Attributes) -> Iterator[_Object]:
    if _has(attributes, "load_balancer_id", "listener_protocol", "listener_port"):
        protocol, port = folded(attributes["listener_protocol"]), number(attributes["listener_port"])
        yield "listeners", (attributes["load_balancer_id"], protocol, port), {}, {}


def _server_group(attributes: _Attributes) -> Iterator[_Object]:
    if not _has(attributes, "id"):
        return
    yield "server_groups", (attributes["id"],), _tags(attributes), {}
    for servers in _blocks(attributes, "servers"):
        members = _set(servers, "server_ids") or ({str(servers["server_id"])} if _has(servers, "server_id") else set())
        for server in sorted(members):
            content = {"weight": servers.get("weight"), "server_type": servers.get("type")}
            yield "backends", (attributes["id"], server, number(servers.get("port")), None), {}, content


def _attachment(attributes: _Attributes) -> Iterator[_Object]:
    if _has(attributes, "server_group_id", "server_id"):
        key = (attributes["server_group_id"], attributes["server_id"], number(attributes.get("port")), None)
        yield "backends", key, {}, {}


def _default_group(attributes: _Attributes) -> Iterator[_Object]:
    load_balancer = attributes.get("load_balancer_id") or attributes.get("id")
    if not load_balancer:
        return
    group = f"{load_balancer}:default"
    for server in _blocks(attributes, "backend_servers"):
        if _has(server, "server_id"):
            content = {"weight": server.get("weight"), "server_type": server.get("type")}
            yield "backends", (group, server["server_id"], None, None), {}, content
    for server_id in sorted(_set(attributes, "instance_ids")):
        yield "backends", (group, server_id, None, None), {}, {"weight": attributes.get("weight")}


def _acl(attributes: _Attributes) -> Iterator[_Object]:
    if _has(attributes, "id"):
        for item in _blocks(attributes, "entry_list"):
            if _has(item, "entry"):
                yield "acl_entries", (attributes["id"], block(item["entry"])), {}, {}


def _acl_entry(attributes: _Attributes) -> Iterator[_Object]:
    if _has(attributes, "acl_id", "entry"):
        yield "acl_entries", (attributes["acl_id"], block(attributes["entry"])), {}, {}


def _security_group(attributes: _Attributes) -> Iterator[_Object]:
    if not _has(attributes, "id"):
        return
    content: dict[str, Any] = {}
    if _has(attributes, "inner_access_policy"):
        content["inner_access_policy"] = folded(attributes["inner_access_policy"])
    elif isinstance(attributes.get("inner_access"), bool):
        content["inner_access_policy"] = "accept" if attributes["inner_access"] else "drop"
    yield "security_groups", (attributes["id"],), _tags(attributes), content


def _security_group_rule(attributes: _Attributes) -> Iterator[_Object]:
    if not _has(attributes, "security_group_id", "type"):
        return
    key = (attributes["security_group_id"], attributes.get("security_group_rule_id") or None)
    yield "security_group_rules", key, {}, declared_rule(attributes)


def declared_rule(attributes: _Attributes) -> dict[str, Any]:
    """A declared security-group rule as the comparable content of an inventory row.

    The source attributes hold the destination for egress; defaults are those of the provider.
    """
    egress = folded(attributes["type"]) == "egress"
    return {
        "direction": folded(attributes["type"]),
        "protocol": folded(attributes.get("ip_protocol")),
        "ports": attributes.get("port_range") or "-1/-1",
        "policy": folded(attributes.get("policy") or "accept"),
        "priority": number(attributes.get("priority") or 1),
        "cidr": block(attributes["cidr_ip"]) if _has(attributes, "cidr_ip") else "",
        "ipv6": block(attributes["ipv6_cidr_ip"]) if _has(attributes, "ipv6_cidr_ip") else "",
        "group": attributes.get("source_security_group_id") or "",
        "prefix_list": attributes.get("prefix_list_id") or "",
        "egress": egress,
    }


def _mapped(attributes: _Attributes) -> Iterator[_Object]:
    if not _has(attributes, "id"):
        return
    zones = frozenset(
        f"{item['zone_id']} {item.get('vswitch_id', '')}"
        for item in _blocks(attributes, "zone_mappings")
        if _has(item, "zone_id")
    )
    yield "load_balancers", (attributes["id"],), {"zone_mappings": zones} if zones else {}, {}


_BUILDERS: dict[str, Callable[[_Attributes], Iterator[_Object]]] = {
    "alicloud_privatelink_vpc_endpoint_service": _service,
    "alicloud_privatelink_vpc_endpoint_service_resource": _service_resource,
    "alicloud_privatelink_vpc_endpoint_service_user": _service_user,
    "alicloud_privatelink_vpc_endpoint_connection": _simple("connections", "service_id", "endpoint_id"),
    "alicloud_privatelink_vpc_endpoint": _endpoint,
    "alicloud_privatelink_vpc_endpoint_zone": _simple("endpoint_zones", "endpoint_id", "zone_id"),
    "alicloud_slb_load_balancer": _simple("load_balancers", "id"),
    "alicloud_slb_listener": _listener,
    "alicloud_slb_server_group": _server_group,
    "alicloud_slb_server_group_server_attachment": _attachment,
    "alicloud_slb_backend_server": _default_group,
    "alicloud_slb_attachment": _default_group,
    "alicloud_slb_master_slave_server_group": _server_group,
    "alicloud_slb_acl": _acl,
    "alicloud_slb_acl_entry_attachment": _acl_entry,
    "alicloud_security_group": _security_group,
    "alicloud_security_group_rule": _security_group_rule,
    "alicloud_nlb_load_balancer": _mapped,
    "alicloud_alb_load_balancer": _mapped,
    "alicloud_nlb_listener": _cross_listener,
    "alicloud_alb_listener": _cross_listener,
    "alicloud_gwlb_listener": _plain("listeners", "load_balancer_id"),
    "alicloud_vpc": _plain("vpcs", "id"),
    "alicloud_vswitch": _plain("vswitches", "id"),
}
