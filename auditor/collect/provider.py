"""Provider: everything that hangs on the endpoint services of an account."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from auditor.collect import alb, clb, gwlb, nlb, privatelink, vpc
from auditor.collect.caller import Listing, batches
from auditor.collect.fields import Rows
from auditor.collect.operations import OPERATIONS
from auditor.collect.reads import Read, Reads, Targets


class ProviderReads(Reads):
    """Services, their resources, users and connections, and the load balancers behind them."""

    def _connection_targets(self, made: Rows) -> Targets:
        rows = made.tables.get("connections", [])
        services = [*self.ledger.values("endpoint_services", "service_id"), *(str(row["service_id"]) for row in rows)]
        # Without any row the failure itself must stay visible.
        whole = [] if made.tables or self.ledger.complete("endpoint_services") else [""]
        return {
            "connections": [*services, *whole],
            "connection_zones": [str(row["endpoint_id"]) for row in rows],
        }

    def _zones_of_type(self, kind: str) -> Read:
        return self._job(
            "privatelink:DescribeZones",
            lambda: privatelink.fetch_zones_of_type(self.caller, self.region, kind),
            lambda listing: privatelink.zone_of_type_rows(listing.items, kind),
            {"privatelink_zones": [kind]},
        )

    def _of_services(self, services: Sequence[str]) -> Iterable[Read]:
        for service in services:
            if self.wanted.any("service_resources"):
                yield self._resources(service)
            if self.wanted.any("service_users"):
                yield self._users(service)

    def _resources(self, service: str) -> Read:
        operation = "privatelink:ListVpcEndpointServiceResources"
        return self._job(
            operation,
            lambda: privatelink.fetch_of_service(self.caller, self.region, operation, service),
            lambda listing: privatelink.resource_rows(listing.items, service),
            {"service_resources": [service]},
        )

    def _users(self, service: str) -> Read:
        operation = "privatelink:ListVpcEndpointServiceUsers"
        return self._job(
            operation,
            lambda: privatelink.fetch_of_service(self.caller, self.region, operation, service),
            lambda listing: privatelink.user_rows(listing.answers, service),
            {"service_users": [service]},
        )

    def _balancers(self) -> dict[tuple[str, str], list[str]]:
        """Load balancers behind the services by (type, region); once, when the service resources are read."""
        found: dict[tuple[str, str], list[str]] = {}
        types = {row["service_id"]: row["service_resource_type"] for row in self.ledger.rows("endpoint_services")}
        for row in sorted(self.ledger.rows("service_resources"), key=lambda row: str(row["resource_id"])):
            kind = row["resource_type"] or types.get(row["service_id"]) or "slb"
            place = (kind, row["resource_region_id"] or self.region)
            if row["resource_id"] not in self._places:
                self._places[row["resource_id"]] = place
                found.setdefault(place, []).append(row["resource_id"])
        return found

    def _of_load_balancers(self) -> Iterable[Read]:
        self._balancers_by_place = self._balancers()
        for (kind, region), ids in self._balancers_by_place.items():
            if kind == "slb":
                yield from self._of_clbs(region, ids)
            elif kind in ("nlb", "alb"):
                yield from self._of_nlbs(kind, region, ids)
            elif kind == "gwlb":
                yield from self._of_gwlbs(region, ids)

    def _of_clbs(self, region: str, ids: Sequence[str]) -> Iterable[Read]:
        want = self.wanted.any
        if want("load_balancers", "resource_tags"):
            for ten in batches(ids, OPERATIONS[clb.LOAD_BALANCERS].batch):
                yield self._clb_batch(
                    clb.LOAD_BALANCERS, region, ten, clb.load_balancer_rows, ("load_balancers", "resource_tags")
                )
        if want("listeners", "listener_acls"):
            for ten in batches(ids, OPERATIONS[clb.LISTENERS].batch):
                yield self._clb_batch(clb.LISTENERS, region, ten, clb.listener_rows, ("listeners", "listener_acls"))
        if want("health_status"):
            for one in ids:
                yield self._clb_health(region, one)
        if want("eip_addresses"):
            yield self._job(
                vpc.EIP_ADDRESSES,
                lambda: vpc.fetch(self.caller, region, vpc.EIP_ADDRESSES),
                lambda listing: vpc.eip_rows(listing.items),
                {"eip_addresses": [""]},
            )

    def _clb_batch(
        self,
        operation: str,
        region: str,
        ids: Sequence[str],
        rows: Callable[[Iterable[Mapping[str, Any]], Sequence[str]], Rows],
        tables: Sequence[str],
    ) -> Read:
        return self._job(
            operation,
            lambda: clb.fetch(self.caller, region, operation, ids),
            lambda listing: rows(listing.items, ids),
            dict.fromkeys(tables, ids),
        )

    def _clb_health(self, region: str, one: str) -> Read:
        return self._job(
            clb.HEALTH,
            lambda: clb.fetch(self.caller, region, clb.HEALTH, [one]),
            lambda listing: clb.health_rows(listing.items, one),
            {"health_status": [one]},
        )

    def _of_nlbs(self, kind: str, region: str, ids: Sequence[str]) -> Iterable[Read]:
        module = nlb if kind == "nlb" else alb
        want = self.wanted.any
        if want("load_balancers", "load_balancer_zones", "resource_tags"):
            for one in ids:
                yield self._nlb_attribute(module, f"{kind}:GetLoadBalancerAttribute", region, one)
        if want("listeners"):
            for some in batches(ids, 20):
                yield self._nlb_listeners(module, f"{kind}:ListListeners", region, some)
        if want("listener_acls"):
            # These bind no access control lists of CLB: there is nothing to ask for.
            self.ledger.cover(f"{kind}:ListListeners", "listener_acls", ids)

    def _nlb_attribute(self, module: Any, operation: str, region: str, one: str) -> Read:
        def rows(listing: Listing) -> Rows:
            return module.load_balancer_rows(listing.answers[0], one) if listing.answers else Rows()

        tables = ("load_balancers", "load_balancer_zones", "resource_tags")
        return self._job(
            operation,
            lambda: module.fetch(self.caller, region, operation, [one]),
            rows,
            {table: [one] for table in tables},
        )

    def _nlb_listeners(self, module: Any, operation: str, region: str, ids: Sequence[str]) -> Read:
        return self._job(
            operation,
            lambda: module.fetch(self.caller, region, operation, ids),
            lambda listing: module.listener_rows(listing.items, ids),
            {"listeners": ids},
        )

    def _of_gwlbs(self, region: str, ids: Sequence[str]) -> Iterable[Read]:
        if self.wanted.any("load_balancers", "load_balancer_zones", "resource_tags"):
            for some in batches(ids, 20):
                yield self._gwlb_batch(region, some)

    def _gwlb_batch(self, region: str, ids: Sequence[str]) -> Read:
        tables = ("load_balancers", "load_balancer_zones", "resource_tags")
        return self._job(
            gwlb.LOAD_BALANCERS,
            lambda: gwlb.fetch(self.caller, region, gwlb.LOAD_BALANCERS, ids),
            lambda listing: gwlb.load_balancer_rows(listing.items, ids),
            dict.fromkeys(tables, ids),
        )

    def _region_of(self, load_balancer_id: str) -> str:
        return self._places.get(load_balancer_id, ("", self.region))[1]
