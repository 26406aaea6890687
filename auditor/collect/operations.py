"""The allow-list: every read operation plaudit can express; what is not here cannot be called.

One row per operation: how it is paged, how large a page is asked for, how many ids one call takes and how they are
written, where the list lies in the answer, and its documented rate.  Sources: the official generated clients and the
help pages named in the comments of `_RATES`; figures without a page are marked there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Paging = Literal["none", "token", "page"]
IdStyle = Literal["", "one", "comma", "json", "list"]


@dataclass(frozen=True, slots=True)
class Product:
    """One API product.

    `package` is its official client package; products without one are called through the official generic client at
    `<host_prefix>.<region>.aliyuncs.com`, `hosts` naming the exceptions.
    """

    name: str
    version: str
    package: str = ""
    host_prefix: str = ""
    hosts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Operation:
    """One read operation.

    `items` is the path of the list in the raw body (empty: the answer is one object, and `expects` names keys it must
    have).  `id_parameter` takes the ids of a batch, at most `batch` of them, in the style `id_style`.
    With paging `page`, `page_parameter` numbers the pages and `total` names the number of all rows.
    `region`: False for calls without a region; `sends_region`: whether RegionId is a parameter.
    `calls` per `seconds` is the rate per account and region; plaudit uses at most half of it.
    """

    product: str
    name: str
    paging: Paging = "none"
    page_size: int = 0
    items: str = ""
    expects: tuple[str, ...] = ()
    id_parameter: str = ""
    id_style: IdStyle = ""
    batch: int = 1
    calls: int = 300
    seconds: int = 60
    region: bool = True
    sends_region: bool = True
    form: bool = False
    page_parameter: str = "PageNumber"
    total: str = "TotalCount"

    @property
    def key(self) -> str:
        return f"{self.product}:{self.name}"

    @property
    def version(self) -> str:
        return PRODUCTS[self.product].version

    @property
    def ram_action(self) -> str | None:
        """The permission it needs; None for GetCallerIdentity, which needs none."""
        return None if self.product == "sts" else self.key

    @property
    def items_path(self) -> tuple[str, ...]:
        return tuple(self.items.split(".")) if self.items else ()


PRODUCTS: dict[str, Product] = {
    product.name: product
    for product in (
        Product("privatelink", "2020-04-15", "alibabacloud_privatelink20200415"),
        Product("slb", "2014-05-15", "alibabacloud_slb20140515"),
        Product("vpc", "2016-04-28", "alibabacloud_vpc20160428"),
        Product("ecs", "2014-05-26", "alibabacloud_ecs20140526"),
        Product("sts", "2015-04-01", "alibabacloud_sts20150401"),
        Product("nlb", "2022-04-30", host_prefix="nlb"),
        Product("alb", "2020-06-16", host_prefix="alb"),
        Product("gwlb", "2024-04-15", host_prefix="gwlb"),
        Product("cms", "2019-01-01", host_prefix="metrics"),
    )
}

# Help pages api-privatelink-2020-04-15-quota, api-slb-2014-05-15-quota, api-nlb-2022-04-30-quota,
# api-gwlb-2024-04-15-quota, api-vpc-2016-04-28-quota and api-ecs-2014-05-26-quota.  Assumed, for want of a figure:
# GetVpcEndpointAttribute, the slb reads that the page leaves out, DescribeVpcs and DescribeVSwitches, the group and ENI
# reads of ecs; everything else without a figure gets 300 per minute.
_RATES: dict[str, tuple[int, int]] = {
    "privatelink:ListVpcEndpointServices": (1000, 60),
    "privatelink:ListVpcEndpointServiceResources": (1000, 60),
    "privatelink:ListVpcEndpointConnections": (1000, 60),
    "privatelink:ListVpcEndpoints": (1000, 60),
    "privatelink:ListVpcEndpointZones": (1000, 60),
    "privatelink:ListVpcEndpointServicesByEndUser": (1000, 60),
    "privatelink:GetVpcEndpointAttribute": (1000, 60),
    "privatelink:DescribeRegions": (1000, 60),
    "privatelink:DescribeZones": (1000, 60),
    "privatelink:ListVpcEndpointServiceUsers": (3000, 60),
    "privatelink:ListVpcEndpointSecurityGroups": (3000, 60),
    "privatelink:CheckProductOpen": (500, 60),
    "slb:DescribeLoadBalancers": (3000, 60),
    "slb:DescribeLoadBalancerAttribute": (3000, 60),
    "slb:DescribeLoadBalancerListeners": (3000, 60),
    "slb:DescribeHealthStatus": (3000, 60),
    "slb:DescribeVServerGroupAttribute": (3000, 60),
    "slb:DescribeMasterSlaveServerGroupAttribute": (3000, 60),
    "slb:DescribeRules": (3000, 60),
    "slb:DescribeAccessControlListAttribute": (3000, 60),
    "nlb:GetLoadBalancerAttribute": (20, 1),
    "nlb:ListListeners": (20, 1),
    "nlb:ListServerGroups": (20, 1),
    "nlb:ListServerGroupServers": (20, 1),
    "nlb:GetListenerHealthStatus": (10, 1),
    "gwlb:ListLoadBalancers": (600, 60),
    "vpc:DescribeNetworkAcls": (30, 60),
    "ecs:DescribeSecurityGroupAttribute": (500, 60),
    "ecs:DescribeSecurityGroups": (500, 60),
    "ecs:DescribeNetworkInterfaces": (500, 60),
    "ecs:DescribeInstances": (500, 60),
}


def _row(
    key: str,
    items: str = "",
    paging: Paging = "none",
    page_size: int = 0,
    *,
    expects: str = "",
    ids: str = "",
    style: IdStyle = "",
    batch: int = 1,
    region: bool = True,
    form: bool = False,
    pages: str = "PageNumber",
    total: str = "TotalCount",
) -> Operation:
    product, _, name = key.partition(":")
    calls, seconds = _RATES.get(key, (300, 60))
    return Operation(
        product,
        name,
        paging,
        page_size,
        items,
        tuple(expects.split()),
        ids,
        style,
        batch,
        calls,
        seconds,
        region,
        # Requests of alb have no RegionId at all: the host decides.
        region and product != "alb",
        form,
        pages,
        total,
    )


#: Every operation by `product:Operation`.
OPERATIONS: dict[str, Operation] = {
    operation.key: operation
    for operation in (
        _row("sts:GetCallerIdentity", expects="AccountId", region=False),
        # ------------------------------------------------------------------------------------------ privatelink
        _row("privatelink:DescribeRegions", "Regions.Region", region=False),
        _row("privatelink:DescribeZones", "Zones.Zone"),
        _row("privatelink:CheckProductOpen", expects="Success", region=False),
        _row("privatelink:ListVpcEndpointServices", "Services", "token", 1000),
        _row(
            "privatelink:ListVpcEndpointServiceResources",
            "Resources",
            "token",
            50,
            ids="ServiceId",
            style="one",
        ),
        _row("privatelink:ListVpcEndpointServiceUsers", "Users", "token", 50, ids="ServiceId", style="one"),
        _row("privatelink:ListVpcEndpointConnections", "Connections", "token", 1000),
        _row("privatelink:ListVpcEndpoints", "Endpoints", "token", 1000),
        _row("privatelink:GetVpcEndpointAttribute", expects="EndpointId", ids="EndpointId", style="one"),
        _row("privatelink:ListVpcEndpointZones", "Zones", "token", 50, ids="EndpointId", style="one"),
        _row("privatelink:ListVpcEndpointSecurityGroups", "SecurityGroups", "token", 50, ids="EndpointId", style="one"),
        _row("privatelink:ListVpcEndpointServicesByEndUser", "Services", "token", 1000, ids="ServiceId", style="one"),
        # ------------------------------------------------------------------------------------------------- slb
        # A batch of ten ids is one page, but PageSize counts only together with PageNumber.
        _row(
            "slb:DescribeLoadBalancers",
            "LoadBalancers.LoadBalancer",
            "page",
            100,
            ids="LoadBalancerId",
            style="comma",
            batch=10,
        ),
        _row("slb:DescribeLoadBalancerAttribute", "BackendServers.BackendServer", ids="LoadBalancerId", style="one"),
        _row(
            "slb:DescribeLoadBalancerListeners",
            "Listeners",
            "token",
            100,
            ids="LoadBalancerId",
            style="list",
            batch=10,
        ),
        _row("slb:DescribeHealthStatus", "BackendServers.BackendServer", ids="LoadBalancerId", style="one"),
        _row("slb:DescribeVServerGroupAttribute", "BackendServers.BackendServer", ids="VServerGroupId", style="one"),
        _row(
            "slb:DescribeMasterSlaveServerGroupAttribute",
            "MasterSlaveBackendServers.MasterSlaveBackendServer",
            ids="MasterSlaveServerGroupId",
            style="one",
        ),
        _row("slb:DescribeRules", "Rules.Rule", ids="LoadBalancerId", style="one"),
        _row(
            "slb:DescribeAccessControlListAttribute",
            "AclEntrys.AclEntry",
            "page",
            50,
            ids="AclId",
            style="one",
            pages="Page",
            total="TotalAclEntry",
        ),
        # ------------------------------------------------------------------------------------------------- nlb
        _row(
            "nlb:GetLoadBalancerAttribute", "ZoneMappings", expects="LoadBalancerId", ids="LoadBalancerId", style="one"
        ),
        _row("nlb:ListListeners", "Listeners", "token", 100, ids="LoadBalancerIds", style="list", batch=20),
        _row(
            "nlb:ListServerGroups",
            "ServerGroups",
            "token",
            100,
            ids="ServerGroupIds",
            style="list",
            batch=20,
            form=True,
        ),
        _row("nlb:ListServerGroupServers", "Servers", "token", 100, ids="ServerGroupId", style="one", form=True),
        _row("nlb:GetListenerHealthStatus", "ListenerHealthStatus", "token", 30, ids="ListenerId", style="one"),
        # ------------------------------------------------------------------------------------------------- alb
        _row(
            "alb:GetLoadBalancerAttribute", "ZoneMappings", expects="LoadBalancerId", ids="LoadBalancerId", style="one"
        ),
        _row("alb:ListListeners", "Listeners", "token", 100, ids="LoadBalancerIds", style="list", batch=20),
        _row("alb:ListServerGroups", "ServerGroups", "token", 100, ids="ServerGroupIds", style="list", batch=20),
        _row("alb:ListServerGroupServers", "Servers", "token", 100, ids="ServerGroupId", style="one"),
        _row("alb:GetListenerHealthStatus", "ListenerHealthStatus", "token", 30, ids="ListenerId", style="one"),
        # ------------------------------------------------------------------------------------------------ gwlb
        _row(
            "gwlb:ListLoadBalancers",
            "LoadBalancers",
            "token",
            100,
            ids="LoadBalancerIds",
            style="list",
            batch=20,
            form=True,
        ),
        # ------------------------------------------------------------------------------------------------- vpc
        _row("vpc:DescribeVpcs", "Vpcs.Vpc", "page", 50),
        _row("vpc:DescribeVSwitches", "VSwitches.VSwitch", "page", 50),
        _row("vpc:DescribeNetworkAcls", "NetworkAcls.NetworkAcl", "page", 50),
        _row("vpc:DescribeEipAddresses", "EipAddresses.EipAddress", "page", 100),
        _row("vpc:DescribeFlowLogs", "FlowLogs.FlowLog", "page", 50),
        # ------------------------------------------------------------------------------------------------- ecs
        # MaxResults is never left out: without it ecs falls into an older paging style with ten rows.
        _row(
            "ecs:DescribeNetworkInterfaces",
            "NetworkInterfaceSets.NetworkInterfaceSet",
            "token",
            500,
            ids="NetworkInterfaceId",
            style="list",
            batch=100,
        ),
        _row(
            "ecs:DescribeInstances",
            "Instances.Instance",
            "token",
            100,
            ids="InstanceIds",
            style="json",
            batch=100,
        ),
        _row(
            "ecs:DescribeSecurityGroups",
            "SecurityGroups.SecurityGroup",
            "token",
            100,
            ids="SecurityGroupIds",
            style="json",
            batch=100,
        ),
        _row(
            "ecs:DescribeSecurityGroupAttribute",
            "Permissions.Permission",
            "token",
            1000,
            ids="SecurityGroupId",
            style="one",
        ),
        _row("ecs:DescribePrefixListAttributes", "Entries.Entry", ids="PrefixListId", style="one"),
        _row("ecs:DescribePortRangeListEntries", "Entries", ids="PortRangeListId", style="one"),
        # ------------------------------------------------------------------------------------------------- cms
        _row("cms:DescribeMetricRuleList", "Alarms.Alarm", "page", 100, pages="Page", total="Total"),
    )
}

_BY_WIRE: dict[tuple[str, str], Operation] = {
    (operation.version, operation.name): operation for operation in OPERATIONS.values()
}


def operation_on_wire(version: str, action: str) -> Operation | None:
    """The listed operation with this API version and action, None if it is not a listed read.

    The version belongs to the question: some action names exist in two products.
    """
    return _BY_WIRE.get((version, action))


def host_of(product: Product, region: str) -> str:
    """Host of a product without an official client package in a region."""
    return dict(product.hosts).get(region, f"{product.host_prefix}.{region}.aliyuncs.com")
