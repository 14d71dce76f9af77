-- Plans: what may be subscribed to, for how much, and what each plan opens.
set lock_timeout = '5s';

insert into private.error_codes (code, http_status, message) values
('billing.plan_not_found', 404, 'There is no such plan with a trial.'),
('billing.price_not_found', 404, 'There is no such price, or it is not sold any more.'),
('billing.price_fixed', 409, 'A price that was sold never changes: add another one.'),
('billing.trial_used', 409, 'A trial is for those who never had one, nor a subscription.'),
('billing.checkout_open', 409, 'A page where a trial begins is open: use it, or let it expire.'),
('billing.limit_reached', 402, 'The plan allows no more of these: end one, or take a larger plan.');

create table public.plans (
    plan text not null,
    title text not null,
    description text not null default '',
    position bigint not null,
    is_premium boolean not null default true,
    trial_days bigint not null default 0,
    created_at timestamptz not null default now(),
    constraint plans_pkey primary key (plan),
    constraint plans_position_key unique (position),
    constraint plans_plan_check check (plan ~ '^[a-z_]{2,40}$'),
    constraint plans_title_check check (char_length(btrim(title)) between 1 and 80),
    constraint plans_trial_days_check check (trial_days between 0 and 365)
);
alter table public.plans enable row level security;
comment on table public.plans is
$$What people subscribe to, the smaller first; `free` is everybody's who has no other.

Source: Engagerr, subscription management (tiered plans); names and figures are ours.$$;
comment on column public.plans.position is
'Its place: a change to a higher one is an upgrade, at once; to a lower one, at the period''s end.';
comment on column public.plans.is_premium is
'Whether it counts as premium, which has limits of its own (private.rate_tiers).';
comment on column public.plans.trial_days is 'How long it may be tried without paying; 0: not.';
insert into public.plans (plan, title, description, position, is_premium, trial_days) values
('free', 'Free', 'For those who begin.', 0, false, 0),
('premium', 'Premium', 'For those who work here every day.', 1, true, 14),
('business', 'Business', 'For teams and agencies.', 2, true, 14);

-- A price is what Stripe calls one: an amount, as often. Made there when it is first sold.
create table public.plan_prices (
    id uuid not null default gen_random_uuid(),
    plan text not null,
    amount_minor bigint not null,
    currency public.currency_code not null,
    period text not null,
    is_sold boolean not null default true,
    provider text not null default 'stripe',
    reference text,
    created_at timestamptz not null default now(),
    constraint plan_prices_pkey primary key (id),
    constraint plan_prices_plan_fkey foreign key (plan)
    references public.plans on delete restrict,
    constraint plan_prices_provider_fkey foreign key (provider)
    references private.providers on delete restrict,
    constraint plan_prices_provider_reference_key unique (provider, reference),
    constraint plan_prices_amount_minor_check check (amount_minor > 0),
    -- where minor units at Stripe are those of ISO 4217
    constraint plan_prices_currency_check check (currency not in (
        'BHD', 'IQD', 'ISK', 'JOD', 'KWD', 'LYD', 'MGA', 'OMR', 'TND', 'UGX'
    )),
    constraint plan_prices_period_check check (period in ('month', 'year'))
);
alter table public.plan_prices enable row level security;
create unique index plan_prices_plan_currency_period_sold_key
on public.plan_prices (plan, currency, period) where is_sold;
create index plan_prices_plan_idx on public.plan_prices (plan);
comment on table public.plan_prices is
'For how much, and how often: one price sold per plan, currency and period.';
comment on column public.plan_prices.amount_minor is 'Per period, in minor units of `currency`.';
comment on column public.plan_prices.reference is
'The provider''s id of the price; null: it is made there when it is first sold.';
insert into public.plan_prices (plan, amount_minor, currency, period) values
('premium', 1900, 'EUR', 'month'), ('premium', 19000, 'EUR', 'year'),
('premium', 1900, 'USD', 'month'), ('premium', 19000, 'USD', 'year'),
('business', 4900, 'EUR', 'month'), ('business', 49000, 'EUR', 'year'),
('business', 4900, 'USD', 'month'), ('business', 49000, 'USD', 'year');

create function private.keep_price() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
    perform private.reject('billing.price_fixed', old.id::text);
    return null;
end;
$$;
comment on function private.keep_price is
'Trigger: what the provider knows of a price stays as it was told.';
create trigger t10_keep_price before update on public.plan_prices for each row
when (
    old.reference is not null and (
        old.plan, old.amount_minor, old.currency::text, old.period, old.provider, old.reference
    ) is distinct from (
        new.plan, new.amount_minor, new.currency::text, new.period, new.provider, new.reference
    )
)
execute function private.keep_price();

create table public.plan_features (
    plan text not null,
    feature text not null,
    allowed bigint,
    constraint plan_features_pkey primary key (plan, feature),
    constraint plan_features_plan_fkey foreign key (plan)
    references public.plans on delete cascade,
    constraint plan_features_feature_check check (feature ~ '^[a-z_]+\.[a-z_]+$'),
    constraint plan_features_allowed_check check (allowed >= 0)
);
alter table public.plan_features enable row level security;
comment on table public.plan_features is
'What each plan opens. A feature without a row is not in the plan.';
comment on column public.plan_features.allowed is 'How many of it at a time; null: no limit.';
insert into public.plan_features (plan, feature, allowed) values
('free', 'escrow.open_agreements', 20),
('premium', 'escrow.open_agreements', 200),
('business', 'escrow.open_agreements', null);

create domain public.subscription_status as text constraint subscription_status_check
check (value in (
    'incomplete', 'trialing', 'active', 'past_due', 'unpaid', 'paused', 'canceled',
    'incomplete_expired'
));

create table public.subscriptions (
    id uuid not null default gen_random_uuid(),
    owner_id uuid not null,
    plan text not null,
    price_id uuid,
    next_price_id uuid,
    status public.subscription_status not null,
    current_period_start timestamptz not null,
    current_period_end timestamptz not null,
    trial_ends_at timestamptz,
    cancel_at timestamptz,
    ended_at timestamptz,
    end_reason text,
    is_extra boolean not null default false,
    provider text,
    reference text,
    customer text,
    started_at timestamptz not null,
    changed_at timestamptz not null,
    changed_by text not null default '',
    look_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint subscriptions_pkey primary key (id),
    constraint subscriptions_owner_id_fkey foreign key (owner_id)
    references public.profiles on delete restrict,
    constraint subscriptions_plan_fkey foreign key (plan)
    references public.plans on delete restrict,
    constraint subscriptions_price_id_fkey foreign key (price_id)
    references public.plan_prices on delete restrict,
    constraint subscriptions_next_price_id_fkey foreign key (next_price_id)
    references public.plan_prices on delete restrict,
    constraint subscriptions_provider_fkey foreign key (provider)
    references private.providers on delete restrict,
    constraint subscriptions_provider_reference_key unique (provider, reference),
    -- a trial of our own, without a card, or all that a provider's has
    constraint subscriptions_provider_check check (
        num_nonnulls(price_id, reference, customer) = case when provider is null then 0 else 3 end
        and (provider is not null or trial_ends_at is not null)
        and (provider is not null or next_price_id is null)
        and (provider is not null or status in ('trialing', 'canceled'))
    ),
    constraint subscriptions_ended_at_check check (
        (status in ('canceled', 'incomplete_expired')) = (ended_at is not null)
    )
);
alter table public.subscriptions enable row level security;
create index subscriptions_owner_id_started_at_idx
on public.subscriptions (owner_id, started_at);
create unique index subscriptions_owner_id_open_key on public.subscriptions (owner_id)
where status in ('trialing', 'active', 'past_due', 'unpaid', 'paused') and not is_extra;
create unique index subscriptions_owner_id_trial_key on public.subscriptions (owner_id)
where provider is null;
create index subscriptions_plan_status_idx on public.subscriptions (plan, status);
create index subscriptions_price_id_idx on public.subscriptions (price_id);
create index subscriptions_next_price_id_idx on public.subscriptions (next_price_id)
where next_price_id is not null;
create index subscriptions_trial_ends_at_idx on public.subscriptions (trial_ends_at)
where provider is null and status = 'trialing';
create index subscriptions_look_at_idx on public.subscriptions (look_at)
where look_at is not null;
create index subscriptions_is_extra_idx on public.subscriptions (id) where is_extra;
create trigger t20_touch_updated_at before update on public.subscriptions
for each row execute function private.touch_updated_at();
create trigger t10_refuse_removal before delete or truncate on public.subscriptions
for each statement execute function private.refuse_change();
comment on table public.subscriptions is
$$Who subscribes to what: one that is open per person, as its provider tells it.

A trial of our own, without a card, has no provider.$$;
comment on column public.subscriptions.status is
$$As Stripe's. trialing, active: all is well · past_due: a payment failed and is tried again, the
plan stays open · unpaid, paused: nothing is open until it is paid · incomplete: the first payment
is awaited · canceled, incomplete_expired: over.$$;
comment on column public.subscriptions.next_price_id is
'What it changes to when the period ends.';
comment on column public.subscriptions.cancel_at is 'When it ends, as its owner wished.';
comment on column public.subscriptions.end_reason is
$$trial_ended, converted (a paid one began), account_deleted, or the provider's word:
cancellation_requested, payment_failed, payment_disputed.$$;
comment on column public.subscriptions.is_extra is
'A second one at the provider while another was open: it opens nothing more, an operator ends it.';
comment on column public.subscriptions.customer is 'The provider''s id of who pays.';
comment on column public.subscriptions.changed_at is
'The provider''s time of the event that told this state; an older one changes nothing.';
comment on column public.subscriptions.changed_by is
'That event; it decides between two of a second.';
comment on column public.subscriptions.look_at is
'When the provider is asked how it stands, if no event told before.';

create function private.is_premium(user_id uuid) returns boolean
language sql stable security definer set search_path = '' as $$
    select exists (
        select from public.subscriptions as held
        inner join public.plans as known on held.plan = known.plan
        where held.owner_id = is_premium.user_id and known.is_premium
            and held.status in ('trialing', 'active', 'past_due')
            and (held.provider is not null or held.trial_ends_at > now())
    )
$$;
comment on function private.is_premium is
$$Whether a person has a premium plan now: paid, tried, or owed while its payment is tried again.

Source: Source Impact, rate limit tiers; Session Settlement, trial.$$;
create function public.is_premium() returns boolean
language sql stable set search_path = '' as $$ select private.is_premium((select auth.uid())) $$;
comment on function public.is_premium is 'Whether the caller has a premium plan, or a trial, now.';

create function private.current_plan(user_id uuid) returns text
language sql stable security definer set search_path = '' as $$
    select coalesce((
        select held.plan from public.subscriptions as held
        inner join public.plans as known on held.plan = known.plan
        where held.owner_id = current_plan.user_id
            and held.status in ('trialing', 'active', 'past_due')
            and (held.provider is not null or held.trial_ends_at > now())
        order by known.position desc
        limit 1
    ), 'free')
$$;
comment on function private.current_plan is 'The largest plan that is open to a person now.';

create function private.feature_limit(user_id uuid, feature text) returns bigint
language sql stable security definer set search_path = '' as $$
    select case when count(*) = 0 then 0 else max(opened.allowed) end
    from public.plan_features as opened
    where opened.plan = private.current_plan(feature_limit.user_id)
        and opened.feature = feature_limit.feature
$$;
comment on function private.feature_limit is
'How many of a feature a person''s plan allows now; null: no limit, 0: not in the plan.';

create function private.list_entitlements()
returns table (plan text, feature text, allowed bigint)
language sql stable security definer set search_path = '' as $$
    select opened.plan, opened.feature, opened.allowed
    from public.plan_features as opened
    where opened.plan = private.current_plan((select auth.uid()))
$$;
create function public.list_entitlements()
returns table (plan text, feature text, allowed bigint)
language sql stable set search_path = '' as $$ select * from private.list_entitlements() $$;
comment on function public.list_entitlements is
'What the caller''s plan opens now, one row per feature; `allowed` null: no limit.';

-- A subscription's changes follow one another, whoever tells them: an advisory lock, since the
-- first has no row yet. Lock order: this, then subscriptions and invoices, then what is closed.
create function private.lock_billing(owner_id uuid) returns void
language sql security definer set search_path = '' as $$
    select pg_advisory_xact_lock(hashtextextended('billing:' || lock_billing.owner_id, 0))
$$;
comment on function private.lock_billing is
'One person''s billing, to the end of the transaction.';

create function private.count_open_agreements(sponsor_id uuid) returns bigint
language sql stable security definer set search_path = '' as $$
    select count(distinct part.agreement_id)
    from public.escrows as part
    where part.sponsor_id = count_open_agreements.sponsor_id
        and part.status not in ('cancelled', 'released', 'refunded')
$$;
comment on function private.count_open_agreements is
'Agreements of a sponsor of which a part is still open.';

-- The gated feature: how many agreements a sponsor may have open at a time.
create function private.limit_agreements() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
    v_allowed bigint;
begin
    perform private.lock_billing(new.sponsor_id);
    v_allowed := private.feature_limit(new.sponsor_id, 'escrow.open_agreements');
    if v_allowed <= private.count_open_agreements(new.sponsor_id) then
        perform private.reject('billing.limit_reached', 'escrow.open_agreements');
    end if;
    return new;
end;
$$;
comment on function private.limit_agreements is
'Trigger: a sponsor opens no more agreements at a time than their plan allows.';
create trigger t10_limit before insert on public.escrow_agreements
for each row execute function private.limit_agreements();
do $$
declare
    v_page text := obj_description('public.open_escrow'::regproc, 'pg_proc');
begin
    execute format(
        'comment on function public.open_escrow is %L',
        replace(v_page, 'Errors: ', 'Errors: billing.limit_reached (402), ')
    );
end;
$$;

create function private.close_excess(owner_id uuid) returns bigint
language plpgsql security definer set search_path = '' as $$
declare
    v_allowed bigint := private.feature_limit(owner_id, 'escrow.open_agreements');
    v_escrow record;
    v_count bigint := 0;
begin
    for v_escrow in
        with open as (
            select
                part.agreement_id,
                max(part.created_at) as opened_at,
                -- other people's money and work are not touched
                bool_and(part.status in ('pending_payment', 'failed', 'cancelled')) as is_unpaid
            from public.escrows as part
            where part.sponsor_id = close_excess.owner_id
            group by part.agreement_id
            having bool_or(part.status not in ('cancelled', 'released', 'refunded'))
        ),
        excess as (
            select open.agreement_id from open
            where open.is_unpaid
            order by open.opened_at desc, open.agreement_id
            limit greatest((select count(*) from open) - v_allowed, 0)
        )
        select part.id from public.escrows as part
        where part.agreement_id in (select excess.agreement_id from excess)
            and part.status in ('pending_payment', 'failed') and v_allowed is not null
        order by part.id
        for no key update
    loop
        perform private.move_escrow(
            v_escrow.id, 'cancelled', 'The plan allows no more open agreements.'
        );
        v_count := v_count + 1;
    end loop;
    return v_count;
end;
$$;
comment on function private.close_excess is
$$Close what a person's plan does not allow any more; how many escrows that were.

The newest agreements of which nothing was paid are cancelled; what is paid goes on.$$;

create function private.start_trial(plan text default 'premium') returns public.subscriptions
language plpgsql security definer set search_path = '' as $$
declare
    v_me uuid := private.require_active();
    v_days bigint;
    v_trial public.subscriptions;
begin
    perform private.lock_billing(v_me);
    select known.trial_days into v_days from public.plans as known
    where known.plan = start_trial.plan and known.trial_days > 0;
    if not found then
        perform private.reject('billing.plan_not_found', 'plan');
    end if;
    if exists (
        select from public.subscriptions as had
        where had.owner_id = v_me and had.status not in ('incomplete', 'incomplete_expired')
    ) then
        perform private.reject('billing.trial_used');
    elsif exists (
        select from private.checkouts as begun
        where begun.owner_id = v_me and begun.status in ('starting', 'open')
            and begun.trial_days > 0
    ) then
        -- it would give a second trial after this one
        perform private.reject('billing.checkout_open');
    end if;
    insert into public.subscriptions (
        owner_id, plan, status, started_at, current_period_start, current_period_end,
        trial_ends_at, changed_at
    )
    select
        v_me, start_trial.plan, 'trialing', now(), now(), until.moment, until.moment, now()
    from (select now() + make_interval(days => v_days::integer) as moment) as until
    returning * into v_trial;
    return v_trial;
end;
$$;
create function public.start_trial(plan text default 'premium') returns public.subscriptions
language sql set search_path = '' as $$ select private.start_trial(plan) $$;
comment on function public.start_trial is
$$Try a plan without a card, once in a lifetime; it ends by itself after the plan's trial_days.

When it ends, what only the plan allowed is closed, and nothing is charged.
Errors: billing.plan_not_found (404), billing.trial_used, billing.checkout_open (409) while a page is
open where a trial begins, identity.not_active (403).
Source: Session Settlement, security middleware (trial).$$;

create function private.expire_trials() returns bigint
language plpgsql security definer set search_path = '' as $$
declare
    v_owner uuid;
    v_count bigint := 0;
begin
    for v_owner in
        select due.owner_id from public.subscriptions as due
        where due.provider is null and due.status = 'trialing' and due.trial_ends_at <= now()
        order by due.trial_ends_at
        limit 200
    loop
        -- somebody else's turn, or theirs to pay just now: the next run comes soon
        continue when not pg_try_advisory_xact_lock(hashtextextended('billing:' || v_owner, 0));
        update public.subscriptions as due
        set status = 'canceled', ended_at = due.trial_ends_at, end_reason = 'trial_ended'
        where due.owner_id = v_owner and due.provider is null and due.status = 'trialing'
            and due.trial_ends_at <= now();
        if found then
            perform private.close_excess(v_owner);
            v_count := v_count + 1;
        end if;
    end loop;
    return v_count;
end;
$$;
comment on function private.expire_trials is
$$End trials without a card whose time is over, and close what they opened; how many there were.

Two hundred at a time: run it until there is none.$$;

create function private.announce_subscription() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
    perform realtime.send(
        jsonb_build_object(
            'subscription_id', new.id, 'plan', new.plan, 'status', new.status,
            'current_period_end', new.current_period_end, 'cancel_at', new.cancel_at
        ),
        'subscription_' || new.status, 'user:' || new.owner_id, true
    );
    return null;
end;
$$;
comment on function private.announce_subscription is
'Trigger: broadcast `subscription_<status>` on the owner''s private topic `user:<id>`.';
create trigger t90_announce_new after insert on public.subscriptions
for each row execute function private.announce_subscription();
create trigger t90_announce after update of status, cancel_at, plan on public.subscriptions
for each row when (
    (old.status, old.cancel_at, old.plan) is distinct from (new.status, new.cancel_at, new.plan)
)
execute function private.announce_subscription();

-- Premium people ask more often. plpgsql keeps its plans for the session.
create or replace function private.rate_tier() returns text
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
    elsif private.is_premium(v_user) then
        return 'premium';
    end if;
    return 'member';
end;
$$;
