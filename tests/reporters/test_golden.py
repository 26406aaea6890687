"""Every format has a golden file, and one that changed says how it is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.cli.formats import FORMATS
from tests.reporters import golden

#: Names of files by format, where they are not `report.<format>`.
NAMES = {
    "table": "report.txt",
    "ndjson": "report.ndjson.ndjson",
    "ocsf": "report.ocsf.ndjson",
    "ecs": "report.ecs.ndjson",
    "junit": "report.junit.xml",
    "codequality": "report.codequality.json",
    "markdown": "report.md",
    "github": "report.annotations.txt",
    "prometheus": "report.prom",
}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_has_a_file(name: str) -> None:
    assert (golden.FOLDER / NAMES.get(name, f"report.{name}")).stat().st_size > 0


def test_a_change_says_how_to_write_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("PLAUDIT_WRITE_GOLDEN", raising=False)
    monkeypatch.setattr(golden, "FOLDER", tmp_path)
    with pytest.raises(AssertionError, match=golden.REFRESH):
        golden.compare("report.new", "text")
    monkeypatch.setenv("PLAUDIT_WRITE_GOLDEN", "1")
    golden.compare("report.new", "text")
    monkeypatch.delenv("PLAUDIT_WRITE_GOLDEN")
    golden.compare("report.new", "text")
    with pytest.raises(AssertionError, match=r"report\.new changed"):
        golden.compare("report.new", "text\n")
