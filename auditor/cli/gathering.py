"""Getting a snapshot: from the cloud, with progress and a partial result on interruption, or from saved files."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from auditor.cli.output import FileSink
from auditor.cli.progress import shown
from auditor.cli.terminal import Terminal
from auditor.errors import NothingReadError

if TYPE_CHECKING:
    from auditor.cli.redacting import Redactor
    from auditor.collect.accounts import Profile
    from auditor.inventory.snapshot import Snapshot
    from auditor.probe.result import ProbeResult
    from auditor.spec import Spec


@dataclass(frozen=True, slots=True)
class Cloud:
    """What the cloud options say."""

    profiles: Sequence[str] = ()
    config_path: Path | None = None
    regions: Sequence[str] = ()
    endpoint_url: str | None = None
    concurrency: int = 16
    timeout: float = 10.0
    deadline: float | None = None

    def accounts(self) -> list[Profile]:
        """The profiles, read and checked.  Raises UsageError or FileError."""
        from auditor.collect.accounts import load_profiles

        return load_profiles(self.config_path.expanduser() if self.config_path else None, self.profiles)


def collect_snapshot(
    cloud: Cloud,
    profiles: Sequence[Profile],
    terminal: Terminal,
    *,
    tables: Collection[str] | None,
    spec: Spec,
    save: FileSink | None = None,
    scan_id: str | None = None,
    redactor: Redactor | None = None,
) -> Snapshot:
    """Collects; `scan_id` is what the scan is called, a new UUID by default.

    On interruption what was read until then goes to `save`, through `redactor`, and the interruption goes on.

    Raises NothingReadError, UsageError, Interrupted.
    """
    from auditor.collect.crawl import CollectInterrupted, collect

    with shown(terminal) as progress:
        try:
            snapshot = collect(
                profiles,
                regions=list(cloud.regions) or None,
                endpoint_url=cloud.endpoint_url,
                tables=set(tables) if tables is not None else None,
                spec=spec,
                concurrency=cloud.concurrency,
                timeout=cloud.timeout,
                deadline=cloud.deadline,
                progress=progress,
            )
        except CollectInterrupted as interruption:
            if save is not None:
                partial = _identified(interruption.snapshot, scan_id)
                store(partial if redactor is None else redactor.snapshot(partial), save)
                terminal.error(f"what was read until then is in {save.path}")
            raise
        except NothingReadError:
            if redactor is None:
                raise
            from auditor.cli.redacting import nothing_read

            raise nothing_read() from None
    return _identified(snapshot, scan_id)


def _identified(snapshot: Snapshot, scan_id: str | None) -> Snapshot:
    return dataclasses.replace(snapshot, meta={**snapshot.meta, "scan_id": scan_id or str(uuid.uuid4())})


def store(snapshot: Snapshot, sink: FileSink) -> None:
    """Writes a snapshot into an opened file.  Raises OSError."""
    from auditor.inventory.archive import write_to

    try:
        write_to(snapshot, sink.replacement.file)
        sink.commit()
    except BaseException:
        sink.discard()
        raise


def keep(snapshot: Snapshot, save: FileSink | None, folder: Path | None, terminal: Terminal) -> list[str]:
    """Keeps a snapshot where --save says and as the last scan; returns what was asked for and could not be written."""
    from auditor.cli.state import LAST_SCAN
    from auditor.inventory.archive import write_snapshot

    undelivered = []
    if save is not None:
        try:
            store(snapshot, save)
            terminal.say(f"snapshot written to {save.path}")
        except OSError as error:
            undelivered.append(f"snapshot to {save.path} ({error.strerror or type(error).__name__})")
    if folder is not None:
        try:
            write_snapshot(snapshot, folder / LAST_SCAN)
        except OSError as error:
            terminal.warn(f"this scan is not kept for `plaudit query`: {folder}: {error.strerror}")
    return undelivered


def load_snapshots(paths: Sequence[Path], terminal: Terminal | None) -> tuple[Snapshot, tuple[str, ...]]:
    """Saved snapshots, merged, and what a user should know about the merging, said if a terminal is given.

    Raises FileError.
    """
    from auditor.inventory.archive import load_snapshot
    from auditor.inventory.merge import merge_snapshots

    merged = merge_snapshots([load_snapshot(path) for path in paths])
    if terminal is not None:
        for notice in merged.notices:
            terminal.notice(notice)
    return merged.snapshot, merged.notices


def read_probes(paths: Sequence[Path]) -> list[ProbeResult]:
    """Results of probes, read before anything is collected.  Raises FileError."""
    if not paths:
        return []
    from auditor.probe.result_file import read_result

    return [read_result(path) for path in paths]


def with_probes(
    snapshot: Snapshot, results: Sequence[ProbeResult], max_age: float, terminal: Terminal | None
) -> tuple[Snapshot, tuple[str, ...]]:
    """The snapshot with the evidence of probes, and what a user should know about it, said if a terminal is given."""
    if not results:
        return snapshot, ()
    from auditor.probe.evidence import add_probes

    evidence = add_probes(snapshot, results, max_age=max_age)
    if terminal is not None:
        for notice in evidence.notices:
            terminal.warn(notice)
    return evidence.snapshot, evidence.notices
