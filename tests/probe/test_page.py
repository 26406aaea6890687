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
    """The text without what differs from run to run: durations and times; and without how much a scan reads."""
    text = re.sub(r"all of [0-9]+ reads", "all of N reads", text)
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


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("ja", ("設定による判定：到達可能", "127.10.2.11のtcp/8080：接続拒否", "結果をprobe.jsonに書き込みました")),
        ("zh", ("按配置判定：可达", "127.10.2.11 的 tcp/8080：被拒绝", "结果已写入 probe.json")),
    ],
)
def test_people_read_their_language_and_files_know_none(
    plaudit: Callable[..., Answer], changed: Callable[..., Path], snapshot: Path, code: str, words: tuple[str, ...]
) -> None:
    command = ("probe", "--from", _stand_in(changed), "--vantage", "i-client", "--resolver", "127.10.9.53:5353", "--tries", "1",
               "-o", "probe.json")  # fmt: skip
    zone = {name: {"A": [STAND_INS[address] for address in addresses]} for name, addresses in NAMES.items()}
    with serving(name_server("127.10.9.53", zone, 5353), tcp(STAND_INS[ZONE_A], 8080)):
        answer = plaudit(*command, "--lang", code)
    assert all(word in answer.out + answer.err for word in words), answer.out + answer.err
    said = (answer.out + answer.err).replace("(Connection refused)", "")  # the words of the system
    assert not re.search(r"\b(the|of|from|was|says|refused|connected|exit)\b", said)
    assert Path("probe.json").read_text(encoding="utf-8").isascii()
    plan = plaudit("probe", "plan", "--from", snapshot, "--lang", code)
    assert plan.code == 0 and not re.search(r"\bclient\b", plan.out.replace("i-client", ""))
    lacking = plaudit("probe", "plan", "--from", "changed.snapshot", "--lang", code)
    assert lacking.code == 4 and not re.search(r"\b(no|a|by|exit|warning)\b", lacking.out + lacking.err)
