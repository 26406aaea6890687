"""A real SMTP server on loopback that wants STARTTLS or TLS and a login, and can be told to fail."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections import deque
from collections.abc import Coroutine
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP as POLICY
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


class PostOffice:
    """Takes letters; `answers` are replies that come before the next letters are taken, by stage: MAIL, RCPT, DATA."""

    def __init__(
        self,
        tls: ssl.SSLContext | None,
        *,
        implicit: bool = False,
        user: str = "",
        password: str = "",
        login: bool = True,
    ) -> None:
        self.letters: list[EmailMessage] = []
        self.envelopes: list[Envelope] = []
        self.connections = 0
        self.answers: deque[tuple[str, str]] = deque()
        self.unknown: set[str] = set()
        self.user, self.password = user, password
        self.port = 0
        self._implicit = tls if implicit else None
        self._settings: dict[str, Any] = {"hostname": "post.example", "enable_SMTPUTF8": False}
        if tls is not None and not implicit:
            self._settings |= {"tls_context": tls, "require_starttls": True}
        if login:
            self._settings |= {"authenticator": self._authenticate, "auth_require_tls": not implicit}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)

    def _authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        assert mechanism in ("LOGIN", "PLAIN") and isinstance(data, LoginPassword)
        good = (data.login, data.password) == (self.user.encode(), self.password.encode())
        return AuthResult(success=good, handled=False)

    def _scripted(self, stage: str) -> str:
        if self.answers and self.answers[0][0] == stage:
            return self.answers.popleft()[1]
        return ""

    async def handle_MAIL(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any) -> str:
        if answer := self._scripted("MAIL"):
            return answer
        if self.user and not session.authenticated:
            return "530 5.7.0 Authentication required"
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any) -> str:
        if answer := self._scripted("RCPT"):
            return answer
        if address in self.unknown:
            return f"550 5.1.1 {address} is not known here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if answer := self._scripted("DATA"):
            return answer
        assert isinstance(envelope.content, bytes)
        assert all(len(line) <= 998 for line in envelope.content.split(b"\r\n"))
        letter = message_from_bytes(envelope.content, policy=POLICY)  # type: ignore[arg-type]
        assert isinstance(letter, EmailMessage) and not letter.defects
        self.letters.append(letter)
        self.envelopes.append(envelope)
        return "250 OK"

    def _factory(self) -> SMTP:
        self.connections += 1
        return SMTP(self, loop=self._loop, **self._settings)

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    def __enter__(self) -> PostOffice:
        self._thread.start()

        async def start() -> asyncio.Server:
            return await self._loop.create_server(self._factory, "127.0.0.1", 0, ssl=self._implicit)

        self._server = self._run(start())
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    def __exit__(self, *_: object) -> None:
        async def stop() -> None:
            self._server.close()
            tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.sleep(0)

        self._run(stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
