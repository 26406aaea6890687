"""Waivers: accepted failures, each with a reason, an owner and a last day.

A waiver applies to `fail` only and never makes an unknown good; waived findings stay in every count, as waived.
Matching is exact, or by a declared tag or prefix: a typo matches nothing, and what matches nothing is reported.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

from auditor.batches import changed
from auditor.findings import Finding, Outcome, Waiver
from auditor.yaml_reader import Node, did_you_mean, read_yaml

#: How long a waiver may last after it was granted, in days, unless the file says less under `max_days`.
MAX_DAYS = 180

#: How long before its last day a waiver is announced, in days.
NOTICE_DAYS = 14

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")


@dataclass(frozen=True, slots=True)
class WaiverEntry:
    """One entry of a waivers file; exactly one of `resource`, `prefix` and `tag` names the objects."""

    waiver: Waiver
    rule_id: str
    accounts: tuple[str, ...]
    any_account: bool
    region_id: str | None
    resource: str | None
    prefix: str | None
    tag: tuple[str, str] | None
    granted: date | None
    expires: date
    line: int

    @property
    def label(self) -> str:
        """How messages name the entry: its id, else rule and line."""
        return self.waiver.id or f"{self.rule_id} (line {self.line})"

    def matches(self, finding: Finding, tags: Mapping[str, Collection[tuple[str, str]]]) -> bool:
        """True if the entry names this finding; `tags` are the (key, value) pairs by resource id."""
        if finding.rule_id != self.rule_id:
            return False
        if not self.any_account and finding.resource.account_id not in self.accounts:
            return False
        if self.region_id is not None and finding.resource.region_id != self.region_id:
            return False
        if self.resource is not None:
            return finding.resource.id == self.resource
        if self.prefix is not None:
            return finding.resource.id.startswith(self.prefix)
        return self.tag is not None and self.tag in tags.get(finding.resource.id, ())


@dataclass(frozen=True, slots=True)
class WaiverState:
    """What a waivers file did to a scan: `notices` are sentences for standard error and the report."""

    findings: Sequence[Finding]
    expired: tuple[WaiverEntry, ...]
    expiring: tuple[WaiverEntry, ...]
    unused: tuple[WaiverEntry, ...]
    notices: tuple[str, ...]


def load_waivers(path: Path, known_rules: Mapping[str, str], today: date) -> list[WaiverEntry]:
    """The entries of a waivers file.

    `known_rules` maps every rule id and alias to the canonical id; `today` is the day of the scan in UTC, from which an
    entry without `granted` is counted.  Raises FileError with file and line for anything
    that is missing, unknown, longer than allowed, or not exact.
    """
    root = read_yaml(path).mapping(required=("version", "waivers"), optional=("max_days",))
    if root["version"].integer() != 1:
        raise root["version"].error("this plaudit reads version 1; write `version: 1`")
    longest = root["max_days"].integer(minimum=1, maximum=MAX_DAYS) if "max_days" in root else MAX_DAYS
    entries = [_entry(node, known_rules, longest, today) for node in root["waivers"].items()]
    seen: dict[str, int] = {}
    for entry, node in zip(entries, root["waivers"].items(), strict=True):
        if entry.waiver.id is not None:
            if entry.waiver.id in seen:
                raise node.error(f"waiver id {entry.waiver.id} is used in line {seen[entry.waiver.id]} already")
            seen[entry.waiver.id] = entry.line
    return entries


def _entry(node: Node, known_rules: Mapping[str, str], longest: int, today: date) -> WaiverEntry:
    keys = node.mapping(
        required=("rule", "reason", "owner", "expires"),
        optional=("id", "account", "region", "resource", "match", "ticket", "granted"),
    )
    rule = keys["rule"].text()
    if rule not in known_rules:
        raise keys["rule"].error(f"no rule {rule}{did_you_mean(rule, known_rules)}; one rule id, no wildcard")
    granted = _date(keys["granted"]) if "granted" in keys else None
    expires = _date(keys["expires"])
    start = granted or today
    if granted is not None and expires < granted:
        raise keys["expires"].error("lies before `granted`")
    if expires - start > timedelta(days=longest):
        last = start + timedelta(days=longest)
        raise keys["expires"].error(
            f"lies more than {longest} days after it is granted; write {last.isoformat()} or before"
        )
    resource, prefix, tag = _object(node, keys)
    accounts, any_account = _accounts(node, keys.get("account"), resource)
    return WaiverEntry(
        Waiver(
            keys["id"].text() if "id" in keys else None,
            keys["reason"].text(),
            keys["owner"].text(),
            expires.isoformat(),
            keys["ticket"].text() if "ticket" in keys else None,
        ),
        known_rules[rule],
        accounts,
        any_account,
        keys["region"].text() if "region" in keys else None,
        resource,
        prefix,
        tag,
        granted,
        expires,
        node.line,
    )


def _date(node: Node) -> date:
    text = node.text(meaning="a date as 2027-01-31")
    if _DATE.match(text) is None:
        raise node.error(f"expected a date as 2027-01-31, found `{text}`")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise node.error(f"there is no day {text}") from None


def _object(node: Node, keys: Mapping[str, Node]) -> tuple[str | None, str | None, tuple[str, str] | None]:
    if ("resource" in keys) == ("match" in keys):
        raise node.error("name the objects with either `resource: <id>` or `match: {tag: {key: value}}`")
    if "resource" in keys:
        resource = keys["resource"].text()
        if any(character in resource for character in "*?") and not resource.count(":"):
            raise keys["resource"].error("is matched exactly; for several objects write `match: {prefix: …}`")
        return resource, None, None
    match = keys["match"].mapping(optional=("tag", "prefix"))
    if len(match) != 1:
        raise keys["match"].error("write either `prefix: …` or `tag: {key: value}`")
    if "prefix" in match:
        prefix = match["prefix"].text()
        if len(prefix) < 4:
            raise match["prefix"].error("a prefix has at least four characters, or it would waive everything")
        return None, prefix, None
    pairs = match["tag"].entries()
    if len(pairs) != 1:
        raise match["tag"].error("one key and one value, as `tag: {env: lab}`")
    return None, None, (pairs[0][0].text(), pairs[0][1].text())


def _accounts(node: Node, account: Node | None, resource: str | None) -> tuple[tuple[str, ...], bool]:
    if account is None:
        if resource is None:
            raise node.error("`match` needs an `account`")
        return (), True
    if account.kind == "list":
        return tuple(item.account_id() for item in account.items()), False
    if account.raw == "*":
        if resource is None:
            raise account.error('"*" is allowed only together with `resource`')
        return (), True
    return (account.account_id(),), False


def apply_waivers(
    entries: Sequence[WaiverEntry],
    findings: Sequence[Finding],
    today: date,
    tags: Mapping[str, Collection[tuple[str, str]]],
    *,
    complete: bool,
    judged: Collection[str] | None = None,
) -> WaiverState:
    """The findings with their waivers, and what has to be said about the file.

    `today` is the day of the scan in UTC; `complete` says whether everything was read, because an entry that matches
    nothing in a partial scan may still be in use.  `judged` are the rules that were judged, None for all: nothing is
    said about entries of the others.
    """
    by_rule: dict[str, list[WaiverEntry]] = {}
    for entry in entries:
        by_rule.setdefault(entry.rule_id, []).append(entry)
    used: set[int] = set()

    def waived(finding: Finding) -> Finding:
        holding: Waiver | None = None
        for entry in by_rule.get(finding.rule_id, ()):
            if not entry.matches(finding, tags):
                continue
            used.add(id(entry))
            if entry.expires >= today and finding.outcome is Outcome.FAIL:
                holding = holding or entry.waiver
        return replace(finding, waiver=holding) if holding is not None else finding

    judged_findings = changed(findings, waived)
    expired = tuple(entry for entry in entries if entry.expires < today)
    soon = today + timedelta(days=NOTICE_DAYS)
    expiring = tuple(entry for entry in entries if today <= entry.expires <= soon)
    asked = [entry for entry in entries if judged is None or entry.rule_id in judged]
    unused = tuple(entry for entry in asked if id(entry) not in used) if complete else ()
    notices = [
        *(
            f"waiver {e.label} expired on {e.expires}: its findings are open again; owner {e.waiver.owner}"
            for e in expired
        ),
        *(f"waiver {e.label} holds until {e.expires}; owner {e.waiver.owner}" for e in expiring),
        *(f"waiver {e.label} matches no finding: remove it" for e in unused),
    ]
    return WaiverState(judged_findings, expired, expiring, unused, tuple(notices))
