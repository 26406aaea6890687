"""What facts and paths are made from: each part is built once per snapshot and specification, when it is asked for."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from auditor.facts.access import Access
from auditor.facts.acl_access import NetworkAcls, vswitches_of_zones
from auditor.facts.backend_access import Servers, backend_access
from auditor.facts.backends import ListenerGroup, listener_backends, listener_groups
from auditor.facts.egress import Egress
from auditor.facts.endpoints import Endpoints
from auditor.facts.rows import rows
from auditor.facts.security_groups import SecurityGroups

if TYPE_CHECKING:
    from auditor.inventory.snapshot import Snapshot
    from auditor.spec import Spec


class Workshop:
    """The indexes of one snapshot and what was already answered with them.

    Give the same one to `compute_facts` (or to `judge`) and to `compute_paths`, and nothing is computed twice.
    """

    def __init__(self, snapshot: Snapshot, spec: Spec) -> None:
        self.snapshot = snapshot
        self.spec = spec
        self.coverage = snapshot.completeness()

    @cached_property
    def endpoints(self) -> Endpoints:
        """Endpoints with their ENIs, ports, clients and groups."""
        return Endpoints(self.snapshot, self.spec, self.coverage)

    @cached_property
    def groups(self) -> SecurityGroups:
        """Security groups and their members."""
        return SecurityGroups(self.snapshot, self.coverage)

    @cached_property
    def access(self) -> Access:
        """Who is admitted by the groups of an endpoint."""
        return Access(self.endpoints, self.groups)

    @cached_property
    def egress(self) -> Egress:
        """Which clients may send to an endpoint ENI."""
        return Egress(self.endpoints, self.groups, self.spec)

    @cached_property
    def acls(self) -> NetworkAcls:
        """vSwitches and network ACLs."""
        return NetworkAcls(self.snapshot, self.coverage)

    @cached_property
    def vswitches(self) -> dict[tuple[str, str], str | None]:
        """The vSwitch of every (endpoint id, zone id)."""
        return vswitches_of_zones(self.snapshot)

    @cached_property
    def listener_groups(self) -> list[ListenerGroup]:
        """Server groups behind every listener."""
        return list(listener_groups(self.snapshot["listeners"], self.snapshot["forwarding_rules"], self.coverage))

    @cached_property
    def listener_backends(self) -> list[dict[str, Any]]:
        """Rows of the fact `listener_backends`."""
        return list(
            listener_backends(
                iter(self.listener_groups), self.snapshot["backends"], self.snapshot["health_status"], self.coverage
            )
        )

    @cached_property
    def backend_access(self) -> list[dict[str, Any]]:
        """Rows of the fact `backend_access`."""
        health = {
            (load_balancer, protocol, port): check
            for load_balancer, protocol, port, check in rows(
                self.snapshot["listeners"], "load_balancer_id", "protocol", "port", "health_check_port"
            )
        }
        servers = Servers(self.snapshot, self.coverage)
        return list(backend_access(self.listener_backends, health, servers, self.groups, self.acls))
