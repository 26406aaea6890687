"""The command line and the simulated clouds of the command tests."""

from __future__ import annotations

from tests.cli.conftest import _clean, _rules_read_once, cloud, plaudit

__all__ = ["_clean", "_rules_read_once", "cloud", "plaudit"]
