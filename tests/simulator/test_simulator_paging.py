"""Paging with its traps, batch limits and filters."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from alibabacloud_tea_openapi.exceptions import ClientException

from auditor.simulator import Simulator, World
from auditor.simulator.objects import Backend, Rule

ACCOUNT = "1000000000000001"
OTHER = "1000000000000002"
REGION = "eu-central-1"
Ask = Callable[..., Any]


@pytest.fixture(scope="module")
def crowded() -> World:
    """120 of nearly everything in one account."""
    world = World()
    world.add_account(ACCOUNT, "one")
    world.add_account(OTHER, "two")
    vpc = world.add_vpc(ACCOUNT, "10.0.0.0/8")
    vswitch = world.add_vswitch(vpc, "eu-central-1b", "10.1.0.0/16")
    group = world.add_security_group(vpc, [Rule(cidr=f"10.0.{n // 250}.{n % 250}/32") for n in range(1200)])
    servers = [Backend("i-x", "10.1.9.9", 80)]
    for number in range(120):
        world.add_vpc(ACCOUNT, "10.0.0.0/8", name=f"vpc{number}")
        world.add_vswitch(vpc, "eu-central-1a", f"10.2.{number}.0/24")
        world.add_network_acl(vpc, [])
        world.add_security_group(vpc)
        world.add_prefix_list(ACCOUNT, ["10.0.0.0/8"])
        world.add_port_list(ACCOUNT, ["80/80"])
        world.add_instance(vswitch, [group.security_group_id])
        clb = world.add_clb(vswitch)
        world.add_listener(clb, 80, group=world.add_vserver_group(clb, servers))
        world.add_acl(ACCOUNT, [f"10.0.0.{n}/32" for n in range(120 if number == 0 else 1)])
        service = world.add_service(ACCOUNT, users=[OTHER])
        world.attach_resource(service, clb)
        world.add_endpoint(vpc, service, [vswitch], [group], accepted=True)
    first = next(iter(world.services.values()))
    first.users += [str(2000000000000000 + n) for n in range(100)]
    first.arns += ["acs:ram:*:3000000000000003:*"]
    return world


@pytest.fixture
def simulator(crowded: World, serve: Callable[..., Simulator]) -> Simulator:
    return serve(crowded)


def rows_of(body: Any, path: str) -> list[Any]:
    for key in path.split("."):
        body = body[key]
    return body


TOKEN_LISTS = [
    ("privatelink:ListVpcEndpointServices", "Services", 50, 50, 1000),
    ("privatelink:ListVpcEndpoints", "Endpoints", 50, 50, 1000),
    ("privatelink:ListVpcEndpointConnections", "Connections", 50, 50, 1000),
    ("privatelink:ListVpcEndpointServicesByEndUser", "Services", 50, 50, 1000),
    ("slb:DescribeLoadBalancerListeners", "Listeners", 20, 50, 100),
    ("vpc:ListPrefixLists", "PrefixLists", 20, 50, 100),
    ("ecs:DescribePrefixLists", "PrefixLists.PrefixList", 10, 50, 100),
    ("ecs:DescribePortRangeLists", "PortRangeLists", 10, 50, 100),
]


@pytest.mark.parametrize(("operation", "path", "default", "size", "maximum"), TOKEN_LISTS)
def test_token_paging(
    simulator: Simulator, ask: Ask, operation: str, path: str, default: int, size: int, maximum: int
) -> None:
    assert len(rows_of(ask(simulator, ACCOUNT, operation), path)) == default
    seen, token, pages = [], None, 0
    while True:
        body = ask(simulator, ACCOUNT, operation, max_results=size, next_token=token)
        seen += [json.dumps(row, sort_keys=True) for row in rows_of(body, path)]
        pages += 1
        token = body.get("NextToken")
        if not token:
            break
    assert (len(seen), len(set(seen)), pages) == (120, 120, 3)
    if operation.startswith("ecs:"):
        assert token == ""
    else:
        assert "NextToken" not in body
    with pytest.raises(ClientException) as caught:
        ask(simulator, ACCOUNT, operation, max_results=maximum + 1)
    assert caught.value.code == "InvalidParameter"


def test_token_is_bound_to_its_filters(simulator: Simulator, ask: Ask) -> None:
    operation = "privatelink:ListVpcEndpointServices"
    token = ask(simulator, ACCOUNT, operation, service_status="Active")["NextToken"]
    for arguments in ({"next_token": token}, {"next_token": "nonsense"}):
        with pytest.raises(ClientException) as caught:
            ask(simulator, ACCOUNT, operation, **arguments)
        assert caught.value.code == "InvalidParameter"
    assert ask(simulator, ACCOUNT, operation, service_status="Active", next_token=token)["Services"]


PAGE_LISTS = [
    ("slb:DescribeLoadBalancers", "LoadBalancers.LoadBalancer", 100, 120),
    ("slb:DescribeAccessControlLists", "Acls.Acl", 50, 120),
    ("vpc:DescribeVpcs", "Vpcs.Vpc", 50, 121),
    ("vpc:DescribeVSwitches", "VSwitches.VSwitch", 50, 121),
    ("vpc:DescribeNetworkAcls", "NetworkAcls.NetworkAcl", 50, 120),
]


@pytest.mark.parametrize(("operation", "path", "maximum", "total"), PAGE_LISTS)
def test_numbered_paging(simulator: Simulator, ask: Ask, operation: str, path: str, maximum: int, total: int) -> None:
    seen, number = [], 1
    while page := rows_of(ask(simulator, ACCOUNT, operation, page_number=number, page_size=maximum), path):
        seen += [json.dumps(row, sort_keys=True) for row in page]
        number += 1
    assert (len(seen), len(set(seen))) == (total, total)
    body = ask(simulator, ACCOUNT, operation, page_number=1, page_size=10)
    assert body["TotalCount"] == (str(total) if "NetworkAcls" in operation else total)
    with pytest.raises(ClientException) as caught:
        ask(simulator, ACCOUNT, operation, page_number=1, page_size=maximum + 1)
    assert caught.value.code == "InvalidParameter"


def test_clb_page_size_needs_the_page_number(simulator: Simulator, ask: Ask) -> None:
    with pytest.raises(ClientException) as caught:
        ask(simulator, ACCOUNT, "slb:DescribeLoadBalancers", page_size=100)
    assert caught.value.code == "InvalidParameter"


ECS_LISTS = [
    ("ecs:DescribeInstances", "Instances.Instance", 120, 100, True),
    ("ecs:DescribeNetworkInterfaces", "NetworkInterfaceSets.NetworkInterfaceSet", 240, 500, True),
    ("ecs:DescribeSecurityGroups", "SecurityGroups.SecurityGroup", 121, 100, False),
]


@pytest.mark.parametrize(("operation", "path", "total", "maximum", "clamps"), ECS_LISTS)
def test_ecs_falls_into_ten_rows_without_max_results(
    simulator: Simulator, ask: Ask, operation: str, path: str, total: int, maximum: int, clamps: bool
) -> None:
    body = ask(simulator, ACCOUNT, operation)
    assert (len(rows_of(body, path)), body["TotalCount"]) == (10, total)
    assert "NextToken" not in body
    if clamps:
        assert len(rows_of(ask(simulator, ACCOUNT, operation, max_results=9999), path)) == min(maximum, total)
        assert len(rows_of(ask(simulator, ACCOUNT, operation, max_results=1), path)) == 10
    else:
        with pytest.raises(ClientException) as caught:
            ask(simulator, ACCOUNT, operation, max_results=maximum + 1)
        assert caught.value.code == "InvalidParameter"
    seen, token = 0, None
    while token is None or token:
        body = ask(simulator, ACCOUNT, operation, max_results=maximum, next_token=token)
        seen += len(rows_of(body, path))
        token = body.get("NextToken", "")
    assert (seen, body["TotalCount"]) == (total, 0)


def test_security_group_rules_have_a_second_page(simulator: Simulator, crowded: World, ask: Ask) -> None:
    group = next(iter(crowded.security_groups.values()))
    operation = "ecs:DescribeSecurityGroupAttribute"
    body = ask(simulator, ACCOUNT, operation, security_group_id=group.security_group_id)
    assert len(body["Permissions"]["Permission"]) == 500
    body = ask(simulator, ACCOUNT, operation, security_group_id=group.security_group_id, max_results=1000)
    token = body["NextToken"]
    rest = ask(
        simulator, ACCOUNT, operation, security_group_id=group.security_group_id, max_results=1000, next_token=token
    )
    assert (len(rest["Permissions"]["Permission"]), "NextToken" in rest) == (200, False)
    listed = ask(
        simulator, ACCOUNT, "ecs:DescribeSecurityGroups", security_group_ids=json.dumps([group.security_group_id])
    )
    assert listed["SecurityGroups"]["SecurityGroup"][0]["RuleCount"] == 1200


def test_acl_entries_are_paged_by_page(simulator: Simulator, crowded: World, ask: Ask) -> None:
    acl_id = next(iter(crowded.acls))
    operation = "slb:DescribeAccessControlListAttribute"
    assert len(ask(simulator, ACCOUNT, operation, acl_id=acl_id)["AclEntrys"]["AclEntry"]) == 10
    sizes = []
    for page in (1, 2, 3):
        body = ask(simulator, ACCOUNT, operation, acl_id=acl_id, page=page, page_size=50)
        sizes.append(len(body["AclEntrys"]["AclEntry"]))
    assert (sizes, body["TotalAclEntry"]) == ([50, 50, 20], 120)


def test_whitelist_counts_both_lists(simulator: Simulator, crowded: World, ask: Ask) -> None:
    operation, service_id = "privatelink:ListVpcEndpointServiceUsers", next(iter(crowded.services))
    users, arns, token = [], [], None
    while token is None or token:
        body = ask(simulator, ACCOUNT, operation, service_id=service_id, max_results=50, next_token=token)
        users += body["Users"]
        arns += body["UserARNs"]
        token = body.get("NextToken", "")
    assert (len(users), len(arns), body["TotalCount"]) == (102, 1, "103")
    only = ask(simulator, ACCOUNT, operation, service_id=service_id, user_list_type="UserARNs")
    assert (only["Users"], len(only["UserARNs"])) == ([], 1)


def test_resources_have_no_total(simulator: Simulator, crowded: World, ask: Ask) -> None:
    body = ask(
        simulator, ACCOUNT, "privatelink:ListVpcEndpointServiceResources", service_id=next(iter(crowded.services))
    )
    assert "TotalCount" not in body
    assert body["Resources"][0]["RelatedEndpointCount"] == 1


def test_batches(simulator: Simulator, crowded: World, ask: Ask) -> None:
    """What fits into one call is answered in one call, one more is refused."""
    clbs, vpcs, groups = list(crowded.clbs), list(crowded.vpcs), list(crowded.security_groups)
    enis, instances = list(crowded.enis), list(crowded.instances)
    cases: list[tuple[str, str, int, Callable[[int], dict[str, Any]]]] = [
        (
            "slb:DescribeLoadBalancers",
            "LoadBalancers.LoadBalancer",
            10,
            lambda n: {"load_balancer_id": ",".join(clbs[:n])},
        ),
        ("slb:DescribeLoadBalancerListeners", "Listeners", 10, lambda n: {"load_balancer_id": clbs[:n]}),
        ("vpc:DescribeVpcs", "Vpcs.Vpc", 20, lambda n: {"vpc_id": ",".join(vpcs[:n]), "page_size": 50}),
        (
            "ecs:DescribeSecurityGroups",
            "SecurityGroups.SecurityGroup",
            100,
            lambda n: {"security_group_ids": json.dumps(groups[:n]), "max_results": 100},
        ),
        (
            "ecs:DescribeInstances",
            "Instances.Instance",
            100,
            lambda n: {"instance_ids": json.dumps(instances[:n]), "max_results": 100},
        ),
        (
            "ecs:DescribeNetworkInterfaces",
            "NetworkInterfaceSets.NetworkInterfaceSet",
            100,
            lambda n: {"network_interface_id": enis[:n], "max_results": 100},
        ),
    ]
    for operation, path, limit, arguments in cases:
        assert len(rows_of(ask(simulator, ACCOUNT, operation, **arguments(limit)), path)) == limit, operation
        with pytest.raises(ClientException) as caught:
            ask(simulator, ACCOUNT, operation, **arguments(limit + 1))
        assert caught.value.code == "InvalidParameter", operation
    assert ask(simulator, ACCOUNT, "ecs:DescribeInstances", instance_ids="[]")["Instances"] == {"Instance": []}


def test_dry_run(simulator: Simulator, ask: Ask) -> None:
    for operation in (
        "ecs:DescribeInstances",
        "ecs:DescribeSecurityGroups",
        "vpc:DescribeVpcs",
        "vpc:DescribeVSwitches",
    ):
        with pytest.raises(ClientException) as caught:
            ask(simulator, ACCOUNT, operation, dry_run=True)
        assert caught.value.code == "DryRunOperation"


def test_shared_vswitch_belongs_to_its_owner(simulator: Simulator, crowded: World, ask: Ask) -> None:
    vswitch = next(iter(crowded.vswitches.values()))
    vswitch.shared_with.append(OTHER)
    try:
        body = ask(simulator, OTHER, "vpc:DescribeVSwitches")
        row = body["VSwitches"]["VSwitch"][0]
        assert (body["TotalCount"], row["ShareType"], row["OwnerId"]) == (1, "Shared", int(ACCOUNT))
    finally:
        vswitch.shared_with.clear()


def test_not_found(simulator: Simulator, ask: Ask) -> None:
    cases = [
        ("privatelink:ListVpcEndpointZones", {"endpoint_id": "ep-x"}, "EndpointNotFound"),
        ("privatelink:ListVpcEndpointServiceResources", {"service_id": "epsrv-x"}, "EndpointServiceNotFound"),
        ("slb:DescribeHealthStatus", {"load_balancer_id": "lb-x"}, "InvalidLoadBalancerId.NotFound"),
        ("slb:DescribeAccessControlListAttribute", {"acl_id": "acl-x"}, "AclNotExist"),
        ("ecs:DescribeSecurityGroupAttribute", {"security_group_id": "sg-x"}, "InvalidSecurityGroupId.NotFound"),
    ]
    for operation, arguments, code in cases:
        with pytest.raises(ClientException) as caught:
            ask(simulator, ACCOUNT, operation, **arguments)
        assert caught.value.code == code
