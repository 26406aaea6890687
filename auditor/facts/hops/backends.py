"""Hops `server_group` and `backend`: groups with servers, and at least one server that can answer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from auditor.facts.backends import ListenerGroup
from auditor.facts.hops.checks import Check, all_of, any_of, make_hop
from auditor.facts.rows import joined, rows
from auditor.findings import Hop

if TYPE_CHECKING:
    from auditor.facts.hops.knowledge import Knowledge
    from auditor.facts.workshop import Workshop

_Row = dict[str, Any]


class Backends:
    """Judges the server groups behind a listener, its own and those of its forwarding rules."""

    def __init__(self, workshop: Workshop, knowledge: Knowledge) -> None:
        snapshot = workshop.snapshot
        self._coverage = workshop.coverage
        self._knowledge = knowledge
        self._groups: dict[tuple[str, str, int], list[ListenerGroup]] = defaultdict(list)
        for group in workshop.listener_groups:
            self._groups[group.load_balancer_id, group.protocol, group.port].append(group)
        self._servers: dict[tuple[str, str, int, str | None, str], list[_Row]] = defaultdict(list)
        for row in workshop.listener_backends:
            key = (
                row["load_balancer_id"],
                row["protocol"],
                row["listener_port"],
                row["server_group_id"],
                row["origin"],
            )
            self._servers[key].append(row)
        self._ways: dict[tuple[Any, ...], list[_Row]] = defaultdict(list)
        for row in workshop.backend_access:
            if row.get("server_id") is not None:
                place = (row["load_balancer_id"], row["protocol"], row["listener_port"], row["server_id"])
                self._ways[place].append(row)
        self._existing = {group for (group,) in rows(snapshot["server_groups"], "server_group_id")}
        self._instances = {
            instance_id: (status, region)
            for instance_id, status, region in rows(
                snapshot["instances"], "instance_id", "status", "instance_region_id"
            )
        }
        self._regions = dict(rows(snapshot["listeners"], "load_balancer_id", "region_id"))

    def hops(
        self, lb_id: str, protocol: str, port: int, health_check: str | None, is_clb: bool | None, owner: str | None,
        vague: str | None,
    ) -> tuple[Hop, Hop]:  # fmt: skip
        """Both hops of a listener; `vague`: why it is not known that requests go to servers at all."""
        groups = self._groups.get((lb_id, protocol, port), [])
        ids = ", ".join(dict.fromkeys(group.server_group_id for group in groups if group.server_group_id))
        ids = ids or f"{lb_id}:{protocol}:{port}"
        open_ = [Check(None, None, vague)] if vague is not None else []
        existence: list[Check] = []
        serving: list[Check] = []
        seen: set[tuple[str | None, str]] = set()
        for group in groups:
            key = (group.server_group_id, group.origin)
            if key in seen:
                continue
            seen.add(key)
            servers = [
                row for row in self._servers.get((lb_id, protocol, port, *key), ()) if row.get("server_id") is not None
            ]
            found = self._has_servers(group, servers, owner)
            existence.append(found)
            serving.extend(self._of_group(group, servers, health_check, is_clb, found.verdict))
        if not groups:
            existence = serving = [Check("BE-001", None, "the server group of the listener was not read")]
        if vague is not None:
            # A redirect needs no servers: what is wrong with them need not matter.
            existence, serving = _doubted(existence), _doubted(serving)
        return (
            make_hop("server_group", ids, owner, [*open_, *existence]),
            make_hop("backend", ids, owner, [*open_, *serving]),
        )

    def _has_servers(self, group: ListenerGroup, servers: Sequence[_Row], owner: str | None) -> Check:
        id_ = group.server_group_id
        if id_ is None:
            return Check("BE-001", None, group.reason)
        if servers:
            return Check("BE-001", True)
        if (
            group.group_type != "default"
            and id_ not in self._existing
            and self._coverage.complete("server_groups", id_)
        ):
            return Check("BE-001", False, f"{id_} does not exist")
        if self._coverage.complete("backends", id_):
            return Check("BE-001", False, f"{id_} is empty")
        return Check("BE-001", None, self._knowledge.gap("backends", id_, owner))

    def _of_group(
        self,
        group: ListenerGroup,
        servers: Sequence[_Row],
        health_check: str | None,
        is_clb: bool | None,
        there: bool | None,
    ) -> list[Check]:
        """The checks of the listener's own group; what forwarding rules send elsewhere is a part of the requests."""
        checks = self._serve(group, servers, health_check, is_clb, there)
        if group.origin == "listener" or all(check.verdict for check in checks):
            return checks
        if there is False:
            return []
        told = joined([check.detail for check in checks if check.detail]) or "its servers are not known"
        return [Check(None, None, f"forwarding rules send requests to {group.server_group_id}: {told}")]

    def _serve(
        self, group: ListenerGroup, servers: Sequence[_Row], health_check: str | None, is_clb: bool | None,
        there: bool | None,
    ) -> list[Check]:  # fmt: skip
        """One check if a server of the group can answer; else the checks that every server fails or leaves open."""
        id_ = group.server_group_id
        if id_ is None or not servers:
            return [Check(None, None, f"{id_} has no server to judge" if there is False else group.reason)]
        complete = self._coverage.complete("backends", id_)
        bad = _bad(servers)
        judged = [(row, self._server(row, health_check, is_clb, bad)) for row in servers]
        verdicts = [all_of(check.verdict for check in checks) for _, checks in judged]
        if not complete and True not in verdicts:
            return [Check("BE-003", None, f"the servers of {id_} were not read whole")]
        verdict = any_of(verdicts)
        if verdict is True:
            able = sum(one is True for one in verdicts)
            rules = dict.fromkeys(check.rule_id for _, checks in judged for check in checks)
            first, *others = (Check(rule, True) for rule in rules)
            return [first._replace(detail=f"{able} of {len(servers)} servers can answer"), *others]
        found: dict[Check, None] = {}
        for (_, checks), own in zip(judged, verdicts, strict=True):
            if own is verdict:
                found.update(dict.fromkeys(check for check in checks if check.verdict is verdict))
        return list(found)

    def _server(self, row: _Row, health_check: str | None, is_clb: bool | None, bad: Collection[str]) -> list[Check]:
        """The checks of one server: in rotation, healthy, running, not cut off from the load balancer."""
        name, weight = row["server_id"], row.get("weight")
        in_rotation = None if weight is None else weight > 0
        said = f"{name} has weight 0" if weight == 0 else f"the weight of {name} was not read"
        checks = [Check("BE-002", in_rotation, None if in_rotation else said)]
        checks.append(_health(row, health_check, is_clb, bad))
        if (row.get("server_type") or "").lower() == "ecs" or name.startswith("i-"):
            checks.append(self._running(name, row["load_balancer_id"]))
        if is_clb is not False:
            place = (row["load_balancer_id"], row["protocol"], row["listener_port"], name)
            ways = self._ways.get(place, ())
            checks.append(_way("BE-008", name, ways, "groups_drop", "groups_by", "groups_reason"))
            checks.append(_way("NET-007", name, ways, "acl_drops", "network_acl_id", "acl_reason"))
        return checks

    def _running(self, instance_id: str, lb_id: str) -> Check:
        if instance_id not in self._instances:
            if self._coverage.complete("instances", instance_id):
                return Check("BE-005", False, f"{instance_id} does not exist")
            return Check("BE-005", None, f"{instance_id} was not read")
        status, region = self._instances[instance_id]
        if region and region != self._regions.get(lb_id):
            return Check("BE-005", False, f"{instance_id} is in another region, {region}")
        verdict = {"Running": True, "Stopped": False}.get(status or "")
        said = f"{instance_id} is {status or 'in a state that was not read'}"
        return Check("BE-005", verdict, None if verdict else said)


def _doubted(checks: Sequence[Check]) -> list[Check]:
    return [check._replace(verdict=None) if check.verdict is False else check for check in checks]


def _bad(servers: Sequence[_Row]) -> frozenset[str]:
    """States of health that prove something: an unfinished check does where another server has failed its own."""
    in_rotation = [row for row in servers if row.get("weight") is None or row["weight"] > 0]
    failed = any(row.get("health_status") == "abnormal" for row in in_rotation)
    paired = any(row.get("role") == "Slave" for row in servers)
    return frozenset({"abnormal", "unavailable"} if failed and not paired else {"abnormal"})


def _health(row: _Row, health_check: str | None, is_clb: bool | None, bad: Collection[str]) -> Check:
    name, status = row["server_id"], row.get("health_status")
    check = (health_check or "").lower()
    if check == "off":
        return Check("BE-003", None, "the health check is off")
    if status == "normal" and (check == "on" or is_clb is False):
        return Check("BE-003", True)
    if status == "normal":
        return Check("BE-003", None, "whether the health check is on was not read")
    if status in bad and (check == "on" or is_clb is False):
        return Check("BE-003", False, f"{name} is {status}")
    told = "its health is not told" if status is None else f"it is {status}"
    return Check("BE-003", None, row.get("reason") or f"{name}: {told}")


def _way(rule: str, name: str, ways: Sequence[_Row], column: str, by: str, reason: str) -> Check:
    """Whether something between load balancer and server drops its packets."""
    drops = [way.get(column) for way in ways]
    if True in drops:
        named = next(way.get(by) for way in ways if way.get(column) is True)
        return Check(rule, False, f"{named} drops what the load balancer sends to {name}")
    if not ways or None in drops:
        told = next((way.get(reason) for way in ways if way.get(column) is None), None)
        return Check(rule, None, told or f"what stands before {name} was not read")
    return Check(rule, True)
