"""The catalog queries. Types come with their schema, since they run with an empty search_path.

Parameters: `%(schemas)s`, the exposed ones.
"""

TABLES = """
    select n.nspname, c.relname, c.relkind in ('v', 'm'), d.description,
        c.relkind in ('r', 'p')
            or c.relkind in ('v', 'f') and pg_relation_is_updatable(c.oid, true) & 8 = 8,
        c.relkind in ('r', 'p')
            or c.relkind in ('v', 'f') and pg_relation_is_updatable(c.oid, true) & 4 = 4,
        c.relkind in ('r', 'p')
            or c.relkind in ('v', 'f') and pg_relation_is_updatable(c.oid, true) & 16 = 16,
        coalesce((
            select array_agg(a.attname::text order by a.attname)
            from pg_constraint as k
            join pg_attribute as a on a.attrelid = c.oid and a.attnum = any (k.conkey)
            where k.conrelid = c.oid and k.contype = 'p'
        ), '{}')
    from pg_class as c
    join pg_namespace as n on n.oid = c.relnamespace
    left join pg_description as d
        on d.objoid = c.oid and d.objsubid = 0 and d.classoid = 'pg_class'::regclass
    where c.relkind in ('v', 'r', 'm', 'f', 'p') and not c.relispartition
        and n.nspname <> all (array['pg_catalog', 'information_schema'])
        and n.nspname not like 'pg\\_%%'
    order by 1, 2
"""

COLUMNS = """
    with recursive base (oid, base_oid) as (
        select oid, oid from pg_type where typtype <> 'd'
        union all
        select t.oid, b.base_oid from pg_type as t join base as b on t.typbasetype = b.oid
        where t.typtype = 'd'
    )
    select n.nspname, c.relname, a.attname,
        case when t.typtype = 'd' and bt.typnamespace = 'pg_catalog'::regnamespace
            then format_type(b.base_oid, null)
            when t.typtype <> 'd' and t.typnamespace = 'pg_catalog'::regnamespace
            then format_type(a.atttypid, null)
            else format_type(a.atttypid, a.atttypmod) end,
        format_type(a.atttypid, a.atttypmod),
        case when t.typbasetype <> 0 and ad.adbin is null then pg_get_expr(t.typdefaultbin, 0)
            when a.attidentity = 'd' then format('nextval(%%L)', seq.objid::regclass)
            when a.attgenerated = 's' then null
            else pg_get_expr(ad.adbin, ad.adrelid) end,
        not (a.attnotnull or t.typtype = 'd' and t.typnotnull),
        case when b.base_oid in ('varchar'::regtype, 'bpchar'::regtype) and
            coalesce(nullif(a.atttypmod, -1), t.typtypmod) > 4
            then coalesce(nullif(a.atttypmod, -1), t.typtypmod) - 4 end,
        (select array_agg(enumlabel::text order by enumsortorder) from pg_enum
            where enumtypid = b.base_oid),
        d.description
    from pg_attribute as a
    join pg_class as c on c.oid = a.attrelid
    join pg_namespace as n on n.oid = c.relnamespace
    join pg_type as t on t.oid = a.atttypid
    left join base as b on b.oid = t.oid
    left join pg_type as bt on bt.oid = b.base_oid
    left join pg_attrdef as ad on ad.adrelid = a.attrelid and ad.adnum = a.attnum
    left join pg_depend as seq on seq.refobjid = a.attrelid and seq.refobjsubid = a.attnum
        and seq.deptype = 'i' and seq.classid = 'pg_class'::regclass
    left join pg_description as d on d.objoid = a.attrelid and d.objsubid = a.attnum
        and d.classoid = 'pg_class'::regclass
    where a.attnum > 0 and not a.attisdropped and not c.relispartition
        and c.relkind in ('r', 'v', 'f', 'm', 'p') and n.nspname = any (%(schemas)s)
    order by c.oid, a.attnum
"""

# Foreign keys. Column names in the order of the key; the flag says that the key is unique here.
FOREIGN_KEYS = """
    select n1.nspname, c1.relname, n2.nspname, c2.relname, k.conname, cols.names, cols.others,
        exists (
            select from pg_constraint as u
            where u.conrelid = k.conrelid and u.contype in ('p', 'u')
                and (select array_agg(key order by key) from unnest(u.conkey) as key)
                    = (select array_agg(key order by key) from unnest(k.conkey) as key)
        ),
        k.conrelid::int8, k.confrelid::int8, k.conkey::int[], k.confkey::int[]
    from pg_constraint as k
    join pg_class as c1 on c1.oid = k.conrelid
    join pg_namespace as n1 on n1.oid = c1.relnamespace
    join pg_class as c2 on c2.oid = k.confrelid
    join pg_namespace as n2 on n2.oid = c2.relnamespace
    cross join lateral (
        select array_agg(a1.attname::text order by ord), array_agg(a2.attname::text order by ord)
        from unnest(k.conkey, k.confkey) with ordinality as pair (own, other, ord)
        join pg_attribute as a1 on a1.attrelid = k.conrelid and a1.attnum = own
        join pg_attribute as a2 on a2.attrelid = k.confrelid and a2.attnum = other
    ) as cols (names, others)
    where k.contype = 'f' and k.conparentid = 0
    order by n1.nspname, c1.relname, k.conname
"""

PRIMARY_KEYS = """
    select k.conrelid::int8, array(
        select a.attnum::int from unnest(k.conkey) as key
        join pg_attribute as a on a.attrelid = k.conrelid and a.attnum = key
        order by a.attname
    )
    from pg_constraint as k
    where k.contype = 'p'
"""

VIEWS = """
    select c.oid::int8, n.nspname, c.relname, r.ev_action::text,
        (select array_agg(attname::text order by attnum) from pg_attribute
            where attrelid = c.oid and attnum > 0)
    from pg_class as c
    join pg_namespace as n on n.oid = c.relnamespace
    join pg_rewrite as r on r.ev_class = c.oid and r.rulename = '_RETURN'
    where c.relkind in ('v', 'm')
        and n.nspname <> all (array['pg_catalog', 'information_schema'])
"""

FUNCTIONS = """
    with recursive base (oid, base_oid) as (
        select oid, oid from pg_type where typtype <> 'd'
        union all
        select t.oid, b.base_oid from pg_type as t join base as b on t.typbasetype = b.oid
        where t.typtype = 'd'
    ),
    inputs as (
        select p.oid, p.pronargs - p.pronargdefaults as required, name, kind, mode,
            row_number() over (partition by p.oid order by idx) as idx
        from pg_proc as p,
            unnest(p.proargnames, coalesce(p.proallargtypes, p.proargtypes::oid[]), p.proargmodes)
                with ordinality as argument (name, kind, mode, idx)
        where coalesce(mode, 'i') in ('i', 'b', 'v')
    ),
    arguments as (
        select oid,
            jsonb_agg(jsonb_build_array(
                coalesce(name, ''),
                kind::regtype::text,
                case kind
                    when 'bit'::regtype then 'bit varying'
                    when 'bit[]'::regtype then 'bit varying[]'
                    when 'character'::regtype then 'character varying'
                    when 'character[]'::regtype then 'character varying[]'
                    else kind::regtype::text end,
                idx <= required,
                coalesce(mode = 'v', false)
            ) order by idx) as list,
            case count(*) - count(nullif(name, ''))
                when 0 then true
                when 1 then count(*) = 1 and (array_agg(kind))[1] in ('bytea'::regtype,
                    'json'::regtype, 'jsonb'::regtype, 'text'::regtype, 'xml'::regtype)
                else false end as is_callable
        from inputs
        group by oid
    )
    select pn.nspname, p.proname, coalesce(a.list, '[]'), tn.nspname,
        coalesce(comp.relname, t.typname), p.proretset,
        t.typtype = 'c' or coalesce(p.proargmodes::text[] && '{t,b,o}', false),
        rt.oid <> t.oid, p.provolatile, p.proconfig, d.description, p.oid::int8
    from pg_proc as p
    left join arguments as a on a.oid = p.oid
    join pg_namespace as pn on pn.oid = p.pronamespace
    join pg_type as rt on rt.oid = p.prorettype
    join base as b on b.oid = rt.oid
    join pg_type as t on t.oid = b.base_oid
    join pg_namespace as tn on tn.oid = t.typnamespace
    left join pg_class as comp on comp.oid = t.typrelid
    left join pg_description as d on d.objoid = p.oid and d.classoid = 'pg_proc'::regclass
        and d.objsubid = 0
    where t.oid <> 'trigger'::regtype and t.oid <> 'event_trigger'::regtype
        and coalesce(a.is_callable, true) and p.prokind = 'f' and pn.nspname = any (%(schemas)s)
    order by p.oid
"""

# Functions of one row that return rows: relationships of their own.
COMPUTED_RELATIONSHIPS = """
    select pn.nspname, p.proname, an.nspname, ac.relname, rn.nspname, rc.relname,
        not p.proretset or p.prorows = 1
    from pg_proc as p
    join pg_namespace as pn on pn.oid = p.pronamespace
    join pg_class as ac on ac.reltype = p.proargtypes[0]
    join pg_namespace as an on an.oid = ac.relnamespace
    join pg_class as rc on rc.reltype = p.prorettype
    join pg_namespace as rn on rn.oid = rc.relnamespace
    where p.pronargs = 1 and ac.relkind in ('v', 'r', 'm', 'f', 'p')
        and rc.relkind in ('v', 'r', 'm', 'f', 'p') and an.nspname = any (%(schemas)s)
"""

# Domains named like media types, written by an aggregate over rows or by a function's result.
MEDIA_HANDLERS = """
    with rows as (
        select reltype from pg_class where relkind in ('v', 'r', 'm', 'f', 'p')
        union select 'anyelement'::regtype
    ),
    media as (
        select oid, lower(typname) as name, typnamespace,
            case typname when '*/*' then 'application/octet-stream' else typname end as resolved
        from pg_type
        where typbasetype <> 0
            and (typname ~* '^[a-z0-9.-]+/[a-z0-9.+-]+$' or typname = '*/*')
    )
    select n.nspname, p.proname, an.nspname, a.typname, m.name, m.resolved
    from media as m
    join pg_proc as p on p.prorettype = m.oid and p.prokind = 'a' and p.pronargs = 1
    join pg_namespace as n on n.oid = p.pronamespace
    join pg_type as a on a.oid = p.proargtypes[0]
    join pg_namespace as an on an.oid = a.typnamespace
    where n.nspname = any (%(schemas)s) and a.oid in (select reltype from rows)
    union all
    select tn.nspname, m.name, n.nspname, p.proname, m.name, m.resolved
    from media as m
    join pg_namespace as tn on tn.oid = m.typnamespace
    join pg_proc as p on p.prorettype = m.oid and p.prokind = 'f' and not p.proretset
    join pg_namespace as n on n.oid = p.pronamespace
    where n.nspname = any (%(schemas)s)
"""
