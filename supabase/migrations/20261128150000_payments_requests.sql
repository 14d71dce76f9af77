-- Providers as data, and every call to one that moves money: its key first, then the call.
set lock_timeout = '5s';

insert into private.error_codes (code, http_status, message) values
('payments.provider_not_available', 409, 'No provider does this, or it is switched off.'),
('payments.request_not_found', 404, 'There is no such request to a provider.');

create table private.providers (
    provider text not null,
    title text not null,
    is_enabled boolean not null default true,
    tells_cases_twice boolean not null default false,
    tells_movements boolean not null default true,
    credit_hold_hours bigint not null default 336,
    payment_hold_hours bigint not null default 0,
    constraint providers_pkey primary key (provider),
    constraint providers_provider_check check (provider ~ '^[a-z]{2,20}$'),
    constraint providers_credit_hold_hours_check check (credit_hold_hours between 0 and 8760),
    constraint providers_payment_hold_hours_check check (payment_hold_hours between 0 and 8760)
);
alter table private.providers enable row level security;
comment on table private.providers is
'The payment providers; switched off, one takes no new payment and sends no withdrawal.';
comment on column private.providers.credit_hold_hours is
$$So long after a payment its payer withdraws nothing of what is theirs of it: money paid in for
nothing comes from stolen cards.$$;
comment on column private.providers.payment_hold_hours is
'So long after a payment nobody withdraws what they got of it; 0: as soon as they have it.';
comment on column private.providers.tells_cases_twice is
'Whether a dispute that ends in a refund is told as a lost dispute and as a refund.';
comment on column private.providers.tells_movements is
'Whether it has a report of what moved on a day, which is read and compared.';
insert into private.providers (provider, title, tells_cases_twice, tells_movements) values
('stripe', 'Stripe', false, true), ('razorpay', 'Razorpay', false, true),
('paypal', 'PayPal', true, true), ('coinbase', 'Coinbase', false, false);

-- What a provider does for us: a row is a capability, an action the name of the job that does it.
create table private.provider_actions (
    provider text not null,
    action text not null,
    key_hours bigint not null,
    constraint provider_actions_pkey primary key (provider, action),
    constraint provider_actions_provider_fkey foreign key (provider)
    references private.providers on delete cascade,
    constraint provider_actions_action_check check (action ~ '^[a-z_]+\.[a-z_]+$'),
    constraint provider_actions_key_hours_check check (key_hours >= 0)
);
alter table private.provider_actions enable row level security;
comment on table private.provider_actions is
$$What each provider does for us, and how long it knows a key again.

Source: the providers' pages on idempotent requests.$$;
comment on column private.provider_actions.key_hours is
'So long the same key may be sent again and acts once; 0: never again, it is only looked up.';
insert into private.provider_actions (provider, action, key_hours) values
('stripe', 'payments.start_payment', 24), ('stripe', 'payments.send_refund', 24),
('stripe', 'payments.send_withdrawal', 24),
('razorpay', 'payments.start_payment', 0), ('razorpay', 'payments.send_refund', 24),
('razorpay', 'payments.send_withdrawal', 168),
('paypal', 'payments.start_payment', 6),
-- an order is captured once whatever the key, and no longer than its approval is good
('paypal', 'payments.capture_payment', 72),
('paypal', 'payments.send_refund', 1080), ('paypal', 'payments.send_withdrawal', 720),
('coinbase', 'payments.start_payment', 0);

create table private.provider_requests (
    id uuid not null generated always as (
        md5(subject_id::text || ' ' || action || ' ' || attempt::text)::uuid
    ) stored,
    provider text not null,
    action text not null,
    subject_id uuid not null,
    attempt bigint not null default 1,
    body jsonb not null,
    status text not null default 'pending',
    reference text,
    note text,
    tries bigint not null default 1,
    look_at timestamptz not null default now() + interval '90 seconds',
    created_at timestamptz not null default now(),
    closed_at timestamptz,
    constraint provider_requests_pkey primary key (id),
    constraint provider_requests_subject_id_action_attempt_key
    unique (subject_id, action, attempt),
    constraint provider_requests_provider_action_fkey foreign key (provider, action)
    references private.provider_actions on delete restrict,
    constraint provider_requests_status_check
    check (status in ('pending', 'unknown', 'succeeded', 'declined')),
    constraint provider_requests_closed_at_check
    check ((status in ('pending', 'unknown')) = (closed_at is null))
);
alter table private.provider_requests enable row level security;
create index provider_requests_provider_action_idx
on private.provider_requests (provider, action);
create index provider_requests_look_at_idx on private.provider_requests (look_at)
where closed_at is null;
-- a second attempt waits until the first is resolved
create unique index provider_requests_subject_id_action_open_key
on private.provider_requests (subject_id, action) where closed_at is null;
comment on table private.provider_requests is
$$Every outgoing call that moves money: stored with its key before it is made, closed by its answer.

pending: asked, or about to be · unknown: the answer is in doubt · succeeded, declined: final.$$;
comment on column private.provider_requests.id is
$$The idempotency key that the provider sees. Made of what it is for: a database that was restored
to an earlier time asks with the same key again, and the provider acts once.$$;
comment on column private.provider_requests.subject_id is
'The order, refund, withdrawal … that it is for.';
comment on column private.provider_requests.body is
'What is asked, as it was at the first try: a key never travels with another body.';
comment on column private.provider_requests.look_at is
'When the reconciler looks after it: its job runs again, looks the key up, and only then acts.';

create function private.open_request(
    provider text, action text, subject_id uuid, body jsonb
) returns private.provider_requests
language plpgsql security definer set search_path = '' as $$
declare
    v_last private.provider_requests;
begin
    select asked.* into v_last from private.provider_requests as asked
    where asked.subject_id = open_request.subject_id and asked.action = open_request.action
    order by asked.attempt desc
    limit 1
    for update;
    if v_last.status = 'succeeded' then
        return null;
    elsif v_last.status in ('pending', 'unknown') then
        update private.provider_requests as asked
        set tries = asked.tries + 1,
            -- 90 s, 3 min, 6 min … 2 h: jobs that died are found soon, doubts asked about for long
            look_at = now() + least(
                interval '90 seconds' * (2 ^ least(asked.tries, 10)), interval '2 hours'
            )
        where asked.id = v_last.id
        returning asked.* into v_last;
        return v_last;
    end if;
    if not exists (
        select from private.provider_actions as able
        inner join private.providers as known on able.provider = known.provider
        where able.provider = open_request.provider and able.action = open_request.action
            -- switched off, it still gives back and takes what was begun
            and (known.is_enabled or open_request.action in (
                'payments.send_refund', 'payments.capture_payment', 'payments.recall_withdrawal'
            ))
    ) then
        perform private.reject('payments.provider_not_available', open_request.provider);
    end if;
    insert into private.provider_requests (provider, action, subject_id, attempt, body)
    values (
        open_request.provider, open_request.action, open_request.subject_id,
        coalesce(v_last.attempt, 0) + 1, open_request.body
    )
    returning * into v_last;
    return v_last;
end;
$$;
comment on function private.open_request is
$$The open request of a subject, or a new one, to be committed before the provider is called.

`tries` above 1: it may have been sent before, so look it up first. Null: it succeeded already.
The caller holds the subject's lock, and opens a new attempt only after a final no.
Errors: payments.provider_not_available (409).$$;

create function private.may_be_known(request private.provider_requests, since timestamptz)
returns boolean
language sql stable security definer set search_path = '' as $$
    select request.tries > 1 or exists (
        select from private.provider_actions as able
        where able.provider = request.provider and able.action = request.action
            and since < now() - make_interval(hours => able.key_hours::integer)
    )
$$;
comment on function private.may_be_known is
$$Whether the provider may have been asked before, so that it is looked up first.

By an earlier try; or what is asked for was made (`since`) longer ago than the provider keeps a key,
and the database may have been restored to a time before it was sent.$$;

create function private.may_resend(request private.provider_requests) returns boolean
language sql stable security definer set search_path = '' as $$
    select now() < may_resend.request.created_at + make_interval(hours => able.key_hours::integer)
    from private.provider_actions as able
    where able.provider = may_resend.request.provider
        and able.action = may_resend.request.action
$$;
comment on function private.may_resend is
'Whether the provider still knows the key, so that sending it again acts once.';

create function private.close_request(
    request_id uuid, status text, reference text default null, note text default null
) returns private.provider_requests
language plpgsql security definer set search_path = '' as $$
declare
    v_request private.provider_requests;
begin
    update private.provider_requests as asked
    set status = close_request.status,
        reference = coalesce(close_request.reference, asked.reference),
        note = left(close_request.note, 1000),
        closed_at = case when close_request.status in ('succeeded', 'declined') then now() end
    where asked.id = close_request.request_id and asked.closed_at is null
    returning asked.* into v_request;
    if not found then
        -- a webhook was faster: what is final stays
        select asked.* into v_request from private.provider_requests as asked
        where asked.id = close_request.request_id;
        if not found then
            perform private.reject('payments.request_not_found', close_request.request_id::text);
        end if;
    end if;
    return v_request;
end;
$$;
comment on function private.close_request is
$$The answer to a request: succeeded, declined, or unknown, which leaves it open.

What was final stays as it was.
Errors: payments.request_not_found (404).$$;

create function private.reconcile_requests() returns bigint
language plpgsql security definer set search_path = '' as $$
declare
    v_request record;
    v_count bigint := 0;
begin
    for v_request in
        update private.provider_requests as asked
        -- the job will say when next; this only keeps a second look away until it has run
        set look_at = now() + interval '10 minutes'
        where asked.id in (
            select due.id from private.provider_requests as due
            where due.closed_at is null and due.look_at <= now()
            order by due.look_at
            limit 500
            for update skip locked
        )
        returning asked.action, asked.subject_id
    loop
        perform private.enqueue(
            v_request.action, jsonb_build_object('subject_id', v_request.subject_id)
        );
        v_count := v_count + 1;
    end loop;
    return v_count;
end;
$$;
comment on function private.reconcile_requests is
'Queue anew the jobs of requests in doubt, or whose worker died; how many there were.';
