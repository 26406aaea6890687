"""GWLB: load balancers with their zones; called only where a service uses one.

Its listeners take every protocol and port and have none of their own, so there is nothing of them that a row of
`listeners` could say or a rule could judge: they are not asked for, and that is no gap.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from auditor.collect import nlb
from auditor.collect.fields import Item, Rows, known, text

PRODUCT = "gwlb"
LOAD_BALANCERS = "gwlb:ListLoadBalancers"

fetch = nlb.fetch


def load_balancer_rows(items: Iterable[Item], asked: Sequence[str]) -> Rows:
    """`load_balancers`, `load_balancer_zones` and `resource_tags` of the GWLBs that were asked for."""
    made = Rows()
    for item in items:
        balancer = text(item, "LoadBalancerId")
        if known(balancer) and balancer not in asked:
            continue
        made.add(
            "load_balancers",
            known(balancer) or None,
            load_balancer_id=balancer,
            load_balancer_type=PRODUCT,
            load_balancer_name=text(item, "LoadBalancerName"),
            load_balancer_status=text(item, "LoadBalancerStatus"),
            address_ip_version=text(item, "AddressIpVersion"),
            vpc_id=text(item, "VpcId"),
        )
        if known(balancer):
            nlb.zone_rows(made, item, known(balancer))
            for tag in made.objects("resource_tags", known(balancer), item, "Tags"):
                name = "Tag" if "TagKey" in tag else ""
                made.add(
                    "resource_tags",
                    known(balancer),
                    resource_id=balancer,
                    tag_key=text(tag, f"{name}Key"),
                    tag_value=text(tag, f"{name}Value"),
                )
    return made
