"""How a run that broke off ends: one sentence on standard error, and the exit code of section 2 of the interface."""

from __future__ import annotations

import errno
import os
import traceback

import click

from auditor.cli.terminal import Terminal
from auditor.errors import PlauditError

_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO}


def code_for(error: BaseException, terminal: Terminal) -> int:
    """Says what happened and returns the exit code; a traceback only with -v."""
    if isinstance(error, click.exceptions.Exit):
        return terminal.finish(error.exit_code)
    if isinstance(error, SystemExit):
        if error.code == 1 and not any(name.endswith("_COMPLETE") for name in os.environ):
            return _unread(terminal)  # how click reports a closed pipe
        return error.code if isinstance(error.code, int) else 1
    if isinstance(error, (KeyboardInterrupt, click.exceptions.Abort)):
        terminal.error("plaudit: interrupted")
        return 130
    if isinstance(error, click.UsageError):
        _usage(error, terminal)
        return error.exit_code
    if isinstance(error, click.ClickException):
        terminal.error(f"plaudit: {error.format_message()}")
        return error.exit_code
    if isinstance(error, PlauditError):
        terminal.error(f"plaudit: {error}")
        _trace(error, terminal)
        return error.exit_code
    if isinstance(error, BrokenPipeError):
        return _unread(terminal)
    if isinstance(error, OSError) and error.errno in _DISK:
        terminal.error(f"plaudit: {error.strerror}: {error.filename or 'a file'}; make room and run again")
        _trace(error, terminal)
        return 1
    from auditor.collect.redaction import redact

    terminal.error(
        f"plaudit: a bug in plaudit: {type(error).__name__}: {redact(error)}; "
        + ("please report it with the lines below" if terminal.verbosity else "run again with -v to see where")
    )
    _trace(error, terminal)
    return 1


def _unread(terminal: Terminal) -> int:
    """Nobody reads any more.  For help and versions that is fine; a command that broke off has not done its work."""
    terminal.hang_up()
    return 1 if terminal.configured else 0


def _usage(error: click.UsageError, terminal: Terminal) -> None:
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        terminal.error(error.format_message())
        return
    if error.ctx is not None:
        terminal.error(error.ctx.get_usage())
        terminal.error(f"Try '{error.ctx.command_path} --help' for help.\n")
    terminal.error(f"Error: {error.format_message()}")


def _trace(error: BaseException, terminal: Terminal) -> None:
    if not terminal.verbosity:
        return
    from auditor.collect.redaction import redact

    for line in traceback.format_exception(error):
        for part in line.rstrip("\n").split("\n"):
            indent = len(part) - len(part.lstrip())
            terminal.error(" " * indent + redact(part))
