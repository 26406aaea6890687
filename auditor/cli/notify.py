"""`plaudit notify`: a test message to every channel, so that nobody finds out at night."""

from __future__ import annotations

import click

from auditor.cli.notifying import Notifier
from auditor.cli.options import Seconds, option, talk_options
from auditor.cli.terminal import Terminal


@click.command()
@click.argument("channels", nargs=-1, required=True, metavar="FILE|KIND...")
@option(
    "--deliver-timeout",
    type=Seconds(),
    default=60.0,
    show_default=True,
    metavar="S",
    help="How long a channel is tried.",
)
@talk_options
@click.pass_context
def notify(ctx: click.Context, *, channels: tuple[str, ...], deliver_timeout: float) -> int:
    """Send a test message to channels of `scan --notify`.

    \b
    plaudit notify notify.yaml
    plaudit notify slack                the address is in PLAUDIT_SLACK_URL

    Exit codes: 0 every channel took it; 6 one did not; 2 wrong usage.
    """  # fmt: skip
    terminal = ctx.ensure_object(Terminal)
    notifier = Notifier.opened(channels, deliver_timeout, terminal)
    troubles = notifier.tried(terminal)
    notifier.close()
    for line in troubles:
        terminal.error(line)
    return 6 if troubles else 0
