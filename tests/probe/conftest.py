"""A command line in this process, a snapshot to compare with, and the network between a client and its endpoint."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from auditor.cli.main import run
from auditor.engine import Rule, load_rules
from auditor.inventory.archive import write_snapshot
from auditor.inventory.snapshot import Snapshot
from tests.end_to_end.deployment import take
from tests.end_to_end.ground import Ground
from tests.probe.network import Network, network, possible
from tests.probe.servers import Authority, authority

#: ENI addresses of ep-front, and the address its names are asked for at.
ZONE_A, ZONE_B, RESOLVER = "10.10.1.10", "10.10.2.11", "10.10.9.53"


@dataclass(frozen=True)
class Answer:
    """What one run did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture(scope="session")
def inventory() -> Snapshot:
    """A sound deployment: i-client at 10.10.2.10, ep-front in zones a and b with tcp/80."""
    return take(Ground().world)


@pytest.fixture(scope="session")
def rules() -> tuple[Rule, ...]:
    return tuple(load_rules())


@pytest.fixture(autouse=True)
def _clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rules: tuple[Rule, ...]) -> None:
    for name in [*os.environ]:
        if name.startswith(("PLAUDIT_", "ALIBABA", "ALICLOUD_")) and name != "PLAUDIT_REQUIRE_ALL":
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PLAUDIT_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("auditor.engine.load_rules", lambda folders=(), **_: list(rules))


@pytest.fixture(scope="session")
def written(inventory: Snapshot, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sound deployment as a file; writing it for every test takes longer than most tests do."""
    path = tmp_path_factory.mktemp("inventory") / "both.snapshot"
    write_snapshot(inventory, path)
    return path


@pytest.fixture
def snapshot(written: Path, tmp_path: Path) -> Path:
    """The sound deployment as a file of the test's own."""
    return Path(shutil.copy(written, tmp_path))


@pytest.fixture
def changed(inventory: Snapshot, tmp_path: Path) -> Callable[..., Path]:
    """Writes the sound deployment with columns set: `changed(endpoints={"endpoint_type": …})`."""

    def change(**tables: dict[str, Any]) -> Path:
        made = {name: inventory[name].assign(**columns) for name, columns in tables.items()}
        for name, frame in made.items():
            made[name] = frame.astype(inventory[name].dtypes.to_dict())
        path = tmp_path / "changed.snapshot"
        write_snapshot(dataclasses.replace(inventory, tables={**inventory.tables, **made}), path)
        return path

    return change


@pytest.fixture
def plaudit(capsysbinary: pytest.CaptureFixture[bytes]) -> Callable[..., Answer]:
    """Runs a command line in this process."""

    def call(*arguments: str | Path) -> Answer:
        capsysbinary.readouterr()
        code = run([str(argument) for argument in arguments])
        out, err = capsysbinary.readouterr()
        return Answer(code, out.decode("utf-8"), err.decode("utf-8"))

    return call


@pytest.fixture
def net() -> Iterator[Network]:
    """The test runs on the client host."""
    missing = possible()
    if missing is not None:
        if os.environ.get("PLAUDIT_REQUIRE_ALL"):
            pytest.fail(f"{missing}: not here")
        pytest.skip(f"{missing}: not here")
    with network() as made:
        yield made


@pytest.fixture(scope="session")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A certificate authority."""
    return authority(tmp_path_factory.mktemp("authority"))
