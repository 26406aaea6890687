"""Rows out of raw answers: typed as declared, never invented, never a crash."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.collect import alb, clb, cms, ecs, gwlb, nlb, privatelink, vpc
from auditor.collect.answers import CloudError
from auditor.collect.caller import Listing
from auditor.collect.fields import Mistyped, Rows, flag, number, text
from auditor.collect.ledger import Ledger
from auditor.inventory.normalize import table_frame
from auditor.inventory.schema import TABLES

SERVICE = {
    "ServiceId": "epsrv-1",
    "ServiceName": "n",
    "ServiceStatus": "Active",
    "AutoAcceptEnabled": False,
    "ConnectBandwidth": 3072,
    "Tags": [{"Key": "env", "Value": "prod"}],
    "SupportedRegionSet": [{"SupportedRegionId": "eu-central-1", "RegionServiceStatus": "Available"}],
}
CONNECTION = {
    "ServiceId": "epsrv-1",
    "EndpointId": "ep-1",
    "EndpointOwnerId": 1234567890123456,
    "ResourceOwner": False,
    "Zones": [{"ZoneId": "a", "ZoneStatus": "Connected", "ResourceId": "lb-1", "EniId": "eni-1"}],
}
ENDPOINT = {"EndpointId": "ep-1", "VpcId": "vpc-1", "ServiceId": "epsrv-1", "Bandwidth": 1, "Tags": []}
CLB = {"LoadBalancerId": "lb-1", "AddressType": "intranet", "Tags": {"Tag": [{"TagKey": "a", "TagValue": "b"}]}}
LISTENER = {
    "LoadBalancerId": "lb-1",
    "ListenerProtocol": "TCP",
    "ListenerPort": 80,
    "Status": "running",
    "AclIds": ["acl-1"],
    "AclStatus": "on",
    "VServerGroupId": "rsp-1",
    "TCPListenerConfig": {"HealthCheck": "on", "HealthCheckConnectPort": 8080},
}
GROUP = {
    "LoadBalancerId": "lb-1",
    "VServerGroupId": "rsp-1",
    "VServerGroupName": "n",
    "BackendServers": {
        "BackendServer": [{"ServerId": "i-1", "Port": 80, "Weight": 100, "Type": "ecs", "ServerType": "Master"}]
    },
}
HEALTH = {"ListenerPort": 80, "Protocol": "tcp", "ServerId": "i-1", "Port": 80, "ServerHealthStatus": "normal"}
ACL_ENTRIES = {
    "IngressAclEntries": {"IngressAclEntry": [{"Policy": "Accept", "SourceCidrIp": "0.0.0.0/0", "Port": "-1/-1"}]}
}
NETWORK_ACL = {"NetworkAclId": "nacl-1", **ACL_ENTRIES, "EgressAclEntries": {"EgressAclEntry": []}}
ENI = {
    "NetworkInterfaceId": "eni-1",
    "VpcId": "vpc-1",
    "PrivateIpAddress": "10.0.0.1",
    "ServiceManaged": True,
    "PrivateIpSets": {"PrivateIpSet": [{"PrivateIpAddress": "10.0.0.1"}]},
    "Ipv6Sets": {"Ipv6Set": [{"Ipv6Address": "fd00::1"}]},
    "Ipv4PrefixSets": {"Ipv4PrefixSet": [{"Ipv4Prefix": "10.0.1.0/28"}]},
    "Ipv6PrefixSets": {"Ipv6PrefixSet": []},
    "SecurityGroupIds": {"SecurityGroupId": ["sg-1"]},
}
INSTANCE = {
    "InstanceId": "i-1",
    "Status": "Running",
    "SecurityGroupIds": {"SecurityGroupId": ["sg-1"]},
    "VpcAttributes": {"VpcId": "vpc-1", "PrivateIpAddress": {"IpAddress": ["10.0.0.2"]}},
}
RULE = {
    "SecurityGroupRuleId": "sgr-1",
    "Direction": "ingress",
    "Policy": "accept",
    "Priority": "1",
    "IpProtocol": "tcp",
}
NLB = {
    "LoadBalancerId": "nlb-1",
    "LoadBalancerStatus": "Active",
    "Tags": [{"TagKey": "k", "TagValue": "v"}],
    "LoadBalancerBillingConfig": {"PayType": "PostPay"},
    "DeletionProtectionConfig": {"Enabled": True},
    "ZoneMappings": [{"ZoneId": "a", "LoadBalancerAddresses": [{"PrivateIPv4Address": "10.0.0.9", "EniId": "eni-9"}]}],
}
NLB_LISTENER = {
    "LoadBalancerId": "nlb-1",
    "ListenerId": "lsn-1",
    "ListenerProtocol": "TCP",
    "ListenerPort": 80,
    "ServerGroupId": "sgp-1",
    "DefaultActions": [{"ForwardGroupConfig": {"ServerGroupTuples": [{"ServerGroupId": "sgp-1"}]}}],
}
NLB_GROUP = {
    "ServerGroupId": "sgp-1",
    "HealthCheck": {"HealthCheckEnabled": True},
    "HealthCheckConfig": {"HealthCheckEnabled": "true"},
}
NLB_HEALTH = {"ServerGroupInfos": [{"NonNormalServers": [{"ServerId": "i-1", "Port": 80, "Status": "Unhealthy"}]}]}
ROW = {"load_balancer_id": "nlb-1", "protocol": "tcp", "port": 80}

#: Every function that makes rows, with an answer it understands.
MAKERS: dict[str, tuple[Callable[[Any], Rows], Any]] = {
    "regions": (
        lambda raw: privatelink.region_rows([raw]),
        {"RegionId": "r", "ServiceResourceTypes": {"ServiceResourceType": ["slb"]}},
    ),
    "zones of a type": (lambda raw: privatelink.zone_of_type_rows([raw], "slb"), {"ZoneId": "a"}),
    "services": (lambda raw: privatelink.service_rows([raw]), SERVICE),
    "resources": (
        lambda raw: privatelink.resource_rows([raw], "epsrv-1"),
        {"ResourceId": "lb-1", "ZoneId": "a", "AutoAllocatedEnabled": True, "RelatedEndpointCount": 1},
    ),
    "users": (
        lambda raw: privatelink.user_rows([raw], "epsrv-1"),
        {"Users": [{"UserId": 1234567890123456}], "UserARNs": [{"UserARN": "acs:ram:*:1:*"}]},
    ),
    "connections": (lambda raw: privatelink.connection_rows([raw]), CONNECTION),
    "endpoints": (lambda raw: privatelink.endpoint_rows([raw]), ENDPOINT),
    "endpoint attributes": (
        lambda raw: privatelink.endpoint_attribute_rows(raw, "ep-1"),
        {"EndpointId": "ep-1", "Payer": "Endpoint"},
    ),
    "endpoint zones": (lambda raw: privatelink.endpoint_zone_rows([raw], "ep-1"), {"ZoneId": "a", "EniId": "eni-1"}),
    "endpoint groups": (lambda raw: privatelink.endpoint_group_rows([raw], "ep-1"), {"SecurityGroupId": "sg-1"}),
    "visible services": (
        lambda raw: privatelink.visible_service_rows([raw], "epsrv-1"),
        {"ServiceId": "epsrv-1", "Zones": ["a"]},
    ),
    "clb": (lambda raw: clb.load_balancer_rows([raw], ["lb-1"]), CLB),
    "clb listeners": (lambda raw: clb.listener_rows([raw], ["lb-1"]), LISTENER),
    "clb rules": (
        lambda raw: clb.rule_rows([raw], "lb-1", "http", 80),
        {"RuleId": "rule-1", "VServerGroupId": "rsp-1"},
    ),
    "clb group": (
        lambda raw: clb.group_rows(raw, _inner(raw, "BackendServers", "BackendServer"), clb.VSERVER_GROUP, "rsp-1"),
        GROUP,
    ),
    "clb default group": (
        lambda raw: clb.group_rows(raw, _inner(raw, "BackendServers", "BackendServer"), clb.ATTRIBUTE, "lb-1"),
        GROUP,
    ),
    "clb health": (lambda raw: clb.health_rows([raw], "lb-1"), HEALTH),
    "clb acl": (lambda raw: clb.acl_rows([raw], "acl-1"), {"AclEntryIP": "10.0.0.0/8"}),
    "vpcs": (
        lambda raw: vpc.vpc_rows([raw]),
        {
            "VpcId": "vpc-1",
            "CidrBlock": "10.0.0.0/8",
            "OwnerId": 1,
            "SecondaryCidrBlocks": {"SecondaryCidrBlock": ["10.1.0.0/16"]},
        },
    ),
    "vswitches": (lambda raw: vpc.vswitch_rows([raw]), {"VSwitchId": "vsw-1", "AvailableIpAddressCount": 1}),
    "network acls": (lambda raw: vpc.network_acl_rows([raw]), NETWORK_ACL),
    "eips": (lambda raw: vpc.eip_rows([raw]), {"AllocationId": "eip-1"}),
    "flow logs": (lambda raw: vpc.flow_log_rows([raw]), {"FlowLogId": "fl-1"}),
    "enis": (lambda raw: ecs.interface_rows([raw], "vpc-1"), ENI),
    "enis by id": (lambda raw: ecs.interface_rows([raw], None), ENI),
    "instances": (lambda raw: ecs.instance_rows([raw], ["i-1"]), INSTANCE),
    "groups": (
        lambda raw: ecs.group_rows([raw], ["sg-1"]),
        {"SecurityGroupId": "sg-1", "RuleCount": 3, "ServiceManaged": False},
    ),
    "group rules": (
        lambda raw: ecs.rule_rows([raw], _inner(raw, "Permissions", "Permission"), "sg-1"),
        {"InnerAccessPolicy": "Accept", "Permissions": {"Permission": [RULE]}},
    ),
    "prefix list": (
        lambda raw: ecs.prefix_list_rows(raw, _inner(raw, "Entries", "Entry"), "pl-1"),
        {"AddressFamily": "IPv4", "MaxEntries": 5, "Entries": {"Entry": [{"Cidr": "10.0.0.0/8"}]}},
    ),
    "port list": (lambda raw: ecs.port_list_rows([raw], "prl-1"), {"PortRange": "80/80"}),
    "alarms": (lambda raw: cms.rows([raw]), {"RuleId": "r", "EnableState": True}),
    "nlb": (lambda raw: nlb.load_balancer_rows(raw, "nlb-1"), NLB),
    "alb": (lambda raw: alb.load_balancer_rows(raw, "nlb-1"), NLB),
    "gwlb": (lambda raw: gwlb.load_balancer_rows([raw], ["nlb-1"]), NLB),
    "nlb listeners": (lambda raw: nlb.listener_rows([raw], ["nlb-1"]), NLB_LISTENER),
    "alb listeners": (lambda raw: alb.listener_rows([raw], ["nlb-1"]), NLB_LISTENER),
    "nlb groups": (lambda raw: nlb.server_group_rows([raw], ["sgp-1"]), NLB_GROUP),
    "alb groups": (lambda raw: alb.server_group_rows([raw], ["sgp-1"]), NLB_GROUP),
    "nlb servers": (lambda raw: nlb.backend_rows([raw], "sgp-1"), {"ServerId": "i-1", "ServerType": "Ecs", "Port": 80}),
    "nlb health": (lambda raw: nlb.health_rows([raw], ROW), NLB_HEALTH),
}


def _inner(raw: Any, outer: str, inner: str) -> list[Any]:
    wrapper = raw.get(outer)
    content = wrapper.get(inner) if isinstance(wrapper, dict) else None
    return [item for item in content if isinstance(item, dict)] if isinstance(content, list) else []


def _typed(made: Rows) -> None:
    """Rows fit the declared schema: types, columns, nothing missing that is required."""
    for table, rows in made.tables.items():
        whole = [{"account_id": "1", "region_id": "r", **row} for row in rows]
        frame = table_frame(table, whole)
        for column in TABLES[table].required:
            assert frame[column].notna().all()


@pytest.mark.parametrize("name", MAKERS)
def test_a_good_answer_gives_rows_without_flaws(name: str) -> None:
    make, raw = MAKERS[name]
    made = make(raw)
    assert made.tables
    assert not made.flaws
    _typed(made)


_ODD = st.sampled_from(
    [None, "", "text", "7", -1, 0, 3, 2**70, 1.5, True, False, [], {}, [None], [1], ["x"], [{}], {"a": 1}, "\ud800"]
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        found += _places(inner, (*path, key))
    return found


@given(st.data())
@settings(max_examples=400, deadline=None)
def test_odd_answers_make_no_crash_and_no_mistyped_row(data: st.DataObject) -> None:
    make, good = MAKERS[data.draw(st.sampled_from(sorted(MAKERS)))]
    raw = copy.deepcopy(good)
    for _ in range(data.draw(st.integers(1, 2))):
        path = data.draw(st.sampled_from(_places(raw) or [("none",)]))
        here = raw
        for key in path[:-1]:
            here = here[key]
        if data.draw(st.booleans()):
            here[path[-1]] = copy.deepcopy(data.draw(_ODD))
        elif isinstance(here, dict):
            here.pop(path[-1], None)
    _typed(make(raw))


@pytest.mark.parametrize("name", MAKERS)
def test_taking_a_field_away_never_adds_or_changes_anything(name: str) -> None:
    """What is absent becomes NULL or a flaw; no other value appears in its place."""
    make, good = MAKERS[name]
    everything = {
        (table, str(value)) for table, rows in make(good).tables.items() for row in rows for value in row.values()
    }
    for path in _places(good):
        raw = copy.deepcopy(good)
        here = raw
        for key in path[:-1]:
            here = here[key]
        if isinstance(here, list):
            continue
        del here[path[-1]]
        made = make(raw)
        values = {
            (table, str(value))
            for table, rows in made.tables.items()
            for row in rows
            for value in row.values()
            if value is not None
        }
        # Empty text is written where something else shows that there is none (listeners).
        assert {pair for pair in values - everything if pair[1] != ""} == set()


# --------------------------------------------------------------------------------------------------------- fields


def test_fields() -> None:
    item = {"i": 1234567890123456, "b": True, "s": "x", "n": "12", "f": 1.5, "o": {"s": "y"}, "big": 2**63, "e": ""}
    assert text(item, "i") == "1234567890123456"
    assert text(item, "o", "s") == "y"
    assert text(item, "none") is None
    assert text(None, "none") is None
    assert isinstance(text(item, "b"), Mistyped)
    assert isinstance(text(item, "s", "deeper"), Mistyped)
    assert text({"s": "a\ud800"}, "s") == "a?"
    assert (number(item, "n"), number(item, "e"), number({"n": "-1"}, "n")) == (12, None, -1)
    for name in ("s", "b", "f", "big", "o"):
        assert isinstance(number(item, name), Mistyped)
    assert flag(item, "b") is True
    for name in ("i", "s", "n"):
        assert isinstance(flag(item, name), Mistyped)


@pytest.mark.parametrize("changed", [{"AutoAcceptEnabled": "true"}, {"ConnectBandwidth": "fast"}, {"ServiceName": {}}])
def test_a_mistyped_value_spoils_its_row_only(changed: dict[str, Any]) -> None:
    made = privatelink.service_rows([{**SERVICE, **changed}, {**SERVICE, "ServiceId": "epsrv-2"}])
    assert [row["service_id"] for row in made.tables["endpoint_services"]] == ["epsrv-2"]
    assert [(flaw.table, flaw.target, flaw.code) for flaw in made.flaws] == [
        ("endpoint_services", "", "Plaudit.Malformed")
    ]


# ------------------------------------------------------------------------------------------------------- listeners


@pytest.mark.parametrize(
    ("changed", "vserver", "primary_secondary"),
    [
        ({}, "rsp-1", ""),
        ({"VServerGroupId": None}, None, ""),
        ({"VServerGroupId": None, "BackendServerPort": 80}, "", ""),
        ({"VServerGroupId": None, "TCPListenerConfig": {"MasterSlaveServerGroupId": "rsp-2"}}, "", "rsp-2"),
        ({"VServerGroupId": None, "TCPListenerConfig": None}, None, None),
        ({"VServerGroupId": None, "ListenerProtocol": "http"}, None, ""),
    ],
)
def test_which_group_a_listener_uses(changed: dict[str, Any], vserver: Any, primary_secondary: Any) -> None:
    (row,) = clb.listener_rows([{**LISTENER, **changed}], ["lb-1"]).tables["listeners"]
    assert (row["vserver_group_id"], row["primary_secondary_group_id"]) == (vserver, primary_secondary)


@pytest.mark.parametrize(
    ("protocol", "config", "expected"),
    [
        ("http", {"ListenerForward": "on", "ForwardPort": 443}, ("on", 443)),
        ("http", {"ListenerForward": "off"}, ("off", None)),
        ("http", {}, (None, None)),
        ("http", None, (None, None)),
        ("https", {}, ("", None)),
        ("udp", {}, ("", None)),
        ("quic", {}, (None, None)),
    ],
)
def test_redirects(protocol: str, config: Any, expected: tuple[Any, Any]) -> None:
    raw = {**LISTENER, "ListenerProtocol": protocol, f"{protocol.upper()}ListenerConfig": config}
    (row,) = clb.listener_rows([raw], ["lb-1"]).tables["listeners"]
    assert (row["listener_forward"], row["forward_port"]) == expected


def test_lists_bound_to_a_listener() -> None:
    def made(**changed: Any) -> tuple[list[str], int]:
        rows = clb.listener_rows([{**LISTENER, **changed}], ["lb-1"])
        return [row["acl_id"] for row in rows.tables.get("listener_acls", [])], len(rows.flaws)

    assert made() == (["acl-1"], 0)
    assert made(AclIds=None, AclStatus="off") == ([], 0)
    assert made(AclIds=None) == ([], 1)
    assert made(ListenerPort=None) == ([], 2)


def test_rows_of_objects_nobody_asked_for_are_left_out() -> None:
    assert not clb.load_balancer_rows([CLB], ["lb-2"]).tables
    assert not ecs.interface_rows([ENI], "vpc-2").tables
    assert not ecs.instance_rows([INSTANCE], ["i-2"]).tables
    assert privatelink.endpoint_attribute_rows({"EndpointId": "ep-2", "Payer": "x"}, "ep-1").flaws


# --------------------------------------------------------------------------------------------------------- ledger


def _states(ledger: Ledger, table: str) -> dict[str, tuple[bool, str | None]]:
    return {
        row["target"]: (row["complete"], row["error_code"]) for row in ledger.coverage if row["table_name"] == table
    }


def test_by_id_tables_prove_absence_unless_a_row_had_no_id() -> None:
    ledger = Ledger("1", "p", "r")
    made = clb.load_balancer_rows([CLB], ["lb-1", "lb-2"])
    ledger.take(Listing("slb:DescribeLoadBalancers"), made, {"load_balancers": ["lb-1", "lb-2"]})
    assert _states(ledger, "load_balancers") == {"lb-1": (True, None), "lb-2": (True, None)}
    ledger = Ledger("1", "p", "r")
    made = clb.load_balancer_rows([CLB, {"AddressType": "intranet"}], ["lb-1", "lb-2"])
    ledger.take(Listing("slb:DescribeLoadBalancers"), made, {"load_balancers": ["lb-1", "lb-2"]})
    assert _states(ledger, "load_balancers") == {"lb-1": (True, None), "lb-2": (False, "Plaudit.IncompleteRow")}


def test_in_a_list_a_row_without_parent_may_belong_to_any() -> None:
    ledger = Ledger("1", "p", "r")
    made = clb.listener_rows([LISTENER, {"ListenerPort": 81, "ListenerProtocol": "tcp"}], ["lb-1", "lb-2"])
    ledger.take(Listing("slb:DescribeLoadBalancerListeners"), made, {"listeners": ["lb-1", "lb-2"]})
    assert set(_states(ledger, "listeners").values()) == {(False, "Plaudit.IncompleteRow")}


def test_an_error_covers_every_target() -> None:
    ledger = Ledger("1", "p", "r")
    listing = Listing("vpc:DescribeVpcs", error=CloudError("Forbidden.RAM", "no", request_id="R"))
    ledger.take(listing, Rows(), {"vpcs": [""], "vpc_cidrs": ["vpc-1", "vpc-2"]})
    assert {row["error_code"] for row in ledger.coverage} == {"Forbidden.RAM"}
    assert len(ledger.coverage) == 4  # the attributes of the VPCs too
    ledger.close()
    ledger.cover("vpc:DescribeVpcs", "vpcs", [""])
    assert len(ledger.coverage) == 4
