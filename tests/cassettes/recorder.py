"""The vcrpy recorder: one thread, matched on operation, query and account, without anything secret.

Two accounts ask the same questions, and the key that tells them apart must not be kept: an alias of it, made from the
order in which the keys appeared, stands in a header of its own and is matched on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import vcr

_KEY = re.compile(r"Credential=([^,]+)")
_ALIAS = "x-plaudit-account"

#: Headers that are secret, or differ from run to run.
_DROPPED = (
    "authorization",
    "x-acs-security-token",
    "x-acs-accesskey-id",
    "x-acs-signature-nonce",
    "x-acs-date",
    "x-acs-content-sha256",
    "x-acs-credentials-provider",
    "user-agent",
    "host",
)


def _same_call(left: Any, right: Any) -> None:
    for name in ("x-acs-action", "x-acs-version", _ALIAS):
        assert left.headers.get(name) == right.headers.get(name), name


def recorder(*, mode: str = "none", renamed: Mapping[str, str] | None = None) -> vcr.VCR:
    """A recorder for one cassette.

    `mode` is vcrpy's record mode: "none" replays and never reaches the network.  `renamed` are texts of the answers
    (account ids, say) and what stands for them in the cassette.
    """
    aliases: dict[str, str] = {}

    def hide_request(request: Any) -> Any:
        found = _KEY.search(request.headers.get("Authorization", "") or request.headers.get("authorization", ""))
        if found is not None:
            alias = aliases.setdefault(found.group(1), f"account-{len(aliases) + 1}")
            request.headers[_ALIAS] = alias
        for name in list(request.headers):
            if name.lower() in _DROPPED:
                del request.headers[name]
        # The port of a simulator, or the host of a region, is no part of what was asked.
        request.uri = re.sub(r"^https?://[^/]+", "http://recorded", request.uri)
        return request

    def hide_response(response: Any) -> Any:
        text = response["body"]["string"].decode("utf-8")
        for real, shown in (renamed or {}).items():
            text = text.replace(real, shown)
        try:
            body = json.loads(text)
        except ValueError:
            body = None
        if isinstance(body, dict) and isinstance(body.get("AccessDeniedDetail"), dict):
            body["AccessDeniedDetail"].pop("EncodedDiagnosticMessage", None)
            text = json.dumps(body)
        response["body"]["string"] = text.encode("utf-8")
        kept = {"content-type", "x-acs-retry-after"}
        response["headers"] = {k: v for k, v in response["headers"].items() if k.lower() in kept}
        return response

    tape = vcr.VCR(
        record_mode=mode,
        match_on=["method", "path", "query", "acs"],
        before_record_request=hide_request,
        before_record_response=hide_response,
        decode_compressed_response=True,
    )
    tape.register_matcher("acs", _same_call)
    return tape
