"""Snapshot files: one snapshot in one compressed file that later versions can read.

A zip with `plaudit.json` (format, versions, meta, and per table the columns with their sizes) and one part per table,
the columns one after the other: text as its distinct values (a JSON list) and little-endian numbers into it, 0 for
NULL; integers as a bit mask of the known ones and the values; booleans as 0 NULL, 1 false, 2 true.  The zip carries a
checksum of every part.  Nothing in a file is ever executed, and its size is bounded before anything is unpacked.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd

from auditor.errors import FileError
from auditor.inventory.coverage import coverage_frame
from auditor.inventory.normalize import table_frame, typed_frame
from auditor.inventory.schema import COVERAGE_COLUMNS, SCHEMA_VERSION, TABLES, Column
from auditor.inventory.snapshot import Snapshot
from auditor.replacement import Replacement

FORMAT = "plaudit-snapshot"
FORMAT_VERSION = 1
MANIFEST = "plaudit.json"

#: Bounds on what a file may unpack to.
MAX_MANIFEST = 16 * 1024**2
MAX_BYTES = 4 * 1024**3
MAX_CELLS = 300_000_000
MAX_PARTS = 1000

_WIDTHS = ((0xFF, "u1"), (0xFFFF, "<u2"), (0xFFFF_FFFF, "<u4"))
_EPOCH = (1980, 1, 1, 0, 0, 0)


class LoadedSnapshot(Snapshot):
    """A snapshot whose tables are attributes too: `snapshot.endpoints`."""

    def __getattr__(self, name: str) -> pd.DataFrame:
        if name != "tables" and name in self.tables:
            return self.tables[name]
        raise AttributeError(f"a snapshot has no table {name!r}; its tables: {', '.join(sorted(TABLES))}")

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self.tables})


# ------------------------------------------------------------------------------------------------------------ writing


def write_snapshot(snapshot: Snapshot, path: Path) -> None:
    """Writes a snapshot beside `path` and renames it; the same snapshot gives the same bytes.  Raises OSError."""
    with Replacement(path) as replacement:
        write_to(snapshot, replacement.file)


def write_to(snapshot: Snapshot, file: IO[bytes]) -> None:
    """Writes a snapshot into an open file, one column in memory at a time."""
    manifest: dict[str, Any] = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "schema_version": SCHEMA_VERSION,
        "meta": _plain(snapshot.meta),
        "tables": {},
    }
    frames = {**snapshot.tables, "coverage": snapshot.coverage}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name in sorted(frames):
            columns = COVERAGE_COLUMNS if name == "coverage" else TABLES[name].columns
            frame = frames[name]
            described: list[dict[str, Any]] = []
            with archive.open(_entry(f"tables/{name}"), "w", force_zip64=True) as part:
                for column in columns:
                    entry: dict[str, Any] = {"name": column.name, "type": column.type}
                    for block in _encode(frame[column.name], entry):
                        part.write(block)
                    described.append(entry)
            manifest["tables"][name] = {"rows": len(frame), "columns": described}
        text = json.dumps(manifest, separators=(",", ":"), sort_keys=True)
        archive.writestr(_entry(MANIFEST), text.encode())


def _entry(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED
    # ZipFile's own level counts only for entries it makes itself; 3.11 and 3.12 keep it under another name.
    setattr(info, "compress_level" if hasattr(info, "compress_level") else "_compresslevel", 1)
    info.create_system = 3
    info.external_attr = 0o644 << 16
    return info


def _plain(value: Any) -> Any:
    """Meta as JSON writes it: tuples are lists, keys are text."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def _encode(series: pd.Series[Any], entry: dict[str, Any]) -> Iterator[bytes]:
    if entry["type"] == "text":
        codes, distinct = pd.factorize(series, use_na_sentinel=True)
        values = json.dumps(distinct.to_numpy(dtype=object).tolist(), separators=(",", ":")).encode()
        width = next(kind for most, kind in _WIDTHS if len(distinct) <= most)
        entry["bytes"] = len(values)
        entry["width"] = int(width[-1])
        yield values
        yield (codes + 1).astype(width).tobytes()
        return
    known = series.notna().to_numpy(dtype=bool)
    if entry["type"] == "bool":
        yield np.where(known, series.fillna(False).to_numpy(dtype=bool).astype("u1") + 1, 0).astype("u1").tobytes()
        return
    yield np.packbits(known).tobytes()
    yield series.fillna(0).to_numpy(dtype="<i8").tobytes()


# ------------------------------------------------------------------------------------------------------------ reading


def load_snapshot(path: Path | str) -> LoadedSnapshot:
    """Reads a snapshot file.

    Columns the file does not have yet are NULL, tables it does not have are empty and not collected, and what this
    version does not know is left out.  Raises FileError for a file that is damaged, not a snapshot, or from a later
    format.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            if file.read(4) not in (b"PK\x03\x04", b"PK\x05\x06"):
                raise FileError(path, "is not a snapshot of plaudit; expected a file written by --save or collect")
            with zipfile.ZipFile(file) as archive:
                return _read(archive, path)
    except OSError as error:
        raise FileError(path, f"cannot be read: {error.strerror or type(error).__name__}") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError):
        # RuntimeError: encrypted; NotImplementedError: a compression we never write.
        raise FileError(path, "is damaged or cut off; take another copy, or collect again") from None
    except (KeyError, ValueError, TypeError, IndexError, AttributeError, RecursionError, OverflowError):
        raise FileError(path, "is damaged: what it says about itself does not fit its content") from None


def _read(archive: zipfile.ZipFile, path: Path) -> LoadedSnapshot:
    entries = archive.infolist()
    names = {entry.filename: entry for entry in entries}
    if MANIFEST not in names:
        raise FileError(path, f"is not a snapshot of plaudit: a zip file without {MANIFEST}")
    if len(entries) > MAX_PARTS or names[MANIFEST].file_size > MAX_MANIFEST:
        raise FileError(path, "is not a snapshot of plaudit: too many parts")
    if sum(entry.file_size for entry in entries) > MAX_BYTES:
        raise FileError(path, f"would unpack to more than {MAX_BYTES // 1024**3} GiB and is not read")
    manifest = json.loads(archive.read(names[MANIFEST]))
    if manifest["format"] != FORMAT:
        raise FileError(path, "is not a snapshot of plaudit")
    version = manifest["format_version"]
    if not isinstance(version, int) or version > FORMAT_VERSION:
        raise FileError(
            path, f"has snapshot format {version!r}; this plaudit reads up to {FORMAT_VERSION}, use a newer one"
        )
    described = manifest["tables"]
    if sum(table["rows"] * len(table["columns"]) for table in described.values()) > MAX_CELLS:
        raise FileError(path, f"holds more than {MAX_CELLS} values and is not read")
    meta = dict(manifest["meta"])
    coverage = _frame(archive, described["coverage"], "coverage", COVERAGE_COLUMNS)
    tables = {}
    missing = []
    for name, table in TABLES.items():
        if name in described:
            tables[name] = _frame(archive, described[name], name, table.columns)
        else:
            tables[name] = table_frame(name, ())
            if not table.given:
                missing.append(name)
    return LoadedSnapshot(tables, _with_gaps(coverage, missing), meta)


def _frame(
    archive: zipfile.ZipFile, described: Mapping[str, Any], name: str, columns: Sequence[Column]
) -> pd.DataFrame:
    rows = described["rows"]
    if not isinstance(rows, int) or rows < 0:
        raise ValueError("rows")
    data = memoryview(archive.read(f"tables/{name}"))
    wanted = {column.name: column for column in columns}
    found: dict[str, Any] = {}
    position = 0
    for entry in described["columns"]:
        size = _size(entry, rows)
        if position + size > len(data):
            raise ValueError("short part")
        column = wanted.get(entry["name"])
        if column is not None:
            if column.type != entry["type"]:
                raise ValueError("type")
            found[column.name] = _decode(data[position : position + size], entry, rows)
        position += size
    if position != len(data):
        raise ValueError("long part")
    return pd.DataFrame(
        {column.name: found[column.name] if column.name in found else _nulls(column, rows) for column in columns},
        columns=[column.name for column in columns],
        index=pd.RangeIndex(rows),
        copy=False,
    )


def _nulls(column: Column, rows: int) -> Any:
    return typed_frame((column,), ()).reindex(pd.RangeIndex(rows))[column.name].array


def _size(entry: Mapping[str, Any], rows: int) -> int:
    if entry["type"] == "text":
        if entry["width"] not in (1, 2, 4) or not isinstance(entry["bytes"], int) or entry["bytes"] < 2:
            raise ValueError("width")
        return int(entry["bytes"]) + int(entry["width"]) * rows
    return rows if entry["type"] == "bool" else (rows + 7) // 8 + 8 * rows


def _decode(block: memoryview, entry: Mapping[str, Any], rows: int) -> Any:
    if entry["type"] == "text":
        distinct = json.loads(bytes(block[: entry["bytes"]]))
        if not {str}.issuperset(map(type, distinct)):
            raise ValueError("text")
        codes = np.frombuffer(block[entry["bytes"] :], dtype=f"<u{entry['width']}")
        values = np.empty(len(distinct) + 1, dtype=object)
        values[0] = pd.NA
        values[1:] = distinct
        return pd.array(values, dtype="string").take(codes.astype(np.int64))
    if entry["type"] == "bool":
        states = np.frombuffer(block, dtype="u1")
        if rows and states.max() > 2:
            raise ValueError("boolean")
        return pd.arrays.BooleanArray(states == 2, states == 0)
    mask = (rows + 7) // 8
    known = np.unpackbits(np.frombuffer(block[:mask], dtype="u1"), count=rows).astype(bool)
    return pd.arrays.IntegerArray(np.frombuffer(block[mask:], dtype="<i8").astype(np.int64), ~known)


def _with_gaps(coverage: pd.DataFrame, missing: Sequence[str]) -> pd.DataFrame:
    """Coverage that says of every table the file lacks that it was not collected, per account and region."""
    if not missing or not len(coverage):
        return coverage
    places = coverage[["account_id", "profile", "region_id"]].drop_duplicates(["account_id", "region_id"])
    rows = [
        {
            "account_id": None if pd.isna(place["account_id"]) else place["account_id"],
            "profile": None if pd.isna(place["profile"]) else place["profile"],
            "region_id": None if pd.isna(place["region_id"]) else place["region_id"],
            "operation": TABLES[name].operations[0],
            "table_name": name,
            "target": "",
            "complete": False,
            "error_code": "Plaudit.NotCollected",
            "message": "the snapshot was written by a version that did not collect this; collect again",
        }
        for name in missing
        for place in places.to_dict("records")
    ]
    return pd.concat([coverage, coverage_frame(rows)], ignore_index=True)
