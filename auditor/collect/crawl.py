"""Crawl: accounts and regions → a snapshot, with a coverage row for everything that was asked."""

from __future__ import annotations

import logging
import signal
import threading
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from auditor._version import __version__
from auditor.collect import privatelink
from auditor.collect.accounts import Profile
from auditor.collect.answers import CloudError
from auditor.collect.attributes import TABLE as ATTRIBUTES_TABLE
from auditor.collect.budget import Clock
from auditor.collect.caller import REGION_ID, Caller, Listing, Run, Settings
from auditor.collect.client import refuse_debug
from auditor.collect.dispatch import LOCALS, Local, Progress, UnitRequest, UnitResult, read_unit
from auditor.collect.endpoints import parse_endpoint, product_override
from auditor.collect.fields import Rows, known, text
from auditor.collect.harvest import distinct_rows, merged_coverage
from auditor.collect.ledger import Ledger
from auditor.collect.operations import PRODUCTS
from auditor.collect.wanted import Wanted, wanted_tables
from auditor.errors import Interrupted, NothingReadError, UsageError
from auditor.inventory.schema import TABLES
from auditor.inventory.snapshot import Snapshot
from auditor.spec import Spec

logger = logging.getLogger("auditor.collect")

#: Region whose servers answer what belongs to no region, where neither profile nor options name one; the CLI's own.
DEFAULTREGION_ID = "cn-hangzhou"


class CollectInterrupted(Interrupted):
    """The run was interrupted; `snapshot` holds what was read until then, the rest as gaps."""

    def __init__(self, signal_number: int, snapshot: Snapshot) -> None:
        super().__init__(signal_number)
        self.snapshot = snapshot


# --------------------------------------------------------------------------------------------------- the crawl


@dataclass(slots=True)
class _Account:
    """One audited account while its regions are being found."""

    profile: Profile
    account_id: str
    home: str
    caller: Caller
    regions: list[str] = field(default_factory=list)
    ledgers: dict[str, Ledger] = field(default_factory=dict)


def collect(
    profiles: Sequence[Profile],
    *,
    regions: Sequence[str] | None = None,
    endpoint_url: str | None = None,
    tables: Collection[str] | None = None,
    spec: Spec | None = None,
    concurrency: int = 16,
    timeout: float = 10.0,
    deadline: float | None = None,
    progress: Progress | None = None,
    executor: Executor | None = None,
    clock: Clock | None = None,
) -> Snapshot:
    """Read `tables` (None: all) of every profile's account.

    `regions`: None reads every region in which an account has an endpoint or an endpoint service.  `timeout` is
    seconds per call, `deadline` seconds for everything; what was read by then is kept.  `executor` runs the units
    (one account in one region each); None uses threads.  `clock` replaces time in tests.

    Raises UsageError for options that cannot be used, NothingReadError if no account gave its identity, and
    CollectInterrupted with the partial snapshot on KeyboardInterrupt or an `Interrupted` raised by a signal handler.
    """
    refuse_debug()
    for region in regions or ():
        if not REGION_ID.fullmatch(region):
            raise UsageError(f"{region!r} is not a region id; write one like eu-central-1")
    if not profiles:
        raise UsageError("no profile was given; name at least one with --profiles")
    if concurrency < 1 or timeout <= 0:
        raise UsageError("concurrency and timeout must be greater than zero")
    for product in PRODUCTS:
        product_override(product)
    endpoint = parse_endpoint(endpoint_url, "the endpoint URL") if endpoint_url else None
    clients = {name: entry.clients for name, entry in (spec.endpoints if spec else {}).items() if entry.clients}
    crawl = _Crawl(
        list(profiles),
        list(dict.fromkeys(regions)) if regions else None,
        Settings(endpoint, concurrency, timeout),
        wanted_tables(tables, clients),
        deadline,
        progress,
        clock,
    )
    try:
        return crawl.run(executor)
    except KeyboardInterrupt:
        raise CollectInterrupted(int(signal.SIGINT), crawl.abandon()) from None
    except Interrupted as error:
        raise CollectInterrupted(error.exit_code - 128, crawl.abandon()) from None
    finally:
        crawl.close()


class _Crawl:
    def __init__(
        self,
        profiles: list[Profile],
        regions: list[str] | None,
        settings: Settings,
        wanted: Wanted,
        deadline: float | None,
        progress: Progress | None,
        clock: Clock | None,
    ) -> None:
        self.profiles = profiles
        self.explicit = regions
        self.settings = settings
        self.wanted = wanted
        self.started_at = _now()
        self.local = Local(Run(settings, clock, deadline), progress)
        self.run_id = uuid.uuid4().hex
        LOCALS[self.run_id] = self.local
        self.accounts: list[_Account] = []
        self.notes: list[str] = []
        self.results: list[UnitResult] = []
        self.general: list[Ledger] = []
        self._units: dict[Future[UnitResult], UnitRequest] = {}
        self._lock = threading.Lock()

    def run(self, executor: Executor | None) -> Snapshot:
        self._identify()
        self._find_regions()
        self._read_units(executor)
        self._activations()
        return self.snapshot()

    def close(self) -> None:
        self.local.run.stop.set()
        self.local.crew.dismiss()
        self.local.run.wire.close()

    # ------------------------------------------------------------------------------------------- identities

    def _home(self, profile: Profile) -> str:
        return profile.region or (self.explicit[0] if self.explicit else DEFAULTREGION_ID)

    def _identify(self) -> None:
        """GetCallerIdentity of every profile; the account id never comes from a profile's name."""
        answers: dict[str, Listing] = {}

        def ask(profile: Profile) -> None:
            listing = Listing("sts:GetCallerIdentity")
            try:
                answer = self.local.caller(profile).call("sts:GetCallerIdentity", self._home(profile), {})
                listing.answers, listing.request_id = [answer.body], answer.request_id
            except CloudError as error:
                listing.error = error
            answers[profile.name] = listing

        self.local.crew.each([_bound(ask, profile) for profile in self.profiles])
        failures: list[str] = []
        for profile in self.profiles:
            listing = answers.get(profile.name) or Listing("sts:GetCallerIdentity", error=self.local.run.left_behind())
            account = self._identity(profile, listing)
            if account is None:
                error = listing.error or CloudError("Plaudit.Malformed", "the identity has no account id")
                failures.append(f"{profile.name}: {error}")
        if not self.accounts:
            raise NothingReadError(
                "no account could be read; check the credentials of these profiles. " + "; ".join(failures)
            )

    def _identity(self, profile: Profile, listing: Listing) -> _Account | None:
        body = listing.answers[0] if listing.answers else {}
        account_id = known(text(body, "AccountId")) or None
        error = listing.error
        if error is None and account_id is None:
            error = CloudError("Plaudit.Malformed", "the identity has no account id", request_id=listing.request_id)
        ledger = Ledger(account_id, profile.name, "")
        self.general.append(ledger)
        if error is not None or account_id is None:
            ledger.cover(listing.operation, "accounts", [""], None, error, listing.request_id)
            return None
        first = next((account for account in self.accounts if account.account_id == account_id), None)
        if first is not None:
            note = (
                f"profiles {first.profile.name} and {profile.name} belong to the same account {account_id}; "
                f"it is read once, with profile {first.profile.name}"
            )
            logger.warning(note)
            self.notes.append(note)
            return first
        ledger.tables["accounts"] = [
            {
                "account_id": account_id,
                "profile": profile.name,
                "arn": _text(body, "Arn"),
                "identity_type": _text(body, "IdentityType"),
            }
        ]
        ledger.cover(listing.operation, "accounts", [""], None, None, listing.request_id)
        account = _Account(profile, account_id, self._home(profile), self.local.caller(profile, account_id))
        self.accounts.append(account)
        self.local.planned(account_id, 1)
        self.local.done(account_id, listing.operation)
        return account

    # ---------------------------------------------------------------------------------------------- regions

    def _find_regions(self) -> None:
        """The regions of every account, with the lists of endpoints and endpoint services read on the way."""
        crew = self.local.crew
        whole = crew.each([_bound(self._offered_regions, account) for account in self.accounts])
        for account in self.accounts:
            self.local.planned(account.account_id, 2 * len(account.regions))
        whole &= crew.each(
            [
                _bound(self._probe_region, account, region, operation)
                for account in self.accounts
                for region in account.regions
                for operation in (privatelink.ENDPOINTS, privatelink.SERVICES)
            ]
        )
        if not whole:
            self._note_unprobed(self.local.run.left_behind())

    def _note_unprobed(self, why: CloudError) -> None:
        """A gap for every list of endpoints and services that was left behind; an answer that still comes is late."""
        for account in self.accounts:
            for region in account.regions or [""]:
                ledger = account.ledgers.get(region)
                asked: set[str] = set()
                if ledger is not None:
                    ledger.close()
                    asked = {row["table_name"] for row in ledger.coverage}
                missing = Ledger(account.account_id, account.profile.name, region)
                for table in ("endpoints", "endpoint_services"):
                    if table not in asked:
                        missing.gap(TABLES[table].operations[0], table, [""], why.code, why.message)
                self.general.append(missing)

    def _offered_regions(self, account: _Account) -> None:
        account.regions = list(self.explicit or ())
        if self.explicit is not None and not self.wanted.any("privatelink_regions"):
            return
        self.local.planned(account.account_id, 1)
        listing = privatelink.fetch_regions(account.caller, account.home)
        made = privatelink.region_rows(listing.items)
        ledger = Ledger(account.account_id, account.profile.name, "")
        with self._lock:
            self.general.append(ledger)
        ledger.take(listing, made, {"privatelink_regions": [""]})
        self.local.done(account.account_id, listing.operation)
        if self.explicit is not None:
            # The answer is the same for every region, and rules ask for the coverage of the resource's own.
            for region in account.regions:
                self._ledger(account, region).cover(
                    listing.operation, "privatelink_regions", [""], made, listing.error, listing.request_id
                )
            return
        offered = [known(text(item, "RegionId")) for item in listing.items]
        account.regions = sorted({region for region in offered if REGION_ID.fullmatch(region)})
        if listing.error is not None:
            if account.profile.region and account.profile.region not in account.regions:
                account.regions.append(account.profile.region)
            words = f"which regions there are is not known ({listing.error.code}); name them with --regions"
            error = CloudError(listing.error.code, words, request_id=listing.error.request_id)
            for table in ("endpoints", "endpoint_services"):
                ledger.cover(listing.operation, table, [""], None, error)
        for region in account.regions:
            self._ledger(account, region).cover(
                listing.operation, "privatelink_regions", [""], made, listing.error, listing.request_id
            )

    def _ledger(self, account: _Account, region: str) -> Ledger:
        with self._lock:
            ledger = account.ledgers.get(region)
            if ledger is None:
                ledger = account.ledgers[region] = Ledger(account.account_id, account.profile.name, region)
            return ledger

    def _probe_region(self, account: _Account, region: str, operation: str) -> None:
        ledger = self._ledger(account, region)
        if operation == privatelink.ENDPOINTS:
            listing = privatelink.fetch_endpoints(account.caller, region)
            made, table = privatelink.endpoint_rows(listing.items), "endpoints"
            parents = [str(row["endpoint_id"]) for row in made.tables.get(table, [])]
            targets: dict[str, list[str]] = {table: [""], ATTRIBUTES_TABLE: [""], "resource_tags": parents}
        else:
            listing = privatelink.fetch_services(account.caller, region)
            made, table = privatelink.service_rows(listing.items), "endpoint_services"
            parents = [str(row["service_id"]) for row in made.tables.get(table, [])]
            targets = {
                table: [""],
                ATTRIBUTES_TABLE: [""],
                "service_supported_regions": parents,
                "resource_tags": parents,
            }
        # A half-read list says nothing false about the children of the parents it did show.
        ledger.keep(made)
        for name, wanted in targets.items():
            ledger.cover(
                operation,
                name,
                wanted,
                made,
                listing.error if name in (table, ATTRIBUTES_TABLE) else None,
                listing.request_id,
            )
        self.local.done(account.account_id, operation)

    # ------------------------------------------------------------------------------------------------ units

    def _requests(self) -> Iterable[UnitRequest]:
        """Round-robin over the accounts, so that none waits for all of another."""
        for account in self.accounts:
            active = [region for region in account.regions if self._active(account, region)]
            for region in account.regions:
                if region not in active and region in account.ledgers:
                    self.general.append(account.ledgers[region])
            account.regions = active
        for place in range(max((len(account.regions) for account in self.accounts), default=0)):
            for account in self.accounts:
                if place < len(account.regions):
                    yield self._request(account, account.regions[place])

    def _active(self, account: _Account, region: str) -> bool:
        ledger = self._ledger(account, region)
        if ledger.rows("endpoints") or ledger.rows("endpoint_services"):
            return True
        unread = not (ledger.complete("endpoints") and ledger.complete("endpoint_services"))
        return self.explicit is not None and unread

    def _request(self, account: _Account, region: str) -> UnitRequest:
        ledger = self._ledger(account, region)
        return UnitRequest(
            self.run_id,
            account.profile,
            account.account_id,
            region,
            self.settings,
            self.wanted,
            ledger.tables,
            ledger.coverage,
            self.local.run.remaining(),
        )

    def _read_units(self, executor: Executor | None) -> None:
        requests = list(self._requests())
        if not requests:
            return
        own = None
        if executor is None:
            # One thread per unit that only waits for the crew; more units than this wait for their turn.
            own = executor = ThreadPoolExecutor(min(len(requests), 32), thread_name_prefix="plaudit-unit")
        try:
            self._units = {executor.submit(read_unit, request): request for request in requests}
            pending = set(self._units)
            while pending:
                # A finite wait lets the main thread see signals on every platform.
                done, pending = wait(pending, timeout=0.5)
                for future in done:
                    self._harvest(future)
        finally:
            if own is not None:
                own.shutdown(wait=False)

    def _harvest(self, future: Future[UnitResult]) -> None:
        request = self._units.pop(future)
        try:
            self.results.append(future.result())
        except (BrokenExecutor, CancelledError, OSError) as error:
            self._lost(request, "Plaudit.Unreachable", f"the worker was lost ({type(error).__name__})")

    def _lost(self, request: UnitRequest, code: str, message: str) -> None:
        """A unit that never came back: what was read before it, and a gap for every list of the region."""
        ledger = Ledger(request.account_id, request.profile.name, request.region)
        ledger.tables = {table: [dict(row) for row in rows] for table, rows in request.read.items()}
        ledger.coverage = [dict(row) for row in request.covered]
        for table in sorted(self.wanted.tables - {"accounts", "privatelink_regions", "product_activations"}):
            if not ledger.complete(table):
                ledger.gap(TABLES[table].operations[0], table, [""], code, message)
        self.results.append(UnitResult(ledger.tables, ledger.coverage))

    # ------------------------------------------------------------------------------------------ activations

    def _activations(self) -> None:
        """CheckProductOpen, only where an account owns nothing: owning an endpoint proves the activation."""
        if not self.wanted.any("product_activations"):
            return
        owners = {
            row["account_id"]
            for result in self.results
            for table in ("endpoints", "endpoint_services")
            for row in result.tables.get(table, ())
        }
        poor = [account for account in self.accounts if account.account_id not in owners]
        self.local.crew.each([_bound(self._activation, account) for account in poor])

    def _activation(self, account: _Account) -> None:
        operation = "privatelink:CheckProductOpen"
        self.local.planned(account.account_id, 1)
        ledger = Ledger(account.account_id, account.profile.name, "")
        with self._lock:
            self.general.append(ledger)
        made = Rows()
        error, request_id = None, None
        try:
            answer = account.caller.call(operation, account.home, {})
            request_id = answer.request_id
            made.add("product_activations", "", activated=answer.body["Success"] is True or None)
            if answer.body["Success"] is not True:
                error = CloudError("Plaudit.Malformed", "Success is not true", request_id=request_id)
        except CloudError as caught:
            if caught.code == "NeedOpenProduct":
                made.add("product_activations", "", activated=False)
                request_id = caught.request_id
            else:
                error = caught
        ledger.keep(made if error is None else Rows())
        ledger.cover(operation, "product_activations", [""], made, error, request_id)
        self.local.done(account.account_id, operation)

    # --------------------------------------------------------------------------------------------- snapshot

    def abandon(self) -> Snapshot:
        """After an interruption: stop everything, wait a moment for units to note what they did not read."""
        self.local.run.stop.set()
        done, late = wait(list(self._units), timeout=5.0)
        for future in done:
            self._harvest(future)
        for future in late:
            future.cancel()
            self._lost(self._units[future], "Plaudit.Interrupted", "the run was interrupted before this was read")
        if not self.results:
            self._note_unasked()
        return self.snapshot()

    def _note_unasked(self) -> None:
        """Interrupted before any unit began: keep what finding the regions brought."""
        for account in self.accounts:
            for ledger in account.ledgers.values():
                if ledger not in self.general:
                    self.general.append(ledger)
            words = "the run was interrupted before this was read"
            rest = Ledger(account.account_id, account.profile.name, "")
            for table in ("endpoints", "endpoint_services"):
                rest.gap(TABLES[table].operations[0], table, [""], "Plaudit.Interrupted", words)
            self.general.append(rest)

    def snapshot(self) -> Snapshot:
        """Everything read, in an order that does not depend on the order of the answers."""
        from auditor.inventory.coverage import coverage_frame
        from auditor.inventory.normalize import table_frame

        tables: dict[str, list[dict[str, Any]]] = {name: [] for name in TABLES}
        coverage: list[dict[str, Any]] = []
        parts = [(ledger.tables, ledger.coverage) for ledger in self.general]
        parts += [(result.tables, result.coverage) for result in self.results]
        for rows, lines in parts:
            coverage += lines
            for table, some in rows.items():
                tables[table] += some
        return Snapshot(
            {name: table_frame(name, distinct_rows(name, rows)) for name, rows in tables.items()},
            coverage_frame(merged_coverage(coverage)),
            {
                "started_at": self.started_at,
                "finished_at": _now(),
                "accounts": [
                    {"account_id": account.account_id, "profile": account.profile.name} for account in self.accounts
                ],
                "regions": sorted({row["region_id"] for row in coverage if row["region_id"] and _is_read(row)}),
                "notes": list(self.notes),
                "tool_version": __version__,
            },
        )


def _is_read(row: Mapping[str, Any]) -> bool:
    return row["operation"] not in (privatelink.ENDPOINTS, privatelink.SERVICES, privatelink.REGIONS)


def _bound(function: Any, *arguments: Any) -> Any:
    return lambda: function(*arguments)


def _text(body: Mapping[str, Any], name: str) -> str | None:
    value = text(body, name)
    return value if isinstance(value, str) else None


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
