"""Elasticsearch and OpenSearch `_bulk`: documents are created under their event id, so that a copy changes nothing.

Facts: https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk; a data stream takes `create` only.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from auditor.delivery.records import Form, Record
from auditor.delivery.replies import Blocked, Prepared, Refused, Reply, Taken, all_again
from auditor.delivery.secrets import Secret, pieces
from auditor.delivery.transport import RETRIED, Answer, Transport
from auditor.delivery.web import Exchange, squeezed
from auditor.reporters.stream import encode

# Only what is looked at: the answer to 500 documents is long otherwise.
_TARGET = "/_bulk?filter_path=errors,items.*.status,items.*._id,items.*.error.type,items.*.error.reason"


class ElasticSink:
    """POST to /_bulk into the data streams logs-plaudit.finding-<namespace> and logs-plaudit.run-<namespace>."""

    def __init__(
        self,
        transport: Transport,
        url: Secret,
        authorization: Secret | None,
        *,
        now: Callable[[], datetime],
        namespace: str = "default",
        form: Form = Form.ECS,
    ) -> None:
        self._authorization = authorization
        self._namespace = namespace
        self._form = form
        self._target = transport.path + _TARGET
        secrets = pieces(url.reveal())
        if authorization is not None:
            secrets += [authorization.reveal(), authorization.reveal().partition(" ")[2]]
        self._exchange = Exchange(transport, secrets, now)

    def encode(self, record: Record) -> bytes:
        stream = f"logs-plaudit.{'run' if record.is_run else 'finding'}-{self._namespace}"
        action = encode({"create": {"_index": stream, "_id": record.uid}})
        document = record.document
        if self._form is not Form.ECS:  # a data stream needs the time under this name
            moment = datetime.fromtimestamp(record.time / 1000, UTC).isoformat(timespec="milliseconds")
            document = encode(json.loads(document) | {"@timestamp": moment.replace("+00:00", "Z")})
        return f"{action}\n{document}\n".encode()

    def send(self, batch: Sequence[Prepared], timeout: float) -> Reply:
        body = squeezed(b"".join(item.payload for item in batch))
        headers = {"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip", "Accept": "application/json"}
        if self._authorization is not None:
            headers["Authorization"] = self._authorization.reveal()

        def read(answer: Answer) -> Reply:
            return self._read(batch, answer)

        return self._exchange.reply(batch, self._target, body, headers, timeout, read)

    def _read(self, batch: Sequence[Prepared], answer: Answer) -> Reply:
        try:
            items = json.loads(answer.text)["items"]
            found = [item["create"] for item in items]
            statuses = [int(item["status"]) for item in found]
            ids = [item["_id"] for item in found]
        except (ValueError, KeyError, TypeError, RecursionError):
            return Blocked("what answers is not a _bulk interface; check the address")
        if ids != [item.record.uid for item in batch]:
            return all_again(batch, "the answer is about other documents")
        again: list[int] = []
        refused: dict[int, str] = {}
        for position, status in enumerate(statuses):
            if 200 <= status < 300 or status == 409:  # 409: it is there already, under this very id
                continue
            if status in RETRIED or status >= 500:
                again.append(position)
            else:
                refused[position] = self._exchange.clean(f"HTTP {status}: {_reason(found[position])}")
        if refused and len(refused) == len(batch) and set(statuses) <= {401, 403, 404}:
            return Refused(f"HTTP {statuses[0]} for every document", refused[0], about_sender=True)
        return Taken(tuple(again), refused, f"{len(again)} documents were put off" if again else "")

    def close(self) -> None:
        self._exchange.transport.close()


def _reason(item: dict[str, Any]) -> str:
    error = item.get("error")
    if not isinstance(error, dict):
        return str(error)
    return f"{error.get('type')}: {error.get('reason')}"
