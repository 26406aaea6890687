"""E-mail: one plain-text message over SMTP, with TLS from the start or STARTTLS, never without either but on loopback.

Codes are those of RFC 5321: 4xx may pass, 5xx does not.  What a server says beside its code is not repeated: it may
quote the address or the login.
"""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from auditor.delivery.notify.answers import ONE
from auditor.delivery.notify.message import Message
from auditor.delivery.replies import Blocked, Refused, Reply, Taken, all_again
from auditor.delivery.secrets import Secret


@dataclass(frozen=True, slots=True)
class Post:
    """A server and who writes to whom; `security` is `starttls`, `tls` or `none`."""

    host: str
    port: int
    security: str
    sender: str
    recipients: tuple[str, ...]
    user: str = ""
    password: Secret | None = None


class Mail:
    """One server, one list of recipients."""

    def __init__(self, post: Post, context: ssl.SSLContext, now: Callable[[], datetime]) -> None:
        self._post = post
        self._context = context
        self._now = now

    def send(self, message: Message, timeout: float) -> Reply:
        letter = _letter(message, self._post, self._now())
        seconds = min(30.0, max(1.0, timeout))
        try:
            with self._connected(seconds) as server:
                refused = server.send_message(letter, self._post.sender, list(self._post.recipients))
        except smtplib.SMTPNotSupportedError:
            return Blocked("the server offers neither STARTTLS nor the login it would need")
        except ssl.SSLCertVerificationError:
            return Blocked("its certificate is not trusted; name the authority with ca_file")
        except smtplib.SMTPRecipientsRefused as error:
            return _by_code(_worst(error.recipients), "every recipient")
        except smtplib.SMTPAuthenticationError as error:
            return _by_code(error.smtp_code, "the login")
        except smtplib.SMTPSenderRefused as error:
            return _by_code(error.smtp_code, "the sender")
        except smtplib.SMTPResponseException as error:
            return _by_code(error.smtp_code, "the message")
        except smtplib.SMTPServerDisconnected:
            return all_again(ONE, "the connection broke off")
        except TimeoutError:
            return all_again(ONE, "no answer in time")
        except ssl.SSLError:
            return all_again(ONE, "TLS broke off")
        except ConnectionResetError:
            return all_again(ONE, "the connection broke off")
        except (OSError, smtplib.SMTPException):
            return all_again(ONE, "no connection")
        if refused:
            # The others have it: sending again would tell them twice.
            return Refused(f"{len(refused)} of {len(self._post.recipients)} recipients ({_worst(refused)})", "")
        return Taken()

    def _connected(self, seconds: float) -> smtplib.SMTP:
        post = self._post
        server: smtplib.SMTP
        # The own name is given, because looking it up asks the resolver.
        name = socket.gethostname()
        if post.security == "tls":
            server = smtplib.SMTP_SSL(
                post.host, post.port, local_hostname=name, timeout=seconds, context=self._context
            )  # fmt: skip
        else:
            server = smtplib.SMTP(post.host, post.port, local_hostname=name, timeout=seconds)
        try:
            if post.security == "starttls":
                server.starttls(context=self._context)
            if post.password is not None:
                server.login(post.user, post.password.reveal())
        except BaseException:
            server.close()
            raise
        return server

    def close(self) -> None:
        """Nothing stays open between messages."""


def _by_code(code: int, what: str) -> Reply:
    if 400 <= code < 500:
        return all_again(ONE, f"the server put off {what} ({code})")
    return Refused(f"the server refused {what} ({code})", "")


def _worst(answers: Mapping[str, tuple[int, bytes]]) -> int:
    return max(code for code, _ in answers.values())


def _letter(message: Message, post: Post, now: datetime) -> EmailMessage:
    letter = EmailMessage(policy=SMTP)
    letter["Subject"] = message.title
    letter["From"] = post.sender
    letter["To"] = ", ".join(post.recipients)
    letter["Date"] = format_datetime(now)
    letter["Message-ID"] = f"<plaudit-{message.id}@{post.sender.rpartition('@')[2]}>"
    letter["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answer from an absent person's mailbox
    letter.set_content(message.text)
    return letter
