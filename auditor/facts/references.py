"""Lists and groups that the ingress rules of endpoint groups name, and whether they resolve: `group_references`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from auditor.facts.group_rules import RULE_COLUMNS
from auditor.facts.rows import gap_sentence, rows
from auditor.facts.security_groups import SecurityGroups

if TYPE_CHECKING:
    from auditor.facts.endpoints import Endpoints
    from auditor.inventory.coverage import Coverage
    from auditor.inventory.snapshot import Snapshot

_State = tuple[str | None, str | None]


class References:
    """Resolves what rules name.

    A reference that has no effect is left out: a prefix list beside a CIDR block or a group, a group beside a CIDR
    block, a port list beside a port range.
    """

    def __init__(self, snapshot: Snapshot, coverage: Coverage, groups: SecurityGroups) -> None:
        self._coverage = coverage
        self._groups = groups
        self._prefix_lists = {list_id for (list_id,) in rows(snapshot["prefix_lists"], "prefix_list_id")}
        self._entries: dict[str, set[str]] = defaultdict(set)
        for table, column in (("prefix_list_entries", "prefix_list_id"), ("port_list_entries", "port_list_id")):
            self._entries[table] = {list_id for (list_id,) in rows(snapshot[table], column)}
        self._by_group: dict[str, list[dict[str, Any]]] = {}

    def group_references(self, endpoints: Endpoints) -> Iterator[dict[str, Any]]:
        """Rows of `group_references`; one without reference where groups or rules were not read."""
        for endpoint in endpoints.every.values():
            base = {"endpoint_id": endpoint.endpoint_id}
            groups = endpoints.group_set(endpoint)
            if groups.gap is not None:
                yield {**base, "reason": groups.gap}
            for group_id in (*groups.attached, *(group for group, _ in groups.transitional)):
                if group_id not in self._by_group:
                    self._by_group[group_id] = list(self._of_group(group_id))
                for row in self._by_group[group_id]:
                    yield {**base, **row}

    def _of_group(self, group_id: str) -> Iterator[dict[str, Any]]:
        base = {"security_group_id": group_id}
        if not self._coverage.complete("security_group_rules", group_id):
            yield {**base, "reason": gap_sentence(self._coverage, "security_group_rules", group_id)}
        # One account may be read through two profiles, and one group through two accounts.
        distinct = {values[1:]: values for values in self._groups.rules.raw(group_id)}
        for values in distinct.values():
            rule = dict(zip(RULE_COLUMNS, values, strict=True))
            if rule["direction"].lower() == "egress":
                continue
            if _hides_a_reference(rule):
                yield {**base, "rule_id": rule["rule_id"], "reason": f"what rule {rule['rule_id']} names was not read"}
            for kind, reference in _named(rule):
                state, reason = self._state(kind, reference, rule)
                yield {
                    **base,
                    "rule_id": rule["rule_id"],
                    "reference_type": kind,
                    "reference_id": reference,
                    "state": state,
                    "reason": reason,
                }

    def _state(self, kind: str, reference: str, rule: dict[str, Any]) -> _State:
        if kind == "security_group":
            return self._group_state(reference, rule)
        table = f"{kind}_entries"
        if reference in self._entries[table]:
            return "resolved", None
        if not self._coverage.complete(table, reference):
            return None, gap_sentence(self._coverage, table, reference)
        if kind == "prefix_list" and reference not in self._prefix_lists:
            # Without its own row an answered list is one that was not found, if that row was asked for.
            return ("missing" if self._coverage.complete("prefix_lists", reference) else "empty"), None
        return "empty", None

    def _group_state(self, group_id: str, rule: dict[str, Any]) -> _State:
        if group_id in self._groups.groups:
            return "resolved", None
        owner = rule["source_group_owner"]
        if self._groups.absent(group_id, owner, rule["account_id"]):
            return "missing", None
        if owner is None:
            return None, f"the account of {group_id} was not read"
        if owner not in ("", rule["account_id"]):
            return None, f"{group_id} belongs to account {owner}, which was not asked for it"
        return None, gap_sentence(self._coverage, "security_groups", group_id)


def _hides_a_reference(rule: dict[str, Any]) -> bool:
    """A rule has a source and a port; where none was read and a field is NULL, that field may name a list or group."""
    for fields in (
        ("source_cidr", "ipv6_source_cidr", "source_group_id", "source_prefix_list_id"),
        ("port_range", "port_list_id"),
    ):
        values = [rule[field] for field in fields]
        if None in values and not any(values):
            return True
    return False


def _named(rule: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if not (rule["source_cidr"] or rule["ipv6_source_cidr"]):
        if rule["source_group_id"]:
            yield "security_group", rule["source_group_id"]
        elif rule["source_prefix_list_id"]:
            yield "prefix_list", rule["source_prefix_list_id"]
    if not rule["port_range"] and rule["port_list_id"]:
        yield "port_list", rule["port_list_id"]
