"""JUnit, Code Quality, CSV, Markdown, annotations and Prometheus: their rules, and hostile names in each."""

from __future__ import annotations

import csv as csv_reader
import io
import json
import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from markdown_it import MarkdownIt

from auditor.errors import UsageError
from auditor.findings import Outcome, Report
from auditor.reporters import codequality, csv, github, junit, markdown, prometheus
from auditor.reporters.summary import COUNTED, summarize
from tests.hostile import HOSTILE
from tests.reporters import golden
from tests.reporters.fixture import CONSUMER, SHOP, ZONE, big_report, hostile_report, report
from tests.reporters.formats.reports import REPORTS
from tests.reporters.formats.schemas import check, check_junit

GOLDEN = {
    "report.junit.xml": lambda: junit.render(report(all_outcomes=True)),
    "report.codequality.json": lambda: codequality.render(report()),
    "report.csv": lambda: csv.render(report(all_outcomes=True)),
    "report.md": lambda: markdown.render(report()),
    "report.annotations.txt": lambda: github.render(report()),
    "report.prom": lambda: prometheus.render(report()),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_the_document_looks_as_it_did(name: str) -> None:
    golden.compare(name, GOLDEN[name]())


# -------------------------------------------------------------------------------------------------------------- junit


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize("junit_all", [False, True])
def test_every_junit_document_is_valid_and_its_numbers_are_those_of_its_cases(name: str, junit_all: bool) -> None:
    text = junit.render(REPORTS[name](), junit_all=junit_all)
    check_junit(text)
    root = ElementTree.fromstring(text)
    suites = list(root)
    assert int(root.attrib["tests"]) == sum(int(suite.attrib["tests"]) for suite in suites)
    for suite in suites:
        for key, tag in (("tests", "."), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            path = "testcase" if tag == "." else f"testcase/{tag}"
            assert int(suite.attrib[key]) == len(suite.findall(path)), key


def test_passing_cases_are_left_out_unless_asked_for() -> None:
    assert len(ElementTree.fromstring(junit.render(report())).findall(".//testcase")) == 9
    assert len(ElementTree.fromstring(junit.render(report(), junit_all=True)).findall(".//testcase")) == 15


def test_a_failure_of_severity_info_is_a_property_and_turns_nothing_red() -> None:
    root = ElementTree.fromstring(junit.render(REPORTS["quiet"]()))
    assert root.attrib["failures"] == "0"
    assert len(root.findall(".//property")) == summarize(REPORTS["quiet"]()).counts["fail"]
    assert len(root.findall(".//system-out")) == 5


# -------------------------------------------------------------------------------------------------------- codequality


@pytest.mark.parametrize("name", REPORTS)
def test_every_code_quality_array_is_valid_with_unique_fingerprints(name: str) -> None:
    rows = json.loads(codequality.render(REPORTS[name]()))
    check("gitlab-codequality.schema.json", rows)
    assert len({row["fingerprint"] for row in rows}) == len(rows)


def test_code_quality_refuses_an_anchor_outside_the_repository() -> None:
    with pytest.raises(UsageError):
        codequality.render(report(), anchor="/etc/passwd")


# ---------------------------------------------------------------------------------------------------------------- csv


def _rows(shown: Report) -> list[dict[str, str]]:
    text = csv.render(shown)
    assert "\n" not in text.replace("\r\n", "") and "\r" not in text.replace("\r\n", "") and text.encode()
    return list(csv_reader.DictReader(io.StringIO(text, newline=""), strict=True))


@pytest.mark.parametrize("name", REPORTS)
def test_every_csv_has_one_header_and_a_row_per_finding(name: str) -> None:
    shown = REPORTS[name]()
    rows = _rows(shown)
    assert [row["id"] for row in rows] == [finding.id for finding in summarize(shown).shown]
    assert all(set(row) == set(csv.COLUMNS) and None not in row.values() for row in rows)


def test_no_cell_is_a_formula() -> None:
    for row in _rows(hostile_report()):
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row.values())


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""),
        ("=1", "'=1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@x", "'@x"),
        ("\t=1", "'\\t=1"),
        ("\rx", "'\\rx"),
        ("a=1", "a=1"),
    ],
)
def test_cells(value: str | None, shown: str) -> None:
    assert csv.cell(value) == shown


# ----------------------------------------------------------------------------------------------------------- markdown


def _tables(text: str) -> list[list[list[str]]]:
    """The cells of all tables, after a check that there is nothing but tables, lists, headings and https links."""
    tables: list[list[list[str]]] = []
    inside = False
    allowed = {"heading", "paragraph", "table", "thead", "tbody", "tr", "th", "td", "bullet_list", "list_item"}
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        kind = re.sub("_(open|close)$", "", token.type)
        assert kind in allowed | {"inline"}, f"{token.type}: {token.content[:200]}"
        if token.type in ("table_open", "table_close"):
            inside = token.type == "table_open"
            tables += [[]] if inside else []
        elif token.type == "tr_open":
            tables[-1].append([])
        elif token.type == "inline" and inside:
            tables[-1][-1].append("".join(child.content for child in token.children or ()))
        for child in token.children or ():
            kind = re.sub("_(open|close)$", "", child.type)
            assert kind in {"text", "text_special", "link", "softbreak", "strong"}, f"{kind}: {token.content[:200]}"
            if child.type == "link_open":
                assert str(child.attrs["href"]).startswith("https://")
    return tables


@pytest.mark.parametrize("name", REPORTS)
def test_markdown_is_nothing_but_tables_lists_and_links(name: str) -> None:
    shown = REPORTS[name]()
    tables = _tables(markdown.render(shown))
    for table in tables:
        assert {len(row) for row in table} == {len(table[0])}
    findings = summarize(shown).shown
    assert len(tables[-1]) == len(findings) + 1 if findings else len(tables) <= 2


@pytest.mark.parametrize("text", [text for text in HOSTILE.values() if len(text) < 300 and text.isprintable()])
def test_hostile_text_is_read_as_it_was_written(text: str) -> None:
    (table,) = _tables(f"| a | b |\n| --- | --- |\n| x {markdown.prose(text)} | c |\n")
    assert table[1][0].replace("\u2060", "") == f"x {text}".strip()


def test_mentions_and_addresses_are_not_links() -> None:
    assert markdown.prose("@org/team see https://x.example www.x.example") == (
        "&#64;&#8288;org/team see https&#58;//x.example www&#46;x.example"
    )
    assert markdown.link("x", "javascript:alert(1)") == "x"
    assert markdown.link("x", "https://a.example/) <b>") == "[x](<https://a.example/%29%20%3Cb%3E>)"


def test_a_summary_of_a_step_fits_and_says_what_is_missing() -> None:
    shown = big_report(6_000)
    text = github.step_summary(shown)
    assert 900_000 < len(text.encode()) <= 1_048_576
    (missing,) = re.findall(r"^(\d+) more findings are not shown here\.$", text, re.MULTILINE)
    assert text.count("ZONE-001](") + text.count("| critical ") > 0
    rows = [
        line for line in text.splitlines() if re.match(r"\| (critical|high|medium|low|info) \| (fail|unknown)", line)
    ]
    assert len(rows) + int(missing) == 6_000


# -------------------------------------------------------------------------------------------------------- annotations


@pytest.mark.parametrize("name", REPORTS)
def test_at_most_nine_annotations_and_the_numbers(name: str) -> None:
    lines = github.render(REPORTS[name]()).split("\n")[:-1]
    assert len(lines) <= 10
    for line in lines:
        assert re.fullmatch(r"::(error|warning|notice) title=[^:,]+(,file=plaudit\.yaml,line=1)?::[^\r\n]*", line)
    assert lines[-1].startswith("::notice title=plaudit::")


def test_annotations_are_escaped() -> None:
    assert github.message("100%\r\n") == "100%25\\r\\n"
    assert github.value("a:b,c%") == "a%3Ab%2Cc%25"


def test_the_last_annotation_says_how_many_are_not_shown() -> None:
    assert github.render(big_report(70)).endswith(
        "60 failed, 10 unknown, 0 waived, 0 passed; 61 more are in the report\n"
    )


# --------------------------------------------------------------------------------------------------------- prometheus

_SAMPLE = re.compile(r'plaudit_[a-z_]+(\{([a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)+\})? -?[0-9.]+')


@pytest.mark.parametrize("name", REPORTS)
def test_every_line_is_a_sample_below_its_help_and_type(name: str) -> None:
    metric = ""
    for line in prometheus.render(REPORTS[name]()).split("\n")[:-1]:
        if line.startswith("# HELP "):
            metric = line.split()[2]
        elif line.startswith("#"):
            assert line == f"# TYPE {metric} gauge"
        else:
            assert _SAMPLE.fullmatch(line), line
            assert re.split("[{ ]", line)[0] == metric


def test_labels_are_escaped() -> None:
    account = 'a"b\\c\nd'
    shown = report(findings=(replace(ZONE, resource=replace(SHOP, account_id=account)),))
    assert 'account_id="a\\"b\\\\c\\\\nd",severity="critical",outcome="fail"} 1' in prometheus.render(shown)


def test_audited_accounts_have_samples_of_zero() -> None:
    text = prometheus.render(report(findings=()))
    assert text.count(f'plaudit_findings{{account_id="{CONSUMER}"') == 5 * len(COUNTED)
    assert 'outcome="fail"} 0' in text and Outcome.FAIL.value in COUNTED


def test_the_end_of_a_run_is_told_only_if_it_is_known() -> None:
    assert "plaudit_last_run_timestamp_seconds 1785557841.000\n" in prometheus.render(report())
    assert "last_run" not in prometheus.render(REPORTS["unfinished"]())
