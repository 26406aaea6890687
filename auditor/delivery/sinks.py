"""From settings to sinks: every address, key and certificate is looked at before anything is collected."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import assert_never

from auditor.delivery.elastic import ElasticSink
from auditor.delivery.feed import Target
from auditor.delivery.files import FileSink, StreamSink
from auditor.delivery.https import HttpsSink
from auditor.delivery.patience import Clock
from auditor.delivery.replies import Sink
from auditor.delivery.secrets import Secret
from auditor.delivery.settings import Kind, Settings
from auditor.delivery.sls import Keys, SlsSink
from auditor.delivery.splunk import Envelope, SplunkSink
from auditor.delivery.syslog import ENTERPRISE_ID, Destination, SyslogSink
from auditor.delivery.transport import Transport, tls_context
from auditor.errors import UsageError


def target(settings: Settings, *, write: Callable[[bytes], None], clock: Clock | None = None) -> Target:
    """The sink of some settings; `write` is standard output.  Raises UsageError and FileError."""
    return Target(settings.name, _sink(settings, write, clock or Clock()), settings.form)


def _sink(settings: Settings, write: Callable[[bytes], None], clock: Clock) -> Sink:
    match settings.kind:
        case Kind.FILE:
            return FileSink(Path(settings.text("path")).expanduser())
        case Kind.STDOUT:
            return StreamSink(write)
        case Kind.SYSLOG:
            return _syslog(settings)
        case Kind.HTTPS | Kind.SPLUNK | Kind.ELASTIC | Kind.SLS:
            return _web(settings, clock)
        case _:
            assert_never(settings.kind)


def _syslog(settings: Settings) -> SyslogSink:
    context = tls_context(settings.path("ca_file"), settings.path("certificate_file"), settings.path("key_file"))
    return SyslogSink(
        Destination(settings.text("host"), settings.port),
        context,
        host=settings.text("hostname"),
        enterprise_id=settings.text("enterprise_id", ENTERPRISE_ID),
    )


def _web(settings: Settings, clock: Clock) -> Sink:
    url = settings.secret("url")
    transport = Transport(
        url,
        f"the sink {settings.name}",
        ca_file=settings.path("ca_file"),
        subdomain=settings.text("project") if settings.kind is Kind.SLS else "",
    )
    if transport.query and settings.kind is not Kind.HTTPS:
        raise UsageError(f"the address of the sink {settings.name} holds a query; write it without")
    if settings.kind is Kind.HTTPS:
        token, key = settings.secrets.get("token"), settings.secrets.get("hmac_key")
        return HttpsSink(transport, url, now=clock.now, token=token, hmac_key=key)
    if settings.kind is Kind.SPLUNK:
        envelope = Envelope(
            settings.text("sourcetype", f"plaudit:{settings.form.value}"),
            settings.text("source", "plaudit"),
            settings.text("host"),
            settings.text("index") or None,
        )
        return SplunkSink(
            transport,
            url,
            settings.secret("token"),
            envelope,
            now=clock.now,
            ack=settings.ack,
            sleep=clock.sleep,
            monotonic=clock.monotonic,
        )
    if settings.kind is Kind.ELASTIC:
        return ElasticSink(
            transport,
            url,
            _elastic_authorization(settings),
            now=clock.now,
            namespace=settings.text("namespace", "default"),
            form=settings.form,
        )
    return _sls(settings, transport, url, clock)


def _elastic_authorization(settings: Settings) -> Secret | None:
    if "api_key" in settings.secrets:
        return Secret(f"ApiKey {settings.secrets['api_key'].reveal()}")
    if settings.text("user"):
        pair = f"{settings.text('user')}:{settings.secret('password').reveal()}"
        return Secret("Basic " + base64.b64encode(pair.encode()).decode())
    return None


def _sls(settings: Settings, transport: Transport, url: Secret, clock: Clock) -> SlsSink:
    if transport.path:
        raise UsageError(f"the address of the sink {settings.name} holds a path; write the endpoint only")
    keys = Keys(
        settings.secret("access_key_id"),
        settings.secret("access_key_secret"),
        settings.secrets.get("security_token"),
    )
    return SlsSink(
        transport,
        url,
        keys,
        settings.text("logstore"),
        host=transport.host,
        now=clock.now,
        topic=settings.text("topic", "plaudit"),
        source=settings.text("source"),
    )
