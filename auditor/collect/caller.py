"""Caller: policy around the client: budget, retry, deadline, interruption and paging, for one account."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from auditor.collect.answers import Answer, CloudError, items_of
from auditor.collect.budget import Budget, Clock
from auditor.collect.client import Wire, call, official_client
from auditor.collect.endpoints import Endpoint
from auditor.collect.operations import OPERATIONS, Operation

#: Tries of one call, by what went wrong; the first one counts.
TRIES_SERVER, TRIES_BROKEN, TRIES_THROTTLED = 4, 3, 5
#: Seconds one call may spend waiting for its retries: one minute edge of ecs fits, two do not.
RETRY_SECONDS = 75.0
#: Pages of one list, and pages in a row that bring nothing new, after which a list counts as endless.
MAX_PAGES, MAX_STALE_PAGES = 1000, 10

REGION_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,60}[a-z0-9]")


@dataclass(frozen=True, slots=True)
class Settings:
    """What a run needs to know to call; travels to other processes, holds no secret."""

    endpoint: Endpoint | None = None
    concurrency: int = 16
    timeout: float = 10.0


class Run:
    """What all accounts of one run share in one process: connections, budgets, the deadline and the stop sign."""

    def __init__(self, settings: Settings, clock: Clock | None = None, deadline: float | None = None) -> None:
        """`deadline` is in seconds from now."""
        self.settings = settings
        self.clock = clock or Clock()
        self.wire = Wire(settings.concurrency)
        self.budget = Budget(self.clock)
        self.in_flight = threading.BoundedSemaphore(settings.concurrency)
        self.stop = threading.Event()
        self.ends_at = None if deadline is None else self.clock.monotonic() + deadline

    def remaining(self) -> float | None:
        """Seconds until the deadline; None without one."""
        return None if self.ends_at is None else self.ends_at - self.clock.monotonic()

    def check(self) -> None:
        """Raises CloudError if the run is over: interrupted, or at its deadline."""
        if self.stop.is_set():
            raise CloudError("Plaudit.Interrupted", "the run was interrupted before this was read")
        remaining = self.remaining()
        if remaining is not None and remaining <= 0:
            raise CloudError("Plaudit.Deadline", "the deadline came before this was read")

    def over_since(self) -> float | None:
        """Seconds since the deadline, 0 or more; None before it, and without one."""
        remaining = self.remaining()
        return -remaining if remaining is not None and remaining <= 0 else None

    def left_behind(self) -> CloudError:
        """Why a read that nobody waits for any more was given up."""
        if self.stop.is_set():
            return CloudError("Plaudit.Interrupted", "the run was interrupted before this was read")
        return CloudError("Plaudit.Deadline", "the deadline came before this was read")

    def sleep(self, seconds: float) -> None:
        """Wait; raises CloudError at once if the deadline would come first or when the run is interrupted."""
        remaining = self.remaining()
        if remaining is not None and seconds > remaining:
            raise CloudError("Plaudit.Deadline", f"a wait of {seconds:.0f} s would have passed the deadline")
        self.clock.sleep(seconds, self.stop)
        self.check()


@dataclass(slots=True)
class Listing:
    """What a list call brought: the raw answers, the items of all pages, and why it is not complete.

    Items are JSON objects; an element that is something else is left out and makes the listing incomplete.
    """

    operation: str
    items: list[dict[str, Any]] = field(default_factory=list)
    answers: list[dict[str, Any]] = field(default_factory=list)
    error: CloudError | None = None
    request_id: str | None = None

    @property
    def complete(self) -> bool:
        return self.error is None


class Caller:
    """Calls listed reads with the credentials of one profile."""

    def __init__(self, run: Run, profile: str, credential: Any) -> None:
        self.run = run
        self.profile = profile
        self.account_id: str | None = None
        self._credential = credential
        self._clients: dict[tuple[str, str], Any] = {}
        self._lock = threading.Lock()
        self._stopped: CloudError | None = None

    def _client(self, product: str, region: str) -> Any:
        with self._lock:
            client = self._clients.get((product, region))
            if client is None:
                settings = self.run.settings
                client = self._clients[(product, region)] = official_client(
                    product,
                    region,
                    self._credential,
                    self.run.wire,
                    endpoint=settings.endpoint,
                    timeout=settings.timeout,
                )
            return client

    def call(self, key: str, region: str, parameters: Mapping[str, Any]) -> Answer:
        """One answer of the operation `product:Operation`; waits for the budget and retries what may pass.

        Raises CloudError for everything that ends as a gap, KeyError for an operation that is not listed.
        """
        operation = OPERATIONS[key]
        if not REGION_ID.fullmatch(region):
            # Region ids become host names: one that came in an answer must not choose whom we talk to.
            raise CloudError("Plaudit.Malformed", f"{region!r} is not a region id")
        sent = dict(parameters)
        if operation.sends_region:
            sent.setdefault("RegionId", region)
        line = (self.account_id or self.profile, region if operation.region else "", key)
        tries, waited = 0, 0.0
        while True:
            self._start(line, operation)
            tries += 1
            try:
                return self._once(operation, region, sent)
            except CloudError as error:
                if error.credentials:
                    self._stopped = error
                pause = self._pause(operation, error, tries)
                if pause is None or waited + pause > RETRY_SECONDS:
                    if error.throttled:
                        self.run.budget.give_up(line, operation, error)
                    raise
                if error.throttled:
                    self.run.budget.close(line, operation, pause)
            waited += pause
            self.run.sleep(pause)

    def _start(self, line: tuple[str, str, str], operation: Operation) -> None:
        while True:
            self.run.check()
            if self._stopped is not None:
                raise self._stopped
            delay = self.run.budget.delay(line, operation)
            if delay <= 0:
                return
            self.run.sleep(delay)

    def _once(self, operation: Operation, region: str, parameters: Mapping[str, Any]) -> Answer:
        timeout = self.run.settings.timeout
        with self.run.in_flight:
            self.run.check()
            remaining = self.run.remaining()
            if remaining is not None:
                timeout = max(0.001, min(timeout, remaining))
            try:
                client = self._client(operation.product, region)
                return call(client, operation, parameters, timeout)
            except CloudError as error:
                if error.code == "Plaudit.Timeout":
                    self.run.check()
                raise

    def _pause(self, operation: Operation, error: CloudError, tries: int) -> float | None:
        """Seconds before the next try, None if there is none."""
        jitter = self.run.clock.random
        if error.throttled:
            if tries >= TRIES_THROTTLED:
                return None
            if error.retry_after is not None:
                return error.retry_after + 0.1 * jitter()
            # ecs keeps a limited operation shut until the minute is over; elsewhere a short wait is tried once.
            if operation.product == "ecs" or tries > 1:
                return self.run.budget.minute_edge()
            return 1.0 * jitter()
        if error.server_side:
            return None if tries >= TRIES_SERVER else min(8.0, 0.5 * 2.0**tries) * jitter()
        if error.once_more:
            limit = 2 if error.code in ("Plaudit.Timeout", "Plaudit.Malformed") else TRIES_BROKEN
            return None if tries >= limit else 0.5 * jitter()
        if error.code == "SignatureNonceUsed":
            return None if tries >= 2 else 0.0
        return None

    # ------------------------------------------------------------------------------------------------- lists

    def list(
        self, key: str, region: str, parameters: Mapping[str, Any] | None = None, first: Answer | None = None
    ) -> Listing:
        """Every page of a list.  Never raises CloudError: what was read before an error stays, with the error.

        `first` is an answer that was read before.
        """
        operation = OPERATIONS[key]
        listing = Listing(key)
        try:
            for answer in self._pages(operation, region, dict(parameters or {}), first):
                listing.request_id = answer.request_id
                listing.answers.append(answer.body)
                for item in items_of(operation, answer.body):
                    if isinstance(item, dict):
                        listing.items.append(item)
                    elif listing.error is None:
                        listing.error = CloudError(
                            "Plaudit.Malformed",
                            f"an element of {operation.items} is not an object",
                            request_id=answer.request_id,
                        )
        except CloudError as error:
            listing.error = error
            listing.request_id = error.request_id or listing.request_id
        return listing

    def _pages(
        self, operation: Operation, region: str, parameters: dict[str, Any], first: Answer | None
    ) -> Iterator[Answer]:
        if operation.paging == "none":
            yield first or self.call(operation.key, region, parameters)
        elif operation.paging == "token":
            yield from self._by_token(operation, region, parameters, first)
        else:
            yield from self._by_number(operation, region, parameters)

    def _by_token(
        self, operation: Operation, region: str, parameters: dict[str, Any], first: Answer | None
    ) -> Iterator[Answer]:
        parameters["MaxResults"] = operation.page_size
        tokens: set[str] = set()
        seen = _Seen()
        while True:
            answer = first or self.call(operation.key, region, parameters)
            first = None
            yield answer
            seen.take(answer.body, operation)
            token = answer.body.get("NextToken")
            if token is None or token == "":
                # ecs does not fill TotalCount together with MaxResults.
                total = _count(answer.body.get(operation.total)) if operation.product != "ecs" else None
                if total is not None and seen.rows < total:
                    raise CloudError(
                        "Plaudit.Truncated",
                        f"{seen.rows} of {total} rows came, and no token for more",
                        request_id=answer.request_id,
                    )
                return
            if not isinstance(token, str):
                raise CloudError("Plaudit.Malformed", "NextToken is not text", request_id=answer.request_id)
            if token in tokens or len(tokens) >= MAX_PAGES or seen.stale >= MAX_STALE_PAGES:
                words = "the same NextToken came again" if token in tokens else f"no end after {len(tokens) + 1} pages"
                raise CloudError("Plaudit.EndlessPages", words, request_id=answer.request_id)
            tokens.add(token)
            parameters["NextToken"] = token

    def _by_number(self, operation: Operation, region: str, parameters: dict[str, Any]) -> Iterator[Answer]:
        parameters["PageSize"] = operation.page_size
        seen = _Seen()
        for number in range(1, MAX_PAGES + 1):
            parameters[operation.page_parameter] = number
            answer = self.call(operation.key, region, parameters)
            yield answer
            total = _count(answer.body.get(operation.total))
            added, rows = seen.take(answer.body, operation)
            if total is not None and seen.rows >= total:
                return
            if rows == 0:
                if total is not None:
                    raise CloudError(
                        "Plaudit.Truncated",
                        f"{seen.rows} of {total} rows came before an empty page",
                        request_id=answer.request_id,
                    )
                return
            if added == 0:
                raise CloudError(
                    "Plaudit.EndlessPages", f"page {number} brought nothing new", request_id=answer.request_id
                )
        raise CloudError("Plaudit.EndlessPages", f"no end after {MAX_PAGES} pages")

    def probe(self, key: str, region: str, parameters: Mapping[str, Any]) -> CloudError | None:
        """Ask with DryRun=true whether a call would be allowed: None if it would, else why not.

        Only the error DryRunOperation says yes; an ordinary answer means that the question was not understood.
        """
        try:
            self.call(key, region, {**parameters, "DryRun": True})
        except CloudError as error:
            return None if error.code == "DryRunOperation" else error
        return CloudError("Plaudit.NoPermission", "the dry run was answered like a normal call")


class _Seen:
    """Rows that came so far; the same row on two pages counts once."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        # Most lists are one page: its rows are compared only once a second one is there.
        self._first: list[Any] | None = None
        self._pages = 0
        self.stale = 0

    @property
    def rows(self) -> int:
        return len(self._first) if self._first is not None else len(self._known)

    def take(self, body: Mapping[str, Any], operation: Operation) -> tuple[int, int]:
        """(rows that are new, rows of the page)."""
        items: list[Any] = list(items_of(operation, body))
        if operation.key == "privatelink:ListVpcEndpointServiceUsers" and isinstance(body.get("UserARNs"), list):
            items += body["UserARNs"]
        self._pages += 1
        if self._pages == 1:
            self._first = items
            self.stale = 0 if items else 1
            return len(items), len(items)
        if self._first is not None:
            self._known.update(json.dumps(item, sort_keys=True) for item in self._first)
            self._first = None
        before = len(self._known)
        self._known.update(json.dumps(item, sort_keys=True) for item in items)
        added = len(self._known) - before
        self.stale = 0 if added else self.stale + 1
        return added, len(items)


def _count(value: object) -> int | None:
    """TotalCount, which is a number in some operations and text in others; None if it says nothing."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if value >= 0 else None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 12:
        return int(value)
    return None


def batches(ids: Sequence[str], size: int) -> Iterator[list[str]]:
    """Ids in lists of at most `size`, in order, each id once."""
    distinct = list(dict.fromkeys(ids))
    for start in range(0, len(distinct), size):
        yield distinct[start : start + size]


def id_parameters(operation: Operation, ids: Sequence[str]) -> dict[str, Any]:
    """The parameter that names `ids` in the style of the operation."""
    value: Any
    match operation.id_style:
        case "one":
            (value,) = ids
        case "comma":
            value = ",".join(ids)
        case "json":
            value = json.dumps(list(ids), separators=(",", ":"))
        case _:
            value = list(ids)
    return {operation.id_parameter: value}
