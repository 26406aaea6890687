"""What the shell can complete: names from local files only, and of a file with secrets nothing but the names.

A value that a shell would read as more than a word is left out: what is completed stands on the command line, and the
next key may be Enter.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

#: Words that mean the same to every shell.
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]*\Z")

#: Larger files are no configuration.
_LARGEST = 4 << 20


def profiles(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Names of the profiles in the Alibaba Cloud CLI file that the command line, or its default, names."""
    given = ctx.params.get("config_path")
    path = Path(given).expanduser() if given else Path.home() / ".aliyun" / "config.json"
    return _in_list(_profile_names(path), incomplete)


def rules(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Ids, prefixes and tags of the rules; a list at commas."""
    ids, tags = _rules(ctx)
    return _in_list([*ids, *sorted({name.split("-")[0] for name in ids}), *sorted(tags)], incomplete)


def rule_ids(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Ids of the rules."""
    return _items(_rules(ctx)[0], incomplete)


def scenarios(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Names of the scenarios of the simulator."""
    from auditor.simulator.scenarios import SCENARIOS

    return _items(SCENARIOS, incomplete)


def deferred(name: str) -> Callable[[click.Context, click.Parameter, str], list[Any]]:
    """One of the functions of this module, for an option that is declared before it is needed."""

    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:
        function: Callable[[click.Context, click.Parameter, str], list[Any]] = globals()[name]
        return function(ctx, param, incomplete)

    return complete


def _profile_names(path: Path) -> list[str]:
    try:
        if not path.is_file() or path.stat().st_size > _LARGEST:
            return []
        content = json.loads(path.read_text(encoding="utf-8-sig"))
        entries = content["profiles"]
        return [entry["name"] for entry in entries if isinstance(entry, dict) and isinstance(entry.get("name"), str)]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return []  # a line on standard error would stand in the middle of what is being typed


def _rules(ctx: click.Context) -> tuple[list[str], set[str]]:
    """Ids and tags, found without reading the rules: the files are named by the ids."""
    from auditor.errors import PlauditError
    from auditor.resources import rules_folder

    ids: list[str] = []
    tags: set[str] = set()
    try:
        folders = [rules_folder(), *(Path(folder) for folder in ctx.params.get("rule_folders") or ())]
        for folder in folders:
            for path in folder.rglob("*.yaml"):
                if not re.fullmatch(r"[A-Z][A-Z0-9]*-[0-9]+", path.stem):
                    continue
                ids.append(path.stem)
                line = re.search(r"^tags: \[([^\]]*)\]", path.read_text(encoding="utf-8"), re.MULTILINE)
                tags.update(word.strip() for word in line[1].split(",")) if line else None
    except (PlauditError, OSError, UnicodeDecodeError):
        return sorted(set(ids)), tags
    return sorted(set(ids)), tags


def _items(names: Iterable[str], incomplete: str, before: str = "") -> list[CompletionItem[str]]:
    from click.shell_completion import CompletionItem

    return [CompletionItem(before + name) for name in names if name.startswith(incomplete) and _PLAIN.match(name)]


def _in_list(names: Iterable[str], incomplete: str) -> list[CompletionItem[str]]:
    """The last word of `A,B,…`; what stands there already is not offered again."""
    before, comma, last = incomplete.rpartition(",")
    given = before.split(",")
    return _items((name for name in names if name not in given), last, before + comma)
