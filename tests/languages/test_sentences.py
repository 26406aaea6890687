"""Sentences put together elsewhere: matched with their patterns, values untouched, or left English whole."""

from __future__ import annotations

import time

import pytest

from auditor.languages import Language, placeholders
from auditor.sentences import Sentences, compiled, lines
from tests.hostile import HOSTILE
from tests.languages import corpus

PATTERNS = lines()


def _marked(english: str) -> str:
    """A translation in which nothing English is left but the places: `«{a}·{b}»`."""
    return "«" + "·".join("{" + name + "}" for name in sorted(placeholders(english))) + "»" + str(len(english))


SHOWN = Sentences(_marked, "zh")


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_holds_at_most_two_places_for_anything(pattern: str) -> None:
    names = placeholders(pattern)
    assert sum(name.startswith(("any", "said")) for name in names) <= 2
    # two places side by side could not be told apart
    assert "}{" not in pattern


def test_every_pattern_stands_once() -> None:
    assert sorted(PATTERNS) == sorted(set(PATTERNS))


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_matches_its_own_sentence_and_keeps_the_values(pattern: str) -> None:
    values = {name: _value(name) for name in placeholders(pattern)}
    sentence = pattern
    for name, value in values.items():
        sentence = sentence.replace("{" + name + "}", value)
    match = compiled(pattern).regex.fullmatch(sentence)
    assert match is not None and match.groupdict() == values
    assert SHOWN.translated(sentence).startswith("«")


def _value(name: str) -> str:
    if name.rstrip("0123456789") == "n":
        return "17"
    if name.rstrip("0123456789") == "list":
        return "10.0.0.0/8, 10.1.0.0/16"
    if name.startswith("said"):
        return "no security group"
    return "any words" if name.startswith("any") else f"{name}-0x"


@pytest.mark.parametrize("sentence", sorted(corpus.of_examples()))
def test_every_sentence_of_an_example_has_a_pattern_or_is_data(sentence: str) -> None:
    _has_a_pattern(sentence)


def test_every_sentence_of_a_scenario_has_a_pattern_or_is_data() -> None:
    for sentence in corpus.of_scenarios():
        _has_a_pattern(sentence)


def _has_a_pattern(sentence: str) -> None:
    said = SHOWN.translated(sentence)
    if said == sentence:
        assert all(_is_datum(word) for word in sentence.split(", ")), f"no pattern for {sentence!r}"


def _is_datum(text: str) -> bool:
    return " " not in text.strip(".")


@pytest.mark.parametrize("name", [text for text in HOSTILE if text])
def test_a_value_is_carried_over_as_it_is(name: str) -> None:
    said = Sentences(_marked, "ja").translated(f"profile {name} could not be used (Forbidden.RAM)")
    assert name in said or said == f"profile {name} could not be used (Forbidden.RAM)"


@pytest.mark.parametrize("name", ["{code}", "{any}", "%s", "{0}", "{", "}", r"\1", "\\g<0>", "<b>x</b>"])
def test_a_value_that_looks_like_a_place_is_text(name: str) -> None:
    assert name in SHOWN.translated(f"profile {name} could not be used (Forbidden.RAM)")


def test_a_sentence_with_an_unknown_part_stays_english_whole() -> None:
    sentence = "no security group; the moon is in the way of it"
    assert SHOWN.translated(sentence) == sentence
    assert SHOWN.translated("rule sgr-1: the moon is in the way of it") == "rule sgr-1: the moon is in the way of it"


def test_parts_are_translated_each() -> None:
    assert SHOWN.translated("no security group; no zone").count("«") == 2
    assert "；" in SHOWN.translated("no security group; no zone")


def test_rows_of_ids_stay_as_they_are() -> None:
    for row in ("ep-1, ep-2", "eu-central-1a; eu-central-1b", "10.0.0.0/8", "lb-1:tcp:80"):
        assert SHOWN.translated(row) == row


def test_matching_takes_no_longer_than_the_text_allows() -> None:
    began = time.monotonic()
    for text in ("a " * 900, "is " * 600, "profile " + "x could not be used (" * 80, ": " * 900, "; ".join("ab" * 400)):
        Sentences(_marked, "ja").translated(text)
    assert time.monotonic() - began < 5


def test_english_is_said_as_it_is() -> None:
    assert Language("en").said("no security group") == "no security group"
