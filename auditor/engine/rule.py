"""The nouns of a rule file: a rule, its evidence, its examples, its remediation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from auditor.findings import Basis, Outcome, Severity, Side, Source
from auditor.spec import Spec

#: A value of an example row: text, integer, boolean or NULL.
Value = str | int | bool | None

#: `{endpoint_id}`, but neither `${…}` nor the braces of HCL blocks and JSON.
PLACEHOLDER = re.compile(r"(?<!\$)\{([a-z][a-z0-9_]*)\}")


@dataclass(frozen=True, slots=True)
class Sql:
    """A SQL text of a rule file and the line of the file on which it begins."""

    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing that must have been read completely before anything is concluded.

    Exactly one of `table` and `fact` is set.  The coverage targets are: the scope column `of`; the column `of` of the
    table or fact `via` for its rows that share the resource's key (or the scope column `on`); the last column of the
    SQL `targets`; without all three, the one list of the resource's account and region.
    `partial_proves`: outcomes that stand although the list was not read to the end; both of them where the verdict
    rests on single rows that cannot be hidden behind others.
    """

    table: str | None
    fact: str | None
    line: int
    of: str | None = None
    via: str | None = None
    on: str | None = None
    targets: Sql | None = None
    partial_proves: frozenset[Outcome] = frozenset()

    @property
    def name(self) -> str:
        return self.table or self.fact or ""


@dataclass(frozen=True, slots=True)
class Example:
    """One example of a rule: an inventory in miniature and the outcome it must have.

    `missing` tables have no coverage at all, `half_read` ones an incomplete row; every other table is complete.
    `resource` names the resource.id that is meant where the inventory holds several.
    """

    name: str
    expect: Outcome
    given: Mapping[str, tuple[Mapping[str, Value], ...]]
    line: int
    observed: str | None = None
    declared: Spec = field(default_factory=Spec)
    now: str | None = None
    missing: tuple[str, ...] = ()
    half_read: tuple[str, ...] = ()
    resource: str | None = None


@dataclass(frozen=True, slots=True)
class ChangeTemplate:
    """One write operation that mends a finding, as text: plaudit sends none.

    `operation` is product:Operation, `parameters` the request parameters in the order in which they are printed, with
    `{placeholders}`.  `each`: SQL whose rows each make one such operation, and whose columns are placeholders too; it
    sees the finding's resource as `scope` and the row of the rule's query as `answer`.  No row: not needed, or not
    possible this way.  `needs`: what must have been read to the end beside the rule's own evidence.
    """

    operation: str
    side: Side
    parameters: Mapping[str, str]
    line: int
    each: Sql | None = None
    caution: str | None = None
    needs: tuple[Evidence, ...] = ()

    @property
    def command(self) -> str:
        """The operation for the command line of the cloud, with its placeholders."""
        product, _, name = self.operation.partition(":")
        return " ".join(["aliyun", product, name, *(f"--{key} {value}" for key, value in self.parameters.items())])


@dataclass(frozen=True, slots=True)
class RemediationTemplate:
    """A remediation with `{placeholders}`, filled in from the columns of scope and query.

    `change` mends the finding without anybody choosing anything.  Where there is none, or where it does not reach:
    `choice` says what somebody has to choose, `replaces` what has to be made anew and what changes with it, `outside`
    what is to be done where no operation of the cloud helps.
    """

    summary: str
    cli: tuple[str, ...] = ()
    terraform: str | None = None
    console: str | None = None
    line: int = 0
    change: tuple[ChangeTemplate, ...] = ()
    choice: str | None = None
    replaces: str | None = None
    outside: str | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One checkable claim about one kind of resource, as its file states it.

    `resource` is the kind; a rule that `never_fails` speaks of a risk, and `unknown` is the worst it says.
    `only_if_declared` is one of `auditor.spec.REQUIREMENTS`: where the specification does not declare it, the rule is
    not applicable to anything and nothing has to be read for it.
    """

    id: str
    title: str
    severity: Severity
    basis: Basis
    resource: str
    side: Side
    rationale: str
    query: Sql
    remediation: RemediationTemplate
    evidence: tuple[Evidence, ...]
    examples: tuple[Example, ...]
    path: str
    builtin: bool
    sources: tuple[Source, ...] = ()
    tags: tuple[str, ...] = ()
    applies: Sql | None = None
    only_if_declared: str | None = None
    none_found: Outcome = Outcome.UNKNOWN
    aliases: tuple[str, ...] = ()
    deprecated: bool = False
    never_fails: bool = False
    lines: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))

    def is_called_for(self, spec: Spec) -> bool:
        """Whether the rule has anything to say under this specification."""
        return self.only_if_declared is None or spec.declares(self.only_if_declared)

    @property
    def source(self) -> str:
        """`builtin`, or the path of the rule file."""
        return "builtin" if self.builtin else self.path
