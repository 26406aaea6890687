"""A made-up language that puts every text it translates in brackets: what stands outside them was never asked for."""

from __future__ import annotations

import gettext
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import pytest

from auditor import languages
from auditor.languages import Language
from tests.reporters import fixture

OPEN, CLOSE = "⟦", "⟧"
_INNERMOST = re.compile(f"{OPEN}[^{OPEN}{CLOSE}]*{CLOSE}")
#: An id, or a text of ours, of which the middle is left out to fit.
_SHORTENED = re.compile(r"[^\s⟧]*…\S*")
_WORD = re.compile(r"[A-Za-z]{2,}")

#: What no language translates: our name, the keys of the filter, units and the parts of operations.
NAMES = ("plaudit", "sev:high", "account:123", "rule:SVC", "side:provider new", "Enter", "RAM")


class Catalogue(gettext.NullTranslations):
    """Translates every message into itself in brackets."""

    def gettext(self, message: str) -> str:
        return f"{OPEN}{message}{CLOSE}"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return f"{OPEN}{msgid2}{CLOSE}"


@contextmanager
def spoken() -> Iterator[None]:
    """Makes `zh` the made-up language; sentences that were put together elsewhere are translated whole."""
    with pytest.MonkeyPatch.context() as patch:
        english = gettext.NullTranslations()
        patch.setattr(languages, "_catalogue", lambda code: english if code == "en" else Catalogue())
        patch.setattr(Language, "said", lambda self, text: text if self.english or not text else f"{OPEN}{text}{CLOSE}")
        yield


def untranslated(texts: Iterable[str], data: Iterable[str]) -> list[str]:
    """The texts that hold a word outside brackets which is no value of the report."""
    values = sorted({*data, *NAMES}, key=len, reverse=True)
    found = []
    for text in texts:
        rest, before = _SHORTENED.sub("·", text), ""
        while rest != before:
            rest, before = _INNERMOST.sub("·", rest), rest
        for value in values:
            rest = rest.replace(value, "·")
        if _WORD.search(rest):
            found.append(text)
    return found


def data_of_the_fixture() -> set[str]:
    """Ids, names, codes and what users wrote in the report of the tests."""
    found: set[str | None] = {"scan-2026-08-01-0001", fixture.REGION, "consumer", "provider"}
    for finding in fixture.report(all_outcomes=True).findings:
        for ref in (finding.resource, *finding.related):
            found |= {ref.id, ref.name, ref.account_id, ref.region_id}
        found |= {finding.id, finding.rule_id, *finding.evidence, *finding.remediation.cli}
        found |= {page.url for page in finding.sources}
        for gap in finding.gaps:
            found |= {gap.operation, gap.table, gap.target, gap.error_code, gap.request_id}
        if finding.waiver:
            waiver = finding.waiver
            found |= {waiver.id, waiver.reason, waiver.owner, waiver.ticket}
    for read in fixture.READS:
        found |= {read.operation, read.target, read.error_code, read.request_id}
    for path in fixture.PATHS:
        found |= {path.protocol, path.zone_id, *(hop.id for hop in path.hops)}
    return {value for value in found if value and len(value) > 1} - {"consumer", "provider"}
