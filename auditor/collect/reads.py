"""Reads: what a unit does with one list: fetch it, turn it into rows, note what is complete and what is not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from auditor.collect.caller import Caller, Listing
from auditor.collect.crew import Crew
from auditor.collect.fields import Rows
from auditor.collect.ledger import Ledger
from auditor.collect.wanted import Wanted

Job = Callable[[], None]
#: Told how many more lists will be read, and which one was.
Plan = Callable[[int], None]
Report = Callable[[str], None]
#: Operation, the read, and what to note if an interruption left it behind.
Read = tuple[str, Job, Job]
#: Coverage targets by table.
Targets = Mapping[str, Sequence[str]]

#: A not-found answer proves that the object is not there; a list that a rule names but that does not exist matches
#: nothing, so its entries are complete as well.
_ABSENT_IS_COMPLETE = frozenset(
    {
        "load_balancers",
        "server_groups",
        "instances",
        "security_groups",
        "prefix_lists",
        "visible_services",
        "endpoint_attributes",
        "prefix_list_entries",
        "port_list_entries",
    }
)


class Reads:
    """One account in one region while it is read into a ledger; `crew` runs what can be asked at the same time."""

    def __init__(
        self, caller: Caller, region: str, ledger: Ledger, wanted: Wanted, crew: Crew, plan: Plan, report: Report
    ) -> None:
        self.caller = caller
        self.region = region
        self.ledger = ledger
        self.wanted = wanted
        self.crew = crew
        self._plan = plan
        self._report = report
        #: Groups that rules name and that belong to other accounts.
        self._foreign: set[str] = set()
        self._places: dict[str, tuple[str, str]] = {}
        self._balancers_by_place: dict[tuple[str, str], list[str]] = {}

    def _stage(self, jobs: Iterable[Read]) -> None:
        """Run jobs at the same time.  Each is (operation, the read, what to note if it was left behind)."""
        pending: dict[int, Job] = {}

        def started(number: int, operation: str, job: Job) -> Job:
            def work() -> None:
                job()
                pending.pop(number, None)
                self._report(operation)

            return work

        runs = []
        for number, (operation, job, left) in enumerate(jobs):
            pending[number] = left
            runs.append(started(number, operation, job))
        self._plan(len(runs))
        if not self.crew.each(runs):
            for left in list(pending.values()):
                left()

    def _job(
        self,
        operation: str,
        fetch: Callable[[], Listing],
        rows: Callable[[Listing], Rows],
        targets: Targets | Callable[[Rows], Targets],
    ) -> Read:
        """A read: fetch, turn into rows, keep both rows and coverage of `targets`."""

        def work() -> None:
            listing = fetch()
            made = rows(listing)
            wanted = targets(made) if callable(targets) else targets
            self._take(listing, made, wanted)

        def left() -> None:
            wanted = targets(Rows()) if callable(targets) else targets
            why = self.crew.left_behind()
            for table, asked in wanted.items():
                self.ledger.gap(operation, table, asked, why.code, why.message)

        return operation, work, left

    def _take(self, listing: Listing, made: Rows, targets: Targets) -> None:
        error = listing.error
        if error is not None and error.not_found and not listing.answers:
            for table, asked in targets.items():
                if table in _ABSENT_IS_COMPLETE:
                    self.ledger.absent(listing.operation, table, asked, error)
                else:
                    words = f"{error.code}: gone between the list and the detail"
                    self.ledger.gap(listing.operation, table, asked, "Plaudit.Vanished", words)
            return
        self.ledger.take(listing, made, dict(targets))
