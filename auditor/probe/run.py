"""Running a probe: every name, every named address and port, several tries each, within bounds of number and time."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from auditor.probe import connect, resolve
from auditor.probe.connect import Settings
from auditor.probe.resolve import Answer, Server
from auditor.probe.result import ConnectionSeen, Foreign, NameSeen, ProbeResult
from auditor.probe.summary import connection_seen
from auditor.probe.targets import Place, Service, Target


@dataclass(frozen=True)
class Plan:
    """How a probe goes about it.  Seconds; without `deadline` it takes as long as it takes.

    `servers` are asked one after the other until one answers.  `system`: also ask as the programs of the host do.
    `allow_foreign`: also contact addresses that a name resolves to and nobody named.
    """

    servers: tuple[Server, ...] = ()
    system: bool = True
    settings: Settings = field(default_factory=Settings)
    tries: int = 3
    interval: float = 0.2
    concurrency: int = 16
    deadline: float | None = None
    allow_foreign: bool = False
    host: str = ""
    instance_id: str | None = None


class ProbeInterrupted(Exception):
    """Interrupted; `result` is what was seen until then."""

    def __init__(self, result: ProbeResult) -> None:
        self.result = result
        super().__init__("interrupted")


@dataclass
class _State:
    """What came back.  Each endpoint is finished when nothing of it is open."""

    names: list[NameSeen] = field(default_factory=list)
    connections: list[ConnectionSeen] = field(default_factory=list)
    foreign: dict[Foreign, None] = field(default_factory=dict)
    open: Counter[str] = field(default_factory=Counter)


def run_probe(targets: Sequence[Target], plan: Plan, *, done: Callable[[int, int], None] | None = None) -> ProbeResult:
    """Probes the targets.  `done` is told how many of how many steps are over.

    Raises ProbeInterrupted, with what was seen until then, for KeyboardInterrupt and Interrupted.
    """
    return _Run(targets, plan, done).run()


class _Run:
    def __init__(self, targets: Sequence[Target], plan: Plan, done: Callable[[int, int], None] | None = None) -> None:
        self.targets = targets
        self.plan = plan
        self.done = done
        self.stop = threading.Event()
        self.state = _State()
        self.started_at = now()
        self.begin = time.monotonic()
        self.steps = 0

    def run(self) -> ProbeResult:
        pool = ThreadPoolExecutor(self.plan.concurrency, thread_name_prefix="probe")
        try:
            found = self._phase(pool, self._questions(), self._named)
            late = found
            if not late:
                late = self._phase(pool, self._contacts(), self._contacted)
        except BaseException as error:
            self.stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            from auditor.errors import Interrupted

            if isinstance(error, (KeyboardInterrupt, Interrupted)):
                raise ProbeInterrupted(self._result("interrupted")) from error
            raise
        self.stop.set()
        pool.shutdown(wait=not late, cancel_futures=True)
        return self._result("deadline" if late else None)

    def _phase(
        self, pool: ThreadPoolExecutor, work: Iterable[tuple[Target, Callable[[], Any]]], keep: Callable[[Any], None]
    ) -> bool:
        """Runs one kind of steps; True if the deadline came first."""
        jobs: dict[Future[Any], Target] = {}
        listed = list(work)
        for target, _ in listed:
            self.state.open[target.endpoint_id] += 1
        total = self.steps + len(listed)
        for target, job in listed:
            jobs[pool.submit(job)] = target
        pending = set(jobs)
        while pending:
            left = None if self.plan.deadline is None else self.plan.deadline - (time.monotonic() - self.begin)
            if left is not None and left <= 0:
                return True
            finished, pending = wait(pending, timeout=left, return_when=FIRST_COMPLETED)
            for future in finished:
                keep(future.result())
                self.state.open[jobs[future].endpoint_id] -= 1
                self.steps += 1
            if self.done is not None:
                self.done(self.steps, total)
        return False

    # -------------------------------------------------------------------------------------------------------- names

    def _questions(self) -> Iterable[tuple[Target, Callable[[], list[NameSeen]]]]:
        for target in self.targets:
            for name in target.names:
                if self.plan.servers:
                    yield target, self._asking(target, name.domain, name.zone_id)
                if self.plan.system:
                    yield target, self._asking_system(target, name.domain, name.zone_id)

    def _asking(self, target: Target, domain: str, zone_id: str) -> Callable[[], list[NameSeen]]:
        def ask() -> list[NameSeen]:
            found = []
            for record_type in resolve.RECORD_TYPES:
                answer = None
                for server in self.plan.servers:
                    answer = resolve.ask(server, domain, record_type, self.plan.settings.timeout)
                    if answer.status in ("ok", "no_name", "no_address") or self.stop.is_set():
                        break
                if answer is not None:
                    found.append(_name_seen(target, domain, zone_id, answer))
            return found

        return ask

    def _asking_system(self, target: Target, domain: str, zone_id: str) -> Callable[[], list[NameSeen]]:
        def ask() -> list[NameSeen]:
            answers = resolve.ask_system(domain, max(self.plan.settings.timeout, 1.0))
            return [_name_seen(target, domain, zone_id, answer) for answer in answers]

        return ask

    def _named(self, seen: list[NameSeen]) -> None:
        self.state.names.extend(seen)

    # --------------------------------------------------------------------------------------------------- connections

    def _contacts(self) -> Iterable[tuple[Target, Callable[[], ConnectionSeen]]]:
        """Every named address and every port; foreign addresses are noted, and contacted only where allowed."""
        by_endpoint: dict[int, list[NameSeen]] = defaultdict(list)
        for number, target in enumerate(self.targets):
            mine = {name.domain for name in target.names}
            by_endpoint[number] = [
                seen for seen in self.state.names if seen.endpoint_id == target.endpoint_id and seen.domain in mine
            ]
        for number, target in enumerate(self.targets):
            places = {place.address: place for place in target.places}
            domains: dict[str, str] = {}
            general = next((name.domain for name in target.names if not name.zone_id), None)
            for seen in by_endpoint[number]:
                for address, _ in seen.addresses:
                    domains.setdefault(address, general or seen.domain)
                    if address not in places:
                        self.state.foreign[Foreign(target.endpoint_id, seen.domain, address)] = None
            wanted = list(places.values())
            if self.plan.allow_foreign:
                strangers = {f.address for f in self.state.foreign if f.endpoint_id == target.endpoint_id}
                wanted += [Place(address) for address in sorted(strangers - places.keys()) if _host(address)]
            for place in wanted:
                for service in target.services:
                    yield target, self._trying(target, place, service, domains.get(place.address, general))

    def _trying(self, target: Target, place: Place, service: Service, name: str | None) -> Callable[[], ConnectionSeen]:
        plan = self.plan

        def tries() -> ConnectionSeen:
            at, made = now(), []
            for number in range(plan.tries):
                if number and self.stop.wait(plan.interval * random.uniform(0.5, 1.5)):
                    break
                if self.stop.is_set():
                    break
                made.append(connect.attempt(place.address, service, plan.settings, name))
            return connection_seen(target, place, service, made, plan.settings, at)

        return tries

    def _contacted(self, seen: ConnectionSeen) -> None:
        self.state.connections.append(seen)

    # -------------------------------------------------------------------------------------------------------- result

    def _result(self, ended: str | None) -> ProbeResult:
        plan = self.plan
        ids = tuple(dict.fromkeys(target.endpoint_id for target in self.targets))
        open_ = ids if ended and not self.state.connections else tuple(i for i in ids if self.state.open[i] > 0)
        return ProbeResult(
            host=plan.host,
            instance_id=plan.instance_id,
            started_at=self.started_at,
            finished_at=now(),
            endpoint_ids=ids,
            names=tuple(sorted(self.state.names, key=_name_order)),
            connections=tuple(sorted(self.state.connections, key=_connection_order)),
            foreign=tuple(sorted(self.state.foreign, key=lambda f: (f.endpoint_id, f.domain, f.address))),
            unfinished=open_ if ended else (),
            ended=ended,
            resolvers=tuple(map(str, plan.servers)) + ((resolve.SYSTEM,) if plan.system else ()),
            trust=plan.settings.trust.words,
        )


def now() -> str:
    """The time, RFC 3339, UTC, in seconds."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _host(address: str) -> bool:
    """Whether an address in an answer can be one of a host at all."""
    from auditor.probe.targets import parse_address

    try:
        return bool(parse_address(address))
    except ValueError:
        return False


def _name_seen(target: Target, domain: str, zone_id: str, answer: Answer) -> NameSeen:
    return NameSeen(
        target.endpoint_id, zone_id, domain, answer.resolver, answer.record_type, answer.status, answer.addresses,
        answer.chain, answer.seconds, now(), answer.error,
    )  # fmt: skip


def _name_order(seen: NameSeen) -> tuple[str, ...]:
    return (seen.endpoint_id, seen.zone_id, seen.domain, seen.resolver, seen.record_type)


def _connection_order(seen: ConnectionSeen) -> tuple[object, ...]:
    return (seen.endpoint_id, seen.zone_id, seen.address, seen.protocol, seen.port)
