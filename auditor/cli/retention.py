"""Retention of dated reports: which of them plaudit made is written down in the state directory, and only these go.

A name alone proves nothing: a report somebody put aside, a link, an edited copy may be called like one of ours.  So a
file is deleted only if it lies in the folder of the pattern, is named by the pattern, was written down when it was
made, and still has the content it had then.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from auditor.cli.report_names import DatedName
from auditor.replacement import Replacement
from auditor.spec_file import KEEP_REPORTS

#: File of the state directory that lists dated reports.
RECORD = "reports.json"


@dataclass(frozen=True, slots=True)
class Keep:
    """How many reports of one pattern stay, or for how long; one of the two."""

    number: int | None = None
    days: int | None = None

    @classmethod
    def of(cls, text: str) -> Keep:
        """From `30` (reports) or `30d` (days).  Raises ValueError."""
        match = KEEP_REPORTS.match(text)
        if match is None:
            raise ValueError(f"{text!r} is not a number of reports above zero, or of days like 30d")
        return cls(days=int(match[1])) if match[2] else cls(number=int(match[1]))


def retain(
    names: Sequence[DatedName],
    keep: Keep | None,
    folder: Path | None,
    now: datetime,
    warn: Callable[[str], None],
) -> list[Path]:
    """Writes down the reports of this run and deletes those of the same patterns that are too many or too old.

    `names` are those that were written, `folder` is the state directory, held by this run.  Returns what was deleted;
    what could not be is said through `warn`.  Raises nothing: an audit does not depend on it.
    """
    names = [name for name in names if name.pattern is not None]
    if not names:
        return []
    if folder is None:
        if keep is not None:
            warn("old reports were not looked at: there is no state directory that says which are plaudit's own")
        return []
    deleted: list[Path] = []
    try:
        record = _read(folder / RECORD)
        for name in names:
            place = name.path.parent.resolve()
            made = record.setdefault(str(place), {}).setdefault(name.template, {})
            made[name.path.name] = {"at": f"{now:%Y-%m-%dT%H:%M:%SZ}", "sha256": _digest(place, name.path.name)}
            if keep is not None:
                deleted += _prune(place, name, made, keep, now, warn)
        with Replacement(folder / RECORD) as replacement:
            replacement.file.write(json.dumps(record, indent=1, sort_keys=True).encode())
    except (OSError, ValueError) as error:
        words = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        warn(f"old reports were not looked at: {folder / RECORD}: {words}")
    return deleted


def _read(path: Path) -> dict[str, dict[str, dict[str, dict[str, str]]]]:
    """Folder → template → file name → {at, sha256}.  Raises OSError, and ValueError if it is something else."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (UnicodeDecodeError, RecursionError, json.JSONDecodeError):
        raise ValueError("is not readable; delete it, and remove older reports by hand") from None
    if not _well_formed(found):
        raise ValueError("is not a list of reports; delete it, and remove older reports by hand")
    return dict(found)


def _well_formed(found: Any) -> bool:
    def of_texts(value: Any, depth: int) -> bool:
        if depth == 0:
            return isinstance(value, str)
        return isinstance(value, dict) and all(of_texts(item, depth - 1) for item in value.values())

    return of_texts(found, 4)


def _prune(
    place: Path,
    name: DatedName,
    made: dict[str, dict[str, str]],
    keep: Keep,
    now: datetime,
    warn: Callable[[str], None],
) -> list[Path]:
    """Deletes what is too much of one pattern and strikes it from `made`, as well as what is gone already."""
    assert name.pattern is not None  # noqa: S101 - `retain` left the others out
    newest = sorted(made, key=lambda other: (other == name.path.name, _at(made[other]), other), reverse=True)
    if keep.number is not None:
        doomed = newest[keep.number :]
    else:
        limit = now - timedelta(days=keep.days or 0)
        doomed = [other for other in newest[1:] if _at(made[other]) < limit]
    deleted = []
    for other in doomed:
        if name.pattern.match(other) is None:
            continue  # never written down by us
        try:
            current = _digest(place, other)
        except FileNotFoundError:
            del made[other]
            continue
        except OSError:  # a link, a folder, a file of somebody else: not what was written
            del made[other]
            continue
        if current != made[other].get("sha256"):
            del made[other]  # changed since: it belongs to whoever changed it
            continue
        try:
            (place / other).unlink()
        except OSError as error:
            warn(f"{place / other}: an old report that cannot be deleted: {error.strerror}")
            continue
        del made[other]
        deleted.append(place / other)
    return deleted


def _at(entry: Mapping[str, str]) -> datetime:
    with contextlib.suppress(ValueError):
        return datetime.strptime(entry.get("at", ""), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    return datetime.max.replace(tzinfo=UTC)  # of unknown age: never the oldest


def _digest(folder: Path, name: str) -> str:
    """SHA-256 of a regular file of `folder`.  Raises OSError, for a link and for everything that is not a file too."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
    descriptor = os.open(folder / name, flags)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(22, "is not a file", str(folder / name))
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    finally:
        os.close(descriptor)
