"""Endpoints and what a consumer sees of services: operations of product privatelink."""

from __future__ import annotations

from auditor.simulator.answers import RESOURCE_GROUP
from auditor.simulator.objects import Endpoint, EndpointZone
from auditor.simulator.wire import Answer, Call, Row, tags_match, with_token


def _endpoint_row(call: Call, endpoint: Endpoint, *, attribute: bool) -> Row:
    row: Row = {
        "AddressIpVersion": endpoint.address_ip_version,
        "Bandwidth": endpoint.bandwidth,
        "ConnectionStatus": endpoint.connection_status,
        "CreateTime": endpoint.created,
        "CrossRegionBandwidth": endpoint.cross_region_bandwidth,
        "EndpointBusinessStatus": endpoint.business_status,
        "EndpointDescription": endpoint.description,
        "EndpointDomain": endpoint.domain,
        "EndpointId": endpoint.endpoint_id,
        "EndpointName": endpoint.name,
        "EndpointStatus": endpoint.status,
        "EndpointType": endpoint.endpoint_type,
        "PolicyDocument": endpoint.policy_document,
        "ProtectedEnabled": endpoint.protected,
        "RegionId": endpoint.region_id,
        "ResourceGroupId": RESOURCE_GROUP,
        "ResourceOwner": endpoint.account_id == endpoint.service_account_id,
        "ServiceId": endpoint.service_id,
        "ServiceName": endpoint.service_name,
        "ServiceRegionId": endpoint.service_region_id,
        "VpcId": endpoint.vpc_id,
        "ZoneAffinityEnabled": endpoint.zone_affinity,
    }
    if attribute:
        row |= {"Payer": endpoint.payer, "ZonePrivateIpAddressCount": 1}
    else:
        row["Tags"] = [{"Key": key, "Value": value} for key, value in endpoint.tags.items()]
    return call.view(endpoint.endpoint_id, row)


def list_endpoints(call: Call) -> Row:
    wanted = call.tag_filter()
    endpoints = [
        endpoint
        for endpoint in call.own(call.world.endpoints)
        if call.matches(
            EndpointId=endpoint.endpoint_id,
            EndpointName=endpoint.name,
            EndpointStatus=endpoint.status,
            VpcId=endpoint.vpc_id,
            ServiceName=endpoint.service_name,
            ConnectionStatus=endpoint.connection_status,
            EndpointType=endpoint.endpoint_type,
            ServiceRegionId=endpoint.service_region_id,
        )
        and tags_match(endpoint.tags, wanted)
    ]
    page, token, size = call.token_page(endpoints, default=50, maximum=1000)
    rows = [_endpoint_row(call, endpoint, attribute=False) for endpoint in page]
    return with_token({"Endpoints": rows, "MaxResults": size, "TotalCount": len(endpoints)}, token)


def _endpoint(call: Call) -> Endpoint:
    return call.get(call.world.endpoints, call.required("EndpointId"), "EndpointNotFound")


def get_endpoint_attribute(call: Call) -> Row:
    call.region()
    return _endpoint_row(call, _endpoint(call), attribute=True)


def _consumer_status(zone: EndpointZone) -> str:
    return "Connected" if zone.status in ("Migrating", "Migrated") else zone.status


def list_endpoint_zones(call: Call) -> Row:
    call.region()
    endpoint = _endpoint(call)
    zones = call.shown(endpoint.zones, lambda zone: f"{endpoint.endpoint_id}:{zone.zone_id}")
    page, token, size = call.token_page(zones, default=50, maximum=1000)
    rows = [
        call.view(
            f"{endpoint.endpoint_id}:{zone.zone_id}",
            {
                "EniId": zone.eni_id,
                "EniIp": zone.eni_ip,
                "RegionId": endpoint.region_id,
                "VSwitchId": zone.vswitch_id,
                "ZoneDomain": zone.domain,
                "ZoneId": zone.zone_id,
                "ZoneIpv6Address": zone.ipv6_address,
                "ZoneStatus": _consumer_status(zone),
            },
        )
        for zone in page
    ]
    return with_token({"MaxResults": size, "TotalCount": len(zones), "Zones": rows}, token)


def list_endpoint_groups(call: Call) -> Row:
    call.region()
    endpoint = _endpoint(call)
    groups = call.shown(endpoint.security_groups.items(), lambda item: f"{endpoint.endpoint_id}:{item[0]}")
    page, token, size = call.token_page(groups, default=50, maximum=50)
    rows = [
        call.view(f"{endpoint.endpoint_id}:{group_id}", {"SecurityGroupId": group_id, "SecurityGroupStatus": status})
        for group_id, status in page
    ]
    return with_token({"MaxResults": size, "SecurityGroups": rows, "TotalCount": len(groups)}, token)


def list_services_by_end_user(call: Call) -> Row:
    """Services the caller may connect to: of this region, or reachable from it by cross-region access."""
    region = call.region()
    world = call.world
    service_id = call.text("ServiceId")
    candidates = [world.services[service_id]] if service_id in world.services else [*world.services.values()]
    hidden = world.hidden.get(call.operation, set())
    services = [
        service
        for service in candidates
        if call.matches(
            ServiceId=service.service_id,
            ServiceName=service.name,
            ServiceType=service.service_type,
            ServiceRegionId=service.region_id,
        )
        and any(supported == region and status == "Available" for supported, status, _ in service.supported_regions)
        and world.visible(service, call.account.account_id)
        and service.service_id not in hidden
        and (bool(call.text("ServiceRegionId")) or service.region_id == region or bool(service_id))
    ]
    page, token, size = call.token_page(services, default=50, maximum=1000)
    rows = [
        call.view(
            service.service_id,
            {
                "AddressIpVersion": service.address_ip_version,
                "AutoAcceptEnabled": service.auto_accept,
                "Payer": service.payer,
                "ResourceGroupId": RESOURCE_GROUP,
                "ServiceDomain": f"{service.service_id}.{service.region_id}.privatelink.aliyuncs.com",
                "ServiceId": service.service_id,
                "ServiceName": service.name,
                "ServiceResourceType": service.resource_type,
                "ServiceSupportIPv6": service.address_ip_version == "DualStack",
                "ServiceType": service.service_type,
                "Tags": [],
                "VpcEndpointPolicySupported": service.policy_supported,
                "ZoneAffinityEnabled": service.zone_affinity,
                "Zones": service.zones,
            },
        )
        for service in page
    ]
    return with_token({"MaxResults": size, "Services": rows, "TotalCount": str(len(services))}, token)


OPERATIONS: dict[str, Answer] = {
    "ListVpcEndpoints": list_endpoints,
    "GetVpcEndpointAttribute": get_endpoint_attribute,
    "ListVpcEndpointZones": list_endpoint_zones,
    "ListVpcEndpointSecurityGroups": list_endpoint_groups,
    "ListVpcEndpointServicesByEndUser": list_services_by_end_user,
}
