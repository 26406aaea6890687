"""Every body of every operation in every scenario fits the official SDK models exactly."""

from __future__ import annotations

import copy
import functools
import importlib
import inspect
import re
import sys
import typing
from collections.abc import Iterator
from typing import Any

import pytest

from auditor.simulator.scenarios import SCENARIOS
from auditor.simulator.server import PRODUCTS
from auditor.simulator.wire import Call
from auditor.simulator.world import World

PACKAGES = {
    "privatelink": "alibabacloud_privatelink20200415",
    "slb": "alibabacloud_slb20140515",
    "vpc": "alibabacloud_vpc20160428",
    "ecs": "alibabacloud_ecs20140526",
    "sts": "alibabacloud_sts20150401",
    "nlb": "alibabacloud_nlb20220430",
    "alb": "alibabacloud_alb20200616",
    "gwlb": "alibabacloud_gwlb20240415",
    "cms": "alibabacloud_cms20190101",
}


@functools.cache
def models_of(product: str) -> Any:
    """The models of a product, None where its SDK is not installed."""
    try:
        return importlib.import_module(PACKAGES[product] + ".models")
    except ImportError:
        return None


@functools.cache
def fields_of(cls: type) -> dict[str, tuple[str, Any]]:
    """Attribute to (wire name, type) of a model."""
    source = inspect.getsource(cls.to_map)  # type: ignore[attr-defined]
    names = {attr: key for key, attr in re.findall(r"result\['([^']+)'\] = self\.(\w+)", source)}
    lists = re.findall(r"result\['([^']+)'\] = (?:\[\]|\{\})\s+if self\.(\w+) is not None", source)
    names |= {attr: key for key, attr in lists}
    hints = typing.get_type_hints(cls.__init__, vars(sys.modules[cls.__module__]))
    hints.pop("return", None)
    return {attr: (names.get(attr, attr), hint) for attr, hint in hints.items()}


def type_errors(model: Any, path: str) -> Iterator[str]:
    for attr, (key, hint) in fields_of(type(model)).items():
        value = getattr(model, attr)
        if value is not None:
            yield from value_errors(value, hint, f"{path}.{key}")


def value_errors(value: Any, hint: Any, path: str) -> Iterator[str]:
    if typing.get_origin(hint) is list:
        if not isinstance(value, list):
            yield f"{path}: expected a list, got {value!r}"
            return
        for item in value:
            yield from value_errors(item, typing.get_args(hint)[0], f"{path}[]")
    elif hasattr(hint, "from_map"):
        if isinstance(value, hint):
            yield from type_errors(value, path)
        else:
            yield f"{path}: expected {hint.__name__}, got {value!r}"
    elif isinstance(hint, type):
        wanted = (int, float) if hint is float else hint
        if not isinstance(value, wanted) or (hint is int and isinstance(value, bool)):
            yield f"{path}: expected {hint.__name__}, got {value!r}"


def differences(left: Any, right: Any, path: str = "$") -> Iterator[str]:
    if isinstance(left, dict) and isinstance(right, dict):
        for key in sorted(left.keys() | right.keys()):
            if key not in right:
                yield f"{path}.{key}: lost by the model"
            elif key not in left:
                yield f"{path}.{key}: added by the model ({right[key]!r})"
            else:
                yield from differences(left[key], right[key], f"{path}.{key}")
    elif isinstance(left, list) and isinstance(right, list):
        if len(left) != len(right):
            yield f"{path}: {len(left)} items became {len(right)}"
        for a, b in zip(left, right, strict=False):
            yield from differences(a, b, f"{path}[]")
    elif left != right or type(left) is not type(right):
        yield f"{path}: {left!r} became {right!r}"


def parameters(world: World, product: str, action: str, account_id: str, region_id: str) -> Iterator[dict[str, str]]:
    """Parameter sets that reach every object an operation can show."""

    def own(objects: dict[str, Any]) -> list[str]:
        return [k for k, v in objects.items() if (v.account_id, v.region_id) == (account_id, region_id)]

    clbs = own(world.clbs)
    groups = [g for g in world.server_groups.values() if g.load_balancer_id in clbs]
    by_id: dict[tuple[str, ...], tuple[str, list[str]]] = {
        ("GetVpcEndpointServiceAttribute", "ListVpcEndpointServiceResources", "ListVpcEndpointServiceUsers"): (
            "ServiceId",
            own(world.services),
        ),
        ("GetVpcEndpointAttribute", "ListVpcEndpointZones", "ListVpcEndpointSecurityGroups"): (
            "EndpointId",
            own(world.endpoints),
        ),
        (
            "DescribeLoadBalancerAttribute",
            "DescribeHealthStatus",
            "DescribeVServerGroups",
            "DescribeMasterSlaveServerGroups",
        ): ("LoadBalancerId", clbs),
        ("DescribeVServerGroupAttribute",): ("VServerGroupId", [g.group_id for g in groups if g.kind == "vserver"]),
        ("DescribeMasterSlaveServerGroupAttribute",): (
            "MasterSlaveServerGroupId",
            [g.group_id for g in groups if g.kind == "primary_secondary"],
        ),
        ("DescribeAccessControlListAttribute",): ("AclId", own(world.acls)),
        ("DescribeVSwitchAttributes",): ("VSwitchId", own(world.vswitches)),
        ("DescribeNetworkAclAttributes",): ("NetworkAclId", own(world.network_acls)),
        ("GetVpcPrefixListEntries", "DescribePrefixListAttributes"): ("PrefixListId", own(world.prefix_lists)),
        ("DescribePortRangeListEntries",): ("PortRangeListId", own(world.port_lists)),
        ("DescribeSecurityGroupAttribute",): ("SecurityGroupId", own(world.security_groups)),
    }
    base = {"RegionId": region_id}
    for actions, (name, ids) in by_id.items():
        if action in actions:
            for object_id in ids:
                yield {**base, name: object_id, "IncludeListener": "true", "IncludeRule": "true"}
            return
    balancers = [
        b
        for b in world.balancers.values()
        if (b.account_id, b.region_id, b.balancer_type) == (account_id, region_id, product)
    ]
    if action == "GetLoadBalancerAttribute":
        yield from ({**base, "LoadBalancerId": b.load_balancer_id} for b in balancers)
    elif action == "GetListenerHealthStatus":
        yield from ({**base, "ListenerId": item.listener_id} for b in balancers for item in b.listeners)
    elif action == "DescribeRules":
        for clb in (world.clbs[key] for key in clbs):
            for item in clb.listeners:
                if item.protocol.startswith("http"):
                    yield {
                        **base,
                        "LoadBalancerId": clb.load_balancer_id,
                        "ListenerPort": str(item.port),
                        "ListenerProtocol": item.protocol,
                    }
    elif action == "ListTagResources":
        kinds = {
            "privatelink": [("vpcendpoint", own(world.endpoints)), ("vpcendpointservice", own(world.services))],
            "slb": [("instance", clbs)],
            "vpc": [("VPC", own(world.vpcs)), ("VSWITCH", own(world.vswitches))],
            "ecs": [("instance", own(world.instances)), ("securitygroup", own(world.security_groups))],
        }[product]
        for kind, ids in kinds:
            for object_id in ids:
                yield {**base, "ResourceType": kind, "ResourceId.1": object_id}
    elif action == "DescribeSecurityGroupReferences":
        yield from ({**base, "SecurityGroupId.1": object_id} for object_id in own(world.security_groups))
    else:
        yield base


def check(world: World) -> tuple[int, list[str]]:
    """Number of bodies checked, and what does not fit."""
    count, problems = 0, set()
    for product, operations in PRODUCTS.values():
        models = models_of(product)
        if models is None:
            continue
        for action, answer in operations.items():
            for account in world.accounts.values():
                if action == "CheckProductOpen" and not account.privatelink_open:
                    continue
                for region_id in world.regions:
                    for params in parameters(world, product, action, account.account_id, region_id):
                        call = Call(world, account, product, action, region_id, params)
                        body = {**answer(call), "RequestId": "r"}
                        model = getattr(models, action + "ResponseBody")().from_map(copy.deepcopy(body))
                        label = f"{product}:{action}"
                        problems |= {f"{label} {text}" for text in differences(body, model.to_map())}
                        problems |= {f"{label} {text}" for text in type_errors(model, "$")}
                        count += 1
    return count, sorted(problems)


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_bodies_of_scenario_fit_models(name: str) -> None:
    count, problems = check(SCENARIOS[name]())
    assert problems == []
    assert count > 100


def everything() -> World:
    """A world with at least one object of every kind and variant."""
    world = SCENARIOS["nlb"]()
    provider, consumer = "6543210987654321", "1234567890123456"
    from auditor.simulator.objects import NetworkAclEntry, Rule

    clb = next(iter(world.clbs.values()))
    servers = clb.default_group
    first, second = (copy.copy(server) for server in servers)
    first.port = second.port = 9000
    acl = world.add_acl(provider, {"100.64.0.0/10": "clb"})
    group = world.add_vserver_group(clb, [copy.copy(first)])
    world.add_listener(clb, 8080, group=group, acl_status="on", acl_type="white", acl_ids=[acl.acl_id])
    world.add_listener(clb, 53, protocol="udp", health_check_port=53)
    world.add_listener(clb, 9000, group=world.add_primary_secondary_group(clb, first, second))
    world.add_listener(clb, 81, protocol="http", forward="on", forward_port=443)
    http = world.add_listener(clb, 82, protocol="http", group=group, health_check="off", tags={"a": "b"})
    world.add_forwarding_rule(http, group, domain="a.example.com")
    world.add_listener(clb, 443, protocol="https", group=group)
    vpc = next(v for v in world.vpcs.values() if v.account_id == consumer)
    vswitches = [v for v in world.vswitches.values() if v.vpc_id == vpc.vpc_id]
    prefix_list, port_list = world.add_prefix_list(consumer, ["10.0.0.0/8"]), world.add_port_list(consumer, ["1/2"])
    peer = world.add_security_group(vpc)
    world.add_security_group(
        vpc,
        [
            Rule(prefix_list_id=prefix_list.prefix_list_id, port_list_id=port_list.port_list_id),
            Rule(group_id=peer.security_group_id, ports="80/80"),
            Rule(direction="egress", cidr="0.0.0.0/0", protocol="ALL"),
        ],
        tags={"env": "prod"},
    )
    world.add_network_acl(vpc, vswitches, [NetworkAclEntry()], [NetworkAclEntry(cidr="::/0")])
    eni = world.add_eni(vswitches[0], secondary_ips=["10.10.2.99"], ipv6_addresses=["fd00::1"])
    vpc.secondary_cidrs.append("10.30.0.0/16")
    world.add_eip(provider, "203.0.113.7", instance_type="SlbInstance", instance_id=clb.load_balancer_id)
    world.add_flow_log(consumer, "VPC", vpc.vpc_id)
    world.add_alarm(consumer, name="bandwidth")
    for balancer_group in world.balancer_groups.values():
        balancer_group.servers[0].health = "Unhealthy"
    assert eni.eni_id in world.enis
    return world


def test_bodies_of_every_kind_of_object_fit_models() -> None:
    world = everything()
    count, problems = check(world)
    assert problems == []
    assert count > 200


def test_real_client_maps_every_body(serve: Any, ask: Any) -> None:
    world = everything()
    simulator = serve(world)
    asked = set()
    for product in ("privatelink", "slb", "vpc", "ecs", "sts"):
        operations = next(operations for name, operations in PRODUCTS.values() if name == product)
        for action, answer in operations.items():
            for account_id in world.accounts:
                sets = list(parameters(world, product, action, account_id, "eu-central-1"))
                if not sets or "ResourceId.1" in sets[0] or "SecurityGroupId.1" in sets[0]:
                    continue
                body = ask(simulator, account_id, f"{product}:{action}", wire=sets[0])
                expected = answer(Call(world, world.accounts[account_id], product, action, "eu-central-1", sets[0]))
                assert body == {**expected, "RequestId": body["RequestId"]}, action
                asked.add(f"{product}:{action}")
    assert len(asked) > 45
