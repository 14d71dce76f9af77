-- Limits: how often somebody may ask, and requests that are carried out once.
set lock_timeout = '5s';

insert into private.error_codes (code, http_status, message) values
('ops.rate_limited', 429, 'Too many requests: wait as long as Retry-After says.'),
('ops.idempotency_key_reused', 409, 'This Idempotency-Key came before, with another request.'),
('ops.idempotency_in_flight', 409, 'The first request with this Idempotency-Key is under way.'),
('ops.idempotency_answer_lost', 409, 'This request was carried out, but its answer is lost.');

-- Tiers: a bucket holds `burst` requests and refills at `requests_per_hour`.
create table private.rate_tiers (
    tier text not null,
    requests_per_hour bigint,
    burst bigint,
    constraint rate_tiers_pkey primary key (tier),
    constraint rate_tiers_requests_per_hour_check check (requests_per_hour > 0),
    constraint rate_tiers_burst_check
    check (burst > 0 and (burst is null) = (requests_per_hour is null))
);
alter table private.rate_tiers enable row level security;
comment on table private.rate_tiers is
$$How often each tier may ask, at the api and with writes at the Data API; null: no limit.

Source: Source Impact, rate limiting.$$;
insert into private.rate_tiers (tier, requests_per_hour, burst) values
('anonymous', 100, 10), ('member', 1000, 100), ('premium', 5000, 500), ('admin', null, null);

-- plpgsql keeps its plans for the session; SQL functions would be planned for every request.
create function private.rate_tier() returns text
language plpgsql stable security definer set search_path = '' as $$
declare
    v_user uuid := auth.uid();
begin
    if auth.role() = 'service_role' then
        return 'admin';
    elsif v_user is null then
        return 'anonymous';
    elsif exists (
        select from public.role_assignments as held
        where held.user_id = v_user and held.role = 'admin'
    ) and private.is_active() then
        return 'admin';
    end if;
    return 'member';
end;
$$;
comment on function private.rate_tier is
'The caller''s tier in private.rate_tiers; the service key counts as an admin.';

create function private.rate_limit()
returns table (tier text, requests_per_hour bigint, burst bigint)
language plpgsql stable security definer set search_path = '' as $$
declare
    v_tier text := private.rate_tier();
begin
    return query
    select known.tier, known.requests_per_hour, known.burst
    from private.rate_tiers as known
    where known.tier = v_tier;
end;
$$;
comment on function private.rate_limit is 'The caller''s tier and what it allows.';

-- One row a caller; a crash may forget it. Room on the page lets updates stay there (HOT).
create unlogged table private.request_rates (
    key text not null,
    due_at timestamptz not null,
    constraint request_rates_pkey primary key (key)
) with (fillfactor = 50);
alter table private.request_rates enable row level security;
comment on table private.request_rates is
'When each caller''s bucket will be full again: writes at the Data API, counted by the request.';

create function private.spend_request(key text, requests_per_hour bigint, burst bigint)
returns interval
language plpgsql security definer set search_path = '' as $$
declare
    v_step interval := interval '1 hour' / spend_request.requests_per_hour;
    v_now timestamptz := clock_timestamp();
    v_wait interval;
begin
    insert into private.request_rates as spent (key, due_at)
    values (spend_request.key, v_now + v_step)
    on conflict on constraint request_rates_pkey do update
    set due_at = greatest(spent.due_at, v_now) + v_step
    where greatest(spent.due_at, v_now) + v_step <= v_now + v_step * spend_request.burst;
    if found then
        return null;
    end if;
    select spent.due_at + v_step - v_step * spend_request.burst - v_now into v_wait
    from private.request_rates as spent
    where spent.key = spend_request.key;
    return v_wait;
end;
$$;
comment on function private.spend_request is
$$Take one request from a bucket: null when it had one, else how long until it will.

The caller's row stays locked until the transaction ends, so parallel writes of one caller queue.$$;

create function private.client_address() returns text
language sql stable security definer set search_path = '' as $$
    with request as (
        select coalesce(
            shown.headers ->> 'cf-connecting-ip',
            btrim(split_part(shown.headers ->> 'x-forwarded-for', ',', -1))
        ) as address
        from (
            select nullif(current_setting('request.headers', true), '')::json as headers
        ) as shown
    )
    select case
        when not coalesce(pg_catalog.pg_input_is_valid(request.address, 'inet'), false)
            then 'unknown'
        when family(request.address::inet) = 6
            then network(set_masklen(request.address::inet, 64))::text
        else host(request.address::inet)
    end
    from request
$$;
comment on function private.client_address is
$$Where a Data API request came from, as the gateway saw it: an IPv4 address, or an IPv6 /64.

Hosted, Cloudflare's own header; elsewhere what the gateway added last to X-Forwarded-For.$$;

create function private.check_request() returns void
language plpgsql security definer set search_path = '' as $$
declare
    v_limit private.rate_tiers;
    v_tier text;
    v_wait interval;
begin
    -- a function that only reads is called by POST, too, in a transaction that cannot write
    if coalesce(current_setting('request.method', true), '') in ('', 'GET', 'HEAD', 'OPTIONS')
        or current_setting('transaction_read_only') = 'on'
    then
        return;
    end if;
    v_tier := private.rate_tier();
    select known.* into v_limit from private.rate_tiers as known where known.tier = v_tier;
    if v_limit.requests_per_hour is null then
        return;
    end if;
    v_wait := private.spend_request(
        coalesce('user:' || (select auth.uid()), 'address:' || private.client_address()),
        v_limit.requests_per_hour, v_limit.burst
    );
    if v_wait is not null then
        perform private.reject(
            'ops.rate_limited', v_limit.tier,
            json_build_object('Retry-After', ceil(extract(epoch from v_wait))::text)
        );
    end if;
end;
$$;
comment on function private.check_request is
$$Before each request of the Data API: writes count against the caller's tier.

A refused or failed write is rolled back and does not count.
Errors: ops.rate_limited (429) with Retry-After.$$;
alter role authenticator set pgrst.db_pre_request = 'private.check_request'; -- noqa: PRS
notify pgrst, 'reload config';

-- Requests at the api that carry an Idempotency-Key.
create table private.idempotency_keys (
    caller text not null,
    route text not null,
    key text not null,
    request_hash bytea not null,
    attempt uuid not null default gen_random_uuid(),
    status text not null default 'in_flight',
    answer_status bigint,
    answer_type text,
    answer_body bytea,
    started_at timestamptz not null default now(),
    created_at timestamptz not null default now(),
    constraint idempotency_keys_pkey primary key (caller, route, key),
    constraint idempotency_keys_attempt_key unique (attempt),
    constraint idempotency_keys_status_check
    check (status in ('in_flight', 'committed', 'answered')),
    constraint idempotency_keys_answer_status_check
    check ((answer_status is not null) = (status = 'answered'))
);
alter table private.idempotency_keys enable row level security;
create index idempotency_keys_created_at_idx on private.idempotency_keys (created_at);
comment on table private.idempotency_keys is
'Keys of requests and their answers, for 24 hours: the same key is carried out once.';
comment on column private.idempotency_keys.attempt is
'Who carries it out now; one that was thought dead cannot commit under its old attempt.';
comment on column private.idempotency_keys.status is
'in_flight: nothing is done yet; committed: done, not answered; answered: the answer is kept.';

create function private.begin_request(
    caller text, route text, key text, request_hash bytea, stale_after interval
)
returns table (attempt uuid, answer_status bigint, answer_type text, answer_body bytea)
language plpgsql security definer set search_path = '' as $$
declare
    v_kept private.idempotency_keys;
begin
    insert into private.idempotency_keys as made (caller, route, key, request_hash)
    values (
        begin_request.caller, begin_request.route, begin_request.key, begin_request.request_hash
    )
    on conflict on constraint idempotency_keys_pkey do update
    -- too old to matter: the key begins anew
    set request_hash = excluded.request_hash, attempt = excluded.attempt, status = 'in_flight',
        answer_status = null, answer_type = null, answer_body = null,
        started_at = now(), created_at = now()
    where made.created_at < now() - interval '24 hours'
    returning made.* into v_kept;
    if found then
        attempt := v_kept.attempt;
        return next;
        return;
    end if;
    select known.* into v_kept from private.idempotency_keys as known
    where known.caller = begin_request.caller and known.route = begin_request.route
        and known.key = begin_request.key
    for update;
    if not found then  -- given back this moment: its client may ask again
        perform private.reject('ops.idempotency_in_flight');
    end if;
    if v_kept.request_hash <> begin_request.request_hash then
        perform private.reject('ops.idempotency_key_reused');
    end if;
    if v_kept.status = 'answered' then
        return query select null::uuid, v_kept.answer_status, v_kept.answer_type, v_kept.answer_body;
        return;
    end if;
    if v_kept.started_at >= now() - begin_request.stale_after then
        perform private.reject('ops.idempotency_in_flight');
    end if;
    if v_kept.status = 'committed' then
        perform private.reject('ops.idempotency_answer_lost');
    end if;
    update private.idempotency_keys as known
    set attempt = gen_random_uuid(), started_at = now()
    where known.attempt = v_kept.attempt
    returning known.attempt into attempt;
    return next;
end;
$$;
comment on function private.begin_request is
$$Claim a key: an `attempt` to carry out, or the answer that was given before.

An attempt without result for `stale_after` is taken for dead, and the next one takes over.
Errors: ops.idempotency_key_reused (409), ops.idempotency_in_flight (409),
ops.idempotency_answer_lost (409).$$;

create function private.commit_request(attempt uuid) returns void
language plpgsql security definer set search_path = '' as $$
begin
    update private.idempotency_keys as known set status = 'committed'
    where known.attempt = commit_request.attempt and known.status in ('in_flight', 'committed');
    if not found then
        perform private.reject('ops.idempotency_in_flight');
    end if;
end;
$$;
comment on function private.commit_request is
$$Mark an attempt as carried out, last in the transaction of its work.

Errors: ops.idempotency_in_flight (409) when another attempt took over; the work rolls back.$$;

create function private.finish_request(
    attempt uuid, answer_status bigint, answer_type text, answer_body bytea, is_final boolean
)
returns void
language plpgsql security definer set search_path = '' as $$
begin
    if not finish_request.is_final then
        delete from private.idempotency_keys as known
        where known.attempt = finish_request.attempt and known.status = 'in_flight';
        if found then
            return;
        end if;
    end if;
    update private.idempotency_keys as known
    set status = 'answered', answer_status = finish_request.answer_status,
        answer_type = finish_request.answer_type, answer_body = finish_request.answer_body
    where known.attempt = finish_request.attempt and known.status <> 'answered';
end;
$$;
comment on function private.finish_request is
'Keep an attempt''s answer. One that is not final gives the key back, unless work was committed.';

create function private.prune_limits() returns bigint
language plpgsql security definer set search_path = '' as $$
declare
    v_keys bigint;
    v_rates bigint;
begin
    delete from private.idempotency_keys where created_at < now() - interval '24 hours';
    get diagnostics v_keys = row_count;
    delete from private.request_rates where due_at < now();
    get diagnostics v_rates = row_count;
    return v_keys + v_rates;
end;
$$;
comment on function private.prune_limits is
'Forget full buckets and keys older than a day; the number of rows. Run it every hour.';

create function private.readiness()
returns table (latest_migration text, waiting_jobs bigint, workers bigint)
language plpgsql stable security definer set search_path = '' as $$
begin
    -- only the official CLI keeps this table
    if to_regclass('supabase_migrations.schema_migrations') is not null then
        execute 'select max(version) from supabase_migrations.schema_migrations'
        into latest_migration;
    end if;
    select count(*) into waiting_jobs from (
        select from procrastinate.procrastinate_jobs as job where job.status = 'todo' limit 10000
    ) as waiting;
    select count(*) into workers from procrastinate.procrastinate_workers as worker
    where worker.last_heartbeat > now() - interval '1 minute';
    return next;
end;
$$;
comment on function private.readiness is
'What a probe asks: the newest migration, jobs that wait (10,000 at most), workers alive.';
