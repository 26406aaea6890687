"""The audit specification: what the user declares, so that "as intended" can be judged.

Field by field as in section 4 of the interface.  Everything is optional: None means "nothing declared", which is not
the same as an empty list.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any, TypeVar


@dataclass(frozen=True, slots=True)
class Port:
    """A declared port: transport protocol in lower case and number."""

    protocol: str
    port: int


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """What is declared of one endpoint service, or of all of them (`*`)."""

    accounts: tuple[str, ...] | None = None
    public: bool | None = None
    auto_accept: bool | None = None
    ports: tuple[Port, ...] | None = None
    zone_affinity: bool | None = None
    vpcs: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class EndpointSpec:
    """What is declared of one endpoint, or of all of them (`*`)."""

    service: str | None = None
    clients: tuple[str, ...] | None = None
    payer: str | None = None
    min_bandwidth: int | None = None


@dataclass(frozen=True, slots=True)
class Requirements:
    """What is declared of everything."""

    tags: tuple[str, ...] | None = None
    flow_logs: bool | None = None
    accept_within_hours: int | None = None


#: What a rule can be made to depend on, as the specification writes it: `require.flow_logs`, ….
REQUIREMENTS = tuple(f"require.{name.name}" for name in fields(Requirements))


@dataclass(frozen=True, slots=True)
class Spec:
    """A whole specification; `options` are command line options given under `options:`."""

    services: Mapping[str, ServiceSpec] = field(default_factory=lambda: MappingProxyType({}))
    endpoints: Mapping[str, EndpointSpec] = field(default_factory=lambda: MappingProxyType({}))
    require: Requirements = Requirements()
    options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    path: str | None = None

    def declares(self, requirement: str) -> bool:
        """Whether one of REQUIREMENTS is declared; a declared `false` requires nothing."""
        value = getattr(self.require, requirement.removeprefix("require."))
        return value is not None and value is not False

    def service(self, service_id: str) -> ServiceSpec:
        """What holds for a service: its own entry, completed key by key from the entry `*`."""
        return _merged(self.services.get(service_id), self.services.get("*"), ServiceSpec())

    def endpoint(self, endpoint_id: str) -> EndpointSpec:
        """What holds for an endpoint: its own entry, completed key by key from the entry `*`."""
        return _merged(self.endpoints.get(endpoint_id), self.endpoints.get("*"), EndpointSpec())


_T = TypeVar("_T", ServiceSpec, EndpointSpec)


def _merged(own: _T | None, general: _T | None, nothing: _T) -> _T:
    values = {}
    for name in type(nothing).__slots__:
        for entry in (own, general):
            value = getattr(entry, name) if entry is not None else None
            if value is not None:
                values[name] = value
                break
    return type(nothing)(**values)
