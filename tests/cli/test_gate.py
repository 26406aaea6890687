"""The gate against section 2 of the interface: every combination through the function, a sample through the command."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from auditor.cli.exit import Gate, decide
from auditor.findings import Outcome, Severity, Waiver
from auditor.simulator.faults import Fault
from tests.cli.conftest import Answer, Cloud
from tests.cli.test_exit import finding

Plaudit = Callable[..., Answer]
Start = Callable[..., Cloud]

ORDER = ("critical", "high", "medium", "low", "info")


@dataclass(frozen=True)
class Seen:
    """One outcome, as a report names it."""

    outcome: str
    severity: str
    id: str = ""
    waived: bool = False


def oracle(
    seen: Sequence[Seen],
    *,
    fail_on: str,
    percent: float,
    complete: bool,
    min_coverage: float | None = None,
    allow_unknown: bool = False,
    baseline: frozenset[str] | None = None,
    lost: bool = False,
) -> tuple[int, list[int]]:
    """Section 2, sentence by sentence; knows nothing of the program."""
    counted = ORDER[: ORDER.index(fail_on) + 1] if fail_on != "none" else ()
    codes = []
    # 3: at least one unwaived finding at or above --fail-on failed (new ones only, with --baseline)
    failed = [s for s in seen if s.outcome == "fail" and not s.waived and s.severity in counted]
    if [s for s in failed if baseline is None or s.id not in baseline]:
        codes.append(3)
    # 4: something at or above the threshold is unknown, or coverage is incomplete, or nothing was found to judge;
    # --fail-on none silences 3, never 4; --min-coverage sets how much is enough; --allow-unknown turns 4 into 0
    dark = any(s.outcome == "unknown" and (s.severity in counted or fail_on == "none") for s in seen)
    enough = complete if min_coverage is None else percent >= min_coverage
    nothing = not [s for s in seen if s.outcome != "not_applicable"]
    forgiven = allow_unknown and (min_coverage is None or enough)  # what was asked for by number is not forgiven
    if nothing or ((dark or not enough) and not forgiven):
        codes.append(4)
    # 6: judged, but a requested output could not be written or delivered
    if lost:
        codes.append(6)
    return (codes[0], codes[1:]) if codes else (0, [])


SEVERITIES = (None, "critical", "medium", "info")
WAIVER = Waiver("W-1", "known", "me@example.com", "2099-01-01")
#: How a failure stands: as it is, in the baseline, beside a baseline of others, waived.  An expired waiver is none.
STANDINGS = ("open", "old", "new", "waived")


@pytest.mark.parametrize("fail_on", [*ORDER, "none"])
@pytest.mark.parametrize("failure", SEVERITIES)
def test_every_combination(fail_on: str, failure: str | None) -> None:
    count = 0
    for unknown, standing, (complete, percent), least, allow, lost, passed in itertools.product(
        SEVERITIES, STANDINGS, ((True, 100.0), (False, 90.0), (False, 0.0)), (None, 90.0, 95.0), (False, True),
        (False, True), (False, True),
    ):  # fmt: skip
        findings, seen = [], []
        for outcome, severity in (("fail", failure), ("unknown", unknown), ("pass", "high" if passed else None)):
            if severity is None:
                continue
            waived = outcome == "fail" and standing == "waived"
            made = finding(Outcome(outcome), Severity(severity), waiver=WAIVER if waived else None)
            findings.append(made)
            seen.append(Seen(outcome, severity, made.id, waived))
        listed = {"old": frozenset(s.id for s in seen), "new": frozenset({"plf1-other"})}.get(standing)
        verdict = decide(
            findings, Gate(fail_on, allow, least, listed), complete=complete, percent=percent, rules_selected=1,
            undelivered=["sarif to x"] if lost else [],
        )  # fmt: skip
        expected = oracle(
            seen, fail_on=fail_on, percent=percent, complete=complete, min_coverage=least, allow_unknown=allow,
            baseline=listed, lost=lost,
        )  # fmt: skip
        case = (fail_on, failure, unknown, standing, percent, least, allow, lost, passed)
        assert (verdict.code, list(verdict.also)) == expected, case
        assert bool(verdict.reasons) == bool(verdict.code), case
        count += 1
    assert count == 4 * 4 * 3 * 3 * 2 * 2 * 2


# ------------------------------------------------------------------------------------------------- the real command


@pytest.fixture(scope="module")
def snapshots(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    """A sound, a broken and a partly unread deployment, collected once."""
    from auditor.cli.main import run
    from auditor.simulator import Simulator
    from auditor.simulator.scenarios import SCENARIOS

    folder = tmp_path_factory.mktemp("snapshots")
    kept = {}
    for name, scenario, faults in (
        ("sound", "tutorial", []),
        ("broken", "broken", []),
        ("dark", "broken", [Fault("privatelink:ListVpcEndpointZones", "forbidden", first=1, count=1)]),
    ):
        with pytest.MonkeyPatch.context() as patch, Simulator(SCENARIOS[scenario](), faults=faults) as simulator:
            patch.setenv("PLAUDIT_STATE_DIR", str(folder / "state"))
            config = folder / f"{name}.json"
            profiles = ",".join(simulator.write_config(config))
            kept[name] = folder / f"{name}.snapshot"
            code = run(["collect", "--endpoint-url", simulator.url, "--config-path", str(config), "--profiles",
                        profiles, "--select", RULES, "-q", "-o", str(kept[name])])  # fmt: skip
            assert code in (0, 4)
    yield kept


RULES = "RES-001,ZONE-001,CONN-001"
CASES: list[tuple[str, ...]] = [
    ("sound", "--fail-on", "info"),
    ("sound", "lost"),
    ("broken", "--fail-on", "critical"),
    ("broken", "--fail-on", "none", "lost"),
    ("broken", "baseline"),
    ("broken", "baseline of others", "lost"),
    ("broken", "waived"),
    ("broken", "expired"),
    ("dark", "lost"),
    ("dark", "--fail-on", "none", "--allow-unknown", "lost"),
    ("dark", "baseline"),
    ("dark", "baseline", "--min-coverage", "10", "--allow-unknown"),
    ("dark", "baseline", "--min-coverage", "100", "--allow-unknown"),
]


def _failing(plaudit: Plaudit, snapshot: Path) -> list[dict[str, Any]]:
    document = plaudit("scan", "--from", snapshot, "--select", RULES, "--format", "json", "--no-history").json
    return [item for item in document["findings"] if item["outcome"] == "fail"]


def _waivers(failing: Sequence[dict[str, Any]], since: int, until: int) -> str:
    """Waivers of all of them, granted and running out so many days from today."""
    granted, expires = (datetime.now(UTC).date() + timedelta(days=days) for days in (since, until))
    entries = "".join(
        f"  - id: W-{number}\n    rule: {item['rule_id']}\n    account: '*'\n    resource: '{item['resource']['id']}'\n"
        f"    reason: known\n    owner: me@example.com\n    granted: {granted}\n    expires: {expires}\n"
        for number, item in enumerate(failing)
    )
    return f"version: 1\nwaivers:\n{entries}"


@pytest.mark.parametrize("case", CASES, ids=" ".join)
def test_the_command_does_what_the_table_says(
    plaudit: Plaudit, snapshots: dict[str, Path], case: tuple[str, ...]
) -> None:
    name, words = case[0], set(case[1:])
    options = [word for word in case[1:] if word.startswith("--") or word in ORDER or word == "none" or word.isdigit()]
    listed: frozenset[str] | None = None
    if words & {"baseline", "baseline of others", "waived", "expired"}:
        failing = _failing(plaudit, snapshots[name])
        assert failing
    if "baseline" in words or "baseline of others" in words:
        listed = frozenset(item["id"] for item in (failing if "baseline" in words else failing[:1]))
        written = ("baseline", "write", "--from", snapshots[name], "--select", RULES, "-o", "b.txt")
        assert plaudit(*written).code == 0
        lines = Path("b.txt").read_text().splitlines()
        kept = [line for line in lines if line.startswith("#") or line.split()[0] in listed]
        Path("b.txt").write_text("\n".join(kept) + "\n")
        options += ["--baseline", "b.txt"]
    if "waived" in words:
        Path("w.yaml").write_text(_waivers(failing, -4, 60))
        options += ["--waivers", "w.yaml"]
    if "expired" in words:
        Path("w.yaml").write_text(_waivers(failing, -180, -60))
        options += ["--waivers", "w.yaml"]
    lost = "lost" in words
    more = ["--format", "sarif=/dev/full"] if lost else []
    scan = ("scan", "--from", snapshots[name], "--select", RULES, "--all-outcomes", "--format", "json=r.json")
    answer = plaudit(*scan, *more, *options)
    document = json.loads(Path("r.json").read_text(encoding="utf-8"))
    summary, coverage = document["summary"], document["coverage"]
    seen = [
        Seen(item["outcome"], item["severity"], item["id"], item["waiver"] is not None and item["outcome"] == "fail")
        for item in document["findings"]
    ]
    assert any(one.waived for one in seen) == ("waived" in words)
    assert coverage["complete"] is (name != "dark")
    given = dict(itertools.pairwise([*options, ""]))
    expected = oracle(
        seen,
        fail_on=given.get("--fail-on", "high"),
        percent=coverage["percent"],
        complete=coverage["complete"],
        min_coverage=float(given["--min-coverage"]) if "--min-coverage" in given else None,
        allow_unknown="--allow-unknown" in given,
        baseline=listed,
        lost=lost,
    )
    assert (answer.code, summary["exit"]["also"]) == expected, answer.err
    assert summary["exit"]["code"] == answer.code
    assert answer.code == 0 or f"exit {answer.code}: " in answer.err
