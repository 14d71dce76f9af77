"""What must hold of a database, as queries that answer what breaks it."""

from collections.abc import Mapping
from typing import LiteralString

OURS: LiteralString = "('public'::regnamespace, 'private'::regnamespace)"
# Supabase's own tables whose policies are the project's to write
SHARED: LiteralString = (
    "(schemaname, tablename) in"
    " (('storage', 'objects'), ('storage', 'buckets'), ('realtime', 'messages'))"
)

# Each answers what breaks the rule of its name.
HOLD: Mapping[str, LiteralString] = {
    "row-level security": f"""
        select oid::regclass || ' has none' from pg_class
        where relnamespace in {OURS} and relkind in ('r', 'p') and not relrowsecurity""",
    "views": f"""
        select oid::regclass || ' asks as its owner: security_invoker is missing' from pg_class
        where relnamespace in {OURS} and relkind = 'v'
            and not coalesce(reloptions @> '{{security_invoker=true}}', false)""",
    "definer functions": """
        select oid::regprocedure || ' stands outside schema private' from pg_proc
        where prosecdef and pronamespace in ('public'::regnamespace, 'procrastinate'::regnamespace)
        """,
    "search paths": f"""
        select oid::regprocedure || ' has no empty search_path' from pg_proc
        where pronamespace in {OURS}
            and not coalesce(proconfig @> array['search_path=""'], false)""",
    "public privileges": f"""
        select oid::regprocedure || ': everyone may execute it'
        from pg_proc, aclexplode(coalesce(proacl, acldefault('f', proowner))) as acl
        where acl.grantee = 0
            and (pronamespace in {OURS} or pronamespace = 'procrastinate'::regnamespace)
        union all
        select oid::regclass || ': everyone may ' || lower(acl.privilege_type)
        from pg_class, aclexplode(relacl) as acl
        where acl.grantee = 0
            and (relnamespace in {OURS} or relnamespace = 'procrastinate'::regnamespace)
        union all
        select attrelid::regclass || '.' || attname || ': everyone may '
            || lower(acl.privilege_type)
        from pg_attribute join pg_class on pg_class.oid = attrelid, aclexplode(attacl) as acl
        where acl.grantee = 0 and relnamespace in {OURS}
        union all
        select 'schema ' || nspname || ': everyone may ' || lower(acl.privilege_type)
        from pg_namespace, aclexplode(nspacl) as acl
        where acl.grantee = 0
            and (nspname in ('private', 'procrastinate')
                or nspname = 'public' and acl.privilege_type = 'CREATE')
        union all
        select role || ' may create in schema ' || schema
        from unnest(array['anon', 'authenticated', 'service_role', 'guildhall_worker']) as role,
            unnest(array['public', 'private', 'procrastinate']) as schema
        where has_schema_privilege(role, schema, 'CREATE')""",
    "owners": f"""
        with owner as (select nspowner as id from pg_namespace where nspname = 'private')
        select oid::regprocedure || ' belongs to ' || proowner::regrole from pg_proc, owner
        where pronamespace in {OURS} and proowner <> owner.id
        union all
        select pg_class.oid::regclass || ' belongs to ' || relowner::regrole from pg_class, owner
        where relnamespace in {OURS} and relkind in ('r', 'p', 'v', 'm', 'S')
            and relowner <> owner.id""",
    "roles": """
        select name || ' does not exist'
        from unnest(array[
            'anon', 'authenticated', 'service_role', 'authenticator', 'supabase_auth_admin',
            'guildhall_worker'
        ]) as name
        where to_regrole(name) is null
        union all
        select rolname || ' may ' || told.what
        from pg_roles, lateral (values
            (rolsuper, 'do everything'), (rolbypassrls, 'bypass row-level security'),
            (rolcanlogin, 'log in'), (rolcreaterole, 'create roles')
        ) as told (is_so, what)
        where rolname in ('anon', 'authenticated', 'guildhall_worker') and told.is_so
        union all
        select session_user || ' may not act as ' || name
        from unnest(array['anon', 'authenticated', 'guildhall_worker']) as name
        where to_regrole(name) is not null and not pg_has_role(session_user, name, 'set')
        union all
        select name || ' may act as guildhall_worker'
        from unnest(array['anon', 'authenticated', 'service_role', 'authenticator']) as name
        where to_regrole(name) is not null and to_regrole('guildhall_worker') is not null
            and pg_has_role(name, 'guildhall_worker', 'member')
        union all
        select 'guildhall_worker is a member of ' || roleid::regrole
        from pg_auth_members where member = to_regrole('guildhall_worker')""",
    "auth hooks": """
        with hook as (
            select function, to_regprocedure(function) as id
            from unnest(array[
                'private.add_roles_to_token(jsonb)', 'private.limit_password_attempts(jsonb)'
            ]) as function
        )
        select function || ' does not exist' from hook where id is null
        union all
        select 'supabase_auth_admin may not execute ' || function from hook
        where id is not null and not has_function_privilege('supabase_auth_admin', id, 'EXECUTE')
        union all
        select 'supabase_auth_admin may not use schema private'
        where not has_schema_privilege('supabase_auth_admin', 'private', 'USAGE')""",
    "data api": """
        select 'role authenticator lacks pgrst.db_pre_request = private.check_request'
        where not exists (
            select from pg_db_role_setting
            where setrole = to_regrole('authenticator')
                and setconfig @> array['pgrst.db_pre_request=private.check_request']
        )""",
}

# Every policy and every grant of our objects but the owner's; PUBLIC has a rule of its own.
RIGHTS: LiteralString = f"""
    select format(
        'policy %s on %s.%s for %s to %s: %s, %s, %s', policyname, schemaname, tablename,
        lower(cmd), array_to_string(roles, ', '), lower(permissive), qual, with_check
    )
    from pg_policies
    where schemaname in ('public', 'private') or {SHARED}
    union all
    select format('%s on %s to %s', lower(acl.privilege_type), oid::regclass, acl.grantee::regrole)
    from pg_class, aclexplode(relacl) as acl
    where relnamespace in {OURS} and acl.grantee not in (0, relowner)
    union all
    select format(
        '%s on %s.%I to %s', lower(acl.privilege_type), attrelid::regclass, attname,
        acl.grantee::regrole
    )
    from pg_attribute join pg_class on pg_class.oid = attrelid, aclexplode(attacl) as acl
    where relnamespace in {OURS} and acl.grantee not in (0, relowner)
    union all
    select format('execute on %s to %s', oid::regprocedure, acl.grantee::regrole)
    from pg_proc, aclexplode(proacl) as acl
    where pronamespace in {OURS} and acl.grantee not in (0, proowner)
    union all
    select format('%s on schema %I to %s', lower(acl.privilege_type), nspname, acl.grantee::regrole)
    from pg_namespace, aclexplode(nspacl) as acl
    where oid in {OURS} and acl.grantee not in (0, nspowner)"""

# Like private.close, but for all there is and for whomever it was granted to.
CLOSE_ALL: LiteralString = f"""
    do $$
    declare
        v_found record;
    begin
        for v_found in
            select format('drop policy %I on %I.%I', policyname, schemaname, tablename) as command
            from pg_policies
            where schemaname in ('public', 'private') or {SHARED}
            union all
            select distinct format('revoke all on %s from %s', pg_class.oid::regclass,
                acl.grantee::regrole)
            from pg_class left join pg_attribute on attrelid = pg_class.oid and attacl is not null,
                lateral (
                    select grantee from aclexplode(relacl)
                    union select grantee from aclexplode(attacl)
                ) as acl
            where relnamespace in {OURS} and acl.grantee not in (0, relowner)
            union all
            select distinct format('revoke all on routine %s from %s', oid::regprocedure,
                acl.grantee::regrole)
            from pg_proc, aclexplode(proacl) as acl
            where pronamespace in {OURS} and acl.grantee not in (0, proowner)
        loop
            execute v_found.command;
        end loop;
    end;
    $$"""

# After a table, its sequence and a function `guildhall_doctor` were made: who may use them.
BORN_OPEN: LiteralString = """
    select format('%s on a new %s in %s: %s', lower(acl.privilege_type), told.kind,
        told.schema, case acl.grantee when 0 then 'everyone' else acl.grantee::regrole::text end)
    from (
        select 'table' as kind, relnamespace::regnamespace as schema, relacl as acl, relowner
        from pg_class where relname = 'guildhall_doctor'
        union all
        select 'sequence', relnamespace::regnamespace, relacl, relowner
        from pg_class where relname = 'guildhall_doctor_id_seq'
        union all
        select 'function', pronamespace::regnamespace,
            coalesce(proacl, acldefault('f', proowner)), proowner
        from pg_proc where proname = 'guildhall_doctor'
    ) as told, aclexplode(told.acl) as acl
    where acl.grantee <> told.relowner
    order by 1"""
