"""The rules the tests run over: the built-in ones, and three of the tests' own."""

from __future__ import annotations

from pathlib import Path

from auditor.engine.load import load_folder, load_rules
from auditor.engine.rule import Rule
from auditor.errors import PlauditError

FIXTURE_FOLDER = Path(__file__).parent.parent / "engine" / "rules"
FIXTURES: list[Rule] = load_folder(FIXTURE_FOLDER, builtin=False)


def _built_in() -> list[Rule]:
    try:
        return load_rules()
    except PlauditError as error:
        if "installation is damaged" in str(error):
            return []
        raise


BUILT_IN: list[Rule] = _built_in()
