"""Every kind of fault, as the real SDK sees it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from alibabacloud_tea_openapi.exceptions import ClientException, ServerException, ThrottlingException
from darabonba.exceptions import UnretryableException

from auditor.simulator import Simulator
from auditor.simulator.faults import KINDS, Fault, list_path
from auditor.simulator.limits import RateLimits
from auditor.simulator.objects import Rule
from auditor.simulator.scenarios import SCENARIOS
from auditor.simulator.wire import ApiError

PROVIDER, CONSUMER = "6543210987654321", "1234567890123456"
LIST = "privatelink:ListVpcEndpoints"
Ask = Callable[..., Any]


@pytest.fixture
def run(serve: Callable[..., Simulator], ask: Ask) -> Callable[..., Any]:
    """Ask once, with a fault of a kind."""

    def call(kind: Any, operation: str = LIST, account_id: str = CONSUMER, /, **options: Any) -> Any:
        arguments = options.pop("arguments", {})
        simulator = serve(SCENARIOS["tutorial"](), faults=[Fault(operation, kind, **options)])
        return ask(simulator, account_id, operation, **arguments)

    return call


@pytest.mark.parametrize(
    ("kind", "options", "error", "code"),
    [
        ("throttle", {}, ClientException, "Throttling.User"),
        ("throttle", {"retry_after": 50}, ThrottlingException, "Throttling.User"),
        ("throttle_forever", {"count": 1}, ClientException, "Throttling.User"),
        ("forbidden", {}, ClientException, "Forbidden.RAM"),
        ("need_open_product", {}, ClientException, "NeedOpenProduct"),
        ("not_found", {"code": "EndpointNotFound"}, ClientException, "EndpointNotFound"),
        ("internal_error", {}, ServerException, "InternalError"),
        ("unavailable", {}, ServerException, "ServiceUnavailable"),
        ("credentials_expired", {}, ClientException, "InvalidSecurityToken.Expired"),
    ],
)
def test_error_answers(run: Callable[..., Any], kind: str, options: dict[str, Any], error: type, code: str) -> None:
    with pytest.raises(error) as caught:
        run(kind, **options)
    assert type(caught.value) is error
    assert caught.value.code == code
    if kind == "forbidden":
        assert caught.value.access_denied_detail["AuthAction"] == LIST


@pytest.mark.parametrize(
    "kind",
    ["unavailable_html", "unavailable_empty", "reset", "close", "truncated_json", "short_body", "html_200"],
)
def test_unreadable_answers(run: Callable[..., Any], kind: str) -> None:
    with pytest.raises(UnretryableException):
        run(kind)


def test_answers_that_look_empty(run: Callable[..., Any]) -> None:
    assert run("error_object_200").get("Endpoints", []) == []
    assert run("null_body") is None
    assert run("missing_list_key").get("Endpoints", []) == []
    assert run("missing_list_key", "vpc:DescribeVpcs").get("Vpcs") is None


def test_mistyped_lists(run: Callable[..., Any]) -> None:
    assert run("mistyped_list", value="text") is None
    assert run("mistyped_list", "vpc:DescribeVpcs", value=7) is None
    null_row = run("list_with_null")["Endpoints"][1]
    assert null_row == {"Tags": []}, "the SDK turns null into a row without fields"


def test_slow_and_timeout(serve: Callable[..., Simulator], client: Callable[..., Any], ask: Ask) -> None:
    simulator = serve(SCENARIOS["tutorial"](), faults=[Fault("sts:*", "slow", seconds=0.2)])
    started = time.monotonic()
    ask(simulator, CONSUMER, "sts:GetCallerIdentity")
    assert time.monotonic() - started >= 0.2
    simulator.set_faults([Fault("sts:*", "timeout")])
    with pytest.raises(UnretryableException):
        client(simulator, "sts", CONSUMER, read_timeout=200).get_caller_identity()


def test_silent_empty_list_and_honest_dry_run(run: Callable[..., Any]) -> None:
    operation = "ecs:DescribeInstances"
    body = run("silent_empty", operation)
    assert (body["Instances"], body["TotalCount"]) == ({"Instance": []}, 0)
    with pytest.raises(ClientException) as caught:
        run("silent_empty", operation, arguments={"dry_run": True})
    assert caught.value.code == "Forbidden.RAM"


def test_repeated_token_never_ends(serve: Callable[..., Simulator], ask: Ask) -> None:
    simulator = serve(SCENARIOS["tutorial"](), faults=[Fault("*", "repeated_token")])
    token = None
    for _ in range(5):
        body = ask(simulator, CONSUMER, LIST, next_token=token)
        assert len(body["Endpoints"]) == 1
        assert token in (None, body["NextToken"])
        token = body["NextToken"]
    for number in (1, 2, 9):
        page = ask(simulator, CONSUMER, "vpc:DescribeVpcs", page_number=number, page_size=50)
        assert (len(page["Vpcs"]["Vpc"]), page["TotalCount"]) == (1, 10**6)


def test_duplicate_row_and_extra_token(serve: Callable[..., Simulator], ask: Ask) -> None:
    simulator = serve(SCENARIOS["tutorial"](), faults=[Fault("*", "duplicate_row")])
    first = ask(simulator, CONSUMER, LIST)
    second = ask(simulator, CONSUMER, LIST, next_token=first["NextToken"])
    assert first["Endpoints"] == second["Endpoints"]
    assert "NextToken" not in second
    page = ask(simulator, CONSUMER, "vpc:DescribeVpcs", page_number=1, page_size=50)
    assert [row["VpcId"] for row in page["Vpcs"]["Vpc"]] == ["vpc-gw8consumervpc1aaaaa"] * 2
    simulator.set_faults([Fault("*", "extra_token")])
    first = ask(simulator, CONSUMER, LIST)
    second = ask(simulator, CONSUMER, LIST, next_token=first["NextToken"])
    assert (len(first["Endpoints"]), second["Endpoints"]) == (1, [])
    assert "NextToken" not in second


def test_other_account(run: Callable[..., Any]) -> None:
    assert run("other_account", "sts:GetCallerIdentity", value=PROVIDER)["AccountId"] == PROVIDER


def test_number_account_region_and_parameters(serve: Callable[..., Simulator], ask: Ask) -> None:
    simulator = serve(
        SCENARIOS["tutorial"](),
        faults=[
            Fault("sts:*", "forbidden", account_id=CONSUMER, first=2, count=2),
            Fault(LIST, "forbidden", region_id="us-east-1"),
            Fault("vpc:DescribeVpcs", "forbidden", parameters={"PageNumber": "2"}),
        ],
    )

    def works(account_id: str, operation: str, **arguments: Any) -> bool:
        try:
            ask(simulator, account_id, operation, **arguments)
        except ClientException:
            return False
        return True

    assert [works(CONSUMER, "sts:GetCallerIdentity") for _ in range(5)] == [True, False, False, True, True]
    assert all(works(PROVIDER, "sts:GetCallerIdentity") for _ in range(4))
    assert [works(CONSUMER, LIST, region_id=region) for region in ("us-east-1", "eu-central-1")] == [False, True]
    assert [works(CONSUMER, "vpc:DescribeVpcs", page_number=number) for number in (1, 2)] == [True, False]


def test_expired_credentials_stay_expired(serve: Callable[..., Simulator], ask: Ask) -> None:
    simulator = serve(SCENARIOS["tutorial"](), faults=[Fault("*", "credentials_expired", first=3, count=1)])
    ask(simulator, CONSUMER, LIST)
    ask(simulator, CONSUMER, "vpc:DescribeVpcs")
    for _ in range(3):
        with pytest.raises(ClientException) as caught:
            ask(simulator, CONSUMER, "vpc:DescribeVSwitches")
        assert caught.value.code == "InvalidSecurityToken.Expired"


def test_every_kind_has_a_test() -> None:
    source = Path(__file__).read_text(encoding="utf-8")
    assert [kind for kind in KINDS if source.count(f'"{kind}"') == 0] == []
    with pytest.raises(ValueError, match="unknown kind"):
        Fault("*", "explode")  # type: ignore[arg-type]


def test_list_path_finds_the_main_list() -> None:
    assert list_path({"RequestId": "x", "Vpcs": {"Vpc": []}}) == ("Vpcs", "Vpc")
    assert list_path({"Tags": [], "Services": []}) == ("Services",)
    assert list_path({"RequestId": "x"}) is None


def test_limits_are_enforced(serve: Callable[..., Simulator], ask: Ask) -> None:
    simulator = serve(SCENARIOS["tutorial"](), enforce_limits=True)
    operation = "vpc:DescribeNetworkAcls"
    for _ in range(30):
        ask(simulator, CONSUMER, operation)
    with pytest.raises(ThrottlingException):
        for _ in range(31):  # a window may have ended meanwhile
            ask(simulator, CONSUMER, operation)
    ask(simulator, PROVIDER, operation)
    assert simulator.statistics.throttled == 1


def test_limits_open_again_with_the_next_window() -> None:
    now = [0.0]
    limits = RateLimits(scale=0.1, clock=lambda: now[0])
    for _ in range(500):
        limits.check("a", "r", "ecs:DescribeSecurityGroups")
    with pytest.raises(ApiError) as caught:
        limits.check("a", "r", "ecs:DescribeSecurityGroups")
    assert caught.value.headers == {}
    now[0] = 6.1
    limits.check("a", "r", "ecs:DescribeSecurityGroups")


def test_world_can_change_while_it_is_served(serve: Callable[..., Simulator], ask: Ask) -> None:
    simulator = serve(SCENARIOS["tutorial"]())
    group = simulator.world.security_groups["sg-gw8endpointsgaaaaaaa"]
    group.rules.append(Rule(ports="443/443", cidr="10.0.0.0/8"))
    body = ask(simulator, CONSUMER, "ecs:DescribeSecurityGroupAttribute", security_group_id=group.security_group_id)
    assert [row["PortRange"] for row in body["Permissions"]["Permission"]] == ["80/80", "443/443"]
