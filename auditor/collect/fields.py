"""Fields: typed values out of raw answers, and the rows made of them.  Pure.

An absent key is NULL, never a default.  A value of another type than documented spoils its row: the row is left out
and a flaw says so, which becomes a gap of the row's parent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from auditor.collect.redaction import redact
from auditor.inventory.schema import TABLES

Item = Mapping[str, Any]

_INT64 = 2**63


@dataclass(frozen=True, slots=True)
class Mistyped:
    """A value that is not of the documented type."""

    field: str
    found: str


Text = str | None | Mistyped
Number = int | None | Mistyped
Flag = bool | None | Mistyped
Value = str | int | bool | None | Mistyped


def _walk(item: Any, path: tuple[str, ...]) -> Any:
    here = item
    for name in path:
        if here is None:
            return None
        if not isinstance(here, Mapping):
            return Mistyped(".".join(path), type(here).__name__)
        here = here.get(name)
    return here


def text(item: Any, *path: str) -> Text:
    """Text at `path`; account ids come as numbers and become text.  NULL if absent."""
    value = _walk(item, path)
    if value is None or isinstance(value, Mistyped):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str):
        # A lone surrogate is legal JSON, but no text: it could not be written to any file.
        return value.encode("utf-8", "replace").decode("utf-8")
    return Mistyped(".".join(path), type(value).__name__)


def lower(item: Any, *path: str) -> Text:
    """`text` in lower case."""
    value = text(item, *path)
    return value.lower() if isinstance(value, str) else value


def number(item: Any, *path: str) -> Number:
    """An integer at `path`, also from text; NULL if absent or the empty text of a field that does not apply."""
    value = _walk(item, path)
    if value is None or value == "" or isinstance(value, Mistyped):
        return None if not isinstance(value, Mistyped) else value
    if isinstance(value, str) and value.strip().removeprefix("-").isascii() and len(value) < 20:
        digits = value.strip()
        if digits.removeprefix("-").isdigit():
            value = int(digits)
    if isinstance(value, int) and not isinstance(value, bool) and -_INT64 <= value < _INT64:
        return value
    return Mistyped(".".join(path), type(value).__name__)


def flag(item: Any, *path: str) -> Flag:
    """A JSON boolean at `path`, nothing that merely looks like one; NULL if absent."""
    value = _walk(item, path)
    if value is None or isinstance(value, bool | Mistyped):
        return value
    return Mistyped(".".join(path), type(value).__name__)


def known(value: Value) -> str:
    """The value as text for use as an id or in a comparison; empty where it is NULL or mistyped."""
    return value if isinstance(value, str) else ""


@dataclass(frozen=True, slots=True)
class Flaw:
    """Why a list is not complete although it was answered.

    `target` is the coverage target; None where even that could not be read, which spoils every target of the answer
    that got no row of its own.
    """

    table: str
    target: str | None
    code: str
    message: str


@dataclass(slots=True)
class Rows:
    """Rows for inventory tables, without account and region, and the flaws found on the way."""

    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    flaws: list[Flaw] = field(default_factory=list)

    def add(self, table: str, target: str | None, **values: Value) -> dict[str, Any] | None:
        """Add a row if it is whole; else a flaw of `target`, and None."""
        required = TABLES[table].required
        for value in values.values():
            if isinstance(value, Mistyped):
                self.flaw(table, target, "Plaudit.Malformed", f"{value.field} of {table} is a {value.found}")
                return None
        for name in required:
            if name not in ("account_id", "region_id") and values.get(name) in (None, ""):
                self.flaw(table, target, "Plaudit.IncompleteRow", f"a row of {table} has no {name}")
                return None
        row = dict(values)
        self.tables.setdefault(table, []).append(row)
        return row

    def flaw(self, table: str, target: str | None, code: str, message: str) -> None:
        self.flaws.append(Flaw(table, target, code, redact(message)))

    def objects(self, table: str, target: str | None, item: Item, *path: str) -> list[Item]:
        """The objects of a list inside an item; an absent list and elements of another type are flaws of `table`."""
        return [entry for entry in self._list(table, target, item, path, Mapping) if isinstance(entry, Mapping)]

    def texts(self, table: str, target: str | None, item: Item, *path: str) -> list[str]:
        """The texts of a list inside an item; as `objects`."""
        found = self._list(table, target, item, path, str)
        return [entry.encode("utf-8", "replace").decode("utf-8") for entry in found if isinstance(entry, str)]

    def _list(self, table: str, target: str | None, item: Item, path: tuple[str, ...], kind: type) -> Iterable[Any]:
        value = _walk(item, path)
        where = ".".join(path)
        if value is None:
            self.flaw(table, target, "Plaudit.Malformed", f"{where} is absent")
            return []
        if not isinstance(value, list):
            found = value.found if isinstance(value, Mistyped) else type(value).__name__
            self.flaw(table, target, "Plaudit.Malformed", f"{where} is a {found} instead of a list")
            return []
        if not all(isinstance(entry, kind) for entry in value):
            self.flaw(table, target, "Plaudit.Malformed", f"an element of {where} has another type than documented")
        return value

    def merge(self, other: Rows) -> None:
        for table, rows in other.tables.items():
            self.tables.setdefault(table, []).extend(rows)
        self.flaws.extend(other.flaws)
