"""A deployment in which every read a policy grants is needed, and collections of it under faults."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from auditor.collect.accounts import load_profiles
from auditor.collect.crawl import collect
from auditor.collect.operations import OPERATIONS
from auditor.inventory.snapshot import Snapshot
from auditor.permissions import AccountSide
from auditor.simulator import Simulator, World
from auditor.simulator.faults import Fault
from auditor.simulator.objects import NetworkAclEntry, Rule
from auditor.spec import Spec
from tests.collect.rich import CONSUMER, PROVIDER, rich

#: What each account owns.
SIDE_OF: dict[str, AccountSide] = {PROVIDER: "provider", CONSUMER: "consumer"}
PROFILES = ("provider", "consumer", "poor")

Asked = dict[str, set[str]]


def everything(*, gateways: bool = False) -> World:
    """Every read of both sides has something to ask for.  Without `gateways` nothing is there that is never read."""
    world = rich()
    if not gateways:
        gone = {id_ for id_, service in world.services.items() if service.resource_type == "gwlb"}
        for service_id in gone:
            del world.services[service_id]
        for endpoint_id in [id_ for id_, endpoint in world.endpoints.items() if endpoint.service_id in gone]:
            del world.endpoints[endpoint_id]
    prefixes, ports = world.add_prefix_list(PROVIDER, ["10.0.0.0/8"]), world.add_port_list(PROVIDER, ["80/80"])
    backend = next(instance for instance in world.instances.values() if instance.account_id == PROVIDER)
    group = world.security_groups[backend.security_groups[0]]
    group.rules.append(Rule(prefix_list_id=prefixes.prefix_list_id, port_list_id=ports.port_list_id))
    vswitch = world.vswitches[backend.vswitch_id]
    entries = [NetworkAclEntry()]
    world.add_network_acl(world.vpcs[vswitch.vpc_id], [vswitch], entries, list(entries))
    return world


def refuse_all_but(allowed: Collection[str], account_id: str) -> list[Fault]:
    """Faults of an account whose policy grants these operations and nothing else; its identity needs no grant."""
    return [
        Fault(operation=key, kind="forbidden", account_id=account_id)
        for key, operation in OPERATIONS.items()
        if operation.ram_action is not None and key not in allowed
    ]


def take(
    world: World,
    tables: Collection[str],
    faults: Sequence[Fault] = (),
    *,
    profiles: Sequence[str] = PROFILES,
    spec: Spec | None = None,
) -> tuple[Snapshot, Asked]:
    """A snapshot collected over HTTP, and the operations each account was asked for."""
    with TemporaryDirectory() as folder, Simulator(world, faults=list(faults)) as simulator:
        config = Path(folder) / "config.json"
        simulator.write_config(config)
        snapshot = collect(
            load_profiles(config, list(profiles)), endpoint_url=simulator.url, tables=frozenset(tables), spec=spec
        )
        asked: Asked = {}
        for account_id, _, operation in simulator.statistics.requests:
            asked.setdefault(account_id, set()).add(operation)
    return snapshot, asked
