"""`plaudit paths`: the way from the clients of an endpoint to the backends, hop by hop."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from auditor.cli.options import PathText, cloud_options, given_by_hand, option, probe_options, spec_option, talk_options
from auditor.cli.terminal import Terminal
from auditor.errors import DeliveryError, NothingReadError, UsageError
from auditor.spec import Spec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.findings import PathVerdict
    from auditor.inventory.snapshot import Snapshot

_CLOUD = ("profiles", "config_path", "regions", "endpoint_url", "deadline")


@click.command()
@click.argument("endpoints", nargs=-1, metavar="[ENDPOINT]...")
@spec_option
@cloud_options
@option(
    "--from",
    "snapshots",
    multiple=True,
    type=PathText(),
    metavar="SNAPSHOT",
    help="Follow the paths of this saved snapshot instead of the cloud's; several are merged.",
)
@probe_options
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="How to print the paths.",
)
@click.option("--output", "target", type=click.Path(path_type=Path), metavar="FILE", help="Default: standard output.")
@talk_options
@click.pass_context
def paths(
    ctx: click.Context,
    *,
    endpoints: tuple[str, ...],
    spec: Spec,
    profiles: tuple[str, ...],
    config_path: Path | None,
    regions: tuple[str, ...],
    endpoint_url: str | None,
    concurrency: int,
    timeout: float,
    deadline: float | None,
    snapshots: tuple[Path, ...],
    probes: tuple[Path, ...],
    probe_max_age: float,
    form: str,
    target: Path | None,
) -> int:
    """End-to-end verdict per endpoint, zone and port; every broken hop with its rule and owner.

    \b
    plaudit paths --profiles provider,consumer
    plaudit paths ep-gw8example --from both.snapshot
    plaudit paths --format json --output paths.json

    Exit codes: 0 every path is reachable; 3 one is blocked; 4 none is blocked and one is unknown, or there is no path;
    5 nothing could be read; 6 the output could not be written; 2 wrong usage.
    """  # fmt: skip
    from auditor.cli import gathering, output, reporting
    from auditor.cli.judging import judged, selected_rules
    from auditor.facts.paths import PATH_TABLES

    terminal = ctx.ensure_object(Terminal)
    beside = [name for name in _CLOUD if given_by_hand(ctx, name)] if snapshots else []
    if beside:
        raise UsageError(
            f"--from reads saved snapshots; leave out --{beside[0].replace('_', '-')}, or leave out --from"
        )
    cloud = gathering.Cloud(profiles, config_path, regions, endpoint_url, concurrency, timeout, deadline)
    seen = gathering.read_probes(probes)
    with output.opened([(form, target)]) as outputs:
        snapshot: Snapshot
        if snapshots:
            snapshot, _ = gathering.load_snapshots(snapshots, terminal)
        else:
            snapshot = gathering.collect_snapshot(cloud, cloud.accounts(), terminal, tables=PATH_TABLES, spec=spec)
        reads = reporting.reads_of(snapshot.coverage)
        if not reporting.anything_read(reads):
            raise NothingReadError(reporting.nothing_read(reads))
        snapshot, _ = gathering.with_probes(snapshot, seen, probe_max_age, terminal)
        _, every = judged(snapshot, selected_rules(()), spec, one_sided=False)
        found = [path for path in every if not endpoints or path.endpoint_id in endpoints]
        (document,) = outputs.documents
        text = _text(found, form, terminal, every_hop=bool(endpoints), to_file=target is not None)
        if document.sink is None:
            terminal.write(text)
        else:
            try:
                document.sink.write(text)
            except OSError as error:
                raise DeliveryError(f"{target}: cannot be written: {error.strerror}") from None
            terminal.say(f"{form} written to {target}")
    return _code(found, endpoints, terminal)


def _text(found: Sequence[PathVerdict], form: str, terminal: Terminal, *, every_hop: bool, to_file: bool) -> str:
    if form == "json":
        from auditor.reporters.json import paths_array

        return paths_array(found)
    from auditor.reporters import paths as chains

    return chains.render(
        found,
        columns=80 if to_file else terminal.columns,
        color=terminal.paints and not to_file,
        signs=chains.UNICODE if to_file or _shows_signs() else chains.ASCII,
        every_hop=every_hop,
        lang=terminal.language.code,
    )


def _shows_signs() -> bool:
    """Whether standard output is known to show more than ASCII."""
    if os.environ.get("TERM") == "dumb":
        return False
    encoding = (getattr(sys.stdout, "encoding", None) or "").lower().replace("-", "")
    return encoding.startswith("utf")


def _code(found: Sequence[PathVerdict], endpoints: Sequence[str], terminal: Terminal) -> int:
    """3 before 4 before 0; an endpoint that was asked for and has no path is not judged."""
    known = {path.endpoint_id for path in found}
    missing = [endpoint for endpoint in dict.fromkeys(endpoints) if endpoint not in known]
    for endpoint in missing:
        terminal.error(f"{endpoint}: no interface endpoint of this name in what was read")
    blocked = sum(path.verdict == "blocked" for path in found)
    unknown = sum(path.verdict not in ("blocked", "reachable") for path in found)
    if blocked:
        terminal.error(f"exit 3: {blocked} of {len(found)} paths are blocked")
        return 3
    if missing or unknown or not found:
        what = f"{unknown} of {len(found)} paths are unknown" if unknown else "there is no path to judge"
        terminal.error(f"exit 4: {what}")
        return 4
    return 0
