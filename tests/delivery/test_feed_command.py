"""`plaudit feed` and `scan --deliver`: what a user types, exit codes, and no secret in anything that is written."""

from __future__ import annotations

import dataclasses
import gzip
import json
import os
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from auditor.cli.main import run
from auditor.delivery.transport import Transport
from auditor.reporters import json as json_report
from auditor.simulator import Simulator
from auditor.simulator.scenarios import SCENARIOS
from tests.delivery.conftest import Certificates
from tests.delivery.receivers import Elastic, Fault, Generic, Hec, Receiver, Response
from tests.delivery.runs import finding, open_set, report

TOKEN = "8f14e45f-ceea-467f-a0e6-0d9f2b7c1a55"
HOOK = "T0S3CR3T/B0S3CR3T/webhookaddress7"
KEY = "hmac-key-of-both-sides-0123"


def result_file(folder: Path, night: int = 1, *findings, whole: bool = True, **more) -> Path:  # type: ignore[no-untyped-def]
    document = report(night, findings or [finding(1), finding(2)], **more)
    path = folder / f"result-{night}.json"
    path.write_text(json_report.render(dataclasses.replace(document, all_outcomes=whole)), encoding="utf-8")
    return path


@pytest.fixture
def plaudit(capsysbinary: pytest.CaptureFixture[bytes]) -> Callable[..., tuple[int, str, str]]:
    def call(*arguments: str | Path) -> tuple[int, str, str]:
        capsysbinary.readouterr()
        code = run([str(argument) for argument in arguments])
        out, err = capsysbinary.readouterr()
        return code, out.decode(), err.decode()

    return call


Plaudit = Callable[..., tuple[int, str, str]]


def test_a_report_to_a_file(tmp_path: Path, plaudit: Plaudit) -> None:
    events = tmp_path / "events.ndjson"
    code, out, err = plaudit("feed", result_file(tmp_path), "--to", f"file={events}")
    assert (code, out, err) == (0, "", "3 events delivered to file\n")
    assert len(events.read_text().splitlines()) == 3
    assert plaudit("feed", result_file(tmp_path), "--to", f"file={events}", "-q") == (0, "", "")
    assert len(events.read_text().splitlines()) == 4
    code, _, _ = plaudit("feed", result_file(tmp_path, 2), "--to", f"file={events}", "--deliver-mode", "all")
    assert code == 0 and len(events.read_text().splitlines()) == 7


def test_closing_by_a_report(tmp_path: Path, plaudit: Plaudit) -> None:
    with Elastic() as receiver:
        to = ("--to", f"elastic={receiver.url}")
        plaudit("feed", result_file(tmp_path, 1, finding(1), finding(2), finding(3)), *to)
        partial = result_file(tmp_path, 2, finding(1), finding(2, outcome="pass"), whole=False)
        code, _, err = plaudit("feed", partial, *to)
        assert code == 0 and "--all-outcomes" in err
        assert len(open_set(receiver.events)) == 3
        plaudit("feed", result_file(tmp_path, 3, finding(1), finding(2, outcome="pass"), complete=False), *to)
        assert len(open_set(receiver.events)) == 2, "what passes is closed, what was not read is not"
        plaudit("feed", result_file(tmp_path, 4, finding(1), finding(2, outcome="pass")), *to)
        assert set(open_set(receiver.events)) == {finding(1).id}


def test_what_waits_is_sent_without_a_result(tmp_path: Path, plaudit: Plaudit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAUDIT_SPLUNK_TOKEN", TOKEN)
    with Hec(TOKEN) as receiver:
        receiver.faults.append(Fault("status", 503))
        to = ("--to", f"splunk={receiver.url}", "--deliver-timeout", "0.001s")
        code, _, err = plaudit("feed", result_file(tmp_path), *to)
        assert code == 6 and "3 events wait in the spool (HTTP 503)" in err
        code, _, err = plaudit("feed", *to)
        assert code == 0 and "3 events delivered" in err
    assert len(receiver.events) == 3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--to", "nowhere"], "unknown sink 'nowhere'"),
        ([], "write --to SINK"),
        (["--to", "file=/nonexistent/x"], "cannot be written"),
        (["--sinks", "missing.yaml"], "missing.yaml: cannot be read"),
        (["missing.json", "--to", "stdout"], "missing.json: cannot be read"),
        (["broken.json", "--to", "stdout"], "broken.json:1: is not a JSON report"),
        (["other.json", "--to", "stdout"], "other.json: is not a whole JSON report"),
        (["later.json", "--to", "stdout"], "was written by another plaudit"),
        (["good.json", "--to", "stdout", "--select", "SG"], "judged already"),
    ],
)
def test_wrong_usage(plaudit: Plaudit, tmp_path: Path, arguments: list[str], words: str) -> None:
    Path("broken.json").write_text('{"schema_version": "1.0", ')
    Path("other.json").write_text('{"schema_version": "1.0"}')
    Path("later.json").write_text('{"schema_version": "2.0"}')
    result_file(tmp_path).rename("good.json")
    code, out, err = plaudit("feed", *arguments)
    assert code == 2 and words in err and out == ""


def test_options_from_the_environment_and_the_specification(
    tmp_path: Path, plaudit: Plaudit, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("plaudit.yaml").write_text(f"options:\n  to: ['file={tmp_path}/by-file.ndjson']\n  deliver-mode: all\n")
    assert plaudit("feed", result_file(tmp_path))[0] == 0
    assert plaudit("feed", result_file(tmp_path, 2))[0] == 0
    assert len((tmp_path / "by-file.ndjson").read_text().splitlines()) == 6
    monkeypatch.setenv("PLAUDIT_TO", f"file={tmp_path}/by-variable.ndjson stdout")
    code, out, _ = plaudit("feed", result_file(tmp_path, 3))
    assert code == 0 and len(out.splitlines()) == 3 and (tmp_path / "by-variable.ndjson").exists()


def test_no_state_directory(plaudit: Plaudit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocker = tmp_path / "blocker"
    blocker.write_text("")
    monkeypatch.setenv("PLAUDIT_STATE_DIR", str(blocker / "state"))
    code, _, err = plaudit("feed", result_file(tmp_path), "--to", "stdout")
    assert code == 2 and "PLAUDIT_STATE_DIR" in err


def test_scan_delivers_and_a_snapshot_can_be_fed(
    tmp_path: Path, plaudit: Plaudit, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Simulator(SCENARIOS["broken"]()) as simulator, Elastic() as receiver:
        config = tmp_path / "config.json"
        profiles = ",".join(simulator.write_config(config))
        scan = ["scan", "--endpoint-url", simulator.url, "--config-path", config, "--profiles", profiles]
        scan += ["--select", "ZONE,ALLOW"]
        more = ["--no-progress", "--format", "json=out.json", "--deliver", f"elastic={receiver.url}"]
        code, _, err = plaudit(*scan, *more, "--save", "kept.snapshot")
        document = json.loads(Path("out.json").read_text())
        open_now = {item["id"]: (item["severity"], item["outcome"]) for item in document["findings"]}
        assert open_set(receiver.events) == open_now and open_now and code == document["summary"]["exit"]["code"]
        assert f"{len(open_now) + 1} events delivered to elastic" in err
        before = len(receiver.events)
        assert plaudit(*scan, *more)[0] == code
        assert len(receiver.events) == before + 1, "nothing changed: one event of the run"
        code, _, err = plaudit("feed", "kept.snapshot", "--to", f"elastic={receiver.url}", "--select", "ZONE,ALLOW")
        assert code == 0 and len(receiver.events) == before + 1, "the same run again: the same ids"
        # A night in which nothing can be read: the SIEM hears of it, and everything stays open.
        receiver.faults.clear()
        simulator.write_config(config)
        entries = json.loads(config.read_text())
        for entry in entries["profiles"]:
            entry["access_key_secret"] = "wrong"
        config.write_text(json.dumps(entries))
        code, _, err = plaudit(*scan, *more)
        assert code == 5, err
        last = list(receiver.events.values())[-1]
        assert last["event"]["action"] == "run-error" and last["plaudit"]["run"]["exit_code"] == 5
        assert open_set(receiver.events) == open_now


def test_scan_says_six_beside_three(tmp_path: Path, plaudit: Plaudit) -> None:
    with Simulator(SCENARIOS["broken"]()) as simulator, Generic() as receiver:
        config = tmp_path / "config.json"
        profiles = ",".join(simulator.write_config(config))
        receiver.faults.extend([Fault("status", 503)] * 3)
        scan = ["scan", "--endpoint-url", simulator.url, "--config-path", config, "--profiles", profiles]
        more = ["--deliver", f"https={receiver.url}", "--deliver-timeout", "0.001s", "--format", "json=out.json"]
        code, _, err = plaudit(*scan, *more, "--no-progress")
    exits = json.loads(Path("out.json").read_text())["summary"]["exit"]
    assert code == exits["code"] == 3 and 6 in exits["also"]
    assert "wait in the spool (HTTP 503)" in err and receiver.url not in err


def test_standard_output_takes_one_thing(plaudit: Plaudit) -> None:
    code, _, err = plaudit("scan", "--from", "x.snapshot", "--deliver", "stdout")
    assert code == 2 and "standard output takes either" in err


def test_no_secret_in_anything_that_is_written(
    tmp_path: Path, plaudit: Plaudit, monkeypatch: pytest.MonkeyPatch, certificates: Certificates
) -> None:
    """Every sink, good answers and bad, answers that echo the request, -vv, reports, spool, rejected, exceptions."""
    said: list[str] = []
    secrets = [TOKEN, HOOK, KEY, "webhookaddress7"]
    monkeypatch.setattr("auditor.delivery.patience.BASE", 0.001)
    monkeypatch.setattr("os.fsync", lambda _descriptor: None)
    receivers: list[Receiver] = [
        Generic(token=TOKEN, poison="poison", tls=certificates.server),
        Hec(TOKEN, poison="poison"),
        Elastic(authorization=f"ApiKey {TOKEN}", poison="poison"),
        Generic(key=KEY),
    ]
    (tmp_path / "token").write_text(TOKEN)
    for name, value in (
        ("HOOK", f"{receivers[0].url}/services/{HOOK}"),
        ("SIGNED", f"{receivers[3].url}/in?address={HOOK}"),
        ("HMAC", KEY),
        ("API_KEY", TOKEN),
    ):
        monkeypatch.setenv(name, value)
    Path("sinks.yaml").write_text(f"""
sinks:
  hook: {{type: https, url_env: HOOK, token_file: {tmp_path / "token"}, ca_file: {certificates.authority}}}
  strange: {{type: https, url_env: HOOK, token_file: {tmp_path / "token"}}}
  siem: {{type: splunk, url: "{receivers[1].url}", token_file: {tmp_path / "token"}}}
  search: {{type: elastic, url: "{receivers[2].url}", api_key_env: API_KEY}}
  signed: {{type: https, url_env: SIGNED, hmac_key_env: HMAC}}
""")

    def echo(request):  # type: ignore[no-untyped-def]
        return Response(422, f"refused: {request.path} {request.query} {dict(request.headers)}")

    with receivers[0], receivers[1], receivers[2], receivers[3]:
        for night in range(6):
            for receiver in receivers:
                receiver.faults.extend(
                    [
                        [Fault("status", 403, body=f"{TOKEN} {HOOK} {KEY} not allowed")] * 2,
                        [Fault("reset"), Fault("truncated")],
                        [Fault("status", 302, {"Location": f"/{HOOK}?{TOKEN}"})],
                        [],
                        [Fault("status", 400, {"Bad Header": TOKEN}, body=f"{TOKEN} {HOOK} {KEY}")] * 9,
                        [],
                    ][night]
                )
            if night == 5:
                for receiver in receivers:
                    monkeypatch.setattr(receiver, "answer", echo)
            result = result_file(tmp_path, night, finding(night), finding(100 + night, name="poison"))
            code, out, err = plaudit("feed", result, "--sinks", "sinks.yaml", "-vv", "--deliver-timeout", "2s")
            assert code == 6 and out == ""
            said += [out, err]
            for receiver in receivers:
                receiver.faults.clear()
    code, out, err = plaudit("feed", "--sinks", "sinks.yaml", "-vv", "--deliver-timeout", "1s")
    said += [out, err]
    monkeypatch.setenv("PLAUDIT_HTTPS_URL", f"https://{TOKEN}@host/{HOOK}")
    code, out, err = plaudit("feed", "--to", "https", "-vv")
    assert code == 2
    said += [out, err]
    # A bug in the middle of sending: the traceback of -vv shows no value.
    monkeypatch.setattr(Transport, "post", lambda *a, **k: 1 / 0)
    said += plaudit("feed", "--sinks", "sinks.yaml", "-vv")[1:]
    try:
        Transport.post(None)  # type: ignore[call-arg,arg-type]
    except ZeroDivisionError:
        said.append(traceback.format_exc())

    files = list((tmp_path / "state").rglob("*"))
    assert len(list((tmp_path / "state").rglob("*.answer.txt"))) > 5 and any("rejected" in path.parts for path in files)
    for path in files:
        said.append(str(path.relative_to(tmp_path)))
        if path.is_file():
            content = path.read_bytes()
            if path.suffix == ".gz":
                content = gzip.decompress(content)
            said.append(content.decode("utf-8", "replace"))
    for text in said:
        for secret in secrets:
            assert secret not in text, text[:2000]
        for receiver in receivers:
            assert f"127.0.0.1:{receiver.port}" not in text, text[:2000]
    assert os.environ["HOOK"].endswith(HOOK)
