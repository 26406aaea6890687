"""Facts: derived tables that SQL should not compute, as pure functions of snapshot and specification."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from auditor.inventory.snapshot import Snapshot
    from auditor.spec import Spec

__all__ = ["compute_facts"]


def compute_facts(snapshot: Snapshot, spec: Spec, wanted: Collection[str]) -> dict[str, pd.DataFrame]:
    """The wanted facts as frames with the declared columns and types, in the order of the declaration.

    Raises KeyError for a name that is not declared in `auditor.facts.schema`.
    """
    from auditor.facts.schema import FACTS
    from auditor.inventory.normalize import typed_frame

    unknown = sorted(set(wanted) - set(FACTS))
    if unknown:
        raise KeyError(f"undeclared facts {unknown}")
    makers = _makers(snapshot, spec)
    with _collection_paused():
        return {name: typed_frame(fact.columns, makers[name]()) for name, fact in FACTS.items() if name in wanted}


@contextmanager
def _collection_paused() -> Iterator[None]:
    """No search for cycles meanwhile: it takes a quarter of the time, and millions of objects made here have none."""
    import gc

    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


def _makers(snapshot: Snapshot, spec: Spec) -> Mapping[str, Callable[[], Iterable[dict[str, Any]]]]:
    from functools import cache

    from auditor.facts.access import Access
    from auditor.facts.acl_access import NetworkAcls, client_acl_access, endpoint_acl_access, vswitches_of_zones
    from auditor.facts.backend_access import Servers, backend_access
    from auditor.facts.backends import listener_backends, listener_groups
    from auditor.facts.egress import Egress
    from auditor.facts.endpoints import Endpoints
    from auditor.facts.principals import service_principals
    from auditor.facts.references import References
    from auditor.facts.rows import rows
    from auditor.facts.security_groups import SecurityGroups

    coverage = snapshot.completeness()

    @cache
    def endpoints() -> Endpoints:
        return Endpoints(snapshot, spec, coverage)

    @cache
    def groups() -> SecurityGroups:
        return SecurityGroups(snapshot, coverage)

    @cache
    def access() -> Access:
        return Access(endpoints(), groups())

    def ports() -> Iterable[dict[str, Any]]:
        for endpoint in endpoints().every.values():
            for port in endpoints().ports(endpoint):
                yield {
                    "endpoint_id": endpoint.endpoint_id,
                    "service_id": endpoint.service_id,
                    "protocol": port.protocol,
                    "port": port.port,
                    "declared": port.declared,
                    "reason": port.reason,
                }

    def clients() -> Iterable[dict[str, Any]]:
        for endpoint in endpoints().every.values():
            for client in endpoints().clients(endpoint, groups().membership):
                yield {
                    "endpoint_id": endpoint.endpoint_id,
                    "client": client.client,
                    "declared": client.declared,
                    "addresses": None if client.addresses is None else client.addresses.text(),
                    "reason": client.reason,
                }

    def listeners() -> Any:
        return listener_groups(snapshot["listeners"], snapshot["forwarding_rules"], coverage)

    @cache
    def acls() -> NetworkAcls:
        return NetworkAcls(snapshot, coverage)

    def backends() -> Iterable[dict[str, Any]]:
        return listener_backends(listeners(), snapshot["backends"], snapshot["health_status"], coverage)

    def backend_ways() -> Iterable[dict[str, Any]]:
        health = {
            (load_balancer, protocol, port): check
            for load_balancer, protocol, port, check in rows(
                snapshot["listeners"], "load_balancer_id", "protocol", "port", "health_check_port"
            )
        }
        return backend_access(backends(), health, Servers(snapshot, coverage), groups(), acls())

    def acl_ways(maker: Callable[..., Iterable[dict[str, Any]]]) -> Iterable[dict[str, Any]]:
        return maker(endpoints(), acls(), groups().membership, vswitches_of_zones(snapshot))

    return {
        "service_principals": lambda: service_principals(snapshot["service_users"]),
        "endpoint_ports": ports,
        "endpoint_clients": clients,
        "endpoint_access": lambda: access().endpoint_access(),
        "endpoint_exposure": lambda: access().endpoint_exposure(),
        "client_egress": lambda: Egress(endpoints(), groups(), spec).client_egress(),
        "group_references": lambda: References(snapshot, coverage, groups()).group_references(endpoints()),
        "listener_groups": lambda: (group.row() for group in listeners()),
        "listener_backends": backends,
        "endpoint_acl_access": lambda: acl_ways(endpoint_acl_access),
        "client_acl_access": lambda: acl_ways(client_acl_access),
        "backend_access": backend_ways,
    }
