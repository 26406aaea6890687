"""Acceptance: what a baseline and a waivers file do to the findings of a run."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from auditor.batches import changed, opened
from auditor.cli.terminal import Terminal
from auditor.errors import UsageError
from auditor.findings import Outcome, Report

if TYPE_CHECKING:
    from auditor.baseline import Baseline
    from auditor.inventory.snapshot import Snapshot
    from auditor.waivers import WaiverEntry


def today() -> date:
    """The day in UTC: waivers and baselines count in whole days."""
    return datetime.now(UTC).date()


def known_rules(folders: Sequence[Path] = ()) -> dict[str, str]:
    """Every rule id and alias → the canonical id, the rules of drift too.  Raises FileError."""
    from auditor.drift.rules import DRIFT_RULES
    from auditor.engine import load_rules

    return {name: rule.id for rule in (*load_rules(folders), *DRIFT_RULES) for name in (rule.id, *rule.aliases)}


def tags_of(snapshot: Snapshot) -> dict[str, set[tuple[str, str]]]:
    """(key, value) pairs by resource id."""
    frame = snapshot.tables["resource_tags"]
    found: dict[str, set[tuple[str, str]]] = {}
    for identity, key, value in zip(frame["resource_id"], frame["tag_key"], frame["tag_value"], strict=True):
        if isinstance(value, str):
            found.setdefault(str(identity), set()).add((str(key), value))
    return found


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Both files, read before anything is collected."""

    baseline: Baseline | None
    waivers: Sequence[WaiverEntry]
    strict: bool

    @classmethod
    def read(
        cls, baseline: Path | None, waivers: Path | None, *, strict: bool, folders: Sequence[Path] = ()
    ) -> Acceptance:
        """Raises FileError for a file that is not understood, and UsageError for an expired waiver if `strict`."""
        if strict and waivers is None:
            raise UsageError("--waivers-strict needs --waivers FILE")
        held = None
        if baseline is not None:
            from auditor.baseline import load_baseline

            held = load_baseline(baseline)
        entries: Sequence[WaiverEntry] = ()
        if waivers is not None:
            from auditor.waivers import load_waivers

            entries = load_waivers(waivers, known_rules(folders), today())
            expired = [entry for entry in entries if entry.expires < today()]
            if strict and expired:
                raise UsageError(
                    f"{waivers}:{expired[0].line}: waiver {expired[0].label} expired on {expired[0].expires}; renew it "
                    f"with its owner {expired[0].waiver.owner}, or remove it"
                )
        return cls(held, entries, strict)

    @property
    def baseline_ids(self) -> frozenset[str] | None:
        """The ids on which the gate does not look; None without a baseline."""
        return self.baseline.ids if self.baseline is not None else None

    def applied(
        self,
        report: Report,
        snapshot: Snapshot,
        judged: Collection[str],
        terminal: Terminal,
        *,
        complete: bool | None = None,
    ) -> Report:
        """The report with waivers and with what has to be said about both files.

        With a baseline, new is what is not in it.  `complete`: whether everything was read, from the reads if None.
        """
        findings, notices, extra = report.findings, list(report.notices), dict(report.extra)
        if complete is None:
            complete = all(read.complete for read in report.reads)
        if self.waivers:
            from auditor.waivers import apply_waivers

            state = apply_waivers(
                self.waivers, findings, today(), tags_of(snapshot), complete=complete, judged=frozenset(judged)
            )
            findings = state.findings
            for notice in state.notices:
                terminal.notice(notice)
            notices += state.notices
            extra["waivers"] = {
                "expired": [entry.label for entry in state.expired],
                "expiring": [entry.label for entry in state.expiring],
                "unused": [entry.label for entry in state.unused],
            }
        if self.baseline is not None:
            ids = self.baseline.ids
            failing = {finding.id for finding in opened(findings) if finding.outcome is Outcome.FAIL}
            findings = changed(findings, lambda finding: dataclasses.replace(finding, is_new=finding.id not in ids))
            days = self.baseline.age(today())
            age = "today" if days == 0 else f"{days} day{'s' * (days != 1)} ago"
            notices.append(
                f"baseline of {self.baseline.written}, written {age}: {len(failing & ids)} of {len(failing)} failures "
                f"are in it"
            )
            extra["baseline"] = {"written": self.baseline.written.isoformat(), "held": len(failing & ids)}
        return dataclasses.replace(report, findings=findings, notices=tuple(notices), extra=extra)

    def insist(self, report: Report) -> None:
        """Raises UsageError if `strict` and a waiver matched nothing in a complete scan."""
        state = report.extra.get("waivers")
        unused = state.get("unused") if isinstance(state, dict) else None
        if self.strict and unused:
            raise UsageError(f"waivers that match no finding: {', '.join(unused)}; remove them")
