"""Objects of the simulated cloud: plain mutable records, each owned by one account in one region."""

from __future__ import annotations

from dataclasses import dataclass, field

#: Time of creation that every object carries unless told otherwise.
CREATED = "2024-03-05T09:12:40Z"


@dataclass(slots=True)
class Credential:
    """One access key and the profile it is written under; several may belong to one account.

    An empty `security_token` means a long-lived key (mode AK), otherwise the profile has mode StsToken.
    """

    profile: str
    account_id: str
    access_key_id: str
    access_key_secret: str
    security_token: str = ""


@dataclass(slots=True)
class Account:
    """An account: `privatelink_open` false makes CheckProductOpen answer NeedOpenProduct."""

    account_id: str
    identity_type: str = "RAMUser"
    privatelink_open: bool = True


@dataclass(slots=True)
class Region:
    """A region with its zones (id to local name) and the service resource types PrivateLink offers there."""

    region_id: str
    local_name: str
    zones: dict[str, str]
    resource_types: tuple[str, ...] = ("slb", "alb", "nlb", "gwlb")


@dataclass(slots=True)
class Vpc:
    """A VPC."""

    vpc_id: str
    account_id: str
    region_id: str
    cidr_block: str
    name: str = ""
    description: str = ""
    secondary_cidrs: list[str] = field(default_factory=list)
    ipv6_cidr_block: str = ""
    status: str = "Available"
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class VSwitch:
    """A vSwitch; `taken` holds the addresses in use, `shared_with` lists accounts that see it as Shared."""

    vswitch_id: str
    account_id: str
    region_id: str
    vpc_id: str
    zone_id: str
    cidr_block: str
    name: str = ""
    description: str = ""
    ipv6_cidr_block: str = ""
    network_acl_id: str = ""
    status: str = "Available"
    shared_with: list[str] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)
    cursor: int = 9
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class NetworkAclEntry:
    """One stateless entry; `cidr` is the source of an ingress entry and the destination of an egress entry."""

    policy: str = "accept"
    protocol: str = "all"
    port: str = "-1/-1"
    cidr: str = "0.0.0.0/0"
    description: str = ""
    entry_type: str = "custom"


@dataclass(slots=True)
class NetworkAcl:
    """A network ACL; the vSwitches that name it are its resources."""

    network_acl_id: str
    account_id: str
    region_id: str
    vpc_id: str
    name: str = ""
    status: str = "Available"
    ingress: list[NetworkAclEntry] = field(default_factory=list)
    egress: list[NetworkAclEntry] = field(default_factory=list)


@dataclass(slots=True)
class Rule:
    """One security group rule; `peer` fields are the source of an ingress rule, the destination of an egress rule."""

    direction: str = "ingress"
    policy: str = "Accept"
    priority: int = 1
    protocol: str = "TCP"
    ports: str = "-1/-1"
    port_list_id: str = ""
    cidr: str = ""
    ipv6_cidr: str = ""
    group_id: str = ""
    group_owner: str = ""
    prefix_list_id: str = ""
    source_ports: str = ""
    dest_cidr: str = ""
    description: str = ""
    rule_id: str = ""


@dataclass(slots=True)
class SecurityGroup:
    """A security group with its rules of both directions."""

    security_group_id: str
    account_id: str
    region_id: str
    vpc_id: str
    name: str = ""
    description: str = ""
    group_type: str = "normal"
    inner_access_policy: str = "Accept"
    service_managed: bool = False
    rules: list[Rule] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class PrefixList:
    """A prefix list; the products ecs and vpc both show it."""

    prefix_list_id: str
    account_id: str
    region_id: str
    entries: list[str]
    name: str = ""
    address_family: str = "IPv4"
    max_entries: int = 10


@dataclass(slots=True)
class PortList:
    """A port list; entries are "from/to"."""

    port_list_id: str
    account_id: str
    region_id: str
    entries: list[str]
    name: str = ""
    max_entries: int = 5


@dataclass(slots=True)
class NetworkInterface:
    """An ENI; `endpoint_id` is set for the service-managed ENI of an endpoint zone, whose groups are the endpoint's."""

    eni_id: str
    account_id: str
    region_id: str
    vpc_id: str
    vswitch_id: str
    zone_id: str
    private_ip: str
    name: str = ""
    description: str = ""
    secondary_ips: list[str] = field(default_factory=list)
    ipv6_addresses: list[str] = field(default_factory=list)
    security_groups: list[str] = field(default_factory=list)
    status: str = "InUse"
    eni_type: str = "Secondary"
    instance_id: str = ""
    endpoint_id: str = ""
    service_managed: bool = False


@dataclass(slots=True)
class Instance:
    """An ECS instance; its primary ENI shares the list of security groups."""

    instance_id: str
    account_id: str
    region_id: str
    vpc_id: str
    vswitch_id: str
    zone_id: str
    private_ip: str
    eni_id: str
    security_groups: list[str]
    name: str = ""
    status: str = "Running"
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Backend:
    """A backend server of a CLB group; `port` 0 in the default group, `role` Master or Slave in a pair."""

    server_id: str
    server_ip: str = ""
    port: int = 0
    weight: int = 100
    server_type: str = "ecs"
    role: str = ""


@dataclass(slots=True)
class ServerGroup:
    """A vServer group (kind "vserver") or a primary/secondary group (kind "primary_secondary") of a CLB."""

    group_id: str
    load_balancer_id: str
    kind: str
    name: str = ""
    servers: list[Backend] = field(default_factory=list)


@dataclass(slots=True)
class ForwardingRule:
    """A forwarding rule of an HTTP or HTTPS listener."""

    rule_id: str
    vserver_group_id: str
    name: str = ""
    domain: str = ""
    url: str = "/"


@dataclass(slots=True)
class Listener:
    """A CLB listener; `group_id` empty means the default group on `backend_port`.

    `health` maps a server id to normal, abnormal or unavailable; a server that is not named is normal.
    """

    protocol: str
    port: int
    backend_port: int = 0
    group_id: str = ""
    status: str = "running"
    health_check: str = "on"
    health_check_port: int = 0
    description: str = ""
    scheduler: str = "wrr"
    acl_status: str = "off"
    acl_type: str = ""
    acl_ids: list[str] = field(default_factory=list)
    forward: str = "off"
    forward_port: int = 0
    rules: list[ForwardingRule] = field(default_factory=list)
    health: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Clb:
    """A classic load balancer with its listeners and default server group."""

    load_balancer_id: str
    account_id: str
    region_id: str
    vpc_id: str
    vswitch_id: str
    address: str
    primary_zone_id: str
    secondary_zone_id: str
    name: str = ""
    address_type: str = "intranet"
    address_ip_version: str = "ipv4"
    pay_type: str = "PayOnDemand"
    instance_charge_type: str = "PayByCLCU"
    network_type: str = "vpc"
    status: str = "active"
    spec: str = "slb.lcu.elastic"
    delete_protection: str = "on"
    modification_protection: str = "ConsoleProtection"
    listeners: list[Listener] = field(default_factory=list)
    default_group: list[Backend] = field(default_factory=list)
    created: str = CREATED
    tags: dict[str, str] = field(default_factory=dict)

    def listener(self, port: int, protocol: str = "tcp") -> Listener:
        """The listener on a port; KeyError if there is none."""
        for listener in self.listeners:
            if (listener.port, listener.protocol) == (port, protocol):
                return listener
        raise KeyError(f"{self.load_balancer_id} has no {protocol} listener on port {port}")


@dataclass(slots=True)
class AccessControlList:
    """A CLB access control list; entries are (block, comment)."""

    acl_id: str
    account_id: str
    region_id: str
    name: str = ""
    entries: list[tuple[str, str]] = field(default_factory=list)
    address_ip_version: str = "ipv4"


@dataclass(slots=True)
class BalancerZone:
    """One zone of an NLB, ALB or GWLB."""

    zone_id: str
    vswitch_id: str
    address: str
    eni_id: str
    health: str = "Healthy"


@dataclass(slots=True)
class BalancerListener:
    """A listener of an NLB, ALB or GWLB; a GWLB listener has neither protocol nor port."""

    listener_id: str
    protocol: str
    port: int
    server_group_id: str
    status: str = "Running"
    description: str = ""


@dataclass(slots=True)
class Balancer:
    """An NLB, ALB or GWLB (`balancer_type` nlb, alb, gwlb)."""

    load_balancer_id: str
    balancer_type: str
    account_id: str
    region_id: str
    vpc_id: str
    zones: list[BalancerZone]
    name: str = ""
    address_type: str = "Intranet"
    address_ip_version: str = "Ipv4"
    status: str = "Active"
    delete_protection: bool = True
    security_groups: list[str] = field(default_factory=list)
    listeners: list[BalancerListener] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class BalancerServer:
    """A server of an NLB, ALB or GWLB group; `health` Normal, or the status the health call answers."""

    server_id: str
    server_ip: str
    port: int
    server_type: str = "Ecs"
    weight: int = 100
    zone_id: str = ""
    status: str = "Available"
    health: str = "Normal"


@dataclass(slots=True)
class BalancerGroup:
    """A server group of an NLB, ALB or GWLB."""

    server_group_id: str
    balancer_type: str
    account_id: str
    region_id: str
    vpc_id: str
    protocol: str
    servers: list[BalancerServer]
    name: str = ""
    health_check_enabled: bool = True


@dataclass(slots=True)
class ServiceResource:
    """A load balancer attached to a service for one zone."""

    resource_id: str
    resource_type: str
    zone_id: str
    region_id: str
    vpc_id: str
    vswitch_id: str
    ip: str
    auto_allocated: bool = True


@dataclass(slots=True)
class EndpointService:
    """An endpoint service; `users` and `arns` are the whitelist, `supported_regions` (region, status, business)."""

    service_id: str
    account_id: str
    region_id: str
    resource_type: str = "slb"
    description: str = ""
    status: str = "Active"
    business_status: str = "Normal"
    service_type: str = "Interface"
    auto_accept: bool = False
    zone_affinity: bool = True
    payer: str = "Endpoint"
    connect_bandwidth: int = 3072
    min_bandwidth: int = 100
    max_bandwidth: int = 10240
    address_ip_version: str = "IPv4"
    policy_supported: bool = False
    resources: list[ServiceResource] = field(default_factory=list)
    users: list[str] = field(default_factory=list)
    arns: list[str] = field(default_factory=list)
    supported_regions: list[tuple[str, str, str]] = field(default_factory=list)
    created: str = CREATED
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"com.aliyuncs.privatelink.{self.region_id}.{self.service_id}"

    @property
    def zones(self) -> list[str]:
        """Zones of the attached resources, each once, sorted."""
        return sorted({resource.zone_id for resource in self.resources})


@dataclass(slots=True)
class EndpointZone:
    """One zone of an endpoint: its ENI, and the load balancer that serves it."""

    zone_id: str
    vswitch_id: str
    eni_id: str
    eni_ip: str
    resource_id: str = ""
    status: str = "Connected"
    ipv6_address: str = ""
    domain: str = ""
    replaced_eni_id: str = ""
    replaced_resource_id: str = ""


@dataclass(slots=True)
class Endpoint:
    """An endpoint and its connection: one object, shown to the consumer as endpoint, to the provider as connection.

    `security_groups` maps a group id to Attaching, Attached or Detaching.
    """

    endpoint_id: str
    account_id: str
    region_id: str
    vpc_id: str
    service_id: str
    service_name: str
    service_region_id: str
    service_account_id: str
    name: str = ""
    description: str = ""
    endpoint_type: str = "Interface"
    status: str = "Active"
    connection_status: str = "Connected"
    business_status: str = "Normal"
    zone_affinity: bool = True
    payer: str = "Endpoint"
    bandwidth: int = 3072
    cross_region_bandwidth: int = 0
    traffic_control_mode: str = "BandwidthLimit"
    address_ip_version: str = "IPv4"
    policy_document: str = ""
    protected: bool = False
    domain: str = ""
    zones: list[EndpointZone] = field(default_factory=list)
    security_groups: dict[str, str] = field(default_factory=dict)
    modified: str = "2024-03-05T10:01:17Z"
    created: str = "2024-03-05T09:55:02Z"
    tags: dict[str, str] = field(default_factory=dict)

    def zone(self, zone_id: str) -> EndpointZone:
        """The zone with this id; KeyError if there is none."""
        for zone in self.zones:
            if zone.zone_id == zone_id:
                return zone
        raise KeyError(f"{self.endpoint_id} has no zone {zone_id}")


@dataclass(slots=True)
class Eip:
    """An elastic IP address bound to an object."""

    allocation_id: str
    account_id: str
    region_id: str
    ip_address: str
    instance_type: str = ""
    instance_id: str = ""
    status: str = "InUse"


@dataclass(slots=True)
class FlowLog:
    """A flow log of a VPC, VSwitch or NetworkInterface."""

    flow_log_id: str
    account_id: str
    region_id: str
    resource_type: str
    resource_id: str
    status: str = "Active"


@dataclass(slots=True)
class Alarm:
    """A CloudMonitor alarm rule; `resources` is JSON text."""

    rule_id: str
    account_id: str
    region_id: str
    namespace: str = "acs_privatelink"
    resources: str = "[]"
    enabled: bool = True
    name: str = ""
