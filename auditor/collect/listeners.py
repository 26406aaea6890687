"""Listeners: what the listeners of load balancers name: rules, lists, server groups, health."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from auditor.collect import alb, clb, nlb
from auditor.collect.caller import Listing, batches
from auditor.collect.fields import Rows
from auditor.collect.provider import ProviderReads
from auditor.collect.reads import Read

_GROUP_TABLES = ("server_groups", "backends")


class ListenerReads(ProviderReads):
    """What follows once the listeners are known."""

    def _after_listeners(self) -> Iterable[Read]:
        want = self.wanted.any
        listeners = self.ledger.rows("listeners")
        if want("forwarding_rules"):
            for row in listeners:
                if row["protocol"] in ("http", "https") and self._is_clb(row):
                    yield self._rules_of(row)
        if want("acl_entries"):
            acls = {row["acl_id"]: row["load_balancer_id"] for row in self.ledger.rows("listener_acls")}
            for acl, balancer in sorted(acls.items()):
                yield self._acl(self._region_of(balancer), acl)
        if want(*_GROUP_TABLES):
            yield from self._groups_of_clb_listeners(listeners)
            yield from self._groups_of_other_listeners(listeners)
        if want("health_status"):
            yield from self._nlb_healths(listeners)

    def _is_clb(self, row: Mapping[str, Any]) -> bool:
        return self._kind_of(str(row["load_balancer_id"])) == "slb"

    def _kind_of(self, load_balancer_id: str) -> str:
        return self._places.get(load_balancer_id, ("slb", ""))[0]

    def _rules_of(self, row: Mapping[str, Any]) -> Read:
        balancer, protocol, port = str(row["load_balancer_id"]), str(row["protocol"]), int(row["port"])
        return self._job(
            clb.RULES,
            lambda: clb.fetch_rules(self.caller, self._region_of(balancer), balancer, protocol, port),
            lambda listing: clb.rule_rows(listing.items, balancer, protocol, port),
            {"forwarding_rules": [clb.listener_key(balancer, protocol, port)]},
        )

    def _acl(self, region: str, acl: str) -> Read:
        return self._job(
            clb.ACL,
            lambda: clb.fetch(self.caller, region, clb.ACL, [acl]),
            lambda listing: clb.acl_rows(listing.items, acl),
            {"acl_entries": [acl]},
        )

    def _groups_of_clb_listeners(self, listeners: Sequence[Mapping[str, Any]]) -> Iterable[Read]:
        wanted: dict[tuple[str, str], str] = {}
        for row in listeners:
            if not self._is_clb(row):
                continue
            balancer = str(row["load_balancer_id"])
            if row["vserver_group_id"]:
                wanted[clb.VSERVER_GROUP, row["vserver_group_id"]] = balancer
            if row["primary_secondary_group_id"]:
                wanted[clb.PRIMARY_SECONDARY_GROUP, row["primary_secondary_group_id"]] = balancer
            if row["backend_server_port"] is not None and not row["vserver_group_id"]:
                wanted[clb.ATTRIBUTE, balancer] = balancer
        for (operation, asked), balancer in sorted(wanted.items()):
            yield self._clb_group(operation, self._region_of(balancer), asked)

    def _clb_group(self, operation: str, region: str, asked: str) -> Read:
        def rows(listing: Listing) -> Rows:
            return clb.group_rows(listing.answers[0], listing.items, operation, asked) if listing.answers else Rows()

        group = clb.default_group_id(asked) if operation == clb.ATTRIBUTE else asked
        return self._job(
            operation,
            lambda: clb.fetch(self.caller, region, operation, [asked]),
            rows,
            {table: [group] for table in _GROUP_TABLES},
        )

    def _groups_of_other_listeners(self, listeners: Sequence[Mapping[str, Any]]) -> Iterable[Read]:
        wanted: dict[tuple[str, str], list[str]] = {}
        for row in listeners:
            if row.get("server_group_id"):
                balancer = str(row["load_balancer_id"])
                ids = wanted.setdefault((self._kind_of(balancer), self._region_of(balancer)), [])
                ids.append(str(row["server_group_id"]))
        for (kind, region), ids in sorted(wanted.items()):
            module = nlb if kind == "nlb" else alb
            for some in batches(ids, 20):
                yield self._nlb_groups(module, f"{kind}:ListServerGroups", region, some)
            for one in dict.fromkeys(ids):
                yield self._nlb_servers(module, f"{kind}:ListServerGroupServers", region, one)

    def _nlb_groups(self, module: Any, operation: str, region: str, ids: Sequence[str]) -> Read:
        return self._job(
            operation,
            lambda: module.fetch(self.caller, region, operation, ids),
            lambda listing: module.server_group_rows(listing.items, ids),
            {"server_groups": ids},
        )

    def _nlb_servers(self, module: Any, operation: str, region: str, one: str) -> Read:
        return self._job(
            operation,
            lambda: module.fetch(self.caller, region, operation, [one]),
            lambda listing: module.backend_rows(listing.items, one),
            {"backends": [one]},
        )

    def _nlb_healths(self, listeners: Sequence[Mapping[str, Any]]) -> Iterable[Read]:
        for (kind, _), ids in self._balancers_by_place.items():
            operation = f"{kind}:GetListenerHealthStatus"
            for one in ids if kind in ("nlb", "alb") else ():
                rows = [row for row in listeners if row["load_balancer_id"] == one]
                if not self.ledger.complete("listeners", one) or not all(row.get("listener_id") for row in rows):
                    words = "its listeners, which must be asked for one by one, are not all known"
                    self.ledger.gap(operation, "health_status", [one], "Plaudit.ParentUnread", words)
                elif not rows:
                    self.ledger.cover("nlb:ListListeners", "health_status", [one])
                for row in rows:
                    if row.get("listener_id"):
                        yield self._nlb_health(row)

    def _nlb_health(self, row: Mapping[str, Any]) -> Read:
        balancer = str(row["load_balancer_id"])
        operation = f"{self._kind_of(balancer)}:GetListenerHealthStatus"
        return self._job(
            operation,
            lambda: nlb.fetch(self.caller, self._region_of(balancer), operation, [str(row["listener_id"])]),
            lambda listing: nlb.health_rows(listing.items, row),
            {"health_status": [balancer]},
        )

    def _after_rules(self) -> Iterable[Read]:
        """vServer groups that only forwarding rules name."""
        if not self.wanted.any(*_GROUP_TABLES):
            return
        read = set(self.ledger.values("listeners", "vserver_group_id"))
        found = {
            str(row["vserver_group_id"]): str(row["load_balancer_id"])
            for row in self.ledger.rows("forwarding_rules")
            if row["vserver_group_id"] and row["vserver_group_id"] not in read
        }
        for group, balancer in sorted(found.items()):
            yield self._clb_group(clb.VSERVER_GROUP, self._region_of(balancer), group)
