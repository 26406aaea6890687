"""Fixes and previews as text for a terminal and as JSON; what a tenant named is shown, never obeyed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from auditor.engine.changes import Step
from auditor.findings import Finding, Side
from auditor.fixes.operations import OPERATIONS
from auditor.fixes.plan import Fix, FixKind
from auditor.fixes.preview import PathChange, Preview
from auditor.reporters.json import _dump
from auditor.reporters.text import inert, wrap

#: Version of the JSON object; keys are added, never renamed.
FORMAT_VERSION = 1

_HEADINGS = {
    FixKind.CHOICE: "Not automatic, because somebody has to choose",
    FixKind.REPLACEMENT: "Not automatic, because it has to be replaced",
    FixKind.OUTSIDE: "Not a change in the cloud",
    FixKind.NOT_KNOWN: "Not automatic, because values are missing",
    FixKind.NONE: "Nothing to do",
}


class Page:
    """Lines of at most `columns`, but for commands and snippets; `profiles` by account id."""

    def __init__(self, columns: int, profiles: Mapping[str, str]) -> None:
        self.columns = max(columns, 40)
        self.profiles = profiles

    def fix(self, fix: Fix, side: Side | None) -> Iterator[str]:
        """One fix: what is wrong, the commands per side, Terraform and console."""
        finding, remediation = fix.finding, fix.finding.remediation
        where = finding.resource.id
        yield from self._block(f"{finding.rule_id} {where}: {finding.title}")
        yield from self._block(f"{finding.severity.upper()}, {finding.id}", 2)
        if finding.observed:
            yield from self._block(f"seen: {finding.observed}", 2)
        if fix.reason is not None:
            yield ""
            yield from self._block(f"{_HEADINGS[fix.kind]}: {fix.reason}", 2)
        if fix.kind is FixKind.NONE:
            return
        if fix.kind is not FixKind.AUTOMATIC:
            yield from self._block(f"Fix: {remediation.summary}", 2)
        steps = fix.on(side)
        if fix.steps and not steps and side is not None:
            yield from self._block(f"Nothing of it is on the {side.value}'s side.", 2)
        yield from self.commands(steps)
        if not fix.steps and remediation.cli:
            yield from self._part("By hand, with what stands in <> filled in:", remediation.cli)
        if remediation.console and side in (None, finding.side, Side.BOTH):
            yield from self._part("Console:", [remediation.console])
        if remediation.terraform and side in (None, finding.side, Side.BOTH):
            yield from self._part("Terraform:", remediation.terraform.rstrip().split("\n"))

    def commands(self, steps: Sequence[Step]) -> Iterator[str]:
        """Steps under the account that has to run them."""
        account: object = ()
        for step in steps:
            if (step.side, step.account_id) != account:
                account = (step.side, step.account_id)
                yield ""
                yield from self._block(self._owner(step), 2)
            # A command is one line, however long: it is meant to be copied.
            yield f"    {inert(step.command)}"
            if step.caution:
                yield from self._block(f"mind: {step.caution}", 6)

    def preview(self, found: Preview, tried: int) -> Iterator[str]:
        """The difference that the steps make."""
        many = "1 command" if tried == 1 else f"{tried} commands"
        yield from self._block(f"What if: {many} tried on a copy of the inventory; nothing was sent")
        if found.reason is not None:
            yield from self._block(f"cannot be foretold: {found.reason}", 2)
            return
        yield from self._findings("closes", found.closes)
        yield from self._findings("stays open", found.stays)
        yield from self._findings("opens", found.opens)
        yield from self._findings("settles", found.settles)
        yield from self._findings("cannot be foretold", found.unforeseen)
        if found.unforeseen:
            yield from self._block("(the cloud decides that after the change: health, or what serves a zone)", 4)
        for change in found.paths:
            words = [change.before or "none", change.after or "none"]
            what = " -> ".join(words) if words[0] != words[1] else f"{words[0]}, as before"
            what += f", at {', '.join(change.broken)}" if change.broken else ""
            yield from self._block(f"path {_place(change)}: {what}", 2)
        if not any((found.closes, found.stays, found.opens, found.settles, found.unforeseen, found.paths)):
            yield from self._block("nothing changes", 2)

    def _findings(self, word: str, findings: Iterable[Finding]) -> Iterator[str]:
        for finding in findings:
            text = f"{word}: {finding.rule_id} {finding.resource.id} ({finding.severity.value}), {finding.title}"
            yield from self._block(text, 2)

    def _owner(self, step: Step) -> str:
        who = step.side.value.capitalize() if step.side is not Side.BOTH else "The account itself"
        if step.account_id is None:
            return f"{who}, whose account is not known:"
        profile = self.profiles.get(step.account_id)
        if step.account_id not in self.profiles:
            return f"{who}, account {step.account_id} (not audited):"
        return f"{who}, account {step.account_id}" + (f" (audited as profile {profile}):" if profile else ":")

    def _part(self, heading: str, lines: Iterable[str]) -> Iterator[str]:
        yield ""
        yield f"  {heading}"
        for line in lines:
            yield f"    {inert(line)}"

    def _block(self, text: str, indent: int = 0) -> Iterator[str]:
        for line in wrap(inert(text), self.columns - indent):
            yield " " * indent + line


def _place(change: PathChange) -> str:
    port = f"{change.protocol}/{change.port}" if change.port is not None else None
    return " ".join(part for part in (change.endpoint_id, change.zone_id, port) if part)


# ---------------------------------------------------------------------------------------------------------- JSON


def document(
    fixes: Sequence[Fix], steps: Sequence[Step], found: Preview | None, side: Side | None, scanned: str | None
) -> str:
    """The JSON object, a line per key: fixes, the commands in their order, and the preview or null."""
    keys = {
        "version": FORMAT_VERSION,
        "scanned": scanned,
        "fixes": [_fix(fix, side) for fix in fixes],
        "commands": [_step(step) for step in steps],
        "what_if": _preview(found) if found is not None else None,
    }
    return "{\n" + ",\n".join(f'"{key}": {_dump(value)}' for key, value in keys.items()) + "\n}\n"


def _fix(fix: Fix, side: Side | None) -> dict[str, Any]:
    remediation = fix.finding.remediation
    return {
        **_finding(fix.finding),
        "observed": fix.finding.observed,
        "kind": fix.kind.value,
        "reason": fix.reason,
        "steps": [_step(step) for step in fix.on(side)],
        "summary": remediation.summary,
        "console": remediation.console,
        "terraform": remediation.terraform,
        "by_hand": list(remediation.cli) if not fix.steps else [],
    }


def _step(step: Step) -> dict[str, Any]:
    known = OPERATIONS.get(step.operation)
    return {
        "side": step.side.value,
        "account_id": step.account_id,
        "operation": step.operation,
        "parameters": dict(step.parameters),
        "command": step.command,
        "caution": step.caution,
        "missing": list(step.missing),
        "source": known.source.url if known is not None else None,
    }


def _finding(finding: Finding) -> dict[str, Any]:
    resource = finding.resource
    return {
        "id": finding.id,
        "rule_id": finding.rule_id,
        "title": finding.title,
        "severity": finding.severity.value,
        "outcome": finding.outcome.value,
        "resource": {
            "type": resource.type,
            "id": resource.id,
            "account_id": resource.account_id,
            "region_id": resource.region_id,
            "name": resource.name,
        },
    }


def _preview(found: Preview) -> dict[str, Any]:
    return {
        "closes": [_finding(finding) for finding in found.closes],
        "stays": [_finding(finding) for finding in found.stays],
        "opens": [_finding(finding) for finding in found.opens],
        "settles": [_finding(finding) for finding in found.settles],
        "unforeseen": [{**_finding(finding), "reason": finding.reason} for finding in found.unforeseen],
        "paths": [
            {
                "endpoint_id": change.endpoint_id,
                "zone_id": change.zone_id,
                "protocol": change.protocol,
                "port": change.port,
                "before": change.before,
                "after": change.after,
                "broken": list(change.broken),
            }
            for change in found.paths
        ],
        "reason": found.reason,
    }
