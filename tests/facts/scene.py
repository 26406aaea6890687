"""Small deployments to compute facts of: one endpoint in one VPC, everything read unless a test says otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import pandas as pd

from auditor.facts import compute_facts
from auditor.inventory.coverage import ANY_TARGET, coverage_frame
from auditor.inventory.normalize import table_frame
from auditor.inventory.schema import TABLES
from auditor.inventory.snapshot import Snapshot
from auditor.spec import EndpointSpec, Port, ServiceSpec, Spec

CONSUMER, PROVIDER, REGION = "1000000000000001", "2000000000000002", "eu-central-1"

Rows = Mapping[str, list[dict[str, Any]]]

_NO_CONDITION = {
    "port_list_id": "",
    "source_cidr": "",
    "ipv6_source_cidr": "",
    "source_group_id": "",
    "source_group_owner": "",
    "source_prefix_list_id": "",
    "source_port_range": "",
    "dest_cidr": "",
    "ipv6_dest_cidr": "",
    "dest_group_id": "",
    "dest_prefix_list_id": "",
}


def rule(rule_id: str, policy: str, source: str = "", /, **columns: Any) -> dict[str, Any]:
    """An ingress rule of sg-e for TCP port 80 and priority 1, unless the columns say otherwise."""
    return {
        "security_group_id": "sg-e",
        "rule_id": rule_id,
        "direction": "ingress",
        "policy": policy,
        "priority": 1,
        "protocol": "TCP",
        "port_range": "80/80",
        **_NO_CONDITION,
        ("ipv6_source_cidr" if ":" in source else "source_cidr"): source,
        **columns,
    }


def egress(rule_id: str, policy: str, target: str = "", /, **columns: Any) -> dict[str, Any]:
    """An egress rule of sg-c."""
    given = {"security_group_id": "sg-c", "direction": "egress", "source_cidr": "", "dest_cidr": target, **columns}
    return rule(rule_id, policy, **given)


def eni(eni_id: str, address: str | None, groups: Iterable[str] = (), vpc_id: str = "vpc-1", **columns: Any) -> Rows:
    """Rows of one ENI in the three tables."""
    row = {"eni_id": eni_id, "private_ip": address, "vpc_id": vpc_id, "instance_id": "", "service_managed": False}
    return {
        "network_interfaces": [{**row, **columns}],
        "eni_addresses": [{"eni_id": eni_id, "vpc_id": vpc_id, "address": address}] if address else [],
        "eni_security_groups": [{"eni_id": eni_id, "vpc_id": vpc_id, "security_group_id": group} for group in groups],
    }


def together(*parts: Rows) -> dict[str, list[dict[str, Any]]]:
    """The rows of all parts."""
    result: dict[str, list[dict[str, Any]]] = {}
    for part in parts:
        for table, rows in part.items():
            result.setdefault(table, []).extend(rows)
    return result


def group(group_id: str, kind: str | None = "normal", inner: str | None = "Drop", vpc_id: str = "vpc-1") -> Rows:
    """A security group with its intra-group policy."""
    return {
        "security_groups": [{"security_group_id": group_id, "security_group_type": kind, "vpc_id": vpc_id}],
        "security_group_policies": [{"security_group_id": group_id, "inner_access_policy": inner}],
    }


def base(
    rules: Iterable[dict[str, Any]] = (),
    *,
    kind: str | None = "normal",
    inner: str | None = "Drop",
    groups: Mapping[str, str | None] | None = None,
) -> dict[str, list[dict[str, Any]]]:
    """ep-1 (ENI 10.0.0.250) in vpc-1 (10.0.0.0/24) with the group sg-e, and a service that listens on tcp/80."""
    attached = {"sg-e": "Attached"} if groups is None else groups
    return together(
        {
            "endpoints": [
                {
                    "endpoint_id": "ep-1",
                    "endpoint_type": "Interface",
                    "vpc_id": "vpc-1",
                    "service_id": "epsrv-1",
                    "address_ip_version": "IPv4",
                }
            ],
            "endpoint_zones": [
                {"endpoint_id": "ep-1", "zone_id": "zone-a", "eni_id": "eni-ep", "eni_ip": "10.0.0.250"}
            ],
            "endpoint_security_groups": [
                {"endpoint_id": "ep-1", "security_group_id": one, "security_group_status": status}
                for one, status in attached.items()
            ],
            "security_group_rules": list(rules),
            "vpc_cidrs": [{"vpc_id": "vpc-1", "cidr": "10.0.0.0/24"}],
            "service_resources": [{"service_id": "epsrv-1", "resource_id": "lb-1", "zone_id": "zone-a"}],
            "listeners": [{"load_balancer_id": "lb-1", "protocol": "tcp", "port": 80, "status": "running"}],
        },
        group("sg-e", kind, inner),
        eni("eni-ep", "10.0.0.250", list(attached), service_managed=True),
    )


@cache
def _empty(table: str) -> pd.DataFrame:
    return table_frame(table, ())


def snapshot(rows: Rows, unread: Iterable[str] = ()) -> Snapshot:
    """A snapshot; `unread` names tables ("listeners") or single lists ("security_group_rules:sg-e") with a gap."""
    gaps = [entry.partition(":")[::2] for entry in unread]
    coverage: list[dict[str, Any]] = []
    for name, table in TABLES.items():
        targets = {target for gap, target in gaps if gap == name}
        if "" in targets:
            continue
        cover = {
            "account_id": CONSUMER,
            "region_id": REGION,
            "operation": "test:Test",
            "table_name": name,
            "complete": True,
        }
        known = {ANY_TARGET}
        if targets:
            column = table.parent or table.key[0]
            known = {str(row[column]) for row in rows.get(name, [])} - targets
        coverage.extend({**cover, "target": target} for target in sorted(known))
        refused = {"complete": False, "error_code": "Forbidden.RAM", "message": "no"}
        coverage.extend({**cover, **refused, "target": target} for target in sorted(targets))
    tables = {}
    for name in TABLES:
        if not rows.get(name):
            tables[name] = _empty(name)
            continue
        own = {"account_id": CONSUMER} if name == "accounts" else {"account_id": CONSUMER, "region_id": REGION}
        tables[name] = table_frame(name, [{**own, **row} for row in rows.get(name, [])])
    return Snapshot(tables, coverage_frame(coverage))


def facts(
    name: str,
    rows: Rows,
    *,
    unread: Iterable[str] = (),
    clients: Iterable[str] | None = None,
    ports: Iterable[str] | None = None,
) -> list[dict[str, Any]]:
    """The rows of one fact, NULL as None."""
    declared = None if ports is None else tuple(Port(p.split("/")[0], int(p.split("/")[1])) for p in ports)
    spec = Spec(
        services={"epsrv-1": ServiceSpec(ports=declared)},
        endpoints={"ep-1": EndpointSpec(clients=None if clients is None else tuple(clients))},
    )
    frame = compute_facts(snapshot(rows, unread), spec, [name])[name]
    return frame.astype(object).where(frame.notna(), None).to_dict("records")


def access(rows: Rows, client: str | None = "10.0.0.7", **options: Any) -> dict[str, Any]:
    """The one row of `endpoint_access` for a declared client (None: nothing declared)."""
    (row,) = facts("endpoint_access", rows, clients=None if client is None else [client], **options)
    return row
