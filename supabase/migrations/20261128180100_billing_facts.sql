-- What the provider tells of subscriptions and invoices, and what of it moves money.
set lock_timeout = '5s';

insert into private.error_codes (code, http_status, message) values
('billing.invoice_not_found', 404, 'There is no such invoice.');

create table public.invoices (
    id uuid not null default gen_random_uuid(),
    owner_id uuid not null,
    subscription_id uuid,
    provider text not null,
    reference text not null,
    subscription_reference text not null,
    number text,
    status text not null,
    currency public.currency_code not null,
    total_minor bigint not null,
    paid_minor bigint not null default 0,
    credited_minor bigint not null default 0,
    refunded_minor bigint not null default 0,
    charged_back_minor bigint not null default 0,
    period_start timestamptz,
    period_end timestamptz,
    attempts bigint not null default 0,
    next_attempt_at timestamptz,
    hosted_url text,
    pdf_url text,
    issued_at timestamptz not null,
    changed_at timestamptz not null,
    changed_by text not null default '',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint invoices_pkey primary key (id),
    constraint invoices_owner_id_fkey foreign key (owner_id)
    references public.profiles on delete restrict,
    constraint invoices_subscription_id_fkey foreign key (subscription_id)
    references public.subscriptions on delete restrict,
    constraint invoices_provider_fkey foreign key (provider)
    references private.providers on delete restrict,
    constraint invoices_provider_reference_key unique (provider, reference),
    constraint invoices_status_check
    check (status in ('draft', 'open', 'paid', 'uncollectible', 'void')),
    constraint invoices_paid_minor_check check (paid_minor >= 0),
    constraint invoices_back_check check (least(refunded_minor, charged_back_minor) >= 0)
);
alter table public.invoices enable row level security;
create index invoices_owner_id_issued_at_idx on public.invoices (owner_id, issued_at);
create index invoices_subscription_id_idx on public.invoices (subscription_id);
create index invoices_updated_at_idx on public.invoices (updated_at);
create index invoices_provider_subscription_reference_idx
on public.invoices (provider, subscription_reference) where subscription_id is null;
create trigger t20_touch_updated_at before update on public.invoices
for each row execute function private.touch_updated_at();
create trigger t10_refuse_removal before delete or truncate on public.invoices
for each statement execute function private.refuse_change();
comment on table public.invoices is
'Bills of subscriptions as the provider made them, in minor units of `currency`.';
comment on column public.invoices.subscription_reference is
'The provider''s id of the subscription; the invoice may be told before it.';
comment on column public.invoices.total_minor is
'What is billed; below zero: in the owner''s favour.';
comment on column public.invoices.paid_minor is 'What the provider received for it.';
comment on column public.invoices.credited_minor is 'What credit notes took off.';
comment on column public.invoices.refunded_minor is 'Of what was paid, what went back.';
comment on column public.invoices.charged_back_minor is 'Of what was paid, what a bank took back.';
comment on column public.invoices.attempts is 'How often its payment was tried.';
comment on column public.invoices.next_attempt_at is
'When its payment is tried again, while it is open.';
comment on column public.invoices.hosted_url is 'Where its owner sees and pays it.';

-- Which payment paid an invoice: refunds and payment disputes name the payment.
create table private.invoice_payments (
    provider text not null,
    reference text not null,
    invoice_reference text not null,
    created_at timestamptz not null default now(),
    constraint invoice_payments_pkey primary key (provider, reference),
    constraint invoice_payments_provider_fkey foreign key (provider)
    references private.providers on delete restrict
);
alter table private.invoice_payments enable row level security;
comment on table private.invoice_payments is 'Payments at a provider that paid an invoice.';

create table private.invoice_reversals (
    provider text not null,
    reference text not null,
    invoice_id uuid not null,
    kind text not null,
    status text not null,
    amount_minor bigint not null,
    created_at timestamptz not null default now(),
    constraint invoice_reversals_pkey primary key (provider, reference),
    constraint invoice_reversals_provider_fkey foreign key (provider)
    references private.providers on delete restrict,
    constraint invoice_reversals_invoice_id_fkey foreign key (invoice_id)
    references public.invoices on delete restrict,
    constraint invoice_reversals_kind_check check (kind in ('refund', 'dispute')),
    constraint invoice_reversals_status_check check (status in ('waiting', 'done', 'undone')),
    constraint invoice_reversals_amount_minor_check check (amount_minor > 0)
);
alter table private.invoice_reversals enable row level security;
create index invoice_reversals_invoice_id_idx on private.invoice_reversals (invoice_id);
comment on table private.invoice_reversals is
'What goes back of an invoice: refunds, and payments that a bank takes back.';
comment on column private.invoice_reversals.status is
'waiting: nothing moved · done: booked · undone, for good: it never moved, or came back.';

create function private.billing_owner(
    provider text, customer text, owner_id uuid, subscription text
) returns uuid
language sql stable security definer set search_path = '' as $$
    select coalesce(
        (
            select known.owner_id from private.provider_customers as known
            where known.provider = billing_owner.provider
                and known.reference = billing_owner.customer
        ),
        (
            select held.owner_id from public.subscriptions as held
            where held.provider = billing_owner.provider
                and held.reference = billing_owner.subscription
        ),
        (select person.id from public.profiles as person where person.id = billing_owner.owner_id)
    )
$$;
comment on function private.billing_owner is
'Whose a provider''s customer is, or who we said it is for; null: nobody of ours.';

create function private.subscription_rank(status text) returns bigint
language sql immutable set search_path = '' as $$
    select array_position(
        array['incomplete', 'trialing', 'paused', 'active', 'past_due', 'unpaid'], status
    )::bigint
$$;
comment on function private.subscription_rank is
'Which of two states told within one second is the later one; terminal states have none.';

create function private.change_subscription(
    provider text, reference text, state jsonb, told_at timestamptz, event text,
    seen_at timestamptz default null
) returns void
language plpgsql security definer set search_path = '' as $$
declare
    v_told record;
    v_owner uuid;
    v_old public.subscriptions;
    v_price public.plan_prices;
    v_next uuid;
    v_at timestamptz := change_subscription.told_at;
    v_event text := change_subscription.event;
    v_id uuid;
    v_is_over boolean;
begin
    select known.* into strict v_told
    from jsonb_to_record(state) as known (
        customer text, owner_id uuid, price text, next_price text, schedule text, status text,
        started_at timestamptz, period_start timestamptz, period_end timestamptz,
        trial_ends_at timestamptz, cancel_at timestamptz, ended_at timestamptz, end_reason text
    );
    v_owner := private.billing_owner(provider, v_told.customer, v_told.owner_id, reference);
    if v_owner is null then
        return;
    end if;
    perform private.lock_billing(v_owner);
    select held.* into v_old from public.subscriptions as held
    where held.provider = change_subscription.provider
        and held.reference = change_subscription.reference
    for update;
    if v_old.ended_at is not null then
        return;  -- what is over stays over
    end if;
    select sold.* into v_price from public.plan_prices as sold
    where sold.provider = change_subscription.provider and sold.reference = v_told.price;
    if not found then
        perform private.reject('billing.price_not_found', v_told.price);
    end if;
    v_is_over := v_told.status in ('canceled', 'incomplete_expired');
    if v_at is null then
        -- looked up: true unless an event was booked since the question was put. Our own clock
        -- may be ahead of the provider's, so that what is told from now on must still count.
        if v_old.changed_at is distinct from change_subscription.seen_at then
            -- what only a look-up tells (what a schedule changes to) is still wanted
            perform private.question_subscription(
                provider, reference, format('since:%s', v_old.changed_at)
            );
            return;
        end if;
        v_at := greatest(v_old.changed_at, now() - interval '1 minute');
        v_event := coalesce(v_old.changed_by, '');
    elsif v_old.id is not null and not v_is_over then
        if v_at = v_old.changed_at and v_event <> v_old.changed_by
            and v_told.status = v_old.status
            and (v_price.id, v_told.period_end, v_told.cancel_at, v_told.trial_ends_at)
            is distinct from
            (v_old.price_id, v_old.current_period_end, v_old.cancel_at, v_old.trial_ends_at)
        then
            -- two events of one second that differ: only the provider knows which came last
            perform private.question_subscription(
                provider, reference, format('event:%s', change_subscription.event)
            );
        end if;
        if (v_at, private.subscription_rank(v_told.status), v_event collate "C")
            <= (
                v_old.changed_at, private.subscription_rank(v_old.status),
                v_old.changed_by collate "C"
            )
        then
            return;
        end if;
    end if;
    -- events name the schedule, only a look-up what it changes to
    v_next := case
        when v_told.schedule is null or v_is_over then null
        when v_told.next_price is null then v_old.next_price_id
        else (
            select sold.id from public.plan_prices as sold
            where sold.provider = change_subscription.provider
                and sold.reference = v_told.next_price
        )
    end;
    -- a paid one ends the trial without a card
    if v_told.status not in ('incomplete', 'incomplete_expired') then
        update public.subscriptions as trial
        set status = 'canceled', ended_at = least(now(), trial.trial_ends_at),
            end_reason = 'converted'
        where trial.owner_id = v_owner and trial.provider is null and trial.status = 'trialing';
    end if;
    insert into public.subscriptions as held (
        owner_id, plan, price_id, next_price_id, status, current_period_start, current_period_end,
        trial_ends_at, cancel_at, ended_at, end_reason, is_extra, provider, reference, customer,
        started_at, changed_at, changed_by, look_at
    )
    values (
        v_owner, v_price.plan, v_price.id, nullif(v_next, v_price.id), v_told.status,
        v_told.period_start, v_told.period_end, v_told.trial_ends_at,
        case when not v_is_over then v_told.cancel_at end,
        case when v_is_over then coalesce(v_told.ended_at, v_at) end,
        case when v_is_over then v_told.end_reason end, true,
        change_subscription.provider, change_subscription.reference, v_told.customer,
        v_told.started_at, v_at, v_event,
        case
            when v_is_over then null
            when v_told.status in ('trialing', 'active')
                -- renewals are billed within an hour
                then greatest(v_told.period_end, now()) + interval '2 hours'
            else now() + interval '1 day'
        end
    )
    on conflict on constraint subscriptions_provider_reference_key do update
    set plan = excluded.plan, price_id = excluded.price_id,
        next_price_id = excluded.next_price_id, status = excluded.status,
        current_period_start = excluded.current_period_start,
        current_period_end = excluded.current_period_end,
        trial_ends_at = excluded.trial_ends_at, cancel_at = excluded.cancel_at,
        ended_at = excluded.ended_at, end_reason = excluded.end_reason,
        is_extra = true, customer = excluded.customer,
        changed_at = excluded.changed_at, changed_by = excluded.changed_by,
        look_at = excluded.look_at
    returning held.id into v_id;
    insert into private.provider_customers (owner_id, provider, reference)
    values (v_owner, change_subscription.provider, v_told.customer)
    on conflict do nothing;
    update public.invoices as told set subscription_id = v_id
    where told.provider = change_subscription.provider
        and told.subscription_reference = change_subscription.reference
        and told.subscription_id is null;
    perform private.rank_subscriptions(v_owner);
    perform private.close_excess(v_owner);
    if not v_is_over and exists (
        select from public.profiles as person
        where person.id = v_owner and person.deleted_at is not null
    ) then
        -- told of after its person had left, who can end it no more
        perform private.ask_change(v_id, 'end');
        perform private.enqueue(
            'payments.forget_methods', jsonb_build_object('subject_id', v_owner)
        );
    end if;
end;
$$;
comment on function private.change_subscription is
$$A subscription as its provider tells it, by an event or, `told_at` null, by a look-up.

Safe to repeat, in any order: the later event wins, by its own time; within a second the later
state, and the provider is asked when only it can know; what is over stays over. A look-up counts
unless an event was booked since `seen_at`. Of somebody unknown nothing is kept; whose person has
left is ended.
Errors: billing.price_not_found (404).$$;

create function private.rank_subscriptions(owner_id uuid) returns void
language plpgsql security definer set search_path = '' as $$
declare
    v_main uuid;
begin
    select held.id into v_main from public.subscriptions as held
    where held.owner_id = rank_subscriptions.owner_id
        and held.status in ('trialing', 'active', 'past_due', 'unpaid', 'paused')
    order by held.started_at, held.reference collate "C"
    limit 1;
    update public.subscriptions as held set is_extra = true
    where held.owner_id = rank_subscriptions.owner_id and held.id <> v_main and not held.is_extra
        and held.status in ('trialing', 'active', 'past_due', 'unpaid', 'paused');
    update public.subscriptions as held set is_extra = false
    where held.owner_id = rank_subscriptions.owner_id and held.is_extra
        and (
            held.id = v_main
            or held.status in ('incomplete', 'incomplete_expired', 'canceled')
        );
end;
$$;
comment on function private.rank_subscriptions is
'The oldest open subscription of a person counts; another beside it is marked as extra.';

create function private.question_subscription(provider text, reference text, key text)
returns void
language sql security definer set search_path = '' as $$
    select private.enqueue(
        'billing.refresh_subscription',
        jsonb_build_object(
            'provider', question_subscription.provider,
            'reference', question_subscription.reference
        ),
        format('subscription:%s:%s', question_subscription.reference, question_subscription.key)
    )
$$;
comment on function private.question_subscription is
'Ask the provider how a subscription stands, soon; once for each key.';

create function private.subscription_seen_at(provider text, reference text)
returns timestamptz
language sql stable security definer set search_path = '' as $$
    select held.changed_at from public.subscriptions as held
    where held.provider = subscription_seen_at.provider
        and held.reference = subscription_seen_at.reference
$$;
comment on function private.subscription_seen_at is
'Of which time our knowledge of a subscription is, to be noted before the provider is asked.';

create function private.change_invoice(
    provider text, reference text, state jsonb, told_at timestamptz, event text
) returns void
language plpgsql security definer set search_path = '' as $$
declare
    v_told record;
    v_owner uuid;
    v_old public.invoices;
    v_new public.invoices;
    v_at timestamptz := change_invoice.told_at;
    v_event text := change_invoice.event;
    v_ranks text[] := array['draft', 'open', 'uncollectible', 'void', 'paid'];
    v_more bigint;
begin
    select known.* into strict v_told
    from jsonb_to_record(state) as known (
        customer text, owner_id uuid, subscription text, number text, status text, currency text,
        total_minor bigint, paid_minor bigint, credited_minor bigint, period_start timestamptz,
        period_end timestamptz, attempts bigint, next_attempt_at timestamptz, hosted_url text,
        pdf_url text, issued_at timestamptz
    );
    v_owner := private.billing_owner(
        provider, v_told.customer, v_told.owner_id, v_told.subscription
    );
    if v_owner is null then
        return;
    end if;
    perform private.lock_billing(v_owner);
    select known.* into v_old from public.invoices as known
    where known.provider = change_invoice.provider
        and known.reference = change_invoice.reference
    for update;
    if v_at is null then
        v_at := greatest(v_old.changed_at, now() - interval '1 minute');
        v_event := coalesce(v_old.changed_by, '');
    elsif v_old.id is not null and (
        array_position(v_ranks, v_told.status), v_told.attempts, v_at, v_event collate "C"
    ) <= (
        array_position(v_ranks, v_old.status), v_old.attempts, v_old.changed_at,
        v_old.changed_by collate "C"
    ) then
        return;
    end if;
    if array_position(v_ranks, v_told.status) < array_position(v_ranks, v_old.status) then
        return;  -- looked up before the event that closed it
    end if;
    insert into public.invoices as known (
        owner_id, subscription_id, provider, reference, subscription_reference, number, status,
        currency, total_minor, paid_minor, credited_minor, period_start, period_end, attempts,
        next_attempt_at, hosted_url, pdf_url, issued_at, changed_at, changed_by
    )
    values (
        v_owner,
        (
            select held.id from public.subscriptions as held
            where held.provider = change_invoice.provider
                and held.reference = v_told.subscription
        ),
        change_invoice.provider, change_invoice.reference, v_told.subscription, v_told.number,
        v_told.status, v_told.currency, v_told.total_minor, v_told.paid_minor,
        v_told.credited_minor, v_told.period_start, v_told.period_end, v_told.attempts,
        v_told.next_attempt_at, v_told.hosted_url, v_told.pdf_url, v_told.issued_at, v_at, v_event
    )
    on conflict on constraint invoices_provider_reference_key do update
    set number = coalesce(excluded.number, known.number), status = excluded.status,
        total_minor = excluded.total_minor,
        -- only ever more, whatever order it is told in
        paid_minor = greatest(excluded.paid_minor, known.paid_minor),
        credited_minor = greatest(excluded.credited_minor, known.credited_minor),
        period_start = excluded.period_start, period_end = excluded.period_end,
        attempts = excluded.attempts, next_attempt_at = excluded.next_attempt_at,
        hosted_url = coalesce(excluded.hosted_url, known.hosted_url),
        pdf_url = coalesce(excluded.pdf_url, known.pdf_url),
        changed_at = excluded.changed_at, changed_by = excluded.changed_by
    returning known.* into v_new;
    v_more := v_new.paid_minor - coalesce(v_old.paid_minor, 0);
    if v_more > 0 then
        perform private.post_transaction(
            -- what was paid so far names this payment: it only grows, under this lock
            key => format('invoice:%s:paid:%s', v_new.id, v_new.paid_minor),
            kind => 'billing.receive_invoice',
            accounts => array[
                private.ledger_account('clearing', v_new.currency, provider => v_new.provider),
                private.ledger_account('fees', v_new.currency)
            ],
            amounts => array[-v_more, v_more],
            subject_id => v_new.id,
            memo => format(
                'Subscription invoice %s paid, %s %s',
                coalesce(v_new.number, ''), v_new.provider, v_new.reference
            )
        );
    end if;
    if v_old.id is null then
        -- what went back of it was told before it was known here
        perform private.replay_early(
            v_new.provider, 'billing.invoice_not_found', v_new.reference
        );
    end if;
end;
$$;
comment on function private.change_invoice is
$$An invoice as its provider tells it; what it received is the platform's earning, posted once.

Safe to repeat, in any order: states and attempts only go forward, else the later event wins.
`told_at` null: looked up. Of somebody unknown nothing is kept.$$;

create function private.link_invoice_payment(
    provider text, reference text, invoice_reference text
) returns void
language plpgsql security definer set search_path = '' as $$
begin
    insert into private.invoice_payments (provider, reference, invoice_reference)
    values (
        link_invoice_payment.provider, link_invoice_payment.reference,
        link_invoice_payment.invoice_reference
    )
    on conflict on constraint invoice_payments_pkey do nothing;
    if found then
        perform private.replay_early(provider, 'payments.payment_not_found', reference);
    end if;
end;
$$;
comment on function private.link_invoice_payment is
$$Which payment paid an invoice; what went back of it before this was known is booked now.

Safe to repeat.$$;

create function private.reverse_invoice(
    provider text, invoice_reference text, kind text, reference text, status text,
    amount_minor bigint, note text
) returns void
language plpgsql security definer set search_path = '' as $$
declare
    v_owner uuid;
    v_invoice public.invoices;
    v_old private.invoice_reversals;
    v_key text := format('invoice_%s:%s:%s', kind, provider, reference);
    v_back bigint := 0;
begin
    select known.owner_id into v_owner from public.invoices as known
    where known.provider = reverse_invoice.provider
        and known.reference = reverse_invoice.invoice_reference;
    if not found then
        perform private.reject('billing.invoice_not_found', invoice_reference);
    end if;
    perform private.lock_billing(v_owner);
    select known.* into strict v_invoice from public.invoices as known
    where known.provider = reverse_invoice.provider
        and known.reference = reverse_invoice.invoice_reference
    for update;
    select known.* into v_old from private.invoice_reversals as known
    where known.provider = reverse_invoice.provider
        and known.reference = reverse_invoice.reference;
    if v_old.status = 'undone' or v_old.status = reverse_invoice.status
        or (v_old.status = 'done' and reverse_invoice.status = 'waiting')
    then
        return;
    end if;
    insert into private.invoice_reversals as known
        (provider, reference, invoice_id, kind, status, amount_minor)
    values (
        reverse_invoice.provider, reverse_invoice.reference, v_invoice.id, reverse_invoice.kind,
        reverse_invoice.status, reverse_invoice.amount_minor
    )
    on conflict on constraint invoice_reversals_pkey do update
    set status = excluded.status, amount_minor = excluded.amount_minor;
    if reverse_invoice.status = 'done' then
        v_back := reverse_invoice.amount_minor;
    elsif reverse_invoice.status = 'undone' and v_old.status = 'done' then
        v_back := -v_old.amount_minor;
        v_key := v_key || ':undone';
    end if;
    if v_back = 0 then
        return;
    end if;
    perform private.post_transaction(
        key => v_key,
        kind => case kind when 'refund' then 'billing.refund_invoice'
            else 'billing.charge_back_invoice' end,
        accounts => array[
            private.ledger_account('fees', v_invoice.currency),
            private.ledger_account('clearing', v_invoice.currency, provider => v_invoice.provider)
        ],
        amounts => array[-v_back, v_back],
        subject_id => v_invoice.id,
        memo => format(
            'Subscription invoice %s, %s %s %s: %s', coalesce(v_invoice.number, ''),
            case when v_back < 0 then 'came back after' else 'went back by' end, kind, reference,
            coalesce(left(note, 200), '')
        )
    );
    update public.invoices as known
    set refunded_minor = known.refunded_minor + case kind when 'refund' then v_back else 0 end,
        charged_back_minor = known.charged_back_minor
            + case kind when 'dispute' then v_back else 0 end
    where known.id = v_invoice.id;
end;
$$;
comment on function private.reverse_invoice is
$$What was paid for an invoice goes back, `done`, or did not after all, `undone`.

Safe to repeat, in any order.
Errors: billing.invoice_not_found (404).$$;

-- Refunds and payment disputes name a payment; whether it paid an order or an invoice, we know.
create function private.route_refund(
    provider text, reference text, payment text, status text, amount_minor bigint, currency text,
    request_id uuid, reason text
) returns void
language plpgsql security definer set search_path = '' as $$
declare
    v_invoice text;
begin
    select paid.invoice_reference into v_invoice from private.invoice_payments as paid
    where paid.provider = route_refund.provider and paid.reference = route_refund.payment;
    if found then
        perform private.reverse_invoice(
            provider, v_invoice, 'refund', route_refund.reference,
            case route_refund.status
                when 'succeeded' then 'done' when 'failed' then 'undone' else 'waiting' end,
            amount_minor, reason
        );
    else
        perform private.change_refund(
            provider, route_refund.reference, payment, route_refund.status, amount_minor, currency,
            request_id, reason
        );
    end if;
end;
$$;
comment on function private.route_refund is
$$What a provider says of a refund, of an order's payment or of an invoice's.

Errors: those of private.change_refund; billing.invoice_not_found (404).$$;

create function private.route_payment_dispute(
    provider text, reference text, payment text, status text, amount_minor bigint, currency text,
    reason text, due_at timestamptz
) returns void
language plpgsql security definer set search_path = '' as $$
declare
    v_invoice text;
begin
    select paid.invoice_reference into v_invoice from private.invoice_payments as paid
    where paid.provider = route_payment_dispute.provider
        and paid.reference = route_payment_dispute.payment;
    if found then
        perform private.reverse_invoice(
            provider, v_invoice, 'dispute', route_payment_dispute.reference,
            case route_payment_dispute.status
                when 'lost' then 'done' when 'won' then 'undone' else 'waiting' end,
            amount_minor, reason
        );
    else
        perform private.change_payment_dispute(
            provider, route_payment_dispute.reference, payment, route_payment_dispute.status,
            amount_minor, currency, reason, due_at
        );
    end if;
end;
$$;
comment on function private.route_payment_dispute is
$$What a provider says of a payment dispute, of an order's payment or of an invoice's.

Errors: those of private.change_payment_dispute; billing.invoice_not_found (404).$$;

create function private.sees_revenue() returns boolean
language sql stable security definer set search_path = '' as $$
    select private.is_operator() or coalesce((select auth.role()) = 'service_role', false)
$$;
comment on function private.sees_revenue is
'Whether the caller is an operator, or one of their scripts.';

create view public.billing_mrr with (security_invoker = true) as
select
    price.currency,
    held.plan,
    count(*) filter (where held.status in ('active', 'past_due')) as paying,
    count(*) filter (where held.status = 'past_due') as past_due,
    count(*) filter (
        where held.status in ('active', 'past_due') and held.cancel_at is not null
    ) as ending,
    count(*) filter (where held.status = 'trialing') as trialing,
    div(sum(case
        when held.status = 'trialing' then 0
        when price.period = 'month' then price.amount_minor * 12
        else price.amount_minor
    end), 12)::bigint as mrr_minor
from public.subscriptions as held
inner join public.plan_prices as price on held.price_id = price.id
where
    held.status in ('trialing', 'active', 'past_due')
    and (select private.sees_revenue())
group by price.currency, held.plan;
comment on view public.billing_mrr is
$$Monthly recurring revenue, for operators: a row per currency and plan, minor units of a month.

A year counts as twelve months; prices as they are listed, before discounts; trials count nothing.$$;

create function private.check_billing(since timestamptz default '-infinity')
returns table (finding text, subject text)
-- not sql: each span of time deserves a plan of its own
language plpgsql stable security definer set search_path = '' as $$
begin
    return query
    select 'two subscriptions of one person: end one at the provider', format(
        'subscription %s of %s, %s', held.id, held.owner_id, held.reference
    )
    from public.subscriptions as held
    where held.is_extra
    union all
    select 'subscription of a deleted person', format(
        'subscription %s of %s, %s', held.id, held.owner_id, held.reference
    )
    from public.subscriptions as held
    inner join public.profiles as person on held.owner_id = person.id
    -- so long its end may take
    where held.provider is not null and held.ended_at is null
        and greatest(person.deleted_at, held.created_at) < now() - interval '1 hour'
        and person.deleted_at is not null
    union all
    select 'invoice differs from its postings', format('invoice %s', bill.id)
    from public.invoices as bill
    where bill.updated_at >= since
        and bill.paid_minor - bill.refunded_minor - bill.charged_back_minor <> coalesce((
            select sum(entry.amount_minor)
            from public.ledger_transactions as moved
            inner join public.ledger_entries as entry on moved.id = entry.transaction_id
            inner join public.ledger_accounts as account on entry.account_id = account.id
            where moved.subject_id = bill.id and account.kind = 'fees'
        ), 0)
    union all
    select 'more went back than was paid', format('invoice %s', bill.id)
    from public.invoices as bill
    where bill.updated_at >= since
        and bill.refunded_minor + bill.charged_back_minor > bill.paid_minor
    union all
    select 'trial not ended in time', format('subscription %s', held.id)
    from public.subscriptions as held
    where held.provider is null and held.status = 'trialing'
        and held.trial_ends_at < now() - interval '1 hour'
    union all
    select 'provider not asked for long', format('subscription %s', held.id)
    from public.subscriptions as held
    where held.look_at < now() - interval '1 day';
end;
$$;
comment on function private.check_billing is
$$Everything that must hold of billing and does not: no row means that all is well.

`since`: of invoices, those that changed from then on.$$;
