"""One database for all rules of a worker: making it takes longer than judging."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from auditor.engine.session import Session
from auditor.engine.sql import Database


@pytest.fixture(scope="session")
def session() -> Iterator[Session]:
    with Database(threads=1) as database:
        yield Session(database)
