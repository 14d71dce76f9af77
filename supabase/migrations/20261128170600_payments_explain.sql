-- Where one's money is and when it can be withdrawn; and what must hold of withdrawals.
set lock_timeout = '5s';

create function private.coming_escrows(owner_id uuid)
returns table (
    currency text, amount_minor bigint, reason text, since timestamptz, available_at timestamptz,
    subject_id uuid
)
language sql stable security definer set search_path = '' as $$
    select
        held.currency::text,
        held.remaining_minor - div(
            held.remaining_minor::numeric * terms.fee_bps, 10000 + terms.fee_bps
        )::bigint,
        case
            when held.frozen_at is not null or held.status = 'disputed' then 'dispute'
            when held.status in ('work_submitted', 'under_review') then 'review'
            else 'escrow'
        end,
        coalesce(held.frozen_at, held.funded_at),
        case
            when held.frozen_at is null and held.status in ('work_submitted', 'under_review')
                then held.review_due_at
        end,
        held.id
    from public.escrows as held
    inner join public.escrow_agreements as terms on held.agreement_id = terms.id
    where held.creator_id = coming_escrows.owner_id and held.remaining_minor > 0
$$;
comment on function private.coming_escrows is
'What a creator gets when the work is done: of each escrow what remains, less the fee.';

create function private.coming_bookings(owner_id uuid)
returns table (
    currency text, amount_minor bigint, reason text, since timestamptz, available_at timestamptz,
    subject_id uuid
)
language sql stable security definer set search_path = '' as $$
    select
        held.currency::text,
        share.minor - share.minor * band.penalty_bps / 10000,
        case
            when held.frozen_at is not null or held.status = 'disputed' then 'dispute'
            when held.settles_at is not null then 'settling'
            else 'booking'
        end,
        coalesce(held.frozen_at, held.completed_at, held.funded_at),
        case
            when held.frozen_at is null and held.status <> 'disputed' then held.settles_at
        end,
        held.id
    from public.bookings as held
    inner join public.settlement_policies as terms on held.policy_version = terms.version
    inner join public.settlement_bands as band
        on held.policy_version = band.policy_version
        and coalesce(held.rating, terms.unrated_rating) between band.min_rating and band.max_rating
    cross join lateral (
        select held.remaining_minor - held.remaining_minor * (10000 - band.host_share_bps) / 10000
    ) as share (minor)
    where held.host_id = coming_bookings.owner_id and held.remaining_minor > 0
        and held.no_show_party is distinct from 'host'
$$;
comment on function private.coming_bookings is
'What a host gets when a booking settles, as it is rated now.';

create function private.explain_balance(currency text)
returns table (
    currency text, part text, amount_minor bigint, reason text, since timestamptz,
    available_at timestamptz, subject_id uuid
)
language sql stable security definer set search_path = '' as $$
    with me as (
        select (select auth.uid()) as id
    ),
    mine as (
        select account.id, account.owner_id, account.currency::text as currency
        from public.ledger_accounts as account
        inner join me on account.owner_id = me.id
        where account.kind = 'available'
            and account.currency = coalesce(explain_balance.currency, account.currency)
    ),
    weighed as (
        select mine.id, mine.currency, target.account_id, may.*
        from mine
        cross join lateral (
            select private.withdrawal_account(mine.owner_id, mine.currency) as account_id
        ) as target
        cross join lateral private.weigh_withdrawal(
            mine.owner_id, mine.currency, target.account_id
        ) as may
    ),
    -- from what is free: what a dispute holds, what rests, what a limit holds, what is too little,
    -- the rest
    free as (
        select
            weighed.*, free.minor as free_minor,
            risk.minor as risk_minor,
            case
                when weighed.block is null
                    then least(greatest(free.minor, 0) - risk.minor, weighed.resting_minor)
                else 0
            end as rests_minor
        from weighed
        cross join lateral (
            select weighed.posted_minor - weighed.reserved_minor
        ) as free (minor)
        cross join lateral (
            select least(greatest(free.minor, 0), weighed.disputed_minor)
        ) as risk (minor)
    ),
    divided as (
        select
            free.*, rest.minor as rest_minor, over_month.minor as over_month_minor,
            over_day.minor as over_day_minor,
            case when usable.minor >= free.minimum_minor then usable.minor else 0 end
                as usable_minor,
            allowed.minor as allowed_minor
        from free
        cross join lateral (
            select case
                when free.block is null then free.free_minor - free.risk_minor - free.rests_minor
                else 0
            end
        ) as rest (minor)
        cross join lateral (
            select greatest(0, rest.minor - coalesce(free.monthly_minor, 0))
        ) as over_month (minor)
        cross join lateral (
            select greatest(0, rest.minor - over_month.minor - coalesce(free.daily_minor, 0))
        ) as over_day (minor)
        cross join lateral (
            select rest.minor - over_month.minor - over_day.minor
        ) as allowed (minor)
        cross join lateral (
            select allowed.minor / coalesce(free.multiple_minor, 1)
                * coalesce(free.multiple_minor, 1)
        ) as usable (minor)
        where free.free_minor > 0
    ),
    explained as (
        select
            held.currency, 'reserved' as part, reserved.amount_minor,
            case
                when asked.status = 'reserved' and asked.needs_approval
                    and asked.approval_id is null then 'review'
                when asked.id is not null then 'withdrawal'
                when back.id is not null then 'refund'
                when doubt.id is not null then 'dispute'
                else 'reserved'
            end as reason,
            reserved.created_at as since, reserved.expires_at as available_at,
            coalesce(asked.id, back.id, doubt.id, reserved.subject_id) as subject_id
        from mine as held
        inner join public.ledger_reservations as reserved
            on held.id = reserved.account_id and reserved.status = 'pending'
        left join public.withdrawals as asked on reserved.id = asked.reservation_id
        left join public.refunds as back on reserved.id = back.reservation_id
        left join public.payment_disputes as doubt on reserved.id = doubt.reservation_id
        union all
        select
            free.currency, 'owed', free.free_minor, 'owed', null::timestamptz,
            null::timestamptz, null::uuid
        from free
        where free.free_minor < 0
        union all
        select
            divided.currency, line.part, line.amount_minor, line.reason, line.since,
            line.available_at, line.subject_id
        from divided
        cross join lateral (
            values
            (
                'waiting', divided.risk_minor, 'dispute', (
                    select min(open.created_at) from public.payment_disputes as open
                    inner join me on open.payer_id <> me.id
                    where open.status = 'open' and open.currency = divided.currency
                ), null::timestamptz, null::uuid
            ),
            (
                'waiting', divided.rests_minor, 'payment_hold', null, divided.rests_until,
                null
            ),
            (
                'waiting',
                case
                    when divided.block is null then 0
                    else divided.free_minor - divided.risk_minor
                end,
                divided.block,
                (
                    select target.changed_at from public.connected_accounts as target
                    where target.id = divided.account_id and divided.block = 'account_hold'
                ),
                divided.block_at, divided.account_id
            ),
            (
                'waiting', divided.over_month_minor, 'monthly_limit', null, divided.monthly_at,
                divided.account_id
            ),
            (
                'waiting', divided.over_day_minor, 'daily_limit', null, divided.daily_at,
                divided.account_id
            ),
            (
                'waiting', divided.allowed_minor - divided.usable_minor, 'provider_minimum', null,
                null, divided.account_id
            ),
            (
                'available', divided.usable_minor, 'available', null, now(), divided.account_id
            )
        ) as line (part, amount_minor, reason, since, available_at, subject_id)
        where line.amount_minor <> 0
        union all
        select
            later.currency, 'coming', later.amount_minor, later.reason, later.since,
            later.available_at, later.subject_id
        from me
        cross join lateral (
            select * from private.coming_escrows(me.id)
            union all
            select * from private.coming_bookings(me.id)
        ) as later
        where later.amount_minor > 0
            and later.currency = coalesce(explain_balance.currency, later.currency)
    )
    select
        explained.currency, explained.part, explained.amount_minor, explained.reason,
        explained.since, explained.available_at, explained.subject_id
    from explained
    order by
        explained.currency,
        array_position(
            array['available', 'waiting', 'reserved', 'owed', 'coming'], explained.part
        ),
        explained.since, explained.reason, explained.subject_id
$$;
create function public.explain_balance(currency text default null)
returns table (
    currency text, part text, amount_minor bigint, reason text, since timestamptz,
    available_at timestamptz, subject_id uuid
)
language sql stable set search_path = '' as $$
    select * from private.explain_balance(explain_balance.currency)
$$;
comment on function public.explain_balance is
$$One's balance part by part: what may be withdrawn now, what not, why, and when; minor units.

Parts `available`, `waiting`, `reserved` and `owed` sum to the balance; `coming` is not in it yet.
Reasons: available · dispute (a payer's bank took a payment back, perhaps) · payment_hold (it was
paid lately) · account_hold ·
needs_kyc · no_account · account_restricted · not_possible · suspended · owed (a balance is below
zero) · daily_limit · monthly_limit · provider_minimum · withdrawal, refund (under way) · review
(two operators look at it; of `coming`: the sponsor looks at the work) · escrow · booking ·
settling.
`available_at`: when it can be withdrawn; null: nobody knows yet. `subject_id`: the withdrawal,
refund, dispute, escrow or booking, else the connected account that was looked at.$$;

create view private.stuck_withdrawals with (security_invoker = true) as
select
    asked.id,
    asked.status,
    asked.look_at,
    step.moved_at
from public.withdrawals as asked
cross join
    lateral (
        select max(event.created_at) as moved_at from public.withdrawal_events as event
        where event.withdrawal_id = asked.id
    ) as step
where
    asked.status in ('requested', 'reserved', 'sending', 'unknown', 'sent')
    and case asked.status
        when 'requested' then step.moved_at < now() - interval '1 minute'
        -- what waits for a reason, or for two operators, says when it is looked at
        when 'reserved' then asked.look_at < now() - interval '1 hour'
        when 'sending' then step.moved_at < now() - interval '1 hour'
        when 'unknown' then step.moved_at < now() - interval '24 hours'
        -- PayPal keeps what nobody claims for 30 days
        else step.moved_at < now() - interval '32 days'
    end;
comment on view private.stuck_withdrawals is
'Withdrawals that nobody moves: not taken up, unknown for a day, sent and not heard of.';

create function private.check_withdrawals() returns table (finding text, subject text)
language sql stable security definer set search_path = '' as $$
    with open as (
        select asked.* from public.withdrawals as asked
        where asked.status in ('requested', 'reserved', 'sending', 'unknown', 'sent')
    )
    select 'withdrawal without its reserve', format('withdrawal %s, %s', open.id, open.status)
    from open
    left join public.ledger_reservations as held on open.reservation_id = held.id
    where (held.status, held.amount_minor) is distinct from ('pending', open.amount_minor)
    union all
    select 'reserve without an open withdrawal', format('reservation %s', held.id)
    from public.ledger_reservations as held
    left join open on held.id = open.reservation_id
    where held.status = 'pending' and held.idempotency_key like 'withdrawal:%'
        and open.id is null
    union all
    select 'withdrawal differs from the ledger', format('withdrawal %s, %s', asked.id, asked.status)
    from public.withdrawals as asked
    left join public.ledger_transactions as paid
        on paid.idempotency_key = format('withdrawal:%s:pay', asked.id)
    left join public.ledger_transactions as back
        on back.idempotency_key = format('withdrawal:%s:return', asked.id)
    where (paid.id is not null) <> (asked.status in ('paid', 'returned'))
        or (back.id is not null) <> (asked.status = 'returned')
    union all
    select 'sent without a stored request', format('withdrawal %s, %s', asked.id, asked.status)
    from public.withdrawals as asked
    where asked.status not in ('requested', 'reserved', 'cancelled') and not exists (
        select from private.provider_requests as made
        where made.subject_id = asked.id and made.action = 'payments.send_withdrawal'
    )
    union all
    select 'events do not lead to the state', format('withdrawal %s', asked.id)
    from public.withdrawals as asked
    where asked.status is distinct from (
        select event.to_status from public.withdrawal_events as event
        where event.withdrawal_id = asked.id order by event.id desc limit 1
    )
    union all
    select 'balance of a deleted person', format('%s of account %s', account.posted_minor, account.id)
    from public.ledger_accounts as account
    inner join public.profiles as person on account.owner_id = person.id
    where account.kind = 'available' and account.posted_minor <> 0
        and person.deleted_at is not null
    union all
    select 'withdrawal stuck', format('withdrawal %s, %s', stuck.id, stuck.status)
    from private.stuck_withdrawals as stuck
$$;
comment on function private.check_withdrawals is
'Everything that must hold of withdrawals and does not: no row means that all is well.';
