"""Operations of product privatelink, version 2020-04-15."""

from __future__ import annotations

from auditor.simulator import endpoints
from auditor.simulator.answers import RESOURCE_GROUP
from auditor.simulator.objects import Endpoint, EndpointService, ServiceResource
from auditor.simulator.wire import Answer, ApiError, Call, Row, not_found, tags_match, with_token


def _service_row(call: Call, service: EndpointService, *, tags: bool) -> Row:
    row: Row = {
        "AddressIpVersion": service.address_ip_version,
        "AutoAcceptEnabled": service.auto_accept,
        "ConnectBandwidth": service.connect_bandwidth,
        "CreateTime": service.created,
        "MaxBandwidth": service.max_bandwidth,
        "MinBandwidth": service.min_bandwidth,
        "Payer": service.payer,
        "RegionId": service.region_id,
        "ResourceGroupId": RESOURCE_GROUP,
        "ServiceBusinessStatus": service.business_status,
        "ServiceDescription": service.description,
        "ServiceDomain": f"{service.service_id}.{service.region_id}.privatelink.aliyuncs.com",
        "ServiceId": service.service_id,
        "ServiceName": service.name,
        "ServiceResourceType": service.resource_type,
        "ServiceStatus": service.status,
        "ServiceSupportIPv6": service.address_ip_version == "DualStack",
        "ServiceType": service.service_type,
        "SupportedRegionSet": [
            {
                "RegionBusinessStatus": business,
                "RegionServiceStatus": status,
                "ServiceRegionId": service.region_id,
                "SupportedRegionId": region_id,
            }
            for region_id, status, business in service.supported_regions
        ],
        "ZoneAffinityEnabled": service.zone_affinity,
    }
    if tags:
        row["Tags"] = [{"Key": key, "Value": value} for key, value in service.tags.items()]
    else:
        row["Zones"] = service.zones
    return call.view(service.service_id, row)


def list_services(call: Call) -> Row:
    wanted, resource_id, auto = call.tag_filter(), call.text("ResourceId"), call.flag("AutoAcceptEnabled")
    services = [
        service
        for service in call.own(call.world.services)
        if call.matches(
            ServiceId=service.service_id,
            ServiceName=service.name,
            ServiceResourceType=service.resource_type,
            ServiceStatus=service.status,
            ServiceBusinessStatus=service.business_status,
        )
        and tags_match(service.tags, wanted)
        and (auto is None or service.auto_accept is auto)
        and (not resource_id or any(resource.resource_id == resource_id for resource in service.resources))
    ]
    page, token, size = call.token_page(services, default=50, maximum=1000)
    rows = [_service_row(call, service, tags=True) for service in page]
    return with_token({"MaxResults": size, "Services": rows, "TotalCount": len(services)}, token)


def _service(call: Call) -> EndpointService:
    return call.get(call.world.services, call.required("ServiceId"), "EndpointServiceNotFound")


def get_service_attribute(call: Call) -> Row:
    call.region()
    return _service_row(call, _service(call), tags=False)


def _related(call: Call, service: EndpointService, resource: ServiceResource) -> int:
    return sum(
        any(zone.resource_id == resource.resource_id and zone.zone_id == resource.zone_id for zone in endpoint.zones)
        for endpoint in list(call.world.endpoints.values())
        if endpoint.service_id == service.service_id
    )


def list_service_resources(call: Call) -> Row:
    call.region()
    service = _service(call)
    resources = call.shown(service.resources, lambda r: f"{service.service_id}:{r.resource_id}:{r.zone_id}")
    page, token, size = call.token_page(resources, default=50, maximum=50)
    rows = [
        call.view(
            f"{service.service_id}:{resource.resource_id}:{resource.zone_id}",
            {
                "AutoAllocatedEnabled": resource.auto_allocated,
                "Ip": resource.ip,
                "RegionId": resource.region_id,
                "RelatedDeprecatedEndpointCount": 0,
                "RelatedEndpointCount": _related(call, service, resource),
                "ResourceId": resource.resource_id,
                "ResourceSupportIPv6": False,
                "ResourceType": resource.resource_type,
                "VSwitchId": resource.vswitch_id,
                "VpcId": resource.vpc_id,
                "ZoneId": resource.zone_id,
            },
        )
        for resource in page
    ]
    return with_token({"MaxResults": size, "Resources": rows}, token)


def list_service_users(call: Call) -> Row:
    """The whitelist; without UserListType both lists come from one paged sequence, as TotalCount counts them."""
    call.region()
    service = _service(call)
    kind = call.text("UserListType")
    entries = [("id", user) for user in service.users if call.matches(UserId=user)]
    if not call.text("UserId"):
        entries += [("arn", arn) for arn in service.arns]
    if kind:
        entries = [entry for entry in entries if (entry[0] == "arn") == (kind == "UserARNs")]
    page, token, size = call.token_page(entries, default=50, maximum=50)
    return with_token(
        {
            "MaxResults": size,
            "TotalCount": str(len(entries)),
            "UserARNs": [{"UserARN": value} for form, value in page if form == "arn"],
            "Users": [{"UserId": int(value)} for form, value in page if form == "id"],
        },
        token,
    )


def _connection_row(call: Call, endpoint: Endpoint) -> Row:
    zones = [
        call.view(
            f"{endpoint.endpoint_id}:{zone.zone_id}",
            {
                "EniId": zone.eni_id,
                "ReplacedEniId": zone.replaced_eni_id,
                "ReplacedResourceId": zone.replaced_resource_id,
                "ResourceId": zone.resource_id,
                "VSwitchId": zone.vswitch_id,
                "ZoneDomain": zone.domain,
                "ZoneId": zone.zone_id,
                "ZoneStatus": zone.status,
            },
        )
        for zone in call.shown(endpoint.zones, lambda zone: f"{endpoint.endpoint_id}:{zone.zone_id}")
    ]
    return call.view(
        endpoint.endpoint_id,
        {
            "Bandwidth": endpoint.bandwidth,
            "ConnectionStatus": endpoint.connection_status,
            "EndpointId": endpoint.endpoint_id,
            "EndpointOwnerId": int(endpoint.account_id),
            "EndpointRegionId": endpoint.region_id,
            "EndpointVpcId": endpoint.vpc_id,
            "ModifiedTime": endpoint.modified,
            "ResourceGroupId": RESOURCE_GROUP,
            "ResourceOwner": endpoint.account_id == endpoint.service_account_id,
            "ServiceId": endpoint.service_id,
            "ServiceRegionId": endpoint.service_region_id,
            "TrafficControlMode": endpoint.traffic_control_mode,
            "Zones": zones,
        },
    )


def list_connections(call: Call) -> Row:
    """Connections of all services of the caller in the region; of one service with ServiceId."""
    region = call.region()
    if call.text("ServiceId"):
        _service(call)
    hidden = call.world.hidden.get(call.operation, set())
    connections = [
        endpoint
        for endpoint in list(call.world.endpoints.values())
        if endpoint.service_account_id == call.account.account_id
        and endpoint.service_region_id == region
        and endpoint.service_id in call.world.services
        and endpoint.endpoint_id not in hidden
        and call.matches(
            ServiceId=endpoint.service_id,
            EndpointId=endpoint.endpoint_id,
            EndpointOwnerId=endpoint.account_id,
            ConnectionStatus=endpoint.connection_status,
        )
        and (not call.text("ResourceId") or any(zone.resource_id == call.text("ResourceId") for zone in endpoint.zones))
        and (not call.text("EniId") or any(zone.eni_id == call.text("EniId") for zone in endpoint.zones))
    ]
    page, token, size = call.token_page(connections, default=50, maximum=1000)
    rows = [_connection_row(call, endpoint) for endpoint in page]
    return with_token({"Connections": rows, "MaxResults": size, "TotalCount": str(len(connections))}, token)


def describe_regions(call: Call) -> Row:
    kind = call.text("ServiceResourceType")
    regions = [
        {
            "LocalName": region.local_name,
            "RegionEndpoint": f"privatelink.{region.region_id}.aliyuncs.com",
            "RegionId": region.region_id,
            "ServiceResourceTypes": {"ServiceResourceType": list(region.resource_types)},
        }
        for region in call.world.regions.values()
        if region.resource_types and (not kind or kind in region.resource_types)
    ]
    return {"Regions": {"Region": regions}}


def describe_zones(call: Call) -> Row:
    """Zones of the region in which the type is offered; the default type is slb."""
    region = call.world.regions[call.region()]
    offered = (call.text("ServiceResourceType") or "slb") in region.resource_types
    zones = [{"LocalName": name, "ZoneId": zone_id} for zone_id, name in region.zones.items()] if offered else []
    return {"Zones": {"Zone": zones}}


def check_product_open(call: Call) -> Row:
    if not call.account.privatelink_open:
        raise ApiError(400, "NeedOpenProduct", "PrivateLink has not been activated in this account.")
    return {"Success": True}


def list_tag_resources(call: Call) -> Row:
    call.region()
    kind = call.required("ResourceType").lower()
    ids, wanted = call.array("ResourceId", 50), call.tag_filter()
    if not ids and not wanted:
        raise ApiError(400, "MissingParameter", "Either ResourceId or Tag is needed.")
    world = call.world
    if kind == "vpcendpoint":
        tagged = [(e.endpoint_id, e.tags) for e in call.own(world.endpoints)]
    elif kind == "vpcendpointservice":
        tagged = [(s.service_id, s.tags) for s in call.own(world.services)]
    else:
        raise not_found("InvalidResourceType.NotFound", kind)
    rows = [
        {"ResourceId": object_id, "ResourceType": kind, "TagKey": key, "TagValue": value}
        for object_id, tags in tagged
        if (not ids or object_id in ids) and tags_match(tags, wanted)
        for key, value in tags.items()
    ]
    page, token, _ = call.token_page(rows, default=50, maximum=50)
    return with_token({"TagResources": list(page)}, token)


OPERATIONS: dict[str, Answer] = {
    **endpoints.OPERATIONS,
    "ListVpcEndpointServices": list_services,
    "GetVpcEndpointServiceAttribute": get_service_attribute,
    "ListVpcEndpointServiceResources": list_service_resources,
    "ListVpcEndpointServiceUsers": list_service_users,
    "ListVpcEndpointConnections": list_connections,
    "DescribeRegions": describe_regions,
    "DescribeZones": describe_zones,
    "CheckProductOpen": check_product_open,
    "ListTagResources": list_tag_resources,
}
