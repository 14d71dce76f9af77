-- Watching over the money: what must always hold, checked every few minutes, and every day closed.
set lock_timeout = '5s';

create table private.findings (
    finding text not null,
    subject text not null,
    first_seen_at timestamptz not null default now(),
    last_seen_at timestamptz not null default now(),
    cleared_at timestamptz,
    constraint findings_pkey primary key (finding, subject)
);
alter table private.findings enable row level security;
create index findings_cleared_at_idx on private.findings (cleared_at);
comment on table private.findings is
'What must hold and did not: since when, and until when.';

create table private.ledger_days (
    day date not null,
    seal_id bigint,
    transaction_count bigint not null,
    trial_balance jsonb not null,
    findings jsonb not null,
    closed_at timestamptz not null default now(),
    constraint ledger_days_pkey primary key (day),
    constraint ledger_days_seal_id_fkey foreign key (seal_id)
    references private.ledger_seals on delete restrict
);
alter table private.ledger_days enable row level security;
create index ledger_days_seal_id_idx on private.ledger_days (seal_id);
create trigger t10_refuse_change before update or delete or truncate on private.ledger_days
for each statement execute function private.refuse_change();
comment on table private.ledger_days is
'Days (UTC) that were closed: sealed, verified, with the trial balance as it was. Append-only.';

-- squawk-ignore require-concurrent-index-creation
create index escrows_open_idx on public.escrows (id) where closed_at is null;
-- squawk-ignore require-concurrent-index-creation
create index escrows_frozen_at_idx on public.escrows (frozen_at) where frozen_at is not null;
create view private.stuck_escrows with (security_invoker = true) as
select
    held.id,
    held.status,
    held.status_reason,
    held.remaining_minor,
    held.currency,
    held.review_due_at,
    held.hold_until,
    held.frozen_at,
    held.updated_at
from public.escrows as held
where
    (
        held.closed_at is null and (
            held.status in ('approved', 'releasing', 'refunding')
            or held.id in (select failure.escrow_id from private.escrow_failures as failure)
            or (
                held.frozen_at is null and held.status in ('work_submitted', 'under_review')
                and held.review_due_at < now() - interval '2 hours'
            )
            or (held.remaining_minor > 0 and held.hold_until < now() and held.status = 'disputed')
            or (held.status = 'disputed' and held.updated_at < now() - interval '14 days')
            or (held.status = 'payment_processing' and held.updated_at < now() - interval '3 days')
        )
    )
    or held.frozen_at < now() - interval '120 days';
comment on view private.stuck_escrows is
'Escrows that nobody moves: failed releases, disputes of two weeks, holds that ran out.';
create function private.in_sight_since(findings text[], span interval) returns timestamptz
language sql stable security definer set search_path = '' as $$
    select least(now(), (
        select min(known.first_seen_at) from private.findings as known
        where known.finding = any (in_sight_since.findings) and known.cleared_at is null
    )) - in_sight_since.span
$$;
comment on function private.in_sight_since is
'From when on a check looks: so long ago; longer, while what was found before is not solved.';

create function private.open_days() returns setof date
language sql stable security definer set search_path = '' as $$
    select days.day::date
    from generate_series(
        (
            select (first.posted_at at time zone 'UTC')::date
            from public.ledger_transactions as first
            order by first.id
            limit 1
        ),
        (now() at time zone 'UTC')::date - 1,
        '1 day'
    ) as days (day)
    where not exists (
        select from private.ledger_days as closed where closed.day = days.day::date
    )
    order by days.day
$$;
comment on function private.open_days is
'Days (UTC) since the first posting that are over and not closed, oldest first.';

create function private.check_invariants()
returns table (finding text, subject text)
language sql stable security definer set search_path = '' as $$
    with balances as (
        select account.currency, account.posted_minor as minor from public.ledger_accounts as account
        union all
        select account.currency, fold.balance_minor
        from private.ledger_folds as fold
        inner join public.ledger_accounts as account on fold.account_id = account.id
        union all
        select account.currency, unfolded.amount_minor
        from private.ledger_unfolded as unfolded
        inner join public.ledger_accounts as account on unfolded.account_id = account.id
    ),
    held as (
        select open.id, open.remaining_minor, open.currency from public.escrows as open
        where open.remaining_minor > 0
        union all
        select open.id, open.remaining_minor, open.currency from public.bookings as open
        where open.remaining_minor > 0
    ),
    escrow_accounts as (
        select account.subject_id, account.posted_minor, account.currency
        from public.ledger_accounts as account
        where account.kind = 'escrow' and account.posted_minor <> 0
    ),
    pending as (
        select reserved.* from public.ledger_reservations as reserved
        where reserved.status = 'pending'
    )
    select 'money does not sum to zero', balances.currency::text
    from balances group by balances.currency having sum(balances.minor) <> 0
    union all
    select
        'held money differs from its ledger account',
        coalesce(held.id, escrow_accounts.subject_id)::text
    from held
    full join escrow_accounts
        on held.id = escrow_accounts.subject_id and held.currency = escrow_accounts.currency
    where held.remaining_minor is distinct from escrow_accounts.posted_minor
    union all
    select 'reserved differs from its reservations', format('account %s', account.id)
    from public.ledger_accounts as account
    full join (
        select pending.account_id, sum(pending.amount_minor) as minor from pending
        group by pending.account_id
    ) as sums on account.id = sums.account_id
    where account.reserved_minor <> coalesce(sums.minor, 0)
    union all
    select 'reservation without its cause', format('reservation %s', pending.id)
    from pending
    where pending.expires_at is null
        and not exists (
            select from public.withdrawals as open
            where open.reservation_id = pending.id
                and open.status in ('requested', 'reserved', 'sending', 'unknown', 'sent')
        )
        and not exists (
            select from public.refunds as open
            where open.reservation_id = pending.id and open.status not in ('succeeded', 'failed')
        )
        and not exists (
            select from public.payment_disputes as open
            where open.reservation_id = pending.id and open.status = 'open'
        )
    union all
    select
        'a provider''s answer is unknown for an hour',
        format('%s of %s at %s', asked.action, asked.subject_id, asked.provider)
    from private.provider_requests as asked
    where asked.closed_at is null and asked.created_at < now() - case asked.action
        -- given up after an hour, by the next look
        when 'payments.open_account' then interval '2 hours' else interval '1 hour'
    end
    union all
    select 'a refund waits for an hour', format('refund %s', waiting.id)
    from public.refunds as waiting
    where waiting.status = 'requested' and waiting.created_at < now() - interval '1 hour'
        -- or for a bank, which takes its time
        and not exists (
            select from public.payment_disputes as asked
            where asked.payment_id = waiting.payment_id and asked.status = 'open'
        )
    union all
    -- the slowest ways take ten working days
    select 'a refund is on its way for two weeks', format('refund %s', waiting.id)
    from public.refunds as waiting
    where waiting.status = 'sent' and waiting.created_at < now() - interval '14 days'
    union all
    -- evidence is weighed for weeks after its last day, all of it for months
    select
        'a payment dispute is open for long',
        format('payment dispute %s, %s at %s', asked.id, asked.reference, asked.provider)
    from public.payment_disputes as asked
    where asked.status = 'open' and (
        asked.due_at < now() - interval '30 days'
        or asked.created_at < now() - interval '120 days'
    )
    union all
    select 'an event waits for ten minutes', format('event %s of %s', kept.id, kept.provider)
    from private.webhook_events as kept
    where kept.status = 'kept' and kept.received_at < now() - interval '10 minutes'
    union all
    select
        'an event was not booked',
        format('event %s of %s: %s', kept.id, kept.provider, kept.note)
    from private.webhook_events as kept
    where kept.status = 'failed'
    union all
    select 'an escrow is stuck', format('escrow %s, %s', stuck.id, stuck.status)
    from private.stuck_escrows as stuck
    union all
    select 'withdrawal stuck', format('withdrawal %s, %s', stuck.id, stuck.status)
    from private.stuck_withdrawals as stuck
    union all
    select stuck.finding, concat_ws(': ', 'booking ' || stuck.id, stuck.reason)
    from private.stuck_bookings as stuck
    union all
    select told.finding, told.subject
    from private.check_billing(private.in_sight_since(
        array['invoice differs from its postings', 'more went back than was paid'],
        interval '2 days'
    )) as told
    union all
    select 'postings wait for a seal', format('%s since %s', count(*), min(moved.posted_at))
    from public.ledger_transactions as moved
    where moved.id > coalesce((
        select upper(seal.transaction_ids) - 1 from private.ledger_seals as seal
        order by seal.id desc limit 1
    ), 0)
    having min(moved.posted_at) < now() - interval '30 minutes'
    union all
    select 'a day was not closed', open.day::text
    from private.open_days() as open (day)
    where open.day < (now() at time zone 'UTC')::date - 1
    union all
    select
        'provider and ledger differ',
        format(
            '%s %s %s: %s', told.provider, told.kind, told.reference, told.difference
        )
    from private.find_differences(private.in_sight_since(
        array['provider and ledger differ'], interval '45 days'
    )) as told
    union all
    select
        'a report was not read for two days', format('%s for %s', unread.provider, unread.day)
    from private.find_unread_reports(private.in_sight_since(
        array['a report was not read for two days'], interval '45 days'
    )) as unread
$$;

comment on function private.check_invariants is
$$What must hold of all money at any time and does not: no row means that all is well.

Cheap enough for every few minutes, however much is over: of escrows, bookings, withdrawals and
requests what is open, of invoices what changed in two days, of what providers report 45 days, and
what was found before and is not solved. Of accounts all, for their sum.
private.check_everything looks at the rest as well, once a day.$$;

create function private.check_everything() returns table (finding text, subject text)
language sql stable security definer set search_path = '' as $$
    select told.finding, told.subject from private.check_invariants() as told
    union
    select told.finding, told.subject from private.check_escrows() as told
    union
    select told.finding, told.subject from private.check_bookings() as told
    union
    select told.finding, told.subject from private.check_withdrawals() as told
    union
    select told.finding, told.subject from private.check_billing() as told
    union
    select
        'a payment says otherwise than what went back of it',
        format('payment %s at %s', paid.reference, paid.provider)
    from public.payments as paid
    left join (
        select sent.payment_id, sum(sent.amount_minor) as minor
        from public.refunds as sent
        where sent.status = 'succeeded' and sent.reservation_id is not null
        group by sent.payment_id
    ) as ours on paid.id = ours.payment_id
    where paid.refunded_minor <> coalesce(ours.minor, 0)
        or paid.charged_back_minor <> private.charged_back_of(paid)
    union
    select
        'provider and ledger differ',
        format(
            '%s %s %s: %s', told.provider, told.kind, told.reference, told.difference
        )
    from private.find_differences() as told
    union
    select
        'a report was not read for two days', format('%s for %s', unread.provider, unread.day)
    from private.find_unread_reports() as unread
$$;
comment on function private.check_everything is
$$What must hold of all money and does not, from its beginning: no row means that all is well.

Takes longer the more there was: for `close_day` and `guildhall ledger check`. What the ledger says
of itself is private.verify_ledger's.$$;

create view private.doubtful_requests with (security_invoker = true) as
select
    asked.id,
    asked.provider,
    asked.action,
    asked.subject_id,
    asked.status,
    asked.tries,
    asked.note,
    asked.created_at,
    asked.look_at
from private.provider_requests as asked
where asked.closed_at is null;
comment on view private.doubtful_requests is
'Calls to providers that are under way or whose answer is unknown; the reconciler asks again.';

create view private.failed_events with (security_invoker = true) as
select
    kept.id,
    kept.provider,
    kept.kind,
    kept.event_id,
    kept.status,
    kept.note,
    kept.received_at
from private.webhook_events as kept
where kept.status = 'failed' or (
    kept.status = 'kept' and kept.received_at < now() - interval '10 minutes'
);
comment on view private.failed_events is
'Events that could not be booked, or wait; `guildhall webhooks replay` processes them again.';

create view private.debts with (security_invoker = true) as
select
    account.owner_id,
    account.currency,
    account.posted_minor,
    account.last_posted_at
from public.ledger_accounts as account
where account.kind = 'available' and account.posted_minor < 0;
comment on view private.debts is
'Balances below zero: taken back after a withdrawal; set off by what is earned next.';

create function private.watch_invariants() returns bigint
language plpgsql security definer set search_path = '' as $$
declare
    v_count bigint;
begin
    perform pg_advisory_xact_lock(hashtextextended('ops.watch', 0));
    with seen as (
        select distinct told.finding, left(told.subject, 300) as subject
        from private.check_invariants() as told
    ),
    kept as (
        insert into private.findings as known (finding, subject)
        select seen.finding, seen.subject from seen
        on conflict on constraint findings_pkey do update
        set last_seen_at = now(), cleared_at = null,
            first_seen_at = case when known.cleared_at is null then known.first_seen_at
                else now() end
        returning 1
    ),
    cleared as (
        update private.findings as known set cleared_at = now()
        where known.cleared_at is null and not exists (
            select from seen
            where seen.finding = known.finding and seen.subject = known.subject
        )
    )
    select count(*) into v_count from kept;
    return v_count;
end;
$$;
comment on function private.watch_invariants is
'Check the invariants and keep what was found, until it holds again; how many there are.';

create function private.close_day(day date) returns bigint
language plpgsql security definer set search_path = '' as $$
declare
    v_end timestamptz := (close_day.day + 1)::timestamp at time zone 'UTC';
    v_findings jsonb;
begin
    perform pg_advisory_xact_lock(hashtextextended('ops.close_day', 0));
    if v_end > now() or exists (
        select from private.ledger_days as closed where closed.day = close_day.day
    ) then
        return null;
    end if;
    perform private.fold_balances();
    while private.seal_next() loop
        null;
    end loop;
    select coalesce(jsonb_agg(jsonb_build_array(told.finding, told.subject)), '[]')
    into v_findings
    from (
        select * from private.verify_ledger()
        union
        select * from private.check_everything() as whole
        -- this one is being closed, and those after it have their turn
        where whole.finding <> 'a day was not closed'
    ) as told;
    insert into private.ledger_days (day, seal_id, transaction_count, trial_balance, findings)
    select
        close_day.day,
        (select max(seal.id) from private.ledger_seals as seal),
        (
            select count(*) from public.ledger_transactions as moved
            where moved.posted_at >= v_end - interval '1 day' and moved.posted_at < v_end
        ),
        coalesce(jsonb_agg(jsonb_build_object(
            'currency', total.currency, 'kind', total.kind, 'balance_minor', total.minor
        ) order by total.currency, total.kind), '[]'),
        v_findings
    from (
        select account.currency, account.kind, sum(entry.amount_minor)::bigint as minor
        from public.ledger_entries as entry
        inner join public.ledger_accounts as account on entry.account_id = account.id
        where entry.posted_at < v_end
        group by account.currency, account.kind
    ) as total;
    return jsonb_array_length(v_findings);
end;
$$;
comment on function private.close_day is
$$Close a day that is over: seal it, verify everything, keep its trial balance; how many findings.

Null: not over, or closed before.$$;

create function private.close_next_day() returns table (day date, findings bigint)
language sql security definer set search_path = '' as $$
    select open.day, private.close_day(open.day)
    from private.open_days() as open (day)
    limit 1
$$;
comment on function private.close_next_day is
'Close the oldest day that is open: the day, and how many findings; no row: none is.';

create function private.list_findings()
returns table (finding text, subject text, first_seen_at timestamptz, last_seen_at timestamptz)
language plpgsql stable security definer set search_path = '' as $$
begin
    if not private.is_operator() then
        perform private.reject('identity.operator_required', 'moderator');
    end if;
    return query
    select known.finding, known.subject, known.first_seen_at, known.last_seen_at
    from private.findings as known
    where known.cleared_at is null
    order by known.first_seen_at;
end;
$$;
create function public.list_findings()
returns table (finding text, subject text, first_seen_at timestamptz, last_seen_at timestamptz)
language sql stable set search_path = '' as $$ select * from private.list_findings() $$;
comment on function public.list_findings is
$$What is wrong with money right now, for operators; no row: nothing.

Errors: identity.operator_required (403).$$;

create function private.get_trial_balance()
returns table (currency text, kind text, accounts bigint, balance_minor bigint)
language plpgsql stable security definer set search_path = '' as $$
begin
    if not private.is_operator() then
        perform private.reject('identity.operator_required', 'moderator');
    end if;
    return query
    select
        account.currency::text, account.kind::text, count(*),
        sum(private.account_balance(account.id))::bigint
    from public.ledger_accounts as account
    group by account.currency, account.kind
    order by account.currency, account.kind;
end;
$$;
create function public.get_trial_balance()
returns table (currency text, kind text, accounts bigint, balance_minor bigint)
language sql stable set search_path = '' as $$ select * from private.get_trial_balance() $$;
comment on function public.get_trial_balance is
$$What all accounts of a kind hold together, for operators; each currency sums to zero.

Minor units. Errors: identity.operator_required (403).$$;

create function private.figures()
returns table (name text, labels jsonb, value double precision)
language sql stable security definer set search_path = '' as $$
    select 'guildhall_findings', jsonb_build_object('finding', known.finding), count(*)::float8
    from private.findings as known where known.cleared_at is null group by known.finding
    union all
    select
        'guildhall_payment_attempts',
        jsonb_build_object('provider', tried.provider, 'status', tried.status), count(*)::float8
    from public.payment_attempts as tried
    where tried.updated_at > now() - interval '1 hour'
    group by tried.provider, tried.status
    union all
    select
        'guildhall_payments_minor',
        jsonb_build_object('provider', paid.provider, 'currency', paid.currency),
        sum(paid.amount_minor)::float8
    from public.payments as paid
    where paid.created_at > now() - interval '1 hour'
    group by paid.provider, paid.currency
    union all
    select 'guildhall_escrows', jsonb_build_object('status', held.status), count(*)::float8
    from public.escrows as held group by held.status
    union all
    select 'guildhall_bookings', jsonb_build_object('status', held.status), count(*)::float8
    from public.bookings as held group by held.status
    union all
    select 'guildhall_withdrawals', jsonb_build_object('status', asked.status), count(*)::float8
    from public.withdrawals as asked
    where asked.status in ('requested', 'reserved', 'sending', 'unknown', 'sent')
    group by asked.status
    union all
    select
        'guildhall_withdrawal_oldest_seconds', '{}'::jsonb,
        coalesce(extract(epoch from now() - min(asked.created_at)), 0)::float8
    from public.withdrawals as asked
    -- what is sent may wait a month for its receiver: check_withdrawals looks after that
    where asked.status in ('requested', 'reserved', 'sending', 'unknown')
    union all
    select
        'guildhall_doubtful_requests', jsonb_build_object('provider', asked.provider),
        count(*)::float8
    from private.provider_requests as asked
    where asked.status = 'unknown' group by asked.provider
    union all
    select
        'guildhall_inbox_oldest_seconds', '{}'::jsonb,
        coalesce(extract(epoch from now() - min(kept.received_at)), 0)::float8
    from private.webhook_events as kept where kept.status = 'kept'
    union all
    select 'guildhall_inbox', jsonb_build_object('status', kept.status), count(*)::float8
    from private.webhook_events as kept where kept.status in ('kept', 'failed')
    group by kept.status
    union all
    select 'guildhall_jobs', jsonb_build_object('status', job.status), count(*)::float8
    from procrastinate.procrastinate_jobs as job
    where job.status in ('todo', 'doing', 'failed') group by job.status
    union all
    select 'guildhall_debts_minor', jsonb_build_object('currency', owed.currency),
        -sum(owed.posted_minor)::float8
    from private.debts as owed group by owed.currency
    union all
    select
        'guildhall_unread_reports', jsonb_build_object('provider', unread.provider),
        count(*)::float8
    from private.find_unread_reports(private.in_sight_since(
        array['a report was not read for two days'], interval '45 days'
    )) as unread group by unread.provider
    union all
    select
        'guildhall_days_since_close', '{}'::jsonb,
        coalesce((now() at time zone 'UTC')::date - min(open.day), 0)::float8
    from private.open_days() as open (day)
    union all
    select 'guildhall_day_findings', '{}'::jsonb, coalesce((
        select jsonb_array_length(closed.findings)
        from private.ledger_days as closed
        order by closed.day desc
        limit 1
    ), 0)::float8
    union all
    select 'guildhall_workers', '{}'::jsonb, count(*)::float8
    from procrastinate.procrastinate_workers as worker
    where worker.last_heartbeat > now() - interval '1 minute'
$$;
comment on function private.figures is
'What Prometheus is told of money, queue and inbox: name, labels, value.';
