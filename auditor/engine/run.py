"""Judges a snapshot: every rule over all its resources at once, one finding per resource and part."""

from __future__ import annotations

import gc
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from string import Template
from typing import TYPE_CHECKING, Any

from auditor.batches import OPEN, Batch, Draft, Findings
from auditor.engine.completeness import is_list, unread_sql, with_scope
from auditor.engine.drafts import (
    ENGINE_COLUMNS,
    FIXED,
    ID,
    OUTCOME,
    OUTCOMES,
    SEVERITY,
    Answer,
    Maker,
    Surroundings,
    answer_of,
)
from auditor.engine.reasons import gaps_sentence
from auditor.engine.related import Known
from auditor.engine.rule import Evidence, Rule
from auditor.engine.scopes import CONSUMER_TABLES, KINDS, PROVIDER_TABLES, Kind
from auditor.engine.session import ListGap, Member, Session, rule_tables
from auditor.engine.sql import Database, QueryError
from auditor.findings import Finding, Gap, Outcome, Severity
from auditor.spec import Spec

if TYPE_CHECKING:
    from auditor.facts.workshop import Workshop
    from auditor.inventory.snapshot import Snapshot

_ANSWER_TYPES = {"compliant": "boolean"}
#: Scope columns of an endpoint that only the consumer's, only the provider's account tells.
_CONSUMER_COLUMNS = re.compile(r"\b(endpoint_type|endpoint_status|consumer_given)\b", re.IGNORECASE)
_PROVIDER_COLUMNS = re.compile(r"\b(service_resource_type|service_account_id|provider_given)\b", re.IGNORECASE)


def judge(
    snapshot: Snapshot,
    rules: Sequence[Rule],
    spec: Spec,
    *,
    one_sided: bool = False,
    workshop: Workshop | None = None,
) -> Findings:
    """Every outcome of every rule, in a fixed order: by rule, account, region, resource and part.

    `one_sided` turns outcomes that are unknown only because an account was not given into not_applicable.
    The time of the scan is `snapshot.meta["started_at"]`.  `workshop` is one of the same snapshot and specification,
    for callers that make more from them than findings.
    """
    with Database() as database:
        session = Session(database)
        session.load(snapshot, rules, spec, workshop)
        return judge_loaded(session, rules, one_sided=one_sided)


def judge_loaded(session: Session, rules: Sequence[Rule], *, one_sided: bool = False) -> Findings:
    """`judge` for a session that is already loaded."""
    bench = _Bench(session, one_sided)
    with _collection_paused():
        return Findings([bench.batch(rule) for rule in sorted(rules, key=lambda rule: rule.id)])


@contextmanager
def _collection_paused() -> Iterator[None]:
    """Hundreds of thousands of rows are fetched and none is dropped: collecting in between only costs time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


@dataclass(frozen=True, slots=True)
class _Unread:
    """What one item of evidence lacks: its table of `_id, target, account_id, region_id`, and its rows by `_id`."""

    item: Evidence
    table: str
    rows: Mapping[int, list[tuple[str | None, str | None, str | None]]]


class _Bench:
    """Judges rules over one loaded session, remembering what several rules ask."""

    def __init__(self, session: Session, one_sided: bool) -> None:
        self.session = session
        self.database = session.database
        self.one_sided = one_sided
        self._unread: dict[
            tuple[object, ...], tuple[str, dict[int, list[tuple[str | None, str | None, str | None]]]]
        ] = {}
        self._lists: dict[str, list[ListGap]] = {}
        self._surroundings = Surroundings(Known(session.profiles, session.owners))
        text = resources.files("auditor.engine").joinpath("judge.sql").read_text("utf-8")
        lines = (line for line in text.splitlines() if not line.startswith("--"))
        self._judge = Template("\n".join(lines))

    # ------------------------------------------------------------------------------------------------ the verdict

    def batch(self, rule: Rule) -> Batch:
        """One finding per resource and part, and one per parent whose members are not known."""
        kind = KINDS[rule.resource]
        members = self.session.members(kind)
        entries: list[Finding | Draft] = []
        settled: Counter[tuple[Severity, Outcome]] = Counter()
        columns: tuple[str, ...] = ()
        rows: list[Draft] = []
        unread: list[_Unread] = []
        #: Where the query is not asked or fails, one outcome and its reason for all members.
        common: tuple[Outcome, str] | None = None
        if not rule.is_called_for(self.session.spec):
            common = Outcome.NOT_APPLICABLE, _not_called_for(rule)
        elif members:
            try:
                unread = [self._missing(kind, item) for item in rule.evidence if item.table is not None]
                columns, rows = self._ask(rule, kind, unread)
            except QueryError as error:
                common = Outcome.UNKNOWN, f"The rule could not be evaluated: {error}."
        maker = Maker(rule, kind, members, columns, self._surroundings)
        if common is not None:
            outcome, reason = common
            entries += [
                maker.make(member.ref, outcome, reason=reason, values=member.values) for member in members.values()
            ]
        state = _RuleState(rule, kind, [entry for entry in unread if entry.rows], self._sides(rule, kind))
        words: Counter[tuple[str | None, str]] = Counter()
        for row in rows:
            word = row[OUTCOME]
            if word == _UNKNOWN:
                entries.append(maker.finding(row, *self._explain(state, members[row[ID]], answer_of(row))))
            elif word == _FAIL:
                entries.append(maker.finding(row, Outcome.FAIL))
            else:
                words[row[SEVERITY], word] += 1
                entries.append(row)
        for (severity, word), number in words.items():
            settled[maker.severity(severity), OUTCOMES[word]] += number
        hidden = list(self._hidden(rule, maker))
        if hidden:
            entries = sorted([*entries, *hidden], key=maker.place)
        opened = []
        for index, entry in enumerate(entries):
            if isinstance(entry, Finding):
                if entry.outcome in OPEN:
                    opened.append(index)
                else:
                    settled[entry.severity, entry.outcome] += 1
        return Batch(rule.id, rule.title, entries, opened, settled, maker.settled, maker.refs)

    def _explain(
        self, state: _RuleState, member: Member, answer: Answer
    ) -> tuple[Outcome, str | None, tuple[Gap, ...]]:
        """Why an outcome is unknown: the query's own reason first, then what was not read."""
        if answer.twice:
            what = state.kind.name
            return Outcome.UNKNOWN, f"The rule's query gives several rows for one {what}; it has to give one.", ()
        answered = answer.applies is True and answer.number is not None and answer.compliant is not None
        gaps = self._gaps(state, answer.id, member, answered) if answer.incomplete or not answered else ()
        reason = answer.reason or gaps_sentence(gaps, self.session.profiles) or _no_reason(answer)
        return *self._one_sided(gaps, reason), gaps

    def _hidden(self, rule: Rule, maker: Maker) -> Iterator[Finding]:
        """One unknown per known parent whose members of the rule's kind are not known."""
        for entry in self._list_gaps(KINDS[rule.resource]):
            gaps = entry.gaps
            found, reason = self._one_sided(gaps, gaps_sentence(gaps, self.session.profiles))
            values = {"account_id": entry.parent.account_id, "region_id": entry.parent.region_id}
            if entry.parent.type in _ID_COLUMN:
                values[_ID_COLUMN[entry.parent.type]] = entry.parent.id
            if not rule.is_called_for(self.session.spec):
                found, reason, gaps = Outcome.NOT_APPLICABLE, _not_called_for(rule), ()
            yield maker.make(entry.parent, found, reason=reason, values=values, gaps=gaps, part="members")

    def _ask(self, rule: Rule, kind: Kind, unread: Sequence[_Unread]) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        """Runs judge.sql.  Rows: the columns of FIXED, then the values for remediation, whose names come first."""
        query = with_scope(kind, rule.query.text)
        known = self.database.columns(query)
        extra = tuple(name for name in known if name not in kind.key and name not in ENGINE_COLUMNS)
        parts = [f"{_typed(name, known)} as {name}" for name in ENGINE_COLUMNS]
        parts += [f'q."{name}"::varchar as "x_{name}"' for name in extra]
        on = " and ".join(f'q."{key}" = s."{key}"' for key in kind.key)
        answer = (
            f"select row_number() over () as _n, s._id, {', '.join(parts)} from ({query}) q join _{kind.name} s on {on}"
        )
        if rule.applies is None:
            applied = f"select _id, true as applies from _{kind.name}"
        else:
            columns = ", ".join(f'"{name}"' for name in kind.column_names)
            applied = (
                f"with scope as (select {columns} from _{kind.name}) "
                f"select r._id, (\n{rule.applies.text}\n) as applies from _{kind.name} r"
            )
        blocked = " union all ".join(self._blocks(rule, entry) for entry in unread if entry.rows)
        sql = self._judge.substitute(
            applies=applied,
            answer=answer,
            blocked=blocked
            or "select 0 as _id, true as for_pass, true as for_fail, true as for_na, true as for_none where false",
            none=rule.none_found.value,
        )
        picked = ", ".join([*(f'"{name}"' for name in FIXED), *(f'"x_{name}"' for name in extra)])
        return extra, self.database.ask(f"select {picked} from ({sql})").rows

    @staticmethod
    def _blocks(rule: Rule, entry: _Unread) -> str:
        item = entry.item
        read_by_applies = rule.applies is not None and re.search(
            rf"\b{re.escape(item.name)}\b", rule.applies.text, re.IGNORECASE
        )
        flags = (
            Outcome.PASS not in item.partial_proves,
            Outcome.FAIL not in item.partial_proves,
            bool(read_by_applies),
            True,
        )
        words = ", ".join(
            f"{str(flag).lower()} as {name}"
            for flag, name in zip(flags, ("for_pass", "for_fail", "for_na", "for_none"), strict=True)
        )
        return f"select _id, {words} from {entry.table}"

    def _missing(self, kind: Kind, item: Evidence) -> _Unread:
        targets = item.targets.text if item.targets is not None else None
        key = (kind.name, item.table, item.of, item.via, item.on, targets)
        if key not in self._unread:
            table = f"_unread_{len(self._unread)}"
            self.database.ask(
                f"create or replace temp table {table} as {unread_sql(kind, item, wildcards=self.session.wildcards)}"
            )
            rows: dict[int, list[tuple[str | None, str | None, str | None]]] = {}
            for id_, target, account_id, region_id in self.database.run(
                f"select _id, target, account_id, region_id from {table} order by all"
            ):
                rows.setdefault(id_, []).append((target, account_id, region_id))
            self._unread[key] = (table, rows)
        table, rows = self._unread[key]
        return _Unread(item, table, rows)

    # ------------------------------------------------------------------------------------------------ the reasons

    def _gaps(self, state: _RuleState, id_: int, member: Member, answered: bool) -> tuple[Gap, ...]:
        """Why it is unknown: unread evidence first; else, where values are missing, the side that was not read."""
        gaps: list[Gap] = []
        for entry in state.unread:
            table = entry.item.table or ""
            for target, account_id, region_id in entry.rows.get(id_, ()):
                owner = self._owner(state.kind, member, table, target, account_id)
                gaps.extend(self.session.gaps(table, target, account_id, owner, region_id))
        if not answered:
            for side in state.sides:
                gaps.extend(self._side_gap(state.kind, member, side))
        return tuple(dict.fromkeys(gaps))

    def _owner(self, kind: Kind, member: Member, table: str, target: str | None, account_id: str | None) -> str | None:
        """The account that could have answered, None if nobody knows it."""
        endpoint = kind.name in ("endpoint", "vpc")
        if table in PROVIDER_TABLES and not is_list(table):
            known = self.session.owners.get((target or "").split(":", 1)[0])
            if known is not None and known.type != "endpoints":
                return known.account_id
            return member.values.get("service_account_id") if endpoint else account_id
        if table in CONSUMER_TABLES and not is_list(table) and not endpoint:
            known = self.session.owners.get(target or "")
            if known is not None and known.type == "endpoints":
                return known.account_id
        return account_id

    def _sides(self, rule: Rule, kind: Kind) -> tuple[str, ...]:
        """The lists whose rows the rule rests on: without them its values are NULL."""
        if kind.name == "endpoint":
            tables = rule_tables(rule)
            text = rule.query.text + (rule.applies.text if rule.applies is not None else "")
            consumer = tables - PROVIDER_TABLES or _CONSUMER_COLUMNS.search(text)
            provider = tables & PROVIDER_TABLES or _PROVIDER_COLUMNS.search(text)
            return (("endpoints",) if consumer else ()) + (("endpoint_services",) if provider else ())
        return {"endpoint_service": ("endpoint_services",), "vpc": ("vpcs",), "taggable": ("",)}.get(kind.name, ())

    def _side_gap(self, kind: Kind, member: Member, side: str) -> tuple[Gap, ...]:
        """The gap that explains why the row of an object in `side` was not read; empty if it was."""
        side = side or member.ref.type
        own = kind.name != "endpoint" or side == "endpoints"
        if own:
            if member.given:
                return ()
            id_, account_id, region_id = member.ref.id, member.ref.account_id, member.ref.region_id
        else:
            service_id = member.values.get("service_id")
            if service_id is None or service_id in self.session.owned:
                return ()
            id_, account_id = service_id, member.values.get("service_account_id")
            region_id = member.values.get("service_region_id")
        if side == "load_balancers":
            return self.session.gaps(side, id_, account_id, account_id)
        return self.session.row_gap(side, id_, account_id, region_id)

    def _one_sided(self, gaps: Sequence[Gap], reason: str | None) -> tuple[Outcome, str | None]:
        if self.one_sided:
            lacking = [gap for gap in gaps if gap.kind == "not_given"]
            if lacking:
                return Outcome.NOT_APPLICABLE, gaps_sentence(lacking, self.session.profiles)
        return Outcome.UNKNOWN, reason

    def _list_gaps(self, kind: Kind) -> list[ListGap]:
        if kind.name not in self._lists:
            self._lists[kind.name] = self.session.list_gaps(kind)
        return self._lists[kind.name]


@dataclass(frozen=True, slots=True)
class _RuleState:
    """What the reasons of one rule need: its incomplete evidence and the sides it rests on."""

    rule: Rule
    kind: Kind
    unread: list[_Unread]
    sides: tuple[str, ...]


_UNKNOWN, _FAIL = Outcome.UNKNOWN.value, Outcome.FAIL.value
_ID_COLUMN = {"endpoint_services": "service_id", "load_balancers": "load_balancer_id", "endpoints": "endpoint_id"}


def _typed(name: str, known: Mapping[str, str]) -> str:
    if name not in known:
        return f"null::{_ANSWER_TYPES.get(name, 'varchar')}"
    if name == "related":
        return 'q."related"' if known[name].endswith("[]") else 'q."related"::varchar'
    return f'q."{name}"::{_ANSWER_TYPES.get(name, "varchar")}'


def _not_called_for(rule: Rule) -> str:
    return f"The specification does not declare {rule.only_if_declared}."


def _no_reason(answer: Answer) -> str:
    if answer.applies is None:
        return "A value that decides whether the rule applies was not in the answer."
    if answer.number is None:
        return "The rule found nothing it could judge."
    return "A value the rule needs was not in the answer."
