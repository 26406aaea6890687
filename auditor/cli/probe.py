"""`plaudit probe`: from a client host, resolve the names of endpoints, connect to their addresses; and plans of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from auditor.cli.options import PathText, Seconds, option, spec_option, talk_options, words
from auditor.cli.probe_order import Order, plan_for, targets_for, verdicts_for
from auditor.cli.terminal import Terminal
from auditor.errors import DeliveryError, Interrupted, UsageError
from auditor.spec import Spec

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from auditor.languages import Language
    from auditor.probe.result import ProbeResult


class _Endpoints(click.Argument):
    """Named in the usage line of `probe` itself, so that it does not stand in that of `probe plan`."""

    def get_usage_pieces(self, ctx: click.Context) -> list[str]:
        return []


class _Probe(click.Group):
    """`probe plan` is a command of its own; everything else is what to probe."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        if args and args[0] in self.commands:
            name = args[0]
            return self.commands[name].make_context(f"{info_name} {name}", args[1:], parent, **extra)
        return super().make_context(info_name, args, parent, **extra)

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_usage(ctx.command_path, "[OPTIONS] [ENDPOINT]...")
        formatter.write_usage(ctx.command_path, "plan [OPTIONS]", prefix="       ")

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.get_short_help_str(80)) for name, command in self.commands.items()])


def _integers(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> tuple[int, ...]:
    found = words(ctx, param, values)
    if not all(word.isdecimal() for word in found):
        raise click.BadParameter("write numbers, as in 200,204", ctx, param)
    return tuple(map(int, found))


def _hex(ctx: click.Context, param: click.Parameter, value: str | None) -> bytes | None:
    try:
        return None if value is None else bytes.fromhex(value)
    except ValueError:
        raise click.BadParameter("write bytes as hexadecimal digits, as in 68656c6c6f", ctx, param) from None


_from_option = option(
    "--from",
    "snapshots",
    multiple=True,
    type=PathText(),
    metavar="SNAPSHOT",
    help="Take endpoints, ports and verdicts from this snapshot; several are merged.",
)


@click.group(
    cls=_Probe,
    invoke_without_command=True,
    subcommand_metavar="",
    context_settings={"allow_interspersed_args": True},
)
@click.argument("endpoints", cls=_Endpoints, nargs=-1, metavar="[ENDPOINT]...")
@spec_option
@_from_option
@click.option("--report", type=PathText(), metavar="FILE", help="Take them from a JSON report of `plaudit scan`.")
@click.option(
    "--targets",
    "targets_file",
    type=PathText(),
    metavar="FILE",
    help="Take them from what `plaudit probe plan --format json` prints; - is standard input.",
)
@click.option("--endpoint-domain", "domains", multiple=True, metavar="DOMAIN", help="By hand: domain of the endpoint.")
@click.option(
    "--zone-domain", "zone_domains", multiple=True, metavar="[ZONE=]DOMAIN", help="By hand: domain of a zone."
)
@click.option(
    "--address",
    "addresses",
    multiple=True,
    metavar="[ZONE=]ADDRESS",
    help="By hand: address of an endpoint ENI, IPv4 or IPv6.",
)
@click.option(
    "--port",
    "ports",
    multiple=True,
    metavar="[LAYER/]PORT",
    help="443, tcp/80, udp/53, tls/443 (handshake), http/80, https/443 (request). Overrides known ports.",
)
@click.option(
    "--resolver",
    "resolvers",
    multiple=True,
    metavar="IP[:PORT]",
    help="Ask this name server and nobody else; default: those of the host, and the host itself.",
)
@click.option("--allow-foreign", is_flag=True, help="Contact addresses too that a name resolves to and nobody named.")
@click.option("--vantage", metavar="INSTANCE", help="Instance id of this host, for the result.")
@click.option("--host", metavar="NAME", help="Name of this host, for the result; default: its host name.")
@click.option("--server-name", metavar="NAME", help="Name to ask for with TLS and HTTP; default: the endpoint domain.")
@click.option("--ca-file", type=PathText(), metavar="FILE", help="Trust these certificates (PEM), not the system's.")
@click.option("--http-path", default="/", show_default=True, metavar="PATH", help="What to ask for on http and https.")
@click.option("--http-host", metavar="NAME", help="Host header; default: the server name.")
@click.option(
    "--http-method",
    type=click.Choice(["GET", "HEAD"]),
    default="GET",
    show_default=True,
    help="Method of the request.",
)
@click.option(
    "--expect-status",
    "expected",
    multiple=True,
    callback=_integers,
    metavar="N[,N]",
    help="Statuses that are as expected; default: all below 500. Redirects are not followed.",
)
@click.option(
    "--udp-payload",
    callback=_hex,
    metavar="HEX",
    help="Datagram that the service answers; default: a DNS question on port 53, else an empty one.",
)
@click.option(
    "--tries",
    type=click.IntRange(1, 100),
    default=3,
    show_default=True,
    metavar="N",
    help="Tries per address and port.",
)
@click.option(
    "--interval",
    type=Seconds(),
    default=0.2,
    show_default=True,
    metavar="S",
    help="Mean pause between tries; each is half to one and a half of it.",
)
@option("--timeout", type=Seconds(), default=3.0, show_default=True, metavar="S", help="Bound on each step of a try.")
@option("--deadline", type=Seconds(), default=300.0, show_default=True, metavar="S", help="Bound on the whole probe.")
@option(
    "--concurrency",
    type=click.IntRange(1, 256),
    default=16,
    show_default=True,
    metavar="N",
    help="Addresses and names in hand at once.",
)
@click.option("-o", "--output", "target", type=PathText(), metavar="FILE", help="Write the result for `scan --probe`.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="What to print; json is the result, as with -o.",
)
@talk_options
@click.pass_context
def probe(ctx: click.Context, /, **given: Any) -> int:
    """From a client host: resolve the names of endpoints, connect to their addresses, compare with the verdict.

    \b
    plaudit probe --from both.snapshot -o probe.json
    plaudit probe ep-gw8example --report report.json --port https/443
    plaudit probe --endpoint-domain DOMAIN --address 10.10.1.10 --port 80
    plaudit scan --from both.snapshot --probe probe.json

    No credentials are needed.  Nothing is contacted but the name servers of the host (or --resolver) and the addresses
    of the endpoints; no redirect is followed and no proxy used.

    Exit codes: 0 everything got through and every name leads to the endpoint; 3 something does not; 4 something is
    undecided, or there was nothing to probe; 2 wrong usage; 6 the result could not be written; 130, 143 interrupted,
    what was seen until then is in -o FILE.
    """  # fmt: skip
    return _run(ctx, Order(**given))


def _run(ctx: click.Context, given: Order) -> int:
    from auditor.cli import output
    from auditor.cli.probe_table import table
    from auditor.cli.progress import counted
    from auditor.probe.judgement import judge_result
    from auditor.probe.result_file import result_document
    from auditor.probe.run import ProbeInterrupted, run_probe

    terminal = ctx.ensure_object(Terminal)
    language = terminal.language
    snapshot, targets, verdicts = targets_for(given, terminal)
    plan = plan_for(given)
    # The place is opened before anything is contacted.
    with output.opened([("the result", given.target)] if given.target is not None else []) as outputs:

        def keep(result: ProbeResult) -> None:
            for document in outputs.documents:
                if document.sink is None:
                    continue
                try:
                    document.sink.write(result_document(result))
                except OSError as error:
                    raise DeliveryError(f"{document.path}: cannot be written: {error.strerror}") from None
                terminal.say(language.text("result written to {path}", path=document.path))

        try:
            with counted(terminal, language.text("look-ups and connections")) as done:
                result = run_probe(targets, plan, done=done)
        except ProbeInterrupted as interruption:
            keep(interruption.result)
            cause = interruption.__cause__
            raise cause if isinstance(cause, Interrupted) else KeyboardInterrupt from None
        keep(result)
    judgement = judge_result(result, targets, language)
    if given.form == "json":
        terminal.write(result_document(result))
    else:
        if snapshot is not None:
            verdicts = verdicts_for(snapshot, result, given.spec, language)
        terminal.write(table(result, targets, verdicts, terminal))
    if judgement.wrong:
        terminal.error(language.text("exit {n}: {said}", n=3, said=_some(judgement.wrong, language)))
    elif judgement.undecided:
        terminal.error(language.text("exit {n}: {said}", n=4, said=_some(judgement.undecided, language)))
    return judgement.code


def _some(sentences: Sequence[str], language: Language) -> str:
    parts = list(sentences[:3])
    if len(sentences) > 3:
        parts.append(language.text("and {n} more", n=len(sentences) - 3))
    return language.sentences(parts)


@probe.command("plan")
@spec_option
@_from_option
@click.option(
    "--per-zone",
    type=click.IntRange(1, 100),
    default=1,
    show_default=True,
    metavar="N",
    help="Hosts in each zone that has clients.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "cloud-assistant", "ansible"]),
    default="table",
    show_default=True,
    help="json: a file for --targets; the others: scripts to read and run.",
)
@talk_options
@click.pass_context
def plan(ctx: click.Context, *, spec: Spec, snapshots: tuple[Path, ...], per_zone: int, form: str) -> int:
    """Which hosts should probe what, and a script that runs it there.

    \b
    plaudit probe plan --from both.snapshot
    plaudit probe plan --from both.snapshot --format cloud-assistant
    plaudit probe plan --from both.snapshot --format ansible

    Hosts are the instances of the inventory that are clients of an endpoint.  Scripts are printed and never run; they
    install nothing and need plaudit on the hosts.

    Exit codes: 0 every endpoint has a host; 4 one has none, or there is no endpoint; 2 wrong usage.
    """  # fmt: skip
    from auditor.cli.gathering import load_snapshots
    from auditor.cli.probe_table import plan_table
    from auditor.probe import plan as plans

    terminal = ctx.ensure_object(Terminal)
    if not snapshots:
        raise UsageError("give --from SNAPSHOT")
    snapshot, _ = load_snapshots(snapshots, terminal)
    made = plans.make_plan(snapshot, spec, per_zone=per_zone)
    texts = {"json": plans.plan_document, "cloud-assistant": plans.cloud_assistant, "ansible": plans.ansible}
    terminal.write(texts[form](made) if form in texts else plan_table(made, terminal.language))
    lacking = [assignment for assignment in made if not assignment.hosts]
    for assignment in lacking:
        terminal.warn(assignment.reason or "")
    if lacking or not made:
        language = terminal.language
        what = (
            language.plural("{n} endpoint has no host", "{n} endpoints have no host", len(lacking))
            if made
            else language.text("there is no interface endpoint")
        )
        terminal.error(language.text("exit {n}: {said}", n=4, said=what))
        return 4
    return 0
