"""CloudMonitor: alarm rules on PrivateLink metrics."""

from __future__ import annotations

from collections.abc import Iterable

from auditor.collect.caller import Caller, Listing
from auditor.collect.fields import Item, Rows, flag, text

ALARMS = "cms:DescribeMetricRuleList"
#: Namespace of the PrivateLink metrics.
NAMESPACE = "acs_privatelink"


def fetch(caller: Caller, region: str) -> Listing:
    """Every alarm rule of the PrivateLink namespace."""
    return caller.list(ALARMS, region, {"Namespace": NAMESPACE})


def rows(items: Iterable[Item]) -> Rows:
    """`metric_alarms`."""
    made = Rows()
    for item in items:
        made.add(
            "metric_alarms",
            "",
            alarm_id=text(item, "RuleId"),
            namespace=text(item, "Namespace"),
            resources=text(item, "Resources"),
            enabled=flag(item, "EnableState"),
        )
    return made
