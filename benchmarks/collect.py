"""How close a collection comes to the time that latency alone takes: 200 security groups behind a slow cloud.

Run it from the checkout: `python -m benchmarks.collect`.  The simulated cloud runs in a process of its own.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import statistics
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path


def _serve(pipe: Connection, groups: int, latency: float) -> None:
    from auditor.simulator import Simulator
    from auditor.simulator.objects import Rule
    from auditor.simulator.scenarios import SCENARIOS

    world = SCENARIOS["tutorial"]()
    vswitch = world.vswitches["vsw-gw8consumervsw1bbbbb"]
    vpc = world.vpcs[vswitch.vpc_id]
    for number in range(groups - len(world.security_groups) + 1):
        group = world.add_security_group(vpc, [Rule(cidr="10.10.0.0/16", ports="80/80")], name=f"group {number}")
        if number < 200:
            world.add_eni(vswitch, [group.security_group_id])
    folder = Path(str(pipe.recv()))
    while True:
        with Simulator(world, latency=latency, verify_signature=False) as sim:
            names = sim.write_config(folder / "config.json")
            pipe.send((sim.url, names))
            if pipe.recv() == "end":
                return
            pipe.send((dict(sim.statistics.requests), sim.statistics.connections, sim.statistics.in_flight_max))


def main() -> None:
    """Print seconds, connections, and the ratio to N x latency / K, for each concurrency."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--groups", type=int, default=200)
    parser.add_argument("--latency", type=float, default=0.08, help="seconds per answer")
    parser.add_argument("--concurrency", type=int, nargs="*", default=[8, 16, 32])
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()

    from auditor.collect.accounts import load_profiles
    from auditor.collect.crawl import collect

    here, there = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(
        target=_serve, args=(there, options.groups, options.latency), daemon=True
    )
    server.start()
    tables = {"security_group_rules", "security_groups", "eni_security_groups"}
    print("K   calls  connections  seconds  of which group rules: ideal  ratio  CPU ms/call")
    with tempfile.TemporaryDirectory() as folder:
        here.send(folder)
        for concurrency in options.concurrency:
            seconds, cpus, alone = [], [], []
            for _ in range(options.repeat + 1):
                times = []
                for wanted in (tables, {"eni_security_groups", "endpoint_security_groups"}):
                    url, names = here.recv()
                    profiles = load_profiles(Path(folder) / "config.json", names)
                    cpu, started = _cpu(), time.perf_counter()
                    collect(
                        profiles, endpoint_url=url, tables=wanted, concurrency=concurrency, regions=["eu-central-1"]
                    )
                    times.append(time.perf_counter() - started)
                    if wanted is tables:
                        cpus.append(_cpu() - cpu)
                    here.send("next")
                    requests, connections, in_flight = here.recv()
                    if wanted is tables:
                        calls, kept, most = requests, connections, in_flight
                seconds.append(times[0])
                # What the groups cost: the same collection with and without reading them.
                alone.append(times[0] - times[1])
            assert most <= concurrency
            reads = sum(count for key, count in calls.items() if key[2] == "ecs:DescribeSecurityGroupAttribute")
            total = sum(calls.values())
            ideal = reads * options.latency / concurrency
            measured = statistics.median(alone[1:])
            print(
                f"{concurrency:<3} {total:5}  {kept:11}  {statistics.median(seconds[1:]):7.2f}  "
                f"{measured:21.2f} {ideal:6.2f} {measured / ideal:6.2f} "
                f"{1000 * statistics.median(cpus[1:]) / total:12.2f}"
            )
        here.recv()
        here.send("end")
    server.join(5)


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
