"""Remediation texts with real ids filled in, quoted for the place they stand in; ids and names are hostile."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from typing import Any

from auditor.engine.rule import PLACEHOLDER, RemediationTemplate
from auditor.findings import Remediation


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
    return PLACEHOLDER.sub(lambda match: quote(match[1], values.get(match[1])), text)


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
    out: list[str] = []
    position = 0
    for match in PLACEHOLDER.finditer(text):
        out.append(text[position : match.start()])
        position = match.end()
        line = text[text.rfind("\n", 0, match.start()) + 1 : match.start()]
        value = values.get(match[1])
        escaped = _hcl(_plain(match[1], value))
        inside = len(re.findall(r'(?<!\\)"', line)) % 2 == 1
        number = isinstance(value, (bool, int))
        out.append(escaped if inside or number else f'"{escaped}"')
    return "".join(out) + text[position:]


def _hcl(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return escaped.replace("${", "$${").replace("%{", "%%{")
