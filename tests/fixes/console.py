"""A cloud that obeys: printed command lines are read as a shell reads them and done to a simulated world.

What each operation does is written here a second time, on the objects of the simulator and from the pages of the
operations, so that a mistake in the effects on the inventory shows.
"""

from __future__ import annotations

import importlib
import json
import re
import shlex
from collections.abc import Callable, Iterator
from typing import Any

from auditor.simulator.objects import Endpoint, EndpointService, Rule, SecurityGroup
from auditor.simulator.world import World

_MODULES = {
    "privatelink": "alibabacloud_privatelink20200415.models",
    "slb": "alibabacloud_slb20140515.models",
    "ecs": "alibabacloud_ecs20140526.models",
    "vpc": "alibabacloud_vpc20160428.models",
}


def read(command: str) -> tuple[str, dict[str, str]]:
    """Operation and parameters of a command line; AssertionError for anything the SDK does not know."""
    words = shlex.split(command)
    assert words[0] == "aliyun"
    operation = f"{words[1]}:{words[2]}"
    parameters: dict[str, str] = {}
    rest = iter(words[3:])
    for word in rest:
        assert word.startswith("--"), word
        name, equals, value = word[2:].partition("=")
        parameters[name] = value if equals else next(rest)
        assert equals or not parameters[name].startswith("-"), f"{parameters[name]} would be read as an option"
    known = request_fields(operation)
    for name in parameters:
        # The region is an option of the command line itself where the operation has no such parameter.
        assert re.sub(r"\.[0-9]+", ".N", name) in known or (name == "region" and "RegionId" not in known), name
    return operation, parameters


def request_fields(operation: str) -> set[str]:
    """Parameters of an operation as the request model of the official SDK names them; lists with `.N`."""
    product, _, action = operation.partition(":")
    module = importlib.import_module(_MODULES[product])
    return set(_fields(module, f"{action}Request"))


def _fields(module: Any, model: str) -> Iterator[str]:
    made = getattr(module, model)()
    for name, kind in made.__init__.__annotations__.items():
        api = _api_name(name, made)
        text = str(kind)
        inner = re.search(r"List\[[\w.]*?(\w+)\]", text)
        if inner is None:
            yield api
        elif inner[1] == "str":
            yield f"{api}.N"
            yield api
        else:
            yield from (f"{api}.N.{field}" for field in _fields(module, inner[1]))


def _api_name(name: str, model: Any) -> str:
    """The name on the wire of an attribute: what `to_map` calls it."""
    blank, probe = type(model)().to_map(), type(model)()
    setattr(probe, name, [] if "List" in str(model.__init__.__annotations__[name]) else "x")
    found = [key for key, value in probe.to_map().items() if blank.get(key, ...) != value] or list(probe.to_map())
    return str(found[0])


class Console:
    """Runs command lines in one account's name against a world."""

    def __init__(self, world: World) -> None:
        self.world = world

    def run(self, command: str, account_id: str | None) -> None:
        """Does what a command line says, as the account; AssertionError where the cloud would refuse it."""
        operation, parameters = read(command)
        _, _, action = operation.partition(":")
        obey: dict[str, Callable[..., None]] = {
            name.replace("_", ""): getattr(self, name) for name in dir(self) if not name.startswith("__")
        }
        obey[action.lower()](account_id, **parameters)

    # ------------------------------------------------------------------------------------------------ privatelink

    def _service(self, account_id: str | None, service_id: str, region_id: str) -> EndpointService:
        service = self.world.services[service_id]
        assert (service.account_id, service.region_id) == (account_id, region_id)
        return service

    def _endpoint(self, account_id: str | None, endpoint_id: str, region_id: str) -> Endpoint:
        endpoint = self.world.endpoints[endpoint_id]
        assert (endpoint.account_id, endpoint.region_id) == (account_id, region_id)
        return endpoint

    def _add_user_to_vpc_endpoint_service(
        self, account: str, RegionId: str, ServiceId: str, UserId: str = "", UserARN: str = ""
    ) -> None:
        service = self._service(account, ServiceId, RegionId)
        if UserId:
            service.users.append(UserId)
        if UserARN:
            service.arns.append(UserARN)

    def _remove_user_from_vpc_endpoint_service(
        self, account: str, RegionId: str, ServiceId: str, UserId: str = "", UserARN: str = ""
    ) -> None:
        service = self._service(account, ServiceId, RegionId)
        if UserId:
            service.users.remove(UserId)
        if UserARN:
            service.arns.remove(UserARN)

    def _update_vpc_endpoint_service_attribute(
        self, account: str, RegionId: str, ServiceId: str, **settings: str
    ) -> None:
        service = self._service(account, ServiceId, RegionId)
        for name, value in settings.items():
            if name == "AutoAcceptEnabled":
                service.auto_accept = {"true": True, "false": False}[value]
            elif name == "ZoneAffinityEnabled":
                service.zone_affinity = {"true": True, "false": False}[value]
            elif name == "ConnectBandwidth":
                service.connect_bandwidth = int(value)
            elif name == "AddressIpVersion":
                service.address_ip_version = value
            else:
                assert name.startswith("AddSupportedRegionSet.")
                assert value in self.world.regions
                kept = [entry for entry in service.supported_regions if entry[0] != value]
                service.supported_regions = [*kept, (value, "Available", "Normal")]

    def _update_vpc_endpoint_service_resource_attribute(
        self, account: str, RegionId: str, ServiceId: str, ResourceId: str, ZoneId: str, AutoAllocatedEnabled: str
    ) -> None:
        (resource,) = [
            resource
            for resource in self._service(account, ServiceId, RegionId).resources
            if (resource.resource_id, resource.zone_id) == (ResourceId, ZoneId)
        ]
        resource.auto_allocated = {"true": True, "false": False}[AutoAllocatedEnabled]

    def _attach_resource_to_vpc_endpoint_service(
        self, account: str, RegionId: str, ServiceId: str, ResourceType: str, ResourceId: str, ZoneId: str
    ) -> None:
        assert ResourceType == "slb"
        self.world.attach_resource(self._service(account, ServiceId, RegionId), self.world.clbs[ResourceId], ZoneId)

    def _detach_resource_from_vpc_endpoint_service(
        self, account: str, RegionId: str, ServiceId: str, ResourceType: str, ResourceId: str, ZoneId: str
    ) -> None:
        service = self._service(account, ServiceId, RegionId)
        (gone,) = [
            resource
            for resource in service.resources
            if (resource.resource_id, resource.zone_id) == (ResourceId, ZoneId)
        ]
        assert gone.resource_type == ResourceType
        service.resources.remove(gone)

    def _open_private_link_service(self, account: str) -> None:
        self.world.accounts[account].privatelink_open = True

    def _enable_vpc_endpoint_connection(self, account: str, RegionId: str, ServiceId: str, EndpointId: str) -> None:
        self._service(account, ServiceId, RegionId)
        endpoint = self.world.endpoints[EndpointId]
        assert endpoint.connection_status == "Disconnected"
        assert endpoint.service_id == ServiceId
        self.world.accept(endpoint)

    def _enable_vpc_endpoint_zone_connection(
        self, account: str, RegionId: str, ServiceId: str, EndpointId: str, ZoneId: str
    ) -> None:
        service = self._service(account, ServiceId, RegionId)
        endpoint = self.world.endpoints[EndpointId]
        zone = endpoint.zone(ZoneId)
        assert (endpoint.connection_status, zone.status) == ("Connected", "Disconnected")
        zone.status = "Connected"
        zone.resource_id = next(resource.resource_id for resource in service.resources if resource.zone_id == ZoneId)

    def _update_vpc_endpoint_connection_attribute(
        self,
        account: str,
        RegionId: str,
        ServiceId: str,
        EndpointId: str,
        Bandwidth: str = "",
        TrafficControlMode: str = "",
    ) -> None:
        self._service(account, ServiceId, RegionId)
        endpoint = self.world.endpoints[EndpointId]
        if TrafficControlMode:
            endpoint.traffic_control_mode = TrafficControlMode
        if Bandwidth:
            assert 100 <= int(Bandwidth) <= 10240
            endpoint.bandwidth = int(Bandwidth)

    def _update_vpc_endpoint_zone_connection_resource_attribute(
        self,
        account: str,
        RegionId: str,
        ServiceId: str,
        EndpointId: str,
        ZoneId: str,
        ResourceType: str,
        ResourceId: str,
    ) -> None:
        service = self._service(account, ServiceId, RegionId)
        assert (ResourceType, ResourceId, ZoneId) in [
            (resource.resource_type, resource.resource_id, resource.zone_id) for resource in service.resources
        ]
        self.world.endpoints[EndpointId].zone(ZoneId).resource_id = ResourceId

    def _update_vpc_endpoint_attribute(self, account: str, RegionId: str, EndpointId: str, **settings: str) -> None:
        endpoint = self._endpoint(account, EndpointId, RegionId)
        for name, value in settings.items():
            if name == "ZoneAffinityEnabled":
                endpoint.zone_affinity = {"true": True, "false": False}[value]
            elif name == "CrossRegionBandwidth":
                endpoint.cross_region_bandwidth = int(value)
            else:
                assert (name, value) == ("AddressIpVersion", "IPv4")
                endpoint.address_ip_version = value
                for zone in endpoint.zones:
                    zone.ipv6_address = ""
                    self.world.enis[zone.eni_id].ipv6_addresses.clear()

    def _remove_zone_from_vpc_endpoint(self, account: str, RegionId: str, EndpointId: str, ZoneId: str) -> None:
        endpoint = self._endpoint(account, EndpointId, RegionId)
        zone = endpoint.zone(ZoneId)
        assert len(endpoint.zones) > 1
        endpoint.zones.remove(zone)
        del self.world.enis[zone.eni_id]
        self.world.vswitches[zone.vswitch_id].taken.discard(zone.eni_ip)

    def _detach_security_group_from_vpc_endpoint(
        self, account: str, RegionId: str, EndpointId: str, SecurityGroupId: str
    ) -> None:
        endpoint = self._endpoint(account, EndpointId, RegionId)
        assert len(endpoint.security_groups) > 1
        del endpoint.security_groups[SecurityGroupId]

    # -------------------------------------------------------------------------------------------------------- slb

    def _clb(self, account: str, load_balancer_id: str, region_id: str) -> Any:
        clb = self.world.clbs[load_balancer_id]
        assert (clb.account_id, clb.region_id) == (account, region_id)
        return clb

    def _set_load_balancer_status(
        self, account: str, RegionId: str, LoadBalancerId: str, LoadBalancerStatus: str
    ) -> None:
        clb = self._clb(account, LoadBalancerId, RegionId)
        assert clb.status in ("active", "inactive")
        clb.status = LoadBalancerStatus

    def _set_load_balancer_delete_protection(
        self, account: str, RegionId: str, LoadBalancerId: str, DeleteProtection: str
    ) -> None:
        self._clb(account, LoadBalancerId, RegionId).delete_protection = DeleteProtection

    def _set_load_balancer_modification_protection(
        self,
        account: str,
        RegionId: str,
        LoadBalancerId: str,
        ModificationProtectionStatus: str,
        ModificationProtectionReason: str,
    ) -> None:
        assert re.fullmatch(r"[A-Za-z][\w.-]{1,79}", ModificationProtectionReason)
        self._clb(account, LoadBalancerId, RegionId).modification_protection = ModificationProtectionStatus

    def _start_load_balancer_listener(
        self, account: str, RegionId: str, LoadBalancerId: str, ListenerPort: str, ListenerProtocol: str
    ) -> None:
        self._clb(account, LoadBalancerId, RegionId).listener(int(ListenerPort), ListenerProtocol).status = "running"

    def _set_load_balancer_tcplistener_attribute(
        self, account: str, RegionId: str, LoadBalancerId: str, ListenerPort: str, HealthCheckSwitch: str
    ) -> None:
        self._clb(account, LoadBalancerId, RegionId).listener(int(ListenerPort)).health_check = HealthCheckSwitch

    def _set_load_balancer_udplistener_attribute(
        self, account: str, RegionId: str, LoadBalancerId: str, ListenerPort: str, HealthCheckSwitch: str
    ) -> None:
        listener = self._clb(account, LoadBalancerId, RegionId).listener(int(ListenerPort), "udp")
        listener.health_check = HealthCheckSwitch

    def _set_backend_servers(self, account: str, RegionId: str, LoadBalancerId: str, BackendServers: str) -> None:
        clb = self._clb(account, LoadBalancerId, RegionId)
        for item in json.loads(BackendServers):
            (server,) = [server for server in clb.default_group if server.server_id == item["ServerId"]]
            assert item["Type"] == server.server_type
            server.weight = int(item["Weight"])

    def _set_vserver_group_attribute(
        self, account: str, RegionId: str, VServerGroupId: str, BackendServers: str
    ) -> None:
        group = self.world.server_groups[VServerGroupId]
        self._clb(account, group.load_balancer_id, RegionId)
        for item in json.loads(BackendServers):
            (server,) = [
                server
                for server in group.servers
                if (server.server_id, server.port) == (item["ServerId"], int(item["Port"]))
            ]
            server.weight = int(item["Weight"])

    def _remove_access_control_list_entry(self, account: str, RegionId: str, AclId: str, AclEntrys: str) -> None:
        acl = self.world.acls[AclId]
        assert (acl.account_id, acl.region_id) == (account, RegionId)
        for item in json.loads(AclEntrys):
            (entry,) = [entry for entry in acl.entries if entry[0] == item["entry"]]
            acl.entries.remove(entry)

    def _unassociate_eip_address(
        self, account: str, RegionId: str, AllocationId: str, InstanceId: str, InstanceType: str
    ) -> None:
        eip = self.world.eips[AllocationId]
        assert (eip.account_id, eip.region_id) == (account, RegionId)
        assert (eip.instance_id, eip.instance_type) == (InstanceId, InstanceType)
        eip.instance_id, eip.instance_type, eip.status = "", "", "Available"

    # -------------------------------------------------------------------------------------------------------- ecs

    def _start_instance(self, account: str, InstanceId: str, region: str) -> None:
        instance = self.world.instances[InstanceId]
        assert (instance.account_id, instance.region_id, instance.status) == (account, region, "Stopped")
        instance.status = "Running"

    def _group(self, account: str, group_id: str, region_id: str) -> SecurityGroup:
        group = self.world.security_groups[group_id]
        assert (group.account_id, group.region_id) == (account, region_id)
        return group

    def _authorize_security_group(self, account: str, RegionId: str, SecurityGroupId: str, **permission: str) -> None:
        self._authorize(self._group(account, SecurityGroupId, RegionId), "ingress", permission, "SourceCidrIp")

    def _authorize_security_group_egress(
        self, account: str, RegionId: str, SecurityGroupId: str, **permission: str
    ) -> None:
        self._authorize(self._group(account, SecurityGroupId, RegionId), "egress", permission, "DestCidrIp")

    def _authorize(self, group: SecurityGroup, direction: str, permission: dict[str, str], peer: str) -> None:
        given = {name.removeprefix("Permissions.1."): value for name, value in permission.items()}
        assert set(given) == {"Policy", "Priority", "IpProtocol", "PortRange", peer}
        assert given["IpProtocol"] == given["IpProtocol"].lower()
        rule = Rule(
            direction=direction,
            policy=given["Policy"],
            priority=int(given["Priority"]),
            protocol=given["IpProtocol"].upper(),
            ports=given["PortRange"],
            cidr=given[peer],
            rule_id=self.world.new_id("sgr"),
        )
        self._name_rules(group)
        group.rules.append(rule)

    def _revoke_security_group(self, account: str, **parameters: str) -> None:
        group = self._group(account, parameters["SecurityGroupId"], parameters["RegionId"])
        self._name_rules(group)
        (rule,) = [rule for rule in group.rules if rule.rule_id == parameters["SecurityGroupRuleId.1"]]
        assert rule.direction == "ingress"
        group.rules.remove(rule)

    def _name_rules(self, group: SecurityGroup) -> None:
        """A rule keeps its id while others come and go; the simulator counts them where nobody named them."""
        for position, rule in enumerate(group.rules, 1):
            if not rule.rule_id:
                rule.rule_id = f"sgr-{group.security_group_id.removeprefix('sg-')}-{position:04d}"
