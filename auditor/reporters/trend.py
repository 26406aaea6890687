"""The trend of past scans as a small SVG picture: no script, no style, and every number of it in words too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from auditor.languages import ENGLISH, Language
from auditor.reporters.text import inert

_WIDTH, _HEIGHT, _LEFT, _TOP = 560, 120, 40, 12


def points(report_extra: Mapping[str, object]) -> list[Mapping[str, Any]]:
    """The runs of `extra["trend"]`, oldest first; nothing where no history was kept."""
    trend = report_extra.get("trend")
    return [point for point in trend if isinstance(point, Mapping)] if isinstance(trend, (list, tuple)) else []


def svg(runs: Sequence[Mapping[str, Any]], language: Language = ENGLISH) -> str:
    """Open failures per scan, all of them and those that are critical or high; the empty text for fewer than two."""
    if len(runs) < 2:
        return ""
    every = [int(run["fail"]) for run in runs]
    worst = [int(run["critical"]) + int(run["high"]) for run in runs]
    top = max(*every, *worst, 1)
    step = (_WIDTH - _LEFT - 10) / (len(runs) - 1)

    def line(values: Sequence[int]) -> str:
        return " ".join(
            f"{_LEFT + step * place:.1f},{_TOP + (_HEIGHT - 2 * _TOP) * (1 - value / top):.1f}"
            for place, value in enumerate(values)
        )

    return (
        f'<svg class="trend" role="img" width="{_WIDTH}" height="{_HEIGHT}" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'aria-label="{escape(sentence(runs, language))}">'
        f'<path d="M{_LEFT} {_HEIGHT - _TOP}H{_WIDTH - 10}M{_LEFT} {_TOP}V{_HEIGHT - _TOP}" fill="none" '
        'stroke="currentColor" stroke-opacity="0.4"/>'
        f'<text x="{_LEFT - 6}" y="{_TOP + 4}" text-anchor="end" font-size="11">{top}</text>'
        f'<text x="{_LEFT - 6}" y="{_HEIGHT - _TOP + 4}" text-anchor="end" font-size="11">0</text>'
        f'<polyline points="{line(every)}" fill="none" stroke="currentColor" stroke-width="1.5" '
        'stroke-dasharray="5 3"/>'
        f'<polyline points="{line(worst)}" fill="none" stroke="currentColor" stroke-width="2.5"/>'
        "</svg>"
    )


def sentence(runs: Sequence[Mapping[str, Any]], language: Language = ENGLISH) -> str:
    """What the picture shows, in one sentence."""
    first, last = runs[0], runs[-1]
    worst = [int(run["critical"]) + int(run["high"]) for run in (first, last)]
    return language.text(
        "From {start} to {end}, over {n} scans, open failures went from {before} to {now} (dashed), "
        "those that are critical or high from {worst_before} to {worst_now}.",
        start=inert(str(first["at"])),
        end=inert(str(last["at"])),
        n=len(runs),
        before=first["fail"],
        now=last["fail"],
        worst_before=worst[0],
        worst_now=worst[1],
    )
