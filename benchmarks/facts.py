"""How long the facts of a large deployment take, and how much memory; and a long comparison with the second opinion.

    python benchmarks/facts.py                      20,000 endpoints with 200,000 rules, and the worst case
    python benchmarks/facts.py --agreement 100000   that many random scenarios, packet by packet

Seconds are those of the processor, for a machine may be busy with other things.  Fails (exit 1) above the budgets.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from random import Random
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from auditor.facts import compute_facts
from auditor.facts.access import admission
from auditor.facts.addresses import EVERYTHING, NOTHING, AddressSet, parse_addresses
from auditor.facts.decision import Item, decide
from auditor.facts.schema import FACTS
from auditor.inventory.coverage import ANY_TARGET, coverage_frame
from auditor.inventory.normalize import table_frame
from auditor.inventory.schema import TABLES
from auditor.inventory.snapshot import Snapshot
from auditor.spec import Spec

SECONDS, MEBIBYTES, WORST_MILLISECONDS = 12.0, 1024, 10.0


def peak_mebibytes() -> float:
    """VmHWM: `ru_maxrss` of a child includes the peak of its parent."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return float("nan")


def deployment(endpoints: int, rules_per_group: int) -> Snapshot:
    """Endpoints with two zones and a group each, ten to a VPC with five clients, ten to a service with two ports."""
    random = Random(1)
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in TABLES}
    conditions = (
        "port_list_id",
        "ipv6_source_cidr",
        "source_group_id",
        "source_group_owner",
        "source_prefix_list_id",
        "source_port_range",
        "dest_cidr",
        "ipv6_dest_cidr",
        "dest_group_id",
        "dest_prefix_list_id",
    )
    empty = dict.fromkeys(conditions, "")

    def add(table: str, **columns: Any) -> None:
        rows[table].append({"account_id": "1", "region_id": "eu-central-1", **columns})

    def interface(eni: str, vpc: str, address: str, group: str, managed: bool) -> None:
        place = {"eni_id": eni, "vpc_id": vpc}
        add("network_interfaces", **place, private_ip=address, instance_id="", service_managed=managed)
        add("eni_addresses", **place, address=address)
        add("eni_security_groups", **place, security_group_id=group)

    def group(name: str, vpc: str, inner: str) -> None:
        add("security_groups", security_group_id=name, security_group_type="normal", vpc_id=vpc)
        add("security_group_policies", security_group_id=name, inner_access_policy=inner)

    for number in range(endpoints):
        vpc_number, service = number // 10, f"epsrv-{number // 10}"
        vpc, name, net = f"vpc-{vpc_number}", f"sg-{number}", f"10.{vpc_number % 250}"
        if number % 10 == 0:
            add("vpc_cidrs", vpc_id=vpc, cidr=f"{net}.0.0/16")
            add("service_resources", service_id=service, resource_id=f"lb-{vpc_number}", zone_id="a")
            for port in (80, 443):
                add("listeners", load_balancer_id=f"lb-{vpc_number}", protocol="tcp", port=port, status="running")
            group(f"sg-c{vpc_number}", vpc, "Accept")
            for client in range(5):
                interface(f"eni-c{vpc_number}-{client}", vpc, f"{net}.9.{client}", f"sg-c{vpc_number}", False)
        group(name, vpc, random.choice(["Accept", "Drop"]))
        add("endpoints", endpoint_id=f"ep-{number}", endpoint_type="Interface", vpc_id=vpc, service_id=service)
        add(
            "endpoint_security_groups",
            endpoint_id=f"ep-{number}",
            security_group_id=name,
            security_group_status="Attached",
        )
        for zone in (1, 2):
            address, eni = f"{net}.{zone}.{number % 10}", f"eni-{number}-{zone}"
            add("endpoint_zones", endpoint_id=f"ep-{number}", zone_id=f"zone-{zone}", eni_id=eni, eni_ip=address)
            interface(eni, vpc, address, name, True)
        for position in range(rules_per_group):
            bits = random.choice([16, 20, 24, 28, 32])
            source = {"source_cidr": f"{net}.{random.randrange(256)}.{random.randrange(256)}/{bits}"}
            if position == 0:
                source = {"source_cidr": "", "source_group_id": f"sg-c{vpc_number}"}
            add(
                "security_group_rules",
                **empty | source,
                security_group_id=name,
                rule_id=f"sgr-{number}-{position}",
                direction="ingress",
                policy=random.choice(["Accept", "Accept", "Drop"]),
                priority=random.randint(1, 100),
                protocol="TCP",
                port_range=random.choice(["80/80", "443/443", "1/65535", "8000/9000"]),
            )
    cover = {"account_id": "1", "operation": "test:Test", "target": ANY_TARGET, "complete": True}
    coverage = coverage_frame({**cover, "table_name": name} for name in TABLES)
    tables = {}
    for name in TABLES:
        tables[name] = table_frame(name, rows.pop(name))
    return Snapshot(tables, coverage)


def worst_case() -> tuple[float, float]:
    """Milliseconds for 999 Drops of single addresses before one Accept: the whole verdict, the first match alone."""
    drops = [AddressSet(v4=((2 * n, 2 * n),)) for n in range(999)]
    items = [Item(False, one, one, f"d{n}") for n, one in enumerate(drops)]
    items.append(Item(True, EVERYTHING, EVERYTHING, "a", wide=True))
    items.append(Item(False, EVERYTHING, EVERYTHING, "default", "default"))
    source = parse_addresses("0.0.0.0/16") or NOTHING

    def best(call: Any) -> float:
        times = []
        for _ in range(20):
            start = time.perf_counter()
            call()
            times.append(time.perf_counter() - start)
        return min(times) * 1000

    return best(lambda: admission(items, source, NOTHING)), best(lambda: decide(items, source))


def agreement(cases: int) -> int:
    """Random scenarios against the second opinion; 1 at the first difference."""
    from tests.facts import packets
    from tests.facts.test_packets import check_agreement

    start = time.perf_counter()
    for seed in range(cases):
        try:
            check_agreement(packets.make(Random(f"long {seed}"), unknowns=(0.0, 0.1, 0.2, 0.3)[seed % 4]))
        except AssertionError as difference:
            print(f"seed {seed}: {difference}")
            return 1
    print(f"{cases} scenarios agree, {time.perf_counter() - start:.0f} s")
    return 0


def main() -> int:
    """Runs what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--agreement", type=int, metavar="CASES")
    parser.add_argument("--endpoints", type=int, default=20_000)
    parser.add_argument("--rules", type=int, default=10, help="rules per endpoint")
    given = parser.parse_args()
    if given.agreement:
        return agreement(given.agreement)
    snapshot = deployment(given.endpoints, given.rules)
    made = peak_mebibytes()
    for name in FACTS:
        start = time.process_time()
        (frame,) = compute_facts(snapshot, Spec(), [name]).values()
        print(f"{name:20} {len(frame):8} rows {time.process_time() - start:6.2f} s alone")
    start = time.process_time()
    frames = compute_facts(snapshot, Spec(), FACTS)
    total = time.process_time() - start
    peak = peak_mebibytes()
    whole, first_match = worst_case()
    print(f"all facts            {sum(map(len, frames.values())):8} rows {total:6.2f} s together")
    print(f"peak memory {peak:.0f} MiB, {made:.0f} MiB of it to make the deployment")
    print(f"worst case: verdict {whole:.2f} ms, first match alone {first_match:.2f} ms")
    return int(total > SECONDS or peak > MEBIBYTES or whole > WORST_MILLISECONDS)


if __name__ == "__main__":
    sys.exit(main())
