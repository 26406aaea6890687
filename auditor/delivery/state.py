"""The state of one sink: what it knows about every open finding once the spool is drained, and what was lost."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from auditor.delivery.records import known_from_plain, known_to_plain
from auditor.errors import FileError
from auditor.reporters.events import Known
from auditor.reporters.stream import encode

_VERSION = 1

#: How many runs are remembered, so that one fed again is recognized.
_RUNS = 50


@dataclass(frozen=True, slots=True)
class State:
    """What a sink knows.

    `sequence` numbers the spool files; `dropped` counts lost events no run has told of yet; `runs` counts how often
    events of a run were spooled.  `dropping` names spool files whose loss is counted already, `commits` the spool file
    that has to be there for this state to hold.
    """

    findings: Mapping[str, Known] = field(default_factory=lambda: MappingProxyType({}))
    sequence: int = 0
    dropped: int = 0
    runs: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    dropping: tuple[str, ...] = ()
    commits: str = ""


def with_run(runs: Mapping[str, int], run_id: str) -> dict[str, int]:
    """The runs with one more; the oldest are forgotten."""
    kept = {key: count for key, count in runs.items() if key != run_id}
    kept[run_id] = runs.get(run_id, 0) + 1
    return dict(list(kept.items())[-_RUNS:])


def load(path: Path) -> State | None:
    """The state in a file, None if there is none.  Raises FileError for a file that cannot be understood.

    It is never taken for empty then: every finding would be told once more, and none would be closed.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, type(error).__name__) from None
    try:
        body: dict[str, Any] = json.loads(text)
        if body["version"] != _VERSION:
            raise FileError(path, "was written by another plaudit; use that version, or move the folder away")
        return State(
            findings={str(key): known_from_plain(value) for key, value in body["findings"].items()},
            sequence=int(body["sequence"]),
            dropped=int(body["dropped"]),
            runs={str(key): int(value) for key, value in body["runs"]},
            dropping=tuple(map(str, body["dropping"])),
            commits=str(body["commits"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _unreadable(path, type(error).__name__) from None


def save(path: Path, state: State) -> None:
    """Replaces the file, durably.  Raises OSError."""
    text = encode(
        {
            "version": _VERSION,
            "sequence": state.sequence,
            "dropped": state.dropped,
            "dropping": list(state.dropping),
            "commits": state.commits,
            "runs": [[key, count] for key, count in state.runs.items()],
            "findings": {key: known_to_plain(known) for key, known in state.findings.items()},
        }
    )
    write_durably(path, text.encode() + b"\n")


def write_durably(path: Path, content: bytes) -> None:
    """Writes beside, syncs, renames: after a power cut there is the old file or the new one.  Raises OSError."""
    beside = path.with_name(path.name + ".part")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    rename_durably(beside, path)


def rename_durably(source: Path, target: Path) -> None:
    """Renames, and syncs the folder so that the name survives a power cut.  Raises OSError."""
    source.replace(target)
    if os.name == "posix":
        descriptor = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _unreadable(path: Path, why: str) -> FileError:
    return FileError(path, f"is not a readable delivery state ({why}); move its folder away to begin anew")
