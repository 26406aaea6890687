"""Fixtures of the simulator tests: running simulators and real SDK clients."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from alibabacloud_tea_openapi.utils_models import Config

from auditor.simulator import Simulator, World
from auditor.simulator.objects import Credential

PACKAGES = {
    "privatelink": "alibabacloud_privatelink20200415",
    "slb": "alibabacloud_slb20140515",
    "vpc": "alibabacloud_vpc20160428",
    "ecs": "alibabacloud_ecs20140526",
    "sts": "alibabacloud_sts20150401",
}


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK would send even loopback calls through a proxy."""
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def serve() -> Iterator[Callable[..., Simulator]]:
    """Start a simulator that stops with the test."""
    with ExitStack() as stack:
        yield lambda world, **options: stack.enter_context(Simulator(world, **options))


def credential_of(world: World, account_id: str) -> Credential:
    return next(c for c in world.credentials.values() if c.account_id == account_id)


@pytest.fixture
def client() -> Callable[..., Any]:
    """A real SDK client: client(simulator, "ecs", account_id)."""

    def make(simulator: Simulator, product: str, account_id: str, **options: Any) -> Any:
        credential = credential_of(simulator.world, account_id)
        settings = {
            "access_key_id": credential.access_key_id,
            "access_key_secret": credential.access_key_secret,
            "security_token": credential.security_token or None,
            "protocol": "http",
            "endpoint": simulator.url.removeprefix("http://"),
            "region_id": "eu-central-1",
            "read_timeout": 3000,
            **options,
        }
        return importlib.import_module(PACKAGES[product] + ".client").Client(Config(**settings))

    return make


@pytest.fixture
def ask(client: Callable[..., Any]) -> Callable[..., Any]:
    """One call through the real SDK -> to_map(): ask(simulator, account_id, "ecs:DescribeInstances", region_id=…).

    `wire` gives the parameters by their names on the wire instead.
    """

    def call(simulator: Simulator, account_id: str, operation: str, /, **arguments: Any) -> Any:
        product, _, action = operation.partition(":")
        models = importlib.import_module(PACKAGES[product] + ".models")
        one = client(simulator, product, account_id)
        method = next(
            getattr(one, name)
            for name in dir(one)
            if name.replace("_", "") == action.lower() and not name.endswith(("_async", "_with_options"))
        )
        request = getattr(models, action + "Request", None)
        wire = arguments.pop("wire", None)
        if request is None:
            response = method()
        elif wire is not None:
            response = method(request().from_map(wire))
        else:
            response = method(request(**{"region_id": "eu-central-1", **arguments}))
        return response.body.to_map() if response.body is not None else None

    return call
