"""What an interrupted collection leaves behind is redacted too."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.cli import gathering, output
from auditor.cli.redacting import Redactor
from auditor.cli.terminal import Terminal
from auditor.collect.crawl import CollectInterrupted
from auditor.inventory.archive import load_snapshot
from auditor.simulator.scenarios import SCENARIOS
from auditor.spec import Spec
from tests.end_to_end.deployment import take


def test_an_interruption_saves_pseudonyms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot = take(SCENARIOS["tutorial"]())

    def interrupted(*_: object, **__: object) -> None:
        raise CollectInterrupted(2, snapshot)

    monkeypatch.setattr("auditor.collect.crawl.collect", interrupted)
    redactor = Redactor.opened("", Terminal())
    path = tmp_path / "partial.snapshot"
    with output.opened((), path) as outputs, pytest.raises(CollectInterrupted):
        gathering.collect_snapshot(
            gathering.Cloud(), [], Terminal(), tables=None, spec=Spec(), save=outputs.save, redactor=redactor
        )
    kept = load_snapshot(path)
    assert len(kept["endpoints"]) == len(snapshot["endpoints"]) > 0
    assert not set(kept["endpoints"]["endpoint_id"]) & set(snapshot["endpoints"]["endpoint_id"])
