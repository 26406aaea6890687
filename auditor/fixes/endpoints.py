"""Effects on endpoints and their connections: acceptance, zones, settings, security groups."""

from __future__ import annotations

from collections.abc import Mapping

from auditor.fixes.draft import Draft, Row, Unforeseen


def enable_connection(draft: Draft, parameters: Mapping[str, str], _account: str | None) -> None:
    """The connection and its zones become Connected; a zone gets the one resource that is placed by itself there."""
    key = _connection(draft, parameters)
    draft.change("endpoints", {"endpoint_id": key["endpoint_id"]}, connection_status="Connected")
    draft.change("connections", key, connection_status="Connected", modified_at=None)
    for row in draft.rows("connection_zones", **key):
        _connect(draft, key, row["zone_id"])
    for row in draft.rows("endpoint_zones", endpoint_id=key["endpoint_id"]):
        _connect(draft, key, row["zone_id"])


def enable_zone(draft: Draft, parameters: Mapping[str, str], _account: str | None) -> None:
    """One disconnected zone of a connection becomes Connected."""
    key = _connection(draft, parameters)
    _connect(draft, key, parameters["ZoneId"])
    draft.change("connections", key, modified_at=None)


def _connect(draft: Draft, key: Row, zone_id: str) -> None:
    place = {"endpoint_id": key["endpoint_id"], "zone_id": zone_id}
    draft.change("endpoint_zones", place, zone_status="Connected")
    resources = draft.rows("service_resources", service_id=key["service_id"], zone_id=zone_id)
    automatic = [row["resource_id"] for row in resources if row["auto_allocated_enabled"] is not False]
    certain = len(automatic) == 1 and all(row["auto_allocated_enabled"] is not None for row in resources)
    draft.change(
        "connection_zones",
        {**key, "zone_id": zone_id},
        zone_status="Connected",
        resource_id=automatic[0] if certain else None,
    )


def update_connection(draft: Draft, parameters: Mapping[str, str], _account: str | None) -> None:
    """Bandwidth and traffic control of one connection, which both accounts see."""
    key = _connection(draft, parameters)
    values: Row = {"modified_at": None}
    if "TrafficControlMode" in parameters:
        values["traffic_control_mode"] = parameters["TrafficControlMode"]
    if "Bandwidth" in parameters:
        values["bandwidth"] = int(parameters["Bandwidth"])
        draft.change("endpoints", {"endpoint_id": key["endpoint_id"]}, bandwidth=values["bandwidth"])
    draft.change("connections", key, **values)


def serve_zone(draft: Draft, parameters: Mapping[str, str], _account: str | None) -> None:
    """A zone of a connection is served by another resource."""
    key = {**_connection(draft, parameters), "zone_id": parameters["ZoneId"]}
    draft.one("connection_zones", **key)
    draft.change("connection_zones", key, resource_id=parameters["ResourceId"])


def update_endpoint(draft: Draft, parameters: Mapping[str, str], _account: str | None) -> None:
    """Settings of the endpoint; without IPv6 its interfaces have no IPv6 address, with it nobody knows which."""
    endpoint = draft.one("endpoints", endpoint_id=parameters["EndpointId"])
    key = {"endpoint_id": endpoint["endpoint_id"]}
    values: Row = {}
    if "ZoneAffinityEnabled" in parameters:
        values["zone_affinity_enabled"] = parameters["ZoneAffinityEnabled"] == "true"
    if "CrossRegionBandwidth" in parameters:
        values["cross_region_bandwidth"] = int(parameters["CrossRegionBandwidth"])
    if "AddressIpVersion" in parameters:
        if parameters["AddressIpVersion"] != "IPv4":
            raise Unforeseen("which IPv6 addresses the endpoint would get is not known")
        values["address_ip_version"] = "IPv4"
        for zone in draft.change("endpoint_zones", key, zone_ipv6_address=""):
            for row in draft.rows("eni_addresses", eni_id=zone["eni_id"]):
                if ":" in row["address"]:
                    draft.remove("eni_addresses", eni_id=row["eni_id"], address=row["address"])
    draft.change("endpoints", key, **values)


def remove_zone(draft: Draft, parameters: Mapping[str, str], _account: str | None) -> None:
    """A zone of the endpoint goes, with its network interface; its address in the vSwitch is free again."""
    key = {"endpoint_id": parameters["EndpointId"], "zone_id": parameters["ZoneId"]}
    draft.one("endpoint_zones", **key)
    draft.remove("connection_zones", **key)
    for zone in draft.remove("endpoint_zones", **key):
        if zone["eni_id"]:
            for table in ("network_interfaces", "eni_addresses", "eni_security_groups"):
                draft.remove(table, eni_id=zone["eni_id"])
            for vswitch in draft.rows("vswitches", vswitch_id=zone["vswitch_id"]):
                if vswitch["available_ip_address_count"] is not None:
                    free = vswitch["available_ip_address_count"] + 1
                    draft.change("vswitches", {"vswitch_id": zone["vswitch_id"]}, available_ip_address_count=free)
                    break


def detach_group(draft: Draft, parameters: Mapping[str, str], _account: str | None) -> None:
    """A security group leaves the endpoint and its network interfaces."""
    key = {"endpoint_id": parameters["EndpointId"], "security_group_id": parameters["SecurityGroupId"]}
    draft.one("endpoint_security_groups", **key)
    draft.remove("endpoint_security_groups", **key)
    for zone in draft.rows("endpoint_zones", endpoint_id=parameters["EndpointId"]):
        draft.remove("eni_security_groups", eni_id=zone["eni_id"], security_group_id=parameters["SecurityGroupId"])


def _connection(draft: Draft, parameters: Mapping[str, str]) -> Row:
    """The key of a connection that at least one side shows.  Raises Unforeseen."""
    key = {"service_id": parameters["ServiceId"], "endpoint_id": parameters["EndpointId"]}
    if not draft.rows("connections", **key):
        draft.one("endpoints", endpoint_id=parameters["EndpointId"])
    return key
