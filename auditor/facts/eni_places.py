"""Whether the ENIs of endpoint zones have addresses their vSwitches can give: fact `endpoint_eni_places`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from auditor.facts.addresses import parse_addresses
from auditor.facts.rows import rows

if TYPE_CHECKING:
    from auditor.inventory.snapshot import Snapshot

#: Reserved at the end of every vSwitch, beside its first address.
_RESERVED_AT_END = 3


def endpoint_eni_places(snapshot: Snapshot) -> Iterator[dict[str, Any]]:
    """Rows of the fact, one per endpoint zone whose vSwitch is in the inventory.

    Source: ListVpcEndpointZones Zones[].EniIp, DescribeVSwitches VSwitches.VSwitch[].CidrBlock.
    """
    blocks: dict[str, str | None] = {}
    for vswitch_id, cidr in rows(snapshot["vswitches"], "vswitch_id", "cidr_block"):
        blocks[vswitch_id] = blocks.get(vswitch_id) or cidr
    for row in dict.fromkeys(
        rows(snapshot["endpoint_zones"], "endpoint_id", "zone_id", "eni_id", "eni_ip", "vswitch_id")
    ):
        names = ("endpoint_id", "zone_id", "eni_id", "eni_ip", "vswitch_id")
        base = dict(zip(names, row, strict=True))
        if base["vswitch_id"] and base["vswitch_id"] not in blocks:
            continue
        cidr = blocks.get(base["vswitch_id"] or "")
        yield {**base, "cidr": cidr, **_place(base["eni_ip"], cidr)}


def _place(address: str | None, cidr: str | None) -> dict[str, Any]:
    """Columns `inside`, `reserved` and `reason`."""
    unknown = {"inside": None, "reserved": None}
    if not address:
        return {**unknown, "reason": "the address of the ENI was not read"}
    if not cidr:
        return {**unknown, "reason": "the block of the vSwitch was not read"}
    one, block = parse_addresses(address), parse_addresses(cidr)
    if one is None or block is None or not one.v4 or not block.v4:
        return {**unknown, "reason": f"{address if one is None or not one.v4 else cidr} is not understood"}
    number, (low, high) = one.v4[0][0], block.v4[0]
    inside = low <= number <= high
    return {
        "inside": inside,
        "reserved": inside and (number == low or number > high - _RESERVED_AT_END),
        "reason": None,
    }
