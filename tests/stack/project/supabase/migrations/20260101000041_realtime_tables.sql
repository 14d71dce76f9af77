-- Tables whose changes the realtime tests follow.
create table public.rt_items (
    id bigint generated always as identity primary key,
    owner uuid,
    title text,
    amount numeric,
    ratio double precision,
    tags text[],
    data jsonb,
    happened_at timestamptz,
    is_done boolean
);
grant select, insert, update, delete on public.rt_items to anon, authenticated, service_role;

-- visible to its owner alone
create table public.rt_owned (
    id uuid primary key default gen_random_uuid(),
    owner uuid not null,
    title text
);
alter table public.rt_owned enable row level security;
create policy rt_owned_select on public.rt_owned for select to authenticated
using (owner = (select auth.uid()));
grant select, insert, update, delete on public.rt_owned to anon, authenticated, service_role;

-- old rows whole
create table public.rt_full (
    id integer,
    part text,
    title text,
    body text,
    primary key (id, part)
);
alter table public.rt_full replica identity full;
alter table public.rt_full alter column body set storage external;
grant select, insert, update, delete on public.rt_full to anon, authenticated, service_role;

create table public.rt_full_owned (id integer primary key, owner uuid not null, title text);
alter table public.rt_full_owned replica identity full;
alter table public.rt_full_owned enable row level security;
create policy rt_full_owned_select on public.rt_full_owned for select to authenticated
using (owner = (select auth.uid()));
grant select, insert, update, delete on public.rt_full_owned to authenticated, service_role;

-- a policy that raises for some, and one column that is nobody's business
create table public.rt_raising (id integer primary key, title text, secret text);
alter table public.rt_raising enable row level security;
create policy rt_raising_select on public.rt_raising for select to authenticated
using (((select auth.jwt()) ->> 'divisor')::integer is null
    or 1 / ((select auth.jwt()) ->> 'divisor')::integer = 1);
grant select (id, title) on public.rt_raising to authenticated;
grant select, insert, update, delete on public.rt_raising to service_role;

create table public.rt_hidden_key (id integer primary key, title text);
grant select (title) on public.rt_hidden_key to authenticated;

create table public.rt_keyless (title text);
grant select, insert on public.rt_keyless to authenticated, service_role;

create table public.rt_unpublished (id integer primary key);
grant select, insert on public.rt_unpublished to anon, authenticated, service_role;

create table other.rt_elsewhere (id integer primary key, title text);
grant select, insert, update, delete on other.rt_elsewhere to anon, authenticated, service_role;

alter publication supabase_realtime add table
public.rt_items, public.rt_owned, public.rt_full, public.rt_full_owned, public.rt_raising,
public.rt_hidden_key, public.rt_keyless, other.rt_elsewhere;
