"""Faults on the provider's side: service, whitelist, load balancers, listeners, backends."""

from __future__ import annotations

from auditor.simulator.objects import NetworkAclEntry, Rule, ServiceResource
from auditor.simulator.paths import CLIENTS, CONSUMER, PROVIDER, allow
from tests.end_to_end.ground import REGION, Ground, Table

TABLE = Table()
fault = TABLE.fault


# ------------------------------------------------------------------------------------------------------ resources
@fault("RES-001 epsrv-empty", companions={"HA-001 epsrv-empty": "what has no resource has none in two zones"})
def service_without_resource(ground: Ground) -> None:
    ground.service("empty", letters="")


@fault("RES-002 lb-prepaid")
def subscription_clb(ground: Ground) -> None:
    ground.clb("prepaid", pay_type="PrePay")


@fault("RES-003 lb-public")
def internet_facing_clb(ground: Ground) -> None:
    ground.clb("public", address_type="internet")


@fault("RES-004 lb-classic")
def classic_network(ground: Ground) -> None:
    ground.clb("classic", network_type="classic")


@fault("RES-004 lb-no-vpc")
def clb_without_vpc(ground: Ground) -> None:
    clb = ground.clb("no-vpc")
    clb.vpc_id, clb.network_type = "", ""


@fault("RES-005 lb-ipv6")
def ipv6_clb(ground: Ground) -> None:
    ground.clb("ipv6", address_ip_version="ipv6")


@fault("RES-005 lb-dual-a", "RES-005 lb-dual-b")
def dual_stack_service_on_clb(ground: Ground) -> None:
    ground.service("dual", address_ip_version="DualStack")


@fault("RES-006 lb-released", companions={"LSN-001 lb-released": "what was released has no listener either"})
def clb_released(ground: Ground) -> None:
    ground.clb("released")
    del ground.world.clbs["lb-released"]


@fault("RES-006 lb-other-vpc")
def attached_with_another_vpc(ground: Ground) -> None:
    ground.clb("other-vpc")
    ground.parts.resources[-1].vpc_id = "vpc-of-its-predecessor"


@fault("RES-006 lb-other-vswitch")
def attached_with_another_vswitch(ground: Ground) -> None:
    ground.clb("other-vswitch")
    ground.parts.resources[-1].vswitch_id = "vsw-of-its-predecessor"


@fault("RES-007 epsrv-typed")
def service_type_does_not_fit(ground: Ground) -> None:
    ground.service("typed", service_type="GatewayLoadBalancer")


@fault("RES-007 epsrv-gateway")
def gateway_balancer_behind_interface_service(ground: Ground) -> None:
    ground.balancer_service("gwlb", "gateway", service_type="Interface")


@fault("RES-007 epsrv-mixed")
def resource_of_another_type(ground: Ground) -> None:
    service = ground.service("mixed")
    ground.world.override(
        "privatelink:ListVpcEndpointServiceResources",
        f"{service.service_id}:lb-mixed-b:{REGION}b",
        ResourceType="nlb",
    )


@fault(
    "RES-008 epsrv-abroad",
    companions={"ZONE-007 epsrv-abroad": "a region without the type lists no zone for it"},
)
def region_without_the_type(ground: Ground) -> None:
    world = ground.world
    world.regions["us-east-1"].resource_types = ("nlb",)
    vpc = world.add_vpc(PROVIDER, "192.168.0.0/16", region_id="us-east-1", id="vpc-abroad")
    service = world.add_service(PROVIDER, region_id="us-east-1", id="epsrv-abroad")
    zones = ("us-east-1a", "us-east-1b")
    vswitches = [world.add_vswitch(vpc, zone, f"192.168.{n}.0/24") for n, zone in enumerate(zones)]
    group = world.add_security_group(vpc, [allow(80, "192.168.0.0/16")])
    servers = [world.add_instance(vswitch, [group.security_group_id]) for vswitch in vswitches]
    for vswitch, other in zip(vswitches, reversed(zones), strict=True):
        clb = world.add_clb(vswitch, secondary_zone_id=other)
        clb.default_group = [world.backend(server) for server in servers]
        world.add_listener(clb, 80)
        world.attach_resource(service, clb)


@fault("RES-009 lb-incapable")
def clb_without_the_capability(ground: Ground) -> None:
    ground.clb("incapable")
    ground.world.override("slb:DescribeLoadBalancers", "lb-incapable", SupportPrivateLink=False)


@fault("RES-010 nlb-inactive")
def nlb_inactive(ground: Ground) -> None:
    ground.balancer_service("nlb", "inactive")[0].status = "Inactive"


@fault("RES-010 alb-asleep")
def alb_inactive(ground: Ground) -> None:
    ground.balancer_service("alb", "asleep", protocol="HTTP")[0].status = "Inactive"


@fault("RES-010 nlb-sealed")
def nlb_with_tcpssl_only(ground: Ground) -> None:
    ground.balancer_service("nlb", "sealed", protocol="TCPSSL")


@fault("RES-011 epsrv-manual")
def zone_without_automatic_allocation(ground: Ground) -> None:
    ground.service("manual").resources[1].auto_allocated = False


# ---------------------------------------------------------------------------------------------------------- zones
@fault("ZONE-002 lb-elsewhere")
def attached_for_a_foreign_zone(ground: Ground) -> None:
    ground.clb("elsewhere", zone_id=f"{REGION}c")


@fault("ZONE-003 lb-secondary")
def attached_for_the_secondary_zone(ground: Ground) -> None:
    ground.clb("secondary", zone_id=f"{REGION}a")


@fault("ZONE-004 ep-unserved")
def zone_served_by_nothing(ground: Ground) -> None:
    ground.endpoint("unserved").zone(f"{REGION}a").resource_id = ""


@fault("ZONE-004 ep-misserved")
def zone_served_from_another_zone(ground: Ground) -> None:
    ground.endpoint("misserved").zone(f"{REGION}a").resource_id = "lb-front-b"


@fault("ZONE-006 ep-affine", "ZONE-006 ep-affine-too")
def zone_affinity_off_on_the_service(ground: Ground) -> None:
    service, _ = ground.used_service("affine", zone_affinity=False)
    ground.endpoint("affine-too", service)
    ground.services["epsrv-affine"] = {"zone_affinity": True}


@fault("ZONE-007 epsrv-unlisted")
def zone_not_listed(ground: Ground) -> None:
    vswitch = ground.world.add_vswitch(ground.provider_vpc, f"{REGION}x", "192.168.99.0/24", id="vsw-unlisted")
    ground.clb("unlisted-x", vswitch=vswitch, service=ground.service("unlisted"))


# ------------------------------------------------------------------------------------------------------ whitelist
_SEEN = "an account off the whitelist of a live connection is all three"


@fault(
    "ALLOW-001 ep-delisted",
    companions={"ALLOW-005 epsrv-delisted": _SEEN, "ALLOW-006 ep-delisted": _SEEN},
)
def consumer_taken_off_the_whitelist(ground: Ground) -> None:
    ground.used_service("delisted")[0].users.remove(CONSUMER)


@fault("ALLOW-002 epsrv-open:acs:ram:*:*:*")
def whitelist_open_to_all(ground: Ground) -> None:
    ground.service("open").arns.append("acs:ram:*:*:*")


@fault("ALLOW-002 epsrv-star:*")
def whitelist_with_a_bare_star(ground: Ground) -> None:
    ground.service("star").arns.append("*")


@fault(
    "ALLOW-003 epsrv-unreviewed",
    companions={"ALLOW-002 epsrv-unreviewed:*": "the open whitelist is the condition of ALLOW-003"},
)
def open_whitelist_without_review(ground: Ground) -> None:
    ground.service("unreviewed", auto_accept=True).arns.append("*")
    ground.services["epsrv-unreviewed"] = {"auto_accept": True}


@fault("ALLOW-004 epsrv-stale:9000000000000009")
def whitelisted_account_without_connection(ground: Ground) -> None:
    ground.service("stale", users=["9000000000000009"])


@fault("ALLOW-004 epsrv-stale-arn:acs:ram:*:9000000000000009:*")
def whitelisted_arn_without_connection(ground: Ground) -> None:
    ground.service("stale-arn").arns.append("acs:ram:*:9000000000000009:*")


@fault(
    "ALLOW-005 epsrv-stranger",
    companions={"ALLOW-001 ep-stranger": "the endpoint of an account that was not given is judged as well"},
)
def connection_of_an_unlisted_stranger(ground: Ground) -> None:
    service = ground.service("stranger")
    ground.endpoint("stranger", service).account_id = "9000000000000009"


@fault("ALLOW-006 ep-unseen")
def service_not_visible(ground: Ground) -> None:
    ground.used_service("unseen")
    ground.world.hide("privatelink:ListVpcEndpointServicesByEndUser", "epsrv-unseen")


# ------------------------------------------------------------------------------------------------------------ CLB
@fault("CLB-001 lb-stopped")
def clb_stopped(ground: Ground) -> None:
    ground.clb("stopped", status="inactive")


@fault("CLB-001 lb-locked")
def clb_locked(ground: Ground) -> None:
    ground.clb("locked", status="locked")


@fault("CLB-002 lb-deletable")
def clb_without_deletion_protection(ground: Ground) -> None:
    ground.clb("deletable", delete_protection="off")


@fault("CLB-003 lb-editable")
def clb_editable_in_the_console(ground: Ground) -> None:
    ground.clb("editable", modification_protection="NonProtection")


@fault("CLB-004 lb-exposed")
def clb_with_a_public_address(ground: Ground) -> None:
    ground.clb("exposed")
    ground.world.add_eip(PROVIDER, "203.0.113.7", instance_type="SlbInstance", instance_id="lb-exposed")


# ------------------------------------------------------------------------------------------------------ listeners
@fault("LSN-001 lb-silent")
def clb_without_listener(ground: Ground) -> None:
    ground.clb("silent", listeners=False)


@fault("LSN-002 lb-half-b")
def declared_port_without_listener(ground: Ground) -> None:
    service = ground.service("half")
    assert service.resources[0].resource_id == "lb-half-a"
    ground.world.add_listener(ground.world.clbs["lb-half-a"], 81, backend_port=80)
    ground.services["epsrv-half"] = {"ports": ["tcp/80", "tcp/81"]}


@fault("LSN-003 lb-paused:tcp:80")
def listener_stopped(ground: Ground) -> None:
    ground.clb("paused").listener(80).status = "stopped"


@fault("LSN-003 lb-wanted-a:tcp:80")
def declared_listener_stopped(ground: Ground) -> None:
    ground.service("wanted")
    ground.world.clbs["lb-wanted-a"].listener(80).status = "stopped"
    ground.services["epsrv-wanted"] = {"ports": ["tcp/80"]}


@fault("LSN-004 lb-unchecked:tcp:80")
def health_check_off(ground: Ground) -> None:
    ground.clb("unchecked").listener(80).health_check = "off"


@fault(risks=["LSN-005 lb-guarded:tcp:80"])
def white_list_in_front(ground: Ground) -> None:
    """No page says which source address a listener sees, so the catalogue never lets this fail."""
    listener = ground.clb("guarded").listener(80)
    listener.acl_status, listener.acl_type = "on", "white"
    listener.acl_ids = [ground.world.add_acl(PROVIDER, [CLIENTS]).acl_id]


@fault("LSN-006 lb-barred:tcp:80")
def black_list_of_everything(ground: Ground) -> None:
    listener = ground.clb("barred").listener(80)
    listener.acl_status, listener.acl_type = "on", "black"
    listener.acl_ids = [ground.world.add_acl(PROVIDER, ["0.0.0.0/0"]).acl_id]


@fault("LSN-006 lb-halves:tcp:80")
def black_list_of_two_halves(ground: Ground) -> None:
    listener = ground.clb("halves").listener(80)
    listener.acl_status, listener.acl_type = "on", "black"
    listener.acl_ids = [ground.world.add_acl(PROVIDER, [half]).acl_id for half in ("0.0.0.0/1", "128.0.0.0/1")]


@fault("LSN-007 lb-redirecting:http:8080")
def redirect_without_target(ground: Ground) -> None:
    clb = ground.clb("redirecting")
    ground.world.add_listener(clb, 8080, protocol="http", forward="on", forward_port=443)


@fault("LSN-007 lb-redirecting-wrong:http:8080")
def redirect_to_a_plain_listener(ground: Ground) -> None:
    clb = ground.clb("redirecting-wrong")
    ground.world.add_listener(clb, 8080, protocol="http", forward="on", forward_port=80)


# ------------------------------------------------------------------------------------------------------- backends
@fault("BE-001 lb-hollow:tcp:81")
def server_group_without_backend(ground: Ground) -> None:
    clb = ground.clb("hollow")
    ground.world.add_listener(clb, 81, group=ground.world.add_vserver_group(clb))


@fault("BE-001 lb-undone:tcp:80")
def default_group_without_backend(ground: Ground) -> None:
    ground.clb("undone").default_group.clear()


@fault("BE-001 lb-dangling:tcp:81")
def server_group_deleted(ground: Ground) -> None:
    clb = ground.clb("dangling")
    group = ground.world.add_vserver_group(clb, ground.backends(), id="rsp-dangling")
    ground.world.add_listener(clb, 81, group=group)
    del ground.world.server_groups["rsp-dangling"]


@fault("BE-001 lb-forwarding:http:81")
def forwarding_rule_to_an_empty_group(ground: Ground) -> None:
    clb = ground.clb("forwarding")
    listener = ground.world.add_listener(
        clb, 81, protocol="http", group=ground.world.add_vserver_group(clb, ground.backends())
    )
    ground.world.add_forwarding_rule(listener, ground.world.add_vserver_group(clb), url="/nothing")


_HALF = "what nobody serves is not served by two"


@fault("BE-002 lb-drained:tcp:80", companions={"HA-005 lb-drained:tcp:80": _HALF})
def all_weights_zero(ground: Ground) -> None:
    for server in ground.clb("drained").default_group:
        server.weight = 0


@fault("BE-003 lb-sick:tcp:80", companions={"HA-005 lb-sick:tcp:80": _HALF})
def no_backend_healthy(ground: Ground) -> None:
    listener = ground.clb("sick").listener(80)
    listener.health = {instance.instance_id: "abnormal" for instance in ground.instances}


@fault("BE-003 lb-masked:tcp:80", companions={"HA-005 lb-masked:tcp:80": _HALF})
def only_a_weightless_backend_healthy(ground: Ground) -> None:
    clb = ground.clb("masked")
    clb.default_group[0].weight = 0
    clb.listener(80).health = {ground.instances[1].instance_id: "abnormal"}


@fault("BE-004 lb-limping:tcp:80")
def one_backend_abnormal(ground: Ground) -> None:
    clb = ground.clb("limping", servers=[ground.server("limping")])
    clb.listener(80).health = {"i-limping": "abnormal"}


@fault("BE-005 lb-off:tcp:80")
def backend_stopped_a_moment_ago(ground: Ground) -> None:
    server = ground.server("off")
    ground.clb("off", servers=[server])
    server.status = "Stopped"


@fault("BE-005 lb-lost:tcp:80")
def backend_does_not_exist(ground: Ground) -> None:
    server = ground.server("lost")
    ground.clb("lost", servers=[server])
    del ground.world.instances["i-lost"]
    del ground.world.enis[server.eni_id]


@fault("BE-006 lb-astray:tcp:80")
def backend_in_another_vpc(ground: Ground) -> None:
    world = ground.world
    vpc = world.add_vpc(PROVIDER, "172.16.0.0/16", id="vpc-astray")
    vswitch = world.add_vswitch(vpc, f"{REGION}b", "172.16.1.0/24", id="vsw-astray")
    world.add_security_group(vpc, [allow(80, "172.16.0.0/16")], id="sg-astray")
    ground.clb("astray", servers=[ground.server("astray", groups=["sg-astray"], vswitch=vswitch)])


@fault("BE-007 lb-alone:tcp:81")
def pair_of_one(ground: Ground) -> None:
    clb = ground.clb("alone")
    group = ground.world.add_primary_secondary_group(clb, *ground.backends())
    group.servers.pop()
    ground.world.add_listener(clb, 81, group=group)


@fault("BE-007 lb-substitute:tcp:81")
def primary_abnormal(ground: Ground) -> None:
    clb = ground.clb("substitute")
    group = ground.world.add_primary_secondary_group(clb, *ground.backends())
    ground.world.add_listener(clb, 81, group=group).health = {group.servers[0].server_id: "abnormal"}


def _guarded_server(ground: Ground, name: str, *rules: Rule) -> None:
    ground.world.add_security_group(ground.provider_vpc, rules, id=f"sg-{name}")
    ground.clb(name, servers=[ground.server(name, groups=[f"sg-{name}"])])


@fault("BE-008 lb-blocked:tcp:80")
def backend_group_drops_the_clb(ground: Ground) -> None:
    _guarded_server(ground, "blocked", Rule(policy="Drop", ports="1/65535", cidr="0.0.0.0/0"))


@fault("BE-008 lb-blocked-part:tcp:80")
def backend_group_drops_part_of_the_range(ground: Ground) -> None:
    _guarded_server(
        ground,
        "blocked-part",
        allow(80, "100.64.0.0/11"),
        Rule(policy="Drop", protocol="ALL", cidr="100.96.0.0/11", priority=50),
    )


@fault("BE-008 lb-blocked-check:tcp:80")
def backend_group_drops_the_health_check(ground: Ground) -> None:
    _guarded_server(ground, "blocked-check", Rule(policy="Drop", ports="9000/9000", cidr="100.64.0.0/10"))
    ground.world.clbs["lb-blocked-check"].listener(80).health_check_port = 9000


_ANY = NetworkAclEntry()
_DROP_CLB = NetworkAclEntry("drop", "all", "-1/-1", "100.64.0.0/10")


@fault("NET-007 lb-fenced-in:tcp:80")
def backend_acl_drops_the_request(ground: Ground) -> None:
    vswitch = ground.far_vswitch("fenced-in")
    ground.world.add_network_acl(ground.provider_vpc, [vswitch], [_DROP_CLB, _ANY], [_ANY])
    ground.clb("fenced-in", servers=[ground.server("fenced-in", vswitch=vswitch)])


@fault("NET-007 lb-fenced-out:tcp:80")
def backend_acl_drops_the_reply(ground: Ground) -> None:
    vswitch = ground.far_vswitch("fenced-out")
    ground.world.add_network_acl(ground.provider_vpc, [vswitch], [_ANY], [_DROP_CLB, _ANY])
    ground.clb("fenced-out", servers=[ground.server("fenced-out", vswitch=vswitch)])


# ----------------------------------------------------------------------------------------------------- resilience
@fault("HA-001 epsrv-narrow")
def service_in_one_zone(ground: Ground) -> None:
    ground.service("narrow", letters="b")


@fault("HA-003 lb-single")
def clb_in_one_zone(ground: Ground) -> None:
    ground.clb("single", other="")


@fault("HA-003 lb-same")
def clb_with_its_primary_zone_twice(ground: Ground) -> None:
    ground.clb("same", other="b")


@fault(
    "HA-004 epsrv-crowded",
    companions={"ZONE-003 lb-crowded-2": "two zones from one primary zone need one attached for its secondary"},
)
def all_primary_zones_the_same(ground: Ground) -> None:
    service = ground.service("crowded", letters="b")
    ground.clb("crowded-2", "b", "a", service=service, zone_id=f"{REGION}a")


@fault("HA-005 lb-lonely:tcp:80")
def one_backend(ground: Ground) -> None:
    ground.clb("lonely").default_group.pop()


@fault("HA-005 lb-together:tcp:80")
def backends_in_one_zone(ground: Ground) -> None:
    clb = ground.clb("together", servers=[ground.server("together", "b")])
    clb.default_group = [server for server in clb.default_group if server.server_id != "i-server-a"]


# ----------------------------------------------------------------------------------------------------- governance
@fault("GOV-001 5000000000000005")
def privatelink_not_activated(ground: Ground) -> None:
    ground.world.add_account("5000000000000005", "newcomer", privatelink_open=False)
    ground.profiles.append("newcomer")


@fault("GOV-002 epsrv-automatic")
def auto_accept_not_declared(ground: Ground) -> None:
    ground.service("automatic", auto_accept=True)


@fault("GOV-003 epsrv-surprised")
def connection_of_an_undeclared_account(ground: Ground) -> None:
    ground.used_service("surprised")
    ground.services["epsrv-surprised"] = {"accounts": ["7000000000000007"]}


@fault("GOV-003 epsrv-invaded")
def connection_of_an_undeclared_vpc(ground: Ground) -> None:
    ground.used_service("invaded")
    ground.services["epsrv-invaded"] = {"vpcs": ["vpc-somebodyelses"]}


@fault("GOV-004 epsrv-front", "GOV-004 ep-front", "GOV-004 lb-front-b", world="tagged")
def tags_missing(ground: Ground) -> None:
    """Everything carries the declared tag but one service, one endpoint and one CLB."""
    world = ground.world
    ground.require["tags"] = ["owner"]
    for tagged in (*world.services.values(), *world.endpoints.values(), *world.clbs.values()):
        tagged.tags["owner"] = "payments"
    world.services["epsrv-front"].tags = {"Owner": "payments"}
    world.endpoints["ep-front"].tags = {}
    del world.clbs["lb-front-b"].tags["owner"]


# --------------------------------------------------------------------------------------------------------- quotas
@fault(f"QUOTA-002 {PROVIDER}", world="many services")
def many_services(ground: Ground) -> None:
    for number in range(180 - len(ground.world.services)):
        ground.world.add_service(PROVIDER, id=f"epsrv-many-{number}")


@fault("QUOTA-004 epsrv-parts", world="many resources")
def many_resources(ground: Ground) -> None:
    for number in range(89):
        resource = ServiceResource(
            f"lb-many-{number}", "slb", f"{REGION}b", REGION, "vpc-provider", "vsw-far-b", "192.168.2.9"
        )
        ground.parts.resources.append(resource)
