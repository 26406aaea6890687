"""Differences: the nouns of a comparison, between two snapshots or between declarations and a snapshot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from auditor.findings import Finding, Read, ResourceRef, ScanInfo

#: A value of a column or of a declaration; None where the object is not there.
Value = str | int | bool | None


@dataclass(frozen=True, slots=True)
class AttributeChange:
    """One attribute: old and new value, or declared and observed one."""

    name: str
    old: Value
    new: Value


@dataclass(frozen=True, slots=True)
class Changed:
    """An object that is in both snapshots and not the same."""

    resource: ResourceRef
    attributes: tuple[AttributeChange, ...]


@dataclass(frozen=True, slots=True, order=True)
class Unreadable:
    """A list that is not held completely; empty texts where nothing is known."""

    account_id: str
    region_id: str
    table: str
    operation: str
    error_code: str


@dataclass(frozen=True, slots=True)
class ResourceDrift:
    """Differences between the objects of two snapshots; every list is sorted.  `compared` counts objects in both."""

    added: tuple[ResourceRef, ...]
    removed: tuple[ResourceRef, ...]
    changed: tuple[Changed, ...]
    unreadable: tuple[Unreadable, ...]
    compared: int

    @property
    def differs(self) -> bool:
        return bool(self.added or self.removed or self.changed)


@dataclass(frozen=True, slots=True)
class FindingDrift:
    """Findings that turned; `new` and `now_unknown` as they are now, `fixed` as they were."""

    new: tuple[Finding, ...]
    fixed: tuple[Finding, ...]
    now_unknown: tuple[Finding, ...]
    unchanged: int

    @property
    def differs(self) -> bool:
        return bool(self.new or self.fixed or self.now_unknown)


@dataclass(frozen=True, slots=True)
class Declared:
    """A declared object with its Terraform address; in `attributes` old is declared, new is observed."""

    resource: ResourceRef
    address: str
    attributes: tuple[AttributeChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Undecided:
    """A declared object that could not be compared, and why; `seen` if it is there all the same."""

    resource: ResourceRef
    address: str
    reason: str
    seen: bool = False


@dataclass(frozen=True, slots=True)
class TerraformDrift:
    """Declarations against a snapshot; every list is sorted.

    `children` are declared members of declared parents, `unmanaged` the members that nobody declared; `unlisted` are
    the parents whose members could not be listed, with the table of the members.
    """

    managed: tuple[Declared, ...]
    changed: tuple[Declared, ...]
    missing: tuple[Declared, ...]
    unmanaged: tuple[ResourceRef, ...]
    undecided: tuple[Undecided, ...]
    unreadable: tuple[Unreadable, ...]
    children: tuple[ResourceRef, ...] = ()
    unlisted: tuple[tuple[ResourceRef, str], ...] = ()

    @property
    def declared(self) -> int:
        """How many objects of ours the states declare."""
        return len(self.managed) + len(self.changed) + len(self.missing) + len(self.undecided)

    @property
    def differs(self) -> bool:
        return bool(self.changed or self.missing or self.unmanaged)


@dataclass(frozen=True, slots=True)
class Moment:
    """One side of a comparison: a snapshot file with its scan, or the files that declare."""

    paths: tuple[str, ...]
    scan: ScanInfo | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything a reporter of differences may use.

    Exactly one of `resources` and `terraform` is set.  `findings` are what turned between two snapshots; `judged` the
    outcomes of the DRIFT rules, with `reads` for the lists that were not complete.
    """

    old: Moment
    new: Moment
    resources: ResourceDrift | None = None
    findings: FindingDrift | None = None
    terraform: TerraformDrift | None = None
    judged: tuple[Finding, ...] = ()
    reads: tuple[Read, ...] = ()
    all_outcomes: bool = False
    exit_code: int = 0
    exit_reasons: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    extra: Mapping[str, object] = field(default_factory=dict)
