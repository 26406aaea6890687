"""plaudit: audits PrivateLink connections between Alibaba Cloud accounts."""

from typing import TYPE_CHECKING, Any

from auditor._version import __version__

if TYPE_CHECKING:
    from auditor.inventory.archive import load_snapshot

__all__ = ["__version__", "load_snapshot"]


def __getattr__(name: str) -> Any:
    """Loads `load_snapshot` when it is asked for: it needs pandas, and no start of the program shall wait for that."""
    if name == "load_snapshot":
        from auditor.inventory.archive import load_snapshot

        return load_snapshot
    raise AttributeError(f"module 'auditor' has no attribute {name!r}")
