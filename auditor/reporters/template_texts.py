"""Texts of templates in a language: the functions the i18n extension calls, safe for what tenants wrote.

The messages are ours and may hold no markup of their own; values are made inert and escaped, as everywhere else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from auditor.languages import Language
from auditor.reporters.text import inert

if TYPE_CHECKING:
    from markupsafe import Markup


def install(environment: Any, language: Language) -> None:
    """Gives the templates `_`, `gettext`, `ngettext` and the language itself as `language`.

    `_("%(n)s of %(total)s", n=…, total=…)` as in the extension's new style: named values, `%%` for a percent sign.
    `text("{n} of {total}", n=…, total=…)` and `plural("{n} rule", "{n} rules", n)` are those of Language; what they
    return is escaped with the values in it, and the word may be one that is only known at run time.
    """
    from markupsafe import Markup

    def filled(message: str, values: dict[str, Any]) -> Markup:
        # the catalogues are ours: a test refuses markup in them
        return Markup(message) % {name: _value(value) for name, value in values.items()}  # noqa: S704

    def gettext(message: str, /, **values: Any) -> Markup:
        return filled(language.text(message), values)

    def ngettext(one: str, many: str, n: int, /, **values: Any) -> Markup:
        values.setdefault("num", n)
        return filled(language.plural_message(one, many, n), values)

    def text(message: str, /, **values: Any) -> str:
        return language.text(message, **{name: _value(value) for name, value in values.items()})

    def plural(one: str, many: str, n: int, /, **values: Any) -> str:
        return language.plural(one, many, n, **{name: _value(value) for name, value in values.items()})

    environment.globals.update(_=gettext, gettext=gettext, ngettext=ngettext, text=text, plural=plural)
    # what parts of a line are joined with where markup stands between them
    environment.globals.update(
        language=language, comma=language.listed(["", ""]), semicolon=language.sentences(["", ""])
    )
    environment.newstyle_gettext = True


def _value(value: Any) -> Any:
    if value is None:
        raise TypeError("the template shows a value that is not known")
    return inert(value) if type(value) is str else value
