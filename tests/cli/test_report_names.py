"""Dated report names: strict placeholders, UTC, a latest copy, and retention that touches nothing else."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from auditor.cli.report_names import Moment, Names, check_name, dated
from auditor.cli.retention import RECORD, Keep, retain
from auditor.errors import UsageError
from tests.cli.conftest import Answer, Cloud

Run = Callable[..., Answer]
NOW = datetime(2026, 11, 24, 3, 17, 5, tzinfo=UTC)
ID = "0a1b2c3d-0000-4000-8000-00000000000f"
MOMENT = Moment(NOW, ID)
FAST = ("--select", "RES")


@pytest.mark.parametrize(
    ("given", "made", "latest"),
    [
        ("r.html", "r.html", None),
        ("r-{date}.html", "r-2026-11-24.html", "r-latest.html"),
        ("{date}T{time}.html", "2026-11-24T031705Z.html", "latest.html"),
        ("a-{scan_id}-b.json", f"a-{ID}-b.json", "a-latest-b.json"),
        ("{{x}}-{date}.html", "{x}-2026-11-24.html", "{x}-latest.html"),
        ("{{date}}.html", "{date}.html", None),
    ],
)
def test_what_a_name_becomes(given: str, made: str, latest: str | None) -> None:
    name = dated(Path("folder") / given, MOMENT)
    assert (name.path.name, name.latest and name.latest.name) == (made, latest)
    assert name.path.parent == Path("folder")
    if name.pattern is not None:
        assert name.pattern.match(made)
        assert latest is None or not name.pattern.match(latest)
        assert not name.pattern.match(made + "\n")
        assert not name.pattern.match("x" + made)


@pytest.mark.parametrize(
    "given",
    ["{day}.html", "{}.html", "{date:%Y}.html", "{date!r}.html", "{date.year}", "{date", "date}", "{0}", "{ date}"],
)
def test_strange_braces_are_refused(given: str) -> None:
    with pytest.raises(UsageError, match=re.escape("{date}, {time}, {scan_id}")):
        check_name(Path(given))


def test_no_placeholder_in_a_folder() -> None:
    with pytest.raises(UsageError, match="in the name of the file only"):
        check_name(Path("{date}") / "r.html")
    check_name(Path("{mine}") / "r.html")  # a folder may be called anything


@pytest.mark.parametrize(("text", "keep"), [("1", Keep(number=1)), ("30", Keep(number=30)), ("7d", Keep(days=7))])
def test_what_keep_means(text: str, keep: Keep) -> None:
    assert Keep.of(text) == keep


@pytest.mark.parametrize("text", ["0", "-1", "", "d", "1w", "1.5", "٣", "0d", "1 d", "30\n"])
def test_what_keep_does_not_mean(text: str) -> None:
    with pytest.raises(ValueError, match="not a number"):
        Keep.of(text)


# ------------------------------------------------------------------------------------------------------ retention


class Series:
    """A folder with a report a day, and what retention said."""

    def __init__(self, tmp_path: Path) -> None:
        self.reports, self.state = tmp_path / "reports", tmp_path / "state"
        self.reports.mkdir()
        self.state.mkdir(exist_ok=True)
        self.said: list[str] = []

    def day(self, number: int, keep: Keep | None, template: str = "r-{date}.html") -> list[str]:
        moment = Moment(NOW + timedelta(days=number), ID)
        names = Names([("html", self.reports / template)], None, moment)
        path = names.formats[0][1]
        assert path is not None
        path.write_text(f"report of day {number}", encoding="utf-8")
        return [gone.name for gone in retain(names.dated, keep, self.state, moment.at, self.said.append)]

    @property
    def names(self) -> list[str]:
        return sorted(path.name for path in self.reports.iterdir())


@pytest.fixture
def series(tmp_path: Path) -> Series:
    return Series(tmp_path)


def test_a_number_of_reports_stays(series: Series) -> None:
    for number in range(5):
        series.day(number, Keep(number=2))
    assert series.names == ["r-2026-11-27.html", "r-2026-11-28.html"]
    assert not series.said


def test_days_of_reports_stay(series: Series) -> None:
    for number in range(4):
        series.day(number, None)
    assert series.day(30, Keep(days=28)) == ["r-2026-11-25.html", "r-2026-11-24.html"]
    assert series.names == ["r-2026-11-26.html", "r-2026-11-27.html", "r-2026-12-24.html"]


def test_a_second_run_of_the_day_counts_once(series: Series) -> None:
    series.day(0, Keep(number=2))
    series.day(1, Keep(number=2))
    assert series.day(1, Keep(number=2)) == []
    assert series.names == ["r-2026-11-24.html", "r-2026-11-25.html"]


def test_without_keep_nothing_goes(series: Series) -> None:
    for number in range(40):
        assert series.day(number, None) == []
    assert len(series.names) == 40


def test_what_plaudit_did_not_make_stays(series: Series, tmp_path: Path) -> None:
    elsewhere = tmp_path / "precious.html"
    elsewhere.write_text("precious", encoding="utf-8")
    for number in range(6):
        series.day(number, None)
    foreign = series.reports / "r-2026-01-01.html"  # named as ours, and older than all of them
    foreign.write_text("by hand", encoding="utf-8")
    (series.reports / "r-2026-11-24.html").write_text("edited", encoding="utf-8")
    (series.reports / "r-2026-11-25.html").unlink()
    (series.reports / "r-2026-11-25.html").symlink_to(elsewhere)
    (series.reports / "r-2026-11-26.html").unlink()
    (series.reports / "r-2026-11-26.html").mkdir()
    (series.reports / "r-2026-11-27.html").unlink()
    os.mkfifo(series.reports / "r-2026-11-27.html")
    (series.reports / "r-latest.html").write_text("report of day 0", encoding="utf-8")
    (series.reports / "r-.html").write_text("odd", encoding="utf-8")
    assert series.day(6, Keep(number=1)) == ["r-2026-11-29.html", "r-2026-11-28.html"]
    assert elsewhere.read_text(encoding="utf-8") == "precious"
    assert series.names == [
        "r-.html", "r-2026-01-01.html", "r-2026-11-24.html", "r-2026-11-25.html", "r-2026-11-26.html",
        "r-2026-11-27.html", "r-2026-11-30.html", "r-latest.html",
    ]  # fmt: skip
    assert not series.said


def test_another_pattern_in_the_same_folder_is_another_series(series: Series) -> None:
    for number in range(3):
        series.day(number, Keep(number=1))
        series.day(number, Keep(number=2), "{date}.html")
    assert series.names == ["2026-11-25.html", "2026-11-26.html", "r-2026-11-26.html"]


def test_a_record_that_was_tampered_with_leads_nowhere_else(series: Series, tmp_path: Path) -> None:
    series.day(0, None)
    precious = tmp_path / "precious"
    precious.write_text("report of day 0", encoding="utf-8")
    record = json.loads((series.state / RECORD).read_text(encoding="utf-8"))
    entries = record[str(series.reports.resolve())]["r-{date}.html"]
    entries["../precious"] = entries[str(precious)] = entries["r-2026-11-24.html"]
    (series.state / RECORD).write_text(json.dumps(record), encoding="utf-8")
    assert series.day(1, Keep(number=1)) == ["r-2026-11-24.html"]
    assert precious.exists()


@pytest.mark.parametrize("content", ["", "[]", '{"a": 1}', "[" * 100_000, '{"a":{"b":{"c":{"at":1}}}}', "\udcff"])
def test_a_record_that_is_not_one(series: Series, content: str) -> None:
    series.day(0, None)
    (series.state / RECORD).write_bytes(content.encode("utf-8", "surrogateescape"))
    assert series.day(1, Keep(number=1)) == []
    assert len(series.said) == 1
    assert "delete it" in series.said[0]
    assert (series.state / RECORD).read_bytes() == content.encode("utf-8", "surrogateescape")


# ------------------------------------------------------------------------------------------------------ with a scan


def test_a_scan_writes_dated_reports_and_a_latest_copy(
    plaudit: Run, cloud: Callable[..., Cloud], tmp_path: Path
) -> None:
    running = cloud()
    Path("r-latest.html").symlink_to(tmp_path / "target.html")
    command = ["scan", *running.all, *FAST, "--keep-reports", "1", "--format", "json=r-{time}-{scan_id}.json"]
    command += ["--format", "html=r-{date}.html", "--save", "s-{scan_id}.snapshot", "-q"]
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    first = plaudit(*command)
    assert (first.code, first.out, first.err) == (0, "", "")
    second = plaudit(*command)
    assert second.code == 0
    names = sorted(path.name for path in Path().iterdir())
    document = json.loads(Path("r-latest.json").read_text(encoding="utf-8"))
    scan_id = document["scan"]["id"]
    assert len(names) == 6
    assert f"s-{scan_id}.snapshot" in names
    (dated_json,) = [name for name in names if re.fullmatch(rf"r-[0-9]{{6}}Z-{scan_id}\.json", name)]
    assert Path(dated_json).read_bytes() == Path("r-latest.json").read_bytes()
    assert Path("s-latest.snapshot").read_bytes() == Path(f"s-{scan_id}.snapshot").read_bytes()
    assert any(f"r-{day}.html" in names for day in {today, f"{datetime.now(UTC):%Y-%m-%d}"})
    assert (tmp_path / "target.html").exists()  # as every other output, through a link


def test_a_scan_that_breaks_off_leaves_the_latest_report(plaudit: Run, cloud: Callable[..., Cloud]) -> None:
    running = cloud()
    Path("r-latest.json").write_text("yesterday", encoding="utf-8")
    answer = plaudit("scan", *running.options, "--profiles", "nobody", "--format", "json=r-{date}.json")
    assert answer.code == 2
    assert [path.name for path in Path().iterdir()] == ["r-latest.json"]
    assert Path("r-latest.json").read_text(encoding="utf-8") == "yesterday"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--format", "html=r-{when}.html"], "unknown placeholder {when}"),
        (["--save", "s-{when}.snapshot"], "unknown placeholder {when}"),
        (["--format", "html={date}/r.html"], "in the name of the file only"),
        (["--format", "html=r-{date}.x", "--format", "json=r-latest.x"], "name two files"),
        (["--format", "html=r.html", "--keep-reports", "0"], "--keep-reports"),
        (["--from", "a.snapshot", "--format", "html=r-{scan_id}.html"], "--from makes none"),
    ],
)
def test_names_that_make_no_sense_end_before_anything_is_asked(
    plaudit: Run, cloud: Callable[..., Cloud], arguments: list[str], words: str
) -> None:
    running = cloud()
    options = [] if "--from" in arguments else running.all
    answer = plaudit("scan", *options, *arguments)
    assert answer.code == 2
    assert words in answer.err
    assert not running.simulator.statistics.requests
    assert list(Path().iterdir()) == []


def test_what_cannot_be_deleted_is_said(series: Series, monkeypatch: pytest.MonkeyPatch) -> None:
    series.day(0, None)
    monkeypatch.setattr(Path, "unlink", lambda *_: (_ for _ in ()).throw(PermissionError(13, "Permission denied")))
    assert series.day(1, Keep(number=1)) == []
    assert len(series.said) == 1
    assert "Permission denied" in series.said[0]


def test_without_a_state_directory_nothing_is_deleted_and_that_is_said() -> None:
    said: list[str] = []
    names = Names([("html", Path("r-{date}.html"))], None, MOMENT)
    assert retain(names.dated, Keep(number=1), None, NOW, said.append) == []
    assert "no state directory" in said[0]
    assert retain(names.dated, None, None, NOW, said.append) == []
    assert len(said) == 1
