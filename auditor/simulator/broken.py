"""A deployment with named faults on both sides, each of which can be left out on its own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from auditor.simulator.objects import Backend, Rule
from auditor.simulator.paths import CLIENTS, PROVIDER, add_path, allow, consumer_network, provider_network, tutorial
from auditor.simulator.world import World

Expected = set[tuple[str, str]]

#: Ports of the estate's further paths; "audit" has one listener for each of its faults.
PATHS: dict[str, list[int]] = {
    "billing": [80],
    "search": [80],
    "ledger": [80],
    "reports": [80],
    "audit": [80, 8080, 8443, 9090],
    "media": [80],
    "archive": [80],
    "orphan": [80],
    "mail": [80],
}


def sound_estate() -> World:
    """The tutorial and nine more paths without any fault, and one service that nobody uses yet."""
    world = tutorial()
    consumer, provider = consumer_network(world), provider_network(world)
    world.regions["eu-central-1"].zones["eu-central-1c"] = "Frankfurt Zone C"
    world.add_vswitch(consumer.vpc, "eu-central-1c", "10.10.3.0/24", id="vsw-gw8consumervsw1ccccc", name="VSwitch 1 c")
    for name, ports in PATHS.items():
        add_path(world, consumer, provider, name, ports, backends=3 if name == "billing" else 2)
    drafts = world.add_service(PROVIDER, id="epsrv-gw8drafts", description="drafts")
    for vswitch, other, suffix in (
        (provider.zone_b, provider.zone_a, ""),
        (provider.zone_a, provider.zone_b, "-a"),
    ):
        clb = world.add_clb(
            vswitch, secondary_zone_id=other.zone_id, id=f"lb-gw8drafts{suffix}", name=f"drafts-clb{suffix}"
        )
        clb.default_group = [Backend(b.server_id, b.server_ip) for b in world.clbs["lb-gw8mail"].default_group]
        world.add_listener(clb, 80)
        world.attach_resource(drafts, clb)
    return world


def clb_internet_facing(world: World) -> None:
    """The CLB of "search" in zone b is Internet-facing: RES-003."""
    world.clbs["lb-gw8search"].address_type = "internet"


def clb_subscription(world: World) -> None:
    """The CLB of "billing" in zone b is a subscription instance: RES-002."""
    world.clbs["lb-gw8billing"].pay_type = "PrePay"


def consumer_not_whitelisted(world: World) -> None:
    """The consumer was taken off the whitelist of "ledger", but is connected: ALLOW-001, ALLOW-005, ALLOW-006."""
    service = world.services["epsrv-gw8ledger"]
    service.users.remove(world.endpoints["ep-gw8ledger"].account_id)


def connection_not_accepted(world: World) -> None:
    """Nobody has accepted the connection of "reports" for three days: CONN-001, CONN-002, and so HA-002."""
    endpoint = world.endpoints["ep-gw8reports"]
    world.disconnect(endpoint)
    endpoint.modified = (datetime.now(UTC) - timedelta(days=3)).strftime("%Y-%m-%dT%H:%M:%SZ")


def listener_stopped(world: World) -> None:
    """The listener on port 8443 of "audit" is stopped in zone b: LSN-003."""
    world.clbs["lb-gw8audit"].listener(8443).status = "stopped"


def weights_zero(world: World) -> None:
    """All servers behind port 8080 of "audit" have weight 0 in zone b: BE-002, HA-005."""
    for server in world.server_groups["rsp-gw8audit8080"].servers:
        server.weight = 0


def no_backend(world: World) -> None:
    """The group behind port 9090 of "audit" is empty in zone b: BE-001."""
    world.server_groups["rsp-gw8audit9090"].servers.clear()


def backend_stopped(world: World) -> None:
    """The third server of "billing" is stopped; the other two still serve: BE-005, BE-004 on both CLBs."""
    world.instances["i-gw8billing3"].status = "Stopped"
    for id_ in ("lb-gw8billing", "lb-gw8billing-a"):
        world.clbs[id_].listener(80).health["i-gw8billing3"] = "abnormal"


def backends_unhealthy(world: World) -> None:
    """No server of "media" passes the health check of the CLB in zone b: BE-003, HA-005."""
    listener = world.clbs["lb-gw8media"].listener(80)
    listener.health = {server.server_id: "abnormal" for server in world.clbs["lb-gw8media"].default_group}


def group_lacks_rule(world: World) -> None:
    """The security group of the endpoint "media" admits 443, not the listener's port 80: SG-001."""
    world.security_groups["sg-gw8media"].rules = [allow(443, CLIENTS)]


def accept_shadowed(world: World) -> None:
    """A Drop of equal priority comes before the Accept of "mail" for part of the clients: SG-004."""
    world.security_groups["sg-gw8mail"].rules.append(
        Rule(policy="Drop", ports="80/80", cidr="10.10.2.128/25", description="quarantine")
    )


def vswitch_in_wrong_zone(world: World) -> None:
    """The zone b of the endpoint "search" has a vSwitch of zone a: NET-003."""
    zone = world.endpoints["ep-gw8search"].zone("eu-central-1b")
    vswitch = world.vswitches["vsw-gw8consumervsw1aaaaa"]
    zone.vswitch_id, zone.eni_ip = vswitch.vswitch_id, world.new_address(vswitch)
    eni = world.enis[zone.eni_id]
    eni.vswitch_id, eni.zone_id, eni.private_ip = vswitch.vswitch_id, vswitch.zone_id, zone.eni_ip


def group_open_to_all(world: World) -> None:
    """The security group of the tutorial's endpoint admits everybody: SG-005."""
    world.security_groups["sg-gw8endpointsgaaaaaaa"].rules.append(allow(80, "0.0.0.0/0"))


def prefix_list_missing(world: World) -> None:
    """A rule of the endpoint "ledger" names a prefix list that does not exist: SG-006."""
    world.security_groups["sg-gw8ledger"].rules.append(Rule(ports="80/80", prefix_list_id="pl-gw8deletedlist"))


def zone_outside_service(world: World) -> None:
    """The endpoint "archive" has a third zone in which its service has no load balancer: ZONE-001, ZONE-004."""
    world.add_endpoint_zone(world.endpoints["ep-gw8archive"], world.vswitches["vsw-gw8consumervsw1ccccc"])


def open_whitelist(world: World) -> None:
    """The service "archive" accepts every account without review: ALLOW-002, ALLOW-003, GOV-002."""
    service = world.services["epsrv-gw8archive"]
    service.arns.append("acs:ram:*:*:*")
    service.auto_accept = True


def service_without_resource(world: World) -> None:
    """The service "drafts" has no load balancer: RES-001, and so HA-001."""
    world.services["epsrv-gw8drafts"].resources.clear()


def endpoint_without_group(world: World) -> None:
    """The endpoint "orphan" has lost its security group: EP-005."""
    world.endpoints["ep-gw8orphan"].security_groups.clear()


def clb_unprotected(world: World) -> None:
    """The CLB of "reports" in zone b can be deleted by accident: CLB-002."""
    world.clbs["lb-gw8reports"].delete_protection = "off"


#: Every fault by name; each changes the world of `sound_estate` on its own.
FAULTS: dict[str, Callable[[World], None]] = {
    "clb-internet-facing": clb_internet_facing,
    "clb-subscription": clb_subscription,
    "consumer-not-whitelisted": consumer_not_whitelisted,
    "connection-not-accepted": connection_not_accepted,
    "listener-stopped": listener_stopped,
    "weights-zero": weights_zero,
    "no-backend": no_backend,
    "backend-stopped": backend_stopped,
    "backends-unhealthy": backends_unhealthy,
    "group-lacks-rule": group_lacks_rule,
    "accept-shadowed": accept_shadowed,
    "vswitch-in-wrong-zone": vswitch_in_wrong_zone,
    "group-open-to-all": group_open_to_all,
    "prefix-list-missing": prefix_list_missing,
    "zone-outside-service": zone_outside_service,
    "open-whitelist": open_whitelist,
    "service-without-resource": service_without_resource,
    "endpoint-without-group": endpoint_without_group,
    "clb-unprotected": clb_unprotected,
}

#: (rule id, resource id) that each fault must turn into `fail`, and that pass without it.
EXPECTED: dict[str, Expected] = {
    "clb-internet-facing": {("RES-003", "lb-gw8search")},
    "clb-subscription": {("RES-002", "lb-gw8billing")},
    "consumer-not-whitelisted": {
        ("ALLOW-001", "ep-gw8ledger"),
        ("ALLOW-005", "epsrv-gw8ledger"),
        ("ALLOW-006", "ep-gw8ledger"),
    },
    # What is not connected is not connected in two zones either.
    "connection-not-accepted": {
        ("CONN-001", "ep-gw8reports"),
        ("CONN-002", "ep-gw8reports"),
        ("HA-002", "ep-gw8reports"),
    },
    "listener-stopped": {("LSN-003", "lb-gw8audit:tcp:8443")},
    # With no backend that serves there are not two of them either.
    "weights-zero": {("BE-002", "lb-gw8audit:tcp:8080"), ("HA-005", "lb-gw8audit:tcp:8080")},
    "no-backend": {("BE-001", "lb-gw8audit:tcp:9090")},
    "backend-stopped": {
        (rule_id, f"{id_}:tcp:80") for rule_id in ("BE-004", "BE-005") for id_ in ("lb-gw8billing", "lb-gw8billing-a")
    },
    "backends-unhealthy": {("BE-003", "lb-gw8media:tcp:80"), ("HA-005", "lb-gw8media:tcp:80")},
    "group-lacks-rule": {("SG-001", "ep-gw8media")},
    "accept-shadowed": {("SG-004", "ep-gw8mail")},
    "vswitch-in-wrong-zone": {("NET-003", "ep-gw8search")},
    "group-open-to-all": {("SG-005", "ep-gw8plauditendpoint1bb")},
    "prefix-list-missing": {("SG-006", "ep-gw8ledger")},
    "zone-outside-service": {("ZONE-001", "ep-gw8archive"), ("ZONE-004", "ep-gw8archive")},
    "open-whitelist": {
        ("ALLOW-002", "epsrv-gw8archive:acs:ram:*:*:*"),
        ("ALLOW-003", "epsrv-gw8archive"),
        ("GOV-002", "epsrv-gw8archive"),
    },
    "service-without-resource": {("RES-001", "epsrv-gw8drafts"), ("HA-001", "epsrv-gw8drafts")},
    "endpoint-without-group": {("EP-005", "ep-gw8orphan")},
    "clb-unprotected": {("CLB-002", "lb-gw8reports")},
}


def broken(without: str | None = None) -> World:
    """`sound_estate` with every fault, or with all but one; KeyError for an unknown name."""
    if without is not None:
        FAULTS[without]  # an unknown name would silently leave every fault in
    world = sound_estate()
    for name, fault in FAULTS.items():
        if name != without:
            fault(world)
    return world
