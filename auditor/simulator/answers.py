"""What several products' answers share: regions, zones, paging of ecs, the resource group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from auditor.simulator.objects import Clb
from auditor.simulator.wire import Call, Row, with_token

T = TypeVar("T")

#: Every object is in the default resource group.
RESOURCE_GROUP = "rg-acfmdefaultgrp1"


def find_clb(call: Call) -> Clb:
    """The caller's CLB that LoadBalancerId names."""
    return call.get(call.world.clbs, call.required("LoadBalancerId"), "InvalidLoadBalancerId.NotFound")


def ecs_page(
    call: Call, rows: Sequence[T], *, maximum: int, minimum: int = 1, clamp: bool = False
) -> tuple[Sequence[T], Row]:
    """A page in either style: without MaxResults and NextToken the old one with 10 rows, which alone has a count."""
    if call.text("MaxResults") or call.text("NextToken"):
        page, token, size = call.token_page(rows, default=minimum, minimum=minimum, maximum=maximum, clamp=clamp)
        return page, with_token({"PageNumber": 1, "PageSize": size, "TotalCount": 0}, token)
    page, number, size = call.numbered_page(rows, default=10, maximum=maximum, clamp=clamp)
    return page, {"PageNumber": number, "PageSize": size, "TotalCount": len(rows)}


def ecs_tags(tags: dict[str, str]) -> Row:
    """Tags in the shape of ecs."""
    return {"Tag": [{"TagKey": key, "TagValue": value} for key, value in tags.items()]}


def describe_regions(call: Call) -> Row:
    """All regions of the world; ecs adds a status."""
    rows: list[Row] = []
    for region in call.world.regions.values():
        row: Row = {
            "LocalName": region.local_name,
            "RegionEndpoint": f"{call.product}.{region.region_id}.aliyuncs.com",
            "RegionId": region.region_id,
        }
        if call.product == "ecs":
            row["Status"] = "available"
        rows.append(row)
    return {"Regions": {"Region": rows}}


def describe_zones(call: Call) -> Row:
    """Zones of the region in the vpc shape; ecs adds the resources that can be created."""
    rows: list[Row] = []
    for zone_id, name in call.world.regions[call.region()].zones.items():
        row: Row = {"LocalName": name, "ZoneId": zone_id, "ZoneType": "AvailabilityZone"}
        if call.product == "ecs":
            row |= {
                "AvailableDedicatedHostTypes": {"DedicatedHostType": []},
                "AvailableDiskCategories": {"DiskCategories": ["cloud_essd"]},
                "AvailableInstanceTypes": {"InstanceTypes": ["ecs.g7.large"]},
                "AvailableResourceCreation": {"ResourceTypes": ["VSwitch", "Instance", "Disk"]},
                "AvailableResources": {"ResourcesInfo": []},
                "AvailableVolumeCategories": {"VolumeCategories": []},
                "DedicatedHostGenerations": {"DedicatedHostGeneration": []},
            }
        rows.append(row)
    return {"Zones": {"Zone": rows}}
