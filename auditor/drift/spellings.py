"""Spellings: what makes a declared value and an observed one comparable.  Pure."""

from __future__ import annotations

import ipaddress
import json
from typing import Any


def folded(value: Any) -> Any:
    """An enumeration: case does not count."""
    return value.lower() if isinstance(value, str) else value


def number(value: Any) -> Any:
    """A number, however it is written."""
    if isinstance(value, bool):
        return value
    try:
        return int(str(value))
    except ValueError:
        return value


def switch(value: Any) -> str:
    """on/off and true/false are one thing in several spellings."""
    if isinstance(value, bool):
        return "on" if value else "off"
    text = str(value).lower()
    return {"true": "on", "false": "off"}.get(text, text)


def document(value: Any) -> Any:
    """JSON text, compared parsed; an empty document is no document."""
    if not isinstance(value, str) or not value.strip():
        return ""
    try:
        return json.dumps(json.loads(value), sort_keys=True)
    except ValueError:
        return value


def block(value: Any) -> Any:
    """An address block in its canonical form; `10.159.6.18/12` is accepted by the provider."""
    try:
        return str(ipaddress.ip_network(str(value), strict=False))
    except ValueError:
        return value


def address_type(value: Any) -> Any:
    """`internet` was a boolean once."""
    if isinstance(value, bool):
        return "internet" if value else "intranet"
    return folded(value)


def codes(value: Any) -> Any:
    """A set of words separated by commas, or a list of them; a list may come as JSON text."""
    if isinstance(value, str) and value.startswith("["):
        try:
            value = json.loads(value)
        except ValueError:
            return value
    words = value if isinstance(value, list) else str(value).split(",")
    return ", ".join(sorted(str(word).strip() for word in words if str(word).strip()))


def forwarded(value: Any) -> Any:
    """The block `x_forwarded_for` on one side, on or off on the other."""
    if isinstance(value, list):
        first = value[0] if value and isinstance(value[0], dict) else {}
        return switch(first.get("retrive_client_ip", False))
    return switch(value)


def enabled(value: Any) -> Any:
    """A switch, or a block that holds one under `enabled`."""
    if isinstance(value, list):
        first = value[0] if value and isinstance(value[0], dict) else {}
        return switch(first.get("enabled", False))
    return switch(value)


PROXY_KEYS = {
    "proxy_protocol_config_private_link_ep_id_enabled": "endpoint",
    "proxy_protocol_config_private_link_eps_id_enabled": "service",
    "proxy_protocol_config_vpc_id_enabled": "vpc",
    "Ppv2PrivateLinkEpIdEnabled": "endpoint",
    "Ppv2PrivateLinkEpsIdEnabled": "service",
    "Ppv2VpcIdEnabled": "vpc",
}


def proxy_ids(value: Any) -> Any:
    """Which ids the proxy protocol carries to the backend, in one spelling."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return value
    if isinstance(value, list):
        value = value[0] if value and isinstance(value[0], dict) else {}
    if not isinstance(value, dict):
        return ""
    return ", ".join(sorted(PROXY_KEYS[key] for key, on in value.items() if key in PROXY_KEYS and switch(on) == "on"))


def default_group(value: Any) -> Any:
    """The server group of the default action of an ALB listener; the list as it is unless there is exactly one."""
    if not isinstance(value, list):
        return value
    found = [
        group.get("server_group_id")
        for action in value
        if isinstance(action, dict)
        for config in action.get("forward_group_config") or []
        if isinstance(config, dict)
        for group in config.get("server_group_tuples") or []
        if isinstance(group, dict)
    ]
    return found[0] if len(found) == 1 else None


_RENAMED = {"payondemand": "payasyougo", "prepay": "subscription"}


def payment(value: Any) -> Any:
    """PayOnDemand and PayAsYouGo are one thing, PrePay and Subscription too."""
    text = folded(value)
    return _RENAMED.get(text, text)
