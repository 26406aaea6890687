"""`--redact`: the snapshot, what was declared, waivers and baseline in pseudonyms, before anything is judged."""

from __future__ import annotations

import dataclasses
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from auditor.cli.acceptance import Acceptance
from auditor.cli.exit import Gate
from auditor.cli.terminal import Terminal
from auditor.errors import FileError, NothingReadError, UsageError
from auditor.findings import Finding, Report, Waiver, finding_id

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from auditor.inventory.pseudonyms import Pseudonyms
    from auditor.inventory.snapshot import Snapshot
    from auditor.spec import Spec

#: Bytes of a key: fewer could be guessed, and a file of another kind is no key.
SHORTEST, LONGEST = 16, 4096

NOTHING_READ = "nothing could be read; why is withheld by --redact: run the same without it to see"


class Redactor:
    """What --redact does in one run.  The key is in no message and in no output."""

    def __init__(self, pseudonyms: Pseudonyms) -> None:
        self.pseudonyms = pseudonyms

    @classmethod
    def opened(cls, given: str | None, terminal: Terminal) -> Redactor | None:
        """None without the option; `given` is the key file, empty for a key of this run.  Raises FileError."""
        if given is None:
            return None
        if terminal.verbosity:
            raise UsageError("--redact and --verbose: the log names what --redact hides; leave one of them out")
        from auditor.inventory.pseudonyms import Pseudonyms

        terminal.progress = False  # it names accounts
        return cls(Pseudonyms(_key(Path(given)) if given else secrets.token_bytes(32)))

    def snapshot(self, snapshot: Snapshot) -> Snapshot:
        """The snapshot in pseudonyms."""
        from auditor.inventory.redacted import redacted_snapshot

        return redacted_snapshot(snapshot, self.pseudonyms)

    def spec(self, spec: Spec) -> Spec:
        """The specification in pseudonyms."""
        from auditor.inventory.redacted import redacted_spec

        return redacted_spec(spec, self.pseudonyms)

    def notices(self, notices: Sequence[str], terminal: Terminal) -> tuple[str, ...]:
        """Sentences about the snapshot, said on the terminal, in pseudonyms."""
        told = tuple(map(self.pseudonyms.told, notices))
        for notice in told:
            terminal.notice(notice)
        return told

    def side(self, side: tuple[str, tuple[str, ...]] | None) -> tuple[str, tuple[str, ...]] | None:
        """The accounts of --side in pseudonyms."""
        return side if side is None else (side[0], tuple(map(self.pseudonyms.account, side[1])))

    # --------------------------------------------------------------------------------------- waivers and baseline

    def acceptance(self, accepted: Acceptance) -> Acceptance:
        """Waivers with their reason withheld and their names replaced; what they match is not changed."""
        return dataclasses.replace(
            accepted, waivers=[dataclasses.replace(e, waiver=self._waiver(e.waiver)) for e in accepted.waivers]
        )

    def _waiver(self, waiver: Waiver) -> Waiver:
        from auditor.inventory.pseudonyms import WITHHELD

        name = self.pseudonyms.name
        return Waiver(
            name(waiver.id) if waiver.id is not None else None,
            WITHHELD,
            name(waiver.owner),
            waiver.expires,
            name(waiver.ticket) if waiver.ticket is not None else None,
        )

    def accepted(
        self, report: Report, original: Snapshot, accepted: Acceptance, judged: Collection[str], terminal: Terminal
    ) -> Report:
        """The report with waivers and baseline, which name the objects as they are called in the cloud."""
        before = tuple(map(self.restored, report.findings))
        held = accepted.baseline
        if held is not None:
            ids = self._original_ids(report, held.ids)
            accepted = dataclasses.replace(accepted, baseline=dataclasses.replace(held, ids=ids))
        after = accepted.applied(dataclasses.replace(report, findings=before), original, judged, terminal)
        findings = tuple(
            dataclasses.replace(mine, waiver=seen.waiver, is_new=seen.is_new)
            for mine, seen in zip(report.findings, after.findings, strict=True)
        )
        return dataclasses.replace(after, findings=findings)

    def gate(self, gate: Gate, report: Report) -> Gate:
        """The gate with the ids of its baseline as this report calls them."""
        if gate.baseline is None:
            return gate
        ids = self._original_ids(report, gate.baseline)
        known = {finding.id for finding in report.findings if self.restored(finding).id in ids}
        return dataclasses.replace(gate, baseline=gate.baseline | known)

    def _original_ids(self, report: Report, ids: frozenset[str]) -> frozenset[str]:
        """The ids of a baseline, those written from a redacted scan under the same key as the cloud has them."""
        return ids | {self.restored(finding).id for finding in report.findings if finding.id in ids}

    def restored(self, finding: Finding) -> Finding:
        """A finding with the id and the resource it has in a scan that is not redacted; never to be shown."""
        restored = self.pseudonyms.restored
        resource = finding.resource
        account = restored(resource.account_id) if resource.account_id else None
        own = restored(resource.id)
        part = restored(finding.part)
        return dataclasses.replace(
            finding,
            id=finding_id(finding.rule_id, account or "", resource.region_id or "", own, part),
            resource=dataclasses.replace(resource, id=own, account_id=account),
        )


def nothing_read() -> NothingReadError:
    """What is said where no account answered, in place of their names and answers."""
    return NothingReadError(NOTHING_READ)


def _key(path: Path) -> bytes:
    hint = f"make one with `head -c 32 /dev/urandom > {path}` and keep it like a password"
    try:
        with path.expanduser().open("rb") as file:
            key = file.read(LONGEST + 1)
    except FileNotFoundError:
        raise FileError(path, f"there is no such key file; {hint}") from None
    except OSError as error:
        raise FileError(path, f"cannot be read: {error.strerror or type(error).__name__}") from None
    if not SHORTEST <= len(key) <= LONGEST:
        raise FileError(path, f"a key has {SHORTEST} to {LONGEST} bytes; {hint}")
    return key
