"""Effects on CLBs, their listeners, servers and lists; nobody can foretell the health of a server after a change."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from auditor.fixes.draft import Draft, Row


def set_status(draft: Draft, parameters: Mapping[str, str], _account: str | None) -> None:
    """A CLB is started or stopped; what its health checks will say is not known."""
    key = _balancer(draft, parameters)
    draft.change("load_balancers", key, load_balancer_status=parameters["LoadBalancerStatus"])
    draft.change("health_status", key, health_status=None)


def set_delete_protection(draft: Draft, parameters: Mapping[str, str], _account: str | None) -> None:
    """Deletion protection goes on or off."""
    draft.change("load_balancers", _balancer(draft, parameters), delete_protection=parameters["DeleteProtection"])


def set_modification_protection(draft: Draft, parameters: Mapping[str, str], _account: str | None) -> None:
    """The configuration becomes read-only in the console, or writable."""
    status = parameters["ModificationProtectionStatus"]
    draft.change("load_balancers", _balancer(draft, parameters), modification_protection_status=status)


def start_listener(draft: Draft, parameters: Mapping[str, str], _account: str | None) -> None:
    """A listener runs; what its health checks will say is not known."""
    key = _listener(draft, parameters, parameters["ListenerProtocol"])
    draft.change("listeners", key, status="running")
    _forget_health(draft, key)


def set_tcp_listener(draft: Draft, parameters: Mapping[str, str], _account: str | None) -> None:
    """Settings of a TCP listener."""
    _set_listener(draft, parameters, "tcp")


def set_udp_listener(draft: Draft, parameters: Mapping[str, str], _account: str | None) -> None:
    """Settings of a UDP listener."""
    _set_listener(draft, parameters, "udp")


def _set_listener(draft: Draft, parameters: Mapping[str, str], protocol: str) -> None:
    key = _listener(draft, parameters, protocol)
    draft.change("listeners", key, health_check=parameters["HealthCheckSwitch"])
    _forget_health(draft, key)


def _forget_health(draft: Draft, listener: Mapping[str, object], **server: object) -> None:
    key = {"load_balancer_id": listener["load_balancer_id"], "protocol": listener["protocol"]}
    draft.change("health_status", {**key, "listener_port": listener["port"], **server}, health_status=None)


def set_group_servers(draft: Draft, parameters: Mapping[str, str], _account: str | None) -> None:
    """Weights of servers of a vServer group; one that was out at weight 0 has a health nobody knows yet."""
    group_id = parameters["VServerGroupId"]
    group = draft.one("server_groups", server_group_id=group_id)
    for server in _objects(parameters["BackendServers"]):
        key = {"server_group_id": group_id, "server_id": server["ServerId"], "port": int(server["Port"])}
        _weigh(draft, group["load_balancer_id"], key, int(server["Weight"]))


def set_default_servers(draft: Draft, parameters: Mapping[str, str], _account: str | None) -> None:
    """Weights of servers of the default group, which every listener without a group of its own uses."""
    balancer_id = parameters["LoadBalancerId"]
    group_id = f"{balancer_id}:default"
    draft.one("server_groups", server_group_id=group_id)
    for server in _objects(parameters["BackendServers"]):
        key = {"server_group_id": group_id, "server_id": server["ServerId"]}
        _weigh(draft, balancer_id, key, int(server["Weight"]))


def _weigh(draft: Draft, balancer_id: str, key: Mapping[str, object], weight: int) -> None:
    draft.change("backends", key, weight=weight)
    for listener in draft.rows("listeners", load_balancer_id=balancer_id):
        place = {name: listener[name] for name in ("load_balancer_id", "protocol", "port")}
        groups = {row["vserver_group_id"] for row in draft.rows("forwarding_rules", **place)}
        if _group_of(listener) in (None, key["server_group_id"]) or key["server_group_id"] in groups:
            _forget_health(draft, place, server_id=key["server_id"])


def _group_of(listener: Row) -> str | None:
    """The server group of a listener; None if its answer does not tell."""
    named = listener["vserver_group_id"], listener["primary_secondary_group_id"]
    if None in named:
        return None
    return str(named[0] or named[1] or f"{listener['load_balancer_id']}:default")


def remove_acl_entries(draft: Draft, parameters: Mapping[str, str], _account: str | None) -> None:
    """Entries leave an access control list, for every listener that it is bound to."""
    for item in _objects(parameters["AclEntrys"]):
        draft.one("acl_entries", acl_id=parameters["AclId"], entry=item["entry"])
        draft.remove("acl_entries", acl_id=parameters["AclId"], entry=item["entry"])


def start_instance(draft: Draft, parameters: Mapping[str, str], _account: str | None) -> None:
    """An instance runs; whether the program on it answers is not known."""
    instance_id = parameters["InstanceId"]
    draft.one("instances", instance_id=instance_id)
    draft.change("instances", {"instance_id": instance_id}, status="Running")
    draft.change("health_status", {"server_id": instance_id}, health_status=None)


def unassociate_eip(draft: Draft, parameters: Mapping[str, str], _account: str | None) -> None:
    """An elastic address leaves the load balancer; the table holds those that are bound to one."""
    draft.one("eip_addresses", allocation_id=parameters["AllocationId"])
    draft.remove("eip_addresses", allocation_id=parameters["AllocationId"])


def _balancer(draft: Draft, parameters: Mapping[str, str]) -> dict[str, object]:
    key: dict[str, object] = {"load_balancer_id": parameters["LoadBalancerId"]}
    draft.one("load_balancers", **key)
    return key


def _listener(draft: Draft, parameters: Mapping[str, str], protocol: str) -> dict[str, object]:
    port = int(parameters["ListenerPort"])
    key: dict[str, object] = {"load_balancer_id": parameters["LoadBalancerId"], "protocol": protocol, "port": port}
    draft.one("listeners", **key)
    return key


def _objects(text: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(text)
    return found
