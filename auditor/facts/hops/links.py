"""Links: an endpoint and its connection to a service, as the consumer and the provider see it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from auditor.facts.rows import rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.inventory.snapshot import Snapshot

INTERFACE = "interface"


class Own(NamedTuple):
    """The endpoint's own row: what its account says."""

    account_id: str
    region_id: str
    endpoint_type: str | None
    endpoint_status: str | None
    connection_status: str | None
    business_status: str | None
    vpc_id: str | None
    service_id: str | None
    service_region_id: str | None
    same_account: bool | None


class Seen(NamedTuple):
    """The connection as the account of the service sees it."""

    account_id: str
    service_id: str
    connection_status: str | None
    owner_id: str | None
    vpc_id: str | None
    region_id: str | None
    service_region_id: str | None
    same_account: bool | None


class Service(NamedTuple):
    """An endpoint service of an audited account."""

    account_id: str
    region_id: str
    status: str | None
    business_status: str | None
    service_type: str | None
    resource_type: str | None
    address_ip_version: str | None


class ZoneSeen(NamedTuple):
    """A zone of a connection as the account of the service sees it."""

    zone_status: str | None
    resource_id: str | None
    eni_id: str | None
    vswitch_id: str | None


class ZoneOwn(NamedTuple):
    """A zone of an endpoint as its account sees it."""

    zone_status: str | None
    eni_id: str | None
    eni_ip: str | None


@dataclass(slots=True)
class Link:
    """One endpoint with what is known of it; `own` or `seen` is None where that side was not read."""

    endpoint_id: str
    own: Own | None
    seen: Seen | None
    service_id: str | None
    service: Service | None
    consumer: str | None
    provider: str | None
    region_id: str | None
    service_region_id: str | None
    vpc_id: str | None
    zones: dict[str, ZoneOwn] = field(default_factory=dict)
    zones_seen: dict[str, ZoneSeen] = field(default_factory=dict)

    @property
    def status(self) -> str | None:
        """Status of the connection: what the consumer says, else what the provider says."""
        if self.own is not None and self.own.connection_status is not None:
            return self.own.connection_status
        return self.seen.connection_status if self.seen is not None else None

    @property
    def one_region(self) -> bool | None:
        """Whether endpoint and service are in one region."""
        if not self.region_id or not self.service_region_id:
            return None
        return self.region_id == self.service_region_id


_OWN = (
    "account_id", "region_id", "endpoint_type", "endpoint_status", "connection_status", "endpoint_business_status",
    "vpc_id", "service_id", "service_region_id", "same_account",
)  # fmt: skip
_SEEN = (
    "account_id", "service_id", "connection_status", "endpoint_owner_id", "endpoint_vpc_id", "endpoint_region_id",
    "service_region_id", "same_account",
)  # fmt: skip
_SERVICE = (
    "account_id", "region_id", "service_status", "service_business_status", "service_type", "service_resource_type",
    "address_ip_version",
)  # fmt: skip


class Links:
    """The endpoints of a snapshot that may have paths: interface endpoints, and those whose type was not read.

    An endpoint that only the connections of a provider show belongs to them too.  Gateway Load Balancer and reverse
    endpoints carry other traffic and have none.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self.services: dict[str, Service] = {}
        for service_id, *values in rows(snapshot["endpoint_services"], "service_id", *_SERVICE):
            self.services.setdefault(service_id, Service(*values))
        self._own: dict[str, Own] = {}
        for endpoint_id, *values in rows(snapshot["endpoints"], "endpoint_id", *_OWN):
            self._own.setdefault(endpoint_id, Own(*values))
        self._seen: dict[str, list[Seen]] = defaultdict(list)
        for endpoint_id, *values in rows(snapshot["connections"], "endpoint_id", *_SEEN):
            self._seen[endpoint_id].append(Seen(*values))
        self._zones: dict[str, dict[str, ZoneOwn]] = defaultdict(dict)
        for endpoint_id, zone_id, *zone in rows(
            snapshot["endpoint_zones"], "endpoint_id", "zone_id", "zone_status", "eni_id", "eni_ip"
        ):
            self._zones[endpoint_id].setdefault(zone_id, ZoneOwn(*zone))
        self._zones_seen: dict[tuple[str, str], dict[str, ZoneSeen]] = defaultdict(dict)
        for service_id, endpoint_id, zone_id, *seen in rows(
            snapshot["connection_zones"],
            "service_id", "endpoint_id", "zone_id", "zone_status", "resource_id", "eni_id", "vswitch_id",
        ):  # fmt: skip
            self._zones_seen[service_id, endpoint_id].setdefault(zone_id, ZoneSeen(*seen))

    def __iter__(self) -> Iterator[Link]:
        for endpoint_id in sorted(self._own.keys() | self._seen.keys()):
            link = self._link(endpoint_id)
            if self._has_paths(link):
                yield link

    def _link(self, endpoint_id: str) -> Link:
        own = self._own.get(endpoint_id)
        views = self._seen.get(endpoint_id, ())
        wanted = own.service_id if own is not None else None
        seen = next((view for view in views if view.service_id == wanted), None)
        if seen is None and not wanted:
            seen = next(iter(views), None)
        service_id = wanted or (seen.service_id if seen is not None else None)
        service = self.services.get(service_id or "")
        consumer = own.account_id if own is not None else None
        if consumer is None and seen is not None:
            consumer = seen.owner_id or (seen.account_id if seen.same_account else None)
        provider = service.account_id if service is not None else None
        if provider is None and seen is not None:
            provider = seen.account_id
        if provider is None and own is not None and own.same_account:
            provider = own.account_id
        return Link(
            endpoint_id,
            own,
            seen,
            service_id,
            service,
            consumer,
            provider,
            own.region_id if own is not None else seen.region_id if seen is not None else None,
            (own.service_region_id if own is not None else None)
            or (seen.service_region_id if seen is not None else None)
            or (service.region_id if service is not None else None),
            (own.vpc_id if own is not None else None) or (seen.vpc_id if seen is not None else None),
            self._zones.get(endpoint_id, {}),
            self._zones_seen.get((service_id or "", endpoint_id), {}),
        )

    @staticmethod
    def _has_paths(link: Link) -> bool:
        if link.own is not None:
            kind = link.own.endpoint_type
            return kind is None or kind.lower() == INTERFACE
        service = link.service
        return service is None or (service.service_type or "Interface") == "Interface"
