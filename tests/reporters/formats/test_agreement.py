"""All formats say the same: numbers, ids, and nothing that acts."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from xml.etree import ElementTree

import pytest

from auditor.findings import Finding, Outcome, Report, ResourceRef, Severity, finding_id
from auditor.reporters import codequality, csv, ecs, github, junit, markdown, ndjson, ocsf, prometheus, sarif
from auditor.reporters import json as report_json
from auditor.reporters.cloud_names import cloud_type, resource_name, resource_type
from auditor.reporters.severities import DIALECTS
from auditor.reporters.summary import COUNTED, counted_as, summarize
from tests.reporters.fixture import clean_report, hostile_report, report
from tests.reporters.formats.reports import REPORTS, by_id

RENDER: dict[str, Callable[[Report], str]] = {
    "ndjson": ndjson.render,
    "ocsf": ocsf.render,
    "ecs": ecs.render,
    "sarif": sarif.render,
    "junit": junit.render,
    "codequality": codequality.render,
    "csv": csv.render,
    "markdown": markdown.render,
    "github": github.render,
    "step summary": github.step_summary,
    "prometheus": prometheus.render,
}

_LINES = {"csv": "\r\n"}
# Controls, half characters, bidirectional overrides, invisible characters; line feeds are looked at apart.
_ACTING = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2066-\u206f\ud800-\udfff\ufeff\ufffe\uffff\U000e0000-\U000e007f]"
)


@pytest.mark.parametrize("name", RENDER)
def test_nothing_a_tenant_wrote_acts_on_a_terminal(name: str) -> None:
    text = RENDER[name](hostile_report()).replace(_LINES.get(name, "\n"), "")
    assert not _ACTING.search(text)


@pytest.mark.parametrize("name", RENDER)
def test_documents_are_utf8_without_a_mark_and_the_same_each_time(name: str) -> None:
    for shown in REPORTS.values():
        text = RENDER[name](shown())
        assert text.encode("utf-8") and text[:1] != "\ufeff" and text.endswith("\n")
        assert text == RENDER[name](shown())


def test_the_reference_id() -> None:
    """The vector every release must reproduce."""
    assert (
        finding_id("SVC-003", "1234567890123456", "cn-hangzhou", "epsrv-hp3vpx8yqxblby3i0ga8")
        == "plf1-245ef68820cbd8766daf2c82ce025a54"
    )


def _ids(name: str, shown: Report) -> set[str]:
    return set(re.findall("plf1-[0-9a-f]{32}", RENDER[name](shown)))


def _wanted(name: str, finding: Finding) -> bool:
    if name in ("sarif", "codequality"):
        return counted_as(finding) == "fail"
    return name not in ("ocsf", "ecs") or finding.outcome is not Outcome.NOT_APPLICABLE


@pytest.mark.parametrize("name", ["ndjson", "ocsf", "ecs", "sarif", "codequality", "csv"])
@pytest.mark.parametrize("which", ["small", "all outcomes", "clean", "big"])
def test_every_format_names_the_same_findings(name: str, which: str) -> None:
    shown = REPORTS[which]()
    assert _ids(name, shown) == {f.id for f in summarize(shown).shown if _wanted(name, f)}


def test_junit_names_what_is_red() -> None:
    red = {f.id for f in report().findings if counted_as(f) in ("fail", "unknown")}
    assert _ids("junit", report()) == red


@pytest.mark.parametrize("which", REPORTS)
def test_every_format_counts_as_the_summary_does(which: str) -> None:
    shown = REPORTS[which]()
    summary = summarize(shown)
    counts = {name: summary.counts[name] for name in COUNTED}
    findings = by_id(shown)
    listed = Counter(counted_as(finding) for finding in summary.shown)

    document = json.loads(report_json.render(shown))
    assert {name: document["summary"][name] for name in COUNTED} == counts

    events = [json.loads(line) for line in ocsf.lines(shown)]
    assert (events[-1]["num_detections"], events[-1]["total"]) == (counts["fail"], summary.counts.total)
    assert events[-1]["num_skipped_items"] == len(summary.coverage.incomplete)
    told = Counter(counted_as(findings[event["finding_info"]["uid"]]) for event in events[1:-1])
    assert told == {name: number for name, number in listed.items() if name != "not_applicable"}

    lines = [json.loads(line) for line in ndjson.lines(shown)]
    assert Counter("waived" if line["waived"] else line["outcome"] for line in lines if "waived" in line) == listed

    samples = re.findall(r'outcome="([a-z_]+)"} (\d+)', prometheus.render(shown))
    measured = Counter[str]()
    for outcome, number in samples:
        measured[outcome] += int(number)
    assert measured == Counter(counts)

    root = ElementTree.fromstring(junit.render(shown))
    info = sum(counted_as(f) == "fail" and f.severity is Severity.INFO for f in summary.shown)
    assert (int(root.attrib["failures"]), int(root.attrib["errors"])) == (counts["fail"] - info, counts["unknown"])

    assert len(json.loads(codequality.render(shown))) == counts["fail"]
    assert len(json.loads(sarif.render(shown))["runs"][0]["results"]) == min(counts["fail"], sarif.MAX_RESULTS)
    row = " | ".join(f"**{counts[name]}**" for name in COUNTED)
    assert f"| **all** | {row} |" in markdown.render(shown)
    assert f"::{counts['fail']} failed, {counts['unknown']} unknown, {counts['waived']} waived" in github.render(shown)


def test_a_clean_report_lists_nothing() -> None:
    for name in ("sarif", "codequality", "csv", "junit"):
        assert _ids(name, clean_report()) == set()


def test_severities_are_those_of_the_table() -> None:
    rows = {
        severity.value: (d.ocsf_id, d.ocsf, d.sarif_level, d.sarif_score, d.gitlab, d.syslog, d.cef, d.ecs)
        for severity, d in DIALECTS.items()
    }
    assert rows == {
        "critical": (5, "Critical", "error", "9.5", "blocker", 2, 10, 99),
        "high": (4, "High", "error", "8.0", "critical", 3, 8, 73),
        "medium": (3, "Medium", "warning", "5.5", "major", 4, 5, 47),
        "low": (2, "Low", "note", "3.0", "minor", 5, 3, 21),
        "info": (1, "Informational", "note", None, "info", 6, 1, 1),
    }


@pytest.mark.parametrize(
    ("resource", "name", "type_"),
    [
        (
            ResourceRef("endpoint_services", "epsrv-hp3vpx8yqxblby3i0ga8", "1234567890123456", "cn-hangzhou"),
            "acs:privatelink:cn-hangzhou:1234567890123456:vpcendpointservice/epsrv-hp3vpx8yqxblby3i0ga8",
            "ACS::PrivateLink::VpcEndpointService",
        ),
        (
            ResourceRef("endpoints", "ep-1", None, None),
            "acs:privatelink:::vpcendpoint/ep-1",
            "ACS::PrivateLink::VpcEndpoint",
        ),
        (ResourceRef("load_balancers", "lb-1", "1", "r"), "acs:slb:r:1:loadbalancer/lb-1", "ACS::SLB::LoadBalancer"),
        (ResourceRef("load_balancers", "nlb-1", "1", "r"), "acs:nlb:r:1:loadbalancer/nlb-1", "ACS::NLB::LoadBalancer"),
        (ResourceRef("listeners", "lb-1:tcp:80", "1", "r"), "acs:slb:r:1:listener/lb-1:tcp:80", "ACS::SLB::Listener"),
        (ResourceRef("accounts", "1", "1", None), "acs:ram::1:account/1", "ACS::RAM::Account"),
        (ResourceRef("security_groups", "sg-1", "1", "r"), "acs:ecs:r:1:securitygroup/sg-1", "ACS::ECS::SecurityGroup"),
        (ResourceRef("vpcs", "vpc-1", "1", "r"), "acs:vpc:r:1:vpc/vpc-1", "ACS::VPC::VPC"),
        (ResourceRef("new_things", "x", "1", "r"), "acs:plaudit:r:1:newthing/x", "ACS::Plaudit::NewThing"),
    ],
)
def test_cloud_names(resource: ResourceRef, name: str, type_: str) -> None:
    assert (resource_name(resource), resource_type(resource)) == (name, type_)


def test_entries_keep_their_y() -> None:
    assert cloud_type(ResourceRef("acl_entries", "x", None, None)).type_word == "AclEntry"
    assert cloud_type(ResourceRef("health_status", "x", None, None)).type_word == "HealthStatus"
