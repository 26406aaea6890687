"""Telling: who is told about a run, whether at all, with patience, and what is kept for later where that fails."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from auditor.delivery.notify import memory as memories
from auditor.delivery.notify.changes import Changes, changes
from auditor.delivery.notify.channels import Opened
from auditor.delivery.notify.memory import Memory
from auditor.delivery.notify.message import Message, failure_message, run_message, trial_message
from auditor.delivery.notify.settings import When
from auditor.delivery.patience import TIMEOUT, Clock, Patience
from auditor.delivery.replies import Blocked, Refused, Taken
from auditor.findings import Report
from auditor.history import Ledger
from auditor.languages import Language
from auditor.reporters.summary import summarize

#: A robot that allows twenty messages a minute must not see more attempts, however lucky the dice are.
ATTEMPTS = 8
#: A nightly run does not start at the same second: a heartbeat of seven days is due a little before they are over.
_SLACK_DAYS = 0.25

#: Exit codes that are trouble, and the word for it.
_TROUBLE = {4: "coverage", 6: "output", 5: "failed", 1: "failed"}


@dataclass(frozen=True, slots=True)
class Told:
    """What became of one channel: whether it was told something, and what went wrong (empty: nothing)."""

    name: str
    sent: bool
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """A run that broke off: its id, when it began (RFC 3339), its exit code, what happened, and sentences about it."""

    run: str
    at: str
    code: int
    what: str
    details: tuple[str, ...] = ()


def tell_run(
    folder: Path,
    channels: Sequence[Opened],
    report: Report,
    ledger: Ledger | None,
    rule_ids: Sequence[str],
    *,
    warn: Callable[[str], None],
    timeout: float = TIMEOUT,
    clock: Clock | None = None,
) -> list[Told]:
    """Tells every channel about a judged run that is not in the ledger yet, if there is something to tell.

    `folder` is the state directory, whose lock the caller holds.  There is something to tell if failures at or above
    the severity of the channel are new or fixed, if the run ended with 4, 5 or 6 (beside others too), if the channel
    missed something, if it wants to hear of every run, or if its heartbeat is due.
    """
    clock = clock or Clock()
    summary = summarize(report)

    def one(opened: Opened, memory: Memory) -> tuple[Message | None, Memory]:
        habits = opened.habits
        changed = changes(
            report, summary, ledger, rule_ids, habits.severity, new_too=memory.new, fixed_too=memory.fixed
        )
        why = _why(opened, memory, changed, report, clock.now())
        if not why:
            return None, memory
        message = run_message(
            opened.name,
            report,
            summary,
            changed,
            why,
            severity=habits.severity,
            link=habits.link,
            missed=memory.missed,
            language=Language(habits.lang),
        )
        codes = [code for code in (report.exit_code, *report.exit_also) if code in _TROUBLE]
        bad = (f"{report.scan.started_at}: the run ended with exit {codes[0]}",) if codes else ()
        ids = tuple(item.id for item in changed.new)
        return message, Memory(memory.told_at, ids, changed.fixed, (*memory.missed, *bad))

    return _tell(folder, channels, one, warn, timeout, clock)


def tell_failure(
    folder: Path,
    channels: Sequence[Opened],
    failure: Failure,
    *,
    warn: Callable[[str], None],
    timeout: float = TIMEOUT,
    clock: Clock | None = None,
) -> list[Told]:
    """Tells every channel about a run that broke off; what changed is told by the next one that does not."""

    def one(opened: Opened, memory: Memory) -> tuple[Message | None, Memory]:
        message = failure_message(
            opened.name,
            failure.run,
            failure.at,
            failure.code,
            failure.what,
            failure.details,
            link=opened.habits.link,
            missed=memory.missed,
            language=Language(opened.habits.lang),
        )
        missed = (*memory.missed, f"{failure.at}: {failure.what} (exit {failure.code})")
        return message, Memory(memory.told_at, memory.new, memory.fixed, missed)

    return _tell(folder, channels, one, warn, timeout, clock or Clock(), keep_changes=True)


def tell_trial(channels: Sequence[Opened], *, timeout: float = TIMEOUT, clock: Clock | None = None) -> list[Told]:
    """Sends a test message everywhere; nothing is remembered of it."""
    clock = clock or Clock()
    at = clock.now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    told = []
    for opened in channels:
        message = trial_message(opened.name, at, opened.habits.link, Language(opened.habits.lang))
        trouble = _insisted(opened, message, Patience(timeout, clock))
        told.append(Told(opened.name, not trouble, trouble))
    return told


def _why(opened: Opened, memory: Memory, changed: Changes, report: Report, now: datetime) -> list[str]:
    why = ["new"] if changed.new else []
    why += ["fixed"] if changed.fixed else []
    for code in (report.exit_code, *report.exit_also):
        if (word := _TROUBLE.get(code)) and word not in why:
            why.append(word)
    why += ["missed"] if memory.missed else []
    days = opened.habits.heartbeat_days
    if not why and days and memory.days_since(now) >= days - _SLACK_DAYS:
        why = ["heartbeat"]
    if not why and opened.habits.when is When.ALWAYS:
        why = ["always"]
    return why


def _tell(
    folder: Path,
    channels: Sequence[Opened],
    one: Callable[[Opened, Memory], tuple[Message | None, Memory]],
    warn: Callable[[str], None],
    timeout: float,
    clock: Clock,
    *,
    keep_changes: bool = False,
) -> list[Told]:
    told = []
    for opened in channels:
        path = memories.path_of(folder, opened.name)
        memory = memories.load(path)
        if memory is None:
            warn(f"{path} cannot be understood; what the channel {opened.name} was not told before is lost")
            memory = Memory()
        message, untold = one(opened, memory)
        if message is None:
            told.append(Told(opened.name, sent=False))
            continue
        trouble = _insisted(opened, message, Patience(timeout, clock))
        if trouble:
            after = untold
        else:
            now = clock.now().astimezone(UTC).isoformat(timespec="seconds")
            after = Memory(now, memory.new, memory.fixed) if keep_changes else Memory(now)
        try:
            memories.save(path, after)
        except OSError as error:
            trouble = trouble or f"what it was told cannot be noted: {error.strerror or type(error).__name__}"
        told.append(Told(opened.name, not trouble, trouble))
    return told


def _insisted(opened: Opened, message: Message, patience: Patience) -> str:
    """Sends until the message is accepted or refused; returns why it was not, in words without an address."""
    for attempt in range(1, ATTEMPTS + 1):
        reply = opened.channel.send(message, patience.left)
        match reply:
            case Blocked(why):
                return why
            case Refused():
                return reply.why
            case Taken():
                if not reply.again:
                    return ""
                if attempt == ATTEMPTS or not patience.wait(reply.after):
                    return reply.why
    return ""
