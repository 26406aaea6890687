"""Rules and templates: inside the package first, in the checkout only if it is one."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor import resources
from auditor.errors import PlauditError


def test_the_package_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "auditor"
    (tmp_path / "rules").mkdir()
    (tmp_path / "reports" / "templates").mkdir(parents=True)
    package.mkdir()
    monkeypatch.setattr(resources, "_PACKAGE", package)
    with pytest.raises(PlauditError, match="install plaudit again"):
        resources.rules_folder()
    (tmp_path / "pyproject.toml").write_text("")
    assert resources.rules_folder() == tmp_path / "rules"
    assert resources.templates_folder() == tmp_path / "reports" / "templates"
    (package / "_rules").mkdir()
    assert resources.rules_folder() == package / "_rules"
