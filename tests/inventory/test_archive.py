"""Snapshot files: what is written is what is read, and nothing but a whole snapshot of ours is read at all."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import auditor
from auditor.errors import FileError
from auditor.inventory import archive
from auditor.inventory.archive import load_snapshot, write_snapshot
from auditor.inventory.normalize import table_frame
from auditor.inventory.schema import TABLES
from auditor.inventory.snapshot import Snapshot
from tests.inventory.snapshots import CONSUMER, PROVIDER, REGION, read, same, snapshot

NASTY = ["", "名前", "a\x00b", "\ud800", "=1+1", "\u202egnp", "x" * 5000, "NULL", "nan"]


def _example() -> Snapshot:
    services = [
        {
            "account_id": PROVIDER, "region_id": REGION, "service_id": f"epsrv-{number}", "service_description": text,
            "auto_accept_enabled": [True, False, None][number % 3],
            "connect_bandwidth": [None, 0, -5, 2**62][number % 4],
        }
        for number, text in enumerate([*NASTY, None])
    ]  # fmt: skip
    rows = {"endpoint_services": services, "accounts": [{"account_id": PROVIDER, "profile": None}]}
    refused = read(CONSUMER, "endpoints", complete=False, error_code="Forbidden.RAM", message="no")
    return snapshot(rows, [read(PROVIDER, "endpoint_services"), refused], accounts=[{"account_id": PROVIDER}])


def _equal(one: Snapshot, other: Snapshot) -> None:
    assert one.meta == other.meta
    for name in TABLES:
        pd.testing.assert_frame_equal(one.tables[name], other.tables[name], obj=name)
    pd.testing.assert_frame_equal(one.coverage, other.coverage)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.snapshot"
    write_snapshot(_example(), path)
    _equal(load_snapshot(path), _example())
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.snapshot"]


def test_the_same_snapshot_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_snapshot(_example(), tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "text": st.none() | st.text(st.characters(codec=None), max_size=8),
    "int": st.none() | st.integers(-(2**63), 2**63 - 1),
    "bool": st.none() | st.booleans(),
}


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_any_value_survives(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    columns = TABLES["endpoint_services"].columns
    row = st.fixed_dictionaries({column.name: _VALUES[column.type] for column in columns})
    rows = data.draw(st.lists(row, max_size=4))
    path = tmp_path_factory.mktemp("any") / "x"
    before = snapshot({"endpoint_services": rows}, [])
    write_snapshot(before, path)
    _equal(load_snapshot(path), before)


def test_more_distinct_values_than_a_byte_or_two_hold(tmp_path: Path) -> None:
    rows = [{"account_id": PROVIDER, "region_id": REGION, "service_id": f"epsrv-{n}"} for n in range(70_000)]
    before = snapshot({"endpoint_services": rows}, [])
    write_snapshot(before, tmp_path / "x")
    _equal(load_snapshot(tmp_path / "x"), before)


def test_notebooks_get_frames(tmp_path: Path) -> None:
    write_snapshot(_example(), tmp_path / "x")
    loaded = auditor.load_snapshot(tmp_path / "x")
    assert len(loaded.endpoint_services) == len(NASTY) + 1
    assert loaded.endpoint_services is loaded.tables["endpoint_services"]
    assert "endpoint_services" in dir(loaded)
    assert list(loaded.coverage["complete"]) == [True, False]
    with pytest.raises(AttributeError, match="no table 'endpoint_sevices'"):
        _ = loaded.endpoint_sevices


def _rewritten(path: Path, change: Callable[[dict[str, Any]], object], drop: str = "") -> None:
    with zipfile.ZipFile(path) as file:
        parts = {name: file.read(name) for name in file.namelist() if name != drop}
    manifest = json.loads(parts[archive.MANIFEST])
    change(manifest)
    parts[archive.MANIFEST] = json.dumps(manifest).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in parts.items():
            file.writestr(name, content)


def test_a_table_that_is_newer_than_the_file_was_not_collected(tmp_path: Path) -> None:
    path = tmp_path / "old"
    write_snapshot(_example(), path)
    _rewritten(path, lambda manifest: manifest["tables"].pop("endpoints"), drop="tables/endpoints")
    loaded = load_snapshot(path)
    assert len(loaded.endpoints) == 0
    assert not loaded.completeness().complete("endpoints", "")
    added = loaded.coverage[loaded.coverage["error_code"] == "Plaudit.NotCollected"]
    assert sorted(added["account_id"]) == sorted([CONSUMER, PROVIDER])
    assert set(added["table_name"]) == {"endpoints"}
    assert not added["complete"].any()


def test_a_column_that_is_newer_than_the_file_is_null(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = TABLES["endpoint_services"]
    newer = {"auto_accept_enabled", "service_description", "connect_bandwidth"}
    older = table.__class__(
        table.name, table.sentence, table.key, table.operations,
        tuple(column for column in table.columns if column.name not in newer), table.parent, table.by_id,
    )  # fmt: skip
    before = _example()
    with monkeypatch.context() as patch:
        patch.setitem(TABLES, "endpoint_services", older)
        write_snapshot(before, tmp_path / "old")
    loaded = load_snapshot(tmp_path / "old").endpoint_services
    assert loaded[sorted(newer)].isna().all().all()
    assert list(loaded.columns) == list(before.tables["endpoint_services"].columns)
    assert (loaded.dtypes == before.tables["endpoint_services"].dtypes).all()
    assert list(loaded["service_id"]) == list(before.tables["endpoint_services"]["service_id"])


def test_what_this_version_does_not_know_is_left_out(tmp_path: Path) -> None:
    table = TABLES["endpoints"]
    newer = {**TABLES, "moonbeams": table.__class__("moonbeams", "", table.key, table.operations, table.columns)}
    before = _example()
    larger = Snapshot({**before.tables, "moonbeams": table_frame("endpoints", ())}, before.coverage, before.meta)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(archive, "TABLES", newer)
        write_snapshot(larger, tmp_path / "x")
    _equal(load_snapshot(tmp_path / "x"), before)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.update(format="other"), "not a snapshot of plaudit"),
        (lambda m: m.update(format_version=2), "has snapshot format 2; this plaudit reads up to 1"),
        (lambda m: m.update(format_version="one"), "has snapshot format 'one'"),
        (lambda m: m.pop("tables"), "is damaged"),
        (lambda m: m["tables"].pop("coverage"), "is damaged"),
        (lambda m: m["tables"]["endpoint_services"].update(rows=3), "is damaged"),
        (lambda m: m["tables"]["endpoint_services"].update(rows=-1), "is damaged"),
        (lambda m: m["tables"]["endpoint_services"].update(rows=10**12), "and is not read"),
        (lambda m: m["tables"]["endpoint_services"].update(columns=7), "is damaged"),
        (lambda m: m["tables"]["endpoint_services"]["columns"][0].update(width=8), "is damaged"),
        (lambda m: m["tables"]["endpoint_services"]["columns"][0].update(bytes=2**40), "is damaged"),
        (lambda m: m["tables"]["endpoint_services"]["columns"][0].update(type="int"), "is damaged"),
    ],
)
def test_a_manifest_that_does_not_fit(tmp_path: Path, change: Callable[[dict[str, Any]], object], message: str) -> None:
    path = tmp_path / "x"
    write_snapshot(_example(), path)
    _rewritten(path, change)
    with pytest.raises(FileError, match=message) as caught:
        load_snapshot(path)
    assert caught.value.exit_code == 2
    assert str(caught.value).startswith(f"{path}: ")


def test_every_truncation_and_any_flipped_byte_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "x"
    write_snapshot(_example(), path)
    whole = path.read_bytes()
    before = load_snapshot(path)
    for length in range(0, len(whole), max(1, len(whole) // 60)):
        path.write_bytes(whole[:length])
        with pytest.raises(FileError):
            load_snapshot(path)
    for position in range(0, len(whole), max(1, len(whole) // 150)):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 0x5A]) + whole[position + 1 :])
        try:
            found = load_snapshot(path)
        except FileError:
            continue
        _equal(found, before)  # a byte that carries nothing, like a date in the directory


@pytest.mark.parametrize(
    "content", [b"", b"hello", b'{"a": 1}', b"\x80\x04\x95cos\nsystem\n", b"PK\x03\x04", b"PK\x05\x06" + bytes(18)]
)
def test_files_that_are_not_ours(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x"
    path.write_bytes(content)
    with pytest.raises(FileError):
        load_snapshot(path)


def test_a_foreign_zip_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as file:
        file.writestr("readme.txt", "hi")
    for name, message in (("x.zip", "without plaudit.json"), ("absent", "No such file"), (".", "directory")):
        with pytest.raises(FileError, match=message):
            load_snapshot(tmp_path / name)


def test_a_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(archive.MANIFEST, json.dumps({"format": archive.FORMAT, "format_version": 1, "tables": {}}))
        file.writestr("tables/endpoints", bytes(3_000_000))
    monkeypatch.setattr(archive, "MAX_BYTES", 2_000_000)
    with pytest.raises(FileError, match="would unpack to more than"):
        load_snapshot(path)
    monkeypatch.setattr(archive, "MAX_MANIFEST", 10)
    with pytest.raises(FileError, match="too many parts"):
        load_snapshot(path)


def test_a_failed_write_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x"
    write_snapshot(_example(), path)
    before = path.read_bytes()

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_snapshot(snapshot({}, []), path)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["x"]


def test_permissions_and_links_survive(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.touch(mode=0o640)
    real.chmod(0o640)
    link = tmp_path / "link"
    link.symlink_to(real)
    write_snapshot(_example(), link)
    assert link.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    same(load_snapshot(link), _example())
