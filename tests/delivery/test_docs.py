"""docs/siem.md says what the program does: its example is read, its keys and variables are those of the settings."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from auditor.delivery import settings
from auditor.delivery.dispatch import BATCH_EVENTS
from auditor.delivery.patience import TIMEOUT
from auditor.delivery.spool import MAX_AGE, MAX_BYTES

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "siem.md").read_text(encoding="utf-8")


def test_the_example_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    match = re.search(r"```yaml\n(.*?)```", PAGE, re.S)
    assert match is not None
    text = match[1].replace("/etc/plaudit/", f"{tmp_path}/")
    for name in ("hec.token", "hook.address", "hook.key"):
        (tmp_path / name).write_text("https://hooks.example/x")
        (tmp_path / name).chmod(0o600)
    for name in ("SEARCH_API_KEY", "SLS_KEY_ID", "SLS_KEY_SECRET"):
        monkeypatch.setenv(name, "0123456789")
    path = tmp_path / "sinks.yaml"
    path.write_text(text)
    kinds = {sink.kind for sink in settings.load_file(path, pytest.fail)}
    assert kinds == set(settings.Kind) - {settings.Kind.STDOUT}


def test_every_key_and_variable_is_on_the_page() -> None:
    for kind in settings.Kind:
        for key in settings._TEXTS[kind]:
            assert f"`{key}`" in PAGE, key
        for key in settings._SECRETS[kind]:
            if key != "url":
                assert settings.variable(kind, key) in PAGE
                assert f"`{key}`" in PAGE


def test_limits_are_those_of_the_code() -> None:
    assert f"{MAX_BYTES // 1_000_000} MB or {MAX_AGE.days} days" in PAGE
    assert f"--deliver-timeout` ({TIMEOUT:g} s)" in PAGE
    assert BATCH_EVENTS == 500
