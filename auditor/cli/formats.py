"""The output formats by name: where each renderer is, loaded when it is used."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from auditor.findings import Report


@dataclass(frozen=True, slots=True)
class Format:
    """One output format.  `last` is written after the others: it says which of them could not be written."""

    module: str
    media_type: str
    last: bool = False

    def render(self, report: Report, settings: Mapping[str, Any]) -> str | bytes:
        """The document; of `settings` (width, color, lang) the renderer gets those it takes."""
        function = importlib.import_module(self.module).render
        taken = inspect.signature(function).parameters
        result: str | bytes = function(report, **{key: value for key, value in settings.items() if key in taken})
        return result


FORMATS: dict[str, Format] = {
    "table": Format("auditor.reporters.table", "text/plain"),
    "html": Format("auditor.reporters.html", "text/html"),
    "json": Format("auditor.reporters.json", "application/json", last=True),
    "ndjson": Format("auditor.reporters.ndjson", "application/x-ndjson"),
    "ocsf": Format("auditor.reporters.ocsf", "application/x-ndjson"),
    "ecs": Format("auditor.reporters.ecs", "application/x-ndjson"),
    "sarif": Format("auditor.reporters.sarif", "application/sarif+json"),
    "junit": Format("auditor.reporters.junit", "application/xml"),
    "codequality": Format("auditor.reporters.codequality", "application/json"),
    "csv": Format("auditor.reporters.csv", "text/csv"),
    "markdown": Format("auditor.reporters.markdown", "text/markdown"),
    "github": Format("auditor.reporters.github", "text/plain"),
    "prometheus": Format("auditor.reporters.prometheus", "text/plain"),
}
