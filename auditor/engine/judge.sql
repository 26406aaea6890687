-- The decision table: what a rule may claim, and what was read completely, become one outcome per resource and part.
--
-- $applies   _id, applies                                     one row per resource of the kind
-- $answer    _n, _id, part, compliant, observed, ...          what the rule's query says, any number of rows
-- $blocked   _id, for_pass, for_fail, for_na, for_none        resources with unread evidence, and what it forbids
-- $none      outcome of a resource the query does not mention
--
-- applies is false          not_applicable, unless it rests on an unread list
-- applies is NULL           unknown
-- compliant is true         pass, if nothing unread forbids it
-- compliant is false        fail, if nothing unread forbids it
-- anything else             unknown
with applied as ($applies),
answer as ($answer),
counted as (select *, count(*) over (partition by _id, part) > 1 as twice from answer),
blocked as (
    select _id, bool_or(for_pass) as for_pass, bool_or(for_fail) as for_fail, bool_or(for_na) as for_na,
           bool_or(for_none) as for_none
    from ($blocked) group by _id)
select a._id, a.applies, c.* exclude (_id), b._id is not null as incomplete,
       case
           when a.applies is null then 'unknown'
           when not a.applies and b.for_na then 'unknown'
           when not a.applies then 'not_applicable'
           when c._n is null and b.for_none then 'unknown'
           when c._n is null then '$none'
           when c.twice then 'unknown'
           when c.compliant and (b._id is null or not b.for_pass) then 'pass'
           when not c.compliant and (b._id is null or not b.for_fail) then 'fail'
           else 'unknown'
       end as outcome
from applied a
left join counted c on c._id = a._id and a.applies
left join blocked b on b._id = a._id
order by a._id, c.part nulls first, c._n
