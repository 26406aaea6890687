"""Attributes: what an answer says beside the columns of its table, kept as text for the comparison with declarations.

The list is explicit.  No call is made for any of it, and nothing here is ever a reason to call an answer incomplete:
what is absent or of another type than documented is simply not known.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from auditor.collect.fields import Item, Rows, Value, known

TABLE = "resource_attributes"

#: Tables whose answers say more than their columns hold; the coverage of the attributes has the targets of those lists.
TOLD = frozenset(
    {
        *("endpoint_attributes", "load_balancers", "listeners", "server_groups", "security_groups"),
        *("vpcs", "vswitches"),
    }
)

#: Where an attribute is found; of several places the first that holds something counts.
Paths = tuple[str, ...]


def _paths(**named: str) -> tuple[tuple[str, Paths], ...]:
    return tuple((name, tuple(places.split())) for name, places in named.items())


_COMMON = _paths(resource_group_id="ResourceGroupId")
_CONFIG = "*ListenerConfig."

#: (attribute, places) by kind of answer.  `*ListenerConfig` is the one configuration object of a CLB listener.
ATTRIBUTES: dict[str, tuple[tuple[str, Paths], ...]] = {
    "endpoint_services": (*_COMMON, *_paths(service_support_ipv6="ServiceSupportIPv6")),
    "endpoints": (*_COMMON, *_paths(zone_private_ip_address_count="ZonePrivateIpAddressCount")),
    "clb": (
        *_COMMON,
        *_paths(bandwidth="Bandwidth", internet_charge_type="InternetChargeTypeAlias"),
    ),
    "clb_listeners": _paths(
        bandwidth="Bandwidth",
        scheduler="Scheduler",
        **{
            name: " ".join(_CONFIG + field for field in fields.split())
            for name, fields in {
                "sticky_session": "StickySession",
                "sticky_session_type": "StickySessionType",
                "cookie": "Cookie",
                "cookie_timeout": "CookieTimeout",
                "idle_timeout": "IdleTimeout",
                "request_timeout": "RequestTimeout",
                "gzip": "Gzip",
                "x_forwarded_for": "XForwardedFor",
                "server_certificate_id": "ServerCertificateId",
                "ca_certificate_id": "CACertificateId",
                "tls_cipher_policy": "TLSCipherPolicy",
                "enable_http2": "EnableHttp2",
                "persistence_timeout": "PersistenceTimeout",
                "proxy_protocol_v2_enabled": "ProxyProtocolV2Enabled",
                "established_timeout": "EstablishedTimeout",
                "health_check_type": "HealthCheckType",
                "healthy_threshold": "HealthyThreshold",
                "unhealthy_threshold": "UnhealthyThreshold",
                "health_check_timeout": "HealthCheckTimeout HealthCheckConnectTimeout",
                "health_check_interval": "HealthCheckInterval",
                "health_check_uri": "HealthCheckURI",
                "health_check_domain": "HealthCheckDomain",
                "health_check_http_code": "HealthCheckHttpCode",
                "health_check_method": "HealthCheckMethod",
            }.items()
        },
    ),
    "clb_backends": _paths(description="Description"),
    "nlb": (*_COMMON, *_paths(cross_zone_enabled="CrossZoneEnabled", security_group_ids="SecurityGroupIds")),
    "alb": (
        *_COMMON,
        *_paths(load_balancer_edition="LoadBalancerEdition", address_allocated_mode="AddressAllocatedMode"),
    ),
    "nlb_listeners": _paths(
        security_policy_id="SecurityPolicyId",
        certificate_ids="CertificateIds",
        ca_certificate_ids="CaCertificateIds",
        proxy_protocol_enabled="ProxyProtocolEnabled",
        proxy_protocol_config="ProxyProtocolV2Config",
    ),
    "alb_listeners": _paths(security_policy_id="SecurityPolicyId"),
    "vpcs": (*_COMMON, *_paths(enable_ipv6="EnabledIpv6")),
    "vswitches": _paths(enable_ipv6="EnabledIpv6"),
}

#: Kinds of answers whose tags are not rows of `resource_tags`, and where they stand.
_TAGS = {"security_groups": ("Tags", "Tag"), "vserver_groups": ("Tags", "Tag"), "vpcs": ("Tags", "Tag")}


def add_attributes(rows: Rows, kind: str, table: str, resource_id: Value | str, item: Item) -> None:
    """Rows of `resource_attributes` for one object of `table`; `kind` is a key of ATTRIBUTES or of the tags."""
    identity = known(resource_id)
    if not identity:
        return
    for name, places in ATTRIBUTES.get(kind, ()):
        for place in places:
            value = _text(_at(item, place))
            if value is not None:
                rows.tables.setdefault(TABLE, []).append(
                    {"resource_type": table, "resource_id": identity, "name": name, "value": value}
                )
                break
    if kind in _TAGS:
        tags = _tags(item, _TAGS[kind])
        if tags is not None:
            rows.tables.setdefault(TABLE, []).append(
                {"resource_type": table, "resource_id": identity, "name": "tags", "value": tags}
            )


def _at(item: Item, place: str) -> Any:
    here: Any = item
    for step in place.split("."):
        if step == "*ListenerConfig":
            # A listener has exactly one of these objects; two would leave open which one holds.
            found = [value for name, value in item.items() if name.endswith("ListenerConfig") and value is not None]
            here = found[0] if len(found) == 1 else None
        elif isinstance(here, Mapping):
            here = here.get(step)
        else:
            return None
    return here


def _text(value: Any) -> str | None:
    """Text of a scalar, `true` and `false` for booleans, sorted JSON for lists and objects; None if absent."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, list) and all(isinstance(entry, str) for entry in value):
        value = sorted(value)
    if isinstance(value, (list, Mapping)):
        return json.dumps(value, sort_keys=True, ensure_ascii=True)
    return None


def _tags(item: Item, path: Iterable[str]) -> str | None:
    here: Any = item
    for step in path:
        here = here.get(step) if isinstance(here, Mapping) else None
    if not isinstance(here, list):
        return None
    found: dict[str, str] = {}
    for tag in here:
        if not isinstance(tag, Mapping):
            return None
        key, value = tag.get("TagKey", tag.get("Key")), tag.get("TagValue", tag.get("Value"))
        if not isinstance(key, str) or not isinstance(value, str):
            return None
        found[key] = value
    return json.dumps(found, sort_keys=True, ensure_ascii=True)
