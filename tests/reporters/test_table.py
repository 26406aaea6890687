"""The terminal report: readable in eighty columns, honest about what is unknown, safe to print."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from auditor.findings import Remediation, ResourceRef
from auditor.reporters import table
from auditor.reporters.text import width as columns_of
from tests.reporters import fixture
from tests.reporters.golden import compare

ANSI = re.compile(r"\x1b\[[0-9;]+m")


def test_golden() -> None:
    compare("report.txt", table.render(fixture.report(), width=80, color=False))
    compare("report-all.txt", table.render(fixture.report(all_outcomes=True), width=100, color=False))
    compare("clean.txt", table.render(fixture.clean_report(), width=80, color=False))


@pytest.mark.parametrize("width", [40, 60, 80, 132])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    for report in (fixture.report(), fixture.hostile_report()):
        for line in table.render(report, width=width, color=False).splitlines():
            assert columns_of(line) <= width, line


def test_colour_adds_nothing_but_colour() -> None:
    for report in (fixture.report(all_outcomes=True), fixture.hostile_report()):
        plain = table.render(report, width=80, color=False)
        coloured = table.render(report, width=80, color=True)
        assert "\x1b" not in plain
        assert ANSI.sub("", coloured) == plain


def test_hostile_names_cannot_act() -> None:
    text = table.render(fixture.hostile_report(), width=80, color=False)
    text.encode()
    assert not [char for char in text if (char != "\n" and ord(char) < 32) or 0x7F <= ord(char) < 0xA0]
    assert "\u202e" not in text and "\\u202e" in text
    assert not [line for line in text.splitlines() if line.startswith("::error")]


def test_unknown_is_never_hidden() -> None:
    text = table.render(fixture.report(), width=80, color=False)
    for said in ("? critical", "SG-001", "Forbidden.RAM", "3 unknown", "75.0 %", "GOV-001", "Plaudit.Timeout"):
        assert said in text


def test_the_fix_names_its_owner() -> None:
    text = " ".join(table.render(fixture.report(), width=80, color=False).split())
    assert f"fix, consumer {fixture.CONSUMER}: Remove the endpoint zone" in text
    assert f"fix, provider {fixture.PROVIDER}: Accept the connection." in text


def test_a_continued_command_is_the_same_command() -> None:
    text = table.render(fixture.report(), width=80, color=False)
    joined = re.sub(r" \\\n +", " ", text)
    assert fixture.ZONE.remediation.cli[0] in joined


def test_nothing_read_is_said() -> None:
    text = table.render(fixture.report(findings=(), reads=(), paths=()), width=80, color=False)
    assert "Nothing was read at all." in text and "No connection was found to judge." in text


def test_a_name_that_repeats_the_id_is_left_out() -> None:
    service = ResourceRef("endpoint_services", "epsrv-x", "1", "r", "com.aliyuncs.privatelink.r.epsrv-x")
    lonely = fixture.finding("RES-001", "Service has a service resource", "critical", "fail", service)
    assert "com.aliyuncs" not in table.render(fixture.report(findings=(lonely,)), width=80, color=False)


@pytest.mark.parametrize("command", ["aliyun x '<id>' " + "word " * 30, "aliyun x 'two  words' " + "word " * 30])
def test_a_quoted_command_is_continued_only_where_that_is_safe(command: str) -> None:
    failed = replace(fixture.ZONE, remediation=Remediation("Do it.", (command,)))
    text = table.render(fixture.report(findings=(failed,)), width=80, color=False)
    assert (" \\\n" in text) == ("two  words" not in command)


LINK = re.compile(r"\x1b\]8;;([^\x1b]*)\x1b\\")


def test_links_add_nothing_but_links() -> None:
    for report in (fixture.report(all_outcomes=True), fixture.hostile_report()):
        plain = table.render(report, width=80, color=False)
        linked = table.render(report, width=80, color=True, links=True)
        assert ANSI.sub("", LINK.sub("", linked)) == plain
        targets = LINK.findall(linked)
        assert targets[1::2] == [""] * (len(targets) // 2)  # every link is closed before the next
        assert all(re.fullmatch(r"https://[!-~]+", target) for target in targets[::2])
    linked = table.render(fixture.report(), width=80, color=True, links=True)
    assert f"\x1b]8;;{fixture.PAGE.url}\x1b\\ZONE-001\x1b]8;;\x1b\\  Endpoint zones" in linked
    assert "\x1b]8" not in table.render(fixture.report(), width=80, color=True)


def test_a_source_cannot_break_out_of_its_link() -> None:
    urls = ("https://ok/\x1b\\owned", "https://ok/\x07x", "https://ok/a b", "javascript:alert(1)", "https://ok/\u202e")
    for url in urls:
        zone = replace(fixture.ZONE, sources=(replace(fixture.PAGE, url=url),))
        text = table.render(fixture.report(findings=(zone,)), width=80, color=True, links=True)
        assert "\x1b]8" not in text, url


def test_wide_names_are_aligned() -> None:
    """The status stands at the right edge whatever the name is written in."""
    for name in ("shop", "東京エンドポイント・本番環境", "Ünïcødé 负载均衡 🚀"):
        findings = tuple(
            replace(finding, resource=replace(finding.resource, name=name))
            for finding in fixture.FINDINGS
            if finding.resource == fixture.SHOP
        )
        lines = table.render(fixture.report(findings=findings, paths=()), width=80, color=False).splitlines()
        title = next(line for line in lines if line.startswith("ep-gw8shop") and line.endswith("BROKEN"))
        assert columns_of(title) == 80
        assert name in title
