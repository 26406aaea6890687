"""The DRIFT rules: what a comparison with declarations claims, and its outcomes as findings.

They are judged from a `TerraformDrift`, not from SQL; `rules list`, waivers, gates and every format see them as any
other rule.  Outcomes: the declared object is there (DRIFT-002), is as declared (DRIFT-001), and every child of a
declared object is declared (DRIFT-003).
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence

from auditor.differences import AttributeChange, Declared, TerraformDrift
from auditor.engine.rule import RemediationTemplate, Rule, Sql
from auditor.findings import (
    Basis,
    Finding,
    Gap,
    Outcome,
    Remediation,
    ResourceRef,
    Severity,
    Side,
    Source,
    finding_id,
)
from auditor.inventory.schema import TABLES

_SOURCES = (
    Source(
        "Terraform provider alicloud: PrivateLink resources",
        "https://registry.terraform.io/providers/aliyun/alicloud/latest/docs/resources/privatelink_vpc_endpoint",
    ),
)


def _rule(
    rule_id: str, title: str, resource: str, severity: Severity, rationale: str, fix: RemediationTemplate
) -> Rule:
    return Rule(
        id=rule_id,
        title=title,
        severity=severity,
        basis=Basis.POLICY,
        resource=resource,
        side=Side.BOTH,
        rationale=rationale,
        query=Sql("", 0),
        remediation=fix,
        evidence=(),
        examples=(),
        path="builtin",
        builtin=True,
        sources=_SOURCES,
        tags=("drift", "terraform"),
    )


DRIFT_RULES = (
    _rule(
        "DRIFT-001",
        "Declared object is as declared",
        "declared object",
        Severity.MEDIUM,
        "What differs from its declaration was changed by hand and is undone, or kept by nobody, at the next apply.",
        RemediationTemplate(
            "Apply the declaration again, or declare what is there now.", ("terraform plan -target={address}",)
        ),
    ),
    _rule(
        "DRIFT-002",
        "Declared object exists",
        "declared object",
        Severity.HIGH,
        "What a state declares and the cloud does not have was deleted by hand; whatever rests on it does not work.",
        RemediationTemplate(
            "Create it again with an apply, or remove it from the declaration.", ("terraform plan -target={address}",)
        ),
    ),
    _rule(
        "DRIFT-003",
        "Children of declared objects are declared",
        "child of a declared object",
        Severity.MEDIUM,
        "An entry added by hand below a declared object is invisible to a plan: nothing will ever remove it.",
        RemediationTemplate("Remove it if nobody wants it, or declare it."),
    ),
)
_BY_ID = {rule.id: rule for rule in DRIFT_RULES}

#: Children that let somebody in: whoever added them by hand opened something.
_OPENING = frozenset({"service_users", "security_group_rules", "acl_entries"})

#: Attributes that decide who gets in; a change of them by hand is not cosmetic.
_GUARDING = frozenset(
    {
        *("auto_accept_connection", "security_group_ids", "policy_document", "inner_access_policy"),
        *("acl_status", "acl_type", "acl_ids", "connection_status", "service_id", "address_type"),
        *("supported_region_list", "server_certificate_id", "tls_cipher_policy"),
    }
)

_CONSUMER_TABLES = frozenset({"endpoints", "endpoint_zones"})
_PROVIDER_TABLES = frozenset(
    {
        *("endpoint_services", "service_resources", "service_users", "connections", "load_balancers", "listeners"),
        *("server_groups", "backends", "acl_entries"),
    }
)


def drift_findings(drift: TerraformDrift, owners: Mapping[str, Side] | None = None) -> list[Finding]:
    """Every outcome of the DRIFT rules, sorted by id of rule and resource.

    `owners` tells on which side an account is, for objects that both sides have (networks, security groups).
    """
    sides = owners or {}
    made: dict[str, Finding] = {}
    for finding in _outcomes(drift, sides):
        known = made.get(finding.id)
        # Two states may declare one object: what is wrong with one of them counts.
        if known is None or _RANK[finding.outcome] < _RANK[known.outcome]:
            made[finding.id] = finding
    return sorted(made.values(), key=lambda finding: (finding.rule_id, finding.resource.id, finding.id))


_RANK = {Outcome.FAIL: 0, Outcome.UNKNOWN: 1, Outcome.PASS: 2, Outcome.NOT_APPLICABLE: 3}


def _outcomes(drift: TerraformDrift, sides: Mapping[str, Side]) -> Iterator[Finding]:
    for item in drift.managed:
        yield _made("DRIFT-001", item.resource, Outcome.PASS, sides, observed=f"as declared in {item.address}")
        yield _made("DRIFT-002", item.resource, Outcome.PASS, sides, observed=f"declared in {item.address}")
    for item in drift.changed:
        yield _changed(item, sides)
        yield _made("DRIFT-002", item.resource, Outcome.PASS, sides, observed=f"declared in {item.address}")
    for item in drift.missing:
        yield _made(
            "DRIFT-002",
            item.resource,
            Outcome.FAIL,
            sides,
            observed=f"declared in {item.address}, and not there",
            fix=_fix("DRIFT-002", item.resource, item.address),
        )
    for undecided in drift.undecided:
        rule_id = "DRIFT-001" if undecided.seen else "DRIFT-002"
        if undecided.seen:
            observed = f"declared in {undecided.address}"
            yield _made("DRIFT-002", undecided.resource, Outcome.PASS, sides, observed=observed)
        yield _made(
            rule_id,
            undecided.resource,
            Outcome.UNKNOWN,
            sides,
            reason=f"declared in {undecided.address}: {undecided.reason}",
            fix=_fix(rule_id, undecided.resource, undecided.address),
            gaps=() if undecided.seen else _gaps(drift, undecided.resource.type),
        )
    for child in drift.children:
        yield _made("DRIFT-003", child, Outcome.PASS, sides, observed="declared")
    for child in drift.unmanaged:
        severity = Severity.HIGH if child.type in _OPENING else Severity.MEDIUM
        yield _made(
            "DRIFT-003",
            child,
            Outcome.FAIL,
            sides,
            severity=severity,
            observed="there, and declared nowhere",
            fix=_fix_child(child),
        )
    for parent, table in drift.unlisted:
        yield _made(
            "DRIFT-003",
            parent,
            Outcome.UNKNOWN,
            sides,
            severity=Severity.HIGH if table in _OPENING else Severity.MEDIUM,
            reason=f"{table} of {parent.id} could not be read completely",
            gaps=_gaps(drift, table),
            part=table,
        )


def _changed(item: Declared, sides: Mapping[str, Side]) -> Finding:
    guarding = item.resource.type in _OPENING or any(change.name in _GUARDING for change in item.attributes)
    return _made(
        "DRIFT-001",
        item.resource,
        Outcome.FAIL,
        sides,
        severity=Severity.HIGH if guarding else Severity.MEDIUM,
        observed="; ".join(_sentence(change) for change in item.attributes) + f" ({item.address})",
        fix=_fix("DRIFT-001", item.resource, item.address),
    )


def _sentence(change: AttributeChange) -> str:
    def shown(value: object) -> str:
        if isinstance(value, bool):
            return "true" if value else "false"
        return str(value) if value not in (None, "") else "nothing"

    return f"{change.name} is {shown(change.new)}, declared is {shown(change.old)}"


def _made(
    rule_id: str,
    resource: ResourceRef,
    outcome: Outcome,
    sides: Mapping[str, Side],
    *,
    severity: Severity | None = None,
    observed: str | None = None,
    reason: str | None = None,
    fix: Remediation | None = None,
    gaps: Sequence[Gap] = (),
    part: str = "",
) -> Finding:
    rule = _BY_ID[rule_id]
    return Finding(
        id=finding_id(rule_id, resource.account_id or "", resource.region_id or "", resource.id, part),
        rule_id=rule_id,
        title=rule.title,
        severity=severity or rule.severity,
        basis=rule.basis,
        outcome=outcome,
        resource=resource,
        side=_side(resource, sides),
        remediation=fix or Remediation(rule.remediation.summary),
        observed=observed,
        reason=reason,
        gaps=tuple(gaps),
        sources=rule.sources,
        part=part,
        rationale=rule.rationale,
        tags=rule.tags,
        evidence=tuple(sorted({resource.type, part} - {""})),
    )


def _side(resource: ResourceRef, sides: Mapping[str, Side]) -> Side:
    if resource.type in _CONSUMER_TABLES:
        return Side.CONSUMER
    if resource.type in _PROVIDER_TABLES:
        return Side.PROVIDER
    return sides.get(resource.account_id or "", Side.BOTH)


def _gaps(drift: TerraformDrift, table: str) -> tuple[Gap, ...]:
    return tuple(
        Gap(
            "not_collected" if gap.error_code == "Plaudit.NotCollected" else "refused",
            gap.account_id or None,
            gap.region_id or None,
            gap.operation,
            gap.table,
            "",
            gap.error_code,
            "not read completely",
        )
        for gap in drift.unreadable
        if gap.table == table
    )


# ------------------------------------------------------------------------------------------------------ remediation


def _quoted(text: str) -> str:
    """One word for a shell.  Control characters have no place in a command that is meant to be copied."""
    return shlex.quote(text if text.isprintable() else "".join(c if c.isprintable() else "?" for c in text))


def _fix(rule_id: str, resource: ResourceRef, address: str) -> Remediation:
    rule = _BY_ID[rule_id].remediation
    return Remediation(
        rule.summary,
        (f"terraform plan -target={_quoted(address)}",) if address else (),
        None,
        f"ActionTrail > Event query > resource name {resource.id}: who changed it",
    )


#: Command that removes a child, with the parts of its id by name.
_REMOVALS: dict[str, str] = {
    "service_users": "privatelink RemoveUserFromVpcEndpointService --RegionId {region} --ServiceId {0} --UserId {1}",
    "service_resources": "privatelink DetachResourceFromVpcEndpointService --RegionId {region} --ServiceId {0} "
    "--ResourceType {type} --ResourceId {1} --ZoneId {2}",
    "endpoint_zones": "privatelink RemoveZoneFromVpcEndpoint --RegionId {region} --EndpointId {0} --ZoneId {1}",
    "security_group_rules": "ecs RevokeSecurityGroup --RegionId {region} --SecurityGroupId {0} "
    "--SecurityGroupRuleId.1 {1}",
    "listeners": "slb DeleteLoadBalancerListener --RegionId {region} --LoadBalancerId {0} --ListenerProtocol {1} "
    "--ListenerPort {2}",
    "acl_entries": "slb RemoveAccessControlListEntry --RegionId {region} --AclId {0} --AclEntrys {entry}",
}

#: Terraform type that declares a child, and its import id.
_IMPORTS: dict[str, tuple[str, str]] = {
    "service_users": ("alicloud_privatelink_vpc_endpoint_service_user", "{0}:{1}"),
    "endpoint_zones": ("alicloud_privatelink_vpc_endpoint_zone", "{0}:{1}"),
    "listeners": ("alicloud_slb_listener", "{0}:{1}:{2}"),
    "acl_entries": ("alicloud_slb_acl_entry_attachment", "{0}:{1}"),
}


def _fix_child(child: ResourceRef) -> Remediation:
    parts = _parts(child)
    command = _REMOVALS.get(child.type)
    if child.type == "service_users" and child.id.count(":") > 1:
        command = (command or "").replace("--UserId", "--UserARN")
    if child.type == "listeners" and not parts[0].startswith("lb-"):
        command = None  # listeners of the other products are removed by their own id
    cli: tuple[str, ...] = ()
    if command is not None and all(parts):
        words = {
            "region": _quoted(child.region_id or "<region-id>"),
            "type": _balancer_type(parts[1]) if len(parts) > 1 else "",
            "entry": _quoted(json.dumps([{"entry": parts[-1]}])),
        }
        cli = ("aliyun " + command.format(*map(_quoted, parts), **words),)
    declared = _IMPORTS.get(child.type)
    terraform = None
    if declared is not None and all(part.isprintable() and not set(part) & set('"\\${}%') for part in parts):
        terraform = f'import {{\n  to = {declared[0]}.from_the_cloud\n  id = "{declared[1].format(*parts)}"\n}}\n'
    return Remediation(
        _BY_ID["DRIFT-003"].remediation.summary,
        cli,
        terraform,
        f"ActionTrail > Event query > resource name {parts[0]}: who added it",
    )


def _parts(child: ResourceRef) -> list[str]:
    """The key parts of a child again; ids of clouds hold no colons, the last part may (IPv6, ARN)."""
    head, _, rest = child.id.partition(":")
    count = len(TABLES[child.type].key) - 1
    tail = [rest.removeprefix(":")] if count == 1 else rest.split(":", count - 1)
    return [head, *tail]


def _balancer_type(load_balancer_id: str) -> str:
    prefix = load_balancer_id.partition("-")[0]
    return prefix if prefix in ("nlb", "alb", "gwlb") else "slb"


def sides_of(owners: Iterable[tuple[str, Side]]) -> dict[str, Side]:
    """The side of every account; one that is seen on both sides is on both."""
    found: dict[str, Side] = {}
    for account, side in owners:
        found[account] = side if found.get(account, side) is side else Side.BOTH
    return found
