"""Section 5 of the interface, row by row: exit code, message, and never a secret."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from auditor.cli.main import COMMANDS
from auditor.simulator.faults import Fault
from tests.cli.conftest import Answer, Cloud
from tests.hostile import HOSTILE

Plaudit = Callable[..., Answer]
Start = Callable[..., Cloud]
FAST = ("--select", "RES")
SECRET = "LTAI5tSecretSecretSecret"


def _here() -> list[str]:
    return sorted(path.name for path in Path().iterdir())


def _config(path: Path, **profile: Any) -> None:
    entry = {"name": "mine", "mode": "AK", "access_key_id": SECRET, "access_key_secret": SECRET, **profile}
    path.write_text(json.dumps({"current": "mine", "profiles": [entry]}), encoding="utf-8")
    path.chmod(0o600)


# --------------------------------------------------------------------------------- profiles and the file of the CLI


def test_an_unknown_profile(plaudit: Plaudit) -> None:
    _config(Path("c.json"))
    answer = plaudit("scan", "--config-path", "c.json", "--profile", "yours")
    assert answer.code == 2
    for word in ("c.json", "yours", "mine"):
        assert word in answer.err
    assert SECRET not in answer.err


@pytest.mark.parametrize("command", ["scan", "collect"])
@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        '{"profiles": 7}',
        '{"profiles": [7]}',
        f'{{"profiles": [{{"access_key_id": "{SECRET}"}}]}}',
        "\x00",
    ],
)
def test_a_malformed_file_of_the_cli(plaudit: Plaudit, command: str, content: str) -> None:
    Path("c.json").write_text(content, encoding="utf-8")
    Path("c.json").chmod(0o600)
    extra = ("-o", "x.snapshot") if command == "collect" else ()
    answer = plaudit(command, "--config-path", "c.json", *extra)
    assert answer.code == 2, answer.err
    assert "c.json" in answer.err
    assert SECRET not in answer.err
    assert _here() == ["c.json"]


def test_no_file_of_the_cli(plaudit: Plaudit) -> None:
    answer = plaudit("scan")
    assert answer.code == 2
    assert ".aliyun/config.json" in answer.err
    assert "aliyun configure" in answer.err


@pytest.mark.parametrize("mode", ["Anonymous", "BearerToken", "Nonsense", ""])
def test_an_unsupported_mode(plaudit: Plaudit, mode: str) -> None:
    _config(Path("c.json"), mode=mode)
    answer = plaudit("scan", "--config-path", "c.json")
    assert answer.code == 2
    for word in ("c.json", "mine", "AK", "RamRoleArn"):
        assert word in answer.err
    assert SECRET not in answer.err


# ----------------------------------------------------------------------------------------------- accounts that fail


def test_one_of_two_accounts_refused(plaudit: Plaudit, cloud: Start) -> None:
    refused = [
        Fault(f"{product}:*", "forbidden", "6543210987654321") for product in ("privatelink", "slb", "vpc", "ecs")
    ]
    running = cloud(faults=refused)
    answer = plaudit("scan", *running.all, "--format", "json")
    assert answer.code in (3, 4)
    assert answer.json["coverage"]["complete"] is False
    assert answer.json["summary"]["unknown"] > 0
    assert {read["account_id"] for read in answer.json["coverage"]["reads"]} >= {"6543210987654321"}
    assert not any(
        finding["outcome"] == "pass" and finding["side"] == "provider" for finding in answer.json["findings"]
    )


def test_one_of_two_accounts_has_a_wrong_key(plaudit: Plaudit, cloud: Start) -> None:
    running = cloud()
    content = json.loads(running.config.read_text(encoding="utf-8"))
    for entry in content["profiles"]:
        if entry["name"] == "provider":
            entry["access_key_secret"] = "wrong"
    running.config.write_text(json.dumps(content), encoding="utf-8")
    answer = plaudit("scan", *running.all, "--format", "json")
    assert answer.code in (3, 4), answer.err
    assert answer.json["coverage"]["complete"] is False
    for secret in running.secrets:
        assert secret not in answer.out + answer.err


def test_every_account_refused(plaudit: Plaudit, cloud: Start) -> None:
    for faults in ([Fault("*", "forbidden")], [Fault("sts:*", "credentials_expired")]):
        running = cloud(faults=faults)
        answer = plaudit("scan", *running.all, *FAST, "--format", "json=r.json", "--save", "s.snapshot")
        assert answer.code == 5, answer.err
        for name in ("provider", "consumer"):
            account = {"provider": "6543210987654321", "consumer": "1234567890123456"}[name]
            assert name in answer.err or account in answer.err
        assert "r.json" not in _here()


def test_nobody_answers(plaudit: Plaudit, cloud: Start) -> None:
    running = cloud()
    running.simulator.__exit__(None, None, None)
    answer = plaudit("scan", *running.all, *FAST, "--timeout", "1")
    assert answer.code == 5
    assert answer.out == ""


def test_the_same_account_twice(plaudit: Plaudit, cloud: Start) -> None:
    running = cloud()
    content = json.loads(running.config.read_text(encoding="utf-8"))
    content["profiles"].append({**content["profiles"][0], "name": "again"})
    running.config.write_text(json.dumps(content), encoding="utf-8")
    names = ",".join([*running.profiles, "again", running.profiles[0]])
    once = plaudit("scan", *running.all, *FAST, "--format", "json").json
    answer = plaudit("scan", *running.options, "--profiles", names, *FAST, "--format", "json")
    assert answer.code == 0
    assert answer.json["summary"] == once["summary"]
    assert "again" in answer.err
    assert len(answer.json["scan"]["accounts"]) == 2


# --------------------------------------------------------------------------------------------- files of the user


def _refused(running: Cloud, answer: Answer, *words: str) -> None:
    assert answer.code == 2, answer.err
    for word in words:
        assert word in answer.err
    assert answer.out == ""
    assert not running.simulator.statistics.requests


def test_a_malformed_specification(plaudit: Plaudit, cloud: Start) -> None:
    running = cloud()
    Path("plaudit.yaml").write_text("version: 1\nservices:\n  epsrv-1:\n    publik: true\n", encoding="utf-8")
    _refused(running, plaudit("scan", *running.all), "plaudit.yaml:4: ", "did you mean public?")
    Path("other.yaml").write_text("options:\n  fail-on: hgh\n", encoding="utf-8")
    _refused(running, plaudit("scan", *running.all, "--spec", "other.yaml"), "other.yaml:2: ", "did you mean high?")
    _refused(running, plaudit("scan", *running.all, "--spec", "absent.yaml"), "absent.yaml: cannot be read")


def test_a_malformed_rule_file(plaudit: Plaudit, cloud: Start) -> None:
    running = cloud()
    Path("mine").mkdir()
    Path("mine/MINE-001.yaml").write_text("id: MINE-001\ntitle: A thing is so\nseverty: high\n", encoding="utf-8")
    _refused(running, plaudit("scan", *running.all, "--rules", "mine"), "mine/MINE-001.yaml:", "severity")
    _refused(running, plaudit("scan", *running.all, "--rules", "absent"), "absent: there is no such folder")


def test_a_malformed_snapshot(plaudit: Plaudit, cloud: Start) -> None:
    running = cloud()
    plaudit("scan", *running.all, *FAST, "--save", "good.snapshot")
    running.simulator.statistics.requests.clear()
    Path("half.snapshot").write_bytes(Path("good.snapshot").read_bytes()[:-700])
    Path("text.snapshot").write_text("hello", encoding="utf-8")
    for name in ("half", "text", "absent"):
        answer = plaudit("scan", "--from", "good.snapshot", "--from", f"{name}.snapshot")
        _refused(running, answer, f"{name}.snapshot: ")
    answer = plaudit("scan", *running.all, "--from", "good.snapshot")
    _refused(running, answer, "--from judges saved snapshots")


@pytest.mark.parametrize("option", ["--format", "--save"])
@pytest.mark.parametrize("place", ["absent/r", "folder", "file/r", "/proc/r", "r\x00"])
def test_an_unwritable_output(plaudit: Plaudit, cloud: Start, option: str, place: str) -> None:
    running = cloud()
    Path("folder").mkdir()
    Path("file").touch()
    value = f"json={place}" if option == "--format" else place
    _refused(running, plaudit("scan", *running.all, "--format", "table=good.txt", option, value))
    assert _here() == ["file", "folder"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--fail-on", "urgent"], ["--concurrency", "0"], ["--timeout", "0"], ["--timeout", "soon"], ["--lang", "de"],
        ["--min-coverage", "101"], ["--format", "pdf"], ["--format", "json="], ["--no-such-option"], ["stray"],
        ["--endpoint-url", "http://example.com"], ["--endpoint-url", "https://me:pw@127.0.0.1"],
        ["--regions", "../etc"], ["--color", "pink"], ["--deadline", "-1"], ["--rules", ""],
    ],
)  # fmt: skip
def test_options_nobody_understands(plaudit: Plaudit, cloud: Start, arguments: list[str]) -> None:
    running = cloud()
    answer = plaudit("scan", *running.all, *arguments)
    _refused(running, answer)
    assert "Traceback" not in answer.err


# ------------------------------------------------------------------------------------------ answers nobody documented


@pytest.mark.parametrize(
    "kind",
    [
        "truncated_json", "short_body", "html_200", "error_object_200", "null_body", "mistyped_list",
        "missing_list_key", "list_with_null", "repeated_token", "internal_error", "unavailable_html", "reset", "close",
    ],
)  # fmt: skip
def test_an_answer_that_is_not_what_is_documented(plaudit: Plaudit, cloud: Start, kind: Any) -> None:
    running = cloud(faults=[Fault("privatelink:ListVpcEndpointServiceResources", kind)])
    answer = plaudit("scan", *running.all, "--select", "RES-011", "--fail-on", "info", "--format", "json")
    assert answer.code == 4, answer.err
    assert answer.json["coverage"]["complete"] is False
    assert answer.json["summary"]["pass"] == 0
    assert answer.json["summary"]["unknown"] > 0


# ------------------------------------------------------------------------------------------------------ hostile names


def test_names_of_tenants_are_text(plaudit: Plaudit, cloud: Start) -> None:
    running = cloud("hostile-names")
    for extra in ((), ("-v",), ("--color", "never", "--all-outcomes")):
        answer = plaudit("scan", *running.all, *extra)
        assert answer.code in (0, 3, 4), answer.err
        _inert(answer.out)
        _inert(answer.err)
    for form in ("table", "csv"):
        answer = plaudit("query", "--format", form, "select * from endpoints join vpcs using (vpc_id)")
        assert answer.code == 0
        _inert(answer.out.replace("\r\n", "\n"))


def _inert(text: str) -> None:
    for character in text:
        code = ord(character)
        assert character == "\n" or (code >= 0x20 and not 0x7F <= code <= 0x9F), ascii(text)
        assert (
            character
            not in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c\ufeff\u2028\u2029"
        )


def test_hostile_words_in_options_and_files(plaudit: Plaudit) -> None:
    for name in (
        "image with a handler",
        "terminal colours",
        "right-to-left override",
        "more lines",
        "eight-bit terminal control",
    ):
        text = HOSTILE[name]
        for arguments in (
            (text,),
            ("scan", text),
            ("rules", "show", text),
            ("scan", "--select", text),
            ("scan", "--format", text),
        ):
            answer = plaudit(*arguments)
            assert answer.code == 2, (arguments, answer.err)
            _inert(answer.err)
    for text in ("\x1b[31mred", "a\u202eb", "\x9b2J"):
        answer = plaudit("scan", "--spec", text)
        assert answer.code == 2
        _inert(answer.err)
        Path("plaudit.yaml").write_text(f'"{text!a}": 1\n'.replace("'", ""), encoding="utf-8")
        answer = plaudit("scan")
        assert answer.code == 2
        _inert(answer.err)
        Path("plaudit.yaml").unlink()


def test_csv_runs_nothing_in_a_spreadsheet(plaudit: Plaudit, cloud: Start) -> None:
    plaudit("scan", *cloud().all, *FAST)
    sql = "select '=1+1' as a, '+1' as b, '-1' as c, '@x' as d, -1 as e, 'x' as f, null as \"=g\", chr(9) || '=1' as h"
    answer = plaudit("query", "--format", "csv", sql)
    assert answer.out == "a,b,c,d,e,f,'=g,h\r\n'=1+1,'+1,'-1,'@x,-1,x,,'\\t=1\r\n"


# ------------------------------------------------------------------------------------------------------------- queries


@pytest.mark.parametrize(
    "sql",
    ["drop table endpoints", "select 1; select 2", "copy endpoints to 'x'", "select * from read_csv('/etc/passwd')",
     "attach 'x'", "selec 1", "select nothing from endpoints", "", "set threads = 1"],
)  # fmt: skip
def test_queries_only_read_and_only_our_tables(plaudit: Plaudit, cloud: Start, sql: str) -> None:
    plaudit("scan", *cloud().all, *FAST)
    answer = plaudit("query", sql)
    assert answer.code == 2, answer.out
    assert answer.out == ""
    assert _here() == []


# ---------------------------------------------------------------------------------------------------------------- bugs


def test_a_bug_is_one_sentence(plaudit: Plaudit, cloud: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    running = cloud()

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError(f"odd: AccessKeySecret={SECRET}&Signature=abc")

    monkeypatch.setattr("auditor.collect.crawl.collect", broken)
    answer = plaudit("scan", *running.all, "--save", "s.snapshot")
    assert answer.code == 1
    assert len(answer.err.splitlines()) == 1
    assert "RuntimeError" in answer.err
    loud = plaudit("scan", *running.all, "-v")
    assert "Traceback" in loud.err
    assert "in broken" in loud.err
    for text in (answer.err, loud.err):
        assert SECRET not in text
        assert "abc" not in text
    assert _here() == []


def test_no_secret_in_any_output(plaudit: Plaudit, cloud: Start, tmp_path: Path) -> None:
    running = cloud("broken", faults=[Fault("slb:*", "forbidden"), Fault("ecs:*", "html_200")])
    said = []
    for extra in (("-vv",), ("--format", "json", "-q"), ("--format", "html=r.html", "--save", "r.snapshot")):
        answer = plaudit("scan", *running.all, *extra)
        said += [answer.out, answer.err]
    said += [Path("r.html").read_text(encoding="utf-8"), Path("r.snapshot").read_bytes().decode("latin-1")]
    said += [path.read_bytes().decode("latin-1") for path in (tmp_path / "state").iterdir()]
    assert len(running.secrets) >= 4
    for secret in running.secrets:
        assert not any(secret in text for text in said)


def test_every_command_has_help(plaudit: Plaudit) -> None:
    for name in COMMANDS:
        answer = plaudit(name, "--help")
        assert answer.code == 0
        assert answer.out.startswith(f"Usage: plaudit {name}")
        assert answer.err == ""
