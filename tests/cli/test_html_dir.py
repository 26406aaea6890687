"""`--html-dir`: the report as a folder, replaced whole or not at all, and never something that is not ours."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from auditor.replacement import FolderReplacement
from auditor.reporters.html import FOLDER_FILES
from tests.cli.conftest import Answer, Cloud

Plaudit = Callable[..., Answer]
Start = Callable[..., Cloud]

FEW = ["--select", "ZONE", "--no-history", "--no-progress"]


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_the_folder_is_written_and_replaced(plaudit: Plaudit, cloud: Start) -> None:
    running = cloud("tutorial")
    here = Path.cwd()
    before = set(names(here))
    answer = plaudit("scan", *running.all, *FEW, "--html-dir", "report")
    assert answer.code in (0, 3), answer.err
    assert "html-dir written to report" in answer.err
    assert names(Path("report")) == sorted(FOLDER_FILES)
    assert set(names(here)) - before == {"report"}  # nothing is left beside
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(Path("report").stat().st_mode) == 0o777 & ~mask
    assert {stat.S_IMODE(path.stat().st_mode) for path in Path("report").iterdir()} == {0o666 & ~mask}
    Path("report/index.html").write_text("old", encoding="utf-8")
    Path("report").chmod(0o750)
    assert plaudit("scan", *running.all, *FEW, "--html-dir", "report/").code == answer.code
    assert "<!DOCTYPE html>" in Path("report/index.html").read_text(encoding="utf-8")
    assert stat.S_IMODE(Path("report").stat().st_mode) == 0o750
    assert set(names(here)) - before == {"report"}


def test_what_is_not_ours_stays(plaudit: Plaudit, cloud: Start) -> None:
    running = cloud("tutorial")
    Path("site").mkdir()
    Path("site/index.html").write_text("theirs", encoding="utf-8")
    Path("site/photo.jpg").write_text("theirs", encoding="utf-8")
    Path("file").write_text("theirs", encoding="utf-8")
    for place, said in (
        ("site", "has files that plaudit did not write (photo.jpg)"),
        (".", "has files that plaudit did not write"),
        ("file", "is no folder"),
        ("missing/report", "the folder missing does not exist"),
        ("report-{date}", "placeholders"),
        ("/", "mount point"),
    ):
        answer = plaudit("scan", *running.all, *FEW, "--html-dir", place)
        assert answer.code == 2, place
        assert said in answer.err
    assert running.simulator.statistics.requests == {}  # before anything was asked
    assert names(Path("site")) == ["index.html", "photo.jpg"]
    assert [name for name in names(Path.cwd()) if name.endswith((".part", ".old"))] == []


def test_a_file_and_a_folder_of_one_name(plaudit: Plaudit, cloud: Start) -> None:
    answer = plaudit("scan", *cloud("tutorial").all, *FEW, "--html-dir", "r", "--format", "html=r")
    assert answer.code == 2
    assert "would be written there" in answer.err


def test_the_old_folder_stays_if_the_new_one_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    place = Path.cwd() / "report"
    place.mkdir()
    (place / "a").write_bytes(b"old")
    replacement = FolderReplacement(place, ["a", "b"])
    rename = Path.rename

    def refused(self: Path, target: Path) -> Path:
        if self.suffix == ".part":
            raise OSError(28, "no space left")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refused)
    with pytest.raises(OSError, match="no space"):
        replacement.commit({"a": b"new", "b": b"new"})
    replacement.discard()
    assert (place / "a").read_bytes() == b"old"
    assert names(Path.cwd()) == ["report"]


def test_a_discarded_folder_leaves_nothing() -> None:
    FolderReplacement(Path.cwd() / "report", ["a"]).discard()
    assert names(Path.cwd()) == []
