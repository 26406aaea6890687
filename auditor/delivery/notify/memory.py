"""What one channel remembers: when it was last told something, and what it could not be told.

    <state directory>/notify/<channel>.json

The ledger forgets a change once the run is recorded, so that what a dead channel missed is kept here until it is told.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from auditor.delivery.notify.changes import Item
from auditor.delivery.state import write_durably
from auditor.findings import Severity

_VERSION = 1
#: More than this nobody reads; the counts of the next message are right all the same.
_MISSED = 20


@dataclass(frozen=True, slots=True)
class Memory:
    """`told_at` is empty before the first message; `new` are ids, `missed` sentences about runs that ended badly."""

    told_at: str = ""
    new: tuple[str, ...] = ()
    fixed: tuple[Item, ...] = ()
    missed: tuple[str, ...] = ()

    def days_since(self, now: datetime) -> float:
        """Days since the last message, infinite before the first."""
        if not self.told_at:
            return float("inf")
        return (now - datetime.fromisoformat(self.told_at)).total_seconds() / 86_400


def path_of(folder: Path, name: str) -> Path:
    """The file of a channel; its name is checked where the settings are read."""
    return folder / "notify" / f"{name}.json"


def load(path: Path) -> Memory | None:
    """The memory in a file, an empty one if there is none, None for a file that cannot be understood."""
    try:
        body: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        told_at = str(body["told_at"])
        if body["version"] != _VERSION or (told_at and datetime.fromisoformat(told_at).tzinfo is None):
            return None
        return Memory(
            told_at,
            tuple(map(str, body["new"])),
            tuple(_item(each) for each in body["fixed"]),
            tuple(map(str, body["missed"])),
        )
    except FileNotFoundError:
        return Memory()
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def save(path: Path, memory: Memory) -> None:
    """Replaces the file, durably.  Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    body = {
        "version": _VERSION,
        "told_at": memory.told_at,
        "new": list(memory.new),
        "fixed": [dataclasses.asdict(item) for item in memory.fixed],
        "missed": list(memory.missed[-_MISSED:]),
    }
    write_durably(path, json.dumps(body, indent=1).encode() + b"\n")


def _item(body: dict[str, Any]) -> Item:
    found = {field.name: body[field.name] for field in dataclasses.fields(Item)}
    found["owners"] = tuple(map(str, found["owners"]))
    Severity(found["severity"])
    return Item(**found)
