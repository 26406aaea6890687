"""Retry, budget, paging and the ways a run ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from auditor.collect.answers import CloudError
from auditor.collect.budget import Budget
from auditor.collect.caller import Caller, Run, Settings, batches, id_parameters
from auditor.collect.endpoints import parse_endpoint
from auditor.collect.operations import OPERATIONS
from tests.collect.cloud import LoopbackCloud, error
from tests.collect.conftest import FakeTime

REGION = "eu-central-1"


class Keys:
    def get_credential(self) -> Any:
        return SimpleNamespace(
            access_key_id="LTAI1", access_key_secret="s" * 20, security_token=None, provider_name=None
        )


@pytest.fixture
def make(fake_time: FakeTime) -> Iterator[Callable[..., tuple[LoopbackCloud, Caller]]]:
    opened: list[LoopbackCloud] = []

    def made(
        bodies: dict[str, Any], deadline: float | None = None, timeout: float = 5.0
    ) -> tuple[LoopbackCloud, Caller]:
        cloud = LoopbackCloud(bodies)
        cloud.__enter__()
        opened.append(cloud)
        run = Run(Settings(parse_endpoint(cloud.url, "x"), 4, timeout), fake_time.clock, deadline)
        caller = Caller(run, "p", Keys())
        caller.account_id = "1234567890123456"
        return cloud, caller

    yield made
    for cloud in opened:
        cloud.__exit__()


def _then(*answers: Any) -> Callable[[str, dict[str, str]], Any]:
    """Answers in turn, the last one for ever."""
    left = list(answers)
    return lambda _key, _parameters: left.pop(0) if len(left) > 1 else left[0]


EMPTY = {"Services": []}
GROUPS = {"SecurityGroups": {"SecurityGroup": []}}


@pytest.mark.parametrize(
    ("answers", "requests"),
    [
        ([error(503, "ServiceUnavailable"), error(500, "InternalError"), EMPTY], 3),
        ([error(400, "Throttling.User"), EMPTY], 2),
        ([error(400, "Throttling.User", x_acs_retry_after="700"), EMPTY], 2),
        ([(200, {}, b'{"RequestId": '), EMPTY], 2),
        ([(502, {}, b"<html>"), EMPTY], 2),
        ([error(400, "SignatureNonceUsed"), EMPTY], 2),
    ],
)
def test_what_may_pass_is_tried_again(make: Any, answers: list[Any], requests: int) -> None:
    cloud, caller = make({"ListVpcEndpointServices": _then(*answers)})
    assert caller.list("privatelink:ListVpcEndpointServices", REGION).complete
    assert cloud.counts["ListVpcEndpointServices"] == requests


@pytest.mark.parametrize(
    "answer",
    [error(403, "Forbidden.RAM"), error(404, "EndpointNotFound"), error(400, "ServiceUnavailable"), {"Nothing": 1}],
)
def test_what_will_not_pass_is_asked_once(make: Any, answer: Any) -> None:
    cloud, caller = make({"ListVpcEndpointServices": answer})
    listing = caller.list("privatelink:ListVpcEndpointServices", REGION)
    assert not listing.complete
    assert cloud.counts["ListVpcEndpointServices"] == 1


def test_retry_after_is_obeyed(make: Any, fake_time: FakeTime) -> None:
    _, caller = make({"DescribeSecurityGroups": _then(error(400, "Throttling", x_acs_retry_after="1500"), GROUPS)})
    assert caller.list("ecs:DescribeSecurityGroups", REGION).complete
    assert 1.5 <= fake_time.now - 30.0 < 2.0


def test_ecs_waits_for_the_minute(make: Any, fake_time: FakeTime) -> None:
    _, caller = make({"DescribeSecurityGroups": _then(error(400, "Throttling.User"), GROUPS)})
    assert caller.list("ecs:DescribeSecurityGroups", REGION).complete
    assert 60.0 <= fake_time.now < 62.0


@pytest.mark.parametrize(
    ("key", "action"),
    [
        ("ecs:DescribeSecurityGroups", "DescribeSecurityGroups"),
        ("privatelink:ListVpcEndpointServices", "ListVpcEndpointServices"),
    ],
)
def test_throttled_for_ever_ends_soon_and_later_calls_do_not_wait_again(
    make: Any, fake_time: FakeTime, key: str, action: str
) -> None:
    cloud, caller = make({action: error(400, "Throttling.User")})
    first = caller.list(key, REGION)
    assert first.error is not None
    assert first.error.code == "Throttling.User"
    assert fake_time.now - 30.0 <= 76.0
    asked, now = cloud.counts[action], fake_time.now
    second = caller.list(key, REGION)
    assert second.error is not None
    assert second.error.code == "Throttling.User"
    assert (cloud.counts[action], fake_time.now) == (asked, now)
    # Another region has a budget of its own.
    caller.list(key, "us-east-1")
    assert cloud.counts[action] > asked


def test_refused_credentials_stop_the_account(make: Any) -> None:
    cloud, caller = make({"ListVpcEndpointServices": error(400, "InvalidSecurityToken.Expired"), "DescribeVpcs": {}})
    for key in ("privatelink:ListVpcEndpointServices", "vpc:DescribeVpcs"):
        listing = caller.list(key, REGION)
        assert listing.error is not None
        assert listing.error.code == "InvalidSecurityToken.Expired"
    assert sum(cloud.counts.values()) == 1


@pytest.mark.parametrize("region", ["evil.example/#", "a", "", "EU", "eu-central-1.evil", "x@y", "-eu", "eu-"])
def test_a_region_id_cannot_choose_the_host(make: Any, region: str) -> None:
    cloud, caller = make({})
    listing = caller.list("privatelink:ListVpcEndpointServices", region)
    assert listing.error is not None
    assert listing.error.code == "Plaudit.Malformed"
    assert not cloud.requests


def test_operations_that_are_not_listed_cannot_be_called(make: Any) -> None:
    cloud, caller = make({})
    with pytest.raises(KeyError):
        caller.call("privatelink:DeleteVpcEndpoint", REGION, {})
    assert not cloud.requests


def test_the_deadline_ends_waits_at_once(make: Any, fake_time: FakeTime) -> None:
    _, caller = make({"DescribeSecurityGroups": error(400, "Throttling.User")}, deadline=10.0)
    listing = caller.list("ecs:DescribeSecurityGroups", REGION)
    assert listing.error is not None
    assert listing.error.code == "Plaudit.Deadline"
    assert not fake_time.slept


def test_after_the_deadline_and_after_a_stop_nothing_is_sent(make: Any, fake_time: FakeTime) -> None:
    cloud, caller = make({}, deadline=1.0)
    fake_time.now += 2
    late = caller.list("vpc:DescribeVpcs", REGION)
    caller.run.stop.set()
    stopped = caller.list("vpc:DescribeVpcs", REGION)
    assert [listing.error.code for listing in (late, stopped) if listing.error] == [
        "Plaudit.Deadline",
        "Plaudit.Interrupted",
    ]
    assert not cloud.requests


# -------------------------------------------------------------------------------------------------------- budget


def test_a_burst_of_half_the_rate_goes_out_at_once_and_the_rest_is_paced(fake_time: FakeTime) -> None:
    budget = Budget(fake_time.clock)
    operation = OPERATIONS["vpc:DescribeNetworkAcls"]
    key = ("1", REGION, operation.key)
    assert [budget.delay(key, operation) for _ in range(15)] == [0.0] * 15
    assert budget.delay(key, operation) == 60.0
    assert budget.delay(("2", REGION, operation.key), operation) == 0.0
    fake_time.now += 60
    assert budget.delay(key, operation) == 0.0


def test_throttling_closes_the_line_and_halves_its_budget_once(fake_time: FakeTime) -> None:
    budget = Budget(fake_time.clock)
    operation = OPERATIONS["vpc:DescribeNetworkAcls"]
    key = ("1", REGION, operation.key)
    for _ in range(3):
        budget.close(key, operation, 20.0)
    assert budget.delay(key, operation) == 20.0
    fake_time.now += 20
    assert [budget.delay(key, operation) for _ in range(8)] == [0.0] * 7 + [60.0]


def test_two_hundred_group_reads_are_not_slowed(fake_time: FakeTime) -> None:
    budget = Budget(fake_time.clock)
    operation = OPERATIONS["ecs:DescribeSecurityGroupAttribute"]
    assert not any(budget.delay(("1", REGION, operation.key), operation) for _ in range(200))


# -------------------------------------------------------------------------------------------------------- paging


def _tokens(pages: list[dict[str, Any]]) -> Callable[[str, dict[str, str]], Any]:
    return lambda _key, parameters: pages[int(parameters.get("NextToken", "0"))]


def _item(number: int) -> dict[str, str]:
    return {"ServiceId": f"epsrv-{number}"}


def test_pages_by_token(make: Any) -> None:
    pages = [
        {"Services": [_item(0), _item(1)], "NextToken": "1", "TotalCount": 3},
        {"Services": [], "NextToken": "2", "TotalCount": 3},
        {"Services": [_item(2)], "NextToken": "3", "TotalCount": 3},
        {"Services": [], "NextToken": "", "TotalCount": 3},
    ]
    cloud, caller = make({"ListVpcEndpointServices": _tokens(pages)})
    listing = caller.list("privatelink:ListVpcEndpointServices", REGION)
    assert listing.complete
    assert [item["ServiceId"] for item in listing.items] == ["epsrv-0", "epsrv-1", "epsrv-2"]
    assert all(parameters["MaxResults"] == "1000" for _, _, parameters in cloud.requests)


@pytest.mark.parametrize(
    ("pages", "code", "rows"),
    [
        ([{"Services": [_item(0)], "NextToken": "0"}], "Plaudit.EndlessPages", 2),
        ([{"Services": [_item(0)], "NextToken": 7}], "Plaudit.Malformed", 1),
        ([{"Services": [_item(0)], "TotalCount": 2}], "Plaudit.Truncated", 1),
        ([{"Services": [_item(0)], "TotalCount": "2"}], "Plaudit.Truncated", 1),
        ([{"Services": [_item(0), None, "x"]}], "Plaudit.Malformed", 1),
        ([{"Services": [_item(0)], "NextToken": "1"}, {"Nothing": []}], "Plaudit.Malformed", 1),
        ([{"Services": [_item(0)], "NextToken": "1"}, error(403, "Forbidden.RAM")], "Forbidden.RAM", 1),
    ],
)
def test_half_a_list_keeps_its_rows_and_is_incomplete(make: Any, pages: list[Any], code: str, rows: int) -> None:
    _, caller = make({"ListVpcEndpointServices": _tokens(pages)})
    listing = caller.list("privatelink:ListVpcEndpointServices", REGION)
    assert listing.error is not None
    assert (listing.error.code, len(listing.items)) == (code, rows)


def test_ever_new_tokens_without_rows_end(make: Any) -> None:
    cloud, caller = make(
        {"ListVpcEndpointServices": lambda _k, p: {"Services": [], "NextToken": p.get("NextToken", "") + "x"}}
    )
    listing = caller.list("privatelink:ListVpcEndpointServices", REGION)
    assert listing.error is not None
    assert listing.error.code == "Plaudit.EndlessPages"
    assert cloud.counts["ListVpcEndpointServices"] <= 12


def _numbered(pages: list[Any], total: Any, name: str = "PageNumber") -> Callable[[str, dict[str, str]], Any]:
    def page(_key: str, parameters: dict[str, str]) -> Any:
        number = int(parameters[name]) - 1
        rows = pages[number] if number < len(pages) else []
        return rows if isinstance(rows, tuple) else {"Vpcs": {"Vpc": rows}, "TotalCount": total}

    return page


@pytest.mark.parametrize("total", [3, "3"])
def test_pages_by_number_with_a_row_on_two_pages(make: Any, total: Any) -> None:
    _, caller = make(
        {"DescribeVpcs": _numbered([[{"VpcId": "1"}, {"VpcId": "2"}], [{"VpcId": "2"}, {"VpcId": "3"}]], total)}
    )
    listing = caller.list("vpc:DescribeVpcs", REGION)
    assert listing.complete
    assert {item["VpcId"] for item in listing.items} == {"1", "2", "3"}


@pytest.mark.parametrize(
    ("pages", "total", "code"),
    [
        ([[{"VpcId": "1"}], []], 2, "Plaudit.Truncated"),
        ([[{"VpcId": "1"}], [{"VpcId": "1"}]], 2, "Plaudit.EndlessPages"),
        ([[{"VpcId": "1"}], error(403, "Forbidden.RAM")], 2, "Forbidden.RAM"),
    ],
)
def test_half_a_numbered_list(make: Any, pages: list[Any], total: Any, code: str) -> None:
    _, caller = make({"DescribeVpcs": _numbered(pages, total)})
    listing = caller.list("vpc:DescribeVpcs", REGION)
    assert listing.error is not None
    assert (listing.error.code, {item["VpcId"] for item in listing.items}) == (code, {"1"})


def test_without_a_total_an_empty_page_ends_a_numbered_list(make: Any) -> None:
    cloud, caller = make({"DescribeVpcs": _numbered([[{"VpcId": "1"}]], None)})
    assert caller.list("vpc:DescribeVpcs", REGION).complete
    assert cloud.counts["DescribeVpcs"] == 2


def test_ids_in_the_style_of_the_operation(make: Any) -> None:
    assert id_parameters(OPERATIONS["slb:DescribeLoadBalancers"], ["a", "b"]) == {"LoadBalancerId": "a,b"}
    assert id_parameters(OPERATIONS["ecs:DescribeInstances"], ["a", "b"]) == {"InstanceIds": '["a","b"]'}
    assert id_parameters(OPERATIONS["nlb:ListListeners"], ["a"]) == {"LoadBalancerIds": ["a"]}
    assert list(batches(["a", "b", "a", "c"], 2)) == [["a", "b"], ["c"]]
    cloud, caller = make({"DescribeLoadBalancerListeners": {"Listeners": []}, "ListListeners": {"Listeners": []}})
    caller.list("slb:DescribeLoadBalancerListeners", REGION, {"LoadBalancerId": ["a", "b"]})
    caller.list("alb:ListListeners", REGION, {"LoadBalancerIds": ["c"]})
    (_, _, clb), (_, _, alb) = cloud.requests
    assert clb == {"LoadBalancerId.1": "a", "LoadBalancerId.2": "b", "MaxResults": "100", "RegionId": REGION}
    assert alb == {"LoadBalancerIds.1": "c", "MaxResults": "100"}


def test_errors_of_the_credentials_become_gaps(make: Any) -> None:
    _, caller = make({})

    class Failing:
        def get_credential(self) -> Any:
            raise CloudError("Plaudit.Credentials", "no")

    caller._credential = Failing()
    listing = caller.list("vpc:DescribeVpcs", REGION)
    assert listing.error is not None
    assert listing.error.code == "Plaudit.Credentials"
    assert listing.error.credentials
