"""The output formats by name: where each renderer is, loaded when it is used."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from auditor.findings import Report

#: What a format makes: text, bytes, or the files of a folder (name → content).
Document: TypeAlias = str | bytes | Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of a format: the parameter of its renderer, what kind of value it takes, and what it does."""

    parameter: str
    kind: Literal["flag", "text", "file"]
    help: str

    def read(self, word: str) -> bool | str:
        """The value of a word.  Raises ValueError with what to write, and UsageError for a file that is none."""
        if self.kind == "file":
            from auditor.reporters.sarif import anchor_uri

            anchor_uri(word)
            return word
        if self.kind == "text":
            if not word.strip():
                raise ValueError("is empty")
            return word
        if word.lower() not in ("yes", "no"):
            raise ValueError(f"is yes or no, not {word!r}")
        return word.lower() == "yes"


@dataclass(frozen=True, slots=True)
class Format:
    """One output format.  `last` is written after the others: it says which of them could not be written."""

    module: str
    media_type: str
    last: bool = False
    settings: Mapping[str, Setting] = field(default_factory=dict)
    function: str = "render"

    def render(self, report: Report, settings: Mapping[str, Any]) -> Document:
        """The document; of `settings` (width, color, lang, those of the format) the renderer gets those it takes."""
        function = getattr(importlib.import_module(self.module), self.function)
        taken = inspect.signature(function).parameters
        result: Document = function(report, **{key: value for key, value in settings.items() if key in taken})
        return result


_ANCHOR = Setting("anchor", "file", "file of the repository that results point at; default plaudit.yaml")

FORMATS: dict[str, Format] = {
    "table": Format("auditor.reporters.table", "text/plain"),
    "html": Format("auditor.reporters.html", "text/html"),
    "json": Format("auditor.reporters.json", "application/json", last=True),
    "ndjson": Format("auditor.reporters.ndjson", "application/x-ndjson"),
    "ocsf": Format("auditor.reporters.ocsf", "application/x-ndjson"),
    "ecs": Format("auditor.reporters.ecs", "application/x-ndjson"),
    "sarif": Format(
        "auditor.reporters.sarif",
        "application/sarif+json",
        settings={
            "anchor": _ANCHOR,
            "waived": Setting("waived", "flag", "accepted failures too, as suppressed results"),
            "github": Setting(
                "github", "flag", "no: unknown outcomes too, for consumers that know `kind`; default yes"
            ),
            "category": Setting("category", "text", "tells uploads of several audits apart; default scan"),
        },
    ),
    "junit": Format(
        "auditor.reporters.junit",
        "application/xml",
        settings={"all": Setting("junit_all", "flag", "passing and not applicable cases too")},
    ),
    "codequality": Format("auditor.reporters.codequality", "application/json", settings={"anchor": _ANCHOR}),
    "csv": Format("auditor.reporters.csv", "text/csv"),
    "markdown": Format("auditor.reporters.markdown", "text/markdown"),
    "github": Format(
        "auditor.reporters.github",
        "text/plain",
        settings={
            "anchor": _ANCHOR,
            "summary": Setting("summary", "flag", "append the job summary to $GITHUB_STEP_SUMMARY too"),
        },
    ),
    "prometheus": Format("auditor.reporters.prometheus", "text/plain"),
}

#: What is written by an option of its own.
HTML_DIR = "html-dir"
OTHERS: dict[str, Format] = {HTML_DIR: Format("auditor.reporters.html", "text/html", function="render_dir")}


def format_named(name: str) -> Format:
    """A format, or what an option of its own writes."""
    return FORMATS.get(name) or OTHERS[name]


def setting_names() -> list[str]:
    """Every `FORMAT.SETTING` there is."""
    return [f"{name}.{key}" for name, chosen in FORMATS.items() for key in chosen.settings]
