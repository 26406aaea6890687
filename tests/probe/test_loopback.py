"""Parts of a probe against real servers on loopback: outcomes, names, bounds, interruption."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from auditor.errors import Interrupted
from auditor.probe import resolve, run
from auditor.probe.certificate import Trust, matches
from auditor.probe.connect import Attempt, Request, Settings, attempt, parse_request
from auditor.probe.resolve import Server as NameServer
from auditor.probe.run import Plan, ProbeInterrupted, run_probe
from auditor.probe.summary import quantiles
from auditor.probe.targets import Name, Place, Service, Target
from tests.probe.servers import Authority, name_server, resetting, serving, tcp, udp

HERE = "127.0.0.1"
SETTINGS = Settings(timeout=0.5)


def _closed_port() -> int:
    with socket.socket() as one:
        one.bind((HERE, 0))
        return int(one.getsockname()[1])


def test_ways_a_try_ends() -> None:
    with serving(tcp(HERE), udp(HERE), udp(HERE, answer=None)) as (open_, echo, mute):
        through = attempt(HERE, Service("tcp", open_.port), SETTINGS)
        assert through.outcome == "connected" and through.source_address == HERE and through.seconds is not None
        assert attempt(HERE, Service("udp", echo.port), SETTINGS).outcome == "connected"
        assert attempt(HERE, Service("udp", mute.port), SETTINGS).outcome == "no_answer"
    port = _closed_port()
    refused = attempt(HERE, Service("tcp", port), SETTINGS)
    assert (refused.outcome, refused.source_address) == ("refused", HERE)
    assert attempt(HERE, Service("udp", port), SETTINGS).outcome == "refused"


def test_a_session_that_is_broken_off() -> None:
    with serving(resetting(HERE)) as (server,):
        found = attempt(HERE, Service("tls", server.port), SETTINGS, "x.example")
        # Where the other side is quicker than connect(), that is what is broken off.
        ended = found.session.outcome if found.session is not None else found.outcome
        assert ended in ("reset", "closed") and (found.session is not None) == (found.outcome == "connected")


def test_tls_tells_names_version_and_protocol(trusted: Authority) -> None:
    context = trusted.context("x.example", "*.y.example", HERE)
    context.set_alpn_protocols(["http/1.1"])
    settings = Settings(0.8, trust=Trust(trusted.file.read_text(encoding="ascii")))
    with serving(tcp(HERE, context=context)) as (server,):
        session = attempt(HERE, Service("tls", server.port), settings, "a.y.example").session
        assert session is not None and session.certificate is not None
        assert (session.outcome, session.version, session.protocol) == ("ok", "TLSv1.3", "http/1.1")
        assert session.certificate.names == ("x.example", "*.y.example", HERE)
        assert session.certificate.trusted and session.certificate.name_matches
        bare = attempt(HERE, Service("tls", server.port), settings).session  # asked for by its address
        assert bare is not None and bare.certificate is not None and bare.certificate.name_matches
        system = attempt(HERE, Service("tls", server.port), SETTINGS, "x.example").session
        assert system is not None and system.certificate is not None and system.certificate.trusted is False


@pytest.mark.parametrize(
    ("name", "wanted", "fits"),
    [
        ("x.example", "X.example.", True),
        ("*.example.com", "a.example.com", True),
        ("*.example.com", "a.b.example.com", False),
        ("*.example.com", "example.com", False),
        ("*.com", "example.com", False),
        ("10.0.0.1", "10.0.0.1", True),
        ("*.0.0.1", "10.0.0.1", False),
        ("x.example", "10.0.0.1", False),
    ],
)
def test_names_of_certificates(name: str, wanted: str, fits: bool) -> None:
    assert matches(name, wanted) is fits


@pytest.mark.parametrize(
    ("answer", "outcome", "status"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", "ok", 200),
        (b"HTTP/1.0 404 x\r\n\r\n", "ok", 404),
        (b"SSH-2.0-server\r\n", "malformed", None),
        (b"HTTP/1.1 999 strange\r\n\r\n", "malformed", None),
        (b"A" * 100_000, "malformed", None),
    ],
)
def test_answers_to_requests(answer: bytes, outcome: str, status: int | None) -> None:
    with serving(tcp(HERE, answer=answer)) as (server,):
        reply = attempt(HERE, Service("http", server.port), SETTINGS).reply
        assert reply is not None and (reply.outcome, reply.status) == (outcome, status)


def test_a_server_that_says_nothing_is_waited_for_no_longer_than_allowed() -> None:
    with serving(tcp(HERE, answer=b"HTTP/1.1 200 OK\r\n\r\n", delay=0.6)) as (server,):
        begin = time.monotonic()
        reply = attempt(HERE, Service("http", server.port), Settings(timeout=0.2)).reply
        assert reply is not None and reply.outcome == "timeout" and time.monotonic() - begin < 0.55


@pytest.mark.parametrize(
    ("path", "host"), [("/a b", None), ("/a\r\nX: y", None), ("a", None), ("/", "h\r\nX: y"), ("/é", None)]
)
def test_requests_cannot_be_broken_out_of(path: str, host: str | None) -> None:
    with pytest.raises(ValueError, match="--http"):
        parse_request(path, host, "GET", ())


def test_statuses() -> None:
    assert Request().fits(404) and not Request().fits(500)
    assert Request(expected=(204,)).fits(204) and not Request(expected=(204,)).fits(200)


def test_answers_of_name_servers() -> None:
    zone = {
        "a.example": {"CNAME": ["b.example"], "A": ["10.0.0.2", "10.0.0.1"]},
        "v6.example": {"AAAA": ["2001:DB8::1"]},
        "zero.example": {"A": ["0.0.0.0"]},
        "s.example": "servfail",
        "r.example": "refused",
        "m.example": "malformed",
    }
    with serving(name_server(HERE, zone)) as (server,):
        at = NameServer(HERE, server.port)
        found = resolve.ask(at, "a.example", "A", 0.5)
        assert found.addresses == (("10.0.0.1", 30), ("10.0.0.2", 30)) and found.chain == ("b.example",)
        assert resolve.ask(at, "v6.example", "AAAA", 0.5).addresses == (("2001:db8::1", 60),)
        assert resolve.ask(at, "v6.example", "A", 0.5).status == "no_address"
        assert resolve.ask(at, "zero.example", "A", 0.5).addresses == (("0.0.0.0", 60),)
        assert resolve.ask(at, "gone.example", "A", 0.5).status == "no_name"
        statuses = [resolve.ask(at, f"{letter}.example", "A", 0.3).status for letter in "srm"]
        assert statuses == ["server_failure", "refused", "error"]


def test_what_the_system_says() -> None:
    def lookup(name: str, *_: object) -> list[tuple[object, ...]]:
        if name == "slow.example":
            time.sleep(1)
        if name == "odd.example":
            raise socket.gaierror(socket.EAI_AGAIN, "try again")
        if name == "gone.example":
            raise socket.gaierror(socket.EAI_NONAME, "not known")
        return [(0, 0, 0, "", ("10.0.0.1", 0)), (0, 0, 0, "", ("10.0.0.1", 0))]

    def statuses(name: str) -> set[str]:
        return {answer.status for answer in resolve.ask_system(name, 0.1, lookup)}

    assert statuses("slow.example") == {"timeout"}
    assert statuses("odd.example") == {"server_failure"}
    assert statuses("gone.example") == {"no_address"}
    assert resolve.ask_system("x.example", 0.5, lookup)[0].addresses == (("10.0.0.1", None),)


def _target(port: int, *, copies: int = 1) -> list[Target]:
    return [Target(f"ep-{number}", (), (Place(HERE),), (Service("tcp", port),)) for number in range(copies)]


def test_never_more_at_once_than_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    at_once, most, lock = 0, 0, threading.Lock()

    def busy(*_: object) -> object:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        time.sleep(0.02)
        with lock:
            at_once -= 1
        return Attempt("refused")

    monkeypatch.setattr(run.connect, "attempt", busy)
    result = run_probe(_target(9, copies=20), Plan(system=False, tries=1, concurrency=4))
    assert most == 4 and len(result.connections) == 20


def test_the_deadline_leaves_the_rest_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*_: object) -> object:
        time.sleep(0.1)
        return Attempt("refused")

    monkeypatch.setattr(run.connect, "attempt", slow)
    begin = time.monotonic()
    result = run_probe(_target(9, copies=50), Plan(system=False, tries=1, concurrency=2, deadline=0.25))
    assert time.monotonic() - begin < 2
    assert result.ended == "deadline" and 0 < len(result.connections) < 50
    assert len(result.unfinished) == 50 - len(result.connections)


def test_an_interruption_keeps_what_was_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run.connect, "attempt", lambda *_: Attempt("refused"))

    def interrupt(done: int, total: int) -> None:
        raise Interrupted(15)

    with pytest.raises(ProbeInterrupted) as caught:
        run_probe(_target(9, copies=3), Plan(system=False, tries=1, concurrency=1), done=interrupt)
    assert caught.value.result.ended == "interrupted"
    assert isinstance(caught.value.__cause__, Interrupted)


def test_the_next_server_is_asked_where_one_fails() -> None:
    names = {"a.example": {"A": [HERE]}}
    with serving(name_server(HERE, {"a.example": "servfail"}), name_server(HERE, names)) as (broken, sound):
        servers = (NameServer(HERE, broken.port), NameServer(HERE, sound.port))
        result = run_probe([Target("", (Name("a.example"),))], Plan(servers, system=False, settings=SETTINGS))
    assert [(name.record_type, name.status, name.resolver) for name in result.names] == [
        ("A", "ok", str(servers[1])), ("AAAA", "no_address", str(servers[1])),
    ]  # fmt: skip


def test_percentiles() -> None:
    assert quantiles([0.3]) == {"min": 0.3, "p50": 0.3, "p95": 0.3, "max": 0.3}
    assert quantiles([float(n) for n in range(1, 101)]) == {"min": 1.0, "p50": 50.0, "p95": 95.0, "max": 100.0}
