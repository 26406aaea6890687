"""Dated reports around a scan: their names before it, the old ones after it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from auditor.cli.output import FileSink, Outputs
from auditor.cli.report_names import Moment, Names
from auditor.cli.retention import Keep, retain
from auditor.cli.terminal import Terminal
from auditor.errors import UsageError


def names_of(formats: Sequence[tuple[str, Path | None]], save: Path | None, *, judged_before: bool) -> Names:
    """The names of this run.  Raises UsageError for those that have no meaning.

    `judged_before`: saved snapshots are judged, so that there is no scan of this run to name a file after.
    """
    paths = [path for _, path in formats if path is not None] + ([save] if save is not None else [])
    if judged_before and any("{scan_id}" in path.name for path in paths):
        raise UsageError("{scan_id} names the scan of this run, and --from makes none; write {date} or {time}")
    return Names(formats, save, Moment(datetime.now(UTC), str(uuid.uuid4())))


def retained(names: Names, outputs: Outputs, keep: str | None, folder: Path | None, terminal: Terminal) -> None:
    """Writes down what was written, and deletes what is too much."""
    sinks = [output.sink for output in outputs.documents] + [outputs.save]
    written = {sink.path for sink in sinks if isinstance(sink, FileSink) and sink.written}
    deleted = retain(
        [name for name in names.dated if name.path in written],
        Keep.of(keep) if keep is not None else None,
        folder,
        names.moment.at,
        terminal.warn,
    )
    for path in deleted:
        terminal.say(f"{path}: older than what --keep-reports keeps, deleted")
