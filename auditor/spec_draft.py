"""A specification written from what is there now, commented, for somebody to review and keep.

It declares only what was read completely; everything else stands in it as a comment that says so.  Names that tenants
chose appear in comments only, one line each, with nothing in them that could end a comment.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator
from typing import Any

from auditor.inventory.snapshot import Snapshot
from auditor.reporters.text import inert

_SERVICE = re.compile(r"epsrv-[0-9A-Za-z-]+\Z")
_ENDPOINT = re.compile(r"ep-[0-9A-Za-z-]+\Z")
_VPC = re.compile(r"vpc-[0-9A-Za-z]+\Z")
_ACCOUNT = re.compile(r"[0-9]{16}\Z")

#: More address blocks than this are a list for a machine, not a declaration.
MAX_CLIENTS = 32

_HEAD = """\
# What is meant to be, as of {when}: written from what was there, for review.
# Strike what is not intended; a scan then says where the cloud differs.  Every key is optional.
version: 1
"""

_TAIL = """
# What holds for everything; without it nothing of the kind is required.
# require:
#   tags: ["owner"]            # every endpoint, service and load balancer has these tags
#   flow_logs: true            # every VPC of an endpoint has a flow log
#   accept_within_hours: 24    # a pending connection is answered within this time

# Options of the command line may stand here too.
# options:
#   fail-on: high
"""

_Row = dict[str, Any]


def draft(snapshot: Snapshot) -> str:
    """The text of a `plaudit.yaml`; it reads back without an error.

    Raises FileError only if plaudit itself is wrong: the text is read again before it is returned.
    """
    text = _Draft(snapshot).text()
    from auditor.spec_file import spec_from_node
    from auditor.yaml_reader import parse_yaml

    spec_from_node(parse_yaml(text, "the specification"))
    return text


class _Draft:
    def __init__(self, snapshot: Snapshot) -> None:
        from auditor.facts import compute_facts
        from auditor.spec import Spec

        self.snapshot = snapshot
        self.coverage = snapshot.completeness()
        facts = compute_facts(snapshot, Spec(), {"endpoint_access", "service_principals"})
        self.access = _grouped(_records(facts["endpoint_access"]), "endpoint_id")
        self.principals = _grouped(_records(facts["service_principals"]), "service_id")
        self.tables = {
            name: _grouped(_records(snapshot.tables[name]), column)
            for name, column in (
                ("service_resources", "service_id"),
                ("connections", "service_id"),
                ("listeners", "load_balancer_id"),
                ("endpoint_attributes", "endpoint_id"),
            )
        }

    def text(self) -> str:
        lines = [_HEAD.format(when=inert(str(self.snapshot.meta.get("started_at") or "an unknown time")))]
        services = _once(_records(self.snapshot.tables["endpoint_services"]), "service_id", _SERVICE)
        endpoints = _once(_records(self.snapshot.tables["endpoints"]), "endpoint_id", _ENDPOINT)
        lines += ["services:" if services else "services: {}  # no endpoint service was found"]
        for row in services:
            lines += self.service(row)
        lines += ["", "endpoints:" if endpoints else "endpoints: {}  # no endpoint was found"]
        for row in endpoints:
            lines += self.endpoint(row)
        return "\n".join(lines) + "\n" + _TAIL

    # -------------------------------------------------------------------------------------------------- services

    def service(self, row: _Row) -> Iterator[str]:
        identity = row["service_id"]
        yield f"  {identity}:{_named(row['service_description'], row['account_id'], row['region_id'])}"
        yield from self.whitelist(identity, row["account_id"])
        for key, column in (("auto_accept", "auto_accept_enabled"), ("zone_affinity", "zone_affinity_enabled")):
            value = row[column]
            yield f"    # {key}: was not read" if value is None else f"    {key}: {'true' if value else 'false'}"
        yield from self.ports(identity)
        yield from self.vpcs(identity)

    def whitelist(self, identity: str, owner: str) -> Iterator[str]:
        if not self.coverage.complete("service_users", identity):
            yield "    # accounts: the whitelist was not read completely"
            return
        found = self.principals.get(identity, [])
        if any(row["everyone"] is None for row in found):
            yield "    # accounts: not every entry of the whitelist is understood"
            return
        accounts = sorted(
            {str(row["account_id"]) for row in found if not row["everyone"] and row["account_id"] is not None} - {owner}
        )
        if any(row["everyone"] for row in found):
            yield "    public: true               # an entry of the whitelist stands for every account"
        else:
            yield "    public: false"
        if all(_ACCOUNT.match(account) for account in accounts):
            quoted = ", ".join(f'"{account}"' for account in accounts)
            yield f"    accounts: [{quoted}]  # on the whitelist beside the owner"
        else:
            yield "    # accounts: the whitelist holds entries that are no account ids"

    def ports(self, identity: str) -> Iterator[str]:
        balancers = sorted({row["resource_id"] for row in self.tables["service_resources"].get(identity, [])})
        complete = self.coverage.complete("service_resources", identity) and all(
            self.coverage.complete("listeners", balancer) for balancer in balancers
        )
        if not complete or not balancers:
            yield "    # ports: the listeners behind the service are not known"
            return
        per_balancer = [self.running(balancer) for balancer in balancers]
        everywhere = set.intersection(*per_balancer)
        somewhere = set.union(*per_balancer) - everywhere
        yield f"    ports: [{_ports(everywhere)}]  # running on every load balancer of the service"
        if somewhere:
            yield f"    # not on every load balancer: {_ports(somewhere)}"

    def running(self, balancer: str) -> set[tuple[str, int]]:
        found = set()
        for row in self.tables["listeners"].get(balancer, []):
            protocol = "udp" if row["protocol"] in ("udp", "quic") else "tcp"
            if str(row["status"]).lower() == "running" and 1 <= row["port"] <= 65535:
                found.add((protocol, int(row["port"])))
        return found

    def vpcs(self, identity: str) -> Iterator[str]:
        if not self.coverage.complete("connections", identity):
            yield "    # vpcs: the connections were not read completely"
            return
        connected = [
            row for row in self.tables["connections"].get(identity, []) if row["connection_status"] == "Connected"
        ]
        vpcs = sorted({str(row["endpoint_vpc_id"]) for row in connected if row["endpoint_vpc_id"] is not None})
        if all(_VPC.match(vpc) for vpc in vpcs):
            quoted = ", ".join(f'"{vpc}"' for vpc in vpcs)
            yield f"    vpcs: [{quoted}]  # connected now"

    # ------------------------------------------------------------------------------------------------- endpoints

    def endpoint(self, row: _Row) -> Iterator[str]:
        identity = row["endpoint_id"]
        yield f"  {identity}:{_named(row['endpoint_name'], row['account_id'], row['region_id'])}"
        service = row["service_id"]
        if isinstance(service, str) and _SERVICE.match(service):
            yield f"    service: {service}"
        else:
            yield "    # service: was not read" if service is None else "    # service: none is associated"
        payer = next((entry["payer"] for entry in self.tables["endpoint_attributes"].get(identity, [])), None)
        if payer in ("Endpoint", "EndpointService"):
            yield f"    payer: {payer}"
        else:
            yield "    # payer: was not read"
        yield from self.clients(identity)
        if isinstance(row["bandwidth"], int):
            yield f"    # min_bandwidth: {row['bandwidth']}"

    def clients(self, identity: str) -> Iterator[str]:
        """Who is admitted on every port in every zone; what only some of them admit is not declared."""
        rows = self.access.get(identity, [])
        if not rows or any(row["verdict"] is None or row["admitted"] is None for row in rows):
            yield "    # clients: who is admitted was not decided"
            return
        per_port: dict[tuple[Any, ...], set[Any]] = {}
        for row in rows:
            blocks = per_port.setdefault((row["zone_id"], row["eni_id"], row["protocol"], row["port"]), set())
            blocks.update(_networks(row["admitted"]))
        common: list[Any] | None = None
        for blocks in per_port.values():
            collapsed = _collapsed(blocks)
            common = collapsed if common is None else _both(common, collapsed)
        if not common:
            yield "    # clients: nobody is admitted on every port"
        elif len(common) > MAX_CLIENTS:
            yield f"    # clients: admitted are {len(common)} address blocks, too many to list"
        else:
            quoted = ", ".join(f'"{block}"' for block in common)
            yield f"    clients: [{quoted}]  # admitted by the security groups on every port"


def _named(name: Any, account: Any, region: Any) -> str:
    """A comment with what somebody called the object; a name is text of a tenant and stays in its line."""
    words = inert(str(name)) if name not in (None, "") else ""
    place = f"account {inert(str(account))}, {inert(str(region))}"
    return f"  # {words[:100]} ({place})" if words else f"  # {place}"


def _ports(ports: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f'"{protocol}/{port}"' for protocol, port in sorted(ports))


def _networks(text: str) -> Iterator[Any]:
    for part in str(text).split(","):
        part = part.strip()
        if not part:
            continue
        first, dash, last = part.partition("-")
        if dash:
            ends = ipaddress.ip_address(first.strip()), ipaddress.ip_address(last.strip())
            yield from ipaddress.summarize_address_range(*ends)
        else:
            yield ipaddress.ip_network(part, strict=False)


def _collapsed(blocks: Iterable[Any]) -> list[Any]:
    found = list(blocks)
    return [
        network
        for version in (4, 6)
        for network in ipaddress.collapse_addresses(block for block in found if block.version == version)
    ]


def _both(left: Iterable[Any], right: Iterable[Any]) -> list[Any]:
    """The addresses in both lists; of two overlapping blocks one holds the other."""
    others = list(right)
    found = []
    for one in left:
        for other in others:
            if one.version == other.version and one.overlaps(other):
                found.append(one if one.prefixlen >= other.prefixlen else other)
    return _collapsed(found)


def _once(rows: Iterable[_Row], key: str, pattern: re.Pattern[str]) -> list[_Row]:
    """Rows by id, each once, and only ids that can stand in a specification."""
    found = {row[key]: row for row in rows if pattern.match(str(row[key]))}
    return [found[identity] for identity in sorted(found)]


def _grouped(rows: Iterable[_Row], key: str) -> dict[str, list[_Row]]:
    groups: dict[str, list[_Row]] = {}
    for row in rows:
        groups.setdefault(str(row[key]), []).append(row)
    return groups


def _records(frame: Any) -> Iterator[_Row]:
    plain = frame.astype(object).where(frame.notna(), None)
    for row in plain.to_dict("records"):
        yield {str(name): value for name, value in row.items()}
