"""What the scenarios promise: the tutorial is whole, every fault of the broken estate stands alone."""

from __future__ import annotations

import dataclasses
import ipaddress
from typing import Any

import pytest

from auditor.simulator.broken import EXPECTED, FAULTS, broken, sound_estate
from auditor.simulator.scenarios import HOSTILE_TEXTS, SCENARIOS
from auditor.simulator.world import World


def content(world: World) -> dict[str, Any]:
    """Everything that can be read, without the time of the scan."""
    plain = dataclasses.asdict(world)
    for endpoint in plain["endpoints"].values():
        del endpoint["modified"]
    del plain["_serial"]
    return plain


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_scenario_is_consistent(name: str) -> None:
    """References hold, addresses lie in their vSwitches and are given out once, ENIs are where their vSwitch is."""
    world = SCENARIOS[name]()
    known_missing = {"pl-gw8deletedlist"}
    addresses: set[tuple[str, str]] = set()
    for eni in world.enis.values():
        vswitch = world.vswitches[eni.vswitch_id]
        assert ipaddress.ip_address(eni.private_ip) in ipaddress.ip_network(vswitch.cidr_block)
        assert (eni.vpc_id, eni.private_ip) not in addresses
        addresses.add((eni.vpc_id, eni.private_ip))
        assert eni.zone_id == vswitch.zone_id
    for endpoint in world.endpoints.values():
        assert endpoint.service_id in world.services
        assert set(endpoint.security_groups) <= world.security_groups.keys()
        for zone in endpoint.zones:
            assert world.enis[zone.eni_id].private_ip == zone.eni_ip
    for group in world.security_groups.values():
        for rule in group.rules:
            assert rule.prefix_list_id in {"", *world.prefix_lists, *known_missing}
    for service in world.services.values():
        for resource in service.resources:
            assert resource.resource_id in world.clbs.keys() | world.balancers.keys()
    for clb in world.clbs.values():
        for listener in clb.listeners:
            assert listener.group_id in {"", *world.server_groups}
    assert content(SCENARIOS[name]()) == content(world), "scenarios are the same in every run"


def test_one_zone_is_the_documented_deployment() -> None:
    world = SCENARIOS["one-zone"]()
    (service,) = world.services.values()
    (endpoint,) = world.endpoints.values()
    (clb,) = world.clbs.values()
    assert (clb.address_type, clb.pay_type, clb.network_type) == ("intranet", "PayOnDemand", "vpc")
    assert (clb.primary_zone_id, clb.secondary_zone_id) == ("eu-central-1b", "eu-central-1a")
    assert [(item.protocol, item.port, item.status) for item in clb.listeners] == [("tcp", 80, "running")]
    assert [server.weight for server in clb.default_group] == [100, 100]
    assert {world.instances[server.server_id].zone_id for server in clb.default_group} == {
        "eu-central-1a",
        "eu-central-1b",
    }
    assert service.zones == ["eu-central-1b"]
    assert not service.auto_accept
    assert endpoint.account_id in service.users
    assert endpoint.connection_status == "Connected"
    assert endpoint.zones[0].resource_id == clb.load_balancer_id


def test_tutorial_is_the_documented_deployment_in_two_zones() -> None:
    world, small = SCENARIOS["tutorial"](), SCENARIOS["one-zone"]()
    for kind in ("vpcs", "instances", "security_groups", "server_groups"):
        assert getattr(world, kind) == getattr(small, kind), "nothing of the tutorial is missing or different"
    assert all(world.clbs[id_] == clb for id_, clb in small.clbs.items())
    # How many addresses are free differs.
    assert all(world.vswitches[id_].cidr_block == vswitch.cidr_block for id_, vswitch in small.vswitches.items())
    first, second = world.clbs.values()
    assert (second.primary_zone_id, second.secondary_zone_id) == (first.secondary_zone_id, first.primary_zone_id)
    assert (second.address_type, second.pay_type, second.network_type) == ("intranet", "PayOnDemand", "vpc")
    assert second.default_group == first.default_group
    assert [(item.protocol, item.port, item.status) for item in second.listeners] == [("tcp", 80, "running")]
    (service,), (endpoint,) = world.services.values(), world.endpoints.values()
    assert [resource.zone_id for resource in service.resources] == ["eu-central-1b", "eu-central-1a"]
    assert [zone.resource_id for zone in endpoint.zones] == [first.load_balancer_id, second.load_balancer_id]
    assert len({zone.vswitch_id for zone in endpoint.zones}) == 2
    assert [world.vswitches[zone.vswitch_id].zone_id for zone in endpoint.zones] == ["eu-central-1b", "eu-central-1a"]


def test_faults_have_expectations() -> None:
    assert FAULTS.keys() == EXPECTED.keys()
    assert len(FAULTS) >= 10
    assert all(EXPECTED.values())
    rules = [rule for expected in EXPECTED.values() for rule in expected]
    assert len(rules) == len(set(rules)), "two faults must not claim the same finding"


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_fault_changes_the_world_and_names_its_rules(name: str) -> None:
    world = sound_estate()
    before = content(world)
    modified = [endpoint.modified for endpoint in world.endpoints.values()]
    FAULTS[name](world)
    assert content(world) != before or [e.modified for e in world.endpoints.values()] != modified
    assert all(rule in (FAULTS[name].__doc__ or "") for rule, _ in EXPECTED[name])
    assert content(broken(without=name)) != content(broken())


def test_unknown_fault_is_refused() -> None:
    with pytest.raises(KeyError):
        broken(without="no-such-fault")


def test_hostile_texts_reach_names() -> None:
    world = SCENARIOS["hostile-names"]()
    used = {endpoint.name for endpoint in world.endpoints.values()}
    used |= {group.name for group in world.security_groups.values()}
    used |= {group.description for group in world.security_groups.values()}
    used |= {service.description for service in world.services.values()}
    assert len(used & set(HOSTILE_TEXTS)) > 10


def test_service_without_whitelisted_account_is_not_visible() -> None:
    world = broken()
    service = world.services["epsrv-gw8ledger"]
    assert not world.visible(service, "1234567890123456")
    assert world.visible(service, service.account_id)
    assert world.visible(world.services["epsrv-gw8archive"], "9999999999999999")
