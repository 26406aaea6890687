"""What one company may read of a report: what its own accounts were told by the API, and who is on the other side."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from ipaddress import IPv4Network, IPv6Network, ip_network

from auditor.inventory.privacy import COVERAGE, Kind, is_free_attribute, kind_of, text_columns
from auditor.inventory.snapshot import Snapshot

_WORDS = re.compile(r"\w+")
#: What looks like something of a cloud, wherever it stands: ids, account ids, addresses and blocks.
_IDS = re.compile(r"(?<![\w-])[a-z]{1,8}-(?=[a-z]*[0-9])[0-9a-z]{6,}(?![\w-])")
_ACCOUNTS = re.compile(r"(?<!\d)\d{16}(?!\d)")
_ADDRESSES = re.compile(
    r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}|(?=[0-9a-f:]*:[0-9a-f]*:)[0-9a-f:]+)(?:/\d{1,3})?(?![\w.]*\w\.)",
    re.IGNORECASE,
)

#: A name shorter than this says nothing that could be told from chance.
SHORTEST = 3

#: Blocks that are nobody's secret.
_OPEN_TO_ALL = {"0.0.0.0/0", "::/0", "100.64.0.0/10"}


Network = IPv4Network | IPv6Network


class Disclosure:
    """What `accounts` know, and what the other audited accounts know and they do not.

    Known is every value in a row that their own credentials read.  A text is clear if nothing of the others is in it:
    no value of their rows, and no id, account id or address that is not known.  `vocabulary` are words that plaudit
    itself uses: that somebody gave an object such a name does not make a secret of the word.
    """

    def __init__(
        self, snapshot: Snapshot, accounts: Collection[str], partners: Collection[str], vocabulary: Collection[str]
    ) -> None:
        self.accounts = frozenset(accounts)
        self.partners = frozenset(partners)
        known: set[str] = set()
        theirs: set[str] = set()
        words_of_api: set[str] = set()
        for table, column, reader, values in _values(snapshot):
            own = reader in self.accounts
            if own:
                known.update(values)
            if kind_of(table, column) is Kind.WORD:
                words_of_api.update(values)
            # profiles are names of the person who scans; pages show them with the account and its reads only
            elif not own and column != "profile":
                theirs.update(values)
        self._known = known
        self._parts = {part for value in known for part in (*value.split(":"), *_IDS.findall(value))}
        self._secret: dict[str, set[str]] = {}
        self._odd: set[str] = set()
        self._blocks: set[Network] = set()
        self._addresses: dict[str, bool] = {}
        self._own_blocks = {block for block in map(_network, known) if block is not None and block.prefixlen > 8}
        for value in theirs - known - words_of_api - self.accounts - self.partners - set(vocabulary):
            if len(value) < SHORTEST:
                continue
            network = _network(value)
            if network is not None:
                if network.prefixlen:
                    self._blocks.add(network)
                continue
            words = _WORDS.findall(value)
            if words:
                self._secret.setdefault(max(words, key=len), set()).add(value)
            elif value.strip():
                self._odd.add(value)

    def knows(self, value: str | None) -> bool:
        """Whether an own account read this value, or it is nothing."""
        return not value or value in self._known or value in self._parts

    def knows_account(self, account_id: str | None) -> bool:
        """Whether an account may be named: an own one, or that of a partner."""
        return account_id is not None and (account_id in self.accounts or account_id in self.partners)

    def clear(self, text: str | None) -> bool:
        """Whether nothing of anybody else stands in a text."""
        if not text or self.knows(text):
            return True
        for word in set(_WORDS.findall(text)):
            if any(_stands(value, text) for value in self._secret.get(word, ())):
                return False
        if any(value in text for value in self._odd):
            return False
        return (
            all(self.knows(found) for found in _IDS.findall(text))
            and all(self.knows_account(found) or found in self._known for found in _ACCOUNTS.findall(text))
            and all(self._clear_address(found) for found in _ADDRESSES.findall(text))
        )

    def _clear_address(self, text: str) -> bool:
        found = self._addresses.get(text)
        if found is None:
            found = self._addresses[text] = self._is_clear_address(text)
        return found

    def _is_clear_address(self, text: str) -> bool:
        if self.knows(text) or text in _OPEN_TO_ALL:
            return True
        network = _network(text)
        if network is None or network in self._own_blocks:
            return True
        if network in self._blocks:
            return False
        # what is worked out from an own block lies in it; both sides may use the same private addresses
        return any(_within(network, block) for block in self._own_blocks) or not any(
            _within(network, block) or _within(block, network) for block in self._blocks
        )


def vocabulary(texts: Iterable[str]) -> frozenset[str]:
    """The plain words of texts: letters only."""
    return frozenset(word for text in texts for word in _WORDS.findall(text) if word.isalpha())


def _stands(value: str, text: str) -> bool:
    """Whether a value stands in a text on its own: `web` does not in `webhook`."""
    start = text.find(value)
    while start >= 0:
        end = start + len(value)
        before, behind = text[start - 1 : start], text[end : end + 1]
        glued = (before.isalnum() and value[0].isalnum()) or (behind.isalnum() and value[-1].isalnum())
        if not glued:
            return True
        start = text.find(value, start + 1)
    return False


def _within(inner: Network, outer: Network) -> bool:
    if isinstance(inner, IPv4Network):
        return isinstance(outer, IPv4Network) and inner.subnet_of(outer)
    return isinstance(outer, IPv6Network) and inner.subnet_of(outer)


def _network(text: str) -> Network | None:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None


def _values(snapshot: Snapshot) -> Iterable[tuple[str, str, object, set[str]]]:
    """(table, column, account that read, distinct values), of the tables and of the coverage."""
    for table, frame in (*snapshot.tables.items(), (COVERAGE, snapshot.coverage)):
        if frame.empty:
            continue
        readers = frame["account_id"].astype(object)
        for reader in readers.dropna().unique():
            rows = frame[readers == reader]
            for column in text_columns(table):
                cells = rows[column]
                if table == "resource_attributes" and column == "value":
                    cells = cells[rows["name"].map(is_free_attribute)]
                yield table, column, reader, {v for v in cells.dropna().unique().tolist() if v}
