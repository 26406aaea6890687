"""Permissions: which reads a set of tables takes on which side, and the least RAM policy that allows them.

What is said here about a read is what `auditor.collect` does: a read is named for a side if an account of that side
can be asked for it.  The tests compare both.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Literal

from auditor.collect.operations import OPERATIONS
from auditor.collect.wanted import wanted_tables
from auditor.engine import Rule, tables_needed
from auditor.spec import Spec

#: Whose account is asked.  `both`: an account that owns endpoints and endpoint services, or not known which.
AccountSide = Literal["provider", "consumer", "both"]
SIDES: tuple[AccountSide, ...] = ("provider", "consumer", "both")

IDENTITY = "sts:GetCallerIdentity"
#: Whether an account is a provider, a consumer or both is found from these lists, so everybody is asked for them.
_ALWAYS = (
    IDENTITY,
    "privatelink:DescribeRegions",
    "privatelink:ListVpcEndpoints",
    "privatelink:ListVpcEndpointServices",
)

#: Operation → tables, of which one has to be wanted.
_EITHER_SIDE = {
    "privatelink:CheckProductOpen": "product_activations",
    "vpc:DescribeVpcs": "vpcs vpc_cidrs",
    "vpc:DescribeVSwitches": "vswitches",
    "vpc:DescribeNetworkAcls": "network_acls network_acl_entries",
}
_CONSUMER = {
    "privatelink:GetVpcEndpointAttribute": "endpoint_attributes",
    "privatelink:ListVpcEndpointZones": "endpoint_zones",
    "privatelink:ListVpcEndpointSecurityGroups": "endpoint_security_groups",
    "privatelink:ListVpcEndpointServicesByEndUser": "visible_services visible_service_zones",
    "vpc:DescribeFlowLogs": "flow_logs",
    "cms:DescribeMetricRuleList": "metric_alarms",
    "ecs:DescribeNetworkInterfaces": "network_interfaces eni_addresses eni_security_groups",
}
_PROVIDER = {
    "privatelink:DescribeZones": "privatelink_zones",
    "privatelink:ListVpcEndpointServiceResources": "service_resources",
    "privatelink:ListVpcEndpointServiceUsers": "service_users",
    "privatelink:ListVpcEndpointConnections": "connections connection_zones",
    "vpc:DescribeEipAddresses": "eip_addresses",
    "slb:DescribeLoadBalancers": "load_balancers resource_tags",
    "slb:DescribeLoadBalancerListeners": "listeners listener_acls",
    "slb:DescribeHealthStatus": "health_status",
    "slb:DescribeRules": "forwarding_rules",
    "slb:DescribeAccessControlListAttribute": "acl_entries",
    "slb:DescribeLoadBalancerAttribute": "server_groups backends",
    "slb:DescribeVServerGroupAttribute": "server_groups backends",
    "slb:DescribeMasterSlaveServerGroupAttribute": "server_groups backends",
    **{
        f"{product}:{name}": tables
        for product in ("nlb", "alb")
        for name, tables in {
            "GetLoadBalancerAttribute": "load_balancers load_balancer_zones resource_tags",
            "ListListeners": "listeners",
            "ListServerGroups": "server_groups backends",
            "ListServerGroupServers": "server_groups backends",
            "GetListenerHealthStatus": "health_status",
        }.items()
    },
    "gwlb:ListLoadBalancers": "load_balancers load_balancer_zones resource_tags",
    "ecs:DescribeInstances": "instances instance_security_groups",
}
#: Security groups, wherever some are looked at.
_GROUPS = {
    "ecs:DescribeSecurityGroupAttribute": "security_group_rules security_group_policies",
    "ecs:DescribeSecurityGroups": "security_groups",
    "ecs:DescribePrefixListAttributes": "prefix_lists prefix_list_entries",
    "ecs:DescribePortRangeListEntries": "port_list_entries",
}
_INTERFACES = frozenset(_CONSUMER["ecs:DescribeNetworkInterfaces"].split())

#: Operations that some selection of rules can lead to; the others only name what plaudit does not read.
CALLED = frozenset({*_ALWAYS, *_EITHER_SIDE, *_CONSUMER, *_PROVIDER, *_GROUPS})


def operations_needed(tables: Collection[str], side: AccountSide = "both", spec: Spec | None = None) -> frozenset[str]:
    """Operations `product:Operation` an account of that side can be asked for, where these tables are wanted.

    `tables` are inventory tables; those that have to be read to get at them are added.  `spec` names declared clients:
    instances are only read for an endpoint whose clients are instances.  Raises KeyError for an unknown table.
    """
    wanted = wanted_tables(tables)
    found = {*_ALWAYS}

    def add(which: dict[str, str]) -> None:
        found.update(operation for operation, names in which.items() if wanted.any(*names.split()))

    add(_EITHER_SIDE)
    if side != "provider":
        add(_CONSUMER)
        add(_GROUPS)
        if _declares_instances(spec):
            add({"ecs:DescribeInstances": _PROVIDER["ecs:DescribeInstances"]})
    if side != "consumer":
        add(_PROVIDER)
        # Backends can be ENIs, and the groups of backends are only looked at where somebody asked for those.
        if wanted.any("backends"):
            if wanted.any(*_INTERFACES):
                found.add("ecs:DescribeNetworkInterfaces")
            if not wanted.asked.isdisjoint({"eni_security_groups", "instance_security_groups"}):
                add(_GROUPS)
    return frozenset(found)


def _declares_instances(spec: Spec | None) -> bool:
    endpoints = spec.endpoints.values() if spec is not None else ()
    return any(client.startswith("i-") for endpoint in endpoints for client in endpoint.clients or ())


def rule_operations(rule: Rule, side: AccountSide = "both", spec: Spec | None = None) -> frozenset[str]:
    """Operations the rule rests on, directly or because they name what to ask for."""
    return operations_needed(tables_needed([rule], spec), side, spec)


def policy_document(tables: Collection[str], side: AccountSide = "both", spec: Spec | None = None) -> dict[str, Any]:
    """The least RAM policy under which an account of that side can be read into these inventory tables.

    Ready to be written as JSON.  GetCallerIdentity needs no grant and is not in it.
    """
    operations = operations_needed(tables, side, spec)
    actions = sorted({action for key in operations if (action := OPERATIONS[key].ram_action) is not None})
    return {"Version": "1", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}
