"""Pseudonyms: the same for the same, nothing left of the original, and addresses that keep their blocks."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.inventory.privacy import Kind
from auditor.inventory.pseudonyms import WITHHELD, Pseudonyms

KEY, OTHER = b"a key of thirty-two bytes or so.", b"another key of thirty-two bytes."

RANGES = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "224.0.0.0/4", "fc00::/7", "fe80::/10",
          "2000::/3", "ff00::/8"]  # fmt: skip
STAY = ["0.0.0.0/0", "::/0", "100.64.0.0/10", "100.100.2.136", "127.0.0.1", "10.0.0.0/8", "192.168.0.0/16", "::1",
        "fc00::/7", "255.255.255.255", "0.0.0.0"]  # fmt: skip


@pytest.mark.parametrize("text", STAY)
def test_what_means_the_same_to_everybody_stays(text: str) -> None:
    assert Pseudonyms(KEY).address(text) == text


@given(st.integers(0, 2**32 - 1), st.integers(0, 32), st.integers(0, 2**32 - 1))
@settings(max_examples=150, deadline=None)
def test_containment_of_ipv4_stays_true(number: int, length: int, other: int) -> None:
    names = Pseudonyms(KEY)
    block = ip_network((number, length), strict=False)
    inside = ip_address((number & int(block.netmask)) | (other & int(block.hostmask)))
    mapped = ip_network(names.address(str(block)))
    assert mapped.prefixlen == length
    assert ip_address(names.address(str(inside))) in mapped
    outside = ip_address(other)
    assert (ip_address(names.address(str(outside))) in mapped) == (outside in block)


@given(st.sampled_from(RANGES), st.integers(0, 2**128 - 1), st.integers(0, 128))
@settings(max_examples=100, deadline=None)
def test_ranges_are_mapped_within_themselves(text: str, number: int, length: int) -> None:
    whole = ip_network(text)
    address = ip_address(int(whole.network_address) | (number & int(whole.hostmask)))
    mapped = ip_address(Pseudonyms(KEY).address(str(address)))
    assert mapped in whole
    block = ip_network((int(address), min(max(length, whole.prefixlen), whole.max_prefixlen)), strict=False)
    assert ip_network(Pseudonyms(KEY).address(str(block))).subnet_of(whole)  # type: ignore[arg-type]


@given(st.lists(st.ip_addresses(v=4), min_size=2, max_size=20, unique=True))
@settings(max_examples=40, deadline=None)
def test_no_two_addresses_become_one(addresses: list[object]) -> None:
    names = Pseudonyms(KEY)
    assert len({names.address(str(address)) for address in addresses}) == len(addresses)


def test_addresses_change_and_depend_on_the_key() -> None:
    texts = [f"10.{number}.7.{number}" for number in range(64)] + [f"2001:db8::{number:x}" for number in range(64)]
    mine = list(map(Pseudonyms(KEY).address, texts))
    assert sum(new == old for new, old in zip(mine, texts, strict=True)) < 3
    assert mine == list(map(Pseudonyms(KEY).address, texts))
    assert mine != list(map(Pseudonyms(OTHER).address, texts))


@pytest.mark.parametrize(
    ("kind", "text", "shape"),
    [
        (Kind.ID, "ep-gw8plauditendpoint1bb", r"ep-[a-z2-7]{20}"),
        (Kind.ID, "epsrv-gw8plauditservice1b", r"epsrv-[a-z2-7]{20}"),
        (Kind.ID, "lb-gw8audit:tcp:80", r"lb-[a-z2-7]{20}:tcp:80"),
        (Kind.ID, "lb-gw8audit:default", r"lb-[a-z2-7]{20}:default"),
        (Kind.ID, "weird-0123", r"id-[a-z2-7]{20}"),
        (Kind.ID, "eu-central-1", "eu-central-1"),
        (Kind.ID, "192.168.7.9", r"192\.168\.\d+\.\d+"),
        (Kind.ACCOUNT, "1234567890123456", r"[1-9]\d{15}"),
        (Kind.ARN, "acs:ram::1234567890123456:role/secret", r"acs:ram::[1-9]\d{15}:role/name-[a-z2-7]{12}"),
        (Kind.ARN, "acs:ram:*:*:*", r"acs:ram:\*:\*:\*"),
        (Kind.ADDRESS, "10.1.2.3/16", r"10\.\d+\.\d+\.\d+/16"),
        (Kind.ADDRESS, "not an address", r"name-[a-z2-7]{12}"),
        (Kind.DOMAIN, "ep-gw8abc.epsrv-gw8def.eu-central-1.privatelink.aliyuncs.com",
         r"ep-[a-z2-7]{20}\.epsrv-[a-z2-7]{20}\.eu-central-1\.privatelink\.aliyuncs\.com"),
        (Kind.DOMAIN, "db.secret.example", r"n[a-z2-7]{12}\.n[a-z2-7]{12}\.n[a-z2-7]{12}"),
        (Kind.NAME, "the secret project", r"name-[a-z2-7]{12}"),
        (Kind.NAME, "", ""),
        (Kind.WORD, "Active", "Active"),
        (Kind.WITHHELD, "User secret is not authorized", WITHHELD.replace(".", r"\.")),
        (Kind.DOCUMENT, '[{"instanceId":"ep-gw8abc"}]', r'\[\{"instanceId":"ep-[a-z2-7]{20}"\}\]'),
        (Kind.DOCUMENT, '{"secret":["Allow","the secret"]}',
         r'\{"name-[a-z2-7]{12}":\["Allow","name-[a-z2-7]{12}"\]\}'),
    ],
)  # fmt: skip
def test_every_kind_keeps_its_shape(kind: Kind, text: str, shape: str) -> None:
    import re

    found = Pseudonyms(KEY).of(kind, text)
    assert found is not None
    assert re.fullmatch(shape, found), found
    assert "secret" not in found
    assert found == Pseudonyms(KEY).of(kind, text)


def test_the_parts_of_a_domain_name_are_the_ids_elsewhere() -> None:
    names = Pseudonyms(KEY)
    endpoint, service = names.id("ep-gw8abc"), names.id("epsrv-gw8def")
    assert names.domain("ep-gw8abc-eu-central-1b.epsrv-gw8def.eu-central-1.privatelink.aliyuncs.com") == (
        f"{endpoint}-eu-central-1b.{service}.eu-central-1.privatelink.aliyuncs.com"
    )
    assert names.domain("com.aliyuncs.privatelink.eu-central-1.epsrv-gw8def").endswith(f".eu-central-1.{service}")


def test_places_are_learnt_and_nothing_else_passes_for_one() -> None:
    names = Pseudonyms(KEY)
    assert names.domain("us-secret.example").count("secret") == 0
    assert names.id("cn-hangzhou-h") != "cn-hangzhou-h"
    names.places.add("cn-hangzhou-h")
    assert names.id("cn-hangzhou-h") == "cn-hangzhou-h"
    assert names.domain("ep-gw8abc-cn-hangzhou-h.x") == f"{names.id('ep-gw8abc')}-cn-hangzhou-h.{names.domain('x')}"


def test_the_way_back_is_known_in_memory() -> None:
    names = Pseudonyms(KEY)
    for kind, text in [
        (Kind.ID, "lb-gw8audit:tcp:80"), (Kind.ARN, "acs:ram::1234567890123456:role/secret"),
        (Kind.ACCOUNT, "1234567890123456"), (Kind.ADDRESS, "10.1.0.0/16"),
    ]:  # fmt: skip
        assert names.restored(names.of(kind, text) or "") == text
    assert "lb-gw8audit" not in names.told("read twice: lb-gw8audit of 1234567890123456")
