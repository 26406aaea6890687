"""Answers of the API: what is understood, what is an error, and what is neither and therefore a gap.  Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from auditor.collect.operations import Operation
from auditor.collect.redaction import redact

Body = Mapping[str, Any]

#: An answer beyond this many bytes is refused: the largest page of the API is a few megabytes.
MAX_BODY_BYTES = 64 * 1024 * 1024

_CREDENTIAL_CODES = (
    "InvalidAccessKeyId",
    "InvalidAccessKeySecret",
    "SignatureDoesNotMatch",
    "InvalidSecurityToken",
    "MissingSecurityToken",
    "IncompleteSignature",
    "IllegalTimestamp",
    "InvalidTimeStamp",
    "Plaudit.Credentials",
)
_NOT_ABOUT_OBJECTS = ("InvalidAccessKeyId", "InvalidAction", "InvalidRegionId", "InvalidVersion", "InvalidProduct")
# Success of CloudMonitor answers carries `"Code": "200"`.
_CODES_OF_SUCCESS = frozenset({"200", "OK", "Success"})


class CloudError(Exception):
    """A call that did not give a usable answer; becomes a coverage gap.

    `code` is the API's code or one of plaudit's own (coverage.OWN_CODES).  `retry_after` is in seconds.
    The message never holds a secret.
    """

    def __init__(
        self,
        code: str,
        message: object,
        *,
        status: int | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        once_more: bool = False,
    ) -> None:
        self.code = redact(code)[:120] or "Plaudit.Malformed"
        self.message = redact(message)
        self.status = status
        self.request_id = request_id
        self.retry_after = retry_after
        #: The same request may well succeed (broken connection, cut answer).
        self.once_more = once_more
        super().__init__(f"{self.code}: {self.message}")

    @property
    def throttled(self) -> bool:
        return (
            "Throttling" in self.code
            or self.code == "QPS Limit Exceeded"
            or self.status == 429
            or self.retry_after is not None
        )

    @property
    def server_side(self) -> bool:
        """Worth a retry; slb also says ServiceUnavailable with status 400 for a bad subnet, which is not."""
        return self.status is not None and self.status >= 500

    @property
    def credentials(self) -> bool:
        """The credentials themselves are refused: every further call of the account would be as well."""
        return self.code.startswith(_CREDENTIAL_CODES)

    @property
    def not_found(self) -> bool:
        """The API says that the object does not exist."""
        if self.code.startswith(("Plaudit.", *_NOT_ABOUT_OBJECTS)):
            return False
        return bool(re.search(r"NotFound|NotExist|Not\.Exist|DoesNotExist", self.code))


@dataclass(frozen=True, slots=True)
class Answer:
    """One understood answer: the raw body and its request id."""

    body: dict[str, Any]
    request_id: str


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def _decode(data: bytes) -> Any:
    return json.loads(data, parse_constant=_refuse_constant)


def _text_of(body: Any, *names: str) -> str | None:
    if isinstance(body, dict):
        for name in names:
            value = body.get(name)
            if isinstance(value, str) and value.strip():
                return value
    return None


def _request_id_of(body: Any) -> str | None:
    value = _text_of(body, "RequestId", "requestId")
    return None if value is None else redact(value)[:80]


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """`x-acs-retry-after` in seconds; only a positive whole number of milliseconds counts."""
    value = headers.get("x-acs-retry-after", "")
    return int(value) / 1000 if value.isascii() and value.isdigit() and len(value) < 10 and int(value) > 0 else None


def _error_of(status: int, headers: Mapping[str, str], data: bytes) -> CloudError:
    try:
        body = _decode(data)
    except (ValueError, RecursionError):
        body = None
    code, message = _text_of(body, "Code", "code"), _text_of(body, "Message", "message")
    if body is None and b"<Code>" in data[:4096]:
        found = re.search(rb"<Code>([\w. -]{1,80})</Code>", data[:4096])
        code = found.group(1).decode() if found else None
    if code is None:
        # No code to go by: the status is all there is.  5xx counts as unreachable (coverage.kind_of).
        code, message = str(status), f"HTTP status {status} without an error code"
    detail = body.get("AccessDeniedDetail") if isinstance(body, dict) else None
    action = _text_of(detail, "AuthAction")
    words = message or "no message"
    if action:
        words = f"{words.rstrip('.')}; the caller lacks {action}"
    return CloudError(code, words, status=status, request_id=_request_id_of(body), retry_after=_retry_after(headers))


def classify(operation: Operation, status: int, headers: Mapping[str, str], data: bytes) -> Answer:
    """The answer to `operation`, or the CloudError it stands for.

    `headers` have lower-case names.  An answer with status 200 is only believed if it is a JSON object with a
    RequestId and holds what `operation` documents: the list it names, or the keys it expects.
    """
    if 300 <= status < 400:
        raise CloudError("Plaudit.Malformed", f"a redirect (status {status}) is not followed", status=status)
    if status >= 400:
        raise _error_of(status, headers, data)
    if status != 200:
        raise CloudError("Plaudit.Malformed", f"unexpected status {status}", status=status)
    try:
        body = _decode(data)
    except (ValueError, RecursionError):
        words = "an empty body" if not data.strip() else "a body that is not complete JSON"
        raise CloudError("Plaudit.Malformed", f"status 200 with {words}", once_more=True) from None
    if not isinstance(body, dict):
        raise CloudError("Plaudit.Malformed", f"status 200 with a JSON {_kind(body)} instead of an object")
    request_id = _request_id_of(body)
    code = body.get("Code")
    if isinstance(code, str) and code and code not in _CODES_OF_SUCCESS:
        raise CloudError(
            "Plaudit.Malformed",
            f"status 200 with the error object {code}: {_text_of(body, 'Message') or 'no message'}",
            request_id=request_id,
        )
    if request_id is None:
        raise CloudError("Plaudit.Malformed", "status 200 without a RequestId")
    if str(body.get("Success", "true")).lower() == "false":
        raise CloudError("Plaudit.Malformed", "status 200 with Success=false", request_id=request_id)
    for name in operation.expects:
        if body.get(name) is None:
            raise CloudError("Plaudit.Malformed", f"status 200 without {name}", request_id=request_id)
    try:
        items_of(operation, body)
    except CloudError as error:
        error.request_id = request_id
        raise
    return Answer(body, request_id)


def _kind(value: object) -> str:
    return {dict: "object", list: "list", str: "text", bool: "boolean", type(None): "null"}.get(type(value), "number")


def items_of(operation: Operation, body: Body) -> list[Any]:
    """The list `operation` documents; CloudError if it is absent or not a list.  Empty where it documents none."""
    if not operation.items:
        return []
    here: Any = body
    for name in operation.items_path:
        if not isinstance(here, dict):
            raise CloudError("Plaudit.Malformed", f"{operation.items}: a {_kind(here)} where an object belongs")
        if name not in here:
            raise CloudError("Plaudit.Malformed", f"status 200 without {operation.items}")
        here = here[name]
    if not isinstance(here, list):
        raise CloudError("Plaudit.Malformed", f"{operation.items} is a {_kind(here)} instead of a list")
    return here
