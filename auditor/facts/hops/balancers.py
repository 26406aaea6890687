"""Hops behind the service: `load_balancer`, `listener`, `server_group`, `backend`."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

from auditor.facts.addresses import NOTHING, AddressSet, is_wide, parse_addresses, union
from auditor.facts.hops.backends import Backends
from auditor.facts.hops.checks import Check, make_hop, one_of
from auditor.facts.hops.connection import Resource, Serving
from auditor.facts.rows import rows
from auditor.findings import Hop

if TYPE_CHECKING:
    from auditor.facts.hops.knowledge import Knowledge
    from auditor.facts.workshop import Workshop

CLB = "slb"
#: Addresses from which a CLB talks to its backends.
_OWN_RANGE = parse_addresses("100.64.0.0/10") or NOTHING
_TRANSPORT = {"tcp": "tcp", "http": "tcp", "https": "tcp", "tcpssl": "tcp", "udp": "udp", "quic": "udp"}
_LATER = frozenset({"provisioning", "configuring", "creating"})


class Balancer(NamedTuple):
    """A load balancer as its account sees it."""

    account_id: str
    kind: str | None
    status: str | None
    address_type: str | None
    ip_version: str | None
    pay_type: str | None
    network_type: str | None
    vpc_id: str | None
    vswitch_id: str | None


class Listener(NamedTuple):
    """A listener with its access control."""

    protocol: str
    port: int
    status: str | None
    acl_status: str | None
    acl_type: str | None
    health_check: str | None
    forward: str | None
    forward_port: int | None


_BALANCER = (
    "account_id", "load_balancer_type", "load_balancer_status", "address_type", "address_ip_version", "pay_type",
    "network_type", "vpc_id", "vswitch_id",
)  # fmt: skip
_LISTENER = (
    "protocol", "port", "status", "acl_status", "acl_type", "health_check", "listener_forward", "forward_port",
)  # fmt: skip


class Target(NamedTuple):
    """What the hops behind a service are asked for: a port, or (None) whatever is there."""

    protocol: str | None
    port: int | None
    declared: bool
    reason: str | None


class Balancers:
    """Judges load balancers with all that is behind them; equal questions are answered once."""

    def __init__(self, workshop: Workshop, knowledge: Knowledge) -> None:
        snapshot = workshop.snapshot
        self._coverage = workshop.coverage
        self._knowledge = knowledge
        self._backends = Backends(workshop, knowledge)
        self._balancers: dict[str, Balancer] = {}
        for lb_id, *values in rows(snapshot["load_balancers"], "load_balancer_id", *_BALANCER):
            self._balancers.setdefault(lb_id, Balancer(*values))
        self._listeners: dict[str, list[Listener]] = defaultdict(list)
        for lb_id, *values in rows(snapshot["listeners"], "load_balancer_id", *_LISTENER):
            self._listeners[lb_id].append(Listener(*values))
        self._acls: dict[tuple[str, str, int], list[str]] = defaultdict(list)
        for lb_id, protocol, port, acl in rows(
            snapshot["listener_acls"], "load_balancer_id", "protocol", "port", "acl_id"
        ):
            self._acls[lb_id, protocol, port].append(acl)
        self._entries: dict[str, list[str | None]] = defaultdict(list)
        for acl, entry in rows(snapshot["acl_entries"], "acl_id", "entry"):
            self._entries[acl].append(entry)
        self._found: dict[tuple[Any, ...], tuple[Hop, ...]] = {}

    def hops(
        self, serving: Serving, attached: list[Resource], ip_version: str | None, target: Target,
        provider: str | None, service_id: str, clients: AddressSet,
    ) -> tuple[Hop, ...]:  # fmt: skip
        """The four hops for the load balancers of a zone, for one port.

        `attached` are the resources of the service, `ip_version` that of the service, `clients` the addresses that
        a listener's access control may see.
        """
        if not serving.resources:
            reason = f"which load balancer serves {service_id} is not known"
            stranger = self._knowledge.stranger(provider, service_id)
            return tuple(
                make_hop(kind, service_id, provider, [Check(None, None, stranger or reason)])
                for kind in ("load_balancer", "listener", "server_group", "backend")
            )
        each = [
            self._of_one(lb_id, attached, ip_version, target, provider, service_id, clients)
            for lb_id in serving.resources
        ]
        return each[0] if len(each) == 1 else tuple(one_of(same) for same in zip(*each, strict=True))

    def _of_one(
        self, lb_id: str, attached: list[Resource], ip_version: str | None, target: Target,
        provider: str | None, service_id: str, clients: AddressSet,
    ) -> tuple[Hop, ...]:  # fmt: skip
        key = (lb_id, service_id, target, provider)
        if not any(one.acl_status == "on" for one in self._listeners.get(lb_id, ())):
            clients = NOTHING
        if (*key, clients) not in self._found:
            resource = next((one for one in attached if one.resource_id == lb_id), None)
            balancer = self._balancers.get(lb_id)
            kind = balancer.kind if balancer is not None else resource.resource_type if resource is not None else None
            owner = balancer.account_id if balancer is not None else provider
            is_clb = None if kind is None else kind.lower() == CLB
            self._found[(*key, clients)] = (
                self._balancer_hop(lb_id, balancer, resource, is_clb, ip_version, owner),
                *self._behind(lb_id, is_clb, kind, target, owner, clients),
            )
        return self._found[(*key, clients)]

    # ----------------------------------------------------------------------------------------------- load balancer
    def _balancer_hop(
        self, lb_id: str, balancer: Balancer | None, resource: Resource | None, is_clb: bool | None,
        service_version: str | None, owner: str | None,
    ) -> Hop:  # fmt: skip
        if balancer is None:
            if is_clb and self._coverage.complete("load_balancers", lb_id):
                check = Check("RES-006", False, f"{lb_id} does not exist")
            else:
                check = Check("RES-006" if is_clb else None, None, self._knowledge.gap("load_balancers", lb_id, owner))
            return make_hop("load_balancer", lb_id, owner, [check])
        if is_clb is None:
            return make_hop("load_balancer", lb_id, owner, [Check(None, None, f"the type of {lb_id} was not read")])
        if not is_clb:
            return make_hop("load_balancer", lb_id, owner, [self._other(lb_id, balancer)])
        status = (balancer.status or "").lower()
        verdict = {"active": True, "inactive": False, "locked": False}.get(status)
        said = f"it is {balancer.status}" if balancer.status else "its status was not read"
        checks = [
            Check("CLB-001", verdict, None if verdict else said),
            _is("RES-002", "billing", balancer.pay_type, "payondemand"),
            _is("RES-003", "address type", balancer.address_type, "intranet"),
            _network(balancer),
            _version(balancer, service_version),
            *_matches(balancer, resource),
        ]
        return make_hop("load_balancer", lb_id, owner, checks)

    def _other(self, lb_id: str, balancer: Balancer) -> Check:
        status, kind = (balancer.status or "").lower(), (balancer.kind or "").lower()
        if kind not in ("nlb", "alb"):
            return Check(None, None, f"a load balancer of type {balancer.kind} was not expected here")
        if not status or status in _LATER:
            said = f"it is {balancer.status}" if status else "its status was not read"
            return Check("RES-010", None, said)
        if status != "active":
            return Check("RES-010", False, f"it is {balancer.status}")
        found = self._listeners.get(lb_id, [])
        if kind == "nlb" and all(one.protocol.lower() == "tcpssl" for one in found):
            complete = self._coverage.complete("listeners", lb_id)
            return Check("RES-010", False if complete else None, "it has no listener but TCPSSL ones")
        return Check("RES-010", True)

    # --------------------------------------------------------------------------------------------- listener, behind
    def _behind(
        self, lb_id: str, is_clb: bool | None, kind: str | None, target: Target, owner: str | None, clients: AddressSet
    ) -> tuple[Hop, Hop, Hop]:
        every = self._listeners.get(lb_id, [])
        complete = self._coverage.complete("listeners", lb_id)
        found = [
            one
            for one in every
            if target.port is None
            or (one.port == target.port and _TRANSPORT.get(one.protocol.lower()) == target.protocol)
        ]
        if not found:
            check = self._missing(lb_id, target, bool(every), complete, owner)
            if is_clb is False:
                check = check._replace(rule_id=None)
            id_ = f"{lb_id}:{target.protocol}:{target.port}" if target.port is not None else lb_id
            nothing = [Check(None, None, "no listener leads there" if complete else check.detail)]
            return (
                make_hop("listener", id_, owner, [check]),
                make_hop("server_group", lb_id, owner, nothing),
                make_hop("backend", lb_id, owner, nothing),
            )
        ways = [self._through(lb_id, one, is_clb, kind, target, owner, clients) for one in found]
        listener, group, backend = (one_of(same) for same in zip(*ways, strict=True))
        if target.port is None and not complete:
            gap = self._knowledge.gap("listeners", lb_id, owner)
            listener = make_hop("listener", lb_id, owner, [Check(None, None, gap)])
        return listener, group, backend

    def _missing(self, lb_id: str, target: Target, others: bool, complete: bool, owner: str | None) -> Check:
        if not complete:
            rule = "LSN-001" if not others else "LSN-002" if target.declared else None
            return Check(rule, None, self._knowledge.gap("listeners", lb_id, owner))
        if not others:
            return Check("LSN-001", False, f"{lb_id} has no listener")
        if target.port is None:
            return Check(None, None, target.reason)
        said = f"{lb_id} has no listener on {target.protocol}/{target.port}"
        return Check("LSN-002" if target.declared else None, False, said)

    def _through(
        self, lb_id: str, listener: Listener, is_clb: bool | None, kind: str | None, target: Target,
        owner: str | None, clients: AddressSet,
    ) -> tuple[Hop, Hop, Hop]:  # fmt: skip
        id_ = f"{lb_id}:{listener.protocol}:{listener.port}"
        status = (listener.status or "").lower()
        verdict = {"running": True, "stopped": False}.get(status)
        said = f"the listener is {listener.status}" if listener.status else "the status of the listener was not read"
        checks = [Check("LSN-003" if is_clb is not False else None, verdict, None if verdict else said)]
        if target.port is None and verdict is True:
            checks.append(Check(None, None, target.reason))
        if is_clb is None:
            checks.append(Check(None, None, "which kind of load balancer it belongs to was not read"))
        elif is_clb:
            checks.append(self._acl_check(lb_id, listener, clients, owner))
        elif listener.protocol.lower() == "tcpssl":
            checks.append(Check(None, False, "a TCPSSL listener cannot be reached through PrivateLink"))
        if (listener.forward or "").lower() == "on":
            told = f"redirects to port {listener.forward_port}"
            nothing = [Check(None, True, "the listener redirects")]
            return (
                make_hop("listener", id_, owner, checks, told),
                make_hop("server_group", id_, owner, nothing),
                make_hop("backend", id_, owner, nothing),
            )
        vague = None
        if listener.forward is None and is_clb is not False and listener.protocol.lower() == "http":
            vague = "whether the listener redirects was not read"
        group, backend = self._backends.hops(
            lb_id, listener.protocol, listener.port, listener.health_check, is_clb, owner, vague
        )
        return make_hop("listener", id_, owner, checks), group, backend

    def _acl_check(self, lb_id: str, listener: Listener, clients: AddressSet, owner: str | None) -> Check:
        """What an access control list does cannot be told exactly: which source address it sees is not documented."""
        status, kind = (listener.acl_status or "").lower(), (listener.acl_type or "").lower()
        if status == "off":
            return Check("LSN-005", True)
        if status != "on" or kind not in ("white", "black"):
            return Check("LSN-005", None, "the access control of the listener was not read")
        rule = "LSN-005" if kind == "white" else "LSN-006"
        acls = self._acls.get((lb_id, listener.protocol, listener.port), [])
        gaps = [] if self._coverage.complete("listener_acls", lb_id) else ["listener_acls"]
        gaps += [acl for acl in acls if not self._coverage.complete("acl_entries", acl)]
        texts = [entry for acl in acls for entry in self._entries.get(acl, ())]
        blocks = [parse_addresses(text) if text is not None else None for text in texts]
        known = union(block for block in blocks if block is not None)
        if known.v4 and is_wide(AddressSet(v4=known.v4)):
            told = None if kind == "white" else f"its black list ({', '.join(acls)}) covers every address"
            return Check(rule, kind == "white", told)
        if kind == "white":
            return Check(rule, None, f"its white list ({', '.join(acls)}) may keep PrivateLink out: try a request")
        if gaps or None in blocks:
            return Check(rule, None, f"its black list ({', '.join(acls)}) was not read whole")
        if known.overlaps(_OWN_RANGE) or known.overlaps(clients):
            return Check(rule, None, f"its black list ({', '.join(acls)}) may keep PrivateLink out: try a request")
        return Check(rule, True)


def _is(rule: str, what: str, value: str | None, wanted: str) -> Check:
    if not value:
        return Check(rule, None, f"its {what} was not read")
    return Check(rule, value.lower() == wanted, None if value.lower() == wanted else f"its {what} is {value}")


def _network(balancer: Balancer) -> Check:
    if (balancer.network_type or "").lower() == "classic" or balancer.vpc_id == "":
        return Check("RES-004", False, "it is not in a VPC")
    known = (balancer.network_type or "").lower() == "vpc" or balancer.vpc_id
    return Check("RES-004", True if known else None, None if known else "its network type was not read")


def _version(balancer: Balancer, service_version: str | None) -> Check:
    own, service = (balancer.ip_version or "").lower(), (service_version or "").lower()
    if own and own != "ipv4":
        return Check("RES-005", False, f"its address is {balancer.ip_version}")
    if service == "dualstack":
        return Check("RES-005", False, "the service is dual-stack, which a CLB cannot serve")
    known = own and service
    return Check("RES-005", True if known else None, None if known else "the IP version was not read")


def _matches(balancer: Balancer, resource: Resource | None) -> list[Check]:
    if resource is None:
        return []
    checks = []
    for what, own, attached in (
        ("VPC", balancer.vpc_id, resource.vpc_id),
        ("vSwitch", balancer.vswitch_id, resource.vswitch_id),
    ):
        if own is None or attached is None:
            # An empty text agrees with everything, so one of them may be enough.
            verdict = True if "" in (own, attached) else None
            checks.append(Check("RES-006", verdict, None if verdict else f"its {what} was not read"))
        else:
            same = own == attached or "" in (own, attached)
            checks.append(Check("RES-006", same, None if same else f"{what} {own}, attached for {attached}"))
    return checks
