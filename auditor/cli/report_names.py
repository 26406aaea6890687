"""Names of dated reports: `report-{date}.html` becomes a file of this run, and a copy that is always the latest."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from auditor.errors import UsageError

#: What may stand in braces, and what a file name has there.
PLACEHOLDERS: Mapping[str, str] = {
    "date": r"[0-9]{4}-[0-9]{2}-[0-9]{2}",
    "time": r"[0-9]{6}Z",
    "scan_id": r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
}

_PART = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_KNOWN = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)


@dataclass(frozen=True, slots=True)
class DatedName:
    """The file of this run, and what others of the same pattern are called.

    `path` is what is written; `latest` is the copy beside it, None where the pattern has no placeholder.
    `template` is the file name as the user wrote it, and `pattern` matches the whole name of every file of it.
    """

    path: Path
    template: str
    latest: Path | None = None
    pattern: re.Pattern[str] | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """When a run began (UTC) and how its scan is called: what the placeholders of one run stand for."""

    at: datetime.datetime
    scan_id: str

    @property
    def values(self) -> Mapping[str, str]:
        return {"date": f"{self.at:%Y-%m-%d}", "time": f"{self.at:%H%M%S}Z", "scan_id": self.scan_id}


def check_name(path: Path) -> None:
    """Raises UsageError for braces that are not a placeholder, and for a placeholder in the name of a folder.

    A folder per day would have to be made, and removed again, which is more than writing a report.
    """
    for part in path.parts[:-1]:
        if any(match[1] in PLACEHOLDERS for match in _PART.finditer(part)):
            raise UsageError(f"{path}: {_KNOWN} can stand in the name of the file only, not in that of a folder")
    for match in _PART.finditer(path.name):
        word = match[1]
        if word is None and match[0] in ("{{", "}}"):
            continue
        if word is None:
            raise UsageError(f"{path}: a single {match[0]} has no meaning here; known are {_KNOWN}; write {{{{ for {{")
        if word not in PLACEHOLDERS:
            raise UsageError(f"{path}: unknown placeholder {match[0]}; known are {_KNOWN}; write {{{{ for {{")


def dated(path: Path, moment: Moment) -> DatedName:
    """What `path` is called in this run.  Raises UsageError like `check_name`."""
    check_name(path)
    values = moment.values
    spans = [match.span() for match in _PART.finditer(path.name) if match[1] in PLACEHOLDERS]
    made = path.with_name(_replaced(path.name, values)) if _PART.search(path.name) else path
    if not spans:
        return DatedName(made, path.name)
    # From the first placeholder to the last: report-{date}-{time}.html has report-latest.html beside it.
    first, last = spans[0][0], spans[-1][1]
    latest = f"{_replaced(path.name[:first], values)}latest{_replaced(path.name[last:], values)}"
    return DatedName(made, path.name, path.with_name(latest), _pattern(path.name))


class Names:
    """What the outputs of one run are called: `formats` and `save` as they are written, `latest` copies by path."""

    def __init__(self, formats: Sequence[tuple[str, Path | None]], save: Path | None, moment: Moment) -> None:
        """Raises UsageError like `check_name`."""
        self.moment = moment
        self.dated: list[DatedName] = []
        self.formats = [(name, self._path(path) if path is not None else None) for name, path in formats]
        self.save = self._path(save) if save is not None else None

    def _path(self, path: Path) -> Path:
        name = dated(path, self.moment)
        self.dated.append(name)
        return name.path

    @property
    def latest(self) -> Mapping[Path, Path]:
        return {name.path: name.latest for name in self.dated if name.latest is not None}


def _replaced(text: str, values: Mapping[str, str]) -> str:
    return _PART.sub(lambda match: values[match[1]] if match[1] else match[0][0], text)


def _pattern(name: str) -> re.Pattern[str]:
    parts, end = [], 0
    for match in _PART.finditer(name):
        parts += [re.escape(name[end : match.start()]), PLACEHOLDERS[match[1]] if match[1] else re.escape(match[0][0])]
        end = match.end()
    return re.compile("".join([*parts, re.escape(name[end:])]) + r"\Z", re.ASCII)
