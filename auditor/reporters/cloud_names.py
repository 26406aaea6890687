"""Cloud names: the resource name (`acs:…`) and the resource type (`ACS::…`) of an object in machine formats."""

from __future__ import annotations

from typing import NamedTuple

from auditor.findings import ResourceRef
from auditor.inventory.schema import TABLES


class CloudType(NamedTuple):
    """Product and type as resource names spell them, and the two words of the resource type."""

    product: str
    kind: str
    product_word: str
    type_word: str


_PRODUCT_WORDS = {
    "privatelink": "PrivateLink",
    "slb": "SLB",
    "nlb": "NLB",
    "alb": "ALB",
    "gwlb": "GWLB",
    "vpc": "VPC",
    "ecs": "ECS",
    "sts": "RAM",
    "cms": "CMS",
}

# Types that cannot be told from the name of the inventory table.
_KNOWN = {
    "accounts": CloudType("ram", "account", "RAM", "Account"),
    "endpoints": CloudType("privatelink", "vpcendpoint", "PrivateLink", "VpcEndpoint"),
    "endpoint_services": CloudType("privatelink", "vpcendpointservice", "PrivateLink", "VpcEndpointService"),
    "service_users": CloudType("privatelink", "vpcendpointserviceuser", "PrivateLink", "VpcEndpointServiceUser"),
    "visible_services": CloudType("privatelink", "vpcendpointservice", "PrivateLink", "VpcEndpointService"),
    "connections": CloudType("privatelink", "vpcendpointconnection", "PrivateLink", "VpcEndpointConnection"),
    "network_interfaces": CloudType("ecs", "eni", "ECS", "NetworkInterface"),
    "vswitches": CloudType("vpc", "vswitch", "VPC", "VSwitch"),
    "vpcs": CloudType("vpc", "vpc", "VPC", "VPC"),
    "eip_addresses": CloudType("vpc", "eip", "VPC", "EIP"),
    "network_acl_entries": CloudType("vpc", "networkaclentry", "VPC", "NetworkAclEntry"),
}

# Load balancers of four products share tables; the prefix of the id tells whose it is.
_BALANCER_TABLES = frozenset({"load_balancers", "listeners", "server_groups", "backends", "load_balancer_zones"})


def _singular(table: str) -> str:
    words = table.split("_")
    last = words[-1]
    if last.endswith("ies"):
        last = last[:-3] + "y"
    elif last.endswith("s") and not last.endswith("ss") and last != "status":
        last = last[:-1]
    return "".join(word.capitalize() for word in [*words[:-1], last])


def cloud_type(resource: ResourceRef) -> CloudType:
    """Product and type of `resource`; a table nobody declared belongs to the product `plaudit`."""
    known = _KNOWN.get(resource.type)
    if known is not None:
        return known
    word = _singular(resource.type)
    if resource.type in _BALANCER_TABLES:
        prefix = resource.id.partition("-")[0]
        product = prefix if prefix in ("nlb", "alb", "gwlb") else "slb"
    elif resource.type in TABLES:
        product = TABLES[resource.type].operations[0].partition(":")[0]
    else:
        return CloudType("plaudit", word.lower(), "Plaudit", word)
    return CloudType(product, word.lower(), _PRODUCT_WORDS.get(product, product.upper()), word)


def resource_name(resource: ResourceRef) -> str:
    """`acs:<product>:<region>:<account>:<type>/<id>`; what is not known stays empty, as in resource names of RAM."""
    kind = cloud_type(resource)
    return f"acs:{kind.product}:{resource.region_id or ''}:{resource.account_id or ''}:{kind.kind}/{resource.id}"


def resource_type(resource: ResourceRef) -> str:
    """`ACS::<Product>::<Type>`, the spelling of the cloud's own configuration service."""
    kind = cloud_type(resource)
    return f"ACS::{kind.product_word}::{kind.type_word}"
