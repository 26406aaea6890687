"""Remediation texts with real ids filled in, quoted for the place they stand in; ids and names are hostile."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from auditor.engine.rule import PLACEHOLDER, RemediationTemplate
from auditor.findings import Remediation

#: A double quote that is not escaped.
_QUOTE = re.compile(r'(?<!\\)"')


def fill_in(template: RemediationTemplate, values: Mapping[str, Any]) -> Remediation:
    """The remediation with every `{placeholder}` replaced by its value; what is not known becomes `<name>`.

    Values in `cli` are shell-quoted, values in `terraform` are HCL strings, values elsewhere plain text.
    """
    return Remediation(
        summary=_replace(template.summary, values, _plain),
        cli=tuple(_replace(line, values, _shell) for line in template.cli),
        terraform=_terraform(template.terraform, values) if template.terraform is not None else None,
        console=_replace(template.console, values, _plain) if template.console is not None else None,
    )


def _replace(text: str, values: Mapping[str, Any], quote: Callable[[str, Any], str]) -> str:
    pieces, rest = _pieces(text)
    return "".join([part for before, name, _ in pieces for part in (before, quote(name, values.get(name)))]) + rest


@lru_cache(maxsize=1024)  # the texts of all rules, each filled in thousands of times
def _pieces(text: str) -> tuple[tuple[tuple[str, str, bool], ...], str]:
    """The text before every placeholder, its name and whether it stands in double quotes; and what is left behind."""
    found: list[tuple[str, str, bool]] = []
    position = 0
    for match in PLACEHOLDER.finditer(text):
        line = text[text.rfind("\n", 0, match.start()) + 1 : match.start()]
        found.append((text[position : match.start()], match[1], len(_QUOTE.findall(line)) % 2 == 1))
        position = match.end()
    return tuple(found), text[position:]


def _known(value: Any) -> str | None:
    """The value as text; None where it is not known, or holds what no id or name of ours may hold."""
    if value is None:
        return None
    text = ("true" if value else "false") if isinstance(value, bool) else str(value)
    return text if text and text.isprintable() else None


def _plain(name: str, value: Any) -> str:
    text = _known(value)
    return f"<{name}>" if text is None else text


def _shell(name: str, value: Any) -> str:
    text = _known(value)
    # A value that begins with a dash would be read as an option, quoted or not.
    return shlex.quote(f"<{name}>" if text is None or text.startswith("-") else text)


def _terraform(text: str, values: Mapping[str, Any]) -> str:
    """HCL: inside double quotes the value is escaped, elsewhere it becomes a quoted string (numbers stay numbers)."""
    pieces, rest = _pieces(text)
    out: list[str] = []
    for before, name, inside in pieces:
        value = values.get(name)
        escaped = _hcl(_plain(name, value))
        out.append(before)
        out.append(escaped if inside or isinstance(value, (bool, int)) else f'"{escaped}"')
    return "".join(out) + rest


def _hcl(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return escaped.replace("${", "$${").replace("%{", "%%{")
