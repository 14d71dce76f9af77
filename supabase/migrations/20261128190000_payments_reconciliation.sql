-- What providers say moved, beside what our ledger says: kept per day, every difference listed.
set lock_timeout = '5s';

create table private.provider_movements (
    provider text not null,
    kind text not null,
    line text not null,
    reference text not null,
    currency public.currency_code not null,
    amount_minor bigint not null,
    fee_minor bigint not null default 0,
    moved_at timestamptz not null,
    constraint provider_movements_pkey primary key (provider, kind, line, currency),
    constraint provider_movements_provider_fkey foreign key (provider)
    references private.providers on delete restrict,
    constraint provider_movements_kind_check
    check (kind in ('payment', 'refund', 'withdrawal', 'dispute', 'other'))
);
alter table private.provider_movements enable row level security;
create index provider_movements_moved_at_idx on private.provider_movements (moved_at);
create index provider_movements_reference_idx on private.provider_movements
(provider, kind, reference);
comment on table private.provider_movements is
'The providers'' own reports, line by line: signed minor units, in above zero.';
comment on column private.provider_movements.line is
'The report''s own id of the line; where it has none, what moved and when.';

create table private.reconciled_days (
    provider text not null,
    day date not null,
    movements bigint not null,
    reconciled_at timestamptz not null default now(),
    constraint reconciled_days_pkey primary key (provider, day),
    constraint reconciled_days_provider_fkey foreign key (provider)
    references private.providers on delete restrict
);
alter table private.reconciled_days enable row level security;
comment on table private.reconciled_days is
'Days (UTC) whose report was read whole: what is ours and not in it is a difference.';

create function private.import_movement(
    provider text, kind text, reference text, amount_minor bigint, currency text,
    fee_minor bigint, moved_at timestamptz, key uuid default null, line text default null
) returns void
language plpgsql security definer set search_path = '' as $$
declare
    v_withdrawal uuid;
    v_reference text;
begin
    if import_movement.kind = 'withdrawal' then
        -- a report may name it by an id of its own, and by our key
        select sent.id, sent.reference into v_withdrawal, v_reference
        from private.provider_requests as asked
        inner join public.withdrawals as sent on asked.subject_id = sent.id
        where asked.id = import_movement.key and asked.provider = import_movement.provider;
        if not found then
            select sent.id, sent.reference into v_withdrawal, v_reference
            from public.withdrawals as sent
            where sent.provider = import_movement.provider
                and sent.reference = import_movement.reference;
        end if;
    end if;
    import_movement.line := coalesce(
        import_movement.line, format('%s %s', import_movement.reference, import_movement.moved_at)
    );
    import_movement.reference := coalesce(v_reference, import_movement.reference);
    insert into private.provider_movements as known
        (provider, kind, line, reference, currency, amount_minor, fee_minor, moved_at)
    values (
        import_movement.provider, import_movement.kind, import_movement.line,
        import_movement.reference, import_movement.currency, import_movement.amount_minor,
        import_movement.fee_minor, import_movement.moved_at
    )
    on conflict on constraint provider_movements_pkey do update
    set reference = excluded.reference, amount_minor = excluded.amount_minor,
        fee_minor = excluded.fee_minor, moved_at = excluded.moved_at;
    if import_movement.fee_minor < 0 then
        -- given back with what it was for: not the same line as the one that took it
        import_movement.reference := import_movement.reference || ':returned';
    end if;
    if import_movement.fee_minor > 0 and v_withdrawal is not null then
        perform private.record_withdrawal_fee(v_withdrawal, import_movement.fee_minor);
    elsif import_movement.fee_minor <> 0 then
        perform private.book_provider_fee(
            import_movement.provider, import_movement.reference, import_movement.fee_minor,
            import_movement.currency
        );
    end if;
end;
$$;
comment on function private.import_movement is
'Keep one line of a provider''s report, and book the fee that it names or gives back, once.';

create function private.finish_day(provider text, day date, movements bigint) returns void
language sql security definer set search_path = '' as $$
    insert into private.reconciled_days as known (provider, day, movements)
    values (finish_day.provider, finish_day.day, finish_day.movements)
    on conflict on constraint reconciled_days_pkey do update
    set movements = excluded.movements, reconciled_at = now()
$$;
comment on function private.finish_day is 'A provider''s report of a day was read to its end.';

create function private.days_to_read(provider text) returns setof date
language sql stable security definer set search_path = '' as $$
    with days as (
        select days.day::date as day, known.reconciled_at
        from generate_series(
            (now() at time zone 'UTC')::date - 30, (now() at time zone 'UTC')::date - 1, '1 day'
        ) as days (day)
        left join private.reconciled_days as known
            on known.provider = days_to_read.provider and known.day = days.day::date
    ),
    wanted as (
        select
            days.day,
            -- providers finish their reports late: two days are read again and again
            days.day >= (now() at time zone 'UTC')::date - 2 as is_late
        from days
        where days.reconciled_at is null
            or days.reconciled_at < (days.day + 2)::timestamp at time zone 'UTC'
            or days.day >= (now() at time zone 'UTC')::date - 2
    )
    select wanted.day from wanted where wanted.is_late
    union all (
        select wanted.day from wanted where not wanted.is_late
        order by wanted.day
        limit 8
    )
    order by day
$$;
comment on function private.days_to_read is
$$The days (UTC) whose report a provider is asked for now, oldest first.

Yesterday, the day before, and of the last 30 days the eight oldest that were not read when they
were two days old: so many at a time.$$;

create function private.find_unread_reports(since timestamptz default '-infinity')
returns table (provider text, day date)
-- not sql: each span of time deserves a plan of its own
language plpgsql stable security definer set search_path = '' as $$
begin
    return query
    select distinct made.provider, made.day
    from (
        select paid.provider, (paid.created_at at time zone 'UTC')::date as day
        from public.payments as paid
        where paid.created_at >= since
        union all
        select sent.provider, (sent.updated_at at time zone 'UTC')::date
        from public.refunds as sent
        where sent.updated_at >= since and sent.reference is not null
        union all
        select sent.provider, (sent.updated_at at time zone 'UTC')::date
        from public.withdrawals as sent
        where sent.updated_at >= since and sent.reference is not null
    ) as made
    inner join private.providers as known on made.provider = known.provider
    where known.tells_movements and made.day < (now() at time zone 'UTC')::date - 2
        and not exists (
            select from private.reconciled_days as done
            where done.provider = made.provider and done.day = made.day
                and done.reconciled_at >= (made.day + 1)::timestamp at time zone 'UTC'
        );
end;
$$;
comment on function private.find_unread_reports is
$$Days (UTC) with business at a provider whose report was not read in the two days after them.

`since`: of what was touched from then on.$$;

create function private.find_differences(since timestamptz default '-infinity')
returns table (
    provider text, kind text, reference text, currency text, provider_minor bigint,
    ledger_minor bigint, moved_at timestamptz, difference text
)
-- not sql: each span of time deserves a plan of its own
language plpgsql stable security definer set search_path = '' as $$
begin
    return query
    with touched as (
        select moved.provider, moved.kind, moved.reference from private.provider_movements as moved
        where moved.moved_at >= since
        union
        select paid.provider, 'payment', paid.reference from public.payments as paid
        where paid.created_at >= since
        union
        select sent.provider, 'refund', sent.reference from public.refunds as sent
        where sent.updated_at >= since and sent.reference is not null
        union
        select sent.provider, 'withdrawal', sent.reference from public.withdrawals as sent
        where sent.updated_at >= since and sent.reference is not null
        union
        select asked.provider, 'dispute', asked.reference from public.payment_disputes as asked
        where asked.updated_at >= since
    ),
    named as (
        select touched.* from touched
        where touched.kind <> 'other'
            -- PayPal's report names cases by the transactions that they caused
            and not (touched.provider = 'paypal' and touched.kind = 'dispute')
            -- of one made for a case that was won after all the case's line brings it back
            and not (touched.kind = 'refund' and exists (
                select from public.refunds as back
                inner join public.payment_disputes as its on back.dispute_id = its.id
                where back.provider = touched.provider and back.reference = touched.reference
                    and its.status = 'won'
            ))
            -- an invoice's payments are booked by invoice, see private.check_billing
            and not exists (
                select from private.invoice_payments as billed
                where billed.provider = touched.provider and billed.reference = touched.reference
            )
            and not exists (
                select from private.invoice_reversals as billed
                where billed.provider = touched.provider and billed.reference = touched.reference
            )
    ),
    theirs as (
        select
            moved.provider, moved.kind, moved.reference,
            min(moved.currency::text) as currency,
            sum(moved.amount_minor)::bigint as minor,
            min(moved.moved_at) as moved_at
        from named
        inner join private.provider_movements as moved
            on named.provider = moved.provider and named.kind = moved.kind
            and named.reference = moved.reference
        group by moved.provider, moved.kind, moved.reference
    ),
    ours as (
        select
            paid.provider, named.kind, paid.reference, paid.currency::text as currency,
            paid.amount_minor as minor, paid.created_at as moved_at, true as is_final
        from named
        inner join public.payments as paid
            on named.provider = paid.provider and named.reference = paid.reference
        where named.kind = 'payment'
        union all
        select
            sent.provider, named.kind, sent.reference, sent.currency::text,
            case sent.status when 'succeeded' then -sent.amount_minor else 0 end,
            sent.updated_at,
            sent.status in ('succeeded', 'failed')
            or sent.created_at < now() - interval '14 days'
        from named
        inner join public.refunds as sent
            on named.provider = sent.provider and named.reference = sent.reference
        where named.kind = 'refund'
        union all
        select
            sent.provider, named.kind, sent.reference, sent.currency::text,
            case sent.status when 'paid' then -sent.amount_minor else 0 end,
            sent.updated_at,
            sent.status in ('paid', 'failed', 'returned')
            -- PayPal keeps for 30 days what nobody claims
            or sent.created_at < now() - interval '32 days'
        from named
        inner join public.withdrawals as sent
            on named.provider = sent.provider and named.reference = sent.reference
        where named.kind = 'withdrawal'
        union all
        select
            asked.provider, named.kind, asked.reference, asked.currency::text,
            case asked.status when 'lost' then -asked.amount_minor else 0 end,
            asked.updated_at,
            asked.status <> 'open' or asked.created_at < now() - interval '120 days'
        from named
        inner join public.payment_disputes as asked
            on named.provider = asked.provider and named.reference = asked.reference
        where named.kind = 'dispute'
    )
    select
        named.provider, named.kind, named.reference,
        coalesce(theirs.currency, ours.currency),
        theirs.minor, ours.minor,
        coalesce(theirs.moved_at, ours.moved_at),
        case
            when ours.reference is null then 'the ledger does not know it'
            when theirs.reference is null then 'the provider does not report it'
            else 'the amounts differ'
        end
    from named
    left join theirs
        on named.provider = theirs.provider and named.kind = theirs.kind
        and named.reference = theirs.reference
    left join ours
        on named.provider = ours.provider and named.kind = ours.kind
        and named.reference = ours.reference
    where coalesce(theirs.minor, 0) <> coalesce(ours.minor, 0)
        -- what is under way is no difference yet, for as long as it may take
        and coalesce(ours.is_final, true)
        -- reported in the currency that it was settled in, which is not the payer's
        and coalesce(theirs.currency = ours.currency, true)
        -- an event may be a little later than the report, a report later than the event
        and (ours.reference is not null or theirs.moved_at < now() - interval '1 hour')
        and (theirs.reference is not null or exists (
            select from private.reconciled_days as done
            where done.provider = ours.provider
                and done.day = (ours.moved_at at time zone 'UTC')::date
                and done.reconciled_at > ours.moved_at + interval '1 hour'
        ));
end;
$$;
comment on function private.find_differences is
$$What a provider's report and the ledger do not agree on; no row: all is well.

What is under way counts as not moved, and is compared once it takes longer than it may: refunds
after 14 days, withdrawals after 32, payment disputes after 120. By then its last event is lost.

`since`: what was touched from then on. Signed minor units as the provider sees them; null: that
side does not know it.$$;
