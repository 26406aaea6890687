"""Unit: everything that is read of one account in one region, in the order in which one answer names the next."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from auditor.collect import cms, privatelink, vpc
from auditor.collect.caller import Listing
from auditor.collect.fields import Rows
from auditor.collect.hosts import HostReads
from auditor.collect.reads import Read


class Unit(HostReads):
    """Reads one account in one region into a ledger."""

    def read(self) -> None:
        """Read everything wanted.  The lists of endpoints and endpoint services are in the ledger already."""
        services = self.ledger.values("endpoint_services", "service_id")
        endpoints = self.ledger.rows("endpoints")
        self._stage(self._of_region(bool(services), bool(endpoints)))
        self._stage([*self._of_services(services), *self._of_endpoints(endpoints)])
        self._stage([*self._of_load_balancers(), *self._of_interfaces(), *self._after_vswitches()])
        self._stage(self._after_listeners())
        self._stage(self._after_rules())
        self._stage(self._of_backends())
        self._stage(self._of_group_rules())
        self._stage(self._of_groups_and_lists())

    def _of_region(self, provides: bool, consumes: bool) -> Iterable[Read]:
        want, region, caller = self.wanted.any, self.region, self.caller
        services_read = self.ledger.complete("endpoint_services")
        if want("connections", "connection_zones") and (provides or not services_read):
            yield self._job(
                privatelink.CONNECTIONS,
                lambda: privatelink.fetch_connections(caller, region),
                lambda listing: privatelink.connection_rows(listing.items),
                self._connection_targets,
            )
        if want("vpcs", "vpc_cidrs"):
            yield self._job(
                vpc.VPCS,
                lambda: vpc.fetch(caller, region, vpc.VPCS),
                lambda listing: vpc.vpc_rows(listing.items),
                self._vpc_targets,
            )
        simple: list[tuple[str, str, Callable[[Listing], Rows]]] = [
            ("vswitches", vpc.VSWITCHES, lambda listing: vpc.vswitch_rows(listing.items)),
        ]
        # What is recorded and watched is the consumer's side of an endpoint.
        consumes = consumes or not self.ledger.complete("endpoints")
        if consumes:
            simple.append(("flow_logs", vpc.FLOW_LOGS, lambda listing: vpc.flow_log_rows(listing.items)))
        for table, operation, rows in simple:
            if want(table):
                yield self._job(operation, self._region_list(operation), rows, {table: [""]})
        if want("metric_alarms") and consumes:
            yield self._job(
                cms.ALARMS,
                lambda: cms.fetch(caller, region),
                lambda listing: cms.rows(listing.items),
                {"metric_alarms": [""]},
            )
        if want("privatelink_zones"):
            for kind in self.ledger.values("endpoint_services", "service_resource_type"):
                yield self._zones_of_type(kind)
