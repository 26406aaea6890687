"""docs/fix.md says what the command does: its transcript is run, its tables are compared."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from auditor.fixes.operations import OPERATIONS
from auditor.fixes.plan import FixKind
from auditor.inventory.archive import write_snapshot
from auditor.simulator.broken import broken
from tests.cli.conftest import Answer
from tests.end_to_end.deployment import take

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "fix.md").read_text(encoding="utf-8")


def test_the_transcript_is_what_the_command_prints(
    plaudit: Callable[..., Answer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    found = re.search(r"^```text\n\$ plaudit (fix [^\n]*)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None
    write_snapshot(take(broken()), tmp_path / "s")
    answer = plaudit(*found[1].split(), "--from", str(tmp_path / "s"))
    assert answer.out == found[2]
    assert answer.code == 0


def test_every_operation_is_listed() -> None:
    listed = dict(re.findall(r"^\* \[`([^`]+)`\]\((https://[^)]+)\): ", PAGE, re.MULTILINE))
    assert listed == {name: entry.source.url for name, entry in OPERATIONS.items()}


def test_every_kind_is_explained() -> None:
    assert set(re.findall(r"^\| `([a-z_]+)` \| ", PAGE, re.MULTILINE)) >= {kind.value for kind in FixKind}
