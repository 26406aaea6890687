"""Baselines: the finding ids that were there on the day the gate was introduced.

A baseline carries no reasons and no owners; it only makes `--fail-on` look at new findings.  Waivers are for decisions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from auditor.errors import FileError
from auditor.findings import Finding, Outcome

_HEADER = "# plaudit baseline 1, written "
_ID = re.compile(r"plf[0-9]+-[0-9a-f]{32}\Z")


@dataclass(frozen=True, slots=True)
class Baseline:
    """Finding ids of a baseline file and the day it was written."""

    ids: frozenset[str]
    written: date
    path: str

    def age(self, today: date) -> int:
        """Days since it was written."""
        return (today - self.written).days


def load_baseline(path: Path) -> Baseline:
    """Reads a baseline file.  Raises FileError with the line of whatever is not a finding id or a comment."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise FileError(path, f"cannot be read: {error.strerror or type(error).__name__}") from None
    except UnicodeDecodeError:
        raise FileError(path, "is not UTF-8 text; write it with `plaudit baseline write`") from None
    lines = text.splitlines()
    if not lines or not lines[0].startswith(_HEADER):
        raise FileError(path, f"does not begin with `{_HEADER}…`; write it with `plaudit baseline write`", 1)
    try:
        written = date.fromisoformat(lines[0].removeprefix(_HEADER).strip())
    except ValueError:
        raise FileError(path, "the first line does not end in a date as 2026-11-24", 1) from None
    ids = set()
    for number, line in enumerate(lines[1:], start=2):
        identity = line.split("#", 1)[0].strip()
        if not identity:
            continue
        if _ID.match(identity) is None:
            raise FileError(path, f"expected a finding id as plf1-… or a comment, found `{identity[:60]!a}`", number)
        ids.add(identity)
    return Baseline(frozenset(ids), written, str(path))


def baseline_text(findings: Iterable[Finding], today: date) -> str:
    """The text of a baseline: unwaived failures, sorted by id, rule and resource as comments."""
    lines = sorted(
        f"{finding.id}  # {finding.rule_id} {_plain(finding.resource.id)}"
        for finding in findings
        if finding.outcome is Outcome.FAIL and not finding.waived
    )
    return "\n".join([f"{_HEADER}{today.isoformat()}", *lines]) + "\n"


def pruned_text(baseline: Baseline, findings: Iterable[Finding], *, complete: bool) -> str:
    """The baseline without the findings that are gone; one that is unknown, or unread, stays.

    Only a finding that was judged good is dropped after a partial scan; after a complete one also those whose object
    is not there any more.
    """
    judged = {finding.id: finding for finding in findings}
    keep = []
    for identity in sorted(baseline.ids):
        finding = judged.get(identity)
        if finding is None:
            if not complete:
                keep.append(identity)
        elif finding.outcome in (Outcome.FAIL, Outcome.UNKNOWN):
            keep.append(f"{identity}  # {finding.rule_id} {_plain(finding.resource.id)}")
    return "\n".join([f"{_HEADER}{baseline.written.isoformat()}", *keep]) + "\n"


def _plain(text: str) -> str:
    return "".join(character if character.isprintable() else "·" for character in text)
