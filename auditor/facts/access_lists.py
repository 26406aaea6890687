"""What the access control lists of CLB listeners hold: fact `listener_access_lists`.

Which source address a listener sees behind PrivateLink is not documented, so nothing here says who is let through.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from auditor.facts.addresses import NOTHING, AddressSet, is_wide, parse_addresses, union
from auditor.facts.rows import gap_sentence, joined, rows

if TYPE_CHECKING:
    from auditor.facts.endpoints import Endpoints
    from auditor.facts.membership import Membership
    from auditor.inventory.coverage import Coverage
    from auditor.inventory.snapshot import Snapshot

#: From here a CLB itself talks to its backends.
_OWN_RANGE = parse_addresses("100.64.0.0/10") or NOTHING


def listener_access_lists(
    snapshot: Snapshot, coverage: Coverage, endpoints: Endpoints, membership: Membership
) -> Iterator[dict[str, Any]]:
    """Rows of the fact, one per listener that has a list bound, or whose switch for it is not off."""
    bound: dict[tuple[str, str, int], list[str]] = defaultdict(list)
    for lb_id, protocol, port, acl in rows(snapshot["listener_acls"], "load_balancer_id", "protocol", "port", "acl_id"):
        if acl not in bound[lb_id, protocol, port]:
            bound[lb_id, protocol, port].append(acl)
    entries: dict[str, set[str]] = defaultdict(set)
    for acl, entry in rows(snapshot["acl_entries"], "acl_id", "entry"):
        entries[acl].add(entry)
    clients = _clients_by_balancer(snapshot, coverage, endpoints, membership)
    seen: set[tuple[str, str, int]] = set()
    for lb_id, protocol, port, status in rows(
        snapshot["listeners"], "load_balancer_id", "protocol", "port", "acl_status"
    ):
        key = (lb_id, protocol, port)
        if key in seen or (status or "").lower() == "off":
            continue
        seen.add(key)
        acls = bound[key]
        gaps = [("listener_acls", lb_id)] if not coverage.complete("listener_acls", lb_id) else []
        gaps += [("acl_entries", acl) for acl in acls if not coverage.complete("acl_entries", acl)]
        yield {
            "load_balancer_id": lb_id,
            "protocol": protocol,
            "port": port,
            "acl_ids": ", ".join(sorted(acls)),
            **_content(
                sorted({entry for acl in acls for entry in entries[acl]}),
                [gap_sentence(coverage, table, target) for table, target in gaps],
                *clients.get(lb_id, (NOTHING, [])),
            ),
        }


def _content(texts: list[str], gaps: list[str], clients: AddressSet, unknown: list[str]) -> dict[str, Any]:
    """Columns `entries` to `reason`."""
    blocks = {text: parse_addresses(text) for text in texts}
    doubts = gaps + [f"entry {text} is not understood" for text, block in blocks.items() if block is None]
    known = union(block for block in blocks.values() if block is not None)
    everything = is_wide(AddressSet(v4=known.v4)) or (None if doubts else False)
    touches: bool | None = known.overlaps(_OWN_RANGE) or known.overlaps(clients)
    if not touches and (doubts or (texts and unknown)):
        touches = None
    reasons = doubts if doubts else unknown if touches is None else []
    return {
        "entries": None if gaps else len(texts),
        "everything": everything,
        "touches_known": touches,
        "reason": joined(reasons),
    }


def _clients_by_balancer(
    snapshot: Snapshot, coverage: Coverage, endpoints: Endpoints, membership: Membership
) -> Mapping[str, tuple[AddressSet, list[str]]]:
    """Per load balancer the addresses of the clients behind its services, and why some are not known."""
    of_service: dict[str, list[AddressSet]] = defaultdict(list)
    unknown: dict[str, list[str]] = defaultdict(list)
    for endpoint in endpoints.every.values():
        for client in endpoints.clients(endpoint, membership) if endpoint.service_id else ():
            if client.addresses is not None:
                of_service[endpoint.service_id or ""].append(client.addresses)
            else:
                unknown[endpoint.service_id or ""].append(client.reason or f"clients of {endpoint.endpoint_id}")
    for service_id, endpoint_id in rows(snapshot["connections"], "service_id", "endpoint_id"):
        known = endpoints.every.get(endpoint_id)
        if known is None or known.service_id != service_id:
            unknown[service_id].append(f"the clients of {endpoint_id} are not known")
    found: dict[str, tuple[AddressSet, list[str]]] = {}
    for service_id, lb_id in dict.fromkeys(rows(snapshot["service_resources"], "service_id", "resource_id")):
        addresses, reasons = found.get(lb_id, (NOTHING, []))
        more = list(unknown[service_id])
        if not coverage.complete("connections", service_id):
            more.append(gap_sentence(coverage, "connections", service_id))
        found[lb_id] = addresses | union(of_service[service_id]), [*reasons, *more]
    return found
