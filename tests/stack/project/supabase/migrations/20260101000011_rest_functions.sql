-- Functions of every kind the Data API calls.
create function public.rest_add(a int, b int default 10) returns int language sql immutable
as $$ select a + b $$;
comment on function public.rest_add is 'Add two numbers.

The second one may be left out.';
create function public.rest_same(a int) returns text language sql immutable as $$ select 'int' $$;
create function public.rest_same(a int, b text) returns text language sql immutable
as $$ select 'int text' $$;
create function public.rest_unclear(a int) returns text language sql immutable as $$ select 'int' $$;
create function public.rest_unclear(a text) returns text language sql immutable
as $$ select 'text' $$;
create function public.rest_unclear(a boolean, b int default 0) returns text language sql immutable
as $$ select 'boolean int' $$;
create function public.rest_total(variadic numbers int[]) returns bigint language sql immutable
as $$ select sum(n) from unnest(numbers) as n $$;
create function public.rest_nothing() returns void language sql as $$ $$;
create function public.rest_words() returns setof text language sql stable
as $$ select unnest(array['x', 'y', 'z']) $$;
create function public.rest_rows(at_least int default 0) returns setof public.rest_projects
language sql stable as $$ select * from public.rest_projects where id >= at_least and id < 1000 $$;
create function public.rest_row(wanted int) returns public.rest_projects language sql stable
as $$ select * from public.rest_projects where id = wanted $$;
create function public.rest_table(top int) returns table (n int, square int) language sql immutable
as $$ select i, i * i from generate_series(1, top) as i $$;
create function public.rest_outs(a int, out double int, out triple int) language sql immutable
as $$ select a * 2, a * 3 $$;
create function public.rest_takes_json(json) returns json language sql immutable
as $$ select json_build_object('got', $1) $$;
create function public.rest_takes_text(text) returns text language sql immutable
as $$ select 'got ' || $1 $$;
create function public.rest_takes_bytes(bytea) returns int language sql immutable
as $$ select length($1) $$;
create function public.rest_takes_row(client public.rest_clients) returns text
language sql immutable as $$ select client.name $$;
create function public.rest_takes_array(list int[]) returns int language sql immutable
as $$ select cardinality(list) $$;
create function public.rest_takes_jsonb(data jsonb) returns text language sql immutable
as $$ select jsonb_typeof(data) $$;
create function public.rest_echo(value text) returns text language sql immutable
as $$ select value $$;
create function public.rest_changes(n int) returns int language sql volatile
as $$ insert into public.rest_keyless values ('called', n) returning number $$;
create function public.rest_setting(name text) returns text language sql stable
as $$ select current_setting(name, true) $$;
create function public.rest_whoami() returns json language sql stable as $$
    select json_build_object('role', current_user, 'session', session_user, 'uid', auth.uid(),
        'claims', auth.jwt(), 'timeout', current_setting('statement_timeout'),
        'path', current_setting('search_path'))
$$;
create function public.rest_sleep(seconds float8) returns void language sql volatile
as $$ select pg_sleep(seconds) $$;
create function public.rest_sleep_briefly() returns void language sql volatile
set statement_timeout = '100ms' as $$ select pg_sleep(2) $$;
create function public.rest_raise(kind text) returns void language plpgsql as $$
begin
    case kind
        when 'plain' then raise exception 'plain words' using detail = 'd', hint = 'h';
        when 'PT418' then raise sqlstate 'PT418' using message = 'teapot', hint = 'tea';
        when 'pgrst' then raise sqlstate 'PGRST' using
            message = '{"code": "own.code", "message": "own words", "details": "d", "hint": "h"}',
            detail = '{"status": 432, "headers": {"X-Own": "yes"}}';
        when 'pgrst_bad' then raise sqlstate 'PGRST' using message = 'no json', detail = '{}';
        when 'pgrst_break' then raise sqlstate 'PGRST' using
            message = '{"code": "c", "message": "m"}',
            detail = '{"status": 400, "headers": {"X-A": "b\r\nX-Evil: yes"}}';
        when 'check' then perform 1 / 0;
        else null;
    end case;
end;
$$;
create function public.rest_answers(status text, headers text) returns text language plpgsql as $$
begin
    perform set_config('response.status', status, true);
    perform set_config('response.headers', headers, true);
    return 'done';
end;
$$;
create function public.rest_escapes_role() returns text language plpgsql as $$
begin
    set local role service_role;
    return current_user;
end;
$$;

-- computed columns and relationships
create function public.rest_shout(public.rest_clients) returns text language sql stable
as $$ select upper($1.name) $$;
create function public.rest_best_project(public.rest_clients) returns setof public.rest_projects
rows 1 language sql stable as $$
    select * from public.rest_projects where client_id = $1.id order by budget desc limit 1
$$;
create function public.rest_cheap_projects(public.rest_clients) returns setof public.rest_projects
language sql stable as $$
    select * from public.rest_projects where client_id = $1.id and budget < 150
$$;

-- media types of their own
create domain public."text/plain" as text;
create domain public."application/octet-stream" as bytea;
create function public.rest_plain() returns public."text/plain" language sql stable
as $$ select 'plain words'::public."text/plain" $$;
create function public.rest_bytes() returns public."application/octet-stream" language sql stable
as $$ select '\x00ff10'::bytea::public."application/octet-stream" $$;

create function public.rest_hidden_function() returns int language sql as $$ select 1 $$;
revoke execute on function public.rest_hidden_function from public, anon, authenticated;
create function other.rest_elsewhere() returns text language sql stable as $$ select 'other' $$;

do $$
declare
    v_name text;
begin
    for v_name in
        select p.oid::regprocedure::text from pg_proc as p
        where p.proname like 'rest\_%' and p.proname <> 'rest_hidden_function'
    loop
        execute format('grant execute on function %s to anon, authenticated, service_role', v_name);
    end loop;
end;
$$;
