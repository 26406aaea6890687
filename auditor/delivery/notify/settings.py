"""Which channels there are: a file of them, or one by its kind alone.  Neither can hold a secret.

--notify notify.yaml      every channel of a file
--notify slack            one channel; its address is in PLAUDIT_SLACK_URL
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from auditor.delivery import secrets
from auditor.delivery.secrets import Secret
from auditor.delivery.settings import read_secret
from auditor.errors import UsageError
from auditor.findings import Severity
from auditor.languages import CODES
from auditor.yaml_reader import Node, did_you_mean, read_yaml


class Kind(StrEnum):
    """What a channel is."""

    DINGTALK = "dingtalk"
    FEISHU = "feishu"
    SLACK = "slack"
    WEBHOOK = "webhook"
    EMAIL = "email"


class When(StrEnum):
    """When a channel is told something."""

    CHANGES = "changes"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class Habits:
    """What is told and how often; `heartbeat_days` of 0 means that a quiet run stays quiet."""

    severity: Severity = Severity.HIGH
    when: When = When.CHANGES
    heartbeat_days: int = 0
    link: str = ""
    lang: str = CODES[0]


@dataclass(frozen=True, slots=True)
class Settings:
    """One channel: `texts` are its plain settings by key, `secrets` what nobody may see."""

    name: str
    kind: Kind
    habits: Habits = Habits()
    texts: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, Secret] = field(default_factory=dict)
    recipients: tuple[str, ...] = ()
    port: int = 0
    ca_file: Path | None = None


SECRETS: dict[Kind, tuple[str, ...]] = {
    Kind.DINGTALK: ("url", "secret"),
    Kind.FEISHU: ("url", "secret"),
    Kind.SLACK: ("url",),
    Kind.WEBHOOK: ("url", "token", "hmac_key"),
    Kind.EMAIL: ("password",),
}
SECURITY = ("starttls", "tls", "none")
_HABITS = ("severity", "when", "heartbeat_days", "link", "lang")
_MAIL = ("host", "port", "security", "from", "to", "user")
_NAME = r"[a-z0-9][a-z0-9_-]{0,39}"
# One address without quotes or comments: nothing in it can end a header or start another one.
_ADDRESS = r"[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]{1,64}@[A-Za-z0-9]([A-Za-z0-9.-]{0,250}[A-Za-z0-9])?"
_LINK = r"https?://[!-~]{1,1000}"
_RECIPIENTS = 50


def variable(kind: Kind, key: str) -> str:
    """The environment variable of a secret of a channel that is named by its kind alone."""
    return f"PLAUDIT_{kind.value}_{key}".upper()


def chosen(words: Sequence[str], warn: Callable[[str], None], lang: str = CODES[0]) -> list[Settings]:
    """The channels of `words`: files of channels, or kinds.  Raises UsageError and FileError.

    `lang` is the language of those that name none.
    """
    found: list[Settings] = []
    for word in words:
        # What was typed may be an address, which is a secret, and is not repeated.
        if "://" in word or "=" in word:
            raise UsageError(
                "--notify takes a file of channels or a kind of channel, no address: "
                "put the address into an environment variable (PLAUDIT_SLACK_URL) or a file"
            )
        if "/" in word or "\\" in word or word.endswith((".yaml", ".yml")):
            found += load_file(Path(word).expanduser(), warn, lang)
        else:
            found.append(_by_kind(word, lang))
    names = [channel.name for channel in found]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"two channels are called {name}; give one of them another name")
    return found


def _by_kind(word: str, lang: str) -> Settings:
    kinds = [kind.value for kind in Kind if kind is not Kind.EMAIL]
    if word == Kind.EMAIL.value:
        raise UsageError("the channel email needs a file: a server, a sender and recipients; see docs/notifications.md")
    if word not in kinds:
        shown = f" {word!r}" if re.fullmatch(_NAME, word) and len(word) <= 20 else ""
        hint = did_you_mean(word, kinds) if shown else ""
        raise UsageError(f"unknown channel{shown}{hint or '; known are ' + ', '.join(kinds) + ', or a file of them'}")
    kind = Kind(word)
    hidden = {key: secret for key in SECRETS[kind] if (secret := secrets.from_environment(variable(kind, key)))}
    if "url" not in hidden:
        raise UsageError(f"the channel {word} has no address; set {variable(kind, 'url')}, or name a file of channels")
    return Settings(word, kind, Habits(lang=lang), secrets=hidden)


# ------------------------------------------------------------------------------------------------ the file of channels


def load_file(path: Path, warn: Callable[[str], None], lang: str = CODES[0]) -> list[Settings]:
    """The channels of a file.  Raises FileError with the line for anything that is not understood."""
    root = read_yaml(path)
    found = root.mapping(required=("channels",), optional=("version", *_HABITS))
    if "version" in found and found["version"].integer() != 1:
        raise found["version"].error("this plaudit reads version 1 only; write `version: 1`")
    common = _habits(found, Habits(lang=lang))
    channels = []
    for key, node in found["channels"].entries():
        if re.fullmatch(_NAME, key.raw) is None:
            raise key.error("the name of a channel is lower-case letters, digits, - and _, at most 40")
        channels.append(_channel(key.raw, node, common, path.parent, warn))
    if not channels:
        raise found["channels"].error("there is no channel; write one below `channels:`")
    return channels


def _habits(found: dict[str, Node], common: Habits) -> Habits:
    return Habits(
        Severity(found["severity"].text(choices=[each.value for each in Severity]))
        if "severity" in found
        else common.severity,
        When(found["when"].text(choices=[each.value for each in When])) if "when" in found else common.when,
        found["heartbeat_days"].integer(minimum=0, maximum=366) if "heartbeat_days" in found else common.heartbeat_days,
        found["link"].text(pattern=_LINK, meaning="an address of the report, http:// or https://")
        if "link" in found
        else common.link,
        found["lang"].text(choices=CODES) if "lang" in found else common.lang,
    )


def _channel(name: str, node: Node, common: Habits, folder: Path, warn: Callable[[str], None]) -> Settings:
    kind = _kind(node)
    for word, value in node.entries():
        if word.raw in SECRETS[kind]:
            raise value.error(f"a secret does not stand here; write {word.raw}_env or {word.raw}_file")
    hidden_keys = [f"{key}_{way}" for key in SECRETS[kind] for way in ("env", "file")]
    mail = kind is Kind.EMAIL
    found = node.mapping(
        required=("type", *(("host", "from", "to") if mail else ())),
        optional=("ca_file", *_HABITS, *hidden_keys, *(_MAIL if mail else ())),
    )
    hidden = {key: secret for key in SECRETS[kind] if (secret := read_secret(key, found, folder, warn)) is not None}
    if "url" in SECRETS[kind] and "url" not in hidden:
        raise node.error("missing key `url_env` or `url_file`: the address of a channel is a secret")
    ca_file = folder / Path(found["ca_file"].text()).expanduser() if "ca_file" in found else None
    settings = Settings(name, kind, _habits(found, common), {}, hidden, ca_file=ca_file)
    return _mail(settings, node, found) if mail else settings


def _kind(node: Node) -> Kind:
    for key, value in node.entries():
        if key.raw == "type":
            return Kind(value.text(choices=[kind.value for kind in Kind]))
    raise node.error("missing key `type`; write `type: …` here, one of " + ", ".join(Kind))


def _mail(settings: Settings, node: Node, found: dict[str, Node]) -> Settings:
    from auditor.delivery.transport import is_loopback

    meaning = "an e-mail address, as plaudit@example.com"
    texts = {
        "host": found["host"].text(pattern=r"[!-~]{1,255}", meaning="a host name or address"),
        "from": found["from"].text(pattern=_ADDRESS, meaning=meaning),
        "security": found["security"].text(choices=SECURITY) if "security" in found else SECURITY[0],
    }
    if "user" in found:
        texts["user"] = found["user"].text(pattern=r"[!-~]{1,255}", meaning="the name of a login, without spaces")
    if ("user" in texts) != ("password" in settings.secrets):
        raise node.error("`user` and a password (`password_env` or `password_file`) belong together; write both")
    if texts["security"] == "none" and not is_loopback(texts["host"]):
        raise found["security"].error("mail without TLS goes to loopback only; write starttls or tls")
    given = found["to"]
    recipients = tuple(one.text(pattern=_ADDRESS, meaning=meaning) for one in given.items())
    if not recipients or len(recipients) > _RECIPIENTS:
        raise given.error(f"write 1 to {_RECIPIENTS} recipients, as [net@example.com]")
    default = {"starttls": 587, "tls": 465, "none": 25}[texts["security"]]
    port = found["port"].integer(minimum=1, maximum=65535) if "port" in found else default
    return Settings(
        settings.name,
        settings.kind,
        settings.habits,
        texts,
        settings.secrets,
        recipients,
        port,
        settings.ca_file,
    )
