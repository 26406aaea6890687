"""Result files: strict reading, time, several of them; and plans with their scripts."""

from __future__ import annotations

import base64
import dataclasses
import gzip
import json
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from auditor.drift.snapshots import diff_resources
from auditor.errors import FileError
from auditor.inventory.archive import load_snapshot
from auditor.inventory.snapshot import Snapshot
from auditor.probe.evidence import add_probes
from auditor.probe.plan import Assignment, Host, ansible, cloud_assistant, script
from auditor.probe.result import ConnectionSeen, NameSeen, ProbeResult
from auditor.probe.result_file import read_result, result_document
from auditor.probe.targets import Place, Service, Target, from_arguments, read_targets, targets_document
from tests.hostile import HOSTILE
from tests.probe.conftest import ZONE_A, Answer

Plaudit = Callable[..., Answer]
DOMAIN = "ep-front.epsrv-front.eu-central-1.privatelink.aliyuncs.com"


def _result(at: str, *, endpoint_id: str = "ep-front", outcome: str = "connected", **values: Any) -> ProbeResult:
    connected = 3 if outcome == "connected" else 0
    times = {"min": 0.001, "p50": 0.002, "p95": 0.003, "max": 0.003} if connected else None
    connection = ConnectionSeen(
        endpoint_id, "", ZONE_A, "tcp", 80, "10.10.2.10", 3, connected, outcome, times, at
    )  # fmt: skip
    name = NameSeen(endpoint_id, "", DOMAIN, "10.0.0.2:53", "A", "ok", ((ZONE_A, 60),), (), 0.001, at)
    made = ProbeResult("web-1", "i-client", at, at, (endpoint_id,), (name,), (connection,), path="probe.json")
    return dataclasses.replace(made, **values)


@pytest.fixture
def now(inventory: Snapshot) -> str:
    return str(inventory.meta["started_at"])[:19] + "Z"


def _hours_before(now: str, hours: int) -> str:
    from datetime import datetime, timedelta

    return (datetime.fromisoformat(now) - timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_a_file_is_read_as_it_was_written(tmp_path: Path, now: str) -> None:
    result = _result(now)
    path = tmp_path / "probe.json"
    path.write_text(result_document(result), encoding="ascii")
    assert read_result(path) == dataclasses.replace(result, path=str(path))
    path.write_bytes(gzip.compress(path.read_bytes()))
    assert read_result(path).connections == result.connections


def _edited(change: Callable[[dict[str, Any]], object]) -> bytes:
    document = json.loads(result_document(_result("2026-01-01T00:00:00Z")))
    change(document)
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not JSON"),
        (b"[]", "not the result of a probe"),
        (b"[" * 100_000, "not JSON"),
        (b"\x1f\x8b\x08broken", "damaged"),
        (b" " * (33 * 1024**2), "larger than"),
        (gzip.compress(b" " * (40 * 1024**2)), "larger than"),
        (_edited(lambda d: d.update(version=9)), "has version 9"),
        (_edited(lambda d: d.update(extra=1)), "unknown key 'extra'"),
        (_edited(lambda d: d.pop("names")), "has no names"),
        (_edited(lambda d: d["names"][0].update(status="fine")), "expected one of"),
        (_edited(lambda d: d["names"][0].update(addresses=[])), "status ok with 0 addresses"),
        (_edited(lambda d: d["names"][0].update(addresses=[{"address": "x", "ttl": 1}])), "an address"),
        (_edited(lambda d: d["connections"][0].update(connected=4)), "0 to 3"),
        (_edited(lambda d: d["connections"][0].update(connected=0)), "although 0 tries got through"),
        (_edited(lambda d: d["connections"][0].update(port=True)), "1 to 65535"),
        (_edited(lambda d: d["connections"][0].update(address="224.0.0.1")), "an address"),
        (_edited(lambda d: d["connections"][0].update(endpoint_id="ep-2")), "not among endpoint_ids"),
        (_edited(lambda d: d["connections"][0]["times"].update(max=1e9)), "0 to 3600 seconds"),
        (_edited(lambda d: d["connections"][0].update(zone_id="z" * 65)), "longer than 64"),
        (_edited(lambda d: d.update(started_at="yesterday")), "a time like"),
    ],
)
def test_what_is_not_a_result_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "probe.json"
    path.write_bytes(content)
    with pytest.raises(FileError, match=re.escape(words)):
        read_result(path)


def test_scan_refuses_it_before_anything_else(plaudit: Plaudit, snapshot: Path) -> None:
    Path("probe.json").write_text("{}", encoding="ascii")
    answer = plaudit("scan", "--from", snapshot, "--probe", "probe.json")
    assert answer.code == 2 and "probe.json: is not the result of a probe" in answer.err
    assert plaudit("scan", "--from", snapshot, "--probe", "nowhere.json").code == 2


def _coverage(snapshot: Snapshot) -> dict[str, tuple[bool, Any]]:
    frame = snapshot.coverage
    mine = frame[frame["table_name"].isin(["probe_names", "probe_connections"])]
    return {row["table_name"]: (bool(row["complete"]), row["error_code"]) for row in mine.to_dict("records")}


def test_evidence_of_its_time(inventory: Snapshot, now: str) -> None:
    found = add_probes(inventory, [_result(now)])
    assert found.notices == ()
    assert [complete for complete, _ in _coverage(found.snapshot).values()] == [True, True]
    (row,) = found.snapshot["probe_connections"].to_dict("records")
    assert (row["zone_id"], row["vantage"], row["connect_p95_us"]) == ("eu-central-1a", "i-client", 3000)


def test_evidence_of_another_time_is_a_gap(inventory: Snapshot, now: str) -> None:
    old = _result(_hours_before(now, 30))
    found = add_probes(inventory, [old])
    assert {code for _, code in _coverage(found.snapshot).values()} == {"Plaudit.Stale"}
    assert "30.0 h apart, more than 24 h" in found.notices[0] and not len(found.snapshot["probe_names"])
    assert _coverage(add_probes(inventory, [old], max_age=31 * 3600).snapshot)["probe_names"][0]
    both = add_probes(inventory, [old, _result(now)])
    assert {complete for complete, _ in _coverage(both.snapshot).values()} == {True} and both.notices


def test_stale_probes_make_unknown(plaudit: Plaudit, snapshot: Path, now: str) -> None:
    Path("probe.json").write_text(result_document(_result(_hours_before(now, 30))), encoding="ascii")
    answer = plaudit(
        "scan", "--from", snapshot, "--probe", "probe.json", "--select", "DNS-002,PROBE", "--format", "json"
    )
    assert answer.code == 4
    assert {(f["rule_id"], f["outcome"]) for f in answer.json["findings"]} >= {
        ("DNS-002", "unknown"), ("PROBE-001", "unknown"),
    }  # fmt: skip
    assert all("30.0 h apart" in f["reason"] for f in answer.json["findings"])


def test_what_was_not_finished_is_a_gap(inventory: Snapshot, now: str) -> None:
    found = add_probes(inventory, [_result(now, ended="deadline", unfinished=("ep-front",))])
    assert {code for _, code in _coverage(found.snapshot).values()} == {"Plaudit.Deadline"}


def test_the_later_of_two_results_of_a_host_counts(inventory: Snapshot, now: str) -> None:
    before = _result(_hours_before(now, 1), outcome="timeout")
    found = add_probes(inventory, [_result(now), before])
    assert list(found.snapshot["probe_connections"]["outcome"]) == ["connected"]
    other = _result(now, outcome="timeout", instance_id=None)
    assert len(add_probes(inventory, [_result(now), other]).snapshot["probe_connections"]) == 2


def test_names_and_addresses_by_hand_find_their_endpoint(inventory: Snapshot, now: str) -> None:
    found = add_probes(inventory, [_result(now, endpoint_id="")])
    assert list(found.snapshot["probe_connections"]["endpoint_id"]) == ["ep-front"]
    assert list(found.snapshot["probe_names"]["endpoint_id"]) == ["ep-front"]


def test_endpoints_nobody_knows_are_left_out(inventory: Snapshot, now: str) -> None:
    found = add_probes(inventory, [_result(now, endpoint_id="ep-other")])
    assert not len(found.snapshot["probe_connections"])
    assert "ep-other" in found.notices[0]


def test_a_kept_snapshot_keeps_the_evidence(plaudit: Plaudit, snapshot: Path, now: str) -> None:
    Path("probe.json").write_text(result_document(_result(now)), encoding="ascii")
    plaudit("scan", "--from", snapshot, "--probe", "probe.json", "--save", "kept.snapshot", "--select", "PROBE-001")
    assert len(load_snapshot("kept.snapshot")["probe_connections"]) == 1
    again = plaudit(
        "scan", "--from", "kept.snapshot", "--select", "PROBE-001", "--all-outcomes", "--format", "json"
    ).json
    assert [f["outcome"] for f in again["findings"]] == ["pass"]
    assert not diff_resources(load_snapshot(snapshot), load_snapshot("kept.snapshot")).differs


# ------------------------------------------------------------------------------------------------------------- targets


def test_targets_go_through_a_file(tmp_path: Path) -> None:
    target = from_arguments(["X.example."], ["z-a=a.example"], ["z-a=10.0.0.1", "[2001:DB8::1]"], ["443", "udp/53"])
    assert target.names[0].domain == "x.example" and target.places[1].address == "2001:db8::1"
    path = tmp_path / "targets.json"
    path.write_text(targets_document([target]), encoding="ascii")
    assert read_targets(path).targets == (target,)


@pytest.mark.parametrize(
    "row",
    [
        {"endpoint_id": "ep-1", "names": [{"domain": "a b", "zone_id": ""}], "addresses": [], "services": []},
        {"endpoint_id": "ep-1", "names": [], "addresses": [{"address": "0.0.0.0", "zone_id": ""}], "services": []},
        {"endpoint_id": "ep-1", "names": [], "addresses": [], "services": ["tcp/0"]},
        {"endpoint_id": "ep-1", "names": [], "addresses": []},
    ],
)
def test_targets_that_are_none_are_refused(row: dict[str, Any]) -> None:
    text = json.dumps({"format": "plaudit-probe-targets", "version": 1, "endpoints": [row]})
    with pytest.raises(FileError):
        read_targets("targets.json", text)


def test_usage(plaudit: Plaudit, snapshot: Path) -> None:
    for arguments, words in (
        ((), "nothing to probe"),
        (("--from", snapshot, "--address", "10.0.0.1"), "only one of them"),
        (("ep-1", "--address", "10.0.0.1"), "an endpoint id goes with"),
        (("ep-other", "--from", snapshot), "ep-other: no interface endpoint"),
        (("--address", "nowhere"), "not an IPv4 or IPv6 address"),
        (("--address", "10.0.0.1", "--port", "ftp/21"), "is not a port"),
        (("--address", "10.0.0.1", "--resolver", "dns.example"), "--resolver"),
        (("--address", "10.0.0.1", "--vantage", "web"), "not an instance id"),
        (("--address", "10.0.0.1", "--ca-file", "none.pem"), "no such file"),
        (("--address", "10.0.0.1", "--http-path", "x"), "has to begin with /"),
        (("--address", "10.0.0.1", "-o", "no/where.json"), "does not exist"),
    ):
        answer = plaudit("probe", *arguments)
        assert answer.code == 2 and words in answer.err, answer.err


# --------------------------------------------------------------------------------------------------------------- plans


def test_plan(plaudit: Plaudit, snapshot: Path) -> None:
    told = plaudit("probe", "plan", "--from", snapshot)
    assert told.code == 0 and "i-client  10.10.2.10  eu-central-1b  client" in told.out
    made = plaudit("probe", "plan", "--from", snapshot, "--format", "json").out
    given = read_targets("plan.json", made)
    assert given.hosts == {"i-client": ("ep-front",)} and given.targets[0].services == (Service("tcp", 80),)
    Path("plaudit.yaml").write_text("version: 1\nendpoints: {ep-front: {clients: [i-none]}}\n", encoding="utf-8")
    lacking = plaudit("probe", "plan", "--from", snapshot)
    assert lacking.code == 4 and "no instance in the inventory is a declared client of ep-front" in lacking.out


EVIL = "i-1'; touch owned; '{{ 1 }}"
PLAN = [
    Assignment(
        Target("ep-'$(touch owned)\nPLAUDIT_TARGETS\n{{ lookup('env','HOME') }}", (), (Place("127.0.0.1", "z'a"),),
               (Service("tcp", 1),)),
        (Host(EVIL, "eu'; touch owned", "vpc-1", "z-a", "10.0.0.1"),),
        False,
    )
]  # fmt: skip


def _content(text: str) -> str:
    command = shlex.split(text.splitlines()[-1])
    assert command[:3] == ["aliyun", "ecs", "RunCommand"]
    arguments = dict(zip(command[3::2], command[4::2], strict=True))
    assert arguments["--InstanceId.1"] == EVIL and arguments["--RegionId"] == "eu'; touch owned"
    return base64.b64decode(arguments["--CommandContent"]).decode("ascii")


def test_cloud_assistant_runs_what_it_should_and_nothing_else(tmp_path: Path) -> None:
    content = _content(cloud_assistant(PLAN))
    stand_in = tmp_path / "plaudit"
    # Keeps what it was given as the result.
    stand_in.write_text('#!/bin/sh\nprintf "%s\\n" "$5" >&2\ncp "$3" "$7"\nexit 3\n', encoding="ascii")
    stand_in.chmod(0o755)
    done = subprocess.run(
        ["sh", "-c", content], capture_output=True, text=True, cwd=tmp_path, check=False,
        env={"PLAUDIT": str(stand_in), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr == f"{EVIL}\n"
    targets = gzip.decompress(base64.b64decode(done.stdout))
    assert read_targets("x", targets).targets == (PLAN[0].target,)
    assert not (tmp_path / "owned").exists()
    lacking = subprocess.run(
        ["/bin/sh", "-c", content], capture_output=True, text=True, cwd=tmp_path, check=False, env={"PATH": "/usr/bin"}
    )
    assert lacking.returncode == 2 and "plaudit is not on this host" in lacking.stderr


def test_scripts_stay_within_what_cloud_assistant_takes() -> None:
    host = Host("i-1", "eu-central-1", "vpc-1", "z-a", "10.0.0.1")
    plan = [
        Assignment(Target(f"ep-{n:04}", (), (Place("10.0.0.9", "z-a"),), (Service("tcp", 80),)), (host,), False)
        for n in range(300)
    ]
    commands = [line for line in cloud_assistant(plan).splitlines() if line.startswith("aliyun")]
    sizes = [len(shlex.split(line)[shlex.split(line).index("--CommandContent") + 1]) for line in commands]
    assert len(commands) > 1 and max(sizes) <= 18 * 1024
    assert "ep-0299" in script(host, [plan[-1].target])


class _Unsafe(str):
    """A text that Ansible takes for no template."""


class _Loader(yaml.SafeLoader):
    """Reads `!unsafe` as the text it is."""


_Loader.add_constructor("!unsafe", lambda loader, node: _Unsafe(loader.construct_scalar(node)))


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)
    elif isinstance(value, str):
        yield value


def test_ansible() -> None:
    (play,) = yaml.load(ansible(PLAN), Loader=_Loader)
    assert list(play) == ["name", "hosts", "gather_facts", "tasks"]
    command, kept = play["tasks"]
    assert list(command) == ["name", "ansible.builtin.command", "register", "changed_when", "failed_when"]
    assert list(command["ansible.builtin.command"]) == ["argv", "stdin"]
    assert list(kept) == ["name", "ansible.builtin.copy", "delegate_to"]
    assert list(kept["ansible.builtin.copy"]) == ["content", "dest", "mode"]
    assert (play["hosts"], play["gather_facts"], command["changed_when"]) == (EVIL, False, False)
    argv = command["ansible.builtin.command"]["argv"]
    assert argv == ["plaudit", "probe", "--targets", "-", "--vantage", EVIL, "--format", "json"]
    assert read_targets("x", command["ansible.builtin.command"]["stdin"]).targets == (PLAN[0].target,)
    assert (kept["delegate_to"], kept["ansible.builtin.copy"]["mode"]) == ("localhost", "0600")
    # The one template is ours; whatever else has braces must not be one, or it would run on the controller.
    templates = [text for text in _texts(play) if "{{" in text and not isinstance(text, _Unsafe)]
    assert templates == ["{{ plaudit_probe.stdout }}"]
    assert sum(isinstance(text, _Unsafe) for text in _texts(play)) == 5


def test_a_plan_without_hosts_is_an_empty_playbook() -> None:
    assert yaml.load(ansible([]), Loader=_Loader) == []


def test_only_what_is_an_instance_id_is_a_host(plaudit: Plaudit, changed: Callable[..., Path]) -> None:
    odd = changed(network_interfaces={"instance_id": "all"})
    answer = plaudit("probe", "plan", "--from", odd, "--format", "ansible")
    assert answer.code == 4 and "all" not in answer.out.split("---")[1]


def test_hostile_texts_stay_texts(plaudit: Plaudit, snapshot: Path, now: str) -> None:
    result = _result(now)
    (name,) = result.names
    text = "".join(one for one in HOSTILE if len(one) <= 40)[:250]
    odd = dataclasses.replace(
        result, host=text, instance_id=None, names=(dataclasses.replace(name, chain=(text,)),)
    )  # fmt: skip
    Path("probe.json").write_text(result_document(odd), encoding="ascii")
    answer = plaudit("paths", "--from", snapshot, "--probe", "probe.json", "ep-front")
    assert answer.code == 0
    assert not any(mark in answer.out for mark in ("\x1b", "\x00", "\x07", "\u202e"))
