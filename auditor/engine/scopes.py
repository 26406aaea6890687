"""The kinds of resources rules judge: their members and columns as SQL over the inventory, and their unread lists.

A member may be known only by reference: an endpoint that only the provider's connections show, a service that only
endpoints name.  Then `given` is false and its own columns are NULL.  `coalesce` stands here between two places that
tell the same thing; it never stands for "not read".
"""

from __future__ import annotations

from dataclasses import dataclass

from auditor.inventory.schema import Column, ColumnType


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of resource.

    `key` names the columns that identify a resource and, joined by ':', its id; `resource_type` is the inventory table
    of its members, or for `taggable` empty, because a column says it.  `tables` are the inventory tables from which
    members are found.  `lists` are the member lists whose gaps hide members: see LIST_GAPS.
    """

    name: str
    resource_type: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    tables: tuple[str, ...]
    lists: tuple[str, ...]

    @property
    def column_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)


def _kind(name: str, resource_type: str, key: str, columns: str, tables: str, lists: str) -> Kind:
    """Columns are text unless written `name:type`; the four every scope has come first."""
    made = []
    for word in f"account_id region_id name given:bool {columns}".split():
        column, _, type_ = word.partition(":")
        kinds: dict[str, ColumnType] = {"": "text", "int": "int", "bool": "bool"}
        made.append(Column(column, kinds[type_], "", ""))
    return Kind(name, resource_type, tuple(key.split()), tuple(made), tuple(tables.split()), tuple(lists.split()))


_LISTS = "accounts endpoints endpoint_services connections"

_KINDS = (
    _kind("account", "accounts", "account_id", "owns_endpoints:bool owns_services:bool",
          "accounts endpoints endpoint_services", ""),
    _kind("vpc", "vpcs", "vpc_id", "vpc_id", f"{_LISTS} vpcs", "endpoints connections"),
    _kind("endpoint", "endpoints", "endpoint_id",
          "endpoint_id service_id service_region_id vpc_id endpoint_type endpoint_status connection_status "
          "service_account_id service_resource_type consumer_given:bool provider_given:bool",
          _LISTS, "endpoints connections"),
    _kind("endpoint_service", "endpoint_services", "service_id", "service_id service_resource_type service_status",
          _LISTS, "endpoint_services endpoints"),
    _kind("service_user", "service_users", "service_id entry", "service_id entry entry_type",
          f"{_LISTS} service_users", "endpoint_services service_users"),
    _kind("load_balancer", "load_balancers", "load_balancer_id",
          "load_balancer_id load_balancer_type service_id service_ids",
          f"{_LISTS} service_resources load_balancers", "endpoint_services service_resources"),
    _kind("listener", "listeners", "load_balancer_id protocol port",
          "load_balancer_id protocol port:int load_balancer_type status listener_forward service_id listener_key",
          f"{_LISTS} service_resources load_balancers listeners", "endpoint_services service_resources listeners"),
    _kind("taggable", "", "resource_id", "resource_id resource_type",
          f"{_LISTS} service_resources load_balancers", "endpoints endpoint_services connections service_resources"),
)  # fmt: skip

#: Every kind by name.
KINDS: dict[str, Kind] = {kind.name: kind for kind in _KINDS}

#: Inventory tables that only the provider's, only the consumer's account can answer; the others belong to whoever
#: owns the resource they are asked for.
PROVIDER_TABLES = frozenset({
    "endpoint_services", "service_supported_regions", "service_resources", "service_users", "connections",
    "connection_zones", "load_balancers", "load_balancer_zones", "listeners", "listener_acls", "forwarding_rules",
    "server_groups", "backends", "health_status", "acl_entries",
})  # fmt: skip
CONSUMER_TABLES = frozenset({
    "endpoints", "endpoint_attributes", "endpoint_zones", "endpoint_security_groups", "visible_services",
    "visible_service_zones",
})  # fmt: skip

#: Builds the scope tables, in this order; each has the declared columns of its kind and `_id`, a row number.
SCOPE_SQL: dict[str, str] = {
    "endpoint_service": """
        with own as (
            select distinct on (service_id) * from endpoint_services order by service_id, account_id, region_id),
        seen as (
            select service_id, account_id, coalesce(service_region_id, region_id) as region_id from connections
            union all
            select service_id, case when same_account then account_id end, service_region_id from endpoints
            where service_id <> ''),
        named as (select service_id, min(account_id) as account_id, min(region_id) as region_id from seen group by 1)
        select coalesce(own.account_id, named.account_id) as account_id,
               coalesce(own.region_id, named.region_id) as region_id,
               own.service_name as name, own.service_id is not null as given,
               service_id, own.service_resource_type, own.service_status
        from own full join named using (service_id)""",
    "endpoint": """
        with own as (
            select distinct on (endpoint_id) * from endpoints order by endpoint_id, account_id, region_id),
        link as (
            select distinct on (c.endpoint_id) c.*
            from connections c left join own using (endpoint_id)
            order by c.endpoint_id, case when c.service_id = own.service_id then 0 else 1 end, c.service_id,
                     c.account_id),
        joined as (
            select endpoint_id, own.endpoint_id is not null as given,
                   coalesce(own.account_id, link.endpoint_owner_id,
                            case when link.same_account then link.account_id end) as account_id,
                   coalesce(own.region_id, link.endpoint_region_id) as region_id,
                   own.endpoint_name as name,
                   coalesce(own.service_id, link.service_id) as service_id,
                   coalesce(own.service_region_id, link.service_region_id) as own_service_region_id,
                   coalesce(own.vpc_id, link.endpoint_vpc_id) as vpc_id,
                   own.endpoint_type, own.endpoint_status,
                   coalesce(own.connection_status, link.connection_status) as connection_status
            from own full join link using (endpoint_id))
        select j.account_id, j.region_id, j.name, j.given, j.endpoint_id, j.service_id,
               coalesce(j.own_service_region_id, s.region_id) as service_region_id,
               j.vpc_id, j.endpoint_type, j.endpoint_status, j.connection_status,
               s.account_id as service_account_id, s.service_resource_type,
               case when j.account_id is not null
                    then j.account_id in (select account_id from accounts) end as consumer_given,
               case when s.account_id is not null
                    then s.account_id in (select account_id from accounts) end as provider_given
        from joined j left join _endpoint_service s on s.service_id = j.service_id""",
    # Owning nothing is only known where every list of the account was read.
    "account": """
        select account_id, null::varchar as region_id, profile as name, true as given,
               case when account_id in (select e.account_id from endpoints e) then true
                    when account_id not in (select l.account_id from _listed l
                                            where l.table_name = 'endpoints' and not l.complete)
                    then false end as owns_endpoints,
               case when account_id in (select s.account_id from endpoint_services s) then true
                    when account_id not in (select l.account_id from _listed l
                                            where l.table_name = 'endpoint_services' and not l.complete)
                    then false end as owns_services
        from (select distinct on (account_id) * from accounts order by account_id, profile) a""",
    "vpc": """
        with own as (select distinct on (vpc_id) * from vpcs order by vpc_id, account_id, region_id),
        named as (
            select vpc_id, min(account_id) as account_id, min(region_id) as region_id from _endpoint
            where vpc_id <> '' group by 1)
        select coalesce(own.account_id, named.account_id) as account_id,
               coalesce(own.region_id, named.region_id) as region_id,
               own.vpc_name as name, own.vpc_id is not null as given, named.vpc_id
        from named left join own using (vpc_id)""",
    "service_user": """
        select coalesce(u.account_id, s.account_id) as account_id, coalesce(u.region_id, s.region_id) as region_id,
               null::varchar as name, true as given, u.service_id, u.entry, u.entry_type
        from (select distinct on (service_id, entry) * from service_users
              order by service_id, entry, account_id) u
        left join _endpoint_service s using (service_id)""",
    "load_balancer": """
        with own as (
            select distinct on (load_balancer_id) * from load_balancers
            order by load_balancer_id, account_id, region_id),
        attached as (
            select resource_id as load_balancer_id, min(account_id) as account_id, min(region_id) as region_id,
                   min(nullif(resource_region_id, '')) as resource_region_id, min(resource_type) as resource_type,
                   min(service_id) as service_id,
                   string_agg(distinct service_id, ',' order by service_id) as service_ids
            from service_resources group by 1)
        select coalesce(own.account_id, a.account_id) as account_id,
               -- Its own region: what was read of it is noted with the region of the service.
               coalesce(a.resource_region_id, own.region_id, a.region_id) as region_id,
               own.load_balancer_name as name, own.load_balancer_id is not null as given, a.load_balancer_id,
               coalesce(own.load_balancer_type, a.resource_type) as load_balancer_type, a.service_id, a.service_ids
        from attached a left join own using (load_balancer_id)""",
    "listener": """
        select l.account_id, b.region_id, l.description as name, true as given, l.load_balancer_id, l.protocol,
               l.port, b.load_balancer_type, l.status, l.listener_forward, b.service_id,
               l.load_balancer_id || ':' || l.protocol || ':' || l.port as listener_key
        from (select distinct on (load_balancer_id, protocol, port) * from listeners
              order by load_balancer_id, protocol, port, account_id) l
        join _load_balancer b using (load_balancer_id)""",
    "taggable": """
        select account_id, region_id, name, given, resource_id, resource_type from (
            select *, endpoint_id as resource_id, 'endpoints' as resource_type from _endpoint
            union all by name
            select *, service_id as resource_id, 'endpoint_services' as resource_type from _endpoint_service
            union all by name
            select *, load_balancer_id as resource_id, 'load_balancers' as resource_type from _load_balancer)""",
}

#: Member lists that were not read to the end, per list: the nearest known parent (type, id, account, region), then the
#: table and the coverage target.  `_listed` says per account (and region) whether its own lists were read, `_unread`
#: holds the incomplete coverage rows, `_covered` the targets read by somebody.
LIST_GAPS: dict[str, str] = {
    **{
        table: f"""
        select 'accounts', account_id, account_id, region_id, '{table}', ''
        from _listed where table_name = '{table}' and not complete"""
        for table in ("endpoints", "endpoint_services")
    },
    # Connections matter where the service is ours: nobody misses those of a stranger's service.
    "connections": """
        select 'endpoint_services', s.service_id, s.account_id, s.region_id, 'connections', s.service_id
        from _endpoint_service s
        where not exists (select 1 from _covered c
                          where c.table_name = 'connections' and c.target in (s.service_id, '*'))
          and (s.given or s.service_id in (select target from _unread where table_name = 'connections'))
        union all
        select distinct 'accounts', u.account_id, u.account_id, u.region_id, 'connections', ''
        from _unread u
        where u.table_name = 'connections' and u.target = '' and u.account_id is not null
          and not exists (select 1 from _endpoint_service s
                          where s.account_id = u.account_id and s.region_id = u.region_id)""",
    **{
        table: f"""
        select 'endpoint_services', s.service_id, s.account_id, s.region_id, '{table}', s.service_id
        from _endpoint_service s
        where not exists (select 1 from _covered c
                          where c.table_name = '{table}' and c.target in (s.service_id, '*'))"""
        for table in ("service_resources", "service_users")
    },
    "listeners": """
        select 'load_balancers', b.load_balancer_id, b.account_id, b.region_id, 'listeners', b.load_balancer_id
        from _load_balancer b
        where not exists (select 1 from _covered c
                          where c.table_name = 'listeners' and c.target in (b.load_balancer_id, '*'))
          -- Listeners of a GWLB have neither protocol nor port, so that none of them can be a member.
          and (lower(b.load_balancer_type) <> 'gwlb' or b.load_balancer_type is null)""",
}

#: Kinds whose members an endpoint may be the only one to name, and the column that names them: where it is NULL, a
#: member may be hidden behind the endpoint.
UNNAMED = {
    "vpc": ("vpc_id", "VPC"),
    "endpoint_service": ("service_id", "endpoint service"),
    "taggable": ("service_id", "endpoint service"),
}
