"""`plaudit scan` from end to end over HTTP: exit codes, outputs, options from everywhere."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from auditor.cli import state
from auditor.cli.formats import FORMATS
from auditor.simulator.faults import Fault
from tests.cli.conftest import Answer, Cloud

Plaudit = Callable[..., Answer]
Start = Callable[..., Cloud]

#: Few rules, quickly collected.
FAST = ("--select", "RES")


def _here() -> list[str]:
    return sorted(path.name for path in Path().iterdir())


def test_a_sound_deployment_is_clean(plaudit: Plaudit, cloud: Start) -> None:
    answer = plaudit("scan", *cloud("tutorial").all)
    assert answer.code == 0, answer.err
    assert "NO FAULT FOUND" in answer.out
    assert answer.err == ""


def test_a_broken_one_is_not(plaudit: Plaudit, cloud: Start) -> None:
    answer = plaudit("scan", *cloud("broken").all, "--select", "RES,ZONE,SG", "--format", "json")
    assert answer.code == 3
    assert answer.json["summary"]["exit"] == {**answer.json["summary"]["exit"], "code": 3, "also": []}
    assert answer.json["summary"]["fail"] > 0
    assert answer.err.startswith("exit 3: ")
    assert plaudit("scan", *cloud("broken").all, *FAST, "--fail-on", "none", "-q").code == 0


def test_several_outputs_at_once(plaudit: Plaudit, cloud: Start) -> None:
    answer = plaudit("scan", *cloud().all, *FAST, "--format", "json=r.json", "--format", "table=r.txt")
    assert answer.code == 0, answer.err
    assert answer.out == ""
    assert json.loads(Path("r.json").read_text(encoding="utf-8"))["summary"]["exit"]["code"] == 0
    assert "\x1b" not in Path("r.txt").read_text(encoding="utf-8")
    assert "json written to r.json" in answer.err
    assert _here() == ["r.json", "r.txt"]


def test_dash_is_standard_output(plaudit: Plaudit, cloud: Start) -> None:
    assert plaudit("scan", *cloud().all, *FAST, "--format", "json=-").json["schema_version"] == "1.0"
    assert _here() == []


def test_only_one_format_goes_to_standard_output(plaudit: Plaudit, cloud: Start) -> None:
    running = cloud()
    answer = plaudit("scan", *running.all, "--format", "json", "--format", "table")
    assert answer.code == 2
    assert "only one format can go to standard output" in answer.err
    assert not running.simulator.statistics.requests


def test_two_documents_in_one_file(plaudit: Plaudit, cloud: Start) -> None:
    answer = plaudit("scan", *cloud().all, "--format", "json=x", "--format", "table=./x")
    assert answer.code == 2
    assert "name two files" in answer.err


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_has_a_renderer(name: str, plaudit: Plaudit, cloud: Start) -> None:
    answer = plaudit("scan", *cloud("broken").all, "--select", "RES,ZONE", "--format", f"{name}=out")
    assert answer.code in (0, 3), answer.err
    assert Path("out").stat().st_size > 0


def test_options_come_before_the_environment_before_the_file(
    plaudit: Plaudit, cloud: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = cloud("broken")
    Path("plaudit.yaml").write_text(
        "options:\n"
        f"  profiles: [{', '.join(running.profiles)}]\n"
        f"  config-path: {running.config}\n"
        f"  endpoint-url: {running.simulator.url}\n"
        "  select: RES\n"
        "  format: [json]\n"
        "  fail_on: low\n"
        "  all_outcomes: true\n",
        encoding="utf-8",
    )

    def gate(*arguments: str) -> str:
        return str(plaudit("scan", *arguments).json["summary"]["exit"]["fail_on"])

    def rules(*arguments: str) -> set[str]:
        return {row["rule_id"].split("-")[0] for row in plaudit("scan", *arguments).json["summary"]["by_rule"]}

    assert rules() == {"RES"}
    monkeypatch.setenv("PLAUDIT_SELECT", "ZONE,ALLOW")
    assert rules() == {"ZONE", "ALLOW"}
    assert rules("--select", "SG") == {"SG"}
    monkeypatch.setenv("PLAUDIT_FORMAT", "json=one.json,table=two.txt")
    assert plaudit("scan").out == ""
    assert _here() == ["one.json", "plaudit.yaml", "two.txt"]
    monkeypatch.setenv("PLAUDIT_FAIL_ON", "hgh")
    answer = plaudit("scan")
    assert answer.code == 2
    assert "hgh" in answer.err


def test_the_environment_alone(plaudit: Plaudit, cloud: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    running = cloud()
    monkeypatch.setenv("PLAUDIT_ENDPOINT_URL", running.simulator.url)
    monkeypatch.setenv("PLAUDIT_CONFIG_PATH", str(running.config))
    monkeypatch.setenv("PLAUDIT_PROFILES", ",".join(running.profiles))
    monkeypatch.setenv("PLAUDIT_ALL_OUTCOMES", "1")
    monkeypatch.setenv("PLAUDIT_SELECT", "RES-001")
    answer = plaudit("scan", "--format", "json")
    assert answer.code == 0, answer.err
    assert {finding["outcome"] for finding in answer.json["findings"]} == {"pass"}


def test_a_snapshot_of_a_few_rules_says_briefly_that_it_has_no_paths(plaudit: Plaudit, cloud: Start) -> None:
    answer = plaudit("scan", *cloud().all, "--select", "RES,SG", "--save", "few.snapshot")
    assert answer.code == 0, answer.err
    answer = plaudit("scan", "--from", "few.snapshot", "--select", "RES,SG")
    assert answer.code == 0, answer.err
    assert " ".join(answer.out.split()).count("paths were not collected") == 1
    assert "path unknown" not in answer.out
    assert "path eu-central-1" not in answer.out


def test_snapshots_are_judged_like_the_cloud(plaudit: Plaudit, cloud: Start) -> None:
    running = cloud("broken")
    live = plaudit("scan", *running.all, "--format", "json", "--save", "whole.snapshot")
    for name in running.profiles:
        assert plaudit("collect", *running.options, "--profile", name, "-o", f"{name}.snapshot").code == 0
    whole = plaudit("scan", "--from", "whole.snapshot", "--format", "json")
    halves = [part for name in running.profiles for part in ("--from", f"{name}.snapshot")]
    merged = plaudit("scan", *halves, "--format", "json")
    for answer in (whole, merged):
        assert answer.code == live.code
        assert [f["id"] for f in answer.json["findings"]] == [f["id"] for f in live.json["findings"]]
        assert answer.json["summary"]["by_rule"] == live.json["summary"]["by_rule"]
        assert answer.json["coverage"]["complete"] is True
    assert whole.json["scan"]["id"] == live.json["scan"]["id"]


def test_one_side_alone_is_unknown_or_not_applicable(plaudit: Plaudit, cloud: Start) -> None:
    running = cloud()
    alone = (*running.options, "--profile", "consumer", "--select", "RES-001", "--format", "json", "--all-outcomes")
    answer = plaudit("scan", *alone)
    assert answer.code == 4
    assert answer.json["summary"]["unknown"] == 1
    answer = plaudit("scan", *alone, "--one-sided")
    assert answer.code == 4
    assert answer.json["summary"] == {**answer.json["summary"], "unknown": 0, "not_applicable": 1}
    assert "nothing was found to judge" in answer.err


def test_an_empty_cloud_is_never_good(plaudit: Plaudit, cloud: Start) -> None:
    for extra in ((), ("--fail-on", "none"), ("--allow-unknown",)):
        answer = plaudit("scan", *cloud("empty").all, "--select", "ZONE", *extra)
        assert answer.code == 4, answer.out
        assert "nothing was found to judge" in answer.err


def test_no_rule_is_a_usage_error(plaudit: Plaudit, cloud: Start) -> None:
    for extra in (("--select", "NOPE"), ("--select", "RES", "--exclude", "RES"), ("--exclude", "NOPE")):
        assert plaudit("scan", *cloud().all, *extra).code == 2


def test_allow_unknown_says_so(plaudit: Plaudit, cloud: Start) -> None:
    running = cloud(faults=[Fault("slb:DescribeLoadBalancers", "forbidden")])
    refused = plaudit("scan", *running.all, *FAST)
    assert refused.code == 4
    assert "could not be judged" in refused.err
    assert "coverage is incomplete" in refused.err
    allowed = plaudit("scan", *running.all, *FAST, "--allow-unknown", "--format", "table", "-q")
    assert allowed.code == 0
    assert "let through by --allow-unknown" in allowed.out + allowed.err
    assert plaudit("scan", *running.all, *FAST, "--allow-unknown", "--min-coverage", "100").code == 4


def test_the_last_scan_can_be_queried(plaudit: Plaudit, cloud: Start) -> None:
    assert plaudit("query", "select 1").code == 2
    plaudit("scan", *cloud().all, *FAST)
    answer = plaudit("query", "--format", "json", "select count(*) as n from endpoints")
    assert answer.json == [{"n": 1}]
    assert plaudit("query", "--format", "json", "select count(*) > 0 as some from coverage").json == [{"some": True}]


def test_two_runs_do_not_share_a_state_directory(plaudit: Plaudit, cloud: Start) -> None:
    running = cloud()
    with state.locked() as folder:
        assert folder is not None
        answer = plaudit("scan", *running.all, *FAST)
        assert answer.code == 75
        assert f"process {os.getpid()} on " in answer.err
        assert not running.simulator.statistics.requests
    assert plaudit("scan", *running.all, *FAST).code == 0


def test_a_state_directory_that_cannot_be(plaudit: Plaudit, cloud: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("file").touch()
    monkeypatch.setenv("PLAUDIT_STATE_DIR", str(Path("file") / "state"))
    assert plaudit("scan", *cloud().all, *FAST).code == 0


def test_a_deadline_ends_in_four(plaudit: Plaudit, cloud: Start) -> None:
    running = cloud(latency=0.3)
    answer = plaudit("scan", *running.all, *FAST, "--deadline", "0.9", "--format", "json")
    assert answer.code in (4, 5), answer.err
    if answer.code == 4:
        codes = {read["error_code"] for read in answer.json["coverage"]["reads"]}
        assert "Plaudit.Deadline" in codes


def test_a_full_disk_at_the_end_is_six(plaudit: Plaudit, cloud: Start) -> None:
    answer = plaudit("scan", *cloud().all, *FAST, "--format", "table=/dev/full", "--format", "json=r.json")
    assert answer.code == 6
    assert "not written: table to /dev/full (No space left on device)" in answer.err
    assert json.loads(Path("r.json").read_text(encoding="utf-8"))["summary"]["exit"]["code"] == 6
    answer = plaudit("scan", *cloud("broken").all, *FAST, "--format", "table=/dev/full", "--format", "json=r.json")
    assert answer.code == 3
    assert json.loads(Path("r.json").read_text(encoding="utf-8"))["summary"]["exit"]["also"] == [6]


def test_a_device_is_never_replaced_by_a_snapshot(plaudit: Plaudit, cloud: Start, tmp_path: Path) -> None:
    device = tmp_path / "pipe"
    os.mkfifo(device)
    for command in (["scan", "--save"], ["collect", "-o"]):
        answer = plaudit(command[0], *cloud().all, command[1], device)
        assert answer.code == 2 and "a snapshot needs one" in answer.err
    assert device.is_fifo()


def test_the_demo_tells_its_story(plaudit: Plaudit) -> None:
    answer = plaudit("demo", "--output", "shown")
    assert answer.code == 0, answer.err
    assert sorted(path.name for path in Path("shown").iterdir()) == [
        "broken.html",
        "broken.json",
        "tutorial.html",
        "tutorial.json",
    ]
    assert "=== broken" in answer.out
    assert "`plaudit scan` would exit with 3" in answer.out
    assert "  shown/broken.html\n" in answer.out
