"""Reports to render: a small one with one of everything, a hostile one, and a big one."""

from __future__ import annotations

from dataclasses import replace

from auditor.findings import (
    Basis,
    Finding,
    Gap,
    Hop,
    Outcome,
    PathVerdict,
    Read,
    Remediation,
    Report,
    ResourceRef,
    ScanInfo,
    Severity,
    Side,
    Source,
    Waiver,
    finding_id,
)
from tests.hostile import HOSTILE

CONSUMER = "1234567890123456"
PROVIDER = "6543210987654321"
REGION = "eu-central-1"

SERVICE = ResourceRef("endpoint_services", "epsrv-m5e0orders", PROVIDER, REGION, "orders")
OTHER_SERVICE = ResourceRef("endpoint_services", "epsrv-m5e0ledger", PROVIDER, REGION, "ledger")
IDLE_SERVICE = ResourceRef("endpoint_services", "epsrv-m5e0idle", PROVIDER, REGION, None)
SHOP = ResourceRef("endpoints", "ep-gw8shop", CONSUMER, REGION, "shop → 注文サービス")
BILLING = ResourceRef("endpoints", "ep-gw8billing", CONSUMER, REGION, "billing")
REPORTING = ResourceRef("endpoints", "ep-gw8reporting", CONSUMER, REGION, "reporting")
PARTNER = ResourceRef("endpoints", "ep-gw8partner", "7777777777777777", REGION, None)
BALANCER = ResourceRef("load_balancers", "lb-m5eorders1", PROVIDER, REGION, "orders-clb")
LISTENER = ResourceRef("listeners", "lb-m5eorders1:tcp:80", PROVIDER, REGION)

PAGE = Source("Manage endpoint zones", "https://www.alibabacloud.com/help/en/privatelink/zones")

REFUSED = Gap(
    kind="refused",
    account_id=CONSUMER,
    region_id=REGION,
    operation="ecs:DescribeSecurityGroupAttribute",
    table="security_group_rules",
    target="sg-gw8reporting",
    error_code="Forbidden.RAM",
    message="User not authorized to operate on the specified resource.",
    request_id="8A1C0E4D-0000-5000-9000-000000000001",
)


def finding(
    rule_id: str,
    title: str,
    severity: str,
    outcome: str,
    resource: ResourceRef,
    *related: ResourceRef,
    side: str = "provider",
    fix: Remediation | None = None,
    **more: object,
) -> Finding:
    """A finding with a correct id and a short fix."""
    return Finding(
        id=finding_id(rule_id, resource.account_id or "", resource.region_id or "", resource.id),
        rule_id=rule_id,
        title=title,
        severity=Severity(severity),
        basis=Basis.DOCUMENTED,
        outcome=Outcome(outcome),
        resource=resource,
        side=Side(side),
        remediation=fix or Remediation(f"Put {rule_id} in order."),
        related=related,
        **more,  # type: ignore[arg-type]
    )


ZONE = finding(
    "ZONE-001",
    "Endpoint zones are zones of the service",
    "critical",
    "fail",
    SHOP,
    SERVICE,
    side="consumer",
    observed="eu-central-1b has an endpoint zone and no service resource",
    rationale="An endpoint zone can be served only where the service has a service resource.",
    sources=(PAGE,),
    evidence=("privatelink:ListVpcEndpointZones", "privatelink:ListVpcEndpointServiceResources"),
    first_seen="2026-07-30T04:17:00Z",
    is_new=True,
    fix=Remediation(
        summary="Remove the endpoint zone, or have a service resource attached in it.",
        cli=(
            "aliyun privatelink RemoveZoneFromVpcEndpoint --RegionId eu-central-1 --EndpointId ep-gw8shop "
            "--ZoneId eu-central-1b",
        ),
        terraform='resource "alicloud_privatelink_vpc_endpoint_zone" "b" {\n  endpoint_id = "ep-gw8shop"\n'
        '  zone_id     = "eu-central-1a"\n}',
        console="PrivateLink > Endpoints > ep-gw8shop > Zones",
    ),
)

FINDINGS = (
    ZONE,
    finding("CONN-001", "Connection is Connected", "critical", "pass", SHOP, SERVICE),
    finding(
        "CONN-001",
        "Connection is Connected",
        "critical",
        "fail",
        BILLING,
        OTHER_SERVICE,
        observed="Disconnected",
        rationale="Only an accepted connection carries traffic.",
        fix=Remediation(
            "Accept the connection.",
            (
                "aliyun privatelink EnableVpcEndpointConnection --RegionId eu-central-1 --ServiceId epsrv-m5e0ledger "
                "--EndpointId ep-gw8billing",
            ),
            None,
            "PrivateLink > Endpoint services > epsrv-m5e0ledger > Connections",
        ),
    ),
    finding("CONN-001", "Connection is Connected", "critical", "pass", REPORTING, SERVICE),
    finding("CONN-001", "Connection is Connected", "critical", "pass", PARTNER, SERVICE),
    finding(
        "SG-001",
        "Declared clients may reach the endpoint ENI on each listener port",
        "critical",
        "unknown",
        REPORTING,
        SERVICE,
        ResourceRef("security_groups", "sg-gw8reporting", CONSUMER, REGION),
        side="consumer",
        reason="The rules of sg-gw8reporting were not read.",
        gaps=(REFUSED,),
    ),
    finding(
        "SG-003",
        "Every Drop rule of an endpoint group is intended",
        "medium",
        "unknown",
        REPORTING,
        SERVICE,
        side="consumer",
        reason="The rules of sg-gw8reporting were not read.",
        gaps=(REFUSED,),
    ),
    finding("SG-001", "Declared clients may reach the endpoint ENI on each listener port", "critical", "pass", SHOP),
    finding("NAME-001", "Endpoint has a description", "low", "fail", SHOP, SERVICE, side="consumer"),
    finding(
        "BE-003",
        "At least one serving backend is healthy",
        "high",
        "fail",
        LISTENER,
        SERVICE,
        BALANCER,
        observed="2 of 2 backends abnormal: i-m5e1, i-m5e2",
    ),
    finding("CLB-001", "CLB is active", "critical", "pass", BALANCER, SERVICE),
    finding(
        "SVC-003",
        "Automatic acceptance is off",
        "high",
        "fail",
        OTHER_SERVICE,
        waiver=Waiver(
            "W-2026-014",
            "Partner onboarding; connections are reviewed every Monday.",
            "net-platform@example.com",
            "2027-01-31",
            "NET-4211",
        ),
    ),
    finding("RES-001", "Service has a service resource", "critical", "fail", IDLE_SERVICE, observed="none attached"),
    finding("HA-001", "Endpoint has zones in two zones", "medium", "not_applicable", PARTNER, SERVICE, side="consumer"),
    finding(
        "GOV-001",
        "PrivateLink is activated in the account",
        "critical",
        "unknown",
        ResourceRef("accounts", CONSUMER, CONSUMER, None),
        side="both",
        reason="No answer tells whether PrivateLink is activated.",
    ),
)


def hops(**verdicts: str) -> tuple[Hop, ...]:
    """The hops of the shop's path; verdicts by kind, `ok` where none is given."""
    known = (
        ("client_egress", "10.10.0.0/16", CONSUMER),
        ("network_acl", "nacl-gw8", CONSUMER),
        ("security_groups", "sg-gw8shop", CONSUMER),
        ("endpoint_zone", "ep-gw8shop:eu-central-1b", CONSUMER),
        ("connection", "ep-gw8shop:epsrv-m5e0orders", PROVIDER),
        ("endpoint_service", "epsrv-m5e0orders", PROVIDER),
        ("service_resource", "epsrv-m5e0orders:eu-central-1b", PROVIDER),
        ("load_balancer", "lb-m5eorders1", PROVIDER),
        ("listener", "lb-m5eorders1:tcp:80", PROVIDER),
        ("backends", "lb-m5eorders1:default", PROVIDER),
    )
    return tuple(
        Hop(
            kind,
            id_,
            account,
            verdicts.get(kind, "ok"),
            ("ZONE-001",) if kind in verdicts else (),
            f"{kind} is {verdicts[kind]}" if kind in verdicts else None,
        )
        for kind, id_, account in known
    )


PATHS = (
    PathVerdict(
        SHOP.id,
        SERVICE.id,
        REGION,
        CONSUMER,
        PROVIDER,
        "tcp",
        80,
        "blocked",
        hops(endpoint_zone="blocked", service_resource="blocked", backends="unknown"),
        "eu-central-1b",
    ),
    PathVerdict(SHOP.id, SERVICE.id, REGION, CONSUMER, PROVIDER, "tcp", 80, "reachable", hops(), "eu-central-1a"),
    PathVerdict(
        REPORTING.id,
        SERVICE.id,
        REGION,
        CONSUMER,
        PROVIDER,
        "tcp",
        80,
        "unknown",
        hops(security_groups="unknown"),
        "eu-central-1a",
    ),
)


def _read(account: str, operation: str, target: str = "", error: tuple[str, str] | None = None) -> Read:
    code, message = error or (None, None)
    request = "8A1C0E4D-0000-5000-9000-000000000001" if error else None
    return Read(account, REGION, operation, target, error is None, code, message, request)


READS = (
    _read(CONSUMER, "privatelink:ListVpcEndpoints"),
    _read(CONSUMER, "privatelink:ListVpcEndpointZones", SHOP.id),
    _read(CONSUMER, "privatelink:ListVpcEndpointZones", BILLING.id),
    _read(PROVIDER, "privatelink:ListVpcEndpointServices"),
    _read(PROVIDER, "privatelink:ListVpcEndpointServiceUsers", SERVICE.id),
    _read(PROVIDER, "privatelink:ListVpcEndpointServiceUsers", SERVICE.id),
    _read(CONSUMER, "ecs:DescribeSecurityGroupAttribute", "sg-gw8shop"),
    _read(
        CONSUMER,
        "ecs:DescribeSecurityGroupAttribute",
        "sg-gw8reporting",
        ("Forbidden.RAM", "User not authorized to operate on the specified resource."),
    ),
    _read(CONSUMER, "ecs:DescribeSecurityGroupAttribute", "sg-gw8reporting"),
    _read(
        PROVIDER, "slb:DescribeHealthStatus", "lb-m5eorders2", ("Plaudit.Timeout", "no answer within 10 s, 4 attempts")
    ),
)

SCAN = ScanInfo(
    "scan-2026-08-01-0001",
    "2026-08-01T04:17:00Z",
    "2026-08-01T04:17:21Z",
    (
        {"account_id": PROVIDER, "profile": "provider"},
        {"account_id": CONSUMER, "profile": "consumer"},
    ),
    (REGION,),
)


def report(**changes: object) -> Report:
    """Two accounts, four connections, an idle service; passes, failures, unknowns with gaps, one waived."""
    base = Report(
        scan=SCAN,
        findings=FINDINGS,
        reads=READS,
        paths=PATHS,
        exit_code=3,
        exit_also=(4,),
        exit_reasons=("4 findings at or above high failed", "2 reads were incomplete"),
        notices=("Waiver W-2026-014 expires in 183 days.",),
        rules_selected=12,
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def clean_report() -> Report:
    """One connection without a fault, everything read."""
    return report(
        findings=tuple(f for f in FINDINGS if f.outcome is Outcome.PASS and f.resource == PARTNER),
        reads=tuple(read for read in READS[:5]),
        paths=(),
        exit_code=0,
        exit_also=(),
        exit_reasons=(),
        notices=(),
    )


def hostile_report() -> Report:
    """Every text a tenant or an API can choose is hostile, one finding per text and outcome."""
    findings, paths, reads = [], [], []
    for number, text in enumerate(HOSTILE.values()):
        endpoint = ResourceRef("endpoints", f"ep-{number:03d}{text}", CONSUMER, REGION, text)
        service = ResourceRef("endpoint_services", f"epsrv-{number:03d}{text}", PROVIDER, REGION, text)
        fix = Remediation(text, (text,), text, text)
        gap = replace(REFUSED, target=text, message=text, error_code=text, operation=text, request_id=text)
        for rule, outcome in (("ZONE-001", "fail"), ("SG-001", "unknown"), ("SVC-003", "fail"), ("CONN-001", "pass")):
            findings.append(
                finding(
                    rule,
                    text,
                    "critical",
                    outcome,
                    endpoint,
                    service,
                    fix=fix,
                    observed=text,
                    reason=text,
                    rationale=text,
                    gaps=(gap,),
                    evidence=(text,),
                    sources=(
                        Source(text, text),
                        Source(text, "javascript:alert(8)"),
                        Source(text, "https://ok/" + text),
                    ),
                    tags=(text,),
                    waiver=Waiver(text, text, text, "2027-01-31", text) if rule == "SVC-003" else None,
                )
            )
        hop = Hop(text, text, text, "blocked", (text,), text)
        paths.append(PathVerdict(endpoint.id, service.id, text, text, text, text, 80, "blocked", (hop, *hops()), text))
        reads.append(Read(text, text, text, text, False, text, text, text, text))
    scan = replace(SCAN, accounts=({"account_id": CONSUMER, "profile": HOSTILE["end of a script"]},))
    return report(
        scan=scan,
        findings=tuple(findings),
        reads=tuple(reads),
        paths=tuple(paths),
        notices=tuple(HOSTILE.values()),
        exit_reasons=tuple(HOSTILE.values()),
        all_outcomes=True,
    )


def big_report(number: int) -> Report:
    """`number` findings over many connections, with ids as different as real ones."""
    findings = []
    rules = (
        ("ZONE-001", "critical"),
        ("SG-001", "high"),
        ("HA-001", "medium"),
        ("NAME-001", "low"),
        ("BE-003", "info"),
    )
    for index in range(number):
        rule, severity = rules[index % len(rules)]
        token = finding_id("token", str(index // 10), "", "")[5:23]
        endpoint = ResourceRef("endpoints", f"ep-{token}", CONSUMER, REGION, f"shop-{index // 10}")
        service = ResourceRef("endpoint_services", f"epsrv-{token[::-1]}", PROVIDER, REGION, None)
        findings.append(
            replace(
                ZONE,
                id=finding_id(rule, CONSUMER, REGION, endpoint.id, str(index)),
                rule_id=rule,
                part=str(index),
                severity=Severity(severity),
                outcome=Outcome.UNKNOWN if index % 7 == 0 else Outcome.FAIL,
                reason="The rules of the group were not read." if index % 7 == 0 else None,
                resource=endpoint,
                related=(service,),
                observed=f"10.{index % 256}.{index // 256 % 256}.0/24 is not admitted on tcp/{index % 60000}",
                remediation=replace(
                    ZONE.remediation,
                    cli=(
                        f"aliyun privatelink RemoveZoneFromVpcEndpoint --RegionId {REGION} --EndpointId {endpoint.id} "
                        f"--ZoneId {REGION}b",
                    ),
                    console=f"PrivateLink > Endpoints > {endpoint.id} > Zones",
                ),
            )
        )
    return report(findings=tuple(findings), paths=())
