"""Syslog: RFC 5424 messages over TLS with octet counting (RFC 5425); never UDP, never in the clear.

Syslog has no acknowledgement.  A batch counts once the other side has read it to its end: after the last message our
side of the connection is closed, and the other side answers by closing its own.  A reset or silence means again.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from auditor.delivery.goodbye import Session
from auditor.delivery.records import Record
from auditor.delivery.replies import Blocked, Prepared, Reply, Taken, all_again

#: local0; severities are those of `auditor.reporters.severities`.
FACILITY = 16

#: The number RFC 5612 keeps for documentation; who has a registered one sets it.
ENTERPRISE_ID = "32473"

_NOT_PRINTABLE = re.compile(r"[^\x21-\x7e]")


def escaped(value: str) -> str:
    """A value of structured data: `"`, `\\` and `]` are escaped, control characters become spaces (RFC 5424, 6.3.3)."""
    value = "".join(character if character.isprintable() else " " for character in value)
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("]", "\\]")


def message(record: Record, host: str, enterprise_id: str = ENTERPRISE_ID) -> str:
    """One RFC 5424 message, without its length."""
    moment = datetime.fromtimestamp(record.time / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    data = {"uid": record.uid, "activity": record.activity, "run": record.run_id}
    for name, value in (
        ("finding", record.finding_id),
        ("rule", record.rule_id),
        ("account", record.account_id),
    ):
        if value:
            data[name] = value
    structured = "".join(f' {name}="{escaped(value)}"' for name, value in data.items())
    message_id = _NOT_PRINTABLE.sub("-", record.rule_id or f"run-{record.activity}")[:32]
    priority = FACILITY * 8 + record.severity
    header = f"<{priority}>1 {moment} {host} plaudit - {message_id} [plaudit@{enterprise_id}{structured}]"
    # The document is ASCII, so no byte-order mark has to say that it is UTF-8.
    return f"{header} {record.document}"


def framed(text: str) -> bytes:
    """`MSG-LEN SP SYSLOG-MSG`: the length counts octets (RFC 5425, 4.3)."""
    content = text.encode("utf-8", "replace")
    return b"%d %b" % (len(content), content)


def host_name(name: str = "") -> str:
    """HOSTNAME of the messages: printable ASCII without spaces, at most 255, `-` where there is none."""
    return _NOT_PRINTABLE.sub("-", name or socket.gethostname())[:255] or "-"


@dataclass(frozen=True, slots=True)
class Destination:
    """Where the messages go."""

    host: str
    port: int = 6514


class SyslogSink:
    """One connection per batch, because its end is the only sign that the batch was read."""

    def __init__(
        self,
        destination: Destination,
        context: ssl.SSLContext,
        *,
        host: str = "",
        enterprise_id: str = ENTERPRISE_ID,
    ) -> None:
        self._destination = destination
        self._context = context
        self._host = host_name(host)
        self._enterprise_id = enterprise_id

    def encode(self, record: Record) -> bytes:
        return framed(message(record, self._host, self._enterprise_id))

    def send(self, batch: Sequence[Prepared], timeout: float) -> Reply:
        patience = min(30.0, max(1.0, timeout))
        place = (self._destination.host, self._destination.port)
        try:
            with socket.create_connection(place, timeout=min(10.0, patience)) as plain:
                plain.settimeout(patience)
                session = Session(plain, self._context, self._destination.host)
                session.send(b"".join(item.payload for item in batch))
                if session.read_to_the_end(patience):
                    return Taken()
                return all_again(batch, "the connection was closed before everything was read")
        except ssl.SSLCertVerificationError:
            return Blocked("its certificate is not trusted; name the authority with ca_file")
        except TimeoutError:
            return all_again(batch, "no answer in time")
        except ssl.SSLError:
            return all_again(batch, "TLS broke off")
        except socket.gaierror:
            return all_again(batch, "the name of the host is not known")
        except OSError:
            return all_again(batch, "the connection broke off")

    def close(self) -> None:
        """Every batch closes its own connection."""
