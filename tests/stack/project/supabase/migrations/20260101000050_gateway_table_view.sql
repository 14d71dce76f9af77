-- What the table view is shown: names that want quoting, policies, a view that tries to write.
create schema "table view; drop";
grant usage on schema "table view; drop" to anon, authenticated;

create table "table view; drop"."we""ird <b>" (
    id int primary key,
    owner uuid,
    "col ""%s"" 100%" text,
    note text default 'x'
);
alter table "table view; drop"."we""ird <b>" enable row level security;
create policy select_own on "table view; drop"."we""ird <b>" for select to authenticated
using ((select auth.uid()) = owner);
grant select on "table view; drop"."we""ird <b>" to authenticated;
insert into "table view; drop"."we""ird <b>" values
(1, '11111111-1111-4111-8111-111111111111', '<script>alert(1)</script>', 'mine'),
(2, '22222222-2222-4222-8222-222222222222', '100% of '' "quotes" \ and _', 'yours'),
(3, null, null, null);

create table "table view; drop".many (id int primary key, name text);
insert into "table view; drop".many select n, 'name ' || n from generate_series(1, 120) as n;

create function "table view; drop".writes() returns int
language plpgsql volatile as $$
begin
    insert into "table view; drop".many values (-1, 'written');
    return 1;
end;
$$;
create view "table view; drop".writer as select "table view; drop".writes() as written;

create function "table view; drop".unlocks() returns int
language plpgsql volatile as $$
begin
    perform set_config('transaction_read_only', 'off', true);
    return "table view; drop".writes();
end;
$$;
create view "table view; drop".unlocker as select "table view; drop".unlocks() as written;

create view "table view; drop".sleeper as select pg_sleep(10)::text as slept;

-- newest for ever: the table view offers the latest users, and other tests make hundreds
insert into auth.users (id, email, aud, role, created_at) values
(
    '11111111-1111-4111-8111-111111111111', 'table-view@example.com', 'authenticated',
    'authenticated', '2100-01-01'
);
