"""Unmistakable texts in everything a tenant can write, and the search for them in finished documents."""

from __future__ import annotations

import base64
import dataclasses
import gzip
import re
from collections.abc import Iterable, Iterator
from typing import Any

from auditor.inventory.privacy import COVERAGE, Kind, is_free_attribute, kind_of, text_columns
from auditor.inventory.snapshot import Snapshot
from auditor.simulator.world import World

#: Fields of simulated objects in which a tenant writes what it likes.
_FREE = ("name", "description")
_DATA = re.compile(r"[A-Za-z0-9+/=]{200,}")


def plant(world: World) -> World:
    """The world with `planted<account>n<number>` in every free text of every account."""
    numbers = iter(range(10_000))
    for credential in world.credentials.values():
        credential.profile = f"planted{credential.account_id}p{next(numbers)}"
    for entry in vars_of(world):
        if isinstance(entry, dict):
            for item in entry.values():
                account = getattr(item, "account_id", None) or _owner(world, item)
                if account:
                    _plant(item, account, numbers)
    for acl in world.acls.values():
        acl.entries = [(block, f"planted{acl.account_id}n{next(numbers)}") for block, _ in acl.entries]
    return world


def vars_of(world: World) -> Iterator[Any]:
    for field in dataclasses.fields(world):
        yield getattr(world, field.name)


def _owner(world: World, item: Any) -> str | None:
    balancer = world.clbs.get(getattr(item, "load_balancer_id", ""))
    return balancer.account_id if balancer is not None else None


def _plant(item: Any, account: str, numbers: Iterator[int]) -> None:
    if not dataclasses.is_dataclass(item):
        return
    for field in dataclasses.fields(item):
        value = getattr(item, field.name)
        if field.name in _FREE and isinstance(value, str):
            setattr(item, field.name, f"planted{account}n{next(numbers)}")
        elif field.name == "tags" and isinstance(value, dict):
            item.tags = {f"planted{account}k{next(numbers)}": f"planted{account}v{next(numbers)}"}
        elif isinstance(value, list):
            for part in value:
                _plant(part, account, numbers)


def everything_in(document: str) -> str:
    """A document with what is compressed inside it unpacked in its place."""

    def unpacked(found: re.Match[str]) -> str:
        try:
            return gzip.decompress(base64.b64decode(found[0])).decode()
        except (ValueError, OSError):
            return found[0]

    return _DATA.sub(unpacked, document)


def values(snapshot: Snapshot, accounts: Iterable[str], *, others: bool = False) -> set[str]:
    """Every id, address, name and text in the rows these accounts read (or all accounts but these)."""
    chosen = set(accounts)
    found: set[str] = set()
    words: set[str] = {"consumer", "provider", "second-consumer"}
    for table, frame in (*snapshot.tables.items(), (COVERAGE, snapshot.coverage)):
        rows = frame[frame["account_id"].isin(chosen) != others]
        for column in text_columns(table):
            if kind_of(table, column) is Kind.WORD:
                words |= set(frame[column].dropna())
                continue
            cells = rows[column]
            if (table, column) == ("resource_attributes", "value"):
                cells = cells[rows["name"].map(is_free_attribute)]
            found |= {value for value in cells.dropna().unique().tolist() if len(value) > 2}
    return found - words


def standing_in(text: str, wanted: Iterable[str]) -> list[str]:
    """The values that stand in a text on their own."""
    return sorted(
        value for value in wanted if value in text and re.search(rf"(?<![\w.-]){re.escape(value)}(?![\w-]|\.\w)", text)
    )
