"""`plaudit simulate`: serve a simulated cloud on loopback until interrupted."""

from __future__ import annotations

import shlex
import tempfile
import threading
from pathlib import Path

import click

from auditor.cli.completing import deferred
from auditor.cli.options import PathText, talk_options
from auditor.cli.terminal import Terminal
from auditor.errors import UsageError


@click.command()
@click.argument("scenario", default="tutorial", shell_complete=deferred("scenarios"))
@click.option("--port", type=click.IntRange(0, 65535), default=0, metavar="N", help="Port; default: a free one.")
@click.option(
    "--config-path",
    "config",
    type=PathText(),
    metavar="FILE",
    help="Where to write the profiles of the simulated accounts; default: a temporary file.",
)
@click.option("--latency", type=click.FloatRange(0, 60), default=0.0, metavar="S", help="Seconds every answer takes.")
@click.option("--enforce-limits", is_flag=True, help="Throttle as the documented rate limits do.")
@click.option("--list", "listing", is_flag=True, help="List the scenarios and end.")
@talk_options
@click.pass_context
def simulate(
    ctx: click.Context,
    *,
    scenario: str,
    port: int,
    config: Path | None,
    latency: float,
    enforce_limits: bool,
    listing: bool,
) -> int:
    """Serve the simulated cloud SCENARIO on 127.0.0.1 until Ctrl-C, for tests and rule authors.

    It prints the URL, the file with the profiles, and the command that scans it.  The keys in the file open nothing.
    """  # fmt: skip
    from auditor.simulator import Simulator
    from auditor.simulator.scenarios import SCENARIOS

    terminal = ctx.ensure_object(Terminal)
    if listing:
        terminal.write("".join(f"{name}\n" for name in SCENARIOS))
        return 0
    if scenario not in SCENARIOS:
        from auditor.yaml_reader import did_you_mean

        hint = did_you_mean(scenario, SCENARIOS) or f"; known are {', '.join(SCENARIOS)}"
        raise UsageError(f"there is no scenario {scenario!r}{hint}")
    with tempfile.TemporaryDirectory(prefix="plaudit-") as folder:
        path = config if config is not None else Path(folder) / "config.json"
        simulator = Simulator(SCENARIOS[scenario](), latency=latency, enforce_limits=enforce_limits, port=port)
        try:
            running = simulator.__enter__()
        except OSError as error:
            raise UsageError(f"port {port} cannot be used: {error.strerror}; leave --port out for a free one") from None
        try:
            names = running.write_config(path)
            command = ["plaudit", "scan", "--endpoint-url", running.url, "--config-path", str(path)]
            command += ["--profiles", ",".join(names)]
            terminal.write(f"url:     {running.url}\nconfig:  {path}\nscan:    {shlex.join(command)}\n")
            terminal.say("serving until Ctrl-C")
            threading.Event().wait()
        finally:
            simulator.__exit__(None, None, None)
    return 0
