"""Effects on endpoint services: whitelist, settings, resources, and who sees the service."""

from __future__ import annotations

from collections.abc import Mapping

from auditor.facts.principals import understand
from auditor.fixes.draft import Draft, Row, Unforeseen

_FLAGS = {"AutoAcceptEnabled": "auto_accept_enabled", "ZoneAffinityEnabled": "zone_affinity_enabled"}


def add_user(draft: Draft, parameters: Mapping[str, str], _account: str | None) -> None:
    """An account id or an ARN comes onto the whitelist; the accounts it admits see the service."""
    service = draft.one("endpoint_services", service_id=parameters["ServiceId"])
    for name, kind in (("UserId", "account"), ("UserARN", "arn")):
        if name in parameters:
            entry = {"service_id": service["service_id"], "entry": parameters[name], "entry_type": kind}
            draft.add("service_users", {**_place(service), **entry})
    show(draft, service)


def remove_user(draft: Draft, parameters: Mapping[str, str], _account: str | None) -> None:
    """An entry leaves the whitelist; whom no other entry admits does not see the service any more."""
    service = draft.one("endpoint_services", service_id=parameters["ServiceId"])
    for name in ("UserId", "UserARN"):
        if name in parameters:
            draft.remove("service_users", service_id=service["service_id"], entry=parameters[name])
    for row in draft.rows("visible_services", service_id=service["service_id"]):
        if row["account_id"] == service["account_id"]:
            continue
        if admits(draft, service, row["account_id"]) is False:
            for table in ("visible_services", "visible_service_zones"):
                draft.remove(table, service_id=service["service_id"], account_id=row["account_id"])


def update_service(draft: Draft, parameters: Mapping[str, str], _account: str | None) -> None:
    """Settings of the service itself, and regions that are opened to cross-region access."""
    service = draft.one("endpoint_services", service_id=parameters["ServiceId"])
    values: Row = {column: parameters[name] == "true" for name, column in _FLAGS.items() if name in parameters}
    if "ConnectBandwidth" in parameters:
        values["connect_bandwidth"] = int(parameters["ConnectBandwidth"])
    if "AddressIpVersion" in parameters:
        values["address_ip_version"] = parameters["AddressIpVersion"]
    draft.change("endpoint_services", {"service_id": service["service_id"]}, **values)
    opened = [value for name, value in parameters.items() if name.startswith("AddSupportedRegionSet.")]
    for region_id in opened:
        key = {"service_id": service["service_id"], "supported_region_id": region_id}
        if not draft.change("service_supported_regions", key, region_service_status="Available"):
            draft.add("service_supported_regions", {**_place(service), **key, "region_service_status": "Available"})
    if opened:
        show(draft, service)


def update_resource(draft: Draft, parameters: Mapping[str, str], _account: str | None) -> None:
    """Whether new connections are placed on a resource."""
    draft.one("service_resources", service_id=parameters["ServiceId"], resource_id=parameters["ResourceId"])
    key = {"service_id": parameters["ServiceId"], "resource_id": parameters["ResourceId"]}
    if "ZoneId" in parameters:
        key["zone_id"] = parameters["ZoneId"]
    draft.change("service_resources", key, auto_allocated_enabled=parameters["AutoAllocatedEnabled"] == "true")


def attach_resource(draft: Draft, parameters: Mapping[str, str], _account: str | None) -> None:
    """A load balancer serves one more zone; whether connections are placed on it by itself is not known."""
    service = draft.one("endpoint_services", service_id=parameters["ServiceId"])
    balancer = draft.one("load_balancers", load_balancer_id=parameters["ResourceId"])
    if parameters["ResourceType"] != "slb":
        raise Unforeseen(f"which vSwitch of {parameters['ResourceId']} serves the zone is not known")
    draft.add(
        "service_resources",
        {
            **_place(service),
            "service_id": service["service_id"],
            "resource_id": parameters["ResourceId"],
            "resource_type": parameters["ResourceType"],
            "zone_id": parameters["ZoneId"],
            "vswitch_id": balancer["vswitch_id"],
            "vpc_id": balancer["vpc_id"],
            "ip": balancer["address"],
            "resource_region_id": balancer["region_id"],
        },
    )
    for row in draft.rows("visible_services", service_id=service["service_id"]):
        zone = {"service_id": service["service_id"], "zone_id": parameters["ZoneId"]}
        draft.add("visible_service_zones", {**_place(row), **zone})


def detach_resource(draft: Draft, parameters: Mapping[str, str], _account: str | None) -> None:
    """A load balancer serves a zone no more; what serves the connections it served is not known."""
    key = {"service_id": parameters["ServiceId"], "resource_id": parameters["ResourceId"]}
    draft.one("service_resources", **key)
    gone = draft.remove("service_resources", **key, zone_id=parameters["ZoneId"])
    for row in gone:
        zone = {"service_id": row["service_id"], "zone_id": row["zone_id"]}
        draft.change("connection_zones", {**zone, "resource_id": row["resource_id"]}, resource_id=None)
        if not draft.rows("service_resources", **zone):
            draft.remove("visible_service_zones", **zone)


def open_product(draft: Draft, _parameters: Mapping[str, str], account: str | None) -> None:
    """PrivateLink is activated in the account that sends the call."""
    if account is None:
        raise Unforeseen("nobody knows which account would activate PrivateLink")
    draft.change("product_activations", {"account_id": account}, activated=True)


def admits(draft: Draft, service: Row, account_id: str) -> bool | None:
    """Whether the whitelist admits an account; None where an entry is not understood and no other one does."""
    known = [understand(row["entry"]) for row in draft.rows("service_users", service_id=service["service_id"])]
    if account_id == service["account_id"] or any(everyone or account_id == one for one, everyone in known):
        return True
    return None if any(everyone is None for _, everyone in known) else False


def show(draft: Draft, service: Row) -> None:
    """Shows the service to the admitted accounts whose endpoints name it, in the regions that it is open to."""
    service_id = service["service_id"]
    for endpoint in draft.rows("endpoints", service_id=service_id):
        place = _place(endpoint)
        if not admits(draft, service, endpoint["account_id"]) or not _open_to(draft, service, endpoint["region_id"]):
            continue
        if draft.rows("visible_services", service_id=service_id, account_id=endpoint["account_id"]):
            continue
        row = {
            "service_id": service_id,
            "service_name": service["service_name"],
            "service_resource_type": service["service_resource_type"],
        }
        draft.add("visible_services", {**place, **row})
        for resource in draft.rows("service_resources", service_id=service_id):
            if resource["zone_id"]:
                zone = {"service_id": service_id, "zone_id": resource["zone_id"]}
                draft.add("visible_service_zones", {**place, **zone})


def _open_to(draft: Draft, service: Row, region_id: str) -> bool:
    if region_id == service["region_id"]:
        return True
    key = {"service_id": service["service_id"], "supported_region_id": region_id}
    return bool(draft.rows("service_supported_regions", **key, region_service_status="Available"))


def _place(row: Row) -> Row:
    return {"account_id": row["account_id"], "region_id": row["region_id"]}
