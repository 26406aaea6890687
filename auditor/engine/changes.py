"""The write operations that mend a finding, filled in from the inventory: text that plaudit itself never sends."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from auditor.engine.completeness import unread_sql, with_answer, with_scope
from auditor.engine.rule import PLACEHOLDER, ChangeTemplate, Rule
from auditor.engine.scopes import KINDS, Kind
from auditor.engine.session import Member, Session
from auditor.engine.sql import Database
from auditor.findings import Finding, Side

if TYPE_CHECKING:
    from auditor.facts.workshop import Workshop
    from auditor.inventory.snapshot import Snapshot
    from auditor.spec import Spec


@dataclass(frozen=True, slots=True)
class Step:
    """One write operation with the values of one finding.

    `account_id` is the account that has to send it, None if nobody knows it.  `missing` names the placeholders whose
    value is not known, and the lists that were not read; such a step can be shown, but neither run nor tried.
    """

    operation: str
    side: Side
    account_id: str | None
    parameters: Mapping[str, str]
    missing: tuple[str, ...] = ()
    caution: str | None = None

    @property
    def command(self) -> str:
        """The step as one line for a POSIX shell."""
        product, _, name = self.operation.partition(":")
        words = ["aliyun", product, name]
        for key, value in self.parameters.items():
            # A value that begins with a dash would be read as an option if it stood on its own.
            words += [f"--{key}={shlex.quote(value)}"] if value.startswith("-") else [f"--{key}", shlex.quote(value)]
        return " ".join(words)

    @property
    def identity(self) -> tuple[str, tuple[tuple[str, str], ...]]:
        """Equal for steps that do the same."""
        return self.operation, tuple(self.parameters.items())


class ChangeReader:
    """Fills in the changes of findings of one snapshot.  `close` it, or use it as a context manager."""

    def __init__(self, snapshot: Snapshot, rules: Sequence[Rule], spec: Spec, workshop: Workshop | None = None) -> None:
        self._database = Database()
        self._session = Session(self._database)
        self._session.load(snapshot, rules, spec, workshop)
        self._rules = {rule.id: rule for rule in rules}

    def __enter__(self) -> ChangeReader:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def steps(self, finding: Finding) -> list[Step]:
        """The steps of a finding's rule in their order; none where the rule names no change for this case."""
        rule = self._rules[finding.rule_id]
        kind = KINDS[rule.resource]
        found = [entry for entry in self._session.members(kind).items() if entry[1].ref == finding.resource]
        if not rule.remediation.change or not found:
            return []
        id_, member = found[0]
        self._single_out(rule, kind, id_, finding.part)
        values = {**member.values, **self._rows("select * from _answer_of_one")[0]} if self._answered() else {}
        return [
            _filled(step, {**values, **row}, _account(step.side, kind, member), self._unread(step, kind, id_))
            for step in rule.remediation.change
            if values
            for row in self._each(step, kind)
        ]

    def _unread(self, step: ChangeTemplate, kind: Kind, id_: int) -> list[str]:
        """What the step needs and nobody read to the end."""
        missing = []
        for item in step.needs:
            sql = unread_sql(kind, item, wildcards=self._session.wildcards)
            for (target,) in self._database.ask(f"select distinct target from ({sql}) where _id = {id_}").rows:
                missing.append(f"{item.table} of {target}" if target else str(item.table))
        return missing

    def _single_out(self, rule: Rule, kind: Kind, id_: int, part: str) -> None:
        """Leaves the one resource in its scope table, and the row of the rule's query in `_answer_of_one`."""
        query = with_scope(kind, rule.query.text)
        on = " and ".join(f'q."{key}" = s."{key}"' for key in kind.key)
        parts = f"and q.part is not distinct from {_literal(part)}" if part else ""
        self._database.ask(
            f"create or replace temp table _answer_of_one as select q.* from ({query}) q "
            f"join _{kind.name} s on {on} where s._id = {id_} {parts} limit 1"
        )
        columns = ", ".join(f'"{column}"' for column in kind.column_names)
        self._database.ask(
            f"create or replace temp table _one_of_its_kind as select {columns} from _{kind.name} where _id = {id_}"
        )

    def _answered(self) -> bool:
        return bool(self._database.run("select 1 from _answer_of_one"))

    def _each(self, step: ChangeTemplate, kind: Kind) -> Iterable[Mapping[str, Any]]:
        if step.each is None:
            return ({},)
        sql = with_answer(kind, "_answer_of_one", step.each.text)
        return self._rows(sql.replace(f"from _{kind.name})", "from _one_of_its_kind)", 1))

    def _rows(self, sql: str) -> list[dict[str, Any]]:
        result = self._database.ask(sql)
        return [dict(zip(result.columns, row, strict=True)) for row in result.rows]


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _account(side: Side, kind: Kind, member: Member) -> str | None:
    """Whose account holds the fix; an endpoint is the consumer's, everything behind it the provider's."""
    value: str | None = member.values.get("account_id")
    if side is Side.PROVIDER and kind.name == "endpoint":
        value = member.values.get("service_account_id")
    return value


def _filled(template: ChangeTemplate, values: Mapping[str, Any], account_id: str | None, unread: Sequence[str]) -> Step:
    missing = list(unread)

    def text(name: str) -> str:
        value = values.get(name)
        known = ("true" if value else "false") if isinstance(value, bool) else str(value)
        # What no id of ours may hold has no place in a command that is meant to be copied.
        if value is None or not known or not known.isprintable():
            missing.append(name)
            return f"<{name}>"
        return known

    parameters = {
        key: PLACEHOLDER.sub(lambda match: text(match[1]), value) for key, value in template.parameters.items()
    }
    return Step(
        template.operation, template.side, account_id, parameters, tuple(dict.fromkeys(missing)), template.caution
    )
