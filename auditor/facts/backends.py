"""Server groups behind the listeners of load balancers, and their backend servers as each listener sees them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from auditor.facts.rows import gap_sentence, rows

if TYPE_CHECKING:
    import pandas as pd

    from auditor.inventory.coverage import Coverage

#: Products whose listeners name a server group of their own; ids start with the product.
_OTHER_PRODUCTS = ("nlb", "alb", "gwlb")


@dataclass(frozen=True, slots=True)
class ListenerGroup:
    """One server group that receives requests of a listener; `default_port` is the port of a CLB's default group."""

    load_balancer_id: str
    protocol: str
    port: int
    server_group_id: str | None
    group_type: str | None
    origin: str = "listener"
    rule_id: str | None = None
    reason: str | None = None
    default_port: int | None = None

    def row(self) -> dict[str, Any]:
        """The row of the fact `listener_groups`."""
        return {
            "load_balancer_id": self.load_balancer_id,
            "protocol": self.protocol,
            "port": self.port,
            "server_group_id": self.server_group_id,
            "group_type": self.group_type,
            "origin": self.origin,
            "rule_id": self.rule_id,
            "reason": self.reason,
        }


def listener_groups(
    listeners: pd.DataFrame, forwarding_rules: pd.DataFrame, coverage: Coverage
) -> Iterator[ListenerGroup]:
    """The effective server group of every listener, and those of the forwarding rules of HTTP and HTTPS ones.

    CLB: the VServer group if one is set, else the primary/secondary group, else the default group; a NULL on the way
    leaves the group unknown.  NLB, ALB, GWLB: the server group of the listener.
    """
    by_listener: dict[tuple[str, str, int], list[tuple[str, str | None]]] = defaultdict(list)
    for lb_id, protocol, port, rule_id, group in rows(
        forwarding_rules, "load_balancer_id", "protocol", "port", "rule_id", "vserver_group_id"
    ):
        by_listener[lb_id, protocol, port].append((rule_id, group))
    seen: set[tuple[str, str, int]] = set()
    for lb_id, protocol, port, vserver, pair, own, default_port in rows(
        listeners,
        "load_balancer_id",
        "protocol",
        "port",
        "vserver_group_id",
        "primary_secondary_group_id",
        "server_group_id",
        "backend_server_port",
    ):
        if (lb_id, protocol, port) in seen:
            continue
        seen.add((lb_id, protocol, port))
        product = lb_id.split("-", 1)[0]
        if product in _OTHER_PRODUCTS:
            reason = None if own else "the server group of the listener was not read"
            yield ListenerGroup(lb_id, protocol, port, own or None, product, reason=reason)
            continue
        yield _effective_group(lb_id, protocol, port, vserver, pair, default_port)
        if protocol in ("http", "https"):
            yield from _forwarded_groups(lb_id, protocol, port, by_listener[lb_id, protocol, port], coverage)


def _effective_group(
    lb_id: str, protocol: str, port: int, vserver: str | None, pair: str | None, default_port: int | None
) -> ListenerGroup:
    if vserver is None:
        reason = "whether the listener uses a VServer group was not read"
        return ListenerGroup(lb_id, protocol, port, None, None, reason=reason)
    if vserver:
        return ListenerGroup(lb_id, protocol, port, vserver, "vserver")
    if pair is None:
        reason = "whether the listener uses a primary/secondary group was not read"
        return ListenerGroup(lb_id, protocol, port, None, None, reason=reason)
    if pair:
        return ListenerGroup(lb_id, protocol, port, pair, "primary_secondary")
    return ListenerGroup(lb_id, protocol, port, f"{lb_id}:default", "default", default_port=default_port)


def _forwarded_groups(
    lb_id: str, protocol: str, port: int, forwarded: list[tuple[str, str | None]], coverage: Coverage
) -> Iterator[ListenerGroup]:
    for rule_id, group in sorted(set(forwarded), key=str):
        reason = None if group else "the server group of the forwarding rule was not read"
        yield ListenerGroup(lb_id, protocol, port, group or None, "vserver", "forwarding_rule", rule_id, reason)
    key = f"{lb_id}:{protocol}:{port}"
    if not coverage.complete("forwarding_rules", key):
        reason = gap_sentence(coverage, "forwarding_rules", key)
        yield ListenerGroup(lb_id, protocol, port, None, "vserver", "forwarding_rule", None, reason)


@dataclass(frozen=True, slots=True)
class _Health:
    server_ip: str | None
    port: int | None
    status: str | None


def listener_backends(
    groups: Iterator[ListenerGroup], backends: pd.DataFrame, health_status: pd.DataFrame, coverage: Coverage
) -> Iterator[dict[str, Any]]:
    """Rows of the fact `listener_backends`; a row without server where the group or its servers are not known."""
    servers: dict[str, dict[tuple[Any, ...], None]] = defaultdict(dict)
    for group_id, *server in rows(
        backends, "server_group_id", "server_id", "server_type", "server_ip", "port", "weight", "role"
    ):
        servers[group_id][tuple(server)] = None
    health: dict[tuple[str, str, int, str], list[_Health]] = defaultdict(list)
    for lb_id, protocol, port, server_id, *rest in rows(
        health_status,
        "load_balancer_id",
        "protocol",
        "listener_port",
        "server_id",
        "server_ip",
        "port",
        "health_status",
    ):
        health[lb_id, protocol.lower(), port, server_id].append(_Health(*rest))
    seen: set[tuple[str, str, int, str | None, str]] = set()
    for group in groups:
        # Several forwarding rules may name one group.
        key = (group.load_balancer_id, group.protocol, group.port, group.server_group_id, group.origin)
        if key in seen:
            continue
        seen.add(key)
        base = {
            "load_balancer_id": group.load_balancer_id,
            "protocol": group.protocol,
            "listener_port": group.port,
            "server_group_id": group.server_group_id,
            "origin": group.origin,
        }
        if group.server_group_id is None:
            yield {**base, "reason": group.reason}
            continue
        for server_id, server_type, server_ip, port, weight, role in servers[group.server_group_id]:
            backend_port = group.default_port if port is None else port
            status, reason = _status_of(
                health.get((group.load_balancer_id, group.protocol.lower(), group.port, server_id), []),
                server_ip,
                backend_port,
            )
            if status is None and reason is None and not coverage.complete("health_status", group.load_balancer_id):
                reason = gap_sentence(coverage, "health_status", group.load_balancer_id)
            yield {
                **base,
                "server_id": server_id,
                "server_type": server_type,
                "server_ip": server_ip,
                "backend_port": backend_port,
                "weight": weight,
                "role": role,
                "serving": None if weight is None else weight > 0,
                "health_status": status,
                "reason": reason,
            }
        if not coverage.complete("backends", group.server_group_id):
            yield {**base, "reason": gap_sentence(coverage, "backends", group.server_group_id)}


def _status_of(entries: list[_Health], server_ip: str | None, port: int | None) -> tuple[str | None, str | None]:
    """Health of one server behind one listener, and why it is not known; neither where no entry names it."""
    for_port = [entry for entry in entries if None in (port, entry.port) or entry.port == port]
    for_address = [entry for entry in for_port if not server_ip or not entry.server_ip or entry.server_ip == server_ip]
    statuses = {entry.status for entry in for_address}
    if len(statuses) > 1:
        return None, "health entries of the server differ"
    status = next(iter(statuses), None)
    if for_address and status is None:
        return None, "the health of the server was not read"
    return (status.lower() if status is not None else None), None
