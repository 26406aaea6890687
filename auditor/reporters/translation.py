"""A report in another language: the same findings, ids and numbers, with the sentences people read translated.

Only reporters for people use it.  What a tenant or a user wrote (names, waivers, whitelist entries) stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from auditor.findings import Finding, Gap, Hop, PathVerdict, Read, Remediation, Report, Source
from auditor.languages import Language


def in_language(report: Report, language: Language) -> Report:
    """The report with its sentences in `language`; in English the report itself."""
    if language.english:
        return report
    words = Words(language)
    return replace(
        report,
        findings=tuple(map(words.finding, report.findings)),
        reads=tuple(map(words.read, report.reads)),
        paths=tuple(map(words.path, report.paths)),
        exit_reasons=tuple(map(language.said, report.exit_reasons)),
        notices=tuple(map(language.said, report.notices)),
    )


def findings_in_language(findings: Iterable[Finding], language: Language) -> tuple[Finding, ...]:
    """The findings with their sentences in `language`."""
    return tuple(findings) if language.english else tuple(map(Words(language).finding, findings))


def paths_in_language(paths: Iterable[PathVerdict], language: Language) -> tuple[PathVerdict, ...]:
    """The paths with the details of their hops in `language`."""
    return tuple(paths) if language.english else tuple(map(Words(language).path, paths))


def console_path(path: str, language: Language) -> str:
    """The way through the console, with each of its steps as the console calls it in `language`."""

    def step(words: str) -> str:
        said = language.text(words)
        return said if said != words else language.said(words)

    return " > ".join(step(words) if words else words for words in path.split(" > "))


class Words:
    """Translates what findings share (rule texts, fixes, gaps) once."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self._fixes: dict[Remediation, Remediation] = {}
        self._gaps: dict[tuple[Gap, ...], tuple[Gap, ...]] = {}
        self._sources: dict[tuple[Source, ...], tuple[Source, ...]] = {}

    def finding(self, finding: Finding) -> Finding:
        text, said = self.language.text, self.language.said
        return replace(
            finding,
            title=text(finding.title),
            rationale=text(finding.rationale),
            remediation=self.fix(finding.remediation),
            observed=said(finding.observed) if finding.observed else finding.observed,
            reason=said(finding.reason) if finding.reason else finding.reason,
            gaps=self.gaps(finding.gaps),
            sources=self.sources(finding.sources),
        )

    def fix(self, fix: Remediation) -> Remediation:
        if fix not in self._fixes:
            console = console_path(fix.console, self.language) if fix.console else fix.console
            self._fixes[fix] = replace(fix, summary=self.language.text(fix.summary), console=console)
        return self._fixes[fix]

    def gaps(self, gaps: tuple[Gap, ...]) -> tuple[Gap, ...]:
        # the same tuple for the same gaps: the page recognises them by it
        if gaps not in self._gaps:
            self._gaps[gaps] = tuple(replace(gap, message=self.language.said(gap.message)) for gap in gaps)
        return self._gaps[gaps]

    def sources(self, sources: tuple[Source, ...]) -> tuple[Source, ...]:
        if sources not in self._sources:
            self._sources[sources] = tuple(replace(page, title=self.language.text(page.title)) for page in sources)
        return self._sources[sources]

    def read(self, read: Read) -> Read:
        return replace(read, message=self.language.said(read.message)) if read.message else read

    def path(self, path: PathVerdict) -> PathVerdict:
        return replace(path, hops=tuple(map(self.hop, path.hops)))

    def hop(self, hop: Hop) -> Hop:
        return replace(hop, detail=self.language.said(hop.detail)) if hop.detail else hop
