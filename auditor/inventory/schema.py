"""The declared schema: every inventory table and column, with its type, its API field and one sentence.

Code, documentation and empty tables come from this declaration alone.  A column that is not required is nullable,
and NULL always means "was not read"; an empty text, zero or false is what the API answered.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

ColumnType = Literal["text", "int", "bool"]

#: Version of the whole declaration; grows with every addition, snapshots carry it.
SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class Column:
    """One column of an inventory table.

    `field` is the path of the API field it is read from (empty where plaudit makes the value itself).
    `volatile` columns change without anybody changing anything (free addresses, health) and never count as drift.
    """

    name: str
    type: ColumnType
    field: str
    sentence: str
    required: bool = False
    volatile: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """One inventory table.

    `key` names the columns that identify a row within one account's view.
    `parent` names the column that holds the id of the object a list was asked for: a coverage row of this table has
    that id as its `target`.  Tables without a parent are listed for a whole region, and their target is empty.
    `by_id` tables are read for named ids: their coverage target is the key itself.
    `given` tables are never read from the cloud: their rows come from files a user gives (`scan --probe`), and without
    one they have no coverage at all.
    """

    name: str
    sentence: str
    key: tuple[str, ...]
    operations: tuple[str, ...]
    columns: tuple[Column, ...]
    parent: str | None = None
    by_id: bool = False
    given: bool = False

    @property
    def column_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def required(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns if column.required)

    def column(self, name: str) -> Column:
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"table {self.name} has no column {name}")


def _text(name: str, field: str, sentence: str, *, required: bool = False, volatile: bool = False) -> Column:
    return Column(name, "text", field, sentence, required, volatile)


def _int(name: str, field: str, sentence: str, *, required: bool = False, volatile: bool = False) -> Column:
    return Column(name, "int", field, sentence, required, volatile)


def _bool(name: str, field: str, sentence: str) -> Column:
    return Column(name, "bool", field, sentence)


_ACCOUNT = _text("account_id", "", "Account whose credentials read the row.", required=True)
_REGION = _text("region_id", "", "Region in which the row was read.", required=True)


def _table(
    name: str,
    sentence: str,
    key: str,
    operations: str,
    columns: Iterable[Column],
    *,
    parent: str | None = None,
    by_id: bool = False,
    given: bool = False,
) -> Table:
    columns = (_ACCOUNT, _REGION, *columns)
    return Table(name, sentence, tuple(key.split()), tuple(operations.split()), columns, parent, by_id, given)


_TABLES = (
    # ------------------------------------------------------------------------------------------------ accounts
    Table(
        "accounts",
        "Accounts that were audited, one row per account id.",
        ("account_id",),
        ("sts:GetCallerIdentity",),
        (
            _text("account_id", "AccountId", "Account id, sixteen digits.", required=True),
            _text("profile", "", "Profile of the command line file that gave the credentials."),
            _text("arn", "Arn", "Who the credentials belong to."),
            _text("identity_type", "IdentityType", "Account, RAMUser or AssumedRoleUser."),
        ),
    ),
    # --------------------------------------------------------------------------------------------- privatelink
    _table(
        "privatelink_regions",
        "Regions that offer PrivateLink, one row per region and type of service resource.",
        "offered_region_id resource_type",
        "privatelink:DescribeRegions",
        [
            _text("offered_region_id", "Regions.Region[].RegionId", "Region that is offered.", required=True),
            _text(
                "resource_type",
                "Regions.Region[].ServiceResourceTypes.ServiceResourceType[]",
                "Type of service resource offered there: slb, alb, nlb or gwlb.",
                required=True,
            ),
        ],
    ),
    _table(
        "privatelink_zones",
        "Zones of a region in which PrivateLink serves one type of service resource.",
        "resource_type zone_id",
        "privatelink:DescribeZones",
        [
            _text("resource_type", "request ServiceResourceType", "Type that was asked for.", required=True),
            _text("zone_id", "Zones.Zone[].ZoneId", "Zone id.", required=True),
        ],
        parent="resource_type",
    ),
    _table(
        "product_activations",
        "Whether PrivateLink is activated; read only where an account owns no endpoint and no endpoint service.",
        "account_id",
        "privatelink:CheckProductOpen",
        [_bool("activated", "Success", "True if activated, false where the answer was NeedOpenProduct.")],
    ),
    _table(
        "endpoint_services",
        "Endpoint services an account publishes.",
        "service_id",
        "privatelink:ListVpcEndpointServices",
        [
            _text("service_id", "Services[].ServiceId", "Endpoint service id, epsrv-….", required=True),
            _text("service_name", "Services[].ServiceName", "com.aliyuncs.privatelink.<region>.<service id>."),
            _text("service_description", "Services[].ServiceDescription", "Free text of the provider."),
            _text("service_domain", "Services[].ServiceDomain", "Domain name of the service."),
            _text("service_status", "Services[].ServiceStatus", "Creating, Pending, Active or Deleting."),
            _text("service_business_status", "Services[].ServiceBusinessStatus", "Normal or FinancialLocked."),
            _text("service_resource_type", "Services[].ServiceResourceType", "slb, alb, nlb or gwlb."),
            _text("service_type", "Services[].ServiceType", "Interface or GatewayLoadBalancer."),
            _bool("auto_accept_enabled", "Services[].AutoAcceptEnabled", "New connections need no review."),
            _bool("zone_affinity_enabled", "Services[].ZoneAffinityEnabled", "Provider side of zone affinity."),
            _text("payer", "Services[].Payer", "Endpoint (consumer) or EndpointService (provider)."),
            _int("connect_bandwidth", "Services[].ConnectBandwidth", "Default of new connections, Mbit/s."),
            _int("min_bandwidth", "Services[].MinBandwidth", "Smallest bandwidth of a connection, Mbit/s."),
            _int("max_bandwidth", "Services[].MaxBandwidth", "Largest bandwidth of a connection, Mbit/s."),
            _text("address_ip_version", "Services[].AddressIpVersion", "IPv4 or DualStack."),
            _text("created_at", "Services[].CreateTime", "Time of creation, RFC 3339."),
        ],
    ),
    _table(
        "service_supported_regions",
        "Regions whose endpoints may use an endpoint service (cross-region access).",
        "service_id supported_region_id",
        "privatelink:ListVpcEndpointServices",
        [
            _text("service_id", "Services[].ServiceId", "Endpoint service id.", required=True),
            _text(
                "supported_region_id", "Services[].SupportedRegionSet[].SupportedRegionId", "Region id.", required=True
            ),
            _text(
                "region_service_status",
                "Services[].SupportedRegionSet[].RegionServiceStatus",
                "Pending, Available, Deleting, Failed or Closed.",
            ),
            _text(
                "region_business_status",
                "Services[].SupportedRegionSet[].RegionBusinessStatus",
                "Normal or FinancialLocked.",
            ),
        ],
        parent="service_id",
    ),
    _table(
        "service_resources",
        "Load balancers attached to an endpoint service, one row per zone.",
        "service_id resource_id zone_id",
        "privatelink:ListVpcEndpointServiceResources",
        [
            _text("service_id", "request ServiceId", "Endpoint service id.", required=True),
            _text("resource_id", "Resources[].ResourceId", "Load balancer id.", required=True),
            _text("resource_type", "Resources[].ResourceType", "slb, alb, nlb or gwlb."),
            _text("zone_id", "Resources[].ZoneId", "Zone the load balancer is attached for."),
            _text("vswitch_id", "Resources[].VSwitchId", "vSwitch of the load balancer."),
            _text("vpc_id", "Resources[].VpcId", "VPC of the load balancer."),
            _text("ip", "Resources[].Ip", "Address of the load balancer."),
            _text("resource_region_id", "Resources[].RegionId", "Region of the load balancer."),
            _bool("auto_allocated_enabled", "Resources[].AutoAllocatedEnabled", "Connections are placed on it."),
            _int("related_endpoint_count", "Resources[].RelatedEndpointCount", "Endpoints it serves.", volatile=True),
        ],
        parent="service_id",
    ),
    _table(
        "service_users",
        "Entries of the service whitelist: account ids and RAM ARNs.",
        "service_id entry",
        "privatelink:ListVpcEndpointServiceUsers",
        [
            _text("service_id", "request ServiceId", "Endpoint service id.", required=True),
            _text("entry", "Users[].UserId, UserARNs[].UserARN", "The entry as the API gives it.", required=True),
            _text("entry_type", "", "account or arn: the list that held the entry.", required=True),
        ],
        parent="service_id",
    ),
    _table(
        "connections",
        "Endpoint connections of the services of an account, as the provider sees them.",
        "service_id endpoint_id",
        "privatelink:ListVpcEndpointConnections",
        [
            _text("service_id", "Connections[].ServiceId", "Endpoint service id.", required=True),
            _text("endpoint_id", "Connections[].EndpointId", "Endpoint id.", required=True),
            _text(
                "connection_status",
                "Connections[].ConnectionStatus",
                "Pending, Connecting, Connected, Disconnecting, Disconnected, Deleting or ServiceDeleted.",
            ),
            _text("endpoint_owner_id", "Connections[].EndpointOwnerId", "Consumer account id."),
            _text("endpoint_vpc_id", "Connections[].EndpointVpcId", "VPC of the endpoint."),
            _text("endpoint_region_id", "Connections[].EndpointRegionId", "Region of the endpoint."),
            _text("service_region_id", "Connections[].ServiceRegionId", "Region of the service."),
            _int("bandwidth", "Connections[].Bandwidth", "Bandwidth limit of the connection, Mbit/s."),
            _text("traffic_control_mode", "Connections[].TrafficControlMode", "BandwidthLimit or Scalability."),
            _bool("same_account", "Connections[].ResourceOwner", "Endpoint and service have one owner."),
            _text("modified_at", "Connections[].ModifiedTime", "Last change, RFC 3339.", volatile=True),
        ],
        parent="service_id",
    ),
    _table(
        "connection_zones",
        "Zones of an endpoint connection, as the provider sees them.",
        "service_id endpoint_id zone_id",
        "privatelink:ListVpcEndpointConnections",
        [
            _text("service_id", "Connections[].ServiceId", "Endpoint service id.", required=True),
            _text("endpoint_id", "Connections[].EndpointId", "Endpoint id.", required=True),
            _text("zone_id", "Connections[].Zones[].ZoneId", "Zone id.", required=True),
            _text("zone_status", "Connections[].Zones[].ZoneStatus", "As endpoint zones, and Migrating, Migrated."),
            _text("resource_id", "Connections[].Zones[].ResourceId", "Load balancer that serves the zone."),
            _text("eni_id", "Connections[].Zones[].EniId", "Endpoint ENI."),
            _text("vswitch_id", "Connections[].Zones[].VSwitchId", "vSwitch of the endpoint ENI."),
            _text("zone_domain", "Connections[].Zones[].ZoneDomain", "Domain name of the zone."),
            _text("replaced_eni_id", "Connections[].Zones[].ReplacedEniId", "Old ENI during a migration."),
            _text("replaced_resource_id", "Connections[].Zones[].ReplacedResourceId", "Old load balancer."),
        ],
        parent="endpoint_id",
    ),
    _table(
        "endpoints",
        "Endpoints an account owns.",
        "endpoint_id",
        "privatelink:ListVpcEndpoints",
        [
            _text("endpoint_id", "Endpoints[].EndpointId", "Endpoint id, ep-….", required=True),
            _text("endpoint_name", "Endpoints[].EndpointName", "Name given by the consumer."),
            _text("endpoint_description", "Endpoints[].EndpointDescription", "Free text of the consumer."),
            _text("endpoint_status", "Endpoints[].EndpointStatus", "Creating, Active, Pending or Deleting."),
            _text(
                "connection_status",
                "Endpoints[].ConnectionStatus",
                "Pending, Connecting, Connected, Disconnecting, Disconnected, Deleting or ServiceDeleted.",
            ),
            _text("endpoint_business_status", "Endpoints[].EndpointBusinessStatus", "Normal or FinancialLocked."),
            _text("endpoint_type", "Endpoints[].EndpointType", "Interface, GatewayLoadBalancer or Reverse."),
            _text("vpc_id", "Endpoints[].VpcId", "VPC of the endpoint."),
            _text("service_id", "Endpoints[].ServiceId", "Endpoint service it is associated with."),
            _text("service_name", "Endpoints[].ServiceName", "Name of that service."),
            _text("service_region_id", "Endpoints[].ServiceRegionId", "Region of that service."),
            _text("endpoint_domain", "Endpoints[].EndpointDomain", "Domain name for all zones."),
            _bool("same_account", "Endpoints[].ResourceOwner", "Endpoint and service have one owner."),
            _bool("zone_affinity_enabled", "Endpoints[].ZoneAffinityEnabled", "Consumer side of zone affinity."),
            _text("address_ip_version", "Endpoints[].AddressIpVersion", "IPv4 or DualStack."),
            _int("bandwidth", "Endpoints[].Bandwidth", "Bandwidth limit, Mbit/s."),
            _int("cross_region_bandwidth", "Endpoints[].CrossRegionBandwidth", "Cross-region limit, Mbit/s."),
            _text("policy_document", "Endpoints[].PolicyDocument", "Endpoint policy, JSON text."),
            _bool("protected_enabled", "Endpoints[].ProtectedEnabled", "Managed by another product."),
            _text("created_at", "Endpoints[].CreateTime", "Time of creation, RFC 3339."),
        ],
    ),
    _table(
        "endpoint_attributes",
        "What only the attribute call of an endpoint tells.",
        "endpoint_id",
        "privatelink:GetVpcEndpointAttribute",
        [
            _text("endpoint_id", "EndpointId", "Endpoint id.", required=True),
            _text("payer", "Payer", "Endpoint (consumer) or EndpointService (provider)."),
        ],
        by_id=True,
    ),
    _table(
        "endpoint_zones",
        "Zones of an endpoint with their ENIs, as the consumer sees them.",
        "endpoint_id zone_id",
        "privatelink:ListVpcEndpointZones",
        [
            _text("endpoint_id", "request EndpointId", "Endpoint id.", required=True),
            _text("zone_id", "Zones[].ZoneId", "Zone id.", required=True),
            _text(
                "zone_status",
                "Zones[].ZoneStatus",
                "Creating, Wait, Connecting, Connected, Disconnecting, Disconnected or Deleting.",
            ),
            _text("eni_id", "Zones[].EniId", "Endpoint ENI."),
            _text("eni_ip", "Zones[].EniIp", "Private address of the endpoint ENI."),
            _text("vswitch_id", "Zones[].VSwitchId", "vSwitch of the endpoint ENI."),
            _text("zone_domain", "Zones[].ZoneDomain", "Domain name of the zone."),
            _text("zone_ipv6_address", "Zones[].ZoneIpv6Address", "IPv6 address, empty if none."),
        ],
        parent="endpoint_id",
    ),
    _table(
        "endpoint_security_groups",
        "Security groups of an endpoint.",
        "endpoint_id security_group_id",
        "privatelink:ListVpcEndpointSecurityGroups",
        [
            _text("endpoint_id", "request EndpointId", "Endpoint id.", required=True),
            _text("security_group_id", "SecurityGroups[].SecurityGroupId", "Security group id.", required=True),
            _text("security_group_status", "SecurityGroups[].SecurityGroupStatus", "Attaching, Attached, Detaching."),
        ],
        parent="endpoint_id",
    ),
    _table(
        "visible_services",
        "Endpoint services a consumer account may connect to, asked for by service id.",
        "service_id",
        "privatelink:ListVpcEndpointServicesByEndUser",
        [
            _text("service_id", "Services[].ServiceId", "Endpoint service id.", required=True),
            _text("service_name", "Services[].ServiceName", "Name of the service."),
            _text("service_resource_type", "Services[].ServiceResourceType", "slb, alb, nlb or gwlb."),
            _bool("policy_supported", "Services[].VpcEndpointPolicySupported", "Endpoint policies have an effect."),
        ],
        by_id=True,
    ),
    _table(
        "visible_service_zones",
        "Zones of an endpoint service as a consumer account sees them.",
        "service_id zone_id",
        "privatelink:ListVpcEndpointServicesByEndUser",
        [
            _text("service_id", "Services[].ServiceId", "Endpoint service id.", required=True),
            _text("zone_id", "Services[].Zones[]", "Zone id.", required=True),
        ],
        parent="service_id",
    ),
    # ----------------------------------------------------------------------------------------- load balancers
    _table(
        "load_balancers",
        "Load balancers attached to endpoint services (CLB; NLB, ALB and GWLB where used).",
        "load_balancer_id",
        "slb:DescribeLoadBalancers nlb:GetLoadBalancerAttribute alb:GetLoadBalancerAttribute gwlb:ListLoadBalancers",
        [
            _text("load_balancer_id", "LoadBalancerId", "Load balancer id, lb-…, nlb-…, alb-….", required=True),
            _text("load_balancer_type", "", "slb, nlb, alb or gwlb: the product that was asked.", required=True),
            _text("load_balancer_name", "LoadBalancerName", "Name given by the provider."),
            _text("load_balancer_status", "LoadBalancerStatus", "CLB: active, inactive, locked; others: Active, …."),
            _text("address", "Address", "Service address."),
            _text("address_type", "AddressType", "intranet or internet (CLB), Intranet or Internet (others)."),
            _text("address_ip_version", "AddressIPVersion", "ipv4 or ipv6 (CLB), IPv4 or DualStack (others)."),
            _text("pay_type", "PayType", "PayOnDemand or PrePay (CLB), PostPay (others)."),
            _text("instance_charge_type", "InstanceChargeType", "PayBySpec or PayByCLCU; both are pay-as-you-go."),
            _text("network_type", "NetworkType", "vpc or classic."),
            _text("primary_zone_id", "MasterZoneId", "Zone that receives the traffic of a CLB."),
            _text("secondary_zone_id", "SlaveZoneId", "Zone that takes over, empty for a single-zone CLB."),
            _text("vpc_id", "VpcId", "VPC, empty in the classic network."),
            _text("vswitch_id", "VSwitchId", "vSwitch."),
            _text("load_balancer_spec", "LoadBalancerSpec", "Specification."),
            _text("delete_protection", "DeleteProtection", "on or off."),
            _text(
                "modification_protection_status", "ModificationProtectionStatus", "NonProtection, ConsoleProtection."
            ),
            _bool("support_private_link", "SupportPrivateLink", "Capability flag of older API versions."),
        ],
        by_id=True,
    ),
    _table(
        "load_balancer_zones",
        "Zones of an NLB, ALB or GWLB.",
        "load_balancer_id zone_id",
        "nlb:GetLoadBalancerAttribute alb:GetLoadBalancerAttribute gwlb:ListLoadBalancers",
        [
            _text("load_balancer_id", "LoadBalancerId", "Load balancer id.", required=True),
            _text("zone_id", "ZoneMappings[].ZoneId", "Zone id.", required=True),
            _text("vswitch_id", "ZoneMappings[].VSwitchId", "vSwitch in the zone."),
            _text("eni_id", "ZoneMappings[].LoadBalancerAddresses[].EniId", "ENI of the load balancer in the zone."),
            _text("address", "ZoneMappings[].LoadBalancerAddresses[].PrivateIPv4Address", "Address in the zone."),
        ],
        parent="load_balancer_id",
    ),
    _table(
        "listeners",
        "Listeners of the load balancers, protocol in lower case.  Those of a GWLB take every protocol and port and "
        "have none of their own: they are no rows, and nobody asks for them.",
        "load_balancer_id protocol port",
        "slb:DescribeLoadBalancerListeners nlb:ListListeners alb:ListListeners",
        [
            _text("load_balancer_id", "Listeners[].LoadBalancerId", "Load balancer id.", required=True),
            _text("protocol", "Listeners[].ListenerProtocol", "tcp, udp, http, https, tcpssl, quic.", required=True),
            _int("port", "Listeners[].ListenerPort", "Port on which the load balancer receives.", required=True),
            _text("listener_id", "Listeners[].ListenerId", "Listener id of NLB and ALB; CLB listeners have none."),
            _text("description", "Listeners[].Description", "Free text of the provider."),
            _text("status", "Listeners[].Status", "running or stopped (CLB), Running, Stopped, … (others)."),
            _int("backend_server_port", "Listeners[].BackendServerPort", "Port of the default server group."),
            _text("vserver_group_id", "Listeners[].VServerGroupId", "VServer group, empty if none."),
            _text(
                "primary_secondary_group_id",
                "Listeners[].{TCP,UDP}ListenerConfig.MasterSlaveServerGroupId",
                "Primary/secondary server group, empty if none.",
            ),
            _text("server_group_id", "Listeners[].ServerGroupId", "Server group of an NLB or ALB listener."),
            _text("acl_status", "Listeners[].AclStatus", "on or off."),
            _text("acl_type", "Listeners[].AclType", "white or black."),
            _text("health_check", "Listeners[].*ListenerConfig.HealthCheck", "on or off."),
            _int("health_check_port", "Listeners[].*ListenerConfig.HealthCheckConnectPort", "Port, if its own."),
            _text("listener_forward", "Listeners[].HTTPListenerConfig.ListenerForward", "on: redirects to HTTPS."),
            _int("forward_port", "Listeners[].HTTPListenerConfig.ForwardPort", "Port of the redirect."),
        ],
        parent="load_balancer_id",
    ),
    _table(
        "listener_acls",
        "Access control lists bound to CLB listeners.",
        "load_balancer_id protocol port acl_id",
        "slb:DescribeLoadBalancerListeners",
        [
            _text("load_balancer_id", "Listeners[].LoadBalancerId", "Load balancer id.", required=True),
            _text("protocol", "Listeners[].ListenerProtocol", "Protocol of the listener.", required=True),
            _int("port", "Listeners[].ListenerPort", "Port of the listener.", required=True),
            _text("acl_id", "Listeners[].AclIds[]", "Access control list id.", required=True),
        ],
        parent="load_balancer_id",
    ),
    _table(
        "forwarding_rules",
        "Forwarding rules of HTTP and HTTPS listeners of a CLB; the coverage target is <lb>:<protocol>:<port>.",
        "load_balancer_id protocol port rule_id",
        "slb:DescribeRules",
        [
            _text("listener_key", "", "<load balancer>:<protocol>:<port>.", required=True),
            _text("load_balancer_id", "request LoadBalancerId", "Load balancer id.", required=True),
            _text("protocol", "request ListenerProtocol", "Protocol of the listener.", required=True),
            _int("port", "request ListenerPort", "Port of the listener.", required=True),
            _text("rule_id", "Rules.Rule[].RuleId", "Forwarding rule id.", required=True),
            _text("domain", "Rules.Rule[].Domain", "Host it matches."),
            _text("url", "Rules.Rule[].Url", "Path it matches."),
            _text("vserver_group_id", "Rules.Rule[].VServerGroupId", "VServer group that receives the requests."),
        ],
        parent="listener_key",
    ),
    _table(
        "server_groups",
        "Server groups behind listeners; the default group of a CLB has the id <load balancer>:default.",
        "server_group_id",
        "slb:DescribeLoadBalancerAttribute slb:DescribeVServerGroupAttribute "
        "slb:DescribeMasterSlaveServerGroupAttribute nlb:ListServerGroups alb:ListServerGroups",
        [
            _text("server_group_id", "VServerGroupId, MasterSlaveServerGroupId", "Server group id.", required=True),
            _text("load_balancer_id", "LoadBalancerId", "Load balancer it belongs to; NULL for NLB and ALB groups."),
            _text("group_type", "", "default, vserver, primary_secondary, nlb or alb.", required=True),
            _text("server_group_name", "VServerGroupName", "Name given by the provider."),
            _text("health_check", "HealthCheck.HealthCheckEnabled", "on or off; NLB and ALB groups only."),
            _text("vpc_id", "VpcId", "VPC of an NLB or ALB group."),
        ],
        by_id=True,
    ),
    _table(
        "backends",
        "Backend servers of the server groups.",
        "server_group_id server_id port role",
        "slb:DescribeLoadBalancerAttribute slb:DescribeVServerGroupAttribute "
        "slb:DescribeMasterSlaveServerGroupAttribute nlb:ListServerGroupServers alb:ListServerGroupServers",
        [
            _text(
                "server_group_id", "", "Server group id; <load balancer>:default for the default group.", required=True
            ),
            _text("server_id", "BackendServers.BackendServer[].ServerId", "Instance, ENI or container.", required=True),
            _text("server_type", "BackendServers.BackendServer[].Type", "ecs, eni, eci or ip, in lower case."),
            _text("server_ip", "BackendServers.BackendServer[].ServerIp", "Address, where the API gives one."),
            _int("port", "BackendServers.BackendServer[].Port", "Backend port; NULL in the default group."),
            _int("weight", "BackendServers.BackendServer[].Weight", "0 to 100; 0 receives nothing."),
            _text("role", "MasterSlaveBackendServers…ServerType", "Master or Slave; empty outside such groups."),
            _text("zone_id", "Servers[].ZoneId", "Zone of the server; NLB groups only."),
        ],
        parent="server_group_id",
    ),
    _table(
        "health_status",
        "Health of every backend server behind every listener.",
        "load_balancer_id protocol listener_port server_id port",
        "slb:DescribeHealthStatus nlb:GetListenerHealthStatus alb:GetListenerHealthStatus",
        [
            _text("load_balancer_id", "request LoadBalancerId", "Load balancer id.", required=True),
            _text("protocol", "BackendServers.BackendServer[].Protocol", "Protocol of the listener.", required=True),
            _int("listener_port", "BackendServers.BackendServer[].ListenerPort", "Listener port.", required=True),
            _text("server_id", "BackendServers.BackendServer[].ServerId", "Backend server id.", required=True),
            _text("server_ip", "BackendServers.BackendServer[].ServerIp", "Address of the backend server."),
            _int("port", "BackendServers.BackendServer[].Port", "Backend port."),
            _text(
                "health_status",
                "BackendServers.BackendServer[].ServerHealthStatus",
                "normal, abnormal or unavailable.",
                volatile=True,
            ),
        ],
        parent="load_balancer_id",
    ),
    _table(
        "acl_entries",
        "Entries of the access control lists bound to CLB listeners.",
        "acl_id entry",
        "slb:DescribeAccessControlListAttribute",
        [
            _text("acl_id", "AclId", "Access control list id.", required=True),
            _text("entry", "AclEntrys.AclEntry[].AclEntryIP", "Address block.", required=True),
            _text("comment", "AclEntrys.AclEntry[].AclEntryComment", "Free text of the provider."),
        ],
        parent="acl_id",
    ),
    # --------------------------------------------------------------------------------------------------- vpc
    _table(
        "vpcs",
        "VPCs of an account.",
        "vpc_id",
        "vpc:DescribeVpcs",
        [
            _text("vpc_id", "Vpcs.Vpc[].VpcId", "VPC id.", required=True),
            _text("vpc_name", "Vpcs.Vpc[].VpcName", "Name."),
            _text("cidr_block", "Vpcs.Vpc[].CidrBlock", "Primary IPv4 block."),
            _text("ipv6_cidr_block", "Vpcs.Vpc[].Ipv6CidrBlock", "IPv6 block, empty if none."),
            _text("status", "Vpcs.Vpc[].Status", "Pending or Available."),
            _text("owner_id", "Vpcs.Vpc[].OwnerId", "Account that owns the VPC."),
        ],
    ),
    _table(
        "vpc_cidrs",
        "All IPv4 blocks of a VPC, primary and secondary.",
        "vpc_id cidr",
        "vpc:DescribeVpcs",
        [
            _text("vpc_id", "Vpcs.Vpc[].VpcId", "VPC id.", required=True),
            _text(
                "cidr",
                "Vpcs.Vpc[].CidrBlock, SecondaryCidrBlocks.SecondaryCidrBlock[]",
                "Address block.",
                required=True,
            ),
        ],
        parent="vpc_id",
    ),
    _table(
        "vswitches",
        "vSwitches of an account.",
        "vswitch_id",
        "vpc:DescribeVSwitches",
        [
            _text("vswitch_id", "VSwitches.VSwitch[].VSwitchId", "vSwitch id.", required=True),
            _text("vswitch_name", "VSwitches.VSwitch[].VSwitchName", "Name."),
            _text("vpc_id", "VSwitches.VSwitch[].VpcId", "VPC."),
            _text("zone_id", "VSwitches.VSwitch[].ZoneId", "Zone."),
            _text("cidr_block", "VSwitches.VSwitch[].CidrBlock", "IPv4 block."),
            _text("ipv6_cidr_block", "VSwitches.VSwitch[].Ipv6CidrBlock", "IPv6 block, empty if none."),
            _text("network_acl_id", "VSwitches.VSwitch[].NetworkAclId", "Network ACL, empty if none."),
            _int(
                "available_ip_address_count",
                "VSwitches.VSwitch[].AvailableIpAddressCount",
                "Free addresses.",
                volatile=True,
            ),
            _text("status", "VSwitches.VSwitch[].Status", "Pending or Available."),
            _text("share_type", "VSwitches.VSwitch[].ShareType", "Empty, Sharing or Shared."),
            _text("owner_id", "VSwitches.VSwitch[].OwnerId", "Account that owns the vSwitch."),
        ],
    ),
    _table(
        "network_acls",
        "Network ACLs of an account.",
        "network_acl_id",
        "vpc:DescribeNetworkAcls",
        [
            _text("network_acl_id", "NetworkAcls.NetworkAcl[].NetworkAclId", "Network ACL id.", required=True),
            _text("network_acl_name", "NetworkAcls.NetworkAcl[].NetworkAclName", "Name."),
            _text("vpc_id", "NetworkAcls.NetworkAcl[].VpcId", "VPC."),
            _text("status", "NetworkAcls.NetworkAcl[].Status", "Available or Modifying."),
        ],
    ),
    _table(
        "network_acl_entries",
        "Entries of the network ACLs, in the order in which they are evaluated.",
        "network_acl_id direction position",
        "vpc:DescribeNetworkAcls",
        [
            _text("network_acl_id", "NetworkAcls.NetworkAcl[].NetworkAclId", "Network ACL id.", required=True),
            _text("direction", "", "ingress or egress: the list that held the entry.", required=True),
            _int("position", "", "Place in the list, from 1; the first match decides.", required=True),
            _text("entry_id", "…AclEntry[].NetworkAclEntryId", "Entry id."),
            _text("policy", "…AclEntry[].Policy", "accept or drop."),
            _text("protocol", "…AclEntry[].Protocol", "icmp, icmpv6, gre, tcp, udp or all."),
            _text("port", "…AclEntry[].Port", "from/to, or -1/-1."),
            _text("cidr", "…SourceCidrIp, …DestinationCidrIp", "Address block of the other side, or prefix list id."),
            _text("ip_version", "…AclEntry[].IpVersion", "IPV4 or IPV6."),
            _text("entry_type", "…AclEntry[].EntryType", "custom, system or service."),
        ],
        parent="network_acl_id",
    ),
    _table(
        "eip_addresses",
        "Elastic IP addresses of an account that are bound to a load balancer.",
        "allocation_id",
        "vpc:DescribeEipAddresses",
        [
            _text("allocation_id", "EipAddresses.EipAddress[].AllocationId", "EIP id.", required=True),
            _text("ip_address", "EipAddresses.EipAddress[].IpAddress", "Public address."),
            _text("instance_type", "EipAddresses.EipAddress[].InstanceType", "SlbInstance, EcsInstance, …."),
            _text("instance_id", "EipAddresses.EipAddress[].InstanceId", "Object it is bound to."),
        ],
    ),
    _table(
        "flow_logs",
        "Flow logs of an account.",
        "flow_log_id",
        "vpc:DescribeFlowLogs",
        [
            _text("flow_log_id", "FlowLogs.FlowLog[].FlowLogId", "Flow log id.", required=True),
            _text("resource_type", "FlowLogs.FlowLog[].ResourceType", "VPC, VSwitch or NetworkInterface."),
            _text("resource_id", "FlowLogs.FlowLog[].ResourceId", "Object it records."),
            _text("status", "FlowLogs.FlowLog[].Status", "Active, Activating or Inactive."),
        ],
    ),
    # --------------------------------------------------------------------------------------------------- ecs
    _table(
        "network_interfaces",
        "ENIs in the VPCs of endpoints, and of backends that are ENIs; the coverage target is a VPC id or an ENI id.",
        "eni_id",
        "ecs:DescribeNetworkInterfaces",
        [
            _text("eni_id", "NetworkInterfaceSets…NetworkInterfaceId", "ENI id.", required=True),
            _text("eni_name", "NetworkInterfaceSets…NetworkInterfaceName", "Name."),
            _text("private_ip", "NetworkInterfaceSets…PrivateIpAddress", "Primary private address."),
            _text("vpc_id", "NetworkInterfaceSets…VpcId", "VPC."),
            _text("vswitch_id", "NetworkInterfaceSets…VSwitchId", "vSwitch."),
            _text("zone_id", "NetworkInterfaceSets…ZoneId", "Zone."),
            _text("status", "NetworkInterfaceSets…Status", "Available, InUse, …."),
            _text("eni_type", "NetworkInterfaceSets…Type", "Primary or Secondary."),
            _text("instance_id", "NetworkInterfaceSets…InstanceId", "Instance it is attached to, empty if none."),
            _bool("service_managed", "NetworkInterfaceSets…ServiceManaged", "Run by another product."),
        ],
        parent="vpc_id",
    ),
    _table(
        "eni_addresses",
        "Private addresses of the ENIs, primary and secondary, IPv4 and IPv6.",
        "eni_id address",
        "ecs:DescribeNetworkInterfaces",
        [
            _text("eni_id", "NetworkInterfaceSets…NetworkInterfaceId", "ENI id.", required=True),
            _text("vpc_id", "NetworkInterfaceSets…VpcId", "VPC."),
            _text("address", "PrivateIpSets…, Ipv6Sets…, Ipv4PrefixSets…", "Address or prefix.", required=True),
        ],
        parent="vpc_id",
    ),
    _table(
        "eni_security_groups",
        "Security groups of the ENIs.",
        "eni_id security_group_id",
        "ecs:DescribeNetworkInterfaces",
        [
            _text("eni_id", "NetworkInterfaceSets…NetworkInterfaceId", "ENI id.", required=True),
            _text("vpc_id", "NetworkInterfaceSets…VpcId", "VPC."),
            _text("security_group_id", "…SecurityGroupIds.SecurityGroupId[]", "Security group id.", required=True),
        ],
        parent="vpc_id",
    ),
    _table(
        "instances",
        "ECS instances that are backend servers, or declared clients.",
        "instance_id",
        "ecs:DescribeInstances",
        [
            _text("instance_id", "Instances.Instance[].InstanceId", "Instance id.", required=True),
            _text("instance_name", "Instances.Instance[].InstanceName", "Name."),
            _text("status", "Instances.Instance[].Status", "Pending, Starting, Running, Stopping or Stopped."),
            _text("vpc_id", "Instances.Instance[].VpcAttributes.VpcId", "VPC."),
            _text("vswitch_id", "Instances.Instance[].VpcAttributes.VSwitchId", "vSwitch."),
            _text("zone_id", "Instances.Instance[].ZoneId", "Zone."),
            _text("instance_region_id", "Instances.Instance[].RegionId", "Region."),
            _text("private_ip", "Instances.Instance[].VpcAttributes.PrivateIpAddress…", "First private address."),
        ],
        by_id=True,
    ),
    _table(
        "instance_security_groups",
        "Security groups of the instances.",
        "instance_id security_group_id",
        "ecs:DescribeInstances",
        [
            _text("instance_id", "Instances.Instance[].InstanceId", "Instance id.", required=True),
            _text("security_group_id", "…SecurityGroupIds.SecurityGroupId[]", "Security group id.", required=True),
        ],
        parent="instance_id",
    ),
    _table(
        "security_groups",
        "Security groups of endpoints, clients and backends, and those their rules name.",
        "security_group_id",
        "ecs:DescribeSecurityGroups",
        [
            _text("security_group_id", "SecurityGroups…SecurityGroupId", "Security group id.", required=True),
            _text("security_group_name", "SecurityGroups…SecurityGroupName", "Name."),
            _text(
                "security_group_type", "SecurityGroups…SecurityGroupType", "normal (basic) or enterprise (advanced)."
            ),
            _text("vpc_id", "SecurityGroups…VpcId", "VPC."),
            _bool("service_managed", "SecurityGroups…ServiceManaged", "Run by another product."),
            _int(
                "rule_count",
                "SecurityGroups…RuleCount",
                "Number of rules, to compare with what was read.",
                volatile=True,
            ),
        ],
        by_id=True,
    ),
    _table(
        "security_group_policies",
        "What only the attribute call of a security group tells.",
        "security_group_id",
        "ecs:DescribeSecurityGroupAttribute",
        [
            _text("security_group_id", "request SecurityGroupId", "Security group id.", required=True),
            _text("inner_access_policy", "InnerAccessPolicy", "Accept or Drop between members of the group."),
        ],
        by_id=True,
    ),
    _table(
        "security_group_rules",
        "Rules of the security groups, both directions.",
        "security_group_id rule_id",
        "ecs:DescribeSecurityGroupAttribute",
        [
            _text("security_group_id", "request SecurityGroupId", "Security group id.", required=True),
            _text("rule_id", "Permissions…SecurityGroupRuleId", "Rule id."),
            _text("direction", "Permissions…Direction", "ingress or egress.", required=True),
            _text("policy", "Permissions…Policy", "Accept or Drop.", required=True),
            _int("priority", "Permissions…Priority", "1 wins over 100; any integer is accepted.", required=True),
            _text("protocol", "Permissions…IpProtocol", "TCP, UDP, ICMP, ICMPv6, GRE, ALL or a number; upper case."),
            _text("port_range", "Permissions…PortRange", "from/to or -1/-1; empty where a port list is used."),
            _text("port_list_id", "Permissions…PortRangeListId", "Port list, empty if none."),
            _text("source_cidr", "Permissions…SourceCidrIp", "IPv4 source, empty if none."),
            _text("ipv6_source_cidr", "Permissions…Ipv6SourceCidrIp", "IPv6 source, empty if none."),
            _text("source_group_id", "Permissions…SourceGroupId", "Source security group, empty if none."),
            _text("source_group_owner", "Permissions…SourceGroupOwnerAccount", "Account of the source group."),
            _text("source_prefix_list_id", "Permissions…SourcePrefixListId", "Source prefix list, empty if none."),
            _text("source_port_range", "Permissions…SourcePortRange", "Client ports of a five-tuple rule."),
            _text("dest_cidr", "Permissions…DestCidrIp", "IPv4 destination, empty if none."),
            _text("ipv6_dest_cidr", "Permissions…Ipv6DestCidrIp", "IPv6 destination, empty if none."),
            _text("dest_group_id", "Permissions…DestGroupId", "Destination security group, empty if none."),
            _text("dest_prefix_list_id", "Permissions…DestPrefixListId", "Destination prefix list, empty if none."),
            _text("description", "Permissions…Description", "Free text."),
        ],
        parent="security_group_id",
    ),
    _table(
        "prefix_lists",
        "Prefix lists that security group rules name.",
        "prefix_list_id",
        "ecs:DescribePrefixListAttributes",
        [
            _text("prefix_list_id", "PrefixListId", "Prefix list id.", required=True),
            _text("address_family", "AddressFamily", "IPv4 or IPv6."),
            _int("max_entries", "MaxEntries", "Size that counts towards the limit of rules per ENI."),
        ],
        by_id=True,
    ),
    _table(
        "prefix_list_entries",
        "Entries of the prefix lists.",
        "prefix_list_id cidr",
        "ecs:DescribePrefixListAttributes",
        [
            _text("prefix_list_id", "PrefixListId", "Prefix list id.", required=True),
            _text("cidr", "Entries.Entry[].Cidr", "Address block.", required=True),
        ],
        parent="prefix_list_id",
    ),
    _table(
        "port_list_entries",
        "Entries of the port lists that security group rules name.",
        "port_list_id port_range",
        "ecs:DescribePortRangeListEntries",
        [
            _text("port_list_id", "request PortRangeListId", "Port list id.", required=True),
            _text("port_range", "Entries[].PortRange", "from/to.", required=True),
        ],
        parent="port_list_id",
    ),
    # ------------------------------------------------------------------------------------------------- shared
    _table(
        "resource_tags",
        "Tags of endpoint services, endpoints and load balancers; the coverage target is the resource id.",
        "resource_id tag_key",
        "privatelink:ListVpcEndpointServices privatelink:ListVpcEndpoints slb:DescribeLoadBalancers",
        [
            _text("resource_id", "ServiceId, EndpointId, LoadBalancerId", "Resource id.", required=True),
            _text("tag_key", "Tags[].Key, Tags.Tag[].TagKey", "Key.", required=True),
            _text("tag_value", "Tags[].Value, Tags.Tag[].TagValue", "Value."),
        ],
        parent="resource_id",
    ),
    _table(
        "resource_attributes",
        "What else the answers say about an object, as text, to compare declarations with; "
        "the coverage target is that of the list that says it.",
        "resource_type resource_id name",
        "privatelink:ListVpcEndpointServices privatelink:ListVpcEndpoints privatelink:GetVpcEndpointAttribute "
        "slb:DescribeLoadBalancers slb:DescribeLoadBalancerListeners slb:DescribeVServerGroupAttribute "
        "slb:DescribeLoadBalancerAttribute slb:DescribeMasterSlaveServerGroupAttribute "
        "nlb:GetLoadBalancerAttribute nlb:ListListeners alb:GetLoadBalancerAttribute alb:ListListeners "
        "ecs:DescribeSecurityGroups vpc:DescribeVpcs vpc:DescribeVSwitches",
        [
            _text("resource_type", "", "Inventory table of the object.", required=True),
            _text("resource_id", "", "The object, every key part whole: lb-…:tcp:80 for a listener.", required=True),
            _text("name", "", "Attribute, as declarations call it.", required=True),
            _text("value", "", "Its value; lists and objects as sorted JSON.", required=True),
        ],
    ),
    _table(
        "metric_alarms",
        "CloudMonitor alarm rules of the PrivateLink namespace.",
        "alarm_id",
        "cms:DescribeMetricRuleList",
        [
            _text("alarm_id", "Alarms.Alarm[].RuleId", "Alarm rule id.", required=True),
            _text("namespace", "Alarms.Alarm[].Namespace", "Product of the metric."),
            _text("resources", "Alarms.Alarm[].Resources", "Objects it watches, JSON text."),
            _bool("enabled", "Alarms.Alarm[].EnableState", "The rule is on."),
        ],
    ),
    # -------------------------------------------------------------------------------------------------- probes
    _table(
        "probe_names",
        "What a probe was told about the domain names of endpoints: one row per address, or one without an address.",
        "endpoint_id domain vantage resolver record_type address",
        "probe:Resolve",
        [
            _text("endpoint_id", "names[].endpoint_id", "Endpoint id.", required=True),
            _text("zone_id", "names[].zone_id", "Zone whose domain it is, empty for that of the endpoint."),
            _text("domain", "names[].domain", "Domain name that was asked for.", required=True),
            _text("vantage", "vantage", "Host that asked: instance id, else its name.", required=True),
            _text("resolver", "names[].resolver", "Server that answered, or system: what the host itself makes of it."),
            _text("record_type", "names[].record_type", "A or AAAA.", required=True),
            _text("status", "names[].status", "ok, no_name, no_address, timeout, server_failure, refused or error."),
            _text("address", "names[].addresses[].address", "Address; empty without one.", required=True),
            _int("ttl", "names[].addresses[].ttl", "Time to live, seconds; NULL for what the system says."),
            _text("chain", "names[].chain", "Other names on the way (CNAME), comma-separated."),
            _text("at", "names[].at", "When, RFC 3339.", required=True),
        ],
        parent="endpoint_id",
        given=True,
    ),
    _table(
        "probe_connections",
        "How a probe got through to the addresses of endpoints: one row per address, port and host.",
        "endpoint_id address protocol port vantage",
        "probe:Connect",
        [
            _text("endpoint_id", "connections[].endpoint_id", "Endpoint id.", required=True),
            _text("zone_id", "connections[].zone_id", "Zone of the address; empty if nobody said.", required=True),
            _text("address", "connections[].address", "Address that was contacted.", required=True),
            _text("protocol", "connections[].protocol", "tcp or udp.", required=True),
            _int("port", "connections[].port", "Port that was contacted.", required=True),
            _text("vantage", "vantage", "Host that asked: instance id, else its name.", required=True),
            _text("source_address", "connections[].source_address", "Address the host sent from."),
            _int("tries", "connections[].tries", "How often it was tried."),
            _int("connected", "connections[].connected", "How many tries got through."),
            _text(
                "outcome",
                "connections[].outcome",
                "connected, refused, timeout, unreachable, reset, denied, no_answer, error or not_tried.",
            ),
            _int("connect_min_us", "connections[].times.min", "Fastest connect, microseconds."),
            _int("connect_p50_us", "connections[].times.p50", "Median connect, microseconds."),
            _int("connect_p95_us", "connections[].times.p95", "95th percentile, microseconds."),
            _int("connect_max_us", "connections[].times.max", "Slowest connect, microseconds."),
            _text("tls_outcome", "connections[].tls.outcome", "ok, or why there is no TLS session; NULL if not tried."),
            _text("tls_server_name", "connections[].tls.server_name", "Name that was asked for."),
            _text("tls_names", "connections[].tls.names", "Names of the certificate, comma-separated."),
            _text("tls_issuer", "connections[].tls.issuer", "Issuer of the certificate."),
            _text("tls_not_after", "connections[].tls.not_after", "End of its validity, RFC 3339."),
            _bool("tls_name_matches", "connections[].tls.name_matches", "The certificate is for the name asked for."),
            _bool("tls_in_time", "connections[].tls.in_time", "The certificate was valid at the time of the probe."),
            _bool("tls_trusted", "connections[].tls.trusted", "Its issuer is trusted by the store the probe used."),
            _text("http_outcome", "connections[].http.outcome", "ok, or why there is no answer; NULL if not tried."),
            _int("http_status", "connections[].http.status", "Status of the answer."),
            _bool("http_as_expected", "connections[].http.as_expected", "The status is one of those expected."),
            _text("at", "connections[].at", "When, RFC 3339.", required=True),
        ],
        parent="endpoint_id",
        given=True,
    ),
)

#: Every inventory table by name, in the order of the documentation.
TABLES: dict[str, Table] = {table.name: table for table in _TABLES}

#: The coverage table: one row per list that was asked for, complete or not.
COVERAGE_COLUMNS: tuple[Column, ...] = (
    _text("account_id", "", "Account that was asked; NULL where even the identity could not be read."),
    _text("profile", "", "Profile whose credentials asked."),
    _text("region_id", "", "Region that was asked; empty for calls without a region."),
    _text("operation", "", "product:Operation.", required=True),
    _text("table_name", "", "Inventory table the answer fills.", required=True),
    _text("target", "", "Object the list belongs to; empty for a list of the whole region.", required=True),
    Column("complete", "bool", "", "True only if every page was read and understood.", True),
    _text("error_code", "Code", "Why not: the API's code, or plaudit's own (see coverage.Gap)."),
    _text("message", "Message", "Why not, in words; never a secret."),
    _text("request_id", "RequestId", "Request id of the last answer."),
)
