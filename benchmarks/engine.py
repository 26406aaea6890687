"""How long the engine takes over 20,000 endpoints and 200,000 security group rules, and how much memory.

Run from a checkout: `python benchmarks/engine.py [--endpoints N] [--select WORDS] [--profile] [--check]`.  Prints one
line per step: seconds on the wall, seconds of the processors, and the same as a multiple of plain work of the same
process, which a busy machine slows as well.  The promise is 15 seconds and 1.5 GB on two cores for everything after the
snapshot stands; `--profile` says where they go, by fact and by rule, `--check` exits 1 beyond the promise.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import resource
import sys
import time
from collections import Counter
from collections.abc import Iterable
from typing import Any

from auditor.engine import load_rules, select_rules, tables_needed
from auditor.engine.rule import Rule
from auditor.engine.run import judge_loaded
from auditor.engine.session import Session
from auditor.engine.sql import Database
from auditor.facts import compute_facts
from auditor.facts.schema import FACTS
from auditor.facts.workshop import Workshop
from auditor.inventory.coverage import coverage_frame
from auditor.inventory.normalize import empty_tables, table_frame
from auditor.inventory.schema import TABLES
from auditor.inventory.snapshot import Snapshot
from auditor.spec import Spec

PROVIDER, CONSUMER, REGION = "6543210987654321", "1234567890123456", "eu-central-1"
ZONES = ("eu-central-1a", "eu-central-1b")


def deployment(endpoints: int) -> Snapshot:
    """A sound deployment: ten endpoints per service, two zones each, one group of ten rules per endpoint."""
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in TABLES}
    ours = {"account_id": CONSUMER, "region_id": REGION}
    theirs = {"account_id": PROVIDER, "region_id": REGION}
    for number in range(max(endpoints // 10, 1)):
        _service(rows, theirs, number)
    for number in range(endpoints):
        _endpoint(rows, ours, theirs, number)
    rows["accounts"] = [
        {"account_id": CONSUMER, "profile": "consumer"},
        {"account_id": PROVIDER, "profile": "provider"},
    ]
    coverage = list(_coverage(rows))
    tables = {**empty_tables(), **{name: table_frame(name, given) for name, given in rows.items() if given}}
    return Snapshot(tables, coverage_frame(coverage), {"started_at": "2026-01-01T00:00:00Z"})


def _service(rows: dict[str, list[dict[str, Any]]], theirs: dict[str, Any], number: int) -> None:
    service_id = f"epsrv-{number}"
    rows["endpoint_services"].append(
        {
            **theirs,
            "service_id": service_id,
            "service_status": "Active",
            "service_business_status": "Normal",
            "service_resource_type": "slb",
            "service_type": "Interface",
            "auto_accept_enabled": False,
            "zone_affinity_enabled": True,
            "payer": "Endpoint",
            "connect_bandwidth": 1024,
            "address_ip_version": "IPv4",
        }
    )
    rows["service_users"].append({**theirs, "service_id": service_id, "entry": CONSUMER, "entry_type": "account"})
    for index, zone in enumerate(ZONES):
        balancer = f"lb-{number}-{index}"
        rows["service_resources"].append(
            {
                **theirs,
                "service_id": service_id,
                "resource_id": balancer,
                "resource_type": "slb",
                "zone_id": zone,
                "vpc_id": "vpc-p",
                "vswitch_id": "vsw-p",
                "resource_region_id": REGION,
                "auto_allocated_enabled": True,
            }
        )
        rows["load_balancers"].append(
            {
                **theirs,
                "load_balancer_id": balancer,
                "load_balancer_type": "slb",
                "load_balancer_status": "active",
                "address_type": "intranet",
                "address_ip_version": "ipv4",
                "pay_type": "PayOnDemand",
                "network_type": "vpc",
                "primary_zone_id": zone,
                "secondary_zone_id": ZONES[1 - index],
                "vpc_id": "vpc-p",
                "vswitch_id": "vsw-p",
                "delete_protection": "on",
            }
        )
        rows["listeners"].append(
            {
                **theirs,
                "load_balancer_id": balancer,
                "protocol": "tcp",
                "port": 80,
                "status": "running",
                "vserver_group_id": "",
                "primary_secondary_group_id": "",
                "acl_status": "off",
                "health_check": "on",
                "listener_forward": "",
            }
        )
        group = f"{balancer}:default"
        rows["server_groups"].append(
            {**theirs, "server_group_id": group, "load_balancer_id": balancer, "group_type": "default"}
        )
        for server in ("i-1", "i-2"):
            rows["backends"].append(
                {
                    **theirs,
                    "server_group_id": group,
                    "server_id": server,
                    "server_type": "ecs",
                    "weight": 100,
                    "role": "",
                }
            )
            rows["health_status"].append(
                {
                    **theirs,
                    "load_balancer_id": balancer,
                    "protocol": "tcp",
                    "listener_port": 80,
                    "server_id": server,
                    "port": 8080,
                    "health_status": "normal",
                }
            )


def _endpoint(rows: dict[str, list[dict[str, Any]]], ours: dict[str, Any], theirs: dict[str, Any], number: int) -> None:
    endpoint_id, service_id, vpc_id = f"ep-{number}", f"epsrv-{number // 10}", f"vpc-{number // 100}"
    rows["endpoints"].append(
        {
            **ours,
            "endpoint_id": endpoint_id,
            "endpoint_name": f"endpoint {number}",
            "endpoint_status": "Active",
            "connection_status": "Connected",
            "endpoint_business_status": "Normal",
            "endpoint_type": "Interface",
            "vpc_id": vpc_id,
            "service_id": service_id,
            "service_region_id": REGION,
            "endpoint_domain": f"{endpoint_id}.{service_id}.{REGION}.privatelink.aliyuncs.com",
            "same_account": False,
            "zone_affinity_enabled": True,
        }
    )
    rows["endpoint_attributes"].append({**ours, "endpoint_id": endpoint_id, "payer": "Endpoint"})
    rows["connections"].append(
        {
            **theirs,
            "service_id": service_id,
            "endpoint_id": endpoint_id,
            "connection_status": "Connected",
            "endpoint_owner_id": CONSUMER,
            "endpoint_vpc_id": vpc_id,
            "endpoint_region_id": REGION,
            "service_region_id": REGION,
            "bandwidth": 1024,
            "traffic_control_mode": "BandwidthLimit",
            "same_account": False,
            "modified_at": "2025-12-01T00:00:00Z",
        }
    )
    if number % 100 == 0:
        rows["vpcs"].append({**ours, "vpc_id": vpc_id, "cidr_block": "10.0.0.0/16", "status": "Available"})
        rows["vpc_cidrs"].append({**ours, "vpc_id": vpc_id, "cidr": "10.0.0.0/16"})
        for zone in ZONES:
            rows["vswitches"].append(
                {
                    **ours,
                    "vswitch_id": f"vsw-{vpc_id}-{zone}",
                    "vpc_id": vpc_id,
                    "zone_id": zone,
                    "cidr_block": "10.0.0.0/17",
                    "network_acl_id": "",
                    "available_ip_address_count": 100,
                    "status": "Available",
                }
            )
    group = f"sg-{number}"
    for index, zone in enumerate(ZONES):
        eni_id, address = f"eni-{number}-{index}", f"10.0.{number % 100}.{10 + index}"
        rows["endpoint_zones"].append(
            {
                **ours,
                "endpoint_id": endpoint_id,
                "zone_id": zone,
                "zone_status": "Connected",
                "eni_id": eni_id,
                "eni_ip": address,
                "vswitch_id": f"vsw-{vpc_id}-{zone}",
                "zone_domain": f"{endpoint_id}-{zone}.privatelink.aliyuncs.com",
            }
        )
        rows["connection_zones"].append(
            {
                **theirs,
                "service_id": service_id,
                "endpoint_id": endpoint_id,
                "zone_id": zone,
                "zone_status": "Connected",
                "resource_id": f"lb-{number // 10}-{index}",
                "eni_id": eni_id,
            }
        )
        rows["network_interfaces"].append({**ours, "eni_id": eni_id, "private_ip": address, "vpc_id": vpc_id})
        rows["eni_addresses"].append({**ours, "eni_id": eni_id, "vpc_id": vpc_id, "address": address})
        rows["eni_security_groups"].append({**ours, "eni_id": eni_id, "vpc_id": vpc_id, "security_group_id": group})
    rows["endpoint_security_groups"].append(
        {**ours, "endpoint_id": endpoint_id, "security_group_id": group, "security_group_status": "Attached"}
    )
    rows["security_groups"].append(
        {**ours, "security_group_id": group, "security_group_type": "normal", "vpc_id": vpc_id, "rule_count": 10}
    )
    rows["security_group_policies"].append({**ours, "security_group_id": group, "inner_access_policy": "Accept"})
    for index in range(10):
        rows["security_group_rules"].append(
            {
                **ours,
                "security_group_id": group,
                "rule_id": f"sgr-{number}-{index}",
                "direction": "ingress" if index else "egress",
                "policy": "Accept",
                "priority": index + 1,
                "protocol": "TCP",
                "port_range": "80/80" if index == 9 else f"{8000 + index}/{8000 + index}",
                "port_list_id": "",
                "source_cidr": "10.0.0.0/16" if index else "",
                "ipv6_source_cidr": "",
                "source_group_id": "",
                "source_prefix_list_id": "",
                "source_port_range": "",
                "dest_cidr": "" if index else "0.0.0.0/0",
                "ipv6_dest_cidr": "",
                "dest_group_id": "",
                "dest_prefix_list_id": "",
            }
        )


def _coverage(rows: dict[str, list[dict[str, Any]]]) -> Iterable[dict[str, Any]]:
    """Complete coverage of every parent that occurs."""
    parents: dict[str, list[str]] = {
        "service_id": [row["service_id"] for row in rows["endpoint_services"]],
        "endpoint_id": [row["endpoint_id"] for row in rows["endpoints"]],
        "load_balancer_id": [row["load_balancer_id"] for row in rows["load_balancers"]],
        "server_group_id": [row["server_group_id"] for row in rows["server_groups"]],
        "security_group_id": [row["security_group_id"] for row in rows["security_groups"]],
        "vpc_id": [row["vpc_id"] for row in rows["vpcs"]],
    }
    for name, table in TABLES.items():
        column = table.parent or (table.key[0] if table.by_id else None)
        provider = name in _PROVIDER_TABLES
        for account_id in (PROVIDER,) if provider else (CONSUMER,) if column else (CONSUMER, PROVIDER):
            for target in parents.get(column, []) if column else [""]:
                yield {
                    "account_id": account_id,
                    "region_id": REGION,
                    "operation": table.operations[0],
                    "table_name": name,
                    "target": target,
                    "complete": True,
                }


_PROVIDER_TABLES = frozenset(
    name for name, table in TABLES.items() if table.parent in ("service_id", "load_balancer_id", "server_group_id")
) | {"load_balancers", "server_groups", "connection_zones"}


#: What everything after the snapshot may cost: seconds of the processors and MB.
SECONDS, MEGABYTES = 15.0, 1500.0


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def plain_work() -> float:
    """Seconds for work like ours that never changes: a million small tuples, filed and sorted.  The best of three."""
    times = []
    for _ in range(3):
        start = time.process_time()
        filed: dict[int, list[tuple[int, str]]] = {}
        for number in range(1_000_000):
            filed.setdefault(number % 20_000, []).append((-number, "some"))
        sum(len(sorted(part)) for part in filed.values())
        times.append(time.process_time() - start)
    return min(times)


class _Clock:
    """Says how long a step took: on the wall, and of both processors together."""

    def __init__(self) -> None:
        self.wall, self.busy = time.perf_counter(), time.process_time()

    def say(self, step: str) -> float:
        """Prints the line and gives the seconds of the processors."""
        wall, busy = time.perf_counter() - self.wall, time.process_time() - self.busy
        print(f"{step:20}{wall:7.2f} s{busy:7.2f} s busy   {_peak():.0f} MB at most")
        return busy


def measure(rules: list[Rule], snapshot: Snapshot, spec: Spec) -> float:
    """Loads and judges, as `judge` does in one call; seconds of the processors."""
    with Database() as database:
        clock = _Clock()
        session = Session(database)
        session.load(snapshot, rules, spec)
        busy = clock.say("load, with facts")
        clock = _Clock()
        findings = judge_loaded(session, rules)
        busy += clock.say("judge")
    numbers: Counter[str] = Counter()
    for (_, _, outcome), number in findings.tally().items():
        numbers[outcome] += number
    print(f"{len(findings)} findings: {dict(numbers)}")
    return busy


def profile(rules: list[Rule], snapshot: Snapshot, spec: Spec) -> None:
    """Seconds of the processors by fact and by rule, then the functions that took longest."""
    facts = {item.fact for rule in rules for item in rule.evidence if item.fact is not None}
    workshop = Workshop(snapshot, spec)
    for name in FACTS:
        if name in facts:
            start = time.process_time()
            (frame,) = compute_facts(snapshot, spec, [name], workshop).values()
            print(f"fact {name:24}{len(frame):8} rows{time.process_time() - start:7.2f} s")
    taken = []
    profiler = cProfile.Profile()
    with Database() as database:
        session = Session(database)
        profiler.runcall(session.load, snapshot, rules, spec, workshop)
        for rule in rules:
            start = time.process_time()
            number = len(judge_loaded(session, [rule]))
            taken.append((time.process_time() - start, rule.id, number))
        profiler.runcall(judge_loaded, session, rules)
    for seconds, rule_id, number in sorted(taken, reverse=True)[:20]:
        print(f"rule {rule_id:24}{number:8} rows{seconds:7.2f} s")
    pstats.Stats(profiler).sort_stats("tottime").print_stats(25)


def main() -> int:
    """Runs what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoints", type=int, default=20_000)
    parser.add_argument("--select", nargs="*", default=[])
    parser.add_argument("--profile", action="store_true", help="where the time goes")
    parser.add_argument("--check", action="store_true", help="exit 1 beyond the promise")
    options = parser.parse_args()
    clock = _Clock()
    rules = select_rules(load_rules(), options.select, [])
    clock.say(f"read {len(rules)} rules")
    clock = _Clock()
    snapshot = deployment(options.endpoints)
    clock.say("make the snapshot")
    print(", ".join(f"{len(snapshot[name])} {name}" for name in ("endpoints", "security_group_rules")))
    print(f"tables needed: {len(tables_needed(rules))}")
    if options.profile:
        profile(rules, snapshot, Spec())
        return 0
    yardstick = plain_work()
    busy = measure(rules, snapshot, Spec())
    print(f"{busy:.2f} s busy, {busy / yardstick:.1f} times plain work of {yardstick:.2f} s; {_peak():.0f} MB at most")
    return int(options.check and (busy > SECONDS or _peak() > MEGABYTES))


if __name__ == "__main__":
    sys.exit(main())
