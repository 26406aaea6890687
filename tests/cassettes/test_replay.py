"""Replays whole two-account scans with the network blocked, and looks for anything secret in the recordings."""

from __future__ import annotations

import json
import re
import socket
from pathlib import Path
from typing import Any, NoReturn

import pytest
import vcr.cassette

from auditor.collect.accounts import load_profiles
from auditor.collect.crawl import collect
from auditor.engine import judge, load_rules
from auditor.findings import Outcome
from auditor.spec import Spec
from tests.cassettes.recorder import recorder

FOLDER = Path(__file__).resolve().parent
CASSETTES = sorted(FOLDER.glob("*.yaml"))

#: Not the keys that recorded: a replay needs none, but the client signs with something.
PROFILES = {
    "current": "provider",
    "profiles": [
        {"name": name, "mode": "AK", "access_key_id": f"replay-{name}", "access_key_secret": "replay", "region_id": "eu-central-1"}
        for name in ("provider", "consumer")
    ],
}  # fmt: skip


def _blocked(*_args: Any, **_kwargs: Any) -> NoReturn:
    raise AssertionError("a replay reached for the network")


@pytest.mark.parametrize("path", CASSETTES, ids=lambda path: path.stem)
def test_a_scan_replays_without_a_network(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    config = tmp_path / "config.json"
    config.write_text(json.dumps(PROFILES), encoding="utf-8")
    config.chmod(0o600)
    monkeypatch.setattr(socket.socket, "connect", _blocked)
    monkeypatch.setattr(socket, "getaddrinfo", _blocked)
    with recorder().use_cassette(str(path)) as cassette:
        snapshot = collect(
            load_profiles(config, ["provider", "consumer"]), endpoint_url="http://127.0.0.1:9", concurrency=1
        )
    assert isinstance(cassette, vcr.cassette.Cassette)
    assert cassette.all_played
    assert snapshot.coverage["complete"].all()
    findings = judge(snapshot, load_rules(), Spec())
    found = sorted(f"{f.rule_id} {f.resource.id}" for f in findings if f.outcome is Outcome.FAIL)
    expected = json.loads((FOLDER / "failures.json").read_text(encoding="utf-8"))
    assert found == expected[path.stem]


def test_every_recording_is_there() -> None:
    assert {path.stem for path in CASSETTES} == set(json.loads((FOLDER / "failures.json").read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", CASSETTES, ids=lambda path: path.stem)
def test_a_recording_holds_nothing_secret(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for pattern in (r"LTAI\w", r"(?i)authorization", r"(?i)signature=", r"(?i)security-token", r"(?i)accesskey",
                    r"(?i)nonce", r"STS\.\w", r"127\.0\.0\.1", r"EncodedDiagnosticMessage"):  # fmt: skip
        assert re.search(pattern, text) is None, pattern
    assert "x-acs-action" in text
