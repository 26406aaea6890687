"""Lines of JSON: compact, ASCII, sorted, bounded."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.reporters.stream import MAX_BYTES, bounded, document, encode, leaves, pruned
from tests.hostile import HOSTILE


def mark(event: dict[str, Any], size: int) -> None:
    event |= {"is_truncated": True, "untruncated_size": size}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_line_is_one_line_of_ascii_that_strict_parsers_read(text: str) -> None:
    line = encode({"b": text, "a": [text]})
    assert line.isascii() and "\n" not in line and "\x7f" not in line and "\x1b" not in line
    read = json.loads(line)
    assert list(read) == ["a", "b"]
    assert read["b"].encode()  # no half characters
    if "\ud83d" not in text:
        assert read["b"] == text


def test_what_says_nothing_is_left_out() -> None:
    event = {"a": None, "b": [], "c": {}, "d": {"e": None}, "f": [None, {"g": None, "h": 0}], "i": "", "j": False}
    assert pruned(event) == {"f": [{"h": 0}], "i": "", "j": False}


def test_every_line_is_terminated() -> None:
    assert document(["{}", "{}"]) == "{}\n{}\n"


def test_leaves_are_counted() -> None:
    assert leaves({"a": 1, "b": [1, {"c": "x", "d": []}]}) == 3


def test_a_short_event_is_not_touched() -> None:
    assert bounded({"a": "x"}, ("a",), mark) == '{"a":"x"}'


def test_members_are_dropped_before_texts_are_cut() -> None:
    event = {"data": {"raw": "x" * 9_000, "kept": 1}, "message": "m" * 500}
    read = json.loads(bounded(event, ("data.raw", "message"), mark))
    assert read == {"data": {"kept": 1}, "message": "m" * 500, "is_truncated": True, "untruncated_size": 9_542}


def test_what_was_left_out_by_the_caller_is_marked() -> None:
    assert json.loads(bounded({}, (), mark, cut=True)) == {"is_truncated": True, "untruncated_size": 3}


@settings(max_examples=12, deadline=None)
@given(
    st.text(st.characters(), min_size=40, max_size=60),
    st.integers(1, 170),
    st.integers(1, 20),
)
def test_every_event_of_many_texts_fits_and_keeps_its_ids(text: str, number: int, times: int) -> None:
    uid = "plf1-" + "0" * 32
    event: dict[str, Any] = {"uid": uid, "texts": [text * times for _ in range(number)]}
    line = bounded(event, (), mark)
    assert len(line) < MAX_BYTES
    assert json.loads(line)["uid"] == uid
