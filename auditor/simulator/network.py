"""The store of a simulated cloud, its accounts and its networks."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from auditor.simulator.objects import (
    AccessControlList,
    Account,
    Alarm,
    Balancer,
    BalancerGroup,
    Clb,
    Credential,
    Eip,
    Endpoint,
    EndpointService,
    FlowLog,
    Instance,
    NetworkAcl,
    NetworkAclEntry,
    NetworkInterface,
    PortList,
    PrefixList,
    Region,
    Rule,
    SecurityGroup,
    ServerGroup,
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
class NetworkWorld:
    """Every object of the simulated cloud by id, with the builders of accounts and networks.

    `overrides` maps (operation, object id) to fields that one operation shows differently (ABSENT removes a key), and
    `hidden` names objects that one operation leaves out: with them the two views of one connection can be made to
    differ.  Objects without an own id have composite ids: `<endpoint>:<zone>`, `<service>:<resource>:<zone>`,
    `<lb>:<protocol>:<port>`, `<endpoint>:<security group>`, `<group>:<rule>`,
    `<lb>:<protocol>:<port>:<server>:<backend port>`.
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

    def new_address(self, vswitch: VSwitch, wanted: str = "") -> str:
        """The wanted address, or the next free one from the tenth on; ValueError if it is taken or none is left."""
        network = ipaddress.ip_network(vswitch.cidr_block)
        address = wanted
        while not address or address in vswitch.taken:
            if wanted or vswitch.cursor >= network.num_addresses - 4:
                raise ValueError(f"vSwitch {vswitch.vswitch_id} has no free address {wanted}")
            vswitch.cursor += 1
            address = str(network[vswitch.cursor])
        vswitch.taken.add(address)
        return address

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
        eni = NetworkInterface(
            id or self.new_id("eni"),
            vswitch.account_id,
            vswitch.region_id,
            vswitch.vpc_id,
            vswitch.vswitch_id,
            vswitch.zone_id,
            self.new_address(vswitch, ip),
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
