"""Sinks as the settings make them, pointed at a receiver."""

from __future__ import annotations

from pathlib import Path

from auditor.delivery.feed import Target
from auditor.delivery.patience import Clock
from auditor.delivery.records import Form
from auditor.delivery.secrets import Secret
from auditor.delivery.settings import Kind, Settings
from auditor.delivery.sinks import target

TOKEN = "8f14e45f-ceea-467f-a0e6-0d9f2b7c1a55"


def nothing(_data: bytes) -> None:
    raise AssertionError("nothing goes to standard output here")


def sink(
    kind: str,
    url: str,
    *,
    form: Form | None = None,
    texts: dict[str, str] | None = None,
    ca: Path | None = None,
    ack: bool = False,
    clock: Clock | None = None,
    name: str = "",
    **hidden: str,
) -> Target:
    """A sink of `kind`; further keywords are its secrets."""
    settings = Settings(
        name or kind,
        Kind(kind),
        form or (Form.ECS if kind == "elastic" else Form.OCSF),
        {**(texts or {}), **({"ca_file": str(ca)} if ca else {})},
        {"url": Secret(url), **{key: Secret(value) for key, value in hidden.items()}},
        ack=ack,
    )
    return target(settings, write=nothing, clock=clock)
