"""Where the built-in rules and report templates lie, in an installed package and in a checkout alike."""

from __future__ import annotations

from pathlib import Path

from auditor.errors import PlauditError

_PACKAGE = Path(__file__).resolve().parent


def rules_folder() -> Path:
    """The folder of the built-in rules.  Raises PlauditError if the installation lacks it."""
    return _folder("_rules", "rules")


def templates_folder() -> Path:
    """The folder of the report templates.  Raises PlauditError if the installation lacks it."""
    return _folder("_templates", "reports/templates")


def _folder(packaged: str, checkout: str) -> Path:
    """Inside the package first; the checkout only counts if `pyproject.toml` lies beside the package."""
    inside = _PACKAGE / packaged
    if inside.is_dir():
        return inside
    beside = _PACKAGE.parent / checkout
    if (_PACKAGE.parent / "pyproject.toml").is_file() and beside.is_dir():
        return beside
    raise PlauditError(f"{inside} is missing: the installation is damaged; install plaudit again")
