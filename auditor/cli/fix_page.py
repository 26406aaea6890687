"""Fixes and previews as text for a terminal and as JSON; what a tenant named is shown, never obeyed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from auditor.engine.changes import Step
from auditor.findings import Finding, Side
from auditor.fixes.operations import OPERATIONS
from auditor.fixes.plan import Fix, FixKind
from auditor.fixes.preview import PathChange, Preview
from auditor.languages import Language, marked
from auditor.reporters.json import _dump
from auditor.reporters.text import inert, wrap
from auditor.reporters.translation import console_path

#: Version of the JSON object; keys are added, never renamed.
FORMAT_VERSION = 1

_REASONS = {
    FixKind.CHOICE: marked("Not automatic, because somebody has to choose: {reason}"),
    FixKind.REPLACEMENT: marked("Not automatic, because it has to be replaced: {reason}"),
    FixKind.OUTSIDE: marked("Not a change in the cloud: {reason}"),
    FixKind.NOT_KNOWN: marked("Not automatic, because values are missing: {reason}"),
    FixKind.NONE: marked("Nothing to do: {reason}"),
}
_NOT_THIS_SIDE = {
    Side.PROVIDER: marked("Nothing of it is on the provider's side."),
    Side.CONSUMER: marked("Nothing of it is on the consumer's side."),
}
_OWNERS = {
    Side.PROVIDER: marked("Provider, account {account}:"),
    Side.CONSUMER: marked("Consumer, account {account}:"),
    Side.BOTH: marked("Account {account} itself:"),
}
_OUTCOMES = {
    "closes": marked("closes: {finding}"),
    "stays": marked("stays open: {finding}"),
    "opens": marked("opens: {finding}"),
    "settles": marked("settles: {finding}"),
    "unforeseen": marked("cannot be foretold: {finding}"),
}


class Page:
    """Lines of at most `columns`, but for commands and snippets; `profiles` by account id."""

    def __init__(self, columns: int, profiles: Mapping[str, str], language: Language) -> None:
        self.columns = max(columns, 40)
        self.profiles = profiles
        self.language = language

    def fix(self, fix: Fix, side: Side | None) -> Iterator[str]:
        """One fix: what is wrong, the commands per side, Terraform and console."""
        finding, remediation, text = fix.finding, fix.finding.remediation, self.language.text
        yield from self._block(f"{finding.rule_id} {finding.resource.id}: {text(finding.title)}")
        yield from self._block(f"{text(finding.severity.value).upper()}, {finding.id}", 2)
        if finding.observed:
            yield from self._block(text("seen: {observed}", observed=self.language.said(finding.observed)), 2)
        if fix.reason is not None:
            yield ""
            yield from self._block(text(_REASONS[fix.kind], reason=text(fix.reason)), 2)
        if fix.kind is FixKind.NONE:
            return
        if fix.kind is not FixKind.AUTOMATIC:
            yield from self._block(text("Fix: {summary}", summary=self.language.said(remediation.summary)), 2)
        steps = fix.on(side)
        if fix.steps and not steps and side is not None:
            yield from self._block(text(_NOT_THIS_SIDE[side]), 2)
        yield from self.commands(steps)
        if not fix.steps and remediation.cli:
            yield from self._part(text("By hand, with what stands in <> filled in:"), remediation.cli)
        if remediation.console and side in (None, finding.side, Side.BOTH):
            yield from self._part(text("Console:"), [console_path(remediation.console, self.language)])
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
                text = self.language.text("mind: {caution}", caution=self.language.text(step.caution))
                yield from self._block(text, 6)

    def preview(self, found: Preview, tried: int) -> Iterator[str]:
        """The difference that the steps make."""
        text = self.language.text
        yield from self._block(
            self.language.plural(
                "What if: {n} command tried on a copy of the inventory; nothing was sent",
                "What if: {n} commands tried on a copy of the inventory; nothing was sent",
                tried,
            )
        )
        if found.reason is not None:
            yield from self._block(text("cannot be foretold: {finding}", finding=found.reason), 2)
            return
        yield from self._findings("closes", found.closes)
        yield from self._findings("stays", found.stays)
        yield from self._findings("opens", found.opens)
        yield from self._findings("settles", found.settles)
        yield from self._findings("unforeseen", found.unforeseen)
        if found.unforeseen:
            yield from self._block(text("(the cloud decides that after the change: health, or what serves a zone)"), 4)
        for change in found.paths:
            yield from self._block(self._path(change), 2)
        if not any((found.closes, found.stays, found.opens, found.settles, found.unforeseen, found.paths)):
            yield from self._block(text("nothing changes"), 2)

    def _findings(self, word: str, findings: Iterable[Finding]) -> Iterator[str]:
        text = self.language.text
        for finding in findings:
            severity, title = text(finding.severity.value), text(finding.title)
            shown = f"{finding.rule_id} {finding.resource.id} ({severity}), {title}"
            yield from self._block(text(_OUTCOMES[word], finding=shown), 2)

    def _path(self, change: PathChange) -> str:
        text = self.language.text
        before, after = text(change.before or marked("none")), text(change.after or marked("none"))
        line = (
            text("path {path}: {before} -> {after}", path=_place(change), before=before, after=after)
            if before != after
            else text("path {path}: {verdict}, as before", path=_place(change), verdict=after)
        )
        return text("{path}, at {hops}", path=line, hops=self.language.listed(change.broken)) if change.broken else line

    def _owner(self, step: Step) -> str:
        text = self.language.text
        account, profile = step.account_id, self.profiles.get(step.account_id or "")
        if account is None:
            who = text("not known")
        elif account not in self.profiles:
            who = text("{account} (not audited)", account=account)
        else:
            who = (
                text("{account} (audited as profile {profile})", account=account, profile=profile)
                if profile
                else account
            )
        return text(_OWNERS[step.side], account=who)

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
