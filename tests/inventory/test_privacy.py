"""Every text column says what it holds, and nothing is said of columns that do not exist."""

from __future__ import annotations

import pytest

from auditor.inventory import privacy
from auditor.inventory.schema import COVERAGE_COLUMNS, TABLES


@pytest.mark.parametrize("table", [*TABLES, privacy.COVERAGE])
def test_every_text_column_is_classified(table: str) -> None:
    missing = []
    for column in privacy.text_columns(table):
        try:
            privacy.kind_of(table, column)
        except KeyError:
            missing.append(column)
    assert not missing, f"{table}: classify {missing} in auditor/inventory/privacy.py"


def test_nothing_is_said_of_columns_that_do_not_exist() -> None:
    known = {column.name for table in TABLES.values() for column in table.columns}
    known |= {column.name for column in COVERAGE_COLUMNS}
    assert not [name for names in privacy._COLUMNS.values() for name in names.split() if name not in known]
    assert not [pair for pair in privacy._TABLE_COLUMNS if pair[1] not in privacy.text_columns(pair[0])]


def test_no_column_is_of_two_kinds() -> None:
    names = [name for names in privacy._COLUMNS.values() for name in names.split()]
    assert len(names) == len(set(names))
