-- What takes two operators: other people's balances, their limits, and withdrawals that are large.
set lock_timeout = '5s';

insert into private.error_codes (code, http_status, message) values
('payments.nothing_owed', 409, 'The balance is not below zero.'),
('payments.no_approval_needed', 409, 'The withdrawal does not wait for an approval.'),
('payments.invalid_limit', 422, 'Limits are whole numbers above zero, each no less than the last.'),
('payments.invalid_outcome', 422, 'A withdrawal in doubt was paid, with a reference, or failed.'),
('payments.invalid_counterpart', 422, 'An adjustment is at the cost of fees or loss.'),
('payments.invalid_transfer', 422, 'Own money moves between two providers, or one and bank.');

insert into private.approval_actions (action, title) values
('payments.adjust_balance', 'Give or take money by hand'),
('payments.write_off_debt', 'Bear a balance below zero'),
('payments.book_own_transfer', 'Book the platform''s own money moved between providers'),
('payments.set_withdrawal_limit', 'Change what may be withdrawn'),
('payments.approve_withdrawal', 'Send a large withdrawal'),
('payments.resolve_withdrawal', 'Say how a withdrawal in doubt ended'),
('payments.resolve_refund', 'Say how a refund in doubt ended'),
('payments.resolve_payment_dispute', 'Say how a payment dispute ended');

create function private.require_person(user_id uuid) returns uuid
language plpgsql stable security definer set search_path = '' as $$
begin
    if not exists (
        select from public.profiles as person where person.id = require_person.user_id
    ) then
        perform private.reject('identity.user_not_found', 'owner_id');
    end if;
    return user_id;
end;
$$;
comment on function private.require_person is
$$The id of somebody who is known here.

Errors: identity.user_not_found (404).$$;

create function private.propose_adjustment(
    owner_id uuid, amount_minor bigint, currency text, counterpart text, reason text
) returns public.operator_approvals
language plpgsql security definer set search_path = '' as $$
begin
    perform private.require_operator();
    if coalesce(propose_adjustment.amount_minor, 0) = 0 then
        perform private.reject('payments.invalid_amount', 'amount_minor');
    elsif propose_adjustment.currency is null or propose_adjustment.currency !~ '^[A-Z]{3}$' then
        perform private.reject('payments.invalid_currency', 'currency');
    elsif propose_adjustment.counterpart is null
        or propose_adjustment.counterpart not in ('fees', 'loss')
    then
        perform private.reject('payments.invalid_counterpart', 'counterpart');
    end if;
    return private.propose(
        'payments.adjust_balance',
        jsonb_build_object(
            'amount_minor', amount_minor, 'currency', currency, 'counterpart', counterpart
        ),
        reason, owner_id => private.require_person(owner_id)
    );
end;
$$;
create function public.propose_adjustment(
    owner_id uuid, amount_minor bigint, currency text, counterpart text, reason text
) returns public.operator_approvals
language sql set search_path = '' as $$
    select private.propose_adjustment(owner_id, amount_minor, currency, counterpart, reason)
$$;
comment on function public.propose_adjustment is
$$Propose to give somebody money by hand, or take it, as an operator; another one must confirm.

`amount_minor` above zero: to them; below: from them, no further than their balance · `counterpart`:
fees (the platform's earnings) or loss.
Errors: identity.operator_required (403), identity.user_not_found (404),
ops.second_operator_required (403) about oneself, payments.invalid_amount,
payments.invalid_currency, payments.invalid_counterpart, identity.invalid_reason (422).$$;

create function private.adjust_balance(approval public.operator_approvals) returns jsonb
language sql security definer set search_path = '' as $$
    select jsonb_build_object('transaction_id', private.post_transaction(
        key => format('approval:%s', approval.id),
        kind => 'payments.adjust_balance',
        accounts => array[
            private.ledger_account(
                'available', approval.input ->> 'currency', owner_id => approval.owner_id
            ),
            private.ledger_account(
                approval.input ->> 'counterpart', approval.input ->> 'currency'
            )
        ],
        amounts => array[
            (approval.input ->> 'amount_minor')::bigint,
            -(approval.input ->> 'amount_minor')::bigint
        ],
        subject_id => approval.id,
        memo => 'By hand: ' || approval.reason
    ))
$$;
comment on function private.adjust_balance is
$$Carry out a confirmed adjustment. Errors: ledger.insufficient_funds (409).$$;

create function private.propose_own_transfer(
    from_provider text, to_provider text, amount_minor bigint, currency text, reason text
) returns public.operator_approvals
language plpgsql security definer set search_path = '' as $$
begin
    perform private.require_operator();
    if coalesce(propose_own_transfer.amount_minor, 0) <= 0 then
        perform private.reject('payments.invalid_amount', 'amount_minor');
    elsif propose_own_transfer.currency is null
        or propose_own_transfer.currency !~ '^[A-Z]{3}$'
    then
        perform private.reject('payments.invalid_currency', 'currency');
    elsif from_provider is not distinct from to_provider then
        perform private.reject('payments.invalid_transfer', 'to_provider');
    end if;
    perform private.reject('payments.invalid_transfer', coalesce(place.name, 'null'))
    from unnest(array[from_provider, to_provider]) as place (name)
    where place.name is distinct from 'bank' and not exists (
        select from private.providers as known where known.provider = place.name
    );
    return private.propose(
        'payments.book_own_transfer',
        jsonb_build_object(
            'from_provider', from_provider, 'to_provider', to_provider,
            'amount_minor', amount_minor, 'currency', currency
        ),
        reason
    );
end;
$$;
create function public.propose_own_transfer(
    from_provider text, to_provider text, amount_minor bigint, currency text, reason text
) returns public.operator_approvals
language sql set search_path = '' as $$
    select private.propose_own_transfer(from_provider, to_provider, amount_minor, currency, reason)
$$;
comment on function public.propose_own_transfer is
$$Propose to book the platform's own money that moved from one provider to another, or to or from
its own bank account (`bank`), as an operator; another one must confirm. The bank moves it, not we.

`amount_minor`: above zero, in minor units of `currency`, as it arrived.
Errors: identity.operator_required (403), payments.invalid_amount, payments.invalid_currency,
payments.invalid_transfer, identity.invalid_reason (422).$$;

create function private.book_own_transfer(approval public.operator_approvals) returns jsonb
language sql security definer set search_path = '' as $$
    select jsonb_build_object('transaction_id', private.post_transaction(
        key => format('approval:%s', approval.id),
        kind => 'payments.book_own_transfer',
        accounts => array[
            private.ledger_account(
                'clearing', approval.input ->> 'currency',
                provider => approval.input ->> 'from_provider'
            ),
            private.ledger_account(
                'clearing', approval.input ->> 'currency',
                provider => approval.input ->> 'to_provider'
            )
        ],
        amounts => array[
            (approval.input ->> 'amount_minor')::bigint,
            -(approval.input ->> 'amount_minor')::bigint
        ],
        subject_id => approval.id,
        memo => format(
            'Own money from %s to %s: %s', approval.input ->> 'from_provider',
            approval.input ->> 'to_provider', approval.reason
        )
    ))
$$;
comment on function private.book_own_transfer is 'Carry out a confirmed transfer of own money.';

create function private.propose_write_off(owner_id uuid, currency text, reason text)
returns public.operator_approvals
language plpgsql security definer set search_path = '' as $$
declare
    v_owed bigint;
begin
    perform private.require_operator();
    select -account.posted_minor into v_owed from public.ledger_accounts as account
    where account.owner_id = private.require_person(propose_write_off.owner_id)
        and account.kind = 'available' and account.currency = propose_write_off.currency
        and account.posted_minor < 0;
    if not found then
        perform private.reject('payments.nothing_owed', currency);
    end if;
    return private.propose(
        'payments.write_off_debt',
        jsonb_build_object('currency', currency, 'amount_minor', v_owed), reason,
        owner_id => owner_id
    );
end;
$$;
create function public.propose_write_off(owner_id uuid, currency text, reason text)
returns public.operator_approvals
language sql set search_path = '' as $$
    select private.propose_write_off(owner_id, currency, reason)
$$;
comment on function public.propose_write_off is
$$Propose that the platform bears what somebody owes, as an operator; another one must confirm.

What is owed when it is confirmed is booked as loss, and no more than was owed when it was proposed.
Errors: identity.operator_required (403), identity.user_not_found (404),
payments.nothing_owed (409), ops.second_operator_required (403) about oneself, identity.invalid_reason (422).$$;

create function private.write_off_debt(approval public.operator_approvals) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
    v_account bigint := private.ledger_account(
        'available', approval.input ->> 'currency', owner_id => approval.owner_id
    );
    v_owed bigint;
begin
    select least(-account.posted_minor, (approval.input ->> 'amount_minor')::bigint)
    into strict v_owed
    from public.ledger_accounts as account
    where account.id = v_account
    for no key update;
    if v_owed <= 0 then
        perform private.reject('payments.nothing_owed', approval.input ->> 'currency');
    end if;
    return jsonb_build_object('amount_minor', v_owed, 'transaction_id', private.post_transaction(
        key => format('approval:%s', approval.id),
        kind => 'payments.write_off_debt',
        accounts => array[
            private.ledger_account('loss', approval.input ->> 'currency'), v_account
        ],
        amounts => array[-v_owed, v_owed],
        subject_id => approval.id,
        memo => 'Written off: ' || approval.reason
    ));
end;
$$;
comment on function private.write_off_debt is
$$Carry out a confirmed write-off: up to zero and no further, nor more than was proposed.

Errors: payments.nothing_owed (409).$$;

create function private.limit_from(input jsonb) returns private.withdrawal_limits
language plpgsql stable security definer set search_path = '' as $$
declare
    v_terms private.withdrawal_limits;
begin
    select known.* into v_terms from private.withdrawal_limits as known
    where known.provider = input ->> 'provider' and known.currency = input ->> 'currency'
        and known.tier = input ->> 'tier';
    if not found then
        v_terms.multiple_minor := 1;
        v_terms.hold_hours := 72;
        v_terms.needs_kyc := true;
    end if;
    v_terms := jsonb_populate_record(v_terms, jsonb_strip_nulls(input));
    if not coalesce(
        v_terms.tier in ('member', 'verified') and v_terms.multiple_minor >= 1
        and v_terms.minimum_minor >= v_terms.multiple_minor
        and v_terms.maximum_minor >= v_terms.minimum_minor
        and v_terms.daily_minor >= v_terms.maximum_minor
        and v_terms.monthly_minor >= v_terms.daily_minor and v_terms.approval_minor >= 1
        and v_terms.hold_hours between 0 and 720,
        false
    ) then
        perform private.reject('payments.invalid_limit');
    end if;
    return v_terms;
end;
$$;
comment on function private.limit_from is
$$A limit as it would be: what is given, over what stands. Errors: payments.invalid_limit (422).$$;

create function private.propose_withdrawal_limit(
    provider text, currency text, tier text, reason text, minimum_minor bigint,
    maximum_minor bigint, daily_minor bigint, monthly_minor bigint, approval_minor bigint,
    multiple_minor bigint, hold_hours bigint, needs_kyc boolean
) returns public.operator_approvals
language plpgsql security definer set search_path = '' as $$
declare
    v_input jsonb := jsonb_strip_nulls(jsonb_build_object(
        'provider', provider, 'currency', currency, 'tier', tier,
        'minimum_minor', minimum_minor, 'maximum_minor', maximum_minor,
        'daily_minor', daily_minor, 'monthly_minor', monthly_minor,
        'approval_minor', approval_minor, 'multiple_minor', multiple_minor,
        'hold_hours', hold_hours, 'needs_kyc', needs_kyc
    ));
begin
    perform private.require_operator();
    if not exists (
        select from private.provider_actions as able
        where able.provider = propose_withdrawal_limit.provider
            and able.action = 'payments.send_withdrawal'
    ) then
        perform private.reject('payments.provider_not_available', provider);
    elsif propose_withdrawal_limit.currency is null
        or propose_withdrawal_limit.currency !~ '^[A-Z]{3}$'
    then
        perform private.reject('payments.invalid_currency', 'currency');
    end if;
    perform private.limit_from(v_input);
    -- what is not given stays as it stands: both must mean the same by it
    return private.propose(
        'payments.set_withdrawal_limit',
        v_input || jsonb_build_object('was', (
            select to_jsonb(known) from private.withdrawal_limits as known
            where known.provider = propose_withdrawal_limit.provider
                and known.currency = propose_withdrawal_limit.currency
                and known.tier = propose_withdrawal_limit.tier
        )),
        reason
    );
end;
$$;
create function public.propose_withdrawal_limit(
    provider text, currency text, tier text, reason text, minimum_minor bigint default null,
    maximum_minor bigint default null, daily_minor bigint default null,
    monthly_minor bigint default null, approval_minor bigint default null,
    multiple_minor bigint default null, hold_hours bigint default null,
    needs_kyc boolean default null
) returns public.operator_approvals
language sql set search_path = '' as $$
    select private.propose_withdrawal_limit(
        provider, currency, tier, reason, minimum_minor, maximum_minor, daily_minor,
        monthly_minor, approval_minor, multiple_minor, hold_hours, needs_kyc
    )
$$;
comment on function public.propose_withdrawal_limit is
$$Propose what people of a tier may withdraw, as an operator; another one must confirm.

`tier`: member or verified · amounts in minor units · null keeps what stands; a new limit needs all
amounts but the multiple.
Errors: identity.operator_required (403), payments.provider_not_available (409),
payments.invalid_currency, payments.invalid_limit, identity.invalid_reason (422).$$;

create function private.set_withdrawal_limit(approval public.operator_approvals) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
    v_before jsonb;
    v_terms private.withdrawal_limits;
begin
    select to_jsonb(known) into v_before from private.withdrawal_limits as known
    where known.provider = approval.input ->> 'provider'
        and known.currency = approval.input ->> 'currency'
        and known.tier = approval.input ->> 'tier'
    for update;
    perform private.require_unchanged(approval, coalesce(v_before, 'null'));
    v_terms := private.limit_from(approval.input);
    delete from private.withdrawal_limits as old
    where (old.provider, old.currency, old.tier)
        = (v_terms.provider, v_terms.currency, v_terms.tier);
    insert into private.withdrawal_limits select v_terms.*;
    return jsonb_build_object('before', v_before, 'after', to_jsonb(v_terms));
end;
$$;
comment on function private.set_withdrawal_limit is
$$Carry out a confirmed change of a limit.

Errors: payments.invalid_limit (422), ops.approval_expired (409).$$;

create function private.propose_withdrawal_approval(withdrawal_id uuid, reason text)
returns public.operator_approvals
language plpgsql security definer set search_path = '' as $$
declare
    v_withdrawal public.withdrawals;
begin
    perform private.require_operator();
    select waiting.* into v_withdrawal from public.withdrawals as waiting
    where waiting.id = propose_withdrawal_approval.withdrawal_id;
    if not found then
        perform private.reject('payments.withdrawal_not_found', withdrawal_id::text);
    elsif v_withdrawal.status <> 'reserved' or not v_withdrawal.needs_approval
        or v_withdrawal.approval_id is not null
    then
        perform private.reject('payments.no_approval_needed', v_withdrawal.status);
    end if;
    return private.propose(
        'payments.approve_withdrawal',
        jsonb_build_object(
            'amount_minor', v_withdrawal.amount_minor, 'currency', v_withdrawal.currency,
            'account_id', v_withdrawal.account_id,
            'was', (
                select private.account_mark(target) from public.connected_accounts as target
                where target.id = v_withdrawal.account_id
            )
        ),
        reason, subject_id => v_withdrawal.id, owner_id => v_withdrawal.owner_id
    );
end;
$$;
create function public.propose_withdrawal_approval(withdrawal_id uuid, reason text)
returns public.operator_approvals
language sql set search_path = '' as $$
    select private.propose_withdrawal_approval(withdrawal_id, reason)
$$;
comment on function public.propose_withdrawal_approval is
$$Propose to send a withdrawal that waits for two operators, as one; another one must confirm.

It is sent to the bank account that stands behind its connected account now (`input`, `was`), and to
no other.
Errors: identity.operator_required (403), payments.withdrawal_not_found (404),
payments.no_approval_needed (409), ops.second_operator_required (403) about oneself,
identity.invalid_reason (422).$$;

create function private.approve_withdrawal(approval public.operator_approvals) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
    v_to public.connected_accounts;
    v_withdrawal public.withdrawals;
begin
    select target.* into strict v_to from public.connected_accounts as target
    where target.id = (
        select waiting.account_id from public.withdrawals as waiting
        where waiting.id = approval.subject_id
    )
    for share;
    select waiting.* into strict v_withdrawal from public.withdrawals as waiting
    where waiting.id = approval.subject_id
    for update;
    if v_withdrawal.status <> 'reserved' or v_withdrawal.approval_id is not null then
        perform private.reject('payments.no_approval_needed', v_withdrawal.status);
    end if;
    perform private.require_unchanged(approval, private.account_mark(v_to));
    update public.withdrawals as waiting
    set approval_id = approval.id, note = null, look_at = now() + interval '10 minutes'
    where waiting.id = v_withdrawal.id;
    perform private.enqueue(
        'payments.send_withdrawal', jsonb_build_object('subject_id', v_withdrawal.id),
        -- once for each approval: there may be a second
        format('withdrawal:%s:send:%s', v_withdrawal.id, approval.id)
    );
    return jsonb_build_object('amount_minor', v_withdrawal.amount_minor);
end;
$$;
comment on function private.approve_withdrawal is
$$Carry out a confirmed approval: the withdrawal is sent.

Errors: payments.no_approval_needed, ops.approval_expired (409).$$;

create function private.propose_withdrawal_outcome(
    withdrawal_id uuid, outcome text, reason text, reference text
) returns public.operator_approvals
language plpgsql security definer set search_path = '' as $$
declare
    v_withdrawal public.withdrawals;
begin
    perform private.require_operator();
    select doubtful.* into v_withdrawal from public.withdrawals as doubtful
    where doubtful.id = propose_withdrawal_outcome.withdrawal_id;
    if not found then
        perform private.reject('payments.withdrawal_not_found', withdrawal_id::text);
    elsif v_withdrawal.status not in ('sending', 'unknown', 'sent') then
        perform private.reject('payments.invalid_transition', v_withdrawal.status);
    elsif propose_withdrawal_outcome.outcome is null or outcome not in ('paid', 'failed')
        or outcome = 'paid'
        and coalesce(btrim(propose_withdrawal_outcome.reference), v_withdrawal.reference, '') = ''
    then
        perform private.reject('payments.invalid_outcome', 'outcome');
    end if;
    return private.propose(
        'payments.resolve_withdrawal',
        jsonb_build_object(
            'outcome', outcome, 'reference', nullif(btrim(reference), ''),
            'was', jsonb_build_object(
                'status', v_withdrawal.status, 'reference', v_withdrawal.reference
            )
        ),
        reason, subject_id => v_withdrawal.id, owner_id => v_withdrawal.owner_id
    );
end;
$$;
create function public.propose_withdrawal_outcome(
    withdrawal_id uuid, outcome text, reason text, reference text default null
) returns public.operator_approvals
language sql set search_path = '' as $$
    select private.propose_withdrawal_outcome(withdrawal_id, outcome, reason, reference)
$$;
comment on function public.propose_withdrawal_outcome is
$$Propose how a withdrawal in doubt ended, having asked its provider; another operator must confirm.

`outcome`: paid, with the provider's `reference`, or failed: then it is its owner's balance again.
Errors: identity.operator_required (403), payments.withdrawal_not_found (404),
payments.invalid_transition (409) when nothing is in doubt, payments.invalid_outcome (422),
ops.second_operator_required (403) about oneself, identity.invalid_reason (422).$$;

create function private.resolve_withdrawal(approval public.operator_approvals) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
    v_withdrawal public.withdrawals;
begin
    select doubtful.* into strict v_withdrawal from public.withdrawals as doubtful
    where doubtful.id = approval.subject_id
    for update;
    if v_withdrawal.status not in ('sending', 'unknown', 'sent') then
        perform private.reject('payments.invalid_transition', v_withdrawal.status);
    end if;
    -- what the provider said meanwhile, neither of the two may have seen
    perform private.require_unchanged(approval, jsonb_build_object(
        'status', v_withdrawal.status, 'reference', v_withdrawal.reference
    ));
    perform private.close_request(
        asked.id,
        case approval.input ->> 'outcome' when 'paid' then 'succeeded' else 'declined' end,
        approval.input ->> 'reference', approval.reason
    )
    from private.provider_requests as asked
    where asked.subject_id = v_withdrawal.id and asked.action = 'payments.send_withdrawal'
        and asked.closed_at is null;
    if approval.input ->> 'outcome' = 'paid' then
        update public.withdrawals as doubtful
        set reference = coalesce(doubtful.reference, approval.input ->> 'reference')
        where doubtful.id = v_withdrawal.id;
    end if;
    perform private.move_withdrawal(
        v_withdrawal.id, approval.input ->> 'outcome', approval.reason
    );
    return jsonb_build_object('was', v_withdrawal.status);
end;
$$;
comment on function private.resolve_withdrawal is
$$Carry out what two operators found of a withdrawal.

Errors: payments.invalid_transition, ops.approval_expired (409).$$;

insert into private.error_codes (code, http_status, message) values
('payments.refund_not_found', 404, 'There is no such refund.'),
('payments.refund_mismatch', 409, 'The provider tells of a refund that was ended here.'),
('payments.dispute_not_found', 404, 'There is no such payment dispute, or it has ended.');

create function private.propose_refund_outcome(
    refund_id uuid, outcome text, reason text, reference text
) returns public.operator_approvals
language plpgsql security definer set search_path = '' as $$
declare
    v_reference text := nullif(btrim(reference), '');
    v_refund public.refunds;
begin
    perform private.require_operator();
    select doubtful.* into v_refund from public.refunds as doubtful
    where doubtful.id = propose_refund_outcome.refund_id;
    if not found then
        perform private.reject('payments.refund_not_found', refund_id::text);
    elsif v_refund.status not in ('sending', 'unknown', 'sent') then
        perform private.reject('payments.invalid_transition', v_refund.status);
    elsif propose_refund_outcome.outcome is null or outcome not in ('succeeded', 'failed')
        or outcome = 'succeeded' and coalesce(v_reference, v_refund.reference) is null
    then
        perform private.reject('payments.invalid_outcome', 'outcome');
    elsif exists (
        select from public.refunds as other
        where other.provider = v_refund.provider and other.reference = v_reference
            and other.id <> v_refund.id
    ) then
        perform private.reject('payments.invalid_outcome', 'reference');
    end if;
    return private.propose(
        'payments.resolve_refund',
        jsonb_build_object(
            'outcome', outcome, 'reference', v_reference,
            'was', jsonb_build_object('status', v_refund.status, 'reference', v_refund.reference)
        ),
        reason, subject_id => v_refund.id, owner_id => v_refund.payer_id
    );
end;
$$;
create function public.propose_refund_outcome(
    refund_id uuid, outcome text, reason text, reference text default null
) returns public.operator_approvals
language sql set search_path = '' as $$
    select private.propose_refund_outcome(refund_id, outcome, reason, reference)
$$;
comment on function public.propose_refund_outcome is
$$Propose how a refund in doubt ended, having asked its provider; another operator must confirm.

`outcome`: succeeded, with the provider's `reference`, which no other refund has, or failed: then it
is its payer's balance.
Errors: identity.operator_required (403), payments.refund_not_found (404),
payments.invalid_transition (409) when nothing is in doubt, payments.invalid_outcome (422),
ops.second_operator_required (403) about oneself, identity.invalid_reason (422).$$;

create function private.resolve_refund(approval public.operator_approvals) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
    v_refund public.refunds;
    v_payment text;
begin
    select doubtful.* into strict v_refund from public.refunds as doubtful
    where doubtful.id = approval.subject_id;
    select paid.reference into strict v_payment from public.payments as paid
    where paid.id = v_refund.payment_id;
    -- the lock order: what it was paid for, the payment, the refund
    perform private.lock_payment(v_refund.provider, v_payment);
    select doubtful.* into strict v_refund from public.refunds as doubtful
    where doubtful.id = v_refund.id
    for update;
    if v_refund.status not in ('sending', 'unknown', 'sent') then
        perform private.reject('payments.invalid_transition', v_refund.status);
    end if;
    perform private.require_unchanged(approval, jsonb_build_object(
        'status', v_refund.status, 'reference', v_refund.reference
    ));
    if approval.input ->> 'outcome' = 'succeeded' then
        perform private.change_refund(
            v_refund.provider, coalesce(v_refund.reference, approval.input ->> 'reference'),
            v_payment, 'succeeded', v_refund.amount_minor, v_refund.currency::text,
            (
                select asked.id from private.provider_requests as asked
                where asked.subject_id = v_refund.id and asked.action = 'payments.send_refund'
                order by asked.attempt desc
                limit 1
            ),
            approval.reason
        );
        if not exists (
            select from public.refunds as ended
            where ended.id = v_refund.id and ended.status = 'succeeded'
        ) then
            perform private.reject('payments.refund_mismatch', v_refund.id::text);
        end if;
    else
        perform private.close_request(asked.id, 'declined', note => approval.reason)
        from private.provider_requests as asked
        where asked.subject_id = v_refund.id and asked.action = 'payments.send_refund'
            and asked.closed_at is null;
        perform private.end_refund(v_refund.id, false, approval.reason);
    end if;
    return jsonb_build_object('was', v_refund.status);
end;
$$;
comment on function private.resolve_refund is
$$Carry out what two operators found of a refund.

Errors: payments.invalid_transition, payments.refund_mismatch, ops.approval_expired (409).$$;

create function private.require_no_part(dispute_id uuid) returns void
language plpgsql stable security definer set search_path = '' as $$
declare
    v_me uuid := (select auth.uid());
begin
    if exists (
        select from public.payment_disputes as asked
        inner join public.payments as paid on asked.payment_id = paid.id
        inner join public.orders as wanted on paid.order_id = wanted.id
        left join public.escrows as held on wanted.escrow_id = held.id
        left join public.escrow_agreements as terms on held.agreement_id = terms.id
        left join public.bookings as booked on wanted.booking_id = booked.id
        where asked.id = require_no_part.dispute_id and v_me in (
            paid.payer_id, terms.sponsor_id, terms.creator_id, terms.sponsor_agent_id,
            terms.creator_agent_id, booked.guest_id, booked.host_id
        )
    ) then
        perform private.reject('ops.second_operator_required', 'dispute_id');
    end if;
end;
$$;
comment on function private.require_no_part is
$$Return if the operator neither paid what is disputed nor got or gets any of it.

Errors: ops.second_operator_required (403).$$;

create function private.propose_dispute_outcome(
    dispute_id uuid, outcome text, reason text, amount_minor bigint
) returns public.operator_approvals
language plpgsql security definer set search_path = '' as $$
declare
    v_dispute public.payment_disputes;
begin
    perform private.require_operator();
    select asked.* into v_dispute from public.payment_disputes as asked
    where asked.id = propose_dispute_outcome.dispute_id and (
        asked.status = 'open'
        -- an appeal; then all of it comes back
        or asked.status = 'lost' and outcome = 'won'
        and coalesce(propose_dispute_outcome.amount_minor, asked.amount_minor) = asked.amount_minor
    );
    if not found then
        perform private.reject('payments.dispute_not_found', dispute_id::text);
    end if;
    if outcome is null or outcome not in ('won', 'lost') then
        perform private.reject('payments.invalid_outcome', 'outcome');
    elsif propose_dispute_outcome.amount_minor not between 1 and v_dispute.amount_minor then
        perform private.reject('payments.invalid_amount', 'amount_minor');
    end if;
    perform private.require_no_part(dispute_id);
    return private.propose(
        'payments.resolve_payment_dispute',
        jsonb_build_object(
            'outcome', outcome, 'amount_minor', coalesce(amount_minor, v_dispute.amount_minor),
            'was', jsonb_build_object(
                'status', v_dispute.status, 'amount_minor', v_dispute.amount_minor,
                'reason', v_dispute.reason
            )
        ),
        reason, subject_id => dispute_id, owner_id => v_dispute.payer_id
    );
end;
$$;
create function public.propose_dispute_outcome(
    dispute_id uuid, outcome text, reason text, amount_minor bigint default null
) returns public.operator_approvals
language sql set search_path = '' as $$
    select private.propose_dispute_outcome(dispute_id, outcome, reason, amount_minor)
$$;
comment on function public.propose_dispute_outcome is
$$Propose how a payment dispute ended that its provider tells nothing more of, as an operator.

`outcome`: won, the money stays, or all of it came back after it was lost (an appeal); lost, it is
taken back. `amount_minor`: how much of it, in minor units
of the payment, where the dispute is in another currency; null: all that is disputed. Another
operator must confirm; neither has a part in what was paid.
Errors: identity.operator_required (403), payments.dispute_not_found (404),
payments.invalid_outcome, payments.invalid_amount (422), ops.second_operator_required (403) for who has a part in it,
identity.invalid_reason (422).$$;

create function private.resolve_payment_dispute(approval public.operator_approvals) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
    v_dispute public.payment_disputes;
    v_payment text;
begin
    select asked.* into strict v_dispute from public.payment_disputes as asked
    where asked.id = approval.subject_id;
    select paid.reference into strict v_payment from public.payments as paid
    where paid.id = v_dispute.payment_id;
    perform private.lock_payment(v_dispute.provider, v_payment);
    select asked.* into strict v_dispute from public.payment_disputes as asked
    where asked.id = v_dispute.id
    for update;
    if v_dispute.status <> 'open'
        -- an appeal
        and not (v_dispute.status = 'lost' and approval.input ->> 'outcome' = 'won')
    then
        perform private.reject('payments.dispute_not_found', v_dispute.id::text);
    end if;
    perform private.require_no_part(v_dispute.id);
    -- a dispute in another currency stays open when its provider says `lost`: its reason tells
    perform private.require_unchanged(approval, jsonb_build_object(
        'status', v_dispute.status, 'amount_minor', v_dispute.amount_minor,
        'reason', v_dispute.reason
    ));
    perform private.change_payment_dispute(
        v_dispute.provider, v_dispute.reference, v_payment, approval.input ->> 'outcome',
        (approval.input ->> 'amount_minor')::bigint, v_dispute.currency::text, v_dispute.reason,
        v_dispute.due_at
    );
    return approval.input;
end;
$$;
comment on function private.resolve_payment_dispute is
$$Carry out what two operators know of a payment dispute, as if its provider had said so.

Errors: payments.dispute_not_found (404), ops.second_operator_required (403) for who has a part in
it, ops.approval_expired (409).$$;

insert into private.error_codes (code, http_status, message) values
('payments.not_refundable', 409, 'Nothing of this payment can be sent back.');

create function private.refund_payment(
    payment_id uuid, reason text, amount_minor bigint, key uuid
) returns public.refunds
language plpgsql security definer set search_path = '' as $$
declare
    v_payment public.payments;
    v_refund public.refunds;
    v_key text := 'operator:' || refund_payment.key;
    v_free bigint;
    v_id uuid;
begin
    perform private.require_operator();
    if coalesce(char_length(btrim(refund_payment.reason)), 0) not between 1 and 500 then
        perform private.reject('identity.invalid_reason', 'reason');
    elsif refund_payment.amount_minor <= 0 then
        perform private.reject('payments.invalid_amount', 'amount_minor');
    end if;
    select locked.* into v_payment
    from public.payments as paid
    cross join lateral private.lock_payment(paid.provider, paid.reference) as locked
    where paid.id = refund_payment.payment_id;
    if not found then
        perform private.reject('payments.payment_not_found', refund_payment.payment_id::text);
    elsif exists (
        select from public.orders as wanted
        where wanted.id = v_payment.order_id
            and num_nonnulls(wanted.escrow_id, wanted.booking_id) > 0
    ) then
        perform private.reject('payments.not_refundable', 'by its escrow or booking');
    end if;
    select made.* into v_refund from public.refunds as made where made.idempotency_key = v_key;
    if found then
        if (v_refund.payment_id, v_refund.amount_minor) is distinct from (
            v_payment.id, coalesce(refund_payment.amount_minor, v_refund.amount_minor)
        ) then
            perform private.reject('ledger.key_reused', refund_payment.key::text);
        end if;
        return v_refund;
    end if;
    select
        account.posted_minor - account.reserved_minor
        - private.disputed_minor(v_payment.payer_id, v_payment.currency::text)
    into strict v_free
    from public.ledger_accounts as account
    where account.id = private.ledger_account(
        'available', v_payment.currency::text, owner_id => v_payment.payer_id
    )
    for no key update;
    if coalesce(refund_payment.amount_minor, 1) > v_free then
        -- what a bank may take back is not sent past it
        perform private.reject('payments.not_refundable', 'amount_minor');
    end if;
    v_id := private.request_refund(
        v_payment.provider, v_payment.reference,
        least(coalesce(refund_payment.amount_minor, v_payment.amount_minor), v_free), v_key,
        btrim(refund_payment.reason)
    );
    select made.* into v_refund from public.refunds as made where made.id = v_id;
    if not found or v_refund.amount_minor < refund_payment.amount_minor then
        -- all that was asked for, or nothing
        perform private.reject('payments.not_refundable', 'amount_minor');
    end if;
    perform private.audit(
        'payments.refund_payment', v_payment.id::text,
        jsonb_build_object(
            'refund_id', v_refund.id, 'amount_minor', v_refund.amount_minor,
            'currency', v_refund.currency, 'reason', v_refund.reason
        )
    );
    return v_refund;
end;
$$;
create function public.refund_payment(
    payment_id uuid, reason text, amount_minor bigint default null,
    key uuid default gen_random_uuid()
) returns public.refunds
language sql set search_path = '' as $$
    select private.refund_payment(payment_id, reason, amount_minor, key)
$$;
comment on function public.refund_payment is
$$Send back, as a moderator or admin, what somebody paid into their own balance.

The way it came. `amount_minor` null: all that is still there. What paid an escrow or a booking goes
back by those (`refund_escrow`, `cancel_booking`, a dispute). Repeated under its `key` it is one
refund; audited.
Errors: identity.operator_required (403), payments.payment_not_found (404), payments.not_refundable,
ledger.key_reused (409), payments.invalid_amount, identity.invalid_reason (422).$$;
