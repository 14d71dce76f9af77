-- The ground: schema private, closed defaults, errors, and the tools that policy files use.
set lock_timeout = '5s';

-- Functions are born executable by everyone; only this form, without a schema, takes that back.
alter default privileges revoke execute on functions from public;
-- Older projects open new objects in public to the API roles; here everything is born shut.
alter default privileges in schema public
revoke all on tables from anon, authenticated, service_role;
alter default privileges in schema public
revoke all on sequences from anon, authenticated, service_role;
alter default privileges in schema public
revoke all on functions from anon, authenticated, service_role;

create schema private;
comment on schema private is
'Indoors: definer functions, the webhook inbox, keys. Not exposed by the Data API.';

-- Workers and webhook routes: owns nothing, bypasses nothing, may do what is granted to it.
do $$
begin
    if not exists (select from pg_catalog.pg_roles where rolname = 'guildhall_worker') then
        create role guildhall_worker nologin noinherit;
    end if;
end;
$$;
grant guildhall_worker to postgres;

grant usage on schema private to anon, authenticated, service_role, guildhall_worker;
grant usage on schema public to guildhall_worker;

-- Errors: every code that SQL may raise, with its HTTP status.
create table private.error_codes (
    code text not null,
    -- squawk-ignore prefer-bigint-over-smallint
    http_status smallint not null,
    message text not null,
    constraint error_codes_pkey primary key (code),
    constraint error_codes_code_check check (code ~ '^[a-z_]+\.[a-z_]+$'),
    constraint error_codes_http_status_check check (http_status between 400 and 599)
);
alter table private.error_codes enable row level security;
comment on table private.error_codes is
'Every error that SQL raises by private.reject: stable code, HTTP status, English message.';

-- `headers` of the answer, like Retry-After, may come with a refusal.
create function private.reject(code text, detail text default null, headers json default '{}')
returns void
language plpgsql stable security definer set search_path = '' as $$
declare
    v_known private.error_codes;
begin
    select known.* into strict v_known from private.error_codes as known
    where known.code = reject.code;
    raise sqlstate 'PGRST' using
        message = json_build_object(
            'code', v_known.code, 'message', v_known.message, 'details', reject.detail, 'hint', null
        )::text,
        detail = json_build_object(
            'status', v_known.http_status, 'headers', reject.headers
        )::text;
end;
$$;
comment on function private.reject is
$$Raise a catalogued error: the Data API answers its status and JSON, Python reads the same.

`headers` are added to the answer. An unknown code is itself an error (no_data_found).$$;

create function private.close(tables regclass[], functions regproc[]) returns void
language plpgsql set search_path = '' as $$
declare
    v_table regclass;
    v_function regproc;
    v_policy name;
begin
    foreach v_table in array close.tables loop
        for v_policy in select polname from pg_catalog.pg_policy where polrelid = v_table loop
            execute format('drop policy %I on %s', v_policy, v_table);
        end loop;
        execute format(
            'revoke all on %s from public, anon, authenticated, service_role, guildhall_worker',
            v_table
        );
    end loop;
    foreach v_function in array close.functions loop
        execute format(
            'revoke all on function %s'
            ' from public, anon, authenticated, service_role, guildhall_worker',
            v_function::oid::regprocedure
        );
    end loop;
end;
$$;
comment on function private.close is
'Drop all policies and revoke all grants of these: the first line of every policy file.';

create function private.touch_updated_at() returns trigger
language plpgsql set search_path = '' as $$
begin
    new.updated_at := now();
    return new;
end;
$$;
comment on function private.touch_updated_at is
'Trigger: updated_at is the time of the last write.';
