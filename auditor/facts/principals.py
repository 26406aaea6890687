"""Whitelist entries of an endpoint service, understood: whom each one admits."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from auditor.facts.rows import rows

if TYPE_CHECKING:
    import pandas as pd

_ACCOUNT = re.compile(r"[0-9]{1,20}", re.ASCII)
#: acs:ram:<region>:<account>:<resource>; the region part of RAM is empty or `*`.
_ARN = re.compile(r"acs:ram:[^:\s]*:(?P<account>[0-9]{1,20}|\*):(?P<resource>[^:\s]+)", re.ASCII)
_PRINCIPAL = re.compile(r"\*|root|(?:user|role|group)/\S+")


def understand(entry: str) -> tuple[str | None, bool | None]:
    """Account id and "everyone" of an entry; both None if the entry is not understood.

    * an account id: that account;
    * `*`, `acs:ram:*:*:*`, `acs:ram:*:*:root`: every account;
    * `acs:ram:*:<account>:*`, `…:root`: that account;
    * `acs:ram:*:<account>:user/<name>` (role, group): one principal of that account, which counts as the account,
      because a connection names its owner's account and nothing finer;
    * one user, role or group of any account (`acs:ram:*:*:user/<name>`), part of an account id with a wildcard,
      another product than RAM, an empty part: not understood.

    Source: `ListVpcEndpointServiceUsers`, Users[].UserId and UserARNs[].UserARN.
    """
    if _ACCOUNT.fullmatch(entry):
        return entry, False
    if entry == "*":
        return None, True
    match = _ARN.fullmatch(entry)
    if match is None or not _PRINCIPAL.fullmatch(match["resource"]):
        return None, None
    if match["account"] != "*":
        return match["account"], False
    return (None, True) if match["resource"] in ("*", "root") else (None, None)


def service_principals(service_users: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Rows of the fact `service_principals`, one per whitelist entry."""
    seen: set[tuple[str, str]] = set()
    for service_id, entry, owner in rows(service_users, "service_id", "entry", "account_id"):
        if (service_id, entry) in seen:
            continue
        seen.add((service_id, entry))
        account_id, everyone = understand(entry)
        yield {
            "service_id": service_id,
            "entry": entry,
            "account_id": account_id,
            "everyone": everyone,
            "owner_account_id": owner,
        }
