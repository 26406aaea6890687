"""The other objects a verdict rests on, found from the id columns of scope and query."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from auditor.findings import ResourceRef
from auditor.inventory.schema import TABLES

#: Columns that hold an id (or several, separated by commas), and the table of the objects they name.
ID_COLUMNS = {
    "service_id": "endpoint_services",
    "service_ids": "endpoint_services",
    "endpoint_id": "endpoints",
    "load_balancer_id": "load_balancers",
    "resource_id": "load_balancers",
    "server_group_id": "server_groups",
    "security_group_id": "security_groups",
    "prefix_list_id": "prefix_lists",
    "vpc_id": "vpcs",
    "vswitch_id": "vswitches",
    "network_acl_id": "network_acls",
    "eni_id": "network_interfaces",
    "client_eni_id": "network_interfaces",
    "instance_id": "instances",
    "account_id": "accounts",
    "service_account_id": "accounts",
    "endpoint_owner_id": "accounts",
    "owner_account_id": "accounts",
}
#: Scope columns that name what every verdict about the resource rests on.
_SCOPE_COLUMNS = ("service_id", "service_ids", "load_balancer_id", "service_account_id")


@dataclass(frozen=True, slots=True)
class Known:
    """Profiles by account id, and the services, endpoints and load balancers by id."""

    profiles: Mapping[str, str | None]
    owners: Mapping[str, ResourceRef]


def scope_references(known: Known, resource: ResourceRef, values: Mapping[str, Any]) -> tuple[ResourceRef, ...]:
    """What the scope row of a resource names."""
    named = {name: values[name] for name in _SCOPE_COLUMNS if name in values}
    return references(known, resource, named, (), ())


def references(
    known: Known,
    resource: ResourceRef,
    values: Mapping[str, Any],
    texts: Iterable[str],
    first: tuple[ResourceRef, ...],
) -> tuple[ResourceRef, ...]:
    """`first` and what `values` (columns) and `texts` ('table:id') name besides, sorted; without the resource."""
    pairs = [
        (ID_COLUMNS[name], id_.strip())
        for name, value in values.items()
        if name in ID_COLUMNS and value is not None
        for id_ in str(value).split(",")
    ]
    for text in texts:
        type_, _, id_ = text.partition(":")
        pairs.append((type_, id_))
    left_out = {(resource.type, resource.id), *((ref.type, ref.id) for ref in first)}
    new = {pair for pair in pairs if pair not in left_out and pair[1] and pair[0] in TABLES}
    if not new:
        return first
    found = {(ref.type, ref.id): ref for ref in first}
    found.update({(type_, id_): _reference(known, resource, type_, id_) for type_, id_ in new})
    return tuple(found[key] for key in sorted(found))


def _reference(known: Known, resource: ResourceRef, type_: str, id_: str) -> ResourceRef:
    """An object with its account: its own where known, else that of the resource, whose account read it."""
    if type_ == "accounts":
        return ResourceRef(type_, id_, id_, None, known.profiles.get(id_))
    owner = known.owners.get(id_ if type_ in ("endpoints", "endpoint_services") else id_.split(":", 1)[0])
    if owner is not None:
        name = owner.name if owner.id == id_ else None
        return ResourceRef(type_, id_, owner.account_id, owner.region_id, name)
    return ResourceRef(type_, id_, resource.account_id, resource.region_id)
