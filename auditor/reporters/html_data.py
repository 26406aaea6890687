"""The data of the HTML report: every listed finding once, repeated texts shared, compressed for the script."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from auditor.findings import Gap, Report, ResourceRef, Severity
from auditor.languages import CODES
from auditor.reporters.connections import Owner, given_name, noun
from auditor.reporters.html_texts import Encoded, Texts
from auditor.reporters.summary import Summary, counted_as
from auditor.reporters.text import inert, inert_lines

_SEVERITIES = tuple(Severity)
_OUTCOMES = ("fail", "unknown", "waived", "pass", "not_applicable")


def gap_words(gap: Gap) -> str:
    """What was not read, where, and what was answered."""
    place = " ".join(part for part in (gap.account_id, gap.region_id, gap.target) if part)
    code = f"{gap.error_code}: " if gap.error_code else ""
    return f"{gap.operation or gap.table or gap.kind} {place} - {code}{gap.message}"


class _Pool:
    """Texts that come again and again, each kept once and inert.  Number 0 is a text that is not known."""

    def __init__(self, words: Texts) -> None:
        self._words = words
        self.texts: list[Encoded] = [""]
        self._known: dict[tuple[str, str], int] = {}

    def __call__(self, text: str | None) -> int:
        """The number of a text that is the same in every language."""
        return 0 if text is None else self._number("", text, lambda: inert(text))

    def word(self, text: str) -> int:
        """The number of a text of ours."""
        return self._number("word", text, lambda: self._words.word(text))

    def said(self, text: str | None) -> int:
        """The number of a sentence that was put together elsewhere."""
        return 0 if text is None else self._number("said", text, lambda: self._words.said(text))

    def gap(self, gap: Gap) -> int:
        def told() -> Encoded:
            every = (replace(gap, message=language.said(gap.message)) for language in self._words.languages)
            return self._words.encoded([inert(gap_words(each)) for each in every])

        # by its words: several gaps may say the same
        return self._number("gap", gap_words(gap), told)

    def noun(self, table: str) -> int:
        every = self._words.languages
        return self._number(
            "noun", table, lambda: self._words.encoded([inert(noun(table, language)) for language in every])
        )

    def ref(self, ref: ResourceRef) -> list[int]:
        return [self.noun(ref.type), self(ref.id)]

    def _number(self, kind: str, text: str, made: Callable[[], Encoded]) -> int:
        number = self._known.get((kind, text))
        if number is None:
            number = self._known[kind, text] = len(self.texts)
            self.texts.append(made())
        return number


def page_data(report: Report, summary: Summary, carried: int, texts: Texts, switch: Mapping[str, Any]) -> str:
    """The worst `carried` listed findings for the script: JSON, gzip, base64.  report.js knows the order of fields.

    `switch` is what the switch of languages needs besides; its texts and those of the findings share their forms.
    """
    pool = _Pool(texts)
    rules: dict[tuple[Any, ...], int] = {}
    places: dict[str, list[int]] = {}
    for group in summary.groups:
        for finding in group.findings:
            places.setdefault(finding.id, []).append(pool(group.key))
    gaps: dict[int, list[int]] = {}  # findings share the tuples of their gaps
    owners: dict[tuple[Owner, ...], list[list[Any]]] = {}
    ranks = {severity: rank for rank, severity in enumerate(_SEVERITIES)}
    rows = []
    for finding in summary.shown[:carried]:
        rule = (
            finding.rule_id,
            finding.title,
            finding.rationale,
            finding.basis.value,
            finding.sources,
            finding.evidence,
        )
        resource, fix, waiver = finding.resource, finding.remediation, finding.waiver
        held = summary.owners(finding)
        if held not in owners:
            owners[held] = [[owner.side, pool(owner.account_id)] for owner in held]
        if id(finding.gaps) not in gaps:
            gaps[id(finding.gaps)] = list(dict.fromkeys(map(pool.gap, finding.gaps)))
        rows.append(
            [
                finding.id.removeprefix("plf1-"),
                rules.setdefault(rule, len(rules)),
                ranks[finding.severity],
                _OUTCOMES.index(counted_as(finding)),
                pool.noun(resource.type),
                inert(resource.id),
                pool(given_name(resource)),
                pool(resource.account_id),
                pool(resource.region_id),
                owners[held],
                texts.said(finding.observed) if finding.observed else "",
                pool.said(finding.reason),
                pool.word(fix.summary),
                [inert(command) for command in fix.cli],
                inert_lines(fix.terraform or ""),
                texts.console(fix.console) if fix.console else "",
                [pool.ref(ref) for ref in finding.related],
                gaps[id(finding.gaps)],
                pool(finding.first_seen),
                1 if finding.is_new else 0,
                [pool(text) for text in (waiver.id, waiver.reason, waiver.owner, waiver.expires, waiver.ticket)]
                if waiver
                else 0,
                places.get(finding.id, []),
            ]
        )
    document: Mapping[str, Any] = {
        **switch,
        "languages": CODES,
        "rules": [_rule(texts, *rule) for rule in rules],
        "pool": pool.texts,
        "rows": rows,
        "forms": texts.forms,
        "scanned": [inert(report.scan.started_at), inert(report.scan.finished_at)],
    }
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return base64.b64encode(gzip.compress(text.encode(), 6, mtime=0)).decode()


def _rule(
    texts: Texts, rule_id: str, title: str, rationale: str, basis: str, sources: Iterable[Any], evidence: Iterable[str]
) -> list[Any]:
    return [
        inert(rule_id),
        texts.word(title),
        texts.word(rationale),
        basis,
        [[texts.word(source.title), inert(source.url)] for source in sources],
        [inert(table) for table in evidence],
    ]
