"""Absence: the proof that a resource of an earlier run is gone, and not only unread or unjudged this time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from auditor.batches import Settled, opened, settled, titles
from auditor.findings import Finding, Report, ResourceRef
from auditor.inventory.schema import TABLES

# A child is gone with its parent, although nobody could ask for its list any more.
_PARENT_TABLES = {"service_users": "endpoint_services", "listeners": "load_balancers"}


class Absence:
    """Decides from the reads of one report; without a read that covers the resource nothing is proven.

    A resource is gone if its rule was judged, no outcome of this run speaks of it, and every read that could have
    shown it (same account and region, an operation that fills its table, for the whole region, for its parent or for
    itself) was complete, at least one of them being there.
    """

    def __init__(self, report: Report, judged_rules: Collection[str] | None = None) -> None:
        self._rules = frozenset(judged_rules if judged_rules is not None else titles(report.findings))
        everything: list[Finding | Settled] = [*opened(report.findings), *settled(report.findings)]
        self._present = {(ref.type, ref.id) for one in everything for ref in (one.resource, *one.related)}
        self._reads: dict[tuple[str | None, str | None, str], dict[str, bool]] = defaultdict(dict)
        for read in report.reads:
            targets = self._reads[(read.account_id, read.region_id, read.operation)]
            targets[read.target] = targets.get(read.target, True) and read.complete

    def proven(self, rule_id: str, resource: ResourceRef | None) -> bool:
        """True if the finding of `rule_id` about `resource` has nothing left to be about."""
        return resource is not None and rule_id in self._rules and self._gone(resource)

    def _gone(self, resource: ResourceRef) -> bool:
        if (resource.type, resource.id) in self._present or resource.type not in TABLES:
            return False
        parent_id = resource.id.partition(":")[0]
        answers: list[bool] = []
        for operation in TABLES[resource.type].operations:
            targets = self._reads.get((resource.account_id, resource.region_id, operation), {})
            answers.extend(targets[target] for target in {"", parent_id, resource.id} if target in targets)
        if answers:
            return all(answers)
        parent_table = _PARENT_TABLES.get(resource.type)
        if parent_table is None:
            return False
        return self._gone(ResourceRef(parent_table, parent_id, resource.account_id, resource.region_id))
