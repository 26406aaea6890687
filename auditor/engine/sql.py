"""The one door to DuckDB: an in-memory database that reaches neither files, network nor Python variables."""

from __future__ import annotations

import json
import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from auditor.errors import UsageError
from auditor.inventory.schema import COVERAGE_COLUMNS, TABLES, Column

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

    from auditor.inventory.snapshot import Snapshot

#: Up to how many rows are handed over as values instead of as a frame.
_SMALL = 40

SQL_TYPES = {"text": "varchar", "int": "bigint", "bool": "boolean"}

#: NULL-safe aggregates: DuckDB's own drop NULL, and "true and not known" would be true.  Without rows both are NULL.
_MACROS = (
    "create macro all_true(x) as case when count(*) filter (where not x) > 0 then false "
    "when count(*) > 0 and count(*) = count(x) then true end",
    "create macro none_true(x) as case when count(*) filter (where x) > 0 then false "
    "when count(*) > 0 and count(*) = count(x) then true end",
)


class QueryError(UsageError):
    """A SQL text cannot be run; the message is DuckDB's first line."""


@dataclass(frozen=True, slots=True)
class QueryResult:
    """The answer of a query: column names and rows."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


class Database:
    """One sandboxed database.

    `timeout` bounds a query of somebody else in seconds.  `close` it, or use it as a context manager.
    """

    def __init__(self, *, threads: int = 2, memory_limit: str = "2GB", timeout: float = 120.0) -> None:
        import duckdb

        self.timeout = timeout
        self._connection: duckdb.DuckDBPyConnection = duckdb.connect(
            ":memory:",
            config={
                "threads": threads,
                "memory_limit": memory_limit,
                "python_enable_replacements": False,
                "temp_directory": "",  # never spill into the working folder
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            },
        )
        self._error = duckdb.Error
        for statement in (
            "set TimeZone = 'UTC'",
            "set enable_progress_bar = false",
            *_MACROS,
            "set enable_external_access = false",
            "set lock_configuration = true",
        ):
            self._connection.execute(statement)

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Frees everything."""
        self._connection.close()

    def run(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Runs a statement of the engine and returns its rows.  Raises QueryError."""
        return self._execute(sql, parameters).rows

    def ask(self, sql: str) -> QueryResult:
        """Runs SQL that holds somebody else's text, bounded in time.  Raises QueryError, also when time is up."""
        timer = threading.Timer(self.timeout, self._connection.interrupt)
        timer.daemon = True
        timer.start()
        try:
            return self._execute(sql, ())
        finally:
            timer.cancel()

    def _execute(self, sql: str, parameters: Sequence[object]) -> QueryResult:
        try:
            cursor = self._connection.execute(sql, parameters) if parameters else self._connection.execute(sql)
            columns = tuple(str(column[0]) for column in cursor.description or ())
            return QueryResult(columns, cursor.fetchall() if columns else [])
        except self._error as error:
            if type(error).__name__ == "InterruptException":
                raise QueryError(f"the query took longer than {self.timeout:g} seconds") from None
            raise QueryError(_first_line(str(error))) from None

    def columns(self, sql: str) -> dict[str, str]:
        """Names and types of the columns a SELECT would give.  Raises QueryError where it does not bind."""
        return {str(row[0]): str(row[1]) for row in self.run(f"describe {sql}")}

    def syntax(self, sql: str) -> dict[str, Any]:
        """DuckDB's syntax tree of SELECT statements.  Raises QueryError for anything else."""
        tree: dict[str, Any] = json.loads(self.run("select json_serialize_sql(?)", [sql])[0][0])
        if tree.get("error"):
            raise QueryError(_first_line(str(tree.get("error_message"))))
        return tree

    def create(self, name: str, columns: Sequence[Column]) -> None:
        """An empty table of declared columns."""
        fields = ", ".join(f'"{column.name}" {SQL_TYPES[column.type]}' for column in columns)
        self._connection.execute(f'create or replace table "{name}" ({fields})')

    def fill(self, name: str, columns: Sequence[Column], frame: pd.DataFrame) -> None:
        """Replaces the rows of a table by those of a frame that has the declared columns."""
        self._connection.execute(f'delete from "{name}"')
        if not len(frame):
            return
        if len(frame) <= _SMALL:
            self._fill_small(name, frame)
            return
        names = ", ".join(f'"{column.name}"' for column in columns)
        self._connection.register("_frame", frame)
        try:
            self._connection.execute(f'insert into "{name}" ({names}) select {names} from _frame')
        finally:
            self._connection.unregister("_frame")

    def _fill_small(self, name: str, frame: pd.DataFrame) -> None:
        """A few rows, as values: examples are small, and scanning a frame costs more than they do."""
        from pandas import NA

        lists = {
            column: [None if value is NA else value for value in frame[column].tolist()] for column in frame.columns
        }
        given = {column: values for column, values in lists.items() if values.count(None) < len(values)}
        given = given or dict([next(iter(lists.items()))])
        names = ", ".join(f'"{column}"' for column in given)
        row = f"({', '.join('?' * len(given))})"
        values = [value for row_values in zip(*given.values(), strict=True) for value in row_values]
        self._connection.execute(f'insert into "{name}" ({names}) values {", ".join([row] * len(frame))}', values)


def _first_line(message: str) -> str:
    return message.strip().split("\n", 1)[0]


def query(
    snapshot: Snapshot,
    facts: Mapping[str, pd.DataFrame],
    sql: str,
    *,
    only: Collection[str] = (),
    timeout: float = 60.0,
) -> QueryResult:
    """One SELECT over the inventory tables, the coverage and the facts given.  `only` bounds the tables loaded.

    Raises QueryError (a UsageError) for anything that is not one SELECT, does not bind or takes too long.
    """
    from auditor.facts.schema import FACTS

    text = sql.strip().rstrip(";")
    with Database(timeout=timeout) as database:
        if len(database.syntax(text)["statements"]) != 1:
            raise QueryError("write exactly one SELECT")
        for name, table in TABLES.items():
            database.create(name, table.columns)
            if name in snapshot.tables and (not only or name in only):
                database.fill(name, table.columns, snapshot.tables[name])
        database.create("coverage", COVERAGE_COLUMNS)
        database.fill("coverage", COVERAGE_COLUMNS, snapshot.coverage)
        for name, frame in facts.items():
            database.create(name, FACTS[name].columns)
            database.fill(name, FACTS[name].columns, frame)
        return database.ask(text)
