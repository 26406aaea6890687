"""What kind of text every column holds: what a redacted snapshot replaces, and what one company may not see of another.

A column that is not classified here is a mistake a test finds; nothing is kept because nobody thought of it.
"""

from __future__ import annotations

from enum import StrEnum

from auditor.inventory.schema import COVERAGE_COLUMNS, TABLES


class Kind(StrEnum):
    """What a text is, and with it what becomes of it in a redacted snapshot."""

    #: A word of the API, a region, a zone, a time, a port: says nothing about who it is.
    WORD = "word"
    #: An id of the cloud, or several parts with colons between them, as `lb-…:tcp:80`.
    ID = "id"
    #: An account id.
    ACCOUNT = "account"
    #: An ARN, or an account id in its place.
    ARN = "arn"
    #: An IPv4 or IPv6 address or block.
    ADDRESS = "address"
    #: A domain name.
    DOMAIN = "domain"
    #: A text somebody chose: names, descriptions, keys and values of tags.
    NAME = "name"
    #: JSON or another text in which any of these may stand.
    DOCUMENT = "document"
    #: Of use to nobody but the owner: error messages, request ids.
    WITHHELD = "withheld"


#: Column → kind, for every table that has it.
_COLUMNS: dict[Kind, str] = {
    Kind.WORD: """
        region_id offered_region_id supported_region_id resource_region_id endpoint_region_id service_region_id
        instance_region_id zone_id primary_zone_id secondary_zone_id resource_type created_at modified_at
        service_status service_business_status service_resource_type service_type payer address_ip_version
        region_service_status region_business_status entry_type connection_status traffic_control_mode zone_status
        endpoint_status endpoint_business_status endpoint_type security_group_status load_balancer_type
        load_balancer_status address_type pay_type instance_charge_type network_type load_balancer_spec
        delete_protection modification_protection_status protocol status acl_status acl_type health_check
        listener_forward group_type server_type role health_status share_type direction policy port ip_version
        instance_type eni_type security_group_type inner_access_policy port_range source_port_range address_family
        namespace identity_type operation table_name error_code record_type outcome tls_outcome http_outcome
        tls_not_after at
    """,
    Kind.ID: """
        service_id resource_id vswitch_id vpc_id endpoint_vpc_id endpoint_id eni_id replaced_eni_id replaced_resource_id
        security_group_id load_balancer_id listener_id vserver_group_id primary_secondary_group_id server_group_id
        acl_id rule_id listener_key server_id network_acl_id entry_id allocation_id instance_id flow_log_id
        port_list_id source_group_id source_prefix_list_id dest_group_id dest_prefix_list_id prefix_list_id alarm_id
        target
    """,
    Kind.ACCOUNT: "account_id endpoint_owner_id owner_id source_group_owner",
    Kind.ARN: "arn entry",
    Kind.ADDRESS: """
        ip eni_ip zone_ipv6_address address server_ip ip_address private_ip cidr_block ipv6_cidr_block cidr
        source_cidr ipv6_source_cidr dest_cidr ipv6_dest_cidr source_address resolver
    """,
    Kind.DOMAIN: "service_name service_domain endpoint_domain zone_domain chain tls_server_name tls_names",
    Kind.NAME: """
        profile service_description endpoint_name endpoint_description load_balancer_name description comment
        vpc_name vswitch_name network_acl_name eni_name instance_name security_group_name server_group_name tag_key
        tag_value domain url vantage tls_issuer
    """,
    Kind.DOCUMENT: "policy_document resources value",
    Kind.WITHHELD: "message request_id",
}

#: Where one table means something else by a name.
_TABLE_COLUMNS: dict[tuple[str, str], Kind] = {
    ("acl_entries", "entry"): Kind.ADDRESS,
    ("probe_names", "domain"): Kind.DOMAIN,
    ("resource_attributes", "name"): Kind.WORD,
    ("privatelink_zones", "resource_type"): Kind.WORD,
}

_KINDS = {name: kind for kind, names in _COLUMNS.items() for name in names.split()}

#: The table of the coverage, by this name.
COVERAGE = "coverage"


def kind_of(table: str, column: str) -> Kind:
    """What a text column of an inventory table, or of `coverage`, holds.  Raises KeyError if nobody said."""
    return _TABLE_COLUMNS.get((table, column)) or _KINDS[column]


#: Attributes (table resource_attributes) in which somebody chose the text.
_FREE_ATTRIBUTES = ("name", "description", "tag", "comment", "domain", "document", "policy")


def is_free_attribute(name: str) -> bool:
    """Whether the value of an attribute of `resource_attributes` is a text somebody chose."""
    return any(part in name.lower() for part in _FREE_ATTRIBUTES)


def text_columns(table: str) -> tuple[str, ...]:
    """The text columns of an inventory table, or of `coverage`."""
    columns = COVERAGE_COLUMNS if table == COVERAGE else TABLES[table].columns
    return tuple(column.name for column in columns if column.type == "text")
