"""Files and standard output: whole lines, rotation, full disks, closed pipes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from auditor.delivery.files import FileSink, StreamSink
from auditor.errors import UsageError
from tests.delivery.runs import delivered, finding, report


def uids(path: Path) -> list[str]:
    return [json.loads(line)["metadata"]["uid"] for line in path.read_text(encoding="utf-8").splitlines()]


def test_lines_are_appended_through_a_rotation(tmp_path: Path) -> None:
    path = tmp_path / "events.ndjson"
    sink = FileSink(path)
    delivered(tmp_path, sink, report(1, [finding(1)]))
    path.rename(tmp_path / "events.ndjson.1")
    delivered(tmp_path, sink, report(2, [finding(1), finding(2)]))
    assert len(uids(tmp_path / "events.ndjson.1")) == 2 and len(uids(path)) == 2
    assert path.stat().st_mode & 0o007 == 0


def test_a_line_somebody_left_half_is_ended_first(tmp_path: Path) -> None:
    path = tmp_path / "events.ndjson"
    path.write_text('{"half":')
    delivered(tmp_path, FileSink(path), report(1, [finding(1)]))
    lines = path.read_text().splitlines()
    assert lines[0] == '{"half":' and len(lines) == 3 and all(map(json.loads, lines[1:]))


def test_one_write_per_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[bytes] = []
    real = os.write

    def write(descriptor: int, data: bytes) -> int:
        written.append(data)
        return real(descriptor, data)

    sink = FileSink(tmp_path / "events.ndjson")
    monkeypatch.setattr("auditor.delivery.files.os.write", write)
    delivered(tmp_path, sink, report(1, map(finding, range(20))))
    assert len([data for data in written if data.endswith(b"}\n") and data.startswith(b"{")]) == 21


def test_a_full_disk_leaves_no_half_line_and_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "events.ndjson"
    sink = FileSink(path)
    real = os.write
    room = 5000

    def write(descriptor: int, data: bytes) -> int:
        nonlocal room
        taken = min(room, len(data))
        if not taken:
            raise OSError(28, "No space left on device")
        room -= taken
        return real(descriptor, data[:taken])

    with monkeypatch.context() as patched:
        patched.setattr("auditor.delivery.files.os.write", write)
        result = delivered(tmp_path, sink, report(1, map(finding, range(9))))
    assert "no space" in result.drained.trouble.lower() and result.waiting == 10
    assert path.read_bytes().endswith(b"\n")
    assert delivered(tmp_path, sink, None).complete
    assert len(set(uids(path))) == 10


def test_a_place_that_cannot_be_written_is_told_at_once(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing" / "file", Path("a\0b")):
        with pytest.raises(UsageError):
            FileSink(path)


def test_a_device_is_a_file_too(tmp_path: Path) -> None:
    assert delivered(tmp_path, FileSink(Path(os.devnull)), report(1, [finding(1)])).complete


def test_a_stream_nobody_reads_keeps_the_events(tmp_path: Path) -> None:
    def closed(_data: bytes) -> None:
        raise BrokenPipeError(32, "Broken pipe")

    result = delivered(tmp_path, StreamSink(closed), report(1, [finding(1)]))
    assert result.drained.trouble and result.waiting == 2
    written: list[bytes] = []
    assert delivered(tmp_path, StreamSink(written.append), None).complete and len(written) == 2


def test_standard_output_of_a_process(tmp_path: Path) -> None:
    from tests.delivery.test_feed_command import result_file

    path = result_file(tmp_path)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    command = [sys.executable, "-m", "auditor", "feed", str(path), "--to", "stdout"]
    closed = subprocess.run(
        ["sh", "-c", '"$@" | true', "sh", *command], env=environment, capture_output=True, check=False
    )
    assert b"Traceback" not in closed.stderr
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["class_uid"] for line in done.stdout.splitlines()][-1] == 6007
