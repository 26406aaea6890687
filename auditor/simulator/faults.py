"""Scripted faults: what a real cloud, a proxy or a broken network does to an answer."""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Literal, get_args

from auditor.simulator.wire import ApiError, Call, Row, forbidden

FaultKind = Literal[
    "throttle",  # Throttling.User; with `retry_after` milliseconds in x-acs-retry-after
    "throttle_forever",  # the same for every call from `first` on, whatever `count` says
    "forbidden",  # 403 Forbidden.RAM with AccessDeniedDetail
    "silent_empty",  # no permission, but an empty list; DryRun tells the truth
    "need_open_product",  # 400 NeedOpenProduct
    "not_found",  # 404 with `code`
    "internal_error",  # 500 InternalError
    "unavailable",  # 503 ServiceUnavailable
    "unavailable_html",  # 503 with an HTML page
    "unavailable_empty",  # 503 without a body
    "credentials_expired",  # 400 InvalidSecurityToken.Expired, from `first` on
    "slow",  # answers after `seconds`
    "timeout",  # no answer for `seconds` (default 3600), then the connection closes
    "reset",  # TCP reset instead of an answer
    "close",  # connection closed without an answer
    "truncated_json",  # complete HTTP, half a JSON text
    "short_body",  # fewer bytes than Content-Length
    "html_200",  # 200 with an HTML page
    "error_object_200",  # 200 with an error object
    "null_body",  # 200 with `null`
    "mistyped_list",  # the list is replaced by `value` (default an object)
    "missing_list_key",  # the key of the list is absent
    "list_with_null",  # the list ends with null
    "repeated_token",  # the first page for ever, always with the same token
    "duplicate_row",  # the first row once more, on a page of its own where pages have tokens
    "extra_token",  # a token after the last row; the page behind it is empty
    "other_account",  # answered as if account `value` had asked
]
KINDS: tuple[str, ...] = get_args(FaultKind)
_FOREVER = frozenset({"throttle_forever", "credentials_expired"})
#: Kinds that change a correct answer.
_BODY = frozenset(
    [
        "silent_empty",
        "mistyped_list",
        "missing_list_key",
        "list_with_null",
        "repeated_token",
        "duplicate_row",
        "extra_token",
    ]
)
_TOKENS = {kind: f"simulated-{kind.replace('_', '-')}" for kind in ("repeated_token", "duplicate_row", "extra_token")}
_HTML = b"<html><head><title>503</title></head><body>Service Unavailable</body></html>"


@dataclass(frozen=True)
class Fault:
    """One fault: for calls `first` … `first + count - 1` (all later ones if `count` is None) that match.

    `operation` is "product:Operation" with wildcards ("ecs:*", "*").  `account_id` and `region_id` None match all.
    `parameters` must equal the call's parameters, so that one object of a list can be hit.
    """

    operation: str
    kind: FaultKind
    account_id: str | None = None
    first: int = 1
    count: int | None = None
    region_id: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    seconds: float | None = None
    retry_after: int | None = None
    code: str = "EndpointNotFound"
    value: Any = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown kind of fault: {self.kind}")

    def matches(self, operation: str, account_id: str, region_id: str, params: Mapping[str, str]) -> bool:
        """Whether the fault is meant for such a call, whichever its number."""
        return (
            fnmatchcase(operation, self.operation)
            and self.account_id in (None, account_id)
            and self.region_id in (None, region_id)
            and all(params.get(name) == value for name, value in self.parameters.items())
        )


class FaultScript:
    """The faults of a run with the number of matching calls each has seen; safe for threads."""

    def __init__(self, faults: Sequence[Fault] = ()) -> None:
        self.faults = list(faults)
        self._seen: dict[int, int] = {}
        self._lock = threading.Lock()

    def active(self, operation: str, account_id: str, region_id: str, params: Mapping[str, str]) -> list[Fault]:
        """Count the call and return the faults that hit it, in order."""
        hits = []
        with self._lock:
            for position, fault in enumerate(self.faults):
                if not fault.matches(operation, account_id, region_id, params):
                    continue
                number = self._seen.get(position, 0) + 1
                self._seen[position] = number
                endless = fault.count is None or fault.kind in _FOREVER
                if number >= fault.first and (endless or number < fault.first + (fault.count or 0)):
                    hits.append(fault)
        return hits


@dataclass(slots=True)
class Reply:
    """What goes to the wire; `transport` reset, close or timeout means no (complete) answer."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json;charset=utf-8"
    delay: float = 0.0
    transport: Literal["", "reset", "close", "timeout", "short"] = ""


def error_of(fault: Fault, call: Call) -> ApiError | None:
    """The error answer of a fault that is one."""
    match fault.kind:
        case "throttle" | "throttle_forever":
            headers = {} if fault.retry_after is None else {"x-acs-retry-after": str(fault.retry_after)}
            return ApiError(400, "Throttling.User", "The call rate of this account was exceeded.", None, headers)
        case "forbidden":
            return forbidden(call.product, call.action, call.account.account_id)
        case "silent_empty" if call.flag("DryRun"):
            return forbidden(call.product, call.action, call.account.account_id)
        case "need_open_product":
            return ApiError(400, "NeedOpenProduct", "PrivateLink has not been activated in this account.")
        case "not_found":
            return ApiError(404, fault.code, "There is no such object.")
        case "internal_error":
            return ApiError(500, "InternalError", "Unexpected failure of the server.")
        case "unavailable":
            return ApiError(503, "ServiceUnavailable", "The service is temporarily not available.")
        case "credentials_expired":
            return ApiError(400, "InvalidSecurityToken.Expired", "The session token has expired.")
    return None


def change_reply(fault: Fault, reply: Reply) -> Reply:
    """The reply after a fault of transport or format."""
    match fault.kind:
        case "slow":
            reply.delay += fault.seconds if fault.seconds is not None else 1.0
        case "timeout":
            reply.transport, reply.delay = "timeout", fault.seconds if fault.seconds is not None else 3600.0
        case "reset":
            reply.transport = "reset"
        case "close":
            reply.transport = "close"
        case "short_body":
            reply.transport = "short"
        case "truncated_json":
            reply.body = reply.body[: len(reply.body) // 2]
        case "unavailable_html":
            return Reply(503, _HTML, content_type="text/html")
        case "unavailable_empty":
            return Reply(503, b"")
        case "html_200":
            return Reply(200, b"<html><body>Please log in to the network</body></html>", content_type="text/html")
        case "null_body":
            return Reply(200, b"null")
        case "error_object_200":
            body = {"Code": "ServiceUnavailable", "Message": "Try again.", "Success": False, "Data": {}}
            return Reply(200, json.dumps(body).encode())
    return reply


# ------------------------------------------------------------------------------------------- faults in the body


def list_path(body: Row) -> tuple[str, ...] | None:
    """Keys that lead to the main list of an answer: `("Services",)` or `("Vpcs", "Vpc")`; None if there is none."""
    side = {"Tags", "ListenerPorts", "ListenerPortsAndProtocal", "SupportedRegionSet", "RuleHealthStatus", "UserARNs"}
    for key, value in sorted(body.items()):
        if key in side:
            continue
        if isinstance(value, list):
            return (key,)
        if isinstance(value, dict):
            for inner, content in sorted(value.items()):
                if isinstance(content, list) and inner not in side:
                    return (key, inner)
    return None


def _with_list(body: Row, path: tuple[str, ...], content: Any) -> Row:
    body = copy.copy(body)
    if len(path) == 1:
        body[path[0]] = content
    else:
        body[path[0]] = {**body[path[0]], path[1]: content}
    return body


def _rows(body: Row, path: tuple[str, ...]) -> list[Any]:
    content = body[path[0]] if len(path) == 1 else body[path[0]][path[1]]
    return list(content)


def changed_params(faults: Sequence[Fault], params: Mapping[str, str]) -> tuple[dict[str, str], set[str]]:
    """Parameters without the tokens that faults invented, and the kinds whose token was sent."""
    sent = params.get("NextToken", "")
    used = {kind for kind, token in _TOKENS.items() if token == sent}
    changed = dict(params)
    if used:
        del changed["NextToken"]
    if any(fault.kind == "repeated_token" for fault in faults):
        for name in ("PageNumber", "Page"):
            if name in changed:
                changed[name] = "1"
    return changed, used


def change_body(fault: Fault, body: Row, used: set[str]) -> Row:
    """The body after a fault that keeps it JSON; `used` as `changed_params` gives it."""
    path = list_path(body)
    if fault.kind not in _BODY or path is None:
        return body
    rows = _rows(body, path)
    match fault.kind:
        case "silent_empty":
            body = _with_list(body, path, [])
            body.pop("NextToken", None)
            if "TotalCount" in body:
                body["TotalCount"] = type(body["TotalCount"])(0)
        case "mistyped_list":
            body = _with_list(body, path, {"unexpected": "object"} if fault.value is None else fault.value)
        case "missing_list_key":
            body = {key: value for key, value in body.items() if key != path[0]}
        case "list_with_null":
            body = _with_list(body, path, [*rows, None])
        case "repeated_token":
            body = {**body, "NextToken": _TOKENS["repeated_token"]}
            for name in ("TotalCount", "TotalAclEntry", "Total"):
                if name in body:
                    body[name] = type(body[name])(10**6)
        case "extra_token":
            if "extra_token" in used:
                body = _with_list(body, path, [])
                body.pop("NextToken", None)
            elif not body.get("NextToken"):
                body = {**body, "NextToken": _TOKENS["extra_token"]}
        case "duplicate_row":
            if "PageNumber" in body and body.get("TotalCount"):
                body = _with_list(body, path, [*rows, *rows[:1]])
            elif "duplicate_row" in used:
                body = _with_list(body, path, rows[:1])
                body.pop("NextToken", None)
            elif not body.get("NextToken"):
                body = {**body, "NextToken": _TOKENS["duplicate_row"]}
    return body
