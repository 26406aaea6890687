"""Pseudonyms: the same text always becomes the same other text, and nobody without the key finds the way back.

HMAC-SHA256 under a key.  Ids keep their kind, addresses keep which block they lie in, regions and zones stay.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable
from typing import Any

from auditor.inventory.prefixes import Prefixes
from auditor.inventory.privacy import Kind
from auditor.languages import marked

WITHHELD = marked("Withheld by --redact.")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Kinds of ids that stay readable.
PREFIXES = _words(
    """
    ep epsrv lb alb nlb gwlb vpc vsw sg eni i acl nacl rsp sgp sgr pl prl eip fl rule lsn rg
    """
)

#: Parts of ids and ARNs that say nothing about anybody.
_WORDS = _words(
    """
    * acs ram sts role user root assumed-role default all tcp udp http https tcpssl quic geneve ingress egress slb alb
    nlb gwlb system / account arn
    """
)
_ID = re.compile(r"([a-z]{1,8})-[0-9A-Za-z@_-]+\Z")
_ACCOUNT = re.compile(r"[0-9]{8,}\Z")
#: Regions and zones by the shape of their names; those that are no such word are learnt from the snapshot.
_PLACE = re.compile(r"[a-z]{2}-(?:north|south|east|west|northeast|northwest|southeast|southwest|central)-[0-9][a-z]?\Z")
_DOMAIN_ID = re.compile(r"((?:ep|epsrv)-[0-9a-z]+)((?:-.*)?)\Z")
_DOMAIN_WORDS = frozenset({"com", "aliyuncs", "privatelink", "*", ""})
_ACTION = re.compile(r"[a-z0-9]+:(?:[A-Z][A-Za-z]*\*?|\*)\Z")
_DOCUMENT_WORDS = frozenset({"Allow", "Deny", "*", "1", ""})
_DOCUMENT_KEYS = _words(
    """
    Statement Version Effect Principal NotPrincipal Action NotAction Resource NotResource Condition RAM Service
    Federated instanceId regionId resource userId
    """
)
_PLAIN = re.compile(r"(?:[A-Za-z_]+|-?[0-9]{1,7})\Z")


class Pseudonyms:
    """The pseudonyms of one key; remembers what stood for what, in memory only."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._prefixes = Prefixes(key)
        #: Regions and zones, which stay wherever they stand.
        self.places: set[str] = set()
        self._known: dict[tuple[Kind, str], str] = {}
        #: Pseudonym → what it stands for, and the other way round.
        self.originals: dict[str, str] = {}
        self.replaced: dict[str, str] = {}
        self._ways: dict[Kind, Callable[[str], str | None]] = {
            Kind.WORD: lambda text: text,
            Kind.ID: self.id,
            Kind.ACCOUNT: self.account,
            Kind.ARN: self.arn,
            Kind.ADDRESS: self.address,
            Kind.DOMAIN: self.domain,
            Kind.NAME: self.name,
            Kind.DOCUMENT: self.document,
            Kind.WITHHELD: lambda text: WITHHELD if text else text,
        }

    def _is_place(self, text: str) -> bool:
        return text in self.places or _PLACE.match(text) is not None

    def of(self, kind: Kind, text: str) -> str | None:
        """What stands in the place of a text of this kind."""
        return self._ways[kind](text)

    def id(self, text: str) -> str:
        """An id, or several parts with colons between them; `ep-…` stays an `ep-…`."""
        address = self._address(text)
        if address is not None:
            return address
        return ":".join(map(self._part, text.split(":"))) if ":" in text else self._part(text)

    def _part(self, text: str) -> str:
        if text.lower() in _WORDS or not text or (text.isdecimal() and len(text) < 8) or self._is_place(text):
            return text
        if _ACCOUNT.match(text):
            return self.account(text)
        found = _ID.match(text)
        if found is None:
            return self._address(text) or self.name(text)
        prefix = found[1] if found[1] in PREFIXES else "id"
        return self._once(Kind.ID, text, lambda: f"{prefix}-{self._word('id', text, 20)}")

    def account(self, text: str) -> str:
        """An account id: sixteen digits again."""
        if not _ACCOUNT.match(text):
            return text if text.lower() in _WORDS or not text else self.name(text)
        return self._once(Kind.ACCOUNT, text, lambda: str(10**15 + self._number("account", text) % (9 * 10**15)))

    def arn(self, text: str) -> str:
        """An ARN part by part, or an account id."""
        if ":" not in text:
            return self.account(text)
        return ":".join("/".join(map(self.account, part.split("/"))) for part in text.split(":"))

    def address(self, text: str) -> str:
        """An address or a block; what lies in a block lies in the pseudonym of the block."""
        return self._address(text) or self._part(text)

    def _address(self, text: str) -> str | None:
        mapped = self._prefixes.mapped(text)
        return None if mapped is None else self._once(Kind.ADDRESS, text, lambda: mapped)

    def domain(self, text: str) -> str:
        """Domain names, also several with commas; the ids in them become those the ids become elsewhere."""
        return ",".join(".".join(map(self._label, name.split("."))) for name in text.split(","))

    def _label(self, label: str) -> str:
        if label in _DOMAIN_WORDS or self._is_place(label):
            return label
        found = _DOMAIN_ID.match(label)
        if found is not None:
            rest = found[2]
            known = not rest or self._is_place(rest[1:])
            return self._part(found[1]) + (rest if known else "-" + self._word("label", rest, 8))
        return self._once(Kind.DOMAIN, label, lambda: "n" + self._word("label", label, 12))

    def name(self, text: str) -> str:
        """A text somebody chose."""
        if not text or text.lower() in _WORDS:
            return text
        found = _ID.match(text)
        if found is not None and found[1] in PREFIXES:
            return self._part(text)
        return self._once(Kind.NAME, text, lambda: f"name-{self._word('name', text, 12)}")

    def document(self, text: str, *, free: bool = True) -> str:
        """A JSON text with its values replaced; another text is a name.  Keys of `free` documents are names too."""
        if not text:
            return text
        try:
            read = json.loads(text)
        except ValueError:
            return self._value(text, free)
        if not isinstance(read, (dict, list)):
            return self._value(text, free)
        return json.dumps(self._inside(read, free), sort_keys=True, separators=(",", ":"))

    def _inside(self, value: Any, free: bool) -> Any:
        if isinstance(value, dict):
            return {
                key if key in _DOCUMENT_KEYS or not free else self.name(key): self._inside(item, free)
                for key, item in value.items()
            }
        if isinstance(value, list):
            return [self._inside(item, free) for item in value]
        return self._value(value, free) if isinstance(value, str) else value

    def _value(self, text: str, free: bool) -> str:
        if text in _DOCUMENT_WORDS or _ACTION.match(text) or self._is_place(text) or (not free and _PLAIN.match(text)):
            return text
        if text.startswith("acs:"):
            return self.arn(text)
        return self.id(text) if self._address(text) or _ID.match(text) or _ACCOUNT.match(text) else self.name(text)

    # ------------------------------------------------------------------------------------------------------ the way

    def restored(self, text: str) -> str:
        """A text of ids, accounts and addresses as it was before."""
        return _TOKENS.sub(lambda match: self._restored(match[0]), text)

    def _restored(self, token: str) -> str:
        if token in self.originals:
            return self.originals[token]
        return "/".join(self.originals.get(part, part) for part in token.split("/"))

    def told(self, text: str) -> str:
        """A sentence with everything replaced that has been replaced before; the longest first."""
        words = sorted((word for word in self.replaced if len(word) > 2 and word in text), key=len, reverse=True)
        if not words:
            return text
        pattern = "|".join(map(re.escape, words))
        return re.sub(rf"(?<!\w)(?:{pattern})(?!\w)", lambda match: self.replaced[match[0]], text)

    def _once(self, kind: Kind, text: str, make: Callable[[], str]) -> str:
        known = self._known.get((kind, text))
        if known is None:
            known = self._known[kind, text] = make()
            if known != text:
                self.originals.setdefault(known, text)
                self.replaced.setdefault(text, known)
        return known

    def _digest(self, kind: str, text: str) -> bytes:
        return hmac.new(self._key, f"{kind}\x1f{text}".encode("utf-8", "surrogatepass"), hashlib.sha256).digest()

    def _word(self, kind: str, text: str, length: int) -> str:
        return base64.b32encode(self._digest(kind, text)).decode().lower()[:length]

    def _number(self, kind: str, text: str) -> int:
        return int.from_bytes(self._digest(kind, text)[:16])


_TOKENS = re.compile(r"[0-9A-Za-z._/-]+")
