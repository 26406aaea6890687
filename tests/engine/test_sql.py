"""The sandbox: SQL reaches nothing but the tables it was given, and not for ever."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from auditor.engine.sql import Database, QueryError, query
from auditor.errors import UsageError
from tests.engine.scene import read, snapshot


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    with Database(threads=1, timeout=20) as made:
        yield made


@pytest.mark.parametrize(
    "sql",
    [
        "select * from read_csv('{path}')",
        "select * from read_text('{path}')",
        "select * from read_blob('{path}')",
        "select * from read_json('{path}')",
        "select * from read_parquet('{path}')",
        "select * from '{path}'",
        "select * from glob('{folder}/*')",
        "copy (select 1) to '{folder}/out.csv'",
        "attach '{folder}/other.db'",
        "export database '{folder}/out'",
        "import database '{folder}'",
        "create secret (type s3)",
        "install httpfs",
        "load httpfs",
        "select getenv('HOME')",
        "set enable_external_access = true",
        "set threads = 8",
        "set lock_configuration = false",
        "reset threads",
        "pragma memory_limit = '90GB'",
        "select * from frame",
        "select * from secret",
    ],
)
def test_nothing_outside_is_reached(database: Database, tmp_path: Path, sql: str) -> None:
    path = tmp_path / "secret.csv"
    path.write_text("a\nhidden\n")
    frame = pd.DataFrame({"a": ["hidden"]})
    secret = {"a": "hidden"}
    assert len(frame) == len(secret)
    with pytest.raises(QueryError) as caught:
        database.run(sql.format(path=path, folder=tmp_path))
    assert "hidden" not in str(caught.value)
    assert sorted(item.name for item in tmp_path.iterdir()) == ["secret.csv"]


def test_a_query_that_never_ends_is_stopped() -> None:
    with Database(threads=1, timeout=0.3) as database, pytest.raises(QueryError, match="took longer than"):
        database.ask("select count(*) from range(10000000) a, range(10000000) b where a.range + b.range = 7")


def test_memory_is_bounded() -> None:
    with Database(threads=1, memory_limit="30MB") as database, pytest.raises(QueryError, match="Out of Memory"):
        database.run("select list(range || 'x' order by -range) from range(5000000)")


@pytest.mark.parametrize(
    ("values", "all_true", "none_true"),
    [
        ("(true), (true)", True, False),
        ("(false), (false)", False, True),
        ("(true), (null)", None, False),
        ("(false), (null)", False, None),
        ("(true), (false)", False, False),
        ("(true), (false), (null)", False, False),
        ("(null::boolean)", None, None),
    ],
)
def test_helpers_never_drop_null(
    database: Database, values: str, all_true: bool | None, none_true: bool | None
) -> None:
    assert database.run(f"select all_true(v), none_true(v) from (values {values}) t(v)") == [(all_true, none_true)]


def test_helpers_say_nothing_of_nothing(database: Database) -> None:
    assert database.run("select all_true(v), none_true(v) from (select true as v where false)") == [(None, None)]


def test_query_reads_a_snapshot() -> None:
    given = snapshot({"endpoints": [{"endpoint_id": "ep-1"}, {"endpoint_id": "ep-2"}]}, [read("endpoints")])
    result = query(given, {}, "with x as (select * from endpoints) select endpoint_id from x order by 1 desc;")
    assert (result.columns, result.rows) == (("endpoint_id",), [("ep-2",), ("ep-1",)])
    assert query(given, {}, "select table_name, complete from coverage").rows == [("endpoints", True)]
    assert query(given, {}, "select bandwidth from endpoints limit 1").rows == [(None,)]


@pytest.mark.parametrize(
    "sql",
    [
        "drop table endpoints",
        "insert into endpoints (endpoint_id) values ('x')",
        "select 1; select 2",
        "",
        "set threads = 1",
        "copy endpoints to 'x.csv'",
        "select * from nothing",
        "create table x as select 1",
        "pragma database_list",
        "explain analyze select 1; drop table endpoints",
    ],
)
def test_query_takes_one_select(sql: str) -> None:
    with pytest.raises(UsageError):
        query(snapshot({}, []), {}, sql)
