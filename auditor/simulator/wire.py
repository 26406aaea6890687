"""One API call as the simulator sees it: parameters, errors, paging and the ACS3 signature."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from auditor.simulator.objects import Account
    from auditor.simulator.world import World


Row = dict[str, Any]


T = TypeVar("T")


class Owned(Protocol):
    """An object of the world: it has an owner and a region."""

    account_id: str
    region_id: str


OwnedT = TypeVar("OwnedT", bound=Owned)


Answer = Callable[["Call"], Row]


@dataclass(slots=True)
class ApiError(Exception):
    """An error answer of the cloud; `detail` becomes AccessDeniedDetail, `headers` are sent along."""

    status: int
    code: str
    message: str = "The request was refused."
    detail: Row | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def body(self, request_id: str, host: str) -> Row:
        """Error body with the keys of a real one."""
        row: Row = {
            "RequestId": request_id,
            "HostId": host,
            "Code": self.code,
            "Message": self.message,
            "Recommend": f"https://troubleshoot.example/?q={self.code}",
        }
        if self.detail is not None:
            row["AccessDeniedDetail"] = self.detail
        return row


def invalid(name: str, why: str) -> ApiError:
    """InvalidParameter with the name of the parameter."""
    return ApiError(400, "InvalidParameter", f"The parameter {name} is not valid: {why}.")


def not_found(code: str, object_id: str) -> ApiError:
    """A not-found answer."""
    return ApiError(404, code, f"There is no object with the id {object_id}.")


def forbidden(product: str, action: str, account_id: str) -> ApiError:
    """403 Forbidden.RAM with the detail that names the missing action."""
    return ApiError(
        403,
        "Forbidden.RAM",
        "The caller lacks the permission for this action.",
        {
            "AuthAction": f"{product}:{action}",
            "AuthPrincipalDisplayName": "300000000000000001:plaudit",
            "AuthPrincipalOwnerId": account_id,
            "AuthPrincipalType": "AssumedRoleUser",
            "EncodedDiagnosticMessage": "AQEAAAAAexample",
            "NoPermissionType": "ImplicitDeny",
            "PolicyType": "AccountLevelIdentityBasedPolicy",
        },
    )


@dataclass(slots=True)
class Call:
    """An authenticated call: who asks (`account`), where (`region_id`, empty if not given), what (`params`)."""

    world: World
    account: Account
    product: str
    action: str
    region_id: str
    params: Mapping[str, str]

    @property
    def operation(self) -> str:
        return f"{self.product}:{self.action}"

    # ------------------------------------------------------------------------------------------- parameters
    def text(self, name: str) -> str:
        """The parameter, empty if absent."""
        return self.params.get(name, "")

    def required(self, name: str) -> str:
        """The parameter; MissingParameter if absent or empty."""
        value = self.params.get(name, "")
        if not value:
            raise ApiError(400, "MissingParameter", f"The parameter {name} is missing.")
        return value

    def number(self, name: str, default: int) -> int:
        """An integer parameter; InvalidParameter if it is not one."""
        value = self.params.get(name, "")
        if not value:
            return default
        try:
            return int(value)
        except ValueError:
            raise invalid(name, "not an integer") from None

    def flag(self, name: str) -> bool | None:
        """A boolean in any case, None if absent."""
        value = self.params.get(name, "").lower()
        if not value:
            return None
        if value not in ("true", "false"):
            raise invalid(name, "not a boolean")
        return value == "true"

    def array(self, name: str, limit: int) -> list[str]:
        """`Name.1`, `Name.2`, … in order; more than `limit` is InvalidParameter."""
        values: list[str] = []
        while (value := self.params.get(f"{name}.{len(values) + 1}")) is not None:
            values.append(value)
        return self._limited(name, values, limit)

    def commas(self, name: str, limit: int) -> list[str]:
        """Comma text; more than `limit` is InvalidParameter."""
        return self._limited(name, [part.strip() for part in self.text(name).split(",") if part.strip()], limit)

    def json_list(self, name: str, limit: int) -> list[str] | None:
        """JSON text of a list, None if absent; `[]` is a valid filter that matches nothing."""
        if not self.text(name):
            return None
        try:
            values = json.loads(self.text(name))
        except ValueError:
            raise invalid(name, "not JSON") from None
        if not isinstance(values, list):
            raise invalid(name, "not a JSON list")
        return self._limited(name, [str(value) for value in values], limit)

    def tag_filter(self, name: str = "Tag") -> dict[str, str | None]:
        """`Tag.N.Key` to `Tag.N.Value` (None: any value)."""
        wanted: dict[str, str | None] = {}
        position = 1
        while (key := self.params.get(f"{name}.{position}.Key")) is not None:
            wanted[key] = self.params.get(f"{name}.{position}.Value")
            position += 1
        return wanted

    def _limited(self, name: str, values: list[str], limit: int) -> list[str]:
        if len(values) > limit:
            raise invalid(name, f"more than {limit} values")
        return values

    def region(self) -> str:
        """The region asked for; RegionId is required here.

        Errors: MissingRegionId (privatelink), MissingParameter (others), InvalidRegionId.  The shared host of slb
        falls back to its home region, which is why slb callers must always send the region.
        """
        if not self.region_id:
            if self.product == "slb":
                return "cn-hangzhou"
            code = "MissingRegionId" if self.product == "privatelink" else "MissingParameter"
            raise ApiError(400, code, "RegionId was not given.")
        if self.region_id not in self.world.regions:
            raise ApiError(404, "InvalidRegionId", "The region does not exist.")
        return self.region_id

    def matches(self, **filters: str) -> bool:
        """Whether every filter that the caller sent equals the value of the object."""
        return all(not self.text(name) or self.text(name) == value for name, value in filters.items())

    def dry_run(self) -> None:
        """Raise DryRunOperation if the caller only wants to know whether the call would be allowed."""
        if self.flag("DryRun"):
            raise ApiError(400, "DryRunOperation", "The request would have succeeded, but DryRun was set.")

    # ------------------------------------------------------------------------------------------------ paging
    def own(self, objects: Mapping[str, OwnedT], ids: Sequence[str] | None = None) -> list[OwnedT]:
        """The caller's objects of the region, all or those named, without the hidden ones."""
        region = self.region()
        chosen = list(objects.items()) if ids is None else [(key, objects[key]) for key in ids if key in objects]
        hidden = self.world.hidden.get(self.operation, set())
        account_id = self.account.account_id
        return [
            value
            for key, value in chosen
            if value.account_id == account_id and value.region_id == region and key not in hidden
        ]

    def get(self, objects: Mapping[str, OwnedT], object_id: str, code: str) -> OwnedT:
        """One object of the caller in the region; a not-found answer with `code` otherwise."""
        found = self.own(objects, [object_id])
        if not found:
            raise not_found(code, object_id)
        return found[0]

    def shown(self, objects: Iterable[T], name: Callable[[T], str]) -> list[T]:
        """The objects that no test has hidden from this operation; `name` gives the id of one."""
        hidden = self.world.hidden.get(self.operation)
        return [value for value in objects if not hidden or name(value) not in hidden]

    def view(self, object_id: str, row: Row) -> Row:
        """The row with the overrides a test has put on it for this operation."""
        changes = self.world.overrides.get((self.operation, object_id))
        if not changes:
            return row
        merged = {**row, **changes}
        return {key: value for key, value in merged.items() if value is not ABSENT}

    def _token_key(self) -> str:
        filters = sorted((k, v) for k, v in self.params.items() if k not in ("NextToken", "MaxResults"))
        text = json.dumps([self.account.account_id, self.operation, filters])
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def token_page(
        self, rows: Sequence[T], *, default: int, maximum: int, minimum: int = 1, clamp: bool = False
    ) -> tuple[Sequence[T], str | None, int]:
        """Rows of the page, next token (None on the last page) and the page size in effect."""
        size = self.number("MaxResults", default)
        if not minimum <= size <= maximum:
            if not clamp:
                raise invalid("MaxResults", f"not within {minimum} and {maximum}")
            size = min(max(size, minimum), maximum)
        start = 0
        token = self.text("NextToken")
        if token:
            try:
                key, _, offset = base64.urlsafe_b64decode(token.encode()).decode().partition(":")
                start = int(offset)
            except (ValueError, binascii.Error):
                raise invalid("NextToken", "unknown") from None
            if key != self._token_key():
                raise invalid("NextToken", "made for another request")
        end = start + size
        following = None
        if end < len(rows):
            following = base64.urlsafe_b64encode(f"{self._token_key()}:{end}".encode()).decode()
        return rows[start:end], following, size

    def numbered_page(
        self, rows: Sequence[T], *, default: int, maximum: int, name: str = "PageNumber", clamp: bool = False
    ) -> tuple[Sequence[T], int, int]:
        """Rows of the page, its number and the page size in effect."""
        number = self.number(name, 1)
        size = self.number("PageSize", default)
        if number < 1:
            raise invalid(name, "below 1")
        if not 1 <= size <= maximum:
            if not clamp:
                raise invalid("PageSize", f"not within 1 and {maximum}")
            size = min(max(size, 1), maximum)
        return rows[(number - 1) * size : number * size], number, size


class _Absent:
    def __repr__(self) -> str:
        return "ABSENT"


#: Value of an override that removes the key from the answer.
ABSENT = _Absent()


def with_token(row: Row, token: str | None, *, empty: bool = False) -> Row:
    """The row with NextToken; on the last page it is absent, or "" where `empty` is set."""
    if token is not None:
        row["NextToken"] = token
    elif empty:
        row["NextToken"] = ""
    return row


def tags_match(tags: Mapping[str, str], wanted: Mapping[str, str | None]) -> bool:
    """Whether the tags contain every wanted key, with the wanted value where one is given."""
    return all(key in tags and (value is None or tags[key] == value) for key, value in wanted.items())
