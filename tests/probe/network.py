"""Two network namespaces with a cable between them: a client host, and everything a client can reach.

The calling thread moves into the client's namespace, so that what it starts (threads, programs) is there too; servers
are started in threads of the other one.  A counter in the client's firewall sees every packet to an address that
nobody allowed.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

T = TypeVar("T")
_NEW_NETWORK = 0x40000000
_LIBC = ctypes.CDLL(None, use_errno=True)
CLIENT = "10.10.2.10"
CLIENT_V6 = "2001:db8:2::10"


def possible() -> str | None:
    """Why namespaces cannot be made here; None if they can."""
    if os.geteuid() != 0:
        return "root, for network namespaces"
    for program in ("ip", "nft"):
        if not any(os.access(f"{folder}/{program}", os.X_OK) for folder in (*_path(), "/usr/sbin", "/sbin")):
            return f"{program} (iproute2 and nftables)"
    return None


def _path() -> list[str]:
    return os.environ.get("PATH", "").split(os.pathsep)


def _checked(result: int) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _here() -> int:
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY)


def run(*words: str, text: str | None = None) -> str:
    """A program in the namespace of the calling thread."""
    environment = {**os.environ, "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"}
    done = subprocess.run(words, input=text, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, f"{' '.join(words)}: {done.stderr}"
    return done.stdout


class Network:
    """The two namespaces; the calling thread is the client."""

    def __init__(self, server: int) -> None:
        self._server = server

    def there(self, work: Callable[[], T]) -> T:
        """Does something in the namespace of the servers, in a thread of its own."""
        found: list[Any] = []

        def go() -> None:
            _checked(_LIBC.setns(self._server, _NEW_NETWORK))
            try:
                found.append(work())
            except BaseException as error:  # noqa: BLE001 - handed to the caller
                found.append(error)

        thread = threading.Thread(target=go)
        thread.start()
        thread.join(20)
        assert found, "the other side did not come back"
        if isinstance(found[0], BaseException):
            raise found[0]
        return found[0]  # type: ignore[no-any-return]

    def address(self, *addresses: str) -> None:
        """Gives the other side addresses."""
        for address in addresses:
            width = "/64" if ":" in address else "/16"
            extra = ("nodad",) if ":" in address else ()
            self.there(lambda a=address, w=width, e=extra: run("ip", "addr", "add", a + w, "dev", "server", *e))

    def filter(self, *rules: str) -> None:
        """Rules of the firewall in front of the servers (nftables, hook input)."""
        body = "".join(f"add rule inet far input {rule}\n" for rule in rules)
        chain = "add chain inet far input { type filter hook input priority 0; policy accept; }\n"
        self.there(lambda: run("nft", "-f", "-", text=f"add table inet far\n{chain}{body}"))

    def watch(self, allowed: Iterable[str]) -> None:
        """Counts and drops every packet of the client to an address that is not allowed."""
        v4 = ", ".join(a for a in allowed if ":" not in a)
        v6 = ", ".join(a for a in allowed if ":" in a)
        rules = ["add table inet near", "add counter inet near strangers"]
        rules.append("add chain inet near output { type filter hook output priority 0; policy accept; }")
        # How neighbours are found is no contact.
        rules.append("add rule inet near output meta l4proto ipv6-icmp accept")
        if v4:
            rules.append(f"add rule inet near output ip daddr {{ {v4} }} accept")
        if v6:
            rules.append(f"add rule inet near output ip6 daddr {{ {v6} }} accept")
        rules.append("add rule inet near output counter name strangers drop")
        run("nft", "-f", "-", text="\n".join(rules) + "\n")

    @property
    def strangers(self) -> int:
        """Packets to addresses that were not allowed."""
        told = json.loads(run("nft", "-j", "list", "counter", "inet", "near", "strangers"))
        return int(next(item["counter"]["packets"] for item in told["nftables"] if "counter" in item))


@contextlib.contextmanager
def network() -> Iterator[Network]:
    """Moves the calling thread into a fresh client namespace, and back."""
    home = _here()
    _checked(_LIBC.unshare(_NEW_NETWORK))
    server = _here()
    try:
        run("ip", "link", "set", "lo", "up")
        _checked(_LIBC.unshare(_NEW_NETWORK))
        run("ip", "link", "set", "lo", "up")
        run("ip", "link", "add", "client", "type", "veth", "peer", "name", "server", "netns",
            f"/proc/{os.getpid()}/fd/{server}")  # fmt: skip
        run("ip", "addr", "add", f"{CLIENT}/16", "dev", "client")
        run("ip", "addr", "add", f"{CLIENT_V6}/64", "dev", "client", "nodad")
        run("ip", "link", "set", "client", "up")
        # Whatever is not on the cable goes there all the same, where the counter sees it.
        run("ip", "route", "add", "default", "dev", "client")
        made = Network(server)
        made.there(lambda: run("ip", "link", "set", "server", "up"))
        yield made
    finally:
        _checked(_LIBC.setns(home, _NEW_NETWORK))
        os.close(server)
        os.close(home)
