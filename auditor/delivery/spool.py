"""The spool of one sink: a folder of compressed events in order, how far each file was accepted, and the rejected.

    <folder>/state.json                              what the sink knows (`state`)
    <folder>/00000012-20261123T150000Z-<run>.ndjson.gz   events of one run
    <folder>/00000012-20261123T150000Z-<run>.offset      how many of them the sink has accepted
    <folder>/rejected/                               refused events, the answer beside them

Steps that belong together survive a kill between them: the next state is written first, the spool file's name commits
it, and a state whose spool file is not there is thrown away.
"""

from __future__ import annotations

import contextlib
import gzip
import os
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from auditor.delivery import state as states
from auditor.delivery.records import Record, from_line, to_line
from auditor.delivery.state import State
from auditor.reporters.events import Known

#: What a spool may hold before the oldest files are dropped.
MAX_BYTES = 256_000_000
MAX_AGE = timedelta(days=30)

_NAME = re.compile(r"([0-9]{8,})-([0-9]{8}T[0-9]{6}Z)-[A-Za-z0-9_-]{1,64}\.ndjson\.gz\Z")
_SUFFIX = ".ndjson.gz"


class Damaged(Exception):
    """A spool file cannot be read to its end."""


class Spool:
    """One sink's folder; whoever uses it holds the lock of the state directory.

    Methods raise OSError if the disk refuses, and FileError if the state cannot be read.
    """

    def __init__(self, folder: Path, *, max_bytes: int = MAX_BYTES, max_age: timedelta = MAX_AGE) -> None:
        self.folder = folder
        self.rejected = folder / "rejected"
        self.max_bytes = max_bytes
        self.max_age = max_age
        self._state_file = folder / "state.json"
        self._next_file = folder / "state.next.json"
        for each in (folder, self.rejected):
            each.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.state = self._recovered()

    def _recovered(self) -> State:
        upcoming = states.load(self._next_file)
        if upcoming is not None:
            if (self.folder / upcoming.commits).exists():
                states.rename_durably(self._next_file, self._state_file)
            else:
                self._next_file.unlink()
        for part in [*self.folder.glob("*.part"), *self.rejected.glob("*.part")]:
            part.unlink()
        current = states.load(self._state_file) or State()
        if current.dropping:
            for name in current.dropping:
                self._remove(self.folder / name)
            current = replace(current, dropping=())
            states.save(self._state_file, current)
        for offset in self.folder.glob("*.offset"):
            if not offset.with_name(offset.name.removesuffix(".offset") + _SUFFIX).exists():
                offset.unlink()
        return current

    # ------------------------------------------------------------------------------------------------- writing

    def put(self, run_id: str, now: datetime, events: Iterable[Record], findings: Mapping[str, Known]) -> int:
        """Spools the events of a run and moves the state on to `findings`: both, or neither.  Returns how many."""
        sequence = self.state.sequence + 1
        run = re.sub(r"[^A-Za-z0-9_-]+", "-", run_id)[:64] or "run"
        target = self.folder / f"{sequence:08d}-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{run}{_SUFFIX}"
        beside = target.with_name(target.name + ".part")
        count = 0
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            with gzip.GzipFile(filename="", mode="wb", fileobj=file, compresslevel=6, mtime=0) as packed:
                for record in events:
                    packed.write(to_line(record).encode() + b"\n")
                    count += 1
            file.flush()
            os.fsync(file.fileno())
        upcoming = State(
            findings=findings,
            sequence=sequence,
            dropped=0,
            runs=states.with_run(self.state.runs, run_id),
            commits=target.name,
        )
        states.save(self._next_file, upcoming)
        states.rename_durably(beside, target)
        states.rename_durably(self._next_file, self._state_file)
        self.state = upcoming
        return count

    def trim(self, now: datetime) -> int:
        """Drops the oldest files beyond the limits and returns how many events were lost.

        What the sink knows goes back to what it knew before the lost events, so that a later run tells it again.
        """
        doomed = self._doomed(now)
        lost = [path for path in doomed if path.parent == self.folder]
        if not lost:
            for path in doomed:
                path.unlink()
            return 0
        before: dict[str, Known | None] = {}
        count = told = 0
        for path in lost:
            for record in self._readable(path):
                count += 1
                told += record.dropped
                if record.finding_id:
                    before.setdefault(record.finding_id, record.before)
        later = {record.finding_id for path in self.files() if path not in lost for record in self._readable(path)}
        findings = dict(self.state.findings)
        for finding_id, known in before.items():
            if finding_id in later:
                continue
            findings.pop(finding_id, None)
            if known is not None:
                findings[finding_id] = known
        names = tuple(path.name for path in lost)
        dropped = self.state.dropped + count + told
        self.state = replace(self.state, findings=findings, dropped=dropped, dropping=names)
        states.save(self._state_file, self.state)
        for path in doomed:
            self._remove(path)
        self.state = replace(self.state, dropping=())
        states.save(self._state_file, self.state)
        return count

    def _doomed(self, now: datetime) -> list[Path]:
        held = sorted([*self.files(), *self.rejected.glob("*" + _SUFFIX)], key=lambda path: path.name)
        total = sum(path.stat().st_size for path in held)
        doomed = []
        for path in held:
            match = _NAME.match(path.name)
            old = match is not None and now - _moment(match[2]) > self.max_age
            if old or total > self.max_bytes:
                doomed.append(path)
                total -= path.stat().st_size
        answers = [path.with_name(path.name.removesuffix(_SUFFIX) + ".answer.txt") for path in doomed]
        return [*doomed, *(path for path in answers if path.exists())]

    def _readable(self, path: Path) -> Iterator[Record]:
        with contextlib.suppress(Damaged):
            yield from self.records(path)

    def _remove(self, path: Path) -> None:
        path.unlink(
            missing_ok=True
        )  # the events first: an offset alone says nothing, events without one are sent again
        if path.name.endswith(_SUFFIX):
            self._offset_file(path).unlink(missing_ok=True)

    # ------------------------------------------------------------------------------------------------- sending

    def files(self) -> list[Path]:
        """The spool files, oldest first."""
        found = [path for path in self.folder.iterdir() if _NAME.match(path.name)]
        return sorted(found, key=lambda path: (int(path.name.partition("-")[0]), path.name))

    def records(self, path: Path) -> Iterator[Record]:
        """The events of a file that were not accepted yet.  Raises Damaged."""
        start = self.offset(path)
        try:
            with gzip.open(path, "rt", encoding="utf-8") as file:
                for number, line in enumerate(file):
                    if number >= start:
                        yield from_line(line)
        except (EOFError, gzip.BadGzipFile, zlib.error, ValueError, KeyError, TypeError) as error:
            raise Damaged(type(error).__name__) from None

    def offset(self, path: Path) -> int:
        """How many events of a file were accepted; 0 where that cannot be read, because twice is better than never."""
        try:
            return int(self._offset_file(path).read_text(encoding="ascii"))
        except (OSError, ValueError):
            return 0

    def advance(self, path: Path, offset: int) -> None:
        """Notes that the first `offset` events of a file are done with."""
        states.write_durably(self._offset_file(path), f"{offset}\n".encode())

    def finish(self, path: Path) -> None:
        """Every event of a file is done with."""
        self._remove(path)

    def reject(self, path: Path, offset: int, refused: Sequence[Record], answer: str) -> None:
        """Keeps events a sink refused for good, and its answer (cleaned) beside them, until the limits are reached."""
        name = f"{path.name.removesuffix(_SUFFIX)}-{offset:06d}"
        # The name ends like a run's, so that its age can be read from it.
        target = self.rejected / (_shortened(name) + _SUFFIX)
        content = "".join(to_line(record) + "\n" for record in refused).encode()
        states.write_durably(target, gzip.compress(content, mtime=0))
        answer_file = target.with_name(target.name.removesuffix(_SUFFIX) + ".answer.txt")
        states.write_durably(answer_file, answer.encode("utf-8", "replace") + b"\n")

    def quarantine(self, path: Path, why: str) -> None:
        """Sets a damaged file aside."""
        states.rename_durably(path, self.rejected / path.name)
        answer_file = self.rejected / (path.name.removesuffix(_SUFFIX) + ".answer.txt")
        states.write_durably(answer_file, f"this spool file is damaged: {why}\n".encode())
        self._offset_file(path).unlink(missing_ok=True)

    def waiting(self) -> int:
        """How many events were not accepted yet."""
        return sum(1 for path in self.files() for _ in self._readable(path))

    def _offset_file(self, path: Path) -> Path:
        return path.with_name(path.name.removesuffix(_SUFFIX) + ".offset")


def _shortened(name: str) -> str:
    sequence, moment, run = name.split("-", 2)
    return f"{sequence}-{moment}-{run[-64:]}"


def _moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
