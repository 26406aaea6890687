"""Redaction: takes secrets, signatures, tokens and signed URLs out of every text that leaves the collector."""

from __future__ import annotations

import re

_LIMIT = 400

# Names of parameters, headers and JSON keys whose value must not be seen, in any of the spellings in use.
_NAMES = (
    r"access[_-]?key[_-]?(?:id|secret)|accesskeyid|accesskeysecret|secret|security[_-]?token|sts[_-]?token|"
    r"signature(?:[_-]?nonce)?|x-acs-security-token|x-acs-accesskey-id|authorization|credential|"
    r"(?:oauth[_-])?(?:access|refresh)[_-]token|oidc[_-]?token|bearer[_-]?token|samlassertion|password|token"
)
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    # What a service says it signed is the whole request, token included.
    (re.compile(r"(?is)(server string to sign|stringtosign|canonical ?request).*"), r"\1 (removed)"),
    (re.compile(r"(?i)\b((?:https?://|/)[^\s'\"<>?]*)\?[^\s'\"<>)]+"), r"\1?(removed)"),
    (re.compile(r"(?i)\bACS3-[A-Z0-9-]+\s+Credential=\S+"), "(removed)"),
    (re.compile(r"(?i)\b(bearer)\s+[\w.~+/=-]{8,}"), r"\1 (removed)"),
    (
        re.compile(rf"(?i)(['\"]?\b(?:{_NAMES})\b['\"]?\s*(?:=|:|%3D|%3A)\s*)('[^']*'|\"[^\"]*\"|[^\s&,;'\"{{}})]+)"),
        r"\1(removed)",
    ),
    (re.compile(r"\bLTAI[0-9A-Za-z_]+"), "(removed)"),
    (re.compile(r"\bSTS\.[0-9A-Za-z_]+"), "(removed)"),
    (re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*"), "(removed)"),
    # Session tokens and signatures: long runs of base64.
    (re.compile(r"[A-Za-z0-9+/%]{40,}={0,2}"), "(removed)"),
)


def redact(text: object, *secrets: str | None) -> str:
    """`text` on one line, without secrets, at most 400 characters.

    `secrets` are known values (keys of the profile) that are removed wherever they stand.
    """
    value = str(text)
    for secret in secrets:
        if secret and len(secret) >= 4:
            value = value.replace(secret, "(removed)")
    for pattern, replacement in _PATTERNS:
        value = pattern.sub(replacement, value)
    value = value.encode("utf-8", "replace").decode("utf-8")
    value = "".join(character if character.isprintable() else " " for character in value)
    value = " ".join(value.split())
    return value if len(value) <= _LIMIT else f"{value[: _LIMIT - 1]}…"
