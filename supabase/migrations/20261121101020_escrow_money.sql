-- The money of escrows: paid in, divided, sent back. Lock order: the escrow's row, then the ledger.
set lock_timeout = '5s';

create function private.split_release(
    amount_minor bigint, fee_bps bigint, sponsor_id uuid, creator_id uuid,
    sponsor_agent_id uuid, creator_agent_id uuid
) returns table (recipient_id uuid, share text, amount_minor bigint)
language sql immutable set search_path = '' as $$
    with fee as (
        select
            split_release.amount_minor * split_release.fee_bps
            / (10000 + split_release.fee_bps) as minor,
            -- nobody is an agent on a deal of their own
            case when split_release.sponsor_agent_id
                not in (split_release.sponsor_id, split_release.creator_id)
            then split_release.sponsor_agent_id end as one,
            case when split_release.creator_agent_id
                not in (split_release.sponsor_id, split_release.creator_id)
            then split_release.creator_agent_id end as other
    ),
    shares as (
        select
            split_release.creator_id as recipient_id, 'price to the creator' as share,
            split_release.amount_minor - fee.minor as minor
        from fee
        union all
        select fee.one, 'whole fee to the agent of both', fee.minor
        from fee where fee.one = fee.other
        union all
        select
            fee.one,
            case when fee.other is null then 'whole fee to the sponsor''s agent'
                else 'half the fee, and an odd unit, to the sponsor''s agent' end,
            fee.minor - case when fee.other is null then 0 else fee.minor / 2 end
        from fee where fee.one is distinct from fee.other and fee.one is not null
        union all
        select
            fee.other,
            case when fee.one is null then 'whole fee to the creator''s agent'
                else 'half the fee to the creator''s agent' end,
            case when fee.one is null then fee.minor else fee.minor / 2 end
        from fee where fee.one is distinct from fee.other and fee.other is not null
        union all
        select null, 'whole fee to the platform, no agent', fee.minor
        from fee where num_nonnulls(fee.one, fee.other) = 0
    )
    select shares.recipient_id, shares.share, shares.minor from shares where shares.minor > 0
$$;
comment on function private.split_release is
$$Who gets what of a released amount: rows that sum to it, in minor units.

`recipient_id` null is the platform. The fee is floor(amount × bps / (10000 + bps)).
Source: Source Impact, commission distribution algorithm; whole units and the odd one are ours.$$;

create function private.lock_escrow(escrow_id uuid, parties text) returns public.escrows
language plpgsql security definer set search_path = '' as $$
declare
    v_me uuid := private.require_active();
    v_escrow public.escrows;
begin
    select locked.* into v_escrow from public.escrows as locked
    where locked.id = lock_escrow.escrow_id and v_me in (locked.sponsor_id, locked.creator_id)
    for no key update;
    if not found then
        perform private.reject('escrow.not_found');
    end if;
    if (parties = 'sponsor' and v_me <> v_escrow.sponsor_id)
        or (parties = 'creator' and v_me <> v_escrow.creator_id)
    then
        perform private.reject('escrow.wrong_party', parties);
    end if;
    return v_escrow;
end;
$$;
comment on function private.lock_escrow is
$$The caller's escrow, locked; `parties`: whose step it is (sponsor, creator, both).

Errors: escrow.not_found (404), escrow.wrong_party (403), identity.not_active (403).$$;

create function private.move_escrow(
    escrow_id uuid, status public.escrow_status, reason text default null
) returns public.escrows
language sql security definer set search_path = '' as $$
    update public.escrows as moved
    set status = move_escrow.status, status_reason = move_escrow.reason,
        closed_at = case when move_escrow.status = 'cancelled' then now() end
    where moved.id = move_escrow.escrow_id
    returning moved.*
$$;
comment on function private.move_escrow is
$$One step that moves no money; whether it is legal, the guard knows.

Errors: escrow.invalid_transition (409).$$;

create function private.check_text(words text, field text) returns text
language plpgsql stable security definer set search_path = '' as $$
begin
    if coalesce(char_length(btrim(words)), 0) not between 1 and 5000 then
        perform private.reject('escrow.invalid_text', field);
    end if;
    return btrim(words);
end;
$$;
comment on function private.check_text is
$$What a party wrote, trimmed.

Errors: escrow.invalid_text (422).$$;

create function private.start_escrow_payment(escrow_id uuid) returns public.escrows
language plpgsql security definer set search_path = '' as $$
begin
    perform from public.escrows as locked
    where locked.id = start_escrow_payment.escrow_id for no key update;
    if not found then
        perform private.reject('escrow.not_found');
    end if;
    return private.move_escrow(start_escrow_payment.escrow_id, 'payment_processing');
end;
$$;
comment on function private.start_escrow_payment is
$$A provider was asked for the sponsor's money.

Errors: escrow.not_found (404), escrow.invalid_transition (409).$$;

create function private.fail_escrow_payment(escrow_id uuid, reason text) returns public.escrows
language plpgsql security definer set search_path = '' as $$
begin
    perform from public.escrows as locked
    where locked.id = fail_escrow_payment.escrow_id for no key update;
    if not found then
        perform private.reject('escrow.not_found');
    end if;
    return private.move_escrow(fail_escrow_payment.escrow_id, 'failed', reason);
end;
$$;
comment on function private.fail_escrow_payment is
$$The provider said a final no; the sponsor may try again.

Errors: escrow.not_found (404), escrow.invalid_transition (409).$$;

create function private.fund_escrow(
    escrow_id uuid, provider text, reference text, amount_minor bigint, currency text
) returns public.escrows
language plpgsql security definer set search_path = '' as $$
declare
    v_escrow public.escrows;
begin
    select locked.* into v_escrow from public.escrows as locked
    where locked.id = fund_escrow.escrow_id
    for no key update;
    if not found then
        perform private.reject('escrow.not_found');
    end if;
    if fund_escrow.currency is distinct from v_escrow.currency then
        perform private.reject('escrow.wrong_currency', v_escrow.currency);
    elsif coalesce(fund_escrow.amount_minor, 0) < v_escrow.total_minor then
        perform private.reject('escrow.payment_too_small', v_escrow.total_minor::text);
    elsif fund_escrow.amount_minor > v_escrow.total_minor then
        perform private.reject('escrow.payment_too_large', v_escrow.total_minor::text);
    end if;
    if v_escrow.funded_at is not null then
        if (v_escrow.provider, v_escrow.payment_reference)
            = (fund_escrow.provider, fund_escrow.reference)
        then
            return v_escrow;
        end if;
        perform private.reject('escrow.already_funded');
    end if;
    if v_escrow.status not in ('pending_payment', 'payment_processing', 'failed') then
        perform private.reject('escrow.not_payable', v_escrow.status);
    end if;
    if v_escrow.status <> 'payment_processing' then
        perform private.move_escrow(v_escrow.id, 'payment_processing');
    end if;
    begin
        update public.escrows as paid
        set status = 'locked', status_reason = null, remaining_minor = paid.total_minor,
            provider = fund_escrow.provider, payment_reference = fund_escrow.reference,
            funded_at = now()
        where paid.id = v_escrow.id
        returning paid.* into v_escrow;
    exception when unique_violation then
        perform private.reject('escrow.payment_reused', fund_escrow.reference);
    end;
    perform private.post_transaction(
        key => format('escrow:%s:fund', v_escrow.id),
        kind => 'escrow.fund',
        accounts => array[
            private.ledger_account('clearing', v_escrow.currency, provider => v_escrow.provider),
            private.ledger_account('escrow', v_escrow.currency, subject_id => v_escrow.id)
        ],
        amounts => array[-v_escrow.total_minor, v_escrow.total_minor],
        subject_id => v_escrow.id,
        memo => format(
            'Paid by the sponsor: price %s and fee %s %s, %s %s', v_escrow.price_minor,
            v_escrow.fee_minor, v_escrow.currency, v_escrow.provider, v_escrow.payment_reference
        )
    );
    return v_escrow;
end;
$$;
comment on function private.fund_escrow is
$$A payment arrived: from the provider's clearing account into the escrow, in full.

`amount_minor` in minor units of `currency`. Safe to repeat with the payment's reference. What is
refused has moved nothing: the payment is to be sent back.
Errors: escrow.not_found (404), escrow.wrong_currency, escrow.payment_too_small,
escrow.payment_too_large, escrow.payment_reused, escrow.already_funded, escrow.not_payable (409).$$;

create function private.send_back(escrow_id uuid, sponsor_id uuid, amount_minor bigint, key text)
returns void
language plpgsql security definer set search_path = '' as $$
declare
    v_account bigint;
    v_held bigint;
    v_currency text;
begin
    select funded.currency into strict v_currency from public.escrows as funded
    where funded.id = send_back.escrow_id;
    v_account := private.ledger_account(
        'available', v_currency, owner_id => send_back.sponsor_id
    );
    -- who is below zero has their debt set off first
    select least(send_back.amount_minor, account.posted_minor - account.reserved_minor)
    into strict v_held
    from public.ledger_accounts as account where account.id = v_account;
    if v_held > 0 then
        insert into private.escrow_refunds (escrow_id, amount_minor, reservation_id)
        values (
            send_back.escrow_id, v_held,
            private.reserve(send_back.key, v_account, v_held, subject_id => send_back.escrow_id)
        );
    end if;
end;
$$;
comment on function private.send_back is
'Hold back what was just refunded to the sponsor, until a provider has carried it.';

create function private.finish_escrow_refund(refund_id uuid, is_sent boolean) returns void
language plpgsql security definer set search_path = '' as $$
declare
    v_refund record;
begin
    select refund.reservation_id, refund.id, funded.id as escrow_id, funded.provider, funded.currency
    into v_refund
    from private.escrow_refunds as refund
    inner join public.escrows as funded on refund.escrow_id = funded.id
    where refund.id = finish_escrow_refund.refund_id;
    if not found then
        perform private.reject('escrow.refund_not_found');
    end if;
    if is_sent then
        perform private.post_reservation(
            reservation_id => v_refund.reservation_id,
            key => format('escrow_refund:%s', v_refund.id),
            kind => 'escrow.send_refund',
            to_account_id => private.ledger_account(
                'clearing', v_refund.currency, provider => v_refund.provider
            ),
            memo => format('Refund of escrow %s by %s', v_refund.escrow_id, v_refund.provider)
        );
    else
        perform private.close_reservation(v_refund.reservation_id, 'voided');
    end if;
end;
$$;
comment on function private.finish_escrow_refund is
$$A refund left the provider, or it never will: then it stays with the sponsor, to withdraw.

Safe to repeat.
Errors: escrow.refund_not_found (404), ledger.reservation_closed (409).$$;

create function private.divide_escrow(escrow_id uuid, refund_minor bigint, reason text)
returns public.escrows
language plpgsql security definer set search_path = '' as $$
declare
    v_escrow public.escrows;
    v_terms public.escrow_agreements;
    v_key text := format('escrow:%s:close', escrow_id);
    v_refunds boolean;
    v_accounts bigint[];
    v_amounts bigint[];
    v_memo text;
begin
    select locked.* into strict v_escrow from public.escrows as locked
    where locked.id = divide_escrow.escrow_id
    for no key update;
    if divide_escrow.refund_minor not between 0 and v_escrow.remaining_minor then
        perform private.reject('escrow.amount_exceeded', v_escrow.remaining_minor::text);
    end if;
    v_refunds := divide_escrow.refund_minor = v_escrow.remaining_minor;
    perform private.move_escrow(
        v_escrow.id, case when v_refunds then 'refunding' else 'releasing' end, reason
    );
    select terms.* into strict v_terms from public.escrow_agreements as terms
    where terms.id = v_escrow.agreement_id;
    with lines as (
        select v_escrow.sponsor_id as recipient_id, divide_escrow.refund_minor as minor,
            'back to the sponsor' as share, 'available' as kind
        where divide_escrow.refund_minor > 0
        union all
        select split.recipient_id, split.amount_minor,
            split.share, case when split.recipient_id is null then 'fees' else 'available' end
        from private.split_release(
            v_escrow.remaining_minor - divide_escrow.refund_minor, v_terms.fee_bps,
            v_escrow.sponsor_id, v_escrow.creator_id,
            -- a deleted account takes no commission
            (
                select agent.id from public.profiles as agent
                where agent.id = v_terms.sponsor_agent_id and agent.deleted_at is null
            ),
            (
                select agent.id from public.profiles as agent
                where agent.id = v_terms.creator_agent_id and agent.deleted_at is null
            )
        ) as split
    ),
    -- accounts are opened in one order everywhere
    opened as (
        select
            private.ledger_account(sorted.kind, v_escrow.currency, owner_id => sorted.recipient_id)
                as account_id,
            sorted.minor,
            sorted.share,
            sorted.recipient_id
        from (select * from lines order by lines.recipient_id) as sorted
    )
    select
        array_agg(opened.account_id), array_agg(opened.minor),
        string_agg(
            concat_ws(' ', opened.minor, v_escrow.currency, opened.share, opened.recipient_id),
            '; ' order by opened.minor desc, opened.share
        )
    into v_accounts, v_amounts, v_memo
    from opened;
    perform private.post_transaction(
        key => v_key,
        kind => case
            when v_refunds then 'escrow.refund' when divide_escrow.refund_minor = 0
            then 'escrow.release' else 'escrow.split' end,
        accounts => private.ledger_account(
            'escrow', v_escrow.currency, subject_id => v_escrow.id
        ) || v_accounts,
        amounts => -v_escrow.remaining_minor || v_amounts,
        subject_id => v_escrow.id,
        memo => v_memo || coalesce(' (' || nullif(left(reason, 200), '') || ')', '')
    );
    if divide_escrow.refund_minor > 0 then
        perform private.send_back(
            v_escrow.id, v_escrow.sponsor_id, divide_escrow.refund_minor, v_key
        );
    end if;
    update public.escrows as closed
    set status = case when v_refunds then 'refunded' else 'released' end,
        remaining_minor = 0, closed_at = now(),
        refunded_minor = closed.refunded_minor + divide_escrow.refund_minor,
        released_minor = closed.remaining_minor - divide_escrow.refund_minor
    where closed.id = v_escrow.id
    returning closed.* into v_escrow;
    return v_escrow;
end;
$$;
comment on function private.divide_escrow is
$$End an escrow: so much back to the sponsor, the rest released; all in one posting.

`refund_minor` 0 releases everything, the whole remaining amount refunds it.
Errors: escrow.amount_exceeded (409), escrow.invalid_transition (409).$$;

create function private.refund_part(escrow_id uuid, amount_minor bigint, reason text)
returns public.escrows
language plpgsql security definer set search_path = '' as $$
declare
    v_escrow public.escrows;
    v_key text;
begin
    select locked.* into strict v_escrow from public.escrows as locked
    where locked.id = refund_part.escrow_id
    for no key update;
    -- what was refunded before names this refund: it only grows, under this lock
    v_key := format('escrow:%s:refund:%s', v_escrow.id, v_escrow.refunded_minor);
    perform private.post_transaction(
        key => v_key,
        kind => 'escrow.refund_part',
        accounts => array[
            private.ledger_account('escrow', v_escrow.currency, subject_id => v_escrow.id),
            private.ledger_account('available', v_escrow.currency, owner_id => v_escrow.sponsor_id)
        ],
        amounts => array[-refund_part.amount_minor, refund_part.amount_minor],
        subject_id => v_escrow.id,
        memo => format(
            '%s %s back to the sponsor (%s)', refund_part.amount_minor, v_escrow.currency,
            left(reason, 200)
        )
    );
    perform private.send_back(
        v_escrow.id, v_escrow.sponsor_id, refund_part.amount_minor, v_key
    );
    update public.escrows as smaller
    set remaining_minor = smaller.remaining_minor - refund_part.amount_minor,
        refunded_minor = smaller.refunded_minor + refund_part.amount_minor
    where smaller.id = v_escrow.id
    returning smaller.* into v_escrow;
    insert into public.escrow_events
        (escrow_id, actor_id, from_status, to_status, reason, amount_minor)
    values (
        v_escrow.id, (select auth.uid()), v_escrow.status, v_escrow.status, reason,
        refund_part.amount_minor
    );
    return v_escrow;
end;
$$;
comment on function private.refund_part is
'Send a part back to the sponsor; the escrow goes on with the rest. The caller has the lock.';

create function private.check_escrows() returns table (finding text, subject text)
language sql stable security definer set search_path = '' as $$
    select 'escrow differs from its ledger account', format('escrow %s', held.id)
    from public.escrows as held
    left join public.ledger_accounts as account
        on held.id = account.subject_id and account.kind = 'escrow'
        and account.owner_id is null and account.provider is null
        and account.currency = held.currency
    where held.remaining_minor <> coalesce(account.posted_minor, 0)
    union all
    select 'escrow stopped between two steps', format('escrow %s, %s', held.id, held.status)
    from public.escrows as held
    where held.status in ('approved', 'releasing', 'refunding')
    union all
    select 'events do not lead to the state', format('escrow %s', held.id)
    from public.escrows as held
    where held.status is distinct from (
        select event.to_status from public.escrow_events as event
        where event.escrow_id = held.id order by event.id desc limit 1
    )
$$;
comment on function private.check_escrows is
'Everything that must hold of escrows and does not: no row means that all is well.';
