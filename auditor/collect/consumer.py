"""Consumer: everything that hangs on the endpoints of an account, and the networks of its region."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from auditor.collect import ecs, privatelink, vpc
from auditor.collect.caller import Listing
from auditor.collect.fields import Rows
from auditor.collect.reads import Read, Reads, Targets

ENI_TABLES = ("network_interfaces", "eni_addresses", "eni_security_groups")


class ConsumerReads(Reads):
    """Endpoints with their zones, groups and interfaces; network ACLs."""

    def _of_endpoints(self, endpoints: Sequence[Mapping[str, Any]]) -> Iterable[Read]:
        want = self.wanted.any
        for row in endpoints:
            one = str(row["endpoint_id"])
            if want("endpoint_zones"):
                yield self._of_endpoint(
                    "privatelink:ListVpcEndpointZones", one, privatelink.endpoint_zone_rows, "endpoint_zones"
                )
            if want("endpoint_security_groups"):
                yield self._of_endpoint(
                    "privatelink:ListVpcEndpointSecurityGroups",
                    one,
                    privatelink.endpoint_group_rows,
                    "endpoint_security_groups",
                )
            if want("endpoint_attributes"):
                yield self._endpoint_attribute(one)
        if want("visible_services", "visible_service_zones"):
            services = {str(row["service_id"]): row["service_region_id"] for row in endpoints if row["service_id"]}
            for service, service_region in sorted(services.items()):
                yield self._visible(service, service_region)

    def _of_endpoint(
        self,
        operation: str,
        one: str,
        rows: Callable[[Iterable[Mapping[str, Any]], str], Rows],
        table: str,
    ) -> Read:
        return self._job(
            operation,
            lambda: privatelink.fetch_of_endpoint(self.caller, self.region, operation, one),
            lambda listing: rows(listing.items, one),
            {table: [one]},
        )

    def _endpoint_attribute(self, one: str) -> Read:
        operation = "privatelink:GetVpcEndpointAttribute"

        def rows(listing: Listing) -> Rows:
            return privatelink.endpoint_attribute_rows(listing.answers[0], one) if listing.answers else Rows()

        return self._job(
            operation,
            lambda: privatelink.fetch_of_endpoint(self.caller, self.region, operation, one),
            rows,
            {"endpoint_attributes": [one]},
        )

    def _visible(self, service: str, service_region: str | None) -> Read:
        return self._job(
            "privatelink:ListVpcEndpointServicesByEndUser",
            lambda: privatelink.fetch_visible_service(self.caller, self.region, service, service_region),
            lambda listing: privatelink.visible_service_rows(listing.items, service),
            {"visible_services": [service], "visible_service_zones": [service]},
        )

    def _of_interfaces(self) -> Iterable[Read]:
        if self.wanted.any(*ENI_TABLES):
            for one in self.ledger.values("endpoints", "vpc_id"):
                yield self._interfaces_of_vpc(one)

    def _interfaces_of_vpc(self, one: str) -> Read:
        return self._job(
            ecs.INTERFACES,
            lambda: ecs.fetch_interfaces_of_vpc(self.caller, self.region, one),
            lambda listing: ecs.interface_rows(listing.items, one),
            {table: [one] for table in ENI_TABLES},
        )

    def _after_vswitches(self) -> Iterable[Read]:
        """Network ACLs: one list with all entries, but only thirty calls a minute, so only where one is in use."""
        if not self.wanted.any("network_acls", "network_acl_entries"):
            return
        used = self.ledger.values("vswitches", "network_acl_id")
        if used:

            def targets(made: Rows) -> Targets:
                read = [str(row["network_acl_id"]) for row in made.tables.get("network_acls", [])]
                return {"network_acls": [""], "network_acl_entries": [*read, *used]}

            yield self._job(
                vpc.NETWORK_ACLS,
                self._region_list(vpc.NETWORK_ACLS),
                lambda listing: vpc.network_acl_rows(listing.items),
                targets,
            )
        elif not self.ledger.complete("vswitches"):
            words = "which network ACLs are in use is not known, because the vSwitches were not read"
            self.ledger.gap(vpc.NETWORK_ACLS, "network_acls", [""], "Plaudit.ParentUnread", words)

    def _region_list(self, operation: str) -> Callable[[], Listing]:
        return lambda: vpc.fetch(self.caller, self.region, operation)

    def _vpc_targets(self, made: Rows) -> Targets:
        read = [str(row["vpc_id"]) for row in made.tables.get("vpcs", [])]
        return {"vpcs": [""], "vpc_cidrs": [*read, *self.ledger.values("endpoints", "vpc_id")]}
