"""Hosts: backends and declared clients in ECS, and the security groups with everything their rules name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from auditor.collect import ecs
from auditor.collect.caller import Listing, batches
from auditor.collect.consumer import ENI_TABLES, ConsumerReads
from auditor.collect.fields import Rows, known, text
from auditor.collect.listeners import ListenerReads
from auditor.collect.operations import OPERATIONS
from auditor.collect.reads import Read

_INSTANCE_TABLES = ("instances", "instance_security_groups")


class HostReads(ListenerReads, ConsumerReads):
    """Instances, interfaces of backends, security groups, prefix lists and port lists."""

    def _declared(self, prefix: str) -> list[str]:
        """Declared clients of the endpoints of this unit whose id begins with `prefix`."""
        endpoints = self.ledger.values("endpoints", "endpoint_id")
        clients = [client for endpoint in endpoints for client in self.wanted.clients_of(endpoint)]
        return [client for client in dict.fromkeys(clients) if client.startswith(prefix)]

    def _of_backends(self) -> Iterable[Read]:
        """Backends that are instances or ENIs, and declared clients, per region of their load balancer."""
        instances: dict[str, list[str]] = {self.region: self._declared("i-")}
        interfaces: dict[str, list[str]] = {}
        regions = {
            str(row["server_group_id"]): self._region_of(str(row["load_balancer_id"]))
            for row in self.ledger.rows("server_groups")
            if row.get("load_balancer_id")
        }
        for row in self.ledger.rows("backends"):
            region = regions.get(str(row["server_group_id"]), self.region)
            if row["server_type"] in ("ecs", None) and str(row["server_id"]).startswith("i-"):
                instances.setdefault(region, []).append(str(row["server_id"]))
            elif row["server_type"] == "eni":
                interfaces.setdefault(region, []).append(str(row["server_id"]))
        if self.wanted.any(*_INSTANCE_TABLES):
            for region, ids in instances.items():
                for some in batches(sorted(ids), OPERATIONS[ecs.INSTANCES].batch):
                    yield self._instances(region, some)
        if self.wanted.any(*ENI_TABLES):
            for region, ids in interfaces.items():
                for some in batches(sorted(ids), OPERATIONS[ecs.INTERFACES].batch):
                    yield self._interfaces(region, some)

    def _instances(self, region: str, ids: Sequence[str]) -> Read:
        return self._job(
            ecs.INSTANCES,
            lambda: ecs.fetch_instances(self.caller, region, ids),
            lambda listing: ecs.instance_rows(listing.items, ids),
            dict.fromkeys(_INSTANCE_TABLES, ids),
        )

    def _interfaces(self, region: str, ids: Sequence[str]) -> Read:
        return self._job(
            ecs.INTERFACES,
            lambda: ecs.fetch(self.caller, region, ecs.INTERFACES, ids),
            lambda listing: ecs.interface_rows(listing.items, None),
            dict.fromkeys(ENI_TABLES, ids),
        )

    def _groups(self) -> dict[str, str]:
        """Groups whose rules are wanted, with their region: of endpoints and declared clients always, others where
        somebody asked for them."""
        found = [*self.ledger.values("endpoint_security_groups", "security_group_id"), *self._declared("sg-")]
        for table in ("eni_security_groups", "instance_security_groups"):
            if table in self.wanted.asked:
                found += self.ledger.values(table, "security_group_id")
        regions = {row["instance_id"]: row["instance_region_id"] for row in self.ledger.rows("instances")}
        elsewhere = {
            row["security_group_id"]: regions.get(row["instance_id"])
            for row in self.ledger.rows("instance_security_groups")
        }
        return {group: elsewhere.get(group) or self.region for group in sorted(set(found))}

    def _of_group_rules(self) -> Iterable[Read]:
        if self.wanted.any("security_group_rules", "security_group_policies"):
            for one, region in self._groups().items():
                yield self._group_rules(region, one)

    def _group_rules(self, region: str, one: str) -> Read:
        def rows(listing: Listing) -> Rows:
            self._note_foreign(listing.items)
            return ecs.rule_rows(listing.answers, listing.items, one)

        return self._job(
            ecs.GROUP_RULES,
            lambda: ecs.fetch(self.caller, region, ecs.GROUP_RULES, [one]),
            rows,
            {"security_group_policies": [one], "security_group_rules": [one]},
        )

    def _of_groups_and_lists(self) -> Iterable[Read]:
        rules = self.ledger.rows("security_group_rules")
        if self.wanted.any("security_groups"):
            groups = {**dict.fromkeys(self._named_groups(rules), self.region), **self._groups()}
            for region in sorted(set(groups.values())):
                here = sorted(group for group, place in groups.items() if place == region)
                for some in batches(here, OPERATIONS[ecs.GROUPS].batch):
                    yield self._group_batch(region, some)
        if self.wanted.any("prefix_lists", "prefix_list_entries"):
            for one in _named(rules, "source_prefix_list_id", "dest_prefix_list_id"):
                yield self._prefix_list(one)
        if self.wanted.any("port_list_entries"):
            for one in _named(rules, "port_list_id"):
                yield self._port_list(one)

    def _named_groups(self, rules: Sequence[Mapping[str, Any]]) -> list[str]:
        """Groups that rules name; those of other accounts would be answered as if they did not exist."""
        return [group for group in _named(rules, "source_group_id", "dest_group_id") if group not in self._foreign]

    def _note_foreign(self, items: Iterable[Mapping[str, Any]]) -> None:
        for item in items:
            for side in ("Source", "Dest"):
                owner, group = text(item, f"{side}GroupOwnerAccount"), text(item, f"{side}GroupId")
                if known(group) and known(owner) and owner != self.caller.account_id:
                    self._foreign.add(known(group))

    def _group_batch(self, region: str, ids: Sequence[str]) -> Read:
        return self._job(
            ecs.GROUPS,
            lambda: ecs.fetch(self.caller, region, ecs.GROUPS, ids),
            lambda listing: ecs.group_rows(listing.items, ids),
            {"security_groups": ids},
        )

    def _prefix_list(self, one: str) -> Read:
        def rows(listing: Listing) -> Rows:
            return ecs.prefix_list_rows(listing.answers[0], listing.items, one) if listing.answers else Rows()

        return self._job(
            ecs.PREFIX_LIST,
            lambda: ecs.fetch(self.caller, self.region, ecs.PREFIX_LIST, [one]),
            rows,
            {"prefix_lists": [one], "prefix_list_entries": [one]},
        )

    def _port_list(self, one: str) -> Read:
        return self._job(
            ecs.PORT_LIST,
            lambda: ecs.fetch(self.caller, self.region, ecs.PORT_LIST, [one]),
            lambda listing: ecs.port_list_rows(listing.items, one),
            {"port_list_entries": [one]},
        )


def _named(rules: Sequence[Mapping[str, Any]], *columns: str) -> list[str]:
    return sorted({str(row[column]) for row in rules for column in columns if row[column]})
