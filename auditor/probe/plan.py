"""Plans: which hosts should probe which endpoints, from the instances the inventory knows; and scripts to do it.

Scripts are text: plaudit runs none of them.  They install nothing and need plaudit on the host.  What a shell could
find out without it (an exit code of curl or getent) does not tell refused from unreachable, nor an absent name from a
name server that failed: a result of which half is unknown would only look like one.
"""

from __future__ import annotations

import base64
import json
import shlex
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.facts.addresses import parse_addresses
from auditor.facts.rows import rows
from auditor.facts.workshop import Workshop
from auditor.probe.inventory import targets_of
from auditor.probe.targets import Target, is_instance_id, targets_document

if TYPE_CHECKING:
    from auditor.facts.endpoints import Endpoint
    from auditor.inventory.snapshot import Snapshot
    from auditor.spec import Spec

#: What Cloud Assistant takes of a script in one call, in Base64, and how long it lets it run (seconds).
MAX_CONTENT = 18 * 1024
RUN_TIMEOUT = 300


@dataclass(frozen=True, slots=True, order=True)
class Host:
    """An instance that can be a client; `address` is that of its ENI in the VPC."""

    instance_id: str
    region_id: str
    vpc_id: str
    zone_id: str
    address: str


@dataclass(frozen=True, slots=True)
class Assignment:
    """One endpoint and the hosts that should try it; without any, `reason` says why."""

    target: Target
    hosts: tuple[Host, ...]
    declared: bool
    reason: str | None = None


def make_plan(snapshot: Snapshot, spec: Spec, *, per_zone: int = 1) -> list[Assignment]:
    """For every interface endpoint, `per_zone` hosts in each zone that hold its clients, declared clients first.

    Hosts are the instances whose ENIs are in the inventory, those known to be stopped left out.
    """
    workshop = Workshop(snapshot, spec)
    candidates = list(_candidates(snapshot))
    made = []
    for target in targets_of(snapshot, spec):
        endpoint = workshop.endpoints.every[target.endpoint_id]
        made.append(_assignment(workshop, endpoint, target, candidates, per_zone))
    return made


def _candidates(snapshot: Snapshot) -> Iterator[Host]:
    stopped = {
        instance
        for instance, status in rows(snapshot["instances"], "instance_id", "status")
        if status is not None and status != "Running"
    }
    columns = ("instance_id", "region_id", "vpc_id", "zone_id", "private_ip", "service_managed")
    for instance_id, region_id, vpc_id, zone_id, address, managed in rows(snapshot["network_interfaces"], *columns):
        # An id of another form is none `--vantage` takes, and among hosts of Ansible it could be a pattern.
        if is_instance_id(instance_id) and vpc_id and address and not managed and instance_id not in stopped:
            yield Host(instance_id, region_id, vpc_id, zone_id or "", address)


def _assignment(
    workshop: Workshop, endpoint: Endpoint, target: Target, candidates: Sequence[Host], per_zone: int
) -> Assignment:
    clients = workshop.endpoints.clients(endpoint, workshop.groups.membership)
    declared = any(client.declared for client in clients)
    chosen: dict[Host, None] = {}
    for client in clients:
        named = client.client if client.declared and (client.client or "").startswith("i-") else None
        fitting = []
        for host in candidates:
            own = parse_addresses(host.address)
            inside = own is not None and client.addresses is not None and not own - client.addresses
            if host.instance_id == named or (named is None and inside and host.vpc_id == endpoint.vpc_id):
                fitting.append(host)
        zones: dict[str, int] = defaultdict(int)
        for host in sorted(fitting):
            if zones[host.zone_id] < per_zone:
                zones[host.zone_id] += 1
                chosen[host] = None
    if chosen:
        return Assignment(target, tuple(sorted(chosen)), declared)
    who = "a declared client" if declared else "a client"
    return Assignment(
        target, (), declared, f"no instance in the inventory is {who} of {endpoint.endpoint_id}; choose a host by hand"
    )


def by_host(plan: Iterable[Assignment]) -> dict[Host, list[Target]]:
    """The targets of every host; one entry per instance and region."""
    found: dict[str, tuple[Host, dict[str, Target]]] = {}
    for assignment in plan:
        for host in assignment.hosts:
            _, targets = found.setdefault(host.instance_id, (host, {}))
            targets[assignment.target.endpoint_id] = assignment.target
    return {host: list(targets.values()) for host, targets in sorted(found.values(), key=lambda pair: pair[0])}


def plan_document(plan: Sequence[Assignment]) -> str:
    """The plan as a file of targets that also says which host should try which."""
    hosts = [
        {
            "instance_id": host.instance_id,
            "region_id": host.region_id,
            "zone_id": host.zone_id,
            "endpoint_ids": [target.endpoint_id for target in targets],
        }
        for host, targets in by_host(plan).items()
    ]
    return targets_document([assignment.target for assignment in plan], hosts)


_SCRIPT = """\
#!/bin/sh
# Resolves and connects to the endpoints below from this host and prints the result. Changes and installs nothing.
# Needs plaudit on this host; PLAUDIT names it where it is not in PATH.
set -eu
plaudit=${{PLAUDIT:-plaudit}}
if ! command -v "$plaudit" >/dev/null 2>&1; then
  echo 'plaudit is not on this host; install it there, or name it with PLAUDIT=' >&2
  exit 2
fi
umask 077
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/targets" <<'PLAUDIT_TARGETS'
{targets}PLAUDIT_TARGETS
code=0
"$plaudit" probe --targets "$folder/targets" --vantage {vantage} -o "$folder/result" -q >/dev/null || code=$?
[ -s "$folder/result" ] || exit "$code"
# Packed, because Cloud Assistant returns so much and no more. Unpack with: base64 -d | gunzip
gzip -c "$folder/result" | base64 | tr -d '\\n'
echo
"""


def script(host: Host, targets: Sequence[Target]) -> str:
    """The shell script for one host."""
    return _SCRIPT.format(targets=targets_document(targets), vantage=shlex.quote(host.instance_id))


def cloud_assistant(plan: Sequence[Assignment]) -> str:
    """One `aliyun ecs RunCommand` per host and script, ready to be read and run."""
    lines = [
        "# One command per host. Each prints an InvokeId; fetch what the host printed with",
        "#   aliyun ecs DescribeInvocationResults --RegionId <region> --InvokeId <invoke-id>",
        "# take Output, and: base64 -d (twice, Output is encoded once more) | gunzip > probe.json",
        "#   plaudit scan ... --probe probe.json",
    ]
    for host, targets in by_host(plan).items():
        for part in _parts(host, targets):
            content = base64.b64encode(script(host, part).encode("ascii")).decode("ascii")
            arguments = {
                "--RegionId": host.region_id,
                "--Name": "plaudit-probe",
                "--Type": "RunShellScript",
                "--Timeout": str(RUN_TIMEOUT),
                "--ContentEncoding": "Base64",
                "--CommandContent": content,
                "--InstanceId.1": host.instance_id,
            }
            words = " ".join(f"{key} {shlex.quote(value)}" for key, value in arguments.items())
            ids = ", ".join(target.endpoint_id for target in part)
            lines += ["", f"# {_comment(host.instance_id)}: {_comment(ids)}", f"aliyun ecs RunCommand {words}"]
    return "\n".join(lines) + "\n"


def _comment(text: str) -> str:
    """Text that cannot leave the line of a comment."""
    return "".join(character if character.isprintable() else "?" for character in text)[:200]


def _parts(host: Host, targets: Sequence[Target]) -> Iterator[list[Target]]:
    """The targets in parts whose scripts are small enough."""
    part: list[Target] = []
    for target in targets:
        if part and len(script(host, [*part, target])) * 4 / 3 > MAX_CONTENT:
            yield part
            part = []
        part.append(target)
    if part:
        yield part


def ansible(plan: Sequence[Assignment]) -> str:
    """A playbook with one play per host, named by its instance id; results come back as probe-<instance>.json."""
    lines = [
        "# Host names are instance ids, as in the dynamic inventory of Alibaba Cloud. Needs plaudit on the hosts.",
        "# Then: plaudit scan ... --probe probe-<instance>.json",
        "---",
    ]
    for host, targets in by_host(plan).items():
        # A string of JSON is one of YAML; !unsafe keeps braces in ids from being templates that the controller runs.
        name, stdin = json.dumps(host.instance_id), json.dumps(targets_document(targets))
        lines += [
            f"- name: !unsafe {json.dumps(f'Probe endpoints from {host.instance_id}')}",
            f"  hosts: !unsafe {name}",
            "  gather_facts: false",
            "  tasks:",
            "    - name: Resolve and connect",
            "      ansible.builtin.command:",
            f'        argv: [plaudit, probe, --targets, "-", --vantage, !unsafe {name}, --format, json]',
            f"        stdin: !unsafe {stdin}",
            "      register: plaudit_probe",
            "      changed_when: false",
            "      failed_when: plaudit_probe.rc not in [0, 3, 4]",
            "    - name: Keep what the host saw",
            "      ansible.builtin.copy:",
            '        content: "{{ plaudit_probe.stdout }}"',
            f"        dest: !unsafe {json.dumps(f'./probe-{host.instance_id}.json')}",
            '        mode: "0600"',
            "      delegate_to: localhost",
        ]
    if len(lines) == 3:
        lines.append("[]")
    return "\n".join(lines) + "\n"
