"""Facts: derived tables that SQL should not compute, as pure functions of snapshot and specification."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from auditor.facts.workshop import Workshop
    from auditor.inventory.snapshot import Snapshot
    from auditor.spec import Spec

__all__ = ["compute_facts"]


def compute_facts(
    snapshot: Snapshot, spec: Spec, wanted: Collection[str], workshop: Workshop | None = None
) -> dict[str, pd.DataFrame]:
    """The wanted facts as frames with the declared columns and types, in the order of the declaration.

    `workshop` is one of the same snapshot and specification, where more is to be made from them than these facts.
    Raises KeyError for a name that is not declared in `auditor.facts.schema`.
    """
    from auditor.facts.schema import FACTS
    from auditor.facts.workshop import Workshop
    from auditor.inventory.normalize import typed_frame

    unknown = sorted(set(wanted) - set(FACTS))
    if unknown:
        raise KeyError(f"undeclared facts {unknown}")
    makers = _makers(workshop or Workshop(snapshot, spec))
    with collection_paused():
        return {name: typed_frame(fact.columns, makers[name]()) for name, fact in FACTS.items() if name in wanted}


@contextmanager
def collection_paused() -> Iterator[None]:
    """No search for cycles meanwhile: it takes a quarter of the time, and millions of objects made here have none."""
    import gc

    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


def _makers(workshop: Workshop) -> Mapping[str, Callable[[], Iterable[dict[str, Any]]]]:
    from auditor.facts.access_lists import listener_access_lists
    from auditor.facts.acl_access import client_acl_access, endpoint_acl_access
    from auditor.facts.eni_places import endpoint_eni_places
    from auditor.facts.principals import service_principals
    from auditor.facts.probes import probed_connections, probed_names
    from auditor.facts.references import References

    snapshot, coverage, endpoints = workshop.snapshot, workshop.coverage, workshop.endpoints

    def ports() -> Iterable[dict[str, Any]]:
        for endpoint in endpoints.every.values():
            for port in endpoints.ports(endpoint):
                yield {
                    "endpoint_id": endpoint.endpoint_id,
                    "service_id": endpoint.service_id,
                    "protocol": port.protocol,
                    "port": port.port,
                    "declared": port.declared,
                    "reason": port.reason,
                }

    def clients() -> Iterable[dict[str, Any]]:
        for endpoint in endpoints.every.values():
            for client in endpoints.clients(endpoint, workshop.groups.membership):
                yield {
                    "endpoint_id": endpoint.endpoint_id,
                    "client": client.client,
                    "declared": client.declared,
                    "addresses": None if client.addresses is None else client.addresses.text(),
                    "reason": client.reason,
                }

    def acl_ways(maker: Callable[..., Iterable[dict[str, Any]]]) -> Iterable[dict[str, Any]]:
        return maker(endpoints, workshop.acls, workshop.groups.membership, workshop.vswitches)

    return {
        "service_principals": lambda: service_principals(snapshot["service_users"]),
        "endpoint_ports": ports,
        "endpoint_clients": clients,
        "endpoint_access": lambda: workshop.access.endpoint_access(),
        "endpoint_exposure": lambda: workshop.access.endpoint_exposure(),
        "client_egress": lambda: workshop.egress.client_egress(),
        "group_references": lambda: References(snapshot, coverage, workshop.groups).group_references(endpoints),
        "listener_groups": lambda: (group.row() for group in workshop.listener_groups),
        "listener_backends": lambda: workshop.listener_backends,
        "endpoint_acl_access": lambda: acl_ways(endpoint_acl_access),
        "client_acl_access": lambda: acl_ways(client_acl_access),
        "backend_access": lambda: workshop.backend_access,
        "listener_access_lists": lambda: listener_access_lists(
            snapshot, coverage, endpoints, workshop.groups.membership
        ),
        "endpoint_eni_places": lambda: endpoint_eni_places(snapshot),
        "probed_names": lambda: probed_names(workshop),
        "probed_connections": lambda: probed_connections(workshop),
    }
