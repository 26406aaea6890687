"""docs/siem.md and docs/notifications.md say what the program does: examples, keys, variables, limits."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from auditor.delivery import settings
from auditor.delivery.dispatch import BATCH_EVENTS
from auditor.delivery.notify import channels, telling
from auditor.delivery.notify import settings as notify
from auditor.delivery.patience import TIMEOUT
from auditor.delivery.spool import MAX_AGE, MAX_BYTES
from tests.delivery.conftest import Certificates

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "siem.md").read_text(encoding="utf-8")
NOTIFICATIONS = (DOCS / "notifications.md").read_text(encoding="utf-8")


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


def test_the_example_of_channels_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, certificates: Certificates
) -> None:
    match = re.search(r"```yaml\n(.*?)```", NOTIFICATIONS, re.S)
    assert match is not None
    (tmp_path / "ca.pem").write_bytes(certificates.authority.read_bytes())
    for name in ("dingtalk.address", "hook.key"):
        (tmp_path / name).write_text("https://hooks.example/x?access_token=0123456789")
        (tmp_path / name).chmod(0o600)
    for name in re.findall(r"_env: ([A-Z_]+)", match[1]):
        monkeypatch.setenv(name, "https://hooks.example/y")
    path = tmp_path / "notify.yaml"
    path.write_text(match[1].replace("/etc/plaudit/", f"{tmp_path}/"))
    found = notify.load_file(path, pytest.fail)
    assert {one.kind for one in found} == set(notify.Kind)
    opened = [channels.opened(one) for one in found]
    assert {one.habits.heartbeat_days for one in opened} == {7}
    assert [one.habits.severity.value for one in opened] == ["high", "critical", "high", "high", "high"]


def test_every_key_and_variable_of_channels_is_on_the_page() -> None:
    for kind, keys in notify.SECRETS.items():
        for key in keys:
            assert re.search(rf"\b{key}_(env|file):", NOTIFICATIONS), key
            assert kind is notify.Kind.EMAIL or notify.variable(kind, key) in NOTIFICATIONS
    for key in (*notify._HABITS, *notify._MAIL):
        assert re.search(rf"^ *{key}: ", NOTIFICATIONS, re.M), key
    assert f"at most {telling.ATTEMPTS} times" in NOTIFICATIONS and f"({TIMEOUT:g} s)" in NOTIFICATIONS
