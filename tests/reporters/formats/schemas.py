"""The schemas in `tests/schemas`, compiled once."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import xmlschema

FOLDER = Path(__file__).resolve().parents[2] / "schemas"


@cache
def _validator(name: str) -> Any:
    schema = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    return jsonschema.validators.validator_for(schema)(schema)


def check(name: str, document: object) -> None:
    """Fails with the first errors and their places."""
    errors = [f"{error.json_path}: {error.message[:300]}" for error in _validator(name).iter_errors(document)]
    assert not errors, "\n".join(errors[:5])


@cache
def _junit() -> xmlschema.XMLSchema:
    return xmlschema.XMLSchema(str(FOLDER / "junit-10.xsd"))


def check_junit(text: str) -> None:
    """Fails with the first error."""
    errors = [str(error) for error in _junit().iter_errors(text)]
    assert not errors, errors[0]
