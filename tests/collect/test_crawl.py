"""Whole crawls of the simulated cloud: what is asked, how often, and what comes out."""

from __future__ import annotations

import pickle
import threading
import time
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from auditor.collect import client as client_module
from auditor.collect import crawl as crawl_module
from auditor.collect.accounts import load_profiles
from auditor.collect.budget import Clock
from auditor.collect.crawl import CollectInterrupted, collect
from auditor.collect.dispatch import LOCALS
from auditor.collect.wanted import PREREQUISITES, wanted_tables
from auditor.errors import Interrupted, NothingReadError, UsageError
from auditor.inventory.schema import TABLES
from auditor.inventory.snapshot import Snapshot
from auditor.simulator import Simulator
from auditor.simulator.faults import Fault
from auditor.simulator.scenarios import SCENARIOS
from auditor.spec import EndpointSpec, Spec
from tests.collect.conftest import Scan

PROVIDER, CONSUMER = "6543210987654321", "1234567890123456"

#: What the rules marked `seed` in the catalogue need.
SEED_TABLES = frozenset(
    [
        "accounts",
        "privatelink_regions",
        "product_activations",
        "endpoint_services",
        "service_resources",
        "service_users",
        "connections",
        "endpoints",
        "endpoint_zones",
        "endpoint_security_groups",
        "load_balancers",
        "listeners",
        "server_groups",
        "backends",
        "health_status",
        "instances",
        "vpcs",
        "vpc_cidrs",
        "vswitches",
        "network_interfaces",
        "eni_addresses",
        "eni_security_groups",
        "security_groups",
        "security_group_policies",
        "security_group_rules",
        "prefix_list_entries",
        "port_list_entries",
    ]
)


def gaps(snapshot: Snapshot) -> pd.DataFrame:
    return snapshot.coverage[~snapshot.coverage["complete"]]


def test_the_tutorial_from_both_sides(scan: Scan) -> None:
    with Simulator(SCENARIOS["one-zone"]()) as sim:
        snapshot = scan(sim)
    assert gaps(snapshot).empty
    assert set(snapshot["accounts"]["account_id"]) == {PROVIDER, CONSUMER}
    assert snapshot["endpoints"]["account_id"].tolist() == [CONSUMER]
    assert snapshot["endpoint_services"]["account_id"].tolist() == [PROVIDER]
    endpoint, connection = snapshot["endpoints"].iloc[0], snapshot["connections"].iloc[0]
    assert endpoint["endpoint_id"] == connection["endpoint_id"]
    assert endpoint["service_id"] == connection["service_id"]
    assert connection["endpoint_owner_id"] == CONSUMER
    assert snapshot["server_groups"]["server_group_id"].str.endswith(":default").all()
    assert snapshot["backends"]["port"].isna().all()
    assert snapshot.meta["regions"] == ["eu-central-1"]
    assert snapshot.meta["accounts"] == [
        {"account_id": PROVIDER, "profile": "provider"},
        {"account_id": CONSUMER, "profile": "consumer"},
    ]


def test_no_more_calls_than_the_plan(scan: Scan) -> None:
    """Formula of the API reference, section 2.11: S=E=L=Z=1 service, endpoint, load balancer, zone; two accounts."""
    with Simulator(SCENARIOS["one-zone"]()) as sim:
        snapshot = scan(sim, tables=SEED_TABLES)
        requests = sim.statistics.requests
        groups = len(snapshot["security_group_policies"])
        regions = snapshot["privatelink_regions"]["offered_region_id"].nunique()
    assert gaps(snapshot).empty
    minimum = 2 + 2 + 1 + groups + 2 + 1 + 1 + 3 + 3 * 2
    detail = 1 + 1  # the default server group of one CLB, one batch of backend instances
    # The two lists of the formula that finding the regions reads anyway are counted once.
    discovery = 2 + 2 * 2 * regions - 2
    assert sum(requests.values()) <= minimum + detail + discovery
    assert max(requests.values()) == groups
    with Simulator(SCENARIOS["one-zone"]()) as sim:
        scan(sim, tables=SEED_TABLES, regions=["eu-central-1"])
        # Named regions: two more lists, and the list of regions that RES-008 needs.
        assert sum(sim.statistics.requests.values()) <= minimum + detail + 2 + 2


@pytest.mark.parametrize("scenario", sorted(SCENARIOS))
def test_every_scenario_is_read_completely(scan: Scan, scenario: str) -> None:
    with Simulator(SCENARIOS[scenario]()) as sim:
        snapshot = scan(sim)
        assert max(sim.statistics.requests.values()) < 40
    assert gaps(snapshot).empty
    for name, frame in snapshot.tables.items():
        assert list(frame.columns) == list(TABLES[name].column_names)
        key = [column for column in ("account_id", "region_id") if column in frame.columns]
        assert not frame.duplicated([*key, *TABLES[name].key]).any() or name == "privatelink_regions"
        for column in TABLES[name].required:
            assert frame[column].notna().all()


def test_wanted_tables_only(scan: Scan) -> None:
    with Simulator(SCENARIOS["one-zone"]()) as sim:
        snapshot = scan(sim, tables={"load_balancers"})
        asked = set(sim.statistics.operations())
    assert asked == {
        "sts:GetCallerIdentity",
        "privatelink:DescribeRegions",
        "privatelink:ListVpcEndpoints",
        "privatelink:ListVpcEndpointServices",
        "privatelink:ListVpcEndpointServiceResources",
        "slb:DescribeLoadBalancers",
    }
    assert len(snapshot["load_balancers"]) == 1
    with pytest.raises(KeyError):
        wanted_tables({"no_such_table"})


def test_every_table_is_read_by_some_scenario_and_needs_only_declared_tables() -> None:
    for table, needed in PREREQUISITES.items():
        assert table in TABLES
        assert set(needed) <= set(TABLES)


def test_the_result_does_not_depend_on_the_order_of_answers(scan: Scan) -> None:
    snapshots = []
    world = SCENARIOS["broken"]()  # one for both: it counts some times of change back from now
    for concurrency in (1, 16):
        with Simulator(world) as sim:
            snapshots.append(scan(sim, concurrency=concurrency))
    one, two = snapshots
    for name in TABLES:
        pd.testing.assert_frame_equal(one[name], two[name])
    columns = [column for column in one.coverage.columns if column != "request_id"]
    pd.testing.assert_frame_equal(one.coverage[columns], two.coverage[columns])


# -------------------------------------------------------------------------------------------------------- accounts


def test_the_same_account_twice_is_read_once_and_said_so(
    scan: Scan, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Simulator(SCENARIOS["one-zone"]()) as sim:
        path = tmp_path / "config.json"
        sim.write_config(path)
        text = path.read_text(encoding="utf-8").replace('"consumer"', '"again"')
        import json

        content = json.loads(path.read_text(encoding="utf-8"))
        content["profiles"] += [entry for entry in json.loads(text)["profiles"] if entry["name"] == "again"]
        path.write_text(json.dumps(content), encoding="utf-8")
        snapshot = collect(load_profiles(path, ["consumer", "again"]), endpoint_url=sim.url)
        assert sim.statistics.operations()["privatelink:DescribeRegions"] == 1
    assert len(snapshot["accounts"]) == 1
    assert snapshot.meta["accounts"] == [{"account_id": CONSUMER, "profile": "consumer"}]
    (note,) = snapshot.meta["notes"]  # type: ignore[misc]  # a list of sentences
    assert "consumer and again" in note
    assert note in caplog.text


def test_one_refused_account_is_a_gap_and_the_other_is_read(scan: Scan) -> None:
    fault = Fault("*", "credentials_expired", account_id=PROVIDER)
    with Simulator(SCENARIOS["one-zone"](), faults=[fault]) as sim:
        snapshot = scan(sim)
        assert sum(count for key, count in sim.statistics.requests.items() if key[0] == PROVIDER) == 1
    (gap,) = gaps(snapshot).to_dict("records")
    assert (gap["profile"], gap["operation"], gap["table_name"]) == ("provider", "sts:GetCallerIdentity", "accounts")
    assert gap["error_code"] == "InvalidSecurityToken.Expired"
    assert pd.isna(gap["account_id"])
    assert snapshot["endpoints"]["account_id"].tolist() == [CONSUMER]


def test_no_account_at_all(scan: Scan) -> None:
    faults = [Fault("sts:*", "forbidden")]
    with Simulator(SCENARIOS["one-zone"](), faults=faults) as sim, pytest.raises(NothingReadError) as caught:
        scan(sim)
    assert "provider: " in str(caught.value)
    assert "consumer: " in str(caught.value)
    dead = Simulator(SCENARIOS["one-zone"]())
    with dead:
        pass
    with pytest.raises(NothingReadError, match=r"Plaudit\.Unreachable"):
        scan(dead)


def test_credentials_that_expire_half_way(scan: Scan) -> None:
    fault = Fault("*", "credentials_expired", account_id=CONSUMER, first=12)
    with Simulator(SCENARIOS["one-zone"](), faults=[fault]) as sim:
        snapshot = scan(sim, concurrency=1)
        assert sim.statistics.requests.total() < 48
    left = gaps(snapshot)
    assert set(left["account_id"]) == {CONSUMER}
    assert set(left["error_code"]) <= {"InvalidSecurityToken.Expired", "Plaudit.ParentUnread"}
    assert len(snapshot["load_balancers"]) == 1


def test_bad_options(tmp_path: Path) -> None:
    with Simulator(SCENARIOS["empty"]()) as sim:
        names = sim.write_config(tmp_path / "c.json")
        profiles = load_profiles(tmp_path / "c.json", names)
    for options in ({"regions": ["x/y"]}, {"endpoint_url": "http://api.example"}, {"concurrency": 0}, {"timeout": 0}):
        with pytest.raises(UsageError):
            collect(profiles, **options)  # type: ignore[arg-type]  # wrong on purpose
    with pytest.raises(UsageError):
        collect([])


# --------------------------------------------------------------------------------------------------------- regions


def test_named_regions_only(scan: Scan) -> None:
    with Simulator(SCENARIOS["one-zone"]()) as sim:
        snapshot = scan(sim, regions=["us-east-1"])
        assert {key[1] for key in sim.statistics.requests} == {"", "us-east-1"}
    assert snapshot["endpoints"].empty
    assert gaps(snapshot).empty


def test_regions_that_cannot_be_listed_are_a_gap_and_named_ones_still_work(scan: Scan) -> None:
    fault = Fault("privatelink:DescribeRegions", "forbidden")
    with Simulator(SCENARIOS["one-zone"](), faults=[fault]) as sim:
        snapshot = scan(sim)
    assert {"privatelink_regions", "endpoints", "endpoint_services"} <= set(gaps(snapshot)["table_name"])
    assert set(gaps(snapshot)["account_id"]) == {PROVIDER, CONSUMER}
    # The profile's own region is read all the same.
    assert len(snapshot["endpoints"]) == 1
    with Simulator(SCENARIOS["one-zone"](), faults=[fault]) as sim:
        snapshot = scan(sim, regions=["eu-central-1"])
    assert set(gaps(snapshot)["table_name"]) == {"privatelink_regions"}
    assert len(snapshot["connections"]) == 1


def test_a_region_that_refuses_is_a_gap_of_that_region(scan: Scan) -> None:
    fault = Fault("privatelink:ListVpcEndpoint*", "forbidden", region_id="us-east-1")
    with Simulator(SCENARIOS["one-zone"](), faults=[fault]) as sim:
        snapshot = scan(sim)
    left = gaps(snapshot)
    assert set(left["region_id"]) == {"us-east-1"}
    assert set(left["table_name"]) == {"endpoints", "endpoint_services", "resource_attributes"}
    assert len(left) == 8
    assert len(snapshot["backends"]) == 2


def test_an_account_that_owns_nothing_is_asked_for_its_activation(scan: Scan) -> None:
    # The scenario has one account with and one without the product.
    with Simulator(SCENARIOS["empty"]()) as sim:
        snapshot = scan(sim)
    assert sorted(snapshot["product_activations"]["activated"].tolist()) == [False, True]
    assert gaps(snapshot).empty
    assert snapshot.coverage[snapshot.coverage["table_name"] == "product_activations"]["complete"].all()
    with Simulator(SCENARIOS["empty"](), faults=[Fault("privatelink:CheckProductOpen", "forbidden")]) as sim:
        snapshot = scan(sim)
    assert snapshot["product_activations"].empty
    assert set(gaps(snapshot)["table_name"]) == {"product_activations"}


# ------------------------------------------------------------------------------------------------------- permission


def test_a_silent_empty_list_of_instances_is_not_believed(scan: Scan) -> None:
    fault = Fault("ecs:DescribeInstances", "silent_empty")
    with Simulator(SCENARIOS["one-zone"](), faults=[fault]) as sim:
        snapshot = scan(sim)
        assert sim.statistics.operations()["ecs:DescribeInstances"] == 2
    left = gaps(snapshot)
    assert set(left["error_code"]) == {"Plaudit.NoPermission"}
    assert set(left["table_name"]) == {"instances", "instance_security_groups"}
    assert snapshot["instances"].empty


def test_objects_that_vanish_between_list_and_detail(scan: Scan) -> None:
    faults = [
        Fault("privatelink:ListVpcEndpointZones", "not_found", code="EndpointNotFound"),
        Fault("privatelink:GetVpcEndpointAttribute", "not_found", code="EndpointNotFound"),
    ]
    with Simulator(SCENARIOS["one-zone"](), faults=faults) as sim:
        snapshot = scan(sim)
    (gap,) = gaps(snapshot).to_dict("records")
    assert (gap["table_name"], gap["error_code"]) == ("endpoint_zones", "Plaudit.Vanished")
    assert snapshot["endpoint_attributes"].empty
    (line,) = snapshot.coverage[snapshot.coverage["table_name"] == "endpoint_attributes"].to_dict("records")
    assert line["complete"]
    assert line["error_code"] == "EndpointNotFound"


def test_declared_clients_are_read(scan: Scan) -> None:
    world = SCENARIOS["one-zone"]()
    with Simulator(world) as sim:
        before = scan(sim)
        client = before["network_interfaces"]["instance_id"].dropna()
        instance = next(one for one in client if one)
        spec = Spec(endpoints={"*": EndpointSpec(clients=("10.0.0.0/8", instance, "sg-declared"))})
        snapshot = scan(sim, spec=spec)
    assert instance in set(snapshot["instances"]["instance_id"])
    groups = snapshot.coverage[snapshot.coverage["table_name"] == "security_groups"]["target"]
    assert "sg-declared" in set(groups)


# ------------------------------------------------------------------------------------- connections and concurrency


def test_connections_are_kept_and_calls_in_flight_are_bounded(scan: Scan) -> None:
    with Simulator(SCENARIOS["broken"](), latency=0.005) as sim:
        scan(sim, concurrency=4)
        assert sim.statistics.in_flight_max <= 4
        assert sim.statistics.connections <= 4


def test_a_cloud_that_enforces_its_limits_never_refuses(scan: Scan) -> None:
    with Simulator(SCENARIOS["broken"](), enforce_limits=True) as sim:
        snapshot = scan(sim)
        assert sim.statistics.throttled == 0
    assert gaps(snapshot).empty


class Counter:
    def __init__(self) -> None:
        self.plan: dict[str, int] = {}
        self.seen: list[tuple[str, str]] = []

    def planned(self, account: str, n: int) -> None:
        self.plan[account] = self.plan.get(account, 0) + n

    def done(self, account: str, operation: str) -> None:
        self.seen.append((account, operation))


def test_progress_is_told(scan: Scan) -> None:
    progress = Counter()
    with Simulator(SCENARIOS["one-zone"]()) as sim:
        scan(sim, progress=progress)
    assert set(progress.plan) == {PROVIDER, CONSUMER}
    for account, planned in progress.plan.items():
        assert planned == len([one for one, _ in progress.seen if one == account])
    assert (PROVIDER, "slb:DescribeHealthStatus") in progress.seen
    assert (CONSUMER, "sts:GetCallerIdentity") in progress.seen


# ------------------------------------------------------------------------------------------------------- executors


class Elsewhere(Executor):
    """Runs each unit as another process would: everything travels as bytes, and nothing of this run is there."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        function, arguments = pickle.loads(pickle.dumps((fn, args)))
        data = pickle.dumps(args)
        assert b"access_key" not in data
        here = dict(LOCALS)
        LOCALS.clear()
        future: Future[Any] = Future()
        try:
            future.set_result(pickle.loads(pickle.dumps(function(*arguments))))
        finally:
            LOCALS.clear()
            LOCALS.update(here)
        return future


def test_units_travel_to_other_processes_without_credentials(scan: Scan) -> None:
    with Simulator(SCENARIOS["one-zone"]()) as sim:
        expected = scan(sim)
    with Simulator(SCENARIOS["one-zone"]()) as sim:
        snapshot = scan(sim, executor=Elsewhere())
    for name in TABLES:
        pd.testing.assert_frame_equal(snapshot[name], expected[name])


def test_an_executor_of_the_caller_is_used_and_left_open(scan: Scan) -> None:
    with ThreadPoolExecutor(1) as pool, Simulator(SCENARIOS["one-zone"]()) as sim:
        assert gaps(scan(sim, executor=pool)).empty
        assert pool.submit(int, "7").result() == 7


def test_a_lost_worker_is_a_gap(scan: Scan) -> None:
    class Broken(Executor):
        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
            future: Future[Any] = Future()
            future.set_exception(OSError("worker died"))
            return future

    with Simulator(SCENARIOS["one-zone"]()) as sim:
        snapshot = scan(sim, executor=Broken())
    assert set(gaps(snapshot)["error_code"]) == {"Plaudit.Unreachable"}
    assert len(snapshot["endpoints"]) == 1


# ------------------------------------------------------------------------------------------------------ early ends


def test_at_the_deadline_what_was_read_is_kept(scan: Scan) -> None:
    fault = Fault("slb:DescribeLoadBalancers", "slow", seconds=5.0)
    with Simulator(SCENARIOS["one-zone"](), faults=[fault]) as sim:
        started = time.monotonic()
        snapshot = scan(sim, deadline=1.0, clock=Clock())
        assert time.monotonic() - started < 3.0
    left = gaps(snapshot)
    assert "Plaudit.Deadline" in set(left["error_code"])
    assert "load_balancers" in set(left["table_name"])
    assert len(snapshot["service_resources"]) == 1
    assert snapshot["load_balancers"].empty


@pytest.mark.parametrize(
    "silent", ["DescribeLoadBalancerAttribute", "ListVpcEndpointServices", "ListVpcEndpoints", "DescribeRegions"]
)
def test_nobody_waits_after_the_deadline_for_what_has_no_bound_of_its_own(
    scan: Scan, monkeypatch: pytest.MonkeyPatch, silent: str
) -> None:
    released = threading.Event()
    real = client_module.Wire.send

    def send(self: Any, endpoint: Any, query: str, headers: dict[str, str], *rest: Any) -> Any:
        if headers.get("x-acs-action") == silent:
            released.wait(30)  # as a name server does that never answers
        return real(self, endpoint, query, headers, *rest)

    monkeypatch.setattr(client_module.Wire, "send", send)
    try:
        with Simulator(SCENARIOS["tutorial"]()) as sim:
            started = time.monotonic()
            snapshot = scan(sim, deadline=1.0, clock=Clock())
            assert time.monotonic() - started < 4.0
    finally:
        released.set()
    left = gaps(snapshot)
    assert set(left["error_code"]) <= {"Plaudit.Deadline", "Plaudit.ParentUnread"}
    named = {"DescribeLoadBalancerAttribute": "server_groups", "ListVpcEndpoints": "endpoints"}
    assert named.get(silent, "endpoint_services") in set(left["table_name"])


@pytest.mark.parametrize(("raised", "code"), [(KeyboardInterrupt(), 130), (Interrupted(15), 143)])
def test_an_interruption_keeps_what_was_read(
    scan: Scan, monkeypatch: pytest.MonkeyPatch, raised: BaseException, code: int
) -> None:
    reached = threading.Event()
    real_wait = crawl_module.wait

    def interrupted(futures: Any, timeout: float | None = None) -> Any:
        if not reached.is_set():
            reached.set()
            time.sleep(0.3)
            raise raised
        return real_wait(futures, timeout=timeout)

    monkeypatch.setattr(crawl_module, "wait", interrupted)
    fault = Fault("slb:*", "slow", seconds=20.0)
    with Simulator(SCENARIOS["one-zone"](), faults=[fault]) as sim:
        started = time.monotonic()
        with pytest.raises(CollectInterrupted) as caught:
            scan(sim, timeout=30.0)
        assert time.monotonic() - started < 5.0
    assert caught.value.exit_code == code
    snapshot = caught.value.snapshot
    assert "Plaudit.Interrupted" in set(gaps(snapshot)["error_code"])
    assert {"load_balancers", "listeners"} <= set(gaps(snapshot)["table_name"])
    assert len(snapshot["service_resources"]) == 1
    assert snapshot["load_balancers"].empty


def test_an_interruption_while_regions_are_found(scan: Scan, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_self: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(crawl_module._Crawl, "_find_regions", interrupted)
    with Simulator(SCENARIOS["one-zone"]()) as sim, pytest.raises(CollectInterrupted) as caught:
        scan(sim)
    assert {"endpoints", "endpoint_services"} == set(gaps(caught.value.snapshot)["table_name"])
