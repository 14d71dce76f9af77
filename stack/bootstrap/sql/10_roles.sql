-- Roles, memberships, schemas and default privileges as a hosted project has them.
-- Run once, as the superuser supabase_admin (or whoever DATABASE_URL names).

do $$
declare
    v_role record;
begin
    for v_role in
        select * from (values
            ('anon', 'nologin noinherit'),
            ('authenticated', 'nologin noinherit'),
            ('service_role', 'nologin noinherit bypassrls'),
            ('authenticator', 'login noinherit'),
            ('supabase_auth_admin', 'login noinherit createrole'),
            ('supabase_storage_admin', 'login noinherit createrole'),
            ('supabase_functions_admin', 'login noinherit createrole'),
            ('supabase_realtime_admin', 'nologin noinherit'),
            ('supabase_replication_admin', 'login replication'),
            ('supabase_read_only_user', 'login bypassrls'),
            ('pgbouncer', 'login'),
            ('dashboard_user', 'nologin createdb createrole replication'),
            ('postgres', 'login createdb createrole replication bypassrls')
        ) as wanted (name, attributes)
    loop
        if not exists (select from pg_catalog.pg_roles where rolname = v_role.name) then
            execute format('create role %I %s', v_role.name, v_role.attributes);
        end if;
    end loop;
end;
$$;

grant anon, authenticated, service_role to authenticator;
grant anon, authenticated, service_role, authenticator to postgres with admin option;
-- storage switches to its caller's role through authenticator
grant authenticator to supabase_storage_admin;
-- hosted does this in its supautils extension: triggers on auth.users, policies on storage.objects
grant supabase_auth_admin, supabase_storage_admin, supabase_realtime_admin to postgres;
grant pg_monitor, pg_read_all_data, pg_signal_backend to postgres;
grant pg_read_all_data to supabase_read_only_user;

alter role anon set statement_timeout = '3s';
alter role authenticated set statement_timeout = '8s';
alter role authenticator set statement_timeout = '8s';
alter role authenticator set lock_timeout = '8s';
alter role authenticator set session_preload_libraries = '';
alter role supabase_auth_admin set search_path = 'auth';
alter role supabase_auth_admin set idle_in_transaction_session_timeout = 60000;
alter role supabase_storage_admin set search_path = 'storage';
alter role postgres set search_path = "$user", public, extensions;

do $$
begin
    execute format(
        'grant all on database %I to postgres, dashboard_user', current_database()
    );
    execute format('alter database %I owner to postgres', current_database());
    execute format('alter database %I set statement_timeout = %L', current_database(), '2min');
end;
$$;

create schema if not exists extensions authorization postgres;
create schema if not exists auth authorization supabase_auth_admin;
create schema if not exists storage authorization supabase_storage_admin;
create schema if not exists realtime;
create schema if not exists vault;
create schema if not exists graphql_public;

grant usage on schema public, extensions, auth, storage, realtime, graphql_public
to postgres, anon, authenticated, service_role;
grant usage on schema extensions, auth, storage, realtime to dashboard_user;
grant create on schema public to postgres;
grant all on schema public to postgres;
grant all on schema auth, storage, realtime, extensions to postgres;
grant all on schema auth to supabase_auth_admin;
grant all on schema storage to supabase_storage_admin;
grant all on schema realtime to supabase_realtime_admin;

-- Since 2026-10-30 nothing in public reaches the API roles by itself: migrations must grant.
alter default privileges for role supabase_storage_admin in schema storage
grant all on tables to postgres, service_role;
alter default privileges for role supabase_storage_admin in schema storage
grant all on functions to postgres, anon, authenticated, service_role;
alter default privileges for role supabase_auth_admin in schema auth
grant all on tables to postgres, dashboard_user;
alter default privileges for role supabase_auth_admin in schema auth
grant all on sequences to postgres, dashboard_user;
alter default privileges for role supabase_auth_admin in schema auth
grant all on functions to postgres, dashboard_user;

-- settings that hosted lets the role postgres change
do $$
declare
    v_name text;
begin
    foreach v_name in array array[
        'session_replication_role', 'pgrst.db_schemas', 'pgrst.db_pre_request',
        'pgrst.db_max_rows', 'pgrst.db_extra_search_path', 'pgrst.db_aggregates_enabled',
        'pgrst.db_plan_enabled', 'pgrst.db_tx_end', 'pgrst.server_timing_enabled',
        'auto_explain.log_min_duration', 'log_min_messages', 'log_statement',
        'pg_stat_statements.track', 'track_functions'
    ] loop
        execute format('grant set on parameter %s to postgres', v_name);
    end loop;
end;
$$;
