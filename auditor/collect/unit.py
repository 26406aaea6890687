"""Unit: everything that is read of one account in one region, in the order in which one answer names the next."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from auditor.collect import alb, clb, cms, ecs, gwlb, nlb, privatelink, vpc
from auditor.collect.caller import Caller, Listing, batches
from auditor.collect.crew import Crew
from auditor.collect.fields import Rows, known, text
from auditor.collect.ledger import Ledger
from auditor.collect.operations import OPERATIONS

Job = Callable[[], None]
Report = Callable[[str], None]

_ENI_TABLES = ("network_interfaces", "eni_addresses", "eni_security_groups")
_INSTANCE_TABLES = ("instances", "instance_security_groups")
_GROUP_TABLES = ("server_groups", "backends")


@dataclass(frozen=True, slots=True)
class Wanted:
    """The tables somebody asked for, and those that must be read to get at them."""

    tables: frozenset[str]
    #: As asked for: some lists are only widened on request (rules of client groups, of backend groups).
    asked: frozenset[str]
    clients: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def any(self, *tables: str) -> bool:
        return not self.tables.isdisjoint(tables)

    def clients_of(self, endpoint_id: str) -> tuple[str, ...]:
        """Declared clients of an endpoint: its own, else those of `*`."""
        return self.clients.get(endpoint_id, self.clients.get("*", ()))


class Unit:
    """Reads one account in one region into a ledger.  `crew` runs what can be asked at the same time."""

    def __init__(self, caller: Caller, region: str, ledger: Ledger, wanted: Wanted, crew: Crew, report: Report) -> None:
        self.caller = caller
        self.region = region
        self.ledger = ledger
        self.wanted = wanted
        self.crew = crew
        self._report = report
        #: Groups that rules name and that belong to other accounts.
        self._foreign: set[str] = set()

    # -------------------------------------------------------------------------------------------- the order

    def read(self) -> None:
        """Read everything wanted.  The lists of endpoints and endpoint services are in the ledger already."""
        services = self.ledger.values("endpoint_services", "service_id")
        endpoints = self.ledger.rows("endpoints")
        self._stage(self._of_region(bool(services)))
        self._stage([*self._of_services(services), *self._of_endpoints(endpoints)])
        self._stage([*self._of_load_balancers(), *self._of_interfaces(), *self._after_vswitches()])
        self._stage(self._after_listeners())
        self._stage(self._after_rules())
        self._stage(self._of_backends())
        self._stage(self._of_group_rules())
        self._stage(self._of_groups_and_lists())

    def _stage(self, jobs: Iterable[tuple[str, Job, Job]]) -> None:
        """Run jobs at the same time.  Each is (operation, the read, what to note if it was left behind)."""
        pending: dict[int, Job] = {}

        def started(number: int, operation: str, job: Job) -> Job:
            def work() -> None:
                job()
                pending.pop(number, None)
                self._report(operation)

            return work

        runs = []
        for number, (operation, job, left) in enumerate(jobs):
            pending[number] = left
            runs.append(started(number, operation, job))
        if not self.crew.each(runs):
            for left in list(pending.values()):
                left()

    def _job(
        self,
        operation: str,
        fetch: Callable[[], Listing],
        rows: Callable[[Listing], Rows],
        targets: Mapping[str, Sequence[str]] | Callable[[Rows], Mapping[str, Sequence[str]]],
    ) -> tuple[str, Job, Job]:
        """A read: fetch, turn into rows, keep both rows and coverage of `targets`."""

        def work() -> None:
            listing = fetch()
            made = rows(listing)
            wanted = targets(made) if callable(targets) else targets
            self._take(listing, made, wanted)

        def left() -> None:
            wanted = targets(Rows()) if callable(targets) else targets
            for table, asked in wanted.items():
                self.ledger.gap(operation, table, asked, "Plaudit.Interrupted", "the run was interrupted")

        return operation, work, left

    def _take(self, listing: Listing, made: Rows, targets: Mapping[str, Sequence[str]]) -> None:
        error = listing.error
        if error is not None and error.not_found and not listing.answers:
            for table, asked in targets.items():
                if table in _ABSENT_IS_COMPLETE:
                    self.ledger.absent(listing.operation, table, asked, error)
                else:
                    words = f"{error.code}: gone between the list and the detail"
                    self.ledger.gap(listing.operation, table, asked, "Plaudit.Vanished", words)
            return
        self.ledger.take(listing, made, dict(targets))

    # -------------------------------------------------------------------------------------------- the region

    def _of_region(self, provides: bool) -> Iterable[tuple[str, Job, Job]]:
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
            ("flow_logs", vpc.FLOW_LOGS, lambda listing: vpc.flow_log_rows(listing.items)),
        ]
        if provides:
            simple.append(("eip_addresses", vpc.EIP_ADDRESSES, lambda listing: vpc.eip_rows(listing.items)))
        for table, operation, rows in simple:
            if want(table):
                yield self._job(operation, self._region_list(operation), rows, {table: [""]})
        if want("metric_alarms"):
            yield self._job(
                cms.ALARMS,
                lambda: cms.fetch(caller, region),
                lambda listing: cms.rows(listing.items),
                {"metric_alarms": [""]},
            )
        if want("privatelink_zones"):
            for kind in self.ledger.values("endpoint_services", "service_resource_type"):
                yield self._zones_of_type(kind)

    def _region_list(self, operation: str) -> Callable[[], Listing]:
        return lambda: vpc.fetch(self.caller, self.region, operation)

    def _zones_of_type(self, kind: str) -> tuple[str, Job, Job]:
        return self._job(
            "privatelink:DescribeZones",
            lambda: privatelink.fetch_zones_of_type(self.caller, self.region, kind),
            lambda listing: privatelink.zone_of_type_rows(listing.items, kind),
            {"privatelink_zones": [kind]},
        )

    def _connection_targets(self, made: Rows) -> Mapping[str, Sequence[str]]:
        rows = made.tables.get("connections", [])
        services = [*self.ledger.values("endpoint_services", "service_id"), *(str(row["service_id"]) for row in rows)]
        # Without any row the failure itself must stay visible.
        whole = [] if made.tables or self.ledger.complete("endpoint_services") else [""]
        return {
            "connections": [*services, *whole],
            "connection_zones": [str(row["endpoint_id"]) for row in rows],
        }

    def _vpc_targets(self, made: Rows) -> Mapping[str, Sequence[str]]:
        read = [str(row["vpc_id"]) for row in made.tables.get("vpcs", [])]
        return {"vpcs": [""], "vpc_cidrs": [*read, *self.ledger.values("endpoints", "vpc_id")]}

    # -------------------------------------------------------------------------------------------- provider

    def _of_services(self, services: Sequence[str]) -> Iterable[tuple[str, Job, Job]]:
        for service in services:
            if self.wanted.any("service_resources"):
                yield self._resources(service)
            if self.wanted.any("service_users"):
                yield self._users(service)

    def _resources(self, service: str) -> tuple[str, Job, Job]:
        operation = "privatelink:ListVpcEndpointServiceResources"
        return self._job(
            operation,
            lambda: privatelink.fetch_of_service(self.caller, self.region, operation, service),
            lambda listing: privatelink.resource_rows(listing.items, service),
            {"service_resources": [service]},
        )

    def _users(self, service: str) -> tuple[str, Job, Job]:
        operation = "privatelink:ListVpcEndpointServiceUsers"
        return self._job(
            operation,
            lambda: privatelink.fetch_of_service(self.caller, self.region, operation, service),
            lambda listing: privatelink.user_rows(listing.answers, service),
            {"service_users": [service]},
        )

    def _balancers(self) -> dict[tuple[str, str], list[str]]:
        """Load balancers behind the services by (type, region)."""
        found: dict[tuple[str, str], list[str]] = {}
        types = {row["service_id"]: row["service_resource_type"] for row in self.ledger.rows("endpoint_services")}
        for row in sorted(self.ledger.rows("service_resources"), key=lambda row: str(row["resource_id"])):
            kind = row["resource_type"] or types.get(row["service_id"]) or "slb"
            ids = found.setdefault((kind, row["resource_region_id"] or self.region), [])
            if row["resource_id"] not in ids:
                ids.append(row["resource_id"])
        return found

    def _of_load_balancers(self) -> Iterable[tuple[str, Job, Job]]:
        for (kind, region), ids in self._balancers().items():
            if kind == "slb":
                yield from self._of_clbs(region, ids)
            elif kind in ("nlb", "alb"):
                yield from self._of_nlbs(kind, region, ids)
            elif kind == "gwlb":
                yield from self._of_gwlbs(region, ids)

    def _of_clbs(self, region: str, ids: Sequence[str]) -> Iterable[tuple[str, Job, Job]]:
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

    def _clb_batch(
        self,
        operation: str,
        region: str,
        ids: Sequence[str],
        rows: Callable[[Iterable[Mapping[str, Any]], Sequence[str]], Rows],
        tables: Sequence[str],
    ) -> tuple[str, Job, Job]:
        return self._job(
            operation,
            lambda: clb.fetch(self.caller, region, operation, ids),
            lambda listing: rows(listing.items, ids),
            dict.fromkeys(tables, ids),
        )

    def _clb_health(self, region: str, one: str) -> tuple[str, Job, Job]:
        return self._job(
            clb.HEALTH,
            lambda: clb.fetch(self.caller, region, clb.HEALTH, [one]),
            lambda listing: clb.health_rows(listing.items, one),
            {"health_status": [one]},
        )

    def _of_nlbs(self, kind: str, region: str, ids: Sequence[str]) -> Iterable[tuple[str, Job, Job]]:
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

    def _nlb_attribute(self, module: Any, operation: str, region: str, one: str) -> tuple[str, Job, Job]:
        def rows(listing: Listing) -> Rows:
            return module.load_balancer_rows(listing.answers[0], one) if listing.answers else Rows()

        tables = ("load_balancers", "load_balancer_zones", "resource_tags")
        return self._job(
            operation,
            lambda: module.fetch(self.caller, region, operation, [one]),
            rows,
            {table: [one] for table in tables},
        )

    def _nlb_listeners(self, module: Any, operation: str, region: str, ids: Sequence[str]) -> tuple[str, Job, Job]:
        return self._job(
            operation,
            lambda: module.fetch(self.caller, region, operation, ids),
            lambda listing: module.listener_rows(listing.items, ids),
            {"listeners": ids},
        )

    def _of_gwlbs(self, region: str, ids: Sequence[str]) -> Iterable[tuple[str, Job, Job]]:
        if self.wanted.any("load_balancers", "load_balancer_zones", "resource_tags"):
            for some in batches(ids, 20):
                yield self._gwlb_batch(region, some)
        for table in ("listeners", "listener_acls", "health_status"):
            if self.wanted.any(table):
                words = "listeners of a GWLB take every port and are not read"
                self.ledger.gap("gwlb:ListListeners", table, ids, "Plaudit.NotCollected", words)

    def _gwlb_batch(self, region: str, ids: Sequence[str]) -> tuple[str, Job, Job]:
        tables = ("load_balancers", "load_balancer_zones", "resource_tags")
        return self._job(
            gwlb.LOAD_BALANCERS,
            lambda: gwlb.fetch(self.caller, region, gwlb.LOAD_BALANCERS, ids),
            lambda listing: gwlb.load_balancer_rows(listing.items, ids),
            dict.fromkeys(tables, ids),
        )

    def _region_of(self, load_balancer_id: str) -> str:
        for (_, region), ids in self._balancers().items():
            if load_balancer_id in ids:
                return region
        return self.region

    def _after_listeners(self) -> Iterable[tuple[str, Job, Job]]:
        want = self.wanted.any
        listeners = self.ledger.rows("listeners")
        if want("forwarding_rules"):
            for row in listeners:
                if row["protocol"] in ("http", "https") and self._is_clb(row):
                    yield self._rules_of(row)
        if want("acl_entries"):
            acls = {row["acl_id"]: row["load_balancer_id"] for row in self.ledger.rows("listener_acls")}
            for acl, balancer in sorted(acls.items()):
                yield self._acl(self._region_of(balancer), acl)
        if want(*_GROUP_TABLES):
            yield from self._groups_of_clb_listeners(listeners)
            yield from self._groups_of_other_listeners(listeners)
        if want("health_status"):
            yield from self._nlb_healths(listeners)

    def _is_clb(self, row: Mapping[str, Any]) -> bool:
        return self._kind_of(str(row["load_balancer_id"])) == "slb"

    def _kind_of(self, load_balancer_id: str) -> str:
        return next((kind for (kind, _), ids in self._balancers().items() if load_balancer_id in ids), "slb")

    def _rules_of(self, row: Mapping[str, Any]) -> tuple[str, Job, Job]:
        balancer, protocol, port = str(row["load_balancer_id"]), str(row["protocol"]), int(row["port"])
        return self._job(
            clb.RULES,
            lambda: clb.fetch_rules(self.caller, self._region_of(balancer), balancer, protocol, port),
            lambda listing: clb.rule_rows(listing.items, balancer, protocol, port),
            {"forwarding_rules": [clb.listener_key(balancer, protocol, port)]},
        )

    def _acl(self, region: str, acl: str) -> tuple[str, Job, Job]:
        return self._job(
            clb.ACL,
            lambda: clb.fetch(self.caller, region, clb.ACL, [acl]),
            lambda listing: clb.acl_rows(listing.items, acl),
            {"acl_entries": [acl]},
        )

    def _groups_of_clb_listeners(self, listeners: Sequence[Mapping[str, Any]]) -> Iterable[tuple[str, Job, Job]]:
        wanted: dict[tuple[str, str], str] = {}
        for row in listeners:
            if not self._is_clb(row):
                continue
            balancer = str(row["load_balancer_id"])
            if row["vserver_group_id"]:
                wanted[clb.VSERVER_GROUP, row["vserver_group_id"]] = balancer
            if row["primary_secondary_group_id"]:
                wanted[clb.PRIMARY_SECONDARY_GROUP, row["primary_secondary_group_id"]] = balancer
            if row["backend_server_port"] is not None and not row["vserver_group_id"]:
                wanted[clb.ATTRIBUTE, balancer] = balancer
        for (operation, asked), balancer in sorted(wanted.items()):
            yield self._clb_group(operation, self._region_of(balancer), asked)

    def _clb_group(self, operation: str, region: str, asked: str) -> tuple[str, Job, Job]:
        def rows(listing: Listing) -> Rows:
            return clb.group_rows(listing.answers[0], listing.items, operation, asked) if listing.answers else Rows()

        group = clb.default_group_id(asked) if operation == clb.ATTRIBUTE else asked
        return self._job(
            operation,
            lambda: clb.fetch(self.caller, region, operation, [asked]),
            rows,
            {table: [group] for table in _GROUP_TABLES},
        )

    def _groups_of_other_listeners(self, listeners: Sequence[Mapping[str, Any]]) -> Iterable[tuple[str, Job, Job]]:
        wanted: dict[tuple[str, str], list[str]] = {}
        for row in listeners:
            if row.get("server_group_id"):
                balancer = str(row["load_balancer_id"])
                ids = wanted.setdefault((self._kind_of(balancer), self._region_of(balancer)), [])
                ids.append(str(row["server_group_id"]))
        for (kind, region), ids in sorted(wanted.items()):
            module = nlb if kind == "nlb" else alb
            for some in batches(ids, 20):
                yield self._nlb_groups(module, f"{kind}:ListServerGroups", region, some)
            for one in dict.fromkeys(ids):
                yield self._nlb_servers(module, f"{kind}:ListServerGroupServers", region, one)

    def _nlb_groups(self, module: Any, operation: str, region: str, ids: Sequence[str]) -> tuple[str, Job, Job]:
        return self._job(
            operation,
            lambda: module.fetch(self.caller, region, operation, ids),
            lambda listing: module.server_group_rows(listing.items, ids),
            {"server_groups": ids},
        )

    def _nlb_servers(self, module: Any, operation: str, region: str, one: str) -> tuple[str, Job, Job]:
        return self._job(
            operation,
            lambda: module.fetch(self.caller, region, operation, [one]),
            lambda listing: module.backend_rows(listing.items, one),
            {"backends": [one]},
        )

    def _nlb_healths(self, listeners: Sequence[Mapping[str, Any]]) -> Iterable[tuple[str, Job, Job]]:
        for (kind, _), ids in self._balancers().items():
            operation = f"{kind}:GetListenerHealthStatus"
            for one in ids if kind in ("nlb", "alb") else ():
                rows = [row for row in listeners if row["load_balancer_id"] == one]
                if not self.ledger.complete("listeners", one) or not all(row.get("listener_id") for row in rows):
                    words = "its listeners, which must be asked for one by one, are not all known"
                    self.ledger.gap(operation, "health_status", [one], "Plaudit.ParentUnread", words)
                elif not rows:
                    self.ledger.cover("nlb:ListListeners", "health_status", [one])
                for row in rows:
                    if row.get("listener_id"):
                        yield self._nlb_health(row)

    def _nlb_health(self, row: Mapping[str, Any]) -> tuple[str, Job, Job]:
        balancer = str(row["load_balancer_id"])
        operation = f"{self._kind_of(balancer)}:GetListenerHealthStatus"
        return self._job(
            operation,
            lambda: nlb.fetch(self.caller, self._region_of(balancer), operation, [str(row["listener_id"])]),
            lambda listing: nlb.health_rows(listing.items, row),
            {"health_status": [balancer]},
        )

    def _after_rules(self) -> Iterable[tuple[str, Job, Job]]:
        """vServer groups that only forwarding rules name."""
        if not self.wanted.any(*_GROUP_TABLES):
            return
        read = set(self.ledger.values("listeners", "vserver_group_id"))
        found = {
            str(row["vserver_group_id"]): str(row["load_balancer_id"])
            for row in self.ledger.rows("forwarding_rules")
            if row["vserver_group_id"] and row["vserver_group_id"] not in read
        }
        for group, balancer in sorted(found.items()):
            yield self._clb_group(clb.VSERVER_GROUP, self._region_of(balancer), group)

    # -------------------------------------------------------------------------------------------- consumer

    def _of_endpoints(self, endpoints: Sequence[Mapping[str, Any]]) -> Iterable[tuple[str, Job, Job]]:
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
    ) -> tuple[str, Job, Job]:
        return self._job(
            operation,
            lambda: privatelink.fetch_of_endpoint(self.caller, self.region, operation, one),
            lambda listing: rows(listing.items, one),
            {table: [one]},
        )

    def _endpoint_attribute(self, one: str) -> tuple[str, Job, Job]:
        operation = "privatelink:GetVpcEndpointAttribute"

        def rows(listing: Listing) -> Rows:
            return privatelink.endpoint_attribute_rows(listing.answers[0], one) if listing.answers else Rows()

        return self._job(
            operation,
            lambda: privatelink.fetch_of_endpoint(self.caller, self.region, operation, one),
            rows,
            {"endpoint_attributes": [one]},
        )

    def _visible(self, service: str, service_region: str | None) -> tuple[str, Job, Job]:
        return self._job(
            "privatelink:ListVpcEndpointServicesByEndUser",
            lambda: privatelink.fetch_visible_service(self.caller, self.region, service, service_region),
            lambda listing: privatelink.visible_service_rows(listing.items, service),
            {"visible_services": [service], "visible_service_zones": [service]},
        )

    def _of_interfaces(self) -> Iterable[tuple[str, Job, Job]]:
        if self.wanted.any(*_ENI_TABLES):
            for one in self.ledger.values("endpoints", "vpc_id"):
                yield self._interfaces_of_vpc(one)

    def _interfaces_of_vpc(self, one: str) -> tuple[str, Job, Job]:
        return self._job(
            ecs.INTERFACES,
            lambda: ecs.fetch_interfaces_of_vpc(self.caller, self.region, one),
            lambda listing: ecs.interface_rows(listing.items, one),
            {table: [one] for table in _ENI_TABLES},
        )

    def _after_vswitches(self) -> Iterable[tuple[str, Job, Job]]:
        """Network ACLs: one list with all entries, but only thirty calls a minute, so only where one is in use."""
        if not self.wanted.any("network_acls", "network_acl_entries"):
            return
        used = self.ledger.values("vswitches", "network_acl_id")
        if used:

            def targets(made: Rows) -> Mapping[str, Sequence[str]]:
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

    # -------------------------------------------------------------------------------------------- ecs

    def _declared(self, prefix: str) -> list[str]:
        """Declared clients of the endpoints of this unit whose id begins with `prefix`."""
        endpoints = self.ledger.values("endpoints", "endpoint_id")
        clients = [client for endpoint in endpoints for client in self.wanted.clients_of(endpoint)]
        return [client for client in dict.fromkeys(clients) if client.startswith(prefix)]

    def _of_backends(self) -> Iterable[tuple[str, Job, Job]]:
        """Backends that are instances or ENIs, and declared clients, per region of their load balancer."""
        instances: dict[str, list[str]] = {self.region: self._declared("i-")}
        interfaces: dict[str, list[str]] = {}
        regions = {
            str(row["server_group_id"]): self._region_of(str(row["load_balancer_id"]))
            for row in self.ledger.rows("server_groups")
            if row.get("load_balancer_id")
        }
        for row in self.ledger.rows("backends"):
            region = regions.get(str(row["server_group_id"]), self.region)
            if row["server_type"] in ("ecs", None) and str(row["server_id"]).startswith("i-"):
                instances.setdefault(region, []).append(str(row["server_id"]))
            elif row["server_type"] == "eni":
                interfaces.setdefault(region, []).append(str(row["server_id"]))
        if self.wanted.any(*_INSTANCE_TABLES):
            for region, ids in instances.items():
                for some in batches(sorted(ids), OPERATIONS[ecs.INSTANCES].batch):
                    yield self._instances(region, some)
        if self.wanted.any(*_ENI_TABLES):
            for region, ids in interfaces.items():
                for some in batches(sorted(ids), OPERATIONS[ecs.INTERFACES].batch):
                    yield self._interfaces(region, some)

    def _instances(self, region: str, ids: Sequence[str]) -> tuple[str, Job, Job]:
        return self._job(
            ecs.INSTANCES,
            lambda: ecs.fetch_instances(self.caller, region, ids),
            lambda listing: ecs.instance_rows(listing.items, ids),
            dict.fromkeys(_INSTANCE_TABLES, ids),
        )

    def _interfaces(self, region: str, ids: Sequence[str]) -> tuple[str, Job, Job]:
        return self._job(
            ecs.INTERFACES,
            lambda: ecs.fetch(self.caller, region, ecs.INTERFACES, ids),
            lambda listing: ecs.interface_rows(listing.items, None),
            dict.fromkeys(_ENI_TABLES, ids),
        )

    def _groups(self) -> dict[str, str]:
        """Groups whose rules are wanted, with their region: of endpoints and declared clients always, others where
        somebody asked for them."""
        found = [*self.ledger.values("endpoint_security_groups", "security_group_id"), *self._declared("sg-")]
        for table in ("eni_security_groups", "instance_security_groups"):
            if table in self.wanted.asked:
                found += self.ledger.values(table, "security_group_id")
        regions = {row["instance_id"]: row["instance_region_id"] for row in self.ledger.rows("instances")}
        elsewhere = {
            row["security_group_id"]: regions.get(row["instance_id"])
            for row in self.ledger.rows("instance_security_groups")
        }
        return {group: elsewhere.get(group) or self.region for group in sorted(set(found))}

    def _of_group_rules(self) -> Iterable[tuple[str, Job, Job]]:
        if self.wanted.any("security_group_rules", "security_group_policies"):
            for one, region in self._groups().items():
                yield self._group_rules(region, one)

    def _group_rules(self, region: str, one: str) -> tuple[str, Job, Job]:
        def rows(listing: Listing) -> Rows:
            self._note_foreign(listing.items)
            return ecs.rule_rows(listing.answers, listing.items, one)

        return self._job(
            ecs.GROUP_RULES,
            lambda: ecs.fetch(self.caller, region, ecs.GROUP_RULES, [one]),
            rows,
            {"security_group_policies": [one], "security_group_rules": [one]},
        )

    def _of_groups_and_lists(self) -> Iterable[tuple[str, Job, Job]]:
        rules = self.ledger.rows("security_group_rules")
        if self.wanted.any("security_groups"):
            groups = {**dict.fromkeys(self._named_groups(rules), self.region), **self._groups()}
            for region in sorted(set(groups.values())):
                here = sorted(group for group, place in groups.items() if place == region)
                for some in batches(here, OPERATIONS[ecs.GROUPS].batch):
                    yield self._group_batch(region, some)
        if self.wanted.any("prefix_lists", "prefix_list_entries"):
            for one in _named(rules, "source_prefix_list_id", "dest_prefix_list_id"):
                yield self._prefix_list(one)
        if self.wanted.any("port_list_entries"):
            for one in _named(rules, "port_list_id"):
                yield self._port_list(one)

    def _named_groups(self, rules: Sequence[Mapping[str, Any]]) -> list[str]:
        """Groups that rules name; those of other accounts would be answered as if they did not exist."""
        return [group for group in _named(rules, "source_group_id", "dest_group_id") if group not in self._foreign]

    def _note_foreign(self, items: Iterable[Mapping[str, Any]]) -> None:
        for item in items:
            for side in ("Source", "Dest"):
                owner, group = text(item, f"{side}GroupOwnerAccount"), text(item, f"{side}GroupId")
                if known(group) and known(owner) and owner != self.caller.account_id:
                    self._foreign.add(known(group))

    def _group_batch(self, region: str, ids: Sequence[str]) -> tuple[str, Job, Job]:
        return self._job(
            ecs.GROUPS,
            lambda: ecs.fetch(self.caller, region, ecs.GROUPS, ids),
            lambda listing: ecs.group_rows(listing.items, ids),
            {"security_groups": ids},
        )

    def _prefix_list(self, one: str) -> tuple[str, Job, Job]:
        def rows(listing: Listing) -> Rows:
            return ecs.prefix_list_rows(listing.answers[0], listing.items, one) if listing.answers else Rows()

        return self._job(
            ecs.PREFIX_LIST,
            lambda: ecs.fetch(self.caller, self.region, ecs.PREFIX_LIST, [one]),
            rows,
            {"prefix_lists": [one], "prefix_list_entries": [one]},
        )

    def _port_list(self, one: str) -> tuple[str, Job, Job]:
        return self._job(
            ecs.PORT_LIST,
            lambda: ecs.fetch(self.caller, self.region, ecs.PORT_LIST, [one]),
            lambda listing: ecs.port_list_rows(listing.items, one),
            {"port_list_entries": [one]},
        )


#: A not-found answer proves that the object is not there; a list that a rule names but that does not exist matches
#: nothing, so its entries are complete as well.
_ABSENT_IS_COMPLETE = frozenset(
    {
        "load_balancers",
        "server_groups",
        "instances",
        "security_groups",
        "prefix_lists",
        "visible_services",
        "endpoint_attributes",
        "prefix_list_entries",
        "port_list_entries",
    }
)


def _named(rules: Sequence[Mapping[str, Any]], *columns: str) -> list[str]:
    return sorted({str(row[column]) for row in rules for column in columns if row[column]})
