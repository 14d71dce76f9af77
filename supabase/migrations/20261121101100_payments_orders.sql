-- What providers tell us: an inbox that keeps every event once, and the orders they pay.
set lock_timeout = '5s';

insert into private.error_codes (code, http_status, message) values
('payments.invalid_amount', 422, 'The amount must be a whole number of minor units above zero.'),
('payments.invalid_currency', 422, 'The currency must be three upper-case letters (ISO 4217).'),
('payments.order_not_found', 404, 'There is no such order.'),
('payments.order_mismatch', 409, 'The payment''s amount or currency is not the order''s.'),
('payments.already_paid', 409, 'Another payment paid this order, or this payment another order.');

create domain public.order_status as text constraint order_status_check
check (value in ('pending', 'paid'));

-- Orders: what somebody is to pay for.
create table public.orders (
    id uuid not null default gen_random_uuid(),
    payer_id uuid not null,
    purpose text not null,
    amount_minor bigint not null,
    currency text not null,
    status public.order_status not null default 'pending',
    provider text,
    provider_reference text,
    paid_at timestamptz,
    escrow_id uuid,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint orders_pkey primary key (id),
    constraint orders_escrow_id_fkey foreign key (escrow_id)
    references public.escrows on delete restrict,
    constraint orders_payer_id_fkey foreign key (payer_id)
    references public.profiles on delete restrict,
    constraint orders_provider_provider_reference_key unique (provider, provider_reference),
    constraint orders_purpose_check check (char_length(purpose) between 1 and 200),
    constraint orders_amount_minor_check check (amount_minor > 0),
    constraint orders_currency_check check (currency ~ '^[A-Z]{3}$'),
    constraint orders_paid_at_check check ((status = 'paid') = (paid_at is not null))
);
alter table public.orders enable row level security;
create index orders_payer_id_created_at_idx on public.orders (payer_id, created_at);
create index orders_escrow_id_idx on public.orders (escrow_id);
create unique index orders_escrow_id_pending_key on public.orders (escrow_id)
where status = 'pending';
comment on table public.orders is 'What somebody is to pay for, and whether they did.';
comment on column public.orders.amount_minor is 'In minor units of `currency`.';
comment on column public.orders.escrow_id is
'The escrow that it pays; null: the payer''s own balance.';
comment on column public.orders.provider_reference is 'The provider''s own id of the payment.';

create trigger t10_touch_updated_at before update on public.orders
for each row execute function private.touch_updated_at();

create function private.create_order(amount_minor bigint, currency text, purpose text)
returns public.orders
language plpgsql security definer set search_path = '' as $$
declare
    v_order public.orders;
begin
    if create_order.amount_minor is null or create_order.amount_minor <= 0 then
        perform private.reject('payments.invalid_amount', 'amount_minor');
    end if;
    if create_order.currency is null or create_order.currency !~ '^[A-Z]{3}$' then
        perform private.reject('payments.invalid_currency', 'currency');
    end if;
    insert into public.orders (payer_id, amount_minor, currency, purpose)
    values (
        private.require_active(), create_order.amount_minor, create_order.currency,
        create_order.purpose
    )
    returning * into v_order;
    return v_order;
end;
$$;
create function public.create_order(amount_minor bigint, currency text, purpose text)
returns public.orders
language sql set search_path = '' as $$
    select private.create_order(amount_minor, currency, purpose)
$$;
comment on function public.create_order is
$$Order to pay into one's own balance; a provider's event marks it paid. See also order_escrow.

`amount_minor` in minor units of `currency` (ISO 4217, upper case).
Errors: payments.invalid_amount (422), payments.invalid_currency (422), identity.not_active (403).$$;

create function private.order_escrow(escrow_id uuid) returns public.orders
language plpgsql security definer set search_path = '' as $$
declare
    v_escrow public.escrows := private.lock_escrow(escrow_id, 'sponsor');
    v_order public.orders;
begin
    if v_escrow.status not in ('pending_payment', 'payment_processing', 'failed') then
        perform private.reject('escrow.not_payable', v_escrow.status);
    end if;
    select waiting.* into v_order from public.orders as waiting
    where waiting.escrow_id = v_escrow.id and waiting.status = 'pending';
    if not found then
        insert into public.orders (payer_id, amount_minor, currency, purpose, escrow_id)
        values (
            v_escrow.sponsor_id, v_escrow.total_minor, v_escrow.currency,
            left('Escrow: ' || v_escrow.title, 200), v_escrow.id
        )
        returning * into v_order;
    end if;
    return v_order;
end;
$$;
create function public.order_escrow(escrow_id uuid) returns public.orders
language sql set search_path = '' as $$ select private.order_escrow(escrow_id) $$;
comment on function public.order_escrow is
$$The order that pays an escrow, price and fee, as its sponsor. Safe to repeat.

A provider's payment of it funds the escrow.
Errors: escrow.not_found (404), escrow.wrong_party (403), escrow.not_payable (409),
identity.not_active (403).$$;

-- The payer's clients hear of every change of their order.
create function private.announce_order() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
    perform realtime.send(
        jsonb_build_object(
            'order_id', new.id,
            'status', new.status,
            'amount_minor', new.amount_minor,
            'currency', new.currency
        ),
        'order_' || new.status, 'user:' || new.payer_id, true
    );
    return null;
end;
$$;
comment on function private.announce_order is
'Trigger: broadcast `order_<status>` on the payer''s private topic `user:<id>`.';
create trigger t90_announce after update of status on public.orders
for each row when (old.status is distinct from new.status)
execute function private.announce_order();

-- The inbox: every event of every provider, once, as it came.
create table private.webhook_events (
    id bigint generated always as identity,
    provider text not null,
    event_id text not null,
    kind text not null,
    body bytea not null,
    status text not null default 'kept',
    note text,
    received_at timestamptz not null default now(),
    processed_at timestamptz,
    constraint webhook_events_pkey primary key (id),
    constraint webhook_events_provider_event_id_key unique (provider, event_id),
    constraint webhook_events_status_check check (status in ('kept', 'processed', 'ignored'))
);
alter table private.webhook_events enable row level security;
create index webhook_events_status_received_at_idx on private.webhook_events (status, received_at);
comment on table private.webhook_events is
'Inbox: what providers sent, verified, raw, each event once; its insert queues the job.';

create function private.keep_event(provider text, event_id text, kind text, body bytea)
returns boolean
language plpgsql security definer set search_path = '' as $$
declare
    v_id bigint;
begin
    insert into private.webhook_events (provider, event_id, kind, body)
    values (keep_event.provider, keep_event.event_id, keep_event.kind, keep_event.body)
    on conflict on constraint webhook_events_provider_event_id_key do nothing
    returning id into v_id;
    if v_id is null then
        return false;
    end if;
    perform private.enqueue(
        'payments.process_event',
        jsonb_build_object('event_id', v_id),
        format('webhook:%s:%s', keep_event.provider, keep_event.event_id)
    );
    return true;
end;
$$;
comment on function private.keep_event is
'Keep a verified event and queue its processing; false when it was kept before.';

create function private.open_event(event_id bigint)
returns table (provider text, kind text, body bytea)
language sql security definer set search_path = '' as $$
    select kept.provider, kept.kind, kept.body
    from private.webhook_events as kept
    where kept.id = open_event.event_id and kept.status = 'kept'
    for update
$$;
comment on function private.open_event is
'Lock an event that waits for processing; no row when it is done already.';

create function private.finish_event(event_id bigint, status text, note text default null)
returns void
language sql security definer set search_path = '' as $$
    update private.webhook_events as kept
    set status = finish_event.status, note = finish_event.note, processed_at = now()
    where kept.id = finish_event.event_id
$$;
comment on function private.finish_event is 'Close an event as processed or ignored, saying why.';

-- Lock order: the order, then its escrow, then ledger accounts.
create function private.record_payment(
    order_id uuid, provider text, reference text, amount_minor bigint, currency text
) returns void
language plpgsql security definer set search_path = '' as $$
declare
    v_order public.orders;
begin
    select wanted.* into v_order from public.orders as wanted
    where wanted.id = record_payment.order_id
    for update;
    if not found then
        perform private.reject('payments.order_not_found', record_payment.order_id::text);
    end if;
    if (v_order.amount_minor, v_order.currency)
        is distinct from (record_payment.amount_minor, record_payment.currency)
    then
        perform private.reject('payments.order_mismatch', record_payment.order_id::text);
    end if;
    if (v_order.provider, v_order.provider_reference)
        is not distinct from (record_payment.provider, record_payment.reference)
    then
        return;
    end if;
    -- money that settles nothing must come to light, not pass for what was wanted
    if v_order.status = 'paid' or exists (
        select from public.orders as other
        where other.provider = record_payment.provider
            and other.provider_reference = record_payment.reference
    ) then
        perform private.reject('payments.already_paid', record_payment.order_id::text);
    end if;
    update public.orders as paid
    set status = 'paid', provider = record_payment.provider,
        provider_reference = record_payment.reference, paid_at = now()
    where paid.id = v_order.id;
    if v_order.escrow_id is not null then
        perform private.fund_escrow(
            v_order.escrow_id, record_payment.provider, record_payment.reference,
            v_order.amount_minor, v_order.currency
        );
        return;
    end if;
    perform private.post_transaction(
        key => format('order:%s:pay', v_order.id),
        kind => 'payments.receive_payment',
        accounts => array[
            private.ledger_account(
                'clearing', v_order.currency, provider => record_payment.provider
            ),
            private.ledger_account('available', v_order.currency, owner_id => v_order.payer_id)
        ],
        amounts => array[-v_order.amount_minor, v_order.amount_minor],
        subject_id => v_order.id,
        memo => format(
            'Paid in by %s %s: %s', record_payment.provider, record_payment.reference,
            v_order.purpose
        )
    );
end;
$$;
comment on function private.record_payment is
$$Book a provider's payment of an order: into the escrow it is for, else the payer's balance.

Safe to repeat with the same payment; what is refused has moved nothing.
Errors: payments.order_not_found (404), payments.order_mismatch (409), payments.already_paid (409),
and those of private.fund_escrow.$$;
