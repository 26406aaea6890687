"""Hops from the endpoint's zone to the service: `endpoint_zone`, `connection`, `service`, `service_resource`."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from auditor.facts.hops.checks import Check, make_hop
from auditor.facts.hops.links import Link, ZoneOwn
from auditor.facts.principals import service_principals
from auditor.facts.rows import rows
from auditor.findings import Hop

if TYPE_CHECKING:
    from auditor.facts.hops.knowledge import Knowledge
    from auditor.inventory.coverage import Coverage
    from auditor.inventory.snapshot import Snapshot

CONNECTED = "Connected"
_CUT = frozenset({"Disconnected", "Disconnecting", "Deleting", "ServiceDeleted"})
_ZONE_CUT = frozenset({"Disconnected", "Wait", "Deleting", "Disconnecting"})
_ZONE_UP = frozenset({CONNECTED, "Migrated"})


class Resource(NamedTuple):
    """A load balancer attached to a service."""

    resource_id: str
    resource_type: str | None
    zone_id: str | None
    vpc_id: str | None
    vswitch_id: str | None


class Serving(NamedTuple):
    """Load balancers that serve a zone: one where it is known, all that may be where it is not."""

    resources: tuple[str, ...]
    known: bool


class Connections:
    """Judges what lies between an endpoint's ENI and the load balancers of its service."""

    def __init__(self, snapshot: Snapshot, coverage: Coverage, knowledge: Knowledge) -> None:
        self._coverage = coverage
        self._knowledge = knowledge
        self.resources: dict[str, list[Resource]] = defaultdict(list)
        columns = ("resource_id", "resource_type", "zone_id", "vpc_id", "vswitch_id")
        for service_id, *values in rows(snapshot["service_resources"], "service_id", *columns):
            self.resources[service_id].append(Resource(*values))
        self._visible: dict[tuple[str, str], set[str]] = defaultdict(set)
        for account, service_id, zone_id in rows(
            snapshot["visible_service_zones"], "account_id", "service_id", "zone_id"
        ):
            self._visible[account, service_id].add(zone_id)
        self._admits: dict[str, list[tuple[str | None, bool | None]]] = defaultdict(list)
        for row in service_principals(snapshot["service_users"]):
            self._admits[row["service_id"]].append((row["account_id"], row["everyone"]))
        self._regions: dict[tuple[str, str], tuple[str | None, str | None]] = {}
        for service_id, region, status, business in rows(
            snapshot["service_supported_regions"],
            "service_id", "supported_region_id", "region_service_status", "region_business_status",
        ):  # fmt: skip
            self._regions.setdefault((service_id, region), (status, business))

    # -------------------------------------------------------------------------------------------------------- zone
    def zone_hop(self, link: Link, zone_id: str | None, unknown: str | None) -> Hop:
        """The endpoint's ENI in a zone: there, with an address, connected.  `unknown`: why the zone is not known."""
        checks = []
        own = link.own
        if own is None:
            checks.append(Check("EP-002", None, self._knowledge.stranger(link.consumer, link.endpoint_id)))
        else:
            status = own.endpoint_status
            verdict = {"Active": True, "Deleting": False}.get(status or "")
            said = f"the endpoint is {status}" if status else f"the status of {link.endpoint_id} was not read"
            checks.append(Check("EP-002", verdict, None if verdict else said))
            if own.endpoint_type is None:
                checks.append(Check(None, None, f"the type of {link.endpoint_id} was not read"))
        id_ = zone_id or link.endpoint_id
        if zone_id is None:
            checks.append(self._no_zone(link, unknown))
            return make_hop("endpoint_zone", id_, link.consumer, checks)
        zone = link.zones.get(zone_id)
        if zone is None:
            reason = self._knowledge.gap("endpoint_zones", link.endpoint_id, link.consumer)
            checks.append(Check("EP-003", None, reason))
        else:
            checks.append(_eni_check(zone))
        seen = link.zones_seen.get(zone_id)
        status = zone.zone_status if zone is not None else seen.zone_status if seen is not None else None
        checks.append(_zone_state(link, status))
        told = f"{zone.eni_id} {zone.eni_ip}" if zone is not None else None
        return make_hop("endpoint_zone", id_, link.consumer, checks, told)

    def _no_zone(self, link: Link, unknown: str | None) -> Check:
        if link.own is None or not self._coverage.complete("endpoint_zones", link.endpoint_id):
            return Check("EP-003", None, unknown or "the zones of the endpoint are not known")
        verdict = False if link.own.endpoint_status == "Active" else None
        return Check("EP-003", verdict, "the endpoint has no zone")

    # -------------------------------------------------------------------------------------------------- connection
    def connection_hop(self, link: Link) -> Hop:
        """The connection: accepted, its service there and active, nothing locked for overdue payment."""
        provider = link.provider
        status = link.status
        verdict = True if status == CONNECTED else False if status in _CUT else None
        said = f"the connection is {status}" if status else "the status of the connection was not read"
        checks = [Check("CONN-001", verdict, None if verdict else said, provider)]
        if verdict is True and link.own is not None and link.seen is not None:
            theirs = link.seen.connection_status
            if theirs is not None and theirs != CONNECTED:
                told = f"the consumer sees {status}, the provider {theirs}"
                checks.append(Check("CONN-004", None, told, provider))
        checks.extend(self._service_checks(link, status))
        checks.extend(self._lock_checks(link))
        return make_hop("connection", link.endpoint_id, provider, checks, status)

    def _service_checks(self, link: Link, status: str | None) -> list[Check]:
        provider, service = link.provider, link.service
        if status == "ServiceDeleted":
            return [Check("CONN-003", False, f"service {link.service_id} was deleted", provider)]
        if service is None:
            if not link.service_id:
                return [Check("CONN-003", None, "the service of the endpoint was not read", provider)]
            if self._knowledge.list_complete("endpoint_services", provider, link.service_region_id):
                return [Check("CONN-003", False, f"{provider} has no {link.service_id}", provider)]
            reason = self._knowledge.gap("endpoint_services", "", provider, link.service_id)
            return [Check("CONN-003", None, reason, provider), Check("CONN-005", None, reason, provider)]
        verdict = {"Active": True, "Deleting": False}.get(service.status or "")
        said = f"the service is {service.status}" if service.status else "the status of the service was not read"
        return [Check("CONN-003", True), Check("CONN-005", verdict, None if verdict else said, provider)]

    def _lock_checks(self, link: Link) -> list[Check]:
        checks = []
        if link.own is None:
            reason = self._knowledge.gap("endpoints", "", link.consumer, link.endpoint_id)
            checks.append(Check("CONN-006", None, reason, link.consumer))
        else:
            checks.append(_lock("the endpoint", link.own.business_status, link.consumer))
        if link.service is not None:
            checks.append(_lock("the service", link.service.business_status, link.provider))
        if link.one_region is None and link.own is not None:
            checks.append(Check("NET-001", None, "the region of the service was not read", link.provider))
        if link.one_region is False:
            checks.extend(self._region_checks(link))
        return checks

    def _region_checks(self, link: Link) -> list[Check]:
        """Across regions: the provider offers the service there, and that region is not locked."""
        service_id, region, provider = link.service_id or "", link.region_id or "", link.provider
        found = self._regions.get((service_id, region))
        if found is None:
            if self._coverage.complete("service_supported_regions", service_id):
                return [Check("NET-001", False, f"{service_id} is not offered in {region}", provider)]
            reason = self._knowledge.gap("service_supported_regions", service_id, provider)
            return [Check("NET-001", None, reason, provider)]
        status, business = found
        bad = status in ("Closed", "Failed", "Deleting")
        verdict = True if status == "Available" else False if bad else None
        said = None if verdict else f"{region} is {status or 'of unknown status'} for {service_id}"
        return [Check("NET-002", verdict, said, provider), _lock(f"region {region} of the service", business, provider)]

    # ----------------------------------------------------------------------------------------------------- service
    def service_hop(self, link: Link) -> Hop:
        """The service: known, and where nobody is connected yet, its whitelist."""
        id_ = link.service_id or link.endpoint_id
        checks = []
        if link.service is None:
            reason = self._knowledge.gap("endpoint_services", "", link.provider, link.service_id or link.endpoint_id)
            checks.append(Check(None, None, reason))
        # The effect of a removed entry on a connection that lives is not documented: it does not count here.
        if link.status != CONNECTED and link.service_id:
            verdict, said = self._whitelisted(link)
            checks.append(Check("ALLOW-001", verdict, said))
        return make_hop("service", id_, link.provider, checks, link.service.status if link.service else None)

    def _whitelisted(self, link: Link) -> tuple[bool | None, str | None]:
        consumer, service_id = link.consumer, link.service_id or ""
        if consumer is None:
            return None, "the account of the endpoint is not known"
        if consumer == link.provider:
            return True, None
        entries = self._admits.get(service_id, [])
        if any(everyone or account == consumer for account, everyone in entries):
            return True, None
        if not self._coverage.complete("service_users", service_id):
            return None, self._knowledge.gap("service_users", service_id, link.provider)
        if any(everyone is None for _, everyone in entries):
            return None, "an entry of the whitelist was not understood"
        if link.provider is None:
            return None, f"the account that owns {service_id} is not known"
        return False, f"{consumer} is not on the whitelist of {service_id}"

    # --------------------------------------------------------------------------------------------- service resource
    def serving(self, link: Link, zone_id: str | None) -> Serving:
        """The load balancers that serve a zone of the endpoint."""
        seen = link.zones_seen.get(zone_id or "")
        if seen is not None and seen.resource_id:
            return Serving((seen.resource_id,), True)
        own = self.resources.get(link.service_id or "", [])
        near = [one.resource_id for one in own if zone_id is not None and one.zone_id == zone_id]
        return Serving(tuple(dict.fromkeys(near or [one.resource_id for one in own])), False)

    def resource_hop(self, link: Link, zone_id: str | None, serving: Serving) -> Hop:
        """The service's resources: there, in this zone, and one of them serves it."""
        provider, service_id = link.provider, link.service_id
        id_ = ", ".join(serving.resources) or service_id or link.endpoint_id
        if not service_id:
            return make_hop("service_resource", id_, provider, [Check("RES-001", None, "the service was not read")])
        own = self.resources.get(service_id, [])
        complete = self._coverage.complete("service_resources", service_id)
        gap = None if complete else self._knowledge.gap("service_resources", service_id, provider)
        if not own and complete:
            return make_hop(
                "service_resource", id_, provider, [Check("RES-001", False, f"{service_id} has no resource")]
            )
        checks = [Check("RES-001", True if own else None, None if own else gap)]
        if link.one_region is True and zone_id is not None:
            checks.append(self._offered(link, zone_id, own, complete, gap))
        checks.append(self._allocated(link, zone_id, own, complete, gap))
        return make_hop("service_resource", id_, provider, checks)

    def _offered(self, link: Link, zone_id: str, own: list[Resource], complete: bool, gap: str | None) -> Check:
        zones = {one.zone_id for one in own}
        if zone_id in zones:
            return Check("ZONE-001", True)
        if own and (None in zones or not complete):
            return Check("ZONE-001", None, gap or "the zone of a resource was not read")
        if own:
            return Check("ZONE-001", False, f"the service has no resource in {zone_id}", link.consumer)
        key = (link.consumer or "", link.service_id or "")
        if key in self._visible:
            if zone_id in self._visible[key]:
                return Check("ZONE-001", True)
            if self._coverage.complete("visible_service_zones", key[1]):
                return Check("ZONE-001", False, f"the service has no resource in {zone_id}", link.consumer)
        return Check("ZONE-001", None, gap)

    def _allocated(
        self, link: Link, zone_id: str | None, own: list[Resource], complete: bool, gap: str | None
    ) -> Check:
        rule = "ZONE-004" if link.one_region is True else None
        seen = link.zones_seen.get(zone_id or "")
        if zone_id is None or seen is None:
            if self._coverage.complete("connection_zones", link.endpoint_id):
                return Check(rule, None, "the provider sees no such zone of the connection")
            reason = self._knowledge.gap("connection_zones", link.endpoint_id, link.provider, link.service_id)
            return Check(rule, None, reason)
        if seen.resource_id is None:
            return Check(rule, None, f"which load balancer serves {zone_id} was not read")
        judged = seen.zone_status == CONNECTED and link.one_region is True
        if seen.resource_id == "":
            return Check(rule, False if judged else None, f"no load balancer serves {zone_id}")
        pairs = {(one.resource_id, one.zone_id) for one in own}
        if (seen.resource_id, zone_id) in pairs:
            return Check(rule, True)
        there = any(one.resource_id == seen.resource_id for one in own)
        if there and link.one_region is False:
            return Check(rule, True)
        vague = not complete or (seen.resource_id, None) in pairs
        said = f"{zone_id} is served by {seen.resource_id}, which is no resource of that zone"
        return Check(rule, False if judged and not vague else None, gap or said)


def _eni_check(zone: ZoneOwn) -> Check:
    if zone.eni_id is None or zone.eni_ip is None:
        return Check("EP-003", None, "the ENI or its address was not read")
    if zone.eni_id and zone.eni_ip:
        return Check("EP-003", True)
    verdict = False if zone.zone_status in (CONNECTED, "Wait", "Disconnected") else None
    return Check("EP-003", verdict, "the zone has no ENI" if not zone.eni_id else f"{zone.eni_id} has no address")


def _zone_state(link: Link, status: str | None) -> Check:
    if status in _ZONE_UP:
        return Check("ZONE-005", True, "old and new resource side by side" if status == "Migrated" else None)
    if status not in _ZONE_CUT:
        return Check("ZONE-005", None, f"the zone is {status}" if status else "the state of the zone was not read")
    if link.status == CONNECTED:
        return Check("ZONE-005", False, f"the zone is {status}")
    if link.status in _CUT:
        # The zone went down with the whole connection: the same fault, and the same fix.
        return Check("CONN-001", False, f"the zone is {status}, as the connection is", link.provider)
    return Check("ZONE-005", None, f"the zone is {status}")


def _lock(what: str, status: str | None, account_id: str | None) -> Check:
    verdict = {"Normal": True, "FinancialLocked": False}.get(status or "")
    said = None if verdict else f"{what} is {status}" if status else f"whether {what} is locked was not read"
    return Check("CONN-006", verdict, said, account_id)
