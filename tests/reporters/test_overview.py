"""The picture of all connections: a line each, then one per account and service, then one per pair of accounts."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from xml.etree import ElementTree

import pytest

from auditor.findings import ResourceRef
from auditor.reporters.connections import STATUSES, Group
from auditor.reporters.overview import ROWS, Overview, overview
from tests.hostile import HOSTILE

STATUS_OF = ("clean", "clean", "broken", "clean", "attention", "clean", "unknown")


def connections(number: int, *, consumers: int, providers: int, services: int, name: str = "shop") -> Iterator[Group]:
    """`number` connections of so many accounts; `services` per provider.  Every pair occurs as evenly as can be."""
    for index in range(number):
        consumer = f"1{index % consumers:015d}"
        provider = index // consumers % providers
        service = index // (consumers * providers) % services
        yield Group(
            kind="connection",
            key=f"ep-{index:04d}",
            status=STATUS_OF[index % len(STATUS_OF)],
            region_id="eu-central-1",
            endpoint=ResourceRef("endpoints", f"ep-{index:04d}", consumer, "eu-central-1", f"{name}-{index}"),
            service=ResourceRef("endpoint_services", f"epsrv-{provider}-{service}", f"6{provider:015d}", None, None),
            consumer_account_id=consumer,
            provider_account_id=f"6{provider:015d}",
            findings=(),
            shared=(),
            paths=(),
            counts=Counter({"pass": 1}),
            turns=(),
        )


def drawn(groups: Sequence[Group]) -> Overview:
    targets = {group.key: f"c{number}" for number, group in enumerate(groups)}
    picture = overview(groups, targets)
    assert picture is not None
    return picture


def total(picture: Overview) -> Counter[str]:
    found = Counter[str]()
    for line in picture.lines:
        found.update(line.statuses)
    return found


def texts(picture: Overview) -> list[str]:
    return ["".join(node.itertext()) for node in ElementTree.fromstring(picture.svg).iter("text")]


def test_up_to_the_limit_each_has_a_line() -> None:
    groups = list(connections(ROWS, consumers=2, providers=2, services=2))
    picture = drawn(groups)
    assert (len(picture.lines), picture.collapsed, picture.left_out) == (ROWS, "", 0)
    assert {line.target for line in picture.lines} == {f"c{number}" for number in range(ROWS)}
    assert picture.svg.count("<a ") == ROWS
    assert picture.svg.count('class="wire"') == ROWS


def test_one_more_and_endpoints_of_an_account_at_a_service_share_a_line() -> None:
    groups = list(connections(ROWS + 1, consumers=3, providers=2, services=3))
    picture = drawn(groups)
    assert picture.collapsed == "endpoints of one account at one endpoint service share a line"
    assert len(picture.lines) == 3 * 2 * 3
    assert picture.left_out == 0
    assert total(picture) == Counter(group.status for group in groups)
    assert picture.svg.count('class="wire"') == 18
    assert picture.svg.count("<a ") == 0  # no card stands for several
    said = texts(picture)
    assert {"2 endpoints", "3 endpoints"} <= set(said)
    # six services on the right, each once, although three accounts use each
    assert Counter(text for text in said if text.startswith("epsrv-")) == Counter(
        f"epsrv-{provider}-{service}epsrv-{provider}-{service}" for provider in range(2) for service in range(3)
    )


def test_above_that_two_accounts_share_one() -> None:
    groups = list(connections(600, consumers=5, providers=4, services=25))
    picture = drawn(groups)
    assert picture.collapsed == "all connections between two accounts share a line"
    assert len(picture.lines) == 20
    assert picture.left_out == 0
    assert total(picture) == Counter(group.status for group in groups)
    assert {line.endpoint for line in picture.lines} == {"30 endpoints"}
    assert {line.service for line in picture.lines} == {"25 endpoint services"}
    assert len(picture.svg) < 40_000
    words = picture.lines[0].words()
    assert re.fullmatch(r"\d+ broken, \d+ needs a fix, \d+ not decided, \d+ no fault found", words), words


def test_what_is_still_too_much_is_counted_and_the_worst_stay() -> None:
    groups = list(connections(3000, consumers=60, providers=5, services=1))
    picture = drawn(groups)
    assert len(picture.lines) == ROWS
    assert picture.left_out == 3000 - sum(total(picture).values()) > 0
    ranks = [STATUSES.index(line.status) for line in picture.lines]
    assert ranks == sorted(ranks)
    everything = drawn([group for group in groups if group.status == "broken"])
    assert picture.lines[0].statuses["broken"] == everything.lines[0].statuses["broken"]


def test_a_line_of_several_has_the_worst_status() -> None:
    groups = list(connections(ROWS + 30, consumers=1, providers=1, services=1))
    picture = drawn(groups)
    (line,) = picture.lines
    assert line.status == "broken"
    assert sum(line.statuses.values()) == ROWS + 30
    assert f">{ROWS + 30} endpoints</text>" in picture.svg
    assert f">{line.statuses['broken']} broken</text>" in picture.svg
    assert "stroke-dasharray" in picture.svg


@pytest.mark.parametrize("number", [3, ROWS + 5, 400])
def test_hostile_names_at_every_size(number: int) -> None:
    text = HOSTILE["end of an attribute"] + HOSTILE["right-to-left override"] + HOSTILE["null"]
    picture = drawn(list(connections(number, consumers=3, providers=3, services=number // 9 + 1, name=text)))
    root = ElementTree.fromstring(picture.svg)
    assert {node.tag for node in root.iter()} <= {"svg", "g", "rect", "text", "path", "circle", "title", "a"}
    assert "\u202e" not in picture.svg


@pytest.mark.parametrize("number", [12, ROWS + 5, 400])
def test_nothing_overlaps(number: int) -> None:
    """Rows and boxes of one side do not touch, and all lie inside the picture."""
    picture = drawn(list(connections(number, consumers=7, providers=3, services=4)))
    root = ElementTree.fromstring(picture.svg)
    width, height = (float(value) for value in root.attrib["viewBox"].split()[2:])
    boxes: dict[str, list[tuple[float, float]]] = {}
    for box in root.iter("rect"):
        if box.attrib.get("class") == "frame":
            y = float(box.attrib["y"])
            boxes.setdefault(box.attrib["x"], []).append((y, y + float(box.attrib["height"])))
    assert len(boxes) == 2
    for spans in boxes.values():
        spans.sort()
        assert all(first[1] < second[0] for first, second in itertools.pairwise(spans))
        assert spans[0][0] >= 0
        assert spans[-1][1] <= height
    names = [node for node in root.iter("text") if node.attrib.get("class") == "name"]
    for x in {node.attrib["x"] for node in names}:
        rows = sorted(float(node.attrib["y"]) for node in names if node.attrib["x"] == x)
        assert all(after - before >= 20 for before, after in itertools.pairwise(rows))
    assert all(float(node.attrib["x"]) < width for node in names)


def test_the_same_picture_whatever_the_order() -> None:
    groups = list(connections(90, consumers=3, providers=2, services=3))
    assert drawn(groups).svg == drawn(groups[::-1]).svg
