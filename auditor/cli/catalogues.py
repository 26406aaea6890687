"""Writes the catalogues of the languages from the source: `python -m auditor.cli.catalogues`, `--check` to compare.

`locale/plaudit.pot` holds every text that is asked for, `locale/<code>/LC_MESSAGES/plaudit.po` its translation, the
`.mo` beside it what is read at run time.  Needs Babel, which nothing else of plaudit does.
"""

from __future__ import annotations

import ast
import copy
import datetime
import io
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from auditor.languages import CODES, DOMAIN, LOCALE

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog

_PACKAGE = Path(__file__).resolve().parents[1]
#: Catalogues carry no clock: the same source gives the same bytes.
_TIME = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
#: What templates call with a text of ours.
_TEMPLATE_CALLS = ("_", "gettext", "ngettext", "text", "plural")


class Text(NamedTuple):
    """One text that is asked for: English, its plural, where, and what a translator should know."""

    english: str
    plural: str | None
    place: str
    comment: str | None = None


@cache
def texts() -> tuple[Text, ...]:
    """Every text of the source, in a fixed order; some come twice."""
    return (*_python(), *_templates(), *_tables(), *_sentences(), *_rules())


def _python() -> Iterator[Text]:
    for path in sorted(_PACKAGE.rglob("*.py")):
        place = path.relative_to(_PACKAGE.parent).as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = _asked(node.func)
            if name in ("text", "marked"):
                yield from (Text(english, None, place) for english in _constants(node.args[0]))
            elif name in ("plural", "plural_message") and len(node.args) > 2:
                for one, many in zip(_constants(node.args[0]), _constants(node.args[1]), strict=True):
                    yield Text(one, many, place)


def _asked(function: ast.expr) -> str:
    """`text` for `language.text`, `self.language.text` and a bare `text`; other objects have such methods too."""
    if isinstance(function, ast.Name):
        return function.id
    if not isinstance(function, ast.Attribute):
        return ""
    owner = function.value
    last = owner.attr if isinstance(owner, ast.Attribute) else owner.id if isinstance(owner, ast.Name) else ""
    return function.attr if last.endswith("language") else ""


def _constants(node: ast.expr) -> Iterator[str]:
    """The texts an argument can be."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _constants(node.body)
        yield from _constants(node.orelse)


def _templates() -> Iterator[Text]:
    from jinja2.ext import babel_extract

    from auditor.reporters.html_texts import script_texts
    from auditor.resources import templates_folder

    options = {"trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}
    for path in sorted(templates_folder().glob("*.j2")):
        with path.open("rb") as file:
            for _line, _function, message, _comments in babel_extract(file, _TEMPLATE_CALLS, [], options):
                place = f"reports/templates/{path.name}"
                # without the places of values and of words that are only known at run time
                words = [message] if isinstance(message, str) else [word for word in message or () if word]
                if words:
                    yield Text(str(words[0]), str(words[1]) if len(words) > 1 else None, place)
    for path in sorted(templates_folder().glob("*.js")):
        for one, many in script_texts(path.read_text(encoding="utf-8")):
            yield Text(one, many, f"reports/templates/{path.name}")


def _tables() -> Iterator[Text]:
    from auditor.inventory.schema import TABLES
    from auditor.reporters.connections import noun

    for table in TABLES:
        yield Text(noun(table), None, "auditor/inventory/schema.py", f"one row of {table}")


def _sentences() -> Iterator[Text]:
    from auditor.sentences import lines

    for line in lines():
        yield Text(line, None, "auditor/locale/sentences.txt")


def _rules() -> Iterator[Text]:
    from auditor.drift.rules import DRIFT_RULES
    from auditor.engine import load_rules

    for rule in sorted([*load_rules(), *DRIFT_RULES], key=lambda rule: rule.id):
        place = f"rules/{rule.id}"
        yield Text(rule.title, None, place, f"title of {rule.id}")
        yield Text(rule.rationale, None, place, f"rationale of {rule.id}")
        yield Text(rule.remediation.summary, None, place, f"fix of {rule.id}")
        fix = rule.remediation
        manual = (fix.choice, fix.replaces, fix.outside, *(step.caution for step in fix.change))
        yield from (Text(text, None, place, f"about the fix of {rule.id}") for text in manual if text is not None)
        for step in (rule.remediation.console or "").split(" > "):
            if step and "{" not in step:
                yield Text(step, None, place, "a step in the console")
        for source in rule.sources:
            yield Text(source.title, None, place, "title of a page")


# ---------------------------------------------------------------------------------------------------------- catalogues


def template() -> Catalog:
    """The catalogue without translations."""
    return _filled(None, None)


def translated(code: str) -> Catalog:
    """The translations in the file of a language, for the texts there are now; what is gone is dropped."""
    from babel.messages.pofile import read_po

    path = po_path(code)
    old = read_po(io.BytesIO(path.read_bytes()), locale=code) if path.exists() else None
    return _filled(code, old)


def _filled(code: str | None, old: Catalog | None) -> Catalog:
    from babel.messages.catalog import Catalog

    catalog = Catalog(
        locale=code,
        domain=DOMAIN,
        project="plaudit",
        version="1",
        header_comment="# Texts of plaudit.",
        copyright_holder="",
        msgid_bugs_address="",
        last_translator="",
        language_team="",
        creation_date=_TIME,
        revision_date=_TIME,
        fuzzy=False,
    )
    for text in texts():
        known = old.get(text.english) if old is not None else None
        string = known.string if known is not None and not known.fuzzy else ""
        one = string if isinstance(string, str) else string[0] if string else ""
        if text.plural is not None:
            # Japanese and Chinese have one form for every number
            catalog.add((text.english, text.plural), (one,) if code else ("", ""), [(text.place, None)])  # type: ignore[list-item]
        else:
            catalog.add(text.english, one, [(text.place, None)], auto_comments=[text.comment] if text.comment else ())  # type: ignore[list-item]
    return catalog


def po_path(code: str) -> Path:
    """The translations of a language."""
    return LOCALE / code / "LC_MESSAGES" / f"{DOMAIN}.po"


def po_bytes(catalog: Catalog) -> bytes:
    """A catalogue as text."""
    from babel.messages.pofile import write_po

    out = io.BytesIO()
    write_po(out, catalog, width=0, include_lineno=False, ignore_obsolete=True)
    return out.getvalue()


def mo_bytes(catalog: Catalog) -> bytes:
    """A catalogue as gettext reads it, without what is not translated."""
    from babel.messages.mofile import write_mo

    # a plural without translation would be written with its English forms, and the first stand for every number
    done = copy.deepcopy(catalog)
    for message in list(done):
        if message.id and message.pluralizable and not any(message.string or ()):
            done.delete(message.id)
    out = io.BytesIO()
    write_mo(out, done)
    return out.getvalue()


def files() -> dict[Path, bytes]:
    """Every file of the catalogues as it should be."""
    found = {LOCALE / f"{DOMAIN}.pot": po_bytes(template())}
    for code in CODES[1:]:
        catalog = translated(code)
        found[po_path(code)] = po_bytes(catalog)
        found[po_path(code).with_suffix(".mo")] = mo_bytes(catalog)
    return found


def missing(code: str) -> list[str]:
    """Texts without a translation."""
    return [
        message.id if isinstance(message.id, str) else message.id[0]
        for message in translated(code)
        if message.id and not (message.string if isinstance(message.string, str) else "".join(message.string or ()))
    ]


def main(arguments: Sequence[str]) -> int:
    """Writes the files, or with `--check` returns 1 and names those that are not current.  Says what is missing."""
    stale = []
    for path, content in files().items():
        if path.exists() and path.read_bytes() == content:
            continue
        stale.append(path.relative_to(_PACKAGE.parent).as_posix())
        if "--check" not in arguments:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    for code in CODES[1:]:
        gaps = missing(code)
        if gaps:
            sys.stderr.write(f"{code}: {len(gaps)} texts have no translation\n")
    if "--check" in arguments and stale:
        sys.stderr.write(f"not current: {', '.join(stale)}; run `python -m auditor.cli.catalogues` and commit\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
