"""What a run says: results on standard output, everything else on standard error, nothing a tenant wrote in action."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from typing import Any, Protocol

from auditor.errors import DeliveryError
from auditor.languages import ENGLISH


class Live(Protocol):
    """A progress display that has to make room for a line."""

    def say(self, line: str) -> None: ...


class Terminal:
    """Verbosity, colour and the two streams of one run.

    `quiet` keeps standard error empty unless something is wrong; `verbosity` counts the -v.
    """

    def __init__(self) -> None:
        self.quiet = False
        self.verbosity = 0
        self.progress = True
        self.color = "auto"
        self.live: Live | None = None
        self.configured = False
        self.language = ENGLISH
        self._held: list[str] = []

    # ----------------------------------------------------------------------------------------------- standard error

    def say(self, text: str) -> None:
        """One message on standard error, left out with -q."""
        if not self.quiet:
            self._error_line(self.language.said(text))

    def warn(self, text: str) -> None:
        """One message on standard error, with -q too."""
        self._error_line(self.language.text("warning: {text}", text=self.language.said(text)))

    def notice(self, text: str) -> None:
        """Something to know that takes nothing away from the result.  With -q only a run that ends badly says it.

        cron sends a mail for every line, and a mail that comes each night about nothing is not read when it matters.
        """
        self.aside(self.language.text("warning: {text}", text=self.language.said(text)))

    def aside(self, line: str) -> None:
        """One line of that kind, as it is."""
        if self.quiet:
            self._held.append(line)
        else:
            self.log(line)

    def release(self, code: int) -> None:
        """The end of a run: what was held back is said if the exit code is not 0."""
        held, self._held = self._held, []
        if code:
            for line in held:
                self.log(line)

    def error(self, text: str) -> None:
        """One message on standard error, whatever the options say."""
        self._error_line(self.language.said(text))

    def log(self, text: str) -> None:
        """One line of the log on standard error, as it is."""
        self._error_line(text)

    def _error_line(self, text: str) -> None:
        line = safe_lines(text)
        if self.live is not None:
            self.live.say(line)
            return
        # A closed standard error must not change what the run decides; without one it is None.
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream = sys.stderr
            encoding = getattr(stream, "encoding", None) or "utf-8"
            stream.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")
            stream.flush()

    @property
    def shows_progress(self) -> bool:
        """Progress only where somebody watches."""
        return (
            self.progress
            and not self.quiet
            and not os.environ.get("CI")
            and os.environ.get("TERM") != "dumb"
            and _is_terminal(sys.stderr)
        )

    # ---------------------------------------------------------------------------------------------- standard output

    @property
    def columns(self) -> int:
        """Width for tables: that of the terminal, 100 where there is none, or what COLUMNS says."""
        import shutil

        return shutil.get_terminal_size((100, 24)).columns

    @property
    def paints(self) -> bool:
        """Whether standard output gets colours: --color, then NO_COLOR, then whether it is a terminal."""
        if self.color != "auto":
            return self.color == "always"
        if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
            return False
        return _is_terminal(sys.stdout)

    @property
    def links(self) -> bool:
        """Whether words on standard output may be links: on a terminal that gets colours, never in a pipe."""
        return self.paints and _is_terminal(sys.stdout)

    def write(self, data: str | bytes) -> None:
        """Results on standard output, UTF-8 whatever the locale.

        Raises DeliveryError, but not for a closed pipe: whoever reads has seen enough.
        """
        content = data.encode("utf-8", "backslashreplace") if isinstance(data, str) else data
        try:
            sys.stdout.flush()
            buffer = getattr(sys.stdout, "buffer", None)
            if buffer is None:
                sys.stdout.write(content.decode("utf-8", "replace"))
            else:
                buffer.write(content)
            sys.stdout.flush()
        except BrokenPipeError:
            self.hang_up()
        except OSError as error:
            self.hang_up()
            raise DeliveryError(f"standard output: {error.strerror or type(error).__name__}") from None
        except (AttributeError, ValueError):  # closed before we began
            raise DeliveryError("standard output is closed") from None

    def hang_up(self) -> None:
        """Nobody reads standard output any more: the flush at the end of the process must not fail on it."""
        with contextlib.suppress(OSError, ValueError, AttributeError):
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, sys.stdout.fileno())
            os.close(null)

    def finish(self, code: int) -> int:
        """Flushes what click wrote itself (help, versions), where a closed pipe is nobody's error either."""
        try:
            sys.stdout.flush()
        except BrokenPipeError:
            self.hang_up()
        except (OSError, ValueError, AttributeError):
            return code or 1
        return code

    # ---------------------------------------------------------------------------------------------------------- logs

    def configure(self) -> None:
        """Sends the log of plaudit to standard error, as much of it as -q and -v ask for.

        Called by the options of a command, so not for help and versions: these end before.
        """
        self.configured = True
        logger = logging.getLogger("auditor")
        logger.handlers = [_Handler(self)]
        logger.propagate = False
        levels = {0: logging.WARNING, 1: logging.INFO}
        logger.setLevel(levels.get(self.verbosity, logging.DEBUG))


class _Handler(logging.Handler):
    def __init__(self, terminal: Terminal) -> None:
        super().__init__()
        self.terminal = terminal

    def emit(self, record: logging.LogRecord) -> None:
        from auditor.collect.redaction import redact

        line = f"{record.levelname.lower()}: {redact(record.getMessage())}"
        if record.levelno == logging.WARNING:
            self.terminal.aside(line)
        else:
            self.terminal.log(line)


def safe_lines(text: str) -> str:
    """Text whose line breaks count and whose other invisible characters are shown instead of obeyed."""
    if text.isascii() and text.replace("\n", "").isprintable():
        return text
    from auditor.reporters.text import inert_lines

    return inert_lines(text)


def _is_terminal(stream: Any) -> bool:
    try:
        return bool(stream.isatty())
    except (AttributeError, ValueError):
        return False
