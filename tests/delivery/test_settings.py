"""Sinks by short form and by file: strict, and no way to write a secret down."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from auditor.delivery.records import Form
from auditor.delivery.secrets import Secret, cleaned, from_file, pieces
from auditor.delivery.settings import Kind, Settings, chosen, load_file
from auditor.delivery.sinks import target
from auditor.errors import FileError, UsageError
from tests.delivery.sinks import nothing

TOKEN = "8f14e45f-ceea-467f-a0e6-0d9f2b7c1a55"


def read(tmp_path: Path, text: str) -> tuple[list[Settings], list[str]]:
    warnings: list[str] = []
    path = tmp_path / "sinks.yaml"
    path.write_text(text)
    return load_file(path, warnings.append), warnings


def one(word: str) -> Settings:
    (sink,) = chosen([word], None, lambda _: None)
    return sink


def test_short_forms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAUDIT_SPLUNK_TOKEN", TOKEN)
    splunk = one("splunk=https://siem.example:8088")
    assert (splunk.kind, splunk.form, splunk.secret("token").reveal()) == (Kind.SPLUNK, Form.OCSF, TOKEN)
    assert splunk.secret("url").reveal() == "https://siem.example:8088"
    monkeypatch.setenv("PLAUDIT_HTTPS_URL", f"https://hooks.example/in?token={TOKEN}")
    assert one("https").secret("url").reveal().endswith(TOKEN)
    assert one("elastic=https://es.example:9200").form is Form.ECS
    monkeypatch.setenv("PLAUDIT_ELASTIC_FORMAT", "ocsf")
    assert one("elastic=https://es.example:9200").form is Form.OCSF
    assert (one("syslog=[::1]:7514").text("host"), one("syslog=log.example").port) == ("::1", 6514)
    assert one("file=/var/log/a=b.ndjson").text("path") == "/var/log/a=b.ndjson"
    assert one("-").kind is Kind.STDOUT
    sls = one("sls=https://eu-central-1.log.aliyuncs.com/audit-logs/plaudit")
    assert (sls.text("project"), sls.text("logstore")) == ("audit-logs", "plaudit")


@pytest.mark.parametrize(
    ("word", "words"),
    [
        ("splnk=https://x", "did you mean splunk"),
        ("splunk", "PLAUDIT_SPLUNK_URL"),
        ("splunk=", "write splunk=https://HOST:8088"),
        ("stdout=x", "not written like this"),
        ("syslog=udp://x", "HOST:PORT"),
        ("syslog=x:99999", "HOST:PORT"),
        ("syslog", "no target"),
        ("sls=https://x/y", "ENDPOINT/PROJECT/LOGSTORE"),
        ("sls=https://x/Y_/z", "project"),
        (f"https=https://hooks.example/in?key={TOKEN}", "PLAUDIT_HTTPS_URL"),
        (f"https=https://user:{TOKEN}@hooks.example/in", "PLAUDIT_HTTPS_URL"),
        (f"https://hooks.example/services/{TOKEN}", "unknown sink;"),
    ],
)
def test_short_forms_that_are_refused_without_being_repeated(word: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        one(word)
    assert words in str(caught.value) and TOKEN not in str(caught.value) and "hooks.example" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://siem.example/in", "plain http"),
        ("http://127.0.0.1.example/in", "plain http"),
        ("ftp://siem.example", "not a URL"),
        ("siem.example", "not a URL"),
        (f"https://u:{TOKEN}@siem.example/", "a user or a fragment"),
        (f"https://siem.example/#{TOKEN}", "a user or a fragment"),
        ("https://[::1", "not a URL"),
    ],
)
def test_addresses_that_are_refused(monkeypatch: pytest.MonkeyPatch, url: str, words: str) -> None:
    monkeypatch.setenv("PLAUDIT_HTTPS_URL", url)
    with pytest.raises(UsageError, match=words) as caught:
        target(one("https"), write=nothing)
    assert TOKEN not in str(caught.value) and "siem" not in str(caught.value)


def test_a_token_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="PLAUDIT_SPLUNK_TOKEN"):
        target(one("splunk=https://127.0.0.1:8088"), write=nothing)
    monkeypatch.setenv("PLAUDIT_SPLUNK_TOKEN", f"{TOKEN}\r\nX-Evil: 1")
    with pytest.raises(UsageError, match="PLAUDIT_SPLUNK_TOKEN") as caught:
        one("splunk=https://127.0.0.1:8088")
    assert TOKEN not in str(caught.value)


def test_two_sinks_of_one_name() -> None:
    with pytest.raises(UsageError, match="two sinks are called file"):
        chosen(["file=a", "file=b"], None, lambda _: None)


FILE = """
version: 1
sinks:
  siem:
    type: splunk
    url: https://siem.example:8088
    token_file: hec.token
    index: cloud
    ack: true
  archive: {type: file, path: events.ndjson, format: ecs}
  hook:
    type: https
    url_env: HOOK_ADDRESS
    hmac_key_env: HOOK_KEY
  towers: {type: syslog, host: log.example, port: 7514, enterprise_id: "55555"}
"""


def test_a_file_of_sinks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_ADDRESS", "https://hooks.example/x/y")
    monkeypatch.setenv("HOOK_KEY", "0123456789abcdef")
    token = tmp_path / "hec.token"
    token.write_text(TOKEN + "\n")
    token.chmod(0o600)
    sinks, warnings = read(tmp_path, FILE)
    assert [sink.name for sink in sinks] == ["siem", "archive", "hook", "towers"] and warnings == []
    assert sinks[0].ack and sinks[0].secret("token").reveal() == TOKEN and sinks[0].text("index") == "cloud"
    assert sinks[1].form is Form.ECS and sinks[1].text("path") == str(tmp_path / "events.ndjson")
    assert sinks[3].port == 7514
    path = tmp_path / "sinks.yaml"
    assert [sink.name for sink in chosen([], path, warnings.append)] == [sink.name for sink in sinks]
    assert [sink.name for sink in chosen(["hook", "file=x"], path, warnings.append)] == ["hook", "file"]
    token.chmod(0o640)
    assert "chmod 600" in read(tmp_path, FILE)[1][0]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("sinks:\n  a: {type: splunk, url: 'https://x', token: SECRETSECRET}", 2, "token_env or token_file"),
        ("sinks:\n  a: {type: splunk, url: 'https://u:SECRETSECRET@x'}", 2, "holds a user"),
        ("sinks:\n  a: {type: splnk}", 2, "did you mean splunk"),
        ("sinks:\n  a: {url: 'https://SECRETSECRET'}", 2, "missing key `type`"),
        ("sinks:\n  a: {type: splunk}", 2, "url_env"),
        ("sinks:\n  a: {type: file}", 2, "missing key `path`"),
        ("sinks:\n  a: {type: file, path: x, index: y}", 2, "unknown key `index`"),
        ("sinks:\n  a: {type: syslog, host: x, port: 99999}", 2, "1 to 65535"),
        ("sinks:\n  a: {type: splunk, url: 'https://x', token_env: NOT_SET_HERE}", 2, "NOT_SET_HERE is not set"),
        ("sinks:\n  a: {type: https, url: 'https://x', url_env: Y}", 2, "say the same"),
        ("sinks:\n  A/../b: {type: stdout}", 2, "lower-case"),
        ("sinks: {}", 1, "no sink"),
        ("sinks:\n  a: {type: stdout}\nversion: 2", 3, "version 1"),
        ("sinks:\n  a: {type: stdout}\nmore: 1", 3, "unknown key"),
        ("sinks:\n  a: {type: stdout, format: cef}", 2, "one of ocsf, ecs, ndjson"),
    ],
)
def test_files_that_are_refused(tmp_path: Path, text: str, line: int, words: str) -> None:
    with pytest.raises(FileError) as caught:
        read(tmp_path, text)
    assert words in str(caught.value) and caught.value.line == line and "SECRETSECRET" not in str(caught.value)


def test_token_files(tmp_path: Path) -> None:
    path = tmp_path / "token"
    for content in (b"", b"  \n", b"two words", b"two\nlines", b"\xff\xfe", b"x" * 9000, "schlüssel".encode()):
        path.write_bytes(content)
        with pytest.raises(UsageError):
            from_file(path)
    with pytest.raises(FileError):
        from_file(tmp_path / "nothing")


def test_a_secret_shows_nothing() -> None:
    secret = Secret(TOKEN)
    settings = Settings("siem", Kind.SPLUNK, Form.OCSF, {}, {"token": secret})
    for text in (repr(secret), str(secret), f"{secret}", repr(settings), f"{secret!r:>40}"):
        assert TOKEN not in text
    with pytest.raises(TypeError):
        pickle.dumps(secret)


def test_answers_are_cleaned() -> None:
    url = "https://hooks.example:8443/services/T0123/B0123/abcdefabcdef?sig=a%2Fb%2Fcdefgh"
    text = (
        f"POST {url} failed; /services/T0123/B0123/abcdefabcdef; Splunk {TOKEN}; sig=a%2Fb%2Fcdefgh\x1b[31m" + "y" * 900
    )
    shown = cleaned(text, [TOKEN, *pieces(url)])
    assert len(shown) <= 500
    for word in (TOKEN, "hooks.example", "abcdefabcdef", "a%2Fb", "\x1b"):
        assert word not in shown
