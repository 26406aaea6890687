"""What cannot be read never becomes `pass`: every read operation the tutorial needs, with every kind of bad answer."""

from __future__ import annotations

from functools import cache

import pytest

from auditor.engine import load_rules, tables_needed
from auditor.errors import NothingReadError
from auditor.findings import Outcome
from auditor.inventory.schema import COVERAGE_COLUMNS
from auditor.inventory.snapshot import Snapshot
from auditor.simulator.faults import Fault
from auditor.simulator.scenarios import SCENARIOS
from tests.end_to_end.deployment import CONSUMER, PROVIDER, judged, outcomes, take

KINDS = ("forbidden", "throttle_forever", "timeout", "truncated_json", "mistyped_list", "missing_list_key")

#: Operations whose answer holds one object and no list: the two kinds about lists do not apply.
_NO_LIST = {"sts:GetCallerIdentity", "privatelink:GetVpcEndpointAttribute", "privatelink:CheckProductOpen"}


@cache
def _tables() -> frozenset[str]:
    return tables_needed(load_rules())


@cache
def _whole() -> Snapshot:
    return take(SCENARIOS["tutorial"](), tables=_tables())


@cache
def _baseline() -> dict[str, Outcome]:
    return outcomes(judged(_whole()))


def _asked() -> list[tuple[str, str]]:
    coverage = _whole().coverage
    return sorted(set(zip(coverage["account_id"], coverage["operation"], strict=True)))


def _signature(snapshot: Snapshot) -> tuple[object, ...]:
    """What a judgement depends on: the rows, and what is complete.  Kinds of faults with one signature read alike."""
    steady = [column.name for column in COVERAGE_COLUMNS if column.name not in ("message", "request_id", "error_code")]
    rows = sorted(map(repr, snapshot.coverage[steady].itertuples(index=False, name=None)))
    return (*rows, *(repr(frame.to_dict("list")) for _name, frame in sorted(snapshot.tables.items())))


_JUDGED: set[tuple[object, ...]] = set()


def _nothing_got_better(snapshot: Snapshot, where: str) -> None:
    signature = _signature(snapshot)
    if signature in _JUDGED:
        return
    _JUDGED.add(signature)
    for finding in judged(snapshot):
        before = _baseline().get(finding.id)
        place = f"{where}: {finding.rule_id} {finding.resource.id} is {finding.outcome}, was {before}"
        if finding.outcome is Outcome.PASS:
            assert before is Outcome.PASS, place
        elif finding.outcome is Outcome.FAIL:
            assert before is Outcome.FAIL, place
        elif finding.outcome is Outcome.UNKNOWN:
            assert finding.reason, place


@pytest.mark.parametrize("side", ["provider", "consumer"])
@pytest.mark.parametrize("kind", KINDS)
def test_no_bad_answer_becomes_a_pass(kind: str, side: str) -> None:
    account = {"provider": PROVIDER, "consumer": CONSUMER}[side]
    for asked, operation in _asked():
        if asked != account or (operation in _NO_LIST and "list" in kind):
            continue
        where = f"{operation} {kind} in {side}"
        fault = Fault(operation=operation, kind=kind, account_id=account)
        snapshot = take(SCENARIOS["tutorial"](), faults=[fault], tables=_tables(), timeout=0.2)
        gaps = snapshot.coverage[~snapshot.coverage["complete"].astype(bool)]
        named = gaps[gaps["operation"] == operation]
        assert len(named), f"{where}: no gap"
        if operation != "sts:GetCallerIdentity":
            assert set(named["account_id"]) == {account}, where
        assert named["error_code"].notna().all(), where
        _nothing_got_better(snapshot, where)


def test_nothing_at_all_readable_is_an_error_of_its_own() -> None:
    fault = Fault(operation="sts:GetCallerIdentity", kind="forbidden")
    with pytest.raises(NothingReadError):
        take(SCENARIOS["tutorial"](), faults=[fault], tables=_tables())
