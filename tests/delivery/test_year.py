"""A year of nightly runs: the world changes, nights fail, the SIEM throttles or is dead, and the process is killed.

At the end the SIEM holds exactly the true open set, and each event once by its id.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from auditor.delivery import state
from auditor.delivery.records import Form
from auditor.delivery.replies import Prepared, Reply
from auditor.findings import Outcome, Report, Waiver
from auditor.reporters.events import Mode
from tests.delivery.receivers import Elastic, Fault
from tests.delivery.runs import RULES, Time, delivered, finding, open_set, report
from tests.delivery.sinks import sink

NIGHTS = 365
ENDPOINTS = 60


class Killed(BaseException):
    """The process ends: between the answer of the SIEM and the note that it came, or at any step on the disk."""


class Disk:
    """Renames, which make every step on the disk final; the one that is chosen ends the process before or after it."""

    def __init__(self) -> None:
        self.rename = state.rename_durably
        self.left = 0
        self.after = False

    def __call__(self, source: Path, target: Path) -> None:
        self.left -= 1
        if self.left == 0 and not self.after:
            raise Killed
        self.rename(source, target)
        if self.left == 0:
            raise Killed


class World:
    """Endpoints come and go, and fail rules or pass them."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.there = set(range(ENDPOINTS // 2))
        self.failing: dict[tuple[int, str], str] = {}

    def change(self) -> None:
        for _ in range(self.chance.randrange(4)):
            number = self.chance.randrange(ENDPOINTS)
            self.there.symmetric_difference_update({number})
        for _ in range(self.chance.randrange(6)):
            key = (self.chance.randrange(ENDPOINTS), self.chance.choice(RULES))
            if self.failing.pop(key, None) is None:
                self.failing[key] = self.chance.choice(["critical", "high", "low"])
        for key in self.chance.sample(sorted(self.failing), min(1, len(self.failing))):
            self.failing[key] = self.chance.choice(["critical", "high", "low"])

    def report(self, night: int, *, unread: bool) -> Report:
        """What a scan sees; on a night with gaps a part is unknown and absence proves nothing."""
        found = []
        for number in sorted(self.there):
            if unread and number % 3 == 0:
                continue  # its list broke off before it
            for rule in RULES:
                severity = self.failing.get((number, rule))
                outcome = "fail" if severity else "pass"
                if unread and number % 3 == 1:
                    outcome = "unknown"
                waiver = Waiver(None, "known", "me", "2099-01-01") if severity and number % 7 == 0 else None
                found.append(finding(number, rule, outcome, severity=severity or "high", waiver=waiver))
        return report(night, found, complete=not unread)

    @property
    def truth(self) -> dict[str, tuple[str, str]]:
        return {
            finding(number, rule).id: (severity, "waived" if number % 7 == 0 else "fail")
            for (number, rule), severity in self.failing.items()
            if number in self.there
        }


def dark(night: int) -> Report:
    return report(night, (), exit_code=5, complete=False)


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow), pytest.param(3, marks=pytest.mark.slow)])
def test_a_year(tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.fsync", lambda _descriptor: None)  # no power cut here, and a year has thousands
    world, time, chance = World(seed), Time(), random.Random(seed + 100)
    told = {"dark": 0, "killed": 0, "late": 0, "killed at the disk": 0, "equal": 0}
    disk = Disk()
    monkeypatch.setattr(state, "rename_durably", disk)
    week = []
    with Elastic() as receiver:
        target = sink("elastic", receiver.url, clock=time.clock)
        send = target.sink.send
        kill = False

        def sending(batch: Sequence[Prepared], timeout: float) -> Reply:
            reply = send(batch, timeout)
            if kill:
                raise Killed
            return reply

        target.sink.send = sending  # type: ignore[method-assign]
        for night in range(NIGHTS):
            world.change()
            dead = 200 <= night < 207
            weather = chance.random() if night < NIGHTS - 1 else 1.0
            if dead:
                receiver.faults.extend([Fault("status", 503)] * 60)
            elif weather < 0.06:
                receiver.faults.extend(chance.sample([Fault("status", 429), Fault("reset"), Fault("truncated")], 2))
            elif weather < 0.10:
                receiver.faults.extend([Fault("reset", after=True), Fault("status", 503, {"Retry-After": "3600"})])
            elif weather < 0.14:
                receiver.busy = 7
            kill = 0.14 <= weather < 0.18 and not dead
            # Some runs have fewer steps than that and end well.
            disk.left, disk.after = (
                (chance.randrange(1, 7), chance.random() < 0.5) if 0.30 <= weather < 0.40 else (0, False)
            )
            whole = False
            if 0.18 <= weather < 0.22:
                run, told["dark"] = dark(night), told["dark"] + 1
                judged = ()
            else:
                whole = not 0.22 <= weather < 0.30
                run, judged = world.report(night, unread=not whole), RULES
            try:
                result = _deliver(tmp_path, target.sink, run, judged, time)
                told["late"] += not result
                week += [result] if dead else []
                if result and whole and night % 4 == 0:
                    assert open_set(receiver.events) == world.truth, f"night {night}"
                    told["equal"] += 1
            except Killed:
                told["killed" if kill else "killed at the disk"] += 1
                disk.left = 0
                # Cron starts it again in the morning: a new run over the same world.
                kill = False
                _deliver(tmp_path, target.sink, world.report(1000 + night, unread=False), RULES, time)
            receiver.faults.clear()
            time.seconds = (night + 1) * 86_400.0
        target.sink.close()
    assert open_set(receiver.events) == world.truth and len(world.truth) > 10
    runs = [document for document in receiver.events.values() if "finding" not in document["plaudit"]]
    # A run that was killed on the disk is told of if its events were on it already, and else as if it had not been.
    killed = told["killed"] + told["killed at the disk"]
    assert NIGHTS + told["killed"] <= len(runs) <= NIGHTS + killed
    assert all(run["plaudit"]["run"]["dropped_events"] == 0 for run in runs)
    assert week == [False] * 7, "nothing was delivered while the SIEM was dead"
    assert told["equal"] > 40 and min(told.values()) > 3 and receiver.copies > 0, "every kind of night occurred"
    assert not list((tmp_path / "spool" / "siem").glob("*.ndjson.gz"))


def _deliver(folder: Path, to, run: Report, judged: Sequence[str], time: Time) -> bool:  # type: ignore[no-untyped-def]
    from auditor.delivery.feed import Target, deliver

    (result,) = deliver(
        folder,
        [Target("siem", to, Form.ECS)],
        run,
        mode=Mode.CHANGES,
        judged_rules=judged,
        timeout=60,
        clock=time.clock,
    )
    assert not result.drained.refused and not result.dropped
    return result.complete


def test_an_unknown_never_closes(tmp_path: Path) -> None:
    time = Time()
    with Elastic() as receiver:
        target = sink("elastic", receiver.url, clock=time.clock)
        for night, outcome in enumerate(("fail", "unknown", "unknown", "fail", "not_applicable", "fail")):
            delivered(tmp_path, target.sink, report(night, [finding(1, outcome=outcome)]), form=Form.ECS, time=time)
        target.sink.close()
    assert open_set(receiver.events) == {finding(1).id: ("high", Outcome.FAIL.value)}
    assert [d["event"]["action"] for d in receiver.events.values() if "finding" in d["plaudit"]] == [
        "create", "update", "update",
    ]  # fmt: skip
