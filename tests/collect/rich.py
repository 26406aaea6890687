"""A world in which every listed operation is called at least once."""

from __future__ import annotations

from auditor.simulator import World
from auditor.simulator.objects import NetworkAclEntry, Rule
from auditor.simulator.scenarios import SCENARIOS

PROVIDER, CONSUMER, POOR = "6543210987654321", "1234567890123456", "1111222233334444"


def rich() -> World:
    """CLB, NLB, ALB and GWLB; groups of every kind, forwarding rules, access control lists, a network ACL, lists in
    security-group rules, an ENI as backend, and an account that owns nothing."""
    world = SCENARIOS["nlb"]()
    world.add_account(POOR, "poor")
    vswitch = world.vswitches["vsw-gw8consumervsw1bbbbb"]
    vpc = world.vpcs[vswitch.vpc_id]
    world.add_network_acl(vpc, [vswitch], [NetworkAclEntry()], [NetworkAclEntry(policy="drop"), NetworkAclEntry()])
    clb = next(iter(world.clbs.values()))
    instances = [instance for instance in world.instances.values() if instance.account_id == clb.account_id]
    front, back = instances[:2]
    vserver = world.add_vserver_group(clb, [world.backend(front, 8080)])
    only_in_rule = world.add_vserver_group(clb, [world.backend(back, 8081)])
    acl = world.add_acl(clb.account_id, {"10.0.0.0/8": "all"})
    http = world.add_listener(
        clb, 8080, protocol="http", group=vserver, acl_status="on", acl_type="white", acl_ids=[acl.acl_id]
    )
    world.add_forwarding_rule(http, only_in_rule, domain="a.example")
    pair = world.add_primary_secondary_group(clb, world.backend(front, 9000), world.backend(back, 9000))
    world.add_listener(clb, 9000, group=pair)
    eni = world.add_eni(world.vswitches[clb.vswitch_id], list(front.security_groups))
    of_eni = world.backend(front, 8082)
    of_eni.server_id, of_eni.server_type = eni.eni_id, "eni"
    world.add_listener(clb, 8082, group=world.add_vserver_group(clb, [of_eni]))
    prefixes = world.add_prefix_list(CONSUMER, ["10.10.2.0/24"])
    ports = world.add_port_list(CONSUMER, ["80/80", "443/443"])
    endpoint = next(iter(world.endpoints.values()))
    group = world.security_groups[next(iter(endpoint.security_groups))]
    group.rules.append(Rule(prefix_list_id=prefixes.prefix_list_id, port_list_id=ports.port_list_id))
    world.add_eip(clb.account_id, "203.0.113.9", instance_type="SlbInstance", instance_id=clb.load_balancer_id)
    world.add_flow_log(CONSUMER, "VPC", vpc.vpc_id)
    world.add_alarm(CONSUMER)
    return world
