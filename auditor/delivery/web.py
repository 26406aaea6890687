"""What the HTTP sinks share: the meaning of a status, and answers cleaned of everything secret."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping, Sequence, Sized
from datetime import datetime

from auditor.delivery.patience import retry_after
from auditor.delivery.replies import Blocked, Refused, Reply, Taken, all_again
from auditor.delivery.secrets import cleaned
from auditor.delivery.transport import ABOUT_SENDER, RETRIED, Answer, Transport, Unanswered, Untrusted

#: Reads the reply out of an answer with a status of 2xx.
Reader = Callable[[Answer], Reply]


def squeezed(body: bytes) -> bytes:
    """gzip, the same bytes for the same events."""
    return gzip.compress(body, compresslevel=6, mtime=0)


class Exchange:
    """Posts batches and turns everything but success into a reply."""

    def __init__(self, transport: Transport, secrets: Sequence[str], now: Callable[[], datetime]) -> None:
        self.transport = transport
        self._secrets = secrets
        self._now = now

    def clean(self, text: str) -> str:
        """The first 500 characters of a text, without secrets."""
        return cleaned(text, self._secrets)

    def ask(self, batch: Sized, target: str, body: bytes, headers: Mapping[str, str], timeout: float) -> Answer | Reply:
        """The answer if its status is 2xx or 4xx that is not retried, else what it means for the batch."""
        try:
            answer = self.transport.post(target, body, headers, timeout)
        except Unanswered as error:
            return all_again(batch, str(error))
        except Untrusted as error:
            return Blocked(str(error))
        if answer.status in RETRIED or answer.status >= 500:
            after = retry_after(answer.headers.get("retry-after"), self._now())
            return all_again(batch, f"HTTP {answer.status}", after)
        if answer.status < 200 or 300 <= answer.status < 400:
            return Blocked(f"HTTP {answer.status}: it points elsewhere, and redirects are not followed")
        return answer

    def reply(
        self,
        batch: Sized,
        target: str,
        body: bytes,
        headers: Mapping[str, str],
        timeout: float,
        read: Reader,
    ) -> Reply:
        """Posts a batch; `read` decides about answers of 2xx."""
        answer = self.ask(batch, target, body, headers, timeout)
        if not isinstance(answer, Answer):
            return answer
        return read(answer) if answer.status < 300 else self.refusal(answer)

    def refusal(self, answer: Answer) -> Refused:
        """A 4xx that trying again would not change."""
        return Refused(f"HTTP {answer.status}", self.clean(answer.text), answer.status in ABOUT_SENDER)


def accepted(_answer: Answer) -> Reply:
    """A status of 2xx is all there is to it."""
    return Taken()
