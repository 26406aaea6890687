"""The simulated cloud: one truth, rendered per account; built by hand or by a generator, changed at any time."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from auditor.simulator.objects import (
    AccessControlList,
    Account,
    Alarm,
    Backend,
    Balancer,
    BalancerGroup,
    BalancerListener,
    BalancerServer,
    BalancerZone,
    Clb,
    Credential,
    Eip,
    Endpoint,
    EndpointService,
    EndpointZone,
    FlowLog,
    ForwardingRule,
    Instance,
    Listener,
    NetworkAcl,
    NetworkAclEntry,
    NetworkInterface,
    PortList,
    PrefixList,
    Region,
    Rule,
    SecurityGroup,
    ServerGroup,
    ServiceResource,
    Vpc,
    VSwitch,
)

FRANKFURT = "eu-central-1"


def default_regions() -> dict[str, Region]:
    """The regions of every world; zone ids have a hyphen before the letter only in `cn-` regions."""
    regions = (
        ("eu-central-1", "Germany (Frankfurt)", "Frankfurt", "ab"),
        ("cn-hangzhou", "China (Hangzhou)", "Hangzhou", "bhi"),
        ("ap-southeast-1", "Singapore", "Singapore", "abc"),
        ("us-east-1", "US (Virginia)", "Virginia", "ab"),
    )
    return {
        region_id: Region(
            region_id,
            local_name,
            {
                f"{region_id}{'-' if region_id.startswith('cn-') else ''}{letter}": f"{city} Zone {letter.upper()}"
                for letter in letters
            },
        )
        for region_id, local_name, city, letters in regions
    }


@dataclass(slots=True)
class World:
    """Every object of the simulated cloud by id.

    `overrides` maps (operation, object id) to fields that one operation shows differently (ABSENT removes a key), and
    `hidden` names objects that one operation leaves out: with them the two views of one connection can be made to
    differ.  Objects without an own id have composite ids: `<endpoint>:<zone>`, `<service>:<resource>:<zone>`,
    `<lb>:<protocol>:<port>`, `<endpoint>:<security group>`, `<group>:<rule>`.
    """

    accounts: dict[str, Account] = field(default_factory=dict)
    credentials: dict[str, Credential] = field(default_factory=dict)
    regions: dict[str, Region] = field(default_factory=default_regions)
    vpcs: dict[str, Vpc] = field(default_factory=dict)
    vswitches: dict[str, VSwitch] = field(default_factory=dict)
    network_acls: dict[str, NetworkAcl] = field(default_factory=dict)
    security_groups: dict[str, SecurityGroup] = field(default_factory=dict)
    prefix_lists: dict[str, PrefixList] = field(default_factory=dict)
    port_lists: dict[str, PortList] = field(default_factory=dict)
    enis: dict[str, NetworkInterface] = field(default_factory=dict)
    instances: dict[str, Instance] = field(default_factory=dict)
    clbs: dict[str, Clb] = field(default_factory=dict)
    server_groups: dict[str, ServerGroup] = field(default_factory=dict)
    acls: dict[str, AccessControlList] = field(default_factory=dict)
    balancers: dict[str, Balancer] = field(default_factory=dict)
    balancer_groups: dict[str, BalancerGroup] = field(default_factory=dict)
    services: dict[str, EndpointService] = field(default_factory=dict)
    endpoints: dict[str, Endpoint] = field(default_factory=dict)
    eips: dict[str, Eip] = field(default_factory=dict)
    flow_logs: dict[str, FlowLog] = field(default_factory=dict)
    alarms: dict[str, Alarm] = field(default_factory=dict)
    overrides: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    hidden: dict[str, set[str]] = field(default_factory=dict)
    _serial: int = 0

    # ---------------------------------------------------------------------------------------------- basics
    def new_id(self, prefix: str) -> str:
        """A fresh id, the same in every run for the same order of calls."""
        self._serial += 1
        return f"{prefix}-gw8sim{self._serial:015d}"

    def override(self, operation: str, object_id: str, **fields: Any) -> None:
        """Make one operation show other values of an object: `override("privatelink:ListVpcEndpoints", id, …)`."""
        self.overrides.setdefault((operation, object_id), {}).update(fields)

    def hide(self, operation: str, object_id: str) -> None:
        """Make one operation leave an object out."""
        self.hidden.setdefault(operation, set()).add(object_id)

    def add_account(self, account_id: str, profile: str = "", *, session: bool = False, **fields: Any) -> Account:
        """An account with one credential; `session` gives temporary keys with a security token."""
        account = self.accounts.setdefault(account_id, Account(account_id, **fields))
        name = profile or f"account-{account_id}"
        kind = "STS." if session else "LTAI"
        self._serial += 1
        key = f"{kind}simulated{self._serial:08d}"
        self.credentials[key] = Credential(
            name, account_id, key, f"simulated-{name}-{self._serial}", f"simulated-token-{name}" if session else ""
        )
        return account

    # --------------------------------------------------------------------------------------------- network
    def add_vpc(self, account_id: str, cidr: str, *, region_id: str = FRANKFURT, id: str = "", **fields: Any) -> Vpc:
        vpc = Vpc(id or self.new_id("vpc"), account_id, region_id, cidr, **fields)
        self.vpcs[vpc.vpc_id] = vpc
        return vpc

    def add_vswitch(self, vpc: Vpc, zone_id: str, cidr: str, *, id: str = "", **fields: Any) -> VSwitch:
        vswitch = VSwitch(id or self.new_id("vsw"), vpc.account_id, vpc.region_id, vpc.vpc_id, zone_id, cidr, **fields)
        self.vswitches[vswitch.vswitch_id] = vswitch
        return vswitch

    def new_address(self, vswitch: VSwitch) -> str:
        """The next free address of a vSwitch, from the tenth on; reserved addresses are not given out."""
        network = ipaddress.ip_network(vswitch.cidr_block)
        vswitch.allocated += 1
        offset = 9 + vswitch.allocated
        if offset > network.num_addresses - 4:
            raise ValueError(f"vSwitch {vswitch.vswitch_id} has no free address")
        return str(network[offset])

    def add_security_group(self, vpc: Vpc, rules: Iterable[Rule] = (), *, id: str = "", **fields: Any) -> SecurityGroup:
        """A security group; rules without an id get one when they are shown."""
        group = SecurityGroup(
            id or self.new_id("sg"), vpc.account_id, vpc.region_id, vpc.vpc_id, rules=list(rules), **fields
        )
        self.security_groups[group.security_group_id] = group
        return group

    def add_network_acl(
        self,
        vpc: Vpc,
        vswitches: Iterable[VSwitch],
        ingress: Iterable[NetworkAclEntry] = (),
        egress: Iterable[NetworkAclEntry] = (),
        *,
        id: str = "",
        **fields: Any,
    ) -> NetworkAcl:
        """A network ACL bound to the vSwitches; entries in order of evaluation."""
        acl = NetworkAcl(id or self.new_id("nacl"), vpc.account_id, vpc.region_id, vpc.vpc_id, **fields)
        acl.ingress, acl.egress = list(ingress), list(egress)
        self.network_acls[acl.network_acl_id] = acl
        for vswitch in vswitches:
            vswitch.network_acl_id = acl.network_acl_id
        return acl

    def add_prefix_list(
        self, account_id: str, entries: Iterable[str], *, region_id: str = FRANKFURT, id: str = "", **fields: Any
    ) -> PrefixList:
        prefix_list = PrefixList(id or self.new_id("pl"), account_id, region_id, list(entries), **fields)
        self.prefix_lists[prefix_list.prefix_list_id] = prefix_list
        return prefix_list

    def add_port_list(
        self, account_id: str, entries: Iterable[str], *, region_id: str = FRANKFURT, id: str = "", **fields: Any
    ) -> PortList:
        port_list = PortList(id or self.new_id("prl"), account_id, region_id, list(entries), **fields)
        self.port_lists[port_list.port_list_id] = port_list
        return port_list

    def add_eni(
        self, vswitch: VSwitch, groups: Sequence[str] = (), *, ip: str = "", id: str = "", **fields: Any
    ) -> NetworkInterface:
        """An ENI in a vSwitch; the address is taken from it unless given."""
        if ip:
            vswitch.allocated += 1
        eni = NetworkInterface(
            id or self.new_id("eni"),
            vswitch.account_id,
            vswitch.region_id,
            vswitch.vpc_id,
            vswitch.vswitch_id,
            vswitch.zone_id,
            ip or self.new_address(vswitch),
            **fields,
        )
        eni.security_groups = groups if isinstance(groups, list) else list(groups)
        self.enis[eni.eni_id] = eni
        return eni

    def add_instance(
        self, vswitch: VSwitch, groups: Sequence[str], *, ip: str = "", id: str = "", eni_id: str = "", **fields: Any
    ) -> Instance:
        """An instance with its primary ENI."""
        instance_id = id or self.new_id("i")
        eni = self.add_eni(vswitch, list(groups), ip=ip, id=eni_id, eni_type="Primary", instance_id=instance_id)
        instance = Instance(
            instance_id,
            vswitch.account_id,
            vswitch.region_id,
            vswitch.vpc_id,
            vswitch.vswitch_id,
            vswitch.zone_id,
            eni.private_ip,
            eni.eni_id,
            eni.security_groups,
            **fields,
        )
        self.instances[instance_id] = instance
        return instance

    # -------------------------------------------------------------------------------------- load balancers
    def add_clb(
        self, vswitch: VSwitch, *, secondary_zone_id: str = "", address: str = "", id: str = "", **fields: Any
    ) -> Clb:
        """A CLB whose primary zone is the zone of the vSwitch."""
        clb = Clb(
            id or self.new_id("lb"),
            vswitch.account_id,
            vswitch.region_id,
            vswitch.vpc_id,
            vswitch.vswitch_id,
            address or self.new_address(vswitch),
            vswitch.zone_id,
            secondary_zone_id,
            **fields,
        )
        self.clbs[clb.load_balancer_id] = clb
        return clb

    def backend(self, instance: Instance, port: int = 0, weight: int = 100) -> Backend:
        """An instance as backend; port 0 in the default group."""
        return Backend(instance.instance_id, instance.private_ip, port, weight)

    def add_listener(
        self, clb: Clb, port: int, *, protocol: str = "tcp", group: ServerGroup | None = None, **fields: Any
    ) -> Listener:
        """A listener on a group, or on the default group with `backend_port` (the listener's port if not given)."""
        if group is None:
            fields.setdefault("backend_port", port)
        listener = Listener(protocol, port, group_id=group.group_id if group else "", **fields)
        clb.listeners.append(listener)
        return listener

    def add_vserver_group(
        self, clb: Clb, servers: Iterable[Backend] = (), *, name: str = "", id: str = ""
    ) -> ServerGroup:
        group = ServerGroup(id or self.new_id("rsp"), clb.load_balancer_id, "vserver", name, list(servers))
        self.server_groups[group.group_id] = group
        return group

    def add_primary_secondary_group(
        self, clb: Clb, primary: Backend, secondary: Backend, *, name: str = "", id: str = ""
    ) -> ServerGroup:
        primary.role, secondary.role = "Master", "Slave"
        group = ServerGroup(
            id or self.new_id("rsp"), clb.load_balancer_id, "primary_secondary", name, [primary, secondary]
        )
        self.server_groups[group.group_id] = group
        return group

    def add_forwarding_rule(
        self, listener: Listener, group: ServerGroup, *, id: str = "", **fields: Any
    ) -> ForwardingRule:
        rule = ForwardingRule(id or self.new_id("rule"), group.group_id, **fields)
        listener.rules.append(rule)
        return rule

    def add_acl(
        self,
        account_id: str,
        entries: Iterable[str] | Mapping[str, str],
        *,
        region_id: str = FRANKFURT,
        id: str = "",
        **fields: Any,
    ) -> AccessControlList:
        """A CLB access control list; a mapping gives comments to the entries."""
        pairs = list(entries.items()) if isinstance(entries, Mapping) else [(entry, "") for entry in entries]
        acl = AccessControlList(id or self.new_id("acl"), account_id, region_id, entries=pairs, **fields)
        self.acls[acl.acl_id] = acl
        return acl

    def add_balancer(
        self, balancer_type: str, vswitches: Sequence[VSwitch], *, id: str = "", **fields: Any
    ) -> Balancer:
        """An NLB, ALB or GWLB in the zones of the vSwitches, with an ENI in each."""
        first = vswitches[0]
        balancer = Balancer(
            id or self.new_id(balancer_type),
            balancer_type,
            first.account_id,
            first.region_id,
            first.vpc_id,
            [],
            **fields,
        )
        for vswitch in vswitches:
            eni = self.add_eni(vswitch, description=balancer.load_balancer_id, service_managed=True)
            balancer.zones.append(BalancerZone(vswitch.zone_id, vswitch.vswitch_id, eni.private_ip, eni.eni_id))
        self.balancers[balancer.load_balancer_id] = balancer
        return balancer

    def add_balancer_group(
        self,
        balancer: Balancer,
        servers: Iterable[BalancerServer],
        *,
        protocol: str = "TCP",
        id: str = "",
        **fields: Any,
    ) -> BalancerGroup:
        group = BalancerGroup(
            id or self.new_id("sgp"),
            balancer.balancer_type,
            balancer.account_id,
            balancer.region_id,
            balancer.vpc_id,
            protocol,
            list(servers),
            **fields,
        )
        self.balancer_groups[group.server_group_id] = group
        return group

    def add_balancer_listener(
        self, balancer: Balancer, protocol: str, port: int, group: BalancerGroup, *, id: str = "", **fields: Any
    ) -> BalancerListener:
        listener = BalancerListener(id or self.new_id("lsn"), protocol, port, group.server_group_id, **fields)
        balancer.listeners.append(listener)
        return listener

    # ----------------------------------------------------------------------------------------- privatelink
    def add_service(
        self,
        account_id: str,
        *,
        region_id: str = FRANKFURT,
        users: Iterable[str] = (),
        id: str = "",
        supported_regions: Iterable[tuple[str, str, str]] = (),
        **fields: Any,
    ) -> EndpointService:
        """A service; the owner is on the whitelist without being named, its own region is supported."""
        service = EndpointService(id or self.new_id("epsrv"), account_id, region_id, **fields)
        service.users = [account_id, *users]
        service.supported_regions = [(region_id, "Available", "Normal"), *supported_regions]
        self.services[service.service_id] = service
        return service

    def attach_resource(
        self, service: EndpointService, balancer: Clb | Balancer, zone_id: str = "", *, auto_allocated: bool = True
    ) -> ServiceResource:
        """Attach a load balancer for one zone: by default its primary or first zone."""
        if isinstance(balancer, Clb):
            zone = zone_id or balancer.primary_zone_id
            kind, vswitch_id, ip = "slb", balancer.vswitch_id, balancer.address
        else:
            zone = zone_id or balancer.zones[0].zone_id
            mapping = next((z for z in balancer.zones if z.zone_id == zone), balancer.zones[0])
            kind, vswitch_id, ip = balancer.balancer_type, mapping.vswitch_id, mapping.address
        resource = ServiceResource(
            balancer.load_balancer_id, kind, zone, balancer.region_id, balancer.vpc_id, vswitch_id, ip, auto_allocated
        )
        service.resources.append(resource)
        return resource

    def add_endpoint(
        self,
        vpc: Vpc,
        service: EndpointService,
        vswitches: Sequence[VSwitch],
        groups: Sequence[SecurityGroup | str],
        *,
        id: str = "",
        ips: Sequence[str] = (),
        eni_ids: Sequence[str] = (),
        accepted: bool | None = None,
        **fields: Any,
    ) -> Endpoint:
        """An endpoint with one zone, ENI and address per vSwitch, and its connection.

        The connection is Connected at once if the service accepts automatically or `accepted` is true, else
        Disconnected until `accept` is called.
        """
        endpoint_id = id or self.new_id("ep")
        endpoint = Endpoint(
            endpoint_id,
            vpc.account_id,
            vpc.region_id,
            vpc.vpc_id,
            service.service_id,
            service.name,
            service.region_id,
            service.account_id,
            **{
                "domain": f"{endpoint_id}.{service.service_id}.{vpc.region_id}.privatelink.aliyuncs.com",
                "payer": service.payer,
                "bandwidth": service.connect_bandwidth,
                "traffic_control_mode": "BandwidthLimit" if service.resource_type == "slb" else "Scalability",
                "connection_status": "Disconnected",
                "endpoint_type": service.service_type,
                **fields,
            },
        )
        for group in groups:
            group_id = group if isinstance(group, str) else group.security_group_id
            endpoint.security_groups[group_id] = "Attached"
        self.endpoints[endpoint_id] = endpoint
        for position, vswitch in enumerate(vswitches):
            self.add_endpoint_zone(
                endpoint,
                vswitch,
                ip=ips[position] if position < len(ips) else "",
                eni_id=eni_ids[position] if position < len(eni_ids) else "",
            )
        if service.auto_accept if accepted is None else accepted:
            self.accept(endpoint)
        return endpoint

    def add_endpoint_zone(
        self, endpoint: Endpoint, vswitch: VSwitch, *, zone_id: str = "", ip: str = "", eni_id: str = ""
    ) -> EndpointZone:
        """One more zone of an endpoint with its service-managed ENI; `zone_id` defaults to the vSwitch's zone."""
        eni = self.add_eni(
            vswitch,
            ip=ip,
            id=eni_id,
            name=endpoint.endpoint_id,
            description=f"created by privatelink for {endpoint.endpoint_id}",
            service_managed=True,
            endpoint_id=endpoint.endpoint_id,
        )
        eni.account_id = endpoint.account_id
        zone = EndpointZone(
            zone_id or vswitch.zone_id, vswitch.vswitch_id, eni.eni_id, eni.private_ip, status="Disconnected"
        )
        zone.domain = (
            f"{endpoint.endpoint_id}-{endpoint.region_id}.{endpoint.service_id}.{zone.zone_id}.privatelink.aliyuncs.com"
        )
        endpoint.zones.append(zone)
        if endpoint.connection_status == "Connected":
            self._serve(endpoint, zone)
        return zone

    def accept(self, endpoint: Endpoint) -> None:
        """Accept the connection: every zone is served by a resource of that zone, if there is one."""
        endpoint.connection_status = "Connected"
        for zone in endpoint.zones:
            self._serve(endpoint, zone)

    def disconnect(self, endpoint: Endpoint) -> None:
        """Refuse or cut the connection."""
        endpoint.connection_status = "Disconnected"
        for zone in endpoint.zones:
            zone.status, zone.resource_id = "Disconnected", ""

    def _serve(self, endpoint: Endpoint, zone: EndpointZone) -> None:
        zone.status = "Connected"
        service = self.services.get(endpoint.service_id)
        usable = [r for r in service.resources if r.zone_id == zone.zone_id and r.auto_allocated] if service else []
        zone.resource_id = usable[0].resource_id if usable else ""

    def visible(self, service: EndpointService, account_id: str) -> bool:
        """Whether an account may find the service: the owner, a whitelisted account, or an open whitelist."""
        if account_id == service.account_id or account_id in service.users:
            return True
        return any(arn == "*" or arn.split(":")[3:4] in ([account_id], ["*"]) for arn in service.arns)

    # ---------------------------------------------------------------------------------------------- others
    def add_eip(
        self, account_id: str, ip: str, *, instance_type: str = "", instance_id: str = "", region_id: str = FRANKFURT
    ) -> Eip:
        eip = Eip(self.new_id("eip"), account_id, region_id, ip, instance_type, instance_id)
        self.eips[eip.allocation_id] = eip
        return eip

    def add_flow_log(
        self, account_id: str, resource_type: str, resource_id: str, *, region_id: str = FRANKFURT
    ) -> FlowLog:
        log = FlowLog(self.new_id("fl"), account_id, region_id, resource_type, resource_id)
        self.flow_logs[log.flow_log_id] = log
        return log

    def add_alarm(self, account_id: str, resources: str = "[]", *, region_id: str = FRANKFURT, **fields: Any) -> Alarm:
        alarm = Alarm(self.new_id("alarm"), account_id, region_id, resources=resources, **fields)
        self.alarms[alarm.rule_id] = alarm
        return alarm
