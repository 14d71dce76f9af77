-- Withdrawals on their way: requested by members, sent by workers, told of by providers.
set lock_timeout = '5s';

-- Lock order: the connected account, the withdrawal, its request, ledger accounts.
create function private.open_withdrawal(
    owner_id uuid, amount_minor bigint, currency text, account_id uuid, key text
) returns public.withdrawals
language plpgsql security definer set search_path = '' as $$
declare
    v_to uuid := coalesce(account_id, private.withdrawal_account(owner_id, currency));
    v_from bigint;
    v_made public.withdrawals;
    v_may record;
    v_is_large boolean;
begin
    if coalesce(open_withdrawal.amount_minor, 0) <= 0 then
        perform private.reject('payments.invalid_amount', 'amount_minor');
    elsif open_withdrawal.currency is null or open_withdrawal.currency !~ '^[A-Z]{3}$' then
        perform private.reject('payments.invalid_currency', 'currency');
    elsif coalesce(char_length(open_withdrawal.key), 0) not between 1 and 200 then
        perform private.reject('ledger.key_reused', 'key');
    end if;
    perform from public.connected_accounts as target
    where target.id = v_to and target.owner_id = open_withdrawal.owner_id
    for share;
    if not found then
        perform private.reject('payments.account_not_found', account_id::text);
    end if;
    -- one at a time per balance: the figures read below are those that hold
    v_from := private.ledger_account(
        'available', open_withdrawal.currency, owner_id => open_withdrawal.owner_id
    );
    perform from public.ledger_accounts as account where account.id = v_from
    for no key update;
    select known.* into v_made from public.withdrawals as known
    where known.owner_id = open_withdrawal.owner_id
        and known.idempotency_key = open_withdrawal.key;
    if found then
        if (v_made.amount_minor, v_made.currency::text, v_made.account_id)
            <> (
                open_withdrawal.amount_minor, open_withdrawal.currency,
                coalesce(open_withdrawal.account_id, v_made.account_id)
            )
        then
            perform private.reject('ledger.key_reused', 'key');
        end if;
        return v_made;
    end if;

    select weighed.* into strict v_may from private.weigh_withdrawal(
        open_withdrawal.owner_id, open_withdrawal.currency, v_to
    ) as weighed;
    case v_may.block
        when 'suspended' then
            perform private.reject('identity.not_active');
        when 'owed' then
            perform private.reject('payments.balance_owed');
        when 'dispute' then
            perform private.reject('payments.withdrawal_disputed', 'your own payment');
        when 'not_possible' then
            perform private.reject('payments.withdrawal_not_possible', open_withdrawal.currency);
        when 'account_hold' then
            perform private.reject('payments.account_on_hold', v_may.block_at::text);
        else
            if v_may.block is not null then
                perform private.reject('payments.account_not_ready', v_may.block);
            end if;
    end case;
    if open_withdrawal.amount_minor < v_may.minimum_minor then
        perform private.reject('payments.below_minimum', v_may.minimum_minor::text);
    elsif open_withdrawal.amount_minor % v_may.multiple_minor <> 0 then
        perform private.reject(
            'payments.invalid_amount', 'a multiple of ' || v_may.multiple_minor
        );
    elsif open_withdrawal.amount_minor > v_may.maximum_minor then
        perform private.reject('payments.limit_exceeded', 'at once: ' || v_may.maximum_minor);
    elsif open_withdrawal.amount_minor > v_may.daily_minor then
        perform private.reject('payments.limit_exceeded', 'a day: ' || v_may.daily_minor);
    elsif open_withdrawal.amount_minor > v_may.monthly_minor then
        perform private.reject('payments.limit_exceeded', 'a month: ' || v_may.monthly_minor);
    elsif open_withdrawal.amount_minor <= v_may.posted_minor - v_may.reserved_minor
        and open_withdrawal.amount_minor
        > v_may.posted_minor - v_may.reserved_minor - v_may.disputed_minor
    then
        perform private.reject('payments.withdrawal_disputed', v_may.disputed_minor::text);
    elsif open_withdrawal.amount_minor <= v_may.posted_minor - v_may.reserved_minor
        and open_withdrawal.amount_minor
        > v_may.posted_minor - v_may.reserved_minor - v_may.disputed_minor - v_may.resting_minor
    then
        perform private.reject('payments.balance_on_hold', v_may.rests_until::text);
    end if;

    -- many small ones of a day are a large one
    v_is_large := open_withdrawal.amount_minor + v_may.unapproved_minor >= v_may.approval_minor;
    insert into public.withdrawals (
        owner_id, account_id, provider, amount_minor, currency, idempotency_key, needs_approval,
        look_at
    )
    values (
        open_withdrawal.owner_id, v_to, v_may.provider, open_withdrawal.amount_minor,
        open_withdrawal.currency, open_withdrawal.key, v_is_large,
        case when v_is_large then 'infinity' else now() + interval '10 minutes' end
    )
    returning * into v_made;
    update public.withdrawals as made
    set status = 'reserved',
        reservation_id = private.reserve(
            format('withdrawal:%s', v_made.id), v_from, v_made.amount_minor,
            subject_id => v_made.id
        )
    where made.id = v_made.id
    returning made.* into v_made;
    if not v_made.needs_approval then
        perform private.enqueue(
            'payments.send_withdrawal', jsonb_build_object('subject_id', v_made.id),
            format('withdrawal:%s:send', v_made.id)
        );
    end if;
    return v_made;
end;
$$;
comment on function private.open_withdrawal is
$$Reserve what a person takes out, and queue that it is sent. Safe to repeat under its key.

Errors: as public.request_withdrawal.$$;

create function private.request_withdrawal(
    amount_minor bigint, currency text, account_id uuid, key text
) returns public.withdrawals
language sql security definer set search_path = '' as $$
    select private.open_withdrawal(
        private.require_active(), amount_minor, currency, account_id,
        coalesce(key, gen_random_uuid()::text)
    )
$$;
create function public.request_withdrawal(
    amount_minor bigint, currency text, account_id uuid default null, key text default null
) returns public.withdrawals
language sql set search_path = '' as $$
    select private.request_withdrawal(amount_minor, currency, account_id, key)
$$;
comment on function public.request_withdrawal is
$$Take money out of one's balance, to a connected account. It is held back at once, then sent.

`amount_minor` in minor units · `account_id` null: the default account · `key`: the same key asks
once, ever. A large amount, or as much within a day, waits for two operators. What may be
withdrawn: explain_balance.
Errors: payments.account_not_found (404), payments.account_not_ready, payments.account_on_hold,
payments.withdrawal_not_possible, payments.withdrawal_disputed, payments.balance_on_hold,
payments.balance_owed,
ledger.insufficient_funds, ledger.key_reused (409), payments.invalid_amount,
payments.invalid_currency, payments.below_minimum, payments.limit_exceeded (422),
identity.not_active (403).
Source: Source Impact, withdrawal limits and validation; Session Settlement, payouts/request.$$;

create function private.move_withdrawal(withdrawal_id uuid, status text, note text default null)
returns void
language plpgsql security definer set search_path = '' as $$
declare
    v_withdrawal public.withdrawals;
    v_clearing bigint;
begin
    update public.withdrawals as moved
    set status = move_withdrawal.status,
        note = left(private.without_numbers(move_withdrawal.note), 500)
    where moved.id = move_withdrawal.withdrawal_id
    returning moved.* into strict v_withdrawal;
    case move_withdrawal.status
        when 'paid' then
            perform private.post_reservation(
                reservation_id => v_withdrawal.reservation_id,
                key => format('withdrawal:%s:pay', v_withdrawal.id),
                kind => 'payments.send_withdrawal',
                to_account_id => private.ledger_account(
                    'clearing', v_withdrawal.currency, provider => v_withdrawal.provider
                ),
                memo => format('Withdrawn by %s', v_withdrawal.provider)
            );
        when 'returned' then
            v_clearing := private.ledger_account(
                'clearing', v_withdrawal.currency, provider => v_withdrawal.provider
            );
            perform private.post_transaction(
                key => format('withdrawal:%s:return', v_withdrawal.id),
                kind => 'payments.return_withdrawal',
                accounts => array[
                    v_clearing,
                    private.ledger_account(
                        'available', v_withdrawal.currency, owner_id => v_withdrawal.owner_id
                    )
                ],
                amounts => array[-v_withdrawal.amount_minor, v_withdrawal.amount_minor],
                subject_id => v_withdrawal.id,
                memo => format(
                    'Withdrawal came back to %s%s', v_withdrawal.provider,
                    coalesce(': ' || nullif(left(v_withdrawal.note, 200), ''), '')
                )
            );
        when 'failed', 'cancelled' then
            perform private.close_reservation(v_withdrawal.reservation_id, 'voided');
        else
            null;  -- it stays held back
    end case;
end;
$$;
comment on function private.move_withdrawal is
$$A step of a withdrawal, with what it means for the money. The caller has the row's lock.

Errors: payments.invalid_transition (409).$$;

create function private.cancel_withdrawal(withdrawal_id uuid, reason text)
returns public.withdrawals
language plpgsql security definer set search_path = '' as $$
declare
    v_me uuid := private.require_active();
    v_withdrawal public.withdrawals;
begin
    select mine.* into v_withdrawal from public.withdrawals as mine
    where mine.id = cancel_withdrawal.withdrawal_id
        and (mine.owner_id = v_me or private.is_operator())
    for update;
    if not found then
        perform private.reject('payments.withdrawal_not_found', withdrawal_id::text);
    elsif v_withdrawal.status = 'cancelled' then
        return v_withdrawal;
    end if;
    if v_withdrawal.owner_id <> v_me then
        -- stopping is within one operator's power, with a reason
        if coalesce(char_length(btrim(cancel_withdrawal.reason)), 0) not between 1 and 500 then
            perform private.reject('identity.invalid_reason', 'reason');
        end if;
        perform private.audit(
            'payments.cancel_withdrawal', v_withdrawal.id::text,
            jsonb_build_object('reason', cancel_withdrawal.reason)
        );
    end if;
    perform private.move_withdrawal(v_withdrawal.id, 'cancelled', cancel_withdrawal.reason);
    select mine.* into strict v_withdrawal from public.withdrawals as mine
    where mine.id = v_withdrawal.id;
    return v_withdrawal;
end;
$$;
create function public.cancel_withdrawal(withdrawal_id uuid, reason text default null)
returns public.withdrawals
language sql set search_path = '' as $$
    select private.cancel_withdrawal(withdrawal_id, reason)
$$;
comment on function public.cancel_withdrawal is
$$Call a withdrawal off while it is not being sent, as its owner or as an operator with a reason.

Safe to repeat.
Errors: payments.withdrawal_not_found (404), payments.invalid_transition (409),
identity.invalid_reason (422), identity.not_active (403).$$;

create function private.close_connected_account(account_id uuid)
returns public.connected_accounts
language plpgsql security definer set search_path = '' as $$
declare
    v_me uuid := private.require_active();
    v_account public.connected_accounts;
begin
    select mine.* into v_account from public.connected_accounts as mine
    where mine.id = close_connected_account.account_id and mine.owner_id = v_me
    for update;
    if not found or v_account.reference is null and v_account.status <> 'closed' then
        perform private.reject('payments.account_not_found', account_id::text);
    end if;
    if exists (
        select from public.withdrawals as open
        where open.account_id = v_account.id
            and open.status in ('requested', 'reserved', 'sending', 'unknown', 'sent')
    ) then
        perform private.reject('payments.account_in_use', account_id::text);
    end if;
    update public.connected_accounts as mine set status = 'closed', is_default = false
    where mine.id = v_account.id
    returning mine.* into v_account;
    return v_account;
end;
$$;
create function public.close_connected_account(account_id uuid)
returns public.connected_accounts
language sql set search_path = '' as $$ select private.close_connected_account(account_id) $$;
comment on function public.close_connected_account is
$$Send nothing to this account any more, for good. Safe to repeat.

Errors: payments.account_not_found (404), payments.account_in_use (409) while a withdrawal to it is
under way, identity.not_active (403).$$;

create function private.claim_destination_check(withdrawal_id uuid)
returns table (provider text, reference text)
language sql stable security definer set search_path = '' as $$
    select target.provider, target.reference
    from public.withdrawals as due
    inner join public.connected_accounts as target on due.account_id = target.id
    where due.id = claim_destination_check.withdrawal_id and due.status = 'reserved'
        and exists (
            select from private.provider_actions as able
            where able.provider = target.provider and able.action = 'payments.onboard_account'
        )
$$;
comment on function private.claim_destination_check is
$$The account that a withdrawal goes to, where its owner may have changed the bank behind it at the
provider, and nobody told us yet; no row: nothing to ask.$$;

create function private.claim_withdrawal(withdrawal_id uuid)
returns table (
    request_id uuid, provider text, account text, country text, amount_minor bigint,
    currency text, is_repeat boolean, may_resend boolean, since timestamptz
)
language plpgsql security definer set search_path = '' as $$
declare
    v_to public.connected_accounts;
    v_due public.withdrawals;
    v_may record;
    v_why text;
    v_request private.provider_requests;
begin
    select target.* into v_to from public.connected_accounts as target
    where target.id = (
        select asked.account_id from public.withdrawals as asked
        where asked.id = claim_withdrawal.withdrawal_id
    )
    for share;
    select due.* into v_due from public.withdrawals as due
    where due.id = claim_withdrawal.withdrawal_id
    for update;
    if not found or v_due.status not in ('reserved', 'sending', 'unknown')
        or v_due.needs_approval and v_due.approval_id is null
    then
        return;
    end if;
    if v_due.status = 'reserved' and v_due.needs_approval and not exists (
        select from public.operator_approvals as agreed
        where agreed.id = v_due.approval_id
            and agreed.input -> 'was' = private.account_mark(v_to)
    ) then
        -- they approved that it goes to another bank account: it is for two to look again
        update public.withdrawals as due
        set approval_id = null, note = 'waits: account_changed', look_at = 'infinity'
        where due.id = v_due.id;
        return;
    end if;
    if v_due.status = 'reserved' then
        -- much may have happened since it was requested
        select weighed.* into strict v_may from private.weigh_withdrawal(
            v_due.owner_id, v_due.currency, v_due.account_id
        ) as weighed;
        v_why := coalesce(v_may.block, case
            when v_may.posted_minor - v_may.reserved_minor < v_may.disputed_minor then 'dispute'
        end);
        if v_why is not null then
            update public.withdrawals as due
            set note = 'waits: ' || v_why,
                look_at = coalesce(v_may.block_at, now() + interval '1 hour')
            where due.id = v_due.id;
            return;
        end if;
    end if;
    v_request := private.open_request(
        v_due.provider, 'payments.send_withdrawal', v_due.id,
        jsonb_build_object(
            'account_id', v_due.account_id, 'amount_minor', v_due.amount_minor,
            'currency', v_due.currency
        )
    );
    if v_request.id is null then
        return;
    end if;
    if v_due.status = 'reserved' then
        perform private.move_withdrawal(v_due.id, 'sending');
    end if;
    return query select
        v_request.id, v_due.provider, v_to.reference, v_to.country, v_due.amount_minor,
        v_due.currency::text, private.may_be_known(v_request, v_due.created_at),
        private.may_resend(v_request), v_due.created_at;
end;
$$;
comment on function private.claim_withdrawal is
$$A withdrawal to be sent now, its request stored; no row: nothing to do, or it must wait.

Waiting: its person, account or balance are not as they were when it was requested. Two operators
approve it anew where another bank account stands behind the account than they approved.$$;

create function private.lock_withdrawal(request_id uuid) returns public.withdrawals
language plpgsql security definer set search_path = '' as $$
declare
    v_withdrawal public.withdrawals;
begin
    select asked.* into v_withdrawal from public.withdrawals as asked
    where asked.id = (
        select made.subject_id from private.provider_requests as made
        where made.id = lock_withdrawal.request_id and made.action = 'payments.send_withdrawal'
    )
    for update;
    if not found then
        perform private.reject('payments.request_not_found', request_id::text);
    end if;
    return v_withdrawal;
end;
$$;
comment on function private.lock_withdrawal is
$$The withdrawal that a request is for, locked before the request.

Errors: payments.request_not_found (404).$$;

create function private.question_withdrawal(request_id uuid, note text) returns void
language plpgsql security definer set search_path = '' as $$
declare
    v_withdrawal public.withdrawals := private.lock_withdrawal(request_id);
    v_request private.provider_requests;
begin
    v_request := private.close_request(
        request_id, 'unknown', note => private.without_numbers(question_withdrawal.note)
    );
    if v_request.closed_at is null and v_withdrawal.status = 'sending' then
        perform private.move_withdrawal(
            v_withdrawal.id, 'unknown', question_withdrawal.note
        );
    end if;
end;
$$;
comment on function private.question_withdrawal is
$$The provider may or may not have sent it: the request stays open and is looked up.

No time makes a failure of it.
Errors: payments.request_not_found (404).$$;

create function private.decline_withdrawal(request_id uuid, note text) returns void
language plpgsql security definer set search_path = '' as $$
declare
    v_withdrawal public.withdrawals := private.lock_withdrawal(request_id);
    v_request private.provider_requests;
begin
    v_request := private.close_request(
        request_id, 'declined', note => private.without_numbers(decline_withdrawal.note)
    );
    if v_request.status = 'declined' and v_withdrawal.status in ('sending', 'unknown') then
        perform private.move_withdrawal(v_withdrawal.id, 'failed', decline_withdrawal.note);
    end if;
end;
$$;
comment on function private.decline_withdrawal is
$$The provider's final no: the money is its owner's balance again.

Errors: payments.request_not_found (404).$$;

create function private.change_withdrawal(
    provider text, reference text, key uuid, status text, reason text
) returns void
language plpgsql security definer set search_path = '' as $$
declare
    v_withdrawal public.withdrawals;
    v_request private.provider_requests;
begin
    -- by the key that it echoes; else by its own id
    select known.* into v_withdrawal from public.withdrawals as known
    where known.provider = change_withdrawal.provider and known.id = coalesce(
        (
            select asked.subject_id from private.provider_requests as asked
            where asked.id = change_withdrawal.key
                and asked.action = 'payments.send_withdrawal'
                and asked.provider = change_withdrawal.provider
        ),
        (
            select other.id from public.withdrawals as other
            where other.provider = change_withdrawal.provider
                and other.reference = change_withdrawal.reference
        )
    )
    for update;
    if not found then
        perform private.reject('payments.withdrawal_not_found', change_withdrawal.reference);
    end if;
    select asked.* into strict v_request from private.provider_requests as asked
    where asked.subject_id = v_withdrawal.id and asked.action = 'payments.send_withdrawal'
    order by asked.attempt desc
    limit 1;
    if v_withdrawal.status = 'failed' and change_withdrawal.status in ('sent', 'paid') and (
        v_request.status = 'declined' or exists (
            select from public.operator_approvals as judged
            where judged.subject_id = v_withdrawal.id and judged.status = 'confirmed'
                and judged.action = 'payments.resolve_withdrawal'
        )
    ) then
        -- not the provider's own word ended it: given back here and sent there must come to light
        perform private.reject('payments.withdrawal_mismatch', v_withdrawal.id::text);
    elsif v_withdrawal.status in ('failed', 'returned') then
        return;
    end if;
    if v_withdrawal.reference is null then
        update public.withdrawals as told set reference = change_withdrawal.reference
        where told.id = v_withdrawal.id;
    end if;
    if v_request.closed_at is null then
        perform private.close_request(v_request.id, 'succeeded', change_withdrawal.reference);
    end if;
    case
        when change_withdrawal.status = 'sent' and v_withdrawal.status in ('sending', 'unknown')
            then
                perform private.move_withdrawal(v_withdrawal.id, 'sent', reason);
                update public.withdrawals as told set look_at = now() + interval '6 hours'
                where told.id = v_withdrawal.id;
        when change_withdrawal.status = 'paid' and v_withdrawal.status <> 'paid' then
            perform private.move_withdrawal(v_withdrawal.id, 'paid', reason);
        when change_withdrawal.status = 'failed' and v_withdrawal.status <> 'paid' then
            perform private.move_withdrawal(v_withdrawal.id, 'failed', reason);
        when change_withdrawal.status in ('failed', 'returned') then
            -- "paid" is not final: it comes back, days or weeks later
            if v_withdrawal.status <> 'paid' then
                perform private.move_withdrawal(v_withdrawal.id, 'paid');
            end if;
            perform private.move_withdrawal(v_withdrawal.id, 'returned', reason);
        else
            null;  -- known before, or older than what is known
    end case;
end;
$$;
comment on function private.change_withdrawal is
$$What a provider says of a withdrawal: sent, paid, failed, returned. Safe to repeat, in any order.

`key` is the id of the provider request, where the provider echoes it. What failed after it was paid
came back.
Errors: payments.withdrawal_not_found (404), payments.withdrawal_mismatch (409).$$;

create function private.record_withdrawal_fee(withdrawal_id uuid, fee_minor bigint) returns void
language plpgsql security definer set search_path = '' as $$
declare
    v_withdrawal public.withdrawals;
begin
    select paid.* into v_withdrawal from public.withdrawals as paid
    where paid.id = record_withdrawal_fee.withdrawal_id
    for update;
    if not found then
        perform private.reject(
            'payments.withdrawal_not_found', record_withdrawal_fee.withdrawal_id::text
        );
    elsif v_withdrawal.fee_minor is not null then
        return;
    end if;
    update public.withdrawals as paid set fee_minor = record_withdrawal_fee.fee_minor
    where paid.id = v_withdrawal.id;
    if record_withdrawal_fee.fee_minor > 0 then
        perform private.book_provider_fee(
            v_withdrawal.provider, coalesce(v_withdrawal.reference, v_withdrawal.id::text),
            record_withdrawal_fee.fee_minor, v_withdrawal.currency
        );
    end if;
end;
$$;
comment on function private.record_withdrawal_fee is
$$What a provider took for a withdrawal: the platform's cost, booked once.

Errors: payments.withdrawal_not_found (404).$$;

create function private.claim_withdrawal_check(withdrawal_id uuid)
returns table (
    request_id uuid, provider text, account text, country text, amount_minor bigint,
    currency text, since timestamptz
)
language sql stable security definer set search_path = '' as $$
    select
        asked.id, sent.provider, target.reference, target.country, sent.amount_minor,
        sent.currency::text, sent.created_at
    from public.withdrawals as sent
    inner join public.connected_accounts as target on sent.account_id = target.id
    inner join private.provider_requests as asked
        on sent.id = asked.subject_id and asked.action = 'payments.send_withdrawal'
    where sent.id = claim_withdrawal_check.withdrawal_id and sent.status = 'sent'
    order by asked.attempt desc
    limit 1
$$;
comment on function private.claim_withdrawal_check is
'A withdrawal on its way, for its provider to be asked how it stands; no row: it has arrived.';

create function private.tend_withdrawals() returns bigint
language plpgsql security definer set search_path = '' as $$
declare
    v_one record;
    v_count bigint := 0;
begin
    for v_one in
        update public.withdrawals as waiting
        set look_at = now() + case waiting.status
            when 'sent' then interval '6 hours' else interval '10 minutes'
        end
        where waiting.id in (
            select due.id from public.withdrawals as due
            where due.status in ('reserved', 'sent') and due.look_at <= now()
            order by due.look_at
            limit 500
            for update skip locked
        )
        returning waiting.id, waiting.status
    loop
        perform private.enqueue(
            case v_one.status
                when 'sent' then 'payments.check_withdrawal' else 'payments.send_withdrawal'
            end,
            jsonb_build_object('subject_id', v_one.id)
        );
        v_count := v_count + 1;
    end loop;
    return v_count;
end;
$$;
comment on function private.tend_withdrawals is
$$Queue anew what waits to be sent, and ask after what is long on its way; how many there were.

Doubts are looked after by private.reconcile_requests.$$;
