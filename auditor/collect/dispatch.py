"""Dispatch: one account in one region as a request that any worker can take, and what a process shares to do it."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from auditor.collect.accounts import Credential, Profile
from auditor.collect.caller import Caller, Run, Settings
from auditor.collect.crew import Crew
from auditor.collect.ledger import Ledger
from auditor.collect.unit import Unit
from auditor.collect.wanted import Wanted


class Progress(Protocol):
    """Who wants to know how far a run is."""

    def planned(self, account: str, n: int) -> None:
        """`n` more lists of an account will be read."""

    def done(self, account: str, operation: str) -> None:
        """One list of an account was read."""


@dataclass(frozen=True, slots=True)
class UnitRequest:
    """One account in one region, to be read by any worker; holds no secret, only the name of a profile."""

    run_id: str
    profile: Profile
    account_id: str
    region: str
    settings: Settings
    wanted: Wanted
    #: Rows of the lists that finding the regions has already read.
    read: Mapping[str, Sequence[Mapping[str, Any]]]
    covered: Sequence[Mapping[str, Any]]
    #: Seconds that were left when the request was made.
    remaining: float | None


@dataclass(frozen=True, slots=True)
class UnitResult:
    """Rows by table, and coverage rows."""

    tables: dict[str, list[dict[str, Any]]]
    coverage: list[dict[str, Any]]


class Local:
    """What the units of one run share in one process."""

    def __init__(self, run: Run, progress: Progress | None = None) -> None:
        self.run = run
        self.crew = Crew(run)
        self.callers: dict[str, Caller] = {}
        self._progress = progress
        self._lock = threading.Lock()

    def caller(self, profile: Profile, account_id: str | None = None) -> Caller:
        with self._lock:
            caller = self.callers.get(profile.name)
            if caller is None:
                caller = self.callers[profile.name] = Caller(self.run, profile.name, Credential(profile))
            caller.account_id = account_id or caller.account_id
            return caller

    def planned(self, account: str, n: int) -> None:
        if self._progress is not None:
            with self._lock:
                self._progress.planned(account, n)

    def done(self, account: str, operation: str) -> None:
        if self._progress is not None:
            with self._lock:
                self._progress.done(account, operation)


#: The runs of this process by their id.
LOCALS: weakref.WeakValueDictionary[str, Local] = weakref.WeakValueDictionary()


def read_unit(request: UnitRequest) -> UnitResult:
    """Read one account in one region.  Runs in any process; a stranger makes its own connections and credentials."""
    local = LOCALS.get(request.run_id)
    if local is not None:
        return _read(request, local)
    local = Local(Run(request.settings, deadline=request.remaining))
    try:
        return _read(request, local)
    finally:
        local.crew.dismiss()
        local.run.wire.close()


def _read(request: UnitRequest, local: Local) -> UnitResult:
    ledger = Ledger(request.account_id, request.profile.name, request.region)
    ledger.tables.update({table: [dict(row) for row in rows] for table, rows in request.read.items()})
    ledger.coverage.extend(dict(row) for row in request.covered)
    unit = Unit(
        local.caller(request.profile, request.account_id),
        request.region,
        ledger,
        request.wanted,
        local.crew,
        lambda number: local.planned(request.account_id, number),
        lambda operation: local.done(request.account_id, operation),
    )
    unit.read()
    ledger.close()
    return UnitResult(ledger.tables, ledger.coverage)
