-- Money in: which provider, every payment that arrived, and what it settled.
set lock_timeout = '5s';

insert into private.error_codes (code, http_status, message) values
('payments.order_not_payable', 409, 'The order was paid, or what it is for has ended.'),
('payments.no_route', 409, 'No provider takes this from this country, or may hold it so long.'),
('payments.payment_not_found', 404, 'There is no such payment.'),
('payments.payment_mismatch', 409, 'This payment was told before with another amount or order.'),
('payments.attempt_not_found', 404, 'There is no such try to pay.'),
('payments.invalid_tax_id', 422, 'A tax number has 4 to 30 letters, digits or hyphens.');
delete from private.error_codes
where code in ('payments.order_mismatch', 'payments.already_paid');
update private.error_codes
set message = 'The amount must be a whole number of minor units in range.'
where code = 'payments.invalid_amount';

-- The first row that fits decides: null fits every country, currency or kind of order.
create table private.payment_routes (
    position bigint not null,
    country text,
    currency text,
    kind text,
    provider text not null,
    is_enabled boolean not null default true,
    constraint payment_routes_pkey primary key (position),
    constraint payment_routes_provider_fkey foreign key (provider)
    references private.providers on delete cascade,
    constraint payment_routes_country_check check (country ~ '^[A-Z]{2}$'),
    constraint payment_routes_currency_check check (currency ~ '^[A-Z]{3}$'),
    constraint payment_routes_kind_check check (kind in ('credit', 'escrow', 'booking'))
);
alter table private.payment_routes enable row level security;
create index payment_routes_provider_idx on private.payment_routes (provider);
comment on table private.payment_routes is
$$Which provider takes whose money: the enabled row with the lowest position that fits.

Further rows that fit are what a payer may choose instead.
Source: Session Settlement, gateways (Razorpay for India, PayPal for elsewhere); design, payments.$$;
comment on column private.payment_routes.country is 'Of the payer, ISO 3166; null: any.';
comment on column private.payment_routes.kind is 'credit, escrow, booking; null: any.';
insert into private.payment_routes (position, country, currency, kind, provider) values
(10, 'IN', 'INR', null, 'razorpay'),
(20, null, 'INR', null, 'razorpay'),
(30, null, null, 'booking', 'paypal'),
(40, null, null, null, 'stripe'),
(50, null, null, null, 'paypal'),
(60, null, 'USD', null, 'coinbase');

-- Taxes: amounts include them; the receipt names the part.
create table private.tax_rates (
    country text not null,
    rate_bps bigint not null,
    title text not null default 'VAT',
    constraint tax_rates_pkey primary key (country),
    constraint tax_rates_country_check check (country ~ '^[A-Z]{2}$'),
    constraint tax_rates_rate_bps_check check (rate_bps between 0 and 5000)
);
alter table private.tax_rates enable row level security;
comment on table private.tax_rates is
'The tax contained in what people of a country pay; no row: none is shown. Empty until set.';

-- Who issues receipts: a row per change, so that a receipt stays as it was.
create table private.receipt_issuers (
    since timestamptz not null default now(),
    name text not null,
    address text not null,
    tax_id text,
    constraint receipt_issuers_pkey primary key (since),
    constraint receipt_issuers_name_check check (char_length(name) between 1 and 200),
    constraint receipt_issuers_address_check check (char_length(address) between 1 and 500),
    constraint receipt_issuers_tax_id_check check (char_length(tax_id) between 1 and 30)
);
alter table private.receipt_issuers enable row level security;
comment on table private.receipt_issuers is
$$The platform as its receipts name it, the latest row before the payment; none: receipts name none.

Empty until set. What changes is a new row, never another content of an old one.$$;
comment on column private.receipt_issuers.address is 'Lines are kept as they are.';

alter table public.orders
add column booking_id uuid,
add column payer_country text,
add column payer_tax_id text,
add column tax_bps bigint not null default 0,
add column tax_minor bigint not null default 0;
alter table public.orders
add constraint orders_payer_country_check check (payer_country ~ '^[A-Z]{2}$') not valid,
add constraint orders_payer_tax_id_check
check (payer_tax_id ~ '^[A-Za-z0-9][A-Za-z0-9 -]{2,28}[A-Za-z0-9]$') not valid,
add constraint orders_tax_minor_check check (tax_minor between 0 and amount_minor) not valid,
add constraint orders_subject_check check (num_nonnulls(escrow_id, booking_id) <= 1) not valid;
comment on column public.orders.booking_id is 'The booking that it pays.';
comment on column public.orders.payer_country is 'ISO 3166, as it was when the order was made.';
comment on column public.orders.payer_tax_id is 'VAT or GST number for the receipt.';
comment on column public.orders.tax_minor is
'The tax that amount_minor contains: floor(amount × tax_bps / (10000 + tax_bps)).';

-- no more than an escrow or an offer: what the ledger cannot book must not be paid
create or replace function private.create_order(amount_minor bigint, currency text, purpose text)
returns public.orders
language plpgsql security definer set search_path = '' as $$
declare
    v_order public.orders;
begin
    if coalesce(create_order.amount_minor, 0) not between 1 and 100000000000000 then
        perform private.reject('payments.invalid_amount', 'amount_minor');
    elsif create_order.currency is null or create_order.currency !~ '^[A-Z]{3}$' then
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
comment on function public.create_order is
$$Order to pay into one's own balance; a provider's event marks it paid. See also order_escrow.

`amount_minor` in minor units of `currency` (ISO 4217, upper case), at most 10^14.
Errors: payments.invalid_amount (422), payments.invalid_currency (422), identity.not_active (403).$$;

create function private.tax_order() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
    select person.country into new.payer_country from public.profile_private as person
    where person.user_id = new.payer_id and person.country ~ '^[A-Z]{2}$';
    new.tax_bps := coalesce((
        select rate.rate_bps from private.tax_rates as rate
        where rate.country = new.payer_country
    ), 0);
    new.tax_minor := div(new.amount_minor::numeric * new.tax_bps, 10000 + new.tax_bps)::bigint;
    return new;
end;
$$;
comment on function private.tax_order is
'Trigger: the payer''s country and the tax that the amount contains, as of now.';
create trigger t50_tax_order before insert on public.orders
for each row execute function private.tax_order();

-- Tries to pay: what a provider was asked to collect.
create table public.payment_attempts (
    id uuid not null default gen_random_uuid(),
    order_id uuid not null,
    provider text not null,
    way text not null default 'page',
    reference text,
    status text not null default 'starting',
    reason text,
    approved_at timestamptz,
    look_at timestamptz not null default now() + interval '1 hour',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint payment_attempts_pkey primary key (id),
    constraint payment_attempts_order_id_fkey foreign key (order_id)
    references public.orders on delete restrict,
    constraint payment_attempts_provider_fkey foreign key (provider)
    references private.providers on delete restrict,
    constraint payment_attempts_provider_reference_key unique (provider, reference),
    constraint payment_attempts_way_check
    check (way in ('page', 'form') or way ~ '^[0-9a-f-]{36}$'),
    constraint payment_attempts_status_check
    check (status in ('starting', 'started', 'succeeded', 'failed'))
);
alter table public.payment_attempts enable row level security;
create index payment_attempts_order_id_idx on public.payment_attempts (order_id);
create unique index payment_attempts_order_id_provider_open_key
on public.payment_attempts (order_id, provider) where status in ('starting', 'started');
create index payment_attempts_look_at_idx on public.payment_attempts (look_at)
where status = 'started';
-- a look at it changes nothing
create trigger t10_touch_updated_at
before update of reference, status, reason, approved_at on public.payment_attempts
for each row execute function private.touch_updated_at();
comment on table public.payment_attempts is
'An order at a provider, to be paid there: one open try per order and provider.';
comment on column public.payment_attempts.way is
'page, form, or the id of the saved method, as it was asked for; many providers have but one way.';
comment on column public.payment_attempts.reference is
'The provider''s id of what is to be paid: its intent, order or checkout.';
comment on column public.payment_attempts.reason is 'Why it failed.';
comment on column public.payment_attempts.approved_at is
'When the payer agreed at the provider, where the money is taken by a second call.';
comment on column public.payment_attempts.look_at is
'When its provider is asked next what became of it: its event may be lost; infinity: never again.';
create index payment_attempts_approved_at_idx on public.payment_attempts (approved_at)
where status = 'started';

-- Payments: money that arrived, whatever it was for.
create table public.payments (
    id uuid not null default gen_random_uuid(),
    receipt_number bigint generated always as identity,
    order_id uuid not null,
    payer_id uuid not null,
    provider text not null,
    reference text not null,
    amount_minor bigint not null,
    currency public.currency_code not null,
    applied_minor bigint not null,
    refunded_minor bigint not null default 0,
    charged_back_minor bigint not null default 0,
    note text,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint payments_pkey primary key (id),
    constraint payments_order_id_fkey foreign key (order_id)
    references public.orders on delete restrict,
    constraint payments_payer_id_fkey foreign key (payer_id)
    references public.profiles on delete restrict,
    constraint payments_provider_fkey foreign key (provider)
    references private.providers on delete restrict,
    constraint payments_provider_reference_key unique (provider, reference),
    constraint payments_receipt_number_key unique (receipt_number),
    constraint payments_amount_minor_check check (amount_minor > 0),
    constraint payments_applied_minor_check check (applied_minor between 0 and amount_minor),
    constraint payments_refunded_minor_check check (refunded_minor between 0 and amount_minor),
    constraint payments_charged_back_minor_check
    check (charged_back_minor between 0 and amount_minor)
);
alter table public.payments enable row level security;
create index payments_order_id_idx on public.payments (order_id);
create index payments_payer_id_created_at_idx on public.payments (payer_id, created_at);
create index payments_created_at_idx on public.payments (created_at);
create trigger t20_touch_updated_at before update on public.payments
for each row execute function private.touch_updated_at();
create trigger t10_refuse_removal before delete or truncate on public.payments
for each statement execute function private.refuse_change();
comment on table public.payments is
'Money that arrived for an order, in minor units of `currency`; each has a receipt.';
comment on column public.payments.receipt_number is 'Of its receipt, see get_receipt.';
comment on column public.payments.reference is 'The provider''s id: what a refund names.';
comment on column public.payments.applied_minor is
'Of it, what settled the order; the rest, if any, goes back or stays as the payer''s balance.';
comment on column public.payments.refunded_minor is 'What the provider sent back.';
comment on column public.payments.charged_back_minor is
'What the payer''s bank, or somebody at the provider by hand, took back.';
comment on column public.payments.note is 'Why it did not settle its order, if so.';

insert into public.payments
(order_id, payer_id, provider, reference, amount_minor, currency, applied_minor, created_at)
select
    paid.id,
    paid.payer_id,
    paid.provider,
    paid.provider_reference,
    paid.amount_minor,
    paid.currency,
    paid.amount_minor as applied_minor,
    paid.paid_at
from public.orders as paid
where paid.status = 'paid';

-- People at providers, and what they may pay with again: references, never a card number.
create table private.provider_customers (
    owner_id uuid not null,
    provider text not null,
    reference text not null,
    created_at timestamptz not null default now(),
    constraint provider_customers_pkey primary key (owner_id, provider),
    constraint provider_customers_owner_id_fkey foreign key (owner_id)
    references public.profiles on delete restrict,
    constraint provider_customers_provider_fkey foreign key (provider)
    references private.providers on delete restrict,
    constraint provider_customers_provider_reference_key unique (provider, reference)
);
alter table private.provider_customers enable row level security;
comment on table private.provider_customers is 'Who a payer is at a provider.';

-- The inbox keeps what could not be booked apart from what means nothing.
alter table private.webhook_events drop constraint webhook_events_status_check;
alter table private.webhook_events add constraint webhook_events_status_check
check (status in ('kept', 'processed', 'ignored', 'failed')) not valid;

create function private.route_payment(
    country text, currency text, kind text, held_until timestamptz default null
) returns setof text
language sql stable security definer set search_path = '' as $$
    select route.provider
    from private.payment_routes as route
    inner join private.providers as known on route.provider = known.provider
    where route.is_enabled and known.is_enabled
        and coalesce(route.country = route_payment.country, route.country is null)
        and coalesce(route.currency = route_payment.currency, route.currency is null)
        and coalesce(route.kind = route_payment.kind, route.kind is null)
        -- who may not hold it so long, with days to spare for a dispute, is not asked to
        and coalesce((
            select now() + make_interval(days => (rule.hold_days - rule.warn_days)::integer)
            from private.holding_limits as rule
            where rule.provider = route.provider
                and rule.country in ('', coalesce(route_payment.country, ''))
            order by rule.country desc
            limit 1
        ) >= route_payment.held_until, true)
    group by route.provider
    order by min(route.position)
$$;
comment on function private.route_payment is
$$Providers that may take a payment, the preferred one first.

`held_until`: when what it pays for will be settled; null: the holding limits end it.$$;

create function private.is_wanted(wanted public.orders) returns boolean
language plpgsql stable security definer set search_path = '' as $$
begin
    return wanted.status = 'pending' and coalesce((
        select waiting.status in ('pending_payment', 'payment_processing', 'failed')
        from public.escrows as waiting where waiting.id = wanted.escrow_id
    ), true) and not exists (
        select from public.profiles as payer
        where payer.id = wanted.payer_id and payer.deleted_at is not null
    ) and coalesce((
        select waiting.status = 'pending_payment' and waiting.starts_at > now()
        from public.bookings as waiting where waiting.id = wanted.booking_id
    ), true);
end;
$$;
comment on function private.is_wanted is
'Whether an order still waits for its money: neither paid, nor called off, nor its payer gone.';

create function private.start_payment(
    order_id uuid, provider text default null, configured text[] default null,
    way text default 'page'
)
returns table (
    attempt_id uuid, reference text, request_id uuid, is_repeat boolean, may_resend boolean,
    provider_name text, amount_minor bigint, currency text, title text, email text, customer text,
    begun_way text
)
language plpgsql security definer set search_path = '' as $$
declare
    v_me uuid := private.require_active();
    v_order public.orders;
    v_attempt public.payment_attempts;
    v_request private.provider_requests;
    v_provider text;
begin
    select wanted.* into v_order from public.orders as wanted
    where wanted.id = start_payment.order_id and wanted.payer_id = v_me
    for update;
    if not found then
        perform private.reject('payments.order_not_found', start_payment.order_id::text);
    end if;
    if not private.is_wanted(v_order) or exists (
        -- nobody has called it off yet
        select from public.bookings as late
        where late.id = v_order.booking_id and late.expires_at <= now()
    ) then
        perform private.reject('payments.order_not_payable', v_order.status);
    end if;
    select fit.name into v_provider
    from private.route_payment(
        v_order.payer_country, v_order.currency,
        case
            when v_order.escrow_id is not null then 'escrow'
            when v_order.booking_id is not null then 'booking'
            else 'credit'
        end,
        (
            select booked.completes_at + make_interval(hours => terms.hold_hours::integer)
            from public.bookings as booked
            inner join public.settlement_policies as terms on booked.policy_version = terms.version
            where booked.id = v_order.booking_id
        )
    ) with ordinality as fit (name, place)
    where fit.name = coalesce(start_payment.provider, fit.name)
    -- where none of them can be asked, the first one says what is missing
    order by coalesce(fit.name = any(start_payment.configured), true) desc, fit.place
    limit 1;
    if not found then
        perform private.reject(
            'payments.no_route', coalesce(start_payment.provider, v_order.currency)
        );
    end if;
    select open.* into v_attempt from public.payment_attempts as open
    where open.order_id = v_order.id and open.provider = v_provider
        and open.status in ('starting', 'started');
    if not found then
        insert into public.payment_attempts (order_id, provider, way)
        values (v_order.id, v_provider, start_payment.way)
        returning * into v_attempt;
    end if;
    v_request := private.open_request(
        v_provider, 'payments.start_payment', v_attempt.id,
        jsonb_build_object(
            'order_id', v_order.id, 'amount_minor', v_order.amount_minor,
            'currency', v_order.currency
        )
    );
    return query
    select
        v_attempt.id, v_attempt.reference,
        coalesce(v_request.id, (
            select asked.id from private.provider_requests as asked
            where asked.subject_id = v_attempt.id and asked.action = 'payments.start_payment'
                and asked.status = 'succeeded'
        )),
        coalesce(v_request.tries > 1, true), coalesce(private.may_resend(v_request), false),
        v_provider, v_order.amount_minor, v_order.currency, v_order.purpose,
        (select login.email::text from auth.users as login where login.id = v_me),
        (
            select known.reference from private.provider_customers as known
            where known.owner_id = v_me and known.provider = v_provider
        ),
        v_attempt.way;
end;
$$;
comment on function private.start_payment is
$$Choose who collects an order and store that they are asked, as its payer. For the api.

`provider` null: the preferred one, of those that are `configured` (null: all are), which the api
knows. With a `reference` it was started before; where `begun_way` is another `way` than the payer
wants now, the api ends it first: an order is not to be paid by both.
Errors: payments.order_not_found (404), payments.order_not_payable, payments.no_route,
payments.provider_not_available (409), identity.not_active (403).$$;

create function private.payment_started(attempt_id uuid, request_id uuid, reference text)
returns uuid
language plpgsql security definer set search_path = '' as $$
declare
    v_earlier uuid;
begin
    perform from public.orders as locked
    where locked.id = (
        select begun.order_id from public.payment_attempts as begun
        where begun.id = payment_started.attempt_id
    )
    for update;
    select made.id into v_earlier
    from public.payment_attempts as begun
    inner join public.payment_attempts as made
        on begun.order_id = made.order_id and begun.provider = made.provider
    where begun.id = payment_started.attempt_id and made.id <> begun.id
        and made.reference = payment_started.reference;
    -- looked for in doubt and found by the order: a declined card's form can be paid by another
    if found then
        update public.payment_attempts as begun
        set status = 'failed', reason = 'an earlier try can still be paid'
        where begun.id = payment_started.attempt_id and begun.status = 'starting';
        update public.payment_attempts as made set status = 'started', reason = null
        where made.id = v_earlier and made.status = 'failed';
        perform private.close_request(payment_started.request_id, 'declined');
        return v_earlier;
    end if;
    update public.payment_attempts as begun
    set reference = payment_started.reference,
        status = case begun.status when 'starting' then 'started' else begun.status end
    where begun.id = payment_started.attempt_id;
    perform private.close_request(
        payment_started.request_id, 'succeeded', payment_started.reference
    );
    return payment_started.attempt_id;
end;
$$;
comment on function private.payment_started is
'The provider made what the payer is to pay; the try that it belongs to, be it an earlier one.';

create function private.fail_start(
    attempt_id uuid, request_id uuid, status text, note text
) returns void
language plpgsql security definer set search_path = '' as $$
begin
    perform from public.payment_attempts as begun
    where begun.id = fail_start.attempt_id
    for update;
    if (private.close_request(
        fail_start.request_id, fail_start.status, note => fail_start.note
    )).status = 'declined' then
        update public.payment_attempts as failed
        set status = 'failed', reason = left(fail_start.note, 500)
        where failed.id = fail_start.attempt_id and failed.status = 'starting';
    end if;
end;
$$;
comment on function private.fail_start is
'A provider declined to start a payment, or its answer is unknown: then it is looked up.';

create function private.claim_start(attempt_id uuid)
returns table (
    order_id uuid, request_id uuid, provider text, amount_minor bigint, currency text, title text,
    way text
)
language sql security definer set search_path = '' as $$
    select
        wanted.id, (private.open_request(
            begun.provider, 'payments.start_payment', begun.id, '{}'
        )).id,
        begun.provider, wanted.amount_minor, wanted.currency, wanted.purpose, begun.way
    from public.payment_attempts as begun
    inner join public.orders as wanted on begun.order_id = wanted.id
    where begun.id = claim_start.attempt_id and begun.status = 'starting'
$$;
comment on function private.claim_start is
'A start whose answer is unknown, to be looked up; no row: it is known by now.';

create function private.find_attempt(order_id uuid, provider text, started text)
returns public.payment_attempts
language sql stable security definer set search_path = '' as $$
    select begun.* from public.payment_attempts as begun
    where begun.provider = find_attempt.provider and (
        begun.reference = find_attempt.started
        or (
            begun.order_id = find_attempt.order_id and find_attempt.started is null
            and begun.status in ('starting', 'started')
        )
    )
$$;
comment on function private.find_attempt is
'The try that a provider speaks of: by its own id, else the open one of the order.';

create function private.close_attempt_requests(attempt_id uuid, status text, reference text)
returns void
language sql security definer set search_path = '' as $$
    select private.close_request(
        asked.id, close_attempt_requests.status, close_attempt_requests.reference
    )
    from private.provider_requests as asked
    where asked.subject_id = close_attempt_requests.attempt_id and asked.closed_at is null
$$;
comment on function private.close_attempt_requests is
'What became of a try to pay is known: nothing about it is in doubt any more.';

create function private.settle_order(
    order_id uuid, provider text, reference text
) returns void
language plpgsql security definer set search_path = '' as $$
declare
    v_order public.orders;
begin
    update public.orders as paid
    set status = 'paid', provider = settle_order.provider,
        provider_reference = settle_order.reference, paid_at = now()
    where paid.id = settle_order.order_id
    returning paid.* into strict v_order;
    if v_order.escrow_id is not null then
        perform private.fund_escrow(
            v_order.escrow_id, settle_order.provider, settle_order.reference,
            v_order.amount_minor, v_order.currency
        );
    elsif v_order.booking_id is not null then
        perform private.fund_booking(
            v_order.booking_id, settle_order.provider, settle_order.reference,
            v_order.amount_minor, v_order.currency
        );
    else
        perform private.post_transaction(
            key => format('order:%s:pay', v_order.id),
            kind => 'payments.receive_payment',
            accounts => array[
                private.ledger_account(
                    'clearing', v_order.currency, provider => settle_order.provider
                ),
                private.ledger_account(
                    'available', v_order.currency, owner_id => v_order.payer_id
                )
            ],
            amounts => array[-v_order.amount_minor, v_order.amount_minor],
            subject_id => v_order.id,
            memo => format(
                'Paid in by %s %s: %s', settle_order.provider, settle_order.reference,
                v_order.purpose
            )
        );
    end if;
end;
$$;
comment on function private.settle_order is
$$A payment of the whole amount goes where its order says; the caller holds the order's lock.

Errors: those of private.fund_escrow and private.fund_booking.$$;

-- squawk-ignore ban-drop-function
drop function private.record_payment(uuid, text, text, bigint, text);
-- Lock order: the order, then its escrow or booking, then ledger accounts.
create function private.record_payment(
    order_id uuid, provider text, reference text, amount_minor bigint, currency text,
    fee_minor bigint default null, started text default null
) returns uuid
language plpgsql security definer set search_path = '' as $$
declare
    v_attempt public.payment_attempts;
    v_order public.orders;
    v_payment public.payments;
    v_applied bigint := 0;
    v_why text;
begin
    v_attempt := private.find_attempt(
        record_payment.order_id, record_payment.provider, record_payment.started
    );
    select wanted.* into v_order from public.orders as wanted
    where wanted.id = coalesce(record_payment.order_id, v_attempt.order_id)
    for update;
    if not found then
        perform private.reject(
            'payments.order_not_found', coalesce(record_payment.order_id::text, started)
        );
    end if;
    if coalesce(record_payment.amount_minor, 0) <= 0 then
        perform private.reject('payments.invalid_amount', 'amount_minor');
    elsif record_payment.currency is null or record_payment.currency !~ '^[A-Z]{3}$' then
        perform private.reject('payments.invalid_currency', 'currency');
    end if;
    select known.* into v_payment from public.payments as known
    where known.provider = record_payment.provider
        and known.reference = record_payment.reference;
    if found then
        if (v_payment.order_id, v_payment.amount_minor, v_payment.currency::text)
            <> (v_order.id, record_payment.amount_minor, record_payment.currency)
        then
            perform private.reject('payments.payment_mismatch', record_payment.reference);
        end if;
        return v_payment.id;
    end if;

    v_why := case
        when v_order.status <> 'pending' then 'the order is ' || v_order.status
        when v_order.currency <> record_payment.currency then 'paid in another currency'
        when v_order.amount_minor > record_payment.amount_minor then 'less than was ordered'
        when exists (
            select from public.profiles as payer
            where payer.id = v_order.payer_id and payer.deleted_at is not null
        ) then 'its payer has left'
    end;
    if v_why is null then
        begin
            perform private.settle_order(
                v_order.id, record_payment.provider, record_payment.reference
            );
            v_applied := v_order.amount_minor;
        exception when sqlstate 'PGRST' then
            -- what it was for has ended meanwhile: the money came all the same
            v_why := sqlerrm::json ->> 'code';
        end;
    end if;
    insert into public.payments (
        order_id, payer_id, provider, reference, amount_minor, currency, applied_minor, note
    )
    values (
        v_order.id, v_order.payer_id, record_payment.provider, record_payment.reference,
        record_payment.amount_minor, record_payment.currency, v_applied, v_why
    )
    returning * into v_payment;
    update public.payment_attempts as done set status = 'succeeded' where done.id = v_attempt.id;
    perform private.close_attempt_requests(v_attempt.id, 'succeeded', record_payment.reference);
    if v_applied = 0 and v_attempt.id is not null then
        perform private.fail_taking(v_order.id, v_why);
    end if;
    if v_payment.amount_minor > v_applied then
        perform private.post_transaction(
            key => format('payment:%s:rest', v_payment.id),
            kind => 'payments.receive_rest',
            accounts => array[
                private.ledger_account(
                    'clearing', v_payment.currency, provider => v_payment.provider
                ),
                private.ledger_account(
                    'available', v_payment.currency, owner_id => v_payment.payer_id
                )
            ],
            amounts => array[
                v_applied - v_payment.amount_minor, v_payment.amount_minor - v_applied
            ],
            subject_id => v_payment.id,
            memo => format(
                'Paid by %s %s and not needed: %s', v_payment.provider, v_payment.reference,
                coalesce(v_why, 'more than was ordered')
            )
        );
        perform private.request_refund(
            v_payment.provider, v_payment.reference, v_payment.amount_minor - v_applied,
            format('payment:%s:rest', v_payment.id), coalesce(v_why, 'more than was ordered')
        );
    end if;
    if record_payment.fee_minor > 0 then
        perform private.book_provider_fee(
            v_payment.provider, v_payment.reference, record_payment.fee_minor, v_payment.currency
        );
    end if;
    -- what was told of it before it was known here was nobody's; now it is ours
    perform private.replay_early(
        v_payment.provider, 'payments.payment_not_found', v_payment.reference
    );
    return v_payment.id;
end;
$$;
comment on function private.record_payment is
$$Money arrived: book it, and settle its order with it. Safe to repeat, in any order.

A payment of at least the order's amount settles it; what is over, too little, in another currency,
late or double goes to the payer's balance and back by the way it came, if the provider can.
Errors: payments.order_not_found (404), payments.payment_mismatch (409),
payments.invalid_amount, payments.invalid_currency (422).$$;

create function private.fail_taking(order_id uuid, reason text) returns void
language plpgsql security definer set search_path = '' as $$
declare
    v_escrow uuid;
begin
    select waiting.id into v_escrow from public.escrows as waiting
    inner join public.orders as wanted on waiting.id = wanted.escrow_id
    where wanted.id = fail_taking.order_id
    for no key update of waiting;
    if exists (
        select from public.escrows as waiting
        where waiting.id = v_escrow and waiting.status = 'payment_processing'
    ) and not exists (
        select from public.payment_attempts as other
        inner join private.provider_requests as asked on other.id = asked.subject_id
        where other.order_id = fail_taking.order_id and other.status = 'started'
            and asked.action = 'payments.capture_payment' and asked.status <> 'declined'
    ) then
        perform private.fail_escrow_payment(v_escrow, left(fail_taking.reason, 500));
    end if;
end;
$$;
comment on function private.fail_taking is
'An escrow whose money is taken by nobody any more may be paid again, or called off.';

create function private.fail_payment(
    order_id uuid, provider text, started text, reason text, unless_taken boolean default false
) returns void
language plpgsql security definer set search_path = '' as $$
declare
    v_attempt public.payment_attempts;
    v_order uuid;
begin
    v_attempt := private.find_attempt(
        fail_payment.order_id, fail_payment.provider, fail_payment.started
    );
    select wanted.id into v_order from public.orders as wanted
    where wanted.id = coalesce(fail_payment.order_id, v_attempt.order_id)
    for update;
    if not found then
        perform private.reject(
            'payments.attempt_not_found', coalesce(fail_payment.order_id::text, started)
        );
    end if;
    if fail_payment.unless_taken and exists (
        select from private.provider_requests as asked
        where asked.subject_id = v_attempt.id and asked.action = 'payments.capture_payment'
            and asked.status <> 'declined'
    ) then
        return;
    end if;
    update public.payment_attempts as failed
    set status = 'failed', reason = left(fail_payment.reason, 500)
    where failed.id = v_attempt.id and failed.status in ('starting', 'started');
    if found then
        perform private.close_attempt_requests(v_attempt.id, 'declined', null);
        perform private.fail_taking(v_order, fail_payment.reason);
    end if;
end;
$$;
comment on function private.fail_payment is
$$A try to pay failed or ran out; the payer may try again. Safe to repeat; money that came stays.

`unless_taken`: nobody finds it any more, which says nothing of one whose money is being taken.
Errors: payments.attempt_not_found (404).$$;

create function private.approve_payment(provider text, started text) returns void
language plpgsql security definer set search_path = '' as $$
declare
    v_attempt public.payment_attempts := private.find_attempt(null, provider, started);
begin
    if v_attempt.id is null then
        perform private.reject('payments.attempt_not_found', started);
    end if;
    -- without a key: what is taken is claimed once, and a lost job must not lose the payment
    perform private.enqueue(
        'payments.capture_payment', jsonb_build_object('subject_id', v_attempt.id)
    );
    update public.payment_attempts as agreed set approved_at = coalesce(agreed.approved_at, now())
    where agreed.id = v_attempt.id;
end;
$$;
comment on function private.approve_payment is
$$The payer agreed at the provider: the money is taken by a job. Safe to repeat.

Errors: payments.attempt_not_found (404).$$;

create function private.claim_capture(attempt_id uuid)
returns table (
    request_id uuid, provider text, started text, is_repeat boolean, may_resend boolean,
    is_given_up boolean
)
language plpgsql security definer set search_path = '' as $$
declare
    v_attempt public.payment_attempts;
    v_order public.orders;
    v_request private.provider_requests;
    v_is_wanted boolean;
    v_may_resend boolean;
begin
    select wanted.* into v_order from public.orders as wanted
    where wanted.id = (
        select begun.order_id from public.payment_attempts as begun
        where begun.id = claim_capture.attempt_id
    )
    for update;
    select begun.* into v_attempt from public.payment_attempts as begun
    where begun.id = claim_capture.attempt_id;
    if v_attempt.status is distinct from 'started' then
        return;
    end if;
    perform from public.escrows as locked where locked.id = v_order.escrow_id for no key update;
    v_is_wanted := private.is_wanted(v_order);
    -- what was paid otherwise, or called off, is not taken; what may have been taken is asked about
    if not v_is_wanted and not exists (
        select from private.provider_requests as asked
        where asked.subject_id = v_attempt.id and asked.status <> 'declined'
            and asked.action = 'payments.capture_payment'
    ) then
        update public.payment_attempts as ended
        set status = 'failed', reason = 'what it was for has ended'
        where ended.id = v_attempt.id;
        return;
    end if;
    v_request := private.open_request(
        v_attempt.provider, 'payments.capture_payment', v_attempt.id,
        jsonb_build_object('started', v_attempt.reference)
    );
    if v_request.id is null then
        return;
    end if;
    -- what is taken may be reviewed for long
    update public.payment_attempts as taken
    set look_at = least(taken.look_at, now() + interval '1 hour')
    where taken.id = v_attempt.id;
    -- from here nobody calls it off: the money may be on its way
    perform private.start_escrow_payment(waiting.id)
    from public.escrows as waiting
    where waiting.id = v_order.escrow_id and waiting.status in ('pending_payment', 'failed');
    v_may_resend := v_is_wanted and private.may_resend(v_request);
    return query select
        v_request.id, v_attempt.provider, v_attempt.reference, v_request.tries > 1, v_may_resend,
        not v_may_resend and v_request.created_at < now() - interval '1 hour';
end;
$$;
comment on function private.claim_capture is
$$What is to be captured now, its request stored; no row: nothing to do.

`is_given_up`: it is never sent again and no call of ours can be under way any more, so that what
the provider has not taken by now it never will.$$;

create function private.tend_captures() returns bigint
language sql security definer set search_path = '' as $$
    select count(private.enqueue(
        'payments.capture_payment', jsonb_build_object('subject_id', waiting.id)
    ))
    from public.payment_attempts as waiting
    where waiting.status = 'started'
        and waiting.approved_at between now() - interval '3 days' and now() - interval '10 minutes'
        and not exists (
            select from private.provider_requests as asked
            where asked.subject_id = waiting.id and asked.action = 'payments.capture_payment'
                and asked.status <> 'declined'
        )
$$;
comment on function private.tend_captures is
'Queue anew the captures whose job was lost before it asked the provider; how many there were.';

create function private.tend_payments() returns bigint
language plpgsql security definer set search_path = '' as $$
declare
    v_id uuid;
    v_count bigint := 0;
begin
    for v_id in
        update public.payment_attempts as waiting
        set look_at = case
            -- taken, and not there yet: an e-cheque, a review
            when waiting.created_at > now() - interval '45 days' and exists (
                select from private.provider_requests as asked
                where asked.subject_id = waiting.id and asked.action = 'payments.capture_payment'
                    and asked.status = 'succeeded'
            ) then now() + interval '1 hour'
            when waiting.created_at > now() - interval '6 hours'
                then waiting.created_at + interval '6 hours'
            when waiting.created_at > now() - interval '24 hours'
                then waiting.created_at + interval '24 hours'
            when waiting.created_at > now() - interval '30 days' and exists (
                select from public.orders as wanted
                where wanted.id = waiting.order_id and wanted.status = 'pending'
            ) then now() + interval '1 day'
            else 'infinity'
        end
        where waiting.id in (
            select due.id from public.payment_attempts as due
            where due.status = 'started' and due.look_at <= now()
            order by due.look_at
            limit 500
            for update skip locked
        )
        returning waiting.id
    loop
        perform private.enqueue('payments.check_payment', jsonb_build_object('subject_id', v_id));
        v_count := v_count + 1;
    end loop;
    return v_count;
end;
$$;
comment on function private.tend_payments is
$$Queue a look at payments whose event may be lost; how many there were.

Tries of one, six and 24 hours ago, or later, where no worker ran; then daily for 30 days while
their order is open (a Razorpay order never expires), and hourly what a provider has taken and
reviews.$$;

create function private.claim_payment_check(attempt_id uuid)
returns table (provider text, started text)
language sql stable security definer set search_path = '' as $$
    select waiting.provider, waiting.reference from public.payment_attempts as waiting
    where waiting.id = claim_payment_check.attempt_id and waiting.status = 'started'
$$;
comment on function private.claim_payment_check is
'A try to pay that waits, to be looked up; no row: it is known by now.';

create function private.book_provider_fee(
    provider text, reference text, fee_minor bigint, currency text
) returns void
language sql security definer set search_path = '' as $$
    select private.post_transaction(
        key => format('fee:%s:%s', book_provider_fee.provider, book_provider_fee.reference),
        kind => 'payments.book_fee',
        accounts => array[
            private.ledger_account('costs', book_provider_fee.currency),
            private.ledger_account(
                'clearing', book_provider_fee.currency, provider => book_provider_fee.provider
            )
        ],
        amounts => array[-book_provider_fee.fee_minor, book_provider_fee.fee_minor],
        memo => format(
            '%s kept its fee of %s', book_provider_fee.provider, book_provider_fee.reference
        )
    )
    -- an event and a report may both tell it, and not to the unit: the first one counts
    where not exists (
        select from public.ledger_transactions as booked
        where booked.idempotency_key
            = format('fee:%s:%s', book_provider_fee.provider, book_provider_fee.reference)
    )
$$;
comment on function private.book_provider_fee is
'What a provider keeps of a payment or takes for a withdrawal is the platform''s cost; once each.';

create function private.get_receipt(payment_id uuid) returns jsonb
language plpgsql stable security definer set search_path = '' as $$
declare
    v_receipt jsonb;
begin
    select jsonb_build_object(
        'number', 'R-' || lpad(paid.receipt_number::text, 8, '0'),
        'issued_at', paid.created_at,
        'issuer', (
            select jsonb_build_object(
                'name', issuer.name, 'address', issuer.address, 'tax_id', issuer.tax_id
            )
            from private.receipt_issuers as issuer
            where issuer.since <= paid.created_at
            order by issuer.since desc
            limit 1
        ),
        'payer', jsonb_build_object(
            'name', coalesce(nullif(details.legal_name, ''), payer.display_name),
            'country', wanted.payer_country,
            'tax_id', wanted.payer_tax_id
        ),
        'purpose', wanted.purpose,
        'order_id', wanted.id,
        'amount_minor', paid.amount_minor,
        'currency', paid.currency,
        'tax_bps', wanted.tax_bps,
        'tax_minor', case when paid.applied_minor > 0 then wanted.tax_minor else 0 end,
        'net_minor',
        paid.applied_minor - case when paid.applied_minor > 0 then wanted.tax_minor else 0 end,
        'applied_minor', paid.applied_minor,
        'refunded_minor', paid.refunded_minor,
        'charged_back_minor', paid.charged_back_minor,
        'provider', known.title,
        'reference', paid.reference
    )
    into v_receipt
    from public.payments as paid
    inner join public.orders as wanted on paid.order_id = wanted.id
    inner join private.providers as known on paid.provider = known.provider
    inner join public.profiles as payer on paid.payer_id = payer.id
    left join public.profile_private as details on payer.id = details.user_id
    where paid.id = get_receipt.payment_id
        and (paid.payer_id = (select auth.uid()) or private.is_operator());
    if not found then
        perform private.reject('payments.payment_not_found', get_receipt.payment_id::text);
    end if;
    return v_receipt;
end;
$$;
create function public.get_receipt(payment_id uuid) returns jsonb
language sql stable set search_path = '' as $$ select private.get_receipt(payment_id) $$;
comment on function public.get_receipt is
$$The receipt of a payment, for its payer: number, time, issuer, payer, purpose, amounts in minor
units.

`applied_minor` is what settled the order: `tax_minor` and `net_minor`. `issuer` is the platform as
it was then; null: not set. As a page: `GET /payments/{id}/receipt` of the api.
Errors: payments.payment_not_found (404).
Source: Creator Campaign Pro, tax documents.$$;

create function private.set_order_tax_id(order_id uuid, tax_id text) returns public.orders
language plpgsql security definer set search_path = '' as $$
declare
    v_order public.orders;
begin
    if tax_id is not null and tax_id !~ '^[A-Za-z0-9][A-Za-z0-9 -]{2,28}[A-Za-z0-9]$' then
        perform private.reject('payments.invalid_tax_id', 'tax_id');
    end if;
    update public.orders as mine set payer_tax_id = set_order_tax_id.tax_id
    where mine.id = set_order_tax_id.order_id and mine.payer_id = private.require_active()
    returning mine.* into v_order;
    if not found then
        perform private.reject('payments.order_not_found', order_id::text);
    end if;
    return v_order;
end;
$$;
create function public.set_order_tax_id(order_id uuid, tax_id text) returns public.orders
language sql set search_path = '' as $$ select private.set_order_tax_id(order_id, tax_id) $$;
comment on function public.set_order_tax_id is
$$Put the payer's VAT or GST number on an order, for its receipts; null takes it off.

Errors: payments.order_not_found (404), payments.invalid_tax_id (422), identity.not_active (403).$$;
