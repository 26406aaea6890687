"""Doctor: what a collection says about every read the selected rules need, and which rules a failed one costs.

A trial is one operation in one account and region.  The trials are made from the coverage of an ordinary collection,
so they say what a scan says: nothing is called that a scan would not call, and everything a scan would call is tried.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from auditor.collect.operations import OPERATIONS
from auditor.engine import Rule
from auditor.findings import Finding, Outcome
from auditor.inventory.coverage import gap_of, kind_of
from auditor.inventory.snapshot import Snapshot
from auditor.permissions import CALLED, AccountSide, operations_needed, rule_operations
from auditor.spec import Spec

#: Codes that say that something was not tried; any other code is preferred to them.
_NOT_TRIED = ("Plaudit.ParentUnread",)


@dataclass(frozen=True, slots=True)
class Trial:
    """One operation in one account and region, read or not.

    `account_id` is None where the profile could not even tell its account.  `region_id` is empty for operations
    without a region.  `ram_action` is the permission, None where no permission is needed or would help.
    `error_code` and `message` are those of the first answer that was not what it should be; both None if `ok`.
    `rules` are the ids of the selected rules with an outcome that is unknown because of this read; empty if `ok`.
    """

    account_id: str | None
    profile: str | None
    region_id: str
    operation: str
    ram_action: str | None
    ok: bool
    error_code: str | None = None
    message: str | None = None
    rules: tuple[str, ...] = ()

    @property
    def grantable(self) -> bool:
        """Whether granting `ram_action` is what helps."""
        refused = not self.ok and kind_of(self.error_code) == "refused"
        return refused and self.ram_action is not None and self.error_code not in _NOT_TRIED


#: Account, profile where the account is not known, region, operation.
_Place = tuple[str | None, str | None, str, str]


def trials(snapshot: Snapshot, rules: Sequence[Rule], findings: Iterable[Finding], spec: Spec) -> list[Trial]:
    """One trial per account, region and operation that was asked for, sorted.

    `findings` are those of `rules` over `snapshot`.
    """
    lines: dict[_Place, list[Mapping[Any, Any]]] = {}
    for line in snapshot.coverage.astype(object).to_dict("records"):
        lines.setdefault(_place(line), []).append(line)
    failed = {
        place: missed for place, all_ in lines.items() if (missed := [line for line in all_ if not line["complete"]])
    }
    costs = _costs(failed, rules, findings, spec)
    made = []
    for place in sorted(lines, key=lambda place: tuple(part or "" for part in place)):
        account_id, profile, region_id, key = place
        action = OPERATIONS[key].ram_action if key in CALLED else None
        if place not in failed:
            made.append(Trial(account_id, profile, region_id, key, action, True))
            continue
        first = min(map(gap_of, failed[place]), key=lambda gap: gap.error_code in _NOT_TRIED)
        costly = tuple(sorted(costs.get(place, ())))
        made.append(Trial(account_id, profile, region_id, key, action, False, first.error_code, first.message, costly))
    return made


def _place(line: Mapping[Any, Any]) -> _Place:
    account_id = line["account_id"] if isinstance(line["account_id"], str) else None
    profile = line["profile"] if isinstance(line["profile"], str) else None
    key = str(line["operation"])
    # The one answer of an operation without a region is noted for every region that rests on it.
    region_id = str(line["region_id"] or "") if OPERATIONS[key].region and isinstance(line["region_id"], str) else ""
    return account_id, profile if account_id is None else None, region_id, key


def _costs(
    failed: Collection[_Place], rules: Sequence[Rule], findings: Iterable[Finding], spec: Spec
) -> dict[_Place, set[str]]:
    """Rules per failed read.

    A finding that names the reads it lacks costs those.  One that does not (a fact that could not be decided, a list
    nobody could ask for because its parents are not known) counts for every failed read its rule rests on: never too
    few rules, too many only where several reads failed at once.
    """
    named: dict[str, set[tuple[str | None, str, str]]] = {}
    vague: set[str] = set()
    of_facts = {rule.id for rule in rules if any(item.fact is not None for item in rule.evidence)}
    for finding in findings:
        if finding.outcome is not Outcome.UNKNOWN:
            continue
        rule_id = finding.rule_id
        named.setdefault(rule_id, set()).update(
            (gap.account_id, gap.region_id or "", gap.operation) for gap in finding.gaps if gap.operation is not None
        )
        if (
            rule_id in of_facts
            or not finding.gaps
            or any(gap.operation is None and gap.kind != "not_given" for gap in finding.gaps)
        ):
            vague.add(rule_id)
    found: dict[_Place, set[str]] = {}
    for rule in rules:
        if rule.id not in named:
            continue
        rests_on = rule_operations(rule, "both", spec) if rule.id in vague else frozenset()
        for place in failed:
            account_id, _, region_id, key = place
            by_name = any(
                (asked, operation) == (account_id, key) and region_id in ("", region)
                for asked, region, operation in named[rule.id]
            )
            if by_name or key in rests_on:
                found.setdefault(place, set()).add(rule.id)
    return found


@dataclass(frozen=True, slots=True)
class Untried:
    """Operations of an account that nothing led to; `owns` is False where it shows no endpoint and no service."""

    account_id: str
    owns: bool
    operations: tuple[str, ...]


def untried(snapshot: Snapshot, tables: Collection[str], made: Sequence[Trial], spec: Spec) -> list[Untried]:
    """Per account the operations its side can be asked for and that were not tried, because nothing led to them.

    `tables` are the inventory tables that were wanted.
    """
    consumers = frozenset(snapshot.tables["endpoints"]["account_id"])
    providers = frozenset(snapshot.tables["endpoint_services"]["account_id"])
    left = []
    for account_id in sorted({trial.account_id for trial in made if trial.account_id is not None}):
        consumes, provides = account_id in consumers, account_id in providers
        side: AccountSide = "both" if consumes == provides else "consumer" if consumes else "provider"
        tried = {trial.operation for trial in made if trial.account_id == account_id}
        needed = operations_needed(tables, side, spec) - tried
        if consumes or provides:
            # What is owned proves that the product is open.
            needed -= {"privatelink:CheckProductOpen"}
        if needed:
            left.append(Untried(account_id, consumes or provides, tuple(sorted(needed))))
    return left
