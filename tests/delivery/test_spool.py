"""The spool: state and events move together, limits drop what a later run tells again, damage is set aside."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from auditor.delivery import feed
from auditor.delivery.records import Form, from_line, records, to_line
from auditor.delivery.replies import Blocked, Prepared, Reply, Taken
from auditor.delivery.spool import Spool
from auditor.delivery.state import State, load, save
from auditor.errors import FileError
from auditor.reporters.events import Mode
from tests.delivery.receivers import Elastic
from tests.delivery.runs import RULES, Time, delivered, finding, open_set, report
from tests.delivery.sinks import sink

ROOT = Path(__file__).resolve().parents[2]


class Memory:
    """A sink that remembers; `down` blocks it."""

    def __init__(self) -> None:
        self.events: dict[str, str] = {}
        self.batches: list[int] = []
        self.down = False

    def encode(self, record):  # type: ignore[no-untyped-def]
        return record.document.encode()

    def send(self, batch: Sequence[Prepared], timeout: float) -> Reply:
        if self.down:
            return Blocked("it is down")
        for item in batch:
            assert self.events.setdefault(item.record.uid, item.record.document) == item.record.document
        self.batches.append(len(batch))
        return Taken()

    def close(self) -> None:
        pass

    @property
    def documents(self) -> dict[str, dict[str, object]]:
        return {uid: json.loads(text) for uid, text in self.events.items()}

    @property
    def runs(self) -> list[dict[str, object]]:
        return [
            document["plaudit"]["run"] for document in self.documents.values() if "finding" not in document["plaudit"]
        ]  # type: ignore[index,operator]


def night(folder: Path, memory: Memory, number: int, findings, *, time: Time | None = None, **more):  # type: ignore[no-untyped-def]
    return delivered(folder, memory, report(number, findings, **more), form=Form.ECS, time=time)


def test_changes_only_and_one_event_of_the_run(tmp_path: Path) -> None:
    memory = Memory()
    assert night(tmp_path, memory, 1, [finding(1), finding(2), finding(3, outcome="pass")]).spooled == 3
    assert night(tmp_path, memory, 2, [finding(1), finding(2)]).spooled == 1
    assert night(tmp_path, memory, 3, [finding(1, severity="critical"), finding(2, outcome="unknown")]).spooled == 3
    assert night(tmp_path, memory, 4, [finding(1, outcome="pass"), finding(2)], complete=False).spooled == 3
    assert night(tmp_path, memory, 5, [], complete=False).spooled == 1, "what nobody could read is not closed"
    assert night(tmp_path, memory, 6, [finding(5, outcome="pass")]).spooled == 2, "gone, and proven"
    assert open_set(memory.documents) == {}
    assert [run["dropped_events"] for run in memory.runs] == [0] * 6
    assert night(tmp_path, memory, 7, [finding(1)]).spooled == 2
    everything = delivered(tmp_path, memory, report(8, [finding(1), finding(9)]), form=Form.ECS, mode=Mode.ALL)
    assert everything.spooled == 3


def test_batches_are_bounded(tmp_path: Path) -> None:
    memory = Memory()
    night(tmp_path, memory, 1, map(finding, range(1100)))
    assert memory.batches == [500, 500, 101]
    assert night(tmp_path / "big", memory, 2, [finding(n, observed="x" * 6000) for n in range(400)]).complete
    assert max(memory.batches[3:]) < 250 and sum(memory.batches[3:]) == 401


@pytest.mark.parametrize("form", list(Form))
def test_a_line_of_the_spool_is_the_record(form: Form) -> None:
    found = list(
        records(report(1, [finding(1, name="注\u2028\x1b]")]), {}, form=form, mode=Mode.CHANGES, judged_rules=RULES)
    )
    assert [from_line(to_line(record)) for record in found] == found and len(found) == 2
    assert json.loads(found[1].document)


def test_oldest_first_whatever_the_time_of_the_run(tmp_path: Path) -> None:
    memory = Memory()
    memory.down = True
    night(tmp_path, memory, 9, [finding(1)])
    night(tmp_path, memory, 3, [finding(1, outcome="pass")])
    memory.down = False
    assert night(tmp_path, memory, 4, [finding(1)]).complete
    assert len(open_set(memory.documents)) == 1


def test_a_run_fed_twice_and_changed_in_between(tmp_path: Path) -> None:
    """The same run again tells nothing new; other waivers or rules over it are changes with ids of their own."""
    memory = Memory()
    night(tmp_path, memory, 1, [finding(1)], run="same")
    assert night(tmp_path, memory, 1, [finding(1)], run="same").spooled == 1
    assert len(memory.events) == 2
    for severity in ("low", "high", "low"):
        night(tmp_path, memory, 1, [finding(1, severity=severity)], run="same")
    assert len(memory.events) == 8
    assert open_set(memory.documents)[finding(1).id][0] == "low"


def test_limits_count_what_they_drop_and_a_later_run_tells_it_again(tmp_path: Path) -> None:
    memory, time = Memory(), Time()
    night(tmp_path, memory, 0, [finding(1), finding(2), finding(4)], time=time)
    memory.down = True
    night(
        tmp_path, memory, 1, [finding(1, outcome="pass"), finding(2, severity="low"), finding(3), finding(4)], time=time
    )
    time.seconds += timedelta(days=20).total_seconds()
    night(tmp_path, memory, 21, [finding(2, severity="low"), finding(3), finding(4)], time=time)
    time.seconds += timedelta(days=11).total_seconds()
    memory.down = False
    last = [finding(1, outcome="pass"), finding(2, severity="low"), finding(3), finding(4)]
    result = night(tmp_path, memory, 32, last, time=time)
    assert result.dropped == 4 and not result.complete
    assert memory.runs[-1]["dropped_events"] == 4
    assert open_set(memory.documents) == {
        finding(n).id: (severity, "fail") for n, severity in ((2, "low"), (3, "high"), (4, "high"))
    }
    assert night(tmp_path, memory, 33, last, time=time).spooled == 1
    assert memory.runs[-1]["dropped_events"] == 0


def test_the_size_limit(tmp_path: Path) -> None:
    memory = Memory()
    memory.down = True
    for number in range(6):
        night(tmp_path, memory, number, [finding(n, severity="low" if number % 2 else "high") for n in range(60)])
    spool = Spool(
        tmp_path / "spool" / "siem",
        max_bytes=sum(f.stat().st_size for f in Spool(tmp_path / "spool" / "siem").files()[3:]),
    )
    assert spool.trim(Time().clock.now()) == 3 * 61
    assert [path.name[:8] for path in spool.files()] == ["00000004", "00000005", "00000006"]
    assert spool.state.dropped == 183 and len(spool.state.findings) == 60


def test_a_damaged_file_is_set_aside(tmp_path: Path) -> None:
    memory = Memory()
    memory.down = True
    night(tmp_path, memory, 1, [finding(1)])
    (path,) = Spool(tmp_path / "spool" / "siem").files()
    path.write_bytes(path.read_bytes()[:-20])
    memory.down = False
    result = night(tmp_path, memory, 2, [finding(1), finding(2)])
    assert result.drained.damaged == 1 and not result.complete and len(memory.events) >= 2
    assert [file.name for file in result.rejected.glob("*.gz")] == [path.name]


def test_a_damaged_state_is_never_taken_for_empty(tmp_path: Path) -> None:
    memory = Memory()
    night(tmp_path, memory, 1, [finding(1)])
    file = tmp_path / "spool" / "siem" / "state.json"
    for content in ("", "{", '{"version": 2}', "[]", '{"version": 1, "findings": {"x": 3}}'):
        file.write_text(content)
        with pytest.raises(FileError, match=r"state\.json"):
            load(file)
        result = night(tmp_path, memory, 2, [finding(1)])
        assert "state.json" in result.drained.trouble and result.spooled == 0


def test_one_broken_spool_does_not_stop_the_other_sink(tmp_path: Path) -> None:
    good, bad = Memory(), Memory()
    (tmp_path / "spool").mkdir()
    (tmp_path / "spool" / "bad").write_text("a file where a folder should be")
    results = feed.deliver(
        tmp_path,
        [feed.Target("bad", bad, Form.ECS), feed.Target("good", good, Form.ECS)],
        report(1, [finding(1)]),
        judged_rules=RULES,
        timeout=60,
        clock=Time().clock,
    )
    assert [result.complete for result in results] == [False, True] and len(good.events) == 2


def test_state_keeps_everything(tmp_path: Path) -> None:
    memory = Memory()
    night(tmp_path, memory, 1, [finding(1, name="注文")])
    state = load(tmp_path / "spool" / "siem" / "state.json")
    assert state is not None
    save(tmp_path / "copy.json", state)
    assert load(tmp_path / "copy.json") == state != State()
    assert (tmp_path / "copy.json").stat().st_mode & 0o077 == 0


KILLED = """
import os, signal, sys
from pathlib import Path
from auditor.delivery import dispatch, state
from tests.delivery.runs import Time, delivered, finding, report
from tests.delivery.sinks import sink
from auditor.delivery.records import Form

folder, url, step = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
count = 0
dispatch.BATCH_EVENTS = 20

def dying(function):
    def call(*arguments, **more):
        global count
        count += 1
        if count == step:
            os.kill(os.getpid(), signal.SIGKILL)
        result = function(*arguments, **more)
        count += 1
        if count == step:
            os.kill(os.getpid(), signal.SIGKILL)
        return result
    return call

state.rename_durably = dying(state.rename_durably)
target = sink("elastic", url, clock=Time().clock)
target.sink.send = dying(target.sink.send)
findings = [finding(n) for n in range(30)] + [finding(n, outcome="pass") for n in range(1000, 1003)]
delivered(folder, target.sink, report(2, findings), form=Form.ECS)
print("survived")
"""


@pytest.mark.parametrize("steps", [range(1, 8), range(8, 15)])
def test_killed_anywhere_nothing_is_lost_or_told_twice(tmp_path: Path, steps: range) -> None:
    """SIGKILL before and after every rename and every answer of the receiver, then the next night."""
    for step in steps:
        folder = tmp_path / f"state-{step}"
        with Elastic() as receiver:
            target = sink("elastic", receiver.url, clock=Time().clock)
            first = [finding(n) for n in (1000, 1001, 1002)]
            delivered(folder, target.sink, report(1, first), form=Form.ECS)
            died = subprocess.run(
                [sys.executable, "-c", KILLED, str(folder), receiver.url, str(step)],
                cwd=ROOT,
                capture_output=True,
                text=True,
                check=False,
            )
            assert died.returncode == (-9 if "survived" not in died.stdout else 0), died.stderr
            assert died.returncode == -9, f"only {step - 1} steps; all of them are tested"
            last = [finding(n) for n in range(1, 31)] + [finding(n, outcome="pass") for n in (0, 1000, 1001, 1002)]
            result = delivered(folder, target.sink, report(3, last), form=Form.ECS)
            target.sink.close()
        assert result.complete and receiver.copies <= 20
        # `open_set` fails for a finding that is created twice or closed twice under different ids.
        assert set(open_set(receiver.events)) == {finding(n).id for n in range(1, 31)}
        assert not list(folder.rglob("*.part")) and not list(folder.rglob("state.next.json"))


def test_spool_files_are_what_they_say(tmp_path: Path) -> None:
    memory = Memory()
    memory.down = True
    night(tmp_path, memory, 1, [finding(1)], run="../../etc/pass wd")
    (path,) = Spool(tmp_path / "spool" / "siem").files()
    assert path.name == "00000001-20260101T031700Z--etc-pass-wd.ndjson.gz"
    lines = gzip.decompress(path.read_bytes()).decode().splitlines()
    assert [json.loads(line)["activity"] for line in lines] == ["create", "completed"]
    assert path.stat().st_mode & 0o077 == 0 and path.parent.stat().st_mode & 0o077 == 0
