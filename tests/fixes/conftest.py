"""The fixtures of the command line."""

from __future__ import annotations

from tests.cli.conftest import _clean, _rules_read_once, plaudit

__all__ = ["_clean", "_rules_read_once", "plaudit"]
