"""`--redact`: no document, snapshot or message of a run holds anything of the original, and it is judged the same."""

from __future__ import annotations

import json
import re
import zipfile
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from auditor.cli.formats import FORMATS
from auditor.inventory.archive import load_snapshot
from auditor.simulator.faults import Fault
from auditor.simulator.scenarios import SCENARIOS
from tests.cli.conftest import Answer, Cloud
from tests.end_to_end.deployment import CONSUMER, PROVIDER
from tests.end_to_end.planted import everything_in, plant, standing_in, values

Plaudit = Callable[..., Answer]
Start = Callable[..., Cloud]

FILES = [word for name in FORMATS for word in ("--format", f"{name}=r.{name}")]
KEY = bytes(range(7, 39))

#: What means the same to everybody and stays.
OPEN = {"0.0.0.0/0", "::/0", "100.64.0.0/10", "10.0.0.0/8", "192.168.0.0/16", "172.16.0.0/12", "acs:ram:*:*:*"}


@pytest.fixture
def key() -> Path:
    path = Path("key")
    path.write_bytes(KEY)
    return path


def _originals(path: str) -> set[str]:
    return values(load_snapshot(Path(path)), [], others=True) - OPEN


def _snapshot_text(path: Path) -> str:
    with zipfile.ZipFile(path) as archive:
        return "\n".join(archive.read(name).decode("utf-8", "replace") for name in archive.namelist())


def _outcomes(report: Any) -> Counter[tuple[str, ...]]:
    return Counter((f["rule_id"], f["outcome"], f["severity"], f["resource"]["type"]) for f in report["findings"])


@pytest.mark.parametrize("scenario", ["broken", "nlb"])
def test_nothing_of_the_original_is_in_any_output(scenario: str, plaudit: Plaudit, cloud: Start, key: Path) -> None:
    faults = [Fault(operation="vpc:DescribeVSwitches", kind="forbidden", account_id=CONSUMER)]
    options = cloud(plant(SCENARIOS[scenario]()), faults=faults).all
    before = plaudit("scan", *options, "--save", "before.snapshot", "--format", "json", "--all-outcomes")
    originals = _originals("before.snapshot")
    assert len(originals) > 100
    answer = plaudit("scan", *options, "--redact=key", "--all-outcomes", *FILES, "--save", "after.snapshot")
    assert answer.code == before.code
    texts = {path.name: everything_in(path.read_text("utf-8")) for path in Path().glob("r.*")}
    texts["snapshot"] = _snapshot_text(Path("after.snapshot"))
    texts["terminal"] = answer.out + answer.err
    assert len(texts) == len(FORMATS) + 2
    for name, text in texts.items():
        assert not standing_in(text, originals), name
        assert "planted" not in text, name
        assert "gw8" not in text, f"{name} holds part of an id"
        assert KEY.hex() not in text, name
    assert _outcomes(json.loads(texts["r.json"])) == _outcomes(before.json)
    again = plaudit("scan", "--from", "after.snapshot", "--format", "json", "--all-outcomes", "--no-history")
    assert _outcomes(again.json) == _outcomes(before.json)


def test_one_key_gives_one_set_of_pseudonyms(plaudit: Plaudit, cloud: Start, key: Path) -> None:
    options = (*cloud("broken").all, "--select", "RES,SG", "--format", "json", "--save", "s.snapshot", "-q")
    plain = plaudit("scan", *options).json
    first, second = (plaudit("scan", *options, "--redact=key").json for _ in range(2))
    third = plaudit("scan", *options, "--redact").json
    ids = [{f["id"] for f in report["findings"]} for report in (plain, first, second, third)]
    assert ids[1] == ids[2]
    assert len(ids[0] | ids[1] | ids[3]) == 3 * len(ids[0]) > 0
    for report in (first, third):
        assert not re.search("gw8|" + CONSUMER + "|" + PROVIDER, json.dumps(report))


def test_waivers_and_baseline_match_as_before(plaudit: Plaudit, cloud: Start, key: Path) -> None:
    options = (*cloud("broken").all, "--select", "RES,SG,BE", "--format", "json")
    plain = plaudit("scan", *options, "--save", "s.snapshot").json
    granted, expires = (datetime.now(UTC).date() + timedelta(days=days) for days in (-4, 60))
    Path("waivers.yaml").write_text(
        "version: 1\nwaivers:\n"
        "- {id: W-1, rule: RES-003, resource: lb-gw8search, reason: secret reason, owner: secret owner,"
        f" expires: {expires}, granted: {granted}}}\n"
        f"- {{rule: BE-002, account: '{PROVIDER}', match: {{prefix: lb-gw8au}}, reason: secret, owner: secret owner,"
        f" expires: {expires}, granted: {granted}}}\n",
        encoding="utf-8",
    )
    held = [f["id"] for f in plain["findings"] if f["rule_id"].startswith(("SG", "BE-003", "BE-004"))]
    Path("baseline.txt").write_text("# plaudit baseline 1, written 2026-11-20\n" + "\n".join(held) + "\n")
    accept = ("--from", "s.snapshot", "--select", "RES,SG,BE", "--format", "json", "--no-history",
              "--waivers", "waivers.yaml", "--baseline", "baseline.txt")  # fmt: skip
    usual, redacted = plaudit("scan", *accept), plaudit("scan", *accept, "--redact=key")
    assert redacted.code == usual.code

    def told(report: Any) -> Counter[tuple[Any, ...]]:
        return Counter((f["rule_id"], f["outcome"], f["waiver"] is not None, f["is_new"]) for f in report["findings"])

    assert told(redacted.json) == told(usual.json)
    assert sum(f["waiver"] is not None for f in redacted.json["findings"]) == 2
    assert sum(f["is_new"] is False for f in redacted.json["findings"]) == len(held) > 3
    assert "secret" not in redacted.out + redacted.err
    assert "gw8" not in redacted.out + redacted.err


def test_a_baseline_of_redacted_ids_holds_under_the_same_key(plaudit: Plaudit, cloud: Start, key: Path) -> None:
    options = (*cloud("broken").all, "--select", "RES,SG,BE", "--redact=key")
    report = plaudit("scan", *options, "--format", "json").json
    ids = "\n".join(f["id"] for f in report["findings"])
    Path("baseline.txt").write_text(f"# plaudit baseline 1, written 2026-11-20\n{ids}\n")
    assert plaudit("scan", *options, "--baseline", "baseline.txt", "-q").code == 0


def test_what_is_declared_still_holds(plaudit: Plaudit, cloud: Start, key: Path) -> None:
    Path("plaudit.yaml").write_text(
        "services:\n  epsrv-gw8plauditservice1b: {accounts: ['1234567890123456'], ports: [tcp/80]}\n"
        "endpoints:\n  ep-gw8plauditendpoint1bb: {service: epsrv-gw8plauditservice1b, clients: [10.10.2.0/25]}\n"
        "require: {tags: [env, cost-centre]}\n",
        encoding="utf-8",
    )
    Path("nothing.yaml").write_text("{}\n", encoding="utf-8")
    options = (*cloud("tutorial").all, "--all-outcomes", "--format", "json", "--no-history")
    usual, redacted = plaudit("scan", *options), plaudit("scan", *options, "--redact=key")
    assert _outcomes(redacted.json) == _outcomes(usual.json)
    assert [p["verdict"] for p in redacted.json["paths"]] == [p["verdict"] for p in usual.json["paths"]]
    undeclared = plaudit("scan", *options, "--spec", "nothing.yaml")
    assert _outcomes(undeclared.json) != _outcomes(usual.json), "what is declared makes a difference"
    assert "cost-centre" not in redacted.out
    assert "gw8" not in redacted.out


def test_collect_writes_a_redacted_snapshot(plaudit: Plaudit, cloud: Start, key: Path) -> None:
    faults = [Fault(operation="slb:DescribeLoadBalancers", kind="forbidden", account_id=PROVIDER)]
    options = cloud(plant(SCENARIOS["tutorial"]()), faults=faults).all
    assert plaudit("collect", *options, "-o", "plain.snapshot").code == 4
    answer = plaudit("collect", *options, "-o", "redacted.snapshot", "--redact=key")
    assert answer.code == 4
    originals = _originals("plain.snapshot")
    assert standing_in(_snapshot_text(Path("plain.snapshot")), originals)
    assert not standing_in(_snapshot_text(Path("redacted.snapshot")) + answer.out + answer.err, originals)


@pytest.mark.parametrize("command", [("collect", "-o", "x.snapshot"), ("scan",)])
def test_a_failure_names_nobody(command: tuple[str, ...], plaudit: Plaudit, cloud: Start) -> None:
    options = cloud(plant(SCENARIOS["tutorial"]()), faults=[Fault(operation="*", kind="forbidden")]).all
    answer = plaudit(*command, *options, "--redact")
    assert answer.code == 5
    assert "withheld by --redact" in answer.err or "nothing could be read" in answer.err
    assert "planted" not in answer.err
    assert CONSUMER not in answer.err


def test_nothing_is_remembered(plaudit: Plaudit, cloud: Start, tmp_path: Path) -> None:
    assert plaudit("scan", *cloud("tutorial").all, "--select", "RES", "--redact", "-q").code == 0
    assert not [path for path in (tmp_path / "state").glob("*") if path.is_file() and path.stat().st_size]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--redact=missing",), "head -c 32"),
        (("--redact=short",), "a key has 16 to 4096 bytes"),
        (("--redact", "-v"), "--verbose"),
        (("--redact", "--deliver", "file:x.ndjson"), "--deliver"),
    ],
)
def test_what_does_not_go_together(options: tuple[str, ...], words: str, plaudit: Plaudit, cloud: Start) -> None:
    Path("short").write_bytes(b"sekret")
    answer = plaudit("scan", *cloud("tutorial").all, *options)
    assert answer.code == 2
    assert words in answer.err
    assert "sekret" not in answer.err


def test_one_side_of_a_redacted_scan(plaudit: Plaudit, cloud: Start, key: Path) -> None:
    options = (*cloud("three-accounts").all, "--redact=key", "--format", "json", "-q")
    answer = plaudit("scan", *options, "--side", f"consumer:{CONSUMER}")
    assert answer.code == 0
    assert len(answer.json["scan"]["accounts"]) == 1
    assert CONSUMER not in answer.out
