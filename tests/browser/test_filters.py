"""The filter: words and keys, buttons and lists; what is listed is compared with the report itself."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from auditor.findings import Finding
from auditor.reporters.summary import Summary, counted_as, summarize
from tests.browser.conftest import Open, Pages

Test = Callable[[Finding, Summary], bool]

CONSUMER, PROVIDER = "1234567890123456", "6543210987654321"

FILTERS: dict[str, Test] = {
    "": lambda _finding, _summary: True,
    "sev:critical": lambda finding, _: finding.severity.value == "critical",
    "sev:critical,high": lambda finding, _: finding.severity.value in ("critical", "high"),
    "out:unknown": lambda finding, _: counted_as(finding) == "unknown",
    "out:waived": lambda finding, _: counted_as(finding) == "waived",
    "side:provider": lambda finding, summary: "provider" in {owner.side for owner in summary.owners(finding)},
    "side:consumer": lambda finding, summary: "consumer" in {owner.side for owner in summary.owners(finding)},
    f"turn:{CONSUMER}": lambda finding, summary: CONSUMER in {owner.account_id for owner in summary.owners(finding)},
    "account:6543": lambda finding, summary: any(
        (account or "").startswith("6543")
        for account in (finding.resource.account_id, *(owner.account_id for owner in summary.owners(finding)))
    ),
    "rule:ZONE": lambda finding, _: finding.rule_id.startswith("ZONE"),
    "rule:zone,be-": lambda finding, _: finding.rule_id.startswith(("ZONE", "BE-")),
    "region:eu-central-1": lambda finding, _: finding.resource.region_id == "eu-central-1",
    "new": lambda finding, _: finding.is_new,
    "zone sev:critical out:fail": lambda finding, _: (
        finding.severity.value == "critical"
        and counted_as(finding) == "fail"
        and "zone" in "\n".join(
            [finding.id, finding.rule_id, finding.title, finding.resource.id, finding.resource.name or "",
             finding.resource.type, finding.observed or "", finding.reason or "", finding.remediation.summary,
             *(ref.id for ref in finding.related)]
        ).lower()
    ),
    '"service resource"': lambda finding, _: "service resource" in "\n".join(
        [finding.title, finding.observed or "", finding.reason or "", finding.remediation.summary,
         finding.resource.type.replace("_", " ").removesuffix("s")]
    ).lower(),
    "no-such-word-anywhere": lambda _finding, _summary: False,
}  # fmt: skip


@pytest.mark.parametrize("name", ["broken", "three-accounts", "usual"])
def test_a_filter_lists_exactly_what_it_says(visit: Open, pages: Pages, name: str) -> None:
    made = visit(name)
    summary = summarize(pages.report(name))
    decisive = 0
    for text, test in FILTERS.items():
        wanted = [finding.id for finding in summary.shown if test(finding, summary)]
        assert made.filter(text) == wanted, text
        assert made.count().startswith(f"{len(wanted)} "), text
        decisive += 0 < len(wanted) < len(summary.shown)
    assert decisive >= (3 if name == "three-accounts" else 8)  # most of them have something to tell apart


def test_buttons_and_lists_write_the_filter(visit: Open, pages: Pages) -> None:
    made = visit("broken")
    summary = summarize(pages.report("broken"))
    page, box = made.page, made.page.locator("#q")

    def listed() -> list[str]:
        found: list[str] = made.value("[...document.querySelectorAll('tr.row')].map((tr) => tr.item.id)")
        return found

    for group, label, written, test in (
        ("Severity", "critical", "sev:critical", FILTERS["sev:critical"]),
        ("Fix by side", "provider", "side:provider", FILTERS["side:provider"]),
        ("Fix by account", CONSUMER, f"turn:{CONSUMER}", FILTERS[f"turn:{CONSUMER}"]),
        ("Since the last scan", "new", "new", FILTERS["new"]),
    ):
        wanted = [finding.id for finding in summary.shown if test(finding, summary)]
        button = page.get_by_role("group", name=group).get_by_role("button", name=f"{label} {len(wanted)}")
        button.click()
        assert box.input_value() == written
        assert button.get_attribute("aria-pressed") == "true"
        assert listed() == wanted
        button.click()
        assert box.input_value() == ""
        assert button.get_attribute("aria-pressed") == "false"
        made.until("location.hash === ''")
    rule = summary.shown[0].rule_id
    page.get_by_label("Rule", exact=True).select_option(rule)
    assert box.input_value() == f"rule:{rule.lower()}"
    assert set(listed()) == {finding.id for finding in summary.shown if finding.rule_id == rule}


def test_two_buttons_of_a_group_widen_and_two_groups_narrow(visit: Open, pages: Pages) -> None:
    made = visit("broken")
    shown = summarize(pages.report("broken")).shown
    severity = made.page.get_by_role("group", name="Severity")
    severity.get_by_role("button", name="critical").click()
    severity.get_by_role("button", name="high").click()
    count = sum(finding.severity.value in ("critical", "high") for finding in shown)
    assert made.count().startswith(f"{count} of ")
    made.page.get_by_role("group", name="Fix by side").get_by_role("button", name="consumer").click()
    assert made.page.locator("#q").input_value() == "sev:critical,high side:consumer"
    count = sum(f.severity.value in ("critical", "high") and f.side.value in ("consumer", "both") for f in shown)
    assert count > 0
    assert made.count().startswith(f"{count} of ")


def test_links_of_the_page_are_filters(visit: Open, pages: Pages) -> None:
    made = visit("three-accounts")
    summary = summarize(pages.report("three-accounts"))
    for account in summary.accounts:
        if not account.fixes:
            continue
        made.page.locator(".account", has_text=account.account_id).get_by_role("link", name="Show").click()
        made.until(f"document.querySelector('#q').value === 'turn:{account.account_id}'")
        failed = made.value("[...document.querySelectorAll('tr.row')].filter((tr) => tr.item.outcome === 0).length")
        assert failed == account.fixes
    made.page.get_by_role("link", name="Show what is new").click()
    made.until("document.querySelector('#q').value === 'new'")
    assert made.count().startswith("2 ")


def test_columns_sort(visit: Open, pages: Pages) -> None:
    made = visit("broken")
    head = made.page.get_by_role("columnheader", name="Rule")
    rules = "[...document.querySelectorAll('tr.row b')].map((b) => b.textContent)"
    worst_first = [finding.rule_id for finding in summarize(pages.report("broken")).shown]
    head.get_by_role("button").click()
    assert made.value(rules) == sorted(worst_first)
    assert head.get_attribute("aria-sort") == "ascending"
    head.get_by_role("button").click()
    assert made.value(rules) == sorted(worst_first, reverse=True)
    assert head.get_attribute("aria-sort") == "descending"
    head.get_by_role("button").click()
    assert made.value(rules) == worst_first
