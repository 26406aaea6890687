"""Rows as aligned text, as CSV that no spreadsheet runs, and as JSON."""

from __future__ import annotations

import csv
import datetime
import decimal
import io
import json
from collections.abc import Sequence
from typing import Any

from auditor.reporters.text import clip, inert, pad, width

#: A cell that begins like this is run by spreadsheets.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def grid(columns: Sequence[str], rows: Sequence[Sequence[Any]], room: int) -> str:
    """Aligned columns; the last one is clipped to what is left of `room`.  NULL is shown as such."""
    cells = [[inert(_text(value)) for value in row] for row in rows]
    head = [inert(name) for name in columns]
    widths = [max([width(head[i]), *(width(row[i]) for row in cells)]) for i in range(len(head))]
    if not widths:
        return ""
    widths[-1] = max(width(head[-1]), min(widths[-1], max(room - sum(widths[:-1]) - 2 * (len(widths) - 1), 20)))
    lines = [head, ["-" * size for size in widths], *cells]
    return "".join(
        "  ".join(pad(clip(cell, size), size) for cell, size in zip(line, widths, strict=True)).rstrip() + "\n"
        for line in lines
    )


def csv_text(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """RFC 4180, NULL as an empty cell; text that a spreadsheet would run gets an apostrophe in front."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([_cell(name) for name in columns])
    writer.writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue()


def json_text(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A list of objects.  Columns of the same name get a number behind it."""
    names: list[str] = []
    for name in columns:
        unique, number = name, 2
        while unique in names:
            unique, number = f"{name}_{number}", number + 1
        names.append(unique)
    objects = [dict(zip(names, map(_value, row), strict=True)) for row in rows]
    return json.dumps(objects, ensure_ascii=False, indent=1) + "\n"


def _text(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(_value(value))


def _cell(value: Any) -> Any:
    value = _value(value)
    if value is None:
        return ""
    if isinstance(value, (bool, list, dict)):
        value = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, str):
        return value
    text = "".join(inert(char) if char != "\n" else char for char in value)
    return f"'{text}" if value.lstrip(" ").startswith(_FORMULA) else text


def _value(value: Any) -> Any:
    """A value as JSON knows it."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else None
    if isinstance(value, decimal.Decimal):
        return str(value)
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, (list, tuple)):
        return [_value(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _value(item) for key, item in value.items()}
    return str(value)
