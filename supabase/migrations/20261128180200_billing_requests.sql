-- What people ask of their subscription: kept first, then asked of the provider, under its key.
set lock_timeout = '5s';

insert into private.error_codes (code, http_status, message) values
('billing.no_subscription', 404, 'There is no subscription at a provider.'),
('billing.no_customer', 404, 'Nothing was ever paid here, so there is nothing to manage.'),
('billing.already_subscribed', 409, 'There is a subscription already: change that one.'),
('billing.payment_due', 409, 'A payment is due: settle it first.'),
('billing.subscription_ending', 409, 'The subscription is about to end: resume it first.'),
('billing.change_pending', 409, 'Another change of the subscription is under way.'),
('billing.nothing_to_change', 409, 'The subscription has this price already.'),
('billing.wrong_currency', 409, 'A subscription stays in its currency.');

insert into private.provider_actions (provider, action, key_hours) values
('stripe', 'billing.publish_price', 24), ('stripe', 'billing.start_subscription', 24),
('stripe', 'billing.change_subscription', 24);

create table private.checkouts (
    id uuid not null default gen_random_uuid(),
    owner_id uuid not null,
    price_id uuid not null,
    trial_days bigint,
    trial_ends_at timestamptz,
    status text not null default 'starting',
    provider text not null,
    reference text,
    url text,
    expires_at timestamptz,
    look_at timestamptz,
    created_at timestamptz not null default now(),
    constraint checkouts_pkey primary key (id),
    constraint checkouts_owner_id_fkey foreign key (owner_id)
    references public.profiles on delete restrict,
    constraint checkouts_price_id_fkey foreign key (price_id)
    references public.plan_prices on delete restrict,
    constraint checkouts_provider_reference_key unique (provider, reference),
    constraint checkouts_provider_fkey foreign key (provider)
    references private.providers on delete restrict,
    constraint checkouts_status_check
    check (status in ('starting', 'open', 'completed', 'expired', 'abandoned'))
);
alter table private.checkouts enable row level security;
create unique index checkouts_owner_id_open_key on private.checkouts (owner_id)
where status in ('starting', 'open');
create index checkouts_owner_id_idx on private.checkouts (owner_id);
create index checkouts_price_id_idx on private.checkouts (price_id);
create index checkouts_look_at_idx on private.checkouts (look_at) where look_at is not null;
comment on table private.checkouts is
'Pages at the provider where somebody may begin a subscription: one open per person.';
comment on column private.checkouts.status is
$$starting: asked for, nobody has its address · open: may be paid · completed, expired: the
provider's word · abandoned: nobody ever had its address.$$;
comment on column private.checkouts.look_at is
'When the provider is asked what became of it, if no event told before.';

create table private.subscription_changes (
    id uuid not null default gen_random_uuid(),
    subscription_id uuid not null,
    kind text not null,
    price_id uuid,
    status text not null default 'asked',
    note text,
    created_at timestamptz not null default now(),
    ended_at timestamptz,
    constraint subscription_changes_pkey primary key (id),
    constraint subscription_changes_subscription_id_fkey foreign key (subscription_id)
    references public.subscriptions on delete restrict,
    constraint subscription_changes_price_id_fkey foreign key (price_id)
    references public.plan_prices on delete restrict,
    constraint subscription_changes_kind_check
    check (kind in ('upgrade', 'downgrade', 'cancel', 'resume', 'end')),
    constraint subscription_changes_price_id_check
    check ((price_id is not null) = (kind in ('upgrade', 'downgrade'))),
    constraint subscription_changes_status_check check (status in ('asked', 'done', 'failed')),
    constraint subscription_changes_ended_at_check
    check ((status = 'asked') = (ended_at is null))
);
alter table private.subscription_changes enable row level security;
-- one at a time; the end overtakes what is under way
create unique index subscription_changes_subscription_id_asked_key
on private.subscription_changes (subscription_id, (kind = 'end')) where status = 'asked';
create index subscription_changes_subscription_id_idx
on private.subscription_changes (subscription_id);
create index subscription_changes_price_id_idx on private.subscription_changes (price_id);
comment on table private.subscription_changes is
'What was asked of the provider for a subscription: one at a time.';
comment on column private.subscription_changes.kind is
$$upgrade: to a price, at once, the rest of the period is set off · downgrade: to a price, when the
period ends · cancel: when the period ends · resume: neither cancel nor downgrade · end: now.$$;

create function private.claim_price(price_id uuid)
returns table (
    request_id uuid, plan text, title text, amount_minor bigint, currency text, period text,
    reference text, is_repeat boolean
)
language plpgsql security definer set search_path = '' as $$
declare
    v_price public.plan_prices;
    v_request private.provider_requests;
begin
    select sold.* into v_price from public.plan_prices as sold
    where sold.id = claim_price.price_id
    for no key update;
    if not found then
        perform private.reject('billing.price_not_found', claim_price.price_id::text);
    end if;
    if v_price.reference is null then
        v_request := private.open_request(
            v_price.provider, 'billing.publish_price', v_price.id,
            jsonb_build_object(
                'plan', v_price.plan, 'amount_minor', v_price.amount_minor,
                'currency', v_price.currency, 'period', v_price.period
            )
        );
    end if;
    return query select
        v_request.id, v_price.plan, known.title, v_price.amount_minor, v_price.currency::text,
        v_price.period, v_price.reference, coalesce(v_request.tries > 1, false)
    from public.plans as known
    where known.plan = v_price.plan;
end;
$$;
comment on function private.claim_price is
$$A price and, while the provider does not know it, the stored request to make it there.

Errors: billing.price_not_found (404), payments.provider_not_available (409).$$;

create function private.price_published(request_id uuid, price_id uuid, reference text)
returns text
language plpgsql security definer set search_path = '' as $$
declare
    v_reference text;
begin
    update public.plan_prices as sold
    set reference = coalesce(sold.reference, price_published.reference)
    where sold.id = price_published.price_id
    returning sold.reference into v_reference;
    perform private.close_request(
        price_published.request_id, 'succeeded', price_published.reference
    );
    return v_reference;
end;
$$;
comment on function private.price_published is 'The provider made a price; its id there.';

create function private.start_checkout(price_id uuid)
returns table (
    checkout_id uuid, request_id uuid, to_expire text, url text, expires_at timestamptz,
    trial_days bigint, trial_ends_at timestamptz, customer text, email text, owner_id uuid
)
language plpgsql security definer set search_path = '' as $$
declare
    v_me uuid := private.require_active();
    v_price public.plan_prices;
    v_trial public.subscriptions;
    v_checkout private.checkouts;
    v_old private.checkouts;
    v_request private.provider_requests;
    v_days bigint;
begin
    select sold.* into v_price from public.plan_prices as sold
    where sold.id = start_checkout.price_id and sold.is_sold;
    if not found then
        perform private.reject('billing.price_not_found', 'price_id');
    end if;
    perform private.lock_billing(v_me);
    if exists (
        select from public.subscriptions as held
        where held.owner_id = v_me and held.provider is not null
            and held.status in ('trialing', 'active', 'past_due', 'unpaid', 'paused')
    ) then
        perform private.reject('billing.already_subscribed');
    end if;
    select held.* into v_trial from public.subscriptions as held
    where held.owner_id = v_me and held.provider is null and held.status = 'trialing'
        and held.trial_ends_at > now();
    -- a trial is given once: here to who never had one
    select known.trial_days into v_days from public.plans as known
    where known.plan = v_price.plan and known.trial_days > 0 and not exists (
        select from public.subscriptions as had
        where had.owner_id = v_me and had.status not in ('incomplete', 'incomplete_expired')
    );
    select begun.* into v_old from private.checkouts as begun
    where begun.owner_id = v_me and begun.status in ('starting', 'open')
    for update;
    if v_old.status = 'open' and v_old.expires_at > now() + interval '5 minutes'
        and (v_old.price_id, v_old.trial_days) is not distinct from (v_price.id, v_days)
    then
        return query select
            v_old.id, null::uuid, null::text, v_old.url, v_old.expires_at, v_old.trial_days,
            v_old.trial_ends_at, null::text, null::text, v_me;
        return;
    elsif v_old.status = 'open' then
        -- it might still be paid: the caller ends it at the provider, then asks again
        return query select
            v_old.id, null::uuid, v_old.reference, null::text, v_old.expires_at, null::bigint,
            null::timestamptz, null::text, null::text, v_me;
        return;
    elsif v_old.status = 'starting' and v_old.price_id <> v_price.id then
        perform private.abandon_checkout(v_old.id);
        v_old := null;
    end if;
    v_checkout := v_old;
    if v_checkout.id is null then
        insert into private.checkouts (owner_id, price_id, provider, trial_days, trial_ends_at)
        values (
            v_me, v_price.id, v_price.provider, v_days,
            -- what is left of the trial without a card is not charged; providers ask for two days
            case when v_trial.trial_ends_at > now() + interval '49 hours'
                then v_trial.trial_ends_at end
        )
        returning * into v_checkout;
    end if;
    v_request := private.open_request(
        v_checkout.provider, 'billing.start_subscription', v_checkout.id,
        jsonb_build_object('price_id', v_price.id, 'owner_id', v_me)
    );
    if v_request.tries > 1 and not private.may_resend(v_request) then
        -- the provider has forgotten the key, and nobody has the address: begin anew
        perform private.abandon_checkout(v_checkout.id);
        return query select * from private.start_checkout(v_price.id);
        return;
    end if;
    return query select
        v_checkout.id, v_request.id, null::text, null::text, null::timestamptz,
        v_checkout.trial_days, v_checkout.trial_ends_at,
        (
            select known.reference from private.provider_customers as known
            where known.owner_id = v_me and known.provider = v_checkout.provider
        ),
        (select login.email::text from auth.users as login where login.id = v_me),
        v_me;
end;
$$;
comment on function private.start_checkout is
$$Store that a provider is asked for a page where the caller may subscribe. For the api.

`url` given: it is open already. `to_expire` given: end that one at the provider first, then call
again. Else the request to send, under request_id.
Errors: billing.price_not_found (404), billing.already_subscribed (409),
payments.provider_not_available (409), identity.not_active (403).$$;

create function private.abandon_checkout(checkout_id uuid) returns void
language plpgsql security definer set search_path = '' as $$
begin
    update private.checkouts as begun set status = 'abandoned', look_at = null
    where begun.id = abandon_checkout.checkout_id and begun.status = 'starting';
    perform private.close_request(
        asked.id, case begun.status when 'abandoned' then 'declined' else 'succeeded' end,
        begun.reference, 'nobody waits for it'
    )
    from private.provider_requests as asked
    inner join private.checkouts as begun on asked.subject_id = begun.id
    where begun.id = abandon_checkout.checkout_id and asked.closed_at is null;
end;
$$;
comment on function private.abandon_checkout is
'A page whose address nobody ever had: it cannot be paid, so nothing is to be looked up.';

create function private.checkout_started(
    checkout_id uuid, request_id uuid, reference text, url text, expires_at timestamptz
) returns boolean
language plpgsql security definer set search_path = '' as $$
declare
    v_is_open boolean;
begin
    update private.checkouts as begun
    set status = 'open', reference = checkout_started.reference, url = checkout_started.url,
        expires_at = checkout_started.expires_at, look_at = now() + interval '15 minutes'
    where begun.id = checkout_started.checkout_id and begun.status = 'starting';
    v_is_open := found;
    perform private.close_request(
        checkout_started.request_id, 'succeeded', checkout_started.reference
    );
    return v_is_open or exists (
        select from private.checkouts as begun
        where begun.id = checkout_started.checkout_id
            and begun.reference = checkout_started.reference
    );
end;
$$;
comment on function private.checkout_started is
'The provider made the page; false: it was given up meanwhile, and its address is not to be told.';

create function private.change_checkout(
    provider text, checkout_id uuid, reference text, status text, subscription text
) returns void
language plpgsql security definer set search_path = '' as $$
begin
    -- told by the provider before our own commit, perhaps: then by the id that it echoes
    update private.checkouts as begun
    set status = change_checkout.status, look_at = null,
        reference = coalesce(begun.reference, change_checkout.reference)
    where begun.provider = change_checkout.provider
        and (begun.reference = change_checkout.reference or begun.id = change_checkout.checkout_id)
        and begun.status in ('starting', 'open', 'abandoned');
    if change_checkout.status = 'completed' and change_checkout.subscription is not null
        and not exists (
            select from public.subscriptions as held
            where held.provider = change_checkout.provider
                and held.reference = change_checkout.subscription
        )
    then
        perform private.question_subscription(
            provider, change_checkout.subscription, 'checkout'
        );
    end if;
end;
$$;
comment on function private.change_checkout is
'What became of a page at the provider: completed or expired. Safe to repeat, in any order.';

create function private.lock_own_subscription() returns public.subscriptions
language plpgsql security definer set search_path = '' as $$
declare
    v_me uuid := private.require_active();
    v_held public.subscriptions;
begin
    perform private.lock_billing(v_me);
    select held.* into v_held from public.subscriptions as held
    where held.owner_id = v_me and held.provider is not null and not held.is_extra
        and held.status in ('trialing', 'active', 'past_due', 'unpaid', 'paused')
    for update;
    if not found then
        perform private.reject('billing.no_subscription');
    end if;
    return v_held;
end;
$$;
comment on function private.lock_own_subscription is
$$The caller's open subscription at a provider, locked.

Errors: billing.no_subscription (404), identity.not_active (403).$$;

create function private.ask_change(subscription_id uuid, kind text, price_id uuid default null)
returns uuid
language plpgsql security definer set search_path = '' as $$
declare
    v_open private.subscription_changes;
begin
    select asked.* into v_open from private.subscription_changes as asked
    where asked.subscription_id = ask_change.subscription_id and asked.status = 'asked'
        and (asked.kind = 'end') = (ask_change.kind = 'end')
    for update;
    if found then
        if (v_open.kind, v_open.price_id) is distinct from (ask_change.kind, ask_change.price_id) then
            perform private.reject('billing.change_pending', v_open.kind);
        end if;
        return v_open.id;
    end if;
    insert into private.subscription_changes (subscription_id, kind, price_id)
    values (ask_change.subscription_id, ask_change.kind, ask_change.price_id)
    returning id into v_open.id;
    -- whoever waits carries it out at once; if they die before it is sent, this does
    perform private.enqueue(
        'billing.change_subscription', jsonb_build_object('subject_id', v_open.id),
        format('subscription_change:%s', v_open.id),
        now() + case ask_change.kind when 'end' then interval '0' else interval '90 seconds' end
    );
    return v_open.id;
end;
$$;
comment on function private.ask_change is
$$Keep what is asked of a subscription; the same again is the same. The caller has the lock.

Errors: billing.change_pending (409).$$;

create function private.change_plan(price_id uuid) returns uuid
language plpgsql security definer set search_path = '' as $$
declare
    v_held public.subscriptions := private.lock_own_subscription();
    v_old record;
    v_new record;
begin
    select sold.*, known.position into v_new
    from public.plan_prices as sold
    inner join public.plans as known on sold.plan = known.plan
    where sold.id = change_plan.price_id and (sold.is_sold or sold.id = v_held.price_id)
        and sold.provider = v_held.provider;
    if not found then
        perform private.reject('billing.price_not_found', 'price_id');
    end if;
    select sold.*, known.position into strict v_old
    from public.plan_prices as sold
    inner join public.plans as known on sold.plan = known.plan
    where sold.id = v_held.price_id;
    if v_held.status not in ('trialing', 'active') then
        perform private.reject('billing.payment_due', v_held.status);
    elsif v_held.cancel_at is not null then
        perform private.reject('billing.subscription_ending', v_held.cancel_at::text);
    elsif v_new.currency <> v_old.currency then
        perform private.reject('billing.wrong_currency', v_old.currency);
    elsif v_new.id = v_held.next_price_id or (
        v_new.id = v_held.price_id and v_held.next_price_id is null
    ) then
        perform private.reject('billing.nothing_to_change', 'price_id');
    elsif v_new.id = v_held.price_id then
        return private.ask_change(v_held.id, 'resume');
    end if;
    return private.ask_change(
        v_held.id,
        case
            -- nothing is paid yet, so nothing is to be set off or waited for
            when v_held.status = 'trialing' then 'upgrade'
            when (v_new.position, v_new.period) > (v_old.position, v_old.period) then 'upgrade'
            else 'downgrade'
        end,
        v_new.id
    );
end;
$$;
comment on function private.change_plan is
$$Ask for another price: a larger plan, or the year instead of the month, begins at once, and the
rest of the period is set off; a smaller one begins when the period ends. For the api.

Errors: billing.no_subscription, billing.price_not_found (404), billing.payment_due,
billing.subscription_ending, billing.wrong_currency, billing.nothing_to_change,
billing.change_pending (409), identity.not_active (403).$$;

create function private.cancel_plan() returns uuid
language plpgsql security definer set search_path = '' as $$
declare
    v_held public.subscriptions := private.lock_own_subscription();
begin
    if v_held.cancel_at is not null then
        return null;
    end if;
    return private.ask_change(v_held.id, 'cancel');
end;
$$;
comment on function private.cancel_plan is
$$Ask that the subscription ends with its period; null: it does already. For the api.

Errors: billing.no_subscription (404), billing.change_pending (409), identity.not_active (403).$$;

create function private.resume_plan() returns uuid
language plpgsql security definer set search_path = '' as $$
declare
    v_held public.subscriptions := private.lock_own_subscription();
begin
    if v_held.cancel_at is null and v_held.next_price_id is null then
        return null;
    end if;
    return private.ask_change(v_held.id, 'resume');
end;
$$;
comment on function private.resume_plan is
$$Ask that the subscription goes on as it is: no end, no smaller plan; null: it does. For the api.

Errors: billing.no_subscription (404), billing.change_pending (409), identity.not_active (403).$$;

create function private.billing_customer() returns text
language plpgsql stable security definer set search_path = '' as $$
declare
    v_me uuid := private.require_active();
    v_customer text;
begin
    select known.customer into v_customer
    from (
        select held.customer, held.is_extra::int as turn, held.started_at
        from public.subscriptions as held
        where held.owner_id = v_me and held.provider = 'stripe'
        union all
        select person.reference, 2, person.created_at
        from private.provider_customers as person
        where person.owner_id = v_me and person.provider = 'stripe'
    ) as known
    order by known.turn, known.started_at desc
    limit 1;
    if not found then
        perform private.reject('billing.no_customer');
    end if;
    return v_customer;
end;
$$;
comment on function private.billing_customer is
$$Who the caller is at Stripe, whose portal lets them manage what they pay. For the api.

Errors: billing.no_customer (404), identity.not_active (403).$$;

create function private.claim_change(change_id uuid)
returns table (
    request_id uuid, kind text, provider text, reference text, price_id uuid,
    seen_at timestamptz, is_repeat boolean, may_resend boolean
)
language plpgsql security definer set search_path = '' as $$
declare
    v_change private.subscription_changes;
    v_held public.subscriptions;
    v_request private.provider_requests;
begin
    select asked.* into v_change from private.subscription_changes as asked
    where asked.id = claim_change.change_id and asked.status = 'asked'
    for update;
    if not found then
        return;
    end if;
    select held.* into strict v_held from public.subscriptions as held
    where held.id = v_change.subscription_id;
    v_request := private.open_request(
        v_held.provider, 'billing.change_subscription', v_change.id,
        jsonb_build_object(
            'kind', v_change.kind, 'subscription', v_held.reference, 'price_id', v_change.price_id
        )
    );
    if v_request.id is null then
        return;
    end if;
    return query select
        v_request.id, v_change.kind, v_held.provider, v_held.reference, v_change.price_id,
        v_held.changed_at, v_request.tries > 1, private.may_resend(v_request);
end;
$$;
comment on function private.claim_change is
'A change to be asked of the provider now, its request stored; no row: nothing to do.';

create function private.end_change(request_id uuid, status text, note text default null)
returns void
language plpgsql security definer set search_path = '' as $$
declare
    v_request private.provider_requests;
begin
    -- the change before its request, as private.claim_change
    perform from private.subscription_changes as asked
    where asked.id = (
        select made.subject_id from private.provider_requests as made
        where made.id = end_change.request_id
    )
    for update;
    v_request := private.close_request(
        request_id, case status when 'done' then 'succeeded' else 'declined' end,
        note => end_change.note
    );
    update private.subscription_changes as asked
    set status = case v_request.status when 'succeeded' then 'done' else 'failed' end,
        note = left(end_change.note, 1000), ended_at = now()
    where asked.id = v_request.subject_id and asked.status = 'asked'
        and v_request.closed_at is not null;
end;
$$;
comment on function private.end_change is
'The provider carried a change out, `done`, or said a final no, `failed`.';

create function private.refresh_due() returns bigint
language plpgsql security definer set search_path = '' as $$
declare
    v_due record;
    v_count bigint := 0;
begin
    for v_due in
        update public.subscriptions as held
        set look_at = now() + interval '6 hours'
        where held.id in (
            select due.id from public.subscriptions as due
            where due.look_at <= now()
            order by due.look_at
            limit 200
            for update skip locked
        )
        returning held.provider, held.reference
    loop
        perform private.enqueue(
            'billing.refresh_subscription',
            jsonb_build_object('provider', v_due.provider, 'reference', v_due.reference)
        );
        v_count := v_count + 1;
    end loop;
    for v_due in
        update private.checkouts as begun
        set look_at = case
            when begun.expires_at + interval '2 days' < now() then null
            -- 15 minutes, 30, an hour … : what is given up costs little
            else now() + greatest(now() - begun.created_at, interval '15 minutes')
        end
        where begun.id in (
            select due.id from private.checkouts as due
            where due.look_at <= now()
            order by due.look_at
            limit 200
            for update skip locked
        )
        returning begun.provider, begun.reference
    loop
        perform private.enqueue(
            'billing.refresh_checkout',
            jsonb_build_object('provider', v_due.provider, 'reference', v_due.reference)
        );
        v_count := v_count + 1;
    end loop;
    return v_count;
end;
$$;
comment on function private.refresh_due is
'Queue a look at what no event told of in time; how many subscriptions and checkouts.';

-- Who leaves pays no longer.
create function private.end_subscriptions() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
    v_held uuid;
    v_page private.checkouts;
begin
    perform private.lock_billing(new.id);
    for v_page in
        select begun.* from private.checkouts as begun
        where begun.owner_id = new.id and begun.status in ('starting', 'open')
        for update
    loop
        if v_page.status = 'starting' then
            perform private.abandon_checkout(v_page.id);
        else
            perform private.enqueue(
                'billing.expire_checkout', jsonb_build_object(
                    'provider', v_page.provider, 'reference', v_page.reference
                )
            );
        end if;
    end loop;
    update public.subscriptions as trial
    set status = 'canceled', ended_at = now(), end_reason = 'account_deleted'
    where trial.owner_id = new.id and trial.provider is null and trial.status = 'trialing';
    for v_held in
        select held.id from public.subscriptions as held
        where held.owner_id = new.id and held.ended_at is null
        order by held.id
        for update
    loop
        perform private.ask_change(v_held, 'end');
    end loop;
    return null;
end;
$$;
comment on function private.end_subscriptions is
$$Trigger: a deleted account's subscriptions end now, and the page that would begin one; at the
provider as well, by jobs.$$;
create trigger t90_end_subscriptions after update of deleted_at on public.profiles
for each row when (old.deleted_at is null and new.deleted_at is not null)
execute function private.end_subscriptions();
