-- Money back to the payer: refunds that a provider carries, and payments that a bank takes back.
set lock_timeout = '5s';

delete from private.error_codes
where code = 'escrow.refund_not_found';

insert into private.error_codes (code, http_status, message) values
('payments.dispute_mismatch', 409, 'More went back by hand than the dispute was about.');

create table public.refunds (
    id uuid not null default gen_random_uuid(),
    payment_id uuid not null,
    payer_id uuid not null,
    amount_minor bigint not null,
    currency public.currency_code not null,
    reason text not null,
    status text not null default 'requested',
    provider text not null,
    reference text,
    idempotency_key text not null,
    reservation_id uuid,
    note text,
    look_at timestamptz not null default now() + interval '10 minutes',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint refunds_pkey primary key (id),
    constraint refunds_payment_id_fkey foreign key (payment_id)
    references public.payments on delete restrict,
    constraint refunds_payer_id_fkey foreign key (payer_id)
    references public.profiles on delete restrict,
    constraint refunds_provider_fkey foreign key (provider)
    references private.providers on delete restrict,
    constraint refunds_reservation_id_fkey foreign key (reservation_id)
    references public.ledger_reservations on delete restrict,
    constraint refunds_idempotency_key_key unique (idempotency_key),
    constraint refunds_reservation_id_key unique (reservation_id),
    constraint refunds_provider_reference_key unique (provider, reference),
    constraint refunds_amount_minor_check check (amount_minor > 0),
    constraint refunds_status_check check (status in (
        'requested', 'sending', 'unknown', 'sent', 'succeeded', 'failed'
    ))
);
alter table public.refunds enable row level security;
create index refunds_payment_id_idx on public.refunds (payment_id);
create index refunds_updated_at_idx on public.refunds (updated_at);
create index refunds_payer_id_created_at_idx on public.refunds (payer_id, created_at);
create index refunds_status_created_at_idx on public.refunds (status, created_at)
where status not in ('succeeded', 'failed');
create index refunds_look_at_idx on public.refunds (look_at)
where status in ('requested', 'sent');
create trigger t20_touch_updated_at before update on public.refunds
for each row execute function private.touch_updated_at();
create trigger t10_refuse_removal before delete or truncate on public.refunds
for each statement execute function private.refuse_change();
comment on table public.refunds is
'What goes back the way it came; held back from the payer''s balance until it has arrived.';
comment on column public.refunds.status is
$$requested → sending → sent → succeeded; unknown: the provider did not answer and is asked;
failed: it stays in the payer's balance, to be withdrawn.$$;
comment on column public.refunds.reservation_id is
'What holds it back; null when it was made at the provider by hand.';
comment on column public.refunds.note is 'Why it failed, or is in doubt.';
comment on column public.refunds.look_at is
'When it is looked after next: sent again if its job was lost, the provider asked how it stands.';

create table public.payment_disputes (
    id uuid not null default gen_random_uuid(),
    payment_id uuid not null,
    payer_id uuid not null,
    provider text not null,
    reference text not null,
    amount_minor bigint not null,
    currency public.currency_code not null,
    status text not null default 'open',
    reason text not null,
    netted_minor bigint not null default 0,
    due_at timestamptz,
    reservation_id uuid,
    look_at timestamptz not null default now() + interval '1 day',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint payment_disputes_netted_minor_check check (netted_minor >= 0),
    constraint payment_disputes_pkey primary key (id),
    constraint payment_disputes_payment_id_fkey foreign key (payment_id)
    references public.payments on delete restrict,
    constraint payment_disputes_payer_id_fkey foreign key (payer_id)
    references public.profiles on delete restrict,
    constraint payment_disputes_reservation_id_fkey foreign key (reservation_id)
    references public.ledger_reservations on delete restrict,
    constraint payment_disputes_provider_fkey foreign key (provider)
    references private.providers on delete restrict,
    constraint payment_disputes_provider_reference_key unique (provider, reference),
    constraint payment_disputes_amount_minor_check check (amount_minor > 0),
    constraint payment_disputes_status_check check (status in ('open', 'won', 'lost'))
);
alter table public.payment_disputes enable row level security;
create index payment_disputes_payment_id_idx on public.payment_disputes (payment_id);
create index payment_disputes_updated_at_idx on public.payment_disputes (updated_at);
create index payment_disputes_payer_id_idx on public.payment_disputes (payer_id);
create index payment_disputes_reservation_id_idx on public.payment_disputes (reservation_id);
create index payment_disputes_due_at_idx on public.payment_disputes (due_at)
where status = 'open';
create index payment_disputes_look_at_idx on public.payment_disputes (look_at)
where status = 'open';
create trigger t20_touch_updated_at before update on public.payment_disputes
for each row execute function private.touch_updated_at();
create trigger t10_refuse_removal before delete or truncate on public.payment_disputes
for each statement execute function private.refuse_change();
alter table public.refunds
add column dispute_id uuid,
add constraint refunds_dispute_id_fkey foreign key (dispute_id)
references public.payment_disputes on delete restrict;
create index refunds_dispute_id_idx on public.refunds (dispute_id);
comment on column public.refunds.dispute_id is
'The case that it was made for, by hand, where a provider tells the same money as both.';
comment on column public.payment_disputes.netted_minor is
'What of it was told as a refund made by hand too, and is taken once.';
comment on table public.payment_disputes is
'The payer''s bank questions a payment: open freezes what is left of it, lost takes it back.';
comment on column public.payment_disputes.due_at is
'Until when evidence can be handed in at the provider.';
comment on column public.payment_disputes.reservation_id is
'Of a payment into a balance: what holds back the disputed part of it.';
comment on column public.payment_disputes.look_at is
'When its provider is asked next how it stands, while it is open: its verdict may be lost.';

-- Escrows under a payment dispute stand still.
insert into private.error_codes (code, http_status, message) values
('escrow.frozen', 409, 'The payer''s bank disputes the payment: nothing moves until it decides.');
alter table public.escrows add column frozen_at timestamptz;
comment on column public.escrows.frozen_at is
'Since when the payer''s bank disputes the payment: nothing moves until it decides.';

create function private.guard_frozen_escrow() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
    perform private.reject('escrow.frozen');
    return null;
end;
$$;
comment on function private.guard_frozen_escrow is
'Trigger: while the payer''s bank disputes the payment, no money leaves an escrow.';
create trigger t10_guard_frozen before update on public.escrows for each row
when (
    old.frozen_at is not null and new.frozen_at is not null
    and (new.remaining_minor < old.remaining_minor or new.status in ('releasing', 'refunding'))
)
execute function private.guard_frozen_escrow();

create function private.request_refund(
    provider text, reference text, amount_minor bigint, key text, reason text
) returns uuid
language plpgsql security definer set search_path = '' as $$
declare
    v_payment public.payments;
    v_account bigint;
    v_amount bigint;
    v_id uuid;
begin
    select paid.* into v_payment from public.payments as paid
    where paid.provider = request_refund.provider and paid.reference = request_refund.reference
    for update;
    if not found then
        perform private.reject('payments.payment_not_found', request_refund.reference);
    end if;
    select known.id into v_id from public.refunds as known
    where known.idempotency_key = request_refund.key;
    if found then
        return v_id;
    end if;
    v_account := private.ledger_account(
        'available', v_payment.currency, owner_id => v_payment.payer_id
    );
    select
        least(
            request_refund.amount_minor,
            -- who is below zero has their debt set off first
            account.posted_minor - account.reserved_minor,
            -- and no more than came this way
            v_payment.amount_minor - v_payment.charged_back_minor - coalesce((
                select sum(other.amount_minor) from public.refunds as other
                where other.payment_id = v_payment.id and other.status <> 'failed'
                    -- one made by hand is counted as charged back
                    and other.reservation_id is not null
            ), 0)
        )
    into strict v_amount
    from public.ledger_accounts as account where account.id = v_account
    for no key update;
    if v_amount <= 0 or not exists (
        select from private.provider_actions as able
        where able.provider = v_payment.provider and able.action = 'payments.send_refund'
    ) then
        return null;
    end if;
    insert into public.refunds (
        payment_id, payer_id, amount_minor, currency, reason, provider, idempotency_key,
        reservation_id
    )
    values (
        v_payment.id, v_payment.payer_id, v_amount, v_payment.currency,
        left(request_refund.reason, 500), v_payment.provider, request_refund.key,
        private.reserve(
            'refund:' || request_refund.key, v_account, v_amount, subject_id => v_payment.id
        )
    )
    returning id into v_id;
    perform private.enqueue(
        'payments.send_refund', jsonb_build_object('subject_id', v_id), format('refund:%s', v_id)
    );
    return v_id;
end;
$$;
comment on function private.request_refund is
$$Send back by the provider what was just given back to the payer's balance. Safe to repeat.

Held back there until it has arrived; null when the provider cannot refund or nothing is free:
then it stays in the balance. The caller holds the lock of what the payment was for.
Errors: payments.payment_not_found (404).$$;

create function private.claim_refund(refund_id uuid)
returns table (
    request_id uuid, provider text, payment text, amount_minor bigint, currency text,
    is_repeat boolean, may_resend boolean
)
language plpgsql security definer set search_path = '' as $$
declare
    v_refund public.refunds;
    v_payment public.payments;
    v_request private.provider_requests;
    v_is_undecided boolean;
    v_is_gone boolean;
begin
    select due.* into v_refund from public.refunds as due
    where due.id = claim_refund.refund_id
    for update;
    if not found or v_refund.status in ('succeeded', 'failed') then
        return;
    end if;
    select paid.* into strict v_payment from public.payments as paid
    where paid.id = v_refund.payment_id;
    v_is_undecided := exists (
        select from public.payment_disputes as asked
        where asked.payment_id = v_payment.id and asked.status = 'open'
    );
    v_is_gone := v_refund.amount_minor
        > v_payment.amount_minor - v_payment.refunded_minor - v_payment.charged_back_minor;
    if v_refund.status = 'requested' and v_is_undecided then
        -- the bank may give all of it: asked again when it has decided
        return;
    elsif v_refund.status = 'requested' and v_is_gone then
        perform private.end_refund(v_refund.id, false, 'the bank took it back first');
        return;
    end if;
    v_request := private.open_request(
        v_refund.provider, 'payments.send_refund', v_refund.id,
        jsonb_build_object(
            'payment', v_payment.reference, 'amount_minor', v_refund.amount_minor,
            'currency', v_refund.currency
        )
    );
    if v_request.id is null then
        return;
    end if;
    update public.refunds as due set status = 'sending'
    where due.id = v_refund.id and due.status = 'requested';
    return query select
        v_request.id, v_refund.provider, v_payment.reference, v_refund.amount_minor,
        v_refund.currency::text, private.may_be_known(v_request, v_refund.created_at),
        private.may_resend(v_request) and not v_is_undecided and not v_is_gone;
end;
$$;
comment on function private.claim_refund is
$$A refund to be sent now, its request stored; no row: nothing to do.

While a bank has not decided about its payment it waits, and what the bank took back is not sent
besides: of one in doubt it is only asked what became of it.$$;

create function private.end_refund(refund_id uuid, is_sent boolean, note text) returns void
language plpgsql security definer set search_path = '' as $$
declare
    v_refund public.refunds;
    v_clearing bigint;
begin
    select due.* into strict v_refund from public.refunds as due
    where due.id = end_refund.refund_id
    for update;
    v_clearing := private.ledger_account(
        'clearing', v_refund.currency, provider => v_refund.provider
    );
    if is_sent and v_refund.status not in ('succeeded', 'failed') then
        perform private.post_reservation(
            reservation_id => v_refund.reservation_id,
            key => format('refund:%s', v_refund.id),
            kind => 'payments.send_refund',
            to_account_id => v_clearing,
            memo => format('Refunded by %s: %s', v_refund.provider, v_refund.reason)
        );
        update public.payments as paid
        set refunded_minor = paid.refunded_minor + v_refund.amount_minor
        where paid.id = v_refund.payment_id;
    elsif not is_sent and v_refund.status = 'succeeded' then
        -- it came back from the payer's bank: theirs again, to be withdrawn otherwise
        perform private.post_transaction(
            key => format('refund:%s:returned', v_refund.id),
            kind => 'payments.return_refund',
            accounts => array[
                v_clearing,
                private.ledger_account(
                    'available', v_refund.currency, owner_id => v_refund.payer_id
                )
            ],
            amounts => array[-v_refund.amount_minor, v_refund.amount_minor],
            subject_id => v_refund.payment_id,
            memo => format('Refund came back to %s: %s', v_refund.provider, coalesce(note, ''))
        );
        update public.payments as paid
        set refunded_minor = paid.refunded_minor - v_refund.amount_minor
        where paid.id = v_refund.payment_id;
    elsif not is_sent and v_refund.status <> 'failed' then
        perform private.close_reservation(v_refund.reservation_id, 'voided');
    else
        return;
    end if;
    update public.refunds as ended
    set status = case when is_sent then 'succeeded' else 'failed' end,
        note = left(end_refund.note, 500)
    where ended.id = v_refund.id;
end;
$$;
comment on function private.end_refund is
'A refund arrived, or it never will, or came back after all: then it is the payer''s balance.';

create function private.lock_refund(request_id uuid) returns public.refunds
language plpgsql security definer set search_path = '' as $$
declare
    v_refund public.refunds;
begin
    select due.* into v_refund from public.refunds as due
    where due.id = (
        select asked.subject_id from private.provider_requests as asked
        where asked.id = lock_refund.request_id and asked.action = 'payments.send_refund'
    )
    for update;
    if not found then
        perform private.reject('payments.request_not_found', lock_refund.request_id::text);
    end if;
    return v_refund;
end;
$$;
comment on function private.lock_refund is
$$The refund of a request, locked before the request, as everywhere.

Errors: payments.request_not_found (404).$$;

create function private.question_refund(request_id uuid, note text) returns void
language plpgsql security definer set search_path = '' as $$
declare
    v_refund public.refunds := private.lock_refund(request_id);
begin
    if (private.close_request(
        question_refund.request_id, 'unknown', note => question_refund.note
    )).closed_at is null then
        update public.refunds as doubtful
        set status = 'unknown', note = left(question_refund.note, 500)
        where doubtful.id = v_refund.id and doubtful.status in ('requested', 'sending');
    end if;
end;
$$;
comment on function private.question_refund is
'The provider may or may not have refunded: the request stays open and is looked up.';

create function private.decline_refund(request_id uuid, note text) returns void
language plpgsql security definer set search_path = '' as $$
declare
    v_refund public.refunds := private.lock_refund(request_id);
begin
    if (private.close_request(
        decline_refund.request_id, 'declined', note => decline_refund.note
    )).status = 'declined' then
        perform private.end_refund(v_refund.id, false, decline_refund.note);
    end if;
end;
$$;
comment on function private.decline_refund is
'The provider''s final no: the money stays in the payer''s balance.';

create function private.tend_refunds() returns bigint
language plpgsql security definer set search_path = '' as $$
declare
    v_one record;
    v_count bigint := 0;
begin
    for v_one in
        update public.refunds as waiting
        set look_at = now() + case waiting.status
            when 'sent' then interval '6 hours' else interval '10 minutes'
        end
        where waiting.id in (
            select due.id from public.refunds as due
            where due.status in ('requested', 'sent') and due.look_at <= now()
            order by due.look_at
            limit 500
            for update skip locked
        )
        returning waiting.id, waiting.status
    loop
        perform private.enqueue(
            case v_one.status
                when 'sent' then 'payments.check_refund' else 'payments.send_refund'
            end,
            jsonb_build_object('subject_id', v_one.id)
        );
        v_count := v_count + 1;
    end loop;
    return v_count;
end;
$$;
comment on function private.tend_refunds is
$$Queue anew the refunds whose job was lost before it asked the provider, and ask after what is long
on its way; how many there were.

Doubts are looked after by private.reconcile_requests.$$;

create function private.claim_refund_check(refund_id uuid)
returns table (
    request_id uuid, provider text, payment text, amount_minor bigint, currency text
)
language sql stable security definer set search_path = '' as $$
    select asked.id, sent.provider, paid.reference, sent.amount_minor, sent.currency::text
    from public.refunds as sent
    inner join public.payments as paid on sent.payment_id = paid.id
    inner join private.provider_requests as asked
        on sent.id = asked.subject_id and asked.action = 'payments.send_refund'
    where sent.id = claim_refund_check.refund_id and sent.status = 'sent'
    order by asked.attempt desc
    limit 1
$$;
comment on function private.claim_refund_check is
'A refund on its way, for its provider to be asked how it stands; no row: it has ended.';

create function private.lock_payment(provider text, reference text) returns public.payments
language plpgsql security definer set search_path = '' as $$
declare
    v_payment public.payments;
begin
    -- the lock order: the order, its escrow or booking, the payment, ledger accounts
    perform from public.orders as wanted
    where wanted.id = (
        select paid.order_id from public.payments as paid
        where paid.provider = lock_payment.provider and paid.reference = lock_payment.reference
    )
    for update;
    perform from public.escrows as held
    where (held.provider, held.payment_reference) = (lock_payment.provider, lock_payment.reference)
    for no key update;
    perform from public.bookings as held
    where (held.provider, held.payment_reference) = (lock_payment.provider, lock_payment.reference)
    for no key update;
    select paid.* into v_payment from public.payments as paid
    where paid.provider = lock_payment.provider and paid.reference = lock_payment.reference
    for update;
    if not found then
        perform private.reject('payments.payment_not_found', lock_payment.reference);
    end if;
    return v_payment;
end;
$$;
comment on function private.lock_payment is
$$A payment by its provider's id, locked after what it was for.

Errors: payments.payment_not_found (404).$$;

create function private.charged_back_of(payment public.payments) returns bigint
language sql stable security definer set search_path = '' as $$
    select least(
        payment.amount_minor,
        (
            select coalesce(sum(other.amount_minor), 0) from public.refunds as other
            left join public.payment_disputes as its on other.dispute_id = its.id
            where other.payment_id = payment.id and other.reservation_id is null and (
                other.status = 'succeeded'
                -- came back after its case was lost: the case has taken it
                or its.status = 'lost' and other.status = 'failed' and not exists (
                    select from public.ledger_transactions as moved
                    where moved.idempotency_key = format('refund:%s:returned', other.id)
                )
            )
        ) + (
            select coalesce(sum(asked.amount_minor - asked.netted_minor), 0)
            from public.payment_disputes as asked
            where asked.payment_id = payment.id and asked.status = 'lost'
        )
    )
$$;
comment on function private.charged_back_of is
'What refunds made by hand and lost cases have taken of a payment, in minor units.';

create function private.count_charged_back(payment_id uuid) returns void
language sql security definer set search_path = '' as $$
    update public.payments as paid set charged_back_minor = private.charged_back_of(paid)
    where paid.id = count_charged_back.payment_id
$$;
comment on function private.count_charged_back is
'Something came back: what refunds by hand and lost cases took beside it stays taken.';

create function private.return_by_hand(refund public.refunds) returns void
language plpgsql security definer set search_path = '' as $$
begin
    if exists (
        select from public.payment_disputes as asked
        where asked.id = refund.dispute_id and asked.status = 'lost'
    ) then
        -- by the case the payer has it: it is not given a second time
        update public.refunds as ended
        set status = 'failed', note = 'came back after its case was lost: see the provider'
        where ended.id = refund.id;
        return;
    end if;
    update public.payment_disputes as asked
    set netted_minor = greatest(0, asked.netted_minor - refund.amount_minor)
    where asked.id = refund.dispute_id;
    perform private.post_transaction(
        key => format('refund:%s:returned', refund.id),
        kind => 'payments.return_refund',
        accounts => array[
            private.ledger_account('clearing', refund.currency, provider => refund.provider),
            private.ledger_account('available', refund.currency, owner_id => refund.payer_id)
        ],
        amounts => array[-refund.amount_minor, refund.amount_minor],
        subject_id => refund.payment_id,
        memo => format('A refund made by hand came back to %s', refund.provider)
    );
    update public.refunds as ended set status = 'failed' where ended.id = refund.id;
    perform private.count_charged_back(refund.payment_id);
end;
$$;
comment on function private.return_by_hand is
'A refund made at the provider came back: what it was taken from has ended, so it is the payer''s.';

create function private.change_refund(
    provider text, reference text, payment text, status text, amount_minor bigint, currency text,
    request_id uuid, reason text
) returns void
language plpgsql security definer set search_path = '' as $$
declare
    v_payment public.payments := private.lock_payment(provider, payment);
    v_refund public.refunds;
    v_case public.payment_disputes;
    v_same bigint;
begin
    select known.* into v_refund from public.refunds as known
    where known.payment_id = v_payment.id and (
        known.reference = change_refund.reference
        or known.id = (
            select asked.subject_id from private.provider_requests as asked
            where asked.id = change_refund.request_id and asked.action = 'payments.send_refund'
        )
        -- an echo without our key is taken for ours while one of this amount is under way
        or (
            change_refund.request_id is null and known.reference is null
            and known.amount_minor = change_refund.amount_minor
            and known.status in ('sending', 'unknown')
        )
    )
    order by (known.reference = change_refund.reference) desc nulls last
    limit 1
    for update;
    if not found then
        -- made by hand at the provider: the money is gone from whatever it was paid for
        if change_refund.status = 'succeeded' then
            select asked.* into v_case from public.payment_disputes as asked
            inner join private.providers as known on asked.provider = known.provider
            where asked.payment_id = v_payment.id and known.tells_cases_twice
                and asked.status in ('open', 'lost') and asked.netted_minor < asked.amount_minor
                -- what the case reverses for now is not decided by it
                and asked.reference not like 'reversal:%'
            order by asked.created_at, asked.id
            limit 1
            for update of asked;
            -- a lost case has taken its part already
            v_same := case v_case.status when 'lost' then least(
                change_refund.amount_minor, v_case.amount_minor - v_case.netted_minor
            ) else 0 end;
            insert into public.refunds (
                payment_id, payer_id, amount_minor, currency, reason, status, provider, reference,
                idempotency_key, dispute_id
            )
            values (
                v_payment.id, v_payment.payer_id, change_refund.amount_minor, v_payment.currency,
                'made at the provider', 'succeeded', change_refund.provider,
                change_refund.reference,
                format('provider:%s:%s', change_refund.provider, change_refund.reference),
                v_case.id
            );
            update public.payment_disputes as asked
            set netted_minor = least(
                asked.amount_minor, asked.netted_minor + change_refund.amount_minor
            )
            where asked.id = v_case.id;
            if change_refund.amount_minor > v_same then
                perform private.charge_back(
                    v_payment, 'refund:' || change_refund.reference,
                    change_refund.amount_minor - v_same, 'refunded at the provider'
                );
            end if;
        elsif change_refund.status = 'failed' then
            -- its money never left: a late word that it went is not believed any more
            insert into public.refunds (
                payment_id, payer_id, amount_minor, currency, reason, status, provider, reference,
                idempotency_key
            )
            values (
                v_payment.id, v_payment.payer_id, change_refund.amount_minor, v_payment.currency,
                'made at the provider', 'failed', change_refund.provider,
                change_refund.reference,
                format('provider:%s:%s', change_refund.provider, change_refund.reference)
            );
        end if;
        return;
    elsif v_refund.reservation_id is null then
        if change_refund.status = 'failed' and v_refund.status = 'succeeded' then
            perform private.return_by_hand(v_refund);
        end if;
        return;
    end if;
    if v_refund.status = 'failed' and change_refund.status = 'succeeded' and exists (
        select from public.operator_approvals as judged
        where judged.subject_id = v_refund.id and judged.status = 'confirmed'
            and judged.action = 'payments.resolve_refund'
            and judged.input ->> 'outcome' = 'failed'
    ) then
        -- not the provider's own word ended it: given back here and sent there must come to light
        perform private.reject('payments.refund_mismatch', v_refund.id::text);
    end if;
    update public.refunds as told
    set reference = coalesce(told.reference, change_refund.reference),
        status = case when told.status in ('requested', 'sending', 'unknown') then 'sent'
            else told.status end,
        look_at = case when told.status in ('requested', 'sending', 'unknown')
            then now() + interval '6 hours' else told.look_at end
    where told.id = v_refund.id;
    perform private.close_request(asked.id, 'succeeded', change_refund.reference)
    from private.provider_requests as asked
    where asked.subject_id = v_refund.id and asked.closed_at is null;
    if change_refund.status in ('succeeded', 'failed') then
        perform private.end_refund(
            v_refund.id, change_refund.status = 'succeeded', change_refund.reason
        );
    end if;
end;
$$;
comment on function private.change_refund is
$$What a provider says of a refund, ours or one made there by hand. Safe to repeat, in any order.

Errors: payments.payment_not_found (404), payments.refund_mismatch (409) when operators had ended it
otherwise.$$;

create function private.charge_back_escrow(
    escrow_id uuid, reference text, amount_minor bigint, reason text
) returns void
language plpgsql security definer set search_path = '' as $$
declare
    v_escrow public.escrows;
    v_key text := format('escrow:%s:charge_back:%s', escrow_id, reference);
    v_held bigint;
    v_back bigint;
    v_status text;
begin
    select locked.* into strict v_escrow from public.escrows as locked
    where locked.id = charge_back_escrow.escrow_id
    for no key update;
    if exists (
        select from public.ledger_transactions as moved
        where moved.idempotency_key in (v_key, format(
            'escrow:%s:take_back:%s', charge_back_escrow.escrow_id, charge_back_escrow.reference
        ))
    ) then
        return;
    end if;
    v_held := least(charge_back_escrow.amount_minor, v_escrow.remaining_minor);
    v_back := charge_back_escrow.amount_minor - v_held;
    if v_held > 0 then
        perform private.post_transaction(
            key => v_key,
            kind => 'escrow.charge_back',
            accounts => array[
                private.ledger_account('escrow', v_escrow.currency, subject_id => v_escrow.id),
                private.ledger_account('clearing', v_escrow.currency, provider => v_escrow.provider)
            ],
            amounts => array[-v_held, v_held],
            subject_id => v_escrow.id,
            memo => format(
                '%s %s back to the payer by %s (%s)', v_held, v_escrow.currency,
                v_escrow.provider, left(charge_back_escrow.reason, 200)
            )
        );
        if v_held < v_escrow.remaining_minor then
            update public.escrows as smaller
            set remaining_minor = smaller.remaining_minor - v_held, frozen_at = null,
                refunded_minor = smaller.refunded_minor + v_held
            where smaller.id = v_escrow.id;
            update public.escrows as still set frozen_at = v_escrow.frozen_at
            where still.id = v_escrow.id and v_escrow.frozen_at is not null;
            insert into public.escrow_events
                (escrow_id, from_status, to_status, reason, amount_minor)
            values (
                v_escrow.id, v_escrow.status, v_escrow.status, charge_back_escrow.reason, v_held
            );
        else
            -- by legal steps alone, however far the work was
            update public.escrows as thawed set frozen_at = null where thawed.id = v_escrow.id;
            foreach v_status in array case v_escrow.status
                when 'work_submitted' then array['under_review', 'disputed', 'refunding']
                when 'under_review' then array['disputed', 'refunding']
                when 'rejected' then array['disputed', 'refunding']
                else array['refunding']
            end loop
                perform private.move_escrow(v_escrow.id, v_status, charge_back_escrow.reason);
            end loop;
            update public.escrows as closed
            set status = 'refunded', remaining_minor = 0, closed_at = now(),
                refunded_minor = closed.refunded_minor + v_held
            where closed.id = v_escrow.id;
        end if;
    end if;
    if v_back > 0 then
        perform private.take_back(
            v_escrow.id, charge_back_escrow.reference, v_back, charge_back_escrow.reason
        );
    end if;
end;
$$;
comment on function private.charge_back_escrow is
$$The payer's bank took a payment back: from what the escrow still holds, then from those who got
it, in proportion. Safe to repeat by `reference`. Errors: escrow.amount_exceeded (409).$$;

create function private.post_loss(
    key text, currency text, provider text, amount_minor bigint, subject_id uuid, reason text
) returns void
language sql security definer set search_path = '' as $$
    select private.post_transaction(
        key => post_loss.key,
        kind => 'payments.book_loss',
        accounts => array[
            private.ledger_account('loss', post_loss.currency),
            private.ledger_account(
                'clearing', post_loss.currency, provider => post_loss.provider
            )
        ],
        amounts => array[-post_loss.amount_minor, post_loss.amount_minor],
        subject_id => post_loss.subject_id,
        memo => left(post_loss.reason, 300)
    )
$$;
comment on function private.post_loss is
'Money that a provider took back and nobody here has: the platform bears it.';

create function private.refunded_by_hand(payment_id uuid) returns bigint
language sql stable security definer set search_path = '' as $$
    select coalesce(sum(back.amount_minor), 0)::bigint from public.refunds as back
    where back.payment_id = refunded_by_hand.payment_id and back.reservation_id is null
        and back.status = 'succeeded' and back.dispute_id is null
$$;
comment on function private.refunded_by_hand is
'What was refunded of a payment at its provider, no case behind it; minor units.';

create function private.divide_payment(
    payment public.payments,
    out part_minor bigint, out returned_minor bigint, out by_hand_minor bigint,
    out own_minor bigint
)
language plpgsql stable security definer set search_path = '' as $$
begin
    select held.remaining_minor + held.released_minor - held.taken_back_minor into part_minor
    from public.orders as wanted
    cross join lateral (
        select part.remaining_minor, part.released_minor, part.taken_back_minor
        from public.escrows as part where part.id = wanted.escrow_id
        union all
        select session.remaining_minor, session.released_minor, session.taken_back_minor
        from public.bookings as session where session.id = wanted.booking_id
    ) as held
    where wanted.id = payment.order_id and payment.applied_minor > 0;
    select payment.refunded_minor + coalesce(sum(back.amount_minor), 0) into returned_minor
    from public.refunds as back
    where back.payment_id = payment.id and back.reservation_id is not null
        and back.status not in ('succeeded', 'failed');
    by_hand_minor := private.refunded_by_hand(payment.id);
    own_minor := greatest(
        0,
        payment.amount_minor - returned_minor - payment.charged_back_minor - coalesce(part_minor, 0)
    );
end;
$$;
comment on function private.divide_payment is
$$Where the money of a payment is: what it was for holds yet and others got (null: it was for
nothing), what providers carry back to the payer or carried, what was refunded at the provider by
hand (in charged_back_minor as well), what is the payer's own; minor units.$$;

create function private.charge_back(
    payment public.payments, reference text, amount_minor bigint, reason text
) returns void
language plpgsql security definer set search_path = '' as $$
declare
    v_order public.orders;
    v_account bigint;
    v_share record;
    v_applied bigint := 0;
    v_lost bigint := 0;
    v_own bigint;
    v_key text := format('payment:%s:charge_back:%s', payment.id, reference);
begin
    select wanted.* into strict v_order from public.orders as wanted
    where wanted.id = charge_back.payment.order_id;
    -- all whom it may cost, in the order of their accounts
    v_account := private.ledger_account(
        'available', charge_back.payment.currency, owner_id => charge_back.payment.payer_id
    );
    perform from public.ledger_accounts as account
    where not account.is_folded and (account.id = v_account or account.id in (
        select entry.account_id
        from public.ledger_transactions as moved
        inner join public.ledger_entries as entry on moved.id = entry.transaction_id
        where moved.subject_id = coalesce(v_order.escrow_id, v_order.booking_id)
    ))
    order by account.id
    for no key update;
    v_share := private.divide_payment(charge_back.payment);
    if v_share.part_minor is not null then
        -- first what is the payer's own by now, then what it was for
        v_applied := least(
            v_share.part_minor, charge_back.payment.applied_minor,
            charge_back.amount_minor - least(charge_back.amount_minor, v_share.own_minor)
        );
        -- what is above all that, the payer has twice if it was returned; else nobody here has it
        v_lost := greatest(
            0,
            charge_back.amount_minor - v_applied - v_share.own_minor - v_share.returned_minor
            - v_share.by_hand_minor
        );
    end if;
    if v_applied > 0 and v_order.escrow_id is not null then
        perform private.charge_back_escrow(
            v_order.escrow_id, charge_back.reference, v_applied, charge_back.reason
        );
    elsif v_applied > 0 then
        perform private.charge_back_booking(
            v_order.booking_id, charge_back.reference, v_applied, charge_back.reason
        );
    end if;
    if v_lost > 0 then
        perform private.post_loss(
            v_key || ':loss', charge_back.payment.currency, charge_back.payment.provider, v_lost,
            charge_back.payment.id, charge_back.reason
        );
    end if;
    v_own := charge_back.amount_minor - v_applied - v_lost;
    if v_own > 0 then
        -- the payer has it in two places: what is spent already becomes a debt
        perform private.allow_debt(array[v_account], array[-v_own])
        where not exists (
            select from public.ledger_transactions as moved where moved.idempotency_key = v_key
        );
        perform private.post_transaction(
            key => v_key,
            kind => 'payments.charge_back',
            accounts => array[
                v_account,
                private.ledger_account(
                    'clearing', charge_back.payment.currency,
                    provider => charge_back.payment.provider
                )
            ],
            amounts => array[-v_own, v_own],
            subject_id => charge_back.payment.id,
            memo => format('Back to the payer by %s (%s)', charge_back.payment.provider, reason)
        );
    end if;
    update public.payments as smaller
    set charged_back_minor = least(
        smaller.amount_minor, smaller.charged_back_minor + charge_back.amount_minor
    )
    where smaller.id = charge_back.payment.id;
end;
$$;
comment on function private.charge_back is
$$Money of a payment is gone: the payer's own part first, then what it was for, then who got it.

Beyond that the payer owes what was refunded to them as well; the rest is the platform's loss.$$;

create function private.freeze_escrow(escrow_id uuid, is_frozen boolean) returns void
language sql security definer set search_path = '' as $$
    update public.escrows as held
    set frozen_at = case when freeze_escrow.is_frozen then coalesce(held.frozen_at, now()) end
    where held.id = freeze_escrow.escrow_id and held.closed_at is null
        and (held.frozen_at is null) = freeze_escrow.is_frozen
$$;
comment on function private.freeze_escrow is
'While the payer''s bank disputes a payment, its escrow stands still; safe to repeat.';

create function private.change_payment_dispute(
    provider text, reference text, payment text, status text, amount_minor bigint, currency text,
    reason text, due_at timestamptz
) returns void
language plpgsql security definer set search_path = '' as $$
declare
    v_payment public.payments := private.lock_payment(provider, payment);
    v_order public.orders;
    v_dispute public.payment_disputes;
    v_was text;
    v_left bigint;
    v_is_open boolean;
begin
    select wanted.* into strict v_order from public.orders as wanted
    where wanted.id = v_payment.order_id;
    select known.status into v_was from public.payment_disputes as known
    where known.provider = change_payment_dispute.provider
        and known.reference = change_payment_dispute.reference
    for update;
    -- what is decided stays decided, but for an appeal; any other later word is an old one
    if v_was = 'won' or (v_was = 'lost' and change_payment_dispute.status <> 'won') then
        return;
    elsif v_was = 'lost' then
        perform private.reinstate_dispute(
            v_payment, change_payment_dispute.reference, change_payment_dispute.reason
        );
        return;
    end if;
    if change_payment_dispute.currency <> v_payment.currency then
        -- how much it is in ours nobody here knows: all is held until operators say how it ended
        change_payment_dispute.reason := format(
            '%s of %s %s: %s', change_payment_dispute.status, change_payment_dispute.amount_minor,
            change_payment_dispute.currency, coalesce(change_payment_dispute.reason, '')
        );
        change_payment_dispute.amount_minor := v_payment.amount_minor;
        if change_payment_dispute.status = 'lost' then
            change_payment_dispute.status := 'open';
        end if;
    end if;
    insert into public.payment_disputes as known (
        payment_id, payer_id, provider, reference, amount_minor, currency, status, reason, due_at
    )
    values (
        v_payment.id, v_payment.payer_id, change_payment_dispute.provider,
        change_payment_dispute.reference, change_payment_dispute.amount_minor,
        v_payment.currency, change_payment_dispute.status,
        left(coalesce(change_payment_dispute.reason, ''), 200), change_payment_dispute.due_at
    )
    on conflict on constraint payment_disputes_provider_reference_key do update
    set status = excluded.status, amount_minor = excluded.amount_minor,
        reason = coalesce(nullif(excluded.reason, ''), known.reason),
        due_at = coalesce(excluded.due_at, known.due_at)
    returning known.* into v_dispute;

    if v_dispute.reservation_id is not null and v_dispute.status <> 'open' then
        perform private.close_reservation(v_dispute.reservation_id, 'voided');
    end if;
    if v_dispute.status = 'lost' then
        -- less what came as a refund before
        v_left := v_dispute.amount_minor - v_dispute.netted_minor;
        if v_left > 0 then
            perform private.charge_back(
                v_payment, 'dispute:' || v_dispute.reference, v_left,
                'the payer''s bank took it back: ' || v_dispute.reason
            );
        end if;
    end if;
    v_is_open := exists (
        select from public.payment_disputes as other
        where other.payment_id = v_payment.id and other.status = 'open'
    );
    if v_order.escrow_id is not null and v_payment.applied_minor > 0 then
        perform private.freeze_escrow(v_order.escrow_id, v_is_open);
    elsif v_order.booking_id is not null and v_payment.applied_minor > 0 then
        perform private.freeze_booking(v_order.booking_id, v_is_open);
    else
        perform private.hold_disputed(v_dispute);
    end if;
end;
$$;
comment on function private.change_payment_dispute is
$$What a provider says of a payment dispute. Forward only, safe to repeat, in any order.

Open freezes what the payment is for, won frees it, lost takes the amount back, won after lost (an
appeal) brings it home: see private.reinstate_dispute. Of a dispute in another currency all is held,
also when it is lost: propose_dispute_outcome ends it.
Errors: payments.payment_not_found (404), payments.dispute_mismatch (409).$$;

create function private.divide_reinstated(order_id uuid, amount_minor bigint)
returns table (kind text, owner_id uuid, minor bigint)
language plpgsql stable security definer set search_path = '' as $$
declare
    v_order public.orders;
    v_escrow public.escrows;
    v_booking record;
begin
    select wanted.* into strict v_order from public.orders as wanted
    where wanted.id = divide_reinstated.order_id;
    select held.* into v_escrow from public.escrows as held where held.id = v_order.escrow_id;
    select held.* into v_booking from public.bookings as held where held.id = v_order.booking_id;
    if coalesce(v_escrow.closed_at, v_booking.closed_at) is null then
        return query select 'escrow', null::uuid, divide_reinstated.amount_minor;
    elsif v_escrow.status = 'released' or (
        -- ended by the bank alone, the work handed in
        v_escrow.status = 'refunded' and not exists (
            select from public.ledger_transactions as moved
            where moved.idempotency_key = format('escrow:%s:close', v_escrow.id)
        ) and (
            select event.to_status from public.escrow_events as event
            where event.escrow_id = v_escrow.id
                and event.to_status in ('work_in_progress', 'work_submitted', 'rejected')
            order by event.id desc
            limit 1
        ) = 'work_submitted'
    ) then
        return query
        select
            case when got.id is null then 'fees' else 'available' end, got.id,
            sum(part.amount_minor)::bigint
        from public.escrow_agreements as terms
        left join public.profiles as one
            on terms.sponsor_agent_id = one.id and one.deleted_at is null
        left join public.profiles as other
            on terms.creator_agent_id = other.id and other.deleted_at is null
        cross join lateral private.split_release(
            divide_reinstated.amount_minor, terms.fee_bps, terms.sponsor_id, terms.creator_id,
            one.id, other.id
        ) as part
        -- who has left gets nothing more
        left join public.profiles as got
            on part.recipient_id = got.id and got.deleted_at is null
        where terms.id = v_escrow.agreement_id
        group by got.id;
    elsif v_booking.status = 'released' or (
        v_booking.status = 'charged_back' and v_booking.settles_at is not null
        and v_booking.no_show_party is distinct from 'host'
    ) then
        return query
        select
            case when got.id is null then 'fees' else 'available' end, got.id,
            sum(part.minor)::bigint
        from public.settlement_policies as terms
        inner join public.settlement_bands as band
            on terms.version = band.policy_version
            and coalesce(v_booking.rating, terms.unrated_rating)
            between band.min_rating and band.max_rating
        cross join lateral (
            select divide_reinstated.amount_minor * (10000 - band.host_share_bps) / 10000
        ) as fee (minor)
        cross join lateral (
            select (divide_reinstated.amount_minor - fee.minor) * band.penalty_bps / 10000
        ) as penalty (minor)
        cross join lateral (
            values
            (
                v_booking.host_id,
                divide_reinstated.amount_minor - fee.minor - penalty.minor
            ),
            (
                v_booking.guest_id,
                case band.penalty_to when 'guest' then penalty.minor else 0 end
            ),
            (
                null,
                fee.minor + case band.penalty_to when 'platform' then penalty.minor else 0 end
            )
        ) as part (owner_id, minor)
        left join public.profiles as got on part.owner_id = got.id and got.deleted_at is null
        where terms.version = v_booking.policy_version and part.minor > 0
        group by got.id;
    else
        return query select 'available', v_order.payer_id, divide_reinstated.amount_minor;
    end if;
end;
$$;
comment on function private.divide_reinstated is
$$Whose is what a bank took out of an escrow or booking and gives back: rows that sum to it.

It goes back where it was (`escrow`) while that is open. Of one that is over: divided as its release
would have been, if it was released, or if only the bank ended it and the work was handed in, the
session completed; else it is the payer's balance. Minor units.$$;

create function private.recover_debts(
    dispute public.payment_disputes, accounts bigint[], amounts bigint[], taken bigint[]
) returns void
language plpgsql security definer set search_path = '' as $$
declare
    v_accounts bigint[];
    v_amounts bigint[];
begin
    select array_agg(owed.account_id order by owed.account_id),
        array_agg(-owed.minor order by owed.account_id)
    into v_accounts, v_amounts
    from (
        select line.account_id, least(line.minor, (
            select coalesce(sum(entry.amount_minor), 0)
            from public.ledger_entries as entry
            inner join public.ledger_transactions as moved on entry.transaction_id = moved.id
            where entry.account_id = line.account_id
                and moved.id > (select min(lost.id) from unnest(taken) as lost (id))
                and moved.kind in ('payments.write_off_debt', 'payments.recover_debt')
        ))::bigint as minor
        from unnest(accounts, amounts) as line (account_id, minor)
        inner join public.ledger_accounts as account
            on line.account_id = account.id and account.kind = 'available'
    ) as owed
    where owed.minor > 0;
    if v_accounts is not null then
        perform private.post_transaction(
            key => format('dispute:%s:recovered', dispute.id),
            kind => 'payments.recover_debt',
            accounts => v_accounts
                || private.ledger_account('loss', dispute.currency::text),
            amounts => v_amounts || (
                select -sum(one)::bigint from unnest(v_amounts) as one
            ),
            subject_id => dispute.payment_id,
            memo => format(
                'What was written off when %s was lost is not given a second time',
                dispute.reference
            )
        );
    end if;
end;
$$;
comment on function private.recover_debts is
$$Of what an appeal gives back: what was forgiven since the loss goes to whoever bore it.

`accounts`, `amounts`: the lines given back; `taken`: the transactions of the loss.$$;

create function private.reinstate_dispute(
    payment public.payments, reference text, reason text
) returns void
language plpgsql security definer set search_path = '' as $$
declare
    v_dispute public.payment_disputes;
    v_order public.orders;
    v_subject uuid;
    v_causes text[];
    v_by_hand bigint;
    v_taken bigint[];
    v_is_applied boolean;
    v_held bigint;
    v_back bigint;
    v_given bigint;
    v_accounts bigint[];
    v_amounts bigint[];
begin
    select known.* into strict v_dispute from public.payment_disputes as known
    where known.provider = payment.provider and known.reference = reinstate_dispute.reference;
    select wanted.* into strict v_order from public.orders as wanted
    where wanted.id = payment.order_id;
    v_subject := coalesce(v_order.escrow_id, v_order.booking_id);
    -- what it took: itself, and the refunds by hand that were told of the same money
    select
        'dispute:' || v_dispute.reference || coalesce(array_agg('refund:' || back.reference), '{}'),
        coalesce(sum(back.amount_minor), 0)
    into v_causes, v_by_hand
    from public.refunds as back
    where back.dispute_id = v_dispute.id and not exists (
        select from public.ledger_transactions as moved
        where moved.idempotency_key = format('refund:%s:returned', back.id)
    );
    if v_by_hand > v_dispute.amount_minor then
        perform private.reject('payments.dispute_mismatch', v_dispute.id::text);
    end if;
    select array_agg(moved.id), coalesce(bool_or(moved.subject_id = v_subject), false)
    into v_taken, v_is_applied
    from unnest(v_causes) as cause
    cross join lateral (
        values
        (format('payment:%s:charge_back:%s', payment.id, cause)),
        (format('payment:%s:charge_back:%s:loss', payment.id, cause)),
        (format('escrow:%s:charge_back:%s', v_subject, cause)),
        (format('escrow:%s:take_back:%s', v_subject, cause)),
        (format('booking:%s:charge_back:%s', v_subject, cause))
    ) as posted (key)
    inner join public.ledger_transactions as moved on posted.key = moved.idempotency_key;
    select
        coalesce(sum(-entry.amount_minor) filter (where account.kind = 'escrow'), 0),
        coalesce(sum(-entry.amount_minor) filter (
            where account.kind in ('available', 'fees') and moved.subject_id = v_subject
        ), 0)
    into v_held, v_back
    from public.ledger_entries as entry
    inner join public.ledger_transactions as moved on entry.transaction_id = moved.id
    inner join public.ledger_accounts as account on entry.account_id = account.id
    where entry.transaction_id = any(v_taken);
    with parts as (
        select part.* from private.divide_reinstated(v_order.id, v_held) as part where v_held > 0
    ),
    lines as (
        select entry.account_id, -entry.amount_minor as minor, 0 as given
        from public.ledger_entries as entry
        inner join public.ledger_accounts as account on entry.account_id = account.id
        where entry.transaction_id = any(v_taken) and account.kind <> 'escrow'
        union all
        select
            private.ledger_account(
                part.kind, payment.currency::text, owner_id => part.owner_id,
                subject_id => case part.kind when 'escrow' then v_subject end
            ),
            part.minor,
            -- what others than the payer get of it was released
            case when part.kind = 'escrow' or part.owner_id = payment.payer_id then 0
                else part.minor end
        -- accounts are opened in one order everywhere
        from (select * from parts order by parts.owner_id) as part
    ),
    sums as (
        select lines.account_id, sum(lines.minor)::bigint as minor, sum(lines.given) as given
        from lines group by lines.account_id
    )
    select
        array_agg(sums.account_id order by sums.account_id) filter (where sums.minor <> 0),
        array_agg(sums.minor order by sums.account_id) filter (where sums.minor <> 0),
        coalesce(sum(sums.given), 0)
    into v_accounts, v_amounts, v_given
    from sums;
    if v_accounts is not null then
        perform private.post_transaction(
            key => format('dispute:%s:reinstated', v_dispute.id),
            kind => case
                when not v_is_applied then 'payments.reinstate'
                when v_order.escrow_id is null then 'bookings.reinstate'
                else 'escrow.reinstate'
            end,
            accounts => v_accounts,
            amounts => v_amounts,
            subject_id => case when v_is_applied then v_subject else payment.id end,
            memo => format(
                'Given back by %s, the case %s was won after all: %s', payment.provider,
                v_dispute.reference, left(coalesce(reason, ''), 200)
            )
        );
        perform private.recover_debts(v_dispute, v_accounts, v_amounts, v_taken);
    end if;
    if v_is_applied and v_order.escrow_id is not null then
        update public.escrows as held
        set taken_back_minor = held.taken_back_minor - v_back,
            remaining_minor = held.remaining_minor
            + case when held.closed_at is null then v_held else 0 end,
            released_minor = held.released_minor + v_given,
            refunded_minor = held.refunded_minor - v_given
            - case when held.closed_at is null then v_held else 0 end
        where held.id = v_subject;
        insert into public.escrow_events (escrow_id, from_status, to_status, reason, amount_minor)
        select held.id, held.status, held.status, 'the payer''s bank gave it back', v_held + v_back
        from public.escrows as held
        where held.id = v_subject;
    elsif v_is_applied then
        update public.bookings as held
        set taken_back_minor = held.taken_back_minor - v_back,
            remaining_minor = held.remaining_minor
            + case when held.closed_at is null then v_held else 0 end,
            released_minor = held.released_minor + v_given,
            charged_back_minor = held.charged_back_minor - v_given
            - case when held.closed_at is null then v_held else 0 end
        where held.id = v_subject;
        perform private.note_booking(held, 'the payer''s bank gave it back', v_held + v_back)
        from public.bookings as held
        where held.id = v_subject;
    end if;
    update public.refunds as ended
    set status = 'failed', note = 'its case was won after all: see the provider'
    where ended.dispute_id = v_dispute.id and ended.status = 'succeeded';
    update public.payment_disputes as known set status = 'won' where known.id = v_dispute.id;
    perform private.count_charged_back(payment.id);
end;
$$;
comment on function private.reinstate_dispute is
$$A dispute that was lost is won on appeal: all that it took comes home, line by line, once.

Those who gave get it back; what was still held goes by private.divide_reinstated.
Errors: payments.dispute_mismatch (409) when more went back by hand than it was about.
Source: Stripe, Dispute.status (appeal_under_review), charge.dispute.funds_reinstated; PayPal,
Disputes v1, appeal.$$;

create function private.tend_disputes() returns bigint
language plpgsql security definer set search_path = '' as $$
declare
    v_id uuid;
    v_count bigint := 0;
begin
    for v_id in
        update public.payment_disputes as waiting set look_at = now() + interval '1 day'
        where waiting.id in (
            select due.id from public.payment_disputes as due
            where due.status = 'open' and due.look_at <= now()
            order by due.look_at
            limit 500
            for update skip locked
        )
        returning waiting.id
    loop
        perform private.enqueue('payments.check_dispute', jsonb_build_object('subject_id', v_id));
        v_count := v_count + 1;
    end loop;
    return v_count;
end;
$$;
comment on function private.tend_disputes is
'Queue a look at payment disputes that are open, each once a day; how many there were.';

create function private.claim_dispute_check(dispute_id uuid)
returns table (provider text, reference text)
language sql stable security definer set search_path = '' as $$
    select asked.provider, asked.reference from public.payment_disputes as asked
    where asked.id = claim_dispute_check.dispute_id and asked.status = 'open'
$$;
comment on function private.claim_dispute_check is
'A payment dispute, for its provider to be asked how it stands; no row: it was decided.';

create function private.hold_disputed(dispute public.payment_disputes) returns void
language plpgsql security definer set search_path = '' as $$
declare
    v_account bigint := private.ledger_account(
        'available', dispute.currency, owner_id => dispute.payer_id
    );
    v_free bigint;
begin
    if dispute.status = 'open' and dispute.reservation_id is null then
        select least(dispute.amount_minor, account.posted_minor - account.reserved_minor)
        into strict v_free
        from public.ledger_accounts as account where account.id = v_account
        for no key update;
        if v_free > 0 then
            update public.payment_disputes as known
            set reservation_id = private.reserve(
                format('dispute:%s', dispute.id), v_account, v_free,
                subject_id => dispute.payment_id
            )
            where known.id = dispute.id;
        end if;
    end if;
end;
$$;
comment on function private.hold_disputed is
'Hold the disputed part of a payer''s balance back while their bank decides.';

-- Refunds of escrows go by way of the general ones.
insert into public.refunds (
    id, payment_id, payer_id, amount_minor, currency, reason, status, provider, idempotency_key,
    reservation_id, created_at
)
select
    old.id,
    paid.id as payment_id,
    paid.payer_id,
    old.amount_minor,
    paid.currency,
    'escrow refund',
    case held.status
        when 'pending' then 'requested' when 'posted' then 'succeeded' else 'failed'
    end,
    paid.provider,
    held.idempotency_key,
    old.reservation_id,
    old.created_at
from private.escrow_refunds as old
inner join public.ledger_reservations as held on old.reservation_id = held.id
inner join public.escrows as funded on old.escrow_id = funded.id
inner join public.payments as paid
    on funded.provider = paid.provider and funded.payment_reference = paid.reference;
select
    private.enqueue(
        'payments.send_refund', jsonb_build_object('subject_id', waiting.id),
        format('refund:%s', waiting.id)
    )
from public.refunds as waiting
where waiting.status = 'requested';
-- squawk-ignore ban-drop-function
drop function private.finish_escrow_refund(uuid, boolean);
-- squawk-ignore ban-drop-table
drop table private.escrow_refunds;

create or replace function private.send_back(
    escrow_id uuid, sponsor_id uuid, amount_minor bigint, key text
) returns void
language sql security definer set search_path = '' as $$
    select private.request_refund(
        funded.provider, funded.payment_reference, send_back.amount_minor, send_back.key,
        'escrow refund: ' || funded.title
    )
    from public.escrows as funded
    where funded.id = send_back.escrow_id
$$;

create table private.escrow_failures (
    escrow_id uuid not null,
    reason text not null,
    failed_at timestamptz not null default now(),
    constraint escrow_failures_pkey primary key (escrow_id),
    constraint escrow_failures_escrow_id_fkey foreign key (escrow_id)
    references public.escrows on delete restrict
);
alter table private.escrow_failures enable row level security;
comment on table private.escrow_failures is
'Escrows that time could not release or refund, and why; gone when it worked at last.';

-- A release that fails must not keep the next ones waiting.
create or replace function private.approve_next_overdue() returns uuid
language plpgsql security definer set search_path = '' as $$
declare
    v_escrow public.escrows;
begin
    select due.* into v_escrow from public.escrows as due
    where due.status in ('work_submitted', 'under_review') and due.review_due_at <= now()
        and due.frozen_at is null
    order by due.review_due_at
    limit 1
    for no key update skip locked;
    if not found then
        return null;
    end if;
    begin
        if v_escrow.status = 'work_submitted' then
            perform private.move_escrow(v_escrow.id, 'under_review', 'review window over');
        end if;
        perform private.move_escrow(v_escrow.id, 'approved', 'review window over');
        perform private.divide_escrow(v_escrow.id, 0, 'review window over');
        delete from private.escrow_failures as mended where mended.escrow_id = v_escrow.id;
    exception
        -- not the escrow's fault: it is due again
        when transaction_rollback or lock_not_available or insufficient_resources
            or operator_intervention or system_error
        then
            raise;
        -- again in an hour; operators see it among the stuck
        when others then
            insert into private.escrow_failures (escrow_id, reason) values (v_escrow.id, sqlerrm)
            on conflict on constraint escrow_failures_pkey do update
            set reason = excluded.reason, failed_at = now();
            update public.escrows as later set review_due_at = now() + interval '1 hour'
            where later.id = v_escrow.id;
    end;
    return v_escrow.id;
end;
$$;
