"""Checks the SQL of rules before any data is seen: what it reads, what it gives, how it treats NULL."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from auditor.engine.completeness import is_list, wanted_sql, with_answer, with_scope
from auditor.engine.rule import PLACEHOLDER, ChangeTemplate, Evidence, Rule, Sql
from auditor.engine.scopes import KINDS, Kind
from auditor.engine.session import DECLARED, Session
from auditor.engine.sql import Database, QueryError
from auditor.errors import FileError
from auditor.facts.schema import FACTS
from auditor.inventory.schema import TABLES
from auditor.yaml_reader import did_you_mean

#: Table functions that make rows out of their arguments alone.
_TABLE_FUNCTIONS = frozenset({"unnest", "range", "generate_series"})
#: Names that stand for a value of the running process, although they look like columns.
_PROCESS_VALUES = frozenset({
    "current_date", "current_time", "current_timestamp", "localtime", "localtimestamp", "current_user", "current_role",
    "session_user", "user", "current_catalog", "current_schema", "current_database",
})  # fmt: skip
#: Functions that look at the database or the process instead of their arguments, beside those DuckDB calls volatile.
_PROCESS_FUNCTIONS = frozenset({
    "age", "current_setting", "getenv", "getvariable", "version", "in_search_path", "json_serialize_sql",
    "json_execute_serialized_sql", "json_deserialize_sql", "json_serialize_plan", "query", "query_table", "sniff_csv",
})  # fmt: skip
#: Aggregates whose text depends on the order of the rows (lists only name what is related, and that is sorted).
_ORDERED = frozenset({"string_agg", "listagg", "group_concat"})
_PROCESS_PREFIXES = ("duckdb_", "pragma_", "pg_", "read_", "has_", "current_", "txid_", "write_", "__internal")
#: Functions that drop NULL, and so turn "not known" into an answer.
_NULL_DROPPERS = {
    "bool_and": "all_true",
    "bool_or": "none_true",
    "list_bool_and": "all_true",
    "list_bool_or": "none_true",
    "logical_and": "all_true",
    "logical_or": "none_true",
    "every": "all_true",
    "if": "case when … then … when … then … end",
    "iff": "case when … then … when … then … end",
    "coalesce": "",
    "ifnull": "",
    "nvl": "",
    "greatest": "",
    "least": "",
}
_PLAIN_SOURCES = frozenset({"BASE_TABLE", "SUBQUERY", "JOIN", "TABLE_FUNCTION", "EXPRESSION_LIST", "EMPTY"})
_NODES = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "CTE_NODE"})
_CONDITIONS = ("where_clause", "having", "qualify")


class Linter:
    """Holds one empty database with every table, fact, declaration and scope."""

    def __init__(self) -> None:
        self.database = Database(threads=1, timeout=10.0)
        session = Session(self.database)
        session.build_empty()
        # What only depends on the time zone beside its arguments (`-`, date_diff) is safe: the zone is fixed.
        stability = self.database.run(
            "select function_name from duckdb_functions() where function_type in ('scalar', 'aggregate', 'table') "
            "group by 1 having bool_or(stability = 'VOLATILE') "
            "or not bool_or(coalesce(stability, 'CONSISTENT') = 'CONSISTENT')"
        )
        self._impure = {name for (name,) in stability}

    def __enter__(self) -> Linter:
        return self

    def __exit__(self, *_: object) -> None:
        self.database.close()

    def check(self, rule: Rule) -> None:
        """Raises FileError for the first thing that is wrong with the rule's SQL or placeholders."""
        kind = KINDS[rule.resource]
        tables = {item.name for item in rule.evidence}
        readable = tables | {"scope", "scan", *DECLARED}
        columns = self._check_query(rule, kind, readable)
        if rule.applies is not None:
            self._check_applies(rule, rule.applies, kind, readable)
        for item in rule.evidence:
            if item.targets is not None:
                self._check_targets(rule, item, item.targets, kind, readable)
            elif item.table is not None:
                self._bind(rule, Sql("", item.line), wanted_sql(kind, item))
        known = {*kind.column_names, *columns}
        _check_placeholders(rule, known)
        for step in rule.remediation.change:
            self._check_change(rule, step, kind, known)
        _check_commands(rule)

    def _check_change(self, rule: Rule, step: ChangeTemplate, kind: Kind, known: Collection[str]) -> None:
        """What a change reads and fills in; it decides nothing, so NULL may be handled as it likes."""
        extra: Collection[str] = ()
        if step.each is not None:
            readable = {*TABLES, *FACTS, *DECLARED, "scope", "scan", "answer"}
            _Reader(self, rule, step.each, readable).check_sources(self._parse(rule, step.each))
            query = with_scope(kind, rule.query.text)
            extra = self._bind(rule, step.each, with_answer(kind, f"({query})", step.each.text))
        for value in step.parameters.values():
            for match in PLACEHOLDER.finditer(value):
                if match[1] not in known and match[1] not in extra:
                    hint = did_you_mean(match[1], {*known, *extra}) or "; it has to be a column"
                    raise FileError(rule.path, f"unknown placeholder {{{match[1]}}}{hint}", step.line)

    def _check_query(self, rule: Rule, kind: Kind, readable: Collection[str]) -> dict[str, str]:
        tree = self._parse(rule, rule.query)
        reader = _Reader(self, rule, rule.query, readable)
        reader.check_sources(tree)
        columns = self._bind(rule, rule.query, with_scope(kind, rule.query.text))
        for key in kind.key:
            if key not in columns:
                raise FileError(rule.path, f"the query has to give the key column `{key}`", rule.query.line)
        if "compliant" not in columns:
            raise FileError(rule.path, "the query has to give `compliant`: true, false or NULL", rule.query.line)
        if columns["compliant"] not in ("BOOLEAN", '"NULL"'):
            message = f"`compliant` is {columns['compliant']}; it has to be true, false or NULL"
            raise FileError(rule.path, message, rule.query.line)
        reader.check_verdict(tree, "compliant")
        return columns

    def _check_applies(self, rule: Rule, sql: Sql, kind: Kind, readable: Collection[str]) -> None:
        prefix = "select "
        shifted = Sql(prefix + sql.text, sql.line)
        tree = self._parse(rule, shifted)
        reader = _Reader(self, rule, shifted, readable)
        reader.check_sources(tree)
        for node in _walk(tree):
            reader.check_null(node)
        columns = ", ".join(f'"{name}"' for name in kind.column_names)
        bound = self._bind(
            rule,
            sql,
            f"with scope as (select {columns} from _{kind.name}) "
            f"select r._id, (\n{sql.text}\n) as applies from _{kind.name} r",
        )
        if bound["applies"] not in ("BOOLEAN", '"NULL"'):
            raise FileError(rule.path, f"`applies` is {bound['applies']}; it has to be true, false or NULL", sql.line)

    def _check_targets(self, rule: Rule, item: Evidence, sql: Sql, kind: Kind, readable: Collection[str]) -> None:
        tree = self._parse(rule, sql)
        _Reader(self, rule, sql, readable).check_sources(tree)
        columns = self._bind(rule, sql, with_scope(kind, sql.text))
        listed = item.table is not None and is_list(item.table)
        last = ["account_id", "region_id"] if listed else ["target"]
        if len(columns) != len(kind.key) + len(last):
            wanted = ", ".join((*kind.key, *last))
            raise FileError(rule.path, f"`targets` has to give these columns in order: {wanted}", sql.line)
        self._bind(rule, sql, wanted_sql(kind, item))

    def _parse(self, rule: Rule, sql: Sql) -> dict[str, Any]:
        try:
            tree = self.database.syntax(sql.text)
        except QueryError as error:
            raise FileError(rule.path, f"is not one SELECT: {error}", sql.line) from None
        statements = tree["statements"]
        if len(statements) != 1:
            raise FileError(rule.path, f"write exactly one SELECT, not {len(statements)} statements", sql.line)
        node: dict[str, Any] = statements[0]["node"]
        return node

    def _bind(self, rule: Rule, sql: Sql, whole: str) -> dict[str, str]:
        try:
            return self.database.columns(whole)
        except QueryError as error:
            raise FileError(rule.path, str(error), sql.line) from None

    def function_is_pure(self, name: str) -> bool:
        """False for functions whose answer depends on anything but their arguments."""
        lower = name.lower()
        if lower in _PROCESS_FUNCTIONS or lower.startswith(_PROCESS_PREFIXES):
            return False
        return lower not in self._impure


@dataclass
class _Reader:
    """Walks the syntax tree of one SQL text of one rule."""

    linter: Linter
    rule: Rule
    sql: Sql
    readable: Collection[str]
    ctes: set[str] = field(default_factory=set)

    def fail(self, node: dict[str, Any], message: str) -> FileError:
        offset = node.get("query_location", 0)
        text = self.sql.text.encode()
        lines = text.count(b"\n", 0, offset) if isinstance(offset, int) and offset < len(text) else 0
        return FileError(self.rule.path, message, self.sql.line + lines)

    # ------------------------------------------------------------------------------------------------ what it reads

    def check_sources(self, tree: dict[str, Any]) -> None:
        """Only tables named under evidence, the scope, declarations and the scan; only pure functions."""
        for node in _walk(tree):
            for name in _cte_names(node):
                lower = name.lower()
                if lower.startswith("_") or lower in TABLES or lower in FACTS or lower in DECLARED:
                    raise self.fail(node, f"`{name}` is a table of the engine; name that part of the query otherwise")
                if lower in ("scope", "scan"):
                    raise self.fail(node, f"`{name}` is given by the engine; name that part of the query otherwise")
                self.ctes.add(lower)
        for node in _walk(tree):
            self._check_node(node)

    def _check_node(self, node: dict[str, Any]) -> None:
        type_ = node.get("type")
        if type_ == "BASE_TABLE":
            self._check_table(node)
        elif type_ == "TABLE_FUNCTION":
            name = str(node["function"].get("function_name"))
            if name.lower() not in _TABLE_FUNCTIONS:
                raise self.fail(
                    node, f"the table function {name} is refused; a rule reads tables of the inventory only"
                )
        elif type_ == "FUNCTION":
            name = str(node["function_name"])
            if name.lower() in _ORDERED and not (node.get("order_bys") or {}).get("orders"):
                instead = f"write `{name}(… order by …)`, or sort a list"
                raise self.fail(node, f"{name} without an order gives another text each time; {instead}")
            if not self.linter.function_is_pure(name):
                raise self.fail(node, f"the function {name} reads more than its arguments; use scan.started_at")
        elif type_ == "COLUMN_REF":
            names = node.get("column_names") or []
            if len(names) == 1 and str(names[0]).lower() in _PROCESS_VALUES:
                raise self.fail(node, f"{names[0]} is refused; the time of the scan is scan.started_at")
        elif type_ == "RECURSIVE_CTE_NODE":
            raise self.fail(node, "recursive queries are refused; compute that as a fact")
        elif type_ in ("VALUE_PARAMETER", "PIVOT", "SHOW_REF", "COLUMN_DATA", "DELIM_GET", "CTE_REF"):
            raise self.fail(node, f"{type_} is refused in rules")
        if node.get("sample"):
            raise self.fail(node, "a sample is refused; a rule judges every row")
        if node.get("class") is None and "alias" in node and "type" in node and type_ not in _PLAIN_SOURCES:
            raise self.fail(node, f"{type_} is refused in rules")

    def _check_table(self, node: dict[str, Any]) -> None:
        name = str(node["table_name"])
        if node.get("schema_name") or node.get("catalog_name"):
            raise self.fail(node, f"`{name}` is named with a schema; write the bare name of the table")
        if name.lower() in self.readable or name.lower() in self.ctes:
            return
        if name in TABLES or name in FACTS:
            what = "table" if name in TABLES else "fact"
            raise self.fail(node, f"the query reads {name}; name it under evidence: `- {{{what}: {name}, …}}`")
        hint = did_you_mean(name, {*TABLES, *FACTS, *DECLARED, "scope", "scan"})
        raise self.fail(node, f"there is no table {name}{hint}")

    # ------------------------------------------------------------------------------------------------ how it concludes

    def check_verdict(self, tree: dict[str, Any], column: str) -> None:
        """Nothing that drops NULL may stand in what a column is made of, or in a condition that chooses rows."""
        selects = list(_structure(tree, None))
        wanted = {column}
        seen: set[int] = set()
        changed = True
        while changed:
            changed = False
            for _, names in selects:
                for name, item in names:
                    if id(item) in seen or (name is not None and name.lower() not in wanted):
                        continue
                    if name is None and item.get("class") == "STAR":
                        continue
                    seen.add(id(item))
                    changed = True
                    for node in _walk(item):
                        self.check_null(node)
                        if node.get("class") == "COLUMN_REF":
                            wanted.add(str(node["column_names"][-1]).lower())
        for select, _ in selects:
            for condition in _conditions(select):
                for node in _walk(condition):
                    self.check_null(node)

    def check_null(self, node: dict[str, Any]) -> None:
        """Raises FileError for an expression that turns "not known" into an answer."""
        type_, class_ = node.get("type"), node.get("class")
        name = str(node.get("function_name", "")).lower()
        if type_ == "FUNCTION" and name in _NULL_DROPPERS:
            instead = _NULL_DROPPERS[name]
            hint = f"write {instead}" if instead else "let NULL stay NULL, it becomes unknown"
            raise self.fail(node, f"{name} turns what is not known into an answer; {hint}")
        if type_ == "OPERATOR_COALESCE":
            message = "coalesce (ifnull, nvl) turns what is not known into an answer; let NULL stay NULL"
            raise self.fail(node, message)
        if type_ in ("COMPARE_DISTINCT_FROM", "COMPARE_NOT_DISTINCT_FROM"):
            raise self.fail(node, "`is distinct from` turns what is not known into an answer; write = or <>")
        if class_ == "CASE":
            other = node.get("else_expr") or {}
            is_null = other.get("class") == "CONSTANT" and _is_null(other)
            if other and not is_null:
                raise self.fail(node, "`else` also answers for what is not known; write every `when` out")


def _is_null(constant: dict[str, Any]) -> bool:
    return (constant.get("literal") or {}).get("kind") == "NULL_LITERAL"


def _walk(node: Any) -> Iterator[dict[str, Any]]:
    """Every mapping of a syntax tree."""
    stack = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, dict):
            yield current
            stack.extend(current.values())
        elif isinstance(current, list):
            stack.extend(current)


def _cte_names(node: dict[str, Any]) -> list[str]:
    entries = (node.get("cte_map") or {}).get("map") or []
    names = [str(entry["key"]) for entry in entries]
    if node.get("type") == "CTE_NODE" and node.get("cte_name"):
        names.append(str(node["cte_name"]))
    return names


_Select = tuple[dict[str, Any], list[tuple[str | None, dict[str, Any]]]]


def _structure(node: dict[str, Any], names: list[str | None] | None) -> Iterator[_Select]:
    """The SELECTs that make up a query (CTEs and sub-selects of FROM, not those inside expressions), with their items.

    The items of the right side of a UNION carry the names of the left one.
    """
    for entry in (node.get("cte_map") or {}).get("map") or []:
        inner = entry["value"].get("query_node") or (entry["value"].get("query") or {}).get("node")
        if inner:
            yield from _structure(inner, None)
    type_ = node.get("type")
    if type_ == "SELECT_NODE":
        items = [(_item_name(item), item) for item in node["select_list"]]
        if names is not None and len(names) == len(items):
            items = [(name, item) for name, (_, item) in zip(names, items, strict=True)]
        yield node, items
        yield from _from(node.get("from_table"))
    elif type_ == "SET_OPERATION_NODE":
        children = node.get("children") or [node["left"], node["right"]]
        first: list[str | None] | None = names
        for child in children:
            found = list(_structure(child, first))
            if first is None:
                own = next((items for select, items in found if select is _leftmost(child)), [])
                first = [name for name, _ in own] or None
            yield from found
    else:
        for key in ("query", "child"):
            inner = node.get(key)
            if isinstance(inner, dict):
                yield from _structure(inner, names if key == "child" else None)


def _leftmost(node: dict[str, Any]) -> dict[str, Any]:
    while node.get("type") == "SET_OPERATION_NODE":
        node = (node.get("children") or [node.get("left")])[0]
    return node


def _from(source: dict[str, Any] | None) -> Iterator[_Select]:
    if not source:
        return
    if source["type"] == "SUBQUERY":
        yield from _structure(source["subquery"]["node"], None)
    elif source["type"] == "JOIN":
        yield from _from(source["left"])
        yield from _from(source["right"])


def _item_name(item: dict[str, Any]) -> str | None:
    if item.get("alias"):
        return str(item["alias"])
    if item.get("class") == "COLUMN_REF":
        return str(item["column_names"][-1])
    return None


def _conditions(select: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for key in _CONDITIONS:
        if select.get(key):
            yield select[key]
    stack = [select.get("from_table")]
    while stack:
        source = stack.pop()
        if source and source.get("type") == "JOIN":
            if source.get("condition"):
                yield source["condition"]
            stack += [source["left"], source["right"]]
        elif source and source.get("type") in ("TABLE_FUNCTION", "EXPRESSION_LIST"):
            yield source


def _check_commands(rule: Rule) -> None:
    """Commands written beside a change have to show one of its operations at least, with no parameter that it lacks."""
    commands: dict[str, str] = {}
    for line in rule.remediation.cli:
        words = line.split()
        if words[0] == "aliyun" and len(words) > 2:
            commands.setdefault(f"{words[1]}:{words[2]}", line)
    parameters: dict[str, set[str]] = {}
    for step in rule.remediation.change:
        parameters.setdefault(step.operation, set()).update(step.parameters)
    if rule.remediation.cli and parameters and not commands.keys() & parameters.keys():
        message = f"`cli` shows none of the operations of `change`: {', '.join(parameters)}"
        raise FileError(rule.path, message, rule.remediation.line)
    for operation, known in parameters.items():
        line = commands.get(operation, "")
        other = {word[2:].split("=")[0] for word in line.split() if word.startswith("--")} - known
        if other:
            message = f"`cli` gives {operation} the parameter {min(other)}, and `change` does not"
            raise FileError(rule.path, message, rule.remediation.line)


def _check_placeholders(rule: Rule, known: Collection[str]) -> None:
    template = rule.remediation
    for text in (template.summary, *template.cli, template.terraform or "", template.console or ""):
        for match in PLACEHOLDER.finditer(text):
            if match[1] not in known:
                hint = did_you_mean(match[1], known) or "; it has to be a column of the scope or of the query"
                raise FileError(rule.path, f"unknown placeholder {{{match[1]}}}{hint}", template.line)
    for line in template.cli:
        quote = ""
        position = 0
        starts = {match.start() for match in PLACEHOLDER.finditer(line)}
        while position < len(line):
            character = line[position]
            if position in starts and quote:
                raise FileError(
                    rule.path, f"leave the quotes around {{…}} out of `{line}`: the engine quotes", template.line
                )
            if character in "'\"" and quote in ("", character):
                quote = "" if quote else character
            position += 1
