"""Reads rule files strictly: whatever is unknown, missing or said twice is refused with file and line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from auditor.engine.lint import Linter
from auditor.engine.rule import ChangeTemplate, Evidence, Example, RemediationTemplate, Rule, Sql, Value
from auditor.engine.scopes import KINDS
from auditor.errors import FileError, UsageError
from auditor.facts.schema import FACTS
from auditor.findings import Basis, Outcome, Severity, Side, Source
from auditor.inventory.schema import TABLES, Column
from auditor.resources import rules_folder
from auditor.spec import REQUIREMENTS, Spec
from auditor.spec_file import spec_from_node
from auditor.yaml_reader import Node, did_you_mean, read_yaml

_ID = r"[A-Z][A-Z0-9]*-[0-9]{3}"
_PARAMETER = r"[A-Z][A-Za-z0-9.]*|region"
_OPERATION = r"(privatelink|slb|nlb|ecs|vpc):(?!Describe|List|Get|Query)[A-Z][A-Za-z]+"
_TAG = r"[a-z][a-z0-9-]*"
_TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"
#: Folders of `rules/` that hold something else than rules.
_OTHER_FOLDERS = frozenset({"frameworks"})
_OUTCOMES = tuple(outcome.value for outcome in Outcome)


def load_rules(extra_dirs: Sequence[Path] = (), *, lint_builtin: bool = False) -> list[Rule]:
    """The built-in rules and those of extra folders, sorted by id.

    The SQL of the built-in rules is checked by the tests, so a run only checks that of the others, unless
    `lint_builtin`.  Raises FileError for the first thing that is wrong, with file and line.
    """
    rules = load_folder(rules_folder(), builtin=True, lint=lint_builtin)
    for folder in extra_dirs:
        if not folder.is_dir():
            raise FileError(folder, "is not a folder; name a folder of rule files")
        rules.extend(load_folder(folder, builtin=False))
    check_ids(rules)
    return sorted(rules, key=lambda rule: rule.id)


def load_folder(folder: Path, *, builtin: bool, lint: bool = True) -> list[Rule]:
    """The rules of one folder: `<ID>.yaml` in it or in a folder per topic; anything else there is refused.

    `lint`: whether the SQL of the rules is checked too.
    """
    rules = [read_rule(path, builtin=builtin) for path in _rule_files(folder)]
    if lint and rules:
        with Linter() as linter:
            for rule in rules:
                linter.check(rule)
    check_ids(rules)
    return rules


def _rule_files(folder: Path) -> list[Path]:
    files = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or (path.name == "README.md" and path.is_file()):
            continue
        if path.is_dir():
            if path.name in _OTHER_FOLDERS:
                continue
            for inner in sorted(path.iterdir()):
                if inner.name.startswith("."):
                    continue
                if not inner.is_file() or inner.suffix != ".yaml":
                    raise FileError(inner, "is no rule file; a topic folder holds <ID>.yaml files only")
                files.append(inner)
        elif path.suffix == ".yaml":
            files.append(path)
        else:
            raise FileError(path, "is no rule file; a rule folder holds <ID>.yaml, folders of them and README.md")
    return files


def check_ids(rules: Sequence[Rule]) -> None:
    """Raises FileError where an id or an alias is used twice."""
    seen: dict[str, Rule] = {}
    for rule in rules:
        for id_ in (rule.id, *rule.aliases):
            if id_ in seen:
                line = rule.lines["id"] if id_ == rule.id else rule.lines["aliases"]
                raise FileError(rule.path, f"the id {id_} is already used in {seen[id_].path}; ids are for ever", line)
            seen[id_] = rule


def select_rules(rules: Sequence[Rule], select: Sequence[str], exclude: Sequence[str]) -> list[Rule]:
    """The rules named by ids, aliases, prefixes (`SG`) or tags; all if `select` is empty.

    Deprecated rules only run if named by id.  Raises UsageError for a word that names nothing, or if nothing is left.
    """
    chosen = [rule for rule in rules if not rule.deprecated]
    if select:
        named = [rule for word in select for rule in _named(rules, word, "select")]
        chosen = [
            rule for rule in rules if rule in named and (not rule.deprecated or {rule.id, *rule.aliases} & {*select})
        ]
    dropped = [rule for word in exclude for rule in _named(rules, word, "exclude")]
    left = [rule for rule in chosen if rule not in dropped]
    if not left:
        raise UsageError("no rule is selected; widen --select or narrow --exclude (see `plaudit rules list`)")
    return left


def _named(rules: Sequence[Rule], word: str, option: str) -> list[Rule]:
    prefix = word.rstrip("-") + "-"
    found = [
        rule
        for rule in rules
        if word == rule.id or word in rule.aliases or rule.id.startswith(prefix) or word in rule.tags
    ]
    if not found:
        known = {rule.id for rule in rules} | {rule.id.split("-")[0] for rule in rules}
        known |= {tag for rule in rules for tag in rule.tags}
        hint = did_you_mean(word, known) or "; see `plaudit rules list`"
        raise UsageError(f"--{option} {word!r} names no rule{hint}")
    return found


# ------------------------------------------------------------------------------------------------ one file


def read_rule(path: Path, *, builtin: bool) -> Rule:
    """One rule file, read and checked but for its SQL.  Raises FileError."""
    root = read_yaml(path)
    node = root.mapping(
        required=(
            "id",
            "title",
            "severity",
            "basis",
            "resource",
            "side",
            "rationale",
            "query",
            "remediation",
            "examples",
        ),
        optional=(
            "evidence",
            "sources",
            "tags",
            "applies",
            "only_if_declared",
            "none_found",
            "aliases",
            "deprecated",
            "never_fails",
        ),
    )
    basis = Basis(node["basis"].text(choices=[basis.value for basis in Basis]))
    sources = tuple(_source(item) for item in node["sources"].items()) if "sources" in node else ()
    if basis is Basis.DOCUMENTED and not sources:
        raise node["basis"].error("a documented rule names its pages; write `sources: [{title: …, url: …}]`")
    kind = node["resource"].text(choices=tuple(KINDS))
    rule = Rule(
        id=_id(node["id"], path),
        title=_title(node["title"]),
        severity=Severity(node["severity"].text(choices=[severity.value for severity in Severity])),
        basis=basis,
        resource=kind,
        side=Side(node["side"].text(choices=[side.value for side in Side])),
        rationale=_sentence(node["rationale"]),
        query=_sql(node["query"]),
        remediation=_remediation(node["remediation"], kind),
        evidence=tuple(_evidence(item, kind) for item in node["evidence"].items()) if "evidence" in node else (),
        examples=tuple(_example(item) for item in node["examples"].items()),
        path=str(path),
        builtin=builtin,
        sources=sources,
        tags=tuple(item.text(pattern=_TAG) for item in node["tags"].items()) if "tags" in node else (),
        applies=_sql(node["applies"]) if "applies" in node else None,
        only_if_declared=node["only_if_declared"].text(choices=REQUIREMENTS) if "only_if_declared" in node else None,
        none_found=Outcome(node["none_found"].text(choices=_OUTCOMES)) if "none_found" in node else Outcome.UNKNOWN,
        aliases=tuple(item.text(pattern=_ID) for item in node["aliases"].items()) if "aliases" in node else (),
        deprecated=node["deprecated"].boolean() if "deprecated" in node else False,
        never_fails=node["never_fails"].boolean() if "never_fails" in node else False,
        lines={key: value.line for key, value in node.items()},
    )
    _check_basis(rule, node)
    _check_examples(rule, node["examples"])
    _check_via(rule)
    return rule


def _id(node: Node, path: Path) -> str:
    id_ = node.text(pattern=_ID, meaning="an id like ZONE-001")
    if path.name != f"{id_}.yaml":
        raise node.error(f"the file of rule {id_} has to be named {id_}.yaml")
    return id_


def _title(node: Node) -> str:
    title = node.text()
    first = title.split()[0].lower()
    if first in ("ensure", "ensures", "check", "checks", "verify", "make"):
        raise node.error(f"the title states the compliant state; leave out {title.split()[0]!r}")
    if title.endswith("."):
        raise node.error("the title has no period at its end")
    if not title[0].isupper():
        raise node.error("the title starts with a capital letter")
    return title


def _sentence(node: Node) -> str:
    text = " ".join(node.text().split())
    if not text.endswith("."):
        raise node.error("end the sentence with a period")
    return text


def _sql(node: Node) -> Sql:
    return Sql(node.text().strip("\n").rstrip().rstrip(";"), node.text_line + _leading_lines(node.text()))


def _leading_lines(text: str) -> int:
    return len(text) - len(text.lstrip("\n"))


def _source(node: Node) -> Source:
    entry = node.mapping(required=("title", "url"))
    return Source(
        entry["title"].text(), entry["url"].text(pattern=r"https://\S+", meaning="a URL that begins with https://")
    )


def _remediation(node: Node, kind: str) -> RemediationTemplate:
    entry = node.mapping(
        required=("summary",), optional=("cli", "terraform", "console", "change", "choice", "replaces", "outside")
    )
    change = tuple(_change(item, kind) for item in entry["change"].items()) if "change" in entry else ()
    cli = entry["cli"].texts() if "cli" in entry else ()
    if not cli and not any(step.each for step in change):
        cli = tuple(step.command for step in change)
    return RemediationTemplate(
        summary=_sentence(entry["summary"]),
        cli=cli,
        terraform=entry["terraform"].text() if "terraform" in entry else None,
        console=entry["console"].text() if "console" in entry else None,
        line=node.line,
        change=change,
        choice=_sentence(entry["choice"]) if "choice" in entry else None,
        replaces=_sentence(entry["replaces"]) if "replaces" in entry else None,
        outside=_sentence(entry["outside"]) if "outside" in entry else None,
    )


def _change(node: Node, kind: str) -> ChangeTemplate:
    entry = node.mapping(required=("operation", "side"), optional=("parameters", "each", "caution", "needs"))
    parameters = {}
    for key, value in entry["parameters"].entries() if "parameters" in entry else ():
        parameters[key.text(pattern=_PARAMETER, meaning="a request parameter like ServiceId")] = value.data_text()
    return ChangeTemplate(
        operation=entry["operation"].text(pattern=_OPERATION, meaning="a write operation like slb:SetBackendServers"),
        side=Side(entry["side"].text(choices=[side.value for side in Side])),
        parameters=parameters,
        line=node.line,
        each=_sql(entry["each"]) if "each" in entry else None,
        caution=_sentence(entry["caution"]) if "caution" in entry else None,
        needs=tuple(_evidence(item, kind) for item in entry["needs"].items()) if "needs" in entry else (),
    )


def _evidence(node: Node, kind: str) -> Evidence:
    entry = node.mapping(optional=("table", "fact", "of", "via", "on", "targets", "partial_proves"))
    if ("table" in entry) == ("fact" in entry):
        raise node.error("an item of evidence names either a table or a fact")
    if "fact" in entry:
        if len(entry) > 1:
            raise node.error("a fact carries its own completeness; leave out everything but `fact`")
        return Evidence(None, entry["fact"].text(choices=tuple(FACTS)), node.line)
    table = TABLES[_known(entry["table"], TABLES, "table")]
    scope = KINDS[kind].column_names
    of = via = on = None
    if "via" in entry:
        via = _known(entry["via"], {**TABLES, **FACTS}, "table or fact")
        columns = [column.name for column in (TABLES[via].columns if via in TABLES else FACTS[via].columns)]
        if "of" not in entry:
            raise node.error(f"`via: {via}` needs `of`: the column of {via} that holds the id")
        of = entry["of"].text(choices=columns)
        on = _shared(node, entry.get("on"), kind, columns, via)
    elif "of" in entry:
        of = entry["of"].text(choices=scope)
    if "on" in entry and "via" not in entry:
        raise entry["on"].error("`on` goes with `via`")
    targets = _sql(entry["targets"]) if "targets" in entry else None
    if targets is not None and of is not None:
        raise node.error("write either `of` or `targets`")
    listed = table.parent is None and not table.by_id
    if listed and of is not None:
        raise node.error(f"{table.name} is listed for a whole region; leave `of` out")
    if not listed and of is None and targets is None:
        own = table.parent or table.key[0]
        raise node.error(f"{table.name} is read per {own}; write `of: {own}`, or `via`, or `targets`")
    return Evidence(table.name, None, node.line, of, via, on, targets, _proves(entry.get("partial_proves")))


def _proves(node: Node | None) -> frozenset[Outcome]:
    if node is None:
        return frozenset()
    words = node.items() if node.kind == "list" else [node]
    return frozenset(Outcome(word.text(choices=("pass", "fail"))) for word in words)


def _shared(node: Node, on: Node | None, kind: str, columns: Sequence[str], via: str) -> str | None:
    """The scope column by which `via` is joined; None for the key of the kind."""
    scope = KINDS[kind]
    shared = [
        name for name in scope.column_names if name in columns and name not in ("account_id", "region_id", "name")
    ]
    if on is not None:
        return on.text(choices=shared)
    if all(key in columns for key in scope.key):
        return None
    ids = [name for name in ("endpoint_id", "service_id", "load_balancer_id", "vpc_id") if name in shared]
    if not ids:
        raise node.error(f"{via} shares no id with the scope of {kind}; write `targets` instead")
    return ids[0]


def _known(node: Node, known: object, what: str) -> str:
    names = list(known)  # type: ignore[call-overload] # any container of names
    name = node.text()
    if name not in names:
        raise node.error(f"unknown {what} {name}{did_you_mean(name, names) or '; see the schema page'}")
    return name


def _check_via(rule: Rule) -> None:
    named = {item.name for item in rule.evidence}
    for item in rule.evidence:
        if item.via is not None and item.via not in named:
            raise FileError(rule.path, f"`via: {item.via}` is read, so name {item.via} under evidence too", item.line)


def _check_basis(rule: Rule, node: dict[str, Node]) -> None:
    if rule.basis is Basis.DOCUMENTED:
        return
    for key in ("title", "rationale", "remediation"):
        texts = (rule.title, rule.rationale, rule.remediation.summary)
        if re.search(r"documentation (requires|demands|says)|is required by the documentation", " ".join(texts), re.I):
            raise node[key].error(f"a rule whose basis is {rule.basis} never says that the documentation requires it")


def _check_examples(rule: Rule, node: Node) -> None:
    expected = {example.expect for example in rule.examples}
    wanted = (Outcome.PASS, Outcome.UNKNOWN) if rule.never_fails else (Outcome.PASS, Outcome.FAIL, Outcome.UNKNOWN)
    if rule.never_fails and Outcome.FAIL in expected:
        raise node.error("the rule says `never_fails`, and an example expects `fail`")
    for outcome in wanted:
        if outcome not in expected:
            raise node.error(f"no example expects `{outcome}`; add one")
    names: set[str] = set()
    for example in rule.examples:
        if example.name in names:
            raise FileError(rule.path, f"two examples are named {example.name!r}", example.line)
        names.add(example.name)


# ------------------------------------------------------------------------------------------------ examples


def _example(node: Node) -> Example:
    entry = node.mapping(
        required=("name", "expect", "given"),
        optional=("observed", "declared", "now", "missing", "half_read", "resource"),
    )
    given = {}
    for key, rows in entry["given"].entries():
        table = TABLES[_known(key, TABLES, "table")]
        given[table.name] = tuple(_row(row, table.name) for row in rows.items())
    return Example(
        name=entry["name"].text(),
        expect=Outcome(entry["expect"].text(choices=_OUTCOMES)),
        given=given,
        line=node.line,
        observed=entry["observed"].text() if "observed" in entry else None,
        declared=spec_from_node(entry["declared"]) if "declared" in entry else Spec(),
        now=entry["now"].text(pattern=_TIME, meaning="a time like 2026-01-01T00:00:00Z") if "now" in entry else None,
        missing=_table_names(entry.get("missing")),
        half_read=_table_names(entry.get("half_read")),
        resource=entry["resource"].text() if "resource" in entry else None,
    )


def _table_names(node: Node | None) -> tuple[str, ...]:
    return tuple(_known(item, TABLES, "table") for item in node.items()) if node is not None else ()


def _row(node: Node, table: str) -> dict[str, Value]:
    declared = TABLES[table]
    row: dict[str, Value] = {}
    for key, value in node.entries():
        row[key.raw] = _value(declared.column(_known(key, declared.column_names, f"column of {table}:")), value)
    for name in declared.required:
        if name in ("account_id", "region_id"):
            continue
        if row.get(name) is None:
            raise node.error(f"a row of {table} needs `{name}`")
    return row


def _value(column: Column, node: Node) -> Value:
    if node.kind == "null":
        return None
    if column.type == "int":
        return node.integer()
    if column.type == "bool":
        return node.boolean()
    if node.kind == "integer" and (column.name.endswith("account_id") or column.name.endswith("owner_id")):
        return node.account_id()
    return node.data_text()
