"""Hostile text becomes visible and harmless, and lines keep their width."""

from __future__ import annotations

import sys
import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.reporters.text import clip, inert, inert_lines, middle, pad, width, wrap
from tests.hostile import HOSTILE


def test_everything_that_acts_is_escaped() -> None:
    acting = [chr(code) for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) in _ACTING]
    assert [char for char in acting if inert(char) == char] == []


_ACTING = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_inert_is_one_encodable_line_and_settled(text: str) -> None:
    shown = inert(text)
    assert shown.encode() and len(shown.splitlines()) == 1
    assert inert(shown) == shown


def test_the_escape_says_what_was_there() -> None:
    assert inert("\x1b[31m\u202e\x00\n\U000e0041\ud83d") == "\\x1b[31m\\u202e\\x00\\n\\U000e0041\\ud83d"
    assert inert_lines("a\n\tb") == "a\n\\tb"


@pytest.mark.parametrize("text", ["plain", "東京 エンドポイント", "🏴 ok", "café", "résumé — naïve", "{{ x }} <b>"])
def test_ordinary_text_stays(text: str) -> None:
    assert inert(text) == text


def test_wide_characters_take_two_columns() -> None:
    assert width("東京") == 4
    assert width("e\u0301") == 1
    assert pad("東京", 6) == "東京  "
    assert clip("東京エンド", 7) == "東京.."
    assert middle("epsrv-m5e0123456789", 11) == "epsrv…56789"


@settings(max_examples=150)
@given(st.text(max_size=120), st.integers(min_value=2, max_value=50))
def test_wrapped_lines_fit_and_lose_nothing(text: str, columns: int) -> None:
    lines = wrap(inert(text), columns)
    assert all(width(line) <= columns for line in lines)
    assert "".join("".join(lines).split()) == "".join(inert(text).split())
    assert width(clip(inert(text), columns)) <= columns
    assert width(middle(inert(text), columns)) <= columns


JAPANESE = (
    "エンドポイントep-gw8shopのゾーンeu-central-1bには、サービスepsrv-m5e0ordersの"
    "サービスリソースがありません（lb-m5eorders1）。"
)


@pytest.mark.parametrize("columns", [20, 24, 33, 80])
def test_ids_inside_text_without_spaces_stay_whole(columns: int) -> None:
    lines = wrap(JAPANESE, columns)
    assert "".join(lines) == JAPANESE
    assert all(width(line) <= columns for line in lines)
    for name in ("ep-gw8shop", "eu-central-1b", "epsrv-m5e0orders", "lb-m5eorders1"):
        assert any(name in line for line in lines), lines
    assert not [line for line in lines if line[0] in "、。）" or line[-1] == "（"]
    # lines are filled: only an id that does not fit leaves room
    assert columns < 80 or len(lines) == 2


def test_the_middle_of_long_wide_text_is_left_out_quickly() -> None:
    began = time.process_time()
    assert middle("注" * 200_000 + "文", 9) == "注注…注文"
    assert time.process_time() - began < 2
