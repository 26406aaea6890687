"""Which sinks there are: short forms of the command line, and the sinks file.  Neither can hold a secret.

    --to splunk=https://siem.example:8088        the token is in PLAUDIT_SPLUNK_TOKEN
    --to splunk                                  the address too, in PLAUDIT_SPLUNK_URL
    --sinks sinks.yaml --to siem-prod            a sink of the file, by its name

Errors name options, keys, variables and files, never an address or what stands in one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from auditor.delivery import secrets
from auditor.delivery.records import Form
from auditor.delivery.secrets import Secret
from auditor.errors import UsageError
from auditor.yaml_reader import Node, did_you_mean, read_yaml


class Kind(StrEnum):
    """What a sink speaks."""

    FILE = "file"
    STDOUT = "stdout"
    HTTPS = "https"
    SPLUNK = "splunk"
    ELASTIC = "elastic"
    SYSLOG = "syslog"
    SLS = "sls"


@dataclass(frozen=True, slots=True)
class Settings:
    """One sink: `texts` are its plain settings by key, `secrets` what nobody may see."""

    name: str
    kind: Kind
    form: Form
    texts: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, Secret] = field(default_factory=dict)
    port: int = 6514
    ack: bool = False

    def text(self, key: str, default: str = "") -> str:
        """A plain setting."""
        return self.texts.get(key, default)

    def path(self, key: str) -> Path | None:
        """A setting that names a file."""
        return Path(self.texts[key]).expanduser() if key in self.texts else None

    def secret(self, key: str) -> Secret:
        """A secret that has to be there.  Raises UsageError where it is not."""
        found = self.secrets.get(key)
        if found is None:
            raise UsageError(
                f"the sink {self.name} has no {key}; set {variable(self.kind, key)}, or name a file with it"
            )
        return found


#: kind → plain settings it takes beside `type` and `format`.
_TEXTS: dict[Kind, tuple[str, ...]] = {
    Kind.FILE: ("path",),
    Kind.STDOUT: (),
    Kind.HTTPS: ("ca_file",),
    Kind.SPLUNK: ("index", "source", "sourcetype", "host", "ca_file"),
    Kind.ELASTIC: ("namespace", "user", "ca_file"),
    Kind.SYSLOG: ("host", "hostname", "enterprise_id", "ca_file", "certificate_file", "key_file"),
    Kind.SLS: ("project", "logstore", "topic", "source", "ca_file"),
}
_REQUIRED: dict[Kind, tuple[str, ...]] = {
    Kind.FILE: ("path",),
    Kind.SYSLOG: ("host",),
    Kind.SLS: ("project", "logstore"),
}
#: kind → secrets it takes, each as `<key>_env` (a variable) or `<key>_file`; the short forms read PLAUDIT_<KIND>_<KEY>.
_SECRETS: dict[Kind, tuple[str, ...]] = {
    Kind.FILE: (),
    Kind.STDOUT: (),
    Kind.HTTPS: ("url", "token", "hmac_key"),
    Kind.SPLUNK: ("url", "token"),
    Kind.ELASTIC: ("url", "api_key", "password"),
    Kind.SYSLOG: (),
    Kind.SLS: ("url", "access_key_id", "access_key_secret", "security_token"),
}
_NAME = r"[a-z0-9][a-z0-9_-]{0,39}"
_VARIABLE = r"[A-Za-z_][A-Za-z0-9_]*"
_PATTERNS = {
    "enterprise_id": (r"[0-9]{1,10}(\.[0-9]{1,10})*", "an IANA enterprise number, as 32473"),
    "namespace": (r"[a-z0-9_.]{1,100}", "lower-case letters, digits, _ and ."),
    "project": (r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", "the name of an SLS project"),
    "logstore": (r"[a-z0-9][a-z0-9_-]{1,61}[a-z0-9]", "the name of an SLS log store"),
    "host": (r"[!-~]{1,255}", "a host name or address"),
}
_HOST_PORT = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?\Z")
_TARGET_WORDS = {
    Kind.FILE: "PATH",
    Kind.HTTPS: "https://HOST/PATH",
    Kind.SPLUNK: "https://HOST:8088",
    Kind.ELASTIC: "https://HOST:9200",
    Kind.SYSLOG: "HOST:6514",
    Kind.SLS: "https://ENDPOINT/PROJECT/LOGSTORE",
}


def variable(kind: Kind, key: str) -> str:
    """The environment variable of a setting of the short forms."""
    return f"PLAUDIT_{kind.value}_{key}".upper()


def chosen(words: Sequence[str], sinks_file: Path | None, warn: Callable[[str], None]) -> list[Settings]:
    """The sinks asked for: those of `words`, or all of the file if there are none.  Raises UsageError and FileError."""
    known = {sink.name: sink for sink in load_file(sinks_file, warn)} if sinks_file is not None else {}
    found = [known[word] if word in known else short_form(word, known) for word in words] or list(known.values())
    names = [sink.name for sink in found]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"two sinks are called {name}; name each in a file and hand it over with --sinks")
    return found


# -------------------------------------------------------------------------------------------------------- short forms


def short_form(word: str, known: dict[str, Settings] | None = None) -> Settings:
    """The sink of `KIND` or `KIND=TARGET`; secrets come from the environment.  Raises UsageError."""
    name, given, target = word.partition("=")
    kinds = [kind.value for kind in Kind]
    if name == "-" and not given:
        name = Kind.STDOUT.value
    if name not in kinds:
        # What was typed may be an address; only a word that looks like a name is repeated.
        shown = f" {name!r}" if re.fullmatch(_NAME, name) and len(name) <= 20 else ""
        hint = did_you_mean(name, [*kinds, *(known or {})]) if shown else ""
        raise UsageError(f"unknown sink{shown}{hint or '; known are ' + ', '.join([*(known or {}), *kinds])}")
    kind = Kind(name)
    if given and (not target or kind is Kind.STDOUT):
        hint = f"; write {name}={_TARGET_WORDS[kind]}" if kind in _TARGET_WORDS else ""
        raise UsageError(f"the sink {name} is not written like this{hint}")
    texts = _texts_from_environment(kind)
    found = {
        key: secret for key in _SECRETS[kind] if (secret := secrets.from_environment(variable(kind, key))) is not None
    }
    port = 6514
    if target:
        port = _take_target(kind, target, texts, found)
    settings = Settings(name, kind, _default_form(kind, texts.pop("format", None)), texts, found, port)
    missing = [key for key in _REQUIRED.get(kind, ()) if key not in texts]
    if missing or ("url" in _SECRETS[kind] and "url" not in found):
        raise UsageError(
            f"the sink {name} has no target; write {name}={_TARGET_WORDS[kind]}"
            + (f", or set {variable(kind, 'url')}" if "url" in _SECRETS[kind] else "")
        )
    return settings


def _texts_from_environment(kind: Kind) -> dict[str, str]:
    import os

    keys = ("format", "ca_file", "certificate_file", "key_file", "index", "user", "project", "logstore")
    found = {key: os.environ.get(variable(kind, key), "") for key in keys if key == "format" or key in _TEXTS[kind]}
    return {key: value for key, value in found.items() if value}


def _take_target(kind: Kind, target: str, texts: dict[str, str], found: dict[str, Secret]) -> int:
    if kind is Kind.FILE:
        texts["path"] = target
        return 0
    if kind is Kind.SYSLOG:
        match = _HOST_PORT.match(target)
        port = int(match[2] or 6514) if match else 0
        if match is None or not 0 < port < 65536:
            raise UsageError(f"the target of the sink syslog is not HOST:PORT; write syslog={_TARGET_WORDS[kind]}")
        texts["host"] = match[1].strip("[]")
        return port
    if "?" in target or "@" in target:
        raise UsageError(
            f"the address of {kind.value} holds a query or a user, which the list of processes would show; "
            f"put it into {variable(kind, 'url')}"
        )
    if kind is Kind.SLS:
        match = re.match(r"(https?://[^/]+)/([^/]+)/([^/]+)/?\Z", target)
        if match is None:
            raise UsageError(f"the target of the sink sls is not understood; write sls={_TARGET_WORDS[kind]}")
        target = match[1]
        for key, value in (("project", match[2]), ("logstore", match[3])):
            pattern, meaning = _PATTERNS[key]
            if re.fullmatch(pattern, value) is None:
                raise UsageError(f"the {key} of the sink sls is not {meaning}")
            texts[key] = value
    found["url"] = Secret(target)
    return 0


def _default_form(kind: Kind, word: str | None) -> Form:
    if word is None:
        return Form.ECS if kind is Kind.ELASTIC else Form.OCSF
    forms = [form.value for form in Form]
    if word not in forms:
        raise UsageError(f"{variable(kind, 'format')} is not one of {', '.join(forms)}{did_you_mean(word, forms)}")
    return Form(word)


# ----------------------------------------------------------------------------------------------------- the sinks file


def load_file(path: Path, warn: Callable[[str], None]) -> list[Settings]:
    """The sinks of a file.  Raises FileError with the line for anything that is not understood."""
    root = read_yaml(path)
    found = root.mapping(required=("sinks",), optional=("version",))
    if "version" in found and found["version"].integer() != 1:
        raise found["version"].error("this plaudit reads version 1 only; write `version: 1`")
    sinks = []
    for key, node in found["sinks"].entries():
        if re.fullmatch(_NAME, key.raw) is None:
            raise key.error("the name of a sink is lower-case letters, digits, - and _, at most 40")
        sinks.append(_sink(key.raw, node, path.parent, warn))
    if not sinks:
        raise found["sinks"].error("there is no sink; write one below `sinks:`")
    return sinks


def _sink(name: str, node: Node, folder: Path, warn: Callable[[str], None]) -> Settings:
    kind = _kind(node)
    secret_keys = [f"{key}_{way}" for key in _SECRETS[kind] for way in ("env", "file")]
    extra = {Kind.SYSLOG: ("port",), Kind.SPLUNK: ("ack",)}.get(kind, ())
    plain_url = ("url",) if "url" in _SECRETS[kind] else ()
    for word, value in node.entries():
        if word.raw in _SECRETS[kind] and word.raw != "url":
            raise value.error(f"a secret does not stand here; write {word.raw}_env or {word.raw}_file")
    found = node.mapping(required=("type",), optional=("format", *_TEXTS[kind], *plain_url, *secret_keys, *extra))
    texts = {}
    for key in _TEXTS[kind]:
        if key in found:
            pattern, meaning = _PATTERNS.get(key, ("", ""))
            texts[key] = found[key].text(pattern=pattern, meaning=meaning)
    for key in ("path", "ca_file", "certificate_file", "key_file"):
        if key in texts:
            texts[key] = str(folder / Path(texts[key]).expanduser())
    for key in _REQUIRED.get(kind, ()):
        if key not in texts:
            raise node.error(f"missing key `{key}`; write `{key}: …` here")
    hidden = {key: secret for key in _SECRETS[kind] if (secret := read_secret(key, found, folder, warn)) is not None}
    if plain_url and "url" not in hidden:
        raise node.error(
            "missing key `url`; write `url: https://…`, or url_env or url_file where the address is secret"
        )
    form = found["format"].text(choices=[form.value for form in Form]) if "format" in found else None
    return Settings(
        name,
        kind,
        _default_form(kind, form),
        texts,
        hidden,
        found["port"].integer(minimum=1, maximum=65535) if "port" in found else 6514,
        found["ack"].boolean() if "ack" in found else False,
    )


def _kind(node: Node) -> Kind:
    for key, value in node.entries():
        if key.raw == "type":
            return Kind(value.text(choices=[kind.value for kind in Kind]))
    raise node.error("missing key `type`; write `type: …` here, one of " + ", ".join(Kind))


def read_secret(key: str, found: dict[str, Node], folder: Path, warn: Callable[[str], None]) -> Secret | None:
    """The secret below `<key>_env` or `<key>_file` (or `key`, where that may stand in a file).  Raises FileError."""
    given = [way for way in (key, f"{key}_env", f"{key}_file") if way in found]
    if len(given) > 1:
        raise found[given[1]].error(f"`{given[0]}` and `{given[1]}` say the same; keep one")
    if not given:
        return None
    value = found[given[0]]
    if given[0] == key:
        address = value.text()
        if "@" in address:
            raise value.error("the address holds a user; put credentials into the environment or a file")
        return Secret(address)
    if given[0].endswith("_env"):
        name = value.text(pattern=_VARIABLE, meaning="the name of an environment variable")
        secret = secrets.from_environment(name)
        if secret is None:
            raise value.error(f"the environment variable {name} is not set")
        return secret
    secret, warning = secrets.from_file(folder / Path(value.text()).expanduser())
    if warning is not None:
        warn(warning)
    return secret
