-- Roles, memberships, schemas and default privileges as a hosted project has them.
-- Run once, as the superuser supabase_admin (or whoever DATABASE_URL names).
-- Source: supabase/postgres, its init scripts and the results its own tests expect, Postgres 17.

do $$
declare
    v_role record;
begin
    for v_role in
        select * from (values
            ('anon', 'nologin inherit'),
            ('authenticated', 'nologin inherit'),
            ('service_role', 'nologin inherit bypassrls'),
            ('authenticator', 'login noinherit'),
            ('supabase_auth_admin', 'login noinherit'),
            ('supabase_storage_admin', 'login noinherit createrole'),
            ('supabase_functions_admin', 'login noinherit createrole'),
            ('supabase_realtime_admin', 'login noinherit createrole replication'),
            ('supabase_replication_admin', 'login replication'),
            ('supabase_etl_admin', 'login replication'),
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
-- storage switches to its caller's role through authenticator
grant authenticator to supabase_storage_admin;
grant anon, authenticated, service_role, authenticator to postgres with admin option;
grant pg_monitor, pg_read_all_data, pg_signal_backend to postgres with admin option;
grant pg_create_subscription to postgres;
-- hosted does without, its supautils lets postgres do it: triggers on auth.users, policies on
-- storage.objects and realtime.messages
grant supabase_auth_admin, supabase_storage_admin, supabase_realtime_admin to postgres;
grant pg_read_all_data to supabase_read_only_user, supabase_etl_admin;

alter role anon set statement_timeout = '3s';
alter role authenticated set statement_timeout = '8s';
alter role authenticator set statement_timeout = '8s';
alter role authenticator set lock_timeout = '8s';
-- a request's headers, keys and tokens among them, stand in the text of its statement
alter role authenticator set log_min_error_statement = 'panic';
alter role supabase_auth_admin set search_path = 'auth';
alter role supabase_auth_admin set idle_in_transaction_session_timeout = 60000;
alter role supabase_auth_admin set log_statement = 'none';
alter role supabase_storage_admin set search_path = 'storage';
alter role supabase_storage_admin set log_statement = 'none';
alter role supabase_realtime_admin set search_path = 'realtime';
alter role postgres set search_path = "$user", public, extensions;

do $$
begin
    execute format(
        'grant all on database %I to postgres, dashboard_user', current_database()
    );
    execute format(
        'grant create on database %I to supabase_auth_admin, supabase_storage_admin',
        current_database()
    );
    execute format('alter database %I owner to postgres', current_database());
    execute format('alter database %I set statement_timeout = %L', current_database(), '2min');
end;
$$;

create schema if not exists extensions authorization postgres;
create schema if not exists auth;
create schema if not exists storage;
create schema if not exists realtime;
create schema if not exists vault;
create schema if not exists graphql;
create schema if not exists graphql_public;

grant usage on schema public, extensions, auth, storage, realtime, graphql, graphql_public
to anon, authenticated, service_role;
grant all on schema public to postgres;
grant all on schema extensions to dashboard_user;
grant all on schema auth to supabase_auth_admin, dashboard_user;
grant usage on schema auth, vault, graphql, graphql_public to postgres;
grant usage on schema vault to service_role;
grant all on schema storage to supabase_storage_admin with grant option;
grant all on schema storage to dashboard_user;
grant all on schema realtime to supabase_realtime_admin with grant option;
grant usage on schema storage, realtime to postgres with grant option;

-- What `public` gives by itself. Since 2026-10-30 the API roles may neither read, write nor call
-- what postgres makes there: migrations must grant. The harmless rest of the older defaults stays.
alter default privileges for role postgres in schema public
grant truncate, references, trigger, maintain on tables to anon, authenticated, service_role;
alter default privileges for role postgres in schema public
grant update on sequences to anon, authenticated, service_role;
do $$
declare
    v_kind text;
begin
    foreach v_kind in array array['tables', 'sequences', 'functions'] loop
        -- for what the superuser makes
        execute format(
            'alter default privileges in schema public grant all on %s'
            ' to postgres, anon, authenticated, service_role', v_kind
        );
        execute format(
            'alter default privileges in schema realtime grant all on %s'
            ' to postgres, dashboard_user', v_kind
        );
        execute format(
            'alter default privileges in schema extensions grant all on %s'
            ' to postgres with grant option', v_kind
        );
        -- narrower than hosted's, whose storage service takes back what it gave too much
        execute format(
            'alter default privileges for role supabase_storage_admin in schema storage'
            ' grant all on %s to postgres, service_role', v_kind
        );
        execute format(
            'alter default privileges for role supabase_auth_admin in schema auth'
            ' grant all on %s to postgres, dashboard_user', v_kind
        );
    end loop;
end;
$$;

alter default privileges for role supabase_storage_admin in schema storage
grant execute on functions to anon, authenticated;

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
