"""The whole way in network namespaces: servers, firewalls, the probe, and the findings of a scan that takes it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.probe.conftest import RESOLVER, ZONE_A, ZONE_B, Answer
from tests.probe.network import CLIENT, Network
from tests.probe.servers import Authority, Server, Zone, name_server, serving, tcp, udp

DOMAIN = "ep-front.epsrv-front.eu-central-1.privatelink.aliyuncs.com"
DOMAIN_A = "ep-front-eu-central-1.epsrv-front.eu-central-1a.privatelink.aliyuncs.com"
DOMAIN_B = "ep-front-eu-central-1.epsrv-front.eu-central-1b.privatelink.aliyuncs.com"
NAMES: Zone = {DOMAIN: {"A": [ZONE_A, ZONE_B]}, DOMAIN_A: {"A": [ZONE_A]}, DOMAIN_B: {"A": [ZONE_B]}}
QUICK = ("--tries", "2", "--interval", "0.01", "--timeout", "0.4", "--vantage", "i-client")

Plaudit = Callable[..., Answer]


class Site:
    """The servers of one test, behind the firewall of the other side."""

    def __init__(self, net: Network, plaudit: Plaudit, snapshot: Path) -> None:
        self.net = net
        self.plaudit = plaudit
        self.snapshot = snapshot
        self.servers: list[Server] = []
        self.found: dict[str, tuple[str, str]] = {}
        net.address(RESOLVER, ZONE_A, ZONE_B)

    def start(self, make: Callable[[], Server]) -> Server:
        server = self.net.there(make)
        self.servers.append(server)
        return server

    def names(self, zone: Zone = NAMES) -> None:
        self.start(lambda: name_server(RESOLVER, zone, 53))

    def both(self, port: int = 80, **settings: Any) -> None:
        for address in (ZONE_A, ZONE_B):
            self.start(lambda a=address: tcp(a, port, **settings))

    def probe(self, *options: str | Path) -> Answer:
        self.found = {}
        self.net.watch([RESOLVER, ZONE_A, ZONE_B])
        with serving(*self.servers):
            answer = self.plaudit(
                "probe", "--from", self.snapshot, "--resolver", RESOLVER, "-o", "probe.json", *QUICK, *options
            )
        assert self.net.strangers == 0, answer.out
        return answer

    def findings(self) -> dict[str, tuple[str, str]]:
        """Outcome and what was observed, by rule, of the rules that rest on probes; asked for once per probe."""
        if not self.found:
            answer = self.plaudit(
                "scan", "--from", self.snapshot, "--probe", "probe.json", "--format", "json", "--all-outcomes",
                "--no-history", "--select", "DNS-002,PROBE",
            )  # fmt: skip
            assert answer.code in (0, 3, 4), answer.err
            self.found = {
                finding["rule_id"]: (finding["outcome"], finding["observed"] or finding["reason"])
                for finding in answer.json["findings"]
            }
        return self.found

    def outcomes(self) -> dict[str, str]:
        """Outcomes that are not passed or not applicable, by rule."""
        return {rule: o for rule, (o, _) in self.findings().items() if o not in ("pass", "not_applicable")}


@pytest.fixture
def site(net: Network, plaudit: Plaudit, snapshot: Path) -> Site:
    return Site(net, plaudit, snapshot)


def test_open(site: Site) -> None:
    site.names()
    site.both()
    answer = site.probe()
    assert answer.code == 0, answer.out + answer.err
    assert answer.out.count("the configuration says: reachable") == 2
    found = site.findings()
    assert {rule for rule, (outcome, _) in found.items() if outcome == "pass"} == {
        "DNS-002", "PROBE-001", "PROBE-004", "PROBE-006",
    }  # fmt: skip
    assert {outcome for outcome, _ in found.values()} == {"pass", "not_applicable"}
    seen = json.loads(Path("probe.json").read_text(encoding="utf-8"))
    assert {c["source_address"] for c in seen["connections"]} == {CLIENT}
    assert {(c["zone_id"], c["connected"], c["tries"]) for c in seen["connections"]} == {
        ("eu-central-1a", 2, 2), ("eu-central-1b", 2, 2),
    }  # fmt: skip
    assert {n["addresses"][0]["ttl"] for n in seen["names"] if n["addresses"]} == {60}


def test_paths_and_report_tell_what_was_probed(site: Site) -> None:
    site.names()
    site.both()
    site.probe()
    chains = site.plaudit("paths", "ep-front", "--from", site.snapshot, "--probe", "probe.json")
    told = " ".join(chains.out.split())
    assert chains.code == 0 and "probed: connected in" in told and "ms from i-client" in told
    report = site.plaudit("scan", "--from", site.snapshot, "--probe", "probe.json", "--format", "json").json
    (probed,) = {path["probes"][0]["outcome"] for path in report["paths"]}
    assert probed == "connected"
    assert [target["endpoint_id"] for target in report["endpoints"]] == ["ep-front"]
    without = ("--from", site.snapshot, "--format", "json")
    assert all("probes" not in path for path in site.plaudit("paths", *without).json)
    assert site.plaudit("scan", *without, "--select", "DNS-002,PROBE").json["findings"] == []


def _refuse(net: Network) -> None:
    net.filter("tcp dport 80 reject with tcp reset")


def _drop(net: Network) -> None:
    net.filter("tcp dport 80 drop")


@pytest.mark.parametrize(("fault", "word"), [(_refuse, "refused"), (_drop, "timeout")], ids=["refused", "dropped"])
def test_reachable_on_paper_only(site: Site, fault: Callable[[Network], None], word: str) -> None:
    """A host firewall, which no API shows."""
    site.names()
    site.both()
    fault(site.net)
    answer = site.probe()
    assert answer.code == 3 and word in answer.out
    found = site.findings()
    assert found["PROBE-001"][0] == "fail"
    assert found["PROBE-001"][1] == (
        f"from i-client at {CLIENT}: tcp/80 of {ZONE_A} in eu-central-1a {word}; "
        f"from i-client at {CLIENT}: tcp/80 of {ZONE_B} in eu-central-1b {word}"
    )
    assert site.outcomes() == {"PROBE-001": "fail"}


def test_unreachable(site: Site) -> None:
    site.names()
    site.both()
    site.net.filter("tcp dport 80 reject with icmp type host-unreachable")
    assert "unreachable" in site.probe().out
    assert site.outcomes() == {"PROBE-001": "fail"}


def test_nobody_listens(site: Site) -> None:
    site.names()
    assert site.probe().code == 3
    assert "refused" in site.findings()["PROBE-001"][1]


def test_half_of_the_zones_is_dead(site: Site) -> None:
    site.names()
    site.both()
    site.net.filter(f"ip daddr {ZONE_B} tcp dport 80 drop")
    assert site.probe().code == 3
    found = site.findings()
    assert found["PROBE-004"] == ("fail", "from i-client tcp/80 does not get through in eu-central-1b")
    assert site.outcomes() == {"PROBE-001": "fail", "PROBE-004": "fail"}


def test_slow(site: Site) -> None:
    """The first packet is lost and sent again a second later."""
    site.names()
    site.both()
    site.net.filter(f"ip daddr {ZONE_B} tcp dport 80 tcp flags syn quota until 100 bytes drop")
    answer = site.probe("--timeout", "2.5")
    assert answer.code == 0, answer.out
    found = site.findings()
    assert found["PROBE-001"][0] == "pass"
    assert found["PROBE-006"][0] == "fail" and ZONE_B in found["PROBE-006"][1] and ZONE_A not in found["PROBE-006"][1]


def test_lossy(site: Site) -> None:
    """One of two tries gets through."""
    site.names()
    site.both()
    site.net.filter(f"ip daddr {ZONE_B} tcp dport 80 tcp flags syn quota until 100 bytes drop")
    assert site.probe().code == 3
    found = site.findings()
    assert found["PROBE-006"][0] == "fail" and "1 of 2 tries" in found["PROBE-006"][1]
    assert found["PROBE-001"][0] == "pass"


def test_it_gets_through_what_is_blocked(site: Site, changed: Callable[..., Path]) -> None:
    site.names()
    site.both()
    site.snapshot = changed(security_group_rules={"policy": "Drop"})
    answer = site.probe()
    assert answer.code == 0 and "the configuration says: blocked by " in answer.out
    found = site.findings()
    assert found["PROBE-002"][0] == "fail" and "blocked by" in found["PROBE-002"][1]
    assert found["PROBE-001"][0] == "not_applicable"


def _secured(site: Site, authority: Authority, names: Iterable[str], *options: str | Path, **dates: int) -> Answer:
    site.names()
    site.both(443, context=authority.context(*names, **dates))
    return site.probe("--port", "tls/443", *options)


def test_the_right_certificate(site: Site, trusted: Authority) -> None:
    answer = _secured(site, trusted, [DOMAIN], "--ca-file", trusted.file)
    assert answer.code == 0, answer.out
    assert f"certificate for {DOMAIN}" in answer.out and "issued by CN=Test authority" in answer.out
    assert site.findings()["PROBE-003"][0] == "pass"


def test_the_wrong_certificate(site: Site, trusted: Authority) -> None:
    answer = _secured(site, trusted, ["www.example.org"], "--ca-file", trusted.file)
    assert answer.code == 3 and "the certificate is for www.example.org" in answer.out
    found = site.findings()
    assert found["PROBE-003"][0] == "fail" and "www.example.org" in found["PROBE-003"][1]


def test_an_expired_certificate(site: Site, trusted: Authority) -> None:
    answer = _secured(site, trusted, [DOMAIN], "--ca-file", trusted.file, days=10, old=20)
    assert answer.code == 3 and "out of date" in answer.out
    found = site.findings()
    assert found["PROBE-003"][0] == "fail" and "out of date" in found["PROBE-003"][1]


def test_an_issuer_nobody_knows(site: Site, trusted: Authority) -> None:
    answer = _secured(site, trusted, ["api.example.com"], "--server-name", "api.example.com")
    assert answer.code == 4 and "--ca-file" in answer.out
    assert site.findings()["PROBE-003"][0] == "unknown"


def test_plain_text_where_tls_is_expected(site: Site) -> None:
    site.names()
    site.both(443, answer=b"hello")
    assert site.probe("--port", "tls/443").code == 3
    assert site.findings()["PROBE-003"][0] == "fail"


@pytest.mark.parametrize(("status", "code", "outcome"), [(204, 0, "pass"), (503, 3, "fail")])
def test_a_request(site: Site, status: int, code: int, outcome: str) -> None:
    site.names()
    site.both(answer=f"HTTP/1.1 {status} \x1b[31mred\r\nLocation: http://203.0.113.1/\r\n\r\n".encode())
    answer = site.probe("--port", "http/80", "--expect-status", "200,204")
    assert answer.code == code and f"HTTP status {status}" in answer.out and "\x1b" not in answer.out
    assert site.findings()["PROBE-005"][0] == outcome


def test_a_redirect_is_not_followed(site: Site) -> None:
    site.names()
    site.both(answer=b"HTTP/1.1 302 Found\r\nLocation: http://203.0.113.1/\r\n\r\n")
    assert site.probe("--port", "http/80").code == 0  # and no stranger was contacted


def test_names_that_lead_elsewhere(site: Site) -> None:
    site.names({**NAMES, DOMAIN: {"A": [ZONE_A, "203.0.113.9"]}})
    site.both()
    answer = site.probe()
    assert answer.code == 3 and "203.0.113.9 was not contacted: nobody named it" in answer.out
    found = site.findings()
    assert found["DNS-002"] == (
        "fail", f"{DOMAIN} at {RESOLVER}:53 from i-client: 203.0.113.9 is no address of the endpoint",
    )  # fmt: skip
    assert site.outcomes() == {"DNS-002": "fail"}


def test_a_foreign_address_is_contacted_where_allowed(site: Site) -> None:
    site.names({**NAMES, DOMAIN: {"A": [ZONE_A, "10.10.7.7"]}})
    site.both()
    site.net.address("10.10.7.7")
    server = site.start(lambda: tcp("10.10.7.7", 80))
    with serving(*site.servers):
        answer = site.plaudit("probe", "--from", site.snapshot, "--resolver", RESOLVER, *QUICK, "--allow-foreign")
    assert answer.code == 3 and server.heard == 2 and "10.10.7.7 from" in answer.out


def test_the_names_of_zones_are_swapped(site: Site) -> None:
    site.names({**NAMES, DOMAIN_A: {"A": [ZONE_B]}})
    site.both()
    assert site.probe().code == 3
    assert f"{ZONE_B} is the address in eu-central-1b" in site.findings()["DNS-002"][1]


def test_no_such_name(site: Site) -> None:
    site.names({name: addresses for name, addresses in NAMES.items() if name != DOMAIN})
    site.both()
    answer = site.probe()
    assert answer.code == 3 and "no such name" in answer.out
    assert site.findings()["DNS-002"] == ("fail", f"{DOMAIN} at {RESOLVER}:53 from i-client: no such name")


@pytest.mark.parametrize("word", ["servfail", "refused", "silent", "malformed"])
def test_a_look_up_that_fails_proves_nothing(site: Site, word: str) -> None:
    site.names({**NAMES, DOMAIN: word})
    site.both()
    assert site.probe().code == 4
    assert site.outcomes() == {"DNS-002": "unknown"}


def test_ipv6(site: Site, changed: Callable[..., Path]) -> None:
    place = "2001:db8:2::11"
    site.net.address(place)
    site.snapshot = changed(
        endpoints={"address_ip_version": "DualStack"}, endpoint_zones={"zone_ipv6_address": ["", place]}
    )
    site.names({**NAMES, DOMAIN_B: {"A": [ZONE_B], "AAAA": [place]}})
    site.both()
    site.start(lambda: tcp(place, 80))
    site.net.watch([RESOLVER, ZONE_A, ZONE_B, place])
    with serving(*site.servers):
        answer = site.plaudit(
            "probe", "--from", site.snapshot, "--resolver", RESOLVER, "-o", "probe.json", *QUICK
        )  # fmt: skip
    assert answer.code == 0, answer.out + answer.err
    assert site.net.strangers == 0
    seen = json.loads(Path("probe.json").read_text(encoding="utf-8"))
    assert [c["source_address"] for c in seen["connections"] if ":" in c["address"]] == ["2001:db8:2::10"]
    assert site.findings()["DNS-002"][0] == "pass"


def test_udp(site: Site) -> None:
    site.names()
    site.start(lambda: udp(ZONE_A, 5000, answer=b"pong"))
    site.start(lambda: udp(ZONE_B, 5000, answer=None))
    answer = site.probe("--port", "udp/5000", "--udp-payload", "70696e67")
    assert answer.code == 4 and "connected 2 of 2" in answer.out and "no answer" in answer.out
    assert site.findings()["PROBE-004"][0] == "unknown"


def test_a_name_server_that_is_not_there(site: Site) -> None:
    """Nobody else is asked instead."""
    site.both()
    answer = site.probe()
    assert answer.code == 4 and "no answer in 0.4 s" in answer.out


def test_the_counter_sees_strangers(site: Site) -> None:
    """What all the others rest on: a probe of an address nobody allowed would be counted."""
    site.net.watch([RESOLVER])
    with serving(*site.servers):
        site.plaudit("probe", "--from", site.snapshot, "--resolver", RESOLVER, *QUICK)
    assert site.net.strangers > 0
