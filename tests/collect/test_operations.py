"""The allow-list against the official clients, the schema, and its own promises."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from auditor.collect.client import NotARead, Wire, official_client
from auditor.collect.operations import OPERATIONS, PRODUCTS, operation_on_wire
from auditor.inventory.schema import TABLES

OFFICIAL = [product for product in PRODUCTS.values() if product.package]


def test_every_operation_is_a_read_by_its_name() -> None:
    for operation in OPERATIONS.values():
        assert re.fullmatch(r"(List|Get|Describe|Check)[A-Z]\w+", operation.name), operation.key


def test_the_schema_names_listed_operations_only_and_all_of_them_serve_a_table() -> None:
    of_schema = {key for table in TABLES.values() if not table.given for key in table.operations}
    assert of_schema - set(OPERATIONS) == set()
    assert set(OPERATIONS) - of_schema == set()


def test_versions_and_actions_are_unambiguous() -> None:
    for operation in OPERATIONS.values():
        assert operation_on_wire(operation.version, operation.name) is operation
    assert operation_on_wire("2016-04-28", "ListVpcEndpointServicesByEndUser") is None


def _source_of(package: str) -> str:
    return Path(str(importlib.import_module(f"{package}.client").__file__)).read_text(encoding="utf-8")


@pytest.mark.parametrize("product", OFFICIAL, ids=lambda product: product.name)
def test_operations_and_parameters_exist_in_the_official_client(product) -> None:
    source = _source_of(product.package)
    for operation in OPERATIONS.values():
        if operation.product != product.name:
            continue
        body = re.search(rf"action = '{operation.name}',\s+version = '{product.version}'", source)
        assert body, operation.key
        before = source[: body.start()].rpartition("_with_options(")[2]
        given = set(re.findall(r"query\['(\w+)'\]", before))
        assert "body[" not in before
        if operation.id_parameter:
            assert operation.id_parameter in given
        if operation.paging == "token":
            assert {"MaxResults", "NextToken"} <= given
        if operation.paging == "page":
            assert {"PageSize", operation.page_parameter} <= given
        if operation.sends_region:
            assert "RegionId" in given, operation.key


@pytest.mark.parametrize("product", OFFICIAL, ids=lambda product: product.name)
def test_endpoints_are_those_of_the_official_client(product) -> None:
    from alibabacloud_tea_openapi.utils_models import Config

    official = importlib.import_module(f"{product.package}.client").Client
    wire = Wire(1)
    regions = ["eu-central-1", "xx-nowhere-9", *official(Config(region_id="cn-hangzhou"))._endpoint_map]
    for region in regions:
        ours = official_client(product.name, region, None, wire)
        assert ours._endpoint == official(Config(region_id=region))._endpoint
        assert isinstance(ours, official)


@pytest.mark.parametrize(
    ("product", "host"),
    [
        ("nlb", "nlb.eu-central-1.aliyuncs.com"),
        ("alb", "alb.eu-central-1.aliyuncs.com"),
        ("gwlb", "gwlb.eu-central-1.aliyuncs.com"),
        ("cms", "metrics.eu-central-1.aliyuncs.com"),
    ],
)
def test_hosts_of_products_without_a_package(product: str, host: str) -> None:
    assert official_client(product, "eu-central-1", None, Wire(1))._endpoint == host


@pytest.mark.parametrize("name", ["delete_vpc_endpoint", "create_vpc_endpoint_service", "untag_resources"])
def test_a_write_of_the_official_client_is_refused_before_anything_is_signed(name: str) -> None:
    from alibabacloud_privatelink20200415 import models

    class NoCredential:
        def get_credential(self) -> object:
            raise AssertionError("a write was about to be signed")

    client = official_client("privatelink", "eu-central-1", NoCredential(), Wire(1))
    camel = "".join(part.capitalize() for part in name.split("_"))
    with pytest.raises(NotARead):
        getattr(client, name)(getattr(models, f"{camel}Request")())


def test_no_door_beside_call_api() -> None:
    client = official_client("sts", "eu-central-1", None, Wire(1))
    for name in ("do_request", "do_rpcrequest", "do_roarequest", "execute", "call_api_async", "call_sseapi"):
        with pytest.raises(NotARead):
            getattr(client, name)()


def test_rates_are_documented_figures() -> None:
    assert (OPERATIONS["vpc:DescribeNetworkAcls"].calls, OPERATIONS["vpc:DescribeNetworkAcls"].seconds) == (30, 60)
    assert OPERATIONS["privatelink:ListVpcEndpointServiceUsers"].calls == 3000
    # Two hundred group reads go out without waiting for the budget.
    assert OPERATIONS["ecs:DescribeSecurityGroupAttribute"].calls // 2 >= 200
    assert OPERATIONS["sts:GetCallerIdentity"].ram_action is None
    assert OPERATIONS["slb:DescribeRules"].ram_action == "slb:DescribeRules"
