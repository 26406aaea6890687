"""NLB: load balancers, listeners, server groups and health; called only where a service uses one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from auditor.collect.attributes import add_attributes
from auditor.collect.caller import Caller, Listing, id_parameters
from auditor.collect.fields import Item, Rows, Value, known, lower, number, text
from auditor.collect.operations import OPERATIONS

PRODUCT = "nlb"

# The words of `health_status`; a server that is new, unused or not to be checked has no verdict.
_HEALTH = {"unhealthy": "abnormal", "normal": "normal", "healthy": "normal"}


def fetch(caller: Caller, region: str, operation: str, ids: Sequence[str]) -> Listing:
    """The list of an operation for a batch of ids, as many as the operation takes."""
    return caller.list(operation, region, id_parameters(OPERATIONS[operation], ids))


def load_balancer_rows(answer: Item, asked: str, product: str = PRODUCT) -> Rows:
    """`load_balancers`, `load_balancer_zones` and `resource_tags` of one NLB or ALB."""
    made = Rows()
    if text(answer, "LoadBalancerId") != asked:
        made.flaw("load_balancers", asked, "Plaudit.Malformed", "the answer is about another load balancer")
        made.flaw("load_balancer_zones", asked, "Plaudit.Malformed", "the answer is about another load balancer")
        made.flaw("resource_tags", asked, "Plaudit.Malformed", "the answer is about another load balancer")
        return made
    made.add(
        "load_balancers",
        asked,
        load_balancer_id=asked,
        load_balancer_type=product,
        load_balancer_name=text(answer, "LoadBalancerName"),
        load_balancer_status=text(answer, "LoadBalancerStatus"),
        address_type=text(answer, "AddressType"),
        address_ip_version=text(answer, "AddressIpVersion"),
        pay_type=text(answer, "LoadBalancerBillingConfig", "PayType"),
        vpc_id=text(answer, "VpcId"),
        delete_protection=switch(answer, "DeletionProtectionConfig", "Enabled"),
        modification_protection_status=text(answer, "ModificationProtectionConfig", "Status"),
    )
    zone_rows(made, answer, asked)
    for tag in made.objects("resource_tags", asked, answer, "Tags"):
        # GetLoadBalancerAttribute of nlb says TagKey, alb and the lists say Key.
        name = "Tag" if "TagKey" in tag else ""
        made.add(
            "resource_tags",
            asked,
            resource_id=asked,
            tag_key=text(tag, f"{name}Key"),
            tag_value=text(tag, f"{name}Value"),
        )
    add_attributes(made, product, "load_balancers", asked, answer)
    return made


def zone_rows(made: Rows, item: Item, load_balancer_id: str) -> None:
    """`load_balancer_zones`: one row per zone, with its first address."""
    for zone in made.objects("load_balancer_zones", load_balancer_id, item, "ZoneMappings"):
        addresses = made.objects("load_balancer_zones", load_balancer_id, zone, "LoadBalancerAddresses")
        first: Item = addresses[0] if addresses else {}
        address: Value = None
        # nlb, gwlb and alb spell the private address differently.
        for name in ("PrivateIPv4Address", "PrivateIpv4Address", "IntranetAddress", "Address"):
            if address is None:
                address = text(first, name)
        made.add(
            "load_balancer_zones",
            load_balancer_id,
            load_balancer_id=load_balancer_id,
            zone_id=text(zone, "ZoneId"),
            vswitch_id=text(zone, "VSwitchId"),
            eni_id=text(first, "EniId"),
            address=address,
        )


def switch(item: Item, *path: str) -> Value:
    """A boolean, which alb also writes as text, as `on` or `off`."""
    value: object = item
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    if value is None:
        return None
    return {"true": "on", "false": "off"}.get(str(value).lower())


def listener_rows(items: Iterable[Item], asked: Sequence[str], product: str = PRODUCT) -> Rows:
    """`listeners` of the NLBs or ALBs that were asked for."""
    made = Rows()
    for item in items:
        balancer = text(item, "LoadBalancerId")
        if known(balancer) and balancer not in asked:
            continue
        made.add(
            "listeners",
            known(balancer) or None,
            load_balancer_id=balancer,
            protocol=lower(item, "ListenerProtocol"),
            port=number(item, "ListenerPort"),
            listener_id=text(item, "ListenerId"),
            description=text(item, "ListenerDescription"),
            status=text(item, "ListenerStatus"),
            server_group_id=text(item, "ServerGroupId") if product == "nlb" else _default_group(item),
            listener_forward="" if product == "nlb" else None,
        )
        port = number(item, "ListenerPort")
        key = f"{known(balancer)}:{known(lower(item, 'ListenerProtocol'))}:{port}"
        add_attributes(made, f"{product}_listeners", "listeners", key, item)
    return made


def _default_group(item: Item) -> Value:
    """Server group of the default action of an ALB listener, NULL unless it is exactly one."""
    actions = item.get("DefaultActions")
    found: list[Value] = []
    for action in actions if isinstance(actions, list) else []:
        config = action.get("ForwardGroupConfig") if isinstance(action, dict) else None
        groups = config.get("ServerGroupTuples") if isinstance(config, dict) else None
        found += [text(group, "ServerGroupId") for group in groups] if isinstance(groups, list) else []
    return found[0] if len(found) == 1 else None


def server_group_rows(items: Iterable[Item], asked: Sequence[str], product: str = PRODUCT) -> Rows:
    """`server_groups` that were asked for."""
    made = Rows()
    config = "HealthCheck" if product == "nlb" else "HealthCheckConfig"
    for item in items:
        group = text(item, "ServerGroupId")
        if known(group) and group not in asked:
            continue
        made.add(
            "server_groups",
            known(group) or None,
            server_group_id=group,
            group_type=product,
            server_group_name=text(item, "ServerGroupName"),
            health_check=switch(item, config, "HealthCheckEnabled"),
            vpc_id=text(item, "VpcId"),
        )
    return made


def backend_rows(items: Iterable[Item], group_id: str) -> Rows:
    """`backends` of one server group."""
    made = Rows()
    for item in items:
        made.add(
            "backends",
            group_id,
            server_group_id=group_id,
            server_id=text(item, "ServerId"),
            server_type=lower(item, "ServerType"),
            server_ip=text(item, "ServerIp"),
            port=number(item, "Port"),
            weight=number(item, "Weight"),
            role="",
            zone_id=text(item, "ZoneId"),
        )
    return made


def health_rows(items: Iterable[Item], listener: Item) -> Rows:
    """`health_status` of one listener.  The API lists only servers that are not normal, so no row says nothing."""
    made = Rows()
    balancer = str(listener["load_balancer_id"])
    for item in items:
        for group in made.objects("health_status", balancer, item, "ServerGroupInfos"):
            if group.get("NonNormalServers") is None:
                continue
            for server in made.objects("health_status", balancer, group, "NonNormalServers"):
                status = lower(server, "Status")
                made.add(
                    "health_status",
                    balancer,
                    load_balancer_id=balancer,
                    protocol=str(listener["protocol"]),
                    listener_port=int(listener["port"]),
                    server_id=text(server, "ServerId"),
                    server_ip=text(server, "ServerIp"),
                    port=number(server, "Port"),
                    health_status=_HEALTH.get(status, "unavailable") if isinstance(status, str) else status,
                )
    return made
