"""The specification file: everything the interface shows is read, anything else is refused with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.errors import FileError
from auditor.spec import EndpointSpec, Port, Requirements, ServiceSpec, Spec
from auditor.spec_file import load_spec, seconds_of, spec_from_mapping

WHOLE = """\
version: 1
services:
  epsrv-m5e0example:
    accounts: ["1234567890123456", 6543210987654321]
    public: false
    auto_accept: false
    ports: ["tcp/80", udp/53]
    zone_affinity: true
    vpcs: ["vpc-gw8example"]
  "*":
    public: false
endpoints:
  ep-gw8example:
    service: epsrv-m5e0example
    clients: ["10.10.2.0/24", "i-gw8example", "sg-abc", "fd00::/8"]
    payer: Endpoint
    min_bandwidth: 100
require:
  tags: ["owner"]
  flow_logs: false
  accept_within_hours: 24
options:
  profiles: [provider, consumer]
  region: eu-central-1
  fail_on: medium
  fail-on: null
  timeout: 30s
  min-coverage: 95%
  one-sided: true
"""


def _write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "plaudit.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_whole_file_is_read(tmp_path: Path) -> None:
    path = _write(tmp_path, WHOLE.replace("  fail-on: null\n", ""))
    spec = load_spec(path)
    assert spec.path == str(path)
    assert spec.service("epsrv-m5e0example") == ServiceSpec(
        accounts=("1234567890123456", "6543210987654321"),
        public=False,
        auto_accept=False,
        ports=(Port("tcp", 80), Port("udp", 53)),
        zone_affinity=True,
        vpcs=("vpc-gw8example",),
    )
    assert spec.service("epsrv-other") == ServiceSpec(public=False)
    assert spec.endpoint("ep-gw8example") == EndpointSpec(
        "epsrv-m5e0example", ("10.10.2.0/24", "i-gw8example", "sg-abc", "fd00::/8"), "Endpoint", 100
    )
    assert spec.require == Requirements(("owner",), False, 24)
    assert spec.options == {
        "profiles": ["provider", "consumer"],
        "regions": ["eu-central-1"],
        "fail-on": "medium",
        "timeout": 30.0,
        "min-coverage": 95.0,
        "one-sided": True,
    }


def test_nothing_declared_is_not_an_empty_list(tmp_path: Path) -> None:
    spec = load_spec(_write(tmp_path, "services: {epsrv-1: {accounts: [], ports: null}, epsrv-2: null}\n"))
    assert spec.services["epsrv-1"] == ServiceSpec(accounts=())
    assert spec.services["epsrv-2"] == ServiceSpec()
    assert load_spec(_write(tmp_path, "")) == Spec(path=str(tmp_path / "plaudit.yaml"))


def test_the_default_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_spec() == Spec()
    _write(tmp_path, "require: {flow_logs: true}\n")
    assert load_spec().require.flow_logs is True
    with pytest.raises(FileError, match="cannot be read: No such file"):
        load_spec(tmp_path / "absent.yaml")


def test_a_mapping_is_read_like_a_file() -> None:
    spec = spec_from_mapping({"endpoints": {"*": {"clients": ["10.0.0.0/8"], "min_bandwidth": 5}}}, "x")
    assert spec.endpoint("ep-1") == EndpointSpec(clients=("10.0.0.0/8",), min_bandwidth=5)
    with pytest.raises(FileError, match="expected a port"):
        spec_from_mapping({"services": {"*": {"ports": [80]}}}, "x")


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("servces: {}\n", 1, "unknown key `servces`, did you mean services?"),
        ("version: 2\n", 1, "this plaudit reads version 1 only"),
        ("- a\n", 1, "expected a mapping"),
        ("services:\n  epsrv-1:\n    acounts: []\n", 3, "did you mean accounts?"),
        ("services:\n  lb-1: {}\n", 2, 'expected an endpoint service id (epsrv-…) or "*", found `lb-1`'),
        ("endpoints:\n  epsrv-1: {}\n", 2, "expected an endpoint id (ep-…)"),
        ("services:\n  epsrv-1:\n    accounts: [123]\n", 3, "an account id of sixteen digits"),
        ("services:\n  epsrv-1:\n    accounts: '1234567890123456'\n", 3, "expected a list"),
        ("services:\n  epsrv-1:\n    public: no\n", 3, "write true or false"),
        ("services:\n  epsrv-1:\n    ports: [80]\n", 3, 'a port like "tcp/80"'),
        ("services:\n  epsrv-1:\n    ports: [tcp/0]\n", 3, 'a port like "tcp/80"'),
        ("services:\n  epsrv-1:\n    ports: [tcp/65536]\n", 3, "1 to 65535"),
        ("services:\n  epsrv-1:\n    ports: [TCP/80]\n", 3, "tcp or udp"),
        ("services:\n  epsrv-1:\n    vpcs: [subnet-1]\n", 3, "a VPC id"),
        ("endpoints:\n  ep-1:\n    clients:\n      - 10.10.2.1/24\n", 4, "write 10.10.2.0/24"),
        ("endpoints:\n  ep-1:\n    clients:\n      - 10.10.2.1\n", 4, "write 10.10.2.1/32"),
        ("endpoints:\n  ep-1:\n    clients: [everyone]\n", 3, "expected a CIDR block"),
        ("endpoints:\n  ep-1:\n    clients: [10.0.0.0/33]\n", 3, "expected a CIDR block"),
        ("endpoints:\n  ep-1:\n    payer: endpoint\n", 3, "did you mean Endpoint?"),
        ("endpoints:\n  ep-1:\n    min_bandwidth: -1\n", 3, "an integer from 1"),
        ("endpoints:\n  ep-1:\n    service: ep-1\n", 3, "an endpoint service id"),
        ("require:\n  accept_within_hours: 24h\n", 2, "expected an integer"),
        ("require:\n  tags: owner\n", 2, "expected a list"),
        ("options:\n  failon: high\n", 2, "unknown option `failon`, did you mean fail-on?"),
        ("options:\n  fail-on: hgh\n", 2, "did you mean high?"),
        ("options:\n  fail-on: high\n  fail_on: low\n", 3, "is given twice"),
        ("options:\n  spec: other.yaml\n", 2, "cannot stand in the file"),
        ("options:\n  concurrency: 0\n", 2, "an integer from 1"),
        ("options:\n  timeout: soon\n", 2, "is not a duration"),
        ("options:\n  min-coverage: 101\n", 2, "expected 0 to 100 percent"),
        ("options:\n  one-sided: 1\n", 2, "expected true or false"),
        ("services: {}\nservices: {}\n", 2, "duplicate key"),
        ("services: [\n", 2, "not valid YAML"),
    ],
)
def test_everything_else_is_refused(tmp_path: Path, text: str, line: int, message: str) -> None:
    path = _write(tmp_path, text)
    with pytest.raises(FileError) as caught:
        load_spec(path)
    assert message in str(caught.value)
    assert caught.value.line == line
    assert str(caught.value).startswith(f"{path}:{line}: ")
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(("text", "seconds"), [("10", 10), ("90s", 90), ("1.5m", 90), ("2h", 7200), (" 5 ", 5)])
def test_durations(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "-1", "1d", "s", "inf", "nan", "1e3", "9" * 400])
def test_no_durations(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        seconds_of(text)
