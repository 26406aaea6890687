"""Hostile ids and names in remediation texts: quoted for the place, or left out."""

from __future__ import annotations

import shlex

import pytest

from auditor.engine.remediation import fill_in
from auditor.engine.rule import RemediationTemplate

TEMPLATE = RemediationTemplate(
    "Repair {name}.",
    cli=("aliyun slb X --Name {name} --Port {port}",),
    terraform='resource "a" "b" {\n  name = {name}\n  text = "is {name}"\n  port = {port}\n  ref = "${a.b}"\n}\n',
    console="Load balancers > {name}",
)

HOSTILE = [
    "$(reboot)",
    "`reboot`",
    "'; reboot; '",
    '"; reboot; "',
    "a b",
    "a\\",
    '${file("/etc/passwd")}',
    "%{ if true }",
    "*",
    "~root",
    "a&b|c>d<e",
    "#",
    "ü",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_the_shell_sees_one_word(name: str) -> None:
    filled = fill_in(TEMPLATE, {"name": name, "port": 80})
    assert shlex.split(filled.cli[0], comments=False) == ["aliyun", "slb", "X", "--Name", name, "--Port", "80"]
    assert filled.summary == f"Repair {name}."


@pytest.mark.parametrize("name", ["--force", "-rf", "a\nb", "a\x1b[31m", "a\u202eb", "", None])
def test_what_cannot_be_an_id_is_left_out(name: str | None) -> None:
    filled = fill_in(TEMPLATE, {"name": name, "port": None})
    assert filled.cli == ("aliyun slb X --Name '<name>' --Port '<port>'",)


def test_terraform_strings() -> None:
    filled = fill_in(TEMPLATE, {"name": 'a"b\\c${d}%{e}', "port": 80}).terraform
    escaped = 'a\\"b\\\\c$${d}%%{e}'
    assert filled == (
        f'resource "a" "b" {{\n  name = "{escaped}"\n  text = "is {escaped}"\n  port = 80\n  ref = "${{a.b}}"\n}}\n'
    )


def test_a_value_is_not_filled_in_again() -> None:
    assert fill_in(TEMPLATE, {"name": "{port}", "port": 80}).console == "Load balancers > {port}"
