"""Syslog over TLS: against a real rsyslog, against strict receivers of our own, and the grammar of a message."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import socket
import ssl
import struct
import subprocess
import threading
import time as real_time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from auditor.delivery.feed import Target
from auditor.delivery.records import Form, Record
from auditor.delivery.settings import Kind, Settings
from auditor.delivery.sinks import target
from auditor.delivery.syslog import escaped, framed, host_name, message
from tests.delivery.conftest import Certificates
from tests.delivery.runs import Time, delivered, finding, report
from tests.delivery.sinks import nothing

MESSAGE = re.compile(
    r"<(\d{1,3})>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) ([!-~]{1,255}) plaudit - ([!-~]{1,32}) "
    r'\[plaudit@(\d+)((?: [a-z]+="(?:[^"\\\]]|\\["\\\]])*")+)\] (\{.*\})\Z'
)


def syslog(port: int, ca: Path | None, **texts: str) -> Target:
    plain = {"host": "127.0.0.1", **({"ca_file": str(ca)} if ca else {}), **texts}
    return target(Settings("syslog", Kind.SYSLOG, Form.OCSF, plain, port=port), write=nothing)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# ------------------------------------------------------------------------------------------------------------ messages


def test_a_message_is_rfc_5424() -> None:
    record = Record(
        "u-1", 1795446000000, "create", "run-1", '{"a":"]\\"\\\\"}', 3, "plf1-0", "SVC-003", "1234567890123456"
    )
    text = message(record, "audit-1")
    assert text == (
        '<131>1 2026-11-23T15:00:00.000Z audit-1 plaudit - SVC-003 [plaudit@32473 uid="u-1" activity="create" '
        'run="run-1" finding="plf1-0" rule="SVC-003" account="1234567890123456"] {"a":"]\\"\\\\"}'
    )
    match = MESSAGE.match(text)
    assert match is not None and match[1] == "131"


def test_what_a_tenant_writes_cannot_end_the_structured_data() -> None:
    assert escaped('a"]\\b\nc\x00') == 'a\\"\\]\\\\b c '
    hostile = Record("u", 0, "create", 'r"] <0>1 - fake', "{}", 3, 'f"]', 'R"]\n', "a\\")
    match = MESSAGE.match(message(hostile, host_name("h o\nst")))
    assert match is not None and match[3] == "h-o-st" and match[4] == 'R"]-'


def test_octets_are_counted_not_characters() -> None:
    assert framed("aé注") == "6 aé注".encode()


# ------------------------------------------------------------------------------------------------------- real receiver


@pytest.fixture
def rsyslog(tmp_path: Path, certificates: Certificates, required: Callable[[str], None]) -> Iterator[tuple[int, Path]]:
    daemon = shutil.which("rsyslogd") or shutil.which("rsyslogd", path="/usr/sbin:/sbin")
    modules = [*Path("/usr/lib").glob("*/rsyslog/lmnsd_gtls.so"), *Path("/usr/lib/rsyslog").glob("lmnsd_gtls.so")]
    if daemon is None or not modules:
        required("rsyslog with rsyslog-gnutls")
    port, output = free_port(), tmp_path / "received.log"
    configuration = tmp_path / "rsyslog.conf"
    configuration.write_text(
        f"""global(workDirectory="{tmp_path}" maxMessageSize="64k"
    defaultNetstreamDriver="gtls"
    defaultNetstreamDriverCAFile="{certificates.authority}"
    defaultNetstreamDriverCertFile="{certificates.certificate}"
    defaultNetstreamDriverKeyFile="{certificates.key}")
module(load="imtcp" streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="anon")
input(type="imtcp" address="127.0.0.1" port="{port}")
template(name="parts" type="list" option.jsonf="on") {{
    property(outname="severity" name="syslogseverity-text" format="jsonf")
    property(outname="facility" name="syslogfacility-text" format="jsonf")
    property(outname="host" name="hostname" format="jsonf")
    property(outname="app" name="app-name" format="jsonf")
    property(outname="id" name="msgid" format="jsonf")
    property(outname="data" name="structured-data" format="jsonf")
    property(outname="text" name="msg" format="jsonf")
}}
action(type="omfile" file="{output}" template="parts")
"""
    )
    log = (tmp_path / "rsyslogd.txt").open("wb")
    process = subprocess.Popen(
        [str(daemon), "-n", "-f", str(configuration), "-i", str(tmp_path / "pid")],
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    try:
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            assert process.poll() is None, (tmp_path / "rsyslogd.txt").read_text()
            real_time.sleep(0.05)
        yield port, output
    finally:
        process.terminate()
        process.wait(timeout=20)
        log.close()


def test_rsyslog_writes_every_event_once(tmp_path: Path, rsyslog: tuple[int, Path], certificates: Certificates) -> None:
    port, output = rsyslog
    hostile = [finding(900, name='"]\\ <0>1 evil\n注文'), finding(901, observed="x" * 6000)]
    sink = syslog(port, certificates.authority, hostname="audit-1").sink
    result = delivered(tmp_path, sink, report(1, [*map(finding, range(700)), *hostile]))
    assert result.complete and result.drained.sent == 703, result
    lines: list[str] = []
    for _ in range(200):
        lines = output.read_text(encoding="utf-8").splitlines() if output.exists() else []
        if len(lines) >= 703:
            break
        real_time.sleep(0.05)
    found = [json.loads(line) for line in lines]
    documents = [json.loads(entry["text"]) for entry in found]
    assert len({document["metadata"]["uid"] for document in documents}) == len(documents) == 703
    first = found[0]
    assert (first["severity"], first["facility"], first["host"], first["app"], first["id"]) == (
        "err", "local0", "audit-1", "plaudit", "CONN-001",
    )  # fmt: skip
    assert f'finding="{finding(0).id}"' in first["data"]
    assert documents[-1]["class_uid"] == 6007 and found[-1]["severity"] == "info"
    assert documents[-2]["metadata"]["is_truncated"] is True or len(json.dumps(documents[-2])) > 6000


# ---------------------------------------------------------------------------------------------------------- misbehaving


class Peer:
    """A TLS receiver in a thread.  `plan` says for each connection how it ends."""

    def __init__(self, context: ssl.SSLContext, plan: list[str]) -> None:
        self.context, self.plan = context, plan
        self.frames: list[bytes] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self.listener.getsockname()[1])
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        for end in self.plan:
            plain, _ = self.listener.accept()
            plain.settimeout(5)
            with contextlib.suppress(OSError), self.context.wrap_socket(plain, server_side=True) as connection:
                if end == "early":  # says goodbye without having read anything
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    connection.close()
                    continue
                data = b""
                with contextlib.suppress(ssl.SSLError):
                    while chunk := connection.recv(65536):
                        data += chunk
                        if end == "reset" and len(data) > 500:
                            break
                if end == "reset":
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    connection.close()
                    continue
                self.frames += unframed(data)
                if end == "polite":
                    connection.unwrap()
        self.listener.close()


def unframed(data: bytes) -> list[bytes]:
    frames = []
    while data:
        length, _, rest = data.partition(b" ")
        assert re.fullmatch(rb"[1-9][0-9]*", length)
        frames.append(rest[: int(length)])
        assert len(frames[-1]) == int(length)
        data = rest[int(length) :]
    return frames


@pytest.mark.parametrize(
    "plan", [["polite"], ["curt"], ["reset", "polite"], ["early", "curt"], ["reset", "early", "polite"]]
)
def test_what_was_not_read_to_its_end_comes_again(tmp_path: Path, certificates: Certificates, plan: list[str]) -> None:
    peer = Peer(certificates.server, plan)
    time = Time()
    result = delivered(
        tmp_path, syslog(peer.port, certificates.authority).sink, report(1, map(finding, range(50))), time=time
    )
    peer.thread.join(10)
    assert result.complete and len(time.slept) == len(plan) - 1
    assert len(peer.frames) == 51 and all(MESSAGE.match(frame.decode()) for frame in peer.frames)


def test_an_untrusted_receiver_gets_nothing(tmp_path: Path, certificates: Certificates) -> None:
    peer = Peer(certificates.server, ["polite"])
    result = delivered(tmp_path, syslog(peer.port, certificates.stranger).sink, report(1, [finding(1)]))
    peer.thread.join(10)
    assert "not trusted" in result.drained.trouble and result.waiting == 2 and peer.frames == []


def test_client_certificates(tmp_path: Path, certificates: Certificates) -> None:
    context = certificates.server
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(certificates.authority)
    peer = Peer(context, ["polite", "polite"])
    time = Time(luck=1.0)
    without = delivered(
        tmp_path, syslog(peer.port, certificates.authority).sink, report(1, [finding(1)]), time=time, timeout=0.5
    )
    assert without.drained.trouble and without.waiting == 2, "a refused certificate is no acceptance"
    sink = syslog(
        peer.port,
        certificates.authority,
        certificate_file=str(certificates.certificate),
        key_file=str(certificates.key),
    ).sink
    assert delivered(tmp_path, sink, None).complete
    peer.thread.join(10)
    assert len(peer.frames) == 2


def test_plain_tcp_is_no_syslog_receiver(tmp_path: Path, certificates: Certificates) -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(b"220 this is something else\r\n")

    thread = threading.Thread(target=answer)
    thread.start()
    sink = syslog(listener.getsockname()[1], certificates.authority).sink
    result = delivered(tmp_path, sink, report(1, [finding(1)]), time=Time(luck=1.0), timeout=0.5)
    thread.join()
    listener.close()
    assert result.drained.trouble and result.waiting == 2
