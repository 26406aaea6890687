"""Which evidence was read completely: coverage prepared as tables, and one SELECT per item of evidence."""

from __future__ import annotations

from auditor.engine.rule import Evidence
from auditor.engine.scopes import Kind
from auditor.inventory.coverage import ANY_TARGET
from auditor.inventory.schema import TABLES

#: Answers that differ from account to account although the target is the same: only the own account's read counts.
_SEEN_BY_ACCOUNT = frozenset({"visible_services", "visible_service_zones"})
#: Answers that are the same for every account, but differ from region to region.
_SEEN_BY_REGION = frozenset({"privatelink_zones"})
#: Answers that are the same for everybody everywhere.
SEEN_BY_ALL = frozenset({"privatelink_regions"})

#: Tables made from `coverage` before scopes are built.  Calls that fill one table together must all be complete, the
#: same call may be tried again.  `_listed`: the lists of an account's own top-level objects, in every region in which
#: one of them was asked for; an audited account that was never asked has one row that is not complete.
PREPARE = (
    """create or replace table _cov_account as
    select account_id, table_name, target, bool_and(ok) as ok
    from (select account_id, table_name, target, operation, bool_or(complete) as ok from coverage
          where account_id is not null group by all)
    group by all""",
    """create or replace table _cov_list as
    select account_id, coalesce(region_id, '') as region_id, table_name, bool_and(ok) as ok
    from (select account_id, region_id, table_name, operation, bool_or(complete) as ok from coverage
          where account_id is not null and target = '' group by all)
    group by all""",
    """create or replace table _cov_region as
    select region_id, table_name, target, bool_or(complete) as ok from coverage group by all""",
    "create or replace table _cov_any as select table_name, target, bool_or(ok) as ok from _cov_account group by all",
    "create or replace table _covered as select table_name, target from _cov_any where ok",
    """create or replace table _unread as
    select c.* from coverage c anti join _cov_account a
      on a.ok and a.account_id = c.account_id and a.table_name = c.table_name and a.target = c.target and c.target <> ''
    where not c.complete""",
    """create or replace table _listed as
    with asked as (select distinct account_id, region_id from _cov_list
                   where table_name in ('endpoints', 'endpoint_services'))
    select a.account_id, a.region_id, t.table_name, l.ok is not null and l.ok as complete
    from asked a cross join (values ('endpoints'), ('endpoint_services')) t(table_name)
    left join _cov_list l on l.account_id = a.account_id and l.region_id = a.region_id and l.table_name = t.table_name
    union all
    select account_id, null, t.table_name, false
    from accounts a cross join (values ('endpoints'), ('endpoint_services')) t(table_name)
    where a.account_id not in (select account_id from asked)""",
)


def is_list(table: str) -> bool:
    """True for tables that are listed for a whole region: their coverage target is empty."""
    return TABLES[table].parent is None and not TABLES[table].by_id


def wanted_sql(kind: Kind, item: Evidence) -> str:
    """SELECT of what an item needs: `_id`, `target` (NULL where it is not known), `account_id`, `region_id`."""
    scope = f"_{kind.name}"
    if item.targets is not None:
        columns = [f"k{number}" for number, _ in enumerate(kind.key)]
        on = " and ".join(f'r."{key}" = t.{column}' for key, column in zip(kind.key, columns, strict=True))
        if item.table is not None and is_list(item.table):
            return (
                f"select distinct r._id, '' as target, t.account_id, t.region_id from {scope} r "
                f"join ({with_scope(kind, item.targets.text)}) t({', '.join(columns)}, account_id, region_id) on {on}"
            )
        return (
            f"select distinct r._id, t.target::varchar as target, r.account_id, r.region_id from {scope} r "
            f"join ({with_scope(kind, item.targets.text)}) t({', '.join(columns)}, target) on {on}"
        )
    if item.via is not None:
        shared = (item.on,) if item.on else kind.key
        on = " and ".join(f'v."{column}" = r."{column}"' for column in shared)
        return (
            f'select distinct r._id, v."{item.of}"::varchar as target, r.account_id, r.region_id '
            f'from {scope} r join "{item.via}" v on {on}'
        )
    target = f'r."{item.of}"::varchar' if item.of else "''"
    return f"select r._id, {target} as target, r.account_id, r.region_id from {scope} r"


def unread_sql(kind: Kind, item: Evidence, *, wildcards: bool) -> str:
    """SELECT of what an item needs and nobody read completely: `_id`, `target`, `account_id`, `region_id`.

    `wildcards`: the coverage holds rows for every target at once, as examples do.
    An empty target means that the API named nothing, so there is nothing to read.
    """
    table = item.table or ""
    wanted = f"from ({wanted_sql(kind, item)}) n"
    head = "select n._id, n.target, n.account_id, n.region_id"
    if table in SEEN_BY_ALL:
        return f"{head} {wanted} where not exists (select 1 from _covered c where c.table_name = '{table}')"
    if is_list(table):
        # Without a region (accounts, or a region nobody told) every region of the account has to be complete.
        # Calls without a region leave rows with an empty one.
        return (
            f"{head} {wanted} "
            f"left join _cov_list o on o.table_name = '{table}' and o.account_id = n.account_id "
            f"and (o.region_id = n.region_id or o.region_id = '' or n.region_id is null) "
            "group by all having not (count(o.ok) > 0 and bool_and(o.ok))"
        )
    # Every place that may answer, in the order in which they count.
    places = []
    for target in ("n.target", f"'{ANY_TARGET}'") if wildcards else ("n.target",):
        if table in _SEEN_BY_REGION:
            places.append(("_cov_region", f"{{0}}.region_id = n.region_id and {{0}}.target = {target}"))
        else:
            places.append(("_cov_account", f"{{0}}.account_id = n.account_id and {{0}}.target = {target}"))
    if table not in _SEEN_BY_REGION | _SEEN_BY_ACCOUNT:
        for target in ("n.target", f"'{ANY_TARGET}'") if wildcards else ("n.target",):
            places.append(("_cov_any", f"{{0}}.target = {target}"))
    joins = " ".join(
        f"left join {name} p{number} on p{number}.table_name = '{table}' and {condition.format(f'p{number}')}"
        for number, (name, condition) in enumerate(places)
    )
    first = ", ".join(f"p{number}.ok" for number, _ in enumerate(places))
    return f"{head} {wanted} {joins} where n.target is null or (n.target <> '' and not coalesce({first}, false))"


def with_scope(kind: Kind, sql: str) -> str:
    """The SQL of a rule with the scope view of its kind in sight, as `scope`."""
    columns = ", ".join(f'"{column}"' for column in kind.column_names)
    return f"with scope as (select {columns} from _{kind.name}) select * from (\n{sql}\n)"


def with_answer(kind: Kind, answer: str, sql: str) -> str:
    """`with_scope` for the SQL of a change: `answer`, a table or a query in brackets, is in sight too."""
    columns = ", ".join(f'"{column}"' for column in kind.column_names)
    return (
        f"with scope as (select {columns} from _{kind.name}), answer as (select * from {answer}) "
        f"select * from (\n{sql}\n)"
    )
