"""The HTTP sinks against strict receivers: shape, faults, one bad event in a batch."""

from __future__ import annotations

import gzip
import hashlib
import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from auditor.delivery.feed import Target
from auditor.delivery.https import signature
from auditor.delivery.records import Form
from auditor.delivery.secrets import Secret
from auditor.delivery.sls import Keys, authorization, log, member
from tests.delivery.conftest import Certificates
from tests.delivery.receivers import Elastic, Fault, Generic, Hec, Receiver, Sls
from tests.delivery.runs import Time, delivered, finding, open_set, report
from tests.delivery.sinks import TOKEN, sink

SLS_TEXTS = {"project": "audit-logs", "logstore": "plaudit"}


def start(kind: str, **more: Any) -> Receiver:
    if kind == "https":
        return Generic(token=TOKEN, **more)
    if kind == "splunk":
        return Hec(TOKEN, **more)
    if kind == "elastic":
        return Elastic(authorization=f"ApiKey {TOKEN}", **more)
    return Sls("LTAIdelivery", "the-secret-of-the-store", **more)


def speaking(kind: str, receiver: Receiver, time: Time, **more: Any) -> Target:
    hidden = {
        "https": {"token": TOKEN},
        "splunk": {"token": TOKEN},
        "elastic": {"api_key": TOKEN},
        "sls": {"access_key_id": "LTAIdelivery", "access_key_secret": "the-secret-of-the-store"},
    }[kind]
    texts = SLS_TEXTS if kind == "sls" else {}
    return sink(kind, receiver.url, texts=texts, clock=time.clock, **hidden, **more)


KINDS = ["https", "splunk", "elastic", "sls"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_arrives_whole_and_once(tmp_path: Path, kind: str) -> None:
    time = Time()
    with start(kind) as receiver:
        target = speaking(kind, receiver, time)
        result = delivered(tmp_path, target.sink, report(1, map(finding, range(1200))), form=target.form, time=time)
        again = delivered(tmp_path, target.sink, None, form=target.form, time=time)
        target.sink.close()
    assert result.complete and result.spooled == result.drained.sent == len(receiver.events) == 1201
    assert len(receiver.requests) >= 3 and receiver.copies == 0
    assert again.complete and again.drained.sent == 0
    assert not list((tmp_path / "spool" / "siem").glob("*.ndjson.gz"))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "fault",
    [
        Fault("status", 503),
        Fault("status", 429, {"Retry-After": "7"}),
        Fault("status", 408),
        Fault("status", 425),
        Fault("status", 500, after=True),
        Fault("reset"),
        Fault("reset", after=True),
        Fault("truncated"),
        Fault("truncated", after=True),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.status}-{'after' if fault.after else 'before'}",
)
def test_what_passes_is_tried_again(tmp_path: Path, kind: str, fault: Fault) -> None:
    time = Time()
    with start(kind) as receiver:
        receiver.faults.extend([fault, fault])
        target = speaking(kind, receiver, time)
        result = delivered(tmp_path, target.sink, report(1, map(finding, range(30))), form=target.form, time=time)
        target.sink.close()
    assert result.complete and len(receiver.events) == 31
    assert len(time.slept) == 2
    if "Retry-After" in fault.headers:
        assert min(time.slept) >= 7
    else:
        assert time.slept == [0.5, 1.0]


def test_a_slow_receiver_is_not_waited_for_without_end(tmp_path: Path) -> None:
    time = Time(luck=1.0)
    with start("https") as receiver:
        receiver.faults.append(Fault("slow", seconds=1.5))
        target = speaking("https", receiver, time)
        # The time left is what bounds a request: one second at least.
        result = delivered(tmp_path, target.sink, report(1, [finding(1)]), time=time, timeout=0.9)
        assert result.drained.trouble == "no answer in time" and result.waiting == 2
        later = delivered(tmp_path, target.sink, None, time=time)
        target.sink.close()
    assert later.complete and len(receiver.events) == 2


def test_retry_after_as_a_date_and_too_late(tmp_path: Path) -> None:
    time = Time()
    soon = format_datetime(time.start + timedelta(seconds=11), usegmt=True)
    late = format_datetime(time.start + timedelta(hours=2), usegmt=True)
    with start("https") as receiver:
        receiver.faults.extend(
            [Fault("status", 503, {"Retry-After": soon}), Fault("status", 503, {"Retry-After": late})]
        )
        target = speaking("https", receiver, time)
        result = delivered(tmp_path, target.sink, report(1, [finding(1)]), time=time)
        assert time.slept == [11.0], "two hours are more than a minute, so nobody waits for them"
        assert result.drained.trouble == "HTTP 503" and result.waiting == 2
        assert delivered(tmp_path, target.sink, report(2, [finding(1)], run="next"), time=time).drained.sent == 3
        target.sink.close()
    assert len(receiver.events) == 3


def test_a_minute_without_progress_is_enough(tmp_path: Path) -> None:
    time = Time(luck=1.0)
    with start("https") as receiver:
        receiver.faults.extend([Fault("status", 502)] * 50)
        target = speaking("https", receiver, time)
        result = delivered(tmp_path, target.sink, report(1, [finding(1)]), time=time)
        target.sink.close()
    assert time.slept == [1.0, 2.0, 4.0, 8.0, 16.0]
    assert not result.complete and result.waiting == 2


@pytest.mark.parametrize("kind", ["https", "splunk", "elastic"])
@pytest.mark.parametrize("place", [0, 3, 299, 499])
def test_one_bad_event_does_not_keep_the_rest(tmp_path: Path, kind: str, place: int) -> None:
    time = Time()
    findings = [finding(n, name="poisoned" if n == place else f"shop-{n}") for n in range(600)]
    with start(kind, poison="poisoned") as receiver:
        target = speaking(kind, receiver, time)
        result = delivered(tmp_path, target.sink, report(1, findings), form=target.form, time=time)
        target.sink.close()
    assert (result.drained.sent, result.drained.refused, result.waiting) == (600, 1, 0)
    assert len(receiver.events) == 600
    (kept,) = result.rejected.glob("*.ndjson.gz")
    assert [json.loads(line)["finding_id"] for line in gzip.decompress(kept.read_bytes()).splitlines()] == [
        findings[place].id
    ]
    (answer,) = result.rejected.glob("*.answer.txt")
    assert 0 < len(answer.read_text()) < 600


@pytest.mark.parametrize("status", [400, 403, 413, 422])
def test_a_filter_in_between_cannot_block_the_feed(tmp_path: Path, status: int) -> None:
    """A firewall answers 403 to the name a tenant chose: only that event is refused, and the nights after go on."""
    time = Time()
    names = ["' or 1=1 --", "shop"]
    with start("https", poison="' or 1=1", status=status) as receiver:
        target = speaking("https", receiver, time)
        run = report(1, [finding(n, name=name) for n, name in enumerate(names)])
        result = delivered(tmp_path, target.sink, run, time=time)
        assert (result.drained.sent, result.drained.refused) == (2, 1)
        target.sink.close()


@pytest.mark.parametrize("status", [401, 403, 404, 405, 302])
def test_an_answer_about_the_sender_loses_nothing(tmp_path: Path, status: int) -> None:
    time = Time()
    with start("https") as receiver:
        receiver.faults.extend([Fault("status", status, {"Location": "http://127.0.0.1:1/"})] * 2)
        target = speaking("https", receiver, time)
        result = delivered(tmp_path, target.sink, report(1, map(finding, range(9))), time=time)
        assert result.drained.trouble.startswith(f"HTTP {status}") and result.waiting == 10
        assert len(receiver.requests) == (1 if status == 302 else 2) and not time.slept
        receiver.faults.clear()
        assert delivered(tmp_path, target.sink, None, time=time).drained.sent == 10
        target.sink.close()


def test_a_wrong_token_is_said_by_its_code(tmp_path: Path) -> None:
    with Hec("another-token-altogether") as receiver:
        target = sink("splunk", receiver.url, token=TOKEN, clock=Time().clock)
        result = delivered(tmp_path, target.sink, report(1, [finding(1)]))
        target.sink.close()
    assert result.drained.trouble == "code 4: the token is not valid" and result.waiting == 2


def test_a_portal_is_no_collector(tmp_path: Path) -> None:
    page = Fault("status", 200, body="<html>Please log in</html>")
    for kind in ("splunk", "elastic", "sls"):
        time = Time()
        with start(kind) as receiver:
            receiver.faults.append(page)
            target = speaking(kind, receiver, time)
            result = delivered(tmp_path / kind, target.sink, report(1, [finding(1)]), form=target.form, time=time)
            target.sink.close()
        assert "what answers is not" in result.drained.trouble and result.waiting == 2


def test_splunk_envelopes_and_acknowledgement(tmp_path: Path) -> None:
    time = Time()
    with Hec(TOKEN, ack=True, polls=3) as receiver:
        target = sink("splunk", receiver.url, token=TOKEN, ack=True, clock=time.clock, texts={"index": "cloud"})
        result = delivered(tmp_path, target.sink, report(1, [finding(1)]), time=time)
        target.sink.close()
    assert result.complete and len(receiver.requests) == 4 and len(time.slept) == 2
    envelope = receiver.envelopes[0]
    assert (
        envelope["time"] == 1767323820.0 and envelope["sourcetype"] == "plaudit:ocsf" and envelope["index"] == "cloud"
    )
    assert envelope["fields"]["finding_uid"] == finding(1).id and envelope["fields"]["account_id"] == "1234567890123456"


def test_what_is_not_acknowledged_is_sent_again(tmp_path: Path) -> None:
    time = Time()
    with Hec(TOKEN, ack=True, polls=10_000) as receiver:
        target = sink("splunk", receiver.url, token=TOKEN, ack=True, clock=time.clock)
        result = delivered(tmp_path, target.sink, report(1, [finding(1)]), time=time, timeout=20)
        assert "not acknowledged" in result.drained.trouble and result.waiting == 2
        receiver.polls = 1
        assert delivered(tmp_path, target.sink, None, time=time).complete
        target.sink.close()
    assert len(receiver.events) == 2


def test_a_token_that_wants_acknowledgement(tmp_path: Path) -> None:
    with Hec(TOKEN, ack=True) as receiver:
        target = sink("splunk", receiver.url, token=TOKEN, clock=Time().clock)
        result = delivered(tmp_path, target.sink, report(1, [finding(1)]))
        target.sink.close()
    assert "ack: true" in result.drained.trouble


def test_elastic_items_that_are_put_off(tmp_path: Path) -> None:
    time = Time()
    with start("elastic", busy=40) as receiver:
        assert isinstance(receiver, Elastic)
        target = speaking("elastic", receiver, time)
        result = delivered(tmp_path, target.sink, report(1, map(finding, range(100))), form=Form.ECS, time=time)
        target.sink.close()
    assert result.complete and len(receiver.events) == 101 and receiver.copies == 0
    assert set(receiver.streams.values()) == {"logs-plaudit.finding-default", "logs-plaudit.run-default"}
    assert len(open_set(receiver.events)) == 100


def test_elastic_takes_ocsf_too_and_a_user(tmp_path: Path) -> None:
    with Elastic(authorization="Basic cGxhdWRpdDpwYXNzdy1vLXJk") as receiver:
        texts = {"user": "plaudit", "namespace": "audit"}
        target = sink("elastic", receiver.url, form=Form.OCSF, texts=texts, password="passw-o-rd", clock=Time().clock)
        assert delivered(tmp_path, target.sink, report(1, [finding(1)]), form=Form.OCSF).complete
        target.sink.close()
    assert {document["@timestamp"] for document in receiver.events.values()} == {"2026-01-02T03:17:00.000Z"}
    assert set(receiver.streams.values()) == {"logs-plaudit.finding-audit", "logs-plaudit.run-audit"}


def test_generic_signature(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    time = Time(start=now)
    with Generic(key="a-key-of-both-sides") as receiver:
        target = sink("https", receiver.url + "/in/plaudit", hmac_key="a-key-of-both-sides", clock=time.clock)
        assert delivered(tmp_path, target.sink, report(1, [finding(1)]), time=time).complete
        wrong = sink("https", receiver.url, hmac_key="a-key-of-one-side", clock=time.clock)
        assert delivered(tmp_path / "b", wrong.sink, report(1, [finding(1)]), time=time).drained.trouble == "HTTP 401"
        target.sink.close()
        wrong.sink.close()
    assert receiver.requests[0].path == "/in/plaudit"
    # The test vector of docs/siem.md; also: printf 'v1:1795446000:{"a":1}\n' | openssl dgst -sha256 -hmac secret
    expected = "v1=c56a669a0dd5594455587c7ea60061d2c75bd30ac4973390ac0dd23c7d476cd0"
    assert signature("secret", 1795446000, b'{"a":1}\n') == expected


def test_sls_messages_and_signatures_are_those_of_the_vendor() -> None:
    """Made with aliyun-log-python-sdk 0.9.52 from the same log and the same keys."""
    raw = member(1, log(1795446000, [("event_uid", "u-1"), ("message", "注 ok" * 60)]))
    raw += member(3, b"plaudit") + member(4, b"audit-1")
    digest = hashlib.sha256(raw).hexdigest()
    assert digest == "1bbfbcdddca1a4ccd8304f214c80afddfe1467cabc78695475d056aa339d3d1e"
    headers = {
        "Date": "Mon, 23 Nov 2026 15:00:00 GMT",
        "Content-Type": "application/x-protobuf",
        "Content-MD5": "AF148F1EED1CD782EF5BE822E0DB0103",
        "x-log-bodyrawsize": "420",
        "x-log-apiversion": "0.6.0",
        "x-log-compresstype": "deflate",
        "x-log-signaturemethod": "hmac-sha1",
        "x-acs-security-token": "sts-token",
    }
    keys = Keys(Secret("LTAIvector"), Secret("vector-secret"), Secret("sts-token"))
    signed = authorization(keys, "/logstores/plaudit/shards/lb", headers)
    assert signed == "LOG LTAIvector:d55gu5kOsdq7s0ohCTajvQ1Pjkc="


def test_sls_flattens_and_waits_when_throttled(tmp_path: Path) -> None:
    time = Time()
    with Sls("LTAIdelivery", "the-secret-of-the-store", throttled=2) as receiver:
        target = speaking("sls", receiver, time)
        assert delivered(tmp_path, target.sink, report(1, [finding(1)]), time=time).complete
        target.sink.close()
    assert len(time.slept) == 2
    contents = receiver.logs[0]
    assert contents["class_uid"] == "2003" and contents["severity"] == "High"
    assert json.loads(contents["finding_info"])["uid"] == contents["finding_uid"] == finding(1).id


def test_sls_keys_projects_and_stores(tmp_path: Path) -> None:
    with Sls("LTAIdelivery", "another") as receiver:
        target = speaking("sls", receiver, Time())
        result = delivered(tmp_path, target.sink, report(1, [finding(1)]))
        target.sink.close()
    assert result.drained.trouble.startswith("SignatureNotMatch") and result.waiting == 2


def test_tls_is_verified(tmp_path: Path, certificates: Certificates) -> None:
    with Generic(token=TOKEN, tls=certificates.server) as receiver:
        good = sink("https", receiver.url, token=TOKEN, ca=certificates.authority, clock=Time().clock)
        assert delivered(tmp_path / "a", good.sink, report(1, [finding(1)])).complete
        good.sink.close()
        for url, authority in (
            (receiver.url, certificates.stranger),
            (receiver.url, None),
            (receiver.url.replace("127.0.0.1", "localhost"), certificates.authority),
        ):
            time = Time()
            bad = sink("https", url, token=TOKEN, ca=authority, clock=time.clock)
            result = delivered(
                tmp_path / f"b{url[8:12]}{bool(authority)}", bad.sink, report(1, [finding(1)]), time=time
            )
            assert "not trusted" in result.drained.trouble and result.waiting == 2 and not time.slept
            bad.sink.close()
    assert len(receiver.requests) == 1


def test_nobody_listens(tmp_path: Path) -> None:
    with Generic() as receiver:
        url = receiver.url
    time = Time()
    target = sink("https", url, clock=time.clock)
    result = delivered(tmp_path, target.sink, report(1, [finding(1)]), time=time)
    assert result.drained.trouble == "no connection" and time.slept and result.waiting == 2
