"""Notifications as the commands need them: channels opened before anything is read, and a word about every ending."""

from __future__ import annotations

import signal
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from auditor.cli.delivering import needed
from auditor.cli.options import option
from auditor.cli.terminal import Terminal
from auditor.errors import Interrupted, NothingReadError, PlauditError, UsageError
from auditor.findings import Report

if TYPE_CHECKING:
    from auditor.delivery.notify.channels import Opened
    from auditor.delivery.notify.telling import Told
    from auditor.history import Ledger

F = TypeVar("F", bound=Callable[..., Any])

#: How long a channel is tried after somebody has interrupted the run, in seconds.
_HURRY = 5.0


def notify_option(function: F) -> F:
    """The repeatable option that names channels."""
    return option(
        "--notify", "channels", multiple=True, metavar="FILE|KIND",
        help="Tell people when something changed or went wrong: a file of channels (docs/notifications.md), or "
        "dingtalk, feishu, slack, webhook.",
    )(function)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Notifier:
    """Channels, ready to be told something."""

    channels: tuple[Opened, ...] = ()
    timeout: float = 60.0

    @classmethod
    def opened(cls, words: Sequence[str], timeout: float, terminal: Terminal, *, no_history: bool = False) -> Notifier:
        """The channels of the option: every address, secret and file is looked at.  Raises UsageError and FileError."""
        if not words:
            return cls()
        if no_history:
            raise UsageError("--notify tells what changed since the last scan; leave out --no-history")
        from auditor.delivery.notify import channels, settings

        chosen = settings.chosen(words, terminal.warn, terminal.language.code)
        return cls(tuple(channels.opened(one) for one in chosen), timeout)

    def told(
        self, folder: Path | None, report: Report, ledger: Ledger | None, rule_ids: Sequence[str], terminal: Terminal
    ) -> list[str]:
        """Tells about a judged run that is not in the ledger yet; returns what went wrong, one text per channel."""
        if not self.channels or folder is None:
            return []
        from auditor.delivery.notify.telling import tell_run

        return _troubles(
            tell_run(folder, self.channels, report, ledger, rule_ids, warn=terminal.warn, timeout=self.timeout),
            terminal,
        )

    def tried(self, terminal: Terminal) -> list[str]:
        """Sends a test message everywhere; returns what went wrong, one text per channel."""
        from auditor.delivery.notify.telling import tell_trial

        return _troubles(tell_trial(self.channels, timeout=self.timeout), terminal)

    @contextmanager
    def failure_told(self, folder: Path | None, terminal: Terminal) -> Iterator[None]:
        """Around a scan: people hear of a run that broke off.

        Raises UsageError, before anything is read, if there is no state directory to remember in.
        """
        if not self.channels:
            yield
            return
        needed(folder)
        started = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        try:
            yield
        except (Exception, KeyboardInterrupt) as error:
            assert folder is not None  # noqa: S101 - `needed` has seen to it
            self._tell_failure(folder, started, error, terminal)
            raise

    def _tell_failure(self, folder: Path, started: str, error: BaseException, terminal: Terminal) -> None:
        from auditor.delivery.notify.telling import Failure, tell_failure

        code, what, details = _ending(error)
        failure = Failure(str(uuid.uuid4()), started, code, what, details)
        timeout = min(self.timeout, _HURRY) if code > 128 else self.timeout
        told = tell_failure(folder, self.channels, failure, warn=terminal.warn, timeout=timeout)
        for line in _troubles(told, terminal):
            terminal.error(line)

    def close(self) -> None:
        """Gives connections back."""
        for opened in self.channels:
            opened.channel.close()


def _ending(error: BaseException) -> tuple[int, str, tuple[str, ...]]:
    """Exit code, what happened, and sentences about it; of a bug only its kind, for its text may hold anything."""
    if isinstance(error, KeyboardInterrupt):
        return 128 + signal.SIGINT, "the run was interrupted", ()
    if isinstance(error, Interrupted):
        return error.exit_code, f"the run was {error}", ()
    if isinstance(error, NothingReadError):
        return error.exit_code, "nothing could be read", tuple(line.strip() for line in str(error).split("\n")[1:])
    if isinstance(error, PlauditError):
        return error.exit_code, "the run failed", (str(error),)
    return 1, "the run failed", (type(error).__name__,)


def _troubles(told: Sequence[Told], terminal: Terminal) -> list[str]:
    for one in told:
        if one.sent:
            terminal.say(f"{one.name} was notified")
    return [f"notification to {one.name}: {one.trouble}" for one in told if one.trouble]
