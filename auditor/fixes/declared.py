"""Changes back to what Terraform states declare: the fixes of findings of the DRIFT rules."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from auditor.differences import AttributeChange, TerraformDrift
from auditor.engine.changes import Step
from auditor.findings import Finding, Outcome
from auditor.fixes.plan import NO_FAILURE, Fix, FixKind
from auditor.languages import marked

#: Operation and parameters that set a declared attribute, by table and attribute; the parts of the object's id are
#: `{0}` and `{1}`, the declared value `{value}`.  Other attributes need an apply, or a new object.
_SETTERS: Mapping[tuple[str, str], tuple[str, str]] = {
    **{
        ("endpoint_services", attribute): (
            "privatelink:UpdateVpcEndpointServiceAttribute",
            f"ServiceId={{0}} {parameter}={{value}}",
        )
        for attribute, parameter in (
            ("auto_accept_connection", "AutoAcceptEnabled"),
            ("zone_affinity_enabled", "ZoneAffinityEnabled"),
            ("connect_bandwidth", "ConnectBandwidth"),
        )
    },
    ("endpoints", "cross_region_bandwidth"): (
        "privatelink:UpdateVpcEndpointAttribute",
        "EndpointId={0} CrossRegionBandwidth={value}",
    ),
    ("connections", "bandwidth"): (
        "privatelink:UpdateVpcEndpointConnectionAttribute",
        "ServiceId={0} EndpointId={1} Bandwidth={value}",
    ),
    ("load_balancers", "delete_protection"): (
        "slb:SetLoadBalancerDeleteProtection",
        "LoadBalancerId={0} DeleteProtection={value}",
    ),
    ("load_balancers", "status"): (
        "slb:SetLoadBalancerStatus",
        "LoadBalancerId={0} LoadBalancerStatus={value}",
    ),
}

_APPLY = marked("Whether the declaration is applied again, or changed to what is there.")


def declared_fix(finding: Finding, drift: TerraformDrift) -> Fix:
    """The fix of a finding of a DRIFT rule.

    What was added by hand is removed with the command of the finding; a changed attribute is set back where one
    operation does that.  What is missing is made by an apply.
    """
    if finding.outcome is not Outcome.FAIL:
        return Fix(finding, FixKind.NONE, reason=NO_FAILURE[finding.outcome])
    if finding.rule_id == "DRIFT-003":
        steps = tuple(_step(line, finding) for line in finding.remediation.cli)
        if steps:
            return Fix(finding, FixKind.AUTOMATIC, steps)
    if finding.rule_id == "DRIFT-001":
        changes = [item.attributes for item in drift.changed if item.resource == finding.resource]
        setters = [_setter(change, finding) for attributes in changes for change in attributes]
        if setters and None not in setters:
            return Fix(finding, FixKind.AUTOMATIC, tuple(step for step in setters if step is not None))
    return Fix(finding, FixKind.CHOICE, reason=_APPLY)


def _setter(change: AttributeChange, finding: Finding) -> Step | None:
    found = _SETTERS.get((finding.resource.type, change.name))
    if found is None or change.old in (None, "") or finding.resource.region_id is None:
        return None
    # The other products have operations of their own.
    if finding.resource.type == "load_balancers" and not finding.resource.id.startswith("lb-"):
        return None
    operation, template = found
    declared = ("true" if change.old else "false") if isinstance(change.old, bool) else str(change.old)
    parts = finding.resource.id.split(":")
    parameters = {"RegionId": finding.resource.region_id}
    for word in template.split():
        name, _, value = word.partition("=")
        parameters[name] = value.format(*parts, value=declared)
    return Step(operation, finding.side, finding.resource.account_id, parameters)


def _step(line: str, finding: Finding) -> Step:
    """A command of a finding as a step."""
    _, product, action, *words = shlex.split(line)
    parameters = {name[2:]: value for name, value in zip(words[::2], words[1::2], strict=True)}
    missing = tuple(name for name, value in parameters.items() if value.startswith("<"))
    return Step(f"{product}:{action}", finding.side, finding.resource.account_id, parameters, missing)
