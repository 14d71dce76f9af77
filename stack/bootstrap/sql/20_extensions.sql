-- Extensions that hosted preinstalls, and the publication that postgres_changes listens to.

create extension if not exists "uuid-ossp" with schema extensions;
create extension if not exists pgcrypto with schema extensions;
create extension if not exists pg_stat_statements with schema extensions;

do $$
begin
    if not exists (select from pg_catalog.pg_publication where pubname = 'supabase_realtime') then
        create publication supabase_realtime;
    end if;
end;
$$;
alter publication supabase_realtime owner to postgres;

-- The Data API reloads its picture of the schema when the schema changes, but not for temporary
-- objects or those of the services.
create function extensions.pgrst_ddl_watch() returns event_trigger
language plpgsql set search_path = '' as $$
begin
    if exists (
        select from pg_catalog.pg_event_trigger_ddl_commands() as command
        where coalesce(command.schema_name, '') not in ('pg_temp', 'auth', 'realtime', 'storage')
        and command.object_identity !~ ' on (pg_temp|auth|realtime|storage)\.'
    ) then
        notify pgrst, 'reload schema';
    end if;
end;
$$;
create function extensions.pgrst_drop_watch() returns event_trigger
language plpgsql set search_path = '' as $$
begin
    if exists (
        select from pg_catalog.pg_event_trigger_dropped_objects() as dropped
        where not dropped.is_temporary
        and coalesce(dropped.schema_name, '') not in ('pg_temp', 'auth', 'realtime', 'storage')
        and dropped.object_type in (
            'schema', 'table', 'foreign table', 'view', 'materialized view', 'function', 'trigger',
            'type', 'rule'
        )
    ) then
        notify pgrst, 'reload schema';
    end if;
end;
$$;
create event trigger pgrst_ddl_watch on ddl_command_end
when tag in (
    'CREATE SCHEMA', 'ALTER SCHEMA', 'CREATE TABLE', 'CREATE TABLE AS', 'SELECT INTO',
    'ALTER TABLE', 'CREATE FOREIGN TABLE', 'ALTER FOREIGN TABLE', 'CREATE VIEW', 'ALTER VIEW',
    'CREATE MATERIALIZED VIEW', 'ALTER MATERIALIZED VIEW', 'CREATE FUNCTION', 'ALTER FUNCTION',
    'CREATE TRIGGER', 'CREATE TYPE', 'ALTER TYPE', 'CREATE RULE', 'COMMENT'
)
execute function extensions.pgrst_ddl_watch();
create event trigger pgrst_drop_watch on sql_drop execute function extensions.pgrst_drop_watch();
