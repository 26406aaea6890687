"""plaudit: audits PrivateLink connections between Alibaba Cloud accounts."""

from auditor._version import __version__

__all__ = ["__version__"]
