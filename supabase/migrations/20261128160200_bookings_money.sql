-- The money of bookings: paid in, divided, charged back. Lock order: the booking, then the ledger.
set lock_timeout = '5s';

alter table public.orders validate constraint orders_booking_id_fkey;

create function private.lock_booking(booking_id uuid, parties text) returns public.bookings
language plpgsql security definer set search_path = '' as $$
declare
    v_me uuid := private.require_active();
    v_booking public.bookings;
begin
    select locked.* into v_booking from public.bookings as locked
    where locked.id = lock_booking.booking_id and v_me in (locked.host_id, locked.guest_id)
    for no key update;
    if not found then
        perform private.reject('bookings.not_found');
    end if;
    if (parties = 'host' and v_me <> v_booking.host_id)
        or (parties = 'guest' and v_me <> v_booking.guest_id)
    then
        perform private.reject('bookings.wrong_party', parties);
    end if;
    return v_booking;
end;
$$;
comment on function private.lock_booking is
$$The caller's booking, locked; `parties`: whose step it is (host, guest, both).

Errors: bookings.not_found (404), bookings.wrong_party (403), identity.not_active (403).$$;

create function private.move_booking(
    booking_id uuid, status public.booking_status, reason text default null
) returns public.bookings
language sql security definer set search_path = '' as $$
    update public.bookings as moved
    set status = move_booking.status, status_reason = move_booking.reason,
        closed_at = case when move_booking.status = 'cancelled' then now() end
    where moved.id = move_booking.booking_id
    returning moved.*
$$;
comment on function private.move_booking is
$$One step that moves no money; whether it is legal, the guard knows.

Errors: bookings.invalid_transition (409).$$;

create function private.note_booking(
    booking public.bookings, reason text, amount_minor bigint default null
) returns void
language sql security definer set search_path = '' as $$
    insert into public.booking_events
        (booking_id, actor_id, from_status, to_status, reason, amount_minor)
    values (
        booking.id, (select auth.uid()), booking.status, booking.status, note_booking.reason,
        note_booking.amount_minor
    )
$$;
comment on function private.note_booking is 'An event that leaves the state as it is.';

create function private.fund_booking(
    booking_id uuid, provider text, reference text, amount_minor bigint, currency text
) returns public.bookings
language plpgsql security definer set search_path = '' as $$
declare
    v_booking public.bookings;
begin
    select locked.* into v_booking from public.bookings as locked
    where locked.id = fund_booking.booking_id
    for no key update;
    if not found then
        perform private.reject('bookings.not_found');
    end if;
    if fund_booking.currency is distinct from v_booking.currency then
        perform private.reject('bookings.wrong_currency', v_booking.currency);
    elsif coalesce(fund_booking.amount_minor, 0) < v_booking.total_minor then
        perform private.reject('bookings.payment_too_small', v_booking.total_minor::text);
    elsif fund_booking.amount_minor > v_booking.total_minor then
        perform private.reject('bookings.payment_too_large', v_booking.total_minor::text);
    end if;
    if v_booking.funded_at is not null then
        if (v_booking.provider, v_booking.payment_reference)
            = (fund_booking.provider, fund_booking.reference)
        then
            return v_booking;
        end if;
        perform private.reject('bookings.already_funded');
    end if;
    -- until it is cancelled a late payment counts, but not for a session that has begun
    if v_booking.status <> 'pending_payment' or v_booking.starts_at <= now() then
        perform private.reject('bookings.not_payable', v_booking.status);
    end if;
    begin
        update public.bookings as paid
        set status = 'paid', status_reason = null, remaining_minor = paid.total_minor,
            provider = fund_booking.provider, payment_reference = fund_booking.reference,
            funded_at = now()
        where paid.id = v_booking.id
        returning paid.* into v_booking;
    exception when unique_violation then
        perform private.reject('bookings.payment_reused', fund_booking.reference);
    end;
    perform private.post_transaction(
        key => format('booking:%s:fund', v_booking.id),
        kind => 'bookings.fund',
        accounts => array[
            private.ledger_account('clearing', v_booking.currency, provider => v_booking.provider),
            private.ledger_account('escrow', v_booking.currency, subject_id => v_booking.id)
        ],
        amounts => array[-v_booking.total_minor, v_booking.total_minor],
        subject_id => v_booking.id,
        memo => format(
            'Paid by the guest: %s %s, %s %s', v_booking.total_minor, v_booking.currency,
            v_booking.provider, v_booking.payment_reference
        )
    );
    return v_booking;
end;
$$;
comment on function private.fund_booking is
$$A payment arrived: from the provider's clearing account into the booking, in full.

`amount_minor` in minor units of `currency`. Safe to repeat with the payment's reference. What is
refused has moved nothing: the payment is to be sent back.
Errors: bookings.not_found (404), bookings.wrong_currency, bookings.payment_too_small,
bookings.payment_too_large, bookings.payment_reused, bookings.already_funded,
bookings.not_payable (409).$$;

-- How a booking's money is divided: one row of it, before anything moves.
create type private.booking_division as (
    place bigint,
    booking_id uuid,
    status text,
    reason text,
    host_id uuid,
    guest_id uuid,
    currency text,
    remaining_minor bigint,
    guest_minor bigint,
    host_minor bigint,
    platform_minor bigint,
    penalty_minor bigint,
    band text,
    memo text
);

create function private.divide_bookings(
    booking_ids uuid[], refunds bigint[], statuses text[], reasons text[]
) returns setof private.booking_division
language sql stable security definer set search_path = '' as $$
    with shares as (
        select
            asked.place, asked.refund, asked.status, asked.reason,
            booking.id, booking.host_id, booking.guest_id, booking.currency, booking.rating,
            booking.policy_version, booking.remaining_minor, terms.unrated_rating, band.name,
            band.host_share_bps, band.penalty_bps, band.penalty_to, share.minor as share,
            booking.remaining_minor - asked.refund - share.minor as fee,
            share.minor * band.penalty_bps / 10000 as penalty
        from unnest(booking_ids, refunds, statuses, reasons)
            with ordinality as asked (id, refund, status, reason, place)
        inner join public.bookings as booking on asked.id = booking.id
        inner join public.settlement_policies as terms on booking.policy_version = terms.version
        inner join public.settlement_bands as band
            on booking.policy_version = band.policy_version
            and coalesce(booking.rating, terms.unrated_rating)
            between band.min_rating and band.max_rating
        -- the fee is rounded down, so the odd unit is the host's
        cross join lateral (
            select rest.minor - rest.minor * (10000 - band.host_share_bps) / 10000
            from (select booking.remaining_minor - asked.refund) as rest (minor)
        ) as share (minor)
    )
    select
        shares.place, shares.id, shares.status, shares.reason, shares.host_id, shares.guest_id,
        shares.currency, shares.remaining_minor,
        shares.refund + case when shares.penalty_to = 'guest' then shares.penalty else 0 end,
        shares.share - shares.penalty,
        shares.fee + case when shares.penalty_to = 'platform' then shares.penalty else 0 end,
        shares.penalty,
        case when shares.refund < shares.remaining_minor then shares.name end,
        concat_ws(
            '; ',
            case when shares.refund > 0
                then format('%s %s back to the guest', shares.refund, shares.currency)
            end,
            case when shares.refund < shares.remaining_minor then format(
                '%s %s to the host: %s of 10000 of %s, by settlement policy %s, band %s (%s)',
                shares.share - shares.penalty, shares.currency, shares.host_share_bps,
                shares.remaining_minor - shares.refund, shares.policy_version, shares.name,
                coalesce(
                    'rated ' || shares.rating, 'not rated, counts as ' || shares.unrated_rating
                )
            ) end,
            case when shares.penalty > 0 then format(
                'less a penalty of %s of 10000, %s to the %s', shares.penalty_bps, shares.penalty,
                shares.penalty_to
            ) end,
            case when shares.fee > 0 then format('%s to the platform', shares.fee) end
        ) || coalesce(' (' || nullif(left(shares.reason, 200), '') || ')', '')
    from shares
    order by shares.place
$$;
comment on function private.divide_bookings is
$$Who gets what: so much back to the guest, the rest by the booking's policy and rating band.

All four arrays are parallel. Of the rest, the fee is floor(rest × (10000 − share) / 10000), the
penalty floor(share × penalty / 10000); guest, host and platform sum to what remains. Minor units.
Source: Session Settlement, escrow and settlement system; whole units and the odd one are ours.$$;

create function private.close_bookings(
    booking_ids uuid[], refunds bigint[], statuses text[], reasons text[], kind text
) returns void
language plpgsql security definer set search_path = ''
-- rows are found by their keys, however few there were when the plan was made
set enable_seqscan = off as $$
declare
    v_parts private.booking_division[];
begin
    select array_agg(part) into strict v_parts
    from private.divide_bookings(booking_ids, refunds, statuses, reasons) as part;

    -- accounts are opened in one order everywhere: people's by their id, then the platform's
    perform private.ledger_account('available', missing.currency, owner_id => missing.owner_id)
    from (
        select distinct paid.owner_id, part.currency
        from unnest(v_parts) as part
        cross join lateral (
            values (part.host_id, part.host_minor), (part.guest_id, part.guest_minor)
        ) as paid (owner_id, minor)
        where paid.minor > 0 and not exists (
            select from public.ledger_accounts as account
            where account.owner_id = paid.owner_id and account.kind = 'available'
                and account.subject_id is null and account.provider is null
                and account.currency = part.currency
        )
        order by paid.owner_id, part.currency
    ) as missing;
    perform private.ledger_account('fees', earned.currency)
    from (
        select distinct part.currency from unnest(v_parts) as part where part.platform_minor > 0
        order by part.currency
    ) as earned;

    perform private.post_transactions(
        keys => (
            select array_agg(format('booking:%s:close', part.booking_id) order by part.place)
            from unnest(v_parts) as part
        ),
        kinds => array_fill(close_bookings.kind, array[cardinality(v_parts)]),
        subject_ids => (
            select array_agg(part.booking_id order by part.place) from unnest(v_parts) as part
        ),
        memos => (select array_agg(part.memo order by part.place) from unnest(v_parts) as part),
        line_postings => lines.postings,
        line_accounts => lines.accounts,
        line_amounts => lines.amounts
    )
    from (
        select
            array_agg(line.place) as postings, array_agg(line.account_id) as accounts,
            array_agg(line.minor) as amounts
        from (
            select part.place, paid.account_id, paid.minor
            from unnest(v_parts) as part
            cross join lateral (
                select -part.remaining_minor, (
                    select account.id from public.ledger_accounts as account
                    where account.owner_id is null and account.kind = 'escrow'
                        and account.subject_id = part.booking_id and account.provider is null
                        and account.currency = part.currency
                )
                union all
                select paid.minor, (
                    select account.id from public.ledger_accounts as account
                    where account.owner_id = paid.owner_id and account.kind = 'available'
                        and account.subject_id is null and account.provider is null
                        and account.currency = part.currency
                )
                from (
                    values (part.host_id, part.host_minor), (part.guest_id, part.guest_minor)
                ) as paid (owner_id, minor)
                union all
                select part.platform_minor, (
                    select account.id from public.ledger_accounts as account
                    where account.owner_id is null and account.kind = 'fees'
                        and account.subject_id is null and account.provider is null
                        and account.currency = part.currency
                )
            ) as paid (minor, account_id)
            where paid.minor <> 0
            order by part.place
        ) as line
    ) as lines;

    update public.bookings as closed
    set status = part.status, status_reason = part.reason, remaining_minor = 0,
        refunded_minor = part.guest_minor,
        released_minor = part.host_minor + part.platform_minor,
        host_minor = part.host_minor, penalty_minor = part.penalty_minor, band = part.band,
        closed_at = now(), is_stuck = false
    from unnest(v_parts) as part
    where closed.id = part.booking_id;

    -- back the way it came
    perform private.request_refund(
        booking.provider, booking.payment_reference, part.guest_minor,
        format('booking:%s:refund', booking.id), coalesce(part.reason, 'booking closed')
    )
    from unnest(v_parts) as part
    inner join public.bookings as booking on booking.id = part.booking_id
    where part.guest_minor > 0;
end;
$$;
comment on function private.close_bookings is
$$End bookings: so much of each back to its guest, the rest by policy. One statement, any number.

The caller has locked them. `refunds`: minor units, 0 to what remains; `statuses`: what they end as.
Errors: bookings.invalid_transition (409).$$;

-- Settlement. Any number of workers may call it at once: each takes what no other has.
create function private.settle_due_bookings(batch_size integer default 500) returns integer
language plpgsql security definer set search_path = '' as $$
declare
    v_ids uuid[];
    v_refunds bigint[];
    v_statuses text[];
    v_reasons text[];
    v_size integer;
begin
    select
        array_agg(due.id),
        array_agg(case when due.no_show_party = 'host' then due.remaining_minor else 0 end),
        array_agg(case when due.no_show_party = 'host' then 'refunded' else 'released' end),
        array_agg(case due.no_show_party
            when 'host' then 'the host did not come' when 'guest' then 'the guest did not come'
            else 'settled' end)
    into v_ids, v_refunds, v_statuses, v_reasons
    from (
        select booking.id, booking.remaining_minor, booking.no_show_party
        from public.bookings as booking
        where booking.status in ('completed', 'no_show') and booking.settles_at <= now()
            and booking.frozen_at is null and not booking.is_stuck
        order by booking.settles_at
        limit batch_size
        for no key update skip locked
    ) as due;
    v_size := coalesce(cardinality(v_ids), 0);
    while v_size > 0 loop
        begin
            perform private.close_bookings(
                v_ids[:v_size], v_refunds[:v_size], v_statuses[:v_size], v_reasons[:v_size],
                'bookings.settle'
            );
            return v_size;
        exception
            -- not the bookings' fault: all of them are due again
            when transaction_rollback or lock_not_available or insufficient_resources
                or operator_intervention or system_error
            then
                raise;
            -- one of them cannot be settled: half as many, down to the one, which is set aside
            when others then
                if v_size = 1 then
                    insert into private.booking_failures (booking_id, reason)
                    values (v_ids[1], sqlerrm)
                    on conflict on constraint booking_failures_pkey
                    do update set reason = excluded.reason, failed_at = now();
                    update public.bookings as aside set is_stuck = true where aside.id = v_ids[1];
                    return 1;
                end if;
                v_size := v_size / 2;
        end;
    end loop;
    return 0;
end;
$$;
comment on function private.settle_due_bookings is
$$Divide the money of bookings whose hold is over, oldest first; how many it took, 0: nothing due.

Call it until it returns 0, from as many workers as there are: each booking is settled once, in one
transaction with its posting. One that cannot be settled is set aside, see booking_failures.
Source: Session Settlement, batch settlement processing.$$;

create function private.retry_stuck_bookings() returns integer
language plpgsql security definer set search_path = '' as $$
declare
    v_count integer;
begin
    with late as (
        select failure.booking_id from private.booking_failures as failure
        inner join public.bookings as booking on failure.booking_id = booking.id
        where failure.failed_at <= now() - interval '50 minutes' and booking.is_stuck
        order by failure.booking_id
        for no key update of booking skip locked
    )
    update public.bookings as again set is_stuck = false
    from late
    where again.id = late.booking_id;
    get diagnostics v_count = row_count;
    return v_count;
end;
$$;
comment on function private.retry_stuck_bookings is
'Let bookings that could not be settled be tried again; how many there were.';

create function private.complete_due_bookings(batch_size integer default 500) returns integer
language plpgsql security definer set search_path = '' as $$
declare
    v_count integer;
begin
    with due as (
        select booking.id from public.bookings as booking
        where booking.status = 'paid' and booking.completes_at <= now()
        order by booking.completes_at
        limit batch_size
        for no key update skip locked
    )
    update public.bookings as done
    set status = 'completed', status_reason = 'nobody objected', completed_at = now(),
        settles_at = now() + make_interval(hours => terms.hold_hours::integer)
    from due, public.settlement_policies as terms
    where done.id = due.id and terms.version = done.policy_version;
    get diagnostics v_count = row_count;
    return v_count;
end;
$$;
comment on function private.complete_due_bookings is
'Complete bookings that ended and that nobody objected to in time; how many, 0: none left.';

create function private.cancel_unpaid_bookings(batch_size integer default 500) returns integer
language plpgsql security definer set search_path = '' as $$
declare
    v_count integer;
begin
    with due as (
        select booking.id from public.bookings as booking
        where booking.status = 'pending_payment' and booking.expires_at <= now()
        order by booking.expires_at
        limit batch_size
        for no key update skip locked
    )
    update public.bookings as unpaid
    set status = 'cancelled', status_reason = 'not paid in time', closed_at = now()
    from due
    where unpaid.id = due.id;
    get diagnostics v_count = row_count;
    return v_count;
end;
$$;
comment on function private.cancel_unpaid_bookings is
'Cancel bookings that were not paid in time; how many, 0: none left.';

-- Payment disputes: the guest's bank holds the payment, and may take it back.
create function private.freeze_booking(booking_id uuid, is_frozen boolean)
returns public.bookings
language plpgsql security definer set search_path = '' as $$
declare
    v_booking public.bookings;
begin
    select locked.* into v_booking from public.bookings as locked
    where locked.id = freeze_booking.booking_id
    for no key update;
    if not found then
        perform private.reject('bookings.not_found');
    end if;
    if v_booking.closed_at is not null or (v_booking.frozen_at is not null) = is_frozen then
        return v_booking;
    end if;
    update public.bookings as held
    set frozen_at = case when freeze_booking.is_frozen then now() end
    where held.id = v_booking.id
    returning held.* into v_booking;
    perform private.note_booking(
        v_booking, case when is_frozen then 'payment dispute opened' else 'payment dispute over' end
    );
    return v_booking;
end;
$$;
comment on function private.freeze_booking is
$$A payment dispute opened (true) or was won (false): meanwhile nothing leaves the booking.

Safe to repeat; of a booking that is closed nothing is left to hold.
Errors: bookings.not_found (404).$$;

create function private.charge_back_booking(
    booking_id uuid, reference text, amount_minor bigint, reason text
) returns public.bookings
language plpgsql security definer set search_path = '' as $$
declare
    v_booking public.bookings;
    v_key text := format('booking:%s:charge_back:%s', booking_id, reference);
    v_known bigint;
    v_held bigint;
    v_got bigint;
    v_back bigint;
    v_lost bigint;
    v_accounts bigint[];
    v_amounts bigint[];
    v_memo text;
begin
    select locked.* into v_booking from public.bookings as locked
    where locked.id = charge_back_booking.booking_id
    for no key update;
    if not found then
        perform private.reject('bookings.not_found');
    end if;
    if coalesce(charge_back_booking.amount_minor, 0) <= 0 then
        perform private.reject('bookings.invalid_amount', 'amount_minor');
    end if;
    if v_booking.funded_at is null then
        perform private.reject(
            'bookings.invalid_transition', v_booking.status || ' -> charged_back'
        );
    end if;
    select entry.amount_minor into v_known
    from public.ledger_transactions as moved
    inner join public.ledger_entries as entry on moved.id = entry.transaction_id
    inner join public.ledger_accounts as account
        on entry.account_id = account.id and account.kind = 'clearing'
    where moved.idempotency_key = v_key;
    if found then
        if v_known <> charge_back_booking.amount_minor then
            perform private.reject('ledger.key_reused', reference);
        end if;
        return v_booking;
    end if;
    -- first what is still held, then what host and platform got, the rest is lost
    v_held := least(v_booking.remaining_minor, charge_back_booking.amount_minor);
    v_got := v_booking.released_minor - v_booking.taken_back_minor;
    v_back := least(charge_back_booking.amount_minor - v_held, v_got);
    v_lost := charge_back_booking.amount_minor - v_held - v_back;
    with lines as (
        select
            share.account_id as id, share.share_minor as minor,
            case when share.owner_id is null then 'from the platform' else 'from the host' end
                as share
        from private.share_giving_back(
            v_booking.id,
            array[
                'bookings.settle', 'bookings.resolve', 'bookings.cancel', 'bookings.charge_back',
                'bookings.reinstate'
            ],
            v_booking.guest_id, v_booking.host_id, v_back
        ) as share
        union all
        select
            private.ledger_account('escrow', v_booking.currency, subject_id => v_booking.id),
            v_held, 'from what was held'
        where v_held > 0
        union all
        select private.ledger_account('loss', v_booking.currency), v_lost, 'lost'
        where v_lost > 0
    )
    select
        array_agg(lines.id order by lines.id), array_agg(-lines.minor order by lines.id),
        string_agg(
            format('%s %s %s', lines.minor, v_booking.currency, lines.share),
            '; ' order by lines.minor desc, lines.share
        )
    into v_accounts, v_amounts, v_memo
    from lines
    where lines.minor > 0;
    v_accounts := v_accounts || private.ledger_account(
        'clearing', v_booking.currency, provider => v_booking.provider
    );
    v_amounts := v_amounts || charge_back_booking.amount_minor;
    perform private.allow_debt(v_accounts, v_amounts);
    perform private.post_transaction(
        key => v_key,
        kind => 'bookings.charge_back',
        accounts => v_accounts,
        amounts => v_amounts,
        subject_id => v_booking.id,
        memo => format('Back to the payer: %s (%s)', v_memo, left(reason, 200))
    );
    if v_held > 0 and v_held = v_booking.remaining_minor then
        update public.bookings as ended
        set status = 'charged_back', status_reason = reason, remaining_minor = 0,
            charged_back_minor = ended.charged_back_minor + v_held, closed_at = now(),
            frozen_at = null, is_stuck = false
        where ended.id = v_booking.id
        returning ended.* into v_booking;
    else
        update public.bookings as smaller
        set remaining_minor = smaller.remaining_minor - v_held,
            charged_back_minor = smaller.charged_back_minor + v_held,
            taken_back_minor = smaller.taken_back_minor + v_back
        where smaller.id = v_booking.id
        returning smaller.* into v_booking;
        perform private.note_booking(v_booking, reason, charge_back_booking.amount_minor);
    end if;
    return v_booking;
end;
$$;
comment on function private.charge_back_booking is
$$The guest's bank took money back: out of what is held, then from host and platform, else lost.

Host and platform give in proportion to what they got; the host's balance may go below zero, down
to that, and what they earn next is set off. `reference` is the provider's, and makes it safe to
repeat. Minor units. What is held and not taken stays as it is.
Errors: bookings.not_found (404), bookings.invalid_transition (409), bookings.invalid_amount (422),
ledger.key_reused (409).$$;

create view private.stuck_bookings with (security_invoker = true) as
select
    held.id,
    held.status,
    'due for an hour and not settled' as finding,
    null::text as reason,
    held.settles_at
from public.bookings as held
where
    held.status in ('completed', 'no_show') and held.frozen_at is null
    and not held.is_stuck and held.settles_at < now() - interval '1 hour'
union all
select
    held.id,
    held.status,
    'could not be settled' as finding,
    failure.reason,
    held.settles_at
from public.bookings as held
inner join private.booking_failures as failure on held.id = failure.booking_id
where held.closed_at is null
union all
select
    held.id,
    held.status,
    'a booking''s dispute waits for two weeks' as finding,
    null::text as reason,
    held.settles_at
from public.bookings as held
where held.status = 'disputed' and held.updated_at < now() - interval '14 days';
comment on view private.stuck_bookings is
'Bookings that nobody moves: not settled in time, disputes of two weeks.';

create function private.check_bookings() returns table (finding text, subject text)
language sql stable security definer set search_path = '' as $$
    select 'booking differs from its ledger account', format('booking %s', held.id)
    from public.bookings as held
    left join public.ledger_accounts as account
        on held.id = account.subject_id and account.kind = 'escrow'
        and account.owner_id is null and account.provider is null
        and account.currency = held.currency
    where held.remaining_minor <> coalesce(account.posted_minor, 0)
    union all
    select 'events do not lead to the state', format('booking %s', held.id)
    from public.bookings as held
    where held.status is distinct from (
        select event.to_status from public.booking_events as event
        where event.booking_id = held.id order by event.id desc limit 1
    )
    union all
    select 'host got something else than the booking says', format('booking %s', held.id)
    from public.bookings as held
    where held.host_minor > 0 and held.host_minor is distinct from (
        select sum(entry.amount_minor)
        from public.ledger_transactions as moved
        inner join public.ledger_entries as entry on moved.id = entry.transaction_id
        inner join public.ledger_accounts as account on entry.account_id = account.id
        where moved.idempotency_key = format('booking:%s:close', held.id)
            and account.owner_id = held.host_id
    )
    union all
    select stuck.finding, concat_ws(': ', 'booking ' || stuck.id, stuck.reason)
    from private.stuck_bookings as stuck
$$;
comment on function private.check_bookings is
'Everything that must hold of bookings and does not: no row means that all is well.';
