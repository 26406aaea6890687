"""Takes the data of an example away, piece by piece, and says what must not come of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from auditor.engine.examples import example_rows, judge_example
from auditor.engine.rule import Example, Rule
from auditor.engine.run import judge_loaded
from auditor.engine.session import Session, tables_needed
from auditor.findings import Finding, Outcome
from auditor.inventory.schema import TABLES
from tests.rules.worlds import Batch, Renaming, World, batches, world_number

Outcomes = dict[tuple[str, str], Outcome]
UNTOUCHED = "untouched"
#: Columns whose absence is an answer: current versions of the API have dropped the field.
#: A probe that did not go as far as TLS or HTTP leaves these empty.
ABSENCE_ANSWERS = {
    ("RES-009", "load_balancers.support_private_link"),
    ("PROBE-003", "probe_connections.tls_outcome"),
    ("PROBE-005", "probe_connections.http_outcome"),
}


def blanked_worlds(rule: Rule, example: Example) -> Iterator[World]:
    """The example itself, then every way to read less of it."""
    rows = example_rows(example)
    reads = dict.fromkeys(example.missing, "absent") | dict.fromkeys(example.half_read, "half")
    yield World(UNTOUCHED, example, rows, reads)
    for table in sorted(tables_needed([rule]) - {"accounts"}):
        given = rows.get(table, [])
        without = {**rows, table: []}
        if table not in example.missing:
            yield World(f"{table} refused", example, without, {**reads, table: "refused"})
            # What a user may give and did not makes a rule not applicable: that is no loss of data.
            if not TABLES[table].given:
                yield World(f"{table} not asked", example, without, {**reads, table: "absent"})
        if not given:
            continue
        yield World(f"{table} half read", example, rows, {**reads, table: "half"})
        if len(given) > 1:
            yield World(f"{table} cut short", example, {**rows, table: given[:-1]}, {**reads, table: "half"})
        for column in TABLES[table].columns:
            if column.required or not any(row.get(column.name) is not None for row in given):
                continue
            if (rule.id, f"{table}.{column.name}") in ABSENCE_ANSWERS:
                continue
            for label, nulled in _nulled(given, column.name):
                yield World(f"{table}.{column.name} NULL{label}", example, {**rows, table: nulled}, reads)


def _nulled(rows: list[dict[str, object]], column: str) -> Iterator[tuple[str, list[dict[str, object]]]]:
    yield "", [{**row, column: None} for row in rows]
    if len(rows) > 1:
        yield " in the first row", [{**rows[0], column: None}, *rows[1:]]


def blank_out(session: Session, rule: Rule) -> list[str]:
    """What goes wrong when data is taken away from the examples of a rule; empty if nothing does."""
    worlds = [world for example in rule.examples for world in blanked_worlds(rule, example)]
    wrong: list[str] = []
    untouched: dict[str, Outcomes] = {}
    judged: list[tuple[World, Outcomes]] = []
    for batch in batches(rule, worlds):
        judged.extend(_judge(session, rule, batch))
    for world, outcomes in judged:
        if world.label == UNTOUCHED:
            alone = _outcomes(judge_example(session, rule, world.example))
            if alone != outcomes:
                wrong.append(f"{rule.id}, {world.example.name!r}: worlds are not apart: {alone} alone, {outcomes} here")
            untouched[world.example.name] = outcomes
    for world, outcomes in judged:
        for sentence in violations(untouched[world.example.name], outcomes):
            wrong.append(f"{rule.id}, {world.example.name!r}, {world.label}: {sentence}")
    return wrong


def _judge(session: Session, rule: Rule, batch: Batch) -> list[tuple[World, Outcomes]]:
    session.load(batch.snapshot(), [rule], batch.specification())
    found: dict[int, Outcomes] = defaultdict(dict)
    names = [Renaming(world.number, example_rows(world.example), world.example.declared) for world in batch.worlds]
    for finding in judge_loaded(session, [rule]):
        number = world_number(finding.resource.id)
        assert number is not None, f"{finding.resource.id} does not look like an id; use ids like ep-1 in examples"
        back = names[number].back
        found[number][back(finding.resource.id), back(finding.part)] = finding.outcome
    return [(world, found[world.number]) for world in batch.worlds]


def _outcomes(findings: list[Finding]) -> Outcomes:
    return {(finding.resource.id, finding.part): finding.outcome for finding in findings}


def violations(before: Outcomes, after: Outcomes) -> Iterator[str]:
    """Sentences about outcomes that less data must not lead to."""
    whole: dict[str, set[Outcome]] = defaultdict(set)
    left: dict[str, set[Outcome]] = defaultdict(set)
    for (id_, _), outcome in before.items():
        whole[id_].add(outcome)
    for (id_, _), outcome in after.items():
        left[id_].add(outcome)
    for (id_, part), now in after.items():
        was = {before[id_, part]} if (id_, part) in before else whole[id_]
        if now is Outcome.PASS and was != {Outcome.PASS}:
            yield f"{id_} {part} passes, was {_words(was)}"
        if now is Outcome.FAIL and was == {Outcome.PASS}:
            yield f"{id_} {part} fails, passed before"
        if now is Outcome.NOT_APPLICABLE and Outcome.FAIL in was:
            yield f"{id_} {part} is not applicable, failed before"
    hidden = any(part == "members" and outcome is Outcome.UNKNOWN for (_, part), outcome in after.items())
    for (id_, part), was_ in before.items():
        if (id_, part) in after or was_ not in (Outcome.PASS, Outcome.FAIL):
            continue
        if Outcome.UNKNOWN in left[id_] or (was_ is Outcome.FAIL and Outcome.FAIL in left[id_]) or hidden:
            continue
        yield f"{id_} {part} is gone without a trace, was {was_}"


def _words(outcomes: set[Outcome]) -> str:
    return " and ".join(sorted(outcomes)) or "not there"
