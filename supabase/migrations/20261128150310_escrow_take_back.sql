-- Taking back shares its arithmetic with bookings.
set lock_timeout = '5s';

create or replace function private.take_back(
    escrow_id uuid, reference text, amount_minor bigint, reason text
) returns public.escrows
language plpgsql security definer set search_path = '' as $$
declare
    v_escrow public.escrows;
    v_key text := format('escrow:%s:take_back:%s', escrow_id, reference);
    v_known bigint;
    v_left bigint;
    v_accounts bigint[];
    v_amounts bigint[];
    v_memo text;
begin
    select locked.* into v_escrow from public.escrows as locked
    where locked.id = take_back.escrow_id
    for no key update;
    if not found then
        perform private.reject('escrow.not_found');
    end if;
    if coalesce(take_back.amount_minor, 0) <= 0 then
        perform private.reject('escrow.invalid_amount', 'amount_minor');
    end if;
    select entry.amount_minor into v_known
    from public.ledger_transactions as moved
    inner join public.ledger_entries as entry on moved.id = entry.transaction_id
    inner join public.ledger_accounts as account
        on entry.account_id = account.id and account.kind = 'clearing'
    where moved.idempotency_key = v_key;
    if found then
        if v_known <> take_back.amount_minor then
            perform private.reject('ledger.key_reused', reference);
        end if;
        return v_escrow;
    end if;
    v_left := v_escrow.released_minor - v_escrow.taken_back_minor;
    if take_back.amount_minor > v_left then
        perform private.reject('escrow.amount_exceeded', v_left::text);
    end if;
    select
        array_agg(share.account_id order by share.account_id),
        array_agg(-share.share_minor order by share.account_id),
        string_agg(
            format(
                '%s %s from %s', share.share_minor, v_escrow.currency,
                coalesce(share.owner_id::text, 'the platform')
            ), '; ' order by share.share_minor desc, share.account_id
        )
    into v_accounts, v_amounts, v_memo
    from private.share_giving_back(
        v_escrow.id, array[
            'escrow.release', 'escrow.split', 'escrow.take_back', 'escrow.reinstate'
        ],
        v_escrow.sponsor_id, v_escrow.creator_id, take_back.amount_minor
    ) as share;
    perform private.allow_debt(v_accounts, v_amounts);
    perform private.post_transaction(
        key => v_key,
        kind => 'escrow.take_back',
        accounts => v_accounts || private.ledger_account(
            'clearing', v_escrow.currency, provider => v_escrow.provider
        ),
        amounts => v_amounts || take_back.amount_minor,
        subject_id => v_escrow.id,
        memo => format('Back to the payer: %s (%s)', v_memo, left(reason, 200))
    );
    update public.escrows as smaller
    set taken_back_minor = smaller.taken_back_minor + take_back.amount_minor
    where smaller.id = v_escrow.id
    returning smaller.* into v_escrow;
    insert into public.escrow_events
        (escrow_id, actor_id, from_status, to_status, reason, amount_minor)
    values (
        v_escrow.id, (select auth.uid()), v_escrow.status, v_escrow.status, reason,
        take_back.amount_minor
    );
    return v_escrow;
end;
$$;
comment on function private.take_back is
$$The payer's bank took released money back: so do we, from everyone in proportion to their part.

Balances may go below zero, down to what they got; what they earn next is set off. `reference` is
the provider's, and makes it safe to repeat.
Errors: escrow.not_found (404), escrow.amount_exceeded (409), escrow.invalid_amount (422),
ledger.key_reused (409).$$;
