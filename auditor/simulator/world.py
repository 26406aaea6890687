"""The simulated cloud: one truth, rendered per account; built by hand or by a generator, changed at any time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from auditor.simulator.network import FRANKFURT, NetworkWorld
from auditor.simulator.objects import (
    AccessControlList,
    Alarm,
    Backend,
    Balancer,
    BalancerGroup,
    BalancerListener,
    BalancerServer,
    BalancerZone,
    Clb,
    Eip,
    Endpoint,
    EndpointService,
    EndpointZone,
    FlowLog,
    ForwardingRule,
    Instance,
    Listener,
    SecurityGroup,
    ServerGroup,
    ServiceResource,
    Vpc,
    VSwitch,
)


@dataclass(slots=True)
class World(NetworkWorld):
    """A simulated cloud: the store of `NetworkWorld` with the builders of load balancers and PrivateLink."""

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
            self.new_address(vswitch, address),
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
