"""From settings to channels: every address, key and certificate is looked at before anything is collected."""

from __future__ import annotations

from dataclasses import dataclass

from auditor.delivery.notify.answers import Channel, Hook
from auditor.delivery.notify.dingtalk import DingTalk
from auditor.delivery.notify.feishu import Feishu
from auditor.delivery.notify.mail import Mail, Post
from auditor.delivery.notify.settings import Habits, Kind, Settings
from auditor.delivery.notify.slack import Slack
from auditor.delivery.notify.webhook import Webhook
from auditor.delivery.patience import Clock
from auditor.delivery.transport import Transport, tls_context


@dataclass(frozen=True, slots=True)
class Opened:
    """A channel with its name, which names the file of its memory, and its habits."""

    name: str
    channel: Channel
    habits: Habits


def opened(settings: Settings, clock: Clock | None = None) -> Opened:
    """The channel of some settings.  Raises UsageError and FileError."""
    clock = clock or Clock()
    return Opened(settings.name, _channel(settings, clock), settings.habits)


def _channel(settings: Settings, clock: Clock) -> Channel:
    hidden = settings.secrets
    if settings.kind is Kind.EMAIL:
        post = Post(
            settings.texts["host"],
            settings.port,
            settings.texts["security"],
            settings.texts["from"],
            settings.recipients,
            settings.texts.get("user", ""),
            hidden.get("password"),
        )
        return Mail(post, tls_context(settings.ca_file), clock.now)
    url = hidden["url"]
    transport = Transport(url, f"the channel {settings.name}", ca_file=settings.ca_file)
    hook = Hook(transport, url, clock.now, [hidden.get(key) for key in ("secret", "token", "hmac_key")])
    match settings.kind:
        case Kind.DINGTALK:
            return DingTalk(hook, hidden.get("secret"))
        case Kind.FEISHU:
            return Feishu(hook, hidden.get("secret"))
        case Kind.SLACK:
            return Slack(hook)
        case Kind.WEBHOOK:
            return Webhook(hook, token=hidden.get("token"), hmac_key=hidden.get("hmac_key"))
