"""DescribeRegions and DescribeZones in the shape that slb, vpc and ecs share."""

from __future__ import annotations

from auditor.simulator.wire import Call, Row


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
