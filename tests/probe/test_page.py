"""docs/probe.md says what the commands print: its transcript is run against servers on loopback."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.probe.conftest import ZONE_A, ZONE_B, Answer
from tests.probe.servers import name_server, serving, tcp
from tests.probe.test_network import DOMAIN, DOMAIN_A, DOMAIN_B

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "probe.md").read_text(encoding="utf-8")
#: Addresses of the page, and the loopback addresses that stand in for them.
STAND_INS = {ZONE_A: "127.10.1.10", ZONE_B: "127.10.2.11", "10.10.9.53": "127.10.9.53", "10.10.2.10": "127.0.0.1"}
NAMES = {DOMAIN: [ZONE_A, ZONE_B], DOMAIN_A: [ZONE_A], DOMAIN_B: [ZONE_B]}


def there(text: str) -> str:
    """The text with the addresses of the test."""
    for address, stand_in in STAND_INS.items():
        text = text.replace(address, stand_in)
    return text


def still(text: str) -> str:
    """The text without what differs from run to run: durations and times of day."""
    text = re.sub(r"\b(min|p50|p95|max) [0-9.e+-]+", r"\1 N", text)
    text = re.sub(r"connected in [0-9.e+-]+ ms", "connected in N ms", text)
    return re.sub(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z", "TIME", text)


def transcripts() -> list[tuple[list[str], str]]:
    """Command lines of the page that begin with `$ plaudit`, each with what it prints."""
    blocks = re.findall(r"^```text\n(\$ plaudit .*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    found = []
    for block in blocks:
        for part in re.split(r"^\$ plaudit ", block, flags=re.MULTILINE)[1:]:
            command, _, printed = part.partition("\n")
            found.append((command.split(), printed))
    return found


def _stand_in(changed: Callable[..., Path]) -> Path:
    """The sound deployment with its VPC on loopback and its listeners on a port that anybody may open."""
    places = [STAND_INS[ZONE_A], STAND_INS[ZONE_B]]
    return changed(
        vpcs={"cidr_block": "127.0.0.0/8"},
        vpc_cidrs={"cidr": "127.0.0.0/8"},
        endpoint_zones={"eni_ip": places},
        listeners={"port": 8080},
        health_status={"listener_port": 8080},
        security_group_rules={"source_cidr": "127.0.0.0/8", "port_range": "8080/8080"},
    )


def test_the_transcript_is_what_the_commands_print(
    plaudit: Callable[..., Answer], changed: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    _stand_in(changed).rename("both.snapshot")
    zone = {name: {"A": [STAND_INS[address] for address in addresses]} for name, addresses in NAMES.items()}
    servers = name_server(STAND_INS["10.10.9.53"], zone, 5353), tcp(STAND_INS[ZONE_A], 8080)
    found = transcripts()
    assert [command[0] for command, _ in found] == ["probe", "scan"]
    with serving(*servers):
        for command, printed in found:
            answer = plaudit(*map(there, command))
            assert still(answer.out + answer.err) == still(there(printed))
            assert answer.code == 3
