"""Faults on the consumer's side and of the connection: endpoint, security groups, network, names."""

from __future__ import annotations

from auditor.simulator.objects import NetworkAclEntry, Rule
from auditor.simulator.paths import CLIENTS, CONSUMER, PROVIDER, allow
from tests.end_to_end.ground import REGION, Ground, Table, hours_ago

TABLE = Table()
fault = TABLE.fault

_ANY = NetworkAclEntry()
_CUT = "no zone of a connection that is cut is connected"
_CLOSED = "a region that is not open does not see the service"


# ---------------------------------------------------------------------------------------------------------- zones
@fault("ZONE-001 ep-beyond")
def zone_without_load_balancer(ground: Ground) -> None:
    endpoint = ground.endpoint("beyond", letters="abd")
    endpoint.zone(f"{REGION}d").status = "Creating"


@fault(
    "ZONE-001 ep-past",
    companions={"ZONE-004 ep-past": "a connected zone that the service lacks has no load balancer"},
)
def connected_zone_without_load_balancer(ground: Ground) -> None:
    ground.endpoint("past", letters="abd")


@fault("ZONE-005 ep-cut-zone")
def zone_disconnected(ground: Ground) -> None:
    zone = ground.endpoint("cut-zone", letters="abc").zone(f"{REGION}c")
    zone.status, zone.resource_id = "Disconnected", ""


@fault("ZONE-005 ep-waiting-zone")
def zone_waiting(ground: Ground) -> None:
    ground.endpoint("waiting-zone", letters="abc").zone(f"{REGION}c").status = "Wait"


@fault("ZONE-006 ep-indifferent")
def zone_affinity_off_on_the_endpoint(ground: Ground) -> None:
    ground.used_service("indifferent")[1].zone_affinity = False
    ground.services["epsrv-indifferent"] = {"zone_affinity": True}


# ----------------------------------------------------------------------------------------------------- connection
@fault("CONN-001 ep-refused", companions={"HA-002 ep-refused": _CUT})
def connection_refused_an_hour_ago(ground: Ground) -> None:
    endpoint = ground.endpoint("refused")
    ground.world.disconnect(endpoint)
    endpoint.modified = hours_ago(1)


@fault(
    "CONN-002 ep-waiting",
    companions={"CONN-001 ep-waiting": "a request that waits is not connected", "HA-002 ep-waiting": _CUT},
)
def request_unanswered_for_days(ground: Ground) -> None:
    endpoint = ground.endpoint("waiting")
    ground.world.disconnect(endpoint)
    endpoint.modified = hours_ago(72)


_GONE = "the connection of a deleted service is not connected"


@fault("CONN-003 ep-orphaned", companions={"CONN-001 ep-orphaned": _GONE})
def service_deleted(ground: Ground) -> None:
    ground.used_service("orphaned")[1].connection_status = "ServiceDeleted"


@fault("CONN-003 ep-bereft")
def service_not_found(ground: Ground) -> None:
    """The provider's connections still name the service, so that it is known whose it was."""
    ground.used_service("bereft")
    for operation in ("ListVpcEndpointServices", "GetVpcEndpointServiceAttribute"):
        ground.world.hide(f"privatelink:{operation}", "epsrv-bereft")


@fault("CONN-004 ep-unlisted")
def connection_not_listed(ground: Ground) -> None:
    ground.endpoint("unlisted")
    ground.world.hide("privatelink:ListVpcEndpointConnections", "ep-unlisted")


@fault("CONN-004 ep-one-sided")
def endpoint_not_listed(ground: Ground) -> None:
    ground.endpoint("one-sided")
    ground.world.hide("privatelink:ListVpcEndpoints", "ep-one-sided")


@fault("CONN-004 ep-contradictory")
def status_differs(ground: Ground) -> None:
    ground.endpoint("contradictory").modified = hours_ago(1)
    ground.world.override("privatelink:ListVpcEndpointConnections", "ep-contradictory", ConnectionStatus="Disconnected")


@fault("CONN-004 ep-moved")
def vpc_differs(ground: Ground) -> None:
    ground.endpoint("moved")
    ground.world.override("privatelink:ListVpcEndpointConnections", "ep-moved", EndpointVpcId="vpc-before")


@fault("CONN-004 ep-zoneless")
def zones_differ(ground: Ground) -> None:
    ground.endpoint("zoneless", letters="abc")
    ground.world.hide("privatelink:ListVpcEndpointConnections", f"ep-zoneless:{REGION}c")


@fault("CONN-005 ep-doomed")
def service_deleting(ground: Ground) -> None:
    ground.used_service("doomed", status="Deleting")


@fault("CONN-006 ep-indebted")
def endpoint_locked(ground: Ground) -> None:
    ground.endpoint("indebted", business_status="FinancialLocked")


@fault("CONN-006 ep-creditor")
def service_locked(ground: Ground) -> None:
    ground.used_service("creditor", business_status="FinancialLocked")


@fault("CONN-006 ep-debt-abroad")
def remote_region_locked(ground: Ground) -> None:
    service = ground.service(
        "debt-abroad", users=[CONSUMER], supported_regions=[("ap-southeast-1", "Available", "FinancialLocked")]
    )
    ground.remote_endpoint("debt-abroad", service)


@fault("CONN-007 ep-slow")
def bandwidth_below_the_range(ground: Ground) -> None:
    ground.endpoint("slow", bandwidth=50)


@fault("CONN-007 ep-defaulted")
def default_bandwidth_above_the_range(ground: Ground) -> None:
    service, endpoint = ground.used_service("defaulted", connect_bandwidth=20000)
    endpoint.bandwidth = service.min_bandwidth


@fault("CONN-007 ep-unlimited")
def mode_without_limit(ground: Ground) -> None:
    ground.endpoint("unlimited", traffic_control_mode="Scalability")


@fault("CONN-007 ep-throttled")
def gateway_connection_with_a_limit(ground: Ground) -> None:
    _, service = ground.balancer_service("gwlb", "throttled", users=[CONSUMER])
    ground.endpoint("throttled", service, groups=[], traffic_control_mode="BandwidthLimit")


@fault("CONN-007 ep-hungry")
def bandwidth_below_the_need(ground: Ground) -> None:
    ground.endpoint("hungry", bandwidth=500)
    ground.endpoints["ep-hungry"] = {"min_bandwidth": 1000}


@fault("CONN-008 ep-invoiced")
def payer_differs(ground: Ground) -> None:
    ground.endpoint("invoiced", payer="EndpointService")


@fault("CONN-008 ep-mispaid")
def payer_not_as_declared(ground: Ground) -> None:
    ground.endpoint("mispaid")
    ground.endpoints["ep-mispaid"] = {"payer": "EndpointService"}


# ------------------------------------------------------------------------------------------------------- endpoint
@fault("EP-001 ep-gateway")
def gateway_endpoint_of_a_clb_service(ground: Ground) -> None:
    ground.endpoint("gateway", endpoint_type="GatewayLoadBalancer")


@fault("EP-001 ep-plain")
def interface_endpoint_of_a_gateway_service(ground: Ground) -> None:
    _, service = ground.balancer_service("gwlb", "plain", users=[CONSUMER])
    ground.endpoint("plain", service, endpoint_type="Interface")


@fault("EP-002 ep-leaving")
def endpoint_deleting(ground: Ground) -> None:
    ground.endpoint("leaving", status="Deleting")


@fault("EP-003 ep-bodiless")
def zone_without_eni(ground: Ground) -> None:
    zone = ground.endpoint("bodiless").zone(f"{REGION}b")
    del ground.world.enis[zone.eni_id]
    zone.eni_id = zone.eni_ip = ""


@fault("EP-003 ep-nowhere", companions={"HA-002 ep-nowhere": "no zone is no second zone"})
def endpoint_without_zone(ground: Ground) -> None:
    ground.endpoint("nowhere").zones.clear()


@fault("EP-004 ep-mistaken")
def another_service_declared(ground: Ground) -> None:
    ground.endpoint("mistaken")
    ground.endpoints["ep-mistaken"] = {"service": "epsrv-parts"}


@fault("EP-004 ep-misnamed")
def service_name_differs(ground: Ground) -> None:
    ground.endpoint("misnamed").service_name = f"com.aliyuncs.privatelink.{REGION}.epsrv-other"


@fault("EP-005 ep-bare")
def endpoint_without_group(ground: Ground) -> None:
    ground.endpoint("bare").security_groups.clear()


@fault("EP-006 ep-foreign-group")
def group_of_another_vpc(ground: Ground) -> None:
    vpc = ground.world.add_vpc(CONSUMER, "10.99.0.0/16", id="vpc-foreign")
    ground.world.add_security_group(vpc, [allow(80, CLIENTS)], id="sg-foreign")
    ground.endpoint("foreign-group").security_groups["sg-foreign"] = "Attached"


@fault("EP-006 ep-ghost-group")
def group_deleted(ground: Ground) -> None:
    ground.endpoint("ghost-group").security_groups["sg-deleted"] = "Attached"


@fault("EP-007 ep-blended")
def groups_of_two_types(ground: Ground) -> None:
    enterprise = ground.group("enterprise", [allow(80, CLIENTS)], group_type="enterprise", inner_access_policy="Drop")
    ground.endpoint("blended").security_groups[enterprise.security_group_id] = "Attached"


@fault("EP-008 ep-dual")
def dual_stack_endpoint_of_an_ipv4_service(ground: Ground) -> None:
    vswitches = [ground.near_vswitch(f"dual-{letter}", letter, ipv6_cidr_block="2001:db8::/64") for letter in "ab"]
    ground.endpoint("dual", vswitches=vswitches, address_ip_version="DualStack")


@fault("EP-008 ep-dual-flat")
def dual_stack_endpoint_without_ipv6_block(ground: Ground) -> None:
    _, service = ground.balancer_service("nlb", "dual-flat", users=[CONSUMER], address_ip_version="DualStack")
    ground.endpoint("dual-flat", service, address_ip_version="DualStack")


# ------------------------------------------------------------------------------------------------ security groups
@fault("SG-001 ep-closed")
def group_without_rule(ground: Ground) -> None:
    ground.endpoint("closed", rules=[allow(443, CLIENTS)])


@fault("SG-001 ep-partly")
def part_of_a_declared_range_not_admitted(ground: Ground) -> None:
    ground.endpoint("partly", rules=[allow(80, "10.10.4.0/25")])
    ground.endpoints["ep-partly"] = {"clients": ["10.10.4.0/24"]}


@fault("SG-001 ep-dropping")
def declared_client_dropped(ground: Ground) -> None:
    ground.endpoint(
        "dropping", rules=[Rule(policy="Drop", ports="80/80", cidr="10.10.4.0/24"), allow(80, "10.10.1.0/24")]
    )
    ground.endpoints["ep-dropping"] = {"clients": ["10.10.4.7/32"]}


@fault("SG-001 ep-second-port")
def second_port_not_admitted(ground: Ground) -> None:
    _, endpoint = ground.used_service("second-port")
    for letter in "ab":
        ground.world.add_listener(ground.world.clbs[f"lb-second-port-{letter}"], 81, backend_port=80)
    assert endpoint.endpoint_id == "ep-second-port"


def _client(ground: Ground, name: str, *rules: Rule, **fields: str) -> None:
    ground.group(f"{name}-client", rules, **fields)
    ground.world.add_instance(ground.near["b"], [f"sg-{name}-client"], id=f"i-{name}")
    ground.endpoints[f"ep-{name}"] = {"clients": [f"i-{name}"]}


@fault("SG-002 ep-muted")
def client_group_drops(ground: Ground) -> None:
    ground.endpoint("muted")
    _client(ground, "muted", Rule("egress", "Drop", ports="80/80", cidr="10.10.0.0/16"))


@fault("SG-002 ep-mute")
def advanced_client_group_without_rule(ground: Ground) -> None:
    ground.endpoint("mute")
    _client(ground, "mute", group_type="enterprise", inner_access_policy="Drop")


@fault("SG-003 ep-family")
def access_by_the_intra_group_policy(ground: Ground) -> None:
    ground.endpoint("family", rules=[])
    ground.world.add_instance(ground.near["b"], ["sg-family"], id="i-family")
    ground.endpoints["ep-family"] = {"clients": ["i-family"]}


@fault("SG-004 ep-shadowed")
def drop_of_equal_priority(ground: Ground) -> None:
    ground.endpoint("shadowed", rules=[allow(80, CLIENTS), Rule(policy="Drop", ports="80/80", cidr="10.10.2.128/25")])


@fault("SG-004 ep-covered")
def drop_in_another_group(ground: Ground) -> None:
    quarantine = ground.group("quarantine", [Rule(policy="Drop", protocol="ALL", cidr="10.10.1.0/24", priority=5)])
    endpoint = ground.endpoint("covered", rules=[allow(80, CLIENTS, priority=10)])
    endpoint.security_groups[quarantine.security_group_id] = "Attached"


@fault("SG-005 ep-public")
def open_to_everybody(ground: Ground) -> None:
    ground.endpoint("public", rules=[allow(80, "0.0.0.0/0")])


@fault("SG-005 ep-public-six")
def open_to_everybody_of_ipv6(ground: Ground) -> None:
    ground.endpoint("public-six", rules=[allow(80, CLIENTS), Rule(protocol="ALL", ipv6_cidr="::/0")])


@fault("SG-006 ep-listless")
def prefix_list_missing(ground: Ground) -> None:
    ground.endpoint("listless", rules=[allow(80, CLIENTS), Rule(ports="80/80", prefix_list_id="pl-deleted")])


@fault("SG-006 ep-emptied")
def prefix_list_empty(ground: Ground) -> None:
    ground.world.add_prefix_list(CONSUMER, [], id="pl-empty")
    ground.endpoint("emptied", rules=[allow(80, CLIENTS), Rule(ports="80/80", prefix_list_id="pl-empty")])


@fault("SG-006 ep-portless")
def port_list_missing(ground: Ground) -> None:
    ground.endpoint("portless", rules=[allow(80, CLIENTS), Rule(port_list_id="prl-deleted", cidr=CLIENTS)])


@fault("SG-006 ep-peerless")
def source_group_missing(ground: Ground) -> None:
    ground.endpoint("peerless", rules=[allow(80, CLIENTS), Rule(ports="80/80", group_id="sg-long-gone")])


# ---------------------------------------------------------------------------------------------------------- names
@fault("DNS-001 ep-anonymous")
def endpoint_without_domain(ground: Ground) -> None:
    ground.endpoint("anonymous", domain="")


@fault("DNS-001 ep-half-named")
def zone_without_domain(ground: Ground) -> None:
    ground.endpoint("half-named").zone(f"{REGION}b").domain = ""


# -------------------------------------------------------------------------------------------------------- network
@fault("NET-001 ep-far", companions={"ALLOW-006 ep-far": _CLOSED})
def region_not_opened(ground: Ground) -> None:
    ground.remote_endpoint("far", ground.service("far", users=[CONSUMER]))


@fault(
    "NET-001 ep-split",
    companions={"ZONE-007 epsrv-split": "a zone of another region is none of the service's region"},
)
def resource_in_another_region(ground: Ground) -> None:
    world = ground.world
    service, _ = ground.used_service("split")
    vpc = world.add_vpc(PROVIDER, "192.168.0.0/16", region_id="cn-hangzhou", id="vpc-split")
    zones = ("cn-hangzhou-h", "cn-hangzhou-i")
    vswitches = [world.add_vswitch(vpc, zone, f"192.168.{n}.0/24") for n, zone in enumerate(zones)]
    group = world.add_security_group(vpc, [allow(80, "192.168.0.0/16")])
    servers = [world.add_instance(vswitch, [group.security_group_id]) for vswitch in vswitches]
    clb = world.add_clb(vswitches[0], secondary_zone_id=zones[1], id="lb-split-far")
    clb.default_group = [world.backend(server) for server in servers]
    world.add_listener(clb, 80)
    world.attach_resource(service, clb)


@fault("NET-002 ep-thin")
def no_cross_region_bandwidth(ground: Ground) -> None:
    service = ground.service("thin", users=[CONSUMER], supported_regions=[("ap-southeast-1", "Available", "Normal")])
    ground.remote_endpoint("thin", service, cross_region_bandwidth=0)


@fault(
    "NET-002 ep-shut",
    companions={"NET-001 ep-shut": "a region that was closed is not open", "ALLOW-006 ep-shut": _CLOSED},
)
def region_closed(ground: Ground) -> None:
    service = ground.service("shut", users=[CONSUMER], supported_regions=[("ap-southeast-1", "Closed", "Normal")])
    ground.remote_endpoint("shut", service)


@fault("NET-003 ep-crooked")
def vswitch_of_another_zone(ground: Ground) -> None:
    endpoint = ground.endpoint("crooked", letters="a")
    ground.world.add_endpoint_zone(endpoint, ground.near["c"], zone_id=f"{REGION}b")


@fault("NET-003 ep-adrift")
def vswitch_of_another_vpc(ground: Ground) -> None:
    vpc = ground.world.add_vpc(CONSUMER, CLIENTS, id="vpc-adrift")
    vswitch = ground.world.add_vswitch(vpc, f"{REGION}b", "10.10.2.0/24", id="vsw-adrift")
    ground.endpoint("adrift", vswitches=[ground.near["a"], vswitch])


@fault("NET-003 ep-floating")
def vswitch_deleted(ground: Ground) -> None:
    ground.endpoint("floating", vswitches=[ground.near["a"], ground.near_vswitch("floating")])
    del ground.world.vswitches["vsw-floating"]


@fault("NET-004 ep-unusable")
def vswitch_not_available(ground: Ground) -> None:
    vswitch = ground.near_vswitch("unusable", status="Deleting")
    ground.endpoint("unusable", vswitches=[ground.near["a"], vswitch])


@fault("NET-005 ep-outside")
def address_outside_the_vswitch(ground: Ground) -> None:
    endpoint = ground.endpoint("outside", vswitches=[ground.near["a"], ground.near_vswitch("outside")])
    endpoint.zones[1].eni_ip = ground.world.enis[endpoint.zones[1].eni_id].private_ip = "10.10.250.9"


@fault("NET-005 ep-reserved")
def reserved_address(ground: Ground) -> None:
    endpoint = ground.endpoint("reserved", vswitches=[ground.near["a"], ground.near_vswitch("reserved")])
    address = ground.world.vswitches["vsw-reserved"].cidr_block.replace(".0/24", ".254")
    endpoint.zones[1].eni_ip = ground.world.enis[endpoint.zones[1].eni_id].private_ip = address


def _fence(ground: Ground, name: str, ingress: list[NetworkAclEntry], egress: list[NetworkAclEntry]) -> None:
    vswitch = ground.near_vswitch(name)
    ground.world.add_network_acl(ground.consumer_vpc, [vswitch], ingress, egress, id=f"nacl-{name}")
    ground.endpoint(name, vswitches=[ground.near["a"], vswitch])
    ground.endpoints[f"ep-{name}"] = {"clients": ["i-client"]}


@fault("NET-006 ep-walled-in")
def endpoint_acl_drops_the_request(ground: Ground) -> None:
    _fence(ground, "walled-in", [NetworkAclEntry("drop", "tcp", "80/80", CLIENTS), _ANY], [_ANY])


@fault("NET-006 ep-walled-out")
def endpoint_acl_drops_the_reply(ground: Ground) -> None:
    _fence(ground, "walled-out", [_ANY], [NetworkAclEntry("accept", "tcp", "80/80", CLIENTS)])


@fault("NET-006 ep-unlet")
def endpoint_acl_without_entry(ground: Ground) -> None:
    _fence(ground, "unlet", [], [_ANY])


def _fenced_client(ground: Ground, name: str, ingress: list[NetworkAclEntry], egress: list[NetworkAclEntry]) -> None:
    vswitch = ground.near_vswitch(f"{name}-client")
    ground.world.add_network_acl(ground.consumer_vpc, [vswitch], ingress, egress, id=f"nacl-{name}")
    ground.world.add_instance(vswitch, ["sg-clients"], id=f"i-{name}")
    ground.endpoint(name)
    ground.endpoints[f"ep-{name}"] = {"clients": [f"i-{name}"]}


@fault("NET-008 ep-hushed")
def client_acl_drops_the_request(ground: Ground) -> None:
    _fenced_client(ground, "hushed", [_ANY], [NetworkAclEntry("drop", "tcp", "80/80", CLIENTS), _ANY])


@fault("NET-008 ep-deaf")
def client_acl_drops_the_reply(ground: Ground) -> None:
    _fenced_client(ground, "deaf", [NetworkAclEntry("drop", "tcp", "1024/65535", CLIENTS)], [_ANY])


# --------------------------------------------------------------------------------------- quotas and good practice
@fault("QUOTA-001 vpc-consumer", world="many endpoints")
def many_endpoints(ground: Ground) -> None:
    for number in range(900 - len(ground.world.endpoints)):
        ground.world.add_endpoint(ground.consumer_vpc, ground.front, [], [], id=f"ep-many-{number}", accepted=True)


@fault("QUOTA-003 ep-six-groups")
def six_groups(ground: Ground) -> None:
    ground.endpoint("six-groups", groups=[ground.group(f"six-{n}", [allow(80, CLIENTS)]) for n in range(6)])


@fault("QUOTA-003 ep-eleven-groups")
def eleven_groups(ground: Ground) -> None:
    ground.endpoint("eleven-groups", groups=[ground.group(f"eleven-{n}", [allow(80, CLIENTS)]) for n in range(11)])


@fault("QUOTA-005 ep-verbose")
def too_many_rules(ground: Ground) -> None:
    rules = [allow(80, f"10.10.{n // 250}.{n % 250}/32") for n in range(901)]
    ground.endpoint("verbose", rules=[allow(80, CLIENTS), *rules])


@fault("QUOTA-005 ep-verbose-list")
def list_of_maximum_size(ground: Ground) -> None:
    ground.world.add_prefix_list(CONSUMER, ["10.10.0.0/16"], id="pl-large", max_entries=901)
    ground.endpoint("verbose-list", rules=[Rule(ports="80/80", prefix_list_id="pl-large")])


@fault("HA-002 ep-one-legged")
def endpoint_in_one_zone(ground: Ground) -> None:
    ground.endpoint("one-legged", letters="b")


@fault("GOV-005 ep-front", world="logged")
def neither_flow_log_nor_alarm(ground: Ground) -> None:
    """An endpoint in a VPC without a flow log; another one in a VPC that has one, with an alarm, is silent."""
    world = ground.world
    ground.require["flow_logs"] = True
    vpc = world.add_vpc(CONSUMER, "10.30.0.0/16", id="vpc-logged")
    vswitches = [world.add_vswitch(vpc, f"{REGION}{letter}", f"10.30.{n}.0/24") for n, letter in enumerate("ab")]
    group = world.add_security_group(vpc, [allow(80, "10.30.0.0/16")], id="sg-logged")
    world.add_endpoint(vpc, ground.front, vswitches, [group], id="ep-logged", accepted=True)
    world.add_flow_log(CONSUMER, "VPC", "vpc-logged")
    world.add_alarm(CONSUMER, '[{"instanceId":"ep-logged"}]')
