"""ALB: answers like NLB but for the places named here; called only where a service uses one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from auditor.collect import nlb
from auditor.collect.fields import Item, Rows

PRODUCT = "alb"

fetch = nlb.fetch
backend_rows = nlb.backend_rows
health_rows = nlb.health_rows


def load_balancer_rows(answer: Item, asked: str) -> Rows:
    """`load_balancers`, `load_balancer_zones` and `resource_tags` of one ALB."""
    return nlb.load_balancer_rows(answer, asked, PRODUCT)


def listener_rows(items: Iterable[Item], asked: Sequence[str]) -> Rows:
    """`listeners` of the ALBs that were asked for; their group is that of the default action."""
    return nlb.listener_rows(items, asked, PRODUCT)


def server_group_rows(items: Iterable[Item], asked: Sequence[str]) -> Rows:
    """`server_groups` that were asked for."""
    return nlb.server_group_rows(items, asked, PRODUCT)
