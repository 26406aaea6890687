"""The order of one probe: what its options say about whom to ask and to contact, how, and what is expected."""

from __future__ import annotations

import dataclasses
import math
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from auditor.cli.terminal import Terminal
from auditor.errors import FileError, UsageError
from auditor.spec import Spec

if TYPE_CHECKING:
    from auditor.inventory.snapshot import Snapshot
    from auditor.languages import Language
    from auditor.probe.connect import Settings
    from auditor.probe.result import ProbeResult
    from auditor.probe.run import Plan
    from auditor.probe.targets import Given, Target


@dataclasses.dataclass(frozen=True)
class Order:
    """The options of `plaudit probe`."""

    endpoints: tuple[str, ...]
    spec: Spec
    snapshots: tuple[Path, ...]
    report: Path | None
    targets_file: Path | None
    domains: tuple[str, ...]
    zone_domains: tuple[str, ...]
    addresses: tuple[str, ...]
    ports: tuple[str, ...]
    resolvers: tuple[str, ...]
    allow_foreign: bool
    vantage: str | None
    host: str | None
    server_name: str | None
    ca_file: Path | None
    http_path: str
    http_host: str | None
    http_method: str
    expected: tuple[int, ...]
    udp_payload: bytes | None
    tries: int
    interval: float
    timeout: float
    deadline: float
    concurrency: int
    target: Path | None
    form: str


def targets_for(
    given: Order, terminal: Terminal
) -> tuple[Snapshot | None, list[Target], dict[tuple[str, str, str, int], str]]:
    """What to probe, from one of the four places: snapshot, targets, what a report says in the words of the reader.

    Raises UsageError and FileError.
    """
    from auditor.probe.targets import chosen, from_arguments, parse_service

    by_hand = bool(given.domains or given.zone_domains or given.addresses)
    ways = [bool(given.snapshots), given.report is not None, given.targets_file is not None, by_hand]
    if sum(ways) > 1:
        raise UsageError("give --from, --report, --targets, or names and addresses by hand, and only one of them")
    if not any(ways):
        raise UsageError(
            "nothing to probe; give --from SNAPSHOT, --report FILE, --targets FILE, "
            "or --endpoint-domain, --address and --port"
        )
    if by_hand:
        if given.endpoints:
            raise UsageError("an endpoint id goes with --from, --report or --targets")
        return None, [from_arguments(given.domains, given.zone_domains, given.addresses, given.ports)], {}
    snapshot = None
    if given.snapshots:
        from auditor.cli.gathering import load_snapshots
        from auditor.probe.inventory import targets_of

        snapshot, _ = load_snapshots(given.snapshots, terminal)
        targets, verdicts = chosen(targets_of(snapshot, given.spec), given.endpoints), {}
    else:
        found = _read(given)
        wanted = given.endpoints or found.hosts.get(given.vantage or "", ())
        targets = chosen(found.targets, wanted)
        verdicts = {key: terminal.language.text(verdict) for key, verdict in found.verdicts.items()}
    if given.ports:
        try:
            services = tuple(dict.fromkeys(map(parse_service, given.ports)))
        except ValueError as error:
            raise UsageError(str(error)) from None
        targets = [dataclasses.replace(target, services=services) for target in targets]
    return snapshot, targets, verdicts


def _read(given: Order) -> Given:
    from auditor.probe.targets import read_targets

    if given.targets_file is not None and str(given.targets_file) == "-":
        from auditor.probe.reading import MAX_BYTES

        return read_targets("standard input", sys.stdin.buffer.read(MAX_BYTES + 1))
    return read_targets(given.report or given.targets_file or Path())


def plan_for(given: Order) -> Plan:
    """How to go about it.  Raises UsageError and FileError."""
    from auditor.probe.resolve import parse_server, system_servers
    from auditor.probe.run import Plan

    servers = tuple(map(parse_server, given.resolvers)) or system_servers()
    return Plan(
        servers=servers,
        system=not given.resolvers,
        settings=_settings(given),
        tries=given.tries,
        interval=given.interval,
        concurrency=given.concurrency,
        deadline=given.deadline,
        allow_foreign=given.allow_foreign,
        host=(given.host or socket.gethostname() or "unnamed")[:253],
        instance_id=given.vantage,
    )


def _settings(given: Order) -> Settings:
    from auditor.probe.certificate import Trust
    from auditor.probe.connect import Settings, parse_request, read_authorities
    from auditor.probe.targets import is_instance_id, parse_domain

    if given.vantage is not None and not is_instance_id(given.vantage):
        raise UsageError(f"--vantage {given.vantage!r} is not an instance id; write i-…, or use --host NAME")
    try:
        request = parse_request(given.http_path, given.http_host, given.http_method, given.expected)
        name = None if given.server_name is None else parse_domain(given.server_name)
    except ValueError as error:
        raise UsageError(str(error)) from None
    trust = Trust()
    if given.ca_file is not None:
        try:
            trust = Trust(read_authorities(given.ca_file))
        except FileNotFoundError:
            raise FileError(given.ca_file, "there is no such file") from None
        except (OSError, ValueError):
            raise FileError(given.ca_file, "holds no certificate that can be read (PEM)") from None
    return Settings(given.timeout, name, trust, request, given.udp_payload)


def verdicts_for(
    snapshot: Snapshot, result: ProbeResult, spec: Spec, language: Language
) -> dict[tuple[str, str, str, int], str]:
    """What the configuration says about exactly this host: (endpoint id, address, transport, port) → words."""
    from auditor.facts.probes import probed_connections
    from auditor.facts.workshop import Workshop
    from auditor.probe.evidence import add_probes

    seen = add_probes(snapshot, [result], max_age=math.inf).snapshot
    found = {}
    for row in probed_connections(Workshop(seen, spec)):
        if row.get("address") and row["vantage"] == result.vantage and row["configured"]:
            verdict = language.text(row["configured"])
            found[row["endpoint_id"], row["address"], row["protocol"], row["port"]] = (
                language.text("{verdict} by {rules}", verdict=verdict, rules=row["broken"])
                if row["broken"]
                else verdict
            )
    return found
