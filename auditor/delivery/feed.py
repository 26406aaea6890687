"""Feed: one run to several sinks – every spool first, every connection second."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from auditor.delivery.dispatch import Dispatch, Drained
from auditor.delivery.patience import Clock, Patience
from auditor.delivery.records import Form, records
from auditor.delivery.replies import Sink
from auditor.delivery.spool import Spool
from auditor.errors import FileError
from auditor.findings import Report
from auditor.reporters.events import Mode, next_state


@dataclass(frozen=True, slots=True)
class Target:
    """A sink with its name, which names its folder in the spool, and the schema it wants."""

    name: str
    sink: Sink
    form: Form


@dataclass(frozen=True, slots=True)
class Delivered:
    """What became of one sink: events spooled by this run, lost to the limits before it, and the drain."""

    name: str
    spooled: int
    dropped: int
    drained: Drained
    waiting: int
    rejected: Path

    @property
    def complete(self) -> bool:
        """Whether everything that was spooled is with the sink now."""
        return not (self.drained.trouble or self.drained.refused or self.drained.damaged or self.dropped)


def spool_run(
    spool: Spool, report: Report, form: Form, *, mode: Mode, judged_rules: Collection[str] | None, clock: Clock
) -> tuple[int, int]:
    """Spools what `report` changes for one sink; returns (events spooled, events lost to the limits)."""
    dropped = spool.trim(clock.now())
    known = spool.state.findings
    found = records(
        report,
        known,
        form=form,
        mode=mode,
        judged_rules=judged_rules,
        times_spooled=spool.state.runs.get(report.scan.id, 0),
        dropped=spool.state.dropped,
    )
    after = next_state(report, known, judged_rules)
    return spool.put(report.scan.id, clock.now(), found, after), dropped


def deliver(
    folder: Path,
    targets: Sequence[Target],
    report: Report | None,
    *,
    mode: Mode = Mode.CHANGES,
    judged_rules: Collection[str] | None = None,
    timeout: float,
    clock: Clock | None = None,
) -> list[Delivered]:
    """Delivers a run, or with no report what earlier runs left in the spool.

    `folder` is the state directory, whose lock the caller holds.  `timeout` bounds, in seconds, how long each sink is
    tried without progress.  A spool that cannot be read or written is the trouble of its sink alone.
    """
    clock = clock or Clock()
    spools: list[tuple[Target, Spool | None, int, int, str]] = []
    for target in targets:
        spool = None
        spooled = dropped = 0
        trouble = ""
        try:
            spool = Spool(folder / "spool" / target.name)
            if report is not None:
                spooled, dropped = spool_run(
                    spool, report, target.form, mode=mode, judged_rules=judged_rules, clock=clock
                )
        except (OSError, FileError) as error:
            trouble = _disk(error)
        spools.append((target, spool, spooled, dropped, trouble))
    return [
        _drained(folder, target, spool, spooled, dropped, trouble, Patience(timeout, clock))
        for target, spool, spooled, dropped, trouble in spools
    ]


def _drained(
    folder: Path, target: Target, spool: Spool | None, spooled: int, dropped: int, trouble: str, patience: Patience
) -> Delivered:
    drained = Drained(0, 0, 0, trouble)
    waiting = 0
    if spool is not None:
        dispatch = Dispatch(spool, target.sink, patience)
        try:
            drained = dispatch.drain()
            waiting = spool.waiting()
        except OSError as error:
            drained = replace(dispatch.drained, trouble=_disk(error))
        if trouble:
            drained = replace(drained, trouble=trouble)
    return Delivered(target.name, spooled, dropped, drained, waiting, folder / "spool" / target.name / "rejected")


def _disk(error: OSError | FileError) -> str:
    if isinstance(error, OSError):
        return f"the spool cannot be written: {error.strerror or type(error).__name__}"
    return str(error)
