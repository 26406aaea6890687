"""`scan --notify` and `plaudit notify`: settings, exit codes, and no secret in anything that is written."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from auditor.cli.main import run
from auditor.delivery.notify.settings import Kind, load_file
from auditor.delivery.notify.slack import Slack
from auditor.delivery.transport import Transport
from auditor.errors import FileError
from auditor.simulator import Simulator
from auditor.simulator.scenarios import SCENARIOS
from tests.delivery.conftest import Certificates
from tests.delivery.post_office import PostOffice
from tests.delivery.receivers import Fault, Response
from tests.delivery.robots import DingTalkRobot, FeishuBot, SlackHook, WebHook

TOKEN = "8f14e45fceea467fa0e60d9f2b7c1a55"
SECRET = "SEC0d9f2b7c1a558f14e45fceea467fa0e6"
HOOK = "/services/T0S3CR3T/B0S3CR3T/webhookaddress7"

Plaudit = Callable[..., tuple[int, str, str]]


@pytest.fixture
def plaudit(capsysbinary: pytest.CaptureFixture[bytes]) -> Plaudit:
    def call(*arguments: str | Path) -> tuple[int, str, str]:
        capsysbinary.readouterr()
        code = run([str(argument) for argument in arguments])
        out, err = capsysbinary.readouterr()
        return code, out.decode(), err.decode()

    return call


@pytest.fixture
def scan(tmp_path: Path) -> Iterator[list[str]]:
    """A scan of a few rules over the broken estate."""
    with Simulator(SCENARIOS["broken"]()) as simulator:
        config = tmp_path / "config.json"
        profiles = ",".join(simulator.write_config(config))
        yield [
            "scan", "--endpoint-url", simulator.url, "--config-path", str(config), "--profiles", profiles,
            "--select", "RES,ZONE", "--no-progress", "--format", "json=out.json",
        ]  # fmt: skip


def test_a_change_is_told_once(scan: list[str], plaudit: Plaudit, monkeypatch: pytest.MonkeyPatch) -> None:
    with SlackHook(HOOK) as robot:
        monkeypatch.setenv("PLAUDIT_SLACK_URL", robot.url + HOOK)
        code, _, err = plaudit(*scan, "--notify", "slack")
        assert code == 3 and "slack was notified" in err
        assert plaudit(*scan, "--notify", "slack")[0] == 3
        assert len(robot.messages) == 1, "nothing changed"
        code, _, err = plaudit(*scan, "--notify", "slack", "--format", "table=/dev/full")
        assert code == 3, err
        assert len(robot.messages) == 2, err
        assert "not everything was written" in robot.messages[1]["text"]
        robot.faults.extend([Fault("status", 404, body="no_service")] * 2)
        code, _, err = plaudit(*scan, "--notify", "slack", "--select", "SG")
    exits = json.loads(Path("out.json").read_text())["summary"]["exit"]
    assert code == exits["code"] == 3 and exits["also"] == [6]
    assert "notification to slack: HTTP 404" in err and robot.url not in err


def test_a_dead_channel_alone_is_six(plaudit: Plaudit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("notify.yaml").write_text("when: always\nchannels:\n  chat: {type: slack, url_env: CHAT}\n")
    with Simulator(SCENARIOS["tutorial"]()) as simulator, SlackHook(HOOK) as robot:
        monkeypatch.setenv("CHAT", robot.url + HOOK)
        config = tmp_path / "config.json"
        profiles = ",".join(simulator.write_config(config))
        robot.faults.append(Fault("status", 410, body="channel_is_archived"))
        code, _, err = plaudit(
            "scan", "--endpoint-url", simulator.url, "--config-path", config, "--profiles", profiles,
            "--select", "RES-001", "--notify", "notify.yaml", "--format", "json=out.json", "--format", "table=out.txt",
        )  # fmt: skip
    exits = json.loads(Path("out.json").read_text())["summary"]["exit"]
    assert (code, exits["code"]) == (6, 6) and "notification to chat: HTTP 410" in err


def test_a_run_that_breaks_off_is_told(
    scan: list[str], plaudit: Plaudit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with WebHook(key=SECRET) as robot:
        monkeypatch.setenv("PLAUDIT_WEBHOOK_URL", robot.url + robot.path)
        monkeypatch.setenv("PLAUDIT_WEBHOOK_HMAC_KEY", SECRET)
        config = tmp_path / "config.json"
        good = config.read_text()
        entries = json.loads(good)
        for entry in entries["profiles"]:
            entry["access_key_secret"] = "wrong"
        config.write_text(json.dumps(entries))
        assert plaudit(*scan, "--notify", "webhook")[0] == 5
        config.write_text(good)
        for error, code in ((KeyboardInterrupt(), 130), (RuntimeError(f"at {TOKEN}"), 1)):
            monkeypatch.setattr("auditor.engine.judge", lambda *a, error=error, **k: (_ for _ in ()).throw(error))
            assert plaudit(*scan, "--notify", "webhook")[0] == code
    said = [(message["exit"]["code"], message["reasons"][0]) for message in robot.messages]
    assert said == [(5, "nothing could be read"), (130, "the run was interrupted"), (1, "the run failed")]
    assert TOKEN not in json.dumps(robot.messages)


def test_trying_channels(plaudit: Plaudit, monkeypatch: pytest.MonkeyPatch) -> None:
    with FeishuBot(SECRET) as robot:
        monkeypatch.setenv("PLAUDIT_FEISHU_URL", robot.url + robot.path)
        monkeypatch.setenv("PLAUDIT_FEISHU_SECRET", SECRET)
        assert plaudit("notify", "feishu") == (0, "", "feishu was notified\n")
        monkeypatch.setenv("PLAUDIT_FEISHU_SECRET", "another")
        code, out, err = plaudit("notify", "feishu")
    assert code == 6 and out == "" and "19021" in err and len(robot.messages) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["slck"], "did you mean slack"),
        (["slack"], "PLAUDIT_SLACK_URL"),
        (["email"], "docs/notifications.md"),
        ([f"https://hooks.example{HOOK}"], "takes a file of channels"),
        ([f"slack=https://hooks.example{HOOK}"], "takes a file of channels"),
        ([HOOK[1:].replace("/", "")], "unknown channel"),
        (["missing.yaml"], "missing.yaml: cannot be read"),
        (["twice.yaml", "twice.yaml"], "two channels are called a"),
        (["plain.yaml"], "plain http"),
        ([], "FILE|KIND"),
    ],
)
def test_wrong_usage(plaudit: Plaudit, monkeypatch: pytest.MonkeyPatch, arguments: list[str], words: str) -> None:
    monkeypatch.setenv("ADDRESS", f"https://hooks.example{HOOK}")
    monkeypatch.setenv("PLAIN", f"http://hooks.example{HOOK}")
    Path("twice.yaml").write_text("channels:\n  a: {type: slack, url_env: ADDRESS}\n")
    Path("plain.yaml").write_text("channels:\n  a: {type: slack, url_env: PLAIN}\n")
    code, out, err = plaudit("notify", *arguments)
    assert code == 2 and out == "" and words in err
    assert "hooks.example" not in err and "webhookaddress7" not in err.replace("FILE", "")


def test_history_is_needed(plaudit: Plaudit, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PLAUDIT_SLACK_URL", f"https://hooks.example{HOOK}")
    code, _, err = plaudit("scan", "--from", "x.snapshot", "--notify", "slack", "--no-history")
    assert code == 2 and "leave out --no-history" in err
    blocker = tmp_path / "blocker"
    blocker.write_text("")
    monkeypatch.setenv("PLAUDIT_STATE_DIR", str(blocker / "state"))
    code, _, err = plaudit("scan", "--from", "x.snapshot", "--notify", "slack")
    assert code == 2 and "PLAUDIT_STATE_DIR" in err


MAIL = "type: email, host: smtp.example, from: a@b.example, to: [c@d.example]"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("channels:\n  a: {type: slack, url: 'https://SECRETSECRET'}", 2, "url_env or url_file"),
        ("channels:\n  a: {type: dingtalk, url_env: U, secret: SECRETSECRET}", 2, "secret_env or secret_file"),
        ("channels:\n  a: {type: slack}", 2, "address of a channel is a secret"),
        ("channels:\n  a: {type: slck}", 2, "did you mean slack"),
        ("channels:\n  a: {url_env: U}", 2, "missing key `type`"),
        ("channels:\n  A b: {type: slack, url_env: U}", 2, "lower-case"),
        ("channels:\n  a: {type: slack, url_env: U, host: x}", 2, "unknown key `host`"),
        ("channels:\n  a: {type: slack, url_env: NOT_SET_HERE}", 2, "NOT_SET_HERE is not set"),
        ("channels:\n  a: {type: slack, url_env: U, severity: hihg}", 2, "did you mean high"),
        ("channels:\n  a: {type: slack, url_env: U, heartbeat_days: weekly}", 2, "an integer"),
        ("channels:\n  a: {type: slack, url_env: U, link: 'javascript:alert(1)'}", 2, "address of the report"),
        ("channels:\n  a: {type: slack, url_env: U, when: never}", 2, "one of changes, always"),
        (f"channels:\n  a: {{{MAIL}, security: none}}", 2, "loopback only"),
        (f"channels:\n  a: {{{MAIL}, user: x}}", 2, "belong together"),
        ('channels:\n  a: {type: email, host: h, from: "a@b\\nBcc: x@y", to: [c@d]}', 2, "an e-mail address"),
        ("channels:\n  a: {type: email, host: h, from: a@b, to: ['c@d, e@f']}", 2, "an e-mail address"),
        ("channels:\n  a: {type: email, host: h, from: a@b, to: []}", 2, "1 to 50 recipients"),
        ("channels: {}", 1, "no channel"),
        ("channels:\n  a: {type: slack, url_env: U}\nversion: 2", 3, "version 1"),
        ("channels:\n  a: {type: slack, url_env: U}\nsinks: 1", 3, "unknown key"),
    ],
)
def test_files_that_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, line: int, words: str
) -> None:
    monkeypatch.setenv("U", "https://hooks.example/x")
    path = tmp_path / "notify.yaml"
    path.write_text(text)
    with pytest.raises(FileError) as caught:
        load_file(path, pytest.fail)
    assert words in str(caught.value) and caught.value.line == line and "SECRETSECRET" not in str(caught.value)


def test_no_secret_in_anything_that_is_written(
    scan: list[str], tmp_path: Path, plaudit: Plaudit, monkeypatch: pytest.MonkeyPatch, certificates: Certificates
) -> None:
    """Every channel, good answers and bad, answers that echo the request, -vv, reports, memory, exceptions."""
    monkeypatch.setattr("auditor.delivery.patience.BASE", 0.001)
    monkeypatch.setattr("os.fsync", lambda _descriptor: None)
    robots = [DingTalkRobot(TOKEN, SECRET), FeishuBot(SECRET), SlackHook(HOOK, tls=certificates.server),
              WebHook(TOKEN, SECRET)]  # fmt: skip
    office = PostOffice(certificates.server, user="plaudit", password=TOKEN)
    for name, value in (
        ("DING", f"{robots[0].url}/robot/send?access_token={TOKEN}"), ("FEI", robots[1].url + "/robot/send"),
        ("SLACK", robots[2].url + HOOK), ("WEB", robots[3].url + "/robot/send"),
        ("KEY", SECRET), ("PASSWORD", TOKEN), ("BAD", f"https://{TOKEN}@h.example{HOOK}"),
    ):  # fmt: skip
        monkeypatch.setenv(name, value)
    said: list[str] = []
    with robots[0], robots[1], robots[2], robots[3], office:
        Path("notify.yaml").write_text(f"""
when: always
channels:
  ding: {{type: dingtalk, url_env: DING, secret_env: KEY}}
  fei: {{type: feishu, url_env: FEI, secret_env: KEY}}
  slack: {{type: slack, url_env: SLACK, ca_file: {certificates.authority}}}
  strange: {{type: slack, url_env: SLACK}}
  web: {{type: webhook, url_env: WEB, token_env: PASSWORD, hmac_key_env: KEY}}
  mail: {{type: email, host: 127.0.0.1, port: {office.port}, user: plaudit, password_env: PASSWORD,
         ca_file: {certificates.authority}, from: a@audit.example, to: [b@audit.example]}}
""")
        everything = (*scan, "--format", "table", "--notify", "notify.yaml", "-vv", "--deliver-timeout", "2s")
        answers = [
            Fault("status", 403, {"X-Echo": TOKEN}, body=f"{TOKEN} {HOOK} {SECRET} not allowed"),
            Fault(
                "status", 200, body=json.dumps({"errcode": f"x{TOKEN}", "errmsg": HOOK, "code": SECRET, "msg": HOOK})
            ),
            Fault("status", 302, {"Location": f"{HOOK}?{TOKEN}"}),
            Fault("reset"),
        ]
        for answer in answers:
            for robot in robots:
                robot.faults.extend([answer] * (1 if answer.kind == "status" else 9))
            office.answers.append(("MAIL", f"554 5.7.1 {TOKEN} refused"))
            said += map(str, plaudit(*everything))
            for robot in robots:
                robot.faults.clear()
        for robot in robots:
            monkeypatch.setattr(
                robot, "answer", lambda r: Response(422, f"refused: {r.path} {r.query} {r.headers} {r.body!r}")
            )
        office.password = "another"
        said += map(str, plaudit(*everything))
        # A bug in the middle of sending: the traceback of -vv shows no value.
        monkeypatch.setattr(Slack, "send", lambda *a, **k: 1 / 0)
        said += map(str, plaudit("notify", "notify.yaml", "-vv"))
        monkeypatch.setattr(Transport, "post", lambda *a, **k: 1 / 0)
        said += map(str, plaudit(*everything))
    Path("bad.yaml").write_text("channels: {a: {type: slack, url_env: BAD}}")
    said += map(str, plaudit("notify", "bad.yaml", "-vv"))
    memories = list((tmp_path / "state" / "notify").iterdir())
    assert {path.stem for path in memories} >= {"ding", "fei", "slack", "strange", "web", "mail"}
    for path in [*(tmp_path / "state").rglob("*"), Path("out.json")]:
        said.append(str(path))
        said.append(path.read_bytes().decode("utf-8", "replace") if path.is_file() else "")
    assert any("notification to mail" in text for text in said) and any("ZeroDivisionError" in text for text in said)
    for text in said:
        for secret in (TOKEN, SECRET, HOOK, "webhookaddress7", "T0S3CR3T"):
            assert secret not in text, text[:3000]
        for robot in robots:
            assert f"127.0.0.1:{robot.port}" not in text, text[:3000]


def test_every_kind_has_a_short_form_but_mail() -> None:
    assert [kind.value for kind in Kind] == ["dingtalk", "feishu", "slack", "webhook", "email"]
