"""Judges a snapshot: every rule over all its resources at once, one finding per resource and part."""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from string import Template
from typing import TYPE_CHECKING, Any, NamedTuple

from auditor.engine.completeness import is_list, unread_sql, with_scope
from auditor.engine.reasons import gaps_sentence
from auditor.engine.related import ID_COLUMNS, references, scope_references
from auditor.engine.remediation import fill_in
from auditor.engine.rule import Evidence, Rule
from auditor.engine.scopes import CONSUMER_TABLES, KINDS, PROVIDER_TABLES, Kind
from auditor.engine.session import ListGap, Member, Session, rule_tables
from auditor.engine.sql import Database, QueryError
from auditor.findings import Finding, Gap, Outcome, Remediation, ResourceRef, Severity, finding_id
from auditor.spec import Spec

if TYPE_CHECKING:
    from auditor.facts.workshop import Workshop
    from auditor.inventory.snapshot import Snapshot

#: Query columns the engine reads itself; every other one is a value for remediation.
ENGINE_COLUMNS = ("part", "compliant", "observed", "reason", "severity", "related")
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
) -> list[Finding]:
    """Every outcome of every rule, in a fixed order: by rule, account, region, resource and part.

    `one_sided` turns outcomes that are unknown only because an account was not given into not_applicable.
    The time of the scan is `snapshot.meta["started_at"]`.  `workshop` is one of the same snapshot and specification,
    for callers that make more from them than findings.
    """
    with Database() as database:
        session = Session(database)
        session.load(snapshot, rules, spec, workshop)
        return judge_loaded(session, rules, one_sided=one_sided)


def judge_loaded(session: Session, rules: Sequence[Rule], *, one_sided: bool = False) -> list[Finding]:
    """`judge` for a session that is already loaded."""
    bench = _Bench(session, one_sided)
    findings: list[Finding] = []
    # Hundreds of thousands of findings are made and none is dropped: collecting in between only costs time.
    collecting = gc.isenabled()
    gc.disable()
    try:
        for rule in sorted(rules, key=lambda rule: rule.id):
            own, hidden = list(bench.outcomes(rule)), list(bench.hidden(rule))
            findings.extend(sorted(own + hidden, key=_order) if hidden else own)
    finally:
        if collecting:
            gc.enable()
    return findings


def _order(finding: Finding) -> tuple[str, str, str, str, str]:
    resource = finding.resource
    return resource.account_id or "", resource.region_id or "", resource.type, resource.id, finding.part


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
        self._related: dict[tuple[str, int], tuple[ResourceRef, ...]] = {}
        self._lists: dict[str, list[ListGap]] = {}
        self._summaries: dict[str, Remediation] = {}
        self._names: dict[str, tuple[str, ...]] = {}
        text = resources.files("auditor.engine").joinpath("judge.sql").read_text("utf-8")
        lines = (line for line in text.splitlines() if not line.startswith("--"))
        self._judge = Template("\n".join(lines))

    # ------------------------------------------------------------------------------------------------ the verdict

    def outcomes(self, rule: Rule) -> Iterator[Finding]:
        """One finding per resource and part."""
        kind = KINDS[rule.resource]
        members = self.session.members(kind)
        if not members:
            return
        if not rule.is_called_for(self.session.spec):
            for member in members.values():
                yield self._not_called_for(rule, member.ref, member.values)
            return
        try:
            unread = [self._missing(kind, item) for item in rule.evidence if item.table is not None]
            columns, rows = self._ask(rule, kind, unread)
        except QueryError as error:
            why = f"The rule could not be evaluated: {error}."
            for member in members.values():
                yield self._finding(rule, member.ref, Outcome.UNKNOWN, reason=why, values=member.values)
            return
        state = _RuleState(rule, kind, [entry for entry in unread if entry.rows], self._sides(rule, kind))
        named = [name for name in columns if name in ID_COLUMNS]
        for row in rows:
            values = dict(zip(columns, row[_WIDTH:], strict=True)) if columns else {}
            answer = _Answer._make(row[:_WIDTH])
            member = members[answer.id]
            outcome = _OUTCOMES[answer.outcome]
            reason: str | None = None
            gaps: tuple[Gap, ...] = ()
            if outcome is Outcome.UNKNOWN:
                outcome, reason, gaps = self._explain(state, member, answer)
            related = self._related_of(kind, answer.id, member)
            if answer.number is not None and (answer.related or named):
                ids = {name: values[name] for name in named}
                related = references(self.session, member.ref, ids, _texts(answer.related), related)
            yield self._finding(
                rule,
                member.ref,
                outcome,
                reason=reason,
                values={**member.values, **values} if values else member.values,
                gaps=gaps,
                part=answer.part or "",
                severity=_severity(rule, answer.severity),
                observed=answer.observed or None,
                related=related,
            )

    def _explain(
        self, state: _RuleState, member: Member, answer: _Answer
    ) -> tuple[Outcome, str | None, tuple[Gap, ...]]:
        """Why an outcome is unknown: the query's own reason first, then what was not read."""
        if answer.twice:
            what = state.kind.name
            return Outcome.UNKNOWN, f"The rule's query gives several rows for one {what}; it has to give one.", ()
        answered = answer.applies is True and answer.number is not None and answer.compliant is not None
        gaps = self._gaps(state, answer.id, member, answered) if answer.incomplete or not answered else ()
        reason = answer.reason or gaps_sentence(gaps, self.session.profiles) or _no_reason(answer)
        return *self._one_sided(gaps, reason), gaps

    def hidden(self, rule: Rule) -> Iterator[Finding]:
        """One unknown per known parent whose members of the rule's kind are not known."""
        for entry in self._list_gaps(KINDS[rule.resource]):
            found, reason = self._one_sided(entry.gaps, gaps_sentence(entry.gaps, self.session.profiles))
            values = {"account_id": entry.parent.account_id, "region_id": entry.parent.region_id}
            if entry.parent.type in _ID_COLUMN:
                values[_ID_COLUMN[entry.parent.type]] = entry.parent.id
            if not rule.is_called_for(self.session.spec):
                yield self._not_called_for(rule, entry.parent, values, part="members")
                continue
            yield self._finding(
                rule, entry.parent, found, reason=reason, values=values, gaps=entry.gaps, part="members"
            )

    def _not_called_for(self, rule: Rule, ref: ResourceRef, values: Mapping[str, Any], part: str = "") -> Finding:
        reason = f"The specification does not declare {rule.only_if_declared}."
        return self._finding(rule, ref, Outcome.NOT_APPLICABLE, reason=reason, values=values, part=part)

    def _finding(
        self,
        rule: Rule,
        ref: ResourceRef,
        outcome: Outcome,
        *,
        reason: str | None,
        values: Mapping[str, Any],
        gaps: tuple[Gap, ...] = (),
        part: str = "",
        severity: Severity | None = None,
        observed: str | None = None,
        related: tuple[ResourceRef, ...] = (),
    ) -> Finding:
        open_ = outcome in (Outcome.FAIL, Outcome.UNKNOWN)
        return Finding(
            id=finding_id(rule.id, ref.account_id or "", ref.region_id or "", ref.id, part),
            rule_id=rule.id,
            title=rule.title,
            severity=severity or rule.severity,
            basis=rule.basis,
            outcome=outcome,
            resource=ref,
            side=rule.side,
            remediation=fill_in(rule.remediation, values) if open_ else self._summary(rule),
            related=related,
            observed=observed,
            reason=reason,
            gaps=gaps,
            sources=rule.sources,
            part=part,
            rationale=rule.rationale,
            tags=rule.tags,
            evidence=self._evidence(rule),
        )

    def _summary(self, rule: Rule) -> Remediation:
        """What stands in findings that need no fix: one object for all of them."""
        if rule.id not in self._summaries:
            self._summaries[rule.id] = Remediation(rule.remediation.summary)
        return self._summaries[rule.id]

    def _evidence(self, rule: Rule) -> tuple[str, ...]:
        if rule.id not in self._names:
            self._names[rule.id] = tuple(dict.fromkeys(item.name for item in rule.evidence))
        return self._names[rule.id]

    def _ask(self, rule: Rule, kind: Kind, unread: Sequence[_Unread]) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        """Runs judge.sql.  Rows: the columns of _FIXED, then the values for remediation, whose names come first."""
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
        picked = ", ".join([*(f'"{name}"' for name in _FIXED), *(f'"x_{name}"' for name in extra)])
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

    def _related_of(self, kind: Kind, id_: int, member: Member) -> tuple[ResourceRef, ...]:
        key = (kind.name, id_)
        if key not in self._related:
            self._related[key] = scope_references(self.session, member.ref, member.values)
        return self._related[key]

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


class _Answer(NamedTuple):
    """One row of judge.sql, without the columns that only remediation and `related` read."""

    id: int
    applies: bool | None
    number: int | None
    twice: bool | None
    incomplete: bool
    outcome: str
    part: str | None
    compliant: bool | None
    observed: str | None
    reason: str | None
    severity: str | None
    related: str | list[str] | None


#: Columns judge.sql gives, in the order of the fields of _Answer.
_FIXED = ("_id", "applies", "_n", "twice", "incomplete", "outcome", *ENGINE_COLUMNS)
_WIDTH = len(_FIXED)
_OUTCOMES = {outcome.value: outcome for outcome in Outcome}

_ID_COLUMN = {"endpoint_services": "service_id", "load_balancers": "load_balancer_id", "endpoints": "endpoint_id"}


def _severity(rule: Rule, override: str | None) -> Severity:
    """The rule's severity, or the query's override.  Raises QueryError for a word that is none."""
    if override is None:
        return rule.severity
    try:
        return Severity(override)
    except ValueError:
        words = ", ".join(Severity)
        raise QueryError(f"{rule.path}: the query of {rule.id} gave the severity {override!r}; write {words}") from None


def _typed(name: str, known: Mapping[str, str]) -> str:
    if name not in known:
        return f"null::{_ANSWER_TYPES.get(name, 'varchar')}"
    if name == "related":
        return 'q."related"' if known[name].endswith("[]") else 'q."related"::varchar'
    return f'q."{name}"::{_ANSWER_TYPES.get(name, "varchar")}'


def _texts(related: str | list[str] | None) -> tuple[str, ...]:
    if related is None:
        return ()
    return (related,) if isinstance(related, str) else tuple(text for text in related if text is not None)


def _no_reason(answer: _Answer) -> str:
    if answer.applies is None:
        return "A value that decides whether the rule applies was not in the answer."
    if answer.number is None:
        return "The rule found nothing it could judge."
    return "A value the rule needs was not in the answer."
