"""`plaudit fix` from the command line."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

import auditor.fixes.preview as previews
from auditor.engine import Rule, judge, load_rules
from auditor.facts.workshop import Workshop
from auditor.findings import Finding, Outcome
from auditor.fixes.preview import Judgement
from auditor.inventory.archive import write_snapshot
from auditor.inventory.snapshot import Snapshot
from auditor.simulator.broken import broken
from auditor.simulator.scenarios import HOSTILE_TEXTS
from auditor.spec import Spec
from tests.cli.conftest import Answer
from tests.end_to_end.deployment import take
from tests.fixes.console import Console

Plaudit = Callable[..., Answer]

_JUDGED: dict[object, Judgement] = {}


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("fix") / "broken.snapshot"
    write_snapshot(take(broken()), path)
    return path


@pytest.fixture(autouse=True)
def _judged_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test looks at the same snapshot as it is; only what a change makes of it is judged each time."""
    real = previews.judgement

    def judgement(found: Snapshot, rules: Sequence[Rule], spec: Spec, *, workshop: Workshop | None = None) -> Judgement:
        if workshop is None:
            return real(found, rules, spec)
        key = str(found.meta["started_at"]), len(found.coverage)
        if key not in _JUDGED:
            _JUDGED[key] = real(found, rules, spec, workshop=workshop)
        return _JUDGED[key]

    monkeypatch.setattr(previews, "judgement", judgement)


@pytest.fixture
def fix(plaudit: Plaudit, snapshot: Path) -> Plaudit:
    """The command on the broken deployment."""

    def run(*words: str) -> Answer:
        return plaudit("fix", *words, "--from", str(snapshot))

    return run


def _json(answer: Answer) -> Any:
    return json.loads(answer.out)


def test_the_change_is_printed_per_side_with_real_ids(fix: Plaudit) -> None:
    answer = fix("ALLOW-001/ep-gw8ledger")
    assert answer.code == 0
    lines = answer.out.splitlines()
    assert lines[0] == "ALLOW-001 ep-gw8ledger: Consumer account is whitelisted"
    assert "  Provider, account 6543210987654321 (audited as profile provider):" in lines
    assert (
        "    aliyun privatelink AddUserToVpcEndpointService --RegionId eu-central-1 --ServiceId epsrv-gw8ledger "
        "--UserId 1234567890123456" in lines
    )
    assert "  Console:" in lines
    assert '      user_id    = "1234567890123456"' in lines
    assert "What if" not in answer.out


def test_a_change_that_closes_and_opens_nothing_is_exit_0(fix: Plaudit) -> None:
    answer = fix("SG-001/ep-gw8media", "ALLOW-001/ep-gw8ledger", "--what-if")
    assert answer.code == 0
    assert "  closes: SG-001 ep-gw8media (critical)" in answer.out
    assert "  closes: ALLOW-006 ep-gw8ledger (high)" in answer.out


def test_a_path_that_becomes_reachable_is_shown(fix: Plaudit) -> None:
    answer = fix("CONN-001/ep-gw8reports", "--what-if")
    assert answer.code == 0
    assert "  path ep-gw8reports eu-central-1b tcp/80: blocked -> reachable" in answer.out


def test_a_path_that_stays_blocked_is_shown_too(fix: Plaudit) -> None:
    """Another fault lies on it."""
    text = " ".join(fix("CLB-002", "--what-if").out.split())
    assert "path ep-gw8reports eu-central-1b tcp/80: blocked, as before, at endpoint zone" in text


def test_what_cannot_be_foretold_is_exit_4(fix: Plaudit) -> None:
    answer = fix("LSN-003", "--what-if")
    assert answer.code == 4
    assert "  closes: LSN-003 lb-gw8audit:tcp:8443" in answer.out
    assert "  cannot be foretold: BE-003 lb-gw8audit:tcp:8443" in answer.out


def test_what_has_to_be_replaced_says_what_changes_with_it(fix: Plaudit) -> None:
    answer = fix("RES-003")
    assert answer.code == 0
    text = " ".join(answer.out.split())
    assert "Not automatic, because it has to be replaced: The CLB; a new one gets another id" in text
    assert "By hand, with what stands in <> filled in:" in answer.out


def test_what_has_to_be_chosen_is_named(fix: Plaudit) -> None:
    answer = fix("EP-005", "--what-if")
    assert answer.code == 4
    assert "somebody has to choose: Which security group" in " ".join(answer.out.split())
    assert "there is no command that could be tried" in answer.err


def test_a_mixture_is_not_all_tried(fix: Plaudit) -> None:
    answer = fix("CLB-002", "EP-005", "--what-if")
    assert answer.code == 4
    assert "1 of 2 findings could not be tried" in answer.err


def test_a_change_that_opens_something_is_exit_3(plaudit: Plaudit, tmp_path: Path) -> None:
    world = broken()
    world.services["epsrv-gw8mail"].resources[0].resource_id = "lb-gone"
    write_snapshot(take(world), tmp_path / "s")
    answer = plaudit("fix", "RES-006/lb-gone", "--what-if", "--from", str(tmp_path / "s"))
    assert answer.code == 3
    assert "  opens: HA-001 epsrv-gw8mail (high)" in answer.out  # the other zone is the only one left


def test_the_beginning_of_an_id_is_enough_where_it_is_one(fix: Plaudit) -> None:
    found = _json(fix("CLB-002", "--format", "json"))["fixes"][0]["id"]
    assert _json(fix(found[:12], "--format", "json"))["fixes"][0]["id"] == found
    ambiguous = fix("plf1-")
    assert ambiguous.code == 2
    assert "write more of it" in ambiguous.err


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("plf1-00000000000000000000000000000000", "plf1-"),
        ("ALOW-001/ep-gw8ledger", "ALLOW-001/ep-gw8ledger"),
        ("CLB-002/lb-nowhere", "CLB-002/lb-gw8reports"),
        ("nonsense", "/"),
    ],
)
def test_an_unknown_finding_is_wrong_usage_and_says_what_is_near(fix: Plaudit, name: str, near: str) -> None:
    answer = fix(name)
    assert answer.code == 2
    assert f"{name!r} is no finding of this scan; the nearest that failed are " in answer.err
    assert near in answer.err.partition("are ")[2]
    assert answer.out == ""


def test_a_rule_without_failures_says_so(fix: Plaudit) -> None:
    answer = fix("CONN-005")
    assert answer.code == 2
    assert "no finding of CONN-005 failed" in answer.err


def test_what_passes_needs_nothing(fix: Plaudit) -> None:
    answer = fix("CLB-002/lb-gw8mail")
    assert answer.code == 0
    assert "Nothing to do: The rule passes; there is nothing to mend." in answer.out


def test_findings_or_all_of_them(fix: Plaudit) -> None:
    assert fix().code == 2
    assert fix("CLB-002", "--all").code == 2


def test_without_a_scan_there_is_nothing_to_mend(plaudit: Plaudit) -> None:
    answer = plaudit("fix", "CLB-002")
    assert answer.code == 2
    assert "there is no last scan" in answer.err


def test_a_side_sees_its_own_commands(fix: Plaudit) -> None:
    for side, other in (("provider", "consumer"), ("consumer", "provider")):
        body = _json(fix("--all", "--side", side, "--format", "json"))
        assert {command["side"] for command in body["commands"]} == {side}
        assert other not in {step["side"] for item in body["fixes"] for step in item["steps"]}
    text = fix("ALLOW-001", "--side", "consumer").out
    assert "Nothing of it is on the consumer's side." in text
    assert "aliyun" not in text


def test_all_as_one_plan_comes_true(fix: Plaudit) -> None:
    """Everything that can be mended is mended in the simulated cloud, with the commands of the JSON in their order."""
    body = _json(fix("--all", "--what-if", "--format", "json"))
    assert [command["side"] for command in body["commands"]] == sorted(
        (command["side"] for command in body["commands"]), key=["provider", "both", "consumer"].index
    )
    world = broken()
    console = Console(world)
    for command in body["commands"]:
        console.run(command["command"], command["account_id"])
    failed, fails = (_failing(judge(take(one), load_rules(), Spec())) for one in (broken(), world))
    left_open = {entry["id"] for entry in body["what_if"]["unforeseen"]}
    closes, opens = ({entry["id"] for entry in body["what_if"][key]} for key in ("closes", "opens"))
    assert fails - left_open == (failed - closes | opens) - left_open
    assert body["what_if"]["stays"] == []
    assert len(closes) >= len(body["fixes"]) >= 12


def _failing(findings: Iterable[Finding]) -> set[str]:
    return {finding.id for finding in findings if finding.outcome is Outcome.FAIL}


def test_the_json_has_what_a_script_needs(fix: Plaudit) -> None:
    body = _json(fix("ALLOW-001", "EP-005", "RES-003", "--what-if", "--format", "json"))
    assert list(body) == ["version", "scanned", "fixes", "commands", "what_if"]
    assert [item["kind"] for item in body["fixes"]] == ["automatic", "choice", "replacement"]
    (step,) = body["fixes"][0]["steps"]
    assert step == body["commands"][0]
    assert step["operation"] == "privatelink:AddUserToVpcEndpointService"
    assert step["parameters"]["UserId"] == "1234567890123456"
    assert shlex.split(step["command"])[-1] == "1234567890123456"
    assert step["source"].startswith("https://")
    assert {entry["rule_id"] for entry in body["what_if"]["closes"]} == {"ALLOW-001", "ALLOW-005", "ALLOW-006"}
    assert body["fixes"][1]["by_hand"]


def test_without_what_if_nothing_is_tried(fix: Plaudit) -> None:
    assert _json(fix("ALLOW-001", "--format", "json"))["what_if"] is None


def test_names_of_tenants_do_nothing(plaudit: Plaudit, tmp_path: Path) -> None:
    world = broken()
    for position, clb in enumerate(world.clbs.values()):
        clb.delete_protection = "off"
        clb.name = HOSTILE_TEXTS[position % len(HOSTILE_TEXTS)]
    for position, text in enumerate(HOSTILE_TEXTS):
        list(world.services.values())[position % len(world.services)].arns.append(
            f"acs:ram:*:123{position}:user/{text}"
        )
    write_snapshot(take(world), tmp_path / "s")
    table, body = (
        plaudit("fix", "--all", *words, "--from", str(tmp_path / "s")).out for words in ((), ("--format", "json"))
    )
    assert all(character.isprintable() or character == "\n" for character in table + body)
    for line in table.splitlines():
        if line.strip().startswith("aliyun"):
            assert all(word.startswith(("--", "-")) or word for word in shlex.split(line))
