"""Every text a report shows goes through the catalogue: seen in a made-up language."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from auditor.delivery.notify.changes import changes
from auditor.delivery.notify.message import failure_message, run_message, trial_message
from auditor.findings import Outcome, Severity
from auditor.languages import CODES, Language
from auditor.reporters import html, markdown, table
from auditor.reporters.summary import summarize
from auditor.reporters.text import width
from tests.languages import pseudo
from tests.reporters import fixture

DATA = pseudo.data_of_the_fixture()
REPORTS = {
    "usual": fixture.report(),
    "all outcomes": fixture.report(all_outcomes=True),
    "clean": fixture.clean_report(),
    "empty": fixture.report(findings=(), reads=(), paths=()),
    "waivers over": fixture.report(extra={"waivers": {"expired": ["W-1"]}, "baseline": {"written": "2026"}}),
    "history": fixture.report(
        extra={"trend": [{"at": "2026", "fail": 1, "unknown": 2, "critical": 1, "high": 0, "medium": 0}] * 2}
    ),
}
DATA |= {"W-1"}


class Shown(HTMLParser):
    """What people read in a page: its texts outside code, and what is read aloud."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.texts += [value for name, value in attrs if name in ("aria-label", "placeholder", "title") and value]
        if tag not in ("meta", "link", "br", "input"):
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip() and not {"script", "style", "code", "pre", "kbd", "time"} & set(self._open):
            self.texts.append(" ".join(data.split()))


@pytest.mark.parametrize("name", REPORTS)
def test_every_text_of_the_page_is_asked_for(name: str) -> None:
    with pseudo.spoken():
        page = html.render(REPORTS[name], lang="zh")
    texts = Shown(page).texts
    assert len(texts) > 60
    assert pseudo.untranslated(texts, DATA) == []


def test_every_text_of_a_notification_is_asked_for() -> None:
    report = replace(fixture.report(), exit_reasons=("one reason",))
    summary = summarize(report)
    changed = changes(report, summary, None, ["ZONE-001"], Severity.LOW)
    why = ("new", "fixed", "coverage", "output")
    with pseudo.spoken():
        language = Language("zh")
        found = [
            run_message(
                *("name", report, summary, replace(changed, fixed=changed.new), why),
                severity=Severity.LOW,
                missed=("before",),
                language=language,
            ),
            failure_message("name", "run", "2026", 1, "the run failed", ("why",), missed=("x",), language=language),
            trial_message("name", "2026", "", language),
        ]
    lines = "\n".join(message.text for message in found).splitlines()
    assert len(lines) > 20
    assert pseudo.untranslated(lines, DATA | {"plf1-"}) == []
    assert all(pseudo.OPEN not in repr(message.document) for message in found)


def test_the_test_sees_what_was_not_asked_for() -> None:
    assert pseudo.untranslated(["⟦Path ⟦x⟧⟧ blocked", "⟦a⟧ ep-gw8shop"], DATA) == ["⟦Path ⟦x⟧⟧ blocked"]


@pytest.mark.parametrize("name", REPORTS)
def test_every_text_of_the_terminal_is_asked_for(name: str) -> None:
    with pseudo.spoken():
        text = table.render(REPORTS[name], width=4000, color=False, lang="zh")
    commands = re.compile(r"^ +(aliyun|--|\$)")
    assert pseudo.untranslated((line for line in text.splitlines() if not commands.match(line)), DATA) == []


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("columns", [60, 80])
def test_lines_of_wide_characters_fit_and_keep_ids_whole(code: str, columns: int) -> None:
    report = fixture.report()
    lines = table.render(report, width=columns, color=False, lang=code).splitlines()
    assert max(map(width, lines)) <= columns
    listed = [finding for finding in report.findings if finding.outcome in (Outcome.FAIL, Outcome.UNKNOWN)]
    for name in {finding.resource.id for finding in listed} | {finding.rule_id for finding in listed}:
        assert any(name in line for line in lines), name
    # columns begin at the same place in every row
    counts = [line for line in lines if re.match(r"\S+( +[0-9]+){5}$", line.strip())]
    assert len({width(line) for line in counts}) <= 1


def test_every_text_of_the_markdown_is_asked_for() -> None:
    with pseudo.spoken():
        text = markdown.render(fixture.report(), lang="zh")
    assert pseudo.untranslated(re.sub(r"`[^`]*`|<[^>]+>", " ", text).splitlines(), DATA) == []


def test_a_page_has_as_many_texts_in_every_language() -> None:
    with pseudo.spoken():
        english, other = html.render(fixture.report()), html.render(fixture.report(), lang="zh")
    assert Shown(english).texts != Shown(other).texts
    assert len(Shown(english).texts) == len(Shown(other).texts)
