"""Pseudonyms of addresses that keep prefixes: two addresses share as many leading bits afterwards as before.

The way of Crypto-PAn with HMAC-SHA256: whether a bit is turned depends on the key and on the bits before it.  Ranges
with a meaning (private, link-local, multicast) are mapped within themselves; what means the same to everybody stays.
"""

from __future__ import annotations

import hashlib
import hmac
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

#: Ranges whose addresses stay in them.
_KEPT = (
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4",
    "fc00::/7", "fe80::/10", "ff00::/8", "2000::/3", "::ffff:0:0/96",
)  # fmt: skip

#: Ranges whose addresses stay what they are; in 100.64.0.0/10 lie the addresses from which load balancers connect.
_FIXED = ("100.64.0.0/10", "127.0.0.0/8", "0.0.0.0/8", "255.255.255.255/32", "::/127")


class Prefixes:
    """The mapping of one key."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._turned: dict[tuple[int, int, int], bool] = {}
        kept, fixed = (tuple(map(ip_network, ranges)) for ranges in (_KEPT, _FIXED))
        #: (version, length, prefix) of every node above a range: a bit turned there would move the range.
        self._above = {
            (net.version, depth, int(net.network_address) >> (net.max_prefixlen - depth))
            for net in (*kept, *fixed)
            for depth in range(net.prefixlen)
        }
        self._fixed = [(net.version, net.prefixlen, int(net.network_address)) for net in fixed]

    def mapped(self, text: str) -> str | None:
        """The pseudonym of an address or a block; None if it is neither.  A block without host bits stays one."""
        bare = text.strip()
        address_text, slash, length_text = bare.partition("/")
        try:
            address = ip_address(address_text)
        except ValueError:
            return None
        bits = address.max_prefixlen
        if not slash:
            return str(self._address(address, bits))
        if not length_text.isdecimal() or int(length_text) > bits:
            return None
        length = int(length_text)
        host_bits = int(address) & ((1 << (bits - length)) - 1)
        return f"{self._address(address, bits if host_bits else length)}/{length_text}"

    def _address(self, address: IPv4Address | IPv6Address, length: int) -> IPv4Address | IPv6Address:
        version, bits, number = address.version, address.max_prefixlen, int(address)
        if any(v == version and (number ^ net) >> (bits - n) == 0 for v, n, net in self._fixed):
            return address
        mask = 0
        for depth in range(length):
            if self._turns(version, depth, number >> (bits - depth)):
                mask |= 1 << (bits - 1 - depth)
        return type(address)(number ^ mask)

    def _turns(self, version: int, depth: int, prefix: int) -> bool:
        node = (version, depth, prefix)
        if node in self._above:
            return False
        known = self._turned.get(node)
        if known is None:
            message = f"{version}/{depth}/{prefix}".encode()
            known = hmac.new(self._key, message, hashlib.sha256).digest()[0] & 1 == 1
            if depth < 28:  # the last bits are nobody else's
                self._turned[node] = known
        return known
