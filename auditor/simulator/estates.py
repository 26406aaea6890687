"""Random deployments without a fault, from a seed: the same seed always gives the same deployment."""

from __future__ import annotations

from random import Random

from auditor.simulator.estate_endpoints import Consumer
from auditor.simulator.estate_services import Draw, Provider, Published
from auditor.simulator.paths import CONSUMER, PROVIDER
from auditor.simulator.scenarios import THIRD
from auditor.simulator.world import World

#: Account ids of every random deployment by profile name.
PROFILES = {"provider": PROVIDER, "consumer": CONSUMER, "third": THIRD}

_REGIONS = ("eu-central-1", "cn-hangzhou", "ap-southeast-1")


def random_estate(seed: int, world: World | None = None) -> World:
    """A deployment without a fault that a scan could grade medium or higher; added to `world` if one is given.

    One to three services on CLB, NLB, ALB or GWLB in two zones or more, published by one or two of three accounts, and
    endpoints of any of the accounts, across regions as well; security groups, network ACLs, access control lists,
    server groups and names of every kind that is allowed.
    """
    if world is None:
        world = World()
    for profile, account_id in PROFILES.items():
        if account_id not in world.accounts:
            world.add_account(account_id, profile)
    draw = Draw(Random(seed), world)
    accounts = draw.random.sample(sorted(PROFILES.values()), 3)
    home = draw.random.choice(_REGIONS)
    providers = [Provider(draw, account, home) for account in accounts[: draw.random.choice((1, 1, 2))]]
    consumers = [Consumer(draw, accounts[2], home)]
    if draw.chance(50):
        consumers.append(Consumer(draw, accounts[1], home))
    if draw.chance(20):
        consumers.append(Consumer(draw, accounts[0], home))
    remote: Consumer | None = None
    if draw.chance(30):
        remote = Consumer(draw, accounts[2], draw.random.choice([region for region in _REGIONS if region != home]))
    published: list[Published] = []
    for provider in providers:
        for _ in range(draw.random.randint(1, 2)):
            regions = [remote.region_id] if remote is not None else []
            one = provider.publish(sorted({consumer.account_id for consumer in consumers}), regions)
            published.append(one)
            for consumer in consumers:
                consumer.connect(one)
    if remote is not None:
        crossed = [one for one in published if one.service.resource_type != "gwlb"]
        for one in crossed[:1]:
            remote.connect(one)
    return world
