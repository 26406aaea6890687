"""`plaudit drift` and `plaudit spec init` from the command line."""

from __future__ import annotations

import html
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from auditor.inventory.archive import load_snapshot
from auditor.inventory.archive import write_snapshot as write
from auditor.simulator.faults import Fault
from auditor.simulator.objects import Rule
from auditor.simulator.scenarios import HOSTILE_TEXTS, SCENARIOS
from tests.cli.conftest import Answer, Cloud
from tests.drift.rendering import state
from tests.end_to_end.deployment import take

Plaudit = Callable[..., Answer]
Start = Callable[..., Cloud]

#: Few rules: what turns is the business of `auditor.drift`, here it is the command.
FEW = ("--select", "ALLOW")


@pytest.fixture(scope="session")
def snapshots(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Saved snapshots of the tutorial: as it is, with an entry more, with a whitelist nobody may read, and others."""
    folder = tmp_path_factory.mktemp("snapshots")
    made = {name: folder / f"{name}.snapshot" for name in ("old", "same", "more", "blind", "open", "empty", "hostile")}
    write(take(SCENARIOS["tutorial"]()), made["old"])
    write(take(SCENARIOS["tutorial"]()), made["same"])
    world = SCENARIOS["tutorial"]()
    next(iter(world.services.values())).users.append("9999999999999999")
    write(take(world), made["more"])
    write(
        take(SCENARIOS["tutorial"](), faults=[Fault("privatelink:ListVpcEndpointServiceUsers", "forbidden")]),
        made["blind"],
    )
    group = world.security_groups[next(iter(next(iter(world.endpoints.values())).security_groups))]
    group.rules.append(Rule(ports="22/22", cidr="0.0.0.0/0"))
    write(take(world), made["open"])
    write(take(SCENARIOS["empty"]()), made["empty"])
    write(take(SCENARIOS["hostile-names"]()), made["hostile"])
    return made


@pytest.fixture
def tfstate(tmp_path: Path) -> Path:
    path = tmp_path / "terraform.tfstate"
    path.write_text(state(SCENARIOS["tutorial"]()), encoding="utf-8")
    return path


def test_exit_codes_between_snapshots(plaudit: Plaudit, snapshots: dict[str, Path], tmp_path: Path) -> None:
    def code(old: str, new: str) -> int:
        return plaudit("drift", snapshots[old], snapshots[new], *FEW).code

    assert code("old", "same") == 0
    assert code("old", "more") == 3
    assert code("more", "old") == 3
    assert code("old", "blind") == 3  # findings are now unknown
    assert code("blind", "blind") == 4  # nothing differs, but nobody could see
    assert code("empty", "empty") == 4  # nothing to compare
    broken = tmp_path / "broken.snapshot"
    broken.write_bytes(snapshots["old"].read_bytes()[:-200])
    answer = plaudit("drift", snapshots["old"], broken)
    assert answer.code == 2
    assert "broken.snapshot" in answer.err
    assert plaudit("drift", snapshots["old"], tmp_path / "none").code == 2


def test_the_json_between_snapshots(plaudit: Plaudit, snapshots: dict[str, Path]) -> None:
    answer = plaudit("drift", snapshots["old"], snapshots["more"], *FEW, "--format", "json")
    document = answer.json
    assert list(document) == ["schema_version", "old", "new", "resources", "findings"]
    assert set(document["resources"]) == {"added", "removed", "changed", "unreadable"}
    assert set(document["findings"]) == {"new", "fixed", "now_unknown", "unchanged"}
    (added,) = document["resources"]["added"]
    assert list(added) == ["type", "id", "account_id", "region_id", "name"]
    assert (added["type"], added["id"].split(":")[1]) == ("service_users", "9999999999999999")
    assert document["resources"]["removed"] == document["resources"]["changed"] == []
    blind = plaudit("drift", snapshots["old"], snapshots["blind"], *FEW, "--format", "json").json
    assert blind["resources"]["removed"] == []
    assert {gap["table"] for gap in blind["resources"]["unreadable"]} == {"service_users"}
    assert list(blind["resources"]["unreadable"][0]) == [
        *("account_id", "region_id", "table", "operation", "error_code")
    ]
    assert blind["findings"]["now_unknown"]
    assert not blind["findings"]["fixed"]


def test_every_format_and_usage_errors(plaudit: Plaudit, snapshots: dict[str, Path]) -> None:
    old, new = snapshots["old"], snapshots["open"]
    answer = plaudit("drift", old, new, *FEW, "--format", "html=d.html", "--format", "markdown=d.md", "--format=json=d")
    assert answer.code == 3
    page = html.unescape(Path("d.html").read_text(encoding="utf-8"))
    assert "<script" not in page
    assert "default-src 'none'" in page
    assert "9999999999999999" in page
    assert "### Added" in Path("d.md").read_text(encoding="utf-8")
    assert plaudit("drift", old).code == 2
    assert plaudit("drift", old, new, "--format", "sarif").code == 2
    assert plaudit("drift", old, new, "--fail-on", "high").code == 2
    assert plaudit("drift", old, new, "--format", "xml").code == 2
    assert plaudit("drift", "--terraform", "x", old, new).code == 2
    assert plaudit("drift", "--terraform", "no*match", old).code == 2


def test_hostile_names_do_nothing_in_any_format(plaudit: Plaudit, snapshots: dict[str, Path]) -> None:
    formats = ("table", "json", "markdown", "html")
    for name in formats:
        answer = plaudit("drift", snapshots["empty"], snapshots["hostile"], *FEW, "--format", name)
        assert answer.code == 3
        for text in ("\x1b", "\u202e", "\u200b", "<script>alert", "<img src=x"):
            # In a terminal and in JSON markup is only text.
            assert text not in answer.out or (name in ("json", "table") and text.isprintable()), (name, text)


def test_terraform_codes_and_json(plaudit: Plaudit, snapshots: dict[str, Path], tfstate: Path) -> None:
    clean = plaudit("drift", "--terraform", tfstate, snapshots["old"], "--format", "json")
    assert (clean.code, clean.err) == (0, "")
    assert clean.json["resources"]["managed"] > 10
    assert clean.json["findings"] == []
    answer = plaudit("drift", "--terraform", tfstate, snapshots["open"], "--format", "json")
    assert answer.code == 3
    document = answer.json
    assert set(document["resources"]) == {"managed", "changed", "missing", "unmanaged", "unreadable"}
    assert [item["type"] for item in document["resources"]["unmanaged"]] == ["security_group_rules", "service_users"]
    assert {(f["rule_id"], f["severity"], f["outcome"]) for f in document["findings"]} == {
        ("DRIFT-003", "high", "fail")
    }
    assert all(finding["remediation"]["cli"] for finding in document["findings"])
    blind = plaudit("drift", "--terraform", tfstate, snapshots["blind"])
    assert blind.code == 4
    nothing = Path("nothing.tfstate")
    nothing.write_text('{"version": 4, "resources": []}', encoding="utf-8")
    assert plaudit("drift", "--terraform", nothing, snapshots["old"]).code == 4
    nothing.write_text('{"version": 4, "resources": [', encoding="utf-8")
    assert plaudit("drift", "--terraform", nothing, snapshots["old"]).code == 2


def test_a_missing_object_and_its_address(plaudit: Plaudit, snapshots: dict[str, Path]) -> None:
    world = SCENARIOS["tutorial"]()
    next(iter(world.services.values())).users.append("1111111111111111")
    Path("a.tfstate").write_text(state(world), encoding="utf-8")
    document = plaudit("drift", "--terraform", "a.tfstate", snapshots["old"], "--format", "json").json
    (missing,) = document["resources"]["missing"]
    assert missing["id"].endswith(":1111111111111111")
    assert missing["address"].startswith("alicloud_privatelink_vpc_endpoint_service_user.")
    assert missing["account_id"] == "6543210987654321"


def test_several_states_patterns_and_standard_input(
    plaudit: Plaudit, snapshots: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = json.loads(state(SCENARIOS["tutorial"]()))
    half = len(whole["resources"]) // 2
    Path("states").mkdir()
    for number, part in enumerate((whole["resources"][:half], whole["resources"][half:])):
        Path(f"states/{number}.tfstate").write_text(json.dumps({**whole, "resources": part}), encoding="utf-8")
    assert plaudit("drift", "--terraform", "states/*.tfstate", snapshots["old"]).code == 0
    content = Path("states/0.tfstate").read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    answer = plaudit("drift", "--terraform", "-", "--terraform", "states/1.tfstate", snapshots["old"])
    assert answer.code == 0
    assert "standard input" in answer.out


def test_waivers_baseline_threshold_and_other_formats(
    plaudit: Plaudit, snapshots: dict[str, Path], tfstate: Path
) -> None:
    base = ("drift", "--terraform", tfstate, snapshots["more"])
    document = plaudit(*base, "--format", "json").json
    (finding,) = document["findings"]
    Path("w.yaml").write_text(
        "version: 1\nwaivers:\n  - rule: DRIFT-003\n"
        f"    resource: {finding['resource']['id']}\n    reason: A pilot.\n    owner: me@example.com\n"
        f"    expires: {_soon()}\n",
        encoding="utf-8",
    )
    waived = plaudit(*base, "--waivers", "w.yaml", "--format", "json")
    assert waived.code == 0
    assert waived.json["findings"][0]["waiver"]["owner"] == "me@example.com"
    Path("b.txt").write_text(f"# plaudit baseline 1, written 2026-01-01\n{finding['id']}\n", encoding="utf-8")
    assert plaudit(*base, "--baseline", "b.txt").code == 0
    assert plaudit(*base, "--fail-on", "critical").code == 0
    assert plaudit(*base, "--fail-on", "high").code == 3
    assert plaudit(*base, "--select", "DRIFT-001").code == 0


def _soon() -> str:
    from datetime import timedelta

    from auditor.cli.acceptance import today

    return (today() + timedelta(days=30)).isoformat()


def test_the_rules_of_drift_are_in_the_catalogue(plaudit: Plaudit) -> None:
    listed = plaudit("rules", "list", "--select", "DRIFT", "--format", "json").json
    assert [rule["id"] for rule in listed] == ["DRIFT-001", "DRIFT-002", "DRIFT-003"]
    assert {rule["source"] for rule in listed} == {"builtin"}
    assert plaudit("rules", "show", "DRIFT-003").code == 0


# ------------------------------------------------------------------------------------------------------ spec init


@pytest.mark.parametrize("name", ["old", "hostile", "blind"])
def test_a_drafted_specification_reads_back_and_adds_no_failure(
    plaudit: Plaudit, snapshots: dict[str, Path], name: str
) -> None:
    few = ("--select", "ALLOW,CONN,GOV,EP,SG,LSN", "--no-history", "--format", "json", "--fail-on", "info")
    before = plaudit("scan", "--from", snapshots[name], *few).json["summary"]
    assert plaudit("spec", "init", "--from", snapshots[name], "-o", "drafted.yaml").code == 0
    after = plaudit("scan", "--from", snapshots[name], "--spec", "drafted.yaml", *few).json["summary"]
    assert after["fail"] <= before["fail"]
    assert after["unknown"] <= before["unknown"]
    text = Path("drafted.yaml").read_text(encoding="utf-8")
    outside = "\n".join(line.split("#", 1)[0] for line in text.splitlines())
    assert outside.isascii()
    assert not any(hostile in outside for hostile in HOSTILE_TEXTS if len(hostile) > 4)
    if name == "blind":
        assert "# accounts: the whitelist was not read completely" in text


def test_a_drafted_specification_finds_what_changes_later(plaudit: Plaudit, snapshots: dict[str, Path]) -> None:
    assert plaudit("spec", "init", "--from", snapshots["old"], "-o", "drafted.yaml").code == 0
    few = ("--select", "ALLOW", "--no-history", "--fail-on", "low", "--spec", "drafted.yaml")
    assert plaudit("scan", "--from", snapshots["old"], *few).code == 0
    assert plaudit("scan", "--from", snapshots["more"], *few).code == 3


def test_a_specification_is_not_overwritten(plaudit: Plaudit, snapshots: dict[str, Path]) -> None:
    Path("plaudit.yaml").write_text("version: 1\n", encoding="utf-8")
    assert plaudit("spec", "init", "--from", snapshots["old"]).code == 2
    assert plaudit("spec", "init", "--from", snapshots["old"], "-o", "-").out.startswith("# What is meant to be")
    assert plaudit("spec", "init", "--from", snapshots["old"], "--force").code == 0
    assert load_snapshot(snapshots["old"])
