"""`--side`: every document is that of one side, and the run ends as the whole scan does."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from auditor.simulator.scenarios import THIRD
from tests.cli.conftest import Answer, Cloud
from tests.end_to_end.deployment import CONSUMER, PROVIDER

Plaudit = Callable[..., Answer]
Start = Callable[..., Cloud]


def test_every_document_is_that_of_one_side(plaudit: Plaudit, cloud: Start) -> None:
    options = (*cloud("broken").all, "--format", "json=r.json", "--format", "csv=r.csv", "--format", "html=r.html")
    answer = plaudit("scan", *options, "--side", "consumer", "--save", "s.snapshot", "-q")
    assert answer.code == 3
    report = json.loads(Path("r.json").read_text(encoding="utf-8"))
    assert report["summary"]["exit"]["code"] == 3
    assert [account["account_id"] for account in report["scan"]["accounts"]] == [CONSUMER]
    for name in ("r.json", "r.csv", "r.html"):
        text = Path(name).read_text(encoding="utf-8")
        assert "sg-gw8media" in text or name == "r.html"
        assert "lb-gw8audit" not in text
        assert "rsp-gw8audit9090" not in text
    again = plaudit("scan", "--from", "s.snapshot", "--side", f"provider:{PROVIDER}", "--format", "json", "-q")
    assert again.code == 3
    assert "lb-gw8audit" in again.out
    assert "sg-gw8media" not in again.out


def test_the_exit_code_is_that_of_the_whole_scan(plaudit: Plaudit, cloud: Start) -> None:
    """Only the provider has something to mend: the consumer's run still ends in 3."""
    options = (*cloud("broken").all, "--select", "RES-003", "--side", "consumer", "--format", "json")
    answer = plaudit("scan", *options)
    assert answer.code == 3
    assert answer.json["summary"]["exit"]["code"] == 3
    assert [finding["resource"]["id"] for finding in answer.json["findings"]] == ["epsrv-gw8search"]


def test_whose_page_it_is_has_to_be_clear(plaudit: Plaudit, cloud: Start) -> None:
    options = (*cloud("three-accounts").all, "--select", "RES")
    answer = plaudit("scan", *options, "--side", "consumer")
    assert answer.code == 2
    assert f"--side consumer:{CONSUMER}" in answer.err
    assert plaudit("scan", *options, "--side", "both").code == 2
    assert plaudit("scan", *options, "--side", "consumer:").code == 2
    assert plaudit("scan", *options, "--side", f"consumer:{CONSUMER},{THIRD}", "-q").code == 0
