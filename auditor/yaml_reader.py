"""Strict YAML: user files become nodes that know their line and say what to write instead.

Read like YAML 1.2 and narrower: only `true` and `false`, `null` and `~`, decimal integers and floats mean something;
`on`, `no`, `22:22`, dates and sixteen-digit ids with a leading zero stay text.  Duplicate keys, tags, several documents
and deep or multiplied structures are refused.  Every error is a `FileError` with file and line.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NoReturn

from auditor.errors import FileError

Kind = Literal["mapping", "list", "text", "integer", "number", "boolean", "null"]

#: Bounds on what a file may cost: bytes, nesting, and how often an alias may repeat a value.
MAX_BYTES = 4_000_000
MAX_DEPTH = 20
MAX_ALIASES = 100

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)\Z")
_NUMBER = re.compile(r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))([eE][-+]?[0-9]+)?\Z")
_ACCOUNT_ID = re.compile(r"[0-9]{16}\Z")
#: Plain text that other YAML readers take for something else; where data is meant, it has to be quoted.
_AMBIGUOUS = re.compile(
    r"(?i:y|n|on|off|yes|no|true|false|null)\Z|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ].*)?\Z|[-+]?[0-9][0-9_]*(:[0-9]+)+\Z"
)
_BOOLEAN_WORDS = {"y", "n", "on", "off", "yes", "no", "true", "false"}
_KIND_WORDS: dict[str, str] = {
    "mapping": "a mapping of keys",
    "list": "a list",
    "text": "text",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "null": "nothing (null)",
}


def did_you_mean(word: str, known: Collection[str]) -> str:
    """`, did you mean X?` if a known word is close, else the empty text."""
    close = difflib.get_close_matches(word, sorted(known), n=1, cutoff=0.6)
    return f", did you mean {close[0]}?" if close else ""


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One value of a file.

    `value` is a list of (key node, value node) for a mapping, a list of nodes for a list, else the scalar itself.
    `quoted` is true for text that stood in quotes or in a block; `raw` is how a scalar was written, and its first line
    stands in line `text_line` of the file.
    Every method that reads raises FileError when the value is not what is asked for.
    """

    path: str
    line: int
    kind: Kind
    value: Any
    raw: str = ""
    quoted: bool = False
    text_line: int = 0

    def error(self, message: str) -> FileError:
        """The error to raise about this value: file, line and the message."""
        return FileError(self.path, message, self.line)

    def _expected(self, what: str, hint: str = "") -> NoReturn:
        found = f"`{_shorten(self.raw)}`" if self.kind not in ("mapping", "list", "null") else _KIND_WORDS[self.kind]
        raise self.error(f"expected {what}, found {found}{hint}")

    # ------------------------------------------------------------------------------------------------ containers

    def entries(self) -> list[tuple[Node, Node]]:
        """The (key, value) nodes of a mapping whose keys are free, in order."""
        if self.kind != "mapping":
            self._expected("a mapping of keys")
        return list(self.value)

    def mapping(self, *, required: Sequence[str] = (), optional: Sequence[str] = ()) -> dict[str, Node]:
        """The values of a mapping by key; other keys and missing required ones are refused.

        An optional key whose value is null counts as left out.
        """
        known = (*required, *optional)
        found: dict[str, Node] = {}
        for key, value in self.entries():
            if key.raw not in known:
                hint = did_you_mean(key.raw, known)
                raise key.error(f"unknown key `{_shorten(key.raw)}`{hint or '; known are ' + ', '.join(known)}")
            if value.kind != "null" or key.raw in required:
                found[key.raw] = value
        missing = [key for key in required if key not in found]
        if missing:
            raise self.error(f"missing key `{missing[0]}`; write `{missing[0]}: …` here")
        return found

    def items(self) -> list[Node]:
        """The nodes of a list."""
        if self.kind != "list":
            self._expected("a list", "; write it in brackets" if self.kind == "text" else "")
        return list(self.value)

    def texts(self) -> tuple[str, ...]:
        """A list of texts."""
        return tuple(item.text() for item in self.items())

    # ------------------------------------------------------------------------------------------------ scalars

    def text(self, *, choices: Collection[str] = (), pattern: str = "", meaning: str = "") -> str:
        """Non-empty text; of `choices`, or matching `pattern` whole (`meaning` says in words what that is)."""
        if self.kind != "text":
            scalar = self.kind in ("integer", "number", "boolean")
            self._expected(meaning or "text", f'; quote it: "{self.raw}"' if scalar else "")
        value = str(self.value)
        if choices and value not in choices:
            self._expected("one of " + ", ".join(choices), did_you_mean(value, choices))
        if not value.strip():
            self._expected(meaning or "text", ", which is empty")
        if pattern and re.fullmatch(pattern, value) is None:
            self._expected(meaning or f"text like {pattern}")
        return value

    def data_text(self) -> str:
        """Text as data: may be empty, and has to be quoted where another reader would see a boolean or a date."""
        if self.kind == "text" and not self.quoted and _AMBIGUOUS.match(self.raw):
            raise self.error(f'`{self.raw}` is ambiguous; quote it: "{self.raw}"')
        if self.kind in ("integer", "number", "boolean"):
            self._expected("text", f'; quote it: "{self.raw}"')
        if self.kind != "text":
            self._expected("text")
        return str(self.value)

    def account_id(self) -> str:
        """A sixteen-digit account id; the quotes may be left out."""
        if self.kind not in ("text", "integer") or _ACCOUNT_ID.match(self.raw) is None:
            self._expected('an account id of sixteen digits, as "1234567890123456"')
        return self.raw

    def boolean(self) -> bool:
        """`true` or `false`, nothing else."""
        if self.kind != "boolean":
            written = self.kind == "text" and self.raw.lower() in _BOOLEAN_WORDS
            quotes = ", without quotes" if self.quoted else ""
            self._expected("a boolean" if written else "true or false", f"; write true or false{quotes}")
        return bool(self.value)

    def integer(self, *, minimum: int | None = None, maximum: int | None = None) -> int:
        """An integer within bounds (both included)."""
        if self.kind != "integer":
            self._expected("an integer", ", without quotes" if self.quoted and _INTEGER.match(self.raw) else "")
        value = int(self.value)
        if (minimum is not None and value < minimum) or (maximum is not None and value > maximum):
            if maximum is None:
                self._expected(f"an integer from {minimum}")
            self._expected(f"an integer up to {maximum}" if minimum is None else f"{minimum} to {maximum}")
        return value

    def plain(self) -> Any:
        """The value as plain dicts, lists and scalars."""
        if self.kind == "mapping":
            return {key.raw: value.plain() for key, value in self.value}
        if self.kind == "list":
            return [item.plain() for item in self.value]
        return self.value


def _shorten(text: str) -> str:
    shown = "".join(character if character.isprintable() else "·" for character in text)
    return shown if len(shown) <= 60 else shown[:57] + "…"


def read_yaml(path: Path) -> Node:
    """The root node of a file.  Raises FileError if it cannot be read, is not UTF-8, too large or not strict YAML."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise FileError(path, f"cannot be read: {error.strerror or type(error).__name__}") from None
    if len(content) > MAX_BYTES:
        raise FileError(path, f"is larger than {MAX_BYTES} bytes; split it")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise FileError(path, "is not UTF-8 text; save it as UTF-8", line) from None
    return parse_yaml(text, path)


def parse_yaml(text: str, path: Path | str) -> Node:
    """The root node of a text; `path` is only named in errors.  An empty text is a null node.  Raises FileError."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        events = yaml.parse(text, Loader=loader)
        return _Composer(str(path), events).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark is not None else None
        raise FileError(path, f"is not valid YAML: {error.problem or error.context}", line) from None
    except yaml.YAMLError as error:
        character = getattr(error, "position", None)
        line = text.count("\n", 0, character) + 1 if isinstance(character, int) else None
        raise FileError(path, "is not valid YAML: it holds characters YAML does not allow", line) from None


class _Composer:
    """Builds nodes from parser events, so that anchors, tags and duplicate keys are seen with their lines."""

    def __init__(self, path: str, events: Iterator[Any]) -> None:
        self.path = path
        self.events = events
        self.anchors: dict[str, Node] = {}
        self.aliases = 0
        self.depth = 0
        self.line = 1

    def fail(self, message: str) -> NoReturn:
        raise FileError(self.path, message, self.line)

    def next(self) -> tuple[str, Any]:
        event = next(self.events)
        self.line = event.start_mark.line + 1
        return type(event).__name__, event

    def document(self) -> Node:
        root: Node | None = None
        while True:
            name, _event = self.next()
            if name == "StreamEndEvent":
                return root if root is not None else Node(self.path, 1, "null", None)
            if name == "DocumentStartEvent":
                if root is not None:
                    self.fail("a second document begins; write one document per file")
                root = self.node(*self.next())

    def node(self, name: str, event: Any) -> Node:
        line = self.line
        if name == "AliasEvent":
            return self.alias(event.anchor)
        if event.tag not in (None, "!") and (name != "ScalarEvent" or not any(event.implicit)):
            self.fail(f"tags such as {_shorten(event.tag)} are not supported; remove the tag")
        if name == "ScalarEvent":
            node = self.scalar(event, line)
        else:
            self.depth += 1
            if self.depth > MAX_DEPTH:
                self.fail(f"nested deeper than {MAX_DEPTH} levels")
            aliases = self.aliases
            node = self.sequence(line) if name == "SequenceStartEvent" else self.pairs(line)
            self.depth -= 1
            if event.anchor is not None and self.aliases != aliases:
                raise node.error(f"the anchor &{_shorten(event.anchor)} holds an alias; write that value out")
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        return node

    def alias(self, anchor: str) -> Node:
        self.aliases += 1
        if self.aliases > MAX_ALIASES:
            self.fail(f"more than {MAX_ALIASES} aliases; write the values out")
        if anchor not in self.anchors:
            self.fail(f"the alias *{_shorten(anchor)} names no anchor above it")
        return self.anchors[anchor]

    def sequence(self, line: int) -> Node:
        items: list[Node] = []
        while True:
            name, event = self.next()
            if name == "SequenceEndEvent":
                return Node(self.path, line, "list", items)
            items.append(self.node(name, event))

    def pairs(self, line: int) -> Node:
        pairs: list[tuple[Node, Node]] = []
        lines: dict[str, int] = {}
        while True:
            name, event = self.next()
            if name == "MappingEndEvent":
                return Node(self.path, line, "mapping", pairs)
            if name != "ScalarEvent":
                self.fail("a key has to be plain text")
            key = self.node(name, event)
            if key.raw in lines:
                self.fail(f"duplicate key `{_shorten(key.raw)}`, already given in line {lines[key.raw]}; keep one")
            lines[key.raw] = key.line
            pairs.append((key, self.node(*self.next())))

    def scalar(self, event: Any, line: int) -> Node:
        raw = event.value
        if event.style:  # plain scalars have no style
            first = line + 1 if event.style in "|>" else line
            return Node(self.path, line, "text", raw, raw, quoted=True, text_line=first)
        if raw in ("", "~", "null"):
            return Node(self.path, line, "null", None, raw)
        if raw in ("true", "false"):
            return Node(self.path, line, "boolean", raw == "true", raw)
        if len(raw) <= 40:
            if _INTEGER.match(raw):
                return Node(self.path, line, "integer", int(raw), raw)
            if _NUMBER.match(raw):
                return Node(self.path, line, "number", float(raw), raw)
        return Node(self.path, line, "text", raw, raw, text_line=line)
