-- Withdrawals: a member takes their balance out. The reserve stands in the ledger before all else.
set lock_timeout = '5s';

insert into private.error_codes (code, http_status, message) values
('payments.withdrawal_not_found', 404, 'There is no such withdrawal.'),
('payments.withdrawal_not_possible', 409, 'No provider sends this currency to this account.'),
('payments.balance_on_hold', 409, 'Money that was just paid rests before it can be withdrawn.'),
('payments.withdrawal_mismatch', 409, 'The provider tells of a withdrawal that was ended here.'),
('payments.invalid_transition', 409, 'The withdrawal''s state does not allow this step.'),
('payments.account_not_ready', 409, 'The provider must know more before it pays this account.'),
('payments.account_on_hold', 409, 'The connected account was changed a short while ago.'),
('payments.balance_owed', 409, 'Money is owed first: a balance of this person is below zero.'),
('payments.withdrawal_disputed', 409, 'A payer''s bank disputes a payment: this much stays.'),
('payments.below_minimum', 422, 'The amount is less than the provider sends.'),
('payments.limit_exceeded', 422, 'More than may be withdrawn at once, in a day or in a month.');

-- Limits: data, changed by two operators.
create table private.withdrawal_limits (
    provider text not null,
    currency public.currency_code not null,
    tier text not null default 'member',
    minimum_minor bigint not null,
    maximum_minor bigint not null,
    daily_minor bigint not null,
    monthly_minor bigint not null,
    approval_minor bigint not null,
    multiple_minor bigint not null default 1,
    hold_hours bigint not null default 72,
    needs_kyc boolean not null default true,
    constraint withdrawal_limits_pkey primary key (provider, currency, tier),
    constraint withdrawal_limits_provider_fkey foreign key (provider)
    references private.providers on delete cascade,
    constraint withdrawal_limits_tier_check check (tier in ('member', 'verified')),
    constraint withdrawal_limits_minimum_minor_check
    check (multiple_minor >= 1 and minimum_minor >= multiple_minor),
    constraint withdrawal_limits_maximum_minor_check check (maximum_minor >= minimum_minor),
    constraint withdrawal_limits_daily_minor_check check (daily_minor >= maximum_minor),
    constraint withdrawal_limits_monthly_minor_check check (monthly_minor >= daily_minor),
    constraint withdrawal_limits_approval_minor_check check (approval_minor >= 1),
    constraint withdrawal_limits_hold_hours_check check (hold_hours between 0 and 720)
);
alter table private.withdrawal_limits enable row level security;
comment on table private.withdrawal_limits is
$$What a person of a tier may withdraw by a provider, in minor units; no row: nothing.

The row of tier `member` counts where a verified person has none of their own.
Source: the providers' least and largest amounts; the other figures are ours.$$;
comment on column private.withdrawal_limits.tier is 'verified: profiles.is_verified; else member.';
comment on column private.withdrawal_limits.maximum_minor is 'At once.';
comment on column private.withdrawal_limits.daily_minor is 'Within any 24 hours.';
comment on column private.withdrawal_limits.monthly_minor is 'Within any 30 days.';
comment on column private.withdrawal_limits.approval_minor is
$$From so much on, two operators approve a withdrawal before it is sent; together with what left
within 24 hours by any provider without them.$$;
comment on column private.withdrawal_limits.multiple_minor is
'Only multiples are sent: 100 where a provider takes no decimals.';
comment on column private.withdrawal_limits.hold_hours is
'So long after an account was made or pointed elsewhere nothing goes there: against takeover.';
comment on column private.withdrawal_limits.needs_kyc is
'Whether the provider must have said `active`; else an account that it looks at will do.';

insert into private.withdrawal_limits (
    provider, currency, tier, minimum_minor, maximum_minor, daily_minor, monthly_minor,
    approval_minor, multiple_minor, needs_kyc
)
select
    rate.provider,
    rate.currency,
    scale.tier,
    rate.minimum_minor,
    -- no more at once than the provider takes
    least(500 * scale.factor * rate.ten, rate.maximum_minor) as maximum_minor,
    1000 * scale.factor * rate.ten as daily_minor,
    5000 * scale.factor * rate.ten as monthly_minor,
    300 * scale.factor * rate.ten as approval_minor,
    rate.multiple_minor,
    rate.needs_kyc
from (values ('member', 1::bigint), ('verified', 4::bigint)) as scale (tier, factor)
cross join (
    values
    -- `ten`: about ten dollars · Stripe pays whole forint and Taiwan dollars
    ('stripe', 'USD', 1000::bigint, 100::bigint, 10000000::bigint, 1::bigint, true),
    ('stripe', 'EUR', 1000, 100, 10000000, 1, true),
    ('stripe', 'GBP', 1000, 100, 10000000, 1, true),
    ('stripe', 'CHF', 1000, 500, 10000000, 1, true),
    ('stripe', 'CAD', 1000, 100, 10000000, 1, true),
    ('stripe', 'AUD', 1000, 100, 10000000, 1, true),
    ('stripe', 'SGD', 1000, 100, 10000000, 1, true),
    ('stripe', 'JPY', 1500, 100, 15000000, 1, true),
    ('stripe', 'HUF', 400000, 100000, 4000000000, 100, true),
    ('stripe', 'TWD', 30000, 80000, 300000000, 100, true),
    -- RazorpayX: one rupee to five lakh by IMPS
    ('razorpay', 'INR', 80000, 100, 50000000, 1, true),
    -- PayPal: 20,000 dollars an item; no decimals in forint, yen and Taiwan dollars
    ('paypal', 'USD', 1000, 100, 2000000, 1, false),
    ('paypal', 'EUR', 1000, 100, 1600000, 1, false),
    ('paypal', 'GBP', 1000, 100, 1400000, 1, false),
    ('paypal', 'CHF', 1000, 100, 1600000, 1, false),
    ('paypal', 'CAD', 1000, 100, 2500000, 1, false),
    ('paypal', 'AUD', 1000, 100, 2500000, 1, false),
    ('paypal', 'SGD', 1000, 100, 2500000, 1, false),
    ('paypal', 'JPY', 1500, 100, 2000000, 1, false),
    ('paypal', 'HUF', 400000, 40000, 600000000, 100, false),
    ('paypal', 'TWD', 30000, 4000, 60000000, 100, false)
) as rate (provider, currency, ten, minimum_minor, maximum_minor, multiple_minor, needs_kyc);

create domain public.withdrawal_status as text constraint withdrawal_status_check check (value in (
    'requested', 'reserved', 'sending', 'unknown', 'sent', 'paid', 'failed', 'returned', 'cancelled'
));

create table public.withdrawal_transitions (
    from_status public.withdrawal_status not null,
    to_status public.withdrawal_status not null,
    constraint withdrawal_transitions_pkey primary key (from_status, to_status)
);
alter table public.withdrawal_transitions enable row level security;
comment on table public.withdrawal_transitions is
'The legal steps of a withdrawal; a trigger refuses every other.';
insert into public.withdrawal_transitions (from_status, to_status) values
('requested', 'reserved'),
('reserved', 'sending'), ('reserved', 'cancelled'),
('sending', 'unknown'), ('sending', 'sent'), ('sending', 'paid'), ('sending', 'failed'),
('unknown', 'sent'), ('unknown', 'paid'), ('unknown', 'failed'),
('sent', 'paid'), ('sent', 'failed'),
('paid', 'returned');

create table public.withdrawals (
    id uuid not null default gen_random_uuid(),
    owner_id uuid not null,
    account_id uuid not null,
    provider text not null,
    amount_minor bigint not null,
    currency public.currency_code not null,
    status public.withdrawal_status not null default 'requested',
    reservation_id uuid,
    idempotency_key text not null,
    needs_approval boolean not null default false,
    approval_id uuid,
    reference text,
    fee_minor bigint,
    note text,
    look_at timestamptz not null default now() + interval '10 minutes',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint withdrawals_pkey primary key (id),
    constraint withdrawals_owner_id_fkey foreign key (owner_id)
    references public.profiles on delete restrict,
    constraint withdrawals_account_id_fkey foreign key (account_id)
    references public.connected_accounts on delete restrict,
    constraint withdrawals_provider_fkey foreign key (provider)
    references private.providers on delete restrict,
    constraint withdrawals_reservation_id_fkey foreign key (reservation_id)
    references public.ledger_reservations on delete restrict,
    constraint withdrawals_approval_id_fkey foreign key (approval_id)
    references public.operator_approvals on delete restrict,
    constraint withdrawals_owner_id_idempotency_key_key unique (owner_id, idempotency_key),
    constraint withdrawals_reservation_id_key unique (reservation_id),
    constraint withdrawals_approval_id_key unique (approval_id),
    constraint withdrawals_provider_reference_key unique (provider, reference),
    constraint withdrawals_amount_minor_check check (amount_minor > 0),
    constraint withdrawals_fee_minor_check check (fee_minor >= 0),
    constraint withdrawals_idempotency_key_check
    check (char_length(idempotency_key) between 1 and 200),
    -- money leaves only through a withdrawal whose reserve is in the ledger first
    constraint withdrawals_reservation_id_check
    check ((reservation_id is null) = (status = 'requested')),
    constraint withdrawals_approval_id_check check (
        not needs_approval or approval_id is not null
        or status in ('requested', 'reserved', 'cancelled')
    )
);
alter table public.withdrawals enable row level security;
create index withdrawals_owner_id_created_at_idx on public.withdrawals (owner_id, created_at);
create index withdrawals_updated_at_idx on public.withdrawals (updated_at);
create index withdrawals_account_id_idx on public.withdrawals (account_id);
create index withdrawals_look_at_idx on public.withdrawals (look_at)
where status in ('reserved', 'sent');
create index withdrawals_status_created_at_idx on public.withdrawals (status, created_at)
where status in ('requested', 'reserved', 'sending', 'unknown', 'sent');
comment on table public.withdrawals is
'What a member takes out of their balance, in minor units of `currency`.';
comment on column public.withdrawals.status is
$$requested: no longer than its transaction · reserved: held back, waiting to be sent ·
sending: a provider is being asked · unknown: it did not answer, and is asked until it does ·
sent: on its way · paid: it left the ledger · failed, cancelled: it is the member's balance again ·
returned: it came back after it was paid, and is the member's balance again.$$;
comment on column public.withdrawals.needs_approval is
'Two operators must approve it before it is sent.';
comment on column public.withdrawals.approval_id is
$$What two operators approved; null again when the bank account behind it changed before it was
sent: it waits for a new approval.$$;
comment on column public.withdrawals.reference is 'The provider''s own id of it.';
comment on column public.withdrawals.fee_minor is
'What the provider took for it: the platform''s cost; null until it says so.';
comment on column public.withdrawals.note is 'Why it waits, failed, or is in doubt.';
comment on column public.withdrawals.look_at is
'When it is looked after next: sent again if its job was lost, the provider asked how it stands.';

create table public.withdrawal_events (
    id bigint generated always as identity,
    withdrawal_id uuid not null,
    actor_id uuid,
    from_status public.withdrawal_status,
    to_status public.withdrawal_status not null,
    reason text,
    created_at timestamptz not null default clock_timestamp(),
    constraint withdrawal_events_pkey primary key (id),
    constraint withdrawal_events_withdrawal_id_fkey foreign key (withdrawal_id)
    references public.withdrawals on delete restrict
);
alter table public.withdrawal_events enable row level security;
create index withdrawal_events_withdrawal_id_id_idx
on public.withdrawal_events (withdrawal_id, id);
comment on table public.withdrawal_events is
'Each step of a withdrawal: who, when, from, to, why. Append-only.';
comment on column public.withdrawal_events.actor_id is
'Who did it; null: a provider, or time. No foreign key: the row outlives the person.';
create trigger t10_refuse_change before update or delete or truncate on public.withdrawal_events
for each statement execute function private.refuse_change();

create function private.guard_withdrawal() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
    v_from text := case when tg_op = 'UPDATE' then old.status end;
begin
    if tg_op = 'UPDATE' and (
        (
            old.owner_id, old.account_id, old.provider, old.amount_minor, old.currency,
            old.idempotency_key, old.needs_approval
        ) is distinct from (
            new.owner_id, new.account_id, new.provider, new.amount_minor, new.currency,
            new.idempotency_key, new.needs_approval
        )
        or new.reservation_id is distinct from coalesce(old.reservation_id, new.reservation_id)
        -- void when the account leads elsewhere: then it is approved anew before it is sent
        or new.approval_id is distinct from coalesce(old.approval_id, new.approval_id)
        and not (new.approval_id is null and (old.status, new.status) = ('reserved', 'reserved'))
        or new.reference is distinct from coalesce(old.reference, new.reference)
    ) then
        raise exception 'whose, where to and how much a withdrawal is never changes'
            using errcode = 'insufficient_privilege';
    end if;
    if v_from is distinct from new.status and not exists (
        select from public.withdrawal_transitions as legal
        where (legal.from_status, legal.to_status) = (v_from, new.status)
    ) and (v_from is not null or new.status <> 'requested') then
        perform private.reject(
            'payments.invalid_transition', concat_ws(' -> ', v_from, new.status)
        );
    end if;
    return new;
end;
$$;
comment on function private.guard_withdrawal is
'Trigger: a withdrawal starts as requested, takes only legal steps, and keeps its terms.';
create trigger t10_guard_withdrawal before insert or update on public.withdrawals
for each row execute function private.guard_withdrawal();
create trigger t20_touch_updated_at before update on public.withdrawals
for each row execute function private.touch_updated_at();
create trigger t10_refuse_removal before delete or truncate on public.withdrawals
for each statement execute function private.refuse_change();

create function private.record_withdrawal() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
    insert into public.withdrawal_events
        (withdrawal_id, actor_id, from_status, to_status, reason)
    values (
        new.id, (select auth.uid()), case when tg_op = 'UPDATE' then old.status end, new.status,
        new.note
    );
    return null;
end;
$$;
comment on function private.record_withdrawal is
'Trigger: every change of state leaves an event.';
create trigger t50_record_requested after insert on public.withdrawals
for each row execute function private.record_withdrawal();
create trigger t50_record after update on public.withdrawals
for each row when (old.status is distinct from new.status)
execute function private.record_withdrawal();

create function private.announce_withdrawal() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
    perform realtime.send(
        jsonb_build_object(
            'withdrawal_id', new.id,
            'status', new.status,
            'amount_minor', new.amount_minor,
            'currency', new.currency
        ),
        'withdrawal_' || new.status, 'user:' || new.owner_id, true
    );
    return null;
end;
$$;
comment on function private.announce_withdrawal is
'Trigger: broadcast `withdrawal_<status>` on the owner''s private topic `user:<id>`.';
create trigger t90_announce after update on public.withdrawals
for each row when (old.status is distinct from new.status)
execute function private.announce_withdrawal();

create function private.withdrawal_account(owner_id uuid, currency text) returns uuid
language sql stable security definer set search_path = '' as $$
    select mine.id from public.connected_accounts as mine
    where mine.owner_id = withdrawal_account.owner_id and mine.status <> 'closed'
        and mine.reference is not null and exists (
            select from private.withdrawal_limits as terms
            where terms.provider = mine.provider and terms.currency = withdrawal_account.currency
        )
    order by mine.is_default desc, mine.status = 'active' desc, mine.created_at, mine.id
    limit 1
$$;
comment on function private.withdrawal_account is
'The account that a person''s withdrawals in a currency go to when none is named.';

create function private.got_minor(subject_id uuid, owner_id uuid, currency text) returns bigint
language sql stable security definer set search_path = '' as $$
    select sum(entry.amount_minor)::bigint
    from public.ledger_transactions as moved
    inner join public.ledger_entries as entry on moved.id = entry.transaction_id
    inner join public.ledger_accounts as account on entry.account_id = account.id
    where moved.subject_id = got_minor.subject_id and account.owner_id = got_minor.owner_id
        and account.kind = 'available' and account.currency = got_minor.currency
$$;
comment on function private.got_minor is
'What a person got of an escrow or booking, less what was taken back; null: nothing ever.';

create function private.disputed_minor(owner_id uuid, currency text) returns bigint
language sql stable security definer set search_path = '' as $$
    select coalesce(sum(least(got.minor, doubtful.minor)), 0)::bigint
    from (
        select
            coalesce(wanted.escrow_id, wanted.booking_id) as subject_id,
            sum(open.amount_minor) as minor
        from public.payment_disputes as open
        inner join public.payments as paid on open.payment_id = paid.id
        inner join public.orders as wanted on paid.order_id = wanted.id
        where open.status = 'open' and open.currency = disputed_minor.currency
            and paid.applied_minor > 0 and paid.payer_id <> disputed_minor.owner_id
        group by coalesce(wanted.escrow_id, wanted.booking_id)
    ) as doubtful
    cross join lateral (
        select private.got_minor(
            doubtful.subject_id, disputed_minor.owner_id, disputed_minor.currency
        ) as minor
    ) as got
    where got.minor > 0
$$;
comment on function private.disputed_minor is
$$What open payment disputes may take back from a person: their part of each disputed payment.

It is what they got of the escrow or booking that it paid, and no more than is disputed.$$;

create function private.resting_minor(
    owner_id uuid, currency text, out amount_minor bigint, out rests_until timestamptz
)
language sql stable security definer set search_path = '' as $$
    with fresh as (
        select
            share.own_minor as minor,
            paid.created_at + make_interval(hours => known.credit_hold_hours::integer) as until
        from public.payments as paid
        inner join private.providers as known on paid.provider = known.provider
        cross join lateral private.divide_payment(paid) as share
        where paid.payer_id = resting_minor.owner_id and paid.currency = resting_minor.currency
            and paid.created_at > now() - make_interval(hours => known.credit_hold_hours::integer)
        union all
        select
            -- what a dispute holds is held already
            greatest(0, got.minor - (
                select coalesce(sum(open.amount_minor), 0) from public.payment_disputes as open
                where open.payment_id = paid.id and open.status = 'open'
            )) as minor,
            paid.created_at + make_interval(hours => known.payment_hold_hours::integer) as until
        from private.providers as known
        inner join public.payments as paid
            on known.provider = paid.provider and known.payment_hold_hours > 0
            and paid.created_at > now() - make_interval(hours => known.payment_hold_hours::integer)
        inner join public.orders as wanted on paid.order_id = wanted.id
        cross join lateral (
            select private.got_minor(
                coalesce(wanted.escrow_id, wanted.booking_id), resting_minor.owner_id,
                resting_minor.currency
            ) as minor
        ) as got
        where paid.payer_id <> resting_minor.owner_id and paid.applied_minor > 0
            and paid.currency = resting_minor.currency
    )
    select coalesce(sum(fresh.minor), 0)::bigint, min(fresh.until)
    from fresh
    where fresh.minor > 0
$$;
comment on function private.resting_minor is
$$What of a person's balance was paid so lately that it rests, and when some of it may be withdrawn.

Their own payments that went into nothing rest by `credit_hold_hours` of the provider, what they got
of others' payments by `payment_hold_hours`. Also what a payment of theirs set off rests: or a stolen
card would free what is earned next.$$;

-- Everything that decides about a withdrawal, in one place: requests, schedules and explanations
-- read the same row.
create function private.weigh_withdrawal(
    owner_id uuid, currency text, account_id uuid,
    out provider text, out tier text, out posted_minor bigint, out reserved_minor bigint,
    out disputed_minor bigint, out resting_minor bigint, out rests_until timestamptz,
    out block text, out block_at timestamptz,
    out minimum_minor bigint, out maximum_minor bigint, out multiple_minor bigint,
    out approval_minor bigint, out unapproved_minor bigint,
    out daily_minor bigint, out daily_at timestamptz,
    out monthly_minor bigint, out monthly_at timestamptz, out withdrawable_minor bigint
)
language plpgsql stable security definer set search_path = '' as $$
declare
    v_to public.connected_accounts;
    v_terms private.withdrawal_limits;
    v_hold timestamptz;
begin
    select account.posted_minor, account.reserved_minor into posted_minor, reserved_minor
    from public.ledger_accounts as account
    where account.owner_id = weigh_withdrawal.owner_id and account.kind = 'available'
        and account.currency = weigh_withdrawal.currency
        and account.subject_id is null and account.provider is null;
    posted_minor := coalesce(posted_minor, 0);
    reserved_minor := coalesce(reserved_minor, 0);
    disputed_minor := private.disputed_minor(owner_id, currency);
    select rests.amount_minor, rests.rests_until into resting_minor, rests_until
    from private.resting_minor(owner_id, currency) as rests;
    select known.* into v_to from public.connected_accounts as known
    where known.id = weigh_withdrawal.account_id
        and known.owner_id = weigh_withdrawal.owner_id;
    provider := v_to.provider;
    select case when person.is_verified then 'verified' else 'member' end into tier
    from public.profiles as person where person.id = weigh_withdrawal.owner_id;
    select terms.* into v_terms from private.withdrawal_limits as terms
    inner join private.providers as known on terms.provider = known.provider
    where terms.provider = v_to.provider and terms.currency = weigh_withdrawal.currency
        and terms.tier in (weigh_withdrawal.tier, 'member') and known.is_enabled
    order by terms.tier = 'member'
    limit 1;
    minimum_minor := v_terms.minimum_minor;
    maximum_minor := v_terms.maximum_minor;
    multiple_minor := v_terms.multiple_minor;
    approval_minor := v_terms.approval_minor;
    v_hold := v_to.changed_at + make_interval(hours => v_terms.hold_hours::integer);
    -- what failed, was cancelled or came back was not withdrawn
    select
        greatest(0, v_terms.daily_minor - coalesce(sum(other.amount_minor) filter (
            where other.created_at > now() - interval '24 hours'
        ), 0)),
        coalesce(min(other.created_at) filter (
            where other.created_at > now() - interval '24 hours'
        ), now()) + interval '24 hours',
        greatest(0, v_terms.monthly_minor - coalesce(sum(other.amount_minor), 0)),
        coalesce(min(other.created_at), now()) + interval '30 days'
    into daily_minor, daily_at, monthly_minor, monthly_at
    from public.withdrawals as other
    where other.owner_id = weigh_withdrawal.owner_id and other.provider = v_to.provider
        and other.currency = weigh_withdrawal.currency
        and other.created_at > now() - interval '30 days'
        and other.status not in ('failed', 'cancelled', 'returned');
    -- by whichever provider: or as much would leave by each of them at once
    select coalesce(sum(other.amount_minor), 0) into unapproved_minor
    from public.withdrawals as other
    where other.owner_id = weigh_withdrawal.owner_id
        and other.currency = weigh_withdrawal.currency and not other.needs_approval
        and other.created_at > now() - interval '24 hours'
        and other.status not in ('failed', 'cancelled', 'returned');
    block := case
        when private.is_suspended(owner_id) or tier is null then 'suspended'
        when exists (
            select from public.ledger_accounts as account
            where account.owner_id = weigh_withdrawal.owner_id and account.kind = 'available'
                and account.posted_minor - account.reserved_minor < 0
        ) then 'owed'
        -- who takes payments back by their bank does not take the money out as well
        when exists (
            select from public.payment_disputes as open
            where open.payer_id = weigh_withdrawal.owner_id and open.status = 'open'
        ) then 'dispute'
        when v_to.id is null then 'no_account'
        when v_to.reference is null or v_to.status in ('restricted', 'closed')
            then 'account_restricted'
        when v_terms.provider is null then 'not_possible'
        when v_to.status <> 'active' and (v_terms.needs_kyc or v_to.status <> 'pending')
            then 'needs_kyc'
        when v_hold > now() then 'account_hold'
    end;
    block_at := case when block = 'account_hold' then v_hold end;
    withdrawable_minor := case when block is null then greatest(0, least(
        posted_minor - reserved_minor - disputed_minor - resting_minor, maximum_minor,
        daily_minor, monthly_minor
    )) / multiple_minor * multiple_minor else 0 end;
    if withdrawable_minor < minimum_minor then
        withdrawable_minor := 0;
    end if;
end;
$$;
comment on function private.weigh_withdrawal is
$$What a person could withdraw to an account now, and what stands against it; minor units.

`block`: why nothing at all · `block_at`: when that ends by itself · `daily_minor`,
`monthly_minor`: what is left of the limits, and when there is more · `unapproved_minor`: what left
in a day without two operators, by all providers · `withdrawable_minor`: how much at once.$$;
