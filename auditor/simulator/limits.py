"""The documented call limits per account, region and operation, for runs that must prove they respect them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from auditor.simulator.wire import ApiError

_THOUSAND = [
    "ListVpcEndpointServices",
    "ListVpcEndpoints",
    "ListVpcEndpointConnections",
    "ListVpcEndpointServiceResources",
    "ListVpcEndpointZones",
    "GetVpcEndpointServiceAttribute",
    "ListVpcEndpointServicesByEndUser",
    "DescribeRegions",
    "DescribeZones",
    "GetVpcEndpointAttribute",
]
_CLB = [
    "DescribeVServerGroupAttribute",
    "DescribeMasterSlaveServerGroupAttribute",
    "DescribeZones",
    "DescribeLoadBalancers",
    "DescribeLoadBalancerAttribute",
    "DescribeLoadBalancerListeners",
    "DescribeHealthStatus",
    "DescribeVServerGroups",
]
_ECS_SLOW = ["DescribeSecurityGroupAttribute", "DescribeSecurityGroups", "DescribeNetworkInterfaces"]

#: Calls and seconds per operation; what is not listed has the figure of its product in DEFAULTS.
LIMITS: dict[str, tuple[int, int]] = {
    **{f"privatelink:{name}": (1000, 60) for name in _THOUSAND},
    "privatelink:ListVpcEndpointServiceUsers": (3000, 60),
    "privatelink:ListVpcEndpointSecurityGroups": (3000, 60),
    "privatelink:ListTagResources": (100, 1),
    "privatelink:CheckProductOpen": (500, 60),
    **{f"slb:{name}": (3000, 60) for name in _CLB},
    "slb:ListTagResources": (10, 1),
    "nlb:GetListenerHealthStatus": (10, 1),
    "vpc:DescribeNetworkAcls": (30, 60),
    "vpc:DescribeVpcs": (300, 60),
    "vpc:DescribeVSwitches": (300, 60),
    **{f"ecs:{name}": (500, 60) for name in _ECS_SLOW},
}
DEFAULTS: dict[str, tuple[int, int]] = {
    "nlb": (20, 1),
    "gwlb": (600, 60),
    "ecs": (1000, 60),
    "slb": (3000, 60),
}
_OTHER = (300, 60)


class RateLimits:
    """Counts calls in fixed windows and refuses those above the limit with Throttling.User.

    `scale` shortens every window (0.01: a minute lasts 0.6 s).  ecs answers without x-acs-retry-after and stays closed
    until its window ends, the others tell the time to wait in milliseconds.
    """

    def __init__(self, scale: float = 1.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._scale = scale
        self._clock = clock
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, str, str], tuple[int, int]] = {}

    def check(self, account_id: str, region_id: str, operation: str) -> None:
        """Count one call; ApiError Throttling.User if it is one too many."""
        product = operation.partition(":")[0]
        limit, seconds = LIMITS.get(operation) or DEFAULTS.get(product, _OTHER)
        length = seconds * self._scale
        now = self._clock()
        window = int(now / length)
        key = (account_id, region_id, operation)
        with self._lock:
            last, count = self._counts.get(key, (window, 0))
            count = count + 1 if last == window else 1
            self._counts[key] = (window, count)
        if count > limit:
            wait = max(int(((window + 1) * length - now) * 1000), 1)
            headers = {} if product == "ecs" else {"x-acs-retry-after": str(wait)}
            raise ApiError(400, "Throttling.User", "The call rate of this account was exceeded.", None, headers)
