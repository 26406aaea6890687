"""OCSF, ECS and NDJSON: schemas, limits and the life of a finding, event by event."""

from __future__ import annotations

import json
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest

from auditor.findings import Finding, Outcome, Read, Report, ResourceRef, Source, Waiver, finding_id
from auditor.reporters import ecs, ndjson, ocsf
from auditor.reporters.events import Known, Mode, known
from auditor.reporters.stream import MAX_BYTES, MAX_LEAVES, leaves
from tests.reporters import golden
from tests.reporters.fixture import CONSUMER, REFUSED, REGION, SHOP, ZONE, report
from tests.reporters.formats.reports import REPORTS
from tests.reporters.formats.schemas import check

FORMATS = {"ocsf": ocsf, "ecs": ecs, "ndjson": ndjson}

#: Required attributes of class 6007 and of what it holds (OCSF 1.8.0), and their types.
SCAN_ACTIVITY = {
    "activity_id": int,
    "category_uid": int,
    "class_uid": int,
    "metadata": dict,
    "metadata.product": dict,
    "metadata.version": str,
    "scan": dict,
    "scan.type_id": int,
    "severity_id": int,
    "time": int,
    "type_uid": int,
}
#: What else of the class is written.
SCAN_ACTIVITY_OPTIONAL = {
    "activity_name", "category_name", "class_name", "type_name", "time_dt", "severity", "status", "status_id",
    "message", "start_time", "start_time_dt", "end_time", "end_time_dt", "duration", "num_detections",
    "num_resolutions", "num_skipped_items", "total", "unmapped",
}  # fmt: skip
ACTIVITIES = {1: "Started", 2: "Completed", 6: "Error"}

OTHER = replace(ZONE, id="plf1-" + "1" * 32, resource=replace(SHOP, id="ep-other"), outcome=Outcome.PASS, related=())
LISTED = Read(CONSUMER, REGION, "privatelink:ListVpcEndpoints", "", True, None, None, None)


def events_of(module: ModuleType, shown: Report, **options: Any) -> list[dict[str, Any]]:
    """The events of a report; every line is checked for what all of them promise."""
    text = module.render(shown, **options)
    assert text.isascii() and text.endswith("\n") and "\r" not in text
    lines = text.split("\n")[:-1]
    read = [json.loads(line) for line in lines]
    for line, event in zip(lines, read, strict=True):
        assert len(line) < MAX_BYTES, f"{len(line)} bytes"
        assert leaves(event) <= MAX_LEAVES, f"{leaves(event)} leaf fields"
        assert line == json.dumps(event, sort_keys=True, separators=(",", ":")).replace("\x7f", "\\u007f")
        _no_nothing(event)
    return read


def _no_nothing(value: Any) -> None:
    assert value is not None and value != [] and value != {}
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _no_nothing(item)


def _at(event: dict[str, Any], path: str) -> Any:
    value: Any = event
    for key in path.split("."):
        value = value[key]
    return value


def check_scan_activity(event: dict[str, Any]) -> None:
    """Class 6007, from the table above."""
    for path, kind in SCAN_ACTIVITY.items():
        assert isinstance(_at(event, path), kind), path
    assert set(event) <= {key for key in SCAN_ACTIVITY if "." not in key} | SCAN_ACTIVITY_OPTIONAL
    assert event["class_uid"] == 6007 and event["category_uid"] == 6
    assert event["type_uid"] == 600700 + event["activity_id"]
    assert event["activity_name"] == ACTIVITIES[event["activity_id"]]
    assert event["time"] > 10**11 and event["metadata"]["version"] == "1.8.0"
    assert event["scan"]["uid"] == event["metadata"]["correlation_uid"]


def check_ocsf(event: dict[str, Any]) -> None:
    if event["class_uid"] == 6007:
        check_scan_activity(event)
    else:
        check("ocsf-1.8.0-compliance_finding.schema.json", event)


def check_ecs(event: dict[str, Any]) -> None:
    if event["event"]["dataset"] == "plaudit.run":
        assert {"@timestamp", "ecs", "event", "message", "observer", "plaudit"} <= set(event)
        assert event["event"]["kind"] == "event"
    else:
        check("ecs-9.4-finding.schema.json", event)


@pytest.mark.parametrize("name", REPORTS)
def test_every_ocsf_event_is_valid(name: str) -> None:
    for event in events_of(ocsf, REPORTS[name]()):
        check_ocsf(event)


@pytest.mark.parametrize("name", REPORTS)
def test_every_ecs_document_is_valid(name: str) -> None:
    for event in events_of(ecs, REPORTS[name]()):
        check_ecs(event)


@pytest.mark.parametrize("name", REPORTS)
def test_every_ndjson_line_has_the_members_of_its_type(name: str) -> None:
    for event in events_of(ndjson, REPORTS[name]()):
        assert {"schema_version", "type", "run_id", "time", "time_dt"} <= set(event)
        if event["type"] == "finding":
            assert {"id", "rule_id", "title", "severity", "basis", "outcome", "resource", "side", "waived"} <= set(
                event
            )


@pytest.mark.parametrize("name", FORMATS)
def test_the_events_look_as_they_did(name: str) -> None:
    golden.compare(f"report.{name}.ndjson", FORMATS[name].render(REPORTS["all outcomes"]()))


@pytest.mark.parametrize("name", FORMATS)
def test_lines_are_the_document(name: str) -> None:
    module = FORMATS[name]
    assert module.render(report()) == "".join(line + "\n" for line in module.lines(report()))


def test_the_time_of_an_event_is_the_moment_of_the_evaluation_twice() -> None:
    for event in events_of(ocsf, report())[:-1]:
        assert (event["time"], event["time_dt"]) == (1_785_557_820_000, "2026-08-01T04:17:00.000Z")


def test_ocsf_knows_no_outcome_that_does_not_apply() -> None:
    statuses = {e["compliance"]["status"] for e in events_of(ocsf, REPORTS["all outcomes"]()) if "compliance" in e}
    assert statuses == {"Pass", "Fail", "Unknown"}


def _life(before: Finding | None, now: Finding) -> list[dict[str, Any]]:
    previous = {before.id: known(before)} if before else {}
    shown = events_of(ocsf, report(findings=(now,)), previous=previous, mode=Mode.CHANGES)
    for event in shown:
        check_ocsf(event)
    return shown[1:-1]


def test_the_life_of_a_finding_in_ocsf() -> None:
    waived = replace(ZONE, waiver=Waiver("W", "Partner", "net@example.com", "2027-01-31"))
    passed = replace(ZONE, outcome=Outcome.PASS)
    unknown = replace(ZONE, outcome=Outcome.UNKNOWN, gaps=(REFUSED,))
    told = [
        (event["activity_name"], event["status"], event["compliance"]["status"])
        for before, now in ((None, ZONE), (ZONE, waived), (waived, unknown), (unknown, passed))
        for event in _life(before, now)
    ]
    assert told == [
        ("Create", "New", "Fail"),
        ("Update", "Suppressed", "Fail"),
        ("Update", "New", "Unknown"),
        ("Close", "Resolved", "Pass"),
    ]
    assert _life(ZONE, ZONE) == []


def test_an_unknown_outcome_says_why() -> None:
    (event,) = _life(None, replace(ZONE, outcome=Outcome.UNKNOWN, observed=None, reason="Not read.", gaps=(REFUSED,)))
    assert event["compliance"]["status_details"] == ["Not read.", REFUSED.message]
    assert event["severity"] == "Critical"


@pytest.mark.parametrize("name", FORMATS)
def test_a_resource_that_is_gone_closes_its_finding(name: str) -> None:
    before: dict[str, Known] = {ZONE.id: known(ZONE)}
    shown = report(findings=(OTHER,), reads=(LISTED,))
    _, event, last = events_of(FORMATS[name], shown, previous=before, mode=Mode.CHANGES)
    if name == "ocsf":
        check_ocsf(event)
        assert (event["activity_name"], event["status"], event["compliance"]["status"]) == (
            "Close",
            "Resolved",
            "Resource gone",
        )
        assert event["finding_info"]["uid"] == ZONE.id
        assert last["num_resolutions"] == 1
    elif name == "ecs":
        check_ecs(event)
        assert event["plaudit"]["outcome"] == "gone" and event["plaudit"]["finding"]["id"] == ZONE.id
    else:
        assert (event["activity"], event["outcome"], event["id"]) == ("close", "gone", ZONE.id)


def test_the_end_of_a_run_carries_its_numbers() -> None:
    first, *_, last = events_of(ocsf, report())
    assert "total" not in first
    numbers = {key: last[key] for key in ("num_detections", "num_resolutions", "num_skipped_items", "total")}
    assert numbers == {"num_detections": 5, "num_resolutions": 0, "num_skipped_items": 2, "total": 15}
    assert last["duration"] == 21_000


def test_not_applicable_outcomes_are_lines_without_activity() -> None:
    shown = [e for e in events_of(ndjson, REPORTS["all outcomes"]()) if e.get("outcome") == "not_applicable"]
    assert len(shown) == 1 and "activity" not in shown[0] and "event_uid" not in shown[0]


def _long(text: str, number: int) -> Finding:
    related = tuple(ResourceRef("endpoints", f"ep-{i}{text}", CONSUMER, REGION, text) for i in range(number))
    return replace(
        ZONE,
        title=text,
        rationale=text,
        observed=text,
        reason=text,
        related=related,
        resource=replace(SHOP, id="ep-" + text, name=text),
        gaps=(replace(REFUSED, message=text),) * number,
        sources=(Source(text, "https://example.com/" + text),) * number,
        evidence=(text,) * number,
        remediation=replace(ZONE.remediation, summary=text, cli=(text,) * number, terraform=text, console=text),
        waiver=Waiver(text, text, text, "2027-01-31", text),
    )


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("text", ["x" * 4_000, "東" * 4_000, "👩" * 4_000, '"\\' * 2_000, "\x00" * 4_000])
def test_long_events_are_cut_and_say_so(name: str, text: str) -> None:
    module = FORMATS[name]
    _, event, _ = events_of(module, report(findings=(_long(text, 40),)))
    if name == "ocsf":
        check_ocsf(event)
        mark = event["metadata"]
        assert event["finding_info"]["uid"] == ZONE.id
    elif name == "ecs":
        check_ecs(event)
        mark = event["plaudit"]
        assert mark["finding"]["id"] == ZONE.id
    else:
        mark = event
        assert event["id"] == ZONE.id
    assert mark["is_truncated"] is True and mark["untruncated_size"] > MAX_BYTES


@pytest.mark.parametrize("name", FORMATS)
def test_left_out_list_elements_are_marked_in_a_short_event(name: str) -> None:
    _, event, _ = events_of(FORMATS[name], report(findings=(_long("x", 40),)))
    mark = {"ocsf": event.get("metadata"), "ecs": event.get("plaudit"), "ndjson": event}[name]
    assert mark is not None and mark["is_truncated"] is True


def test_ids_of_ten_thousand_findings_and_their_events_are_unique() -> None:
    findings = []
    for index in range(10_000):
        resource = replace(SHOP, id=f"ep-{index // 10}")
        rule = f"ZONE-{index % 5:03d}"
        part = "b" if index % 10 > 4 else ""
        uid = finding_id(rule, CONSUMER, REGION, resource.id, part)
        findings.append(replace(ZONE, id=uid, rule_id=rule, resource=resource, part=part))
    shown = [json.loads(line) for line in ocsf.lines(report(findings=tuple(findings)))]
    assert len({event["finding_info"]["uid"] for event in shown[1:-1]}) == 10_000
    assert len({event["metadata"]["uid"] for event in shown}) == 10_002
