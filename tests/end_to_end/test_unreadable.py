"""What cannot be read never becomes `pass`: every read operation the tutorial needs, with every kind of bad answer."""

from __future__ import annotations

from functools import cache

import pytest

from auditor.engine import load_rules, tables_needed
from auditor.findings import Outcome
from auditor.inventory.snapshot import Snapshot
from auditor.simulator.faults import Fault
from auditor.simulator.scenarios import SCENARIOS
from tests.end_to_end.deployment import CONSUMER, PROVIDER, judged, outcomes, take

KINDS = ("forbidden", "throttle_forever", "timeout", "truncated_json", "mistyped_list", "missing_list_key")


@cache
def _tables() -> frozenset[str]:
    return tables_needed(load_rules())


@cache
def _whole() -> Snapshot:
    return take(SCENARIOS["tutorial"](), tables=_tables())


@cache
def _baseline() -> dict[str, Outcome]:
    return outcomes(judged(_whole()))


def _operations() -> list[str]:
    return sorted(set(_whole().coverage["operation"]))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("account", [PROVIDER, CONSUMER])
def test_no_bad_answer_becomes_a_pass(account: str, kind: str) -> None:
    for operation in _operations():
        asked = _whole().coverage
        if not ((asked["operation"] == operation) & (asked["account_id"] == account)).any():
            continue
        fault = Fault(operation=operation, kind=kind, account_id=account)
        snapshot = take(SCENARIOS["tutorial"](), faults=[fault], tables=_tables(), timeout=0.3)
        gaps = snapshot.coverage[~snapshot.coverage["complete"].astype(bool)]
        named = gaps[(gaps["operation"] == operation)]
        assert len(named), f"{operation} {kind}: no gap"
        for finding in judged(snapshot):
            before = _baseline().get(finding.id)
            where = f"{operation} {kind}: {finding.rule_id} {finding.resource.id}"
            if finding.outcome is Outcome.PASS:
                assert before is Outcome.PASS, where
            elif finding.outcome is Outcome.FAIL:
                assert before is Outcome.FAIL, where
            elif finding.outcome is Outcome.UNKNOWN and before is Outcome.PASS:
                assert finding.reason, where
