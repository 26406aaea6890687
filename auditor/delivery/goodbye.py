"""One TLS session that ends knowing whether the other side has read everything.

TLS runs over buffers and the socket is ours, because an error the TLS library meets on a socket of its own can come out
as a plain end: a reset would then look like a receiver that has read everything and gone.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import sys
import time


class Session:
    """A client session over a connected socket, handshake done.

    Every method raises OSError (ssl.SSLError among them) for a reset, an alert, a bad certificate and silence.
    """

    def __init__(self, plain: socket.socket, context: ssl.SSLContext, host: str) -> None:
        self._socket = plain
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        while True:
            try:
                self._tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self._flush()
                self._fill()
            except ssl.SSLError:
                with contextlib.suppress(OSError):  # the alert that says why
                    self._flush()
                raise
        self._flush()

    def _flush(self) -> None:
        self._socket.sendall(self._outgoing.read())

    def _fill(self) -> None:
        data = self._socket.recv(65_536)
        if not data:
            raise ConnectionResetError("closed during the handshake")
        self._incoming.write(data)

    def send(self, data: bytes) -> None:
        """Sends everything."""
        self._tls.write(data)
        self._flush()

    def read_to_the_end(self, patience: float) -> bool:
        """Closes our side and waits until the other side has closed its own, at most `patience` seconds.

        True if it had read everything by then.
        """
        end = time.monotonic() + patience
        with contextlib.suppress(ssl.SSLWantReadError):  # our goodbye is written; theirs is not here yet
            self._tls.unwrap()
        self._flush()
        self._socket.shutdown(socket.SHUT_WR)  # for a peer that only watches TCP
        while data := self._socket.recv(65_536):
            self._incoming.write(data)
            self._alerts()
            if time.monotonic() > end:
                raise TimeoutError
        # An end can overtake the reset that answers what arrived after it.  A kernel that has acknowledged everything
        # and closed without a reset had nothing unread.
        while (waiting := self._unacknowledged()) and time.monotonic() < end:
            time.sleep(0.005)
        return waiting == 0 and self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0

    def _alerts(self) -> None:
        """Raises what the other side complains about; session tickets and its goodbye are passed over."""
        with contextlib.suppress(ssl.SSLWantReadError, ssl.SSLZeroReturnError):
            while self._tls.read(65_536):
                pass

    def _unacknowledged(self) -> int:
        """Segments the other side has not acknowledged; 0 where the system does not tell."""
        if not sys.platform.startswith("linux"):
            return 0
        information = self._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
        return int(struct.unpack_from("=I", information, 24)[0])  # tcpi_unacked of linux/tcp.h
