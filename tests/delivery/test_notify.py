"""Channels against strict receivers: shape, signature, size, markup, faults, and what is told when."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from auditor.delivery.notify import dingtalk, feishu, memory
from auditor.delivery.notify.channels import Opened, opened
from auditor.delivery.notify.settings import Habits, Kind, Settings, When
from auditor.delivery.notify.telling import ATTEMPTS, Failure, Told, tell_failure, tell_run, tell_trial
from auditor.delivery.patience import Clock
from auditor.delivery.secrets import Secret
from auditor.findings import Finding, Report, Severity, Waiver
from auditor.history import Ledger
from tests.delivery.conftest import Certificates
from tests.delivery.post_office import PostOffice
from tests.delivery.receivers import Fault
from tests.delivery.robots import DingTalkRobot, FeishuBot, Robot, SlackHook, WebHook
from tests.delivery.runs import RULES, Time, finding, report
from tests.reporters.fixture import hostile_report

TOKEN = "8f14e45fceea467fa0e60d9f2b7c1a55"
SECRET = "SEC0d9f2b7c1a558f14e45fceea467fa0e6"
KINDS = ["dingtalk", "feishu", "slack", "webhook"]


def receiver(kind: str, **more: Any) -> Robot:
    return {
        "dingtalk": lambda: DingTalkRobot(TOKEN, SECRET, **more),
        "feishu": lambda: FeishuBot(SECRET, **more),
        "slack": lambda: SlackHook(**more),
        "webhook": lambda: WebHook(TOKEN, SECRET, **more),
    }[kind]()


def channel(kind: str, robot: Robot, time: Time | None = None, **habits: Any) -> Opened:
    query = f"?access_token={TOKEN}" if kind == "dingtalk" else ""
    hidden = {"url": Secret(robot.url + robot.path + query)}
    hidden |= {key: Secret(SECRET) for key in {"dingtalk": ["secret"], "feishu": ["secret"]}.get(kind, [])}
    hidden |= {"token": Secret(TOKEN), "hmac_key": Secret(SECRET)} if kind == "webhook" else {}
    clock = dataclasses.replace((time or Time()).clock, now=lambda: datetime.now(UTC))  # signatures need the real time
    return opened(Settings(kind, Kind(kind), Habits(**habits), secrets=hidden), clock)


class Nights:
    """Runs one after the other with a ledger, told to some channels."""

    def __init__(self, folder: Path, time: Time | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.time = folder, time or Time()
        self.ledger = Ledger(folder / "history.sqlite")
        self.warned: list[str] = []

    def run(self, night: int, findings: Sequence[Finding], *to: Opened, code: int = 3, **more: Any) -> list[Told]:
        self.time.seconds = max(self.time.seconds, night * 86_400.0)
        also = more.pop("also", ())
        shown = dataclasses.replace(report(night, findings, exit_code=code, **more), exit_also=also)
        told = tell_run(
            self.folder, to, shown, self.ledger, RULES, warn=self.warned.append, clock=self.time.clock
        )  # fmt: skip
        self.ledger.record(shown, RULES)
        return told


@pytest.fixture
def nights(tmp_path: Path) -> Iterator[Nights]:
    made = Nights(tmp_path / "state")
    yield made
    made.ledger.__exit__()


# ---------------------------------------------------------------------------------------------------- signatures


def test_signatures_are_those_of_openssl() -> None:
    """The vendors publish the recipe and no vector.

    openssl dgst -sha256 -hmac 'this is secret' -binary (of the text), and -macopt hexkey:... over nothing.
    """
    assert dingtalk.signature("this is secret", 1577262236757) == "hmPWwU%2B7lVdm3ZZz0r9tSfx0L4Q26jWOZr9%2BGs6EZQM%3D"
    assert feishu.signature("this is secret", 1599360473) == "/eYKrXQBzTjUZJ3s6NX16VxGbTwmK7AEs8/FnvC1CSw="


@pytest.mark.parametrize("kind", ["dingtalk", "feishu", "webhook"])
def test_a_wrong_secret_is_noticed(nights: Nights, kind: str) -> None:
    with receiver(kind) as robot:
        robot.secret = robot.key = "another"  # type: ignore[attr-defined]
        told = nights.run(1, [finding(1)], channel(kind, robot))
    (code,) = {"dingtalk": ["310000"], "feishu": ["19021"], "webhook": ["HTTP 401"]}[kind]
    assert code in told[0].trouble and not told[0].sent and not robot.messages and len(robot.requests) == 1


# --------------------------------------------------------------------------------------------------- what is told


def words(kind: str, message: dict[str, Any]) -> str:
    """The text a person would read."""
    return json.dumps(message, ensure_ascii=False) if kind != "webhook" else str(message["text"])


@pytest.mark.parametrize("kind", KINDS)
def test_a_message_says_what_matters(nights: Nights, kind: str) -> None:
    link = "https://reports.example/plaudit/latest.html?a=1&b=2"
    with receiver(kind) as robot:
        to = channel(kind, robot, link=link)
        nights.run(1, [finding(n) for n in range(3)], to)
        after = [finding(0, outcome="pass"), finding(1), finding(2), finding(3), finding(4, severity="low")]
        nights.run(2, after, to, complete=False, code=3, also=(4,))
    text = words(kind, robot.messages[1])
    assert "1 new, 1 fixed, not everything could be judged (exit 3)" in text
    for word in ("HIGH CONN-001 Endpoints are connected: ep-000003 (shop-3)", finding(3).id, "fix: consumer",
                 "Failing: 3 high, 1 low", "ep-000000", "Throttling.User", "reports.example"):  # fmt: skip
        assert word in text, word
    assert "ep-000004" not in text, "below the severity of the channel"


@pytest.mark.parametrize("kind", KINDS)
def test_a_quiet_run_stays_quiet(nights: Nights, kind: str) -> None:
    with receiver(kind) as robot:
        to = channel(kind, robot)
        assert nights.run(1, [finding(1)], to)[0].sent
        for night in range(2, 9):
            assert nights.run(night, [finding(1)], to) == [Told(kind, sent=False)]
        assert len(robot.requests) == 1
        assert nights.run(9, [finding(1), finding(2, severity="low")], to)[0].sent is False
        assert nights.run(10, [finding(1)], to, code=0)[0].sent is False
        assert nights.run(11, [finding(1), finding(2, severity="critical")], to)[0].sent


@pytest.mark.parametrize(
    ("before", "after", "sent"),
    [
        ("fail", "fail", False),
        ("pass", "fail", True),
        ("unknown", "fail", True),
        ("waived", "fail", True),
        ("low", "fail", True),
        ("fail", "pass", True),
        ("fail", "gone", True),
        ("fail", "unread", False),
        ("fail", "unknown", False),
        ("fail", "waived", False),
        ("fail", "low", False),
        ("low", "pass", False),
        ("unknown", "pass", False),
    ],
)
def test_what_counts_as_a_change(nights: Nights, before: str, after: str, sent: bool) -> None:
    def seen(state: str) -> list[Finding]:
        waiver = Waiver(None, "known", "me", "2099-01-01") if state == "waived" else None
        severity = "low" if state == "low" else "high"
        outcome = "fail" if state in ("waived", "low") else state
        return [] if state in ("gone", "unread") else [finding(1, outcome=outcome, severity=severity, waiver=waiver)]

    with receiver("webhook") as robot:
        to = channel("webhook", robot)
        nights.run(1, seen(before))
        told = nights.run(2, [*seen(after), finding(2, outcome="pass")], to, code=0, complete=after != "unread")
    assert told[0].sent is sent
    if sent:
        which = "new" if after == "fail" else "fixed"
        assert robot.messages[0]["why"] == [which] and robot.messages[0][which]["total"] == 1


@pytest.mark.parametrize(("code", "also", "why"), [(4, (), "coverage"), (3, (4,), "coverage"), (0, (), ""),
                                                   (3, (), ""), (6, (), "output"), (3, (6,), "output")])  # fmt: skip
def test_trouble_is_told_although_nothing_changed(nights: Nights, code: int, also: tuple[int, ...], why: str) -> None:
    with receiver("webhook") as robot:
        to = channel("webhook", robot)
        nights.run(1, [finding(1)])
        told = nights.run(2, [finding(1)], to, code=code, also=also)
    assert told[0].sent is bool(why)
    assert [message["why"] for message in robot.messages] == ([[why]] if why else [])


def test_a_heartbeat_and_always(nights: Nights) -> None:
    with receiver("webhook") as robot, receiver("slack") as other:
        weekly = channel("webhook", robot, heartbeat_days=7)
        each = channel("slack", other, when=When.ALWAYS)
        nights.run(0, [finding(1)])
        sent = [night for night in range(1, 30) if nights.run(night, [finding(1)], weekly, each)[0].sent]
    assert sent == [1, 8, 15, 22, 29]
    assert {message["why"][0] for message in robot.messages} == {"heartbeat"}
    assert len(other.messages) == 29 and "nothing changed" in other.messages[0]["text"]


def test_a_run_that_broke_off(nights: Nights) -> None:
    failure = Failure("run-x", "2026-01-02T03:17:00Z", 5, "nothing could be read", ("123: sts: Refused <!channel>",))
    robots = {kind: receiver(kind) for kind in KINDS}
    for kind, robot in robots.items():
        with robot:
            to = [channel(kind, robot)]
            told = tell_failure(nights.folder, to, failure, warn=nights.warned.append, clock=nights.time.clock)
        assert told[0].sent and "nothing could be read (exit 5)" in words(kind, robot.messages[0])
        assert "<!channel>" not in json.dumps(robots["slack"].messages)


# -------------------------------------------------------------------------------------------- what could not be told


def test_what_a_dead_channel_missed_is_told_later(nights: Nights) -> None:
    with receiver("webhook") as robot:
        to = channel("webhook", robot)
        nights.run(1, [finding(1), finding(2), finding(3)], to)
        robot.faults.extend([Fault("status", 403)] * 3)
        assert nights.run(2, [finding(1, outcome="pass"), finding(2), finding(3), finding(4)], to)[0].trouble
        failure = Failure("x", "2026-01-03T03:17:00Z", 5, "nothing could be read")
        tell_failure(nights.folder, [to], failure, warn=nights.warned.append, clock=nights.time.clock)
        # Back is 1, gone again is 4: neither is news for somebody who never heard of the night between.
        nights.run(4, [finding(1, outcome="pass"), finding(2, outcome="pass"), finding(3), finding(5)], to, code=4)
        nights.run(5, [finding(1, outcome="pass"), finding(3), finding(5), finding(6)], to)
        nights.run(6, [finding(3), finding(5), finding(6)], to)
    message = robot.messages[-1]
    assert len(robot.messages) == 2 and message["why"] == ["new", "fixed", "missed"]
    assert {item["resource"]["id"] for item in message["new"]["top"]} == {"ep-000005", "ep-000006"}
    assert {item["resource"]["id"] for item in message["fixed"]["top"]} == {"ep-000001", "ep-000002", "ep-000004"}
    assert message["missed"] == [
        "2026-01-03T03:17:00Z: nothing could be read (exit 5)", "2026-01-05T03:17:00Z: the run ended with exit 4",
    ]  # fmt: skip


def test_a_memory_nobody_understands(nights: Nights) -> None:
    path = memory.path_of(nights.folder, "webhook")
    path.parent.mkdir(parents=True)
    with receiver("webhook") as robot:
        to = channel("webhook", robot)
        for content in ("", "{}", "[]", '{"version": 1, "told_at": "x", "new": [], "fixed": [], "missed": []}',
                        '{"version": 1, "told_at": "2026-01-01", "new": [], "fixed": [], "missed": []}'):  # fmt: skip
            path.write_text(content)
            nights.run(len(nights.warned) + 1, [finding(len(nights.warned))], to)
    assert len(nights.warned) == len(robot.messages) == 5 and "cannot be understood" in nights.warned[0]


# ------------------------------------------------------------------------------------------------------------ faults


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "fault",
    [Fault("status", 503), Fault("status", 429, {"Retry-After": "7"}), Fault("reset"), Fault("truncated")],
    ids=lambda fault: f"{fault.kind}-{fault.status}",
)
def test_what_passes_is_tried_again(nights: Nights, kind: str, fault: Fault) -> None:
    with receiver(kind) as robot:
        robot.faults.extend([fault, fault])
        told = nights.run(1, [finding(1)], channel(kind, robot, nights.time))
    assert told == [Told(kind, sent=True)] and len(robot.messages) == 1 and len(robot.requests) == 3
    slept = nights.time.slept
    assert (min(slept) >= 7) if "Retry-After" in fault.headers else (slept == [0.5, 1.0])


REFUSALS = [
    ("dingtalk", Fault("status", 200, body='{"errcode":130101,"errmsg":"send too fast"}'), "130101", 1),
    ("dingtalk", Fault("status", 200, body='{"errcode":310000,"errmsg":"keywords not in content"}'), "310000", 1),
    ("dingtalk", Fault("status", 200, body='{"errcode":false}'), "holds no errcode", 1),
    ("dingtalk", Fault("status", 200, body="<html>log in</html>"), "none of this robot", 1),
    ("dingtalk", Fault("status", 200, body='{"errcode":-1,"errmsg":"busy"}'), "busy", ATTEMPTS),
    ("feishu", Fault("status", 200, body='{"code":19024,"msg":"Key Words Not Found"}'), "19024", 1),
    ("feishu", Fault("status", 400, body='{"code":9499,"msg":"Bad Request"}'), "HTTP 400", 1),
    ("feishu", Fault("status", 200, body='{"code":11232,"msg":"frequency limited"}'), "11232", ATTEMPTS),
    ("feishu", Fault("status", 200, body='{"code":19021,"StatusCode":0}'), "19021", 1),
    ("feishu", Fault("status", 200, body='{"msg":"success"}'), "holds no code", 1),
    ("slack", Fault("status", 200, body="invalid_token"), "invalid_token", 1),
    ("slack", Fault("status", 404, body="no_service"), "HTTP 404", 1),
    ("slack", Fault("status", 410, body="channel_is_archived"), "HTTP 410", 1),
    ("webhook", Fault("status", 302, {"Location": "/elsewhere"}), "redirects", 1),
    ("webhook", Fault("status", 503), "HTTP 503", ATTEMPTS),
]


@pytest.mark.parametrize(("kind", "fault", "why", "attempts"), REFUSALS, ids=lambda value: str(value)[:30])
def test_what_is_refused_is_said(nights: Nights, kind: str, fault: Fault, why: str, attempts: int) -> None:
    with receiver(kind) as robot:
        robot.faults.extend([fault] * 20)
        told = nights.run(1, [finding(1)], channel(kind, robot, nights.time))
    assert why in told[0].trouble and not told[0].sent and not robot.messages
    assert len(robot.requests) == attempts and "127.0.0.1" not in told[0].trouble


def test_the_old_answer_of_feishu_is_understood(nights: Nights) -> None:
    with receiver("feishu") as robot:
        robot.faults.append(Fault("status", 200, body='{"Extra":null,"StatusCode":0,"StatusMessage":"success"}'))
        assert nights.run(1, [finding(1)], channel("feishu", robot))[0].sent


def test_the_dice_cannot_reach_the_limit_of_a_robot(tmp_path: Path) -> None:
    lucky = Nights(tmp_path / "lucky", Time(luck=0.0))
    with receiver("dingtalk") as robot:
        robot.faults.extend([Fault("status", 500)] * 50)
        lucky.run(1, [finding(1)], channel("dingtalk", robot, lucky.time))
    assert len(robot.requests) == ATTEMPTS < 20
    lucky.ledger.__exit__()


def test_a_slow_robot_does_not_hold_up_the_night(nights: Nights) -> None:
    with receiver("slack") as robot:
        robot.faults.append(Fault("slow", seconds=1.4))
        to = [channel("slack", robot, nights.time)]
        shown = report(1, [finding(1)])
        told = tell_run(nights.folder, to, shown, nights.ledger, RULES, warn=nights.warned.append, timeout=0.5,
                        clock=nights.time.clock)  # fmt: skip
    assert told[0].trouble == "no answer in time"


def test_one_dead_channel_does_not_keep_the_others_from_being_told(nights: Nights) -> None:
    with receiver("slack") as dead, receiver("feishu") as alive:
        dead.faults.append(Fault("status", 404))
        told = nights.run(1, [finding(1)], channel("slack", dead), channel("feishu", alive))
    assert [(one.name, one.sent) for one in told] == [("slack", False), ("feishu", True)] and len(alive.messages) == 1


# ------------------------------------------------------------------------------------------- hostile and long texts


def hostile() -> Report:
    shown = hostile_report()
    findings = [f for f in shown.findings if f.outcome.value in ("fail", "unknown")]
    return dataclasses.replace(shown, findings=tuple(findings), exit_code=4, exit_reasons=("a <!here> b",))


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_tenant_wrote_stays_text(tmp_path: Path, kind: str) -> None:
    """Every hostile name comes first once, so that each is among the few that a message names."""
    shown = hostile()
    failures = [f for f in shown.findings if f.outcome.value == "fail"]
    with receiver(kind) as robot:
        to = channel(kind, robot)
        for start in range(0, len(failures), 5):
            part = dataclasses.replace(shown, findings=tuple(failures[start : start + 5]))
            told = tell_run(tmp_path, [to], part, None, RULES, warn=pytest.fail, clock=Clock())
            assert told[0].sent, told
    shown_text = [words(kind, message) for message in robot.messages]
    text = "\n".join(shown_text)
    for message in robot.messages:
        raw = json.dumps(message, ensure_ascii=False)
        if kind != "webhook":
            assert not re.search("[\u202e\u2066\u200b\x1b\x9b\u2028\ud83d\ud800-\udfff]", raw)
    if kind == "slack":
        plain = text.replace("&lt;", "").replace("&gt;", "").replace("&amp;", "")
        assert "<" not in plain and ">" not in plain and "&" not in plain and "`" not in text
    if kind == "dingtalk":
        for message in robot.messages:
            body = message["markdown"]["text"]
            assert not re.search(r"[<>`\[\]!@|\\]", body), body
            assert all(line.startswith(("### ", "- ", "**")) for line in body.split("\n") if line)
            assert all(line.count("*") in (0, 4) for line in body.split("\n"))
    if kind in ("slack", "dingtalk"):
        assert "://" not in text


@pytest.mark.parametrize("kind", KINDS)
def test_long_messages_fit(tmp_path: Path, kind: str) -> None:
    long = "東" * 3000
    findings = [
        dataclasses.replace(finding(n, name=long), title=long, id=f"plf1-{n:032x}", rule_id=f"{long}{n}")
        for n in range(500)
    ]
    shown = dataclasses.replace(report(1, findings, complete=False, exit_code=4), exit_reasons=(long,) * 50)
    shown = dataclasses.replace(shown, reads=tuple(
        dataclasses.replace(shown.reads[0], operation=f"{long}{n}", message=long) for n in range(50)
    ))  # fmt: skip
    missed = memory.Memory("", (), (), (long,) * 20)
    memory.save(memory.path_of(tmp_path, kind), missed)
    with receiver(kind) as robot:
        told = tell_run(tmp_path, [channel(kind, robot)], shown, None, RULES, warn=pytest.fail, clock=Clock())
    assert told[0].sent, told
    assert "500 new" in words(kind, robot.messages[0])


# ------------------------------------------------------------------------------------------------------------ e-mail


def mail(office: PostOffice, certificates: Certificates, time: Time | None = None, **more: Any) -> Opened:
    texts = {"host": "127.0.0.1", "from": "plaudit@audit.example", "security": "starttls", "user": "plaudit"}
    texts |= more.pop("texts", {})
    hidden = {"password": Secret(more.pop("password", TOKEN))}
    if not texts["user"]:
        hidden = {}
    settings = Settings(
        "mail", Kind.EMAIL, more.pop("habits", Habits(link="https://r.example/x")), texts, hidden,
        more.pop("to", ("net@audit.example", "soc@audit.example")), office.port,
        more.pop("ca", certificates.authority),
    )  # fmt: skip
    return opened(settings, (time or Time()).clock)


Office = Callable[..., PostOffice]


def test_a_letter(nights: Nights, certificates: Certificates) -> None:
    with PostOffice(certificates.server, user="plaudit", password=TOKEN) as office:
        told = nights.run(1, [finding(1, name="注文\r\nBcc: evil@example.com\r\n\r\nx")], mail(office, certificates))
        again = nights.run(2, [finding(1)], mail(office, certificates))
    assert told == [Told("mail", sent=True)] and again == [Told("mail", sent=False)]
    (letter,), (envelope,) = office.letters, office.envelopes
    assert envelope.rcpt_tos == ["net@audit.example", "soc@audit.example"]
    assert envelope.mail_from == "plaudit@audit.example"
    assert letter["Subject"] == "plaudit: 1 new (exit 3)" and letter["To"] == "net@audit.example, soc@audit.example"
    assert letter["Auto-Submitted"] == "auto-generated" and letter["Bcc"] is None
    assert re.fullmatch(r"<plaudit-[0-9a-f]{32}@audit\.example>", letter["Message-ID"])
    assert letter.get_content_type() == "text/plain" and not letter.is_multipart()
    body = letter.get_content()
    assert "注文\\r\\nBcc: evil@example.com" in body and finding(1).id in body and "https://r.example/x" in body


@pytest.mark.parametrize("security", ["tls", "none"])
def test_the_other_ways_to_a_server(nights: Nights, certificates: Certificates, security: str) -> None:
    context = certificates.server if security == "tls" else None
    login = security == "tls"
    with PostOffice(context, implicit=True, user="plaudit" if login else "", password=TOKEN, login=login) as office:
        to = mail(office, certificates, texts={"security": security, "user": "plaudit" if login else ""})
        assert nights.run(1, [finding(1)], to) == [Told("mail", sent=True)]


def test_a_server_that_is_not_the_one(nights: Nights, certificates: Certificates) -> None:
    with PostOffice(certificates.server, user="plaudit", password=TOKEN) as office:
        stranger = nights.run(1, [finding(1)], mail(office, certificates, ca=certificates.stranger))
        wrong = nights.run(2, [finding(2)], mail(office, certificates, password="wrong"))
    with PostOffice(None) as office:
        bare = nights.run(3, [finding(3)], mail(office, certificates))
    assert "not trusted" in stranger[0].trouble
    assert wrong[0].trouble == "the server refused the login (535)"
    assert "STARTTLS" in bare[0].trouble
    assert not office.letters and not nights.time.slept


@pytest.mark.parametrize(
    ("answer", "sent", "why"),
    [
        (("MAIL", "421 4.3.2 too busy"), True, ""),
        (("MAIL", "550 5.7.1 not you"), False, "the server refused the sender (550)"),
        (("DATA", "451 4.3.0 later"), True, ""),
        (("DATA", "554 5.7.1 spam"), False, "the server refused the message (554)"),
        (("RCPT", "450 4.2.1 greylisted"), True, ""),
    ],
)
def test_what_a_server_puts_off_and_what_it_refuses(
    nights: Nights, certificates: Certificates, answer: tuple[str, str], sent: bool, why: str
) -> None:
    to = ("net@audit.example",)
    with PostOffice(certificates.server, user="plaudit", password=TOKEN) as office:
        office.answers.append(answer)
        told = nights.run(1, [finding(1)], mail(office, certificates, nights.time, to=to))
    assert (told[0].sent, told[0].trouble) == (sent, why)
    assert len(nights.time.slept) == len(office.letters) == sent


def test_recipients_nobody_knows(nights: Nights, certificates: Certificates) -> None:
    with PostOffice(certificates.server, user="plaudit", password=TOKEN) as office:
        office.unknown = {"soc@audit.example"}
        some = nights.run(1, [finding(1)], mail(office, certificates))
        office.unknown.add("net@audit.example")
        every = nights.run(2, [finding(2)], mail(office, certificates))
    assert some[0].trouble == "1 of 2 recipients (550)" and len(office.letters) == 1
    assert every[0].trouble == "the server refused every recipient (550)"


def test_no_server(nights: Nights, certificates: Certificates) -> None:
    with PostOffice(None) as office:
        pass
    assert nights.run(1, [finding(1)], mail(office, certificates, nights.time))[0].trouble == "no connection"
    assert nights.time.slept


def test_a_trial_reaches_every_kind(certificates: Certificates) -> None:
    robots = {kind: receiver(kind) for kind in KINDS}
    for kind, robot in robots.items():
        with robot:
            assert tell_trial([channel(kind, robot)], clock=Clock()) == [Told(kind, sent=True)]
            assert "a test message" in words(kind, robot.messages[0])
    assert robots["webhook"].messages[0]["why"] == ["test"]


def test_severities_of_a_channel(nights: Nights) -> None:
    with receiver("webhook") as robot:
        low = channel("webhook", robot, severity=Severity.LOW)
        nights.run(1, [finding(1, severity="low"), finding(2, severity="info")], low)
    assert robot.messages[0]["new"]["total"] == 1 and robot.messages[0]["severity"] == "low"
