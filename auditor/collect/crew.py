"""Crew: the threads that wait for answers, shared by all accounts of a run in one process."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, wait

from auditor.collect.answers import CloudError
from auditor.collect.caller import Run

#: Seconds given to calls in flight when a run is interrupted, or at its deadline.
GRACE_SECONDS = 1.0


class Crew:
    """A bounded pool of daemon threads.

    Not a ThreadPoolExecutor, whose threads are joined when the interpreter ends: after an interruption nobody wants to
    wait for an answer that is not coming.  Threads are more than calls in flight (see `Run.in_flight`), so that an
    operation which waits for its minute does not hold up the others.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._size = 2 * run.settings.concurrency + 8
        self._threads = 0
        self._idle = 0
        self._lock = threading.Lock()
        self._jobs: queue.SimpleQueue[tuple[Future[None], Callable[[], None]] | None] = queue.SimpleQueue()

    def each(self, jobs: Iterable[Callable[[], None]]) -> bool:
        """Run all jobs and wait for them; False if the run was over and some were left behind.

        A call ends at the deadline by itself, but for what has no bound of its own: a name server that is silent, a
        credential that is fetched.  Nobody waits for these longer than `GRACE_SECONDS` after the deadline.

        An exception of a job is a bug, not a gap: it is raised here.
        """
        futures = {self._submit(job) for job in jobs}
        while futures:
            done, futures = wait(futures, timeout=0.2, return_when=FIRST_COMPLETED)
            for future in done:
                future.result()
            if futures and self._run.stop.is_set():
                done, futures = wait(futures, timeout=GRACE_SECONDS)
                return not futures
            late = self._run.over_since()
            if futures and late is not None and late >= GRACE_SECONDS:
                return False
        return True

    def left_behind(self) -> CloudError:
        """Why jobs were left behind."""
        return self._run.left_behind()

    def _submit(self, job: Callable[[], None]) -> Future[None]:
        future: Future[None] = Future()
        self._jobs.put((future, job))
        with self._lock:
            if self._threads < self._size and self._idle < self._jobs.qsize():
                self._threads += 1
                threading.Thread(target=self._work, name="plaudit-collect", daemon=True).start()
        return future

    def _work(self) -> None:
        while True:
            with self._lock:
                self._idle += 1
            entry = self._jobs.get()
            with self._lock:
                self._idle -= 1
            if entry is None:
                return
            future, job = entry
            try:
                job()
            except BaseException as error:  # noqa: BLE001 - handed to whoever waits for the job
                future.set_exception(error)
            else:
                future.set_result(None)

    def dismiss(self) -> None:
        """Let idle threads end."""
        with self._lock:
            threads = self._threads
        for _ in range(threads):
            self._jobs.put(None)
