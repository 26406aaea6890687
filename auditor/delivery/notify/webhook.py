"""Any webhook: the message as a JSON object, with a bearer token or a signature; every 2xx accepts it.

The signature is that of the HTTPS sink (`X-Plaudit-Timestamp`, `X-Plaudit-Signature`) over the body as sent, which is
not compressed here.  The `id` is the same for every attempt, so that a receiver can tell copies.
"""

from __future__ import annotations

from auditor.delivery.https import signature
from auditor.delivery.notify.answers import Hook, encoded
from auditor.delivery.notify.message import Message
from auditor.delivery.replies import Reply
from auditor.delivery.secrets import Secret
from auditor.delivery.web import accepted


class Webhook:
    """One address."""

    def __init__(self, hook: Hook, *, token: Secret | None = None, hmac_key: Secret | None = None) -> None:
        self._hook = hook
        self._token = token
        self._key = hmac_key

    def send(self, message: Message, timeout: float) -> Reply:
        body = encoded(message.document | {"title": message.title, "text": message.text})
        headers = {}
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token.reveal()}"
        if self._key is not None:
            stamp = int(self._hook.now().timestamp())
            headers["X-Plaudit-Timestamp"] = str(stamp)
            headers["X-Plaudit-Signature"] = signature(self._key.reveal(), stamp, body)
        return self._hook.post(body, timeout, accepted, headers=headers)

    def close(self) -> None:
        self._hook.close()
