"""Write operations and what each does to an inventory: one entry per operation, with the page that says so.

An effect is a function of the changed copy, the request parameters and the account that sends them.  It sets what the
operation decides, and makes NULL of what it changes in a way nobody can foretell (the health of a server that is
started, which of two load balancers serves a zone).  It shows the end: states on the way there pass.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from auditor.engine.changes import Step
from auditor.findings import Source
from auditor.fixes import endpoints, groups, load_balancers, services
from auditor.fixes.draft import Draft, Unforeseen

Effect = Callable[[Draft, Mapping[str, str], str | None], None]

_PAGES = {
    "privatelink": ("PrivateLink", "privatelink/developer-reference/api-privatelink-2020-04-15-"),
    "slb": ("CLB", "slb/classic-load-balancer/developer-reference/api-slb-2014-05-15-"),
    "ecs": ("ECS", "ecs/developer-reference/api-ecs-2014-05-26-"),
    "vpc": ("VPC", "vpc/developer-reference/api-vpc-2016-04-28-"),
}


@dataclass(frozen=True, slots=True)
class Operation:
    """A write operation, its effect on the inventory and the source of that."""

    name: str
    effect: Effect
    source: Source


def _operation(name: str, effect: Effect) -> Operation:
    product, _, action = name.partition(":")
    title, page = _PAGES[product]
    url = f"https://www.alibabacloud.com/help/en/{page}{action.lower()}"
    return Operation(name, effect, Source(f"{title}: {action}", url))


_EFFECTS: dict[str, Effect] = {
    "privatelink:AddUserToVpcEndpointService": services.add_user,
    "privatelink:RemoveUserFromVpcEndpointService": services.remove_user,
    "privatelink:UpdateVpcEndpointServiceAttribute": services.update_service,
    "privatelink:UpdateVpcEndpointServiceResourceAttribute": services.update_resource,
    "privatelink:AttachResourceToVpcEndpointService": services.attach_resource,
    "privatelink:DetachResourceFromVpcEndpointService": services.detach_resource,
    "privatelink:OpenPrivateLinkService": services.open_product,
    "privatelink:EnableVpcEndpointConnection": endpoints.enable_connection,
    "privatelink:EnableVpcEndpointZoneConnection": endpoints.enable_zone,
    "privatelink:UpdateVpcEndpointConnectionAttribute": endpoints.update_connection,
    "privatelink:UpdateVpcEndpointZoneConnectionResourceAttribute": endpoints.serve_zone,
    "privatelink:UpdateVpcEndpointAttribute": endpoints.update_endpoint,
    "privatelink:RemoveZoneFromVpcEndpoint": endpoints.remove_zone,
    "privatelink:DetachSecurityGroupFromVpcEndpoint": endpoints.detach_group,
    "slb:SetLoadBalancerStatus": load_balancers.set_status,
    "slb:SetLoadBalancerDeleteProtection": load_balancers.set_delete_protection,
    "slb:SetLoadBalancerModificationProtection": load_balancers.set_modification_protection,
    "slb:StartLoadBalancerListener": load_balancers.start_listener,
    "slb:SetLoadBalancerTCPListenerAttribute": load_balancers.set_tcp_listener,
    "slb:SetLoadBalancerUDPListenerAttribute": load_balancers.set_udp_listener,
    "slb:SetVServerGroupAttribute": load_balancers.set_group_servers,
    "slb:SetBackendServers": load_balancers.set_default_servers,
    "slb:RemoveAccessControlListEntry": load_balancers.remove_acl_entries,
    "ecs:StartInstance": load_balancers.start_instance,
    "vpc:UnassociateEipAddress": load_balancers.unassociate_eip,
    "ecs:AuthorizeSecurityGroup": groups.authorize,
    "ecs:AuthorizeSecurityGroupEgress": groups.authorize_egress,
    "ecs:RevokeSecurityGroup": groups.revoke,
    "ecs:RevokeSecurityGroupEgress": groups.revoke,
}

#: Every write operation whose effect is known, by product:Operation.
OPERATIONS = {name: _operation(name, effect) for name, effect in _EFFECTS.items()}


def apply(draft: Draft, step: Step) -> None:
    """Does a step to the copy.  Raises Unforeseen where it cannot be told what the step would do."""
    operation = OPERATIONS.get(step.operation)
    if operation is None:
        raise Unforeseen(f"what {step.operation} does is not known here")
    if step.missing:
        raise Unforeseen(f"{', '.join(step.missing)} of {step.operation} is not known")
    operation.effect(draft, step.parameters, step.account_id)
