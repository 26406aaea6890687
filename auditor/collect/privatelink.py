"""PrivateLink: endpoint services, endpoints, and everything that hangs on them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from auditor.collect.attributes import add_attributes
from auditor.collect.caller import Caller, Listing
from auditor.collect.fields import Item, Mistyped, Rows, flag, known, number, text

SERVICES = "privatelink:ListVpcEndpointServices"
ENDPOINTS = "privatelink:ListVpcEndpoints"
CONNECTIONS = "privatelink:ListVpcEndpointConnections"
REGIONS = "privatelink:DescribeRegions"

# ---------------------------------------------------------------------------------------------------------- fetch


def fetch_regions(caller: Caller, region: str) -> Listing:
    """Every region that offers PrivateLink, asked at the server of `region`."""
    return caller.list(REGIONS, region)


def fetch_zones_of_type(caller: Caller, region: str, resource_type: str) -> Listing:
    """Zones of the region in which PrivateLink serves one type of service resource."""
    return caller.list("privatelink:DescribeZones", region, {"ServiceResourceType": resource_type})


def fetch_services(caller: Caller, region: str) -> Listing:
    """Every endpoint service of the account in the region."""
    return caller.list(SERVICES, region)


def fetch_endpoints(caller: Caller, region: str) -> Listing:
    """Every endpoint of the account in the region."""
    return caller.list(ENDPOINTS, region)


def fetch_connections(caller: Caller, region: str) -> Listing:
    """Connections of all services of the region: without a service id one list answers for all of them."""
    return caller.list(CONNECTIONS, region)


def fetch_of_service(caller: Caller, region: str, operation: str, service_id: str) -> Listing:
    """A list that belongs to one endpoint service: its resources or its whitelist."""
    return caller.list(operation, region, {"ServiceId": service_id})


def fetch_of_endpoint(caller: Caller, region: str, operation: str, endpoint_id: str) -> Listing:
    """A list that belongs to one endpoint: its zones or its security groups."""
    return caller.list(operation, region, {"EndpointId": endpoint_id})


def fetch_visible_service(caller: Caller, region: str, service_id: str, service_region: str | None) -> Listing:
    """What the account can see of a service that it may connect to; nothing if it is not on the whitelist."""
    parameters = {"ServiceId": service_id}
    if service_region and service_region != region:
        parameters["ServiceRegionId"] = service_region
    return caller.list("privatelink:ListVpcEndpointServicesByEndUser", region, parameters)


# ----------------------------------------------------------------------------------------------------------- rows


def region_rows(items: Iterable[Item]) -> Rows:
    """`privatelink_regions`."""
    rows = Rows()
    for item in items:
        region = text(item, "RegionId")
        for kind in rows.texts("privatelink_regions", "", item, "ServiceResourceTypes", "ServiceResourceType"):
            rows.add("privatelink_regions", "", offered_region_id=region, resource_type=kind)
    return rows


def zone_of_type_rows(items: Iterable[Item], resource_type: str) -> Rows:
    """`privatelink_zones` of one type of service resource."""
    rows = Rows()
    for item in items:
        rows.add("privatelink_zones", resource_type, resource_type=resource_type, zone_id=text(item, "ZoneId"))
    return rows


def _tag_rows(rows: Rows, resource_id: str, item: Item) -> None:
    for tag in rows.objects("resource_tags", resource_id, item, "Tags"):
        rows.add(
            "resource_tags",
            resource_id,
            resource_id=resource_id,
            tag_key=text(tag, "Key"),
            tag_value=text(tag, "Value"),
        )


def service_rows(items: Iterable[Item]) -> Rows:
    """`endpoint_services`, `service_supported_regions` and `resource_tags`."""
    rows = Rows()
    for item in items:
        service = text(item, "ServiceId")
        rows.add(
            "endpoint_services",
            "",
            service_id=service,
            service_name=text(item, "ServiceName"),
            service_description=text(item, "ServiceDescription"),
            service_domain=text(item, "ServiceDomain"),
            service_status=text(item, "ServiceStatus"),
            service_business_status=text(item, "ServiceBusinessStatus"),
            service_resource_type=text(item, "ServiceResourceType"),
            service_type=text(item, "ServiceType"),
            auto_accept_enabled=flag(item, "AutoAcceptEnabled"),
            zone_affinity_enabled=flag(item, "ZoneAffinityEnabled"),
            payer=text(item, "Payer"),
            connect_bandwidth=number(item, "ConnectBandwidth"),
            min_bandwidth=number(item, "MinBandwidth"),
            max_bandwidth=number(item, "MaxBandwidth"),
            address_ip_version=text(item, "AddressIpVersion"),
            created_at=text(item, "CreateTime"),
        )
        if not known(service):
            continue
        for entry in rows.objects("service_supported_regions", known(service), item, "SupportedRegionSet"):
            rows.add(
                "service_supported_regions",
                known(service),
                service_id=service,
                supported_region_id=text(entry, "SupportedRegionId"),
                region_service_status=text(entry, "RegionServiceStatus"),
                region_business_status=text(entry, "RegionBusinessStatus"),
            )
        _tag_rows(rows, known(service), item)
        add_attributes(rows, "endpoint_services", "endpoint_services", service, item)
    return rows


def resource_rows(items: Iterable[Item], service_id: str) -> Rows:
    """`service_resources` of one endpoint service."""
    rows = Rows()
    for item in items:
        rows.add(
            "service_resources",
            service_id,
            service_id=service_id,
            resource_id=text(item, "ResourceId"),
            resource_type=text(item, "ResourceType"),
            zone_id=text(item, "ZoneId"),
            vswitch_id=text(item, "VSwitchId"),
            vpc_id=text(item, "VpcId"),
            ip=text(item, "Ip"),
            resource_region_id=text(item, "RegionId"),
            auto_allocated_enabled=flag(item, "AutoAllocatedEnabled"),
            related_endpoint_count=number(item, "RelatedEndpointCount"),
        )
    return rows


def user_rows(answers: Sequence[Item], service_id: str) -> Rows:
    """`service_users` of one endpoint service: both lists of every page."""
    rows = Rows()
    for answer in answers:
        for path, name, kind in (("Users", "UserId", "account"), ("UserARNs", "UserARN", "arn")):
            for entry in rows.objects("service_users", service_id, answer, path):
                rows.add("service_users", service_id, service_id=service_id, entry=text(entry, name), entry_type=kind)
    return rows


def connection_rows(items: Iterable[Item]) -> Rows:
    """`connections` and `connection_zones`."""
    rows = Rows()
    for item in items:
        service, endpoint = text(item, "ServiceId"), text(item, "EndpointId")
        rows.add(
            "connections",
            known(service) or None,
            service_id=service,
            endpoint_id=endpoint,
            connection_status=text(item, "ConnectionStatus"),
            endpoint_owner_id=text(item, "EndpointOwnerId"),
            endpoint_vpc_id=text(item, "EndpointVpcId"),
            endpoint_region_id=text(item, "EndpointRegionId"),
            service_region_id=text(item, "ServiceRegionId"),
            bandwidth=number(item, "Bandwidth"),
            traffic_control_mode=text(item, "TrafficControlMode"),
            same_account=flag(item, "ResourceOwner"),
            modified_at=text(item, "ModifiedTime"),
        )
        if not known(service) or not known(endpoint):
            continue
        for zone in rows.objects("connection_zones", known(endpoint), item, "Zones"):
            rows.add(
                "connection_zones",
                known(endpoint),
                service_id=service,
                endpoint_id=endpoint,
                zone_id=text(zone, "ZoneId"),
                zone_status=text(zone, "ZoneStatus"),
                resource_id=text(zone, "ResourceId"),
                eni_id=text(zone, "EniId"),
                vswitch_id=text(zone, "VSwitchId"),
                zone_domain=text(zone, "ZoneDomain"),
                replaced_eni_id=text(zone, "ReplacedEniId"),
                replaced_resource_id=text(zone, "ReplacedResourceId"),
            )
    return rows


def endpoint_rows(items: Iterable[Item]) -> Rows:
    """`endpoints` and `resource_tags`."""
    rows = Rows()
    for item in items:
        endpoint = text(item, "EndpointId")
        rows.add(
            "endpoints",
            "",
            endpoint_id=endpoint,
            endpoint_name=text(item, "EndpointName"),
            endpoint_description=text(item, "EndpointDescription"),
            endpoint_status=text(item, "EndpointStatus"),
            connection_status=text(item, "ConnectionStatus"),
            endpoint_business_status=text(item, "EndpointBusinessStatus"),
            endpoint_type=text(item, "EndpointType"),
            vpc_id=text(item, "VpcId"),
            service_id=text(item, "ServiceId"),
            service_name=text(item, "ServiceName"),
            service_region_id=text(item, "ServiceRegionId"),
            endpoint_domain=text(item, "EndpointDomain"),
            same_account=flag(item, "ResourceOwner"),
            zone_affinity_enabled=flag(item, "ZoneAffinityEnabled"),
            address_ip_version=text(item, "AddressIpVersion"),
            bandwidth=number(item, "Bandwidth"),
            cross_region_bandwidth=number(item, "CrossRegionBandwidth"),
            policy_document=text(item, "PolicyDocument"),
            protected_enabled=flag(item, "ProtectedEnabled"),
            created_at=text(item, "CreateTime"),
        )
        if known(endpoint):
            _tag_rows(rows, known(endpoint), item)
            add_attributes(rows, "endpoints", "endpoints", endpoint, item)
    return rows


def endpoint_attribute_rows(answer: Item, endpoint_id: str) -> Rows:
    """`endpoint_attributes` of one endpoint; an answer about another endpoint is a flaw."""
    rows = Rows()
    answered = text(answer, "EndpointId")
    if answered != endpoint_id:
        found = "no text" if isinstance(answered, Mistyped) else answered
        rows.flaw("endpoint_attributes", endpoint_id, "Plaudit.Malformed", f"the answer is about {found}")
        return rows
    rows.add("endpoint_attributes", endpoint_id, endpoint_id=answered, payer=text(answer, "Payer"))
    add_attributes(rows, "endpoints", "endpoints", answered, answer)
    return rows


def endpoint_zone_rows(items: Iterable[Item], endpoint_id: str) -> Rows:
    """`endpoint_zones` of one endpoint."""
    rows = Rows()
    for item in items:
        rows.add(
            "endpoint_zones",
            endpoint_id,
            endpoint_id=endpoint_id,
            zone_id=text(item, "ZoneId"),
            zone_status=text(item, "ZoneStatus"),
            eni_id=text(item, "EniId"),
            eni_ip=text(item, "EniIp"),
            vswitch_id=text(item, "VSwitchId"),
            zone_domain=text(item, "ZoneDomain"),
            zone_ipv6_address=text(item, "ZoneIpv6Address"),
        )
    return rows


def endpoint_group_rows(items: Iterable[Item], endpoint_id: str) -> Rows:
    """`endpoint_security_groups` of one endpoint."""
    rows = Rows()
    for item in items:
        rows.add(
            "endpoint_security_groups",
            endpoint_id,
            endpoint_id=endpoint_id,
            security_group_id=text(item, "SecurityGroupId"),
            security_group_status=text(item, "SecurityGroupStatus"),
        )
    return rows


def visible_service_rows(items: Iterable[Item], service_id: str) -> Rows:
    """`visible_services` and `visible_service_zones` of one service; rows of other services are left out."""
    rows = Rows()
    for item in items:
        service = text(item, "ServiceId")
        if known(service) and service != service_id:
            continue
        rows.add(
            "visible_services",
            known(service) or None,
            service_id=service,
            service_name=text(item, "ServiceName"),
            service_resource_type=text(item, "ServiceResourceType"),
            policy_supported=flag(item, "VpcEndpointPolicySupported"),
        )
        if known(service):
            for zone in rows.texts("visible_service_zones", service_id, item, "Zones"):
                rows.add("visible_service_zones", service_id, service_id=service_id, zone_id=zone)
    return rows
